/* switch/bindings.h - which contacts an address-of-record has now (RFC 3261, 10.3; RFC 3327;
 * RFC 5626).
 * SPDX-License-Identifier: Apache-2.0
 *
 * In memory, bounded, without socket, file or clock: the time comes in, in ns since 1970 (UTC),
 * since what is written down must still hold after a restart. One update is done whole or not at
 * all. Observers are told of each change, so that a journal and a monitor can follow; the text
 * of one address-of-record, for a journal, is written and read here too.
 *
 *     struct bindings *b = bindings_new(&(struct bindings_settings){ .seed = seed }, now_ns);
 *     enum bindings_result r = bindings_update(b, key, fields, count, &order, now_ns);
 *     const struct bindings_aor *aor = bindings_find(b, key);
 *     size_t n = bindings_targets(aor, targets, ARRAY_LEN(targets));
 *
 * The key is canonical: "user@host", the user unescaped, the host in lower case, no port, no
 * parameters (bindings_key). sip: and sips: of one user are one address-of-record. */
#ifndef SWITCH_BINDINGS_H
#define SWITCH_BINDINGS_H

#include "base/hash.h"
#include "base/out.h"
#include "wire/hop.h"

enum {
    BINDINGS_KEY_MAX = 320,
    BINDINGS_TEXT_MAX = 2048,        /* all text of one contact; its User-Agent and params are cut to fit */
    BINDINGS_CHANGES_MAX = 32,       /* contacts of one update */
    BINDINGS_AOR_MAX = 64            /* contacts of one address-of-record, whatever the settings say */
};

struct bindings;
struct bindings_aor;
struct binding;

enum {                               /* any of these together */
    BINDING_BY_HOP = 1,              /* reached only by the hop it came by: NAT, or a flow */
    BINDING_OUTBOUND = 2             /* its flow is one of RFC 5626: instance and reg-id name it */
};

/* One contact: what goes in, and what comes out. */
struct binding_fields {
    slice    uri;
    slice    path;                   /* list text of Path, top first; or empty */
    slice    call_id, user_agent;
    slice    instance;               /* +sip.instance without quotes: <urn:uuid:...>; or empty */
    slice    params;                 /* the rest of the contact's parameters, from the first ';' on */
    uint32_t cseq, reg_id;           /* reg_id 0: none */
    uint16_t q_thousandth;
    uint8_t  flags;                  /* BINDING_... */
    int64_t  expires_ns;             /* when; not later than now takes the contact away */
    struct hop hop;                  /* it came by; its remote is the "received" address */
    /* Coming out only: */
    uint64_t id;                     /* stays with a contact that is refreshed, never given twice */
    int64_t  since_ns, refreshed_ns;
    unsigned failures;               /* keep-alives in a row without an answer */
};

enum binding_change { BINDING_ADDED, BINDING_REFRESHED, BINDING_REMOVED };
enum binding_reason {
    BINDING_ASKED,                   /* by a REGISTER */
    BINDING_EXPIRED,
    BINDING_REPLACED,                /* by another contact of the same place */
    BINDING_FLOW_LOST,               /* its connection is gone, or the edge said 430 */
    BINDING_UNREACHABLE,             /* does not answer keep-alives */
    BINDING_BY_OPERATOR,
    BINDING_RESTORED                 /* read from a record */
};
slice binding_reason_name(enum binding_reason reason);    /* "flow-lost" */

/* Called within the call that changes something, for each contact and then once for the whole;
 * the table may be asked, not changed. Either may be NULL. */
struct bindings_observer {
    void *ctx;
    void (*contact)(void *ctx, slice key, const struct binding *binding, enum binding_change change,
                    enum binding_reason reason);
    /* `aor` NULL: no contact is left. times_only: a refresh in which only times and CSeq are new.
     * Not called for what was restored. */
    void (*aor)(void *ctx, slice key, const struct bindings_aor *aor, bool times_only);
};

enum bindings_ping { BINDINGS_PING_NONE, BINDINGS_PING_BY_HOP, BINDINGS_PING_ALL };

struct bindings_settings {
    struct hash_seed seed;           /* secret */
    uint32_t contacts_max;           /* in all; 0: 2,000,000 */
    enum bindings_ping ping;         /* who gets keep-alives */
    int64_t  ping_every_ns;          /* 0: 30 s */
    void *ctx;
    bool (*is_pinged_here)(void *ctx, slice key);         /* NULL: all are; else another worker does it */
};

struct bindings *bindings_new(const struct bindings_settings *settings, int64_t now_ns);
struct bindings *bindings_free(struct bindings *b);
/* Keep-alives as these say, of all contacts; the rest of the settings stays. */
void bindings_set(struct bindings *b, const struct bindings_settings *settings, int64_t now_ns);
/* Up to BINDINGS_OBSERVERS_MAX. False: no more. */
enum { BINDINGS_OBSERVERS_MAX = 4 };
bool bindings_observe(struct bindings *b, const struct bindings_observer *observer);

/* The key of a sip: or sips: URI into a buffer. False: another scheme, no user, too long, or a
 * control character in it. */
bool bindings_key(slice uri, char buffer[BINDINGS_KEY_MAX], slice *ret);

/* ---- changing ---- */

enum bindings_result {
    BINDINGS_DONE,
    BINDINGS_OUT_OF_ORDER,           /* same Call-ID, CSeq not higher (10.3, 6 and 7): 500 */
    BINDINGS_TOO_MANY,               /* of this address-of-record: 403 */
    BINDINGS_TOO_LONG,               /* texts: 403 */
    BINDINGS_FULL,                   /* in all: 503 */
    BINDINGS_NO_MEMORY               /* 500 */
};

/* All of them or none. Contacts are the same by +sip.instance and reg-id when both have them,
 * otherwise by URI (19.1.4). `aor_max` 0: BINDINGS_AOR_MAX. */
enum bindings_result bindings_update(struct bindings *b, slice key, const struct binding_fields *fields, size_t count,
                                     unsigned aor_max, int64_t now_ns);
/* "Contact: *". */
enum bindings_result bindings_clear(struct bindings *b, slice key, slice call_id, uint32_t cseq, int64_t now_ns);
/* One, or all, without being asked; how many. */
size_t bindings_remove_id(struct bindings *b, slice key, uint64_t id, enum binding_reason reason, int64_t now_ns);
size_t bindings_remove_all(struct bindings *b, slice key, enum binding_reason reason, int64_t now_ns);
/* A connection is gone: contacts reached only by it go; the others lose its number. How many went. */
size_t bindings_hop_lost(struct bindings *b, const struct hop *hop, int64_t now_ns);

/* Expires what is due, and returns a contact that is due for a keep-alive, or NULL: call it until
 * then. The next is due in ping_every_ns, whatever comes of this one. */
const struct binding *bindings_time(struct bindings *b, int64_t now_ns);
int64_t bindings_next_ns(const struct bindings *b);       /* INT64_MAX: nothing to wait for */
/* What came of a keep-alive: failures in a row, 0: it is alive, or gone by now. */
unsigned bindings_pinged(struct bindings *b, uint64_t key_hash, uint64_t id, bool answered);

/* ---- asking ---- */

const struct bindings_aor *bindings_find(const struct bindings *b, slice key);
slice    bindings_aor_key(const struct bindings_aor *aor);
unsigned bindings_aor_count(const struct bindings_aor *aor);
const struct binding *bindings_aor_next(const struct bindings_aor *aor, const struct binding *after);  /* NULL: first */

slice binding_key(const struct binding *binding);
uint64_t binding_key_hash(const struct binding *binding);
void  binding_read(const struct binding *binding, struct binding_fields *ret);       /* borrows from it */
/* By hash of its key and its id, which no two have; NULL: gone. */
const struct binding *bindings_by_id(const struct bindings *b, uint64_t key_hash, uint64_t id);
/* Does any contact still live on this connection? No: a request for it gets 430 (RFC 5626, 11). */
bool  bindings_flow_is_alive(const struct bindings *b, const struct hop *hop);

/* Whom to call: by q, then the latest first. Contacts of one instance stand together; all but the
 * first of them are alternatives: to be tried when the one before fails by 408, 430 or a lost
 * hop, never beside it (RFC 5626, 7). How many; `aor` may be NULL. */
struct binding_target {
    const struct binding *binding;
    bool                  is_alternative;
};
size_t bindings_targets(const struct bindings_aor *aor, struct binding_target *ret, size_t room, int64_t now_ns);

size_t bindings_count(const struct bindings *b);          /* contacts */
size_t bindings_aors(const struct bindings *b);
size_t bindings_memory_bytes(const struct bindings *b);   /* what malloc adds included */
void   bindings_debug(const struct bindings *b, struct out *o, int64_t now_ns);

/* ---- all of them, in slices ---- */

/* A walk goes on over changes in between: what is there from begin to end comes exactly once. */
struct bindings_walk {
    struct bindings      *bindings;
    const struct bindings_aor *next;
    struct bindings_walk *other;
};
void bindings_walk_begin(struct bindings *b, struct bindings_walk *ret);
const struct bindings_aor *bindings_walk_next(struct bindings_walk *walk);           /* NULL: the end */
void bindings_walk_end(struct bindings_walk *walk);       /* needed in any case */

/* ---- records for a journal ---- */

/* One address-of-record as bytes; `aor` NULL: a record that says it has no contact. The bytes
 * bring their version, not their length nor a checksum. */
void bindings_write(slice key, const struct bindings_aor *aor, struct out *o);
/* Takes the place of what there is under that key. What has expired is left out; `hop` (or NULL)
 * says whether a hop can be used still, and may correct it. Connections are gone, so what was
 * reached only by one is left out. 0, -EBADMSG, -ENOSPC, -ENOMEM; then nothing has changed. */
int  bindings_restore(struct bindings *b, slice record, bool (*hop)(void *ctx, struct hop *hop), void *ctx,
                      int64_t now_ns);

/* The same for another table of this process, whose connections are the same: bindings_follow makes
 * it say what this one says. */
void bindings_tell(slice key, const struct bindings_aor *aor, struct out *o);
int  bindings_follow(struct bindings *b, slice record, slice *ret_key, int64_t now_ns);

#endif
