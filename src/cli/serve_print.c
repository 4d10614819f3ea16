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

enum { PIECE = 512 };                /* goes in one when poll says that there is room, whatever it is */

struct serve_print {
    int      fd, own_fd;             /* own_fd: the same thing opened anew, which does not block; or -1 */
    bool     is_socket, is_file;
    bool     gone;                   /* nobody reads any more */
    char    *buffer;
    size_t   begin, end, room;
    uint64_t lost;
};

/* O_NONBLOCK belongs to the open file, which the shell and others share: so one of our own. */
static int open_anew(int fd)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

struct serve_print *serve_print_new(int fd, size_t room_bytes)
{
    struct serve_print *p = calloc(1, sizeof *p);
    struct stat st = { 0 };

    if (!p)
        return NULL;
    p->fd = fd;
    p->own_fd = -1;
    p->room = room_bytes;
    p->buffer = malloc(room_bytes);
    if (!p->buffer) {
        free(p);
        return NULL;
    }
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

void serve_print_flush(struct serve_print *p)
{
    while (p->begin < p->end) {
        ssize_t n = write_some(p, slice_of(p->buffer + p->begin, p->end - p->begin));

        if (n == -EINTR)
            continue;
        if (n < 0) {
            p->gone = p->gone || n != -EAGAIN;
            break;
        }
        p->begin += (size_t)n;
    }
    if (p->gone || p->begin == p->end)
        p->begin = p->end = 0;
}

static uint64_t lines_of(slice record)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < record.len; i++)
        lines += record.ptr[i] == '\n';
    return lines;
}

void serve_print_put(struct serve_print *p, slice record)
{
    if (p->gone || !record.len)
        return;
    if (p->room - p->end < record.len && p->begin) {
        memmove(p->buffer, p->buffer + p->begin, p->end - p->begin);
        p->end -= p->begin;
        p->begin = 0;
    }
    if (p->room - p->end < record.len) {
        p->lost += lines_of(record);
        return;
    }
    memcpy(p->buffer + p->end, record.ptr, record.len);
    p->end += record.len;
}

uint64_t serve_print_take_lost(struct serve_print *p)
{
    uint64_t lost = p->end - p->begin > p->room / 2 ? 0 : p->lost;

    p->lost -= lost;
    return lost;
}

bool serve_print_waits(const struct serve_print *p) { return p->begin < p->end; }

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct serve_print *serve_print_free(struct serve_print *p, int wait_ms)
{
    if (!p)
        return NULL;
    struct pollfd ready = { .fd = p->fd, .events = POLLOUT };
    int64_t until_ms = now_ms() + wait_ms, left_ms = wait_ms;

    serve_print_flush(p);
    while (serve_print_waits(p) && left_ms > 0) {
        (void)poll(&ready, 1, (int)left_ms);
        serve_print_flush(p);
        left_ms = until_ms - now_ms();
    }
    if (p->own_fd >= 0)
        (void)close(p->own_fd);
    free(p->buffer);
    free(p);
    return NULL;
}
