/* sip/sip_int.h - what the files of this folder share and nobody else needs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIP_SIP_INT_H
#define SIP_SIP_INT_H

#include "sip/message.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Classes of characters (RFC 3261, 25.1). */
enum { SIP_C_TOKEN = 1, SIP_C_BLANK = 2, SIP_C_HEX = 4, SIP_C_HOST = 8 };
extern const uint8_t sip_char_class[256];

static inline bool sip_char_is(char c, int classes)
{
    return sip_char_class[(unsigned char)c] & classes;
}

/* Does every byte belong to one of the classes? True of an empty slice. */
static inline bool sip_all_are(slice s, int classes)
{
    for (size_t i = 0; i < s.len; i++)
        if (!sip_char_is(s.ptr[i], classes))
            return false;
    return true;
}

/* As slice_trim; nearly always there is little to do. */
static inline slice sip_trim(slice s)
{
    while (s.len && (unsigned char)s.ptr[0] <= ' ' && is_blank(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len && (unsigned char)s.ptr[s.len - 1] <= ' ' && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* As slice_to_u32: the whole slice is one number. */
static inline bool sip_to_u32(slice s, uint32_t *ret)
{
    uint64_t number = 0;
    size_t at = 0;

    for (; at < s.len && is_digit(s.ptr[at]) && number <= UINT32_MAX; at++)
        number = number * 10 + (unsigned)(s.ptr[at] - '0');
    if (at == 0 || at < s.len || number > UINT32_MAX)
        return false;
    *ret = (uint32_t)number;
    return true;
}

/* Are the 8 bytes at `at` those of `text`? One comparison, where memcmp may be a call. */
static inline bool sip_are_8(const char *at, const char *text)
{
    uint64_t seen, wanted;

    memcpy(&seen, at, sizeof(seen));
    memcpy(&wanted, text, sizeof(wanted));
    return seen == wanted;
}

/* Compares with a literal, case aside, the usual case first. */
#define SIP_IS(s, literal)                                                                         \
    ((s).len == sizeof(literal) - 1 && (memcmp((s).ptr, literal, sizeof(literal) - 1) == 0 ||      \
                                        slice_eq_nocase((s), SLICE(literal))))

/* How far the characters belong to the classes; four a round, for it stands in every path. */
static inline const char *sip_span(const char *at, const char *end, int classes)
{
    for (; end - at >= 4; at += 4) {
        if (!sip_char_is(at[0], classes))
            return at;
        if (!sip_char_is(at[1], classes))
            return at + 1;
        if (!sip_char_is(at[2], classes))
            return at + 2;
        if (!sip_char_is(at[3], classes))
            return at + 3;
    }
    while (at < end && sip_char_is(*at, classes))
        at++;
    return at;
}

/* `s` begins with a quote: length of the quoted string with both quotes, 0 when it never
 * ends. A backslash hides the character after it. */
size_t sip_quoted_len(slice s);

/* As slice_find_char, for the few dozen bytes that a value has: a call of memchr costs more
 * than the search. */
static inline ptrdiff_t sip_find_char(slice s, char c)
{
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8(c);
    size_t at = 0;
    int found;

    if (s.len >= 16) {
        for (; s.len - at >= 16; at += 16) {
            __m128i block = _mm_loadu_si128((const __m128i *)(s.ptr + at));

            found = _mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted));
            if (found)
                return (ptrdiff_t)at + __builtin_ctz((unsigned)found);
        }
        if (at == s.len)
            return -1;
        /* The last 16 bytes: those of them that were looked at do not match. */
        at = s.len - 16;
        __m128i block = _mm_loadu_si128((const __m128i *)(s.ptr + at));

        found = _mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted));
        return found ? (ptrdiff_t)at + __builtin_ctz((unsigned)found) : -1;
    }
#endif
    return slice_find_char(s, c);
}

/* The slice cut at its first byte `c`: *ret_tail begins with it, or is empty. */
static inline slice sip_cut_at(slice s, char c, slice *ret_tail)
{
    ptrdiff_t at = sip_find_char(s, c);
    size_t head = at < 0 ? s.len : (size_t)at;

    *ret_tail = (slice){ head ? s.ptr + head : s.ptr, s.len - head };
    return (slice){ s.ptr, head };
}

/* The start line (7.1, 7.2), without its end. What it is, before anybody judges it. */
struct sip_start {
    bool  is_request;
    slice method, uri, version;      /* of a request; uri may be empty or hold blanks */
    slice status_text, reason;       /* of a response, with version */
};
bool sip_start_read(slice line, struct sip_start *ret);        /* false: not SIP */
/* Bytes of a stream without a line end yet: can they grow into a start line? */
#define SIP_START_LINE_MAX 8192u
bool sip_start_may_begin(slice s);

/* What is wrong with it as a Request-URI, or SIP_FLAW_NONE. */
enum sip_flaw_kind sip_request_uri_flaw(slice uri);

/* Decoders that also say what is wrong. They fill *ret as far as they can. */
enum sip_flaw_kind sip_name_addr_read(slice value, struct sip_name_addr *ret);
enum sip_flaw_kind sip_via_read(slice value, struct sip_via *ret);
enum sip_flaw_kind sip_cseq_read(slice value, struct sip_cseq *ret);

#endif
