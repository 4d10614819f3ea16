/* track/incidents.c - see incidents.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/incidents.h"

#include <stdlib.h>

int incidents_init(struct incidents *s)
{
    *s = (struct incidents){0};
    return map_init(&s->by_dst, 64);
}

void incidents_done(struct incidents *s)
{
    map_done(&s->by_dst);
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

void incidents_tell_call(const struct incidents *s, const struct hash_seed *seed, struct call *c)
{
    const struct address *to[CALL_INCIDENT_ABOUTS] = {
        [CALL_INCIDENT_TO_CALLEE] = &c->callee_addr, [CALL_INCIDENT_TO_CALLER] = &c->caller_addr,
    };

    if (!s->count || !call_facts(c))
        return;
    to[CALL_INCIDENT_MEDIA_TO_CALLER] = &c->facts->sdp[0].media;
    to[CALL_INCIDENT_MEDIA_TO_CALLEE] = &c->facts->sdp[1].media;
    for (size_t i = 0; i < CALL_INCIDENT_ABOUTS; i++) {
        const struct incident *found = to[i]->family
            ? incidents_find(s, seed, to[i], c->invite_ns, c->last_ns + 1000000000) : NULL;

        if (found)
            c->facts->incidents[i] = *found;
    }
}
