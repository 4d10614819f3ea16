/* diagnose/suspects.c - see suspects.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/suspects.h"

#include "diagnose/builder.h"

#define SWEEP_USERS 8u               /* OPTIONS to so many users or more, and not one phone of its own */

/* What it did in calls and registrations is told with these. */
static bool is_told_elsewhere(const struct history_host *h)
{
    return h->requests[SIP_INVITE] || h->requests[SIP_REGISTER];
}

static bool is_suspect(const struct history_host *h)
{
    return h->scanner || (h->requests[SIP_OPTIONS] >= SWEEP_USERS && h->users >= SWEEP_USERS && !h->answers);
}

static void fill(const struct history_host *h, struct candidate *c)
{
    *c = (struct candidate){ .cause = CAUSE_SCANNER, .certainty = h->scanner ? VERDICT_SURE : VERDICT_LIKELY };
    prove_frame(c, h->first_frame, SLICE("OPTIONS"));
    say_host(c, "address", &h->address);
    if (h->scanner)
        say_text(c, "agent", diagnose_scanner_name(h->scanner));
    say_number(c, "count", h->requests[SIP_OPTIONS]);
}

struct telling {
    suspect_fn *tell;
    void       *ctx;
};

static void look(void *ctx, const struct history_host *h)
{
    const struct telling *t = ctx;
    struct call_verdicts verdicts = {0};
    struct arena arena = {0};
    struct candidate c;

    if (is_told_elsewhere(h) || !is_suspect(h))
        return;
    fill(h, &c);
    if (candidate_write(&c, NULL, &arena, &verdicts.cause))
        t->tell(t->ctx, &(struct suspect){ h->address, h->first_ns, h->last_ns, h->requests[SIP_OPTIONS], &verdicts });
    arena_done(&arena);
}

void diagnose_suspects(const struct diagnose_history *h, suspect_fn *tell, void *ctx)
{
    struct telling t = { tell, ctx };

    diagnose_history_hosts(h, look, &t);
}
