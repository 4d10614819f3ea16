/* cli/lab_watch.c - each message of a flow as it goes by: drawn, kept in a file, followed and compared
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "capture/packets.h"
#include "cli/lab_int.h"
#include "cli/pipeline.h"
#include "diagnose/flow.h"
#include "report/ladder.h"

enum { MEMORY_BYTES = 64 << 20 };

struct lab_watch {
    struct lab_watch_settings settings;
    struct pipeline          pipeline;
    struct ladder           *ladder;
    struct call_flow         flow;
    enum flow_id             wanted;
    uint64_t                 messages;
    bool                     drawing;
    struct sip_header        room[SIP_HEADERS_MAX];
};

/* Phones register before each call; that is drawn only where it is the flow. */
static void on_message(void *ctx, const struct track_sighting *s)
{
    struct lab_watch *w = ctx;
    bool belongs = w->settings.script->is_registration ? s->registration != NULL : s->call != NULL;

    w->messages += belongs;
    if (!belongs || !w->settings.out)
        return;
    ladder_note(w->ladder, s);
    if (!w->drawing)
        ladder_print_lanes(w->ladder, w->settings.out, &w->settings.style);
    w->drawing = true;
    ladder_print_last(w->ladder, w->settings.out, &w->settings.style);
    (void)out_flush(w->settings.out);
}

/* Each leg that is like the wanted flow has to follow it: kept is the first that does not. */
static void note_flow(struct lab_watch *w, const struct call_flow *f)
{
    bool is_wanted = f->flow == (uint8_t)w->wanted, was_wanted = w->flow.flow == (uint8_t)w->wanted;

    if (f->flow == FLOW_NONE)
        return;
    if (w->flow.flow == FLOW_NONE || (is_wanted && (!was_wanted || w->flow.deviation == CALL_FLOW_FOLLOWED)))
        w->flow = *f;
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct lab_watch *w = ctx;

    diagnose_flow(legs, count);
    for (size_t i = 0; i < count && !w->settings.script->is_registration; i++)
        note_flow(w, &legs[i]->flow);
}

static bool on_registration(void *ctx, struct registration *r)
{
    struct lab_watch *w = ctx;

    diagnose_flow_registration(r);
    if (w->settings.script->is_registration)
        note_flow(w, &r->flow);
    return false;
}

struct lab_watch *lab_watch_new(const struct lab_watch_settings *settings)
{
    struct lab_watch *w = calloc(1, sizeof *w);
    struct pipeline_settings pipeline = { .memory_bytes = MEMORY_BYTES, .messages_only = true };
    struct pipeline_observer observer = { .ctx = w, .message = on_message, .session = on_session,
                                          .registration = on_registration };

    if (!w)
        return NULL;
    w->settings = *settings;
    w->wanted = settings->script->flow ? flow_find(slice_of_string(settings->script->flow)) : FLOW_NONE;
    w->ladder = ladder_new(settings->words);
    return w->ladder && pipeline_begin(&w->pipeline, &pipeline, &observer) ? w : lab_watch_free(w);
}

struct lab_watch *lab_watch_free(struct lab_watch *w)
{
    if (!w)
        return NULL;
    pipeline_done(&w->pipeline);
    ladder_free(w->ladder);
    free(w);
    return NULL;
}

void lab_watch_lane(struct lab_watch *w, const struct address *a, slice name) { (void)ladder_lane(w->ladder, a, name); }

void lab_watch_message(struct lab_watch *w, const struct hop *hop, bool sent, slice bytes, int64_t now_ns)
{
    struct lab_record *record = w->settings.record;
    struct wire_unit unit = hop_unit(hop, sent, bytes, now_ns, ++record->frames);
    struct sip_message m;

    if (record->writer && !record->error)
        record->error = packets_write(record->writer, &record->room, &unit);
    if (sip_message_parse(bytes, SIP_DATAGRAM, w->room, ARRAY_LEN(w->room), &m) > 0)
        pipeline_message(&w->pipeline, &unit, &m);
}

const struct call_flow *lab_watch_finish(struct lab_watch *w)
{
    pipeline_finish(&w->pipeline);
    return &w->flow;
}

uint64_t lab_watch_messages(const struct lab_watch *w) { return w->messages; }
