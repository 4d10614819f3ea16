/* net/ng.h - the socket to a media relay: carries the datagrams of switch/media_relay.h.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One connected UDP socket: the kernel drops what others send, and tells when nobody is there.
 *
 *     struct ng *n;
 *     int error = ng_open(&n, loop, &address, &(struct ng_handlers){ me, on_datagram, on_lost });
 *     struct media_sender sender = ng_sender(n);    // for media_relay_new
 *     ng_free(n);
 *
 * Both handlers are called from the loop; they may send. What the kernel has no room for is
 * lost; it is sent again. */
#ifndef NET_NG_H
#define NET_NG_H

#include "base/address.h"
#include "net/loop.h"
#include "switch/media_relay.h"

struct ng;
struct ng_handlers {
    void *ctx;
    void (*datagram)(void *ctx, slice bytes, int64_t now_ns);
    void (*lost)(void *ctx, int64_t now_ns);
};
struct ng_counts {
    uint64_t sent, received, failed; /* failed: not taken by the kernel, or came back as unreachable */
};

/* 0 or -errno. */
int        ng_open(struct ng **ret, struct loop *l, const struct address *relay, const struct ng_handlers *handlers);
struct ng *ng_free(struct ng *n);

struct media_sender     ng_sender(struct ng *n);
const struct ng_counts *ng_counts(const struct ng *n);

#endif
