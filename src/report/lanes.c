/* report/lanes.c - see lanes.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/lanes.h"

#include "base/utf8.h"

static const struct lanes_marks fine = { "│", "─", "▶", "◀", "↺", "◆", "◇", "═" };
static const struct lanes_marks plain = { "|", "-", ">", "<", "@", "*", "#", "=" };

const struct lanes_marks *lanes_marks(const struct style *style) { return style->ascii ? &plain : &fine; }

void lanes_bar(struct out *o, const struct style *style)
{
    style_begin(o, style, TONE_DIM);
    out_text(o, slice_of_string(lanes_marks(style)->bar));
    style_end(o, style, TONE_DIM);
}

void lanes_bars(struct out *o, const struct style *style, size_t count, size_t spacing)
{
    for (size_t i = 0; i < count; i++) {
        lanes_bar(o, style);
        out_repeat(o, SLICE(" "), spacing - 1);
    }
}

static void draw_arrow(struct out *o, const struct style *style, enum style_tone tone, slice label,
                       size_t columns, bool to_right, slice dash)
{
    const struct lanes_marks *marks = lanes_marks(style);
    size_t inner = columns - 3;                           /* a bar, a head and a dash at the least */
    char clean[300];
    slice shown = slice_of(clean, utf8_clean(&label, clean, sizeof clean));
    bool cut = utf8_columns(shown) > inner;

    if (cut)
        shown = utf8_head(shown, inner - 1);
    size_t used = utf8_columns(shown) + cut, pad = inner - used;

    lanes_bar(o, style);
    style_begin(o, style, tone);
    out_text(o, to_right ? dash : slice_of_string(marks->left));
    out_repeat(o, dash, pad / 2);
    out_text(o, shown);
    out_text(o, cut ? SLICE("…") : SLICE(""));
    out_repeat(o, dash, pad - pad / 2);
    out_text(o, to_right ? slice_of_string(marks->right) : dash);
    style_end(o, style, tone);
}

void lanes_arrow(struct out *o, const struct style *style, enum style_tone tone, slice label,
                 size_t columns, bool to_right)
{
    draw_arrow(o, style, tone, label, columns, to_right, slice_of_string(lanes_marks(style)->dash));
}

void lanes_stream(struct out *o, const struct style *style, enum style_tone tone, slice label,
                  size_t columns, bool to_right)
{
    draw_arrow(o, style, tone, label, columns, to_right, slice_of_string(lanes_marks(style)->thick));
}
