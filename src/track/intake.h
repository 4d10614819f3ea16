/* track/intake.h - what comes out of the wire, sorted: SIP to the tracker, the rest counted.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct intake in;
 *     intake_init(&in, tracker, media);
 *     w = wire_new(&limits, seed, intake_unit, &in);
 *
 * Counts are of what was found in the capture, copies and repeats included, as Wireshark
 * counts them; a message inside a tunnel counts once per appearance. */
#ifndef TRACK_INTAKE_H
#define TRACK_INTAKE_H

#include "media/table.h"
#include "track/tracker.h"

#define INTAKE_STATUS_MAX 700
#define INTAKE_OTHER_METHODS_MAX 32  /* methods that IANA does not know, by name */

enum intake_kind {                   /* what a datagram is, for those who ask what was there instead */
    INTAKE_SIP, INTAKE_KEEPALIVE, INTAKE_RTP, INTAKE_RTCP, INTAKE_STUN, INTAKE_DTLS, INTAKE_DNS,
    INTAKE_SIGCOMP, INTAKE_MALFORMED, INTAKE_OTHER, INTAKE_KINDS
};
slice intake_kind_name(enum intake_kind kind);            /* "rtp" */

struct intake_method {
    slice    name;
    uint64_t count;
};

struct intake {
    struct tracker *tracker;
    struct media_table *media;       /* NULL: RTP is only counted */
    int64_t         tick_ns;         /* when the tracker is told the time, if no message does it */
    struct arena    arena;           /* names of other methods */
    uint64_t sip_messages, hep;
    uint64_t kinds[INTAKE_KINDS];
    uint64_t requests[SIP_METHODS];  /* [SIP_UNKNOWN]: those beyond `others` */
    uint64_t responses[INTAKE_STATUS_MAX];
    struct intake_method others[INTAKE_OTHER_METHODS_MAX];
    unsigned other_count;
    uint64_t flawed, refusable;      /* messages with a flaw; with one worth a 400 */
    uint64_t skipped_bytes;          /* foreign bytes before messages on streams */
    struct sip_header room[SIP_HEADERS_MAX];
};

void intake_init(struct intake *in, struct tracker *tracker, struct media_table *media);
void intake_done(struct intake *in);
uint64_t intake_units(const struct intake *in);                     /* all kinds together */
void intake_unit(void *ctx, const struct wire_unit *unit);          /* a wire_unit_fn */
/* A wire_plain_fn, where there is a table of media: the next packet of a known stream. */
bool intake_plain(void *ctx, const uint8_t *ip, size_t total, const struct wire_frame *frame);

void intake_incident(void *ctx, const struct wire_incident *incident);      /* a wire_incident_fn */

#endif
