/* wire/fragments.h - IP datagrams put together from their fragments (RFC 791, RFC 8200 4.5).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Any order; where two overlap the bytes that came first stay. A datagram that is whole, or
 * is given up, is taken out: the caller uses it and frees it with fragments_drop. Bounded by
 * count, bytes and age; the oldest goes first.
 *
 *     struct fragment_datagram *d = fragments_add(&f, &fragment);
 *     if (d)
 *         use(fragment_datagram_bytes(d)), fragments_drop(&f, d);
 *     while ((d = fragments_take_due(&f, now_ns)))          // given up
 *         fragments_drop(&f, d);                                                           */
#ifndef WIRE_FRAGMENTS_H
#define WIRE_FRAGMENTS_H

#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "wire/packet.h"

#define FRAGMENT_DATAGRAM_MAX 65535u
#define FRAGMENT_ECHOES       64     /* datagrams lately completed that are remembered */
#define FRAGMENT_ECHO_NS      1000000000ll

struct fragment_key {                /* hashed and compared as bytes: no padding */
    uint8_t  src[16], dst[16];
    uint32_t id;
    uint8_t  family;
    uint8_t  protocol;               /* IPv4; 0 for IPv6, where only the first one's counts */
    uint16_t zero;
};

struct fragment {
    const struct wire_packet *packet;        /* the addresses in it belong to the key */
    uint32_t id;
    uint8_t  protocol;               /* of what the datagram carries */
    bool     more;                   /* not the last */
    uint32_t offset;                 /* in bytes, a multiple of 8 */
    uint32_t len;                    /* as its header says; more than bytes.len: cut */
    slice    bytes;
};

struct fragment_datagram;
struct fragments {
    struct map       map;
    struct list      by_age;         /* oldest first */
    struct hash_seed seed;
    uint32_t         count_max;
    size_t           bytes_max, bytes;
    int64_t          age_max_ns;
    uint64_t         refused;        /* memory short, or lengths that contradict each other */
    struct {
        struct fragment_key key;
        int64_t             time_ns;
    } echoes[FRAGMENT_ECHOES];
};

int  fragments_init(struct fragments *f, uint32_t count_max, size_t bytes_max, int64_t age_max_ns,
                    struct hash_seed seed);                /* 0 or -ENOMEM */
void fragments_done(struct fragments *f);

/* The datagram when this one made it whole; NULL: it waits, or the fragment was refused. */
struct fragment_datagram *fragments_add(struct fragments *f, const struct fragment *in);
/* The oldest when it is too old or a limit is passed; NULL: none. INT64_MAX as time takes all. */
struct fragment_datagram *fragments_take_due(struct fragments *f, int64_t now_ns);
/* Asked of a datagram taken as due: too old, or else it made room. */
bool fragment_datagram_is_old(const struct fragments *f, const struct fragment_datagram *d,
                              int64_t now_ns);
int64_t fragments_due_ns(const struct fragments *f);      /* INT64_MAX: nothing waits */
void fragments_drop(struct fragments *f, struct fragment_datagram *d);

/* The bytes from the start up to the first hole, or all; packet.cut says when some lack. The
 * packet's time and number are those of the last fragment that came. */
slice fragment_datagram_bytes(const struct fragment_datagram *d);
struct wire_packet fragment_datagram_packet(const struct fragment_datagram *d);
uint8_t fragment_datagram_protocol(const struct fragment_datagram *d);
/* Given up, but a datagram with this key was completed within a second before: most likely the
 * second copy of its last fragments, as captures on "any" interface hold. */
bool fragment_datagram_is_echo(const struct fragment_datagram *d);

#endif
