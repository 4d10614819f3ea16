/* net/buffer_test.c - first in, first out, never too much.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <errno.h>

#include "net/buffer.h"

TORTURE(bytes_come_out_as_they_went_in)
{
    struct buffer_budget all = { .max_bytes = 1 << 20 };
    struct buffer b = { 0 };
    unsigned char in = 0, out = 0;

    for (size_t i = 0; i < 300; i++) {
        char piece[100];

        for (size_t j = 0; j < sizeof piece; j++)
            piece[j] = (char)in++;
        CHECK_OR_GOTO(buffer_add(&b, &all, 1 << 20, slice_of(piece, sizeof piece)) == 0, out);
        for (size_t j = 0; j < 90; j++) {
            CHECK_EQ((unsigned char)buffer_bytes(&b).ptr[0], out++);
            buffer_drop(&b, &all, 1);
        }
    }
    CHECK_EQ(buffer_bytes(&b).len, 3000);
out:
    buffer_done(&b, &all);
    CHECK_EQ(all.used_bytes, 0);
}

TEST(neither_one_nor_all_grow_beyond_their_limit)
{
    struct buffer_budget all = { .max_bytes = 8192 };
    struct buffer a = { 0 }, b = { 0 };
    static const char bytes[6000];

    CHECK_EQ(buffer_add(&a, &all, 1000, slice_of(bytes, 1001)), -EMSGSIZE);
    CHECK_EQ(buffer_add(&a, &all, 1000, slice_of(bytes, 600)), 0);
    CHECK_EQ(buffer_add(&a, &all, 1000, slice_of(bytes, 401)), -EMSGSIZE);
    CHECK_EQ(buffer_bytes(&a).len, 600);
    CHECK_EQ(buffer_add(&b, &all, 10000, slice_of(bytes, 6000)), -ENOBUFS);
    buffer_drop(&a, &all, 600);
    buffer_done(&a, &all);
    CHECK_EQ(buffer_add(&b, &all, 10000, slice_of(bytes, 6000)), 0);
    CHECK_EQ(all.used_bytes, 8192);
    buffer_drop(&b, &all, 6000);                     /* large and empty: given back */
    CHECK_EQ(all.used_bytes, 0);
}
