/* switch/deadlist.h - which servers have just failed, so that the next request goes elsewhere.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A server is an address with port and a transport: TCP may be dead where UDP is well. It fails
 * by a time-out, by ICMP or a refused connection, or by 503; then it is blocked for 30 s, and
 * for twice as long each time that it fails again after a block, up to 5 min. One success
 * forgets all of it. A 503 with Retry-After says itself how long (RFC 3261, 21.5.4).
 *
 * What fails while it is blocked already counts once: a hundred calls under way time out
 * together. Memory is taken at the start; a full table forgets who failed longest ago.
 *
 *     struct deadlist *d = deadlist_new(&(struct deadlist_settings){0});
 *     deadlist_failed(d, &target.address, target.transport, 0, now_ns);
 *     while (targets_next(&targets, d, now_ns, &target)) ...                               */
#ifndef SWITCH_DEADLIST_H
#define SWITCH_DEADLIST_H

#include "base/address.h"
#include "base/hash.h"
#include "base/out.h"

struct deadlist_settings {           /* zero means the default in brackets */
    int64_t first_ns, longest_ns;    /* of a block (30 s, 5 min) */
    int64_t retry_after_max_ns;      /* what a Retry-After may ask for (1 h) */
    size_t  servers_max;             /* (1024) */
    struct hash_seed seed;
};
struct deadlist_counts {
    uint64_t blocked;                /* blocks that began */
    uint64_t forgotten;              /* for lack of room */
};

struct deadlist;
struct deadlist *deadlist_new(const struct deadlist_settings *settings);      /* NULL: no memory */
struct deadlist *deadlist_free(struct deadlist *d);

/* `transport`: enum wire_transport. `retry_after_ns` 0: none was given. */
void deadlist_failed(struct deadlist *d, const struct address *server, uint8_t transport, int64_t retry_after_ns,
                     int64_t now_ns);
void deadlist_succeeded(struct deadlist *d, const struct address *server, uint8_t transport);
/* When its block ends; 0: it is not blocked. */
int64_t deadlist_until_ns(const struct deadlist *d, const struct address *server, uint8_t transport, int64_t now_ns);

struct deadlist_counts deadlist_counts(const struct deadlist *d);
/* A line for each blocked server: "10.0.0.1:5060 udp, 12 s". */
void deadlist_debug(struct out *out, const struct deadlist *d, int64_t now_ns);

#endif
