/* switch/b2bua_setup_int.h - what the files of a call's setup share. Private to them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_B2BUA_SETUP_INT_H
#define SWITCH_B2BUA_SETUP_INT_H

#include "switch/b2bua_int.h"

/* ---- b2bua_branch.c ---- */
/* A's INVITE: its hops that are left; the message as it came, its headers in room[SIP_HEADERS_MAX]. */
unsigned setup_max_forwards(const struct b2bua *b, const struct sip_message *m);
bool     setup_request(const struct b2bua_call *c, struct sip_header *room, struct sip_message *ret);
/* False: this target cannot be called; nothing was sent. */
bool     branch_start(struct b2bua_call *c, const struct route_target *target, const struct sip_message *request,
                      unsigned breadth);

/* ---- b2bua_refuse.c ---- */
extern const slice setup_cancelled, setup_no_media;       /* reasons: A gave up; the media relay does not carry it */
struct leg *waiting_leg(struct b2bua_call *c);            /* it answered before A's PRACK was here; NULL: none */
void release_waiting(struct b2bua_call *c, slice reason); /* the answers of those are answers to nothing now */
void refuse_call(struct b2bua_call *c, unsigned status, slice phrase, slice headers, slice type, slice body);
void refuse_with_best(struct b2bua_call *c, unsigned status);           /* what that branch said goes along */
void cancel_branches(struct b2bua_call *c, slice reason, const struct branch *but);
void branches_over(struct b2bua_call *c);                 /* whatever they still say changes nothing any more */
/* One refusal more; the best of all is kept. m NULL: ours, from nobody. */
void setup_keep_best(struct b2bua_call *c, unsigned status, const struct branch *from, const struct sip_message *m);
unsigned setup_global_code(const struct b2bua_call *c, unsigned status);        /* 600 for 486, 606 for 488 */
void branch_over(struct branch *branch, unsigned status, const struct sip_message *m);    /* m NULL: we say so */

/* ---- b2bua_targets.c ---- */
bool setup_keep_route(struct b2bua_call *c, const struct route *route);         /* false: no memory */
bool setup_call_next(struct b2bua_call *c);               /* true: at least one INVITE is under way */
void setup_call_more(struct b2bua_call *c);               /* one has refused, others ring */
bool setup_forward(struct b2bua_call *c, enum user_forward why);                /* true: the call goes on elsewhere */

#endif
