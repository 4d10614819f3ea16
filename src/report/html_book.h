/* report/html_book.h - a whole reading as one page that needs nothing but itself.
 * SPDX-License-Identifier: Apache-2.0
 *
 * No script, no font, no picture comes from elsewhere, and a Content-Security-Policy says so. What
 * comes from the network is escaped (html.h). Calls end in any order and the summary is known last,
 * so finished parts wait in temporary files beside the page; memory holds only an index. Bounded:
 * HTML_SECTIONS_MAX calls are told in full, those with a problem first, HTML_ROWS_MAX rows stand in
 * a list, and what is beyond is counted and said. The page appears whole or not at all: it is
 * written under another name and then renamed. Where the name is no plain file (a device, a pipe,
 * "-" for standard output), it is written as it goes.
 *
 *     struct html_book *b;
 *     html_book_open(&b, &settings);
 *     html_book_session(b, legs, count, ladder);        // as they end
 *     html_book_call(b, call);                          // rows, in the order of their beginning
 *     int error = html_book_finish(b, &summary);        // 0 or -errno
 *     html_book_free(b);                                                                    */
#ifndef REPORT_HTML_BOOK_H
#define REPORT_HTML_BOOK_H

#include "call/call.h"
#include "call/incident.h"
#include "call/registration.h"
#include "diagnose/suspects.h"
#include "report/ladder.h"
#include "report/summary.h"

#define HTML_SECTIONS_MAX 500u       /* calls with all their messages */
#define HTML_SECTION_BYTES_MAX (32u << 20)   /* of one of them; a longer one is left out */
#define HTML_ROWS_MAX     100000u    /* of each list */

struct html_book_settings {
    const char *path;                /* "-": standard output */
    const struct words *words;
    slice zone;                      /* as asked for; empty: the machine's */
    slice filter;                    /* as asked for; empty: none */
    slice version;
    bool  newest;                    /* a filter looks back from the end: newer calls push out older ones */
};

struct html_book;
int  html_book_open(struct html_book **ret, const struct html_book_settings *settings);    /* 0 or -errno */
struct html_book *html_book_free(struct html_book *b);    /* an unfinished page leaves nothing behind */

/* The legs of a call that ended, diagnosed; borrows them and the ladder, which may be NULL. */
void html_book_session(struct html_book *b, struct call *const *legs, size_t count, const struct ladder *ladder);
/* A leg had no sketch for lack of memory. */
void html_book_undrawn(struct html_book *b, uint64_t legs);

void html_book_call(struct html_book *b, const struct call *c);
void html_book_registration(struct html_book *b, const struct registration *r);
void html_book_stream(struct html_book *b, const struct stream *s);          /* of no call */
void html_book_incident(struct html_book *b, const struct incident *i);
void html_book_suspect(struct html_book *b, const struct suspect *s);

int  html_book_finish(struct html_book *b, const struct summary *s);

#endif
