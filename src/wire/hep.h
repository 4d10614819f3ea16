/* wire/hep.h - one packet of a capture agent: HEP version 1, 2 and 3 (EEP).
 *
 * An agent beside a proxy sends a copy of each message it saw with the addresses and the time
 * it saw them. Everything in a parsed packet borrows from the bytes given. No memory, no
 * clock; only hep_inflate allocates, within zlib, and frees it before it returns.
 *
 *     struct hep_packet p;
 *     if (hep_is(datagram) && hep_parse(datagram, frame->time_ns, &p) && p.payload.ptr)
 *         ... p.src, p.dst, p.time_ns, p.payload
 *
 * Versions 1 and 2 have no magic word. They are taken for HEP only when version, header
 * length, family and protocol agree with each other and the payload begins as SIP does, so
 * that no other protocol is mistaken for them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HEP_H
#define WIRE_HEP_H

#include "base/address.h"

#define HEP_PAYLOAD_SIP 1u

struct hep_packet {
    uint8_t  version;                /* 1, 2 or 3 */
    uint8_t  protocol;               /* 6 TCP, 17 UDP, 132 SCTP, as the agent says; 0: not said */
    uint8_t  payload_type;           /* chunk 000B; versions 1 and 2 carry HEP_PAYLOAD_SIP */
    uint8_t  tcp_flags, tos;         /* chunks 0017, 0018 */
    bool     has_time;               /* false: time_ns is the arrival time that was given */
    bool     compressed;             /* payload came in chunk 0010: see hep_inflate */
    bool     cut;                    /* fewer bytes than its own length says: payload is short */
    bool     bad;                    /* a chunk length lied: chunks after it were not read */
    struct address src, dst;         /* family 0 when not said */
    int64_t  time_ns;                /* the agent's, since 1970 */
    uint32_t agent;                  /* 000C */
    uint16_t keep_alive_s;           /* 000D */
    uint16_t vlan, ether_type;       /* 0012, 0016 */
    uint16_t mos_x100, r_factor;     /* 0020, 0021; 0 when not said */
    uint16_t tag_type, event_type;   /* 0027, 0028 */
    uint32_t jitter;                 /* 0023 */
    uint64_t mac_src, mac_dst;       /* 0014, 0015 */
    slice    auth_key;               /* 000E, plain text; ptr NULL here and below: not said */
    slice    payload;                /* 000F or 0010 */
    slice    correlation;            /* 0011 */
    slice    agent_name;             /* 0013 */
    slice    location;               /* 0022 */
    slice    transaction;            /* 0024 */
    slice    tags, tag_values;       /* 0025, 0026 */
    slice    group;                  /* 0029 */
};

/* Do these bytes, a whole datagram, begin as a HEP packet of any version? */
bool hep_is(slice datagram);

/* False: no HEP packet, *ret as it was. True with ret->bad or ret->cut: what stood before the
 * lie or the cut was read, payload.ptr may be NULL. Chunks of vendors other than 0 are passed
 * over: their numbers mean other things. `arrival_ns` tells which byte order version 2 used
 * for its seconds (agents use both): the one nearer to it. */
bool hep_parse(slice packet, int64_t arrival_ns, struct hep_packet *ret);

/* Chunk 0010, gzip or zlib, into the caller's buffer. False: damaged, or larger than `size`
 * (a bomb costs no more than `size` bytes of work), or no memory. *ret borrows from buffer. */
bool hep_inflate(slice compressed, void *buffer, size_t size, slice *ret);

/* HEP version 3 on a TCP stream: where is the next packet? As in sip/stream.h: first
 * *ret_skip bytes that belong to no packet, then *ret_len of a packet. */
enum hep_stream_find {
    HEP_STREAM_PACKET,
    HEP_STREAM_MORE,                 /* from *ret_skip on this can be HEP: more bytes needed */
    HEP_STREAM_NOT_HEP,              /* none of it is: *ret_skip is all */
};
enum hep_stream_find hep_stream_next(slice bytes, size_t *ret_skip, size_t *ret_len);

#endif
