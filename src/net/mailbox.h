/* net/mailbox.h - letters from other threads to the one that runs a loop.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Anybody posts; the loop is woken and its thread takes what is there, all at once. The letters
 * of one sender come in the order in which they were posted, and one that was posted before
 * something became known elsewhere is there before whatever follows from that. It is a list behind
 * a lock, held for a few instructions; what is full refuses, like a socket.
 *
 *     struct mailbox *m = mailbox_new(loop, 0);
 *     mailbox_post(m, &(struct letter){ .kind = HELLO, .hop = *hop }, bytes, false);     // any thread
 *     for (struct letter *l = mailbox_take(m); l; l = letter_free(l)) ...                // its own
 *
 * A quarter of the room is kept for letters that must come, so that a flood of others does not
 * push them out. */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include "net/loop.h"
#include "wire/hop.h"

#define MAILBOX_BYTES (16u << 20)

struct letter {
    struct letter *next;
    struct hop     hop;
    uint32_t       len;
    /* For the users to say: */
    uint8_t        kind, from;
    int            number;
    int64_t        time_ns;
    char           bytes[];
};
static inline slice letter_bytes(const struct letter *l) { return slice_of(l->bytes, l->len); }
struct letter *letter_free(struct letter *l);             /* returns the next */

struct mailbox;
/* bytes_max 0: MAILBOX_BYTES. NULL: no memory. */
struct mailbox *mailbox_new(struct loop *loop, size_t bytes_max);
struct mailbox *mailbox_free(struct mailbox *m);          /* nobody posts any more */

/* ---- any thread ---- */

/* Copies both. False: full, or no memory: it is counted. */
bool mailbox_post(struct mailbox *m, const struct letter *head, slice bytes, bool must);
bool mailbox_is_half_full(struct mailbox *m);
struct mailbox_counts { uint64_t posted, refused, refused_musts; };
struct mailbox_counts mailbox_counts(struct mailbox *m);

/* ---- its own ---- */

bool           mailbox_has(const struct mailbox *m);      /* costs next to nothing */
struct letter *mailbox_take(struct mailbox *m);           /* the first of all; NULL: there is none */

#endif
