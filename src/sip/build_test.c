/* sip/build_test.c - what is written can be read again, and says what it should
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/build.h"
#include "sip/fields.h"

#define INVITE_HEAD "INVITE sip:bob@b.example SIP/2.0\r\n"
#define INVITE_REST                                                                                \
    "From: \"A, \\\"x\\\"\" <sip:alice@a.example>;tag=9f\r\nTo: <sip:bob@b.example>\r\n"             \
    "Call-ID: a84b@host\r\nCSeq: 7 INVITE\r\nTimestamp: 54\r\nContent-Length: 0\r\n\r\n"

static bool parse(slice bytes, struct sip_header *room, struct sip_message *ret)
{
    return sip_message_parse(bytes, SIP_DATAGRAM, room, SIP_HEADERS_MAX, ret) > 0;
}

TEST(a_response_mirrors_its_request_and_says_where_that_came_from)
{
    static const struct {
        slice via, wanted;
        const char *source;
    } rows[] = {
        { SLICE("Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"),
          SLICE("SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"), "10.0.0.1" },
        { SLICE("Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"),
          SLICE("SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;received=192.0.2.9"), "192.0.2.9" },
        { SLICE("v: SIP/2.0/UDP a.example;branch=z9hG4bK1;rport"),
          SLICE("SIP/2.0/UDP a.example;branch=z9hG4bK1;rport=7000;received=192.0.2.9"), "192.0.2.9" },
        { SLICE("Via: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1"),           /* said all the same */
          SLICE("SIP/2.0/UDP 10.0.0.1;rport=7000;branch=z9hG4bK1;received=10.0.0.1"), "10.0.0.1" },
        { SLICE("Via: SIP/2.0/UDP 10.0.0.1;received=1.2.3.4;branch=z9hG4bK1"),    /* a lie */
          SLICE("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1"), "10.0.0.1" },
        { SLICE("Via: SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bK1"),
          SLICE("SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bK1;received=2001:db8::9"), "2001:db8::9" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[2048];
        struct sip_header room[SIP_HEADERS_MAX], again_room[SIP_HEADERS_MAX];
        struct sip_message request, response;
        struct address source;
        struct out o;
        int len = snprintf(text, sizeof text, INVITE_HEAD "%.*s, SIP/2.0/UDP 9.9.9.9;branch=z9hG4bKx\r\n"
                           "Via: SIP/2.0/TLS 8.8.8.8\r\n" INVITE_REST, (int)rows[i].via.len, rows[i].via.ptr);

        CHECK_ROW(i, parse(slice_of(text, (size_t)len), room, &request));
        CHECK_ROW(i, address_parse_ip(slice_of_string(rows[i].source), &source));
        source.port = 7000;
        out_init_memory(&o, 0);
        sip_build_response(&o, &request, 183, SLICE("Session Progress"), SLICE("ours"), &source);
        sip_build_body(&o, SLICE("application/sdp"), SLICE("v=0\r\n"));
        CHECK_ROW(i, parse(out_taken(&o), again_room, &response));
        CHECK_ROW_EQ(i, response.status, 183);
        CHECK_ROW_EQ(i, response.via_count, 3);
        CHECK_ROW_EQ(i, response.flaw_count, 0);
        CHECK_ROW(i, slice_eq(sip_header_find(&response, SIP_H_VIA)->value, rows[i].wanted));
        CHECK_ROW(i, slice_eq(response.from.tag, SLICE("9f")));
        CHECK_ROW(i, slice_eq(response.from.display, request.from.display));
        CHECK_ROW(i, slice_eq(response.to.tag, SLICE("ours")));
        CHECK_ROW(i, slice_eq(response.call_id, request.call_id));
        CHECK_ROW_EQ(i, response.cseq.number, 7);
        CHECK_ROW(i, !sip_header_find(&response, SIP_H_TIMESTAMP));
        CHECK_ROW(i, slice_eq(response.body, SLICE("v=0\r\n")));
        out_done(&o);
    }
}

TEST(no_value_begins_a_new_header)
{
    struct out o;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct sip_name_addr from = { .display = SLICE("x\r\nEvil: 1"), .uri = SLICE("sip:a@b\r\nEvil: 2"),
                                  .params = SLICE(";tag=old;x=\"a\nEvil: 3\"") };

    out_init_memory(&o, 0);
    sip_build_request(&o, SLICE("OPTIONS"), SLICE("sip:a@b\r\nEvil: 4"));
    sip_build_via(&o, SLICE("UDP"), SLICE("127.0.0.1:5060"), SLICE("z9hG4bKq"));
    sip_build_name_addr(&o, SIP_H_FROM, &from, SLICE("new"));
    sip_build_header(&o, SIP_H_SUBJECT, SLICE("folded\r\n value\nEvil: 5"));
    sip_build_named(&o, SLICE("X-Y"), slice_of("a\0\r\nEvil: 6", 11));
    sip_build_header_u32(&o, SIP_H_MAX_FORWARDS, 70);
    sip_build_cseq(&o, 4294967295u, SLICE("OPTIONS\r\nEvil: 7"));
    sip_build_body(&o, SLICE("text/plain"), (slice){ 0 });
    CHECK(parse(out_taken(&o), room, &m));
    CHECK(!sip_header_named(&m, SLICE("Evil")));
    CHECK_EQ(m.header_count, 7);
    CHECK(slice_eq(m.from.tag, SLICE("new")));
    CHECK(!sip_header_find(&m, SIP_H_CONTENT_TYPE));
    CHECK_EQ(m.content_length, 0);
    out_done(&o);
}

TEST(a_100_repeats_the_timestamp_and_an_existing_tag_stays)
{
    struct out o;
    struct sip_header room[SIP_HEADERS_MAX], again_room[SIP_HEADERS_MAX];
    struct sip_message m, again;

    CHECK(parse(SLICE("BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nTo: <sip:b@c>;tag=t1\r\n" INVITE_REST), room, &m));
    out_init_memory(&o, 0);
    sip_build_response(&o, &m, 100, SLICE("Trying"), SLICE("ours"), NULL);
    sip_build_body(&o, (slice){ 0 }, (slice){ 0 });
    CHECK(parse(out_taken(&o), again_room, &again));
    CHECK(slice_eq(again.to.tag, SLICE("t1")));
    CHECK(slice_eq(sip_header_find(&again, SIP_H_TIMESTAMP)->value, SLICE("54")));
    CHECK(slice_eq(sip_header_find(&again, SIP_H_VIA)->value, SLICE("SIP/2.0/UDP h")));
    out_done(&o);
}

TEST(nothing_ends_a_quoted_text_before_its_end)
{
    static const struct { slice text; bool is_escaped; slice written; } rows[] = {
        { SLICE("Alice"), false, SLICE("\"Alice\"") },
        { SLICE("A \"the first\" B"), false, SLICE("\"A \\\"the first\\\" B\"") },
        { SLICE("A \\\"the first\\\" B"), true, SLICE("\"A \\\"the first\\\" B\"") },
        { SLICE("x\" <sip:ceo@x>, \""), true, SLICE("\"x\\\" <sip:ceo@x>, \\\"\"") },
        { SLICE("x\\"), true, SLICE("\"x\\\\\"") },
        { SLICE("x\\"), false, SLICE("\"x\\\\\"") },
        { SLICE("x\\\\"), true, SLICE("\"x\\\\\"") },
        { SLICE("x\\\r\ny"), true, SLICE("\"x\\  y\"") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct out o;

        out_init_memory(&o, 1024);
        sip_build_quoted(&o, rows[i].text, rows[i].is_escaped);
        CHECK_ROW_EQ(i, out_taken(&o), rows[i].written);
        out_done(&o);
    }
}
