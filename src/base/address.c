/* base/address.c - see address.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>

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

static size_t put_number(char *at, unsigned number)
{
    char digits[5];
    size_t n = 0, len;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10));
    for (len = n; n > 0; n--)
        *at++ = digits[n - 1];
    return len;
}

size_t address_format_ip(const struct address *a, char text[ADDRESS_TEXT_MAX])
{
    size_t n = 0;

    for (size_t i = 0; a->family == 4 && i < 4; i++) {
        if (i)
            text[n++] = '.';
        n += put_number(text + n, a->ip[i]);
    }
    text[n] = '\0';
    if (a->family == 6 && inet_ntop(AF_INET6, a->ip, text, ADDRESS_TEXT_MAX))
        n = strlen(text);
    return n;
}

size_t address_format(const struct address *a, char text[ADDRESS_TEXT_MAX])
{
    char ip[ADDRESS_TEXT_MAX];
    size_t len = address_format_ip(a, ip), n = 0;

    if (a->family == 6)
        text[n++] = '[';
    memcpy(text + n, ip, len);
    n += len;
    if (a->family == 6)
        text[n++] = ']';
    text[n++] = ':';
    n += put_number(text + n, a->port);
    text[n] = '\0';
    return n;
}

/* Four numbers up to 255 of up to three digits, as inet_pton has it, in one pass. */
static bool parse_v4(slice text, struct address *ret)
{
    struct address a = { .family = 4 };
    const char *at = text.ptr, *end = text.ptr + text.len;

    for (size_t part = 0; part < 4; part++) {
        const char *first = at;
        unsigned number = 0;

        for (; at < end && is_digit(*at); at++)
            number = number * 10 + (unsigned)(*at - '0');
        if (at == first || at - first > 3 || number > 255 || (at - first > 1 && *first == '0'))
            return false;
        a.ip[part] = (uint8_t)number;
        if (part < 3 && (at == end || *at++ != '.'))
            return false;
    }
    if (at != end)
        return false;
    *ret = a;
    return true;
}

static bool parse_v6(slice text, struct address *ret)
{
    char copy[INET6_ADDRSTRLEN];
    struct address a = { .family = 6 };
    bool bracketed = text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';

    if (bracketed)
        text = slice_of(text.ptr + 1, text.len - 2);
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET6, copy, a.ip) != 1)
        return false;
    *ret = a;
    return true;
}

bool address_parse_ip(slice text, struct address *ret)
{
    return (text.len && is_digit(text.ptr[0]) && parse_v4(text, ret)) || parse_v6(text, ret);
}

bool address_is_zero(const struct address *a)
{
    static const uint8_t zero[16];

    return memcmp(a->ip, zero, sizeof zero) == 0;
}

bool address_is_private(const struct address *a)
{
    static const struct { uint8_t first[4], mask[4]; } ranges[] = {
        { { 10 },           { 255 } },                    /* RFC 1918 */
        { { 172, 16 },      { 255, 240 } },
        { { 192, 168 },     { 255, 255 } },
        { { 100, 64 },      { 255, 192 } },               /* RFC 6598: carrier NAT */
        { { 169, 254 },     { 255, 255 } },               /* RFC 3927 */
        { { 127 },          { 255 } },
    };

    if (a->family == 6)                                   /* RFC 4193, link-local, ::1 */
        return (a->ip[0] & 0xfe) == 0xfc || (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80) ||
               (a->ip[15] == 1 && memcmp(a->ip, (uint8_t[15]){0}, 15) == 0);
    for (size_t i = 0; a->family == 4 && i < ARRAY_LEN(ranges); i++) {
        bool in = true;

        for (size_t j = 0; j < 4; j++)
            in = in && (a->ip[j] & ranges[i].mask[j]) == ranges[i].first[j];
        if (in)
            return true;
    }
    return false;
}
