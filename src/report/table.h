/* report/table.h - rows in columns that fit the terminal, printed as they come.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Widths are fixed before the first row, from what each column wants and what it can give
 * up: first the columns that matter least go, then the widest shrink, so that no line is
 * wider than the terminal. A cell that does not fit ends in "…". Text is cleaned: nothing
 * from the network reaches the terminal as a control sequence.
 *
 *     table_begin(&t, columns, ARRAY_LEN(columns), width);
 *     table_heading(&t, out);
 *     table_cell(&t, 0, text); ... table_row(&t, out);                                     */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "base/out.h"
#include "report/style.h"

#define TABLE_COLUMNS_MAX 16
#define TABLE_CELL_MAX    256        /* bytes of a cell that are kept */

struct table_column {
    slice    heading;
    uint8_t  wants, least;           /* columns of the terminal */
    uint8_t  matters;                /* 9: never left out; the lower, the sooner */
    bool     right;                  /* aligned to the right */
    bool     grows;                  /* takes what is left over */
};

struct table {
    const struct table_column *columns;
    size_t         count;
    const struct style *style;
    uint16_t       widths[TABLE_COLUMNS_MAX];      /* 0: left out */
    char           cells[TABLE_COLUMNS_MAX][TABLE_CELL_MAX];
    uint16_t       lengths[TABLE_COLUMNS_MAX];
    enum style_tone tones[TABLE_COLUMNS_MAX];
};

void table_begin(struct table *t, const struct table_column *columns, size_t count,
                 const struct style *style);
void table_heading(struct table *t, struct out *o);
void table_cell(struct table *t, size_t column, slice text, enum style_tone tone);
void table_row(struct table *t, struct out *o);           /* and forgets the cells */

/* Text cleaned and cut to `width` columns with "…". Returns the columns written. */
size_t table_cut(struct out *o, slice text, size_t width);
/* Text cleaned, cut to `width` columns with "…" and padded. */
void table_fit(struct out *o, slice text, size_t width, bool right);

#endif
