/* media/playout.h - which packets come too late for the jitter buffer of a receiver.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Three buffers are followed at once: fixed 50 ms and fixed 200 ms, whose schedule is laid by the
 * first packet of a spurt (slow drift of the clocks moves it along), and an adaptive one, whose delay is the 95th percentile of the last 4 s
 * plus one frame, 20 to 200 ms: it grows at once and shrinks by a frame a second. The delay of a
 * packet is relative: to the smallest of the last 5 to 10 s, so a clock that drifts does no harm.
 * A fixed buffer that finds MEDIA_RESYNC packets in a row too late lays its schedule anew.
 * In nanoseconds; owns nothing, cannot fail; begin with media_playout_begin. */
#ifndef MEDIA_PLAYOUT_H
#define MEDIA_PLAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define MEDIA_RESYNC 10u
#define MEDIA_HALF_S 5u
#define MEDIA_DELAY_BUCKETS 32u      /* of 8.4 ms */
#define MEDIA_BUCKET_SHIFT 23u

struct media_playout {
    int64_t  transit_ns;             /* delay of the newest packet, counted from that of the first */
    int64_t  base_ns;                /* smallest of the last half and of the one under way */
    int64_t  half_ns, last_half_ns;  /* smallest of the half that is under way, and of the last */
    int64_t  limit_ns;               /* a delay over base up to this is in time for all three */
    int32_t  offset_us[2];           /* the fixed schedules: base + offset + 50 or 200 ms */
    int32_t  drift_sum_us;           /* slow movement of the base */
    uint32_t discarded[3];           /* as enum stream_buffer_kind */
    uint32_t target_sum_ms, target_seconds;
    uint16_t drift_halves;           /* of 5 s, in which it moved slowly */
    uint16_t target_ms;              /* of the adaptive one */
    uint8_t  late_run[2];
    uint8_t  seconds;                /* of the half */
    uint8_t  buckets[MEDIA_DELAY_BUCKETS];
};

void media_playout_begin(struct media_playout *p);
/* The schedule is laid anew: talk spurt, jump, restart. */
void media_playout_rebase(struct media_playout *p);
void media_playout_lower(struct media_playout *p);        /* earlier than any before */
/* Late for some buffer: counts. True: the adaptive one discards it. */
bool media_playout_late(struct media_playout *p, int64_t over_ns, uint16_t frame_ms);
void media_playout_second(struct media_playout *p, uint16_t frame_ms);      /* once a second */

/* A packet whose delay differs from the one before by `d_ns` (media/jitter.h). True: the adaptive
 * buffer discards it. */
static inline bool media_playout_feed(struct media_playout *p, int64_t d_ns, uint16_t frame_ms)
{
    p->transit_ns += d_ns;
    if (p->transit_ns < p->half_ns)
        p->half_ns = p->transit_ns;
    int64_t over_ns = p->transit_ns - p->base_ns;

    if (__builtin_expect(over_ns < 0, 0)) {
        media_playout_lower(p);
        over_ns = 0;
    }
    uint64_t bucket = (uint64_t)over_ns >> MEDIA_BUCKET_SHIFT;
    uint8_t *count = &p->buckets[bucket < MEDIA_DELAY_BUCKETS ? bucket : MEDIA_DELAY_BUCKETS - 1];

    *count = (uint8_t)(*count + (*count < UINT8_MAX));
    if (__builtin_expect(over_ns <= p->limit_ns, 1))
        return false;
    return media_playout_late(p, over_ns, frame_ms);
}

#endif
