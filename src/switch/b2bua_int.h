/* switch/b2bua_int.h - a call, its legs, branches and relays. Private.
 * SPDX-License-Identifier: Apache-2.0
 *
 *        A  ---- leg a ----  call  ---- branch ---- leg (early dialog)  ----  B
 *                              |            '------ leg (another fork)
 *                              '-------- branch ...
 *
 * A branch is one INVITE of ours; each To tag that answers it makes a leg. One of the legs
 * becomes call->b. A relay is one request within the dialogs, from one leg to the other. */
#ifndef SWITCH_B2BUA_INT_H
#define SWITCH_B2BUA_INT_H

#include "base/list.h"
#include "base/map.h"
#include "base/wheel.h"
#include "switch/b2bua.h"
#include "switch/dialog.h"

/* Of one call: early dialogs, and requests of it under way. A peer decides how many come. */
enum { LEGS_MAX = 32, RELAYS_MAX = 64 };

/* First member of whatever is the owner of a transaction. */
enum b2bua_kind { B2BUA_CALL, B2BUA_BRANCH, B2BUA_RELAY, B2BUA_WAITING };

/* What leg a or b sends again until it is acknowledged. */
enum leg_repeat { LEG_REPEATS_NOTHING, LEG_REPEATS_1XX, LEG_REPEATS_2XX };

/* What is agreed on one leg about its session timer (RFC 4028), in 16 bytes and a few bits. */
enum session_flag {
    SESSION_OURS = 1,                /* it is we who refresh */
    SESSION_AGREED = 2,              /* the other side counts, too: without a refresh it is over */
    SESSION_KNOWS_TIMER = 4, SESSION_TAKES_UPDATE = 8,    /* what its phone can do */
    SESSION_REFRESHING = 16,         /* our refresh is under way */
    SESSION_WANTS_UAC = 32, SESSION_WANTS_UAS = 64        /* who is to refresh, in a request */
};
struct session {
    int64_t  expires_ns;             /* with interval_s 0: no timer */
    uint32_t interval_s;
    uint16_t min_s;                  /* the largest Min-SE heard, no more than 65535 */
    uint16_t wait_cs;                /* our refresh is put off by so much beyond half the interval */
};

struct leg {
    struct map_node    by_tag;       /* our tag of it */
    struct list        in_branch;
    struct b2bua_call *call;
    struct branch     *branch;       /* NULL: leg a, or another early dialog of A */
    struct leg        *other;        /* while the call is set up: the phone whose own it is; of a phone, its own */
    struct dialog      dialog;
    struct wheel_timer timer;        /* of what is repeated */
    struct server_transaction *repeated;
    int64_t  repeat_ns, repeat_end_ns;
    uint32_t invite_cseq_in;         /* of their INVITE that has a 2xx, or the first: ACK and RAck name it */
    uint32_t invite_cseq_out;        /* of our last one */
    char    *ack;                    /* type and body of our ACK when it brought the answer: repeated with it */
    size_t   ack_type_len, ack_len;
    struct session session;
    uint32_t rseq;                   /* a: the last one sent; b: the last one that came */
    uint32_t pracked_rseq, pracked_cseq;                  /* a: theirs, of the 1xx that A has before it; 0: it is ours */
    uint8_t  repeats;                /* enum leg_repeat */
    uint8_t  session_flags;          /* enum session_flag */
    bool     in_map, ended, answered;                     /* answered: b, by the first 2xx */
    bool     prack_owed;             /* a: A has a reliable 1xx before it, under `rseq` */
    bool     early_sdp;              /* a: with SDP in it */
    uint8_t  held_ring;              /* a: 18x that A is to hear later */
    bool     ack_owed;               /* a 2xx came; our ACK waits for the other side's */
    bool     bye_wanted;             /* as soon as its ACK is here */
    bool     acked_once;             /* so a repeated 2xx gets the ACK again */
    bool     answer_waits;           /* its 2xx came, and will again: A's PRACK is first */
    const char *bye_reason;          /* of the BYE that is wanted: whole header lines; NULL: none */
};

struct branch {
    uint8_t            kind;
    struct list        in_call;
    struct b2bua_call *call;
    struct client_transaction *invite;
    struct dialog      asked;        /* without remote tag */
    struct list        legs;
    uint16_t           status;       /* final; 0: none yet */
    uint16_t           local;        /* ours: 408 nothing came, 503 nothing could be sent; 0: it answered */
    uint16_t           trunk;        /* of a gateway: which */
    uint16_t           session_s;    /* the interval that B wanted at least (422); 0: it did not say */
    uint8_t            breadth;      /* its part of Max-Breadth; 0: all of it, and it need not be said */
    bool               gateway, got_any, over;
    bool               rang, challenged, taken;           /* 18x; answered a challenge; router.leave is owed */
    bool               trusted;      /* what one side asserts passes to the other when A is trusted, too */
    bool               left;         /* it rang long enough, now others of the same user do: its 6xx is for them, too */
    bool               given_up;     /* by us, and its gateway was told of: what it says now changes nothing */
    bool               anchored;     /* the last offer between A and this side went by the relay: its answer must, too */
    bool               moved;        /* its leg is one of another call now */
    struct waiting    *waiting;      /* the INVITE, while the media relay is asked about its offer */
};

/* What a request says of the session timer. */
struct session_wish {
    uint32_t interval_s;             /* 0: nothing */
    uint16_t min_s;
    uint8_t  flags;                  /* SESSION_KNOWS_TIMER, SESSION_TAKES_UPDATE, SESSION_WANTS_... */
};

struct relay {
    uint8_t            kind;
    struct list        in_call;
    struct b2bua_call *call;
    struct leg        *from, *to;    /* from NULL: ours, nobody waits for the answer */
    struct server_transaction *server;
    struct client_transaction *client;
    uint8_t            method;
    uint32_t           cseq_in, cseq_out;                 /* of the request that came, and of our INVITE */
    uint32_t           rseq;         /* of its last reliable 1xx; 0: none */
    bool               has_offer, done;                   /* done: finally answered */
    bool               challenged, cancelled;             /* a challenge was answered; its sender gave it up */
    bool               refreshes;                         /* ours, for the session timer of `to` */
    struct session_wish wish;                             /* of its sender */
    struct transfer   *transfer;     /* whose re-INVITE it is; NULL: nobody's */
};

/* B2BUA_PRECONDITIONS_ACT: what the last SDP of each side says. */
enum precondition_flag {
    PRECONDITION_A_KNOWS = 1, PRECONDITION_A_UNMET = 2,   /* a mandatory desire of A for its own side */
    PRECONDITION_B_TAKES_PART = 4, PRECONDITION_B_WAITS = 8,    /* one of B for A's side */
    PRECONDITION_FAILED = 16
};

/* A call that waits for a place: b2bua_queue.c. */
struct queued {
    struct list        in_queue;
    struct wheel_timer timer;
    struct b2bua_call *call;         /* NULL: it does not wait */
    int64_t            end_ns, told_ns;
};

/* What ends the setup: A's Expires; all the ringing; that of the phones called last, which the
 * others belong to, too: timer C, and the patience with a gateway. RING_REPEAT: somebody answered, A's
 * PRACK has to come first, and then the answer once more. */
enum ring_clock { RING_EXPIRES, RING_LONGEST, RING_NO_ANSWER, RING_PROCEEDING, RING_SILENCE, RING_REPEAT, RING_CLOCKS };

/* What only a call that is still without answer needs, in an arena of its own. */
struct call_setup {
    struct arena         arena;
    slice                request;    /* A's INVITE as it came */
    struct route_target *targets;    /* still to be tried */
    size_t               target_count;
    slice                called, asserted;
    struct diversion    *diverted;   /* the last one first */
    slice                forward[USER_FORWARDS];
    unsigned             flags;
    struct redirect     *redirect;   /* of the called user's phone: Contacts that are still to be tried */
    int64_t              no_answer_ns;
    int64_t              clocks[RING_CLOCKS];             /* 0: does not run */
    uint16_t             order;      /* of those that were called last */
    uint16_t             said;       /* refusal of all phones of the called user so far; 0: none, 1: several */
    bool                 rings;      /* one of those that were called last */
    bool                 demands_100rel, wants_199;       /* of A's INVITE: Require: 100rel; Supported: 199 */
    uint16_t             best_status;                     /* of the branches that are over (16.7) */
    bool                 best_is_ours;                    /* we say it, not B */
    uint32_t             line_max;   /* calls that the called user may have, this one included; 0: any number */
    struct queued        queue;
    uint8_t              cause;      /* Q.850, of our refusal; 0: that of its code */
    slice                best_phrase, best_headers, best_type, best_body;
};

enum call_phase { CALL_SETUP, CALL_ANSWERED, CALL_ENDING };

struct b2bua_call {
    uint8_t            kind;
    uint8_t            phase;        /* enum call_phase */
    bool               cancelled;    /* A or we gave up: what is answered now is ended at once */
    bool               had_offer, reliable, must_reliable;      /* of A's INVITE: SDP; 100rel is understood, required */
    uint8_t            session_timer, reliable_mode, precondition_mode;     /* as the settings were when it began */
    uint8_t            preconditions;                     /* enum precondition_flag */
    uint8_t            diversions, leg_count, breadth;    /* breadth: Max-Breadth of A's INVITE */
    uint16_t           relay_count;
    struct list        in_all, branches, relays;
    struct list        inbox;        /* messages in the order in which they came; the relay is asked about the first */
    struct waiting    *current;      /* taken from there and being handled */
    uint8_t            inbox_count;
    bool               draining, anchored;                /* anchored: the relay may know the call */
    bool               unanchorable, relay_refused;       /* why it ends: 488 when refused, else 503 */
    bool               serves;       /* it was made for its transfer, whose legs are not in it yet */
    bool               refers, handed_over;               /* a REFER came; one of its legs has gone to another call */
    uint32_t           sets_seen;    /* b2bua_set before it */
    uint32_t           anchor_number;                     /* of a transfer: the relay knows it by that, too; 0: by leg a */
    struct b2bua      *b2bua;
    struct media_relay *media;       /* its SDP passes by it; NULL: as it is */
    struct arena       arena;        /* texts of the dialogs */
    struct call_setup *setup;        /* NULL as soon as it is answered */
    struct leg         a;
    struct leg        *b;            /* the answered one; before, the last that sent an early answer */
    struct server_transaction *invite;                    /* A's, until its final answer */
    size_t             counted_bytes;                     /* of the arenas, in memory_bytes */
    struct wheel_timer timer;        /* setup: ring time; then session and duration */
    int64_t            duration_end_ns;
    struct session_sdp *sdps;        /* of legs that can be refreshed by re-INVITE only */

    bool               caller_trusted, caller_hides, waiting, by_gateway;
    uint16_t           caller_trunk;

    uint8_t            privacy;      /* PRIVACY_..., of A's INVITE */
    uint32_t           a_cseq;       /* of A's INVITE */
    struct face       *faces;        /* early dialogs of A besides leg a */
    struct tally_one  *lines[2];     /* caller, called: counted */
    struct transfer   *transfer;     /* of one of its legs, or the one that it was made for */
};

/* A forward that was taken. */
struct diversion {
    struct diversion *before;
    slice    who, target;            /* address-of-record; URI */
    uint8_t  why;                    /* enum user_forward, or DIVERTED_... */
    bool     hides;                  /* who forwarded hides its number */
};

struct b2bua {
    struct b2bua_settings settings;
    struct endpoint      *endpoint;
    struct router         router;
    struct b2bua_counts   counts;
    struct map            legs;
    struct tally         *lines;     /* calls by address-of-record; by the empty name all of them */
    struct tally         *own_lines; /* NULL: they are shared */
    struct tally_one     *counted;   /* all calls, while there are any: each has taken it once */
    struct list           calls;
    struct wheel          leg_wheel, call_wheel, queue_wheel, transfer_wheel;
    struct list           queue;     /* first come, first served */
    uint32_t              queue_count;
    int64_t               t1_ns, t2_ns, now_ns;
    uint32_t              sets;      /* b2bua_set so far */
    size_t                memory_bytes;
    uint64_t              random;
    struct out            scratch;   /* headers of an answer that is kept for later */
    struct out            offer;     /* a body whose codecs were filtered */
};

/* ---- b2bua.c ---- */
uint64_t    b2bua_random(struct b2bua *b);
int64_t     b2bua_now(struct b2bua *b);
struct leg *b2bua_find(struct b2bua *b, const struct sip_message *m);
bool        leg_is_open(const struct leg *leg);           /* requests may go there */
void        b2bua_join_map(struct leg *leg);
void        b2bua_leave_map(struct leg *leg);
void        b2bua_tell_joined(const struct b2bua_call *c, const struct dialog *further);      /* after its INVITE */
void        call_release(struct b2bua_call *c);           /* frees it when nothing holds it any more */
/* One more call of that user; false: it has max (0: any number) already. An empty name is nobody. */
bool        line_take(struct b2bua *b, slice aor, unsigned max, struct tally_one **ret);

/* One more call, of this worker and the others; false: there are calls_max, and it is not `anyhow`. One less, for each
 * that was counted. */
bool        b2bua_count_more(struct b2bua *b, bool anyhow);
void        b2bua_count_less(struct b2bua *b);

bool        setup_is_urgent(const struct b2bua *b, const struct sip_message *invite);      /* no limit holds for it */
void        in_dialog(struct leg *leg, struct server_transaction *s, const struct sip_message *m, const struct hop *from);

/* ---- b2bua_anchor.c: what waits for the media relay, and what waits behind that ---- */
enum anchor { ANCHOR_GO, ANCHOR_WAIT, ANCHOR_FAIL };
struct anchor_sdp {
    struct branch *branch;           /* the one of the two sides that is not A */
    slice          tag;              /* B's */
    bool           by_b, answers;    /* whose SDP it is; to the other's offer */
};
/* Whose message it is, for when it is handled again: leg and server, leg alone (ACK), or branch
 * or relay (response). */
struct anchor_place {
    struct leg    *leg;
    struct server_transaction *server;
    struct branch *branch;
    struct relay  *relay;
};
/* To be asked before a message with SDP has any effect. GO: handle it; its SDP is the one to send
 * on. WAIT: forget it, it comes again. FAIL: it must not be passed on (anchor_status). */
enum anchor anchor_message(struct b2bua_call *c, const struct anchor_sdp *sdp, const struct anchor_place *place,
                           const struct sip_message *m, const struct hop *from);
void anchor_change_places(struct b2bua_call *c, struct leg *one, struct leg *other);
enum anchor anchor_invite(struct branch *branch, const struct route_target *target, const struct sip_message *request);
unsigned anchor_status(const struct b2bua_call *c);       /* 488, or 503 */
void anchor_headers(const struct b2bua_call *c, struct out *o);
void anchor_refuse(struct b2bua_call *c, struct server_transaction *s);        /* with all that */
/* Of what waits: has the branch been refused, by an answer that could not be handled yet? Is there an
 * offer of one of the legs, other than the one being handled; whose? */
bool anchor_branch_is_refused(const struct branch *branch);
const struct leg *anchor_offering_leg(const struct b2bua_call *c);
bool anchor_has_final(const struct b2bua_call *c);        /* somebody has answered, and the relay is asked about it */
/* Something waits: this comes behind it. False: handle it now. */
bool anchor_queue(struct b2bua_call *c, const struct anchor_place *place, const struct sip_message *m, const struct hop *from);
bool anchor_queue_end(struct relay *r);                   /* its transaction is gone, its last answer still waits */
void anchor_drop(struct waiting *w, unsigned status);     /* a request: given up by its sender (487), or gone (0) */
void anchor_forget_relay(struct relay *r);
bool anchor_hurry_relay(struct relay *r);                 /* its answers wait no longer; false: that was its end */
void anchor_forget_branch(struct branch *branch);
void anchor_go_on(struct b2bua_call *c);                  /* what waited behind something that went with its relay */
void anchor_end(struct b2bua_call *c);                    /* the call ends: nothing waits any more, the relay lets go */
void anchor_free(struct b2bua_call *c);

/* ---- b2bua_forks.c: the early dialogs of A ---- */
/* The one in which A hears of that phone; `own`: what it says is of no other. NULL: no memory. */
struct leg *forks_early(struct leg *fork, bool own);
struct leg *forks_peer(const struct leg *leg);            /* where a request goes that comes from there; NULL: nowhere */
struct out *forks_reply(const struct leg *a, unsigned status, slice phrase);   /* server_reply, of A's INVITE */
void forks_pin(struct leg *a, bool pinned);               /* what `repeated` has just sent, until its PRACK */
void forks_repeat(struct leg *a);
void forks_ring(struct b2bua_call *c);                    /* reliable_ring of all of them */
void forks_stop(struct b2bua_call *c);                    /* nothing is repeated to A any more */
void forks_answered(struct leg *fork);                    /* its early dialog is leg a from now on */
void forks_over(struct branch *branch, unsigned status);  /* refused, and the call goes on: 199 for its early dialogs */
void forks_199(struct leg *fork, const struct sip_message *m);                 /* a proxy says so */
bool forks_bye(struct leg *from, slice reason);           /* A ends one of several; false: it is the only one */
slice forks_first_tag(const struct b2bua_call *c);        /* leg a's at the beginning: it names the call for good */
void forks_forget(struct leg *fork);
void forks_free(struct b2bua_call *c);

/* ---- b2bua_setup.c: what A asks for by its INVITE ---- */
struct b2bua_call *setup_call(struct b2bua *b, struct server_transaction *s, const struct sip_message *m);     /* s may be NULL */
bool setup_route(struct b2bua_call *c, slice uri, slice forwarded_by);
void setup_begin(struct b2bua *b, struct server_transaction *s, const struct sip_message *m, const struct hop *from);
bool setup_ask(struct b2bua_call *c, struct route_question *question, struct route *ret);
void setup_take(struct b2bua_call *c, const struct route *route);
void setup_unqueued(struct b2bua_call *c, struct tally_one *line);             /* it has waited for that; NULL: in vain */
void setup_done(struct b2bua_call *c);                    /* it is answered, or freed */

/* ---- b2bua_targets.c: whom it rings, and who is next ---- */
void setup_divert(struct b2bua_call *c, slice target, unsigned why);            /* whoever was called is not any more */
void setup_ring_time_over(struct b2bua_call *c, bool goes_on);                  /* to other phones, or a forward */

/* ---- b2bua_branch.c: one INVITE of ours, and what B says to it ---- */
void setup_response(struct branch *branch, const struct sip_message *m, const struct hop *from);
void setup_failed(struct branch *branch, enum endpoint_failure why);
void setup_invite(struct branch *branch, const struct route_target *target, slice body, bool fails);        /* anchored */
void branch_free(struct branch *branch);

/* ---- b2bua_refuse.c: A is refused ---- */
void setup_give_up(struct b2bua_call *c, unsigned status, slice reason);        /* A's answer, and CANCEL to all */
void setup_give_up_with(struct b2bua_call *c, unsigned status, slice reason, slice headers);
void setup_unanchorable(struct b2bua_call *c);
void setup_drop(struct branch *branch, unsigned status, slice reason);          /* CANCEL of it alone, as if refused so */

/* ---- b2bua_ring.c: how long all that may take ---- */
void ring_begin(struct b2bua_call *c, const struct sip_message *invite);
void ring_all(struct b2bua_call *c);                      /* the longest ringing counts from here, not from a 18x on */
void ring_called(struct b2bua_call *c, int64_t patience_ns);                    /* others than before */
void ring_pause(struct b2bua_call *c, int64_t length_ns);                       /* nobody is called; < 0: less after all */
void ring_heard(struct branch *branch, unsigned status);                        /* a 1xx */
void ring_repeat(struct b2bua_call *c);                   /* its time is over, but an answer waits */
void ring_due(struct b2bua_call *c);
void ring_stop(struct b2bua_call *c);

/* ---- b2bua_redirect.c: a 3xx that is followed ---- */
enum redirect_result { REDIRECT_PASS, REDIRECT_GOES, REDIRECT_LOOP, REDIRECT_TOO_MANY };
enum redirect_result redirect_follow(struct branch *branch, const struct sip_message *m);
bool redirect_next(struct b2bua_call *c);                 /* it came to nothing; false: there is no other Contact */

/* ---- b2bua_answer.c: what has to be acknowledged ---- */
void answer_18x(struct b2bua_call *c, struct leg *leg, const struct sip_message *m);
void answer_2xx(struct b2bua_call *c, struct leg *leg, const struct sip_message *m);
void answer_again(struct leg *leg, uint32_t cseq);        /* B repeats its 2xx of that INVITE */
void answer_prack(struct leg *from, struct server_transaction *s, const struct sip_message *m, const struct hop *hop);
void answer_ack(struct leg *leg, const struct sip_message *ack, const struct hop *hop);
void leg_repeat(struct leg *leg, enum leg_repeat what, struct server_transaction *s);
void leg_stop(struct leg *leg);
void leg_forget_ack(struct leg *leg);
void leg_due(struct leg *leg);
void leg_ack(struct leg *leg, const struct sip_message *body_of);
void leg_prack(struct leg *leg);                          /* of its last reliable 1xx, by ourselves */
bool is_reliable_1xx(const struct sip_message *m, uint32_t *ret_rseq);

/* ---- b2bua_reliable.c: what A requires, reliable 1xx by leg ---- */
/* A's INVITE: 0; or a code, with header lines. */
unsigned setup_refuses(struct b2bua_call *c, const struct sip_message *m, struct out *headers);
/* The targets are known: how their modes and A's go together. */
void reliable_meet(struct b2bua_call *c, const struct sip_message *request);
unsigned reliable_how(const struct b2bua_call *c, const struct route_target *target);     /* of the headers of its INVITE */
bool reliable_ends_here(const struct b2bua_call *c);      /* B's reliable 1xx is acknowledged by us */
bool reliable_to_a(const struct b2bua_call *c, bool from_b);                    /* A has to acknowledge it */
bool reliable_holds_answer(struct leg *leg);              /* B's 2xx has to wait (RFC 3262, 3): it comes again */
/* Where an offer in A's PRACK goes that ends here; NULL: there is none, or nobody for it. */
struct leg *reliable_offers_to(const struct leg *a, const struct sip_message *prack);
bool reliable_prack(struct leg *a, struct server_transaction *s, const struct sip_message *m);      /* with an offer: true, it is seen to */
void reliable_ring(struct leg *a);                        /* 18x that was held back, if it may */
void reliable_put(struct out *o, struct leg *a);          /* into a 1xx to A */
void reliable_sent(struct leg *a, const struct leg *fork, uint32_t rseq, bool has_sdp);     /* fork NULL: A's PRACK ends here */

/* ---- b2bua_precondition.c ---- */
void precondition_begin(struct b2bua_call *c, const struct sip_message *m);     /* A's INVITE */
/* B's 18x. False: A does not hear it; else by this status. */
bool precondition_18x(struct leg *a, const struct sip_message *m, unsigned *status);
bool precondition_request(struct leg *from, struct server_transaction *s, const struct sip_message *m);  /* true: it is answered */
void precondition_passed(struct b2bua_call *c, bool by_a, const struct sip_message *m);     /* an SDP that has gone on */
bool precondition_holds(const struct b2bua_call *c);      /* it must not ring */
void precondition_over(struct b2bua_call *c, struct relay *unanswered);         /* 580, or 504: when it holds still */
void precondition_new_callee(struct b2bua_call *c);

/* ---- b2bua_relay.c: requests within the dialogs ---- */
void relay_request(struct leg *from, struct server_transaction *s, const struct sip_message *m, const struct hop *hop);
bool relay_is_offer(const struct sip_message *request);   /* INVITE, or UPDATE with SDP */
/* An offer that runs into one that waits still gets its answer at once: true. */
bool relay_refuses(struct leg *from, struct server_transaction *s, const struct sip_message *m);
struct relay *relay_start(struct b2bua_call *c, struct leg *from, struct leg *to, struct server_transaction *s,
                          const struct sip_message *m);
void relay_response(struct relay *r, const struct sip_message *m, const struct hop *from);
void relay_failed(struct relay *r, enum endpoint_failure why);
void relay_give_up(struct relay *r);                      /* an INVITE: nobody waits for its answer any more */
void relay_free(struct relay *r);
void relay_change_places(struct b2bua_call *c, struct leg *one, struct leg *other);

/* ---- b2bua_end.c ---- */
void leg_bye(struct leg *leg, slice reason, const struct sip_message *reason_of);       /* now, or when its ACK is here */
void leg_bye_if_wanted(struct leg *leg);                  /* that is here, or will never come */
void call_end(struct b2bua_call *c, struct leg *but, slice reason, const struct sip_message *reason_of);
void end_unanchorable(struct b2bua_call *c);              /* whatever its phase */
void end_bye(struct leg *from, struct server_transaction *s, const struct sip_message *m);

/* ---- b2bua_session.c: session timers, each leg its own, and the longest duration ---- */
bool session_is_ours(const struct b2bua_call *c);         /* the timers end at us; else they pass from end to end */
/* A's INVITE: 0; or 421 or 422, with header lines. */
unsigned session_begin(struct b2bua_call *c, const struct sip_message *m, struct out *headers);
void session_ask(struct out *o, const struct branch *branch);                   /* into the INVITE to B */
bool session_invite_again(struct branch *branch, const struct sip_message *m);  /* B's 422: true, it is under way again */
void session_peer(struct leg *leg, const struct sip_message *m);                /* what its phone can do */
/* B's 2xx goes to A with that in it; then the time runs. */
void session_answer(struct out *o, struct b2bua_call *c);
void session_answered(struct b2bua_call *c, const struct sip_message *m);
/* A request within a leg that may refresh it. True: it is answered. Else *ret goes with its relay. */
bool session_request(struct leg *leg, struct server_transaction *s, const struct sip_message *m, const struct hop *hop,
                     struct session_wish *ret);
void session_relay(struct out *o, const struct leg *to);  /* into it, towards the other leg */
bool session_longer(struct leg *leg, const struct sip_message *m);             /* its 422: true, it is asked for that from now on */
void session_relayed(struct relay *r, const struct sip_message *m);             /* it has its 2xx */
void session_relay_answer(struct out *o, const struct relay *r);                /* which goes on with that in it */
/* Of a refresh of ours. True: that was all that is to be done about it. */
bool session_response(struct relay *r, const struct sip_message *m, const struct hop *from);
void session_failed(struct relay *r);
/* An SDP that is in force was sent to the leg; its phone may have to be sent it again. */
void session_keep(struct leg *leg, const struct sip_message *m);
bool session_keeps(const struct leg *leg);                /* may it have to? */
bool session_has(struct leg *leg);
void session_keep_sdp(struct leg *leg, slice type, slice body);                /* it is one */
/* Of a transfer: a leg's 2xx to our re-INVITE; it becomes one of another call; that is complete. */
void session_reinvited(struct leg *leg, const struct sip_message *m);
void session_move(struct leg *from, struct leg *to);
void session_joined(struct b2bua_call *c);
int64_t session_glare_ns(const struct leg *leg);          /* after a 491, until the next try (14.1) */
void session_forget(struct leg *leg);
void session_change_places(struct b2bua_call *c, struct leg *one, struct leg *other);
void session_due(struct b2bua_call *c);

/* ---- b2bua_trunk.c: branches and legs of gateways ---- */
bool trunk_take(struct branch *branch, const struct route_target *target);      /* false: full */
void trunk_leave(struct branch *branch);
void trunk_heard(struct branch *branch, const struct sip_message *m);           /* a final answer; NULL: branch->local */
bool trunk_goes_on(struct branch *branch);                /* are targets left to be tried? Drops those that are not */
bool trunk_would_go_on(struct branch *branch);            /* if nothing had come from it at all */
/* What A is told of a status: 403 for the challenge of a gateway. */
unsigned trunk_status(const struct branch *branch, unsigned status);
extern const slice trunk_phrase;                          /* of that 403 */
bool trunk_of(const struct leg *leg, uint16_t *ret);      /* is it a gateway's, and which */
bool trunk_refused(const struct leg *leg, unsigned status);             /* so, too, within its dialog */
/* A challenge is answered: true, and the request is under way again. */
bool trunk_invite_again(struct branch *branch, const struct sip_message *m);
bool trunk_relay_again(struct relay *r, const struct sip_message *m);

/* ---- b2bua_transfer.c: one transfer, from REFER or Replaces to its end ---- */
bool transfer_left(struct leg *from);                     /* by BYE: the rest of its call waits for the outcome */
bool transfer_asks(const struct b2bua_call *c);           /* a re-INVITE of ours is open in it */
/* What became of the call that serves one. */
void transfer_progress(struct leg *leg, const struct sip_message *m, uint32_t rseq);     /* rseq 0: not reliable */
void transfer_refused(struct b2bua_call *c, unsigned status, slice phrase);
void transfer_answered(struct b2bua_call *c, struct leg *leg, const struct sip_message *m);
void transfer_forget_relay(struct relay *r);
void transfer_call_ends(struct b2bua_call *c);            /* before BYE goes to its legs */
void transfer_over(struct b2bua_call *c);                 /* the referrer stayed: it is sent away */
void transfer_forget(struct b2bua_call *c);
void transfer_time(struct b2bua *b);

/* ---- b2bua_join.c: what became of a relay of one ---- */
void transfer_response(struct relay *r, const struct sip_message *m, const struct hop *from);
void transfer_failed(struct relay *r, enum endpoint_failure why);

/* ---- b2bua_refer.c: REFER, and what its sender hears ---- */
/* True: it is dealt with. `to`: the other leg, or NULL. */
bool transfer_request(struct leg *from, struct leg *to, struct server_transaction *s, const struct sip_message *m);
bool transfer_rights(const struct b2bua_call *c, struct route_referrer *ret);
void transfer_unheard(const struct relay *r);             /* a request of ours was refused: a NOTIFY? */

/* ---- b2bua_replaces.c: an INVITE with Replaces ---- */
bool transfer_replaces(struct b2bua_call *c, const struct sip_message *m, const struct hop *from);

/* ---- b2bua_history.c: who forwarded the call ---- */
/* `why`: enum user_forward, or its phone said so (RFC 4458: deflection) */
enum { DIVERTED_AT_ONCE = USER_FORWARDS, DIVERTED_WHILE_RINGING, DIVERTED_WHYS };
void history_add(struct b2bua_call *c, slice target, unsigned why);
void history_put(struct out *o, const struct b2bua_call *c, const struct sip_message *request, unsigned forwarding,
                 bool trusted);

/* ---- b2bua_privacy.c: what the caller asks to keep from others (RFC 3323, 3325, 7044) ---- */
enum { PRIVACY_ID = 1, PRIVACY_USER = 2, PRIVACY_HEADER = 4, PRIVACY_SESSION = 8, PRIVACY_HISTORY = 16, PRIVACY_NONE = 32,
       PRIVACY_CRITICAL = 64, PRIVACY_OTHER = 128 };
unsigned privacy_of(const struct sip_message *m);
void privacy_ask(struct out *o, unsigned privacy);         /* the header line that says so, if any */
bool privacy_is_possible(const struct b2bua *b, unsigned privacy);      /* false: critical, and not to be had */
/* Its header as the called side gets it: without what was done. */
void privacy_put(struct out *o, const struct b2bua_call *c, const struct sip_message *request);
unsigned privacy_how(const struct b2bua_call *c, const struct leg *from);      /* HEADERS_... of what `from` sends */

/* ---- b2bua_reason.c: why we refuse (RFC 6432, with the causes of RFC 3398) ---- */
enum { CAUSE_ABSENT = 20, CAUSE_NO_ANSWER = 19, CAUSE_REJECTED = 21 };
void reason_put(struct out *o, unsigned status, unsigned cause);         /* cause 0: that of the status, if it has one */

/* ---- b2bua_queue.c ---- */
bool queue_join(struct b2bua_call *c);                    /* false: it may not wait */
void queue_leave(struct b2bua_call *c);
void queue_freed(struct b2bua *b);                        /* somebody has a call less */
void queue_time(struct b2bua *b);

/* ---- b2bua_codecs.c: offers with the codecs that are allowed ---- */
/* The body of *m becomes what is left, valid until the next such question. False: nothing is. */
bool codecs_filter(struct b2bua *b, const struct branch *to, struct sip_message *m);      /* to NULL: A */
bool codecs_filter_to(const struct leg *to, struct sip_message *m);     /* the same; a gateway's own list counts for A, too */
/* B's answer brings the offer, as A's INVITE had none. */
bool codecs_are_late(const struct b2bua_call *c, const struct branch *branch, const struct sip_message *m);
slice codecs_warning(void);                                /* whole header line of that 488 */
void codecs_refuse(struct server_transaction *s);

/* ---- b2bua_headers.c ---- */
/* All that speaks of the call and not of the leg, of a request or an answer. */
enum {
    HEADERS_TRUSTED = 1, HEADERS_NO_REQUIRE = 2,
    HEADERS_NO_TIMER = 4, HEADERS_NO_100REL = 8, HEADERS_NO_PRECONDITION = 16,       /* these end at this hop */
    HEADERS_OUR_TIMER = 32, HEADERS_OUR_100REL = 64,      /* in Supported, whoever else has them */
    HEADERS_NO_PRIVACY = 128, HEADERS_ANONYMOUS = 256     /* Privacy is written anew; what tells of the caller stays here */
};
unsigned headers_how(const struct b2bua_call *c, const struct branch *b);      /* between A and b; as the settings want it, and both are trusted */
void headers_pass(struct out *o, const struct sip_message *m, unsigned how);
void headers_record_routes(struct out *o, const struct dialog *d);         /* in answers that begin a dialog */
void headers_ours(struct out *o, const struct b2bua *b, const struct hop *hop, bool is_request);       /* Contact, Server */
slice headers_type(const struct sip_message *m);          /* whole value of Content-Type */
bool headers_have_offer(const struct sip_message *m);     /* a body with SDP */

#endif
