/* switch/media_relay.h - asks a media relay (rtpengine) to carry the media of calls: its protocol
 * "ng", bencode behind a cookie in datagrams.
 * SPDX-License-Identifier: Apache-2.0
 *
 * No socket and no clock: datagrams and the time come in, datagrams leave through a media_sender,
 * which must not call back. A question is sent up to three times under one cookie, which nobody
 * can guess; what answers no open question is counted and dropped. Several are open at once.
 *
 *     struct media_wish wish = { .command = MEDIA_OFFER, .call_id = ..., .from_tag = ..., .sdp = ... };
 *     struct media_request *r = media_relay_ask(m, &wish, now_ns, on_reply, me);
 *     if (!r) ...                                   // as MEDIA_UNREACHABLE; on_reply is not called
 *     media_relay_receive(m, bytes, now_ns);        // calls on_reply
 *     media_relay_time(m, now_ns);                  // when media_relay_next_ns says so
 *
 * The first question that nobody answers makes the relay one that is down: whoever asks then is
 * told so at once, until it answers a ping again. */
#ifndef SWITCH_MEDIA_RELAY_H
#define SWITCH_MEDIA_RELAY_H

#include "base/hash.h"
#include "base/slice.h"
#include "switch/bencode.h"

struct media_relay;
struct media_request;

enum media_command { MEDIA_PING, MEDIA_OFFER, MEDIA_ANSWER, MEDIA_DELETE, MEDIA_QUERY, MEDIA_COMMANDS };

struct media_wish {
    enum media_command command;
    slice call_id;                   /* all but ping; what a call is known by there */
    slice from_tag, to_tag;          /* offer and answer: from who offers; to_tag empty: not known yet */
    slice via_branch;                /* tells forks apart while to_tag is not known; may be empty */
    slice sdp;                       /* offer, answer */
};

enum media_outcome {
    MEDIA_DONE,
    MEDIA_UNREACHABLE,               /* nobody answered */
    MEDIA_REFUSED,                   /* `reason` says why */
    MEDIA_BAD_REPLY                  /* an answer to the question that nobody understands */
};
struct media_reply {
    enum media_outcome outcome;
    slice sdp;                       /* of a done offer or answer: what is to be sent on; never empty */
    slice reason;
    struct bencode all;              /* whole, when it is done: for query */
};
/* Borrowed for the call only; the request is over. It may ask again. */
typedef void media_answered(void *ctx, const struct media_reply *reply);

struct media_sender {
    void *ctx;
    void (*send)(void *ctx, slice bytes);                 /* what cannot be sent is lost, and sent again */
};

enum media_ice { MEDIA_ICE_KEEP, MEDIA_ICE_REMOVE, MEDIA_ICE_FORCE };

struct media_relay_settings {
    struct hash_seed seed;           /* secret: cookies are made from it */
    enum media_ice   ice;            /* the relay's candidates: as the peer has them, never, or its own only */
    int64_t  again_ns;               /* between repeats (500 ms) */
    unsigned tries;                  /* in all (3) */
    int64_t  ping_ns;                /* when nothing else was asked for so long (5 s); < 0: never */
    uint32_t requests_max;           /* open at once (10,000) */
};

struct media_relay_counts {
    uint64_t asked[MEDIA_COMMANDS];
    uint64_t done, unreachable, refused, bad;             /* how they ended */
    uint64_t down;                   /* not asked, because the relay is down, or there is no room */
    uint64_t resent, late;           /* late: answers that nobody waits for, and what is no answer */
    uint64_t went_down;
};

/* NULL: no memory. */
struct media_relay *media_relay_new(const struct media_relay_settings *settings, const struct media_sender *sender,
                                    int64_t now_ns);
struct media_relay *media_relay_free(struct media_relay *m);         /* nobody is told any more */

/* `answered` may be NULL. NULL: the relay is down, no room or no memory. The wish is not kept. */
struct media_request *media_relay_ask(struct media_relay *m, const struct media_wish *wish, int64_t now_ns,
                                      media_answered *answered, void *ctx);
void media_request_forget(struct media_request *r);       /* nobody wants the answer; NULL is fine */

void    media_relay_receive(struct media_relay *m, slice bytes, int64_t now_ns);
/* The datagram did not get there (ICMP): repeats go on, but nobody new has to wait. */
void    media_relay_lost(struct media_relay *m, int64_t now_ns);
void    media_relay_time(struct media_relay *m, int64_t now_ns);
int64_t media_relay_next_ns(const struct media_relay *m);

bool media_relay_is_down(const struct media_relay *m);
size_t media_relay_open(const struct media_relay *m);     /* questions */
const struct media_relay_counts *media_relay_counts(const struct media_relay *m);

#endif
