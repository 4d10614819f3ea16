/* base/wheel.h - many deadlines, each set and cleared in constant time: a timer wheel.
 * SPDX-License-Identifier: Apache-2.0
 *
 * For deadlines that are mostly cleared before they come, a million at a time (transactions);
 * where few are kept and the exact time counts, base/timers.h. A deadline comes at the first
 * tick (8.4 ms) that is not before it. No clock: the caller says what time it is, and time
 * that goes back is taken as standing still.
 *
 *     struct wheel w;
 *     wheel_init(&w, now_ns);
 *     wheel_set(&w, &thing->timer, now_ns + 500 * 1000000);
 *     while ((t = wheel_due(&w, now_ns))) expire(wheel_item(t, struct thing, timer), now_ns);
 *
 * Four levels of 256 slots reach 1.1 years; what lies farther waits in the last slot and is
 * looked at again. Nothing is allocated: the nodes are in the things. */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum { WHEEL_LEVELS = 4, WHEEL_SLOTS = 256, WHEEL_TICK_SHIFT = 23 };

struct wheel_timer {
    struct list in_slot;             /* next NULL: not set (zero is ready to use) */
    int64_t     at_ns;
};

struct wheel {
    uint64_t    tick;                /* up to here all has been given out */
    size_t      count;
    uint64_t    used[WHEEL_LEVELS][WHEEL_SLOTS / 64];     /* bit: something may be in the slot */
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    struct list due;
};

#define wheel_item(t, type, member) ((type *)((char *)(t) - offsetof(type, member)))

void wheel_init(struct wheel *w, int64_t now_ns);
void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at_ns);      /* or move */
void wheel_clear(struct wheel *w, struct wheel_timer *t);                   /* fine when not set */
static inline bool wheel_is_set(const struct wheel_timer *t) { return t->in_slot.next != NULL; }
/* Takes out and returns one that is due, or NULL. Those of one tick come in the order in which
 * they were set. */
struct wheel_timer *wheel_due(struct wheel *w, int64_t now_ns);
/* No later than the first deadline, and later than the time of the last wheel_due: when to ask
 * again. INT64_MAX: nothing is set. */
int64_t wheel_next_ns(const struct wheel *w);

#endif
