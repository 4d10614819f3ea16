/* net/stream.h - TCP, TLS, WebSocket and WSS: the connections of one worker.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Listens, connects when there is something to send and no connection to send it by, cuts what
 * comes into messages, answers CRLF CRLF with CRLF (RFC 5626, 3.5.1). Everything a peer can make
 * grow or last has a limit in struct stream_limits.
 *
 *     struct streams *s = streams_new(loop, &limits, worker, &handlers);
 *     int error = streams_listen(s, &wish, 0, &local, &fault);
 *     error = streams_send(s, &hop, bytes);        // hop.connection says by which one it went
 *     int64_t due_ns = streams_turn(s, now_ns);    // at the end of each round of the loop
 *     streams_free(s);
 *
 * A message goes by hop.connection when one is named, or by one that is open to the same remote
 * address over the same listener and, with TLS, for the same domain; else a new one is made, and
 * what is sent meanwhile waits. hop.local of a connection is what a peer could connect to: the
 * port is the listener's, whichever end began.
 *
 * `message` is called from the loop; `lost`, for each connection that a message came or went by,
 * from streams_turn. Both may send and hang up. Error 0: the peer closed it in order with nothing
 * of ours waiting; ETIMEDOUT: it was silent or slow; else what went wrong. Messages that wait for
 * a connection that is lost are lost with it. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/tally.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/tls.h"
#include "wire/hop.h"

#define STREAM_LISTENERS_MAX 256u

struct stream_limits {               /* zero means the default in brackets */
    uint32_t connections_max;        /* (16384) */
    uint32_t per_source_max;         /* that came from one IPv4 address or IPv6 /64 (1024) */
    struct tally *sources;           /* they are counted there, with those of other workers; NULL: alone.
                                      * It outlives the streams, and stays the same */
    uint32_t message_max;            /* bytes of one message (65536) */
    uint32_t waiting_max;            /* bytes that one peer is slow to take (262144) */
    size_t   bytes_max;              /* buffers of all connections (64 MiB) */
    int64_t  connect_ns;             /* (5 s) */
    int64_t  handshake_ns;           /* TLS, then as long again for the upgrade (10 s) */
    int64_t  message_ns;             /* from the first byte of a message to its last (10 s) */
    int64_t  write_ns;               /* the peer takes nothing at all (30 s) */
    int64_t  idle_ns;                /* (15 min) */
};
struct stream_counts {
    uint64_t received, sent;         /* messages */
    uint64_t keepalives;             /* answered */
    uint64_t accepted, connected;    /* connections that came, that were made */
    uint64_t over_limit;             /* connections refused: in all, of one source, no descriptor */
    uint64_t failed;                 /* ended by an error or a time limit */
    uint64_t not_sip, oversized;     /* of these, for what they sent */
    uint64_t refused;                /* messages that found no room, or no connection */
};
struct stream_handlers {
    void *ctx;
    void (*message)(void *ctx, const struct hop *from, int64_t now_ns, slice bytes);
    void (*lost)(void *ctx, const struct hop *hop, int error, slice why);
    /* Which domain must the peer of a new TLS connection prove to be (RFC 5922)? May be NULL,
     * and answer an empty slice: any that the authorities vouch for. */
    slice (*domain)(void *ctx, const struct hop *to);
};
struct stream_wish {
    struct socket_wish         socket;
    enum wire_transport        transport;            /* WIRE_TCP, _TLS, _WS or _WSS */
    const struct tls_settings *tls;                  /* of TLS and WSS */
};

struct streams;
struct streams *streams_new(struct loop *l, const struct stream_limits *limits, uint16_t worker,
                            const struct stream_handlers *handlers);   /* NULL: no memory */
struct streams *streams_free(struct streams *s);     /* tells nobody; peers see an orderly end */

/* What connections of our own making use for TLS; without it they trust whom the system trusts. */
int streams_trust(struct streams *s, const struct tls_settings *client, struct net_fault *ret_fault);
int streams_listen(struct streams *s, const struct stream_wish *wish, uint16_t listener,
                   struct address *ret_local, struct net_fault *ret_fault);
/* The listener and its connections are closed; they are told as lost, error 0. */
void streams_close(struct streams *s, uint16_t listener);
/* `fresh` is taken over for what comes to this listener from now on. */
void streams_take_tls(struct streams *s, uint16_t listener, struct tls *fresh);
void streams_set_limits(struct streams *s, const struct stream_limits *limits);      /* for what comes from now on */
/* Reads all certificates again; those that cannot be read stay as they were. */
int streams_reload(struct streams *s, struct net_fault *ret_fault);
int streams_reload_client(struct streams *s, struct net_fault *ret_fault);     /* those of connections of our own making */

/* hop->listener must be one of ours and of the hop's transport. 0, or -EINVAL, -ENOTCONN (the
 * connection is gone), -EMSGSIZE, -ENOBUFS (a limit), -ENOMEM, or what connect() says at once. */
int     streams_send(struct streams *s, struct hop *hop, slice bytes);
int64_t streams_turn(struct streams *s, int64_t now_ns);

/* From now on what goes to `alias` by this transport and listener may take the connection
 * (RFC 5923). Whether the peer may claim that address is for the caller to know. */
int  streams_alias(struct streams *s, uint64_t connection, const struct address *alias);
void streams_hang_up(struct streams *s, uint64_t connection);         /* told as lost, error 0 */

size_t                      streams_open_count(const struct streams *s);
const struct stream_counts *streams_counts(const struct streams *s);

#endif
