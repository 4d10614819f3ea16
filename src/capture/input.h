/* capture/input.h - the bytes of a file, pipe or memory block in order, through one window.
 *
 * Private to src/capture. A reader asks for the next n bytes in one piece and moves `at` over
 * what it used. Nothing is mapped: a file that shrinks while it is read just ends. gzip is
 * undone on the way (RFC 1952), several members one after the other too.
 *
 *     if (!capture_input_have(in, 16)) ...fewer than 16 are left (they are in at..end)
 *     use(in->at); in->at += 16;
 *
 * Pointers into the window are good until the next capture_input_have that must read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CAPTURE_INPUT_H
#define CAPTURE_INPUT_H

#include "capture/source.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define CAPTURE_WINDOW_BYTES 64u             /* so that small inputs move it too */
#else
#define CAPTURE_WINDOW_BYTES (256u << 10)    /* to begin with; grows to what a record needs */
#endif
#define CAPTURE_WINDOW_MAX (40u << 20)       /* more in one piece is refused */

struct capture_gzip;
struct capture_input {
    const uint8_t *at, *end;         /* what has been read and not used */
    uint64_t  end_offset;            /* of `end` in the (uncompressed) file */
    uint8_t  *buffer;                /* NULL: a memory block of the caller */
    size_t    size;
    ptrdiff_t (*read)(struct capture_input *in, uint8_t *into, size_t size);
    int       fd;                    /* -1: none */
    bool      close_fd;
    bool      ended;                 /* nothing comes behind `end` */
    enum capture_problem_kind trouble;       /* why it ended, when not by its own end */
    int       errno_value;
    uint64_t  total;                 /* bytes of the file as it lies there; 0: unknown */
    struct capture_gzip *gzip;
};

/* Takes the descriptor over when close_fd, also on failure. 0 or -ENOMEM. */
int  capture_input_open_fd(struct capture_input *in, int fd, bool close_fd);
void capture_input_open_memory(struct capture_input *in, slice bytes);
void capture_input_close(struct capture_input *in);

/* When gzip stands at the front: from now on the input is what is inside. 0 or -ENOMEM. */
int capture_input_unpack(struct capture_input *in);

bool capture_input_fill(struct capture_input *in, size_t n);
static inline size_t capture_input_left(const struct capture_input *in)
{
    return (size_t)(in->end - in->at);
}
static inline bool capture_input_have(struct capture_input *in, size_t n)
{
    return __builtin_expect(capture_input_left(in) >= n, 1) || capture_input_fill(in, n);
}
static inline uint64_t capture_input_offset(const struct capture_input *in)
{
    return in->end_offset - capture_input_left(in);
}
/* Bytes of the file as it lies there that were used. */
uint64_t capture_input_done(const struct capture_input *in);
uint64_t capture_input_total(const struct capture_input *in);

/* capture/gzip.c */
struct capture_gzip *capture_gzip_new(struct capture_input *below);   /* takes *below over */
struct capture_gzip *capture_gzip_free(struct capture_gzip *g);
ptrdiff_t capture_gzip_read(struct capture_input *in, uint8_t *into, size_t size);
const struct capture_input *capture_gzip_below(const struct capture_gzip *g);

static inline uint16_t capture_get_u16(const uint8_t *at, bool swapped)
{
    uint16_t v;

    memcpy(&v, at, sizeof v);
    return swapped ? __builtin_bswap16(v) : v;
}
static inline uint32_t capture_get_u32(const uint8_t *at, bool swapped)
{
    uint32_t v;

    memcpy(&v, at, sizeof v);
    return swapped ? __builtin_bswap32(v) : v;
}

#endif
