/* media/playout.c - see playout.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/playout.h"

#include <string.h>

#define MS_NS 1000000LL
#define TARGET_LEAST_MS 20u
#define TARGET_MOST_MS  200u
#define TARGET_FIRST_MS 40u
#define DRIFT_STEP_MAX_NS (10 * MS_NS)           /* 2000 ppm over a half; more is the network */

static const int32_t fixed_us[2] = { 50000, 200000 };

static int64_t fixed_limit_ns(const struct media_playout *p, int i)
{
    return ((int64_t)p->offset_us[i] + fixed_us[i]) * 1000;
}

static int32_t bounded_us(int64_t ns)
{
    int64_t us = ns / 1000;

    return us > INT32_MAX / 2 ? INT32_MAX / 2 : us < INT32_MIN / 2 ? INT32_MIN / 2 : (int32_t)us;
}

static void limit_set(struct media_playout *p)
{
    int64_t limit = (int64_t)p->target_ms * MS_NS;

    for (int i = 0; i < 2; i++)
        limit = fixed_limit_ns(p, i) < limit ? fixed_limit_ns(p, i) : limit;
    /* a run of late ones has to be broken by one in time: look at each then */
    p->limit_ns = p->late_run[0] || p->late_run[1] ? -1 : limit;
}

void media_playout_begin(struct media_playout *p)
{
    memset(p, 0, sizeof *p);
    p->target_ms = TARGET_FIRST_MS;
    limit_set(p);
}

void media_playout_rebase(struct media_playout *p)
{
    for (int i = 0; i < 2; i++) {
        p->offset_us[i] = bounded_us(p->transit_ns - p->base_ns);
        p->late_run[i] = 0;
    }
    limit_set(p);
}

static void fixed_judge(struct media_playout *p, int i, int64_t over_ns)
{
    if (over_ns <= fixed_limit_ns(p, i)) {
        p->late_run[i] = 0;
        return;
    }
    p->discarded[i]++;
    if (++p->late_run[i] >= MEDIA_RESYNC) {
        p->offset_us[i] = bounded_us(over_ns);
        p->late_run[i] = 0;
    }
}

bool media_playout_late(struct media_playout *p, int64_t over_ns, uint16_t frame_ms)
{
    bool late = over_ns > (int64_t)p->target_ms * MS_NS;

    fixed_judge(p, 0, over_ns);
    fixed_judge(p, 1, over_ns);
    if (late) {
        int64_t wish_ms = over_ns / MS_NS + frame_ms + 1;

        p->discarded[2]++;
        p->target_ms = (uint16_t)(wish_ms < TARGET_MOST_MS ? wish_ms : TARGET_MOST_MS);
    }
    limit_set(p);
    return late;
}

static unsigned percentile_95_ms(const struct media_playout *p)
{
    unsigned total = 0, above = 0;

    for (unsigned i = 0; i < MEDIA_DELAY_BUCKETS; i++)
        total += p->buckets[i];
    for (unsigned i = MEDIA_DELAY_BUCKETS; i-- > 0;) {
        above += p->buckets[i];
        if (above * 20 > total)
            return (unsigned)(((uint64_t)(i + 1) << MEDIA_BUCKET_SHIFT) / MS_NS);
    }
    return 0;
}

static void offsets_move(struct media_playout *p, int64_t by_ns)
{
    for (int i = 0; i < 2; i++)
        p->offset_us[i] = bounded_us((int64_t)p->offset_us[i] * 1000 + by_ns);
}

void media_playout_lower(struct media_playout *p)
{
    offsets_move(p, p->base_ns - p->transit_ns);          /* the schedules stay where they are */
    p->base_ns = p->transit_ns;
    limit_set(p);
}

/* Slow movement is drift of a clock: the schedules go along, as receivers do. */
static void half_over(struct media_playout *p)
{
    int64_t moved_ns = p->half_ns - p->last_half_ns, rise_ns = p->half_ns - p->base_ns;
    bool drift = moved_ns < DRIFT_STEP_MAX_NS && moved_ns > -DRIFT_STEP_MAX_NS;

    offsets_move(p, -rise_ns + (drift ? moved_ns : 0));
    p->base_ns += rise_ns;
    if (drift && p->drift_halves < UINT16_MAX) {
        p->drift_sum_us += (int32_t)(moved_ns / 1000);
        p->drift_halves++;
    } else if (!drift) {
        memset(p->buckets, 0, sizeof p->buckets);
    }
    p->last_half_ns = p->half_ns;
    p->half_ns = p->transit_ns;
    p->seconds = 0;
}

void media_playout_second(struct media_playout *p, uint16_t frame_ms)
{
    unsigned wish_ms = percentile_95_ms(p) + frame_ms;

    wish_ms = wish_ms < TARGET_LEAST_MS ? TARGET_LEAST_MS : wish_ms > TARGET_MOST_MS ? TARGET_MOST_MS : wish_ms;
    if (wish_ms > p->target_ms)
        p->target_ms = (uint16_t)wish_ms;
    else if (p->target_ms > wish_ms)
        p->target_ms = (uint16_t)(p->target_ms > wish_ms + frame_ms ? (unsigned)p->target_ms - frame_ms : wish_ms);
    p->target_sum_ms += p->target_ms;
    p->target_seconds++;
    for (unsigned i = 0; i < MEDIA_DELAY_BUCKETS; i++)    /* what is 4 s old weighs a third */
        p->buckets[i] = (uint8_t)(p->buckets[i] * 3u / 4u);
    if (++p->seconds >= MEDIA_HALF_S)
        half_over(p);
    limit_set(p);
}
