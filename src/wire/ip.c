/* wire/ip.c - IPv4 (RFC 791), IPv6 with its extension headers (RFC 8200), and what they carry.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/message.h"
#include "wire/wire_int.h"

enum protocol {
    IP_HOP_BY_HOP = 0, IP_ICMP = 1, IP_IPV4 = 4, IP_TCP = 6, IP_UDP = 17, IP_IPV6 = 41,
    IP_ROUTING = 43, IP_FRAGMENT = 44, IP_GRE = 47, IP_ESP = 50, IP_AH = 51, IP_ICMPV6 = 58,
    IP_NOTHING = 59, IP_DESTINATION = 60, IP_ETHERIP = 97, IP_SCTP = 132, IP_MOBILITY = 135,
    IP_MPLS = 137, IP_HIP = 139, IP_SHIM6 = 140, IP_ETHERNET = 143,
};

/* ---- UDP (RFC 768) ---- */

static void ip_udp(struct wire *w, struct wire_packet *p, slice s)
{
    if (s.len < 8) {
        wire_bad(w, p);
        return;
    }
    size_t len = wire_get_u16(s, 4);

    p->src.port = wire_get_u16(s, 0);
    p->dst.port = wire_get_u16(s, 2);
    if (len >= 8)
        s = wire_trim(w, p, s, len);
    else
        w->counts.malformed += len != 0;  /* 0: more than the field can say (RFC 2675 4) */
    (void)wire_shown(w, WIRE_AT_UDP, p, s);
    s = slice_skip(s, 8);
    if ((wire_tunnel_port(p->dst.port) || wire_tunnel_port(p->src.port)) &&
        wire_tunnel_in_udp(w, p, s))
        return;
    w->counts.udp++;
    wire_udp_payload(w, p, s);
}

/* ---- TCP (RFC 9293 3.1) ---- */

static void ip_tcp(struct wire *w, struct wire_packet *p, slice s, size_t lacking)
{
    size_t head = (size_t)(wire_get_u8(s, 12) >> 4) * 4;

    if (s.len < 20 || head < 20 || head > s.len) {
        wire_bad(w, p);
        return;
    }
    p->src.port = wire_get_u16(s, 0);
    p->dst.port = wire_get_u16(s, 2);
    w->counts.tcp++;
    if (w->place) {
        struct wire_place place = { .kind = WIRE_AT_TCP, .bytes = s, .packet = p, .lacking = lacking };

        w->place(w->place_ctx, &place);
        return;
    }
    struct tcp_segment_in in = {
        .packet = p,
        .seq = wire_get_u32(s, 4),
        .ack = wire_get_u32(s, 8),
        .flags = wire_get_u8(s, 13),
        .payload = slice_skip(s, head),
        .lacking = (uint32_t)lacking,
    };
    tcp_segment(&w->tcp, &in);
    wire_due_changed(w);
}

/* ---- SCTP (RFC 9260 3.3.1): SIP in a DATA chunk that is no fragment (RFC 4168) ---- */

static void ip_sctp(struct wire *w, struct wire_packet *p, slice s)
{
    if (s.len < 12) {
        wire_bad(w, p);
        return;
    }
    p->src.port = wire_get_u16(s, 0);
    p->dst.port = wire_get_u16(s, 2);
    w->counts.sctp++;
    (void)wire_shown(w, WIRE_AT_SCTP, p, s);
    for (s = slice_skip(s, 12); s.len >= 4;) {
        uint8_t type = wire_get_u8(s, 0), flags = wire_get_u8(s, 1);
        size_t len = wire_get_u16(s, 2);
        slice data = slice_skip(slice_head(s, len), 16);

        if (len < 4) {
            wire_bad(w, p);
            return;
        }
        if (type == 0 && (flags & 3) == 3 && data.len && sip_looks_like(data)) {
            struct wire_unit u = wire_unit_of(p, data);

            u.kind = WIRE_MESSAGE;
            u.transport = WIRE_SCTP;
            u.cut = len > s.len;
            if (!wire_shown(w, WIRE_AT_MESSAGE, p, data))
                w->unit(w->ctx, &u);
        }
        s = slice_skip(s, (len + 3) / 4 * 4);
    }
}

/* ---- what an IP header carries ---- */

static void ip_tunnel(struct wire *w, struct wire_packet *p, wire_layer_fn *next, slice s)
{
    if (wire_into_tunnel(w, p))
        next(w, p, s);
}

/* `lacking`: bytes of the packet that were not captured. */
static void ip_carries(struct wire *w, struct wire_packet *p, uint8_t protocol, slice s,
                       size_t lacking)
{
    while (protocol == IP_AH && s.len >= 8) {
        protocol = wire_get_u8(s, 0);     /* authenticated, in the clear (RFC 4302 2) */
        s = slice_skip(s, ((size_t)wire_get_u8(s, 1) + 2) * 4);
    }
    switch (protocol) {
    case IP_UDP:
        ip_udp(w, p, s);
        return;
    case IP_TCP:
        ip_tcp(w, p, s, lacking);
        return;
    case IP_ICMP: case IP_ICMPV6:
        w->counts.icmp++;                 /* what it quotes was counted when it was sent */
        if (!wire_shown(w, WIRE_AT_ICMP, p, s))
            incident_icmp(&w->incidents, p, protocol == IP_ICMPV6, s);
        return;
    case IP_SCTP:
        ip_sctp(w, p, s);
        return;
    case IP_ESP:
        w->counts.esp++;
        if (!wire_esp(w, p, s))
            (void)wire_shown(w, WIRE_AT_ESP, p, s);
        return;
    case IP_IPV4:
        ip_tunnel(w, p, wire_ipv4, s);
        return;
    case IP_IPV6:
        ip_tunnel(w, p, wire_ipv6, s);
        return;
    case IP_GRE:
        ip_tunnel(w, p, wire_gre, s);
        return;
    case IP_ETHERIP:
        ip_tunnel(w, p, wire_ethernet, slice_skip(s, 2));
        return;
    case IP_ETHERNET:
        ip_tunnel(w, p, wire_ethernet, s);
        return;
    case IP_MPLS:
        ip_tunnel(w, p, wire_mpls, s);
        return;
    default:
        w->counts.other_ip++;
        (void)wire_shown(w, WIRE_AT_OTHER, p, s);
    }
}

void wire_upper(struct wire *w, struct wire_packet *p, uint8_t protocol, slice s)
{
    ip_carries(w, p, protocol, s, 0);
}

/* Passes over extension headers up to a fragment header or the payload. False: they are cut
 * short, or there are too many. */
static bool ipv6_take_extensions(uint8_t *next, slice *s)
{
    for (int count = 0; count < WIRE_EXTENSIONS_MAX; count++) {
        size_t len;

        switch (*next) {
        case IP_HOP_BY_HOP: case IP_ROUTING: case IP_DESTINATION: case IP_MOBILITY: case IP_HIP:
        case IP_SHIM6:
            len = ((size_t)wire_get_u8(*s, 1) + 1) * 8;
            break;
        case IP_AH:
            len = ((size_t)wire_get_u8(*s, 1) + 2) * 4;
            break;
        default:
            return true;
        }
        if (s->len < len)
            return false;
        *next = wire_get_u8(*s, 0);
        *s = slice_skip(*s, len);
    }
    return false;
}

/* ---- fragments ---- */

void wire_whole(struct wire *w, struct wire_packet *p, uint8_t protocol, slice s)
{
    if (p->src.family == 6 && !ipv6_take_extensions(&protocol, &s))
        wire_bad(w, p);
    else
        ip_carries(w, p, protocol, s, 0);
}

static void ip_whole(struct wire *w, struct fragment_datagram *d)
{
    struct wire_packet p = fragment_datagram_packet(d);

    wire_whole(w, &p, fragment_datagram_protocol(d), fragment_datagram_bytes(d));
    fragments_drop(&w->fragments, d);
}

void wire_fragments_lost(struct wire *w, struct fragment_datagram *d)
{
    struct wire_packet p = fragment_datagram_packet(d);
    slice s = fragment_datagram_bytes(d);

    if (!fragment_datagram_is_echo(d)) {
        w->counts.fragments_incomplete++;
        if (fragment_datagram_protocol(d) == IP_UDP && s.len > 8)
            ip_udp(w, &p, s);
    }
    fragments_drop(&w->fragments, d);
}

static void ip_fragment(struct wire *w, struct wire_packet *p, const struct fragment *in)
{
    uint64_t refused = w->fragments.refused;
    struct fragment_datagram *d;

    w->counts.fragments++;
    if (w->place) {
        struct wire_place place = {
            .kind = WIRE_AT_FRAGMENT, .bytes = in->bytes, .packet = p,
            .fragment = { in->id, in->offset, in->protocol, in->more },
        };

        w->place(w->place_ctx, &place);
        return;
    }
    if ((d = fragments_add(&w->fragments, in)))
        ip_whole(w, d);
    w->counts.malformed += w->fragments.refused - refused;
    while ((d = fragments_take_due(&w->fragments, p->time_ns))) {
        w->counts.limited += !fragment_datagram_is_old(&w->fragments, d, p->time_ns);
        wire_fragments_lost(w, d);
    }
    wire_due_changed(w);
}

/* ---- IPv4 ---- */

bool wire_ip_plausible(slice s, bool cut)
{
    uint8_t first = wire_get_u8(s, 0);
    size_t head = (size_t)(first & 15) * 4, total = wire_get_u16(s, 2);

    if (first >> 4 == 4)
        return s.len >= 20 && head >= 20 && head <= s.len && total >= head &&
               (total <= s.len || cut);
    return first >> 4 == 6 && s.len >= 40 && ((size_t)wire_get_u16(s, 4) + 40 <= s.len || cut);
}

void wire_ip(struct wire *w, struct wire_packet *p, slice s)
{
    switch (wire_get_u8(s, 0) >> 4) {
    case 4:
        wire_ipv4(w, p, s);
        return;
    case 6:
        wire_ipv6(w, p, s);
        return;
    default:
        w->counts.not_ip++;
    }
}

/* The packet without what the link padded it with. `lacking` grows by what was not captured. */
static slice ip_trim(struct wire *w, struct wire_packet *p, slice s, size_t total,
                     size_t *ret_lacking)
{
    *ret_lacking = 0;
    if (total > s.len) {
        wire_bad(w, p);
        p->cut = true;
        *ret_lacking = total - s.len;
        return s;
    }
    p->cut = false;
    return slice_head(s, total);
}

void wire_ipv4(struct wire *w, struct wire_packet *p, slice s)
{
    uint8_t first = wire_get_u8(s, 0);
    size_t head = (size_t)(first & 15) * 4, lacking = 0;

    if (!wire_deeper(w, p))
        return;
    if (s.len < 20 || first >> 4 != 4 || head < 20 || head > s.len) {
        wire_bad(w, p);
        return;
    }
    size_t total = wire_get_u16(s, 2);
    uint16_t offset = wire_get_u16(s, 6);
    uint8_t protocol = wire_get_u8(s, 9);

    p->src = (struct address){ .family = 4 };
    p->dst = (struct address){ .family = 4 };
    memcpy(p->src.ip, s.ptr + 12, 4);
    memcpy(p->dst.ip, s.ptr + 16, 4);
    p->ip_id = wire_get_u16(s, 4);
    p->ttl = wire_get_u8(s, 8);
    (void)wire_shown(w, WIRE_AT_IPV4, p, slice_head(s, head));
    if (total >= head) {
        s = ip_trim(w, p, s, total, &lacking);
    } else if (total != 0) {              /* 0: the card cuts it into packets later (TSO) */
        wire_bad(w, p);
        return;
    }
    s = slice_skip(s, head);
    if (offset & 0x3fff) {
        struct fragment in = {
            .packet = p, .id = p->ip_id, .protocol = protocol, .more = offset & 0x2000,
            .offset = (uint32_t)(offset & 0x1fff) * 8, .len = (uint32_t)(s.len + lacking),
            .bytes = s,
        };

        ip_fragment(w, p, &in);
    } else if (protocol == IP_UDP) {
        ip_udp(w, p, s);                  /* nearly all of them: no detour */
    } else {
        ip_carries(w, p, protocol, s, lacking);
    }
}

/* ---- IPv6 ---- */

static void ipv6_fragment(struct wire *w, struct wire_packet *p, slice s, size_t lacking)
{
    uint16_t offset = wire_get_u16(s, 2);
    slice rest = slice_skip(s, 8);
    struct fragment in = {
        .packet = p, .id = wire_get_u32(s, 4), .protocol = wire_get_u8(s, 0),
        .more = offset & 1, .offset = offset & 0xfff8u, .len = (uint32_t)(rest.len + lacking),
        .bytes = rest,
    };

    if (s.len < 8) {
        wire_bad(w, p);
        return;
    }
    if (in.more || in.offset) {
        ip_fragment(w, p, &in);
        return;
    }
    uint8_t next = in.protocol;           /* a fragment that is all of it (RFC 6946) */

    if (ipv6_take_extensions(&next, &rest))
        ip_carries(w, p, next, rest, lacking);
    else
        wire_bad(w, p);
}

void wire_ipv6(struct wire *w, struct wire_packet *p, slice s)
{
    size_t len = wire_get_u16(s, 4), lacking = 0;
    uint8_t next = wire_get_u8(s, 6);

    if (!wire_deeper(w, p))
        return;
    if (s.len < 40 || wire_get_u8(s, 0) >> 4 != 6) {
        wire_bad(w, p);
        return;
    }
    if (len != 0)                         /* 0: jumbogram, or the card cuts it later */
        s = ip_trim(w, p, s, len + 40, &lacking);
    p->src = (struct address){ .family = 6 };
    p->dst = (struct address){ .family = 6 };
    memcpy(p->src.ip, s.ptr + 8, 16);
    memcpy(p->dst.ip, s.ptr + 24, 16);
    p->ip_id = 0;
    p->ttl = wire_get_u8(s, 7);
    slice whole = s;

    s = slice_skip(s, 40);
    if (!ipv6_take_extensions(&next, &s)) {
        wire_bad(w, p);
        return;
    }
    (void)wire_shown(w, WIRE_AT_IPV6, p, slice_head(whole, whole.len - s.len));
    if (next == IP_FRAGMENT)
        ipv6_fragment(w, p, s, lacking);
    else if (next == IP_NOTHING)
        w->counts.other_ip++;
    else
        ip_carries(w, p, next, s, lacking);
}
