/* switch/registrar.h - answers REGISTER, and asks contacts whether they are still there
 * (RFC 3261, 10.3; RFC 3327 Path; RFC 3608 Service-Route; RFC 5626 outbound).
 * SPDX-License-Identifier: Apache-2.0
 *
 * It decides who may bind what, and keeps it in switch/bindings.h; it answers through
 * switch/endpoint.h. Everything it is given is borrowed and outlives it. Time is that of the
 * endpoint and must be ns since 1970 (UTC): Date, nonces and records depend on it.
 *
 *     struct registrar *r = registrar_new(&settings, endpoint, users, authenticator, bindings, guard);
 *     case SIP_REGISTER: registrar_request(r, s, m, from);       // in the endpoint's `request`
 *     if (registrar_response(r, c, m)) return;                   // in `response`
 *     if (registrar_failed(r, c)) return;                        // in `failed`
 *     registrar_time(r, now_ns);                                 // by registrar_next_ns
 *
 * Answers: 200; 400 (syntax, "*" against its rules, two flows at once), 401, 403 (somebody else's
 * address, too many or too long contacts), 404 (behind the right password only, or not our
 * domain), 416, 420, 421, 423, 439, 500 (CSeq, memory), 503 (full), 504 (users away). A source
 * that guesses gets none. */
#ifndef SWITCH_REGISTRAR_H
#define SWITCH_REGISTRAR_H

#include "switch/authenticate.h"
#include "switch/bindings.h"
#include "switch/endpoint.h"

struct registrar_domain {
    slice name;                      /* lower case */
    slice realm;                     /* empty: the name */
    const slice *aliases;            /* other names and addresses of it, lower case */
    size_t alias_count;
};

enum registrar_nat {
    REGISTRAR_NAT_DETECT,            /* a contact that is not where it came from is reached by its hop */
    REGISTRAR_NAT_ALWAYS, REGISTRAR_NAT_NEVER
};

struct registrar_settings {          /* zero means the default in brackets */
    const struct registrar_domain *domains;
    size_t   domain_count;
    uint32_t expires_default_s;      /* (3600) */
    uint32_t expires_min_s;          /* below: 423 (60) */
    uint32_t expires_max_s;          /* above: this (7200) */
    unsigned jitter_percent;         /* what is granted is shorter by up to so much (0), up to 50 */
    unsigned contacts_max;           /* of one address, when its user says nothing (10) */
    enum registrar_nat nat;
    slice    service_route;          /* list text for 200, or empty */
    const slice *third_parties;      /* auth names that may register others (From is not To) */
    size_t   third_party_count;
    bool     path_needs_support;     /* Path from a client without it: 421 */
    bool     no_path;                /* Path is not kept; who requires it gets 420 */
    bool     no_outbound;            /* nor are flows: reg-id does not count */
    uint32_t flow_timer_s;           /* Flow-Timer for those whose first hop we are (0: none) */
    slice    ping_from;              /* URI that keep-alives come from ("sip:ping@" and the first domain) */
    unsigned ping_failures_max;      /* in a row, then the contact is gone (3) */
    unsigned pings_max;              /* under way at once (1,000) */
};

struct registrar_counts {
    uint64_t requests, accepted, queries, challenged, refused, dropped;
    uint64_t pings, pings_failed, pings_left_out;         /* left out: no room, or no hop without DNS */
};

struct registrar;
/* `guard` may be NULL. NULL: no memory. */
struct registrar *registrar_new(const struct registrar_settings *settings, struct endpoint *endpoint,
                                const struct users *users, struct authenticator *authenticator,
                                struct bindings *bindings, struct guard *guard);
struct registrar *registrar_free(struct registrar *r);    /* before its endpoint */
void registrar_set(struct registrar *r, const struct registrar_settings *settings);  /* on reload; pings_max stays */

/* A REGISTER. It is answered, or on purpose not, when this returns. */
void registrar_request(struct registrar *r, struct server_transaction *s, const struct sip_message *m, const struct hop *from);

/* Expiry and keep-alives. */
void registrar_time(struct registrar *r, int64_t now_ns);
int64_t registrar_next_ns(const struct registrar *r);
/* Was it a keep-alive of ours? A 1xx or any final answer but 408 and 430 is life. */
bool registrar_response(struct registrar *r, struct client_transaction *c, const struct sip_message *m);
bool registrar_failed(struct registrar *r, struct client_transaction *c);

/* Our name for a host: domain or alias; NULL: not ours. */
const struct registrar_domain *registrar_domain_of(const struct registrar *r, slice host);
/* The key of a URI in one of our domains, aliases of the domain undone. False: not ours. */
bool registrar_key(const struct registrar *r, slice uri, char buffer[BINDINGS_KEY_MAX], slice *ret);
/* Whose contacts a REGISTER with this To changes, as far as that is known before its password: an
 * alias of one user, which is no user's own name, stands for that user. */
bool registrar_owner(const struct registrar *r, slice to, char buffer[BINDINGS_KEY_MAX], slice *ret);
/* By which hop a contact is reached without asking the DNS. False: ask for the host of its Path
 * or its URI. */
bool registrar_hop(const struct binding_fields *contact, struct hop *ret);

const struct registrar_counts *registrar_counts(const struct registrar *r);

#endif
