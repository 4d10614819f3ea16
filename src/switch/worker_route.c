/* switch/worker_route.c - the plan's answer, made of contacts and gateways that can be called
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/uri.h"
#include "switch/rejects.h"
#include "switch/worker_int.h"

/* Texts of a route live in w->texts until the next route; it may move as it grows, so slices
 * are made when all is written: here they are offsets first. */
struct piece { size_t at, len; };

static struct piece write_piece(struct worker *w, slice text)
{
    struct piece p = { w->texts.used, text.len };

    out_text(&w->texts, text);
    return p;
}

static slice piece_text(const struct worker *w, struct piece p)
{
    slice all = out_taken(&w->texts);

    return slice_head(slice_skip(all, p.at), p.len);
}

struct target_pieces { struct piece uri, routes, from, to, asserted; };

/* ---- a user's contacts ---- */

/* How phones of our own are told who forwarded a call. */
static uint8_t forwarding(const struct worker *w)
{
    const struct config_calls *c = &plan_config(w->settings.plan)->calls;

    return c->history_info && c->diversion ? CONFIG_DIVERTED_BOTH
           : c->history_info ? CONFIG_DIVERTED_HISTORY : c->diversion ? CONFIG_DIVERTED_DIVERSION : CONFIG_DIVERTED_NONE;
}

static void add_contact(struct worker *w, const struct binding *binding, uint16_t order, struct route *ret,
                        struct target_pieces pieces[ROUTE_TARGETS_MAX])
{
    struct binding_fields contact;
    struct route_target *target = &ret->targets[ret->target_count];
    struct piece routes = { w->texts.used, 0 };

    binding_read(binding, &contact);
    *target = (struct route_target){ .order = order, .forwarding = forwarding(w) };
    if (ret->target_count == ROUTE_TARGETS_MAX || !registrar_hop(&contact, &target->hop))
        return;
    if (contact.path.len)
        sip_build_header(&w->texts, SIP_H_ROUTE, contact.path);
    routes.len = w->texts.used - routes.at;
    pieces[ret->target_count].routes = routes;
    pieces[ret->target_count++].uri = write_piece(w, contact.uri);
}

/* Contacts of one q ring together; an alternative of one instance comes behind all of them. */
static void add_user(struct worker *w, slice key, struct route *ret, struct target_pieces pieces[ROUTE_TARGETS_MAX])
{
    struct binding_target all[ROUTE_TARGETS_MAX];
    size_t count = bindings_targets(bindings_find(w->bindings, key), all, ARRAY_LEN(all), endpoint_now_ns(w->endpoint));

    for (size_t i = 0; i < count; i++) {
        struct binding_fields contact;

        binding_read(all[i].binding, &contact);
        add_contact(w, all[i].binding, (uint16_t)(1000 - contact.q_thousandth + (all[i].is_alternative ? 1001 : 0)), ret, pieces);
    }
}

static void user_wishes(struct worker *w, const struct user *user, slice key, struct route *ret, struct piece forwards[USER_FORWARDS],
                        struct piece *called)
{
    ret->flags = user->flags;
    ret->calls_max = user->calls_max;
    ret->no_answer_ns = (int64_t)user->no_answer_s * 1000000000;
    *called = write_piece(w, key);
    for (int i = 0; i < USER_FORWARDS; i++)
        forwards[i] = write_piece(w, user->forward[i]);
}

/* ---- refusals ---- */

static const char emergency_elsewhere[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<ims-3gpp version=\"1\"><alternative-service><type>emergency</type>"
    "<reason>Emergency calls go by the circuit-switched network here.</reason></alternative-service></ims-3gpp>\r\n";

/* A name of a domain of ours that is nobody's exists nowhere; of a number only its country knows. */
static bool exists_nowhere(const struct worker *w, const struct route_question *q, const struct plan_route *found,
                           bool host_is_ours)
{
    return plan_config(w->settings.plan)->calls.global_codes && found->result == PLAN_NOBODY && !q->forwarded_by.len &&
           found->number[0] == '\0' && (host_is_ours || plan_is_ours(w->settings.plan, sip_uri_host(q->uri)));
}

static void refuse_route(struct worker *w, const struct plan_route *found, bool nowhere, bool is_forwarded,
                         struct route *ret)
{
    ret->status = nowhere ? 604
                  : found->result == PLAN_UNPAID && is_forwarded ? 480 : found->status;       /* it is not the caller who lacks credit */
    out_clear(&w->headers);
    for (size_t i = 0; i < found->uris.count; i++) {
        out_text(&w->headers, SLICE("Contact: <"));
        sip_build_text(&w->headers, found->uris.at[i]);
        out_text(&w->headers, SLICE(">\r\n"));
    }
    if (found->result == PLAN_EMERGENCY_ELSEWHERE) {
        ret->type = SLICE("application/3gpp-ims+xml");
        ret->body = slice_of(emergency_elsewhere, sizeof emergency_elsewhere - 1);
    }
    ret->headers = out_taken(&w->headers);
}

/* A user who wants to be called back elsewhere: its contacts as a redirect. */
static void redirect(struct worker *w, struct route *ret, const struct target_pieces pieces[ROUTE_TARGETS_MAX])
{
    out_clear(&w->headers);
    for (size_t i = 0; i < ret->target_count; i++) {
        out_text(&w->headers, SLICE("Contact: <"));
        sip_build_text(&w->headers, piece_text(w, pieces[i].uri));
        out_text(&w->headers, SLICE(">\r\n"));
    }
    ret->status = ret->target_count == 0 ? 480 : ret->target_count == 1 ? 302 : 300;
    ret->headers = out_taken(&w->headers);
}

/* ---- gateways ---- */

enum { HOPS_MAX = 2 };               /* of one gateway in one call: each may cost 32 s */

/* The caller as the gateway knows it: the number rewritten, in its domain. A caller without
 * number keeps its name; one that calls itself anonymous stays so. */
static struct piece write_from(struct worker *w, const struct route_question *q, const struct config_gateway *gateway, slice calling)
{
    struct piece p = { w->texts.used, 0 };
    slice user = calling.len ? calling : sip_uri_user(q->invite->from.uri);

    if (!user.len || slice_eq_nocase(user, SLICE("anonymous")))
        return p;
    if (q->invite->from.display.len) {
        sip_build_quoted(&w->texts, q->invite->from.display, true);
        out_char(&w->texts, ' ');
    }
    out_char(&w->texts, '<');
    gateways_put_account(&w->texts, gateway, user);
    out_char(&w->texts, '>');
    p.len = w->texts.used - p.at;
    return p;
}

/* Ours to assert is the number of a user of ours only. */
static struct piece write_asserted(struct worker *w, const struct route_question *q, const struct config_gateway *gateway, slice calling)
{
    struct piece p = { w->texts.used, 0 };

    if (w->caller.kind != PLAN_BY_USER || q->forwarded_by.len || q->referrer || !calling.len)
        return p;
    out_char(&w->texts, '<');
    gateways_put_account(&w->texts, gateway, calling);
    out_char(&w->texts, '>');
    p.len = w->texts.used - p.at;
    return p;
}

static void add_gateway(struct worker *w, const struct route_question *q, const struct plan_target *target, bool emergency,
                        bool anyhow, struct route *ret, struct target_pieces pieces[ROUTE_TARGETS_MAX])
{
    const struct config_gateway *gateway = &plan_config(w->settings.plan)->gateways[target->gateway];
    slice calling = slice_of_string(target->calling);
    struct target_pieces p = { .uri.at = w->texts.used };
    struct hop hops[HOPS_MAX];
    uint16_t trunk = gateways_number(w->gateways, target->gateway);
    size_t count = gateways_hops(w->gateways, trunk, anyhow, hops, HOPS_MAX);

    if (!count || (!emergency && gateways_are_full(w->gateways, trunk)))
        return;
    gateways_put_uri(&w->texts, gateway, slice_of_string(target->called));
    p.uri.len = w->texts.used - p.uri.at;
    p.from = write_from(w, q, gateway, calling);
    p.asserted = write_asserted(w, q, gateway, calling);
    p.to.at = w->texts.used;
    out_char(&w->texts, '<');
    gateways_put_uri(&w->texts, gateway, slice_of_string(target->called));
    out_char(&w->texts, '>');
    p.to.len = w->texts.used - p.to.at;
    for (size_t i = 0; i < count && ret->target_count < ROUTE_TARGETS_MAX; i++) {
        ret->targets[ret->target_count] = (struct route_target){
            .hop = hops[i], .order = (uint16_t)ret->target_count, .trunk = trunk, .gateway = true,
            .anyhow = emergency, .trusted = gateway->trusted, .forwarding = gateway->forwarding,
            .reliable = worker_reliable(gateway->reliable), .patience_ns = gateway->patience_ns,
        };
        pieces[ret->target_count++] = p;
    }
}

/* Those that are dead or blocked when there is no other. */
static void add_gateways(struct worker *w, const struct route_question *q, const struct plan_route *found, struct route *ret,
                         struct target_pieces pieces[ROUTE_TARGETS_MAX])
{
    for (int anyhow = 0; anyhow < 2 && !ret->target_count; anyhow++)
        for (size_t i = 0; i < found->count; i++)
            if (found->at[i].is_gateway)
                add_gateway(w, q, &found->at[i], found->result == PLAN_EMERGENCY, anyhow, ret, pieces);
}

/* ---- the question ---- */

static void caller_identity(struct worker *w, const struct route_question *q, struct piece *caller, struct piece *asserted)
{
    const struct worker_caller *c = &w->caller;

    *caller = *asserted = (struct piece){ 0, 0 };
    if (c->kind != PLAN_BY_USER || q->forwarded_by.len || q->referrer)
        return;
    struct out *o = &w->headers;                          /* the caller's own texts lie in w->texts, which moves as it grows */
    size_t caller_len = c->name.len + 1 + c->domain.len;

    out_clear(o);
    out_text(o, c->name);
    out_char(o, '@');
    out_text(o, c->domain);
    if (c->display.len) {
        sip_build_quoted(o, c->display, false);
        out_char(o, ' ');
    }
    out_text(o, SLICE("<sip:"));
    sip_build_text(o, c->name);
    out_char(o, '@');
    sip_build_text(o, c->domain);
    out_char(o, '>');
    *caller = write_piece(w, slice_head(out_taken(o), caller_len));
    *asserted = write_piece(w, slice_skip(out_taken(o), caller_len));
}

/* Whose own word about who calls is taken. */
static bool is_trusted(const struct worker *w, const struct route_question *q)
{
    const struct config *c = plan_config(w->settings.plan);

    return w->caller.kind == PLAN_BY_GATEWAY ? c->gateways[w->caller.gateway].trusted
                                             : config_networks_have(&c->calls.trusted, &q->from->remote);
}

/* No domain has an @. */
static void split(slice aor, slice *ret_name, slice *ret_domain)
{
    size_t at = aor.len;

    while (at > 0 && aor.ptr[at - 1] != '@')
        at--;
    *ret_name = at ? slice_head(aor, at - 1) : aor;
    *ret_domain = slice_skip(aor, at);
}

/* By whatever name it is known: what it says, who it has proved to be, what somebody trusted says of it. */
static bool rejects(const struct worker *w, const struct route_question *q, const struct user *user, slice caller)
{
    const struct config_numbers *numbers = &plan_config(w->settings.plan)->numbers;
    const struct sip_header *h = is_trusted(w, q) ? sip_header_find(q->invite, SIP_H_P_ASSERTED_IDENTITY) : NULL;
    slice rest = h ? h->value : (slice){ 0 }, name, domain;
    struct sip_name_addr asserted;

    if (!user->rejects.len)
        return false;
    split(caller, &name, &domain);
    if (rejects_have(user->rejects, numbers, sip_uri_user(q->invite->from.uri), sip_uri_host(q->invite->from.uri)) ||
        (name.len && rejects_have(user->rejects, numbers, name, domain)))
        return true;
    while (sip_name_addr_next(&rest, &asserted))
        if (rejects_have(user->rejects, numbers, sip_uri_user(asserted.uri), sip_uri_host(asserted.uri)))
            return true;
    return false;
}

/* Who forwards a call pays for what it costs. */
static unsigned credit_of(const struct worker *w, slice forwarded_by)
{
    const struct users *users = w->settings.users;
    slice name, domain;
    struct user user;

    split(forwarded_by, &name, &domain);
    return name.len && users->by_name(users->ctx, name, domain, &user) == USERS_FOUND ? user.flags & USER_NO_CREDIT : 0;
}

/* Strangers are counted by the address that they call from. */
static struct piece stranger(struct worker *w, const struct route_question *q, uint32_t *ret_max)
{
    const struct config_security *security = &plan_config(w->settings.plan)->security;
    char room[GUARD_SOURCE_MAX];

    if (w->caller.kind != PLAN_BY_STRANGER || !security->calls_per_source || config_networks_have(&security->allow, &q->from->remote))
        return (struct piece){ 0, 0 };
    *ret_max = security->calls_per_source;
    return write_piece(w, guard_source(&q->from->remote, room));
}

static const uint16_t rejected_codes[] = { [CONFIG_REJECTED_603] = 603, [CONFIG_REJECTED_403] = 403 };

/* Who sends a call elsewhere may do what it may when it calls itself; its rights are those of now. */
static void take_referrer(struct worker *w, const struct route_referrer *r)
{
    const struct users *users = w->settings.users;
    slice name, domain;
    struct user user;

    w->caller = (struct worker_caller){ .kind = PLAN_BY_STRANGER };
    for (size_t i = 0; r->gateway && i < plan_config(w->settings.plan)->gateway_count; i++)
        if (gateways_number(w->gateways, i) == r->trunk) {
            w->caller.kind = PLAN_BY_GATEWAY;
            w->caller.gateway = (uint16_t)i;
        }
    split(r->user, &name, &domain);
    if (r->gateway || !name.len || users->by_name(users->ctx, name, domain, &user) != USERS_FOUND)
        return;
    w->caller.kind = PLAN_BY_USER;
    w->caller.flags = user.flags;
}

static void take_caller(struct worker *w, const struct route_question *q, struct route *ret)
{
    ret->by_gateway = w->caller.kind == PLAN_BY_GATEWAY;
    ret->caller_trunk = ret->by_gateway ? gateways_number(w->gateways, w->caller.gateway) : 0;
    ret->caller_trusted = is_trusted(w, q);
    ret->caller_hides = w->caller.kind == PLAN_BY_USER && (w->caller.flags & USER_HIDE_NUMBER);
}

/* Users of ours and gateways may; somebody unknown could take a call away that is none of its own. */
void worker_taker(void *ctx, const struct route_question *q, struct route *ret)
{
    struct worker *w = ctx;
    struct piece caller, asserted;

    if (w->caller.kind == PLAN_BY_STRANGER) {
        ret->status = 403;
        return;
    }
    if (w->caller.kind != PLAN_BY_USER)
        out_clear(&w->texts);
    caller_identity(w, q, &caller, &asserted);
    if (w->texts.error) {
        ret->status = 500;
        return;
    }
    take_caller(w, q, ret);
    ret->caller = piece_text(w, caller);
    ret->asserted = piece_text(w, asserted);
}

void worker_route(void *ctx, const struct route_question *q, struct route *ret)
{
    struct worker *w = ctx;

    if (q->referrer)
        take_referrer(w, q->referrer);
    struct target_pieces pieces[ROUTE_TARGETS_MAX] = { 0 };
    struct piece forwards[USER_FORWARDS] = { 0 }, called = { 0 }, caller, asserted;
    struct plan_route found;
    struct plan_question question = {
        .uri = q->uri, .calling = sip_uri_user(q->invite->from.uri),
        .by = q->forwarded_by.len ? PLAN_BY_USER : w->caller.kind, .gateway = w->caller.gateway,
        .user_flags = q->forwarded_by.len ? q->forwarder_flags : w->caller.flags, .random = worker_random(w),
    };
    struct address host;
    size_t rejections = 0;

    if (q->forwarded_by.len)
        question.user_flags |= credit_of(w, q->forwarded_by);
    question.host_is_ours = address_parse_ip(sip_uri_host(q->uri), &host) && address_same_ip(&host, &q->from->local);
    if (q->forwarded_by.len || q->referrer || w->caller.kind != PLAN_BY_USER)
        out_clear(&w->texts);
    caller_identity(w, q, &caller, &asserted);
    plan_find(w->settings.plan, w->settings.users, &question, &found);
    if (found.status) {
        refuse_route(w, &found, exists_nowhere(w, q, &found, question.host_is_ours), q->forwarded_by.len != 0, ret);
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        char key[BINDINGS_KEY_MAX];
        struct user user;
        slice name = slice_of_string(found.at[i].called);

        if (found.at[i].is_gateway || name.len + 1 + found.domain.len > sizeof key)
            continue;
        memcpy(key, name.ptr, name.len);
        key[name.len] = '@';
        memcpy(key + name.len + 1, found.domain.ptr, found.domain.len);
        slice aor = slice_of(key, name.len + 1 + found.domain.len);

        if (w->settings.users->by_name(w->settings.users->ctx, name, found.domain, &user) == USERS_FOUND) {
            if (rejects(w, q, &user, q->referrer ? q->referrer->party : piece_text(w, caller))) {
                rejections++;
                continue;
            }
            if (found.count == 1)
                user_wishes(w, &user, aor, ret, forwards, &called);
        }
        add_user(w, aor, ret, pieces);
    }
    if (rejections && rejections == found.count) {
        *ret = (struct route){ .status = rejected_codes[plan_config(w->settings.plan)->calls.rejected] };
        return;
    }
    add_gateways(w, q, &found, ret, pieces);
    if (!caller.len && !q->forwarded_by.len && !q->referrer)
        caller = stranger(w, q, &ret->caller_calls_max);
    if (w->texts.error) {
        *ret = (struct route){ .status = 500 };
        return;
    }
    take_caller(w, q, ret);
    ret->caller = piece_text(w, caller);
    ret->asserted = piece_text(w, asserted);
    ret->called = piece_text(w, called);
    for (int i = 0; i < USER_FORWARDS; i++)
        ret->forward[i] = piece_text(w, forwards[i]);
    for (size_t i = 0; i < ret->target_count; i++) {
        ret->targets[i].uri = piece_text(w, pieces[i].uri);
        ret->targets[i].routes = piece_text(w, pieces[i].routes);
        ret->targets[i].from = piece_text(w, pieces[i].from);
        ret->targets[i].to = piece_text(w, pieces[i].to);
        ret->targets[i].asserted = piece_text(w, pieces[i].asserted);
    }
    if (ret->flags & USER_REDIRECT)
        redirect(w, ret, pieces);
}
