/* sip/start.c - the start line, and whether bytes are SIP at all (RFC 3261, 7.1 and 7.2).
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_int.h"

static bool is_space(char c) { return c == ' ' || c == '\t'; }

static slice trim_spaces(slice s)
{
    while (s.len && is_space(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase */
static bool read_status_line(slice line, struct sip_start *ret)
{
    size_t at = 4;

    if (line.len >= 12 && sip_are_8(line.ptr, "SIP/2.0 ") && line.ptr[11] == ' ' &&
        is_digit(line.ptr[8]) && !is_space(line.ptr[9]) && !is_space(line.ptr[10])) {
        *ret = (struct sip_start){
            .version = slice_head(line, 7), .status_text = { line.ptr + 8, 3 },
            .reason = { line.ptr + 12, line.len - 12 },
        };
        return true;
    }
    while (at < line.len && !is_space(line.ptr[at]))
        at++;
    slice version = slice_head(line, at);
    slice rest = slice_skip(line, at);

    while (rest.len && is_space(rest.ptr[0]))
        rest.ptr++, rest.len--;
    if (!rest.len || !is_digit(rest.ptr[0]))
        return false;
    for (at = 1; at < rest.len && !is_space(rest.ptr[at]);)
        at++;
    *ret = (struct sip_start){
        .version = version, .status_text = slice_head(rest, at), .reason = slice_skip(rest, at),
    };
    slice_take_char(&ret->reason, ' ');
    return true;
}

/* Request-Line = Method SP Request-URI SP SIP-Version; the version is the last word, so that
 * blanks in the URI do no harm. */
static bool read_request_line(slice line, struct sip_start *ret)
{
    size_t method = 0, version;

    while (method < line.len && sip_char_is(line.ptr[method], SIP_C_TOKEN))
        method++;
    if (method == 0 || method == line.len || !is_space(line.ptr[method]))
        return false;
    if (line.len >= method + 8 && sip_are_8(line.ptr + line.len - 8, " SIP/2.0")) {
        version = line.len - 7;
    } else {
        while (line.len > method && is_space(line.ptr[line.len - 1]))
            line.len--;
        for (version = line.len; version > method && !is_space(line.ptr[version - 1]);)
            version--;
        if (version <= method || !slice_starts_nocase(slice_skip(line, version), SLICE("SIP/")))
            return false;
    }
    *ret = (struct sip_start){
        .is_request = true,
        .method = slice_head(line, method),
        .uri = trim_spaces((slice){ line.ptr + method, version - method }),
        .version = slice_skip(line, version),
    };
    return true;
}

bool sip_start_read(slice line, struct sip_start *ret)
{
    if (line.len < 8)
        return false;
    if (line.ptr[3] == '/' && SIP_IS(slice_head(line, 4), "SIP/"))
        return read_status_line(line, ret);
    return read_request_line(line, ret);
}

bool sip_start_may_begin(slice s)
{
    enum { METHOD_MAX = 256 };
    size_t at = 0;

    while (at < s.len && at < METHOD_MAX && sip_char_is(s.ptr[at], SIP_C_TOKEN))
        at++;
    if (at == s.len)
        return at < METHOD_MAX;
    return at > 0 && s.len < SIP_START_LINE_MAX &&
           (is_space(s.ptr[at]) || (at == 3 && slice_starts_nocase(s, SLICE("SIP/"))));
}

bool sip_looks_like(slice bytes)
{
    struct sip_start start;

    while (bytes.len && (bytes.ptr[0] == '\r' || bytes.ptr[0] == '\n'))
        bytes.ptr++, bytes.len--;
    if (bytes.len < 8 || !sip_char_is(bytes.ptr[0], SIP_C_TOKEN))
        return false;                /* RTP, RTCP, STUN, DTLS and DNS end here */

    /* A method, or "SIP/": some token characters, then a blank or a slash. */
    size_t at = 1;

    while (at < bytes.len && sip_char_is(bytes.ptr[at], SIP_C_TOKEN))
        at++;
    if (at == bytes.len || !(is_space(bytes.ptr[at]) || (at == 3 && bytes.ptr[at] == '/')))
        return false;

    slice line;

    return slice_take_line(&bytes, &line) && sip_start_read(line, &start);
}

bool sip_is_keepalive(slice bytes)
{
    if (bytes.len == 0)
        return false;
    if (slice_eq(bytes, SLICE("jaK")))
        return true;
    bool zeros = bytes.ptr[0] == '\0';

    for (size_t i = 0; i < bytes.len; i++)
        if (zeros ? bytes.ptr[i] != '\0' : bytes.ptr[i] != '\r' && bytes.ptr[i] != '\n')
            return false;
    return true;
}

/* ---- what is wrong with a Request-URI ---- */

static enum sip_flaw_kind host_flaw(slice host)
{
    slice tail, more;

    if (sip_find_char(host, '?') >= 0)
        return SIP_FLAW_REQUEST_URI_HEADERS;
    if (host.len && host.ptr[0] != '[') {
        sip_cut_at(host, ':', &tail);
        if (tail.len) {
            slice port = sip_cut_at(slice_skip(tail, 1), ':', &more);

            if (more.len && sip_find_char(port, ';') < 0)
                return SIP_FLAW_IPV6_WITHOUT_BRACKETS;
        }
    }
    return SIP_FLAW_NONE;
}

enum sip_flaw_kind sip_request_uri_flaw(slice uri)
{
    if (uri.len == 0)
        return SIP_FLAW_REQUEST_URI_MISSING;
    if (uri.ptr[0] == '<')
        return SIP_FLAW_REQUEST_URI_IN_BRACKETS;
    if (sip_find_char(uri, ' ') >= 0 || sip_find_char(uri, '\t') >= 0)
        return SIP_FLAW_REQUEST_URI_SPACES;
    slice rest, from_at, scheme = sip_cut_at(slice_head(uri, 5), ':', &rest);

    if (!SIP_IS(scheme, "sip") && !SIP_IS(scheme, "sips"))
        return SIP_FLAW_NONE;
    rest = slice_skip(uri, scheme.len + 1);
    sip_cut_at(rest, '@', &from_at);
    return host_flaw(from_at.len ? slice_skip(from_at, 1) : rest);
}
