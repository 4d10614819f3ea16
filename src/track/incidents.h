/* track/incidents.h - what the network refused while calls were on, kept for those whom it concerns.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The same incident is summed up in one row. Bounded: INCIDENTS_MAX rows, further ones are only
 * counted. A call asks at its end what became of packets to an address. */
#ifndef TRACK_INCIDENTS_H
#define TRACK_INCIDENTS_H

#include "base/hash.h"
#include "base/map.h"
#include "call/call.h"

#define INCIDENTS_MAX 1024u

struct incident_row;
struct incident_host {
    struct map_node      node;
    struct incident_row *row;
};
struct incident_row {
    struct map_node by_dst;
    struct incident_host hosts[2];   /* who sent it; of a TLS alert also whom it was sent to */
    struct incident incident;
};
struct incidents {
    struct map           by_dst;     /* address and port where the packet should have gone */
    struct map           by_host;    /* IP addresses, ports aside */
    struct incident_row *rows;
    size_t               count;
    uint64_t             beyond;     /* incidents that found no row */
};

int  incidents_init(struct incidents *s);                 /* 0 or -ENOMEM */
void incidents_done(struct incidents *s);
void incidents_add(struct incidents *s, const struct hash_seed *seed, const struct wire_incident *found);
/* The latest about packets to this address within the time; NULL: none. */
const struct incident *incidents_find(const struct incidents *s, const struct hash_seed *seed,
                                      const struct address *dst, int64_t from_ns, int64_t to_ns);
/* Fills facts->incidents of a call that ends. */
void incidents_tell_call(const struct incidents *s, const struct hash_seed *seed, struct call *c);

#endif
