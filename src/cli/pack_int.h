/* cli/pack_int.h - what the files of the pack command share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PACK_INT_H
#define CLI_PACK_INT_H

#include <stdio.h>

#include "cli/inputs.h"
#include "cli/masking.h"
#include "cli/pipeline.h"
#include "mask/mask.h"
#include "report/ladder.h"
#include "track/session.h"

#define PACK_LEGS_MAX     SESSION_LEGS_MAX   /* the tracker joins no more */
#define PACK_STREAMS_MAX  64u
#define PACK_MESSAGES_MAX 4096u      /* kept with their text; a ladder shows no more either */

#define PACK_ELSEWHERE    (UINT64_C(1) << 40)      /* numbers of frames that are not in it */

struct capture_writer;
struct pack_leg {
    uint64_t     index;              /* in the first reading */
    uint64_t     masked_index;       /* in the second, 0: not met yet */
    slice        call_id;            /* as it came */
    slice        masked_id;
    struct call *call;               /* masked; owned */
};
struct pack_stream {
    struct address src, dst;         /* as they came */
};
struct pack_message {
    uint64_t       frame;            /* in the small capture */
    int64_t        at_ns;
    struct address src, dst;
    slice          text;             /* masked */
};
struct pack {
    struct cli           *cli;
    const char *const    *files;
    size_t                file_count;
    slice                 wish;
    const char           *out;
    bool                  with_rtp, made;    /* made: the directory is ours */
    struct mask_settings  settings;

    uint64_t              index, others;     /* of the call; more that match */
    struct pack_leg       legs[PACK_LEGS_MAX];
    size_t                leg_count;
    struct pack_stream    streams[PACK_STREAMS_MAX];
    size_t                stream_count;
    uint64_t              streams_left_out, messages_left_out;       /* beyond the limits */
    struct arena          arena;

    struct mask          *mask;
    struct pipeline       pipeline;
    struct capture_writer *writer;
    int                   error;             /* of the writer */
    uint64_t              frame_count;       /* written */
    uint64_t              cut;               /* frames of the call that were not captured whole */
    struct ladder        *ladder;
    struct pack_message **messages;
    size_t                message_count;

    char                  out_room[64], path[4200];
    struct sip_header     room[SIP_HEADERS_MAX];
};

/* A sentence for each limit that was reached: added to `o`, which is cleared before; false: not reached. */
bool pack_streams_left_out(const struct pack *p, struct out *o);
bool pack_messages_left_out(const struct pack *p, struct out *o);

/* The whole text of ticket.txt. */
void pack_ticket(struct pack *p, struct out *o);

#endif
