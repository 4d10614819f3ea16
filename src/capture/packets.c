/* capture/packets.c - IP and UDP heads in front of a datagram, tags in front of a message
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/packets.h"

#include <errno.h>

enum { LINK_RAW = 101, LINK_EXPORTED = 252, IPV4_HEAD = 20, IPV6_HEAD = 40, UDP_HEAD = 8, PROTOCOL_UDP = 17 };
enum {                               /* of exported PDUs (Wireshark, epan/exported_pdu.h) */
    TAG_END = 0, TAG_DISSECTOR = 12, TAG_IPV4_SRC = 20, TAG_IPV6_SRC = 22, TAG_PORT_TYPE = 24, TAG_SRC_PORT = 25,
    TAG_DST_PORT = 26, PORT_TYPE_TCP = 2
};

static void put16(struct out *o, size_t v)
{
    out_char(o, (char)(v >> 8));
    out_char(o, (char)v);
}

static void put32(struct out *o, uint32_t v)
{
    put16(o, v >> 16);
    put16(o, v & 0xffff);
}

static slice ip_of(const struct address *a) { return slice_of(a->ip, a->family == 6 ? 16 : 4); }

/* ---- the Internet checksum (RFC 1071) ---- */

static uint32_t sum_of(slice bytes, uint32_t sum)
{
    for (size_t i = 0; i + 1 < bytes.len; i += 2)
        sum += (uint32_t)((uint8_t)bytes.ptr[i] << 8 | (uint8_t)bytes.ptr[i + 1]);
    if (bytes.len % 2)
        sum += (uint32_t)(uint8_t)bytes.ptr[bytes.len - 1] << 8;
    return sum;
}

static uint16_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void patch(struct out *o, size_t at, uint16_t value)
{
    if (o->error)
        return;
    o->buffer[at] = (char)(value >> 8);
    o->buffer[at + 1] = (char)value;
}

/* ---- UDP ---- */

static void put_ipv4(struct out *o, const struct wire_unit *u, size_t udp_len)
{
    put16(o, 0x4500), put16(o, IPV4_HEAD + udp_len);
    put16(o, u->ip_id ? u->ip_id : u->frame & 0xffff), put16(o, 0x4000);      /* not to be fragmented */
    out_char(o, (char)(u->ttl ? u->ttl : 64)), out_char(o, PROTOCOL_UDP), put16(o, 0);
    out_text(o, ip_of(&u->src));
    out_text(o, ip_of(&u->dst));
    patch(o, 10, folded(sum_of(slice_head(out_taken(o), IPV4_HEAD), 0)));
}

static void put_ipv6(struct out *o, const struct wire_unit *u, size_t udp_len)
{
    put32(o, 0x60000000), put16(o, udp_len);
    out_char(o, PROTOCOL_UDP), out_char(o, (char)(u->ttl ? u->ttl : 64));
    out_text(o, ip_of(&u->src));
    out_text(o, ip_of(&u->dst));
}

static bool put_datagram(struct out *o, const struct wire_unit *u)
{
    bool is_v6 = u->dst.family == 6;
    size_t udp_len = UDP_HEAD + u->payload.len, head = is_v6 ? IPV6_HEAD : IPV4_HEAD;
    uint32_t sum = sum_of(ip_of(&u->src), sum_of(ip_of(&u->dst), PROTOCOL_UDP + (uint32_t)udp_len));

    if (udp_len + IPV4_HEAD > UINT16_MAX || u->src.family != u->dst.family)
        return false;
    (is_v6 ? put_ipv6 : put_ipv4)(o, u, udp_len);
    put16(o, u->src.port), put16(o, u->dst.port), put16(o, udp_len), put16(o, 0);
    out_text(o, u->payload);
    sum = folded(sum_of(slice_skip(out_taken(o), head), sum));
    patch(o, head + 6, (uint16_t)(sum ? sum : 0xffff));   /* zero would say: no checksum */
    return true;
}

/* ---- everything else ---- */

static void put_tag(struct out *o, unsigned tag, slice value)
{
    put16(o, tag), put16(o, value.len);
    out_text(o, value);
}

static void put_number(struct out *o, unsigned tag, uint32_t value)
{
    put16(o, tag), put16(o, 4);
    put32(o, value);
}

static void put_exported(struct out *o, const struct wire_unit *u)
{
    unsigned src = u->dst.family == 6 ? TAG_IPV6_SRC : TAG_IPV4_SRC;

    put_tag(o, TAG_DISSECTOR, slice_of("sip", 4));        /* with its NUL: lengths are multiples of 4 */
    put_tag(o, src, ip_of(&u->src));
    put_tag(o, src + 1, ip_of(&u->dst));
    put_number(o, TAG_PORT_TYPE, PORT_TYPE_TCP);
    put_number(o, TAG_SRC_PORT, u->src.port);
    put_number(o, TAG_DST_PORT, u->dst.port);
    put_tag(o, TAG_END, (slice){ 0 });
    out_text(o, u->payload);
}

bool packets_frame(struct out *room, const struct wire_unit *unit, struct wire_frame *ret)
{
    bool is_udp = unit->transport == WIRE_UDP;

    out_clear(room);
    if (is_udp && !put_datagram(room, unit))
        return false;
    if (!is_udp)
        put_exported(room, unit);
    if (room->error)
        return false;
    *ret = (struct wire_frame){ .time_ns = unit->time_ns, .number = unit->frame,
                                .link_type = is_udp ? LINK_RAW : LINK_EXPORTED, .bytes = out_taken(room),
                                .wire_len = (uint32_t)room->used };
    return true;
}

int packets_write(struct capture_writer *w, struct out *room, const struct wire_unit *unit)
{
    struct wire_frame frame;

    return packets_frame(room, unit, &frame) ? capture_write(w, &frame) : -EMSGSIZE;
}
