/* switch/deadlist.c - see deadlist.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/deadlist.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "wire/wire.h"

#define SECOND_NS INT64_C(1000000000)
#define KEY_BYTES (sizeof(struct address) + 1)

struct server {
    struct map_node by_key;
    struct list     by_age;          /* of their last block, oldest first; those not in use are first */
    struct address  address;
    uint8_t         transport;
    bool            used;
    int64_t         block_ns;        /* how long the last block was, Retry-After aside */
    int64_t         until_ns;
};

struct deadlist {
    struct deadlist_settings settings;
    struct deadlist_counts counts;
    struct map     map;
    struct list    ages;
    struct server *servers;
};

static int64_t or_default(int64_t given, int64_t otherwise) { return given > 0 ? given : otherwise; }

struct deadlist *deadlist_new(const struct deadlist_settings *settings)
{
    struct deadlist *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->settings = *settings;
    d->settings.first_ns = or_default(settings->first_ns, 30 * SECOND_NS);
    d->settings.longest_ns = or_default(settings->longest_ns, 300 * SECOND_NS);
    d->settings.retry_after_max_ns = or_default(settings->retry_after_max_ns, 3600 * SECOND_NS);
    if (!settings->servers_max)
        d->settings.servers_max = 1024;
    list_init(&d->ages);
    d->servers = calloc(d->settings.servers_max, sizeof *d->servers);
    if (!d->servers || map_init(&d->map, d->settings.servers_max) < 0) {
        free(d->servers);
        free(d);
        return NULL;
    }
    for (size_t i = 0; i < d->settings.servers_max; i++)
        list_append(&d->ages, &d->servers[i].by_age);
    return d;
}

struct deadlist *deadlist_free(struct deadlist *d)
{
    if (d) {
        map_done(&d->map);
        free(d->servers);
        free(d);
    }
    return NULL;
}

static uint64_t hash_of(const struct deadlist *d, const struct address *server, uint8_t transport)
{
    uint8_t key[KEY_BYTES];

    memcpy(key, server, sizeof *server);
    key[sizeof *server] = transport;
    return hash_bytes(&d->settings.seed, key, sizeof key);
}

static struct server *find(const struct deadlist *d, const struct address *server, uint8_t transport)
{
    if (!d->map.count)                                    /* as on most days */
        return NULL;
    for (struct map_node *n = map_first(&d->map, hash_of(d, server, transport)); n; n = map_next(n)) {
        struct server *s = map_item(n, struct server, by_key);

        if (s->transport == transport && address_eq(&s->address, server))
            return s;
    }
    return NULL;
}

/* The oldest place, which is one never used as long as there is one. */
static struct server *add(struct deadlist *d, const struct address *server, uint8_t transport)
{
    struct server *s = list_item(d->ages.next, struct server, by_age);

    if (s->used) {
        map_remove(&d->map, &s->by_key);
        d->counts.forgotten++;
    }
    s->address = *server;
    s->transport = transport;
    s->used = true;
    s->block_ns = s->until_ns = 0;
    map_add(&d->map, &s->by_key, hash_of(d, server, transport));
    return s;
}

void deadlist_failed(struct deadlist *d, const struct address *server, uint8_t transport, int64_t retry_after_ns,
                     int64_t now_ns)
{
    const struct deadlist_settings *settings = &d->settings;
    struct server *s = find(d, server, transport);
    int64_t block_ns;

    if (s && s->until_ns > now_ns && retry_after_ns <= 0)
        return;
    if (!s)
        s = add(d, server, transport);
    if (retry_after_ns > 0) {
        block_ns = retry_after_ns < settings->retry_after_max_ns ? retry_after_ns : settings->retry_after_max_ns;
    } else {
        bool long_ago = now_ns - s->until_ns > settings->longest_ns;

        block_ns = s->block_ns && !long_ago ? 2 * s->block_ns : settings->first_ns;
        s->block_ns = block_ns = block_ns < settings->longest_ns ? block_ns : settings->longest_ns;
    }
    s->until_ns = now_ns + block_ns;
    d->counts.blocked++;
    list_remove(&s->by_age);
    list_append(&d->ages, &s->by_age);
}

void deadlist_succeeded(struct deadlist *d, const struct address *server, uint8_t transport)
{
    struct server *s = find(d, server, transport);

    if (!s)
        return;
    map_remove(&d->map, &s->by_key);
    s->used = false;
    list_remove(&s->by_age);
    list_insert_after(&d->ages, &s->by_age);
}

int64_t deadlist_until_ns(const struct deadlist *d, const struct address *server, uint8_t transport, int64_t now_ns)
{
    const struct server *s = find(d, server, transport);

    return s && s->until_ns > now_ns ? s->until_ns : 0;
}

struct deadlist_counts deadlist_counts(const struct deadlist *d) { return d->counts; }

void deadlist_debug(struct out *out, const struct deadlist *d, int64_t now_ns)
{
    for (const struct list *l = d->ages.next; l != &d->ages; l = l->next) {
        const struct server *s = list_item(l, struct server, by_age);
        char text[ADDRESS_TEXT_MAX];

        if (!s->used || s->until_ns <= now_ns)
            continue;
        out_text(out, slice_of(text, address_format(&s->address, text)));
        out_char(out, ' ');
        out_text(out, wire_transport_name((enum wire_transport)s->transport));
        out_text(out, SLICE(", "));
        out_i64(out, (s->until_ns - now_ns + SECOND_NS - 1) / SECOND_NS);
        out_text(out, SLICE(" s\n"));
    }
}
