/* switch/overload_test.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "switch/overload.h"

#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)

static struct overload_state o;

static unsigned calls_at(int64_t now_ns, unsigned tries)
{
    unsigned passed = 0;

    for (unsigned i = 0; i < tries; i++)
        passed += overload_take_call(&o, now_ns);
    return passed;
}

TEST(a_burst_of_the_rate_passes_and_no_more_until_time_has_gone_by)
{
    o = (struct overload_state){ .settings = { .rate_count = 10, .rate_per_ns = SECOND_NS } };
    CHECK_EQ(calls_at(START_NS, 50), 10);
    CHECK_EQ(o.by_rate, 40);
    CHECK_EQ(calls_at(START_NS + SECOND_NS / 10 - 1, 50), 0);
    CHECK_EQ(calls_at(START_NS + SECOND_NS / 10, 50), 1);
    CHECK_EQ(calls_at(START_NS + 3600 * SECOND_NS, 50), 10);
}

TEST(over_an_hour_as_many_calls_pass_as_the_rate_says)
{
    unsigned passed = 0;

    o = (struct overload_state){ .settings = { .rate_count = 7, .rate_per_ns = 60 * SECOND_NS } };
    for (int i = 0; i < 3600 * 4; i++)
        passed += calls_at(START_NS + i * SECOND_NS / 4, 1);
    CHECK(passed >= 7 * 60 && passed <= 7 * 61);
}

TEST(a_clock_that_goes_back_lets_no_more_through)
{
    o = (struct overload_state){ .settings = { .rate_count = 2, .rate_per_ns = SECOND_NS } };
    CHECK_EQ(calls_at(START_NS, 5), 2);
    CHECK_EQ(calls_at(START_NS - SECOND_NS, 5), 0);
}

TEST(memory_and_waiting_time_stop_what_is_new_as_long_as_they_last)
{
    o = (struct overload_state){ .settings = { .memory_bytes_max = 1000, .delay_max_ns = 500 } };
    CHECK(!overload_is_on(&o, 1000));
    CHECK(overload_is_on(&o, 1001));
    overload_waited(&o, 501);
    CHECK(overload_is_on(&o, 1000));
    overload_waited(&o, 500);
    CHECK(!overload_is_on(&o, 1000));
    CHECK_EQ(o.by_memory, 1);
    CHECK_EQ(o.by_delay, 1);
}

TEST(without_settings_nothing_is_refused)
{
    o = (struct overload_state){ .settings = { 0 } };
    overload_waited(&o, INT64_MAX);
    CHECK(!overload_is_on(&o, UINT64_MAX));
    CHECK_EQ(calls_at(START_NS, 1000), 1000);
}
