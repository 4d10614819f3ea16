/* switch/b2bua_transfer.c - one transfer: calling, joining, failing (RFC 3515, 3725, 3891, 3892, 4488, 5589, 7647)
 * SPDX-License-Identifier: Apache-2.0
 *
 *     call x:  referrer ---- party            REFER comes from the referrer, and goes no further.
 *     call y:  consult ----- target           Only when Refer-To names it with Replaces.
 *     call t:  party ------- target           What is made of them: a call like any other.
 *
 * Blind: t is set up as every call, by the router, with the referrer's rights and without SDP; the
 * offer in the target's 200 goes to the party by a re-INVITE within x, its answer is the ACK of
 * that 200 (RFC 3725, flow I), and then the party's leg moves from x to t. Attended: the target
 * is asked for its offer by a re-INVITE within y, the rest is the same, and its leg moves, too. An INVITE
 * with Replaces from outside is t itself: its sender takes the referrer's place, so the party gets
 * its offer by re-INVITE, and moves.
 *
 * Until a leg moves, its call goes on as if nothing were: whatever fails costs the new call only,
 * and the referrer hears with which code. It may hang up meanwhile; the party then waits for the
 * outcome. What happens is noted where it happens and acted on from the timer (transfer_time), so that no call is
 * freed under the feet of whoever handles a message of it. One transfer of a call at a time. */
#include "switch/b2bua_transfer_int.h"

#include <stdlib.h>

static const int64_t leave_ns = 5 * SECOND_NS;            /* for the referrer's own BYE */

/* 200: nothing went wrong. */
static const slice transferred = SLICE_INIT("SIP;cause=200;text=\"Transferred\"");
static const slice not_transferred = SLICE_INIT("SIP;cause=487;text=\"The transfer was given up\"");

void transfer_wake(struct transfer *t, int64_t delay_ns)
{
    wheel_set(&t->b2bua->transfer_wheel, &t->timer, b2bua_now(t->b2bua) + delay_ns);
}

/* ---- life ---- */

struct transfer *transfer_new(struct b2bua_call *x, struct leg *referrer, struct leg *party)
{
    struct transfer *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->b2bua = x->b2bua;
    t->x = x;
    t->referrer = referrer;
    t->party = party;
    x->transfer = t;
    t->b2bua->memory_bytes += sizeof *t;
    t->b2bua->counts.transfers++;
    return t;
}

static void forget_offer(struct transfer *t)
{
    t->b2bua->memory_bytes -= t->offer_len;
    free(t->offer);
    t->offer = NULL;
    t->offer_len = t->offer_type_len = 0;
}

void transfer_leave_service(struct b2bua_call *c)
{
    c->transfer = NULL;
    c->serves = false;
}

static void transfer_free(struct transfer *t)
{
    if (t->x)
        t->x->transfer = NULL;
    if (t->y)
        t->y->transfer = NULL;
    if (t->t)
        transfer_leave_service(t->t);
    if (t->asking)
        t->asking->transfer = NULL;
    wheel_clear(&t->b2bua->transfer_wheel, &t->timer);
    forget_offer(t);
    t->b2bua->memory_bytes -= sizeof *t;
    free(t);
}

void transfer_forget_relay(struct relay *r)
{
    if (r->transfer)
        r->transfer->asking = NULL;
    r->transfer = NULL;
}

void transfer_forget(struct b2bua_call *c)
{
    struct transfer *t = c->transfer;

    if (!t)
        return;
    if (t->asking && t->asking->call == c)                /* it goes with its call */
        transfer_forget_relay(t->asking);
    if (t->x == c)
        t->x = NULL;
    if (t->y == c)
        t->y = NULL;
    if (t->t == c)
        t->t = NULL;
    if (!t->x && !t->y && !t->t)
        transfer_free(t);
}

/* The first one counts. */
void transfer_note_end(struct transfer *t, unsigned status, slice phrase)
{
    if (t->status || t->stage == JOINED)
        return;
    t->status = (uint16_t)status;
    t->phrase_len = phrase.len < PHRASE_MAX ? phrase.len : PHRASE_MAX;
    if (t->phrase_len)
        memcpy(t->phrase, phrase.ptr, t->phrase_len);
    transfer_wake(t, 0);
}

/* For the party, with the codecs that its side may have. False: it failed, and that is noted. */
bool transfer_keep_offer(struct transfer *t, const struct sip_message *m)
{
    slice type = headers_type(m);
    struct sip_message offer = *m;

    if (!codecs_filter_to(t->party, &offer)) {
        transfer_note_end(t, 488, (slice){ 0 });
        return false;
    }
    forget_offer(t);
    t->offer = malloc(type.len + offer.body.len + 1);
    if (!t->offer) {
        transfer_note_end(t, 500, (slice){ 0 });
        return false;
    }
    if (type.len)
        memcpy(t->offer, type.ptr, type.len);
    if (offer.body.len)
        memcpy(t->offer + type.len, offer.body.ptr, offer.body.len);
    t->offer_type_len = type.len;
    t->offer_len = type.len + offer.body.len;
    t->b2bua->memory_bytes += t->offer_len;
    return true;
}

/* ---- from its setup ---- */

void transfer_progress(struct leg *leg, const struct sip_message *m, uint32_t rseq)
{
    struct transfer *t = leg->call->transfer;

    if (rseq && (leg->call->relay_count >= RELAYS_MAX || !leg->branch->invite || client_is_answered(leg->branch->invite)))
        return;
    if (rseq) {
        leg->rseq = rseq;
        leg_prack(leg);
    }
    if (t->stage == CALLING && !t->status)
        transfer_notify(t, m->status, m->reason, false);
}

void transfer_refused(struct b2bua_call *c, unsigned status, slice phrase)
{
    transfer_note_end(c->transfer, status, phrase);
}

void transfer_answered(struct b2bua_call *c, struct leg *leg, const struct sip_message *m)
{
    struct transfer *t = c->transfer;

    ring_stop(c);
    c->b = leg;
    c->phase = CALL_ANSWERED;
    leg->ack_owed = true;
    setup_done(c);
    session_answered(c, m);
    if (t->status)                                        /* given up meanwhile: the party may be gone */
        return;
    if (!headers_have_offer(m)) {
        transfer_note_end(t, 488, (slice){ 0 });
        return;
    }
    if (!transfer_keep_offer(t, m))
        return;
    t->stage = JOINING;
    t->end_ns = b2bua_now(c->b2bua) + JOIN_MAX_NS;
    transfer_wake(t, 0);
}

/* ---- the end of it ---- */

/* Our re-INVITEs belong to the dialogs that they went to; what is open is given up. */
static void let_go(struct transfer *t)
{
    struct b2bua_call *c = t->t;
    struct list *next;

    if (!c)
        return;
    for (struct list *l = c->relays.next; l != &c->relays; l = next) {
        struct relay *r = list_item(l, struct relay, in_call);

        next = l->next;
        if (r->to->call == c)
            continue;
        transfer_forget_relay(r);
        if (!anchor_hurry_relay(r))
            continue;
        relay_to_call(r, r->to->call);
        if (!r->done)
            relay_give_up(r);
    }
}

/* It goes on, unless one side of it has left. */
static void go_on(struct b2bua_call *c, const struct leg *left)
{
    if (!c)
        return;
    if (left->ended)
        call_end(c, NULL, not_transferred, NULL);
    call_release(c);
}

static void fail(struct transfer *t)
{
    struct b2bua_call *x = t->x, *y = t->y, *c = t->t;
    struct leg *referrer = t->referrer, *consult = t->consult, *target = t->target;

    unsigned status = t->status;

    let_go(t);
    transfer_notify(t, status, slice_of(t->phrase, t->phrase_len), true);
    if (y && t->offer && target->ack_owed)                /* the answer that it waits for will not come */
        leg_ack(target, NULL);
    transfer_free(t);
    if (c) {
        setup_give_up(c, status, not_transferred);
        call_end(c, NULL, not_transferred, NULL);
        call_release(c);
    }
    go_on(x, referrer);
    go_on(y, consult);
}

/* The referrer is through: it knows, and leaves by itself or is sent away. */
static void finish(struct transfer *t)
{
    struct b2bua_call *x = t->x, *y = t->y;
    bool at_once = t->taken || t->quiet || !x || t->referrer->ended;

    transfer_notify(t, 200, (slice){ 0 }, true);
    transfer_free(t);
    if (x) {
        x->handed_over = true;
        if (at_once)
            call_end(x, NULL, transferred, NULL);
        else if (x->phase == CALL_ANSWERED)
            wheel_set(&x->b2bua->call_wheel, &x->timer, x->duration_end_ns = b2bua_now(x->b2bua) + leave_ns);
        call_release(x);
    }
    if (y) {
        y->handed_over = true;
        call_end(y, NULL, transferred, NULL);
        call_release(y);
    }
}

void transfer_over(struct b2bua_call *c) { call_end(c, NULL, transferred, NULL); }

void transfer_time(struct b2bua *b)
{
    struct wheel_timer *timer;

    while ((timer = wheel_due(&b->transfer_wheel, b->now_ns))) {
        struct transfer *t = wheel_item(timer, struct transfer, timer);

        if (t->stage == JOINED)
            finish(t);
        else if (!t->status && t->stage == CALLING)
            transfer_notify(t, t->told, (slice){ 0 }, false);      /* that the referrer has heard enough */
        else if (!t->status && t->stage == JOINING && !t->asking)
            transfer_join(t);
        else if (t->status)
            fail(t);
    }
}

/* ---- what crosses it ---- */

/* Before its legs are told. */
void transfer_call_ends(struct b2bua_call *c)
{
    struct transfer *t = c->transfer;

    if (!t || t->stage == JOINED)
        return;
    transfer_note_end(t, 487, (slice){ 0 });
    let_go(t);
    if (c == t->x)
        transfer_notify(t, t->status, slice_of(t->phrase, t->phrase_len), true);
}

/* What the two still ask of each other gets an end. */
static void part(struct b2bua_call *c, const struct leg *left)
{
    struct list *next;

    for (struct list *l = c->relays.next; l != &c->relays; l = next) {
        struct relay *r = list_item(l, struct relay, in_call);

        next = l->next;
        if (!r->from || r->done)
            continue;
        if (r->server && server_status(r->server) < 200)
            server_reply_plain(r->server, r->from == left ? 487 : 500);
        if (r->method == SIP_INVITE && r->client)
            relay_give_up(r);
        else
            relay_free(r);
    }
}

/* The referrer need not wait for the outcome: the other side does. */
bool transfer_left(struct leg *from)
{
    struct transfer *t = from->call->transfer;

    if (!t || from->call->serves || t->taken || t->stage == JOINED || t->status || (from != t->referrer && from != t->consult))
        return false;
    if (from->ack_owed)
        leg_ack(from, NULL);
    leg_stop(from);
    from->ended = true;
    from->bye_wanted = false;
    from->session.interval_s = 0;
    part(from->call, from);
    struct leg *stays = from == t->referrer ? t->party : t->target;

    if (stays->ack_owed && !(stays == t->target && t->offer))     /* for an answer that would have come from there */
        leg_ack(stays, NULL);
    return true;
}

bool transfer_asks(const struct b2bua_call *c)
{
    return c->transfer && !c->serves && c->transfer->asking && c->transfer->asking->to->call == c;
}
