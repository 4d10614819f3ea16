/* call/incident.h - the record of what the network refused: the same incident, summed up.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One row for each kind, code and pair of machines. Owned by the tracker that counts it. */
#ifndef CALL_INCIDENT_H
#define CALL_INCIDENT_H

#include "wire/incident.h"

struct incident {
    uint8_t  kind;                   /* enum wire_incident_kind */
    uint8_t  code, transport;
    bool     media;                  /* packets of RTP, not of signalling */
    uint32_t count;
    int64_t  first_ns, last_ns;
    uint64_t first_frame, last_frame;
    struct address src, dst;         /* of the first packet that failed */
};

/* What a call saw of it. */
enum call_incident_about {
    CALL_INCIDENT_TO_CALLEE,         /* signalling to the callee's side failed */
    CALL_INCIDENT_TO_CALLER,
    CALL_INCIDENT_MEDIA_TO_CALLER,
    CALL_INCIDENT_MEDIA_TO_CALLEE,
    CALL_INCIDENT_NEXT_HOP,          /* the server that was called did not get any further */
    CALL_INCIDENT_ABOUTS
};

#endif
