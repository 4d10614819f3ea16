/* net/udp_test.c - datagrams over the loopback.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <errno.h>
#include <unistd.h>

#include "net/udp.h"

#define S 1000000000ll
#define WAIT_NS (60 * S)             /* nothing here takes long but on a loaded machine */

/* Two listeners in one loop: 0 is served, 1 is the peer. */
struct pair {
    struct loop   *loop;
    struct udp    *udp;
    struct address at[2];
    struct hop     from;             /* of the last datagram at 0 */
    uint32_t       next;             /* number expected back at 1 */
    uint64_t       got[2];
    bool           echo, in_order;
    size_t         copies;           /* of each datagram at 0, sent to a third */
    struct address third;
    size_t         last_len;
    int64_t        waited_ns;        /* of the last one */
    struct hop     lost;
    int            lost_error, lost_count;
    char           lost_why[64];
};

static void on_datagram(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    struct pair *p = ctx;
    uint32_t number;

    (void)now_ns;
    p->got[from->listener]++;
    p->last_len = bytes.len;
    p->waited_ns = udp_counts(p->udp)->waited_ns;
    if (from->listener == 0) {
        p->from = *from;
        struct hop away = { .remote = p->third };

        for (size_t i = 0; i < p->copies; i++)
            (void)udp_send(p->udp, &away, SLICE("OPTIONS, again and again"));
        if (p->echo)
            (void)udp_send(p->udp, from, bytes);
    } else if (bytes.len >= sizeof number) {
        memcpy(&number, bytes.ptr, sizeof number);
        p->in_order = p->in_order && number == p->next++;
    }
}

static void on_lost(void *ctx, const struct hop *hop, int error, slice why)
{
    struct pair *p = ctx;

    p->lost = *hop;
    p->lost_error = error;
    p->lost_count++;
    snprintf(p->lost_why, sizeof p->lost_why, SLICE_FMT, SLICE_ARG(why));
}

/* `first` and `second`: addresses to bind to. False: memory is short. */
static bool pair_open(struct pair *p, const char *first, const char *second)
{
    const char *texts[] = { first, second };

    *p = (struct pair){ .in_order = true };
    if (loop_open(&p->loop) < 0)
        return false;
    p->udp = udp_new(p->loop, &(struct udp_handlers){ p, on_datagram, on_lost });
    for (uint16_t i = 0; p->udp && i < 2; i++) {
        struct socket_wish wish = { .type = SOCK_DGRAM };
        enum net_fault_what what;
        int error;

        CHECK(address_parse_ip(slice_of_string(texts[i]), &wish.local));
        error = udp_listen(p->udp, &wish, i, &p->at[i], &what);
        if (error == -ENOMEM && test_memory_failed())
            return false;
        CHECK_EQ(error, 0);
    }
    return p->udp;
}

static void pair_close(struct pair *p)
{
    p->udp = udp_free(p->udp);
    p->loop = loop_free(p->loop);
}

static void round_once(struct pair *p)
{
    CHECK_EQ(loop_round(p->loop, loop_now_ns(p->loop) + WAIT_NS), 0);
    udp_flush(p->udp);
}

static void send_number(struct pair *p, uint32_t number, size_t len, const struct address *to)
{
    struct hop hop = { .remote = *to, .listener = 1 };
    char bytes[65535];

    memset(bytes, 'x', sizeof bytes);                /* NULs would be a keep-alive */
    memcpy(bytes, &number, sizeof number);
    CHECK_EQ(udp_send(p->udp, &hop, slice_of(bytes, len)), 0);
}

TORTURE(a_datagram_goes_there_and_back)
{
    static const char *const both[] = { "127.0.0.1", "::1" };

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct pair p;

        CHECK_OR_GOTO(pair_open(&p, both[i], both[i]), out);
        p.echo = true;
        send_number(&p, 0, 100, &p.at[0]);
        udp_flush(p.udp);
        while (p.got[1] == 0)
            round_once(&p);
        CHECK_ROW(i, address_eq(&p.from.local, &p.at[0]) && address_eq(&p.from.remote, &p.at[1]));
        CHECK_ROW(i, p.from.transport == WIRE_UDP && p.from.connection == 0);
        CHECK_ROW_EQ(i, p.last_len, 100);
    out:
        pair_close(&p);
        if (test_memory_failed())
            return;
    }
}

TEST(ten_thousand_datagrams_come_back_in_order)
{
    struct pair p;
    uint32_t sent = 0;

    CHECK(pair_open(&p, "127.0.0.1", "127.0.0.1"));
    p.echo = true;
    while (p.got[1] < 10000) {
        for (; sent < 10000 && sent - p.got[1] < 100; sent++)    /* fits the smallest buffers */
            send_number(&p, sent, 400, &p.at[0]);
        udp_flush(p.udp);
        round_once(&p);
    }
    CHECK(p.in_order);
    CHECK_EQ(p.got[0], 10000);
    CHECK_EQ(udp_counts(p.udp)->received, 20000);
    CHECK_EQ(udp_counts(p.udp)->sent, 20000);
    CHECK_EQ(udp_counts(p.udp)->failed + udp_counts(p.udp)->refused + udp_counts(p.udp)->kernel_drops, 0);
    pair_close(&p);
}

TEST(answers_leave_from_the_address_that_was_asked)
{
    static const char *const rows[][3] = {           /* bound to, asked at, asked from */
        { "0.0.0.0", "127.0.0.9", "127.0.0.1" },
        { "0.0.0.0", "127.0.0.1", "127.0.0.3" },
        { "::", "::1", "::1" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address asked;
        struct pair p;

        CHECK(pair_open(&p, rows[i][0], rows[i][2]));
        CHECK(address_parse_ip(slice_of_string(rows[i][1]), &asked));
        asked.port = p.at[0].port;
        p.echo = true;
        /* The peer is connected: the kernel lets only the true address answer. */
        struct sockaddr_storage to;
        int fd = socket(asked.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct timeval most = { .tv_sec = 60 };
        char back[8];

        CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) == 0);
        CHECK_EQ(connect(fd, (struct sockaddr *)&to, socket_address_to(&asked, &to)), 0);
        CHECK_EQ(send(fd, "hello", 5, 0), 5);
        while (p.got[0] == 0)
            round_once(&p);
        CHECK_ROW_EQ(i, recv(fd, back, sizeof back, 0), 5);
        CHECK_ROW(i, address_eq(&p.from.local, &asked));
        (void)close(fd);
        pair_close(&p);
    }
}

TEST(a_port_where_nobody_listens_is_told_with_its_address)
{
    static const char *const both[] = { "127.0.0.1", "::1" };

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct address nobody;
        struct pair p;

        CHECK(pair_open(&p, both[i], both[i]));
        nobody = p.at[1];
        pair_close(&p);
        CHECK(pair_open(&p, both[i], both[i]));      /* its port was free a moment ago */
        if (nobody.port == p.at[0].port || nobody.port == p.at[1].port) {
            pair_close(&p);
            continue;
        }
        p.echo = true;
        send_number(&p, 0, 50, &nobody);
        udp_flush(p.udp);
        while (p.lost_count == 0)
            round_once(&p);
        CHECK_ROW_EQ(i, p.lost_error, ECONNREFUSED);
        CHECK_ROW(i, address_eq(&p.lost.remote, &nobody) && p.lost.listener == 1);
        CHECK_STR_EQ(p.lost_why, "Connection refused");
        CHECK_ROW_EQ(i, udp_counts(p.udp)->unreachable, 1);
        send_number(&p, 0, 50, &p.at[0]);            /* and the others hear us all the same */
        udp_flush(p.udp);
        while (p.got[1] == 0)
            round_once(&p);
        CHECK_ROW_EQ(i, p.lost_count, 1);
        pair_close(&p);
    }
}

TEST(a_refusal_that_was_for_another_costs_no_datagram)
{
    struct pair p;
    struct address nobody;

    CHECK(pair_open(&p, "127.0.0.1", "127.0.0.1"));
    nobody = p.at[0];
    nobody.port = 1;                                 /* tcpmux: not here */
    p.echo = true;
    for (uint32_t i = 0; i < 50; i++) {
        send_number(&p, 77, 50, &nobody);
        udp_flush(p.udp);
        send_number(&p, i, 50, &p.at[0]);
        udp_flush(p.udp);
    }
    while (p.got[1] < 50)
        round_once(&p);
    CHECK(p.in_order);
    CHECK_EQ(udp_counts(p.udp)->failed, 0);
    pair_close(&p);
}

TEST(sizes_from_nothing_to_the_largest_arrive_whole)
{
    static const size_t sizes[] = { 5, 1300, 1500, 9000, 65507 };
    struct pair p;

    CHECK(pair_open(&p, "127.0.0.1", "127.0.0.1"));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        send_number(&p, 0, sizes[i], &p.at[0]);
        udp_flush(p.udp);
        while (p.got[0] <= i)
            round_once(&p);
        CHECK_ROW_EQ(i, p.last_len, sizes[i]);
    }
    struct hop hop = { .remote = p.at[0], .listener = 1 };
    static const char large[65508];

    CHECK_EQ(udp_send(p.udp, &hop, slice_of(large, sizeof large)), -EMSGSIZE);
    hop.listener = 7;
    CHECK_EQ(udp_send(p.udp, &hop, SLICE("x")), -EINVAL);
    pair_close(&p);
}

TEST(how_long_a_datagram_waited_in_the_kernel_is_told_while_it_is_handed_on)
{
    struct pair p;

    CHECK_OR_GOTO(pair_open(&p, "127.0.0.1", "127.0.0.1"), out);
    send_number(&p, 0, 100, &p.at[0]);
    udp_flush(p.udp);
    usleep(30 * 1000);
    while (p.got[0] == 0)
        round_once(&p);
    CHECK(p.waited_ns >= 25 * 1000000ll && p.waited_ns < 60 * 1000000000ll);
    CHECK_EQ(udp_counts(p.udp)->waited_ns, 0);
out:
    pair_close(&p);
}

TEST(keepalives_are_counted_and_not_handed_on)
{
    struct hop hop = { .listener = 1 };
    struct pair p;

    CHECK(pair_open(&p, "127.0.0.1", "127.0.0.1"));
    hop.remote = p.at[0];
    CHECK(udp_send(p.udp, &hop, SLICE("\r\n\r\n")) == 0 && udp_send(p.udp, &hop, SLICE("jaK")) == 0);
    CHECK(udp_send(p.udp, &hop, (slice){ 0 }) == 0 && udp_send(p.udp, &hop, SLICE("OPTIONS")) == 0);
    udp_flush(p.udp);
    while (p.got[0] == 0)
        round_once(&p);
    CHECK_EQ(p.last_len, 7);
    CHECK(udp_counts(p.udp)->keepalives >= 2);
    pair_close(&p);
}

TEST(a_burst_beyond_the_queue_goes_out_or_is_refused_but_never_grows)
{
    static const char large[60000];
    uint64_t taken = 0, refused = 0;
    struct hop hop = { .listener = 1 };
    struct pair p;

    CHECK(pair_open(&p, "127.0.0.1", "127.0.0.1"));
    hop.remote = p.at[0];
    for (size_t i = 0; i < 2000; i++) {
        int error = udp_send(p.udp, &hop, slice_of(large, i % 2 ? sizeof large : 1));

        CHECK(error == 0 || error == -ENOBUFS);
        taken += error == 0;
        refused += error != 0;
    }
    udp_flush(p.udp);
    while (udp_counts(p.udp)->sent < taken)
        round_once(&p);
    CHECK_EQ(udp_counts(p.udp)->refused, refused);
    pair_close(&p);
}

/* The queue is sent from while a batch that came in is still being handed out. */
TEST(who_sends_very_much_from_within_a_batch_does_not_spoil_the_rest_of_it)
{
    struct socket_wish wish = { .type = SOCK_DGRAM };
    enum net_fault_what what;
    struct pair p;
    int third;

    CHECK(pair_open(&p, "127.0.0.1", "127.0.0.1"));
    wish.local = p.at[0];
    wish.local.port = 0;
    third = socket_bound(&wish, &what);
    CHECK(third >= 0 && socket_local(third, &p.third) == 0);
    p.echo = true;
    p.copies = 300;
    for (uint32_t i = 0; i < 32; i++)
        send_number(&p, i, 50, &p.at[0]);
    udp_flush(p.udp);
    while (p.got[1] < 32)
        round_once(&p);
    CHECK(p.in_order);
    CHECK_EQ(udp_counts(p.udp)->failed, 0);
    CHECK_EQ(udp_counts(p.udp)->sent, 32 * 302);
    (void)close(third);
    pair_close(&p);
}
