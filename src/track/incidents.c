/* track/incidents.c - see incidents.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/incidents.h"

#include <errno.h>
#include <stdlib.h>

int incidents_init(struct incidents *s)
{
    *s = (struct incidents){0};
    return map_init(&s->by_dst, 64) < 0 || map_init(&s->by_host, 64) < 0 ? -ENOMEM : 0;
}

void incidents_done(struct incidents *s)
{
    map_done(&s->by_dst);
    map_done(&s->by_host);
    free(s->rows);
}

static bool is_same(const struct incident *i, const struct wire_incident *found)
{
    return i->kind == found->kind && i->code == found->code && i->transport == found->transport &&
           address_eq(&i->dst, &found->dst) && address_same_ip(&i->src, &found->src);
}

static struct incident_row *row_new(struct incidents *s)
{
    if (!s->rows && !(s->rows = calloc(INCIDENTS_MAX, sizeof *s->rows)))
        return NULL;
    return s->count < INCIDENTS_MAX ? &s->rows[s->count++] : NULL;
}

static uint64_t host_hash(const struct hash_seed *seed, const struct address *a)
{
    return hash_bytes(seed, a->ip, sizeof a->ip);
}

static void row_at_host(struct incidents *s, const struct hash_seed *seed, struct incident_row *row, size_t end,
                        const struct address *host)
{
    row->hosts[end].row = row;
    map_add(&s->by_host, &row->hosts[end].node, host_hash(seed, host));
}

void incidents_add(struct incidents *s, const struct hash_seed *seed, const struct wire_incident *found)
{
    uint64_t hash = hash_bytes(seed, &found->dst, sizeof found->dst);
    struct incident_row *row = NULL;

    for (struct map_node *n = map_first(&s->by_dst, hash); n && !row; n = map_next(n))
        if (is_same(&map_item(n, struct incident_row, by_dst)->incident, found))
            row = map_item(n, struct incident_row, by_dst);
    if (!row && (row = row_new(s))) {
        row->incident = (struct incident){
            .kind = (uint8_t)found->kind, .code = found->code, .transport = (uint8_t)found->transport,
            .media = found->media,
            .first_ns = found->time_ns, .first_frame = found->frame, .src = found->src, .dst = found->dst,
        };
        map_add(&s->by_dst, &row->by_dst, hash);
        row_at_host(s, seed, row, 0, &found->src);
        if (found->kind == WIRE_TLS_ALERT && !address_same_ip(&found->src, &found->dst))
            row_at_host(s, seed, row, 1, &found->dst);
    }
    if (!row) {
        s->beyond++;
        return;
    }
    row->incident.count += row->incident.count < UINT32_MAX;
    row->incident.last_ns = found->time_ns;
    row->incident.last_frame = found->frame;
}

const struct incident *incidents_find(const struct incidents *s, const struct hash_seed *seed,
                                      const struct address *dst, int64_t from_ns, int64_t to_ns)
{
    uint64_t hash = hash_bytes(seed, dst, sizeof *dst);
    const struct incident *latest = NULL;

    for (struct map_node *n = map_first(&s->by_dst, hash); n; n = map_next(n)) {
        const struct incident *i = &map_item(n, struct incident_row, by_dst)->incident;

        if (address_eq(&i->dst, dst) && i->last_ns >= from_ns && i->first_ns <= to_ns &&
            (!latest || i->last_ns > latest->last_ns))
            latest = i;
    }
    return latest;
}

static bool concerns_next_hop(const struct incident *i, const struct call *c)
{
    bool at_server = address_same_ip(&i->src, &c->callee_addr) ||
                     (i->kind == WIRE_TLS_ALERT && address_same_ip(&i->dst, &c->callee_addr));

    return at_server && !i->media && !address_same_ip(&i->dst, &c->caller_addr) &&
           !address_same_ip(&i->src, &c->caller_addr) && i->last_ns >= c->invite_ns && i->first_ns <= c->last_ns;
}

/* What the server of a refused call met when it tried to pass it on; the latest. */
static const struct incident *next_hop(const struct incidents *s, const struct hash_seed *seed, const struct call *c)
{
    uint64_t hash = host_hash(seed, &c->callee_addr);
    const struct incident *latest = NULL;

    for (struct map_node *n = map_first(&s->by_host, hash); n; n = map_next(n)) {
        const struct incident *i = &map_item(n, struct incident_host, node)->row->incident;

        if (concerns_next_hop(i, c) && (!latest || i->last_ns > latest->last_ns))
            latest = i;
    }
    return latest;
}

static void tell(struct call_facts *f, enum call_incident_about about, const struct incident *found)
{
    if (f->incidents || (f->incidents = arena_zalloc(&f->arena, CALL_INCIDENT_ABOUTS * sizeof *f->incidents)))
        f->incidents[about] = *found;
}

void incidents_tell_call(const struct incidents *s, const struct hash_seed *seed, struct call *c)
{
    const struct address *to[CALL_INCIDENT_ABOUTS] = {
        [CALL_INCIDENT_TO_CALLEE] = &c->callee_addr, [CALL_INCIDENT_TO_CALLER] = &c->caller_addr,
    };

    const struct incident *hop;

    if (!s->count || !call_facts(c))
        return;
    to[CALL_INCIDENT_MEDIA_TO_CALLER] = &c->facts->sdp[0].media;
    to[CALL_INCIDENT_MEDIA_TO_CALLEE] = &c->facts->sdp[1].media;
    if (!c->answered && c->final >= 400 && (hop = next_hop(s, seed, c)))
        tell(c->facts, CALL_INCIDENT_NEXT_HOP, hop);
    for (size_t i = 0; i < CALL_INCIDENT_ABOUTS; i++) {
        const struct incident *found = to[i] && to[i]->family
            ? incidents_find(s, seed, to[i], c->invite_ns, c->last_ns + 1000000000) : NULL;

        if (found)
            tell(c->facts, (enum call_incident_about)i, found);
    }
}
