/* wire/incident_int.h - where the layers report an incident; see incident.h
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_INCIDENT_INT_H
#define WIRE_INCIDENT_INT_H

#include "wire/incident.h"
#include "wire/packet.h"

struct incidents_to {
    wire_incident_fn *fn;            /* NULL: nobody asks */
    void             *ctx;
};

/* An ICMP or ICMPv6 message; `p` has the addresses of who sent it. */
void incident_icmp(const struct incidents_to *to, const struct wire_packet *p, bool v6, slice s);
/* Of a TCP segment; `reversed`: it is the answer to what failed. */
void incident_tcp(const struct incidents_to *to, const struct wire_packet *p,
                  enum wire_incident_kind kind, bool reversed);
/* Is this segment of a TLS connection an alert? */
void incident_tls(const struct incidents_to *to, const struct wire_packet *p, slice payload);

#endif
