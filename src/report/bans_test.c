/* report/bans_test.c - the list of bans is one line a source
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/bans.h"

#include "harness/test.h"

#define S INT64_C(1000000000)
#define NOW_NS (INT64_C(1795222923) * S)

static struct address address(const char *text)
{
    struct address a = { 0 };

    CHECK(address_parse_ip(slice_of_string(text), &a));
    return a;
}

TEST(bans_are_lines_with_the_source_heard_last_first)
{
    struct guard *g = guard_new(&(struct guard_settings){ .ban_first_ns = 60 * S });
    struct address first = address("198.51.100.7"), second = address("2001:db8:1:2:3::4");
    struct guard_ban bans[4];
    struct out o;

    out_init_memory(&o, 4096);
    CHECK_EQ(guard_request(g, &first, SLICE("friendly-scanner"), NOW_NS), GUARD_DROP);
    CHECK(guard_ban(g, &second, 120 * S, NOW_NS));
    bans_write(&o, bans, guard_bans(g, bans, ARRAY_LEN(bans), NOW_NS));
    out_char(&o, '\0');
    CHECK_STR_EQ(out_taken(&o).ptr, "2001:db8:1:2::/64\t2026-11-21T01:04:03.000000Z\t1\tby-operator\n"
                                    "198.51.100.7\t2026-11-21T01:03:03.000000Z\t1\tscanner\n");
    CHECK_EQ(guard_bans(g, bans, ARRAY_LEN(bans), NOW_NS + 121 * S), 0);
    out_done(&o);
    guard_free(g);
}

TEST(without_bans_the_list_is_empty)
{
    struct out o;

    out_init_memory(&o, 64);
    bans_write(&o, NULL, 0);
    CHECK_EQ(out_taken(&o).len, 0);
    out_done(&o);
}
