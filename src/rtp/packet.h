/* rtp/packet.h - one RTP or RTCP packet (RFC 3550, 5.1 and 6.4).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure; borrows from the bytes. A datagram is judged by its own bytes alone: version, lengths
 * that fit, and packet types that do not collide (RFC 5761, 4). */
#ifndef RTP_PACKET_H
#define RTP_PACKET_H

#include "base/slice.h"

struct rtp_packet {
    uint8_t  payload_type;
    bool     marker;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    slice    payload;                /* padding cut off */
};

bool rtp_packet_parse(slice bytes, struct rtp_packet *ret);
bool rtp_looks_like(slice bytes);
bool rtcp_looks_like(slice bytes);   /* every packet of the compound has to fit */

#endif
