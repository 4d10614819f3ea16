/* switch/b2bua_targets.c - whom a call rings: targets in their order, the next ones, forwards
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/b2bua_setup_int.h"

static const slice no_answer = SLICE_INIT("Q.850;cause=19;text=\"No answer from user\"");

/* ---- routing ---- */

static bool copy_target(struct arena *arena, const struct route_target *target, struct route_target *ret)
{
    slice *const texts[] = { &ret->uri, &ret->routes, &ret->from, &ret->to, &ret->asserted };

    *ret = *target;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i]->len && (*texts[i] = arena_slice(arena, *texts[i])).ptr == NULL)
            return false;
    return ret->uri.len != 0;
}

/* What the call has to know of the route when it is tried, later. */
bool setup_keep_route(struct b2bua_call *c, const struct route *route)
{
    struct call_setup *setup = c->setup;

    setup->targets = route->target_count ? arena_alloc(&setup->arena, route->target_count * sizeof *setup->targets) : NULL;
    setup->target_count = 0;
    for (size_t i = 0; i < route->target_count; i++) {
        if (!setup->targets || !copy_target(&setup->arena, &route->targets[i], &setup->targets[i]))
            return false;
        setup->target_count++;
    }
    for (int i = 0; i < USER_FORWARDS; i++)
        setup->forward[i] = route->forward[i].len ? arena_slice(&setup->arena, route->forward[i]) : (slice){ 0 };
    setup->called = route->called.len ? arena_slice(&setup->arena, route->called) : (slice){ 0 };
    setup->flags = route->flags;
    setup->no_answer_ns = route->no_answer_ns ? route->no_answer_ns : c->b2bua->settings.no_answer_ns;
    return true;
}

/* How many more may be called now: so many ring at the same time, and each needs a part of
 * Max-Breadth, which comes back with its refusal (RFC 5393, 5.3.3). */
static unsigned room_for(const struct b2bua_call *c, unsigned *ret_breadth)
{
    unsigned forks = 0, breadth = 0;

    for (struct list *l = c->branches.next; l != &c->branches; l = l->next) {
        const struct branch *branch = list_item(l, struct branch, in_call);

        forks += !branch->over;
        breadth += branch->over ? 0 : branch->breadth ? branch->breadth : c->breadth;
    }
    *ret_breadth = breadth < c->breadth ? c->breadth - breadth : 0;
    forks = forks < c->b2bua->settings.forks_max ? c->b2bua->settings.forks_max - forks : 0;
    return forks < *ret_breadth ? forks : *ret_breadth;
}

/* Calls targets of that order, as many as there is room for; the others wait. */
static bool call_some(struct b2bua_call *c, const struct sip_message *request, uint16_t order)
{
    struct call_setup *setup = c->setup;
    unsigned breadth, room = room_for(c, &breadth), wanted = 0, started = 0;
    bool said = sip_header_find(request, SIP_H_MAX_BREADTH) != NULL;
    size_t left = 0, count = setup->target_count;

    for (size_t i = 0; i < count; i++)
        wanted += setup->targets[i].order == order;
    said |= wanted > 1 || breadth < c->breadth;
    wanted = wanted < room ? wanted : room;
    for (size_t i = 0; i < count; i++) {
        if (setup->targets[i].order != order || (c->phase == CALL_SETUP && started == wanted))
            setup->targets[left++] = setup->targets[i];
        else if (c->phase == CALL_SETUP)
            started += branch_start(c, &setup->targets[i], request,
                                    said ? breadth / wanted + (started < breadth % wanted) : 0);
    }
    setup->target_count = left;
    return started != 0;
}

static uint16_t lowest_order(const struct b2bua_call *c)
{
    const struct call_setup *setup = c->setup;
    uint16_t order = UINT16_MAX;

    for (size_t i = 0; i < setup->target_count; i++)
        order = setup->targets[i].order < order ? setup->targets[i].order : order;
    return order;
}

/* Calls the targets of the lowest order; true when at least one INVITE is under way. */
bool setup_call_next(struct b2bua_call *c)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;
    struct call_setup *setup = c->setup;
    bool any = false;
    int64_t patience_ns = 0;
    size_t left = SIZE_MAX;

    if (!setup_request(c, room, &request))
        return false;
    while (!any && setup->target_count && setup->target_count < left && c->phase == CALL_SETUP) {
        left = setup->target_count;
        setup->order = lowest_order(c);
        for (size_t i = 0; i < setup->target_count; i++)
            patience_ns = setup->targets[i].order == setup->order ? setup->targets[i].patience_ns : patience_ns;
        any = call_some(c, &request, setup->order);
    }
    if (any && c->phase == CALL_SETUP)
        ring_called(c, patience_ns);
    return any;
}

/* One has refused, others ring: room for one that had to wait. */
void setup_call_more(struct b2bua_call *c)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;

    if (c->setup->target_count && lowest_order(c) == c->setup->order && setup_request(c, room, &request))
        (void)call_some(c, &request, c->setup->order);
}

/* ---- forwards ---- */

static void tell_forwarded(struct b2bua_call *c)
{
    if (!(c->setup->flags & USER_TELL_FORWARDED) || c->b2bua->settings.silent_forwards || !c->invite)
        return;
    if (c->setup->demands_100rel)
        return;                                           /* not reliable, so not to be sent (RFC 3262, 3) */
    struct out *o = forks_reply(&c->a, 181, (slice){ 0 });

    headers_ours(o, c->b2bua, server_hop(c->invite), false);
    server_reply_send(c->invite, (slice){ 0 }, (slice){ 0 });
}

void setup_divert(struct b2bua_call *c, slice target, unsigned why)
{
    c->diversions++;
    c->b2bua->counts.forwarded++;
    cancel_branches(c, SLICE("SIP;cause=302;text=\"Forwarded\""), NULL);
    branches_over(c);
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        list_item(l, struct branch, in_call)->left = false;
    c->b = NULL;
    c->setup->best_status = c->setup->said = c->setup->cause = 0;
    precondition_new_callee(c);
    history_add(c, target, why);
    tell_forwarded(c);
}

/* True: the call goes on elsewhere. */
bool setup_forward(struct b2bua_call *c, enum user_forward why)
{
    slice target = c->setup->forward[why];

    if (!target.len || c->diversions >= c->b2bua->settings.diversions_max)
        return false;
    setup_divert(c, target, why);
    return setup_route(c, target, c->setup->called);
}

/* ---- nobody answers ---- */

/* The phones of the next q ring as long again; whom a gateway called has rung, and no other is tried. */
static bool call_others(struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        if (list_item(l, struct branch, in_call)->gateway)
            return false;
    if (!c->setup->target_count)
        return false;
    cancel_branches(c, no_answer, NULL);
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        list_item(l, struct branch, in_call)->left = true;
    c->setup->said = 1;                                   /* they said nothing, which is not what the others will say */
    branches_over(c);
    c->b = NULL;
    precondition_new_callee(c);
    return setup_call_next(c);
}

void setup_ring_time_over(struct b2bua_call *c, bool goes_on)
{
    const struct call_setup *setup = c->setup;
    bool any = false;

    if (waiting_leg(c)) {
        ring_repeat(c);
        return;
    }
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        any |= list_item(l, struct branch, in_call)->gateway ? list_item(l, struct branch, in_call)->rang
                                                             : list_item(l, struct branch, in_call)->got_any;
    if (goes_on && (call_others(c) || setup_forward(c, USER_FORWARD_NO_ANSWER) || redirect_next(c)))
        return;
    precondition_over(c, NULL);
    if (c->phase != CALL_SETUP)
        return;
    cancel_branches(c, no_answer, NULL);
    c->cancelled = true;
    setup_keep_best(c, any ? 480 : 408, NULL, NULL);
    if (setup->best_status != (any ? 480 : 408)) {        /* another phone had said why */
        refuse_with_best(c, setup->best_status);
        return;
    }
    c->setup->cause = CAUSE_NO_ANSWER;
    refuse_call(c, any ? 480 : 408, (slice){ 0 }, (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
}
