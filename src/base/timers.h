/* base/timers.h - which thing is due next: an intrusive heap.
 * SPDX-License-Identifier: Apache-2.0
 *
 * No clock: the caller says what time it is. For things whose deadline moves with every
 * message, leave the timer where it is, look at the true deadline when it comes up, and set
 * it again: that costs nothing per message.
 *
 *     while ((t = timers_due(&all, now_ns))) expire(item(t), now_ns);                    */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t at_ns;
    size_t  place;                   /* index in the heap + 1; 0: not set */
};

#define timer_item(t, type, member) ((type *)((char *)(t) - offsetof(type, member)))

/* Four children a node, their times beside the pointers: a step down looks at one cache line
 * and at none of the things themselves. */
struct timers_entry {
    int64_t       at_ns;
    struct timer *timer;
};
struct timers {
    struct timers_entry *heap;
    size_t               count, room;
};

int  timers_set(struct timers *all, struct timer *t, int64_t at_ns);    /* or move; -ENOMEM */
void timers_clear(struct timers *all, struct timer *t);                 /* fine when not set */
/* The earliest, when its at_ns <= now_ns, or NULL; it stays. */
struct timer *timers_ripe(const struct timers *all, int64_t now_ns);
/* The same, taken out. */
struct timer *timers_due(struct timers *all, int64_t now_ns);
int64_t timers_next_ns(const struct timers *all);         /* INT64_MAX: none */
void timers_done(struct timers *all);

#endif
