/* media/playout_test.c - see playout.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/playout.h"

#include "call/stream.h"
#include "harness/test.h"

#define MS 1000000LL
#define FRAME 20

struct arrivals {
    struct media_playout p;
    int     n;                       /* packets so far; 50 are a second */
    int64_t last_ms;                 /* delay of the newest */
};

static void begin(struct arrivals *a)
{
    *a = (struct arrivals){0};
    media_playout_begin(&a->p);
}

/* So many packets with this delay. */
static void arrive(struct arrivals *a, int count, int64_t delay_ms)
{
    for (int i = 0; i < count; i++) {
        media_playout_feed(&a->p, (delay_ms - a->last_ms) * MS, FRAME);
        a->last_ms = delay_ms;
        if (++a->n % 50 == 0)
            media_playout_second(&a->p, FRAME);
    }
}

TEST(what_comes_evenly_is_never_late)
{
    struct arrivals a;

    begin(&a);
    for (int i = 0; i < 1000; i++)
        arrive(&a, 1, i % 3);
    for (int i = 0; i < STREAM_BUFFERS; i++)
        CHECK_ROW_EQ(i, a.p.discarded[i], 0);
    CHECK(a.p.target_ms >= 20 && a.p.target_ms <= 40);    /* it shrinks to what is needed */
}

TEST(a_packet_behind_its_time_is_late_for_the_buffer_that_is_too_small)
{
    static const struct { int64_t late_ms; bool f50, f200; } rows[] = {
        { 45, false, false }, { 60, true, false }, { 190, true, false }, { 210, true, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arrivals a;

        begin(&a);
        arrive(&a, 30, 0);
        arrive(&a, 1, rows[i].late_ms);
        arrive(&a, 30, 0);
        CHECK_ROW_EQ(i, a.p.discarded[STREAM_FIXED_50], rows[i].f50);
        CHECK_ROW_EQ(i, a.p.discarded[STREAM_FIXED_200], rows[i].f200);
    }
}

TEST(the_adaptive_buffer_grows_at_once_and_shrinks_slowly)
{
    struct arrivals a;

    begin(&a);
    arrive(&a, 100, 0);
    arrive(&a, 1, 100);
    CHECK_EQ(a.p.discarded[STREAM_ADAPTIVE], 1);
    CHECK(a.p.target_ms >= 100);
    uint16_t grown = a.p.target_ms;

    for (int i = 0; i < 49; i++)
        arrive(&a, 1, i % 2 ? 100 : 0);                   /* now it is in time */
    CHECK_EQ(a.p.discarded[STREAM_ADAPTIVE], 1);
    for (int i = 0; i < 1000; i++) {
        arrive(&a, 1, 0);
        CHECK_ROW(i, a.p.target_ms <= grown + 20 && a.p.target_ms >= 20);
    }
    CHECK(a.p.target_ms < 40);
}

TEST(a_delay_that_stays_is_followed_and_costs_a_few_packets_only)
{
    struct arrivals a;

    begin(&a);
    arrive(&a, 500, 0);
    arrive(&a, 1000, 500);
    CHECK_EQ(a.p.discarded[STREAM_FIXED_50], MEDIA_RESYNC);
    CHECK_EQ(a.p.discarded[STREAM_FIXED_200], MEDIA_RESYNC);
    CHECK(a.p.discarded[STREAM_ADAPTIVE] < 600);          /* until the base has followed */
}

TEST(a_clock_that_drifts_discards_nothing_and_is_measured)
{
    for (int ppm = -200; ppm <= 200; ppm += 200) {
        struct media_playout p;
        int64_t moved_ns = 0;

        media_playout_begin(&p);
        for (int n = 1; n <= 50 * 600; n++) {             /* ten minutes: 120 ms */
            int64_t now_ns = (int64_t)n * 20 * ppm;       /* 20 ms, in ns for each ppm */

            media_playout_feed(&p, now_ns - moved_ns, FRAME);
            moved_ns = now_ns;
            if (n % 50 == 0)
                media_playout_second(&p, FRAME);
        }
        for (int i = 0; i < STREAM_BUFFERS; i++)
            CHECK_ROW_EQ(ppm, p.discarded[i], 0);
        CHECK_NEAR((double)p.drift_sum_us / (p.drift_halves * MEDIA_HALF_S), ppm, 10);
    }
}

TEST(a_new_spurt_lays_the_schedule_anew)
{
    struct arrivals a;

    begin(&a);
    arrive(&a, 20, 0);
    media_playout_feed(&a.p, 45 * MS, FRAME);
    a.last_ms = 45;
    media_playout_rebase(&a.p);
    arrive(&a, 1, 90);                                    /* 45 behind its schedule */
    CHECK_EQ(a.p.discarded[STREAM_FIXED_50], 0);
    arrive(&a, 1, 100);
    CHECK_EQ(a.p.discarded[STREAM_FIXED_50], 1);
}
