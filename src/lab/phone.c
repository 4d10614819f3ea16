/* lab/phone.c - the phone: its endpoint's callbacks, and which call they are for
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/phone.h"

#include <stdlib.h>

#include "lab/phone_int.h"
#include "sip/build.h"
#include "sip/digest.h"

/* ---- callbacks of the endpoint ---- */

static struct phone_call *call_of(void *owner)
{
    uint8_t *kind = owner;

    return kind && *kind == PHONE_KIND_CALL ? (struct phone_call *)owner : NULL;
}

void phone_join_map(struct phone_call *c)
{
    struct phone *p = c->phone;

    map_add(&p->tags, &c->by_tag, hash_slice(&p->settings.endpoint.seed, c->dialog.local_tag));
    c->in_map = true;
}

struct phone_call *phone_find_dialog(struct phone *p, slice call_id, slice local_tag, slice remote_tag)
{
    for (struct map_node *n = map_first(&p->tags, hash_slice(&p->settings.endpoint.seed, local_tag)); n; n = map_next(n)) {
        struct phone_call *c = map_item(n, struct phone_call, by_tag);

        if (phone_call_has(c, call_id, local_tag, remote_tag))
            return c;
    }
    return NULL;
}

static struct phone_call *find(struct phone *p, const struct sip_message *m)
{
    return phone_find_dialog(p, m->call_id, m->to.tag, m->from.tag);
}

static void on_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct phone *p = ctx;
    struct phone_call *c = m->to.tag.len ? find(p, m) : NULL;

    if (c)
        phone_in_dialog(c, s, m, from);
    else if (m->to.tag.len)
        server_reply_plain(s, 481);
    else if (m->method == SIP_INVITE)
        phone_incoming(p, s, m, from);
    else
        server_reply_plain(s, m->method == SIP_OPTIONS || m->method == SIP_NOTIFY || m->method == SIP_MESSAGE ? 200 : 405);
}

static void on_cancelled(void *ctx, struct server_transaction *s, const struct sip_message *cancel)
{
    struct phone_call *c = call_of(server_owner(s));

    (void)ctx, (void)cancel;
    if (c)
        phone_call_cancelled(c);
}

static void on_ack(void *ctx, const struct sip_message *ack, const struct hop *from)
{
    struct phone_call *c = ack->to.tag.len ? find(ctx, ack) : NULL;

    (void)from;
    if (c)
        phone_call_acked(c, ack);
}

static void on_response(void *ctx, struct client_transaction *t, const struct sip_message *m, const struct hop *from)
{
    struct phone_call *c = call_of(client_owner(t));

    if (c)
        phone_call_response(c, t, m, from);
    else if (client_owner(t) == ctx)
        phone_registered(ctx, m);
}

static void on_failed(void *ctx, struct client_transaction *t, enum endpoint_failure why)
{
    struct phone_call *c = call_of(client_owner(t));

    (void)why;
    if (c)
        phone_call_failed(c, t);
    else if (client_owner(t) == ctx)
        phone_registered(ctx, NULL);
}

static void on_server_ended(void *ctx, struct server_transaction *s)
{
    struct phone_call *c = call_of(server_owner(s));

    (void)ctx;
    if (!c)
        return;
    if (c->invite == s)
        c->invite = NULL;
    if (c->repeated == s)
        c->repeated = NULL;
    phone_call_let_go(c);
}

static void on_client_ended(void *ctx, struct client_transaction *t)
{
    struct phone_call *c = call_of(client_owner(t));

    (void)ctx;
    if (!c)
        return;
    if (c->asked == t)
        c->asked = NULL;
    if (c->offer == t)
        c->offer = NULL;
    phone_call_let_go(c);
}

/* ---- life ---- */

static slice name_addr(struct arena *arena, slice display, slice user, slice domain)
{
    struct out o;
    slice kept = { 0 };

    out_init_memory(&o, 4096);
    if (display.len) {
        out_char(&o, '"');
        sip_build_text(&o, display);
        out_text(&o, SLICE("\" "));
    }
    out_text(&o, SLICE("<sip:"));
    sip_build_text(&o, user);
    out_char(&o, '@');
    sip_build_text(&o, domain);
    out_char(&o, '>');
    if (!o.error)
        kept = arena_slice(arena, out_taken(&o));
    out_done(&o);
    return kept;
}

static bool registration_begin(struct phone *p)
{
    struct dialog *d = &p->registration;
    char token[ENDPOINT_TOKEN_LEN + 1];
    char target[4 + 256];

    if (p->settings.domain.len > 255)
        return false;
    memcpy(target, "sip:", 4);
    memcpy(target + 4, p->settings.domain.ptr, p->settings.domain.len);
    endpoint_token(p->endpoint, token);
    d->call_id = arena_slice(&p->arena, slice_of_string(token));
    endpoint_token(p->endpoint, token);
    d->local_tag = arena_slice(&p->arena, slice_of_string(token));
    d->local = d->remote = name_addr(&p->arena, p->settings.display, p->settings.user, p->settings.domain);
    d->target = arena_slice(&p->arena, slice_of(target, 4 + p->settings.domain.len));
    d->hop = p->settings.server;
    return d->call_id.ptr && d->local_tag.ptr && d->local.ptr && d->target.ptr;
}

struct phone *phone_new(const struct phone_settings *settings, const struct hop_sender *sender,
                        const struct phone_owner *owner, int64_t now_ns)
{
    struct phone *p = calloc(1, sizeof *p);
    struct endpoint_user user = { .ctx = p, .request = on_request, .cancelled = on_cancelled, .acknowledged = on_ack,
                                  .response = on_response, .failed = on_failed, .server_ended = on_server_ended,
                                  .client_ended = on_client_ended };

    if (!p)
        return NULL;
    p->settings = *settings;
    p->owner = *owner;
    list_init(&p->calls);
    wheel_init(&p->wheel, now_ns);
    wheel_init(&p->sessions, now_ns);
    p->endpoint = endpoint_new(&settings->endpoint, sender, &user, now_ns);
    p->digest = digest_new();
    if (map_init(&p->tags, 16) != 0 || !p->endpoint || !p->digest || !registration_begin(p))
        return phone_free(p);
    return p;
}

struct phone *phone_free(struct phone *p)
{
    if (!p)
        return NULL;
    while (!list_is_empty(&p->calls))
        phone_call_free(list_item(p->calls.next, struct phone_call, in_all));
    map_done(&p->tags);
    endpoint_free(p->endpoint);
    digest_free(p->digest);
    arena_done(&p->arena);
    free(p);
    return NULL;
}

/* ---- what comes ---- */

void phone_receive(struct phone *p, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    endpoint_receive(p->endpoint, from, m, now_ns);
}

void phone_lost(struct phone *p, const struct hop *hop, int64_t now_ns) { endpoint_hop_lost(p->endpoint, hop, now_ns); }

void phone_time(struct phone *p, int64_t now_ns)
{
    struct wheel_timer *t;

    endpoint_time(p->endpoint, now_ns);
    while ((t = wheel_due(&p->wheel, now_ns)))
        phone_call_due(wheel_item(t, struct phone_call, timer));
    while ((t = wheel_due(&p->sessions, now_ns)))
        phone_session_due(wheel_item(t, struct phone_call, session_timer));
}

int64_t phone_next_ns(const struct phone *p)
{
    int64_t a = endpoint_next_ns(p->endpoint), b = wheel_next_ns(&p->wheel), c = wheel_next_ns(&p->sessions);

    a = a < b ? a : b;
    return a < c ? a : c;
}

size_t phone_calls(const struct phone *p) { return p->call_count; }
uint64_t phone_resent(const struct phone *p) { return endpoint_counts(p->endpoint)->resent; }
size_t phone_transactions(const struct phone *p) { return endpoint_live(p->endpoint); }
