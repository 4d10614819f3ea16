/* base/tally_test.c - how many there are at once
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/tally.h"

static const struct hash_seed seed = { 1, 2 };

TEST(the_most_of_a_name_is_reached_and_never_passed_and_one_that_goes_makes_room)
{
    struct tally *t = tally_new(&seed, NULL);
    struct tally_one *a = tally_take(t, SLICE("alice"), 2), *b = tally_take(t, SLICE("alice"), 2);

    CHECK(a && a == b);
    CHECK(tally_take(t, SLICE("alice"), 2) == NULL);
    CHECK_EQ(tally_count(t, SLICE("alice")), 2);
    CHECK_EQ(tally_count(t, SLICE("alic")), 0);
    tally_give_back(t, &a);
    CHECK(a == NULL);
    tally_give_back(t, &a);                               /* nothing */
    CHECK_EQ(tally_count(t, SLICE("alice")), 1);
    CHECK((a = tally_take(t, SLICE("alice"), 2)) != NULL);
    tally_give_back(t, &a);
    tally_give_back(t, &b);
    CHECK_EQ(tally_count(t, SLICE("alice")), 0);
    tally_free(t);
}

TEST(names_are_counted_apart_and_the_empty_one_is_a_name)
{
    struct tally *t = tally_new(&seed, NULL);
    struct tally_one *all[200];
    char name[8];

    CHECK(tally_take(t, SLICE(""), 1) && !tally_take(t, SLICE(""), 1));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        snprintf(name, sizeof name, "u%zu", i);
        CHECK((all[i] = tally_take(t, slice_of_string(name), 1)) != NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i += 2)
        tally_give_back(t, &all[i]);
    CHECK_EQ(tally_count(t, SLICE("u0")), 0);
    CHECK_EQ(tally_count(t, SLICE("u1")), 1);
    CHECK(slice_eq(tally_name(all[1]), SLICE("u1")));
    CHECK_EQ(tally_count(t, SLICE("")), 1);
    tally_free(t);                                        /* with what is still taken */
}

static void count_it(void *ctx) { ++*(int *)ctx; }

TEST(a_lock_is_held_when_something_is_counted_and_given_back_each_time)
{
    int taken = 0;
    struct lock lock = { &taken, count_it, count_it };
    struct tally *t = tally_new(&seed, &lock);
    struct tally_one *one = tally_take(t, SLICE("x"), 1);

    CHECK_EQ(taken, 2);
    CHECK(tally_take(t, SLICE("x"), 1) == NULL);
    CHECK_EQ(taken, 4);
    tally_give_back(t, &one);
    CHECK_EQ(taken, 6);
    CHECK_EQ(tally_count(t, SLICE("x")), 0);
    CHECK_EQ(taken, 8);
    tally_free(t);
}

TORTURE(a_tally_without_memory_counts_nothing_rather_than_wrong)
{
    struct tally *t = tally_new(&seed, NULL);
    struct tally_one *one = t ? tally_take(t, SLICE("x"), 1) : NULL;

    if (t)
        CHECK_EQ(tally_count(t, SLICE("x")), one != NULL);
    tally_free(t);
}
