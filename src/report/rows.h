/* report/rows.h - a record as a line of JSON or of CSV, by its table of fields.
 * SPDX-License-Identifier: Apache-2.0
 *
 * JSON: CONTRACT.md's objects; what is unknown is left out. CSV: RFC 4180 with a line of
 * headings; text that a spreadsheet would take for a formula gets an apostrophe in front. */
#ifndef REPORT_ROWS_H
#define REPORT_ROWS_H

#include "base/json.h"
#include "call/fields.h"

/* The object without its end, for members that no table has; rows_json_end closes it. */
void rows_json_begin(struct json *j, const struct field_table *table, const void *record);
void rows_json_end(struct json *j);
void rows_json(struct json *j, const struct field_table *table, const void *record);
void rows_csv_head(struct out *o, const struct field_table *table);
void rows_csv(struct out *o, const struct field_table *table, const void *record);

#endif
