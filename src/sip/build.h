/* sip/build.h - writing messages: what is kept from another message spliced with what is new
 * (RFC 3261, 7, 8.1.1 and 8.2.6).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure: text is appended to an `out` in memory, whose errors are looked at once, at the end.
 * A value can never begin a new header: CR, LF and NUL in it are written as blanks (a folded
 * value becomes one line).
 *
 *     sip_build_request(o, SIP_BYE, target);
 *     sip_build_via(o, SLICE("UDP"), SLICE("10.0.0.1:5060"), branch);
 *     sip_build_header(o, SIP_H_CALL_ID, call_id);
 *     sip_build_body(o, (slice){ 0 }, (slice){ 0 });     // always last: Content-Length
 */
#ifndef SIP_BUILD_H
#define SIP_BUILD_H

#include "base/address.h"
#include "base/out.h"
#include "sip/message.h"

void sip_build_request(struct out *o, slice method, slice uri);
void sip_build_status(struct out *o, unsigned status, slice phrase);

/* Text on one line: whatever would end the line becomes a blank. */
void sip_build_text(struct out *o, slice text);
/* "Text", in quotes. Escaped: as it stood between quotes in a message, where a backslash takes the
 * next byte along; else as it is. A quote in it never ends it. */
void sip_build_quoted(struct out *o, slice text, bool is_escaped);
void sip_build_header(struct out *o, enum sip_header_id id, slice value);
void sip_build_header_u32(struct out *o, enum sip_header_id id, uint32_t value);
void sip_build_named(struct out *o, slice name, slice value);              /* any name */
/* All lines of that header of another message, in order; how many. */
unsigned sip_build_copy(struct out *o, const struct sip_message *m, enum sip_header_id id);
void sip_build_cseq(struct out *o, uint32_t number, slice method);
/* "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=...;rport"; transport as in the Via: "UDP", "TLS" ... */
/* `sent_by` is our host and port, as the far end is to know them. */
void sip_build_via(struct out *o, slice transport, slice sent_by, slice branch);
/* From or To with its tag set to `tag` (empty: without); a tag in `params` is not written. */
void sip_build_name_addr(struct out *o, enum sip_header_id id, const struct sip_name_addr *addr, slice tag);

/* A response as far as 8.2.6.2 says what is in it: status line, Via of the request with
 * `received` and `rport` of where it really came from (18.2.1, RFC 3581), From, To with the tag
 * when it has none, Call-ID, CSeq, and Timestamp in a 100. `source` NULL: Via as it is. */
void sip_build_response(struct out *o, const struct sip_message *request, unsigned status, slice phrase, slice to_tag,
                        const struct address *source);

/* Ends the message. With an empty body the type is not written. */
void sip_build_body(struct out *o, slice type, slice body);

#endif
