/* tests/causes/causes_test.c - each rule fires on its script and not on the one beside it
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

TEST(calls_that_came_to_nothing_have_their_plain_reason) { check_causes(&cause_rows_outcome); }
TEST(what_goes_wrong_within_a_call_is_told) { check_causes(&cause_rows_dialog); }
TEST(what_goes_wrong_on_the_way_is_told) { check_causes(&cause_rows_routing); }
TEST(what_people_heard_is_told) { check_causes(&cause_rows_media); }
TEST(mobiles_captures_products_and_attackers_are_told) { check_causes(&cause_rows_other); }

/* ---- the whole catalogue ------------------------------------------------------------------------ */

/* What no capture of one call shows, and why. */
static const struct { const char *cause, *why; } unseen[] = {
    { "capture-gaps", "needs the streams of several calls at the same moments" },
    { "capture-encrypted", "a call over TLS has no messages, so there is no record to hang it on" },
    { "dtmf-inband-only", "key presses as tones cannot be told from speech without the sound" },
    { "message-damaged", "needs the message as it was sent, before the place of capture" },
    { "ended-unexplained", "no-progress, no-final-reply or end-not-seen say the same more precisely" },
};

static bool has_row(const struct cause_rows *rows, const char *slug)
{
    for (size_t i = 0; i < rows->count; i++)
        if (!strcmp(rows->rows[i].cause, slug))
            return true;
    return false;
}

TEST(each_cause_of_the_catalogue_has_a_script_that_fires_it_or_a_reason)
{
    const struct cause_rows *const all[] = { &cause_rows_outcome, &cause_rows_dialog, &cause_rows_routing,
                                             &cause_rows_media, &cause_rows_other };

    for (unsigned id = CAUSE_NONE + 1; id <= CAUSES; id++) {
        const char *slug = cause_slug((enum cause_id)id);
        bool known = !slug[0];

        for (size_t i = 0; i < ARRAY_LEN(all); i++)
            known |= has_row(all[i], slug);
        for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
            known |= !strcmp(unseen[i].cause, slug) && unseen[i].why[0];
        if (!known)
            FAIL("nothing fires %s", slug);
    }
}

/* ---- good calls ------------------------------------------------------------------------------------ */

#define TALK "@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
#define VOICE "rtp A>B packets=3000 from=3100 to=63000 mos=4400\nrtp B>A packets=3000 from=3100 to=63000 mos=4400\n"

TEST(a_good_call_has_no_cause_and_no_finding_above_a_notice)
{
    static const char *const scripts[] = {
        "A>B INVITE ip=10.0.0.1\nB>A 100\nB>A 180\n@3000 B>A 200 ip=10.0.0.2\nA>B ACK\n" TALK,
        VOICE "A>B INVITE ip=10.0.0.1\nB>A 100\nB>A 180\n@3000 B>A 200 ip=10.0.0.2\nA>B ACK\n" TALK,
        /* challenged and answered */
        "A>B INVITE\nB>A 407 | Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\nA>B ACK\n"
        "A>B INVITE cseq=2 | Proxy-Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", response=\"0\"\n"
        "B>A 180 cseq=2\n@3000 B>A 200 cseq=2\nA>B ACK cseq=2\n" TALK,
        /* held and resumed, a refresh, a glare that was solved */
        VOICE "A>B INVITE ip=10.0.0.1 | Session-Expires: 1800\nB>A 180\n@3000 B>A 200 ip=10.0.0.2 | Session-Expires: 1800;refresher=uac\nA>B ACK\n"
        "@9000 A>B INVITE in cseq=2 sdp=sendonly ip=10.0.0.1\nB>A 491 cseq=2\nA>B ACK cseq=2\n+2500 A>B INVITE in cseq=3 sdp=sendonly ip=10.0.0.1\n"
        "B>A 200 cseq=3 sdp=recvonly ip=10.0.0.2\nA>B ACK cseq=3\n@20000 A>B INVITE in cseq=4 ip=10.0.0.1\nB>A 200 cseq=4 ip=10.0.0.2\nA>B ACK cseq=4\n" TALK,
        /* reliable ringing, preconditions met before it */
        "A>B INVITE attr=curr:qos_local_none%des:qos_mandatory_local_sendrecv\nB>A 183 rseq=1 attr=curr:qos_local_none%des:qos_mandatory_local_sendrecv\n"
        "A>B PRACK | RAck: 1 1 INVITE\nB>A 200 PRACK\nA>B UPDATE attr=curr:qos_local_sendrecv%des:qos_mandatory_local_sendrecv\n"
        "B>A 200 UPDATE attr=curr:qos_local_sendrecv%des:qos_mandatory_local_sendrecv\nB>A 180\n@3000 B>A 200\nA>B ACK\n" TALK,
        /* a packet lost here and there */
        "A>B INVITE\n+500 A>B INVITE id=1\nB>A 180\n@3000 B>A 200\nA>B ACK\n" TALK,
        /* a private address behind a server that copes: voice flows both ways */
        "rtp a>b packets=3000 from=3100 to=63000\nrtp b>a packets=3000 from=3100 to=63000\n"
        "a>b INVITE ip=192.168.1.5 | Contact: <sip:alice@192.168.1.5>\nb>a 180\n@3000 b>a 200 ip=198.51.100.2\na>b ACK\n@63000 a>b BYE\nb>a 200 BYE\nwait 60000\n",
        /* through a proxy, captured on both sides */
        "A>S INVITE\nS>A 100\nS>B INVITE via=2\nB>S 180 via=2\nS>A 180\n@3000 B>S 200 via=2\nS>A 200\nA>S ACK\nS>B ACK via=2\n"
        "@63000 A>S BYE\nS>B BYE via=2\nB>S 200 BYE via=2\nS>A 200 BYE\nwait 60000\n",
        /* blind transfer */
        "A>B INVITE\nB>A 200\nA>B ACK\n@9000 B>A REFER rev | Refer-To: <sip:carol@c.example>\nA>B 202 REFER rev\nA>B NOTIFY frag=200\nB>A 200 NOTIFY\n" TALK,
        /* late offer with its answer in the ACK */
        VOICE "A>B INVITE\nB>A 180\n@3000 B>A 200 ip=10.0.0.2\nA>B ACK ip=10.0.0.1\n" TALK,
    };
    struct play p;

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        diagnosed(&p, scripts[i]);
        const struct call_verdicts *v = p.calls[0]->verdicts;

        CHECK_ROW(i, v != NULL);
        CHECK_ROW_EQ(i, cause_slug((enum cause_id)v->cause.cause), "");
        for (size_t j = 0; j < v->finding_count; j++)
            if (cause_severity((enum cause_id)v->findings[j].cause) > CAUSE_SEVERITY_NOTICE)
                FAIL("good call %zu has %s", i, cause_slug((enum cause_id)v->findings[j].cause));
        diagnosed_done(&p);
    }
}

/* What is cut off by the capture, or half seen, blames nobody. */
TEST(a_call_that_the_capture_did_not_see_whole_blames_nobody)
{
    static const char *const scripts[] = {
        "A>B INVITE\n",                                          /* the capture ended */
        "A>B INVITE\nB>A 180\n",
        "A>B INVITE\nB>A 180\nB>A 200\n",                         /* before the ACK */
        "A>B INVITE\nB>A 200\nA>B ACK\n",
        "A>B INVITE\nB>A 200\nA>B ACK\n+9000 A>B BYE\n",           /* before its 200 */
        "A>B BYE\nB>A 200 BYE\nwait 60000\n",                    /* joined in the middle */
        "B>A 200\nA>B ACK\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n",
        "A>B INVITE\n+3000 A>B ACK\n+9000 A>B BYE\nwait 60000\n",   /* one direction */
        "B>A 100\nB>A 180\nB>A 200\n+500 B>A 200 id=1\n+1000 B>A 200 id=2\n+2000 B>A 200 id=3\nwait 60000\n",
    };
    struct play p;

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        diagnosed(&p, scripts[i]);
        if (main_cause(p.calls[0])[0])
            FAIL("row %zu is given %s", i, main_cause(p.calls[0]));
        diagnosed_done(&p);
    }
}

/* ---- what is said ------------------------------------------------------------------------------------ */

TEST(evidence_names_frames_and_messages_as_they_were_on_the_wire)
{
    struct play p;

    diagnosed(&p, "A>B INVITE\n+500 A>B INVITE id=1\nB>A 180\n+2000 B>A 486 reason=Talking_now\nA>B ACK\nwait 60000\n");
    const struct verdict *v = &p.calls[0]->verdicts->cause;

    CHECK_EQ(main_cause(p.calls[0]), "busy");
    CHECK_EQ(v->code, 486);
    CHECK_EQ(v->evidence_count, 2);
    CHECK_EQ(v->evidence[0].frame, 4);
    CHECK_EQ(v->evidence[0].what, "486 Talking now");
    CHECK_EQ(v->evidence[1].frame, 1);
    CHECK_EQ(v->evidence[1].what, "INVITE \xC3\x97" "2");
    CHECK_EQ(param_of(v, "code"), "486");
    CHECK_EQ(param_of(v, "phrase"), "Talking now");
    diagnosed_done(&p);
}

TEST(findings_are_sorted_by_severity)
{
    struct play p;

    diagnosed(&p, "rtp A>B packets=3000 from=3100 to=63000 lost=400 restarts=1 drift_ppm=900\nrtp B>A packets=3000 from=3100 to=63000 codec_changes=1\n"
                  "A>B INVITE ip=10.0.0.1\nB>A 180\n@3000 B>A 200 ip=10.0.0.2\nA>B ACK\n" TALK);
    const struct call_verdicts *v = p.calls[0]->verdicts;

    CHECK_EQ(main_cause(p.calls[0]), "loss-high");
    CHECK(v->finding_count >= 2);
    for (size_t i = 1; i < v->finding_count; i++)
        CHECK_ROW(i, cause_severity((enum cause_id)v->findings[i - 1].cause) >=
                         cause_severity((enum cause_id)v->findings[i].cause));
    diagnosed_done(&p);
}

TORTURE(diagnosis_survives_any_allocation_that_fails)
{
    struct play p;

    diagnosed(&p, "B>S REGISTER call=r from=r | Contact: <sip:bob@10.0.0.2> | Expires: 60\nS>B 403 REGISTER call=r from=r\n"
                  "rtp A>B packets=3000 from=3100 to=63000 lost=400\nA>B INVITE pt=0,8 ip=10.0.0.1\nB>A 180\n@3000 B>A 200 pt=0 ip=10.0.0.2\nA>B ACK\n"
                  "@63000 B>A BYE rev | Reason: Q.850;cause=38;text=\"gone\"\nA>B 200 BYE rev\n"
                  "A>B INVITE call=c2 from=a2 pt=8\nB>A 488 call=c2 from=a2\nA>B ACK call=c2 from=a2\nwait 60000\n");
    diagnosed_done(&p);
}

/* A hostile call: as many requests as the trace holds, all refused, with everything in them. */
TEST(a_call_with_hundreds_of_changes_is_diagnosed)
{
    static char script[200000];
    size_t at = (size_t)snprintf(script, sizeof script, "A>B INVITE pt=0\nB>A 200 pt=0\nA>B ACK\n");
    struct play p;

    for (unsigned i = 2; i < 400; i++)
        at += (size_t)snprintf(script + at, sizeof script - at, "A>B INVITE in cseq=%u pt=8\nB>A 491 cseq=%u\nA>B ACK cseq=%u\n", i, i, i);
    snprintf(script + at, sizeof script - at, "A>B BYE cseq=999\nB>A 200 BYE cseq=999\nwait 60000\n");
    diagnosed(&p, script);
    CHECK_EQ(main_cause(p.calls[0]), "glare-loop");
    diagnosed_done(&p);
}
