/* wire/wire.h - captured frames in, datagrams and stream messages out.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One struct wire is one observer's memory of fragments and TCP streams; two can live in one
 * test. No I/O and no clock: time comes with each frame. Everything is bounded by struct
 * wire_limits, reaching a limit is counted in struct wire_counts, and the oldest goes first.
 *
 *     struct wire *w = wire_new(&(struct wire_limits){0}, seed, on_unit, ctx);
 *     wire_frame(w, &frame);         // calls on_unit for each datagram or message inside
 *     wire_free(w);
 *
 * A unit's payload borrows from the frame or from the wire's buffers: valid in the call only,
 * in which nothing of this header may be called for the same wire. Units come in the order of
 * frames but for what had to wait: a datagram whose fragments did not all come (handed out,
 * cut, fragment_age_ns later or by wire_finish) and messages behind a hole in a TCP stream
 * carry the time and the number of the frame that brought their last bytes.
 * Layers: link types of wire.md 1, VLAN/QinQ, MPLS, PPPoE, IPv4/IPv6 with fragments, GRE, IP in
 * IP, GTP-U, VXLAN, GENEVE, ERSPAN, UDP, TCP (reassembled), WebSocket (RFC 7118), ESP with NULL
 * encryption (RFC 2410), HEP v1 to v3 in UDP and TCP. */
#ifndef WIRE_H
#define WIRE_H

#include "base/address.h"
#include "base/hash.h"
#include "base/slice.h"

#define WIRE_TIME_MAX_NS INT64_C(8000000000000000000)     /* in 2223; room to add to it */

struct wire_frame {
    int64_t  time_ns;                /* since 1970, UTC; 0 to WIRE_TIME_MAX_NS, in any order */
    uint64_t number;                 /* of the frame in its file, from 1 */
    uint32_t link_type;              /* LINKTYPE_ value of the file format */
    uint32_t wire_len;               /* bytes on the wire; more than bytes.len: cut */
    slice    bytes;
};

enum wire_transport { WIRE_UDP, WIRE_TCP, WIRE_TLS, WIRE_WS, WIRE_WSS, WIRE_SCTP, WIRE_TRANSPORTS };
slice wire_transport_name(enum wire_transport t);         /* "udp" */
slice wire_transport_param(enum wire_transport t);        /* of a SIP URI: ";transport=tcp"; UDP, which it is without: empty */

enum wire_unit_kind {
    WIRE_DATAGRAM,                   /* whole UDP payload, whatever it is */
    WIRE_MESSAGE,                    /* one SIP message framed out of a stream or WebSocket */
};
struct wire_unit {
    enum wire_unit_kind kind;
    enum wire_transport transport;
    int64_t        time_ns;          /* of the frame that completed it; HEP: the agent's */
    uint64_t       frame;            /* number of the frame that completed it */
    struct address src, dst;         /* innermost, HEP: as the agent says */
    slice          payload;
    uint32_t       ip_id;            /* innermost IPv4 identification; 0 when there is none */
    uint8_t        ttl;              /* innermost TTL or hop limit */
    uint8_t        tunnels;          /* how many tunnel heads lay around it */
    bool           cut;              /* the end was not captured */
    bool           hep;
    uint8_t        hep_payload_type; /* chunk 000B when hep; 1 is SIP */
    uint32_t       hep_agent;        /* chunk 000C */
    slice          hep_correlation;  /* chunk 0011 */
    slice          stream_before;    /* bytes passed over before a message on a stream */
};
typedef void wire_unit_fn(void *ctx, const struct wire_unit *unit);

/* A datagram before a unit is made of it: a whole IPv4 packet without options, of `total` bytes from its
 * head on, that holds UDP whose length agrees and whose payload has 12 bytes and begins like RTP. True:
 * taken, and there will be no unit. Asked before tunnels are, so take only what is known for sure. */
typedef bool wire_plain_fn(void *ctx, const uint8_t *ip, size_t total, const struct wire_frame *frame);

struct wire_limits {                 /* zero means the default in brackets */
    uint32_t fragments_max;          /* datagrams being reassembled (4096) */
    size_t   fragment_bytes_max;     /* all of them together (16 MiB) */
    uint32_t streams_max;            /* TCP directions (65536) */
    size_t   stream_bytes_max;       /* buffered, all together (64 MiB) */
    size_t   stream_one_max;         /* buffered, one direction (2 MiB) */
    int64_t  fragment_age_ns;        /* (30 s) */
    int64_t  stream_age_ns;          /* idle streams are dropped (1 h) */
};

struct wire_counts {
    uint64_t frames, bytes;          /* as captured */
    uint64_t frames_cut;             /* caplen < len: "truncated" */
    /* Packets; heads of tunnels aside, but esp counts each, and what was read in it again. */
    uint64_t udp, tcp, icmp, sctp, esp, other_ip, not_ip;
    uint64_t tls_streams;            /* connections seen to be TLS: not read */
    uint64_t fragments, fragments_incomplete;    /* datagrams given up or never completed */
    uint64_t tcp_gaps;               /* holes skipped */
    uint64_t tcp_retransmissions;    /* segments that brought nothing new */
    uint64_t hep_packets, hep_bad;
    uint64_t malformed;              /* a length that lies, a header cut short by its own word */
    uint64_t unknown_link;           /* frames of a link type that is not read */
    uint32_t unknown_link_type;      /* the first such */
    uint64_t limited;                /* dropped because a limit was reached */
};

/* Where heads and contents lie, told from the outside in to who changes frames in place. */
enum wire_place_kind {
    WIRE_AT_ETHERNET,                /* destination, source, type */
    WIRE_AT_COOKED,                  /* the head of Linux "any", either version */
    WIRE_AT_MACS,                    /* 802.11: addresses of six bytes, one after the other */
    WIRE_AT_ADDRESS,                 /* an IP address by itself, 4 or 16 bytes */
    WIRE_AT_IPV4, WIRE_AT_IPV6,      /* the head; IPv6: with its extension headers */
    WIRE_AT_FRAGMENT,                /* contents of a fragment: these are not put together */
    WIRE_AT_UDP, WIRE_AT_SCTP, WIRE_AT_ICMP,     /* head and contents */
    WIRE_AT_TCP,                     /* the same: streams are not put together */
    WIRE_AT_DATAGRAM,                /* contents of UDP that are no tunnel */
    WIRE_AT_MESSAGE,                 /* one SIP message by itself (SCTP, exported) */
    WIRE_AT_ESP,                     /* encrypted, or not to be read */
    WIRE_AT_OTHER,                   /* what is not read: to the end of the frame */
};
struct wire_packet;
struct wire_fragment_place {
    uint32_t id, offset;
    uint8_t  protocol;               /* of IPv6 only the first one's counts */
    bool     more;
};
struct wire_place {
    enum wire_place_kind kind;
    slice bytes;                     /* of the frame, or of the datagram that was given */
    const struct wire_packet *packet;        /* addresses and ports so far */
    struct wire_fragment_place fragment;     /* of WIRE_AT_FRAGMENT */
    size_t lacking;                  /* bytes behind them that were not captured; of WIRE_AT_TCP */
};
typedef void wire_place_fn(void *ctx, const struct wire_place *place);

struct wire;
struct wire *wire_new(const struct wire_limits *limits, struct hash_seed seed, wire_unit_fn *unit,
                      void *ctx);    /* NULL: no memory */
struct wire *wire_free(struct wire *w);
void wire_set_plain(struct wire *w, wire_plain_fn *plain);       /* with the ctx of wire_new; NULL: none */
void wire_frame(struct wire *w, const struct wire_frame *frame);
/* From now on frames are only shown: `place` is called, no unit function is, and nothing is
 * remembered. A datagram that the watcher put together is shown as its own block of bytes. */
void wire_watch(struct wire *w, wire_place_fn *place, void *ctx);
void wire_watch_datagram(struct wire *w, const struct wire_packet *packet, uint8_t protocol,
                         slice bytes);
/* End of input: streams hand out what they hold, waiting fragments are counted incomplete. */
void wire_finish(struct wire *w);
const struct wire_counts *wire_counts(const struct wire *w);
size_t wire_memory_bytes(const struct wire *w);

#endif
