/* wire/tunnel_test.c - packets inside packets, and datagrams that only look so
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/frames.h"

enum { UDP = 17, GRE = 47 };

/* What stands between the outer IPv4 header and the inner packet. */
static const struct { uint8_t protocol; uint16_t port; const char *head; } rows[] = {
    { 4, 0, "" },
    { GRE, 0, "0000 0800" },
    { GRE, 0, "b000 0800 00000000 00000001 00000002" },            /* checksum, key, sequence */
    { GRE, 0, "2000 6558 00000100 " ETHERNET "0800" },             /* NVGRE */
    { GRE, 0, "0000 88be " ETHERNET "0800" },                      /* ERSPAN I */
    { GRE, 0, "1000 88be 00000001 1000000000000000 " ETHERNET "0800" },
    { GRE, 0, "1000 22eb 00000001 200000000000000000000000 " ETHERNET "0800" },
    { GRE, 0, "1000 22eb 00000001 200000000000000000000001 0000000000000000 " ETHERNET "0800" },
    { GRE, 0, "3081 880b 0078 0001 00000002 00000001 ff03 0021" }, /* PPTP */
    { GRE, 0, "3001 880b 0075 0001 00000002 21" },
    { GRE, 0, "0000 8847 000641 40" },
    { UDP, 2152, "30 ff 0074 00000001" },                          /* GTP-U */
    { UDP, 2152, "32 ff 0078 00000001 0001 00 00" },               /* sequence number */
    { UDP, 2152, "34 ff 007c 00000001 0000 00 85 01 10 09 00" },   /* 5G: PDU session */
    { UDP, 2152, "34 ff 0084 00000001 0000 00 85 01 10 09 c0 02 0000000000 00 00" },
    { UDP, 4789, "08000000 00000100 " ETHERNET "0800" },
    { UDP, 8472, "08000000 00000100 " ETHERNET "8100 0001 0800" },
    { UDP, 4789, "88000001 00000100 " ETHERNET "0800" },           /* group policy */
    { UDP, 6081, "0000 6558 00000100 " ETHERNET "0800" },
    { UDP, 6081, "0200 6558 00000100 0102030405060708 " ETHERNET "0800" },
    { UDP, 6081, "0000 0800 00000100" },
    { UDP, 1701, "0002 0001 0002 ff03 0021" },
    { UDP, 1701, "4002 0080 0001 0002 ff03 0021" },
    { UDP, 1701, "4a02 0086 0001 0002 0000 0000 0002 0000 0021" }, /* Ns, Nr, offset */
    { UDP, 37008, "01 00 0001 0a0101 00 01 " ETHERNET "0800" },
    { UDP, 37008, "01 01 0012 01"
                  "0801 0000 020000000001 020000000002 020000000003 1000 aaaa03 000000 0800" },
    { 97, 0, "3000 " ETHERNET "0800" },
    { 143, 0, ETHERNET "0800" },
    { 137, 0, "000641 40" },
};

static void frame_tunnel(struct frame *f, size_t row)
{
    frame_sip_ipv4(f);
    frame_hex(f, rows[row].head);
    if (rows[row].protocol == UDP)
        frame_udp(f, 40000, rows[row].port);
    frame_ipv4(f, rows[row].protocol, 0);
    f->room[f->at + 15] = 9;                               /* from 10.0.0.9 */
}

TEST(every_tunnel_leads_to_the_datagram_inside)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct frame f;
        struct rig r;

        frame_tunnel(&f, i);
        rig_start(&r, NULL);
        rig_frame(&r, 101, &f);
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, r.units[0].payload, SIP_TEXT);
        CHECK_ROW_EQ(i, (const char *)rig_address(&r.units[0].src), "10.0.0.1:5060");
        CHECK_ROW_EQ(i, r.units[0].tunnels, 1);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->udp, 1);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->malformed, 0);
        rig_end(&r);
    }
}

TEST(every_tunnel_may_end_anywhere)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct frame f;

        frame_tunnel(&f, i);
        for (size_t len = 20; len < frame_len(&f); len++) {
            struct rig r;

            rig_start(&r, NULL);
            r.wire_len = (uint32_t)frame_len(&f);
            rig_bytes(&r, 101, slice_head(frame_bytes(&f), len));
            CHECK_ROW(i, r.count <= 1);
            CHECK_ROW(i, r.count == 0 || r.units[0].cut);
            CHECK_ROW_EQ(i, wire_counts(r.wire)->malformed, 0);
            rig_bytes(&r, 101, slice_head(frame_bytes(&f), len));   /* a lie this time */
            rig_end(&r);
        }
    }
}

TEST(other_traffic_on_a_tunnel_port_is_a_datagram)
{
    static const uint16_t ports[] = { 2152, 4789, 8472, 6081, 4500, 1701, 37008 };
    static const char *const payloads[] = {
        "", "ff", "00000000", "32 01 0004 00000000 00000000",       /* GTP echo request */
        "30 ff 0004 00000001 15000000", "08000000 00000100 ffff",
        "34 ff 0008 00000001 0000 00 85 00 10 09 00",               /* extension of length 0 */
        "c802 0014 0000 0000 0000 0000", "01 00 0001 00000000", "01 00 0001 0aff",
        "00000000 0001020304050607", "01020304 05060708 090a0b0c",
    };

    for (size_t i = 0; i < ARRAY_LEN(ports) * (ARRAY_LEN(payloads) + 1); i++) {
        size_t k = i / ARRAY_LEN(ports);
        struct frame f;
        struct rig r;

        frame_start(&f, k < ARRAY_LEN(payloads) ? (slice){ 0 } : SIP_TEXT);
        if (k < ARRAY_LEN(payloads))
            frame_hex(&f, payloads[k]);
        size_t len = frame_len(&f);

        frame_udp(&f, ports[i % ARRAY_LEN(ports)], 40000);
        frame_ipv4(&f, UDP, 0);
        rig_start(&r, NULL);
        rig_frame(&r, 101, &f);
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, r.units[0].payload.len, len);
        CHECK_ROW_EQ(i, r.units[0].tunnels, 0);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->malformed, 0);
        rig_end(&r);
    }
}

TEST(tunnels_in_tunnels_are_opened_eight_deep)
{
    for (size_t depth = 1; depth <= 12; depth++) {
        struct frame f;
        struct rig r;

        frame_sip_ipv4(&f);
        for (size_t i = 0; i < depth; i++)
            frame_ipv4(&f, 4, 0);
        rig_start(&r, NULL);
        rig_frame(&r, 101, &f);
        CHECK_ROW_EQ(depth, r.count, depth <= 8 ? 1 : 0);
        CHECK_ROW_EQ(depth, wire_counts(r.wire)->limited, depth <= 8 ? 0 : 1);
        CHECK_ROW(depth, !r.count || r.units[0].tunnels == depth);
        rig_end(&r);
    }
}

TEST(six_in_four_and_four_in_six)
{
    struct frame f;
    struct rig r;

    rig_start(&r, NULL);
    frame_start(&f, SIP_TEXT);
    frame_udp(&f, 5060, 5061);
    frame_ipv6(&f, UDP);
    frame_ipv4(&f, 41, 0);
    rig_frame(&r, 101, &f);
    frame_sip_ipv4(&f);
    frame_ipv6(&f, 4);
    rig_frame(&r, 101, &f);
    CHECK_EQ(r.count, 2);
    CHECK_EQ((const char *)rig_address(&r.units[0].src), "[2001:db8::1]:5060");
    CHECK_EQ(r.units[0].ip_id, 0);
    CHECK_EQ((const char *)rig_address(&r.units[1].src), "10.0.0.1:5060");
    CHECK_EQ(r.units[1].ip_id, 77);
    rig_end(&r);
}

TEST(a_tunnel_packet_in_fragments_is_opened_when_whole)
{
    struct frame f, part;
    struct rig r;

    frame_sip_ipv4(&f);
    frame_hex(&f, "30 ff 0074 00000001");
    frame_udp(&f, 2152, 2152);
    rig_start(&r, NULL);
    for (size_t from = 0; from < frame_len(&f); from += 48) {
        bool more = from + 48 < frame_len(&f);

        CHECK_EQ(r.count, 0);
        frame_start(&part, slice_head(slice_skip(frame_bytes(&f), from), 48));
        frame_ipv4(&part, UDP, (uint16_t)((more ? 0x2000 : 0) | from / 8));
        rig_frame(&r, 101, &part);
    }
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].payload, SIP_TEXT);
    CHECK_EQ(r.units[0].tunnels, 1);
    rig_end(&r);
}

TEST(source_routes_in_gre_and_unknown_versions_are_not_followed)
{
    static const char *const heads[] = { "4000 0800 00000000", "0007 0800", "0001 0800", "00" };

    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct frame f;
        struct rig r;

        frame_start(&f, (slice){ 0 });
        frame_hex(&f, heads[i]);
        frame_ipv4(&f, GRE, 0);
        rig_start(&r, NULL);
        rig_frame(&r, 101, &f);
        CHECK_ROW_EQ(i, r.count, 0);
        rig_end(&r);
    }
}
