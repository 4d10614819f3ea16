/* net/udp.c - see udp.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/udp.h"

#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sip/message.h"

#define BATCH           32u
#define BATCHES_A_ROUND 8u           /* then the others have their turn */
#define DATAGRAM_MAX    65536u       /* more than any has: none is ever cut */
#define CONTROL_MAX     128u
#define TRIES           3u

struct waiting {
    struct address from, to;         /* from.family 0: the kernel knows */
    uint32_t       at, len;          /* in the socket's bytes */
};

struct udp_socket {
    struct udp        *all;
    struct loop_watch  watch;
    struct address     local;
    uint16_t           listener;
    bool               wildcard;
    bool               full;         /* the kernel's buffer: wait for EPOLLOUT */
    bool               flushing;
    uint32_t           kernel_drops; /* as the kernel counts them */
    struct waiting    *queue;        /* UDP_QUEUE_DATAGRAMS, [first, count) wait */
    char              *bytes;        /* UDP_QUEUE_BYTES, up to `used` */
    uint32_t           first, count, used;
};

union control {
    char           bytes[CONTROL_MAX];
    struct cmsghdr align;
};
struct batch {
    struct mmsghdr          all[BATCH];
    struct iovec            pieces[BATCH];
    struct sockaddr_storage names[BATCH];
    union control           controls[BATCH];
};
struct udp {
    struct loop        *loop;
    struct udp_handlers handlers;
    struct udp_counts   counts;
    struct udp_socket **sockets;     /* by listener; NULL: of another transport */
    size_t              socket_count;
    char               *room;        /* BATCH datagrams */
    struct batch        in, out;     /* two: who is given a datagram may send many */
};

struct udp *udp_new(struct loop *l, const struct udp_handlers *handlers)
{
    struct udp *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->loop = l;
    u->handlers = *handlers;
    u->room = malloc((size_t)BATCH * DATAGRAM_MAX);
    if (u->room)
        return u;
    free(u);
    return NULL;
}

static void socket_free(struct udp_socket *s)
{
    if (!s)
        return;
    loop_unwatch(s->all->loop, &s->watch);
    if (s->watch.fd >= 0)
        (void)close(s->watch.fd);
    free(s->queue);
    free(s->bytes);
    free(s);
}

struct udp *udp_free(struct udp *u)
{
    if (!u)
        return NULL;
    for (size_t i = 0; i < u->socket_count; i++)
        socket_free(u->sockets[i]);
    free(u->sockets);
    free(u->room);
    free(u);
    return NULL;
}

const struct udp_counts *udp_counts(const struct udp *u) { return &u->counts; }

/* ---- in ---- */

/* A header of the room that the kernel may fill, or fill from. */
static struct msghdr *batch_header(struct batch *b, size_t i)
{
    struct msghdr *h = &b->all[i].msg_hdr;

    *h = (struct msghdr){ .msg_name = &b->names[i], .msg_iov = &b->pieces[i], .msg_iovlen = 1,
                          .msg_control = &b->controls[i], .msg_namelen = sizeof b->names[i],
                          .msg_controllen = sizeof b->controls[i] };
    return h;
}

static void take_overflow(struct udp_socket *s, const struct cmsghdr *c)
{
    uint32_t drops;

    memcpy(&drops, CMSG_DATA(c), sizeof drops);
    s->all->counts.kernel_drops += (uint32_t)(drops - s->kernel_drops);
    s->kernel_drops = drops;
}

/* The kernel's stamp is the wall's time, so that is what it is compared with. */
static void take_age(struct udp_socket *s, const struct cmsghdr *c)
{
    struct timespec came, now;
    int64_t age_ns;

    memcpy(&came, CMSG_DATA(c), sizeof came);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    age_ns = ((int64_t)now.tv_sec - came.tv_sec) * 1000000000 + (now.tv_nsec - came.tv_nsec);
    s->all->counts.waited_ns = age_ns > 0 ? age_ns : 0;
}

static void read_control(struct udp_socket *s, struct msghdr *h, struct hop *from)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            take_overflow(s, c);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            take_age(s, c);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof info);
            from->local = address_v4(&info.ipi_addr, s->local.port);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof info);
            from->local = address_v6(&info.ipi6_addr, s->local.port);
        }
    }
}

static struct hop hop_of(const struct udp_socket *s)
{
    return (struct hop){ .local = s->local, .listener = s->listener, .transport = WIRE_UDP };
}

static void deliver(struct udp_socket *s, size_t i)
{
    struct udp *u = s->all;
    struct hop from = hop_of(s);
    slice bytes = slice_of(u->in.pieces[i].iov_base, u->in.all[i].msg_len);

    u->counts.waited_ns = 0;
    read_control(s, &u->in.all[i].msg_hdr, &from);
    if (!socket_address_from(&u->in.names[i], &from.remote))
        return;
    u->counts.received++;
    if (sip_is_keepalive(bytes)) {
        u->counts.keepalives++;
        return;
    }
    u->handlers.datagram(u->handlers.ctx, &from, loop_now_ns(u->loop), bytes);
    u->counts.waited_ns = 0;
}

static void receive(struct udp_socket *s)
{
    struct udp *u = s->all;

    for (size_t round = 0; round < BATCHES_A_ROUND; round++) {
        for (size_t i = 0; i < BATCH; i++) {
            u->in.pieces[i] = (struct iovec){ u->room + i * DATAGRAM_MAX, DATAGRAM_MAX };
            (void)batch_header(&u->in, i);
        }
        int got = recvmmsg(s->watch.fd, u->in.all, BATCH, MSG_DONTWAIT, NULL);

        for (int i = 0; i < got; i++)
            deliver(s, (size_t)i);
        if (got < (int)BATCH)
            return;                  /* also what ICMP left behind: the queue of errors tells more */
    }
}

/* ---- what did not arrive ---- */

static void tell_lost(struct udp_socket *s, const struct address *to, int error)
{
    struct udp *u = s->all;
    struct hop hop = hop_of(s);

    hop.remote = *to;
    u->handlers.lost(u->handlers.ctx, &hop, error, slice_of_string(strerrordesc_np(error)));
}

static const struct sock_extended_err *error_in(struct msghdr *h)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
            return (const struct sock_extended_err *)CMSG_DATA(c);
    return NULL;
}

static void receive_errors(struct udp_socket *s)
{
    for (size_t n = 0; n < (size_t)BATCH * BATCHES_A_ROUND; n++) {
        struct sockaddr_storage name;
        union control control;
        char byte;
        struct iovec piece = { &byte, 1 };       /* of what we sent: not needed */
        struct msghdr h = { .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &piece, .msg_iovlen = 1,
                            .msg_control = &control, .msg_controllen = sizeof control };
        const struct sock_extended_err *e;
        struct address to;

        if (recvmsg(s->watch.fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        e = error_in(&h);
        if (!e || (e->ee_origin != SO_EE_ORIGIN_ICMP && e->ee_origin != SO_EE_ORIGIN_ICMP6))
            continue;                            /* our own refusals are told where they happen */
        if (e->ee_errno == 0 || e->ee_errno == EMSGSIZE || !socket_address_from(&name, &to))
            continue;                            /* "fragment it": the kernel will */
        s->all->counts.unreachable++;
        tell_lost(s, &to, (int)e->ee_errno);
    }
}

/* ---- out ---- */

static void put_source(struct msghdr *h, const struct address *from)
{
    struct cmsghdr *c = h->msg_control;

    if (from->family == 4) {
        struct in_pktinfo info = { 0 };

        memcpy(&info.ipi_spec_dst, from->ip, 4);
        *c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info) };
        memcpy(CMSG_DATA(c), &info, sizeof info);
        h->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = { 0 };

        memcpy(&info.ipi6_addr, from->ip, 16);
        *c = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO,
                               .cmsg_len = CMSG_LEN(sizeof info) };
        memcpy(CMSG_DATA(c), &info, sizeof info);
        h->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

static size_t make_batch(struct udp_socket *s)
{
    struct batch *b = &s->all->out;
    size_t n = s->count - s->first < BATCH ? s->count - s->first : BATCH;

    for (size_t i = 0; i < n; i++) {
        const struct waiting *w = &s->queue[s->first + i];
        struct msghdr *h = batch_header(b, i);

        b->pieces[i] = (struct iovec){ s->bytes + w->at, w->len };
        h->msg_namelen = socket_address_to(&w->to, &b->names[i]);
        if (w->from.family)
            put_source(h, &w->from);
        else
            *h = (struct msghdr){ .msg_name = h->msg_name, .msg_namelen = h->msg_namelen, .msg_iov = h->msg_iov,
                                  .msg_iovlen = 1 };
    }
    return n;
}

/* The first of the queue will not go. An error may also be an earlier datagram's, told late by
 * ICMP: it was taken off by asking, so ask again. */
static void give_up_first(struct udp_socket *s, int error)
{
    struct address to = s->queue[s->first++].to;

    s->all->counts.failed++;
    tell_lost(s, &to, error);
}

/* Sends what the kernel takes: 0, or the first refusal as -errno. */
static int push(struct udp_socket *s)
{
    while (s->first < s->count) {
        int sent = sendmmsg(s->watch.fd, s->all->out.all, (unsigned)make_batch(s), MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0)
            return -errno;
        s->first += (uint32_t)sent;
        s->all->counts.sent += (uint64_t)sent;
    }
    return 0;
}

static void flush(struct udp_socket *s)
{
    uint32_t before = UINT32_MAX;
    unsigned tries = 0;

    if (s->flushing)
        return;                      /* `lost` may flush: what it sent is in the queue */
    s->flushing = true;
    while (s->first < s->count && !s->full) {
        int error = push(s);

        if (s->first != before)
            tries = 0;
        before = s->first;
        if (error == -EAGAIN || error == -ENOBUFS)
            s->full = true;
        else if (error && error != -EINTR && ++tries >= TRIES)
            give_up_first(s, -error);
    }
    s->flushing = false;
    if (s->first == s->count)
        s->first = s->count = s->used = 0;
    /* Refused by epoll_ctl (no memory): the next round tries to send again. */
    if (loop_watch(s->all->loop, &s->watch, s->full ? EPOLLIN | EPOLLOUT : EPOLLIN) < 0)
        s->full = false;
}

static bool make_room(struct udp_socket *s, size_t len)
{
    uint32_t gone;

    if (s->count < UDP_QUEUE_DATAGRAMS && UDP_QUEUE_BYTES - s->used >= len)
        return true;
    if (s->first == 0)
        return false;
    gone = s->first < s->count ? s->queue[s->first].at : s->used;
    memmove(s->bytes, s->bytes + gone, s->used - gone);
    memmove(s->queue, s->queue + s->first, (s->count - s->first) * sizeof *s->queue);
    s->used -= gone;
    s->count -= s->first;
    s->first = 0;
    for (uint32_t i = 0; i < s->count; i++)
        s->queue[i].at -= gone;
    return s->count < UDP_QUEUE_DATAGRAMS && UDP_QUEUE_BYTES - s->used >= len;
}

int udp_send(struct udp *u, const struct hop *hop, slice bytes)
{
    struct udp_socket *s = hop->listener < u->socket_count ? u->sockets[hop->listener] : NULL;
    size_t most = hop->remote.family == 4 ? 65507 : 65527;

    if (!s || hop->remote.family != s->local.family)
        return -EINVAL;
    if (bytes.len > most)
        return -EMSGSIZE;
    if (!make_room(s, bytes.len) && (push(s), !make_room(s, bytes.len))) {
        u->counts.refused++;
        return -ENOBUFS;
    }
    struct waiting *w = &s->queue[s->count++];

    *w = (struct waiting){ .to = hop->remote, .at = s->used, .len = (uint32_t)bytes.len };
    if (s->wildcard && hop->local.family == s->local.family && !address_is_zero(&hop->local))
        w->from = hop->local;
    if (bytes.len)
        memcpy(s->bytes + s->used, bytes.ptr, bytes.len);
    s->used += (uint32_t)bytes.len;
    return 0;
}

void udp_flush(struct udp *u)
{
    for (size_t i = 0; i < u->socket_count; i++)
        if (u->sockets[i] && u->sockets[i]->first < u->sockets[i]->count)
            flush(u->sockets[i]);
}

/* ---- a listener ---- */

static void ready(void *ctx, uint32_t events)
{
    struct udp_socket *s = ctx;

    if (events & EPOLLERR) {
        int error;
        socklen_t len = sizeof error;

        receive_errors(s);
        (void)getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);    /* or it stays ready */
    }
    if (events & EPOLLIN)
        receive(s);
    if (events & EPOLLOUT) {
        s->full = false;
        flush(s);
    }
}

/* Without these it would still work, only worse: what the kernel does not know is left out. */
static void prepare(struct udp_socket *s)
{
    static const struct { int family, level, option, value; } options[] = {
        { 0, SOL_SOCKET, SO_RCVBUF, UDP_KERNEL_BYTES },
        { 0, SOL_SOCKET, SO_SNDBUF, UDP_KERNEL_BYTES },
        { 0, SOL_SOCKET, SO_RXQ_OVFL, 1 },
        { 0, SOL_SOCKET, SO_TIMESTAMPNS, 1 },
        { 4, IPPROTO_IP, IP_RECVERR, 1 },
        { 6, IPPROTO_IPV6, IPV6_RECVERR, 1 },
        { 4, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT },    /* long messages go in fragments */
        { 6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT },
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].family == 0 || options[i].family == s->local.family)
            (void)socket_set(s->watch.fd, options[i].level, options[i].option, options[i].value);
}

/* A wildcard must know where each datagram came to, or answers leave from anywhere. */
static int prepare_wildcard(struct udp_socket *s)
{
    s->wildcard = address_is_zero(&s->local);
    if (!s->wildcard)
        return 0;
    return s->local.family == 4 ? socket_set(s->watch.fd, IPPROTO_IP, IP_PKTINFO, 1)
                                : socket_set(s->watch.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

static int open_socket(struct udp_socket *s, const struct socket_wish *wish, enum net_fault_what *ret_what)
{
    int error;

    s->watch.fd = socket_bound(wish, ret_what);
    if (s->watch.fd < 0)
        return s->watch.fd;
    *ret_what = NET_FAULT_SOCKET;
    error = socket_local(s->watch.fd, &s->local);
    if (!error)
        error = prepare_wildcard(s);
    if (error)
        return error;
    prepare(s);
    *ret_what = NET_FAULT_WATCH;
    return loop_watch(s->all->loop, &s->watch, EPOLLIN);
}

static bool make_place(struct udp *u, uint16_t listener)
{
    struct udp_socket **larger;

    if (listener < u->socket_count)
        return true;
    larger = reallocarray(u->sockets, listener + 1u, sizeof *larger);
    if (!larger)
        return false;
    memset(larger + u->socket_count, 0, (listener + 1u - u->socket_count) * sizeof *larger);
    u->sockets = larger;
    u->socket_count = listener + 1u;
    return true;
}

int udp_listen(struct udp *u, const struct socket_wish *wish, uint16_t listener, struct address *ret_local,
               enum net_fault_what *ret_what)
{
    struct udp_socket *s = calloc(1, sizeof *s);
    int error = -ENOMEM;

    assert(listener < UDP_LISTENERS_MAX);
    assert(listener >= u->socket_count || !u->sockets[listener]);
    *ret_what = NET_FAULT_MEMORY;
    if (!s)
        return -ENOMEM;
    *s = (struct udp_socket){ .all = u, .listener = listener, .watch = { .fd = -1, .ready = ready, .ctx = s } };
    s->queue = reallocarray(NULL, UDP_QUEUE_DATAGRAMS, sizeof *s->queue);
    s->bytes = malloc(UDP_QUEUE_BYTES);
    if (s->queue && s->bytes && make_place(u, listener))
        error = open_socket(s, wish, ret_what);
    if (error < 0) {
        socket_free(s);
        return error;
    }
    u->sockets[listener] = s;
    *ret_local = s->local;
    return 0;
}

void udp_close(struct udp *u, uint16_t listener)
{
    assert(listener < u->socket_count && u->sockets[listener]);
    (void)push(u->sockets[listener]);
    socket_free(u->sockets[listener]);
    u->sockets[listener] = NULL;
}
