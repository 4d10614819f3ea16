/* mask/mask_int.h - frames that wait, and the bytes they are made of. Private to src/mask.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A surface is a block of bytes twice: as it came, which is what the wire reads, and as it
 * goes out. A frame is one; a datagram put together from fragments is another, whose bytes
 * are copied back into its fragments. */
#ifndef MASK_INT_H
#define MASK_INT_H

#include "base/list.h"
#include "base/map.h"
#include "mask/mask.h"
#include "mask/text.h"
#include "wire/packet.h"

#define MASK_SUMS_MAX 16u            /* checksums in one frame; more layers are not masked */

enum mask_sum_kind { MASK_SUM_PLAIN, MASK_SUM_UDP, MASK_SUM_CRC32C };
struct mask_sum {                    /* a checksum over part of a surface, itself within */
    enum mask_sum_kind kind;
    uint32_t start, len, check;      /* `check`: where it stands */
    struct address src, dst;         /* of the pseudo header, as they came; family 0: none */
};
struct mask_surface {
    const uint8_t  *came;
    uint8_t        *bytes;
    size_t          len;
    struct mask_sum sums[MASK_SUMS_MAX];
    unsigned        sum_count;
    unsigned        leaves;          /* contents that were understood */
    bool            bad;             /* some were not: */
    enum mask_why   why;
    bool            selected;
    unsigned        waiting;         /* pieces of it that are not masked yet */
    struct mask_datagram *datagram;  /* NULL: a frame */
};

struct mask_held {                   /* a frame until it is written */
    struct list         in_queue;
    struct wire_frame   frame;
    struct mask_surface surface;
    size_t              size;
};

/* A part of a surface that belongs to something larger. */
struct mask_piece {
    struct list          in;
    struct mask_surface *surface;
    uint32_t             at, len;    /* in the surface */
    uint32_t             seq;        /* TCP: sequence number; fragment: offset */
};

struct mask {
    struct mask_cache    addresses;
    struct mask_settings settings;   /* its key uses the cache */
    struct mask_counts   counts;
    mask_frame_fn       *out;
    void                *ctx;
    struct mask_text    *text;
    struct wire         *wire;
    struct list          queue;      /* of mask_held, in order */
    size_t               held_bytes;
    int64_t              now_ns;
    struct mask_held    *current;    /* the frame being read */
    struct mask_surface *surface;    /* what is being read: its surface, or a datagram's */
    struct map           sides;      /* directions of TCP */
    size_t               text_bytes; /* that they keep */
    struct list          sides_idle; /* the one longest without a segment first */
    struct list          sides_waiting;      /* the one that made no headway for longest first */
    struct map           datagrams;
    struct list          datagrams_age;
    bool                 no_memory;
    bool                 picked;     /* something selected was met: for who asked for it */
    bool                 selected;   /* the frame being handed out is */
};

void mask_bad(struct mask_surface *s, enum mask_why why);
/* The place of a slice of the surface being read. */
static inline size_t mask_at(const struct mask *m, slice s)
{
    return (size_t)((const uint8_t *)s.ptr - m->surface->came);
}
void mask_add_sum(struct mask *m, enum mask_sum_kind kind, slice s, size_t check,
                  const struct wire_packet *pseudo);

/* sums.c: makes every checksum of a surface follow what was changed. */
void mask_sums(const struct mask *m, struct mask_surface *s);

/* datagram.c: contents of UDP, in place. False: not understood, *ret_why says how. */
bool mask_datagram(struct mask *m, uint8_t *at, size_t len, const struct wire_packet *p,
                   enum mask_why *ret_why);
bool mask_hep(struct mask *m, uint8_t *at, size_t len);
bool mask_sip(struct mask *m, uint8_t *at, size_t len, bool cut);
void mask_icmp(struct mask *m, uint8_t *at, size_t len, bool v6, enum mask_why *ret_why, bool *ret_ok);
bool mask_sctp(struct mask *m, uint8_t *at, size_t len);

/* stream.c */
void mask_segment(struct mask *m, const struct wire_place *place);
bool mask_streams_due(struct mask *m, bool all);           /* true: something was given up */
void mask_streams_done(struct mask *m);

/* fragments.c */
void mask_fragment_place(struct mask *m, const struct wire_place *place);
bool mask_fragments_due(struct mask *m, bool all);
void mask_fragments_done(struct mask *m);

void mask_datagram_ready(struct mask *m, struct mask_datagram *d);     /* no piece of it waits */

/* frame.c: a piece is done and freed; what is not `ok` lets its frame be dropped. */
struct mask_piece *mask_piece_new(struct mask *m, slice bytes, uint32_t seq);   /* NULL: no memory */
void mask_piece_done(struct mask *m, struct mask_piece *p, bool ok, enum mask_why why);
void mask_place(void *ctx, const struct wire_place *place);

#endif
