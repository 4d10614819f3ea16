/* switch/b2bua_setup.c - from A's INVITE to the final answer: targets, forks, forwards
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/code.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/uri.h"
#include "switch/b2bua_int.h"

#include <stdlib.h>

/* What most calls need: beside A's request while they are set up, and for the dialog with B. */
enum { MAX_BREADTH = 60, CHALLENGES_MAX = 8192, SETUP_TEXTS = 600, OTHER_LEG_TEXTS = 160 };

static const slice elsewhere = SLICE_INIT("SIP;cause=200;text=\"Call completed elsewhere\"");
static const slice cancelled = SLICE_INIT("SIP;cause=487;text=\"Cancelled by the caller\"");
static const slice no_media = SLICE_INIT("SIP;cause=488;text=\"The media relay does not carry it\"");
static const slice anonymous = SLICE_INIT("\"Anonymous\" <sip:anonymous@anonymous.invalid>");      /* RFC 3261, 8.1.1.3 */
static const slice no_answer = SLICE_INIT("Q.850;cause=19;text=\"No answer from user\"");

/* ---- the INVITE to B ---- */

static unsigned max_forwards(const struct b2bua *b, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_MAX_FORWARDS);
    uint32_t number;

    return h && slice_to_u32(slice_trim(h->value), &number) && number < 256 ? (unsigned)number : b->settings.forwards_max;
}

/* More than a byte holds is as good as no limit. */
static unsigned max_breadth(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_MAX_BREADTH);
    uint32_t number;

    if (!h || !slice_to_u32(slice_trim(h->value), &number))
        return MAX_BREADTH;
    return number < UINT8_MAX ? (unsigned)number : UINT8_MAX;
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

static bool parse_request(const struct b2bua_call *c, struct sip_header *room, struct sip_message *ret)
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
    sip_build_header_u32(o, SIP_H_MAX_FORWARDS, max_forwards(b, request) - 1);
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

static void keep_best(struct b2bua_call *c, unsigned status, const struct branch *from, const struct sip_message *m);

/* False: this target cannot be called; nothing was sent. */
static bool branch_start(struct b2bua_call *c, const struct route_target *target, const struct sip_message *request,
                         unsigned breadth)
{
    struct sip_message offer = *request;
    struct branch *branch = branch_new(c, target);
    bool any = false;

    if (!branch)
        return false;
    branch->breadth = (uint8_t)breadth;
    if (!codecs_filter(c->b2bua, branch, &offer)) {
        keep_best(c, 488, NULL, NULL);
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

/* ---- answers to A before the final one ---- */

/* One that answered before A's PRACK was here; NULL: none. */
static struct leg *waiting_leg(struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next) {
        struct branch *branch = list_item(l, struct branch, in_call);

        for (struct list *k = branch->legs.next; k != &branch->legs; k = k->next) {
            struct leg *leg = list_item(k, struct leg, in_branch);

            if (leg->answer_waits && !leg->answered)
                return leg;
        }
    }
    return NULL;
}

/* Their answers are answers to nothing now. */
static void release_waiting(struct b2bua_call *c, slice reason)
{
    struct leg *leg;

    while ((leg = waiting_leg(c))) {
        leg->answered = true;
        leg_ack(leg, NULL);
        leg_bye(leg, reason, NULL);
    }
}

/* The final answer to A: the code and what is put with it. `ours`: we say so, not B. */
static void refuse_as(struct b2bua_call *c, unsigned status, slice phrase, slice headers, slice type, slice body, bool ours)
{
    struct server_transaction *s = c->invite;

    c->phase = CALL_ENDING;
    forks_stop(c);
    ring_stop(c);
    queue_leave(c);
    c->a.ended = true;
    release_waiting(c, status == 487 ? cancelled : (slice){ 0 });
    if (c->serves)
        transfer_refused(c, status, phrase);
    if (!s || server_status(s) >= 200)
        return;
    struct out *o = forks_reply(&c->a, status, phrase);

    out_text(o, headers);
    if (ours && !c->b2bua->settings.no_reason)
        reason_put(o, status, c->setup ? c->setup->cause : 0);
    if (c->b2bua->settings.server.len)
        sip_build_header(o, SIP_H_SERVER, c->b2bua->settings.server);
    if (!server_reply_send(s, type, body))                /* too large, or no memory: the code alone */
        (void)server_reply_plain(s, status);
    c->b2bua->counts.refused++;
}

static void refuse(struct b2bua_call *c, unsigned status, slice phrase, slice headers, slice type, slice body)
{
    refuse_as(c, status, phrase, headers, type, body, true);
}

static bool have_reason(slice headers)
{
    return slice_starts_nocase(headers, SLICE("Reason:")) || slice_find_nocase(headers, SLICE("\nReason:")) >= 0;
}

/* With what the best of the branches said, or what we say of it. */
static void refuse_with_best(struct b2bua_call *c, unsigned status)
{
    const struct call_setup *setup = c->setup;
    bool by_codecs = setup->best_status == 488 && setup->best_is_ours;
    bool ours = setup->best_is_ours || (status != setup->best_status && !have_reason(setup->best_headers));

    refuse_as(c, status, setup->best_phrase, by_codecs ? codecs_warning() : setup->best_headers, setup->best_type,
              setup->best_body, ours);
}

static void cancel_branches(struct b2bua_call *c, slice reason, const struct branch *but)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next) {
        struct branch *branch = list_item(l, struct branch, in_call);

        if (branch != but && branch->invite && !branch->over)
            client_cancel(branch->invite, reason);
    }
}

/* Whatever they still say changes nothing any more. */
static void branches_over(struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        list_item(l, struct branch, in_call)->over = true;
}

void setup_give_up_with(struct b2bua_call *c, unsigned status, slice reason, slice headers)
{
    if (c->phase != CALL_SETUP)
        return;
    c->cancelled = true;
    cancel_branches(c, reason, NULL);
    refuse(c, status, (slice){ 0 }, headers, (slice){ 0 }, (slice){ 0 });
}

void setup_give_up(struct b2bua_call *c, unsigned status, slice reason) { setup_give_up_with(c, status, reason, (slice){ 0 }); }

/* The media relay does not have it, and no other branch would fare better. */
void setup_unanchorable(struct b2bua_call *c)
{
    if (c->phase != CALL_SETUP)
        return;
    c->unanchorable = true;
    cancel_branches(c, no_media, NULL);
    out_clear(&c->b2bua->scratch);
    anchor_headers(c, &c->b2bua->scratch);
    refuse(c, anchor_status(c), (slice){ 0 }, out_taken(&c->b2bua->scratch), (slice){ 0 }, (slice){ 0 });
}

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
static bool keep_route(struct b2bua_call *c, const struct route *route)
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
static bool call_next(struct b2bua_call *c)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;
    struct call_setup *setup = c->setup;
    bool any = false;
    int64_t patience_ns = 0;
    size_t left = SIZE_MAX;

    if (!parse_request(c, room, &request))
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
static void call_more(struct b2bua_call *c)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;

    if (c->setup->target_count && lowest_order(c) == c->setup->order && parse_request(c, room, &request))
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
static bool forward(struct b2bua_call *c, enum user_forward why)
{
    slice target = c->setup->forward[why];

    if (!target.len || c->diversions >= c->b2bua->settings.diversions_max)
        return false;
    setup_divert(c, target, why);
    return setup_route(c, target, c->setup->called);
}

/* ---- the best of several refusals (16.7, step 6) ---- */

static int rank(unsigned status)
{
    static const uint16_t first[] = { 401, 407, 415, 420, 484 };

    if (status >= 600)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(first); i++)
        if (status == first[i])
            return 40;
    switch (status / 100) {
    case 3: return 30;
    case 4: return status == 487 ? 59 : status == 408 ? 58 : 41;
    default: return status == 503 ? 61 : 60;
    }
}

static bool is_challenge(unsigned status) { return status == 401 || status == 407; }

/* Whoever is asked for a password by two phones can answer both only when it hears of both (16.7, step 7). */
static void add_challenges(struct b2bua_call *c, const struct sip_message *m)
{
    struct out *o = &c->b2bua->scratch;

    out_clear(o);
    out_text(o, c->setup->best_headers);
    sip_build_copy(o, m, SIP_H_WWW_AUTHENTICATE);
    sip_build_copy(o, m, SIP_H_PROXY_AUTHENTICATE);
    if (o->error || o->used > CHALLENGES_MAX)
        return;
    slice all = arena_slice(&c->setup->arena, out_taken(o));

    c->setup->best_headers = all.ptr ? all : c->setup->best_headers;
}

/* m NULL: ours, from nobody. */
static void keep_best(struct b2bua_call *c, unsigned status, const struct branch *from, const struct sip_message *m)
{
    struct out *o = &c->b2bua->scratch;
    struct call_setup *setup = c->setup;

    if (m && is_challenge(status) && is_challenge(setup->best_status))
        add_challenges(c, m);
    if (setup->best_status && rank(setup->best_status) <= rank(status))
        return;
    setup->best_status = (uint16_t)status;
    setup->best_phrase = setup->best_headers = setup->best_type = setup->best_body = (slice){ 0 };
    setup->best_is_ours = m == NULL;
    if (!m)
        return;
    out_clear(o);
    headers_pass(o, m, c->caller_trusted && from->trusted ? HEADERS_TRUSTED : 0);
    if (status / 100 == 3 || status == 485)
        sip_build_copy(o, m, SIP_H_CONTACT);
    setup->best_phrase = arena_slice(&setup->arena, m->reason);
    if (!o->error)
        setup->best_headers = arena_slice(&setup->arena, out_taken(o));
    setup->best_type = arena_slice(&setup->arena, headers_type(m));
    setup->best_body = arena_slice(&setup->arena, m->body);
}

static bool all_over(const struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        if (!list_item(l, struct branch, in_call)->over)
            return false;
    return true;
}

static bool forwards_after(struct b2bua_call *c, unsigned status)
{
    switch (status) {
    case 486: case 600: return forward(c, USER_FORWARD_BUSY);
    case 408: case 503: case 430: return forward(c, USER_FORWARD_UNREACHABLE);
    default: return false;
    }
}

/* What is true of every phone of a user is true of the user. */
static unsigned global_code(const struct b2bua_call *c, unsigned status)
{
    static const uint16_t globals[][2] = { { 486, 600 }, { 488, 606 } };

    for (size_t i = 0; i < ARRAY_LEN(globals) && c->b2bua->settings.global_codes && c->setup->called.len; i++)
        if (status == globals[i][0] && c->setup->said == status)
            return globals[i][1];
    return status;
}

/* Nobody is called any more and nobody answered. */
static void conclude(struct b2bua_call *c, struct branch *last)
{
    struct call_setup *setup = c->setup;
    unsigned status = setup->best_status ? setup->best_status : 480;

    if (c->phase != CALL_SETUP)
        return;
    if (setup->target_count && (last->gateway ? trunk_goes_on(last) : status < 600)) {
        c->b2bua->counts.failed_over++;
        if (call_next(c))
            return;
    }
    if (status < 600 && !c->cancelled && (forwards_after(c, status) || redirect_next(c)))
        return;
    if (status == 503 && last->local == 503)              /* for us only (16.9) */
        status = 500;
    if (global_code(c, status) != status) {
        status = global_code(c, status);
        setup->best_phrase = (slice){ 0 };
    }
    refuse_with_best(c, status);
}

/* One branch has come to its end with that. */
static void branch_over(struct branch *branch, unsigned status, const struct sip_message *m)
{
    struct b2bua_call *c = branch->call;
    struct call_setup *setup = c->setup;
    bool was_over = branch->over && !(branch->left && status >= 600 && m);
    unsigned told = trunk_status(branch, status);

    branch->over = true;
    branch->status = (uint16_t)status;
    trunk_heard(branch, m);
    trunk_leave(branch);
    if (was_over)
        forks_over(branch, status);
    if (was_over || c->phase != CALL_SETUP)
        return;
    switch (redirect_follow(branch, m)) {
    case REDIRECT_GOES: forks_over(branch, status); return;
    case REDIRECT_LOOP: status = told = 482, m = NULL; break;
    case REDIRECT_TOO_MANY: status = told = 480, m = NULL; break;
    case REDIRECT_PASS: break;
    }
    setup->said = branch->gateway || (setup->said && setup->said != status) ? 1 : (uint16_t)status;
    keep_best(c, told, branch, told == status ? m : NULL);
    if (told != status && setup->best_status == told && !setup->best_phrase.len)
        setup->best_phrase = trunk_phrase;
    if (status >= 600) {                                  /* 16.7, step 5: for all of them, and at once */
        setup->target_count = 0;
        cancel_branches(c, SLICE("SIP;cause=600;text=\"Declined by another\""), branch);
        branches_over(c);
    }
    if (all_over(c))
        conclude(c, branch);
    else
        call_more(c);
    forks_over(branch, status);
}

void setup_drop(struct branch *branch, unsigned status, slice reason)
{
    if (branch->over)
        return;
    if (branch->invite)
        client_cancel(branch->invite, reason);
    branch_over(branch, status, NULL);
    branch->given_up = true;
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
    leg_bye(leg, c->unanchorable ? no_media : c->cancelled ? cancelled : elsewhere, NULL);
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
    if (parse_request(c, room, &request)) {
        if (body.ptr)
            request.body = body;
        if ((body.ptr || codecs_filter(c->b2bua, branch, &request)) && branch_invite(branch, target, &request))
            return;                                       /* filtered once more: without the relay it is as it came */
    }
    setup_failed(branch, ENDPOINT_HOP_LOST);
}

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
    return call_next(c);
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
    if (goes_on && (call_others(c) || forward(c, USER_FORWARD_NO_ANSWER) || redirect_next(c)))
        return;
    precondition_over(c, NULL);
    if (c->phase != CALL_SETUP)
        return;
    cancel_branches(c, no_answer, NULL);
    c->cancelled = true;
    keep_best(c, any ? 480 : 408, NULL, NULL);
    if (setup->best_status != (any ? 480 : 408)) {        /* another phone had said why */
        refuse_with_best(c, setup->best_status);
        return;
    }
    c->setup->cause = CAUSE_NO_ANSWER;
    refuse(c, any ? 480 : 408, (slice){ 0 }, (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
}

/* ---- what A asks ---- */

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
    if (!parse_request(c, room, &request))
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
    refuse(c, status, (slice){ 0 }, (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
}

static void call_now(struct b2bua_call *c)
{
    if (call_next(c) || forward(c, USER_FORWARD_UNREACHABLE) || redirect_next(c))
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
    refuse_plain(c, global_code(c, 486));
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
    refuse(c, 503, (slice){ 0 }, out_taken(o), (slice){ 0 }, (slice){ 0 });
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
    if (!keep_route(c, route) || !parse_request(c, room, &request)) {
        refuse_plain(c, 500);
        return;
    }
    reliable_meet(c, &request);
    if (forward(c, USER_FORWARD_ALWAYS))
        return;
    status = user_refuses(c, &request, route->calls_max, &line);
    if (!status) {
        tally_give_back(b->lines, &c->lines[1]);          /* who sent it on has no call any more */
        c->lines[1] = line;
    }
    if (status && status != 433 && forward(c, USER_FORWARD_BUSY))
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
        refuse(c, route.status, route.phrase, route.headers, route.type, route.body);
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
    if (max_forwards(b, m) == 0) {
        refuse(c, 483, (slice){ 0 }, (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
    } else if (!dialog_of_request(&c->arena, m, from, server_to_tag(s), &c->a.dialog)) {
        refuse(c, 400, SLICE("Missing or Unusable Contact"), (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
    } else if (status) {
        refuse(c, status, (slice){ 0 }, out_taken(&b->scratch), (slice){ 0 }, (slice){ 0 });
    } else if (!privacy_is_possible(b, c->privacy)) {
        refuse(c, 500, SLICE("Requested Privacy Is Not Possible"), (slice){ 0 }, (slice){ 0 }, (slice){ 0 });
    } else if (!codecs_filter(b, NULL, &offer)) {
        refuse(c, 488, (slice){ 0 }, codecs_warning(), (slice){ 0 }, (slice){ 0 });
    } else {
        b2bua_join_map(&c->a);
        ring_begin(c, m);
        if (!transfer_replaces(c, m, from))
            (void)setup_route(c, m->uri, (slice){ 0 });
    }
    call_release(c);
}
