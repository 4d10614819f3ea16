/* switch/users.h - what the switch knows of a user, and how it asks.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table is somebody else's (store/users.h keeps it in SQLite); a test brings its own.
 * No password is here: HA1 only, one per algorithm (sip/digest.h). */
#ifndef SWITCH_USERS_H
#define SWITCH_USERS_H

#include "sip/digest.h"

enum user_forward { USER_FORWARD_ALWAYS, USER_FORWARD_BUSY, USER_FORWARD_NO_ANSWER, USER_FORWARD_UNREACHABLE,
                    USER_FORWARDS };

enum {                               /* what a user may or wants, any of these together */
    USER_DISABLED = 1,               /* known, but neither registers nor calls */
    USER_DO_NOT_DISTURB = 2,
    USER_REJECT_ANONYMOUS = 4,       /* 433 (RFC 5079) */
    USER_CALL_WAITING = 8,           /* a second call rings; without it 486 */
    USER_TELL_FORWARDED = 16,        /* the caller of a forwarded call gets 181 */
    USER_REDIRECT = 32,              /* answer 302 with the contacts instead of calling them */
    USER_NO_GATEWAY = 64,            /* may call users only */
    USER_HIDE_NUMBER = 128,          /* as if each call said Privacy: id */
    USER_NO_CREDIT = 256             /* 402 for calls to gateways; not for emergency calls */
};

struct user {
    slice    name;                   /* the user part of its address-of-record, unescaped */
    slice    domain;                 /* lower case */
    slice    auth_name;              /* of its credentials; mostly the same as name */
    slice    display;
    bool     has_ha1[DIGEST_ALGORITHMS];
    struct digest_text ha1[DIGEST_ALGORITHMS];
    unsigned flags;                  /* USER_... */
    slice    forward[USER_FORWARDS];                      /* a URI, or empty */
    slice    rejects;                /* whose calls it does not want: rejects.h */
    uint16_t no_answer_s;            /* until USER_FORWARD_NO_ANSWER or 480; 0: the server's */
    uint16_t calls_max;              /* at the same time; 0: the server's */
    uint16_t contacts_max;           /* 0: the server's */
};

enum users_result { USERS_FOUND, USERS_NONE, USERS_FAILED };     /* FAILED: the store is away: 504 */

/* `ret` borrows from the source and is valid until the next question to it. */
struct users {
    void *ctx;
    enum users_result (*by_name)(void *ctx, slice name, slice domain, struct user *ret);
    /* By the username of credentials; realm is the domain's. */
    enum users_result (*by_auth)(void *ctx, slice auth_name, slice realm, struct user *ret);
    /* Number or name that stands for users: the count of targets (0: none), each by its own name
     * in `domain`; more than `room` are only counted. */
    size_t (*by_alias)(void *ctx, slice alias, slice domain, slice *ret_names, size_t room);
};

#endif
