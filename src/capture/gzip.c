/* capture/gzip.c - inflates an input on its way into the window above it (RFC 1952).
 *
 * Members follow one another as gzip(1) and rotating writers leave them; zero bytes behind the
 * last one are padding of tapes and block devices, anything else there is damage. Whatever
 * came out before the damage has been handed on.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/input.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#define WINDOW_BITS_GZIP (15 + 16)           /* zlib.h, inflateInit2: a gzip header only */

struct capture_gzip {
    z_stream z;
    struct capture_input below;
    bool between;                    /* a member has ended */
};

/* zlib's memory is ours to count and to refuse. */
static void *gzip_alloc(void *opaque, unsigned items, unsigned size)
{
    (void)opaque;
    return calloc(items, size);
}

static void gzip_release(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

struct capture_gzip *capture_gzip_new(struct capture_input *below)
{
    struct capture_gzip *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->z.zalloc = gzip_alloc;
    g->z.zfree = gzip_release;
    if (inflateInit2(&g->z, WINDOW_BITS_GZIP) != Z_OK) {
        free(g);
        return NULL;
    }
    g->below = *below;
    return g;
}

struct capture_gzip *capture_gzip_free(struct capture_gzip *g)
{
    if (!g)
        return NULL;
    (void)inflateEnd(&g->z);
    capture_input_close(&g->below);
    free(g);
    return NULL;
}

const struct capture_input *capture_gzip_below(const struct capture_gzip *g)
{
    return &g->below;
}

static ptrdiff_t gzip_damaged(struct capture_input *in)
{
    in->trouble = CAPTURE_GZIP_DAMAGED;
    return -1;
}

/* Behind a member: 1 when another begins, 0 at the end (after padding), -1 for anything else. */
static ptrdiff_t gzip_next_member(struct capture_input *in)
{
    struct capture_input *below = &in->gzip->below;

    while (capture_input_have(below, 1) && below->at[0] == 0)
        below->at++;
    if (!capture_input_have(below, 1))
        return 0;
    if (!capture_input_have(below, 2) || below->at[0] != 0x1f || below->at[1] != 0x8b)
        return gzip_damaged(in);
    in->gzip->between = false;
    return inflateReset2(&in->gzip->z, WINDOW_BITS_GZIP) == Z_OK ? 1 : gzip_damaged(in);
}

/* The compressed file ends, or cannot be read, inside a member. */
static ptrdiff_t gzip_cut(struct capture_input *in)
{
    const struct capture_input *below = &in->gzip->below;

    in->trouble = below->trouble ? below->trouble : CAPTURE_GZIP_DAMAGED;
    in->errno_value = below->errno_value;
    return -1;
}

static int gzip_inflate(struct capture_gzip *g, uint8_t *into, size_t size, size_t *ret_made)
{
    size_t give = capture_input_left(&g->below);
    int got;

    if (give > 1u << 30)
        give = 1u << 30;
    g->z.next_in = g->below.at;
    g->z.avail_in = (uInt)give;
    g->z.next_out = into;
    g->z.avail_out = (uInt)size;
    got = inflate(&g->z, Z_NO_FLUSH);
    g->below.at += give - g->z.avail_in;
    *ret_made = size - g->z.avail_out;
    return got;
}

ptrdiff_t capture_gzip_read(struct capture_input *in, uint8_t *into, size_t size)
{
    struct capture_gzip *g = in->gzip;

    for (;;) {
        ptrdiff_t more = g->between ? gzip_next_member(in) : 1;
        size_t made;
        bool ended;
        int got;

        if (more <= 0)
            return more;
        ended = !capture_input_have(&g->below, 1);
        got = gzip_inflate(g, into, size, &made);
        g->between = got == Z_STREAM_END;
        if (made)
            return (ptrdiff_t)made;          /* an error comes again with the next call */
        if (got == Z_MEM_ERROR) {
            in->trouble = CAPTURE_NO_MEMORY;
            return -1;
        }
        if (ended && !g->between)            /* zlib held nothing back either */
            return gzip_cut(in);
        if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
            return gzip_damaged(in);
    }
}
