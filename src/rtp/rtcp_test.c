/* rtp/rtcp_test.c - see rtcp.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtcp.h"

#include "harness/test.h"

#define SR_HEAD "\x81\xc8\x00\x0c"
#define SENDER "\x00\x00\x00\x11" "\x83\xaa\x7e\x80\x80\x00\x00\x00" "\x00\x00\x1f\x40" "\x00\x00\x00\x64" "\x00\x00\x3e\x80"
#define REPORT "\x00\x00\x00\x22" "\x40\xff\xff\xfe" "\x00\x01\x00\x10" "\x00\x00\x00\x50" "\x7e\x80\x80\x00" "\x00\x01\x00\x00"
#define SDES "\x81\xca\x00\x04" "\x00\x00\x00\x11" "\x01\x07" "a@b.org" "\x00\x00\x00"
#define BYE "\x81\xcb\x00\x03" "\x00\x00\x00\x11" "\x04" "done" "\x00\x00\x00"
#define APP "\x83\xcc\x00\x02" "\x00\x00\x00\x11" "QOSX"
#define VOIP "\x07\x00\x00\x08" "\x00\x00\x00\x22" "\x0d\x1a\x80\x02" "\x00\xc8\x03\xe8" "\x00\x96\x00\x50" \
             "\xec\xc4\x37\x10" "\x5b\x7f\x2a\x29" "\x10\x00\x00\x28" "\x00\x3c\x00\x78"
#define XR "\x80\xcf\x00\x0d" "\x00\x00\x00\x11" "\x04\x00\x00\x02" "\x01\x02\x03\x04\x05\x06\x07\x08" VOIP

TEST(a_compound_is_read_packet_by_packet)
{
    slice rest = SLICE(SR_HEAD SENDER REPORT SDES BYE APP);
    struct rtcp_packet p;
    struct rtcp_sender s;
    struct rtcp_report r;
    uint32_t left;

    CHECK(rtcp_packet_next(&rest, &p));
    CHECK_EQ(p.type, RTCP_SR);
    CHECK_EQ(p.ssrc, 0x11);
    CHECK(rtcp_sender_of(&p, &s));
    CHECK_EQ(s.packets, 100);
    CHECK_EQ(s.bytes, 16000);
    CHECK_EQ(s.timestamp, 8000);
    CHECK_EQ(rtcp_ntp_middle(s.ntp), 0x7e808000);
    CHECK(rtcp_report_at(&p, 0, &r));
    CHECK_EQ(r.ssrc, 0x22);
    CHECK_EQ(r.fraction_lost, 64);
    CHECK_EQ(r.lost, -2);                                 /* 24 bits with a sign */
    CHECK_EQ(r.highest, 0x10010);
    CHECK_EQ(r.jitter, 80);
    CHECK_EQ(r.last_sr, 0x7e808000);
    CHECK_EQ(r.delay_since, 65536);
    CHECK(!rtcp_report_at(&p, 1, &r));
    CHECK(rtcp_packet_next(&rest, &p));
    CHECK_EQ(rtcp_cname_of(&p), "a@b.org");
    CHECK(!rtcp_sender_of(&p, &s));
    CHECK(rtcp_packet_next(&rest, &p));
    CHECK(rtcp_bye_at(&p, 0, &left));
    CHECK_EQ(left, 0x11);
    CHECK(!rtcp_bye_at(&p, 1, &left));
    CHECK_EQ(rtcp_bye_reason(&p), "done");
    CHECK(rtcp_packet_next(&rest, &p));
    CHECK_EQ(rtcp_app_name(&p), "QOSX");
    CHECK(!rtcp_packet_next(&rest, &p));
}

TEST(voip_metrics_are_found_behind_other_blocks)
{
    slice rest = SLICE(XR), blocks;
    struct rtcp_packet p;
    struct rtcp_xr_block b;
    struct rtcp_voip v;

    CHECK(rtcp_packet_next(&rest, &p));
    blocks = rtcp_xr_blocks(&p);
    CHECK(rtcp_xr_next(&blocks, &b));
    CHECK_EQ(b.type, 4);
    CHECK(!rtcp_voip_of(&b, &v));
    CHECK(rtcp_xr_next(&blocks, &b));
    CHECK(rtcp_voip_of(&b, &v));
    CHECK_EQ(v.ssrc, 0x22);
    CHECK_EQ(v.loss, 13);
    CHECK_EQ(v.discard, 26);
    CHECK_EQ(v.burst_ms, 200);
    CHECK_EQ(v.gap_ms, 1000);
    CHECK_EQ(v.round_trip_ms, 150);
    CHECK_EQ(v.end_delay_ms, 80);
    CHECK_EQ(v.signal_dbm, -20);
    CHECK_EQ(v.gmin, 16);
    CHECK_EQ(v.r, 91);
    CHECK_EQ(v.mos_lq, 42);
    CHECK_EQ(v.mos_cq, 41);
    CHECK_EQ(v.buffer_ms, 40);
    CHECK_EQ(v.buffer_abs_max_ms, 120);
    CHECK(!rtcp_xr_next(&blocks, &b));
}

TEST(what_is_cut_anywhere_is_not_read_beyond_its_end)
{
    static const slice whole = SLICE_INIT(SR_HEAD SENDER REPORT SDES BYE APP XR);

    for (size_t len = 0; len < whole.len; len++) {
        char *copy = malloc(len ? len : 1);               /* so that sanitizers see a step too far */
        slice rest = slice_of(memcpy(copy, whole.ptr, len), len);
        struct rtcp_packet p;
        struct rtcp_sender s;
        struct rtcp_report r;
        struct rtcp_xr_block b;
        struct rtcp_voip v;
        uint32_t ssrc;
        unsigned packets = 0;

        while (rtcp_packet_next(&rest, &p)) {
            slice blocks = rtcp_xr_blocks(&p);

            packets++;
            (void)rtcp_sender_of(&p, &s);
            for (unsigned i = 0; rtcp_report_at(&p, i, &r); i++)
                CHECK_ROW(len, i < 32);
            while (rtcp_xr_next(&blocks, &b))
                (void)rtcp_voip_of(&b, &v);
            (void)rtcp_cname_of(&p), (void)rtcp_bye_reason(&p), (void)rtcp_app_name(&p);
            (void)rtcp_bye_at(&p, 31, &ssrc);
        }
        CHECK_ROW(len, packets < 5);
        free(copy);
    }
}

TEST(counts_that_lie_about_what_follows_find_nothing)
{
    slice rest = SLICE("\x9f\xc9\x00\x01\x00\x00\x00\x01" "\xbf\xcb\x00\x00" "\xa0\xca\x00\x01\x00\x00\x00\xff");
    struct rtcp_packet p;
    struct rtcp_report r;
    uint32_t ssrc;

    CHECK(rtcp_packet_next(&rest, &p));                   /* 31 reports, none is there */
    CHECK(!rtcp_report_at(&p, 0, &r));
    CHECK(rtcp_packet_next(&rest, &p));                   /* BYE of 31, empty */
    CHECK(!rtcp_bye_at(&p, 0, &ssrc));
    CHECK(rtcp_bye_reason(&p).ptr == NULL);
    CHECK(rtcp_packet_next(&rest, &p));                   /* padding longer than the packet */
    CHECK_EQ(p.body.len, 4);
    CHECK(!rtcp_packet_next(&rest, &p));
}
