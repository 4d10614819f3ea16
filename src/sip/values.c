/* sip/values.c - see values.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/values.h"

#include "sip/sip_int.h"

/* The value in front of its parameters, both trimmed. */
static slice split(slice value, slice *ret_params)
{
    return sip_trim(sip_cut_at(sip_trim(value), ';', ret_params));
}

static slice param_of(slice params, slice name)
{
    slice value = { 0 };

    sip_param_find(params, name, &value);
    return value;
}

/* A word up to a blank; the cursor stands behind the blanks. */
static slice take_word(slice *rest)
{
    size_t at = 0;

    while (at < rest->len && !is_blank(rest->ptr[at]))
        at++;
    slice word = slice_head(*rest, at);

    *rest = slice_skip(*rest, at);
    slice_take_blanks(rest);
    return word;
}

/* ---- Contact ---- */

/* qvalue = "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3("0") ] */
static bool q_parse(slice text, uint16_t *ret)
{
    unsigned number, unit = 100;

    if (!text.len || (text.ptr[0] != '0' && text.ptr[0] != '1') || text.len > 5)
        return false;
    number = (unsigned)(text.ptr[0] - '0') * 1000;
    if (text.len > 1 && text.ptr[1] != '.')
        return false;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (!is_digit(text.ptr[i]))
            return false;
        number += (unsigned)(text.ptr[i] - '0') * unit;
    }
    if (number > 1000)
        return false;
    *ret = (uint16_t)number;
    return true;
}

bool sip_contact_next(slice *rest, struct sip_contact *ret)
{
    slice value, q;

    while (sip_list_next(rest, &value)) {
        struct sip_contact got = { .star = slice_eq(value, SLICE("*")) };

        if (!got.star && !sip_name_addr_parse(value, &got.addr))
            continue;
        got.has_expires = sip_param_u32(got.addr.params, SLICE("expires"), &got.expires_s);
        got.has_q = sip_param_find(got.addr.params, SLICE("q"), &q) &&
                    q_parse(q, &got.q_thousandth);
        *ret = got;
        return true;
    }
    return false;
}

/* ---- RSeq, RAck ---- */

bool sip_rseq_parse(slice value, uint32_t *ret)
{
    return sip_to_u32(sip_trim(value), ret);
}

bool sip_rack_parse(slice value, struct sip_rack *ret)
{
    struct sip_rack got;
    slice rest = sip_trim(value);

    if (!sip_to_u32(take_word(&rest), &got.rseq) || !sip_to_u32(take_word(&rest), &got.cseq))
        return false;
    if (!rest.len || !sip_all_are(rest, SIP_C_TOKEN))
        return false;
    got.method = rest;
    got.method_id = sip_method_find(rest);
    *ret = got;
    return true;
}

/* ---- times ---- */

bool sip_seconds_parse(slice value, uint32_t *ret)
{
    slice params;

    return sip_to_u32(split(value, &params), ret);
}

bool sip_session_expires_parse(slice value, struct sip_session_expires *ret)
{
    slice params, who;
    struct sip_session_expires got = { 0 };

    if (!sip_to_u32(split(value, &params), &got.interval_s))
        return false;
    who = param_of(params, SLICE("refresher"));
    if (SIP_IS(who, "uac"))
        got.refresher = SIP_REFRESHER_UAC;
    else if (SIP_IS(who, "uas"))
        got.refresher = SIP_REFRESHER_UAS;
    *ret = got;
    return true;
}

/* Length of "(a (nested) comment)" with its parentheses; 0: it never closes. */
static size_t comment_len(slice s)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '(')
            depth++;
        else if (s.ptr[i] == ')' && --depth == 0)
            return i + 1;
    }
    return 0;
}

bool sip_retry_after_parse(slice value, struct sip_retry_after *ret)
{
    slice rest = sip_trim(value);
    struct sip_retry_after got = { 0 };

    if (!slice_take_u32(&rest, &got.after_s))
        return false;
    slice_take_blanks(&rest);
    if (rest.len && rest.ptr[0] == '(') {
        size_t len = comment_len(rest);

        if (!len)
            return false;
        got.comment = slice_of(rest.ptr + 1, len - 2);
        rest = sip_trim(slice_skip(rest, len));
    }
    if (rest.len && rest.ptr[0] != ';')
        return false;                /* "12x", or a date of HTTP */
    got.has_duration = sip_param_u32(rest, SLICE("duration"), &got.duration_s);
    *ret = got;
    return true;
}

/* ---- Warning, Reason ---- */

static bool warning_parse(slice value, struct sip_warning *ret)
{
    uint32_t code;
    slice rest = value, digits = take_word(&rest), agent = take_word(&rest);

    if (digits.len != 3 || !sip_to_u32(digits, &code) || !agent.len)
        return false;
    if (!rest.len || rest.ptr[0] != '"')
        return false;
    size_t quoted = sip_quoted_len(rest);

    if (!quoted)
        return false;
    *ret = (struct sip_warning){
        .code = (uint16_t)code, .agent = agent, .text = slice_of(rest.ptr + 1, quoted - 2),
    };
    return true;
}

bool sip_warning_next(slice *rest, struct sip_warning *ret)
{
    slice value;

    while (sip_list_next(rest, &value))
        if (warning_parse(value, ret))
            return true;
    return false;
}

bool sip_reason_next(slice *rest, struct sip_reason *ret)
{
    slice value, params;

    while (sip_list_next(rest, &value)) {
        struct sip_reason got = { .protocol = split(value, &params) };

        if (!got.protocol.len || !sip_all_are(got.protocol, SIP_C_TOKEN))
            continue;
        got.has_cause = sip_param_u32(params, SLICE("cause"), &got.cause);
        got.text = param_of(params, SLICE("text"));
        *ret = got;
        return true;
    }
    return false;
}

/* ---- events ---- */

bool sip_event_parse(slice value, struct sip_event *ret)
{
    struct sip_event got = { 0 };

    got.package = split(value, &got.params);
    if (!got.package.len || !sip_all_are(got.package, SIP_C_TOKEN))
        return false;
    got.id = param_of(got.params, SLICE("id"));
    *ret = got;
    return true;
}

bool sip_subscription_state_parse(slice value, struct sip_subscription_state *ret)
{
    slice params;
    struct sip_subscription_state got = { .state = split(value, &params) };

    if (!got.state.len || !sip_all_are(got.state, SIP_C_TOKEN))
        return false;
    got.reason = param_of(params, SLICE("reason"));
    got.has_expires = sip_param_u32(params, SLICE("expires"), &got.expires_s);
    got.has_retry_after = sip_param_u32(params, SLICE("retry-after"), &got.retry_after_s);
    *ret = got;
    return true;
}

/* ---- operators' headers ---- */

bool sip_charging_vector_parse(slice value, struct sip_charging_vector *ret)
{
    struct sip_charging_vector got = {
        .icid = param_of(value, SLICE("icid-value")),
        .generated_at = param_of(value, SLICE("icid-generated-at")),
        .orig_ioi = param_of(value, SLICE("orig-ioi")),
        .term_ioi = param_of(value, SLICE("term-ioi")),
    };

    if (!got.icid.len)
        return false;
    *ret = got;
    return true;
}

unsigned sip_early_media_read(slice value)
{
    static const struct { slice word; unsigned bit; } rows[] = {
        { SLICE("supported"), SIP_EARLY_SUPPORTED }, { SLICE("sendrecv"), SIP_EARLY_SENDRECV },
        { SLICE("sendonly"), SIP_EARLY_SENDONLY },   { SLICE("recvonly"), SIP_EARLY_RECVONLY },
        { SLICE("inactive"), SIP_EARLY_INACTIVE },   { SLICE("gated"), SIP_EARLY_GATED },
    };
    unsigned bits = 0;
    slice word;

    while (sip_list_next(&value, &word))
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (slice_eq_nocase(word, rows[i].word))
                bits |= rows[i].bit;
    return bits;
}

static bool is_uuid(slice s) { return s.len == 32 && sip_all_are(s, SIP_C_HEX); }

bool sip_session_id_parse(slice value, struct sip_session_id *ret)
{
    slice params;
    struct sip_session_id got = { .local = split(value, &params) };

    if (!is_uuid(got.local))
        return false;
    got.remote = param_of(params, SLICE("remote"));
    if (!is_uuid(got.remote))
        got.remote = (slice){ 0 };
    *ret = got;
    return true;
}

/* ---- content ---- */

bool sip_content_type_parse(slice value, struct sip_content_type *ret)
{
    struct sip_content_type got = { 0 };
    slice slash, whole = split(value, &got.params);

    got.type = sip_trim(sip_cut_at(whole, '/', &slash));
    got.subtype = sip_trim(slice_skip(slash, 1));
    if (!got.type.len || !sip_all_are(got.type, SIP_C_TOKEN) ||
        !sip_all_are(got.subtype, SIP_C_TOKEN) || (slash.len && !got.subtype.len))
        return false;
    *ret = got;
    return true;
}
