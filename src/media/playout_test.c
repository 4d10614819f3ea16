/* media/playout_test.c - see playout.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/playout.h"

#include "call/stream.h"
#include "harness/test.h"

#define MS 1000000LL
#define FRAME 20

/* Packet n with this delay; 50 packets are a second. */
static void arrive(struct media_playout *p, int *n, int64_t *last_ms, int64_t delay_ms)
{
    media_playout_feed(p, (delay_ms - *last_ms) * MS, FRAME);
    *last_ms = delay_ms;
    if (++*n % 50 == 0)
        media_playout_second(p, FRAME);
}

TEST(what_comes_evenly_is_never_late)
{
    struct media_playout p;
    int n = 0;
    int64_t last = 0;

    media_playout_begin(&p);
    for (int i = 0; i < 1000; i++)
        arrive(&p, &n, &last, i % 3);
    for (int i = 0; i < STREAM_BUFFERS; i++)
        CHECK_ROW_EQ(i, p.discarded[i], 0);
    CHECK(p.target_ms >= 20 && p.target_ms <= 40);        /* it shrinks to what is needed */
}

TEST(a_packet_behind_its_time_is_late_for_the_buffer_that_is_too_small)
{
    static const struct { int64_t late_ms; bool f50, f200; } rows[] = {
        { 45, false, false }, { 60, true, false }, { 190, true, false }, { 210, true, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct media_playout p;
        int n = 0;
        int64_t last = 0;

        media_playout_begin(&p);
        for (int k = 0; k < 30; k++)
            arrive(&p, &n, &last, 0);
        arrive(&p, &n, &last, rows[i].late_ms);
        for (int k = 0; k < 30; k++)
            arrive(&p, &n, &last, 0);
        CHECK_ROW_EQ(i, p.discarded[STREAM_FIXED_50], rows[i].f50);
        CHECK_ROW_EQ(i, p.discarded[STREAM_FIXED_200], rows[i].f200);
    }
}

TEST(the_adaptive_buffer_grows_at_once_and_shrinks_slowly)
{
    struct media_playout p;
    int n = 0;
    int64_t last = 0;

    media_playout_begin(&p);
    for (int i = 0; i < 100; i++)
        arrive(&p, &n, &last, 0);
    arrive(&p, &n, &last, 100);
    CHECK_EQ(p.discarded[STREAM_ADAPTIVE], 1);
    CHECK(p.target_ms >= 100);
    uint16_t grown = p.target_ms;

    for (int i = 0; i < 49; i++)
        arrive(&p, &n, &last, i % 2 ? 100 : 0);           /* now it is in time */
    CHECK_EQ(p.discarded[STREAM_ADAPTIVE], 1);
    for (int i = 0; i < 1000; i++) {
        arrive(&p, &n, &last, 0);
        CHECK_ROW(i, p.target_ms <= grown + 20 && p.target_ms >= 20);
    }
    CHECK(p.target_ms < 40);
}

TEST(a_delay_that_stays_is_followed_and_costs_a_few_packets_only)
{
    struct media_playout p;
    int n = 0;
    int64_t last = 0;

    media_playout_begin(&p);
    for (int i = 0; i < 500; i++)
        arrive(&p, &n, &last, 0);
    for (int i = 0; i < 1000; i++)
        arrive(&p, &n, &last, 500);
    CHECK_EQ(p.discarded[STREAM_FIXED_50], MEDIA_RESYNC);
    CHECK_EQ(p.discarded[STREAM_FIXED_200], MEDIA_RESYNC);
    CHECK(p.discarded[STREAM_ADAPTIVE] < 600);            /* until the base has followed */
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
    struct media_playout p;
    int n = 0;
    int64_t last = 0;

    media_playout_begin(&p);
    for (int i = 0; i < 20; i++)
        arrive(&p, &n, &last, 0);
    media_playout_feed(&p, 45 * MS, FRAME);
    last = 45;
    media_playout_rebase(&p);
    arrive(&p, &n, &last, 90);                            /* 45 behind its schedule */
    CHECK_EQ(p.discarded[STREAM_FIXED_50], 0);
    arrive(&p, &n, &last, 100);
    CHECK_EQ(p.discarded[STREAM_FIXED_50], 1);
}
