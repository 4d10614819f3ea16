/* diagnose/rules_abuse.c - who looks for open servers, guesses, floods or forges.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

#include "sip/uri.h"

#define SPEAKS_ON_NS (SECOND_NS / 2)  /* longer than what is under way when somebody hangs up */

static uint32_t asked(const struct history_host *h)
{
    return h->requests[SIP_INVITE] + h->requests[SIP_REGISTER] + h->requests[SIP_OPTIONS];
}

static bool scanner(const struct casefile *k, struct candidate *c)
{
    const struct history_host *h = k->asker;

    if (!h || !h->scanner)
        return false;
    bool own = slice_starts_nocase(k->call->user_agent, diagnose_scanner_name(h->scanner));

    if (!own && (h->accepted || k->call->answered))       /* a server that is tested from where it runs */
        return false;
    sure_if(c, own);
    prove(c, k->invite);
    say_host(c, "address", &k->call->caller_addr);
    say_text(c, "agent", k->call->user_agent.len ? k->call->user_agent : diagnose_scanner_name(h->scanner));
    say_number(c, "count", asked(h));
    return true;
}

static bool number_guessing(const struct casefile *k, struct candidate *c)
{
    const struct history_host *h = k->asker;

    if (!h || h->users < 10 || h->accepted || h->refused + h->challenged < 8)
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_host(c, "address", &k->call->caller_addr);
    say_number(c, "count", h->users);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool password_guessing(const struct casefile *k, struct candidate *c)
{
    const struct history_host *h = k->asker;

    if (!h || h->challenged_again < 10 || h->accepted || !diagnose_history_hurries(h))
        return false;
    prove(c, k->invite);
    prove(c, k->challenge);
    say_host(c, "address", &k->call->caller_addr);
    say_text(c, "user", k->facts->auth_user);
    say_number(c, "count", h->challenged_again);
    sure_if(c, h->scanner);
    return true;
}

/* Many digits that lead abroad or out of the house: 00, 011, +, 9 and a prefix, repeated digits. */
static bool looks_outside(slice user)
{
    char room[40];
    slice digits = sip_number_of(user, room, sizeof room);

    return digits.len >= 11 && (digits.ptr[0] == '+' || slice_starts(digits, SLICE("00")) ||
                                slice_starts(digits, SLICE("011")) || slice_starts(digits, SLICE("9")) ||
                                digits.len >= 14);
}

/* The server itself turned it away: the call of somebody who may call rings, is busy or is declined. */
static bool is_turned_away(const struct casefile *k)
{
    static const uint16_t finals[] = { 0, 401, 403, 404, 405, 407, 484, 488, 500, 503, 604 };

    for (size_t i = 0; !k->call->last_progress && i < ARRAY_LEN(finals); i++)
        if (finals[i] == k->call->final)
            return true;
    return false;
}

/* Who calls from the outside, is let through never, and nobody ever asked it anything: no partner. */
static bool toll_fraud(const struct casefile *k, struct candidate *c)
{
    const struct history_host *h = k->asker;
    slice user = sip_uri_user(k->call->request_uri);

    if (!h || h->requests[SIP_INVITE] < 3 || h->requests[SIP_REGISTER] || h->accepted || h->answers || h->users < 3 ||
        h->refused + h->challenged < 3 || !is_turned_away(k) || !looks_outside(user) ||
        address_is_private(&k->call->caller_addr))
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_host(c, "address", &k->call->caller_addr);
    say_text(c, "number", user);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool request_flood(const struct casefile *k, struct candidate *c)
{
    const struct history_host *h = k->asker;

    if (!h || h->burst_max < 100 || h->accepted * 10 > asked(h) || !is_turned_away(k))
        return false;
    prove(c, k->invite);
    say_host(c, "address", &k->call->caller_addr);
    say_number(c, "count", h->burst_max);
    say_number(c, "seconds", 1);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool malformed_attack(const struct casefile *k, struct candidate *c)
{
    /* Many in a message: one that comes back in each is a faulty phone. */
    if (k->call->flaws < 5 || k->call->flaws <= 2 * k->from_caller || !(k->facts->invite_flags & CALL_INVITE_FLAWED) ||
        k->call->answered || k->call->last_progress)
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_host(c, "address", &k->call->caller_addr);
    say_text(c, "agent", k->call->user_agent.len ? k->call->user_agent : SLICE("-"));
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool takes_part(const struct casefile *k, const struct address *host, const struct trace_message *but)
{
    if (address_same_ip(host, &k->call->caller_addr) || address_same_ip(host, &k->call->callee_addr))
        return true;
    for (unsigned i = 0; i < k->facts->hop_count; i++)
        if (i != but->hop && !address_eq(&k->facts->hops[i].dst, &k->facts->hops[but->hop].src) &&
            (address_same_ip(host, &k->facts->hops[i].src) || address_same_ip(host, &k->facts->hops[i].dst)))
            return true;
    return false;
}

/* A stranger's BYE, while both sides went on talking. */
static bool forged_bye(const struct casefile *k, struct candidate *c)
{
    if (!k->bye || k->bye->hop >= k->facts->hop_count || takes_part(k, case_source(k, k->bye), k->bye) ||
        k->way[0].last_ns < k->bye->at_ns + SPEAKS_ON_NS || k->way[1].last_ns < k->bye->at_ns + SPEAKS_ON_NS)
        return false;
    prove(c, k->bye);
    prove_stream(c, k->way[0].last);
    prove_stream(c, k->way[1].last);
    say_host(c, "address", case_source(k, k->bye));
    c->certainty = VERDICT_LIKELY;
    return true;
}

static const struct rule rules[] = {
    { CAUSE_SCANNER, 95, K_HISTORY, scanner },
    { CAUSE_NUMBER_GUESSING, 78, K_HISTORY | K_REFUSED, number_guessing },
    { CAUSE_PASSWORD_GUESSING, 97, K_HISTORY | K_CHALLENGED, password_guessing },
    { CAUSE_TOLL_FRAUD, 80, K_HISTORY | K_REFUSED, toll_fraud },
    { CAUSE_REQUEST_FLOOD, 60, K_HISTORY | K_REFUSED, request_flood },
    { CAUSE_REQUEST_FLOOD, 60, K_HISTORY | K_NO_REPLY, request_flood },
    { CAUSE_MALFORMED_ATTACK, 58, K_FLAWED | K_WHOLE, malformed_attack },
    { CAUSE_FORGED_BYE, 78, K_ANSWERED | K_HUNG_UP | K_STREAMS, forged_bye },
};
const struct rule_table rules_abuse = { rules, ARRAY_LEN(rules), 0 };
