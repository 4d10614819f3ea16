/* base/timers.c - see timers.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/timers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define CHILDREN 4u

static void timers_put(struct timers *all, size_t place, struct timers_entry e)
{
    all->heap[place] = e;
    e.timer->place = place + 1;
}

static void timers_rise(struct timers *all, size_t place, struct timers_entry e)
{
    while (place > 0) {
        size_t parent = (place - 1) / CHILDREN;

        if (all->heap[parent].at_ns <= e.at_ns)
            break;
        timers_put(all, place, all->heap[parent]);
        place = parent;
    }
    timers_put(all, place, e);
}

static size_t timers_earliest_child(const struct timers *all, size_t place)
{
    size_t first = place * CHILDREN + 1, best = first;

    for (size_t child = first + 1; child < first + CHILDREN && child < all->count; child++)
        if (all->heap[child].at_ns < all->heap[best].at_ns)
            best = child;
    return best;
}

static void timers_sink(struct timers *all, size_t place, struct timers_entry e)
{
    while (place * CHILDREN + 1 < all->count) {
        size_t child = timers_earliest_child(all, place);

        if (all->heap[child].at_ns >= e.at_ns)
            break;
        timers_put(all, place, all->heap[child]);
        place = child;
    }
    timers_put(all, place, e);
}

static int timers_make_room(struct timers *all)
{
    if (all->count < all->room)
        return 0;
    size_t room = all->room ? all->room * 2 : 64;
    struct timers_entry *heap = reallocarray(all->heap, room, sizeof *heap);

    if (!heap)
        return -ENOMEM;
    all->heap = heap;
    all->room = room;
    return 0;
}

int timers_set(struct timers *all, struct timer *t, int64_t at_ns)
{
    struct timers_entry e = { at_ns, t };
    size_t place = t->place - 1;

    if (t->place == 0) {
        if (timers_make_room(all) < 0)
            return -ENOMEM;
        place = all->count++;
    }
    bool earlier = t->place == 0 || at_ns < t->at_ns;

    t->at_ns = at_ns;
    if (earlier)
        timers_rise(all, place, e);
    else
        timers_sink(all, place, e);
    return 0;
}

void timers_clear(struct timers *all, struct timer *t)
{
    size_t hole = t->place - 1;

    if (t->place == 0)
        return;
    struct timers_entry last = all->heap[--all->count];

    t->place = 0;
    if (last.timer == t)
        return;
    if (hole > 0 && all->heap[(hole - 1) / CHILDREN].at_ns > last.at_ns)
        timers_rise(all, hole, last);
    else
        timers_sink(all, hole, last);
}

struct timer *timers_ripe(const struct timers *all, int64_t now_ns)
{
    return all->count && all->heap[0].at_ns <= now_ns ? all->heap[0].timer : NULL;
}

struct timer *timers_due(struct timers *all, int64_t now_ns)
{
    struct timer *t = timers_ripe(all, now_ns);

    if (t)
        timers_clear(all, t);
    return t;
}

int64_t timers_next_ns(const struct timers *all)
{
    return all->count ? all->heap[0].at_ns : INT64_MAX;
}

void timers_done(struct timers *all)
{
    free(all->heap);
    *all = (struct timers){0};
}
