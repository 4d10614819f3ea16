/* base/tally.c - see tally.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/tally.h"

#include <stdlib.h>

#include "base/map.h"

enum { EXPECTED = 64 };

struct tally_one {
    struct map_node by_name;
    uint32_t        count, len;
    char            name[];
};

struct tally {
    struct hash_seed seed;
    struct lock      lock;
    struct map       by_name;
};

struct tally *tally_new(const struct hash_seed *seed, const struct lock *lock)
{
    struct tally *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->seed = *seed;
    if (lock)
        t->lock = *lock;
    return map_init(&t->by_name, EXPECTED) == 0 ? t : tally_free(t);
}

struct tally *tally_free(struct tally *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; t->by_name.buckets && i < t->by_name.bucket_count; i++)
        while (t->by_name.buckets[i]) {
            struct map_node *node = t->by_name.buckets[i];

            map_remove(&t->by_name, node);
            free(map_item(node, struct tally_one, by_name));
        }
    map_done(&t->by_name);
    free(t);
    return NULL;
}

static struct tally_one *find(const struct tally *t, slice name, uint64_t hash)
{
    for (struct map_node *n = map_first(&t->by_name, hash); n; n = map_next(n)) {
        struct tally_one *one = map_item(n, struct tally_one, by_name);

        if (slice_eq(slice_of(one->name, one->len), name))
            return one;
    }
    return NULL;
}

static struct tally_one *find_or_make(struct tally *t, slice name)
{
    uint64_t hash = hash_slice(&t->seed, name);
    struct tally_one *one = find(t, name, hash);

    if (one || name.len > UINT32_MAX || !(one = malloc(sizeof *one + name.len)))
        return one;
    *one = (struct tally_one){ .len = (uint32_t)name.len };
    if (name.len)
        memcpy(one->name, name.ptr, name.len);
    map_add(&t->by_name, &one->by_name, hash);
    return one;
}

struct tally_one *tally_take(struct tally *t, slice name, uint32_t max)
{
    LOCK_UNTIL_RETURN(&t->lock);
    struct tally_one *one = find_or_make(t, name);

    if (!one || (max && one->count >= max))
        return NULL;
    one->count++;
    return one;
}

static void give_back(struct tally *t, struct tally_one *one)
{
    LOCK_UNTIL_RETURN(&t->lock);

    if (--one->count)
        return;
    map_remove(&t->by_name, &one->by_name);
    free(one);
}

void tally_give_back(struct tally *t, struct tally_one **one)
{
    if (*one)
        give_back(t, *one);
    *one = NULL;
}

slice tally_name(const struct tally_one *one) { return slice_of(one->name, one->len); }

uint32_t tally_count(struct tally *t, slice name)
{
    LOCK_UNTIL_RETURN(&t->lock);
    const struct tally_one *one = find(t, name, hash_slice(&t->seed, name));

    return one ? one->count : 0;
}
