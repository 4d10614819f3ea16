/* tests/fuzz/fuzz_message.c - the message parser, in every framing, and every decoder of a
 * header value on every header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "sip/auth.h"
#include "sip/message.h"
#include "sip/multipart.h"
#include "sip/route.h"
#include "sip/sdp.h"
#include "sip/uri.h"
#include "sip/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addr(const struct sip_name_addr *a, slice whole)
{
    MUST_BE_INSIDE(a->display, whole);
    MUST_BE_INSIDE(a->uri, whole);
    MUST_BE_INSIDE(a->params, whole);
    MUST_BE_INSIDE(a->tag, whole);
}

static void check_via(const struct sip_via *v, slice whole)
{
    MUST_BE_INSIDE(v->transport, whole);
    MUST_BE_INSIDE(v->host, whole);
    MUST_BE_INSIDE(v->branch, whole);
    MUST_BE_INSIDE(v->received, whole);
    MUST_BE_INSIDE(v->rport, whole);
    MUST_BE_INSIDE(v->params, whole);
}

static void check_lists(slice value)
{
    slice rest = value, one;
    struct sip_param param;
    char text[64];

    for (rest = value; sip_list_next(&rest, &one);)
        MUST_BE_INSIDE(one, value);
    for (rest = value; sip_param_next(&rest, &param);) {
        MUST_BE_INSIDE(param.name, value);
        MUST_BE_INSIDE(param.value, value);
        MUST(sip_unquote(param.value, text, sizeof(text)).len <= sizeof(text));
    }
    MUST_BE_INSIDE(rest, value);
}

static void check_addresses(slice value)
{
    slice rest;
    struct sip_name_addr addr;
    struct sip_via via;
    struct sip_contact contact;
    struct sip_history history;
    struct sip_diversion diversion;

    for (rest = value; sip_name_addr_next(&rest, &addr);)
        check_addr(&addr, value);
    for (rest = value; sip_via_next(&rest, &via);)
        check_via(&via, value);
    for (rest = value; sip_contact_next(&rest, &contact);) {
        check_addr(&contact.addr, value);
        MUST(contact.q_thousandth <= 1000);
    }
    for (rest = value; sip_history_next(&rest, &history);)
        MUST_BE_INSIDE(history.reason, value);
    for (rest = value; sip_diversion_next(&rest, &diversion);)
        MUST_BE_INSIDE(diversion.reason, value);
}

static void check_auth(slice value)
{
    slice rest, found;
    struct sip_auth auth;

    for (rest = value; sip_auth_next(&rest, &auth);) {
        MUST(auth.scheme.len > 0);
        MUST_BE_INSIDE(auth.params, value);
        MUST_BE_INSIDE(auth.nonce, auth.params);
        MUST_BE_INSIDE(auth.qop, auth.params);
        (void)sip_auth_offers(&auth, SLICE("auth"));
        if (sip_auth_param_find(auth.params, SLICE("nonce"), &found))
            MUST(slice_eq(found, auth.nonce));
    }
    if (sip_auth_info_parse(value, &auth))
        MUST_BE_INSIDE(auth.nextnonce, value);
}

static void check_values(slice value)
{
    slice rest = value;
    char text[128];
    uint32_t number;
    struct sip_cseq cseq;
    struct sip_rack rack;
    struct sip_session_expires session;
    struct sip_retry_after retry;
    struct sip_warning warning;
    struct sip_reason reason;
    struct sip_event event;
    struct sip_subscription_state state;
    struct sip_charging_vector vector;
    struct sip_session_id id;
    struct sip_content_type type;
    struct sip_replaces replaces;

    if (sip_cseq_parse(value, &cseq))
        MUST(cseq.number <= INT32_MAX && cseq.method.len);
    (void)sip_rseq_parse(value, &number);
    (void)sip_seconds_parse(value, &number);
    if (sip_rack_parse(value, &rack))
        MUST_BE_INSIDE(rack.method, value);
    (void)sip_session_expires_parse(value, &session);
    if (sip_retry_after_parse(value, &retry))
        MUST_BE_INSIDE(retry.comment, value);
    while (sip_warning_next(&rest, &warning))
        MUST(warning.code <= 999 && is_inside(warning.text, value));
    for (rest = value; sip_reason_next(&rest, &reason);)
        MUST_BE_INSIDE(reason.text, value);
    if (sip_event_parse(value, &event))
        MUST_BE_INSIDE(event.id, value);
    if (sip_subscription_state_parse(value, &state))
        MUST_BE_INSIDE(state.reason, value);
    if (sip_charging_vector_parse(value, &vector))
        MUST_BE_INSIDE(vector.icid, value);
    (void)sip_early_media_read(value);
    if (sip_session_id_parse(value, &id))
        MUST(id.local.len == 32 && (id.remote.len == 32 || id.remote.len == 0));
    if (sip_content_type_parse(value, &type))
        MUST_BE_INSIDE(type.subtype, value);
    if (sip_replaces_parse(value, &replaces))
        MUST_BE_INSIDE(replaces.to_tag, value);
    if (sip_refer_replaces(value, text, sizeof(text), &replaces))
        MUST_BE_INSIDE(replaces.call_id, slice_of(text, sizeof(text)));
}

static void check_headers(const struct sip_message *m)
{
    for (uint16_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];

        MUST_BE_INSIDE(h->name, m->all);
        MUST_BE_INSIDE(h->value, m->all);
        MUST(h->id < SIP_HEADER_IDS);
        MUST(h->id == sip_header_id_find(h->name));
        MUST(h->next == 0 || (h->next > i && h->next < m->header_count &&
                              m->headers[h->next].id == h->id));
        check_lists(h->value);
        check_addresses(h->value);
        check_auth(h->value);
        check_values(h->value);
    }
    for (enum sip_header_id id = 1; id < SIP_HEADER_IDS; id++) {
        const struct sip_header *h = sip_header_find(m, id);

        for (; h; h = sip_header_next(m, h))
            MUST(h->id == id);
    }
}

static void check_body(const struct sip_message *m)
{
    static struct sdp sdp;
    const struct sip_header *type = sip_header_find(m, SIP_H_CONTENT_TYPE);
    struct sip_multipart parts;
    struct sip_part part;
    slice text;

    if (type && sip_multipart_of(type->value, m->body, &parts))
        while (sip_multipart_next(&parts, &part)) {
            MUST_BE_INSIDE(part.body, m->body);
            MUST_BE_INSIDE(part.headers, m->body);
            MUST_BE_INSIDE(part.content_type, m->body);
        }
    if (sip_sdp_of(m, &text)) {
        MUST_BE_INSIDE(text, m->body);
        (void)sdp_parse(text, &sdp);
    }
}

static ptrdiff_t check_message(slice bytes, enum sip_framing framing, size_t room_count)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    ptrdiff_t used = sip_message_parse(bytes, framing, room, room_count, &m);

    MUST(used <= (ptrdiff_t)bytes.len);
    MUST(framing == SIP_STREAM || used != 0);
    if (used <= 0)
        return used;
    MUST_BE_INSIDE(m.all, bytes);
    MUST(m.all.ptr + m.all.len == bytes.ptr + used);
    MUST_BE_INSIDE(m.method_text, m.all);
    MUST_BE_INSIDE(m.uri, m.all);
    MUST_BE_INSIDE(m.version, m.all);
    MUST_BE_INSIDE(m.reason, m.all);
    MUST_BE_INSIDE(m.call_id, m.all);
    MUST_BE_INSIDE(m.content_type, m.all);
    MUST_BE_INSIDE(m.body, m.all);
    MUST(m.status == 0 || (m.status >= 100 && m.status <= 699));
    MUST(!m.is_request || m.status == 0);
    MUST(m.header_count <= room_count);
    check_addr(&m.from, m.all);
    check_addr(&m.to, m.all);
    check_via(&m.via, m.all);
    for (unsigned i = 0; i < m.flaw_count && i < SIP_FLAWS_MAX; i++) {
        MUST(m.flaws[i].kind > SIP_FLAW_NONE && m.flaws[i].kind < SIP_FLAW_KINDS);
        MUST(m.flaws[i].offset <= bytes.len);
        MUST(m.flaws[i].header == UINT16_MAX || m.flaws[i].header < m.header_count);
    }
    check_headers(&m);
    check_body(&m);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = slice_of(data, size);
    ptrdiff_t used = check_message(bytes, SIP_DATAGRAM, SIP_HEADERS_MAX);

    MUST((used > 0) == sip_looks_like(bytes));
    (void)sip_is_keepalive(bytes);
    (void)check_message(bytes, SIP_CUT, SIP_HEADERS_MAX);
    (void)check_message(bytes, SIP_DATAGRAM, 3);

    /* What a stream gives from its first bytes it gives whatever comes behind them. */
    used = check_message(bytes, SIP_STREAM, SIP_HEADERS_MAX);
    if (used > 0)
        MUST(check_message(slice_head(bytes, (size_t)used), SIP_STREAM, SIP_HEADERS_MAX) == used);

    /* A prefix, in a block of its own: nothing behind it is read. */
    size_t cut = size ? (data[size / 2] * 257u + data[size - 1]) % size : 0;
    char *prefix = malloc(cut + 1);

    if (prefix) {
        memcpy(prefix + 1, data, cut);           /* and not aligned */
        (void)check_message(slice_of(prefix + 1, cut), SIP_DATAGRAM, SIP_HEADERS_MAX);
        (void)check_message(slice_of(prefix + 1, cut), SIP_STREAM, SIP_HEADERS_MAX);
    }
    free(prefix);
    return 0;
}
