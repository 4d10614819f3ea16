/* sip/lines.h - finds the line ends of a message, 64 bytes at a time.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct sip_lines lines;
 *     sip_lines_init(&lines, at, end);
 *     while ((lf = sip_lines_next(&lines)) != NULL)
 *         ...
 *
 * A call of memchr for each short line costs twice as much. SSE2 is part of every x86-64;
 * elsewhere the plain words do the same, and a test compares the two. */
#ifndef SIP_LINES_H
#define SIP_LINES_H

#include <endian.h>

#include "base/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct sip_lines {
    const char *block, *end;         /* the 64 bytes looked at now (or fewer, at the end) */
    uint64_t    found;               /* bit n: an LF at block + n, not yet given out */
};

/* Bit n of the result: byte n is an LF. */
static inline uint64_t sip_lf_mask_plain(const char *bytes)
{
    uint64_t mask = 0, word;

    for (int i = 0; i < 8; i++) {
        memcpy(&word, bytes + 8 * i, 8);
        word = le64toh(word) ^ 0x0a0a0a0a0a0a0a0au;
        word = ~(((word & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu) | word) & 0x8080808080808080u;
        mask |= ((word >> 7) * 0x0102040810204080u >> 56) << (8 * i);
    }
    return mask;
}

static inline uint64_t sip_lf_mask(const char *bytes)
{
#ifdef __SSE2__
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i *at = (const __m128i *)bytes;
    uint64_t a = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(at), lf));
    uint64_t b = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(at + 1), lf));
    uint64_t c = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(at + 2), lf));
    uint64_t d = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(at + 3), lf));

    return a | b << 16 | c << 32 | d << 48;
#else
    return sip_lf_mask_plain(bytes);
#endif
}

static inline uint64_t sip_lines_look(const struct sip_lines *lines)
{
    if (__builtin_expect(lines->end - lines->block >= 64, 1))
        return sip_lf_mask(lines->block);
    char tail[64] = { 0 };

    if (lines->block < lines->end)
        memcpy(tail, lines->block, (size_t)(lines->end - lines->block));
    return sip_lf_mask(tail);
}

static inline void sip_lines_init(struct sip_lines *lines, const char *at, const char *end)
{
    lines->block = at, lines->end = end;
    lines->found = sip_lines_look(lines);
}

static inline const char *sip_lines_next(struct sip_lines *lines)
{
    while (!lines->found) {
        if (lines->end - lines->block <= 64)
            return NULL;
        lines->block += 64;
        lines->found = sip_lines_look(lines);
    }
    const char *lf = lines->block + __builtin_ctzll(lines->found);

    lines->found &= lines->found - 1;
    return lf;
}

#endif
