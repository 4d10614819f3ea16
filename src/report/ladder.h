/* report/ladder.h - one call as a ladder: a lane for each machine, an arrow for each message.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collects the sightings of one leg (ladder_note, from the tracker's observer); the legs of a
 * session are drawn side by side when their ladders are put together (ladder_take). Repeats and copies are folded into the arrow they repeat. A lane
 * is an IP address; where a machine talks to itself, an address and port. Bounded:
 * LADDER_EVENTS_MAX arrows, LADDER_LANES_MAX lanes; what is beyond is counted and said. */
#ifndef REPORT_LADDER_H
#define REPORT_LADDER_H

#include "codes/words.h"
#include "report/style.h"
#include "track/tracker.h"

#define LADDER_EVENTS_MAX 4000u
#define LADDER_LANES_MAX  12u
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
/* A mark at the arrow of this frame: what a verdict rests on. */
void ladder_mark(struct ladder *l, uint64_t frame);
size_t ladder_memory_bytes(const struct ladder *l);
void ladder_print(const struct ladder *l, struct out *o, const struct style *style);
/* The same while it happens, for lanes that are known: their names, then after each ladder_note
 * the arrow that was noted; a repeat is drawn again, with how often it was sent. */
void ladder_print_lanes(const struct ladder *l, struct out *o, const struct style *style);
void ladder_print_last(const struct ladder *l, struct out *o, const struct style *style);

#endif
