/* report/sketches.h - a ladder for each leg that is live, until somebody says which is wanted.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which legs belong to a call is known only when it is over, so all are sketched while they
 * run. Bounded in bytes: at the ceiling a new leg gets no sketch, and that is counted. */
#ifndef REPORT_SKETCHES_H
#define REPORT_SKETCHES_H

#include "base/map.h"
#include "report/ladder.h"

struct sketches {
    const struct words *words;
    struct map by_index;             /* struct sketch, by the call's index */
    size_t     bytes, bytes_max;
    size_t     text_bytes_max;       /* of the messages of a leg; 0: their text is not kept */
    uint64_t   beyond;               /* legs without one */
};

bool sketches_init(struct sketches *s, const struct words *w, size_t bytes_max);   /* false: no memory */
void sketches_done(struct sketches *s);
void sketches_note(struct sketches *s, const struct track_sighting *sighting);     /* of a call */
/* The ladder of a call; it now belongs to the asker. NULL: there is none. */
struct ladder *sketches_take(struct sketches *s, uint64_t index);

#endif
