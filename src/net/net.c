/* net/net.c - see net.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct listener {
    struct address local;
    uint8_t        transport;
    bool           wildcard;
};

struct net {
    struct loop        *loop;
    struct net_handlers handlers;
    struct loop_turn    turn;
    struct udp         *udp;
    struct streams     *streams;
    struct listener    *listeners;
    size_t              listener_count;
};

static int64_t take_turn(void *ctx, int64_t now_ns)
{
    struct net *n = ctx;
    int64_t due = streams_turn(n->streams, now_ns);

    udp_flush(n->udp);               /* after the streams: who was told of a loss may have sent */
    return due;
}

static int open_listener(struct net *n, const struct net_settings *s, size_t i, struct net_fault *ret_fault)
{
    const struct net_listener *at = &s->listeners[i];
    struct socket_wish wish = { .type = at->transport == WIRE_UDP ? SOCK_DGRAM : SOCK_STREAM, .local = at->address,
                                .shared = s->shared, .first = s->worker == 0 };
    struct stream_wish stream = { wish, at->transport, &at->tls };
    struct listener *l = &n->listeners[i];
    int error;

    *ret_fault = (struct net_fault){ .what = NET_FAULT_SETTING, .listener = i };
    if (at->transport >= WIRE_SCTP || (at->address.family != 4 && at->address.family != 6))
        return -EINVAL;
    if (at->transport == WIRE_UDP) {
        error = udp_listen(n->udp, &wish, (uint16_t)i, &l->local, &ret_fault->what);
        ret_fault->error = -error;
    } else {
        error = streams_listen(n->streams, &stream, (uint16_t)i, &l->local, ret_fault);
    }
    if (error)
        return error;
    l->transport = (uint8_t)at->transport;
    l->wildcard = address_is_zero(&l->local);
    n->listener_count = i + 1;
    return 0;
}

static bool makes_tls(const struct net_settings *s)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (s->listeners[i].transport == WIRE_TLS || s->listeners[i].transport == WIRE_WSS)
            return true;
    return false;
}

static int open_all(struct net *n, const struct net_settings *s, struct net_fault *ret_fault)
{
    int error = 0;

    for (size_t i = 0; i < s->listener_count && !error; i++)
        error = open_listener(n, s, i, ret_fault);
    if (!error && makes_tls(s))
        error = streams_trust(n->streams, &s->client, ret_fault);
    return error;
}

int net_open(struct net **ret, struct loop *l, const struct net_settings *settings,
             const struct net_handlers *handlers, struct net_fault *ret_fault)
{
    struct udp_handlers udp = { handlers->ctx, handlers->message, handlers->lost };
    struct stream_handlers streams = { handlers->ctx, handlers->message, handlers->lost, handlers->domain };
    struct net *n = calloc(1, sizeof *n);
    int error;

    *ret_fault = (struct net_fault){ .what = NET_FAULT_MEMORY, .error = ENOMEM };
    if (!n)
        return -ENOMEM;
    *n = (struct net){ .loop = l, .handlers = *handlers, .turn = { .turn = take_turn, .ctx = n } };
    list_init(&n->turn.in_all);
    n->udp = udp_new(l, &udp);
    n->streams = streams_new(l, &settings->limits, settings->worker, &streams);
    n->listeners = calloc(settings->listener_count + 1, sizeof *n->listeners);
    error = n->udp && n->streams && n->listeners ? 0 : -ENOMEM;
    if (settings->listener_count > NET_LISTENERS_MAX) {
        *ret_fault = (struct net_fault){ .what = NET_FAULT_SETTING, .listener = NET_LISTENERS_MAX };
        error = -E2BIG;
    }
    if (!error)
        error = open_all(n, settings, ret_fault);
    if (error) {
        (void)net_free(n);
        return error;
    }
    loop_add_turn(l, &n->turn, LOOP_FLUSH);
    *ret_fault = (struct net_fault){ 0 };
    *ret = n;
    return 0;
}

struct net *net_free(struct net *n)
{
    if (!n)
        return NULL;
    loop_remove_turn(&n->turn);
    n->streams = streams_free(n->streams);
    n->udp = udp_free(n->udp);
    free(n->listeners);
    free(n);
    return NULL;
}

/* ---- sending ---- */

static int first_listener(const struct net *n, const struct hop *hop, uint16_t *ret)
{
    for (size_t i = 0; i < n->listener_count; i++)
        if (n->listeners[i].transport == hop->transport && n->listeners[i].local.family == hop->remote.family) {
            *ret = (uint16_t)i;
            return 0;
        }
    return -EAFNOSUPPORT;
}

int net_choose(struct net *n, struct hop *hop)
{
    uint16_t chosen = hop->listener;
    struct address local;
    int error = 0;

    if (hop->local.family)
        return 0;
    if ((error = first_listener(n, hop, &chosen)))
        return error;
    local = n->listeners[chosen].local;
    if (n->listeners[chosen].wildcard)
        error = socket_route(&hop->remote, &local);
    if (error)
        return error;
    local.port = n->listeners[chosen].local.port;
    hop->listener = chosen;
    hop->local = local;
    return 0;
}

static int send_by(void *ctx, struct hop *to, slice bytes)
{
    struct net *n = ctx;
    int error = to->connection ? 0 : net_choose(n, to);

    if (error)
        return error;
    return to->transport == WIRE_UDP ? udp_send(n->udp, to, bytes) : streams_send(n->streams, to, bytes);
}

static int choose_by(void *ctx, struct hop *to) { return net_choose(ctx, to); }

struct hop_sender net_sender(struct net *n) { return (struct hop_sender){ n, send_by, choose_by }; }

const struct address *net_listener_address(const struct net *n, size_t listener)
{
    return listener < n->listener_count ? &n->listeners[listener].local : NULL;
}

int net_alias(struct net *n, uint64_t connection, const struct address *alias)
{
    return streams_alias(n->streams, connection, alias);
}

void net_hang_up(struct net *n, uint64_t connection) { streams_hang_up(n->streams, connection); }
int  net_reload(struct net *n, struct net_fault *ret_fault) { return streams_reload(n->streams, ret_fault); }

struct net_counts net_counts(const struct net *n)
{
    return (struct net_counts){ *udp_counts(n->udp), *streams_counts(n->streams), streams_open_count(n->streams) };
}
