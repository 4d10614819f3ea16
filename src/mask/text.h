/* mask/text.h - one SIP message, changed in place: who called whom can no longer be read.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lengths, header names, methods, codes, CSeq, timers, option tags, codecs and ports stay, so the
 * message is parsed as it was before. Masked are users, numbers, hosts and addresses in every
 * URI, display names, subjects and other words of people, credentials, SRTP keys, device and
 * cell identities, DTMF digits, and bodies: SDP, XML, sipfrag and multipart by their structure,
 * every other text word by word; what is no text is blanked.
 *
 * Headers that are not known, product names, reason phrases and Call-IDs are swept: what looks
 * like an address, a number, a URI or a host is masked, and so is a word that stood as a user
 * or a name in a known place lately.
 *
 *     struct mask_text *t = mask_text_new(key);
 *     if (!mask_message(t, bytes, len, SIP_DATAGRAM)) ...no SIP: nothing was changed
 *     t = mask_text_free(t);
 *
 * Allocates once. A word is known again by a keyed hash of 64 bits: at worst one that need
 * not be masked is. */
#ifndef MASK_TEXT_H
#define MASK_TEXT_H

#include "mask/key.h"
#include "sip/message.h"

#define MASK_HEADERS_MAX 1024u       /* a message with more is not masked: false */

struct mask_text;
struct mask_text *mask_text_new(const struct mask_key *key);           /* NULL: no memory */
void mask_text_keep_call_ids(struct mask_text *t);         /* they stay as they are */
struct mask_text *mask_text_free(struct mask_text *t);

/* A whole datagram, or one message of a stream. What follows its end is masked as words. */
bool mask_message(struct mask_text *t, char *at, size_t len, enum sip_framing framing);
/* A Call-ID that stands by itself. */
void mask_call_id(struct mask_text *t, char *at, size_t len);
/* Text of any kind: swept. */
void mask_free_text(struct mask_text *t, char *at, size_t len);

#endif
