/* net/stream_test.c - connections over the loopback: good peers, slow ones and hostile ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/net_world.h"
#include "harness/test.h"

#include <errno.h>
#include <unistd.h>

#define MS 1000000ll
#define MESSAGE "MESSAGE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example\r\nContent-Length: 5\r\n\r\nhello"
#define GET "GET /sip HTTP/1.1\r\nHost: b.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n"     \
            "Sec-WebSocket-Version: 13\r\n\r\n"

static struct world w;
static struct bare b;
static struct net_fault fault;

static void open_world(enum wire_transport t, const struct stream_limits *limits)
{
    struct world_settings s = { .transport = t, .ip = "127.0.0.1" };

    if (limits)
        s.limits = *limits;
    CHECK_EQ(world_open(&w, &s, &fault), 0);
}

static struct stream_counts served(void) { return net_counts(w.side[0].net).streams; }

TORTURE(a_message_and_its_answer_take_one_connection)
{
    static const struct world_settings rows[] = {
        { .transport = WIRE_TCP, .ip = "127.0.0.1" }, { .transport = WIRE_TCP, .ip = "::1" },
        { .transport = WIRE_WS, .ip = "127.0.0.1" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hop first = { .transport = rows[i].transport }, second = first;

        CHECK_OR_GOTO(world_open(&w, &rows[i], &fault) == 0, out);
        w.side[0].echo = true;
        CHECK_OR_GOTO(world_send(&w, SLICE(MESSAGE), &first) == 0, out);     /* waits for the connection */
        CHECK_OR_GOTO(world_send(&w, SLICE(MESSAGE), &second) == 0, out);
        CHECK_ROW(i, first.connection && first.connection == second.connection);
        world_wait(&w, world_answered);
        CHECK_OR_GOTO(world_answered(&w), out);
        CHECK_ROW_EQ(i, slice_of(w.side[1].last, w.side[1].last_len), SLICE(MESSAGE));
        CHECK_ROW(i, address_eq(&w.side[0].from.local, &w.side[0].at));
        CHECK_ROW(i, w.side[0].from.connection && w.side[1].from.connection == first.connection);
        CHECK_ROW(i, address_eq(&first.local, &w.side[1].at));
        CHECK_ROW_EQ(i, net_counts(w.side[1].net).connections, 1);
    out:
        world_close(&w);
        if (test_memory_failed())
            return;
    }
}

static bool three_came(const struct world *x) { return x->side[0].messages >= 3; }
static bool many_came(const struct world *x) { return x->side[0].messages >= 1000; }

TEST(messages_are_found_byte_by_byte_and_several_at_once)
{
    static const char bytes[] = MESSAGE "\r\n" MESSAGE;

    open_world(WIRE_TCP, NULL);
    bare_open(&b, &w);
    for (size_t i = 0; i + 1 < sizeof bytes; i++) {
        bare_send(&b, slice_of(bytes + i, 1));
        CHECK_EQ(loop_round(w.loop, 0), 0);
    }
    bare_send(&b, SLICE(MESSAGE));
    world_wait(&w, three_came);
    CHECK_EQ(slice_of(w.side[0].last, w.side[0].last_len), SLICE(MESSAGE));
    static char all[1000 * (sizeof MESSAGE - 1)];

    for (size_t i = 0; i < 1000; i++)
        memcpy(all + i * (sizeof MESSAGE - 1), MESSAGE, sizeof MESSAGE - 1);
    w.side[0].messages = w.side[0].bytes = 0;
    bare_send(&b, slice_of(all, sizeof all));
    world_wait(&w, many_came);
    CHECK_EQ(w.side[0].messages, 1000);
    CHECK_EQ(w.side[0].bytes, sizeof all);
    bare_close(&b);
    world_close(&w);
}

TEST(two_line_ends_are_answered_with_one)
{
    open_world(WIRE_TCP, NULL);
    bare_open(&b, &w);
    bare_send(&b, SLICE("\r\n\r"));
    bare_send(&b, SLICE("\n"));
    bare_wait(&b, 2);
    bare_send(&b, SLICE("\r\n" MESSAGE "\r\n\r\n\r\n\r\n"));
    bare_wait(&b, 6);
    CHECK_EQ(slice_of(b.got, b.len), SLICE("\r\n\r\n\r\n"));
    CHECK_EQ(w.side[0].messages, 1);
    CHECK_EQ(served().keepalives, 3);
    bare_close(&b);
    world_close(&w);
}

TEST(what_is_not_sip_or_too_large_ends_the_connection)
{
    static const struct { slice in; uint64_t not_sip, oversized; } rows[] = {
        { SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 1, 0 },
        { SLICE_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 1, 0 },
        { SLICE_INIT("SSH-2.0-OpenSSH_9.2\r\n"), 1, 0 },
        { SLICE_INIT("INVITE sip:a SIP/2.0\r\nContent-Length: 900000\r\n\r\n"), 0, 1 },
        { SLICE_INIT("INVITE sip:a SIP/2.0\r\nl: 5000\r\n\r\n"), 0, 1 },
    };
    struct stream_limits limits = { .message_max = 4000 };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        open_world(WIRE_TCP, &limits);
        bare_open(&b, &w);
        bare_send(&b, rows[i].in);
        bare_wait(&b, 1);
        CHECK_ROW(i, b.ended && b.len == 0);
        CHECK_ROW_EQ(i, served().not_sip, rows[i].not_sip);
        CHECK_ROW_EQ(i, served().oversized, rows[i].oversized);
        CHECK_ROW_EQ(i, w.side[0].lost, 0);          /* nobody ever heard of it */
        bare_close(&b);
        world_close(&w);
    }
}

TEST(a_header_without_end_is_given_up_in_time)
{
    static char header[200000];

    for (size_t i = 0; i < sizeof header; i++)
        header[i] = i % 50 == 49 ? '\n' : i % 50 == 1 ? ':' : 'x';
    open_world(WIRE_TCP, NULL);
    bare_open(&b, &w);
    bare_send(&b, SLICE("INVITE sip:a SIP/2.0\r\n"));
    bare_send(&b, slice_of(header, sizeof header));
    bare_wait(&b, 1);
    CHECK(b.ended);
    CHECK_EQ(served().not_sip + served().oversized, 1);
    bare_close(&b);
    world_close(&w);
}

TEST(slow_peers_are_hung_up_on)
{
    static const struct { enum wire_transport t; slice begun; } rows[] = {
        { WIRE_TCP, SLICE_INIT("INVITE sip:a SI") },                     /* a message that never ends */
        { WIRE_TCP, SLICE_INIT("INVITE sip:a SIP/2.0\r\nl: 9\r\n\r\nx") },
        { WIRE_TCP, SLICE_INIT("") },                                    /* says nothing */
        { WIRE_WS, SLICE_INIT("") },
        { WIRE_WS, SLICE_INIT("GET / HTTP/1.1\r\n") },
        { WIRE_WS, SLICE_INIT(GET "\x01\x81\0\0\0\0I") },                /* a fragment, and no more */
    };
    struct stream_limits limits = { .message_ns = 20 * MS, .idle_ns = 40 * MS, .handshake_ns = 30 * MS };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        open_world(rows[i].t, &limits);
        bare_open(&b, &w);
        bare_send(&b, rows[i].begun);
        bare_wait(&b, sizeof b.got);
        CHECK_ROW(i, b.ended);
        CHECK_ROW_EQ(i, served().failed, 1);
        CHECK_ROW_EQ(i, net_counts(w.side[0].net).connections, 0);
        bare_close(&b);
        world_close(&w);
    }
}

TEST(who_does_not_read_is_not_waited_for)
{
    struct stream_limits limits = { .waiting_max = 100000, .write_ns = 30 * MS };
    static char message[20000] = "OPTIONS sip:a SIP/2.0\r\nl: 19900\r\n\r\n";

    open_world(WIRE_TCP, &limits);
    w.side[0].echo = true;
    bare_open(&b, &w);
    loop_unwatch(w.loop, &b.watch);                  /* it sends and never reads */
    size_t len = strlen(message) + 19900;
    slice rest = { 0 };

    memset(message + strlen(message), 'x', sizeof message - strlen(message));
    while (w.side[0].lost == 0) {
        ssize_t n;

        rest = rest.len ? rest : slice_of(message, len);
        n = send(b.watch.fd, rest.ptr, rest.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        rest = n > 0 ? slice_skip(rest, (size_t)n) : rest;
        CHECK_EQ(loop_round(w.loop, n > 0 ? 0 : loop_now_ns(w.loop) + 5 * MS), 0);
    }
    CHECK(w.side[0].lost_error == ETIMEDOUT);
    CHECK_STR_EQ(w.side[0].why, "the peer is too slow");
    bare_close(&b);
    world_close(&w);
}

TEST(nobody_there_is_told_with_the_hop_and_a_reason)
{
    struct hop hop = { .transport = WIRE_TCP };
    int error;

    open_world(WIRE_TCP, NULL);
    w.side[0].net = net_free(w.side[0].net);
    error = world_send(&w, SLICE(MESSAGE), &hop);
    if (!error) {                                    /* the kernel may know at once */
        world_wait(&w, world_lost);
        CHECK_EQ(w.side[1].lost_error, ECONNREFUSED);
        CHECK_STR_EQ(w.side[1].why, "Connection refused");
        CHECK_EQ(w.side[1].lost_hop.connection, hop.connection);
        CHECK(address_eq(&w.side[1].lost_hop.remote, &hop.remote));
        CHECK_EQ(net_sender(w.side[1].net).send(w.side[1].net, &hop, SLICE(MESSAGE)), -ENOTCONN);
    } else {
        CHECK_EQ(error, -ECONNREFUSED);
    }
    CHECK_EQ(net_counts(w.side[1].net).connections, 0);
    world_close(&w);
}

TEST(the_end_of_a_connection_is_told_once_to_both)
{
    struct hop hop = { .transport = WIRE_TCP };

    open_world(WIRE_TCP, NULL);
    w.side[0].hang_up = true;
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &hop), 0);
    world_wait(&w, world_lost);
    world_wait(&w, world_dropped);
    CHECK(w.side[0].lost == 1 && w.side[1].lost == 1);
    CHECK(w.side[0].lost_error == 0 && w.side[1].lost_error == 0);
    CHECK_STR_EQ(w.side[0].why, "closed by us");
    CHECK_STR_EQ(w.side[1].why, "closed by the peer");
    struct hop again = { .transport = WIRE_TCP };

    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &again), 0);
    CHECK(again.connection > hop.connection);
    world_close(&w);
}

TEST(limits_on_connections_hold_for_all_and_for_one_source)
{
    static const struct stream_limits rows[] = { { .connections_max = 2 }, { .per_source_max = 2 } };
    static struct bare peers[3];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        open_world(WIRE_TCP, &rows[i]);
        for (size_t j = 0; j < 3; j++) {
            bare_open(&peers[j], &w);
            bare_send(&peers[j], SLICE("\r\n\r\n"));
            bare_wait(&peers[j], 2);
            CHECK_ROW_EQ(i, peers[j].len, j < 2 ? 2 : 0);
        }
        CHECK_ROW_EQ(i, served().over_limit, 1);
        bare_close(&peers[0]);
        while (net_counts(w.side[0].net).connections == 2)
            CHECK_EQ(loop_round(w.loop, INT64_MAX), 0);
        bare_close(&peers[2]);
        bare_open(&peers[2], &w);                    /* there is room again */
        bare_send(&peers[2], SLICE("\r\n\r\n"));
        bare_wait(&peers[2], 2);
        CHECK_ROW_EQ(i, peers[2].len, 2);
        bare_close(&peers[1]);
        bare_close(&peers[2]);
        world_close(&w);
    }
}

TEST(answers_and_new_requests_find_the_connection_by_number_address_and_alias)
{
    struct hop hop = { .transport = WIRE_TCP };

    open_world(WIRE_TCP, NULL);
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &hop), 0);
    world_wait(&w, world_served);
    struct hop_sender send = net_sender(w.side[0].net);
    struct hop to = { .remote = w.side[0].from.remote, .transport = WIRE_TCP };
    struct hop alias = { .remote = w.side[1].at, .transport = WIRE_TCP };

    CHECK_EQ(send.send(send.ctx, &to, SLICE(MESSAGE)), 0);
    CHECK_EQ(to.connection, w.side[0].from.connection);
    CHECK_EQ(net_alias(w.side[0].net, to.connection, &alias.remote), 0);
    CHECK_EQ(send.send(send.ctx, &alias, SLICE(MESSAGE)), 0);
    CHECK_EQ(alias.connection, to.connection);
    CHECK_EQ(net_alias(w.side[0].net, 12345, &alias.remote), -ENOTCONN);
    world_wait(&w, world_answered);
    CHECK_EQ(net_counts(w.side[0].net).connections, 1);
    world_close(&w);
}

/* Who has one that was opened to it can be connected to again; who came, perhaps not. */
TEST(a_hop_tells_which_end_opened_its_connection)
{
    struct hop hop = { .transport = WIRE_TCP };

    open_world(WIRE_TCP, NULL);
    w.side[0].echo = true;
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &hop), 0);
    world_wait(&w, world_answered);
    CHECK(hop.made && w.side[1].from.made && !w.side[0].from.made);
    world_close(&w);
}

TEST(a_browser_and_others_are_told_what_they_did_wrong)
{
    static const struct { slice in, out; } rows[] = {
        { SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), SLICE_INIT("HTTP/1.1 426 ") },
        { SLICE_INIT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), SLICE_INIT("HTTP/1.1 400 ") },
        { SLICE_INIT(MESSAGE), SLICE_INIT("HTTP/1.1 400 ") },
        { SLICE_INIT(GET), SLICE_INIT("HTTP/1.1 101 ") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        open_world(WIRE_WS, NULL);
        bare_open(&b, &w);
        bare_send(&b, rows[i].in);
        bare_wait(&b, rows[i].out.len);
        CHECK_ROW_EQ(i, slice_head(slice_of(b.got, b.len), rows[i].out.len), rows[i].out);
        if (i + 1 < ARRAY_LEN(rows))
            bare_wait(&b, sizeof b.got);             /* and then it is closed */
        CHECK_ROW(i, b.ended == (i + 1 < ARRAY_LEN(rows)));
        bare_close(&b);
        world_close(&w);
    }
}

TEST(frames_behind_the_upgrade_are_read_and_bad_ones_end_it)
{
    open_world(WIRE_WS, NULL);
    bare_open(&b, &w);
    bare_send(&b, SLICE(GET "\x81\x96\0\0\0\0OPTIONS sip:a SIP/2.0\n" "\x89\x80\0\0\0\0"));
    world_wait(&w, world_served);
    CHECK_EQ(slice_of(w.side[0].last, w.side[0].last_len), SLICE("OPTIONS sip:a SIP/2.0\n"));
    size_t head = b.len;

    bare_send(&b, SLICE("\x82\x84\0\0\0\0\r\n\r\n"));
    bare_wait(&b, head + 4);
    bare_send(&b, SLICE("\x81\x02no"));
    bare_wait(&b, sizeof b.got);
    CHECK(slice_ends(slice_of(b.got, b.len), SLICE("\x88\x02\x03\xea")));
    CHECK(slice_find(slice_of(b.got, b.len), SLICE("\x81\x02\r\n")) > 0);
    world_wait(&w, world_dropped);
    CHECK_EQ(w.side[0].lost_error, EPROTO);
    bare_close(&b);
    world_close(&w);
}

TEST(large_messages_pass_both_ways)
{
    static const enum wire_transport rows[] = { WIRE_TCP, WIRE_WS };
    static char message[60000] = "OPTIONS sip:a SIP/2.0\r\nl: 50000\r\n\r\n";

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hop hop = { .transport = rows[i] };
        size_t head = (size_t)slice_find(slice_of(message, 100), SLICE("\r\n\r\n")) + 4;

        memset(message + head, 'x', 50000);
        open_world(rows[i], NULL);
        w.side[0].echo = true;
        CHECK_EQ(world_send(&w, slice_of(message, head + 50000), &hop), 0);
        world_wait(&w, world_answered);
        CHECK_ROW_EQ(i, w.side[1].last_len, head + 50000);
        world_close(&w);
    }
}
