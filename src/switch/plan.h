/* switch/plan.h - where a call goes: a configuration, compiled so that looking up is quick.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Immutable; any number of workers may ask it at once. It borrows the configuration, and a
 * route names gateways by their place in it, so both are kept until the last call that was
 * routed by them is over. Asking allocates nothing, reads no clock and draws no lots: the
 * caller brings a random number. Which gateways are full or silent is the caller's to know,
 * and to pass over.
 *
 *     struct plan_question q = { .uri = m->uri, .by = PLAN_BY_USER, .user_flags = user.flags, .random = r };
 *     struct plan_route route;
 *     plan_find(plan, users, &q, &route);
 *     if (route.status) refuse(route.status);            // or redirect, with route.uris
 *     else for (i = 0; i < route.count; i++) try(&route.at[i]);
 *
 * No open relay: who is neither a user nor a gateway reaches users only, whatever is
 * configured; a gateway's call goes to another one only with its `transit`. */
#ifndef SWITCH_PLAN_H
#define SWITCH_PLAN_H

#include "switch/config.h"
#include "switch/users.h"

struct plan;
struct plan *plan_new(const struct config *config);       /* NULL: no memory */
struct plan *plan_free(struct plan *p);
const struct config *plan_config(const struct plan *p);

/* ---- asking ---- */

enum {
    PLAN_NAME_MAX = 127,             /* of a user, or a number; a longer one is nobody's */
    PLAN_TARGETS_MAX = 32
};

enum plan_caller {
    PLAN_BY_STRANGER,                /* no credentials, no known address */
    PLAN_BY_USER,                    /* authenticated; or in the name of one: a call that is forwarded */
    PLAN_BY_GATEWAY                  /* plan_gateway_of knows where it comes from */
};

struct plan_question {
    slice    uri;                    /* the Request-URI */
    slice    calling;                /* user part of the caller's URI, escaped as it is; may be empty */
    enum plan_caller by;
    unsigned user_flags;             /* of the user: USER_NO_GATEWAY and USER_NO_CREDIT count */
    uint16_t gateway;                /* of PLAN_BY_GATEWAY */
    bool     host_is_ours;           /* the URI's host is the address that the request came to */
    uint64_t random;
};

/* In the words of the answer. The first four have targets. */
enum plan_result {
    PLAN_USER,                       /* one user */
    PLAN_GROUP,                      /* an alias of several: all of them ring */
    PLAN_GATEWAYS,                   /* the first, then by fail-over the next */
    PLAN_EMERGENCY,                  /* the same, of gateways that take it; limits do not count */
    PLAN_EMERGENCY_ELSEWHERE,        /* 380: by another network */
    PLAN_REDIRECTED,                 /* 302, or 300 with several URIs */
    PLAN_MOVED,                      /* 301 */
    PLAN_GONE,                       /* 410 */
    PLAN_DENIED,                     /* 403; of a stranger: credentials might help */
    PLAN_UNPAID,                     /* 402: gateways would take it, but the user has no credit */
    PLAN_NOBODY,                     /* 404: neither ours nor any gateway's */
    PLAN_AMBIGUOUS,                  /* 485: an alias of several, and the configuration says so */
    PLAN_TOO_SHORT,                  /* 484: more digits may make a number of it */
    PLAN_LOOP,                       /* 482: only the gateway that it came from would take it */
    PLAN_SCHEME,                     /* 416 */
    PLAN_STORE_FAILED,               /* 504: users cannot be asked */
    PLAN_RESULTS
};

struct plan_target {
    bool     is_gateway;
    uint16_t gateway;                /* its place in config->gateways */
    char     called[PLAN_NAME_MAX + 1];       /* the user's name; for a gateway the number, rewritten */
    char     calling[PLAN_NAME_MAX + 1];      /* for a gateway the caller's number, rewritten; "": it is none */
};

struct plan_route {
    enum plan_result result;
    unsigned status;                 /* of the answer; 0: there are targets */
    struct config_words uris;        /* of 300, 301 and 302 */
    slice    domain;                 /* ours that was asked for; borrows from plan or question */
    char     number[PLAN_NAME_MAX + 1];       /* normal form of what was dialled; "": no number */
    size_t   count, left_out;        /* targets; gateways that found no room */
    struct plan_target at[PLAN_TARGETS_MAX];
};

/* `users` may have NULL in place of by_alias. */
void plan_find(const struct plan *p, const struct users *users, const struct plan_question *q, struct plan_route *ret);

/* Does that URI name an emergency service, whoever calls it? */
bool plan_is_emergency(const struct plan *p, slice uri);
/* Is this domain, or address, one of ours? */
bool plan_is_ours(const struct plan *p, slice host);
/* The gateway that calls from there; of several the one with the smallest network. The port
 * does not count. A gateway given by name is known by its `allow_from` only. */
bool plan_gateway_of(const struct plan *p, const struct address *from, uint16_t *ret);

/* What a gateway said, or did not say, to a call. */
struct plan_failure {
    unsigned status;
    bool     local;                  /* ours: 408 when nothing came, 503 when it cannot be reached */
    bool     rang;                   /* its phone was heard ringing (18x) */
};
/* Is the next gateway to be tried? By the `fail_over` of this one. Never when the called side has decided. */
bool plan_fails_over(const struct config_codes *codes, const struct plan_failure *failure);

/* ---- numbers ---- */

/* "+49 (30) 1", "0049301" and "0301" are +49301 where [numbers] says so; what is no number is
 * empty. At most PLAN_NAME_MAX characters, else empty too. */
slice plan_number(const struct config_numbers *numbers, slice user, char room[PLAN_NAME_MAX + 1]);
/* The rule with the longest pattern changes the beginning; without one the number stays. False:
 * it would get too long. */
bool plan_rewrite(const struct config_rules *rules, slice number, char ret[PLAN_NAME_MAX + 1]);

#endif
