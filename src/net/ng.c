/* net/ng.c - see ng.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/ng.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/socket.h"

enum { DATAGRAM_MAX = 65536, BATCH = 64 };

struct ng {
    struct loop_watch  watch;
    struct loop       *loop;
    struct ng_handlers handlers;
    struct ng_counts   counts;
    char               datagram[DATAGRAM_MAX];
};

/* A socket keeps an error of an earlier datagram and gives it to whichever call comes next. */
static bool is_unreachable(int error)
{
    return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN;
}

static void on_ready(void *ctx, uint32_t events)
{
    struct ng *n = ctx;
    bool lost = false;

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        ssize_t len = recv(n->watch.fd, n->datagram, sizeof n->datagram, 0);

        if (len < 0 && is_unreachable(errno)) {
            n->counts.failed++;
            lost = true;
            continue;
        }
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            break;
        n->counts.received++;
        n->handlers.datagram(n->handlers.ctx, slice_of(n->datagram, (size_t)len), loop_now_ns(n->loop));
    }
    if (lost)
        n->handlers.lost(n->handlers.ctx, loop_now_ns(n->loop));
}

static void on_send(void *ctx, slice bytes)
{
    struct ng *n = ctx;
    ssize_t sent = send(n->watch.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

    if (sent < 0 && is_unreachable(errno)) {              /* that of the one before; this one has not left */
        n->counts.failed++;
        sent = send(n->watch.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    }
    if (sent < 0)
        n->counts.failed++;
    else
        n->counts.sent++;
}

int ng_open(struct ng **ret, struct loop *l, const struct address *relay, const struct ng_handlers *handlers)
{
    struct sockaddr_storage at;
    socklen_t len = socket_address_to(relay, &at);
    struct ng *n = calloc(1, sizeof *n);
    int error = 0;

    if (!n)
        return -ENOMEM;
    n->loop = l;
    n->handlers = *handlers;
    n->watch = (struct loop_watch){ .ready = on_ready, .ctx = n };
    n->watch.fd = socket(at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (n->watch.fd < 0 || connect(n->watch.fd, (struct sockaddr *)&at, len) < 0)
        error = -errno;
    if (!error)
        error = loop_watch(l, &n->watch, EPOLLIN);
    if (error) {
        ng_free(n);
        return error;
    }
    *ret = n;
    return 0;
}

struct ng *ng_free(struct ng *n)
{
    if (!n)
        return NULL;
    if (n->watch.watched)
        loop_unwatch(n->loop, &n->watch);
    if (n->watch.fd >= 0)
        (void)close(n->watch.fd);
    free(n);
    return NULL;
}

struct media_sender ng_sender(struct ng *n) { return (struct media_sender){ n, on_send }; }
const struct ng_counts *ng_counts(const struct ng *n) { return &n->counts; }
