/* tests/harness/wrong.c - tests that must not pass; CTest checks that the harness says so
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

static void *volatile kept;

TEST(passes)
{
    CHECK(true);
}

TEST(fails_a_question)
{
    CHECK(1 > 2);
}

TEST(fails_in_the_last_row)
{
    for (int i = 0; i < 3; i++)
        CHECK_ROW(i, i < 2);
}

TEST(fails_on_different_text)
{
    CHECK_EQ(SLICE("486\r\n"), "486\n");
}

TEST(fails_on_different_numbers)
{
    CHECK_EQ(-1, UINT64_MAX);
}

TEST(fails_on_absent_text)
{
    CHECK_EQ((const char *)NULL, "");
}

TEST(leaves_a_block_behind)
{
    kept = malloc(3);
}

TEST(is_skipped)
{
    SKIP("there is %s", "nothing to do");
}

/* Passes with all the memory it wants; forgets the first block when it gets no second. */
TORTURE(leaks_when_memory_runs_out)
{
    char *a = malloc(3), *b = strdup("x");

    CHECK_OR_RETURN(a != NULL);
    CHECK_OR_RETURN(b != NULL);
    free(a);
    free(b);
}

/* Without CHECK_OR_RETURN a failed allocation is a failed check, in that run too. */
TORTURE(does_not_expect_memory_to_run_out)
{
    char *a = malloc(3);
    bool ok = a != NULL;

    free(a);
    CHECK(ok);
}
