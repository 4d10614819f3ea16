/* tests/fuzz/fuzz_rtcp.c - RTP heads, RTCP compounds with all that is in them, events, digits of INFO
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "rtp/dtmf.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_xr(const struct rtcp_packet *p, slice all)
{
    slice blocks = rtcp_xr_blocks(p);
    struct rtcp_xr_block block;
    struct rtcp_voip voip;

    while (rtcp_xr_next(&blocks, &block)) {
        MUST_BE_INSIDE(block.body, all);
        MUST(!rtcp_voip_of(&block, &voip) || block.type == 7);
    }
}

static void check_packet(const struct rtcp_packet *p, slice all)
{
    struct rtcp_sender sender;
    struct rtcp_report report;
    uint32_t ssrc;
    unsigned count = 0;

    MUST_BE_INSIDE(p->body, all);
    MUST_BE_INSIDE(rtcp_cname_of(p), all);
    MUST_BE_INSIDE(rtcp_bye_reason(p), all);
    MUST_BE_INSIDE(rtcp_app_name(p), all);
    MUST(!rtcp_sender_of(p, &sender) || p->type == RTCP_SR);
    while (rtcp_report_at(p, count, &report)) {
        MUST(report.lost >= -0x800000 && report.lost <= 0x7fffff);
        MUST(++count <= p->count);
    }
    for (unsigned i = 0; rtcp_bye_at(p, i, &ssrc); i++)
        MUST(i < p->count);
    check_xr(p, all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice all = slice_of(data, size), rest = all, type = all, body;
    struct rtp_packet rtp;
    struct rtcp_packet p;
    struct rtp_event event;
    struct rtp_dtmf dtmf = {0};
    uint32_t ms;
    size_t packets = 0;

    if (rtp_packet_parse(all, &rtp)) {
        MUST_BE_INSIDE(rtp.payload, all);
        if (rtp_event_parse(rtp.payload, &event))
            (void)rtp_dtmf_note(&dtmf, rtp.timestamp, &event);
    }
    while (rtcp_packet_next(&rest, &p)) {
        check_packet(&p, all);
        packets++;
    }
    MUST(!rtcp_looks_like(all) || packets > 0);
    type = slice_take_until(&rest, '\n');
    body = slice_skip(rest, 1);
    char key = rtp_info_digit(type, body, &ms);

    MUST(key == '\0' || strchr("0123456789*#ABCD!", key));
    return 0;
}
