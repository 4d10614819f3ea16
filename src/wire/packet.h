/* wire/packet.h - what is known of one packet while its layers are taken off.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A value, copied where two packets come out of one frame. `cut` speaks of the bytes at hand:
 * their end was not captured. An inner length that lies wholly in them clears it. */
#ifndef WIRE_PACKET_H
#define WIRE_PACKET_H

#include "base/address.h"

struct wire_packet {
    int64_t        time_ns;          /* 0 to WIRE_TIME_MAX_NS: two can be subtracted */
    uint64_t       frame;
    struct address src, dst;         /* innermost so far; ports 0 above UDP and TCP */
    uint32_t       ip_id;            /* IPv4 only */
    uint8_t        ttl, tunnels, depth;
    bool           cut;
};

#endif
