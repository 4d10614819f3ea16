/* net/upgrade_test.c - who may speak SIP over WebSocket, and who is told no.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "net/upgrade.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define GET "GET /ws HTTP/1.1\r\nHost: pbx.example\r\n"
#define UP "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define SIP "Sec-WebSocket-Protocol: xmpp, sip\r\n"
#define K "Sec-WebSocket-Key: " KEY "\r\n"

TEST(the_answer_to_a_key_is_the_one_of_the_rfc)
{
    char accept[UPGRADE_ACCEPT_LEN + 1];

    upgrade_accept_of(SLICE(KEY), accept);           /* RFC 6455, 1.3 */
    CHECK_STR_EQ(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(requests_are_taken_or_refused_by_what_they_say)
{
    static const struct { slice in; enum upgrade want; } rows[] = {
        { SLICE_INIT(GET UP V13 SIP K "\r\n"), UPGRADE_OK },
        { SLICE_INIT(GET K SIP UP "Origin: https://a.example\r\n" V13 "\r\nframes"), UPGRADE_OK },
        { SLICE_INIT("GET / HTTP/1.1\nHost: a\nUPGRADE: WebSocket\nconnection: upgrade\n" V13 SIP K "\n"), UPGRADE_OK },
        { SLICE_INIT(""), UPGRADE_MORE },
        { SLICE_INIT("GE"), UPGRADE_MORE },
        { SLICE_INIT(GET UP V13 SIP K), UPGRADE_MORE },
        { SLICE_INIT(GET UP V13 SIP K "\r"), UPGRADE_MORE },
        { SLICE_INIT("INVITE sip:a"), UPGRADE_BAD },                   /* at once, not at the end */
        { SLICE_INIT("\x16\x03\x01\x02\x00\x01"), UPGRADE_BAD },       /* TLS on the port of WS */
        { SLICE_INIT("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), UPGRADE_BAD },
        { SLICE_INIT("GET / HTTP/1.0\r\nHost: a\r\n" UP V13 SIP K "\r\n"), UPGRADE_BAD },
        { SLICE_INIT("GET /\r\n\r\n"), UPGRADE_BAD },
        { SLICE_INIT("GET / HTTP/1.1\r\n" UP V13 SIP K "\r\n"), UPGRADE_BAD },    /* no Host */
        { SLICE_INIT(GET "\r\n"), UPGRADE_REQUIRED },                  /* a browser that looks around */
        { SLICE_INIT(GET UP SIP K "\r\n"), UPGRADE_REQUIRED },
        { SLICE_INIT(GET UP "Sec-WebSocket-Version: 8\r\n" SIP K "\r\n"), UPGRADE_REQUIRED },
        { SLICE_INIT(GET UP V13 K "\r\n"), UPGRADE_BAD },              /* RFC 7118, 4: sip must be asked for */
        { SLICE_INIT(GET UP V13 K "Sec-WebSocket-Protocol: sips\r\n\r\n"), UPGRADE_BAD },
        { SLICE_INIT(GET UP V13 SIP "\r\n"), UPGRADE_BAD },
        { SLICE_INIT(GET UP V13 SIP "Sec-WebSocket-Key: short==\r\n\r\n"), UPGRADE_BAD },
        { SLICE_INIT(GET UP V13 SIP K K "\r\n"), UPGRADE_BAD },        /* two keys */
        { SLICE_INIT(GET UP V13 SIP K "no colon\r\n\r\n"), UPGRADE_BAD },
        { SLICE_INIT(GET UP V13 SIP K " folded: x\r\n\r\n"), UPGRADE_BAD },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct upgrade_request r = { .head_len = 77 };

        CHECK_ROW_EQ(i, upgrade_read_request(rows[i].in, &r), rows[i].want);
        CHECK_ROW(i, (r.head_len == 77) == (rows[i].want != UPGRADE_OK));
        if (rows[i].want == UPGRADE_OK)
            CHECK_ROW(i, slice_eq(r.key, SLICE(KEY)));
    }
}

TEST(a_head_without_end_is_given_up)
{
    static char head[UPGRADE_HEAD_MAX + 100];
    struct upgrade_request r;

    memset(head, 'a', sizeof head);
    memcpy(head, GET, sizeof GET - 1);
    CHECK_EQ(upgrade_read_request(slice_of(head, UPGRADE_HEAD_MAX - 1), &r), UPGRADE_MORE);
    CHECK_EQ(upgrade_read_request(slice_of(head, UPGRADE_HEAD_MAX), &r), UPGRADE_BAD);
    CHECK_EQ(upgrade_read_request(slice_of(head, sizeof head), &r), UPGRADE_BAD);
}

TEST(what_we_ask_is_what_we_take_and_the_answer_too)
{
    char text[UPGRADE_TEXT_MAX], key[UPGRADE_KEY_LEN + 1];
    struct upgrade_request r;
    const char *why;
    size_t len, used;

    upgrade_make_key((const uint8_t *)"0123456789abcdef", key);
    len = upgrade_write_request(text, SLICE("pbx.example:8080"), SLICE("/sip"), slice_of_string(key));
    CHECK_EQ(upgrade_read_request(slice_of(text, len), &r), UPGRADE_OK);
    CHECK_EQ(r.head_len, len);
    CHECK_EQ(r.target, SLICE("/sip"));
    char answer[UPGRADE_TEXT_MAX];

    len = upgrade_write_answer(answer, UPGRADE_OK, r.key);
    CHECK_EQ(upgrade_read_answer(slice_of(answer, len), slice_of_string(key), &used, &why), UPGRADE_OK);
    CHECK_EQ(used, len);
    CHECK_EQ(upgrade_read_answer(slice_of(answer, len - 1), slice_of_string(key), &used, &why), UPGRADE_MORE);
    CHECK_EQ(upgrade_read_answer(slice_of(answer, len), SLICE("another"), &used, &why), UPGRADE_BAD);
    CHECK(slice_starts(slice_of(answer, upgrade_write_answer(answer, UPGRADE_BAD, (slice){ 0 })), SLICE("HTTP/1.1 400 ")));
    len = upgrade_write_answer(answer, UPGRADE_REQUIRED, (slice){ 0 });
    CHECK(slice_starts(slice_of(answer, len), SLICE("HTTP/1.1 426 ")));
    CHECK(slice_find(slice_of(answer, len), SLICE("Sec-WebSocket-Version: 13\r\n")) > 0);
    CHECK_EQ(upgrade_read_answer(slice_of(answer, len), slice_of_string(key), &used, &why), UPGRADE_BAD);
    CHECK_STR_EQ(why, "the upgrade to WebSocket was refused");
}
