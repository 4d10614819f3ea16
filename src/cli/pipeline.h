/* cli/pipeline.h - the doors from frames to calls joined: wire, intake, media, tracker, diagnosis.
 * SPDX-License-Identifier: Apache-2.0
 *
 * For commands that look at a call again and again; `read` has its own, which also prints.
 *
 *     struct pipeline p;
 *     struct pipeline_observer o = { .ctx = me, .message = on_message, .session = on_session };
 *     if (!pipeline_begin(&p, &o)) ...no memory
 *     pipeline_frame(&p, frame); ... pipeline_finish(&p);
 *     pipeline_done(&p);                                                                    */
#ifndef CLI_PIPELINE_H
#define CLI_PIPELINE_H

#include "diagnose/diagnose.h"
#include "media/table.h"
#include "track/intake.h"

struct pipeline_observer {           /* any may be NULL */
    void *ctx;
    void (*opened)(void *ctx, const struct call *c);
    void (*message)(void *ctx, const struct track_sighting *sighting);
    /* All legs of a session, diagnosed. */
    void (*session)(void *ctx, struct call *const *legs, size_t count);
    bool (*closed)(void *ctx, struct call *c);             /* true: takes it over */
};
struct pipeline {
    struct pipeline_observer observer;
    struct wire             *wire;
    struct tracker          *tracker;
    struct intake           *intake;
    struct media_table      *media;
    struct diagnose_history *history;
    int64_t                  last_ns;
    uint64_t                 frames;
};
bool pipeline_begin(struct pipeline *p, const struct pipeline_observer *observer);
void pipeline_frame(struct pipeline *p, const struct wire_frame *frame);
void pipeline_finish(struct pipeline *p);
void pipeline_done(struct pipeline *p);

/* What a person wrote to name a call: its number, "#" and its number, or how its Call-ID begins. */
bool pipeline_names(slice wish, const struct call *c);

#endif
