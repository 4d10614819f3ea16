/* report/html_int.h - what the parts of a page (html_*.c) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_HTML_INT_H
#define REPORT_HTML_INT_H

#include "diagnose/suspects.h"
#include "report/html.h"
#include "report/ladder_int.h"
#include "report/moment.h"
#include "report/notes.h"

#define HTML_NAME_MAX    200u        /* bytes of a name in a heading or a cell */
#define HTML_STREAMS_MAX 24u         /* of one call: drawn and told in full */

struct html_session {                /* legs that are one call, as they are told together */
    struct call *const  *legs;       /* in the order in which they began */
    size_t               count;
    const struct ladder *ladder;     /* of all of them; NULL: none was kept */
    uint64_t             number;     /* of the first leg: ids on the page begin with it */
    const struct stream *streams[HTML_STREAMS_MAX];      /* of all of them, by their beginning */
    size_t               stream_count, streams_beyond;
};

/* The session with its streams in order; borrows all it is given. */
struct html_session html_session_of(struct call *const *legs, size_t count, const struct ladder *ladder);

void html_call_section(struct html *h, const struct html_session *s);        /* html_call.c */
void html_ladder(struct html *h, const struct html_session *s);              /* html_ladder.c */
void html_streams(struct html *h, const struct html_session *s);             /* html_stream.c */
/* Rows of tables; that of a call lacks its beginning: <tr> and the cell with its number. */
void html_call_cells(struct html *h, const struct call *c);                  /* html_rows.c */
void html_registration_row(struct html *h, const struct registration *r);
void html_suspect(struct html *h, const struct suspect *s);                  /* a block, no row */
void html_incident_row(struct html *h, const struct incident *i);
void html_stream_row(struct html *h, const struct stream *s);                /* html_stream.c */

/* Is anything found in a call a warning, or worse? */
bool html_has_warning(struct call *const *legs, size_t count);

/* A verdict that opens to its reasons; its proofs are no links. */
void html_verdict_alone(struct html *h, const struct verdict *v);

/* "c12", "c12-f7": ids and what leads to them. */
void html_id(struct html *h, uint64_t number);
void html_id_part(struct html *h, uint64_t number, char part, uint64_t which);

/* A class for a tone or a severity: "bad", "warn", "good" or "plain"; "error" and so on. */
slice html_tone(enum style_tone tone);
slice html_severity(const struct verdict *v);

/* A label with its value between begin and end, in a <dl class=figures>. */
void html_figure_begin(struct html *h, enum text_id label);
void html_figure_end(struct html *h);
void html_mos(struct html *h, uint16_t mos_milli);        /* a dash for 0 */

#endif
