/* switch/b2bua_codecs_test.c - offers that come only with B's answer keep to the allowed codecs, too
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll
#define SDP(formats) "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP " formats "\r\n"

static struct rig r;
static const struct rig_how plain, both = { .body = SDP("0 8") }, other = { .body = SDP("0") };

static bool begin(uint8_t reliable)
{
    static const slice allowed[] = { SLICE_INIT("PCMA") };

    return rig_begin_with(&r, 0, &(struct b2bua_settings){ .codecs = { allowed, 1 }, .reliable = reliable,
                                                           .duration_max_ns = 600 * SECOND_NS });
}

static void end(void)
{
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(an_offer_in_a_200_or_in_a_reliable_183_keeps_only_allowed_codecs)
{
    CHECK(begin(0));
    rig_request(&r, RIG_A, "INVITE", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = SDP("0 8"), .rseq = 7 });
    CHECK(r.last_status[RIG_A] == 183 && rig_has(r.said[RIG_A], "m=audio 4000 RTP/AVP 8\r\n"));
    rig_request(&r, RIG_A, "PRACK", &(struct rig_how){ .body = SDP("8") });
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
    CHECK(begin(0));
    rig_request(&r, RIG_A, "INVITE", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &both);
    CHECK(r.last_status[RIG_A] == 200 && rig_has(r.said[RIG_A], "m=audio 4000 RTP/AVP 8\r\n"));
    rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .body = SDP("8") });
    CHECK(rig_has(rig_asked(&r, RIG_B, "ACK", NULL), SDP("8")));
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(an_answer_to_our_offer_passes_as_it_is)
{
    CHECK(begin(0));
    rig_request(&r, RIG_A, "INVITE", &both);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &other);
    CHECK(r.last_status[RIG_A] == 200 && rig_has(r.said[RIG_A], SDP("0")));
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(a_200_that_offers_nothing_allowed_is_acknowledged_and_ended_and_a_gets_488)
{
    CHECK(begin(0));
    rig_request(&r, RIG_A, "INVITE", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &other);
    CHECK_EQ(r.last_status[RIG_A], 488);
    CHECK(rig_has(r.said[RIG_A], "\r\nWarning: 305 "));
    CHECK(rig_asked(&r, RIG_B, "ACK", NULL) != NULL);
    CHECK(rig_has(rig_asked(&r, RIG_B, "BYE", NULL), "\r\nReason: SIP;cause=488;"));
    rig_answer_to(&r, RIG_B, "INVITE", 200, &other);      /* once more: it has its ACK again, and no second BYE */
    CHECK_EQ(r.last_status[RIG_A], 488);
    end();
}

TEST(a_183_that_offers_nothing_allowed_is_cancelled_and_another_phone_may_answer)
{
    for (int i = 0; i < 2; i++) {
        CHECK(begin(0));
        r.forks = (unsigned)i;
        r.in_order = true;
        rig_request(&r, RIG_A, "INVITE", &plain);
        rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = SDP("0"), .rseq = 7 });
        CHECK_ROW(i, rig_has(rig_asked(&r, RIG_B, "CANCEL", NULL), "\r\nReason: SIP;cause=488;"));
        CHECK_ROW(i, r.last_status[RIG_A] == (i ? 0u : 488u));
        if (i) {
            rig_answer_to(&r, RIG_B, "INVITE", 200, &both);   /* the newest: of the other phone */
            CHECK_EQ(r.last_status[RIG_A], 200);
            rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .body = SDP("8") });
            rig_request(&r, RIG_A, "BYE", &plain);
        }
        end();
    }
}

TEST(an_offer_that_a_reinvite_asks_for_keeps_only_allowed_codecs)
{
    CHECK(begin(0));
    rig_request(&r, RIG_A, "INVITE", &both);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .body = SDP("8") });
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "INVITE", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &both);
    CHECK(r.last_status[RIG_A] == 200 && rig_has(r.said[RIG_A], "m=audio 4000 RTP/AVP 8\r\n"));
    rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .body = SDP("8"), .cseq = r.cseq[RIG_A] });
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(an_offer_of_a_transfer_target_keeps_only_allowed_codecs_and_none_left_is_488)
{
    for (int i = 0; i < 2; i++) {
        CHECK(begin(0));
        rig_request(&r, RIG_A, "INVITE", &both);
        rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .body = SDP("8") });
        rig_request(&r, RIG_A, "ACK", &plain);
        rig_request(&r, RIG_A, "REFER", &(struct rig_how){ .extra = "Refer-To: <sip:carol@h>\r\n" });
        CHECK_ROW(i, !rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "m=audio"));
        rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .body = i ? SDP("0") : SDP("0 8"), .tag = 1 });
        rig_wait(&r, SECOND_NS / 10);
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "m=audio 4000 RTP/AVP 8\r\n"), !i);
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_A, "NOTIFY", NULL), "SIP/2.0 488 "), i);
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_B, "BYE", NULL), "\r\nReason: SIP;cause=488;"), i);
        end();
    }
}

TORTURE(late_offers_without_memory_leave_nothing)
{
    CHECK_OR_GOTO(begin(0), out);
    r.forks = 1;
    r.in_order = true;
    rig_request(&r, RIG_A, "INVITE", &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &other);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &both);
    rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .body = SDP("8") });
    rig_request(&r, RIG_A, "BYE", &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}
