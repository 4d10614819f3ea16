/* media/burst_test.c - see burst.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/burst.h"

#include "harness/test.h"

/* '.' came, 'x' was lost. */
static struct media_burst_figures play(const char *packets)
{
    struct media_burst b = {0};

    for (; *packets; packets++)
        media_burst_feed(&b, *packets == '.', 1);
    return media_burst_figures(&b);
}

#define GOOD16 "................"

TEST(losses_near_each_other_are_a_burst_and_one_alone_is_not)
{
    static const struct { const char *packets; unsigned bursts; double burst_loss, burst_packets, gap_loss; } rows[] = {
        { "...................", 0, 0, 0, 0 },
        { GOOD16 "x" GOOD16, 0, 0, 0, 1.0 / 33 },
        { GOOD16 "xx" GOOD16, 1, 1, 2, 0 },
        { GOOD16 "x..x" GOOD16, 1, 0.5, 4, 0 },
        { GOOD16 "x...............x" GOOD16, 1, 2.0 / 17, 17, 0 },         /* 15 good ones between */
        { GOOD16 "x" GOOD16 "x" GOOD16, 0, 0, 0, 2.0 / 50 },               /* 16 */
        { "xx" GOOD16 "xxx" GOOD16, 2, 1, 2.5, 0 },
        { "xxxxxxxx", 1, 1, 8, 0 },
        { "", 0, 0, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct media_burst_figures f = play(rows[i].packets);

        CHECK_ROW_EQ(i, f.bursts, rows[i].bursts);
        CHECK_NEAR(f.burst_loss, rows[i].burst_loss, 1e-9);
        CHECK_NEAR(f.burst_packets, rows[i].burst_packets, 1e-9);
        CHECK_NEAR(f.gap_loss, rows[i].gap_loss, 1e-9);
    }
}

TEST(words_of_packets_and_single_ones_give_the_same)
{
    struct media_burst one = {0}, many = {0};
    uint64_t chance = 3;

    for (int i = 0; i < 200; i++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        uint64_t good = chance | chance << 7 | chance >> 9;
        unsigned count = 1 + (unsigned)(chance >> 58);

        media_burst_feed(&many, good, count);
        for (unsigned k = 0; k < count; k++)
            media_burst_feed(&one, good >> k & 1, 1);
    }
    CHECK_MEM_EQ(&one, &many, sizeof one);
    CHECK(one.bad > 0);
}

TEST(burst_r_is_the_length_of_runs_against_chance)
{
    CHECK_NEAR(play(GOOD16 "x" GOOD16).burst_r, 1, 1e-9);
    CHECK_NEAR(play(GOOD16 "xxxx" GOOD16 GOOD16).burst_r, 4 * (1 - 4.0 / 52), 1e-9);
    CHECK_NEAR(play("x.x.x.x.").burst_r, 1, 1e-9);        /* never below 1 */
    CHECK_NEAR(play("xxxx").burst_r, 1, 1e-9);            /* nothing came: says nothing */
}
