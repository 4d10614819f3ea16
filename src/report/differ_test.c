/* report/differ_test.c - what always differs is passed over, and what matters is found
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/differ.h"

#include "call/call.h"
#include "harness/test.h"
#include "report/notes.h"

static bool same(enum sip_header_id id, const char *a, const char *b)
{
    struct out one, other;
    bool equal;

    out_init_memory(&one, 4096);
    out_init_memory(&other, 4096);
    differ_canonical(&one, id, slice_of_string(a));
    differ_canonical(&other, id, slice_of_string(b));
    equal = slice_eq(out_taken(&one), out_taken(&other));
    out_done(&one);
    out_done(&other);
    return equal;
}

static bool same_sdp(const char *a, const char *b)
{
    struct out one, other;
    bool equal;

    out_init_memory(&one, 4096);
    out_init_memory(&other, 4096);
    differ_canonical_sdp(&one, slice_of_string(a));
    differ_canonical_sdp(&other, slice_of_string(b));
    equal = slice_eq(out_taken(&one), out_taken(&other));
    out_done(&one);
    out_done(&other);
    return equal;
}

TEST(what_differs_in_any_two_calls_is_no_difference)
{
    static const struct { enum sip_header_id id; const char *a, *b; bool same; } rows[] = {
        { SIP_H_FROM, "<sip:+4930@a.example>;tag=1", "\"B\" <sip:+33123@a.example>;tag=2", true },
        { SIP_H_FROM, "<sip:+4930@a.example>;tag=1", "<sip:004930@a.example>;tag=2", false },
        { SIP_H_FROM, "<sip:030123@a.example>", "<sip:30123@a.example>", false },
        { SIP_H_FROM, "<sip:alice@a.example>", "<sip:bob@A.example>", true },
        { SIP_H_FROM, "<sip:alice@a.example>", "<sip:alice@b.example>", false },
        { SIP_H_CONTACT, "<sip:a@10.0.0.1:5060>", "<sip:b@192.168.7.7:49152>", true },
        { SIP_H_CONTACT, "<sip:a@10.0.0.1>", "<sip:a@203.0.113.7>", false },
        { SIP_H_CONTACT, "<sip:a@10.0.0.1;transport=tcp>", "<sip:a@10.0.0.1;transport=udp>", false },
        { SIP_H_VIA, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport=1", "SIP/2.0/UDP 10.9.9.9:7;branch=z9hG4bK2;rport=2", true },
        { SIP_H_VIA, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", "SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1", false },
        { SIP_H_AUTHORIZATION, "Digest realm=\"r\",nonce=\"1\",response=\"2\",qop=auth",
          "Digest realm=\"r\",nonce=\"3\",response=\"4\",qop=auth", true },
        { SIP_H_WWW_AUTHENTICATE, "Digest realm=\"r\",nonce=\"1\",stale=true",
          "Digest realm=\"r\",nonce=\"1\"", false },
        { SIP_H_SESSION_EXPIRES, "1800;refresher=uac", "1800;refresher=uas", false },
        { SIP_H_CALL_ID, "a@b", "c@d", true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW(i, same(rows[i].id, rows[i].a, rows[i].b) == rows[i].same);
}

TEST(lines_of_sdp_differ_by_kind_and_not_by_number)
{
    static const struct { const char *a, *b; bool same; } rows[] = {
        { "o=a 1 2 IN IP4 10.0.0.1", "o=b 3 4 IN IP4 10.7.7.7", true },
        { "c=IN IP4 10.0.0.1", "c=IN IP4 203.0.113.1", false },
        { "c=IN IP4 10.0.0.1", "c=IN IP4 0.0.0.0", false },
        { "m=audio 4000 RTP/AVP 0 8", "m=audio 5000 RTP/AVP 0 8", true },
        { "m=audio 4000 RTP/AVP 0 8", "m=audio 4000 RTP/AVP 8 0", false },
        { "m=audio 4000 RTP/AVP 0", "m=audio 0 RTP/AVP 0", false },
        { "a=ssrc:1 cname:x", "a=ssrc:2 cname:y", true },
        { "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:a", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:b", true },
        { "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:a", "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:a", false },
        { "a=sendrecv", "a=sendonly", false },
        { "a=ptime:20", "a=ptime:30", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW(i, same_sdp(rows[i].a, rows[i].b) == rows[i].same);
}

/* ---- two calls, message by message ---- */

#define HEADS(cseq) "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@x.example>;tag=1\r\n" \
                    "To: <sip:b@x.example>;tag=2\r\nCall-ID: c\r\nCSeq: " cseq "\r\n"
#define SDP_OF(formats) "Content-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n" \
                        "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP " formats "\r\n"
#define INVITE_OF(more) "INVITE sip:b@x.example SIP/2.0\r\n" HEADS("1 INVITE") more
#define RESPONSE_OF(line) "SIP/2.0 " line "\r\n" HEADS("1 INVITE") "\r\n"
#define ACK_OF "ACK sip:b@x.example SIP/2.0\r\n" HEADS("1 ACK") "\r\n"

static void note(struct differ *d, enum differ_side side, const char *text, bool from_callee, int64_t at_ms)
{
    static struct sip_header room[64];
    struct sip_message m;
    struct wire_unit u = { .frame = (uint64_t)at_ms + 1, .time_ns = at_ms * 1000000 };
    struct track_sighting s = { .unit = &u, .message = &m, .kind = SEEN_NEW };

    CHECK(sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    s.from_callee = from_callee == m.is_request;
    differ_note(d, side, &s);
}

static const struct difference *find(const struct differ *d, enum differ_kind kind)
{
    for (size_t i = 0; i < differ_count(d); i++)
        if (differ_at(d, i)->kind == kind)
            return differ_at(d, i);
    return NULL;
}

TEST(the_codec_that_made_the_difference_comes_before_the_lines)
{
    struct differ *d = differ_new();
    struct call *a = call_new(), *b = call_new();

    CHECK(d && a && b);
    note(d, DIFFER_FIRST, INVITE_OF(SDP_OF("18")), false, 0);
    note(d, DIFFER_FIRST, RESPONSE_OF("488 Not Acceptable Here"), true, 100);
    note(d, DIFFER_FIRST, ACK_OF, false, 110);
    note(d, DIFFER_SECOND, INVITE_OF(SDP_OF("0 18")), false, 0);
    note(d, DIFFER_SECOND, RESPONSE_OF("200 OK"), true, 5100);
    note(d, DIFFER_SECOND, ACK_OF, false, 5110);
    differ_call(d, DIFFER_FIRST, a);
    differ_call(d, DIFFER_SECOND, b);
    CHECK(differ_compare(d, words_english()));
    const struct difference *codecs = find(d, DIFFER_CODECS), *line = find(d, DIFFER_LINE);

    CHECK(codecs && line && codecs < line);
    CHECK_EQ(codecs->values[0], SLICE("G729"));
    CHECK_EQ(codecs->values[1], SLICE("PCMU G729"));
    CHECK_EQ(codecs->message, SLICE("INVITE"));
    size_t only[2] = { 0, 0 };

    for (size_t i = 0; i < differ_count(d); i++)
        if (differ_at(d, i)->kind == DIFFER_MESSAGE)
            only[differ_at(d, i)->values[1].ptr != NULL]++;
    CHECK_EQ(only[0], 2);                 /* the 488 and its ACK, which is another than that of a 200 */
    CHECK_EQ(only[1], 2);
    differ_free(d);
    call_free(a);
    call_free(b);
}

TEST(options_headers_and_slow_steps_are_named)
{
    struct differ *d = differ_new();
    struct call *a = call_new(), *b = call_new();

    CHECK(d && a && b);
    note(d, DIFFER_FIRST, INVITE_OF("Supported: timer, 100rel\r\nSession-Expires: 90\r\n\r\n"), false, 0);
    note(d, DIFFER_FIRST, RESPONSE_OF("180 Ringing"), true, 300);
    note(d, DIFFER_SECOND, INVITE_OF("k: 100rel, path\r\nUser-Agent: x\r\n\r\n"), false, 0);
    note(d, DIFFER_SECOND, RESPONSE_OF("180 Ringing"), true, 2000);
    differ_call(d, DIFFER_FIRST, a);
    differ_call(d, DIFFER_SECOND, b);
    CHECK(differ_compare(d, words_english()));
    const struct difference *options = find(d, DIFFER_OPTIONS), *header = find(d, DIFFER_HEADER);
    const struct difference *slow = find(d, DIFFER_TIME);

    CHECK(options && header && slow);
    CHECK_EQ(options->values[0], SLICE("timer"));
    CHECK_EQ(options->values[1], SLICE("path"));
    CHECK_EQ(header->name, SLICE("Session-Expires"));
    CHECK_EQ(header->values[0], SLICE("90"));
    CHECK(header->values[1].ptr == NULL);
    CHECK_EQ(slow->ns[0], 300000000);
    CHECK_EQ(slow->ns[1], 2000000000);
    CHECK_EQ(slow->message, SLICE("180 Ringing (INVITE)"));
    CHECK(slow->from_callee);
    differ_free(d);
    call_free(a);
    call_free(b);
}

TEST(nothing_that_a_message_says_acts_on_the_terminal)
{
    struct differ *d = differ_new();
    struct call *a = call_new(), *b = call_new();
    const slice names[DIFFER_SIDES] = { SLICE("1"), SLICE("2") };
    struct out o;

    CHECK(d && a && b);
    out_init_memory(&o, 1 << 16);
    note(d, DIFFER_FIRST, INVITE_OF("X-Any: \x1b[31m\r\n\r\n"), false, 0);
    note(d, DIFFER_FIRST, RESPONSE_OF("180 \x1b]0;mine\x07"), true, 300);
    note(d, DIFFER_SECOND, INVITE_OF("X-Any: \x9b\x1b[0m\r\n\r\n"), false, 0);
    note(d, DIFFER_SECOND, RESPONSE_OF("486 \x1b[2J"), true, 300);
    differ_call(d, DIFFER_FIRST, a);
    differ_call(d, DIFFER_SECOND, b);
    CHECK(differ_compare(d, words_english()));
    differ_print(d, names, &o, words_english(), &(struct style){ .width = 100 });
    CHECK(slice_find(out_taken(&o), SLICE("486 ")) > 0 && slice_find(out_taken(&o), SLICE("mine")) > 0);
    CHECK(slice_find_char(out_taken(&o), '\x1b') < 0 && slice_find_char(out_taken(&o), '\x07') < 0);
    out_done(&o);
    differ_free(d);
    call_free(a);
    call_free(b);
}

TEST(results_are_told_in_the_language_of_the_reader)
{
    const struct words *german = words_find(SLICE("de"));
    struct differ *d = differ_new();
    struct call *a = call_new(), *b = call_new();
    const slice names[DIFFER_SIDES] = { SLICE("1"), SLICE("2") };
    struct out o, expected;

    CHECK(d && a && b && german);
    out_init_memory(&o, 1 << 16);
    out_init_memory(&expected, 256);
    a->state = CALL_SILENT;
    differ_call(d, DIFFER_FIRST, a);
    differ_call(d, DIFFER_SECOND, b);
    CHECK(differ_compare(d, german));
    differ_print(d, names, &o, german, &(struct style){ .width = 100 });
    notes_code(&expected, german, CODE_MONITOR, call_status(a).code, call_status(a).name);
    CHECK(slice_find(out_taken(&o), out_taken(&expected)) > 0);
    CHECK(slice_find(out_taken(&o), call_status(a).name) < 0);
    out_done(&expected);
    out_done(&o);
    differ_free(d);
    call_free(a);
    call_free(b);
}

TORTURE(a_comparison_without_memory_says_so)
{
    struct differ *d = differ_new();
    struct call *a = NULL, *b = NULL;

    CHECK_OR_GOTO(d && (a = call_new()) && (b = call_new()), out);
    note(d, DIFFER_FIRST, INVITE_OF(SDP_OF("18")), false, 0);
    note(d, DIFFER_SECOND, INVITE_OF(SDP_OF("0")), false, 0);
    differ_call(d, DIFFER_FIRST, a);
    differ_call(d, DIFFER_SECOND, b);
    CHECK_OR_GOTO(differ_compare(d, words_english()), out);
    CHECK(find(d, DIFFER_CODECS) != NULL);
out:
    differ_free(d);
    call_free(a);
    call_free(b);
}
