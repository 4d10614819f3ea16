/* base/out_test.c - text on its way out
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/out.h"

TEST(nothing_can_be_written_first)
{
    struct out o;

    out_init_memory(&o, 0);
    out_text(&o, SLICE(""));
    out_text(&o, (slice){ NULL, 0 });
    CHECK_EQ(out_taken(&o).len, 0);
    out_text(&o, SLICE("486"));
    CHECK_EQ(out_taken(&o), "486");
    out_done(&o);
}

TEST(numbers_are_written_to_their_last_digit)
{
    struct out o;

    out_init_memory(&o, 0);
    out_u64(&o, 0);
    out_char(&o, ' ');
    out_u64(&o, UINT64_MAX);
    out_char(&o, ' ');
    out_i64(&o, INT64_MIN);
    out_char(&o, ' ');
    out_i64(&o, -7);
    CHECK_EQ(out_taken(&o), "0 18446744073709551615 -9223372036854775808 -7");
    out_clear(&o);
    out_padded(&o, 7, 2);
    out_padded(&o, 123, 2);
    out_padded(&o, 0, 3);
    CHECK_EQ(out_taken(&o), "07123000");
    out_done(&o);
}

TEST(thousandths_have_no_zeros_at_the_end)
{
    static const struct { int64_t in; const char *out; } rows[] = {
        { 0, "0" },           { 1, "0.001" },    { 10, "0.01" },  { 812100, "812.1" },
        { 1000, "1" },        { -1, "-0.001" },  { -1500, "-1.5" },
        { INT64_MAX, "9223372036854775.807" },   { INT64_MIN, "-9223372036854775.808" },
    };
    struct out o;

    out_init_memory(&o, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        out_clear(&o);
        out_milli(&o, rows[i].in);
        CHECK_ROW_EQ(i, out_taken(&o), rows[i].out);
    }
    out_done(&o);
}

TEST(a_limit_of_memory_is_an_error_that_stays)
{
    struct out o;

    out_init_memory(&o, 100);
    out_repeat(&o, SLICE("0123456789"), 10);
    CHECK_EQ(out_flush(&o), 0);
    CHECK_EQ(out_taken(&o).len, 100);
    out_char(&o, 'x');
    CHECK(out_flush(&o) < 0);
    out_text(&o, SLICE("more"));
    CHECK(out_taken(&o).len <= 100);
    out_done(&o);
}

TORTURE(a_buffer_that_cannot_grow_says_so)
{
    struct out o;

    out_init_memory(&o, 0);
    out_repeat(&o, SLICE("0123456789"), 10000);
    CHECK_EQ(out_flush(&o), test_memory_failed() ? -ENOMEM : 0);
    if (!test_memory_failed())
        CHECK_EQ(out_taken(&o).len, 100000);
    out_done(&o);
}

TEST(a_full_disk_is_an_error_and_not_a_loop)
{
    int fd = open("/dev/full", O_WRONLY);
    struct out o;

    if (fd < 0)
        SKIP("there is no /dev/full");
    out_init_fd(&o, fd);
    out_repeat(&o, SLICE("0123456789"), 20000);
    CHECK_EQ(out_flush(&o), -ENOSPC);
    out_done(&o);
    (void)close(fd);
}

TEST(more_than_the_buffer_holds_arrives_whole_and_in_order)
{
    int ends[2];
    struct out o;
    char got[64] = "";

    CHECK_EQ(pipe(ends), 0);
    out_init_fd(&o, ends[1]);
    out_text(&o, SLICE("first "));
    CHECK_EQ(out_flush(&o), 0);
    out_text(&o, SLICE("second"));
    CHECK_EQ(out_flush(&o), 0);
    CHECK_EQ(out_flush(&o), 0);                      /* nothing left: nothing again */
    (void)close(ends[1]);
    CHECK_EQ(read(ends[0], got, sizeof(got)), 12);
    CHECK_STR_EQ(got, "first second");
    (void)close(ends[0]);
    out_done(&o);
}
