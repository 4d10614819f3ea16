/* base/out.h - text on its way out: to a file descriptor in large writes, or into memory.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Errors are kept, not returned: print everything, then look at out_error once. After the
 * first error nothing more is written. Into memory it grows up to `limit_bytes` (0: none).
 *
 *     struct out o;
 *     out_init_fd(&o, 1);  out_text(&o, SLICE("hello\n"));
 *     int error = out_flush(&o);  out_done(&o);                                       */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include "base/slice.h"

struct out {
    char  *buffer;
    size_t used, room;
    int    fd;                       /* -1: memory only */
    int    error;                    /* 0 or an errno value; ENOMEM, ENOSPC, EPIPE ... */
    size_t limit_bytes;
};

void  out_init_fd(struct out *o, int fd);
void  out_init_memory(struct out *o, size_t limit_bytes);
void  out_done(struct out *o);                            /* does not flush */
int   out_flush(struct out *o);                           /* 0 or -errno; memory: just the error */
slice out_taken(const struct out *o);                     /* memory: what was written so far */
void  out_clear(struct out *o);                           /* memory: start again, without error */

char *out_make_space(struct out *o, size_t need);         /* flushes or grows; NULL: error */

/* Room for so many bytes at o->buffer + o->used, or NULL after an error; add to `used`. */
static inline char *out_space(struct out *o, size_t need)
{
    return o->room - o->used >= need && !o->error ? o->buffer + o->used : out_make_space(o, need);
}

static inline void out_text(struct out *o, slice text)
{
    char *at = text.len ? out_space(o, text.len) : NULL;

    if (!at)                                              /* an error, or nothing to write */
        return;
    memcpy(at, text.ptr, text.len);
    o->used += text.len;
}

static inline void out_char(struct out *o, char c) { out_text(o, slice_of(&c, 1)); }

void out_repeat(struct out *o, slice text, size_t times);
void out_u64(struct out *o, uint64_t number);
void out_i64(struct out *o, int64_t number);
/* `thousandths` / 1000 with up to three decimals, no zeros at the end: 812.1 */
void out_milli(struct out *o, int64_t thousandths);
void out_fixed(struct out *o, double number, int decimals);
/* "%02u"-like: at least `digits` digits. */
void out_padded(struct out *o, uint64_t number, int digits);

#endif
