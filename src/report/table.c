/* report/table.c - see table.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/table.h"

#include <assert.h>

#include "base/utf8.h"

#define GAP 2u

/* A heading is never cut, so a column is at least as wide as its heading. */
static size_t table_least(const struct table_column *c)
{
    size_t heading = utf8_columns(c->heading);

    return heading > c->least ? heading : c->least;
}

static size_t table_total(const struct table *t)
{
    size_t total = 0;

    for (size_t i = 0; i < t->count; i++)
        total += t->widths[i] ? t->widths[i] + GAP : 0;
    return total ? total - GAP : 0;
}

static void table_drop_least(struct table *t)
{
    size_t least = t->count;

    for (size_t i = 0; i < t->count; i++)
        if (t->widths[i] && t->columns[i].matters < 9 &&
            (least == t->count || t->columns[i].matters <= t->columns[least].matters))
            least = i;
    if (least < t->count)
        t->widths[least] = 0;
}

static bool table_can_drop(const struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->widths[i] && t->columns[i].matters < 9)
            return true;
    return false;
}

static size_t table_least_total(const struct table *t)
{
    size_t total = 0;

    for (size_t i = 0; i < t->count; i++)
        total += t->widths[i] ? table_least(&t->columns[i]) + GAP : 0;
    return total ? total - GAP : 0;
}

/* One column narrower, where there is most to give. */
static bool table_squeeze(struct table *t)
{
    size_t widest = t->count, most = 0;

    for (size_t i = 0; i < t->count; i++) {
        size_t least = table_least(&t->columns[i]), spare = t->widths[i] > least ? t->widths[i] - least : 0;

        if (spare > most) {
            most = spare;
            widest = i;
        }
    }
    if (widest < t->count)
        t->widths[widest]--;
    return widest < t->count;
}

/* Narrower than a column can be read: only when the terminal leaves no choice. */
static bool table_pinch(struct table *t)
{
    size_t widest = 0;

    for (size_t i = 0; i < t->count; i++)
        if (t->widths[i] > t->widths[widest])
            widest = i;
    if (t->widths[widest] < 2)
        return false;
    t->widths[widest]--;
    return true;
}

static void table_spread(struct table *t, size_t room)
{
    size_t growing = 0;

    for (size_t i = 0; i < t->count; i++)
        growing += t->widths[i] && t->columns[i].grows;
    for (size_t i = 0; growing && i < t->count; i++)
        if (t->widths[i] && t->columns[i].grows) {
            size_t more = room / growing;

            t->widths[i] = (uint16_t)(t->widths[i] + (more > 24 ? 24 : more));
        }
}

void table_begin(struct table *t, const struct table_column *columns, size_t count,
                 const struct style *style)
{
    assert(count <= TABLE_COLUMNS_MAX);
    *t = (struct table){ .columns = columns, .count = count, .style = style };
    for (size_t i = 0; i < count; i++) {
        size_t heading = utf8_columns(columns[i].heading);

        t->widths[i] = (uint16_t)(heading > columns[i].wants ? heading : columns[i].wants);
    }
    if (style->width == 0)
        return;
    while (table_least_total(t) > style->width && table_can_drop(t))
        table_drop_least(t);
    while (table_total(t) > style->width && table_squeeze(t))
        ;
    while (table_total(t) > style->width && table_pinch(t))
        ;
    if (table_total(t) < style->width)
        table_spread(t, style->width - table_total(t));
}

/* What of it is shown in `width` columns; *ret_cut: and a "…". */
static slice table_shown(slice text, size_t width, char *clean, size_t size, bool *ret_cut)
{
    slice shown = slice_of(clean, utf8_clean(&text, clean, size));

    *ret_cut = width > 0 && (text.len > 0 || utf8_columns(shown) > width);
    return *ret_cut ? utf8_head(shown, width - 1) : shown;
}

/* Most cells are short printable ASCII, which is shown as it is: a column a byte. */
static bool is_simple(slice text, size_t width)
{
    size_t i = 0;

    while (i < text.len && (unsigned char)(text.ptr[i] - 0x20) < 0x5f)
        i++;
    return i == text.len && i <= width;
}

size_t table_cut(struct out *o, slice text, size_t width)
{
    char clean[TABLE_CELL_MAX * 2];
    bool cut;

    if (is_simple(text, width)) {
        out_text(o, text);
        return text.len;
    }
    slice shown = table_shown(text, width, clean, sizeof clean, &cut);

    out_text(o, shown);
    out_text(o, cut ? SLICE("…") : SLICE(""));
    return utf8_columns(shown) + cut;
}

static void table_blanks(struct out *o, size_t count)
{
    static const char blanks[40] = "                                        ";

    for (; count > 0; count -= count < sizeof blanks ? count : sizeof blanks)
        out_text(o, slice_of(blanks, count < sizeof blanks ? count : sizeof blanks));
}

void table_fit(struct out *o, slice text, size_t width, bool right)
{
    char clean[TABLE_CELL_MAX * 2];
    bool cut = false;
    slice shown = is_simple(text, width) ? text
                                         : table_shown(text, width, clean, sizeof clean, &cut);
    size_t columns = (cut || shown.ptr != text.ptr ? utf8_columns(shown) : shown.len) + cut;
    size_t pad = columns < width ? width - columns : 0;

    table_blanks(o, right ? pad : 0);
    out_text(o, shown);
    out_text(o, cut ? SLICE("…") : SLICE(""));
    table_blanks(o, right ? 0 : pad);
}

void table_cell(struct table *t, size_t column, slice text, enum style_tone tone)
{
    slice kept = slice_head(text, TABLE_CELL_MAX);

    memcpy(t->cells[column], kept.ptr ? kept.ptr : "", kept.len);
    t->lengths[column] = (uint16_t)kept.len;
    t->tones[column] = tone;
}

static void table_print(struct table *t, struct out *o, bool heading)
{
    bool first = true;
    size_t last = t->count;

    while (last > 0 && (t->widths[last - 1] == 0 || (!heading && t->lengths[last - 1] == 0)))
        last--;
    for (size_t i = 0; i < last; i++) {
        slice text = heading ? t->columns[i].heading : slice_of(t->cells[i], t->lengths[i]);
        enum style_tone tone = heading ? TONE_STRONG : t->tones[i];

        if (t->widths[i] == 0)
            continue;
        if (!first)
            table_blanks(o, GAP);
        first = false;
        style_begin(o, t->style, tone);
        if (i + 1 < last || t->columns[i].right)
            table_fit(o, text, t->widths[i], t->columns[i].right);
        else
            table_cut(o, text, t->widths[i]);             /* no blanks at the end of a line */
        style_end(o, t->style, tone);
    }
    out_char(o, '\n');
}

void table_heading(struct table *t, struct out *o) { table_print(t, o, true); }

void table_row(struct table *t, struct out *o)
{
    table_print(t, o, false);
    memset(t->lengths, 0, sizeof t->lengths);
    memset(t->tones, 0, sizeof t->tones);
}
