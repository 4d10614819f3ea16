/* report/verdicts.h - the verdict on a call for people and for programs: cause and findings.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sentences come from the catalogue in the reader's language; what the network sent is cleaned
 * before it reaches a terminal. Needs diagnosed calls: with call->verdicts NULL nothing is
 * written but a null in JSON. */
#ifndef REPORT_VERDICTS_H
#define REPORT_VERDICTS_H

#include "base/json.h"
#include "call/call.h"
#include "codes/words.h"
#include "report/page.h"

/* Members "cause" and "findings" of the object that is being written (CONTRACT.md). */
void verdicts_json(struct json *j, const struct words *w, const struct call_verdicts *v);

/* Headline of the cause, empty when nothing went wrong. */
slice verdicts_headline(const struct words *w, const struct call_verdicts *v);

/* Legs of one call usually fail of the same, and it is told once: the first leg with the cause of
 * this leg, and the number under which a finding of it is told, VERDICT_FINDINGS_MAX a leg. */
size_t verdicts_cause_leg(struct call *const *legs, size_t leg);
size_t verdicts_finding_number(struct call *const *legs, size_t leg, size_t finding);

/* What happened, one whole text with the call's values in it. `o` is cleared before. */
void verdict_sentence(struct out *o, const struct words *w, const struct verdict *v);
/* "Frame 12: 486 Busy Here; frame 14: ...": the list of its proofs. `o` is cleared before. */
void verdict_evidence_list(struct out *o, const struct words *w, const struct verdict *v);

/* The whole explanation, with proof and what to do by role. */
void verdict_print(const struct page *p, const struct words *w, size_t indent, const struct verdict *v);
/* The same behind a mark, in a margin of VERDICT_MARGIN columns. */
#define VERDICT_MARGIN 4u
void verdict_print_marked(const struct page *p, const struct words *w, size_t indent, slice mark,
                          const struct verdict *v);

enum style_tone verdict_tone(const struct verdict *v);

#endif
