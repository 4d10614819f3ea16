/* wire/hep.c - HEP packets of capture agents.
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/hep.h"

#include <limits.h>

#define ZLIB_CONST
#include <zlib.h>

#define HEP3_HEAD_LEN 6u             /* "HEP3", total length */
#define CHUNK_HEAD_LEN 6u            /* vendor, type, length */
#define OLD_HEAD_LEN 8u              /* version, header length, family, protocol, ports */
#define SECOND_NS INT64_C(1000000000)

static uint16_t get_u16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t get_u32(const uint8_t *at) { return (uint32_t)get_u16(at) << 16 | get_u16(at + 2); }
static uint32_t get_u32_little(const uint8_t *at) { return __builtin_bswap32(get_u32(at)); }

/* How surely a SIP start line begins here (RFC 3261, 7): 2 "SIP/2.0 " or a method that is
 * registered, 1 another word in capitals and a blank, 0 none. */
static int begins_as_sip(slice payload)
{
    static const slice known[] = {
        { "SIP/2.0 ", 8 }, { "INVITE ", 7 }, { "ACK ", 4 }, { "BYE ", 4 }, { "CANCEL ", 7 },
        { "REGISTER ", 9 }, { "OPTIONS ", 8 }, { "PRACK ", 6 }, { "SUBSCRIBE ", 10 },
        { "NOTIFY ", 7 }, { "PUBLISH ", 8 }, { "INFO ", 5 }, { "REFER ", 6 }, { "MESSAGE ", 8 },
        { "UPDATE ", 7 },
    };
    size_t letters = 0;

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_starts(payload, known[i]))
            return 2;
    while (letters < payload.len && letters < 32 && payload.ptr[letters] >= 'A' &&
           payload.ptr[letters] <= 'Z')
        letters++;
    return letters >= 3 && letters < payload.len && payload.ptr[letters] == ' ';
}

/* ---- versions 1 and 2 ----
 *
 *  0        1        2       3         4            6         8
 *  version  hdr len  family  protocol  source port  dst port  source, destination address,
 *  version 2: seconds u32, microseconds u32, agent u16, and two bytes of padding that come
 *  from the agent's compiler: most send them, some do not. Header length leaves the time out
 *  in some agents. Time and agent are in the byte order of the agent's machine. */

/* Address bytes of a family as different systems number it; 0: unknown. */
static size_t old_address_len(uint8_t family)
{
    static const struct { uint8_t family, len; } families[] = {
        { 2, 4 }, { 10, 16 }, { 23, 16 }, { 24, 16 }, { 26, 16 }, { 28, 16 }, { 30, 16 },
    };

    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (families[i].family == family)
            return families[i].len;
    return 0;
}

/* Behind the address of version 2: the time with its padding, or without it. Padding may be
 * any bytes, so the surer start wins, and between equals the form that most send. */
static size_t old_offset_behind_time(slice packet, size_t head)
{
    int padded = begins_as_sip(slice_skip(packet, head + 12));
    int packed = begins_as_sip(slice_skip(packet, head + 10));

    if (padded == 0 && packed == 0)
        return 0;
    return head + (padded >= packed ? 12 : 10);
}

/* Where the payload begins; 0: these are no bytes of HEP 1 or 2. */
static size_t old_payload_offset(slice packet)
{
    const uint8_t *at = (const uint8_t *)packet.ptr;
    size_t head, address_len;

    if (packet.len < OLD_HEAD_LEN + 2 * 4 || (at[0] != 1 && at[0] != 2))
        return 0;
    address_len = old_address_len(at[2]);
    head = OLD_HEAD_LEN + 2 * address_len;
    if (!address_len || (at[3] != 6 && at[3] != 17 && at[3] != 132))
        return 0;
    if (at[0] == 1)
        return at[1] == head && begins_as_sip(slice_skip(packet, head)) ? head : 0;
    if (at[1] != head && at[1] != head + 10 && at[1] != head + 12)
        return 0;
    return old_offset_behind_time(packet, head);
}

static int64_t time_of(uint32_t s, uint32_t us)
{
    return (int64_t)s * SECOND_NS + (int64_t)us * 1000;
}

static void old_read_time(const uint8_t *at, int64_t arrival_ns, struct hep_packet *ret)
{
    int64_t big = time_of(get_u32(at), get_u32(at + 4));
    int64_t little = time_of(get_u32_little(at), get_u32_little(at + 4));
    int64_t big_off = big > arrival_ns ? big - arrival_ns : arrival_ns - big;
    int64_t little_off = little > arrival_ns ? little - arrival_ns : arrival_ns - little;

    ret->has_time = true;
    ret->time_ns = big_off < little_off ? big : little;
    ret->agent = big_off < little_off ? get_u16(at + 8) : __builtin_bswap16(get_u16(at + 8));
}

static bool old_parse(slice packet, int64_t arrival_ns, struct hep_packet *ret)
{
    const uint8_t *at = (const uint8_t *)packet.ptr;
    size_t offset = old_payload_offset(packet), address_len;
    uint16_t sport, dport;

    if (!offset)
        return false;
    address_len = old_address_len(at[2]);
    sport = get_u16(at + 4);
    dport = get_u16(at + 6);
    *ret = (struct hep_packet){ .version = at[0], .protocol = at[3],
                                .payload_type = HEP_PAYLOAD_SIP, .time_ns = arrival_ns };
    at += OLD_HEAD_LEN;
    ret->src = address_len == 4 ? address_v4(at, sport) : address_v6(at, sport);
    at += address_len;
    ret->dst = address_len == 4 ? address_v4(at, dport) : address_v6(at, dport);
    at += address_len;
    if (ret->version == 2)
        old_read_time(at, arrival_ns, ret);
    ret->payload = slice_skip(packet, offset);
    return true;
}

/* ---- version 3 ---- */

/* What the chunks say that only together make an address or a time. */
struct hep_gather {
    const uint8_t *ip4[2], *ip6[2];  /* source, destination */
    uint16_t port[2];
    uint32_t s, us;
    uint8_t  family;
};

/* How the data of a chunk is to be read, and where it goes. */
enum chunk_kind { CHUNK_U8, CHUNK_U16, CHUNK_U32, CHUNK_U64, CHUNK_TEXT, CHUNK_PLACE };
#define IN_PACKET(field) offsetof(struct hep_packet, field), false
#define IN_GATHER(field) offsetof(struct hep_gather, field), true

static const struct chunk_rule {
    uint8_t  type, kind, len;        /* len: of CHUNK_PLACE */
    uint16_t offset;
    bool     gather;
} rules[] = {
    { 0x01, CHUNK_U8, 0, IN_GATHER(family) },
    { 0x02, CHUNK_U8, 0, IN_PACKET(protocol) },
    { 0x03, CHUNK_PLACE, 4, IN_GATHER(ip4[0]) },
    { 0x04, CHUNK_PLACE, 4, IN_GATHER(ip4[1]) },
    { 0x05, CHUNK_PLACE, 16, IN_GATHER(ip6[0]) },
    { 0x06, CHUNK_PLACE, 16, IN_GATHER(ip6[1]) },
    { 0x07, CHUNK_U16, 0, IN_GATHER(port[0]) },
    { 0x08, CHUNK_U16, 0, IN_GATHER(port[1]) },
    { 0x09, CHUNK_U32, 0, IN_GATHER(s) },
    { 0x0a, CHUNK_U32, 0, IN_GATHER(us) },
    { 0x0b, CHUNK_U8, 0, IN_PACKET(payload_type) },
    { 0x0c, CHUNK_U32, 0, IN_PACKET(agent) },
    { 0x0d, CHUNK_U16, 0, IN_PACKET(keep_alive_s) },
    { 0x0e, CHUNK_TEXT, 0, IN_PACKET(auth_key) },
    { 0x0f, CHUNK_TEXT, 0, IN_PACKET(payload) },
    { 0x10, CHUNK_TEXT, 0, IN_PACKET(payload) },
    { 0x11, CHUNK_TEXT, 0, IN_PACKET(correlation) },
    { 0x12, CHUNK_U16, 0, IN_PACKET(vlan) },
    { 0x13, CHUNK_TEXT, 0, IN_PACKET(agent_name) },
    { 0x14, CHUNK_U64, 0, IN_PACKET(mac_src) },
    { 0x15, CHUNK_U64, 0, IN_PACKET(mac_dst) },
    { 0x16, CHUNK_U16, 0, IN_PACKET(ether_type) },
    { 0x17, CHUNK_U8, 0, IN_PACKET(tcp_flags) },
    { 0x18, CHUNK_U8, 0, IN_PACKET(tos) },
    { 0x20, CHUNK_U16, 0, IN_PACKET(mos_x100) },
    { 0x21, CHUNK_U16, 0, IN_PACKET(r_factor) },
    { 0x22, CHUNK_TEXT, 0, IN_PACKET(location) },
    { 0x23, CHUNK_U32, 0, IN_PACKET(jitter) },
    { 0x24, CHUNK_TEXT, 0, IN_PACKET(transaction) },
    { 0x25, CHUNK_TEXT, 0, IN_PACKET(tags) },
    { 0x26, CHUNK_TEXT, 0, IN_PACKET(tag_values) },
    { 0x27, CHUNK_U16, 0, IN_PACKET(tag_type) },
    { 0x28, CHUNK_U16, 0, IN_PACKET(event_type) },
    { 0x29, CHUNK_TEXT, 0, IN_PACKET(group) },
};

static const struct chunk_rule *rule_of(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].type == type)
            return &rules[i];
    return NULL;
}

/* A number may be written wider or narrower than the list says (agents differ over the port,
 * the MAC address of 6 bytes, the agent id); a value too large for its field is refused. */
static bool chunk_number(slice data, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;

    if (data.len == 0 || data.len > 8)
        return false;
    for (size_t i = 0; i < data.len; i++)
        value = value << 8 | (uint8_t)data.ptr[i];
    if (value > max)
        return false;
    *ret = value;
    return true;
}

/* False: the data does not fit its meaning; the chunk is then as if not there. */
static bool chunk_store(const struct chunk_rule *rule, slice data, void *into)
{
    static const uint64_t max[] = { [CHUNK_U8] = UINT8_MAX, [CHUNK_U16] = UINT16_MAX,
                                    [CHUNK_U32] = UINT32_MAX, [CHUNK_U64] = UINT64_MAX };
    uint64_t number = 0;

    if (rule->kind <= CHUNK_U64 && !chunk_number(data, max[rule->kind], &number))
        return false;
    switch (rule->kind) {
    case CHUNK_U8: *(uint8_t *)into = (uint8_t)number; return true;
    case CHUNK_U16: *(uint16_t *)into = (uint16_t)number; return true;
    case CHUNK_U32: *(uint32_t *)into = (uint32_t)number; return true;
    case CHUNK_U64: *(uint64_t *)into = number; return true;
    case CHUNK_TEXT: *(slice *)into = data; return true;
    default:
        if (data.len != rule->len)
            return false;
        *(const uint8_t **)into = (const uint8_t *)data.ptr;
        return true;
    }
}

static void chunk_read(uint16_t type, slice data, struct hep_packet *p, struct hep_gather *g)
{
    const struct chunk_rule *rule = rule_of(type);
    char *into = rule && rule->gather ? (char *)g : (char *)p;

    if (!rule || !chunk_store(rule, data, into + rule->offset))
        return;
    if (type == 0x09)
        p->has_time = true;
    if (type == 0x0f || type == 0x10)
        p->compressed = type == 0x10;
}

static struct address gathered_address(const struct hep_gather *g, int side)
{
    bool six = g->ip6[side] && (g->family != 2 || !g->ip4[side]);

    if (six)
        return address_v6(g->ip6[side], g->port[side]);
    return g->ip4[side] ? address_v4(g->ip4[side], g->port[side]) : (struct address){ 0 };
}

static bool is_hep3(slice packet)
{
    return packet.len >= HEP3_HEAD_LEN && slice_starts(packet, SLICE("HEP3")) &&
           get_u16((const uint8_t *)packet.ptr + 4) >= HEP3_HEAD_LEN;
}

static bool hep3_parse(slice packet, int64_t arrival_ns, struct hep_packet *ret)
{
    struct hep_packet p = { .version = 3, .time_ns = arrival_ns };
    struct hep_gather g = { .family = 0 };
    size_t total = get_u16((const uint8_t *)packet.ptr + 4);
    slice rest = slice_skip(packet, HEP3_HEAD_LEN);

    total -= HEP3_HEAD_LEN;                  /* checked by is_hep3 */
    while (total >= CHUNK_HEAD_LEN && rest.len >= CHUNK_HEAD_LEN) {
        const uint8_t *at = (const uint8_t *)rest.ptr;
        uint16_t vendor = get_u16(at), type = get_u16(at + 2), len = get_u16(at + 4);

        p.bad = len < CHUNK_HEAD_LEN || len > total;
        if (p.bad)
            break;
        if (vendor == 0)
            chunk_read(type, slice_skip(slice_head(rest, len), CHUNK_HEAD_LEN), &p, &g);
        total -= len;
        if (len > rest.len)
            p.cut = true;
        rest = slice_skip(rest, len);
    }
    p.cut |= total > rest.len && !p.bad;
    p.bad |= total != 0 && !p.cut;           /* a tail too short to be a chunk */
    p.src = gathered_address(&g, 0);
    p.dst = gathered_address(&g, 1);
    if (p.has_time)
        p.time_ns = time_of(g.s, g.us);
    *ret = p;
    return true;
}

bool hep_is(slice datagram)
{
    return is_hep3(datagram) || old_payload_offset(datagram) != 0;
}

bool hep_parse(slice packet, int64_t arrival_ns, struct hep_packet *ret)
{
    return is_hep3(packet) ? hep3_parse(packet, arrival_ns, ret)
                           : old_parse(packet, arrival_ns, ret);
}

bool hep_inflate(slice compressed, void *buffer, size_t size, slice *ret)
{
    z_stream z = { .next_in = (const Bytef *)compressed.ptr, .avail_in = (uInt)compressed.len,
                   .next_out = buffer, .avail_out = (uInt)size };
    int got;

    if (compressed.len > UINT_MAX || size > UINT_MAX || compressed.len == 0 ||
        inflateInit2(&z, 15 + 32) != Z_OK)   /* zlib.h: gzip or zlib, by its header */
        return false;
    got = inflate(&z, Z_FINISH);
    (void)inflateEnd(&z);
    if (got != Z_STREAM_END)
        return false;
    *ret = slice_of(buffer, size - z.avail_out);
    return true;
}

/* ---- version 3 on a stream ---- */

/* The first chunk behind a head in mid-stream must at least lie inside its packet. */
static bool head_is_likely(slice bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    uint16_t total = get_u16(at + 4), chunk;

    if (total < HEP3_HEAD_LEN + CHUNK_HEAD_LEN)
        return false;
    chunk = get_u16(at + 10);
    return chunk >= CHUNK_HEAD_LEN && chunk <= total - HEP3_HEAD_LEN;
}

enum hep_stream_find hep_stream_next(slice bytes, size_t *ret_skip, size_t *ret_len)
{
    static const slice magic = { "HEP3", 4 };

    *ret_skip = 0;
    while (*ret_skip < bytes.len) {
        slice here = slice_skip(bytes, *ret_skip);
        ptrdiff_t at = slice_find_char(here, 'H');

        if (at != 0) {
            *ret_skip += at < 0 ? here.len : (size_t)at;
            continue;
        }
        if (!slice_eq(slice_head(here, 4), slice_head(magic, here.len))) {
            *ret_skip += 1;
            continue;
        }
        if (here.len < HEP3_HEAD_LEN + CHUNK_HEAD_LEN)
            return HEP_STREAM_MORE;
        if (!head_is_likely(here)) {
            *ret_skip += 1;
            continue;
        }
        *ret_len = get_u16((const uint8_t *)here.ptr + 4);
        return *ret_len <= here.len ? HEP_STREAM_PACKET : HEP_STREAM_MORE;
    }
    return bytes.len ? HEP_STREAM_NOT_HEP : HEP_STREAM_MORE;
}
