/* switch/steer_test.c - whose message is it
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "switch/bindings.h"
#include "switch/endpoint.h"
#include "switch/steer.h"

enum { COUNT = 5, HERE = 3 };

static const struct steer five = { { 11, 22 }, COUNT };

static unsigned of(const char *message) { return steer_message(&five, slice_of_string(message), HERE).worker; }

/* "dABCD...": a token of worker 3 begins with d. */
static const char token_of_1[] = "bbcdefghijkmnpqr", token_of_2[] = "cbcdefghijkmnpqr", token_of_9[] = "jbcdefghijkmnpqr";

static unsigned hash_of(const char *call_id)
{
    char text[512];

    snprintf(text, sizeof text, "OPTIONS sip:x SIP/2.0\r\nCall-ID: %s\r\n\r\n", call_id);
    return of(text);
}

TEST(a_response_goes_to_who_made_the_topmost_branch)
{
    char text[512];

    snprintf(text, sizeof text, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK%s, SIP/2.0/UDP b;branch=z9hG4bK%s\r\n\r\n",
             token_of_1, token_of_2);
    CHECK_EQ(of(text), 1);
    snprintf(text, sizeof text, "\r\n\r\nSIP/2.0 180 x\r\nCall-ID: %s\r\nv :\r\n SIP/2.0/TCP [::1]:5060\r\n ;rport=1;branch=z9hG4bK%s\r\n\r\n",
             token_of_1, token_of_2);
    CHECK_EQ(of(text), 2);
    snprintf(text, sizeof text, "SIP/2.0 180 x\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK%s\r\n\r\n", token_of_9);
    CHECK_EQ(of(text), HERE);                             /* there is no worker 9 */
    CHECK_EQ(of("SIP/2.0 180 x\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKforeign\r\n\r\n"), HERE);
    CHECK_EQ(of("SIP/2.0 180 x\r\nCall-ID: bbcdefghijkmnpqr\r\n\r\n"), HERE);
}

TEST(a_call_id_of_ours_names_the_worker_and_another_is_hashed_the_same_in_every_spelling)
{
    unsigned seen = 0;
    char text[64];

    CHECK_EQ(hash_of(token_of_2), 2);
    CHECK_EQ(of("BYE sip:x SIP/2.0\r\nfrom: <sip:a@b>;tag=1\r\nI:\t cbcdefghijkmnpqr \r\nTo: <sip:c@d>;tag=x\r\n\r\n"), 2);
    CHECK_EQ(of("INVITE sip:x SIP/2.0\r\nCall-ID:\r\n a@b\r\nTo: <sip:c@d>\r\n\r\n"), hash_of("a@b"));
    CHECK_EQ(of("CANCEL sip:x SIP/2.0\nTo: <sip:c@d>\ncall-id : a@b\n\n"), hash_of("a@b"));
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "%d@host", i);
        seen |= 1u << hash_of(text);
    }
    CHECK_EQ(seen, (1u << COUNT) - 1);                    /* each has its share */
    CHECK(hash_of(token_of_9) < COUNT);
}

TEST(a_tag_of_ours_in_to_comes_before_the_call_id)
{
    char text[512];

    snprintf(text, sizeof text, "BYE sip:x SIP/2.0\r\nCall-ID: %s\r\nTo: \"tag=%s\" <sip:a@b;tag=%s>;x=1;TAG=%s\r\n\r\n", token_of_2,
             token_of_9, token_of_2, token_of_1);
    CHECK_EQ(of(text), 1);
    snprintf(text, sizeof text, "ACK sip:x SIP/2.0\r\nt: sip:a@b;tag=%s\r\nCall-ID: abc\r\n\r\n", token_of_2);
    CHECK_EQ(of(text), 2);
    CHECK_EQ(of("BYE sip:x SIP/2.0\r\nCall-ID: abc\r\nTo: <sip:a@b>;tag=foreign\r\n\r\n"), hash_of("abc"));
    snprintf(text, sizeof text, "BYE sip:x SIP/2.0\r\nCall-ID: abc\r\n\r\nTo: <sip:a@b>;tag=%s\r\n", token_of_1);
    CHECK_EQ(of(text), hash_of("abc"));                   /* that stands in the body */
}

TEST(an_invite_that_replaces_goes_where_the_replaced_dialog_is)
{
    char text[512];

    snprintf(text, sizeof text, "INVITE sip:x SIP/2.0\r\nCall-ID: abc\r\nTo: <sip:a@b>\r\nReplaces: zzz;to-tag=%s;from-tag=%s\r\n\r\n",
             token_of_2, token_of_1);
    CHECK_EQ(of(text), 2);
    CHECK_EQ(of("INVITE sip:x SIP/2.0\r\nCall-ID: abc\r\nTo: <sip:a@b>\r\nReplaces: zzz;to-tag=q;from-tag=r\r\n\r\n"), hash_of("zzz"));
    snprintf(text, sizeof text, "BYE sip:x SIP/2.0\r\nReplaces: zzz;to-tag=%s;from-tag=%s\r\nCall-ID: abc\r\nTo: <sip:a@b>\r\n\r\n",
             token_of_2, token_of_1);
    CHECK_EQ(of(text), hash_of("abc"));                   /* it comes too late there, and means nothing in a BYE */
}

TEST(a_register_goes_with_its_address_of_record_however_that_is_written)
{
    static const char *const same[] = {
        "REGISTER sip:h SIP/2.0\r\nTo: <sip:alice@example.org>\r\nCall-ID: 1\r\n\r\n",
        "REGISTER sip:h SIP/2.0\r\nCall-ID: cbcdefghijkmnpqr\r\nt: A <sips:al%69ce@EXAMPLE.org:5061;transport=tls>;tag=bbcdefghijkmnpqr\r\n\r\n",
        "REGISTER sip:h SIP/2.0\r\nCall-ID: 3\r\nTo: sip:alice@192.0.2.1\r\n\r\n",
    };
    char room[BINDINGS_KEY_MAX];
    slice key;

    CHECK(bindings_key(SLICE("sip:alice@example.org"), room, &key));
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        struct steered s = steer_message(&five, slice_of_string(same[i]), HERE);

        CHECK_ROW_EQ(i, s.worker, steer_aor(&five, key));
        CHECK_ROW(i, s.is_register);
    }
    CHECK_EQ(of("REGISTER sip:h SIP/2.0\r\nCall-ID: abc\r\nTo: <tel:+1>\r\n\r\n"), hash_of("abc"));
}

TEST(what_tells_nothing_stays_where_it_came_and_one_worker_owns_all)
{
    static const struct steer alone = { { 0 }, 1 };

    CHECK_EQ(of(""), HERE);
    CHECK_EQ(of("\r\n\r\n"), HERE);
    CHECK_EQ(of("hello"), HERE);
    CHECK_EQ(of("INVITE sip:x SIP/2.0\r\n\r\n"), HERE);
    CHECK_EQ(of("INVITE sip:x SIP/2.0\r\nCall-ID"), HERE);
    CHECK_EQ(of("INVITE sip:x SIP/2.0\r\nCall-ID:  \r\nTo"), HERE);
    CHECK_EQ(steer_message(&alone, SLICE("OPTIONS x SIP/2.0\r\nCall-ID: cbcdefghijkmnpqr\r\n\r\n"), 0).worker, 0);
}

TEST(a_gateway_by_one_transport_has_one_owner_of_its_connection)
{
    struct hop a = { .remote = address_v4((const uint8_t[]){ 192, 0, 2, 1 }, 5060), .transport = WIRE_TCP }, b = a;
    unsigned seen = 0;

    b.listener = 4;
    b.local = address_v4((const uint8_t[]){ 192, 0, 2, 9 }, 5060);
    CHECK_EQ(steer_hop(&five, &a), steer_hop(&five, &b));
    for (uint16_t port = 1; port < 200; port++) {
        b.remote.port = port;
        seen |= 1u << steer_hop(&five, &b);
    }
    CHECK_EQ(seen, (1u << COUNT) - 1);
}
