/* switch/gateways.h - the gateways of a configuration as they are now: where they are, whether
 * they are alive and have registered us, and how many calls they carry (RFC 3261, 10 and 22;
 * RFC 3263; pings by OPTIONS).
 * SPDX-License-Identifier: Apache-2.0
 *
 * No socket, file, clock or DNS: passwords are read and names are looked up by its owner. It
 * sends REGISTER and OPTIONS through an endpoint and is told what came back, as the registrar
 * is. A gateway is known by a number: at first its place in the configuration; after a change of
 * that, gateways_number tells. Calls keep the number, so it stays the gateway's as long as there is
 * a call that may know it, even when the gateway itself is gone from the configuration.
 *
 *     struct gateways *g = gateways_new(&settings, endpoint, now_ns);
 *     gateways_set_password(g, i, text);          // of password_file
 *     gateways_located(g, i, &found);             // what settings.locate asked for
 *     if (gateways_response(g, c, m)) return;     // in the endpoint's `response`; failed alike
 *     gateways_time(g, now_ns);                   // by gateways_next_ns
 *
 * A registration is renewed after 75 to 90 % of what was granted. After a failure it is tried
 * again in 30 s, then twice as long each time up to 30 min, half of it by chance (RFC 5626,
 * 4.5), or when Retry-After says. A gateway is dead when two pings in a row came to nothing
 * and one was answered before: some answer no OPTIONS at all. What takes no call is blocked
 * for a while (deadlist.h). */
#ifndef SWITCH_GATEWAYS_H
#define SWITCH_GATEWAYS_H

#include "base/tally.h"
#include "switch/config.h"
#include "switch/endpoint.h"
#include "switch/targets.h"

enum gateway_life { GATEWAY_UNKNOWN, GATEWAY_ALIVE, GATEWAY_DEAD };      /* by its pings */

struct gateways_settings {
    const struct config *config;     /* needed by gateways_new only; gateways_set brings another */
    struct hash_seed seed;
    bool  idle;                      /* neither registers nor pings: another worker does */
    void *ctx;
    /* Where is this one? The answer is gateways_located, from within or later. NULL: gateways
     * given by name stay unknown. Asked at the start, once a minute, and when all hops failed. */
    void (*locate)(void *ctx, slice uri, uint16_t index);
    struct tally *calls;             /* calls are counted there by name, with those of other workers; NULL: alone.
                                      * It outlives the gateways */
    void *learned_ctx;
    /* For the gateways_told of the others, when a ping or a call shows something new. May be NULL. */
    void (*learned)(void *ctx, slice name, const struct hop *hop, enum gateway_life life, int64_t retry_after_ns);
};

struct gateways_counts {
    uint64_t registers, registered, register_failures;    /* sent; answered 200; given up until later */
    uint64_t challenges;             /* answered, of REGISTER and of calls */
    uint64_t pings, pings_failed, died, revived;
    uint64_t calls, calls_failed;    /* taken; 503, or no answer */
    uint64_t full;                   /* passed over for calls_max */
    uint64_t asks, lost;             /* locate; those that found nothing */
};

enum { GATEWAYS_MAX = 4 * CONFIG_GATEWAYS_MAX };          /* numbers: those that are gone, too */

struct gateways;
/* NULL: no memory, or MD5 forbidden here. */
struct gateways *gateways_new(const struct gateways_settings *settings, struct endpoint *endpoint, int64_t now_ns);
struct gateways *gateways_free(struct gateways *g);       /* before its endpoint */

/* Another configuration, needed during the call only. A gateway of the same name, host, transport, user,
 * from_domain and `register` stays what it is: registered, alive, with its calls; its other settings
 * are the new ones. Others begin. Those that are not there any more are deregistered and take no
 * more calls; theirs go on. `seen`: how many gateways_set had come before the oldest call that lives
 * began (no call lives: those up to now); gateways gone before that give up their numbers. 0, or
 * -ENOMEM, -ENOSPC (too many are gone whose calls go on): all is as before. */
int      gateways_set(struct gateways *g, const struct config *config, uint32_t seen);
uint16_t gateways_number(const struct gateways *g, size_t place);
/* Of its last configuration: names, host, times, codes; no prefixes, rules and networks, which are the plan's. */
const struct config_gateway *gateways_config(const struct gateways *g, uint16_t index);

/* The first line of `text` is copied. 0 or -ENOMEM. Registers at once when it was not. */
int  gateways_set_password(struct gateways *g, uint16_t index, slice text);
void gateways_located(struct gateways *g, uint16_t index, const struct targets *found);
/* What another one has learned. Life UNKNOWN: this hop came to nothing, perhaps there are more. */
void gateways_told(struct gateways *g, slice name, const struct hop *hop, enum gateway_life life, int64_t retry_after_ns);
/* The end: REGISTER with Expires 0 where we are registered; nothing is sent any more after that. */
void gateways_leave_all(struct gateways *g);

void    gateways_time(struct gateways *g, int64_t now_ns);
int64_t gateways_next_ns(const struct gateways *g);
/* False: not one of ours. */
bool gateways_response(struct gateways *g, struct client_transaction *c, const struct sip_message *m);
bool gateways_failed(struct gateways *g, struct client_transaction *c);

/* ---- calls ---- */

/* Where a call may be sent, the best first, local.family 0: the endpoint chooses. With `anyhow` those too that are blocked or dead.
 * How many. */
size_t gateways_hops(const struct gateways *g, uint16_t index, bool anyhow, struct hop *ret, size_t room);
/* "sip:user@host:port;transport=tcp", where it is; and "sip:user@domain", of whom is known there by
 * from_domain or by the host. User empty: of the gateway itself. */
void gateways_put_uri(struct out *o, const struct config_gateway *gateway, slice user);
void gateways_put_account(struct out *o, const struct config_gateway *gateway, slice user);
bool gateways_are_full(const struct gateways *g, uint16_t index);
/* A call begins; false: full, and not `anyhow`, or gone. Each true is followed by one gateways_leave. */
bool gateways_take(struct gateways *g, uint16_t index, bool anyhow);
void gateways_leave(struct gateways *g, uint16_t index);
/* What it said to a call. `local`: ours, as nothing came (408) or nothing could be sent (503). */
void gateways_heard(struct gateways *g, uint16_t index, const struct hop *hop, unsigned status, bool local,
                    int64_t retry_after_ns);
/* Header lines that answer the challenge of `request`, which is ours. False: no password, or
 * nothing that we can answer. */
bool gateways_credentials(struct gateways *g, uint16_t index, const struct sip_message *challenge,
                          const struct sip_message *request, struct out *o);

/* ---- what is shown ---- */

struct gateway_state {
    slice      name;
    struct hop hop;                  /* the next call's; remote.family 0: not known */
    bool       registers, blocked;   /* blocked: all its hops are */
    enum gateway_life life;
    int64_t    registered_until_ns;  /* 0: is not */
    unsigned   register_status;      /* of the last REGISTER; 0: no answer, or none sent */
    unsigned   pings_failed;         /* in a row */
    uint32_t   calls, calls_max;     /* max 0: any number */
    unsigned   last_status;          /* final, of a call; 0: none yet */
    bool       gone;                 /* not in the configuration any more */
};

size_t gateways_count(const struct gateways *g);           /* numbers in use: 0 to this */
void   gateways_state(const struct gateways *g, uint16_t index, struct gateway_state *ret);
const struct gateways_counts *gateways_counts(const struct gateways *g);
/* A line for each: "provider: 192.0.2.1:5060 udp, registered for 3580 s, alive, 3 of 30 calls, last 200". */
void   gateways_debug(struct out *out, const struct gateways *g);

#endif
