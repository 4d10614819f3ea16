/* switch/b2bua_branch.c - one branch of a call: its INVITE, what B says to it, its legs
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "switch/b2bua_setup_int.h"

#include <stdlib.h>

static const slice elsewhere = SLICE_INIT("SIP;cause=200;text=\"Call completed elsewhere\"");
static const slice anonymous = SLICE_INIT("\"Anonymous\" <sip:anonymous@anonymous.invalid>");      /* RFC 3261, 8.1.1.3 */

/* ---- the INVITE to B ---- */

unsigned setup_max_forwards(const struct b2bua *b, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_MAX_FORWARDS);
    uint32_t number;

    return h && slice_to_u32(slice_trim(h->value), &number) && number < 256 ? (unsigned)number : b->settings.forwards_max;
}

/* P-Asserted-Identity is for those we trust, or for all when the caller does not hide (RFC 3325). */
static void put_identity(struct out *o, const struct b2bua_call *c, const struct sip_message *request,
                         const struct route_target *target)
{
    slice asserted = target->asserted.len ? target->asserted : c->setup->asserted;

    if (target->trusted && c->caller_trusted && sip_header_find(request, SIP_H_P_ASSERTED_IDENTITY))
        return;                                           /* its own passes */
    if (asserted.len && (target->trusted || !(c->caller_hides || c->privacy & (PRIVACY_ID | PRIVACY_USER | PRIVACY_HEADER))))
        sip_build_header(o, SIP_H_P_ASSERTED_IDENTITY, asserted);
}

bool setup_request(const struct b2bua_call *c, struct sip_header *room, struct sip_message *ret)
{
    return sip_message_parse(c->setup->request, SIP_DATAGRAM, room, SIP_HEADERS_MAX, ret) > 0;
}

static struct branch *branch_new(struct b2bua_call *c, const struct route_target *target)
{
    struct b2bua *b = c->b2bua;
    struct branch *branch = calloc(1, sizeof *branch);
    char token[ENDPOINT_TOKEN_LEN + 1];
    char call_id[ENDPOINT_TOKEN_LEN + 1];

    if (!branch)
        return NULL;
    endpoint_token(b->endpoint, token);
    endpoint_token(b->endpoint, call_id);
    *branch = (struct branch){ .kind = B2BUA_BRANCH, .call = c, .gateway = target->gateway, .trunk = target->trunk,
                               .trusted = target->trusted };
    branch->asked = (struct dialog){
        .call_id = arena_slice(&c->arena, slice_of_string(call_id)),
        .local_tag = arena_slice(&c->arena, slice_of_string(token)),
        .local = c->caller_hides || c->privacy & PRIVACY_USER ? anonymous
                 : target->from.len ? arena_slice(&c->arena, target->from) : c->a.dialog.remote,
        .remote = target->to.len ? arena_slice(&c->arena, target->to) : c->a.dialog.local,
        .target = arena_slice(&c->arena, target->uri), .local_cseq = 1, .is_ours = true, .hop = target->hop,
    };
    list_init(&branch->legs);
    list_append(&c->branches, &branch->in_call);
    b->memory_bytes += sizeof *branch;
    if (branch->asked.call_id.ptr && branch->asked.local_tag.ptr && branch->asked.local.ptr && branch->asked.remote.ptr &&
        branch->asked.target.ptr)
        return branch;
    branch_free(branch);
    return NULL;
}

void branch_free(struct branch *branch)
{
    struct b2bua_call *c = branch->call;

    while (!list_is_empty(&branch->legs)) {
        struct leg *leg = list_item(branch->legs.next, struct leg, in_branch);

        leg_stop(leg);
        leg_forget_ack(leg);
        session_forget(leg);
        b2bua_leave_map(leg);
        if (c->b == leg)
            c->b = NULL;
        forks_forget(leg);                                /* prack_owed stays: it may come yet */
        list_remove(&leg->in_branch);
        c->b2bua->memory_bytes -= sizeof *leg;
        free(leg);
    }
    if (branch->invite)
        client_set_owner(branch->invite, NULL);
    anchor_forget_branch(branch);
    trunk_leave(branch);
    list_remove(&branch->in_call);
    c->b2bua->memory_bytes -= sizeof *branch;
    free(branch);
}

static bool branch_invite(struct branch *branch, const struct route_target *target, const struct sip_message *request)
{
    struct b2bua_call *c = branch->call;
    struct b2bua *b = c->b2bua;
    struct out *o = client_request(b->endpoint, &target->hop, SIP_INVITE, (slice){ 0 }, target->uri);
    unsigned how = headers_how(c, branch) | (session_is_ours(c) ? HEADERS_OUR_TIMER : 0) | reliable_how(c, target);

    if (!o)
        return false;
    out_text(o, target->routes);
    sip_build_header_u32(o, SIP_H_MAX_FORWARDS, setup_max_forwards(b, request) - 1);
    if (branch->breadth)
        sip_build_header_u32(o, SIP_H_MAX_BREADTH, branch->breadth);
    out_text(o, SLICE("From: "));
    sip_build_text(o, branch->asked.local);
    out_text(o, SLICE(";tag="));
    out_text(o, branch->asked.local_tag);
    out_text(o, SLICE("\r\nTo: "));
    sip_build_text(o, branch->asked.remote);
    out_text(o, SLICE("\r\n"));
    sip_build_header(o, SIP_H_CALL_ID, branch->asked.call_id);
    sip_build_cseq(o, 1, SLICE("INVITE"));
    headers_ours(o, b, client_request_hop(b->endpoint), true);
    put_identity(o, c, request, target);
    privacy_put(o, c, request);
    headers_pass(o, request, how | privacy_how(c, &c->a) | (b->settings.no_privacy ? 0 : HEADERS_NO_PRIVACY));
    session_ask(o, branch);
    history_put(o, c, request, target->forwarding, target->trusted);
    if (c->waiting)
        out_text(o, SLICE("Alert-Info: <urn:alert:service:call-waiting>\r\n"));
    branch->invite = client_request_send(b->endpoint, headers_type(request), request->body, branch);
    if (branch->invite)
        b2bua_tell_joined(c, &branch->asked);
    return branch->invite != NULL;
}

/* False: this target cannot be called; nothing was sent. */
bool branch_start(struct b2bua_call *c, const struct route_target *target, const struct sip_message *request,
                  unsigned breadth)
{
    struct sip_message offer = *request;
    struct branch *branch = branch_new(c, target);
    bool any = false;

    if (!branch)
        return false;
    branch->breadth = (uint8_t)breadth;
    if (!codecs_filter(c->b2bua, branch, &offer)) {
        setup_keep_best(c, 488, NULL, NULL);
    } else if (trunk_take(branch, target)) {
        switch (anchor_invite(branch, target, &offer)) {
        case ANCHOR_WAIT:
            return true;
        case ANCHOR_FAIL:
            setup_unanchorable(c);
            return true;
        case ANCHOR_GO:
            any = branch_invite(branch, target, &offer);
            break;
        }
    }
    if (!any)
        branch_free(branch);
    return any;
}

/* ---- what B says ---- */

static struct leg *leg_of(struct branch *branch, const struct sip_message *m, const struct hop *from)
{
    struct b2bua_call *c = branch->call;
    struct leg *leg;

    for (struct list *l = branch->legs.next; l != &branch->legs; l = l->next) {
        leg = list_item(l, struct leg, in_branch);
        if (slice_eq(leg->dialog.remote_tag, m->to.tag))
            return leg;
    }
    leg = c->leg_count < LEGS_MAX ? calloc(1, sizeof *leg) : NULL;
    if (!leg)
        return NULL;
    leg->call = c;
    leg->branch = branch;
    leg->invite_cseq_out = branch->asked.local_cseq;
    if (!dialog_of_response(&c->arena, m, from, &branch->asked, &leg->dialog)) {
        free(leg);
        return NULL;
    }
    c->leg_count++;
    list_append(&branch->legs, &leg->in_branch);
    c->b2bua->memory_bytes += sizeof *leg;
    b2bua_join_map(leg);
    return leg;
}

static void got_2xx(struct branch *branch, const struct sip_message *m, const struct hop *from)
{
    struct b2bua_call *c = branch->call;
    bool late = branch->over || c->cancelled || c->phase != CALL_SETUP;
    struct leg *leg = leg_of(branch, m, from);

    branch->over = true;
    branch->status = m->status;
    trunk_heard(branch, m);
    if (!leg) {                                           /* no To tag: an answer that is none */
        if (!late) {
            branch->over = false;
            branch_over(branch, 502, NULL);
        }
        return;
    }
    if (leg->answered) {
        answer_again(leg, m->cseq.number);
        return;
    }
    leg->answered = true;
    dialog_refresh(&c->arena, m, from, &leg->dialog);
    if (!late) {
        cancel_branches(c, elsewhere, branch);
        branches_over(c);
        release_waiting(c, elsewhere);
        answer_2xx(c, leg, m);
        return;
    }
    leg_ack(leg, NULL);                                   /* too late: it lost the race */
    leg_bye(leg, c->unanchorable ? setup_no_media : c->cancelled ? setup_cancelled : elsewhere, NULL);
}

static enum anchor anchor_response(struct branch *branch, const struct sip_message *m, const struct hop *from)
{
    struct b2bua_call *c = branch->call;
    struct anchor_sdp sdp = { .branch = branch, .tag = m->to.tag, .by_b = true, .answers = c->had_offer };

    if (c->phase != CALL_SETUP || branch->over || m->status <= 100 || m->status >= 300 || !m->to.tag.len)
        return ANCHOR_GO;
    return anchor_message(c, &sdp, &(struct anchor_place){ .branch = branch }, m, from);
}

/* What we offered by the INVITE is in force, if nothing later is. */
static void keep_offer(struct leg *leg)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;

    if (session_keeps(leg) && !session_has(leg) && leg->branch->invite &&
        client_request_of(leg->branch->invite, room, SIP_HEADERS_MAX, &request))
        session_keep(leg, &request);
}

/* B's 2xx has just come. True: forget it, it comes again. */
static bool waits_for_prack(struct branch *branch, const struct sip_message *m, const struct hop *from)
{
    struct leg *leg = branch->call->phase == CALL_SETUP && !branch->over && m->to.tag.len ? leg_of(branch, m, from) : NULL;

    if (!leg || leg->answered)
        return false;
    session_peer(leg, m);
    keep_offer(leg);
    return reliable_holds_answer(leg);
}

/* B offers only what is not allowed: it is out, and told so. */
static void refuse_late_offer(struct branch *branch, const struct sip_message *m, const struct hop *from)
{
    static const slice reason = SLICE_INIT("SIP;cause=488;text=\"None of the audio codecs offered is allowed here\"");
    struct b2bua_call *c = branch->call;
    struct leg *leg = m->status / 100 == 2 ? leg_of(branch, m, from) : NULL;

    if (leg && !leg->answered) {
        leg->answered = true;
        dialog_refresh(&c->arena, m, from, &leg->dialog);
        leg_ack(leg, NULL);
        leg_bye(leg, reason, NULL);
    } else if (m->status < 200) {
        client_cancel(branch->invite, reason);
    }
    branch_over(branch, 488, NULL);
}

void setup_response(struct branch *branch, const struct sip_message *m, const struct hop *from)
{
    struct b2bua_call *c = branch->call;
    struct sip_message offer = *m;
    enum anchor anchor;

    branch->got_any = true;
    if (codecs_are_late(c, branch, m)) {
        if (!codecs_filter_to(&c->a, &offer)) {
            refuse_late_offer(branch, m, from);
            return;
        }
        m = &offer;
    }
    if (m->status / 100 == 2 && waits_for_prack(branch, m, from))
        return;
    anchor = anchor_response(branch, m, from);
    if (anchor == ANCHOR_WAIT)
        return;
    if (anchor == ANCHOR_FAIL)
        setup_unanchorable(c);                            /* a 2xx is too late then, as any */
    if (m->status < 200) {
        branch->rang |= m->status >= 180 && m->status < 190;
        ring_heard(branch, m->status);
        struct leg *leg = m->status > 100 && m->to.tag.len && c->phase == CALL_SETUP && !branch->over
                              ? leg_of(branch, m, from) : NULL;

        if (leg)
            answer_18x(c, leg, m);
        else if (m->status > 100 && m->to.tag.len == 0 && c->phase == CALL_SETUP && !branch->over && c->invite) {
            forks_reply(&c->a, m->status, m->reason);         /* without a dialog: passed on as it is */
            server_reply_send(c->invite, (slice){ 0 }, (slice){ 0 });
        }
    } else if (m->status < 300) {
        got_2xx(branch, m, from);
    } else if (!trunk_invite_again(branch, m) && !session_invite_again(branch, m)) {
        branch_over(branch, m->status, m);
    }
}

/* 408 when the far end is a trunk, 480 when it is a user's phone (RFC 3665, 3.10); what could
 * not be sent at all is 503 here, which is for us: A gets 500 (16.9). */
void setup_failed(struct branch *branch, enum endpoint_failure why)
{
    struct b2bua_call *c = branch->call;
    const struct call_setup *setup = c->setup;
    bool retries = setup && (setup->target_count || setup->forward[USER_FORWARD_UNREACHABLE].len);

    branch->local = why == ENDPOINT_HOP_LOST ? 503 : 408;
    if (why == ENDPOINT_HOP_LOST)
        branch_over(branch, retries ? 503 : 500, NULL);
    else
        branch_over(branch, branch->gateway || retries ? 408 : 480, NULL);
}

/* The relay has spoken about a branch that waited for it. */
void setup_invite(struct branch *branch, const struct route_target *target, slice body, bool fails)
{
    struct b2bua_call *c = branch->call;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;

    if (fails) {
        setup_unanchorable(c);
        return;
    }
    if (setup_request(c, room, &request)) {
        if (body.ptr)
            request.body = body;
        if ((body.ptr || codecs_filter(c->b2bua, branch, &request)) && branch_invite(branch, target, &request))
            return;                                       /* filtered once more: without the relay it is as it came */
    }
    setup_failed(branch, ENDPOINT_HOP_LOST);
}
