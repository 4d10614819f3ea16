/* call/fields.h - the records as rows of named fields.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One table per kind of record says what each field is called, what it is and where it
 * stands. JSON, CSV and the filter language all read these tables, so a field that is added
 * here is in all three. Names are those of CONTRACT.md; a dot is a level of the JSON object. */
#ifndef CALL_FIELDS_H
#define CALL_FIELDS_H

#include "call/call.h"
#include "call/incident.h"
#include "call/message.h"
#include "call/registration.h"
#include "call/transaction.h"

#define FIELD_ROOM 16               /* bytes for a short text made on the way */
#define FIELD_ROW_MAX 8              /* numbers in a row of FIELD_ROWS */

enum field_type {
    FIELD_TEXT,                      /* from the network: may hold anything */
    FIELD_WORD,                      /* one of ours: a name, a state; unknown when empty */
    FIELD_NUMBER,
    FIELD_DURATION,                  /* nanoseconds; shown in milliseconds */
    FIELD_TIME,                      /* nanoseconds since 1970 UTC */
    FIELD_BOOL,
    FIELD_ADDRESS,
    FIELD_COUNTS,                    /* a small object of name: number */
    FIELD_MILLI,                     /* a number with decimals: `number` is in thousandths */
    FIELD_NUMBERS,                   /* a list: the first row */
    FIELD_ROWS,                      /* a list of lists */
    FIELD_FLOW,                      /* a word; these two are an object of their own in JSON */
    FIELD_CAUSE,                     /* a word; an object of its own in JSON. A filter takes `no-answer` for
                                      * no-answer-caller and all others of that family */
    FIELD_DEVIATION,                 /* the number of a step; unknown: the flow was followed */
};

struct field_value {
    bool    known;
    slice   text;                    /* TEXT, WORD */
    int64_t number;                  /* NUMBER, DURATION, TIME, BOOL */
    const struct address *address;
};

struct field {
    const char *name;
    uint8_t     type;                /* enum field_type */
    uint8_t     storage;             /* fields.c's business */
    bool        sparse;              /* JSON leaves it out when it is zero or false */
    uint16_t    offset;
    void (*get)(const void *record, struct field_value *ret, char room[FIELD_ROOM]);
    bool (*count_at)(const void *record, size_t index, slice *ret_name, uint64_t *ret_count,
                     char room[FIELD_ROOM]);      /* COUNTS: false after the last */
    /* NUMBERS, ROWS: how many numbers the row has, in thousandths for ROWS; 0: no such row. */
    size_t (*row_at)(const void *record, size_t index, int64_t ret[FIELD_ROW_MAX]);
};

struct field_table {
    const char         *record;      /* "call": the JSON type */
    const struct field *fields;
    size_t              count;
};
extern const struct field_table call_fields, registration_fields, transaction_fields,
                                message_fields, stream_fields, incident_fields;

/* `room` holds short texts made on the way; valid as long as it is. */
struct field_value field_get(const struct field *f, const void *record, char room[FIELD_ROOM]);

const struct field *field_find(const struct field_table *table, slice name);
/* The name in the table that is nearest to a misspelt one; never NULL. */
const struct field *field_nearest(const struct field_table *table, slice name);

#endif
