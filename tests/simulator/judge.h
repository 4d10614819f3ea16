/* tests/simulator/judge.h - watches the wire of the simulator and says what is wrong with a call.
 * SPDX-License-Identifier: Apache-2.0
 *
 * It knows only the messages: each as it is sent, each as it arrives. What must hold:
 *   - Call-ID, tags and branches of a leg are never on another; each direction's CSeq grows
 *   - towards A the SDP of two phones is never under one tag, and what A says under a tag goes to
 *     no other phone than that tag's; CSeq and RSeq are counted for each tag
 *   - each request that arrived has one final answer, always the same; an INVITE always has one
 *   - each 2xx to INVITE has one ACK, and one per repeat; CANCEL after a 1xx and before the end
 *   - 199 comes only for a phone that does not ring any more
 *   - no more phones ring at the same time than may, nor than Max-Breadth is left for (RFC 5393)
 *   - A has a final answer when its Expires has passed; what every phone says is global where it has to be
 *   - RSeq grows by one, the next only after the PRACK; each reliable 1xx has one PRACK
 *   - A's code and phrase are B's, unless a rule named in switch/b2bua.h gives another
 *   - what the switch says in a body somebody said to it in the same call, but for the relay's mark
 *   - a NOTIFY of a transfer quotes a code that somebody said, or one of the switch's own
 *   - no request after the end of its dialog, no BYE before the ACK, no leg outlives its call  */
#ifndef TESTS_SIMULATOR_JUDGE_H
#define TESTS_SIMULATOR_JUDGE_H

#include <stdint.h>

#include "base/slice.h"

struct judge;

/* What is known of a call when it is dialled. */
struct judge_facts {
    bool unknown;                    /* nobody has that number: 404 */
    bool plain;                      /* one contact, no forward, no limit: B's code it must be */
    bool gateway;                    /* B is one: its challenge, which we cannot answer, is 403 */
    bool refuses;                    /* somebody in the chain refuses by his own wish */
    bool impatient;                  /* a gateway that says nothing is left: what it says then counts no more */
    bool at_once;                    /* all who are called are called at the same time, if they may */
    int  breadth;                    /* Max-Breadth of A; -1: it does not say */
    uint32_t expires_s;              /* Expires of A; 0: it does not say */
};

enum judge_media {
    JUDGE_MEDIA_DIRECT,              /* SDP passes as it is */
    JUDGE_MEDIA_RELAYED,             /* all of it by the relay */
    JUDGE_MEDIA_EITHER               /* the relay may be away */
};

struct judge_settings {
    int      switch_place;
    enum judge_media media;
    uint32_t calls_max;
    int64_t  start_ns;
    uint32_t show;                   /* prints all messages of this call as they go */
    bool     acts_on_preconditions, global_codes;
    unsigned forks_max;
    const char *repeat_command;      /* printed with a failure */
};

/* expired: INVITEs by their Expires; unspread: 440; global: 600 and 606 of ours; waited: phones
 * that were called when another one had refused. */
struct judge_sums {
    uint64_t messages, calls, answered, refused, legs, requests, relayed, early_ended, expired, unspread, global, waited, faults;
    uint64_t transfers, transferred; /* as the switch counts */
};

struct judge *judge_new(const struct judge_settings *settings);
struct judge *judge_free(struct judge *j);
void judge_call(struct judge *j, uint32_t number, const struct judge_facts *facts);
/* The phone at that place says and hears nothing more of the call. */
void judge_silent(struct judge *j, uint32_t number, int place);
void judge_sent(struct judge *j, int from, int to, slice bytes, int64_t now_ns, bool lost);
void judge_arrived(struct judge *j, int from, int to, slice bytes, int64_t now_ns);
/* Closes the calls that have been quiet for long; `all`: nothing will come any more. */
void judge_sweep(struct judge *j, int64_t now_ns, bool all);
const struct judge_sums *judge_sums(const struct judge *j);

#endif
