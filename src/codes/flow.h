/* codes/flow.h - the reference flows: what a call looks like when all goes well.
 * SPDX-License-Identifier: Apache-2.0
 *
 * They stand in data/flows, one file each, and are compiled in; nothing here allocates. Both legs
 * of the server are described, so the flows tell a reader what to expect, a monitor what came too
 * little (diagnose/flow.h), and a server what it has to do. Names are stable; the numbers of enum
 * flow_id are not, so nothing stores them beyond one run. Steps are numbered from 1 in the order
 * of their file. A whole call may have another flow before and behind it (after, then).
 *
 *     const struct flow *hold = flow_at(flow_find(SLICE("hold")));
 *     slice title = flow_text(w, hold->title);
 *
 * A new flow is a new file; tools/flows.py tells its keys. */
#ifndef CODES_FLOW_H
#define CODES_FLOW_H

#include "codes/code.h"
#include "generated/codes/flows.h"   /* enum flow_id, FLOW_IS_... and FLOW_STEP_... */

enum flow_kind { FLOW_KIND_CALL, FLOW_KIND_REGISTRATION };

struct flow_step {
    char        from, to;            /* parties: 'A', 'S' for the server, 'B', 'C' */
    uint16_t    flags;               /* FLOW_STEP_... */
    const char *label;               /* "INVITE", "200 (BYE)", "486/600" */
    const char *state;               /* what a monitor shows then: "monitor:2002"; "": as before */
    const char *qos;                 /* "none", "wanted", "local", "both"; "": does not matter */
    const char *block;               /* steps of one name come all or not at all; "": none */
    const char *const *must;         /* header fields; NULL at the end; so is the next */
    const char *const *should;
    sentence    note;                /* what to know of it, and what the server has to do */
    sentence    missing, early;      /* with {frame} {rseq} {cseq}; often none */
};

struct flow {
    const char *name;                /* "callee-busy" */
    uint8_t     kind;                /* enum flow_kind */
    bool        repeats;             /* may come several times in one call */
    uint8_t     after, then;         /* enum flow_id of what comes before and behind; FLOW_NONE */
    uint8_t     step_count;
    const char *parties;             /* "ASB": the columns of its ladder */
    sentence    title, purpose;
    const char *const *rfc;          /* NULL at the end */
    const struct flow_step *steps;
};

enum flow_id flow_find(slice name);                        /* FLOW_NONE: there is none */
enum flow_id flow_nearest(slice name);                     /* to a misspelt one; never FLOW_NONE */
/* Never NULL; FLOW_NONE and numbers beyond FLOWS have the name "" and no steps. */
const struct flow *flow_at(unsigned id);
/* NULL when it has no such step. */
const struct flow_step *flow_step(unsigned id, unsigned step);
slice flow_text(const struct words *w, sentence s);        /* empty when there is none */

#endif
