/* cli/pipeline.h - the doors from frames to calls joined: wire, intake, media, tracker, diagnosis.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every command that looks at calls has one: frames go in, or messages that somebody parsed already;
 * finished records come out, calls and registrations diagnosed. Memory is bounded by the settings.
 *
 *     struct pipeline p;
 *     struct pipeline_observer o = { .ctx = me, .message = on_message, .session = on_session };
 *     if (!pipeline_begin(&p, NULL, &o)) ...no memory
 *     pipeline_frame(&p, frame); ... pipeline_finish(&p);
 *     pipeline_done(&p);                                    also after a pipeline_begin that failed */
#ifndef CLI_PIPELINE_H
#define CLI_PIPELINE_H

#include "diagnose/diagnose.h"
#include "media/table.h"
#include "track/intake.h"

#define PIPELINE_MEMORY_BYTES ((size_t)512 << 20)

struct pipeline_settings {           /* of zeros: the standard */
    size_t memory_bytes;             /* the most that all parts together take, 0: PIPELINE_MEMORY_BYTES */
    bool   no_join;                  /* see track_settings */
    slice  join_header;
    int64_t linger_ns;
    bool   messages_only;            /* of our own switch, by pipeline_message: no frames, no media, no memory for them */
};
struct pipeline_observer {           /* any may be NULL */
    void *ctx;
    void (*opened)(void *ctx, const struct call *c);
    void (*message)(void *ctx, const struct track_sighting *sighting);
    void (*registration_changed)(void *ctx, struct registration *r);
    /* All legs of a session, diagnosed. */
    void (*session)(void *ctx, struct call *const *legs, size_t count);
    void (*incident)(void *ctx, const struct incident *incident);
    /* True: takes it over. */
    bool (*closed)(void *ctx, struct call *c);
    bool (*registration)(void *ctx, struct registration *r);       /* diagnosed */
    bool (*transaction)(void *ctx, struct transaction *t);
    bool (*stream)(void *ctx, struct stream *s);                    /* that no call owns */
};
struct pipeline {
    struct pipeline_observer observer;
    struct wire             *wire;
    struct tracker          *tracker;
    struct intake           *intake;
    struct media_table      *media;
    struct diagnose_history *history;
    bool                     is_ours;                /* messages of our own switch only */
    int64_t                  first_ns, last_ns;      /* of what was put in, 0: nothing yet */
};
/* False: no memory. `settings` may be NULL. */
bool pipeline_begin(struct pipeline *p, const struct pipeline_settings *settings,
                    const struct pipeline_observer *observer);
/* For what is told before its end: a call all of whose legs are over, a refusal. */
struct diagnose_context pipeline_context(const struct pipeline *p);
/* A message that was not captured but comes from our own switch. It reaches the tracker as one from
 * the wire does; the counts of the intake are of captures and leave it out. */
void pipeline_message(struct pipeline *p, const struct wire_unit *unit, const struct sip_message *m);
void pipeline_finish(struct pipeline *p);
void pipeline_done(struct pipeline *p);

static inline void pipeline_time(struct pipeline *p, int64_t time_ns)
{
    if (!p->first_ns || time_ns < p->first_ns)
        p->first_ns = time_ns;
    if (time_ns > p->last_ns)
        p->last_ns = time_ns;
}

static inline void pipeline_frame(struct pipeline *p, const struct wire_frame *frame)
{
    pipeline_time(p, frame->time_ns);
    wire_frame(p->wire, frame);
}

/* What a person wrote to name a call: its number, "#" and its number, or how its Call-ID begins. */
bool pipeline_names(slice wish, const struct call *c);

#endif
