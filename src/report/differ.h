/* report/differ.h - two calls side by side: what differs where, and what of it matters.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The distinct messages of both calls are aligned by method, code and direction (the longest
 * common sequence). What differs in any two calls is passed over: Call-IDs, tags, branches, CSeq
 * numbers, dates, nonces, SDP session ids, ports, names and numbers as such. A number counts as
 * different when it is written in another form (+, 00, 0, bare digits), an address when it is of
 * another kind (private, public, IPv6 ...), a host name when it is another one.
 *
 *     struct differ *d = differ_new();
 *     differ_note(d, DIFFER_FIRST, &sighting, frame);     // each new message or repeat
 *     differ_call(d, DIFFER_FIRST, call);                 // its record, borrowed
 *     differ_compare(d);
 *     for (size_t i = 0; i < differ_count(d); i++) ... differ_at(d, i)                         */
#ifndef REPORT_DIFFER_H
#define REPORT_DIFFER_H

#include "codes/words.h"
#include "report/style.h"
#include "track/tracker.h"

#define DIFFER_MESSAGES_MAX 512u     /* of each call; later ones are not compared */
#define DIFFER_TEXT_MAX (16u << 20)  /* of both, kept */
#define DIFFER_MAX 2000u             /* differences; more are only counted */

enum differ_side { DIFFER_FIRST, DIFFER_SECOND, DIFFER_SIDES };
enum differ_kind {                   /* the most telling first; slugs in JSON */
    DIFFER_RESULT,                   /* state, code and phrase */
    DIFFER_CAUSE,
    DIFFER_ENDED_BY,
    DIFFER_MESSAGE,                  /* only one call has it */
    DIFFER_REPEATS,                  /* sent again in one */
    DIFFER_CODECS,                   /* of an SDP, in their order */
    DIFFER_MEDIA,                    /* kinds and protocols of the m= lines, refused ones */
    DIFFER_DIRECTION,                /* sendrecv, sendonly ... */
    DIFFER_MEDIA_ADDRESS,            /* kind of the address that media goes to */
    DIFFER_TRANSPORT,                /* udp, tcp ... of the message */
    DIFFER_OPTIONS,                  /* tags of Supported, Require, Allow ... only one has */
    DIFFER_HEADER,                   /* only one has it */
    DIFFER_AGENT,                    /* User-Agent, Server */
    DIFFER_TIME,                     /* a step that took more than twice as long */
    DIFFER_LINE,                     /* a header's value, or a line of SDP */
    DIFFER_KINDS
};
struct difference {
    enum differ_kind kind;
    slice    message;                /* "INVITE", "200 OK (INVITE)"; empty: of the whole call */
    slice    name;                   /* of the header or SDP line */
    slice    values[DIFFER_SIDES];   /* ptr NULL: it is not there */
    uint64_t frames[DIFFER_SIDES];   /* of the message, 0: none */
    bool     from_callee;
    int64_t  ns[DIFFER_SIDES];       /* of DIFFER_TIME */
};
slice differ_kind_name(enum differ_kind kind);             /* "message" */

struct differ;
struct differ *differ_new(void);                           /* NULL: no memory */
struct differ *differ_free(struct differ *d);
void differ_note(struct differ *d, enum differ_side side, const struct track_sighting *s);
void differ_call(struct differ *d, enum differ_side side, const struct call *c);
/* False: no memory. `words` is for the headline of causes. */
bool differ_compare(struct differ *d, const struct words *words);
size_t differ_count(const struct differ *d);
uint64_t differ_beyond(const struct differ *d);            /* that found no place */
uint64_t differ_left_out(const struct differ *d);          /* messages of both that were not compared */
const struct difference *differ_at(const struct differ *d, size_t index);

/* What is the same for this purpose comes out the same. Appends to `o`. */
void differ_canonical(struct out *o, enum sip_header_id id, slice value);
void differ_canonical_sdp(struct out *o, slice line);

/* Text for people, or JSON Lines: a "difference" each, then one "diff" that sums up. `names` say
 * which call is meant: "#2 of a.pcap". */
void differ_print(const struct differ *d, const slice names[DIFFER_SIDES], struct out *o,
                  const struct words *words, const struct style *style);
void differ_json(const struct differ *d, const slice names[DIFFER_SIDES], struct out *o);

#endif
