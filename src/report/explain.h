/* report/explain.h - pages, comparisons and lists of codes and causes, for people and as JSON.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A subject is what code_query found: a code, or a number that is not registered, of which
 * the class speaks. Errors of the output stay in it (base/out.h).
 *
 *     struct explain e = { .page = { .out = &out, .style = { .width = 80 } }, .words = words_english() };
 *     struct code_query q;
 *     code_query(SLICE("486"), e.words, &q);
 *     explain_page(&e, &q);                                                             */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include "codes/query.h"
#include "report/page.h"

#define EXPLAIN_COMPARED_MAX 8

enum explain_depth {
    EXPLAIN_ENGINEER,                /* everything */
    EXPLAIN_HELPDESK,                /* meaning, when, causes with what to do */
    EXPLAIN_CALLER                   /* the headline and what the caller can do */
};

struct explain {
    struct page         page;
    const struct words *words;
    enum explain_depth  depth;
};

/* q->result is QUERY_CODE or QUERY_UNREGISTERED. */
void explain_page(const struct explain *e, const struct code_query *q);

/* Two subjects or more, up to EXPLAIN_COMPARED_MAX, all different. */
void explain_comparison(const struct explain *e, const struct code_query subjects[], size_t count);

/* The codes that a phrase fits (QUERY_SEVERAL). */
void explain_several(const struct explain *e, slice text, const struct code_query *q);

/* The page of one cause of calls. */
void explain_cause_page(const struct explain *e, enum cause_id cause);

/* "Cause busy: The called phone is busy", appended. */
void explain_cause_title(struct out *o, const struct words *w, enum cause_id cause);

/* The causes that words fit, a line each. */
void explain_causes(const struct explain *e, slice text, const struct cause_query *q);

/* All codes, then all causes, one line each. */
void explain_list(const struct explain *e);

/* "SIP 486 Busy Here", "Monitor state 999: Active", appended. */
void explain_title(struct out *o, const struct words *w, const struct code_query *q);

/* How to ask for it: "sip:486". */
void explain_name(struct out *o, const struct code *code);

/* {"type":"cause",...} for what may be the main cause of a call, else {"type":"finding",...}. */
void explain_cause_json(struct out *o, const struct words *w, enum cause_id cause);

/* One line each: {"type":"code",...}. The comparison follows the codes with {"type":"comparison"}. */
void explain_json(struct out *o, const struct words *w, const struct code_query *q);
void explain_json_all(struct out *o, const struct words *w);   /* codes, causes, findings */
void explain_json_comparison(struct out *o, const struct words *w,
                             const struct code_query subjects[], size_t count);
void explain_json_several(struct out *o, const struct words *w, slice text,
                          const struct code_query *q);

#endif
