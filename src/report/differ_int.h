/* report/differ_int.h - what the files of the comparison share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_DIFFER_INT_H
#define REPORT_DIFFER_INT_H

#include "report/differ.h"

struct differ_message {
    slice    text;
    uint64_t frame;
    int64_t  at_ns;
    uint32_t repeats;
    uint16_t status;
    uint8_t  method;                 /* of a response: of its request */
    uint8_t  transport;
    uint8_t  confirms;               /* of an ACK: class of the response before it, 2 or more */
    uint16_t pair;                   /* index + 1 in the other call; 0: only here */
    bool     from_callee;
    slice    label;
};
struct differ_side_of {
    const struct call     *call;
    struct differ_message *messages;
    size_t                 count;
    uint64_t               left_out;         /* later ones, beyond a limit */
    uint16_t               last_final;       /* to an INVITE */
};
struct differ {
    struct differ_side_of sides[DIFFER_SIDES];
    struct arena          arena;
    struct difference    *all;
    size_t                count, room;
    uint64_t              beyond;
    bool                  no_memory;
    struct sip_header     headers[DIFFER_SIDES][SIP_HEADERS_MAX];
};

#endif
