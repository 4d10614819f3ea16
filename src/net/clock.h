/* net/clock.h - time for everything that waits: like the wall's, but it never goes back.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The monotonic clock plus what the wall's was ahead of it at the start. When somebody sets the
 * wall's clock, ours follows by at most a thousandth of the time that passes: a timer of 32 s is
 * 32 ms early or late at worst, and a log agrees with its neighbours again in the end.
 *
 *     struct net_clock c;
 *     net_clock_init(&c);
 *     int64_t now_ns = net_clock_read(&c);          // since 1970, UTC                        */
#ifndef NET_CLOCK_H
#define NET_CLOCK_H

#include <stdint.h>

struct net_clock {
    int64_t ahead_ns;                /* of the monotonic clock */
    int64_t looked_ns;               /* monotonic, when the wall's was looked at */
    int64_t last_ns;                 /* what was said last */
};

void    net_clock_init(struct net_clock *c);
int64_t net_clock_read(struct net_clock *c);

/* The same, told what both clocks say. */
void    net_clock_start(struct net_clock *c, int64_t monotonic_ns, int64_t wall_ns);
int64_t net_clock_tell(struct net_clock *c, int64_t monotonic_ns, int64_t wall_ns);

#endif
