/* track/legs_int.h - one live leg, as legs.c and join.c share it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACK_LEGS_INT_H
#define TRACK_LEGS_INT_H

#include "track/track_int.h"

/* One INVITE client transaction (initial INVITE) as seen on one hop. */
struct attempt {
    slice    branch;                 /* topmost Via, whole; in the call's arena */
    uint32_t cseq;
    uint16_t final;
    uint16_t vias;
    bool     origin;                 /* left the caller itself, as far as was seen */
};

#define ATTEMPTS_INSIDE 2u           /* a plain call has one, one with a challenge two */
struct leg {
    struct live     live;
    struct call    *call;
    struct attempt *attempts;        /* `inside`, or a block of their own */
    struct session *session;         /* NULL: it stands alone */
    struct list     in_session;
    struct media_call *media;        /* its addresses and streams; NULL: no SDP yet */
    struct join_keys *keys;          /* by which other legs find it; NULL: none yet */
    uint16_t        attempt_count, attempt_room;
    uint16_t        origin_vias;
    bool            caller_holds, callee_holds;
    uint32_t        cseq;            /* of the newest initial INVITE */
    uint32_t        answer_cseq;
    slice           second_tag;      /* of another fork that answered, too, and goes on */
    struct {
        uint32_t cseq;               /* of the newest re-INVITE, 0: none */
        bool     from_callee, held_before, counted;
    } reinvite;
    struct seen     seen;
    struct attempt  inside[ATTEMPTS_INSIDE];
};

#endif
