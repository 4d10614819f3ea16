/* capture/source.h - where frames come from.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A source is a struct of function pointers behind an opaque handle; files are the first
 * kind (capture/file.c: pcap in both byte orders, us and ns, modified pcap, pcapng, gzip of
 * either, pipes, memory); live interfaces and HEP listeners come beside it.
 *
 *     struct capture_source *s;
 *     struct capture_problem e;
 *     if (capture_open_file("x.pcap", &s, &e) < 0) ...
 *     while ((got = capture_next(s, &frame)) > 0) wire_frame(w, &frame);
 *     // got == 0: end; < 0: damaged from here on, capture_problem(s) says what and where
 *     s = capture_close(s);                                                            */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "wire/wire.h"

enum capture_problem_kind {          /* text for people is in data/, keyed by the slug */
    CAPTURE_FINE,
    CAPTURE_CANNOT_OPEN,             /* errno_value says why */
    CAPTURE_EMPTY,                   /* no byte */
    CAPTURE_FOREIGN,                 /* not a capture: see `looks` */
    CAPTURE_BAD_HEADER,              /* a capture whose file header lies */
    CAPTURE_CUT,                     /* ends in the middle of a packet: all before it was read */
    CAPTURE_DAMAGED,                 /* a record that cannot be; reading went on after it if it could */
    CAPTURE_GZIP_DAMAGED,            /* the compression is broken or cut */
    CAPTURE_READ_FAILED,             /* errno_value */
    CAPTURE_NO_MEMORY,
    CAPTURE_PROBLEM_KINDS
};
/* What a file that is no capture is: a sentence about each kind is in data/, with the name of
 * the format in it, which is the same in every language and may be "". */
enum capture_looks_kind {
    CAPTURE_LOOKS_UNKNOWN, CAPTURE_LOOKS_CAPTURE, CAPTURE_LOOKS_COMPRESSED, CAPTURE_LOOKS_ARCHIVE,
    CAPTURE_LOOKS_IMAGE, CAPTURE_LOOKS_SOUND, CAPTURE_LOOKS_VIDEO, CAPTURE_LOOKS_DOCUMENT,
    CAPTURE_LOOKS_DATABASE, CAPTURE_LOOKS_PROGRAM, CAPTURE_LOOKS_TEXT, CAPTURE_LOOKS_ZEROS,
    CAPTURE_LOOKS_KINDS
};
struct capture_looks {
    enum capture_looks_kind kind;
    const char *name;                /* static: "PNG" */
};
struct capture_problem {
    enum capture_problem_kind kind;
    int         errno_value;
    uint64_t    offset;              /* bytes into the (uncompressed) file */
    uint64_t    frame;               /* frames read before it */
    uint64_t    times;               /* places like it; what is told is the first */
    struct capture_looks looks;      /* of CAPTURE_FOREIGN */
};
const char *capture_problem_slug(enum capture_problem_kind kind);       /* "cut" */

struct capture_source;
/* 0, or negative with *ret_problem filled. "-" is standard input. */
int capture_open_file(const char *path, struct capture_source **ret, struct capture_problem *ret_problem);
/* The same of a whole file in memory, borrowed until capture_close. */
int capture_open_memory(slice bytes, struct capture_source **ret,
                        struct capture_problem *ret_problem);
struct capture_source *capture_close(struct capture_source *s);          /* NULL */

/* 1: a frame (valid until the next call); 0: end; negative: no further frame can be had.
 * Damage in the middle that could be passed over is remembered: look at capture_problem after. */
int capture_next(struct capture_source *s, struct wire_frame *ret);
const struct capture_problem *capture_problem(const struct capture_source *s);
const char *capture_format(const struct capture_source *s);              /* "pcapng, gzip" */

/* For a progress bar: compressed bytes read and in all; total 0 when unknown (a pipe). */
void capture_progress(const struct capture_source *s, uint64_t *ret_done, uint64_t *ret_total);

#endif
