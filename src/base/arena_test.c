/* base/arena_test.c - memory freed in one stroke
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/arena.h"

TORTURE(what_an_arena_gave_stays_until_it_is_done)
{
    struct arena a = { 0 };
    unsigned char *blocks[200];

    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        blocks[i] = arena_alloc(&a, 1 + i * 7);
        CHECK_OR_GOTO(blocks[i] != NULL, out);
        CHECK_ROW_EQ(i, (uintptr_t)blocks[i] % 8, 0);
        memset(blocks[i], (int)i, 1 + i * 7);
    }
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        for (size_t j = 0; j < 1 + i * 7; j++)
            CHECK_ROW_EQ(i, blocks[i][j], i);
out:
    arena_done(&a);
    CHECK_EQ(a.total_bytes, 0);
}

TORTURE(a_wish_larger_than_any_chunk_is_granted)
{
    struct arena a = { 0 };
    char *small = arena_alloc(&a, 10);
    char *large = small ? arena_zalloc(&a, ARENA_LARGEST * 3) : NULL;

    CHECK_OR_GOTO(large != NULL, out);
    CHECK_EQ(large[0] | large[ARENA_LARGEST * 3 - 1], 0);
    CHECK(a.total_bytes >= ARENA_LARGEST * 3);
out:
    arena_done(&a);
}

TEST(a_size_that_would_wrap_is_refused)
{
    struct arena a = { 0 };

    CHECK(arena_alloc(&a, SIZE_MAX) == NULL);
    CHECK(arena_alloc(&a, SIZE_MAX - 7) == NULL);
    CHECK(arena_zalloc(&a, SIZE_MAX - 64) == NULL);
    arena_done(&a);
}

TORTURE(a_copy_of_text_ends_in_a_nul_and_is_its_own)
{
    struct arena a = { 0 };
    char text[] = "Busy\0Here";
    slice copy = arena_slice(&a, slice_of(text, 9));

    CHECK_OR_GOTO(copy.ptr != NULL, out);
    memset(text, 'x', sizeof(text));
    CHECK_EQ(copy, SLICE("Busy\0Here"));
    CHECK_EQ(copy.ptr[copy.len], '\0');
out:
    arena_done(&a);
}

TEST(an_arena_can_be_used_again_after_it_was_done)
{
    struct arena a = { 0 };

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(arena_slice(&a, SLICE("once more")), "once more");
        arena_done(&a);
    }
}
