/* call/verdict.h - why a call went as it did: one cause, and what else is worth knowing.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Written by diagnosis at the end of a call, in the call's arena; printed by every face. A
 * verdict names an entry of the catalogue (codes/cause.h), the values its sentence needs and
 * the frames that prove it: evidence is never empty. */
#ifndef CALL_VERDICT_H
#define CALL_VERDICT_H

#include "base/slice.h"

#define VERDICT_EVIDENCE_MAX 6
#define VERDICT_FINDINGS_MAX 16

enum verdict_certainty { VERDICT_POSSIBLE, VERDICT_LIKELY, VERDICT_SURE };
slice verdict_certainty_name(enum verdict_certainty certainty);     /* "likely" */

struct verdict_evidence {
    uint64_t frame;
    slice    what;                   /* "486 Busy Here", "INVITE": from the wire */
};
struct verdict_param {               /* for {name} in the sentence of the catalogue */
    const char *name;
    slice       value;
};

struct verdict {
    uint16_t cause;                  /* enum cause_id, 0: none */
    uint8_t  certainty;
    uint8_t  evidence_count, param_count;
    uint16_t code;                   /* the SIP code it rests on, 0: none */
    struct verdict_evidence *evidence;
    struct verdict_param    *params;
};

struct call_verdicts {               /* call->verdicts; NULL: not diagnosed yet */
    struct verdict cause;            /* cause.cause 0: nothing went wrong */
    struct verdict *findings;        /* worst first; VERDICT_FINDINGS_MAX at most */
    uint8_t        finding_count;
    uint8_t        findings_beyond;
};

#endif
