/* switch/guard.h - how much a stranger may ask: rates, faults and bans per source address
 * SPDX-License-Identifier: Apache-2.0
 *
 * A source is an IPv4 address or the /64 of an IPv6 address; ports do not count. Everything is
 * bounded: the source heard least lately is forgotten first, those banned last. No clock and no
 * timer: what decays is worked out when it is looked at. Without memory it lets pass.
 *
 *     switch (guard_request(g, &hop.remote, user_agent, now_ns)) {
 *     case GUARD_DROP: return;                        // no answer: it would only prove us
 *     case GUARD_BUSY: ... 503 with Retry-After ...
 *     case GUARD_PASS: break;
 *     }
 *     guard_note(g, &hop.remote, auth_name, GUARD_BAD_PASSWORD, now_ns);
 *
 * Ask for requests that begin something. What goes on or ends (ACK, BYE, CANCEL, PRACK, in
 * dialogs) asks guard_is_banned only. Addresses of UDP can be forged: what must not be cut off
 * by somebody else's faults (gateways, other servers) stands in the list of allowed networks. */
#ifndef SWITCH_GUARD_H
#define SWITCH_GUARD_H

#include "base/address.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/out.h"

enum guard_verdict { GUARD_PASS, GUARD_BUSY, GUARD_DROP };

enum guard_event {                   /* faults, and what speaks for a source */
    GUARD_BAD_PASSWORD,              /* with a nonce of ours: it really is there */
    GUARD_BAD_NONCE,                 /* made up */
    GUARD_UNKNOWN_USER,              /* asked for somebody who is not here */
    GUARD_NOT_ALLOWED,               /* somebody else's address-of-record, a barred number */
    GUARD_MALFORMED,
    GUARD_SCANNER,                   /* says so in its User-Agent; no answer, and a ban but for who is authenticated */
    GUARD_BY_OPERATOR,
    GUARD_AUTHENTICATED,             /* the right password: faults weigh a quarter for an hour */
    GUARD_EVENTS
};
slice guard_event_name(enum guard_event event);           /* "bad-password" */

struct guard_net {
    struct address address;
    uint8_t        bits;
};
/* "10.0.0.0/8", "2001:db8::/32", "192.0.2.1". */
bool guard_net_parse(slice text, struct guard_net *ret);
bool guard_net_has(const struct guard_net *net, const struct address *a);

struct guard_settings {              /* zero means the default in brackets; all may be changed later */
    struct hash_seed seed;           /* secret; stays */
    struct lock lock;                /* when several threads share the guard; stays */
    uint32_t sources_max;            /* kept in mind (65,536) */
    uint32_t users_max;              /* names at which faults were made (16,384) */
    uint32_t rate_per_s;             /* new transactions of one source (50) */
    uint32_t burst;                  /* at once (4 times the rate) */
    uint32_t faults_drop;            /* points from which on nothing new of it is answered (20) */
    uint32_t faults_ban;             /* points that ban (40) */
    int64_t  window_ns;              /* in which faults_drop points decay (60 s) */
    uint32_t user_faults_max;        /* points of one name, whoever made them: then only sources that
                                      * gave a right password lately may try it (60) */
    int64_t  ban_first_ns;           /* doubles with each further ban (60 s) */
    uint32_t bans_max;               /* at once; for one more, the one that ends first ends now (all sources) */
    bool     no_bans;                /* too many faults: no answer, until they have decayed */
    int64_t  ban_max_ns;             /* (24 h); after as long without a ban they start again */
    const struct guard_net *allowed; /* borrowed: never dropped, never counted */
    size_t   allowed_count;
    const slice *scanners;           /* borrowed: further words in a User-Agent */
    size_t   scanner_count;
};

struct guard_counts {
    uint64_t passed, busy, dropped, bans, forgotten;
    uint64_t events[GUARD_EVENTS];
};

struct guard;
struct guard *guard_new(const struct guard_settings *settings);
struct guard *guard_free(struct guard *g);
void guard_set(struct guard *g, const struct guard_settings *settings);              /* on reload */

/* Before a datagram is even parsed. */
bool guard_is_banned(struct guard *g, const struct address *source, int64_t now_ns);
/* A new transaction; the User-Agent (or empty) may be that of a scanner, which bans. */
enum guard_verdict guard_request(struct guard *g, const struct address *source, slice user_agent, int64_t now_ns);
/* Before a password is looked at: false, the name or its source has failed too often. */
bool guard_may_try(struct guard *g, const struct address *source, slice user, int64_t now_ns);
/* `user` is the name that was tried, or empty. True: this banned it. */
bool guard_note(struct guard *g, const struct address *source, slice user, enum guard_event event, int64_t now_ns);

/* What is one source: the same key, which begins with a control character. Whoever counts what a source holds counts by it. */
enum { GUARD_SOURCE_MAX = 9 };
slice guard_source(const struct address *source, char room[GUARD_SOURCE_MAX]);

/* ---- for people ---- */

struct guard_ban {
    struct address source;           /* port 0 */
    uint8_t  bits;                   /* 32 or 64 */
    int64_t  until_ns;
    unsigned count;                  /* bans in a row */
    enum guard_event why;
};
/* Up to `room`, the source heard last first; how many there are. */
size_t guard_bans(const struct guard *g, struct guard_ban *ret, size_t room, int64_t now_ns);
bool guard_ban(struct guard *g, const struct address *source, int64_t for_ns, int64_t now_ns);
bool guard_unban(struct guard *g, const struct address *source);       /* and its faults are forgotten */
const struct guard_counts *guard_counts(const struct guard *g);
size_t guard_sources(const struct guard *g);
void guard_debug(const struct guard *g, struct out *o, int64_t now_ns);

#endif
