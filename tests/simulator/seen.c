/* tests/simulator/seen.c - one pass over the lines of a message
 * SPDX-License-Identifier: Apache-2.0 */
#include "simulator/seen.h"

static uint32_t number(slice *rest)
{
    uint32_t n = 0;

    while (rest->len && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
        n = n * 10 + (uint32_t)(rest->ptr[0] - '0');
        *rest = slice_skip(*rest, 1);
    }
    return n;
}

static slice word(slice *rest)
{
    slice w = *rest;

    for (size_t i = 0; i < w.len; i++)
        if (w.ptr[i] == ' ' || w.ptr[i] == ';' || w.ptr[i] == '>') {
            *rest = slice_skip(w, i);
            return slice_head(w, i);
        }
    *rest = (slice){ 0 };
    return w;
}

/* "<sip:u12-345@host>;tag=x": the call's number and the tag. */
static void read_party(slice value, struct seen *ret, slice *ret_tag)
{
    const char *close = memrchr(value.ptr, '>', value.len), *sip = memmem(value.ptr, value.len, "<sip:u", 6);
    slice tail = close ? slice_skip(value, (size_t)(close - value.ptr) + 1) : (slice){ 0 };

    if (tail.len > 5 && memcmp(tail.ptr, ";tag=", 5) == 0) {
        tail = slice_skip(tail, 5);
        *ret_tag = word(&tail);
    }
    if (!sip)
        return;
    slice rest = slice_skip(value, (size_t)(sip - value.ptr) + 6);

    (void)number(&rest);
    if (rest.len && rest.ptr[0] == '-') {
        rest = slice_skip(rest, 1);
        ret->call = number(&rest);
    }
}

static bool is(slice line, const char *name, size_t len, slice *ret_value)
{
    if (line.len < len || memcmp(line.ptr, name, len) != 0)
        return false;
    *ret_value = slice_skip(line, len);
    return true;
}
#define IS(name) is(line, name, sizeof(name) - 1, &value)

static void read_line(slice line, struct seen *ret, bool *has_rseq, bool *has_100rel)
{
    slice value;

    switch (line.len ? line.ptr[0] : 0) {
    case 'V':
        if (IS("Via: ") && !ret->branch.len) {
            const char *branch = memmem(value.ptr, value.len, ";branch=", 8);
            slice rest = branch ? slice_skip(value, (size_t)(branch - value.ptr) + 8) : (slice){ 0 };

            ret->branch = word(&rest);
        }
        return;
    case 'F':
        if (IS("From: "))
            read_party(value, ret, &ret->from_tag);
        return;
    case 'T':
        if (IS("To: "))
            read_party(value, ret, &ret->to_tag);
        return;
    case 'C':
        if (IS("Call-ID: "))
            ret->call_id = value;
        else if (IS("CSeq: ")) {
            ret->cseq = number(&value);
            ret->method = slice_skip(value, 1);
        }
        return;
    case 'M':
        if (IS("Max-Breadth: "))
            ret->breadth = (int)number(&value);
        return;
    case 'R':
        if (IS("RSeq: ")) {
            ret->rseq = number(&value);
            *has_rseq = true;
        } else if (IS("RAck: ")) {
            ret->rack_rseq = number(&value);
            value = slice_skip(value, 1);
            ret->rack_cseq = number(&value);
        } else if (IS("Require: ")) {
            *has_100rel = memmem(value.ptr, value.len, "100rel", 6) != NULL;
        }
        return;
    default:
        return;
    }
}

bool seen_read(slice text, struct seen *ret)
{
    bool first = true, has_rseq = false, has_100rel = false;

    *ret = (struct seen){ .breadth = -1 };
    while (text.len) {
        const char *end = memchr(text.ptr, '\r', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        slice line = slice_head(text, len);

        text = slice_skip(text, len + 2);
        if (first) {
            slice value = line;

            ret->is_request = !IS("SIP/2.0 ");
            if (!ret->is_request) {
                ret->status = number(&value);
                ret->phrase = slice_skip(value, 1);
            }
            first = false;
        } else if (!line.len) {
            ret->body = text;
            break;
        } else {
            read_line(line, ret, &has_rseq, &has_100rel);
        }
    }
    ret->is_reliable = has_rseq && has_100rel;
    return ret->method.len && ret->call_id.len && ret->from_tag.len && ret->branch.len;
}
