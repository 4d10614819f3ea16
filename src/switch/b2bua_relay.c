/* switch/b2bua_relay.c - requests within the two dialogs, from one to the other
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/sdp.h"
#include "switch/b2bua_int.h"

#include <stdlib.h>

/* ---- life ---- */

struct relay *relay_start(struct b2bua_call *c, struct leg *from, struct leg *to, struct server_transaction *s,
                          const struct sip_message *m)
{
    /* A BYE of ours is never kept back. */
    struct relay *r = c->relay_count < RELAYS_MAX || !from ? calloc(1, sizeof *r) : NULL;

    if (!r)
        return NULL;
    *r = (struct relay){ .kind = B2BUA_RELAY, .call = c, .from = from, .to = to, .server = s,
                         .method = (uint8_t)(m ? m->method : SIP_UNKNOWN), .has_offer = m && headers_have_offer(m),
                         .cseq_in = m ? m->cseq.number : 0 };
    list_append(&c->relays, &r->in_call);
    c->relay_count++;
    if (s)
        server_set_owner(s, r);
    c->b2bua->memory_bytes += sizeof *r;
    return r;
}

static void forget(struct relay *r)
{
    uint8_t *kind = r->server ? server_owner(r->server) : NULL;

    if (kind == &r->kind)
        server_set_owner(r->server, NULL);
    r->server = NULL;
    r->from = NULL;
}

/* A 2xx of it wants its ACK all the same; CANCEL gives it an end (9.1). */
void relay_give_up(struct relay *r)
{
    forget(r);
    r->cancelled = true;
    client_cancel(r->client, (slice){ 0 });
}

void relay_change_places(struct b2bua_call *c, struct leg *one, struct leg *other)
{
    for (struct list *l = c->relays.next; l != &c->relays; l = l->next) {
        struct relay *r = list_item(l, struct relay, in_call);

        r->from = r->from == one ? other : r->from == other ? one : r->from;
        r->to = r->to == one ? other : r->to == other ? one : r->to;
    }
}

/* Is it between the two that talk, and not of a phone that lost? Of what is ours a re-INVITE, though
 * nobody waits for its answer any more; no BYE, PRACK or NOTIFY. */
static bool is_of_talk(const struct relay *r)
{
    const struct b2bua_call *c = r->call;

    if (!r->from)
        return c->phase == CALL_ANSWERED && r->method == SIP_INVITE;
    return c->phase == CALL_ANSWERED && c->b == (r->to->branch ? r->to : r->from);
}

void relay_free(struct relay *r)
{
    forget(r);
    transfer_forget_relay(r);
    anchor_forget_relay(r);
    if (r->client)
        client_set_owner(r->client, NULL);
    list_remove(&r->in_call);
    r->call->relay_count--;
    r->call->b2bua->memory_bytes -= sizeof *r;
    free(r);
}

/* Of the two sides, the one that is not A. */
static const struct branch *branch_of(const struct leg *from, const struct leg *to) { return from && from->branch ? from->branch : to->branch; }

/* ---- glare (14.1; RFC 3311, 5.2) ---- */

bool relay_is_offer(const struct sip_message *m)
{
    return m->method == SIP_INVITE || (m->method == SIP_UPDATE && headers_have_offer(m));
}

/* What an offer runs into that is still open: 0 nothing, 500 one of the same side, 491 one of
 * the other. */
static unsigned glare(const struct b2bua_call *c, const struct leg *from, const struct sip_message *m)
{
    bool is_invite = m->method == SIP_INVITE;
    const struct leg *peer = forks_peer(from);

    if (!relay_is_offer(m))
        return 0;
    if (is_invite && c->phase == CALL_SETUP)
        return !from->branch ? 500 : 491;
    if (is_invite && peer && peer->ack_owed)
        return 500;                                       /* it waits for the answer that their ACK brings */
    if (transfer_asks(c))
        return 491;
    for (struct list *l = c->relays.next; l != &c->relays; l = l->next) {
        const struct relay *r = list_item(l, struct relay, in_call);

        if (r->refreshes && !r->done && r->method == SIP_INVITE)
            return 491;                                   /* ours, for the session timer */
        if (r->done || !(r->method == SIP_INVITE || (r->method == SIP_UPDATE && r->has_offer)))
            continue;
        if (r->from == from)
            return 500;
        if (r->to == from || r->to == peer || r->from == peer)     /* else it is of another early dialog */
            return 491;
    }
    return 0;
}

static void refuse_offer(struct b2bua_call *c, struct server_transaction *s, unsigned status)
{
    struct out *o = server_reply(s, status, (slice){ 0 });

    if (status == 500)
        sip_build_header_u32(o, SIP_H_RETRY_AFTER, (uint32_t)(b2bua_random(c->b2bua) % 11));
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

bool relay_refuses(struct leg *from, struct server_transaction *s, const struct sip_message *m)
{
    const struct leg *other = relay_is_offer(m) ? anchor_offering_leg(from->call) : NULL;

    if (!other)
        return false;
    (void)dialog_take_cseq(&from->dialog, m);
    refuse_offer(from->call, s, other == from ? 500 : 491);
    return true;
}

/* ---- a request ---- */

static bool refreshes_target(enum sip_method method) { return method == SIP_INVITE || method == SIP_UPDATE; }

void relay_request(struct leg *from, struct server_transaction *s, const struct sip_message *m, const struct hop *hop)
{
    struct b2bua_call *c = from->call;
    struct leg *to = forks_peer(from);
    struct sip_message offer = *m;
    unsigned status;
    struct session_wish wish = { 0 };

    if (transfer_request(from, to, s, m))
        return;
    status = glare(c, from, m);
    if (status) {
        refuse_offer(c, s, status);
        return;
    }
    if (!to && c->phase == CALL_SETUP) {                  /* the next target may ring soon */
        refuse_offer(c, s, 500);
        return;
    }
    if (!to || to->ended) {
        server_reply_plain(s, 481);
        return;
    }
    if (refreshes_target(m->method) && !codecs_filter_to(to, &offer)) {
        codecs_refuse(s);
        return;
    }
    if (session_request(from, s, m, hop, &wish) || precondition_request(from, s, m))
        return;
    if (refreshes_target(m->method)) {
        struct leg *b = !from->branch ? to : from;
        struct anchor_sdp sdp = { .branch = b->branch, .tag = b->dialog.remote_tag, .by_b = b == from };
        enum anchor anchor = anchor_message(c, &sdp, &(struct anchor_place){ .leg = from, .server = s }, &offer, hop);

        if (anchor == ANCHOR_FAIL)
            anchor_refuse(c, s);
        if (anchor != ANCHOR_GO)
            return;
        dialog_refresh(&c->arena, m, hop, &from->dialog);
    }
    struct relay *r = relay_start(c, from, to, s, m);
    struct out *o = r ? dialog_request(c->b2bua->endpoint, &to->dialog, m->method, m->method_text) : NULL;

    if (o) {
        if (m->method == SIP_INVITE) {
            to->invite_cseq_out = r->cseq_out = to->dialog.local_cseq;
            to->acked_once = to->ack_owed = false;
        }
        r->wish = wish;
        headers_ours(o, c->b2bua, client_request_hop(c->b2bua->endpoint), true);
        headers_pass(o, m, headers_how(c, branch_of(from, to)) | privacy_how(c, from) | (refreshes_target(m->method) && session_is_ours(c) ? HEADERS_OUR_TIMER : 0));
        if (refreshes_target(m->method))
            session_relay(o, to);
        r->client = client_request_send(c->b2bua->endpoint, headers_type(m), offer.body, r);
    }
    if (r && r->client) {
        precondition_passed(c, !from->branch, m);
        return;
    }
    server_reply_plain(s, 503);
    if (r)
        relay_free(r);
}

/* ---- its answer ---- */

static void pass_answer(struct relay *r, const struct sip_message *m, unsigned also)
{
    struct b2bua_call *c = r->call;
    struct out *o;

    if (!r->server)
        return;
    if (trunk_refused(r->to, m->status)) {
        server_reply(r->server, 403, trunk_phrase);
        server_reply_send(r->server, (slice){ 0 }, (slice){ 0 });
        return;
    }
    if (m->status == 422 && session_is_ours(c)) {         /* to our interval, of which they know nothing */
        (void)session_longer(r->to, m);
        refuse_offer(c, r->server, 500);
        return;
    }
    o = server_reply(r->server, m->status, m->reason);
    if (refreshes_target((enum sip_method)r->method) && m->status < 300)
        headers_ours(o, c->b2bua, server_hop(r->server), false);
    headers_pass(o, m, headers_how(c, branch_of(r->from, r->to)) | also);
    if (m->status >= 200 && m->status < 300) {
        session_relay_answer(o, r);
        session_keep(r->from, m);
    }
    if (!server_reply_send(r->server, headers_type(m), m->body) && m->status >= 200)
        (void)server_reply_plain(r->server, 500);
}

static void got_provisional(struct relay *r, const struct sip_message *m)
{
    uint32_t rseq;

    if (m->status == 100 || r->done)
        return;
    if (r->method == SIP_INVITE && is_reliable_1xx(m, &rseq)) {
        if ((r->rseq && rseq != r->rseq + 1) || r->call->relay_count >= RELAYS_MAX)
            return;                                       /* a repeat, or one is missing: it will come again */
        r->rseq = r->to->rseq = rseq;                     /* each INVITE has numbers of its own (RFC 3262, 3) */
        leg_prack(r->to);
    }
    pass_answer(r, m, HEADERS_NO_REQUIRE);
}

/* The 2xx of a re-INVITE: as that of the INVITE, now for whichever leg asked. */
static void got_invite_2xx(struct relay *r, const struct sip_message *m)
{
    bool again = r->done;

    r->done = true;
    if (!r->from) {                                       /* the call ended meanwhile */
        answer_again(r->to, r->cseq_out);
        return;
    }
    if (again) {
        answer_again(r->to, m->cseq.number);
        return;
    }
    if (r->has_offer)
        leg_ack(r->to, NULL);
    else
        r->to->ack_owed = true;
    pass_answer(r, m, 0);
    if (!r->server)
        return;
    r->from->invite_cseq_in = r->cseq_in;
    leg_repeat(r->from, LEG_REPEATS_2XX, r->server);
    r->server = NULL;
}

/* The far end has agreed to what the near end cannot be told: there is no way back. */
static void unanchorable(struct relay *r, const struct sip_message *m)
{
    struct b2bua_call *c = r->call;

    if (m->status < 200)
        return;
    r->done = true;
    anchor_refuse(c, r->server);
    if (r->method == SIP_INVITE)
        leg_ack(r->to, NULL);
    end_unanchorable(c);
    if (r->method != SIP_INVITE)
        relay_free(r);
}

static enum anchor anchor_response(struct relay *r, const struct sip_message *m, const struct hop *from)
{
    struct leg *b = r->to->branch ? r->to : r->from;

    if (!r->server || !r->from || r->done || m->status <= 100 || m->status >= 300)
        return ANCHOR_GO;
    return anchor_message(r->call,
                          &(struct anchor_sdp){ .branch = b->branch, .tag = b->dialog.remote_tag, .by_b = b == r->to,
                                                .answers = r->has_offer },
                          &(struct anchor_place){ .relay = r }, m, from);
}

/* The call has ended, and the relay is asked no more: the SDP would name the other phone itself. */
static bool is_too_late(const struct relay *r, const struct sip_message *m)
{
    const struct b2bua_call *c = r->call;
    const struct leg *b = r->to->branch ? r->to : r->from;
    slice sdp;

    return c->phase == CALL_ENDING && r->server && b && b->branch && b->branch->anchored && m->status / 100 == 2 &&
           r->method != SIP_INVITE && sip_sdp_of(m, &sdp);
}

/* What we offered is in force now. */
static void keep_offer(struct relay *r)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;

    if (r->has_offer && !r->done && session_keeps(r->to) && r->client && client_request_of(r->client, room, SIP_HEADERS_MAX, &request))
        session_keep(r->to, &request);
}

/* A re-INVITE without an offer asks for one. */
static bool offers_late(const struct relay *r, const struct sip_message *m)
{
    return r->method == SIP_INVITE && !r->has_offer && r->from && !r->done && m->status / 100 == 2 && headers_have_offer(m);
}

void relay_response(struct relay *r, const struct sip_message *m, const struct hop *from)
{
    struct b2bua_call *c = r->call;
    struct sip_message offer = *m;
    enum anchor anchor;
    /* RFC 5057, 5.1. Who has not acknowledged our first 2xx may not even have it; a PRACK may come too late. */
    bool has_dialog = r->to->repeats != LEG_REPEATS_2XX || r->to->branch || r->to->invite_cseq_in != c->a_cseq;
    bool gone = m->status == 481 && has_dialog && r->method != SIP_PRACK;

    if (r->transfer) {
        transfer_response(r, m, from);
        return;
    }
    if (offers_late(r, m) && codecs_filter_to(r->from, &offer))
        m = &offer;                                       /* with none left it passes as it is: the call goes on */
    if (m->status / 100 == 2)
        keep_offer(r);                                    /* while it is there; the answer may have to wait */
    anchor = anchor_response(r, m, from);
    if (anchor == ANCHOR_FAIL)
        unanchorable(r, m);
    if (anchor != ANCHOR_GO)
        return;
    if (is_too_late(r, m)) {
        server_reply_plain(r->server, 481);
        relay_free(r);
        return;
    }
    if (m->status < 200) {
        got_provisional(r, m);
        return;
    }
    if (r->refreshes && session_response(r, m, from))
        return;
    if (m->status < 300 && refreshes_target((enum sip_method)r->method)) {
        dialog_refresh(&r->to->call->arena, m, from, &r->to->dialog);     /* a transfer's re-INVITE: not r->call */
        session_relayed(r, m);
    }
    if (r->method == SIP_INVITE && m->status < 300) {
        got_invite_2xx(r, m);
        return;
    }
    if (trunk_relay_again(r, m))
        return;
    if (m->status >= 300)
        transfer_unheard(r);
    r->done = true;
    pass_answer(r, m, 0);
    if (m->status < 300)
        precondition_passed(c, !r->to->branch, m);
    else if (m->status == 408)
        precondition_over(c, r);
    if (gone && is_of_talk(r)) {                          /* BYE to both: the 481 may be older than the dialog */
        call_end(c, NULL, SLICE("SIP;cause=481;text=\"The other side has no such call\""), NULL);
    } else if (m->status == 408 && is_of_talk(r)) {
        call_end(c, NULL, SLICE("SIP;cause=408;text=\"The other side does not answer\""), NULL);
    }
    relay_free(r);
}

/* A request that nobody answers gets no answer either (RFC 4320), but an INVITE gets its 408. */
void relay_failed(struct relay *r, enum endpoint_failure why)
{
    struct b2bua_call *c = r->call;
    bool ends = is_of_talk(r);

    if (r->transfer) {
        transfer_failed(r, why);
        return;
    }
    if (r->refreshes) {
        session_failed(r);
        return;
    }
    r->done = true;
    if (r->server && (r->method == SIP_INVITE || why == ENDPOINT_HOP_LOST)) {
        server_reply_plain(r->server, why == ENDPOINT_HOP_LOST ? 503 : 408);
    } else if (r->server) {
        server_drop(r->server);
        r->server = NULL;
    }
    precondition_over(c, r);
    if (ends) {                                           /* it may hear us all the same: BYE to both */
        call_end(c, NULL, SLICE("SIP;cause=408;text=\"The other side does not answer\""), NULL);
    }
    relay_free(r);
}
