/* switch/rejects_test.c - which callers a list names
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/rejects.h"

#include <stdlib.h>

#include "harness/test.h"

TEST(a_list_names_callers_by_name_host_and_number)
{
    static const struct { const char *list, *user, *host; bool has; } rows[] = {
        { "", "eve", "x.example", false },
        { "eve", "eve", "x.example", true },
        { "eve", "Eve", "x.example", false },             /* names are told apart by case (RFC 3261, 19.1.4) */
        { "eve", "eveline", "x.example", false },
        { "  ,mallory ,, eve,", "eve", "x.example", true },
        { "eve@x.example", "eve", "X.Example", true },
        { "eve@y.example", "eve", "x.example", false },
        { "a%b", "a%25b", "x.example", true },
        { "a@b@x.example", "a%40b", "x.example", true },
        { "+4930123", "030123", "x.example", true },
        { "030-123", "004930123", "x.example", true },
        { "030123", "+4930123;phone-context=x", "x.example", true },
        { "+4930123@trunk.example", "030123", "x.example", false },
        { "+4930123", "+49301234", "x.example", false },
        { "eve mallory", "", "anonymous.invalid", false },
        { "@x.example", "", "x.example", false },
    };
    static const struct config_numbers numbers = { .country = SLICE_INIT("49"), .international = SLICE_INIT("00"), .national = SLICE_INIT("0") };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, rejects_have(slice_of_string(rows[i].list), &numbers, slice_of_string(rows[i].user), slice_of_string(rows[i].host)),
                     rows[i].has);
}

TEST(a_list_of_any_bytes_is_read_to_its_end)
{
    static const char bytes[] = "@,@@ +,;a%@4%zz\x80\xff-()";
    static const struct config_numbers numbers = { 0 };
    unsigned state = 1;

    for (int round = 0; round < 2000; round++) {
        size_t len = (size_t)round % 40;
        char *list = malloc(len + 1);                     /* its end is the end of the block */

        for (size_t i = 0; i < len; i++) {
            state = state * 1103515245 + 12345;
            list[i] = bytes[(state >> 16) % (sizeof bytes - 1)];
        }
        CHECK(!rejects_have(slice_of(list, len), &numbers, SLICE("nobody"), SLICE("nowhere")));
        free(list);
    }
}
