/* net/net.h - everything a worker has to the network: its listeners, and one way to send.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Joins udp.h and stream.h behind struct hop and takes its turn in the loop after all others, so
 * that what they wrote in a round goes out together. Prints nothing: a fault says which listener,
 * what, and errno or OpenSSL's words.
 *
 *     static const struct net_listener at[] = { { .transport = WIRE_UDP, .address = ... }, ... };
 *     struct net_settings settings = { .listeners = at, .listener_count = ARRAY_LEN(at) };
 *     struct net_handlers handlers = { .ctx = me, .message = on_message, .lost = on_lost };
 *     struct net *n;
 *     int error = net_open(&n, loop, &settings, &handlers, &fault);
 *     struct hop_sender send = net_sender(n);       // for the switch
 *     loop_run(loop);
 *     net_free(n);
 *
 * `message` is called from the loop, `lost` from the loop and at the end of its round, never from
 * within a send. Both may send. What lost means: net/udp.h and net/stream.h. */
#ifndef NET_NET_H
#define NET_NET_H

#include "net/stream.h"
#include "net/udp.h"

#define NET_LISTENERS_MAX 256u

struct net_listener {
    enum wire_transport transport;   /* all but WIRE_SCTP */
    struct address      address;     /* of either family; 0.0.0.0 or :: is every one; port 0: any */
    struct tls_settings tls;         /* of WIRE_TLS and WIRE_WSS */
};
struct net_settings {
    const struct net_listener *listeners;            /* needed during net_open only, all of it */
    size_t                     listener_count;
    struct tls_settings        client;               /* for TLS connections that we make */
    struct stream_limits       limits;
    uint16_t                   worker;               /* from 0; makes connection numbers unique */
    bool                       shared;               /* there are several workers on these addresses */
};
struct net_handlers {
    void *ctx;
    void (*message)(void *ctx, const struct hop *from, int64_t now_ns, slice bytes);
    void (*lost)(void *ctx, const struct hop *hop, int error, slice why);
    slice (*domain)(void *ctx, const struct hop *to);    /* stream.h; may be NULL */
};

struct net;
/* 0, or -errno and the fault; nothing is open then. */
int         net_open(struct net **ret, struct loop *l, const struct net_settings *settings,
                     const struct net_handlers *handlers, struct net_fault *ret_fault);
struct net *net_free(struct net *n);

/* Other listeners and limits; of the settings only these two count. Listeners of the same
 * transport, address and port stay what they are, with their connections, and read their
 * certificates again. net_prepare opens the others and reads all certificates: 0, or -errno and the
 * fault, and nothing has changed. net_commit, which cannot fail, closes those that are not named any
 * more, and their connections, which are told as lost (error 0); net_cancel takes back what was
 * prepared (NULL is fine). In between no round of the loop; not from within a message or a loss. */
struct net_change;
int                net_prepare(struct net *n, const struct net_settings *settings, struct net_change **ret,
                               struct net_fault *ret_fault);
void               net_commit(struct net *n, struct net_change *c);
struct net_change *net_cancel(struct net *n, struct net_change *c);

/* A hop whose local.family is 0 has no listener yet, that of one which was closed has none any more:
 * the first of its transport and of the family of hop.remote is taken, and net_choose tells before
 * the message is written what its Via has to say. 0, or -EAFNOSUPPORT (there is no such listener), or why there is no route. */
int               net_choose(struct net *n, struct hop *hop);
struct hop_sender net_sender(struct net *n);
/* In the order of the settings, with its true port; NULL: there is none. */
const struct address *net_listener_address(const struct net *n, size_t listener);

int  net_alias(struct net *n, uint64_t connection, const struct address *alias);     /* stream.h */
void net_hang_up(struct net *n, uint64_t connection);
int  net_reload(struct net *n, struct net_fault *ret_fault);                         /* certificates */

struct net_counts {
    struct udp_counts    udp;
    struct stream_counts streams;
    size_t               connections;                /* now */
};
struct net_counts net_counts(const struct net *n);

#endif
