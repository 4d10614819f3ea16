/* switch/b2bua_forks.c - the early dialogs of A: one for each phone that says more than that it rings
 * (RFC 3261, 12.1 and 13.2.2.4; RFC 3262; RFC 6228)
 * SPDX-License-Identifier: Apache-2.0
 *
 * As long as phones just ring they are one to A, under the tag of leg a. The first that sends SDP
 * or has to be acknowledged takes leg a for its own; each other one is a leg of its own from then
 * on, with its own tag, CSeq and RSeq. When a phone answers, its leg becomes leg a, so that
 * nothing else has to know of all this: the two change places.
 *
 *        leg a  ----  phone 1            leg a  ----  phone 2, which answered
 *        face   ----  phone 2     ->     face         (phone 1's, closed)                           */
#include "codes/code.h"
#include "sip/build.h"
#include "switch/b2bua_int.h"

#include <stdlib.h>

struct face {
    struct leg   leg;
    struct face *next;
    char        *sent;               /* its reliable 1xx, as long as that is repeated */
    size_t       sent_len;
    bool         was_a;              /* its tag is leg a's first one */
};

static struct face *face_of(struct leg *leg) { return list_item(leg, struct face, leg); }
static bool is_face(const struct leg *leg) { return !leg->branch && leg != &leg->call->a; }

/* ---- life ---- */

/* What A said of itself in its INVITE, under a tag of its own. The texts that may change are copied. */
static struct leg *face_new(struct leg *fork)
{
    struct b2bua_call *c = fork->call;
    struct face *face = calloc(1, sizeof *face);
    char token[ENDPOINT_TOKEN_LEN + 1];
    struct dialog *d;

    if (!face)
        return NULL;
    face->leg.call = c;
    list_init(&face->leg.in_branch);
    endpoint_token(c->b2bua->endpoint, token);
    d = &face->leg.dialog;
    *d = c->a.dialog;
    d->local_tag = arena_slice(&c->arena, slice_of(token, ENDPOINT_TOKEN_LEN));
    d->target = arena_slice(&c->arena, d->target);
    d->target_room = d->target.len;
    d->local_cseq = 0;
    d->remote_cseq = c->a_cseq;
    face->leg.invite_cseq_in = c->a_cseq;
    face->leg.session_flags = c->a.session_flags;
    face->leg.rseq = (uint32_t)(b2bua_random(c->b2bua) & 0xffffff) + 1;
    if (!d->local_tag.ptr || !d->target.ptr) {
        free(face);
        return NULL;
    }
    face->next = c->faces;
    c->faces = face;
    c->b2bua->memory_bytes += sizeof *face;
    face->leg.other = fork;
    fork->other = &face->leg;
    b2bua_join_map(&face->leg);
    return &face->leg;
}

static void forget_sent(struct face *face)
{
    face->leg.call->b2bua->memory_bytes -= face->sent_len;
    free(face->sent);
    face->sent = NULL;
    face->sent_len = 0;
}

void forks_free(struct b2bua_call *c)
{
    struct face *face;

    while ((face = c->faces)) {
        c->faces = face->next;
        leg_stop(&face->leg);
        leg_forget_ack(&face->leg);
        session_forget(&face->leg);
        b2bua_leave_map(&face->leg);
        c->b2bua->memory_bytes -= sizeof *face;
        free(face);
    }
}

void forks_forget(struct leg *fork)
{
    if (fork->other)
        fork->other->other = NULL;
    fork->other = NULL;
}

/* ---- whose dialog ---- */

struct leg *forks_early(struct leg *fork, bool own)
{
    struct b2bua_call *c = fork->call;

    if (fork->other)
        return fork->other;
    if (c->a.other || c->a.ended)
        return face_new(fork);
    if (own) {
        c->a.other = fork;
        fork->other = &c->a;
    }
    return &c->a;
}

struct leg *forks_peer(const struct leg *leg)
{
    struct b2bua_call *c = leg->call;
    bool early = c->phase == CALL_SETUP;

    if (leg->branch)                                      /* one that just rang has no dialog any more that is its own */
        return !early ? &c->a : leg->other ? leg->other : c->a.other ? NULL : &c->a;
    struct leg *fork = early && leg->other ? leg->other : leg == &c->a ? c->b : NULL;

    return fork && leg_is_open(fork) ? fork : NULL;
}

slice forks_first_tag(const struct b2bua_call *c)
{
    for (const struct face *face = c->faces; face; face = face->next)
        if (face->was_a)
            return face->leg.dialog.local_tag;
    return c->a.dialog.local_tag;
}

struct out *forks_reply(const struct leg *a, unsigned status, slice phrase)
{
    if (a->dialog.local_tag.len)                          /* none yet: refused before it became a dialog */
        server_set_to_tag(a->call->invite, a->dialog.local_tag);
    return server_reply(a->call->invite, status, phrase);
}

/* ---- repeating ---- */

/* The endpoint keeps one reliable 1xx, which is leg a's; that of a face is kept here. */
void forks_pin(struct leg *a, bool pinned)
{
    if (!is_face(a)) {
        server_pin(a->repeated, pinned);
        return;
    }
    struct face *face = face_of(a);

    forget_sent(face);
    slice sent = pinned ? server_sent(a->repeated) : (slice){ 0 };

    if (!sent.len || !(face->sent = malloc(sent.len)))
        return;
    memcpy(face->sent, sent.ptr, sent.len);
    face->sent_len = sent.len;
    a->call->b2bua->memory_bytes += sent.len;
}

void forks_repeat(struct leg *a)
{
    if (!is_face(a))
        server_repeat(a->repeated);
    else if (face_of(a)->sent)
        server_repeat_this(a->repeated, slice_of(face_of(a)->sent, face_of(a)->sent_len));
}

void forks_stop(struct b2bua_call *c)
{
    leg_stop(&c->a);
    for (struct face *face = c->faces; face; face = face->next)
        leg_stop(&face->leg);
}

void forks_ring(struct b2bua_call *c)
{
    reliable_ring(&c->a);
    for (struct face *face = c->faces; face; face = face->next)
        reliable_ring(&face->leg);
}

/* ---- the answer ---- */

static void change_places(struct leg *face, struct leg *a)
{
    struct b2bua_call *c = a->call;
    struct leg kept = *a;

    b2bua_leave_map(a);
    b2bua_leave_map(face);
    a->dialog = face->dialog, face->dialog = kept.dialog;
    a->rseq = face->rseq, face->rseq = kept.rseq;
    a->prack_owed = face->prack_owed, face->prack_owed = kept.prack_owed;
    a->early_sdp = face->early_sdp, face->early_sdp = kept.early_sdp;
    a->pracked_rseq = face->pracked_rseq, face->pracked_rseq = kept.pracked_rseq;
    a->pracked_cseq = face->pracked_cseq, face->pracked_cseq = kept.pracked_cseq;
    a->ended = face->ended, face->ended = kept.ended;
    a->other = face->other, face->other = kept.other;
    if (a->other)
        a->other->other = a;
    if (face->other)
        face->other->other = face;
    b2bua_join_map(a);
    b2bua_join_map(face);
    session_change_places(c, face, a);
    relay_change_places(c, face, a);
    anchor_change_places(c, face, a);
    face_of(face)->was_a = true;
}

void forks_answered(struct leg *fork)
{
    struct b2bua_call *c = fork->call;
    struct leg *mine = fork->other;

    forks_stop(c);
    if (!mine && (c->a.other || c->a.ended))
        mine = face_new(fork);                            /* without memory it is leg a's all the same */
    if (mine && mine != &c->a)
        change_places(mine, &c->a);
}

/* ---- an early dialog ends before the call ---- */

/* Who asks for 100rel in Require gets it reliably, too; then a PRACK that is owed keeps it back (RFC 6228, 4). */
static void send_199(struct leg *a, unsigned status, const struct sip_message *reason_of)
{
    struct b2bua_call *c = a->call;
    struct out *o;

    if (!c->setup->wants_199 || !c->invite || (c->setup->demands_100rel && a->prack_owed))
        return;
    o = forks_reply(a, 199, (slice){ 0 });
    headers_record_routes(o, &a->dialog);
    headers_ours(o, c->b2bua, server_hop(c->invite), false);
    if (reason_of) {
        sip_build_copy(o, reason_of, SIP_H_REASON);
    } else {
        out_text(o, SLICE("Reason: SIP;cause="));
        out_u64(o, status);
        out_text(o, SLICE(";text=\""));
        out_text(o, code_phrase(status));
        out_text(o, SLICE("\"\r\n"));
    }
    if (c->setup->demands_100rel) {
        sip_build_header(o, SIP_H_REQUIRE, SLICE("100rel"));
        sip_build_header_u32(o, SIP_H_RSEQ, ++a->rseq);
    }
    if (!server_reply_send(c->invite, (slice){ 0 }, (slice){ 0 }) || !c->setup->demands_100rel)
        return;
    reliable_sent(a, NULL, 0, false);
}

static void end_early(struct leg *fork, unsigned status, const struct sip_message *reason_of)
{
    struct leg *a = fork->other;

    if (!a || a->ended)
        return;
    leg_stop(a);
    a->ended = true;
    send_199(a, status, reason_of);
}

void forks_over(struct branch *branch, unsigned status)
{
    if (branch->call->phase != CALL_SETUP || branch->call->cancelled)
        return;
    for (struct list *l = branch->legs.next; l != &branch->legs; l = l->next)
        end_early(list_item(l, struct leg, in_branch), status, NULL);
}

void forks_199(struct leg *fork, const struct sip_message *m)
{
    if (fork->call->phase == CALL_SETUP)
        end_early(fork, m->status, m);
}

bool forks_bye(struct leg *from, slice reason)
{
    struct b2bua_call *c = from->call;
    struct leg *fork = from->other;

    if (c->phase != CALL_SETUP || !c->faces || !fork || !leg_is_open(fork))
        return false;
    leg_stop(from);
    from->ended = true;
    if (fork->branch->legs.next == fork->branch->legs.prev)
        setup_drop(fork->branch, 487, reason);
    else
        leg_bye(fork, reason, NULL);                      /* a proxy behind it has others that ring */
    return true;
}
