/* sip/message_test.c - the message parser against what phones and attackers send.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/message.h"

static struct sip_header room[SIP_HEADERS_MAX];

/* `text` as a message; what is read borrows from it. */
static struct sip_message read_as(slice text, enum sip_framing framing)
{
    struct sip_message m;

    if (sip_message_parse(text, framing, room, ARRAY_LEN(room), &m) <= 0)
        FAIL("not read: %.60s", text.ptr);
    return m;
}
static struct sip_message read(const char *text)
{
    return read_as(slice_of_string(text), SIP_DATAGRAM);
}

static bool has_flaw(const struct sip_message *m, enum sip_flaw_kind kind)
{
    for (unsigned i = 0; i < m->flaw_count && i < SIP_FLAWS_MAX; i++)
        if (m->flaws[i].kind == kind)
            return true;
    return false;
}

#define VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
#define MF "Max-Forwards: 70\r\n"
#define FROM "From: <sip:a@a.example>;tag=1\r\n"
#define TO "To: <sip:b@b.example>\r\n"
#define ID "Call-ID: x@y\r\n"
#define OPTIONS "OPTIONS sip:b@b.example SIP/2.0\r\n"
#define REST VIA MF FROM TO ID "CSeq: 7 OPTIONS\r\n"

TEST(a_plain_request_is_read_whole_and_has_no_flaw)
{
    struct sip_message m = read("INVITE sip:bob@b.example SIP/2.0\r\n"
        "Via: SIP/2.0/TCP [2001:db8::1]:5070;branch=z9hG4bKa;rport;received=10.0.0.9\r\n"
        "Via: SIP/2.0/UDP h1, SIP/2.0/UDP h2\r\n" MF
        "From: \"A \\\"q\\\" B\" <sip:alice@a.example;x=y>;tag=9f;z\r\n"
        "To: Bob B. <sip:bob@b.example>\r\n"
        "Call-ID: abc@10.0.0.1\r\nCSeq: 314159 INVITE\r\nContact: <sip:alice@10.0.0.1>\r\n"
        "Content-Type: application/sdp ;charset=x\r\nContent-Length: 5\r\n\r\nv=0\r\n");

    CHECK_EQ(m.flaw_count, 0);
    CHECK(sip_message_is_valid(&m));
    CHECK(m.is_request);
    CHECK_EQ(m.method, SIP_INVITE);
    CHECK_EQ(m.uri, SLICE("sip:bob@b.example"));
    CHECK_EQ(m.via.transport, SLICE("TCP"));
    CHECK_EQ(m.via.host, SLICE("2001:db8::1"));
    CHECK_EQ(m.via.port, 5070);
    CHECK_EQ(m.via.branch, SLICE("z9hG4bKa"));
    CHECK_EQ(m.via.received, SLICE("10.0.0.9"));
    CHECK(m.via.rport.ptr && m.via.rport.len == 0);
    CHECK_EQ(m.via_count, 3);
    CHECK_EQ(m.from.display, SLICE("A \\\"q\\\" B"));
    CHECK_EQ(m.from.uri, SLICE("sip:alice@a.example;x=y"));
    CHECK_EQ(m.from.params, SLICE(";tag=9f;z"));
    CHECK_EQ(m.from.tag, SLICE("9f"));
    CHECK_EQ(m.to.display, SLICE("Bob B."));
    CHECK_EQ(m.call_id, SLICE("abc@10.0.0.1"));
    CHECK_EQ(m.cseq.number, 314159);
    CHECK_EQ(m.cseq.method_id, SIP_INVITE);
    CHECK_EQ(m.content_type, SLICE("application/sdp"));
    CHECK_EQ(m.body, SLICE("v=0\r\n"));
}

TEST(a_response_takes_its_method_from_cseq)
{
    struct sip_message m = read("SIP/2.0 486 Occup\xc3\xa9 ici\r\n" VIA FROM
        "To: <sip:b@b.example>;tag=2\r\n" ID "CSeq: 2 INVITE\r\n\r\n");

    CHECK(!m.is_request);
    CHECK_EQ(m.status, 486);
    CHECK_EQ(m.reason, SLICE("Occup\xc3\xa9 ici"));
    CHECK_EQ(m.method, SIP_INVITE);
    CHECK_EQ(m.method_text, SLICE("INVITE"));
    CHECK_EQ(m.flaw_count, 0);
}

TEST(every_way_to_write_a_header_leads_to_the_same_value)
{
    static const char *const ways[] = {
        "Call-ID: a b@c\r\n", "i: a b@c\r\n", "I:a b@c\r\n", "CALL-ID:\ta b@c \r\n",
        "call-id   :   a b@c\t\r\n", "cAlL-iD\t: a b@c\r\n", "Call-ID:\r\n a b@c\r\n",
        "Call-ID: a b@c\n", "i:a b@c\r\n", "Call-ID:   \r\n\ta b@c\r\n",
    };
    char text[512];

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        (void)snprintf(text, sizeof(text), OPTIONS VIA MF FROM TO "%sCSeq: 7 OPTIONS\r\n\r\n",
            ways[i]);
        struct sip_message m = read(text);
        const struct sip_header *h = sip_header_find(&m, SIP_H_CALL_ID);

        CHECK_ROW_EQ(i, m.call_id, SLICE("a b@c"));
        CHECK_ROW(i, h != NULL);
        CHECK_ROW(i, h->name.len == 1 || h->name.len == 7);
        CHECK_ROW(i, has_flaw(&m, SIP_FLAW_CALL_ID_SPACES));
    }
}

TEST(a_folded_value_is_one_value_and_the_next_line_another)
{
    struct sip_message m = read(OPTIONS REST
        "Subject: first\r\n  second\r\n\tthird\r\nX: y\r\nEmpty:\r\n\r\n");
    const struct sip_header *h = sip_header_find(&m, SIP_H_SUBJECT);

    CHECK_EQ(h->value, SLICE("first\r\n  second\r\n\tthird"));
    CHECK_EQ(sip_header_named(&m, SLICE("x"))->value, SLICE("y"));
    CHECK_EQ(sip_header_named(&m, SLICE("EMPTY"))->value.len, 0);
    CHECK_EQ(m.flaw_count, 0);
}

TEST(a_call_id_is_kept_to_the_last_byte)
{
    static const slice ids[] = {
        SLICE("a"), SLICE("a84b4c76e66710@pc33"), SLICE("a84b4c76e66710@pc3"),
        SLICE("<x>"), SLICE("[2001:db8::1]"), SLICE("a@[::1]"), SLICE("w(){}\"/\\?<>:"),
        SLICE("x;y=z"), SLICE("a,b"), SLICE("\"q\""), SLICE("\xc3\xa9"), SLICE("a\0b"),
    };
    char text[512];

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        size_t n = (size_t)snprintf(text, sizeof(text), OPTIONS VIA MF FROM TO "Call-ID: ");

        memcpy(text + n, ids[i].ptr, ids[i].len);
        n += ids[i].len;
        n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\nCSeq: 7 OPTIONS\r\n\r\n");
        struct sip_message m = read_as(slice_of(text, n), SIP_DATAGRAM);

        CHECK_ROW_EQ(i, m.call_id, ids[i]);
        CHECK_ROW_EQ(i, m.flaw_count, 0);
    }
}

TEST(each_breach_is_its_flaw_and_the_message_is_still_read)
{
    static const struct { const char *text; enum sip_flaw_kind flaw; int code; } rows[] = {
        { OPTIONS MF FROM TO ID "CSeq: 7 OPTIONS\r\n\r\n", SIP_FLAW_VIA_MISSING, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\n\r\n", SIP_FLAW_FROM_MISSING, 400 },
        { OPTIONS VIA MF FROM ID "CSeq: 7 OPTIONS\r\n\r\n", SIP_FLAW_TO_MISSING, 400 },
        { OPTIONS VIA MF FROM TO "CSeq: 7 OPTIONS\r\n\r\n", SIP_FLAW_CALL_ID_MISSING, 400 },
        { OPTIONS VIA MF FROM TO "Call-ID:\r\nCSeq: 7 OPTIONS\r\n\r\n",
          SIP_FLAW_CALL_ID_MISSING, 400 },
        { OPTIONS VIA MF FROM TO ID "\r\n", SIP_FLAW_CSEQ_MISSING, 400 },
        { OPTIONS VIA FROM TO ID "CSeq: 7 OPTIONS\r\n\r\n", SIP_FLAW_MAX_FORWARDS_MISSING, 0 },
        { OPTIONS VIA MF FROM TO ID "CSeq: 7 INVITE\r\n\r\n", SIP_FLAW_CSEQ_METHOD_DIFFERS, 400 },
        { OPTIONS VIA MF FROM TO ID "CSeq: 2147483648 OPTIONS\r\n\r\n", SIP_FLAW_CSEQ_BAD, 400 },
        { OPTIONS VIA MF FROM TO ID "CSeq: 7OPTIONS\r\n\r\n", SIP_FLAW_CSEQ_BAD, 400 },
        { OPTIONS VIA MF FROM TO ID "CSeq: 7\r\n\r\n", SIP_FLAW_CSEQ_BAD, 400 },
        { OPTIONS VIA MF FROM TO ID "CSeq: 99999999999999999999999 OPTIONS\r\n\r\n",
          SIP_FLAW_CSEQ_BAD, 400 },
        { OPTIONS REST "Max-Forwards: 5\r\n\r\n", SIP_FLAW_HEADER_REPEATED, 400 },
        { OPTIONS REST "i: z\r\n\r\n", SIP_FLAW_HEADER_REPEATED, 400 },
        { OPTIONS REST "no colon here\r\n\r\n", SIP_FLAW_LINE_WITHOUT_COLON, 400 },
        { OPTIONS REST "two words: x\r\n\r\n", SIP_FLAW_HEADER_NAME_BAD, 400 },
        { OPTIONS REST ": x\r\n\r\n", SIP_FLAW_HEADER_NAME_BAD, 400 },
        { OPTIONS " Via: x\r\n" REST "\r\n", SIP_FLAW_HEADER_NAME_BAD, 400 },
        { OPTIONS REST, SIP_FLAW_HEADER_END_MISSING, 400 },
        { OPTIONS REST "X: y", SIP_FLAW_HEADER_END_MISSING, 400 },
        { OPTIONS REST "X: y\n\r\n", SIP_FLAW_LINE_ENDS_WITHOUT_CR, 0 },
        { OPTIONS REST "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n\r\n", SIP_FLAW_DATE_BAD, 400 },
        { OPTIONS REST "Content-Length: -1\r\n\r\n", SIP_FLAW_CONTENT_LENGTH_BAD, 400 },
        { OPTIONS REST "Content-Length: 1 2\r\n\r\n", SIP_FLAW_CONTENT_LENGTH_BAD, 400 },
        { OPTIONS REST "Content-Length: 4294967296\r\n\r\n", SIP_FLAW_CONTENT_LENGTH_BAD, 400 },
        { OPTIONS REST "l: 3\r\nl: 2\r\n\r\nabc", SIP_FLAW_CONTENT_LENGTH_DIFFERS, 400 },
        { OPTIONS REST "l: 3\r\nl: 3\r\n\r\nabc", SIP_FLAW_HEADER_REPEATED, 400 },
        { OPTIONS REST "l: 4\r\n\r\nabc", SIP_FLAW_CONTENT_LENGTH_TOO_LARGE, 400 },
        { OPTIONS REST "l: 2\r\nc: a/b\r\n\r\nabc", SIP_FLAW_BYTES_AFTER_BODY, 0 },
        { OPTIONS REST "l: 3\r\n\r\nabc", SIP_FLAW_CONTENT_TYPE_MISSING, 0 },
        { OPTIONS REST "Contact: sip:a@b?x=y\r\n\r\n", SIP_FLAW_URI_NEEDS_BRACKETS, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: \"A <sip:a@b>;tag=1\r\n\r\n",
          SIP_FLAW_QUOTE_NOT_CLOSED, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: A, B <sip:a@b>;tag=1\r\n\r\n",
          SIP_FLAW_DISPLAY_NAME_BAD, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: <sip:a@b;tag=1\r\n\r\n",
          SIP_FLAW_BRACKET_NOT_CLOSED, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: < sip:a@b>;tag=1\r\n\r\n",
          SIP_FLAW_URI_SPACES, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: <>;tag=1\r\n\r\n",
          SIP_FLAW_URI_MISSING, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: <sip:a@b> x;tag=1\r\n\r\n",
          SIP_FLAW_TEXT_AFTER_ADDRESS, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: <sip:a@b>;tag=1, <sip:c@d>\r\n\r\n",
          SIP_FLAW_MANY_VALUES, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: sip:a@b?x=y;tag=1\r\n\r\n",
          SIP_FLAW_URI_NEEDS_BRACKETS, 400 },
        { OPTIONS VIA MF TO ID "CSeq: 7 OPTIONS\r\nFrom: <sip:a@b>\r\n\r\n",
          SIP_FLAW_FROM_TAG_MISSING, 0 },
        { OPTIONS MF FROM TO ID "CSeq: 7 OPTIONS\r\nVia: SIP/2.0/UDP h\r\n\r\n",
          SIP_FLAW_BRANCH_MISSING, 0 },
        { OPTIONS MF FROM TO ID "CSeq: 7 OPTIONS\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK\r\n\r\n",
          SIP_FLAW_BRANCH_EMPTY, 400 },
        { OPTIONS MF FROM TO ID "CSeq: 7 OPTIONS\r\nVia: SIP/2.0/UDP h;;branch=x\r\n\r\n",
          SIP_FLAW_PARAMETER_EMPTY, 400 },
        { OPTIONS MF FROM TO ID "CSeq: 7 OPTIONS\r\nVia: SIP/2.0/UDP h:70000;branch=x\r\n\r\n",
          SIP_FLAW_VIA_BAD, 400 },
        { OPTIONS MF FROM TO ID "CSeq: 7 OPTIONS\r\nVia: x\r\n\r\n", SIP_FLAW_VIA_BAD, 400 },
        { OPTIONS REST "Via: x\r\n\r\n", SIP_FLAW_VIA_BAD, 400 },
        { OPTIONS REST "Via: SIP/2.0/UDP h,,SIP/2.0/UDP i\r\n\r\n", SIP_FLAW_PARAMETER_EMPTY, 400 },
        { "SIP/2.0 200 OK\r\n" VIA FROM TO ID "CSeq: 7 OPTIONS\r\n\r\n", SIP_FLAW_TO_TAG_MISSING,
          0 },
        { "SIP/2.0 200 OK\r\n" VIA FROM TO ID "CSeq: 7 INVITE\r\n\r\n", SIP_FLAW_CONTACT_MISSING,
          0 },
        { "SIP/2.0 99 x\r\n" REST "\r\n", SIP_FLAW_STATUS_OUT_OF_RANGE, 400 },
        { "SIP/2.0 700 x\r\n" REST "\r\n", SIP_FLAW_STATUS_OUT_OF_RANGE, 400 },
        { "SIP/2.0 4294967301 x\r\n" REST "\r\n", SIP_FLAW_STATUS_OUT_OF_RANGE, 400 },
        { "SIP/2.0  200 x\r\n" REST "\r\n", SIP_FLAW_START_LINE_SPACES, 400 },
        { "OPTIONS  sip:b SIP/2.0\r\n" REST "\r\n", SIP_FLAW_START_LINE_SPACES, 400 },
        { "OPTIONS sip:b SIP/2.0 \r\n" REST "\r\n", SIP_FLAW_START_LINE_TRAILING_SPACE, 400 },
        { "OPTIONS sip:b SIP/7.0\r\n" REST "\r\n", SIP_FLAW_VERSION_UNKNOWN, 505 },
        { "OPTIONS <sip:b> SIP/2.0\r\n" REST "\r\n", SIP_FLAW_REQUEST_URI_IN_BRACKETS, 400 },
        { "OPTIONS sip:b c SIP/2.0\r\n" REST "\r\n", SIP_FLAW_REQUEST_URI_SPACES, 400 },
        { "OPTIONS sip:b?c=d SIP/2.0\r\n" REST "\r\n", SIP_FLAW_REQUEST_URI_HEADERS, 400 },
        { "OPTIONS sip:2001:db8::1 SIP/2.0\r\n" REST "\r\n", SIP_FLAW_IPV6_WITHOUT_BRACKETS, 400 },
        { "OPTIONS  SIP/2.0\r\n" REST "\r\n", SIP_FLAW_REQUEST_URI_MISSING, 400 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_message m = read(rows[i].text);

        CHECK_ROW(i, has_flaw(&m, rows[i].flaw));
        CHECK_ROW_EQ(i, sip_flaw_code(rows[i].flaw), rows[i].code);
        CHECK_ROW_EQ(i, sip_message_is_valid(&m), !m.refusable);
        CHECK_ROW(i, rows[i].code == 0 || !sip_message_is_valid(&m));
        CHECK_ROW(i, rows[i].flaw == SIP_FLAW_CALL_ID_MISSING || m.call_id.len == 3);
    }
}

TEST(only_a_start_line_makes_a_message)
{
    static const slice rows[] = {
        SLICE(""), SLICE("\r\n\r\n"), SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        SLICE("OPTIONS rtsp://x RTSP/1.0\r\n\r\n"), SLICE("HTTP/1.1 200 OK\r\n\r\n"),
        SLICE("INVITE sip:a\r\n\r\n"), SLICE("SIP/2.0 OK\r\n\r\n"), SLICE("SIP/2.0\r\n\r\n"),
        SLICE("\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"), SLICE("jaK"),
        SLICE("IN\x01VITE sip:a SIP/2.0\r\n\r\n"), SLICE("<133>syslog: SIP/2.0\r\n"),
        SLICE(" INVITE sip:a SIP/2.0\r\n\r\n"), SLICE("\0\0\0\0"),
    };
    struct sip_message m;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW(i, sip_message_parse(rows[i], SIP_DATAGRAM, room, ARRAY_LEN(room), &m) < 0);
        CHECK_ROW(i, sip_message_parse(rows[i], SIP_CUT, room, ARRAY_LEN(room), &m) < 0);
        CHECK_ROW(i, !sip_looks_like(rows[i]));
    }
    CHECK(sip_looks_like(SLICE("\r\n\r\nSIP/2.0 100 Trying\r\n")));
    CHECK(sip_looks_like(SLICE("sip/2.0 100\n")));
    CHECK(sip_looks_like(SLICE("NEW-method sip:x SIP/2.0\r\n")));
    CHECK(sip_looks_like(SLICE("INVITE sip:x  SIP/7.0 \r\n")));
}

TEST(a_status_that_does_not_fit_never_becomes_another)
{
    static const struct { const char *text; uint16_t status; } rows[] = {
        { "SIP/2.0 100 x\r\n\r\n", 100 }, { "SIP/2.0 699 x\r\n\r\n", 699 },
        { "SIP/2.0 404\r\n\r\n", 404 },   { "SIP/2.0 404 \r\n\r\n", 404 },
        { "SIP/2.0 0404 x\r\n\r\n", 0 },  { "SIP/2.0 65736 x\r\n\r\n", 0 },        /* 2^16 + 200 */
        { "SIP/2.0 4294967496 x\r\n\r\n", 0 }, { "SIP/2.0 20 x\r\n\r\n", 0 },
        { "SIP/2.0 2x0 x\r\n\r\n", 0 },   { "SIP/2.0 999 x\r\n\r\n", 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_message m = read(rows[i].text);

        CHECK_ROW_EQ(i, m.status, rows[i].status);
        CHECK_ROW_EQ(i, has_flaw(&m, SIP_FLAW_STATUS_OUT_OF_RANGE), rows[i].status == 0);
    }
    CHECK_EQ(read("SIP/2.0 4294967496 big\r\n\r\n").status_text, SLICE("4294967496"));
}

TEST(what_stands_twice_counts_the_first_time)
{
    struct sip_message m = read(OPTIONS REST "From: <sip:z@z>;tag=9\r\nTo: <sip:z@z>\r\n"
        "Call-ID: z\r\nCSeq: 9 OPTIONS\r\nVia: SIP/2.0/TCP z;branch=z\r\nl: 1\r\nl: 2\r\n\r\nab");

    CHECK_EQ(m.from.tag, SLICE("1"));
    CHECK_EQ(m.to.uri, SLICE("sip:b@b.example"));
    CHECK_EQ(m.call_id, SLICE("x@y"));
    CHECK_EQ(m.cseq.number, 7);
    CHECK_EQ(m.via.host, SLICE("192.0.2.1"));
    CHECK_EQ(m.via_count, 2);
    CHECK_EQ(m.content_length, 1);
    CHECK_EQ(m.body, SLICE("a"));
}

TEST(headers_of_one_name_are_chained_in_order_whatever_their_form)
{
    struct sip_message m = read(OPTIONS REST "Supported: a\r\nX: 1\r\nk: b\r\nSUPPORTED: c\r\nx: 2\r\n\r\n");
    const struct sip_header *h = sip_header_find(&m, SIP_H_SUPPORTED);

    CHECK_EQ(h->value, SLICE("a"));
    h = sip_header_next(&m, h);
    CHECK_EQ(h->value, SLICE("b"));
    h = sip_header_next(&m, h);
    CHECK_EQ(h->value, SLICE("c"));
    CHECK(sip_header_next(&m, h) == NULL);
    CHECK(sip_header_find(&m, SIP_H_ROUTE) == NULL);
    CHECK_EQ(sip_header_named(&m, SLICE("K"))->value, SLICE("a"));
    CHECK_EQ(sip_header_named(&m, SLICE("X"))->value, SLICE("1"));
    CHECK(sip_header_named(&m, SLICE("Y")) == NULL);
}

TEST(a_body_may_hold_anything)
{
    static const slice text = SLICE(OPTIONS REST "c: a/b\r\nl: 9\r\n\r\n\0\r\n\r\n\0\xff\nx");
    struct sip_message m = read_as(text, SIP_DATAGRAM);

    CHECK_EQ(m.body, SLICE("\0\r\n\r\n\0\xff\nx"));
    CHECK_EQ(m.flaw_count, 0);
    CHECK_EQ(m.all.len, text.len);
}

TEST(a_datagram_without_content_length_ends_with_its_bytes)
{
    struct sip_message m = read(OPTIONS REST "c: a/b\r\n\r\nrest of it");

    CHECK_EQ(m.body, SLICE("rest of it"));
    CHECK_EQ(m.content_length, UINT32_MAX);
    CHECK_EQ(m.flaw_count, 0);
}

TEST(a_stream_is_asked_for_more_until_the_message_is_whole)
{
    static const slice text = SLICE("\r\n" OPTIONS REST "c: a/b\r\nl: 3\r\n\r\nabcNEXT");
    struct sip_message m;

    for (size_t n = 0; n < text.len - 4; n++)
        CHECK_ROW_EQ(n, sip_message_parse(slice_head(text, n), SIP_STREAM, room, ARRAY_LEN(room),
            &m), 0);
    CHECK_EQ(sip_message_parse(text, SIP_STREAM, room, ARRAY_LEN(room), &m), text.len - 4);
    CHECK_EQ(m.body, SLICE("abc"));
    CHECK_EQ(m.flaw_count, 0);
    CHECK_EQ(m.all.len, text.len - 6);
    CHECK(sip_message_parse(SLICE("\x16\x03\x01\x02"), SIP_STREAM, room, ARRAY_LEN(room), &m) < 0);
    CHECK(sip_message_parse(SLICE("GET / HTTP/1.1\r\n"), SIP_STREAM, room, ARRAY_LEN(room),
        &m) < 0);
    CHECK_EQ(sip_message_parse(SLICE("GET / HTTP/1.1"), SIP_STREAM, room, ARRAY_LEN(room), &m), 0);
}

TEST(on_a_stream_a_message_without_length_ends_with_its_header)
{
    static const slice text = SLICE(OPTIONS REST "\r\nBYE sip:x SIP/2.0\r\n");
    struct sip_message m;
    ptrdiff_t used = sip_message_parse(text, SIP_STREAM, room, ARRAY_LEN(room), &m);

    CHECK_EQ(used, text.len - strlen("BYE sip:x SIP/2.0\r\n"));
    CHECK_EQ(m.body.len, 0);
    CHECK(has_flaw(&m, SIP_FLAW_CONTENT_LENGTH_MISSING));
}

TEST(half_a_captured_line_is_no_value_and_no_flaw)
{
    static const slice text = SLICE(OPTIONS VIA MF FROM TO "Call-ID: abcdefgh@host\r\nCSeq: 7 OPTIONS\r\n"
                                    "c: a/b\r\nl: 10\r\n\r\n12345");
    struct sip_message m;

    for (size_t n = strlen(OPTIONS); n <= text.len; n++) {
        CHECK_ROW(n, sip_message_parse(slice_head(text, n), SIP_CUT, room, ARRAY_LEN(room),
            &m) > 0);
        CHECK_ROW(n, m.call_id.len == 0 || slice_eq(m.call_id, SLICE("abcdefgh@host")));
        CHECK_ROW_EQ(n, m.flaw_count, 0);
    }
    CHECK(m.body_cut);
    CHECK_EQ(m.body, SLICE("12345"));
}

TEST(what_stands_behind_the_last_indexed_header_is_decoded_all_the_same)
{
    static char text[40000];
    size_t n = (size_t)snprintf(text, sizeof(text), OPTIONS);

    for (int i = 0; i < 2000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "X-Filler: %d\r\n", i);
    n += (size_t)snprintf(text + n, sizeof(text) - n, REST "c: a/b\r\nl: 2\r\n\r\nabc");
    struct sip_message m = read_as(slice_of(text, n), SIP_DATAGRAM);

    CHECK_EQ(m.header_count, SIP_HEADERS_MAX);
    CHECK_EQ(m.call_id, SLICE("x@y"));
    CHECK_EQ(m.from.tag, SLICE("1"));
    CHECK_EQ(m.cseq.number, 7);
    CHECK_EQ(m.via_count, 1);
    CHECK_EQ(m.body, SLICE("ab"));
    CHECK(has_flaw(&m, SIP_FLAW_TOO_MANY_HEADERS));
    CHECK(sip_message_is_valid(&m));
}

TEST(more_flaws_than_there_is_room_for_are_counted)
{
    static char text[8000];
    size_t n = (size_t)snprintf(text, sizeof(text), OPTIONS REST);

    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "no colon\r\n");
    n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\n");
    struct sip_message m = read_as(slice_of(text, n), SIP_DATAGRAM);

    CHECK_EQ(m.flaw_count, 100);
    CHECK(!sip_message_is_valid(&m));
}

TEST(a_flaw_says_where_it_is)
{
    struct sip_message m = read("\r\n" OPTIONS REST "Date: never\r\n\r\n");

    CHECK_EQ(m.flaw_count, 1);
    CHECK_EQ(m.flaws[0].kind, SIP_FLAW_DATE_BAD);
    CHECK_EQ(m.flaws[0].offset, strlen(OPTIONS REST));
    CHECK_EQ(m.headers[m.flaws[0].header].value, SLICE("never"));
}

TEST(keep_alives_are_told_from_everything_else)
{
    static const struct { slice bytes; bool is; } rows[] = {
        { SLICE("\r\n\r\n"), true }, { SLICE("\r\n"), true }, { SLICE("\n"), true },
        { SLICE("jaK"), true }, { SLICE("\0\0\0\0"), true }, { SLICE("\0"), true },
        { SLICE(""), false }, { SLICE("jaKs"), false }, { SLICE("\r\nx"), false },
        { SLICE("\0\r\n"), false }, { SLICE("\x80\x00"), false }, { SLICE(" "), false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, sip_is_keepalive(rows[i].bytes), rows[i].is);
}
