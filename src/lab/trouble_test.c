/* lab/trouble_test.c - what happens to datagrams follows from the seed, and nothing to connections
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/trouble.h"

#include "harness/test.h"

enum { MESSAGES = 2000 };
#define MS 1000000ll

static unsigned came[MESSAGES];
static int      last, overtaken;

static int take(void *ctx, struct hop *to, slice bytes)
{
    uint32_t number = 0;

    (void)ctx, (void)to;
    (void)slice_to_u32(bytes, &number);
    came[number]++;
    overtaken += (int)number < last;
    last = (int)number;
    return 0;
}

static struct trouble_counts run(const struct trouble_settings *settings, enum wire_transport transport)
{
    struct hop_sender inner = { NULL, take, NULL };
    struct trouble *r = trouble_new(settings, &inner);
    struct hop hop = { .transport = (uint8_t)transport };
    struct trouble_counts counts = { 0 };

    memset(came, 0, sizeof came);
    last = overtaken = 0;
    if (!r)
        return counts;
    struct hop_sender sender = trouble_sender(r);

    for (int i = 0; i < MESSAGES; i++) {
        char text[16];
        int len = snprintf(text, sizeof text, "%d", i);

        trouble_time(r, i * MS);
        CHECK_EQ(sender.send(sender.ctx, &hop, slice_of(text, (size_t)len)), 0);
    }
    counts = *trouble_counts(r);
    trouble_time(r, (MESSAGES + 1000) * MS);
    CHECK(trouble_next_ns(r) == INT64_MAX);
    trouble_free(r);
    return counts;
}

static unsigned sum(void)
{
    unsigned all = 0;

    for (int i = 0; i < MESSAGES; i++)
        all += came[i];
    return all;
}

TEST(a_share_is_lost_and_a_share_comes_twice_and_the_seed_says_which)
{
    struct trouble_settings settings = { .seed = 7, .loss_ppm = 50000, .twice_ppm = 20000, .delay_ns = 5 * MS };
    struct trouble_counts counts = run(&settings, WIRE_UDP), again;
    static unsigned first[MESSAGES];

    memcpy(first, came, sizeof first);
    CHECK(counts.lost > MESSAGES / 40 && counts.lost < MESSAGES / 10);
    CHECK(counts.doubled > MESSAGES / 100 && counts.doubled < MESSAGES / 20);
    CHECK_EQ(sum(), MESSAGES - counts.lost + counts.doubled);
    CHECK_EQ(overtaken, 0);                               /* one delay for all */
    again = run(&settings, WIRE_UDP);
    CHECK(again.lost == counts.lost && memcmp(first, came, sizeof first) == 0);
    settings.seed = 8;
    (void)run(&settings, WIRE_UDP);
    CHECK(memcmp(first, came, sizeof first) != 0);
}

TEST(jitter_lets_messages_overtake_each_other_and_loses_none)
{
    struct trouble_settings settings = { .seed = 1, .jitter_ns = 30 * MS };

    (void)run(&settings, WIRE_UDP);
    CHECK_EQ(sum(), MESSAGES);
    CHECK(overtaken > MESSAGES / 10);
}

TEST(a_connection_loses_and_swaps_nothing)
{
    struct trouble_settings settings = { .seed = 1, .loss_ppm = 500000, .twice_ppm = 500000, .jitter_ns = 30 * MS };

    (void)run(&settings, WIRE_TCP);
    CHECK_EQ(sum(), MESSAGES);
    CHECK_EQ(overtaken, 0);
}
