/* wire/bytes.h - numbers read from a packet, never past its end.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Network byte order unless the name says le. What would lie past the end reads as 0, so a
 * header's length is checked once, and forgetting it is a wrong value, never a wrong read.
 *
 *     if (s.len < 8)
 *         return false;
 *     uint16_t port = wire_get_u16(s, 2);                                                  */
#ifndef WIRE_BYTES_H
#define WIRE_BYTES_H

#include "base/slice.h"

#include <endian.h>

static inline bool wire_has(slice s, size_t at, size_t len)
{
    return s.len >= len && at <= s.len - len;
}

static inline uint8_t wire_get_u8(slice s, size_t at)
{
    return wire_has(s, at, 1) ? (uint8_t)s.ptr[at] : 0;
}

static inline uint16_t wire_get_u16(slice s, size_t at)
{
    uint16_t v;

    if (!wire_has(s, at, 2))
        return 0;
    memcpy(&v, s.ptr + at, 2);
    return be16toh(v);
}

static inline uint32_t wire_get_u32(slice s, size_t at)
{
    uint32_t v;

    if (!wire_has(s, at, 4))
        return 0;
    memcpy(&v, s.ptr + at, 4);
    return be32toh(v);
}

static inline uint16_t wire_get_le16(slice s, size_t at)
{
    return __builtin_bswap16(wire_get_u16(s, at));
}

static inline uint32_t wire_get_le32(slice s, size_t at)
{
    return __builtin_bswap32(wire_get_u32(s, at));
}

#endif
