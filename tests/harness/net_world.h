/* tests/harness/net_world.h - two nets and bare sockets in one loop, all over the loopback.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Side 0 is the server with one listener, side 1 the client with one of the same transport.
 * Waiting is for events: world_wait goes round until `done` says so, a minute at most. */
#ifndef TESTS_HARNESS_NET_WORLD_H
#define TESTS_HARNESS_NET_WORLD_H

#include "net/net.h"

struct world;
struct side {
    struct world      *world;
    struct net        *net;
    struct address     at;           /* its listener */
    struct hop         from;         /* of the last message */
    size_t             messages, lost;
    char               last[4096];   /* the last message's beginning */
    size_t             last_len, bytes;
    struct hop         lost_hop;
    int                lost_error;
    char               why[128];
    slice              domain;       /* what it asks TLS peers to be */
    bool               echo, hang_up;
};
struct bare {                        /* a socket of no net */
    struct world     *world;
    struct loop_watch watch;
    char              got[65536];
    size_t            len;
    bool              ended;         /* closed or reset by the other end */
};
struct world {
    struct loop *loop;
    struct side  side[2];
};

struct world_settings {
    enum wire_transport  transport;
    const char          *ip;         /* "127.0.0.1" */
    struct tls_settings  server, client;
    struct stream_limits limits;     /* of both */
};
/* 0, or what net_open said. */
int  world_open(struct world *w, const struct world_settings *s, struct net_fault *ret_fault);
void world_close(struct world *w);

void world_wait(struct world *w, bool (*done)(const struct world *w));    /* or a test failed its memory */
bool world_served(const struct world *w);            /* a message came to side 0 */
bool world_answered(const struct world *w);          /* and one to side 1 */
bool world_lost(const struct world *w);              /* side 1 was told of a loss */
bool world_dropped(const struct world *w);           /* side 0 was */

/* From side 1 to side 0; the hop by which it went. */
int world_send(struct world *w, slice bytes, struct hop *ret);

void bare_open(struct bare *b, struct world *w);     /* connected to side 0 */
void bare_send(struct bare *b, slice bytes);         /* all of it, however long it takes */
void bare_wait(struct bare *b, size_t len);          /* until so many bytes came, or the end */
void bare_close(struct bare *b);

#endif
