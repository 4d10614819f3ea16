/* wire/hep_unit.c - see hep_unit.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/hep_unit.h"

enum { HEP_TCP = 6, HEP_SCTP = 132, HEP_INFLATED_MAX = 65536 };

static enum wire_transport hep_transport(const struct hep_packet *h)
{
    return h->protocol == HEP_TCP ? WIRE_TCP : h->protocol == HEP_SCTP ? WIRE_SCTP : WIRE_UDP;
}

static struct wire_unit hep_unit(const struct wire_unit *outer, const struct hep_packet *h)
{
    struct wire_unit u = *outer;

    u.transport = hep_transport(h);
    u.kind = u.transport == WIRE_UDP || h->payload_type != HEP_PAYLOAD_SIP ? WIRE_DATAGRAM
                                                                           : WIRE_MESSAGE;
    u.time_ns = h->time_ns;
    if (h->src.family)
        u.src = h->src;
    if (h->dst.family)
        u.dst = h->dst;
    u.payload = h->payload;
    u.ip_id = 0;                          /* the agent's own packet, not the one it saw */
    u.ttl = 0;
    u.cut = h->cut;
    u.hep = true;
    u.hep_payload_type = h->payload_type;
    u.hep_agent = h->agent;
    u.hep_correlation = h->correlation;
    u.stream_before = (slice){ 0 };
    return u;
}

/* Apart, so that only compressed payloads pay for the buffer on the stack. */
static __attribute__((noinline)) bool hep_inflated_out(struct wire_unit *u, wire_unit_fn *unit,
                                                       void *ctx)
{
    char room[HEP_INFLATED_MAX];

    if (!hep_inflate(u->payload, room, sizeof room, &u->payload))
        return false;
    unit(ctx, u);
    return true;
}

bool hep_unit_out(const struct wire_unit *outer, struct wire_counts *counts, wire_unit_fn *unit,
                  void *ctx)
{
    struct hep_packet h;
    bool bad;

    if (!hep_parse(outer->payload, outer->time_ns, &h))
        return false;
    struct wire_unit u = hep_unit(outer, &h);

    counts->hep_packets++;
    bad = h.bad || (h.cut && !outer->cut);
    if (h.payload.ptr && h.compressed)
        bad |= !hep_inflated_out(&u, unit, ctx);
    else if (h.payload.ptr)
        unit(ctx, &u);
    counts->hep_bad += bad;
    return true;
}
