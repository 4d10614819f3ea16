/* sip/uri_test.c - URIs are cut where the grammar cuts them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/uri.h"

TEST(a_uri_is_cut_into_its_parts)
{
    static const struct {
        slice in;
        enum sip_scheme scheme;
        slice user, password, host;
        unsigned port;
        slice params, headers;
        enum sip_flaw_kind flaw;
    } rows[] = {
        { SLICE("sip:alice@atlanta.com"), SIP_SCHEME_SIP, SLICE("alice"), {0}, SLICE("atlanta.com"),
          0,
          {0}, {0}, SIP_FLAW_NONE },
        { SLICE("SIPS:alice:secret@a.com:5061;transport=tcp;lr?subject=x%20y&a=b"), SIP_SCHEME_SIPS,
          SLICE("alice"), SLICE("secret"), SLICE("a.com"), 5061, SLICE(";transport=tcp;lr"),
          SLICE("subject=x%20y&a=b"), SIP_FLAW_NONE },
        /* ; and ? belong to the user before the @ */
        { SLICE("sip:user;par=u%40example.net@example.com"), SIP_SCHEME_SIP,
          SLICE("user;par=u%40example.net"), {0}, SLICE("example.com"), 0, {0}, {0},
              SIP_FLAW_NONE },
        { SLICE("sip:a?b/c;d@h"), SIP_SCHEME_SIP, SLICE("a?b/c;d"), {0}, SLICE("h"), 0, {0}, {0},
          SIP_FLAW_NONE },
        { SLICE("sip:sips%3Auser%40example.com@example.net"), SIP_SCHEME_SIP,
          SLICE("sips%3Auser%40example.com"), {0}, SLICE("example.net"), 0, {0}, {0},
              SIP_FLAW_NONE },
        { SLICE("sip:[2001:db8::10:5070]"), SIP_SCHEME_SIP, {0}, {0}, SLICE("2001:db8::10:5070"), 0,
          {0},
          {0}, SIP_FLAW_NONE },
        { SLICE("sip:u@[2001:db8::10]:5070;x"), SIP_SCHEME_SIP, SLICE("u"), {0},
          SLICE("2001:db8::10"),
          5070, SLICE(";x"), {0}, SIP_FLAW_NONE },
        { SLICE("sip:[2001:db8:::192.0.2.1]"), SIP_SCHEME_SIP, {0}, {0},
          SLICE("2001:db8:::192.0.2.1"),
          0, {0}, {0}, SIP_FLAW_NONE },                 /* RFC 5118, 4.10: tolerate */
        { SLICE("sip:2001:db8::10"), SIP_SCHEME_SIP, {0}, {0}, SLICE("2001:db8::10"), 0, {0}, {0},
          SIP_FLAW_IPV6_WITHOUT_BRACKETS },
        { SLICE("sip:h:65536"), SIP_SCHEME_SIP, {0}, {0}, SLICE("h"), 0, {0}, {0},
          SIP_FLAW_URI_BAD },
        { SLICE("sip:h:"), SIP_SCHEME_SIP, {0}, {0}, SLICE("h"), 0, {0}, {0}, SIP_FLAW_URI_BAD },
        { SLICE("sip:"), SIP_SCHEME_SIP, {0}, {0}, {0}, 0, {0}, {0}, SIP_FLAW_URI_BAD },
        { SLICE("sip:@h"), SIP_SCHEME_SIP, {0}, {0}, SLICE("h"), 0, {0}, {0}, SIP_FLAW_URI_BAD },
        { SLICE("sip:a%4@h"), SIP_SCHEME_SIP, SLICE("a%4"), {0}, SLICE("h"), 0, {0}, {0},
          SIP_FLAW_URI_BAD },
        { SLICE("sip:a@[::1"), SIP_SCHEME_SIP, SLICE("a"), {0}, SLICE("::1"), 0, {0}, {0},
          SIP_FLAW_URI_BAD },
        { SLICE("sip:a @h"), SIP_SCHEME_SIP, SLICE("a "), {0}, SLICE("h"), 0, {0}, {0},
          SIP_FLAW_URI_SPACES },
        { SLICE("tel:+1-201-555-0123;phone-context=example.com"), SIP_SCHEME_TEL,
          SLICE("+1-201-555-0123"), {0}, {0}, 0, SLICE(";phone-context=example.com"), {0},
          SIP_FLAW_NONE },
        { SLICE("urn:service:sos"), SIP_SCHEME_URN, {0}, {0}, {0}, 0, {0}, {0}, SIP_FLAW_NONE },
        { SLICE("soap.beep://192.0.2.103:3002"), SIP_SCHEME_OTHER, {0}, {0}, {0}, 0, {0}, {0},
          SIP_FLAW_NONE },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_uri got;

        CHECK_ROW(i, sip_uri_parse(rows[i].in, &got));
        CHECK_ROW_EQ(i, got.scheme, rows[i].scheme);
        CHECK_ROW(i, slice_eq(got.user, rows[i].user));
        CHECK_ROW(i, slice_eq(got.password, rows[i].password));
        CHECK_ROW(i, slice_eq(got.host, rows[i].host));
        CHECK_ROW_EQ(i, got.port, rows[i].port);
        CHECK_ROW(i, slice_eq(got.params, rows[i].params));
        CHECK_ROW(i, slice_eq(got.headers, rows[i].headers));
        CHECK_ROW_EQ(i, got.flaw, rows[i].flaw);
        CHECK_ROW(i, slice_eq(sip_uri_user(rows[i].in), rows[i].user));
        CHECK_ROW(i, slice_eq(sip_uri_host(rows[i].in), rows[i].host));
    }
}

TEST(without_a_scheme_there_is_no_uri)
{
    static const slice rows[] = {
        SLICE(""), SLICE("alice"), SLICE(":x"), SLICE("a b:c"), SLICE("<sip:x>"), SLICE("*"),
    };
    struct sip_uri got = { .port = 77 };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW(i, !sip_uri_parse(rows[i], &got));
        CHECK_ROW_EQ(i, got.port, 77);
        CHECK_ROW_EQ(i, sip_uri_user(rows[i]).len, 0);
    }
}

TEST(uris_compare_as_rfc_3261_says)
{
    static const struct { slice a, b; bool same; } rows[] = {
        { SLICE("sip:%61lice@atlanta.com;transport=TCP"),
          SLICE("sip:alice@AtLanTa.CoM;Transport=tcp"),
          true },
        { SLICE("sip:carol@chicago.com"), SLICE("sip:carol@chicago.com;newparam=5"), true },
        { SLICE("sip:carol@chicago.com;security=on"), SLICE("sip:carol@chicago.com;newparam=5"),
          true },
        { SLICE("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com"),
          SLICE("sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"), true },
        { SLICE("sip:alice@atlanta.com?subject=project%20x&priority=urgent"),
          SLICE("sip:alice@atlanta.com?priority=urgent&subject=project%20x"), true },
        { SLICE("SIP:ALICE@AtLanTa.CoM;Transport=udp"),
          SLICE("sip:alice@AtLanTa.CoM;Transport=UDP"),
          false },                                     /* user names differ */
        { SLICE("sip:bob@biloxi.com"), SLICE("sip:bob@biloxi.com:5060"), false },
        { SLICE("sip:bob@biloxi.com"), SLICE("sip:bob@biloxi.com;transport=udp"), false },
        { SLICE("sip:bob@biloxi.com"), SLICE("sip:bob@biloxi.com:6000;transport=tcp"), false },
        { SLICE("sip:carol@chicago.com"), SLICE("sip:carol@chicago.com?Subject=next%20meeting"),
          false },
        { SLICE("sip:bob@phone21.boxesbybob.com"), SLICE("sip:bob@192.0.2.4"), false },
        { SLICE("sip:carol@chicago.com;security=on"), SLICE("sip:carol@chicago.com;security=off"),
          false },
        { SLICE("sip:a@h"), SLICE("sips:a@h"), false },
        { SLICE("sip:a@h"), SLICE("sip:h"), false },
        { SLICE("sip:a@h"), SLICE("sip:a:@h"), false },   /* an empty password is one */
        { SLICE("sip:a@h;user=phone"), SLICE("sip:a@h"), false },
        { SLICE("sip:a@h;maddr=1.2.3.4"), SLICE("sip:a@h"), false },
        { SLICE("sip:null-%00-null@example.com"), SLICE("sip:null-%00-other@example.com"), false },
        { SLICE("sip:a%3Bb@h"), SLICE("sip:a;b@h"), false },      /* reserved: not the same */
        { SLICE("sip:a%2Db@h"), SLICE("sip:a-b@h"), true },
        { SLICE("sip:a@[2001:DB8::1]"), SLICE("sip:a@[2001:db8::1]"), true },
        { SLICE("tel:+1-201-555-0123"), SLICE("TEL:+1(201)5550123"), true },
        { SLICE("tel:+12015550123"), SLICE("tel:12015550123"), false },
        { SLICE("tel:7042;phone-context=example.com"), SLICE("tel:7042;phone-context=EXAMPLE.com"),
          true },
        { SLICE("tel:7042;phone-context=example.com"), SLICE("tel:7042"), false },
        { SLICE("URN:service:sos"), SLICE("urn:service:sos"), true },
        { SLICE("urn:service:sos"), SLICE("urn:service:sos.fire"), false },
        { SLICE("x"), SLICE("x"), false },             /* no URI */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, sip_uri_same(rows[i].a, rows[i].b), rows[i].same);
        CHECK_ROW_EQ(i, sip_uri_same(rows[i].b, rows[i].a), rows[i].same);
    }
}

TEST(escapes_are_undone_once_and_within_the_buffer)
{
    char text[8];

    CHECK_EQ(sip_unescape(SLICE("a%40b"), text, sizeof(text)), SLICE("a@b"));
    CHECK_EQ(sip_unescape(SLICE("%2540"), text, sizeof(text)), SLICE("%40"));
    CHECK_EQ(sip_unescape(SLICE("%00"), text, sizeof(text)), SLICE("\0"));
    CHECK_EQ(sip_unescape(SLICE("%4"), text, sizeof(text)), SLICE("%4"));
    CHECK_EQ(sip_unescape(SLICE("%zz%C3%a9"), text, sizeof(text)), SLICE("%zz\xc3\xa9"));
    CHECK_EQ(sip_unescape(SLICE("0123456789"), text, sizeof(text)), SLICE("01234567"));
    CHECK_EQ(sip_unescape(SLICE(""), text, sizeof(text)).len, 0);
}

TEST(a_number_loses_what_is_there_for_the_eye)
{
    static const struct { slice in, out; } rows[] = {
        { SLICE("+1-201-555-0123"), SLICE("+12015550123") }, { SLICE("(0) 30.12"), SLICE("03012") },
        { SLICE("+4930;ext=5"), SLICE("+4930") }, { SLICE("*21#"), SLICE("*21#") },
        { SLICE("%2b49"), SLICE("+49") }, { SLICE("alice"), SLICE("") }, { SLICE("12a"),
          SLICE("") },
        { SLICE("1+2"), SLICE("") }, { SLICE(""), SLICE("") },
    };
    char text[16];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, sip_number_of(rows[i].in, text, sizeof(text)), rows[i].out);
}
