/* rtp/rtcp.c - see rtcp.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtcp.h"

#include "rtp/bytes.h"

#define HEAD 4u
#define SSRC 4u
#define SENDER_INFO 20u
#define REPORT 24u
#define XR_HEAD 4u
#define XR_VOIP 7u
#define XR_VOIP_BYTES 32u
#define SDES_CNAME 1u

bool rtcp_packet_next(slice *compound, struct rtcp_packet *ret)
{
    slice s = *compound;
    uint8_t first = rtp_get_u8(s, 0), type = rtp_get_u8(s, 1);
    size_t len = HEAD + 4u * rtp_get_u16(s, 2), padding = 0;

    if (s.len < HEAD || first >> 6 != 2 || type < 192 || type > 223 || len > s.len)
        return false;
    if (first & 0x20 && len > HEAD)
        padding = rtp_get_u8(s, len - 1);
    if (padding > len - HEAD)
        padding = 0;                                      /* a length that lies: keep all */
    *ret = (struct rtcp_packet){
        .type = type, .count = first & 31, .body = slice_of(s.ptr + HEAD, len - HEAD - padding),
    };
    ret->ssrc = rtp_get_u32(ret->body, 0);
    *compound = slice_skip(s, len);
    return true;
}

bool rtcp_sender_of(const struct rtcp_packet *p, struct rtcp_sender *ret)
{
    slice b = p->body;

    if (p->type != RTCP_SR || b.len < SSRC + SENDER_INFO)
        return false;
    *ret = (struct rtcp_sender){
        .ntp = (uint64_t)rtp_get_u32(b, 4) << 32 | rtp_get_u32(b, 8),
        .timestamp = rtp_get_u32(b, 12), .packets = rtp_get_u32(b, 16), .bytes = rtp_get_u32(b, 20),
    };
    return true;
}

static int32_t signed_24(uint32_t v)
{
    v &= 0xffffff;
    return v & 0x800000 ? (int32_t)v - 0x1000000 : (int32_t)v;
}

bool rtcp_report_at(const struct rtcp_packet *p, unsigned index, struct rtcp_report *ret)
{
    size_t at = SSRC + (p->type == RTCP_SR ? SENDER_INFO : 0) + (size_t)index * REPORT;
    slice b = slice_skip(p->body, at);

    if ((p->type != RTCP_SR && p->type != RTCP_RR) || index >= p->count || b.len < REPORT)
        return false;
    *ret = (struct rtcp_report){
        .ssrc = rtp_get_u32(b, 0), .fraction_lost = rtp_get_u8(b, 4), .lost = signed_24(rtp_get_u32(b, 4)),
        .highest = rtp_get_u32(b, 8), .jitter = rtp_get_u32(b, 12), .last_sr = rtp_get_u32(b, 16),
        .delay_since = rtp_get_u32(b, 20),
    };
    return true;
}

slice rtcp_cname_of(const struct rtcp_packet *p)
{
    slice items = slice_skip(p->body, SSRC);

    while (p->type == RTCP_SDES && p->count && items.len >= 2 && items.ptr[0] != 0) {
        size_t len = rtp_get_u8(items, 1);

        if (len + 2 > items.len)
            break;
        if (rtp_get_u8(items, 0) == SDES_CNAME)
            return slice_of(items.ptr + 2, len);
        items = slice_skip(items, len + 2);
    }
    return (slice){0};
}

bool rtcp_bye_at(const struct rtcp_packet *p, unsigned index, uint32_t *ret_ssrc)
{
    if (p->type != RTCP_BYE || index >= p->count || p->body.len < 4u * (index + 1u))
        return false;
    *ret_ssrc = rtp_get_u32(p->body, 4u * index);
    return true;
}

slice rtcp_bye_reason(const struct rtcp_packet *p)
{
    slice rest = slice_skip(p->body, 4u * p->count);
    size_t len = rtp_get_u8(rest, 0);

    if (p->type != RTCP_BYE || rest.len < 1 || len + 1 > rest.len)
        return (slice){0};
    return slice_of(rest.ptr + 1, len);
}

slice rtcp_app_name(const struct rtcp_packet *p)
{
    return p->type == RTCP_APP && p->body.len >= 8 ? slice_of(p->body.ptr + 4, 4) : (slice){0};
}

slice rtcp_xr_blocks(const struct rtcp_packet *p)
{
    return p->type == RTCP_XR ? slice_skip(p->body, SSRC) : (slice){0};
}

bool rtcp_xr_next(slice *blocks, struct rtcp_xr_block *ret)
{
    size_t len = XR_HEAD + 4u * rtp_get_u16(*blocks, 2);

    if (blocks->len < XR_HEAD || len > blocks->len)
        return false;
    *ret = (struct rtcp_xr_block){ .type = rtp_get_u8(*blocks, 0), .specific = rtp_get_u8(*blocks, 1),
                                   .body = slice_of(blocks->ptr + XR_HEAD, len - XR_HEAD) };
    *blocks = slice_skip(*blocks, len);
    return true;
}

bool rtcp_voip_of(const struct rtcp_xr_block *block, struct rtcp_voip *ret)
{
    slice b = block->body;

    if (block->type != XR_VOIP || b.len < XR_VOIP_BYTES)
        return false;
    *ret = (struct rtcp_voip){
        .ssrc = rtp_get_u32(b, 0), .loss = rtp_get_u8(b, 4), .discard = rtp_get_u8(b, 5),
        .burst_density = rtp_get_u8(b, 6), .gap_density = rtp_get_u8(b, 7),
        .burst_ms = rtp_get_u16(b, 8), .gap_ms = rtp_get_u16(b, 10), .round_trip_ms = rtp_get_u16(b, 12),
        .end_delay_ms = rtp_get_u16(b, 14), .signal_dbm = (int8_t)rtp_get_u8(b, 16),
        .noise_dbm = (int8_t)rtp_get_u8(b, 17), .echo_return_loss = rtp_get_u8(b, 18),
        .gmin = rtp_get_u8(b, 19), .r = rtp_get_u8(b, 20), .r_external = rtp_get_u8(b, 21),
        .mos_lq = rtp_get_u8(b, 22), .mos_cq = rtp_get_u8(b, 23), .receiver_config = rtp_get_u8(b, 24),
        .buffer_ms = rtp_get_u16(b, 26), .buffer_max_ms = rtp_get_u16(b, 28),
        .buffer_abs_max_ms = rtp_get_u16(b, 30),
    };
    return true;
}
