/* track/seen.h - has this message been seen before, and was that the same one?
 * SPDX-License-Identifier: Apache-2.0
 *
 * A message of a dialog is known by what does not change on its way: direction, method,
 * status, CSeq, the callee's tag and RSeq, all compared whole. Met again it is
 *
 *   a hop copy        on another pair of addresses (a proxy sent it on),
 *   a capture copy    on the same pair: same IP identification within a second, or, where
 *                     there is none (IPv6, 0), within 50 ms; that is no loss and no repeat,
 *   a retransmission  otherwise.
 *
 * Zero is ready to use. Bounded: SEEN_MESSAGES_MAX messages (then the older half is
 * forgotten: it is far older than any timer), 64 hops, 64 tags. */
#ifndef TRACK_SEEN_H
#define TRACK_SEEN_H

#include "base/arena.h"
#include "sip/message.h"
#include "wire/wire.h"

#define SEEN_MESSAGES_MAX 1024u
#define SEEN_HOPS_MAX 64u
#define SEEN_TAGS_MAX 64u
#define SEEN_TAG_BYTES_MAX 1024u     /* a longer one is told apart no more */

enum seen_kind { SEEN_NEW, SEEN_HOP_COPY, SEEN_COPY, SEEN_AGAIN };

struct seen_message {
    int64_t  last_ns;
    uint32_t cseq, rseq;
    uint16_t status, ip_id;
    uint8_t  method, tag, hop, from_callee;
};
struct seen_hop {
    struct address src, dst;
};
#define SEEN_FIRST_MESSAGES 14u
#define SEEN_FIRST_HOPS 4u
#define SEEN_FIRST_TAGS 2u
/* What a plain call needs stands in it; each array moves out when it grows. So it stays where it is. */
struct seen {
    struct seen_message *messages;   /* NULL: none yet */
    struct seen_hop     *hops;
    slice               *tags;       /* bytes in the arena given to seen_note */
    uint16_t count, room;
    uint8_t  hop_count, hop_room, tag_count, tag_room;
    bool     full;                   /* a limit was reached, or memory was short */
    struct seen_message first_messages[SEEN_FIRST_MESSAGES];
    struct seen_hop     first_hops[SEEN_FIRST_HOPS];
    slice               first_tags[SEEN_FIRST_TAGS];
};

struct seen_about {
    bool     from_callee;            /* the request (of a response: its request) came from the callee */
    slice    callee_tag;
    uint32_t rseq;                   /* of a reliable 1xx, else 0 */
};

struct seen_verdict {
    enum seen_kind kind;
    uint8_t hop;                     /* index into hops; UINT8_MAX when the table is full */
    int64_t gap_ns;                  /* since it was last seen on this hop; 0 when new there */
};
struct seen_verdict seen_note(struct seen *s, struct arena *text, const struct wire_unit *unit,
                              const struct sip_message *m, const struct seen_about *about);
void   seen_done(struct seen *s);
size_t seen_memory_bytes(const struct seen *s);           /* beside itself */

#endif
