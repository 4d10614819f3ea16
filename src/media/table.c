/* media/table.c - see table.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/table.h"

#include <stdlib.h>

#include "media/reports.h"
#include "media/table_int.h"
#include "rtp/packet.h"

#define SLAB_STREAMS 64u
#define PROVEN_PACKETS 4u
#define LEARN_PACKETS 3u
#define SWEEP_LEAST 64u

struct media_slab {
    struct media_slab *next;
    struct media_stream streams[SLAB_STREAMS];
};

/* ---- keys ------------------------------------------------------------------------------ */

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

static __attribute__((noinline)) uint64_t key_hash_6(const struct media_table *t, const struct address *src,
                                                     const struct address *dst, uint32_t ssrc)
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

/* ---- memory of streams ----------------------------------------------------------------- */

static struct media_stream *stream_alloc(struct media_table *t)
{
    struct media_stream *s = t->unused;

    if (s) {
        t->unused = (struct media_stream *)(void *)s->call;
        memset(s, 0, sizeof *s);
        return s;
    }
    struct media_slab *slab = calloc(1, sizeof *slab);

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

/* ---- the end of a stream --------------------------------------------------------------- */

static bool is_proven(const struct media_stream *s)
{
    return s->sequence.received >= PROVEN_PACKETS && s->sequence.strays <= s->sequence.received / 2;
}

void media_stream_close(struct media_table *t, struct media_stream *s, bool at_end)
{
    struct media_call *m = s->call;
    bool tell = m ? s->sequence.received > 0 : s->index != 0 && is_proven(s);
    struct stream *r = tell ? media_stream_finish(s, &t->about) : NULL;

    if (r) {
        r->open_at_end = at_end && t->now_ns - s->last_ns < MEDIA_AFTER_END_NS;
        if (m) {
            media_call_finish_stream(t, s, r);
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
    media_owner_leave(t, s);
    media_unbound_drop(t, s);
    stream_recount(t, s, 0);
    t->live--;
    stream_release(t, s);
}

/* ---- bounds and age -------------------------------------------------------------------- */

static struct media_stream *oldest(const struct list *l)
{
    return list_is_empty(l) ? NULL : list_item(l->next, struct media_stream, in_owner);
}

static bool room_make(struct media_table *t)
{
    while (t->unproven_count >= MEDIA_UNPROVEN_MAX)
        media_stream_close(t, oldest(&t->unproven), false);
    while (t->memory_bytes + sizeof(struct media_stream) > t->settings.memory_max_bytes) {
        struct media_stream *s = oldest(&t->unproven);

        s = s ? s : oldest(&t->orphans);
        if (!s)
            return false;
        media_stream_close(t, s, false);
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
            media_stream_close(t, s, false);
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

/* ---- packets --------------------------------------------------------------------------- */

/* An orphan has to have a payload type that somebody may use (RFC 3551, 6). */
static bool may_be_orphan(const struct media_head *h)
{
    unsigned payload_type = h->type & 0x7f;

    return payload_type <= 34 || payload_type >= 96;
}

static struct media_stream *stream_open(struct media_table *t, const struct wire_unit *u, const struct media_head *h)
{
    struct media_claim claim = media_claim_find(t, &u->src, &u->dst, u->time_ns);
    struct media_stream *s;

    if (!claim.call && !may_be_orphan(h))
        return NULL;
    if ((claim.call && claim.call->stream_count >= MEDIA_CALL_STREAMS_MAX) || !room_make(t) || !(s = stream_alloc(t))) {
        t->counts.limited++;
        return NULL;
    }
    media_stream_begin(s, u, h, &t->about);
    if (claim.call) {
        media_bind(t, s, claim.call, claim.how, claim.side);
    } else {
        s->unbound = calloc(1, sizeof *s->unbound);
        if (!s->unbound) {
            stream_release(t, s);
            t->counts.limited++;
            return NULL;
        }
        s->unbound->stream = s;
        map_add(&t->by_src, &s->unbound->by_src, media_address_hash(t, &s->src));
        map_add(&t->by_dst, &s->unbound->by_dst, media_address_hash(t, &s->dst));
        t->memory_bytes += sizeof *s->unbound;
        list_append(&t->unproven, &s->in_owner);
        t->unproven_count++;
    }
    map_add(&t->streams, &s->by_key, key_hash(t, &s->src, &s->dst, s->ssrc));
    map_add(&t->by_ssrc, &s->by_ssrc, media_ssrc_hash(t, s->ssrc));
    stream_recount(t, s, sizeof *s);
    if (++t->live > t->counts.live_max)
        t->counts.live_max = t->live;
    return s;
}

static void stream_prove(struct media_table *t, struct media_stream *s)
{
    media_owner_leave(t, s);
    s->index = ++t->next_index;
    list_append(&t->orphans, &s->in_owner);
    t->orphan_count++;
    t->counts.orphans++;
    media_hop_note(t, s);
}

/* Its call is over and another one has named the address: this is another stream. */
static bool belongs_to_another(const struct media_table *t, const struct media_stream *s, int64_t now_ns)
{
    return s->call && media_call_is_over(s->call, now_ns) &&
           media_claim_find(t, &s->src, &s->dst, now_ns).call != NULL;
}

static void feed(struct media_table *t, struct media_stream *s, const struct wire_unit *u, const struct media_head *h)
{
    uint32_t had = s->sequence.received;

    (void)media_stream_feed(s, u, h, &t->about);
    stream_recount(t, s, media_stream_memory_bytes(s));
    if (had == s->sequence.received)
        return;
    if (s->call && had < LEARN_PACKETS && s->sequence.received >= LEARN_PACKETS) {
        media_hop_note(t, s);
        if (s->bound == STREAM_BY_SDP_DESTINATION)
            media_learn(t, s);
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
        media_stream_close(t, s, false);
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

/* ---- RTCP ------------------------------------------------------------------------------ */

/* The stream with this SSRC between these hosts; ports may be one apart, or those of a=rtcp. */
static struct media_stream *stream_of_report(const struct media_table *t, uint32_t ssrc, const struct address *src,
                                             const struct address *dst)
{
    struct media_stream *near = NULL;

    for (struct map_node *n = map_first(&t->by_ssrc, media_ssrc_hash(t, ssrc)); n; n = map_next(n)) {
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
    media_host_note(t, &u->src);                                /* what is sent with it would be seen, too */
    media_host_note(t, &u->dst);
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

/* ---- lifetime -------------------------------------------------------------------------- */

struct media_table *media_table_new(const struct media_settings *settings, const struct media_observer *observer)
{
    struct media_table *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->settings = *settings;
    t->observer = *observer;
    t->settings.memory_max_bytes = settings->memory_max_bytes ? settings->memory_max_bytes : (size_t)128 << 20;
    t->settings.orphan_age_ns = settings->orphan_age_ns ? settings->orphan_age_ns : 60 * MEDIA_SECOND_NS;
    t->about = (struct media_about){ media_call_type_of, &t->names, t };
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
        media_stream_close(t, oldest(&t->unproven), true);
    while (!list_is_empty(&t->orphans))
        media_stream_close(t, oldest(&t->orphans), true);
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
        struct media_slab *next = t->slabs->next;

        free(t->slabs);
        t->slabs = next;
    }
    free(t);
    return NULL;
}

const struct media_counts *media_table_counts(const struct media_table *t) { return &t->counts; }

size_t media_table_memory_bytes(const struct media_table *t) { return t->memory_bytes; }
