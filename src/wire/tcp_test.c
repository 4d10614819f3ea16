/* wire/tcp_test.c - segments in any order become the messages that were sent
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/tcp.h"

#include "harness/frames.h"

#define MS 1000000ll

enum end { A, B };                   /* A is 10.0.0.1:5060, B is 10.0.0.2:5061 */

static const slice invite = SLICE("INVITE sip:b@b.example SIP/2.0\r\nCall-ID: 1@a\r\n"
                                  "Content-Length: 10\r\n\r\nv=0\r\no=1\r\n");
static const slice ringing = SLICE("SIP/2.0 180 Ringing\r\nCall-ID: 1@a\r\nl: 0\r\n\r\n");
static const slice bye = SLICE("BYE sip:b@b.example SIP/2.0\r\nCall-ID: 1@a\r\nl:0\r\n\r\n");

/* One segment; `snap`: so many bytes of it were captured. */
static void say_cut(struct rig *r, enum end from, uint32_t seq, uint32_t ack, uint8_t flags,
                    slice text, size_t snap)
{
    struct frame f;
    uint8_t h[20] = { [12] = 0x50, [13] = flags, [14] = 0xff, 0xff };

    frame_start(&f, text);
    frame_u16(h, from == A ? 5060 : 5061);
    frame_u16(h + 2, from == A ? 5061 : 5060);
    frame_u32(h + 4, seq);
    frame_u32(h + 8, ack);
    frame_before(&f, h, sizeof h);
    frame_ipv4(&f, 6, 0);
    if (from == B) {
        f.room[f.at + 15] = 2;
        f.room[f.at + 19] = 1;
    }
    r->wire_len = (uint32_t)frame_len(&f);
    rig_bytes(r, 101, slice_head(frame_bytes(&f), 40 + snap));
}

static void say(struct rig *r, enum end from, uint32_t seq, slice text)
{
    say_cut(r, from, seq, 0, TCP_ACK | TCP_PSH, text, text.len);
}

static void flags(struct rig *r, enum end from, uint32_t seq, uint32_t ack, uint8_t set)
{
    say_cut(r, from, seq, ack, set, (slice){ 0 }, 0);
}

static slice part(slice s, size_t from, size_t to) { return slice_head(slice_skip(s, from), to - from); }

static void check_messages(struct rig *r, size_t count, const slice *messages)
{
    CHECK_EQ(r->count, count);
    for (size_t i = 0; i < count; i++) {
        CHECK_ROW_EQ(i, r->units[i].payload, messages[i]);
        CHECK_ROW_EQ(i, r->units[i].kind, WIRE_MESSAGE);
        CHECK_ROW(i, !r->units[i].cut);
    }
}

TEST(two_messages_in_one_segment_are_two)
{
    struct rig r;
    char both[400];
    size_t len = invite.len + bye.len;

    memcpy(both, invite.ptr, invite.len);
    memcpy(both + invite.len, bye.ptr, bye.len);
    rig_start(&r, NULL);
    say(&r, A, 100, slice_of(both, len));
    check_messages(&r, 2, (slice[]){ invite, bye });
    CHECK_EQ(r.units[0].transport, WIRE_TCP);
    CHECK_EQ((const char *)rig_address(&r.units[0].src), "10.0.0.1:5060");
    CHECK_EQ((const char *)rig_address(&r.units[0].dst), "10.0.0.2:5061");
    CHECK_EQ(r.units[0].ip_id, 77);
    CHECK_EQ(r.units[0].ttl, 61);
    rig_end(&r);
}

TEST(one_message_in_segments_of_any_size_is_one)
{
    for (size_t size = 1; size <= invite.len; size++) {
        struct rig r;

        rig_start(&r, NULL);
        flags(&r, A, 99, 0, TCP_SYN);
        for (size_t at = 0; at < invite.len; at += size)
            say(&r, A, (uint32_t)(100 + at), part(invite, at, at + size));
        say(&r, A, (uint32_t)(100 + invite.len), bye);
        CHECK_ROW_EQ(size, r.count, 2);
        CHECK_ROW_EQ(size, r.units[0].payload, invite);
        CHECK_ROW_EQ(size, r.units[1].payload, bye);
        CHECK_ROW_EQ(size, r.units[0].frame, 1 + (invite.len + size - 1) / size);
        CHECK_ROW_EQ(size, wire_counts(r.wire)->tcp_gaps, 0);
        rig_end(&r);
    }
}

TEST(segments_in_any_order_make_the_same_message)
{
    static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
                                          { 2, 0, 1 }, { 2, 1, 0 } };
    static const size_t ends[] = { 0, 30, 50, 200 };

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct rig r;

        rig_start(&r, NULL);
        flags(&r, A, 0xffffffe0u, 0, TCP_SYN);             /* and the numbers wrap */
        for (size_t k = 0; k < 3; k++) {
            size_t p = orders[i][k];

            CHECK_ROW_EQ(i, r.count, 0);
            r.now_ns += MS;
            say(&r, A, 0xffffffe1u + (uint32_t)ends[p], part(invite, ends[p], ends[p + 1]));
        }
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, r.units[0].payload, invite);
        CHECK_ROW_EQ(i, r.units[0].frame, 4);
        CHECK_ROW_EQ(i, r.units[0].time_ns, 1000000000 + 3 * MS);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->tcp_gaps, 0);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->tcp_retransmissions, 0);
        rig_end(&r);
    }
}

TEST(where_segments_overlap_the_bytes_that_came_first_stay)
{
    char forged[300];
    struct rig r;

    memset(forged, 'X', sizeof forged);
    rig_start(&r, NULL);
    flags(&r, A, 99, 0, TCP_SYN);
    say(&r, A, 100 + 14, part(invite, 14, 18));            /* behind a hole */
    say(&r, A, 100 + 10, slice_of(forged, 10));            /* around it: 10..14 and 18..20 stay */
    say(&r, A, 100, part(invite, 0, 60));
    say(&r, A, 100 + 60, part(invite, 60, invite.len));
    CHECK_EQ(r.count, 1);
    CHECK_EQ(part(r.units[0].payload, 0, 10), part(invite, 0, 10));
    CHECK_EQ(part(r.units[0].payload, 10, 14), "XXXX");
    CHECK_EQ(part(r.units[0].payload, 14, 18), part(invite, 14, 18));
    CHECK_EQ(part(r.units[0].payload, 18, 20), "XX");
    CHECK_EQ(part(r.units[0].payload, 20, 200), part(invite, 20, 200));
    memcpy(forged + 10, bye.ptr, bye.len);                 /* ten bytes are old */
    say(&r, A, (uint32_t)(100 + invite.len - 10), slice_of(forged, bye.len + 10));
    CHECK_EQ(r.count, 2);
    CHECK_EQ(r.units[1].payload, bye);
    rig_end(&r);
}

TEST(what_was_seen_already_brings_nothing_new)
{
    struct rig r;

    rig_start(&r, NULL);
    say(&r, A, 100, invite);
    say(&r, A, 100, invite);
    say(&r, A, 110, part(invite, 10, 20));
    CHECK_EQ(wire_counts(r.wire)->tcp_retransmissions, 2);
    say(&r, A, (uint32_t)(100 + invite.len - 1), SLICE("\0"));      /* keep-alives */
    flags(&r, A, (uint32_t)(100 + invite.len - 1), 1, TCP_ACK);
    CHECK_EQ(wire_counts(r.wire)->tcp_retransmissions, 2);
    say(&r, A, (uint32_t)(100 + invite.len), bye);
    check_messages(&r, 2, (slice[]){ invite, bye });
    say(&r, A, (uint32_t)(100 + invite.len + bye.len + 50), SLICE("behind a hole"));
    say(&r, A, (uint32_t)(100 + invite.len + bye.len + 50), SLICE("behind a hole"));
    CHECK_EQ(wire_counts(r.wire)->tcp_retransmissions, 3);
    rig_end(&r);
}

TEST(keep_alives_between_messages_are_passed_over_and_shown)
{
    struct rig r;
    char text[300] = "\r\n\r\n";

    memcpy(text + 4, bye.ptr, bye.len);
    rig_start(&r, NULL);
    say(&r, A, 100, SLICE("\r\n\r\n"));
    say(&r, B, 500, SLICE("\r\n"));
    say(&r, A, 104, invite);
    say(&r, A, (uint32_t)(104 + invite.len), slice_of(text, bye.len + 4));
    check_messages(&r, 2, (slice[]){ invite, bye });
    CHECK_EQ(r.units[1].stream_before.len, 4);
    rig_end(&r);
}

TEST(directions_and_connections_do_not_mix)
{
    struct rig r;

    rig_start(&r, NULL);
    say(&r, A, 100, part(invite, 0, 40));
    say(&r, B, 100, part(ringing, 0, 25));
    say(&r, A, 140, part(invite, 40, 200));
    say(&r, B, 125, part(ringing, 25, 200));
    check_messages(&r, 2, (slice[]){ invite, ringing });
    CHECK_EQ((const char *)rig_address(&r.units[1].src), "10.0.0.2:5061");
    CHECK_EQ((const char *)rig_address(&r.units[1].dst), "10.0.0.1:5060");
    rig_end(&r);
}

TEST(a_start_in_the_middle_of_a_body_finds_the_next_message)
{
    struct rig r;
    char text[600];
    size_t at = 0;

    at += (size_t)snprintf(text, sizeof text, "p:0 PCMU/8000\r\na=sendrecv\r\n");
    memcpy(text + at, invite.ptr, invite.len);
    rig_start(&r, NULL);
    say(&r, A, 100, slice_of(text, at + invite.len));
    check_messages(&r, 1, (slice[]){ invite });
    CHECK_EQ(r.units[0].stream_before.len, at);
    rig_end(&r);
}

/* Says an INVITE whose second half is lost, then a BYE, and lets the test go on. */
static void lose_half(struct rig *r)
{
    rig_start(r, NULL);
    flags(r, A, 99, 0, TCP_SYN);
    say(r, A, 100, part(invite, 0, 60));
    say(r, A, (uint32_t)(100 + invite.len), bye);
    CHECK_EQ(r->count, 0);
}

static void check_half_lost(struct rig *r)
{
    CHECK_EQ(r->count, 2);
    CHECK_EQ(r->units[0].payload, part(invite, 0, 60));
    CHECK(r->units[0].cut);
    CHECK_EQ(r->units[0].frame, 2);
    CHECK_EQ(r->units[1].payload, bye);
    CHECK(!r->units[1].cut);
    CHECK_EQ(r->units[1].frame, 3);
    CHECK_EQ(r->units[1].time_ns, 1000000000);
    CHECK_EQ(wire_counts(r->wire)->tcp_gaps, 1);
}

TEST(a_hole_is_passed_over_once_its_receiver_has_acknowledged_it)
{
    struct rig r;

    lose_half(&r);
    flags(&r, B, 500, (uint32_t)(100 + invite.len + bye.len), TCP_ACK);
    r.now_ns += TCP_HOLE_ACKED_NS - 1;
    rig_bytes(&r, 101, SLICE("\x15"));
    CHECK_EQ(r.count, 0);
    r.now_ns += 1;
    rig_bytes(&r, 101, SLICE("\x15"));
    check_half_lost(&r);
    rig_end(&r);
}

TEST(a_hole_that_nobody_fills_is_passed_over_in_time)
{
    struct rig r;

    lose_half(&r);
    flags(&r, B, 500, 160, TCP_ACK);                       /* acknowledges what was seen */
    r.now_ns += TCP_HOLE_NS - 1;
    rig_bytes(&r, 101, SLICE("\x15"));
    CHECK_EQ(r.count, 0);
    r.now_ns += 1;
    rig_bytes(&r, 101, SLICE("\x15"));
    check_half_lost(&r);
    say(&r, A, 160, part(invite, 60, 200));                /* too late */
    CHECK_EQ(r.count, 2);
    CHECK_EQ(wire_counts(r.wire)->tcp_retransmissions, 1);
    rig_end(&r);
}

TEST(a_hole_that_is_filled_in_time_is_none)
{
    struct rig r;

    lose_half(&r);
    r.now_ns += TCP_HOLE_NS - 1;
    say(&r, A, 160, part(invite, 60, 200));
    check_messages(&r, 2, (slice[]){ invite, bye });
    r.now_ns += 10 * TCP_HOLE_NS;
    rig_bytes(&r, 101, SLICE("\x15"));
    CHECK_EQ(wire_counts(r.wire)->tcp_gaps, 0);
    rig_end(&r);
}

TEST(the_end_of_input_and_a_reset_pass_over_holes)
{
    for (int i = 0; i < 2; i++) {
        struct rig r;

        lose_half(&r);
        if (i == 0)
            wire_finish(r.wire);
        else
            flags(&r, B, 500, 0, TCP_RST);
        check_half_lost(&r);
        wire_finish(r.wire);
        CHECK_EQ(r.count, 2);
        rig_end(&r);
    }
}

TEST(a_hole_does_not_wait_for_ever_when_much_comes_behind_it)
{
    struct rig r;
    uint32_t seq = 100 + 1000;

    rig_start(&r, NULL);
    say(&r, A, 100, part(invite, 0, 60));
    for (int i = 0; r.count == 0 && i < 2000; i++) {
        say(&r, A, seq, bye);
        seq += (uint32_t)bye.len;
    }
    CHECK(r.count > 200);
    CHECK(r.units[0].cut);
    CHECK_EQ(r.units[1].payload, bye);
    CHECK_EQ(wire_counts(r.wire)->tcp_gaps, 1);
    rig_end(&r);
}

TEST(a_message_that_the_end_of_its_connection_cuts_is_handed_out_cut)
{
    struct rig r;

    rig_start(&r, NULL);
    say(&r, A, 100, part(invite, 0, 60));
    flags(&r, A, 160, 0, TCP_FIN | TCP_ACK);
    CHECK_EQ(r.count, 1);
    CHECK(r.units[0].cut);
    CHECK_EQ(r.units[0].payload, part(invite, 0, 60));
    rig_end(&r);
}

TEST(segments_cut_by_the_capture_give_cut_messages_and_go_on)
{
    struct rig r;

    rig_start(&r, NULL);
    say_cut(&r, A, 100, 0, TCP_ACK, invite, 50);
    say_cut(&r, A, (uint32_t)(100 + invite.len), 0, TCP_ACK, bye, bye.len);
    CHECK_EQ(r.count, 2);
    CHECK(r.units[0].cut);
    CHECK_EQ(r.units[0].payload, part(invite, 0, 50));
    CHECK_EQ(r.units[1].payload, bye);
    CHECK_EQ(wire_counts(r.wire)->malformed, 0);
    rig_end(&r);
}

TEST(the_same_ports_again_are_a_new_connection)
{
    struct rig r;

    rig_start(&r, NULL);
    flags(&r, A, 99, 0, TCP_SYN);
    flags(&r, B, 499, 100, TCP_SYN | TCP_ACK);
    flags(&r, A, 99, 0, TCP_SYN);                          /* repeated: nothing happens */
    say(&r, A, 100, invite);
    say(&r, B, 500, ringing);
    flags(&r, A, (uint32_t)(100 + invite.len), 0, TCP_FIN | TCP_ACK);
    flags(&r, A, 7000000, 0, TCP_SYN);
    flags(&r, B, 8000000, 7000001, TCP_SYN | TCP_ACK);
    say(&r, A, 7000001, bye);
    say(&r, B, 8000001, ringing);
    check_messages(&r, 4, (slice[]){ invite, ringing, bye, ringing });
    CHECK_EQ(wire_counts(r.wire)->tcp_gaps, 0);
    rig_end(&r);
}

TEST(a_syn_that_was_captured_late_changes_nothing)
{
    struct rig r;

    rig_start(&r, NULL);
    say(&r, A, 100, part(invite, 0, 40));
    flags(&r, A, 99, 0, TCP_SYN);
    say(&r, A, 140, part(invite, 40, 200));
    check_messages(&r, 1, (slice[]){ invite });
    rig_end(&r);
}

TEST(a_number_far_away_begins_anew)
{
    struct rig r;

    rig_start(&r, NULL);
    say(&r, A, 100, part(invite, 0, 40));
    say(&r, A, 3000000000u, bye);
    CHECK_EQ(r.count, 2);
    CHECK(r.units[0].cut);
    CHECK_EQ(r.units[1].payload, bye);
    CHECK_EQ(wire_counts(r.wire)->tcp_gaps, 1);
    rig_end(&r);
}

TEST(a_foreign_connection_costs_nothing_until_sip_begins_in_it)
{
    struct rig r;
    char web[1000];
    uint32_t seq = 100;

    memset(web, 'w', sizeof web);
    web[sizeof web - 1] = '\n';
    rig_start(&r, NULL);
    for (int i = 0; i < 20; i++) {
        say(&r, A, seq, slice_of(web, sizeof web));
        seq += sizeof web;
    }
    size_t bytes = wire_memory_bytes(r.wire);

    say(&r, A, seq + 5000, slice_of(web, sizeof web));     /* not even holes are kept */
    say(&r, B, 10, slice_of(web, 500));
    CHECK_EQ(wire_memory_bytes(r.wire), bytes);
    CHECK_EQ(r.count, 0);
    say(&r, A, 50000, part(invite, 0, 60));
    say(&r, A, 50060, part(invite, 60, 200));
    say(&r, B, 9000, ringing);
    check_messages(&r, 2, (slice[]){ invite, ringing });
    rig_end(&r);
}

TEST(tls_is_counted_and_left_alone)
{
    struct rig r;

    rig_start(&r, NULL);
    say(&r, A, 100, SLICE("\x16\x03\x01\x00\x30" "0123456789"));
    say(&r, B, 500, SLICE("\x16\x03\x03\x00\x30" "0123456789"));
    say(&r, A, 115, SLICE("\x17\x03\x03\x00\x30" "0123456789"));
    CHECK_EQ(r.count, 0);
    CHECK_EQ(wire_counts(r.wire)->tls_streams, 1);
    rig_end(&r);
}

TEST(connections_stay_within_their_limit_and_the_idlest_goes_first)
{
    struct wire_limits limits = { .streams_max = 20 };
    struct rig r;
    struct frame f;

    rig_start(&r, &limits);
    for (uint16_t i = 0; i < 1000; i++) {
        uint8_t h[20] = { [12] = 0x50, [13] = TCP_SYN };

        frame_start(&f, (slice){ 0 });
        frame_u16(h, (size_t)i + 1000);
        frame_before(&f, h, sizeof h);
        frame_ipv4(&f, 6, 0);
        rig_frame(&r, 101, &f);
    }
    CHECK_EQ(wire_counts(r.wire)->limited, 990);
    CHECK(wire_memory_bytes(r.wire) < 20000);
    rig_end(&r);
}

TEST(bytes_held_stay_within_their_limit)
{
    struct wire_limits limits = { .stream_bytes_max = 30000 };
    struct frame f;
    struct rig r;
    size_t most = 0;

    rig_start(&r, &limits);
    for (uint16_t i = 0; i < 300; i++) {                   /* halves, and holes with pieces */
        uint8_t h[20] = { [12] = 0x50, [13] = TCP_ACK };

        frame_start(&f, i % 3 == 2 ? bye : part(invite, 0, 60));
        frame_u16(h, (size_t)i / 3 + 1000);
        frame_u32(h + 4, i % 3 == 2 ? 90000 : 100);
        frame_before(&f, h, sizeof h);
        frame_ipv4(&f, 6, 0);
        rig_frame(&r, 101, &f);
        most = wire_memory_bytes(r.wire) > most ? wire_memory_bytes(r.wire) : most;
    }
    CHECK(wire_counts(r.wire)->limited > 50);
    CHECK(r.count > 100);                                  /* handed out, cut, when dropped */
    CHECK(r.units[0].cut);
    CHECK(most < 30000 + 100 * 600 + 10000);               /* bytes held, connections, buckets */
    rig_end(&r);
}

TEST(idle_and_closed_connections_are_forgotten)
{
    struct rig r;

    rig_start(&r, NULL);
    size_t empty = wire_memory_bytes(r.wire);

    say(&r, A, 100, invite);
    CHECK(wire_memory_bytes(r.wire) > empty);
    r.now_ns += 3600000 * MS;
    rig_bytes(&r, 101, SLICE("\x15"));
    CHECK_EQ(wire_memory_bytes(r.wire), empty);
    say(&r, A, 100, invite);
    flags(&r, A, (uint32_t)(100 + invite.len), 0, TCP_FIN | TCP_ACK);
    r.now_ns += 30000 * MS;
    say(&r, A, 100, invite);                               /* a late copy: nothing new */
    CHECK_EQ(r.count, 2);
    r.now_ns += 40000 * MS;
    rig_bytes(&r, 101, SLICE("\x15"));
    CHECK(wire_memory_bytes(r.wire) > empty);              /* it was not that quiet */
    r.now_ns += 60000 * MS;
    rig_bytes(&r, 101, SLICE("\x15"));
    CHECK_EQ(wire_memory_bytes(r.wire), empty);
    rig_end(&r);
}

TEST(a_message_of_a_mebibyte_in_small_segments_is_one)
{
    struct rig r;
    size_t body = 1000000, head, at;
    char *text = malloc(body + 300);

    CHECK(text != NULL);
    head = (size_t)snprintf(text, 300, "MESSAGE sip:b@b.example SIP/2.0\r\nCall-ID: 1@a\r\n"
                                       "Content-Length: %zu\r\n\r\n", body);
    memset(text + head, 'x', body);
    rig_start(&r, NULL);
    for (at = 0; at < head + body; at += 997)
        say(&r, A, (uint32_t)(100 + at), part(slice_of(text, head + body), at, at + 997));
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].payload.len, head + body);
    CHECK_MEM_EQ(r.units[0].payload.ptr, text, head + body);
    free(text);
    rig_end(&r);
}

/* ---- WebSocket ---- */

static const slice upgrade = SLICE("GET / HTTP/1.1\r\nHost: b.example\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n");
static const slice switching = SLICE("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "Sec-WebSocket-Protocol: sip\r\n\r\n");

/* A text frame, short, masked or not, into `room`. */
static slice ws_frame(char *room, slice text, bool masked)
{
    size_t at = 0;

    CHECK(text.len < 126);
    room[at++] = (char)0x81;
    room[at++] = (char)(text.len | (masked ? 0x80 : 0));
    if (masked)
        memcpy(room + at, "\1\2\3\4", 4), at += 4;
    for (size_t i = 0; i < text.len; i++)
        room[at + i] = (char)(text.ptr[i] ^ (masked ? i % 4 + 1 : 0));
    return slice_of(room, at + text.len);
}

TEST(sip_over_websocket_comes_message_by_message)
{
    struct rig r;
    char room[200];
    slice asked, told;
    uint32_t a = 100, b = 500;

    rig_start(&r, NULL);
    flags(&r, A, a - 1, 0, TCP_SYN);
    flags(&r, B, b - 1, a, TCP_SYN | TCP_ACK);
    say(&r, A, a, part(upgrade, 0, 50));
    say(&r, A, a + 50, part(upgrade, 50, 400));
    a += (uint32_t)upgrade.len;
    say(&r, B, b, switching);
    b += (uint32_t)switching.len;
    asked = ws_frame(room, bye, true);
    say(&r, A, a, part(asked, 0, 4));                      /* its own head is split */
    say(&r, A, a + 4, part(asked, 4, 200));
    told = ws_frame(room, ringing, false);
    say(&r, B, b, told);
    check_messages(&r, 2, (slice[]){ bye, ringing });
    CHECK_EQ(r.units[0].transport, WIRE_WS);
    CHECK_EQ((const char *)rig_address(&r.units[1].src), "10.0.0.2:5061");
    CHECK_EQ(wire_counts(r.wire)->tcp_gaps, 0);
    rig_end(&r);
}

TEST(websocket_is_recognised_in_mid_stream_and_after_its_answer_alone)
{
    struct rig r;
    char room[200];

    rig_start(&r, NULL);
    say(&r, A, 100, ws_frame(room, bye, true));
    say(&r, B, 500, ws_frame(room, ringing, false));
    check_messages(&r, 2, (slice[]){ bye, ringing });
    CHECK_EQ(r.units[0].transport, WIRE_WS);
    rig_end(&r);

    rig_start(&r, NULL);
    say(&r, B, 500, switching);
    say(&r, A, 100, ws_frame(room, bye, true));
    say(&r, B, (uint32_t)(500 + switching.len), ws_frame(room, ringing, false));
    check_messages(&r, 2, (slice[]){ bye, ringing });
    rig_end(&r);
}

TEST(a_hole_in_a_websocket_loses_only_what_it_hit)
{
    struct rig r;
    char room[200];
    slice one = ws_frame(room, bye, true);
    uint32_t a = 100;

    rig_start(&r, NULL);
    say(&r, A, a, upgrade);
    a += (uint32_t)upgrade.len;
    say(&r, B, 500, switching);
    say(&r, A, a, one);
    a += 2 * (uint32_t)one.len;                            /* the second is lost */
    say(&r, A, a, one);
    a += (uint32_t)one.len;
    say(&r, A, a, one);
    r.now_ns += TCP_HOLE_NS;
    rig_bytes(&r, 101, SLICE("\x15"));
    check_messages(&r, 3, (slice[]){ bye, bye, bye });
    CHECK_EQ(wire_counts(r.wire)->tcp_gaps, 1);
    rig_end(&r);
}

TEST(an_upgrade_that_is_refused_or_not_for_sip_is_foreign)
{
    struct rig r;
    char web[5000];

    memset(web, 'w', sizeof web);
    rig_start(&r, NULL);
    say(&r, A, 100, upgrade);
    say(&r, B, 500, SLICE("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    say(&r, B, 547, slice_of(web, sizeof web));
    say(&r, A, (uint32_t)(100 + upgrade.len), bye);        /* and then SIP, after all */
    check_messages(&r, 1, (slice[]){ bye });
    CHECK_EQ(r.units[0].transport, WIRE_TCP);
    rig_end(&r);
}

/* ---- HEP ---- */

/* HEP 3: IPv4, UDP, 192.0.2.1:1000 to 192.0.2.2:2000, SIP. */
static slice hep_packet(char *room, slice payload)
{
    struct frame f;
    uint8_t h[6] = { 0, 0, 0, 15 };

    frame_start(&f, payload);
    frame_u16(h + 4, payload.len + 6);
    frame_before(&f, h, 6);
    frame_hex(&f, "0000 0001 0007 02  0000 0002 0007 11  0000 0003 000a c0000201"
                  "0000 0004 000a c0000202  0000 0007 0008 03e8  0000 0008 0008 07d0"
                  "0000 0009 000a 60000000  0000 000a 000a 0007a120  0000 000b 0007 01"
                  "0000 000c 000a 0000002a  0000 0011 0009 616263");
    frame_u16(h, frame_len(&f) + 6);
    frame_before(&f, h, 2);
    frame_before(&f, "HEP3", 4);
    memcpy(room, frame_bytes(&f).ptr, frame_len(&f));
    return slice_of(room, frame_len(&f));
}

static void check_hep(struct rig *r, size_t row)
{
    CHECK_ROW_EQ(row, r->units[row].payload, SIP_TEXT);
    CHECK_ROW(row, r->units[row].hep);
    CHECK_ROW_EQ(row, r->units[row].hep_payload_type, 1);
    CHECK_ROW_EQ(row, r->units[row].hep_agent, 42);
    CHECK_ROW_EQ(row, r->units[row].hep_correlation.len, 3);
    CHECK_ROW_EQ(row, (const char *)rig_address(&r->units[row].src), "192.0.2.1:1000");
    CHECK_ROW_EQ(row, (const char *)rig_address(&r->units[row].dst), "192.0.2.2:2000");
    CHECK_ROW_EQ(row, r->units[row].time_ns, 0x60000000 * 1000000000ll + 500 * MS);
    CHECK_ROW_EQ(row, r->units[row].transport, WIRE_UDP);
}

TEST(hep_in_udp_and_tcp_brings_what_the_agent_saw)
{
    struct rig r;
    struct frame f;
    char room[600], two[1200];
    slice packet = hep_packet(room, SIP_TEXT);
    size_t len = packet.len;

    rig_start(&r, NULL);
    frame_start(&f, packet);
    frame_udp(&f, 30000, 9060);
    frame_ipv4(&f, 17, 0);
    rig_frame(&r, 101, &f);
    memcpy(two, packet.ptr, len);
    memcpy(two + len, packet.ptr, len);
    say(&r, A, 100, slice_of(two, len + 2));
    say(&r, A, (uint32_t)(100 + len + 2), slice_of(two + len + 2, 40));
    say(&r, A, (uint32_t)(100 + len + 42), slice_of(two + len + 42, len - 42));
    CHECK_EQ(r.count, 3);
    for (size_t i = 0; i < 3; i++)
        check_hep(&r, i);
    CHECK_EQ(wire_counts(r.wire)->hep_packets, 3);
    CHECK_EQ(wire_counts(r.wire)->hep_bad, 0);
    CHECK_EQ(wire_counts(r.wire)->udp, 1);
    rig_end(&r);
}

TEST(a_datagram_that_only_begins_as_hep_does_is_a_datagram)
{
    struct rig r;
    struct frame f;

    rig_start(&r, NULL);
    frame_start(&f, SLICE("HEP3"));
    frame_udp(&f, 30000, 9060);
    frame_ipv4(&f, 17, 0);
    rig_frame(&r, 101, &f);
    CHECK_EQ(r.count, 1);
    CHECK(!r.units[0].hep);
    rig_end(&r);
}

TORTURE(streams_survive_a_lack_of_memory)
{
    struct rig r;
    char room[200];

    CHECK_OR_RETURN(rig_start(&r, NULL));
    say(&r, A, 100, part(invite, 0, 60));
    say(&r, A, 180, part(invite, 80, 200));
    say(&r, A, 160, part(invite, 60, 80));
    say(&r, A, (uint32_t)(100 + invite.len), bye);
    flags(&r, A, 7000000, 0, TCP_SYN);
    say(&r, A, 7000001, upgrade);
    say(&r, B, 500, switching);
    say(&r, B, (uint32_t)(500 + switching.len), ws_frame(room, ringing, false));
    wire_finish(r.wire);
    CHECK_OR_GOTO(r.count == 3, out);
out:
    rig_end(&r);
}
