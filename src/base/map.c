/* base/map.c - see map.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int map_init(struct map *m, size_t expected)
{
    size_t count = 16;

    while (count / 2 < expected)
        count *= 2;
    struct map_node **buckets = calloc(count, sizeof *buckets);

    if (!buckets)
        return -ENOMEM;
    *m = (struct map){ .buckets = buckets, .bucket_count = count };
    return 0;
}

void map_done(struct map *m)
{
    free(m->buckets);
    *m = (struct map){0};
}

static void map_push(struct map *m, struct map_node *node)
{
    struct map_node **bucket = &m->buckets[node->hash & (m->bucket_count - 1)];

    node->next = *bucket;
    *bucket = node;
}

static void map_double(struct map *m)
{
    struct map old = *m;
    struct map_node **buckets = calloc(old.bucket_count * 2, sizeof *buckets);

    if (!buckets)
        return;                                           /* longer chains, nothing worse */
    m->buckets = buckets;
    m->bucket_count = old.bucket_count * 2;
    for (size_t i = 0; i < old.bucket_count; i++) {
        struct map_node *n = old.buckets[i];

        while (n) {
            struct map_node *next = n->next;

            map_push(m, n);
            n = next;
        }
    }
    free(old.buckets);
}

void map_add(struct map *m, struct map_node *node, uint64_t hash)
{
    if (m->count >= m->bucket_count / 2)                  /* a walk along a chain costs a cache miss a step */
        map_double(m);
    node->hash = hash;
    map_push(m, node);
    m->count++;
}

void map_remove(struct map *m, struct map_node *node)
{
    struct map_node **link = &m->buckets[node->hash & (m->bucket_count - 1)];

    while (*link != node) {
        assert(*link);                                    /* was never added */
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    m->count--;
}

struct map_node *map_next(struct map_node *node)
{
    uint64_t hash = node->hash;

    for (node = node->next; node && node->hash != hash; node = node->next)
        ;
    return node;
}
