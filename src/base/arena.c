/* base/arena.c - see arena.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdlib.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t              size;        /* of the whole chunk */
    char                room[];
};

static bool arena_add(struct arena *a, size_t size)
{
    struct arena_chunk *chunk = malloc(size);

    if (!chunk)
        return false;
    chunk->next = a->chunks;
    chunk->size = size;
    a->chunks = chunk;
    a->at = chunk->room;
    a->end = (char *)chunk + size;
    a->total_bytes += size;
    return true;
}

bool arena_begin(struct arena *a, size_t bytes)
{
    return arena_add(a, bytes + sizeof(struct arena_chunk));
}

static bool arena_grow(struct arena *a, size_t need)
{
    size_t size = !a->chunks ? ARENA_FIRST : !a->chunks->next ? ARENA_SECOND : a->chunks->size * 2;

    if (size > ARENA_LARGEST)
        size = ARENA_LARGEST;
    if (need > SIZE_MAX / 2)
        return false;
    if (size < need + sizeof(struct arena_chunk))
        size = need + sizeof(struct arena_chunk);
    return arena_add(a, size);
}

static void *arena_take(struct arena *a, size_t size)
{
    if ((size_t)(a->end - a->at) < size && !arena_grow(a, size))
        return NULL;
    void *taken = a->at;

    a->at += size;
    return taken;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t misaligned = (uintptr_t)a->at & 7;

    if (misaligned && (size_t)(a->end - a->at) >= 8 - misaligned)
        a->at += 8 - misaligned;
    else if (misaligned)
        a->at = a->end = NULL;                            /* too little left: a new chunk */
    if (size > SIZE_MAX - 8)
        return NULL;
    return arena_take(a, size);
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *taken = arena_alloc(a, size);

    return taken ? memset(taken, 0, size) : NULL;
}

slice arena_slice(struct arena *a, slice text)
{
    if (text.len > SIZE_MAX - 1)
        return (slice){0};
    char *copy = arena_take(a, text.len + 1);

    if (!copy)
        return (slice){0};
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return (slice){ copy, text.len };
}

void arena_done(struct arena *a)
{
    struct arena_chunk *chunk = a->chunks;

    while (chunk) {
        struct arena_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
    *a = (struct arena){0};
}
