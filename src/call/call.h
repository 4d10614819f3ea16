/* call/call.h - the record of one call leg: what a call is, whoever saw or placed it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One leg is one Call-ID with one caller's tag. The tracker fills it while messages come;
 * afterwards it belongs to whoever took it from the observer's `closed`. It stands in
 * its own arena with all its text, so a finished leg is one block of about 1.3 kB.
 * Times are nanoseconds since 1970 UTC, 0: did not happen or was not seen. Nothing is
 * collapsed: the last progress, the final code, the phrase, Reason and who ended it stand
 * side by side (DESIGN.md 2). */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "base/address.h"
#include "base/arena.h"
#include "base/list.h"
#include "call/facts.h"
#include "call/flow.h"
#include "call/state.h"
#include "call/stream.h"
#include "call/trace.h"
#include "call/verdict.h"
#include "sip/message.h"
#include "wire/wire.h"

#define CALL_CODES_MAX 64            /* distinct response codes counted apart; more: one sum */

enum call_side { CALL_NOBODY, CALL_CALLER, CALL_CALLEE, CALL_SERVER, CALL_NETWORK, CALL_SIDES };

enum call_ack {                      /* of the 2xx to the first INVITE */
    CALL_ACK_NONE,                   /* not answered */
    CALL_ACK_SEEN,
    CALL_ACK_LATE,                   /* after the 2xx had to be sent again */
    CALL_ACK_LOST,                   /* never seen although there was time for it */
    CALL_ACK_WAITING,                /* the capture ended too soon to tell */
};

struct call_code_count {
    uint16_t code;
    uint16_t count;
};

/* What showed that a leg belongs to a session that another began, strongest first. */
enum call_join {
    CALL_JOIN_NONE, CALL_JOIN_HEADER /* as configured */, CALL_JOIN_SESSION_ID, CALL_JOIN_ICID,
    CALL_JOIN_SDP, CALL_JOIN_CALL_ID, CALL_JOIN_ANY_HEADER, CALL_JOIN_RTP, CALL_JOIN_NUMBERS,
    CALL_JOIN_SERVER /* the server that made both told it */,
    CALL_JOINS
};
slice call_join_name(enum call_join join);                /* "session-id", empty for none */

struct call_party {                  /* From and To of the first INVITE, whoever sent it */
    slice uri, user, display, tag;
};

/* What every message touches stands first and together: a busy tracker waits for memory. */
struct call {
    slice    call_id;
    struct call_party from, to;      /* to.tag: of the dialog that was answered, or the last early one */
    int64_t  last_ns, first_response_ns;
    uint64_t last_frame;
    uint32_t messages;               /* distinct ones */
    uint32_t retransmissions, copies;
    uint8_t  state;                  /* enum call_state */
    uint8_t  transport;              /* enum wire_transport */
    uint8_t  ended_by;               /* enum call_side */
    uint8_t  ack;                    /* enum call_ack */
    struct call_code_count *codes;   /* distinct responses, in order of appearance */
    uint16_t code_count, code_room, codes_beyond;
    uint16_t methods[SIP_METHODS];   /* distinct requests */
    uint16_t final;                  /* last final response to the INVITE, 0: none */
    uint16_t last_progress;          /* last 101 to 199, 0: none */
    uint16_t last_trying;            /* 100 when one came */
    uint16_t challenge;              /* 401 or 407 that was answered with credentials, 0: none */
    uint16_t reinvite_final;         /* last final response to a re-INVITE */
    uint16_t bye_final, cancel_final;
    uint16_t q850;                   /* of the last Reason header, 0: none */
    uint16_t reason_sip;             /* Reason: SIP;cause= */
    uint16_t reinvites, attempts, forks;      /* attempts: INVITEs with another CSeq; forks: branches beyond the first */
    uint16_t held, forwarded, transfers, diversions;
    uint16_t surprises;              /* events the state table does not expect */
    uint16_t flaws;                  /* breaches of grammar in its messages */
    uint16_t replies_after_answer;   /* times that the 2xx had to be sent again */
    uint16_t refreshes;              /* re-INVITE or UPDATE without a change */
    uint16_t transfer_status;        /* last status a NOTIFY reported, 0: none */
    uint32_t session_expires_s;      /* agreed in the 2xx, 0: none */

    bool answered, early_media, on_hold, reliable;    /* reliable: a 1xx with RSeq */
    bool partial;                    /* its beginning was not captured */
    bool open_at_end;                /* the capture ended before the call did */
    bool slow_timers;                /* T1 is 2 s here (VoLTE): 128 s in place of 32 */
    bool crossed;                    /* CANCEL crossed the answer, or BYE crossed BYE */
    bool emergency;                  /* urn:service:sos, or 112/911 with a 380 */
    bool tables_full;                /* some limit was reached: the counts are a lower bound */

    struct address caller_addr, callee_addr;    /* of the first hop seen */
    int64_t invite_ns, progress_ns, ringing_ns, answered_ns, ack_ns, cancel_ns, bye_ns,
            ended_ns;                /* progress: first 18x; ringing: first 180 */
    uint64_t first_frame, final_frame, bye_frame;
    uint64_t index;                  /* order of opening, from 1 */
    uint64_t session;                /* same for all legs joined into one session */

    slice request_uri, user_agent, server;
    slice reason;                    /* phrase of the final response as sent */
    slice reason_text;               /* text parameter of the last Reason header */
    slice refer_to, replaces;        /* target of a REFER; Call-ID that a Replaces header named */
    slice redirect_to;               /* Contact of a 3xx */
    slice session_id, icid;          /* Session-ID, P-Charging-Vector icid-value */

    struct call_facts    *facts;     /* its own memory; NULL: nothing of the kind was seen, or diagnosed */
    struct call_verdicts *verdicts;  /* in the arena; NULL: not diagnosed */
    struct call_flow flow;           /* zero: not compared, or none is near */
    struct trace  trace;             /* its own memory; empty after diagnosis */
    uint8_t  join;                   /* enum call_join: why it belongs to its session */
    uint8_t  join_score;             /* of 100; 0: the first leg, or alone */
    struct call_media media;
    struct list  streams;            /* struct stream by in_list, in order of appearance; owned */

    struct arena arena;
    struct list  in_list;            /* free for the owner */
};

struct call *call_new(void);         /* NULL: no memory */
struct call *call_free(struct call *c);
/* Its facts, made when there are none; NULL: no memory. */
struct call_facts *call_facts(struct call *c);
/* It was diagnosed: what only diagnosis needed is freed. */
void         call_forget(struct call *c);
size_t       call_memory_bytes(const struct call *c);     /* its streams included */
/* Takes a stream over, in order of appearance. */
void         call_add_stream(struct call *c, struct stream *s);

/* The one place that changes state. False: the table does not expect it; counted. */
bool call_step(struct call *c, enum call_event event);
/* A distinct response was seen. */
void call_count_response(struct call *c, uint16_t code);

/* The state as people are told it. A code is always a pair (family, number). */
enum call_list { CALL_LIST_ACTIVE, CALL_LIST_COMPLETED, CALL_LIST_UNMONITORED, CALL_LISTS };
struct call_status {
    slice          family;           /* "monitor" or "sip" */
    uint16_t       code;
    slice          name;             /* "Completed", "Busy Here": never translated */
    enum call_list list;
};
struct call_status call_status(const struct call *c);
/* The phrase of a SIP code; of one that nobody registered the name of its class (8.1.3.2). */
slice call_code_name(uint16_t code);
slice call_list_name(enum call_list list);                /* "completed" */
slice call_side_name(enum call_side side);                /* "caller", empty for nobody */
slice call_ack_name(enum call_ack ack);                   /* "seen", empty for none */

/* Oki-Toki's view: the last response that means something: "0", "100", "18X" when it rang or
 * progressed and nobody answered, else the final code. */
slice call_last_response(const struct call *c, char room[8]);

/* Durations in nanoseconds, negative: unknown. */
int64_t call_pdd_ns(const struct call *c);                /* INVITE to the first 18x or the 2xx */
int64_t call_ring_ns(const struct call *c);               /* first 18x to the answer or the end */
int64_t call_talk_ns(const struct call *c);               /* 2xx to BYE */
int64_t call_duration_ns(const struct call *c);           /* INVITE to the end, or the last seen */

#endif
