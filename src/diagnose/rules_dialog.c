/* diagnose/rules_dialog.c - what goes wrong within a call: ACK, PRACK, timers, changes, hanging up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

static bool is_about(int64_t ns, int64_t wanted_ns, int64_t within_ns)
{
    return ns >= wanted_ns - within_ns && ns <= wanted_ns + within_ns;
}

/* ---- the answer and its ACK ------------------------------------------------------------------- */

static unsigned answers_repeated(const struct casefile *k)
{
    unsigned repeats = k->answer ? k->answer->repeats : 0;

    return repeats > k->call->replies_after_answer ? repeats : k->call->replies_after_answer;
}

static int64_t answers_until_ns(const struct casefile *k)
{
    return k->answer ? k->answer->at_ns + (int64_t)k->answer->last_after_ms * MS_NS : 0;
}

/* The callee gives up when its 2xx was repeated for 64*T1 (RFC 3261, 13.3.1.4). */
static bool hung_up_by_timer(const struct casefile *k)
{
    return k->call->ended_by == CALL_CALLEE && is_about(k->talk_ns, 64 * k->t1_ns, 64 * k->t1_ns / 8);
}

static void say_unconfirmed(const struct casefile *k, struct candidate *c)
{
    prove(c, k->answer);
    prove(c, k->ack);
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    say_host(c, "address", case_side(k, true));
}

static bool ack_seen_in_vain(const struct casefile *k)
{
    return k->ack && answers_repeated(k) >= 3 && answers_until_ns(k) > k->ack->at_ns + 2 * SECOND_NS;
}

static bool ack_lost(const struct casefile *k, struct candidate *c)
{
    bool in_vain = ack_seen_in_vain(k);
    bool never = !k->ack && k->call->ack == CALL_ACK_LOST && answers_repeated(k) >= 3 && hung_up_by_timer(k);

    if (!in_vain && !never)
        return false;
    say_unconfirmed(k, c);
    sure_if(c, in_vain && hung_up_by_timer(k));
    return true;
}

static bool ack_missing(const struct casefile *k, struct candidate *c)
{
    if (k->ack || k->call->ack != CALL_ACK_LOST || answers_repeated(k) < 3)
        return false;
    say_unconfirmed(k, c);
    c->certainty = VERDICT_LIKELY;
    return true;
}

/* The caller goes on as if nothing had come: INVITE again, or CANCEL long after the answer. */
static bool answer_not_received(const struct casefile *k, struct candidate *c)
{
    int64_t asked_ns = k->invite ? k->invite->at_ns + (int64_t)k->invite->last_after_ms * MS_NS : 0;
    bool asked_again = k->answer && asked_ns > k->answer->at_ns + SECOND_NS / 5;
    bool gave_up = k->cancel && k->answer && k->cancel->at_ns > k->answer->at_ns + SECOND_NS;

    if (k->ack || answers_repeated(k) < 2 || (!asked_again && !gave_up))
        return false;
    prove(c, k->invite);
    prove(c, k->answer);
    prove(c, k->cancel);
    say_number(c, "count", answers_repeated(k) + 1);
    say_host(c, "address", case_side(k, true));
    sure_if(c, gave_up);
    return true;
}

static bool cancel_too_late(const struct casefile *k, struct candidate *c)
{
    /* One to another machine lets another branch go. */
    if (!k->call->crossed || !k->cancel || !k->answer ||
        !address_same_ip(case_target(k, k->cancel), case_source(k, k->answer)))
        return false;
    prove(c, k->cancel);
    prove(c, k->answer);
    c->weight = k->talk_ns < 5 * SECOND_NS ? 20 : 0;      /* it ended the call after all */
    return true;
}

static bool cancel_ignored(const struct casefile *k, struct candidate *c)
{
    int64_t until_ns = k->last_progress ? k->last_progress->at_ns + (int64_t)k->last_progress->last_after_ms * MS_NS : 0;
    bool rings_on = until_ns > k->call->cancel_ns + SECOND_NS;
    bool never = (k->marks & K_OVER) && k->call->final == 0 && k->now_ns - k->call->cancel_ns >= 64 * k->t1_ns && k->call->cancel_final &&
                 (k->marks & K_BOTH_WAYS);

    if (k->call->answered || (!rings_on && !never))
        return false;
    prove(c, k->cancel);
    prove(c, rings_on ? k->last_progress : NULL);
    say_seconds(c, "seconds", (rings_on ? until_ns : k->now_ns) - k->call->cancel_ns);
    sure_if(c, rings_on);
    return true;
}

static bool answered_twice(const struct casefile *k, struct candidate *c)
{
    if (!k->forks)
        return false;
    prove(c, k->answer);
    prove(c, k->other_answer);
    say_number(c, "count", k->forks + 1);
    return true;
}

/* ---- session timers (RFC 4028) -------------------------------------------------------------------- */

/* Length of the call fits the timer: a little before its end, or at it. */
static bool fits_timer(const struct casefile *k)
{
    int64_t se_ns = (int64_t)k->call->session_expires_s * SECOND_NS;
    int64_t early_ns = se_ns / 3 < 32 * SECOND_NS ? se_ns / 3 : 32 * SECOND_NS;
    int64_t since_ns = k->refreshed_ns ? case_gap_ns(k->refreshed_ns, k->call->bye_ns) : k->talk_ns;

    return se_ns >= 60 * SECOND_NS && (is_about(since_ns, se_ns, 3 * SECOND_NS) ||
                                       is_about(since_ns, se_ns - early_ns, 3 * SECOND_NS));
}

static const struct case_pair *refresh_unanswered(const struct casefile *k)
{
    return k->unanswered[SIP_UPDATE].request ? &k->unanswered[SIP_UPDATE]
         : k->unanswered[SIP_INVITE].request ? &k->unanswered[SIP_INVITE] : NULL;
}

static bool session_timer_expired(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *tried = refresh_unanswered(k);

    if (!fits_timer(k) || !tried)
        return false;
    prove(c, tried->request);
    prove(c, k->answer);
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    say_number(c, "value", k->call->session_expires_s);
    return true;
}

static bool session_timer_no_refresh(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "session timer", "session-timer", "session expire", "session interval", NULL };

    if (!k->call->session_expires_s || (!fits_timer(k) && !text_has(k->call->reason_text, words)) || refresh_unanswered(k) || k->refused[SIP_INVITE].request || k->refused[SIP_UPDATE].request)
        return false;
    prove(c, k->answer);
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    say_host(c, "address", case_side(k, k->facts->refresher_is_callee));
    /* The side that waits for the renewal is the one that hangs up (RFC 4028, 10). */
    sure_if(c, (k->call->ended_by == CALL_CALLEE) != k->facts->refresher_is_callee);
    return true;
}

static bool is_refresh(const struct case_pair *p)
{
    return p->request && (p->request->traits & TRACE_SESSION_TIMER) && !(p->request->traits & (TRACE_HOLD | TRACE_T38));
}

static bool session_refresh_failed(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = is_refresh(&k->refused[SIP_UPDATE]) ? &k->refused[SIP_UPDATE]
                                                                   : &k->refused[SIP_INVITE];

    if (!is_refresh(p) || !k->bye || k->bye->at_ns < p->response->at_ns ||
        k->bye->at_ns > p->response->at_ns + 40 * SECOND_NS)
        return false;
    prove(c, p->request);
    prove(c, p->response);
    prove(c, k->bye);
    c->code = p->response->status;
    say_text(c, "method", sip_method_name((enum sip_method)p->request->method));
    /* One with a description may have been a change that somebody wanted. */
    sure_if(c, !(p->request->traits & TRACE_SDP) || c->code == 481 || c->code == 408);
    return true;
}

static bool session_interval_too_small(const struct casefile *k, struct candidate *c)
{
    if (!k->too_small || k->call->final == 422)
        return false;
    prove(c, k->too_small);
    c->code = 422;
    say_number(c, "value", k->facts->min_se_s);
    if (k->facts->asked_session_s)
        say_number(c, "seconds", k->facts->asked_session_s);
    return true;
}

/* ---- requests within the call ------------------------------------------------------------------------ */

static bool dialog_unknown(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = &k->lost;

    if (!p->request || p->response->status != 481 || p->request->method == SIP_PRACK ||
        p->request->method == SIP_NOTIFY || (k->call->bye_ns && p->response->at_ns > k->call->bye_ns) ||
        (k->call->cancel_ns && p->response->at_ns > k->call->cancel_ns))
        return false;
    prove(c, k->answer);
    prove(c, p->request);
    prove(c, p->response);
    c->code = 481;
    say_text(c, "method", sip_method_name((enum sip_method)p->request->method));
    say_host(c, "address", case_source(k, p->response));
    return true;
}

static bool bye_unanswered(const struct casefile *k, struct candidate *c)
{
    const struct trace_message *bye = k->unanswered[SIP_BYE].request;

    if (!bye || k->call->bye_final)
        return false;
    prove(c, bye);
    say_number(c, "count", bye->repeats + 1);
    say_host(c, "address", case_target(k, bye));
    return true;
}

static bool bye_rejected(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = &k->refused[SIP_BYE];

    if (!p->request || k->call->crossed || k->call->bye_final < 300)
        return false;
    prove(c, p->request);
    prove(c, p->response);
    c->code = p->response->status;
    return true;
}

static bool change_refused(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = k->refused[SIP_INVITE].request ? &k->refused[SIP_INVITE] : &k->refused[SIP_UPDATE];

    if (!p->request || !k->call->answered || p->response->at_ns < k->call->answered_ns)
        return false;
    uint16_t status = p->response->status;

    if (status == 481 || status == 408 || status == 487 || (p->request->traits & TRACE_T38))
        return false;
    prove(c, p->request);
    prove(c, p->response);
    c->code = status;
    if (k->refreshed_ns > p->response->at_ns)             /* tried again, and accepted */
        c->weight = 0;
    return true;
}

static bool fax_refused(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = &k->refused[SIP_INVITE];

    if (!p->request || !(p->request->traits & TRACE_T38))
        return false;
    prove(c, p->request);
    prove(c, p->response);
    c->code = p->response->status;
    return true;
}

static bool change_unanswered(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *tried = refresh_unanswered(k);

    /* The other side's BYE crossed it. */
    if (!tried || !k->call->answered ||
        (k->call->bye_ns && k->call->bye_ns < tried->request->at_ns + 4 * k->t1_ns))
        return false;
    prove(c, tried->request);
    say_number(c, "count", tried->request->repeats + 1);
    say_host(c, "address", case_target(k, tried->request));
    return true;
}

static bool glare(const struct casefile *k, struct candidate *c)
{
    if (!k->glares || k->glares >= 4)
        return false;
    prove(c, k->glare);
    c->code = 491;
    say_number(c, "count", k->glares);
    return true;
}

static bool glare_loop(const struct casefile *k, struct candidate *c)
{
    if (k->glares < 4)
        return false;
    prove(c, k->glare);
    c->code = 491;
    say_number(c, "count", k->glares);
    return true;
}

static bool cseq_out_of_order(const struct casefile *k, struct candidate *c)
{
    if (!k->backwards.request)
        return false;
    prove(c, k->backwards.request);
    prove(c, k->backwards.response);
    c->code = k->backwards.response->status;
    say_number(c, "count", 1);
    return true;
}

/* ---- reliable ringing ------------------------------------------------------------------------------------ */

static bool prack_missing(const struct casefile *k, struct candidate *c)
{
    const struct trace_message *m = k->unpracked;

    if (!m || k->refused[SIP_PRACK].request)
        return false;
    /* Not repeated over UDP: then it was confirmed, past the capture. */
    bool waits = m->repeats || m->transport != WIRE_UDP;
    bool refused = waits && k->final && k->final->status >= 500 && k->final->at_ns - m->at_ns >= 16 * k->t1_ns;

    if (m->repeats < 3 && !refused)
        return false;
    prove(c, m);
    prove(c, k->final);
    say_number(c, "count", m->repeats + 1);
    say_host(c, "address", case_side(k, true));
    sure_if(c, m->repeats >= 3);
    return true;
}

static bool prack_rejected(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = &k->refused[SIP_PRACK];

    if (!p->request)
        return false;
    prove(c, p->request);
    prove(c, p->response);
    c->code = p->response->status;
    say_number(c, "value", p->request->rseq);
    if (k->call->answered)
        c->weight = 0;                                    /* it did no harm */
    return true;
}

/* ---- transfers, holds, ends ---------------------------------------------------------------------------------- */

static bool transfer_failed(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = &k->refused[SIP_REFER];
    uint16_t status = p->response ? p->response->status : k->call->transfer_status;

    if (status < 300)
        return false;
    prove(c, p->request);
    prove(c, p->response);
    for (size_t i = 0; !p->request && i < k->call->trace.count; i++)
        if (trace_is_request(&k->call->trace.messages[i], SIP_REFER) ||
            trace_is_request(&k->call->trace.messages[i], SIP_NOTIFY))
            prove(c, &k->call->trace.messages[i]);
    c->code = status;
    say_text(c, "value", k->call->refer_to);
    return true;
}

static bool hold_not_resumed(const struct casefile *k, struct candidate *c)
{
    if (!k->call->on_hold || !k->call->answered || k->call->transfers || k->held_ns < 20 * SECOND_NS)
        return false;
    prove(c, k->hold);
    prove(c, k->bye);
    say_seconds(c, "seconds", k->held_ns);
    c->certainty = VERDICT_LIKELY;
    return true;
}

/* Lengths at which switches end calls, whatever is said (seconds). */
static bool call_time_limit(const struct casefile *k, struct candidate *c)
{
    static const uint16_t limits_s[] = { 3600, 7200, 10800, 14400, 1800, 900 };
    unsigned same = k->context->history ? diagnose_history_lengths(k->context->history, k->talk_ns) : 0;

    if (k->call->session_expires_s && fits_timer(k))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(limits_s); i++) {
        if (!is_about(k->talk_ns, limits_s[i] * SECOND_NS, SECOND_NS))
            continue;
        if (limits_s[i] % 3600 && same < 3)
            return false;
        prove(c, k->answer);
        prove(c, k->bye);
        say_seconds(c, "seconds", k->talk_ns);
        sure_if(c, same >= 3);
        return true;
    }
    return false;
}

static bool end_not_seen(const struct casefile *k, struct candidate *c)
{
    if (k->call->bye_ns || k->call->state != CALL_SILENT)
        return false;
    prove(c, k->answer);
    prove(c, k->last);
    return true;
}

static bool release_cause(const struct casefile *k, struct candidate *c)
{
    uint16_t q850 = k->call->q850;

    if ((!k->call->reason_text.len && (!q850 || q850 == 16)) || !k->bye || !(k->bye->traits & TRACE_REASON))
        return false;
    prove(c, k->bye);
    if (k->call->reason_text.len)
        say_text(c, "value", k->call->reason_text);
    else
        say_number(c, "value", q850);
    return true;
}

/* The telephone network behind took the call away: its cause is no normal one. */
static bool network_dropped(const struct casefile *k, struct candidate *c)
{
    static const uint8_t causes[] = { 27, 38, 41, 42, 44, 47, 102 };

    for (size_t i = 0; i < ARRAY_LEN(causes); i++)
        if (causes[i] == k->call->q850 && k->bye && (k->bye->traits & TRACE_REASON)) {
            prove(c, k->bye);
            say_number(c, "value", k->call->q850);
            c->code = k->call->final;
            c->certainty = VERDICT_LIKELY;
            return true;
        }
    return false;
}

static bool contact_unreachable(const struct casefile *k, struct candidate *c)
{
    const struct trace_message *lost = k->unanswered[SIP_BYE].request ? k->unanswered[SIP_BYE].request
                                     : k->unanswered[SIP_INVITE].request ? k->unanswered[SIP_INVITE].request
                                     : ack_seen_in_vain(k) ? k->ack : NULL;

    if (!lost)
        return false;
    bool to_callee = !(lost->traits & TRACE_FROM_CALLEE);
    const struct address *target = case_target(k, lost), *contact = &k->facts->contact[to_callee];

    if (!contact->family || !address_same_ip(target, contact) ||
        address_same_ip(target, case_side(k, to_callee)) || address_is_private(contact))
        return false;
    prove(c, lost);
    prove(c, k->answer);
    say_address(c, "address", contact);
    sure_if(c, lost->repeats >= 3);
    return true;
}

static const struct rule rules[] = {
    { CAUSE_ACK_LOST, 72, K_ANSWERED | K_WHOLE, ack_lost },
    { CAUSE_ACK_MISSING, 66, K_ANSWERED | K_WHOLE, ack_missing },
    { CAUSE_ANSWER_NOT_RECEIVED, 76, K_ANSWERED | K_WHOLE, answer_not_received },
    { CAUSE_CANCEL_TOO_LATE, 0, K_CANCELLED | K_ANSWERED, cancel_too_late },
    { CAUSE_CANCEL_IGNORED, 50, K_CANCELLED, cancel_ignored },
    { CAUSE_ANSWERED_TWICE, 0, K_ANSWERED, answered_twice },
    { CAUSE_SESSION_TIMER_EXPIRED, 62, K_ANSWERED | K_HUNG_UP | K_IN_DIALOG, session_timer_expired },
    { CAUSE_SESSION_TIMER_NO_REFRESH, 60, K_ANSWERED | K_HUNG_UP | K_CALM, session_timer_no_refresh },
    { CAUSE_SESSION_REFRESH_FAILED, 68, K_ANSWERED | K_HUNG_UP | K_IN_DIALOG, session_refresh_failed },
    { CAUSE_SESSION_INTERVAL_TOO_SMALL, 0, K_WHOLE, session_interval_too_small },
    { CAUSE_DIALOG_UNKNOWN, 60, K_IN_DIALOG, dialog_unknown },
    { CAUSE_BYE_UNANSWERED, 0, K_HUNG_UP | K_BOTH_WAYS, bye_unanswered },
    { CAUSE_BYE_REJECTED, 0, K_HUNG_UP, bye_rejected },
    { CAUSE_REINVITE_REFUSED, 40, K_ANSWERED | K_IN_DIALOG, change_refused },
    { CAUSE_FAX_REFUSED, 56, K_ANSWERED | K_IN_DIALOG, fax_refused },
    { CAUSE_REINVITE_UNANSWERED, 50, K_ANSWERED | K_IN_DIALOG | K_BOTH_WAYS, change_unanswered },
    { CAUSE_GLARE, 0, K_IN_DIALOG, glare },
    { CAUSE_GLARE_LOOP, 45, K_IN_DIALOG, glare_loop },
    { CAUSE_CSEQ_OUT_OF_ORDER, 52, K_IN_DIALOG, cseq_out_of_order },
    { CAUSE_PRACK_MISSING, 60, K_RELIABLE | K_BOTH_WAYS, prack_missing },
    { CAUSE_PRACK_REJECTED, 58, K_RELIABLE, prack_rejected },
    { CAUSE_TRANSFER_FAILED, 44, K_TRANSFER, transfer_failed },
    { CAUSE_HOLD_NOT_RESUMED, 30, K_HELD | K_HUNG_UP, hold_not_resumed },
    { CAUSE_CALL_TIME_LIMIT, 34, K_ANSWERED | K_HUNG_UP | K_CALM, call_time_limit },
    { CAUSE_END_NOT_SEEN, 0, K_ANSWERED | K_OVER, end_not_seen },
    { CAUSE_RELEASE_CAUSE_GIVEN, 0, K_HUNG_UP | K_REASON, release_cause },
    { CAUSE_FAR_NETWORK_FAILURE, 46, K_ANSWERED | K_HUNG_UP | K_REASON, network_dropped },
    { CAUSE_CONTACT_UNREACHABLE, 74, K_ANSWERED | K_WHOLE | K_REPEATED, contact_unreachable },
};
const struct rule_table rules_dialog = { rules, ARRAY_LEN(rules), 0 };
