/* switch/reach_test.c - whom we may connect to when a connection is gone, and where
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "harness/test.h"
#include "switch/reach.h"

#define TAGS "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=a\r\nTo: <sip:b@h>;tag=b\r\nCall-ID: c\r\n"
#define BYE TAGS "CSeq: 2 BYE\r\n\r\n"

static struct hop came_from(const char *ip, enum wire_transport transport)
{
    struct hop hop = { .local = { .ip = { 192, 0, 2, 1 }, .port = 5060, .family = 4 }, .connection = 7, .listener = 3,
                       .transport = (uint8_t)transport };

    CHECK(address_parse_ip(slice_of_string(ip), &hop.remote));
    hop.remote.port = 41234;
    return hop;
}

static void check_row(size_t i, bool found, const struct hop *to, const struct hop *gone, const char *expected)
{
    char text[ADDRESS_TEXT_MAX];

    CHECK_ROW_EQ(i, found, expected != NULL);
    if (!found || !expected)
        return;
    address_format(&to->remote, text);
    CHECK_ROW_EQ(i, slice_of_string(text), slice_of_string(expected));
    CHECK_ROW(i, to->connection == 0 && to->transport == gone->transport && to->listener == 3 && address_eq(&to->local, &gone->local));
}

TEST(a_request_goes_to_who_can_be_connected_to_and_to_nobody_else)
{
    static const struct { const char *text, *from; enum wire_transport transport; bool made; const char *to; } rows[] = {
        { "BYE sip:b@198.51.100.7 SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TCP, false, "198.51.100.7:5060" },
        { "BYE sip:b@198.51.100.7:5070;transport=tcp SIP/2.0\r\n" BYE, "198.51.100.9", WIRE_TCP, false, "198.51.100.7:5070" },
        { "BYE sips:b@198.51.100.7 SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TLS, false, "198.51.100.7:5061" },
        { "BYE sip:b@10.1.1.1 SIP/2.0\r\n" BYE, "10.1.1.1", WIRE_TCP, false, "10.1.1.1:5060" },
        { "BYE sip:b@h SIP/2.0\r\nRoute: <sip:198.51.100.8:5062;lr>, <sip:10.0.0.9;lr>\r\n" BYE, "198.51.100.8", WIRE_TCP, false,
          "198.51.100.8:5062" },
        { "BYE sip:b@10.1.1.1 SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TCP, false, NULL },            /* behind a translator */
        { "BYE sip:b@198.51.100.7;ob SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TCP, false, NULL },     /* RFC 5626 */
        { "BYE sip:b@198.51.100.7 SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_WS, false, NULL },
        { "BYE sip:b@198.51.100.7 SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_WSS, false, NULL },
        { "BYE sip:b@198.51.100.7;transport=udp SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TCP, false, NULL },
        { "BYE sip:b@gw.example SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TCP, false, NULL },
        { "BYE sip:b@[2001:db8::7] SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TCP, false, NULL },
        { "BYE tel:+1 SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TCP, false, NULL },
        { "BYE sip:b@gw.example SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_TLS, true, "198.51.100.7:41234" },
        { "BYE sip:b@10.1.1.1;ob SIP/2.0\r\n" BYE, "198.51.100.7", WIRE_WSS, true, "198.51.100.7:41234" },
        { "INVITE sip:b@198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=a\r\nTo: <sip:b@h>\r\n"
          "Call-ID: c\r\nCSeq: 1 INVITE\r\n\r\n", "198.51.100.7", WIRE_TCP, true, NULL },           /* begins a call */
        { "CANCEL sip:b@198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=a\r\nTo: <sip:b@h>\r\n"
          "Call-ID: c\r\nCSeq: 1 CANCEL\r\n\r\n", "198.51.100.7", WIRE_TCP, false, "198.51.100.7:5060" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hop gone = came_from(rows[i].from, rows[i].transport), to;

        gone.made = rows[i].made;
        check_row(i, reach_for_request(&gone, slice_of_string(rows[i].text), &to), &to, &gone, rows[i].to);
        gone.connection = 0;
        CHECK_ROW(i, !reach_for_request(&gone, slice_of_string(rows[i].text), &to));
    }
}

TEST(an_answer_goes_to_the_port_of_the_via_at_the_address_it_came_from)
{
    static const struct { const char *sent_by, *from; enum wire_transport transport; bool made; const char *to; } rows[] = {
        { "198.51.100.7", "198.51.100.7", WIRE_TCP, false, "198.51.100.7:5060" },
        { "198.51.100.7:5070", "198.51.100.7", WIRE_TCP, false, "198.51.100.7:5070" },
        { "phone.example", "198.51.100.7", WIRE_TLS, false, "198.51.100.7:5061" },
        { "198.51.100.8:5070", "198.51.100.7", WIRE_TCP, false, "198.51.100.7:5070" },
        { "10.1.1.1:5070", "198.51.100.7", WIRE_TCP, false, NULL },
        { "10.1.1.1:5070", "10.1.1.1", WIRE_TCP, false, "10.1.1.1:5070" },
        { "198.51.100.7", "198.51.100.7", WIRE_WS, false, NULL },
        { "10.1.1.1:5070", "198.51.100.7", WIRE_TLS, true, "198.51.100.7:41234" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hop gone = came_from(rows[i].from, rows[i].transport), to;
        char text[512];

        gone.made = rows[i].made;
        snprintf(text, sizeof text, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK1;received=198.51.100.7\r\nFrom: <sip:a@h>;tag=a\r\n"
                 "To: <sip:b@h>;tag=b\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n\r\n", rows[i].sent_by);
        check_row(i, reach_for_answer(&gone, slice_of_string(text), &to), &to, &gone, rows[i].to);
        memcpy(text + 8, "100", 3);
        CHECK_ROW(i, !reach_for_answer(&gone, slice_of_string(text), &to));
    }
}
