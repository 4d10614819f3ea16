/* switch/endpoint_int.h - what the files of the endpoint share. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_ENDPOINT_INT_H
#define SWITCH_ENDPOINT_INT_H

#include "base/map.h"
#include "base/wheel.h"
#include "switch/endpoint.h"

enum { BRANCH_LEN = 7 + ENDPOINT_TOKEN_LEN };             /* "z9hG4bK" and a token */

/* One allocation; what it keeps of messages comes and goes. */
struct server_transaction {
    struct map_node    by_key;       /* branch, sent-by, method (17.2.3) */
    struct map_node    by_request;   /* Call-ID, From tag, CSeq while unanswered: merged requests */
    struct wheel_timer timer;
    struct transaction_machine machine;
    struct endpoint   *endpoint;
    void              *owner;
    struct hop         hop;
    char    *mirror;                 /* unanswered: an answer from behind its status line to CSeq,
                                      * then Call-ID and From tag alone */
    char    *kept;                   /* the last answer, or after the final one to a non-INVITE its tail */
    uint32_t mirror_len, kept_len;
    uint32_t cseq;
    uint16_t status, key_len, call_id_len, from_tag_len;
    uint8_t  method;
    bool     in_requests, kept_is_tail, has_to_tag, dropped, is_pinned;
    bool     has_moved;              /* its answers go by another connection than it came by */
    char     to_tag[ENDPOINT_TOKEN_LEN];                  /* ours; only without has_to_tag */
    char     key[];
};

struct client_transaction {
    struct map_node    by_branch;
    struct map_node    by_hop;       /* while nothing came back */
    struct wheel_timer timer;
    struct transaction_machine machine;
    struct endpoint   *endpoint;
    void              *owner;
    struct hop         hop;
    char    *kept;                   /* the request until a final answer; of a refused INVITE the
                                      * Request-URI and Route lines for its ACK */
    uint32_t kept_len, uri_len, cseq;
    uint8_t  method;
    bool     in_hops, got_1xx, cancelling, cancelled, lost;
    bool     may_move;               /* sent by a connection that was there before: reach.h when it is gone */
    uint16_t reason_len;             /* of cancelling, behind the request in `kept` */
    char     branch[BRANCH_LEN];
};

struct endpoint {
    struct endpoint_settings settings;
    struct hop_sender        sender;
    struct endpoint_user     user;
    struct endpoint_counts   counts;
    struct map   servers, requests, clients, hops;
    struct wheel server_wheel, client_wheel;
    int64_t      now_ns;
    uint64_t     tokens;             /* made so far */
    size_t       live, memory_bytes;
    struct out   out;                /* the message being built */

    /* what is being built */
    struct server_transaction *replying;
    const struct server_transaction *received;            /* its request is at hand: nothing kept is needed */
    const struct sip_message  *received_message;          /* that one */
    unsigned                   status;
    bool                       has_own_phrase;            /* a repeat of it cannot do with the code's */
    size_t                     tail_at;
    struct hop                 to;
    slice                      method_text;
    enum sip_method            method;
    size_t                     uri_len;
    char                       branch[BRANCH_LEN];
};

/* ---- endpoint.c ---- */
void  endpoint_transmit(struct endpoint *e, struct hop *to, slice bytes, int *ret_error);
bool  endpoint_is_full(const struct endpoint *e, enum sip_method method, bool in_dialog);
char *endpoint_keep(struct endpoint *e, slice text);      /* a copy that counts; NULL: no memory */
void  endpoint_let_go(struct endpoint *e, char **kept, uint32_t *len);

/* ---- endpoint_server.c ---- */
void server_receive(struct endpoint *e, const struct hop *from, const struct sip_message *m);
void server_due(struct server_transaction *s);
void server_free(struct server_transaction *s);

/* ---- endpoint_client.c ---- */
void client_receive(struct endpoint *e, const struct hop *from, const struct sip_message *m);
void client_due(struct client_transaction *c);
void client_hop_lost(struct endpoint *e, const struct hop *hop);
void client_free(struct client_transaction *c);

#endif
