/* report/page.h - paragraphs, hanging labels and columns for a terminal of any width.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Writes lines that are never wider than the style says (unless a single character is),
 * measured as a terminal shows them; a style without a limit gets PAGE_UNLIMITED. Text is trusted: what comes from the network goes through utf8_clean
 * first. Owns nothing.
 *
 *     struct page page = { .out = &out, .style = { .width = 80, .colour = true } };
 *     page_heading(&page, SLICE("What it means"));
 *     page_text(&page, 2, TONE_PLAIN, text);                                            */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "base/out.h"
#include "report/style.h"

#define PAGE_COLUMNS_MIN 20          /* a narrower terminal is treated as this */
#define PAGE_TEXT_MAX    100         /* paragraphs stay readable on a wide one */
#define PAGE_UNLIMITED   120         /* when nobody limits the width */
#define PAGE_CELLS_MAX   16

struct page {
    struct out  *out;
    struct style style;
};

struct page_cell {
    slice           text;
    enum style_tone tone;
};

void page_text(const struct page *p, size_t indent, enum style_tone tone, slice text);

/* A blank line, then the heading. */
void page_heading(const struct page *p, slice text);

/* `label` at `indent`, the text beside it from column indent + width on. When the label or
 * the terminal leaves too little room, the text goes below the label. */
void page_labelled(const struct page *p, size_t indent, size_t width, struct page_cell label,
                   struct page_cell text);

/* Only the text, where page_labelled would have put it. */
void page_below(const struct page *p, size_t indent, size_t width, struct page_cell text);

/* One row of a table: cells side by side in columns of these widths, two blanks apart, each
 * wrapped in its own. The widths and gaps together should fit into the page. */
void page_row(const struct page *p, const struct page_cell cells[], const size_t widths[],
              size_t count);

void page_blank(const struct page *p);

/* A rule across `columns` of the page. */
void page_rule(const struct page *p, size_t columns);

size_t page_width(const struct page *p);                   /* of the terminal, or what stands for it */
size_t page_text_width(const struct page *p);              /* at most PAGE_TEXT_MAX */

#endif
