/* switch/router.h - where a call goes: what the back-to-back user agent asks, and what it is told.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whoever knows users, bindings and gateways answers at once; nothing here waits. */
#ifndef SWITCH_ROUTER_H
#define SWITCH_ROUTER_H

#include "base/out.h"
#include "sip/message.h"
#include "sip/sdp_codecs.h"
#include "switch/users.h"
#include "wire/hop.h"

enum { ROUTE_TARGETS_MAX = 32 };

/* Who sends a call elsewhere by REFER: the user, or the gateway, or somebody unknown. */
struct route_referrer {
    slice    user;                   /* address-of-record; empty: none of ours */
    bool     gateway;
    uint16_t trunk;
    slice    party;                  /* who is sent there: as `user` */
};

struct route_question {
    const struct sip_message *invite;                     /* as the caller sent it */
    const struct hop         *from;
    slice    uri;                    /* who is called: its Request-URI, or the target of a forward */
    slice    forwarded_by;           /* address-of-record that forwards; empty: nobody */
    unsigned forwarder_flags;        /* USER_... of it, where its phone says whereto: what it may not call is not called */
    unsigned diversions;             /* how often so far */
    const struct route_referrer *referrer;                /* whose rights count; NULL: the caller's */
};

struct route_target {
    slice      uri;                  /* Request-URI */
    struct hop hop;
    slice      routes;               /* whole Route lines (the Path of a registration), or empty */
    uint16_t   order;                /* those of one order ring together, the lowest first */
    uint16_t   trunk;                /* of a gateway: its number (gateways.h), not its place in the configuration */
    bool       gateway;              /* a trunk: it answers to the functions of the router below */
    bool       anyhow;               /* of a gateway: takes the call though it is full (emergency) */
    bool       trusted;              /* gets the caller's identity even when that is to be hidden */
    uint8_t    reliable;             /* of a gateway: enum b2bua_reliable */
    uint8_t    forwarding;           /* enum config_diverted: how it is told who forwarded the call */
    int64_t    patience_ns;          /* of a gateway: silent for so long, the next one is tried; 0: as long as timer B */
    slice      from, to;             /* without tag, in the place of the caller's; may be empty */
    slice      asserted;             /* in the place of the route's; may be empty */
};

/* Borrowed until the question's caller returns. */
struct route {
    unsigned status;                 /* 0: call the targets; else refuse with it */
    slice    phrase;                 /* empty: that of the code */
    slice    headers;                /* of the refusal: whole lines */
    slice    type, body;             /* of the refusal */
    struct route_target targets[ROUTE_TARGETS_MAX];
    size_t   target_count;           /* 0 with status 0: nobody to be reached: forward, or 480 */
    slice    caller;                 /* the caller's address-of-record; or what else its calls are counted by, that begins
                                      * with a control character; may be empty */
    uint32_t caller_calls_max;       /* that it may have at once: 503 for more; 0: as many as come */
    slice    asserted;               /* P-Asserted-Identity that we vouch for, or empty */
    bool     caller_trusted;         /* what the caller asserts itself may pass */
    bool     caller_hides;           /* as if it had said Privacy: id and were called Anonymous */
    bool     by_gateway;             /* the caller is this one: it may challenge us, too */
    uint16_t caller_trunk;
    slice    called;                 /* address-of-record of a user of ours, or empty */
    unsigned flags;                  /* of the called user: USER_... */
    slice    forward[USER_FORWARDS]; /* its wishes: URIs, or empty */
    int64_t  no_answer_ns;           /* 0: that of b2bua_settings */
    uint32_t calls_max;              /* at once for the called user; 0: that of b2bua_settings */
};

/* What a gateway said to a call in the end, or did not say. */
struct route_outcome {
    uint16_t status;
    bool     local;                  /* ours: 408 when nothing came, 503 when nothing could be sent */
    bool     rang;                   /* 18x came before */
    int64_t  retry_after_ns;         /* 0: it does not say */
};

/* All but `route` may be NULL, and all but the first four are about gateways; without `next` the next one is tried after
 * 500, 502, 503, 504 and what is local, and after none that rang. */
struct router {
    void *ctx;
    void (*route)(void *ctx, const struct route_question *question, struct route *ret);
    /* Is the call taken however many there are, and whatever is demanded of others? An emergency call. */
    bool (*is_urgent)(void *ctx, const struct sip_message *invite);
    /* How its caller has reliable answers (enum b2bua_reliable), when not as `usual`. */
    uint8_t (*reliable)(void *ctx, uint8_t usual);
    /* An INVITE with Replaces takes a place in a call: who is it (caller, asserted, caller_trusted,
     * caller_hides, by_gateway), and may it (status)? NULL: anybody may. */
    void (*taker)(void *ctx, const struct route_question *question, struct route *ret);
    /* A call is about to be sent to it. False: it has become full, it is passed over. */
    bool (*take)(void *ctx, const struct route_target *target);
    void (*leave)(void *ctx, uint16_t trunk);
    void (*heard)(void *ctx, uint16_t trunk, const struct hop *hop, const struct route_outcome *outcome);
    /* After that outcome, is `candidate` to be tried? */
    bool (*next)(void *ctx, uint16_t trunk, const struct route_outcome *outcome, const struct route_target *candidate);
    /* Of audio, that it may be offered; none: all. Borrowed until the next call of anything. */
    struct sdp_codecs (*codecs)(void *ctx, uint16_t trunk);
    /* Header lines that answer its challenge of our request. False: there are none. */
    bool (*credentials)(void *ctx, uint16_t trunk, const struct sip_message *challenge, const struct sip_message *request,
                        struct out *o);
};

#endif
