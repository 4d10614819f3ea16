/* switch/authenticate.h - who is it? Digest for REGISTER (401) and all else (401 or 407)
 * (RFC 3261, 22; RFC 7616; RFC 8760).
 * SPDX-License-Identifier: Apache-2.0
 *
 * One function says who it is or what to do. Nonces need no table; what is kept is, per nonce
 * that was used with the right password, which counts were: a repeated count is refused, gaps
 * are not. That table is bounded; nonces older than the oldest forgotten one are stale. So are
 * those made before this authenticator, or by another worker.
 *
 *     struct authenticated who;
 *     switch (authenticate(a, m, &from->remote, SIP_H_AUTHORIZATION, realm, now_ns, &who)) {
 *     case AUTHENTICATE_OK:        ... who.user ...
 *     case AUTHENTICATE_CHALLENGE: o = server_reply(s, 401, (slice){ 0 });
 *                                  authenticate_challenge(a, o, SIP_H_WWW_AUTHENTICATE, realm, &who, now_ns);
 *     case AUTHENTICATE_REFUSE:    server_reply_plain(s, who.status);
 *     case AUTHENTICATE_WAIT:      // the store of users is away: 504
 *     case AUTHENTICATE_DROP:      // guessed too often: no answer
 *     }
 *
 * ACK and CANCEL cannot be challenged (RFC 3261, 22.1): do not ask for them. A user without an
 * HA1 for an algorithm that is offered cannot use it, so where MD5 only was imported offer MD5
 * alone: a client takes the first that it knows.
 *
 * Users that do not exist are challenged and refused exactly as those with a wrong password,
 * in about the same time. */
#ifndef SWITCH_AUTHENTICATE_H
#define SWITCH_AUTHENTICATE_H

#include "sip/message.h"
#include "switch/guard.h"
#include "switch/users.h"

struct authenticate_settings {
    struct digest_key key;           /* secret, random */
    uint8_t  worker;                 /* 0 to 31: other workers' nonces are stale here */
    enum digest_algorithm offered[DIGEST_ALGORITHMS];     /* in the order of preference */
    unsigned offered_count;          /* 0: all, in the order of enum digest_algorithm */
    uint32_t nonce_life_s;           /* 0: 300 */
    uint32_t windows_max;            /* nonces in use whose counts are kept; 0: 65,536 */
    bool     allow_without_qop;      /* as RFC 2069: nothing then tells a replay */
    bool     any_uri;                /* a digest uri that is not the Request-URI is taken, too */
};

enum authenticate_result {
    AUTHENTICATE_OK, AUTHENTICATE_CHALLENGE, AUTHENTICATE_REFUSE, AUTHENTICATE_WAIT, AUTHENTICATE_DROP
};
enum authenticate_why {              /* for counts and monitors; not for the sender */
    AUTHENTICATE_FINE,
    AUTHENTICATE_NO_CREDENTIALS,     /* for this realm, by an algorithm that is offered */
    AUTHENTICATE_INCOMPLETE,         /* a parameter is missing or makes no sense */
    AUTHENTICATE_NOT_OUR_NONCE,
    AUTHENTICATE_STALE,
    AUTHENTICATE_REPLAYED,
    AUTHENTICATE_OTHER_URI,
    AUTHENTICATE_UNKNOWN_USER,
    AUTHENTICATE_WRONG_PASSWORD,
    AUTHENTICATE_DISABLED,
    AUTHENTICATE_STORE_AWAY,
    AUTHENTICATE_GUESSED_TOO_OFTEN,
    AUTHENTICATE_WHYS
};
slice authenticate_why_name(enum authenticate_why why);   /* "wrong-password" */

struct authenticated {
    struct user user;                /* OK only; borrows from the source of users */
    slice    username;               /* as the credentials give it; borrows from the message */
    bool     stale;                  /* CHALLENGE: the password was right, the nonce is not */
    uint16_t status;                 /* REFUSE: 400, 403 */
    enum authenticate_why why;
};

struct authenticator;
/* `guard` may be NULL. NULL: no memory, or MD5 forbidden here. */
struct authenticator *authenticator_new(const struct authenticate_settings *settings, const struct users *users,
                                        struct guard *guard, int64_t now_ns);
struct authenticator *authenticator_free(struct authenticator *a);
/* On reload; key, worker and windows_max stay. */
void authenticator_set(struct authenticator *a, const struct authenticate_settings *settings);

/* `header`: SIP_H_AUTHORIZATION or SIP_H_PROXY_AUTHORIZATION. *ret is always written. The guard is
 * told of faults and of success. */
enum authenticate_result authenticate(struct authenticator *a, const struct sip_message *m, const struct address *source,
                                      enum sip_header_id header, slice realm, int64_t now_ns, struct authenticated *ret);
/* One line for each algorithm, with one nonce; `header`: SIP_H_WWW_ or SIP_H_PROXY_AUTHENTICATE. */
void authenticate_challenge(struct authenticator *a, struct out *o, enum sip_header_id header, slice realm,
                            const struct authenticated *who, int64_t now_ns);

uint64_t authenticate_count(const struct authenticator *a, enum authenticate_why why);

#endif
