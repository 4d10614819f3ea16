/* base/utf8.c - text as a terminal shows it: characters, columns, lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

struct utf8_range { uint32_t first, last; };
#include "base/utf8_width.inc"

/* What the second byte may be, by the first (RFC 3629, 4): this keeps out overlong forms,
 * surrogates and everything above U+10FFFF. */
struct lead { uint8_t extra, low, high, bits; };

static struct lead lead_of(uint8_t c)
{
    if (c < 0xC2 || c > 0xF4)
        return (struct lead){0};
    if (c < 0xE0)
        return (struct lead){ 1, 0x80, 0xBF, 0x1F };
    if (c < 0xF0)
        return (struct lead){ 2, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF, 0x0F };
    return (struct lead){ 3, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF, 0x07 };
}

static uint32_t take_long(slice *rest, uint8_t first, bool *ret_valid)
{
    struct lead lead = lead_of(first);
    uint32_t point = first & lead.bits;
    size_t at = 1;

    *ret_valid = lead.extra > 0;
    for (; at <= lead.extra; at++) {
        uint8_t c = at < rest->len ? (uint8_t)rest->ptr[at] : 0;
        uint8_t low = at == 1 ? lead.low : 0x80, high = at == 1 ? lead.high : 0xBF;

        if (c < low || c > high) {
            *ret_valid = false;
            break;
        }
        point = point << 6 | (c & 0x3F);
    }
    *rest = slice_skip(*rest, at);
    return *ret_valid ? point : UTF8_REPLACEMENT;
}

static bool take(slice *rest, uint32_t *ret_point, bool *ret_valid)
{
    if (!rest->len)
        return false;

    uint8_t first = (uint8_t)rest->ptr[0];

    *ret_valid = true;
    if (first < 0x80) {
        *ret_point = first;
        *rest = slice_skip(*rest, 1);
    } else {
        *ret_point = take_long(rest, first, ret_valid);
    }
    return true;
}

bool utf8_take(slice *rest, uint32_t *ret_point)
{
    bool valid;

    return take(rest, ret_point, &valid);
}

size_t utf8_put(char at[UTF8_MAX], uint32_t point)
{
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        point = UTF8_REPLACEMENT;
    if (point < 0x80) {
        at[0] = (char)point;
        return 1;
    }

    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; point >>= 6)
        at[i] = (char)(0x80 | (point & 0x3F));
    at[0] = (char)(point | (uint32_t)(0xF00 >> len & 0xF0));
    return len;
}

bool utf8_is_valid(slice text)
{
    uint32_t point;
    bool valid;

    while (take(&text, &point, &valid))
        if (!valid)
            return false;
    return true;
}

bool utf8_is_printable(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7F && point <= 0x9F))
        return false;                             /* C0, DEL, C1 */
    if (point >= 0x2028 && point <= 0x202E)
        return false;                             /* separators, embeddings, overrides */
    if (point >= 0x2066 && point <= 0x2069)
        return false;                             /* isolates */
    return point != 0x200E && point != 0x200F && point != 0x061C;
}

/* Printable ASCII: most of what there is, and itself in every respect. */
static inline bool is_plain(char c) { return (unsigned char)(c - 0x20) < 0x5f; }

size_t utf8_clean(slice *rest, char *to, size_t size)
{
    size_t used = 0;
    uint32_t point;

    while (used + UTF8_MAX <= size) {
        while (used + UTF8_MAX < size && rest->len && is_plain(rest->ptr[0]))
            to[used++] = *rest->ptr, rest->ptr++, rest->len--;
        if (!utf8_take(rest, &point))
            break;
        if (point == '\t' || point == '\r' || point == '\n')
            point = ' ';
        else if (!utf8_is_printable(point))
            point = UTF8_REPLACEMENT;
        used += utf8_put(to + used, point);
    }
    return used;
}

static bool in_ranges(const struct utf8_range *ranges, size_t count, uint32_t point)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (point > ranges[middle].last)
            low = middle + 1;
        else if (point < ranges[middle].first)
            count = middle;
        else
            return true;
    }
    return false;
}

unsigned utf8_width(uint32_t point)
{
    if (point < 0x300)
        return 1;                                 /* no accent and nothing wide below it */
    if (in_ranges(utf8_none, ARRAY_LEN(utf8_none), point))
        return 0;
    return in_ranges(utf8_double, ARRAY_LEN(utf8_double), point) ? 2 : 1;
}

size_t utf8_columns(slice text)
{
    size_t columns = 0;
    uint32_t point;

    while (text.len && is_plain(text.ptr[0]))
        columns++, text.ptr++, text.len--;

    while (utf8_take(&text, &point))
        columns += utf8_width(point);
    return columns;
}

slice utf8_head(slice text, size_t columns)
{
    slice rest = text;
    size_t end = 0, used = 0;
    uint32_t point;

    while (utf8_take(&rest, &point)) {
        used += utf8_width(point);
        if (used > columns)
            break;
        end = text.len - rest.len;
    }
    return slice_head(text, end);
}

/* ---- lines ---- */

/* Marks that belong to the character before them, and those that belong to the one after. */
static bool is_closing(uint32_t c)
{
    static const uint16_t marks[] = {
        '!', ')', ',', '.', ':', ';', '?', ']', '}', 0xBB, 0x2019, 0x201D, 0x2026, 0x203A,
        0x3001, 0x3002, 0x3009, 0x300B, 0x300D, 0x300F, 0x3011, 0x3015, 0x30FB,
        0xFF01, 0xFF05, 0xFF09, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF3D, 0xFF5D,
    };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (c == marks[i])
            return true;
    return false;
}

static bool is_opening(uint32_t c)
{
    static const uint16_t marks[] = {
        '(', '[', '{', 0xAB, 0x2018, 0x201C, 0x2039,
        0x3008, 0x300A, 0x300C, 0x300E, 0x3010, 0x3014, 0xFF08, 0xFF3B, 0xFF5B,
    };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (c == marks[i])
            return true;
    return false;
}

static bool is_break_blank(uint32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == 0x3000; }

/* May a line end between these two, neither of which is a blank? */
static bool may_break(uint32_t before, uint32_t after)
{
    if (is_closing(after) || is_opening(before) || utf8_width(after) == 0)
        return false;
    return utf8_width(before) == 2 || utf8_width(after) == 2;
}

static slice skip_blanks(slice s)
{
    uint32_t point;

    for (slice next = s; utf8_take(&next, &point) && is_break_blank(point); )
        s = next;
    return s;
}

static slice trim_blanks(slice s)
{
    slice rest = s;
    size_t end = 0, begin = SIZE_MAX;
    uint32_t point;

    while (rest.len) {
        size_t at = s.len - rest.len;

        (void)utf8_take(&rest, &point);
        if (is_break_blank(point) || point == '\n')
            continue;
        if (begin == SIZE_MAX)
            begin = at;
        end = s.len - rest.len;
    }
    return begin == SIZE_MAX ? slice_head(s, 0) : slice_of(s.ptr + begin, end - begin);
}

/* Where the line that starts `text` ends, in bytes. */
static size_t line_end(slice text, size_t columns)
{
    slice rest = text;
    size_t used = 0, best = 0, whole = 0;         /* best: last place to break; whole: what fits */
    uint32_t point, before = 0;

    while (rest.len) {
        size_t at = text.len - rest.len;

        (void)utf8_take(&rest, &point);
        if (point == '\n')
            return at;
        if (is_break_blank(point)) {
            if (at)
                best = at;
            used += utf8_width(point);            /* at the end it may hang over the edge */
            before = point;
            continue;
        }
        if (at && (is_break_blank(before) || may_break(before, point)))
            best = at;
        used += utf8_width(point);
        if (used > columns)
            return best ? best : whole ? whole : text.len - rest.len;
        whole = text.len - rest.len;
        before = point;
    }
    return text.len;
}

bool utf8_take_line(slice *rest, size_t columns, slice *ret_line)
{
    slice start = skip_blanks(*rest);

    if (!start.len) {
        *rest = start;
        return false;
    }

    size_t end = line_end(start, columns ? columns : 1);

    *ret_line = trim_blanks(slice_head(start, end));
    *rest = skip_blanks(slice_skip(start, end));
    (void)slice_take_char(rest, '\n');
    return true;
}
