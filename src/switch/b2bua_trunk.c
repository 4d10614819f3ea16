/* switch/b2bua_trunk.c - what is different with gateways: room, fail-over, credentials
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/values.h"
#include "switch/b2bua_int.h"

const slice trunk_phrase = SLICE_INIT("Gateway Refused Our Credentials");

/* ---- room, and what became of it ---- */

bool trunk_take(struct branch *branch, const struct route_target *target)
{
    const struct router *router = &branch->call->b2bua->router;

    if (!target->gateway || !router->take)
        return true;
    branch->taken = router->take(router->ctx, target);
    return branch->taken;
}

void trunk_leave(struct branch *branch)
{
    const struct router *router = &branch->call->b2bua->router;

    if (branch->taken)
        router->leave(router->ctx, branch->trunk);
    branch->taken = false;
}

static struct route_outcome outcome_of(const struct branch *branch)
{
    return (struct route_outcome){ .status = branch->local ? branch->local : branch->status, .local = branch->local != 0,
                                   .rang = branch->rang };
}

/* What we ended ourselves says nothing about the gateway. */
void trunk_heard(struct branch *branch, const struct sip_message *m)
{
    const struct router *router = &branch->call->b2bua->router;
    const struct sip_header *h = m ? sip_header_find(m, SIP_H_RETRY_AFTER) : NULL;
    struct route_outcome outcome = outcome_of(branch);
    struct sip_retry_after after;

    if (!branch->gateway || !router->heard || branch->given_up || (branch->call->cancelled && branch->local == 408))
        return;
    if (h && sip_retry_after_parse(h->value, &after))
        outcome.retry_after_ns = (int64_t)after.after_s * 1000000000;
    router->heard(router->ctx, branch->trunk, &branch->asked.hop, &outcome);
}

static bool is_next(const struct branch *branch, const struct route_target *candidate)
{
    const struct router *router = &branch->call->b2bua->router;
    struct route_outcome outcome = outcome_of(branch);

    if (router->next)
        return router->next(router->ctx, branch->trunk, &outcome, candidate);
    return !outcome.rang && (outcome.local || outcome.status == 500 || (outcome.status >= 502 && outcome.status <= 504));
}

bool trunk_would_go_on(struct branch *branch)
{
    uint16_t kept = branch->local;
    bool any = false;

    branch->local = 408;
    for (size_t i = 0; i < branch->call->setup->target_count && !any; i++)
        any = is_next(branch, &branch->call->setup->targets[i]);
    branch->local = kept;
    return any;
}

bool trunk_goes_on(struct branch *branch)
{
    struct call_setup *setup = branch->call->setup;
    size_t left = 0;

    for (size_t i = 0; i < setup->target_count; i++)
        if (is_next(branch, &setup->targets[i]))
            setup->targets[left++] = setup->targets[i];
    setup->target_count = left;
    return left != 0;
}

/* ---- credentials ---- */

static bool is_challenge(unsigned status) { return status == 401 || status == 407; }

unsigned trunk_status(const struct branch *branch, unsigned status)
{
    return branch->gateway && is_challenge(status) ? 403 : status;
}

bool trunk_of(const struct leg *leg, uint16_t *ret)
{
    *ret = leg->branch ? leg->branch->trunk : leg->call->caller_trunk;
    return leg->branch ? leg->branch->gateway : leg->call->by_gateway;
}

bool trunk_refused(const struct leg *leg, unsigned status)
{
    uint16_t trunk;

    return is_challenge(status) && trunk_of(leg, &trunk);
}

/* The request of *t once more, under the next CSeq of its dialog. */
static bool again(struct b2bua *b, uint16_t trunk, struct client_transaction **t, struct dialog *d, const struct sip_message *m)
{
    const struct router *router = &b->router;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message request;
    struct client_transaction *new;

    out_clear(&b->scratch);
    if (!*t || !router->credentials || !client_request_of(*t, room, ARRAY_LEN(room), &request) ||
        !router->credentials(router->ctx, trunk, m, &request, &b->scratch) || b->scratch.error)
        return false;
    new = client_request_again(*t, d->local_cseq + 1, out_taken(&b->scratch));
    if (!new)
        return false;
    *t = new;
    d->local_cseq++;
    b->counts.challenged++;
    return true;
}

/* Once; and not after a 1xx with a tag: those early dialogs have used the numbers that follow. */
bool trunk_invite_again(struct branch *branch, const struct sip_message *m)
{
    struct b2bua_call *c = branch->call;

    if (!branch->gateway || !is_challenge(m->status) || branch->challenged || branch->over || c->cancelled ||
        c->phase != CALL_SETUP || !list_is_empty(&branch->legs))
        return false;
    branch->challenged = again(c->b2bua, branch->trunk, &branch->invite, &branch->asked, m);
    return branch->challenged;
}

bool trunk_relay_again(struct relay *r, const struct sip_message *m)
{
    uint16_t trunk;

    if (!is_challenge(m->status) || r->challenged || r->cancelled || !trunk_of(r->to, &trunk))
        return false;
    r->challenged = again(r->call->b2bua, trunk, &r->client, &r->to->dialog, m);
    if (r->challenged && r->method == SIP_INVITE)
        r->to->invite_cseq_out = r->cseq_out = r->to->dialog.local_cseq;
    return r->challenged;
}
