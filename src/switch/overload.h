/* switch/overload.h - whether something new may begin: rate, memory, and how long messages wait.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Embed it; no clock, no memory of its own. Only what begins is asked about: what goes on or ends
 * (ACK, BYE, CANCEL, PRACK, anything in a dialog) always passes, it makes room.
 *
 *     overload_waited(&o, age_ns);                        // of the message that is handled now
 *     if (overload_is_on(&o, memory_bytes)) 503;          // before anything is done for it
 *     if (!overload_take_call(&o, now_ns)) 503;           // once it is known that it will be a call
 *
 * The rate is a bucket that holds what comes in one of its times, so a burst of as many passes. */
#ifndef SWITCH_OVERLOAD_H
#define SWITCH_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

struct overload_settings {
    uint32_t rate_count;             /* new calls in rate_per_ns; 0: no limit */
    int64_t  rate_per_ns;
    uint64_t memory_bytes_max;       /* 0: no limit */
    int64_t  delay_max_ns;           /* 0: no limit */
};

struct overload_state {
    struct overload_settings settings;
    int64_t  full_ns;                /* when the bucket is full again */
    int64_t  waited_ns;              /* of the message that is being handled */
    uint64_t by_memory, by_delay, by_rate;                /* refused */
};

/* Begin with zeros. What was counted and what waits for a token stays. */
static inline void overload_set(struct overload_state *o, struct overload_settings settings) { o->settings = settings; }
static inline void overload_waited(struct overload_state *o, int64_t waited_ns) { o->waited_ns = waited_ns; }
/* Both count what they refuse. */
bool overload_is_on(struct overload_state *o, uint64_t memory_bytes);
bool overload_take_call(struct overload_state *o, int64_t now_ns);

#endif
