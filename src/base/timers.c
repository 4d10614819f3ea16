/* base/timers.c - see timers.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/timers.h"

#include <errno.h>
#include <stdlib.h>

static void timers_put(struct timers *all, size_t place, struct timer *t)
{
    all->heap[place] = t;
    t->place = place;
}

static void timers_rise(struct timers *all, size_t place, struct timer *t)
{
    for (; place > 1 && all->heap[place / 2]->at_ns > t->at_ns; place /= 2)
        timers_put(all, place, all->heap[place / 2]);
    timers_put(all, place, t);
}

static void timers_sink(struct timers *all, size_t place, struct timer *t)
{
    for (size_t child; (child = place * 2) <= all->count; place = child) {
        if (child < all->count && all->heap[child + 1]->at_ns < all->heap[child]->at_ns)
            child++;
        if (all->heap[child]->at_ns >= t->at_ns)
            break;
        timers_put(all, place, all->heap[child]);
    }
    timers_put(all, place, t);
}

static int timers_make_room(struct timers *all)
{
    if (all->count + 1 < all->room)
        return 0;
    size_t room = all->room ? all->room * 2 : 64;
    struct timer **heap = realloc(all->heap, room * sizeof(struct timer *));

    if (!heap)
        return -ENOMEM;
    all->heap = heap;
    all->room = room;
    return 0;
}

int timers_set(struct timers *all, struct timer *t, int64_t at_ns)
{
    if (t->place == 0) {
        if (timers_make_room(all) < 0)
            return -ENOMEM;
        t->at_ns = at_ns;
        timers_rise(all, ++all->count, t);
    } else if (at_ns < t->at_ns) {
        t->at_ns = at_ns;
        timers_rise(all, t->place, t);
    } else {
        t->at_ns = at_ns;
        timers_sink(all, t->place, t);
    }
    return 0;
}

void timers_clear(struct timers *all, struct timer *t)
{
    size_t hole = t->place;

    if (hole == 0)
        return;
    struct timer *last = all->heap[all->count--];

    t->place = 0;
    if (last == t)
        return;
    if (hole > 1 && all->heap[hole / 2]->at_ns > last->at_ns)
        timers_rise(all, hole, last);
    else
        timers_sink(all, hole, last);
}

struct timer *timers_due(struct timers *all, int64_t now_ns)
{
    if (all->count == 0 || all->heap[1]->at_ns > now_ns)
        return NULL;
    struct timer *t = all->heap[1];

    timers_clear(all, t);
    return t;
}

int64_t timers_next_ns(const struct timers *all)
{
    return all->count ? all->heap[1]->at_ns : INT64_MAX;
}

void timers_done(struct timers *all)
{
    free(all->heap);
    *all = (struct timers){0};
}
