/* diagnose/registration.c - why a registration failed, or does not last.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

#include "sip/uri.h"

struct reg_case {
    const struct registration *r;
    const struct history_host *client;       /* NULL: not known */
    const struct history_binding *binding;   /* of its user, under any Call-ID; NULL: not known */
    int64_t now_ns;
};

static void prove_final(const struct reg_case *k, struct candidate *c)
{
    prove_frame(c, k->r->final_frame, k->r->phrase.len ? k->r->phrase : call_code_name(k->r->final));
}

static void prove_request(const struct reg_case *k, struct candidate *c)
{
    prove_frame(c, k->r->first_frame, SLICE("REGISTER"));
}

static slice user_of(const struct registration *r)
{
    slice user = r->user.len ? r->user : sip_uri_user(r->aor);

    return user.len ? user : r->aor;
}

/* {code}, {phrase} and {user} of its last refusal. */
static void say_refusal(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;

    c->code = r->final;
    say_number(c, "code", r->final);
    say_text(c, "phrase", r->phrase.len ? r->phrase : call_code_name(r->final));
    say_text(c, "user", user_of(r));
}

static bool ended_by_challenge(const struct registration *r) { return r->final == 401 || r->final == 407; }
static bool is_refused(const struct registration *r)
{
    return r->final >= 300 && !ended_by_challenge(r) && r->final != 423 && r->final != 494;
}

static bool scanner(const struct reg_case *k, struct candidate *c)
{
    if (!k->client || !k->client->scanner)
        return false;
    prove_request(k, c);
    say_host(c, "address", &k->r->client);
    say_text(c, "agent", k->r->user_agent.len ? k->r->user_agent : diagnose_scanner_name(k->client->scanner));
    say_number(c, "count", (int64_t)k->client->requests[SIP_REGISTER] + k->client->requests[SIP_OPTIONS] +
                               k->client->requests[SIP_INVITE]);
    return true;
}

static bool password_guessing(const struct reg_case *k, struct candidate *c)
{
    if (!k->client || k->client->challenged_again + k->client->refused < 10 || k->client->accepted ||
        k->client->challenged_again == 0 || !diagnose_history_hurries(k->client))
        return false;
    prove_request(k, c);
    prove_final(k, c);
    say_host(c, "address", &k->r->client);
    say_text(c, "user", user_of(k->r));
    say_number(c, "count", k->client->challenged_again);
    sure_if(c, k->client->scanner);
    return true;
}

static bool number_guessing(const struct reg_case *k, struct candidate *c)
{
    if (!k->client || k->client->users < 10 || k->client->accepted || k->client->refused + k->client->challenged < 8)
        return false;
    prove_request(k, c);
    prove_final(k, c);
    say_host(c, "address", &k->r->client);
    say_number(c, "count", k->client->users);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool wrong_password(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;

    if (!ended_by_challenge(r) || !r->challenges || r->stale >= r->challenges)
        return false;
    prove_request(k, c);
    prove_frame(c, r->challenge_frame, call_code_name(r->final));
    say_refusal(k, c);
    say_text(c, "realm", r->realm);
    return true;
}

static bool stale_loop(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;

    if (!ended_by_challenge(r) || r->stale < 2)
        return false;
    prove_frame(c, r->challenge_frame, call_code_name(r->final));
    say_refusal(k, c);
    say_number(c, "count", r->stale);
    return true;
}

static bool no_credentials(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;

    /* Some answer a challenge with a new Call-ID. */
    if (!ended_by_challenge(r) || r->challenges || k->now_ns - r->last_ns < 2 * SECOND_NS ||
        (k->binding && k->binding->registered_ns >= r->first_ns))
        return false;
    prove_request(k, c);
    prove_final(k, c);
    say_refusal(k, c);
    say_text(c, "realm", r->realm);
    sure_if(c, k->now_ns - r->last_ns > 30 * SECOND_NS);
    return true;
}

static bool too_brief(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;

    if (!r->too_brief)
        return false;
    prove_request(k, c);
    prove_final(k, c);
    c->code = 423;
    c->weight = r->final == 423 ? c->weight : 0;
    say_number(c, "seconds", r->asked_s);
    say_number(c, "value", r->min_expires_s);
    return true;
}

/* The server's own trouble, not the account's. */
static bool server_trouble(const struct reg_case *k, struct candidate *c)
{
    static const struct { uint16_t final, cause; } rows[] = {
        { 500, CAUSE_SERVER_ERROR }, { 502, CAUSE_BAD_GATEWAY }, { 503, CAUSE_SERVICE_UNAVAILABLE },
        { 504, CAUSE_SERVER_TIMEOUT }, { 408, CAUSE_REQUEST_TIMEOUT },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].final == k->r->final) {
            c->cause = rows[i].cause;
            prove_request(k, c);
            prove_final(k, c);
            say_refusal(k, c);
            say_host(c, "address", &k->r->registrar);
            return true;
        }
    return false;
}

static bool refused(const struct reg_case *k, struct candidate *c)
{
    if (!is_refused(k->r) || k->r->final == 430 || k->r->final == 439 || k->r->final == 408 || k->r->final >= 500)
        return false;
    prove_request(k, c);
    prove_final(k, c);
    say_refusal(k, c);
    return true;
}

static bool outbound_lost(const struct reg_case *k, struct candidate *c)
{
    if (k->r->final != 430 && k->r->final != 439)
        return false;
    prove_final(k, c);
    say_refusal(k, c);
    return true;
}

static bool unanswered(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;

    if (r->final || (r->retransmissions < 3 && r->reason != REGISTRATION_NETWORK))
        return false;
    prove_request(k, c);
    say_number(c, "count", (int64_t)r->requests + r->retransmissions);
    say_address(c, "address", &r->registrar);
    sure_if(c, r->retransmissions >= 3);
    return true;
}

/* Renewed much more often than needed, or from ever other addresses. */
static bool flapping(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;
    int64_t span_ns = case_gap_ns(r->first_ns, r->last_ns);
    bool hasty = r->refreshes >= 5 && span_ns / r->refreshes < 15 * SECOND_NS && r->expires_s > 60;

    if (!hasty && (r->moves < 3 || r->refreshes < 3))
        return false;
    prove_request(k, c);
    prove_final(k, c);
    say_number(c, "count", (int64_t)r->refreshes + 1);
    say_text(c, "user", user_of(r));
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool address_changed(const struct reg_case *k, struct candidate *c)
{
    const struct registration *r = k->r;

    if (!r->moves || !r->client_before.family)
        return false;
    prove_request(k, c);
    prove_frame(c, r->last_frame, SLICE("REGISTER"));
    say_address(c, "address", &r->client_before);
    say_address(c, "address_other", &r->client_last);
    return true;
}

static const struct {
    uint16_t cause;
    uint8_t  weight;
    bool   (*holds)(const struct reg_case *k, struct candidate *c);
} rules[] = {
    { CAUSE_SCANNER, 95, scanner },
    { CAUSE_PASSWORD_GUESSING, 97, password_guessing },
    { CAUSE_NUMBER_GUESSING, 70, number_guessing },
    { CAUSE_AUTH_STALE_LOOP, 60, stale_loop },
    { CAUSE_AUTH_WRONG_PASSWORD, 50, wrong_password },
    { CAUSE_AUTH_NO_CREDENTIALS, 40, no_credentials },
    { CAUSE_REGISTRATION_TOO_BRIEF, 40, too_brief },
    { CAUSE_REGISTRATION_OUTBOUND_LOST, 40, outbound_lost },
    { CAUSE_SERVER_ERROR, 30, server_trouble },
    { CAUSE_REGISTRATION_REFUSED, 30, refused },
    { CAUSE_REGISTRATION_UNANSWERED, 40, unanswered },
    { CAUSE_REGISTRATION_FLAPPING, 30, flapping },
    { CAUSE_NAT_ADDRESS_CHANGED, 0, address_changed },
};

static bool write_all(struct registration *r, struct candidates *found, int main_at, struct call_verdicts *v)
{
    size_t count = found->count - (main_at >= 0);

    if (main_at >= 0 && !candidate_write(&found->all[main_at], NULL, &r->arena, &v->cause))
        return false;
    if (count && !(v->findings = arena_zalloc(&r->arena, count * sizeof *v->findings)))
        return false;
    for (size_t i = 0; i < found->count; i++)
        if ((int)i != main_at &&
            !candidate_write(&found->all[i], NULL, &r->arena, &v->findings[v->finding_count++]))
            return false;
    return true;
}

void diagnose_registration(struct registration *r, const struct diagnose_context *context)
{
    struct reg_case k = { .r = r, .now_ns = context->now_ns > r->last_ns ? context->now_ns : r->last_ns };
    struct candidates found;
    struct call_verdicts *v;

    if (r->verdicts)
        return;
    if (context->history) {
        k.client = diagnose_history_host(context->history, &r->client);
        k.binding = diagnose_history_binding(context->history, r->aor);
    }
    found.count = found.beyond = 0;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct candidate *c = &found.all[found.count];

        *c = (struct candidate){ .cause = rules[i].cause, .weight = rules[i].weight, .certainty = VERDICT_SURE };
        if (!rules[i].holds(&k, c))
            continue;
        if (c->proof_count == 0)
            prove_request(&k, c);
        found.count++;
    }
    int main_at = rank(&found);

    v = arena_zalloc(&r->arena, sizeof *v);
    if (v && write_all(r, &found, main_at, v))
        r->verdicts = v;
}
