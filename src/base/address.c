/* base/address.c - see address.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>

struct address address_v4(const void *ip4, uint16_t port)
{
    struct address a = { .port = port, .family = 4 };

    memcpy(a.ip, ip4, 4);
    return a;
}

struct address address_v6(const void *ip6, uint16_t port)
{
    struct address a = { .port = port, .family = 6 };

    memcpy(a.ip, ip6, 16);
    return a;
}

bool address_same_ip(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

size_t address_format_ip(const struct address *a, char text[ADDRESS_TEXT_MAX])
{
    text[0] = '\0';
    if (a->family)
        (void)inet_ntop(a->family == 6 ? AF_INET6 : AF_INET, a->ip, text, ADDRESS_TEXT_MAX);
    return strlen(text);
}

size_t address_format(const struct address *a, char text[ADDRESS_TEXT_MAX])
{
    char ip[ADDRESS_TEXT_MAX];

    address_format_ip(a, ip);
    int n = snprintf(text, ADDRESS_TEXT_MAX, a->family == 6 ? "[%s]:%u" : "%s:%u", ip,
                     (unsigned)a->port);

    return n < 0 ? 0 : (size_t)n;
}

bool address_parse_ip(slice text, struct address *ret)
{
    char copy[INET6_ADDRSTRLEN];
    struct address a = {0};

    if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = slice_of(text.ptr + 1, text.len - 2);
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, a.ip) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, copy, a.ip) == 1)
        a.family = 6;
    else
        return false;
    *ret = a;
    return true;
}
