/* switch/dialog.h - what a dialog is known by, and requests within it (RFC 3261, 12).
 * SPDX-License-Identifier: Apache-2.0
 *
 * A value whose texts lie in its owner's arena. What a peer may change on the way (target,
 * CSeq) is changed here and nowhere else.
 *
 *     dialog_of_request(&arena, m, from, local_tag, &d);      // we are called
 *     dialog_of_response(&arena, m, &asked, &d);              // we called; an early or final answer
 *     struct out *o = dialog_request(endpoint, &d, SIP_BYE, (slice){ 0 });                        */
#ifndef SWITCH_DIALOG_H
#define SWITCH_DIALOG_H

#include "base/arena.h"
#include "sip/message.h"
#include "switch/endpoint.h"

struct dialog {
    slice      call_id, local_tag, remote_tag;
    slice      local, remote;        /* values of From and To as we write them, without tag */
    slice      target;               /* of the far end: Request-URI */
    uint32_t   target_room;          /* for the next one, in its place; 0: not ours to write to */
    bool       is_ours;              /* we called: its Call-ID is ours (14.1), wherever it moves */
    slice      routes;               /* whole Route lines, or empty */
    uint32_t   local_cseq, remote_cseq;                   /* of the last request; 0: none yet */
    struct hop hop;                  /* where requests go: the first route's, the target's, or where theirs come from */
};

/* At least as many bytes as dialog_of_request takes of its arena, not many more. */
size_t dialog_room(const struct sip_message *m);
/* From the request that began it. False: no memory, or no Contact that can be called back. */
bool dialog_of_request(struct arena *arena, const struct sip_message *m, const struct hop *from, slice local_tag,
                       struct dialog *ret);
/* From a response with a To tag to the request of `asked`, whose own texts are shared, not copied. */
bool dialog_of_response(struct arena *arena, const struct sip_message *m, const struct hop *from,
                        const struct dialog *asked, struct dialog *ret);
/* A Contact in a request that may refresh the target (INVITE, UPDATE, SUBSCRIBE) or in its 2xx. */
void dialog_refresh(struct arena *arena, const struct sip_message *m, const struct hop *from, struct dialog *d);

/* Is it one of this dialog, both tags and Call-ID whole? */
bool dialog_is(const struct dialog *d, slice call_id, slice local_tag, slice remote_tag);
/* Takes the CSeq of a request that came; false: lower than the last one (500, 12.2.2). */
bool dialog_take_cseq(struct dialog *d, const struct sip_message *m);

/* A request within the dialog as far as CSeq, Max-Forwards among it; NULL as client_request.
 * The CSeq is the next one; of ACK and CANCEL that of their INVITE, to be given. */
struct out *dialog_request(struct endpoint *e, struct dialog *d, enum sip_method method, slice method_text);
struct out *dialog_ack(struct endpoint *e, const struct dialog *d, uint32_t cseq);

/* Where a numeric sip: or sips: URI leads from `via`'s listener: false for a host name, which
 * is for the resolver. */
bool hop_of_uri(slice uri, const struct hop *via, struct hop *ret);

#endif
