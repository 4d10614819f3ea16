/* report/ladder_int.h - what is collected for a ladder, for those who draw it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_LADDER_INT_H
#define REPORT_LADDER_INT_H

#include "report/ladder.h"

enum ladder_media {                  /* what an offer in the message asks of media */
    LADDER_MEDIA_NOTHING,
    LADDER_MEDIA_FLOWS,
    LADDER_MEDIA_HELD,               /* in one direction at the most: sendonly, inactive, c=0.0.0.0 */
};

struct ladder_event {
    int64_t  time_ns;
    uint64_t frame;
    uint64_t leg;                    /* index of its call */
    slice    label, detail;          /* in the arena */
    slice    text;                   /* the message; empty when texts are not kept, or no room is left */
    uint32_t text_bytes;             /* of the whole message, 0: not kept */
    uint32_t cseq, repeats, copies;
    uint16_t status;
    uint8_t  method, from, to;       /* from, to: into addresses */
    uint8_t  media;                  /* enum ladder_media; of requests that were new */
    uint64_t findings;               /* a bit for each that is marked here: index into findings */
    bool     marked;                 /* proves a cause */
    uint8_t  mark_tone;              /* enum style_tone of that cause */
    bool     is_stream;              /* a stream of media, drawn as a bar; label and detail are of it */
    uint8_t  tone;                   /* of a stream: enum style_tone of its score */
};
struct ladder_finding {
    uint16_t cause;                  /* enum cause_id */
    size_t   number;                 /* verdicts_finding_number */
    uint64_t stream_frame;           /* marked at the stream that begins there, 0: at a message */
};
struct ladder {
    struct arena   arena;
    const struct words *words;
    struct address addresses[LADDER_LANES_MAX * 4];
    slice          names[LADDER_LANES_MAX];               /* of the first addresses: lanes of their own */
    size_t         address_count, name_count;
    struct ladder_event *events;
    size_t         count, room, beyond;
    size_t         last;             /* the event that was noted or repeated last */
    int64_t        last_ns;
    size_t         text_bytes, text_bytes_max;
    struct ladder_finding findings[LADDER_FINDINGS_MAX];
    size_t         finding_count;
};

/* Does this machine send to itself anywhere? Then its ports are lanes of their own. */
bool ladder_talks_to_itself(const struct ladder *l, const struct address *a);

#endif
