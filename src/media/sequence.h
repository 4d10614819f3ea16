/* media/sequence.h - which sequence numbers of a stream came (RFC 3550, A.1).
 * SPDX-License-Identifier: Apache-2.0
 *
 * A number is lost when it was never seen; what came twice cannot hide that. The last 960 to 1024
 * numbers are remembered one by one, so a late packet takes its loss back. A jump of
 * MEDIA_DROPOUT_MAX and more, or one for which not enough time has passed, is no loss: the sender
 * began anew (another source, an announcement), which is told by two packets in a row.
 * Owns nothing and cannot fail; zero is ready to use. */
#ifndef MEDIA_SEQUENCE_H
#define MEDIA_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define MEDIA_DROPOUT_MAX  3000u
#define MEDIA_MISORDER_MAX 100u      /* before the first packet that was seen */
#define MEDIA_WINDOW_WORDS 16u
#define MEDIA_WINDOW       960u      /* numbers behind the highest that are surely remembered */

enum media_seen {
    MEDIA_NEXT,                      /* a new number, the highest so far */
    MEDIA_LATE,                      /* a new number that was missing: reordered */
    MEDIA_AGAIN,                     /* seen before */
    MEDIA_RESTART,                   /* begins anew here; two packets when `pair` is set */
    MEDIA_UNSURE,                    /* far off; not counted unless its successor comes, too */
};

struct media_sequence {
    uint64_t bits[MEDIA_WINDOW_WORDS];           /* number n: bit n % 64 of word n / 64 % 16 */
    uint32_t max;                    /* highest number, wraps counted above the lower 16 bits */
    uint32_t first;                  /* of this segment */
    uint32_t received, missing, reordered, restarts, strays;
    uint16_t expected_anew;          /* what would confirm a restart */
    bool     started, unsure;
};

/* The usual case, apart because it is every packet. False: media_sequence_note has to judge. */
static inline bool media_sequence_next(struct media_sequence *q, uint16_t number)
{
    if (__builtin_expect(!q->started || number != (uint16_t)(q->max + 1), 0))
        return false;
    uint32_t n = ++q->max;

    if ((n & 63) == 0)
        q->bits[n >> 6 & (MEDIA_WINDOW_WORDS - 1)] = 0;
    q->bits[n >> 6 & (MEDIA_WINDOW_WORDS - 1)] |= UINT64_C(1) << (n & 63);
    q->received++;
    return true;
}

/* `plausible`: how many numbers may have been skipped at most in the time since the last packet.
 * *ret_number: its number with wraps counted, for all but MEDIA_UNSURE. */
enum media_seen media_sequence_note(struct media_sequence *q, uint16_t number, uint32_t plausible,
                                    uint32_t *ret_number);
/* 64 numbers of the window from a multiple of 64 on, lowest bit first. */
static inline uint64_t media_sequence_word(const struct media_sequence *q, uint32_t number)
{
    return q->bits[number >> 6 & (MEDIA_WINDOW_WORDS - 1)];
}

#endif
