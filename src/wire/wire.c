/* wire/wire.c - see wire.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "wire/hep_unit.h"
#include "wire/wire_int.h"

slice wire_transport_name(enum wire_transport t)
{
    static const slice names[WIRE_TRANSPORTS] = {
        [WIRE_UDP] = SLICE("udp"), [WIRE_TCP] = SLICE("tcp"), [WIRE_TLS] = SLICE("tls"),
        [WIRE_WS] = SLICE("ws"), [WIRE_WSS] = SLICE("wss"), [WIRE_SCTP] = SLICE("sctp"),
    };

    return t < WIRE_TRANSPORTS ? names[t] : (slice){ 0 };
}

slice wire_transport_param(enum wire_transport t)
{
    static const slice params[WIRE_TRANSPORTS] = {
        [WIRE_TCP] = SLICE(";transport=tcp"), [WIRE_TLS] = SLICE(";transport=tls"), [WIRE_WS] = SLICE(";transport=ws"),
        [WIRE_WSS] = SLICE(";transport=wss"), [WIRE_SCTP] = SLICE(";transport=sctp"),
    };

    return t < WIRE_TRANSPORTS ? params[t] : (slice){ 0 };
}

/* ---- what UDP carries ---- */

/* Version 3 by its magic word, 1 and 2 by a head that hep_is judges. */
static bool may_be_hep(slice s)
{
    return s.len && ((s.ptr[0] == 'H' && slice_starts(s, SLICE("HEP3"))) || s.ptr[0] == 1 ||
                     s.ptr[0] == 2) && hep_is(s);
}

void wire_udp_payload(struct wire *w, struct wire_packet *p, slice s)
{
    struct wire_unit *u = &w->datagram;

    if (wire_shown(w, WIRE_AT_DATAGRAM, p, s))
        return;
    u->time_ns = p->time_ns;
    u->frame = p->frame;
    u->src = p->src;
    u->dst = p->dst;
    u->payload = s;
    u->ip_id = p->ip_id;
    u->ttl = p->ttl;
    u->tunnels = p->tunnels;
    u->cut = p->cut;
    if (may_be_hep(s) && hep_unit_out(u, &w->counts, w->unit, w->ctx))
        return;
    w->unit(w->ctx, u);
}

/* ---- frames ---- */

void wire_due_changed(struct wire *w)
{
    int64_t fragments = fragments_due_ns(&w->fragments), tcp = tcp_due_ns(&w->tcp);

    w->due_ns = w->place ? INT64_MIN : fragments < tcp ? fragments : tcp;   /* watched: the long way */
}

static void wire_give_up(struct wire *w, int64_t now_ns)
{
    struct fragment_datagram *d;

    while ((d = fragments_take_due(&w->fragments, now_ns)))
        wire_fragments_lost(w, d);
    tcp_give_up(&w->tcp, now_ns);
    wire_due_changed(w);
}

enum { ETHERNET = 1, ETHERNET_HEAD = 14, VLAN_TAG = 4, TYPE_VLAN = 0x8100, TYPE_IPV4 = 0x0800,
       IPV4_HEAD = 20, UDP = 17, HEADS = 28, RTP_HEAD = 12 };

/* May be HEP: version 3 by its magic word, 1 and 2 by their number. */
static inline bool begins_like_hep(uint8_t first) { return first == 'H' || (uint8_t)(first - 1) < 2; }

static inline uint16_t bytes_u16(const uint8_t *at)
{
    uint16_t v;

    __builtin_memcpy(&v, at, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint64_t bytes_u64(const uint8_t *at)
{
    uint64_t v;

    __builtin_memcpy(&v, at, sizeof v);
    return __builtin_bswap64(v);
}

/* The first eight bytes of an IPv4 head, read as one number: version 4 without options, and neither
 * more fragments nor an offset. */
#define IPV4_PLAIN_MASK UINT64_C(0xff00000000003fff)
#define IPV4_PLAIN      UINT64_C(0x4500000000000000)

static __attribute__((noinline)) void wire_frame_any(struct wire *w, const struct wire_frame *frame)
{
    struct wire_packet p = {
        .time_ns = frame->time_ns,
        .frame = frame->number,
        .cut = frame->bytes.len < frame->wire_len,
    };

    w->counts.frames++;
    w->counts.bytes += frame->bytes.len;
    w->counts.frames_cut += p.cut;
    if (frame->time_ns >= w->due_ns)
        wire_give_up(w, frame->time_ns);
    wire_link(w, &p, frame->link_type, frame->bytes);
}

static __attribute__((noinline)) void wire_frame_plain(struct wire *w, const struct wire_frame *frame,
                                                       const uint8_t *ip, size_t total)
{
    uint16_t from = bytes_u16(ip + 20), to = bytes_u16(ip + 22);
    struct wire_unit *u = &w->usual;

    if (begins_like_hep(ip[HEADS]) || wire_tunnel_ports(from, to)) {
        wire_frame_any(w, frame);
        return;
    }
    w->counts.frames++;
    w->counts.bytes += frame->bytes.len;
    w->counts.udp++;
    u->time_ns = frame->time_ns;
    u->frame = frame->number;
    memcpy(u->src.ip, ip + 12, 4);
    memcpy(u->dst.ip, ip + 16, 4);
    u->src.port = from;
    u->dst.port = to;
    u->payload = slice_of(ip + HEADS, total - HEADS);
    u->ip_id = bytes_u16(ip + 4);
    u->ttl = ip[8];
    w->unit(w->ctx, u);
}

/* Nearly every frame of a busy capture: all of it was captured, Ethernet with one VLAN tag at most,
 * IPv4 without options and in one piece, UDP whose length agrees, no port of a tunnel. Whatever else
 * goes the long way, which would find the same in this. */
void wire_frame(struct wire *w, const struct wire_frame *frame)
{
    const uint8_t *b = (const uint8_t *)frame->bytes.ptr;
    size_t len = frame->bytes.len;

    if (__builtin_expect(frame->time_ns >= w->due_ns || frame->link_type != ETHERNET ||
                         len < ETHERNET_HEAD + VLAN_TAG + HEADS + 1 || len < frame->wire_len, 0)) {
        wire_frame_any(w, frame);
        return;
    }
    const uint8_t *ip = b + ETHERNET_HEAD + (bytes_u16(b + 12) == TYPE_VLAN ? VLAN_TAG : 0);
    uint64_t head = bytes_u64(ip);
    size_t total = head >> 32 & 0xffff, room = len - (size_t)(ip - b);

    /* total from 29 bytes, one of payload, to all that there is */
    if (__builtin_expect(bytes_u16(ip - 2) != TYPE_IPV4 || (head & IPV4_PLAIN_MASK) != IPV4_PLAIN || ip[9] != UDP ||
                         total - HEADS - 1 > room - HEADS - 1 || bytes_u16(ip + 24) != total - IPV4_HEAD, 0)) {
        wire_frame_any(w, frame);
        return;
    }
    if (__builtin_expect((ip[HEADS] & 0xc0) == 0x80 && w->plain && total >= HEADS + RTP_HEAD &&
                         w->plain(w->ctx, ip, total, frame), 1)) {
        w->counts.frames++;
        w->counts.bytes += frame->bytes.len;
        w->counts.udp++;
        return;
    }
    wire_frame_plain(w, frame, ip, total);
}

void wire_watch(struct wire *w, wire_place_fn *place, void *ctx)
{
    w->place = place;
    w->place_ctx = ctx;
    wire_due_changed(w);
}

void wire_watch_datagram(struct wire *w, const struct wire_packet *packet, uint8_t protocol, slice bytes)
{
    struct wire_packet p = *packet;

    wire_whole(w, &p, protocol, bytes);
}

void wire_finish(struct wire *w)
{
    struct fragment_datagram *d;

    while ((d = fragments_take_due(&w->fragments, INT64_MAX)))
        wire_fragments_lost(w, d);
    tcp_finish(&w->tcp);
    wire_due_changed(w);
}

const struct wire_counts *wire_counts(const struct wire *w) { return &w->counts; }

size_t wire_memory_bytes(const struct wire *w)
{
    return sizeof *w + w->fragments.bytes +
           w->fragments.map.bucket_count * sizeof *w->fragments.map.buckets +
           tcp_memory_bytes(&w->tcp);
}

/* ---- lifetime ---- */

static struct wire_limits limits_with_defaults(const struct wire_limits *given)
{
    struct wire_limits l = given ? *given : (struct wire_limits){ 0 };

    l.fragments_max = l.fragments_max ? l.fragments_max : 4096;
    l.fragment_bytes_max = l.fragment_bytes_max ? l.fragment_bytes_max : 16u << 20;
    l.streams_max = l.streams_max ? l.streams_max : 65536;
    l.stream_bytes_max = l.stream_bytes_max ? l.stream_bytes_max : 64u << 20;
    l.stream_one_max = l.stream_one_max ? l.stream_one_max : 2u << 20;
    l.fragment_age_ns = l.fragment_age_ns ? l.fragment_age_ns : 30 * INT64_C(1000000000);
    l.stream_age_ns = l.stream_age_ns ? l.stream_age_ns : 3600 * INT64_C(1000000000);
    return l;
}

struct wire *wire_new(const struct wire_limits *limits, struct hash_seed seed, wire_unit_fn *unit,
                      void *ctx)
{
    struct wire_limits l = limits_with_defaults(limits);
    struct wire *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->unit = unit;
    w->ctx = ctx;
    w->due_ns = INT64_MAX;
    w->usual.src.family = w->usual.dst.family = 4;
    if (fragments_init(&w->fragments, l.fragments_max, l.fragment_bytes_max, l.fragment_age_ns,
                       seed) < 0 ||
        tcp_init(&w->tcp, &l, seed, &w->counts, unit, ctx) < 0)
        return wire_free(w);
    return w;
}

void wire_set_plain(struct wire *w, wire_plain_fn *plain) { w->plain = plain; }

struct wire *wire_free(struct wire *w)
{
    if (!w)
        return NULL;
    fragments_done(&w->fragments);
    tcp_done(&w->tcp);
    free(w);
    return NULL;
}
