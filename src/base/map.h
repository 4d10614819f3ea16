/* base/map.h - intrusive hash map: things by key, whole keys compared by the caller.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each thing embeds a map_node and keeps its own key. The map owns only its bucket array,
 * doubles it as it fills, and goes on with longer chains when memory for that is short.
 *
 *     for (struct map_node *n = map_first(&m, hash); n; n = map_next(n))
 *         if (slice_eq(map_item(n, struct thing, by_name)->name, name)) ...                */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint64_t         hash;
};

struct map {
    struct map_node **buckets;
    size_t            bucket_count;  /* a power of two */
    size_t            count;
};

#define map_item(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))

int  map_init(struct map *m, size_t expected);            /* 0 or -ENOMEM */
void map_done(struct map *m);                             /* the things themselves stay */
void map_add(struct map *m, struct map_node *node, uint64_t hash);
void map_remove(struct map *m, struct map_node *node);    /* it must be in there */

struct map_node *map_next(struct map_node *node);         /* with the same hash */
static inline struct map_node *map_first(const struct map *m, uint64_t hash)
{
    struct map_node *n = m->buckets[hash & (m->bucket_count - 1)];

    while (n && n->hash != hash)
        n = n->next;
    return n;
}

#endif
