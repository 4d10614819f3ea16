/* report/lanes.h - the lines of a ladder: a bar for each lane, an arrow from one to another.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What ladders of captured calls (ladder.h) and of reference flows (flows.h) have in common. */
#ifndef REPORT_LANES_H
#define REPORT_LANES_H

#include "report/style.h"

struct lanes_marks { const char *bar, *dash, *right, *left, *self, *proof, *finding, *thick; };
/* Line-drawing characters, or their plain stand-ins. */
const struct lanes_marks *lanes_marks(const struct style *style);

void lanes_bar(struct out *o, const struct style *style);
/* `count` bars, each with the room behind it: `spacing` columns in all. */
void lanes_bars(struct out *o, const struct style *style, size_t count, size_t spacing);
/* The bar that it begins at and the arrow, `columns` wide in all; the label stands on it. */
void lanes_arrow(struct out *o, const struct style *style, enum style_tone tone, slice label,
                 size_t columns, bool to_right);
/* The same for a stream of media: a thick one. */
void lanes_stream(struct out *o, const struct style *style, enum style_tone tone, slice label,
                  size_t columns, bool to_right);

#endif
