/* call/message.h - one SIP message as a row: what a list of messages shows and a filter asks.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Borrows everything; made on the way for each message when somebody lists them. */
#ifndef CALL_MESSAGE_H
#define CALL_MESSAGE_H

#include "base/address.h"
#include "sip/message.h"

struct message_row {
    uint64_t       frame;
    int64_t        at_ns;
    struct address src, dst;
    uint8_t        transport;
    slice          method;           /* of a response: of its request */
    uint16_t       status;           /* 0: a request */
    slice          reason, uri, call_id, from_uri, from_tag, to_uri, to_tag, branch, user_agent,
                   content_type;
    uint32_t       cseq;
    uint64_t       call;             /* index of its call, 0: none */
    slice          seen;             /* "new", "hop", "copy", "retransmission" */
    slice          flaws;            /* slugs with blanks between them */
    uint32_t       bytes;
    bool           request, hep, cut;
    /* for people; no fields of their own */
    slice          text;             /* the whole message, which the flaws point into */
    const struct sip_flaw   *flaw_list;      /* the first SIP_FLAWS_MAX of flaw_count */
    const struct sip_header *headers;
    uint16_t       flaw_count, header_count;
};

#endif
