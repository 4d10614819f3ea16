/* sip/uri.c - see uri.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/uri.h"

#include "sip/fields.h"
#include "sip/sip_int.h"

static bool scheme_char(char c) { return sip_char_is(c, SIP_C_HOST) || c == '+'; }

static enum sip_scheme scheme_of(slice text)
{
    if (SIP_IS(text, "sip"))
        return SIP_SCHEME_SIP;
    if (SIP_IS(text, "sips"))
        return SIP_SCHEME_SIPS;
    if (SIP_IS(text, "tel"))
        return SIP_SCHEME_TEL;
    return SIP_IS(text, "urn") ? SIP_SCHEME_URN : SIP_SCHEME_OTHER;
}

static bool bad_escape(slice s)
{
    for (slice at = s, tail;; at = slice_skip(tail, 1)) {
        sip_cut_at(at, '%', &tail);
        if (!tail.len)
            return false;
        if (tail.len < 3 || !sip_char_is(tail.ptr[1], SIP_C_HEX) ||
            !sip_char_is(tail.ptr[2], SIP_C_HEX))
            return true;
    }
}

static void note(struct sip_uri *uri, enum sip_flaw_kind kind)
{
    if (uri->flaw == SIP_FLAW_NONE)
        uri->flaw = kind;
}

static void read_port(slice text, struct sip_uri *ret)
{
    uint32_t port;

    if (sip_to_u32(text, &port) && port <= UINT16_MAX)
        ret->port = (uint16_t)port;
    else
        note(ret, SIP_FLAW_URI_BAD);
}

static bool ipv6_char(char c)
{
    return sip_char_is(c, SIP_C_HEX) || c == ':' || c == '.' || c == '%' ||
           sip_char_is(c, SIP_C_HOST);           /* a zone: fe80::1%eth0 */
}

/* hostport = host [ ":" port ] */
static void read_host_port(slice text, struct sip_uri *ret)
{
    slice tail, more;

    if (text.len && text.ptr[0] == '[') {
        slice inside = sip_cut_at(slice_skip(text, 1), ']', &tail);

        ret->host = inside;
        ret->is_ipv6 = true;
        if (!tail.len || !slice_all(inside, ipv6_char))
            note(ret, SIP_FLAW_URI_BAD);
        tail = slice_skip(tail, 1);
        if (tail.len && tail.ptr[0] == ':')
            read_port(slice_skip(tail, 1), ret);
        else if (tail.len)
            note(ret, SIP_FLAW_URI_BAD);
        return;
    }
    ret->host = sip_cut_at(text, ':', &tail);
    sip_cut_at(slice_skip(tail, 1), ':', &more);
    if (more.len) {
        ret->host = text;
        ret->is_ipv6 = true;
        note(ret, SIP_FLAW_IPV6_WITHOUT_BRACKETS);
        return;
    }
    if (tail.len)
        read_port(slice_skip(tail, 1), ret);
    if (!ret->host.len || !sip_all_are(ret->host, SIP_C_HOST))
        note(ret, SIP_FLAW_URI_BAD);
}

/* The scheme and what stands behind its colon. False: there is none. */
static bool cut_scheme(slice text, struct sip_uri *ret)
{
    slice colon, scheme = sip_cut_at(text, ':', &colon);

    ret->scheme = scheme_of(scheme);
    if (!colon.len || (ret->scheme == SIP_SCHEME_OTHER && !slice_all(scheme, scheme_char)))
        return false;
    ret->scheme_text = scheme;
    ret->rest = slice_skip(colon, 1);
    return true;
}

static bool is_sip(const struct sip_uri *uri)
{
    return uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS;
}

/* sip: [ user [ ":" password ] "@" ] hostport *( ";" param ) [ "?" headers ] */
static void read_sip(slice rest, struct sip_uri *ret)
{
    slice at, colon, tail, user = sip_cut_at(rest, '@', &at);

    if (at.len) {
        ret->user = sip_cut_at(user, ':', &colon);
        if (colon.len)
            ret->password = slice_skip(colon, 1);
        if (!ret->user.len || bad_escape(user))
            note(ret, SIP_FLAW_URI_BAD);
        rest = slice_skip(at, 1);
    }
    rest = sip_cut_at(rest, '?', &tail);
    ret->headers = slice_skip(tail, 1);
    read_host_port(sip_cut_at(rest, ';', &ret->params), ret);
    if (bad_escape(ret->params) || bad_escape(ret->headers))
        note(ret, SIP_FLAW_URI_BAD);
}

bool sip_uri_parse(slice text, struct sip_uri *ret)
{
    struct sip_uri uri = { 0 };

    if (!cut_scheme(text, &uri))
        return false;
    if (is_sip(&uri))
        read_sip(uri.rest, &uri);
    else if (uri.scheme == SIP_SCHEME_TEL)
        uri.user = sip_cut_at(uri.rest, ';', &uri.params);
    if (!uri.rest.len)
        note(&uri, SIP_FLAW_URI_BAD);
    else if (slice_find_char(text, ' ') >= 0)
        note(&uri, SIP_FLAW_URI_SPACES);
    *ret = uri;
    return true;
}

slice sip_uri_user(slice text)
{
    struct sip_uri uri;
    slice tail, user;

    if (!cut_scheme(text, &uri))
        return (slice){ 0 };
    if (uri.scheme == SIP_SCHEME_TEL)
        return sip_cut_at(uri.rest, ';', &tail);
    if (!is_sip(&uri))
        return (slice){ 0 };
    user = sip_cut_at(uri.rest, '@', &tail);
    return tail.len ? sip_cut_at(user, ':', &tail) : (slice){ 0 };
}

slice sip_uri_host(slice text)
{
    struct sip_uri uri;

    return sip_uri_parse(text, &uri) ? uri.host : (slice){ 0 };
}

bool sip_uri_header_next(slice *rest, slice *ret_name, slice *ret_value)
{
    slice tail, value;

    if (!rest->len)
        return false;
    slice one = sip_cut_at(*rest, '&', &tail);

    *ret_name = sip_cut_at(one, '=', &value);
    *ret_value = slice_skip(value, 1);
    *rest = slice_skip(tail, 1);
    return true;
}

bool sip_uri_header_find(slice headers, slice name, slice *ret)
{
    slice found, value;

    while (sip_uri_header_next(&headers, &found, &value))
        if (slice_eq_nocase(found, name)) {
            *ret = value;
            return true;
        }
    return false;
}

/* ---- escapes ---- */

static int hex_value(char c) { return is_digit(c) ? c - '0' : ascii_lower(c) - 'a' + 10; }

/* Takes one character; *ret_escaped: it stood there as %hh. `s` is not empty. */
static char take_char(slice *s, bool *ret_escaped)
{
    const char *at = s->ptr;

    *ret_escaped = at[0] == '%' && s->len > 2 && sip_char_is(at[1], SIP_C_HEX) &&
                   sip_char_is(at[2], SIP_C_HEX);
    *s = slice_skip(*s, *ret_escaped ? 3 : 1);
    return *ret_escaped ? (char)(hex_value(at[1]) * 16 + hex_value(at[2])) : at[0];
}

slice sip_unescape(slice s, char *buffer, size_t size)
{
    size_t n = 0;
    bool escaped;

    while (s.len && n < size)
        buffer[n++] = take_char(&s, &escaped);
    return slice_of(buffer, n);
}

slice sip_number_of(slice user, char *buffer, size_t size)
{
    size_t n = 0;
    bool escaped;

    while (user.len) {
        char c = take_char(&user, &escaped);

        if (c == ';')
            break;
        if (c == '(' || c == ')' || c == '-' || c == '.' || c == ' ')
            continue;
        if (!(is_digit(c) || c == '*' || c == '#' || (c == '+' && n == 0)))
            return (slice){ buffer, 0 };
        if (n < size)
            buffer[n++] = c;
    }
    return slice_of(buffer, n);
}

/* ---- comparison ---- */

#define PARTS_MAX 64                 /* parameters or headers; with more, URIs are not the same */

/* Escaped or not is the same, but for the reserved characters (19.1.4). */
static bool same_text(slice a, slice b, bool nocase)
{
    static const slice reserved = SLICE(";/?:@&=+$,");

    while (a.len && b.len) {
        bool a_escaped, b_escaped;
        char x = take_char(&a, &a_escaped), y = take_char(&b, &b_escaped);

        if (x != y && !(nocase && ascii_lower(x) == ascii_lower(y)))
            return false;
        if (a_escaped != b_escaped && slice_find_char(reserved, x) >= 0)
            return false;
    }
    return !a.len && !b.len;
}

/* Every parameter of `a` that `b` has too is the same there, and those that must stand in
 * both or in none do. */
static bool params_fit(slice a, slice b)
{
    int left = PARTS_MAX;
    static const slice in_both[] = {
        SLICE("user"), SLICE("ttl"), SLICE("method"), SLICE("maddr"), SLICE("transport"),
    };
    struct sip_param param;
    slice other;

    while (sip_param_next(&a, &param)) {
        if (left-- == 0)
            return false;
        if (!param.name.len)
            continue;
        if (sip_param_find(b, param.name, &other)) {
            if (!same_text(param.value, other, true))
                return false;
            continue;
        }
        for (size_t i = 0; i < ARRAY_LEN(in_both); i++)
            if (slice_eq_nocase(param.name, in_both[i]))
                return false;
    }
    return true;
}

/* Every header of `a` stands in `b`. */
static bool headers_fit(slice a, slice b)
{
    int left = PARTS_MAX;
    slice name, value, other;

    while (sip_uri_header_next(&a, &name, &value))
        if (left-- == 0 || !sip_uri_header_find(b, name, &other) || !same_text(value, other, false))
            return false;
    return true;
}

static bool same_sip(const struct sip_uri *a, const struct sip_uri *b)
{
    return !a->user.ptr == !b->user.ptr && same_text(a->user, b->user, false) &&
           !a->password.ptr == !b->password.ptr && same_text(a->password, b->password, false) &&
           slice_eq_nocase(a->host, b->host) && a->port == b->port &&
           params_fit(a->params, b->params) && params_fit(b->params, a->params) &&
           headers_fit(a->headers, b->headers) && headers_fit(b->headers, a->headers);
}

/* Next character of a number that counts, or 0. */
static char take_dialled(slice *s)
{
    bool escaped;

    while (s->len) {
        char c = take_char(s, &escaped);

        if (c != '-' && c != '.' && c != '(' && c != ')')
            return ascii_lower(c);
    }
    return 0;
}

static bool has_params_of(slice a, slice b)
{
    int left = PARTS_MAX;
    struct sip_param param;
    slice other;

    while (sip_param_next(&a, &param))
        if (left-- == 0 || (param.name.len && (!sip_param_find(b, param.name, &other) ||
                                               !same_text(param.value, other, true))))
            return false;
    return true;
}

static bool same_tel(const struct sip_uri *a, const struct sip_uri *b)
{
    slice x = a->user, y = b->user;
    char c;

    do {
        c = take_dialled(&x);
        if (c != take_dialled(&y))
            return false;
    } while (c);
    return has_params_of(a->params, b->params) && has_params_of(b->params, a->params);
}

bool sip_uri_same(slice a, slice b)
{
    struct sip_uri x, y;

    if (!sip_uri_parse(a, &x) || !sip_uri_parse(b, &y))
        return false;
    if (!slice_eq_nocase(x.scheme_text, y.scheme_text))
        return false;
    switch (x.scheme) {
    case SIP_SCHEME_SIP:
    case SIP_SCHEME_SIPS: return same_sip(&x, &y);
    case SIP_SCHEME_TEL:  return same_tel(&x, &y);
    default:              return slice_eq(x.rest, y.rest);
    }
}
