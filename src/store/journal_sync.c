/* store/journal_sync.c - fsync in a thread of its own, since it may take seconds; see journal_int.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "store/journal_int.h"

static void *sync_all(void *arg)
{
    struct journal_sync *s = arg;

    for (size_t i = 0; i < s->count; i++) {
        if (fsync(s->fds[i]) < 0 && !s->error)
            s->error = -errno;
        (void)close(s->fds[i]);
    }
    s->done = true;
    return NULL;
}

void journal_sync_start(struct journal_sync *s, const int *fds, size_t count)
{
    sigset_t all, before;

    s->count = 0;
    s->error = 0;
    s->done = false;
    for (size_t i = 0; i < count && s->count < JOURNAL_SYNC_MAX; i++) {
        int fd = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 0);    /* the caller may close its own */

        if (fd >= 0)
            s->fds[s->count++] = fd;
        else if (fds[i] >= 0 && fsync(fds[i]) < 0 && !s->error)
            s->error = -errno;
    }
    (void)sigfillset(&all);                               /* signals are for the program's own threads */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    s->has_thread = pthread_create(&s->thread, NULL, sync_all, s) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!s->has_thread)
        (void)sync_all(s);
    s->busy = true;
}

int journal_sync_wait(struct journal_sync *s)
{
    if (!s->busy)
        return 0;
    if (s->has_thread)
        (void)pthread_join(s->thread, NULL);
    s->busy = false;
    return s->error;
}

int journal_sync_poll(struct journal_sync *s)
{
    return s->busy && !s->done ? 1 : journal_sync_wait(s);
}
