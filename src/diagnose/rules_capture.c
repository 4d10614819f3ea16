/* diagnose/rules_capture.c - what the capture did not see: findings that keep others from being blamed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

static bool one_direction(const struct casefile *k, struct candidate *c)
{
    const uint16_t *methods = k->call->methods;
    bool caller_only = k->from_callee == 0 && (methods[SIP_ACK] || methods[SIP_BYE] || methods[SIP_PRACK] ||
                                               methods[SIP_UPDATE]);
    bool callee_only = k->from_caller == 0 && k->from_callee > 1 && !methods[SIP_BYE];

    if (!caller_only && !callee_only)
        return false;
    prove(c, k->invite);
    prove(c, k->last);
    say_host(c, "address", case_side(k, caller_only));
    return true;
}

static bool started_late(const struct casefile *k, struct candidate *c)
{
    if (k->marks & K_WHOLE)
        return false;
    prove(c, k->call->trace.count ? &k->call->trace.messages[0] : NULL);
    return true;
}

static bool ended_early(const struct casefile *k, struct candidate *c)
{
    if ((k->marks & K_OVER) || k->context->is_ours)
        return false;
    prove(c, k->last);
    say_seconds(c, "seconds", case_gap_ns(k->call->last_ns, k->now_ns));
    return true;
}

/* Fragments that are missing look like a packet that was cut: but a large one, over UDP. */
static bool cut(const struct casefile *k, struct candidate *c, bool fragments)
{
    unsigned count = 0;

    for (size_t i = 0; i < k->call->trace.count; i++) {
        const struct trace_message *m = &k->call->trace.messages[i];
        bool large = m->transport == WIRE_UDP && m->bytes >= 1300;

        if (!(m->traits & TRACE_CUT) || large != fragments)
            continue;
        prove(c, m);
        count++;
    }
    say_number(c, "count", count);
    return count > 0;
}
static bool capture_cut(const struct casefile *k, struct candidate *c) { return cut(k, c, false); }
static bool fragments_missing(const struct casefile *k, struct candidate *c) { return cut(k, c, true); }

static bool copies(const struct casefile *k, struct candidate *c)
{
    uint32_t all = k->call->messages + k->facts->capture_copies;

    if (k->facts->capture_copies < 3 || k->facts->capture_copies * 3 < all)
        return false;
    prove(c, k->invite ? k->invite : k->last);
    say_number(c, "count", k->facts->capture_copies);
    say_number(c, "total", all);
    return true;
}

static bool clock_jump(const struct casefile *k, struct candidate *c)
{
    const struct trace *t = &k->call->trace;

    for (size_t i = 1; i < t->count; i++) {
        int64_t back_ns = t->messages[i - 1].at_ns - t->messages[i].at_ns;

        if (back_ns < SECOND_NS || t->messages[i].frame < t->messages[i - 1].frame)
            continue;
        prove(c, &t->messages[i - 1]);
        prove(c, &t->messages[i]);
        say_seconds(c, "seconds", back_ns);
        return true;
    }
    return false;
}

/* A switch answers for somebody behind it, and that leg is not there. */
static bool leg_missing(const struct casefile *k, struct candidate *c)
{
    uint16_t final = k->call->final;

    if (!(k->vendor->traits & VENDOR_SWITCH) || k->leg_count > 1 || (k->marks & K_HOPS) || final < 400 ||
        !(k->call->last_progress || final == 408 || final == 504))
        return false;
    prove(c, k->final);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static const struct rule rules[] = {
    { CAUSE_CAPTURE_ONE_DIRECTION, 0, 0, one_direction },
    { CAUSE_CAPTURE_STARTED_LATE, 0, 0, started_late },
    { CAUSE_CAPTURE_ENDED_EARLY, 0, 0, ended_early },
    { CAUSE_CAPTURE_CUT, 0, K_CUT, capture_cut },
    { CAUSE_CAPTURE_FRAGMENTS_MISSING, 0, K_CUT, fragments_missing },
    { CAUSE_CAPTURE_COPIES, 0, 0, copies },
    { CAUSE_CAPTURE_CLOCK_JUMP, 0, 0, clock_jump },
    { CAUSE_CAPTURE_LEG_MISSING, 0, K_VENDOR | K_REFUSED, leg_missing },
};
const struct rule_table rules_capture = { rules, ARRAY_LEN(rules), 0 };
