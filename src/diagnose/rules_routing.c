/* diagnose/rules_routing.c - the way of the request: silence, time-outs, loops, size, damage.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

#define BIG_BYTES 1300u              /* RFC 3261, 18.1.1 */
#define BIGGEST_WHOLE_BYTES 1472u    /* payload of UDP in one Ethernet frame */

static int64_t waited_ns(const struct casefile *k)
{
    return case_gap_ns(k->call->invite_ns, k->call->cancel_ns ? k->call->cancel_ns : k->call->last_ns);
}

static bool sent_in_vain(const struct casefile *k)
{
    return k->invite && !k->from_callee && !k->call->methods[SIP_ACK] && !k->call->methods[SIP_BYE] &&
           !k->call->methods[SIP_PRACK];
}

/* The capture must not end before a slow server would have replied. */
static bool waited_long(const struct casefile *k)
{
    bool watched = (k->marks & K_OVER) || k->call->cancel_ns || k->now_ns - k->call->invite_ns >= 16 * k->t1_ns;

    return watched && (k->invite->repeats >= 2 || waited_ns(k) >= 5 * SECOND_NS ||
                       ((k->marks & K_OVER) && k->now_ns - k->call->invite_ns >= 32 * SECOND_NS));
}

static bool no_reply(const struct casefile *k, struct candidate *c)
{
    if (!sent_in_vain(k) || !waited_long(k))
        return false;
    prove(c, k->invite);
    prove(c, k->cancel);
    say_number(c, "count", k->invite->repeats + 1);
    say_seconds(c, "seconds", waited_ns(k));
    sure_if(c, k->invite->repeats >= 3);
    return true;
}

/* Large INVITEs in pieces never arrive, while the same server answers others. */
static bool fragment_lost(const struct casefile *k, struct candidate *c)
{
    const struct history_host *server = k->context->history
        ? diagnose_history_host(k->context->history, case_server(k)) : NULL;

    if (!sent_in_vain(k) || !waited_long(k) || k->invite->transport != WIRE_UDP)
        return false;
    bool in_pieces = k->invite->bytes > BIGGEST_WHOLE_BYTES;
    bool first_piece = (k->invite->traits & TRACE_CUT) && k->invite->bytes >= BIG_BYTES;

    if (!in_pieces && !first_piece)
        return false;
    prove(c, k->invite);
    say_number(c, "count", k->invite->repeats + 1);
    c->certainty = server && server->answers ? VERDICT_SURE : VERDICT_POSSIBLE;      /* it may not answer anybody */
    return true;
}

static bool invite_large(const struct casefile *k, struct candidate *c)
{
    if (k->facts->invite_bytes <= BIG_BYTES || !k->invite || k->invite->transport != WIRE_UDP ||
        (k->marks & K_ANSWERED) || k->invite->repeats < 2)
        return false;
    prove(c, k->invite);
    say_number(c, "count", k->facts->invite_bytes);
    return true;
}

/* The server answers over another transport than the one that was tried. */
static bool wrong_transport(const struct casefile *k, struct candidate *c)
{
    const struct history_host *server = diagnose_history_host(k->context->history, case_server(k));
    unsigned tried = 1u << k->call->transport;

    if (!sent_in_vain(k) || !(waited_long(k) || (k->marks & K_INCIDENT)) || !server || !server->answered_over ||
        (server->answered_over & tried))
        return false;
    prove(c, k->invite);
    say_text(c, "value", wire_transport_name((enum wire_transport)k->call->transport));
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool no_progress(const struct casefile *k, struct candidate *c)
{
    int64_t waited = case_gap_ns(k->trying ? k->trying->at_ns : 0,
                                 k->call->cancel_ns ? k->call->cancel_ns : k->now_ns);

    /* A mobile may be looked for ten seconds and longer: somebody gave up, or it took too long for all. */
    if (!k->trying || k->call->last_progress ||
        waited < ((k->marks & (K_OVER | K_CANCELLED)) ? 10 * SECOND_NS : 32 * SECOND_NS))
        return false;
    prove(c, k->invite);
    prove(c, k->trying);
    prove(c, k->cancel);
    say_seconds(c, "seconds", waited);
    sure_if(c, waited >= 30 * SECOND_NS);
    return true;
}

static bool no_final_reply(const struct casefile *k, struct candidate *c)
{
    int64_t waited = case_gap_ns(k->call->invite_ns, k->now_ns);

    if (k->call->cancel_ns || !k->call->last_progress || waited < 180 * SECOND_NS || k->call->methods[SIP_BYE])
        return false;
    prove(c, k->invite);
    prove(c, k->last_progress);
    say_seconds(c, "seconds", waited);
    c->certainty = VERDICT_LIKELY;
    return true;
}

/* ---- further on its way -------------------------------------------------------------------------- */

static bool hides_503(const struct casefile *k, struct candidate *c)
{
    /* Who got the 503 is who sent the 500: else that came from another branch. */
    if (k->call->final != 500 || !k->final || !k->down_final || k->down_final->status != 503 ||
        !address_same_ip(case_target(k, k->down_final), case_source(k, k->final)))
        return false;
    prove(c, k->down_final);
    prove(c, k->final);
    say_number(c, "code_other", 503);
    say_host(c, "address_other", case_source(k, k->down_final));
    return true;
}

static bool route_failover(const struct casefile *k, struct candidate *c)
{
    const struct trace_message *end = k->answer ? k->answer : k->final;

    if (!k->down_final || !end || k->call->forks == 0 || k->down_final->status < 400 ||
        (k->down_final->status < 500 && k->down_final->status != 408) || !case_asked_after(k, k->down_final, end))
        return false;
    prove(c, k->down_final);
    prove(c, end);
    c->code = k->down_final->status;
    say_host(c, "address", case_source(k, k->down_final));
    say_host(c, "address_other", case_source(k, end));
    return true;
}

/* Does this machine send the call on to somebody who did not bring it? */
static bool sends_on(const struct casefile *k, const struct address *host, const struct address *from_a,
                     const struct address *from_b)
{
    for (unsigned i = 0; i < k->facts->hop_count; i++) {
        const struct call_hop *h = &k->facts->hops[i];

        if (h->invite && address_same_ip(&h->src, host) && !address_same_ip(&h->dst, from_a) && !address_same_ip(&h->dst, from_b))
            return true;
    }
    return false;
}

/* It came to one machine from two others: a circle when that sends it on, two ways when it does not. */
static bool came_twice(const struct casefile *k, bool circle)
{
    for (unsigned i = 0; i < k->facts->hop_count; i++)
        for (unsigned j = i + 1; j < k->facts->hop_count; j++) {
            const struct call_hop *a = &k->facts->hops[i], *b = &k->facts->hops[j];

            if (a->invite && b->invite && address_same_ip(&a->dst, &b->dst) && !address_same_ip(&b->dst, &k->call->caller_addr) &&
                !address_same_ip(&a->src, &b->src) && k->facts->vias_max >= 2 &&
                sends_on(k, &a->dst, &a->src, &b->src) == circle)
                return true;
        }
    return false;
}

static bool forward_loop(const struct casefile *k, struct candidate *c)
{
    uint16_t final = k->call->final;

    if ((final != 482 && final != 483) || ((!came_twice(k, true) || k->facts->vias_max < 3) && k->facts->vias_max < 6))
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_number(c, "count", k->facts->vias_max > 2 ? (k->facts->vias_max + 1) / 2 : 2);
    return true;
}

static bool merged_request(const struct casefile *k, struct candidate *c)
{
    if (k->call->final != 482 && !(k->down_final && k->down_final->status == 482))
        return false;
    if (k->call->forks == 0 && !came_twice(k, false))
        return false;
    prove(c, k->invite);
    prove(c, k->down_final ? k->down_final : k->final);
    c->code = 482;
    c->certainty = VERDICT_LIKELY;
    return true;
}

/* The proxy asked on in vain: its INVITEs behind it were repeated, and then it said so. */
static bool behind_silent(const struct casefile *k, struct candidate *c)
{
    if ((k->call->final != 408 && k->call->final != 480 && k->call->final != 500 && k->call->final != 503) ||
        k->call->last_progress || !k->invite || k->invite->far_repeats < 2)
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    return true;
}

/* ---- grammar and damage ----------------------------------------------------------------------------- */

static bool header_invalid(const struct casefile *k, struct candidate *c)
{
    if (k->call->final != 400 || !k->facts->bad_header.len)
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_text(c, "header", k->facts->bad_header);
    return true;
}

static bool sdp_malformed(const struct casefile *k, struct candidate *c)
{
    uint16_t final = k->call->final;

    if ((final != 400 && final != 488 && final != 606) || !(k->facts->sdp[0].flags & CALL_SDP_FLAWED))
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_host(c, "address", case_side(k, false));
    return true;
}

/* ---- losses and delays -------------------------------------------------------------------------------- */

/* The first reply that was sent to who asked: what came to a server in between may have stayed there. */
static const struct trace_message *reply_to_invite(const struct casefile *k)
{
    const struct trace_message *const replies[] = { k->trying, k->progress, k->final };

    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        if (replies[i] && address_same_ip(case_target(k, replies[i]), case_source(k, k->invite)))
            return replies[i];
    return NULL;
}

static bool reply_not_received(const struct casefile *k, struct candidate *c)
{
    const struct trace_message *reply = k->invite ? reply_to_invite(k) : NULL;

    if (!reply || (k->marks & K_ANSWERED))
        return false;
    int64_t until_ns = k->invite->at_ns + (int64_t)k->invite->last_after_ms * MS_NS;

    if (k->invite->repeats < 3 || until_ns < reply->at_ns + 2 * SECOND_NS || k->invite->transport != WIRE_UDP)
        return false;
    prove(c, k->invite);
    prove(c, reply);
    say_number(c, "count", k->invite->repeats);
    say_host(c, "address_other", case_side(k, false));
    return true;
}

static bool signalling_loss(const struct casefile *k, struct candidate *c)
{
    uint32_t all = k->call->messages + k->repeats;

    if (k->repeats < 3 || k->repeats * 100 < all * 10)
        return false;
    prove(c, k->invite && k->invite->repeats ? k->invite : k->answer);
    for (size_t i = 0; i < k->call->trace.count && c->proof_count < 3; i++)
        if (k->call->trace.messages[i].repeats)
            prove(c, &k->call->trace.messages[i]);
    say_number(c, "count", k->repeats);
    say_number(c, "percent", (int64_t)k->repeats * 100 / (all ? all : 1));
    return true;
}

static bool server_slow(const struct casefile *k, struct candidate *c)
{
    int64_t waited = case_gap_ns(k->invite ? k->invite->at_ns : 0, k->call->first_response_ns);

    if (waited < 2 * SECOND_NS || k->call->attempts > 1)
        return false;
    prove(c, k->invite);
    prove(c, k->trying ? k->trying : k->progress);
    say_number(c, "milliseconds", waited / MS_NS);
    return true;
}

static bool keepalive_unanswered(const struct casefile *k, struct candidate *c)
{
    const struct history_host *server = diagnose_history_host(k->context->history, case_server(k));

    if (!server || server->options_unanswered < 3)
        return false;
    prove(c, k->invite);
    say_number(c, "count", server->options_unanswered);
    return true;
}

static bool clock_skew(const struct casefile *k, struct candidate *c)
{
    int32_t skew = k->facts->clock_skew_s;

    if (!k->facts->clock_skew_frame || (skew < 30 && skew > -30))
        return false;
    prove_frame(c, k->facts->clock_skew_frame, SLICE("Date"));
    say_host(c, "address", case_side(k, k->facts->clock_skew_of_callee));
    say_number(c, "seconds", skew < 0 ? -skew : skew);
    return true;
}

static const struct rule rules[] = {
    { CAUSE_NO_REPLY, 40, K_NO_REPLY | K_WHOLE, no_reply },
    { CAUSE_INVITE_FRAGMENT_LOST, 60, K_NO_REPLY | K_WHOLE, fragment_lost },
    { CAUSE_INVITE_LARGE, 0, K_WHOLE | K_REPEATED, invite_large },
    { CAUSE_WRONG_TRANSPORT, 86, K_NO_REPLY | K_WHOLE | K_HISTORY, wrong_transport },
    { CAUSE_NO_PROGRESS, 45, K_WHOLE | K_UNDECIDED, no_progress },
    { CAUSE_NO_PROGRESS, 45, K_WHOLE | K_CANCELLED, no_progress },
    { CAUSE_NO_FINAL_REPLY, 40, K_WHOLE | K_UNDECIDED | K_RANG | K_OVER, no_final_reply },
    { CAUSE_SERVER_ERROR_HIDES_503, 60, K_REFUSED, hides_503 },
    { CAUSE_REQUEST_TIMEOUT, 40, K_REFUSED | K_HOPS, behind_silent },
    { CAUSE_ROUTE_FAILOVER, 0, K_HOPS, route_failover },
    { CAUSE_FORWARD_LOOP, 50, K_REFUSED, forward_loop },
    { CAUSE_MERGED_REQUEST, 45, K_REFUSED, merged_request },
    { CAUSE_HEADER_INVALID, 45, K_REFUSED | K_FLAWED, header_invalid },
    { CAUSE_SDP_MALFORMED, 50, K_REFUSED | K_OFFER, sdp_malformed },
    { CAUSE_REPLY_NOT_RECEIVED, 48, K_REPEATED | K_BOTH_WAYS, reply_not_received },
    { CAUSE_SIGNALLING_LOSS, 0, K_REPEATED | K_BOTH_WAYS, signalling_loss },
    { CAUSE_SERVER_SLOW, 0, K_WHOLE, server_slow },
    { CAUSE_KEEPALIVE_UNANSWERED, 0, K_NO_REPLY | K_HISTORY, keepalive_unanswered },
    { CAUSE_CLOCK_SKEW, 0, 0, clock_skew },
};
const struct rule_table rules_routing = { rules, ARRAY_LEN(rules), 0 };
