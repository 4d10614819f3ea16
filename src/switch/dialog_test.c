/* switch/dialog_test.c - who is who in a dialog, and where its requests go
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "harness/test.h"
#include "switch/dialog.h"

static const struct hop udp_hop = { .local = { .ip = { 10, 0, 0, 1 }, .port = 5060, .family = 4 },
                                    .remote = { .ip = { 192, 0, 2, 7 }, .port = 7777, .family = 4 } };

static bool parse(const char *text, struct sip_header *room, struct sip_message *ret)
{
    return sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, SIP_HEADERS_MAX, ret) > 0;
}

static void hop_text(const struct hop *hop, char text[ADDRESS_TEXT_MAX]) { address_format(&hop->remote, text); }

#define HEAD "INVITE sip:b@d SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
#define IDS "Call-ID: c1\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n"

TEST(a_request_says_who_is_who)
{
    static const struct {
        const char *text;
        slice local, remote, remote_tag, target, routes;
        const char *hop;
    } rows[] = {
        { HEAD "From: \"a;tag=x\" <sip:a@a;tag=y>;tag=1;p=2\r\nTo: sip:b@d\r\nContact: <sip:a@10.9.9.9>\r\n" IDS,
          SLICE("sip:b@d"), SLICE("\"a;tag=x\" <sip:a@a;tag=y>;p=2"), SLICE("1"), SLICE("sip:a@10.9.9.9"), { 0 },
          "192.0.2.7:7777" },                             /* private behind a translator: back where it came from */
        { HEAD "From: <sip:a@a>;tag=1\r\nTo: <sip:b@d>\r\nContact: <sip:a@198.51.100.4:5070>\r\n" IDS,
          SLICE("<sip:b@d>"), SLICE("<sip:a@a>"), SLICE("1"), SLICE("sip:a@198.51.100.4:5070"), { 0 },
          "198.51.100.4:5070" },
        { HEAD "From: <sip:a@a>;tag=1\r\nTo: <sip:b@d>\r\nContact: <sip:a@h.example>\r\n"
          "Record-Route: <sip:10.1.1.1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n" IDS,
          SLICE("<sip:b@d>"), SLICE("<sip:a@a>"), SLICE("1"), SLICE("sip:a@h.example"),
          SLICE("Route: <sip:10.1.1.1;lr>\r\nRoute: <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n"), "10.1.1.1:5060" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = { 0 };
        struct sip_header room[SIP_HEADERS_MAX];
        struct sip_message m;
        struct dialog d;
        char hop[ADDRESS_TEXT_MAX];

        CHECK_ROW(i, parse(rows[i].text, room, &m));
        CHECK_ROW(i, dialog_of_request(&arena, &m, &udp_hop, SLICE("ours"), &d));
        CHECK_ROW(i, !d.is_ours);
        CHECK_ROW_EQ(i, d.local, rows[i].local);
        CHECK_ROW_EQ(i, d.remote, rows[i].remote);
        CHECK_ROW_EQ(i, d.remote_tag, rows[i].remote_tag);
        CHECK_ROW_EQ(i, d.target, rows[i].target);
        CHECK_ROW_EQ(i, d.routes, rows[i].routes);
        hop_text(&d.hop, hop);
        CHECK_ROW_EQ(i, slice_of_string(hop), slice_of_string(rows[i].hop));
        CHECK_ROW(i, dialog_is(&d, SLICE("c1"), SLICE("ours"), SLICE("1")));
        CHECK_ROW(i, !dialog_is(&d, SLICE("c1x"), SLICE("ours"), SLICE("1")));
        CHECK_ROW(i, !dialog_take_cseq(&d, &m));
        m.cseq.number++;
        CHECK_ROW(i, dialog_take_cseq(&d, &m));
        arena_done(&arena);
    }
}

TEST(the_route_set_of_a_response_is_turned_round_and_each_fork_is_its_own_dialog)
{
    struct arena arena = { 0 };
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct dialog asked = { .call_id = SLICE("c1"), .local_tag = SLICE("l"), .local = SLICE("<sip:a@a>"),
                            .remote = SLICE("<sip:b@d>"), .target = SLICE("sip:b@d"), .local_cseq = 1, .hop = udp_hop };
    struct dialog one, two;

    CHECK(parse("SIP/2.0 183 X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=l\r\nTo: <sip:b@d>;tag=t1\r\n"
                "Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:10.2.2.2:5090;lr>\r\nContact: <sip:b@10.3.3.3>\r\n" IDS,
                room, &m));
    CHECK(dialog_of_response(&arena, &m, &udp_hop, &asked, &one));
    CHECK(one.is_ours);
    CHECK_EQ(one.routes, SLICE("Route: <sip:10.2.2.2:5090;lr>\r\nRoute: <sip:p1;lr>\r\n"));
    CHECK_EQ(one.hop.remote.port, 5090);
    CHECK(parse("SIP/2.0 180 X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=l\r\nTo: <sip:b@d>;tag=t2\r\n" IDS,
                room, &m));
    CHECK(dialog_of_response(&arena, &m, &udp_hop, &asked, &two));
    CHECK_EQ(two.target, SLICE("sip:b@d"));
    CHECK(!dialog_is(&two, SLICE("c1"), SLICE("l"), SLICE("t1")));
    CHECK(dialog_is(&one, SLICE("c1"), SLICE("l"), SLICE("t1")));
    arena_done(&arena);
}

TEST(a_numeric_uri_is_a_hop_and_a_name_is_not)
{
    static const struct { slice uri; const char *hop; int transport; } rows[] = {
        { SLICE("sip:a@10.0.0.9"), "10.0.0.9:5060", WIRE_UDP },
        { SLICE("sip:a@10.0.0.9:5070;transport=TCP"), "10.0.0.9:5070", WIRE_TCP },
        { SLICE("sips:a@10.0.0.9"), "10.0.0.9:5061", WIRE_TLS },
        { SLICE("sip:a@[2001:db8::1];transport=udp"), "[2001:db8::1]:5060", WIRE_UDP },
        { SLICE("sip:a@h;maddr=10.0.0.8"), "10.0.0.8:5060", WIRE_UDP },
        { SLICE("sip:a@h.example"), NULL, 0 },
        { SLICE("sip:a@10.0.0.9;transport=foo"), NULL, 0 },
        { SLICE("tel:+123"), NULL, 0 },
        { SLICE(""), NULL, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hop hop = { .listener = 77 };
        char text[ADDRESS_TEXT_MAX];
        bool ok = hop_of_uri(rows[i].uri, &udp_hop, &hop);

        CHECK_ROW_EQ(i, ok, rows[i].hop != NULL);
        CHECK_ROW(i, ok || hop.listener == 77);
        if (!ok)
            continue;
        hop_text(&hop, text);
        CHECK_ROW_EQ(i, slice_of_string(text), slice_of_string(rows[i].hop));
        CHECK_ROW_EQ(i, hop.transport, rows[i].transport);
    }
}

TEST(a_target_is_refreshed_in_its_place)
{
    struct arena arena = { 0 };
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct dialog d;

    CHECK(parse(HEAD "From: <sip:a@a>;tag=1\r\nTo: <sip:b@d>\r\nContact: <sip:a@198.51.100.4>\r\n" IDS, room, &m));
    CHECK(dialog_of_request(&arena, &m, &udp_hop, SLICE("ours"), &d));
    size_t before = arena.total_bytes;

    for (int i = 0; i < 1000; i++) {
        CHECK(parse(i % 2 ? HEAD "From: <sip:a@a>;tag=1\r\nTo: <sip:b@d>\r\nContact: <sip:a@198.51.100.5>\r\n" IDS
                          : HEAD "From: <sip:a@a>;tag=1\r\nTo: <sip:b@d>\r\nContact: <sip:z@198.51.100.6>\r\n" IDS, room, &m));
        dialog_refresh(&arena, &m, &udp_hop, &d);
    }
    CHECK_EQ(d.target, SLICE("sip:a@198.51.100.5"));
    CHECK_EQ(d.hop.remote.ip[3], 5);
    CHECK_EQ(arena.total_bytes, before);
    arena_done(&arena);
}

/* A phone behind a translator has the same Contact always; its connection, or the port that the
 * translator gives it, may be another in the middle of a call. */
TEST(a_phone_that_comes_by_another_way_is_answered_there)
{
    static const struct { const char *contact, *hop; uint8_t transport; uint64_t connection; } rows[] = {
        { "<sip:a@10.9.9.9>", "192.0.2.7:8888", WIRE_UDP, 0 },
        { "<sip:a@10.9.9.9;transport=tcp>", "192.0.2.7:8888", WIRE_TCP, 2 },
        { "<sip:a@198.51.100.4:5070>", "198.51.100.4:5070", WIRE_UDP, 0 },        /* that is where it is, still */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hop first = udp_hop, second = udp_hop;
        struct arena arena = { 0 };
        struct sip_header room[SIP_HEADERS_MAX];
        struct sip_message m;
        struct dialog d;
        char text[1024], hop[ADDRESS_TEXT_MAX];

        first.transport = second.transport = rows[i].transport;
        first.connection = rows[i].transport == WIRE_TCP;
        second.connection = rows[i].connection;
        second.remote.port = 8888;
        snprintf(text, sizeof text, HEAD "From: <sip:a@a>;tag=1\r\nTo: <sip:b@d>\r\nContact: %s\r\n" IDS, rows[i].contact);
        CHECK_ROW(i, parse(text, room, &m));
        CHECK_ROW(i, dialog_of_request(&arena, &m, &first, SLICE("ours"), &d));
        dialog_refresh(&arena, &m, &second, &d);
        hop_text(&d.hop, hop);
        CHECK_ROW_EQ(i, slice_of_string(hop), slice_of_string(rows[i].hop));
        CHECK_ROW_EQ(i, d.hop.connection, rows[i].connection);
        dialog_refresh(&arena, &m, &d.hop, &d);           /* its own: nothing changes */
        CHECK_ROW_EQ(i, d.hop.connection, rows[i].connection);
        arena_done(&arena);
    }
}
