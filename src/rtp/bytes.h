/* rtp/bytes.h - numbers in network order out of a packet; beyond its end everything is 0.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RTP_BYTES_H
#define RTP_BYTES_H

#include "base/slice.h"

static inline uint8_t rtp_get_u8(slice s, size_t at)
{
    return at < s.len ? (uint8_t)s.ptr[at] : 0;
}

static inline uint16_t rtp_get_u16(slice s, size_t at)
{
    uint16_t v;

    if (s.len < 2 || at > s.len - 2)
        return 0;
    memcpy(&v, s.ptr + at, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t rtp_get_u32(slice s, size_t at)
{
    uint32_t v;

    if (s.len < 4 || at > s.len - 4)
        return 0;
    memcpy(&v, s.ptr + at, sizeof v);
    return __builtin_bswap32(v);
}

#endif
