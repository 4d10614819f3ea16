/* base/utf8_test.c - characters, columns and lines, of any bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "harness/test.h"

TEST(utf8_takes_what_rfc_3629_allows_and_replaces_the_rest)
{
    static const struct { slice in; uint32_t points[6]; } rows[] = {
        { SLICE("a\xC3\xA9"),             { 'a', 0xE9 } },
        { SLICE("\xE4\xB8\xAD"),          { 0x4E2D } },
        { SLICE("\xF0\x9F\x98\x80z"),     { 0x1F600, 'z' } },
        { SLICE("\xC0\xAF"),              { 0xFFFD, 0xFFFD } },            /* overlong '/' */
        { SLICE("\xE0\x80\x80"),          { 0xFFFD, 0xFFFD, 0xFFFD } },    /* overlong NUL */
        { SLICE("\xED\xA0\x80"),          { 0xFFFD, 0xFFFD, 0xFFFD } },    /* surrogate    */
        { SLICE("\xF4\x90\x80\x80"),      { 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD } },
        { SLICE("\xE4\xB8" "x"),          { 0xFFFD, 'x' } },               /* cut          */
        { SLICE("\xE4\xB8"),              { 0xFFFD } },
        { SLICE("\x80\xFF"),              { 0xFFFD, 0xFFFD } },
        { SLICE(""),                      {0} },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in;
        uint32_t point;
        size_t n = 0;

        for (; n < 6 && utf8_take(&rest, &point); n++)
            CHECK_ROW_EQ(i, point, rows[i].points[n]);
        CHECK_ROW(i, n == 6 || rows[i].points[n] == 0);
        CHECK_ROW_EQ(i, rest.len, 0);
    }
}

TEST(every_character_survives_being_written_and_read)
{
    for (uint32_t point = 0; point < 0x110000; point++) {
        char bytes[UTF8_MAX];
        slice rest = slice_of(bytes, utf8_put(bytes, point));
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        uint32_t got = 0;

        if (!utf8_take(&rest, &got) || rest.len || got != (surrogate ? UTF8_REPLACEMENT : point))
            FAIL("U+%04X came back as U+%04X", point, got);
    }
}

TEST(nothing_that_steers_a_terminal_gets_through)
{
    char text[128];
    slice in = SLICE("a\x1B[31mb\x07\xC2\x9B" "c\tx\r\n\xE2\x80\xAE" "d\xFF");
    slice out = slice_of(text, utf8_clean(&in, text, sizeof text));

    CHECK_EQ(out, SLICE("a\uFFFD[31mb\uFFFD\uFFFDc x  \uFFFDd\uFFFD"));
    CHECK_EQ(in.len, 0);
}

TEST(cleaning_into_a_small_buffer_goes_on_where_it_stopped)
{
    slice in = SLICE("ab\xE4\xB8\xAD\xFF" "c");
    char whole[32], part[5];
    size_t len = 0;

    while (in.len) {
        size_t n = utf8_clean(&in, part, sizeof part);

        CHECK(n > 0 && n <= sizeof part && len + n <= sizeof whole);
        memcpy(whole + len, part, n);
        len += n;
    }
    CHECK_EQ(slice_of(whole, len), SLICE("ab\u4E2D\uFFFDc"));
}

TEST(columns_are_what_a_terminal_uses)
{
    static const struct { slice in; size_t columns; } rows[] = {
        { SLICE(""), 0 },
        { SLICE("busy"), 4 },
        { SLICE("\u5FD9"), 2 },
        { SLICE("\uFF14\uFF18\uFF16"), 6 },        /* full-width digits */
        { SLICE("e\u0301"), 1 },                   /* accent as a character of its own */
        { SLICE("\u00E9t\u00E9"), 3 },
        { SLICE("\U0001F4DE"), 2 },                /* a telephone */
        { SLICE("a\u200Bb"), 2 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, utf8_columns(rows[i].in), rows[i].columns);
    CHECK_EQ(utf8_head(SLICE("a\u5FD9\u5FD9"), 4), SLICE("a\u5FD9"));
    CHECK_EQ(utf8_head(SLICE("e\u0301x"), 1), SLICE("e\u0301"));
}

TEST(lines_break_where_a_reader_would_break_them)
{
    static const struct { slice in; size_t columns; slice lines[5]; } rows[] = {
        { SLICE("one two three"), 7, { SLICE("one two"), SLICE("three") } },
        { SLICE("one  two"), 4, { SLICE("one"), SLICE("two") } },
        { SLICE(" one "), 80, { SLICE("one") } },
        { SLICE("abcdefgh ij"), 3, { SLICE("abc"), SLICE("def"), SLICE("gh"), SLICE("ij") } },
        { SLICE("one\ntwo"), 80, { SLICE("one"), SLICE("two") } },
        { SLICE("\u88AB\u53EB\u5FD9\u3002\u8BF7"), 6,                 /* no line starts with a stop */
          { SLICE("\u88AB\u53EB"), SLICE("\u5FD9\u3002\u8BF7") } },
        { SLICE("\u88AB\u53EB\uFF08\u5FD9\uFF09"), 6,                 /* nor ends with a bracket */
          { SLICE("\u88AB\u53EB"), SLICE("\uFF08\u5FD9\uFF09") } },
        { SLICE("\u88AB486\u53EB"), 4, { SLICE("\u88AB"), SLICE("486"), SLICE("\u53EB") } },
        { SLICE("code\u00A0: x"), 6, { SLICE("code\u00A0:"), SLICE("x") } },
        { SLICE("\u5FD9\u5FD9"), 1, { SLICE("\u5FD9"), SLICE("\u5FD9") } },
        { SLICE("   "), 10, {{0}} },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in, line;
        size_t n = 0;

        for (; utf8_take_line(&rest, rows[i].columns, &line); n++) {
            CHECK_ROW(i, n < 5);
            CHECK_ROW_EQ(i, line, rows[i].lines[n]);
        }
        CHECK_ROW(i, n == 5 || rows[i].lines[n].ptr == NULL);
    }
}

TEST(lines_of_any_bytes_end_and_fit)
{
    uint32_t seed = 7;

    for (int round = 0; round < 2000; round++) {
        static const char kinds[] = "a \xE4\xB8\xADz\n.(\xCC\x81\xFF\xE3\x80\x82\xEF\xBC\x88";
        char bytes[60];

        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = kinds[(seed >> 16) % (sizeof kinds - 1)];
        }

        slice rest = slice_of(bytes, sizeof bytes), line;
        size_t columns = 2 + (size_t)round % 20, lines = 0;

        while (utf8_take_line(&rest, columns, &line)) {
            CHECK(utf8_columns(line) <= columns);
            CHECK(++lines <= sizeof bytes);
        }
    }
}
