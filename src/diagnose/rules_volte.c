/* diagnose/rules_volte.c - preconditions, bearers and networks of mobiles (RFC 3312, TS 24.229).
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

static bool ghost_ring(const struct casefile *k, struct candidate *c)
{
    if (!k->ringing || (k->met && k->met->at_ns <= k->ringing->at_ns) || (k->ringing->traits & TRACE_QOS_MET) ||
        !k->early_sdp)
        return false;
    prove(c, k->ringing);
    prove(c, k->met);
    if (k->met)
        say_number(c, "milliseconds", (k->met->at_ns - k->ringing->at_ns) / MS_NS);
    sure_if(c, k->met != NULL);
    if (!k->met && !k->call->answered)
        c->weight = 60;                                   /* never got ready: that is why nobody could answer */
    return true;
}

static bool precondition_failed(const struct casefile *k, struct candidate *c)
{
    bool gave_up = k->cancel && !k->met && case_gap_ns(k->early_sdp ? k->early_sdp->at_ns : 0, k->cancel->at_ns) >= 5 * SECOND_NS;

    if (k->call->reason_sip != 580 || k->call->final == 580 || gave_up)      /* then it was stuck */
        return false;
    prove(c, k->cancel ? k->cancel : k->bye);
    prove(c, k->final);
    c->code = 580;
    return true;
}

static bool precondition_stuck(const struct casefile *k, struct candidate *c)
{
    int64_t waited_ns = case_gap_ns(k->early_sdp ? k->early_sdp->at_ns : 0,
                                    k->call->ended_ns ? k->call->ended_ns : k->call->last_ns);

    if (k->met || k->ringing || k->call->answered || waited_ns < 5 * SECOND_NS)
        return false;
    prove(c, k->invite);
    prove(c, k->early_sdp);
    prove(c, k->cancel);
    say_seconds(c, "seconds", waited_ns);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool tell_release(const struct casefile *k, struct candidate *c)
{
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    say_text(c, "value", k->call->reason_text.len ? k->call->reason_text : SLICE("RELEASE_CAUSE"));
    return true;
}

/* Reason: RELEASE_CAUSE of TS 24.229, table 7.2A.18.11-1: 1 user ends call, 2 RTP/RTCP time-out, 3 media
 * bearer loss, 4 SIP time-out (no ACK), 5 SIP response time-out, 6 call set-up time-out, 7 redirection
 * failure. None of them is the loss of the radio network: that is told in words. */
static bool bearer_lost(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "bearer", NULL };

    if (k->facts->release_cause != 3 && !text_has(k->call->reason_text, words))
        return false;
    sure_if(c, k->facts->release_cause == 3);
    return tell_release(k, c);
}

static bool radio_lost(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "radio", "loss of coverage", "out of coverage", "lost coverage", "UE lost", NULL };

    if (!text_has(k->call->reason_text, words))
        return false;
    c->certainty = VERDICT_LIKELY;
    return tell_release(k, c);
}

static bool not_in_ims(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "not registered in IMS", "IMS", "VoLTE", NULL };
    uint16_t final = k->call->final;

    if ((final != 480 && final != 404) || k->call->last_progress || !((k->marks & K_VOLTE) || k->call->icid.len) ||
        !(k->call->q850 == 20 || case_says(k, words)))
        return false;
    prove(c, k->final);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool handover(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "handover", "SRVCC", "access transfer", "session transfer", NULL };

    if (!text_has(k->call->reason_text, words))
        return false;
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    return true;
}

static bool early_media_unauthorised(const struct casefile *k, struct candidate *c)
{
    if (!k->early_sdp || (k->early_sdp->traits & TRACE_EARLY_MEDIA) || k->way[1].packets == k->way[1].after_answer)
        return false;
    prove(c, k->early_sdp);
    prove_stream(c, k->way[1].first);
    say_address(c, "address", &k->way[1].first->src);
    return true;
}

static const struct rule rules[] = {
    { CAUSE_GHOST_RING, 32, K_QOS | K_CALM, ghost_ring },
    { CAUSE_PRECONDITION_FAILED, 70, K_REASON, precondition_failed },
    { CAUSE_PRECONDITION_STUCK, 66, K_QOS | K_CALM, precondition_stuck },
    { CAUSE_VOLTE_BEARER_LOST, 70, K_ANSWERED | K_HUNG_UP | K_REASON, bearer_lost },
    { CAUSE_VOLTE_RADIO_LOST, 68, K_ANSWERED | K_HUNG_UP | K_REASON, radio_lost },
    { CAUSE_VOLTE_NOT_REGISTERED, 54, K_REFUSED, not_in_ims },
    { CAUSE_VOLTE_HANDOVER, 0, K_ANSWERED | K_HUNG_UP | K_REASON, handover },
    { CAUSE_EARLY_MEDIA_UNAUTHORISED, 0, K_VOLTE | K_STREAMS, early_media_unauthorised },
};
const struct rule_table rules_volte = { rules, ARRAY_LEN(rules), K_QOS | K_REASON | K_VOLTE | K_REFUSED };
