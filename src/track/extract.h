/* track/extract.h - what a call keeps of a message, decoded from its headers and body.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each looks up its header and does nothing when it is not there or cannot be decoded. Text
 * goes into the call's arena; when memory is short it stays empty. */
#ifndef TRACK_EXTRACT_H
#define TRACK_EXTRACT_H

#include "call/call.h"
#include "sip/sdp.h"

void track_party(struct arena *a, struct call_party *party, const struct sip_name_addr *from);
void track_invite(struct call *c, const struct sip_message *m);     /* of an initial INVITE */
void track_answer(struct call *c, const struct sip_message *m);     /* of the 2xx */
void track_refusal(struct call *c, const struct sip_message *m);    /* of a 3xx to 6xx */
void track_reason(struct call *c, const struct sip_message *m);     /* Reason (RFC 3326) */
void track_refer(struct call *c, const struct sip_message *m);      /* Refer-To (RFC 3515) */
void track_sipfrag(struct call *c, const struct sip_message *m);    /* status in a NOTIFY's body */

enum track_media_wish { TRACK_WISH_NONE, TRACK_WISH_TALK, TRACK_WISH_HOLD };
/* What an offer asks for: NONE without SDP (NULL); HOLD when no stream may come back to the
 * other side (sendonly, inactive, or c=0.0.0.0). */
enum track_media_wish track_media_wish(const struct sdp *sdp);

#endif
