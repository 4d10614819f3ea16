/* net/loop.h - the event loop of one worker: descriptors, time, and a way to be woken.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One thread runs it; only loop_wake and loop_stop may be called from others, and from signal
 * handlers. A round: wait until something is ready or due, call what is ready, then every turn.
 *
 *     struct loop *l;
 *     if (loop_open(&l) < 0) ...
 *     struct loop_watch w = { .fd = fd, .ready = on_ready, .ctx = me };
 *     loop_watch(l, &w, EPOLLIN);
 *     struct loop_turn t = { .turn = expire_what_is_due, .ctx = me };
 *     loop_add_turn(l, &t, LOOP_WORK);
 *     int error = loop_run(l);                      // until loop_stop
 *     loop_free(l);                                 // watches and turns stay their owners'
 *
 * Whoever is called back may watch and unwatch anything, itself and what is ready in the same
 * round included, and free it then. Watches are level-triggered: what was not read comes again. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/list.h"

struct loop;

struct loop_watch {                  /* embed it */
    int      fd;
    void   (*ready)(void *ctx, uint32_t events);     /* EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP */
    void    *ctx;
    uint32_t events;                 /* waited for */
    bool     watched;
};

/* Called once each round with the time. Returns when it wants to be called next at the latest:
 * INT64_MAX never, anything past at once. */
struct loop_turn {                   /* embed it */
    struct list in_all;
    int64_t   (*turn)(void *ctx, int64_t now_ns);
    void       *ctx;
};
enum loop_order {
    LOOP_WORK,                       /* timers, letters from other threads */
    LOOP_FLUSH,                      /* after all of those: what they wrote goes out */
    LOOP_ORDERS
};

int          loop_open(struct loop **ret);           /* 0 or -errno */
struct loop *loop_free(struct loop *l);

int  loop_watch(struct loop *l, struct loop_watch *w, uint32_t events);    /* or change; -errno */
void loop_unwatch(struct loop *l, struct loop_watch *w);     /* before the descriptor is closed */
void loop_add_turn(struct loop *l, struct loop_turn *t, enum loop_order order);
void loop_remove_turn(struct loop_turn *t);          /* not from within a turn */

int  loop_run(struct loop *l);                       /* 0: stopped; -errno */
/* One round that waits no longer than until `until_ns`; for tests, and for who has own loops. */
int  loop_round(struct loop *l, int64_t until_ns);

/* Time since 1970 as of this round; it never goes back (net/clock.h). */
int64_t loop_now_ns(const struct loop *l);

void loop_wake(struct loop *l);      /* a round comes soon, whatever it waits for */
void loop_stop(struct loop *l);      /* loop_run returns after the round */
bool loop_is_stopped(const struct loop *l);

#endif
