/* net/clock.c - see clock.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/clock.h"

#include <time.h>

#define FOLLOW 1000                  /* one of so many nanoseconds */

static int64_t ns_of(clockid_t which)
{
    struct timespec t = { 0 };

    (void)clock_gettime(which, &t);  /* both clocks are always there */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void net_clock_start(struct net_clock *c, int64_t monotonic_ns, int64_t wall_ns)
{
    *c = (struct net_clock){ wall_ns - monotonic_ns, monotonic_ns, wall_ns };
}

int64_t net_clock_tell(struct net_clock *c, int64_t monotonic_ns, int64_t wall_ns)
{
    int64_t missing = wall_ns - monotonic_ns - c->ahead_ns;
    int64_t most = (monotonic_ns - c->looked_ns) / FOLLOW;

    if (most > 0) {
        c->ahead_ns += missing > most ? most : missing < -most ? -most : missing;
        c->looked_ns = monotonic_ns;
    }
    if (monotonic_ns + c->ahead_ns > c->last_ns)
        c->last_ns = monotonic_ns + c->ahead_ns;
    return c->last_ns;
}

void net_clock_init(struct net_clock *c)
{
    net_clock_start(c, ns_of(CLOCK_MONOTONIC), ns_of(CLOCK_REALTIME));
}

int64_t net_clock_read(struct net_clock *c)
{
    return net_clock_tell(c, ns_of(CLOCK_MONOTONIC), ns_of(CLOCK_REALTIME));
}
