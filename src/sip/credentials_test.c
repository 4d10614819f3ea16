/* sip/credentials_test.c - challenges as servers write them, and as nobody should
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/credentials.h"

#include "harness/test.h"
#include "sip/auth.h"

static char answer_text[64 * 1024];

/* A 401 with these header lines, and what is written to it. */
static unsigned answer(const char *lines, const struct sip_credentials *who, slice *ret)
{
    static char text[64 * 1024];
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct digest *d = digest_new();
    struct out o;
    int len = snprintf(text, sizeof text,
                       "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
                       "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n%s"
                       "Content-Length: 0\r\n\r\n", lines);
    unsigned count;

    CHECK(sip_message_parse(slice_of(text, (size_t)len), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    out_init_memory(&o, 0);
    count = sip_credentials_write(&o, d, &m, who);
    CHECK(o.used < sizeof answer_text);
    if (o.used)
        memcpy(answer_text, out_taken(&o).ptr, o.used);
    *ret = slice_of(answer_text, o.used);
    out_done(&o);
    digest_free(d);
    return count;
}

/* RFC 7616, 3.9.1; its nonce and cnonce are what make its response. */
TEST(credentials_are_those_of_the_rfc)
{
    static const char *const lines =
        "WWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
        "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"\r\n"
        "WWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, nonce=\"7\"\r\n";
    struct sip_credentials who = { SLICE("Mufasa"), SLICE("Circle of Life"), SLICE("GET"), SLICE("/dir/index.html"),
                                   (slice){ 0 }, SLICE("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ") };
    slice text;

    CHECK_EQ(answer(lines, &who, &text), 1);
    CHECK_EQ(text, "Authorization: Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
                   "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
                   "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", algorithm=SHA-256, "
                   "qop=auth, nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
                   "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"\r\n");
}

TEST(what_is_answered_and_what_is_not)
{
    static const struct { const char *lines; unsigned count; const char *has; } rows[] = {
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", 1, "uri=\"sip:b\", response=\"" },
        { "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n", 1, "Proxy-Authorization: Digest " },
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n", 1, "qop=auth-int, nc=00000001" },
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"magic\"\r\n", 0, "" },
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess\r\n", 0, "" },
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"\"\r\n", 0, "" },
        { "WWW-Authenticate: Basic realm=\"r\"\r\n", 0, "" },
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=NEW\r\n"
          "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\", algorithm=MD5\r\n", 1, "nonce=\"m\"" },
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nWWW-Authenticate: Digest realm=\"s\", nonce=\"m\"\r\n", 2,
          "realm=\"s\", nonce=\"m\"" },
        { "WWW-Authenticate: Digest realm=\"r\\\"x\", nonce=\"n\"\r\n", 1, "realm=\"r\\\"x\"" },
        { "", 0, "" },
    };
    struct sip_credentials who = { SLICE("a\"b"), SLICE("p"), SLICE("REGISTER"), SLICE("sip:b"), (slice){ 0 }, SLICE("c") };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice text;

        CHECK_ROW_EQ(i, answer(rows[i].lines, &who, &text), rows[i].count);
        CHECK_ROW(i, slice_find(text, slice_of_string(rows[i].has)) >= 0);
        CHECK_ROW(i, !rows[i].count || slice_find(text, SLICE("username=\"a\\\"b\"")) >= 0);
    }
}

TEST(a_thousand_challenges_and_a_giant_one_make_little_work)
{
    static char lines[60 * 1024];
    struct sip_credentials who = { SLICE("a"), SLICE("p"), SLICE("REGISTER"), SLICE("sip:b"), (slice){ 0 }, SLICE("c") };
    size_t used = 0;
    slice text;

    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(lines + used, sizeof lines - used, "WWW-Authenticate: Digest realm=\"%d\",nonce=\"n\"\r\n", i);
    CHECK_EQ(answer(lines, &who, &text), SIP_CREDENTIALS_REALMS_MAX);
    CHECK(text.len < 1024);
    used = (size_t)snprintf(lines, sizeof lines, "WWW-Authenticate: Digest realm=\"r\",nonce=\"");
    memset(lines + used, 'n', 50000);
    snprintf(lines + used + 50000, sizeof lines - used - 50000, "\"\r\n");
    CHECK_EQ(answer(lines, &who, &text), 0);
    CHECK_EQ(text.len, 0);
}
