/* base/timers.h - which thing is due next: an intrusive binary heap.
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
    size_t  place;                   /* 1-based index in the heap; 0: not set */
};

#define timer_item(t, type, member) ((type *)((char *)(t) - offsetof(type, member)))

struct timers {
    struct timer **heap;             /* heap[0] is not used */
    size_t         count, room;
};

int  timers_set(struct timers *all, struct timer *t, int64_t at_ns);    /* or move; -ENOMEM */
void timers_clear(struct timers *all, struct timer *t);                 /* fine when not set */
/* Takes out and returns the earliest with at_ns <= now_ns, or NULL. */
struct timer *timers_due(struct timers *all, int64_t now_ns);
int64_t timers_next_ns(const struct timers *all);         /* INT64_MAX: none */
void timers_done(struct timers *all);

#endif
