/* track/media_link.h - a leg and its media: who may send where, and when silence is the end.
 * SPDX-License-Identifier: Apache-2.0
 *
 * All of it does nothing when the tracker follows no media (track_settings.media is NULL). */
#ifndef TRACK_MEDIA_LINK_H
#define TRACK_MEDIA_LINK_H

#include "track/legs_int.h"

/* Each new message of a leg, on each hop: its SDP names addresses, an INFO may carry a digit. */
void track_media_note(struct tracker *t, struct leg *leg, const struct track_sighting *s);
/* How long an answered call may be quiet before somebody looks. */
int64_t track_media_patience(const struct tracker *t);
/* The leg's time is over. True: it goes on all the same, its deadline was moved; it may have become
 * 8100 (its media stopped), and then waits for a BYE that comes late. */
bool track_media_keeps(struct tracker *t, struct leg *leg);
/* Its streams go to the record. */
void track_media_close(struct tracker *t, struct leg *leg, bool at_end);

#endif
