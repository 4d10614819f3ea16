/* report/flows.h - reference flows for people and as JSON, and where a call left its own.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Errors of the output stay in it (base/out.h). */
#ifndef REPORT_FLOWS_H
#define REPORT_FLOWS_H

#include "base/json.h"
#include "call/flow.h"
#include "codes/flow.h"
#include "report/page.h"

/* What it is, its ladder, and what to know of each step. */
void flows_page(const struct page *p, const struct words *w, const struct flow *flow);
/* All flows, a line each. */
void flows_list(const struct page *p, const struct words *w);

/* One line: {"type":"flow",...}. Keys and names are stable; texts are in the language. */
void flows_json(struct out *o, const struct words *w, const struct flow *flow);
void flows_json_all(struct out *o, const struct words *w);

/* The member "flow" of a record: null, or its name and the first deviation. */
void flows_json_of(struct json *j, const struct words *w, const struct call_flow *f);

/* Which flow it is, and where it was left first; nothing when it was compared with none. */
void flows_say(struct out *o, const struct words *w, const struct call_flow *f);
/* The sentence about the first deviation; nothing when the flow was followed. */
void flows_say_deviation(struct out *o, const struct words *w, const struct call_flow *f);

#endif
