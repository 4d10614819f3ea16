/* mask/sums.c - checksums follow the bytes that they cover.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The Internet checksum is moved by the difference of what it covers (RFC 1624), so nothing
 * has to be known of bytes that were not captured, and a checksum that was wrong stays wrong by
 * as much. CRC32c (RFC 9260 6.8) is made anew where it was right. */
#include "mask/mask_int.h"
#include "wire/bytes.h"

static uint32_t add_words(uint32_t sum, const uint8_t *at, size_t len, bool odd)
{
    for (size_t i = 0; i < len; i++) {
        sum += (i % 2 == 0) != odd ? (uint32_t)at[i] << 8 : at[i];
        if (sum >> 31)
            sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint16_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* Everything but the two bytes of the checksum. */
static uint16_t sum_of(const uint8_t *bytes, const struct mask_sum *s, const struct address *src,
                       const struct address *dst)
{
    size_t before = s->check - s->start, ip = src->family == 4 ? 4 : src->family == 6 ? 16 : 0;
    uint32_t sum = add_words(0, bytes + s->start, before, false);

    sum = add_words(sum, bytes + s->check + 2, s->len - before - 2, before % 2);
    sum = add_words(sum, src->ip, ip, false);
    return folded(add_words(sum, dst->ip, ip, false));
}

static void follow(const struct mask *m, struct mask_surface *surface, const struct mask_sum *s)
{
    uint16_t was = wire_get_u16(slice_of(surface->came, surface->len), s->check);
    struct address src = mask_address(&m->settings.key, &s->src);
    struct address dst = mask_address(&m->settings.key, &s->dst);
    uint32_t sum = (uint16_t)~was;

    if (s->kind == MASK_SUM_UDP && was == 0)
        return;                           /* none was computed (RFC 768) */
    sum += (uint16_t)~sum_of(surface->came, s, &s->src, &s->dst);
    sum += sum_of(surface->bytes, s, &src, &dst);
    uint16_t now = (uint16_t)~folded(sum);

    if (s->kind == MASK_SUM_UDP && now == 0)
        now = 0xffff;
    surface->bytes[s->check] = (uint8_t)(now >> 8);
    surface->bytes[s->check + 1] = (uint8_t)now;
}

static uint32_t crc32c(const uint8_t *bytes, const struct mask_sum *s)
{
    uint32_t crc = UINT32_MAX;

    for (uint32_t i = s->start; i < s->start + s->len; i++) {
        crc ^= i >= s->check && i < s->check + 4 ? 0 : bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82f63b78u & (0u - (crc & 1)));
    }
    return ~crc;
}

static void renew_crc(struct mask_surface *surface, const struct mask_sum *s)
{
    uint32_t crc = crc32c(surface->came, s);

    if (wire_get_le32(slice_of(surface->came, surface->len), s->check) != crc)
        return;
    crc = htole32(crc32c(surface->bytes, s));
    memcpy(surface->bytes + s->check, &crc, 4);
}

/* From the inside out: an outer checksum covers the inner ones. */
void mask_sums(const struct mask *m, struct mask_surface *s)
{
    for (unsigned i = s->sum_count; i > 0; i--)
        if (s->sums[i - 1].kind == MASK_SUM_CRC32C)
            renew_crc(s, &s->sums[i - 1]);
        else
            follow(m, s, &s->sums[i - 1]);
}

void mask_add_sum(struct mask *m, enum mask_sum_kind kind, slice s, size_t check,
                  const struct wire_packet *pseudo)
{
    struct mask_surface *on = m->surface;
    size_t at = mask_at(m, s), wide = kind == MASK_SUM_CRC32C ? 4 : 2;

    if (s.len < check + wide)
        return;                           /* not captured so far */
    if (on->sum_count == MASK_SUMS_MAX) {
        mask_bad(on, MASK_UNKNOWN);
        return;
    }
    on->sums[on->sum_count++] = (struct mask_sum){
        .kind = kind, .start = (uint32_t)at, .len = (uint32_t)s.len, .check = (uint32_t)(at + check),
        .src = pseudo ? pseudo->src : (struct address){ .family = 0 },
        .dst = pseudo ? pseudo->dst : (struct address){ .family = 0 },
    };
}
