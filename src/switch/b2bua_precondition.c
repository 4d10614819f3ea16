/* switch/b2bua_precondition.c - no ringing before the resources are there (RFC 3312, 4032)
 * SPDX-License-Identifier: Apache-2.0
 *
 * B2BUA_PRECONDITIONS_ACT: the SDP of both passes unchanged, and is read. A callee that takes
 * part (its SDP has such lines) must not ring before what A desires and what it desires of A is
 * reserved on A's side; when it does, A hears 183 at most until then, and 180 after it. That its
 * own side is ready, B says by ringing. What fails ends the setup:
 *     580  B says that a mandatory desire failed, or it is not met when the ring time is over
 *     421  B requires preconditions, and A knows of none
 *     504  B does not answer the UPDATE that was to settle it
 * A callee that says nothing of preconditions takes no part, and is not held back. */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/sdp.h"
#include "switch/b2bua_int.h"

static const slice failure = SLICE_INIT("SIP;cause=580;text=\"Precondition Failure\"");

static bool acts(const struct b2bua_call *c) { return c->precondition_mode == B2BUA_PRECONDITIONS_ACT && c->phase == CALL_SETUP; }

/* ---- what an SDP says ---- */

enum { SEND = 1, RECV = 2 };

static uint8_t direction_of(slice text)
{
    static const struct { slice name; uint8_t bits; } rows[] = {
        { SLICE_INIT("send"), SEND }, { SLICE_INIT("recv"), RECV }, { SLICE_INIT("sendrecv"), SEND | RECV },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (slice_eq_nocase(rows[i].name, text))
            return rows[i].bits;
    return 0;
}

/* Of one media line: the mandatory desires that are not met, on the segment of the name (from
 * end to end counts for both), and whether one is said to have failed. */
struct desires { uint8_t unmet; bool any, failed; };

static struct desires desires_of(slice all, slice segment)
{
    struct desires d = { 0 };
    uint8_t current = 0, desired = 0;
    struct sdp_precondition p;
    slice lines = all, name, value;

    while (sdp_attr_next(&lines, &name, &value)) {
        if (!sdp_precondition_parse(name, value, &p) || !slice_eq_nocase(p.type, SLICE("qos")))
            continue;
        d.any = true;
        d.failed |= p.kind == SDP_DESIRED && slice_eq_nocase(p.strength, SLICE("failure"));
        if (!slice_eq_nocase(p.status, segment) && !slice_eq_nocase(p.status, SLICE("e2e")))
            continue;
        if (p.kind == SDP_CURRENT)
            current |= direction_of(p.direction);
        else if (p.kind == SDP_DESIRED && slice_eq_nocase(p.strength, SLICE("mandatory")))
            desired |= direction_of(p.direction);
    }
    d.unmet = desired & (uint8_t)~current;
    return d;
}

static void heard(struct b2bua_call *c, bool by_a, const struct sip_message *m)
{
    uint8_t unmet = by_a ? PRECONDITION_A_UNMET : PRECONDITION_B_WAITS;
    struct sdp sdp;
    slice text;

    if (!acts(c) || !sip_sdp_of(m, &text) || !sdp_parse(text, &sdp))
        return;
    c->preconditions &= (uint8_t)~unmet;
    for (unsigned i = 0; i < sdp.media_count; i++) {
        struct desires d = desires_of(sdp.media[i].lines, by_a ? SLICE("local") : SLICE("remote"));

        if (!sdp.media[i].port || !d.any)
            continue;
        c->preconditions |= (uint8_t)((d.unmet ? unmet : 0) | (by_a ? 0 : PRECONDITION_B_TAKES_PART) |
                                      (d.failed && !by_a ? PRECONDITION_FAILED : 0));
    }
}

bool precondition_holds(const struct b2bua_call *c)
{
    return acts(c) && c->preconditions & PRECONDITION_B_TAKES_PART && c->preconditions & (PRECONDITION_A_UNMET | PRECONDITION_B_WAITS);
}

/* ---- what is done about it ---- */

void precondition_begin(struct b2bua_call *c, const struct sip_message *m)
{
    if (sip_values_have(m, SIP_H_SUPPORTED, SLICE("precondition")) || sip_values_have(m, SIP_H_REQUIRE, SLICE("precondition")))
        c->preconditions |= PRECONDITION_A_KNOWS;
    heard(c, true, m);
}

/* True: the setup is over, and A knows. */
static bool ends(struct b2bua_call *c)
{
    if (!acts(c) || !(c->preconditions & PRECONDITION_FAILED))
        return false;
    setup_give_up(c, 580, failure);
    return true;
}

bool precondition_18x(struct leg *a, const struct sip_message *m, unsigned *status)
{
    struct b2bua_call *c = a->call;

    if (!acts(c))
        return true;
    if (sip_values_have(m, SIP_H_REQUIRE, SLICE("precondition")) && !(c->preconditions & PRECONDITION_A_KNOWS)) {
        out_clear(&c->b2bua->scratch);
        sip_build_header(&c->b2bua->scratch, SIP_H_REQUIRE, SLICE("precondition"));
        setup_give_up_with(c, 421, SLICE("SIP;cause=421;text=\"The caller knows of no preconditions\""), out_taken(&c->b2bua->scratch));
        return false;
    }
    if (c->reliable && is_reliable_1xx(m, &(uint32_t){ 0 }))      /* else it is no answer: A cannot act on it (RFC 3312, 5) */
        heard(c, false, m);
    if (ends(c))
        return false;
    if (m->status != 180 || !precondition_holds(c))
        return true;
    c->b2bua->counts.held_back++;
    if (m->body.len) {                                    /* its SDP A needs, the ringing it does not */
        a->held_ring = 180;
        *status = 183;
        return true;
    }
    if (!is_reliable_1xx(m, &(uint32_t){ 0 }))            /* a reliable one comes again, as it has no PRACK */
        a->held_ring = 180;
    return false;
}

/* An offer or an answer has gone on: does that let it ring, or end it? */
void precondition_passed(struct b2bua_call *c, bool by_a, const struct sip_message *m)
{
    if (!acts(c))
        return;
    heard(c, by_a, m);
    if (!ends(c))
        forks_ring(c);
}

/* B's own side is lost: there is nothing to answer its UPDATE with. */
bool precondition_request(struct leg *from, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = from->call;

    if (!acts(c) || !from->branch)
        return false;
    heard(c, false, m);
    if (!(c->preconditions & PRECONDITION_FAILED))
        return false;
    server_reply_plain(s, 580);
    return ends(c);
}

void precondition_over(struct b2bua_call *c, struct relay *unanswered)
{
    if (!precondition_holds(c))
        return;
    if (!unanswered)
        setup_give_up(c, 580, failure);
    else if (unanswered->from && !unanswered->from->branch && unanswered->method == SIP_UPDATE)
        setup_give_up(c, 504, SLICE("SIP;cause=504;text=\"No answer to the UPDATE\""));
}

void precondition_new_callee(struct b2bua_call *c)
{
    c->preconditions &= PRECONDITION_A_KNOWS | PRECONDITION_A_UNMET;
    c->a.held_ring = 0;
}
