/* track/transactions.c - requests that belong to no call: OPTIONS, SUBSCRIBE, MESSAGE, ...
 * SPDX-License-Identifier: Apache-2.0
 *
 * One exchange is one Call-ID, CSeq number, method and sender's tag; its repeats and hops
 * fold into it. */
#include <stdlib.h>

#include "track/track_int.h"

struct exchange {
    struct live live;
    struct transaction *record;
    struct seen seen;
};

static struct exchange *exchange_find(const struct tracker *t, const struct sip_message *m,
                                      uint64_t hash)
{
    for (struct map_node *n = map_first(&t->maps[LIVE_TRANSACTION], hash); n; n = map_next(n)) {
        struct exchange *e = live_item(map_item(n, struct live, by_call_id), struct exchange);
        const struct transaction *r = e->record;

        if (r->cseq == m->cseq.number && slice_eq(r->call_id, m->call_id) &&
            slice_eq(r->method, m->method_text) && slice_eq(r->from_tag, m->from.tag))
            return e;
    }
    return NULL;
}

static struct exchange *exchange_free(struct exchange *e)
{
    if (e) {
        seen_done(&e->seen);
        transaction_free(e->record);
        free(e);
    }
    return NULL;
}

static void exchange_fill(struct transaction *r, const struct wire_unit *u,
                          const struct sip_message *m)
{
    const struct sip_header *event = sip_header_find(m, SIP_H_EVENT);

    r->call_id = arena_slice(&r->arena, m->call_id);      /* identity: whole, however long */
    r->method = arena_slice(&r->arena, m->method_text);
    r->from_tag = arena_slice(&r->arena, m->from.tag);
    r->from_uri = track_keep(&r->arena, m->from.uri);
    r->to_uri = track_keep(&r->arena, m->to.uri);
    r->event = event ? track_keep(&r->arena, event->value) : (slice){0};
    r->src = m->is_request ? u->src : u->dst;
    r->dst = m->is_request ? u->dst : u->src;
    r->transport = (uint8_t)u->transport;
    r->cseq = m->cseq.number;
    r->partial = !m->is_request;
    r->asked_ns = m->is_request ? u->time_ns : 0;
    r->first_frame = u->frame;
}

static struct exchange *exchange_open(struct tracker *t, const struct wire_unit *u,
                                      const struct sip_message *m, uint64_t hash)
{
    if (!track_may_grow(t))
        return NULL;
    struct exchange *e = calloc(1, sizeof *e);

    if (!e || !(e->record = transaction_new()))
        return exchange_free(e);
    exchange_fill(e->record, u, m);
    e->record->index = ++t->next_transaction;
    t->counts.transactions++;
    if (!e->record->call_id.ptr ||
        track_enter(t, &e->live, LIVE_TRANSACTION, e->record->call_id, hash, u->time_ns) < 0)
        return exchange_free(e);
    return e;
}

static void exchange_response(struct transaction *r, const struct wire_unit *u,
                              const struct sip_message *m)
{
    if (m->status < 200) {
        r->last_progress = m->status;
        return;
    }
    r->challenged = m->status == 401 || m->status == 407;
    r->final = m->status;
    r->answered_ns = u->time_ns;
    track_keep_newer(&r->arena, &r->phrase, m->reason);
}

bool track_transaction_message(struct tracker *t, const struct wire_unit *u,
                               const struct sip_message *m)
{
    uint64_t hash = track_hash(t, m->call_id);
    struct exchange *e = exchange_find(t, m, hash);

    if (!e && !(e = exchange_open(t, u, m, hash)))
        return false;
    struct transaction *r = e->record;
    struct seen_about about = { .callee_tag = m->is_request ? (slice){0} : m->to.tag };
    struct seen_verdict verdict = seen_note(&e->seen, &r->arena, u, m, &about);

    r->last_ns = track_max(r->last_ns, u->time_ns);
    r->last_frame = u->frame;
    r->retransmissions += verdict.kind == SEEN_AGAIN;
    r->copies += verdict.kind == SEEN_COPY || verdict.kind == SEEN_HOP_COPY;
    if (!m->is_request && verdict.kind != SEEN_COPY)
        exchange_response(r, u, m);
    track_until(t, &e->live, u->time_ns + track_max(t->settings.linger_ns, 64 * t->settings.t1_ns));
    track_recount(t, &e->live, sizeof *e + seen_memory_bytes(&e->seen) + transaction_memory_bytes(r));
    track_tell(t, &(struct track_sighting){ .unit = u, .message = m, .transaction = r,
                                            .kind = verdict.kind });
    return true;
}

void track_transaction_due(struct tracker *t, struct live *l) { track_transaction_close(t, l, false); }

void track_transaction_close(struct tracker *t, struct live *l, bool at_end)
{
    struct exchange *e = live_item(l, struct exchange);

    (void)at_end;
    track_leave(t, l);
    if (t->observer.transaction_closed && t->observer.transaction_closed(t->observer.ctx, e->record))
        e->record = NULL;
    exchange_free(e);
}
