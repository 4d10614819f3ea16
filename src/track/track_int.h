/* track/track_int.h - what the files of this folder share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACK_INT_H
#define TRACK_INT_H

#include "base/map.h"
#include "base/timers.h"
#include "track/incidents.h"
#include "track/tracker.h"

/* What a record may keep of text beside its identity: a call that never ends stays small. */
#define TRACK_TEXT_MAX 32768u
/* Call-IDs of calls that were not followed, the newest of each slot: each is counted once. */
#define TRACK_REFUSED_SLOTS 16384u
#define TRACK_REFUSED_BYTES 256u     /* of a Call-ID; a longer one is counted anew each time */

/* What is live has a timer, stands in a map by Call-ID and in a list by age. The key stands
 * beside the node: a look-up touches no more of what it passes by. */
struct live {
    struct map_node by_call_id;
    slice           call_id;         /* borrows from the record */
    struct timer    timer;
    struct list     by_age;
    int64_t         deadline_ns;     /* the true one; the timer may be set earlier */
    uint32_t        counted_bytes;   /* what tracker.memory_bytes holds for it */
    uint8_t         kind;            /* enum live_kind */
};
enum live_kind { LIVE_LEG, LIVE_REGISTRATION, LIVE_TRANSACTION, LIVE_KINDS };

struct tracker {
    struct track_settings settings;
    struct track_observer observer;
    struct track_counts   counts;
    struct map            maps[LIVE_KINDS];
    struct list           ages[LIVE_KINDS];
    struct incidents      incidents;
    struct map            joins;     /* struct join_key of live legs */
    struct timers         timers;
    size_t                memory_bytes;
    uint64_t              live_calls;
    uint64_t              next_call, next_registration, next_transaction, next_session;
    int64_t               now_ns;
    char                 *refused[TRACK_REFUSED_SLOTS];   /* Call-IDs, NUL-ended; each owned */
};

#define live_item(live_ptr, type) ((type *)((char *)(live_ptr) - offsetof(type, live)))

bool track_may_grow(const struct tracker *t);
int  track_enter(struct tracker *t, struct live *l, enum live_kind kind, slice call_id,
                 uint64_t hash, int64_t deadline_ns);      /* 0 or -ENOMEM: nothing entered */
void track_leave(struct tracker *t, struct live *l);
void track_recount(struct tracker *t, struct live *l, size_t bytes);
/* Moves the deadline; the timer itself only when it must ring earlier. */
void track_until(struct tracker *t, struct live *l, int64_t deadline_ns);
void track_tell(const struct tracker *t, const struct track_sighting *sighting);

uint64_t track_hash(const struct tracker *t, slice call_id);
/* The copy, or an empty slice when memory is short or the arena holds TRACK_TEXT_MAX. */
slice track_keep(struct arena *a, slice text);
/* The same in place of what was kept before; nothing is copied when it says the same. */
void  track_keep_newer(struct arena *a, slice *kept, slice text);
static inline bool track_text_full(const struct arena *a) { return a->total_bytes >= TRACK_TEXT_MAX; }
/* RSeq of a reliable provisional response (RFC 3262), else 0. */
uint32_t track_rseq(const struct sip_message *m);
int64_t  track_max(int64_t a, int64_t b);

/* False: this message is none of theirs. */
bool track_leg_message(struct tracker *t, const struct wire_unit *u, const struct sip_message *m);
bool track_registration_message(struct tracker *t, const struct wire_unit *u, const struct sip_message *m);
bool track_transaction_message(struct tracker *t, const struct wire_unit *u, const struct sip_message *m);

void track_leg_due(struct tracker *t, struct live *l);
void track_registration_due(struct tracker *t, struct live *l);
void track_transaction_due(struct tracker *t, struct live *l);
/* `at_end`: the input is over. */
void track_leg_close(struct tracker *t, struct live *l, bool at_end);
void track_leg_let_go(struct tracker *t, struct live *l);          /* to save memory */
void track_registration_close(struct tracker *t, struct live *l, bool at_end);
void track_transaction_close(struct tracker *t, struct live *l, bool at_end);

#endif
