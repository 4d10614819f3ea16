/* net/stream.c - see stream.h: listeners, and which connections there are
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/stream_int.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPTS_A_ROUND 64u
#define REST_NS         100000000    /* without descriptors, until the next try */
#define BACKLOG         4096
#define SECOND          1000000000ll

static const struct stream_limits usual = {
    .connections_max = 16384, .per_source_max = 1024, .message_max = 65536, .waiting_max = 262144,
    .bytes_max = 64u << 20, .connect_ns = 5 * SECOND, .handshake_ns = 10 * SECOND, .message_ns = 10 * SECOND,
    .write_ns = 30 * SECOND, .idle_ns = 900 * SECOND,
};

static struct stream_limits with_defaults(const struct stream_limits *given)
{
    struct stream_limits l = *given;

    l.connections_max = l.connections_max ? l.connections_max : usual.connections_max;
    l.per_source_max = l.per_source_max ? l.per_source_max : usual.per_source_max;
    l.message_max = l.message_max ? l.message_max : usual.message_max;
    l.waiting_max = l.waiting_max ? l.waiting_max : usual.waiting_max;
    l.bytes_max = l.bytes_max ? l.bytes_max : usual.bytes_max;
    l.connect_ns = l.connect_ns ? l.connect_ns : usual.connect_ns;
    l.handshake_ns = l.handshake_ns ? l.handshake_ns : usual.handshake_ns;
    l.message_ns = l.message_ns ? l.message_ns : usual.message_ns;
    l.write_ns = l.write_ns ? l.write_ns : usual.write_ns;
    l.idle_ns = l.idle_ns ? l.idle_ns : usual.idle_ns;
    return l;
}

/* ---- finding ---- */

/* No padding: its bytes are hashed. */
struct remote_key {
    struct address remote;
    uint16_t       listener;
    uint8_t        transport, zero;
};

static uint64_t hash_remote(const struct streams *s, const struct hop *h, const struct address *remote)
{
    struct remote_key key = { *remote, h->listener, h->transport, 0 };

    return hash_bytes(&s->seed, &key, sizeof key);
}

static uint64_t hash_number(const struct streams *s, uint64_t number)
{
    return hash_bytes(&s->seed, &number, sizeof number);
}

static struct connection *by_number(const struct streams *s, uint64_t number)
{
    for (struct map_node *n = map_first(&s->by_number, hash_number(s, number)); n; n = map_next(n)) {
        struct connection *c = map_item(n, struct connection, by_number);

        if (c->hop.connection == number)
            return c;
    }
    return NULL;
}

/* A connection that proved to be one domain does not stand for another at the same address. */
static bool is_for_domain(const struct connection *c, slice domain)
{
    return !domain.len || (c->domain && slice_eq_nocase(slice_of_string(c->domain), domain));
}

static bool same_way(const struct connection *c, const struct hop *h)
{
    return c->hop.listener == h->listener && c->hop.transport == h->transport;
}

static struct connection *by_remote(const struct streams *s, const struct hop *h, slice domain)
{
    uint64_t hash = hash_remote(s, h, &h->remote);

    for (struct map_node *n = map_first(&s->by_remote, hash); n; n = map_next(n)) {
        struct connection *c = map_item(n, struct connection, by_remote);

        if (same_way(c, h) && address_eq(&c->hop.remote, &h->remote) && is_for_domain(c, domain))
            return c;
    }
    for (struct map_node *n = map_first(&s->by_alias, hash); n; n = map_next(n)) {
        struct connection *c = map_item(n, struct connection, by_alias);

        if (same_way(c, h) && address_eq(&c->alias, &h->remote))
            return c;                /* who allowed the alias answers for the name */
    }
    return NULL;
}

static void connection_list(struct connection *c)
{
    struct streams *s = c->all;

    map_add(&s->by_number, &c->by_number, hash_number(s, c->hop.connection));
    map_add(&s->by_remote, &c->by_remote, hash_remote(s, &c->hop, &c->hop.remote));
    c->listed = true;
}

void connection_unlist(struct connection *c)
{
    if (!c->listed)
        return;
    map_remove(&c->all->by_number, &c->by_number);
    map_remove(&c->all->by_remote, &c->by_remote);
    if (c->alias.family)
        map_remove(&c->all->by_alias, &c->by_alias);
    c->alias = (struct address){ 0 };
    c->listed = false;
}

void connection_work(struct connection *c)
{
    if (list_is_empty(&c->in_work))
        list_append(&c->all->work, &c->in_work);
}

/* ---- where they come from ---- */

static struct address source_key(const struct address *a)
{
    struct address key = *a;

    key.port = 0;
    if (key.family == 6)
        memset(key.ip + 8, 0, 8);
    return key;
}

/* NULL: memory is short, or so many came from there already. */
static struct tally_one *source_take(struct streams *s, const struct address *remote)
{
    struct address key = source_key(remote);

    return tally_take(s->limits.sources, slice_of(&key, sizeof key), s->limits.per_source_max);
}

static void source_give_back(struct streams *s, struct tally_one *source) { tally_give_back(s->limits.sources, &source); }

/* ---- one more, one less ---- */

static struct connection *connection_new(struct stream_listener *l, const struct hop *hop)
{
    struct streams *s = l->all;
    struct connection *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    *c = (struct connection){ .all = s, .listener = l, .hop = *hop,
                              .watch = { .fd = -1, .ready = connection_ready, .ctx = c } };
    c->hop.connection = s->next_number++;
    list_init(&c->in_work);
    list_append(&s->all, &c->in_all);
    s->open_count++;
    connection_list(c);
    return c;
}

static void connection_free(struct connection *c)
{
    struct streams *s = c->all;

    connection_unlist(c);
    timers_clear(&s->timers, &c->timer);
    loop_unwatch(s->loop, &c->watch);
    c->frames = frames_free(c->frames);
    tls_connection_free(c->ssl);
    if (c->watch.fd >= 0)
        (void)close(c->watch.fd);
    buffer_done(&c->in, &s->budget);
    buffer_done(&c->out, &s->budget);
    source_give_back(s, c->source);
    list_remove(&c->in_all);
    list_remove(&c->in_work);
    s->open_count--;
    free(c->domain);
    free(c);
}

static void prepare(int fd) { (void)socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

/* ---- those that come ---- */

static int adopt(struct stream_listener *l, int fd, const struct address *remote, struct tally_one *source)
{
    struct hop hop = { .local = l->local, .remote = *remote, .listener = l->index, .transport = l->transport };
    struct connection *c;
    int error = 0;

    if (l->wildcard)
        error = socket_local(fd, &hop.local);
    c = error ? NULL : connection_new(l, &hop);
    if (!c)
        return error ? error : -ENOMEM;
    c->watch.fd = fd;
    c->source = source;
    if (l->tls && !(c->ssl = tls_connection(l->tls, &c->watch.fd, (slice){ 0 })))
        error = -ENOMEM;
    if (!error)
        error = connection_begin(c, CONNECTION_OPEN);
    if (!error)
        return 0;
    loop_unwatch(l->all->loop, &c->watch);
    c->watch.fd = -1;                /* these two are the caller's again */
    c->source = NULL;
    connection_free(c);
    return error;
}

static void greet(struct stream_listener *l, int fd, const struct address *remote)
{
    struct streams *s = l->all;
    struct tally_one *source = NULL;

    prepare(fd);
    if (s->open_count < s->limits.connections_max)
        source = source_take(s, remote);
    if (source && adopt(l, fd, remote, source) == 0) {
        s->counts.accepted++;
        return;
    }
    source_give_back(s, source);
    s->counts.over_limit++;
    (void)close(fd);
}

static void accept_some(void *ctx, uint32_t events)
{
    struct stream_listener *l = ctx;

    (void)events;
    for (size_t i = 0; i < ACCEPTS_A_ROUND; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd = accept4(l->watch.fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct address remote;

        if (fd >= 0 && socket_address_from(&from, &remote)) {
            greet(l, fd, &remote);
        } else if (fd >= 0) {
            (void)close(fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            l->all->counts.over_limit++;             /* it would be ready for ever */
            l->rest_until_ns = loop_now_ns(l->all->loop) + REST_NS;
            loop_unwatch(l->all->loop, &l->watch);
            return;
        } else if (errno == EAGAIN) {
            return;
        }                                            /* else: that one went away again */
    }
}

/* ---- those that we make ---- */

static int bind_below(int fd, const struct stream_listener *l)
{
    struct address from = l->local;
    struct sockaddr_storage at;
    socklen_t len;

    if (l->wildcard)
        return 0;
    from.port = 0;
    len = socket_address_to(&from, &at);
    (void)socket_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    return bind(fd, (struct sockaddr *)&at, len) < 0 ? -errno : 0;
}

static int start_connecting(struct connection *c)
{
    struct sockaddr_storage to;
    socklen_t len = socket_address_to(&c->hop.remote, &to);
    int error, fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    c->watch.fd = fd;
    prepare(fd);
    error = bind_below(fd, c->listener);
    if (!error && connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)
        error = -errno;
    if (!error && c->listener->wildcard) {
        error = socket_local(fd, &c->hop.local);
        c->hop.local.port = c->listener->local.port;
    }
    return error;
}

static int add_tls(struct connection *c, slice domain)
{
    struct streams *s = c->all;
    struct net_fault fault;
    int error = 0;

    if (!s->client)
        error = streams_trust(s, &(struct tls_settings){ 0 }, &fault);
    if (error)
        return error;
    if (domain.len && !(c->domain = strndup(domain.ptr, domain.len)))
        return -ENOMEM;
    c->ssl = tls_connection(s->client, &c->watch.fd, domain);
    return c->ssl ? 0 : -ENOMEM;
}

static int connection_make(struct stream_listener *l, const struct hop *hop, slice domain, struct connection **ret)
{
    struct streams *s = l->all;
    struct hop fresh = *hop;
    struct connection *c;
    int error = 0;

    if (s->open_count >= s->limits.connections_max)
        return -ENOBUFS;
    fresh.local = l->local;
    fresh.made = true;
    c = connection_new(l, &fresh);
    if (!c)
        return -ENOMEM;
    error = start_connecting(c);
    if (!error && l->tls)
        error = add_tls(c, domain);
    if (!error)
        error = connection_begin(c, CONNECTION_CONNECTING);
    if (error)
        connection_free(c);
    else
        *ret = c;
    return error;
}

/* ---- for the caller ---- */

static struct stream_listener *listener_of(const struct streams *s, const struct hop *hop)
{
    struct stream_listener *l = hop->listener < s->listener_count ? s->listeners[hop->listener] : NULL;

    return l && l->transport == hop->transport ? l : NULL;
}

static int connection_for(struct streams *s, const struct hop *hop, struct connection **ret)
{
    struct stream_listener *l = listener_of(s, hop);
    slice domain = { 0 };

    if (hop->connection) {
        *ret = by_number(s, hop->connection);
        return *ret ? 0 : -ENOTCONN;
    }
    if (!l || hop->remote.family != l->local.family)
        return -EINVAL;
    if (l->tls && s->handlers.domain)
        domain = s->handlers.domain(s->handlers.ctx, hop);
    *ret = by_remote(s, hop, domain);
    return *ret ? 0 : connection_make(l, hop, domain, ret);
}

int streams_send(struct streams *s, struct hop *hop, slice bytes)
{
    struct connection *c = NULL;
    int error = bytes.len > s->limits.waiting_max ? -EMSGSIZE : connection_for(s, hop, &c);

    if (!error)
        error = connection_put(c, bytes);
    if (error) {
        s->counts.refused++;
        return error;
    }
    s->counts.sent++;
    c->known = true;
    hop->connection = c->hop.connection;
    hop->local = c->hop.local;
    hop->listener = c->hop.listener;
    hop->made = c->hop.made;
    return 0;
}

int streams_alias(struct streams *s, uint64_t connection, const struct address *alias)
{
    struct connection *c = by_number(s, connection);

    if (!c)
        return -ENOTCONN;
    if (c->alias.family)
        map_remove(&s->by_alias, &c->by_alias);
    c->alias = *alias;
    if (alias->family)
        map_add(&s->by_alias, &c->by_alias, hash_remote(s, &c->hop, alias));
    return 0;
}

void streams_hang_up(struct streams *s, uint64_t connection)
{
    struct connection *c = by_number(s, connection);

    if (c)
        connection_end(c, 0, "closed by us");
}

size_t streams_open_count(const struct streams *s) { return s->open_count; }
const struct stream_counts *streams_counts(const struct streams *s) { return &s->counts; }

/* ---- the end of a round ---- */

static void bury(struct connection *c)
{
    const struct stream_handlers *h = &c->all->handlers;
    struct hop hop = c->hop;
    int error = c->error;
    slice why = slice_of_string(c->why);
    bool known = c->known;

    connection_free(c);              /* first: who is told may send, and needs the room */
    if (known)
        h->lost(h->ctx, &hop, error, why);
}

static void expire_timers(struct streams *s, int64_t now_ns)
{
    struct timer *t;

    while ((t = timers_due(&s->timers, now_ns))) {
        struct connection *c = timer_item(t, struct connection, timer);
        int64_t due = connection_due_ns(c);

        if (due <= now_ns)
            connection_expire(c);
        else if (timers_set(&s->timers, t, due) < 0)
            connection_end(c, ENOMEM, "no memory");
    }
}

static int64_t listen_again(struct streams *s, int64_t now_ns)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < s->listener_count; i++) {
        struct stream_listener *l = s->listeners[i];

        if (!l || !l->rest_until_ns)
            continue;
        if (l->rest_until_ns <= now_ns && loop_watch(s->loop, &l->watch, EPOLLIN) == 0)
            l->rest_until_ns = 0;
        else if (l->rest_until_ns <= now_ns)
            l->rest_until_ns = now_ns + REST_NS;
        if (l->rest_until_ns && l->rest_until_ns < next)
            next = l->rest_until_ns;
    }
    return next;
}

int64_t streams_turn(struct streams *s, int64_t now_ns)
{
    struct list later;
    int64_t next;

    list_init(&later);
    expire_timers(s, now_ns);
    while (!list_is_empty(&s->work)) {
        struct connection *c = list_item(s->work.next, struct connection, in_work);

        list_remove(&c->in_work);
        if (c->state != CONNECTION_GONE)
            connection_look(c);
        if (c->state == CONNECTION_GONE) {
            bury(c);
        } else if (!list_is_empty(&c->in_work)) {    /* has more to read: next round */
            list_remove(&c->in_work);
            list_append(&later, &c->in_work);
        }
    }
    while (!list_is_empty(&later)) {
        struct list *first = later.next;

        list_remove(first);
        list_append(&s->work, first);
    }
    next = listen_again(s, now_ns);
    if (timers_next_ns(&s->timers) < next)
        next = timers_next_ns(&s->timers);
    return list_is_empty(&s->work) ? next : now_ns;
}

/* ---- opening and closing ---- */

struct streams *streams_new(struct loop *l, const struct stream_limits *limits, uint16_t worker,
                            const struct stream_handlers *handlers)
{
    struct streams *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->loop = l;
    s->limits = with_defaults(limits);
    s->handlers = *handlers;
    s->budget.max_bytes = s->limits.bytes_max;
    s->next_number = ((uint64_t)worker << 48) + 1;   /* never two in the process */
    list_init(&s->all);
    list_init(&s->work);
    s->scratch = malloc(SCRATCH_BYTES);
    if (s->scratch && RAND_bytes((unsigned char *)&s->seed, sizeof s->seed) == 1 &&
        map_init(&s->by_number, 64) == 0 && map_init(&s->by_remote, 64) == 0 && map_init(&s->by_alias, 8) == 0 &&
        (s->limits.sources || (s->limits.sources = s->own_sources = tally_new(&s->seed, NULL))))
        return s;
    return streams_free(s);
}

static void listener_free(struct stream_listener *l)
{
    if (!l)
        return;
    loop_unwatch(l->all->loop, &l->watch);
    if (l->watch.fd >= 0)
        (void)close(l->watch.fd);
    (void)tls_free(l->tls);
    free(l);
}

struct streams *streams_free(struct streams *s)
{
    if (!s)
        return NULL;
    while (!list_is_empty(&s->all)) {
        struct connection *c = list_item(s->all.next, struct connection, in_all);

        if (c->state == CONNECTION_OPEN && c->frames)
            (void)frames_close(c->frames);
        if (c->state == CONNECTION_OPEN)
            connection_write(c);     /* what can still go, goes */
        connection_end(c, 0, "closed by us");
        connection_free(c);
    }
    for (size_t i = 0; i < s->listener_count; i++)
        listener_free(s->listeners[i]);
    free(s->listeners);
    (void)tls_free(s->client);
    map_done(&s->by_number);
    map_done(&s->by_remote);
    map_done(&s->by_alias);
    tally_free(s->own_sources);
    timers_done(&s->timers);
    free(s->scratch);
    free(s);
    return NULL;
}

int streams_trust(struct streams *s, const struct tls_settings *client, struct net_fault *ret_fault)
{
    struct tls *t;
    int error = tls_open(&t, TLS_CLIENT, client, ret_fault);

    if (error) {
        ret_fault->listener = NET_FAULT_CLIENT;
        return error;
    }
    (void)tls_free(s->client);
    s->client = t;
    return 0;
}

static int listener_open(struct stream_listener *l, const struct stream_wish *wish, struct net_fault *ret_fault)
{
    int error;

    l->watch.fd = socket_bound(&wish->socket, &ret_fault->what);
    if (l->watch.fd < 0)
        return l->watch.fd;
    ret_fault->what = NET_FAULT_LISTEN;
    if (listen(l->watch.fd, BACKLOG) < 0)
        return -errno;
    ret_fault->what = NET_FAULT_SOCKET;
    error = socket_local(l->watch.fd, &l->local);
    if (error)
        return error;
    l->wildcard = address_is_zero(&l->local);
    ret_fault->what = NET_FAULT_WATCH;
    return loop_watch(l->all->loop, &l->watch, EPOLLIN);
}

static bool make_place(struct streams *s, uint16_t listener)
{
    struct stream_listener **larger;

    if (listener < s->listener_count)
        return true;
    larger = reallocarray(s->listeners, listener + 1u, sizeof *larger);
    if (!larger)
        return false;
    memset(larger + s->listener_count, 0, (listener + 1u - s->listener_count) * sizeof *larger);
    s->listeners = larger;
    s->listener_count = listener + 1u;
    return true;
}

int streams_listen(struct streams *s, const struct stream_wish *wish, uint16_t listener,
                   struct address *ret_local, struct net_fault *ret_fault)
{
    bool secret = wish->transport == WIRE_TLS || wish->transport == WIRE_WSS;
    struct stream_listener *l;
    int error = 0;

    assert(listener < STREAM_LISTENERS_MAX);
    assert(listener >= s->listener_count || !s->listeners[listener]);
    *ret_fault = (struct net_fault){ .what = NET_FAULT_MEMORY, .error = ENOMEM, .listener = listener };
    l = make_place(s, listener) ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return -ENOMEM;
    *l = (struct stream_listener){ .all = s, .index = listener, .transport = (uint8_t)wish->transport,
                                   .watch = { .fd = -1, .ready = accept_some, .ctx = l } };
    if (secret) {
        error = tls_open(&l->tls, TLS_SERVER, wish->tls ? wish->tls : &(struct tls_settings){ 0 }, ret_fault);
        ret_fault->listener = listener;
    }
    if (!error) {
        error = listener_open(l, wish, ret_fault);
        ret_fault->error = -error;
    }
    if (error) {
        listener_free(l);
        return error;
    }
    s->listeners[listener] = l;
    *ret_local = l->local;
    return 0;
}

void streams_close(struct streams *s, uint16_t listener)
{
    struct stream_listener *l = s->listeners[listener];
    struct list *next;

    for (struct list *i = s->all.next; i != &s->all; i = next) {
        struct connection *c = list_item(i, struct connection, in_all);

        next = i->next;
        if (c->listener != l)
            continue;
        if (c->state == CONNECTION_OPEN)
            connection_write(c);                     /* what can still go, goes */
        c->listener = NULL;
        connection_end(c, 0, "closed by us");
    }
    listener_free(l);
    s->listeners[listener] = NULL;
}

void streams_take_tls(struct streams *s, uint16_t listener, struct tls *fresh) { tls_take(s->listeners[listener]->tls, fresh); }

void streams_set_limits(struct streams *s, const struct stream_limits *limits)
{
    struct tally *sources = s->limits.sources;

    s->limits = with_defaults(limits);
    s->limits.sources = sources;                     /* it counts what is open */
    s->budget.max_bytes = s->limits.bytes_max;
}

int streams_reload_client(struct streams *s, struct net_fault *ret_fault)
{
    int error = s->client ? tls_reload(s->client, ret_fault) : 0;

    if (error < 0)
        ret_fault->listener = NET_FAULT_CLIENT;
    return error;
}

int streams_reload(struct streams *s, struct net_fault *ret_fault)
{
    struct net_fault fault;
    int error = 0, got;

    for (size_t i = 0; i < s->listener_count; i++)
        if (s->listeners[i] && s->listeners[i]->tls && (got = tls_reload(s->listeners[i]->tls, &fault)) < 0 && !error) {
            error = got;
            *ret_fault = fault;
            ret_fault->listener = i;
        }
    if ((got = streams_reload_client(s, &fault)) < 0 && !error) {
        error = got;
        *ret_fault = fault;
    }
    return error;
}
