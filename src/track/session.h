/* track/session.h - legs of one call: told to the observer together, when the last has ended.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A leg that stands alone has no session of its own in memory. Two that were joined share one;
 * the record of a leg that ended waits in it for the others. Bounded: SESSION_LEGS_MAX legs, and
 * what waits counts into the tracker's memory. */
#ifndef TRACK_SESSION_H
#define TRACK_SESSION_H

#include "call/call.h"

#define SESSION_LEGS_MAX 16u

struct session {
    uint64_t     id;                 /* that of its first leg */
    struct list  live;               /* its live legs, by leg.in_session */
    uint8_t      open;               /* how many these are */
    uint8_t      ended;              /* legs that wait in `legs` */
    size_t       waiting_bytes;      /* of these */
    struct call *legs[SESSION_LEGS_MAX];
};

/* A session with one live leg in it; NULL: no memory. */
struct session *session_new(uint64_t id);
/* Is there room for the legs of the other, and is it another? */
bool session_may_take(const struct session *s, const struct session *other);
/* Takes over what waits in the other, and the count of its live legs; frees it. */
void session_take(struct session *s, struct session *other);
/* A leg of it ended: its record waits. True: that was the last one; then legs[0] to
 * legs[ended - 1] stand in the order in which they began, and belong to the asker. */
bool session_end_leg(struct session *s, struct call *c);

#endif
