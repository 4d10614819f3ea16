/* base/slice.c - see slice.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

bool slice_same_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

bool slice_starts(slice s, slice prefix)
{
    return s.len >= prefix.len && slice_eq(slice_head(s, prefix.len), prefix);
}

bool slice_starts_nocase(slice s, slice prefix)
{
    return s.len >= prefix.len && slice_eq_nocase(slice_head(s, prefix.len), prefix);
}

bool slice_ends(slice s, slice suffix)
{
    return s.len >= suffix.len && slice_eq(slice_skip(s, s.len - suffix.len), suffix);
}

int slice_compare(slice a, slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t slice_find(slice s, slice needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return -1;
    const char *at = s.ptr, *end = s.ptr + s.len - needle.len + 1;     /* needles are short */

    while ((at = memchr(at, needle.ptr[0], (size_t)(end - at)))) {
        if (memcmp(at, needle.ptr, needle.len) == 0)
            return at - s.ptr;
        if (++at == end)
            break;
    }
    return -1;
}

static const char *find_from(const char *at, const char *end, char c)
{
    const char *found = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;

    return found ? found : end;
}

ptrdiff_t slice_find_nocase(slice s, slice needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return -1;
    char lower = ascii_lower(needle.ptr[0]), upper = ascii_upper(lower);
    const char *at = s.ptr, *end = s.ptr + s.len - needle.len + 1;
    const char *small = find_from(at, end, lower), *large = find_from(at, end, upper);

    while ((at = small < large ? small : large) < end) {  /* where its first letter stands */
        if (slice_same_nocase(at, needle.ptr, needle.len))
            return at - s.ptr;
        if (small == at)
            small = find_from(at + 1, end, lower);
        if (large == at)
            large = find_from(at + 1, end, upper);
    }
    return -1;
}

bool slice_take_blanks(slice *rest)
{
    size_t n = 0;

    while (n < rest->len && is_blank(rest->ptr[n]))
        n++;
    *rest = slice_skip(*rest, n);
    return n > 0;
}

slice slice_take_while(slice *rest, bool (*belongs)(char))
{
    size_t n = 0;

    while (n < rest->len && belongs(rest->ptr[n]))
        n++;
    slice taken = slice_head(*rest, n);

    *rest = slice_skip(*rest, n);
    return taken;
}

bool slice_all(slice s, bool (*belongs)(char))
{
    for (size_t i = 0; i < s.len; i++)
        if (!belongs(s.ptr[i]))
            return false;
    return s.len > 0;
}

bool slice_take_u64(slice *rest, uint64_t *ret)
{
    uint64_t number = 0;
    size_t n = 0;

    for (; n < rest->len && is_digit(rest->ptr[n]); n++) {
        unsigned digit = (unsigned)(rest->ptr[n] - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (n == 0)
        return false;
    *rest = slice_skip(*rest, n);
    *ret = number;
    return true;
}

bool slice_take_u32(slice *rest, uint32_t *ret)
{
    slice ahead = *rest;
    uint64_t number;

    if (!slice_take_u64(&ahead, &number) || number > UINT32_MAX)
        return false;
    *rest = ahead;
    *ret = (uint32_t)number;
    return true;
}

bool slice_to_u32(slice s, uint32_t *ret)
{
    uint32_t number;

    if (!slice_take_u32(&s, &number) || s.len)
        return false;
    *ret = number;
    return true;
}

unsigned slice_distance(slice a, slice b)
{
    unsigned row[64];

    a = slice_head(a, 63), b = slice_head(b, 63);
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned replaced = diagonal + (ascii_lower(a.ptr[i - 1]) != ascii_lower(b.ptr[j - 1]));
            unsigned shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[b.len];
}

bool slice_take_line(slice *rest, slice *ret)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    slice line = slice_of(rest->ptr, len && rest->ptr[len - 1] == '\r' ? len - 1 : len);

    *rest = slice_skip(*rest, len + (end != NULL));
    *ret = line;
    return true;
}
