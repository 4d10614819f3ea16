/* sip/via.c - Via (RFC 3261, 20.42; RFC 3581; RFC 5118, 4.5)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/fields.h"
#include "sip/sip_int.h"

static slice take_word(slice *rest, char stop)
{
    size_t at = 0;

    while (at < rest->len && rest->ptr[at] != stop && !sip_char_is(rest->ptr[at], SIP_C_BLANK))
        at++;
    slice word = slice_head(*rest, at);

    *rest = slice_skip(*rest, at);
    return word;
}

static bool take_slash(slice *rest)
{
    slice_take_blanks(rest);
    if (!slice_take_char(rest, '/'))
        return false;
    slice_take_blanks(rest);
    return true;
}

/* sent-protocol = "SIP" SLASH "2.0" SLASH transport, with blanks around the slashes */
static bool take_protocol(slice *rest, slice *ret_transport)
{
    slice name, version;

    if (rest->len > 8 && sip_are_8(rest->ptr, "SIP/2.0/") && !is_blank(rest->ptr[8])) {
        *rest = slice_skip(*rest, 8);
    } else {
        name = take_word(rest, '/');
        if (!take_slash(rest))
            return false;
        version = take_word(rest, '/');
        if (!take_slash(rest) || !SIP_IS(name, "SIP") || !version.len)
            return false;
    }
    *ret_transport = take_word(rest, ';');
    return ret_transport->len && slice_take_blanks(rest);
}

static slice without_brackets(slice s)
{
    if (s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']')
        return slice_of(s.ptr + 1, s.len - 2);
    return s;
}

/* sent-by = host [ COLON port ], with blanks around the colon */
static enum sip_flaw_kind read_sent_by(slice sent_by, struct sip_via *ret)
{
    slice colon;
    uint32_t port;

    if (sent_by.len && sent_by.ptr[0] == '[') {
        slice bracket;

        sip_cut_at(sent_by, ']', &bracket);
        if (!bracket.len)
            return SIP_FLAW_VIA_BAD;
        ret->host = slice_of(sent_by.ptr + 1, (size_t)(bracket.ptr - sent_by.ptr - 1));
        colon = sip_trim(slice_skip(bracket, 1));
        if (colon.len && colon.ptr[0] != ':')
            return SIP_FLAW_VIA_BAD;
    } else {
        ret->host = sip_cut_at(sent_by, ':', &colon);
        if (colon.len && slice_find_char(slice_skip(colon, 1), ':') >= 0) {
            ret->host = sent_by;
            return SIP_FLAW_IPV6_WITHOUT_BRACKETS;
        }
        ret->host = sip_trim(ret->host);
        if (!sip_all_are(ret->host, SIP_C_HOST))
            return SIP_FLAW_VIA_BAD;
    }
    if (!ret->host.len)
        return SIP_FLAW_VIA_BAD;
    if (colon.len) {
        if (!sip_to_u32(sip_trim(slice_skip(colon, 1)), &port) || port > UINT16_MAX)
            return SIP_FLAW_VIA_BAD;
        ret->port = (uint16_t)port;
    }
    return SIP_FLAW_NONE;
}

/* One parameter as nearly everybody writes them: ";branch=z9hG4bK776", nothing quoted, no
 * blanks, lower case. False: read it the slow way. */
static bool take_usual(slice *rest, struct sip_via *ret)
{
    slice tail, segment = sip_cut_at(slice_skip(*rest, 1), ';', &tail);
    size_t at;
    slice *field;

    if (segment.len > 7 && memcmp(segment.ptr, "branch=", 7) == 0)
        at = 7, field = &ret->branch;
    else if (segment.len >= 5 && memcmp(segment.ptr, "rport", 5) == 0)
        at = segment.len == 5 ? 5 : 6, field = &ret->rport;
    else if (segment.len > 9 && memcmp(segment.ptr, "received=", 9) == 0 && segment.ptr[9] != '[')
        at = 9, field = &ret->received;
    else
        return false;
    if (at < segment.len &&
        (segment.ptr[at - 1] != '=' || segment.ptr[at] == '"' ||
         segment.ptr[at] <= ' ' || segment.ptr[segment.len - 1] <= ' '))
        return false;
    *field = (slice){ segment.ptr + at, segment.len - at };
    *rest = tail;
    return true;
}

static enum sip_flaw_kind read_via_params(struct sip_via *ret)
{
    enum sip_flaw_kind kind = SIP_FLAW_NONE;
    slice rest = ret->params;
    struct sip_param param;

    while (rest.len) {
        if (take_usual(&rest, ret))
            continue;
        if (!sip_param_next(&rest, &param))
            break;
        if (!param.name.len)
            kind = SIP_FLAW_PARAMETER_EMPTY;
        else if (SIP_IS(param.name, "branch"))
            ret->branch = param.value;
        else if (SIP_IS(param.name, "received"))
            ret->received = without_brackets(param.value);
        else if (SIP_IS(param.name, "rport"))
            ret->rport = param.value.ptr ? param.value : slice_of(param.name.ptr, 0);
    }
    if (ret->branch.len == 7 && slice_eq_nocase(ret->branch, SLICE("z9hG4bK")))
        kind = SIP_FLAW_BRANCH_EMPTY;
    return kind;
}

/* "SIP/2.0/UDP 192.0.2.1:5060" without a blank too many; *rest is then at the parameters. */
static bool take_usual_front(slice *rest, struct sip_via *ret)
{
    if (rest->len <= 8 || !sip_are_8(rest->ptr, "SIP/2.0/"))
        return false;
    const char *at = rest->ptr + 8, *end = rest->ptr + rest->len, *word = at;
    uint32_t port = 0;

    at = sip_span(at, end, SIP_C_TOKEN);
    ret->transport = slice_of(word, (size_t)(at - word));
    if (at == word || at == end || *at++ != ' ')
        return false;
    word = at;
    at = sip_span(at, end, SIP_C_HOST);
    ret->host = slice_of(word, (size_t)(at - word));
    if (at == word)
        return false;
    if (at < end && *at == ':') {
        for (word = ++at; at < end && is_digit(*at) && port <= UINT16_MAX; at++)
            port = port * 10 + (unsigned)(*at - '0');
        if (at == word || port > UINT16_MAX)
            return false;
    }
    if (at < end && *at != ';')
        return false;
    ret->port = (uint16_t)port;
    *rest = slice_of(at, (size_t)(end - at));
    return true;
}

enum sip_flaw_kind sip_via_read(slice value, struct sip_via *ret)
{
    enum sip_flaw_kind kind = SIP_FLAW_NONE, more;
    slice rest = value;

    *ret = (struct sip_via){ 0 };
    if (take_usual_front(&rest, ret)) {
        ret->params = rest;
    } else {
        if (!take_protocol(&rest, &ret->transport)) {
            *ret = (struct sip_via){ 0 };
            return SIP_FLAW_VIA_BAD;
        }
        kind = read_sent_by(sip_trim(sip_cut_at(rest, ';', &ret->params)), ret);
    }
    more = read_via_params(ret);
    return kind ? kind : more;
}

bool sip_via_next(slice *rest, struct sip_via *ret)
{
    struct sip_via via;
    slice value;

    while (sip_list_next(rest, &value)) {
        sip_via_read(value, &via);
        if (via.host.len) {
            *ret = via;
            return true;
        }
    }
    return false;
}
