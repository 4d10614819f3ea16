/* diagnose/suspects.h - machines that look for open servers without placing a call.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A scan by OPTIONS leaves no call and no registration that could carry a cause. At the end of
 * the input whoever behaved so is told, once for each machine. */
#ifndef DIAGNOSE_SUSPECTS_H
#define DIAGNOSE_SUSPECTS_H

#include "call/verdict.h"
#include "diagnose/history.h"

struct suspect {                     /* valid in the call of suspect_fn only */
    struct address address;          /* port 0 */
    int64_t  first_ns, last_ns;
    uint32_t requests;
    const struct call_verdicts *verdicts;        /* the cause; no findings */
};
typedef void suspect_fn(void *ctx, const struct suspect *s);

void diagnose_suspects(const struct diagnose_history *h, suspect_fn *tell, void *ctx);

#endif
