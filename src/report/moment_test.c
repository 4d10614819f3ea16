/* report/moment_test.c - times and durations in text
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/moment.h"

#include "harness/test.h"

#define SECOND 1000000000LL

TEST(rfc3339_is_right_on_every_odd_day)
{
    static const struct { int64_t ns; const char *text; } rows[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },
        { 1, "1970-01-01T00:00:00.000000Z" },
        { 999, "1970-01-01T00:00:00.000000Z" },
        { 1000, "1970-01-01T00:00:00.000001Z" },
        { -1, "1969-12-31T23:59:59.999999Z" },
        { 951782400 * SECOND, "2000-02-29T00:00:00.000000Z" },
        { 951868799 * SECOND + 999999999, "2000-02-29T23:59:59.999999Z" },
        { 951868800 * SECOND, "2000-03-01T00:00:00.000000Z" },
        { 1709164800 * SECOND, "2024-02-29T00:00:00.000000Z" },
        { 1704067199 * SECOND, "2023-12-31T23:59:59.000000Z" },
        { 1704067200 * SECOND, "2024-01-01T00:00:00.000000Z" },
        { 4107542400 * SECOND, "2100-03-01T00:00:00.000000Z" },        /* no leap year */
        { 4107542399 * SECOND, "2100-02-28T23:59:59.000000Z" },
        { 1795222923 * SECOND + 123456789, "2026-11-21T01:02:03.123456Z" },
        { INT64_MAX, "2262-04-11T23:47:16.854775Z" },
        { INT64_MIN, "1677-09-21T00:12:43.145224Z" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char room[MOMENT_TEXT_MAX];

        CHECK_ROW_EQ(i, moment_rfc3339(rows[i].ns, room), rows[i].text);
    }
}

TEST(each_day_of_two_centuries_follows_the_one_before)
{
    char room[MOMENT_TEXT_MAX];
    int year = 1970, month = 1, day = 1;

    for (int64_t n = 0; n < 73000; n++) {
        static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        char wanted[48];

        snprintf(wanted, sizeof wanted, "%04d-%02d-%02d", year, month, day);
        CHECK_ROW_EQ(n, slice_head(moment_rfc3339(n * 86400 * SECOND, room), 10), wanted);
        if (++day > lengths[month - 1] + (leap && month == 2)) {
            day = 1;
            if (++month > 12)
                month = 1, year++;
        }
    }
}

TEST(zones_are_names_offsets_or_utc)
{
    static const struct { const char *zone; bool ok; const char *date_time, *offset; } rows[] = {
        { "UTC", true, "2026-11-21 01:02:03", "UTC" },
        { "utc", true, "2026-11-21 01:02:03", "UTC" },
        { "Z", true, "2026-11-21 01:02:03", "UTC" },
        { "+02:00", true, "2026-11-21 03:02:03", "+02:00" },
        { "-03:30", true, "2026-11-20 21:32:03", "-03:30" },
        { "-12:00", true, "2026-11-20 13:02:03", "-12:00" },
        { "+14:00", true, "2026-11-21 15:02:03", "+14:00" },
        { "+05:45", true, "2026-11-21 06:47:03", "+05:45" },
        { "+00:00", true, "2026-11-21 01:02:03", "UTC" },
        { "", false, NULL, NULL }, { "+2:00", false, NULL, NULL }, { "+0200", false, NULL, NULL },
        { "+25:00", false, NULL, NULL }, { "+02:60", false, NULL, NULL }, { "-99:99", false, NULL, NULL },
        { "Nowhere/Atlantis", false, NULL, NULL }, { "../../../etc/passwd", false, NULL, NULL },
        { "/etc/passwd", false, NULL, NULL }, { "+02:00x", false, NULL, NULL },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char room[MOMENT_TEXT_MAX];
        int64_t ns = 1795222923 * SECOND;

        CHECK_ROW_EQ(i, moment_zone(slice_of_string(rows[i].zone)), rows[i].ok);
        if (!rows[i].ok)
            continue;
        CHECK_ROW_EQ(i, moment_date_time(ns, room), rows[i].date_time);
        CHECK_ROW_EQ(i, moment_clock(ns, room), rows[i].date_time + 11);
        CHECK_ROW_EQ(i, slice_head(moment_clock_ms(ns + 45999999, room), 8), rows[i].date_time + 11);
        CHECK_ROW(i, memcmp(room + 8, ".045", 4) == 0);
        CHECK_ROW_EQ(i, moment_offset_name(ns, room), rows[i].offset);
        CHECK_ROW_EQ(i, slice_head(moment_rfc3339(ns, room), 19), "2026-11-21T01:02:03");  /* always UTC */
    }
    CHECK(!moment_zone(SLICE("UTC\0x")));
    CHECK(moment_zone(SLICE("UTC")));
}

TEST(a_duration_is_as_exact_as_it_is_short)
{
    static const struct { int64_t ms; const char *text; } rows[] = {
        { 0, "0.000 s" }, { 812, "0.812 s" }, { 9999, "9.999 s" }, { 10000, "10.0 s" },
        { 59999, "59.9 s" }, { 60000, "1:00" }, { 65000, "1:05" }, { 3599999, "59:59" },
        { 3600000, "1:00:00" }, { 7384000, "2:03:04" }, { 360000000, "100:00:00" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char room[MOMENT_TEXT_MAX];

        CHECK_ROW_EQ(i, moment_duration(rows[i].ms * 1000000, room), rows[i].text);
    }
}
