/* mask/fragments.c - fragments wait for their datagram, which is masked whole and cut up again.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A datagram that is done stays for a while: captures on "any" interface hold each fragment
 * twice. What never was whole is masked as far as it came in one piece. */
#include <stdlib.h>

#include "mask/mask_int.h"

#define DATAGRAM_BYTES_MAX 65535u
#define ECHO_NS            1000000000ll

struct datagram_key {                /* hashed and compared as bytes: no padding */
    uint8_t  src[16], dst[16];
    uint32_t id;
    uint8_t  family, protocol;
    uint16_t zero;
};
struct datagram {
    struct map_node    node;
    struct list        in_age;
    struct datagram_key key;
    struct wire_packet packet;       /* of the last fragment */
    struct list        pieces;       /* mask_piece, by offset */
    int64_t            time_ns;      /* of the last fragment */
    uint32_t           len;          /* 0: the last fragment has not come */
    uint8_t            protocol;
    uint8_t           *came, *bytes; /* once it is done */
    uint32_t           done_len;
    bool               bad;
    enum mask_why      why;
};

static void datagram_free(struct mask *m, struct datagram *d)
{
    map_remove(&m->datagrams, &d->node);
    list_remove(&d->in_age);
    free(d->came);
    free(d);
}

static struct datagram *datagram_find(struct mask *m, const struct datagram_key *key, uint64_t hash)
{
    for (struct map_node *n = map_first(&m->datagrams, hash); n; n = map_next(n)) {
        struct datagram *d = map_item(n, struct datagram, node);

        if (memcmp(&d->key, key, sizeof *key) == 0)
            return d;
    }
    return NULL;
}

static struct datagram *datagram_new(struct mask *m, const struct datagram_key *key, uint64_t hash)
{
    struct datagram *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->key = *key;
    list_init(&d->pieces);
    list_append(&m->datagrams_age, &d->in_age);
    map_add(&m->datagrams, &d->node, hash);
    return d;
}

/* Bytes in one piece from the start on. */
static uint32_t datagram_reach(const struct datagram *d)
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
static void piece_take(struct mask *m, struct datagram *d, struct mask_piece *p)
{
    bool within = p->seq + p->len <= d->done_len;

    if (within)
        memcpy(p->held->surface.bytes + p->at, d->bytes + p->seq, p->len);
    mask_piece_done(m, p, within && !d->bad, within ? d->why : MASK_INCOMPLETE);
}

static bool datagram_bytes(struct datagram *d, uint32_t reach)
{
    d->came = malloc(2 * (size_t)reach + 1);
    if (!d->came)
        return false;
    d->bytes = d->came + reach;
    /* the first bytes at a place stay, as when it is read: later pieces are laid down first */
    for (struct list *l = d->pieces.prev; l != &d->pieces; l = l->prev) {
        struct mask_piece *p = list_item(l, struct mask_piece, in);

        if (p->seq + p->len <= reach)
            memcpy(d->came + p->seq, p->held->surface.came + p->at, p->len);
    }
    memcpy(d->bytes, d->came, reach);
    return true;
}

/* Masks what there is and gives each fragment its part. */
static void datagram_settle(struct mask *m, struct datagram *d, bool whole)
{
    uint32_t reach = whole ? d->len : datagram_reach(d);
    struct mask_surface *before = m->surface, s = {0};

    if (!datagram_bytes(d, reach)) {
        m->no_memory = true;
        reach = 0;
    }
    if (d->came && reach > 0) {
        s = (struct mask_surface){ .came = d->came, .bytes = d->bytes, .len = reach };
        m->surface = &s;
        d->packet.cut = !whole;
        wire_watch_datagram(m->wire, &d->packet, d->protocol, slice_of(d->came, reach));
        m->surface = before;
        mask_sums(m, &s);
        if (s.leaves == 0)
            mask_bad(&s, MASK_UNKNOWN);
    }
    d->done_len = reach;
    d->bad = s.bad;
    d->why = s.why;
    while (!list_is_empty(&d->pieces))
        piece_take(m, d, list_item(d->pieces.next, struct mask_piece, in));
}

static void piece_insert(struct datagram *d, struct mask_piece *p)
{
    struct list *l = d->pieces.prev;

    while (l != &d->pieces && list_item(l, struct mask_piece, in)->seq > p->seq)
        l = l->prev;
    list_insert_after(l, &p->in);
}

static bool is_echo(const struct datagram *d, const struct wire_place *p)
{
    return d->came && p->fragment.offset + p->bytes.len <= d->done_len &&
           memcmp(d->came + p->fragment.offset, p->bytes.ptr, p->bytes.len) == 0;
}

void mask_fragment_place(struct mask *m, const struct wire_place *place)
{
    const struct wire_packet *packet = place->packet;
    struct datagram_key key = { .id = place->fragment.id, .family = packet->src.family };
    struct mask_piece *piece;

    if (!m->current || m->surface != &m->current->surface ||
        place->fragment.offset + place->bytes.len > DATAGRAM_BYTES_MAX) {
        mask_bad(m->surface, MASK_UNKNOWN);      /* a fragment in a datagram of fragments */
        return;
    }
    key.protocol = key.family == 4 ? place->fragment.protocol : 0;
    memcpy(key.src, packet->src.ip, 16);
    memcpy(key.dst, packet->dst.ip, 16);
    uint64_t hash = hash_bytes(&m->settings.key.seed, &key, sizeof key);
    struct datagram *d = datagram_find(m, &key, hash);

    if (d && d->came && !is_echo(d, place)) {
        datagram_free(m, d);
        d = NULL;
    }
    if (!d)
        d = datagram_new(m, &key, hash);
    piece = d ? calloc(1, sizeof *piece) : NULL;
    if (!piece) {
        m->no_memory = true;
        mask_bad(m->surface, MASK_INCOMPLETE);
        return;
    }
    *piece = (struct mask_piece){ .held = m->current, .at = (uint32_t)mask_at(m, place->bytes),
                                  .len = (uint32_t)place->bytes.len, .seq = place->fragment.offset };
    m->current->waiting++;
    d->time_ns = m->now_ns;
    list_remove(&d->in_age);
    list_append(&m->datagrams_age, &d->in_age);
    piece_insert(d, piece);
    if (d->came) {
        piece_take(m, d, piece);
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

bool mask_fragments_due(struct mask *m, bool all)
{
    if (list_is_empty(&m->datagrams_age))
        return false;
    struct datagram *d = list_item(m->datagrams_age.next, struct datagram, in_age);

    if (!all && d->time_ns + (d->came ? ECHO_NS : m->settings.wait_ns) > m->now_ns)
        return false;
    if (!d->came)
        datagram_settle(m, d, false);
    datagram_free(m, d);
    return true;
}

void mask_fragments_done(struct mask *m)
{
    while (m->datagrams_age.next && !list_is_empty(&m->datagrams_age)) {
        struct datagram *d = list_item(m->datagrams_age.next, struct datagram, in_age);

        while (!list_is_empty(&d->pieces))
            mask_piece_done(m, list_item(d->pieces.next, struct mask_piece, in), false, MASK_INCOMPLETE);
        datagram_free(m, d);
    }
}
