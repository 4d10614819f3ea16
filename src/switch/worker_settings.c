/* switch/worker_settings.c - what a configuration means to each part of a worker
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/worker_int.h"

#include <stdlib.h>

#define SECOND_NS 1000000000ll

/* ---- what is made of it ---- */

/* Our domains; without any in the configuration, the addresses that we listen on. */
static bool make_domains(const struct config *c, struct worker_own *own)
{
    size_t count = c->server.domains.count ? c->server.domains.count : c->listen_count, alias_count = c->listen_count;
    char *texts;
    slice *aliases;

    own->domains = calloc(count + 1, sizeof *own->domains + c->listen_count * (2 * sizeof(slice) + ADDRESS_TEXT_MAX));
    if (!own->domains)
        return false;
    aliases = (slice *)(void *)(own->domains + count);
    texts = (char *)(aliases + 2 * c->listen_count);
    for (size_t i = 0; i < c->listen_count; i++) {
        char *text = texts + i * ADDRESS_TEXT_MAX;

        aliases[i] = slice_of(text, address_format_ip(&c->listens[i].address, text));
        if (c->listens[i].advertise.host.len)
            aliases[alias_count++] = c->listens[i].advertise.host;
    }
    for (size_t i = 0; i < count; i++)
        own->domains[i] = (struct registrar_domain){ .name = c->server.domains.count ? c->server.domains.at[i] : aliases[i] };
    own->domain_count = c->server.domains.count ? count : 1;
    own->domains[0].aliases = aliases;
    own->domains[0].alias_count = alias_count;
    return true;
}

/* Never limited, never banned: what [security] allows, and whence gateways call, as the plan knows them by it. */
static bool make_allowed(const struct config *c, struct worker_own *own)
{
    size_t most = c->security.allow.count, n = 0;

    for (size_t i = 0; i < c->gateway_count; i++)
        most += c->gateways[i].allow_from.count + 1;
    own->allowed = calloc(most + 1, sizeof *own->allowed);
    for (size_t i = 0; own->allowed && i < c->security.allow.count; i++)
        own->allowed[n++] = (struct guard_net){ c->security.allow.at[i].ip, c->security.allow.at[i].bits };
    for (size_t i = 0; own->allowed && i < c->gateway_count; i++) {
        const struct config_gateway *g = &c->gateways[i];

        for (size_t k = 0; k < g->allow_from.count; k++)
            own->allowed[n++] = (struct guard_net){ g->allow_from.at[k].ip, g->allow_from.at[k].bits };
        if (g->allow_from.count == 0 && g->host.address.family)
            own->allowed[n++] = (struct guard_net){ g->host.address, g->host.address.family == 4 ? 32 : 128 };
    }
    own->allowed_count = n;
    return own->allowed != NULL;
}

bool worker_own_make(const struct config *c, struct worker_own *ret)
{
    struct worker_own own = { .server = malloc(c->server.name.len + 1) };

    if (!own.server || !make_domains(c, &own) || !make_allowed(c, &own) || !worker_make_advertised(c, &own)) {
        worker_own_done(&own);
        return false;
    }
    if (c->server.name.len)
        memcpy(own.server, c->server.name.ptr, c->server.name.len);
    *ret = own;
    return true;
}

void worker_own_done(struct worker_own *own)
{
    free(own->domains);
    free(own->allowed);
    free(own->server);
    free(own->advertised);
    *own = (struct worker_own){ 0 };
}

/* ---- the media relay ---- */

/* Without a way to it, it is a relay that does not answer. */
static void send_nowhere(void *ctx, slice bytes) { (void)ctx, (void)bytes; }

struct media_relay *worker_relay_of(const struct worker *w, const void *sender)
{
    for (size_t i = 0; i < w->relay_count; i++)
        if (w->relays[i].sender == sender)
            return w->relays[i].media;
    return NULL;
}

bool worker_make_media(struct worker *w, const struct config *c, const struct media_sender *sender, int64_t now_ns,
                       struct media_relay **ret)
{
    static const struct media_sender nowhere = { NULL, send_nowhere };
    struct media_relay_settings settings = { .seed = w->settings.seed };
    struct media_relay *media;

    *ret = NULL;
    if (c->media.mode != CONFIG_MEDIA_ANCHOR)
        return true;
    if (!sender->send)
        sender = &nowhere;
    *ret = worker_relay_of(w, sender->ctx);
    if (*ret)
        return true;
    settings.seed.k1 ^= w->settings.number + 1;           /* each worker has its own cookies, for each relay */
    settings.seed.k0 ^= w->relay_count;
    media = w->relay_count < WORKER_RELAYS_MAX ? media_relay_new(&settings, sender, now_ns) : NULL;
    if (media)
        w->relays[w->relay_count++] = (struct worker_relay){ sender->ctx, media };
    *ret = media;
    return media != NULL;
}

/* ---- settings ---- */

struct registrar_settings worker_registrar_settings(const struct config *c, const struct worker_own *own)
{
    return (struct registrar_settings){
        .domains = own->domains, .domain_count = own->domain_count,
        .expires_default_s = (uint32_t)(c->registrar.expires_ns / SECOND_NS),
        .expires_min_s = (uint32_t)(c->registrar.expires_min_ns / SECOND_NS),
        .expires_max_s = (uint32_t)(c->registrar.expires_max_ns / SECOND_NS),
        .contacts_max = c->registrar.contacts_max,
        .nat = c->registrar.nat ? REGISTRAR_NAT_DETECT : REGISTRAR_NAT_NEVER,
        .flow_timer_s = (uint32_t)(c->registrar.flow_timer_ns / SECOND_NS),
        .ping_failures_max = c->registrar.ping_failures, .no_path = !c->registrar.path, .no_outbound = !c->registrar.outbound,
    };
}

struct authenticate_settings worker_authenticate_settings(const struct worker *w, const struct config *c)
{
    struct authenticate_settings as = { .key = w->settings.key, .worker = w->settings.number,
                                        .nonce_life_s = (uint32_t)(c->registrar.nonce_life_ns / SECOND_NS),
                                        .offered_count = c->registrar.algorithms.count };

    for (unsigned i = 0; i < as.offered_count && i < DIGEST_ALGORITHMS; i++)
        as.offered[i] = (enum digest_algorithm)c->registrar.algorithms.at[i];
    return as;
}

static bool is_pinged_here(void *ctx, slice key)
{
    const struct worker *w = ctx;

    return !w->settings.shared.steer || steer_aor(w->settings.shared.steer, key) == w->settings.number;
}

struct bindings_settings worker_bindings_settings(const struct worker *w, const struct config *c)
{
    return (struct bindings_settings){ .seed = w->settings.seed,
                                       .ping = c->registrar.ping_ns ? BINDINGS_PING_BY_HOP : BINDINGS_PING_NONE,
                                       .ping_every_ns = c->registrar.ping_ns, .ctx = (void *)(uintptr_t)w,
                                       .is_pinged_here = is_pinged_here };
}

static const uint8_t session_timers[] = {
    [CONFIG_TIMER_OFF] = B2BUA_TIMER_THROUGH, [CONFIG_TIMER_ANSWER] = B2BUA_TIMER_ANSWER,
    [CONFIG_TIMER_ASK] = B2BUA_TIMER_ASK,     [CONFIG_TIMER_DEMAND] = B2BUA_TIMER_DEMAND,
};
static const uint8_t preconditions[] = {
    [CONFIG_PRECONDITION_OFF] = B2BUA_PRECONDITIONS_OFF, [CONFIG_PRECONDITION_THROUGH] = B2BUA_PRECONDITIONS_THROUGH,
    [CONFIG_PRECONDITION_ACT] = B2BUA_PRECONDITIONS_ACT,
};

uint8_t worker_reliable(uint8_t mode)
{
    static const uint8_t modes[] = {
        [CONFIG_100REL_OFF] = B2BUA_RELIABLE_OFF,         [CONFIG_100REL_LEG] = B2BUA_RELIABLE_LEG,
        [CONFIG_100REL_THROUGH] = B2BUA_RELIABLE_THROUGH, [CONFIG_100REL_DEMAND] = B2BUA_RELIABLE_DEMAND,
    };

    return modes[mode];
}

struct b2bua_settings worker_b2bua_settings(const struct worker *w, const struct config *c, const struct worker_own *own)
{
    static const uint16_t disturb[] = { [CONFIG_DISTURB_480] = 480, [CONFIG_DISTURB_486] = 486, [CONFIG_DISTURB_603] = 603 };

    return (struct b2bua_settings){
        .seed = w->settings.seed, .calls_max = c->calls.calls_max, .user_calls_max = c->calls.user_calls_max,
        .lines = w->settings.shared.lines,
        .no_answer_ns = c->timers.no_answer_ns, .ring_ns = c->timers.ring_ns, .proceeding_ns = c->timers.proceeding_ns,
        .duration_max_ns = c->calls.duration_max_ns, .diversions_max = c->calls.diversions_max,
        .forks_max = c->calls.forks_max, .global_codes = c->calls.global_codes,
        .follow_redirects = c->calls.redirects == CONFIG_REDIRECTS_FOLLOW,
        .do_not_disturb = disturb[c->calls.do_not_disturb], .forwards_max = c->calls.forwards_max,
        .silent_forwards = !c->calls.tell_forwarded, .no_reason = !c->calls.reason, .no_privacy = !c->calls.privacy,
        .codecs = { c->media.codecs.at, c->media.codecs.count },
        .server = slice_of(own->server, c->server.name.len), .media = w->media,
        .media_required = c->media.relay == CONFIG_RELAY_REQUIRE,
        .queue_ns = c->calls.queue_ns, .observer = { w->settings.observer.ctx, w->settings.observer.joined },
        .session_timer = session_timers[c->calls.session_timer], .reliable = worker_reliable(c->calls.reliable),
        .preconditions = preconditions[c->calls.preconditions], .transfer = (enum b2bua_transfer)c->calls.transfer,
        .session_expires_s = (uint32_t)(c->calls.session_expires_ns / SECOND_NS),
        .session_expires_min_s = (uint32_t)(c->calls.session_expires_min_ns / SECOND_NS),
    };
}
