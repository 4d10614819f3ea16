/* sip/digest_test.c - responses of the RFCs, and nonces that somebody changed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/digest.h"

static const struct row {
    enum digest_algorithm algorithm;
    slice user, realm, password;
    struct digest_asked asked;
    slice response;
} rows[] = {
    /* RFC 2617, 3.5 */
    { DIGEST_MD5, SLICE_INIT("Mufasa"), SLICE_INIT("testrealm@host.com"), SLICE_INIT("Circle Of Life"),
      { .method = SLICE_INIT("GET"), .uri = SLICE_INIT("/dir/index.html"), .nc = 1, .qop = SLICE_INIT("auth"),
        .nonce = SLICE_INIT("dcd98b7102dd2f0e8b11d0f600bfb0c093"), .cnonce = SLICE_INIT("0a4f113b") },
      SLICE_INIT("6629fae49393a05397450978507c4ef1") },
    /* RFC 7616, 3.9.1; with SHA-512-256 computed by Python's hashlib */
#define MUFASA(algorithm, response) \
    { algorithm, SLICE_INIT("Mufasa"), SLICE_INIT("http-auth@example.org"), SLICE_INIT("Circle of Life"), \
      { .method = SLICE_INIT("GET"), .uri = SLICE_INIT("/dir/index.html"), .nc = 1, .qop = SLICE_INIT("auth"), \
        .nonce = SLICE_INIT("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"), \
        .cnonce = SLICE_INIT("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ") }, \
      SLICE_INIT(response) }
    MUFASA(DIGEST_MD5, "8ca523f5e9506fed4657c9700eebdbec"),
    MUFASA(DIGEST_SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    MUFASA(DIGEST_SHA_512_256, "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"),
#undef MUFASA
    /* the rest by Python's hashlib: no qop, the body counted, the largest count */
    { DIGEST_MD5, SLICE_INIT("bob"), SLICE_INIT("biloxi.com"), SLICE_INIT("zanzibar"),
      { .method = SLICE_INIT("REGISTER"), .uri = SLICE_INIT("sip:biloxi.com"),
        .nonce = SLICE_INIT("dcd98b7102dd2f0e8b11d0f600bfb0c093") },
      SLICE_INIT("4441045a8075db3ead543693997e2a0e") },
    { DIGEST_SHA_256, SLICE_INIT("bob"), SLICE_INIT("biloxi.com"), SLICE_INIT("zanzibar"),
      { .method = SLICE_INIT("INVITE"), .uri = SLICE_INIT("sip:a@b"), .nonce = SLICE_INIT("n"), .nc = 31,
        .cnonce = SLICE_INIT("c"), .qop = SLICE_INIT("auth-int"), .body = SLICE_INIT("v=0\r\n") },
      SLICE_INIT("18e68029a8b867ff882a965fbe2a8a09e0c1466228e43b0686c065d552f8c9a3") },
    { DIGEST_SHA_512_256, SLICE_INIT("bob"), SLICE_INIT("biloxi.com"), SLICE_INIT("zanzibar"),
      { .method = SLICE_INIT("INVITE"), .uri = SLICE_INIT("sip:a@b"), .nonce = SLICE_INIT("n"), .nc = UINT32_MAX,
        .cnonce = SLICE_INIT("c"), .qop = SLICE_INIT("auth") },
      SLICE_INIT("c3547b8c64df72d89c84cc736d4a138cba1586f4f1dad71ac6acfb8411e2efcd") },
};

static const struct digest_key key = { { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                         16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 } };

TEST(responses_are_those_of_the_rfcs)
{
    struct digest *d = digest_new();

    CHECK(d);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct digest_text ha1, response;

        digest_ha1(d, rows[i].algorithm, rows[i].user, rows[i].realm, rows[i].password, &ha1);
        digest_response(d, rows[i].algorithm, &ha1, &rows[i].asked, &response);
        CHECK_ROW_EQ(i, slice_of(response.text, response.len), rows[i].response);
        CHECK_ROW(i, digest_response_is(d, rows[i].algorithm, &ha1, &rows[i].asked, rows[i].response));
    }
    digest_free(d);
}

TEST(a_response_of_anything_else_is_refused)
{
    struct digest *d = digest_new();
    const struct row *row = &rows[2];
    struct digest_asked other = row->asked;
    struct digest_text ha1, none = { 0 };
    char upper[65];

    CHECK(d);
    digest_ha1(d, row->algorithm, row->user, row->realm, row->password, &ha1);
    CHECK(!digest_response_is(d, row->algorithm, &ha1, &row->asked, slice_head(row->response, 63)));
    CHECK(!digest_response_is(d, row->algorithm, &ha1, &row->asked, SLICE("")));
    CHECK(!digest_response_is(d, DIGEST_MD5, &ha1, &row->asked, rows[1].response));
    CHECK(!digest_response_is(d, row->algorithm, &none, &row->asked, SLICE("")));
    other.nc++;
    CHECK(!digest_response_is(d, row->algorithm, &ha1, &other, row->response));
    other = row->asked;
    other.method = SLICE("REGISTER");
    CHECK(!digest_response_is(d, row->algorithm, &ha1, &other, row->response));
    for (size_t i = 0; i < 64; i++) {
        char c = row->response.ptr[i];

        upper[i] = c >= 'a' ? (char)(c - 'a' + 'A') : c;
    }
    CHECK(digest_response_is(d, row->algorithm, &ha1, &row->asked, slice_of(upper, 64)));
    digest_free(d);
}

TEST(algorithms_have_the_names_of_rfc_8760)
{
    static const struct { slice name; bool known; enum digest_algorithm algorithm; size_t len; } named[] = {
        { SLICE_INIT("sha-256"), true, DIGEST_SHA_256, 64 }, { SLICE_INIT("SHA-512-256"), true, DIGEST_SHA_512_256, 64 },
        { SLICE_INIT("MD5"), true, DIGEST_MD5, 32 },         { { NULL, 0 }, true, DIGEST_MD5, 32 },
        { SLICE_INIT("MD5-sess"), false, 0, 0 },             { SLICE_INIT("SHA-512"), false, 0, 0 },
        { SLICE_INIT(""), false, 0, 0 },                     { SLICE_INIT("AKAv1-MD5"), false, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        enum digest_algorithm got = DIGEST_ALGORITHMS;

        CHECK_ROW_EQ(i, digest_algorithm_find(named[i].name, &got), named[i].known);
        if (!named[i].known)
            continue;
        CHECK_ROW_EQ(i, got, named[i].algorithm);
        CHECK_ROW_EQ(i, digest_algorithm_len(got), named[i].len);
    }
}

TEST(a_nonce_proves_that_it_is_ours)
{
    static const slice wanted = SLICE_INIT("000000006b015b38000000072571f6f649d9d2b7db0110c542d83bc8");
    const struct digest_nonce given = { .made_s = 1795251000, .seq = 7 };
    struct digest *d = digest_new();
    struct digest_key other = key;
    char text[DIGEST_NONCE_LEN + 1];
    struct digest_nonce got;

    CHECK(d);
    digest_nonce_write(d, &key, &given, text);
    CHECK_EQ(slice_of_string(text), wanted);              /* HMAC by Python's hmac */
    CHECK(digest_nonce_read(d, &key, wanted, &got));
    CHECK_EQ(got.made_s, given.made_s);
    CHECK_EQ(got.seq, given.seq);
    other.bytes[31] ^= 1;
    CHECK(!digest_nonce_read(d, &other, wanted, &got));
    for (size_t i = 0; i < DIGEST_NONCE_LEN; i++) {       /* any one character changed, any cut */
        text[i] ^= 1;
        CHECK_ROW(i, !digest_nonce_read(d, &key, slice_of_string(text), &got));
        text[i] ^= 1;
        CHECK_ROW(i, !digest_nonce_read(d, &key, slice_head(wanted, i), &got));
    }
    CHECK(!digest_nonce_read(d, &key, SLICE("000000006B015B38000000072571f6f649d9d2b7db0110c542d83bc8"), &got));
    CHECK(!digest_nonce_read(d, &key, SLICE("000000006b015b38000000072571f6f649d9d2b7db0110c542d83bc8x"), &got));
    digest_free(d);
}
