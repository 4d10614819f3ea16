/* mask/text.c - the start line and the headers of a message; see text.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mask/letters.h"
#include "mask/text_int.h"
#include "sip/uri.h"

struct mask_text *mask_text_new(const struct mask_key *key)
{
    struct mask_text *t = calloc(1, sizeof *t);

    if (t)
        t->key = *key;
    return t;
}

void mask_text_keep_call_ids(struct mask_text *t) { t->keep_call_ids = true; }

struct mask_text *mask_text_free(struct mask_text *t)
{
    free(t);
    return NULL;
}

static bool is_in(slice word, const slice *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(word, list[i]))
            return true;
    return false;
}

/* ---- users ----------------------------------------------------------------------------------- */

/* Digits, with what people write between them. */
static bool is_number(slice s)
{
    size_t digits = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (is_digit(s.ptr[i])) {
            digits++;
        } else if (slice_starts_nocase(slice_skip(s, i), SLICE("%2B")) && digits == 0) {
            i += 2;
        } else if (!memchr("+-.() *#", s.ptr[i], 8)) {
            return false;
        }
    }
    return digits > 0;
}

/* Names that say that there is none. */
static bool is_nobody(slice s)
{
    static const slice nobody[] = { SLICE_INIT("anonymous"), SLICE_INIT("unknown"),
                                    SLICE_INIT("restricted"), SLICE_INIT("unavailable") };

    return is_in(s, nobody, ARRAY_LEN(nobody));
}

static void mask_params(struct mask_text *t, slice params);

void mask_user(struct mask_text *t, slice s)
{
    slice user = slice_take_until(&s, ';');

    if (is_number(user))
        mask_number(&t->key, mask_own(user), user.len);
    else if (!is_nobody(user))
        mask_words(&t->key, mask_own(user), user.len);
    mask_params(t, s);
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* Values that are protocol: never a number of a subscriber, whatever their digits. */
static bool param_stays(slice name)
{
    static const slice staying[] = {
        SLICE_INIT("rport"), SLICE_INIT("expires"), SLICE_INIT("ttl"), SLICE_INIT("q"),
        SLICE_INIT("cause"), SLICE_INIT("index"), SLICE_INIT("reg-id"), SLICE_INIT("keep"),
        SLICE_INIT("transport"), SLICE_INIT("user"), SLICE_INIT("method"), SLICE_INIT("lr"),
        SLICE_INIT("ob"), SLICE_INIT("comp"), SLICE_INIT("reason"), SLICE_INIT("privacy"),
        SLICE_INIT("screen"), SLICE_INIT("party"), SLICE_INIT("counter"), SLICE_INIT("limit"),
        SLICE_INIT("cpc"), SLICE_INIT("oli"), SLICE_INIT("npdi"), SLICE_INIT("refresher"),
        SLICE_INIT("port-c"), SLICE_INIT("port-s"), SLICE_INIT("spi-c"), SLICE_INIT("spi-s"),
        SLICE_INIT("alg"), SLICE_INIT("ealg"), SLICE_INIT("mod"), SLICE_INIT("prot"),
        SLICE_INIT("nat"), SLICE_INIT("verstat"), SLICE_INIT("purpose"), SLICE_INIT("handling"),
    };

    return is_in(name, staying, ARRAY_LEN(staying));
}

static bool param_is_host(slice name)
{
    static const slice hosts[] = {
        SLICE_INIT("received"), SLICE_INIT("maddr"), SLICE_INIT("phone-context"),
        SLICE_INIT("orig-ioi"), SLICE_INIT("term-ioi"), SLICE_INIT("icid-generated-at"),
        SLICE_INIT("realm"), SLICE_INIT("tgrp-context"), SLICE_INIT("trunk-context"),
    };

    return is_in(name, hosts, ARRAY_LEN(hosts));
}

/* Subscribers, devices and places by another name. */
static bool param_is_private(slice name)
{
    static const slice privates[] = {
        SLICE_INIT("isub"), SLICE_INIT("ext"), SLICE_INIT("postd"), SLICE_INIT("cn"),
        SLICE_INIT("cgi-3gpp"), SLICE_INIT("utran-cell-id-3gpp"), SLICE_INIT("gstn-location"),
        SLICE_INIT("local-time-zone"), SLICE_INIT("i-wlan-node-id"), SLICE_INIT("bssid"),
        SLICE_INIT("ci-3gpp2"), SLICE_INIT("utran-sai-3gpp"), SLICE_INIT("dsl-location"),
        SLICE_INIT("fiber-location"), SLICE_INIT("eth-location"), SLICE_INIT("ue-ip"),
        SLICE_INIT("ue-port"), SLICE_INIT("gr"), SLICE_INIT("+sip.instance"),
        SLICE_INIT("sip.instance"), SLICE_INIT("operator-specific-gi"), SLICE_INIT("gci"),
        SLICE_INIT("ci-3gpp2-femto"), SLICE_INIT("vsf"), SLICE_INIT("vst"),
        SLICE_INIT("inline"), SLICE_INIT("passwd"), SLICE_INIT("password"), SLICE_INIT("rn"),
        SLICE_INIT("cic"), SLICE_INIT("tgrp"),
    };

    return is_in(name, privates, ARRAY_LEN(privates));
}

/* "+g.3gpp.icsi-ref": what a device can do (RFC 3840). */
static bool is_feature(slice name)
{
    return !slice_eq_nocase(name, SLICE("+sip.instance")) && !slice_eq_nocase(name, SLICE("sip.instance")) &&
           (slice_starts_nocase(name, SLICE("+g.")) || slice_starts_nocase(name, SLICE("g.")) ||
            slice_starts_nocase(name, SLICE("+sip.")) || slice_starts_nocase(name, SLICE("sip.")));
}

static void mask_host_or_number(struct mask_text *t, slice s)
{
    if (s.len && (s.ptr[0] == '+' || s.ptr[0] == '%'))
        mask_number(&t->key, mask_own(s), s.len);
    else
        mask_host(&t->key, mask_own(s), s.len);
}

/* The part of a device's name that tells one from another. */
static void mask_private(struct mask_text *t, slice s)
{
    static const slice kinds[] = {
        SLICE_INIT("<urn:uuid:"), SLICE_INIT("<urn:gsma:imei:"), SLICE_INIT("urn:uuid:"),
        SLICE_INIT("urn:gsma:imei:"),
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (slice_starts_nocase(s, kinds[i])) {
            s = slice_skip(s, kinds[i].len);
            break;
        }
    if (is_number(s) && s.len > MASK_NUMBER_SHORT)
        mask_number(&t->key, mask_own(s), s.len);
    else
        mask_blob(&t->key, mask_own(s), s.len);
}

static slice unquoted(slice s)
{
    s = slice_trim(s);
    if (s.len && s.ptr[0] == '"') {
        s = slice_skip(s, 1);
        if (s.len && s.ptr[s.len - 1] == '"')
            s.len--;
    }
    return s;
}

/* A URI that leads to somebody, also in < >. */
static bool mask_dialled(struct mask_text *t, slice s)
{
    static const slice schemes[] = { SLICE_INIT("sip:"), SLICE_INIT("sips:"), SLICE_INIT("tel:") };

    if (s.len && s.ptr[0] == '<')
        s = slice_skip(s, 1), s = slice_take_until(&s, '>');
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (slice_starts_nocase(s, schemes[i])) {
            mask_uri(t, s);
            return true;
        }
    return false;
}

static void mask_param(struct mask_text *t, slice name, slice value)
{
    bool quoted = slice_trim(value).len && slice_trim(value).ptr[0] == '"';

    name = slice_trim(name);
    value = unquoted(value);
    if (param_stays(name))
        return;
    if (slice_eq_nocase(name, SLICE("branch")) && slice_starts_nocase(value, SLICE("z9hG4bK")))
        value = slice_skip(value, 7);     /* RFC 3261 8.1.1.7 */
    if (mask_dialled(t, value) || is_feature(name))
        return;
    if (param_is_private(name))
        mask_private(t, value);
    else if (slice_eq_nocase(name, SLICE("filename")))
        mask_all_words(t, value);
    else if (param_is_host(name))
        mask_host_or_number(t, value);
    else
        mask_sweep(t, value, quoted && !slice_eq_nocase(name, SLICE("icid-value")) ? MASK_SWEEP_FREE
                                                                                   : MASK_SWEEP_ID);
    if (name.len > 16)
        mask_sweep(t, name, MASK_SWEEP_FREE);     /* no parameter of any standard */
}

/* The length up to `stop` outside of quotes and < >. */
static size_t upto(slice s, char stop)
{
    bool quoted = false, angle = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '<') {
            angle = true;
        } else if (c == '>') {
            angle = false;
        } else if (c == stop && !angle) {
            return i;
        }
    }
    return s.len;
}

static void mask_params(struct mask_text *t, slice params)
{
    while (params.len) {
        slice one = slice_head(params, upto(params, ';')), name;

        params = slice_skip(params, one.len + 1);
        name = slice_take_until(&one, '=');
        mask_param(t, name, slice_skip(one, 1));
    }
}

/* ---- URIs ------------------------------------------------------------------------------------ */

/* "callid%40host%3Bto-tag%3Dx": the Call-ID in a URI is the one that its own dialog has. */
static void mask_escaped_replaces(struct mask_text *t, slice s)
{
    ptrdiff_t end = slice_find_nocase(s, SLICE("%3B")), host;
    slice id = slice_head(s, end < 0 ? s.len : (size_t)end);

    host = slice_find(id, SLICE("%40"));
    mask_sweep(t, slice_skip(s, id.len), MASK_SWEEP_ID);
    if (host < 0) {
        mask_call_id(t, mask_own(id), id.len);
        return;
    }
    if (t->keep_call_ids)
        return;
    mask_call_id(t, mask_own(id), (size_t)host);
    mask_host(&t->key, mask_own(id) + host + 3, id.len - (size_t)host - 3);
}

static void mask_uri_headers(struct mask_text *t, slice headers)
{
    while (headers.len) {
        slice one = slice_take_until(&headers, '&'), name = slice_take_until(&one, '=');

        headers = slice_skip(headers, 1);
        one = slice_skip(one, 1);
        if (slice_eq_nocase(name, SLICE("Replaces")))
            mask_escaped_replaces(t, one);
        else if (slice_eq_nocase(name, SLICE("Subject")) || slice_eq_nocase(name, SLICE("body")))
            mask_words(&t->key, mask_own(one), one.len);
        else
            mask_sweep(t, one, MASK_SWEEP_FREE);
    }
}

static void mask_sip_uri(struct mask_text *t, const struct sip_uri *uri)
{
    mask_user(t, uri->user);
    if (uri->password.len)
        mask_blob(&t->key, mask_own(uri->password), uri->password.len);
    mask_host(&t->key, mask_own(uri->host), uri->host.len);
    mask_params(t, uri->params);
    mask_uri_headers(t, uri->headers);
}

static bool urn_stays(slice rest)
{
    return slice_starts_nocase(rest, SLICE("service:")) || slice_starts_nocase(rest, SLICE("urn-")) ||
           slice_starts_nocase(rest, SLICE("ietf:"));
}

static bool is_scheme(slice s)
{
    static const slice schemes[] = {
        SLICE_INIT("http"), SLICE_INIT("https"), SLICE_INIT("ws"), SLICE_INIT("wss"), SLICE_INIT("ftp"),
        SLICE_INIT("mailto"), SLICE_INIT("im"), SLICE_INIT("pres"), SLICE_INIT("xmpp"), SLICE_INIT("msrp"),
        SLICE_INIT("msrps"), SLICE_INIT("h323"), SLICE_INIT("geo"), SLICE_INIT("data"), SLICE_INIT("aaa"),
        SLICE_INIT("aaas"), SLICE_INIT("fax"), SLICE_INIT("modem"),
    };

    return is_in(s, schemes, ARRAY_LEN(schemes));
}

/* What no parser understood is masked word by word, but for its scheme if that is one. */
void mask_uri(struct mask_text *t, slice s)
{
    struct sip_uri uri;

    s = slice_trim(s);
    if (slice_eq(s, SLICE("*")) || s.len == 0)
        return;
    if (!sip_uri_parse(s, &uri)) {
        mask_all_words(t, s);
        return;
    }
    switch (uri.scheme) {
    case SIP_SCHEME_SIP: case SIP_SCHEME_SIPS: {
        /* the port and nothing else may stand between what was cut */
        slice covered = slice_of(uri.rest.ptr, uri.rest.len);

        if (uri.host.len == 0) {
            mask_all_words(t, covered);
            return;
        }
        slice behind = slice_skip(covered, (size_t)(uri.host.ptr + uri.host.len - covered.ptr));
        size_t port = 0;

        while (port < behind.len && behind.ptr[port] != ';' && behind.ptr[port] != '?')
            port++;
        mask_sweep(t, slice_head(behind, port > 8 ? port : 0), MASK_SWEEP_FREE);
        mask_sip_uri(t, &uri);
        return;
    }
    case SIP_SCHEME_TEL:
        mask_user(t, uri.rest);
        return;
    case SIP_SCHEME_URN:
        if (!urn_stays(uri.rest))
            mask_private(t, s);
        return;
    default:
        if (slice_eq_nocase(uri.scheme_text, SLICE("cid")))
            mask_sweep(t, uri.rest, MASK_SWEEP_FREE);      /* as in Content-ID */
        else
            mask_all_words(t, is_scheme(uri.scheme_text) ? uri.rest : s);
    }
}

/* ---- addresses with names ---------------------------------------------------------------------- */

static void mask_name_addr(struct mask_text *t, slice s)
{
    ptrdiff_t open = -1;
    bool quoted = false;

    for (size_t i = 0; i < s.len && open < 0; i++) {
        if (s.ptr[i] == '\\' && quoted)
            i++;
        else if (s.ptr[i] == '"')
            quoted = !quoted;
        else if (s.ptr[i] == '<' && !quoted)
            open = (ptrdiff_t)i;
    }
    if (open >= 0) {
        slice display = slice_trim(slice_head(s, (size_t)open)), rest = slice_skip(s, (size_t)open + 1);
        slice uri = slice_take_until(&rest, '>');

        if (!is_nobody(unquoted(display)))
            mask_all_words(t, display);
        mask_uri(t, uri);
        mask_params(t, slice_skip(rest, 1));
        return;
    }
    /* addr-spec: parameters belong to the header (20.10) */
    mask_uri(t, slice_take_until(&s, ';'));
    mask_params(t, s);
}

void mask_name_addrs(struct mask_text *t, slice s)
{
    while (s.len) {
        slice one = slice_head(s, upto(s, ','));

        s = slice_skip(s, one.len + 1);
        mask_name_addr(t, slice_trim(one));
    }
}

/* ---- headers of other forms -------------------------------------------------------------------- */

static void mask_via_one(struct mask_text *t, slice s)
{
    slice sent = slice_head(s, upto(s, ';'));
    ptrdiff_t slash = slice_find_char(sent, '/'), second;
    slice host = sent;

    mask_params(t, slice_skip(s, sent.len));
    second = slash < 0 ? -1 : slice_find_char(slice_skip(sent, (size_t)slash + 1), '/');
    if (second >= 0) {                    /* SIP / 2.0 / UDP host */
        host = slice_skip(sent, (size_t)(slash + second) + 2);
        host = slice_trim(host);
        while (host.len && !is_blank(host.ptr[0]))
            host = slice_skip(host, 1);
    }
    host = slice_trim(host);
    if (host.len && host.ptr[0] == '[') {
        ptrdiff_t end = slice_find_char(host, ']');

        host = slice_head(host, end < 0 ? host.len : (size_t)end + 1);
    } else {
        host = slice_take_until(&host, ':');
    }
    mask_host(&t->key, mask_own(host), slice_trim(host).len);
}

static void mask_via(struct mask_text *t, slice s)
{
    while (s.len) {
        slice one = slice_head(s, upto(s, ','));

        s = slice_skip(s, one.len + 1);
        mask_via_one(t, slice_trim(one));
    }
}

void mask_call_id(struct mask_text *t, char *at, size_t len)
{
    slice rest = slice_of(at, len), local = slice_take_until(&rest, '@');

    if (t->keep_call_ids)
        return;
    mask_sweep(t, local, MASK_SWEEP_CALL_ID);
    if (rest.len)
        mask_host(&t->key, mask_own(rest) + 1, rest.len - 1);
}

/* "callid;to-tag=..;from-tag=..", also a list of Call-IDs. */
static void mask_dialog(struct mask_text *t, slice s)
{
    while (s.len) {
        slice one = slice_head(s, upto(s, ',')), id;

        s = slice_skip(s, one.len + 1);
        one = slice_trim(one);
        id = slice_trim(slice_take_until(&one, ';'));
        mask_call_id(t, mask_own(id), id.len);
        mask_params(t, one);
    }
}

/* Credentials and challenges (RFC 3261, 22; RFC 8760). */
static void mask_auth_param(struct mask_text *t, slice name, slice value)
{
    static const slice staying[] = { SLICE_INIT("nc"), SLICE_INIT("qop"), SLICE_INIT("algorithm"),
                                     SLICE_INIT("stale"), SLICE_INIT("integrity-protected") };

    value = unquoted(value);
    if (is_in(name, staying, ARRAY_LEN(staying)) || value.len == 0)
        return;
    if (slice_eq_nocase(name, SLICE("uri"))) {
        mask_uri(t, value);
    } else if (slice_eq_nocase(name, SLICE("realm"))) {
        mask_host(&t->key, mask_own(value), value.len);
    } else if (slice_eq_nocase(name, SLICE("username"))) {
        slice user = slice_take_until(&value, '@');

        mask_user(t, user);
        if (value.len)
            mask_host(&t->key, mask_own(value) + 1, value.len - 1);
    } else if (slice_eq_nocase(name, SLICE("domain"))) {
        mask_sweep(t, value, MASK_SWEEP_FREE);
    } else {
        mask_blob(&t->key, mask_own(value), value.len);
    }
}

static void mask_auth(struct mask_text *t, slice s)
{
    bool first = true;

    while (s.len) {
        slice one = slice_head(s, upto(s, ',')), name;

        s = slice_skip(s, one.len + 1);
        one = slice_trim(one);
        name = slice_trim(slice_take_until(&one, '='));
        slice behind = one;

        while (slice_take_char(&behind, '='))
            ;
        if (!behind.len) {                /* a scheme with a token: "Basic Ym9i...==" */
            slice token = name;

            (void)slice_take_until(&token, ' ');
            mask_blob(&t->key, mask_own(token), token.len);
            continue;
        }
        if (first)
            for (size_t i = name.len; i > 0; i--)
                if (is_blank(name.ptr[i - 1])) {
                    name = slice_skip(name, i);
                    break;
                }
        first = false;
        mask_auth_param(t, name, slice_skip(one, 1));
    }
}

/* 307 host "text": the code stays. */
static void mask_warning(struct mask_text *t, slice s)
{
    while (s.len) {
        slice one = slice_head(s, upto(s, ','));

        s = slice_skip(s, one.len + 1);
        one = slice_trim(one);
        (void)slice_take_until(&one, ' ');
        one = slice_trim(one);
        slice agent = slice_take_until(&one, ' '), copy = agent;
        slice host = agent.len && agent.ptr[0] == '[' ? agent : slice_take_until(&copy, ':');

        mask_host(&t->key, mask_own(host), host.len);
        mask_sweep(t, one, MASK_SWEEP_FREE);
    }
}

/* 18000;duration=3600 (at lunch): only the comment is somebody's. */
static void mask_retry(struct mask_text *t, slice s)
{
    (void)slice_take_until(&s, '(');
    mask_all_words(t, slice_take_until(&s, ')'));
}

static void mask_words_of(struct mask_text *t, slice s) { mask_all_words(t, s); }
static void mask_product(struct mask_text *t, slice s) { mask_sweep(t, s, MASK_SWEEP_PRODUCT); }
static void mask_free(struct mask_text *t, slice s) { mask_sweep(t, s, MASK_SWEEP_FREE); }
static void mask_secret(struct mask_text *t, slice s) { mask_blob(&t->key, mask_own(s), s.len); }
static void mask_id(struct mask_text *t, slice s) { mask_call_id(t, mask_own(s), s.len); }
static void mask_nothing(struct mask_text *t, slice s) { (void)t, (void)s; }

/* A token, then parameters that may tell where somebody is. */
static void mask_token_params(struct mask_text *t, slice s)
{
    while (s.len) {
        slice one = slice_head(s, upto(s, ','));

        s = slice_skip(s, one.len + 1);
        (void)slice_take_until(&one, ';');
        mask_params(t, one);
    }
}

static void mask_hosts(struct mask_text *t, slice s)
{
    while (s.len) {
        slice one = slice_head(s, upto(s, ',')), host;

        s = slice_skip(s, one.len + 1);
        host = unquoted(slice_take_until(&one, ';'));
        mask_host(&t->key, mask_own(host), host.len);
        mask_params(t, one);
    }
}

/* 32 hexadecimal digits that nobody gave a meaning (RFC 7989), of this side and of the other;
 * before there was a standard it could be anything. */
static void mask_session_id(struct mask_text *t, slice s)
{
    for (slice one; s.len; s = slice_skip(s, 1)) {
        one = slice_take_until(&s, ';');
        ptrdiff_t equal = slice_find_char(one, '=');
        slice id = slice_trim(slice_skip(one, (size_t)(equal + 1)));
        size_t hex = 0;

        while (hex < id.len && is_hex(id.ptr[hex]))
            hex++;
        if (hex != 32 || id.len != 32)
            mask_call_id(t, mask_own(id), id.len);
    }
}

/* "icid-value=..;orig-ioi=..": parameters from the first byte on. */
static void mask_vector(struct mask_text *t, slice s) { mask_params(t, s); }

static void (*const header_masks[SIP_HEADER_IDS])(struct mask_text *t, slice value) = {
    [SIP_H_FROM] = mask_name_addrs, [SIP_H_TO] = mask_name_addrs, [SIP_H_CONTACT] = mask_name_addrs,
    [SIP_H_ROUTE] = mask_name_addrs, [SIP_H_RECORD_ROUTE] = mask_name_addrs,
    [SIP_H_PATH] = mask_name_addrs, [SIP_H_SERVICE_ROUTE] = mask_name_addrs,
    [SIP_H_REPLY_TO] = mask_name_addrs, [SIP_H_REFER_TO] = mask_name_addrs,
    [SIP_H_REFERRED_BY] = mask_name_addrs, [SIP_H_DIVERSION] = mask_name_addrs,
    [SIP_H_HISTORY_INFO] = mask_name_addrs, [SIP_H_REMOTE_PARTY_ID] = mask_name_addrs,
    [SIP_H_P_ASSERTED_IDENTITY] = mask_name_addrs, [SIP_H_P_PREFERRED_IDENTITY] = mask_name_addrs,
    [SIP_H_P_CALLED_PARTY_ID] = mask_name_addrs, [SIP_H_P_ASSOCIATED_URI] = mask_name_addrs,
    [SIP_H_P_SERVED_USER] = mask_name_addrs, [SIP_H_P_DCS_TRACE_PARTY_ID] = mask_name_addrs,
    [SIP_H_P_DCS_REDIRECT] = mask_name_addrs, [SIP_H_P_REFUSED_URI_LIST] = mask_name_addrs,
    [SIP_H_P_USER_DATABASE] = mask_name_addrs, [SIP_H_ADDITIONAL_IDENTITY] = mask_name_addrs,
    [SIP_H_ALERT_INFO] = mask_name_addrs, [SIP_H_CALL_INFO] = mask_name_addrs,
    [SIP_H_ERROR_INFO] = mask_name_addrs, [SIP_H_GEOLOCATION] = mask_name_addrs,
    [SIP_H_POLICY_CONTACT] = mask_name_addrs, [SIP_H_TRIGGER_CONSENT] = mask_name_addrs,
    [SIP_H_PERMISSION_MISSING] = mask_name_addrs, [SIP_H_IDENTITY_INFO] = mask_name_addrs,
    [SIP_H_VIA] = mask_via,
    [SIP_H_CALL_ID] = mask_id,
    [SIP_H_REPLACES] = mask_dialog, [SIP_H_JOIN] = mask_dialog, [SIP_H_TARGET_DIALOG] = mask_dialog,
    [SIP_H_IN_REPLY_TO] = mask_dialog,
    [SIP_H_AUTHORIZATION] = mask_auth, [SIP_H_PROXY_AUTHORIZATION] = mask_auth,
    [SIP_H_WWW_AUTHENTICATE] = mask_auth, [SIP_H_PROXY_AUTHENTICATE] = mask_auth,
    [SIP_H_AUTHENTICATION_INFO] = mask_auth, [SIP_H_PROXY_AUTHENTICATION_INFO] = mask_auth,
    [SIP_H_WARNING] = mask_warning,
    [SIP_H_USER_AGENT] = mask_product, [SIP_H_SERVER] = mask_product,
    [SIP_H_SUBJECT] = mask_words_of, [SIP_H_ORGANIZATION] = mask_words_of,
    [SIP_H_IDENTITY] = mask_secret, [SIP_H_USER_TO_USER] = mask_secret,
    [SIP_H_RESPONSE_KEY] = mask_secret, [SIP_H_ENCRYPTION] = mask_secret,
    [SIP_H_P_MEDIA_AUTHORIZATION] = mask_secret, [SIP_H_P_DCS_LAES] = mask_secret,
    [SIP_H_P_DCS_BILLING_INFO] = mask_secret, [SIP_H_DC_INFO] = mask_secret,
    [SIP_H_ORIGINATION_ID] = mask_secret, [SIP_H_RELAYED_CHARGE] = mask_secret,
    [SIP_H_P_ACCESS_NETWORK_INFO] = mask_token_params,
    [SIP_H_CELLULAR_NETWORK_INFO] = mask_token_params,
    [SIP_H_P_CHARGING_VECTOR] = mask_vector,
    [SIP_H_P_CHARGING_FUNCTION_ADDRESSES] = mask_free,
    [SIP_H_P_VISITED_NETWORK_ID] = mask_hosts, [SIP_H_P_PRIVATE_NETWORK_INDICATION] = mask_hosts,
    [SIP_H_CSEQ] = mask_nothing, [SIP_H_RACK] = mask_nothing, [SIP_H_RSEQ] = mask_nothing,
    [SIP_H_DATE] = mask_nothing, [SIP_H_MAX_FORWARDS] = mask_nothing,
    [SIP_H_CONTENT_LENGTH] = mask_nothing, [SIP_H_CONTENT_TYPE] = mask_nothing,
    [SIP_H_CONTENT_ENCODING] = mask_nothing, [SIP_H_EXPIRES] = mask_nothing,
    [SIP_H_MIN_EXPIRES] = mask_nothing, [SIP_H_SESSION_EXPIRES] = mask_nothing,
    [SIP_H_MIN_SE] = mask_nothing, [SIP_H_ALLOW] = mask_nothing, [SIP_H_SUPPORTED] = mask_nothing,
    [SIP_H_REQUIRE] = mask_nothing, [SIP_H_PROXY_REQUIRE] = mask_nothing,
    [SIP_H_UNSUPPORTED] = mask_nothing, [SIP_H_ACCEPT] = mask_nothing,
    [SIP_H_ACCEPT_ENCODING] = mask_nothing, [SIP_H_ACCEPT_LANGUAGE] = mask_nothing,
    [SIP_H_ALLOW_EVENTS] = mask_nothing, [SIP_H_TIMESTAMP] = mask_nothing,
    [SIP_H_RETRY_AFTER] = mask_retry, [SIP_H_PRIVACY] = mask_nothing,
    [SIP_H_PRIORITY] = mask_nothing, [SIP_H_SUBSCRIPTION_STATE] = mask_nothing,
    [SIP_H_P_EARLY_MEDIA] = mask_nothing, [SIP_H_SECURITY_CLIENT] = mask_nothing,
    [SIP_H_SECURITY_SERVER] = mask_nothing, [SIP_H_SECURITY_VERIFY] = mask_nothing,
    [SIP_H_SESSION_ID] = mask_session_id, [SIP_H_ACCEPT_CONTACT] = mask_token_params,
    [SIP_H_REJECT_CONTACT] = mask_token_params, [SIP_H_FEATURE_CAPS] = mask_token_params,
    [SIP_H_P_ASSERTED_SERVICE] = mask_nothing, [SIP_H_P_PREFERRED_SERVICE] = mask_nothing,
    [SIP_H_REQUEST_DISPOSITION] = mask_nothing, [SIP_H_CONTENT_DISPOSITION] = mask_token_params,
    [SIP_H_RESOURCE_PRIORITY] = mask_nothing, [SIP_H_MIME_VERSION] = mask_nothing,
    [SIP_H_CONTENT_LANGUAGE] = mask_nothing, [SIP_H_INFO_PACKAGE] = mask_nothing,
    [SIP_H_RECV_INFO] = mask_nothing, [SIP_H_MAX_BREADTH] = mask_nothing,
    [SIP_H_ANSWER_MODE] = mask_nothing, [SIP_H_FLOW_TIMER] = mask_nothing,
    [SIP_H_REFER_SUB] = mask_nothing, [SIP_H_SIP_ETAG] = mask_id, [SIP_H_SIP_IF_MATCH] = mask_id,
    /* the rest, known or not, is swept */
};

/* ---- the message ----------------------------------------------------------------------------- */

static slice value_of(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_find(m, id);

    return h ? h->value : (slice){0};
}

/* Users and names of known places, before anything is changed: other headers may repeat them. */
static void learn_addr(struct mask_text *t, slice value)
{
    ptrdiff_t open = slice_find_char(value, '<');
    slice display = slice_head(value, open < 0 ? 0 : (size_t)open);
    slice uri = slice_skip(value, open < 0 ? 0 : (size_t)open + 1);
    slice rest = uri, user;

    (void)slice_take_until(&rest, ':');
    rest = slice_skip(rest, 1);
    user = slice_starts_nocase(uri, SLICE("tel:")) ? rest : slice_take_until(&rest, '@');
    if (!slice_starts_nocase(uri, SLICE("tel:")) && !rest.len)
        user.len = 0;                     /* no '@': no user */
    user = slice_take_until(&user, ';');
    user = slice_take_until(&user, '>');
    if (!is_nobody(user))
        mask_remember(t, user);
    if (!is_nobody(unquoted(display)))
        mask_remember(t, display);
}

static void learn(struct mask_text *t, const struct sip_message *m)
{
    static const enum sip_header_id places[] = {
        SIP_H_FROM, SIP_H_TO, SIP_H_P_ASSERTED_IDENTITY, SIP_H_P_PREFERRED_IDENTITY, SIP_H_CONTACT,
        SIP_H_REMOTE_PARTY_ID, SIP_H_DIVERSION, SIP_H_REFER_TO, SIP_H_REFERRED_BY,
        SIP_H_P_CALLED_PARTY_ID, SIP_H_HISTORY_INFO, SIP_H_P_SERVED_USER,
    };

    static const enum sip_header_id hosts[] = { SIP_H_VIA, SIP_H_CONTACT, SIP_H_FROM, SIP_H_TO };

    learn_addr(t, m->uri);
    mask_remember_addresses(t, m->uri);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        for (const struct sip_header *h = sip_header_find(m, hosts[i]); h; h = sip_header_next(m, h))
            mask_remember_addresses(t, h->value);
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        for (const struct sip_header *h = sip_header_find(m, places[i]); h; h = sip_header_next(m, h))
            learn_addr(t, h->value);
}

void mask_header_value(struct mask_text *t, enum sip_header_id id, slice value)
{
    void (*mask)(struct mask_text *, slice) = header_masks[id];

    (mask ? mask : mask_free)(t, value);
}

/* Lines that are no header, and what stands between the pieces of one. */
static void mask_between(struct mask_text *t, const char *from, const char *to)
{
    if (to > from)
        mask_all_words(t, slice_of(from, (size_t)(to - from)));
}

/* What the parser made no header of is masked word by word. */
static void mask_gaps(struct mask_text *t, const struct sip_message *m, slice start_line)
{
    const char *at = start_line.ptr + start_line.len;
    const char *end = m->body.ptr && m->body.len ? m->body.ptr : m->all.ptr + m->all.len;

    for (size_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];

        if (h->name.ptr >= at && h->name.ptr <= end)
            mask_between(t, at, h->name.ptr);
        if (h->value.ptr && h->value.ptr >= h->name.ptr + h->name.len)
            at = h->value.ptr + h->value.len;
        else
            at = h->name.ptr + h->name.len;
    }
    mask_between(t, at, end);
}

bool mask_message_within(struct mask_text *t, slice s, enum sip_framing framing)
{
    struct sip_message m;
    slice rest, start_line = {0};
    ptrdiff_t used = sip_message_parse(s, framing, t->room, MASK_HEADERS_MAX, &m);

    if (used <= 0 || m.header_count >= MASK_HEADERS_MAX)
        return false;
    rest = m.all;
    (void)slice_take_line(&rest, &start_line);
    learn(t, &m);
    mask_gaps(t, &m, start_line);
    slice type = value_of(&m, SIP_H_CONTENT_TYPE), encoding = value_of(&m, SIP_H_CONTENT_ENCODING);

    for (size_t i = 0; i < m.header_count; i++)
        mask_header_value(t, (enum sip_header_id)m.headers[i].id, m.headers[i].value);
    if (m.is_request)
        mask_uri(t, m.uri);
    else
        mask_sweep(t, m.reason, MASK_SWEEP_FREE);
    if (m.body.len)
        mask_body(t, type, encoding, m.body);
    if ((size_t)used < s.len)
        mask_all_words(t, slice_skip(s, (size_t)used));
    return true;
}

bool mask_message(struct mask_text *t, char *at, size_t len, enum sip_framing framing)
{
    t->depth = 0;
    return mask_message_within(t, slice_of(at, len), framing);
}

void mask_free_text(struct mask_text *t, char *at, size_t len)
{
    mask_sweep(t, slice_of(at, len), MASK_SWEEP_FREE);
}
