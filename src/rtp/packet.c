/* rtp/packet.c - see packet.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/packet.h"

#include "rtp/bytes.h"

#define RTP_HEAD 12u
#define RTCP_HEAD 4u

bool rtp_packet_parse(slice bytes, struct rtp_packet *ret)
{
    if (bytes.len < RTP_HEAD || rtp_get_u8(bytes, 0) >> 6 != 2)
        return false;
    size_t head = RTP_HEAD + 4u * (rtp_get_u8(bytes, 0) & 15), tail = 0;

    if (rtp_get_u8(bytes, 0) & 0x10) {                       /* one header extension */
        if (bytes.len < head + 4)
            return false;
        head += 4 + 4u * rtp_get_u16(bytes, head + 2);
    }
    if (rtp_get_u8(bytes, 0) & 0x20)
        tail = rtp_get_u8(bytes, bytes.len - 1);
    if (head + tail > bytes.len || (rtp_get_u8(bytes, 0) & 0x20 && tail == 0))
        return false;
    *ret = (struct rtp_packet){
        .payload_type = rtp_get_u8(bytes, 1) & 0x7f,
        .marker = rtp_get_u8(bytes, 1) >> 7,
        .sequence = rtp_get_u16(bytes, 2),
        .timestamp = rtp_get_u32(bytes, 4),
        .ssrc = rtp_get_u32(bytes, 8),
        .payload = slice_of(bytes.ptr + head, bytes.len - head - tail),
    };
    return true;
}

bool rtcp_looks_like(slice bytes)
{
    size_t packets = 0;

    for (; bytes.len >= RTCP_HEAD; packets++) {
        uint8_t type = rtp_get_u8(bytes, 1);
        size_t len = RTCP_HEAD + 4u * rtp_get_u16(bytes, 2);

        if (rtp_get_u8(bytes, 0) >> 6 != 2 || type < 192 || type > 223 || len > bytes.len)
            return packets > 0 && rtp_get_u8(bytes, 0) >> 6 != 2;   /* SRTCP's tail is not RTCP */
        bytes = slice_skip(bytes, len);
    }
    return packets > 0;
}

bool rtp_looks_like(slice bytes)
{
    struct rtp_packet p;

    /* 72 to 76 with the marker bit are RTCP types 200 to 204 (RFC 3551, 6) */
    return rtp_packet_parse(bytes, &p) && p.payload.len > 0 &&
           !(p.payload_type >= 72 && p.payload_type <= 76);
}
