/* report/page.c - see page.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/page.h"

#include "base/utf8.h"

#define GAP 2
#define ROOM_MIN 20                  /* columns of text beside a label; with less it goes below */

size_t page_width(const struct page *p)
{
    size_t columns = p->style.width ? p->style.width : PAGE_UNLIMITED;

    return columns < PAGE_COLUMNS_MIN ? PAGE_COLUMNS_MIN : columns;
}

size_t page_text_width(const struct page *p)
{
    size_t columns = page_width(p);

    return columns > PAGE_TEXT_MAX ? PAGE_TEXT_MAX : columns;
}

static void styled(const struct page *p, enum style_tone tone, slice text)
{
    if (!text.len)
        return;
    style_begin(p->out, &p->style, tone);
    out_text(p->out, text);
    style_end(p->out, &p->style, tone);
}

static void blanks(const struct page *p, size_t count) { out_repeat(p->out, SLICE(" "), count); }

/* The lines of `text`, each after `indent` blanks; the first stands where the cursor is. */
static void hang(const struct page *p, size_t indent, struct page_cell cell)
{
    size_t room = page_text_width(p) > indent ? page_text_width(p) - indent : 1;
    bool first = true;
    slice line;

    while (utf8_take_line(&cell.text, room, &line)) {
        if (!first)
            blanks(p, line.len ? indent : 0);
        styled(p, cell.tone, line);
        out_char(p->out, '\n');
        first = false;
    }
    if (first)
        out_char(p->out, '\n');
}

void page_text(const struct page *p, size_t indent, enum style_tone tone, slice text)
{
    blanks(p, indent);
    hang(p, indent, (struct page_cell){ text, tone });
}

void page_heading(const struct page *p, slice text)
{
    page_blank(p);
    page_text(p, 0, TONE_STRONG, text);
}

static bool is_narrow(const struct page *p, size_t indent, size_t width)
{
    return indent + width + ROOM_MIN > page_text_width(p);
}

void page_below(const struct page *p, size_t indent, size_t width, struct page_cell text)
{
    page_text(p, indent + (is_narrow(p, indent, width) ? GAP : width), text.tone, text.text);
}

void page_labelled(const struct page *p, size_t indent, size_t width, struct page_cell label,
                   struct page_cell text)
{
    size_t used = utf8_columns(label.text);

    if (used >= width || is_narrow(p, indent, width)) {
        page_text(p, indent, label.tone, label.text);
        page_text(p, indent + GAP, text.tone, text.text);
        return;
    }
    blanks(p, indent);
    styled(p, label.tone, label.text);
    blanks(p, width - used);
    hang(p, indent + width, text);
}

/* The blanks of empty places wait in `owed`, so that no line ends in them. */
static bool row_line(const struct page *p, slice rest[], const enum style_tone tone[],
                     const size_t widths[], size_t count)
{
    size_t owed = 0;
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        slice line = {0};

        if (utf8_take_line(&rest[i], widths[i], &line)) {
            blanks(p, owed);
            styled(p, tone[i], line);
            owed = 0;
            any = true;
        }

        size_t used = utf8_columns(line);

        owed += (used < widths[i] ? widths[i] - used : 0) + GAP;
    }
    if (any)
        out_char(p->out, '\n');
    return any;
}

void page_row(const struct page *p, const struct page_cell cells[], const size_t widths[],
              size_t count)
{
    slice rest[PAGE_CELLS_MAX];
    enum style_tone tone[PAGE_CELLS_MAX];

    if (count > PAGE_CELLS_MAX)
        count = PAGE_CELLS_MAX;
    for (size_t i = 0; i < count; i++) {
        rest[i] = cells[i].text;
        tone[i] = cells[i].tone;
    }
    while (row_line(p, rest, tone, widths, count))
        ;
}

void page_blank(const struct page *p) { out_char(p->out, '\n'); }

void page_rule(const struct page *p, size_t columns)
{
    if (columns > page_width(p))
        columns = page_width(p);
    out_repeat(p->out, p->style.ascii ? SLICE("-") : SLICE("\u2500"), columns);
    out_char(p->out, '\n');
}
