/* switch/endpoint.h - the owner of transactions: whose is a message, what is repeated, what is
 * new (RFC 3261, 8, 9, 17 and 18; RFC 6026; RFC 4320).
 * SPDX-License-Identifier: Apache-2.0
 *
 * No socket and no clock: messages and the time come in, messages leave through a hop_sender,
 * which must not call back. Its user (registrar, back-to-back user agent, a test's phone) gets
 * each request and each response once, CANCEL already answered, challenges and all else left to
 * it. One worker has one; nothing is shared.
 *
 *     static void on_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
 *     {
 *         struct out *o = server_reply(s, 200, (slice){ 0 });          // as far as CSeq
 *         sip_build_header(o, SIP_H_CONTACT, mine);
 *         server_reply_send(s, (slice){ 0 }, (slice){ 0 });
 *     }
 *
 * A transaction lives until its machine ends, which is told (`server_ended`, `client_ended`);
 * until then its user may hang an owner on it. What lingers keeps little: a repeated request
 * is answered from itself, a repeated refusal is acknowledged from itself. */
#ifndef SWITCH_ENDPOINT_H
#define SWITCH_ENDPOINT_H

#include "base/hash.h"
#include "base/out.h"
#include "sip/message.h"
#include "switch/transaction.h"
#include "wire/hop.h"

struct endpoint;
struct server_transaction;           /* a request that came */
struct client_transaction;           /* a request that we sent */

enum endpoint_failure { ENDPOINT_TIMED_OUT, ENDPOINT_HOP_LOST };

/* Any may be NULL but request and response. A message is borrowed, valid in the call only. */
struct endpoint_user {
    void *ctx;
    void (*request)(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from);
    /* The INVITE of `s`, unanswered so far, is given up by its sender; the CANCEL has its 200. */
    void (*cancelled)(void *ctx, struct server_transaction *s, const struct sip_message *cancel);
    /* The ACK of a 2xx, or one that belongs to nothing here. */
    void (*acknowledged)(void *ctx, const struct sip_message *ack, const struct hop *from);
    /* Each 1xx and final response of `c`; after a 2xx to INVITE each further 2xx. */
    void (*response)(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from);
    void (*failed)(void *ctx, struct client_transaction *c, enum endpoint_failure why);
    void (*server_ended)(void *ctx, struct server_transaction *s);
    void (*client_ended)(void *ctx, struct client_transaction *c);
    /* Each message that leaves, just before it does. */
    void (*sent)(void *ctx, const struct hop *to, slice bytes);
    /* A CANCEL of no INVITE here. True: it is somebody else's, say nothing. */
    bool (*astray)(void *ctx, const struct sip_message *cancel, const struct hop *from);
};

enum { ENDPOINT_TOKEN_LEN = 16 };    /* tags and the like: letters and digits, not to be guessed */

/* What Via and Contact say in the place of an address of ours: "host" or "host:port". By address, not
 * by hop.listener: a listener keeps its number when the configuration puts others before it. */
struct endpoint_advertised {
    struct address local;            /* port 0: any; an address of zeros: any */
    uint8_t        transport;        /* enum wire_transport */
    slice          text;             /* empty: the address itself */
};

struct endpoint_settings {
    struct transaction_times times;
    struct hash_seed seed;           /* secret: tokens are made from it */
    uint8_t  worker;                 /* 0 to 31: first letter of each token */
    uint32_t transactions_max;       /* 0: 1,000,000. A quarter more is for what ends things */
    const struct endpoint_advertised *advertised;         /* borrowed; the first that fits, an exact address before zeros */
    size_t   advertised_count;
};

struct endpoint_counts {
    uint64_t requests, responses;    /* received, repeats included */
    uint64_t repeats;                /* received again */
    uint64_t resent;                 /* sent again, by timer or asked for */
    uint64_t strays;                 /* responses that belong to nothing, and ACKs */
    uint64_t refused;                /* answered 503 because there is no room */
    uint64_t timed_out, lost;        /* client transactions */
    uint64_t unacknowledged;         /* refusals of an INVITE without ACK */
};

struct endpoint *endpoint_new(const struct endpoint_settings *settings, const struct hop_sender *sender,
                              const struct endpoint_user *user, int64_t now_ns);
struct endpoint *endpoint_free(struct endpoint *e);
/* For transactions that begin; those that are there wait as they began to. transactions_max as in the settings. */
void endpoint_set(struct endpoint *e, const struct transaction_times *times, uint32_t transactions_max);
void endpoint_advertise(struct endpoint *e, const struct endpoint_advertised *list, size_t count);      /* others, as in the settings */

/* ---- what comes ---- */

/* A message that was parsed; of a request Via, From, To, Call-ID and CSeq must be readable
 * (else the caller has answered it: endpoint_refuse). */
void endpoint_receive(struct endpoint *e, const struct hop *from, const struct sip_message *m, int64_t now_ns);
/* Nothing gets through by this hop: a connection is gone (by its number), or UDP was refused. */
void endpoint_hop_lost(struct endpoint *e, const struct hop *hop, int64_t now_ns);
void endpoint_time(struct endpoint *e, int64_t now_ns);
int64_t endpoint_next_ns(const struct endpoint *e);        /* when to call endpoint_time; INT64_MAX: no need */
int64_t endpoint_now_ns(const struct endpoint *e);         /* as of the last of these calls */
const struct transaction_times *endpoint_times(const struct endpoint *e);

const struct endpoint_counts *endpoint_counts(const struct endpoint *e);
size_t endpoint_live(const struct endpoint *e);            /* transactions */
size_t endpoint_memory_bytes(const struct endpoint *e);

/* Text for a tag, a Call-ID, ...: ENDPOINT_TOKEN_LEN characters and a NUL. */
void endpoint_token(struct endpoint *e, char ret[ENDPOINT_TOKEN_LEN + 1]);
unsigned endpoint_worker(const struct endpoint *e);
/* Which worker made this token? False: it is none. What others make up may look like one, too. */
bool endpoint_token_worker(slice token, unsigned *ret);

/* Our end of a hop, as the far end is to know it: "192.0.2.1:5060" or what is advertised there. */
slice endpoint_local(const struct endpoint *e, const struct hop *hop, char room[ADDRESS_TEXT_MAX]);

/* ---- answering ---- */

/* Begins an answer as far as CSeq; add headers to what it returns, then send. Phrase empty:
 * that of the code. Between the two nothing else may be built. An answer that comes too late
 * (another final one went out) is not sent: false. */
struct out *server_reply(struct server_transaction *s, unsigned status, slice phrase);
bool server_reply_send(struct server_transaction *s, slice type, slice body);
bool server_reply_plain(struct server_transaction *s, unsigned status);
/* The last answer once more: a 2xx to INVITE until its ACK, a reliable 1xx until its PRACK; and
 * that the ACK came, so that it need not be kept. */
void server_repeat(struct server_transaction *s);
/* While pinned, the last answer stays the one that is repeated whatever other 1xx follow it: a
 * reliable 1xx, until its PRACK. */
void server_pin(struct server_transaction *s, bool pinned);
void server_acknowledged(struct server_transaction *s);
/* Each phone that a call was forked to is a dialog of its own (RFC 3261, 12.1): the answers to an
 * INVITE have this To tag from now on, of ENDPOINT_TOKEN_LEN characters. What server_reply_send has
 * just sent, until the next message is built, for who repeats several of them side by side; and that. */
void server_set_to_tag(struct server_transaction *s, slice tag);
slice server_sent(const struct server_transaction *s);
void server_repeat_this(struct server_transaction *s, slice bytes);

/* No answer will ever be given: a request that is not an INVITE and whose far end was silent
 * gets none (RFC 4320), and who guesses passwords neither. Within its own `request` call, it is
 * gone when that returns. */
void server_drop(struct server_transaction *s);

slice server_to_tag(const struct server_transaction *s);  /* in every answer of ours; the request's own, if it had one */
enum sip_method server_method(const struct server_transaction *s);
const struct hop *server_hop(const struct server_transaction *s);
unsigned server_status(const struct server_transaction *s);            /* last sent; 0: none */
void *server_owner(const struct server_transaction *s);
void  server_set_owner(struct server_transaction *s, void *owner);

/* Without a transaction: for what cannot be one. `extra` is whole header lines, or empty. */
void endpoint_refuse(struct endpoint *e, const struct sip_message *request, const struct hop *from, unsigned status,
                     slice phrase, slice extra, int64_t now_ns);

/* ---- asking ---- */

/* Begins a request: request line and Via. Add the rest, CSeq too, then send, which sets off the
 * transaction; NULL: no room or no memory. A failure to send is told later, never at once. */
struct out *client_request(struct endpoint *e, const struct hop *to, enum sip_method method, slice method_text, slice uri);
struct client_transaction *client_request_send(struct endpoint *e, slice type, slice body, void *owner);
/* Where what is being built goes, its listener chosen: our Contact has to name it. */
const struct hop *client_request_hop(const struct endpoint *e);
/* An ACK of a 2xx, begun the same way: no transaction. False: the hop is lost. */
bool client_ack_send(struct endpoint *e, slice type, slice body);
/* Ends an INVITE: CANCEL leaves with the next 1xx, or at once when one came; `reason`: value of
 * a Reason header, or empty. Nothing happens after a final response. */
void client_cancel(struct client_transaction *c, slice reason);

/* The request of `c`, which a final response has just come for: within `response` only. */
bool client_request_of(const struct client_transaction *c, struct sip_header *room, size_t count, struct sip_message *ret);
/* The same request once more, within `response` only, under another CSeq and with these header
 * lines: credentials in the place of former ones (RFC 3261, 22.2), Session-Expires and Min-SE in
 * the place of theirs (RFC 4028, 7.3). The owner moves to the new one. NULL: no memory; all is as
 * before. */
struct client_transaction *client_request_again(struct client_transaction *c, uint32_t cseq, slice instead);

enum sip_method client_method(const struct client_transaction *c);
const struct hop *client_hop(const struct client_transaction *c);
bool  client_is_answered(const struct client_transaction *c);         /* a final response came */
bool  client_got_1xx(const struct client_transaction *c);
void *client_owner(const struct client_transaction *c);
void  client_set_owner(struct client_transaction *c, void *owner);

#endif
