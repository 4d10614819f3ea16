/* tests/harness/causes_run.h - scripts of track_play.h with the cause that each must be given
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HARNESS_CAUSES_RUN_H
#define TESTS_HARNESS_CAUSES_RUN_H

#include "codes/cause.h"
#include "diagnose/diagnose.h"
#include "harness/track_play.h"

struct cause_row {
    const char *cause;               /* slug */
    const char *fires;               /* a script whose call (one of its legs) has this cause */
    const char *silent;              /* one that is near to it and has not, neither as a finding; NULL: none */
    const char *main;                /* NULL: this is the main cause when it may be; "-": only a finding; else
                                      * the slug of the main cause */
};
struct cause_rows {
    const struct cause_row *rows;
    size_t count;
};
extern const struct cause_rows cause_rows_outcome, cause_rows_dialog, cause_rows_routing, cause_rows_media,
                               cause_rows_other;

/* Both scripts of every row. */
void check_causes(const struct cause_rows *rows);

/* Plays a script with diagnosis and history. The verdicts stay with the calls of *p. */
void diagnosed(struct play *p, const char *script);
void diagnosed_done(struct play *p);
const char *main_cause(const struct call *c);             /* "" for none */
bool has_cause(const struct play *p, const char *slug);   /* any call or registration, main or finding */
/* Value of a parameter of the main cause, empty when there is none. */
slice param_of(const struct verdict *v, const char *name);

#endif
