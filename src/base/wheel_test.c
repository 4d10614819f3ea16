/* base/wheel_test.c - each deadline once, at its tick, wherever the wheel stands
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/wheel.h"
#include "harness/test.h"

#define TICK_NS ((int64_t)1 << WHEEL_TICK_SHIFT)
#define SECOND_NS 1000000000ll

enum { TIMERS = 2000 };

static uint64_t random_state;

static uint64_t mixed(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 20;
}

/* Runs the wheel by its own word until nothing is left; each must come within a tick of its
 * deadline, and none before it. Returns how many came. */
static int run(struct wheel *w, int64_t now_ns, int row)
{
    int came = 0;
    struct wheel_timer *t;

    for (int64_t next_ns; (next_ns = wheel_next_ns(w)) != INT64_MAX;) {
        CHECK_ROW(row, next_ns >= now_ns);
        now_ns = next_ns;
        while ((t = wheel_due(w, now_ns))) {
            CHECK_ROW(row, t->at_ns <= now_ns);
            CHECK_ROW(row, now_ns - t->at_ns < TICK_NS || t->at_ns <= 1);
            CHECK_ROW(row, !wheel_is_set(t));
            came++;
        }
    }
    CHECK_ROW_EQ(row, w->count, 0);
    return came;
}

TEST(each_deadline_comes_at_its_tick_wherever_the_wheel_stands)
{
    static struct wheel w;
    static struct wheel_timer t[TIMERS];
    static const struct {
        int64_t start_ns;
        int     bits;                                     /* deadlines up to 2^bits ns ahead */
    } rows[] = {
        { 0, 30 }, { 0, 40 }, { 0, 58 },
        { 1795251000 * SECOND_NS, 24 }, { 1795251000 * SECOND_NS, 36 }, { 1795251000 * SECOND_NS, 48 },
        { 1795251000 * SECOND_NS, 58 },                   /* nine years: farther than the wheel reaches */
        { ((int64_t)1 << 55) - TICK_NS, 30 },             /* before the ring of the last level closes */
        { ((int64_t)1 << 55) - TICK_NS, 50 },
        { ((int64_t)1 << 55) - 300 * TICK_NS, 40 },
    };

    for (int row = 0; row < (int)ARRAY_LEN(rows); row++) {
        random_state = (uint64_t)row + 1;
        wheel_init(&w, rows[row].start_ns);
        memset(t, 0, sizeof t);
        for (int i = 0; i < TIMERS; i++)
            wheel_set(&w, &t[i], rows[row].start_ns + (int64_t)(mixed() & (((uint64_t)1 << rows[row].bits) - 1)));
        CHECK_ROW_EQ(row, run(&w, rows[row].start_ns, row), TIMERS);
    }
}

TEST(what_was_cleared_or_moved_does_not_come_at_its_old_time)
{
    static struct wheel w;
    static struct wheel_timer t[TIMERS];
    int64_t now_ns = 1795251000 * SECOND_NS;
    int came = 0;

    wheel_init(&w, now_ns);
    memset(t, 0, sizeof t);
    random_state = 7;
    for (int i = 0; i < TIMERS; i++)
        wheel_set(&w, &t[i], now_ns + (int64_t)(mixed() % (40 * SECOND_NS)));
    for (int i = 0; i < TIMERS; i += 2)
        wheel_clear(&w, &t[i]);
    wheel_clear(&w, &t[0]);                               /* twice does no harm */
    for (int i = 1; i < TIMERS; i += 4)
        wheel_set(&w, &t[i], now_ns + 60 * SECOND_NS);
    now_ns += 59 * SECOND_NS;
    while (wheel_due(&w, now_ns))
        came++;
    CHECK_EQ(came, TIMERS / 4);
    CHECK_EQ(w.count, TIMERS / 4);
    CHECK_EQ(run(&w, now_ns, 0), TIMERS / 4);
}

TEST(one_that_is_set_from_another_one_comes_in_its_turn)
{
    static struct wheel w;
    struct wheel_timer a = { 0 };
    int64_t now_ns = 1795251000 * SECOND_NS, start_ns = now_ns;

    wheel_init(&w, now_ns);
    CHECK_EQ(wheel_next_ns(&w), INT64_MAX);
    for (int i = 0; i < 5000; i++) {                      /* repeats of 100 ms for 500 s */
        wheel_set(&w, &a, now_ns + SECOND_NS / 10);
        CHECK(wheel_due(&w, now_ns) == NULL);
        now_ns = wheel_next_ns(&w);
        for (int guard = 0; guard < 8 && !wheel_due(&w, now_ns); guard++)
            now_ns = wheel_next_ns(&w);                   /* a slot was spread */
        CHECK(!wheel_is_set(&a));
    }
    CHECK(now_ns - start_ns >= 500 * SECOND_NS);
    CHECK(now_ns - start_ns < 500 * SECOND_NS + 5000 * TICK_NS);
}

TEST(a_deadline_in_the_past_is_due_at_once_and_time_that_goes_back_stands_still)
{
    static struct wheel w;
    struct wheel_timer a = { 0 }, b = { 0 };

    wheel_init(&w, 1000 * SECOND_NS);
    wheel_set(&w, &a, 5);
    wheel_set(&w, &b, INT64_MIN);
    CHECK(wheel_due(&w, 1000 * SECOND_NS) == &a);
    CHECK(wheel_due(&w, 3) == &b);
    wheel_set(&w, &a, 1010 * SECOND_NS);
    CHECK(wheel_due(&w, 0) == NULL);
    CHECK(wheel_due(&w, 1011 * SECOND_NS) == &a);
    wheel_set(&w, &a, INT64_MAX);                         /* never, as good as */
    CHECK(wheel_due(&w, 1000000 * SECOND_NS) == NULL);
    wheel_clear(&w, &a);
    CHECK_EQ(wheel_next_ns(&w), INT64_MAX);
}
