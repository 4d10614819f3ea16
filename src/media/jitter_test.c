/* media/jitter_test.c - see jitter.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/jitter.h"

#include "harness/test.h"

#define MS 1000000LL

TEST(an_even_stream_has_no_jitter_at_any_clock)
{
    static const uint32_t clocks[] = { 8000, 16000, 48000, 90000, 44100, 11025, 1000 };

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        struct media_jitter j;

        media_jitter_begin(&j, clocks[i]);

        for (int n = 0; n < 100; n++)
            media_jitter_feed(&j, n * 20 * MS, (uint32_t)((uint64_t)n * clocks[i] / 50));
        CHECK_ROW(i, media_jitter_ns(&j) < 100000);       /* below a tick */
    }
}

TEST(jitter_is_that_of_the_formula)
{
    struct media_jitter j;

    media_jitter_begin(&j, 8000);
    double expected = 0, arrival = 0, last = 0;
    uint64_t chance = 7;

    for (int n = 0; n < 500; n++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        arrival = n * 20.0 + (double)(chance >> 60);      /* up to 15 ms late */
        if (n)
            expected += ((arrival - last - 20 < 0 ? -(arrival - last - 20) : arrival - last - 20) - expected) / 16;
        last = arrival;
        media_jitter_feed(&j, (int64_t)(arrival * MS), (uint32_t)n * 160);
        CHECK_NEAR((double)media_jitter_ns(&j) / MS, expected, 0.001);
    }
    CHECK(j.max_ns >= media_jitter_ns(&j));
    CHECK(media_jitter_mean_ns(&j) <= j.max_ns);
    CHECK(media_jitter_mean_ns(&j) > MS);
}

TEST(timestamps_wrap_and_a_break_is_not_measured)
{
    struct media_jitter j;

    media_jitter_begin(&j, 8000);

    media_jitter_feed(&j, 0, 0xffffff60);
    CHECK_EQ(media_jitter_feed(&j, 20 * MS, 0), 0);       /* 160 ticks on */
    media_jitter_break(&j);
    CHECK_EQ(media_jitter_feed(&j, 5000 * MS, 12345), 0);
    CHECK_EQ(media_jitter_ns(&j), 0);
    CHECK_EQ(media_jitter_feed(&j, 5030 * MS, 12345 + 160), 10 * MS);
}

TEST(a_difference_that_cannot_be_true_changes_nothing)
{
    struct media_jitter j;

    media_jitter_begin(&j, 8000);

    media_jitter_feed(&j, 0, 0);
    CHECK_EQ(media_jitter_feed(&j, 20 * MS, 0x7fffffff), 0);
    CHECK_EQ(media_jitter_feed(&j, INT64_C(4000000000000000000), 0), 0);
    CHECK_EQ(media_jitter_ns(&j), 0);
    CHECK_EQ(media_tick_q12(0), 0);
    CHECK_EQ(media_tick_q12(999), 0);
}
