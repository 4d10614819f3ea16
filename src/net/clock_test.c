/* net/clock_test.c - a clock that goes on whatever happens to the wall's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "net/clock.h"

#define S 1000000000ll
#define WALL (1795251000ll * S)

TEST(time_goes_on_as_the_monotonic_clock_does)
{
    struct net_clock c;

    net_clock_start(&c, 5 * S, WALL);
    CHECK_EQ(net_clock_tell(&c, 6 * S, WALL + S), WALL + S);
    CHECK_EQ(net_clock_tell(&c, 6 * S, WALL + S), WALL + S);
    CHECK_EQ(net_clock_tell(&c, 9 * S, WALL + 4 * S), WALL + 4 * S);
}

TEST(a_wall_clock_that_was_set_is_followed_slowly_and_never_back)
{
    static const int64_t jumps[] = { 3600 * S, -3600 * S, 2 * S, -2 * S };

    for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
        struct net_clock c;
        int64_t last = WALL;

        net_clock_start(&c, 0, WALL);
        for (int64_t t = S / 100; t <= 100 * S; t += S / 100) {
            int64_t now = net_clock_tell(&c, t, WALL + t + jumps[i]);

            CHECK_ROW(i, now > last);
            CHECK_ROW(i, now - last <= S / 100 + S / 100000 && now - last >= S / 100 - S / 100000);
            last = now;
        }
    }
}

TEST(a_small_step_is_made_up_for)
{
    struct net_clock c;
    int64_t now = 0;

    net_clock_start(&c, 0, WALL);
    for (int64_t t = S; t <= 10 * S; t += S)
        now = net_clock_tell(&c, t, WALL + t - 5000000);
    CHECK_EQ(now, WALL + 10 * S - 5000000);
}

TEST(the_true_clocks_agree_with_the_wall)
{
    struct net_clock c;
    int64_t first, second;

    net_clock_init(&c);
    first = net_clock_read(&c);
    second = net_clock_read(&c);
    CHECK(first > 1600000000ll * S && second >= first && second - first < 3600 * S);
}
