/* lab/phone.h - an endpoint that telephones: what the lab, the simulator and the load generator play.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A user agent of RFC 3261 with reliable provisional answers (3262), UPDATE (3311),
 * preconditions (3312), hold (3264), transfer (3515, 3891) and digest credentials. No socket and
 * no clock. It does by itself what a phone does without being asked: ACK, PRACK, the answer to an
 * offer, 200 to BYE, the call that a REFER asks for, the place of a call to an INVITE with
 * Replaces; everything else is asked of it, or decided by its owner in a callback.
 *
 *     struct phone *p = phone_new(&settings, &sender, &owner, now_ns);
 *     struct phone_call *c = phone_dial(p, SLICE("sip:bob@example"), PHONE_RELIABLE);
 *     phone_receive(p, &hop, &message, now_ns);  phone_time(p, now_ns);                         */
#ifndef LAB_PHONE_H
#define LAB_PHONE_H

#include "switch/dialog.h"
#include "switch/endpoint.h"

struct phone;
struct phone_call;

enum {                               /* of a call, any of these together */
    PHONE_RELIABLE = 1,              /* Supported: 100rel */
    PHONE_PRECONDITIONS = 2,         /* Supported: precondition, and the lines in the SDP */
    PHONE_LATE_OFFER = 4,            /* INVITE without SDP: offer in the 200, answer in the ACK */
    PHONE_ANONYMOUS = 8,
    PHONE_TIMER = 16,                /* Session-Expires */
    PHONE_SESSION_ID = 32,           /* Session-ID (RFC 7989): who watches knows which legs belong together */
    PHONE_FOLLOWS = 64               /* after a 3xx it calls where Contact says: same Call-ID, next CSeq */
};

enum phone_media { PHONE_SENDRECV, PHONE_SENDONLY, PHONE_RECVONLY, PHONE_INACTIVE };

/* Any may be NULL. A call ends once: after `ended` it is gone. */
struct phone_owner {
    void *ctx;
    void (*registered)(void *ctx, struct phone *p, unsigned status, uint32_t expires_s);
    void (*incoming)(void *ctx, struct phone_call *c, const struct sip_message *invite);
    void (*progress)(void *ctx, struct phone_call *c, unsigned status, const struct sip_message *m);     /* 101 to 199 */
    void (*pracked)(void *ctx, struct phone_call *c);      /* the reliable answer arrived */
    void (*prack_done)(void *ctx, struct phone_call *c);   /* ours was answered */
    void (*updated)(void *ctx, struct phone_call *c, const struct sip_message *m);       /* an UPDATE or re-INVITE of theirs */
    void (*changed)(void *ctx, struct phone_call *c, unsigned status);                   /* ours was answered so */
    void (*answered)(void *ctx, struct phone_call *c);     /* 2xx; for the callee: the ACK */
    void (*ended)(void *ctx, struct phone_call *c, unsigned status, bool by_us);         /* status: final of the INVITE, or 200 after a BYE */
    void (*refer_answered)(void *ctx, struct phone_call *c, unsigned status);            /* our REFER was */
    void (*transferred)(void *ctx, struct phone_call *c, unsigned status);               /* a NOTIFY says how it goes there */
    void (*referred)(void *ctx, struct phone_call *c, struct phone_call *made);          /* by their REFER: it is dialling */
    void (*replaced)(void *ctx, struct phone_call *c, struct phone_call *by);            /* c ends, `by` is answered in its place */
};

struct phone_settings {
    struct endpoint_settings endpoint;
    slice      user, password, auth_name, domain, display;  /* auth_name empty: user */
    struct hop server;               /* where everything goes */
    slice      contact_params;       /* ";+sip.instance=..." or empty */
    slice      agent;                /* User-Agent */
    uint32_t   session_s;            /* Session-Expires of its calls with PHONE_TIMER; 0: 1800 */
    bool       knows_timer, refreshes;                    /* when it is called: takes part in timers; refreshes itself */
    bool       no_update;            /* does not say that it takes UPDATE */
};

/* The strings are borrowed for its life. NULL: no memory. */
struct phone *phone_new(const struct phone_settings *settings, const struct hop_sender *sender,
                        const struct phone_owner *owner, int64_t now_ns);
struct phone *phone_free(struct phone *p);
void    phone_receive(struct phone *p, const struct hop *from, const struct sip_message *m, int64_t now_ns);
void    phone_lost(struct phone *p, const struct hop *hop, int64_t now_ns);
void    phone_time(struct phone *p, int64_t now_ns);
int64_t phone_next_ns(const struct phone *p);
size_t  phone_calls(const struct phone *p);               /* alive */
size_t  phone_transactions(const struct phone *p);

uint64_t phone_resent(const struct phone *p);             /* messages sent again */

/* expires_s 0: away; answers challenges by itself. */
bool phone_register(struct phone *p, uint32_t expires_s);

/* `headers`: whole lines that the INVITE brings along, or empty. */
struct phone_call *phone_dial_with(struct phone *p, slice uri, unsigned how, slice headers);
static inline struct phone_call *phone_dial(struct phone *p, slice uri, unsigned how)
{
    return phone_dial_with(p, uri, how, (slice){ 0 });
}
/* Answers an incoming call: 101 to 699. `reliable`: with RSeq, until its PRACK; `sdp`: with the answer. */
bool phone_answer(struct phone_call *c, unsigned status, slice phrase, bool reliable, bool sdp);
/* 302 with that Contact. */
bool phone_redirect(struct phone_call *c, slice uri);
/* REFER: the other side is to call `uri`, in the place of our call `replaced` when there is one. `headers`:
 * whole lines more, or empty. */
bool phone_refer(struct phone_call *c, slice uri, const struct phone_call *replaced, slice headers);
/* How the other side's end of the dialog is called in a Replaces header: its value, into `out`. */
void phone_put_replaces(struct out *o, const struct phone_call *c);
/* CANCEL, BYE or 603, whichever is right. */
void phone_hang_up(struct phone_call *c);
/* A new offer: UPDATE or re-INVITE. False: one is open. */
bool phone_offer(struct phone_call *c, enum sip_method method, enum phone_media media);
/* UPDATE with `curr:qos local sendrecv`: the resources are there. */
bool phone_resources_ready(struct phone_call *c);
/* INFO, MESSAGE or whatever within the dialog. */
bool phone_send(struct phone_call *c, slice method, slice type, slice body);

void  *phone_call_tag(const struct phone_call *c);         /* of its owner */
void   phone_call_set_tag(struct phone_call *c, void *tag);
bool   phone_call_is_up(const struct phone_call *c);
slice  phone_call_id(const struct phone_call *c);
bool   phone_call_wants_resources(const struct phone_call *c);         /* preconditions were asked for, and are not met */
struct phone *phone_of_call(const struct phone_call *c);

#endif
