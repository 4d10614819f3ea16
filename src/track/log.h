/* track/log.h - what diagnosis will want to know of a message: its line in the call's trace
 * (call/trace.h) and the facts that it brings (call/facts.h).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Called once for every message of a leg, whatever it was judged to be; when memory is short
 * less is known, nothing else. */
#ifndef TRACK_LOG_H
#define TRACK_LOG_H

#include "sip/sdp.h"
#include "track/seen.h"
#include "call/call.h"

struct track_logged {                /* the message and what is known of it already */
    const struct wire_unit   *unit;
    const struct sip_message *message;
    const struct sdp         *sdp;   /* NULL: none, or not decoded */
    struct seen_verdict       seen;
    bool     request_from_callee;    /* direction of the transaction */
    uint32_t rseq;
    slice    join_header;            /* of this header the value is kept; empty: none */
};

void track_log(struct call *c, const struct track_logged *about);

#endif
