/* media/sequence_test.c - see sequence.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/sequence.h"

#include "harness/test.h"

#define ANY UINT32_MAX

static enum media_seen see(struct media_sequence *q, uint16_t number)
{
    uint32_t ignored;

    return media_sequence_next(q, number) ? MEDIA_NEXT : media_sequence_note(q, number, ANY, &ignored);
}

static void see_run(struct media_sequence *q, uint16_t from, unsigned count)
{
    while (count--)
        see(q, from++);
}

TEST(a_number_is_lost_only_while_it_was_never_seen)
{
    struct media_sequence q = {0};

    see_run(&q, 100, 10);
    CHECK_EQ(see(&q, 113), MEDIA_NEXT);                   /* 110, 111, 112 are missing */
    CHECK_EQ(q.missing, 3);
    CHECK_EQ(see(&q, 111), MEDIA_LATE);
    CHECK_EQ(see(&q, 111), MEDIA_AGAIN);                  /* a duplicate cannot hide loss */
    CHECK_EQ(see(&q, 113), MEDIA_AGAIN);
    CHECK_EQ(q.missing, 2);
    CHECK_EQ(q.reordered, 1);
    CHECK_EQ(q.received, 12);
}

TEST(numbers_wrap_without_loss)
{
    struct media_sequence q = {0};

    see_run(&q, 65530, 20);
    CHECK_EQ(q.received, 20);
    CHECK_EQ(q.missing, 0);
    CHECK_EQ(q.restarts, 0);
    CHECK_EQ(see(&q, 65535), MEDIA_AGAIN);                /* from before the wrap */
    CHECK_EQ((uint16_t)q.max, 13);
}

TEST(every_number_counts_once_over_many_wraps)
{
    struct media_sequence q = {0};
    uint32_t dropped = 0;

    for (uint32_t n = 0; n < 200000; n++) {
        if (n % 97 == 96) {                               /* lost for good */
            dropped++;
            continue;
        }
        see(&q, (uint16_t)n);
        if (n % 101 == 0)
            CHECK_ROW_EQ(n, see(&q, (uint16_t)n), MEDIA_AGAIN);
    }
    CHECK_EQ(q.missing, dropped);
    CHECK_EQ(q.received, 200000 - dropped);
    CHECK_EQ(q.restarts, 0);
}

TEST(the_first_packets_may_come_in_disorder)
{
    struct media_sequence q = {0};

    see(&q, 10);
    CHECK_EQ(see(&q, 8), MEDIA_LATE);
    CHECK_EQ(q.missing, 1);
    CHECK_EQ(see(&q, 9), MEDIA_LATE);
    CHECK_EQ(q.missing, 0);
    CHECK_EQ(q.received, 3);
    see(&q, 0);
    CHECK_EQ(see(&q, 65535), MEDIA_LATE);                 /* behind the wrap, too */
    CHECK_EQ(q.missing, 7);
}

TEST(a_far_jump_is_a_restart_and_no_loss_when_a_second_packet_confirms_it)
{
    struct media_sequence q = {0};
    uint32_t number;

    see_run(&q, 1000, 50);
    CHECK_EQ(see(&q, 30000), MEDIA_UNSURE);
    CHECK_EQ(see(&q, 1050), MEDIA_NEXT);                  /* it was one stray packet */
    CHECK_EQ(q.received, 51);
    CHECK_EQ(see(&q, 30000), MEDIA_UNSURE);
    CHECK_EQ(media_sequence_note(&q, 30001, ANY, &number), MEDIA_RESTART);
    CHECK_EQ(q.received, 53);
    CHECK_EQ(q.missing, 0);
    CHECK_EQ(q.restarts, 1);
    CHECK_EQ(q.strays, 1);
    CHECK_EQ((uint16_t)number, 30001);
    CHECK_EQ(see(&q, 30000), MEDIA_AGAIN);
}

TEST(a_jump_for_which_there_was_no_time_is_no_loss)
{
    struct media_sequence q = {0};
    uint32_t number;

    see_run(&q, 1, 100);
    CHECK_EQ(media_sequence_note(&q, 700, 25, &number), MEDIA_UNSURE);
    CHECK_EQ(media_sequence_note(&q, 701, 25, &number), MEDIA_RESTART);
    CHECK_EQ(q.missing, 0);
    CHECK_EQ(media_sequence_note(&q, 727, 25, &number), MEDIA_NEXT);
    CHECK_EQ(q.missing, 25);
}

TEST(backwards_beyond_what_is_remembered_is_no_duplicate)
{
    struct media_sequence q = {0};

    see_run(&q, 1, 5000);
    CHECK_EQ(see(&q, 4100), MEDIA_AGAIN);
    CHECK_EQ(see(&q, 3000), MEDIA_UNSURE);
    CHECK_EQ(see(&q, 3001), MEDIA_RESTART);
}

TEST(any_order_of_any_numbers_keeps_the_counts_in_range)
{
    struct media_sequence q = {0};
    uint64_t chance = 1;

    for (unsigned i = 0; i < 100000; i++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        uint16_t number = (uint16_t)(chance >> 48);

        if (chance & 0x10000)
            number = (uint16_t)(q.max + (number & 63) - 20);
        see(&q, number);
        CHECK_ROW(i, q.missing < 1u << 30);
        CHECK_ROW(i, q.received <= i + 1);
        CHECK_ROW(i, q.max >= q.first);
    }
}
