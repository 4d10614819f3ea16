/* report/ladder.c - see ladder.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/ladder_int.h"

#include <stdlib.h>

#include "report/notes.h"
#include "sip/sdp.h"

struct ladder *ladder_new(const struct words *w)
{
    struct ladder *l = calloc(1, sizeof *l);

    if (l)
        l->words = w;
    return l;
}

struct ladder *ladder_free(struct ladder *l)
{
    if (l) {
        arena_done(&l->arena);
        free(l->events);
        free(l);
    }
    return NULL;
}

void ladder_keep_texts(struct ladder *l, size_t bytes_max) { l->text_bytes_max = bytes_max; }

/* ---- collecting ---------------------------------------------------------------------------- */

static bool address_index(struct ladder *l, const struct address *a, uint8_t *ret)
{
    for (size_t i = 0; i < l->address_count; i++)
        if (address_eq(&l->addresses[i], a)) {
            *ret = (uint8_t)i;
            return true;
        }
    if (l->address_count == ARRAY_LEN(l->addresses))
        return false;
    *ret = (uint8_t)l->address_count;
    l->addresses[l->address_count++] = *a;
    return true;
}

bool ladder_lane(struct ladder *l, const struct address *a, slice name)
{
    if (l->name_count == LADDER_LANES_MAX || l->address_count != l->name_count)
        return false;
    l->addresses[l->address_count++] = *a;
    l->names[l->name_count++] = arena_slice(&l->arena, name);
    return true;
}

static struct ladder_event *event_again(struct ladder *l, const struct sip_message *m, uint8_t from,
                                 uint8_t to)
{
    for (size_t i = l->count; i-- > 0;) {
        struct ladder_event *e = &l->events[i];

        if (e->from == from && e->to == to && e->status == m->status &&
            e->method == (uint8_t)m->method && e->cseq == m->cseq.number)
            return e;
    }
    return NULL;
}

static slice label_of(struct ladder *l, const struct sip_message *m)
{
    struct out text;

    out_init_memory(&text, 256);
    if (m->is_request) {
        out_text(&text, slice_head(m->method_text, 32));
    } else {
        out_u64(&text, m->status);
        out_char(&text, ' ');
        out_text(&text, slice_head(m->reason, 60));
        if (m->method != SIP_INVITE) {
            out_text(&text, SLICE(" ("));
            out_text(&text, slice_head(m->method_text, 32));
            out_char(&text, ')');
        }
    }
    slice kept = arena_slice(&l->arena, out_taken(&text));

    out_done(&text);
    return kept;
}

static void detail_formats(struct out *o, const struct sdp_media *media)
{
    slice formats = media->formats;
    struct sdp_codec codec;
    unsigned type;

    while (sdp_format_next(&formats, &type) && o->used < 120) {
        out_char(o, ' ');
        if (sdp_codec_of(media, type, &codec))
            out_text(o, slice_head(codec.name, 24));
        else
            out_u64(o, type);
    }
}

/* SDP's own word where media does not go both ways; the old hold is an address of zeros. */
static slice direction_mark(const struct sdp *sdp, unsigned media)
{
    static const slice marks[] = {
        [SDP_SENDONLY] = SLICE_INIT("[sendonly] "),
        [SDP_RECVONLY] = SLICE_INIT("[recvonly] "),
        [SDP_INACTIVE] = SLICE_INIT("[inactive] "),
        [SDP_SENDRECV] = SLICE_INIT(""),
    };
    enum sdp_direction direction = sdp_media_direction(sdp, media);

    if (direction == SDP_SENDRECV && sdp_is_hold(sdp, media))
        return SLICE("[c=0.0.0.0] ");
    return direction == SDP_DIRECTION_NONE ? SLICE("") : marks[direction];
}

/* What the message says of media: directions, types and codecs. */
static slice detail_of(struct ladder *l, const struct sip_message *m)
{
    struct sdp sdp;
    struct out text;
    slice body;

    if (!sip_sdp_of(m, &body) || !sdp_parse(body, &sdp))
        return (slice){0};
    out_init_memory(&text, 1024);
    for (unsigned i = 0; i < sdp.media_count && text.used < 200; i++) {
        out_text(&text, text.used ? SLICE("; ") : SLICE(""));
        out_text(&text, direction_mark(&sdp, i));         /* in front: the rest may be cut */
        out_text(&text, slice_head(sdp.media[i].type, 16));
        detail_formats(&text, &sdp.media[i]);
    }
    slice kept = arena_slice(&l->arena, out_taken(&text));

    out_done(&text);
    return kept;
}

/* Media that an offer wants to rest: held when no line of it goes both ways. */
static uint8_t media_of(const struct track_sighting *s)
{
    const struct sip_message *m = s->message;
    unsigned both = 0, offered = 0;

    if (s->kind != SEEN_NEW || !s->sdp || !m->is_request ||
        (m->method != SIP_INVITE && m->method != SIP_UPDATE))
        return LADDER_MEDIA_NOTHING;
    for (unsigned i = 0; i < s->sdp->media_count; i++) {
        if (s->sdp->media[i].port == 0)
            continue;
        offered++;
        both += sdp_media_direction(s->sdp, i) == SDP_SENDRECV && !sdp_is_hold(s->sdp, i);
    }
    return offered == 0 ? LADDER_MEDIA_NOTHING : both ? LADDER_MEDIA_FLOWS : LADDER_MEDIA_HELD;
}

static void text_keep(struct ladder *l, struct ladder_event *e, const struct sip_message *m)
{
    size_t room = l->text_bytes < l->text_bytes_max ? l->text_bytes_max - l->text_bytes : 0;
    slice text = slice_head(m->all, LADDER_TEXT_MAX);

    if (!l->text_bytes_max)
        return;
    e->text_bytes = m->all.len < UINT32_MAX ? (uint32_t)m->all.len : UINT32_MAX;
    if (text.len > room)
        return;
    e->text = arena_slice(&l->arena, text);
    l->text_bytes += e->text.len;
}

static bool events_grow(struct ladder *l)
{
    size_t room = l->room ? l->room * 2 : 32;
    struct ladder_event *grown = l->count < LADDER_EVENTS_MAX && l->count == l->room
        ? realloc(l->events, room * sizeof *grown) : NULL;

    if (l->count < l->room)
        return true;
    if (!grown)
        return false;
    l->events = grown;
    l->room = room;
    return true;
}

void ladder_note(struct ladder *l, const struct track_sighting *s)
{
    const struct sip_message *m = s->message;
    uint8_t from, to;

    if (!address_index(l, &s->unit->src, &from) || !address_index(l, &s->unit->dst, &to)) {
        l->beyond++;
        return;
    }
    struct ladder_event *before = s->kind == SEEN_COPY || s->kind == SEEN_AGAIN
        ? event_again(l, m, from, to) : NULL;

    if (before) {
        before->copies += s->kind == SEEN_COPY;
        before->repeats += s->kind == SEEN_AGAIN;
        l->last = (size_t)(before - l->events);
        l->last_ns = s->unit->time_ns;
        return;
    }
    if (!events_grow(l)) {
        l->beyond++;
        return;
    }
    l->last = l->count;
    l->last_ns = s->unit->time_ns;
    l->events[l->count++] = (struct ladder_event){
        .time_ns = s->unit->time_ns, .frame = s->unit->frame, .label = label_of(l, m), .detail = detail_of(l, m),
        .cseq = m->cseq.number, .status = m->status, .method = (uint8_t)m->method,
        .from = from, .to = to, .leg = s->call ? s->call->index : 0, .media = media_of(s),
    };
    text_keep(l, &l->events[l->count - 1], m);
}

static int by_time(const void *a, const void *b)
{
    const struct ladder_event *x = a, *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->frame < y->frame ? -1 : x->frame > y->frame;
}

void ladder_take(struct ladder *l, struct ladder *other)
{
    for (size_t i = 0; other && i < other->count; i++) {
        struct ladder_event e = other->events[i];

        if (!address_index(l, &other->addresses[e.from], &e.from) ||
            !address_index(l, &other->addresses[e.to], &e.to) || !events_grow(l)) {
            l->beyond++;
            continue;
        }
        e.label = arena_slice(&l->arena, e.label);
        e.detail = e.detail.len ? arena_slice(&l->arena, e.detail) : e.detail;
        e.text = e.text.len ? arena_slice(&l->arena, e.text) : e.text;
        l->text_bytes += e.text.len;
        l->events[l->count++] = e;
    }
    l->beyond += other ? other->beyond : 0;
    if (l->count)
        qsort(l->events, l->count, sizeof *l->events, by_time);
    ladder_free(other);
}

static slice label_of_stream(struct ladder *l, const struct stream *s)
{
    struct out text;

    out_init_memory(&text, 128);
    out_text(&text, SLICE("RTP "));
    out_text(&text, slice_of_string(s->codec));
    slice kept = arena_slice(&l->arena, slice_trim(out_taken(&text)));

    out_done(&text);
    return kept;
}

static slice detail_of_stream(struct ladder *l, const struct stream *s)
{
    struct out text;

    out_init_memory(&text, 1024);
    notes_heard(&text, l->words, s);
    slice kept = arena_slice(&l->arena, out_taken(&text));

    out_done(&text);
    return kept;
}

void ladder_stream(struct ladder *l, const struct stream *s)
{
    struct ladder_event e = { .time_ns = s->first_ns, .frame = s->first_frame, .is_stream = true,
                              .tone = (uint8_t)notes_mos_tone(stream_mos_milli(s)) };

    if (!address_index(l, &s->src, &e.from) || !address_index(l, &s->dst, &e.to) || !events_grow(l)) {
        l->beyond++;
        return;
    }
    e.label = label_of_stream(l, s);
    e.detail = detail_of_stream(l, s);
    l->events[l->count++] = e;
    qsort(l->events, l->count, sizeof *l->events, by_time);
}

size_t ladder_memory_bytes(const struct ladder *l)
{
    return sizeof *l + l->arena.total_bytes + l->room * sizeof *l->events;
}

bool ladder_talks_to_itself(const struct ladder *l, const struct address *a)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct address *from = &l->addresses[l->events[i].from];
        const struct address *to = &l->addresses[l->events[i].to];

        if (address_same_ip(from, to) && address_same_ip(from, a))
            return true;
    }
    return false;
}
