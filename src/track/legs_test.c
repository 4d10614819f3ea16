/* track/legs_test.c - what becomes of a call: one test per trap of the field
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/track_play.h"

/* ---- refusals ---- */

TEST(a_refused_call_stays_refused_after_its_ack)
{
    static const uint16_t codes[] = { 300, 301, 302, 305, 380, 400, 403, 404, 408, 480, 481, 484, 486,
                                      488, 491, 500, 503, 504, 580, 600, 603, 604, 606, 607, 608, 699 };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct play p;
        char script[256];

        snprintf(script, sizeof script,
                 "A>B INVITE\nB>A 100\nB>A 180\nB>A %u\nA>B ACK\nB>A %u\nA>B ACK\n+5000 A>B ACK\n",
                 codes[i], codes[i]);
        const struct call *c = play_call(&p, script);

        CHECK_ROW_EQ(i, c->state, CALL_REFUSED);
        CHECK_ROW_EQ(i, call_status(c).code, codes[i]);
        CHECK_ROW_EQ(i, call_status(c).family, "sip");
        CHECK_ROW_EQ(i, call_status(c).list, CALL_LIST_COMPLETED);
        CHECK_ROW_EQ(i, c->final, codes[i]);
        CHECK_ROW_EQ(i, c->answered, false);
        CHECK_ROW_EQ(i, c->ack, CALL_ACK_NONE);
        CHECK_ROW_EQ(i, c->last_progress, 180);
        CHECK_ROW_EQ(i, play_ms(c->ended_ns), 30);
        play_done(&p);
    }
}

TEST(an_ack_alone_is_no_answer)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 180\nA>B ACK\n");

    CHECK_EQ(c->state, CALL_PROGRESS);
    CHECK_EQ(c->answered, false);
    CHECK_EQ(c->open_at_end, true);
    play_done(&p);
}

TEST(a_challenge_that_is_answered_is_not_the_result)
{
    static const uint16_t codes[] = { 401, 407 };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct play p;
        char script[256];

        snprintf(script, sizeof script,
                 "A>B INVITE\nB>A %u\nA>B ACK\nA>B INVITE cseq=2\nB>A 100 cseq=2\n+3000 B>A 200 cseq=2\n"
                 "A>B ACK in cseq=2\n+9000 A>B BYE\nB>A 200 BYE\n", codes[i]);
        const struct call *c = play_call(&p, script);

        CHECK_ROW_EQ(i, c->state, CALL_COMPLETED);
        CHECK_ROW_EQ(i, c->challenge, codes[i]);
        CHECK_ROW_EQ(i, c->final, 200);
        CHECK_ROW_EQ(i, c->attempts, 2);
        CHECK_ROW_EQ(i, c->messages, 9);
        CHECK_ROW_EQ(i, call_talk_ns(c), 9010 * PLAY_MS);
        CHECK_ROW_EQ(i, call_pdd_ns(c), 3040 * PLAY_MS);  /* from the first INVITE */
        play_done(&p);
    }
}

/* Nothing ended it, or that was taken back. */
static void check_goes_on(const struct call *c, enum call_state state)
{
    CHECK_EQ(c->state, state);
    CHECK_EQ(c->ended_ns, 0);
    CHECK_EQ(c->ended_by, CALL_NOBODY);
}

TEST(a_challenged_call_is_an_attempt_again_until_it_is_answered)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 407\nA>B ACK\nA>B INVITE cseq=2\n");

    check_goes_on(c, CALL_TRYING);
    CHECK_EQ(c->final, 0);
    play_done(&p);
}

TEST(a_challenge_that_nobody_answers_is_the_result)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 407 reason=Auth_Needed\nA>B ACK\n");

    CHECK_EQ(c->state, CALL_REFUSED);
    CHECK_EQ(c->final, 407);
    CHECK_EQ(c->challenge, 0);
    CHECK_EQ(c->reason, "Auth Needed");
    CHECK_EQ(c->ended_by, CALL_SERVER);
    play_done(&p);
}

TEST(a_second_challenge_after_wrong_credentials_is_the_result)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 401\nA>B ACK\nA>B INVITE cseq=2\n"
                                         "B>A 401 cseq=2\nA>B ACK cseq=2\n");

    CHECK_EQ(c->state, CALL_REFUSED);
    CHECK_EQ(c->final, 401);
    CHECK_EQ(c->attempts, 2);
    play_done(&p);
}

TEST(the_side_that_ended_a_call_follows_from_the_code)
{
    static const struct { uint16_t code; enum call_side side; } rows[] = {
        { 486, CALL_CALLEE }, { 603, CALL_CALLEE }, { 600, CALL_CALLEE },
        { 404, CALL_SERVER }, { 503, CALL_SERVER }, { 407, CALL_SERVER },
        { 487, CALL_CALLER },                             /* the CANCEL was not captured */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        char script[128];

        snprintf(script, sizeof script, "A>B INVITE\nB>A 180\nB>A %u\nA>B ACK\n", rows[i].code);
        CHECK_ROW_EQ(i, play_call(&p, script)->ended_by, rows[i].side);
        play_done(&p);
    }
}

/* ---- CANCEL ---- */

TEST(a_cancelled_call_ends_with_its_487_and_keeps_18X)
{
    struct play p;
    char room[8];
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 100\nB>A 180\n+5000 A>B CANCEL\n"
                                         "B>A 200 CANCEL\nB>A 487\nA>B ACK\n");

    CHECK_EQ(c->state, CALL_CANCELLED);
    CHECK_EQ(play_status(&p, c), "487 Request Terminated");
    CHECK_EQ(call_last_response(c, room), "18X");
    CHECK_EQ(c->final, 487);
    CHECK_EQ(c->last_progress, 180);
    CHECK_EQ(c->cancel_final, 200);
    CHECK_EQ(c->ended_by, CALL_CALLER);
    CHECK_EQ(c->crossed, false);
    CHECK_EQ(play_ms(c->cancel_ns), 5020);
    CHECK_EQ(c->surprises, 0);
    play_done(&p);
}

TEST(an_answer_that_crossed_the_cancel_wins)
{
    static const char *const orders[] = {
        "A>B INVITE\nB>A 180\nA>B CANCEL\nB>A 200\nB>A 200 CANCEL\nA>B ACK in\nA>B BYE\nB>A 200 BYE\n",
        "A>B INVITE\nB>A 180\nB>A 200\nA>B CANCEL\nB>A 200 CANCEL\nA>B ACK in\nA>B BYE\nB>A 200 BYE\n",
        "A>B INVITE\nB>A 180\nB>A 200\nA>B CANCEL\nB>A 481 CANCEL\nA>B ACK in\nA>B BYE\nB>A 200 BYE\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct play p;
        const struct call *c = play_call(&p, orders[i]);

        CHECK_ROW_EQ(i, c->state, CALL_COMPLETED);
        CHECK_ROW_EQ(i, c->answered, true);
        CHECK_ROW_EQ(i, c->crossed, true);
        CHECK_ROW_EQ(i, c->final, 200);
        CHECK_ROW_EQ(i, c->ended_by, CALL_CALLER);
        CHECK_ROW_EQ(i, c->surprises, 0);
        play_done(&p);
    }
}

TEST(a_cancel_after_the_ack_crossed_nothing)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 180\nB>A 200\nA>B ACK in\n+5000 A>B CANCEL\nB>A 481 CANCEL\n"
                                         "A>B BYE\nB>A 200 BYE\n");

    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK_EQ(c->ended_by, CALL_CALLER);
    CHECK_EQ(c->crossed, false);
    play_done(&p);
}

TEST(an_answer_after_the_487_still_makes_a_call)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 180\nA>B CANCEL\nB>A 487\nB>A 200 to=x\n");

    CHECK_EQ(c->state, CALL_ACTIVE);
    CHECK_EQ(c->ended_ns, 0);
    CHECK_EQ(c->ended_by, CALL_NOBODY);
    play_done(&p);
}

TEST(a_cancel_without_487_ends_the_call_all_the_same)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 180\n+1000 A>B CANCEL\nB>A 200 CANCEL\nwait 60000\n");

    CHECK_EQ(c->state, CALL_CANCELLED);
    CHECK_EQ(play_status(&p, c), "2004 Cancel");
    CHECK_EQ(call_status(c).list, CALL_LIST_COMPLETED);
    CHECK_EQ(c->final, 0);
    CHECK_EQ(play_ms(c->ended_ns), 1010);
    CHECK_EQ(c->ended_by, CALL_CALLER);
    play_done(&p);
}

TEST(a_proxys_cancel_of_one_branch_does_not_cancel_the_call)
{
    struct play p;
    const struct call *c = play_call(&p,
        "A>P INVITE br=a1\n"
        "P>B INVITE br=p1 via=2\nP>C INVITE br=p2 via=2\n"
        "B>P 180 br=p1 via=2 to=b\nP>A 180 br=a1 to=b\n"
        "C>P 200 br=p2 via=2 to=c\nP>A 200 br=a1 to=c\n"
        "P>B CANCEL br=p1\nB>P 487 br=p1 via=2 to=b\nP>B ACK br=p1\n"
        "A>P ACK in to=c\n+60000 C>P BYE rev to=c\nP>A BYE rev to=c via=2 br=p9\n");

    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK_EQ(c->cancel_ns, 0);
    CHECK_EQ(c->crossed, false);
    CHECK_EQ(c->final, 200);
    CHECK_EQ(c->to.tag, "c");
    CHECK_EQ(c->ended_by, CALL_CALLEE);
    play_done(&p);
}

TEST(a_proxys_cancel_before_the_answer_does_not_cancel_the_call)
{
    struct play p;
    const struct call *c = play_call(&p,
        "A>P INVITE br=a1\nP>B INVITE br=p1 via=2\nB>P 180 br=p1 via=2\nP>A 180 br=a1\n"
        "+20000 P>B CANCEL br=p1\nB>P 487 br=p1 via=2\nP>B ACK br=p1\n"
        "P>C INVITE br=p2 via=2\nC>P 180 br=p2 via=2 to=c\nP>A 180 br=a1 to=c\n");

    CHECK_EQ(c->state, CALL_PROGRESS);
    CHECK_EQ(c->cancel_ns, 0);
    CHECK_EQ(c->final, 0);
    play_done(&p);
}

TEST(a_cancel_after_the_refusal_changes_nothing)
{
    struct play p;
    char room[8];
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 180\nB>A 486\nA>B CANCEL\nB>A 481 CANCEL\nA>B ACK\n");

    CHECK_EQ(c->state, CALL_REFUSED);
    CHECK_EQ(c->final, 486);
    CHECK_EQ(call_last_response(c, room), "486");
    CHECK_EQ(c->ended_by, CALL_CALLEE);
    play_done(&p);
}

TEST(a_late_cancel_does_not_blame_the_caller_for_the_next_attempt)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 302\nA>B CANCEL\nA>B ACK\n"
                                         "A>B INVITE cseq=2\nB>A 486 cseq=2\nA>B ACK cseq=2\n");

    CHECK_EQ(c->final, 486);
    CHECK_EQ(c->ended_by, CALL_CALLEE);
    play_done(&p);
}

TEST(a_cancel_of_a_reinvite_leaves_the_call_alone)
{
    static const char *const scripts[] = {
        "A>B INVITE\nB>A 200\nA>B ACK in\nA>B INVITE in cseq=2\nA>B CANCEL in cseq=2\n"
        "B>A 200 CANCEL cseq=2\nB>A 487 cseq=2\nA>B ACK in cseq=2\n",
        "A>B INVITE\nB>A 200\nA>B ACK in\nB>A INVITE rev cseq=1 br=q\nB>A CANCEL rev cseq=1 br=q to=b\n"
        "A>B 200 CANCEL rev cseq=1 br=q\nA>B 487 rev cseq=1 br=q\nB>A ACK rev cseq=1 br=q\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct play p;
        const struct call *c = play_call(&p, scripts[i]);

        CHECK_ROW_EQ(i, c->state, CALL_ACTIVE);
        CHECK_ROW_EQ(i, c->crossed, false);
        CHECK_ROW_EQ(i, c->cancel_ns, 0);
        CHECK_ROW_EQ(i, c->reinvite_final, 487);
        CHECK_ROW_EQ(i, c->final, 200);
        play_done(&p);
    }
}

TEST(a_call_that_rang_keeps_the_reason_of_its_cancel)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 180\n"
        "A>B CANCEL | Reason: SIP;cause=200;text=\"Call completed elsewhere\"\nB>A 487\n");

    CHECK_EQ(c->reason_sip, 200);
    CHECK_EQ(c->reason_text, "Call completed elsewhere");
    CHECK_EQ(c->q850, 0);
    play_done(&p);
}

/* ---- forks ---- */

TEST(a_486_of_one_fork_does_not_end_a_call_that_another_answers)
{
    static const char *const scripts[] = {
        /* the caller itself forks */
        "A>B INVITE br=1\nA>C INVITE br=2\nB>A 180 br=1 to=b\nC>A 180 br=2 to=c\n"
        "B>A 486 br=1 to=b\nA>B ACK br=1 to=b\nC>A 200 br=2 to=c\nA>C ACK in to=c\nA>C BYE to=c\n",
        /* a proxy does, and the capture sees its far side */
        "A>P INVITE br=a\nP>B INVITE br=1 via=2\nP>C INVITE br=2 via=2\nB>P 486 br=1 via=2 to=b\n"
        "P>B ACK br=1 to=b\nC>P 200 br=2 via=2 to=c\nP>A 200 br=a to=c\nA>P ACK in to=c\nA>P BYE to=c\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct play p;
        const struct call *c = play_call(&p, scripts[i]);

        CHECK_ROW_EQ(i, c->state, CALL_COMPLETED);
        CHECK_ROW_EQ(i, c->final, 200);
        CHECK_ROW_EQ(i, c->to.tag, "c");
        CHECK_ROW_EQ(i, c->ended_by, CALL_CALLER);
        CHECK_ROW_EQ(i, c->forks, i == 0 ? 1 : 0);
        play_done(&p);
    }
}

TEST(a_call_goes_on_ringing_while_one_of_its_forks_is_open)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE br=1\nA>C INVITE br=2\nB>A 486 br=1\nC>A 180 br=2 to=c\n");

    check_goes_on(c, CALL_PROGRESS);
    CHECK_EQ(c->open_at_end, true);
    play_done(&p);
}

TEST(a_call_is_refused_when_its_last_fork_is)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE br=1\nA>C INVITE br=2\nB>A 486 br=1\nC>A 480 br=2 to=c\n");

    CHECK_EQ(c->state, CALL_REFUSED);
    CHECK_EQ(c->final, 480);
    CHECK_EQ(play_ms(c->ended_ns), 30);
    play_done(&p);
}

TEST(two_answers_from_forks_are_one_call_and_the_surplus_bye_does_not_end_it)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>P INVITE\nP>A 180 to=b\nP>A 180 to=c\nP>A 200 to=b\nP>A 200 to=c\n"
             "A>P ACK in to=b\nA>P ACK in to=c\nA>P BYE to=c\nP>A 200 BYE to=c\n");
    CHECK_EQ(p.last_state, CALL_ACTIVE);
    play(&p, "+30000 A>P BYE to=b cseq=20\nP>A 200 BYE to=b cseq=20\n");
    CHECK_EQ(p.last_state, CALL_COMPLETED);
    play_end(&p);
    CHECK_EQ(p.call_count, 1);
    CHECK_EQ(p.calls[0]->to.tag, "b");
    CHECK_EQ(call_talk_ns(p.calls[0]) / PLAY_MS, 30050);
    play_done(&p);
}

TEST(a_caller_may_keep_the_second_of_two_answers)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>P INVITE\nP>A 200 to=b\nP>A 200 to=c\nA>P ACK in to=b\nA>P BYE to=b\nP>A 200 BYE to=b\n"
             "A>P ACK in to=c\n");
    CHECK_EQ(p.last_state, CALL_ACTIVE);
    play(&p, "+30000 C>A BYE rev to=c\nA>C 200 BYE rev to=c\n");
    CHECK_EQ(p.last_state, CALL_COMPLETED);
    play_end(&p);
    CHECK_EQ(p.calls[0]->ended_by, CALL_CALLEE);
    CHECK_EQ(p.calls[0]->to.tag, "c");
    play_done(&p);
}

TEST(a_server_tried_after_a_refusal_takes_back_the_end)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE br=1\nB>A 503 br=1\nA>B ACK br=1\n"
                                         "A>C INVITE br=2\nC>A 180 br=2\n");

    check_goes_on(c, CALL_PROGRESS);
    play_done(&p);
}

TEST(a_refusal_after_the_end_of_a_call_does_not_rewrite_it)
{
    struct play p;                                        /* its 200 was not captured, its BYE was */
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 180\n+5000 B>A BYE rev\n+100 B>A 487\n");

    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK_EQ(c->final, 0);
    CHECK_EQ(c->ended_by, CALL_CALLEE);
    CHECK_EQ(play_ms(c->ended_ns), 5010);
    play_done(&p);
}

TEST(a_199_ends_an_early_dialog_and_not_the_call)
{
    struct play p;
    const struct call *c = play_call(&p, "A>P INVITE\nP>A 180 to=b\nP>A 199 to=b\nP>A 183 to=c sdp=sendrecv\n");

    CHECK_EQ(c->state, CALL_PROGRESS);
    CHECK_EQ(c->last_progress, 183);
    CHECK_EQ(play_status(&p, c), "183 Session Progress");
    play_done(&p);

    c = play_call(&p, "A>P INVITE\nP>A 180 to=b\nP>A 199 to=b\n");
    CHECK_EQ(c->last_progress, 180);
    CHECK_EQ(c->code_count, 2);                           /* counted all the same */
    play_done(&p);
}

/* ---- ACK ---- */

TEST(an_ack_is_seen_late_lost_or_still_awaited)
{
    static const struct { const char *script; enum call_ack ack; unsigned repeats; } rows[] = {
        { "A>B INVITE\nB>A 200\nA>B ACK in\n", CALL_ACK_SEEN, 0 },
        { "A>B INVITE\nB>A 200\n+500 B>A 200\nA>B ACK in\n", CALL_ACK_LATE, 1 },
        { "A>B INVITE\nB>A 200\n+500 B>A 200\n+1000 B>A 200\n+2000 B>A 200\n", CALL_ACK_LOST, 3 },
        { "A>B INVITE\nB>A 200\n+500 B>A 200\n", CALL_ACK_WAITING, 1 },
        { "A>B INVITE\nB>A 200\nwait 33000\n", CALL_ACK_LOST, 0 },
        { "A>B INVITE\nB>A 200\n+40000 A>B BYE\n", CALL_ACK_LOST, 0 },
        { "A>B INVITE\nB>A 486\nA>B ACK\n", CALL_ACK_NONE, 0 },
        /* the ACK of a re-INVITE is not that of the first one */
        { "A>B INVITE\nB>A 200\nA>B INVITE in cseq=2\nB>A 200 cseq=2\nA>B ACK in cseq=2\n",
          CALL_ACK_WAITING, 0 },
        /* sent again on two hops is sent again once */
        { "A>P INVITE br=a\nP>B INVITE br=p via=2\nB>P 200 br=p via=2\nP>A 200 br=a\n"
          "+500 B>P 200 br=p via=2\nP>A 200 br=a\nA>P ACK in\n", CALL_ACK_LATE, 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        const struct call *c = play_call(&p, rows[i].script);

        CHECK_ROW_EQ(i, c->ack, rows[i].ack);
        CHECK_ROW_EQ(i, c->replies_after_answer, rows[i].repeats);
        play_done(&p);
    }
}

TEST(a_lost_ack_does_not_undo_the_answer)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 200\n+500 B>A 200\n+1000 B>A 200\n+2000 B>A 200\n"
                                         "+4000 B>A 200\n+24000 B>A BYE rev\nA>B 200 BYE rev\n");

    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK_EQ(c->ack, CALL_ACK_LOST);
    CHECK_EQ(c->ended_by, CALL_CALLEE);
    CHECK_EQ(c->retransmissions, 4);
    play_done(&p);
}

/* ---- inside the dialog ---- */

TEST(hold_and_resume_are_read_from_the_offers_of_both_sides)
{
    static const struct { const char *script; unsigned held; bool on_hold; } rows[] = {
        { "A>B INVITE in cseq=2 sdp=sendonly\n", 1, true },
        { "A>B INVITE in cseq=2 sdp=inactive\n", 1, true },
        { "A>B INVITE in cseq=2 sdp=zero\n", 1, true },
        { "A>B INVITE in cseq=2 sdp=sendrecv\n", 0, false },
        { "A>B INVITE in cseq=2 sdp=recvonly\n", 0, false },
        { "A>B INVITE in cseq=2\n", 0, false },           /* without SDP: says nothing */
        { "A>B INVITE in cseq=2 sdp=sendonly\nA>B INVITE in cseq=3\n", 1, true },
        { "A>B INVITE in cseq=2 sdp=sendonly\nB>A 200 cseq=2 sdp=recvonly\nA>B ACK in cseq=2\n"
          "A>B INVITE in cseq=3 sdp=sendrecv\n", 1, false },
        { "A>B UPDATE cseq=2 sdp=sendonly\nA>B UPDATE cseq=3 sdp=sendrecv\n", 1, false },
        { "A>B INVITE in cseq=2 sdp=sendonly\nA>B INVITE in cseq=3 sdp=sendrecv\n"
          "A>B INVITE in cseq=4 sdp=inactive\n", 2, true },
        { "A>B INVITE in cseq=2 sdp=sendonly\nA>B INVITE in cseq=3 sdp=sendonly\n", 1, true },
        { "A>B INVITE in cseq=2 sdp=sendonly\n+500 A>B INVITE in cseq=2 sdp=sendonly\n", 1, true },
        /* both sides hold: one resuming is not enough */
        { "A>B INVITE in cseq=2 sdp=sendonly\nB>A INVITE rev cseq=7 sdp=inactive\n", 2, true },
        { "A>B INVITE in cseq=2 sdp=sendonly\nB>A INVITE rev cseq=7 sdp=inactive\n"
          "A>B INVITE in cseq=3 sdp=sendrecv\n", 2, true },
        { "A>B INVITE in cseq=2 sdp=sendonly\nB>A INVITE rev cseq=7 sdp=inactive\n"
          "A>B INVITE in cseq=3 sdp=sendrecv\nB>A INVITE rev cseq=8 sdp=sendrecv\n", 2, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        char script[1024];

        snprintf(script, sizeof script, "A>B INVITE sdp=sendrecv\nB>A 200 sdp=sendrecv\nA>B ACK in\n%s",
                 rows[i].script);
        const struct call *c = play_call(&p, script);

        CHECK_ROW_EQ(i, c->held, rows[i].held);
        CHECK_ROW_EQ(i, c->on_hold, rows[i].on_hold);
        CHECK_ROW_EQ(i, c->state, CALL_ACTIVE);
        CHECK_ROW_EQ(i, c->surprises, 0);
        play_done(&p);
    }
}

TEST(a_call_that_begins_inactive_is_not_held)
{
    struct play p;                                        /* VoLTE: inactive until resources are there */
    const struct call *c = play_call(&p, "A>B INVITE sdp=inactive\nB>A 183 sdp=inactive rseq=1\n"
        "A>B PRACK cseq=2\nB>A 200 PRACK cseq=2\nA>B UPDATE cseq=3 sdp=sendrecv\n"
        "B>A 200 UPDATE cseq=3 sdp=sendrecv\nB>A 180\nB>A 200\nA>B ACK in\n");

    CHECK_EQ(c->held, 0);
    CHECK_EQ(c->on_hold, false);
    CHECK_EQ(c->reliable, true);
    CHECK_EQ(c->methods[SIP_PRACK], 1);
    CHECK_EQ(c->methods[SIP_UPDATE], 1);
    CHECK_EQ(c->state, CALL_ACTIVE);
    CHECK_EQ(c->reinvites, 0);
    play_done(&p);
}

TEST(a_refused_hold_holds_nothing_and_a_refused_reinvite_keeps_the_call)
{
    static const uint16_t codes[] = { 488, 491, 403, 500, 606 };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct play p;
        char script[512];

        snprintf(script, sizeof script,
                 "A>B INVITE sdp=sendrecv\nB>A 200 sdp=sendrecv\nA>B ACK in\n"
                 "A>B INVITE in cseq=2 sdp=sendonly\nB>A %u cseq=2\nA>B ACK cseq=2 to=b\n", codes[i]);
        const struct call *c = play_call(&p, script);

        CHECK_ROW_EQ(i, c->state, CALL_ACTIVE);
        CHECK_ROW_EQ(i, c->final, 200);
        CHECK_ROW_EQ(i, c->reinvites, 1);
        CHECK_ROW_EQ(i, c->reinvite_final, codes[i]);
        CHECK_ROW_EQ(i, c->held, 0);
        CHECK_ROW_EQ(i, c->on_hold, false);
        play_done(&p);
    }
}

TEST(a_hold_that_is_tried_again_after_491_counts_once)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 200\nA>B ACK in\nA>B INVITE in cseq=2 sdp=sendonly\n"
        "B>A 491 cseq=2\nA>B ACK cseq=2 to=b\n+2100 A>B INVITE in cseq=3 sdp=sendonly\nB>A 200 cseq=3\n");

    CHECK_EQ(c->held, 1);
    CHECK_EQ(c->on_hold, true);
    play_done(&p);
}

TEST(a_reinvite_of_the_callee_with_the_callers_cseq_is_no_new_attempt)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 200\nA>B ACK in\nB>A INVITE rev cseq=1\n"
                                         "A>B 488 rev cseq=1\nB>A ACK rev cseq=1\n");

    CHECK_EQ(c->state, CALL_ACTIVE);
    CHECK_EQ(c->final, 200);
    CHECK_EQ(c->reinvite_final, 488);
    CHECK_EQ(c->attempts, 1);
    play_done(&p);
}

TEST(reliable_responses_are_told_apart_by_rseq)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 183 rseq=1 sdp=sendrecv\n+500 B>A 183 rseq=1 sdp=sendrecv\n"
        "A>B PRACK cseq=2\nB>A 200 PRACK cseq=2\nB>A 183 rseq=2\nA>B PRACK cseq=3\nB>A 200 PRACK cseq=3\n");

    CHECK_EQ(c->retransmissions, 1);
    CHECK_EQ(c->messages, 7);
    CHECK_EQ(c->codes[0].code, 183);
    CHECK_EQ(c->codes[0].count, 2);
    CHECK_EQ(c->early_media, true);
    CHECK_EQ(c->final, 0);                                /* the 200 belongs to PRACK */
    CHECK_EQ(c->state, CALL_PROGRESS);
    play_done(&p);
}

TEST(session_timers_and_their_refreshes_are_seen)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE | Session-Expires: 1800\n"
        "B>A 200 | Session-Expires: 1800;refresher=uac\nA>B ACK in\n"
        "+900000 A>B INVITE in cseq=2 sdp=sendrecv | Session-Expires: 1800;refresher=uac\nB>A 200 cseq=2\n"
        "+900000 A>B UPDATE cseq=3 | Session-Expires: 1800;refresher=uac\nB>A 200 UPDATE cseq=3\n");

    CHECK_EQ(c->session_expires_s, 1800);
    CHECK_EQ(c->refreshes, 2);
    CHECK_EQ(c->reinvites, 1);
    CHECK_EQ(c->held, 0);
    play_done(&p);
}

TEST(a_422_is_answered_with_a_longer_session)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE | Session-Expires: 60\nB>A 422 | Min-SE: 90\nA>B ACK\n"
        "A>B INVITE cseq=2 | Session-Expires: 90\nB>A 200 cseq=2 | Session-Expires: 90\n");

    CHECK_EQ(c->state, CALL_ACTIVE);
    CHECK_EQ(c->final, 200);
    CHECK_EQ(c->session_expires_s, 90);
    play_done(&p);
}

TEST(a_transfer_tells_its_target_and_how_it_went)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 200\nA>B ACK in\n"
        "B>A REFER rev | Refer-To: <sip:carol@c.example?Replaces=x%40y>\nA>B 202 REFER rev\n"
        "A>B NOTIFY cseq=4 frag=100\nB>A 200 NOTIFY cseq=4\nA>B NOTIFY cseq=5 frag=503\nB>A 200 NOTIFY cseq=5\n"
        "B>A BYE rev\n");

    CHECK_EQ(c->transfers, 1);
    CHECK_EQ(c->refer_to, "sip:carol@c.example?Replaces=x%40y");
    CHECK_EQ(c->transfer_status, 503);
    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK_EQ(c->final, 200);
    CHECK_EQ(p.transaction_count, 0);
    play_done(&p);
}

TEST(replaces_names_the_call_that_is_taken_over)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE | Replaces: 12345@149.112.118.3;to-tag=12;from-tag=5FFE\nB>A 200\n");

    CHECK_EQ(c->replaces, "12345@149.112.118.3");
    play_done(&p);
}

TEST(a_redirected_call_goes_on_with_the_next_invite)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 302 | Contact: <sip:bob@c.example>;q=0.5\nA>B ACK\n"
        "A>C INVITE cseq=2\nC>A 180 cseq=2 to=c\nC>A 200 cseq=2 to=c\nA>C ACK in cseq=2 to=c\n+5000 A>C BYE to=c\n");

    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK_EQ(c->final, 200);
    CHECK_EQ(c->forwarded, 1);
    CHECK_EQ(c->redirect_to, "sip:bob@c.example");
    CHECK_EQ(c->to.tag, "c");
    CHECK_EQ(c->attempts, 2);
    play_done(&p);
}

TEST(a_redirect_that_nobody_follows_is_refused)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 302\nA>B ACK\n");

    CHECK_EQ(c->state, CALL_REFUSED);
    CHECK_EQ(c->final, 302);
    CHECK_EQ(c->forwarded, 0);
    play_done(&p);
}

TEST(an_invite_tried_anew_without_raising_cseq_is_an_attempt)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE br=1\nB>A 503 br=1\nA>B ACK br=1\n"
                                         "+200 A>B INVITE br=2\nB>A 200 br=2\n");

    CHECK_EQ(c->final, 200);
    CHECK_EQ(c->state, CALL_ACTIVE);
    play_done(&p);
}

/* ---- BYE ---- */

TEST(who_sends_bye_ended_the_call)
{
    static const struct { const char *bye; enum call_side side; } rows[] = {
        { "+5000 A>B BYE\nB>A 200 BYE\n", CALL_CALLER },
        { "+5000 B>A BYE rev\nA>B 200 BYE rev\n", CALL_CALLEE },
        { "+5000 A>B BYE\n", CALL_CALLER },               /* its 200 was lost: over all the same */
        { "+5000 B>A BYE rev\nA>B BYE\nA>B 200 BYE rev\nB>A 200 BYE\n", CALL_CALLEE },
        { "+5000 A>B BYE cseq=20\nB>A 407 BYE cseq=20\nA>B BYE cseq=21\nB>A 200 BYE cseq=21\n", CALL_CALLER },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        char script[512];

        snprintf(script, sizeof script, "A>B INVITE\nB>A 180\nB>A 200\nA>B ACK in\n%s", rows[i].bye);
        const struct call *c = play_call(&p, script);

        CHECK_ROW_EQ(i, c->state, CALL_COMPLETED);
        CHECK_ROW_EQ(i, call_status(c).code, 1000);
        CHECK_ROW_EQ(i, c->ended_by, rows[i].side);
        CHECK_ROW_EQ(i, c->crossed, i == 3);
        CHECK_ROW_EQ(i, call_talk_ns(c), 5010 * PLAY_MS); /* to the first BYE */
        CHECK_ROW_EQ(i, c->final, 200);
        CHECK_ROW_EQ(i, c->bye_final, i == 2 ? 0 : 200);
        CHECK_ROW_EQ(i, c->surprises, 0);
        play_done(&p);
    }
}

TEST(a_bye_with_a_foreign_tag_does_not_end_the_call)
{
    static const char *const byes[] = {
        "X>B BYE to=zz\nB>X 481 BYE to=zz\n",             /* the callee's tag is wrong */
        "X>B BYE from=zz\nB>X 481 BYE from=zz\n",         /* the caller's */
    };

    for (size_t i = 0; i < ARRAY_LEN(byes); i++) {
        struct play p;
        char script[256];

        snprintf(script, sizeof script, "A>B INVITE\nB>A 200\nA>B ACK in\n+5000 %s", byes[i]);
        const struct call *c = play_call(&p, script);

        CHECK_ROW_EQ(i, c->state, CALL_ACTIVE);
        CHECK_ROW_EQ(i, c->bye_ns, 0);
        play_done(&p);
    }
}

TEST(a_bye_in_an_early_dialog_gives_up_the_attempt)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 183\nA>B BYE\nB>A 200 BYE\nB>A 487\nA>B ACK\n");

    CHECK_EQ(c->state, CALL_CANCELLED);
    CHECK_EQ(c->final, 487);
    CHECK_EQ(c->ended_by, CALL_CALLER);
    CHECK_EQ(c->answered, false);
    play_done(&p);
}

TEST(reason_and_q850_are_kept_beside_the_code)
{
    struct play p;
    const struct call *c = play_call(&p, "A>B INVITE\nB>A 200\nA>B ACK in\n"
        "B>A BYE rev | Reason: Q.850;cause=16;text=\"Normal call clearing\", SIP;cause=200\n");

    CHECK_EQ(c->q850, 16);
    CHECK_EQ(c->reason_sip, 200);
    CHECK_EQ(c->reason_text, "Normal call clearing");
    play_done(&p);

    c = play_call(&p, "A>B INVITE\nB>A 183\nB>A 503 reason=Sorry | Reason: q.850 ;cause=34\nA>B ACK\n");
    CHECK_EQ(c->q850, 34);
    CHECK_EQ(c->final, 503);
    CHECK_EQ(c->reason, "Sorry");
    CHECK_EQ(c->last_progress, 183);
    play_done(&p);

    c = play_call(&p, "A>B INVITE\nB>A 503 | Reason: Q.850;cause=999\n");
    CHECK_EQ(c->q850, 0);                                 /* no cause of Q.850 is so large */
    play_done(&p);
}

/* ---- joined in the middle ---- */

TEST(a_call_whose_beginning_was_not_captured_is_partial)
{
    static const struct { const char *script; enum call_state state; } rows[] = {
        { "B>A 200\n", CALL_ACTIVE },
        { "B>A 200\nA>B ACK in\nA>B BYE\n", CALL_COMPLETED },
        { "B>A 180\n", CALL_PROGRESS },
        { "B>A 180\nB>A 486\nA>B ACK\n", CALL_REFUSED },
        { "B>A 486\nA>B ACK\n", CALL_REFUSED },
        { "A>B BYE\n", CALL_COMPLETED },
        { "A>B BYE\nB>A 200 BYE\n", CALL_COMPLETED },
        { "B>A 200 BYE\n", CALL_NEW },                    /* says only that something was */
        { "A>B INVITE in cseq=5\nB>A 200 cseq=5\nA>B ACK in cseq=5\n", CALL_ACTIVE },
        { "A>B INVITE in cseq=5 sdp=sendonly\nB>A 200 cseq=5\nA>B BYE\n", CALL_COMPLETED },
        { "A>B INVITE in cseq=5\nB>A 488 cseq=5\nA>B ACK cseq=5 to=b\n", CALL_ACTIVE },
        { "A>B CANCEL\nB>A 487\n", CALL_CANCELLED },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        const struct call *c = play_call(&p, rows[i].script);

        CHECK_ROW_EQ(i, c->state, rows[i].state);
        CHECK_ROW_EQ(i, c->partial, true);
        CHECK_ROW(i, call_pdd_ns(c) < 0);                 /* nobody knows */
        CHECK_ROW(i, i < 8 || i > 10 || c->final == 0 || c->final == 200);
        play_done(&p);
    }
}

TEST(a_stray_message_of_a_dialog_ends_unmonitored_and_not_active)
{
    static const char *const scripts[] = { "A>B ACK in\nwait 60000\n", "A>B PRACK\nwait 60000\n",
                                           "B>A 200 UPDATE\nwait 60000\n" };

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct play p;
        const struct call *c = play_call(&p, scripts[i]);

        CHECK_ROW_EQ(i, call_status(c).list, CALL_LIST_UNMONITORED);
        CHECK_ROW_EQ(i, call_status(c).code, 8003);
        CHECK_ROW_EQ(i, c->partial, true);
        play_done(&p);
    }
}

/* ---- which call is it ---- */

TEST(another_from_tag_or_call_id_is_another_call)
{
    static const struct { const char *script; size_t calls; } rows[] = {
        { "A>B INVITE call=x from=1\nA>B INVITE call=x from=2\n", 2 },
        { "A>B INVITE call=abcdefgh1\nA>B INVITE call=abcdefgh2\n", 2 },       /* the last byte */
        { "A>B INVITE call=abcdefgh\nA>B INVITE call=abcdefg\n", 2 },          /* one shorter */
        { "A>B INVITE call=AbC@x\nA>B INVITE call=aBc@x\n", 2 },               /* case (8.1.1.4) */
        { "A>B INVITE call=x from=1\nA>B INVITE call=x from=1\n", 1 },
        { "A>B INVITE call=x from=1\nB>A 180 call=x from=1\nA>B BYE call=x from=1\n", 1 },
        { "A>B INVITE call=x from=1\nB>A INVITE call=x from=b rev to=1 br=r\n", 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;

        CHECK(play_start(&p, NULL));
        play(&p, rows[i].script);
        play_end(&p);
        CHECK_ROW_EQ(i, p.call_count, rows[i].calls);
        CHECK_ROW_EQ(i, tracker_counts(p.tracker)->calls, rows[i].calls);
        play_done(&p);
    }
}

TEST(very_long_call_ids_that_differ_in_the_last_byte_are_two_calls)
{
    struct play p;
    char id[1500], script[2 * sizeof id];

    memset(id, 'x', sizeof id);
    CHECK(play_start(&p, NULL));
    for (char last = 'a'; last <= 'b'; last++) {
        id[sizeof id - 1] = last;
        snprintf(script, sizeof script, "A>B INVITE call=%.*s\n", (int)sizeof id, id);
        play(&p, script);
    }
    play_end(&p);
    CHECK_EQ(p.call_count, 2);
    CHECK_EQ(p.calls[0]->call_id.len, sizeof id);
    CHECK_EQ(p.calls[1]->call_id.ptr[sizeof id - 1], 'b');
    play_done(&p);
}

/* ---- copies and repeats ---- */

TEST(copies_are_not_retransmissions_and_true_ones_are)
{
    static const struct { const char *script; unsigned messages, copies, again; } rows[] = {
        /* a proxy's other side */
        { "A>P INVITE br=a\nP>B INVITE br=p via=2\nB>P 180 br=p via=2\nP>A 180 br=a\n", 2, 2, 0 },
        /* through a tunnel: the same packet, the same identification */
        { "A>B INVITE id=7\n+1 A>B INVITE id=7\nB>A 180 id=9\n+300 B>A 180 id=9\n", 2, 2, 0 },
        /* twice by an "any" capture, without identification */
        { "A>B INVITE id=0\n+1 A>B INVITE id=0\n+48 B>A 180 id=0\n+49 B>A 180 id=0\n", 2, 2, 0 },
        /* sent again */
        { "A>B INVITE id=7\n+500 A>B INVITE id=8\n+1000 A>B INVITE id=9\n", 1, 0, 2 },
        { "A>B INVITE id=0\n+500 A>B INVITE id=0\n+1000 A>B INVITE id=0\n", 1, 0, 2 },
        { "A>B INVITE id=0\n+51 A>B INVITE id=0\n", 1, 0, 1 },
        /* the identification came round again */
        { "A>B INVITE id=7\n+1100 A>B INVITE id=7\n", 1, 0, 1 },
        /* sent again and captured twice each time */
        { "A>B INVITE id=7\n+1 A>B INVITE id=7\n+500 A>B INVITE id=8\n+1 A>B INVITE id=8\n", 1, 2, 1 },
        /* sent again through a proxy: on two hops */
        { "A>P INVITE br=a\nP>B INVITE br=p via=2\n+500 A>P INVITE br=a\nP>B INVITE br=p via=2\n", 1, 1, 2 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        const struct call *c = play_call(&p, rows[i].script);

        CHECK_ROW_EQ(i, c->messages, rows[i].messages);
        CHECK_ROW_EQ(i, c->copies, rows[i].copies);
        CHECK_ROW_EQ(i, c->retransmissions, rows[i].again);
        CHECK_ROW_EQ(i, c->attempts, 1);
        CHECK_ROW_EQ(i, c->forks, 0);
        play_done(&p);
    }
}

TEST(hops_captured_downstream_first_still_tell_the_callers_view)
{
    struct play p;
    const struct call *c = play_call(&p,
        "@0 P>B INVITE br=p via=2\n@0 A>P INVITE br=a\n"
        "@20 P>A 100 br=a\n@500 B>P 486 br=p via=2\n@501 P>B ACK br=p\n"
        "@502 P>C INVITE br=q via=2\n@1500 P>A 180 br=a to=c\n@1500 C>P 180 br=q via=2 to=c\n"
        "@3000 P>A 200 br=a to=c\n@3000 C>P 200 br=q via=2 to=c\n@3010 A>P ACK in to=c\n");
    struct address a = address_v4("\x0a\0\0\x01", 5060), proxy = address_v4("\x0a\0\0\x10", 5060);

    CHECK_EQ(c->state, CALL_ACTIVE);
    CHECK_EQ(c->final, 200);
    CHECK(address_eq(&c->caller_addr, &a));
    CHECK(address_eq(&c->callee_addr, &proxy));
    CHECK_EQ(c->to.tag, "c");
    CHECK_EQ(play_ms(c->answered_ns), 3000);
    CHECK_EQ(c->surprises, 0);
    play_done(&p);
}

TEST(every_message_of_a_call_on_two_hops_in_reverse_order_is_one_message)
{
    struct play p;
    const struct call *c = play_call(&p,
        "@0 P>B INVITE br=p via=2\n@0 A>P INVITE br=a\n@10 P>A 180 br=a\n@10 B>P 180 br=p via=2\n"
        "@20 P>A 200 br=a\n@20 B>P 200 br=p via=2\n@30 P>B ACK in br=pk via=2\n@30 A>P ACK in br=ak\n"
        "@90 P>B BYE br=pb via=2\n@90 A>P BYE br=ab\n@95 P>A 200 BYE br=ab\n@95 B>P 200 BYE br=pb via=2\n");

    CHECK_EQ(c->messages, 6);
    CHECK_EQ(c->copies, 6);
    CHECK_EQ(c->retransmissions, 0);
    CHECK_EQ(c->ack, CALL_ACK_SEEN);
    CHECK_EQ(c->state, CALL_COMPLETED);
    play_done(&p);
}

/* ---- time ---- */

TEST(pdd_ring_and_talk_are_measured)
{
    struct play p;
    const struct call *c = play_call(&p, "@0 A>B INVITE\n@100 B>A 100\n@800 B>A 183 sdp=sendrecv\n"
        "@1500 B>A 180\n@9000 B>A 200\n@9100 A>B ACK in\n@69000 B>A BYE rev\n");

    CHECK_EQ(play_ms(c->first_response_ns), 100);
    CHECK_EQ(play_ms(c->progress_ns), 800);
    CHECK_EQ(play_ms(c->ringing_ns), 1500);
    CHECK_EQ(call_pdd_ns(c) / PLAY_MS, 800);
    CHECK_EQ(call_ring_ns(c) / PLAY_MS, 8200);
    CHECK_EQ(call_talk_ns(c) / PLAY_MS, 60000);
    CHECK_EQ(call_duration_ns(c) / PLAY_MS, 69000);
    play_done(&p);

    c = play_call(&p, "@0 A>B INVITE\n@50 B>A 100\n@4000 B>A 200\n@9000 A>B BYE\n");
    CHECK_EQ(call_pdd_ns(c) / PLAY_MS, 4000);             /* answered at once */
    CHECK(call_ring_ns(c) < 0);
    play_done(&p);

    c = play_call(&p, "@0 A>B INVITE\n@50 B>A 180\n@7050 B>A 603\n");
    CHECK_EQ(call_ring_ns(c) / PLAY_MS, 7000);
    CHECK(call_talk_ns(c) < 0);
    play_done(&p);
}

TEST(a_180_that_the_answer_overtook_changes_no_time)
{
    struct play p;
    const struct call *c = play_call(&p, "@0 A>B INVITE\n@1000 B>A 200\n@1010 B>A 180\n@9000 A>B BYE\n");

    CHECK_EQ(call_pdd_ns(c) / PLAY_MS, 1000);
    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK_EQ(c->surprises, 0);
    play_done(&p);
}

TEST(the_last_response_is_what_people_call_it)
{
    static const struct { const char *script, *last; } rows[] = {
        { "A>B INVITE\n", "0" },
        { "A>B INVITE\nB>A 100\n", "100" },
        { "A>B INVITE\nB>A 100\nB>A 180\n", "18X" },
        { "A>B INVITE\nB>A 183\n", "18X" },
        { "A>B INVITE\nB>A 181\nB>A 182\n", "18X" },
        { "A>B INVITE\nB>A 180\nA>B CANCEL\nB>A 487\n", "18X" },
        { "A>B INVITE\nB>A 100\nA>B CANCEL\nB>A 487\n", "100" },
        { "A>B INVITE\nA>B CANCEL\nwait 60000\n", "0" },
        { "A>B INVITE\nB>A 180\nB>A 486\n", "486" },
        { "A>B INVITE\nB>A 180\nB>A 487\n", "487" },      /* not by a CANCEL of ours */
        { "A>B INVITE\nB>A 200\n", "200" },
        { "A>B INVITE\nB>A 202\n", "202" },
        { "A>B BYE\n", "0" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        char room[8];

        CHECK_ROW_EQ(i, call_last_response(play_call(&p, rows[i].script), room), rows[i].last);
        play_done(&p);
    }
}

TEST(an_invite_that_nobody_answers_is_given_up_with_8003)
{
    struct play p;
    char room[8];
    const struct call *c = play_call(&p, "@0 A>B INVITE\n@500 A>B INVITE\n@1500 A>B INVITE\n@3500 A>B INVITE\n"
        "@7500 A>B INVITE\n@15500 A>B INVITE\n@31500 A>B INVITE\nwait 40000\n");

    CHECK_EQ(play_status(&p, c), "8003 Unmonitored due to no media transmission");
    CHECK_EQ(call_status(c).list, CALL_LIST_UNMONITORED);
    CHECK_EQ(call_last_response(c, room), "0");
    CHECK_EQ(c->retransmissions, 6);
    CHECK_EQ(c->final, 0);
    CHECK_EQ(c->ended_by, CALL_NETWORK);
    CHECK_EQ(play_ms(c->ended_ns), 31500);
    CHECK_EQ(c->slow_timers, false);
    CHECK_EQ(c->open_at_end, false);
    play_done(&p);
}

TEST(the_slow_timers_of_volte_are_learned_from_the_first_repeat)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "@0 A>B INVITE\n@2000 A>B INVITE\n@6000 A>B INVITE\n@14000 A>B INVITE\n@30000 A>B INVITE\n"
             "@62000 A>B INVITE\n@110000 B>A 486\nA>B ACK\n");
    CHECK_EQ(p.call_count, 0);                            /* not cut at 32 s */
    play_end(&p);
    CHECK_EQ(p.call_count, 1);
    CHECK_EQ(p.calls[0]->slow_timers, true);
    CHECK_EQ(p.calls[0]->final, 486);
    CHECK_EQ(p.calls[0]->state, CALL_REFUSED);
    play_done(&p);

    CHECK(play_start(&p, NULL));
    play(&p, "@0 A>B INVITE | P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1\nwait 100000\n");
    CHECK_EQ(p.call_count, 0);
    play(&p, "wait 60000\n");
    CHECK_EQ(p.call_count, 1);
    CHECK_EQ(p.calls[0]->state, CALL_SILENT);
    play_done(&p);
}

TEST(a_ringing_call_and_a_talking_one_are_waited_for_longer)
{
    static const struct { const char *script; unsigned patient_s, over_s; enum call_state state; } rows[] = {
        { "A>B INVITE\n", 36, 38, CALL_SILENT },
        { "A>B INVITE\nB>A 100\n", 590, 610, CALL_SILENT },
        { "A>B INVITE\nB>A 180\n", 590, 610, CALL_SILENT },
        { "A>B INVITE\nB>A 200\nA>B ACK in\n", 14390, 14410, CALL_SILENT },
        { "A>B INVITE\nB>A 180\nA>B CANCEL\n", 30, 45, CALL_CANCELLED },
        { "A>B INVITE\nB>A 486\n", 39, 41, CALL_REFUSED },
        { "A>B INVITE\nB>A 200\nA>B BYE\n", 39, 41, CALL_COMPLETED },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        char wait[64];

        CHECK(play_start(&p, NULL));
        play(&p, rows[i].script);
        snprintf(wait, sizeof wait, "wait %u000\n", rows[i].patient_s);
        play(&p, wait);
        CHECK_ROW_EQ(i, p.call_count, 0);
        snprintf(wait, sizeof wait, "wait %u000\n", rows[i].over_s - rows[i].patient_s);
        play(&p, wait);
        CHECK_ROW_EQ(i, p.call_count, 1);
        CHECK_ROW_EQ(i, p.calls[0]->state, rows[i].state);
        CHECK_ROW_EQ(i, tracker_memory_bytes(p.tracker), 0);
        play_done(&p);
    }
}

TEST(late_packets_within_forty_seconds_open_no_new_call)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>B INVITE\nB>A 486\nA>B ACK\n+30000 B>A 486\nA>B ACK\n+30000 B>A 486\n");
    play(&p, "A>B INVITE call=2\nB>A 200 call=2\nA>B ACK in call=2\nA>B BYE call=2\n+35000 A>B BYE call=2\n"
             "B>A 200 BYE call=2\n+35000 B>A 200 BYE call=2\n");
    play_end(&p);
    CHECK_EQ(p.call_count, 2);
    CHECK_EQ(p.calls[0]->retransmissions + p.calls[1]->retransmissions, 5);
    play_done(&p);
}

/* ---- grows with nothing ---- */

TEST(one_call_that_never_ends_stays_small)
{
    struct play p;
    char script[128];
    size_t most = 0;

    CHECK(play_start(&p, NULL));
    play(&p, "A>B INVITE\nB>A 200\nA>B ACK in\n");
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(script, sizeof script, "+1 A>B BYE to=zz%u cseq=%u | Reason: SIP;cause=200;text=\"n%u\"\n",
                 i, i + 100, i);
        play(&p, script);
        snprintf(script, sizeof script, "+1 A>B REFER cseq=%u | Refer-To: <sip:%u@c.example>\n", i + 100, i);
        play(&p, script);
        if (tracker_memory_bytes(p.tracker) > most)
            most = tracker_memory_bytes(p.tracker);
    }
    CHECK(most < 120000);
    play_end(&p);
    CHECK_EQ(p.call_count, 1);
    CHECK_EQ(p.calls[0]->tables_full, true);              /* and it says so */
    play_done(&p);
}

TORTURE(a_call_survives_any_allocation_that_fails)
{
    struct play p;
    const struct call *c = play_call(&p,
        "A>P INVITE br=a sdp=sendrecv | Session-ID: ab54317f03c94b8db8b1b1b9a0ef2b0c | User-Agent: X\n"
        "P>B INVITE br=p via=2\nP>C INVITE br=q via=2\nB>P 180 br=p via=2\nP>A 180 br=a\n"
        "P>A 183 br=a to=c rseq=5\nP>A 486 br=a to=c\nA>P ACK br=a\nA>P INVITE br=a2 cseq=2\n"
        "P>A 200 br=a2 cseq=2 | Server: Y\nA>P ACK in cseq=2\n"
        "B>A REFER rev | Refer-To: sip:x@y\nA>P BYE cseq=3 | Reason: Q.850;cause=16;text=\"done\"\n"
        "P>A 200 BYE cseq=3\n");

    CHECK_OR_GOTO(c != NULL, out);
    CHECK_OR_GOTO(c->state == CALL_COMPLETED, out);
out:
    play_done(&p);
}
