/* mask/text_test.c - no number, name or address is left in a message, and it is still parsed
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "mask/text.h"
#include "sip/sdp.h"

static char room[8192];

static const char *masked(const char *text)
{
    struct mask_key key = mask_key_of_text(SLICE("k"));
    struct mask_text *t = mask_text_new(&key);
    size_t len = strlen(text);

    CHECK(t != NULL);
    CHECK(len < sizeof room);
    memcpy(room, text, len + 1);
    CHECK(mask_message(t, room, len, SIP_DATAGRAM));
    CHECK_EQ(strlen(room), len);
    mask_text_free(t);
    return room;
}

#define HEAD "INVITE sip:+4930987654@pbx.example.com:5070;user=phone SIP/2.0\r\n" \
             "Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKabc;received=10.9.8.7;rport=40444\r\n" \
             "From: \"Alice Smith\" <sip:+4915112345678@pbx.example.com>;tag=alice77\r\n" \
             "To: <sip:+4930987654@pbx.example.com>\r\n" \
             "Call-ID: 4915112345678-1a2b@203.0.113.7\r\n" \
             "CSeq: 314159 INVITE\r\n"

static void gone(const char *got, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK_ROW(i, strcasestr(got, words[i]) == NULL);
}
#define GONE(got, ...)                                                                             \
    gone((got), (const char *const[]){ __VA_ARGS__ },                                              \
         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

TEST(who_called_whom_from_where_is_gone_and_the_rest_stays)
{
    const char *got = masked(HEAD "Contact: <sip:alice@203.0.113.7:5060>;expires=3600\r\n"
                                  "Max-Forwards: 70\r\nSupported: 100rel\r\n"
                                  "User-Agent: Yealink SIP-T46S 001565abcdef\r\n"
                                  "Session-Expires: 1800;refresher=uac\r\nContent-Length: 0\r\n\r\n");

    GONE(got, "987654", "15112345678", "alice", "smith", "203.0.113.7", "10.9.8.7", "pbx.", "example",
         "001565abcdef");
    CHECK(strstr(got, "INVITE sip:+49") == got);
    CHECK(strstr(got, ":5070;user=phone SIP/2.0\r\n"));
    CHECK(strstr(got, ";branch=z9hG4bK"));
    CHECK(strstr(got, ";rport=40444\r\n"));
    CHECK(strstr(got, "CSeq: 314159 INVITE\r\n"));
    CHECK(strstr(got, "User-Agent: Yealink SIP-T46S "));
    CHECK(strstr(got, "Session-Expires: 1800;refresher=uac\r\n"));
    CHECK(strstr(got, ";expires=3600\r\n"));
}

TEST(what_is_equal_stays_equal_in_every_place)
{
    struct sip_header headers[32];
    struct sip_message m;
    const char *got = masked(HEAD "P-Asserted-Identity: \"Alice Smith\" <tel:+4915112345678>\r\n"
                                  "X-Caller: +4915112345678\r\nX-Name: alice smith\r\n"
                                  "Content-Length: 0\r\n\r\n");

    CHECK(sip_message_parse(slice_of_string(got), SIP_DATAGRAM, headers, 32, &m) > 0);
    const struct sip_header *pai = sip_header_find(&m, SIP_H_P_ASSERTED_IDENTITY);
    const struct sip_header *x = sip_header_named(&m, SLICE("X-Caller"));
    slice number = m.from.uri;

    number = slice_skip(number, 4);
    number = slice_take_until(&number, '@');
    CHECK(number.len == 14 && slice_find(pai->value, number) > 0);
    CHECK_EQ(x->value, number);
    CHECK(slice_find(pai->value, m.from.display) > 0);
    CHECK(slice_eq_nocase(sip_header_named(&m, SLICE("X-Name"))->value, m.from.display));
    CHECK(slice_ends(m.call_id, m.via.host));
    GONE(got, "smith", "15112345678");
}

TEST(every_header_that_names_people_is_masked)
{
    static const char *const rows[] = {
        "Diversion: \"Bobby Jones\" <sip:+49891234567@secret.example.org>;reason=user-busy;counter=1",
        "History-Info: <sip:+49891234567@secret.example.org?Reason=SIP%3Bcause%3D302>;index=1.1",
        "Refer-To: <sip:bobby@secret.example.org?Replaces=49891234567%40secret.example.org%3Bto-tag%3Dx>",
        "Remote-Party-ID: \"Bobby Jones\" <sip:bobby@secret.example.org>;party=calling;screen=yes",
        "P-Preferred-Identity: Bobby Jones <sip:bobby@secret.example.org>",
        "Referred-By: <sip:bobby@secret.example.org>", "Reply-To: bobby <sip:bobby@secret.example.org>",
        "Authorization: Digest username=\"bobby\", realm=\"secret.example.org\", nonce=\"0a1b2c3d4e5f\","
        " uri=\"sip:secret.example.org\", response=\"49891234567aaaaaaaaaaaaaaaaaaaaa\", nc=00000001",
        "Proxy-Authorization: Digest username=\"bobby@secret.example.org\",response=\"0a1b2c3d4e5f\"",
        "WWW-Authenticate: Digest realm=\"secret.example.org\",nonce=\"0a1b2c3d4e5f\",stale=false",
        "Subject: Bobby called at noon", "Organization: Jones Brothers",
        "Warning: 399 secret.example.org \"nobody at 10.11.12.13 or 49891234567\"",
        "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0a1b2c3d4e5f",
        "P-Charging-Vector: icid-value=\"49891234567\";icid-generated-at=10.11.12.13;"
        "orig-ioi=secret.example.org",
        "X-Any-Thing: call from +49891234567 at secret.example.org (10.11.12.13)",
        "X-Json: {\"caller\":\"49891234567\",\"ip\":\"10.11.12.13\"}",
        "Contact: <sip:bobby@10.11.12.13:5060>;+sip.instance=\"<urn:uuid:0a1b2c3d4e5f>\"",
        "Identity: eyJhbGciOiJFUzI1NiJ9.49891234567.bobby;info=<https://secret.example.org/c.pem>",
        "User-to-User: 0a1b2c3d4e5f49891234567;encoding=hex",
        "bobby 49891234567 is no header at all",
        "t: bobby <sip:bobby@secret.example.org>", "i: 49891234567@secret.example.org",
        "Call-Info: <http://secret.example.org/bobby.jpg>;purpose=icon",
        "Replaces: 49891234567@secret.example.org;from-tag=bobby;to-tag=jones",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[2048];
        static const char *const secrets[] = { "bobby", "jones", "secret", "891234567",
                                               "10.11.12.13", "0a1b2c3d4e5f" };

        (void)snprintf(text, sizeof text, "%s%s\r\nContent-Length: 0\r\n\r\n", HEAD, rows[i]);
        const char *got = masked(text);

        for (size_t j = 0; j < ARRAY_LEN(secrets); j++)
            CHECK_ROW(i, strcasestr(got, secrets[j]) == NULL);
    }
}

TEST(a_number_or_an_address_is_masked_however_it_is_written)
{
    static const struct { const char *line, *gone, *stays; } rows[] = {
        { "Reply-To: \"+49 (30) 123-456-789\" <sip:x@y.example>", "123-456", "\"+49 (" },
        { "Subject: call 212 555 123", "212 555", "Subject: " },
        { "Subject: ask 203.0.113.9:5060 or ip:203.0.113.9", "203.0.113.9", ":5060 " },
        { "Call-Info: <http://203.0.113.9:8080/a.jpg>;purpose=icon", "203.0.113.9", "<http://" },
        { "X-Peer: 203-0-113-9.dyn.secret.org", "secret", ".org" },
        { "X-Peer: 203.0.113.9.secret.org", "0.113.9", ".org" },
        { "X-Called: (212) 555-123", "555-123", "X-Called: (" },
        { "X-Called: 030.123.456 in a network", "123.456", "in a network" },
        { "Contact: <sip:x@ip-203-0-113-9.secret.org:5062>", "203-0-113-9", ".org:5062>" },
        { "Contact: <sip:x@203.0.113.9.secret.io>", "203.0.113.9", ".io>" },
        { "Contact: <sip:x@voip.acmebank>", "acmebank", "Contact: <sip:" },
        { "Authorization: Basic Ym9iYnk6c2VjcmV0cw==", "Ym9iYnk6", "Basic " },
        { "Accept-Contact: *;+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\"", "90420156",
          "*;+sip.instance=\"<urn:gsma:imei:" },
        { "Feature-Caps: *;+g.3gpp.atcf=\"<tel:+1-237-888-9999>\"", "888-9999", "\"<tel:+1-" },
        { "Feature-Caps: *;+g.3gpp.atcf-path=\"<sip:a@pcscf.secret.net>\"", "secret", ".net>\"" },
        { "Contact: <sip:x@y.example>;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel\"",
          "<sip:x@", "\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel\"" },
        { "X-Phone: 00-15-65-ab-cd-ef", "15-65-ab", "X-Phone: " },
        { "Reply-To: <sip:x@y.example?Subject=meet%20donald>", "donald", "?Subject=" },
        { "Content-Disposition: render;filename=\"Donald.txt\"", "Donald", "render;filename=\"" },
        { "Session-ID: 4989123456@secret.example", "4989123456", "Session-ID: " },
        { "Session-ID: 0123456789abcdef0123456789abcdef;remote=00000000000000000000000000000000",
          "secret", ": 0123456789abcdef0123456789abcdef;remote=00000000000000000000000000000000" },
        { "P-Access-Network-Info: 3GPP-NR-FDD;operator-specific-GI=\"0a1b2c3d\"", "0a1b2c3d", "3GPP-NR-FDD" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[2048];

        (void)snprintf(text, sizeof text, "%s%s\r\nContent-Length: 0\r\n\r\n", HEAD, rows[i].line);
        const char *got = masked(text);

        CHECK_ROW(i, strstr(got, rows[i].gone) == NULL);
        CHECK_ROW(i, strstr(got, rows[i].stays) != NULL);
    }
}

TEST(a_number_written_with_blanks_is_the_number_without)
{
    const char *got = masked(HEAD "Reply-To: \"+49 151 123-456-78\" <sip:x@y.example>\r\n\r\n");
    const char *from = strstr(strstr(got, "From:"), "sip:") + 4, *name = strstr(got, "Reply-To: \"") + 11;

    for (size_t i = 0; from[i] != '@'; i++, name++) {
        name += *name == ' ' || *name == '-';
        CHECK_ROW_EQ(i, *name, from[i]);
    }
}

TEST(codes_and_reasons_stay)
{
    const char *got = masked("SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK1\r\n"
                             "From: <sip:a@b.example>;tag=1\r\nTo: <sip:c@d.example>;tag=2\r\n"
                             "Call-ID: x@y\r\nCSeq: 1 INVITE\r\nRetry-After: 18000\r\n"
                             "Reason: Q.850;cause=17;text=\"User busy\"\r\n\r\n");

    CHECK(strstr(got, "SIP/2.0 486 Busy Here\r\n") == got);
    CHECK(strstr(got, "Reason: Q.850;cause=17;text=\"User busy\"\r\n"));
    CHECK(strstr(got, "Retry-After: 18000\r\n"));
}

#define SDP_HEAD HEAD "Content-Type: application/sdp\r\n\r\n"

TEST(sdp_keeps_codecs_and_ports_and_loses_addresses_and_keys)
{
    const char *got = masked(SDP_HEAD
                             "v=0\r\no=alice 2890844526 2890844527 IN IP4 198.51.100.3\r\ns=Alice at home\r\n"
                             "c=IN IP4 198.51.100.3\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8 101\r\n"
                             "a=rtpmap:101 telephone-event/8000\r\na=rtcp:49171 IN IP4 198.51.100.3\r\n"
                             "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n"
                             "a=candidate:1 1 UDP 2130706431 198.51.100.3 49170 typ host\r\n"
                             "a=candidate:2 1 UDP 1694498815 8.8.4.4 3000 typ srflx raddr 198.51.100.3 rport 49170\r\n"
                             "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n");
    struct sdp sdp;

    GONE(got, "alice", "198.51.100.3", "8.8.4.4", "d0RmdmcmVCspeEc3", "asd88fgpdd777", "home");
    CHECK(strstr(got, "m=audio 49170 RTP/AVP 0 8 101\r\n"));
    CHECK(strstr(got, " 2890844526 2890844527 IN IP4 "));
    CHECK(strstr(got, "a=rtpmap:101 telephone-event/8000\r\n"));
    CHECK(strstr(got, " 49170 typ host\r\n"));
    const char *body = strstr(got, "\r\n\r\n") + 4;

    (void)sdp_parse(slice_of_string(body), &sdp);
    CHECK_EQ(sdp.media_count, 1);
}

TEST(sdp_that_is_not_by_the_book_keeps_its_lines_and_no_secret)
{
    const char *got = masked(SDP_HEAD
                             "v=0\r\no=Bobbys SIP UA 28 29 IN IP4 198.51.100.3\r\ns=\r\ni=\r\n"
                             "u=http://secret.example.org/bobby\r\np=+1 617 555-601\r\n"
                             "c=IN IP4 198.51.100.3 bobby\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n"
                             "a=candidate:Hc6336403 1 UDP 2130706431 198.51.100.3 49170 typ host\r\n"
                             "a=crypto:1 SUITE inline:WVNfX19zZW1jdGwg|2^20|1:4;inline:NzB4d1BINUAvLEw6|2^20\r\n"
                             "a=acap:1 crypto:1 SUITE inline:PS1uQCVeeCFCanVm|2^20\r\nbobby\r\n");

    GONE(got, "bobby", "198.51.100.3", "secret", "617 555", "c6336403", "WVNfX19z", "NzB4d1BI", "PS1uQCVe");
    CHECK(strstr(got, " IN IP4 ") && strstr(got, "\r\ns=\r\ni=\r\nu=http://"));
    CHECK(strstr(got, "|2^20|1:4;inline:"));
}

TEST(bodies_of_other_kinds_are_masked_by_their_structure)
{
    static const struct { const char *type, *body, *stays; } rows[] = {
        { "text/plain", "Meet Bobby at 4989123456 please", "    " },
        { "message/sipfrag", "SIP/2.0 603 Declined\r\n", "SIP/2.0 603 " },
        { "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "Signal=0\r\nDuration=160\r\n" },
        { "application/dialog-info+xml",
          "<dialog-info entity=\"sip:bobby@secret.example\"><dialog id=\"4989123456\">"
          "<state>confirmed</state><display>Bobby</display></dialog></dialog-info>",
          "<state>confirmed</state>" },
        { "application/simple-message-summary",
          "Messages-Waiting: yes\r\nMessage-Account: sip:bobby@secret.example\r\n",
          "Messages-Waiting: yes\r\nMessage-Account: sip:" },
        { "multipart/mixed;boundary=x",
          "--x\r\nContent-Type: text/plain\r\n\r\nBobby 4989123456\r\n--x--\r\n",
          "--x\r\nContent-Type: text/plain\r\n\r\n" },
        { "application/isup", "\x01\x02" "bobby4989123456", "xx" },
        { "application/dtmf-relay", "Signal: 5\r\nx=bobby\r\n", "Signal: 0\r\n" },
        { "application/vnd.nortelnetworks.digits", "p=Digit-Collection\r\nd=5\r\n", "\r\nd=0\r\n" },
        { "application/kpml-response+xml", "<kpml-response code=\"200\" digits=\"5\"/>", " digits=\"0\"/>" },
        { "application/cpc+xml", "<a><sip:bobby@secret.example></a><b>Bobby:secret</b>", "<a><sip:" },
        { "message/sipfrag", "From: Bobby <sip:bobby@secret.example>\r\n", "From: " },
        { "application/simple-message-summary",
          "Messages-Waiting: yes\r\nFrom: \"Bobby\" <sip:x@secret.example>\r\n", "Messages-Waiting: yes\r\n" },
        { "application/json", "{\"ip\":\"203.0.113.7:5060\",\r\n\"tel\":\"498/912-34-56\"}", ":5060\"" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[2048];

        (void)snprintf(text, sizeof text, "%sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", HEAD,
                       rows[i].type, strlen(rows[i].body), rows[i].body);
        const char *got = strstr(masked(text), "\r\n\r\n") + 4;

        CHECK_ROW(i, strcasestr(got, "bobby") == NULL);
        CHECK_ROW(i, strstr(got, "4989123456") == NULL);
        CHECK_ROW(i, strstr(got, "secret") == NULL);
        CHECK_ROW(i, strstr(got, "203.0.113.7") == NULL && strstr(got, "912-34-56") == NULL);
        if (i > 0)
            CHECK_ROW(i, strstr(got, rows[i].stays) != NULL);
    }
}

TEST(of_a_call_id_nothing_stays_and_two_never_become_one)
{
    struct mask_key key = mask_key_of_text(SLICE("k"));
    struct mask_text *t = mask_text_new(&key);
    char was[] = "325c6da4ee44f2d7-1", all[1000][4];

    CHECK(t != NULL);
    mask_call_id(t, was, strlen(was));
    for (size_t i = 0; was[i]; i++)
        CHECK_ROW(i, (was[i] == "325c6da4ee44f2d7-1"[i]) == (i == 16));
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(all[i], sizeof all[i], "%u%c", i / 26, (char)('a' + i % 26));
        mask_call_id(t, all[i], strlen(all[i]));
        for (unsigned k = 0; k < i; k++)
            CHECK_ROW(i, strcmp(all[i], all[k]) != 0);
    }
    mask_text_free(t);
}

TEST(a_dialog_is_the_same_in_replaces_and_in_its_own_call_id)
{
    struct sip_header headers[32];
    struct sip_message m;
    char got[2048];

    (void)snprintf(got, sizeof got, "%s", masked(HEAD
        "Refer-To: <sip:x@y.example?Replaces=4915112345678-1a2b%40203.0.113.7%3Bto-tag%3Dalice77>\r\n\r\n"));
    CHECK(sip_message_parse(slice_of_string(got), SIP_DATAGRAM, headers, 32, &m) > 0);
    slice refer = sip_header_find(&m, SIP_H_REFER_TO)->value, id = m.call_id;
    slice local = slice_take_until(&id, '@');

    CHECK(slice_find(refer, local) > 0);
    CHECK(slice_find(refer, m.via.host) > 0);
    CHECK(slice_find(refer, m.from.tag) > 0);
}

TEST(what_follows_a_message_or_is_cut_is_masked_too)
{
    struct mask_key key = mask_key_of_text(SLICE("k"));
    struct mask_text *t = mask_text_new(&key);
    char behind[] = HEAD "Content-Length: 0\r\n\r\nbobby 4989123456";
    char cut[] = HEAD "X-Name: bob";

    CHECK(t != NULL);
    CHECK(mask_message(t, behind, strlen(behind), SIP_DATAGRAM));
    GONE(behind, "bobby", "4989123456");
    CHECK(mask_message(t, cut, strlen(cut), SIP_CUT));
    GONE(cut, "X-Name: bob");
    CHECK(!mask_message(t, (char[]){ "no SIP at all" }, 13, SIP_DATAGRAM));
    mask_text_free(t);
}
