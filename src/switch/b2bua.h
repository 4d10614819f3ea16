/* switch/b2bua.h - the back-to-back user agent: two dialogs that are one call (RFC 3261, 3262,
 * 3264, 3311, 3326, 3515, 3891, 4028, 6026, 6337, 7044).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Hung between an endpoint's callbacks and a router. Each leg has its own Call-ID, tags, CSeq,
 * RSeq, Via and Contact; bodies and all headers that speak of the call pass unchanged, and the
 * code and phrase of B's answer are A's, except where one of the rules below changes them.
 *
 *     b2bua_request(b, s, m, from)  ...  from the endpoint's user, for INVITE and what is in a dialog
 *     b2bua_time(b, now_ns)              // when b2bua_next_ns says so
 *
 * The rules that give A another code than B's: nobody answered in time (480, or 408 when B's side
 * said nothing at all, or a gateway did not even ring), nothing could be sent to B (500), A cancelled
 * or its Expires passed (487),
 * Max-Breadth leaves no room for a branch (440), a redirection that was followed leads back
 * (482) or was one too many (480), a code was made a global one (600, 606), a forward
 * took over (B's code stays with B), forking chose another branch's code (16.7), a gateway
 * refused our credentials (its 401 or 407, of which A knows nothing, is 403; the challenge of a
 * user's phone passes as it is), the next gateway was tried (as router.h says),
 * the media relay refused an SDP (488) or is required and away (503), no codec of an offer is
 * allowed (488 with Warning 305), what is required or demanded is not there (420, 421), the session
 * interval is too small (422), resources are not (580, 504). A refusal that is ours has a Reason
 * (Q.850, RFC 6432). A transfer is a new call of its own, of the party that stays and the target
 * (b2bua_transfer.c).
 * Privacy (RFC 3323, 3325): Via, Contact and Call-ID are always our own; id keeps asserted
 * identities from who is not trusted, user makes From anonymous and takes out what else tells of
 * the caller, history and header what tells of forwards, none undoes a user's wish to hide, critical is 500
 * when what is asked for beside it cannot be had.
 * Owns its calls; one worker has one. Bounded by calls_max: 503 beyond. */
#ifndef SWITCH_B2BUA_H
#define SWITCH_B2BUA_H

#include "base/tally.h"
#include "switch/endpoint.h"
#include "switch/media_relay.h"
#include "switch/router.h"

struct b2bua;

/* Zero leaves to the two phones what they agree on, from end to end. */
enum b2bua_timer {                   /* session timers (RFC 4028) */
    B2BUA_TIMER_THROUGH,             /* what the phones agree on is obeyed */
    B2BUA_TIMER_ANSWER,              /* each leg by itself, when its phone asks */
    B2BUA_TIMER_ASK,                 /* we ask, and refresh the leg of a phone that knows of none */
    B2BUA_TIMER_DEMAND               /* the same, but a caller that knows of none gets 421 */
};
enum b2bua_reliable {                /* reliable provisional answers (RFC 3262) */
    B2BUA_RELIABLE_THROUGH,
    B2BUA_RELIABLE_OFF,              /* who requires them gets 420 */
    B2BUA_RELIABLE_LEG,              /* each leg by itself: B's are acknowledged by us */
    B2BUA_RELIABLE_DEMAND            /* as through, but a caller that knows of none gets 421 */
};
enum b2bua_preconditions {           /* RFC 3312, 4032 */
    B2BUA_PRECONDITIONS_THROUGH,
    B2BUA_PRECONDITIONS_OFF,         /* who requires them gets 420 */
    B2BUA_PRECONDITIONS_ACT          /* A hears no ringing before its resources are there; see b2bua_precondition.c */
};
enum b2bua_transfer { B2BUA_TRANSFER_SERVER, B2BUA_TRANSFER_THROUGH, B2BUA_TRANSFER_OFF };

/* A dialog as its messages name it: Call-ID, and the tag of whoever sent its INVITE. */
struct b2bua_leg_name {
    slice call_id, caller_tag;
};
/* The INVITE of `further` left for the call that `first` began: a fork, a forward, a transfer, too. */
struct b2bua_observer {
    void *ctx;
    void (*joined)(void *ctx, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further);
};

struct b2bua_settings {
    struct hash_seed seed;
    uint32_t calls_max;              /* at once (100,000) */
    uint32_t user_calls_max;         /* of one user at once; 0: as many as come */
    struct tally *lines;             /* calls are counted there, with those of other workers; NULL: alone.
                                      * It outlives the b2bua */
    int64_t  no_answer_ns;           /* from its first 18x on, until a forward or 480 (60 s) */
    int64_t  ring_ns;                /* from the first 18x of all on, forwards included: 480 (3 min) */
    int64_t  proceeding_ns;          /* without ringing, after the last 1xx: timer C, 408 (3 min) */
    int64_t  duration_max_ns;        /* of a call (24 h) */
    unsigned diversions_max;         /* forwards of one call (5) */
    uint8_t  session_timer, reliable, preconditions;      /* enum b2bua_timer, _reliable, _preconditions */
    uint32_t session_expires_s, session_expires_min_s;    /* what we ask for (1800); less than that is 422 (90) */
    unsigned do_not_disturb;         /* what callers of a user get who wants no calls (480) */
    unsigned forwards_max;           /* Max-Forwards of a call that does not say (70) */
    bool     silent_forwards;        /* no 181, whatever the user wants */
    bool     no_reason;              /* no Reason in refusals of ours */
    bool     no_privacy;             /* a Privacy header passes, and nothing is done about it */
    int64_t  queue_ns;               /* that a call to a user with all its calls waits for a place; 0: 486 at once */
    struct sdp_codecs codecs;        /* of audio in offers; none: all. 488 when nothing is left. Borrowed */
    unsigned forks_max;              /* phones that ring at the same time for one call (10) */
    bool     follow_redirects;       /* a 3xx of a user's phone is followed and not passed on */
    bool     global_codes;           /* 600 and 606 for 486 and 488 that hold for every phone of a user */
    slice    server;                 /* Server and User-Agent; empty: none is written */
    struct media_relay *media;       /* SDP of calls that begin passes by it; NULL: as it is. It outlives the b2bua */
    bool     media_required;         /* no relay, no call (503); else SDP passes as it is then */
    enum b2bua_transfer transfer;    /* of REFER: carried out here, passed on, refused (403) */
    struct b2bua_observer observer;
};

struct b2bua_counts {
    uint64_t calls, answered, refused, cancelled, forwarded, failed_over;
    uint64_t challenged;             /* challenges of gateways that we answered */
    uint64_t unacknowledged;         /* 2xx without ACK: both legs ended */
    uint64_t unpracked;              /* reliable 1xx without PRACK: 504 */
    uint64_t expired;                /* session timer or duration_max_ns */
    uint64_t refreshed, unrefreshed; /* session timers, by us; ended since nobody answered that */
    uint64_t queued;                 /* waited for a place */
    uint64_t held_back;              /* ringing, until A has its resources */
    uint64_t full;                   /* refused for lack of room */
    uint64_t anchored, unanchored;   /* SDP that the relay rewrote; that passed without it */
    uint64_t unanchorable;           /* that was not passed on: the relay refused it, or is gone and required */
    uint64_t transfers, transferred; /* asked for, INVITE with Replaces among them; that came about */
    uint64_t live, live_max;
};

/* The strings of settings are borrowed until others are set, or for its life. */
struct b2bua *b2bua_new(const struct b2bua_settings *settings, struct endpoint *endpoint, const struct router *router,
                        int64_t now_ns);
struct b2bua *b2bua_free(struct b2bua *b);
/* On reload. Calls that are there keep their media relay, and what was counted for them when they
 * began; the seed stays. The endpoint's times are read again. */
void b2bua_set(struct b2bua *b, const struct b2bua_settings *settings);
/* How many b2bua_set there were when the oldest call that lives began; without a call: so far. */
uint32_t b2bua_sets_seen(const struct b2bua *b);

/* From the endpoint's user. Requests: an INVITE, or anything with a To tag but REGISTER. */
void b2bua_request(struct b2bua *b, struct server_transaction *s, const struct sip_message *m, const struct hop *from);
void b2bua_cancelled(struct b2bua *b, struct server_transaction *s, const struct sip_message *cancel);
void b2bua_acknowledged(struct b2bua *b, const struct sip_message *ack, const struct hop *from);
/* These return false when the transaction is not one of a call. */
bool b2bua_response(struct b2bua *b, struct client_transaction *c, const struct sip_message *m, const struct hop *from);
bool b2bua_failed(struct b2bua *b, struct client_transaction *c, enum endpoint_failure why);
void b2bua_server_ended(struct b2bua *b, struct server_transaction *s);
void b2bua_client_ended(struct b2bua *b, struct client_transaction *c);

void    b2bua_time(struct b2bua *b, int64_t now_ns);
int64_t b2bua_next_ns(const struct b2bua *b);

/* Does it belong to a call that is there? */
bool b2bua_knows(struct b2bua *b, const struct sip_message *request);

/* Calls of one user now, set up or talking. */
unsigned b2bua_user_calls(const struct b2bua *b, slice aor);
/* BYE or CANCEL to all; `reason` as in a Reason header. */
void b2bua_hang_up_all(struct b2bua *b, slice reason);
const struct b2bua_counts *b2bua_counts(const struct b2bua *b);
size_t b2bua_memory_bytes(const struct b2bua *b);

#endif
