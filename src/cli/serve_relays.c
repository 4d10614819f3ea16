/* cli/serve_relays.c - see serve_relays.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_relays.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/ng.h"

#define PATIENCE_NS INT64_C(1000000000)
enum { WAYS_MAX = 8, URI_MAX = 320, USUAL_PORT = 2223 };

struct relay;
struct way {
    struct relay  *relay;
    struct address address;
    struct ng     *ng;               /* opened when it is first used; NULL: not yet, or it cannot be */
};

struct relay {
    struct serve_relays *all;
    char        uri[URI_MAX];
    bool        by_name;
    struct way *ways[WAYS_MAX];
    size_t      count, current;
    int64_t     asked_ns;            /* the oldest datagram since the last answer; 0: all is answered */
};

struct serve_relays {
    struct loop             *loop;
    struct serve_relays_user user;
    struct relay             of[WORKER_RELAYS_MAX];
    size_t                   count;
};

/* ---- one address ---- */

static void on_datagram(void *ctx, slice bytes, int64_t now_ns)
{
    const struct way *w = ctx;

    w->relay->asked_ns = 0;
    w->relay->all->user.datagram(w->relay->all->user.ctx, w->relay, bytes, now_ns);
}

static void on_lost(void *ctx, int64_t now_ns)
{
    const struct way *w = ctx;
    struct relay *r = w->relay;

    if (w == r->ways[r->current])
        r->asked_ns = now_ns - PATIENCE_NS;               /* what comes next goes elsewhere */
    r->all->user.lost(r->all->user.ctx, r, now_ns);
}

static struct way *way_new(struct relay *r, const struct address *a)
{
    struct way *w = malloc(sizeof *w);

    if (w)
        *w = (struct way){ .relay = r, .address = *a };
    return w;
}

static void way_free(struct way *w)
{
    if (w)
        ng_free(w->ng);
    free(w);
}

static void way_send(struct way *w, slice bytes)
{
    struct media_sender sender;

    if (!w->ng && ng_open(&w->ng, w->relay->all->loop, &w->address, &(struct ng_handlers){ w, on_datagram, on_lost }) != 0)
        return;
    sender = ng_sender(w->ng);
    sender.send(sender.ctx, bytes);
}

/* ---- all of a relay ---- */

static void locate(struct relay *r)
{
    const struct serve_relays_user *user = &r->all->user;

    if (r->by_name)
        user->locate(user->locate_ctx, slice_of_string(r->uri), (uint16_t)(r - r->all->of));
}

static void send_media(void *ctx, slice bytes)
{
    struct relay *r = ctx;
    int64_t now_ns = loop_now_ns(r->all->loop);

    if (r->asked_ns && now_ns - r->asked_ns >= PATIENCE_NS) {
        r->current = r->current + 1 < r->count ? r->current + 1 : 0;
        r->asked_ns = 0;
        if (r->current == 0)
            locate(r);
    }
    if (!r->asked_ns)
        r->asked_ns = now_ns;
    if (r->count)
        way_send(r->ways[r->current], bytes);
}

/* The one with that address leaves the list. NULL: there is none. */
static struct way *take_way(struct relay *r, const struct address *a)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->ways[i] && address_eq(&r->ways[i]->address, a)) {
            struct way *w = r->ways[i];

            r->ways[i] = NULL;
            return w;
        }
    return NULL;
}

/* The address in use stays so if it is among them. */
static void set_ways(struct relay *r, const struct address *at, size_t count)
{
    const struct way *used = r->count ? r->ways[r->current] : NULL;
    struct way *ways[WAYS_MAX];
    size_t n = 0, current = SIZE_MAX;

    for (size_t i = 0; i < count && n < WAYS_MAX; i++) {
        struct way *w = take_way(r, &at[i]);

        if (!w && !(w = way_new(r, &at[i])))
            continue;
        if (w == used)
            current = n;
        ways[n++] = w;
    }
    for (size_t i = 0; i < r->count; i++)
        way_free(r->ways[i]);
    for (size_t i = 0; i < n; i++)
        r->ways[i] = ways[i];
    if (current == SIZE_MAX)
        r->asked_ns = 0;                                  /* of another one */
    r->count = n;
    r->current = current == SIZE_MAX ? 0 : current;
}

void serve_relays_found(struct serve_relays *rs, uint16_t index, const struct targets *found)
{
    struct address at[TARGETS_MAX];

    if (index >= rs->count || found->outcome != TARGETS_FOUND)
        return;                                           /* what was known is better than nothing */
    for (size_t i = 0; i < found->count; i++)
        at[i] = found->list[i].address;
    set_ways(&rs->of[index], at, found->count);
}

/* ---- life ---- */

struct serve_relays *serve_relays_new(struct loop *loop, const struct serve_relays_user *user)
{
    struct serve_relays *rs = calloc(1, sizeof *rs);

    if (rs) {
        rs->loop = loop;
        rs->user = *user;
    }
    return rs;
}

struct serve_relays *serve_relays_free(struct serve_relays *rs)
{
    for (size_t i = 0; rs && i < rs->count; i++)
        for (size_t k = 0; k < rs->of[i].count; k++)
            way_free(rs->of[i].ways[k]);
    free(rs);
    return NULL;
}

/* A port is always there, so addresses alone are asked for (RFC 3263, 4.2). False: too long. */
static bool write_uri(const struct config_host *host, const struct address *at, char uri[URI_MAX])
{
    char text[ADDRESS_TEXT_MAX];
    int len;

    if (host->address.family) {
        address_format(at, text);
        len = snprintf(uri, URI_MAX, "sip:%s", text);
    } else {
        len = snprintf(uri, URI_MAX, "sip:" SLICE_FMT ":%u;transport=udp", SLICE_ARG(host->host), at->port);
    }
    return len > 0 && len < URI_MAX;
}

struct media_sender serve_relays_sender(struct serve_relays *rs, const struct config *config)
{
    const struct config_host *host = &config->media.rtpengine;
    struct address at = host->address;
    char uri[URI_MAX];
    struct relay *r = NULL;

    at.port = host->port ? host->port : USUAL_PORT;
    if (config->media.mode != CONFIG_MEDIA_ANCHOR || !write_uri(host, &at, uri))
        return (struct media_sender){ NULL, NULL };
    for (size_t i = 0; i < rs->count; i++)
        if (strcmp(rs->of[i].uri, uri) == 0)
            r = &rs->of[i];
    if (!r && rs->count == ARRAY_LEN(rs->of))
        return (struct media_sender){ NULL, NULL };
    if (!r) {
        r = &rs->of[rs->count++];
        *r = (struct relay){ .all = rs, .by_name = !host->address.family };
        memcpy(r->uri, uri, sizeof r->uri);
    }
    if (r->by_name)
        locate(r);
    else
        set_ways(r, &at, 1);
    return (struct media_sender){ r, send_media };
}
