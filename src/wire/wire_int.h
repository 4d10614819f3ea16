/* wire/wire_int.h - what the files of src/wire share, nobody else's business.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A layer is a function (wire, packet, bytes): it reads its head, notes in the packet what
 * units need, and calls the next layer with the rest. Every call that can lead back to its
 * own layer passes wire_deeper, so depth is bounded by WIRE_DEPTH_MAX, and each layer passes
 * the bytes on at most once (A-MSDU: each byte at most once), so work is linear. */
#ifndef WIRE_INT_H
#define WIRE_INT_H

#include "wire/bytes.h"
#include "wire/fragments.h"
#include "wire/incident_int.h"
#include "wire/packet.h"
#include "wire/tcp.h"
#include "wire/wire.h"

#define WIRE_DEPTH_MAX   24          /* layers that may nest, links and tunnels together */
#define WIRE_TUNNELS_MAX 8
#define WIRE_TAGS_MAX    16          /* VLAN tags and the like in a row; labels in one stack */
#define WIRE_EXTENSIONS_MAX 16       /* IPv6 extension headers */

struct wire {
    wire_unit_fn      *unit;
    void              *ctx;
    wire_plain_fn     *plain;        /* or NULL */
    int64_t            due_ns;       /* when something waiting must be given up; none: INT64_MAX */
    struct wire_counts counts;
    wire_place_fn     *place;        /* NULL: nobody watches */
    void              *place_ctx;
    struct wire_unit   datagram;     /* what UDP fills in; the rest stays zero */
    struct wire_unit   usual;        /* the same, of IPv4 straight from Ethernet */
    struct fragments   fragments;
    struct tcp         tcp;
    struct incidents_to incidents;
};

typedef void wire_layer_fn(struct wire *w, struct wire_packet *p, slice s);

/* link.c */
void wire_link(struct wire *w, struct wire_packet *p, uint32_t link_type, slice s);
wire_layer_fn wire_ethernet, wire_llc, wire_ppp, wire_mpls;
void wire_ethertype(struct wire *w, struct wire_packet *p, uint16_t type, slice s);
bool wire_ethertype_known(uint16_t type);     /* leads to IP, or says what follows */

/* ip.c; wire_ip looks at the version. */
wire_layer_fn wire_ip, wire_ipv4, wire_ipv6;
void wire_upper(struct wire *w, struct wire_packet *p, uint8_t protocol, slice s);
/* What the fragments of a datagram were put together to. */
void wire_whole(struct wire *w, struct wire_packet *p, uint8_t protocol, slice s);
bool wire_ip_plausible(slice s, bool cut);    /* version, header length and total length agree */
/* Hands out what is left of a datagram whose fragments did not all come, and frees it. */
void wire_fragments_lost(struct wire *w, struct fragment_datagram *d);

/* tunnel.c; false: not such a tunnel after all, nothing was done. */
bool wire_tunnel_in_udp(struct wire *w, struct wire_packet *p, slice payload);
wire_layer_fn wire_gre;

/* esp.c; false: encrypted, or damaged. */
bool wire_esp(struct wire *w, struct wire_packet *p, slice s);

/* wire.c */
wire_layer_fn wire_udp_payload;               /* addresses are in the packet */
void wire_due_changed(struct wire *w);
/* The unit with everything a packet knows; kind and transport are the caller's. */
static inline struct wire_unit wire_unit_of(const struct wire_packet *p, slice payload)
{
    return (struct wire_unit){
        .time_ns = p->time_ns, .frame = p->frame, .src = p->src, .dst = p->dst,
        .payload = payload, .ip_id = p->ip_id, .ttl = p->ttl, .tunnels = p->tunnels,
        .cut = p->cut,
    };
}

/* A head that its own words contradict, unless only its end was not captured. */
static inline void wire_bad(struct wire *w, const struct wire_packet *p)
{
    w->counts.malformed += !p->cut;
}

/* Told to who watches; false: nobody does. */
static inline bool wire_shown(const struct wire *w, enum wire_place_kind kind,
                              const struct wire_packet *p, slice bytes)
{
    if (__builtin_expect(w->place == NULL, 1))
        return false;
    w->place(w->place_ctx, &(struct wire_place){ .kind = kind, .bytes = bytes, .packet = p });
    return true;
}

static inline bool wire_deeper(struct wire *w, struct wire_packet *p)
{
    if (p->depth >= WIRE_DEPTH_MAX) {
        w->counts.limited++;
        return false;
    }
    p->depth++;
    return true;
}

static inline bool wire_into_tunnel(struct wire *w, struct wire_packet *p)
{
    if (p->tunnels >= WIRE_TUNNELS_MAX) {
        w->counts.limited++;
        return false;
    }
    p->tunnels++;
    return true;
}

/* Cut to the length that a head promises; shorter than promised: malformed, unless cut. */
static inline slice wire_trim(struct wire *w, struct wire_packet *p, slice s, size_t promised)
{
    if (promised <= s.len) {
        p->cut = false;
        return slice_head(s, promised);
    }
    wire_bad(w, p);
    return s;
}

/* UDP ports that may carry a tunnel: GTP-U, VXLAN (two), GENEVE, ESP, TZSP, L2TP. One look at
 * a bit for all others. */
#define WIRE_PORT_BIT(port) (UINT64_C(1) << ((port) & 63))
static inline unsigned wire_tunnel_port_maybe(uint16_t port)
{
    const uint64_t bits = WIRE_PORT_BIT(2152) | WIRE_PORT_BIT(4789) | WIRE_PORT_BIT(8472) |
                          WIRE_PORT_BIT(6081) | WIRE_PORT_BIT(4500) | WIRE_PORT_BIT(37008) |
                          WIRE_PORT_BIT(1701);

    return (unsigned)(bits >> (port & 63)) & 1;
}

static inline bool wire_tunnel_port(uint16_t port)
{
    return wire_tunnel_port_maybe(port) &&
           (port == 2152 || port == 4789 || port == 8472 || port == 6081 || port == 4500 || port == 37008 ||
            port == 1701);
}

static inline bool wire_tunnel_ports(uint16_t a, uint16_t b)
{
    return __builtin_expect((int)wire_tunnel_port_maybe(a) | (int)wire_tunnel_port_maybe(b), 0) &&
           (wire_tunnel_port(a) || wire_tunnel_port(b));
}

#endif
