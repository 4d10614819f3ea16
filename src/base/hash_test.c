/* base/hash_test.c - SipHash-1-3 as others compute it
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/hash.h"

/* Straight from the description (Aumasson and Bernstein, "SipHash: a fast short-input PRF"),
 * a byte at a time, to hold the fast one against. */
static uint64_t rotated(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void mix(uint64_t v[4])
{
    v[0] += v[1]; v[1] = rotated(v[1], 13); v[1] ^= v[0]; v[0] = rotated(v[0], 32);
    v[2] += v[3]; v[3] = rotated(v[3], 16); v[3] ^= v[2];
    v[0] += v[3]; v[3] = rotated(v[3], 21); v[3] ^= v[0];
    v[2] += v[1]; v[1] = rotated(v[1], 17); v[1] ^= v[2]; v[2] = rotated(v[2], 32);
}

static uint64_t by_the_book(struct hash_seed seed, const unsigned char *bytes, size_t len)
{
    uint64_t v[4] = { seed.k0 ^ 0x736f6d6570736575u, seed.k1 ^ 0x646f72616e646f6du,
                      seed.k0 ^ 0x6c7967656e657261u, seed.k1 ^ 0x7465646279746573u };
    for (size_t at = 0; at <= len; at += 8) {
        uint64_t word = len - at < 8 ? (uint64_t)len << 56 : 0;

        for (size_t i = 0; i < 8 && at + i < len; i++)
            word |= (uint64_t)bytes[at + i] << (8 * i);
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

TEST(every_length_hashes_as_the_book_says)
{
    struct hash_seed seed = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
    unsigned char bytes[100];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof(bytes); len++)
        CHECK_ROW_EQ(len, hash_bytes(&seed, bytes, len), by_the_book(seed, bytes, len));
}

TEST(a_hash_depends_on_the_seed_and_on_the_length)
{
    struct hash_seed a = { 1, 2 }, b = { 1, 3 };

    CHECK(hash_slice(&a, SLICE("call")) != hash_slice(&b, SLICE("call")));
    CHECK(hash_slice(&a, SLICE("call")) != hash_slice(&a, SLICE("call\0")));
    CHECK_EQ(hash_slice(&a, SLICE("")), hash_slice(&a, (slice){ NULL, 0 }));
}
