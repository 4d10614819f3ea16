/* base/arena.h - memory with one lifetime, freed in one stroke.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Embed it; zero is ready to use. The first chunk has ARENA_FIRST bytes, which is enough for
 * the text of most calls; the next has ARENA_SECOND, then they double up to ARENA_LARGEST. A
 * larger wish gets a chunk of its own. Nothing is given back before
 * arena_done. Every allocation may fail: NULL, and nothing has changed.
 *
 *     struct arena a = {0};
 *     slice kept = arena_slice(&a, packet_text);       // .ptr NULL when memory is short
 *     arena_done(&a);                                                                    */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

#define ARENA_FIRST   624u
#define ARENA_SECOND  240u
#define ARENA_LARGEST 65536u

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;      /* newest first */
    char               *at, *end;    /* free room in the newest */
    size_t              total_bytes; /* taken from the system, chunk heads included */
};

/* A first chunk with room for `bytes`, when more or less than ARENA_FIRST is known to be
 * needed. False: no memory. */
bool  arena_begin(struct arena *a, size_t bytes);
void *arena_alloc(struct arena *a, size_t size);          /* aligned to 8, not cleared */
void *arena_zalloc(struct arena *a, size_t size);         /* cleared */
slice arena_slice(struct arena *a, slice text);           /* a copy; followed by a NUL */
void  arena_done(struct arena *a);                        /* ready for use again */

#endif
