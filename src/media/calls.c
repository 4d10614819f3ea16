/* media/calls.c - what calls say of their media: addresses, payload types; see table.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "media/stream.h"
#include "media/table_int.h"

/* ---- hosts ----------------------------------------------------------------------------- */

static uint64_t *host_word(struct media_table *t, const struct address *a, uint64_t *ret_bit)
{
    uint64_t h = hash_bytes(&t->settings.seed, a->ip, sizeof a->ip) % MEDIA_HOST_BITS;

    *ret_bit = UINT64_C(1) << (h & 63);
    return &t->hosts[h >> 6];
}

void media_host_note(struct media_table *t, const struct address *a)
{
    uint64_t bit, *word = host_word(t, a, &bit);

    *word |= bit;
}

/* ---- endpoints ------------------------------------------------------------------------- */

bool media_call_is_over(const struct media_call *m, int64_t now_ns)
{
    return m->call->ended_ns && now_ns > m->call->ended_ns + MEDIA_AFTER_END_NS;
}

struct media_endpoint *media_endpoint_of(const struct media_call *m, const struct address *a)
{
    for (struct media_endpoint *e = m->endpoints; e; e = e->next)
        if (address_eq(&e->address, a))
            return e;
    return NULL;
}

/* The newest call that named it; one that named `other`, too, goes first. */
struct media_endpoint *media_endpoint_claiming(const struct media_table *t, const struct address *a,
                                               const struct address *other, int64_t now_ns)
{
    struct media_endpoint *best = NULL;
    bool best_both = false;

    for (struct map_node *n = map_first(&t->endpoints, media_address_hash(t, a)); n; n = map_next(n)) {
        struct media_endpoint *e = map_item(n, struct media_endpoint, by_address);

        if (!address_eq(&e->address, a) || media_call_is_over(e->call, now_ns))
            continue;
        bool both = media_endpoint_of(e->call, other) != NULL;

        if (!best || both > best_both || (both == best_both && e->named_ns > best->named_ns)) {
            best = e;
            best_both = both;
        }
    }
    return best;
}

static struct media_endpoint *endpoint_alloc(struct media_table *t, struct media_call *m)
{
    if (m->inside_count < MEDIA_ENDPOINTS_INSIDE)
        return &m->inside[m->inside_count++];
    struct media_endpoint *e = calloc(1, sizeof *e);

    t->memory_bytes += e ? sizeof *e : 0;
    return e;
}

static void endpoint_free(struct media_table *t, struct media_call *m, struct media_endpoint *e)
{
    if (e >= m->inside && e < m->inside + MEDIA_ENDPOINTS_INSIDE)
        return;
    t->memory_bytes -= sizeof *e;
    free(e);
}

struct media_endpoint *media_endpoint_add(struct media_table *t, struct media_call *m, const struct address *a)
{
    struct media_endpoint *e;

    if (m->endpoint_count >= MEDIA_ENDPOINTS_MAX || t->memory_bytes >= t->settings.memory_max_bytes ||
        !(e = endpoint_alloc(t, m)))
        return NULL;
    e->address = *a;
    e->call = m;
    e->next = m->endpoints;
    m->endpoints = e;
    m->endpoint_count++;
    map_add(&t->endpoints, &e->by_address, media_address_hash(t, a));
    return e;
}

/* ---- what payload types mean ----------------------------------------------------------- */

static uint8_t letter_of(slice type)
{
    return slice_eq_nocase(type, SLICE("audio")) ? 'a' : slice_eq_nocase(type, SLICE("video")) ? 'v' : 'o';
}

static void types_read(struct media_table *t, struct media_endpoint *e, const struct sdp_media *line)
{
    struct sdp_codec codecs[MEDIA_TYPES_MAX];
    size_t count = sdp_codecs_of(line, codecs, ARRAY_LEN(codecs));

    for (size_t k = 0; k < count; k++) {
        unsigned i = 0;

        while (i < e->type_count && e->types[i].payload_type != codecs[k].payload_type)
            i++;
        if (i == MEDIA_TYPES_MAX)
            continue;
        e->types[i] = media_type_of_codec(&t->names, line, &codecs[k]);
        e->type_count = (uint8_t)(e->type_count + (i == e->type_count));
    }
}

/* Now somebody asks. */
static void said_read(struct media_table *t, struct media_endpoint *e)
{
    if (!e || !e->formats.len)
        return;
    slice type = e->media == 'a' ? SLICE("audio") : e->media == 'v' ? SLICE("video") : SLICE("");

    types_read(t, e, &(struct sdp_media){ .type = type, .formats = e->formats, .lines = e->lines });
    e->formats = (slice){0};
}

static bool says(slice formats, slice lines, const struct sdp_media *line)
{
    return formats.len && slice_eq(formats, line->formats) && slice_eq(lines, line->lines);
}

/* Most calls of a capture of signalling have no stream, so nobody asks what their types mean: the text
 * waits, if the call keeps it anyway. What was said before goes on for what is under way, so it is read
 * before it is forgotten. */
static void endpoint_say(struct media_table *t, struct media_endpoint *e, const struct media_description *d,
                         const struct sdp_media *line)
{
    const struct call_facts *facts = e->call->call->facts;
    const struct call_sdp *kept = facts ? &facts->sdp[d->from_callee] : NULL;

    if (says(e->formats, e->lines, line))
        return;
    if (!slice_eq(e->formats, line->formats))             /* else each of them gets a new meaning now */
        said_read(t, e);
    e->formats = (slice){0};
    e->media = letter_of(line->type);
    if (kept && says(kept->formats, kept->lines, line)) {
        e->formats = kept->formats;
        e->lines = kept->lines;
    } else {
        types_read(t, e, line);
    }
}

static bool type_in(struct media_table *t, struct media_endpoint *e, unsigned payload_type,
                    struct media_type *ret)
{
    said_read(t, e);
    for (unsigned i = 0; e && i < e->type_count; i++)
        if (e->types[i].payload_type == payload_type) {
            *ret = e->types[i];
            return ret->name || ret->clock_hz;
        }
    return false;
}

/* The receiver's SDP says what it wants under which number; else the sender's, else any. */
struct media_type media_call_type_of(void *ctx, const struct media_stream *s, unsigned payload_type)
{
    struct media_table *t = ctx;
    struct media_type type;

    if (s->call) {
        if (type_in(t, media_endpoint_of(s->call, &s->dst), payload_type, &type) ||
            type_in(t, media_endpoint_of(s->call, &s->src), payload_type, &type))
            return type;
        for (struct media_endpoint *e = s->call->endpoints; e; e = e->next)
            if (type_in(t, e, payload_type, &type))
                return type;
    }
    return media_type_static(payload_type);
}

/* ---- the end of a stream --------------------------------------------------------------- */

static void codecs_list(const struct media_table *t, const struct media_endpoint *e, char text[STREAM_CODECS_MAX])
{
    size_t at = 0;

    for (unsigned i = 0; i < e->type_count; i++) {
        slice name = media_codec_name(&t->names, e->types[i].name);

        if (name.len == 0 || at + name.len + 2 > STREAM_CODECS_MAX)
            continue;
        if (at)
            text[at++] = ' ';
        memcpy(text + at, name.ptr, name.len);
        at += name.len;
    }
}

static void sdp_facts(struct media_table *t, struct media_endpoint *e, struct stream_sdp *ret)
{
    if (!e)
        return;
    said_read(t, e);
    ret->address = e->address;
    ret->ptime_ms = e->ptime_ms;
    ret->direction = e->direction;
    ret->secure = e->secure;
    codecs_list(t, e, ret->codecs);
}

/* What a side named for this media line: the very address, or what it said instead. */
static struct media_endpoint *endpoint_named(const struct media_call *m, const struct address *a, bool callee,
                                             int line)
{
    struct media_endpoint *exact = media_endpoint_of(m, a), *other = NULL;

    if (exact && exact->kind == MEDIA_NAMED && exact->from_callee == callee)
        return exact;
    for (struct media_endpoint *e = m->endpoints; e; e = e->next)
        if (e->kind == MEDIA_NAMED && e->from_callee == callee && (line < 0 || e->line == line))
            other = e;                                    /* the last is what was said first: the near hop */
    return other;
}

void media_call_finish_stream(struct media_table *t, const struct media_stream *s, struct stream *r)
{
    const struct media_call *m = s->call;
    const struct call *c = m->call;
    bool from_callee = s->side == STREAM_FROM_CALLEE;
    struct media_endpoint *to = media_endpoint_of(m, &s->dst), *from = media_endpoint_of(m, &s->src);
    int line = to ? to->line : from ? from->line : -1;
    struct media_endpoint *sender = endpoint_named(m, &s->src, from_callee, line);
    struct media_endpoint *receiver = endpoint_named(m, &s->dst, !from_callee, line);
    int64_t end_ns = c->bye_ns ? c->bye_ns : c->ended_ns;
    struct media_type ignored;

    sdp_facts(t, sender, &r->sender);
    sdp_facts(t, receiver, &r->receiver);
    r->secure = (sender && sender->secure) || (receiver && receiver->secure);
    r->unnamed_source = sender && (!from || from->kind == MEDIA_LEARNED);
    r->unnamed_target = receiver && (!to || to->kind == MEDIA_LEARNED);
    if (!r->media && to)
        r->media = to->media;
    said_read(t, to);
    for (unsigned i = 0; to && to->kind == MEDIA_NAMED && to->type_count && i < s->type_count; i++)
        r->wrong_type |= !type_in(t, to, s->types[i], &ignored) && s->types[i] != 13 && s->types[i] != 19;
    if (c->answered_ns && s->first_ns > c->answered_ns)
        r->late_start_ms = (s->first_ns - c->answered_ns) / 1000000;
    if (end_ns && c->answered_ns)
        r->early_stop_ms = end_ns > s->last_ns ? (end_ns - s->last_ns) / 1000000 : 0;
}

/* ---- calls ----------------------------------------------------------------------------- */

struct media_call *media_call_open(struct media_table *t, struct call *c)
{
    struct media_call *m = t->memory_bytes < t->settings.memory_max_bytes ? calloc(1, sizeof *m) : NULL;

    if (!m)
        return NULL;
    m->call = c;
    list_init(&m->streams);
    t->memory_bytes += sizeof *m;
    return m;
}

static bool line_is_rtp(const struct sdp_media *line)
{
    return line->port && slice_find(line->proto, SLICE("RTP/")) >= 0;
}

static bool line_is_secure(const struct sdp *sdp, const struct sdp_media *line)
{
    return slice_find(line->proto, SLICE("SAVP")) >= 0 || line->crypto_count || line->fingerprint.len ||
           sdp->fingerprint.len;
}

static void endpoint_name(struct media_table *t, struct media_call *m, const struct media_description *d, unsigned i,
                          const struct address *a, enum media_endpoint_kind kind)
{
    const struct sdp_media *line = &d->sdp->media[i];
    struct media_endpoint *e = media_endpoint_of(m, a);

    if (!e && !(e = media_endpoint_add(t, m, a)))
        return;
    endpoint_say(t, e, d, line);                          /* several lines may share it (BUNDLE) */
    e->from_callee = d->from_callee;
    e->named_ns = d->time_ns;
    e->ptime_ms = line->ptime_ms;
    e->line = (uint8_t)i;
    e->kind = (uint8_t)kind;
    e->direction = (uint8_t)sdp_media_direction(d->sdp, i);
    e->secure = line_is_secure(d->sdp, line);
    media_claim_waiting(t, e);
}

static void candidates_name(struct media_table *t, struct media_call *m, const struct media_description *d, unsigned i)
{
    slice lines = d->sdp->media[i].lines, name, value;
    struct sdp_candidate c;
    struct address a;

    while (sdp_attr_next(&lines, &name, &value))
        if (slice_eq(name, SLICE("candidate")) && sdp_candidate_parse(value, &c) && c.component == 1 &&
            address_parse_ip(c.address, &a)) {
            a.port = c.port;
            if (!media_endpoint_of(m, &a))
                endpoint_name(t, m, d, i, &a, MEDIA_CANDIDATE);
        }
}

static bool address_is_any(const struct address *a)
{
    static const uint8_t zero[16];

    return memcmp(a->ip, zero, sizeof zero) == 0;
}

void media_call_describe(struct media_table *t, struct media_call *m, const struct media_description *d)
{
    struct address a;

    for (unsigned i = 0; i < d->sdp->media_count; i++) {
        struct sdp_connection c = sdp_media_connection(d->sdp, i);

        if (!line_is_rtp(&d->sdp->media[i]))
            continue;
        m->described = true;
        if (address_parse_ip(c.address, &a) && !address_is_any(&a)) {
            a.port = d->sdp->media[i].port;
            endpoint_name(t, m, d, i, &a, MEDIA_NAMED);
        }
        if (d->sdp->media[i].candidate_count)
            candidates_name(t, m, d, i);
    }
    for (struct list *l = m->streams.next; l != &m->streams; l = l->next)
        media_stream_settle(list_item(l, struct media_stream, in_owner), &t->about);
}

void media_call_info_digit(struct media_call *m, bool from_callee)
{
    (void)from_callee;
    m->dtmf |= CALL_DTMF_INFO;
}

int64_t media_call_last_ns(const struct media_call *m)
{
    int64_t last_ns = m->closed_last_ns;

    for (const struct list *l = m->streams.next; l != &m->streams; l = l->next) {
        const struct media_stream *s = list_item(l, struct media_stream, in_owner);

        last_ns = s->last_ns > last_ns ? s->last_ns : last_ns;
    }
    return last_ns;
}

bool media_call_is_sparse(const struct media_call *m)
{
    for (const struct list *l = m->streams.next; l != &m->streams; l = l->next)
        if (list_item(l, struct media_stream, in_owner)->sparse)
            return true;
    return m->sparse;
}

bool media_call_is_visible(const struct media_table *t, const struct media_call *m)
{
    for (const struct media_endpoint *e = m->endpoints; e; e = e->next) {
        uint64_t bit, *word = host_word((struct media_table *)t, &e->address, &bit);

        if (*word & bit)
            return true;
    }
    return false;
}

static void way_add(struct call_media_way *way, const struct stream *s)
{
    uint16_t mos = stream_mos_milli(s);

    way->packets += s->packets;
    way->lost += s->lost;
    way->streams++;
    if (!way->first_ns || s->first_ns < way->first_ns)
        way->first_ns = s->first_ns;
    if (s->last_ns > way->last_ns)
        way->last_ns = s->last_ns;
    if (s->jitter_max_us > way->jitter_max_us)
        way->jitter_max_us = s->jitter_max_us;
    if (mos && (!way->mos_milli || mos < way->mos_milli))
        way->mos_milli = mos;
}

/* Half of the way there and back on each side of the capture point. One half alone is the least that
 * it was: all of it, when the capture stands beside the other end. */
static void two_ways(struct call *c)
{
    for (struct list *l = c->streams.next; l != &c->streams; l = l->next) {
        struct stream *a = list_item(l, struct stream, in_list);
        uint32_t back_us = 0;

        for (struct list *k = c->streams.next; k != &c->streams; k = k->next) {
            const struct stream *b = list_item(k, struct stream, in_list);

            if (b->half_way_us && address_eq(&a->src, &b->dst) && address_eq(&a->dst, &b->src))
                back_us = b->half_way_us;
        }
        a->two_way_ms = (a->half_way_us + back_us + 500) / 1000;
        if (a->two_way_ms)
            media_stream_add_delay(a, a->two_way_ms / 2.0);
    }
}

static void call_summary(struct call *c)
{
    struct call_media *m = &c->media;

    two_ways(c);
    for (struct list *l = c->streams.next; l != &c->streams; l = l->next) {
        const struct stream *s = list_item(l, struct stream, in_list);

        m->secure |= s->secure;
        m->dtmf |= s->dtmf_events ? CALL_DTMF_RTP : CALL_DTMF_NONE;
        if (s->hop > 1)
            continue;
        if (s->side == STREAM_FROM_CALLER)
            way_add(&m->to_callee, s);
        else if (s->side == STREAM_FROM_CALLEE)
            way_add(&m->to_caller, s);
        else
            m->other_packets += s->packets;
    }
    uint16_t a = m->to_callee.mos_milli, b = m->to_caller.mos_milli;

    m->mos_milli = a && (a < b || !b) ? a : b;
}

void media_call_close(struct media_table *t, struct media_call *m, bool at_end)
{
    struct call *c = m->call;

    c->media.visible = media_call_is_visible(t, m);
    c->media.described = m->described;
    c->media.dtmf = m->dtmf;
    while (!list_is_empty(&m->streams))
        media_stream_close(t, list_item(m->streams.next, struct media_stream, in_owner), at_end);
    call_summary(c);
    while (m->endpoints) {
        struct media_endpoint *e = m->endpoints;

        m->endpoints = e->next;
        map_remove(&t->endpoints, &e->by_address);
        endpoint_free(t, m, e);
    }
    t->memory_bytes -= sizeof *m;
    free(m);
}
