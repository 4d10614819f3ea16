/* switch/b2bua_ring.c - how long a call is set up: what the caller allows, how long phones ring, and
 * how long somebody may say nothing (RFC 3261, 13.3.1 and 16.8)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/values.h"
#include "switch/b2bua_int.h"

static const slice expired = SLICE_INIT("SIP;cause=487;text=\"The caller's Expires has passed\"");
static const slice not_again = SLICE_INIT("SIP;cause=504;text=\"The answer did not come again\"");
static const slice silent = SLICE_INIT("SIP;cause=408;text=\"The gateway says nothing\"");

/* ---- the clocks ---- */

static void set_timer(struct b2bua_call *c)
{
    int64_t next_ns = INT64_MAX;

    for (int i = 0; i < RING_CLOCKS; i++)
        if (c->setup->clocks[i] && c->setup->clocks[i] < next_ns)
            next_ns = c->setup->clocks[i];
    if (next_ns == INT64_MAX)
        wheel_clear(&c->b2bua->call_wheel, &c->timer);
    else
        wheel_set(&c->b2bua->call_wheel, &c->timer, next_ns);
}

static void start(struct b2bua_call *c, enum ring_clock clock, int64_t length_ns)
{
    c->setup->clocks[clock] = b2bua_now(c->b2bua) + length_ns;
}

void ring_begin(struct b2bua_call *c, const struct sip_message *invite)
{
    const struct sip_header *h = sip_header_find(invite, SIP_H_EXPIRES);
    uint32_t seconds;

    if (h && sip_seconds_parse(h->value, &seconds))
        start(c, RING_EXPIRES, (int64_t)seconds * 1000000000);
    set_timer(c);
}

void ring_all(struct b2bua_call *c)
{
    start(c, RING_LONGEST, c->b2bua->settings.ring_ns);
    set_timer(c);
}

void ring_called(struct b2bua_call *c, int64_t patience_ns)
{
    c->setup->clocks[RING_NO_ANSWER] = c->setup->clocks[RING_PROCEEDING] = c->setup->clocks[RING_SILENCE] = 0;
    c->setup->rings = false;
    if (patience_ns && c->setup->target_count)
        start(c, RING_SILENCE, patience_ns);
    set_timer(c);
}

/* Nobody rings any more; the time of all the ringing goes on where it was. */
void ring_pause(struct b2bua_call *c, int64_t length_ns)
{
    if (c->setup->clocks[RING_LONGEST])
        c->setup->clocks[RING_LONGEST] += length_ns;
    ring_called(c, 0);
}

/* The caller hears ringing from the first on, whoever rings; each one that is called rings anew. A
 * 180 may be lost, and nobody repeats it: of a phone whatever comes first counts as ringing until it
 * does; a gateway may take its time before. A 100 starts timer C, and another one does not start
 * it again (16.7, step 2). */
void ring_heard(struct branch *branch, unsigned status)
{
    struct b2bua_call *c = branch->call;

    if (c->phase != CALL_SETUP || branch->over)
        return;
    c->setup->clocks[RING_SILENCE] = 0;
    if ((branch->rang && !c->setup->rings) || (!branch->gateway && !c->setup->clocks[RING_NO_ANSWER]))
        start(c, RING_NO_ANSWER, c->setup->no_answer_ns);
    c->setup->rings |= branch->rang;
    if (branch->rang && !c->setup->clocks[RING_LONGEST])
        start(c, RING_LONGEST, c->b2bua->settings.ring_ns);
    if (c->setup->rings)
        c->setup->clocks[RING_PROCEEDING] = 0;
    else if (status > 100 || !c->setup->clocks[RING_PROCEEDING])
        start(c, RING_PROCEEDING, c->b2bua->settings.proceeding_ns);
    set_timer(c);
}

/* A has 64 times T1 for its PRACK, and B repeats its answer within T2 or ends the call. */
void ring_repeat(struct b2bua_call *c)
{
    if (!c->setup->clocks[RING_REPEAT])
        start(c, RING_REPEAT, 80 * c->b2bua->t1_ns);
    set_timer(c);
}

void ring_stop(struct b2bua_call *c)
{
    wheel_clear(&c->b2bua->call_wheel, &c->timer);
    if (c->setup)
        memset(c->setup->clocks, 0, sizeof c->setup->clocks);
}

/* ---- what is due ---- */

static bool is_due(struct b2bua_call *c, enum ring_clock clock)
{
    bool due = c->setup->clocks[clock] && c->setup->clocks[clock] <= b2bua_now(c->b2bua);

    if (due)
        c->setup->clocks[clock] = 0;
    return due;
}

/* Gateways that have not even rung: as if no answer had come, so that the next one is tried. */
static bool give_up_gateways(struct b2bua_call *c, bool even_if_heard)
{
    bool any = false;
    struct list *next;

    for (struct list *l = c->branches.next; l != &c->branches; l = next) {
        struct branch *branch = list_item(l, struct branch, in_call);

        next = l->next;
        if (branch->over || !branch->gateway || branch->rang || (branch->got_any && !even_if_heard) ||
            !trunk_would_go_on(branch))
            continue;
        branch->local = 408;
        any = true;
        setup_drop(branch, 408, silent);
    }
    return any;
}

void ring_due(struct b2bua_call *c)
{
    if (is_due(c, RING_EXPIRES))
        setup_give_up(c, 487, expired);
    else if (is_due(c, RING_REPEAT))
        setup_give_up(c, 504, not_again);
    else if (is_due(c, RING_LONGEST))
        setup_ring_time_over(c, false);
    else if (is_due(c, RING_NO_ANSWER))
        setup_ring_time_over(c, true);
    else if (is_due(c, RING_SILENCE))
        (void)give_up_gateways(c, false);
    else if (is_due(c, RING_PROCEEDING) && !give_up_gateways(c, true))
        setup_ring_time_over(c, true);
    if (c->phase == CALL_SETUP)
        set_timer(c);
}
