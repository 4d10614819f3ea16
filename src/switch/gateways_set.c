/* switch/gateways_set.c - another configuration: which gateways stay, begin and go
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/gateways_int.h"

#include <errno.h>
#include <stdlib.h>

/* A name that is looked up is answered long before: never to a gateway that has the number later. */
static const int64_t rest_ns = 120 * SECOND_NS;

/* ---- what is kept of a configuration ---- */

static slice *const *texts_of(struct config_gateway *c, slice *ret[5])
{
    ret[0] = &c->name, ret[1] = &c->host.host, ret[2] = &c->user, ret[3] = &c->password_file, ret[4] = &c->from_domain;
    return ret;
}

static struct config_gateway *copy_config(const struct config_gateway *from)
{
    struct config_gateway fields = *from, *c;
    size_t size = sizeof *c + from->codecs.count * sizeof(slice);
    slice *texts[5], *codecs;
    char *at;

    fields.allow = fields.deny = (struct config_words){ 0 };
    fields.rewrite_called = fields.rewrite_calling = (struct config_rules){ 0 };
    fields.allow_from = (struct config_networks){ 0 };
    (void)texts_of(&fields, texts);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        size += texts[i]->len;
    for (size_t i = 0; i < from->codecs.count; i++)
        size += from->codecs.at[i].len;
    c = malloc(size);
    if (!c)
        return NULL;
    *c = fields;
    codecs = (slice *)(void *)(c + 1);
    c->codecs.at = codecs;
    (void)texts_of(c, texts);
    at = (char *)(codecs + from->codecs.count);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i]->len)
            memcpy(at, texts[i]->ptr, texts[i]->len);
        *texts[i] = slice_of(at, texts[i]->len);
        at += texts[i]->len;
    }
    for (size_t i = 0; i < from->codecs.count; i++) {
        slice name = from->codecs.at[i];

        memcpy(at, name.ptr, name.len);
        codecs[i] = slice_of(at, name.len);
        at += name.len;
    }
    return c;
}

int gateway_configure(struct gateway *w, const struct config_gateway *config)
{
    w->config = copy_config(config);
    return w->config ? 0 : -ENOMEM;
}

int gateways_take_server(struct gateways *g, const struct config *config)
{
    slice name = config->server.name;
    char *copy = malloc(name.len + 1);

    if (!copy)
        return -ENOMEM;
    if (name.len)
        memcpy(copy, name.ptr, name.len);
    free((char *)(uintptr_t)g->server.ptr);
    g->server = slice_of(copy, name.len);
    return 0;
}

const struct config_gateway *gateways_config(const struct gateways *g, uint16_t index) { return g->list[index].config; }
uint16_t gateways_number(const struct gateways *g, size_t place) { return g->numbers[place]; }

/* ---- the same one? ---- */

/* The same account at the same place. Everything else may change under it. */
static bool is_same(const struct config_gateway *a, const struct config_gateway *b)
{
    return slice_eq(a->name, b->name) && slice_eq(a->host.host, b->host.host) && a->host.port == b->host.port &&
           a->transport == b->transport && slice_eq(a->user, b->user) && slice_eq(a->from_domain, b->from_domain) &&
           a->registers == b->registers;
}

static struct gateway *find_same(struct gateways *g, const struct config_gateway *config)
{
    for (size_t i = 0; i < g->count; i++)
        if (!g->list[i].gone && is_same(g->list[i].config, config))
            return &g->list[i];
    return NULL;
}

/* Nobody knows its number any more. */
static bool is_free(const struct gateways *g, const struct gateway *w, uint32_t seen)
{
    return w->gone && w->gone_set <= seen && !w->calls && !w->asks[TASK_REGISTER].client && !w->asks[TASK_PING].client &&
           gateways_now(g) - w->gone_ns >= rest_ns;
}

/* ---- the change ---- */

struct change {
    struct gateway        *same[CONFIG_GATEWAYS_MAX];     /* NULL: a new one */
    struct config_gateway *configs[CONFIG_GATEWAYS_MAX];
    size_t                 count;
};

static int prepare(struct gateways *g, struct change *c, const struct config *config, uint32_t seen)
{
    size_t wanted = 0, room = GATEWAYS_MAX - g->count;

    for (size_t i = 0; i < config->gateway_count; i++) {
        c->same[i] = find_same(g, &config->gateways[i]);
        wanted += c->same[i] == NULL;
        c->configs[i] = copy_config(&config->gateways[i]);
        c->count = i + 1;
        if (!c->configs[i])
            return -ENOMEM;
    }
    for (size_t i = 0; i < g->count; i++)
        room += is_free(g, &g->list[i], seen);
    return wanted <= room ? 0 : -ENOSPC;
}

static void stay(struct gateways *g, struct gateway *w, struct config_gateway *config)
{
    struct config_gateway *old = w->config;

    w->config = config;
    if (old->expires_ns != config->expires_ns)
        w->wanted_s = (uint32_t)(config->expires_ns / SECOND_NS);
    if (!config->password_file.len)
        gateway_forget_password(w);
    if (old->ping_ns != config->ping_ns && !config->ping_ns) {
        wheel_clear(&g->wheel, &w->clocks[TASK_PING].timer);
        w->answered_ping = w->dead = false;               /* nobody would find out that it lives again */
        w->pings_failed = 0;
    } else if (old->ping_ns != config->ping_ns) {
        gateway_ping_from_now(g, w);
    }
    free(old);
}

static struct gateway *take_free(struct gateways *g, uint32_t seen)
{
    for (size_t i = 0; i < g->count; i++)
        if (is_free(g, &g->list[i], seen)) {
            gateway_forget_password(&g->list[i]);
            free(g->list[i].config);
            g->list[i] = (struct gateway){ 0 };
            return &g->list[i];
        }
    return &g->list[g->count++];
}

static void go(struct gateways *g, struct gateway *w)
{
    gateway_leave(g, w);
    w->gone = true;
    w->gone_set = g->sets;
    w->gone_ns = gateways_now(g);
}

static bool is_kept(const struct change *c, const struct gateway *w)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->same[i] == w)
            return true;
    return false;
}

static void commit(struct gateways *g, struct change *c, uint32_t seen)
{
    g->sets++;
    for (size_t i = 0; i < g->count; i++)
        if (!g->list[i].gone && !is_kept(c, &g->list[i]))
            go(g, &g->list[i]);
    for (size_t i = 0; i < c->count; i++) {
        struct gateway *w = c->same[i] ? c->same[i] : take_free(g, seen);

        g->numbers[i] = (uint16_t)(w - g->list);
        if (c->same[i]) {
            stay(g, w, c->configs[i]);
        } else {
            w->config = c->configs[i];
            gateway_begin(g, g->numbers[i]);
        }
    }
}

int gateways_set(struct gateways *g, const struct config *config, uint32_t seen)
{
    struct change c = { .count = 0 };
    int error = prepare(g, &c, config, seen);

    if (!error)
        error = gateways_take_server(g, config);
    if (!error) {
        commit(g, &c, seen);
        return 0;
    }
    for (size_t i = 0; i < c.count; i++)
        free(c.configs[i]);
    return error;
}
