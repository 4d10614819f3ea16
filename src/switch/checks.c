/* switch/checks.c - the checks in their order, one function each
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/checks.h"

#include "sip/build.h"
#include "sip/fields.h"
#include "sip/sdp.h"
#include "sip/uri.h"
#include "sip/values.h"

static const slice allow = SLICE_INIT("INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, MESSAGE, NOTIFY, REFER");

slice checks_allow(void) { return allow; }

void checks_allow_but(struct out *o, enum sip_method refused)
{
    slice rest = allow, name, before = SLICE("Allow: ");

    while (sip_list_next(&rest, &name)) {
        if (slice_eq(name, sip_method_name(refused)))
            continue;
        out_text(o, before);
        out_text(o, name);
        before = SLICE(", ");
    }
    out_text(o, SLICE("\r\n"));
}

bool checks_is_whole(const struct sip_message *m, slice *ret_phrase)
{
    const struct { bool there; slice phrase; } rows[] = {
        { m->via_count > 0, SLICE("Missing or Unreadable Via") },
        { m->call_id.len > 0, SLICE("Missing Call-ID") },
        { m->from.uri.len > 0, SLICE("Missing or Unreadable From") },
        { m->to.uri.len > 0, SLICE("Missing or Unreadable To") },
        { m->cseq.method.len > 0, SLICE("Missing or Unreadable CSeq") },
        { !m->is_request || slice_eq(m->cseq.method, m->method_text), SLICE("CSeq Names Another Method") },
        { !m->is_request || m->uri.len > 0, SLICE("Missing Request-URI") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!rows[i].there) {
            *ret_phrase = rows[i].phrase;
            return false;
        }
    return true;
}

/* ---- one check each: 0 or a code ---- */

struct check {
    const struct sip_message   *m;
    const struct checks_limits *limits;
    struct out                 *headers;
    slice                      *phrase;
};

static unsigned version(const struct check *c) { return slice_eq_nocase(c->m->version, SLICE("SIP/2.0")) ? 0 : 505; }

static unsigned sizes(const struct check *c)
{
    const struct checks_limits *l = c->limits;

    if (l->uri_bytes_max && c->m->uri.len > l->uri_bytes_max)
        return 414;
    if (l->body_bytes_max && c->m->body.len > l->body_bytes_max)
        return 413;
    return l->message_bytes_max && c->m->all.len > l->message_bytes_max ? 513 : 0;
}

static unsigned body_whole(const struct check *c)
{
    if (!c->m->body_cut)
        return 0;
    *c->phrase = SLICE("Body Shorter Than Content-Length");
    return 400;
}

static unsigned method(const struct check *c)
{
    static const bool refused[SIP_METHODS] = { [SIP_SUBSCRIBE] = true, [SIP_PUBLISH] = true };

    if (c->m->method == SIP_UNKNOWN || refused[c->m->method])
        sip_build_header(c->headers, SIP_H_ALLOW, checks_allow());
    return c->m->method == SIP_UNKNOWN ? 501 : refused[c->m->method] && !c->m->to.tag.len ? 405 : 0;
}

static unsigned scheme(const struct check *c)
{
    struct sip_uri uri;

    if (!sip_uri_parse(c->m->uri, &uri) || uri.scheme == SIP_SCHEME_OTHER)
        return 416;
    if ((uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS) && !uri.host.len) {
        *c->phrase = SLICE("Request-URI Without Host");
        return 400;
    }
    return 0;
}

static unsigned hops(const struct check *c)
{
    const struct sip_header *h = sip_header_find(c->m, SIP_H_MAX_FORWARDS);
    uint32_t number;

    if (!h)
        return 0;
    if (!slice_to_u32(slice_trim(h->value), &number) || number > 255) {
        *c->phrase = SLICE("Unreadable Max-Forwards");
        return 400;
    }
    return number == 0 && c->m->method != SIP_OPTIONS && c->m->method != SIP_REGISTER ? 483 : 0;
}

static bool is_extension(slice tag)
{
    static const slice known[] = {
        SLICE_INIT("100rel"), SLICE_INIT("timer"), SLICE_INIT("precondition"), SLICE_INIT("replaces"),
        SLICE_INIT("199"), SLICE_INIT("histinfo"), SLICE_INIT("path"), SLICE_INIT("outbound"), SLICE_INIT("early-session"),
        SLICE_INIT("norefersub"), SLICE_INIT("resource-priority"), SLICE_INIT("answermode"),
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_eq_nocase(known[i], tag))
            return true;
    return false;
}

static bool names_unknown(const struct check *c, enum sip_header_id id)
{
    struct sip_values all = sip_values_of(c->m, id);
    slice tag;
    bool any = false;

    while (sip_values_next(&all, &tag)) {
        /* a tag for proxies alone (RFC 3323, 4.3) */
        if (is_extension(tag) || (id == SIP_H_PROXY_REQUIRE && slice_eq_nocase(tag, SLICE("privacy"))))
            continue;
        sip_build_header(c->headers, SIP_H_UNSUPPORTED, tag);
        any = true;
    }
    return any;
}

/* A call passes here as it would a proxy (16.3, 5); all else that comes here ends here. */
static unsigned extensions(const struct check *c)
{
    bool any = names_unknown(c, SIP_H_REQUIRE);

    if (c->m->method == SIP_INVITE)
        any |= names_unknown(c, SIP_H_PROXY_REQUIRE);
    return any && c->m->method != SIP_CANCEL ? 420 : 0;
}

static bool content_is(const struct sip_content_type *t, slice type, slice subtype)
{
    return slice_eq_nocase(t->type, type) && (!subtype.len || slice_eq_nocase(t->subtype, subtype));
}

/* An INVITE or UPDATE has to be understood; other bodies are only passed on. */
static unsigned content(const struct check *c)
{
    const struct sip_header *h = sip_header_find(c->m, SIP_H_CONTENT_TYPE);
    const struct sip_header *encoding = sip_header_find(c->m, SIP_H_CONTENT_ENCODING);
    struct sip_content_type type;

    if (!c->m->body.len || !h)
        return 0;
    if (!sip_content_type_parse(h->value, &type)) {
        *c->phrase = SLICE("Unreadable Content-Type");
        return 400;
    }
    if (content_is(&type, SLICE("application"), SLICE("pkcs7-mime")))
        return 493;
    if (c->m->method != SIP_INVITE && c->m->method != SIP_UPDATE)
        return 0;
    if (encoding && !slice_eq_nocase(slice_trim(encoding->value), SLICE("identity"))) {
        sip_build_header(c->headers, SIP_H_ACCEPT_ENCODING, SLICE("identity"));
        return 415;
    }
    if (content_is(&type, SLICE("application"), SLICE("sdp")) || content_is(&type, SLICE("multipart"), (slice){ 0 }))
        return 0;
    sip_build_header(c->headers, SIP_H_ACCEPT, SLICE("application/sdp, multipart/mixed"));
    return 415;
}

/* What we could answer with is SDP, or nothing: an Accept that takes neither cannot be served. */
static unsigned accepts(const struct check *c)
{
    struct sip_values all = sip_values_of(c->m, SIP_H_ACCEPT);
    slice value;
    bool any = false;

    if (c->m->method != SIP_OPTIONS && c->m->method != SIP_INVITE)
        return 0;
    while (sip_values_next(&all, &value)) {
        struct sip_content_type type;

        any = true;
        if (!sip_content_type_parse(value, &type) || content_is(&type, SLICE("*"), (slice){ 0 }) ||
            content_is(&type, SLICE("application"), SLICE("sdp")) || content_is(&type, SLICE("application"), SLICE("*")) ||
            content_is(&type, SLICE("multipart"), (slice){ 0 }))
            return 0;
    }
    return any ? 406 : 0;
}

unsigned checks_request(const struct sip_message *m, const struct checks_limits *limits, struct out *headers, slice *ret_phrase)
{
    static unsigned (*const checks[])(const struct check *c) = { version, sizes, body_whole, method, scheme, hops,
                                                                 extensions, content, accepts };
    const struct check c = { m, limits, headers, ret_phrase };

    *ret_phrase = (slice){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        unsigned status = checks[i](&c);

        if (status)
            return status;
    }
    return 0;
}
