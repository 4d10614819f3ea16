/* report/ladder.h - one call as a ladder: a lane for each machine, an arrow for each message.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collects the sightings of one leg (ladder_note, from the tracker's observer); the legs of a
 * session are drawn side by side when their ladders are put together (ladder_take). Repeats and copies are folded into the arrow they repeat. A lane
 * is an IP address; where a machine talks to itself, an address and port. Bounded:
 * LADDER_EVENTS_MAX arrows, LADDER_LANES_MAX lanes; what is beyond is counted and said. Of more
 * than LADDER_FINDINGS_MAX findings the rest have no mark. */
#ifndef REPORT_LADDER_H
#define REPORT_LADDER_H

#include "codes/words.h"
#include "report/style.h"
#include "track/tracker.h"

#define LADDER_EVENTS_MAX 4000u
#define LADDER_LANES_MAX  12u
#define LADDER_FINDINGS_MAX 64u      /* with a mark; the bits of a uint64_t */
#define LADDER_TEXT_MAX   16384u     /* bytes of one message that are kept, when texts are */

struct ladder;
struct ladder *ladder_new(const struct words *w);
struct ladder *ladder_free(struct ladder *l);
/* From now on the text of each message is kept, too, up to so many bytes in all. */
void ladder_keep_texts(struct ladder *l, size_t bytes_max);
void ladder_note(struct ladder *l, const struct track_sighting *sighting);
/* A lane that is there from the start, with a name; these come first, in this order. False: no room. */
bool ladder_lane(struct ladder *l, const struct address *a, slice name);
/* Takes over the arrows of another leg, in the order of time, and frees its ladder. */
void ladder_take(struct ladder *l, struct ladder *other);
/* A bar for a stream of media, where it began. */
void ladder_stream(struct ladder *l, const struct stream *s);
/* Marks what the verdicts on these legs rest on, once all arrows and bars are there: the proofs of
 * causes, and each finding at the first of its proofs that is drawn. A finding that several legs
 * have is marked once. Says nothing of legs that are not diagnosed. */
void ladder_verdicts(struct ladder *l, struct call *const *legs, size_t count);
/* "◇3": how this finding is marked, to stand before it in a list; empty: none of its proofs is drawn. */
#define LADDER_MARK_MAX 16u
slice ladder_finding_mark(const struct ladder *l, uint16_t cause, const struct style *style,
                          char room[LADDER_MARK_MAX]);
size_t ladder_memory_bytes(const struct ladder *l);
void ladder_print(const struct ladder *l, struct out *o, const struct style *style);
/* The same while it happens, for lanes that are known: their names, then after each ladder_note
 * the arrow that was noted; a repeat is drawn again, with how often it was sent. */
void ladder_print_lanes(const struct ladder *l, struct out *o, const struct style *style);
void ladder_print_last(const struct ladder *l, struct out *o, const struct style *style);

#endif
