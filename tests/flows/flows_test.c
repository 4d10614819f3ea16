/* tests/flows/flows_test.c - calls by script, held against the reference flows
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/flow.h"
#include "diagnose/flow.h"
#include "harness/track_play.h"
#include "report/flows.h"

#define SETUP   "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+2000 B>A 200 sdp=sendrecv\nA>B ACK\n"
#define RELEASE "+5000 A>B BYE\nB>A 200 BYE\n"
/* mandatory resources that are not there yet, or are (RFC 3312) */
#define NEED    "sdp=sendrecv attr=des:qos_mandatory_local_sendrecv%curr:qos_local_none"
#define MET     "sdp=sendrecv attr=des:qos_mandatory_local_sendrecv%curr:qos_local_sendrecv"
#define END     "wait 60000\n"

struct row {
    const char *script;
    const char *flow;                /* "": none is near */
    enum call_deviation deviation;
    const char *of;                  /* whose step; NULL: that flow's own */
    unsigned step, frame;
};

static void check(size_t i, const struct row *row)
{
    struct play p;

    CHECK_ROW(i, play_start(&p, NULL));
    play(&p, row->script);
    play_end(&p);
    CHECK_ROW_EQ(i, p.call_count, 1);
    if (p.call_count == 1) {
        struct call *c = p.calls[0];
        const struct call_flow *f = &c->flow;
        slice of = slice_of_string(row->of ? row->of : row->flow);

        diagnose_flow(&c, 1);
        CHECK_ROW_EQ(i, slice_of_string(flow_at(f->flow)->name), slice_of_string(row->flow));
        CHECK_ROW_EQ(i, f->deviation, row->deviation);
        if (row->deviation) {
            CHECK_ROW_EQ(i, slice_of_string(flow_at(f->part)->name), of);
            CHECK_ROW_EQ(i, f->step, row->step);
            CHECK_ROW_EQ(i, f->frame, row->frame);
        }
    }
    play_done(&p);
}

TEST(a_call_that_follows_a_flow_gets_its_name_and_no_deviation)
{
    static const struct row rows[] = {
        { .flow = "basic-call", .script = SETUP RELEASE END },
        { .flow = "basic-call", .script = SETUP "+5000 B>A BYE rev\nA>B 200 BYE rev\n" END },
        /* asked for a password */
        { .flow = "basic-call", .script =
            "A>B INVITE sdp=sendrecv\nB>A 407\nA>B ACK\n"
            "A>B INVITE cseq=2 sdp=sendrecv br=2 | Proxy-Authorization: Digest username=\"a\"\n"
            "B>A 100 cseq=2 br=2\nB>A 180 cseq=2 br=2\nB>A 200 cseq=2 br=2 sdp=sendrecv\nA>B ACK cseq=2 br=3\n"
            RELEASE END },
        /* asked again, because the nonce was too old */
        { .flow = "basic-call", .script =
            "A>B INVITE sdp=sendrecv\nB>A 407\nA>B ACK\n"
            "A>B INVITE cseq=2 sdp=sendrecv br=2 | Proxy-Authorization: Digest username=\"a\"\n"
            "B>A 407 cseq=2 br=2 | Proxy-Authenticate: Digest realm=\"x\", nonce=\"y\", stale=true\n"
            "A>B ACK cseq=2 br=2\n"
            "A>B INVITE cseq=3 sdp=sendrecv br=3 | Proxy-Authorization: Digest username=\"a\"\n"
            "B>A 180 cseq=3 br=3\nB>A 200 cseq=3 br=3 sdp=sendrecv\nA>B ACK cseq=3 br=4\n" RELEASE END },
        /* several 1xx, a reliable one, an INFO and an OPTIONS do not matter */
        { .flow = "basic-call", .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 183 rseq=1\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
            "B>A 200 PRACK cseq=2\nB>A 180\nB>A 182\nB>A 200 sdp=sendrecv\nA>B ACK\n"
            "A>B INFO cseq=5\nB>A 200 INFO cseq=5\n" RELEASE END },
        /* two hops of a proxy in one capture */
        { .flow = "basic-call", .script =
            "A>S INVITE sdp=sendrecv br=x\nS>A 100 br=x\nS>B INVITE via=2 sdp=sendrecv br=y\n"
            "B>S 180 via=2 br=y\nS>A 180 br=x\nB>S 200 via=2 br=y sdp=sendrecv\nS>A 200 br=x sdp=sendrecv\n"
            "A>S ACK br=z\nS>B ACK via=2 br=w\n"
            "+5000 A>S BYE br=q\nS>B BYE via=2 br=r\nB>S 200 BYE via=2 br=r\nS>A 200 BYE br=q\n" END },
        { .flow = "callee-busy", .script = "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 486\nA>B ACK\n" END },
        { .flow = "callee-busy", .script = "A>B INVITE sdp=sendrecv\nB>A 180\n+900 B>A 600\nA>B ACK\n" END },
        { .flow = "no-answer-caller", .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+9000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\n" END },
        { .flow = "no-answer-server", .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+30000 B>A 480\nA>B ACK\n" END },
        { .flow = "no-answer-server", .script =
            "A>S INVITE sdp=sendrecv br=x\nS>A 100 br=x\nS>B INVITE via=2 sdp=sendrecv br=y\n"
            "B>S 180 via=2 br=y\nS>A 180 br=x\n+30000 S>A 408 br=x to=s\nS>B CANCEL br=y\nA>S ACK br=x to=s\n"
            "B>S 200 CANCEL br=y\nB>S 487 via=2 br=y\nS>B ACK br=y\n" END },
        { .flow = "hold", .script = SETUP
            "+3000 A>B INVITE in cseq=2 br=h sdp=sendonly\nB>A 200 cseq=2 br=h sdp=recvonly\nA>B ACK cseq=2 br=h2\n"
            "+3000 A>B INVITE in cseq=3 br=r sdp=sendrecv\nB>A 100 cseq=3 br=r\nB>A 200 cseq=3 br=r sdp=sendrecv\n"
            "A>B ACK cseq=3 br=r2\n" RELEASE END },
        /* held by the callee, the old way, twice, and hung up during the second */
        { .flow = "hold", .script = SETUP
            "+3000 B>A INVITE rev in cseq=2 br=h sdp=zero\nA>B 200 rev cseq=2 br=h sdp=sendrecv\nB>A ACK rev cseq=2 br=h2\n"
            "+3000 B>A INVITE rev in cseq=3 br=r sdp=sendrecv\nA>B 200 rev cseq=3 br=r sdp=sendrecv\nB>A ACK rev cseq=3 br=r2\n"
            "+3000 B>A INVITE rev in cseq=4 br=k sdp=inactive\nA>B 200 rev cseq=4 br=k sdp=inactive\nB>A ACK rev cseq=4 br=k2\n"
            RELEASE END },
        { .flow = "session-change", .script = SETUP
            "+3000 A>B INVITE in cseq=2 br=h sdp=sendrecv\nB>A 200 cseq=2 br=h sdp=sendrecv\nA>B ACK cseq=2 br=h2\n"
            RELEASE END },
        /* what only prolongs the session changes nothing */
        { .flow = "basic-call", .script = SETUP
            "+3000 A>B INVITE in cseq=2 br=h sdp=sendrecv | Session-Expires: 90\n"
            "B>A 200 cseq=2 br=h sdp=sendrecv | Session-Expires: 90\nA>B ACK cseq=2 br=h2\n" RELEASE END },
        /* the capture began with the answer */
        { .flow = "release", .script = "B>A 200 sdp=sendrecv\nA>B ACK\n" RELEASE END },
        { .flow = "release", .script = "A>B BYE cseq=7\nB>A 200 BYE cseq=7\n" END },
        { .flow = "forward-busy", .script =
            "A>S INVITE sdp=sendrecv br=x\nS>A 100 br=x\nS>B INVITE via=2 sdp=sendrecv br=y\nB>S 486 via=2 br=y\n"
            "S>B ACK br=y\nS>A 181 br=x to=s\nS>C INVITE via=2 sdp=sendrecv br=w\nC>S 180 via=2 br=w to=c\n"
            "S>A 180 br=x to=c\nC>S 200 via=2 br=w to=c sdp=sendrecv\nS>A 200 br=x to=c sdp=sendrecv\n"
            "A>S ACK br=k to=c\nS>C ACK via=2 br=l to=c\n"
            "+4000 A>S BYE br=q to=c\nS>C BYE via=2 br=r to=c\nC>S 200 BYE via=2 br=r to=c\nS>A 200 BYE br=q to=c\n" END },
        { .flow = "forward-no-answer", .script =
            "A>S INVITE sdp=sendrecv br=x\nS>A 100 br=x\nS>B INVITE via=2 sdp=sendrecv br=y\nB>S 180 via=2 br=y\n"
            "S>A 180 br=x\n+20000 S>B CANCEL br=y\nB>S 200 CANCEL br=y\nB>S 487 via=2 br=y\nS>B ACK br=y\n"
            "S>A 181 br=x to=s\nS>C INVITE via=2 sdp=sendrecv br=w\nC>S 180 via=2 br=w to=c\nS>A 180 br=x to=c\n"
            "C>S 200 via=2 br=w to=c sdp=sendrecv\nS>A 200 br=x to=c sdp=sendrecv\nA>S ACK br=k to=c\n"
            "S>C ACK via=2 br=l to=c\n"
            "+4000 A>S BYE br=q to=c\nS>C BYE via=2 br=r to=c\nC>S 200 BYE via=2 br=r to=c\nS>A 200 BYE br=q to=c\n" END },
        /* asked for a password, of which this flow does not speak */
        { .flow = "waiting", .script =
            "A>B INVITE sdp=sendrecv\nB>A 407\nA>B ACK\n"
            "A>B INVITE cseq=2 sdp=sendrecv br=2 | Proxy-Authorization: Digest username=\"a\"\n"
            "B>A 180 cseq=2 br=2 | Alert-Info: <urn:alert:service:call-waiting>\n"
            "+9000 B>A 200 cseq=2 br=2 sdp=sendrecv\nA>B ACK cseq=2 br=3\n" RELEASE END },
        { .flow = "waiting", .script =
            "A>B INVITE sdp=sendrecv | Alert-Info: <urn:alert:service:call-waiting>\nB>A 100\n"
            "B>A 180 | Alert-Info: <urn:alert:service:call-waiting>\n+9000 B>A 200 sdp=sendrecv\nA>B ACK\n"
            RELEASE END },
        { .flow = "waiting", .script =
            "A>B INVITE sdp=sendrecv\nB>A 180 | Alert-Info: <urn:alert:service:call-waiting>\n+9000 B>A 486\nA>B ACK\n"
            END },
        { .flow = "volte-call", .script =
            "A>B INVITE " NEED "\nB>A 100\nB>A 183 rseq=1 " NEED "\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
            "B>A 200 PRACK cseq=2\nA>B UPDATE cseq=3 " MET "\nB>A 200 UPDATE cseq=3 " MET "\nB>A 180\n"
            "+3000 B>A 200\nA>B ACK\n" RELEASE END },
        /* reserved from the start, so nothing has to be confirmed by UPDATE */
        { .flow = "volte-call", .script =
            "A>B INVITE " MET "\nB>A 100\nB>A 183 rseq=1 " MET "\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
            "B>A 200 PRACK cseq=2\nB>A 180\n+3000 B>A 200\nA>B ACK\n" RELEASE END },
        { .flow = "redirect", .script =
            "A>B INVITE sdp=sendrecv\nB>A 302\nA>B ACK\nA>C INVITE cseq=2 br=2 sdp=sendrecv\nC>A 180 cseq=2 br=2 to=c\n"
            "C>A 200 cseq=2 br=2 to=c sdp=sendrecv\nA>C ACK cseq=2 br=3 to=c\n"
            "+1000 A>C BYE to=c\nC>A 200 BYE to=c\n" END },
        { .flow = "transfer", .script = SETUP
            "+3000 B>A REFER rev cseq=4\nA>B 202 REFER rev cseq=4\nA>B NOTIFY cseq=5 frag=100\nB>A 200 NOTIFY cseq=5\n"
            "A>B NOTIFY cseq=6 frag=200\nB>A 200 NOTIFY cseq=6\n+50 B>A BYE rev cseq=7\nA>B 200 BYE rev cseq=7\n" END },
        /* the other phone of a fork is let go after the answer */
        { .flow = "basic-call", .script =
            "A>S INVITE sdp=sendrecv br=x\nS>A 100 br=x\nS>B INVITE via=2 sdp=sendrecv br=y\n"
            "S>C INVITE via=2 sdp=sendrecv br=w\nB>S 180 via=2 br=y\nC>S 180 via=2 br=w to=c\nS>A 180 br=x\n"
            "C>S 200 via=2 br=w to=c sdp=sendrecv\nS>A 200 br=x to=c sdp=sendrecv\nS>B CANCEL br=y\n"
            "B>S 200 CANCEL br=y\nB>S 487 via=2 br=y\nS>B ACK br=y\nA>S ACK br=k to=c\nS>C ACK via=2 br=l to=c\n"
            "+4000 A>S BYE br=q to=c\nS>C BYE via=2 br=r to=c\nC>S 200 BYE via=2 br=r to=c\nS>A 200 BYE br=q to=c\n" END },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(i, &rows[i]);
}

TEST(the_first_step_that_differs_is_named_with_its_frame)
{
    static const struct row rows[] = {
        { .flow = "basic-call", .deviation = CALL_FLOW_MISSING, .step = 12, .frame = 4, .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\nB>A 200 sdp=sendrecv\n+33000 B>A BYE rev\nA>B 200 BYE rev\n" END },
        { .flow = "basic-call", .deviation = CALL_FLOW_INSTEAD, .of = "release", .step = 2, .frame = 7, .script =
            SETUP "+5000 A>B BYE\nB>A 481 BYE\n" END },
        { .flow = "callee-busy", .deviation = CALL_FLOW_MISSING, .step = 13, .frame = 3, .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 486\n+500 B>A 486\n+1000 B>A 486\nwait 90000\n" },
        { .flow = "no-answer-caller", .deviation = CALL_FLOW_MISSING, .step = 11, .frame = 4, .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+9000 A>B CANCEL\nB>A 487\nA>B ACK\n" END },
        { .flow = "no-answer-server", .deviation = CALL_FLOW_MISSING, .step = 15, .frame = 4, .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+30000 B>A 480\n+500 B>A 480\n" END },
        { .flow = "hold", .deviation = CALL_FLOW_INSTEAD, .step = 6, .frame = 7, .script = SETUP
            "+3000 A>B INVITE in cseq=2 br=h sdp=sendonly\nB>A 488 cseq=2 br=h\nA>B ACK cseq=2 br=h\n" RELEASE END },
        { .flow = "hold", .deviation = CALL_FLOW_MISSING, .step = 6, .frame = 6, .script = SETUP
            "+3000 A>B INVITE in cseq=2 br=h sdp=sendonly\n+500 A>B INVITE in cseq=2 br=h sdp=sendonly\n"
            "+32000 A>B BYE\nB>A 200 BYE\n" END },
        { .flow = "session-change", .deviation = CALL_FLOW_INSTEAD, .step = 6, .frame = 7, .script = SETUP
            "+3000 A>B INVITE in cseq=2 br=h sdp=sendrecv\nB>A 491 cseq=2 br=h\nA>B ACK cseq=2 br=h\n" RELEASE END },
        { .flow = "release", .deviation = CALL_FLOW_INSTEAD, .step = 2, .frame = 4, .script =
            "A>B INFO cseq=6\nB>A 200 INFO cseq=6\nA>B BYE cseq=7\nB>A 481 BYE cseq=7\n" END },
        /* a 408 to the caller although somebody else was tried */
        { .flow = "forward-busy", .deviation = CALL_FLOW_INSTEAD, .step = 16, .frame = 10, .script =
            "A>S INVITE sdp=sendrecv br=x\nS>A 100 br=x\nS>B INVITE via=2 sdp=sendrecv br=y\nB>S 486 via=2 br=y\n"
            "S>B ACK br=y\nS>A 181 br=x to=s\nS>C INVITE via=2 sdp=sendrecv br=w\nC>S 180 via=2 br=w to=c\n"
            "S>A 180 br=x to=c\n+30000 S>A 408 br=x to=s\nA>S ACK br=x to=s\n" END },
        { .flow = "volte-call", .deviation = CALL_FLOW_NO_PRACK, .step = 7, .frame = 3, .script =
            "A>B INVITE " NEED "\nB>A 100\nB>A 183 rseq=1 " NEED "\n"
            "A>B UPDATE cseq=3 " MET "\nB>A 200 UPDATE cseq=3 " MET "\nB>A 180\n"
            "+3000 B>A 200\nA>B ACK\n" RELEASE END },
        { .flow = "volte-call", .deviation = CALL_FLOW_EARLY, .step = 16, .frame = 6, .script =
            "A>B INVITE " NEED "\nB>A 100\nB>A 183 rseq=1 " NEED "\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
            "B>A 200 PRACK cseq=2\nB>A 180\nA>B UPDATE cseq=3 " MET "\nB>A 200 UPDATE cseq=3 " MET "\n"
            "+3000 B>A 200\nA>B ACK\n" RELEASE END },
        { .flow = "volte-call", .deviation = CALL_FLOW_UNRELIABLE, .step = 6, .frame = 3, .script =
            "A>B INVITE " NEED "\nB>A 100\nB>A 183 " NEED "\n"
            "A>B UPDATE cseq=3 " MET "\nB>A 200 UPDATE cseq=3 " MET "\nB>A 180\n"
            "+3000 B>A 200\nA>B ACK\n" RELEASE END },
        { .flow = "volte-call", .deviation = CALL_FLOW_INSTEAD, .step = 11, .frame = 6, .script =
            "A>B INVITE " NEED "\nB>A 100\nB>A 183 rseq=1 " NEED "\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
            "B>A 200 PRACK cseq=2\nB>A 580\nA>B ACK\n" END },
        { .flow = "volte-call", .deviation = CALL_FLOW_INSTEAD, .step = 14, .frame = 7, .script =
            "A>B INVITE " NEED "\nB>A 100\nB>A 183 rseq=1 " NEED "\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
            "B>A 200 PRACK cseq=2\nA>B UPDATE cseq=3 " MET "\nB>A 580 UPDATE cseq=3\nB>A 580\nA>B ACK\n" END },
        /* RSeq 2 is never confirmed, in a call that is plain otherwise */
        { .flow = "basic-call", .deviation = CALL_FLOW_NO_PRACK, .step = 9, .frame = 6, .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 183 rseq=1\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
            "B>A 200 PRACK cseq=2\nB>A 180 rseq=2\nB>A 200 sdp=sendrecv\nA>B ACK\n" RELEASE END },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(i, &rows[i]);
}

TEST(a_call_that_is_like_none_of_the_flows_gets_no_name)
{
    static const struct row rows[] = {
        { .flow = "", .script = "A>B INVITE sdp=sendrecv\nB>A 404\nA>B ACK\n" END },
        { .flow = "", .script = "A>B INVITE sdp=sendrecv\nB>A 180\nB>A 603\nA>B ACK\n" END },
        { .flow = "", .script = "A>B INVITE sdp=sendrecv\nB>A 480\nA>B ACK\n" END },      /* nobody was rung */
        { .flow = "", .script = "A>B INVITE sdp=sendrecv\nwait 60000\n" },
        { .flow = "", .script = "A>B INVITE sdp=sendrecv\nB>A 302\nA>B ACK\n" END },
        { .flow = "", .script = "A>B INVITE sdp=sendrecv\nB>A 407\nA>B ACK\n" END },
        /* forwarded without a word why */
        { .flow = "", .script =
            "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 487\nA>B ACK\n" END },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(i, &rows[i]);
}

TEST(what_the_capture_did_not_last_for_is_not_missing)
{
    static const struct row rows[] = {
        { .flow = "basic-call", .script = SETUP },
        { .flow = "basic-call", .script = SETUP "+5000 A>B BYE\n" },
        { .flow = "hold", .script = SETUP "+3000 A>B INVITE in cseq=2 br=h sdp=sendonly\n" },
        /* and what was before it, neither */
        { .flow = "hold", .script =
            "A>B INVITE in cseq=8 br=h sdp=sendonly\nB>A 200 cseq=8 br=h sdp=recvonly\nA>B ACK cseq=8 br=h2\n"
            "+100 A>B BYE cseq=9\nB>A 200 BYE cseq=9\n" END },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(i, &rows[i]);
}

/* ---- several legs ---- */

static void check_session(const char *script, const char *flow, size_t leg, enum call_deviation deviation,
                          unsigned step)
{
    struct play p;
    static const struct track_settings apart = { .no_join = true };

    CHECK(play_start(&p, &apart));
    play(&p, script);
    play_end(&p);
    CHECK(p.call_count > leg);
    diagnose_flow(p.calls, p.call_count);
    for (size_t i = 0; i < p.call_count; i++)
        CHECK_ROW_EQ(i, slice_of_string(flow_at(p.calls[i]->flow.flow)->name), slice_of_string(flow));
    CHECK_EQ(p.calls[leg]->flow.deviation, deviation);
    if (deviation)
        CHECK_EQ(p.calls[leg]->flow.step, step);
    play_done(&p);
}

#define A_RINGS "A>S INVITE sdp=sendrecv\nS>A 100\n"

TEST(the_legs_of_a_session_are_named_together)
{
    check_session(A_RINGS "S>B INVITE call=x from=s sdp=sendrecv\nB>S 180 call=x from=s\nS>A 180\n"
                  "B>S 200 call=x from=s sdp=sendrecv\nS>A 200 sdp=sendrecv\nA>S ACK\nS>B ACK call=x from=s\n"
                  "+3000 A>S BYE\nS>B BYE call=x from=s\nS>A 200 BYE\nB>S 200 BYE call=x from=s\nwait 60000\n",
                  "basic-call", 1, CALL_FLOW_FOLLOWED, 0);
    /* alone, the leg to B would be given up by its caller, and that to A refused */
    check_session(A_RINGS "S>B INVITE call=x from=s sdp=sendrecv\nB>S 180 call=x from=s\nS>A 180\n"
                  "+30000 S>B CANCEL call=x from=s\nB>S 200 CANCEL call=x from=s\nB>S 487 call=x from=s\n"
                  "S>B ACK call=x from=s\nS>A 480\nA>S ACK\nwait 60000\n",
                  "no-answer-server", 0, CALL_FLOW_FOLLOWED, 0);
}

#define TO_C    "S>C INVITE call=y from=s2 sdp=sendrecv\nC>S 180 call=y from=s2\n" \
                "C>S 200 call=y from=s2 sdp=sendrecv\nS>A 200 sdp=sendrecv\nA>S ACK\nS>C ACK call=y from=s2\n"
#define A_LEAVES "+3000 A>S BYE\nS>C BYE call=y from=s2\nS>A 200 BYE\nC>S 200 BYE call=y from=s2\nwait 60000\n"

TEST(a_forwarded_call_is_told_by_the_leg_that_failed_before)
{
    static const char busy[] = A_RINGS "S>B INVITE call=x from=s sdp=sendrecv\nB>S 486 call=x from=s\n"
        "S>B ACK call=x from=s\nS>A 181\n+100 " TO_C A_LEAVES;
    static const char nobody[] = A_RINGS "S>B INVITE call=x from=s sdp=sendrecv\nB>S 180 call=x from=s\nS>A 180\n"
        "+20000 S>B CANCEL call=x from=s\nB>S 200 CANCEL call=x from=s\nB>S 487 call=x from=s\n"
        "S>B ACK call=x from=s\nS>A 181\n+100 " TO_C A_LEAVES;

    check_session(busy, "forward-busy", 0, CALL_FLOW_FOLLOWED, 0);
    check_session(nobody, "forward-no-answer", 1, CALL_FLOW_FOLLOWED, 0);
}

#define A_TALKS A_RINGS "S>B INVITE call=x from=s sdp=sendrecv\nB>S 180 call=x from=s\nS>A 180\n" \
                "B>S 200 call=x from=s sdp=sendrecv\nS>B ACK call=x from=s\nS>A 200 sdp=sendrecv\nA>S ACK\n"

TEST(a_transfer_is_told_from_all_legs_whether_the_server_or_a_carries_it_out)
{
    check_session(A_TALKS "+3000 B>S REFER rev cseq=4 call=x from=s\nS>B 202 REFER rev cseq=4 call=x from=s\n"
                  "S>B NOTIFY cseq=5 frag=100 call=x from=s\nB>S 200 NOTIFY cseq=5 call=x from=s\n"
                  "+1000 S>A INVITE rev in cseq=6 br=n sdp=sendrecv\nA>S 200 rev cseq=6 br=n sdp=sendrecv\nS>A ACK rev cseq=6 br=o\n"
                  "S>B NOTIFY cseq=7 frag=200 call=x from=s\nB>S 200 NOTIFY cseq=7 call=x from=s\n"
                  "+50 B>S BYE rev cseq=8 call=x from=s\nS>B 200 BYE rev cseq=8 call=x from=s\n"
                  "+3000 A>S BYE cseq=9\nS>A 200 BYE cseq=9\nwait 60000\n", "transfer", 0, CALL_FLOW_FOLLOWED, 0);
    check_session(A_TALKS "+3000 B>S REFER rev cseq=4 call=x from=s\nS>A REFER rev cseq=4\nA>S 202 REFER rev cseq=4\n"
                  "S>B 202 REFER rev cseq=4 call=x from=s\nA>S NOTIFY cseq=5 frag=200\nS>B NOTIFY cseq=5 frag=200 call=x from=s\n"
                  "B>S 200 NOTIFY cseq=5 call=x from=s\nS>A 200 NOTIFY cseq=5\n"
                  "+50 B>S BYE rev cseq=8 call=x from=s\nS>B 200 BYE rev cseq=8 call=x from=s\n"
                  "S>A BYE rev cseq=9\nA>S 200 BYE rev cseq=9\nwait 60000\n", "transfer", 0, CALL_FLOW_FOLLOWED, 0);
}

/* ---- registrations ---- */

static void check_registration(size_t i, const char *script, const char *flow, enum call_deviation deviation,
                               unsigned step)
{
    struct play p;

    CHECK_ROW(i, play_start(&p, NULL));
    play(&p, script);
    play_end(&p);
    CHECK_ROW_EQ(i, p.registration_count, 1);
    diagnose_flow_registration(p.registrations[0]);
    CHECK_ROW_EQ(i, slice_of_string(flow_at(p.registrations[0]->flow.flow)->name), slice_of_string(flow));
    CHECK_ROW_EQ(i, p.registrations[0]->flow.deviation, deviation);
    if (deviation)
        CHECK_ROW_EQ(i, p.registrations[0]->flow.step, step);
    play_done(&p);
}

#define CONTACT " | Contact: <sip:bob@10.0.0.1>"
#define REGISTERED "A>S REGISTER cseq=1" CONTACT ";expires=60\nS>A 200 REGISTER cseq=1" CONTACT ";expires=60\n"

TEST(a_registration_is_told_from_one_that_is_taken_back)
{
    check_registration(0, REGISTERED, "register", CALL_FLOW_FOLLOWED, 0);
    check_registration(1, REGISTERED "+9000 A>S REGISTER cseq=2" CONTACT ";expires=0\nS>A 200 REGISTER cseq=2\n",
                       "deregister", CALL_FLOW_FOLLOWED, 0);
    check_registration(2, "A>S REGISTER cseq=1" CONTACT "\nS>A 403 REGISTER cseq=1\nwait 60000\n", "register",
                       CALL_FLOW_INSTEAD, 4);
    check_registration(3, "A>S REGISTER cseq=1" CONTACT "\nS>A 401 REGISTER cseq=1\nwait 60000\n", "register",
                       CALL_FLOW_MISSING, 3);
    check_registration(4, "A>S REGISTER cseq=1" CONTACT "\n+500 A>S REGISTER cseq=1" CONTACT "\nwait 600000\n",
                       "register", CALL_FLOW_MISSING, 4);
}

/* ---- sentences ---- */

static void check_sentence(const char *script, const char *expected)
{
    struct play p;
    struct out said;

    CHECK(play_start(&p, NULL));
    play(&p, script);
    play_end(&p);
    CHECK_EQ(p.call_count, 1);
    diagnose_flow(p.calls, 1);
    out_init_memory(&said, 0);
    flows_say_deviation(&said, words_english(), &p.calls[0]->flow);
    CHECK_EQ(out_taken(&said), slice_of_string(expected));
    out_done(&said);
    play_done(&p);
}

TEST(the_sentence_names_the_rseq_and_the_frame)
{
    check_sentence("A>B INVITE sdp=sendrecv\nB>A 100\nB>A 183 rseq=1\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
                   "B>A 200 PRACK cseq=2\nB>A 180 rseq=2\nB>A 200 sdp=sendrecv\nA>B ACK\n" RELEASE END,
                   "The PRACK for RSeq 2 never came: nobody confirmed 180 of frame 6, near step 9 of the flow "
                   "basic-call.");
    check_sentence("A>B INVITE " NEED "\nB>A 100\nB>A 183 rseq=1 " NEED "\nA>B PRACK cseq=2 | RAck: 1 1 INVITE\n"
                   "B>A 200 PRACK cseq=2\nB>A 180\nA>B UPDATE cseq=3 " MET "\nB>A 200 UPDATE cseq=3 " MET "\n"
                   "+3000 B>A 200\nA>B ACK\n" RELEASE END,
                   "The 180 of frame 6 came before the resources were confirmed: the phone rings although the voice "
                   "channel may never be there (a ghost ring).");
    check_sentence(SETUP RELEASE END, "");
}
