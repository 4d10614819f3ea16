/* base/address_test.c - addresses as text and back
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/address.h"

TEST(an_address_is_read_only_when_nothing_else_is_there)
{
    static const struct { slice in; bool ok; const char *out; } rows[] = {
        { SLICE("10.0.0.1"),            true,  "10.0.0.1" },
        { SLICE("255.255.255.255"),     true,  "255.255.255.255" },
        { SLICE("2001:db8::1"),         true,  "2001:db8::1" },
        { SLICE("[2001:DB8:0::1]"),     true,  "2001:db8::1" },
        { SLICE("::"),                  true,  "::" },
        { SLICE("::ffff:10.0.0.1"),     true,  "::ffff:10.0.0.1" },
        { SLICE("10.0.0"),              false, NULL },
        { SLICE("10.0.0.256"),          false, NULL },
        { SLICE("10.0.0.1:5060"),       false, NULL },
        { SLICE("10.0.0.1 "),           false, NULL },
        { SLICE("10.0.0.1\0"),          false, NULL },
        { SLICE("[10.0.0.1]"),          false, NULL },       /* brackets are for IPv6 */
        { SLICE("[2001:db8::1"),        false, NULL },
        { SLICE("2001:db8::1]"),        false, NULL },
        { SLICE("1::2::3"),             false, NULL },
        { SLICE("fe80::1%eth0"),        false, NULL },
        { SLICE("example.org"),         false, NULL },
        { SLICE("[]"),                  false, NULL },
        { SLICE(""),                    false, NULL },
        { SLICE("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff:1"),
                                        false, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address a = { .port = 77 };
        char text[ADDRESS_TEXT_MAX];
        bool ok = address_parse_ip(rows[i].in, &a);

        CHECK_ROW_EQ(i, ok, rows[i].ok);
        CHECK_ROW_EQ(i, a.port, ok ? 0 : 77);                /* untouched */
        if (ok) {
            CHECK_ROW_EQ(i, address_format_ip(&a, text), strlen(rows[i].out));
            CHECK_ROW_EQ(i, text, rows[i].out);
        }
    }
}

TEST(an_address_of_ipv6_has_brackets_before_its_port)
{
    static const uint8_t v4[4] = { 192, 0, 2, 1 }, v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 9 };
    struct address a = address_v4(v4, 5060), b = address_v6(v6, 65535);
    char text[ADDRESS_TEXT_MAX];

    CHECK_EQ(address_format(&a, text), 14);
    CHECK_STR_EQ(text, "192.0.2.1:5060");
    CHECK_EQ(address_format(&b, text), 19);
    CHECK_STR_EQ(text, "[2001:db8::9]:65535");
    memset(b.ip, 0x11, sizeof(b.ip));
    CHECK_EQ(address_format(&b, text), strlen("[1111:1111:1111:1111:1111:1111:1111:1111]:65535"));
}

TEST(addresses_differ_by_ip_port_and_family)
{
    static const uint8_t ip[16] = { 10, 0, 0, 1 };
    struct address a = address_v4(ip, 5060), b = address_v4(ip, 5061), c = address_v6(ip, 5060);

    CHECK(address_eq(&a, &a));
    CHECK(!address_eq(&a, &b));
    CHECK(address_same_ip(&a, &b));
    CHECK(!address_eq(&a, &c));
    CHECK(!address_same_ip(&a, &c));
    CHECK_EQ(sizeof(struct address), 20);
}
