/* switch/worker_limits.c - what the configuration makes of limits, and what we are called
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/worker_int.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND_NS 1000000000ll

struct overload_settings worker_overload_settings(const struct worker *w, const struct config *c)
{
    unsigned shares = w->settings.shares ? w->settings.shares : 1;

    return (struct overload_settings){ .rate_count = c->calls.rate.count, .rate_per_ns = c->calls.rate.per_ns * shares,
                                       .memory_bytes_max = c->overload.memory_bytes_max / shares,
                                       .delay_max_ns = c->overload.delay_max_ns };
}

static uint32_t rate_per_s(const struct config_rate *rate)
{
    int64_t per_s = (int64_t)rate->count * SECOND_NS / rate->per_ns;

    return per_s > 0 ? (uint32_t)per_s : 1;
}

/* A wrong password weighs four points. So many in one time ban; half of that makes it wait, and
 * decays in that time. */
struct guard_settings worker_guard_settings(const struct worker *w, const struct config *c, const struct worker_own *own)
{
    enum { NO_LIMIT = 1 << 20 };
    const struct config_security *s = &c->security;
    uint32_t points = s->failures.count ? s->failures.count * 4 : 4 * NO_LIMIT;

    return (struct guard_settings){
        .seed = w->settings.seed, .lock = w->settings.shared.guard_lock, .sources_max = 0, .bans_max = s->bans_max,
        .rate_per_s = s->requests.count ? rate_per_s(&s->requests) : NO_LIMIT,
        .faults_ban = points, .faults_drop = points / 2, .window_ns = s->failures.count ? s->failures.per_ns : 0,
        .ban_first_ns = s->ban_ns, .no_bans = s->ban_ns == 0,
        .allowed = own->allowed, .allowed_count = own->allowed_count,
        .scanners = s->user_agents.at, .scanner_count = s->user_agents.count,
    };
}

uint64_t worker_memory_bytes(const struct worker *w)
{
    return endpoint_memory_bytes(w->endpoint) + b2bua_memory_bytes(w->b2bua) + bindings_memory_bytes(w->bindings);
}

/* A listener without a port of its own in `advertise` is known by the one that it listens on. */
static size_t write_advertised(const struct config_listen *l, char *room, size_t len)
{
    bool is_v6 = slice_find_char(l->advertise.host, ':') >= 0;
    unsigned port = l->advertise.port ? l->advertise.port : l->address.port;
    int written = snprintf(room, len, is_v6 ? "[" SLICE_FMT "]:%u" : SLICE_FMT ":%u", SLICE_ARG(l->advertise.host), port);

    return written > 0 && (size_t)written < len ? (size_t)written : 0;
}

bool worker_make_advertised(const struct config *c, struct worker_own *own)
{
    enum { HOST_ROOM = 256 + 16 };
    char *texts;

    own->advertised = calloc(c->listen_count, sizeof *own->advertised + HOST_ROOM);
    if (!own->advertised)
        return false;
    texts = (char *)(own->advertised + c->listen_count);
    for (size_t i = 0; i < c->listen_count; i++) {
        char *text = texts + i * HOST_ROOM;

        own->advertised[i] = (struct endpoint_advertised){
            .local = c->listens[i].address, .transport = config_wire((enum config_transport)c->listens[i].transport),
        };
        if (c->listens[i].advertise.host.len)
            own->advertised[i].text = slice_of(text, write_advertised(&c->listens[i], text, HOST_ROOM));
    }
    return true;
}
