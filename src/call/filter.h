/* call/filter.h - the filter language: which records somebody wants to see.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     final = 486 and talk_ms < 6000
 *     from.user ~ "^49" or not answered
 *     state.list in (active, completed) and invite_at >= -1h
 *
 * Fields are those of a field_table. Comparisons: = != < <= > >=, ~ and !~ (POSIX extended
 * regular expression), in ( ... ). A bare field is true when it is known and neither zero nor
 * empty. Words need quotes only for blanks and operators. Durations may carry a unit (800ms,
 * 6s, 2m, 1h); times are RFC 3339, a date, or relative to the newest packet (-1h). A
 * comparison with what is unknown is false, so `talk_ms != 5` leaves unanswered calls out.
 *
 *     struct filter *f;
 *     if (filter_parse(text, &call_fields, &f, &error) == 0 && filter_match(f, call, now_ns))
 *         show(call);
 *     f = filter_free(f);                                                                 */
#ifndef CALL_FILTER_H
#define CALL_FILTER_H

#include "call/fields.h"

#define FILTER_NODES_MAX 512
#define FILTER_DEPTH_MAX 64
#define FILTER_PATTERN_MAX 256       /* bytes of a regular expression; one {m,n}, no \1 */

enum filter_wrong {
    FILTER_FINE,
    FILTER_NO_FIELD,                 /* `near` is the field it may have meant */
    FILTER_WANTS_NUMBER, FILTER_WANTS_DURATION, FILTER_WANTS_TIME, FILTER_WANTS_YES_OR_NO,
    FILTER_WANTS_TEXT,               /* ~ on what is no text */
    FILTER_WANTS_VALUE,              /* something must follow the operator */
    FILTER_WANTS_FIELD,
    FILTER_UNBALANCED,               /* a bracket or a quote is missing */
    FILTER_LEFT_OVER,                /* text behind a whole expression */
    FILTER_BAD_PATTERN,
    FILTER_TOO_LONG,
    FILTER_NO_MEMORY,
    FILTER_WRONGS
};
struct filter_error {
    enum filter_wrong wrong;
    size_t offset;                   /* into the text, in bytes */
    slice  at;                       /* the piece that is wrong; borrows from the text */
    const char *near;                /* static */
};

struct filter;
int filter_parse(slice text, const struct field_table *table, struct filter **ret,
                 struct filter_error *ret_error);         /* 0, -EINVAL or -ENOMEM */
struct filter *filter_free(struct filter *f);
/* A record of the table it was parsed for; now_ns is what relative times count from. */
bool filter_match(const struct filter *f, const void *record, int64_t now_ns);
bool filter_is_relative(const struct filter *f);          /* now_ns matters to it */

/* "2026-11-21T01:02:03.5Z", "2026-11-21 01:02" (UTC), "2026-11-21", with +hh:mm. */
bool filter_time(slice text, int64_t *ret_ns);

#endif
