/* cli/pipeline.c - see pipeline.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/pipeline.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define MEMORY_BYTES  ((size_t)512 << 20)
#define HISTORY_BYTES ((size_t)2 << 20)

static void on_opened(void *ctx, const struct call *c)
{
    struct pipeline *p = ctx;

    if (p->observer.opened)
        p->observer.opened(p->observer.ctx, c);
}

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct pipeline *p = ctx;

    if (s->kind == SEEN_NEW)
        diagnose_history_message(p->history, s->unit, s->message);
    if (p->observer.message)
        p->observer.message(p->observer.ctx, s);
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct pipeline *p = ctx;
    struct diagnose_context context = { .history = p->history, .now_ns = p->last_ns };

    diagnose_session(legs, count, &context);
    if (p->observer.session)
        p->observer.session(p->observer.ctx, legs, count);
    for (size_t i = 0; i < count; i++)
        call_forget(legs[i]);
}

static bool on_closed(void *ctx, struct call *c)
{
    struct pipeline *p = ctx;

    return p->observer.closed && p->observer.closed(p->observer.ctx, c);
}

static bool on_registration(void *ctx, struct registration *r)
{
    (void)ctx, (void)r;
    return false;
}

bool pipeline_begin(struct pipeline *p, const struct pipeline_observer *observer)
{
    struct track_settings settings = { .memory_max_bytes = MEMORY_BYTES / 5 };
    struct track_observer track = {
        .ctx = p, .call_opened = on_opened, .message = on_message, .session_closing = on_session,
        .call_closed = on_closed, .registration_closed = on_registration,
    };

    *p = (struct pipeline){ .observer = *observer };
    if (getrandom(&settings.seed, sizeof settings.seed, 0) != (ssize_t)sizeof settings.seed)
        settings.seed.k0 = (uint64_t)time(NULL);
    struct media_settings media = { .seed = settings.seed, .memory_max_bytes = MEMORY_BYTES / 5 };

    p->media = settings.media = media_table_new(&media, &(struct media_observer){0});
    p->history = diagnose_history_new(&settings.seed, HISTORY_BYTES);
    p->tracker = p->media && p->history ? tracker_new(&settings, &track) : NULL;
    p->intake = calloc(1, sizeof *p->intake);
    if (!p->tracker || !p->intake)
        return false;
    intake_init(p->intake, p->tracker, p->media);
    p->wire = wire_new(NULL, settings.seed, intake_unit, p->intake);
    if (p->wire)
        wire_on_incident(p->wire, intake_incident, p->intake);
    return p->wire != NULL;
}

void pipeline_frame(struct pipeline *p, const struct wire_frame *frame)
{
    if (frame->time_ns > p->last_ns)
        p->last_ns = frame->time_ns;
    p->frames++;
    wire_frame(p->wire, frame);
}

void pipeline_finish(struct pipeline *p)
{
    wire_finish(p->wire);
    tracker_time(p->tracker, p->last_ns);
    tracker_finish(p->tracker);
    media_table_finish(p->media, p->last_ns);
}

void pipeline_done(struct pipeline *p)
{
    tracker_free(p->tracker);
    media_table_free(p->media);
    diagnose_history_free(p->history);
    wire_free(p->wire);
    if (p->intake)
        intake_done(p->intake);
    free(p->intake);
    *p = (struct pipeline){0};
}

bool pipeline_names(slice wish, const struct call *c)
{
    uint32_t number;

    if (wish.len && wish.ptr[0] == '#')
        wish = slice_skip(wish, 1);
    if (slice_to_u32(wish, &number) && c->index == number)
        return true;
    return wish.len > 3 && slice_starts(c->call_id, wish);
}
