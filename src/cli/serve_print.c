/* cli/serve_print.c - see serve_print.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_print.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"

enum {
    PIECE = 512,                     /* goes in one when poll says that there is room, whatever it is */
    BLOCK = 32 << 10,
};

struct block {
    struct list in_queue;
    size_t      begin, end;
    char        bytes[BLOCK];
};

struct serve_print {
    struct serve_print_limits limits;
    int         fd, own_fd;          /* own_fd: the same thing opened anew, which does not block; or -1 */
    bool        is_socket, is_file;
    bool        gone;                /* nobody reads any more */
    bool        ends, patient;       /* patient: whoever reads is waited for */
    int         idle_ms;
    int64_t     until_ms;
    struct list queue;               /* of struct block */
    size_t      queued;              /* bytes in it */
    uint64_t    lost;
};

/* O_NONBLOCK belongs to the open file, which the shell and others share: so one of our own. */
static int open_anew(int fd)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

struct serve_print *serve_print_new(int fd, const struct serve_print_limits *limits)
{
    struct serve_print *p = calloc(1, sizeof *p);
    struct stat st = { 0 };

    if (!p)
        return NULL;
    p->limits = *limits;
    p->fd = fd;
    p->own_fd = -1;
    list_init(&p->queue);
    if (fstat(fd, &st) == 0) {
        p->is_socket = S_ISSOCK(st.st_mode);
        p->is_file = S_ISREG(st.st_mode);
    }
    if (!p->is_file && !p->is_socket)
        p->own_fd = open_anew(fd);
    return p;
}

/* Without waiting, whatever it is; -EAGAIN: later. */
static ssize_t write_some(const struct serve_print *p, slice text)
{
    struct pollfd ready = { .fd = p->fd, .events = POLLOUT };
    ssize_t n;

    if (p->is_socket)
        n = send(p->fd, text.ptr, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (p->own_fd >= 0 || p->is_file)
        n = write(p->own_fd >= 0 ? p->own_fd : p->fd, text.ptr, text.len);
    else if (poll(&ready, 1, 0) > 0)
        n = write(p->fd, text.ptr, text.len < PIECE ? text.len : PIECE);
    else
        return -EAGAIN;
    return n < 0 ? -errno : n;
}

/* ---- the queue ---- */

static struct block *queue_at(struct list *at) { return list_item(at, struct block, in_queue); }

static void queue_drop(struct list *queue, struct list *until)
{
    while (queue->next != until) {
        struct block *b = queue_at(queue->next);

        list_remove(&b->in_queue);
        free(b);
    }
}

/* All of it or nothing: the blocks first, the text afterwards. */
static bool queue_add(struct serve_print *p, slice text)
{
    struct list *tail = p->queue.prev;
    size_t room = list_is_empty(&p->queue) ? 0 : BLOCK - queue_at(tail)->end;
    struct block *at = room ? queue_at(tail) : NULL;

    for (; room < text.len; room += BLOCK) {
        struct block *b = malloc(sizeof *b);

        if (!b) {
            for (struct list *last = p->queue.prev; last != tail; last = p->queue.prev) {
                list_remove(last);
                free(queue_at(last));
            }
            return false;
        }
        b->begin = b->end = 0;
        list_append(&p->queue, &b->in_queue);
        at = at ? at : b;
    }
    p->queued += text.len;
    while (text.len) {
        size_t n = text.len < BLOCK - at->end ? text.len : BLOCK - at->end;

        memcpy(at->bytes + at->end, text.ptr, n);
        at->end += n;
        text = slice_skip(text, n);
        at = queue_at(at->in_queue.next);
    }
    return true;
}

void serve_print_flush(struct serve_print *p)
{
    while (!list_is_empty(&p->queue)) {
        struct block *b = queue_at(p->queue.next);
        ssize_t n = write_some(p, slice_of(b->bytes + b->begin, b->end - b->begin));

        if (n == -EINTR)
            continue;
        if (n < 0) {
            p->gone = p->gone || n != -EAGAIN;
            break;
        }
        b->begin += (size_t)n;
        p->queued -= (size_t)n;
        if (b->begin == b->end)
            queue_drop(&p->queue, b->in_queue.next);
    }
    if (p->gone) {
        queue_drop(&p->queue, &p->queue);
        p->queued = 0;
    }
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until no more than so many bytes are queued, as long as there is patience. */
static void wait_until(struct serve_print *p, size_t bytes)
{
    int64_t took_ms = now_ms();

    while (p->queued > bytes && p->patient) {
        struct pollfd ready = { .fd = p->fd, .events = POLLOUT };
        size_t before = p->queued;
        int64_t at_ms = now_ms(), idle_ms = took_ms + p->idle_ms - at_ms, left_ms = p->until_ms - at_ms;

        left_ms = idle_ms < left_ms ? idle_ms : left_ms;
        if (left_ms <= 0) {
            p->patient = false;
            return;
        }
        (void)poll(&ready, 1, (int)left_ms);
        serve_print_flush(p);
        took_ms = p->queued < before ? now_ms() : took_ms;
    }
}

void serve_print_ends(struct serve_print *p, int idle_ms, int most_ms)
{
    p->ends = p->patient = true;
    p->idle_ms = idle_ms;
    p->until_ms = now_ms() + most_ms;
}

static uint64_t lines_of(slice record)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < record.len; i++)
        lines += record.ptr[i] == '\n';
    return lines;
}

bool serve_print_put(struct serve_print *p, slice record, bool owed)
{
    size_t most = p->limits.bytes + (owed ? p->limits.owed_bytes : 0);

    if (p->queued + record.len > p->limits.bytes) {
        serve_print_flush(p);
        wait_until(p, p->limits.bytes > record.len ? p->limits.bytes - record.len : 0);
    }
    if (p->gone || !record.len)
        return true;
    if (p->queued + record.len <= most && queue_add(p, record))
        return true;
    p->lost += lines_of(record);
    return false;
}

uint64_t serve_print_take_lost(struct serve_print *p)
{
    uint64_t lost = !p->ends && p->queued > p->limits.bytes / 2 ? 0 : p->lost;

    p->lost -= lost;
    return lost;
}

bool serve_print_waits(const struct serve_print *p) { return p->queued > 0; }

struct serve_print *serve_print_free(struct serve_print *p)
{
    if (!p)
        return NULL;
    serve_print_flush(p);
    wait_until(p, 0);
    queue_drop(&p->queue, &p->queue);
    if (p->own_fd >= 0)
        (void)close(p->own_fd);
    free(p);
    return NULL;
}
