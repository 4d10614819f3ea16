/* wire/esp.c - ESP whose encryption is NULL (RFC 4303, RFC 2410), as IMS uses it on Gm.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nothing in the packet says that it is not encrypted, nor how long the integrity check value
 * at its end is. So each length in use is tried, and what would be the trailer and the inner
 * packet must agree in every field that ciphertext would get wrong. */
#include "sip/message.h"
#include "wire/wire_int.h"

enum { ESP_HEAD = 8, NEXT_IPV4 = 4, NEXT_TCP = 6, NEXT_UDP = 17, NEXT_IPV6 = 41 };

/* RFC 4303 2.4: padding is 1, 2, 3, ... */
static bool esp_padding_is_default(slice padding)
{
    for (size_t i = 0; i < padding.len; i++)
        if ((uint8_t)padding.ptr[i] != i + 1)
            return false;
    return true;
}

static uint32_t checksum_add(uint32_t sum, slice s)
{
    size_t i;

    for (i = 0; i + 1 < s.len; i += 2)
        sum += wire_get_u16(s, i);
    return i < s.len ? sum + ((uint32_t)wire_get_u8(s, i) << 8) : sum;
}

/* The checksum of TCP with its pseudo header (RFC 9293 3.1) comes out right. */
static bool tcp_checksum_holds(const struct wire_packet *p, slice s)
{
    size_t ip_len = p->src.family == 4 ? 4 : 16;
    uint32_t sum = (uint32_t)s.len + NEXT_TCP;

    if (s.len > UINT16_MAX)
        return false;
    sum = checksum_add(sum, slice_of(p->src.ip, ip_len));
    sum = checksum_add(sum, slice_of(p->dst.ip, ip_len));
    sum = checksum_add(sum, s);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

static bool esp_holds_tcp(const struct wire_packet *p, slice s)
{
    size_t head = (size_t)(wire_get_u8(s, 12) >> 4) * 4;

    if (s.len < 20 || head < 20 || head > s.len || !wire_get_u16(s, 0) || !wire_get_u16(s, 2))
        return false;
    return tcp_checksum_holds(p, s) || sip_looks_like(slice_skip(s, head));
}

static bool esp_holds_udp(slice s)
{
    return s.len >= 8 && wire_get_u16(s, 4) == s.len && wire_get_u16(s, 0) && wire_get_u16(s, 2);
}

static bool esp_holds(const struct wire_packet *p, uint8_t next, slice s)
{
    switch (next) {
    case NEXT_UDP:
        return esp_holds_udp(s);
    case NEXT_TCP:
        return esp_holds_tcp(p, s);
    case NEXT_IPV4:
        return wire_get_u8(s, 0) >> 4 == 4 && wire_ip_plausible(s, false) &&
               wire_get_u16(s, 2) == s.len;
    case NEXT_IPV6:
        return wire_get_u8(s, 0) >> 4 == 6 && wire_ip_plausible(s, false) &&
               wire_get_u16(s, 4) + 40u == s.len;
    default:
        return false;
    }
}

/* With an integrity check value of `icv` bytes: what it carries, or false. */
static bool esp_open(const struct wire_packet *p, slice s, size_t icv, uint8_t *ret_next,
                     slice *ret_inner)
{
    if (s.len < ESP_HEAD + icv + 2)
        return false;
    slice rest = slice_skip(slice_head(s, s.len - icv), ESP_HEAD);
    uint8_t next = wire_get_u8(rest, rest.len - 1);
    size_t padding = wire_get_u8(rest, rest.len - 2);

    if (padding + 2 > rest.len)
        return false;
    slice inner = slice_head(rest, rest.len - 2 - padding);

    if (!esp_padding_is_default(slice_of(inner.ptr + inner.len, padding)) ||
        !esp_holds(p, next, inner))
        return false;
    *ret_next = next;
    *ret_inner = inner;
    return true;
}

bool wire_esp(struct wire *w, struct wire_packet *p, slice s)
{
    static const uint8_t icv_lens[] = { 12, 16, 0, 24, 32 };
    uint8_t next;
    slice inner;

    if (p->cut)
        return false;                     /* the trailer was not captured */
    for (size_t i = 0; i < ARRAY_LEN(icv_lens); i++) {
        if (!esp_open(p, s, icv_lens[i], &next, &inner))
            continue;
        bool transport = next == NEXT_UDP || next == NEXT_TCP;    /* else IP counts itself */

        if (!transport || wire_into_tunnel(w, p))
            wire_upper(w, p, next, inner);
        return true;
    }
    return false;
}
