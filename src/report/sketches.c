/* report/sketches.c - see sketches.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/sketches.h"

#include <stdlib.h>

struct sketch {
    struct map_node node;
    uint64_t        index;
    struct ladder  *ladder;
    size_t          bytes;           /* as counted */
};

bool sketches_init(struct sketches *s, const struct words *w, size_t bytes_max)
{
    *s = (struct sketches){ .words = w, .bytes_max = bytes_max };
    return map_init(&s->by_index, 64) == 0;
}

/* Indexes are ours and in sequence: spread over the buckets by a multiplication. */
static uint64_t hash_of(uint64_t index) { return index * 0x9e3779b97f4a7c15u >> 16; }

static struct sketch *sketch_find(const struct sketches *s, uint64_t index)
{
    if (!s->by_index.buckets)
        return NULL;
    for (struct map_node *n = map_first(&s->by_index, hash_of(index)); n; n = map_next(n)) {
        struct sketch *sketch = map_item(n, struct sketch, node);

        if (sketch->index == index)
            return sketch;
    }
    return NULL;
}

static struct sketch *sketch_new(struct sketches *s, uint64_t index)
{
    struct sketch *sketch = s->bytes < s->bytes_max ? calloc(1, sizeof *sketch) : NULL;

    if (!sketch || !(sketch->ladder = ladder_new(s->words))) {
        free(sketch);
        s->beyond++;
        return NULL;
    }
    if (s->text_bytes_max)
        ladder_keep_texts(sketch->ladder, s->text_bytes_max);
    sketch->index = index;
    map_add(&s->by_index, &sketch->node, hash_of(index));
    return sketch;
}

void sketches_note(struct sketches *s, const struct track_sighting *sighting)
{
    struct sketch *sketch = sketch_find(s, sighting->call->index);

    if (!sketch && !(sketch = sketch_new(s, sighting->call->index)))
        return;
    ladder_note(sketch->ladder, sighting);
    s->bytes -= sketch->bytes;
    sketch->bytes = sizeof *sketch + ladder_memory_bytes(sketch->ladder);
    s->bytes += sketch->bytes;
}

struct ladder *sketches_take(struct sketches *s, uint64_t index)
{
    struct sketch *sketch = sketch_find(s, index);
    struct ladder *ladder = sketch ? sketch->ladder : NULL;

    if (sketch) {
        map_remove(&s->by_index, &sketch->node);
        s->bytes -= sketch->bytes;
        free(sketch);
    }
    return ladder;
}

void sketches_done(struct sketches *s)
{
    for (size_t i = 0; i < s->by_index.bucket_count; i++)
        while (s->by_index.buckets[i])
            ladder_free(sketches_take(s, map_item(s->by_index.buckets[i], struct sketch, node)->index));
    map_done(&s->by_index);
}
