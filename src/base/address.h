/* base/address.h - an IP address with a port.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A value of 20 bytes without padding: compare with address_eq, hash its bytes. IPv4 stands
 * in the first four of `ip`, the rest zero. Network byte order in `ip`, host order in port. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/slice.h"

struct address {
    uint8_t  ip[16];
    uint16_t port;
    uint8_t  family;                 /* 4, 6, or 0: none */
    uint8_t  zero;
};

#define ADDRESS_TEXT_MAX 56          /* "[...]:65535" and a NUL */

struct address address_v4(const void *ip4, uint16_t port);
struct address address_v6(const void *ip6, uint16_t port);
static inline bool address_eq(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}
bool address_same_ip(const struct address *a, const struct address *b);    /* ports aside */

/* Of a range that the public network does not route: RFC 1918, 6598, 3927, 4193, loopback. */
bool address_is_private(const struct address *a);
/* 0.0.0.0 or ::, which is how RFC 2543 said hold. */
bool address_is_zero(const struct address *a);

/* "10.0.0.1:5060" or "[2001:db8::1]:5060"; the length written, always NUL-ended. */
size_t address_format(const struct address *a, char text[ADDRESS_TEXT_MAX]);
size_t address_format_ip(const struct address *a, char text[ADDRESS_TEXT_MAX]);   /* no port */

/* "10.0.0.1", "2001:db8::1" or "[2001:db8::1]", nothing else; port becomes 0. */
bool address_parse_ip(slice text, struct address *ret);

#endif
