/* switch/b2bua_transfer.c - REFER and Replaces, carried out here (RFC 3515, 3725, 3891, 3892, 4488, 5589, 7647)
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
 * outcome. What happens is noted where it happens and acted on from the timer (`due`), so that no call is
 * freed under the feet of whoever handles a message of it. One transfer of a call at a time. */
#include "codes/code.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/route.h"
#include "sip/uri.h"
#include "sip/values.h"
#include "switch/b2bua_int.h"
#include "switch/checks.h"

#include <stdlib.h>

#define MS 1000000ll
#define SECOND_NS (1000 * MS)

enum { NOTES_MAX = 12, ATTEMPTS_MAX = 8, PHRASE_MAX = 64, REPLACES_MAX = 512, URI_MAX = 2048, SUBSCRIPTION_S = 180 };
static const int64_t look_again_ns = 50 * MS;             /* whether the dialog to be changed is at rest */
static const int64_t join_max_ns = 20 * SECOND_NS;        /* from the target's answer to that of the party */
static const int64_t leave_ns = 5 * SECOND_NS;            /* for the referrer's own BYE */

/* 200: nothing went wrong. */
static const slice transferred = SLICE_INIT("SIP;cause=200;text=\"Transferred\"");
static const slice not_transferred = SLICE_INIT("SIP;cause=487;text=\"The transfer was given up\"");

enum stage { CALLING, JOINING, JOINED };

struct transfer {
    struct b2bua      *b2bua;
    struct b2bua_call *x, *y, *t;    /* NULL: none, or gone */
    struct leg        *referrer, *party;                  /* of x */
    struct leg        *consult, *target;                  /* of y */
    struct branch     *seat;         /* of t, for a leg that moves there as its b; NULL: not needed */
    struct relay      *asking;       /* our re-INVITE that is open */
    struct wheel_timer timer;
    int64_t            end_ns, retry_ns;
    int64_t            listens_ns;   /* until then the referrer listens to NOTIFY */
    char              *offer;        /* type and body of the target's, or of who takes the place */
    size_t             offer_type_len, offer_len;
    uint32_t           cseq;         /* of the REFER */
    uint16_t           status, told; /* how it failed, 0: it did not; the last one that the referrer heard */
    uint8_t            stage, notes, attempts;
    bool               names_cseq;   /* in Event: it is not the first REFER of that dialog */
    bool               taken;        /* an INVITE with Replaces, no REFER */
    bool               quiet;        /* nobody listens to NOTIFY */
    char               phrase[PHRASE_MAX];
    size_t             phrase_len;
};

static void wake(struct transfer *t, int64_t delay_ns)
{
    wheel_set(&t->b2bua->transfer_wheel, &t->timer, b2bua_now(t->b2bua) + delay_ns);
}

/* ---- life ---- */

static struct transfer *transfer_new(struct b2bua_call *x, struct leg *referrer, struct leg *party)
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

static void leave_service(struct b2bua_call *c)
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
        leave_service(t->t);
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
static void note_end(struct transfer *t, unsigned status, slice phrase)
{
    if (t->status || t->stage == JOINED)
        return;
    t->status = (uint16_t)status;
    t->phrase_len = phrase.len < PHRASE_MAX ? phrase.len : PHRASE_MAX;
    if (t->phrase_len)
        memcpy(t->phrase, phrase.ptr, t->phrase_len);
    wake(t, 0);
}

/* For the party, with the codecs that its side may have. False: it failed, and that is noted. */
static bool keep_offer(struct transfer *t, const struct sip_message *m)
{
    slice type = headers_type(m);
    struct sip_message offer = *m;

    if (!codecs_filter_to(t->party, &offer)) {
        note_end(t, 488, (slice){ 0 });
        return false;
    }
    forget_offer(t);
    t->offer = malloc(type.len + offer.body.len + 1);
    if (!t->offer) {
        note_end(t, 500, (slice){ 0 });
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

/* ---- what the referrer hears ---- */

static void put_event(struct out *o, const struct transfer *t)
{
    out_text(o, SLICE("Event: refer"));
    if (t->names_cseq) {
        out_text(o, SLICE(";id="));
        out_u64(o, t->cseq);
    }
    out_text(o, SLICE("\r\n"));
}

/* For whole seconds, and none at the end of it. */
static uint64_t listens_s(const struct transfer *t)
{
    int64_t left_ns = t->listens_ns - b2bua_now(t->b2bua);

    return left_ns > 0 ? (uint64_t)((left_ns + SECOND_NS - 1) / SECOND_NS) : 0;
}

/* The status line as it was, in a NOTIFY. A peer that rings in ever new ways is not quoted for ever. */
static void notify(struct transfer *t, unsigned status, slice phrase, bool final)
{
    bool expired = !listens_s(t);
    struct b2bua *b = t->b2bua;
    struct relay *r;
    struct out *o;

    if (t->quiet || t->taken || !t->x || t->referrer->ended ||
        (!final && !expired && (status == t->told || t->notes >= NOTES_MAX)))
        return;
    t->notes++;
    t->told = (uint16_t)status;
    t->quiet = final || expired;
    out_clear(&b->scratch);
    sip_build_status(&b->scratch, status, phrase.len ? phrase : code_phrase(status));
    r = relay_start(t->x, NULL, t->referrer, NULL, NULL);
    o = r ? dialog_request(b->endpoint, &t->referrer->dialog, SIP_NOTIFY, (slice){ 0 }) : NULL;
    if (o) {
        r->method = SIP_NOTIFY;
        headers_ours(o, b, client_request_hop(b->endpoint), true);
        put_event(o, t);
        out_text(o, SLICE("Subscription-State: "));
        if (t->quiet) {
            out_text(o, final ? SLICE("terminated;reason=noresource\r\n") : SLICE("terminated;reason=timeout\r\n"));
        } else {
            out_text(o, SLICE("active;expires="));
            out_u64(o, listens_s(t));
            out_text(o, SLICE("\r\n"));
        }
        r->client = client_request_send(b->endpoint, SLICE("message/sipfrag;version=2.0"), out_taken(&b->scratch), r);
    }
    if (r && !r->client)
        relay_free(r);
}

/* RFC 6665, 4.2.2: who does not take it has no subscription any more. */
void transfer_unheard(const struct relay *r)
{
    const struct b2bua_call *c = r->call;

    if (r->method == SIP_NOTIFY && !r->from && c->transfer && !c->serves && r->to == c->transfer->referrer)
        c->transfer->quiet = true;
}

/* ---- legs that change their call ---- */

static struct tally_one **line_of(struct leg *leg) { return &leg->call->lines[leg == &leg->call->a ? 0 : 1]; }

/* What speaks of the dialog, in the other call's memory. */
static bool dialog_copy(struct arena *arena, const struct dialog *from, struct dialog *ret)
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

static void relay_to_call(struct relay *r, struct b2bua_call *c)
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
    struct tally_one **line = line_of(from), **seat = line_of(to);

    tally_give_back(c->b2bua->lines, seat);
    *seat = *line;
    *line = NULL;
    if (from->branch)
        from->branch->moved = true;
}

/* A branch of the new call for a leg that did not come by an INVITE of it. */
static struct branch *seat_new(struct b2bua_call *c, const struct leg *leg)
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

/* ---- the call that is made ---- */

/* Strangers are counted, too, by what is no name (router.h). */
static slice user_of(struct leg *leg)
{
    const struct tally_one *line = *line_of(leg);
    uint16_t trunk;
    slice name = line && !trunk_of(leg, &trunk) ? tally_name(line) : (slice){ 0 };

    return name.len && (unsigned char)name.ptr[0] >= ' ' ? name : (slice){ 0 };
}

/* P-Asserted-Identity of a user of ours. */
static slice identity_of(struct leg *leg, struct b2bua_call *c)
{
    struct out *o = &c->b2bua->scratch;

    if (!user_of(leg).len)
        return (slice){ 0 };
    out_clear(o);
    out_text(o, SLICE("<sip:"));
    sip_build_text(o, user_of(leg));
    out_char(o, '>');
    return arena_slice(&c->setup->arena, out_taken(o));
}

/* Whose rights decide where it may go. */
bool transfer_rights(const struct b2bua_call *c, struct route_referrer *ret)
{
    const struct transfer *t = c->serves ? c->transfer : NULL;

    if (!t || !t->x || t->taken)
        return false;
    ret->user = user_of(t->referrer);
    ret->party = user_of(t->party);
    ret->gateway = trunk_of(t->referrer, &ret->trunk);
    return true;
}

static bool hides(const struct leg *leg)
{
    const struct b2bua_call *c = leg->call;

    return leg == &c->a && (c->caller_hides || c->privacy & (PRIVACY_ID | PRIVACY_USER | PRIVACY_HEADER));
}

static void write_invite(struct out *o, const struct transfer *t, const struct sip_message *refer, slice uri)
{
    const struct b2bua_call *x = t->x;

    out_clear(o);
    sip_build_request(o, SLICE("INVITE"), uri);
    out_text(o, SLICE("From: "));
    sip_build_text(o, t->party->dialog.remote);
    out_text(o, SLICE(";tag="));
    out_text(o, t->party->dialog.local_tag);
    out_text(o, SLICE("\r\nTo: <"));
    sip_build_text(o, uri);
    out_text(o, SLICE(">\r\n"));
    sip_build_header(o, SIP_H_CALL_ID, t->party->dialog.call_id);
    sip_build_cseq(o, 1, SLICE("INVITE"));
    sip_build_header(o, SIP_H_ALLOW, checks_allow());
    if (t->party == &x->a)
        privacy_ask(o, x->privacy);
    if (!hides(t->referrer) && !sip_build_copy(o, refer, SIP_H_REFERRED_BY))
        sip_build_header(o, SIP_H_REFERRED_BY, t->referrer->dialog.remote);
    sip_build_body(o, (slice){ 0 }, (slice){ 0 });
}

/* Its leg a is the party's seat: closed until it is taken. */
static bool begin_call(struct transfer *t, const struct sip_message *refer, slice uri)
{
    struct b2bua *b = t->b2bua;
    struct b2bua_call *x = t->x, *c;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;

    write_invite(&b->scratch, t, refer, uri);
    if (b->scratch.error || sip_message_parse(out_taken(&b->scratch), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0 ||
        !(c = setup_call(b, NULL, &m)))
        return false;
    t->t = c;
    c->transfer = t;
    c->serves = true;
    c->a.ended = true;
    c->session_timer = x->session_timer;
    c->reliable_mode = x->reliable_mode;
    c->precondition_mode = x->precondition_mode;
    if (t->party == &x->a) {
        c->caller_trusted = x->caller_trusted;
        c->caller_hides = x->caller_hides;
        c->privacy = x->privacy;
    }
    c->by_gateway = trunk_of(t->party, &c->caller_trunk);
    c->setup->asserted = identity_of(t->party, c);
    c->anchor_number = (uint32_t)b2bua_random(b) | 1;
    ring_all(c);                                          /* the party hears nothing of it, and cannot give up */
    if (!dialog_copy(&c->arena, &t->party->dialog, &c->a.dialog))
        return false;
    out_clear(&b->scratch);
    out_char(&b->scratch, '<');
    sip_build_text(&b->scratch, uri);
    out_char(&b->scratch, '>');
    c->a.dialog.local = arena_slice(&c->arena, out_taken(&b->scratch));
    return c->a.dialog.local.ptr != NULL;
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
        notify(t, m->status, m->reason, false);
}

void transfer_refused(struct b2bua_call *c, unsigned status, slice phrase) { note_end(c->transfer, status, phrase); }

void transfer_answered(struct b2bua_call *c, struct leg *leg, const struct sip_message *m)
{
    struct transfer *t = c->transfer;

    ring_stop(c);
    c->b = leg;
    c->phase = CALL_ANSWERED;
    leg->ack_owed = true;
    setup_done(c);
    session_answered(c, m);
    if (!headers_have_offer(m)) {
        note_end(t, 488, (slice){ 0 });
        return;
    }
    if (!keep_offer(t, m))
        return;
    t->stage = JOINING;
    t->end_ns = b2bua_now(c->b2bua) + join_max_ns;
    wake(t, 0);
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
static void join(struct transfer *t)
{
    struct leg *to = t->target && !t->offer ? t->target : t->party;
    slice offer = slice_of(t->offer, t->offer_len);
    int64_t now_ns = b2bua_now(t->b2bua);

    if (now_ns >= t->end_ns) {
        note_end(t, 504, (slice){ 0 });
        return;
    }
    if (now_ns < t->retry_ns || !is_at_rest(to)) {
        wake(t, look_again_ns);
        return;
    }
    if (!reinvite(t, to, slice_head(offer, t->offer_type_len), slice_skip(offer, t->offer_type_len)))
        note_end(t, 500, (slice){ 0 });
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

    if ((t->seat && !b) || !dialog_copy(&c->arena, &t->party->dialog, &party) ||
        (t->target && !dialog_copy(&c->arena, &t->target->dialog, &target))) {
        leg_ack(t->party, NULL);
        note_end(t, 500, (slice){ 0 });
        return;
    }
    t->asking->transfer = NULL;
    t->asking = NULL;
    t->stage = JOINED;
    leave_service(c);
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
    wake(t, 0);
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
        note_end(t, anchor == ANCHOR_FAIL ? anchor_status(t->t) : 488, (slice){ 0 });
    } else if (r->to == t->party) {
        joined(t, m);
    } else if (keep_offer(t, m)) {                        /* the target's */
        r->to->ack_owed = true;
        r->transfer = NULL;
        t->asking = NULL;
        wake(t, 0);
    } else {
        leg_ack(r->to, NULL);
    }
}

static void try_later(struct transfer *t, const struct leg *leg)
{
    int64_t wait_ns = session_glare_ns(leg);

    t->retry_ns = b2bua_now(t->b2bua) + wait_ns;
    wake(t, wait_ns);
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
        note_end(t, trunk_refused(to, m->status) ? 403 : m->status, m->reason);
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
    note_end(t, why == ENDPOINT_HOP_LOST ? 503 : 408, (slice){ 0 });
    end_lost(to, 408);
    relay_free(r);
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
    notify(t, status, slice_of(t->phrase, t->phrase_len), true);
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

    notify(t, 200, (slice){ 0 }, true);
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
            notify(t, t->told, (slice){ 0 }, false);      /* that the referrer has heard enough */
        else if (!t->status && t->stage == JOINING && !t->asking)
            join(t);
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
    note_end(t, 487, (slice){ 0 });
    let_go(t);
    if (c == t->x)
        notify(t, t->status, slice_of(t->phrase, t->phrase_len), true);
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

/* ---- REFER ---- */

static void refuse(struct server_transaction *s, unsigned status, slice phrase)
{
    server_reply(s, status, phrase);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

static unsigned count_of(const struct sip_message *m, enum sip_header_id id)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->header_count; i++)
        n += m->headers[i].id == id;
    return n;
}

static struct leg *leg_named(struct b2bua *b, const struct sip_replaces *name)
{
    const struct sip_message m = { .call_id = name->call_id, .to.tag = name->to_tag, .from.tag = name->from_tag };

    return b2bua_find(b, &m);
}

/* RFC 3891, 3: 0 when it can be replaced. An early dialog is one that its caller began, not we, or
 * one of several of a call that is only being set up. */
static unsigned cannot_replace(const struct leg *leg, const struct sip_replaces *name)
{
    const struct b2bua_call *c = leg ? leg->call : NULL;

    if (!leg)
        return 481;
    if (leg->ended || c->phase == CALL_ENDING || c->handed_over)
        return 603;
    if (c->phase == CALL_SETUP)
        return leg == &c->a ? 481 : 603;
    if (name->early_only)
        return 486;
    if (leg != &c->a && leg != c->b)
        return 603;
    return c->transfer ? 491 : 0;
}

static struct leg *other_of(struct leg *leg) { return leg == &leg->call->a ? leg->call->b : &leg->call->a; }

/* The call that is to be joined with this one. */
static void find_consultation(struct transfer *t, const struct sip_replaces *name)
{
    struct leg *leg = leg_named(t->b2bua, name);
    unsigned status = leg && leg->call == t->x ? 603 : cannot_replace(leg, name);

    if (status) {
        note_end(t, status, (slice){ 0 });
        return;
    }
    t->y = leg->call;
    t->y->transfer = t;
    t->consult = leg;
    t->target = other_of(leg);
    t->seat = seat_new(t->t, t->target);
    if (!t->seat) {
        note_end(t, 500, (slice){ 0 });
        return;
    }
    t->stage = JOINING;
    t->end_ns = b2bua_now(t->b2bua) + join_max_ns;
    wake(t, 0);
}

/* 200 for who knows of RFC 4488 or later; who does not may wait for a 202 (RFC 7647, 2.2). */
static void accept_refer(struct transfer *t, struct server_transaction *s, const struct sip_message *m)
{
    const struct sip_header *sub = sip_header_find(m, SIP_H_REFER_SUB);
    bool modern = sub || sip_values_have(m, SIP_H_SUPPORTED, SLICE("norefersub")) ||
                  sip_values_have(m, SIP_H_SUPPORTED, SLICE("nosub"));
    struct out *o = server_reply(s, modern ? 200 : 202, (slice){ 0 });

    t->quiet = sub && slice_starts_nocase(slice_trim(sub->value), SLICE("false"));
    headers_ours(o, t->b2bua, server_hop(s), false);
    if (t->quiet)
        sip_build_header(o, SIP_H_REFER_SUB, SLICE("false"));
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
    t->told = 0;
}

/* The URI that is to be called: without headers, which are for the new request, and which it must
 * not choose. False: that is no call. */
static bool target_of(const struct sip_name_addr *addr, char *text, size_t room, slice *ret)
{
    struct sip_uri uri;
    slice method = SLICE("INVITE");
    size_t len = addr->uri.len;

    if (!sip_uri_parse(addr->uri, &uri) || (sip_param_find(uri.params, SLICE("method"), &method) &&
                                            !slice_eq_nocase(method, SLICE("INVITE"))))
        return false;
    if (uri.headers.len)
        len = (size_t)(uri.headers.ptr - addr->uri.ptr) - 1;
    if (len > room)
        return false;
    memcpy(text, addr->uri.ptr, len);
    *ret = slice_of(text, len);
    return true;
}

static unsigned read_refer_to(const struct sip_message *m, struct sip_name_addr *ret, slice *ret_phrase)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_REFER_TO);
    struct sip_uri uri;

    *ret_phrase = (slice){ 0 };
    if (count_of(m, SIP_H_REFER_TO) != 1 || !sip_name_addr_parse(h->value, ret) || !sip_uri_parse(ret->uri, &uri)) {
        *ret_phrase = SLICE("Missing, Repeated or Unreadable Refer-To");
        return 400;
    }
    return uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS || uri.scheme == SIP_SCHEME_TEL ? 0 : 416;
}

static void refer(struct leg *from, struct leg *party, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = from->call;
    char text[URI_MAX], room[REPLACES_MAX];
    struct sip_replaces name;
    struct sip_name_addr addr;
    struct sip_uri parts;
    struct transfer *t;
    slice uri, phrase, replaces;
    unsigned status = read_refer_to(m, &addr, &phrase);

    if (c->b2bua->settings.transfer == B2BUA_TRANSFER_OFF) {
        refuse(s, 403, SLICE("Transfers Are Switched Off"));
    } else if (status) {
        refuse(s, status, phrase);
    } else if (c->phase != CALL_ANSWERED || !target_of(&addr, text, sizeof text, &uri)) {
        refuse(s, 603, (slice){ 0 });
    } else if (c->transfer) {
        refuse(s, 491, (slice){ 0 });
    } else if (sip_uri_parse(addr.uri, &parts) && sip_uri_header_find(parts.headers, SLICE("Replaces"), &replaces) &&
               !sip_refer_replaces(sip_header_find(m, SIP_H_REFER_TO)->value, room, sizeof room, &name)) {
        refuse(s, 400, SLICE("Unreadable Replaces in Refer-To"));
    } else if (!(t = transfer_new(c, from, party))) {
        refuse(s, 500, (slice){ 0 });
    } else {
        bool attended = sip_refer_replaces(sip_header_find(m, SIP_H_REFER_TO)->value, room, sizeof room, &name);

        t->cseq = m->cseq.number;
        t->listens_ns = b2bua_now(t->b2bua) + SUBSCRIPTION_S * SECOND_NS;
        t->names_cseq = c->refers != 0;
        c->refers = 1;
        accept_refer(t, s, m);
        notify(t, 100, (slice){ 0 }, false);
        wake(t, SUBSCRIPTION_S * SECOND_NS);
        if (!begin_call(t, m, uri))
            note_end(t, 503, (slice){ 0 });
        else if (attended)
            find_consultation(t, &name);
        else
            (void)setup_route(t->t, uri, (slice){ 0 });
    }
}

/* To the subscription that a REFER made (RFC 3515, 2.4.4): it can be kept or ended, there is nothing else to it. */
static void subscribe(struct leg *from, struct server_transaction *s, const struct sip_message *m)
{
    struct transfer *t = from->call->transfer;
    const struct sip_header *h = sip_header_find(m, SIP_H_EXPIRES);
    uint32_t expires_s = SUBSCRIPTION_S;

    if (!t || t->taken || from != t->referrer || t->quiet) {
        server_reply_plain(s, 481);
        return;
    }
    if (h && slice_to_u32(slice_trim(h->value), &expires_s) && expires_s > SUBSCRIPTION_S)
        expires_s = SUBSCRIPTION_S;
    struct out *o = server_reply(s, 200, (slice){ 0 });

    headers_ours(o, t->b2bua, server_hop(s), false);
    sip_build_header_u32(o, SIP_H_EXPIRES, expires_s);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
    unsigned told = t->told;

    t->told = 0;
    t->listens_ns = b2bua_now(t->b2bua) + expires_s * SECOND_NS;
    if (t->stage == CALLING && !t->status)
        wake(t, expires_s * SECOND_NS);
    notify(t, told ? told : 100, (slice){ 0 }, false);
}

static bool is_of_refer(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_EVENT);
    struct sip_event event;

    return h && sip_event_parse(h->value, &event) && slice_eq_nocase(event.package, SLICE("refer"));
}

static void take_offer(struct transfer *t, const struct sip_message *m);

/* The call that it names lives in another worker, and calls never move: the party is told, and takes the place
 * there itself, by an INVITE with Replaces, which is steered by the tag that is named. */
static bool consults_elsewhere(const struct b2bua *b, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_REFER_TO);
    char room[REPLACES_MAX];
    struct sip_replaces name;
    unsigned worker;

    return !b->own_lines && h && sip_refer_replaces(h->value, room, sizeof room, &name) &&
           endpoint_token_worker(name.to_tag, &worker) && worker != endpoint_worker(b->endpoint);
}

bool transfer_request(struct leg *from, struct leg *to, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = from->call;
    const struct transfer *t = c->transfer;

    if (c->serves && s == c->invite) {                    /* the INVITE itself: the media relay has seen its offer */
        server_set_owner(s, c);
        take_offer(c->transfer, m);
        return true;
    }
    if (c->serves || (t && to && to->ended && t->stage != JOINED && (to == t->referrer || to == t->consult))) {
        sip_build_header_u32(server_reply(s, 500, (slice){ 0 }), SIP_H_RETRY_AFTER, 1 + (uint32_t)(b2bua_random(c->b2bua) % 5));
        server_reply_send(s, (slice){ 0 }, (slice){ 0 });
        return true;
    }
    if (c->b2bua->settings.transfer == B2BUA_TRANSFER_THROUGH || !to || to->ended)
        return false;
    if (m->method == SIP_REFER && c->b2bua->settings.transfer != B2BUA_TRANSFER_OFF && consults_elsewhere(c->b2bua, m))
        return false;
    if (m->method == SIP_REFER)
        refer(from, to, s, m);
    else if (m->method == SIP_SUBSCRIBE && is_of_refer(m))
        subscribe(from, s, m);
    else
        return false;
    return true;
}

/* ---- INVITE with Replaces ---- */

static void take_offer(struct transfer *t, const struct sip_message *m)
{
    if (!keep_offer(t, m))
        return;
    t->stage = JOINING;
    wake(t, 0);
}

/* Who may take a place is for the router to say; it also knows who it is. */
static unsigned who_takes(struct b2bua_call *c, const struct sip_message *m, const struct hop *from)
{
    struct b2bua *b = c->b2bua;
    struct route_question question = { .invite = m, .from = from, .uri = m->uri };
    struct route route = { 0 };

    if (b->router.taker)
        b->router.taker(b->router.ctx, &question, &route);
    if (route.status)
        return route.status;
    c->caller_trusted = route.caller_trusted;
    c->caller_hides = route.caller_hides;
    c->by_gateway = route.by_gateway;
    c->caller_trunk = route.caller_trunk;
    (void)line_take(b, route.caller, 0, &c->lines[0]);
    return 0;
}

static unsigned replace(struct b2bua_call *c, const struct sip_message *m, const struct hop *from)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_REPLACES);
    struct sip_replaces name;
    struct transfer *t;
    struct leg *leg;
    unsigned status;

    if (c->b2bua->settings.transfer == B2BUA_TRANSFER_OFF)
        return 403;
    if (count_of(m, SIP_H_REPLACES) != 1 || !sip_replaces_parse(h->value, &name))
        return 400;
    leg = leg_named(c->b2bua, &name);
    status = cannot_replace(leg, &name);
    if (!status)
        status = who_takes(c, m, from);
    if (status)
        return status;
    t = transfer_new(leg->call, leg, other_of(leg));
    if (!t)
        return 500;
    t->taken = true;
    t->t = c;
    c->transfer = t;
    c->serves = true;
    t->end_ns = b2bua_now(c->b2bua) + join_max_ns;
    t->seat = seat_new(c, t->party);
    if (!t->seat)
        return 500;
    struct anchor_sdp sdp = { .branch = t->seat, .tag = t->party->dialog.remote_tag };
    enum anchor anchor = anchor_message(c, &sdp, &(struct anchor_place){ .leg = &c->a, .server = c->invite }, m, from);

    if (anchor == ANCHOR_GO)
        take_offer(t, m);
    return anchor == ANCHOR_FAIL ? anchor_status(c) : 0;
}

bool transfer_replaces(struct b2bua_call *c, const struct sip_message *m, const struct hop *from)
{
    unsigned status;

    if (!sip_header_find(m, SIP_H_REPLACES))
        return false;
    status = replace(c, m, from);
    if (status)
        setup_give_up(c, status, (slice){ 0 });
    return true;
}
