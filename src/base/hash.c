/* base/hash.c - SipHash-1-3 (Aumasson and Bernstein, 2012; one round a word, three at the end)
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <endian.h>

struct state { uint64_t v0, v1, v2, v3; };

static inline uint64_t rotl(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline void round_(struct state *s)
{
    s->v0 += s->v1, s->v1 = rotl(s->v1, 13), s->v1 ^= s->v0, s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3, s->v3 = rotl(s->v3, 16), s->v3 ^= s->v2;
    s->v0 += s->v3, s->v3 = rotl(s->v3, 21), s->v3 ^= s->v0;
    s->v2 += s->v1, s->v1 = rotl(s->v1, 17), s->v1 ^= s->v2, s->v2 = rotl(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    round_(s);
    s->v0 ^= word;
}

uint64_t hash_bytes(const struct hash_seed *seed, const void *bytes, size_t len)
{
    struct state s = { seed->k0 ^ 0x736f6d6570736575u, seed->k1 ^ 0x646f72616e646f6du,
                       seed->k0 ^ 0x6c7967656e657261u, seed->k1 ^ 0x7465646279746573u };
    const unsigned char *at = bytes;
    uint64_t word, last = (uint64_t)len << 56;
    size_t left = len;

    for (; left >= 8; at += 8, left -= 8) {
        memcpy(&word, at, 8);
        absorb(&s, le64toh(word));
    }
    if (left && len >= 8) {                               /* the last 8 bytes, without those done */
        memcpy(&word, at + left - 8, 8);
        last |= le64toh(word) >> (64 - 8 * left);
    } else {
        for (size_t i = 0; i < left; i++)
            last |= (uint64_t)at[i] << (8 * i);
    }
    absorb(&s, last);
    s.v2 ^= 0xff;
    round_(&s), round_(&s), round_(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
