/* switch/checks_test.c - one request for each code that is ours before anybody is asked
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "switch/checks.h"

#define IDS "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\n"
#define END "\r\n"

TEST(each_reason_to_refuse_has_its_code_and_header)
{
    static const struct { const char *text; unsigned status; slice header; } rows[] = {
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" END, 0, { 0 } },
        { "INVITE sip:c@d SIP/7.0\r\n" IDS "CSeq: 1 INVITE\r\n" END, 505, { 0 } },
        { "INVITE sip:ccccccccccccccccccccccccccccccccccccccc@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" END, 414, { 0 } },
        { "MESSAGE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 MESSAGE\r\nContent-Length: 40\r\n" END
          "0123456789012345678901234567890123456789", 413, { 0 } },
        { "FOO sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 FOO\r\n" END, 501, SLICE("Allow: INVITE") },
        { "PUBLISH sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 PUBLISH\r\n" END, 405, SLICE("Allow: INVITE") },
        { "INVITE http://d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" END, 416, { 0 } },
        { "INVITE tel:+1 SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" END, 0, { 0 } },
        { "INVITE urn:service:sos SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" END, 0, { 0 } },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nMax-Forwards: 0\r\n" END, 483, { 0 } },
        { "OPTIONS sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\n" END, 0, { 0 } },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nMax-Forwards: x\r\n" END, 400, { 0 } },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nRequire: 100rel, foo\r\nRequire: bar\r\n" END, 420,
          SLICE("Unsupported: foo\r\nUnsupported: bar\r\n") },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nProxy-Require: foo, Privacy, timer\r\nProxy-Require: bar\r\n" END, 420,
          SLICE("Unsupported: foo\r\nUnsupported: bar\r\n") },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nRequire: foo\r\nProxy-Require: foo, bar\r\n" END, 420,
          SLICE("Unsupported: foo\r\nUnsupported: foo\r\nUnsupported: bar\r\n") },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nProxy-Require: privacy, 100rel\r\n" END, 0, { 0 } },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nRequire: privacy\r\n" END, 420, SLICE("Unsupported: privacy\r\n") },
        { "BYE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 BYE\r\nProxy-Require: foo\r\n" END, 0, { 0 } },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nContent-Type: application/foo\r\nContent-Length: 1\r\n" END "x",
          415, SLICE("Accept: application/sdp") },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\n"
          "Content-Length: 1\r\n" END "x", 415, SLICE("Accept-Encoding: identity") },
        { "INFO sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INFO\r\nContent-Type: application/foo\r\nContent-Length: 1\r\n" END "x", 0, { 0 } },
        { "INVITE sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nContent-Type: application/pkcs7-mime\r\nContent-Length: 1\r\n" END
          "x", 493, { 0 } },
        { "OPTIONS sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\nAccept: text/plain\r\n" END, 406, { 0 } },
        { "OPTIONS sip:c@d SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\nAccept: text/plain, application/*\r\n" END, 0, { 0 } },
    };
    static const struct checks_limits limits = { .uri_bytes_max = 40, .body_bytes_max = 30, .message_bytes_max = 4000 };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_header room[SIP_HEADERS_MAX];
        struct sip_message m;
        struct out headers;
        slice phrase;

        out_init_memory(&headers, 4096);
        CHECK_ROW(i, sip_message_parse(slice_of_string(rows[i].text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
        CHECK_ROW(i, checks_is_whole(&m, &phrase));
        CHECK_ROW_EQ(i, checks_request(&m, &limits, &headers, &phrase), rows[i].status);
        CHECK_ROW(i, slice_starts(out_taken(&headers), rows[i].header));
        CHECK_ROW(i, rows[i].header.len || !headers.used);
        out_done(&headers);
    }
}

TEST(what_lacks_is_named)
{
    static const struct { const char *text; slice phrase; } rows[] = {
        { "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\nCSeq: 1 INVITE\r\n\r\n",
          SLICE("Missing Call-ID") },
        { "INVITE sip:c@d SIP/2.0\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n",
          SLICE("Missing or Unreadable Via") },
        { "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n",
          SLICE("Missing or Unreadable From") },
        { "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n",
          SLICE("Missing or Unreadable To") },
        { "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: x\r\n\r\n",
          SLICE("Missing or Unreadable CSeq") },
        { "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n",
          SLICE("CSeq Names Another Method") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_header room[SIP_HEADERS_MAX];
        struct sip_message m;
        slice phrase;

        CHECK_ROW(i, sip_message_parse(slice_of_string(rows[i].text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
        CHECK_ROW(i, !checks_is_whole(&m, &phrase));
        CHECK_ROW_EQ(i, phrase, rows[i].phrase);
    }
}
