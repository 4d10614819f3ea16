/* wire/tunnel.c - packets inside packets: GRE, ERSPAN, GTP-U, VXLAN, GENEVE, L2TP, TZSP, ESP.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A port only suggests a tunnel. Its head and the beginning of what it carries must agree with
 * it, or the datagram is handed out as any other: SIP on port 4789 is SIP. */
#include "wire/wire_int.h"

/* An Ethernet frame that leads to IP sooner or later. */
static bool ethernet_plausible(slice s)
{
    return s.len >= 14 && wire_ethertype_known(wire_get_u16(s, 12));
}

/* ---- GRE (RFC 2784, 2890; version 1 for PPTP: RFC 2637 4.1) ---- */

enum { GRE_CHECKSUM = 0x8000, GRE_ROUTING = 0x4000, GRE_KEY = 0x2000, GRE_SEQUENCE = 0x1000,
       GRE_ACK = 0x0080, GRE_VERSION = 0x0007 };
enum { GRE_PPP = 0x880b, GRE_ERSPAN = 0x88be, GRE_ERSPAN_III = 0x22eb };

/* ERSPAN type I has no head of its own, II has 8 bytes and comes with a sequence number, III
 * has 12 and 8 more when its last bit says so (draft-foschiano-erspan). */
static slice erspan_take(uint16_t type, uint16_t flags, slice s)
{
    if (type == GRE_ERSPAN)
        return flags & GRE_SEQUENCE ? slice_skip(s, 8) : s;
    return slice_skip(s, wire_get_u8(s, 11) & 1 ? 20 : 12);
}

void wire_gre(struct wire *w, struct wire_packet *p, slice s)
{
    uint16_t flags = wire_get_u16(s, 0), type = wire_get_u16(s, 2);
    uint16_t version = flags & GRE_VERSION;
    size_t head = 4;

    if (s.len < 4 || version > 1 || (version == 1 && type != GRE_PPP)) {
        wire_bad(w, p);
        return;
    }
    if (flags & GRE_ROUTING && version == 0) {
        w->counts.other_ip++;             /* source routes of 1994: nobody sends them */
        return;
    }
    head += flags & GRE_CHECKSUM ? 4 : 0;
    head += flags & GRE_KEY ? 4 : 0;
    head += flags & GRE_SEQUENCE ? 4 : 0;
    head += version == 1 && flags & GRE_ACK ? 4 : 0;
    if (s.len < head) {
        wire_bad(w, p);
        return;
    }
    if (version == 1) {
        size_t len = wire_get_u16(s, 4);

        if (len != 0)                     /* 0: only an acknowledgement */
            wire_ppp(w, p, wire_trim(w, p, slice_skip(s, head), len));
        return;
    }
    s = slice_skip(s, head);
    if (type == GRE_ERSPAN || type == GRE_ERSPAN_III)
        wire_ethernet(w, p, erspan_take(type, flags, s));
    else
        wire_ethertype(w, p, type, s);
}

/* ---- GTP-U (3GPP TS 29.281 5.1, 5.2; TS 38.415 for 5G) ---- */

static bool gtp_take(const struct wire_packet *p, slice *s)
{
    uint8_t flags = wire_get_u8(*s, 0);
    size_t len = wire_get_u16(*s, 2), head = 8;

    if (s->len < 8 || flags >> 4 != 3 || wire_get_u8(*s, 1) != 0xff)
        return false;                     /* version 1, GTP, G-PDU */
    if (len + 8 > s->len && !p->cut)
        return false;
    slice rest = slice_head(*s, len + 8);

    if (flags & 7) {
        uint8_t next = flags & 4 ? wire_get_u8(rest, 11) : 0;

        for (head = 12; next != 0; ) {
            size_t words = wire_get_u8(rest, head);

            if (words == 0 || !wire_has(rest, head, words * 4))
                return false;
            head += words * 4;
            next = wire_get_u8(rest, head - 1);
        }
    }
    rest = slice_skip(rest, head);
    if (!wire_ip_plausible(rest, p->cut))
        return false;
    *s = rest;
    return true;
}

static bool udp_gtp(struct wire *w, struct wire_packet *p, slice s)
{
    if (!gtp_take(p, &s))
        return false;
    if (wire_into_tunnel(w, p))
        wire_ip(w, p, s);
    return true;
}

/* ---- VXLAN (RFC 7348 5), also with group policy ---- */

static bool udp_vxlan(struct wire *w, struct wire_packet *p, slice s)
{
    slice inner = slice_skip(s, 8);

    if (s.len < 8 || !(wire_get_u8(s, 0) & 0x08) || wire_get_u8(s, 7) != 0 ||
        !ethernet_plausible(inner))
        return false;
    if (wire_into_tunnel(w, p))
        wire_ethernet(w, p, inner);
    return true;
}

/* ---- GENEVE (RFC 8926 3.4) ---- */

static bool udp_geneve(struct wire *w, struct wire_packet *p, slice s)
{
    uint8_t first = wire_get_u8(s, 0);
    uint16_t type = wire_get_u16(s, 2);
    size_t head = 8 + (size_t)(first & 0x3f) * 4;
    slice inner = slice_skip(s, head);
    bool ethernet = type == 0x6558;

    if (s.len < head || first >> 6 != 0 || wire_get_u8(s, 7) != 0)
        return false;
    if (ethernet ? !ethernet_plausible(inner) : !wire_ip_plausible(inner, p->cut))
        return false;
    if (wire_into_tunnel(w, p))
        (ethernet ? wire_ethernet : wire_ip)(w, p, inner);
    return true;
}

/* ---- L2TP version 2 (RFC 2661 3.1): data messages carry PPP ---- */

static bool udp_l2tp(struct wire *w, struct wire_packet *p, slice s)
{
    uint16_t flags = wire_get_u16(s, 0);
    size_t head = 6;

    if (s.len < 8 || (flags & 0x000f) != 2 || flags & 0x8000)
        return false;                     /* another version, or control */
    if (flags & 0x4000) {
        size_t len = wire_get_u16(s, 2);

        if (len > s.len && !p->cut)
            return false;
        s = slice_head(s, len);
        head += 2;
    }
    head += flags & 0x0800 ? 4 : 0;
    if (flags & 0x0200)
        head += 2 + (size_t)wire_get_u16(s, head);
    slice inner = slice_skip(s, head);
    slice protocol = wire_get_u16(inner, 0) == 0xff03 ? slice_skip(inner, 2) : inner;

    if (wire_get_u8(protocol, 0) == 0)
        protocol = slice_skip(protocol, 1);
    if (wire_get_u8(protocol, 0) != 0x21 && wire_get_u8(protocol, 0) != 0x57)
        return false;
    if (!wire_ip_plausible(slice_skip(protocol, 1), p->cut))
        return false;
    if (wire_into_tunnel(w, p))
        wire_ppp(w, p, inner);
    return true;
}

/* ---- TZSP: version 1, packet received or sent, what it holds, tags, end tag 1 ---- */

static bool udp_tzsp(struct wire *w, struct wire_packet *p, slice s)
{
    uint16_t holds = wire_get_u16(s, 2);
    size_t at = 4;

    if (s.len < 6 || wire_get_u8(s, 0) != 1 || wire_get_u8(s, 1) > 1 ||
        (holds != 1 && holds != 0x12))
        return false;
    while (at < s.len && wire_get_u8(s, at) != 1)
        at += wire_get_u8(s, at) == 0 ? 1 : 2 + (size_t)wire_get_u8(s, at + 1);
    if (at >= s.len)
        return false;
    slice inner = slice_skip(s, at + 1);

    if (holds == 1 && !ethernet_plausible(inner))
        return false;
    if (wire_into_tunnel(w, p) && wire_deeper(w, p))
        wire_link(w, p, holds == 1 ? 1 : 105, inner);
    return true;
}

/* ---- ESP in UDP (RFC 3948 2.1): four zero bytes instead of an SPI mean IKE ---- */

static bool udp_esp(struct wire *w, struct wire_packet *p, slice s)
{
    return s.len > 8 && wire_get_u32(s, 0) != 0 && wire_esp(w, p, s);
}

static const struct {
    uint16_t port;
    bool   (*open)(struct wire *w, struct wire_packet *p, slice s);
} tunnels[] = {
    { 2152, udp_gtp }, { 4789, udp_vxlan }, { 8472, udp_vxlan }, { 6081, udp_geneve },
    { 4500, udp_esp }, { 1701, udp_l2tp }, { 37008, udp_tzsp },
};

bool wire_tunnel_in_udp(struct wire *w, struct wire_packet *p, slice s)
{
    for (size_t i = 0; i < ARRAY_LEN(tunnels); i++)
        if (p->dst.port == tunnels[i].port || p->src.port == tunnels[i].port)
            if (tunnels[i].open(w, p, s))
                return true;
    return false;
}
