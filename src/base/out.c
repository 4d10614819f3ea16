/* base/out.c - see out.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OUT_FD_ROOM 65536u

void out_init_fd(struct out *o, int fd) { *o = (struct out){ .fd = fd }; }

void out_init_memory(struct out *o, size_t limit_bytes)
{
    *o = (struct out){ .fd = -1, .limit_bytes = limit_bytes };
}

void out_done(struct out *o)
{
    free(o->buffer);
    *o = (struct out){ .fd = -1 };
}

int out_flush(struct out *o)
{
    size_t sent = 0;

    while (o->fd >= 0 && !o->error && sent < o->used) {
        ssize_t n = write(o->fd, o->buffer + sent, o->used - sent);

        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EINTR)
            o->error = errno;
    }
    if (o->fd >= 0)
        o->used = 0;
    return -o->error;
}

slice out_taken(const struct out *o) { return slice_of(o->buffer, o->used); }

void out_clear(struct out *o)
{
    o->used = 0;
    o->error = 0;                                         /* what was too long is gone */
}

static bool out_grow(struct out *o, size_t need)
{
    size_t room = o->room ? o->room * 2 : 256;

    if (o->fd >= 0)
        room = need > OUT_FD_ROOM ? need : OUT_FD_ROOM;
    while (room < o->used + need)
        room *= 2;
    if (o->limit_bytes && room > o->limit_bytes)
        room = o->limit_bytes;
    char *buffer = room < o->used + need ? NULL : realloc(o->buffer, room);

    if (!buffer) {
        o->error = ENOMEM;
        return false;
    }
    o->buffer = buffer;
    o->room = room;
    return true;
}

char *out_make_space(struct out *o, size_t need)
{
    if (o->error)
        return NULL;
    if (o->room - o->used < need && o->fd >= 0)
        out_flush(o);
    if (o->room - o->used < need && (o->error || !out_grow(o, need)))
        return NULL;
    return o->buffer + o->used;
}

void out_repeat(struct out *o, slice text, size_t times)
{
    while (times--)
        out_text(o, text);
}

static size_t out_digits(uint64_t number, int digits, char text[24])
{
    size_t at = 24;

    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while ((number || digits > (int)(24 - at)) && at > 0);
    return at;
}

void out_padded(struct out *o, uint64_t number, int digits)
{
    char text[24];
    size_t at = out_digits(number, digits, text);

    out_text(o, slice_of(text + at, sizeof text - at));
}

void out_u64(struct out *o, uint64_t number)
{
    if (number < 10)                                      /* most numbers of a record */
        out_char(o, (char)('0' + number));
    else
        out_padded(o, number, 1);
}

void out_i64(struct out *o, int64_t number)
{
    if (number < 0)
        out_char(o, '-');
    out_u64(o, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void out_milli(struct out *o, int64_t thousandths)
{
    uint64_t size = thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
    unsigned rest = (unsigned)(size % 1000);
    int digits = 3;

    if (thousandths < 0)
        out_char(o, '-');
    out_u64(o, size / 1000);
    if (rest == 0)
        return;
    for (; rest % 10 == 0; rest /= 10)
        digits--;
    out_char(o, '.');
    out_padded(o, rest, digits);
}

void out_fixed(struct out *o, double number, int decimals)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%.*f", decimals, number);

    if (n > 0)
        out_text(o, slice_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}
