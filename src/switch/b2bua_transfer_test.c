/* switch/b2bua_transfer_test.c - REFER as peers write it, right and wrong; how transfers go is in lab/flows_test.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll

static struct rig r;
static const struct rig_how plain, with_sdp = { .sdp = true };
static const struct rig_how to_carol = { .extra = "Refer-To: <sip:carol@h>\r\n" };

static void call(void)
{
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &plain);
}

static bool asked(enum rig_side side, unsigned nth, const char *what)
{
    slice text = nth < r.asked_count[side] ? slice_of(r.asked[side][nth].text, r.asked[side][nth].len) : (slice){ 0 };

    return slice_find(text, slice_of_string(what)) >= 0;
}

TEST(a_refer_is_answered_by_what_it_names)
{
    static const struct { const char *extra; unsigned status; } rows[] = {
        { "Refer-To: <sip:carol@h>\r\n", 202 },
        { "Refer-To: sip:carol@h\r\n", 202 },
        { "r: <sips:carol@h>\r\n", 202 },
        { "Refer-To: <tel:+4930123>\r\n", 202 },
        { "Refer-To: <sip:carol@h;method=INVITE>\r\n", 202 },
        { "Refer-To: <sip:carol@h>\r\nRefer-Sub: true\r\n", 200 },
        { "Refer-To: <sip:carol@h>\r\nRefer-Sub: false\r\n", 200 },
        { "", 400 },
        { "Refer-To:\r\n", 400 },
        { "Refer-To: <sip:carol@h>\r\nRefer-To: <sip:dave@h>\r\n", 400 },
        { "Refer-To: <sip:carol@h?Replaces=%41>\r\n", 400 },
        { "Refer-To: <http://h/>\r\n", 416 },
        { "Refer-To: <sip:carol@h;method=BYE>\r\n", 603 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        call();
        rig_request(&r, RIG_A, "REFER", &(struct rig_how){ .extra = rows[i].extra });
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].status);
        CHECK_ROW_EQ(i, b2bua_counts(r.b2bua)->transfers, rows[i].status < 300);
        rig_end(&r);
        CHECK_ROW_EQ(i, r.left, 0);
    }
}

TEST(the_headers_of_a_refer_to_do_not_get_into_the_new_invite)
{
    CHECK(rig_begin(&r, 0));
    call();
    rig_request(&r, RIG_A, "REFER", &(struct rig_how){ .extra = "Refer-To: <sip:carol@h?P-Asserted-Identity=x&Subject=y>\r\n"
                                                                "Referred-By: <sip:alice@h>\r\nP-Asserted-Identity: <sip:z@h>\r\n" });
    CHECK(asked(RIG_B, 0, "INVITE ") && asked(RIG_B, 0, "\r\nReferred-By: <sip:alice@h>\r\n"));
    CHECK(!asked(RIG_B, 0, "Subject") && !asked(RIG_B, 0, "Identity: x") && !asked(RIG_B, 0, "sip:z@h") && !asked(RIG_B, 0, "application/sdp"));
    CHECK_STR_EQ(r.referrer, "alice@x");
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(one_transfer_of_a_call_at_a_time)
{
    CHECK(rig_begin(&r, 0));
    call();
    rig_request(&r, RIG_A, "REFER", &to_carol);
    CHECK_EQ(r.last_status[RIG_A], 202);
    rig_request(&r, RIG_A, "REFER", &to_carol);
    CHECK_EQ(r.last_status[RIG_A], 491);
    rig_answer(&r, RIG_B, 0, 486, &plain);
    rig_wait(&r, 100000000);
    CHECK(asked(RIG_A, 0, "\r\n\r\nSIP/2.0 486 x\r\n") && asked(RIG_A, 0, "terminated"));
    rig_request(&r, RIG_A, "REFER", &to_carol);
    CHECK_EQ(r.last_status[RIG_A], 202);
    CHECK(asked(RIG_A, 0, "Event: refer;id="));            /* it is the second one */
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(transfers_can_be_switched_off_and_passed_through)
{
    CHECK(rig_begin_as(&r, B2BUA_TRANSFER_OFF));
    call();
    rig_request(&r, RIG_A, "REFER", &to_carol);
    CHECK_EQ(r.last_status[RIG_A], 403);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
    CHECK(rig_begin_as(&r, B2BUA_TRANSFER_THROUGH));
    call();
    rig_request(&r, RIG_A, "REFER", &to_carol);
    CHECK(asked(RIG_B, 0, "REFER ") && asked(RIG_B, 0, "Refer-To: <sip:carol@h>"));
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_consultation_in_another_worker_is_for_the_party_to_replace)
{
    static const struct { bool several; const char *tag; unsigned status; bool passed; } rows[] = {
        { true, "c2345678abcdefgh", 0, true },
        { true, "b2345678abcdefgh", 202, false },          /* ours, and nothing has it */
        { true, "somebody-elses", 202, false },
        { false, "c2345678abcdefgh", 202, false },
    };
    static const struct hash_seed seed = { 4, 5 };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tally *lines = tally_new(&seed, NULL);
        char extra[128];

        snprintf(extra, sizeof extra, "Refer-To: <sip:carol@h?Replaces=x%%3Bto-tag%%3D%s%%3Bfrom-tag%%3Dy>\r\n", rows[i].tag);
        CHECK(rig_begin_with(&r, 0, &(struct b2bua_settings){ .duration_max_ns = 600 * SECOND_NS,
                                                              .lines = rows[i].several ? lines : NULL }));
        call();
        r.last_status[RIG_A] = 0;
        rig_request(&r, RIG_A, "REFER", &(struct rig_how){ .extra = extra });
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].status);
        CHECK_ROW_EQ(i, asked(RIG_B, 0, "REFER ") && asked(RIG_B, 0, extra), rows[i].passed);
        rig_end(&r);
        CHECK_ROW_EQ(i, r.left, 0);
        tally_free(lines);
    }
}

TEST(a_referrer_that_wants_no_notify_gets_none)
{
    CHECK(rig_begin(&r, 0));
    call();
    rig_request(&r, RIG_A, "REFER", &(struct rig_how){ .extra = "Refer-To: <sip:carol@h>\r\nRefer-Sub: false\r\n" });
    rig_answer(&r, RIG_B, 0, 486, &plain);
    rig_wait(&r, 1000000000);
    CHECK_EQ(r.asked_count[RIG_A], 0);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_target_that_rings_in_ever_new_ways_is_not_quoted_for_ever)
{
    CHECK(rig_begin(&r, 0));
    call();
    rig_request(&r, RIG_A, "REFER", &to_carol);
    for (unsigned i = 0; i < 3000; i++)
        rig_answer(&r, RIG_B, 0, 180 + i % 2 * 3, &(struct rig_how){ .tag = 9 });
    CHECK(b2bua_memory_bytes(r.b2bua) < 40000);
    CHECK(r.sent < 60);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

/* ---- the subscription ---- */

static bool begin_long_ring(void)
{
    bool begun = rig_begin_with(&r, 0, &(struct b2bua_settings){ .duration_max_ns = 600 * SECOND_NS, .ring_ns = 1200 * SECOND_NS,
                                                                 .proceeding_ns = 1200 * SECOND_NS });

    r.no_answer_ns = 1200 * SECOND_NS;
    return begun;
}

static void refer_and_ring(void)
{
    call();
    rig_request(&r, RIG_A, "REFER", &to_carol);
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 9 });
}

TEST(a_subscription_ends_with_its_time_and_the_transfer_goes_on)
{
    CHECK(begin_long_ring());
    refer_and_ring();
    CHECK(asked(RIG_A, 0, "SIP/2.0 180 x") && asked(RIG_A, 0, "Subscription-State: active;expires=180\r\n"));
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_wait(&r, 100 * SECOND_NS);
    rig_answer(&r, RIG_B, 0, 183, &(struct rig_how){ .tag = 9 });
    CHECK(asked(RIG_A, 0, "Subscription-State: active;expires=80\r\n"));
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_wait(&r, 79 * SECOND_NS);
    CHECK(!asked(RIG_A, 0, "terminated"));
    rig_wait(&r, 2 * SECOND_NS);
    CHECK(asked(RIG_A, 0, "Subscription-State: terminated;reason=timeout\r\n") && asked(RIG_A, 0, "SIP/2.0 183 "));
    rig_answer(&r, RIG_A, 0, 200, &plain);
    unsigned heard = r.asked_count[RIG_A];

    rig_answer(&r, RIG_B, 0, 486, &plain);
    rig_wait(&r, SECOND_NS);
    CHECK_EQ(r.asked_count[RIG_A], heard);                 /* nobody listens */
    CHECK_EQ(b2bua_counts(r.b2bua)->live, 1);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_subscription_can_be_kept_and_ended_and_is_never_a_long_one)
{
    static const char *const keep = "Event: refer\r\nExpires: 3600\r\n", *const leave = "Event: refer\r\nExpires: 0\r\n";

    CHECK(begin_long_ring());
    call();
    rig_request(&r, RIG_A, "SUBSCRIBE", &(struct rig_how){ .extra = keep });
    CHECK_EQ(r.last_status[RIG_A], 481);                   /* no REFER, no subscription */
    rig_request(&r, RIG_A, "REFER", &to_carol);
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 9 });
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_wait(&r, 170 * SECOND_NS);
    rig_request(&r, RIG_A, "SUBSCRIBE", &(struct rig_how){ .extra = keep });
    CHECK(r.last_status[RIG_A] == 200 && rig_has(r.said[RIG_A], "\r\nExpires: 180\r\n"));
    CHECK(asked(RIG_A, 0, "SIP/2.0 180 ") && asked(RIG_A, 0, "active;expires=180"));
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_wait(&r, 170 * SECOND_NS);
    CHECK(!asked(RIG_A, 0, "terminated"));
    rig_request(&r, RIG_A, "SUBSCRIBE", &(struct rig_how){ .extra = leave });
    CHECK(rig_has(r.said[RIG_A], "\r\nExpires: 0\r\n") && asked(RIG_A, 0, "terminated;reason=timeout"));
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_request(&r, RIG_A, "SUBSCRIBE", &(struct rig_how){ .extra = keep });
    CHECK_EQ(r.last_status[RIG_A], 481);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_referrer_that_refuses_a_notify_gets_no_more_of_them)
{
    for (unsigned status = 405; status <= 481; status += 76) {
        CHECK(rig_begin(&r, 0));
        call();
        rig_request(&r, RIG_A, "REFER", &to_carol);
        rig_answer(&r, RIG_A, 0, status, &plain);
        rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 9 });
        rig_answer(&r, RIG_B, 0, 486, &(struct rig_how){ .tag = 9 });
        rig_wait(&r, SECOND_NS);
        CHECK_ROW_EQ(status, r.asked_count[RIG_A], 1);
        CHECK_ROW_EQ(status, b2bua_counts(r.b2bua)->live, 1);    /* the call is none of the subscription's business */
        rig_end(&r);
        CHECK_ROW_EQ(status, r.left, 0);
    }
}

/* ---- who is told about whom ---- */

TEST(whoever_keeps_its_number_secret_keeps_it_from_the_new_party_too)
{
    static const struct { const char *privacy; bool anonymous, passes; } rows[] = {
        { "", false, false }, { "Privacy: user\r\n", true, false }, { "Privacy: id\r\n", false, true }, { "Privacy: none\r\n", false, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = rows[i].privacy });
        rig_answer(&r, RIG_B, 0, 200, &with_sdp);
        rig_request(&r, RIG_A, "ACK", &plain);
        rig_request(&r, RIG_B, "REFER", &to_carol);         /* it is A that is sent on */
        CHECK_ROW(i, asked(RIG_B, 1, "NOTIFY ") && asked(RIG_B, 0, "INVITE "));
        CHECK_ROW_EQ(i, asked(RIG_B, 0, "From: <sip:alice@h>"), !rows[i].anonymous);
        CHECK_ROW_EQ(i, asked(RIG_B, 0, "alice"), !rows[i].anonymous);
        CHECK_ROW_EQ(i, asked(RIG_B, 0, "\r\nPrivacy: id\r\n"), rows[i].passes);
        rig_end(&r);
        CHECK_ROW_EQ(i, r.left, 0);
        /* And now it is A that sends B on: nothing names it. */
        CHECK(rig_begin(&r, 0));
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = rows[i].privacy });
        rig_answer(&r, RIG_B, 0, 200, &with_sdp);
        rig_request(&r, RIG_A, "ACK", &plain);
        rig_request(&r, RIG_A, "REFER", &(struct rig_how){ .extra = "Refer-To: <sip:carol@h>\r\nReferred-By: <sip:alice@h>\r\n" });
        CHECK_ROW_EQ(i, asked(RIG_B, 0, "Referred-By"), !rows[i].anonymous && !rows[i].passes);
        rig_end(&r);
        CHECK_ROW_EQ(i, r.left, 0);
    }
}

TEST(the_new_partys_offer_has_only_codecs_that_the_other_may_have)
{
#define OFFER(formats) "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP " formats "\r\n"
    static const slice names[] = { SLICE_INIT("pcma") };
    static const struct { const char *offer, *passes; } rows[] = { { OFFER("0 8"), "RTP/AVP 8\r\n" }, { OFFER("0"), NULL } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin_with(&r, 0, &(struct b2bua_settings){ .duration_max_ns = 600 * SECOND_NS, .codecs = { names, 1 } }));
        call();
        rig_request(&r, RIG_A, "REFER", &to_carol);
        rig_answer(&r, RIG_A, 0, 200, &plain);
        rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = 9, .body = rows[i].offer });
        rig_wait(&r, SECOND_NS / 10);
        CHECK_ROW_EQ(i, asked(RIG_B, 0, "INVITE ") && asked(RIG_B, 0, rows[i].passes ? rows[i].passes : "-"), rows[i].passes != NULL);
        CHECK_ROW_EQ(i, asked(RIG_A, 0, "SIP/2.0 488 "), rows[i].passes == NULL);
        rig_end(&r);
        CHECK_ROW_EQ(i, r.left, 0);
    }
}

/* ---- who listens ---- */

/* Call-ID and From tag of a request of the switch. */
static const char *name_of(enum rig_side side, unsigned nth)
{
    static struct sip_header room[SIP_HEADERS_MAX];
    static char text[128];
    struct sip_message m;

    if (nth >= r.asked_count[side] ||
        sip_message_parse(slice_of(r.asked[side][nth].text, r.asked[side][nth].len), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0)
        return "";
    snprintf(text, sizeof text, SLICE_FMT " " SLICE_FMT, SLICE_ARG(m.call_id), SLICE_ARG(m.from.tag));
    return text;
}

TEST(whoever_listens_hears_that_the_new_leg_belongs_to_the_party_that_stays)
{
    char wanted[256], party[128];

    CHECK(rig_begin(&r, 0));
    call();
    rig_request(&r, RIG_B, "REFER", &to_carol);             /* alice stays, who called us */
    snprintf(wanted, sizeof wanted, "a-call a %s", name_of(RIG_B, 0));
    CHECK(asked(RIG_B, 0, "INVITE "));
    CHECK_STR_EQ(r.joined_names, wanted);
    rig_end(&r);
    CHECK(rig_begin(&r, 0));
    call();
    snprintf(party, sizeof party, "%s", name_of(RIG_B, 0));
    rig_request(&r, RIG_A, "REFER", &to_carol);             /* bob stays, whom we called */
    snprintf(wanted, sizeof wanted, "%s %s", party, name_of(RIG_B, 0));
    CHECK(asked(RIG_B, 0, "INVITE "));
    CHECK_STR_EQ(r.joined_names, wanted);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

/* ---- to the end ---- */

/* The referrer stays: it is sent away; and who never answers the re-INVITE costs the new call only until it does. */
static void whole_transfer(void)
{
    call();
    rig_request(&r, RIG_A, "REFER", &to_carol);
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 9 });
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = 9, .sdp = true });
    rig_wait(&r, 100000000);
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    rig_wait(&r, 100000000);
    rig_answer(&r, RIG_A, 0, 200, &plain);
}

TEST(a_referrer_that_stays_is_sent_away)
{
    CHECK(rig_begin(&r, 0));
    whole_transfer();
    CHECK_EQ(b2bua_counts(r.b2bua)->transferred, 1);
    CHECK(asked(RIG_A, 0, "\r\n\r\nSIP/2.0 200 OK\r\n"));
    CHECK(asked(RIG_B, 0, "ACK ") && asked(RIG_B, 0, "v=0") && asked(RIG_B, 1, "ACK ") && !asked(RIG_B, 1, "v=0"));
    rig_wait(&r, 6 * 1000000000ll);
    CHECK(asked(RIG_A, 0, "BYE "));
    rig_answer(&r, RIG_A, 0, 200, &plain);
    rig_wait(&r, 40 * 1000000000ll);
    CHECK_EQ(b2bua_counts(r.b2bua)->live, 1);              /* bob and carol talk on */
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TORTURE(a_transfer_without_memory_ends_and_leaves_nothing)
{
    CHECK_OR_GOTO(rig_begin(&r, 0), out);
    whole_transfer();
    rig_wait(&r, 6 * 1000000000ll);
    rig_answer(&r, RIG_A, 0, 200, &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}
