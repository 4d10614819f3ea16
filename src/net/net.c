/* net/net.c - see net.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct listener {                    /* its place is the number that hops give */
    struct address wished, local;
    uint8_t        transport;
    bool           is_open, wildcard;
};

struct net {
    struct loop        *loop;
    struct net_handlers handlers;
    struct loop_turn    turn;
    struct udp         *udp;
    struct streams     *streams;
    struct listener     listeners[NET_LISTENERS_MAX];
    uint16_t            order[NET_LISTENERS_MAX];    /* of the settings: their numbers */
    size_t              listener_count;
    uint16_t            worker;
    bool                shared;
};

static int64_t take_turn(void *ctx, int64_t now_ns)
{
    struct net *n = ctx;
    int64_t due = streams_turn(n->streams, now_ns);

    udp_flush(n->udp);               /* after the streams: who was told of a loss may have sent */
    return due;
}

/* ---- listeners ---- */

static bool is_secret(uint8_t transport) { return transport == WIRE_TLS || transport == WIRE_WSS; }

static int open_listener(struct net *n, const struct net_listener *at, uint16_t number, struct net_fault *ret_fault)
{
    struct socket_wish wish = { .type = at->transport == WIRE_UDP ? SOCK_DGRAM : SOCK_STREAM, .local = at->address,
                                .shared = n->shared, .first = n->worker == 0 };
    struct stream_wish stream = { wish, at->transport, &at->tls };
    struct listener l = { .wished = at->address, .transport = (uint8_t)at->transport, .is_open = true };
    int error;

    *ret_fault = (struct net_fault){ .what = NET_FAULT_SETTING };
    if (at->transport >= WIRE_SCTP || (at->address.family != 4 && at->address.family != 6))
        return -EINVAL;
    if (at->transport == WIRE_UDP) {
        error = udp_listen(n->udp, &wish, number, &l.local, &ret_fault->what);
        ret_fault->error = -error;
    } else {
        error = streams_listen(n->streams, &stream, number, &l.local, ret_fault);
    }
    if (error)
        return error;
    l.wildcard = address_is_zero(&l.local);
    n->listeners[number] = l;
    return 0;
}

static void close_listener(struct net *n, uint16_t number)
{
    struct listener *l = &n->listeners[number];

    if (l->transport == WIRE_UDP)
        udp_close(n->udp, number);
    else
        streams_close(n->streams, number);
    *l = (struct listener){ .is_open = false };
}

struct net_change {
    uint16_t    order[NET_LISTENERS_MAX];            /* numbers of those wanted */
    bool        wanted[NET_LISTENERS_MAX], fresh[NET_LISTENERS_MAX];     /* by number */
    struct tls *tls[NET_LISTENERS_MAX];              /* for those that stay; by number */
    size_t      count;
    struct stream_limits limits;
};

static bool find_same(const struct net *n, const struct net_change *c, const struct net_listener *at, uint16_t *ret)
{
    for (uint16_t k = 0; k < NET_LISTENERS_MAX; k++) {
        const struct listener *l = &n->listeners[k];

        if (l->is_open && !c->wanted[k] && l->transport == at->transport && address_eq(&l->wished, &at->address)) {
            *ret = k;
            return true;
        }
    }
    return false;
}

static int find_free(const struct net *n, uint16_t *ret)
{
    for (uint16_t k = 0; k < NET_LISTENERS_MAX; k++)
        if (!n->listeners[k].is_open) {
            *ret = k;
            return 0;
        }
    return -E2BIG;
}

static int prepare(struct net *n, struct net_change *c, const struct net_listener *at, size_t i, struct net_fault *ret_fault)
{
    uint16_t number = 0;
    int error = 0;

    *ret_fault = (struct net_fault){ .what = NET_FAULT_SETTING };
    if (find_same(n, c, at, &number)) {
        if (is_secret((uint8_t)at->transport))
            error = tls_open(&c->tls[number], TLS_SERVER, &at->tls, ret_fault);
    } else if (!(error = find_free(n, &number)) && !(error = open_listener(n, at, number, ret_fault))) {
        c->fresh[number] = true;
    }
    c->wanted[number] |= !error;
    c->order[i] = number;
    ret_fault->listener = i;
    return error;
}

struct net_change *net_cancel(struct net *n, struct net_change *c)
{
    for (uint16_t k = 0; c && k < NET_LISTENERS_MAX; k++) {
        (void)tls_free(c->tls[k]);
        if (c->fresh[k])
            close_listener(n, k);
    }
    free(c);
    return NULL;
}

void net_commit(struct net *n, struct net_change *c)
{
    struct net_fault client;

    for (uint16_t k = 0; k < NET_LISTENERS_MAX; k++) {
        if (c->tls[k])
            streams_take_tls(n->streams, k, c->tls[k]);
        if (n->listeners[k].is_open && !c->wanted[k])
            close_listener(n, k);
    }
    memcpy(n->order, c->order, sizeof n->order);
    n->listener_count = c->count;
    streams_set_limits(n->streams, &c->limits);
    (void)streams_reload_client(n->streams, &client);        /* what cannot be read stays */
    free(c);
}

int net_prepare(struct net *n, const struct net_settings *s, struct net_change **ret, struct net_fault *ret_fault)
{
    struct net_change *c = NULL;
    int error = 0;

    *ret_fault = (struct net_fault){ .what = NET_FAULT_SETTING, .listener = NET_LISTENERS_MAX };
    if (s->listener_count > NET_LISTENERS_MAX)
        return -E2BIG;
    *ret_fault = (struct net_fault){ .what = NET_FAULT_MEMORY, .error = ENOMEM, .listener = NET_LISTENERS_MAX };
    c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->count = s->listener_count;
    c->limits = s->limits;
    for (size_t i = 0; i < s->listener_count && !error; i++)
        error = prepare(n, c, &s->listeners[i], i, ret_fault);
    if (error) {
        (void)net_cancel(n, c);
        return error;
    }
    *ret_fault = (struct net_fault){ 0 };
    *ret = c;
    return 0;
}

static bool makes_tls(const struct net_settings *s)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (is_secret((uint8_t)s->listeners[i].transport))
            return true;
    return false;
}

static int open_all(struct net *n, const struct net_settings *s, struct net_fault *ret_fault)
{
    struct net_change *change;
    int error = net_prepare(n, s, &change, ret_fault);

    if (!error)
        net_commit(n, change);
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
    *n = (struct net){ .loop = l, .handlers = *handlers, .turn = { .turn = take_turn, .ctx = n },
                       .worker = settings->worker, .shared = settings->shared };
    list_init(&n->turn.in_all);
    n->udp = udp_new(l, &udp);
    n->streams = streams_new(l, &settings->limits, settings->worker, &streams);
    error = n->udp && n->streams ? 0 : -ENOMEM;
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
    free(n);
    return NULL;
}

/* ---- sending ---- */

static int first_listener(const struct net *n, const struct hop *hop, uint16_t *ret)
{
    for (size_t i = 0; i < n->listener_count; i++) {
        const struct listener *l = &n->listeners[n->order[i]];

        if (l->transport == hop->transport && l->local.family == hop->remote.family) {
            *ret = n->order[i];
            return 0;
        }
    }
    return -EAFNOSUPPORT;
}

/* Its listener may have been closed, and the number given to another. */
static bool has_listener(const struct net *n, const struct hop *hop)
{
    const struct listener *l = hop->listener < NET_LISTENERS_MAX ? &n->listeners[hop->listener] : NULL;

    return l && l->is_open && l->transport == hop->transport && l->local.family == hop->local.family &&
           l->local.port == hop->local.port && (l->wildcard || address_same_ip(&l->local, &hop->local));
}

int net_choose(struct net *n, struct hop *hop)
{
    uint16_t chosen = hop->listener;
    struct address local;
    int error = 0;

    if (hop->local.family && has_listener(n, hop))
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
    return listener < n->listener_count ? &n->listeners[n->order[listener]].local : NULL;
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
