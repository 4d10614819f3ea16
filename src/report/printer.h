/* report/printer.h - records as somebody wants to see them: text, JSON Lines, CSV or a page.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A printer is a struct of functions behind a handle, so whoever has records need not know
 * which it is. Text keeps sections: a heading and a table that fits the terminal come before
 * the first record of a kind.
 *
 *     struct printer p;
 *     printer_begin(&p, PRINTER_TEXT, &out, words, &style);
 *     printer_call(&p, call); ... printer_summary(&p, &summary);  printer_done(&p);         */
#ifndef REPORT_PRINTER_H
#define REPORT_PRINTER_H

#include "call/fields.h"
#include "diagnose/suspects.h"
#include "report/html_book.h"
#include "report/summary.h"
#include "report/table.h"

enum printer_kind { PRINTER_TEXT, PRINTER_JSON, PRINTER_CSV, PRINTER_HTML };
enum printer_section { PRINTER_NOTHING, PRINTER_CALLS, PRINTER_REGISTRATIONS, PRINTER_TRANSACTIONS,
                       PRINTER_STREAMS, PRINTER_MESSAGES, PRINTER_INCIDENTS, PRINTER_LIVE, PRINTER_SECTIONS };

/* An explanation that waits: of the first call with that cause, and which others have it. */
#define PRINTER_WHYS_MAX 48u
#define PRINTER_WHY_OTHERS 8u
struct printer_why {
    uint16_t cause;
    bool     of_registration;
    size_t   begin, end;             /* in `why` */
    uint64_t others;
    uint64_t first_others[PRINTER_WHY_OTHERS];           /* their numbers */
};

struct printer {
    enum printer_kind   kind;
    struct out         *out;
    struct html_book   *book;        /* of PRINTER_HTML: takes the place of `out` */
    const struct words *words;
    const struct style *style;
    enum printer_section section;    /* whose heading was printed last */
    struct json         json;
    struct table        table;
    struct table_column columns[TABLE_COLUMNS_MAX];
    bool                explain_all;         /* text: every call that went wrong, not the first few */
    bool                full_messages;       /* text: with the whole message below */
    struct out          scratch;             /* a cell being put together */
    struct out          why;                 /* text: explanations that come below the lists */
    struct printer_why  whys[PRINTER_WHYS_MAX];
    size_t              why_count;
    uint64_t            why_beyond;
};

void printer_begin(struct printer *p, enum printer_kind kind, struct out *out,
                   const struct words *words, const struct style *style);
void printer_done(struct printer *p);
void printer_call(struct printer *p, const struct call *c);
void printer_registration(struct printer *p, const struct registration *r);
/* What happens now, calls and registrations in one table: a line for each change, at `at_ns`. As JSON
 * the same objects as above. `note` stands before the other notes, or is empty; `why` is that of the call,
 * or of another leg of it that has the cause, or NULL. */
void printer_live_call(struct printer *p, const struct call *c, const struct call_verdicts *why, int64_t at_ns, slice note);
void printer_live_registration(struct printer *p, const struct registration *r, int64_t at_ns, slice note);
/* Below a line: what went wrong, in a sentence, or `whole` with proof and what to do. Text only;
 * nothing for what is no problem. */
void printer_live_verdict(struct printer *p, const struct verdict *v, bool whole);
void printer_transaction(struct printer *p, const struct transaction *t);
/* Text: the explanations that were kept back while the calls were listed. */
void printer_explanations(struct printer *p);
void printer_stream(struct printer *p, const struct stream *s);
void printer_message(struct printer *p, const struct message_row *m);
void printer_incident(struct printer *p, const struct incident *i);
void printer_suspect(struct printer *p, const struct suspect *s);
void printer_summary(struct printer *p, const struct summary *s);   /* CSV has none */

/* One line about a call, above its ladder; and what is to say about it and its other legs, below:
 * what several have is told once, findings behind the mark that they have in the ladder. */
void printer_call_title(struct printer *p, const struct call *c);
void printer_session_verdicts(struct printer *p, struct call *const *legs, size_t count, const struct ladder *l);

#endif
