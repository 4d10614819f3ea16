/* switch/worker_set.c - another configuration for a worker that is at work
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/worker_int.h"

#include <errno.h>

/* What can fail comes first, and leaves nothing behind but a relay that nobody asks; what can fail and
 * changes something is the last of it. */
int worker_set(struct worker *w, const struct plan *plan, const struct media_sender *media, int64_t now_ns)
{
    const struct config *c = plan_config(plan);
    const struct media_sender *sender = media ? media : &w->settings.media;
    struct media_relay *relay;
    struct worker_own own;
    int error;

    endpoint_time(w->endpoint, now_ns);
    if (!worker_make_media(w, c, sender, now_ns, &relay))
        return w->relay_count == WORKER_RELAYS_MAX ? -ENOSPC : -ENOMEM;
    if (!worker_own_make(c, &own))
        return -ENOMEM;
    error = gateways_set(w->gateways, c, b2bua_sets_seen(w->b2bua));
    if (error) {
        worker_own_done(&own);
        return error;
    }
    w->media = relay;
    w->settings.media = *sender;
    w->settings.plan = plan;
    w->caller = (struct worker_caller){ .kind = PLAN_BY_STRANGER };        /* knew places of the old one */

    struct registrar_settings rs = worker_registrar_settings(c, &own);
    struct guard_settings gs = worker_guard_settings(w, c, &own);
    struct authenticate_settings as = worker_authenticate_settings(w, c);
    struct bindings_settings bs = worker_bindings_settings(w, c);
    struct b2bua_settings calls = worker_b2bua_settings(w, c, &own);

    endpoint_set(w->endpoint, &c->timers.times, c->overload.transactions_max);
    endpoint_advertise(w->endpoint, own.advertised, c->listen_count);
    overload_set(&w->overload, worker_overload_settings(w, c));
    registrar_set(w->registrar, &rs);
    if (w->own_guard)
        guard_set(w->own_guard, &gs);
    authenticator_set(w->authenticator, &as);
    bindings_set(w->bindings, &bs, now_ns);
    b2bua_set(w->b2bua, &calls);                          /* after the endpoint, whose times it takes */
    worker_own_done(&w->own);
    w->own = own;
    return 0;
}
