/* store/users_cache.c - answers kept in memory for the switch; see users.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "store/users_int.h"

#define LOOK_NS INT64_C(1000000000)

enum kind { BY_NAME, BY_AUTH, BY_ALIAS };
static const enum users_sql statement_of[] = { [BY_NAME] = SQL_FIND_NAME, [BY_AUTH] = SQL_FIND_AUTH,
                                               [BY_ALIAS] = SQL_FIND_ALIAS };

/* One answer; its text stands behind it in the same block. */
struct entry {
    struct map_node in_map;
    struct list     in_list;         /* known or unknown, by `count` */
    size_t          size;
    enum kind       kind;
    slice           key, domain;
    size_t          count;           /* users found: 0 or 1, or the targets of an alias */
    slice          *targets;         /* of an alias */
    struct user    *user;            /* else */
};

int users_cache_init(struct users_db *db)
{
    struct users_cache *c = &db->cache;

    list_init(&c->known);
    list_init(&c->unknown);
    c->version = -1;
    c->looked_ns = INT64_MIN;
    if (getrandom(&c->seed, sizeof c->seed, 0) != (ssize_t)sizeof c->seed)
        return -EAGAIN;
    return map_init(&c->by_key, 64);
}

static void drop(struct users_cache *c, struct entry *e)
{
    map_remove(&c->by_key, &e->in_map);
    list_remove(&e->in_list);
    if (e->count)
        c->counts.known--;
    else
        c->counts.unknown--;
    explicit_bzero(e, e->size);                           /* an HA1 is as good as a password */
    free(e);
}

void users_cache_forget(struct users_db *db)
{
    struct users_cache *c = &db->cache;

    while (!list_is_empty(&c->known))
        drop(c, list_item(c->known.next, struct entry, in_list));
    while (!list_is_empty(&c->unknown))
        drop(c, list_item(c->unknown.next, struct entry, in_list));
    c->counts.forgotten++;
}

void users_cache_done(struct users_db *db)
{
    if (!db->cache.by_key.buckets)
        return;
    users_cache_forget(db);
    map_done(&db->cache.by_key);
}

void users_db_tick(struct users_db *db, int64_t now_ns)
{
    struct users_cache *c = &db->cache;
    sqlite3_stmt *s = db->statements[SQL_DATA_VERSION];
    int64_t version = c->version;

    if (c->looked_ns != INT64_MIN && now_ns - c->looked_ns < LOOK_NS)
        return;
    c->looked_ns = now_ns;
    if (users_db_row(db, s) == 1)                         /* else the store is away, and old answers serve */
        version = sqlite3_column_int64(s, 0);
    users_db_reset(s);
    if (version != c->version)
        users_cache_forget(db);
    c->version = version;
}

struct users_db_counts users_db_counts(const struct users_db *db) { return db->cache.counts; }

/* ---- entries ---- */

static uint64_t hash_key(const struct users_cache *c, enum kind kind, slice key, slice domain)
{
    return hash_slice(&c->seed, key) ^ (hash_slice(&c->seed, domain) + kind) * 0x9e3779b97f4a7c15u;
}

static struct entry *find(struct users_cache *c, enum kind kind, slice key, slice domain, uint64_t hash)
{
    for (struct map_node *n = map_first(&c->by_key, hash); n; n = map_next(n)) {
        struct entry *e = map_item(n, struct entry, in_map);

        if (e->kind == kind && slice_eq(e->key, key) && slice_eq(e->domain, domain))
            return e;
    }
    return NULL;
}

/* The same slice with its text at *at, which moves. */
static slice place(char **at, slice text)
{
    slice placed = slice_of(*at, text.len);

    if (text.len)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return placed;
}

static size_t text_size(const struct user *u)
{
    size_t size = u->name.len + u->domain.len + u->auth_name.len + u->display.len + u->rejects.len;

    for (size_t i = 0; i < USER_FORWARDS; i++)
        size += u->forward[i].len;
    return size;
}

/* Text of the answer is not there yet; `at` is where it goes. */
static struct entry *entry_new(enum kind kind, slice key, slice domain, size_t inner, size_t text, char **ret_at)
{
    size_t size = sizeof(struct entry) + inner + key.len + domain.len + text;
    struct entry *e = malloc(size);

    if (!e)
        return NULL;
    *e = (struct entry){ .size = size, .kind = kind };
    *ret_at = (char *)(e + 1) + inner;
    e->key = place(ret_at, key);
    e->domain = place(ret_at, domain);
    return e;
}

static struct entry *entry_of_user(enum kind kind, slice key, slice domain, const struct user *u)
{
    char *at;
    struct entry *e = entry_new(kind, key, domain, u ? sizeof *u : 0, u ? text_size(u) : 0, &at);

    if (!e || !u)
        return e;
    e->count = 1;
    e->user = (struct user *)(e + 1);
    *e->user = *u;
    e->user->name = place(&at, u->name);
    e->user->domain = place(&at, u->domain);
    e->user->auth_name = place(&at, u->auth_name);
    e->user->display = place(&at, u->display);
    for (size_t i = 0; i < USER_FORWARDS; i++)
        e->user->forward[i] = place(&at, u->forward[i]);
    e->user->rejects = place(&at, u->rejects);
    return e;
}

static struct entry *keep(struct users_db *db, struct entry *e, uint64_t hash)
{
    struct users_cache *c = &db->cache;
    struct list *all = e->count ? &c->known : &c->unknown;
    size_t max = e->count ? db->settings.known_max : db->settings.unknown_max;
    size_t *count = e->count ? &c->counts.known : &c->counts.unknown;

    if (*count >= max)
        drop(c, list_item(all->prev, struct entry, in_list));
    map_add(&c->by_key, &e->in_map, hash);
    list_insert_after(all, &e->in_list);
    ++*count;
    return e;
}

/* ---- asking the file ---- */

/* 0 or -errno. */
static int ask_user(struct users_db *db, enum kind kind, slice key, slice domain, struct entry **ret)
{
    sqlite3_stmt *s = users_db_ask(db, statement_of[kind], domain, key, (slice){ 0 });
    int got = users_db_row(db, s);
    struct user u;

    if (got == 1)
        users_db_user(s, &u);
    if (got >= 0)
        *ret = entry_of_user(kind, key, domain, got ? &u : NULL);
    users_db_reset(s);
    explicit_bzero(&u, sizeof u);
    return got < 0 ? got : *ret ? 0 : -ENOMEM;
}

static int ask_alias(struct users_db *db, enum kind kind, slice key, slice domain, struct entry **ret)
{
    sqlite3_stmt *s = users_db_ask(db, statement_of[kind], domain, key, (slice){ 0 });
    char text[USERS_TARGETS_MAX * USERS_NAME_MAX], *at = text;
    slice names[USERS_TARGETS_MAX];
    size_t count = 0;
    int got;

    while ((got = users_db_row(db, s)) == 1 && count < USERS_TARGETS_MAX) {
        slice name = users_db_text(s, 0);

        if (name.len > (size_t)(text + sizeof text - at))
            break;                                        /* nobody of us wrote that */
        names[count++] = place(&at, name);
    }
    users_db_reset(s);
    if (got < 0)
        return got;
    *ret = entry_new(kind, key, domain, count * sizeof *names, (size_t)(at - text), &at);
    if (!*ret)
        return -ENOMEM;
    (*ret)->count = count;
    (*ret)->targets = (slice *)(*ret + 1);
    for (size_t i = 0; i < count; i++)
        (*ret)->targets[i] = place(&at, names[i]);
    return 0;
}

/* NULL: the store is away. */
static const struct entry *answer(struct users_db *db, enum kind kind, slice key, slice domain)
{
    struct users_cache *c = &db->cache;
    char room[USERS_NAME_MAX];
    slice lower = users_domain(domain, room);
    uint64_t hash = hash_key(c, kind, key, lower);
    struct entry *e = find(c, kind, key, lower, hash);
    int error;

    c->counts.asked++;
    if (e) {
        c->counts.from_cache++;
        list_remove(&e->in_list);
        list_insert_after(e->count ? &c->known : &c->unknown, &e->in_list);
        return e;
    }
    error = kind == BY_ALIAS ? ask_alias(db, kind, key, lower, &e) : ask_user(db, kind, key, lower, &e);
    if (!error)
        return keep(db, e, hash);
    c->counts.failed++;
    return NULL;
}

/* No user has such a key, and it is not kept that somebody asked. */
static bool is_askable(slice key, slice domain)
{
    return key.len > 0 && key.len <= USERS_NAME_MAX && domain.len > 0 && domain.len <= USERS_NAME_MAX;
}

static enum users_result user_answer(void *ctx, enum kind kind, slice key, slice domain, struct user *ret)
{
    const struct entry *e;

    if (!is_askable(key, domain))
        return USERS_NONE;
    e = answer(ctx, kind, key, domain);
    if (!e || !e->count)
        return e ? USERS_NONE : USERS_FAILED;
    *ret = *e->user;
    return USERS_FOUND;
}

static enum users_result by_name(void *ctx, slice name, slice domain, struct user *ret)
{
    return user_answer(ctx, BY_NAME, name, domain, ret);
}

static enum users_result by_auth(void *ctx, slice auth_name, slice realm, struct user *ret)
{
    return user_answer(ctx, BY_AUTH, auth_name, realm, ret);
}

static size_t by_alias(void *ctx, slice alias, slice domain, slice *ret_names, size_t room)
{
    const struct entry *e = is_askable(alias, domain) ? answer(ctx, BY_ALIAS, alias, domain) : NULL;

    for (size_t i = 0; e && i < e->count && i < room; i++)
        ret_names[i] = e->targets[i];
    return e ? e->count : 0;
}

struct users users_db_source(struct users_db *db)
{
    return (struct users){ .ctx = db, .by_name = by_name, .by_auth = by_auth, .by_alias = by_alias };
}
