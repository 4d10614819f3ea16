/* lab/phone_int.h - a phone and its calls. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LAB_PHONE_INT_H
#define LAB_PHONE_INT_H

#include "base/list.h"
#include "base/map.h"
#include "base/wheel.h"
#include "lab/phone.h"

enum phone_kind { PHONE_KIND_PHONE, PHONE_KIND_CALL };     /* first member of an owner */
enum phone_phase { PHONE_SETUP, PHONE_UP, PHONE_OVER };
enum phone_repeat { PHONE_REPEATS_NOTHING, PHONE_REPEATS_1XX, PHONE_REPEATS_2XX };

/* Another phone that answers our INVITE: a dialog of its own, until one of them is answered (12.1). */
struct phone_early {
    struct phone_early *next;
    struct dialog       dialog;
    uint32_t            rseq_in;
};

struct phone_call {
    uint8_t          kind, phase;
    bool             outgoing, has_dialog, hangs_up, local_ready, remote_ready, sdp_done, has_sdp;
    uint8_t          media, their_media, repeats;
    unsigned         how;
    uint32_t         transactions;   /* that point here: it is not freed before they end */
    bool             in_map;
    struct list      in_all;
    struct map_node  by_tag;         /* our tag: all phones have thousands of calls at once in a simulation */
    struct phone    *phone;
    struct arena     arena;
    struct dialog    dialog;         /* the last one that we heard of, in `earlies` as it was before */
    struct phone_early *earlies;
    slice            headers;        /* that the INVITE brings along */
    struct server_transaction *invite, *repeated;         /* theirs, while it can be answered */
    struct client_transaction *asked;                     /* ours */
    struct client_transaction *offer;                     /* UPDATE or re-INVITE of ours that is open */
    struct wheel_timer timer;
    int64_t          repeat_ns, repeat_end_ns;
    uint32_t         cseq_in, cseq_out, rseq_in, rseq_out, sdp_version;
    bool             offer_in_ack, bye_wanted, prack_owed;
    struct phone_call *refers, *referred_by;              /* the call that a REFER in this one made; the other way */
    uint8_t          redirects;
    bool             challenged;
    slice            session_id;
    struct wheel_timer session_timer;
    uint32_t         session_s;      /* agreed; 0: no timer */
    bool             refreshes;      /* it is our part */
    void            *tag;
};

struct phone {
    uint8_t               kind;
    struct phone_settings settings;
    struct phone_owner    owner;
    struct endpoint      *endpoint;
    struct wheel          wheel, sessions;
    struct list           calls;
    struct map            tags;
    size_t                call_count;
    struct dialog         registration;                   /* its identifiers */
    struct arena          arena;
    struct digest        *digest;
    uint32_t              expires_s;
    uint8_t               challenges;                     /* of this attempt */
    uint32_t              nonce_count;
    slice                 realm_auth;                     /* Authorization value for the next attempt */
};

/* ---- phone_sdp.c ---- */
enum phone_sdp { PHONE_SDP_OFFER, PHONE_SDP_ANSWER };
/* The description as of now, into `text`; it counts its version up. */
slice phone_sdp_write(struct phone_call *c, enum phone_sdp what, char *text, size_t room);
void  phone_sdp_read(struct phone_call *c, const struct sip_message *m);       /* theirs: direction, preconditions */

/* ---- phone_session.c ---- */
void phone_session_ask(struct out *o, const struct phone_call *c);             /* into a request that may refresh */
void phone_session_heard(struct phone_call *c, const struct sip_message *request);                     /* theirs */
void phone_session_answer(struct out *o, struct phone_call *c);                /* into our 2xx to it */
void phone_session_answered(struct phone_call *c, const struct sip_message *answer);                    /* their 2xx */
void phone_session_due(struct phone_call *c);

/* ---- phone_register.c ---- */
void phone_registered(struct phone *p, const struct sip_message *m);           /* NULL: nothing came */
/* Credentials for a challenge, as whole header lines in the arena; empty: cannot. */
slice phone_credentials(struct phone *p, struct arena *arena, const struct sip_message *challenge, slice method, slice uri);

/* ---- phone_call.c ---- */
bool phone_call_has(struct phone_call *c, slice call_id, slice local_tag, slice remote_tag);   /* its dialog from now on */
void phone_incoming(struct phone *p, struct server_transaction *s, const struct sip_message *m, const struct hop *from);
void phone_in_dialog(struct phone_call *c, struct server_transaction *s, const struct sip_message *m, const struct hop *from);
void phone_call_cancelled(struct phone_call *c);
void phone_call_acked(struct phone_call *c, const struct sip_message *m);
void phone_call_response(struct phone_call *c, struct client_transaction *t, const struct sip_message *m, const struct hop *from);
void phone_call_failed(struct phone_call *c, struct client_transaction *t);
void phone_call_due(struct phone_call *c);
void phone_call_let_go(struct phone_call *c);             /* a transaction ended */
void phone_call_free(struct phone_call *c);
/* A request within the dialog, with Contact and Supported; then it is sent. */
struct out *phone_begin(struct phone_call *c, enum sip_method method);
bool phone_send_begun(struct phone_call *c, slice type, slice body);
void phone_join_map(struct phone_call *c);                /* its local tag is known */
struct phone_call *phone_find_dialog(struct phone *p, slice call_id, slice local_tag, slice remote_tag);
/* A request within the dialog as far as its own headers; NULL: not possible. */
struct out *phone_request(struct phone_call *c, enum sip_method method);
bool phone_request_send(struct phone_call *c, slice type, slice body);
void phone_reply(struct phone_call *c, struct server_transaction *s, unsigned status);       /* with Contact */

/* ---- phone_transfer.c ---- */
bool phone_transfer_request(struct phone_call *c, struct server_transaction *s, const struct sip_message *m);
void phone_tell_referrer(struct phone_call *c, unsigned status);               /* of a call that a REFER made; else nothing */
void phone_forget_referral(struct phone_call *c);
/* Whose place an INVITE takes; NULL: nobody's, or *ret_status says why not. */
struct phone_call *phone_replaced_by(struct phone *p, const struct sip_message *m, unsigned *ret_status);

#endif
