/* report/rows.c - see rows.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/rows.h"

#include "base/utf8.h"
#include "report/moment.h"

static void json_value(struct json *j, const char *key, const struct field *f, const void *record)
{
    char room[FIELD_ROOM], text[ADDRESS_TEXT_MAX], time[MOMENT_TEXT_MAX];
    struct field_value v = field_get(f, record, room);

    if (!v.known || (f->sparse && v.number == 0))
        return;
    switch ((enum field_type)f->type) {
    case FIELD_TEXT:
    case FIELD_WORD:     json_text(j, key, v.text); return;
    case FIELD_NUMBER:   json_i64(j, key, v.number); return;
    case FIELD_DURATION: json_milli(j, key, (v.number + 500) / 1000); return;
    case FIELD_TIME:     json_text(j, key, moment_rfc3339(v.number, time)); return;
    case FIELD_BOOL:     json_bool(j, key, v.number); return;
    case FIELD_ADDRESS:  json_text(j, key, slice_of(text, address_format(v.address, text))); return;
    case FIELD_MILLI:    json_milli(j, key, v.number); return;
    case FIELD_FLOW: case FIELD_CAUSE: case FIELD_DEVIATION: case FIELD_COUNTS: case FIELD_NUMBERS: case FIELD_ROWS: return;
    }
}

static void json_rows(struct json *j, const struct field *f, const void *record)
{
    int64_t row[FIELD_ROW_MAX];
    size_t count;

    json_open_in(j, f->name, '[');
    for (size_t i = 0; (count = f->row_at(record, i, row)); i++) {
        if (f->type == FIELD_ROWS)
            json_open_in(j, NULL, '[');
        for (size_t k = 0; k < count; k++)
            if (f->type == FIELD_ROWS)
                json_milli(j, NULL, row[k]);
            else
                json_i64(j, NULL, row[k]);
        if (f->type == FIELD_ROWS)
            json_close(j, ']');
    }
    json_close(j, ']');
}

static void json_counts(struct json *j, const struct field *f, const void *record)
{
    char room[FIELD_ROOM];
    slice name;
    uint64_t count;

    json_open_in(j, f->name, '{');
    for (size_t i = 0; f->count_at(record, i, &name, &count, room); i++) {
        json_key(j, name);
        json_u64(j, NULL, count);
    }
    json_close(j, '}');
}

/* "from." of "from.uri"; empty when there is no dot. */
static slice level_of(const struct field *f)
{
    slice name = slice_of_string(f->name);

    return slice_head(name, (size_t)(slice_find_char(name, '.') + 1));
}

void rows_json_begin(struct json *j, const struct field_table *table, const void *record)
{
    slice open = {0};

    json_open(j, '{');
    json_text(j, "type", slice_of_string(table->record));
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];
        slice level = level_of(f);
        char name[32];

        if (f->type == FIELD_FLOW || f->type == FIELD_CAUSE || f->type == FIELD_DEVIATION)
            continue;                                     /* flows_json_of and verdicts_json tell these */
        if (open.len && !slice_eq(open, level))
            json_close(j, '}');
        if (level.len && !slice_eq(open, level)) {
            memcpy(name, level.ptr, level.len - 1);       /* names are ours and short */
            name[level.len - 1] = '\0';
            json_open_in(j, name, '{');
        }
        open = level;
        if (f->type == FIELD_COUNTS)
            json_counts(j, f, record);
        else if (f->row_at)
            json_rows(j, f, record);
        else
            json_value(j, f->name + level.len, f, record);
    }
    if (open.len)
        json_close(j, '}');
}

void rows_json_end(struct json *j)
{
    json_close(j, '}');
    out_char(j->out, '\n');
    j->comma = false;
}

void rows_json(struct json *j, const struct field_table *table, const void *record)
{
    rows_json_begin(j, table, record);
    rows_json_end(j);
}

/* ---- CSV ---------------------------------------------------------------------------------- */

/* Blanks in front do not help: spreadsheets trim them. */
static bool csv_is_formula(slice text)
{
    while (text.len && text.ptr[0] == ' ')
        text = slice_skip(text, 1);
    return text.len && memchr("=+-@\t\r\n", text.ptr[0], 7) != NULL;
}

static void csv_text(struct out *o, slice text, bool foreign)
{
    char clean[512];

    out_char(o, '"');
    if (foreign && csv_is_formula(text))
        out_char(o, '\'');
    while (text.len) {
        slice piece = slice_of(clean, utf8_clean(&text, clean, sizeof clean));

        while (piece.len) {
            out_text(o, slice_take_until(&piece, '"'));
            if (slice_take_char(&piece, '"'))
                out_text(o, SLICE("\"\""));
        }
    }
    out_char(o, '"');
}

static void csv_counts(struct out *o, const struct field *f, const void *record)
{
    char room[FIELD_ROOM];
    slice name;
    uint64_t count;

    out_char(o, '"');
    for (size_t i = 0; f->count_at(record, i, &name, &count, room); i++) {
        out_text(o, i ? SLICE(" ") : SLICE(""));
        out_text(o, name);
        out_char(o, ':');
        out_u64(o, count);
    }
    out_char(o, '"');
}

static void csv_value(struct out *o, const struct field *f, const void *record)
{
    char room[FIELD_ROOM], text[ADDRESS_TEXT_MAX], time[MOMENT_TEXT_MAX];
    struct field_value v = field_get(f, record, room);

    if (!v.known)
        return;
    switch ((enum field_type)f->type) {
    case FIELD_TEXT:     csv_text(o, v.text, true); return;
    case FIELD_FLOW:
    case FIELD_CAUSE:
    case FIELD_WORD:     csv_text(o, v.text, false); return;
    case FIELD_DEVIATION:
    case FIELD_NUMBER:   out_i64(o, v.number); return;
    case FIELD_DURATION: out_milli(o, (v.number + 500) / 1000); return;
    case FIELD_TIME:     out_text(o, moment_rfc3339(v.number, time)); return;
    case FIELD_BOOL:     out_text(o, v.number ? SLICE("true") : SLICE("false")); return;
    case FIELD_ADDRESS:  csv_text(o, slice_of(text, address_format(v.address, text)), false); return;
    case FIELD_MILLI:    out_milli(o, v.number); return;
    case FIELD_COUNTS: case FIELD_NUMBERS: case FIELD_ROWS: return;
    }
}

/* "0 101", or "60:50:0 1:48:2": rows apart by blanks. */
static void csv_rows(struct out *o, const struct field *f, const void *record)
{
    int64_t row[FIELD_ROW_MAX];
    size_t count;

    out_char(o, '"');
    for (size_t i = 0; (count = f->row_at(record, i, row)); i++)
        for (size_t k = 0; k < count; k++) {
            if (i + k)
                out_char(o, f->type == FIELD_ROWS && k ? ':' : ' ');
            if (f->type == FIELD_ROWS)
                out_milli(o, row[k]);
            else
                out_i64(o, row[k]);
        }
    out_char(o, '"');
}

void rows_csv_head(struct out *o, const struct field_table *table)
{
    out_text(o, SLICE("type"));
    for (size_t i = 0; i < table->count; i++) {
        out_char(o, ',');
        out_text(o, slice_of_string(table->fields[i].name));
    }
    out_text(o, SLICE("\r\n"));
}

void rows_csv(struct out *o, const struct field_table *table, const void *record)
{
    out_text(o, slice_of_string(table->record));
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];

        out_char(o, ',');
        if (f->type == FIELD_COUNTS)
            csv_counts(o, f, record);
        else if (f->row_at)
            csv_rows(o, f, record);
        else
            csv_value(o, f, record);
    }
    out_text(o, SLICE("\r\n"));
}
