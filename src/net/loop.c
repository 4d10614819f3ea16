/* net/loop.c - see loop.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/clock.h"

#define READY_MAX 128

struct loop {
    int                epoll;
    struct loop_watch  letter;                       /* eventfd */
    struct net_clock   clock;
    int64_t            now_ns;
    struct list        turns[LOOP_ORDERS];
    int64_t            due_ns;                       /* the earliest wish of the last turns */
    struct epoll_event ready[READY_MAX];
    int                ready_count, ready_at;
    atomic_bool        stopped;
};

/* Somebody wrote into the eventfd: being awake is all that was wanted. */
static void letter_read(void *ctx, uint32_t events)
{
    struct loop *l = ctx;
    uint64_t count;

    (void)events;
    (void)!read(l->letter.fd, &count, sizeof count);
}

int loop_open(struct loop **ret)
{
    struct loop *l = calloc(1, sizeof *l);
    int error = 0;

    if (!l)
        return -ENOMEM;
    for (size_t i = 0; i < LOOP_ORDERS; i++)
        list_init(&l->turns[i]);
    l->letter = (struct loop_watch){ .fd = -1, .ready = letter_read, .ctx = l };
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll >= 0)
        l->letter.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->letter.fd < 0)
        error = -errno;
    else
        error = loop_watch(l, &l->letter, EPOLLIN);
    if (error < 0) {
        (void)loop_free(l);
        return error;
    }
    net_clock_init(&l->clock);
    l->now_ns = net_clock_read(&l->clock);
    *ret = l;
    return 0;
}

struct loop *loop_free(struct loop *l)
{
    if (!l)
        return NULL;
    if (l->letter.fd >= 0)
        (void)close(l->letter.fd);
    if (l->epoll >= 0)
        (void)close(l->epoll);
    free(l);
    return NULL;
}

int loop_watch(struct loop *l, struct loop_watch *w, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = w };

    if (w->watched && w->events == events)
        return 0;
    if (epoll_ctl(l->epoll, w->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &e) < 0)
        return -errno;
    w->watched = true;
    w->events = events;
    return 0;
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    if (!w->watched)
        return;
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    w->watched = false;
    for (int i = l->ready_at; i < l->ready_count; i++)
        if (l->ready[i].data.ptr == w)
            l->ready[i].data.ptr = NULL;             /* it may be freed before its event is looked at */
}

void loop_add_turn(struct loop *l, struct loop_turn *t, enum loop_order order)
{
    assert(order < LOOP_ORDERS);
    list_append(&l->turns[order], &t->in_all);
    l->due_ns = 0;                                   /* it has not said when yet */
}

void loop_remove_turn(struct loop_turn *t) { list_remove(&t->in_all); }

/* Rounded up: to wake before something is due would be to wake twice. */
static int wait_ms(const struct loop *l, int64_t until_ns)
{
    int64_t until = l->due_ns < until_ns ? l->due_ns : until_ns;

    if (until <= l->now_ns)
        return 0;
    if (until == INT64_MAX)
        return -1;
    int64_t ms = (until - l->now_ns - 1) / 1000000 + 1;

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void call_ready(struct loop *l)
{
    for (l->ready_at = 0; l->ready_at < l->ready_count;) {
        struct epoll_event e = l->ready[l->ready_at++];
        struct loop_watch *w = e.data.ptr;

        if (w)
            w->ready(w->ctx, e.events);
    }
    l->ready_count = l->ready_at = 0;
}

static void call_turns(struct loop *l)
{
    l->due_ns = INT64_MAX;
    for (size_t i = 0; i < LOOP_ORDERS; i++)
        for (struct list *at = l->turns[i].next; at != &l->turns[i]; at = at->next) {
            struct loop_turn *t = list_item(at, struct loop_turn, in_all);
            int64_t due = t->turn(t->ctx, l->now_ns);

            if (due < l->due_ns)
                l->due_ns = due;
        }
}

int loop_round(struct loop *l, int64_t until_ns)
{
    l->now_ns = net_clock_read(&l->clock);
    int count = epoll_wait(l->epoll, l->ready, READY_MAX, wait_ms(l, until_ns));

    if (count < 0 && errno != EINTR)
        return -errno;
    l->ready_count = count < 0 ? 0 : count;
    l->now_ns = net_clock_read(&l->clock);
    call_ready(l);
    call_turns(l);
    return 0;
}

int loop_run(struct loop *l)
{
    int error = 0;

    while (!error && !loop_is_stopped(l))
        error = loop_round(l, INT64_MAX);
    return error;
}

int64_t loop_now_ns(const struct loop *l) { return l->now_ns; }

void loop_wake(struct loop *l)
{
    int before = errno;                              /* a signal handler leaves it alone */
    uint64_t one = 1;

    (void)!write(l->letter.fd, &one, sizeof one);    /* full: it will wake anyway */
    errno = before;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopped, true);
    loop_wake(l);
}

bool loop_is_stopped(const struct loop *l) { return atomic_load(&l->stopped); }
