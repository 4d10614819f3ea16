/* net/net_test.c - opening everything at once, and which way a message takes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/net_world.h"
#include "harness/test.h"

#include <errno.h>
#include <unistd.h>

#define OPTIONS "OPTIONS sip:b.example SIP/2.0\r\nContent-Length: 0\r\n\r\n"

static struct world w;
static struct net_fault fault;

static struct address ip(const char *text, uint16_t port)
{
    struct address a = { 0 };

    CHECK(address_parse_ip(slice_of_string(text), &a));
    a.port = port;
    return a;
}

static void no_message(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    (void)ctx, (void)from, (void)now_ns, (void)bytes;
}
static void no_loss(void *ctx, const struct hop *hop, int error, slice why)
{
    (void)ctx, (void)hop, (void)error, (void)why;
}
static const struct net_handlers nobody = { .message = no_message, .lost = no_loss };

TORTURE(datagrams_go_and_come_by_hops)
{
    static const struct world_settings s = { .transport = WIRE_UDP, .ip = "127.0.0.1" };
    struct hop hop = { .transport = WIRE_UDP };

    CHECK_OR_GOTO(world_open(&w, &s, &fault) == 0, out);
    w.side[0].echo = true;
    CHECK_OR_GOTO(world_send(&w, SLICE(OPTIONS), &hop) == 0, out);
    CHECK(hop.connection == 0 && address_eq(&hop.local, &w.side[1].at));
    world_wait(&w, world_answered);
    CHECK_OR_GOTO(world_answered(&w), out);
    CHECK_EQ(slice_of(w.side[1].last, w.side[1].last_len), SLICE(OPTIONS));
    CHECK_EQ(net_counts(w.side[0].net).udp.sent, 1);
out:
    world_close(&w);
}

TEST(a_dead_port_is_told_within_a_round_trip)
{
    static const struct world_settings s = { .transport = WIRE_UDP, .ip = "127.0.0.1" };
    struct hop hop = { .transport = WIRE_UDP };

    CHECK_EQ(world_open(&w, &s, &fault), 0);
    w.side[0].net = net_free(w.side[0].net);
    CHECK_EQ(world_send(&w, SLICE(OPTIONS), &hop), 0);
    world_wait(&w, world_lost);
    CHECK_EQ(w.side[1].lost_error, ECONNREFUSED);
    CHECK(address_eq(&w.side[1].lost_hop.remote, &w.side[0].at));
    world_close(&w);
}

TEST(a_hop_without_listener_takes_the_first_that_fits)
{
    struct net_listener at[] = {
        { .transport = WIRE_TCP, .address = ip("127.0.0.1", 0) }, { .transport = WIRE_UDP, .address = ip("::1", 0) },
        { .transport = WIRE_UDP, .address = ip("0.0.0.0", 0) },   { .transport = WIRE_UDP, .address = ip("127.0.0.1", 0) },
        { .transport = WIRE_TCP, .address = ip("::", 0) },
    };
    static const struct { enum wire_transport t; const char *to; int error; uint16_t listener; const char *from; } rows[] = {
        { WIRE_UDP, "127.0.0.1", 0, 2, "127.0.0.1" },
        { WIRE_UDP, "::1", 0, 1, "::1" },
        { WIRE_TCP, "127.0.0.1", 0, 0, "127.0.0.1" },
        { WIRE_TCP, "::1", 0, 4, "::1" },
        { WIRE_TLS, "127.0.0.1", -EAFNOSUPPORT, 0, NULL },
        { WIRE_WS, "::1", -EAFNOSUPPORT, 0, NULL },
    };
    struct net_settings s = { .listeners = at, .listener_count = ARRAY_LEN(at) };
    struct loop *l = NULL;
    struct net *n = NULL;

    CHECK_EQ(loop_open(&l), 0);
    CHECK_EQ(net_open(&n, l, &s, &nobody, &fault), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hop hop = { .remote = ip(rows[i].to, 5060), .transport = (uint8_t)rows[i].t };

        CHECK_ROW_EQ(i, net_choose(n, &hop), rows[i].error);
        if (rows[i].error)
            continue;
        struct address from = ip(rows[i].from, net_listener_address(n, rows[i].listener)->port);

        CHECK_ROW_EQ(i, hop.listener, rows[i].listener);
        CHECK_ROW(i, from.port && address_eq(&hop.local, &from));
    }
    struct hop wrong = { .local = ip("127.0.0.1", 1), .remote = ip("127.0.0.1", 2), .listener = 1 };
    struct hop_sender send = net_sender(n);

    CHECK(send.send(send.ctx, &wrong, SLICE(OPTIONS)) == 0 && wrong.listener == 2);      /* 1 is of the other family */
    wrong = (struct hop){ .local = ip("127.0.0.1", 1), .remote = ip("127.0.0.1", 2), .transport = WIRE_WS };
    CHECK_EQ(send.send(send.ctx, &wrong, SLICE(OPTIONS)), -EAFNOSUPPORT);
    CHECK(net_listener_address(n, 5) == NULL);
    n = net_free(n);
    l = loop_free(l);
}

TEST(what_cannot_be_opened_is_named_and_nothing_stays_open)
{
    struct address taken = ip("127.0.0.1", 0);
    struct socket_wish wish = { .type = SOCK_DGRAM, .local = taken };
    enum net_fault_what what;
    struct loop *l = NULL;
    int fd = socket_bound(&wish, &what);

    CHECK(fd >= 0 && socket_local(fd, &taken) == 0);
    CHECK_EQ(loop_open(&l), 0);
    const struct { struct net_listener bad; enum net_fault_what what; int error; } rows[] = {
        { { .transport = WIRE_UDP, .address = taken }, NET_FAULT_BIND, EADDRINUSE },
        { { .transport = WIRE_TCP, .address = ip("192.0.2.77", 0) }, NET_FAULT_BIND, EADDRNOTAVAIL },
        { { .transport = WIRE_SCTP, .address = ip("127.0.0.1", 0) }, NET_FAULT_SETTING, 0 },
        { { .transport = WIRE_UDP }, NET_FAULT_SETTING, 0 },
        { { .transport = WIRE_TLS, .address = ip("127.0.0.1", 0) }, NET_FAULT_CERTIFICATE, ENOENT },
        { { .transport = WIRE_WSS, .address = ip("127.0.0.1", 0), .tls = { .certificate = "/nowhere" } },
          NET_FAULT_CERTIFICATE, ENOENT },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct net_listener at[] = { { .transport = WIRE_TCP, .address = ip("127.0.0.1", 0) }, rows[i].bad };
        struct net_settings s = { .listeners = at, .listener_count = 2 };
        struct net *n = NULL;

        CHECK_ROW(i, net_open(&n, l, &s, &nobody, &fault) < 0);
        CHECK_ROW_EQ(i, fault.what, rows[i].what);
        CHECK_ROW_EQ(i, fault.listener, 1);
        CHECK_ROW_EQ(i, fault.error, rows[i].error);
        CHECK_ROW(i, n == NULL);
    }
    l = loop_free(l);
    (void)close(fd);
}

TEST(workers_share_addresses_and_no_numbers)
{
    struct net_listener at = { .transport = WIRE_TCP, .address = ip("127.0.0.1", 0) };
    struct net_settings s = { .listeners = &at, .listener_count = 1, .shared = true };
    struct net *first = NULL, *second = NULL, *alone = NULL;
    struct loop *l = NULL;

    CHECK_EQ(loop_open(&l), 0);
    CHECK_EQ(net_open(&first, l, &s, &nobody, &fault), 0);
    at.address = *net_listener_address(first, 0);
    s.worker = 1;
    CHECK_EQ(net_open(&second, l, &s, &nobody, &fault), 0);
    s.worker = 0;                                    /* another server, that begins anew */
    CHECK(net_open(&alone, l, &s, &nobody, &fault) < 0);
    CHECK(fault.what == NET_FAULT_BIND && fault.error == EADDRINUSE);
    struct hop a = { .remote = at.address, .transport = WIRE_TCP }, b = a;
    struct hop_sender one = net_sender(first), two = net_sender(second);

    CHECK(one.send(one.ctx, &a, SLICE(OPTIONS)) == 0 && two.send(two.ctx, &b, SLICE(OPTIONS)) == 0);
    CHECK(a.connection >> 48 == 0 && b.connection >> 48 == 1);
    second = net_free(second);
    first = net_free(first);
    l = loop_free(l);
}

/* ---- other listeners ---- */

static bool change(struct net *n, const struct net_listener *at, size_t count)
{
    struct net_settings s = { .listeners = at, .listener_count = count };
    struct net_change *c;

    if (net_prepare(n, &s, &c, &fault) != 0)
        return false;
    net_commit(n, c);
    return true;
}

static bool is_taken(struct address at, int type)
{
    struct socket_wish wish = { .type = type, .local = at };
    enum net_fault_what what;
    int fd = socket_bound(&wish, &what);

    if (fd >= 0)
        (void)close(fd);
    return fd < 0;
}

TEST(listeners_that_stay_keep_their_number_and_address_and_others_come_and_go)
{
    struct net_listener at[] = {
        { .transport = WIRE_UDP, .address = ip("127.0.0.1", 0) }, { .transport = WIRE_TCP, .address = ip("127.0.0.1", 0) },
        { .transport = WIRE_UDP, .address = ip("127.0.0.2", 0) },
    };
    struct net_settings s = { .listeners = at, .listener_count = 2 };
    struct loop *l = NULL;
    struct net *n = NULL;

    CHECK_EQ(loop_open(&l), 0);
    CHECK_EQ(net_open(&n, l, &s, &nobody, &fault), 0);
    struct address udp = *net_listener_address(n, 0), tcp = *net_listener_address(n, 1), other;
    struct hop old = { .local = udp, .remote = ip("127.0.0.1", 9), .transport = WIRE_UDP };

    struct net_listener turned[] = { at[2], at[1], at[0] };

    CHECK(change(n, turned, 3));
    other = *net_listener_address(n, 0);
    CHECK(address_eq(net_listener_address(n, 1), &tcp) && address_eq(net_listener_address(n, 2), &udp));
    CHECK(net_choose(n, &old) == 0 && old.listener == 0 && address_eq(&old.local, &udp));
    CHECK(is_taken(other, SOCK_DGRAM));

    CHECK(change(n, &at[2], 1));                     /* whose listener is gone goes by another */
    CHECK(!is_taken(udp, SOCK_DGRAM) && !is_taken(tcp, SOCK_STREAM) && net_listener_address(n, 1) == NULL);
    CHECK(net_choose(n, &old) == 0 && old.listener == 2 && address_eq(&old.local, &other));
    old.transport = WIRE_TCP;
    CHECK_EQ(net_choose(n, &old), -EAFNOSUPPORT);
    n = net_free(n);
    l = loop_free(l);
}

TEST(what_cannot_be_opened_leaves_the_listeners_as_they_were)
{
    struct net_listener at[] = {
        { .transport = WIRE_UDP, .address = ip("127.0.0.1", 0) }, { .transport = WIRE_UDP, .address = ip("127.0.0.2", 0) },
        { .transport = WIRE_TCP, .address = ip("192.0.2.77", 0) },
    };
    struct net_settings s = { .listeners = at, .listener_count = 1 };
    struct loop *l = NULL;
    struct net *n = NULL;

    CHECK_EQ(loop_open(&l), 0);
    CHECK_EQ(net_open(&n, l, &s, &nobody, &fault), 0);
    struct address udp = *net_listener_address(n, 0);

    CHECK(!change(n, &at[1], 2));
    CHECK(fault.what == NET_FAULT_BIND && fault.listener == 1 && fault.error == EADDRNOTAVAIL);
    CHECK(address_eq(net_listener_address(n, 0), &udp) && net_listener_address(n, 1) == NULL);
    CHECK(is_taken(udp, SOCK_DGRAM));
    n = net_free(n);
    l = loop_free(l);
}

static bool closed(const struct world *world) { return world->side[0].lost > 0 && world->side[1].lost > 0; }

TEST(a_listener_that_goes_takes_its_connections_with_it)
{
    static const struct world_settings s = { .transport = WIRE_TCP, .ip = "127.0.0.1" };
    struct net_listener udp = { .transport = WIRE_UDP, .address = ip("127.0.0.1", 0) };
    struct hop hop = { .transport = WIRE_TCP };

    CHECK_EQ(world_open(&w, &s, &fault), 0);
    w.side[0].echo = true;
    CHECK_EQ(world_send(&w, SLICE(OPTIONS), &hop), 0);
    world_wait(&w, world_answered);
    CHECK(world_answered(&w) && net_counts(w.side[0].net).connections == 1);
    CHECK(change(w.side[0].net, &udp, 1));
    world_wait(&w, closed);
    CHECK(closed(&w) && w.side[0].lost_error == 0 && w.side[1].lost_error == 0);
    CHECK_EQ(net_counts(w.side[0].net).connections, 0);
    world_close(&w);
}
