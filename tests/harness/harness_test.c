/* tests/harness/harness_test.c - the harness judges tests rightly
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

TEST(numbers_compare_by_value_whatever_their_types)
{
    CHECK_EQ(1, 1ull);
    CHECK_EQ((uint8_t)255, 255L);
    CHECK_EQ(-1, (int64_t)-1);
    CHECK_EQ(true, 1);
    CHECK_EQ('a', 97);
    CHECK_EQ(0.5f, 0.5);
    CHECK_EQ(2, 2.0);
}

TEST(slices_and_strings_compare_as_text)
{
    slice s = { .ptr = "abcd", .len = 3 };
    char buffer[] = "abc";

    CHECK_EQ(s, "abc");
    CHECK_EQ(buffer, s);
    CHECK_EQ((slice){ 0 }, "");
    CHECK_STR_EQ(buffer, "abc");
    CHECK_EQ((const char *)NULL, (const char *)NULL);
}

TORTURE(a_failed_allocation_may_end_a_body_early)
{
    char *a = malloc(10), *b = NULL;

    CHECK_OR_GOTO(a != NULL, out);
    b = strdup("something");
    CHECK_OR_GOTO(b != NULL, out);
    char *more = realloc(a, 100000);
    CHECK_OR_GOTO(more != NULL, out);
    a = more;
    CHECK_STR_EQ(b, "something");
out:
    free(a);
    free(b);
}
