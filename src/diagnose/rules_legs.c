/* diagnose/rules_legs.c - what shows only when both legs of a call are looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

/* The leg that this one's server began: the next one in time that comes from the machine it was sent to. */
static const struct call *leg_behind(const struct casefile *k, const struct call *after)
{
    const struct call *behind = NULL;

    for (size_t i = 0; i < k->leg_count; i++) {
        const struct call *other = k->legs[i];

        if (other == k->call || !other->invite_ns || other->invite_ns < k->call->invite_ns ||
            !address_same_ip(&other->caller_addr, &k->call->callee_addr) || (after && other->index <= after->index))
            continue;
        if (!behind || other->index < behind->index)
            behind = other;
    }
    return behind;
}

/* A message of another leg: its first response to the INVITE of these codes, or its first CANCEL (0). */
static const struct trace_message *message_of(const struct call *leg, unsigned from, unsigned to)
{
    for (size_t i = 0; i < leg->trace.count; i++) {
        const struct trace_message *m = &leg->trace.messages[i];

        if (m->status >= from && m->status <= to && m->method == (to ? SIP_INVITE : SIP_CANCEL))
            return m;
    }
    return NULL;
}

static const struct call *leg_before(const struct casefile *k)
{
    for (size_t i = 0; i < k->leg_count; i++) {
        const struct call *other = k->legs[i];

        if (other != k->call && other->invite_ns && other->invite_ns <= k->call->invite_ns &&
            address_same_ip(&other->callee_addr, &k->call->caller_addr))
            return other;
    }
    return NULL;
}

static bool behind_503(const struct casefile *k, struct candidate *c)
{
    const struct call *b = NULL;

    while (k->call->final == 500 && (b = leg_behind(k, b)))
        if (b->final == 503) {
            prove(c, k->final);
            prove_frame(c, b->final_frame, SLICE("503"));
            say_number(c, "code_other", 503);
            say_host(c, "address_other", &b->callee_addr);
            return true;
        }
    return false;
}

/* Neither of the two hung up: the server between them sent both BYEs. With cause=200 it says that the call
 * goes on elsewhere, as after a transfer. */
static bool dropped(const struct casefile *k, struct candidate *c)
{
    const struct call *front = leg_before(k) ? leg_before(k) : k->call;
    const struct call *back = front == k->call ? leg_behind(k, NULL) : k->call;

    if (!back || front->ended_by != CALL_CALLEE || back->ended_by != CALL_CALLER || !front->bye_ns || !back->bye_ns ||
        front->bye_ns - back->bye_ns > 2 * SECOND_NS || back->bye_ns - front->bye_ns > 2 * SECOND_NS ||
        front->reason_sip == 200 || back->reason_sip == 200)
        return false;
    prove(c, k->bye);
    prove_frame(c, k->call == front ? back->bye_frame : front->bye_frame, SLICE("BYE"));
    say_seconds(c, "seconds", k->talk_ns);
    say_text(c, "value", k->call->reason_text.len ? k->call->reason_text : (slice){0});
    if (!k->call->reason_text.len && k->call->q850)
        say_number(c, "value", k->call->q850);
    return true;
}

/* Of all legs that the server began: the message that rang first, failing that the last refusal. NULL
 * also when one of them was not seen whole. */
static const struct trace_message *first_ring_behind(const struct casefile *k)
{
    const struct trace_message *rang = NULL, *refused = NULL;

    for (const struct call *b = NULL; (b = leg_behind(k, b));) {
        const struct trace_message *sign = message_of(b, 180, 299), *end = message_of(b, 300, 699);

        sign = sign ? sign : message_of(b, 101, 179);
        if (b->partial || b->trace.beyond || !(sign || end))
            return NULL;
        if (sign && (!rang || sign->at_ns < rang->at_ns))
            rang = sign;
        if (end && (!refused || end->at_ns > refused->at_ns))
            refused = end;
    }
    return rang ? rang : refused;
}

/* The server told the caller that it rings, and behind it nothing rang for long, or ever. */
static bool false_ringing(const struct casefile *k, struct candidate *c)
{
    const struct trace_message *behind = k->ringing ? first_ring_behind(k) : NULL;

    if (!behind || behind->at_ns - k->ringing->at_ns < 2 * SECOND_NS)
        return false;
    prove(c, k->ringing);
    prove(c, behind);
    say_seconds(c, "seconds", behind->at_ns - k->ringing->at_ns);
    c->weight = k->call->answered ? 0 : c->weight;
    return true;
}

/* The same on one leg: the proxy rang before the phone that it asked did. */
static bool false_ringing_proxy(const struct casefile *k, struct candidate *c)
{
    const struct trace *t = &k->call->trace;

    if (!k->ringing || !address_same_ip(case_source(k, k->ringing), &k->call->callee_addr))
        return false;
    for (const struct trace_message *m = k->ringing + 1; m < t->messages + t->count; m++) {
        bool behind = m->status > 100 && m->method == SIP_INVITE && (m->traits & TRACE_FROM_CALLEE) &&
                      !address_same_ip(case_source(k, m), &k->call->callee_addr) &&
                      address_same_ip(case_target(k, m), &k->call->callee_addr);

        if (!behind)
            continue;
        if (m->at_ns - k->ringing->at_ns < 2 * SECOND_NS)
            return false;
        prove(c, k->ringing);
        prove(c, m);
        say_seconds(c, "seconds", m->at_ns - k->ringing->at_ns);
        c->weight = k->call->answered ? 0 : c->weight;
        return true;
    }
    return false;
}

/* B2BUAs that pass a call on in a circle: the same number between the same two machines again and again,
 * because it came back in between. Without that somebody only tried again. */
static bool loop_of_legs(const struct casefile *k, struct candidate *c)
{
    unsigned same = 0, back = 0;

    for (size_t i = 0; i < k->leg_count; i++) {
        const struct call *other = k->legs[i];

        same += address_same_ip(&other->caller_addr, &k->call->caller_addr) &&
                address_same_ip(&other->callee_addr, &k->call->callee_addr) &&
                slice_eq(other->to.user, k->call->to.user);
        back += address_same_ip(&other->callee_addr, &k->call->caller_addr) &&
                !address_same_ip(&other->callee_addr, &other->caller_addr) && slice_eq(other->to.user, k->call->to.user);
    }
    if (same < 3 || back < 2)
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_number(c, "count", same);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static const struct stream *early_stream(const struct call *c)
{
    for (const struct list *l = c->streams.next; l != &c->streams; l = l->next) {
        const struct stream *s = list_item(l, struct stream, in_list);

        if (s->side == STREAM_FROM_CALLEE && s->early_packets >= 50)
            return s;
    }
    return NULL;
}

static bool early_media_blocked(const struct casefile *k, struct candidate *c)
{
    const struct call *b = leg_behind(k, NULL);
    const struct stream *s = b ? early_stream(b) : NULL;

    if (!s || early_stream(k->call) || !k->progress || !(k->marks & K_VISIBLE))
        return false;
    prove_stream(c, s);
    prove(c, k->progress);
    say_seconds(c, "seconds", (int64_t)s->early_packets * (s->frame_ms ? s->frame_ms : 20) * MS_NS);
    say_address(c, "address", &s->src);
    c->weight = k->call->answered ? 0 : c->weight;
    return true;
}

/* The branch was stopped by the server, not by a person: it took another, or its timer ran out. */
static bool stopped_by_answer(const struct casefile *k, struct candidate *c)
{
    const struct call *front = leg_before(k);

    for (size_t i = 0; front && i < k->leg_count; i++) {
        const struct call *other = k->legs[i];

        if (other == k->call || other == front || !other->answered_ns ||
            !address_same_ip(&other->caller_addr, &k->call->caller_addr) ||
            k->call->cancel_ns < other->answered_ns || k->call->cancel_ns > other->answered_ns + 2 * SECOND_NS)
            continue;
        prove(c, k->cancel);
        prove(c, message_of(other, 200, 299));
        return true;
    }
    return false;
}

static bool stopped_by_timer(const struct casefile *k, struct candidate *c)
{
    const struct call *front = leg_before(k), *b = NULL;

    if (front && k->call->cancel_ns && !front->cancel_ns && (front->final == 480 || front->final == 408)) {
        prove(c, k->ringing);
        prove(c, k->cancel);
        prove_frame(c, front->final_frame, call_code_name(front->final));
        c->code = front->final;
        say_seconds(c, "seconds", k->ring_ns);
        return true;
    }
    while (!k->call->cancel_ns && (k->call->final == 480 || k->call->final == 408) && (b = leg_behind(k, b)))
        if (b->cancel_ns && b->last_progress && k->call->last_progress) {
            prove(c, k->ringing ? k->ringing : k->progress);
            prove(c, message_of(b, 0, 0));
            prove(c, k->final);
            say_seconds(c, "seconds", k->ring_ns);
            return true;
        }
    return false;
}

/* First leg refused or not answered, the next of the same server answered. */
static bool forwarded_after(const struct casefile *k, struct candidate *c, bool busy)
{
    const struct call *first = leg_behind(k, NULL), *second = first ? leg_behind(k, first) : NULL;
    bool was_busy = first && (first->final == 486 || first->final == 600);
    bool was_silent = first && first->cancel_ns && first->last_progress;

    if (!second || !(busy ? was_busy : was_silent) || second->invite_ns < first->ended_ns)
        return false;
    prove_frame(c, first->final_frame, call_code_name(first->final));
    prove_frame(c, second->first_frame, SLICE("INVITE"));
    say_text(c, "value", second->request_uri);
    if (!busy)
        say_seconds(c, "seconds", case_gap_ns(first->progress_ns, first->ended_ns));
    return true;
}
static bool forwarded_on_busy(const struct casefile *k, struct candidate *c) { return forwarded_after(k, c, true); }
static bool forwarded_on_no_answer(const struct casefile *k, struct candidate *c) { return forwarded_after(k, c, false); }

static bool other_route(const struct casefile *k, struct candidate *c)
{
    const struct call *first = leg_behind(k, NULL), *second = first ? leg_behind(k, first) : NULL;

    if (!second || first->final < 500 || first->final > 599 || second->invite_ns < first->ended_ns)
        return false;
    prove_frame(c, first->final_frame, call_code_name(first->final));
    prove_frame(c, second->first_frame, SLICE("INVITE"));
    c->code = first->final;
    say_host(c, "address", &first->callee_addr);
    say_host(c, "address_other", &second->callee_addr);
    return true;
}

static bool slow_inside(const struct casefile *k, struct candidate *c)
{
    const struct call *b = leg_behind(k, NULL);
    int64_t delay_ns = b ? case_gap_ns(k->invite ? k->invite->at_ns : 0, b->invite_ns) : 0;

    if (delay_ns < 2 * SECOND_NS)
        return false;
    prove(c, k->invite);
    prove_frame(c, b->first_frame, SLICE("INVITE"));
    say_number(c, "milliseconds", delay_ns / MS_NS);
    return true;
}

static const struct rule rules[] = {
    { CAUSE_SERVER_ERROR_HIDES_503, 62, K_LEGS | K_REFUSED, behind_503 },
    { CAUSE_DROPPED_BY_SERVER, 48, K_LEGS | K_ANSWERED | K_HUNG_UP, dropped },
    { CAUSE_FALSE_RINGING, 42, K_LEGS | K_RANG, false_ringing },
    { CAUSE_FALSE_RINGING, 42, K_HOPS | K_RANG | K_WHOLE, false_ringing_proxy },
    { CAUSE_FORWARD_LOOP, 55, K_LEGS | K_REFUSED, loop_of_legs },
    { CAUSE_EARLY_MEDIA_BLOCKED, 42, K_LEGS | K_RANG, early_media_blocked },
    { CAUSE_ANSWERED_ELSEWHERE, 60, K_LEGS | K_CANCELLED, stopped_by_answer },
    { CAUSE_NO_ANSWER_TIMER, 58, K_LEGS | K_RANG, stopped_by_timer },
    { CAUSE_FORWARDED_ON_BUSY, 0, K_LEGS, forwarded_on_busy },
    { CAUSE_FORWARDED_ON_NO_ANSWER, 0, K_LEGS, forwarded_on_no_answer },
    { CAUSE_ROUTE_FAILOVER, 0, K_LEGS, other_route },
    { CAUSE_SERVER_SLOW, 0, K_LEGS, slow_inside },
};
const struct rule_table rules_legs = { rules, ARRAY_LEN(rules), K_LEGS | K_HOPS };
