/* wire/tcp.h - TCP connections put in order, and the messages in them framed.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Segments in any order, repeated, overlapping (what came first stays), with holes, from the
 * SYN or from the middle. In each direction the bytes in order are SIP (framed by
 * Content-Length), WebSocket (RFC 7118), HEP version 3, or of no interest: then a connection
 * costs a look-up, until a segment begins with a SIP start line.
 *
 *     tcp_segment(&t, &in);                 // calls the unit function for each message
 *     if (now_ns >= tcp_due_ns(&t))
 *         tcp_give_up(&t, now_ns);          // holes that nobody will fill, idle connections
 *     tcp_finish(&t);                       // what is still held is handed out, marked cut
 *
 * A hole is passed over TCP_HOLE_ACKED_NS after its receiver acknowledged it (the capture lost
 * it, not the network), TCP_HOLE_NS after it opened, or when too much waits behind it.
 * Two ends share one struct, since the upgrade to WebSocket is asked by one and granted by
 * the other. Bounded by count, bytes and age; the connection idle for longest goes first.    */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "wire/incident_int.h"
#include "wire/packet.h"
#include "wire/wire.h"

#define TCP_HOLE_NS       3000000000ll
#define TCP_HOLE_ACKED_NS 100000000ll
#define TCP_HOLE_BYTES    65536u     /* waiting behind a hole */
#define TCP_HOLE_PIECES   256u
#define TCP_FAR           (16 << 20) /* sequence numbers farther off belong to something else */
#define TCP_SNIFF_BYTES   4096u      /* without SIP in so many a connection is foreign */
#define TCP_CLOSED_NS     60000000000ll      /* kept, so that late copies bring nothing new */

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct tcp_segment_in {
    const struct wire_packet *packet;        /* addresses with ports */
    uint32_t seq, ack;
    uint8_t  flags;
    slice    payload;
    uint32_t lacking;                /* bytes of payload behind it that were not captured */
};

struct tcp {
    wire_unit_fn       *unit;
    void               *ctx;
    struct wire_counts *counts;
    struct hash_seed    seed;
    struct map          map;
    struct list         idle;        /* connections by their last segment, oldest first */
    struct list         closed;      /* those with FIN or RST, by when */
    struct list         holes;       /* directions with a hole, by when it opened */
    struct list         acked;       /* of these: by when the hole was acknowledged */
    struct list         holding;     /* connections that hold bytes, oldest first */
    size_t              bytes;       /* held */
    uint32_t            connections_max;
    size_t              bytes_max, one_max;
    int64_t             age_max_ns;
    struct incidents_to incidents;
};

/* Takes from `limits` streams_max (two to a connection), stream_*; 0 or -ENOMEM. */
int  tcp_init(struct tcp *t, const struct wire_limits *limits, struct hash_seed seed,
              struct wire_counts *counts, wire_unit_fn *unit, void *ctx);
void tcp_done(struct tcp *t);

void    tcp_segment(struct tcp *t, const struct tcp_segment_in *in);
int64_t tcp_due_ns(const struct tcp *t);      /* INT64_MAX: nothing waits */
void    tcp_give_up(struct tcp *t, int64_t now_ns);
void    tcp_finish(struct tcp *t);
size_t  tcp_memory_bytes(const struct tcp *t);

#endif
