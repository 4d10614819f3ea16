/* cli/serve_crew.c - the threads of the server: started, paused, stopped; and their locks
 * SPDX-License-Identifier: Apache-2.0
 *
 * Worker 0 is the main thread: it starts the others, obeys signals, keeps the journal and prints.
 * Nothing of a worker is touched by another thread while it runs, but its mailbox and its two
 * atomic numbers. What has to be done to all of them at once (a reload) is done by the main thread
 * while the others wait in serve_crew_pause. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/serve_int.h"

static void take(void *mutex) { (void)pthread_mutex_lock(mutex); }
static void give(void *mutex) { (void)pthread_mutex_unlock(mutex); }

struct lock serve_lock(struct serving *s, enum serve_shared what)
{
    return s->steer.count > 1 ? (struct lock){ &s->locks[what], take, give } : (struct lock){ NULL, NULL, NULL };
}

static unsigned cores(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

    return count > 0 ? (unsigned)count : 1;
}

static struct tally *make_tally(struct serving *s, enum serve_shared what)
{
    struct lock lock = serve_lock(s, what);

    return tally_new(&s->steer.seed, &lock);
}

bool serve_crew_init(struct serving *s, unsigned count)
{
    count = count ? count : cores();
    s->steer.count = count < STEER_WORKERS_MAX ? count : STEER_WORKERS_MAX;
    for (size_t i = 0; i < SERVE_SHARED; i++)
        (void)pthread_mutex_init(&s->locks[i], NULL);
    (void)pthread_mutex_init(&s->pause, NULL);
    (void)pthread_cond_init(&s->paused, NULL);
    (void)pthread_cond_init(&s->resumed, NULL);
    for (unsigned i = 0; i < s->steer.count; i++) {
        s->workers[i].serving = s;
        s->workers[i].number = (uint8_t)i;
    }
    s->lines = make_tally(s, SERVE_LINES);
    s->trunks = make_tally(s, SERVE_TRUNKS);
    s->sources = make_tally(s, SERVE_SOURCES);
    return s->lines && s->trunks && s->sources;
}

void serve_crew_done(struct serving *s)
{
    for (unsigned i = s->steer.count; i-- > 0;)           /* worker 0 last: the others look at its guard */
        serve_worker_close(&s->workers[i]);
    tally_free(s->lines);
    tally_free(s->trunks);
    tally_free(s->sources);
    for (size_t i = 0; i < SERVE_SHARED; i++)
        (void)pthread_mutex_destroy(&s->locks[i]);
    (void)pthread_mutex_destroy(&s->pause);
    (void)pthread_cond_destroy(&s->paused);
    (void)pthread_cond_destroy(&s->resumed);
}

/* ---- waiting for the main thread ---- */

static void wait_while_paused(struct serving *s)
{
    if (!atomic_load_explicit(&s->pausing, memory_order_relaxed))
        return;
    (void)pthread_mutex_lock(&s->pause);
    s->waiting++;
    (void)pthread_cond_signal(&s->paused);
    while (atomic_load(&s->pausing))
        (void)pthread_cond_wait(&s->resumed, &s->pause);
    s->waiting--;
    (void)pthread_mutex_unlock(&s->pause);
}

void serve_crew_wake(struct serving *s)
{
    for (unsigned i = 0; i < s->steer.count; i++)
        loop_wake(s->workers[i].loop);
}

static unsigned threads(const struct serving *s)
{
    unsigned count = 0;

    for (unsigned i = 1; i < s->steer.count; i++)
        count += s->workers[i].has_thread;
    return count;
}

void serve_crew_pause(struct serving *s)
{
    atomic_store(&s->pausing, true);
    serve_crew_wake(s);
    (void)pthread_mutex_lock(&s->pause);
    while (s->waiting + s->gone < threads(s))
        (void)pthread_cond_wait(&s->paused, &s->pause);
    (void)pthread_mutex_unlock(&s->pause);
}

void serve_crew_resume(struct serving *s)
{
    (void)pthread_mutex_lock(&s->pause);
    atomic_store(&s->pausing, false);
    (void)pthread_cond_broadcast(&s->resumed);
    (void)pthread_mutex_unlock(&s->pause);
}

/* ---- the threads ---- */

static int64_t take_turn(void *ctx, int64_t now_ns)
{
    struct serve_worker *w = ctx;

    if (w->number)
        wait_while_paused(w->serving);
    return serve_worker_turn(w, now_ns);
}

/* One that cannot go on takes the others with it: calls of it would be lost for nothing. */
static void *run(void *ctx)
{
    struct serve_worker *w = ctx;
    struct serving *s = w->serving;

    if (loop_run(w->loop) < 0)
        serve_crew_stop(s);
    (void)pthread_mutex_lock(&s->pause);
    s->gone++;
    (void)pthread_cond_signal(&s->paused);
    (void)pthread_mutex_unlock(&s->pause);
    return NULL;
}

/* Signals are for the main thread. */
int serve_crew_start(struct serving *s)
{
    sigset_t all, before;
    int error = 0;

    for (unsigned i = 0; i < s->steer.count; i++) {
        struct serve_worker *w = &s->workers[i];

        w->turn = (struct loop_turn){ .turn = take_turn, .ctx = w };
        loop_add_turn(w->loop, &w->turn, LOOP_WORK);
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 1; !error && i < s->steer.count; i++) {
        error = pthread_create(&s->workers[i].thread, NULL, run, &s->workers[i]);
        s->workers[i].has_thread = !error;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

void serve_crew_stop(struct serving *s)
{
    for (unsigned i = 0; i < s->steer.count; i++)
        loop_stop(s->workers[i].loop);
}

/* The last answer of a call may be a letter to the worker that has the connection. */
void serve_crew_join(struct serving *s)
{
    for (unsigned i = 1; i < s->steer.count; i++)
        if (s->workers[i].has_thread)
            (void)pthread_join(s->workers[i].thread, NULL);
    for (unsigned i = 0; i < s->steer.count; i++)
        s->workers[i].has_thread = false;
    for (unsigned i = 0; s->steer.count > 1 && i < s->steer.count; i++)
        (void)loop_round(s->workers[i].loop, 0);
    for (unsigned i = 0; i < s->steer.count; i++)
        loop_remove_turn(&s->workers[i].turn);
}

/* ---- calls ---- */

uint64_t serve_crew_calls(struct serving *s)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < s->steer.count; i++)
        all += atomic_load(&s->workers[i].live);
    return all;
}

bool serve_crew_is_empty(struct serving *s)
{
    for (unsigned i = 0; i < s->steer.count; i++)
        if (!atomic_load(&s->workers[i].refuses) || atomic_load(&s->workers[i].live))   /* in this order */
            return false;
    return true;
}
