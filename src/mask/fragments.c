/* mask/fragments.c - fragments wait for their datagram, which is masked whole and cut up again.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A datagram that is done stays for a while: captures on "any" interface hold each fragment
 * twice. What never was whole is masked as far as it came in one piece. */
#include <stdlib.h>

#include "mask/mask_int.h"

#define DATAGRAM_BYTES_MAX 65535u
#define DATAGRAMS_MAX      1024u     /* done ones are given up before their time: 64 KiB each, twice */
#define ECHO_NS            1000000000ll

struct datagram_key {                /* hashed and compared as bytes: no padding */
    uint8_t  src[16], dst[16];
    uint32_t id;
    uint8_t  family, protocol;
    uint16_t zero;
};
struct mask_datagram {
    struct map_node    node;
    struct list        in_age;
    struct datagram_key key;
    struct wire_packet packet;       /* of the last fragment */
    struct list        pieces;       /* mask_piece, by offset */
    int64_t            time_ns;      /* of the last fragment */
    uint32_t           len;          /* 0: the last fragment has not come */
    uint8_t            protocol;
    uint8_t           *came;         /* its bytes twice, once they were put together */
    struct mask_surface surface;     /* of them */
    bool               done;         /* masked, and its sums made */
};

static void datagram_free(struct mask *m, struct mask_datagram *d)
{
    map_remove(&m->datagrams, &d->node);
    list_remove(&d->in_age);
    free(d->came);
    free(d);
}

static struct mask_datagram *datagram_find(struct mask *m, const struct datagram_key *key, uint64_t hash)
{
    for (struct map_node *n = map_first(&m->datagrams, hash); n; n = map_next(n)) {
        struct mask_datagram *d = map_item(n, struct mask_datagram, node);

        if (memcmp(&d->key, key, sizeof *key) == 0)
            return d;
    }
    return NULL;
}

static struct mask_datagram *datagram_new(struct mask *m, const struct datagram_key *key, uint64_t hash)
{
    struct mask_datagram *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->key = *key;
    list_init(&d->pieces);
    list_append(&m->datagrams_age, &d->in_age);
    map_add(&m->datagrams, &d->node, hash);
    return d;
}

/* Bytes in one piece from the start on. */
static uint32_t datagram_reach(const struct mask_datagram *d)
{
    uint32_t reach = 0;

    for (struct list *l = d->pieces.next; l != &d->pieces; l = l->next) {
        struct mask_piece *p = list_item(l, struct mask_piece, in);

        if (p->seq > reach)
            break;
        if (p->seq + p->len > reach)
            reach = p->seq + p->len;
    }
    return reach;
}

/* A fragment's part of what was masked. */
static void piece_take(struct mask *m, struct mask_datagram *d, struct mask_piece *p)
{
    const struct mask_surface *s = &d->surface;
    bool within = p->seq + p->len <= s->len;

    p->surface->selected |= s->selected;
    if (within)
        memcpy(p->surface->bytes + p->at, s->bytes + p->seq, p->len);
    mask_piece_done(m, p, within && !s->bad, within ? s->why : MASK_INCOMPLETE);
}

static void datagram_pieces(struct mask *m, struct mask_datagram *d)
{
    while (!list_is_empty(&d->pieces))
        piece_take(m, d, list_item(d->pieces.next, struct mask_piece, in));
}

static bool datagram_bytes(struct mask_datagram *d, uint32_t reach)
{
    d->came = calloc(2, (size_t)reach + 1);         /* pieces may reach over the end and leave holes */
    if (!d->came)
        return false;
    /* the first bytes at a place stay, as when it is read: later pieces are laid down first */
    for (struct list *l = d->pieces.prev; l != &d->pieces; l = l->prev) {
        struct mask_piece *p = list_item(l, struct mask_piece, in);

        if (p->seq + p->len <= reach)
            memcpy(d->came + p->seq, p->surface->came + p->at, p->len);
    }
    memcpy(d->came + reach, d->came, reach);
    return true;
}

/* What it carries is masked: each fragment gets its part. */
void mask_datagram_ready(struct mask *m, struct mask_datagram *d)
{
    if (d->done || m->surface == &d->surface)
        return;
    d->done = true;
    mask_sums(m, &d->surface);
    datagram_pieces(m, d);
}

/* Masks what there is; it may hold a fragment or a segment itself, which waits. */
static void datagram_settle(struct mask *m, struct mask_datagram *d, bool whole)
{
    uint32_t reach = whole ? d->len : datagram_reach(d);
    struct mask_surface *before = m->surface;

    if (!datagram_bytes(d, reach)) {
        m->no_memory = true;
        reach = 0;
    }
    d->surface = (struct mask_surface){ .came = d->came, .bytes = d->came + reach, .len = reach,
                                        .datagram = d };
    if (reach > 0) {
        m->surface = &d->surface;
        d->packet.cut = !whole;
        wire_watch_datagram(m->wire, &d->packet, d->protocol, slice_of(d->came, reach));
        m->surface = before;
    }
    if (d->surface.leaves == 0)
        mask_bad(&d->surface, MASK_INCOMPLETE);
    if (d->surface.waiting == 0)
        mask_datagram_ready(m, d);
}

static void piece_insert(struct mask_datagram *d, struct mask_piece *p)
{
    struct list *l = d->pieces.prev;

    while (l != &d->pieces && list_item(l, struct mask_piece, in)->seq > p->seq)
        l = l->prev;
    list_insert_after(l, &p->in);
}

static bool is_echo(const struct mask_datagram *d, const struct wire_place *p)
{
    return p->fragment.offset + p->bytes.len <= d->surface.len &&
           memcmp(d->came + p->fragment.offset, p->bytes.ptr, p->bytes.len) == 0;
}

void mask_fragment_place(struct mask *m, const struct wire_place *place)
{
    const struct wire_packet *packet = place->packet;
    struct datagram_key key = { .id = place->fragment.id, .family = packet->src.family };
    struct mask_piece *piece;

    if (place->fragment.offset + place->bytes.len > DATAGRAM_BYTES_MAX) {
        mask_bad(m->surface, MASK_UNKNOWN);
        return;
    }
    key.protocol = key.family == 4 ? place->fragment.protocol : 0;
    memcpy(key.src, packet->src.ip, 16);
    memcpy(key.dst, packet->dst.ip, 16);
    uint64_t hash = hash_bytes(&m->settings.key.seed, &key, sizeof key);
    struct mask_datagram *d = datagram_find(m, &key, hash);

    if (d && d->done && !is_echo(d, place)) {
        datagram_free(m, d);
        d = NULL;
    }
    if (!d)
        d = datagram_new(m, &key, hash);
    if (d && d->came && !d->done) {       /* it waits for what is in it: too odd to follow */
        mask_bad(m->surface, MASK_INCOMPLETE);
        return;
    }
    piece = d ? mask_piece_new(m, place->bytes, place->fragment.offset) : NULL;
    if (!piece) {
        m->no_memory = true;
        mask_bad(m->surface, MASK_INCOMPLETE);
        return;
    }
    d->time_ns = m->now_ns;
    list_remove(&d->in_age);
    list_append(&m->datagrams_age, &d->in_age);
    piece_insert(d, piece);
    if (d->done) {
        datagram_pieces(m, d);
        return;
    }
    d->packet = *packet;
    if (piece->seq == 0 || key.family == 4)
        d->protocol = place->fragment.protocol;
    if (!place->fragment.more)
        d->len = piece->seq + piece->len;
    if (d->len && datagram_reach(d) >= d->len)
        datagram_settle(m, d, true);
}

/* One that waits for what is in it goes to the end: that comes first. */
bool mask_fragments_due(struct mask *m, bool all)
{
    bool settled = false;

    all |= m->datagrams.count > DATAGRAMS_MAX;

    for (size_t tries = m->datagrams.count; tries > 0; tries--) {
        struct mask_datagram *d = list_item(m->datagrams_age.next, struct mask_datagram, in_age);

        if (!all && d->time_ns + (d->came ? ECHO_NS : m->settings.wait_ns) > m->now_ns)
            break;
        if (!d->came) {
            datagram_settle(m, d, false);
            settled = true;               /* what was in it may wait now */
        }
        if (d->done) {
            datagram_free(m, d);
            return true;
        }
        list_remove(&d->in_age);
        list_append(&m->datagrams_age, &d->in_age);
        d->time_ns = m->now_ns;
    }
    return settled;
}

/* All pieces of one, whether they wait for it or it waits for them. */
void mask_fragments_done(struct mask *m)
{
    for (struct list *l = m->datagrams_age.next; l && l != &m->datagrams_age; l = l->next) {
        struct mask_datagram *d = list_item(l, struct mask_datagram, in_age);

        d->done = true;                   /* nothing is copied any more */
        while (!list_is_empty(&d->pieces))
            mask_piece_done(m, list_item(d->pieces.next, struct mask_piece, in), false, MASK_INCOMPLETE);
    }
    while (m->datagrams_age.next && !list_is_empty(&m->datagrams_age))
        datagram_free(m, list_item(m->datagrams_age.next, struct mask_datagram, in_age));
}
