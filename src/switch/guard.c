/* switch/guard.c - two shelves, of sources and of names, each with its oldest at the end
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/guard.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"

#define SECOND_NS INT64_C(1000000000)
#define TRUST_NS (3600 * SECOND_NS)

enum { MILLI = 1000, NAME_MAX_LEN = 96, SPARED = 8, BANS_MAX = 30, TRUST_FACTOR = 4 };

/* What a fault weighs, in points. */
static const struct { slice name; uint32_t points; } events[GUARD_EVENTS] = {
    [GUARD_BAD_PASSWORD] = { SLICE_INIT("bad-password"), 4 },
    [GUARD_BAD_NONCE] = { SLICE_INIT("bad-nonce"), 1 },
    [GUARD_UNKNOWN_USER] = { SLICE_INIT("unknown-user"), 2 },
    [GUARD_NOT_ALLOWED] = { SLICE_INIT("not-allowed"), 2 },
    [GUARD_MALFORMED] = { SLICE_INIT("malformed"), 2 },
    [GUARD_SCANNER] = { SLICE_INIT("scanner"), 0 },       /* bans at once */
    [GUARD_BY_OPERATOR] = { SLICE_INIT("by-operator"), 0 },
    [GUARD_AUTHENTICATED] = { SLICE_INIT("authenticated"), 0 },
};

/* Words by which scanners call themselves; no telephone does. */
static const slice scanners[] = {
    SLICE_INIT("friendly-scanner"), SLICE_INIT("sipvicious"), SLICE_INIT("sundayddr"), SLICE_INIT("pplsip"),
    SLICE_INIT("sipcli"),           SLICE_INIT("sip-scan"),   SLICE_INIT("sipscan"),   SLICE_INIT("siparmyknife"),
    SLICE_INIT("vaxsipuseragent"),  SLICE_INIT("sivus"),      SLICE_INIT("sip-flooder"), SLICE_INIT("friendly-request"),
};

struct entry {
    struct map_node by_key;
    struct list     in_age;          /* heard last first */
    struct list     in_bans;         /* the last banned first; itself: not banned, as far as we know */
    int64_t  tokens_ns, points_ns;   /* when these were worked out */
    int64_t  banned_until_ns, trusted_until_ns;
    uint64_t tokens;                 /* thousandths */
    uint32_t points;                 /* thousandths */
    uint8_t  bans, why, key_len;
    char     key[];
};

struct shelf {
    struct map  by_key;
    struct list by_age;
};

struct guard {
    struct guard_settings settings;
    struct guard_counts   counts;
    struct shelf sources, names;
    struct list  bans;
    uint32_t     ban_count;
};

slice guard_event_name(enum guard_event event) { return events[event].name; }

/* ---- networks ---- */

bool guard_net_parse(slice text, struct guard_net *ret)
{
    slice rest = text, ip = slice_take_until(&rest, '/');
    struct guard_net net;
    uint32_t bits;

    if (!address_parse_ip(ip, &net.address))
        return false;
    bits = net.address.family == 4 ? 32 : 128;
    if (rest.len) {
        uint32_t asked;

        if (!slice_to_u32(slice_skip(rest, 1), &asked) || asked > bits)
            return false;
        bits = asked;
    }
    net.bits = (uint8_t)bits;
    *ret = net;
    return true;
}

bool guard_net_has(const struct guard_net *net, const struct address *a)
{
    size_t whole = net->bits / 8;
    unsigned rest = net->bits % 8;

    if (net->address.family != a->family || memcmp(net->address.ip, a->ip, whole) != 0)
        return false;
    return !rest || ((net->address.ip[whole] ^ a->ip[whole]) >> (8 - rest)) == 0;
}

/* IPv4 in IPv6 clothes is IPv4. */
static struct address plain(const struct address *a)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    return a->family == 6 && memcmp(a->ip, mapped, sizeof mapped) == 0 ? address_v4(a->ip + 12, a->port) : *a;
}

static bool is_allowed(const struct guard *g, const struct address *source)
{
    struct address a = plain(source);

    for (size_t i = 0; i < g->settings.allowed_count; i++)
        if (guard_net_has(&g->settings.allowed[i], &a))
            return true;
    return false;
}

/* ---- shelves ---- */

static bool shelf_init(struct shelf *s)
{
    list_init(&s->by_age);
    return map_init(&s->by_key, 256) == 0;
}

static void shelf_remove(struct shelf *s, struct entry *e)
{
    list_remove(&e->in_bans);                             /* of names it is a list of one */
    map_remove(&s->by_key, &e->by_key);
    list_remove(&e->in_age);
    free(e);
}

static void shelf_done(struct shelf *s)
{
    while (s->by_age.next && !list_is_empty(&s->by_age))
        shelf_remove(s, list_item(s->by_age.next, struct entry, in_age));
    map_done(&s->by_key);
}

static struct entry *shelf_find(const struct guard *g, const struct shelf *s, slice key)
{
    for (struct map_node *n = map_first(&s->by_key, hash_slice(&g->settings.seed, key)); n; n = map_next(n)) {
        struct entry *e = map_item(n, struct entry, by_key);

        if (slice_eq(slice_of(e->key, e->key_len), key))
            return e;
    }
    return NULL;
}

static void leave_bans(struct guard *g, struct entry *e)
{
    if (list_is_empty(&e->in_bans))
        return;
    list_remove(&e->in_bans);
    g->ban_count--;
}

/* The oldest; but one of the few oldest that is not banned, if there is. */
static void forget_one(struct guard *g, struct shelf *s, int64_t now_ns)
{
    struct list *l = s->by_age.prev;
    struct entry *victim = list_item(l, struct entry, in_age);

    for (int i = 0; i < SPARED && l != &s->by_age; i++, l = l->prev) {
        struct entry *e = list_item(l, struct entry, in_age);

        if (e->banned_until_ns <= now_ns) {
            victim = e;
            break;
        }
    }
    leave_bans(g, victim);
    shelf_remove(s, victim);
    g->counts.forgotten++;
}

/* It becomes the one heard last. NULL: no memory. */
static struct entry *shelf_get(struct guard *g, struct shelf *s, slice key, uint32_t max, int64_t now_ns)
{
    struct entry *e = shelf_find(g, s, key);

    if (e) {
        list_remove(&e->in_age);
        list_insert_after(&s->by_age, &e->in_age);
        return e;
    }
    e = malloc(sizeof *e + key.len);
    if (!e)
        return NULL;
    while (s->by_key.count >= max)
        forget_one(g, s, now_ns);
    *e = (struct entry){ .tokens_ns = now_ns, .points_ns = now_ns, .key_len = (uint8_t)key.len,
                         .tokens = (uint64_t)g->settings.burst * MILLI };
    memcpy(e->key, key.ptr, key.len);
    map_add(&s->by_key, &e->by_key, hash_slice(&g->settings.seed, key));
    list_init(&e->in_bans);
    list_insert_after(&s->by_age, &e->in_age);
    return e;
}

/* ---- sources ---- */

slice guard_source(const struct address *source, char room[GUARD_SOURCE_MAX])
{
    struct address a = plain(source);
    size_t len = a.family == 6 ? 8 : 4;

    room[0] = (char)a.family;
    memcpy(room + 1, a.ip, len);
    return slice_of(room, 1 + len);
}

static struct entry *find_source(const struct guard *g, const struct address *source)
{
    char buffer[GUARD_SOURCE_MAX];

    return shelf_find(g, &g->sources, guard_source(source, buffer));
}

static struct entry *get_source(struct guard *g, const struct address *source, int64_t now_ns)
{
    char buffer[GUARD_SOURCE_MAX];

    return shelf_get(g, &g->sources, guard_source(source, buffer), g->settings.sources_max, now_ns);
}

/* ---- settings ---- */

static void default_u32(uint32_t *value, uint32_t otherwise)
{
    if (!*value)
        *value = otherwise;
}

static void default_ns(int64_t *value, int64_t otherwise)
{
    if (*value <= 0)
        *value = otherwise;
}

void guard_set(struct guard *g, const struct guard_settings *settings)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    struct guard_settings s = *settings;

    s.seed = g->settings.seed;                            /* what is on the shelves is found by it */
    s.lock = g->settings.lock;
    default_u32(&s.sources_max, 65536);
    default_u32(&s.users_max, 16384);
    default_u32(&s.bans_max, s.sources_max);
    default_u32(&s.rate_per_s, 50);
    default_u32(&s.burst, s.rate_per_s * 4);
    default_u32(&s.faults_drop, 20);
    default_u32(&s.faults_ban, 40);
    default_u32(&s.user_faults_max, 60);
    default_ns(&s.window_ns, 60 * SECOND_NS);
    default_ns(&s.ban_first_ns, 60 * SECOND_NS);
    default_ns(&s.ban_max_ns, 24 * 3600 * SECOND_NS);
    g->settings = s;
}

struct guard *guard_new(const struct guard_settings *settings)
{
    struct guard *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->settings.seed = settings->seed;
    list_init(&g->bans);
    g->settings.lock = settings->lock;
    guard_set(g, settings);
    bool complete = shelf_init(&g->sources);

    complete = shelf_init(&g->names) && complete;
    return complete ? g : guard_free(g);
}

struct guard *guard_free(struct guard *g)
{
    if (!g)
        return NULL;
    shelf_done(&g->sources);
    shelf_done(&g->names);
    free(g);
    return NULL;
}

/* ---- what decays ---- */

static void decay(const struct guard *g, struct entry *e, int64_t now_ns)
{
    int64_t passed_ns = now_ns - e->points_ns;
    double gone;

    if (passed_ns <= 0)
        return;
    gone = (double)passed_ns / (double)g->settings.window_ns * g->settings.faults_drop * MILLI;
    e->points = gone >= e->points ? 0 : e->points - (uint32_t)gone;
    e->points_ns = now_ns;
}

static bool take_token(const struct guard *g, struct entry *e, int64_t now_ns)
{
    int64_t passed_ns = now_ns - e->tokens_ns;
    uint64_t full = (uint64_t)g->settings.burst * MILLI;

    if (passed_ns > 0) {                                  /* less than a second's worth keeps its fraction */
        double more = (double)passed_ns / (double)SECOND_NS * g->settings.rate_per_s * MILLI;

        if (more >= 1) {
            e->tokens = more >= (double)full ? full : e->tokens + (uint64_t)more;
            e->tokens_ns = now_ns;
        }
    }
    if (e->tokens > full)
        e->tokens = full;
    if (e->tokens < MILLI)
        return false;
    e->tokens -= MILLI;
    return true;
}

static uint32_t limit_of(const struct entry *e, uint32_t points, int64_t now_ns)
{
    uint64_t limit = (uint64_t)points * MILLI * (e->trusted_until_ns > now_ns ? TRUST_FACTOR : 1);

    return limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
}

/* ---- bans ---- */

static void lift(struct guard *g, struct entry *e, int64_t now_ns)
{
    if (e->banned_until_ns > now_ns)
        e->banned_until_ns = now_ns;
    leave_bans(g, e);
}

/* The oldest goes for one more than there may be. */
static void join_bans(struct guard *g, struct entry *e, int64_t now_ns)
{
    leave_bans(g, e);
    while (g->ban_count >= g->settings.bans_max)
        lift(g, list_item(g->bans.prev, struct entry, in_bans), now_ns);
    list_insert_after(&g->bans, &e->in_bans);
    g->ban_count++;
}

static void ban(struct guard *g, struct entry *e, enum guard_event why, int64_t now_ns)
{
    int64_t for_ns = g->settings.ban_first_ns;

    if (now_ns - e->banned_until_ns > g->settings.ban_max_ns)
        e->bans = 0;
    for (unsigned i = 0; i < e->bans && for_ns < g->settings.ban_max_ns; i++)
        for_ns *= 2;
    if (for_ns > g->settings.ban_max_ns)
        for_ns = g->settings.ban_max_ns;
    if (e->bans < BANS_MAX)
        e->bans++;
    e->banned_until_ns = now_ns + for_ns;
    e->why = (uint8_t)why;
    e->points = 0;
    g->counts.bans++;
    join_bans(g, e, now_ns);
}

/* True: that was too much. */
static bool add_points(struct guard *g, struct entry *e, uint32_t points, enum guard_event why, int64_t now_ns)
{
    decay(g, e, now_ns);
    if (e->points < UINT32_MAX / 2)
        e->points += points * MILLI;
    if (!g->settings.no_bans && (why == GUARD_SCANNER || e->points >= limit_of(e, g->settings.faults_ban, now_ns))) {
        ban(g, e, why, now_ns);
        return true;
    }
    e->why = (uint8_t)why;
    return false;
}

static bool is_scanner(const struct guard *g, slice user_agent)
{
    for (size_t i = 0; i < ARRAY_LEN(scanners); i++)
        if (slice_find_nocase(user_agent, scanners[i]) >= 0)
            return true;
    for (size_t i = 0; i < g->settings.scanner_count; i++)
        if (g->settings.scanners[i].len && slice_find_nocase(user_agent, g->settings.scanners[i]) >= 0)
            return true;
    return false;
}

/* ---- questions ---- */

bool guard_is_banned(struct guard *g, const struct address *source, int64_t now_ns)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    struct entry *e = find_source(g, source);

    if (!e || e->banned_until_ns <= now_ns || is_allowed(g, source))
        return false;
    g->counts.dropped++;
    return true;
}

static enum guard_verdict judge(struct guard *g, struct entry *e, slice user_agent, int64_t now_ns)
{
    if (e->banned_until_ns > now_ns)
        return GUARD_DROP;
    if (user_agent.len && is_scanner(g, slice_head(user_agent, 256))) {
        g->counts.events[GUARD_SCANNER]++;
        if (e->trusted_until_ns <= now_ns)                /* a forged datagram must not ban who has proved itself */
            add_points(g, e, 0, GUARD_SCANNER, now_ns);
        return GUARD_DROP;
    }
    decay(g, e, now_ns);
    if (e->points >= limit_of(e, g->settings.faults_drop, now_ns)) {
        add_points(g, e, 1, (enum guard_event)e->why, now_ns);    /* who goes on knocking is banned */
        return GUARD_DROP;
    }
    return take_token(g, e, now_ns) ? GUARD_PASS : GUARD_BUSY;
}

enum guard_verdict guard_request(struct guard *g, const struct address *source, slice user_agent, int64_t now_ns)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    struct entry *e = is_allowed(g, source) ? NULL : get_source(g, source, now_ns);
    enum guard_verdict verdict = e ? judge(g, e, user_agent, now_ns) : GUARD_PASS;

    g->counts.passed += verdict == GUARD_PASS;
    g->counts.busy += verdict == GUARD_BUSY;
    g->counts.dropped += verdict == GUARD_DROP;
    return verdict;
}

/* Names that agree in their first 96 bytes share what was done to one of them. */
static slice name_key(slice user) { return slice_head(user, NAME_MAX_LEN); }

bool guard_may_try(struct guard *g, const struct address *source, slice user, int64_t now_ns)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    struct entry *e = find_source(g, source), *name = shelf_find(g, &g->names, name_key(user));

    if (is_allowed(g, source))
        return true;
    if (e && e->banned_until_ns > now_ns)
        return false;
    if (!name || (e && e->trusted_until_ns > now_ns))
        return true;
    decay(g, name, now_ns);
    return name->points < g->settings.user_faults_max * MILLI;
}

bool guard_note(struct guard *g, const struct address *source, slice user, enum guard_event event, int64_t now_ns)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    uint32_t points = events[event].points;
    struct entry *e, *name;

    g->counts.events[event]++;
    if (is_allowed(g, source))
        return false;
    e = get_source(g, source, now_ns);
    if (event == GUARD_AUTHENTICATED) {
        if (e)
            e->trusted_until_ns = now_ns + TRUST_NS;
        return false;
    }
    if (event == GUARD_BAD_PASSWORD && user.len &&
        (name = shelf_get(g, &g->names, name_key(user), g->settings.users_max, now_ns))) {
        decay(g, name, now_ns);
        if (name->points < UINT32_MAX / 2)
            name->points += points * MILLI;
    }
    return e && e->banned_until_ns <= now_ns && add_points(g, e, points, event, now_ns);
}

/* ---- for people ---- */

static struct guard_ban ban_of(const struct entry *e)
{
    struct guard_ban b = { .until_ns = e->banned_until_ns, .count = e->bans, .why = (enum guard_event)e->why };

    b.bits = e->key[0] == 6 ? 64 : 32;
    b.source.family = (uint8_t)e->key[0];
    memcpy(b.source.ip, e->key + 1, e->key_len - 1u);
    return b;
}

size_t guard_bans(const struct guard *g, struct guard_ban *ret, size_t room, int64_t now_ns)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    size_t n = 0;

    for (const struct list *l = g->sources.by_age.next; l != &g->sources.by_age; l = l->next) {
        const struct entry *e = list_item(l, const struct entry, in_age);

        if (e->banned_until_ns <= now_ns)
            continue;
        if (n < room)
            ret[n] = ban_of(e);
        n++;
    }
    return n;
}

bool guard_ban(struct guard *g, const struct address *source, int64_t for_ns, int64_t now_ns)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    struct entry *e = get_source(g, source, now_ns);

    if (!e)
        return false;
    g->counts.events[GUARD_BY_OPERATOR]++;
    ban(g, e, GUARD_BY_OPERATOR, now_ns);
    if (for_ns > 0)
        e->banned_until_ns = now_ns + for_ns;
    return true;
}

bool guard_unban(struct guard *g, const struct address *source)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    struct entry *e = find_source(g, source);
    bool was = e && e->banned_until_ns != 0;

    if (e) {
        e->banned_until_ns = 0;
        leave_bans(g, e);
        e->points = 0;
        e->bans = 0;
    }
    return was;
}

const struct guard_counts *guard_counts(const struct guard *g) { return &g->counts; }
size_t guard_sources(const struct guard *g) { return g->sources.by_key.count; }

void guard_debug(const struct guard *g, struct out *o, int64_t now_ns)
{
    LOCK_UNTIL_RETURN(&g->settings.lock);
    out_u64(o, g->sources.by_key.count);
    out_text(o, SLICE(" sources, "));
    out_u64(o, g->names.by_key.count);
    out_text(o, SLICE(" names\n"));
    for (const struct list *l = g->sources.by_age.next; l != &g->sources.by_age; l = l->next) {
        const struct entry *e = list_item(l, const struct entry, in_age);
        struct guard_ban b = ban_of(e);
        char ip[ADDRESS_TEXT_MAX];

        if (b.until_ns <= now_ns)
            continue;
        out_text(o, slice_of(ip, address_format_ip(&b.source, ip)));
        out_char(o, '/');
        out_u64(o, b.bits);
        out_text(o, SLICE(" banned "));
        out_i64(o, (b.until_ns - now_ns) / SECOND_NS);
        out_text(o, SLICE(" s more: "));
        out_text(o, guard_event_name(b.why));
        out_char(o, '\n');
    }
}
