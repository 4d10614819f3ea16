/* switch/router.h - where a call goes: what the back-to-back user agent asks, and what it is told.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whoever knows users, bindings and gateways answers at once; nothing here waits. */
#ifndef SWITCH_ROUTER_H
#define SWITCH_ROUTER_H

#include "sip/message.h"
#include "switch/users.h"
#include "wire/hop.h"

enum { ROUTE_TARGETS_MAX = 32 };

struct route_question {
    const struct sip_message *invite;                     /* as the caller sent it */
    const struct hop         *from;
    slice    uri;                    /* who is called: its Request-URI, or the target of a forward */
    slice    forwarded_by;           /* address-of-record that forwards; empty: nobody */
    unsigned diversions;             /* how often so far */
};

struct route_target {
    slice      uri;                  /* Request-URI */
    struct hop hop;
    slice      routes;               /* whole Route lines (the Path of a registration), or empty */
    uint16_t   order;                /* those of one order ring together, the lowest first */
    bool       gateway;              /* a trunk: the next one is tried for the codes of b2bua_settings only */
    bool       trusted;              /* gets the caller's identity even when that is to be hidden */
};

/* Borrowed until the question's caller returns. */
struct route {
    unsigned status;                 /* 0: call the targets; else refuse with it */
    slice    phrase;                 /* empty: that of the code */
    slice    headers;                /* of the refusal: whole lines */
    slice    type, body;             /* of the refusal */
    struct route_target targets[ROUTE_TARGETS_MAX];
    size_t   target_count;           /* 0 with status 0: nobody to be reached: forward, or 480 */
    slice    caller;                 /* the caller's address-of-record: its calls are counted; may be empty */
    slice    asserted;               /* P-Asserted-Identity that we vouch for, or empty */
    bool     caller_trusted;         /* what the caller asserts itself may pass */
    slice    called;                 /* address-of-record of a user of ours, or empty */
    unsigned flags;                  /* of the called user: USER_... */
    slice    forward[USER_FORWARDS]; /* its wishes: URIs, or empty */
    int64_t  no_answer_ns;           /* 0: that of b2bua_settings */
    uint32_t calls_max;              /* at once for the called user; 0: that of b2bua_settings */
};

struct router {
    void *ctx;
    void (*route)(void *ctx, const struct route_question *question, struct route *ret);
};

#endif
