/* switch/plan.c - see plan.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/plan.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "sip/uri.h"
#include "switch/prefixes.h"

struct elsewhere {                   /* a number of [gone], [moved] or [redirect] */
    struct map_node     by_number;
    slice               number;      /* normal form */
    enum plan_result    result;
    struct config_words uris;
};

struct host {
    slice name;                      /* lower case */
    bool  is_domain;                 /* else an address, or the name of one: it stands for our first domain */
};

struct peer {                        /* a network that a gateway calls from */
    struct config_network network;
    uint16_t              gateway;
};

struct plan {
    const struct config *config;
    struct arena     arena;
    struct prefixes  prefixes;       /* owner: the gateway; DENIED_OWNER: [numbers] deny */
    struct map       elsewhere;
    struct host     *hosts;          /* domains and our addresses, sorted */
    size_t           host_count;
    struct peer     *peers;          /* the smallest network first */
    size_t           peer_count;
    uint16_t        *order;          /* gateways by priority and cost */
};

enum { DENIED_OWNER = CONFIG_GATEWAYS_MAX, OWNERS };
static const struct hash_seed seed = { 0x706c616e6e756d62ull, 0x6572737365656421ull };   /* numbers of our own file */

/* ---- numbers ---------------------------------------------------------------------------------- */

slice plan_number(const struct config_numbers *numbers, slice user, char room[PLAN_NAME_MAX + 1])
{
    char dialled[PLAN_NAME_MAX + 2];
    slice n = sip_number_of(user, dialled, sizeof dialled);
    slice plus = { "", 0 };

    if (n.len > PLAN_NAME_MAX)
        n.len = 0;
    if (numbers->country.len && n.len && n.ptr[0] != '+') {
        if (slice_starts(n, numbers->international)) {
            plus = SLICE("+");
            n = slice_skip(n, numbers->international.len);
        } else if (numbers->national.len && slice_starts(n, numbers->national)) {
            plus = slice_of(room, 1 + numbers->country.len);
            n = slice_skip(n, numbers->national.len);
        }
    }
    if (plus.len + n.len > PLAN_NAME_MAX)
        plus.len = n.len = 0;
    if (plus.len) {
        room[0] = '+';
        memcpy(room + 1, numbers->country.ptr, plus.len - 1);
    }
    memcpy(room + plus.len, n.ptr, n.len);
    room[plus.len + n.len] = '\0';
    return slice_of(room, plus.len + n.len);
}

/* `x` stands for any digit. */
static bool matches(slice pattern, slice number)
{
    if (pattern.len > number.len)
        return false;
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.ptr[i] == 'x' ? !is_digit(number.ptr[i]) : pattern.ptr[i] != number.ptr[i])
            return false;
    return true;
}

static size_t open_digits(slice pattern)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.len; i++)
        n += pattern.ptr[i] == 'x';
    return n;
}

/* The longest; of equal ones the one that leaves less open; then the first. */
static const struct config_rule *best_rule(const struct config_rules *rules, slice number)
{
    const struct config_rule *best = NULL;

    for (size_t i = 0; i < rules->count; i++) {
        const struct config_rule *r = &rules->at[i];

        if (matches(r->pattern, number) &&
            (!best || r->pattern.len > best->pattern.len ||
             (r->pattern.len == best->pattern.len && open_digits(r->pattern) < open_digits(best->pattern))))
            best = r;
    }
    return best;
}

bool plan_rewrite(const struct config_rules *rules, slice number, char ret[PLAN_NAME_MAX + 1])
{
    const struct config_rule *rule = best_rule(rules, number);
    slice instead = rule ? rule->instead : (slice){ 0 }, rest = slice_skip(number, rule ? rule->pattern.len : 0);
    size_t from = 0;

    if (instead.len + rest.len > PLAN_NAME_MAX)
        return false;
    for (size_t i = 0; i < instead.len; i++) {
        char c = instead.ptr[i];

        if (c == 'x') {                                   /* the next digit that an x stood for */
            while (rule->pattern.ptr[from] != 'x')
                from++;
            c = number.ptr[from++];
        }
        ret[i] = c;
    }
    if (rest.len)
        memcpy(ret + instead.len, rest.ptr, rest.len);
    ret[instead.len + rest.len] = '\0';
    return true;
}

/* ---- making ----------------------------------------------------------------------------------- */

static bool add_prefixes(struct plan *p, const struct config_words *words, uint16_t owner, bool allowed)
{
    for (size_t i = 0; i < words->count; i++) {
        char room[PLAN_NAME_MAX + 1];
        slice prefix = plan_number(&p->config->numbers, words->at[i], room);

        if (prefixes_add(&p->prefixes, prefix, owner, allowed) != 0)
            return false;
    }
    return true;
}

static bool make_prefixes(struct plan *p)
{
    const struct config *c = p->config;

    for (size_t i = 0; i < c->gateway_count; i++)
        if (!add_prefixes(p, &c->gateways[i].allow, (uint16_t)i, true) ||
            !add_prefixes(p, &c->gateways[i].deny, (uint16_t)i, false))
            return false;
    return add_prefixes(p, &c->numbers.deny, DENIED_OWNER, false);
}

static const struct elsewhere *find_elsewhere(const struct plan *p, slice number)
{
    for (struct map_node *n = map_first(&p->elsewhere, hash_slice(&seed, number)); n; n = map_next(n)) {
        const struct elsewhere *e = map_item(n, struct elsewhere, by_number);

        if (slice_eq(e->number, number))
            return e;
    }
    return NULL;
}

/* A number that stands there twice is what it was first: gone, then moved, then redirected. */
static bool add_elsewhere(struct plan *p, slice number, enum plan_result result, struct config_words uris)
{
    char room[PLAN_NAME_MAX + 1];
    slice normal = plan_number(&p->config->numbers, number, room);
    struct elsewhere *e;

    if (find_elsewhere(p, normal))
        return true;
    e = arena_zalloc(&p->arena, sizeof *e);
    if (!e || (e->number = arena_slice(&p->arena, normal)).ptr == NULL)
        return false;
    e->result = result, e->uris = uris;
    map_add(&p->elsewhere, &e->by_number, hash_slice(&seed, e->number));
    return true;
}

static bool add_entries(struct plan *p, const struct config_entries *entries, enum plan_result result)
{
    for (size_t i = 0; i < entries->count; i++)
        if (!add_elsewhere(p, entries->at[i].number, result, entries->at[i].uris))
            return false;
    return true;
}

static bool make_elsewhere(struct plan *p)
{
    const struct config *c = p->config;

    for (size_t i = 0; i < c->gone.count; i++)
        if (!add_elsewhere(p, c->gone.at[i], PLAN_GONE, (struct config_words){ 0 }))
            return false;
    return add_entries(p, &c->moved, PLAN_MOVED) && add_entries(p, &c->redirect, PLAN_REDIRECTED);
}

static int by_name(const void *a, const void *b)
{
    return slice_compare(((const struct host *)a)->name, ((const struct host *)b)->name);
}

static bool is_domain(const struct config *c, slice name)
{
    for (size_t i = 0; i < c->server.domains.count; i++)
        if (slice_eq(name, c->server.domains.at[i]))
            return true;
    return false;
}

static bool add_host(struct plan *p, slice name)
{
    struct host *h = &p->hosts[p->host_count++];

    *h = (struct host){ arena_slice(&p->arena, name), is_domain(p->config, name) };
    return h->name.ptr != NULL;
}

static bool make_hosts(struct plan *p)
{
    const struct config *c = p->config;
    char text[ADDRESS_TEXT_MAX];

    p->hosts = arena_alloc(&p->arena, (c->server.domains.count + 2 * c->listen_count) * sizeof *p->hosts);
    if (!p->hosts)
        return false;
    for (size_t i = 0; i < c->server.domains.count; i++)
        if (!add_host(p, c->server.domains.at[i]))
            return false;
    for (size_t i = 0; i < c->listen_count; i++)
        if (!add_host(p, slice_of(text, address_format_ip(&c->listens[i].address, text))) ||
            (c->listens[i].advertise.host.len && !add_host(p, c->listens[i].advertise.host)))
            return false;
    qsort(p->hosts, p->host_count, sizeof *p->hosts, by_name);
    return true;
}

static int by_size(const void *a, const void *b)
{
    const struct peer *x = a, *y = b;
    int family = x->network.ip.family - y->network.ip.family;

    if (family || x->network.bits != y->network.bits)
        return family ? family : y->network.bits - x->network.bits;
    int ip = memcmp(x->network.ip.ip, y->network.ip.ip, sizeof x->network.ip.ip);

    return ip ? ip : x->gateway - y->gateway;
}

static bool make_peers(struct plan *p)
{
    const struct config *c = p->config;
    size_t count = c->gateway_count;

    for (size_t i = 0; i < c->gateway_count; i++)
        count += c->gateways[i].allow_from.count;
    p->peers = arena_zalloc(&p->arena, (count + 1) * sizeof *p->peers);
    if (!p->peers)
        return false;
    for (size_t i = 0; i < c->gateway_count; i++) {
        const struct config_gateway *g = &c->gateways[i];

        for (size_t k = 0; k < g->allow_from.count; k++)
            p->peers[p->peer_count++] = (struct peer){ g->allow_from.at[k], (uint16_t)i };
        if (g->allow_from.count == 0 && g->host.address.family) {
            struct config_network n = { g->host.address, g->host.address.family == 4 ? 32 : 128 };

            n.ip.port = 0;
            p->peers[p->peer_count++] = (struct peer){ n, (uint16_t)i };
        }
    }
    qsort(p->peers, p->peer_count, sizeof *p->peers, by_size);
    return true;
}

static int by_rank(const void *a, const void *b, void *ctx)
{
    const struct config *c = ctx;
    const uint16_t *i = a, *k = b;
    const struct config_gateway *x = &c->gateways[*i], *y = &c->gateways[*k];

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return *i - *k;
}

static bool make_order(struct plan *p)
{
    const struct config *c = p->config;

    p->order = arena_alloc(&p->arena, (c->gateway_count + 1) * sizeof *p->order);
    if (!p->order)
        return false;
    for (size_t i = 0; i < c->gateway_count; i++)
        p->order[i] = (uint16_t)i;
    qsort_r(p->order, c->gateway_count, sizeof *p->order, by_rank, (void *)(uintptr_t)c);
    return true;
}

struct plan *plan_new(const struct config *config)
{
    struct plan *p = calloc(1, sizeof *p);
    size_t numbers = config->gone.count + config->moved.count + config->redirect.count;

    if (!p)
        return NULL;
    p->config = config;
    if (map_init(&p->elsewhere, numbers + 1) == 0 && make_prefixes(p) && make_elsewhere(p) && make_hosts(p) &&
        make_peers(p) && make_order(p))
        return p;
    return plan_free(p);
}

struct plan *plan_free(struct plan *p)
{
    if (p) {
        prefixes_done(&p->prefixes);
        map_done(&p->elsewhere);
        arena_done(&p->arena);
        free(p);
    }
    return NULL;
}

const struct config *plan_config(const struct plan *p) { return p->config; }

/* ---- asking ------------------------------------------------------------------------------------ */

struct search {
    const struct plan          *plan;
    const struct users         *users;
    const struct plan_question *q;
    struct plan_route          *route;
    struct sip_uri uri;
    char  name[PLAN_NAME_MAX + 2], dialled[PLAN_NAME_MAX + 2];
    slice as_name;                   /* the user part without escapes and parameters */
    slice as_dialled;                /* its digits, as they came; empty: no number */
    slice number;                    /* normal form of them, in route->number */
    bool  service;                   /* urn:service:sos */
};

static const uint16_t statuses[PLAN_RESULTS] = {
    [PLAN_EMERGENCY_ELSEWHERE] = 380, [PLAN_REDIRECTED] = 302, [PLAN_MOVED] = 301, [PLAN_GONE] = 410, [PLAN_DENIED] = 403, [PLAN_UNPAID] = 402,
    [PLAN_NOBODY] = 404, [PLAN_AMBIGUOUS] = 485, [PLAN_TOO_SHORT] = 484, [PLAN_LOOP] = 482, [PLAN_SCHEME] = 416,
    [PLAN_STORE_FAILED] = 504,
};

/* Always true: the search is over. */
static bool decide(struct search *s, enum plan_result result)
{
    s->route->result = result;
    s->route->status = result == PLAN_REDIRECTED && s->route->uris.count > 1 ? 300 : statuses[result];
    return true;
}

static struct plan_target *add_target(struct search *s)
{
    struct plan_target *t = &s->route->at[s->route->count++];

    t->is_gateway = false, t->gateway = 0;
    t->called[0] = t->calling[0] = '\0';
    return t;
}

static bool put_name(char to[PLAN_NAME_MAX + 1], slice name)
{
    if (name.len > PLAN_NAME_MAX)
        return false;
    if (name.len)
        memcpy(to, name.ptr, name.len);
    to[name.len] = '\0';
    return true;
}

/* ---- by scheme and host ---- */

/* urn:service:sos, urn:service:sos.fire (RFC 5031, 4.2) */
static bool is_sos(slice rest)
{
    static const slice sos = SLICE("service:sos");

    return slice_starts_nocase(rest, sos) && (rest.len == sos.len || rest.ptr[sos.len] == '.');
}

static bool by_scheme(struct search *s)
{
    slice user;

    if (!sip_uri_parse(s->q->uri, &s->uri))
        return decide(s, PLAN_SCHEME);
    if (s->uri.scheme == SIP_SCHEME_URN) {
        s->service = is_sos(s->uri.rest);
        return !s->service && decide(s, PLAN_NOBODY);
    }
    if (s->uri.scheme == SIP_SCHEME_OTHER)
        return decide(s, PLAN_SCHEME);
    user = s->uri.user;
    s->as_name = sip_unescape(slice_take_until(&user, ';'), s->name, sizeof s->name);
    s->as_dialled = sip_number_of(s->uri.user, s->dialled, sizeof s->dialled);
    s->number = plan_number(&s->plan->config->numbers, s->uri.user, s->route->number);
    return (s->as_name.len == 0 || s->as_name.len > PLAN_NAME_MAX) && decide(s, PLAN_NOBODY);
}

static const struct host *find_host(const struct plan *p, slice name)
{
    char lower[256];
    struct host key = { .name = { lower, name.len } };

    if (name.len > sizeof lower)
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = ascii_lower(name.ptr[i]);
    return bsearch(&key, p->hosts, p->host_count, sizeof *p->hosts, by_name);
}

bool plan_is_ours(const struct plan *p, slice host) { return find_host(p, host) != NULL; }

/* A domain of another is nobody here (RFC 3261, 21.4.5). Gateways call us by many names. */
static bool by_host(struct search *s)
{
    const struct config_words *domains = &s->plan->config->server.domains;
    const struct host *host = find_host(s->plan, s->uri.host);

    if (domains->count)
        s->route->domain = host && host->is_domain ? host->name : domains->at[0];
    else
        s->route->domain = host ? host->name : s->uri.host;
    if (host || s->uri.scheme == SIP_SCHEME_TEL || s->q->host_is_ours || s->q->by == PLAN_BY_GATEWAY)
        return false;
    return decide(s, PLAN_NOBODY);
}

/* ---- emergency ---- */

static bool is_emergency_number(const struct search *s)
{
    const struct config_words *numbers = &s->plan->config->calls.emergency_numbers;

    for (size_t i = 0; i < numbers->count && s->number.len; i++)
        if (slice_eq(numbers->at[i], s->as_dialled) || slice_eq(numbers->at[i], s->number))
            return true;
    return false;
}

bool plan_is_emergency(const struct plan *p, slice uri)
{
    struct plan_route route;
    struct search s = { .plan = p, .q = &(struct plan_question){ .uri = uri }, .route = &route };

    return !by_scheme(&s) && (s.service || is_emergency_number(&s));
}

/* May this caller use any gateway at all? Strangers never. */
static bool may_use_gateways(const struct search *s)
{
    switch (s->q->by) {
    case PLAN_BY_USER: return !(s->q->user_flags & USER_NO_GATEWAY);
    case PLAN_BY_GATEWAY: return s->plan->config->gateways[s->q->gateway].transit;
    default: return false;
    }
}

static bool add_gateway(struct search *s, uint16_t gateway, slice number)
{
    const struct config_gateway *g = &s->plan->config->gateways[gateway];
    char calling[PLAN_NAME_MAX + 1];
    slice caller = plan_number(&s->plan->config->numbers, s->q->calling, calling);

    if (s->route->count == PLAN_TARGETS_MAX) {
        s->route->left_out++;
        return false;
    }
    struct plan_target *t = add_target(s);

    t->is_gateway = true, t->gateway = gateway;
    if (!plan_rewrite(&g->rewrite_called, number, t->called) || !plan_rewrite(&g->rewrite_calling, caller, t->calling)) {
        s->route->count--;
        return false;
    }
    return true;
}

/* First of all, whatever else is said of the number. A user without right to gateways has this
 * one; who is no user, and is not sent on by a gateway, is told to call by another network. */
static bool by_emergency(struct search *s)
{
    const struct config *c = s->plan->config;
    slice number = s->service && c->calls.emergency_numbers.count ? c->calls.emergency_numbers.at[0] : s->as_dialled;

    if (!s->service && !is_emergency_number(s))
        return false;
    if (c->calls.emergency == CONFIG_EMERGENCY_ROUTE && number.len && (s->q->by == PLAN_BY_USER || may_use_gateways(s)))
        for (size_t i = 0; i < c->gateway_count; i++) {
            uint16_t gateway = s->plan->order[i];

            if (c->gateways[gateway].emergency && !(s->q->by == PLAN_BY_GATEWAY && s->q->gateway == gateway))
                (void)add_gateway(s, gateway, number);
        }
    return decide(s, s->route->count ? PLAN_EMERGENCY : PLAN_EMERGENCY_ELSEWHERE);
}

/* ---- numbers that are elsewhere, users and their aliases ---- */

static bool by_strangers(struct search *s)
{
    return s->q->by == PLAN_BY_STRANGER && s->plan->config->calls.unknown_callers == CONFIG_STRANGERS_NOBODY &&
           decide(s, PLAN_DENIED);
}

static bool by_elsewhere(struct search *s)
{
    const struct elsewhere *e = s->number.len ? find_elsewhere(s->plan, s->number) : NULL;

    if (!e)
        return false;
    s->route->uris = e->uris;
    return decide(s, e->result);
}

/* The ways in which a user or alias may be written: as it came, its digits, their normal form. */
static size_t spellings(const struct search *s, slice ret[3])
{
    size_t count = 1;

    ret[0] = s->as_name;
    if (s->as_dialled.len && !slice_eq(s->as_dialled, ret[0]))
        ret[count++] = s->as_dialled;
    if (s->number.len && !slice_eq(s->number, ret[0]) && !slice_eq(s->number, s->as_dialled))
        ret[count++] = s->number;
    return count;
}

static bool by_user_name(struct search *s)
{
    slice ways[3];
    size_t count = spellings(s, ways);

    for (size_t i = 0; i < count; i++) {
        struct user user;
        enum users_result found = s->users->by_name(s->users->ctx, ways[i], s->route->domain, &user);

        if (found == USERS_FAILED)
            return decide(s, PLAN_STORE_FAILED);
        if (found != USERS_FOUND)
            continue;
        if (!put_name(add_target(s)->called, user.name))
            return decide(s, PLAN_NOBODY);
        return decide(s, PLAN_USER);
    }
    return false;
}

static bool take_group(struct search *s, const slice *names, size_t count)
{
    static const enum plan_result refusals[] = {
        [CONFIG_ALIAS_REFUSE] = PLAN_AMBIGUOUS, [CONFIG_ALIAS_HIDE] = PLAN_NOBODY,
    };
    uint8_t policy = s->plan->config->calls.alias_of_many;

    if (count > 1 && policy != CONFIG_ALIAS_RING)
        return decide(s, refusals[policy]);
    for (size_t i = 0; i < count && i < PLAN_TARGETS_MAX; i++)
        if (!put_name(add_target(s)->called, names[i]))
            s->route->count--;
    s->route->left_out = count > PLAN_TARGETS_MAX ? count - PLAN_TARGETS_MAX : 0;
    return decide(s, s->route->count == 0 ? PLAN_NOBODY : count > 1 ? PLAN_GROUP : PLAN_USER);
}

static bool by_alias(struct search *s)
{
    slice ways[3], names[PLAN_TARGETS_MAX];
    size_t count = s->users->by_alias ? spellings(s, ways) : 0;

    for (size_t i = 0; i < count; i++) {
        size_t found = s->users->by_alias(s->users->ctx, ways[i], s->route->domain, names, PLAN_TARGETS_MAX);

        if (found)
            return take_group(s, names, found);
    }
    return false;
}

/* ---- gateways ---- */

static uint64_t next_random(uint64_t *state)              /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Of equals, the next is drawn by weight, as RFC 2782 does it. */
static void add_equals(struct search *s, uint16_t *equals, size_t count, uint64_t *random)
{
    const struct config_gateway *gateways = s->plan->config->gateways;

    while (count) {
        uint64_t sum = 0, drawn;
        size_t i = 0;

        for (size_t k = 0; k < count; k++)
            sum += gateways[equals[k]].weight;
        drawn = count > 1 ? next_random(random) % sum : 0;
        while (i + 1 < count && drawn >= gateways[equals[i]].weight)
            drawn -= gateways[equals[i++]].weight;
        (void)add_gateway(s, equals[i], s->number);
        memmove(equals + i, equals + i + 1, (--count - i) * sizeof *equals);
    }
}

static void add_gateways(struct search *s, const uint8_t *verdicts)
{
    const struct config *c = s->plan->config;
    uint16_t equals[CONFIG_GATEWAYS_MAX];
    uint64_t random = s->q->random;
    size_t count = 0;

    for (size_t i = 0; i < c->gateway_count; i++) {
        uint16_t at = s->plan->order[i];
        const struct config_gateway *g = &c->gateways[at], *other = count ? &c->gateways[equals[0]] : NULL;

        if (verdicts[at] != PREFIX_ALLOWED)
            continue;
        if (other && (other->priority != g->priority || other->cost != g->cost)) {
            add_equals(s, equals, count, &random);
            count = 0;
        }
        equals[count++] = at;
    }
    add_equals(s, equals, count, &random);
}

static bool any_verdict(const uint8_t *verdicts, uint8_t verdict)
{
    return memchr(verdicts, verdict, CONFIG_GATEWAYS_MAX) != NULL;
}

static bool by_gateway(struct search *s)
{
    uint8_t verdicts[OWNERS] = { 0 };
    size_t digits = s->number.len - (s->number.len && s->number.ptr[0] == '+');

    if (!s->number.len)
        return decide(s, PLAN_NOBODY);
    if (s->q->by == PLAN_BY_STRANGER)
        return decide(s, PLAN_DENIED);
    if (digits < s->plan->config->numbers.digits_min)
        return decide(s, PLAN_TOO_SHORT);
    if (!may_use_gateways(s))
        return decide(s, s->q->by == PLAN_BY_USER ? PLAN_DENIED : PLAN_NOBODY);

    bool incomplete = prefixes_judge(&s->plan->prefixes, s->number, verdicts);
    bool back = s->q->by == PLAN_BY_GATEWAY && verdicts[s->q->gateway] == PREFIX_ALLOWED;

    if (back)
        verdicts[s->q->gateway] = PREFIX_NONE;
    if (verdicts[DENIED_OWNER] == PREFIX_DENIED)
        return decide(s, PLAN_DENIED);
    add_gateways(s, verdicts);
    if (s->route->count && s->q->by == PLAN_BY_USER && (s->q->user_flags & USER_NO_CREDIT)) {
        s->route->count = 0;
        return decide(s, PLAN_UNPAID);
    }
    if (s->route->count)
        return decide(s, PLAN_GATEWAYS);
    if (back)
        return decide(s, PLAN_LOOP);
    if (any_verdict(verdicts, PREFIX_DENIED))
        return decide(s, PLAN_DENIED);
    return decide(s, incomplete ? PLAN_TOO_SHORT : PLAN_NOBODY);
}

/* ---- all of it, in this order ---- */

static bool (*const steps[])(struct search *s) = {
    by_scheme, by_emergency, by_host, by_strangers, by_elsewhere, by_user_name, by_alias, by_gateway,
};

void plan_find(const struct plan *p, const struct users *users, const struct plan_question *q, struct plan_route *ret)
{
    struct search s = { .plan = p, .users = users, .q = q, .route = ret };

    ret->count = ret->left_out = 0;
    ret->uris = (struct config_words){ 0 };
    ret->domain = (slice){ "", 0 };
    ret->number[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (steps[i](&s))
            return;
}

/* ---- from and after a gateway ------------------------------------------------------------------- */

bool plan_gateway_of(const struct plan *p, const struct address *from, uint16_t *ret)
{
    for (size_t i = 0; i < p->peer_count; i++)            /* few; the smallest network first */
        if (config_network_has(&p->peers[i].network, from)) {
            *ret = p->peers[i].gateway;
            return true;
        }
    return false;
}

bool plan_fails_over(const struct config_codes *codes, const struct plan_failure *f)
{
    if (f->rang && f->status < 500)                       /* a phone was reached: 480 and its like are an answer */
        return false;
    if (f->local && ((f->status == 408 && codes->unanswered) || (f->status == 503 && codes->unreachable)))
        return true;
    return config_codes_has(codes, f->status);
}
