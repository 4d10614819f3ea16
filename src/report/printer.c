/* report/printer.c - see printer.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/printer.h"

#include <stdio.h>

#include "base/utf8.h"
#include "codes/cause.h"
#include "codes/code.h"
#include "report/flaws.h"
#include "report/flows.h"
#include "report/moment.h"
#include "report/notes.h"
#include "report/rows.h"
#include "report/verdicts.h"

#define WHY_BYTES_MAX (1u << 20)

void printer_begin(struct printer *p, enum printer_kind kind, struct out *out,
                   const struct words *words, const struct style *style)
{
    *p = (struct printer){ .kind = kind, .out = out, .words = words, .style = style,
                           .json = { .out = out } };
    out_init_memory(&p->scratch, 1 << 16);
    out_init_memory(&p->why, WHY_BYTES_MAX);
}

void printer_done(struct printer *p)
{
    out_done(&p->scratch);
    out_done(&p->why);
}

/* ---- sections of text ------------------------------------------------------------------------ */

struct column_plan {
    enum text_id heading;
    uint8_t wants, least, matters;
    bool    right, grows;
};

enum { CALL_NUMBER, CALL_BEGAN, CALL_FROM, CALL_TO, CALL_RESULT, CALL_SETUP, CALL_RANG, CALL_TALKED,
       CALL_ENDED_BY, CALL_MOS, CALL_CAUSE, CALL_NOTES, CALL_COLUMNS };
static const struct column_plan call_plan[CALL_COLUMNS] = {
    [CALL_NUMBER]   = { TEXT_READ_COLUMN_NUMBER, 4, 3, 9, true, false },
    [CALL_BEGAN]    = { TEXT_READ_COLUMN_BEGAN, 8, 8, 7, false, false },
    [CALL_FROM]     = { TEXT_READ_COLUMN_FROM, 13, 8, 9, false, true },
    [CALL_TO]       = { TEXT_READ_COLUMN_TO, 13, 8, 9, false, true },
    [CALL_RESULT]   = { TEXT_READ_COLUMN_RESULT, 24, 18, 9, false, false },
    [CALL_SETUP]    = { TEXT_READ_COLUMN_SETUP, 7, 7, 2, true, false },
    [CALL_RANG]     = { TEXT_READ_COLUMN_RANG, 7, 7, 4, true, false },
    [CALL_TALKED]   = { TEXT_READ_COLUMN_TALKED, 7, 7, 7, true, false },
    [CALL_ENDED_BY] = { TEXT_READ_COLUMN_ENDED_BY, 9, 8, 5, false, false },
    [CALL_MOS]      = { TEXT_READ_COLUMN_MOS, 4, 4, 6, true, false },
    [CALL_CAUSE]    = { TEXT_READ_COLUMN_CAUSE, 38, 34, 8, false, true },
    [CALL_NOTES]    = { TEXT_READ_COLUMN_NOTES, 14, 10, 2, false, true },
};

enum { REG_USER, REG_CONTACT, REG_STATE, REG_LIFETIME, REG_REGISTRAR, REG_REQUESTS, REG_NOTES, REG_COLUMNS };
static const struct column_plan registration_plan[REG_COLUMNS] = {
    [REG_USER]      = { TEXT_READ_COLUMN_USER, 22, 20, 9, false, true },
    [REG_CONTACT]   = { TEXT_READ_COLUMN_CONTACT, 24, 18, 6, false, true },
    [REG_STATE]     = { TEXT_READ_COLUMN_STATE, 22, 17, 9, false, false },
    [REG_LIFETIME]  = { TEXT_READ_COLUMN_LIFETIME, 9, 8, 7, true, false },
    [REG_REGISTRAR] = { TEXT_READ_COLUMN_REGISTRAR, 16, 12, 4, false, false },
    [REG_REQUESTS]  = { TEXT_READ_COLUMN_REQUESTS, 4, 3, 3, true, false },
    [REG_NOTES]     = { TEXT_READ_COLUMN_NOTES, 20, 12, 5, false, true },
};

enum { TRA_METHOD, TRA_FROM, TRA_TO, TRA_ANSWER, TRA_TOOK, TRA_REPEATS, TRA_COLUMNS };
static const struct column_plan transaction_plan[TRA_COLUMNS] = {
    [TRA_METHOD]  = { TEXT_READ_COLUMN_METHOD, 10, 7, 9, false, false },
    [TRA_FROM]    = { TEXT_READ_COLUMN_REQUEST_FROM, 24, 10, 8, false, true },
    [TRA_TO]      = { TEXT_READ_COLUMN_REQUEST_TO, 24, 10, 9, false, true },
    [TRA_ANSWER]  = { TEXT_READ_COLUMN_ANSWER, 22, 12, 9, false, false },
    [TRA_TOOK]    = { TEXT_READ_COLUMN_TOOK, 7, 7, 5, true, false },
    [TRA_REPEATS] = { TEXT_READ_COLUMN_REPEATS, 4, 3, 3, true, false },
};

enum { STR_CALL, STR_SOURCE, STR_DESTINATION, STR_CODEC, STR_PACKETS, STR_LOST, STR_JITTER, STR_MOS,
       STR_WORST, STR_NOTES, STR_COLUMNS };
static const struct column_plan stream_plan[STR_COLUMNS] = {
    [STR_CALL]        = { TEXT_READ_COLUMN_CALL, 4, 3, 9, true, false },
    [STR_SOURCE]      = { TEXT_READ_COLUMN_SOURCE, 21, 12, 9, false, true },
    [STR_DESTINATION] = { TEXT_READ_COLUMN_DESTINATION, 21, 12, 9, false, true },
    [STR_CODEC]       = { TEXT_READ_COLUMN_CODEC, 8, 5, 8, false, true },
    [STR_PACKETS]     = { TEXT_READ_COLUMN_PACKETS, 7, 5, 7, true, false },
    [STR_LOST]        = { TEXT_READ_COLUMN_LOST, 7, 6, 8, true, false },
    [STR_JITTER]      = { TEXT_READ_COLUMN_JITTER, 7, 7, 5, true, false },
    [STR_MOS]         = { TEXT_READ_COLUMN_MOS, 8, 8, 9, true, false },
    [STR_WORST]       = { TEXT_READ_COLUMN_WORST, 6, 6, 4, true, false },
    [STR_NOTES]       = { TEXT_READ_COLUMN_NOTES, 18, 12, 6, false, true },
};

enum { MSG_FRAME, MSG_TIME, MSG_SOURCE, MSG_DESTINATION, MSG_MESSAGE, MSG_NOTES, MSG_COLUMNS };
static const struct column_plan message_plan[MSG_COLUMNS] = {
    [MSG_FRAME]       = { TEXT_READ_COLUMN_FRAME, 6, 5, 9, true, false },
    [MSG_TIME]        = { TEXT_READ_COLUMN_TIME, 12, 12, 7, false, false },
    [MSG_SOURCE]      = { TEXT_READ_COLUMN_SOURCE, 21, 12, 8, false, false },
    [MSG_DESTINATION] = { TEXT_READ_COLUMN_DESTINATION, 21, 12, 8, false, false },
    [MSG_MESSAGE]     = { TEXT_READ_COLUMN_MESSAGE, 34, 14, 9, false, true },
    [MSG_NOTES]       = { TEXT_READ_COLUMN_NOTES, 16, 8, 3, false, true },
};

enum { INC_WHAT, INC_FROM, INC_TO, INC_TIMES, INC_FRAME, INC_COLUMNS };
static const struct column_plan incident_plan[INC_COLUMNS] = {
    [INC_WHAT]  = { TEXT_READ_COLUMN_INCIDENT, 44, 20, 9, false, true },
    [INC_FROM]  = { TEXT_READ_COLUMN_REQUEST_FROM, 21, 15, 8, false, false },
    [INC_TO]    = { TEXT_READ_COLUMN_REQUEST_TO, 21, 15, 9, false, false },
    [INC_TIMES] = { TEXT_READ_COLUMN_TIMES, 6, 5, 6, true, false },
    [INC_FRAME] = { TEXT_READ_COLUMN_FRAME, 6, 5, 5, true, false },
};

enum { LIVE_TIME, LIVE_NUMBER, LIVE_FROM, LIVE_TO, LIVE_STATE, LIVE_TALKED, LIVE_CAUSE, LIVE_NOTES, LIVE_COLUMNS };
static const struct column_plan live_plan[LIVE_COLUMNS] = {
    [LIVE_TIME]   = { TEXT_READ_COLUMN_TIME, 8, 8, 9, false, false },
    [LIVE_NUMBER] = { TEXT_READ_COLUMN_CALL, 4, 4, 9, true, false },
    [LIVE_FROM]   = { TEXT_READ_COLUMN_FROM, 16, 9, 9, false, true },
    [LIVE_TO]     = { TEXT_READ_COLUMN_TO, 16, 9, 9, false, true },
    [LIVE_STATE]  = { TEXT_READ_COLUMN_STATE, 24, 15, 9, false, false },
    [LIVE_TALKED] = { TEXT_READ_COLUMN_TALKED, 7, 7, 5, true, false },
    [LIVE_CAUSE]  = { TEXT_READ_COLUMN_CAUSE, 30, 16, 8, false, true },
    [LIVE_NOTES]  = { TEXT_READ_COLUMN_NOTES, 22, 14, 6, false, true },
};

static const struct section_plan {
    enum text_id heading;
    const struct column_plan *columns;
    size_t count;
    const struct field_table *fields;
} sections[PRINTER_SECTIONS] = {
    [PRINTER_CALLS] = { TEXT_READ_SECTION_CALLS, call_plan, CALL_COLUMNS, &call_fields },
    [PRINTER_REGISTRATIONS] = { TEXT_READ_SECTION_REGISTRATIONS, registration_plan, REG_COLUMNS,
                                &registration_fields },
    [PRINTER_TRANSACTIONS] = { TEXT_READ_SECTION_TRANSACTIONS, transaction_plan, TRA_COLUMNS,
                               &transaction_fields },
    [PRINTER_STREAMS] = { TEXT_READ_SECTION_STREAMS, stream_plan, STR_COLUMNS, &stream_fields },
    [PRINTER_MESSAGES] = { TEXT_READ_SECTION_MESSAGES, message_plan, MSG_COLUMNS, &message_fields },
    [PRINTER_INCIDENTS] = { TEXT_READ_SECTION_INCIDENTS, incident_plan, INC_COLUMNS, &incident_fields },
    [PRINTER_LIVE] = { TEXT_SERVE_SECTION_LIVE, live_plan, LIVE_COLUMNS, NULL },
};

static void section_heading(struct printer *p, const struct section_plan *plan)
{
    if (p->section != PRINTER_NOTHING)
        out_char(p->out, '\n');
    style_begin(p->out, p->style, TONE_STRONG);
    out_text(p->out, words_text(p->words, plan->heading));
    style_end(p->out, p->style, TONE_STRONG);
    out_char(p->out, '\n');
    for (size_t i = 0; i < plan->count; i++) {
        const struct column_plan *c = &plan->columns[i];

        p->columns[i] = (struct table_column){ words_text(p->words, c->heading), c->wants, c->least,
                                               c->matters, c->right, c->grows };
    }
    table_begin(&p->table, p->columns, plan->count, p->style);
    table_heading(&p->table, p->out);
}

/* A page has no lists of other requests and of messages; streams of calls stand with their call. */
static void page_take(struct html_book *book, enum printer_section section, const void *record)
{
    const struct stream *stream = record;

    switch (section) {
    case PRINTER_CALLS:         html_book_call(book, record); return;
    case PRINTER_REGISTRATIONS: html_book_registration(book, record); return;
    case PRINTER_INCIDENTS:     html_book_incident(book, record); return;
    case PRINTER_STREAMS:
        if (stream->bound == STREAM_ORPHAN)
            html_book_stream(book, stream);
        return;
    default:                    return;
    }
}

/* True when the record still has to be printed as text; others are done with it here. */
static bool section_enter(struct printer *p, enum printer_section section, const void *record)
{
    const struct section_plan *plan = &sections[section];

    if (p->kind == PRINTER_HTML) {
        page_take(p->book, section, record);
        return false;
    }
    if (p->kind == PRINTER_JSON && section == PRINTER_CALLS) {
        const struct call *c = record;

        rows_json_begin(&p->json, plan->fields, record);
        flows_json_of(&p->json, p->words, &c->flow);
        verdicts_json(&p->json, p->words, c->verdicts);
        rows_json_end(&p->json);
        return false;
    }
    if (p->kind == PRINTER_JSON && section == PRINTER_REGISTRATIONS) {
        rows_json_begin(&p->json, plan->fields, record);
        flows_json_of(&p->json, p->words, &((const struct registration *)record)->flow);
        verdicts_json(&p->json, p->words, ((const struct registration *)record)->verdicts);
        rows_json_end(&p->json);
        return false;
    }
    if (p->kind == PRINTER_JSON) {
        rows_json(&p->json, plan->fields, record);
        return false;
    }
    if (p->section != section && p->kind == PRINTER_CSV) {
        out_text(p->out, p->section == PRINTER_NOTHING ? SLICE("") : SLICE("\r\n"));
        rows_csv_head(p->out, plan->fields);
    } else if (p->section != section) {
        section_heading(p, plan);
    }
    p->section = section;
    if (p->kind == PRINTER_CSV)
        rows_csv(p->out, plan->fields, record);
    return p->kind == PRINTER_TEXT;
}

static slice without_scheme(slice uri) { return slice_starts_nocase(uri, SLICE("sip:")) ? slice_skip(uri, 4) : uri; }

/* ---- cells ------------------------------------------------------------------------------------- */

static void cell_number(struct printer *p, size_t column, uint64_t number, enum style_tone tone)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)number);

    table_cell(&p->table, column, slice_of(text, (size_t)n), tone);
}

static void cell_duration(struct printer *p, size_t column, int64_t ns)
{
    char room[MOMENT_TEXT_MAX];

    table_cell(&p->table, column, ns < 0 ? SLICE("-") : moment_duration(ns, room), TONE_PLAIN);
}

static void cell_milli(struct printer *p, size_t column, uint64_t thousandths, int decimals, const char *behind,
                       enum style_tone tone)
{
    out_clear(&p->scratch);
    notes_milli(&p->scratch, thousandths, decimals);
    out_text(&p->scratch, slice_of_string(behind));
    table_cell(&p->table, column, thousandths || decimals == 1 ? out_taken(&p->scratch) : SLICE("-"), tone);
}

/* "486 Busy Here": the number and its name in the reader's language. */
static void cell_code(struct printer *p, size_t column, enum code_family family, unsigned number,
                      slice otherwise, enum style_tone tone)
{
    out_clear(&p->scratch);
    notes_code(&p->scratch, p->words, family, number, otherwise);
    table_cell(&p->table, column, out_taken(&p->scratch), tone);
}

static struct page page_on(const struct printer *p, struct out *o)
{
    return (struct page){ .out = o, .style = *p->style };
}

static void why_heading(struct printer *p, enum text_id id, const struct words_value *values, size_t count)
{
    struct page page = page_on(p, &p->why);
    struct out text;
    char clean[256];

    out_init_memory(&text, 1024);
    words_format(&text, p->words, id, values, count);
    slice line = out_taken(&text);

    page_text(&page, 0, TONE_STRONG, slice_of(clean, utf8_clean(&line, clean, sizeof clean)));
    out_done(&text);
}

/* True: this cause was explained already, and the record is noted beside. */
static bool why_again(struct printer *p, const struct verdict *v, bool of_registration, uint64_t number)
{
    for (size_t i = 0; !p->explain_all && i < p->why_count; i++) {
        struct printer_why *why = &p->whys[i];

        if (why->cause != v->cause || why->of_registration != of_registration)
            continue;
        if (why->others < PRINTER_WHY_OTHERS)
            why->first_others[why->others] = number;
        why->others++;
        return true;
    }
    return false;
}

/* What something is wrong with is explained below the list, each cause once. */
static void why_keep(struct printer *p, const struct call_verdicts *v, bool of_registration, uint64_t number,
                     enum text_id heading, const struct words_value *values, size_t count)
{
    struct page page = page_on(p, &p->why);

    if (!v || cause_severity((enum cause_id)v->cause.cause) < CAUSE_SEVERITY_WARNING ||
        why_again(p, &v->cause, of_registration, number))
        return;
    if (p->why_count == PRINTER_WHYS_MAX || p->why.used > WHY_BYTES_MAX - 16384) {
        p->why_beyond++;
        return;
    }
    struct printer_why *why = &p->whys[p->why_count++];

    *why = (struct printer_why){ .cause = v->cause.cause, .of_registration = of_registration,
                                 .begin = p->why.used };
    why_heading(p, heading, values, count);
    verdict_print(&page, p->words, 2, &v->cause);
    why->end = p->why.used;
}

static void why_call(struct printer *p, const struct call *c)
{
    const struct words_value values[] = { WORDS_NUMBER("number", c->index), WORDS_TEXT("from", notes_who(&c->from)),
                                          WORDS_TEXT("to", notes_who(&c->to)) };

    why_keep(p, c->verdicts, false, c->index, TEXT_READ_WHY_CALL, values, ARRAY_LEN(values));
}

static void why_registration(struct printer *p, const struct registration *r)
{
    const struct words_value values[] = { WORDS_TEXT("user", r->aor) };

    why_keep(p, r->verdicts, true, 0, TEXT_READ_WHY_REGISTRATION, values, ARRAY_LEN(values));
}

/* "Calls 8, 9 and others, 130 in all, have the same cause." */
static void why_others(struct printer *p, const struct printer_why *why)
{
    struct page page = page_on(p, p->out);
    struct out list, text;

    if (why->others == 0)
        return;
    out_init_memory(&list, 1024);
    out_init_memory(&text, 4096);
    for (size_t i = 0; i < why->others && i < PRINTER_WHY_OTHERS; i++) {
        out_text(&list, i ? words_text(p->words, TEXT_CLI_LIST_SEPARATOR) : SLICE(""));
        out_u64(&list, why->first_others[i]);
    }
    if (why->others > PRINTER_WHY_OTHERS)
        out_text(&list, SLICE(" …"));
    words_say_plural(&text, p->words, why->of_registration ? TEXT_READ_WHY_SAME_REGISTRATIONS : TEXT_READ_WHY_SAME,
                     WORDS_NUMBER("count", why->others), WORDS_TEXT("list", out_taken(&list)));
    page_text(&page, 2, TONE_PLAIN, out_taken(&text));
    out_done(&text);
    out_done(&list);
}

void printer_explanations(struct printer *p)
{
    slice all = out_taken(&p->why);

    for (size_t i = 0; i < p->why_count; i++) {
        const struct printer_why *why = &p->whys[i];

        out_char(p->out, '\n');
        if (i == 0) {
            style_begin(p->out, p->style, TONE_STRONG);
            out_text(p->out, words_text(p->words, TEXT_READ_SECTION_WHY));
            style_end(p->out, p->style, TONE_STRONG);
            out_char(p->out, '\n');
        }
        out_text(p->out, slice_of(all.ptr + why->begin, why->end - why->begin));
        why_others(p, why);
    }
    if (p->why_beyond) {
        out_char(p->out, '\n');
        words_say_plural(p->out, p->words, TEXT_READ_WHY_MORE, WORDS_NUMBER("count", p->why_beyond));
        out_char(p->out, '\n');
    }
    out_clear(&p->why);
    p->why_count = p->why_beyond = 0;
}

/* Findings of all legs, each once; returns how many. With a page of NULL they are only counted. */
static size_t print_findings(const struct printer *p, const struct page *page, struct call *const *legs,
                             size_t count, const struct ladder *l)
{
    char room[LADDER_MARK_MAX];
    size_t printed = 0;

    for (size_t i = 0; i < count; i++) {
        const struct call_verdicts *v = legs[i]->verdicts;

        for (size_t k = 0; v && k < v->finding_count; k++) {
            if (verdicts_finding_number(legs, i, k) != i * VERDICT_FINDINGS_MAX + k)
                continue;
            if (page && printed)
                page_blank(page);
            if (page)
                verdict_print_marked(page, p->words, 2, ladder_finding_mark(l, v->findings[k].cause, p->style, room),
                                     &v->findings[k]);
            printed++;
        }
    }
    return printed;
}

void printer_session_verdicts(struct printer *p, struct call *const *legs, size_t count, const struct ladder *l)
{
    struct page page = page_on(p, p->out);

    for (size_t i = 0; i < count; i++) {
        const struct call_verdicts *v = legs[i]->verdicts;

        if (!v || !v->cause.cause || verdicts_cause_leg(legs, i) != i)
            continue;
        page_blank(&page);
        verdict_print(&page, p->words, 0, &v->cause);
    }
    if (print_findings(p, NULL, legs, count, l) == 0)
        return;
    page_heading(&page, words_text(p->words, TEXT_READ_WHY_FINDINGS));
    (void)print_findings(p, &page, legs, count, l);
}

static void call_cause(struct printer *p, const struct call *c)
{
    slice headline = verdicts_headline(p->words, c->verdicts);

    table_cell(&p->table, CALL_CAUSE, headline.len ? headline : SLICE("-"),
               headline.len ? verdict_tone(&c->verdicts->cause) : TONE_PLAIN);
}

void printer_call(struct printer *p, const struct call *c)
{
    struct call_status status = call_status(c);
    enum code_family family = slice_eq(status.family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR;
    char room[MOMENT_TEXT_MAX];

    if (!section_enter(p, PRINTER_CALLS, c))
        return;
    cell_number(p, CALL_NUMBER, c->index, TONE_PLAIN);
    table_cell(&p->table, CALL_BEGAN, moment_clock(c->invite_ns ? c->invite_ns : c->last_ns, room),
               TONE_PLAIN);
    table_cell(&p->table, CALL_FROM, notes_who(&c->from), TONE_PLAIN);
    table_cell(&p->table, CALL_TO, notes_who(&c->to), TONE_PLAIN);
    cell_code(p, CALL_RESULT, family, status.code, status.name, notes_call_tone(c));
    cell_duration(p, CALL_SETUP, call_pdd_ns(c));
    cell_duration(p, CALL_RANG, call_ring_ns(c));
    cell_duration(p, CALL_TALKED, call_talk_ns(c));
    slice side = notes_ended_by(p->words, c);

    table_cell(&p->table, CALL_ENDED_BY, side.len ? side : SLICE("-"), TONE_PLAIN);
    cell_milli(p, CALL_MOS, c->media.mos_milli, 2, "", notes_mos_tone(c->media.mos_milli));
    call_cause(p, c);
    out_clear(&p->scratch);
    notes_call(&p->scratch, p->words, c);
    table_cell(&p->table, CALL_NOTES, out_taken(&p->scratch), TONE_PLAIN);
    table_row(&p->table, p->out);
    why_call(p, c);
}

void printer_registration(struct printer *p, const struct registration *r)
{
    struct registration_status status = registration_status(r);
    enum code_family family = slice_eq(status.family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR;
    char text[ADDRESS_TEXT_MAX];

    if (!section_enter(p, PRINTER_REGISTRATIONS, r))
        return;
    table_cell(&p->table, REG_USER, r->aor, TONE_PLAIN);
    table_cell(&p->table, REG_CONTACT, r->contact.len ? r->contact : SLICE("-"), TONE_PLAIN);
    if (status.code)
        cell_code(p, REG_STATE, family, status.code, status.name, notes_registration_tone(r));
    else
        table_cell(&p->table, REG_STATE, words_text(p->words, TEXT_READ_NO_ANSWER_YET), TONE_BAD);
    cell_duration(p, REG_LIFETIME, r->expires_s ? (int64_t)r->expires_s * 1000000000 : -1);
    table_cell(&p->table, REG_REGISTRAR, slice_of(text, address_format(&r->registrar, text)), TONE_PLAIN);
    cell_number(p, REG_REQUESTS, r->requests, TONE_PLAIN);
    out_clear(&p->scratch);
    out_text(&p->scratch, verdicts_headline(p->words, r->verdicts));
    notes_registration(&p->scratch, p->words, r);
    table_cell(&p->table, REG_NOTES, out_taken(&p->scratch), TONE_PLAIN);
    table_row(&p->table, p->out);
    why_registration(p, r);
}

/* ---- as it happens ------------------------------------------------------------------------------ */

static void live_begin(struct printer *p, int64_t at_ns)
{
    char room[MOMENT_TEXT_MAX];

    if (p->section != PRINTER_LIVE)
        section_heading(p, &sections[PRINTER_LIVE]);
    p->section = PRINTER_LIVE;
    table_cell(&p->table, LIVE_TIME, moment_clock(at_ns, room), TONE_PLAIN);
}

static void live_end(struct printer *p, const struct call_verdicts *v)
{
    slice headline = verdicts_headline(p->words, v);

    table_cell(&p->table, LIVE_CAUSE, headline.len ? headline : SLICE("-"), headline.len ? verdict_tone(&v->cause) : TONE_PLAIN);
    table_cell(&p->table, LIVE_NOTES, out_taken(&p->scratch), TONE_PLAIN);
    table_row(&p->table, p->out);
}

void printer_live_call(struct printer *p, const struct call *c, const struct call_verdicts *why, int64_t at_ns, slice note)
{
    struct call_status status = call_status(c);
    enum code_family family = slice_eq(status.family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR;

    if (p->kind != PRINTER_TEXT) {
        (void)section_enter(p, PRINTER_CALLS, c);
        return;
    }
    live_begin(p, at_ns);
    cell_number(p, LIVE_NUMBER, c->index, TONE_PLAIN);
    table_cell(&p->table, LIVE_FROM, notes_who(&c->from), TONE_PLAIN);
    table_cell(&p->table, LIVE_TO, notes_who(&c->to), TONE_PLAIN);
    cell_code(p, LIVE_STATE, family, status.code, status.name, notes_call_tone(c));
    cell_duration(p, LIVE_TALKED, call_talk_ns(c));
    out_clear(&p->scratch);
    out_text(&p->scratch, note);
    notes_call(&p->scratch, p->words, c);
    live_end(p, why);
}

void printer_live_registration(struct printer *p, const struct registration *r, int64_t at_ns, slice note)
{
    struct registration_status status = registration_status(r);
    enum code_family family = slice_eq(status.family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR;

    if (p->kind != PRINTER_TEXT) {
        (void)section_enter(p, PRINTER_REGISTRATIONS, r);
        return;
    }
    live_begin(p, at_ns);
    table_cell(&p->table, LIVE_NUMBER, SLICE("-"), TONE_PLAIN);
    table_cell(&p->table, LIVE_FROM, without_scheme(r->aor), TONE_PLAIN);
    table_cell(&p->table, LIVE_TO, r->contact.len ? without_scheme(r->contact) : SLICE("-"), TONE_PLAIN);
    if (r->state == REGISTRATION_REGISTERING && r->final >= 300)      /* it may try again, but was refused */
        cell_code(p, LIVE_STATE, CODE_SIP, r->final, r->phrase, TONE_BAD);
    else if (status.code)
        cell_code(p, LIVE_STATE, family, status.code, status.name, notes_registration_tone(r));
    else
        table_cell(&p->table, LIVE_STATE, words_text(p->words, TEXT_READ_NO_ANSWER_YET), TONE_BAD);
    table_cell(&p->table, LIVE_TALKED, SLICE("-"), TONE_PLAIN);
    out_clear(&p->scratch);
    out_text(&p->scratch, note);
    notes_registration(&p->scratch, p->words, r);
    live_end(p, r->verdicts);
}

void printer_live_verdict(struct printer *p, const struct verdict *v, bool whole)
{
    struct page page = page_on(p, p->out);
    struct out text;
    char clean[1024];

    if (p->kind != PRINTER_TEXT || !v->cause || cause_severity((enum cause_id)v->cause) < CAUSE_SEVERITY_WARNING)
        return;
    if (whole) {
        verdict_print(&page, p->words, 4, v);
        return;
    }
    out_init_memory(&text, 8192);
    verdict_sentence(&text, p->words, v);

    slice line = out_taken(&text);

    page_text(&page, 4, TONE_PLAIN, slice_of(clean, utf8_clean(&line, clean, sizeof clean)));
    out_done(&text);
}

void printer_transaction(struct printer *p, const struct transaction *t)
{
    bool good = t->final >= 200 && t->final < 300;

    if (!section_enter(p, PRINTER_TRANSACTIONS, t))
        return;
    table_cell(&p->table, TRA_METHOD, t->method, TONE_PLAIN);
    table_cell(&p->table, TRA_FROM, t->from_uri, TONE_PLAIN);
    table_cell(&p->table, TRA_TO, t->to_uri, TONE_PLAIN);
    if (t->final)
        cell_code(p, TRA_ANSWER, CODE_SIP, t->final, t->phrase, good ? TONE_GOOD : TONE_BAD);
    else
        table_cell(&p->table, TRA_ANSWER, words_text(p->words, TEXT_READ_NO_ANSWER_YET), TONE_WARN);
    cell_duration(p, TRA_TOOK, t->asked_ns && t->answered_ns ? t->answered_ns - t->asked_ns : -1);
    cell_number(p, TRA_REPEATS, t->retransmissions, TONE_PLAIN);
    table_row(&p->table, p->out);
}

/* ---- streams ------------------------------------------------------------------------------------- */

void printer_stream(struct printer *p, const struct stream *s)
{
    static const char *const bands[STREAM_BANDS] = { "", " NB", " WB", " SWB" };
    char address[ADDRESS_TEXT_MAX];
    uint16_t mos = stream_mos_milli(s);

    if (!section_enter(p, PRINTER_STREAMS, s))
        return;
    if (s->call)
        cell_number(p, STR_CALL, s->call, TONE_PLAIN);
    else
        table_cell(&p->table, STR_CALL, SLICE("-"), TONE_PLAIN);
    table_cell(&p->table, STR_SOURCE, slice_of(address, address_format(&s->src, address)), TONE_PLAIN);
    table_cell(&p->table, STR_DESTINATION, slice_of(address, address_format(&s->dst, address)), TONE_PLAIN);
    table_cell(&p->table, STR_CODEC, s->codec[0] ? slice_of_string(s->codec) : SLICE("-"), TONE_PLAIN);
    cell_number(p, STR_PACKETS, s->packets, TONE_PLAIN);
    cell_milli(p, STR_LOST, stream_loss_milli(s), 1, " %", s->lost ? TONE_WARN : TONE_PLAIN);
    cell_milli(p, STR_JITTER, s->jitter_max_us, 1, " ms", TONE_PLAIN);
    cell_milli(p, STR_MOS, mos, 2, bands[s->band], notes_mos_tone(mos));
    cell_milli(p, STR_WORST, s->worst_mos_milli, 2, "", notes_mos_tone(s->worst_mos_milli));
    out_clear(&p->scratch);
    notes_stream(&p->scratch, p->words, s);
    table_cell(&p->table, STR_NOTES, out_taken(&p->scratch), TONE_PLAIN);
    table_row(&p->table, p->out);
}

/* ---- messages ------------------------------------------------------------------------------------ */

static void message_label(const struct message_row *m, struct out *text)
{
    if (m->request) {
        out_text(text, m->method);
        out_char(text, ' ');
        out_text(text, m->uri);
        return;
    }
    out_u64(text, m->status);
    out_char(text, ' ');
    out_text(text, m->reason);
    out_text(text, SLICE(" ("));
    out_text(text, m->method);
    out_char(text, ')');
}

/* Why it is no new message, in the reader's language. */
static void message_seen(struct out *notes, const struct words *w, slice seen)
{
    static const struct { slice seen; enum text_id id; } texts[] = {
        { SLICE_INIT("hop"), TEXT_READ_NOTE_SEEN_HOP },
        { SLICE_INIT("copy"), TEXT_READ_NOTE_SEEN_COPY },
        { SLICE_INIT("retransmission"), TEXT_READ_NOTE_SEEN_AGAIN },
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (slice_eq(seen, texts[i].seen))
            notes_add(notes, w, words_text(w, texts[i].id));
}

/* The message line by line, indented, and what is wrong with it; nothing of it may act on the
 * terminal. */
static void message_full(struct printer *p, const struct message_row *m)
{
    slice rest = m->text, line;

    while (slice_take_line(&rest, &line)) {
        out_text(p->out, SLICE("    "));
        style_clean(p->out, line);
        out_char(p->out, '\n');
    }
    out_char(p->out, '\n');
    if (m->flaw_count) {
        flaws_print(p->out, p->words, p->style, m);
        out_char(p->out, '\n');
    }
}

static void cell_address(struct printer *p, size_t column, const struct address *a)
{
    char text[ADDRESS_TEXT_MAX];
    size_t len = a->port ? address_format(a, text) : address_format_ip(a, text);

    table_cell(&p->table, column, slice_of(text, len), TONE_PLAIN);
}

void printer_incident(struct printer *p, const struct incident *i)
{
    if (!section_enter(p, PRINTER_INCIDENTS, i))
        return;
    out_clear(&p->scratch);
    notes_incident(&p->scratch, p->words, i);
    table_cell(&p->table, INC_WHAT, out_taken(&p->scratch), TONE_BAD);
    cell_address(p, INC_FROM, &i->src);
    cell_address(p, INC_TO, &i->dst);
    cell_number(p, INC_TIMES, i->count, TONE_PLAIN);
    cell_number(p, INC_FRAME, i->first_frame, TONE_PLAIN);
    table_row(&p->table, p->out);
}

static void suspect_json(struct printer *p, const struct suspect *s)
{
    char text[ADDRESS_TEXT_MAX], time[MOMENT_TEXT_MAX];

    json_open(&p->json, '{');
    json_text(&p->json, "type", SLICE("suspect"));
    json_text(&p->json, "address", slice_of(text, address_format_ip(&s->address, text)));
    json_u64(&p->json, "requests", s->requests);
    json_text(&p->json, "first_at", moment_rfc3339(s->first_ns, time));
    json_text(&p->json, "last_at", moment_rfc3339(s->last_ns, time));
    verdicts_json(&p->json, p->words, s->verdicts);
    rows_json_end(&p->json);
}

void printer_suspect(struct printer *p, const struct suspect *s)
{
    char text[ADDRESS_TEXT_MAX];
    const struct words_value values[] = { WORDS_TEXT("address", slice_of(text, address_format_ip(&s->address, text))) };

    if (p->kind == PRINTER_JSON)
        suspect_json(p, s);
    else if (p->kind == PRINTER_HTML)
        html_book_suspect(p->book, s);
    else if (p->kind == PRINTER_TEXT)
        why_keep(p, s->verdicts, true, 0, TEXT_READ_WHY_SUSPECT, values, ARRAY_LEN(values));
}

void printer_message(struct printer *p, const struct message_row *m)
{
    char room[MOMENT_TEXT_MAX], address[ADDRESS_TEXT_MAX];
    struct out text;

    if (!section_enter(p, PRINTER_MESSAGES, m))
        return;
    out_init_memory(&text, 1 << 16);
    cell_number(p, MSG_FRAME, m->frame, TONE_DIM);
    table_cell(&p->table, MSG_TIME, moment_clock_ms(m->at_ns, room), TONE_PLAIN);
    table_cell(&p->table, MSG_SOURCE, slice_of(address, address_format(&m->src, address)), TONE_PLAIN);
    table_cell(&p->table, MSG_DESTINATION, slice_of(address, address_format(&m->dst, address)), TONE_PLAIN);
    message_label(m, &text);
    table_cell(&p->table, MSG_MESSAGE, out_taken(&text),
               m->request ? TONE_PLAIN : m->status < 200 ? TONE_WARN : m->status < 300 ? TONE_GOOD : TONE_BAD);
    out_clear(&text);
    message_seen(&text, p->words, m->seen);
    if (m->flaw_count)
        notes_add(&text, p->words, flaws_sentence(p->words, (enum sip_flaw_kind)m->flaw_list[0].kind));
    table_cell(&p->table, MSG_NOTES, out_taken(&text), TONE_WARN);
    table_row(&p->table, p->out);
    if (p->full_messages)
        message_full(p, m);
    out_done(&text);
}

/* ---- the rest ------------------------------------------------------------------------------------- */

void printer_summary(struct printer *p, const struct summary *s)
{
    if (p->kind == PRINTER_JSON)
        summary_json(s, &p->json);
    if (p->kind != PRINTER_TEXT)
        return;
    if (p->section != PRINTER_NOTHING)
        out_char(p->out, '\n');
    summary_text(s, p->out, p->words, p->style);
}

void printer_call_title(struct printer *p, const struct call *c)
{
    struct call_status status = call_status(c);
    enum code_family family = slice_eq(status.family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR;
    const struct code *code = code_find(family, status.code);
    slice name = code ? code_name(p->words, code) : status.name;
    bool over = call_state_is_over((enum call_state)c->state);
    struct out text;

    out_init_memory(&text, 1 << 16);
    words_say(&text, p->words, TEXT_READ_LADDER_CALL, WORDS_NUMBER("number", c->index),
              WORDS_TEXT("from", notes_who(&c->from)), WORDS_TEXT("to", notes_who(&c->to)),
              WORDS_TEXT("call_id", c->call_id));
    out_char(&text, '\n');
    words_say(&text, p->words, over ? TEXT_READ_LADDER_RESULT : TEXT_READ_LADDER_ACTIVE,
              WORDS_NUMBER("code", status.code), WORDS_TEXT("name", name));
    slice rest = out_taken(&text), line;

    while (slice_take_line(&rest, &line)) {
        style_clean(p->out, line);
        out_char(p->out, '\n');
    }
    out_char(p->out, '\n');
    out_done(&text);
}
