/* sip/auth_test.c - challenges and credentials as they are written.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/auth.h"

TEST(a_challenge_is_read_with_all_its_parameters)
{
    slice rest = SLICE("Digest realm=\"atlanta, \\\"x\\\"\",\r\n domain=\"sip:a sip:b\" , qop=\"auth, auth-int\","
                       "nonce = \"f84f1cec41e6cbe5aea9c8e88d359\",opaque=\"\", stale=TRUE, algorithm=SHA-256");
    struct sip_auth a;
    slice value;

    CHECK(sip_auth_next(&rest, &a));
    CHECK_EQ(a.scheme, SLICE("Digest"));
    CHECK_EQ(a.realm, SLICE("atlanta, \\\"x\\\""));
    CHECK_EQ(a.domain, SLICE("sip:a sip:b"));
    CHECK_EQ(a.nonce, SLICE("f84f1cec41e6cbe5aea9c8e88d359"));
    CHECK(a.opaque.ptr && a.opaque.len == 0);
    CHECK_EQ(a.algorithm, SLICE("SHA-256"));
    CHECK(a.stale);
    CHECK(sip_auth_offers(&a, SLICE("auth")));
    CHECK(sip_auth_offers(&a, SLICE("AUTH-INT")));
    CHECK(!sip_auth_offers(&a, SLICE("aut")));
    CHECK(sip_auth_param_find(a.params, SLICE("Stale"), &value));
    CHECK_EQ(value, SLICE("TRUE"));
    CHECK(!sip_auth_next(&rest, &a));
}

TEST(credentials_are_read_with_their_count)
{
    slice rest = SLICE("Digest username=\"bob\",realm=\"r\",nonce=\"n\",uri=\"sip:r\",qop=auth,nc=0000001F,"
                       "cnonce=\"c\",response=\"6629fae49393a05397450978507c4ef1\",auts=\"q==\"");
    struct sip_auth a;

    CHECK(sip_auth_next(&rest, &a));
    CHECK_EQ(a.username, SLICE("bob"));
    CHECK_EQ(a.uri, SLICE("sip:r"));
    CHECK_EQ(a.qop, SLICE("auth"));
    CHECK(a.has_nc && a.nc == 31);
    CHECK_EQ(a.cnonce, SLICE("c"));
    CHECK_EQ(a.response, SLICE("6629fae49393a05397450978507c4ef1"));
    CHECK_EQ(a.auts, SLICE("q=="));
    CHECK(!a.stale);
}

TEST(several_challenges_in_one_value_are_kept_apart)
{
    slice rest = SLICE("Digest realm=\"a\", nonce=\"1\", Digest realm=\"b\",nonce=\"2\",algorithm=MD5, Basic realm=\"c\", NoOne");
    static const struct { slice scheme, realm, nonce; } rows[] = {
        { SLICE("Digest"), SLICE("a"), SLICE("1") }, { SLICE("Digest"), SLICE("b"), SLICE("2") },
        { SLICE("Basic"), SLICE("c"), {0} }, { SLICE("NoOne"), {0}, {0} },
    };
    struct sip_auth a;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW(i, sip_auth_next(&rest, &a));
        CHECK_ROW_EQ(i, a.scheme, rows[i].scheme);
        CHECK_ROW(i, slice_eq(a.realm, rows[i].realm));
        CHECK_ROW(i, slice_eq(a.nonce, rows[i].nonce));
    }
    CHECK(!sip_auth_next(&rest, &a));
}

TEST(a_parameter_counts_the_first_time_and_bad_counts_are_none)
{
    static const struct { slice in; slice nonce; bool has_nc; } rows[] = {
        { SLICE("Digest nonce=1,nonce=2,nc=00000001"), SLICE("1"), true },
        { SLICE("Digest nonce=1,nc=1"), SLICE("1"), false },
        { SLICE("Digest nonce=1,nc=0000000g"), SLICE("1"), false },
        { SLICE("Digest xnonce=3,noncee=4,=5,@,nonce=1"), SLICE("1"), false },
        { SLICE("Digest nonce=\"open,nc=00000001"), SLICE("\"open"), true },
        { SLICE("NoOneKnowsThisScheme opaque-data=here"), {0}, false },            /* RFC 4475 */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in;
        struct sip_auth a;

        CHECK_ROW(i, sip_auth_next(&rest, &a));
        CHECK_ROW(i, slice_eq(a.nonce, rows[i].nonce));
        CHECK_ROW_EQ(i, a.has_nc, rows[i].has_nc);
    }
}

TEST(authentication_info_has_no_scheme)
{
    struct sip_auth a;

    CHECK(sip_auth_info_parse(SLICE("nextnonce=\"47364c23\", qop=auth, rspauth=\"66\", cnonce=\"c\", nc=00000002"), &a));
    CHECK_EQ(a.scheme.len, 0);
    CHECK_EQ(a.nextnonce, SLICE("47364c23"));
    CHECK_EQ(a.rspauth, SLICE("66"));
    CHECK_EQ(a.nc, 2);
    CHECK(!sip_auth_info_parse(SLICE(""), &a));
}
