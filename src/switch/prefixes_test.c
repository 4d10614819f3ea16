/* switch/prefixes_test.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/prefixes.h"

#include <errno.h>

#include "harness/test.h"

TORTURE(the_longest_beginning_counts_and_of_equal_ones_the_denial)
{
    static const struct { const char *prefix; uint16_t owner; bool allowed; } given[] = {
        { "+49", 0, true }, { "+49900", 0, false }, { "+499005", 0, true },
        { "", 1, true }, { "+49", 1, false }, { "+49", 1, true },     /* in either order */
        { "+", 2, false }, { "+43", 2, true }, { "*", 3, true }, { "0", 3, true },
    };
    static const struct { const char *number; uint8_t want[4]; bool incomplete; } rows[] = {
        { "+4930",    { PREFIX_ALLOWED, PREFIX_DENIED, PREFIX_DENIED, PREFIX_NONE }, false },
        { "+49900",   { PREFIX_DENIED, PREFIX_DENIED, PREFIX_DENIED, PREFIX_NONE }, true },
        { "+4990051", { PREFIX_ALLOWED, PREFIX_DENIED, PREFIX_DENIED, PREFIX_NONE }, false },
        { "+431",     { PREFIX_NONE, PREFIX_ALLOWED, PREFIX_ALLOWED, PREFIX_NONE }, false },
        { "+4",       { PREFIX_NONE, PREFIX_ALLOWED, PREFIX_DENIED, PREFIX_NONE }, true },
        { "*21#",     { PREFIX_NONE, PREFIX_ALLOWED, PREFIX_NONE, PREFIX_ALLOWED }, false },
        { "",         { PREFIX_NONE, PREFIX_ALLOWED, PREFIX_NONE, PREFIX_NONE }, true },
        { "bob",      { PREFIX_NONE, PREFIX_ALLOWED, PREFIX_NONE, PREFIX_NONE }, false },
    };
    struct prefixes p = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        CHECK_OR_GOTO(prefixes_add(&p, slice_of_string(given[i].prefix), given[i].owner, given[i].allowed) == 0, out);
    CHECK_EQ(prefixes_add(&p, SLICE("1a"), 0, true), -EINVAL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t got[4] = { 0 };

        CHECK_ROW_EQ(i, prefixes_judge(&p, slice_of_string(rows[i].number), got), rows[i].incomplete);
        for (size_t k = 0; k < 4; k++)
            CHECK_ROW_EQ(i * 10 + k, got[k], rows[i].want[k]);
    }
out:
    prefixes_done(&p);
}

TEST(nothing_added_allows_nothing)
{
    uint8_t got[1] = { 0 };

    CHECK(!prefixes_judge(&(struct prefixes){ 0 }, SLICE("1"), got));
    CHECK_EQ(got[0], PREFIX_NONE);
}
