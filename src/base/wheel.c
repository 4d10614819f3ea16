/* base/wheel.c - a slot of a level above the first is spread over the level below when its
 * turn comes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/wheel.h"

#include <stdbool.h>

enum { SLOT_BITS = 8, SLOT_MASK = WHEEL_SLOTS - 1 };
/* In ticks. The last level is a ring: it lacks the slot that is open now. */
#define REACH ((uint64_t)(WHEEL_SLOTS - 1) << (SLOT_BITS * (WHEEL_LEVELS - 1)))

static uint64_t tick_of(int64_t at_ns)
{
    return at_ns <= 0 ? 0 : (uint64_t)at_ns >> WHEEL_TICK_SHIFT;
}

void wheel_init(struct wheel *w, int64_t now_ns)
{
    *w = (struct wheel){ .tick = tick_of(now_ns) };
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    list_init(&w->due);
}

/* Into the slot where its tick is looked at; the tick is above w->tick. */
static void place(struct wheel *w, struct wheel_timer *t)
{
    uint64_t tick = tick_of(t->at_ns - 1) + 1;            /* the first that is not before it */

    if (tick <= w->tick) {
        list_append(&w->due, &t->in_slot);
        return;
    }
    uint64_t ahead = tick ^ w->tick;
    unsigned level = 0;

    while (level < WHEEL_LEVELS - 1 && ahead >> (SLOT_BITS * (level + 1)))
        level++;
    if (tick - w->tick >= REACH)                          /* beyond all: the last slot that comes */
        tick = w->tick + REACH;
    unsigned slot = (unsigned)(tick >> (SLOT_BITS * level)) & SLOT_MASK;

    list_append(&w->slots[level][slot], &t->in_slot);
    w->used[level][slot / 64] |= (uint64_t)1 << (slot % 64);
}

void wheel_clear(struct wheel *w, struct wheel_timer *t)
{
    if (!wheel_is_set(t))
        return;
    list_remove(&t->in_slot);
    t->in_slot = (struct list){ NULL, NULL };
    w->count--;
}

void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at_ns)
{
    wheel_clear(w, t);
    t->at_ns = at_ns > 0 ? at_ns : 1;
    list_init(&t->in_slot);
    place(w, t);
    w->count++;
}

/* The first used slot of a level at or behind `from`, or WHEEL_SLOTS. */
static unsigned next_used(const struct wheel *w, unsigned level, unsigned from)
{
    for (unsigned word = from / 64; from < WHEEL_SLOTS && word < WHEEL_SLOTS / 64; word++) {
        uint64_t bits = w->used[level][word];

        if (word == from / 64)
            bits &= ~(uint64_t)0 << (from % 64);
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return WHEEL_SLOTS;
}

/* The next tick at which a slot has to be looked at, or UINT64_MAX. */
static uint64_t next_tick(const struct wheel *w)
{
    if (!w->count)
        return UINT64_MAX;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = SLOT_BITS * level;
        unsigned now = (unsigned)(w->tick >> shift) & SLOT_MASK;
        unsigned slot = next_used(w, level, now + 1);
        uint64_t round = w->tick >> shift >> SLOT_BITS;

        if (slot == WHEEL_SLOTS && level == WHEEL_LEVELS - 1) {
            slot = next_used(w, level, 0);                /* wraps: beyond the reach of the wheel */
            round++;
        }
        if (slot < WHEEL_SLOTS)
            return ((round << SLOT_BITS) + slot) << shift;
    }
    return UINT64_MAX;
}

/* Everything of a slot goes where it belongs now. */
static void open_slot(struct wheel *w, unsigned level)
{
    unsigned slot = (unsigned)(w->tick >> (SLOT_BITS * level)) & SLOT_MASK;
    struct list *all = &w->slots[level][slot], mine;

    w->used[level][slot / 64] &= ~((uint64_t)1 << (slot % 64));
    if (list_is_empty(all))
        return;
    list_insert_after(all->prev, &mine);                  /* the ring without its old head */
    list_remove(all);
    while (!list_is_empty(&mine)) {
        struct list *l = mine.next;

        list_remove(l);
        place(w, list_item(l, struct wheel_timer, in_slot));
    }
}

struct wheel_timer *wheel_due(struct wheel *w, int64_t now_ns)
{
    uint64_t last = tick_of(now_ns);

    while (list_is_empty(&w->due)) {
        uint64_t tick = next_tick(w);

        if (tick > last) {
            if (last > w->tick && w->count == 0)
                w->tick = last;
            return NULL;
        }
        w->tick = tick;
        for (unsigned level = WHEEL_LEVELS; level-- > 0;)
            if (level == 0 || !(tick & (((uint64_t)1 << (SLOT_BITS * level)) - 1)))
                open_slot(w, level);
    }
    struct wheel_timer *t = list_item(w->due.next, struct wheel_timer, in_slot);

    wheel_clear(w, t);
    return t;
}

int64_t wheel_next_ns(const struct wheel *w)
{
    uint64_t tick = next_tick(w);

    if (!list_is_empty(&w->due))
        return (int64_t)(w->tick << WHEEL_TICK_SHIFT);
    return tick > (uint64_t)INT64_MAX >> WHEEL_TICK_SHIFT ? INT64_MAX : (int64_t)(tick << WHEEL_TICK_SHIFT);
}
