/* sip/stream.c - see stream.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/stream.h"

#include "sip/sip_int.h"

static bool is_space(char c) { return c == ' ' || c == '\t'; }

/* Content-Length of a header line, in either form; false: another header. */
static bool line_content_length(slice line, uint32_t *ret)
{
    slice value, name = sip_cut_at(line, ':', &value);

    if (!value.len)
        return false;
    while (name.len && is_space(name.ptr[name.len - 1]))
        name.len--;
    if (sip_header_id_find(name) != SIP_H_CONTENT_LENGTH)
        return false;
    if (!slice_to_u32(slice_trim(slice_skip(value, 1)), ret) || *ret > SIP_STREAM_MESSAGE_MAX)
        *ret = 0;
    return true;
}

/* `s` begins behind the start line. Its length up to and with the empty line, and the first
 * Content-Length; 0: the end is not there. */
static size_t header_len(slice s, uint32_t *ret_body)
{
    const char *at = s.ptr, *end = s.ptr + s.len;
    bool found = false;

    *ret_body = 0;
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));

        if (!lf)
            return 0;
        if (lf == at || (lf == at + 1 && *at == '\r'))
            return (size_t)(lf + 1 - s.ptr);
        while (lf + 1 < end && is_space(lf[1])) {
            lf = memchr(lf + 1, '\n', (size_t)(end - lf - 1));
            if (!lf)
                return 0;
        }
        char first = ascii_lower(*at);

        if (!found && (first == 'c' || first == 'l'))
            found = line_content_length(slice_of(at, (size_t)(lf - at)), ret_body);
        at = lf + 1;
    }
    return 0;
}

/* `s` begins with `line`, a start line. */
static enum sip_stream_find measure(slice s, size_t line_len, size_t *ret_len)
{
    uint32_t body;
    size_t header = header_len(slice_head(slice_skip(s, line_len), SIP_STREAM_HEADER_MAX), &body);

    if (!header)
        return s.len - line_len < SIP_STREAM_HEADER_MAX ? SIP_STREAM_MORE : SIP_STREAM_NOT_SIP;
    *ret_len = line_len + header + body;
    return *ret_len > s.len ? SIP_STREAM_MORE : SIP_STREAM_MESSAGE;
}

static slice skip_keepalives(slice s)
{
    while (s.len && (s.ptr[0] == '\r' || s.ptr[0] == '\n' || s.ptr[0] == '\0'))
        s.ptr++, s.len--;
    return s;
}

enum sip_stream_find sip_stream_next(slice bytes, size_t *ret_skip, size_t *ret_len)
{
    struct sip_start start;
    slice at = skip_keepalives(bytes);
    const char *wanted = at.ptr;             /* what stands before is no loss */

    *ret_skip = *ret_len = 0;
    if (!bytes.len)
        return SIP_STREAM_MORE;
    while (at.len) {
        slice rest = at, line;
        bool whole = slice_find_char(slice_head(at, SIP_START_LINE_MAX), '\n') >= 0;

        *ret_skip = (size_t)(at.ptr - bytes.ptr);
        if (!whole && sip_start_may_begin(at))
            return at.ptr == wanted ? SIP_STREAM_MORE : SIP_STREAM_NOT_SIP;
        if (!slice_take_line(&rest, &line))
            break;
        if (whole && sip_start_read(line, &start)) {
            enum sip_stream_find found = measure(at, at.len - rest.len, ret_len);

            if (found == SIP_STREAM_MORE && at.ptr != wanted) {
                *ret_len = 0;
                return SIP_STREAM_NOT_SIP;
            }
            if (found == SIP_STREAM_NOT_SIP)     /* no end in sight: all of it is foreign */
                *ret_skip = (size_t)(rest.ptr - bytes.ptr) + SIP_STREAM_HEADER_MAX;
            return found;
        }
        at = skip_keepalives(rest);
    }
    *ret_skip = bytes.len;
    return wanted == bytes.ptr + bytes.len ? SIP_STREAM_MORE : SIP_STREAM_NOT_SIP;
}
