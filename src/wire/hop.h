/* wire/hop.h - one hop of a message: our end of it, theirs, and what carries it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A value. What comes in brings the hop it came by, and an answer goes back by the same hop;
 * what RFC 5626 calls a flow is a hop with a connection. (A "flow" is a pattern of messages
 * here: call/flow.h.)
 *
 * `connection` names an open connection of TCP, TLS or WebSocket, never two in the life of
 * the process; 0 means none yet: who sends by it opens one, and puts its number in. UDP has
 * none. `listener` is which of our own addresses this is: a number that stays while it is listened on. */
#ifndef WIRE_HOP_H
#define WIRE_HOP_H

#include "base/address.h"
#include "wire/wire.h"

struct hop {
    struct address local, remote;
    uint64_t       connection;
    uint16_t       listener;
    uint8_t        transport;        /* enum wire_transport */
    bool           made;             /* we opened `connection`: `remote` can be connected to again */
};

static inline bool hop_is_reliable(const struct hop *h) { return h->transport != WIRE_UDP; }
static inline bool hop_same(const struct hop *a, const struct hop *b)
{
    return a->transport == b->transport && a->connection == b->connection && a->listener == b->listener &&
           address_eq(&a->remote, &b->remote);
}

/* A message that came or went by it, as whoever follows calls is told of captured ones. */
static inline struct wire_unit hop_unit(const struct hop *h, bool sent, slice bytes, int64_t now_ns, uint64_t number)
{
    return (struct wire_unit){ .kind = hop_is_reliable(h) ? WIRE_MESSAGE : WIRE_DATAGRAM,
                               .transport = (enum wire_transport)h->transport, .time_ns = now_ns, .frame = number,
                               .src = sent ? h->local : h->remote, .dst = sent ? h->remote : h->local,
                               .payload = bytes, .ttl = 64 };
}

/* How messages leave. The socket's side fills it in, a simulator another one.
 * 0: taken over (a copy is kept when it cannot go at once), or -errno: it will never go, and
 * nobody is told of it again. What fails later is told to whoever listens for lost hops. */
struct hop_sender {
    void *ctx;
    int (*send)(void *ctx, struct hop *to, slice bytes);
    /* A hop whose local.family is 0 has no listener yet, another may have lost the one it names:
     * fills in which, and our address there. 0 or -errno: none will do. May be NULL. */
    int (*choose)(void *ctx, struct hop *to);
};

#endif
