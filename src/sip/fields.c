/* sip/fields.c - see fields.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/fields.h"

#include "sip/sip_int.h"

/* ---- quotes, lists ---- */

size_t sip_quoted_len(slice s)
{
    size_t at = 1;

    while (at < s.len) {
        const char *quote = memchr(s.ptr + at, '"', s.len - at);

        if (!quote)
            return 0;
        size_t slashes = 0;

        while (quote - slashes > s.ptr + at && quote[-1 - (ptrdiff_t)slashes] == '\\')
            slashes++;
        at = (size_t)(quote - s.ptr) + 1;
        if (slashes % 2 == 0)
            return at;
    }
    return 0;
}

/* Length of the first value: up to a comma outside quotes and brackets. A quote or bracket
 * that is never closed hides nothing. */
static size_t value_len(slice s)
{
    size_t at = 0;

    if (sip_find_char(s, ',') < 0)               /* nearly always */
        return s.len;
    while (at < s.len) {
        slice rest = slice_skip(s, at);
        ptrdiff_t close;
        size_t quoted;

        switch (s.ptr[at]) {
        case ',':
            return at;
        case '"':
            quoted = sip_quoted_len(rest);
            if (!quoted) {
                ptrdiff_t comma = sip_find_char(rest, ',');
                return comma < 0 ? s.len : at + (size_t)comma;
            }
            at += quoted;
            break;
        case '<':
            close = sip_find_char(rest, '>');
            if (close < 0) {
                ptrdiff_t comma = sip_find_char(rest, ',');
                return comma < 0 ? s.len : at + (size_t)comma;
            }
            at += (size_t)close + 1;
            break;
        default:
            at++;
        }
    }
    return s.len;
}

bool sip_list_cut(slice *rest, slice *ret)
{
    if (rest->len == 0)
        return false;
    size_t len = value_len(*rest);

    *ret = sip_trim(slice_head(*rest, len));
    *rest = slice_skip(*rest, len);
    slice_take_char(rest, ',');
    return true;
}

bool sip_list_next(slice *rest, slice *ret)
{
    slice value;

    while (sip_list_cut(rest, &value))
        if (value.len) {
            *ret = value;
            return true;
        }
    return false;
}

/* ---- parameters ---- */

bool sip_param_next(slice *rest, struct sip_param *ret)
{
    slice tail, segment, from_value;
    struct sip_param param = { 0 };

    if (rest->len && rest->ptr[0] == ';')
        rest->ptr++, rest->len--;
    else
        *rest = sip_trim(*rest), slice_take_char(rest, ';');
    if (rest->len == 0)
        return false;
    segment = sip_cut_at(*rest, ';', &tail);
    param.name = sip_trim(sip_cut_at(segment, '=', &from_value));
    if (from_value.len) {
        param.has_value = true;
        param.value = sip_trim(slice_skip(from_value, 1));
        if (param.value.len && param.value.ptr[0] == '"') {
            slice all = slice_skip(*rest, (size_t)(param.value.ptr - rest->ptr));
            size_t quoted = sip_quoted_len(all);

            if (quoted) {
                param.quoted = true;
                param.value = slice_of(all.ptr + 1, quoted - 2);
                sip_cut_at(slice_skip(all, quoted), ';', &tail);
            }
        }
    }
    *rest = tail;
    *ret = param;
    return true;
}

bool sip_param_find(slice params, slice name, slice *ret)
{
    struct sip_param param;

    while (sip_param_next(&params, &param))
        if (slice_eq_nocase(param.name, name)) {
            *ret = param.value;
            return true;
        }
    return false;
}

bool sip_param_u32(slice params, slice name, uint32_t *ret)
{
    slice value;

    return sip_param_find(params, name, &value) && sip_to_u32(value, ret);
}

slice sip_unquote(slice quoted, char *buffer, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < quoted.len && n < size; i++) {
        if (quoted.ptr[i] == '\\' && i + 1 < quoted.len)
            i++;
        buffer[n++] = quoted.ptr[i];
    }
    return slice_of(buffer, n);
}

/* ---- addresses ---- */

/* ";tag=a6c85cf" and no more, as nearly everybody writes it. */
static inline bool is_only_tag(slice after, slice *ret)
{
    const char *end = after.ptr + after.len;

    if (after.len <= 5 || memcmp(after.ptr, ";tag=", 5) != 0 ||
        sip_span(after.ptr + 5, end, SIP_C_TOKEN) != end)
        return false;
    *ret = (slice){ after.ptr + 5, after.len - 5 };
    return true;
}

/* What stands behind the address: parameters, and nothing else. */
static enum sip_flaw_kind read_params(slice after, struct sip_name_addr *ret)
{
    enum sip_flaw_kind kind = SIP_FLAW_NONE;
    slice first, rest = after;

    ret->params = after;
    if (after.len == 0 || is_only_tag(after, &ret->tag))
        return SIP_FLAW_NONE;
    after = sip_trim(after);
    if (sip_find_char(after, ',') >= 0 && sip_list_cut(&rest, &first) && rest.ptr[-1] == ',') {
        kind = SIP_FLAW_MANY_VALUES;
        after = first;
    }
    if (after.len && after.ptr[0] != ';') {
        kind = kind ? kind : SIP_FLAW_TEXT_AFTER_ADDRESS;
        sip_cut_at(after, ';', &after);
    }
    ret->params = after;
    sip_param_find(after, SLICE("tag"), &ret->tag);
    return kind;
}

/* "Name" <uri>: `from_bracket` begins with '<', `display` is what stands before it. */
static enum sip_flaw_kind read_bracketed(slice from_bracket, struct sip_name_addr *ret)
{
    slice inside = slice_skip(from_bracket, 1), after;
    slice uri = sip_cut_at(inside, '>', &after);
    enum sip_flaw_kind kind = SIP_FLAW_NONE, more;

    if (!after.len)
        kind = SIP_FLAW_BRACKET_NOT_CLOSED;
    else if (sip_find_char(uri, ' ') >= 0)
        kind = SIP_FLAW_URI_SPACES;
    ret->uri = sip_trim(uri);
    if (!ret->uri.len && !kind)
        kind = SIP_FLAW_URI_MISSING;
    more = read_params(slice_skip(after, 1), ret);
    return kind ? kind : more;
}

/* sip:user@host;tag=x: no brackets, so the parameters are the header's (20.10). */
static enum sip_flaw_kind read_bare(slice value, struct sip_name_addr *ret)
{
    slice after, uri = sip_trim(sip_cut_at(value, ';', &after)), comma;
    enum sip_flaw_kind kind = SIP_FLAW_NONE, more;

    uri = sip_trim(sip_cut_at(uri, ',', &comma));
    if (comma.len)
        kind = SIP_FLAW_MANY_VALUES, after = (slice){ 0 };
    ret->uri = uri;
    if (uri.len == 0)
        return SIP_FLAW_URI_MISSING;
    if (!kind && sip_find_char(uri, '?') >= 0)
        kind = SIP_FLAW_URI_NEEDS_BRACKETS;
    if (!kind && sip_find_char(uri, ' ') >= 0)
        kind = SIP_FLAW_URI_SPACES;
    more = read_params(after, ret);
    return kind ? kind : more;
}

/* "Display" <uri>;tag=x or <uri>;tag=x without anything unusual. */
static bool read_usual(slice value, struct sip_name_addr *ret)
{
    slice display = { 0 }, after;

    if (value.len < 4)
        return false;
    const char *at = value.ptr, *end = value.ptr + value.len;

    if (*at == '"') {
        ptrdiff_t len = sip_find_char(slice_of(at + 1, value.len - 1), '"');

        if (len < 0 || at[len] == '\\')
            return false;
        display = slice_of(at + 1, (size_t)len);
        for (at += len + 2; at < end && *at == ' ';)
            at++;
    }
    if (at + 1 >= end || *at++ != '<')
        return false;
    ptrdiff_t uri_len = sip_find_char(slice_of(at, (size_t)(end - at)), '>');

    if (uri_len <= 0 || sip_find_char(slice_of(at, (size_t)uri_len), ' ') >= 0)
        return false;
    const char *gt = at + uri_len;

    after = slice_of(gt + 1, (size_t)(end - gt - 1));
    if (after.len && !is_only_tag(after, &ret->tag))
        return false;
    ret->display = display;
    ret->uri = slice_of(at, (size_t)(gt - at));
    ret->params = after;
    return true;
}

enum sip_flaw_kind sip_name_addr_read(slice value, struct sip_name_addr *ret)
{
    enum sip_flaw_kind kind = SIP_FLAW_NONE, more;
    slice display = { 0 }, rest = value, bracket;

    *ret = (struct sip_name_addr){ 0 };
    if (read_usual(value, ret))
        return SIP_FLAW_NONE;
    if (value.len && value.ptr[0] == '"') {
        size_t quoted = sip_quoted_len(value);

        if (quoted) {
            display = slice_of(value.ptr + 1, quoted - 2);
            rest = slice_skip(value, quoted);
        } else {
            kind = SIP_FLAW_QUOTE_NOT_CLOSED;
        }
    }
    slice before = sip_trim(sip_cut_at(rest, '<', &bracket));

    if (!bracket.len) {
        more = read_bare(rest, ret);
        ret->display = display;
        return kind ? kind : more;
    }
    if (before.len && !kind &&
        (display.ptr || !sip_all_are(before, SIP_C_TOKEN | SIP_C_BLANK)))
        kind = SIP_FLAW_DISPLAY_NAME_BAD;
    if (before.len && !display.ptr)
        display = before.ptr[0] == '"' ? slice_skip(before, 1) : before;
    more = read_bracketed(bracket, ret);
    ret->display = display;
    return kind ? kind : more;
}

bool sip_name_addr_parse(slice value, struct sip_name_addr *ret)
{
    struct sip_name_addr got;

    sip_name_addr_read(sip_trim(value), &got);
    if (!got.uri.len)
        return false;
    *ret = got;
    return true;
}

bool sip_name_addr_next(slice *rest, struct sip_name_addr *ret)
{
    slice value;

    while (sip_list_next(rest, &value))
        if (sip_name_addr_parse(value, ret))
            return true;
    return false;
}

/* ---- all values of a header ---- */

struct sip_values sip_values_of(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *line = sip_header_find(m, id);

    return (struct sip_values){ .m = m, .line = line, .rest = line ? line->value : (slice){ 0 } };
}

bool sip_values_next(struct sip_values *values, slice *ret)
{
    while (values->line) {
        if (sip_list_next(&values->rest, ret))
            return true;
        values->line = sip_header_next(values->m, values->line);
        if (values->line)
            values->rest = values->line->value;
    }
    return false;
}

bool sip_values_have(const struct sip_message *m, enum sip_header_id id, slice word)
{
    struct sip_values values = sip_values_of(m, id);
    slice value, params;

    while (sip_values_next(&values, &value))
        if (slice_eq_nocase(sip_trim(sip_cut_at(value, ';', &params)), word))
            return true;
    return false;
}

/* ---- CSeq ---- */

enum sip_flaw_kind sip_cseq_read(slice value, struct sip_cseq *ret)
{
    enum sip_flaw_kind kind = SIP_FLAW_NONE;
    uint64_t number = 0;
    size_t at = 0;

    for (; at < value.len && is_digit(value.ptr[at]); at++)
        if (number <= INT32_MAX)                 /* beyond it stays beyond it */
            number = number * 10 + (unsigned)(value.ptr[at] - '0');
    if (at == 0 || number > INT32_MAX)
        kind = SIP_FLAW_CSEQ_BAD, number = 0;    /* 8.1.1.5: below 2^31 */

    slice method = slice_skip(value, at);

    if (!method.len || !is_blank(method.ptr[0]))
        kind = SIP_FLAW_CSEQ_BAD;                /* "1INVITE" */
    method = sip_trim(method);
    *ret = (struct sip_cseq){
        .number = (uint32_t)number, .method = method, .method_id = sip_method_find(method),
    };
    if (!ret->method_id && (!method.len || !sip_all_are(method, SIP_C_TOKEN)))
        kind = SIP_FLAW_CSEQ_BAD;                /* no method, or text after it */
    return kind;
}

bool sip_cseq_parse(slice value, struct sip_cseq *ret)
{
    struct sip_cseq got;

    if (sip_cseq_read(sip_trim(value), &got) != SIP_FLAW_NONE)
        return false;
    *ret = got;
    return true;
}
