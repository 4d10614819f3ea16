/* tests/fuzz/units.h - what every unit promises, checked by the fuzz targets of wire.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_UNITS_H
#define TESTS_FUZZ_UNITS_H

#include "fuzz/inside.h"
#include "wire/wire.h"

/* Small, so that reaching them is common. */
#define FUZZ_LIMITS                                                                                \
    {                                                                                              \
        .fragments_max = 8, .fragment_bytes_max = 200000, .streams_max = 8,                        \
        .stream_bytes_max = 100000, .stream_one_max = 60000                                        \
    }
/* Limits, the largest datagram and WebSocket message in work, zlib, tables. */
#define FUZZ_MEMORY_MAX ((size_t)6 << 20)

/* Another time, up to 292 years later, or back: all that a capture can say. */
static inline int64_t fuzz_time_ns(int64_t now_ns, uint8_t when)
{
    return (int64_t)(((uint64_t)now_ns + (UINT64_C(1) << (when & 0x3f))) % (WIRE_TIME_MAX_NS + 1));
}

/* Every byte of a slice can be read: a sanitizer sees it when not. */
static inline unsigned fuzz_touch(slice s)
{
    unsigned sum = 0;

    for (size_t i = 0; i < s.len; i++)
        sum += (unsigned char)s.ptr[i];
    return sum;
}

static inline void fuzz_unit(void *ctx, const struct wire_unit *u)
{
    volatile unsigned *sum = ctx;

    MUST(u->payload.len == 0 || u->payload.ptr);
    MUST(u->transport < WIRE_TRANSPORTS);
    MUST(u->src.zero == 0 && u->dst.zero == 0);
    MUST(u->hep || u->hep_correlation.len == 0);
    MUST(u->kind == WIRE_MESSAGE || u->stream_before.len == 0);
    *sum += fuzz_touch(u->payload) + fuzz_touch(u->hep_correlation) + fuzz_touch(u->stream_before);
}

#endif
