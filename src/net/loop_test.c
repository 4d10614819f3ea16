/* net/loop_test.c - rounds, turns, time and letters.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"

#define MS 1000000ll

struct party {
    struct loop      *l;
    struct loop_watch w;
    struct party     *other;
    int               called;
    char              got[8];
};

static void read_once(void *ctx, uint32_t events)
{
    struct party *p = ctx;

    (void)events;
    p->called++;
    if (read(p->w.fd, p->got, 1) < 0)
        p->got[0] = '!';
}

TORTURE(what_is_ready_is_called_until_it_was_read)
{
    struct loop *l = NULL;
    struct party p = { .w = { .ready = read_once, .ctx = &p } };
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK_OR_GOTO(loop_open(&l) == 0, out);
    p.w.fd = ends[0];
    CHECK_EQ(loop_watch(l, &p.w, EPOLLIN), 0);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(p.called, 0);
    CHECK_EQ(write(ends[1], "ab", 2), 2);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(p.called, 2);
    CHECK_EQ(loop_watch(l, &p.w, 0), 0);
    CHECK_EQ(write(ends[1], "c", 1), 1);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(p.called, 2);
    loop_unwatch(l, &p.w);
    loop_unwatch(l, &p.w);
out:
    (void)loop_free(l);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void silence_the_other(void *ctx, uint32_t events)
{
    struct party *p = ctx;

    (void)events;
    p->called++;
    loop_unwatch(p->l, &p->other->w);
    p->other->w.ready = NULL;                        /* as if it had been freed */
}

TEST(who_was_unwatched_in_a_round_is_not_called_in_it)
{
    struct party a = { .w = { .ready = silence_the_other } }, b = a;
    struct loop *l = NULL;
    int ends[4];

    CHECK_EQ(loop_open(&l), 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends + 2) == 0);
    a.w.fd = ends[0], b.w.fd = ends[2];
    a.l = b.l = l;
    a.other = &b, b.other = &a;
    a.w.ctx = &a, b.w.ctx = &b;
    CHECK(loop_watch(l, &a.w, EPOLLIN) == 0 && loop_watch(l, &b.w, EPOLLIN) == 0);
    CHECK(write(ends[1], "x", 1) == 1 && write(ends[3], "x", 1) == 1);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(a.called + b.called, 1);
    (void)loop_free(l);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        (void)close(ends[i]);
}

struct tick {
    int64_t next_ns, at_ns;
    int     count;
    char   *trace, name;
};

static int64_t tick(void *ctx, int64_t now_ns)
{
    struct tick *t = ctx;

    t->at_ns = now_ns;
    t->count++;
    if (t->trace && strlen(t->trace) < 8)
        t->trace[strlen(t->trace)] = t->name;
    return t->next_ns;
}

TEST(a_turn_is_called_when_it_said_and_not_before)
{
    struct loop *l = NULL;
    struct tick t = { .next_ns = INT64_MAX };
    struct loop_turn turn = { .turn = tick, .ctx = &t };

    CHECK_EQ(loop_open(&l), 0);
    loop_add_turn(l, &turn, LOOP_WORK);
    CHECK_EQ(loop_round(l, INT64_MAX), 0);           /* does not wait: nobody asked it yet */
    CHECK_EQ(t.count, 1);
    t.next_ns = t.at_ns + 20 * MS;
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(loop_round(l, INT64_MAX), 0);
    CHECK(t.at_ns >= t.next_ns);
    CHECK_EQ(t.at_ns, loop_now_ns(l));
    loop_remove_turn(&turn);
    (void)loop_free(l);
}

TEST(what_flushes_comes_after_all_work_of_the_round)
{
    char trace[16] = "";
    struct tick a = { .next_ns = INT64_MAX, .trace = trace, .name = 'f' }, b = a, c = a;
    struct loop_turn flush = { .turn = tick, .ctx = &a }, one = { .turn = tick, .ctx = &b },
                     two = { .turn = tick, .ctx = &c };
    struct loop *l = NULL;

    b.name = '1', c.name = '2';
    CHECK_EQ(loop_open(&l), 0);
    loop_add_turn(l, &flush, LOOP_FLUSH);
    loop_add_turn(l, &one, LOOP_WORK);
    loop_add_turn(l, &two, LOOP_WORK);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_STR_EQ(trace, "12f");
    (void)loop_free(l);
}

static void *stop_it(void *loop)
{
    loop_stop(loop);
    return NULL;
}

TEST(another_thread_can_stop_a_loop_that_waits_for_nothing)
{
    struct loop *l = NULL;
    pthread_t thread;

    CHECK_EQ(loop_open(&l), 0);
    CHECK_EQ(loop_round(l, 0), 0);
    CHECK_EQ(pthread_create(&thread, NULL, stop_it, l), 0);
    CHECK_EQ(loop_run(l), 0);
    CHECK(loop_is_stopped(l));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    (void)loop_free(l);
}

static struct loop *signalled;
static void on_signal(int number)
{
    (void)number;
    loop_stop(signalled);
}

TEST(a_signal_can_stop_it)
{
    struct sigaction act = { .sa_handler = on_signal }, before;

    CHECK_EQ(loop_open(&signalled), 0);
    CHECK_EQ(sigaction(SIGUSR1, &act, &before), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(loop_run(signalled), 0);
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
    signalled = loop_free(signalled);
}
