/* track/join.h - legs with different Call-IDs that are one call: found without configuration.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A back-to-back user agent gives each of its legs a Call-ID of its own. That two legs are one
 * call is shown by what it carried over: Session-ID (RFC 7989), the icid of P-Charging-Vector, the
 * media address in the SDP, a part of the Call-ID, any header with the same value, the numbers
 * with the time. Each is worth points; together they must reach JOIN_ENOUGH, and no other call
 * may come near. A wrong join is worse than none: when in doubt, legs stay apart.
 *
 * Weak signs count only between neighbours: the newer leg leaves the machine where the older one
 * arrives, within seconds, and before the older one was answered. */
#ifndef TRACK_JOIN_H
#define TRACK_JOIN_H

#include "call/call.h"

#define JOIN_ENOUGH 80u              /* of 100 */
#define JOIN_MARGIN 15u              /* the second best must stay so far behind */

struct join_verdict {
    uint8_t score;                   /* 0 to 100 */
    uint8_t why;                     /* enum call_join: the strongest sign */
};
/* How surely is `newer` a further leg of the call of which `older` is one? Pure. `header` is the
 * configured one, or empty. */
struct join_verdict join_judge(const struct call *older, const struct call *newer, slice header);

/* Is that value worth remembering, that is, hardly the same on two unrelated calls? */
bool join_is_identity(slice value);

/* ---- among the live legs of a tracker ---- */

struct tracker;
struct leg;
/* After its first INVITE, or its first SDP on either side: looks for the call that it is a leg of. */
void track_join(struct tracker *t, struct leg *leg);
/* The same voice was seen in both (media/table.h); `ctx` is the tracker. */
void track_join_relayed(void *ctx, const struct call *a, const struct call *b);
/* It may be over: then no further leg is looked for, and what it could be found by is taken back. */
void track_join_settle(struct tracker *t, struct leg *leg);
void track_join_leave(struct tracker *t, struct leg *leg);      /* it closes */

size_t track_join_bytes(const struct leg *leg);

#endif
