/* wire/incident.h - what the network says of packets that did not arrive: ICMP errors, refused
 * and broken TCP connections, TLS alerts in the clear.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Told as found, each time it is seen; who wants to know asks with wire_on_incident. `src` and
 * `dst` are those of the packet that failed (of a TLS alert: who sent it, and to whom). */
#ifndef WIRE_INCIDENT_H
#define WIRE_INCIDENT_H

#include "wire/wire.h"

enum wire_incident_kind {
    WIRE_ICMP_UNREACHABLE,           /* net, host or protocol, or forbidden by an administrator */
    WIRE_ICMP_PORT_CLOSED,
    WIRE_ICMP_TOO_BIG,               /* and must not be fragmented, or a fragment was late */
    WIRE_ICMP_EXPIRED,               /* TTL: a loop in the network */
    WIRE_TCP_REFUSED,                /* a RST in reply to the SYN */
    WIRE_TCP_NO_ANSWER,              /* the SYN was sent again, nobody answered */
    WIRE_TCP_BROKEN,                 /* a RST while SIP was spoken */
    WIRE_TLS_ALERT,                  /* fatal, or a warning other than close_notify */
    WIRE_INCIDENTS
};
slice wire_incident_name(enum wire_incident_kind kind);       /* "icmp-port-closed" */
/* Of a TLS alert (RFC 8446, 6): "bad_certificate"; empty when unknown. */
slice wire_tls_alert_name(unsigned description);

struct wire_incident {
    enum wire_incident_kind kind;
    enum wire_transport transport;   /* of the packet that failed */
    bool     media;                  /* the quote shows that it was RTP or RTCP */
    uint8_t  code;                   /* ICMP code; description of a TLS alert */
    int64_t  time_ns;
    uint64_t frame;
    struct address src, dst;         /* ports 0 when the quote is too short */
};
typedef void wire_incident_fn(void *ctx, const struct wire_incident *incident);

void wire_on_incident(struct wire *w, wire_incident_fn *fn, void *ctx);

#endif
