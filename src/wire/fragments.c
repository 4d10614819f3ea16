/* wire/fragments.c - see fragments.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * One bit per 8 bytes says what has come: offsets are multiples of 8 and all fragments but the
 * last have such lengths, so adding costs what its bytes cost, however they overlap. */
#include "wire/fragments.h"

#include <errno.h>
#include <stdlib.h>

#define BLOCK      8u
#define BLOCKS_MAX ((FRAGMENT_DATAGRAM_MAX + BLOCK - 1) / BLOCK)
#define NO_END     UINT32_MAX

struct fragment_datagram {
    struct map_node     node;
    struct list         in_age;
    struct fragment_key key;
    struct wire_packet  packet;      /* of the last that came */
    int64_t             since_ns;
    char               *bytes;
    uint32_t            capacity;
    uint32_t            end;         /* total length, or NO_END */
    uint32_t            top;         /* the farthest byte that came, plus one */
    uint32_t            cut_at;      /* bytes from here on were not captured, or NO_END */
    uint32_t            blocks;      /* that have come */
    uint8_t             protocol;
    bool                whole, echo;
    uint64_t            come[(BLOCKS_MAX + 63) / 64];
};

int fragments_init(struct fragments *f, uint32_t count_max, size_t bytes_max, int64_t age_max_ns,
                   struct hash_seed seed)
{
    *f = (struct fragments){ .seed = seed, .count_max = count_max, .bytes_max = bytes_max,
                             .age_max_ns = age_max_ns };
    list_init(&f->by_age);
    return map_init(&f->map, 16);
}

void fragments_done(struct fragments *f)
{
    struct fragment_datagram *d;

    if (!f->map.buckets)
        return;
    while ((d = fragments_take_due(f, INT64_MAX)))
        fragments_drop(f, d);
    map_done(&f->map);
}

static struct fragment_key fragment_key_of(const struct fragment *in)
{
    const struct wire_packet *p = in->packet;
    struct fragment_key key = { .id = in->id, .family = p->src.family };

    memcpy(key.src, p->src.ip, sizeof key.src);
    memcpy(key.dst, p->dst.ip, sizeof key.dst);
    key.protocol = key.family == 4 ? in->protocol : 0;
    return key;
}

static bool fragment_key_eq(const struct fragment_key *a, const struct fragment_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct fragment_datagram *fragments_find(const struct fragments *f, uint64_t hash,
                                                const struct fragment_key *key)
{
    for (struct map_node *n = map_first(&f->map, hash); n; n = map_next(n)) {
        struct fragment_datagram *d = map_item(n, struct fragment_datagram, node);

        if (fragment_key_eq(&d->key, key))
            return d;
    }
    return NULL;
}

static bool fragments_just_completed(const struct fragments *f, uint64_t hash,
                                     const struct fragment_key *key, int64_t now_ns)
{
    size_t at = hash % FRAGMENT_ECHOES;

    return fragment_key_eq(&f->echoes[at].key, key) &&
           now_ns >= f->echoes[at].time_ns &&
           (uint64_t)now_ns - (uint64_t)f->echoes[at].time_ns <= FRAGMENT_ECHO_NS;
}

static struct fragment_datagram *fragments_new(struct fragments *f, uint64_t hash,
                                               const struct fragment_key *key, int64_t now_ns)
{
    struct fragment_datagram *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->key = *key;
    d->since_ns = now_ns;
    d->end = d->cut_at = NO_END;
    d->echo = fragments_just_completed(f, hash, key, now_ns);
    map_add(&f->map, &d->node, hash);
    list_append(&f->by_age, &d->in_age);
    f->bytes += sizeof *d;
    return d;
}

static bool fragment_datagram_grow(struct fragments *f, struct fragment_datagram *d, uint32_t need)
{
    uint32_t capacity = d->capacity ? d->capacity : 2048;

    if (need <= d->capacity)
        return true;
    while (capacity < need)
        capacity *= 2;
    char *bytes = realloc(d->bytes, capacity);

    if (!bytes)
        return false;
    f->bytes += capacity - d->capacity;
    d->bytes = bytes;
    d->capacity = capacity;
    return true;
}

static bool block_has_come(const struct fragment_datagram *d, uint32_t block)
{
    return d->come[block / 64] >> (block % 64) & 1;
}

/* Copies the blocks that have not come yet. `len` as promised, `bytes` as captured. */
static void fragment_datagram_fill(struct fragment_datagram *d, const struct fragment *in)
{
    uint32_t first = in->offset / BLOCK, blocks = (in->len + BLOCK - 1) / BLOCK;

    for (uint32_t i = 0; i < blocks; i++) {
        size_t at = (size_t)i * BLOCK;

        if (block_has_come(d, first + i))
            continue;
        d->come[(first + i) / 64] |= UINT64_C(1) << ((first + i) % 64);
        d->blocks++;
        if (at < in->bytes.len) {
            size_t n = in->bytes.len - at;

            memcpy(d->bytes + in->offset + at, in->bytes.ptr + at, n < BLOCK ? n : BLOCK);
        }
        if (in->bytes.len < in->len && at + BLOCK > in->bytes.len) {
            uint32_t hole = in->offset + (uint32_t)(at > in->bytes.len ? at : in->bytes.len);

            d->cut_at = hole < d->cut_at ? hole : d->cut_at;
        }
    }
}

static bool fragment_can_be(const struct fragment_datagram *d, const struct fragment *in)
{
    if (in->offset > FRAGMENT_DATAGRAM_MAX || in->len > FRAGMENT_DATAGRAM_MAX - in->offset)
        return false;                     /* longer than any datagram */
    if (in->len == 0 || in->offset % BLOCK || (in->more && in->len % BLOCK))
        return false;                     /* RFC 8200 4.5: others have multiples of 8 */
    if (d->end != NO_END && in->offset + in->len > d->end)
        return false;                     /* past the end that came first */
    if (!in->more && in->offset + in->len < d->top)
        return false;                     /* an end before what came already */
    return true;
}

static void fragments_remove(struct fragments *f, struct fragment_datagram *d)
{
    map_remove(&f->map, &d->node);
    list_remove(&d->in_age);
}

static void fragments_note_completed(struct fragments *f, const struct fragment_datagram *d)
{
    size_t at = d->node.hash % FRAGMENT_ECHOES;

    f->echoes[at].key = d->key;
    f->echoes[at].time_ns = d->packet.time_ns;
}

struct fragment_datagram *fragments_add(struct fragments *f, const struct fragment *in)
{
    struct fragment_key key = fragment_key_of(in);
    uint64_t hash = hash_bytes(&f->seed, &key, sizeof key);
    struct fragment_datagram *d = fragments_find(f, hash, &key);

    if (!d && !(d = fragments_new(f, hash, &key, in->packet->time_ns))) {
        f->refused++;
        return NULL;
    }
    if (!fragment_can_be(d, in) ||
        !fragment_datagram_grow(f, d, (in->offset + in->len + BLOCK - 1) / BLOCK * BLOCK)) {
        f->refused++;
        return NULL;
    }
    if (in->offset == 0 || d->blocks == 0)
        d->protocol = in->protocol;
    if (!in->more && d->end == NO_END)
        d->end = in->offset + in->len;
    if (d->top < in->offset + in->len)
        d->top = in->offset + in->len;
    d->packet = *in->packet;
    fragment_datagram_fill(d, in);
    if (d->end == NO_END || d->blocks < (d->end + BLOCK - 1) / BLOCK)
        return NULL;
    d->whole = true;
    fragments_remove(f, d);
    fragments_note_completed(f, d);
    return d;
}

/* When a datagram is given up; far in the future does not wrap. */
static int64_t fragment_datagram_due_ns(const struct fragments *f,
                                        const struct fragment_datagram *d)
{
    int64_t due;

    return __builtin_add_overflow(d->since_ns, f->age_max_ns, &due) ? INT64_MAX : due;
}

bool fragment_datagram_is_old(const struct fragments *f, const struct fragment_datagram *d,
                              int64_t now_ns)
{
    return now_ns >= fragment_datagram_due_ns(f, d);
}

struct fragment_datagram *fragments_take_due(struct fragments *f, int64_t now_ns)
{
    if (list_is_empty(&f->by_age))
        return NULL;
    struct fragment_datagram *d = list_item(f->by_age.next, struct fragment_datagram, in_age);

    if (!fragment_datagram_is_old(f, d, now_ns) && f->map.count <= f->count_max &&
        f->bytes <= f->bytes_max)
        return NULL;
    fragments_remove(f, d);
    return d;
}

int64_t fragments_due_ns(const struct fragments *f)
{
    if (list_is_empty(&f->by_age))
        return INT64_MAX;
    return fragment_datagram_due_ns(f, list_item(f->by_age.next, struct fragment_datagram, in_age));
}

void fragments_drop(struct fragments *f, struct fragment_datagram *d)
{
    if (!d)
        return;
    f->bytes -= d->capacity + sizeof *d;
    free(d->bytes);
    free(d);
}

slice fragment_datagram_bytes(const struct fragment_datagram *d)
{
    uint32_t come = 0;

    if (d->whole)
        return slice_of(d->bytes, d->cut_at < d->end ? d->cut_at : d->end);
    while (come < BLOCKS_MAX && block_has_come(d, come))
        come++;
    size_t len = (size_t)come * BLOCK;

    if (len > d->end)
        len = d->end;
    return slice_of(d->bytes, len > d->cut_at ? d->cut_at : len);
}

struct wire_packet fragment_datagram_packet(const struct fragment_datagram *d)
{
    struct wire_packet p = d->packet;

    p.cut = !d->whole || d->cut_at != NO_END;
    return p;
}

uint8_t fragment_datagram_protocol(const struct fragment_datagram *d) { return d->protocol; }
bool fragment_datagram_is_echo(const struct fragment_datagram *d) { return d->echo; }
