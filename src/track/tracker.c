/* track/tracker.c - what is live: by Call-ID, by age, by deadline; see tracker.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/tracker.h"

#include <errno.h>
#include <stdlib.h>

#include "media/table.h"
#include "track/join.h"
#include "track/track_int.h"

#define SECOND_NS 1000000000LL

static const struct track_settings defaults = {
    .memory_max_bytes = 256u << 20,
    .calls_max = 1000000,
    .t1_ns = SECOND_NS / 2,
    .linger_ns = 40 * SECOND_NS,
    .ringing_max_ns = 600 * SECOND_NS,
    .silence_max_ns = 4 * 3600 * SECOND_NS,
    .media_stop_ns = 60 * SECOND_NS,
    .media_sparse_ns = 300 * SECOND_NS,
    .media_grace_ns = 60 * SECOND_NS,
};

static void settings_fill(struct track_settings *s)
{
    s->memory_max_bytes = s->memory_max_bytes ? s->memory_max_bytes : defaults.memory_max_bytes;
    s->calls_max = s->calls_max ? s->calls_max : defaults.calls_max;
    s->t1_ns = s->t1_ns ? s->t1_ns : defaults.t1_ns;
    s->linger_ns = s->linger_ns ? s->linger_ns : defaults.linger_ns;
    s->ringing_max_ns = s->ringing_max_ns ? s->ringing_max_ns : defaults.ringing_max_ns;
    s->silence_max_ns = s->silence_max_ns ? s->silence_max_ns : defaults.silence_max_ns;
    s->media_stop_ns = s->media_stop_ns ? s->media_stop_ns : defaults.media_stop_ns;
    s->media_sparse_ns = s->media_sparse_ns ? s->media_sparse_ns : defaults.media_sparse_ns;
    s->media_grace_ns = s->media_grace_ns ? s->media_grace_ns : defaults.media_grace_ns;
}

struct tracker *tracker_new(const struct track_settings *settings,
                            const struct track_observer *observer)
{
    struct tracker *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->settings = *settings;
    t->observer = *observer;
    settings_fill(&t->settings);
    for (size_t i = 0; i < LIVE_KINDS; i++)
        list_init(&t->ages[i]);
    if (map_init(&t->joins, 64) < 0 || incidents_init(&t->incidents) < 0)
        return tracker_free(t);
    for (size_t i = 0; i < LIVE_KINDS; i++)
        if (map_init(&t->maps[i], 64) < 0)
            return tracker_free(t);
    if (t->settings.media)
        media_table_on_relay(t->settings.media, track_join_relayed, t);
    return t;
}

static void (*const close_as[LIVE_KINDS])(struct tracker *, struct live *, bool) = {
    [LIVE_LEG] = track_leg_close,
    [LIVE_REGISTRATION] = track_registration_close,
    [LIVE_TRANSACTION] = track_transaction_close,
};

static void (*const due_as[LIVE_KINDS])(struct tracker *, struct live *) = {
    [LIVE_LEG] = track_leg_due,
    [LIVE_REGISTRATION] = track_registration_due,
    [LIVE_TRANSACTION] = track_transaction_due,
};

void tracker_finish(struct tracker *t)
{
    for (size_t i = 0; i < LIVE_KINDS; i++)
        while (!list_is_empty(&t->ages[i]))
            close_as[i](t, list_item(t->ages[i].next, struct live, by_age), true);
    for (size_t i = 0; t->observer.incident && i < t->incidents.count; i++)
        t->observer.incident(t->observer.ctx, &t->incidents.rows[i].incident);
}

/* A connection to a service that is known to be another: files, mail, the like. */
static bool is_of_others(const struct wire_incident *incident)
{
    return incident->transport == WIRE_TCP && incident->dst.port < 1024 && incident->dst.port != 443;
}

void tracker_incident(struct tracker *t, const struct wire_incident *incident)
{
    if (is_of_others(incident))
        return;
    tracker_time(t, incident->time_ns);
    incidents_add(&t->incidents, &t->settings.seed, incident);
}

struct tracker *tracker_free(struct tracker *t)
{
    if (!t)
        return NULL;
    if (t->settings.media)
        media_table_on_relay(t->settings.media, NULL, NULL);
    t->observer = (struct track_observer){0};             /* nobody is told any more */
    tracker_finish(t);
    for (size_t i = 0; i < LIVE_KINDS; i++)
        map_done(&t->maps[i]);
    map_done(&t->joins);
    incidents_done(&t->incidents);
    for (size_t i = 0; i < TRACK_REFUSED_SLOTS; i++)
        free(t->refused[i]);
    timers_done(&t->timers);
    free(t);
    return NULL;
}

bool track_may_grow(const struct tracker *t)
{
    return t->memory_bytes < t->settings.memory_max_bytes;
}

int track_enter(struct tracker *t, struct live *l, enum live_kind kind, slice call_id,
                uint64_t hash, int64_t deadline_ns)
{
    l->kind = (uint8_t)kind;
    l->call_id = call_id;
    l->deadline_ns = deadline_ns;
    if (timers_set(&t->timers, &l->timer, deadline_ns) < 0)
        return -ENOMEM;
    map_add(&t->maps[kind], &l->by_call_id, hash);
    list_append(&t->ages[kind], &l->by_age);
    return 0;
}

void track_leave(struct tracker *t, struct live *l)
{
    timers_clear(&t->timers, &l->timer);
    map_remove(&t->maps[l->kind], &l->by_call_id);
    list_remove(&l->by_age);
    track_recount(t, l, 0);
}

void track_recount(struct tracker *t, struct live *l, size_t bytes)
{
    t->memory_bytes = t->memory_bytes - l->counted_bytes + bytes;
    l->counted_bytes = (uint32_t)bytes;
}

void track_until(struct tracker *t, struct live *l, int64_t deadline_ns)
{
    l->deadline_ns = deadline_ns;
    if (deadline_ns < l->timer.at_ns)
        (void)timers_set(&t->timers, &l->timer, deadline_ns);   /* is in the heap: cannot fail */
}

void track_tell(const struct tracker *t, const struct track_sighting *sighting)
{
    if (t->observer.message)
        t->observer.message(t->observer.ctx, sighting);
}

uint64_t track_hash(const struct tracker *t, slice call_id)
{
    return hash_slice(&t->settings.seed, call_id);
}

slice track_keep(struct arena *a, slice text)
{
    return text.len && !track_text_full(a) ? arena_slice(a, text) : (slice){0};
}

void track_keep_newer(struct arena *a, slice *kept, slice text)
{
    slice newer = slice_eq(*kept, text) ? (slice){0} : track_keep(a, text);

    if (newer.ptr)
        *kept = newer;
    else if (text.len == 0)
        *kept = (slice){0};
}

uint32_t track_rseq(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_RSEQ);
    uint32_t rseq = 0;

    if (h && m->status > 100 && m->status < 200)
        (void)slice_to_u32(h->value, &rseq);
    return rseq;
}

int64_t track_max(int64_t a, int64_t b) { return a > b ? a : b; }

void tracker_time(struct tracker *t, int64_t now_ns)
{
    struct timer *due;

    t->now_ns = track_max(t->now_ns, now_ns);
    while ((due = timers_ripe(&t->timers, t->now_ns))) {
        struct live *l = timer_item(due, struct live, timer);

        if (l->deadline_ns > t->now_ns) {
            (void)timers_set(&t->timers, due, l->deadline_ns);  /* is in the heap: cannot fail */
        } else {
            timers_clear(&t->timers, due);
            due_as[l->kind](t, l);
        }
    }
}

/* Many that grow without end: the oldest of what is live goes first, calls last of all. */
static void tracker_relieve(struct tracker *t)
{
    for (size_t i = LIVE_KINDS; i-- > 0;)
        while (t->memory_bytes / 2 > t->settings.memory_max_bytes && !list_is_empty(&t->ages[i])) {
            struct live *oldest = list_item(t->ages[i].next, struct live, by_age);

            if (i == LIVE_LEG)
                track_leg_let_go(t, oldest);
            else
                close_as[i](t, oldest, true);
        }
}

/* In this order: a REGISTER can only be a registration, what belongs to a call belongs to it
 * whatever its method, the rest stands alone. */
void tracker_message(struct tracker *t, const struct wire_unit *u, const struct sip_message *m)
{
    tracker_time(t, u->time_ns);
    tracker_relieve(t);
    if (m->call_id.len == 0)
        t->counts.unassigned++;
    else if (!track_registration_message(t, u, m) && !track_leg_message(t, u, m) &&
             !track_transaction_message(t, u, m))
        t->counts.unassigned++;
    else
        return;
    track_tell(t, &(struct track_sighting){ .unit = u, .message = m, .kind = SEEN_NEW });
}

const struct track_counts *tracker_counts(const struct tracker *t) { return &t->counts; }

size_t tracker_memory_bytes(const struct tracker *t) { return t->memory_bytes; }
