/* cli/serve_names.c - answers wait here for the next round, so that nobody is told from within
 * a question of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_names.h"

#include <stdlib.h>
#include <sys/random.h>

#include "net/resolve.h"

enum { WATCHES_MAX = 64 };

struct name {
    struct serve_names *names;
    struct resolve_ask *ask;         /* under way, or NULL */
    struct targets      found;
    bool                is_found;
};

struct name_watch {
    struct loop_watch   watch;
    struct serve_names *names;
};

struct serve_names {
    struct loop            *loop;
    struct resolve         *resolve;
    struct targets_settings settings;
    struct name_watch       watches[WATCHES_MAX];
    uint64_t                random;
    size_t                  found_count;                  /* of those: to be told */
    struct name             of[GATEWAYS_MAX + WORKER_RELAYS_MAX];         /* gateways, then relays */
};

static void on_ready(void *ctx, uint32_t events)
{
    struct name_watch *w = ctx;

    resolve_ready(w->names->resolve, w->watch.fd, events & (EPOLLIN | EPOLLERR | EPOLLHUP), events & EPOLLOUT,
                  loop_now_ns(w->names->loop));
}

static void on_watch(void *ctx, int fd, bool want_read, bool want_write)
{
    struct serve_names *n = ctx;
    struct name_watch *w = NULL;

    for (size_t i = 0; i < WATCHES_MAX; i++)
        if (n->watches[i].watch.watched && n->watches[i].watch.fd == fd)
            w = &n->watches[i];
    for (size_t i = 0; !w && i < WATCHES_MAX; i++)
        if (!n->watches[i].watch.watched)
            w = &n->watches[i];
    if (!w)
        return;                                           /* the query times out, and is tried again */
    if (!want_read && !want_write) {
        loop_unwatch(n->loop, &w->watch);
        return;
    }
    w->names = n;
    w->watch.fd = fd;
    w->watch.ready = on_ready;
    w->watch.ctx = w;
    (void)loop_watch(n->loop, &w->watch, (want_read ? EPOLLIN : 0) | (want_write ? EPOLLOUT : 0));
}

/* What we listen on we can send by. */
static struct targets_settings transports_of(const struct config *config)
{
    struct targets_settings settings = { .family = TARGETS_V4_ONLY };
    bool has[CONFIG_TRANSPORTS] = { false }, v4 = false, v6 = false;

    for (size_t i = 0; i < config->listen_count; i++) {
        has[config->listens[i].transport] = true;
        v4 |= config->listens[i].address.family == 4;
        v6 |= config->listens[i].address.family == 6;
    }
    for (int i = 0; i < CONFIG_TRANSPORTS; i++)
        if (has[i])
            settings.transports[settings.transport_count++] = (uint8_t)config_wire((enum config_transport)i);
    if (v6)
        settings.family = v4 ? TARGETS_V4_FIRST : TARGETS_V6_ONLY;
    return settings;
}

struct serve_names *serve_names_new(struct loop *loop, const struct config *config)
{
    struct serve_names *n = calloc(1, sizeof *n);
    struct resolve_settings settings = { .ctx = n, .watch = on_watch };
    int error;

    if (!n)
        return NULL;
    n->loop = loop;
    n->settings = transports_of(config);
    if (getrandom(&settings.seed, sizeof settings.seed, 0) != (ssize_t)sizeof settings.seed)
        settings.seed.k0 = (uintptr_t)n;
    n->random = settings.seed.k1;
    n->resolve = resolve_new(&settings, &error);
    return n->resolve ? n : serve_names_free(n);
}

void serve_names_set(struct serve_names *n, const struct config *config) { n->settings = transports_of(config); }

struct serve_names *serve_names_free(struct serve_names *n)
{
    if (!n)
        return NULL;
    n->resolve = resolve_free(n->resolve);
    for (size_t i = 0; i < WATCHES_MAX; i++)
        if (n->watches[i].watch.watched)
            loop_unwatch(n->loop, &n->watches[i].watch);
    free(n);
    return NULL;
}

static void is_found(struct name *name)
{
    name->names->found_count += !name->is_found;
    name->is_found = true;
}

static void on_found(void *ctx, const struct targets *found)
{
    struct name *name = ctx;

    name->ask = NULL;
    name->found = *found;
    is_found(name);
}

static void ask(struct serve_names *n, slice uri, const struct targets_settings *settings, struct name *name)
{
    struct resolve_wish wish = { .uri = uri, .targets = settings, .random = ++n->random, .ctx = name, .done = on_found };

    if (name->ask)
        return;
    name->names = n;
    if (resolve_start(n->resolve, &wish, loop_now_ns(n->loop), &name->found, &name->ask) == 1)
        is_found(name);
}

void serve_names_locate(void *ctx, slice uri, uint16_t index)
{
    struct serve_names *n = ctx;

    ask(n, uri, &n->settings, &n->of[index]);
}

/* Its protocol goes by UDP, whatever we listen on. */
void serve_names_locate_relay(void *ctx, slice uri, uint16_t index)
{
    static const struct targets_settings udp = { .transports = { WIRE_UDP }, .transport_count = 1, .family = TARGETS_V4_FIRST };
    struct serve_names *n = ctx;

    ask(n, uri, &udp, &n->of[GATEWAYS_MAX + index]);
}

int64_t serve_names_turn(struct serve_names *n, struct gateways *gateways, struct serve_relays *relays, int64_t now_ns)
{
    resolve_due(n->resolve, now_ns);
    for (size_t i = 0; n->found_count && i < ARRAY_LEN(n->of); i++)
        if (n->of[i].is_found) {
            n->of[i].is_found = false;
            n->found_count--;
            if (i < GATEWAYS_MAX)
                gateways_located(gateways, (uint16_t)i, &n->of[i].found);
            else
                serve_relays_found(relays, (uint16_t)(i - GATEWAYS_MAX), &n->of[i].found);
        }
    return resolve_due_ns(n->resolve, now_ns);
}
