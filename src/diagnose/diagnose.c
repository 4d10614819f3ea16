/* diagnose/diagnose.c - see diagnose.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/diagnose.h"

#include "diagnose/rules.h"

/* In the record's arena, once: a leg that is diagnosed again keeps what it has. */
static bool write_findings(const struct casefile *k, const struct candidates *found, int main_at,
                           struct arena *a, struct call_verdicts *v)
{
    size_t count = found->count - (main_at >= 0);
    size_t kept = count < VERDICT_FINDINGS_MAX ? count : VERDICT_FINDINGS_MAX;
    size_t beyond = count - kept + found->beyond;

    if (kept && !(v->findings = arena_zalloc(a, kept * sizeof *v->findings)))
        return false;
    for (size_t i = 0; i < found->count && v->finding_count < kept; i++)
        if ((int)i != main_at && !candidate_write(&found->all[i], k, a, &v->findings[v->finding_count++]))
            return false;
    v->findings_beyond = (uint8_t)(beyond < UINT8_MAX ? beyond : UINT8_MAX);
    return true;
}

/* An offer names all that a phone can, an answer what it chose: once is enough for each. */
static void teach_codecs(const struct casefile *k, struct diagnose_history *h)
{
    const struct history_host *callee = diagnose_history_host(h, case_server(k));

    if ((k->facts->sdp[0].flags & CALL_SDP_OFFER) && k->asker && !k->asker->codecs_offered)
        diagnose_history_learn_codecs(h, &k->call->caller_addr, case_codecs(k, false), true);
    if ((k->marks & (K_ANSWER_SDP | K_ANSWERED)) == (K_ANSWER_SDP | K_ANSWERED) && callee && !callee->codecs[0])
        diagnose_history_learn_codecs(h, case_server(k), case_codecs(k, true), false);
}

/* What this call can tell later ones. */
static void teach(const struct casefile *k)
{
    struct diagnose_history *h = k->context->history;

    if (!h)
        return;
    teach_codecs(k, h);
    if (k->talk_ns >= 60 * SECOND_NS && k->call->bye_ns)
        diagnose_history_length(h, k->talk_ns);
}

static void diagnose_leg(struct call *const *legs, size_t count, size_t index,
                         const struct diagnose_context *context)
{
    struct call *c = legs[index];
    struct candidates found;
    struct casefile k;
    struct call_verdicts *v;

    if (c->verdicts || c->state == CALL_NOT_FOLLOWED)
        return;
    found.count = found.beyond = 0;
    case_open(&k, legs, count, index, context);
    rules_ask(&k, &found);
    int main_at = rank(&found);

    teach(&k);
    if (!(v = arena_zalloc(&c->arena, sizeof *v)))
        return;
    if (main_at >= 0 && !candidate_write(&found.all[main_at], &k, &c->arena, &v->cause))
        return;
    if (write_findings(&k, &found, main_at, &c->arena, v))
        c->verdicts = v;
}

void diagnose_session(struct call *const *legs, size_t count, const struct diagnose_context *context)
{
    for (size_t i = 0; i < count; i++)
        diagnose_leg(legs, count, i, context);
}
