/* base/hash.h - SipHash-1-3 for keys that traffic chooses.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A seed that the sender cannot know keeps it from filling one bucket. A hash finds a
 * bucket; only comparing the whole key finds the thing. The caller brings the seed (tests:
 * any; programs: random at start). */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

struct hash_seed { uint64_t k0, k1; };

uint64_t hash_bytes(const struct hash_seed *seed, const void *bytes, size_t len);
static inline uint64_t hash_slice(const struct hash_seed *seed, slice s)
{
    return hash_bytes(seed, s.ptr, s.len);
}

#endif
