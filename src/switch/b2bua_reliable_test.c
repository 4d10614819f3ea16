/* switch/b2bua_reliable_test.c - reliable provisional answers, off, by leg and demanded
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll
#define ALLOWS_UPDATE "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n"

static struct rig r;
static const struct rig_how plain, with_sdp = { .sdp = true };

static bool begin(enum b2bua_reliable mode)
{
    return rig_begin_with(&r, 0, &(struct b2bua_settings){ .reliable = (uint8_t)mode, .duration_max_ns = 600 * SECOND_NS });
}

static void end(void)
{
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

static unsigned pracks(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r.asked_count[RIG_B]; i++)
        n += strncmp(r.asked[RIG_B][i].text, "PRACK ", 6) == 0;
    return n;
}

/* As far as B's 183 with SDP and RSeq 7. */
static void early(const char *supported, const char *require)
{
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = supported, .extra = require });
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .sdp = true, .rseq = 7, .extra = ALLOWS_UPDATE });
}

TEST(what_the_caller_requires_or_lacks_is_420_or_421)
{
    static const struct { uint8_t reliable, preconditions; const char *supported, *extra; unsigned status; const char *beside; } rows[] = {
        { B2BUA_RELIABLE_OFF, 0, "100rel", "", 0, NULL },
        { B2BUA_RELIABLE_OFF, 0, "timer", "Require: 100rel\r\n", 420, "Unsupported: 100rel\r\n" },
        { B2BUA_RELIABLE_DEMAND, 0, "timer", "", 421, "Require: 100rel\r\n" },
        { B2BUA_RELIABLE_DEMAND, 0, "timer", "Require: 100rel\r\n", 0, NULL },
        { B2BUA_RELIABLE_DEMAND, 0, "100rel", "", 0, NULL },
        { B2BUA_RELIABLE_LEG, 0, "timer", "", 0, NULL },
        { 0, B2BUA_PRECONDITIONS_OFF, "100rel", "Require: precondition\r\n", 420, "Unsupported: precondition\r\n" },
        { 0, B2BUA_PRECONDITIONS_OFF, "100rel, precondition", "", 0, NULL },
        { 0, B2BUA_PRECONDITIONS_ACT, "100rel", "Require: precondition\r\n", 0, NULL },
        { B2BUA_RELIABLE_OFF, B2BUA_PRECONDITIONS_OFF, "timer", "Require: precondition\r\nRequire: 100rel\r\n", 420, "Unsupported: 100rel\r\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin_with(&r, 0, &(struct b2bua_settings){ .reliable = rows[i].reliable, .preconditions = rows[i].preconditions }));
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = rows[i].supported, .extra = rows[i].extra });
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].status);
        CHECK_ROW(i, !rows[i].beside || rig_has(r.said[RIG_A], rows[i].beside));
        CHECK_ROW(i, (rig_asked(&r, RIG_B, "INVITE", NULL) != NULL) == !rows[i].status);
        end();
    }
}

TEST(off_means_that_neither_side_hears_of_it)
{
    CHECK(begin(B2BUA_RELIABLE_OFF));
    early("100rel, timer", "");
    CHECK(!rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "100rel"));
    CHECK(rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "Supported: timer\r\n"));
    CHECK_EQ(pracks(), 1);                                /* it was reliable all the same: it gets its PRACK */
    CHECK_EQ(r.last_status[RIG_A], 183);
    CHECK(!rig_has(r.said[RIG_A], "100rel") && !rig_has(r.said[RIG_A], "RSeq"));
    end();
}

TEST(by_leg_b_has_its_prack_at_once_and_a_owes_one_to_us)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    early("100rel", "");
    CHECK_EQ(pracks(), 1);
    CHECK(rig_has(rig_asked(&r, RIG_B, "PRACK", NULL), "RAck: 7 1 INVITE\r\n"));
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    CHECK(r.last_status[RIG_A] == 183 && rig_has(r.said[RIG_A], "Require: 100rel\r\n") && rig_has(r.said[RIG_A], "RSeq: "));
    rig_request(&r, RIG_A, "PRACK", &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    CHECK_EQ(pracks(), 1);                                /* A's ended here */
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &plain);
    CHECK_EQ(b2bua_counts(r.b2bua)->answered, 1);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(by_leg_a_caller_without_100rel_hears_plain_ringing_and_b_is_acknowledged)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    early("timer", "");
    CHECK(rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "Supported: 100rel, timer\r\n"));
    CHECK_EQ(pracks(), 1);
    CHECK(r.last_status[RIG_A] == 183 && !rig_has(r.said[RIG_A], "100rel") && !rig_has(r.said[RIG_A], "RSeq"));
    end();
}

TEST(by_leg_a_caller_that_requires_100rel_hears_plain_ringing_reliably)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = "timer", .extra = "Require: 100rel\r\n" });
    CHECK(!rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "Require: 100rel"));
    rig_answer_to(&r, RIG_B, "INVITE", 183, &plain);
    CHECK(r.last_status[RIG_A] == 183 && rig_has(r.said[RIG_A], "Require: 100rel\r\n") && rig_has(r.said[RIG_A], "RSeq: "));
    rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);      /* not before its PRACK */
    CHECK_EQ(r.last_status[RIG_A], 183);
    rig_request(&r, RIG_A, "PRACK", &plain);
    CHECK_EQ(r.codes[r.code_count - 2], 200);
    CHECK(r.last_status[RIG_A] == 180 && rig_has(r.said[RIG_A], "Require: 100rel\r\n"));
    CHECK_EQ(pracks(), 0);
    rig_request(&r, RIG_A, "PRACK", &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    end();
}

/* RFC 3262, 3: the 2xx waits for the PRACK of the answer that A has already. */
TEST(by_leg_the_answer_waits_for_the_prack_of_a)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    early("100rel", "");
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    CHECK_EQ(r.last_status[RIG_A], 183);
    CHECK(!rig_asked(&r, RIG_B, "ACK", NULL));
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);   /* once more, as it had no ACK */
    CHECK_EQ(r.last_status[RIG_A], 200);
    CHECK(rig_asked(&r, RIG_B, "ACK", NULL) != NULL);
    CHECK_EQ(b2bua_counts(r.b2bua)->answered, 1);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(by_leg_an_answer_that_waits_in_vain_is_acknowledged_and_released)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    early("100rel", "");
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_wait(&r, 33 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 504);
    CHECK_EQ(b2bua_counts(r.b2bua)->unpracked, 1);
    CHECK(rig_asked(&r, RIG_B, "ACK", NULL) && rig_asked(&r, RIG_B, "BYE", NULL));
    end();
}

/* Found by the fuzzer: nobody had a timer any more. */
TEST(by_leg_a_call_ends_though_the_answer_that_waited_never_comes_again)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    early("100rel", "");
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_wait(&r, 15 * SECOND_NS);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_wait(&r, 6 * SECOND_NS);                          /* the ring time of 20 s is over */
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_wait(&r, 40 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 504);
    CHECK(rig_asked(&r, RIG_B, "ACK", NULL) && rig_asked(&r, RIG_B, "BYE", NULL));
    end();
}

TEST(by_leg_an_offer_in_the_prack_comes_to_b_as_update)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    early("100rel", "");
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_request(&r, RIG_A, "PRACK", &with_sdp);
    CHECK(rig_has(rig_asked(&r, RIG_B, "UPDATE", NULL), "\r\no=- 1 1 IN IP4 h\r\n"));
    CHECK_EQ(r.last_status[RIG_A], 183);
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &with_sdp);
    CHECK(r.last_status[RIG_A] == 200 && rig_has(r.said[RIG_A], "PRACK\r\n") && rig_has(r.said[RIG_A], "\r\no=- 1 1 IN IP4 h\r\n"));
    end();
}

/* B's offer is in its 183, A's answer in the PRACK: that cannot end here. */
TEST(by_leg_an_invite_without_offer_has_its_pracks_passed_on)
{
    CHECK(begin(B2BUA_RELIABLE_LEG));
    rig_request(&r, RIG_A, "INVITE", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .sdp = true, .rseq = 7 });
    CHECK_EQ(pracks(), 0);
    CHECK(rig_has(r.said[RIG_A], "Require: 100rel\r\n"));
    rig_request(&r, RIG_A, "PRACK", &with_sdp);
    CHECK(rig_has(rig_asked(&r, RIG_B, "PRACK", NULL), "\r\no=- 1 1 IN IP4 h\r\n"));
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    end();
}

/* The other side is as the settings say. What B is asked for; whether B's reliable 183 is told reliably. */
TEST(sides_of_different_modes_meet_by_leg)
{
    enum { OFF = B2BUA_RELIABLE_OFF, LEG = B2BUA_RELIABLE_LEG, THROUGH = B2BUA_RELIABLE_THROUGH, DEMAND = B2BUA_RELIABLE_DEMAND };
    static const struct { uint8_t a, b, others; const char *supported, *extra; bool asked, told; unsigned pracks; } rows[] = {
        { 0, 1 + OFF, THROUGH, "100rel", "", false, true, 1 },           /* B is reliable all the same */
        { 0, 1 + LEG, THROUGH, "100rel", "", true, true, 1 },
        { 0, 1 + LEG, THROUGH, "timer", "", true, false, 1 },
        { 0, 1 + THROUGH, THROUGH, "100rel", "", true, true, 0 },        /* A's own goes on to B */
        { 0, 1 + DEMAND, THROUGH, "100rel", "", true, true, 0 },
        { 0, 1 + THROUGH, OFF, "100rel", "", true, false, 1 },
        { 1 + OFF, 0, THROUGH, "100rel", "", true, false, 1 },
        { 1 + OFF, 0, OFF, "100rel", "", false, false, 1 },
        { 1 + THROUGH, 0, OFF, "100rel", "Require: 100rel\r\n", false, true, 1 },
        { 1 + LEG, 1 + OFF, THROUGH, "100rel", "", false, true, 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(begin((enum b2bua_reliable)rows[i].others));
        r.reliable[RIG_A] = rows[i].a, r.reliable[RIG_B] = rows[i].b;
        early(rows[i].supported, rows[i].extra);
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "100rel"), rows[i].asked);
        CHECK_ROW_EQ(i, r.last_status[RIG_A], 183);
        CHECK_ROW_EQ(i, rig_has(r.said[RIG_A], "Require: 100rel\r\n") && rig_has(r.said[RIG_A], "RSeq: "), rows[i].told);
        CHECK_ROW_EQ(i, pracks(), rows[i].pracks);
        rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
        if (rows[i].told)
            rig_request(&r, RIG_A, "PRACK", &plain);
        rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
        CHECK_ROW_EQ(i, pracks(), 1);
        rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
        CHECK_ROW_EQ(i, r.last_status[RIG_A], 200);
        rig_request(&r, RIG_A, "ACK", &plain);
        rig_request(&r, RIG_A, "BYE", &plain);
        end();
    }
}

TEST(who_requires_100rel_of_a_gateway_where_it_is_off_gets_it_from_us)
{
    CHECK(begin(B2BUA_RELIABLE_THROUGH));
    r.reliable[RIG_B] = 1 + B2BUA_RELIABLE_OFF;
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = "timer", .extra = "Require: 100rel\r\n" });
    CHECK(!rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "100rel"));
    rig_answer_to(&r, RIG_B, "INVITE", 183, &with_sdp);
    CHECK(r.last_status[RIG_A] == 183 && rig_has(r.said[RIG_A], "Require: 100rel\r\n") && rig_has(r.said[RIG_A], "RSeq: "));
    rig_request(&r, RIG_A, "PRACK", &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    CHECK_EQ(pracks(), 0);
    end();
}

TEST(a_gateway_that_calls_is_held_to_its_own_mode)
{
    static const struct { uint8_t mode; const char *extra; unsigned status; } rows[] = {
        { B2BUA_RELIABLE_OFF, "Require: 100rel\r\n", 420 }, { B2BUA_RELIABLE_DEMAND, "", 421 }, { B2BUA_RELIABLE_THROUGH, "", 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(begin(rows[i].mode == B2BUA_RELIABLE_OFF ? B2BUA_RELIABLE_THROUGH : B2BUA_RELIABLE_OFF));
        r.reliable[RIG_A] = (uint8_t)(1 + rows[i].mode);
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = "timer", .extra = rows[i].extra });
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].status);
        end();
    }
}

/* RFC 3262, 3: the numbers are those of one INVITE; many phones begin each with the same. */
TEST(the_ringing_of_a_second_invite_has_its_prack_though_its_number_was_there_before)
{
    CHECK(begin(B2BUA_RELIABLE_THROUGH));
    early("100rel", "");
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &(struct rig_how){ .rseq = 7 });
    CHECK_EQ(r.last_status[RIG_A], 180);
    CHECK_EQ(pracks(), 2);
    CHECK(rig_has(rig_asked(&r, RIG_B, "PRACK", NULL), "RAck: 7 3 INVITE\r\n"));
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .rseq = 9 });   /* 8 is missing */
    CHECK_EQ(pracks(), 2);
    CHECK_EQ(r.last_status[RIG_A], 180);
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .rseq = 8 });
    CHECK_EQ(pracks(), 3);
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .cseq = 3 });
    rig_request(&r, RIG_A, "BYE", &plain);
    rig_answer_to(&r, RIG_B, "BYE", 200, &plain);
    end();
}

/* RFC 3262, 3: no 1xx of ours that is not reliable to who requires it. */
TEST(a_caller_that_requires_100rel_is_not_told_of_a_forward_by_a_plain_181)
{
    static const struct { uint8_t mode; const char *require; bool told; } rows[] = {
        { B2BUA_RELIABLE_THROUGH, "", true }, { B2BUA_RELIABLE_THROUGH, "Require: 100rel\r\n", false },
        { B2BUA_RELIABLE_LEG, "Require: 100rel\r\n", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool told = false;

        CHECK(begin((enum b2bua_reliable)rows[i].mode));
        r.forwards = true;
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = rows[i].require });
        rig_answer_to(&r, RIG_B, "INVITE", 486, &plain);
        CHECK_ROW_EQ(i, b2bua_counts(r.b2bua)->forwarded, 1);
        for (unsigned k = 0; k < r.code_count; k++)
            told |= r.codes[k] == 181;
        CHECK_ROW_EQ(i, told, rows[i].told);
        end();
    }
}

TORTURE(calls_by_leg_without_memory_leave_nothing)
{
    CHECK_OR_GOTO(rig_begin_with(&r, 0, &(struct b2bua_settings){ .reliable = B2BUA_RELIABLE_LEG, .duration_max_ns = 600 * SECOND_NS }), out);
    early("100rel", "Require: 100rel\r\n");
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_request(&r, RIG_A, "PRACK", &with_sdp);
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &with_sdp);
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}
