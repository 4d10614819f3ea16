/* base/slice.h - a piece of somebody else's text.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two words, passed by value, always const, never assumed to end in a NUL. Owns nothing:
 * valid as long as the bytes it points into. An empty slice may have a NULL pointer, and a
 * slice with a NULL pointer is "not there" where a header says so.
 *
 *     slice rest = line, name = slice_take_until(&rest, ':');
 *
 * Functions that "take" cut from the front of a cursor and move it; on false or on an empty
 * result for lack of a match the cursor stands where it stood. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct slice {
    const char *ptr;
    size_t      len;
} slice;

#define SLICE(literal) ((slice){ "" literal, sizeof(literal) - 1 })
#define SLICE_INIT(literal) { "" literal, sizeof(literal) - 1 }  /* in a static table */
#define SLICE_FMT "%.*s"                                  /* printf of trusted, short text */
#define SLICE_ARG(s) ((int)((s).len > 4096 ? 4096 : (s).len)), ((s).ptr ? (s).ptr : "")
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static inline slice slice_of(const void *ptr, size_t len)
{
    return (slice){ .ptr = ptr, .len = len };
}

static inline slice slice_of_string(const char *string)
{
    return (slice){ .ptr = string, .len = string ? strlen(string) : 0 };
}

static inline bool slice_is_empty(slice s) { return s.len == 0; }

/* Without its first n bytes; empty when it has no more than n. */
static inline slice slice_skip(slice s, size_t n)
{
    return n >= s.len ? (slice){ s.ptr ? s.ptr + s.len : NULL, 0 } : (slice){ s.ptr + n, s.len - n };
}

/* Its first n bytes, or all of it. */
static inline slice slice_head(slice s, size_t n)
{
    return (slice){ s.ptr, n < s.len ? n : s.len };
}

static inline bool slice_eq(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII only: SIP tokens are compared so (RFC 3261, 7.3.1). */
static inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }
static inline char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c; }

bool slice_same_nocase(const char *a, const char *b, size_t len);
static inline bool slice_eq_nocase(slice a, slice b)      /* nearly always the length decides */
{
    return a.len == b.len && slice_same_nocase(a.ptr, b.ptr, a.len);
}
bool slice_starts(slice s, slice prefix);
bool slice_starts_nocase(slice s, slice prefix);
bool slice_ends(slice s, slice suffix);
int  slice_compare(slice a, slice b);                     /* by bytes, as memcmp */

/* Offset of the first match, or -1. */
static inline ptrdiff_t slice_find_char(slice s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return at ? at - s.ptr : -1;
}
ptrdiff_t slice_find(slice s, slice needle);
ptrdiff_t slice_find_nocase(slice s, slice needle);

/* Blanks are SP, HT, CR and LF: a folded header has all four between its words. */
static inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

static inline slice slice_trim(slice s)
{
    while (s.len && is_blank(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static inline bool slice_take_char(slice *rest, char c)
{
    if (!rest->len || rest->ptr[0] != c)
        return false;
    rest->ptr++, rest->len--;
    return true;
}

/* Everything before `c`, or all when there is none; the cursor stands on `c` or at the end. */
static inline slice slice_take_until(slice *rest, char c)
{
    ptrdiff_t at = slice_find_char(*rest, c);
    slice taken = slice_head(*rest, at < 0 ? rest->len : (size_t)at);

    *rest = slice_skip(*rest, taken.len);
    return taken;
}

bool  slice_take_blanks(slice *rest);                     /* at least one */
slice slice_take_while(slice *rest, bool (*belongs)(char));
bool  slice_all(slice s, bool (*belongs)(char));          /* and at least one byte */

/* Decimal digits at the front. False: none there, or the number is too large. */
bool slice_take_u32(slice *rest, uint32_t *ret);
bool slice_take_u64(slice *rest, uint64_t *ret);
/* The whole slice is one number. */
bool slice_to_u32(slice s, uint32_t *ret);

/* Letters to put in, take out or change to make one of the other (Levenshtein), case aside; of
 * names: what stands behind 63 bytes does not count. */
unsigned slice_distance(slice a, slice b);

/* Next line of text without its CRLF or LF; false at the end. */
bool slice_take_line(slice *rest, slice *ret);

#endif
