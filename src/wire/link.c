/* wire/link.c - from a captured frame to its IP packet: link types, tags, labels, sessions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/wire_int.h"

enum {
    TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8,
    TYPE_QINQ_OLD = 0x9100, TYPE_QINQ_OLD2 = 0x9200, TYPE_MPLS = 0x8847, TYPE_MPLS_MULTI = 0x8848,
    TYPE_PPPOE = 0x8864, TYPE_MACSEC = 0x88e5, TYPE_PBB = 0x88e7, TYPE_VNTAG = 0x8926,
    TYPE_BRIDGED = 0x6558, TYPE_PPP = 0x880b,
    TYPE_LENGTH_MAX = 0x05ff,        /* up to here it is a length, and LLC follows (802.3) */
};

/* ---- what follows an EtherType ---- */

bool wire_ethertype_known(uint16_t type)
{
    switch (type) {
    case TYPE_IPV4: case TYPE_IPV6: case TYPE_VLAN: case TYPE_QINQ: case TYPE_QINQ_OLD:
    case TYPE_QINQ_OLD2: case TYPE_MPLS: case TYPE_MPLS_MULTI: case TYPE_PPPOE:
    case TYPE_MACSEC: case TYPE_PBB: case TYPE_VNTAG:
        return true;
    default:
        return false;
    }
}

/* Passes over one tag; false: `*type` is no tag, or it is the last thing there. */
static bool take_tag(uint16_t *type, slice *s)
{
    size_t len, type_at;

    switch (*type) {
    case TYPE_VLAN: case TYPE_QINQ: case TYPE_QINQ_OLD: case TYPE_QINQ_OLD2:
        type_at = 2, len = 4;
        break;
    case TYPE_VNTAG:
        type_at = 4, len = 6;
        break;
    case TYPE_PBB:                        /* I-SID, then a whole Ethernet head (802.1ah) */
        type_at = 16, len = 18;
        break;
    case TYPE_MACSEC:                     /* SecTAG (802.1AE 9.3): TCI, SL, PN, perhaps SCI */
        if (wire_get_u8(*s, 0) & 0x0c)
            return false;                 /* E or C: encrypted */
        type_at = wire_get_u8(*s, 0) & 0x20 ? 14 : 6;
        len = type_at + 2;
        break;
    default:
        return false;
    }
    if (s->len < len)
        return false;
    *type = wire_get_u16(*s, type_at);
    *s = slice_skip(*s, len);
    return true;
}

/* PPPoE session (RFC 2516 4): version and type 1, code 0, session, length. */
static void wire_pppoe(struct wire *w, struct wire_packet *p, slice s)
{
    if (s.len < 6 || wire_get_u8(s, 0) != 0x11) {
        wire_bad(w, p);
        return;
    }
    if (wire_get_u8(s, 1) != 0) {
        w->counts.not_ip++;               /* discovery */
        return;
    }
    wire_ppp(w, p, wire_trim(w, p, slice_skip(s, 6), wire_get_u16(s, 4)));
}

void wire_ethertype(struct wire *w, struct wire_packet *p, uint16_t type, slice s)
{
    for (int tags = 0; tags < WIRE_TAGS_MAX && take_tag(&type, &s); tags++)
        ;
    switch (type) {
    case TYPE_IPV4:
        wire_ipv4(w, p, s);
        return;
    case TYPE_IPV6:
        wire_ipv6(w, p, s);
        return;
    case TYPE_MPLS: case TYPE_MPLS_MULTI:
        wire_mpls(w, p, s);
        return;
    case TYPE_PPPOE:
        wire_pppoe(w, p, s);
        return;
    case TYPE_BRIDGED:
        wire_ethernet(w, p, s);
        return;
    case TYPE_PPP:
        wire_ppp(w, p, s);
        return;
    default:
        if (type <= TYPE_LENGTH_MAX)
            wire_llc(w, p, s);
        else
            w->counts.not_ip++;
    }
}

void wire_ethernet(struct wire *w, struct wire_packet *p, slice s)
{
    if (!wire_deeper(w, p))
        return;
    if (s.len < 14) {
        wire_bad(w, p);
        return;
    }
    uint16_t type = wire_get_u16(s, 12);

    (void)wire_shown(w, WIRE_AT_ETHERNET, p, slice_head(s, 14));
    s = slice_skip(s, 14);
    if (type == TYPE_IPV4)
        wire_ipv4(w, p, s);               /* nearly all of them: no detour */
    else
        wire_ethertype(w, p, type, s);
}

/* IEEE 802.2: SNAP (RFC 1042) or IP's own SAP. */
void wire_llc(struct wire *w, struct wire_packet *p, slice s)
{
    uint32_t saps = wire_get_u32(s, 0) >> 8;

    if (s.len >= 8 && saps == 0xaaaa03) {
        uint16_t type = wire_get_u16(s, 6);

        if (type > TYPE_LENGTH_MAX && wire_deeper(w, p)) {
            wire_ethertype(w, p, type, slice_skip(s, 8));
            return;
        }
    } else if (s.len >= 3 && saps == 0x060603) {
        wire_ip(w, p, slice_skip(s, 3));
        return;
    }
    w->counts.not_ip++;
}

/* Labels up to the bottom of the stack (RFC 3032), then IP, or a pseudo wire that carries
 * Ethernet, with a control word (first nibble 0, RFC 4385) or without. */
void wire_mpls(struct wire *w, struct wire_packet *p, slice s)
{
    for (int labels = 0; labels < WIRE_TAGS_MAX && s.len >= 4; labels++) {
        bool bottom = wire_get_u8(s, 2) & 1;

        s = slice_skip(s, 4);
        if (!bottom)
            continue;
        if (wire_ip_plausible(s, p->cut))
            wire_ip(w, p, s);
        else if (wire_get_u8(s, 0) >> 4 == 0 && wire_ethertype_known(wire_get_u16(s, 16)))
            wire_ethernet(w, p, slice_skip(s, 4));
        else if (wire_ethertype_known(wire_get_u16(s, 12)))
            wire_ethernet(w, p, s);
        else
            w->counts.not_ip++;
        return;
    }
    wire_bad(w, p);
}

/* PPP (RFC 1661 2, RFC 1662 3.1): address and control may be there, the protocol may be one
 * byte when it was compressed (its lowest bit tells). */
void wire_ppp(struct wire *w, struct wire_packet *p, slice s)
{
    if (wire_get_u16(s, 0) == 0xff03)
        s = slice_skip(s, 2);
    bool one_byte = wire_get_u8(s, 0) & 1;
    uint16_t protocol = one_byte ? wire_get_u8(s, 0) : wire_get_u16(s, 0);

    s = slice_skip(s, one_byte ? 1 : 2);
    switch (protocol) {
    case 0x0021:
        wire_ipv4(w, p, s);
        break;
    case 0x0057:
        wire_ipv6(w, p, s);
        break;
    case 0x0281: case 0x0283:
        wire_mpls(w, p, s);
        break;
    default:
        w->counts.not_ip++;
    }
}

/* ---- link types ---- */

/* Cisco HDLC: address 0F or 8F, control, EtherType. */
static void link_chdlc(struct wire *w, struct wire_packet *p, slice s)
{
    if (s.len < 4)
        wire_bad(w, p);
    else
        wire_ethertype(w, p, wire_get_u16(s, 2), slice_skip(s, 4));
}

/* PPP in HDLC framing, or Cisco HDLC: the first byte tells (RFC 1547 4.3.1). */
static void link_ppp_hdlc(struct wire *w, struct wire_packet *p, slice s)
{
    uint8_t address = wire_get_u8(s, 0);

    if (address == 0x0f || address == 0x8f)
        link_chdlc(w, p, s);
    else
        wire_ppp(w, p, s);
}

/* BSD loopback: an address family in the byte order of the machine that captured (NULL) or of
 * the network (LOOP); they are small, so either order can be told. */
static void link_null(struct wire *w, struct wire_packet *p, slice s)
{
    uint32_t family = wire_get_u32(s, 0);

    if (family > 0xffff)
        family = wire_get_le32(s, 0);
    switch (family) {
    case 2:
        wire_ipv4(w, p, slice_skip(s, 4));
        break;
    case 10: case 24: case 28: case 30:       /* Linux, NetBSD, FreeBSD, macOS */
        wire_ipv6(w, p, slice_skip(s, 4));
        break;
    default:
        w->counts.not_ip++;
    }
}

/* Linux "any" interface. The protocol can be one of a few small numbers that are no EtherType:
 * 4 is LLC, 1 is 802.3 without LLC. */
static void link_cooked(struct wire *w, struct wire_packet *p, uint16_t type, slice s)
{
    if (type > TYPE_LENGTH_MAX || type == 4)
        wire_ethertype(w, p, type, s);
    else
        w->counts.not_ip++;
}

static void link_sll(struct wire *w, struct wire_packet *p, slice s)
{
    (void)wire_shown(w, WIRE_AT_COOKED, p, slice_head(s, 16));
    if (s.len < 16)
        wire_bad(w, p);
    else
        link_cooked(w, p, wire_get_u16(s, 14), slice_skip(s, 16));
}

static void link_sll2(struct wire *w, struct wire_packet *p, slice s)
{
    (void)wire_shown(w, WIRE_AT_COOKED, p, slice_head(s, 20));
    if (s.len < 20)
        wire_bad(w, p);
    else
        link_cooked(w, p, wire_get_u16(s, 0), slice_skip(s, 20));
}

/* Frame relay (RFC 2427): address of two to four bytes, then NLPID. */
static void link_frame_relay(struct wire *w, struct wire_packet *p, slice s)
{
    size_t at = 0;

    while (at < 4 && !(wire_get_u8(s, at) & 1))
        at++;
    s = slice_skip(s, at + 1);
    uint8_t control = wire_get_u8(s, 0);
    size_t pad = control == 0x03 && wire_get_u8(s, 1) == 0 ? 1 : 0;
    uint8_t nlpid = wire_get_u8(s, 1 + pad);

    if (control == 0x03 && (nlpid == 0xcc || nlpid == 0x8e))
        wire_ip(w, p, slice_skip(s, 2 + pad));
    else if (control == 0x03 && nlpid == 0x80 && wire_deeper(w, p))
        wire_ethertype(w, p, wire_get_u16(s, 5 + pad), slice_skip(s, 7 + pad));
    else if (s.len >= 2 && wire_ethertype_known(wire_get_u16(s, 0)) && wire_deeper(w, p))
        wire_ethertype(w, p, wire_get_u16(s, 0), slice_skip(s, 2));     /* Cisco's own way */
    else
        w->counts.not_ip++;
}

/* An aggregate of 802.11 (9.3.2.2): DA, SA, length, LLC, padded to four. */
static void wlan_aggregate(struct wire *w, const struct wire_packet *p, slice s)
{
    while (s.len >= 14) {
        struct wire_packet one = *p;
        size_t len = wire_get_u16(s, 12);
        slice body = slice_skip(s, 14);

        (void)wire_shown(w, WIRE_AT_MACS, &one, slice_head(s, 12));
        wire_llc(w, &one, wire_trim(w, &one, body, len));
        s = slice_skip(body, (14 + len + 3) / 4 * 4 - 14);
    }
}

/* IEEE 802.11 data frames that are not encrypted. */
static void wlan(struct wire *w, struct wire_packet *p, slice s, bool padded)
{
    uint8_t type = wire_get_u8(s, 0), flags = wire_get_u8(s, 1);
    size_t head = 24;
    bool qos = type & 0x80, aggregate = false;

    if ((type & 0x0f) != 0x08 || (type & 0x40) || (flags & 0x40)) {
        w->counts.not_ip++;               /* no data, empty, or protected */
        return;
    }
    if ((flags & 0x03) == 0x03)
        head += 6;                        /* from one access point to another: 4 addresses */
    if (qos) {
        aggregate = wire_get_u8(s, head) & 0x80;
        head += 2;
        if (flags & 0x80)
            head += 4;                    /* HT control */
    }
    if (padded)
        head = (head + 3) / 4 * 4;
    if (s.len < head) {
        wire_bad(w, p);
        return;
    }
    (void)wire_shown(w, WIRE_AT_MACS, p, slice_of(s.ptr + 4, 18));
    if ((flags & 0x03) == 0x03)
        (void)wire_shown(w, WIRE_AT_MACS, p, slice_of(s.ptr + 24, 6));
    if (aggregate)
        wlan_aggregate(w, p, slice_skip(s, head));
    else
        wire_llc(w, p, slice_skip(s, head));
}

static void link_wlan(struct wire *w, struct wire_packet *p, slice s) { wlan(w, p, s, false); }

/* Radiotap: little-endian; the flags field says whether the 802.11 head is padded. */
static void link_radiotap(struct wire *w, struct wire_packet *p, slice s)
{
    size_t len = wire_get_le16(s, 2), at = 8;
    uint32_t present = wire_get_le32(s, 4), more = present;
    bool padded = false;

    if (s.len < 8 || wire_get_u8(s, 0) != 0 || len < 8 || len > s.len) {
        wire_bad(w, p);
        return;
    }
    for (; more >> 31 && at + 4 <= len; at += 4)
        more = wire_get_le32(s, at);
    if (present & 1)
        at = (at + 7) / 8 * 8 + 8;        /* TSFT */
    if (present & 2 && at < len)
        padded = wire_get_u8(s, at) & 0x20;
    wlan(w, p, slice_skip(s, len), padded);
}

/* Per-packet information: little-endian length and link type. */
static void link_ppi(struct wire *w, struct wire_packet *p, slice s)
{
    size_t len = wire_get_le16(s, 2);

    if (s.len < 8 || len < 8 || len > s.len)
        wire_bad(w, p);
    else if (wire_deeper(w, p))
        wire_link(w, p, wire_get_le32(s, 4), slice_skip(s, len));
}

/* Netfilter log: attributes with length and type in the byte order of the machine; 9 is the
 * packet. Only little-endian machines are understood. */
static void link_nflog(struct wire *w, struct wire_packet *p, slice s)
{
    for (s = slice_skip(s, 4); s.len >= 4;) {
        size_t len = wire_get_le16(s, 0), type = wire_get_le16(s, 2) & 0x7fff;

        if (len < 4) {
            wire_bad(w, p);
            return;
        }
        if (type == 9) {
            wire_ip(w, p, wire_trim(w, p, slice_skip(s, 4), len - 4));
            return;
        }
        s = slice_skip(s, (len + 3) / 4 * 4);
    }
    w->counts.not_ip++;
}

static void link_netanalyzer(struct wire *w, struct wire_packet *p, slice s)
{
    wire_ethernet(w, p, slice_skip(s, 4));
}

/* Wireshark's exported PDUs: tags with the addresses, then the bytes of one protocol. */
struct exported {
    slice    protocol;
    uint32_t port_type;
};

static bool exported_tag(struct wire_packet *p, uint16_t tag, slice value, struct exported *e)
{
    switch (tag) {
    case 12: case 13: case 14:            /* dissector, heuristic or table name */
        e->protocol = value;
        break;
    case 20: case 21: case 22: case 23: { /* IPv4 source, destination, IPv6 the same */
        struct address *a = tag & 1 ? &p->dst : &p->src;

        if (value.len < (tag < 22 ? 4 : 16))
            return false;
        *a = tag < 22 ? address_v4(value.ptr, a->port) : address_v6(value.ptr, a->port);
        break;
    }
    case 24:
        e->port_type = wire_get_u32(value, 0);
        break;
    case 25:
        p->src.port = (uint16_t)wire_get_u32(value, 0);
        break;
    case 26:
        p->dst.port = (uint16_t)wire_get_u32(value, 0);
        break;
    default:
        break;
    }
    return true;
}

static void link_exported_pdu(struct wire *w, struct wire_packet *p, slice s)
{
    struct exported e = { 0 };

    while (s.len >= 4) {
        uint16_t tag = wire_get_u16(s, 0);
        size_t len = wire_get_u16(s, 2);
        slice value = slice_head(slice_skip(s, 4), len);

        if (value.len < len || !exported_tag(p, tag, value, &e)) {
            wire_bad(w, p);
            return;
        }
        if (tag >= 20 && tag <= 23)
            (void)wire_shown(w, WIRE_AT_ADDRESS, p, slice_head(value, tag < 22 ? 4 : 16));
        s = slice_skip(s, 4 + len);
        if (tag != 0)
            continue;
        while (e.protocol.len && e.protocol.ptr[e.protocol.len - 1] == '\0')
            e.protocol.len--;
        if (slice_eq(e.protocol, SLICE("ip")) || slice_eq(e.protocol, SLICE("ipv6"))) {
            wire_ip(w, p, s);
        } else if (slice_eq(e.protocol, SLICE("sip"))) {
            struct wire_unit u = wire_unit_of(p, s);
            bool stream = e.port_type == 2;

            u.kind = stream ? WIRE_MESSAGE : WIRE_DATAGRAM;
            u.transport = stream ? WIRE_TCP : WIRE_UDP;
            if (!wire_shown(w, WIRE_AT_MESSAGE, p, s))
                w->unit(w->ctx, &u);
        } else {
            w->counts.not_ip++;
        }
        return;
    }
    wire_bad(w, p);
}

static wire_layer_fn *const links[] = {
    [0]   = link_null,
    [1]   = wire_ethernet,
    [9]   = wire_ppp,
    [12]  = wire_ip,                 /* raw IP: the number of the file format and two of systems */
    [14]  = wire_ip,
    [50]  = link_ppp_hdlc,
    [51]  = wire_pppoe,
    [100] = wire_llc,                /* RFC 1483 */
    [101] = wire_ip,
    [104] = link_chdlc,
    [105] = link_wlan,
    [107] = link_frame_relay,
    [108] = link_null,
    [113] = link_sll,
    [127] = link_radiotap,
    [192] = link_ppi,
    [228] = wire_ipv4,
    [229] = wire_ipv6,
    [239] = link_nflog,
    [240] = link_netanalyzer,
    [252] = link_exported_pdu,
    [276] = link_sll2,
};

void wire_link(struct wire *w, struct wire_packet *p, uint32_t link_type, slice s)
{
    if (link_type < ARRAY_LEN(links) && links[link_type]) {
        links[link_type](w, p, s);
        return;
    }
    if (w->counts.unknown_link++ == 0)
        w->counts.unknown_link_type = link_type;
}
