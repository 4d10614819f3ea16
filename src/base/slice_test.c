/* base/slice_test.c - cutting and comparing text, at its edges
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/slice.h"

TEST(a_number_is_taken_only_when_it_fits)
{
    static const struct { slice in; bool ok; uint32_t number; slice rest; } rows[] = {
        { SLICE("0"),            true,  0,          SLICE("") },
        { SLICE("0009x"),        true,  9,          SLICE("x") },
        { SLICE("4294967295 "),  true,  4294967295, SLICE(" ") },
        { SLICE("4294967296"),   false, 77,         SLICE("4294967296") },     /* one too many */
        { SLICE("18446744073709551617"), false, 77, SLICE("18446744073709551617") },  /* wraps to 1 */
        { SLICE("99999999999999999999999"), false, 77, SLICE("99999999999999999999999") },
        { SLICE("-1"),           false, 77,         SLICE("-1") },
        { SLICE(" 1"),           false, 77,         SLICE(" 1") },
        { SLICE(""),             false, 77,         SLICE("") },
        { { NULL, 0 },           false, 77,         SLICE("") },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in;
        uint32_t number = 77;

        CHECK_ROW_EQ(i, slice_take_u32(&rest, &number), rows[i].ok);
        CHECK_ROW_EQ(i, number, rows[i].number);
        CHECK_ROW_EQ(i, rest, rows[i].rest);
    }
}

TEST(a_number_of_64_bits_is_taken_up_to_the_last)
{
    slice most = SLICE("18446744073709551615"), more = SLICE("18446744073709551616");
    uint64_t number = 77;

    CHECK(slice_take_u64(&most, &number));
    CHECK_EQ(number, UINT64_MAX);
    CHECK(!slice_take_u64(&more, &number));
    CHECK_EQ(number, UINT64_MAX);
    CHECK_EQ(more.len, 20);
}

TEST(a_whole_number_has_nothing_behind_it)
{
    uint32_t number = 77;

    CHECK(slice_to_u32(SLICE("486"), &number));
    CHECK_EQ(number, 486);
    CHECK(!slice_to_u32(SLICE("486 "), &number));
    CHECK(!slice_to_u32(SLICE("486x"), &number));
    CHECK(!slice_to_u32(SLICE(""), &number));
    CHECK_EQ(number, 486);
}

TEST(text_is_equal_only_to_its_last_byte)
{
    CHECK(slice_eq(SLICE("a84b\0c"), SLICE("a84b\0c")));
    CHECK(!slice_eq(SLICE("a84b\0c"), SLICE("a84b\0d")));
    CHECK(!slice_eq(SLICE("a84b"), SLICE("a84b\0")));
    CHECK(slice_eq((slice){ NULL, 0 }, SLICE("")));
    CHECK(slice_eq_nocase(SLICE("CSeq"), SLICE("cSEQ")));
    CHECK(!slice_eq_nocase(SLICE("CSeq"), SLICE("CSeqs")));
    CHECK(!slice_eq_nocase(SLICE("@"), SLICE("`")));          /* only letters have a case */
    CHECK(!slice_eq_nocase(SLICE("["), SLICE("{")));
    CHECK(!slice_eq_nocase(SLICE("\xc4"), SLICE("\xe4")));    /* and only ASCII letters */
}

TEST(text_is_ordered_by_bytes_and_the_shorter_first)
{
    CHECK(slice_compare(SLICE("a"), SLICE("b")) < 0);
    CHECK(slice_compare(SLICE("ab"), SLICE("a")) > 0);
    CHECK(slice_compare(SLICE("a"), SLICE("ab")) < 0);
    CHECK(slice_compare(SLICE("\xff"), SLICE("a")) > 0);
    CHECK_EQ(slice_compare(SLICE("ab"), SLICE("ab")), 0);
    CHECK_EQ(slice_compare((slice){ NULL, 0 }, SLICE("")), 0);
}

TEST(beginnings_and_ends_are_not_longer_than_the_text)
{
    CHECK(slice_starts(SLICE("sip:bob"), SLICE("sip:")));
    CHECK(slice_starts(SLICE("sip:"), SLICE("sip:")));
    CHECK(slice_starts(SLICE("x"), SLICE("")));
    CHECK(!slice_starts(SLICE("sip"), SLICE("sip:")));
    CHECK(!slice_starts(SLICE("SIP:bob"), SLICE("sip:")));
    CHECK(slice_starts_nocase(SLICE("SIP:bob"), SLICE("sip:")));
    CHECK(!slice_starts_nocase(SLICE("SI"), SLICE("sip")));
    CHECK(slice_ends(SLICE("capture.gz"), SLICE(".gz")));
    CHECK(!slice_ends(SLICE("gz"), SLICE(".gz")));
}

TEST(a_needle_is_found_where_it_stands_first)
{
    static const struct { slice in, needle; ptrdiff_t at, at_nocase; } rows[] = {
        { SLICE("a;tag=1;TAG=2"), SLICE(";tag"), 1, 1 },
        { SLICE("a;TAG=2;tag=1"), SLICE(";tag"), 7, 1 },
        { SLICE("aaab"),          SLICE("aab"),  1, 1 },     /* a false start before it */
        { SLICE("ab"),            SLICE("abc"), -1, -1 },
        { SLICE("xab"),           SLICE("abc"), -1, -1 },    /* only its beginning, at the end */
        { SLICE(""),              SLICE("a"),   -1, -1 },
        { SLICE("a\0b"),          SLICE("b"),    2, 2 },
        { SLICE("TtAg Tag"),      SLICE("tag"), -1, 1 },     /* large and small by turns */
        { SLICE("tTa Ttag"),      SLICE("TAG"), -1, 5 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, slice_find(rows[i].in, rows[i].needle), rows[i].at);
        CHECK_ROW_EQ(i, slice_find_nocase(rows[i].in, rows[i].needle), rows[i].at_nocase);
    }
    CHECK_EQ(slice_find_char(SLICE("a:b:c"), ':'), 1);
    CHECK_EQ(slice_find_char(SLICE("abc"), ':'), -1);
    CHECK_EQ(slice_find_char((slice){ NULL, 0 }, ':'), -1);
}

TEST(skipping_more_than_there_is_leaves_nothing)
{
    CHECK_EQ(slice_skip(SLICE("abc"), 2), "c");
    CHECK_EQ(slice_skip(SLICE("abc"), 3), "");
    CHECK_EQ(slice_skip(SLICE("abc"), SIZE_MAX), "");
    CHECK_EQ(slice_skip((slice){ NULL, 0 }, 1), "");
    CHECK_EQ(slice_head(SLICE("abc"), 2), "ab");
    CHECK_EQ(slice_head(SLICE("abc"), 4), "abc");
}

TEST(a_cursor_moves_only_past_what_was_taken)
{
    slice rest = SLICE(" \t\r\n name : value");

    CHECK(slice_take_blanks(&rest));
    CHECK(!slice_take_blanks(&rest));
    CHECK_EQ(slice_trim(slice_take_until(&rest, ':')), "name");
    CHECK(!slice_take_char(&rest, ';'));
    CHECK(slice_take_char(&rest, ':'));
    CHECK_EQ(slice_take_until(&rest, ';'), " value");       /* no ';': all of it */
    CHECK_EQ(rest.len, 0);
    CHECK(!slice_take_char(&rest, ';'));
    CHECK_EQ(slice_take_until(&rest, ';'), "");
}

TEST(what_belongs_is_taken_up_to_the_first_that_does_not)
{
    slice rest = SLICE("123abc");

    CHECK_EQ(slice_take_while(&rest, is_digit), "123");
    CHECK_EQ(slice_take_while(&rest, is_digit), "");
    CHECK_EQ(rest, "abc");
    CHECK(slice_all(SLICE("123"), is_digit));
    CHECK(!slice_all(SLICE("12a"), is_digit));
    CHECK(!slice_all(SLICE(""), is_digit));                 /* nothing is not a number */
}

TEST(trimming_takes_folds_away_and_nothing_inside)
{
    CHECK_EQ(slice_trim(SLICE("\r\n\t a b \r\n ")), "a b");
    CHECK_EQ(slice_trim(SLICE(" \t\r\n")), "");
    CHECK_EQ(slice_trim(SLICE("\v a")), "\v a");            /* not a blank of SIP */
}

TEST(lines_end_with_lf_or_crlf_or_the_text)
{
    slice rest = SLICE("a\r\n\nb\rc\nd"), line;
    static const char *const want[] = { "a", "", "b\rc", "d" };

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CHECK_ROW(i, slice_take_line(&rest, &line));
        CHECK_ROW_EQ(i, line, want[i]);
    }
    CHECK(!slice_take_line(&rest, &line));
    CHECK_EQ(line, "d");                                    /* left as it was */
}

TEST(the_distance_of_two_names_counts_letters_whatever_their_case)
{
    static const struct { slice a, b; unsigned want; } rows[] = {
        { SLICE_INIT(""), SLICE_INIT(""), 0 },
        { SLICE_INIT("abc"), SLICE_INIT(""), 3 },
        { SLICE_INIT("Port"), SLICE_INIT("port"), 0 },
        { SLICE_INIT("expires"), SLICE_INIT("expire"), 1 },
        { SLICE_INIT("ring"), SLICE_INIT("rang"), 1 },
        { SLICE_INIT("kitten"), SLICE_INIT("sitting"), 3 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, slice_distance(rows[i].a, rows[i].b), rows[i].want);
        CHECK_ROW_EQ(i, slice_distance(rows[i].b, rows[i].a), rows[i].want);
    }
}
