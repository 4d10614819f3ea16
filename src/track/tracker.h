/* track/tracker.h - messages in the order they were seen, in; calls and registrations, out.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fed by whoever has messages: a capture, a live interface, our own switch. No I/O and no
 * clock: each message brings its time, so a day replays in seconds. Everything that follows
 * calls is an observer; nothing is a special case in here.
 *
 *     struct tracker *t = tracker_new(&settings, &observer);
 *     tracker_message(t, &unit, &message);       // in the order of capture
 *     tracker_finish(t);                         // closes what is still open, oldest first
 *     t = tracker_free(t);
 *
 * Memory is bounded by settings.memory_max_bytes: at the limit a new call is recorded as
 * 8004 (seen, not followed) and counted, and those that are followed go on undisturbed; so is
 * the one after a thousand live legs with one Call-ID, which no honest caller has. Only
 * when these grow to twice the limit are the oldest let go: a call that is not over is 8004. */
#ifndef TRACK_TRACKER_H
#define TRACK_TRACKER_H

#include "base/hash.h"
#include "call/call.h"
#include "call/registration.h"
#include "call/transaction.h"
#include "sip/sdp.h"
#include "track/seen.h"

struct media_table;

struct track_settings {              /* zero means the default in brackets */
    struct hash_seed seed;
    size_t   memory_max_bytes;       /* live state only (256 MiB) */
    uint32_t calls_max;              /* live at once (1,000,000) */
    int64_t  t1_ns;                  /* RFC 3261 T1 (500 ms); 2 s is learned per call */
    int64_t  linger_ns;              /* a finished call waits for repeats (40 s) */
    int64_t  ringing_max_ns;         /* after a 1xx, no packet at all (600 s) */
    int64_t  silence_max_ns;         /* answered, no signalling (4 h) */
    struct media_table *media;       /* whose streams belong to calls; NULL: media is not followed */
    int64_t  media_stop_ns;          /* answered, there was media, and no more (60 s): 8100 */
    int64_t  media_sparse_ns;        /* the same with silence suppression; and none ever came (300 s) */
    int64_t  media_grace_ns;         /* then a BYE may still come (60 s) */
    bool     no_join;                /* each leg is a session of its own */
    slice    join_header;            /* where a leg has it, it alone decides; borrowed */
};

/* What a message was to the tracker; borrowed, valid in the call only. Exactly one of call,
 * registration and transaction is set, or none when the tracker was full. */
struct track_sighting {
    const struct wire_unit   *unit;
    const struct sip_message *message;
    const struct sdp         *sdp;   /* of a new message or a hop copy of a call; NULL: none */
    const struct call        *call;
    const struct registration *registration;
    const struct transaction *transaction;
    enum seen_kind kind;
    bool from_callee;                /* its request's direction */
};

/* Any may be NULL. `closed` returns true when it takes the record over and will free it. */
struct track_observer {
    void *ctx;
    void (*message)(void *ctx, const struct track_sighting *sighting);
    void (*call_opened)(void *ctx, const struct call *c);
    void (*call_changed)(void *ctx, const struct call *c);       /* its state changed */
    /* All legs of a session, in the order in which they began, before each is closed: the moment
     * to diagnose them. A leg that stands alone is a session of one. */
    void (*session_closing)(void *ctx, struct call *const *legs, size_t count);
    bool (*call_closed)(void *ctx, struct call *c);
    /* What the network refused, summed up; at the end of the input. */
    void (*incident)(void *ctx, const struct incident *incident);
    /* Its state changed, or it was refused again. Who likes may diagnose it then. */
    void (*registration_changed)(void *ctx, struct registration *r);
    bool (*registration_closed)(void *ctx, struct registration *r);
    bool (*transaction_closed)(void *ctx, struct transaction *t);
};

struct track_counts {
    uint64_t calls, registrations, transactions;      /* opened */
    uint64_t live_calls_max;
    uint64_t not_followed;           /* calls beyond the limits, and those let go */
    uint64_t unassigned;             /* messages that could not be kept: full, or no Call-ID */
};

struct tracker;
struct tracker *tracker_new(const struct track_settings *settings, const struct track_observer *observer);
struct tracker *tracker_free(struct tracker *t);
void   tracker_message(struct tracker *t, const struct wire_unit *unit, const struct sip_message *m);
/* Whoever made both legs says that they are one call; each is named by its Call-ID and its caller's
 * tag. Also with settings.no_join. False: one of them is not followed, or there is no room. */
struct track_leg_name {
    slice call_id, caller_tag;
};
bool   tracker_join(struct tracker *t, const struct track_leg_name *one, const struct track_leg_name *other);
/* All legs of the live call's session so far, live and ended, in the order in which they began:
 * their number, SESSION_LEGS_MAX (session.h) at most. They may be diagnosed once all are over. */
size_t tracker_session(const struct tracker *t, const struct call *c, struct call **ret_legs);
/* The network refused a packet: kept for the calls that it concerns. */
void   tracker_incident(struct tracker *t, const struct wire_incident *incident);
void   tracker_time(struct tracker *t, int64_t now_ns);   /* timers that are due; messages do this too */
void   tracker_finish(struct tracker *t);
const struct track_counts *tracker_counts(const struct tracker *t);
size_t tracker_memory_bytes(const struct tracker *t);     /* of what is live */

#endif
