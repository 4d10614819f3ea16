/* switch/b2bua_history.c - who forwarded the call, as History-Info (RFC 7044, with the causes of
 * RFC 4458) and as Diversion (RFC 5806)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/uri.h"
#include "switch/b2bua_int.h"
#include "switch/config.h"

enum { INDEX_MAX = 64, SHOWN_MAX = 32 };

static const struct { unsigned cause; slice reason; } kinds[USER_FORWARDS] = {
    [USER_FORWARD_ALWAYS] = { 302, SLICE_INIT("unconditional") },
    [USER_FORWARD_BUSY] = { 486, SLICE_INIT("user-busy") },
    [USER_FORWARD_NO_ANSWER] = { 408, SLICE_INIT("no-answer") },
    [USER_FORWARD_UNREACHABLE] = { 503, SLICE_INIT("unavailable") },
};

void history_add(struct b2bua_call *c, slice target, enum user_forward why)
{
    struct call_setup *setup = c->setup;
    struct diversion *d = arena_alloc(&setup->arena, sizeof *d);

    if (!d)
        return;
    *d = (struct diversion){ setup->diverted, arena_slice(&setup->arena, setup->called), arena_slice(&setup->arena, target),
                             (uint8_t)why, (setup->flags & USER_HIDE_NUMBER) != 0 };
    if (d->who.ptr && d->target.ptr)
        setup->diverted = d;
}

/* ---- History-Info ---- */

/* The index of the last entry that came with the call: ours go on below it. */
static slice last_index(const struct sip_message *request)
{
    struct sip_values all = sip_values_of(request, SIP_H_HISTORY_INFO);
    slice value, last = { 0 };

    while (sip_values_next(&all, &value)) {
        struct sip_name_addr addr;
        slice index;

        if (sip_name_addr_parse(value, &addr) && sip_param_find(addr.params, SLICE("index"), &index) && index.len &&
            index.len <= INDEX_MAX)
            last = index;
    }
    return last;
}

/* "1.1.1": that of the call as it came, and one more for each time that it was sent on. */
static void put_index(struct out *o, slice base, size_t depth)
{
    if (base.len) {
        sip_build_text(o, base);
        out_char(o, '.');
    }
    out_char(o, '1');
    out_repeat(o, SLICE(".1"), depth);
}

/* What a URI says of headers would be mixed with ours. */
static slice without_headers(slice uri)
{
    slice rest = uri;

    return slice_take_until(&rest, '?');
}

/* One entry: a target and why the call was sent to it; `next` is why it went on from there, put
 * as a header of the URI, which only sip and sips have (5.1). */
static void put_entry(struct out *o, slice base, size_t depth, slice uri, const struct diversion *to, const struct diversion *next)
{
    bool is_sip = slice_starts_nocase(uri, SLICE("sip"));

    out_text(o, SLICE("History-Info: <"));
    sip_build_text(o, without_headers(uri));
    if (to && is_sip) {
        out_text(o, SLICE(";cause="));
        out_u64(o, kinds[to->why].cause);
    }
    if (next && is_sip) {
        out_text(o, SLICE("?Reason=SIP%3Bcause%3D"));
        out_u64(o, kinds[next->why].cause);
        if (next->hides)
            out_text(o, SLICE("&Privacy=history"));
    }
    out_text(o, SLICE(">;index="));
    put_index(o, base, depth);
    if (to) {                                             /* another user: mapped from the entry above */
        out_text(o, SLICE(";mp="));
        put_index(o, base, depth - 1);
    }
    out_text(o, SLICE("\r\n"));
}

static void put_history(struct out *o, const struct b2bua_call *c, const struct sip_message *request)
{
    const struct diversion *all[SHOWN_MAX];
    slice base = last_index(request);
    size_t count = 0;

    sip_build_copy(o, request, SIP_H_HISTORY_INFO);
    for (const struct diversion *d = c->setup->diverted; d && count < SHOWN_MAX; d = d->before)
        all[count++] = d;
    for (size_t i = count; i-- > 0;) {                    /* the first one is the last here */
        if (i + 1 == count) {
            char room[512];
            slice who = all[i]->who.len < sizeof room - 4 ? all[i]->who : (slice){ 0 };

            memcpy(room, "sip:", 4);
            if (who.len)
                memcpy(room + 4, who.ptr, who.len);
            put_entry(o, base, 0, slice_of(room, 4 + who.len), NULL, all[i]);
        }
        put_entry(o, base, count - i, all[i]->target, all[i], i ? all[i - 1] : NULL);
    }
}

/* ---- Diversion ---- */

/* The last one stands first. */
static void put_diversion(struct out *o, const struct b2bua_call *c, const struct sip_message *request)
{
    for (const struct diversion *d = c->setup->diverted; d; d = d->before) {
        out_text(o, SLICE("Diversion: <sip:"));
        sip_build_text(o, d->who);
        out_text(o, SLICE(">;reason="));
        out_text(o, kinds[d->why].reason);
        out_text(o, SLICE(";counter=1"));
        out_text(o, d->hides ? SLICE(";privacy=full\r\n") : SLICE(";privacy=off\r\n"));
    }
    sip_build_copy(o, request, SIP_H_DIVERSION);
}

void history_put(struct out *o, const struct b2bua_call *c, const struct sip_message *request, unsigned forwarding)
{
    if (forwarding == CONFIG_DIVERTED_HISTORY || forwarding == CONFIG_DIVERTED_BOTH)
        put_history(o, c, request);
    if (forwarding == CONFIG_DIVERTED_DIVERSION || forwarding == CONFIG_DIVERTED_BOTH)
        put_diversion(o, c, request);
}
