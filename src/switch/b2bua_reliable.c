/* switch/b2bua_reliable.c - what A's INVITE requires or lacks; reliable 1xx of each leg by itself
 * SPDX-License-Identifier: Apache-2.0
 *
 * B2BUA_RELIABLE_LEG: B's reliable 1xx gets its PRACK from us at once and is reliable to A when
 * A knows how; A's PRACK ends here. An A that requires it gets B's plain ones so, too. With the
 * offer in B's answer (an INVITE without SDP) that cannot be: the PRACK has to bring A's answer,
 * so it passes from end to end. A call between sides of different modes (a gateway may have its
 * own) goes by leg, too; of those that are off neither gets any. */
#include "sip/build.h"
#include "sip/fields.h"
#include "switch/b2bua_int.h"

static bool requires(const struct sip_message *m, slice tag) { return sip_values_have(m, SIP_H_REQUIRE, tag); }
static bool knows(const struct sip_message *m, slice tag) { return sip_values_have(m, SIP_H_SUPPORTED, tag) || requires(m, tag); }

/* ---- A's INVITE ---- */

unsigned setup_refuses(struct b2bua_call *c, const struct sip_message *m, struct out *headers)
{
    const struct b2bua_settings *s = &c->b2bua->settings;
    const struct router *router = &c->b2bua->router;
    uint8_t reliable = router->reliable ? router->reliable(router->ctx, s->reliable) : s->reliable;

    c->session_timer = s->session_timer;
    c->reliable_mode = reliable;
    c->precondition_mode = s->preconditions;
    const struct { slice tag; bool off, demanded; } rows[] = {
        { SLICE("100rel"), reliable == B2BUA_RELIABLE_OFF, reliable == B2BUA_RELIABLE_DEMAND },
        { SLICE("precondition"), s->preconditions == B2BUA_PRECONDITIONS_OFF, false },
    };
    unsigned status = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].off && requires(m, rows[i].tag)) {
            sip_build_header(headers, SIP_H_UNSUPPORTED, rows[i].tag);
            status = 420;
        }
    for (size_t i = 0; !status && i < ARRAY_LEN(rows); i++)
        if (rows[i].demanded && !knows(m, rows[i].tag) && !setup_is_urgent(c->b2bua, m)) {
            sip_build_header(headers, SIP_H_REQUIRE, rows[i].tag);
            status = 421;
        }
    c->reliable = reliable != B2BUA_RELIABLE_OFF && knows(m, SLICE("100rel"));
    c->must_reliable = reliable == B2BUA_RELIABLE_LEG && requires(m, SLICE("100rel"));
    return status ? status : session_begin(c, m, headers);
}

/* As far as B is concerned, to demand it of A is to let it through. */
static uint8_t kind_of(uint8_t mode) { return mode == B2BUA_RELIABLE_DEMAND ? B2BUA_RELIABLE_THROUGH : mode; }

void reliable_meet(struct b2bua_call *c, const struct sip_message *request)
{
    const struct call_setup *setup = c->setup;
    bool differ = false;

    for (size_t i = 0; i < setup->target_count; i++) {
        const struct route_target *target = &setup->targets[i];

        differ |= kind_of(target->gateway ? target->reliable : c->b2bua->settings.reliable) != kind_of(c->reliable_mode);
    }
    if (!differ || c->reliable_mode == B2BUA_RELIABLE_LEG)
        return;
    c->must_reliable = c->reliable && requires(request, SLICE("100rel"));
    c->reliable_mode = B2BUA_RELIABLE_LEG;
}

/* ---- by leg ---- */

static bool by_leg(const struct b2bua_call *c) { return c->reliable_mode == B2BUA_RELIABLE_LEG; }

unsigned reliable_how(const struct b2bua_call *c, const struct route_target *target)
{
    bool off = (target->gateway ? target->reliable : c->b2bua->settings.reliable) == B2BUA_RELIABLE_OFF;

    return by_leg(c) && !off && (c->had_offer || c->reliable) ? HEADERS_OUR_100REL : 0;
}

bool reliable_ends_here(const struct b2bua_call *c) { return !c->reliable || (by_leg(c) && c->had_offer); }

bool reliable_to_a(const struct b2bua_call *c, bool from_b) { return from_b ? c->reliable : c->must_reliable && c->had_offer; }

bool reliable_holds_answer(struct leg *leg)
{
    struct b2bua_call *c = leg->call;
    const struct leg *a = forks_peer(leg);

    leg->answer_waits = by_leg(c) && c->had_offer && a && a->repeats == LEG_REPEATS_1XX && a->early_sdp && c->phase == CALL_SETUP && !c->cancelled;
    return leg->answer_waits;
}

struct leg *reliable_offers_to(const struct leg *a, const struct sip_message *prack)
{
    return by_leg(a->call) && a->call->had_offer && headers_have_offer(prack) ? forks_peer(a) : NULL;
}

/* A second offer in A's PRACK: B has had its PRACK, so it comes as UPDATE. */
bool reliable_prack(struct leg *a, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = a->call;
    struct endpoint *e = c->b2bua->endpoint;
    struct leg *fork = reliable_offers_to(a, m);
    struct relay *r;
    struct out *o;

    if (!fork)
        return false;
    r = relay_start(c, a, fork, s, m);
    o = r ? dialog_request(e, &fork->dialog, SIP_UPDATE, (slice){ 0 }) : NULL;
    if (o) {
        headers_ours(o, c->b2bua, client_request_hop(e), true);
        headers_pass(o, m, headers_how(c, fork->branch));
        r->client = client_request_send(e, headers_type(m), m->body, r);
    }
    if (r && r->client) {
        precondition_passed(c, true, m);
        return true;
    }
    server_reply_plain(s, 500);
    if (r)
        relay_free(r);
    return true;
}

/* ---- ringing that was held back ---- */

void reliable_ring(struct leg *a)
{
    struct b2bua_call *c = a->call;
    bool told = reliable_to_a(c, false);
    unsigned status = a->held_ring;
    struct out *o;

    if (!status || a->ended || c->phase != CALL_SETUP || !c->invite || precondition_holds(c) || (told && a->repeats == LEG_REPEATS_1XX))
        return;
    a->held_ring = 0;
    o = forks_reply(a, status, (slice){ 0 });
    headers_record_routes(o, &a->dialog);
    headers_ours(o, c->b2bua, server_hop(c->invite), false);
    if (told)
        reliable_put(o, a);
    if (server_reply_send(c->invite, (slice){ 0 }, (slice){ 0 }) && told)
        reliable_sent(a, NULL, 0, false);
}

void reliable_put(struct out *o, struct leg *a)
{
    if (by_leg(a->call))
        sip_build_header(o, SIP_H_REQUIRE, SLICE("100rel"));
    sip_build_header_u32(o, SIP_H_RSEQ, ++a->rseq);
}

void reliable_sent(struct leg *a, const struct leg *fork, uint32_t rseq, bool has_sdp)
{
    a->prack_owed = true;
    a->early_sdp = has_sdp;
    a->pracked_rseq = fork ? rseq : 0;
    a->pracked_cseq = fork ? fork->invite_cseq_out : 0;
    leg_repeat(a, LEG_REPEATS_1XX, a->call->invite);
}
