/* report/explain_int.h - shared by the files of explain.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_EXPLAIN_INT_H
#define REPORT_EXPLAIN_INT_H

#include "report/explain.h"

/* A text with values put in, in memory of its own: one at a time, done with explain_said_done.
 * What could not be kept for lack of memory is an error of the page's output. */
struct explain_said {
    struct out out;
};

#define explain_say(said, e, id, ...)                                                              \
    (out_clear(&(said)->out), words_say(&(said)->out, (e)->words, (id), __VA_ARGS__),              \
     explain_said_text((said), (e)))

void  explain_said_init(struct explain_said *said);
slice explain_said_text(struct explain_said *said, const struct explain *e);
void  explain_said_done(struct explain_said *said);

#define EXPLAIN_INDENT 2

/* Heading and paragraph; nothing when the text is empty. */
void explain_section(const struct explain *e, enum text_id heading, slice text);

/* "Administrator:", and the width of the widest such label with a blank. */
slice  explain_role_label(const struct explain *e, enum code_role role);
size_t explain_label_width(const struct explain *e);

/* "sip:486  Busy Here" and, if asked for, its headline below; and the width of such names. */
void   explain_code_line(const struct explain *e, const struct code *code, size_t indent,
                         size_t width, bool with_headline);
size_t explain_name_width(const struct code *const codes[], size_t count);

/* The causes of calls that name this code, a line each under a heading. */
void explain_causes_of(const struct explain *e, const struct code *code);

/* All causes of calls, a line each. */
void explain_cause_list(const struct explain *e);

/* The family whose differences apply: a class 1xx to 6xx counts as SIP, 9xx as local. */
enum code_family explain_family(const struct code_query *q);

/* The number or id that was asked about: "486", "499", "SIP18X". */
void explain_id(struct out *o, const struct code_query *q);

static inline bool explain_is_sip_class(const struct code *code)
{
    return code->family == CODE_CLASS && code->digit <= 6;
}

/* What a receiver takes an unregistered number for: x00, but 183 for 1xx (RFC 3261, 8.1.3.2). */
static inline unsigned explain_base(const struct code_query *q)
{
    return q->code->digit == 1 ? 183 : q->code->digit * 100u;
}

/* The sentence of the class about a number that is not registered. */
void explain_unregistered(const struct explain *e, const struct code_query *q, size_t indent);

/* A written comparison of exactly these subjects; NULL: none. */
const struct code_comparison *explain_written(const struct code_query *const subjects[],
                                              size_t count);

/* What distinguishes two subjects about which nothing is written, as one paragraph. */
void explain_difference(struct out *o, const struct words *w, const struct code_query *a,
                        const struct code_query *b);

#endif
