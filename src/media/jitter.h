/* media/jitter.h - interarrival jitter of one RTP stream (RFC 3550, 6.4.1 and A.8).
 * SPDX-License-Identifier: Apache-2.0
 *
 * In nanoseconds throughout, so that a change of clock needs no conversion. Feed packets in order
 * of arrival; where the sender's time line breaks (talk spurt, another clock, a jump) call
 * media_jitter_break first: the difference across the break says nothing. Owns nothing, cannot
 * fail; begin with media_jitter_begin.
 *
 *     media_jitter_begin(&j, 8000);
 *     d = media_jitter_feed(&j, arrival_ns, timestamp);   // by how much its delay differs
 *     media_jitter_ns(&j)                                                                   */
#ifndef MEDIA_JITTER_H
#define MEDIA_JITTER_H

#include <stdbool.h>
#include <stdint.h>

#define MEDIA_DIFFERENCE_MAX_NS 4000000000LL     /* more is no jitter; also keeps sums in range */
#define MEDIA_NO_ARRIVAL INT64_MIN

struct media_jitter {
    int64_t  last_arrival_ns;        /* MEDIA_NO_ARRIVAL: none, or the time line broke */
    uint64_t sum_ns;                 /* of the estimate after each packet: the mean is over these */
    uint64_t sixteenths_ns;          /* the estimate, times 16 */
    uint32_t max_ns;
    uint32_t tick_q12;               /* nanoseconds of a clock tick, times 4096 */
    uint32_t last_timestamp;
    uint32_t count;
};

/* Clocks of 1,000 Hz and more fit in 32 bits; there are no slower ones. */
static inline uint32_t media_tick_q12(uint32_t clock_hz)
{
    return clock_hz < 1000 ? 0 : (uint32_t)((UINT64_C(1000000000) << 12) / clock_hz);
}

static inline int64_t media_ticks_ns(uint32_t tick_q12, int32_t ticks)
{
    return (int64_t)ticks * (int64_t)tick_q12 >> 12;
}

static inline void media_jitter_break(struct media_jitter *j) { j->last_arrival_ns = MEDIA_NO_ARRIVAL; }
static inline bool media_jitter_is_started(const struct media_jitter *j) { return j->last_arrival_ns != MEDIA_NO_ARRIVAL; }

static inline void media_jitter_begin(struct media_jitter *j, uint32_t clock_hz)
{
    *j = (struct media_jitter){ .tick_q12 = media_tick_q12(clock_hz), .last_arrival_ns = MEDIA_NO_ARRIVAL };
}

/* Returns (Rj - Ri) - (Sj - Si) in nanoseconds, 0 for the first. */
static inline int64_t media_jitter_feed(struct media_jitter *j, int64_t arrival_ns, uint32_t timestamp)
{
    int32_t ticks = (int32_t)(timestamp - j->last_timestamp);
    bool started = media_jitter_is_started(j);
    int64_t d = (int64_t)((uint64_t)arrival_ns - (uint64_t)j->last_arrival_ns -
                          (uint64_t)media_ticks_ns(j->tick_q12, ticks));

    j->last_timestamp = timestamp;
    j->last_arrival_ns = arrival_ns;
    if (__builtin_expect(!started, 0))
        return 0;
    if (__builtin_expect((uint64_t)(d + MEDIA_DIFFERENCE_MAX_NS) > 2 * MEDIA_DIFFERENCE_MAX_NS, 0))
        return 0;
    j->sixteenths_ns += (uint64_t)(d < 0 ? -d : d) - ((j->sixteenths_ns + 8) >> 4);
    uint64_t now_ns = j->sixteenths_ns >> 4;

    j->sum_ns += now_ns;
    j->count++;
    if (now_ns > j->max_ns)
        j->max_ns = (uint32_t)now_ns;
    return d;
}

static inline uint64_t media_jitter_ns(const struct media_jitter *j) { return j->sixteenths_ns >> 4; }
static inline uint64_t media_jitter_mean_ns(const struct media_jitter *j)
{
    return j->count ? j->sum_ns / j->count : 0;
}

#endif
