/* switch/b2bua_setup.c - what A asks for by its INVITE: its checks, its rights, its route
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/uri.h"
#include "switch/b2bua_setup_int.h"

#include <stdlib.h>

/* What most calls need: beside A's request while they are set up, and for the dialog with B. */
enum { MAX_BREADTH = 60, SETUP_TEXTS = 600, OTHER_LEG_TEXTS = 160 };

/* More than a byte holds is as good as no limit. */
static unsigned max_breadth(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_MAX_BREADTH);
    uint32_t number;

    if (!h || !slice_to_u32(slice_trim(h->value), &number))
        return MAX_BREADTH;
    return number < UINT8_MAX ? (unsigned)number : UINT8_MAX;
}

static bool is_anonymous(const struct sip_message *m)
{
    slice host = sip_uri_host(m->from.uri);

    return slice_eq_nocase(host, SLICE("anonymous.invalid")) || slice_eq_nocase(sip_uri_user(m->from.uri), SLICE("anonymous"));
}

/* What the called user wants before any phone rings. 0: let it ring, and *ret is one more call of it. */
static unsigned user_refuses(struct b2bua_call *c, const struct sip_message *request, unsigned calls_max, struct tally_one **ret)
{
    const struct call_setup *setup = c->setup;
    unsigned calls = b2bua_user_calls(c->b2bua, setup->called);
    unsigned max = calls_max ? calls_max : c->b2bua->settings.user_calls_max;

    *ret = NULL;
    if (!setup->called.len)
        return 0;
    if ((setup->flags & USER_REJECT_ANONYMOUS) && is_anonymous(request))
        return 433;
    if (setup->flags & USER_DO_NOT_DISTURB)
        return c->b2bua->settings.do_not_disturb;
    if (calls > 0 && (setup->flags & USER_CALL_WAITING)) {
        c->waiting = true;                                /* one more than else */
        max += max != 0;
    }
    c->setup->line_max = max;
    return line_take(c->b2bua, setup->called, max, ret) ? 0 : 486;
}

bool setup_ask(struct b2bua_call *c, struct route_question *question, struct route *ret)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;
    struct route_referrer referrer;

    *ret = (struct route){ 0 };
    if (!setup_request(c, room, &request))
        return false;
    question->invite = &request;
    question->from = c->invite ? server_hop(c->invite) : &c->a.dialog.hop;
    question->diversions = c->diversions;
    question->referrer = transfer_rights(c, &referrer) ? &referrer : NULL;
    c->b2bua->router.route(c->b2bua->router.ctx, question, ret);
    question->invite = NULL;
    question->referrer = NULL;
    return true;
}

static void refuse_plain(struct b2bua_call *c, unsigned status)
{
    refuse_call(c, status, (slice){ 0 }, (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
}

static void call_now(struct b2bua_call *c)
{
    if (setup_call_next(c) || setup_forward(c, USER_FORWARD_UNREACHABLE) || redirect_next(c))
        return;
    if (c->setup->best_status) {
        refuse_with_best(c, c->setup->best_status);
    } else {
        c->setup->cause = CAUSE_ABSENT;
        refuse_plain(c, 480);
    }
}

/* The called user has all its calls. */
static void refuse_busy(struct b2bua_call *c)
{
    c->setup->said = 486;
    refuse_plain(c, setup_global_code(c, 486));
}

static void put_retry_after(struct b2bua *b, struct out *o)
{
    b->counts.full++;
    sip_build_header_u32(o, SIP_H_RETRY_AFTER, 1 + (uint32_t)(b2bua_random(b) % 10));
}

static void refuse_full(struct b2bua_call *c)
{
    struct out *o = &c->b2bua->scratch;

    out_clear(o);
    put_retry_after(c->b2bua, o);
    refuse_call(c, 503, (slice){ 0 }, out_taken(o), (slice){ 0 }, (slice){ 0 });
}

void setup_take(struct b2bua_call *c, const struct route *route)
{
    struct b2bua *b = c->b2bua;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;
    struct tally_one *line;
    unsigned status;

    if (!c->diversions && !c->serves) {
        c->setup->asserted = route->asserted.len ? arena_slice(&c->setup->arena, route->asserted) : (slice){ 0 };
        c->caller_trusted = route->caller_trusted;
        c->caller_hides = route->caller_hides && !(c->privacy & PRIVACY_NONE);
        c->by_gateway = route->by_gateway;
        c->caller_trunk = route->caller_trunk;
        if (!line_take(b, route->caller, route->caller_calls_max, &c->lines[0])) {
            refuse_full(c);
            return;
        }
    }
    if (!setup_keep_route(c, route) || !setup_request(c, room, &request)) {
        refuse_plain(c, 500);
        return;
    }
    reliable_meet(c, &request);
    if (setup_forward(c, USER_FORWARD_ALWAYS))
        return;
    status = user_refuses(c, &request, route->calls_max, &line);
    if (!status) {
        tally_give_back(b->lines, &c->lines[1]);          /* who sent it on has no call any more */
        c->lines[1] = line;
    }
    if (status && status != 433 && setup_forward(c, USER_FORWARD_BUSY))
        return;
    c->setup->cause = status && (status == 433 || c->setup->flags & USER_DO_NOT_DISTURB) ? CAUSE_REJECTED : 0;
    if (status == 486 && !c->setup->cause) {
        if (!c->breadth || !queue_join(c))
            refuse_busy(c);
        return;
    }
    if (!status && !c->breadth && c->setup->target_count)
        status = 440;
    if (status) {
        refuse_plain(c, status);
        return;
    }
    call_now(c);
}

bool setup_route(struct b2bua_call *c, slice uri, slice forwarded_by)
{
    struct route_question question = { .uri = uri, .forwarded_by = forwarded_by };
    struct route route;

    if (!setup_ask(c, &question, &route))
        refuse_plain(c, 500);
    else if (route.status)
        refuse_call(c, route.status, route.phrase, route.headers, route.type, route.body);
    else
        setup_take(c, &route);
    return true;
}

void setup_unqueued(struct b2bua_call *c, struct tally_one *line)
{
    if (!line) {
        refuse_busy(c);
        return;
    }
    c->lines[1] = line;
    c->waiting &= b2bua_user_calls(c->b2bua, c->setup->called) > 1;
    call_now(c);
}

/* It lies in its own arena, in front of the request. */
static struct call_setup *setup_new(const struct sip_message *m)
{
    struct arena arena = { 0 };
    struct call_setup *setup;
    slice request;

    if (!arena_begin(&arena, sizeof *setup + m->all.len + 1 + SETUP_TEXTS))
        return NULL;
    setup = arena_zalloc(&arena, sizeof *setup);
    request = arena_slice(&arena, m->all);
    setup->request = request;
    setup->demands_100rel = sip_values_have(m, SIP_H_REQUIRE, SLICE("100rel"));
    setup->wants_199 = sip_values_have(m, SIP_H_SUPPORTED, SLICE("199"));
    setup->arena = arena;
    return setup;
}

void setup_done(struct b2bua_call *c)
{
    if (!c->setup)
        return;
    queue_leave(c);
    struct arena arena = c->setup->arena;

    c->setup = NULL;
    arena_done(&arena);
}

bool setup_is_urgent(const struct b2bua *b, const struct sip_message *invite)
{
    return b->router.is_urgent && b->router.is_urgent(b->router.ctx, invite);
}

struct b2bua_call *setup_call(struct b2bua *b, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = calloc(1, sizeof *c);
    bool counted = c && b2bua_count_more(b, setup_is_urgent(b, m));

    if (!c)
        return NULL;
    c->kind = B2BUA_CALL;
    c->b2bua = b;
    c->setup = counted ? setup_new(m) : NULL;
    if (!c->setup) {
        if (counted)
            b2bua_count_less(b);
        free(c);
        return NULL;
    }
    list_init(&c->branches);
    list_init(&c->relays);
    list_init(&c->inbox);
    list_append(&b->calls, &c->in_all);                   /* in the order in which they began */
    c->sets_seen = b->sets;
    c->media = b->settings.media;
    c->a.call = c;
    list_init(&c->a.in_branch);
    c->a.invite_cseq_in = c->a_cseq = m->cseq.number;
    c->a.rseq = (uint32_t)(b2bua_random(b) & 0xffffff) + 1;
    c->invite = s;
    c->breadth = (uint8_t)max_breadth(m);
    if (s)
        server_set_owner(s, c);
    b->memory_bytes += sizeof *c;
    b->counts.calls += s != NULL;
    if (++b->counts.live > b->counts.live_max)
        b->counts.live_max = b->counts.live;
    return c;
}

void setup_begin(struct b2bua *b, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct b2bua_call *c = setup_call(b, s, m);
    unsigned status;

    if (!c) {
        struct out *o = server_reply(s, 503, (slice){ 0 });

        put_retry_after(b, o);
        server_reply_send(s, (slice){ 0 }, (slice){ 0 });
        return;
    }
    struct sip_message offer = *m;

    c->privacy = b->settings.no_privacy ? 0 : (uint8_t)privacy_of(m);
    c->had_offer = headers_have_offer(m);
    out_clear(&b->scratch);
    status = setup_refuses(c, m, &b->scratch);
    (void)arena_begin(&c->arena, dialog_room(m) + OTHER_LEG_TEXTS);       /* without memory the texts will fail */
    precondition_begin(c, m);
    if (setup_max_forwards(b, m) == 0) {
        refuse_call(c, 483, (slice){ 0 }, (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
    } else if (!dialog_of_request(&c->arena, m, from, server_to_tag(s), &c->a.dialog)) {
        refuse_call(c, 400, SLICE("Missing or Unusable Contact"), (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
    } else if (status) {
        refuse_call(c, status, (slice){ 0 }, out_taken(&b->scratch), (slice){ 0 }, (slice){ 0 });
    } else if (!privacy_is_possible(b, c->privacy)) {
        refuse_call(c, 500, SLICE("Requested Privacy Is Not Possible"), (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
    } else if (!codecs_filter(b, NULL, &offer)) {
        refuse_call(c, 488, (slice){ 0 }, codecs_warning(), (slice){ 0 }, (slice){ 0 });
    } else {
        b2bua_join_map(&c->a);
        ring_begin(c, m);
        if (!transfer_replaces(c, m, from))
            (void)setup_route(c, m->uri, (slice){ 0 });
    }
    call_release(c);
}
