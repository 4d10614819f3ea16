/* net/resolve.h - the targets of a URI, asked of the DNS without waiting (RFC 3263).
 * SPDX-License-Identifier: Apache-2.0
 *
 * switch/targets.h knows what to ask; here it is asked, through c-ares. One for each worker,
 * used by that one alone. It owns sockets, but no loop: `watch` tells the loop's owner which
 * descriptors to look at, and resolve_ready and resolve_due are called when something is
 * there or is due. A thing known already (a numeric host, a name in the cache) is
 * answered at once.
 *
 *     struct resolve *r = resolve_new(&settings, &error);
 *     int now = resolve_start(r, &wish, now_ns, &found, &ask);
 *     if (now > 0) use(&found);               // else wish.done(ctx, &found) comes, or -errno
 *     ... resolve_ready(r, fd, true, false, now_ns);  ... resolve_due(r, now_ns);
 *
 * Answers are kept as long as their TTL says, "none" too (RFC 2308), failures for a few
 * seconds, so that a dead DNS server costs one time-out and not one for each call. Many asks
 * for one name share one query. A and AAAA are looked for in /etc/hosts first, and a name
 * that stands there is not asked of the DNS. All of it is bounded.
 *
 * The system's servers are read at the start; after a change make a new one. A time-out is
 * timeout_ms, then twice that ...: by default 1 + 2 s for each server. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/hash.h"
#include "base/out.h"
#include "switch/targets.h"

struct resolve_settings {            /* zero means the default in brackets */
    const char *servers;             /* "192.0.2.1,[2001:db8::1]:5353" (those of /etc/resolv.conf) */
    int      timeout_ms;             /* of the first try (1000) */
    int      tries;                  /* of each server (2) */
    size_t   names_max;              /* answers kept (4096) */
    size_t   asks_max;               /* under way (4096) */
    int64_t  ttl_max_ns;             /* (1 h) */
    int64_t  negative_max_ns;        /* none (5 min) */
    int64_t  failure_ns;             /* failures, and "none" that does not say (5 s) */
    int64_t  hosts_ns;               /* what /etc/hosts says (10 s) */
    struct hash_seed seed;
    void    *ctx;
    /* Look at fd for these from now on; both false: no more, it is closed then. Called from
     * within any function below, but for the last three. */
    void   (*watch)(void *ctx, int fd, bool want_read, bool want_write);
};
struct resolve_wish {
    slice    uri;
    const struct targets_settings *targets;
    bool     large;                  /* the request has more than 1,300 bytes */
    uint64_t random;
    void    *ctx;
    /* From within resolve_ready or resolve_due, and once. The ask is gone then. New ones may
     * be started and others cancelled, but not resolve_free. */
    void   (*done)(void *ctx, const struct targets *found);
};
struct resolve_counts {
    uint64_t asks, at_once;          /* started; answered by resolve_start itself */
    uint64_t sent, cached, shared;   /* questions: new, answered by the cache, already under way */
    uint64_t hosts;                  /* by /etc/hosts */
    uint64_t failures, timeouts;     /* of queries */
    uint64_t refused;                /* for lack of room */
    size_t   names, asks_now;        /* of this moment */
};

struct resolve;
struct resolve_ask;

/* NULL: *ret_error is -errno; -EINVAL: `servers` cannot be read. */
struct resolve *resolve_new(const struct resolve_settings *settings, int *ret_error);
struct resolve *resolve_free(struct resolve *r);          /* asks under way are never answered */

/* 1: *ret_found is the result, and `done` is not called. 0: it will be, *ret_ask is to cancel.
 * -ENOMEM, or -EBUSY with asks_max under way. */
int  resolve_start(struct resolve *r, const struct resolve_wish *wish, int64_t now_ns, struct targets *ret_found,
                   struct resolve_ask **ret_ask);
void resolve_cancel(struct resolve *r, struct resolve_ask *ask);

void resolve_ready(struct resolve *r, int fd, bool readable, bool writable, int64_t now_ns);
void resolve_due(struct resolve *r, int64_t now_ns);
int64_t resolve_due_ns(const struct resolve *r, int64_t now_ns);      /* INT64_MAX: never */

struct resolve_counts resolve_counts(const struct resolve *r);
/* What is under way and what is kept, a line each: "A example.com, 2 records, 12 s". */
void resolve_debug(struct out *out, const struct resolve *r, int64_t now_ns);

#endif
