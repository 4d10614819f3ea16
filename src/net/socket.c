/* net/socket.c - see socket.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

socklen_t socket_address_to(const struct address *a, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof *ret);
    if (a->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret;

        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->ip, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    memcpy(&in6->sin6_addr, a->ip, 16);
    return sizeof *in6;
}

bool socket_address_from(const struct sockaddr_storage *from, struct address *ret)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

    if (from->ss_family == AF_INET)
        *ret = address_v4(&in->sin_addr, ntohs(in->sin_port));
    else if (from->ss_family == AF_INET6)
        *ret = address_v6(&in6->sin6_addr, ntohs(in6->sin6_port));
    else
        return false;
    return true;
}

int socket_local(int fd, struct address *ret)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;

    if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return -errno;
    return socket_address_from(&at, ret) ? 0 : -EAFNOSUPPORT;
}

int socket_route(const struct address *to, struct address *ret)
{
    struct sockaddr_storage there;
    socklen_t len = socket_address_to(to, &there);
    int fd = socket(there.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct address local;
    int error;

    if (fd < 0)
        return -errno;
    error = connect(fd, (struct sockaddr *)&there, len) < 0 ? -errno : socket_local(fd, &local);
    (void)close(fd);
    if (error < 0)
        return error;
    local.port = 0;
    *ret = local;
    return 0;
}

int socket_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int bind_one(const struct socket_wish *wish, bool shared, enum net_fault_what *ret_what)
{
    struct sockaddr_storage at;
    socklen_t len = socket_address_to(&wish->local, &at);
    int fd = socket(at.ss_family, wish->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;

    *ret_what = NET_FAULT_SOCKET;
    if (fd < 0)
        return -errno;
    if (at.ss_family == AF_INET6)
        error = socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (!error && wish->type == SOCK_STREAM)         /* connections of a former life linger */
        error = socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!error && shared)
        error = socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!error && bind(fd, (struct sockaddr *)&at, len) < 0) {
        *ret_what = NET_FAULT_BIND;
        error = -errno;
    }
    if (!error)
        return fd;
    (void)close(fd);
    return error;
}

/* A second server of the same user would be let in to share, and take half of the messages
 * without a word. So the first of ours looks whether the place is free. */
int socket_bound(const struct socket_wish *wish, enum net_fault_what *ret_what)
{
    if (wish->shared && wish->first && wish->local.port) {
        int fd = bind_one(wish, false, ret_what);

        if (fd < 0)
            return fd;
        (void)close(fd);
    }
    return bind_one(wish, wish->shared, ret_what);
}
