/* media/sequence.c - see sequence.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/sequence.h"

#include <string.h>

static uint64_t *word_of(struct media_sequence *q, uint32_t n)
{
    return &q->bits[n >> 6 & (MEDIA_WINDOW_WORDS - 1)];
}

static bool bit_set(struct media_sequence *q, uint32_t n)
{
    uint64_t bit = UINT64_C(1) << (n & 63), *word = word_of(q, n);
    bool was = *word & bit;

    *word |= bit;
    return was;
}

/* Extended numbers begin above 65536, so those before the first packet have room. */
static void begin(struct media_sequence *q, uint16_t number)
{
    memset(q->bits, 0, sizeof q->bits);
    q->max = q->first = 0x10000u + number;
    q->started = true;
    q->unsure = false;
    q->received++;
    bit_set(q, q->max);
}

static void skip_to(struct media_sequence *q, uint32_t n)
{
    uint32_t words = (n >> 6) - (q->max >> 6);

    if (words >= MEDIA_WINDOW_WORDS)
        memset(q->bits, 0, sizeof q->bits);
    else
        for (uint32_t i = 1; i <= words; i++)
            *word_of(q, q->max + 64 * i) = 0;
    q->missing += n - q->max - 1;
    q->max = n;
    q->received++;
    bit_set(q, n);
}

/* Within what is remembered, or shortly before the first packet. */
static enum media_seen behind(struct media_sequence *q, uint32_t n)
{
    if (n < q->first) {                                   /* the very first packets came in disorder */
        q->missing += q->first - n;
        q->first = n;
    }
    if (bit_set(q, n))
        return MEDIA_AGAIN;
    q->received++;
    q->reordered++;
    q->missing--;
    return MEDIA_LATE;
}

static bool is_remembered(const struct media_sequence *q, uint32_t back)
{
    uint32_t n = q->max - back;

    return back < MEDIA_WINDOW && (n >= q->first || q->first - n <= MEDIA_MISORDER_MAX);
}

static enum media_seen anew(struct media_sequence *q, uint16_t number)
{
    q->restarts++;
    begin(q, number);
    return MEDIA_RESTART;
}

enum media_seen media_sequence_note(struct media_sequence *q, uint16_t number, uint32_t plausible,
                                    uint32_t *ret_number)
{
    uint16_t ahead = (uint16_t)(number - (uint16_t)q->max), back = (uint16_t)((uint16_t)q->max - number);
    enum media_seen seen = MEDIA_NEXT;

    if (!q->started) {
        begin(q, number);
    } else if (is_remembered(q, back)) {
        seen = behind(q, q->max - back);
        *ret_number = q->max - back;
        return seen;
    } else if (q->unsure && number == q->expected_anew) {
        seen = anew(q, (uint16_t)(number - 1));           /* the one before is counted after all */
        q->strays--;
        (void)media_sequence_next(q, number);
    } else if (ahead < MEDIA_DROPOUT_MAX && ahead - 1u <= plausible) {
        skip_to(q, q->max + ahead);
        q->unsure = false;
    } else {
        q->strays++;
        q->unsure = true;
        q->expected_anew = (uint16_t)(number + 1);
        return MEDIA_UNSURE;
    }
    *ret_number = q->max;
    return seen;
}
