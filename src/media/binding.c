/* media/binding.c - which stream belongs to which call, by the order of proof of table.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "media/stream.h"
#include "media/table_int.h"

#define SAME_HOP_NS (2 * MEDIA_SECOND_NS)

void media_unbound_drop(struct media_table *t, struct media_stream *s)
{
    if (!s->unbound)
        return;
    map_remove(&t->by_src, &s->unbound->by_src);
    map_remove(&t->by_dst, &s->unbound->by_dst);
    t->memory_bytes -= sizeof *s->unbound;
    free(s->unbound);
    s->unbound = NULL;
}

void media_owner_leave(struct media_table *t, struct media_stream *s)
{
    if (s->call)
        s->call->stream_count--;
    else if (s->index)
        t->orphan_count--;
    else
        t->unproven_count--;
    list_remove(&s->in_owner);
}

void media_bind(struct media_table *t, struct media_stream *s, struct media_call *m, enum stream_bound how,
                enum stream_side side)
{
    list_append(&m->streams, &s->in_owner);
    m->stream_count++;
    s->call = m;
    s->bound = (uint8_t)how;
    s->side = (uint8_t)side;
    if (!s->index)
        s->index = ++t->next_index;
    t->counts.streams++;
    media_host_note(t, &s->src);
    media_host_note(t, &s->dst);
}

static void rebind(struct media_table *t, struct media_stream *s, struct media_call *m, enum stream_bound how,
                   enum stream_side side)
{
    if (s->call || m->stream_count >= MEDIA_CALL_STREAMS_MAX)
        return;
    t->counts.orphans -= s->index != 0;
    media_owner_leave(t, s);
    media_unbound_drop(t, s);
    media_bind(t, s, m, how, side);
    media_stream_settle(s, &t->about);
}

static enum stream_side side_of(bool callee) { return callee ? STREAM_FROM_CALLEE : STREAM_FROM_CALLER; }

static enum stream_bound bound_of(const struct media_endpoint *e, bool is_destination)
{
    if (e->kind == MEDIA_CANDIDATE)
        return STREAM_BY_CANDIDATE;
    if (e->kind == MEDIA_LEARNED)
        return STREAM_BY_LEARNED;
    return is_destination ? STREAM_BY_SDP_DESTINATION : STREAM_BY_SDP_SOURCE;
}

struct media_claim media_claim_find(const struct media_table *t, const struct address *src, const struct address *dst,
                                    int64_t now_ns)
{
    const struct media_endpoint *to = media_endpoint_claiming(t, dst, src, now_ns);
    const struct media_endpoint *from = to ? NULL : media_endpoint_claiming(t, src, dst, now_ns);

    if (to)
        return (struct media_claim){ to->call, bound_of(to, true), side_of(!to->from_callee) };
    if (from)
        return (struct media_claim){ from->call, bound_of(from, false), side_of(from->from_callee) };
    return (struct media_claim){0};
}

/* Packets sent on by a relay: the same SSRC, near the same number and timestamp, at the same time. */
static bool is_other_hop(const struct media_stream *a, const struct media_stream *b)
{
    int16_t numbers = (int16_t)((uint16_t)a->sequence.max - (uint16_t)b->sequence.max);
    int64_t apart_ns = a->last_ns - b->last_ns;
    int32_t ticks = (int32_t)(a->jitter.last_timestamp - b->jitter.last_timestamp);

    return a != b && a->ssrc == b->ssrc && numbers < 200 && numbers > -200 && apart_ns < SAME_HOP_NS &&
           apart_ns > -SAME_HOP_NS && (uint32_t)abs(ticks) < 4 * b->clock_hz &&
           !(address_eq(&a->src, &b->src) && address_eq(&a->dst, &b->dst)) &&
           !(address_eq(&a->src, &b->dst) && address_eq(&a->dst, &b->src));
}

static bool is_earlier(const struct media_stream *a, const struct media_stream *b)
{
    return a->first_ns != b->first_ns ? a->first_ns < b->first_ns : a->index < b->index;
}

static uint8_t hop_behind(const struct media_stream *s)
{
    return (uint8_t)(s->hop + (s->hop < UINT8_MAX));
}

/* What arrives at a host leaves it again. Music from one server to two calls does not. */
static bool is_sent_on(const struct media_stream *a, const struct media_stream *b)
{
    return (address_same_ip(&a->dst, &b->src) || address_same_ip(&b->dst, &a->src)) &&
           !address_same_ip(&a->src, &b->src);
}

void media_table_on_relay(struct media_table *t, media_relay_fn *fn, void *ctx)
{
    t->relay = fn;
    t->relay_ctx = ctx;
}

void media_hop_note(struct media_table *t, struct media_stream *s)
{
    for (struct map_node *n = map_first(&t->by_ssrc, media_ssrc_hash(t, s->ssrc)); n; n = map_next(n)) {
        struct media_stream *other = map_item(n, struct media_stream, by_ssrc);

        if (!is_other_hop(s, other))
            continue;
        if (!s->call && other->call)
            rebind(t, s, other->call, STREAM_BY_SSRC, (enum stream_side)other->side);
        else if (s->call && !other->call)
            rebind(t, other, s->call, STREAM_BY_SSRC, (enum stream_side)s->side);
        if (s->call && other->call && s->call != other->call && t->relay && is_sent_on(s, other))
            t->relay(t->relay_ctx, s->call->call, other->call->call);
        if (s->call != other->call)
            continue;
        struct media_stream *later = is_earlier(s, other) ? other : s, *earlier = later == s ? other : s;

        if (later->hop <= earlier->hop)
            later->hop = hop_behind(earlier);
    }
}

/* What a packet from nobody knows whom to an address of X teaches: there sits X's peer. */
void media_learn(struct media_table *t, struct media_stream *s)
{
    struct media_endpoint *to = media_endpoint_of(s->call, &s->dst), *e;

    if (!to || to->kind == MEDIA_LEARNED || media_endpoint_of(s->call, &s->src))
        return;
    e = media_endpoint_add(t, s->call, &s->src);
    if (!e)
        return;
    e->kind = MEDIA_LEARNED;
    e->from_callee = !to->from_callee;
    e->line = to->line;
    e->media = to->media;
    e->named_ns = to->named_ns;
}

/* Streams that came before the SDP that names their address. */
void media_claim_waiting(struct media_table *t, const struct media_endpoint *e)
{
    if (t->by_src.count == 0)                             /* nobody waits */
        return;
    uint64_t hash = media_address_hash(t, &e->address);

    for (int destination = 1; destination >= 0; destination--) {
        struct map *map = destination ? &t->by_dst : &t->by_src;
        struct map_node *n = map_first(map, hash), *next;

        for (; n; n = next) {
            struct media_stream *s = destination ? map_item(n, struct media_unbound, by_dst)->stream
                                                 : map_item(n, struct media_unbound, by_src)->stream;

            next = map_next(n);
            if (address_eq(destination ? &s->dst : &s->src, &e->address))
                rebind(t, s, e->call, bound_of(e, destination), side_of(e->from_callee != !!destination));
        }
    }
}
