/* diagnose/history.h - what calls can tell each other: who is registered until when, who guesses,
 * who never answers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fed with every new message (SEEN_NEW) in the order of capture; asked at the end of a call. Two
 * tables with a fixed number of places, addressed by a seeded hash: an entry that finds its
 * neighbourhood full takes the place of the one that was not touched for longest. So memory is
 * what was asked for at the start, and an attacker can only make it forget.
 *
 *     struct diagnose_history *h = diagnose_history_new(&seed, 1 << 20);
 *     diagnose_history_message(h, unit, message);
 *     const struct history_host *host = diagnose_history_host(h, &call->caller_addr);      */
#ifndef DIAGNOSE_HISTORY_H
#define DIAGNOSE_HISTORY_H

#include "base/hash.h"
#include "sip/message.h"
#include "wire/wire.h"

#define HISTORY_NUMBERS 8u           /* users that a host called, kept to count different ones */

/* One machine (an IP address, ports aside), as it showed itself in the capture. */
struct history_host {
    struct address address;          /* port 0 */
    int64_t  first_ns, last_ns;
    uint64_t first_frame;
    uint32_t requests[SIP_METHODS];  /* distinct ones that it sent */
    uint32_t refused;                /* finals it got: 403, 404, 405, 484, 488, 604 */
    uint32_t challenged;             /* 401 and 407 it got */
    uint32_t challenged_again;       /* of these, to requests with credentials */
    uint32_t accepted;               /* 2xx it got to INVITE or REGISTER; with credentials also that of a
                                      * person: busy, not answered, declined */
    uint32_t answers;                /* responses that it sent */
    uint32_t options_unanswered;     /* OPTIONS to it without answer so far */
    uint32_t users;                  /* different users that it called or registered, counted to HISTORY_NUMBERS and then estimated */
    uint64_t user_hashes[HISTORY_NUMBERS];
    int64_t  burst_ns;               /* when the second under way began */
    uint32_t burst, burst_max;       /* requests in it; most in a second */
    char     codecs[96];             /* what it can: of its offers, failing these of an answer; "" unknown,
                                      * " " too many */
    bool     codecs_offered;
    uint8_t  scanner;                /* its User-Agent is that of a known tool: index into names, from 1 */
    uint8_t  answered_over;          /* bits 1 << enum wire_transport */
    bool     sent_credentials;       /* with its newest request */
};

/* One address-of-record, "user@host". */
struct history_binding {
    uint64_t user, host;             /* seeded hashes: 128 bits that stand for the name */
    int64_t  registered_ns, until_ns;    /* 0: never seen registered; until 0: was removed */
    int64_t  removed_ns;
    uint64_t frame;                  /* of the last 2xx */
    uint32_t failures;               /* finals 4xx that are no challenge */
    uint32_t count;                  /* 2xx */
    struct address client;           /* where the REGISTER came from */
    struct address client_before;    /* and the one before, when it was another */
    int64_t  touched_ns;
};

struct diagnose_history;
struct diagnose_history *diagnose_history_new(const struct hash_seed *seed, size_t bytes);   /* NULL: no memory */
struct diagnose_history *diagnose_history_free(struct diagnose_history *h);
void diagnose_history_message(struct diagnose_history *h, const struct wire_unit *unit,
                              const struct sip_message *m);
/* NULL: never seen, or forgotten. Valid until the next message. */
const struct history_host    *diagnose_history_host(const struct diagnose_history *h, const struct address *address);
/* Every machine that is remembered, in no order. */
void diagnose_history_hosts(const struct diagnose_history *h, void (*look)(void *ctx, const struct history_host *host),
                            void *ctx);
/* Does it try again faster than a phone that has a wrong password stored? */
bool diagnose_history_hurries(const struct history_host *host);
/* By the user and, when it is there, the host: a user that is registered under another domain counts
 * when no other is known. */
const struct history_binding *diagnose_history_binding(const struct diagnose_history *h, slice uri);
/* Was this user called from this host since then? Kept for the newest calls only. */
bool   diagnose_history_called(const struct diagnose_history *h, const struct address *from, slice uri, int64_t since_ns);
/* How many answered calls of the newest ended after the same time, to the second? Fed by diagnosis. */
unsigned diagnose_history_lengths(const struct diagnose_history *h, int64_t talk_ns);
void     diagnose_history_length(struct diagnose_history *h, int64_t talk_ns);
/* What a host named in its descriptions, "PCMU/8000 ..."; empty: not known. */
slice    diagnose_history_codecs(const struct diagnose_history *h, const struct address *host);
void     diagnose_history_learn_codecs(struct diagnose_history *h, const struct address *host, slice codecs,
                                       bool offered);
/* Name of a scanner by its number, "" for none. */
slice  diagnose_scanner_name(unsigned scanner);
size_t diagnose_history_memory_bytes(const struct diagnose_history *h);

#endif
