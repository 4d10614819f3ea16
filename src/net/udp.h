/* net/udp.h - the UDP sockets of one worker.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams come in by batches, into buffers that every datagram fits. What is sent waits until
 * udp_flush, the end of the loop's round, and then goes out by batches, too; while the kernel has
 * no room it waits for it, and when UDP_QUEUE_* is reached it is refused.
 *
 * A socket bound to 0.0.0.0 or :: sees for each datagram which address of ours it came to, and
 * an answer leaves from there.
 *
 *     struct udp *u = udp_new(loop, &(struct udp_handlers){ me, on_datagram, on_lost });
 *     int error = udp_listen(u, &wish, 0, &local, &what);
 *     udp_send(u, &hop, bytes);  udp_flush(u);
 *     udp_free(u);
 *
 * `lost` tells of what came back as unreachable by ICMP, or was refused by the kernel after it
 * had been taken over. Of such a hop only transport, listener and remote are sure, and an ICMP
 * message can be forged: it is a reason to try elsewhere, no proof. It is called from the loop
 * or from udp_flush, never from udp_send. Whoever is called back may send, but free nothing. */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "net/loop.h"
#include "net/socket.h"
#include "wire/hop.h"

#define UDP_LISTENERS_MAX     256u
#define UDP_QUEUE_DATAGRAMS   1024u      /* of one listener */
#define UDP_QUEUE_BYTES       (1u << 20)
#define UDP_KERNEL_BYTES      (4 << 20)  /* asked for each way; the kernel may give less */

struct udp;
struct udp_handlers {
    void *ctx;
    void (*datagram)(void *ctx, const struct hop *from, int64_t now_ns, slice bytes);
    void (*lost)(void *ctx, const struct hop *hop, int error, slice why);
};
struct udp_counts {
    uint64_t received, sent;         /* datagrams */
    uint64_t keepalives;             /* CRLF, NUL, jaK: not handed on */
    uint64_t refused;                /* the queue was full */
    uint64_t failed;                 /* the kernel would not send them */
    uint64_t unreachable;            /* told by ICMP */
    uint64_t kernel_drops;           /* came, and found the kernel's buffer full */
    int64_t  waited_ns;              /* in the kernel and in its batch: of the datagram being handed on, else 0 */
};

struct udp *udp_new(struct loop *l, const struct udp_handlers *handlers);    /* NULL: no memory */
struct udp *udp_free(struct udp *u);

/* `listener` is what hops will say, below UDP_LISTENERS_MAX and new. Local: with its true port. */
int udp_listen(struct udp *u, const struct socket_wish *wish, uint16_t listener, struct address *ret_local,
               enum net_fault_what *ret_what);

/* What waits goes out first, as far as the kernel takes it. Not from within a callback. */
void udp_close(struct udp *u, uint16_t listener);

/* From hop->local when the listener is a wildcard and it is an address. 0, or -EMSGSIZE,
 * -ENOBUFS (queue full), -EINVAL (no such listener, or of the other family). */
int  udp_send(struct udp *u, const struct hop *hop, slice bytes);
void udp_flush(struct udp *u);

const struct udp_counts *udp_counts(const struct udp *u);

#endif
