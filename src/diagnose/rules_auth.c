/* diagnose/rules_auth.c - challenges and credentials of calls.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

static bool ended_by_challenge(const struct casefile *k)
{
    return k->call->final == 401 || k->call->final == 407;
}

/* Newest INVITE with credentials before the last challenge. */
static const struct trace_message *credentials_sent(const struct casefile *k)
{
    const struct trace *t = &k->call->trace;

    for (size_t i = t->count; i-- > 0;)
        if (trace_is_request(&t->messages[i], SIP_INVITE) && (t->messages[i].traits & TRACE_CREDENTIALS))
            return &t->messages[i];
    return NULL;
}

/* A proxy asks with 407, the called side with 401: who answered the one was then asked by the other. */
static bool another_asked(const struct casefile *k)
{
    const struct trace_message *sent = credentials_sent(k), *first = k->call->trace.messages;

    for (ptrdiff_t i = sent ? sent - first : 0; i-- > 0;)
        if (first[i].method == SIP_INVITE && (first[i].status == 401 || first[i].status == 407))
            return first[i].status != k->call->final;
    return false;
}

/* Whose credentials were asked for in vain: those that answered this challenge. */
static bool answered_in_vain(const struct casefile *k)
{
    return ended_by_challenge(k) && credentials_sent(k) && !another_asked(k);
}

static void say_challenge(const struct casefile *k, struct candidate *c)
{
    prove(c, credentials_sent(k));
    prove(c, k->challenge);
    c->code = k->call->final;
    say_text(c, "user", k->facts->auth_user);
}

static bool wrong_password(const struct casefile *k, struct candidate *c)
{
    if (!answered_in_vain(k) || !k->facts->challenges || k->facts->stale >= k->facts->challenges)
        return false;
    say_challenge(k, c);
    sure_if(c, !k->facts->other_nonce);
    return true;
}

static bool stale_loop(const struct casefile *k, struct candidate *c)
{
    if (!ended_by_challenge(k) || k->facts->stale < 2 || k->facts->other_nonce)
        return false;
    say_challenge(k, c);
    say_number(c, "count", k->facts->stale);
    return true;
}

/* Some answer a challenge with a new Call-ID. */
static bool asked_anew(const struct casefile *k)
{
    return k->context->history && diagnose_history_called(k->context->history, &k->call->caller_addr,
                                                          k->call->request_uri, k->call->ended_ns);
}

/* The repeats of its own go on, or time passed: the caller will not answer it any more. */
static bool no_credentials(const struct casefile *k, struct candidate *c)
{
    if (!ended_by_challenge(k) || (credentials_sent(k) && !another_asked(k)) || asked_anew(k) ||
        k->now_ns - k->call->ended_ns < 2 * SECOND_NS)
        return false;
    prove(c, k->invite);
    prove(c, k->challenge);
    c->code = k->call->final;
    sure_if(c, k->now_ns - k->call->ended_ns > 30 * SECOND_NS);
    return true;
}

static bool unanswered_challenge(const struct casefile *k, struct candidate *c)
{
    if (!ended_by_challenge(k))
        return false;
    prove(c, k->challenge);
    c->code = k->call->final;
    c->certainty = VERDICT_POSSIBLE;
    return true;
}

static bool realm_mismatch(const struct casefile *k, struct candidate *c)
{
    if (!answered_in_vain(k) || !k->facts->auth_realm.len || !k->facts->realm.len ||
        slice_eq(k->facts->auth_realm, k->facts->realm))
        return false;
    say_challenge(k, c);
    say_text(c, "value", k->facts->auth_realm);
    sure_if(c, k->facts->challenges > 1);                 /* once may be the next proxy on the way */
    return true;
}

static bool algorithm_unsupported(const struct casefile *k, struct candidate *c)
{
    slice algorithm = k->facts->algorithm;

    if (!ended_by_challenge(k) || credentials_sent(k) || !algorithm.len ||
        slice_eq_nocase(algorithm, SLICE("MD5")) || slice_starts_nocase(algorithm, SLICE("AKAv1")) ||
        k->now_ns - k->call->ended_ns < 2 * SECOND_NS)
        return false;
    prove(c, k->challenge);
    c->code = k->call->final;
    say_text(c, "value", algorithm);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool old_nonce(const struct casefile *k, struct candidate *c)
{
    if (k->facts->stale != 1 || ended_by_challenge(k) || !k->facts->challenge_age_s)
        return false;
    prove(c, k->challenge);
    c->code = k->challenge->status;
    say_number(c, "seconds", k->facts->challenge_age_s);
    return true;
}

/* 403 while the capture saw that the caller has no registration any more. */
static bool caller_not_registered(const struct casefile *k, struct candidate *c)
{
    const struct history_binding *b = k->call->final == 403
        ? diagnose_history_binding(k->context->history, k->call->from.uri) : NULL;

    if (!b)
        return false;
    bool gone = b->until_ns && b->until_ns < k->call->invite_ns;
    bool never = !b->registered_ns && b->failures;

    if (!gone && !never)
        return false;
    prove(c, k->final);
    prove_frame(c, b->frame, SLICE("REGISTER"));
    say_text(c, "user", k->call->from.user);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static const struct history_binding *callee_binding(const struct casefile *k)
{
    const struct history_binding *b = diagnose_history_binding(k->context->history, k->call->to.uri);

    return b ? b : diagnose_history_binding(k->context->history, k->call->request_uri);
}

static bool could_not_reach(const struct casefile *k)
{
    uint16_t final = k->call->final;

    return (final == 480 || final == 404 || final == 408 || final == 410 || final == 430) && !k->call->last_progress;
}

static bool registration_expired(const struct casefile *k, struct candidate *c)
{
    const struct history_binding *b = could_not_reach(k) ? callee_binding(k) : NULL;

    if (!b || !b->until_ns || b->removed_ns || b->until_ns > k->call->invite_ns)
        return false;
    prove_frame(c, b->frame, SLICE("200 OK (REGISTER)"));
    prove(c, k->invite);
    prove(c, k->final);
    say_seconds(c, "seconds", k->call->invite_ns - b->until_ns);
    return true;
}

static bool callee_not_registered(const struct casefile *k, struct candidate *c)
{
    const struct history_binding *b = could_not_reach(k) ? callee_binding(k) : NULL;
    bool removed = b && b->removed_ns && b->removed_ns < k->call->invite_ns && b->registered_ns < b->removed_ns;
    bool never = b && !b->registered_ns && b->failures;

    if (!removed && !never)
        return false;
    prove_frame(c, b->frame, SLICE("REGISTER"));
    prove(c, k->final);
    return true;
}

static const struct rule rules[] = {
    { CAUSE_AUTH_WRONG_PASSWORD, 50, K_CHALLENGED | K_REFUSED, wrong_password },
    { CAUSE_AUTH_STALE_LOOP, 60, K_CHALLENGED | K_REFUSED, stale_loop },
    { CAUSE_AUTH_NO_CREDENTIALS, 40, K_CHALLENGED | K_REFUSED, no_credentials },
    { CAUSE_AUTH_NO_CREDENTIALS, 5, K_CHALLENGED | K_REFUSED, unanswered_challenge },
    { CAUSE_AUTH_REALM_MISMATCH, 62, K_CHALLENGED | K_REFUSED, realm_mismatch },
    { CAUSE_AUTH_ALGORITHM_UNSUPPORTED, 55, K_CHALLENGED | K_REFUSED, algorithm_unsupported },
    { CAUSE_AUTH_CLOCK_NONCE, 0, K_CHALLENGED, old_nonce },
    { CAUSE_CALLER_NOT_REGISTERED, 48, K_REFUSED | K_HISTORY, caller_not_registered },
    { CAUSE_REGISTRATION_EXPIRED_BEFORE_CALL, 60, K_REFUSED | K_HISTORY, registration_expired },
    { CAUSE_NOT_REGISTERED, 52, K_REFUSED | K_HISTORY, callee_not_registered },
};
const struct rule_table rules_auth = { rules, ARRAY_LEN(rules), K_REFUSED | K_CHALLENGED };
