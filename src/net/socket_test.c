/* net/socket_test.c - addresses there and back, and who may share one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <errno.h>
#include <unistd.h>

#include "net/socket.h"

static struct address ip(const char *text, uint16_t port)
{
    struct address a = { 0 };

    CHECK(address_parse_ip(slice_of_string(text), &a));
    a.port = port;
    return a;
}

TEST(an_address_survives_the_kernels_form)
{
    static const char *const rows[] = { "127.0.0.1", "0.0.0.0", "203.0.113.255", "::", "::1", "2001:db8::5" };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address a = ip(rows[i], 5061), b = { 0 };
        struct sockaddr_storage s;

        (void)socket_address_to(&a, &s);
        CHECK_ROW(i, socket_address_from(&s, &b) && address_eq(&a, &b));
    }
}

TEST(a_route_to_ourselves_leaves_from_there)
{
    struct address to = ip("127.0.0.1", 9), from = { 0 };

    CHECK_EQ(socket_route(&to, &from), 0);
    to.port = 0;
    CHECK(address_eq(&to, &from));
}

TEST(an_address_in_use_is_refused_and_said_so)
{
    static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct socket_wish wish = { .type = types[i], .local = ip("127.0.0.1", 0) };
        enum net_fault_what what = NET_FAULT_NONE;
        int fd = socket_bound(&wish, &what);

        CHECK_ROW(i, fd >= 0);
        CHECK_ROW_EQ(i, socket_local(fd, &wish.local), 0);
        CHECK_ROW(i, wish.type == SOCK_DGRAM || listen(fd, 1) == 0);
        CHECK_ROW_EQ(i, socket_bound(&wish, &what), -EADDRINUSE);
        CHECK_ROW_EQ(i, what, NET_FAULT_BIND);
        (void)close(fd);
    }
}

TEST(workers_share_an_address_but_a_second_server_may_not_join)
{
    struct socket_wish wish = { .type = SOCK_DGRAM, .local = ip("::1", 0), .shared = true, .first = true };
    enum net_fault_what what;
    int first = socket_bound(&wish, &what), second;

    CHECK(first >= 0);
    CHECK_EQ(socket_local(first, &wish.local), 0);
    CHECK_EQ(socket_bound(&wish, &what), -EADDRINUSE);
    wish.first = false;
    second = socket_bound(&wish, &what);
    CHECK(second >= 0);
    (void)close(first);
    (void)close(second);
}
