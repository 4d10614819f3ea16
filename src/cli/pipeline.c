/* cli/pipeline.c - see pipeline.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/pipeline.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define HISTORY_BYTES ((size_t)4 << 20)

static void on_opened(void *ctx, const struct call *c)
{
    struct pipeline *p = ctx;

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

static void on_registration_changed(void *ctx, struct registration *r)
{
    struct pipeline *p = ctx;

    p->observer.registration_changed(p->observer.ctx, r);
}

struct diagnose_context pipeline_context(const struct pipeline *p)
{
    return (struct diagnose_context){ .history = p->history, .now_ns = p->last_ns, .is_ours = p->is_ours };
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct pipeline *p = ctx;
    struct diagnose_context context = pipeline_context(p);

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

static void on_incident(void *ctx, const struct incident *incident)
{
    struct pipeline *p = ctx;

    if (p->observer.incident)
        p->observer.incident(p->observer.ctx, incident);
}

static bool on_registration(void *ctx, struct registration *r)
{
    struct pipeline *p = ctx;

    if (!p->observer.registration)
        return false;
    struct diagnose_context context = pipeline_context(p);

    diagnose_registration(r, &context);
    return p->observer.registration(p->observer.ctx, r);
}

static bool on_transaction(void *ctx, struct transaction *t)
{
    struct pipeline *p = ctx;

    return p->observer.transaction && p->observer.transaction(p->observer.ctx, t);
}

static bool on_stream(void *ctx, struct stream *s)
{
    struct pipeline *p = ctx;

    return p->observer.stream && p->observer.stream(p->observer.ctx, s);
}

/* The tracker lets go of calls at twice its limit; with the rest that fills the whole. */
static bool tracker_begin(struct pipeline *p, const struct pipeline_settings *s, struct hash_seed seed, size_t bytes)
{
    struct media_settings media = { .seed = seed, .memory_max_bytes = bytes / 5 };
    struct media_observer streams = { .ctx = p, .stream_closed = on_stream };
    struct track_settings settings = { .seed = seed, .memory_max_bytes = bytes / 5, .no_join = s->no_join,
                                       .join_header = s->join_header, .linger_ns = s->linger_ns };
    struct track_observer track = {
        .ctx = p, .call_opened = p->observer.opened ? on_opened : NULL, .message = on_message, .session_closing = on_session,
        .call_closed = on_closed, .registration_closed = on_registration, .transaction_closed = on_transaction,
        .incident = on_incident, .registration_changed = p->observer.registration_changed ? on_registration_changed : NULL,
    };

    if (!s->messages_only)
        p->media = settings.media = media_table_new(&media, &streams);
    p->history = diagnose_history_new(&seed, HISTORY_BYTES);
    p->tracker = (p->media || s->messages_only) && p->history ? tracker_new(&settings, &track) : NULL;
    return p->tracker != NULL;
}

static bool wire_begin(struct pipeline *p, struct hash_seed seed, size_t bytes)
{
    struct wire_limits limits = { .stream_bytes_max = bytes / 8, .fragment_bytes_max = bytes / 32 };

    p->intake = malloc(sizeof *p->intake);
    if (!p->intake)
        return false;
    intake_init(p->intake, p->tracker, p->media);
    p->wire = wire_new(&limits, seed, intake_unit, p->intake);
    if (!p->wire)
        return false;
    wire_set_plain(p->wire, intake_plain);
    wire_on_incident(p->wire, intake_incident, p->intake);
    return true;
}

bool pipeline_begin(struct pipeline *p, const struct pipeline_settings *settings,
                    const struct pipeline_observer *observer)
{
    static const struct pipeline_settings standard;
    const struct pipeline_settings *s = settings ? settings : &standard;
    size_t bytes = s->memory_bytes ? s->memory_bytes : PIPELINE_MEMORY_BYTES;
    struct hash_seed seed = {0};

    *p = (struct pipeline){ .observer = *observer, .is_ours = s->messages_only };
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed.k0 = (uint64_t)time(NULL);
    return tracker_begin(p, s, seed, bytes) && (s->messages_only || wire_begin(p, seed, bytes));
}

void pipeline_message(struct pipeline *p, const struct wire_unit *unit, const struct sip_message *m)
{
    pipeline_time(p, unit->time_ns);
    tracker_message(p->tracker, unit, m);
}

void pipeline_finish(struct pipeline *p)
{
    if (p->wire)
        wire_finish(p->wire);
    tracker_time(p->tracker, p->last_ns);
    tracker_finish(p->tracker);
    if (p->media)
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
