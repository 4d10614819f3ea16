/* switch/b2bua_end.c - BYE, and what ends a call without one
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/values.h"
#include "switch/b2bua_int.h"

static void put_reason(struct out *o, slice reason, const struct sip_message *reason_of)
{
    if (reason_of)
        sip_build_copy(o, reason_of, SIP_H_REASON);
    else if (reason.len)
        sip_build_header(o, SIP_H_REASON, reason);
}

/* Without memory it will be a BYE that does not say why. */
static const char *keep_reason(struct b2bua_call *c, slice reason, const struct sip_message *reason_of)
{
    struct out *o = &c->b2bua->scratch;

    out_clear(o);
    put_reason(o, reason, reason_of);
    return o->error || !o->used ? NULL : arena_slice(&c->arena, out_taken(o)).ptr;
}

/* `lines`: of a Reason that was kept, else empty. */
static void send_bye(struct leg *leg, slice reason, const struct sip_message *reason_of, slice lines)
{
    struct b2bua_call *c = leg->call;
    struct relay *r;
    struct out *o;

    if (leg->ack_owed)
        leg_ack(leg, NULL);                               /* without the answer it waited for */
    leg->ended = true;
    r = relay_start(c, NULL, leg, NULL, NULL);
    o = r ? dialog_request(c->b2bua->endpoint, &leg->dialog, SIP_BYE, (slice){ 0 }) : NULL;
    if (o) {
        put_reason(o, reason, reason_of);
        out_text(o, lines);
        r->client = client_request_send(c->b2bua->endpoint, (slice){ 0 }, (slice){ 0 }, r);
    }
    if (r && !r->client)
        relay_free(r);
}

/* 15.1.1: not to the caller before its ACK came. */
void leg_bye(struct leg *leg, slice reason, const struct sip_message *reason_of)
{
    if (leg->ended || leg->bye_wanted)
        return;
    leg->bye_wanted = leg->repeats == LEG_REPEATS_2XX;
    if (leg->bye_wanted)
        leg->bye_reason = keep_reason(leg->call, reason, reason_of);
    else
        send_bye(leg, reason, reason_of, (slice){ 0 });
}

void leg_bye_if_wanted(struct leg *leg)
{
    if (leg->bye_wanted && !leg->ended)
        send_bye(leg, (slice){ 0 }, NULL, leg->bye_reason ? slice_of_string(leg->bye_reason) : (slice){ 0 });
    leg->bye_wanted = false;
}

/* What one leg still asks of the other is answered before both go. */
static void end_relays(struct b2bua_call *c)
{
    struct list *next;

    for (struct list *l = c->relays.next; l != &c->relays; l = next) {
        struct relay *r = list_item(l, struct relay, in_call);

        next = l->next;
        if (r->refreshes && !r->done && r->method == SIP_INVITE && r->client)
            relay_give_up(r);
        if (!r->from || r->done)
            continue;
        if (r->server && server_status(r->server) < 200)
            server_reply_plain(r->server, r->method == SIP_INVITE ? 487 : 481);
        if (r->method == SIP_INVITE && r->client)
            relay_give_up(r);
        else
            relay_free(r);
    }
}

void call_end(struct b2bua_call *c, struct leg *but, slice reason, const struct sip_message *reason_of)
{
    if (c->phase == CALL_ENDING)
        return;
    transfer_call_ends(c);
    c->phase = CALL_ENDING;
    wheel_clear(&c->b2bua->call_wheel, &c->timer);
    end_relays(c);
    if (&c->a != but)
        leg_bye(&c->a, reason, reason_of);
    if (c->b && c->b != but)
        leg_bye(c->b, reason, reason_of);
    for (size_t i = 0; i < ARRAY_LEN(c->lines); i++)
        tally_give_back(c->b2bua->lines, &c->lines[i]);   /* a BYE or NOTIFY may have no answer, but nobody talks */
    queue_freed(c->b2bua);
}

void end_unanchorable(struct b2bua_call *c)
{
    if (c->phase == CALL_SETUP)
        setup_unanchorable(c);
    else
        call_end(c, NULL, SLICE("SIP;cause=488;text=\"The media relay does not carry it\""), NULL);
}

void end_bye(struct leg *from, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = from->call;
    const struct sip_header *reason = sip_header_find(m, SIP_H_REASON);

    if (from->branch && (c->phase == CALL_SETUP || from != c->b)) {      /* a callee ends by a final answer, not so */
        server_reply_plain(s, 481);
        return;
    }
    server_reply_plain(s, 200);
    if ((from != &c->a && !from->branch && c->phase != CALL_SETUP) || forks_bye(from, reason ? reason->value : (slice){ 0 }))
        return;                                           /* one early dialog of several */
    if (c->phase == CALL_SETUP) {
        setup_give_up(c, 487, reason ? reason->value : (slice){ 0 });
        return;
    }
    if (transfer_left(from))
        return;
    if (from->ack_owed)                                   /* it got tired of waiting, and we of the other side's */
        leg_ack(from, NULL);
    leg_stop(from);                                       /* it need not acknowledge any more */
    from->ended = true;
    from->bye_wanted = false;
    call_end(c, from, (slice){ 0 }, m);
}
