/* switch/worker_int.h - what the two files of the worker share. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_WORKER_INT_H
#define SWITCH_WORKER_INT_H

#include "switch/worker.h"

/* Who asks, as found out before the call is begun. */
struct worker_caller {
    enum plan_caller kind;
    uint16_t         gateway;
    unsigned         flags;          /* of a user */
    slice            name, domain, display;               /* of a user; borrowed */
};

struct worker {
    struct worker_settings settings;
    struct worker_counts   counts;
    struct endpoint       *endpoint;
    struct guard          *guard;
    struct authenticator  *authenticator;
    struct bindings       *bindings;
    struct registrar      *registrar;
    struct b2bua          *b2bua;
    struct media_relay    *media;    /* NULL: SDP passes as it is */
    struct gateways       *gateways;
    struct worker_caller   caller;   /* of the INVITE that is being handled */
    struct out             headers, texts;                /* of an answer; of a route */
    struct hop             lost;     /* told with the next round: never from within a send */
    struct registrar_domain *domains;
    struct guard_net      *allowed;
    uint64_t               random;
    bool                   drains;
};

/* ---- worker_route.c ---- */
void worker_route(void *ctx, const struct route_question *question, struct route *ret);

/* ---- worker_gateways.c: what the b2bua asks and tells of them ---- */
struct router worker_router(struct worker *w);
uint64_t worker_random(struct worker *w);

#endif
