/* base/map_test.c - things by key
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/map.h"

enum { THINGS = 3000 };

struct thing {
    struct map_node by_key;
    uint32_t key;
};

static uint64_t hash_of(uint32_t key)
{
    return (key % 1000) * 0x9e3779b97f4a7c15u; /* three things to a hash */
}

static struct thing *find(const struct map *m, uint32_t key)
{
    for (struct map_node *n = map_first(m, hash_of(key)); n; n = map_next(n))
        if (map_item(n, struct thing, by_key)->key == key)
            return map_item(n, struct thing, by_key);
    return NULL;
}

TORTURE(things_with_the_same_hash_are_told_apart)
{
    static struct thing things[THINGS];
    struct map m;

    CHECK_OR_RETURN(map_init(&m, 4) == 0);
    for (uint32_t i = 0; i < THINGS; i++) {
        things[i] = (struct thing){ .key = i };
        map_add(&m, &things[i].by_key, hash_of(i)); /* goes on when it cannot grow */
    }
    CHECK_EQ(m.count, THINGS);
    for (uint32_t i = 0; i < THINGS; i++)
        CHECK_ROW(i, find(&m, i) == &things[i]);
    CHECK(find(&m, THINGS) == NULL);
    map_done(&m);
}

TEST(what_was_removed_is_not_found_and_its_neighbours_are)
{
    static struct thing things[THINGS];
    struct map m;

    CHECK_EQ(map_init(&m, THINGS), 0);
    for (uint32_t i = 0; i < THINGS; i++) {
        things[i] = (struct thing){ .key = i };
        map_add(&m, &things[i].by_key, hash_of(i));
    }
    for (uint32_t i = 0; i < THINGS; i += 2)
        map_remove(&m, &things[i].by_key);
    CHECK_EQ(m.count, THINGS / 2);
    for (uint32_t i = 0; i < THINGS; i++)
        CHECK_ROW(i, find(&m, i) == (i % 2 ? &things[i] : NULL));
    map_done(&m);
}

TEST(an_empty_map_finds_nothing)
{
    struct map m;

    CHECK_EQ(map_init(&m, 0), 0);
    CHECK(find(&m, 1) == NULL);
    map_done(&m);
}
