/* tests/harness/net_world.c - see net_world.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/net_world.h"

#include <errno.h>
#include <unistd.h>

#include "harness/test.h"

#define MINUTE_NS 60000000000ll

static void on_message(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    struct side *s = ctx;
    struct hop back = *from;

    (void)now_ns;
    s->from = *from;
    s->messages++;
    s->bytes += bytes.len;
    s->last_len = bytes.len;
    memcpy(s->last, bytes.ptr, bytes.len < sizeof s->last ? bytes.len : sizeof s->last);
    if (s->echo) {
        struct hop_sender send = net_sender(s->net);

        (void)send.send(send.ctx, &back, bytes);
    }
    if (s->hang_up)
        net_hang_up(s->net, from->connection);
}

static void on_lost(void *ctx, const struct hop *hop, int error, slice why)
{
    struct side *s = ctx;

    s->lost++;
    s->lost_hop = *hop;
    s->lost_error = error;
    snprintf(s->why, sizeof s->why, SLICE_FMT, SLICE_ARG(why));
}

static slice domain_of(void *ctx, const struct hop *to)
{
    (void)to;
    return ((struct side *)ctx)->domain;
}

int world_open(struct world *w, const struct world_settings *s, struct net_fault *ret_fault)
{
    int error;

    memset(w, 0, sizeof *w);
    error = loop_open(&w->loop);
    for (size_t i = 0; i < 2 && !error; i++) {
        struct side *side = &w->side[i];
        struct net_listener at = { .transport = s->transport, .tls = s->server };
        struct net_settings settings = { .listeners = &at, .listener_count = 1, .client = s->client,
                                         .limits = s->limits };
        struct net_handlers handlers = { side, on_message, on_lost, domain_of };

        CHECK(address_parse_ip(slice_of_string(s->ip), &at.address));
        side->world = w;
        error = net_open(&side->net, w->loop, &settings, &handlers, ret_fault);
        if (!error)
            side->at = *net_listener_address(side->net, 0);
    }
    return error;
}

void world_close(struct world *w)
{
    for (size_t i = 0; i < 2; i++)
        w->side[i].net = net_free(w->side[i].net);
    w->loop = loop_free(w->loop);
}

static void once_around(struct world *w) { CHECK_EQ(loop_round(w->loop, loop_now_ns(w->loop) + MINUTE_NS), 0); }

void world_wait(struct world *w, bool (*done)(const struct world *w))
{
    int64_t until = loop_now_ns(w->loop) + MINUTE_NS;

    while (!done(w) && !test_memory_failed()) {
        CHECK(loop_now_ns(w->loop) < until);
        once_around(w);
    }
}

bool world_served(const struct world *w) { return w->side[0].messages > 0; }
bool world_answered(const struct world *w) { return w->side[1].messages > 0; }
bool world_lost(const struct world *w) { return w->side[1].lost > 0; }
bool world_dropped(const struct world *w) { return w->side[0].lost > 0; }

int world_send(struct world *w, slice bytes, struct hop *ret)
{
    struct hop_sender send = net_sender(w->side[1].net);
    struct hop hop = { .remote = w->side[0].at, .transport = 0 };

    hop.transport = ret->transport;
    int error = send.send(send.ctx, &hop, bytes);

    *ret = hop;
    return error;
}

static void bare_ready(void *ctx, uint32_t events)
{
    struct bare *b = ctx;
    ssize_t n;

    if (!(events & ~(uint32_t)EPOLLOUT))
        return;
    CHECK(b->len < sizeof b->got);
    n = recv(b->watch.fd, b->got + b->len, sizeof b->got - b->len, MSG_DONTWAIT);
    if (n > 0)
        b->len += (size_t)n;
    else if (n == 0 || errno != EAGAIN) {
        b->ended = true;
        loop_unwatch(b->world->loop, &b->watch);
    }
}

void bare_open(struct bare *b, struct world *w)
{
    struct sockaddr_storage to;
    socklen_t len = socket_address_to(&w->side[0].at, &to);

    b->world = w;
    b->len = 0;
    b->ended = false;
    b->watch = (struct loop_watch){ .fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), .ready = bare_ready,
                                    .ctx = b };
    CHECK(b->watch.fd >= 0 && connect(b->watch.fd, (struct sockaddr *)&to, len) == 0);
    CHECK_EQ(loop_watch(w->loop, &b->watch, EPOLLIN), 0);
}

void bare_send(struct bare *b, slice bytes)
{
    while (bytes.len && !b->ended) {
        ssize_t n = send(b->watch.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            bytes = slice_skip(bytes, (size_t)n);
            continue;
        }
        if (errno != EAGAIN)
            return;
        CHECK_EQ(loop_watch(b->world->loop, &b->watch, EPOLLIN | EPOLLOUT), 0);
        once_around(b->world);
        if (!b->ended)
            CHECK_EQ(loop_watch(b->world->loop, &b->watch, EPOLLIN), 0);
    }
}

void bare_wait(struct bare *b, size_t len)
{
    int64_t until = loop_now_ns(b->world->loop) + MINUTE_NS;

    while (!b->ended && b->len < len) {
        CHECK(loop_now_ns(b->world->loop) < until);
        once_around(b->world);
    }
}

void bare_close(struct bare *b)
{
    loop_unwatch(b->world->loop, &b->watch);
    (void)close(b->watch.fd);
}
