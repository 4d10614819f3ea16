/* switch/bindings.c - addresses-of-record by key, their contacts in a short list each
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/bindings_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sip/uri.h"

enum { CONTACTS_MAX = 2000000, EXPECTED = 256, USER_AGENT_MAX = 128, FAILURES_MAX = 255,
       SLOTS_MAX = 2 * BINDINGS_AOR_MAX };
#define PING_EVERY_NS (30 * INT64_C(1000000000))

slice binding_reason_name(enum binding_reason reason)
{
    static const slice names[] = {
        [BINDING_ASKED] = SLICE_INIT("asked"),         [BINDING_EXPIRED] = SLICE_INIT("expired"),
        [BINDING_REPLACED] = SLICE_INIT("replaced"),   [BINDING_FLOW_LOST] = SLICE_INIT("flow-lost"),
        [BINDING_UNREACHABLE] = SLICE_INIT("unreachable"), [BINDING_BY_OPERATOR] = SLICE_INIT("by-operator"),
        [BINDING_RESTORED] = SLICE_INIT("restored"),
    };

    return names[reason];
}

/* ---- keys ---- */

static bool is_control(char c) { return (unsigned char)c < 0x20 || c == 0x7f; }

bool bindings_key_is_canonical(slice key)
{
    size_t at = key.len;

    if (key.len == 0 || key.len >= BINDINGS_KEY_MAX)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (is_control(key.ptr[i]))
            return false;
    while (at > 0 && key.ptr[at - 1] != '@')              /* the last: a user may hold one, unescaped */
        at--;
    if (at < 2 || at == key.len || key.ptr[key.len - 1] == '.')
        return false;
    for (size_t i = at; i < key.len; i++)
        if (key.ptr[i] != ascii_lower(key.ptr[i]))
            return false;
    return true;
}

bool bindings_key(slice uri, char buffer[BINDINGS_KEY_MAX], slice *ret)
{
    struct sip_uri u;
    size_t n;

    if (!sip_uri_parse(uri, &u) || (u.scheme != SIP_SCHEME_SIP && u.scheme != SIP_SCHEME_SIPS))
        return false;
    if (slice_ends(u.host, SLICE(".")))                   /* a full name of the DNS is the same host */
        u.host.len--;
    if (!u.host.len || u.user.len + u.host.len + 1 >= BINDINGS_KEY_MAX)
        return false;
    n = sip_unescape(u.user, buffer, BINDINGS_KEY_MAX).len;
    buffer[n++] = '@';
    for (size_t i = 0; i < u.host.len; i++)
        buffer[n++] = ascii_lower(u.host.ptr[i]);
    if (!bindings_key_is_canonical(slice_of(buffer, n)))
        return false;
    *ret = slice_of(buffer, n);
    return true;
}

/* ---- memory ---- */

/* What the system's malloc takes for it. */
static size_t heap_bytes(size_t size) { return size + 8 <= 32 ? 32 : (size + 8 + 15) & ~(size_t)15; }

static size_t binding_text_len(const struct binding *c)
{
    size_t all = 0;

    for (int i = 0; i < TEXTS; i++)
        all += c->len[i];
    return all;
}

static size_t binding_bytes(const struct binding *c)
{
    return heap_bytes(sizeof *c + binding_text_len(c));
}

static size_t aor_bytes(const struct bindings_aor *aor) { return heap_bytes(sizeof *aor + aor->key_len); }

/* The texts as they are kept; in room that is left over by what must be whole. */
static bool texts_of(const struct binding_fields *f, slice ret[TEXTS])
{
    size_t used = f->uri.len + f->path.len + f->call_id.len + f->instance.len, left;

    if (used > BINDINGS_TEXT_MAX)
        return false;
    ret[TEXT_URI] = f->uri;
    ret[TEXT_PATH] = f->path;
    ret[TEXT_CALL_ID] = f->call_id;
    ret[TEXT_INSTANCE] = f->instance;
    left = BINDINGS_TEXT_MAX - used;
    ret[TEXT_USER_AGENT] = slice_head(slice_head(f->user_agent, USER_AGENT_MAX), left);
    left -= ret[TEXT_USER_AGENT].len;
    ret[TEXT_PARAMS] = f->params.len <= left ? f->params : (slice){ 0 };       /* half a list is none */
    return true;
}

static struct binding *binding_new(const slice texts[TEXTS])
{
    size_t all = 0, at = 0;

    for (int i = 0; i < TEXTS; i++)
        all += texts[i].len;
    struct binding *c = malloc(sizeof *c + all);

    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    for (int i = 0; i < TEXTS; i++) {
        c->len[i] = (uint16_t)texts[i].len;
        for (size_t k = 0; k < texts[i].len; k++, at++) { /* one line, whatever it was */
            char ch = texts[i].ptr[k];

            c->text[at] = ch == '\r' || ch == '\n' || ch == '\0' ? ' ' : ch;
        }
    }
    return c;
}

static slice text_of(const struct binding *c, enum binding_text which)
{
    size_t at = 0;

    for (int i = 0; i < (int)which; i++)
        at += c->len[i];
    return slice_of(c->text + at, c->len[which]);
}

void binding_read(const struct binding *c, struct binding_fields *ret)
{
    *ret = (struct binding_fields){
        .uri = text_of(c, TEXT_URI),
        .path = text_of(c, TEXT_PATH),
        .call_id = text_of(c, TEXT_CALL_ID),
        .user_agent = text_of(c, TEXT_USER_AGENT),
        .instance = text_of(c, TEXT_INSTANCE),
        .params = text_of(c, TEXT_PARAMS),
        .cseq = c->cseq,
        .reg_id = c->reg_id,
        .q_thousandth = c->q_thousandth,
        .flags = c->flags,
        .expires_ns = c->expires_ns,
        .hop = c->hop,
        .id = c->id,
        .since_ns = c->since_ns,
        .refreshed_ns = c->refreshed_ns,
        .failures = c->failures,
    };
}

slice    binding_key(const struct binding *c) { return bindings_aor_key(c->aor); }
uint64_t binding_key_hash(const struct binding *c) { return c->aor->by_key.hash; }

/* ---- the table ---- */

static void take_pings(struct bindings *b, const struct bindings_settings *settings)
{
    b->settings.ping = settings->ping;
    b->settings.ping_every_ns = settings->ping_every_ns > 0 ? settings->ping_every_ns : PING_EVERY_NS;
}

struct bindings *bindings_new(const struct bindings_settings *settings, int64_t now_ns)
{
    struct bindings *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->settings = *settings;
    if (!b->settings.contacts_max)
        b->settings.contacts_max = CONTACTS_MAX;
    take_pings(b, settings);
    list_init(&b->all);
    wheel_init(&b->wheel, now_ns);
    if (map_init(&b->by_key, EXPECTED) != 0 || map_init(&b->by_connection, EXPECTED) != 0)
        return bindings_free(b);
    return b;
}

struct bindings *bindings_free(struct bindings *b)
{
    if (!b)
        return NULL;
    while (!list_is_empty(&b->all)) {
        struct bindings_aor *aor = list_item(b->all.next, struct bindings_aor, in_all);

        while (aor->first) {
            struct binding *c = aor->first;

            aor->first = c->next;
            free(c);
        }
        list_remove(&aor->in_all);
        free(aor);
    }
    map_done(&b->by_key);
    map_done(&b->by_connection);
    free(b);
    return NULL;
}

bool bindings_observe(struct bindings *b, const struct bindings_observer *observer)
{
    if (b->observer_count == BINDINGS_OBSERVERS_MAX)
        return false;
    b->observers[b->observer_count++] = *observer;
    return true;
}

static void tell(const struct bindings *b, const struct binding *c, enum binding_change change, enum binding_reason reason)
{
    for (size_t i = 0; i < b->observer_count; i++)
        if (b->observers[i].contact)
            b->observers[i].contact(b->observers[i].ctx, binding_key(c), c, change, reason);
}

static void tell_aor(const struct bindings *b, const struct bindings_aor *aor, bool times_only)
{
    for (size_t i = 0; i < b->observer_count; i++)
        if (b->observers[i].aor)
            b->observers[i].aor(b->observers[i].ctx, bindings_aor_key(aor), aor->count ? aor : NULL, times_only);
}

static uint64_t connection_hash(const struct bindings *b, uint64_t connection)
{
    return hash_bytes(&b->settings.seed, &connection, sizeof connection);
}

static struct bindings_aor *find(const struct bindings *b, slice key)
{
    for (struct map_node *n = map_first(&b->by_key, hash_slice(&b->settings.seed, key)); n; n = map_next(n)) {
        struct bindings_aor *aor = map_item(n, struct bindings_aor, by_key);

        if (slice_eq(slice_of(aor->key, aor->key_len), key))
            return aor;
    }
    return NULL;
}

/* ---- one contact joins and leaves ---- */

static void set_timer(struct bindings *b, struct binding *c)
{
    wheel_set(&b->wheel, &c->timer, c->ping_ns < c->expires_ns ? c->ping_ns : c->expires_ns);
}

/* The first keep-alive comes somewhere in the second half of the interval: those that came
 * together after a restart do not go on together. */
static void set_ping(struct bindings *b, struct binding *c, int64_t now_ns)
{
    int64_t half = b->settings.ping_every_ns / 2;
    bool wanted = b->settings.ping == BINDINGS_PING_ALL ||
                  (b->settings.ping == BINDINGS_PING_BY_HOP && c->flags & BINDING_BY_HOP);

    if (wanted && b->settings.is_pinged_here)
        wanted = b->settings.is_pinged_here(b->settings.ctx, bindings_aor_key(c->aor));

    if (!wanted)
        c->ping_ns = INT64_MAX;
    else if (c->ping_ns == INT64_MAX || c->ping_ns == 0)
        c->ping_ns = now_ns + half +
                     (int64_t)(hash_bytes(&b->settings.seed, &c->id, sizeof c->id) % (uint64_t)(half + 1));
}

void bindings_set(struct bindings *b, const struct bindings_settings *settings, int64_t now_ns)
{
    enum bindings_ping ping = b->settings.ping;
    int64_t every_ns = b->settings.ping_every_ns;

    take_pings(b, settings);
    if (ping == b->settings.ping && every_ns == b->settings.ping_every_ns)
        return;
    for (size_t i = 0; i < b->by_key.bucket_count; i++)
        for (struct map_node *n = b->by_key.buckets[i]; n; n = n->next)
            for (struct binding *c = map_item(n, struct bindings_aor, by_key)->first; c; c = c->next) {
                c->ping_ns = 0;
                set_ping(b, c, now_ns);
                set_timer(b, c);
            }
}

static void join(struct bindings *b, struct bindings_aor *aor, struct binding *c)
{
    c->aor = aor;
    c->next = aor->first;
    aor->first = c;
    aor->count++;
    b->count++;
    b->memory_bytes += binding_bytes(c);
    if (c->hop.connection)
        map_add(&b->by_connection, &c->by_connection, connection_hash(b, c->hop.connection));
    set_timer(b, c);
}

static void leave(struct bindings *b, struct binding *c)
{
    struct binding **link = &c->aor->first;

    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    c->aor->count--;
    b->count--;
    b->memory_bytes -= binding_bytes(c);
    if (c->hop.connection)
        map_remove(&b->by_connection, &c->by_connection);
    wheel_clear(&b->wheel, &c->timer);
}

static void remove_told(struct bindings *b, struct binding *c, enum binding_reason reason)
{
    leave(b, c);
    tell(b, c, BINDING_REMOVED, reason);
    free(c);
}

/* ---- an address-of-record joins and leaves ---- */

static struct bindings_aor *aor_new(slice key)
{
    struct bindings_aor *aor = malloc(sizeof *aor + key.len);

    if (!aor)
        return NULL;
    *aor = (struct bindings_aor){ .key_len = (uint16_t)key.len };
    memcpy(aor->key, key.ptr, key.len);
    return aor;
}

static void aor_join(struct bindings *b, struct bindings_aor *aor)
{
    map_add(&b->by_key, &aor->by_key, hash_slice(&b->settings.seed, bindings_aor_key(aor)));
    list_append(&b->all, &aor->in_all);
    b->memory_bytes += aor_bytes(aor);
    for (struct bindings_walk *w = b->walks; w; w = w->other)
        if (!w->next)                                     /* at the end: this is behind it, but is new */
            w->next = aor;
}

static const struct bindings_aor *behind(const struct bindings *b, const struct bindings_aor *aor)
{
    return aor->in_all.next == &b->all ? NULL : list_item(aor->in_all.next, struct bindings_aor, in_all);
}

static void aor_leave(struct bindings *b, struct bindings_aor *aor)
{
    for (struct bindings_walk *w = b->walks; w; w = w->other)
        if (w->next == aor)
            w->next = behind(b, aor);
    b->memory_bytes -= aor_bytes(aor);
    map_remove(&b->by_key, &aor->by_key);
    list_remove(&aor->in_all);
    free(aor);
}

/* After a contact went: told, and gone when nothing is left. */
static void aor_lost(struct bindings *b, struct bindings_aor *aor)
{
    tell_aor(b, aor, false);
    if (!aor->count)
        aor_leave(b, aor);
}

/* ---- an update is planned ---- */

/* One place for a contact, as it is and as it will be. */
struct slot {
    struct binding              *old;
    const struct binding_fields *put;                     /* NULL: stays as it is, or goes */
    struct binding              *made;                    /* for `put`; NULL: it changes in place */
    enum binding_reason          reason;
    bool                         drop;
};
static_assert(SLOTS_MAX >= BINDINGS_AOR_MAX + BINDINGS_CHANGES_MAX, "what is there and what comes");
struct plan {
    struct slot slots[SLOTS_MAX];
    size_t      count;
};

bool binding_is_same(const struct binding_fields *a, const struct binding_fields *b)
{
    if (a->reg_id && a->instance.len && b->reg_id && b->instance.len)
        return a->reg_id == b->reg_id && slice_eq_nocase(a->instance, b->instance);
    return slice_eq(a->uri, b->uri) || sip_uri_same(a->uri, b->uri);
}

static void plan_begin(struct plan *p, const struct bindings_aor *aor)
{
    p->count = 0;
    for (struct binding *c = aor ? aor->first : NULL; c; c = c->next)
        p->slots[p->count++] = (struct slot){ .old = c };
}

static bool slot_is(const struct slot *s, const struct binding_fields *f)
{
    struct binding_fields old;

    if (s->drop)
        return false;
    if (!s->put)
        binding_read(s->old, &old);
    return binding_is_same(s->put ? s->put : &old, f);
}

/* 10.3, 7. The first contact that is the same becomes this one; were there more, they go. */
static enum bindings_result plan_one(struct plan *p, const struct binding_fields *f, int64_t now_ns)
{
    bool put = f->expires_ns > now_ns, placed = false;

    for (size_t i = 0; i < p->count; i++) {
        struct slot *s = &p->slots[i];

        if (!slot_is(s, f))
            continue;
        if (s->old && slice_eq(text_of(s->old, TEXT_CALL_ID), f->call_id) && f->cseq <= s->old->cseq)
            return BINDINGS_OUT_OF_ORDER;
        s->put = put && !placed ? f : NULL;
        s->drop = !s->put;
        s->reason = put ? BINDING_REPLACED : BINDING_ASKED;
        placed = true;
    }
    if (put && !placed)
        p->slots[p->count++] = (struct slot){ .put = f };
    return BINDINGS_DONE;
}

static bool has_texts(const struct binding *c, const slice texts[TEXTS])
{
    for (int i = 0; i < TEXTS; i++)
        if (!slice_eq(text_of(c, (enum binding_text)i), texts[i]))
            return false;
    return true;
}

/* Room and memory for all of it, or for nothing. */
static enum bindings_result plan_room(const struct bindings *b, struct plan *p, unsigned aor_max)
{
    size_t before = 0, after = 0;

    for (size_t i = 0; i < p->count; i++) {
        before += p->slots[i].old != NULL;
        after += !p->slots[i].drop;
    }
    if (!aor_max || aor_max > BINDINGS_AOR_MAX)
        aor_max = BINDINGS_AOR_MAX;
    if (after > before && after > aor_max)
        return BINDINGS_TOO_MANY;
    if (after > before && b->count - before + after > b->settings.contacts_max)
        return BINDINGS_FULL;
    for (size_t i = 0; i < p->count; i++) {
        struct slot *s = &p->slots[i];
        slice texts[TEXTS];

        if (!s->put || s->drop)
            continue;
        if (!texts_of(s->put, texts))
            return BINDINGS_TOO_LONG;
        if (s->old && has_texts(s->old, texts))
            continue;
        s->made = binding_new(texts);
        if (!s->made)
            return BINDINGS_NO_MEMORY;
    }
    return BINDINGS_DONE;
}

static void plan_forget(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->slots[i].made);
}

/* ---- an update is done ---- */

/* What may change without new memory. True: only times and CSeq did. */
static bool take_over(struct binding *c, const struct binding_fields *f, int64_t now_ns)
{
    bool times_only = c->reg_id == f->reg_id && c->q_thousandth == f->q_thousandth &&
                      c->flags == (f->flags & BINDING_FLAGS_ALL) && hop_same(&c->hop, &f->hop);

    c->cseq = f->cseq;
    c->reg_id = f->reg_id;
    c->q_thousandth = f->q_thousandth;
    c->flags = f->flags & BINDING_FLAGS_ALL;
    c->hop = f->hop;
    c->expires_ns = f->expires_ns;
    c->refreshed_ns = now_ns;
    c->failures = 0;
    return times_only;
}

/* True: only times and CSeq are new. */
static bool do_slot(struct bindings *b, struct bindings_aor *aor, struct slot *s, enum binding_reason why, int64_t now_ns)
{
    struct binding *c = s->made ? s->made : s->old;
    bool times_only;

    if (s->drop) {
        if (s->old)
            remove_told(b, s->old, s->reason);
        return !s->old;
    }
    if (!s->put)
        return true;
    if (s->old)
        leave(b, s->old);
    times_only = take_over(c, s->put, now_ns) && !s->made;
    if (s->made) {
        c->id = s->old ? s->old->id : ++b->ids;
        c->since_ns = s->old ? s->old->since_ns : s->put->since_ns ? s->put->since_ns : now_ns;
        c->ping_ns = s->old ? s->old->ping_ns : INT64_MAX;
        if (why == BINDING_RESTORED)
            c->refreshed_ns = s->put->refreshed_ns;
        if (s->old)
            free(s->old);
    }
    c->aor = aor;
    set_ping(b, c, now_ns);
    join(b, aor, c);
    tell(b, c, s->old ? BINDING_REFRESHED : BINDING_ADDED, why);
    return times_only;
}

static enum bindings_result plan_do(struct bindings *b, slice key, struct bindings_aor *aor, struct plan *p,
                                    unsigned aor_max, enum binding_reason why, int64_t now_ns)
{
    enum bindings_result result = plan_room(b, p, aor_max);
    bool is_new = false, times_only = true;

    if (result == BINDINGS_DONE && !aor) {
        for (size_t i = 0; i < p->count; i++)
            is_new |= p->slots[i].made != NULL;
        if (!is_new)
            return BINDINGS_DONE;                         /* nothing there, nothing to put */
        aor = aor_new(key);
        if (!aor)
            result = BINDINGS_NO_MEMORY;
    }
    if (result != BINDINGS_DONE) {
        plan_forget(p);
        return result;
    }
    if (is_new)
        aor_join(b, aor);
    for (size_t i = 0; i < p->count; i++)
        times_only &= do_slot(b, aor, &p->slots[i], why, now_ns);
    if (why != BINDING_RESTORED)
        tell_aor(b, aor, times_only);
    if (!aor->count)
        aor_leave(b, aor);
    return BINDINGS_DONE;
}

enum bindings_result bindings_update(struct bindings *b, slice key, const struct binding_fields *fields, size_t count,
                                     unsigned aor_max, int64_t now_ns)
{
    struct bindings_aor *aor = find(b, key);
    enum bindings_result result = BINDINGS_DONE;
    struct plan p;

    if (!bindings_key_is_canonical(key))
        return BINDINGS_TOO_LONG;
    if (count > BINDINGS_CHANGES_MAX)
        return BINDINGS_TOO_MANY;
    if (count == 0)
        return BINDINGS_DONE;
    plan_begin(&p, aor);
    for (size_t i = 0; i < count && result == BINDINGS_DONE; i++)
        result = plan_one(&p, &fields[i], now_ns);
    return result == BINDINGS_DONE ? plan_do(b, key, aor, &p, aor_max, BINDING_ASKED, now_ns) : result;
}

enum bindings_result bindings_clear(struct bindings *b, slice key, slice call_id, uint32_t cseq, int64_t now_ns)
{
    struct bindings_aor *aor = find(b, key);
    struct plan p;

    if (!aor)
        return BINDINGS_DONE;
    plan_begin(&p, aor);
    for (size_t i = 0; i < p.count; i++) {                /* 10.3, 6 */
        struct slot *s = &p.slots[i];

        if (slice_eq(text_of(s->old, TEXT_CALL_ID), call_id) && cseq <= s->old->cseq)
            return BINDINGS_OUT_OF_ORDER;
        s->drop = true;
    }
    return plan_do(b, key, aor, &p, 0, BINDING_ASKED, now_ns);
}

int bindings_put_restored(struct bindings *b, slice key, const struct binding_fields *fields, size_t count, int64_t now_ns)
{
    static const int errors[] = {
        [BINDINGS_DONE] = 0,         [BINDINGS_OUT_OF_ORDER] = -EBADMSG, [BINDINGS_TOO_MANY] = -EBADMSG,
        [BINDINGS_TOO_LONG] = -EBADMSG, [BINDINGS_FULL] = -ENOSPC,       [BINDINGS_NO_MEMORY] = -ENOMEM,
    };
    struct bindings_aor *aor = find(b, key);
    struct plan p;

    plan_begin(&p, aor);
    for (size_t i = 0; i < p.count; i++) {
        p.slots[i].drop = true;
        p.slots[i].reason = BINDING_RESTORED;
    }
    for (size_t i = 0; i < count; i++)
        p.slots[p.count++] = (struct slot){ .put = &fields[i] };
    if (p.count == 0)
        return 0;
    return errors[plan_do(b, key, aor, &p, 0, BINDING_RESTORED, now_ns)];
}

/* ---- removal without being asked ---- */

size_t bindings_remove_id(struct bindings *b, slice key, uint64_t id, enum binding_reason reason, int64_t now_ns)
{
    struct bindings_aor *aor = find(b, key);

    (void)now_ns;
    for (struct binding *c = aor ? aor->first : NULL; c; c = c->next)
        if (c->id == id) {
            remove_told(b, c, reason);
            aor_lost(b, aor);
            return 1;
        }
    return 0;
}

size_t bindings_remove_all(struct bindings *b, slice key, enum binding_reason reason, int64_t now_ns)
{
    struct bindings_aor *aor = find(b, key);
    size_t count = aor ? aor->count : 0;

    (void)now_ns;
    if (!aor)
        return 0;
    while (aor->first)
        remove_told(b, aor->first, reason);
    aor_lost(b, aor);
    return count;
}

static struct binding *on_connection(const struct bindings *b, uint64_t connection)
{
    for (struct map_node *n = map_first(&b->by_connection, connection_hash(b, connection)); n; n = map_next(n)) {
        struct binding *c = map_item(n, struct binding, by_connection);

        if (c->hop.connection == connection)
            return c;
    }
    return NULL;
}

size_t bindings_hop_lost(struct bindings *b, const struct hop *hop, int64_t now_ns)
{
    struct binding *c;
    size_t count = 0;

    (void)now_ns;
    while (hop->connection && (c = on_connection(b, hop->connection))) {
        struct bindings_aor *aor = c->aor;

        if (c->flags & BINDING_BY_HOP) {
            remove_told(b, c, BINDING_FLOW_LOST);
            aor_lost(b, aor);
            count++;
        } else {
            map_remove(&b->by_connection, &c->by_connection);
            c->hop.connection = 0;
        }
    }
    return count;
}

bool bindings_flow_is_alive(const struct bindings *b, const struct hop *hop)
{
    return hop->connection == 0 || on_connection(b, hop->connection);
}

/* ---- time ---- */

const struct binding *bindings_time(struct bindings *b, int64_t now_ns)
{
    struct wheel_timer *t;

    while ((t = wheel_due(&b->wheel, now_ns))) {
        struct binding *c = wheel_item(t, struct binding, timer);
        struct bindings_aor *aor = c->aor;

        if (c->expires_ns <= now_ns) {
            remove_told(b, c, BINDING_EXPIRED);
            aor_lost(b, aor);
            continue;
        }
        bool ping = c->ping_ns <= now_ns;

        if (ping)
            c->ping_ns = now_ns + b->settings.ping_every_ns;
        set_timer(b, c);
        if (ping)
            return c;
    }
    return NULL;
}

int64_t bindings_next_ns(const struct bindings *b) { return wheel_next_ns(&b->wheel); }

static struct binding *by_id(const struct bindings *b, uint64_t key_hash, uint64_t id)
{
    for (struct map_node *n = map_first(&b->by_key, key_hash); n; n = map_next(n))
        for (struct binding *c = map_item(n, struct bindings_aor, by_key)->first; c; c = c->next)
            if (c->id == id)
                return c;
    return NULL;
}

const struct binding *bindings_by_id(const struct bindings *b, uint64_t key_hash, uint64_t id)
{
    return by_id(b, key_hash, id);
}

unsigned bindings_pinged(struct bindings *b, uint64_t key_hash, uint64_t id, bool answered)
{
    struct binding *c = by_id(b, key_hash, id);

    if (!c)
        return 0;
    if (answered)
        c->failures = 0;
    else if (c->failures < FAILURES_MAX)
        c->failures++;
    return c->failures;
}

/* ---- asking ---- */

const struct bindings_aor *bindings_find(const struct bindings *b, slice key) { return find(b, key); }
slice bindings_aor_key(const struct bindings_aor *aor) { return slice_of(aor->key, aor->key_len); }
unsigned bindings_aor_count(const struct bindings_aor *aor) { return aor->count; }

const struct binding *bindings_aor_next(const struct bindings_aor *aor, const struct binding *after)
{
    return after ? after->next : aor->first;
}

static int by_q_then_latest(const void *left, const void *right)
{
    const struct binding *a = *(const struct binding *const *)left, *b = *(const struct binding *const *)right;

    if (a->q_thousandth != b->q_thousandth)
        return a->q_thousandth > b->q_thousandth ? -1 : 1;
    if (a->refreshed_ns != b->refreshed_ns)
        return a->refreshed_ns > b->refreshed_ns ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}

size_t bindings_targets(const struct bindings_aor *aor, struct binding_target *ret, size_t room, int64_t now_ns)
{
    const struct binding *sorted[BINDINGS_AOR_MAX];
    size_t count = 0, n = 0;

    for (const struct binding *c = aor ? aor->first : NULL; c; c = c->next)
        if (c->expires_ns > now_ns && count < ARRAY_LEN(sorted))
            sorted[count++] = c;
    if (count > 1)
        qsort(sorted, count, sizeof sorted[0], by_q_then_latest);
    for (size_t i = 0; i < count; i++) {
        slice instance = sorted[i] ? text_of(sorted[i], TEXT_INSTANCE) : (slice){ 0 };

        if (!sorted[i] || n == room)
            continue;
        ret[n++] = (struct binding_target){ .binding = sorted[i] };
        for (size_t k = i + 1; k < count && instance.len && n < room; k++)
            if (sorted[k] && slice_eq_nocase(text_of(sorted[k], TEXT_INSTANCE), instance)) {
                ret[n++] = (struct binding_target){ .binding = sorted[k], .is_alternative = true };
                sorted[k] = NULL;
            }
    }
    return n;
}

size_t bindings_count(const struct bindings *b) { return b->count; }
size_t bindings_aors(const struct bindings *b) { return b->by_key.count; }

size_t bindings_memory_bytes(const struct bindings *b)
{
    return heap_bytes(sizeof *b) + b->memory_bytes +
           (b->by_key.bucket_count + b->by_connection.bucket_count) * sizeof(struct map_node *);
}

static void debug_one(const struct binding *c, struct out *o, int64_t now_ns)
{
    char remote[ADDRESS_TEXT_MAX];

    out_text(o, SLICE("  <"));
    out_text(o, text_of(c, TEXT_URI));
    out_text(o, SLICE("> from "));
    out_text(o, wire_transport_name((enum wire_transport)c->hop.transport));
    out_char(o, ' ');
    out_text(o, slice_of(remote, address_format(&c->hop.remote, remote)));
    out_text(o, c->flags & BINDING_OUTBOUND ? SLICE(" (flow)") : c->flags & BINDING_BY_HOP ? SLICE(" (nat)") : SLICE(""));
    out_text(o, SLICE(" q "));
    out_milli(o, c->q_thousandth);
    out_text(o, SLICE(", expires in "));
    out_i64(o, (c->expires_ns - now_ns) / 1000000000);
    out_text(o, SLICE(" s, failures "));
    out_u64(o, c->failures);
    out_char(o, '\n');
}

void bindings_debug(const struct bindings *b, struct out *o, int64_t now_ns)
{
    out_u64(o, b->count);
    out_text(o, SLICE(" contacts of "));
    out_u64(o, b->by_key.count);
    out_text(o, SLICE(" addresses, "));
    out_u64(o, bindings_memory_bytes(b));
    out_text(o, SLICE(" bytes\n"));
    for (const struct list *l = b->all.next; l != &b->all; l = l->next) {
        const struct bindings_aor *aor = list_item(l, const struct bindings_aor, in_all);

        out_text(o, bindings_aor_key(aor));
        out_char(o, '\n');
        for (const struct binding *c = aor->first; c; c = c->next)
            debug_one(c, o, now_ns);
    }
}

/* ---- walks ---- */

void bindings_walk_begin(struct bindings *b, struct bindings_walk *ret)
{
    *ret = (struct bindings_walk){ .bindings = b, .other = b->walks };
    if (!list_is_empty(&b->all))
        ret->next = list_item(b->all.next, struct bindings_aor, in_all);
    b->walks = ret;
}

const struct bindings_aor *bindings_walk_next(struct bindings_walk *w)
{
    const struct bindings_aor *aor = w->next;

    if (aor)
        w->next = behind(w->bindings, aor);
    return aor;
}

void bindings_walk_end(struct bindings_walk *w)
{
    struct bindings_walk **link = &w->bindings->walks;

    while (*link && *link != w)
        link = &(*link)->other;
    if (*link)
        *link = w->other;
}
