/* base/timers_test.c - which is due next
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/timers.h"

enum { TIMERS = 500 };

/* The same numbers each time, well mixed. */
static int64_t mixed(int i)
{
    return (int64_t)(((uint32_t)i * 2654435761u) % 997);
}

TORTURE(timers_come_up_in_the_order_of_their_times)
{
    struct timers all = { 0 };
    static struct timer t[TIMERS];
    int64_t last = INT64_MIN;
    int came = 0;

    memset(t, 0, sizeof(t));
    for (int i = 0; i < TIMERS; i++)
        CHECK_OR_GOTO(timers_set(&all, &t[i], mixed(i)) == 0, out);
    for (struct timer *due; (due = timers_due(&all, INT64_MAX)); came++) {
        CHECK_ROW(came, due->at_ns >= last);
        CHECK_ROW_EQ(came, due->place, 0);
        last = due->at_ns;
    }
    CHECK_EQ(came, TIMERS);
    CHECK_EQ(timers_next_ns(&all), INT64_MAX);
out:
    timers_done(&all);
}

TEST(a_timer_comes_up_at_its_time_and_not_before)
{
    struct timers all = { 0 };
    struct timer a = { 0 }, b = { 0 };

    CHECK(timers_due(&all, INT64_MAX) == NULL);
    CHECK_EQ(timers_set(&all, &a, 100), 0);
    CHECK_EQ(timers_set(&all, &b, -5), 0);           /* before 1970 is a time, too */
    CHECK_EQ(timers_next_ns(&all), -5);
    CHECK(timers_due(&all, -6) == NULL);
    CHECK(timers_ripe(&all, -6) == NULL);
    CHECK(timers_ripe(&all, 99) == &b);                   /* and it stays */
    CHECK(timers_due(&all, 99) == &b);
    CHECK(timers_due(&all, 99) == NULL);
    CHECK(timers_due(&all, 100) == &a);
    timers_done(&all);
}

TEST(a_timer_that_was_moved_or_cleared_does_not_come_up_at_its_old_time)
{
    struct timers all = { 0 };
    static struct timer t[TIMERS];
    int came = 0;

    memset(t, 0, sizeof(t));
    for (int i = 0; i < TIMERS; i++)
        CHECK_EQ(timers_set(&all, &t[i], mixed(i)), 0);
    for (int i = 0; i < TIMERS; i++) {
        if (i % 3 == 0)
            timers_clear(&all, &t[i]);
        else if (i % 3 == 1)
            CHECK_EQ(timers_set(&all, &t[i], 1000 + mixed(i)), 0);
    }
    timers_clear(&all, &t[0]);                       /* it is not set: fine */
    while (timers_due(&all, 999))
        came++;
    CHECK_EQ(came, TIMERS / 3);
    while (timers_due(&all, INT64_MAX))
        came++;
    CHECK_EQ(came, TIMERS - (TIMERS + 2) / 3);
    timers_done(&all);
}
