/* call/registration.h - the record of one binding: an address-of-record at one contact.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keyed by Call-ID, AoR and Contact. A REGISTER that never got as far as a contact (refused,
 * or a mere query) has an empty contact. All text is in its own arena. */
#ifndef CALL_REGISTRATION_H
#define CALL_REGISTRATION_H

#include "base/address.h"
#include "base/arena.h"
#include "base/list.h"
#include "call/flow.h"
#include "call/state.h"
#include "call/verdict.h"

enum registration_reason { REGISTRATION_NO_REASON, REGISTRATION_ASKED, REGISTRATION_EXPIRED,
                           REGISTRATION_DISPLACED, REGISTRATION_NETWORK, REGISTRATION_REASONS };

struct registration {
    struct arena   arena;
    struct list    in_list;          /* free for the owner */
    uint64_t       index;
    slice          aor, contact, call_id, from_tag, user_agent;
    struct address client, registrar;
    uint8_t        transport;
    uint8_t        state;            /* enum registration_state */
    uint8_t        reason;           /* enum registration_reason: why it is no longer there */
    bool           challenged, all_contacts, open_at_end, tables_full;
    uint16_t       final;            /* last final response, 0: none */
    slice          phrase;
    uint16_t       surprises, flaws;
    uint32_t       requests;         /* distinct REGISTERs */
    uint32_t       refreshes;        /* 2xx that prolonged a binding that was there */
    uint32_t       failures;         /* finals of 300 and above that were not challenges answered later */
    uint32_t       retransmissions, copies;
    uint32_t       expires_s;        /* as granted */
    uint32_t       min_expires_s;    /* from a 423 */
    int64_t        first_ns, last_ns, registered_ns, expires_ns, removed_ns, asked_ns;
    uint64_t       first_frame, last_frame, final_frame;
    /* For diagnosis, of the whole life of the binding. */
    uint16_t       challenges;       /* 401 and 407 to REGISTERs with credentials */
    uint16_t       stale;            /* of these, with stale=true */
    uint16_t       too_brief;        /* 423 */
    uint16_t       moves;            /* the REGISTER came from another address than before */
    uint32_t       asked_s;          /* life time that was asked for, last */
    struct address client_last;      /* where the newest REGISTER came from */
    struct address client_before;    /* before the last move; family 0: none */
    slice          user, realm;      /* of its credentials; of the last challenge */
    uint64_t       challenge_frame;  /* the newest of them; 0: none */
    struct call_verdicts *verdicts;  /* call/verdict.h, in the arena; NULL: not diagnosed */
    struct call_flow flow;           /* zero: not compared */
};

struct registration *registration_new(void);
struct registration *registration_free(struct registration *r);
size_t registration_memory_bytes(const struct registration *r);
bool registration_step(struct registration *r, enum registration_event event);
/* How often it was refused, with a wrong password too; not that a nonce was too old. */
static inline uint32_t registration_refusals(const struct registration *r)
{
    return r->failures + (r->challenges > r->stale ? (uint32_t)(r->challenges - r->stale) : 0);
}

struct registration_status {
    slice    family;                 /* "monitor", or "sip" for a failure */
    uint16_t code;
    slice    name;
};
struct registration_status registration_status(const struct registration *r);
slice registration_reason_name(enum registration_reason reason);    /* "expired" */

#endif
