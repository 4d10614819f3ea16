/* report/differ_canonical.c - values without what differs between any two calls; see differ.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"
#include "report/differ.h"
#include "sip/auth.h"
#include "sip/sdp.h"
#include "sip/uri.h"

static bool is_one_of(slice word, const slice *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(word, list[i]))
            return true;
    return false;
}

static void lower(struct out *o, slice s)
{
    for (size_t i = 0; i < s.len; i++)
        out_char(o, ascii_lower(s.ptr[i]));
}

/* Blanks and folds as one blank. */
static void squeezed(struct out *o, slice s)
{
    s = slice_trim(s);
    for (size_t i = 0; i < s.len; i++) {
        if (!is_blank(s.ptr[i]))
            out_char(o, s.ptr[i]);
        else if (!is_blank(s.ptr[i - 1]))
            out_char(o, ' ');
    }
}

/* ---- hosts, users, URIs ---- */

static const char *kind_of_ip4(const uint8_t ip[4])
{
    if (ip[0] == 0)
        return "<no address>";
    if (ip[0] == 127)
        return "<loopback>";
    if (ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168) ||
        (ip[0] == 169 && ip[1] == 254))
        return "<private>";
    if (ip[0] == 100 && (ip[1] & 0xc0) == 64)
        return "<shared>";
    return "<public>";
}

static const char *kind_of_ip(const struct address *a)
{
    if (a->family == 4)
        return kind_of_ip4(a->ip);
    if ((a->ip[0] & 0xfe) == 0xfc || (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80))
        return "<private ipv6>";
    return "<ipv6>";
}

static void host_kind(struct out *o, slice host)
{
    struct address a;

    if (address_parse_ip(host, &a))
        out_text(o, slice_of_string(kind_of_ip(&a)));
    else
        lower(o, host);
}

/* How a number is written, or that it is a name. */
static void user_kind(struct out *o, slice user)
{
    slice rest = user, digits = slice_take_until(&rest, ';');
    bool number = digits.len > 0;

    for (size_t i = 0; i < digits.len; i++)
        number &= is_digit(digits.ptr[i]) || (i == 0 && digits.ptr[i] == '+');
    if (!number)
        out_text(o, user.len ? SLICE("<name>") : SLICE(""));
    else if (digits.ptr[0] == '+')
        out_text(o, SLICE("<+number>"));
    else if (slice_starts(digits, SLICE("00")))
        out_text(o, SLICE("<00number>"));
    else
        out_text(o, digits.ptr[0] == '0' ? SLICE("<0number>") : SLICE("<number>"));
    for (; rest.len; slice_take_until(&rest, ';')) {
        rest = slice_skip(rest, 1);
        out_char(o, ';');
        slice name = rest;

        name = slice_take_until(&name, ';');
        lower(o, slice_take_until(&name, '='));
    }
}

/* Parameters: of those that always differ only that they are there. */
static void params(struct out *o, slice text)
{
    static const slice passing[] = {
        SLICE_INIT("tag"), SLICE_INIT("branch"), SLICE_INIT("received"), SLICE_INIT("rport"),
        SLICE_INIT("+sip.instance"), SLICE_INIT("ftag"), SLICE_INIT("did"), SLICE_INIT("gr"),
        SLICE_INIT("alias"), SLICE_INIT("vsf"), SLICE_INIT("vst"), SLICE_INIT("rinstance"),
        SLICE_INIT("line"), SLICE_INIT("icid-value"), SLICE_INIT("utran-cell-id-3gpp"),
    };
    struct sip_param p;

    while (sip_param_next(&text, &p)) {
        out_char(o, ';');
        lower(o, p.name);
        if (!p.has_value || is_one_of(p.name, passing, ARRAY_LEN(passing)))
            continue;
        out_char(o, '=');
        host_kind(o, p.value);
    }
}

static void uri_kind(struct out *o, slice text)
{
    struct sip_uri uri;

    if (!sip_uri_parse(text, &uri)) {
        squeezed(o, text);
        return;
    }
    lower(o, uri.scheme_text);
    out_char(o, ':');
    switch (uri.scheme) {
    case SIP_SCHEME_SIP: case SIP_SCHEME_SIPS:
        user_kind(o, uri.user);
        if (uri.user.ptr)
            out_char(o, '@');
        host_kind(o, uri.host);
        params(o, uri.params);
        break;
    case SIP_SCHEME_TEL:
        user_kind(o, uri.user);
        params(o, uri.params);
        break;
    default:
        squeezed(o, uri.rest);
    }
}

/* ---- headers ---- */

static void name_addrs(struct out *o, slice value)
{
    struct sip_name_addr a;
    bool any = false;

    while (sip_name_addr_next(&value, &a)) {
        out_text(o, any ? SLICE(", <") : SLICE("<"));
        uri_kind(o, a.uri);
        out_char(o, '>');
        params(o, a.params);
        any = true;
    }
}

static void vias(struct out *o, slice value)
{
    struct sip_via v;

    while (sip_via_next(&value, &v)) {
        lower(o, v.transport);
        out_char(o, ' ');
        host_kind(o, v.host);
        params(o, v.params);
        out_char(o, ' ');
    }
}

static void auths(struct out *o, slice value)
{
    struct sip_auth a;

    while (sip_auth_next(&value, &a)) {
        const struct { const char *name; slice value; } stay[] = {
            { " realm=", a.realm }, { " algorithm=", a.algorithm }, { " qop=", a.qop },
        };

        lower(o, a.scheme);
        for (size_t i = 0; i < ARRAY_LEN(stay); i++)
            if (stay[i].value.len) {
                out_text(o, slice_of_string(stay[i].name));
                lower(o, stay[i].value);
            }
        if (a.stale)
            out_text(o, SLICE(" stale"));
    }
}

static void nothing(struct out *o, slice value) { (void)o, (void)value; }

static void (*const canonicals[SIP_HEADER_IDS])(struct out *o, slice value) = {
    [SIP_H_FROM] = name_addrs, [SIP_H_TO] = name_addrs, [SIP_H_CONTACT] = name_addrs,
    [SIP_H_ROUTE] = name_addrs, [SIP_H_RECORD_ROUTE] = name_addrs, [SIP_H_PATH] = name_addrs,
    [SIP_H_SERVICE_ROUTE] = name_addrs, [SIP_H_REFER_TO] = name_addrs,
    [SIP_H_REFERRED_BY] = name_addrs, [SIP_H_DIVERSION] = name_addrs,
    [SIP_H_HISTORY_INFO] = name_addrs, [SIP_H_REMOTE_PARTY_ID] = name_addrs,
    [SIP_H_P_ASSERTED_IDENTITY] = name_addrs, [SIP_H_P_PREFERRED_IDENTITY] = name_addrs,
    [SIP_H_P_CALLED_PARTY_ID] = name_addrs, [SIP_H_REPLY_TO] = name_addrs,
    [SIP_H_VIA] = vias,
    [SIP_H_AUTHORIZATION] = auths, [SIP_H_PROXY_AUTHORIZATION] = auths,
    [SIP_H_WWW_AUTHENTICATE] = auths, [SIP_H_PROXY_AUTHENTICATE] = auths,
    [SIP_H_P_CHARGING_VECTOR] = params, [SIP_H_P_ACCESS_NETWORK_INFO] = params,
    [SIP_H_CALL_ID] = nothing, [SIP_H_CSEQ] = nothing, [SIP_H_DATE] = nothing,
    [SIP_H_TIMESTAMP] = nothing, [SIP_H_CONTENT_LENGTH] = nothing, [SIP_H_SESSION_ID] = nothing,
    [SIP_H_RACK] = nothing, [SIP_H_RSEQ] = nothing, [SIP_H_REPLACES] = nothing,
    [SIP_H_SIP_ETAG] = nothing, [SIP_H_IN_REPLY_TO] = nothing, [SIP_H_TARGET_DIALOG] = nothing,
    [SIP_H_IDENTITY] = nothing, [SIP_H_USER_TO_USER] = nothing,
    [SIP_H_AUTHENTICATION_INFO] = nothing, [SIP_H_PROXY_AUTHENTICATION_INFO] = nothing,
};

void differ_canonical(struct out *o, enum sip_header_id id, slice value)
{
    if (canonicals[id])
        canonicals[id](o, value);
    else
        squeezed(o, value);
}

/* ---- SDP ---- */

static slice take_word(slice *rest)
{
    slice word = slice_take_until(rest, ' ');

    *rest = slice_skip(*rest, 1);
    return word;
}

/* "IN IP4 10.0.0.1" */
static void sdp_address(struct out *o, slice s)
{
    (void)take_word(&s);
    out_text(o, take_word(&s));
    out_char(o, ' ');
    host_kind(o, slice_take_until(&s, '/'));
}

/* The port says only whether the line is refused. */
static void sdp_media_line(struct out *o, slice s)
{
    slice type = take_word(&s), port = take_word(&s);

    out_text(o, type);
    out_text(o, slice_eq(port, SLICE("0")) ? SLICE(" <refused> ") : SLICE(" <port> "));
    squeezed(o, s);
}

static void sdp_attribute(struct out *o, slice s)
{
    static const slice passing[] = {
        SLICE_INIT("ssrc"), SLICE_INIT("ice-ufrag"), SLICE_INIT("ice-pwd"),
        SLICE_INIT("fingerprint"), SLICE_INIT("msid"), SLICE_INIT("ssrc-group"),
        SLICE_INIT("zrtp-hash"), SLICE_INIT("rtcp"), SLICE_INIT("label"),
    };
    slice name = slice_take_until(&s, ':');
    struct sdp_crypto crypto;
    struct sdp_candidate candidate;

    s = slice_skip(s, 1);
    out_text(o, name);
    if (is_one_of(name, passing, ARRAY_LEN(passing)))
        return;
    out_char(o, ':');
    if (slice_eq(name, SLICE("crypto")) && sdp_crypto_parse(s, &crypto)) {
        out_text(o, crypto.suite);
    } else if (slice_eq(name, SLICE("candidate")) && sdp_candidate_parse(s, &candidate)) {
        lower(o, candidate.transport);
        out_char(o, ' ');
        out_text(o, candidate.type);
        out_char(o, ' ');
        host_kind(o, candidate.address);
    } else {
        squeezed(o, s);
    }
}

void differ_canonical_sdp(struct out *o, slice line)
{
    slice value = slice_skip(line, 2);
    char type = line.len > 1 && line.ptr[1] == '=' ? line.ptr[0] : 0;

    out_text(o, slice_head(line, 2));
    switch (type) {
    case 'o':
        (void)take_word(&value), (void)take_word(&value), (void)take_word(&value);
        sdp_address(o, value);
        break;
    case 's': case 't': case 'i': case 'k':
        break;
    case 'c':
        sdp_address(o, value);
        break;
    case 'm':
        sdp_media_line(o, value);
        break;
    case 'a':
        sdp_attribute(o, value);
        break;
    default:
        squeezed(o, value);
    }
}
