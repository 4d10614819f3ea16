/* switch/worker_gateways.c - gateways as the back-to-back user agent knows them: trunks
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/worker_int.h"

static bool take(void *ctx, const struct route_target *target)
{
    return gateways_take(((struct worker *)ctx)->gateways, target->trunk, target->anyhow);
}

static void leave(void *ctx, uint16_t trunk) { gateways_leave(((struct worker *)ctx)->gateways, trunk); }

static void heard(void *ctx, uint16_t trunk, const struct hop *hop, const struct route_outcome *o)
{
    gateways_heard(((struct worker *)ctx)->gateways, trunk, hop, o->status, o->local, o->retry_after_ns);
}

/* Another hop of the same gateway is for when this one was silent or is overloaded (RFC 3263,
 * 4.3); another gateway, for what the plan says. */
static bool next(void *ctx, uint16_t trunk, const struct route_outcome *o, const struct route_target *candidate)
{
    const struct worker *w = ctx;
    struct plan_failure failure = { .status = o->status, .local = o->local, .rang = o->rang };

    if (candidate->gateway && candidate->trunk == trunk)
        return !o->rang && (o->local || o->status == 503);
    return plan_fails_over(&gateways_config(w->gateways, trunk)->fail_over, &failure);
}

static bool credentials(void *ctx, uint16_t trunk, const struct sip_message *challenge, const struct sip_message *request,
                        struct out *o)
{
    return gateways_credentials(((struct worker *)ctx)->gateways, trunk, challenge, request, o);
}

static struct sdp_codecs codecs(void *ctx, uint16_t trunk)
{
    const struct config_words *words = &gateways_config(((struct worker *)ctx)->gateways, trunk)->codecs;

    return (struct sdp_codecs){ words->at, words->count };
}

static bool is_urgent(void *ctx, const struct sip_message *invite)
{
    return plan_is_emergency(((struct worker *)ctx)->settings.plan, invite->uri);
}

static uint8_t reliable(void *ctx, uint8_t usual)
{
    const struct worker *w = ctx;

    return w->caller.kind == PLAN_BY_GATEWAY
               ? worker_reliable(plan_config(w->settings.plan)->gateways[w->caller.gateway].reliable) : usual;
}

struct router worker_router(struct worker *w)
{
    return (struct router){ .ctx = w, .route = worker_route, .is_urgent = is_urgent, .reliable = reliable, .taker = worker_taker,
                            .take = take, .leave = leave, .heard = heard, .next = next, .credentials = credentials,
                            .codecs = codecs };
}
