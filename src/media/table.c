/* media/table.c - see table.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/table.h"

#include <stdlib.h>

#include "media/reports.h"
#include "media/stream.h"
#include "media/table_int.h"
#include "rtp/packet.h"

#define SLAB_STREAMS 64u
#define CALL_STREAMS_MAX 256u        /* of one call at once: more SSRCs than that are an attack */
#define PROVEN_PACKETS 4u
#define LEARN_PACKETS 3u
#define AFTER_END_NS (5 * MEDIA_SECOND_NS)       /* a call's addresses belong to it so long */
#define SWEEP_LEAST 64u
#define HOST_BITS 65536u
#define SAME_HOP_NS (2 * MEDIA_SECOND_NS)

struct slab {
    struct slab *next;
    struct media_stream streams[SLAB_STREAMS];
};

struct media_table {
    struct map streams;              /* by src, dst, SSRC */
    struct media_settings settings;
    struct media_counts   counts;
    struct media_observer observer;
    struct media_about    about;
    struct map by_ssrc, endpoints, by_src, by_dst;
    media_relay_fn *relay;           /* NULL: nobody asks */
    void           *relay_ctx;
    struct list orphans, unproven;   /* by in_owner, oldest first */
    size_t   unproven_count, orphan_count;
    struct slab *slabs;
    struct media_stream *unused;     /* chained by call */
    size_t   memory_bytes;
    uint64_t live;
    uint32_t next_index;
    int64_t  sweep_ns, now_ns;
    struct media_names names;
    uint64_t hosts[HOST_BITS / 64];  /* whose media was seen; may say yes too often, never no */
};

/* ---- keys ------------------------------------------------------------------------------- */

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t ip4_of(const struct address *a)
{
    uint32_t v;

    memcpy(&v, a->ip, sizeof v);
    return v;
}

static __attribute__((noinline)) uint64_t key_hash_6(const struct media_table *t, const struct address *src, const struct address *dst,
                           uint32_t ssrc)
{
    uint64_t w[5] = { (uint64_t)src->port << 48 | (uint64_t)dst->port << 32 | ssrc };

    memcpy(w + 1, src->ip, 16);
    memcpy(w + 3, dst->ip, 16);
    return hash_bytes(&t->settings.seed, w, sizeof w);
}

/* Both ports as they stand in a UDP head. */
static inline uint32_t ports_of(const struct address *src, const struct address *dst)
{
    return __builtin_bswap16(src->port) | (uint32_t)__builtin_bswap16(dst->port) << 16;
}

/* Of the bytes as they are on the wire: hosts, ports, SSRC. */
static inline uint64_t wire_hash(const struct media_table *t, uint64_t hosts, uint32_t ports, uint32_t ssrc)
{
    return fold(hosts ^ t->settings.seed.k0, ((uint64_t)ports << 32 | ssrc) ^ t->settings.seed.k1);
}

/* The seed is secret, so a sender cannot choose where its streams are put. */
static inline uint64_t key_hash(const struct media_table *t, const struct address *src,
                                const struct address *dst, uint32_t ssrc)
{
    if (__builtin_expect(src->family != 4, 0))
        return key_hash_6(t, src, dst, ssrc);

    return wire_hash(t, ip4_of(src) | (uint64_t)ip4_of(dst) << 32, ports_of(src, dst), __builtin_bswap32(ssrc));
}

static uint64_t address_hash(const struct media_table *t, const struct address *a)
{
    return hash_bytes(&t->settings.seed, a, sizeof *a);
}

static uint64_t ssrc_hash(const struct media_table *t, uint32_t ssrc)
{
    return hash_bytes(&t->settings.seed, &ssrc, sizeof ssrc);
}

static inline uint32_t port_of(const struct address *a)   /* with the family */
{
    uint32_t v;

    memcpy(&v, &a->port, sizeof v);
    return v;
}

/* The rest of an IPv4 address is zero. */
static inline bool key_is(const struct media_stream *s, const struct address *src, const struct address *dst,
                          uint32_t ssrc)
{
    return s->ssrc == ssrc && ip4_of(&s->src) == ip4_of(src) && ip4_of(&s->dst) == ip4_of(dst) &&
           port_of(&s->src) == port_of(src) && port_of(&s->dst) == port_of(dst) &&
           (src->family == 4 || (address_eq(&s->src, src) && address_eq(&s->dst, dst)));
}

static inline struct media_stream *stream_find(const struct media_table *t, const struct address *src,
                                               const struct address *dst, uint32_t ssrc)
{
    uint64_t hash = key_hash(t, src, dst, ssrc);
    struct map_node *n = t->streams.buckets[hash & (t->streams.bucket_count - 1)];

    for (; n; n = n->next) {
        struct media_stream *s = map_item(n, struct media_stream, by_key);

        if (__builtin_expect(n->hash == hash && key_is(s, src, dst, ssrc), 1))
            return s;
    }
    return NULL;
}

static uint64_t *host_word(struct media_table *t, const struct address *a, uint64_t *ret_bit)
{
    uint64_t h = hash_bytes(&t->settings.seed, a->ip, sizeof a->ip) % HOST_BITS;

    *ret_bit = UINT64_C(1) << (h & 63);
    return &t->hosts[h >> 6];
}

static void host_note(struct media_table *t, const struct address *a)
{
    uint64_t bit, *word = host_word(t, a, &bit);

    *word |= bit;
}

/* ---- memory of streams -------------------------------------------------------------------- */

static struct media_stream *stream_alloc(struct media_table *t)
{
    struct media_stream *s = t->unused;

    if (s) {
        t->unused = (struct media_stream *)(void *)s->call;
        memset(s, 0, sizeof *s);
        return s;
    }
    struct slab *slab = calloc(1, sizeof *slab);

    if (!slab)
        return NULL;
    slab->next = t->slabs;
    t->slabs = slab;
    for (size_t i = 1; i < SLAB_STREAMS; i++) {
        slab->streams[i].call = (struct media_call *)(void *)t->unused;
        t->unused = &slab->streams[i];
    }
    return &slab->streams[0];
}

static void stream_recount(struct media_table *t, struct media_stream *s, size_t bytes)
{
    t->memory_bytes = t->memory_bytes - s->counted_bytes + bytes;
    s->counted_bytes = (uint32_t)bytes;
}

static void stream_release(struct media_table *t, struct media_stream *s)
{
    media_stream_done(s);
    s->call = (struct media_call *)(void *)t->unused;
    t->unused = s;
}

/* ---- endpoints ------------------------------------------------------------------------------ */

static bool call_is_over(const struct media_call *m, int64_t now_ns)
{
    return m->call->ended_ns && now_ns > m->call->ended_ns + AFTER_END_NS;
}

static struct media_endpoint *endpoint_of_call(const struct media_call *m, const struct address *a)
{
    for (struct media_endpoint *e = m->endpoints; e; e = e->next)
        if (address_eq(&e->address, a))
            return e;
    return NULL;
}

/* The newest call that named it; one that named `other`, too, goes first. */
static struct media_endpoint *endpoint_claiming(const struct media_table *t, const struct address *a,
                                                const struct address *other, int64_t now_ns)
{
    struct media_endpoint *best = NULL;
    bool best_both = false;

    for (struct map_node *n = map_first(&t->endpoints, address_hash(t, a)); n; n = map_next(n)) {
        struct media_endpoint *e = map_item(n, struct media_endpoint, by_address);

        if (!address_eq(&e->address, a) || call_is_over(e->call, now_ns))
            continue;
        bool both = endpoint_of_call(e->call, other) != NULL;

        if (!best || both > best_both || (both == best_both && e->named_ns > best->named_ns)) {
            best = e;
            best_both = both;
        }
    }
    return best;
}

static struct media_endpoint *endpoint_add(struct media_table *t, struct media_call *m, const struct address *a)
{
    struct media_endpoint *e;

    if (m->endpoint_count >= MEDIA_ENDPOINTS_MAX || t->memory_bytes >= t->settings.memory_max_bytes ||
        !(e = calloc(1, sizeof *e)))
        return NULL;
    e->address = *a;
    e->call = m;
    e->next = m->endpoints;
    m->endpoints = e;
    m->endpoint_count++;
    t->memory_bytes += sizeof *e;
    map_add(&t->endpoints, &e->by_address, address_hash(t, a));
    return e;
}

/* ---- what payload types mean ----------------------------------------------------------------- */

static bool type_in(const struct media_endpoint *e, unsigned payload_type, struct media_type *ret)
{
    for (unsigned i = 0; e && i < e->type_count; i++)
        if (e->types[i].payload_type == payload_type) {
            *ret = e->types[i];
            return ret->name || ret->clock_hz;
        }
    return false;
}

/* The receiver's SDP says what it wants under which number; else the sender's, else any. */
static struct media_type stream_type(void *ctx, const struct media_stream *s, unsigned payload_type)
{
    struct media_type t;

    (void)ctx;
    if (s->call) {
        if (type_in(endpoint_of_call(s->call, &s->dst), payload_type, &t) ||
            type_in(endpoint_of_call(s->call, &s->src), payload_type, &t))
            return t;
        for (const struct media_endpoint *e = s->call->endpoints; e; e = e->next)
            if (type_in(e, payload_type, &t))
                return t;
    }
    return media_type_static(payload_type);
}

/* ---- binding ---------------------------------------------------------------------------------- */

static void unbound_drop(struct media_table *t, struct media_stream *s)
{
    if (!s->unbound)
        return;
    map_remove(&t->by_src, &s->unbound->by_src);
    map_remove(&t->by_dst, &s->unbound->by_dst);
    t->memory_bytes -= sizeof *s->unbound;
    free(s->unbound);
    s->unbound = NULL;
}

static void owner_leave(struct media_table *t, struct media_stream *s)
{
    if (s->call)
        s->call->stream_count--;
    else if (s->index)
        t->orphan_count--;
    else
        t->unproven_count--;
    list_remove(&s->in_owner);
}

static void bind_to(struct media_table *t, struct media_stream *s, struct media_call *m, enum stream_bound how,
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
    host_note(t, &s->src);
    host_note(t, &s->dst);
}

static void rebind(struct media_table *t, struct media_stream *s, struct media_call *m, enum stream_bound how,
                   enum stream_side side)
{
    if (s->call || m->stream_count >= CALL_STREAMS_MAX)
        return;
    t->counts.orphans -= s->index != 0;
    owner_leave(t, s);
    unbound_drop(t, s);
    bind_to(t, s, m, how, side);
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

struct claim {
    struct media_call *call;         /* NULL: nobody's */
    enum stream_bound  how;
    enum stream_side   side;
};

static struct claim claim_find(const struct media_table *t, const struct address *src, const struct address *dst,
                               int64_t now_ns)
{
    const struct media_endpoint *to = endpoint_claiming(t, dst, src, now_ns);
    const struct media_endpoint *from = to ? NULL : endpoint_claiming(t, src, dst, now_ns);

    if (to)
        return (struct claim){ to->call, bound_of(to, true), side_of(!to->from_callee) };
    if (from)
        return (struct claim){ from->call, bound_of(from, false), side_of(from->from_callee) };
    return (struct claim){0};
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

static void hop_note(struct media_table *t, struct media_stream *s)
{
    for (struct map_node *n = map_first(&t->by_ssrc, ssrc_hash(t, s->ssrc)); n; n = map_next(n)) {
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
static void learn(struct media_table *t, struct media_stream *s)
{
    struct media_endpoint *to = endpoint_of_call(s->call, &s->dst), *e;

    if (!to || to->kind == MEDIA_LEARNED || endpoint_of_call(s->call, &s->src))
        return;
    e = endpoint_add(t, s->call, &s->src);
    if (!e)
        return;
    e->kind = MEDIA_LEARNED;
    e->from_callee = !to->from_callee;
    e->line = to->line;
    e->media = to->media;
    e->named_ns = to->named_ns;
}

/* Streams that came before the SDP that names their address. */
static void claim_waiting(struct media_table *t, const struct media_endpoint *e)
{
    uint64_t hash = address_hash(t, &e->address);

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

/* ---- the end of a stream ------------------------------------------------------------------------ */

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

static void sdp_facts(const struct media_table *t, const struct media_endpoint *e, struct stream_sdp *ret)
{
    if (!e)
        return;
    ret->address = e->address;
    ret->ptime_ms = e->ptime_ms;
    ret->direction = e->direction;
    ret->secure = e->secure;
    codecs_list(t, e, ret->codecs);
}

/* What a side named for this media line: the very address, or what it said instead. */
static const struct media_endpoint *endpoint_named(const struct media_call *m, const struct address *a, bool callee,
                                                   int line)
{
    const struct media_endpoint *exact = endpoint_of_call(m, a), *other = NULL;

    if (exact && exact->kind == MEDIA_NAMED && exact->from_callee == callee)
        return exact;
    for (const struct media_endpoint *e = m->endpoints; e; e = e->next)
        if (e->kind == MEDIA_NAMED && e->from_callee == callee && (line < 0 || e->line == line))
            other = e;                                    /* the last is what was said first: the near hop */
    return other;
}

static void finish_in_call(const struct media_table *t, const struct media_stream *s, struct stream *r)
{
    const struct media_call *m = s->call;
    const struct call *c = m->call;
    bool from_callee = s->side == STREAM_FROM_CALLEE;
    const struct media_endpoint *to = endpoint_of_call(m, &s->dst), *from = endpoint_of_call(m, &s->src);
    int line = to ? to->line : from ? from->line : -1;
    const struct media_endpoint *sender = endpoint_named(m, &s->src, from_callee, line);
    const struct media_endpoint *receiver = endpoint_named(m, &s->dst, !from_callee, line);
    int64_t end_ns = c->bye_ns ? c->bye_ns : c->ended_ns;
    struct media_type ignored;

    sdp_facts(t, sender, &r->sender);
    sdp_facts(t, receiver, &r->receiver);
    r->secure = (sender && sender->secure) || (receiver && receiver->secure);
    r->unnamed_source = sender && (!from || from->kind == MEDIA_LEARNED);
    r->unnamed_target = receiver && (!to || to->kind == MEDIA_LEARNED);
    if (!r->media && to)
        r->media = to->media;
    for (unsigned i = 0; to && to->kind == MEDIA_NAMED && to->type_count && i < s->type_count; i++)
        r->wrong_type |= !type_in(to, s->types[i], &ignored) && s->types[i] != 13 && s->types[i] != 19;
    if (c->answered_ns && s->first_ns > c->answered_ns)
        r->late_start_ms = (s->first_ns - c->answered_ns) / 1000000;
    if (end_ns && c->answered_ns)
        r->early_stop_ms = end_ns > s->last_ns ? (end_ns - s->last_ns) / 1000000 : 0;
}

static bool is_proven(const struct media_stream *s)
{
    return s->sequence.received >= PROVEN_PACKETS && s->sequence.strays <= s->sequence.received / 2;
}

static void stream_close(struct media_table *t, struct media_stream *s, bool at_end)
{
    struct media_call *m = s->call;
    bool tell = m ? s->sequence.received > 0 : s->index != 0 && is_proven(s);
    struct stream *r = tell ? media_stream_finish(s, &t->about) : NULL;

    if (r) {
        r->open_at_end = at_end && t->now_ns - s->last_ns < AFTER_END_NS;
        if (m) {
            finish_in_call(t, s, r);
            call_add_stream(m->call, r);
            m->closed_last_ns = s->last_ns > m->closed_last_ns ? s->last_ns : m->closed_last_ns;
            m->sparse |= s->sparse;
        } else if (!t->observer.stream_closed || !t->observer.stream_closed(t->observer.ctx, r)) {
            stream_free(r);
        }
    }
    t->counts.unproven += !tell;
    map_remove(&t->streams, &s->by_key);
    map_remove(&t->by_ssrc, &s->by_ssrc);
    owner_leave(t, s);
    unbound_drop(t, s);
    stream_recount(t, s, 0);
    t->live--;
    stream_release(t, s);
}

/* ---- bounds and age -------------------------------------------------------------------------------- */

static struct media_stream *oldest(const struct list *l)
{
    return list_is_empty(l) ? NULL : list_item(l->next, struct media_stream, in_owner);
}

static bool room_make(struct media_table *t)
{
    while (t->unproven_count >= MEDIA_UNPROVEN_MAX)
        stream_close(t, oldest(&t->unproven), false);
    while (t->memory_bytes + sizeof(struct media_stream) > t->settings.memory_max_bytes) {
        struct media_stream *s = oldest(&t->unproven);

        s = s ? s : oldest(&t->orphans);
        if (!s)
            return false;
        stream_close(t, s, false);
    }
    return true;
}

/* Looks at some of the oldest; those that still go on stand behind the others then. */
static void sweep_list(struct media_table *t, struct list *l, size_t count)
{
    size_t looks = count / 8 > SWEEP_LEAST ? count / 8 : SWEEP_LEAST;

    for (; looks && !list_is_empty(l); looks--) {
        struct media_stream *s = oldest(l);

        if (t->now_ns - s->last_ns > t->settings.orphan_age_ns) {
            stream_close(t, s, false);
        } else {
            list_remove(&s->in_owner);
            list_append(l, &s->in_owner);
        }
    }
}

static void sweep(struct media_table *t, int64_t now_ns)
{
    if (now_ns > t->now_ns)
        t->now_ns = now_ns;
    if (now_ns < t->sweep_ns)
        return;
    t->sweep_ns = now_ns + MEDIA_SECOND_NS;
    sweep_list(t, &t->unproven, t->unproven_count);
    sweep_list(t, &t->orphans, t->orphan_count);
}

/* ---- packets --------------------------------------------------------------------------------------- */

/* An orphan has to have a payload type that somebody may use (RFC 3551, 6). */
static bool may_be_orphan(const struct media_head *h)
{
    unsigned payload_type = h->type & 0x7f;

    return payload_type <= 34 || payload_type >= 96;
}

static struct media_stream *stream_open(struct media_table *t, const struct wire_unit *u, const struct media_head *h)
{
    struct claim claim = claim_find(t, &u->src, &u->dst, u->time_ns);
    struct media_stream *s;

    if (!claim.call && !may_be_orphan(h))
        return NULL;
    if ((claim.call && claim.call->stream_count >= CALL_STREAMS_MAX) || !room_make(t) || !(s = stream_alloc(t))) {
        t->counts.limited++;
        return NULL;
    }
    media_stream_begin(s, u, h, &t->about);
    if (claim.call) {
        bind_to(t, s, claim.call, claim.how, claim.side);
    } else {
        s->unbound = calloc(1, sizeof *s->unbound);
        if (!s->unbound) {
            stream_release(t, s);
            t->counts.limited++;
            return NULL;
        }
        s->unbound->stream = s;
        map_add(&t->by_src, &s->unbound->by_src, address_hash(t, &s->src));
        map_add(&t->by_dst, &s->unbound->by_dst, address_hash(t, &s->dst));
        t->memory_bytes += sizeof *s->unbound;
        list_append(&t->unproven, &s->in_owner);
        t->unproven_count++;
    }
    map_add(&t->streams, &s->by_key, key_hash(t, &s->src, &s->dst, s->ssrc));
    map_add(&t->by_ssrc, &s->by_ssrc, ssrc_hash(t, s->ssrc));
    stream_recount(t, s, sizeof *s);
    if (++t->live > t->counts.live_max)
        t->counts.live_max = t->live;
    return s;
}

static void stream_prove(struct media_table *t, struct media_stream *s)
{
    owner_leave(t, s);
    s->index = ++t->next_index;
    list_append(&t->orphans, &s->in_owner);
    t->orphan_count++;
    t->counts.orphans++;
    hop_note(t, s);
}

/* Its call is over and another one has named the address: this is another stream. */
static bool belongs_to_another(const struct media_table *t, const struct media_stream *s, int64_t now_ns)
{
    return s->call && call_is_over(s->call, now_ns) &&
           claim_find(t, &s->src, &s->dst, now_ns).call != NULL;
}

static void feed(struct media_table *t, struct media_stream *s, const struct wire_unit *u, const struct media_head *h)
{
    uint32_t had = s->sequence.received;

    (void)media_stream_feed(s, u, h, &t->about);
    stream_recount(t, s, media_stream_memory_bytes(s));
    if (had == s->sequence.received)
        return;
    if (s->call && had < LEARN_PACKETS && s->sequence.received >= LEARN_PACKETS) {
        hop_note(t, s);
        if (s->bound == STREAM_BY_SDP_DESTINATION)
            learn(t, s);
    } else if (!s->index && is_proven(s)) {
        stream_prove(t, s);
    }
}

/* Looks at the head anew, so that the usual packet needs no memory for it. */
static __attribute__((noinline)) bool feed_unusual(struct media_table *t, const struct wire_unit *u)
{
    struct media_head h;
    struct media_stream *s;

    (void)media_head_of(u->payload, &h);
    sweep(t, u->time_ns);                                 /* may end this very stream */
    s = stream_find(t, &u->src, &u->dst, h.ssrc);
    if (s && u->time_ns >= s->second_end_ns && belongs_to_another(t, s, u->time_ns)) {
        stream_close(t, s, false);
        s = NULL;
    }
    if (!s)
        s = stream_open(t, u, &h);
    if (s)
        feed(t, s, u, &h);
    return true;
}

bool media_table_known(struct media_table *t, const struct wire_unit *u)
{
    struct media_head h;
    struct media_stream *s;

    if (!media_head_of(u->payload, &h) || !(s = stream_find(t, &u->src, &u->dst, h.ssrc)))
        return false;
    t->counts.rtp++;
    if (__builtin_expect(media_stream_feed_usual(s, u->time_ns, u->frame, u->ip_id, u->payload.len, &h), 1))
        return true;
    return feed_unusual(t, u);
}

bool media_table_plain(struct media_table *t, const uint8_t *ip, size_t total, int64_t time_ns, uint64_t frame)
{
    uint64_t hosts;
    uint32_t ports, ssrc;
    uint16_t ip_id;
    struct media_head h;

    memcpy(&hosts, ip + 12, sizeof hosts);
    memcpy(&ports, ip + 20, sizeof ports);
    memcpy(&ssrc, ip + 36, sizeof ssrc);
    uint64_t hash = wire_hash(t, hosts, ports, ssrc);
    struct map_node *n = t->streams.buckets[hash & (t->streams.bucket_count - 1)];

    while (n && n->hash != hash)
        n = n->next;
    if (!n)
        return false;
    struct media_stream *s = map_item(n, struct media_stream, by_key);

    if (!media_head_of(slice_of(ip + 28, total - 28), &h) || s->ssrc != h.ssrc || s->src.family != 4 ||
        ip4_of(&s->src) != (uint32_t)hosts || ip4_of(&s->dst) != hosts >> 32 || ports_of(&s->src, &s->dst) != ports)
        return false;                                     /* the same hash: let the whole key decide */
    memcpy(&ip_id, ip + 4, sizeof ip_id);
    if (!media_stream_feed_usual(s, time_ns, frame, __builtin_bswap16(ip_id), total - 28, &h))
        return false;
    t->counts.rtp++;
    return true;
}

/* ---- RTCP ---------------------------------------------------------------------------------------------- */

/* The stream with this SSRC between these hosts; ports may be one apart, or those of a=rtcp. */
static struct media_stream *stream_of_report(const struct media_table *t, uint32_t ssrc, const struct address *src,
                                             const struct address *dst)
{
    struct media_stream *near = NULL;

    for (struct map_node *n = map_first(&t->by_ssrc, ssrc_hash(t, ssrc)); n; n = map_next(n)) {
        struct media_stream *s = map_item(n, struct media_stream, by_ssrc);

        if (s->ssrc != ssrc || !address_same_ip(&s->src, src) || !address_same_ip(&s->dst, dst))
            continue;
        bool close = (unsigned)(src->port - s->src.port) <= 1 && (unsigned)(dst->port - s->dst.port) <= 1;

        if (close)
            return s;
        near = near ? near : s;
    }
    return near;
}

static void report_taken(struct media_table *t, struct media_stream *s)
{
    stream_recount(t, s, media_stream_memory_bytes(s));
}

static void rtcp_packet_take(struct media_table *t, const struct wire_unit *u, const struct rtcp_packet *p)
{
    struct media_stream *own = stream_of_report(t, p->ssrc, &u->src, &u->dst), *other;
    struct rtcp_sender sender;
    struct rtcp_report report;
    struct rtcp_xr_block block;
    struct rtcp_voip voip;
    slice blocks = rtcp_xr_blocks(p);
    uint32_t left;

    if (own && rtcp_sender_of(p, &sender)) {
        media_reports_sender(own, &sender, u->time_ns);
        report_taken(t, own);
    }
    for (unsigned i = 0; rtcp_report_at(p, i, &report); i++)
        if ((other = stream_of_report(t, report.ssrc, &u->dst, &u->src))) {
            media_reports_receiver(other, &report, u->time_ns);
            report_taken(t, other);
        }
    while (rtcp_xr_next(&blocks, &block))
        if (rtcp_voip_of(&block, &voip) && (other = stream_of_report(t, voip.ssrc, &u->dst, &u->src))) {
            media_reports_voip(other, &voip);
            report_taken(t, other);
        }
    for (unsigned i = 0; rtcp_bye_at(p, i, &left); i++)
        if ((other = stream_of_report(t, left, &u->src, &u->dst))) {
            media_reports_bye(other);
            report_taken(t, other);
        }
}

static bool rtcp_take(struct media_table *t, const struct wire_unit *u)
{
    slice rest = u->payload;
    struct rtcp_packet p;

    if (!rtcp_looks_like(u->payload))
        return false;
    t->counts.rtcp++;
    host_note(t, &u->src);                                /* what is sent with it would be seen, too */
    host_note(t, &u->dst);
    while (rtcp_packet_next(&rest, &p))
        rtcp_packet_take(t, u, &p);
    return true;
}

bool media_table_packet(struct media_table *t, const struct wire_unit *u)
{
    struct media_head h;
    struct media_stream *s;

    if (rtcp_take(t, u))
        return true;
    if (!rtp_looks_like(u->payload) || !media_head_of(u->payload, &h))
        return false;
    if (media_table_known(t, u))
        return true;
    sweep(t, u->time_ns);
    t->counts.rtp++;
    s = stream_open(t, u, &h);
    if (s)
        feed(t, s, u, &h);
    return true;
}

/* ---- calls ------------------------------------------------------------------------------------------------ */

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

static void endpoint_types(struct media_table *t, struct media_endpoint *e, const struct sdp_media *line)
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

static bool line_is_rtp(const struct sdp_media *line)
{
    return line->port && slice_find(line->proto, SLICE("RTP/")) >= 0;
}

static bool line_is_secure(const struct sdp *sdp, const struct sdp_media *line)
{
    return slice_find(line->proto, SLICE("SAVP")) >= 0 || line->crypto_count || line->fingerprint.len ||
           sdp->fingerprint.len;
}

static uint8_t letter_of(slice type)
{
    return slice_eq_nocase(type, SLICE("audio")) ? 'a' : slice_eq_nocase(type, SLICE("video")) ? 'v' : 'o';
}

static void endpoint_name(struct media_table *t, struct media_call *m, const struct media_description *d, unsigned i,
                          const struct address *a, enum media_endpoint_kind kind)
{
    const struct sdp_media *line = &d->sdp->media[i];
    struct media_endpoint *e = endpoint_of_call(m, a);

    if (!e && !(e = endpoint_add(t, m, a)))
        return;
    /* what was said before goes on for what is under way; several lines may share it (BUNDLE) */
    e->from_callee = d->from_callee;
    e->named_ns = d->time_ns;
    e->ptime_ms = line->ptime_ms;
    e->line = (uint8_t)i;
    e->kind = (uint8_t)kind;
    e->direction = (uint8_t)sdp_media_direction(d->sdp, i);
    e->media = letter_of(line->type);
    e->secure = line_is_secure(d->sdp, line);
    endpoint_types(t, e, line);
    claim_waiting(t, e);
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
            if (!endpoint_of_call(m, &a))
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
        stream_close(t, list_item(m->streams.next, struct media_stream, in_owner), at_end);
    call_summary(c);
    while (m->endpoints) {
        struct media_endpoint *e = m->endpoints;

        m->endpoints = e->next;
        map_remove(&t->endpoints, &e->by_address);
        t->memory_bytes -= sizeof *e;
        free(e);
    }
    t->memory_bytes -= sizeof *m;
    free(m);
}

/* ---- lifetime ------------------------------------------------------------------------------------------------ */

struct media_table *media_table_new(const struct media_settings *settings, const struct media_observer *observer)
{
    struct media_table *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->settings = *settings;
    t->observer = *observer;
    t->settings.memory_max_bytes = settings->memory_max_bytes ? settings->memory_max_bytes : (size_t)128 << 20;
    t->settings.orphan_age_ns = settings->orphan_age_ns ? settings->orphan_age_ns : 60 * MEDIA_SECOND_NS;
    t->about = (struct media_about){ stream_type, &t->names, t };
    list_init(&t->orphans);
    list_init(&t->unproven);
    if (map_init(&t->streams, 64) < 0 || map_init(&t->by_ssrc, 64) < 0 || map_init(&t->endpoints, 64) < 0 ||
        map_init(&t->by_src, 64) < 0 || map_init(&t->by_dst, 64) < 0)
        return media_table_free(t);
    return t;
}

void media_table_time(struct media_table *t, int64_t now_ns)
{
    if (now_ns > t->now_ns)
        t->now_ns = now_ns;
}

void media_table_finish(struct media_table *t, int64_t now_ns)
{
    media_table_time(t, now_ns);
    while (!list_is_empty(&t->unproven))
        stream_close(t, oldest(&t->unproven), true);
    while (!list_is_empty(&t->orphans))
        stream_close(t, oldest(&t->orphans), true);
}

struct media_table *media_table_free(struct media_table *t)
{
    if (!t)
        return NULL;
    t->observer = (struct media_observer){0};
    media_table_finish(t, t->now_ns);
    map_done(&t->streams);
    map_done(&t->by_ssrc);
    map_done(&t->endpoints);
    map_done(&t->by_src);
    map_done(&t->by_dst);
    while (t->slabs) {
        struct slab *next = t->slabs->next;

        free(t->slabs);
        t->slabs = next;
    }
    free(t);
    return NULL;
}

const struct media_counts *media_table_counts(const struct media_table *t) { return &t->counts; }

size_t media_table_memory_bytes(const struct media_table *t) { return t->memory_bytes; }
