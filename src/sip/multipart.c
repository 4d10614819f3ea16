/* sip/multipart.c - see multipart.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/multipart.h"

#include "sip/sip_int.h"

#define NESTED_MAX 8

bool sip_multipart_of(slice content_type, slice body, struct sip_multipart *ret)
{
    slice params, boundary, type = sip_trim(sip_cut_at(content_type, ';', &params));

    if (!slice_starts_nocase(type, SLICE("multipart/")))
        return false;
    if (!sip_param_find(params, SLICE("boundary"), &boundary) || !boundary.len)
        return false;
    *ret = (struct sip_multipart){ .boundary = boundary, .rest = body };
    if (body.len) {
        /* The first boundary may be the very first line. */
        struct sip_part preamble;

        ret->open = true;
        if (!sip_multipart_next(ret, &preamble) || preamble.cut)
            ret->open = false;
    }
    return true;
}

/* Is this line "--boundary" or, *ret_last, "--boundary--", blanks behind it aside? */
static bool is_boundary(slice line, slice boundary, bool *ret_last)
{
    if (line.len < boundary.len + 2 || line.ptr[0] != '-' || line.ptr[1] != '-')
        return false;
    if (memcmp(line.ptr + 2, boundary.ptr, boundary.len) != 0)
        return false;
    slice behind = sip_trim(slice_skip(line, boundary.len + 2));

    *ret_last = slice_eq(behind, SLICE("--"));
    return !behind.len || *ret_last;
}

/* Header lines of a part up to an empty line. */
static void read_part_headers(slice *rest, struct sip_part *ret)
{
    const char *start = rest->ptr;
    slice line;

    ret->headers = slice_of(start, 0);
    while (slice_take_line(rest, &line)) {
        if (!line.len)
            return;
        while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t')) {
            slice folded;

            slice_take_line(rest, &folded);
            line.len = (size_t)(folded.ptr + folded.len - line.ptr);
        }
        ret->headers = slice_of(start, (size_t)(line.ptr + line.len - start));

        slice value, name = sip_trim(sip_cut_at(line, ':', &value));

        value = sip_trim(slice_skip(value, 1));
        switch (sip_header_id_find(name)) {
        case SIP_H_CONTENT_TYPE:        ret->content_type = value; break;
        case SIP_H_CONTENT_DISPOSITION: ret->disposition = value; break;
        case SIP_H_CONTENT_ID:          ret->id = value; break;
        default: break;
        }
    }
}

/* Everything up to the next boundary line; *rest moves behind that line. */
static slice take_to_boundary(struct sip_multipart *parts, bool *ret_found, bool *ret_last)
{
    slice start = parts->rest, line;

    *ret_last = false;
    while (slice_take_line(&parts->rest, &line))
        if (is_boundary(line, parts->boundary, ret_last)) {
            size_t len = (size_t)(line.ptr - start.ptr);

            len -= len && start.ptr[len - 1] == '\n';        /* the line end is the boundary's */
            len -= len && start.ptr[len - 1] == '\r';
            *ret_found = true;
            return slice_head(start, len);
        }
    *ret_found = false;
    return start;
}

bool sip_multipart_next(struct sip_multipart *parts, struct sip_part *ret)
{
    bool found, last;

    if (!parts->open)
        return false;
    struct sip_part part = { 0 };
    slice whole = take_to_boundary(parts, &found, &last);

    parts->open = found && !last;
    if (!found && !whole.len)
        return false;
    part.cut = !found;
    read_part_headers(&whole, &part);
    part.body = whole;
    *ret = part;
    return true;
}

static bool is_type(slice content_type, slice type)
{
    slice params;

    return slice_eq_nocase(sip_trim(sip_cut_at(content_type, ';', &params)), type);
}

bool sip_body_of_type(const struct sip_message *m, slice type, slice *ret)
{
    const struct sip_header *header = sip_header_find(m, SIP_H_CONTENT_TYPE);
    struct sip_multipart stack[NESTED_MAX];
    struct sip_part part;
    int depth = 0;

    if (!m->body.len)
        return false;
    if (slice_eq_nocase(m->content_type, type)) {
        *ret = m->body;
        return true;
    }
    if (!header || !sip_multipart_of(header->value, m->body, &stack[0]))
        return false;
    while (depth >= 0) {
        if (!sip_multipart_next(&stack[depth], &part))
            depth--;
        else if (is_type(part.content_type, type)) {
            *ret = part.body;
            return true;
        } else if (depth + 1 < NESTED_MAX &&
                   sip_multipart_of(part.content_type, part.body, &stack[depth + 1]))
            depth++;
    }
    return false;
}
