/* switch/b2bua_join.c - the legs of a transfer come together: our re-INVITEs, and legs that change their call
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "switch/b2bua_transfer_int.h"
#include "switch/checks.h"

#include <stdlib.h>

enum { ATTEMPTS_MAX = 8 };
static const int64_t look_again_ns = 50 * MS;             /* whether the dialog to be changed is at rest */

/* ---- legs that change their call ---- */

struct tally_one **leg_line(struct leg *leg) { return &leg->call->lines[leg == &leg->call->a ? 0 : 1]; }

/* What speaks of the dialog, in the other call's memory. */
bool leg_copy_dialog(struct arena *arena, const struct dialog *from, struct dialog *ret)
{
    struct dialog d = *from;
    slice *const texts[] = { &d.call_id, &d.local_tag, &d.remote_tag, &d.local, &d.remote, &d.target, &d.routes };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i]->len && !(*texts[i] = arena_slice(arena, *texts[i])).ptr)
            return false;
    d.target_room = (uint32_t)d.target.len;
    *ret = d;
    return true;
}

void relay_to_call(struct relay *r, struct b2bua_call *c)
{
    list_remove(&r->in_call);
    r->call->relay_count--;
    r->call = c;
    list_append(&c->relays, &r->in_call);
    c->relay_count++;
}

/* Our INVITEs to a leg go where it goes: their 2xx may be repeated. */
static void relays_follow(struct b2bua_call *c, struct leg *from, struct leg *to)
{
    struct list *next;

    for (struct list *l = c->relays.next; l != &c->relays; l = next) {
        struct relay *r = list_item(l, struct relay, in_call);

        next = l->next;
        if (r->to != from || r->method != SIP_INVITE || !r->done)
            continue;
        r->to = to;
        r->from = NULL;
        if (c != to->call)
            relay_to_call(r, to->call);
    }
}

/* A leg at rest becomes one of another call, in a seat with `copy` of its dialog. What is left of
 * it has ended without a BYE, and acknowledges a first 2xx that is repeated. */
static void leg_move(struct leg *from, const struct dialog *copy, struct leg *to, struct branch *branch)
{
    struct b2bua_call *c = to->call;

    to->branch = branch;
    to->dialog = *copy;
    to->invite_cseq_in = from->invite_cseq_in;
    to->invite_cseq_out = from->invite_cseq_out;
    to->rseq = from->rseq;
    to->ack = from->ack;
    to->ack_len = from->ack_len;
    to->ack_type_len = from->ack_type_len;
    to->ack_owed = from->ack_owed;
    to->acked_once = from->acked_once;
    to->answered = true;
    to->ended = false;
    session_move(from, to);
    from->ack = NULL;
    from->ack_len = from->ack_type_len = 0;
    from->ack_owed = false;
    from->ended = true;
    b2bua_leave_map(from);
    b2bua_join_map(to);
    relays_follow(from->call, from, to);
    relays_follow(c, from, to);
    struct tally_one **line = leg_line(from), **seat = leg_line(to);

    tally_give_back(c->b2bua->lines, seat);
    *seat = *line;
    *line = NULL;
    if (from->branch)
        from->branch->moved = true;
}

/* A branch of the new call for a leg that did not come by an INVITE of it. */
struct branch *seat_new(struct b2bua_call *c, const struct leg *leg)
{
    struct branch *branch = calloc(1, sizeof *branch);
    char token[ENDPOINT_TOKEN_LEN + 1];

    if (!branch)
        return NULL;
    endpoint_token(c->b2bua->endpoint, token);
    *branch = (struct branch){ .kind = B2BUA_BRANCH, .call = c, .over = true, .got_any = true, .status = 200 };
    branch->gateway = trunk_of(leg, &branch->trunk);
    branch->asked.local_tag = arena_slice(&c->arena, slice_of_string(token));
    list_init(&branch->legs);
    list_append(&c->branches, &branch->in_call);
    c->b2bua->memory_bytes += sizeof *branch;
    return branch;
}

static struct leg *seat_leg(struct branch *seat)
{
    struct leg *leg = calloc(1, sizeof *leg);

    if (!leg)
        return NULL;
    leg->call = seat->call;
    leg->branch = seat;
    list_append(&seat->legs, &leg->in_branch);
    seat->call->leg_count++;
    seat->call->b2bua->memory_bytes += sizeof *leg;
    return leg;
}

/* The room that a gateway gives to the call goes along with its leg. */
static void room_moves(struct leg *from, struct branch *seat, struct b2bua_call *c)
{
    if (!from->branch || !from->branch->taken)
        return;
    if (!seat)
        seat = seat_new(c, from);
    if (!seat)
        return;
    seat->taken = true;
    from->branch->taken = false;
}

/* ---- joining ---- */

static bool changes_session(const struct relay *r)
{
    return r->method == SIP_INVITE || (r->method == SIP_UPDATE && r->has_offer);
}

/* May a re-INVITE go there? */
static bool is_at_rest(const struct leg *leg)
{
    const struct b2bua_call *c = leg->call;
    const struct leg *sides[] = { &c->a, c->b };

    for (size_t i = 0; i < ARRAY_LEN(sides); i++)
        if (sides[i] && (sides[i]->repeats != LEG_REPEATS_NOTHING || (sides[i]->ack_owed && !sides[i]->ended)))
            return false;
    for (struct list *l = c->relays.next; l != &c->relays; l = l->next) {
        const struct relay *r = list_item(l, struct relay, in_call);

        if (!r->done && changes_session(r))
            return false;
    }
    return list_is_empty(&c->inbox) && c->phase == CALL_ANSWERED;
}

static bool reinvite(struct transfer *t, struct leg *to, slice type, slice body)
{
    struct b2bua *b = t->b2bua;
    struct relay *r = relay_start(t->t, NULL, to, NULL, NULL);
    struct out *o = r ? dialog_request(b->endpoint, &to->dialog, SIP_INVITE, (slice){ 0 }) : NULL;

    if (o) {
        r->method = SIP_INVITE;
        r->has_offer = body.len != 0;
        to->invite_cseq_out = r->cseq_out = to->dialog.local_cseq;
        to->acked_once = to->ack_owed = false;
        headers_ours(o, b, client_request_hop(b->endpoint), true);
        sip_build_header(o, SIP_H_ALLOW, checks_allow());
        if (session_is_ours(to->call))
            sip_build_header(o, SIP_H_SUPPORTED, SLICE("timer"));
        session_relay(o, to);
        r->client = client_request_send(b->endpoint, type, body, r);
    }
    if (r && r->client) {
        r->transfer = t;
        t->asking = r;
        return true;
    }
    if (r)
        relay_free(r);
    return false;
}

/* The next re-INVITE, as soon as it may go. */
void transfer_join(struct transfer *t)
{
    struct leg *to = t->target && !t->offer ? t->target : t->party;
    slice offer = slice_of(t->offer, t->offer_len);
    int64_t now_ns = b2bua_now(t->b2bua);

    if (now_ns >= t->end_ns) {
        transfer_note_end(t, 504, (slice){ 0 });
        return;
    }
    if (now_ns < t->retry_ns || !is_at_rest(to)) {
        transfer_wake(t, look_again_ns);
        return;
    }
    if (!reinvite(t, to, slice_head(offer, t->offer_type_len), slice_skip(offer, t->offer_type_len)))
        transfer_note_end(t, 500, (slice){ 0 });
}

/* It keeps numbers of gateways as long as the oldest of the calls that its legs come from would have. */
static void inherit(const struct transfer *t, struct b2bua_call *c)
{
    struct b2bua_call *oldest = t->x;

    if (t->y && t->y->sets_seen < oldest->sets_seen)
        oldest = t->y;
    if (c->sets_seen <= oldest->sets_seen)
        return;
    c->sets_seen = oldest->sets_seen;
    list_remove(&c->in_all);
    list_insert_after(&oldest->in_all, &c->in_all);
}

/* Whoever gave the offer gets its answer by ACK, and all legs come together. */
static void joined(struct transfer *t, const struct sip_message *m)
{
    struct b2bua_call *c = t->t;
    struct dialog party, target = { 0 };
    struct leg *b = t->seat ? seat_leg(t->seat) : NULL;
    slice offer = slice_of(t->offer, t->offer_len);

    if ((t->seat && !b) || !leg_copy_dialog(&c->arena, &t->party->dialog, &party) ||
        (t->target && !leg_copy_dialog(&c->arena, &t->target->dialog, &target))) {
        leg_ack(t->party, NULL);
        transfer_note_end(t, 500, (slice){ 0 });
        return;
    }
    t->asking->transfer = NULL;
    t->asking = NULL;
    t->stage = JOINED;
    transfer_leave_service(c);
    t->t = NULL;
    t->b2bua->counts.transferred++;
    if (!t->taken)
        leg_ack(t->party, NULL);
    inherit(t, c);
    room_moves(t->party, t->taken ? t->seat : NULL, c);
    if (t->target) {
        leg_ack(t->target, m);
        room_moves(t->target, t->seat, c);
        leg_move(t->target, &target, b, t->seat);
        c->b = b;
    } else if (!t->taken) {
        leg_ack(c->b, m);
    }
    if (t->taken) {
        leg_move(t->party, &party, b, t->seat);
        session_keep_sdp(b, slice_head(offer, t->offer_type_len), slice_skip(offer, t->offer_type_len));
        answer_2xx(c, b, m);
    } else {
        leg_move(t->party, &party, &c->a, NULL);
        c->phase = CALL_ANSWERED;
        setup_done(c);
        session_keep_sdp(&c->a, slice_head(offer, t->offer_type_len), slice_skip(offer, t->offer_type_len));
        session_keep(c->b, m);
        session_joined(c);
    }
    if (t->seat)                                          /* else it was told when the target was called */
        b2bua_tell_joined(c, &b->dialog);
    transfer_wake(t, 0);
}

/* ---- answers to our re-INVITEs ---- */

static enum anchor anchor_answer(struct transfer *t, struct relay *r, const struct sip_message *m, const struct hop *from)
{
    struct branch *branch = t->seat ? t->seat : t->t->b->branch;
    slice tag = t->taken ? t->party->dialog.remote_tag : t->target ? t->target->dialog.remote_tag : t->t->b->dialog.remote_tag;
    struct anchor_sdp sdp = { .branch = branch, .tag = tag, .by_b = t->taken || r->to == t->target, .answers = r->has_offer };

    return anchor_message(t->t, &sdp, &(struct anchor_place){ .relay = r }, m, from);
}

static void got_2xx(struct transfer *t, struct relay *r, const struct sip_message *m, const struct hop *from)
{
    enum anchor anchor;

    if (r->done) {
        answer_again(r->to, m->cseq.number);
        return;
    }
    if (t->status) {                                      /* given up meanwhile */
        r->done = true;
        leg_ack(r->to, NULL);
        return;
    }
    anchor = anchor_answer(t, r, m, from);
    if (anchor == ANCHOR_WAIT)
        return;
    r->done = true;
    dialog_refresh(&r->to->call->arena, m, from, &r->to->dialog);
    session_reinvited(r->to, m);
    if (anchor == ANCHOR_FAIL || !m->body.len) {
        leg_ack(r->to, NULL);
        transfer_note_end(t, anchor == ANCHOR_FAIL ? anchor_status(t->t) : 488, (slice){ 0 });
    } else if (r->to == t->party) {
        joined(t, m);
    } else if (transfer_keep_offer(t, m)) {                        /* the target's */
        r->to->ack_owed = true;
        r->transfer = NULL;
        t->asking = NULL;
        transfer_wake(t, 0);
    } else {
        leg_ack(r->to, NULL);
    }
}

static void try_later(struct transfer *t, const struct leg *leg)
{
    int64_t wait_ns = session_glare_ns(leg);

    t->retry_ns = b2bua_now(t->b2bua) + wait_ns;
    transfer_wake(t, wait_ns);
}

/* Nobody is there any more (RFC 5057, 5.1): its call ends as it would by any other request. */
static void end_lost(struct leg *leg, unsigned status)
{
    call_end(leg->call, NULL, status == 481 ? SLICE("SIP;cause=481;text=\"The other side has no such call\"")
                                            : SLICE("SIP;cause=408;text=\"The other side does not answer\""), NULL);
}

void transfer_response(struct relay *r, const struct sip_message *m, const struct hop *from)
{
    struct transfer *t = r->transfer;
    struct leg *to = r->to;
    uint32_t rseq;

    if (m->status < 200) {
        if (is_reliable_1xx(m, &rseq) && rseq != to->rseq && to->call->relay_count < RELAYS_MAX) {
            to->rseq = rseq;
            leg_prack(to);
        }
        return;
    }
    if (m->status < 300) {
        got_2xx(t, r, m, from);
        return;
    }
    if (trunk_relay_again(r, m))
        return;
    r->done = true;
    if (m->status == 491 && ++t->attempts < ATTEMPTS_MAX) {
        try_later(t, to);
    } else {
        transfer_note_end(t, trunk_refused(to, m->status) ? 403 : m->status, m->reason);
        if (m->status == 481 || m->status == 408)
            end_lost(to, m->status);
    }
    relay_free(r);
}

void transfer_failed(struct relay *r, enum endpoint_failure why)
{
    struct transfer *t = r->transfer;
    struct leg *to = r->to;

    r->done = true;
    transfer_note_end(t, why == ENDPOINT_HOP_LOST ? 503 : 408, (slice){ 0 });
    end_lost(to, 408);
    relay_free(r);
}
