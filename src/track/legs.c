/* track/legs.c - messages of INVITE dialogs -> call legs
 * SPDX-License-Identifier: Apache-2.0
 *
 * One leg is one Call-ID with one caller's tag. It is judged by what its caller saw: an
 * "attempt" is one INVITE transaction on one hop, and only attempts that left the caller's
 * own address move the state. So a proxy's CANCEL to one branch, or a 486 from one of
 * several forks, is counted but does not end the call, wherever it was captured. */
#include <stdlib.h>

#include "codes/code.h"
#include "track/extract.h"
#include "track/join.h"
#include "track/legs_int.h"
#include "track/log.h"
#include "track/media_link.h"
#include "track/session.h"

#define ATTEMPTS_MAX 64u
#define LEGS_OF_CALL_ID_MAX 1000u    /* live at once; each message is looked for among them */
#define SECOND_NS 1000000000LL
#define VOLTE_T1_NS (2 * SECOND_NS)

/* ---- finding and opening ------------------------------------------------------------- */

static bool leg_is_caller(const struct leg *leg, slice tag)
{
    return slice_eq(leg->call->from.tag, tag);
}

/* By the caller's tag on either side; failing that, whichever leg has the Call-ID, unless
 * this is a caller of its own. */
static struct leg *leg_find(const struct tracker *t, const struct sip_message *m, uint64_t hash, unsigned *ret_same_id)
{
    struct leg *same_id = NULL;

    *ret_same_id = 0;
    for (struct map_node *n = map_first(&t->maps[LIVE_LEG], hash); n; n = map_next(n)) {
        struct live *l = map_item(n, struct live, by_call_id);
        struct leg *leg = live_item(l, struct leg);

        __builtin_prefetch(leg->call);                    /* nearly always what is looked for */
        __builtin_prefetch(leg->seen.messages);
        if (!slice_eq(l->call_id, m->call_id))
            continue;
        if (leg_is_caller(leg, m->from.tag) || (m->to.tag.len && leg_is_caller(leg, m->to.tag)))
            return leg;
        same_id = leg;
        ++*ret_same_id;
    }
    bool opens = m->is_request && m->method == SIP_INVITE && m->to.tag.len == 0;

    return opens ? NULL : same_id;
}

/* What shows that there is a call although its INVITE was not captured. */
static bool leg_may_open(const struct sip_message *m)
{
    static const bool opens[SIP_METHODS] = {
        [SIP_INVITE] = true, [SIP_BYE] = true, [SIP_CANCEL] = true, [SIP_PRACK] = true,
        [SIP_UPDATE] = true, [SIP_ACK] = true,
    };

    return opens[m->method];
}

static struct leg *leg_free(struct leg *leg)
{
    if (leg) {
        seen_done(&leg->seen);
        if (leg->attempts != leg->inside)
            free(leg->attempts);
        call_free(leg->call);
        free(leg);
    }
    return NULL;
}

static void leg_fill(struct leg *leg, const struct wire_unit *u, const struct sip_message *m)
{
    struct call *c = leg->call;
    bool response = !m->is_request;

    c->call_id = arena_slice(&c->arena, m->call_id);
    track_party(&c->arena, &c->from, &m->from);
    track_party(&c->arena, &c->to, &m->to);
    c->caller_addr = response ? u->dst : u->src;
    c->callee_addr = response ? u->src : u->dst;
    c->transport = (uint8_t)u->transport;
    c->first_frame = u->frame;
    c->request_uri = slice_eq(m->uri, c->to.uri) ? c->to.uri : track_keep(&c->arena, m->uri);
}

static size_t leg_bytes(const struct leg *leg)
{
    return sizeof *leg + track_join_bytes(leg) + seen_memory_bytes(&leg->seen) + call_memory_bytes(leg->call) +
           (leg->attempts == leg->inside ? 0 : leg->attempt_room * sizeof *leg->attempts);
}

/* Hands the record of a leg that stands alone, or of all legs of a session, to the observer. */
static void leg_hand_over(struct tracker *t, struct call *const *legs, size_t count)
{
    if (t->observer.session_closing)
        t->observer.session_closing(t->observer.ctx, legs, count);
    for (size_t i = 0; i < count; i++)
        if (!t->observer.call_closed || !t->observer.call_closed(t->observer.ctx, legs[i]))
            call_free(legs[i]);
}

static void leg_leave_session(struct tracker *t, struct session *s, struct call *c)
{
    if (!s) {
        leg_hand_over(t, &c, 1);
        return;
    }
    size_t before = s->waiting_bytes;

    if (!session_end_leg(s, c)) {
        t->memory_bytes += s->waiting_bytes - before;
        return;
    }
    t->memory_bytes -= before;
    leg_hand_over(t, s->legs, s->ended);
    free(s);
}

/* The newest of each slot is known again, so that its further messages open no further record. */
static void leg_remember_refused(struct tracker *t, slice call_id, uint64_t hash)
{
    char **slot = &t->refused[hash % TRACK_REFUSED_SLOTS];

    free(*slot);
    *slot = call_id.len <= TRACK_REFUSED_BYTES && !memchr(call_id.ptr, '\0', call_id.len)
        ? strndup(call_id.ptr, call_id.len) : NULL;
}

static bool leg_was_refused(const struct tracker *t, slice call_id, uint64_t hash)
{
    const char *known = t->refused[hash % TRACK_REFUSED_SLOTS];

    return known && slice_eq(slice_of_string(known), call_id);
}

/* Seen, counted, not followed: monitor code 8004. */
static void leg_refuse(struct tracker *t, struct leg *leg, uint64_t hash)
{
    call_step(leg->call, CALL_EV_LIMIT);
    t->counts.not_followed++;
    leg_remember_refused(t, leg->call->call_id, hash);
    leg_hand_over(t, &leg->call, 1);
    leg->call = NULL;
    leg_free(leg);
}

static struct leg *leg_open(struct tracker *t, const struct wire_unit *u,
                            const struct sip_message *m, uint64_t hash, unsigned same_id)
{
    struct leg *leg = calloc(1, sizeof *leg);

    if (!leg || !(leg->call = call_new()))
        return leg_free(leg);
    leg->attempts = leg->inside;
    leg->attempt_room = ATTEMPTS_INSIDE;
    leg_fill(leg, u, m);
    leg->call->index = ++t->next_call;
    leg->call->session = ++t->next_session;
    leg->call->last_ns = u->time_ns;
    leg->call->partial = !(m->is_request && m->method == SIP_INVITE && m->to.tag.len == 0);
    leg->call->invite_ns = leg->call->partial ? 0 : u->time_ns;
    t->counts.calls++;
    if (t->live_calls >= t->settings.calls_max || same_id >= LEGS_OF_CALL_ID_MAX || !track_may_grow(t)) {
        leg_refuse(t, leg, hash);
        return NULL;
    }
    if (!leg->call->call_id.ptr ||
        track_enter(t, &leg->live, LIVE_LEG, leg->call->call_id, hash,
                    u->time_ns + 64 * t->settings.t1_ns) < 0)
        return leg_free(leg);
    if (++t->live_calls > t->counts.live_calls_max)
        t->counts.live_calls_max = t->live_calls;
    if (t->observer.call_opened)
        t->observer.call_opened(t->observer.ctx, leg->call);
    return leg;
}

/* ---- attempts ------------------------------------------------------------------------ */

static struct attempt *attempt_find(const struct leg *leg, const struct sip_message *m)
{
    for (size_t i = leg->attempt_count; i-- > 0;)
        if (leg->attempts[i].cseq == m->cseq.number &&
            slice_eq(leg->attempts[i].branch, m->via.branch))
            return &leg->attempts[i];
    return NULL;
}

static bool attempt_has_cseq(const struct leg *leg, uint32_t cseq)
{
    for (size_t i = leg->attempt_count; i-- > 0;)
        if (leg->attempts[i].cseq == cseq)
            return true;
    return false;
}

static bool attempt_is_open(const struct leg *leg, uint32_t cseq)
{
    for (size_t i = leg->attempt_count; i-- > 0;)
        if (leg->attempts[i].cseq == cseq && leg->attempts[i].origin && !leg->attempts[i].final)
            return true;
    return false;
}

static struct attempt *attempt_add(struct leg *leg, const struct sip_message *m, bool origin)
{
    if (leg->attempt_count == leg->attempt_room) {
        uint16_t room = (uint16_t)(leg->attempt_room * 2);
        bool inside = leg->attempts == leg->inside;
        struct attempt *grown = room > ATTEMPTS_MAX
            ? NULL : realloc(inside ? NULL : leg->attempts, room * sizeof *grown);

        if (!grown) {
            leg->call->tables_full = true;
            return NULL;
        }
        if (inside)
            memcpy(grown, leg->inside, sizeof leg->inside);
        leg->attempts = grown;
        leg->attempt_room = room;
    }
    struct attempt *a = &leg->attempts[leg->attempt_count++];

    *a = (struct attempt){ track_keep(&leg->call->arena, m->via.branch), m->cseq.number, 0,
                           m->via_count, origin };
    return a;
}

/* An INVITE with fewer Vias than the one thought to be the first: the capture has a hop
 * nearer to the caller after all, and the caller's view is the one that counts. */
static void leg_move_origin(struct leg *leg, const struct wire_unit *u, const struct sip_message *m)
{
    for (size_t i = 0; i < leg->attempt_count; i++)
        if (leg->attempts[i].cseq == m->cseq.number)
            leg->attempts[i].origin = false;
    leg->origin_vias = m->via_count;
    leg->call->caller_addr = u->src;
    leg->call->callee_addr = u->dst;
    leg->call->transport = (uint8_t)u->transport;
}

/* ---- telling ------------------------------------------------------------------------- */

static void leg_step(struct tracker *t, struct leg *leg, enum call_event event)
{
    struct call *c = leg->call;
    uint8_t before = c->state;

    if (!call_step(c, event) || c->state == before)
        return;
    if (c->state == CALL_TRYING || c->state == CALL_PROGRESS || c->state == CALL_ACTIVE) {
        c->ended_ns = 0;                                  /* it goes on after all */
        c->ended_by = CALL_NOBODY;
    }
    if (t->observer.call_changed)
        t->observer.call_changed(t->observer.ctx, c);
}

static int64_t leg_t1(const struct tracker *t, const struct leg *leg)
{
    return leg->call->slow_timers ? track_max(VOLTE_T1_NS, t->settings.t1_ns) : t->settings.t1_ns;
}

/* How long to wait for the next packet, by what the call is waiting for (timers.md). */
static int64_t leg_patience(const struct tracker *t, const struct leg *leg)
{
    const struct call *c = leg->call;
    int64_t timeout = 64 * leg_t1(t, leg) + 5 * SECOND_NS;

    switch ((enum call_state)c->state) {
    case CALL_PROGRESS:
        return t->settings.ringing_max_ns;
    case CALL_TRYING:
    case CALL_NEW:
        return c->last_trying ? t->settings.ringing_max_ns : timeout;
    case CALL_ACTIVE:
        return track_media_patience(t);
    case CALL_MEDIA_STOPPED:
        return t->settings.media_grace_ns;
    case CALL_CANCELLING:
        return timeout;
    default:
        return track_max(t->settings.linger_ns, c->slow_timers ? timeout : 0);
    }
}

/* ---- requests ------------------------------------------------------------------------ */

static void leg_new_cseq(struct leg *leg, const struct wire_unit *u, const struct sip_message *m)
{
    struct call *c = leg->call;

    c->attempts++;
    leg->cseq = m->cseq.number;
    leg->origin_vias = m->via_count;
    if (c->final == 401 || c->final == 407) {             /* answered with credentials */
        c->challenge = c->final;
        c->final = 0;
        c->reason = (slice){0};
    }
    if (c->final >= 300 && c->final < 400)
        c->forwarded++;
    if (c->state == CALL_CANCELLED || c->state == CALL_REFUSED)
        c->cancel_ns = 0;                                 /* was of the attempt before */
    if (!c->invite_ns)
        c->invite_ns = u->time_ns;
}

static bool leg_is_origin(const struct leg *leg, const struct wire_unit *u,
                          const struct sip_message *m)
{
    return address_eq(&leg->call->caller_addr, &u->src) && m->via_count <= leg->origin_vias;
}

static void leg_first_invite(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                             const struct sip_message *m)
{
    struct call *c = leg->call;
    bool is_new = leg->attempt_count == 0 || m->cseq.number > leg->cseq;

    if (attempt_find(leg, m))
        return;                                           /* the same hop, through a tunnel */
    if (is_new) {
        leg_new_cseq(leg, u, m);
        track_invite(c, m);
        c->caller_addr = u->src;                          /* as a rule the same machine again */
        attempt_add(leg, m, true);
        leg_step(t, leg, CALL_EV_INVITE);
        return;
    }
    bool origin = m->cseq.number == leg->cseq && leg_is_origin(leg, u, m);

    if (m->cseq.number == leg->cseq && m->via_count < leg->origin_vias) {
        leg_move_origin(leg, u, m);
        origin = true;
    } else if (origin) {
        c->forks++;
        leg_step(t, leg, CALL_EV_INVITE);
    }
    attempt_add(leg, m, origin);
}

static void leg_hold(struct leg *leg, const struct sip_message *m, const struct track_sighting *s)
{
    bool from_callee = s->from_callee;
    bool *holds = from_callee ? &leg->callee_holds : &leg->caller_holds;
    enum track_media_wish wish = track_media_wish(s->sdp);
    bool counted = wish == TRACK_WISH_HOLD && !*holds;

    leg->reinvite.cseq = m->cseq.number;
    leg->reinvite.from_callee = from_callee;
    leg->reinvite.held_before = *holds;
    leg->reinvite.counted = counted;
    if (wish == TRACK_WISH_NONE)
        return;
    if (counted)
        leg->call->held++;
    *holds = wish == TRACK_WISH_HOLD;
    leg->call->on_hold = leg->caller_holds || leg->callee_holds;
}

/* A refused offer changes nothing: what held before it holds again (RFC 3261, 14.1). */
static void leg_hold_refused(struct leg *leg, const struct sip_message *m, bool from_callee)
{
    if (leg->reinvite.cseq != m->cseq.number || leg->reinvite.from_callee != from_callee)
        return;
    *(from_callee ? &leg->callee_holds : &leg->caller_holds) = leg->reinvite.held_before;
    if (leg->reinvite.counted)
        leg->call->held--;
    leg->reinvite.counted = false;
    leg->call->on_hold = leg->caller_holds || leg->callee_holds;
}

static void leg_reinvite(struct tracker *t, struct leg *leg, const struct sip_message *m,
                         const struct track_sighting *s)
{
    struct call *c = leg->call;
    uint16_t held = c->held;
    bool on_hold = c->on_hold;

    if (m->method == SIP_INVITE)
        c->reinvites++;
    leg_hold(leg, m, s);
    if (held == c->held && on_hold == c->on_hold && sip_header_find(m, SIP_H_SESSION_EXPIRES))
        c->refreshes++;
    if (c->state == CALL_NEW || (c->partial && c->state != CALL_COMPLETED))
        leg_step(t, leg, CALL_EV_DIALOG);
}

static void leg_invite(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                       const struct sip_message *m, const struct track_sighting *s)
{
    if (m->to.tag.len == 0 && !s->from_callee)
        leg_first_invite(t, leg, u, m);
    else if (s->kind == SEEN_NEW)
        leg_reinvite(t, leg, m, s);
}

static void leg_update(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                       const struct sip_message *m, const struct track_sighting *s)
{
    (void)u;
    if (s->kind == SEEN_NEW && leg->call->answered)
        leg_reinvite(t, leg, m, s);
}

/* An ACK proves nothing about the call; it only tells whether the 2xx arrived. */
static void leg_ack(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                    const struct sip_message *m, const struct track_sighting *s)
{
    struct call *c = leg->call;

    (void)t;
    if (c->ack != CALL_ACK_WAITING || s->from_callee || m->cseq.number != leg->answer_cseq)
        return;
    c->ack = c->replies_after_answer ? CALL_ACK_LATE : CALL_ACK_SEEN;
    c->ack_ns = u->time_ns;
}

static void leg_cancel(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                       const struct sip_message *m, const struct track_sighting *s)
{
    const struct attempt *a = attempt_find(leg, m);
    struct call *c = leg->call;

    if (s->from_callee || leg->reinvite.cseq == m->cseq.number ||
        (leg->attempt_count && !attempt_has_cseq(leg, m->cseq.number)))
        return;                                           /* of a re-INVITE: the call goes on */
    if (a ? !a->origin : leg->attempt_count && m->via_count > leg->origin_vias)
        return;                                           /* a proxy's, for one of its branches */
    if (!c->cancel_ns && !call_state_is_over((enum call_state)c->state))
        c->cancel_ns = u->time_ns;
    if (c->state == CALL_ACTIVE && c->ack != CALL_ACK_SEEN && c->ack != CALL_ACK_LATE)
        c->crossed = true;                                /* whoever sent the ACK knew the answer */
    track_reason(c, m);
    leg_step(t, leg, CALL_EV_CANCEL);
    if (c->state == CALL_CANCELLING) {
        c->ended_ns = u->time_ns;
        c->ended_by = CALL_CALLER;
    }
}

/* Does it end the call? Not when it clears one of two branches that answered, nor when its
 * tags are of no dialog of this call: that gets a 481. */
static bool leg_bye_ends(struct leg *leg, const struct sip_message *m, bool from_callee)
{
    struct call *c = leg->call;
    slice callee_tag = from_callee ? m->from.tag : m->to.tag;

    if (!c->answered)
        return true;
    if (!from_callee && !leg_is_caller(leg, m->from.tag)) {
        c->surprises++;
        return false;
    }
    if (leg->second_tag.len == 0 && (c->to.tag.len == 0 || slice_eq(callee_tag, c->to.tag)))
        return true;
    if (leg->second_tag.len && slice_eq(callee_tag, c->to.tag))
        c->to.tag = leg->second_tag;
    else if (leg->second_tag.len == 0 || !slice_eq(callee_tag, leg->second_tag))
        return false;
    leg->second_tag = (slice){0};
    return false;
}

static void leg_bye(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                    const struct sip_message *m, const struct track_sighting *s)
{
    struct call *c = leg->call;
    enum call_side side = s->from_callee ? CALL_CALLEE : CALL_CALLER;

    if (c->bye_ns) {
        track_reason(c, m);
        if (s->kind == SEEN_NEW && c->ended_by != side && c->bye_final == 0)
            c->crossed = true;
        return;
    }
    if (!leg_bye_ends(leg, m, s->from_callee))
        return;
    track_reason(c, m);
    if (!c->answered && (s->from_callee || c->state == CALL_NEW))
        leg_step(t, leg, CALL_EV_DIALOG);                 /* only a confirmed dialog has this (15) */
    c->bye_ns = c->ended_ns = u->time_ns;
    c->bye_frame = u->frame;
    c->ended_by = (uint8_t)side;
    leg_step(t, leg, CALL_EV_BYE);
}

static void leg_refer(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                      const struct sip_message *m, const struct track_sighting *s)
{
    (void)t, (void)u;
    if (s->kind != SEEN_NEW)
        return;
    leg->call->transfers++;
    track_refer(leg->call, m);
}

static void leg_notify(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                       const struct sip_message *m, const struct track_sighting *s)
{
    (void)t, (void)u, (void)s;
    track_sipfrag(leg->call, m);
}

typedef void leg_request_fn(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                            const struct sip_message *m, const struct track_sighting *s);
static leg_request_fn *const on_request[SIP_METHODS] = {
    [SIP_INVITE] = leg_invite, [SIP_UPDATE] = leg_update, [SIP_ACK] = leg_ack,
    [SIP_CANCEL] = leg_cancel, [SIP_BYE] = leg_bye, [SIP_REFER] = leg_refer,
    [SIP_NOTIFY] = leg_notify,
};

/* ---- responses to the INVITE ----------------------------------------------------------- */

static void leg_progress(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                         const struct sip_message *m, const struct track_sighting *s)
{
    struct call *c = leg->call;

    if (m->status == 100) {
        c->last_trying = 100;
        return;
    }
    if (m->status == 199)                                 /* one early dialog died (RFC 6228) */
        return;
    c->last_progress = m->status;
    if (!c->answered && m->to.tag.len)
        track_keep_newer(&c->arena, &c->to.tag, m->to.tag);
    if (!c->answered && !c->progress_ns)                  /* else the answer overtook it */
        c->progress_ns = u->time_ns;
    if (!c->answered && !c->ringing_ns && m->status == 180)
        c->ringing_ns = u->time_ns;
    c->forwarded = (uint16_t)(c->forwarded + (m->status == 181));
    c->early_media |= s->sdp != NULL;
    c->reliable |= track_rseq(m) != 0;
    leg_step(t, leg, CALL_EV_PROGRESS);
}

static void leg_answer(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                       const struct sip_message *m)
{
    struct call *c = leg->call;

    if (!c->answered) {
        c->answered = true;
        c->answered_ns = u->time_ns;
        c->final = m->status;
        c->final_frame = u->frame;
        track_keep_newer(&c->arena, &c->reason, m->reason);
        c->ack = CALL_ACK_WAITING;
        c->crossed |= c->state == CALL_CANCELLING;
        leg->answer_cseq = m->cseq.number;
        if (m->to.tag.len)
            track_keep_newer(&c->arena, &c->to.tag, m->to.tag);
        track_answer(c, m);
    } else if (c->state == CALL_ACTIVE && c->to.tag.len && m->to.tag.len &&
               !slice_eq(m->to.tag, c->to.tag)) {
        track_keep_newer(&c->arena, &leg->second_tag, m->to.tag);
    }
    leg_step(t, leg, CALL_EV_ANSWER);
}

/* Whose decision a final code is, by the catalogue's outcome of the code. */
static enum call_side side_of_refusal(const struct call *c, uint16_t status)
{
    if (status == 487 || c->cancel_ns)
        return CALL_CALLER;
    enum code_outcome outcome = code_outcome(status);

    return outcome == CODE_USER || outcome == CODE_CAPABILITY ? CALL_CALLEE : CALL_SERVER;
}

static void leg_refusal(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                        const struct sip_message *m)
{
    struct call *c = leg->call;
    bool other_branch = attempt_is_open(leg, m->cseq.number);

    if (leg->attempt_count && m->cseq.number < leg->cseq) {      /* captured behind the INVITE that answers it */
        if (m->status == 401 || m->status == 407)
            c->challenge = m->status;
        return;
    }

    bool was_answered = c->answered || c->state == CALL_ACTIVE || c->state == CALL_COMPLETED;

    if (!was_answered) {                                  /* else of another branch, overtaken */
        c->final = m->status;
        c->final_frame = u->frame;
        track_keep_newer(&c->arena, &c->reason, m->reason);
        track_reason(c, m);
        track_refusal(c, m);
    }
    if (!was_answered && !other_branch) {
        c->ended_ns = u->time_ns;
        c->ended_by = (uint8_t)side_of_refusal(c, m->status);
    }
    if (was_answered || !other_branch)
        leg_step(t, leg, CALL_EV_REFUSAL);
}

/* The call goes on, whatever it says. */
static void leg_reinvite_response(struct leg *leg, const struct sip_message *m, bool from_callee)
{
    if (m->status < 200)
        return;
    leg->call->reinvite_final = m->status;
    if (m->status >= 300)
        leg_hold_refused(leg, m, from_callee);
}

static void leg_invite_response(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                                const struct sip_message *m, const struct track_sighting *s)
{
    struct call *c = leg->call;
    struct attempt *a = attempt_find(leg, m);

    if (!a && (leg->attempt_count ? !attempt_has_cseq(leg, m->cseq.number)
                                  : leg->reinvite.cseq == m->cseq.number)) {
        leg_reinvite_response(leg, m, false);
        return;
    }
    if (!a && leg->attempt_count == 0) {                  /* its INVITE was not captured */
        leg->origin_vias = m->via_count;
        leg->cseq = m->cseq.number;
        a = attempt_add(leg, m, true);
    }
    if (a && m->status >= 200)
        a->final = m->status;
    if (a ? !a->origin : m->via_count > leg->origin_vias)
        return;                                           /* further down: not what the caller saw */
    if (!c->first_response_ns)
        c->first_response_ns = u->time_ns;
    if (m->status < 200)
        leg_progress(t, leg, u, m, s);
    else if (m->status < 300)
        leg_answer(t, leg, u, m);
    else
        leg_refusal(t, leg, u, m);
}

static void leg_response(struct tracker *t, struct leg *leg, const struct wire_unit *u,
                         const struct sip_message *m, const struct track_sighting *s)
{
    struct call *c = leg->call;

    if (m->method == SIP_INVITE && !s->from_callee)
        leg_invite_response(t, leg, u, m, s);
    else if (m->method == SIP_INVITE)
        leg_reinvite_response(leg, m, true);
    else if (m->method == SIP_UPDATE && m->status >= 300)
        leg_hold_refused(leg, m, s->from_callee);
    else if (m->method == SIP_BYE && m->status >= 200)
        c->bye_final = m->status;
    else if (m->method == SIP_CANCEL && m->status >= 200)
        c->cancel_final = m->status;
}

/* ---- every message ----------------------------------------------------------------------- */

/* The caller's first repeat comes after T1: 2 s there means the slow timers of VoLTE. */
static void leg_repeated(struct leg *leg, const struct sip_message *m, int64_t gap_ns)
{
    struct call *c = leg->call;
    const struct attempt *a = attempt_find(leg, m);

    c->retransmissions++;
    if (m->is_request && m->method == SIP_INVITE && c->first_response_ns == 0 &&
        c->retransmissions == 1 && gap_ns >= 3 * SECOND_NS / 2 && gap_ns <= 5 * SECOND_NS / 2)
        c->slow_timers = true;
    if (!m->is_request && m->method == SIP_INVITE && m->status < 300 && m->status >= 200 &&
        c->answered && m->cseq.number == leg->answer_cseq && (!a || a->origin))
        c->replies_after_answer++;
}

static void leg_count(struct leg *leg, const struct sip_message *m)
{
    struct call *c = leg->call;

    c->messages++;
    if (m->is_request)
        c->methods[m->method] = (uint16_t)(c->methods[m->method] + (c->methods[m->method] < UINT16_MAX));
    else
        call_count_response(c, m->status);
    if (m->flaw_count)
        c->flaws = (uint16_t)(c->flaws + m->flaw_count);
}

static bool leg_from_callee(const struct leg *leg, const struct sip_message *m)
{
    return !leg_is_caller(leg, m->from.tag) && leg_is_caller(leg, m->to.tag);
}

bool track_leg_message(struct tracker *t, const struct wire_unit *u, const struct sip_message *m)
{
    uint64_t hash = track_hash(t, m->call_id);
    unsigned same_id;
    struct leg *leg = leg_find(t, m, hash, &same_id);

    if (!leg && !leg_may_open(m))
        return false;
    if (!leg && (leg_was_refused(t, m->call_id, hash) || !(leg = leg_open(t, u, m, hash, same_id)))) {
        t->counts.unassigned++;                           /* of a call, but of none that is followed */
        track_tell(t, &(struct track_sighting){ .unit = u, .message = m, .kind = SEEN_NEW });
        return true;
    }
    struct call *c = leg->call;
    struct seen_about about = { .from_callee = leg_from_callee(leg, m), .rseq = track_rseq(m) };

    about.callee_tag = about.from_callee ? m->from.tag : m->to.tag;
    struct seen_verdict verdict = seen_note(&leg->seen, &c->arena, u, m, &about);
    struct track_sighting s = { .unit = u, .message = m, .call = c, .kind = verdict.kind,
                                .from_callee = about.from_callee };
    struct sdp sdp;
    slice text;

    if ((verdict.kind == SEEN_NEW || verdict.kind == SEEN_HOP_COPY) && sip_sdp_of(m, &text) &&
        sdp_parse(text, &sdp))
        s.sdp = &sdp;
    track_log(c, &(struct track_logged){ u, m, s.sdp, verdict, about.from_callee, about.rseq,
                                         t->settings.join_header });

    c->last_ns = track_max(c->last_ns, u->time_ns);
    c->last_frame = u->frame;
    c->tables_full |= leg->seen.full || track_text_full(&c->arena);
    if (verdict.kind == SEEN_NEW)
        leg_count(leg, m);
    else if (verdict.kind == SEEN_AGAIN)
        leg_repeated(leg, m, verdict.gap_ns);
    else
        c->copies++;
    if (verdict.kind == SEEN_NEW || verdict.kind == SEEN_HOP_COPY) {
        if (!m->is_request)
            leg_response(t, leg, u, m, &s);
        else if (on_request[m->method])
            on_request[m->method](t, leg, u, m, &s);
    } else if (verdict.kind == SEEN_AGAIN && m->is_request && m->method == SIP_INVITE &&
               m->to.tag.len == 0 && c->final >= 300 && !attempt_find(leg, m)) {
        leg_first_invite(t, leg, u, m);                   /* tried anew without raising CSeq */
    }
    track_media_note(t, leg, &s);
    if (!call_state_is_over((enum call_state)c->state) &&
        (s.sdp || (m->is_request && m->method == SIP_INVITE && !leg->keys)))
        track_join(t, leg);
    track_join_settle(t, leg);
    track_until(t, &leg->live, u->time_ns + leg_patience(t, leg));
    track_recount(t, &leg->live, leg_bytes(leg));
    track_tell(t, &s);
    return true;
}

/* ---- closing --------------------------------------------------------------------------- */

static void leg_settle_ack(const struct tracker *t, struct leg *leg)
{
    struct call *c = leg->call;

    if (c->ack != CALL_ACK_WAITING)
        return;
    int64_t waited_ns = track_max(t->now_ns, c->last_ns) - c->answered_ns;

    if (c->replies_after_answer >= 3 || waited_ns >= 64 * leg_t1(t, leg) || c->bye_ns)
        c->ack = CALL_ACK_LOST;
}

void track_leg_due(struct tracker *t, struct live *l)
{
    struct leg *leg = live_item(l, struct leg);
    struct call *c = leg->call;

    if (track_media_keeps(t, leg))
        return;
    if (!call_state_is_over((enum call_state)c->state)) {
        leg_step(t, leg, CALL_EV_SILENCE);
        if (c->state == CALL_SILENT) {
            c->ended_by = CALL_NETWORK;
            c->ended_ns = c->last_ns;
        }
    }
    track_leg_close(t, l, false);
}

void track_leg_let_go(struct tracker *t, struct live *l)
{
    struct leg *leg = live_item(l, struct leg);

    if (!call_state_is_over((enum call_state)leg->call->state)) {
        leg_step(t, leg, CALL_EV_LIMIT);
        t->counts.not_followed++;
        leg_remember_refused(t, l->call_id, l->by_call_id.hash);
    }
    track_leg_close(t, l, false);
}

void track_leg_close(struct tracker *t, struct live *l, bool at_end)
{
    struct leg *leg = live_item(l, struct leg);
    struct call *c = leg->call;

    c->open_at_end = at_end && !call_state_is_over((enum call_state)c->state);
    leg_settle_ack(t, leg);
    incidents_tell_call(&t->incidents, &t->settings.seed, c);
    track_media_close(t, leg, at_end);
    track_leave(t, l);
    t->live_calls--;
    leg->call = NULL;
    track_join_leave(t, leg);
    leg_leave_session(t, leg->session, c);
    leg_free(leg);
}
