/* net/buffer.c - see buffer.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SMALL 4096u                  /* kept when empty */
#define FIRST 512u

static int grow(struct buffer *b, struct buffer_budget *budget, size_t need)
{
    size_t room = b->room ? b->room : FIRST;
    char *larger;

    while (room < need)
        room *= 2;
    if (room - b->room > budget->max_bytes - budget->used_bytes)
        return -ENOBUFS;
    larger = realloc(b->bytes, room);
    if (!larger)
        return -ENOMEM;
    budget->used_bytes += room - b->room;
    b->bytes = larger;
    b->room = room;
    return 0;
}

int buffer_add(struct buffer *b, struct buffer_budget *budget, size_t most, slice bytes)
{
    size_t len = b->to - b->from;

    if (bytes.len > most || len > most - bytes.len)
        return -EMSGSIZE;
    if (bytes.len == 0)
        return 0;
    if (b->from && b->room - b->to < bytes.len) {
        memmove(b->bytes, b->bytes + b->from, len);
        b->from = 0;
        b->to = len;
    }
    if (b->room - b->to < bytes.len) {
        int error = grow(b, budget, b->to + bytes.len);

        if (error)
            return error;
    }
    memcpy(b->bytes + b->to, bytes.ptr, bytes.len);
    b->to += bytes.len;
    return 0;
}

void buffer_drop(struct buffer *b, struct buffer_budget *budget, size_t len)
{
    assert(len <= b->to - b->from);
    b->from += len;
    if (b->from < b->to)
        return;
    b->from = b->to = 0;
    if (b->room > SMALL)
        buffer_done(b, budget);
}

void buffer_done(struct buffer *b, struct buffer_budget *budget)
{
    assert(budget->used_bytes >= b->room);
    budget->used_bytes -= b->room;
    free(b->bytes);
    *b = (struct buffer){ 0 };
}
