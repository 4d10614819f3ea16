/* net/socket.h - small steps between a struct address and the kernel.
 * SPDX-License-Identifier: Apache-2.0
 *
 * IPv6 sockets take IPv6 only: a listener has one family. An address of struct address has no
 * scope, so a link-local one (fe80::) cannot be sent to on a machine with several links. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <sys/socket.h>

#include "base/address.h"
#include "net/fault.h"

socklen_t socket_address_to(const struct address *a, struct sockaddr_storage *ret);   /* its length */
bool      socket_address_from(const struct sockaddr_storage *from, struct address *ret);

/* What our end of a socket is called; port 0 became a true one. */
int socket_local(int fd, struct address *ret);

/* Which address of ours the kernel would send from to get there; its port is 0. */
int socket_route(const struct address *to, struct address *ret);

struct socket_wish {
    int            type;             /* SOCK_DGRAM or SOCK_STREAM */
    struct address local;
    bool           shared;           /* several sockets take turns at one address (SO_REUSEPORT) */
    bool           first;            /* of those that share: nobody else may have it already */
};
/* A bound, non-blocking socket, or -errno with what did not work. */
int socket_bound(const struct socket_wish *wish, enum net_fault_what *ret_what);

int socket_set(int fd, int level, int option, int value);      /* 0 or -errno */

#endif
