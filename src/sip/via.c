/* sip/via.c - Via (RFC 3261, 20.42; RFC 3581; RFC 5118, 4.5)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/fields.h"
#include "sip/sip_int.h"

static slice take_word(slice *rest, char stop)
{
    size_t at = 0;

    while (at < rest->len && rest->ptr[at] != stop && !is_blank(rest->ptr[at]))
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
    static const slice usual = SLICE("SIP/2.0/");
    slice name, version;

    if (rest->len > usual.len && memcmp(rest->ptr, usual.ptr, usual.len) == 0 &&
        !is_blank(rest->ptr[usual.len])) {
        *rest = slice_skip(*rest, usual.len);
    } else {
        name = take_word(rest, '/');
        if (!take_slash(rest))
            return false;
        version = take_word(rest, '/');
        if (!take_slash(rest) || !slice_eq_nocase(name, SLICE("SIP")) || !version.len)
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
        colon = slice_trim(slice_skip(bracket, 1));
        if (colon.len && colon.ptr[0] != ':')
            return SIP_FLAW_VIA_BAD;
    } else {
        ret->host = sip_cut_at(sent_by, ':', &colon);
        if (colon.len && slice_find_char(slice_skip(colon, 1), ':') >= 0) {
            ret->host = sent_by;
            return SIP_FLAW_IPV6_WITHOUT_BRACKETS;
        }
        while (ret->host.len && is_blank(ret->host.ptr[ret->host.len - 1]))
            ret->host.len--;
        if (!sip_all_are(ret->host, SIP_C_HOST))
            return SIP_FLAW_VIA_BAD;
    }
    if (!ret->host.len)
        return SIP_FLAW_VIA_BAD;
    if (colon.len) {
        if (!slice_to_u32(slice_trim(slice_skip(colon, 1)), &port) || port > UINT16_MAX)
            return SIP_FLAW_VIA_BAD;
        ret->port = (uint16_t)port;
    }
    return SIP_FLAW_NONE;
}

static enum sip_flaw_kind read_via_params(struct sip_via *ret)
{
    enum sip_flaw_kind kind = SIP_FLAW_NONE;
    slice rest = ret->params;
    struct sip_param param;

    while (sip_param_next(&rest, &param)) {
        if (!param.name.len)
            kind = SIP_FLAW_PARAMETER_EMPTY;
        else if (param.name.len == 6 && slice_eq_nocase(param.name, SLICE("branch")))
            ret->branch = param.value;
        else if (param.name.len == 8 && slice_eq_nocase(param.name, SLICE("received")))
            ret->received = without_brackets(param.value);
        else if (param.name.len == 5 && slice_eq_nocase(param.name, SLICE("rport")))
            ret->rport = param.value.ptr ? param.value : slice_of(param.name.ptr, 0);
    }
    if (ret->branch.len == 7 && slice_eq_nocase(ret->branch, SLICE("z9hG4bK")))
        kind = SIP_FLAW_BRANCH_EMPTY;
    return kind;
}

enum sip_flaw_kind sip_via_read(slice value, struct sip_via *ret)
{
    enum sip_flaw_kind kind = SIP_FLAW_NONE, more;
    slice rest = value;

    *ret = (struct sip_via){ 0 };
    if (!take_protocol(&rest, &ret->transport))
        return SIP_FLAW_VIA_BAD;
    slice sent_by = sip_cut_at(rest, ';', &ret->params);

    while (sent_by.len && is_blank(sent_by.ptr[sent_by.len - 1]))
        sent_by.len--;
    kind = read_sent_by(sent_by, ret);
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
