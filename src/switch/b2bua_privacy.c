/* switch/b2bua_privacy.c - what the caller asks to keep from others
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "switch/b2bua_int.h"

static const struct { slice name; unsigned flag; } values[] = {
    { SLICE_INIT("id"), PRIVACY_ID },           { SLICE_INIT("user"), PRIVACY_USER },       { SLICE_INIT("header"), PRIVACY_HEADER },
    { SLICE_INIT("session"), PRIVACY_SESSION }, { SLICE_INIT("history"), PRIVACY_HISTORY }, { SLICE_INIT("none"), PRIVACY_NONE },
    { SLICE_INIT("critical"), PRIVACY_CRITICAL },
};

static unsigned flag_of(slice value)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (slice_eq_nocase(values[i].name, value))
            return values[i].flag;
    return PRIVACY_OTHER;
}

/* Semicolons stand between the values; commas come, too. */
static bool next_value(slice *rest, slice *ret)
{
    while (rest->len) {
        size_t len = 0;

        while (len < rest->len && rest->ptr[len] != ';' && rest->ptr[len] != ',')
            len++;
        *ret = slice_trim(slice_head(*rest, len));
        *rest = slice_skip(*rest, len < rest->len ? len + 1 : len);
        if (ret->len)
            return true;
    }
    return false;
}

unsigned privacy_of(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_PRIVACY);
    slice rest = h ? h->value : (slice){ 0 }, value;
    unsigned all = 0;

    while (next_value(&rest, &value))
        all |= flag_of(value);
    /* none stands alone (RFC 3323, 4.2); beside a wish it is no wish. */
    return all & PRIVACY_NONE ? all & (PRIVACY_NONE | PRIVACY_CRITICAL) : all;
}

void privacy_ask(struct out *o, unsigned privacy)
{
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (!(privacy & values[i].flag))
            continue;
        out_text(o, any ? SLICE(";") : SLICE("Privacy: "));
        out_text(o, values[i].name);
        any = true;
    }
    if (any)
        out_text(o, SLICE("\r\n"));
}

/* The session's own addresses are hidden by a media relay only. */
bool privacy_is_possible(const struct b2bua *b, unsigned privacy)
{
    unsigned not_possible = PRIVACY_OTHER | (b->settings.media && b->settings.media_required ? 0 : PRIVACY_SESSION);

    return !(privacy & PRIVACY_CRITICAL) || !(privacy & not_possible);
}

/* RFC 3323, 5: what was done is taken out. What tells those behind us what they may show stays:
 * id, and a session or an unknown wish that we do not serve. */
void privacy_put(struct out *o, const struct b2bua_call *c, const struct sip_message *request)
{
    const unsigned done = PRIVACY_USER | PRIVACY_HEADER | PRIVACY_CRITICAL;
    const struct sip_header *h = sip_header_find(request, SIP_H_PRIVACY);
    slice rest = h ? h->value : (slice){ 0 }, value;
    bool any = false, hides = c->caller_hides && !(c->privacy & PRIVACY_ID), left = c->privacy & ~done;

    if (c->b2bua->settings.no_privacy) {                  /* its own passes; ours is beside it */
        if (hides && !h)
            sip_build_header(o, SIP_H_PRIVACY, SLICE("id"));
        return;
    }
    if (!hides && !left)
        return;
    out_text(o, SLICE("Privacy: "));
    if (hides) {
        out_text(o, SLICE("id"));
        any = true;
    }
    while (next_value(&rest, &value)) {
        unsigned flag = flag_of(value);

        if (flag & (PRIVACY_USER | PRIVACY_HEADER) || !(flag & c->privacy) || (flag & PRIVACY_CRITICAL && !left))
            continue;
        if (any)
            out_char(o, ';');
        sip_build_text(o, value);
        any = true;
    }
    out_text(o, SLICE("\r\n"));
}

unsigned privacy_how(const struct b2bua_call *c, const struct leg *from)
{
    return !from->branch && (c->caller_hides || c->privacy & PRIVACY_USER) ? HEADERS_ANONYMOUS : 0;
}
