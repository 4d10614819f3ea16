/* switch/worker.h - one worker's whole switch: guard, checks of requests, registrar, calls.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Joins what stands in this folder; still no socket, file or clock. Bytes and the time come in,
 * messages leave by the hop_sender. Workers share what never changes (the plan), and struct
 * worker_shared; each has all contacts, but changes those of its own addresses-of-record only.
 *
 *     struct worker *w = worker_new(&settings, &sender, now_ns);
 *     worker_receive(w, &hop, bytes, now_ns);  worker_lost(w, &hop, now_ns);
 *     worker_time(w, now_ns);                        // when worker_next_ns says so
 *
 * What a request gets that is not one of a call or a registration: server.md of the facts, 2.1;
 * checks.h has them in their order. */
#ifndef SWITCH_WORKER_H
#define SWITCH_WORKER_H

#include "switch/b2bua.h"
#include "switch/bindings.h"
#include "switch/gateways.h"
#include "switch/guard.h"
#include "switch/plan.h"
#include "switch/registrar.h"
#include "switch/steer.h"

/* Each message as it comes or goes, before anything is done about it; and which dialogs are one
 * call, after the INVITE of the further one was told. Any may be NULL. */
struct worker_observer {
    void *ctx;
    void (*message)(void *ctx, const struct hop *hop, bool sent, slice bytes, int64_t now_ns);
    void (*joined)(void *ctx, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further);
};

/* What the workers of one server have together: who is banned, and how many calls there are. Each
 * has its own lock inside, when there are several threads. */
struct worker_shared {
    const struct steer *steer;       /* an address-of-record is pinged by its owner */
    struct guard *guard;             /* NULL: this worker makes it, for all */
    struct lock   guard_lock;
    struct tally *lines, *trunks;    /* calls of users and in all; calls of gateways */
    void *ctx;
    /* A REGISTER whose alias stands for a user of another worker, a CANCEL that went astray (steer.h). False: it has
     * been at all of them. */
    bool (*pass_on)(void *ctx, unsigned to, const struct hop *from, slice bytes);
    /* gateways.h */
    void (*learned)(void *ctx, slice name, const struct hop *hop, enum gateway_life life, int64_t retry_after_ns);
};

struct worker_settings {
    const struct plan  *plan;        /* and by it the configuration; both are borrowed until worker_set, or for its life */
    const struct users *users;
    struct hash_seed    seed;        /* secret */
    struct digest_key   key;         /* secret: nonces */
    uint8_t             number;      /* 0 to 31 */
    unsigned            shares;      /* workers that calls.rate and overload.memory_max are divided among; 0: one */
    struct worker_shared shared;     /* all of it outlives the worker; zero: there is one */
    void *gateways_ctx;              /* of gateways_locate: gateways.h; both may be NULL */
    void (*gateways_locate)(void *ctx, slice uri, uint16_t index);
    struct worker_observer observer;
    struct media_sender media;       /* to the media relay, when the configuration wants one */
};

/* Media relays in its life, each with another ctx of its media_sender. */
enum { WORKER_RELAYS_MAX = 8 };

struct worker_counts {
    uint64_t received, not_sip, dropped, refused_by_checks;
    uint64_t overloaded;             /* calls refused: memory, waiting time or rate */
};

struct worker;
struct worker *worker_new(const struct worker_settings *settings, const struct hop_sender *sender, int64_t now_ns);
struct worker *worker_free(struct worker *w);

/* Another plan, and by it another configuration, from the next message on. Nothing of the old ones is borrowed
 * any more when this returns 0: they may be freed. Calls, registrations, transactions, bans and contacts stay;
 * gateways as in gateways.h, whose passwords the caller reads again (by gateways_number). Calls that are there
 * keep the media relay that they began with, or their being without one; those that begin go by `media`
 * (NULL: that of before), when the configuration wants one. -ENOMEM, or -ENOSPC (gateways.h; more relays than
 * WORKER_RELAYS_MAX): all is as before. Not from within a callback. */
int worker_set(struct worker *w, const struct plan *plan, const struct media_sender *media, int64_t now_ns);

void    worker_receive(struct worker *w, const struct hop *from, slice bytes, int64_t now_ns);
/* The same for what another worker had, and passed on. */
void    worker_receive_passed(struct worker *w, const struct hop *from, slice bytes, int64_t now_ns);
/* How long the message of the next worker_receive has waited for it. */
void    worker_waited(struct worker *w, int64_t waited_ns);
void    worker_lost(struct worker *w, const struct hop *hop, int64_t now_ns);
/* From the media relay that is reached by the media_sender with this ctx. */
void    worker_media(struct worker *w, const void *sender, slice bytes, int64_t now_ns);
void    worker_media_lost(struct worker *w, const void *sender, int64_t now_ns);
void    worker_time(struct worker *w, int64_t now_ns);
int64_t worker_next_ns(const struct worker *w);

/* New calls and registrations get 503 from now on; what is there goes on. */
void worker_drain(struct worker *w, bool on);
void worker_hang_up_all(struct worker *w, slice reason);

/* From within its bindings: they change by a REGISTER, perhaps of another worker's user: one whose alias is a name, too. */
bool worker_registers(const struct worker *w);
struct bindings            *worker_bindings(struct worker *w);
const struct worker_counts *worker_counts(const struct worker *w);
const struct b2bua_counts  *worker_calls(const struct worker *w);
const struct registrar_counts *worker_registrar_counts(const struct worker *w);
const struct endpoint_counts  *worker_endpoint_counts(const struct worker *w);
const struct media_relay_counts     *worker_media_counts(const struct worker *w);    /* NULL: media are passed through now */
struct guard               *worker_guard(struct worker *w);
/* To bring passwords and places, and to look at. Worker 0 registers and pings for all. */
struct gateways            *worker_gateways(struct worker *w);
size_t                      worker_transactions(const struct worker *w);

#endif
