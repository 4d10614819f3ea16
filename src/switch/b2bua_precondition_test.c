/* switch/b2bua_precondition_test.c - ringing that waits for resources, and what becomes of it
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll
#define SDP "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
/* Of A (local is A's side), and of B (remote is A's side). */
#define A_WAITS SDP "a=curr:qos local none\r\na=curr:qos remote none\r\na=des:qos mandatory local sendrecv\r\na=des:qos none remote sendrecv\r\n"
#define A_READY SDP "a=curr:qos local sendrecv\r\na=curr:qos remote none\r\na=des:qos mandatory local sendrecv\r\na=des:qos mandatory remote sendrecv\r\n"
#define B_WAITS SDP "a=curr:qos local none\r\na=curr:qos remote none\r\na=des:qos mandatory local sendrecv\r\na=des:qos mandatory remote sendrecv\r\na=conf:qos remote sendrecv\r\n"
#define B_READY SDP "a=curr:qos local sendrecv\r\na=curr:qos remote sendrecv\r\na=des:qos mandatory local sendrecv\r\na=des:qos mandatory remote sendrecv\r\n"
#define B_FAILS SDP "a=curr:qos local none\r\na=curr:qos remote sendrecv\r\na=des:qos failure local sendrecv\r\na=des:qos mandatory remote sendrecv\r\n"
#define A_WAITS_E2E SDP "a=curr:qos e2e none\r\na=des:qos mandatory e2e sendrecv\r\n"
#define A_HALF SDP "a=curr:qos local send\r\na=des:qos mandatory local sendrecv\r\n"
#define BOTH "100rel, precondition"

static struct rig r;
static const struct rig_how plain;

static bool begin(enum b2bua_preconditions mode)
{
    return rig_begin_with(&r, 0, &(struct b2bua_settings){ .preconditions = (uint8_t)mode, .duration_max_ns = 600 * SECOND_NS });
}

static void end(void)
{
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

/* As far as B's reliable 183 with its SDP, and A's PRACK. */
static void early(const char *a, const char *b)
{
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = a, .supported = BOTH });
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = b, .rseq = 7, .extra = "Require: precondition\r\n" });
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
}

static void ready(void)
{
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .body = A_READY, .supported = BOTH });
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &(struct rig_how){ .body = B_READY });
}

static unsigned heard(unsigned status)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r.code_count; i++)
        n += r.codes[i] == status;
    return n;
}

TEST(a_phone_that_rings_too_early_is_heard_when_the_resources_are_there)
{
    CHECK(begin(B2BUA_PRECONDITIONS_ACT));
    early(A_WAITS, B_WAITS);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);
    CHECK_EQ(heard(180), 0);
    CHECK_EQ(b2bua_counts(r.b2bua)->held_back, 1);
    ready();
    CHECK_EQ(heard(180), 1);
    CHECK_EQ(r.codes[r.code_count - 2], 200);             /* behind the answer to the UPDATE */
    rig_answer_to(&r, RIG_B, "INVITE", 200, &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(a_reliable_ringing_that_is_too_early_has_no_prack_and_comes_again)
{
    CHECK(begin(B2BUA_PRECONDITIONS_ACT));
    early(A_WAITS, B_WAITS);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &(struct rig_how){ .rseq = 8 });
    CHECK_EQ(heard(180), 0);
    ready();
    CHECK_EQ(heard(180), 0);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &(struct rig_how){ .rseq = 8 });
    CHECK_EQ(heard(180), 1);
    CHECK(rig_has(r.said[RIG_A], "Require: 100rel\r\n"));
    end();
}

/* RFC 3312, 5: the PRACK may bring it, and where reliable answers are each leg's own that ends here. */
TEST(resources_that_the_prack_tells_of_let_it_ring)
{
    static const uint8_t modes[] = { B2BUA_RELIABLE_THROUGH, B2BUA_RELIABLE_LEG };

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        CHECK(rig_begin_with(&r, 0, &(struct b2bua_settings){ .preconditions = B2BUA_PRECONDITIONS_ACT, .reliable = modes[i] }));
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = A_WAITS, .supported = BOTH });
        rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = B_WAITS, .rseq = 7, .extra = "Require: precondition\r\n" });
        rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
        rig_request(&r, RIG_A, "PRACK", &(struct rig_how){ .body = A_READY, .supported = BOTH });
        rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .body = B_READY });
        CHECK_ROW(i, rig_has(r.said[RIG_A], "PRACK\r\n") && rig_has(r.said[RIG_A], B_READY));
        rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);
        CHECK_ROW_EQ(i, heard(180), 1);
        rig_request(&r, RIG_A, "CANCEL", &plain);
        end();
    }
}

TEST(the_sdp_of_a_ringing_that_is_too_early_goes_on_as_183)
{
    CHECK(begin(B2BUA_PRECONDITIONS_ACT));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = A_WAITS, .supported = BOTH });
    rig_answer_to(&r, RIG_B, "INVITE", 180, &(struct rig_how){ .body = B_WAITS, .rseq = 7, .extra = "Require: precondition\r\n" });
    CHECK_EQ(r.last_status[RIG_A], 183);
    CHECK(rig_has(r.said[RIG_A], "Session Progress\r\n") && rig_has(r.said[RIG_A], "a=conf:qos remote sendrecv\r\n") && rig_has(r.said[RIG_A], "RSeq"));
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    CHECK_EQ(heard(180), 0);
    ready();
    CHECK_EQ(heard(180), 1);
    end();
}

TEST(ringing_passes_when_nothing_mandatory_is_missing_or_the_callee_takes_no_part)
{
    static const struct { uint8_t mode; const char *a, *b; bool held; } rows[] = {
        { B2BUA_PRECONDITIONS_ACT, A_WAITS, B_WAITS, true },
        { B2BUA_PRECONDITIONS_ACT, A_WAITS, B_READY, true },      /* B cannot know that of A */
        { B2BUA_PRECONDITIONS_ACT, A_WAITS_E2E, A_WAITS_E2E, true },
        { B2BUA_PRECONDITIONS_ACT, A_HALF, B_READY, true },
        { B2BUA_PRECONDITIONS_ACT, A_READY, B_READY, false },
        { B2BUA_PRECONDITIONS_ACT, A_READY, B_WAITS, true },
        { B2BUA_PRECONDITIONS_ACT, A_WAITS, SDP, false },         /* it knows of no preconditions: nobody would ever be ready */
        { B2BUA_PRECONDITIONS_ACT, SDP, SDP, false },
        { B2BUA_PRECONDITIONS_THROUGH, A_WAITS, B_WAITS, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(begin((enum b2bua_preconditions)rows[i].mode));
        early(rows[i].a, rows[i].b);
        rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);
        CHECK_ROW_EQ(i, heard(180), !rows[i].held);
        end();
    }
}

TEST(an_sdp_that_is_not_reliable_holds_nothing_back)
{
    CHECK(begin(B2BUA_PRECONDITIONS_ACT));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = A_WAITS, .supported = BOTH });
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = B_WAITS });
    rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);
    CHECK_EQ(heard(180), 1);
    end();
}

TEST(a_desire_that_fails_is_580_wherever_b_says_so)
{
    CHECK(begin(B2BUA_PRECONDITIONS_ACT));                /* in its first answer */
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = A_WAITS, .supported = BOTH });
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = B_FAILS, .rseq = 7, .extra = "Require: precondition\r\n" });
    CHECK_EQ(r.last_status[RIG_A], 580);
    CHECK(rig_has(rig_asked(&r, RIG_B, "CANCEL", NULL), "Reason: SIP;cause=580;"));
    end();

    CHECK(begin(B2BUA_PRECONDITIONS_ACT));                /* in its answer to the UPDATE */
    early(A_WAITS, B_WAITS);
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .body = A_READY, .supported = BOTH });
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &(struct rig_how){ .body = B_FAILS });
    CHECK_EQ(r.last_status[RIG_A], 580);
    CHECK(rig_asked(&r, RIG_B, "CANCEL", NULL) != NULL);
    end();

    CHECK(begin(B2BUA_PRECONDITIONS_ACT));                /* in an UPDATE of its own */
    early(A_WAITS, B_WAITS);
    rig_request(&r, RIG_B, "UPDATE", &(struct rig_how){ .body = B_FAILS, .supported = BOTH });
    CHECK_EQ(r.last_status[RIG_B], 580);
    CHECK_EQ(r.last_status[RIG_A], 580);
    CHECK(!rig_asked(&r, RIG_A, "UPDATE", NULL));
    end();
}

TEST(resources_that_never_come_are_580_and_an_update_without_answer_is_504)
{
    CHECK(begin(B2BUA_PRECONDITIONS_ACT));
    early(A_WAITS, B_WAITS);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);
    rig_wait(&r, 21 * SECOND_NS);                         /* the ring time of the rig */
    CHECK_EQ(r.last_status[RIG_A], 580);
    end();

    CHECK(begin(B2BUA_PRECONDITIONS_ACT));
    early(A_WAITS, B_WAITS);
    rig_wait(&r, SECOND_NS);
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .body = A_READY, .supported = BOTH });
    rig_answer_to(&r, RIG_B, "UPDATE", 408, &plain);
    CHECK_EQ(r.last_status[RIG_A], 504);
    end();
}

TEST(a_callee_that_requires_preconditions_of_a_caller_without_is_421)
{
    CHECK(begin(B2BUA_PRECONDITIONS_ACT));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true });
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = B_WAITS, .rseq = 7, .extra = "Require: precondition\r\n" });
    CHECK_EQ(r.last_status[RIG_A], 421);
    CHECK(rig_has(r.said[RIG_A], "Require: precondition\r\n"));
    CHECK(rig_asked(&r, RIG_B, "CANCEL", NULL) != NULL);
    end();
}

TEST(off_takes_the_option_from_what_is_supported)
{
    CHECK(begin(B2BUA_PRECONDITIONS_OFF));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = A_WAITS, .supported = BOTH });
    CHECK(rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "Supported: 100rel\r\n"));
    end();
}
