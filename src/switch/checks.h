/* switch/checks.h - may this request be processed at all? (RFC 3261, 8.2 and 16.3)
 * SPDX-License-Identifier: Apache-2.0
 *
 * One question, one answer: 0, or the code with the header that belongs to it. Pure. */
#ifndef SWITCH_CHECKS_H
#define SWITCH_CHECKS_H

#include "base/out.h"
#include "sip/message.h"

struct checks_limits {
    uint64_t uri_bytes_max, message_bytes_max, body_bytes_max;        /* 0: none */
};

/* Without these four and a Via nothing can be answered as a transaction: 400 with what lacks. */
bool checks_is_whole(const struct sip_message *m, slice *ret_phrase);

/* The rest in the order of 8.2. Header lines of the answer are appended to `headers`, *ret_phrase
 * stays empty where the code's own says it all. */
unsigned checks_request(const struct sip_message *m, const struct checks_limits *limits, struct out *headers,
                        slice *ret_phrase);

/* The methods that are understood here, as Allow has them. */
slice checks_allow(void);
/* The whole header line in a 405 to a method that is understood elsewhere (21.4.6: what may be sent here). */
void  checks_allow_but(struct out *o, enum sip_method refused);

#endif
