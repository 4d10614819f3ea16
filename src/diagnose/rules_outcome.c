/* diagnose/rules_outcome.c - what became of calls where nothing is broken, and facts worth a word.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

#include "sip/uri.h"

static void prove_cancelled(const struct casefile *k, struct candidate *c)
{
    prove(c, k->cancel ? k->cancel : k->bye);
    prove(c, k->final);
}

static bool completed_elsewhere(const struct casefile *k)
{
    static const char *const words[] = { "completed elsewhere", "answered elsewhere", NULL };

    return k->call->reason_sip == 200 || k->call->q850 == 26 || text_has(k->call->reason_text, words);
}

static bool answered_elsewhere(const struct casefile *k, struct candidate *c)
{
    if (!completed_elsewhere(k) || k->call->answered)
        return false;
    prove_cancelled(k, c);
    sure_if(c, k->call->reason_sip == 200);
    return true;
}

/* By CANCEL, or by BYE within the early dialog (RFC 3261, 15); 0: it did not. */
static int64_t gave_up_ns(const struct casefile *k)
{
    return k->call->cancel_ns || k->call->ended_by != CALL_CALLER ? k->call->cancel_ns : k->call->bye_ns;
}

/* Another final code crossed the CANCEL: that is what became of it. */
static bool gave_up(const struct casefile *k)
{
    return !k->call->answered && gave_up_ns(k) && (k->call->final == 487 || k->call->final == 0);
}

static bool no_answer_caller(const struct casefile *k, struct candidate *c)
{
    if (!gave_up(k))
        return false;
    prove(c, k->ringing ? k->ringing : k->progress);
    prove_cancelled(k, c);
    say_seconds(c, "seconds", case_gap_ns(k->call->progress_ns, gave_up_ns(k)));
    sure_if(c, k->ringing != NULL);
    return true;
}

static bool cancelled_before_ringing(const struct casefile *k, struct candidate *c)
{
    if (!gave_up(k) || k->call->last_progress)
        return false;
    if ((k->marks & K_NO_REPLY) && !k->call->last_trying)
        c->weight = 5;                                    /* that nobody replied is the reason */
    prove_cancelled(k, c);
    say_seconds(c, "seconds", case_gap_ns(k->call->invite_ns, gave_up_ns(k)));
    return true;
}

/* Another leg of the session, or any later call of the same machine, went where the 3xx pointed. */
static bool was_followed(const struct casefile *k)
{
    slice target = sip_uri_user(k->call->redirect_to);

    for (size_t i = 0; target.len && i < k->leg_count; i++)
        if (k->legs[i] != k->call && k->legs[i]->invite_ns >= k->call->invite_ns &&
            slice_eq(sip_uri_user(k->legs[i]->request_uri), target))
            return true;
    return k->context->history && diagnose_history_called(k->context->history, &k->call->caller_addr,
                                                          k->call->redirect_to, k->call->ended_ns);
}

static bool redirected(const struct casefile *k, struct candidate *c)
{
    uint16_t final = k->call->final;

    if (final < 300 || final > 399 || !was_followed(k))
        return false;
    prove(c, k->final);
    say_text(c, "value", k->call->redirect_to);
    return true;
}

static bool forwarded(const struct casefile *k, struct candidate *c)
{
    bool announced = k->call->last_progress == 181 || k->call->diversions || k->facts->diverted_to.len;

    if (!announced || !k->facts->diverted_to.len)
        return false;
    prove(c, k->first_invite);
    say_text(c, "value", k->facts->diverted_to);
    return true;
}

static bool forwarded_on(const struct casefile *k, struct candidate *c, bool busy)
{
    for (size_t i = 0; i < k->call->trace.count; i++) {
        const struct trace_message *m = &k->call->trace.messages[i];

        if (m->method != SIP_INVITE || m->hop == 0 || !(busy ? m->status == 486 : m->status == 487))
            continue;
        if ((!busy && !k->down_cancel) || !k->answer || !case_asked_after(k, m, k->answer))
            return false;
        prove(c, m);
        if (k->facts->diverted_to.len)
            say_text(c, "value", k->facts->diverted_to);
        else
            say_host(c, "value", case_source(k, k->answer));
        if (!busy)
            say_seconds(c, "seconds", k->ring_ns);
        return k->call->answered && k->call->forks;
    }
    return false;
}
static bool forwarded_on_busy(const struct casefile *k, struct candidate *c) { return forwarded_on(k, c, true); }
static bool forwarded_on_no_answer(const struct casefile *k, struct candidate *c) { return forwarded_on(k, c, false); }

static bool call_waiting(const struct casefile *k, struct candidate *c)
{
    for (size_t i = 0; i < k->call->trace.count; i++)
        if (k->call->trace.messages[i].traits & TRACE_CALL_WAITING) {
            prove(c, &k->call->trace.messages[i]);
            return true;
        }
    return false;
}

static bool held(const struct casefile *k, struct candidate *c)
{
    prove(c, k->hold);
    say_number(c, "count", k->call->held);
    say_seconds(c, "seconds", k->held_ns);
    return true;
}

static bool transferred(const struct casefile *k, struct candidate *c)
{
    bool accepted = k->call->transfers && !k->refused[SIP_REFER].response && k->call->transfer_status < 300;

    if (!accepted || !k->call->refer_to.len)
        return false;
    for (size_t i = 0; i < k->call->trace.count; i++)
        if (trace_is_request(&k->call->trace.messages[i], SIP_REFER)) {
            prove(c, &k->call->trace.messages[i]);
            break;
        }
    say_text(c, "value", k->call->refer_to);
    return true;
}

static bool voicemail(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "voicemail", "voice-mail", "mailbox", "vmail", NULL };
    const slice places[] = { k->facts->diverted_to, k->call->server, sip_uri_user(k->call->request_uri) };

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (places[i].len && memmem(places[i].ptr, places[i].len, "ail", 3) && text_has(places[i], words)) {
            prove(c, k->answer);
            say_text(c, "value", places[i]);
            c->certainty = i == 2 ? VERDICT_POSSIBLE : VERDICT_LIKELY;
            return true;
        }
    return false;
}

static bool short_call(const struct casefile *k, struct candidate *c)
{
    if (k->talk_ns <= 0 || k->talk_ns >= 3 * SECOND_NS)
        return false;
    prove(c, k->answer);
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    return true;
}

static bool pdd_long(const struct casefile *k, struct candidate *c)
{
    int64_t pdd_ns = case_gap_ns(k->call->invite_ns, k->call->progress_ns);

    if (pdd_ns < 10 * SECOND_NS || k->call->forwarded)
        return false;
    prove(c, k->invite);
    prove(c, k->progress);
    say_seconds(c, "seconds", pdd_ns);
    return true;
}

static const struct rule rules[] = {
    { CAUSE_ANSWERED_ELSEWHERE, 70, K_CANCELLED, answered_elsewhere },
    { CAUSE_NO_ANSWER_CALLER, 30, K_CANCELLED | K_RANG, no_answer_caller },
    { CAUSE_NO_ANSWER_CALLER, 30, K_HUNG_UP | K_RANG | K_WHOLE, no_answer_caller },
    { CAUSE_CANCELLED_BEFORE_RINGING, 30, K_CANCELLED | K_WHOLE, cancelled_before_ringing },
    { CAUSE_REDIRECTED, 40, K_REDIRECTED | K_REFUSED, redirected },
    { CAUSE_FORWARDED, 0, K_DIVERTED, forwarded },
    { CAUSE_FORWARDED_ON_BUSY, 0, K_ANSWERED | K_HOPS, forwarded_on_busy },
    { CAUSE_FORWARDED_ON_NO_ANSWER, 0, K_ANSWERED | K_HOPS, forwarded_on_no_answer },
    { CAUSE_CALL_WAITING, 0, K_RANG, call_waiting },
    { CAUSE_HELD, 0, K_HELD, held },
    { CAUSE_TRANSFERRED, 0, K_TRANSFER | K_ANSWERED, transferred },
    { CAUSE_VOICEMAIL_ANSWERED, 0, K_ANSWERED, voicemail },
    { CAUSE_SHORT_CALL, 0, K_ANSWERED | K_HUNG_UP | K_WHOLE, short_call },
    { CAUSE_PDD_LONG, 0, K_WHOLE | K_RANG, pdd_long },
};
const struct rule_table rules_outcome = { rules, ARRAY_LEN(rules), 0 };
