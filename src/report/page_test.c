/* report/page_test.c - paragraphs, labels and rows of any width.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "report/page.h"

static struct page page_of(struct out *o, unsigned width, bool colour)
{
    out_init_memory(o, 0);
    return (struct page){ .out = o, .style = { .width = width, .colour = colour } };
}

TEST(a_label_stands_beside_its_text_where_there_is_room)
{
    struct out o;
    struct page p = page_of(&o, 40, false);

    page_labelled(&p, 2, 8, (struct page_cell){ SLICE("Caller:"), TONE_DIM },
                  (struct page_cell){ SLICE("Call again later, in the morning."), TONE_PLAIN });
    CHECK_EQ(out_taken(&o), SLICE("  Caller: Call again later, in the\n"
                                  "          morning.\n"));
    out_done(&o);
}

TEST(a_label_stands_above_its_text_where_there_is_none)
{
    struct out o;
    struct page p = page_of(&o, 24, false);

    page_labelled(&p, 2, 8, (struct page_cell){ SLICE("Caller:"), TONE_DIM },
                  (struct page_cell){ SLICE("Call again later."), TONE_PLAIN });
    page_below(&p, 2, 8, (struct page_cell){ SLICE("Now."), TONE_PLAIN });
    CHECK_EQ(out_taken(&o), SLICE("  Caller:\n    Call again later.\n    Now.\n"));
    out_done(&o);
}

TEST(cells_of_a_row_wrap_each_in_its_own_column)
{
    static const struct page_cell cells[] = {
        { SLICE("Kind"), TONE_DIM }, { SLICE("one two three"), TONE_PLAIN },
        { SLICE("\u5FD9\u5FD9\u5FD9"), TONE_PLAIN },
    };
    static const size_t widths[] = { 6, 8, 4 };
    struct out o;
    struct page p = page_of(&o, 80, false);

    page_row(&p, cells, widths, ARRAY_LEN(cells));
    CHECK_EQ(out_taken(&o), SLICE("Kind    one two   \u5FD9\u5FD9\n"
                                  "        three     \u5FD9\n"));
    out_done(&o);
}

TEST(colour_dresses_each_line_and_leaves_blanks_bare)
{
    struct out o;
    struct page p = page_of(&o, 20, true);

    page_text(&p, 2, TONE_STRONG, SLICE("a long and bold line of text"));
    page_text(&p, 2, TONE_PLAIN, SLICE("plain"));
    CHECK_EQ(out_taken(&o), SLICE("  \033[1ma long and bold\033[0m\n  \033[1mline of text\033[0m\n"
                                  "  plain\n"));
    out_done(&o);
}

TEST(a_paragraph_stays_readable_on_a_wide_terminal)
{
    struct out o;
    struct page p = page_of(&o, 300, false);

    CHECK_EQ(page_width(&p), 300);
    CHECK_EQ(page_text_width(&p), PAGE_TEXT_MAX);
    p.style.width = 3;
    CHECK_EQ(page_width(&p), PAGE_COLUMNS_MIN);
    p.style.width = 0;
    CHECK_EQ(page_width(&p), PAGE_UNLIMITED);
    page_rule(&p, 3);
    CHECK_EQ(out_taken(&o), SLICE("\u2500\u2500\u2500\n"));
    out_done(&o);
}
