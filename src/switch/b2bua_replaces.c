/* switch/b2bua_replaces.c - who may take whose place, and the INVITE that does: Replaces (RFC 3891)
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/b2bua_transfer_int.h"

/* ---- whose place it may be ---- */

unsigned transfer_count_of(const struct sip_message *m, enum sip_header_id id)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->header_count; i++)
        n += m->headers[i].id == id;
    return n;
}

struct leg *transfer_leg_named(struct b2bua *b, const struct sip_replaces *name)
{
    const struct sip_message m = { .call_id = name->call_id, .to.tag = name->to_tag, .from.tag = name->from_tag };

    return b2bua_find(b, &m);
}

/* RFC 3891, 3: 0 when it can be replaced. An early dialog is one that its caller began, not we, or
 * one of several of a call that is only being set up. */
unsigned transfer_cannot_replace(const struct leg *leg, const struct sip_replaces *name)
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

struct leg *leg_other(struct leg *leg) { return leg == &leg->call->a ? leg->call->b : &leg->call->a; }

/* ---- INVITE with Replaces ---- */

void transfer_take_offer(struct transfer *t, const struct sip_message *m)
{
    if (!transfer_keep_offer(t, m))
        return;
    t->stage = JOINING;
    transfer_wake(t, 0);
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
    if (transfer_count_of(m, SIP_H_REPLACES) != 1 || !sip_replaces_parse(h->value, &name))
        return 400;
    leg = transfer_leg_named(c->b2bua, &name);
    status = transfer_cannot_replace(leg, &name);
    if (!status)
        status = who_takes(c, m, from);
    if (status)
        return status;
    t = transfer_new(leg->call, leg, leg_other(leg));
    if (!t)
        return 500;
    t->taken = true;
    t->t = c;
    c->transfer = t;
    c->serves = true;
    t->end_ns = b2bua_now(c->b2bua) + JOIN_MAX_NS;
    t->seat = seat_new(c, t->party);
    if (!t->seat)
        return 500;
    struct anchor_sdp sdp = { .branch = t->seat, .tag = t->party->dialog.remote_tag };
    enum anchor anchor = anchor_message(c, &sdp, &(struct anchor_place){ .leg = &c->a, .server = c->invite }, m, from);

    if (anchor == ANCHOR_GO)
        transfer_take_offer(t, m);
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
