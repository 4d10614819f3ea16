/* switch/worker_int.h - what the two files of the worker share. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_WORKER_INT_H
#define SWITCH_WORKER_INT_H

#include "switch/overload.h"
#include "switch/worker.h"

/* Who asks, as found out before the call is begun. */
struct worker_caller {
    enum plan_caller kind;
    uint16_t         gateway;
    unsigned         flags;          /* of a user */
    slice            name, domain, display;               /* of a user; borrowed */
};

/* What parts borrow of a configuration and is made for them. */
struct worker_own {
    struct registrar_domain *domains;
    size_t                   domain_count;
    struct guard_net        *allowed;
    size_t                   allowed_count;
    char                    *server;
    struct endpoint_advertised *advertised;               /* one for each listener; the texts behind them */
};

struct worker_relay { const void *sender; struct media_relay *media; };    /* sender: the ctx of its media_sender */

struct worker {
    struct worker_settings settings;
    struct worker_counts   counts;
    struct endpoint       *endpoint;
    struct guard          *guard, *own_guard;             /* own NULL: another worker's */
    struct authenticator  *authenticator;
    struct bindings       *bindings;
    struct registrar      *registrar;
    struct b2bua          *b2bua;
    struct media_relay    *media;    /* of calls that begin; NULL: SDP passes as it is */
    struct worker_relay    relays[WORKER_RELAYS_MAX];     /* of all calls */
    size_t                 relay_count;
    struct gateways       *gateways;
    struct worker_caller   caller;   /* of the INVITE that is being handled */
    struct out             headers, texts;                /* of an answer; of a route */
    struct hop             lost;     /* told with the next round: never from within a send */
    struct worker_own      own;
    struct overload_state  overload, emergencies;
    uint64_t               random;
    bool                   drains, registers;
};

/* ---- worker_settings.c: what a configuration means to each part; slices are the configuration's and `own`'s ---- */
bool worker_own_make(const struct config *c, struct worker_own *ret);      /* false: no memory */
void worker_own_done(struct worker_own *own);
/* The relay of calls that begin, made when it is new, and NULL when media pass; false: no memory, or too many. */
bool worker_make_media(struct worker *w, const struct config *c, const struct media_sender *sender, int64_t now_ns,
                       struct media_relay **ret);
struct media_relay *worker_relay_of(const struct worker *w, const void *sender);
struct registrar_settings    worker_registrar_settings(const struct config *c, const struct worker_own *own);
struct authenticate_settings worker_authenticate_settings(const struct worker *w, const struct config *c);
struct bindings_settings     worker_bindings_settings(const struct worker *w, const struct config *c);
uint8_t                      worker_reliable(uint8_t mode);                 /* enum config_reliable as b2bua.h has it */
struct b2bua_settings        worker_b2bua_settings(const struct worker *w, const struct config *c, const struct worker_own *own);

/* ---- worker_route.c ---- */
void worker_route(void *ctx, const struct route_question *question, struct route *ret);
void worker_taker(void *ctx, const struct route_question *question, struct route *ret);

/* ---- worker_limits.c: what the configuration makes of limits, and what we are called ---- */
struct overload_settings worker_overload_settings(const struct worker *w, const struct config *c);
uint64_t worker_memory_bytes(const struct worker *w);
struct guard_settings worker_guard_settings(const struct worker *w, const struct config *c, const struct worker_own *own);
bool worker_make_advertised(const struct config *c, struct worker_own *own);        /* false: no memory */

/* ---- worker_gateways.c: what the b2bua asks and tells of them ---- */
struct router worker_router(struct worker *w);
uint64_t worker_random(struct worker *w);

#endif
