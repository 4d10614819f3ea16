/* wire/link_test.c - every link type leads to the same datagram
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/frames.h"

static void check_sip_came(size_t row, struct rig *r)
{
    CHECK_ROW_EQ(row, r->count, 1);
    CHECK_ROW_EQ(row, r->units[0].payload, SIP_TEXT);
    CHECK_ROW_EQ(row, (const char *)rig_address(&r->units[0].src), "10.0.0.1:5060");
    CHECK_ROW_EQ(row, (const char *)rig_address(&r->units[0].dst), "10.0.0.2:5061");
    CHECK_ROW_EQ(row, r->units[0].kind, WIRE_DATAGRAM);
    CHECK_ROW_EQ(row, r->units[0].transport, WIRE_UDP);
    CHECK_ROW_EQ(row, r->units[0].time_ns, 1000000000);
    CHECK_ROW_EQ(row, r->units[0].frame, 1);
    CHECK_ROW_EQ(row, r->units[0].ip_id, 77);
    CHECK_ROW_EQ(row, r->units[0].ttl, 61);
    CHECK_ROW(row, !r->units[0].cut);
    CHECK_ROW_EQ(row, wire_counts(r->wire)->udp, 1);
    CHECK_ROW_EQ(row, wire_counts(r->wire)->malformed, 0);
}

/* Heads that stand before an IPv4 packet. */
static const struct { uint32_t link_type; const char *head; } rows[] = {
    { 1, ETHERNET "0800" },
    { 1, ETHERNET "8100 0064 0800" },
    { 1, ETHERNET "88a8 0064 8100 0065 0800" },
    { 1, ETHERNET "9100 0064 9200 0065 8100 0066 8100 0067 0800" },
    { 1, ETHERNET "8926 80010002 8100 0001 0800" },                    /* VN-Tag */
    { 1, ETHERNET "0100 aaaa03 000000 0800" },                         /* 802.3, SNAP */
    { 1, ETHERNET "0100 060603" },                                     /* 802.3, IP's SAP */
    { 1, ETHERNET "8847 000641 40" },                                  /* label 100, bottom */
    { 1, ETHERNET "8848 000640 40 000650 40 000661 40" },
    { 1, ETHERNET "8847 000641 40 00000000 " ETHERNET "0800" },        /* control word */
    { 1, ETHERNET "8847 000641 40 " ETHERNET "8100 0001 0800" },       /* none */
    { 1, ETHERNET "8864 11 00 0001 0076 0021" },
    { 1, ETHERNET "8864 11 00 0001 0075 21" },                         /* compressed protocol */
    { 1, ETHERNET "8100 0001 8864 11 00 0001 0076 0021" },
    { 1, ETHERNET "88e7 00000001 " ETHERNET "0800" },                  /* PBB */
    { 1, ETHERNET "88a8 0001 88e7 00000001 " ETHERNET "8100 0001 0800" },
    { 1, ETHERNET "88e5 00 00 00000001 0800" },                        /* MACsec, clear */
    { 1, ETHERNET "88e5 20 00 00000001 0011223344556677 0800" },       /* with SCI */
    { 1, ETHERNET "6558 " ETHERNET "0800" },
    { 0, "02000000" }, { 0, "00000002" }, { 108, "00000002" },
    { 9, "ff03 0021" }, { 9, "0021" }, { 9, "21" }, { 9, "ff03 0281 000641 40" },
    { 12, "" }, { 14, "" }, { 101, "" }, { 228, "" },
    { 50, "ff03 0021" }, { 50, "0f00 0800" }, { 104, "8f00 0800" },
    { 51, "11 00 0001 0076 0021" },
    { 100, "aaaa03 000000 0800" },
    { 107, "1841 03 cc" }, { 107, "1841 03 00 80 000000 0800" }, { 107, "1841 0800" },
    { 113, "0000 0001 0006 0200000000010000 0800" },
    { 113, "0000 0001 0006 0200000000010000 8100 0005 0800" },
    { 113, "0000 0001 0006 0200000000010000 0004 aaaa03 000000 0800" },
    { 276, "0800 0000 00000002 0001 00 06 0200000000010000" },
    { 276, "8100 0000 00000002 0001 00 06 0200000000010000 0005 0800" },
    { 105, "0801 0000 020000000001 020000000002 020000000003 1000 aaaa03 000000 0800" },
    { 105, "8801 0000 020000000001 020000000002 020000000003 1000 0000 aaaa03 000000 0800" },
    { 105, "8803 0000 020000000001 020000000002 020000000003 1000 020000000004 0000"
           " aaaa03 000000 0800" },
    { 105, "8881 0000 020000000001 020000000002 020000000003 1000 0000 00000000"
           " aaaa03 000000 0800" },                                    /* HT control */
    { 105, "8801 0000 020000000001 020000000002 020000000003 1000 8000 " ETHERNET "007c"
           " aaaa03 000000 0800" },                                    /* aggregate of one */
    { 127, "0000 0800 00000000"
           "0801 0000 020000000001 020000000002 020000000003 1000 aaaa03 000000 0800" },
    { 127, "0000 0900 02000000 20"                                     /* padded head */
           "8801 0000 020000000001 020000000002 020000000003 1000 0000 0000"
           " aaaa03 000000 0800" },
    { 127, "0000 1900 03000080 00000000 00000000 0000000000000000 20"  /* two words, time */
           "8801 0000 020000000001 020000000002 020000000003 1000 0000 0000"
           " aaaa03 000000 0800" },
    { 192, "00 00 0800 01000000" ETHERNET "0800" },
    { 192, "00 00 0c00 69000000 00000000"
           "0801 0000 020000000001 020000000002 020000000003 1000 aaaa03 000000 0800" },
    { 239, "02 00 0000 0800 0100 00000000 7800 0900" },
    { 240, "00000000" ETHERNET "0800" },
    { 252, "000c 0004 69700000 0000 0000" },                           /* "ip" */
};

TEST(every_link_type_and_tag_leads_to_the_same_datagram)
{
    struct frame f;
    struct rig r;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        frame_sip_ipv4(&f);
        frame_hex(&f, rows[i].head);
        rig_start(&r, NULL);
        rig_frame(&r, rows[i].link_type, &f);
        check_sip_came(i, &r);
        rig_end(&r);
    }
}

TEST(every_link_head_may_end_anywhere)
{
    struct frame f;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        frame_sip_ipv4(&f);
        frame_hex(&f, rows[i].head);
        for (size_t len = 0; len < frame_len(&f); len++) {
            struct rig r;

            rig_start(&r, NULL);
            r.wire_len = (uint32_t)frame_len(&f);
            rig_bytes(&r, rows[i].link_type, slice_head(frame_bytes(&f), len));
            CHECK_ROW(i, r.count <= 1);
            CHECK_ROW(i, r.count == 0 || r.units[0].cut);
            CHECK_ROW_EQ(i, wire_counts(r.wire)->malformed, 0);   /* the capture's fault */
            CHECK_ROW_EQ(i, wire_counts(r.wire)->frames_cut, 1);
            rig_end(&r);
        }
    }
}

TEST(ipv6_comes_through_the_links_that_name_it)
{
    static const struct { uint32_t link_type; const char *head; } six[] = {
        { 1, ETHERNET "86dd" }, { 1, ETHERNET "8847 000641 40" },
        { 1, ETHERNET "8864 11 00 0001 0033 0057" },
        { 0, "1e000000" }, { 0, "18000000" }, { 0, "1c000000" }, { 108, "0000001e" },
        { 9, "0057" }, { 101, "" }, { 229, "" }, { 107, "1841 03 8e" },
        { 113, "0000 0001 0006 0200000000010000 86dd" },
    };
    struct frame f;
    struct rig r;

    for (size_t i = 0; i < ARRAY_LEN(six); i++) {
        frame_start(&f, SLICE("x"));
        frame_udp(&f, 1000, 2000);
        frame_ipv6(&f, 17);
        frame_hex(&f, six[i].head);
        rig_start(&r, NULL);
        rig_frame(&r, six[i].link_type, &f);
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, (const char *)rig_address(&r.units[0].dst), "[2001:db8::2]:2000");
        CHECK_ROW_EQ(i, r.units[0].ttl, 60);
        CHECK_ROW_EQ(i, r.units[0].ip_id, 0);
        rig_end(&r);
    }
}

TEST(what_is_not_ip_is_counted_as_such)
{
    static const struct { uint32_t link_type; const char *bytes; } others[] = {
        { 1, ETHERNET "0806 0001 0800 06 04 0001" },               /* ARP */
        { 1, ETHERNET "8863 11 09 0000 0000" },                    /* PPPoE discovery */
        { 1, ETHERNET "0026 424203 0000" },                        /* spanning tree */
        { 1, ETHERNET "88e5 2c 00 00000001 0011223344556677 45" }, /* MACsec, encrypted */
        { 9, "c021 01 01 0004" },                                  /* LCP */
        { 105, "8000 0000 ffffffffffff" },                         /* beacon */
        { 105, "0841 0000 020000000001 020000000002 020000000003 1000 0000" },   /* protected */
        { 113, "0000 0001 0006 0200000000010000 0001 ffff" },
        { 101, "15" },
    };

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct frame f;
        struct rig r;

        frame_start(&f, (slice){ 0 });
        frame_hex(&f, others[i].bytes);
        rig_start(&r, NULL);
        rig_frame(&r, others[i].link_type, &f);
        CHECK_ROW_EQ(i, r.count, 0);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->not_ip, 1);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->malformed, 0);
        rig_end(&r);
    }
}

TEST(a_link_type_that_is_not_read_is_named)
{
    struct rig r;

    rig_start(&r, NULL);
    rig_bytes(&r, 249, SLICE("whatever"));
    rig_bytes(&r, 4000000000u, SLICE("whatever"));
    CHECK_EQ(wire_counts(r.wire)->unknown_link, 2);
    CHECK_EQ(wire_counts(r.wire)->unknown_link_type, 249);
    rig_end(&r);
}

TEST(an_exported_sip_pdu_brings_its_addresses)
{
    struct frame f;
    struct rig r;

    frame_start(&f, SIP_TEXT);
    frame_hex(&f, "000c 0004 73697000 0014 0004 0a000001 0015 0004 0a000002"
                  "0018 0004 00000002 0019 0004 000013c4 001a 0004 000013c5 0000 0000");
    rig_start(&r, NULL);
    rig_frame(&r, 252, &f);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].transport, WIRE_TCP);
    CHECK_EQ(r.units[0].payload, SIP_TEXT);
    CHECK_EQ((const char *)rig_address(&r.units[0].src), "10.0.0.1:5060");
    CHECK_EQ((const char *)rig_address(&r.units[0].dst), "10.0.0.2:5061");
    rig_end(&r);
}

TEST(an_aggregate_of_wlan_frames_gives_each_of_them)
{
    struct frame f, inner;
    struct rig r;

    frame_sip_ipv4(&inner);
    frame_hex(&inner, "aaaa03 000000 0800");
    size_t len = frame_len(&inner);

    CHECK_EQ(len, 0x7c);
    frame_start(&f, (slice){ 0 });
    for (int i = 0; i < 3; i++) {
        uint8_t head[32];
        size_t n = frame_hex_bytes(ETHERNET "007c", head, sizeof head);

        frame_behind(&f, head, n);
        frame_behind(&f, frame_bytes(&inner).ptr, len);
        frame_behind(&f, "\0\0\0", 2);                    /* padded to a multiple of four */
    }
    frame_hex(&f, "8801 0000 020000000001 020000000002 020000000003 1000 8000");
    rig_start(&r, NULL);
    rig_frame(&r, 105, &f);
    CHECK_EQ(r.count, 3);
    CHECK_EQ(wire_counts(r.wire)->malformed, 0);
    rig_end(&r);
}

TEST(tags_without_end_are_left_alone)
{
    struct frame f;
    struct rig r;

    frame_start(&f, (slice){ 0 });
    for (int i = 0; i < 300; i++)
        frame_hex(&f, "8100 0001");
    frame_hex(&f, ETHERNET);
    rig_start(&r, NULL);
    rig_frame(&r, 1, &f);
    CHECK_EQ(r.count, 0);
    frame_start(&f, (slice){ 0 });
    for (int i = 0; i < 100; i++)
        frame_hex(&f, ETHERNET "8847 000641 40");          /* pseudo wires in pseudo wires */
    rig_frame(&r, 1, &f);
    CHECK_EQ(r.count, 0);
    CHECK_EQ(wire_counts(r.wire)->limited, 1);
    rig_end(&r);
}
