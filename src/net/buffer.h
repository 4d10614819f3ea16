/* net/buffer.h - bytes that wait, behind each other, within a budget that many share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Embed it; zero is ready to use and holds no memory. Gives memory back when it was emptied and
 * is large. The budget counts what is allocated; it must outlive the buffers.
 *
 *     struct buffer_budget all = { .max_bytes = 64 << 20 };
 *     struct buffer b = { 0 };
 *     int error = buffer_add(&b, &all, 65536, bytes);
 *     buffer_drop(&b, &all, written);                    // from the front
 *     buffer_done(&b, &all);                                                              */
#ifndef NET_BUFFER_H
#define NET_BUFFER_H

#include "base/slice.h"

struct buffer_budget {
    size_t used_bytes, max_bytes;
};
struct buffer {
    char  *bytes;
    size_t from, to, room;           /* [from, to) is there */
};

static inline slice buffer_bytes(const struct buffer *b)
{
    return slice_of(b->bytes ? b->bytes + b->from : NULL, b->to - b->from);
}

/* 0; -EMSGSIZE: there would be more than `most` in it; -ENOBUFS: the budget is spent; -ENOMEM. */
int  buffer_add(struct buffer *b, struct buffer_budget *budget, size_t most, slice bytes);
void buffer_drop(struct buffer *b, struct buffer_budget *budget, size_t len);
void buffer_done(struct buffer *b, struct buffer_budget *budget);

#endif
