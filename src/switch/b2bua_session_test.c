/* switch/b2bua_session_test.c - session timers of each leg, by phones that know of them and others
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll
#define ALLOWS_UPDATE "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n"
#define ALLOWS_LITTLE "Allow: INVITE, ACK, BYE, CANCEL\r\n"

static struct rig r;
static const struct rig_how plain;

static bool begin(enum b2bua_timer mode, uint32_t expires_s, uint32_t min_s)
{
    return rig_begin_with(&r, 0, &(struct b2bua_settings){ .session_timer = (uint8_t)mode, .session_expires_s = expires_s,
                                                           .session_expires_min_s = min_s, .duration_max_ns = 1800 * SECOND_NS });
}

/* A's INVITE, B's 200, A's ACK; `a` and `b` are header lines of theirs. */
static void call(const char *supported, const char *a, const char *b)
{
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = supported, .extra = a });
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = b });
    rig_request(&r, RIG_A, "ACK", &plain);
}

static void end(void)
{
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

static bool is_up(void) { return b2bua_counts(r.b2bua)->live == 1; }

TEST(timers_pass_from_end_to_end_unless_they_are_ours)
{
    CHECK(begin(B2BUA_TIMER_THROUGH, 1800, 90));
    call("timer", "Session-Expires: 60;refresher=uac\r\n", "Session-Expires: 60;refresher=uac\r\nRequire: timer\r\n");
    CHECK(rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "Session-Expires: 60;refresher=uac\r\n"));
    CHECK(rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "Supported: timer\r\n"));
    CHECK(rig_has(r.said[RIG_A], "Session-Expires: 60;refresher=uac\r\n") && rig_has(r.said[RIG_A], "Require: timer\r\n"));
    rig_wait(&r, 59 * SECOND_NS);
    CHECK(is_up() && !rig_asked(&r, RIG_A, "BYE", NULL));
    rig_wait(&r, 2 * SECOND_NS);
    CHECK(rig_asked(&r, RIG_A, "BYE", NULL) && rig_asked(&r, RIG_B, "BYE", NULL));
    CHECK_EQ(b2bua_counts(r.b2bua)->expired, 1);
    end();
}

TEST(each_leg_has_an_interval_and_a_refresher_of_its_own)
{
    static const struct {
        uint8_t mode;
        const char *supported, *a, *b;                    /* what they say */
        const char *to_b, *to_a;                          /* and hear; NULL: nothing of Session-Expires */
    } rows[] = {
        { B2BUA_TIMER_ANSWER, "timer", "", "", NULL, NULL },
        { B2BUA_TIMER_ANSWER, "timer", "Session-Expires: 3600\r\n", "", NULL, "Session-Expires: 3600;refresher=uac\r\n" },
        { B2BUA_TIMER_ANSWER, "timer", "Session-Expires: 120;refresher=uas\r\n", "", NULL, "Session-Expires: 120;refresher=uas\r\n" },
        { B2BUA_TIMER_ANSWER, "100rel", "", "", NULL, NULL },
        { B2BUA_TIMER_ASK, "timer", "", "", "Session-Expires: 600\r\n", "Session-Expires: 600;refresher=uac\r\n" },
        { B2BUA_TIMER_ASK, "timer", "Session-Expires: 3600\r\n", "", "Session-Expires: 600\r\n", "Session-Expires: 600;refresher=uac\r\n" },
        { B2BUA_TIMER_ASK, "timer", "Session-Expires: 3600\r\nMin-SE: 900\r\n", "", "Session-Expires: 600\r\n",
          "Session-Expires: 900;refresher=uac\r\n" },
        { B2BUA_TIMER_ASK, "timer", "Session-Expires: 200;refresher=uas\r\n", "Session-Expires: 90;refresher=uac\r\n",
          "Session-Expires: 600\r\n", "Session-Expires: 200;refresher=uas\r\n" },
        { B2BUA_TIMER_ASK, "100rel", "", "", "Session-Expires: 600\r\n", NULL },
        /* a proxy asked in the name of a phone that knows of no timer: we refresh, and it need not understand */
        { B2BUA_TIMER_ASK, "100rel", "Session-Expires: 300\r\n", "", "Session-Expires: 600\r\n", "Session-Expires: 300;refresher=uas\r\n" },
        { B2BUA_TIMER_DEMAND, "timer", "", "", "Session-Expires: 600\r\n", "Session-Expires: 600;refresher=uac\r\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(begin((enum b2bua_timer)rows[i].mode, 600, 90));
        call(rows[i].supported, rows[i].a, rows[i].b);
        const char *to_b = rig_asked(&r, RIG_B, "INVITE", NULL), *to_a = r.said[RIG_A];

        CHECK_ROW(i, rows[i].to_b ? rig_has(to_b, rows[i].to_b) : !rig_has(to_b, "Session-Expires"));
        CHECK_ROW(i, rig_has(to_b, "Supported: timer"));
        CHECK_ROW(i, !rig_has(to_b, "Min-SE"));           /* the leg of A only */
        CHECK_ROW(i, rows[i].to_a ? rig_has(to_a, rows[i].to_a) : !rig_has(to_a, "Session-Expires"));
        CHECK_ROW(i, rig_has(to_a, "Require: timer") == (rows[i].to_a && strcmp(rows[i].supported, "timer") == 0));
        end();
    }
}

TEST(too_short_is_422_and_a_caller_without_timers_421_when_they_are_demanded)
{
    static const struct { uint8_t mode; const char *supported, *a; unsigned status; const char *beside; } rows[] = {
        { B2BUA_TIMER_THROUGH, "timer", "Session-Expires: 30\r\n", 200, "" },
        { B2BUA_TIMER_ASK, "timer", "Session-Expires: 299\r\n", 422, "Min-SE: 300\r\n" },
        { B2BUA_TIMER_ANSWER, "timer", "Session-Expires: 299\r\n", 422, "Min-SE: 300\r\n" },
        { B2BUA_TIMER_ASK, "timer", "Session-Expires: 300\r\n", 200, "Session-Expires: 300;refresher=uac\r\n" },
        { B2BUA_TIMER_ASK, "100rel", "Session-Expires: 90\r\n", 200, "Session-Expires: 300;refresher=uas\r\n" },
        { B2BUA_TIMER_DEMAND, "100rel", "", 421, "Require: timer\r\n" },
        { B2BUA_TIMER_DEMAND, "timer", "", 200, "Session-Expires: 600;refresher=uac\r\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(begin((enum b2bua_timer)rows[i].mode, 600, 300));
        call(rows[i].supported, rows[i].a, "");
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].status);
        CHECK_ROW(i, rig_has(r.said[RIG_A], rows[i].beside));
        CHECK_ROW(i, (rig_asked(&r, RIG_B, "INVITE", NULL) != NULL) == (rows[i].status == 200));
        end();
    }
}

TEST(b_wants_a_longer_interval_and_is_asked_again_with_it)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = "timer" });
    rig_answer_to(&r, RIG_B, "INVITE", 422, &(struct rig_how){ .extra = "Min-SE: 1200\r\n" });
    const char *again = rig_asked(&r, RIG_B, "INVITE", NULL);

    CHECK(rig_has(again, "CSeq: 2 INVITE\r\n") && rig_has(again, "Session-Expires: 1200\r\n") && rig_has(again, "Min-SE: 1200\r\n"));
    CHECK(!rig_has(again, "Session-Expires: 600"));
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = "Session-Expires: 1200;refresher=uac\r\n" });
    CHECK_EQ(r.last_status[RIG_A], 200);
    CHECK(rig_has(r.said[RIG_A], "Session-Expires: 600;"));
    end();

    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));               /* one that wants ever more is not asked a third time */
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = "timer" });
    rig_answer_to(&r, RIG_B, "INVITE", 422, &(struct rig_how){ .extra = "Min-SE: 1200\r\n" });
    rig_answer_to(&r, RIG_B, "INVITE", 422, &(struct rig_how){ .extra = "Min-SE: 2400\r\n" });
    CHECK_EQ(r.last_status[RIG_A], 422);
    end();
}

/* So many requests of the method went there so far, within those that are kept; repeats are not counted. */
static unsigned count(enum rig_side side, const char *method)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r.asked_count[side]; i++)
        n += strncmp(r.asked[side][i].text, method, strlen(method)) == 0 && (!i || strcmp(r.asked[side][i].text, r.asked[side][i - 1].text) != 0);
    return n;
}

TEST(a_leg_that_is_ours_is_refreshed_with_update_at_half_its_time)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    call("timer", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n", ALLOWS_UPDATE "Session-Expires: 90;refresher=uac\r\n");
    rig_wait(&r, 44 * SECOND_NS);
    CHECK_EQ(count(RIG_B, "UPDATE"), 0);
    rig_wait(&r, 2 * SECOND_NS);
    const char *update = rig_asked(&r, RIG_B, "UPDATE", NULL);

    CHECK(rig_has(update, "Session-Expires: 90;refresher=uac\r\n") && rig_has(update, "Supported: timer\r\n"));
    CHECK(rig_has(update, "Content-Length: 0\r\n") && rig_has(update, "Contact: "));
    CHECK_EQ(count(RIG_A, "UPDATE"), 0);
    for (int i = 0; i < 6; i++) {
        rig_answer_to(&r, RIG_B, "UPDATE", 200, &(struct rig_how){ .extra = "Session-Expires: 90;refresher=uac\r\n" });
        CHECK(is_up());
        rig_wait(&r, 46 * SECOND_NS);
    }
    CHECK_EQ(b2bua_counts(r.b2bua)->refreshed, 6);
    end();
}

/* What becomes of the call when a refresh is answered so. */
TEST(a_refresh_that_fails_ends_both_legs_or_is_tried_again)
{
    static const struct { unsigned status; const char *extra; bool ends; int again_s; } rows[] = {
        { 481, "", true, 0 }, { 408, "", true, 0 },
        { 491, "", false, 5 }, { 500, "Retry-After: 3\r\n", false, 4 },
        { 422, "Min-SE: 180\r\n", false, 5 }, { 503, "", false, 11 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
        call("timer", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n", ALLOWS_UPDATE "Session-Expires: 90;refresher=uac\r\n");
        rig_wait(&r, 46 * SECOND_NS);
        rig_answer_to(&r, RIG_B, "UPDATE", rows[i].status, &(struct rig_how){ .extra = rows[i].extra });
        CHECK_ROW(i, (rig_asked(&r, RIG_A, "BYE", NULL) != NULL) == rows[i].ends);
        if (rows[i].ends) {
            char reason[64];

            snprintf(reason, sizeof reason, "Reason: SIP;cause=%u;", rows[i].status);
            CHECK_ROW(i, rig_has(rig_asked(&r, RIG_A, "BYE", NULL), reason) && rig_has(rig_asked(&r, RIG_B, "BYE", NULL), reason));
            CHECK_ROW_EQ(i, b2bua_counts(r.b2bua)->unrefreshed, 1);
        } else {
            rig_wait(&r, rows[i].again_s * SECOND_NS);
            CHECK_ROW_EQ(i, count(RIG_B, "UPDATE"), 2);
            CHECK_ROW(i, rows[i].status != 422 || rig_has(rig_asked(&r, RIG_B, "UPDATE", NULL), "Session-Expires: 180;refresher=uac\r\nMin-SE: 180\r\n"));
            rig_answer_to(&r, RIG_B, "UPDATE", 200, &(struct rig_how){ .extra = "Session-Expires: 90;refresher=uac\r\n" });
            rig_wait(&r, 40 * SECOND_NS);
            CHECK_ROW(i, is_up() && !rig_asked(&r, RIG_A, "BYE", NULL));
        }
        end();
    }
}

TEST(a_refresh_that_nobody_answers_ends_both_legs_with_their_reason)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    call("timer", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n");
    rig_wait(&r, 333 * SECOND_NS);                        /* 300, and 32 of timer F */
    CHECK(rig_has(rig_asked(&r, RIG_A, "BYE", NULL), "Reason: SIP;cause=408;text=\"The other side does not answer\"\r\n"));
    CHECK(rig_has(rig_asked(&r, RIG_B, "BYE", NULL), "Reason: SIP;cause=408"));
    end();
}

TEST(who_has_promised_to_refresh_and_does_not_is_ended_a_little_before_the_time)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    call("timer", ALLOWS_UPDATE "Session-Expires: 180;refresher=uac\r\n", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n");
    rig_wait(&r, 147 * SECOND_NS);                        /* 180 less min(32, 60) */
    CHECK(!rig_asked(&r, RIG_A, "BYE", NULL));
    rig_wait(&r, 2 * SECOND_NS);
    CHECK(rig_has(rig_asked(&r, RIG_A, "BYE", NULL), "Reason: SIP;cause=408;text=\"Session timer expired\"\r\n"));
    CHECK_EQ(b2bua_counts(r.b2bua)->expired, 1);
    end();
}

TEST(an_update_without_sdp_is_answered_here_and_one_with_sdp_goes_through)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    call("timer", ALLOWS_UPDATE "Session-Expires: 180;refresher=uac\r\n", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n");
    for (int i = 0; i < 5; i++) {
        rig_wait(&r, 61 * SECOND_NS);
        rig_answer_to(&r, RIG_B, "UPDATE", 200, &(struct rig_how){ .extra = "Session-Expires: 600;refresher=uac\r\n" });
        rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .supported = "timer", .extra = "Session-Expires: 180;refresher=uac\r\n" });
        CHECK_EQ(r.last_status[RIG_A], 200);
        CHECK(rig_has(r.said[RIG_A], "Session-Expires: 180;refresher=uac\r\n") && rig_has(r.said[RIG_A], "Contact: "));
    }
    CHECK(is_up());
    CHECK_EQ(count(RIG_B, "UPDATE"), 1);                  /* only ours, at half of 600 s */
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .supported = "timer", .extra = "Session-Expires: 60\r\n" });
    CHECK(r.last_status[RIG_A] == 422 && rig_has(r.said[RIG_A], "Min-SE: 90\r\n"));
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .supported = "timer", .sdp = true, .extra = "Session-Expires: 180;refresher=uac\r\n" });
    CHECK_EQ(count(RIG_B, "UPDATE"), 2);
    CHECK(rig_has(rig_asked(&r, RIG_B, "UPDATE", NULL), "Session-Expires: 600;refresher=uac\r\n"));
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &(struct rig_how){ .sdp = true, .extra = "Session-Expires: 600;refresher=uac\r\n" });
    CHECK(rig_has(r.said[RIG_A], "Session-Expires: 180;refresher=uac\r\n"));
    end();
}

TEST(an_update_that_says_who_talks_goes_through_although_it_has_no_sdp)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    call("timer", ALLOWS_UPDATE, ALLOWS_UPDATE);
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .extra = "P-Asserted-Identity: <sip:carol@h>\r\n" });
    CHECK_EQ(count(RIG_B, "UPDATE"), 1);
    end();
}

TEST(a_phone_without_update_gets_the_sdp_that_it_has_and_the_other_hears_nothing)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    call("100rel", ALLOWS_LITTLE, ALLOWS_LITTLE "Session-Expires: 90;refresher=uac\r\n");
    rig_wait(&r, 46 * SECOND_NS);
    const char *again = rig_asked(&r, RIG_B, "INVITE", NULL);

    CHECK(rig_has(again, "CSeq: 2 INVITE\r\n") && rig_has(again, "Content-Type: application/sdp\r\n") && rig_has(again, "\r\no=- 1 1 IN IP4 h\r\n"));
    CHECK_EQ(count(RIG_A, "INVITE"), 0);
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true });
    CHECK_EQ(r.last_status[RIG_A], 491);                  /* one at a time */
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = "Session-Expires: 90;refresher=uac\r\n" });
    CHECK(rig_has(rig_asked(&r, RIG_B, "ACK", NULL), "CSeq: 2 ACK\r\n"));
    CHECK_EQ(b2bua_counts(r.b2bua)->refreshed, 1);
    rig_wait(&r, 40 * SECOND_NS);
    CHECK(is_up());
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(an_update_that_is_not_allowed_after_all_is_followed_by_nothing_worse)
{
    CHECK(begin(B2BUA_TIMER_ASK, 180, 90));
    call("100rel", ALLOWS_UPDATE, ALLOWS_UPDATE);         /* no timers at all: we ask to learn whether they are there */
    rig_wait(&r, 91 * SECOND_NS);
    CHECK_EQ(count(RIG_A, "UPDATE") + count(RIG_B, "UPDATE"), 2);
    rig_answer_to(&r, RIG_A, "UPDATE", 405, &plain);
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &plain);
    rig_wait(&r, 91 * SECOND_NS);
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &plain);
    CHECK_EQ(count(RIG_B, "UPDATE"), 2);
    rig_wait(&r, 80 * SECOND_NS);
    CHECK(is_up() && !rig_asked(&r, RIG_A, "BYE", NULL));
    end();
}

TEST(nobody_is_refreshed_when_we_only_answer)
{
    CHECK(begin(B2BUA_TIMER_ANSWER, 180, 90));
    call("timer", ALLOWS_UPDATE, ALLOWS_UPDATE);
    rig_wait(&r, 1700 * SECOND_NS);
    CHECK_EQ(count(RIG_A, "UPDATE") + count(RIG_B, "UPDATE") + count(RIG_A, "INVITE"), 0);
    CHECK(is_up());
    end();
}

TEST(other_settings_are_for_the_calls_that_come)
{
    static const uint8_t modes[] = { B2BUA_TIMER_THROUGH, B2BUA_TIMER_ASK };

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        CHECK(begin((enum b2bua_timer)modes[i], 600, 90));
        call("timer", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n");
        b2bua_set(r.b2bua, &(struct b2bua_settings){ .session_timer = modes[!i], .calls_max = 4, .duration_max_ns = 1800 * SECOND_NS });
        rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .supported = "timer", .extra = "Session-Expires: 600;refresher=uac\r\n" });
        CHECK_ROW_EQ(i, count(RIG_B, "UPDATE"), modes[i] == B2BUA_TIMER_THROUGH);
        end();
    }
}

/* B's smallest interval is learned from its refusal, or every change of the call would fail with it. */
TEST(a_re_invite_that_b_finds_too_short_passes_when_it_comes_again)
{
    CHECK(begin(B2BUA_TIMER_ASK, 600, 90));
    call("timer", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n", ALLOWS_UPDATE "Session-Expires: 600;refresher=uac\r\n");
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = "timer" });
    rig_answer_to(&r, RIG_B, "INVITE", 422, &(struct rig_how){ .extra = "Min-SE: 1200\r\n" });
    CHECK(r.last_status[RIG_A] == 500 && rig_has(r.said[RIG_A], "Retry-After: "));
    rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .cseq = 2 });
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .supported = "timer" });
    CHECK(rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "Session-Expires: 1200;refresher=uac\r\nMin-SE: 1200\r\n"));
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = "Session-Expires: 1200;refresher=uac\r\n" });
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .cseq = 3 });
    CHECK(is_up());
    rig_request(&r, RIG_A, "BYE", &plain);
    rig_answer_to(&r, RIG_B, "BYE", 200, &plain);
    end();
}

/* Each allocation of a call with refreshes of either kind fails once. */
TORTURE(refreshes_without_memory_leave_nothing)
{
    CHECK_OR_GOTO(rig_begin_with(&r, 0, &(struct b2bua_settings){ .session_timer = B2BUA_TIMER_ASK, .session_expires_s = 120,
                                                                  .duration_max_ns = 600 * SECOND_NS }), out);
    call("timer", ALLOWS_UPDATE "Session-Expires: 120;refresher=uas\r\n", ALLOWS_LITTLE "Session-Expires: 120;refresher=uac\r\n");
    rig_wait(&r, 61 * SECOND_NS);
    rig_answer_to(&r, RIG_A, "UPDATE", 200, &(struct rig_how){ .extra = "Session-Expires: 120;refresher=uac\r\n" });
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = "Session-Expires: 120;refresher=uac\r\n" });
    rig_wait(&r, 61 * SECOND_NS);
    rig_request(&r, RIG_B, "BYE", &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}
