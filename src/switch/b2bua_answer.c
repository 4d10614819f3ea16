/* switch/b2bua_answer.c - answers that must be acknowledged: reliable 1xx by PRACK, 2xx by ACK
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/values.h"
#include "switch/b2bua_int.h"

#include <stdlib.h>

/* ---- repeating ---- */

void leg_stop(struct leg *leg)
{
    wheel_clear(&leg->call->b2bua->leg_wheel, &leg->timer);
    if (leg->repeated && leg->repeats == LEG_REPEATS_1XX)
        forks_pin(leg, false);
    if (leg->repeated && leg->repeated != leg->call->invite)
        server_set_owner(leg->repeated, NULL);
    leg->repeated = NULL;
    leg->repeats = LEG_REPEATS_NOTHING;
}

void leg_repeat(struct leg *leg, enum leg_repeat what, struct server_transaction *s)
{
    struct b2bua *b = leg->call->b2bua;

    leg_stop(leg);
    leg->repeats = (uint8_t)what;
    leg->repeated = s;
    leg->repeat_ns = b->t1_ns;
    leg->repeat_end_ns = b2bua_now(b) + 64 * b->t1_ns;
    server_set_owner(s, leg->call);
    if (what == LEG_REPEATS_1XX)
        forks_pin(leg, true);
    wheel_set(&b->leg_wheel, &leg->timer, b2bua_now(b) + leg->repeat_ns);
}

static void unacknowledged(struct leg *leg)
{
    struct b2bua_call *c = leg->call;
    bool is_2xx = leg->repeats == LEG_REPEATS_2XX;

    leg_stop(leg);
    if (!is_2xx) {
        c->b2bua->counts.unpracked++;
        if (c->faces && leg->other && leg->other->branch)     /* of one of several phones: the others may do better */
            setup_drop(leg->other->branch, 504, SLICE("SIP;cause=504;text=\"No PRACK from the caller\""));
        else if (!leg->ended)                             /* else a 199, which is worth no call */
            setup_give_up(c, 504, SLICE("SIP;cause=504;text=\"No PRACK from the caller\""));
        return;
    }
    c->b2bua->counts.unacknowledged++;
    if (leg->bye_wanted) {
        leg_bye_if_wanted(leg);
        return;
    }
    call_end(c, NULL, SLICE("SIP;cause=408;text=\"No ACK\""), NULL);
}

/* 1xx twice as long each time (RFC 3262, 3), 2xx up to T2 (13.3.1.4). */
void leg_due(struct leg *leg)
{
    struct b2bua *b = leg->call->b2bua;

    if (leg->repeats == LEG_REPEATS_NOTHING)
        return;
    if (b->now_ns >= leg->repeat_end_ns) {
        unacknowledged(leg);
        return;
    }
    if (leg->repeated)
        forks_repeat(leg);
    leg->repeat_ns *= 2;
    if (leg->repeats == LEG_REPEATS_2XX && leg->repeat_ns > b->t2_ns)
        leg->repeat_ns = b->t2_ns;
    int64_t next_ns = b->now_ns + leg->repeat_ns;

    wheel_set(&b->leg_wheel, &leg->timer, next_ns < leg->repeat_end_ns ? next_ns : leg->repeat_end_ns);
}

/* ---- ACK ---- */

/* Not in the arena: each re-INVITE without an offer brings another one. */
static void keep_ack(struct leg *leg, const struct sip_message *body_of)
{
    slice type = body_of ? headers_type(body_of) : (slice){ 0 }, body = body_of ? body_of->body : (slice){ 0 };
    char *kept = body.len ? malloc(type.len + body.len) : NULL;

    leg_forget_ack(leg);
    if (!kept)
        return;
    if (type.len)
        memcpy(kept, type.ptr, type.len);
    memcpy(kept + type.len, body.ptr, body.len);
    leg->ack = kept;
    leg->ack_type_len = type.len;
    leg->ack_len = type.len + body.len;
    leg->call->b2bua->memory_bytes += leg->ack_len;
}

void leg_forget_ack(struct leg *leg)
{
    leg->call->b2bua->memory_bytes -= leg->ack_len;
    free(leg->ack);
    leg->ack = NULL;
    leg->ack_len = leg->ack_type_len = 0;
}

void leg_ack(struct leg *leg, const struct sip_message *body_of)
{
    struct b2bua *b = leg->call->b2bua;
    struct out *o = dialog_ack(b->endpoint, &leg->dialog, leg->invite_cseq_out);

    if (body_of)
        session_keep(leg, body_of);
    if (body_of || !leg->acked_once)
        keep_ack(leg, body_of);
    leg->acked_once = true;
    leg->ack_owed = false;
    if (o) {
        slice kept = slice_of(leg->ack, leg->ack_len);

        client_ack_send(b->endpoint, slice_head(kept, leg->ack_type_len), slice_skip(kept, leg->ack_type_len));
    }
}

/* B did not get our ACK; while it is A's ACK that is awaited, B has to wait, too. Of an INVITE
 * before the last one only the ACK itself is known any more. */
void answer_again(struct leg *leg, uint32_t cseq)
{
    struct b2bua *b = leg->call->b2bua;

    if (cseq != leg->invite_cseq_out) {
        if (dialog_ack(b->endpoint, &leg->dialog, cseq))
            client_ack_send(b->endpoint, (slice){ 0 }, (slice){ 0 });
    } else if (!leg->ack_owed) {
        leg_ack(leg, NULL);
    }
}

void answer_ack(struct leg *leg, const struct sip_message *ack, const struct hop *hop)
{
    struct b2bua_call *c = leg->call;
    struct leg *other = leg == &c->a ? c->b : &c->a;
    enum anchor anchor = ANCHOR_GO;

    if (leg->repeats != LEG_REPEATS_2XX || ack->cseq.number != leg->invite_cseq_in)
        return;
    if (other && other->ack_owed) {
        const struct leg *b = leg == &c->a ? other : leg;
        struct anchor_sdp sdp = { .branch = b->branch, .tag = b->dialog.remote_tag, .by_b = b == leg, .answers = true };

        anchor = anchor_message(c, &sdp, &(struct anchor_place){ .leg = leg }, ack, hop);
        if (anchor == ANCHOR_WAIT)
            return;
    }
    if (leg->repeated)
        server_acknowledged(leg->repeated);
    leg_stop(leg);
    if (other && other->ack_owed)
        leg_ack(other, anchor == ANCHOR_FAIL ? NULL : ack);
    if (anchor == ANCHOR_FAIL)
        end_unanchorable(c);
    leg_bye_if_wanted(leg);
}

/* ---- reliable provisional answers (RFC 3262) ---- */

bool is_reliable_1xx(const struct sip_message *m, uint32_t *ret_rseq)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_RSEQ);

    return h && sip_values_have(m, SIP_H_REQUIRE, SLICE("100rel")) && sip_rseq_parse(h->value, ret_rseq);
}

static void put_rack(struct out *o, uint32_t rseq, uint32_t cseq)
{
    out_text(o, SLICE("RAck: "));
    out_u64(o, rseq);
    out_char(o, ' ');
    out_u64(o, cseq);
    out_text(o, SLICE(" INVITE\r\n"));
}

void leg_prack(struct leg *leg)
{
    struct relay *r = relay_start(leg->call, NULL, leg, NULL, NULL);
    struct out *o = r ? dialog_request(leg->call->b2bua->endpoint, &leg->dialog, SIP_PRACK, (slice){ 0 }) : NULL;

    if (o) {
        put_rack(o, leg->rseq, leg->invite_cseq_out);
        r->client = client_request_send(leg->call->b2bua->endpoint, (slice){ 0 }, (slice){ 0 }, r);
    }
    if (r && !r->client)
        relay_free(r);
}

/* B's 1xx to A. Reliable to A as it was to us, under a number of our own; when A cannot do that,
 * or each leg is reliable by itself, we acknowledge B's ourselves. */
void answer_18x(struct b2bua_call *c, struct leg *leg, const struct sip_message *m)
{
    uint32_t rseq = 0;
    bool reliable = is_reliable_1xx(m, &rseq), ended = m->status == 199;     /* RFC 6228: of one fork behind a proxy */
    bool ours = reliable && (ended || reliable_ends_here(c)), told = !ended && reliable_to_a(c, reliable);
    unsigned how = headers_how(c, leg->branch), status = m->status;
    struct leg *a;

    if (reliable && leg->rseq && rseq != leg->rseq + 1)
        return;                                           /* a repeat, or one is missing: it will come again */
    if (c->serves) {                                      /* it has no A that could hear it */
        transfer_progress(leg, m, rseq);
        return;
    }
    a = ended ? leg->other : forks_early(leg, told || headers_have_offer(m));
    if (told && a && a->repeats == LEG_REPEATS_1XX) {     /* A owes a PRACK (RFC 3262, 3): it will come again, too */
        a->held_ring = !reliable && status == 180 ? 180 : a->held_ring;
        return;
    }
    if (ours && (!leg->branch->invite || client_is_answered(leg->branch->invite)))
        return;                                           /* it had to wait here: nothing is left to be acknowledged */
    if ((!a && !ended) || (ours && c->relay_count >= RELAYS_MAX) || (!ended && !precondition_18x(a, m, &status)))
        return;
    if (reliable)
        leg->rseq = rseq;
    if (ours)
        leg_prack(leg);
    if (!told)
        how |= ours ? HEADERS_NO_REQUIRE : 0;
    if (ended)
        forks_199(leg, m);
    if (!c->invite || ended)
        return;
    dialog_refresh(&c->arena, m, &leg->dialog.hop, &leg->dialog);
    session_peer(leg, m);
    session_keep(a, m);
    c->b = leg;
    struct out *o = forks_reply(a, status, status == m->status ? m->reason : (slice){ 0 });

    headers_record_routes(o, &a->dialog);
    headers_ours(o, c->b2bua, server_hop(c->invite), false);
    headers_pass(o, m, how);
    if (c->waiting && status == 180 && !sip_header_find(m, SIP_H_ALERT_INFO))
        out_text(o, SLICE("Alert-Info: <urn:alert:service:call-waiting>\r\n"));
    if (told)
        reliable_put(o, a);
    if (server_reply_send(c->invite, headers_type(m), m->body) && told)
        reliable_sent(a, reliable && !ours ? leg : NULL, rseq, m->body.len != 0);
}

/* Also after the final answer, which may cross it (RFC 3262, 3). What the PRACK was for may be
 * over by then: nobody is left to be told. */
void answer_prack(struct leg *from, struct server_transaction *s, const struct sip_message *m, const struct hop *hop)
{
    struct b2bua_call *c = from->call;
    const struct sip_header *h = sip_header_find(m, SIP_H_RACK);
    struct sip_rack rack;
    struct leg *leg = from->branch || !from->pracked_rseq ? NULL : from->other;

    if (!h || !sip_rack_parse(h->value, &rack)) {
        server_reply(s, 400, SLICE("Missing or Unreadable RAck"));
        server_reply_send(s, (slice){ 0 }, (slice){ 0 });
        return;
    }
    if (from->branch || !from->prack_owed || rack.rseq != from->rseq || rack.cseq != c->a_cseq || rack.method_id != SIP_INVITE) {
        server_reply_plain(s, 481);
        return;
    }
    struct leg *to = leg ? leg : reliable_offers_to(from, m);

    if (to && leg_is_open(to)) {
        struct anchor_sdp sdp = { .branch = to->branch, .tag = to->dialog.remote_tag, .answers = !c->had_offer };
        enum anchor anchor = anchor_message(c, &sdp, &(struct anchor_place){ .leg = from, .server = s }, m, hop);

        if (anchor == ANCHOR_FAIL) {
            anchor_refuse(c, s);
            end_unanchorable(c);
        }
        if (anchor != ANCHOR_GO)
            return;
    }
    if (from->repeats == LEG_REPEATS_1XX)
        leg_stop(from);
    from->prack_owed = false;
    if (!leg && reliable_prack(from, s, m))
        return;
    if (!leg || !leg_is_open(leg)) {
        server_reply_plain(s, 200);
        reliable_ring(from);
        return;
    }
    struct relay *r = relay_start(c, from, leg, s, m);
    struct out *o = r ? dialog_request(c->b2bua->endpoint, &leg->dialog, SIP_PRACK, (slice){ 0 }) : NULL;

    if (o) {
        put_rack(o, from->pracked_rseq, from->pracked_cseq);
        headers_pass(o, m, headers_how(c, leg->branch));
        r->client = client_request_send(c->b2bua->endpoint, headers_type(m), m->body, r);
    }
    if (r && r->client) {
        precondition_passed(c, true, m);
        return;
    }
    server_reply_plain(s, 500);
    if (r)
        relay_free(r);
}

/* ---- the answer ---- */

void answer_2xx(struct b2bua_call *c, struct leg *leg, const struct sip_message *m)
{
    struct server_transaction *s = c->invite;

    if (c->serves) {
        transfer_answered(c, leg, m);
        return;
    }
    forks_answered(leg);
    ring_stop(c);
    c->b = leg;
    c->phase = CALL_ANSWERED;
    c->b2bua->counts.answered++;
    setup_done(c);
    if (c->had_offer)
        leg_ack(leg, NULL);
    else
        leg->ack_owed = true;
    if (!s) {
        call_end(c, &c->a, (slice){ 0 }, NULL);
        return;
    }
    struct out *o = forks_reply(&c->a, m->status, m->reason);

    headers_record_routes(o, &c->a.dialog);
    headers_ours(o, c->b2bua, server_hop(c->invite), false);
    headers_pass(o, m, headers_how(c, leg->branch) | (session_is_ours(c) ? HEADERS_OUR_TIMER : 0));
    session_answer(o, c);
    if (!server_reply_send(s, headers_type(m), m->body)) {
        (void)server_reply_plain(s, 500);
        c->a.ended = true;
        call_end(c, &c->a, SLICE("SIP;cause=500;text=\"The answer could not be passed on\""), NULL);
        return;
    }
    leg_repeat(&c->a, LEG_REPEATS_2XX, s);
    session_keep(&c->a, m);
    session_answered(c, m);
}
