/* call/flow.h - which reference flow a call followed, and where it first left it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Written by diagnose/flow.c at the end of a call, in its record; zero: none is near enough, or
 * not compared. */
#ifndef CALL_FLOW_H
#define CALL_FLOW_H

#include <stdint.h>

enum call_deviation {
    CALL_FLOW_FOLLOWED,              /* to the end, or as far as the capture goes */
    CALL_FLOW_MISSING,               /* the step never came; frame: of the message before it */
    CALL_FLOW_INSTEAD,               /* something else came in its place; frame: of that */
    CALL_FLOW_EARLY,                 /* it came before its turn */
    CALL_FLOW_LATE,                  /* it came after its turn */
    CALL_FLOW_EXTRA,                 /* something came that the flow does not have; step: the next one */
    CALL_FLOW_UNRELIABLE,            /* a 1xx without RSeq where the flow has a reliable one */
    CALL_FLOW_NO_PRACK,              /* nobody confirmed a reliable 1xx; frame: of that, rseq: its RSeq */
    CALL_DEVIATIONS
};

struct call_flow {
    uint8_t  flow;                   /* enum flow_id */
    uint8_t  deviation;              /* enum call_deviation */
    uint8_t  part;                   /* enum flow_id: whose step; flow itself, or one before or behind */
    uint8_t  step;                   /* from 1 */
    uint8_t  method;                 /* enum sip_method of the message of `frame` */
    uint16_t status;                 /* of it; 0: a request */
    uint32_t cseq, rseq;             /* of it; 0: none */
    uint64_t frame;
};

#endif
