/* tests/causes/innocent_test.c - what looks like a fault and is none, or another's
 * SPDX-License-Identifier: Apache-2.0
 *
 * A wrong cause sends somebody to mend what works. Each script is near to the cause named beside it,
 * which must not be the main one of any of its calls and registrations; "" as the right one: nobody
 * is blamed. */
#include "harness/causes_run.h"

struct innocent {
    const char *script;
    const char *wrong;               /* not the main cause of any */
    const char *right;               /* the main cause of the first call, or failing calls of the first registration */
};

static const struct call_verdicts *first_verdicts(const struct play *p)
{
    return p->call_count ? p->calls[0]->verdicts : p->registration_count ? p->registrations[0]->verdicts : NULL;
}

static bool blames(const struct play *p, const char *slug)
{
    for (size_t i = 0; i < p->call_count && i < PLAY_KEPT_MAX; i++)
        if (!strcmp(main_cause(p->calls[i]), slug))
            return true;
    for (size_t i = 0; i < p->registration_count && i < PLAY_KEPT_MAX; i++)
        if (p->registrations[i]->verdicts && p->registrations[i]->verdicts->cause.cause == cause_find(slice_of_string(slug)))
            return true;
    return false;
}

static void check_innocent(const struct innocent *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct play p;

        diagnosed(&p, rows[i].script);
        const struct call_verdicts *v = first_verdicts(&p);

        CHECK_ROW(i, v != NULL);
        CHECK_ROW(i, cause_find(slice_of_string(rows[i].wrong)) != CAUSE_NONE);
        if (blames(&p, rows[i].wrong))
            FAIL("row %zu is given %s", i, rows[i].wrong);
        CHECK_ROW_EQ(i, cause_slug((enum cause_id)v->cause.cause), rows[i].right);
        diagnosed_done(&p);
    }
}

#define BYE_THROUGH "@63000 A>S BYE\nS>B BYE via=2\nB>S 200 BYE via=2\nS>A 200 BYE\nwait 60000\n"
#define ACKS_THROUGH "A>S ACK\nS>B ACK via=2\n"

TEST(a_server_may_write_the_description_anew_for_each_side)
{
    static const struct innocent rows[] = {
        /* WebRTC on one side and plain voice on the other, one Call-ID */
        { "A>S INVITE proto=RTP/SAVPF ip=10.0.0.1\nS>A 100\nS>B INVITE via=2 proto=RTP/AVP ip=10.0.0.19\nB>S 180 via=2\nS>A 180\n"
          "@3000 B>S 200 via=2 proto=RTP/AVP ip=10.0.0.2\nS>A 200 proto=RTP/SAVPF ip=10.0.0.19\n" ACKS_THROUGH BYE_THROUGH, "encryption-one-sided", "" },
        /* it converts between codecs */
        { "A>S INVITE pt=0 ip=10.0.0.1\nS>A 100\nS>B INVITE via=2 pt=0,18 ip=10.0.0.19\n@3000 B>S 200 via=2 pt=18 ip=10.0.0.2\nS>A 200 pt=0 ip=10.0.0.19\n"
          ACKS_THROUGH BYE_THROUGH, "sdp-answer-invalid", "" },
        /* and between the versions of IP */
        { "A>S INVITE ip=2001:db8::1\nS>A 100\nS>B INVITE via=2 ip=10.0.0.19\n@3000 B>S 200 via=2 ip=10.0.0.2\nS>A 200 ip=2001:db8::2\n"
          ACKS_THROUGH BYE_THROUGH, "ip-version-mismatch", "" },
        /* the reservation failed, not the encryption */
        { "A>B INVITE proto=RTP/SAVP ip=10.0.0.1\nB>A 580\nA>B ACK\nwait 60000\n", "encryption-mismatch", "precondition-failed" },
        /* a public address behind STUN, and an o= line that keeps the private one: no router did that */
        { "a>b INVITE pt=0,8 sdp=sendrecv ip=198.51.100.1 origin=192.168.1.5\nb>a 488\na>b ACK\nwait 60000\n", "sip-alg", "not-acceptable-unexplained" },
    };

    check_innocent(rows, ARRAY_LEN(rows));
}

/* An answer names what it chose: that is no list of all that it knows. */
TEST(codecs_of_another_answer_are_a_guess)
{
    struct play p;

    diagnosed(&p, "C>B INVITE call=o from=o pt=0 ip=10.0.0.3\nB>C 200 call=o from=o pt=0 ip=10.0.0.2\nC>B ACK call=o from=o\n+5000 C>B BYE call=o from=o\nB>C 200 BYE call=o from=o\n"
                  "wait 60000\nA>B INVITE pt=8 ip=10.0.0.1\nB>A 488\nA>B ACK\nwait 60000\n");
    CHECK_EQ(main_cause(p.calls[1]), "codec-mismatch");
    CHECK_EQ(p.calls[1]->verdicts->cause.certainty, VERDICT_POSSIBLE);
    diagnosed_done(&p);
}

#define ASKS_407 "A>B INVITE\nB>A 407 | Proxy-Authenticate: Digest realm=\"p\", nonce=\"n1\"\nA>B ACK\n"
#define PASS_407 "A>B INVITE cseq=2 | Proxy-Authorization: Digest username=\"alice\", realm=\"p\", nonce=\"n1\", uri=\"sip:b\", response=\"0\"\n"

TEST(a_second_server_that_asks_does_not_refuse_the_first_password)
{
    static const struct innocent rows[] = {
        { ASKS_407 PASS_407 "B>A 401 cseq=2 | WWW-Authenticate: Digest realm=\"u\", nonce=\"n2\"\nA>B ACK cseq=2\nwait 60000\n",
          "auth-realm-mismatch", "auth-no-credentials" },
        { ASKS_407 PASS_407 "B>A 401 cseq=2 | WWW-Authenticate: Digest realm=\"p\", nonce=\"n2\"\nA>B ACK cseq=2\nwait 60000\n",
          "auth-wrong-password", "auth-no-credentials" },
        /* nobody asked for a password */
        { "A>B INVITE\nB>A 403 reason=Not_authorized_for_this_destination\nA>B ACK\nwait 60000\n", "auth-wrong-password", "caller-forbidden" },
        { "A>B INVITE\nB>A 403 reason=Authentication_failed\nA>B ACK\nwait 60000\n", "auth-wrong-password", "caller-forbidden" },
        { ASKS_407 PASS_407 "B>A 403 cseq=2 reason=Authentication_failed\nA>B ACK cseq=2\nwait 60000\n", "auth-rejected", "auth-wrong-password" },
        /* the challenge is answered under a new Call-ID */
        { "B>S REGISTER cseq=1 call=r1 from=r | Contact: <sip:bob@10.0.0.2> | Expires: 60\nS>B 401 REGISTER cseq=1 call=r1 from=r | WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"\n"
          "B>S REGISTER cseq=2 call=r2 from=r | Contact: <sip:bob@10.0.0.2> | Expires: 60 | Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n1\", uri=\"sip:r\", response=\"0\"\n"
          "S>B 200 REGISTER cseq=2 call=r2 from=r | Contact: <sip:bob@10.0.0.2>;expires=600\nwait 60000\n", "auth-no-credentials", "" },
    };

    check_innocent(rows, ARRAY_LEN(rows));
}

TEST(a_challenge_that_a_new_call_answers_is_hardly_a_fault)
{
    struct play p;

    diagnosed(&p, "A>B INVITE\nB>A 407 | Proxy-Authenticate: Digest realm=\"p\", nonce=\"n1\"\nA>B ACK\n"
                  "A>B INVITE call=c2 from=z cseq=2 | Proxy-Authorization: Digest username=\"alice\", realm=\"p\", nonce=\"n1\", uri=\"sip:b\", response=\"0\"\n"
                  "B>A 200 call=c2 from=z cseq=2\nA>B ACK call=c2 from=z cseq=2\n+9000 A>B BYE call=c2 from=z\nB>A 200 BYE call=c2 from=z\nwait 60000\n");
    CHECK_EQ(main_cause(p.calls[0]), "auth-no-credentials");
    CHECK_EQ(p.calls[0]->verdicts->cause.certainty, VERDICT_POSSIBLE);
    CHECK_EQ(main_cause(p.calls[1]), "");
    diagnosed_done(&p);
}

TEST(who_ended_a_call_is_not_guessed)
{
    static const struct innocent rows[] = {
        /* joined in the middle: it may have rung for long */
        { "A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", "cancelled-before-ringing", "" },
        { "A>B INVITE\nB>A 180\n+15000 A>B BYE\nB>A 200 BYE\nB>A 487\nA>B ACK\nwait 60000\n", "no-answer-timer", "no-answer-caller" },
        { "B>A 100\nB>A 180\n+9000 B>A 487\nwait 60000\n", "no-answer-timer", "" },
        { "A>B INVITE\nB>A 182\n+9000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", "no-answer-timer", "no-answer-caller" },
    };

    check_innocent(rows, ARRAY_LEN(rows));
}

TEST(a_183_is_hardly_ringing_and_a_queue_is_no_second_call)
{
    static const struct { const char *script, *cause; } rows[] = {
        { "A>B INVITE\nB>A 183 ip=10.0.0.2\n+9000 B>A 480\nA>B ACK\nwait 60000\n", "no-answer-phone" },
        { "A>B INVITE\nB>A 183 ip=10.0.0.2\n+9000 B>A 408\nA>B ACK\nwait 60000\n", "no-answer-timer" },
        { "A>B INVITE\nB>A 183 ip=10.0.0.2\n+9000 B>A 603\nA>B ACK\nwait 60000\n", "declined" },
        { "B>A 480\nA>B ACK\nwait 60000\n", "temporarily-unavailable" },
        { "A>B INVITE\nB>A 100\nB>A 480 | Server: FreeSWITCH\nA>B ACK\nwait 60000\n", "temporarily-unavailable" },
        { "A>B INVITE\nB>A 100\nB>A 503 | Server: Asterisk PBX 20\nA>B ACK\nwait 60000\n", "service-unavailable" },
    };
    struct play p;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        diagnosed(&p, rows[i].script);
        CHECK_ROW_EQ(i, main_cause(p.calls[0]), rows[i].cause);
        CHECK_ROW_EQ(i, p.calls[0]->verdicts->cause.certainty, VERDICT_POSSIBLE);
        diagnosed_done(&p);
    }
    diagnosed(&p, "A>B INVITE\nB>A 182\n+9000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n");
    CHECK(!has_cause(&p, "call-waiting"));
    diagnosed_done(&p);
    diagnosed(&p, "A>B INVITE uri=sip:bob@mailbox.org\nB>A 200\nA>B ACK\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n");
    CHECK(!has_cause(&p, "voicemail-answered"));
    diagnosed_done(&p);
}

TEST(a_capture_that_ends_soon_does_not_blame_the_server)
{
    static const struct innocent rows[] = {
        { "A>B INVITE\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\n", "no-reply", "" },
        { "A>B INVITE\nB>A 100\nwait 12000\nA>B OPTIONS call=o1 from=o cseq=1\n", "no-progress", "" },
        { "A>B INVITE\nB>A 100\nwait 40000\nA>B OPTIONS call=o1 from=o cseq=1\n", "no-reply", "no-progress" },
        { "A>B INVITE\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\n+2000 A>B INVITE id=3\n+4000 A>B INVITE id=4\n+600 A>B INVITE id=4\n", "no-progress", "no-reply" },
    };

    check_innocent(rows, ARRAY_LEN(rows));
}

#define LONG_40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_1600 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 \
    LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40
TEST(several_hops_are_not_taken_for_one)
{
    static const struct innocent rows[] = {
        /* one branch said 503, another 500 */
        { "A>S INVITE\nS>B INVITE via=2\nS>C INVITE via=2 br=x\nB>S 503 via=2 to=b\nC>S 500 via=2 to=c\nS>A 500 to=c\nA>S ACK\nwait 60000\n",
          "server-error-hides-503", "server-error" },
        /* the ringing came as far as the server, which kept it to itself */
        { "A>S INVITE\nS>B INVITE via=2\nB>S 180 via=2\n+500 A>S INVITE id=1\n+1000 A>S INVITE id=2\n+2000 A>S INVITE id=3\n+4000 A>S INVITE id=4\nwait 60000\n",
          "reply-not-received", "" },
        /* nobody knows that this server answers anything at all */
        { "A>B INVITE uri=sip:" LONG_1600 "@b.example\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\n+2000 A>B INVITE id=3\nwait 60000\n",
          "invite-fragment-lost", "no-reply" },
    };

    check_innocent(rows, ARRAY_LEN(rows));
}

#define VOICE_TALK(between) "A>B INVITE\nB>A 180\n@3000 B>A 200\nA>B ACK\n" between "@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
TEST(what_crosses_within_a_call_is_no_fault)
{
    static const struct innocent rows[] = {
        /* the UPDATE crossed the CANCEL */
        { "A>B INVITE\nB>A 183 rseq=1\nA>B PRACK | RAck: 1 1 INVITE\nB>A 200 PRACK\nB>A 180\n+9000 A>B CANCEL\nA>B UPDATE\nB>A 200 CANCEL\nB>A 481 UPDATE\nB>A 487\nA>B ACK\nwait 60000\n",
          "dialog-unknown", "no-answer-caller" },
        /* its PRACK took another way, or it would have been repeated */
        { "A>B INVITE\nB>A 183 rseq=1\n+20000 B>A 503\nA>B ACK\nwait 60000\n", "prack-missing", "service-unavailable" },
        /* the other side hung up before it could reply */
        { VOICE_TALK("+9000 A>B UPDATE\nB>A BYE rev\nA>B 200 BYE rev\n+300 A>B UPDATE id=3\n+1000 A>B UPDATE id=4\nwait 3600000\n"), "reinvite-unanswered", "" },
        /* refused while the change before it was under way (RFC 3261, 14.2), then accepted */
        { VOICE_TALK("+9000 A>B INVITE in cseq=2\nB>A 500 cseq=2 | Retry-After: 3\nA>B ACK cseq=2\n+3000 A>B INVITE in cseq=3\nB>A 200 cseq=3\nA>B ACK cseq=3\n"),
          "reinvite-refused", "" },
    };
    struct play p;

    check_innocent(rows, ARRAY_LEN(rows));
    /* the Reason stood in the refusal of a change, not in the hang-up */
    diagnosed(&p, VOICE_TALK("+9000 A>B INVITE in cseq=2\nB>A 488 cseq=2 | Reason: Q.850;cause=31;text=\"no\"\nA>B ACK cseq=2\n"));
    CHECK(!has_cause(&p, "release-cause-given"));
    diagnosed_done(&p);
}

TEST(what_the_network_reports_is_no_cause_of_what_a_person_did)
{
    static const struct innocent rows[] = {
        /* the first server was down, and the second one found the phone busy */
        { "A>B INVITE\nincident icmp-port-closed A>B code=3\nA>C INVITE br=x\nC>A 486\nA>C ACK\nwait 60000\n", "icmp-port-closed", "busy" },
        /* the caller gave up and closed the program */
        { "A>B INVITE\nB>A 180\n+9000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nincident icmp-port-closed B>A code=3\n+500 B>A 487 id=1\nincident icmp-port-closed B>A code=3\nwait 60000\n",
          "icmp-port-closed", "no-answer-caller" },
        { "A>B INVITE\nincident icmp-port-closed A>B code=3\n+500 A>B INVITE id=1\nincident icmp-port-closed A>B code=3\nwait 60000\n", "no-reply", "icmp-port-closed" },
    };

    struct play p;

    check_innocent(rows, ARRAY_LEN(rows));
    /* before this call and after it, not in it */
    diagnosed(&p, "A>B INVITE call=c0\nincident icmp-port-closed A>B code=3\nwait 60000\nA>B INVITE call=c1 from=q\nB>A 404 call=c1 from=q\nA>B ACK call=c1 from=q\nwait 5000\n"
                  "A>B INVITE call=c2 from=r\nincident icmp-port-closed A>B code=3\nwait 60000\n");
    CHECK_EQ(main_cause(p.calls[0]), "icmp-port-closed");
    CHECK_EQ(main_cause(p.calls[1]), "unallocated-number");
    CHECK_EQ(p.calls[1]->verdicts->finding_count, 0);
    CHECK_EQ(main_cause(p.calls[2]), "icmp-port-closed");
    CHECK_EQ(p.calls[2]->verdicts->cause.evidence[0].frame, p.calls[2]->verdicts->cause.evidence[1].frame + 1);
    diagnosed_done(&p);
}

#define LEG(n) " call=l" n " from=f" n
#define SESSION " | Session-ID: ab30317f1a784dc48ff824d0d3715d86\n"
#define REFUSED_LEG(who, back, code, n) back " " code LEG(n) "\n" who " ACK" LEG(n) "\n"
TEST(legs_beside_each_other_are_not_taken_for_one_behind_the_other)
{
    static const struct innocent rows[] = {
        /* the first phone of the group is dead, the second one rings */
        { "A>S INVITE" LEG("1") SESSION "S>A 100" LEG("1") "\nS>B INVITE" LEG("2") SESSION "S>C INVITE" LEG("3") SESSION "C>S 180" LEG("3") "\nS>A 180" LEG("1") "\nB>S 100" LEG("2") "\n+9000 "
          REFUSED_LEG("S>B", "B>S", "480", "2") REFUSED_LEG("S>C", "C>S", "486", "3") REFUSED_LEG("A>S", "S>A", "486", "1") "wait 60000\n", "false-ringing", "busy" },
        /* the same carrier was asked three times: nothing came back */
        { "A>S INVITE" LEG("1") SESSION "S>A 100" LEG("1") "\nS>C INVITE" LEG("2") SESSION REFUSED_LEG("S>C", "C>S", "503", "2") "S>C INVITE" LEG("3") SESSION REFUSED_LEG("S>C", "C>S", "503", "3")
          "S>C INVITE" LEG("4") SESSION REFUSED_LEG("S>C", "C>S", "503", "4") REFUSED_LEG("A>S", "S>A", "503", "1") "wait 60000\n", "forward-loop", "service-unavailable" },
    };

    check_innocent(rows, ARRAY_LEN(rows));
}

TEST(a_circle_of_legs_is_seen)
{
    struct play p;

    diagnosed(&p, "A>S INVITE" LEG("1") SESSION "S>A 100" LEG("1") "\nS>C INVITE" LEG("2") SESSION "C>S INVITE" LEG("3") SESSION "S>C INVITE" LEG("4") SESSION "C>S INVITE" LEG("5") SESSION
                  "S>C INVITE" LEG("6") SESSION REFUSED_LEG("S>C", "C>S", "404", "6") REFUSED_LEG("C>S", "S>C", "404", "5") REFUSED_LEG("S>C", "C>S", "404", "4") REFUSED_LEG("C>S", "S>C", "404", "3")
                  REFUSED_LEG("S>C", "C>S", "404", "2") REFUSED_LEG("A>S", "S>A", "404", "1") "wait 60000\n");
    CHECK_EQ(main_cause(p.calls[1]), "forward-loop");
    CHECK_EQ(param_of(&p.calls[1]->verdicts->cause, "count"), "3");
    diagnosed_done(&p);
}

/* One Call-ID, captured where it is split up. */
#define ANSWERED_BY_B "@5000 B>S 200 br=p1 to=b\nS>B ACK to=b\n"
#define LET_GO "S>C CANCEL br=p2\nC>S 200 CANCEL\nC>S 487 br=p2 to=c\nS>C ACK br=p2 to=c\n"
#define HUNG_UP "@60000 S>B BYE to=b\nB>S 200 BYE to=b\nwait 60000\n"
#define BESIDE "S>B INVITE br=p1\nS>C INVITE br=p2\nB>S 180 br=p1 to=b\n"
TEST(branches_that_ring_side_by_side_are_no_forwarding)
{
    static const struct { const char *script, *not_found; } rows[] = {
        { BESIDE "C>S 180 br=p2 to=c\n" ANSWERED_BY_B LET_GO HUNG_UP, "cancel-too-late" },
        { BESIDE "C>S 180 br=p2 to=c\n" ANSWERED_BY_B LET_GO HUNG_UP, "forwarded-on-no-answer" },
        { BESIDE "C>S 486 br=p2 to=c\nS>C ACK br=p2 to=c\n" ANSWERED_BY_B HUNG_UP, "forwarded-on-busy" },
        { BESIDE "C>S 503 br=p2 to=c\nS>C ACK br=p2 to=c\n" ANSWERED_BY_B HUNG_UP, "route-failover" },
        { "S>C INVITE br=p2\nC>S 180 br=p2 to=c\n+13000 " LET_GO "S>B INVITE br=p1\nB>S 180 br=p1 to=b\n+5000 B>S 200 br=p1 to=b\nS>B ACK to=b\n" HUNG_UP, "false-ringing" },
    };
    struct play p;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        diagnosed(&p, rows[i].script);
        CHECK_ROW_EQ(i, main_cause(p.calls[0]), "");
        CHECK_ROW(i, !has_cause(&p, rows[i].not_found));
        diagnosed_done(&p);
    }
}

TEST(branches_one_after_the_other_are_a_forwarding)
{
    static const struct { const char *script, *found, *value; } rows[] = {
        { "S>C INVITE br=p2\nC>S 180 br=p2 to=c\n+3000 C>S 486 br=p2 to=c\nS>C ACK br=p2 to=c\nS>B INVITE br=p1\nB>S 180 br=p1 to=b\n" ANSWERED_BY_B HUNG_UP,
          "forwarded-on-busy", "10.0.0.2" },
        { "S>C INVITE br=p2\nC>S 503 br=p2 to=c\nS>C ACK br=p2 to=c\nS>B INVITE br=p1\nB>S 180 br=p1 to=b\n" ANSWERED_BY_B HUNG_UP, "route-failover", "" },
    };
    struct play p;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        diagnosed(&p, rows[i].script);
        CHECK_ROW_EQ(i, main_cause(p.calls[0]), "");
        CHECK_ROW(i, has_cause(&p, rows[i].found));
        CHECK_ROW_EQ(i, param_of(&p.calls[0]->verdicts->findings[0], "value"), rows[i].value);
        diagnosed_done(&p);
    }
}

/* What is listed must be the message that it is called. */
TEST(evidence_of_other_legs_is_the_message_that_it_names)
{
    struct play p;

    diagnosed(&p, "A>S INVITE" LEG("1") SESSION "S>A 100" LEG("1") "\nS>B INVITE" LEG("2") SESSION "S>A 180" LEG("1") "\n+5000 B>S 180" LEG("2") "\n+9000 "
                  REFUSED_LEG("S>B", "B>S", "486", "2") REFUSED_LEG("A>S", "S>A", "486", "1") "wait 60000\n");
    const struct verdict *v = &p.calls[0]->verdicts->cause;

    CHECK_EQ(main_cause(p.calls[0]), "false-ringing");
    CHECK_EQ(v->evidence[0].frame, 4);
    CHECK_EQ(v->evidence[1].frame, 5);
    CHECK_EQ(v->evidence[1].what, "180 Ringing");
    diagnosed_done(&p);
    diagnosed(&p, "A>S INVITE" LEG("1") SESSION "S>A 100" LEG("1") "\nS>B INVITE" LEG("2") SESSION "B>S 180" LEG("2") "\nS>A 180" LEG("1") "\n+20000 S>B CANCEL" LEG("2") "\nB>S 200 CANCEL" LEG("2") "\n"
                  REFUSED_LEG("S>B", "B>S", "487", "2") REFUSED_LEG("A>S", "S>A", "480", "1") "wait 60000\n");
    v = &p.calls[0]->verdicts->cause;
    CHECK_EQ(main_cause(p.calls[0]), "no-answer-timer");
    CHECK_EQ(v->evidence[1].frame, 6);
    CHECK_EQ(v->evidence[1].what, "CANCEL");
    diagnosed_done(&p);
}

#define NUMBER(n) " uri=sip:+49301234567" n "@b aor=sip:+49301234567" n "@b call=t" n " from=t" n
#define CALLED(n) "+50 d>B INVITE" NUMBER(n) "\nB>d 486" NUMBER(n) "\nd>B ACK" NUMBER(n) "\n"
#define CHALLENGED(n) "+50 d>B INVITE" NUMBER(n) "\nB>d 407" NUMBER(n) " | Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\"\nd>B ACK" NUMBER(n) "\n" \
    "d>B INVITE cseq=2" NUMBER(n) " | Proxy-Authorization: Digest username=\"pbx\", realm=\"p\", nonce=\"n\", uri=\"sip:b\", response=\"0\"\nB>d 486 cseq=2" NUMBER(n) "\nd>B ACK cseq=2" NUMBER(n) "\n"
#define TRIED(n) "+30000 C>S REGISTER call=g" n " from=g cseq=1 | Contact: <sip:x@d>\nS>C 401 REGISTER call=g" n " from=g cseq=1 | WWW-Authenticate: Digest realm=\"r\", nonce=\"n" n "\"\n" \
    "C>S REGISTER call=g" n " from=g cseq=2 | Contact: <sip:x@d> | Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n" n "\", uri=\"sip:r\", response=\"0\"\n" \
    "S>C 401 REGISTER call=g" n " from=g cseq=2 | WWW-Authenticate: Digest realm=\"r\", nonce=\"m" n "\"\n"
#define TWELVE(what) what("10") what("11") what("12") what("13") what("14") what("15") what("16") what("17") what("18") what("19") what("20") what("21")
#define BUSY(n) "+1 A>B INVITE call=f" n " from=f" n "\n+1 B>A 180 call=f" n " from=f" n "\n+1 B>A 486 call=f" n " from=f" n "\n+1 A>B ACK call=f" n " from=f" n "\n"
#define BUSY10(n) BUSY(n "0") BUSY(n "1") BUSY(n "2") BUSY(n "3") BUSY(n "4") BUSY(n "5") BUSY(n "6") BUSY(n "7") BUSY(n "8") BUSY(n "9")
#define BUSY60(n) BUSY10(n "0") BUSY10(n "1") BUSY10(n "2") BUSY10(n "3") BUSY10(n "4") BUSY10(n "5")
TEST(who_may_call_is_no_attacker)
{
    static const struct innocent rows[] = {
        /* a trunk whose calls abroad find the people busy */
        { CALLED("10") CALLED("11") CALLED("12") CALLED("13") "wait 60000\n", "toll-fraud", "busy" },
        /* a telephone system that answers each challenge */
        { TWELVE(CHALLENGED) "wait 60000\n", "number-guessing", "busy" },
        /* a phone with a wrong password stored asks again every half minute */
        { TWELVE(TRIED) "wait 60000\n", "password-guessing", "auth-wrong-password" },
        { BUSY60("1") BUSY60("2") BUSY60("3") "wait 60000\n", "request-flood", "busy" },
        /* a server on which a test tool ran */
        { "A>B OPTIONS call=o1 from=o cseq=1 | User-Agent: sipsak 0.9.6\nB>A 200 OPTIONS call=o1 from=o cseq=1\nA>B INVITE | User-Agent: Asterisk PBX\nB>A 180\n@3000 B>A 200\nA>B ACK\n"
          "@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n", "scanner", "" },
        /* a faulty phone makes its one mistake in every message */
        { "A>B INVITE | Max-Forwards: x\nB>A 407 | Proxy-Authenticate: Digest realm=\"p\", nonce=\"n1\"\nA>B ACK | Max-Forwards: x\n"
          "A>B INVITE cseq=2 | Max-Forwards: x | Proxy-Authorization: Digest username=\"alice\", realm=\"p\", nonce=\"n1\", uri=\"sip:b\", response=\"0\"\n"
          "B>A 180 cseq=2 | Expires: x\nB>A 486 cseq=2 | Expires: x\nA>B ACK cseq=2 | Max-Forwards: x\nwait 60000\n", "malformed-attack", "busy" },
    };

    check_innocent(rows, ARRAY_LEN(rows));
}

TEST(calls_of_centuries_are_counted_like_others)
{
    static const struct hash_seed seed = { 7, 9 };
    struct diagnose_history *h = diagnose_history_new(&seed, 1 << 14);
    int64_t long_ns = 4294967294LL * 1000000000;          /* a clock from 1970 to the end of 32 bits */

    diagnose_history_length(h, long_ns);
    CHECK_EQ(diagnose_history_lengths(h, long_ns), 1);
    CHECK_EQ(diagnose_history_lengths(h, INT64_MAX), 0);
    CHECK_EQ(diagnose_history_lengths(h, 0), 0);
    diagnose_history_free(h);
}
