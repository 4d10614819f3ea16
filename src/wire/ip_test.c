/* wire/ip_test.c - IPv4, IPv6, fragments, UDP, SCTP: whole, cut and lying
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/frames.h"

static void ipv4_frame(struct frame *f)
{
    frame_sip_ipv4(f);
    frame_hex(f, ETHERNET "0800");
}

TEST(padding_behind_the_packet_is_not_payload)
{
    struct frame f;
    struct rig r;

    frame_start(&f, SLICE("hi"));
    frame_udp(&f, 1, 2);
    frame_ipv4(&f, 17, 0x4000);
    frame_hex(&f, ETHERNET "0800");
    frame_behind(&f, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    rig_start(&r, NULL);
    rig_frame(&r, 1, &f);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].payload, "hi");
    rig_end(&r);
}

TEST(a_packet_cut_by_the_capture_is_marked_and_not_malformed)
{
    struct frame f;
    struct rig r;

    ipv4_frame(&f);
    rig_start(&r, NULL);
    r.wire_len = (uint32_t)frame_len(&f);
    rig_bytes(&r, 1, slice_head(frame_bytes(&f), 80));
    CHECK_EQ(r.count, 1);
    CHECK(r.units[0].cut);
    CHECK_EQ(r.units[0].payload, slice_head(SIP_TEXT, 80 - 42));
    CHECK_EQ(wire_counts(r.wire)->frames_cut, 1);
    CHECK_EQ(wire_counts(r.wire)->malformed, 0);
    rig_end(&r);
}

TEST(padding_cut_by_the_capture_leaves_the_packet_whole)
{
    struct frame f;
    struct rig r;

    ipv4_frame(&f);
    rig_start(&r, NULL);
    r.wire_len = (uint32_t)frame_len(&f) + 10;
    rig_frame(&r, 1, &f);
    CHECK_EQ(r.count, 1);
    CHECK(!r.units[0].cut);
    rig_end(&r);
}

TEST(a_total_length_of_zero_means_that_the_card_cuts_it_later)
{
    struct frame f;
    struct rig r;

    ipv4_frame(&f);
    frame_u16(f.room + f.at + 16, 0);
    rig_start(&r, NULL);
    rig_frame(&r, 1, &f);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].payload, SIP_TEXT);
    CHECK_EQ(wire_counts(r.wire)->malformed, 0);
    rig_end(&r);
}

TEST(lengths_that_lie_are_counted_and_what_is_there_is_used)
{
    /* offset into the frame, two bytes written there, units, payload length, malformed */
    static const struct { size_t at; uint16_t value; size_t count, len; bool cut; } rows[] = {
        { 14 + 2, 2000, 1, 88, false },        /* IPv4 total: more than there is */
        { 14 + 2, 19, 0, 0, false },           /* less than its own head */
        { 14 + 0, 0x4400, 0, 0, false },       /* head shorter than a head */
        { 14 + 0, 0x5500, 0, 0, false },       /* version 5 */
        { 34 + 4, 2000, 1, 88, false },        /* UDP: more than IP has */
        { 34 + 4, 7, 1, 88, false },           /* less than its own head */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct frame f;
        struct rig r;

        ipv4_frame(&f);
        frame_u16(f.room + f.at + rows[i].at, rows[i].value);
        rig_start(&r, NULL);
        rig_frame(&r, 1, &f);
        CHECK_ROW_EQ(i, r.count, rows[i].count);
        CHECK_ROW(i, !r.count || r.units[0].payload.len == rows[i].len);
        CHECK_ROW(i, !r.count || r.units[0].cut == rows[i].cut);
        CHECK_ROW(i, wire_counts(r.wire)->malformed >= 1);
        rig_end(&r);
    }
}

TEST(a_udp_length_shorter_than_the_packet_is_believed)
{
    struct frame f;
    struct rig r;

    ipv4_frame(&f);
    frame_u16(f.room + f.at + 38, 8 + 20);
    rig_start(&r, NULL);
    rig_frame(&r, 1, &f);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].payload, slice_head(SIP_TEXT, 20));
    CHECK_EQ(wire_counts(r.wire)->malformed, 0);
    rig_end(&r);
}

TEST(options_and_extension_headers_are_passed_over)
{
    static const struct { uint8_t first; const char *headers; } rows[] = {
        { 0,   "11 00 0502 0000 0100" },                               /* hop by hop */
        { 43,  "11 02 00 00 00000000 20010db8000000000000000000000009" },
        { 60,  "11 01 0000000000000000000000000000" },
        { 135, "11 00 000000000000" }, { 139, "11 00 000000000000" },
        { 140, "11 00 000000000000" },
        { 51,  "11 04 0000 00000001 00000002 000102030405060708090a0b" },
        { 44,  "11 00 0000 00000001" },                                /* all in one fragment */
        { 0,   "3c 00 0502 0000 0100 2c 00 000000000000 11 00 0000 00000001" },
        { 44,  "3c 00 0000 00000001 11 00 000000000000" },
    };
    struct frame f;
    struct rig r;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        frame_start(&f, SIP_TEXT);
        frame_udp(&f, 5060, 5061);
        frame_hex(&f, rows[i].headers);
        frame_ipv6(&f, rows[i].first);
        rig_start(&r, NULL);
        rig_frame(&r, 229, &f);
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, r.units[0].payload, SIP_TEXT);
        CHECK_ROW_EQ(i, (const char *)rig_address(&r.units[0].src), "[2001:db8::1]:5060");
        CHECK_ROW_EQ(i, wire_counts(r.wire)->fragments, 0);
        for (size_t len = 40; len < 60; len++) {           /* and may end anywhere */
            r.wire_len = 200;
            rig_bytes(&r, 229, slice_head(frame_bytes(&f), len));
        }
        rig_end(&r);
    }
    frame_start(&f, SIP_TEXT);
    frame_udp(&f, 5060, 5061);
    frame_ipv4(&f, 17, 0);
    f.room[f.at] = 0x47;                                   /* two words of options */
    memmove(f.room + f.at - 8, f.room + f.at, 20);
    f.at -= 8;
    frame_u16(f.room + f.at + 2, frame_len(&f));
    rig_start(&r, NULL);
    rig_frame(&r, 228, &f);
    CHECK_EQ(r.units[0].payload, SIP_TEXT);
    rig_end(&r);
}

TEST(extension_headers_without_end_are_refused)
{
    struct frame f;
    struct rig r;

    frame_start(&f, SLICE("x"));
    for (int i = 0; i < 100; i++)
        frame_hex(&f, "3c 00 000000000000");
    frame_ipv6(&f, 60);
    rig_start(&r, NULL);
    rig_frame(&r, 229, &f);
    CHECK_EQ(r.count, 0);
    CHECK_EQ(wire_counts(r.wire)->malformed, 1);
    rig_end(&r);
}

TEST(an_authentication_header_is_passed_over)
{
    struct frame f;
    struct rig r;

    frame_start(&f, SIP_TEXT);
    frame_udp(&f, 5060, 5061);
    frame_hex(&f, "11 04 0000 00000001 00000002 000102030405060708090a0b");
    frame_ipv4(&f, 51, 0);
    rig_start(&r, NULL);
    rig_frame(&r, 228, &f);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].payload, SIP_TEXT);
    rig_end(&r);
}

/* ---- fragments ---- */

/* One part of a UDP datagram in IPv4: bytes [from, to) of what IP carries. */
static void ipv4_part(struct frame *f, slice whole, size_t from, size_t to)
{
    frame_start(f, slice_of(whole.ptr + from, to - from));
    frame_ipv4(f, 17, (uint16_t)((to < whole.len ? 0x2000 : 0) | from / 8));
}

static void ipv6_part(struct frame *f, slice whole, size_t from, size_t to)
{
    uint8_t h[8] = { 17, 0, 0, 0, 0x12, 0x34, 0x56, 0x78 };

    frame_u16(h + 2, from | (to < whole.len));
    frame_start(f, slice_of(whole.ptr + from, to - from));
    frame_before(f, h, 8);
    frame_ipv6(f, 44);
}

TEST(a_fragmented_datagram_comes_once_with_its_last_fragment)
{
    static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
                                          { 2, 0, 1 }, { 2, 1, 0 } };
    static const size_t ends[] = { 0, 40, 64, 96 };
    struct frame whole, f;

    frame_start(&whole, SIP_TEXT);
    frame_udp(&whole, 5060, 5061);
    CHECK_EQ(frame_len(&whole), 96);
    for (size_t i = 0; i < 2 * ARRAY_LEN(orders); i++) {
        struct rig r;

        rig_start(&r, NULL);
        for (size_t k = 0; k < 3; k++) {
            size_t part = orders[i / 2][k];

            CHECK_ROW_EQ(i, r.count, 0);
            (i & 1 ? ipv6_part : ipv4_part)(&f, frame_bytes(&whole), ends[part], ends[part + 1]);
            r.now_ns += 1000;
            rig_frame(&r, 101, &f);
        }
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, r.units[0].payload, SIP_TEXT);
        CHECK_ROW_EQ(i, r.units[0].frame, 3);
        CHECK_ROW_EQ(i, r.units[0].time_ns, 1000003000);
        CHECK_ROW_EQ(i, r.units[0].src.port, 5060);
        CHECK_ROW(i, !r.units[0].cut);
        wire_finish(r.wire);
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->fragments, 3);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->fragments_incomplete, 0);
        rig_end(&r);
    }
}

TEST(a_datagram_whose_end_never_comes_is_handed_out_cut)
{
    struct frame whole, f;
    struct rig r;

    frame_start(&whole, SIP_TEXT);
    frame_udp(&whole, 5060, 5061);
    ipv4_part(&f, frame_bytes(&whole), 0, 64);
    rig_start(&r, NULL);
    rig_frame(&r, 101, &f);
    CHECK_EQ(r.count, 0);
    r.now_ns += 30000000000ll;                             /* anything, 30 s later */
    rig_bytes(&r, 101, SLICE("\x15"));
    CHECK_EQ(r.count, 1);
    CHECK(r.units[0].cut);
    CHECK_EQ(r.units[0].payload, slice_head(SIP_TEXT, 56));
    CHECK_EQ(r.units[0].time_ns, 1000000000);
    CHECK_EQ(wire_counts(r.wire)->fragments_incomplete, 1);
    CHECK_EQ(wire_counts(r.wire)->malformed, 0);
    rig_end(&r);
}

TEST(what_lacks_its_beginning_is_only_counted)
{
    struct frame whole, f;
    struct rig r;

    frame_start(&whole, SIP_TEXT);
    frame_udp(&whole, 5060, 5061);
    ipv4_part(&f, frame_bytes(&whole), 64, 96);
    rig_start(&r, NULL);
    rig_frame(&r, 101, &f);
    wire_finish(r.wire);
    CHECK_EQ(r.count, 0);
    CHECK_EQ(wire_counts(r.wire)->fragments_incomplete, 1);
    rig_end(&r);
}

TEST(a_flood_of_fragments_stays_within_the_limits)
{
    struct wire_limits limits = { .fragments_max = 16, .fragment_bytes_max = 100000 };
    struct frame f;
    struct rig r;
    size_t most = 0;

    rig_start(&r, &limits);
    for (int i = 0; i < 2000; i++) {
        frame_start(&f, SIP_TEXT);
        frame_ipv4(&f, 17, 0x2000);
        frame_u16(f.room + f.at + 4, (size_t)i);
        if (i % 100 == 0) {                                /* and some large ones */
            frame_u16(f.room + f.at + 6, 0x2000 | 8000);
        }
        rig_frame(&r, 101, &f);
        most = wire_memory_bytes(r.wire) > most ? wire_memory_bytes(r.wire) : most;
    }
    CHECK(most < 200000);
    CHECK(wire_counts(r.wire)->limited > 1900);
    CHECK(wire_counts(r.wire)->fragments_incomplete > 1900);
    rig_end(&r);
}

/* ---- the rest ---- */

TEST(icmp_is_counted_and_what_it_quotes_is_not_read)
{
    struct frame f;
    struct rig r;

    frame_sip_ipv4(&f);
    frame_hex(&f, "0303 0000 00000000");
    frame_ipv4(&f, 1, 0);
    rig_start(&r, NULL);
    rig_frame(&r, 101, &f);
    frame_start(&f, SLICE("x"));
    frame_ipv6(&f, 58);
    rig_frame(&r, 101, &f);
    CHECK_EQ(r.count, 0);
    CHECK_EQ(wire_counts(r.wire)->icmp, 2);
    CHECK_EQ(wire_counts(r.wire)->udp, 0);
    rig_end(&r);
}

TEST(sip_in_sctp_is_found_among_the_chunks)
{
    struct frame f;
    struct rig r;

    frame_start(&f, SIP_TEXT);
    frame_hex(&f, "00 03 0068 00000001 0000 0000 00000000");   /* DATA, first and last */
    frame_hex(&f, "03 00 0010 00000000 00000000 00000000");    /* SACK */
    frame_hex(&f, "13c4 13c5 00000000 00000000");
    frame_ipv4(&f, 132, 0);
    rig_start(&r, NULL);
    rig_frame(&r, 101, &f);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].transport, WIRE_SCTP);
    CHECK_EQ(r.units[0].kind, WIRE_MESSAGE);
    CHECK_EQ(r.units[0].payload, SIP_TEXT);
    CHECK_EQ((const char *)rig_address(&r.units[0].src), "10.0.0.1:5060");
    CHECK_EQ(wire_counts(r.wire)->sctp, 1);
    rig_end(&r);
}

TEST(every_transport_has_a_name)
{
    CHECK_EQ(wire_transport_name(WIRE_UDP), "udp");
    for (int i = 0; i < WIRE_TRANSPORTS; i++)
        CHECK_ROW(i, wire_transport_name((enum wire_transport)i).len > 0);
    CHECK_EQ(wire_transport_name(WIRE_TRANSPORTS).len, 0);
}

TORTURE(frames_survive_a_lack_of_memory)
{
    struct frame whole, f;
    struct rig r;

    CHECK_OR_RETURN(rig_start(&r, NULL));
    frame_start(&whole, SIP_TEXT);
    frame_udp(&whole, 5060, 5061);
    ipv4_part(&f, frame_bytes(&whole), 64, 96);
    rig_frame(&r, 101, &f);
    ipv4_part(&f, frame_bytes(&whole), 0, 64);
    rig_frame(&r, 101, &f);
    wire_finish(r.wire);
    CHECK_OR_GOTO(r.count == 1 && r.units[0].payload.len == SIP_TEXT.len, out);
out:
    rig_end(&r);
}
