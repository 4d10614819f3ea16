/* report/explain_compare.c - what distinguishes two codes or more; see explain.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/explain_int.h"

#include "base/utf8.h"

#define GAP        2
#define CELL_MIN   22                /* a narrower column of a table is no pleasure to read */

/* ---- what is written by hand ---- */

const struct code_comparison *explain_written(const struct code_query *const subjects[],
                                              size_t count)
{
    const struct code *codes[EXPLAIN_COMPARED_MAX] = {0};

    for (size_t i = 0; i < count; i++) {
        if (subjects[i]->result != QUERY_CODE)
            return NULL;
        codes[i] = subjects[i]->code;
    }
    return code_compared(codes, count);
}

static void section(const struct explain *e, enum text_id heading, sentence text)
{
    page_heading(&e->page, words_text(e->words, heading));
    page_text(&e->page, GAP, TONE_PLAIN, code_text(e->words, text));
}

static void written(const struct explain *e, const struct code_comparison *c)
{
    section(e, TEXT_EXPLAIN_HEADING_DIFFERENCE, c->gist);
    if (e->depth != EXPLAIN_CALLER) {
        section(e, TEXT_EXPLAIN_HEADING_WHO, c->who);
        section(e, TEXT_EXPLAIN_HEADING_TELL, c->tell);
    }
    section(e, TEXT_EXPLAIN_HEADING_DO, c->what_to_do);
    if (e->depth == EXPLAIN_ENGINEER)
        section(e, TEXT_EXPLAIN_HEADING_CHOOSE, c->choose);
}

/* ---- what follows from the classes or the families ---- */

/* "486 Busy Here" within a sentence about SIP; elsewhere the title with its family. */
static void name_in_sentence(struct out *o, const struct words *w, const struct code_query *q,
                             bool both_sip)
{
    if (!both_sip || q->result == QUERY_UNREGISTERED || q->code->family != CODE_SIP) {
        if (q->result == QUERY_UNREGISTERED && both_sip)
            out_u64(o, q->number);
        else
            explain_title(o, w, q);
        return;
    }
    out_text(o, slice_of_string(q->code->id));
    out_char(o, ' ');
    out_text(o, slice_of_string(q->code->phrase));
}

/* For two families, the lower first; TEXTS where classes decide. */
static enum text_id family_difference(enum code_family a, enum code_family b)
{
    static const uint16_t texts[CODE_CLASS][CODE_CLASS] = {
        [CODE_SIP] = { TEXTS, TEXT_EXPLAIN_DIFFERENCE_SIP_MONITOR,
                       TEXT_EXPLAIN_DIFFERENCE_SIP_LOCAL, TEXT_EXPLAIN_DIFFERENCE_SIP_Q850 },
        [CODE_MONITOR] = { 0, TEXT_EXPLAIN_DIFFERENCE_MONITOR_MONITOR,
                           TEXT_EXPLAIN_DIFFERENCE_MONITOR_LOCAL,
                           TEXT_EXPLAIN_DIFFERENCE_MONITOR_Q850 },
        [CODE_LOCAL] = { 0, 0, TEXT_EXPLAIN_DIFFERENCE_LOCAL_LOCAL,
                         TEXT_EXPLAIN_DIFFERENCE_LOCAL_Q850 },
        [CODE_Q850] = { 0, 0, 0, TEXT_EXPLAIN_DIFFERENCE_Q850_Q850 },
    };

    return (enum text_id)texts[a][b];
}

static unsigned rank(const struct code_query *q)
{
    return (unsigned)explain_family(q) * 16 + q->code->digit;
}

void explain_difference(struct out *o, const struct words *w, const struct code_query *a,
                        const struct code_query *b)
{
    struct out names[2];
    slice pattern;

    if (rank(a) > rank(b)) {
        const struct code_query *lower = b;

        b = a, a = lower;
    }

    enum code_family first = explain_family(a), second = explain_family(b);
    bool both_sip = first == CODE_SIP && second == CODE_SIP;

    if (both_sip)
        pattern = code_text(w, code_class_difference(a->code->digit, b->code->digit));
    else if (explain_is_sip_class(a->code) && a->result == QUERY_CODE)
        pattern = words_text(w, TEXT_EXPLAIN_DIFFERENCE_CLASS_OTHER);
    else
        pattern = words_text(w, family_difference(first, second));

    for (size_t i = 0; i < 2; i++) {
        out_init_memory(&names[i], 0);
        name_in_sentence(&names[i], w, i ? b : a, both_sip);
        if (names[i].error && !o->error)
            o->error = names[i].error;
    }
    words_fill(o, pattern, (const struct words_value[]){ WORDS_TEXT("a", out_taken(&names[0])),
                                                         WORDS_TEXT("b", out_taken(&names[1])) }, 2);
    out_done(&names[0]);
    out_done(&names[1]);
}

static void pair_heading(const struct explain *e, const struct code_query *a,
                         const struct code_query *b)
{
    struct explain_said first, second, said;

    explain_said_init(&first);
    explain_said_init(&second);
    explain_said_init(&said);
    explain_title(&first.out, e->words, a);
    explain_title(&second.out, e->words, b);
    page_heading(&e->page, explain_say(&said, e, TEXT_EXPLAIN_PAIR_TITLE,
                                       WORDS_TEXT("a", explain_said_text(&first, e)),
                                       WORDS_TEXT("b", explain_said_text(&second, e))));
    explain_said_done(&said);
    explain_said_done(&second);
    explain_said_done(&first);
}

static void pair(const struct explain *e, const struct code_query *a, const struct code_query *b,
                 bool alone)
{
    const struct code_comparison *c = explain_written((const struct code_query *const[]){ a, b }, 2);
    struct explain_said said;

    if (c && alone) {
        written(e, c);
        return;
    }
    if (alone)
        page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_DIFFERENCE));
    else
        pair_heading(e, a, b);

    explain_said_init(&said);
    if (c) {
        page_text(&e->page, GAP, TONE_PLAIN, code_text(e->words, c->gist));
        page_text(&e->page, GAP, TONE_PLAIN, code_text(e->words, c->tell));
    } else {
        explain_difference(&said.out, e->words, a, b);
        page_text(&e->page, GAP, TONE_PLAIN, explain_said_text(&said, e));
    }
    explain_said_done(&said);
}

static void pairs(const struct explain *e, const struct code_query subjects[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            pair(e, &subjects[i], &subjects[k], count == 2);
}

/* ---- side by side ---- */

static sentence first_fix(const struct code *code, enum code_role role)
{
    for (size_t i = 0; i < code->cause_count; i++)
        if (code->causes[i].fix[role].at)
            return code->causes[i].fix[role];
    return (sentence){0};
}

static void class_cell(struct out *o, const struct words *w, const struct code_query *q)
{
    const struct code *class = q->code->digit ? code_class(q->code->digit) : NULL;

    if (class)
        words_say(o, w, TEXT_EXPLAIN_CELL_CLASS, WORDS_TEXT("class", slice_of_string(class->id)),
                  WORDS_TEXT("name", code_name(w, class)));
}

static void kind_cell(struct out *o, const struct words *w, const struct code_query *q)
{
    if (explain_family(q) == CODE_SIP)
        out_text(o, words_text(w, q->code->digit == 1 ? TEXT_EXPLAIN_KIND_PROVISIONAL
                                                      : TEXT_EXPLAIN_KIND_FINAL));
}

#define SENTENCE_CELL(name, its_sentence)                                                          \
    static void name(struct out *o, const struct words *w, const struct code_query *q)             \
    {                                                                                              \
        out_text(o, code_text(w, its_sentence));                                                   \
    }
SENTENCE_CELL(means_cell, q->code->means)
SENTENCE_CELL(when_cell, q->code->when)
SENTENCE_CELL(sender_cell, q->code->sent_by)
SENTENCE_CELL(retry_cell, q->code->retry)
SENTENCE_CELL(caller_cell, first_fix(q->code, CODE_CALLER))
SENTENCE_CELL(admin_cell, first_fix(q->code, CODE_ADMIN))
SENTENCE_CELL(provider_cell, first_fix(q->code, CODE_PROVIDER))

static const struct {
    uint16_t label, depth;           /* depth: the last one that shows the row */
    void (*cell)(struct out *o, const struct words *w, const struct code_query *q);
} table_rows[] = {
    { TEXT_EXPLAIN_ROW_CLASS,    EXPLAIN_HELPDESK, class_cell },
    { TEXT_EXPLAIN_ROW_KIND,     EXPLAIN_HELPDESK, kind_cell },
    { TEXT_EXPLAIN_ROW_MEANS,    EXPLAIN_HELPDESK, means_cell },
    { TEXT_EXPLAIN_ROW_WHEN,     EXPLAIN_ENGINEER, when_cell },
    { TEXT_EXPLAIN_ROW_SENT_BY,  EXPLAIN_ENGINEER, sender_cell },
    { TEXT_EXPLAIN_ROW_RETRY,    EXPLAIN_HELPDESK, retry_cell },
    { TEXT_EXPLAIN_ROW_CALLER,   EXPLAIN_CALLER,   caller_cell },
    { TEXT_EXPLAIN_ROW_ADMIN,    EXPLAIN_HELPDESK, admin_cell },
    { TEXT_EXPLAIN_ROW_PROVIDER, EXPLAIN_HELPDESK, provider_cell },
};

struct side_by_side {
    const struct explain    *e;
    const struct code_query *subjects;
    size_t                   count;
    size_t                   widths[EXPLAIN_COMPARED_MAX + 1];
    bool                     stacked;
};

static void lay_out(struct side_by_side *t)
{
    size_t whole = page_width(&t->e->page), label = 0;

    for (size_t i = 0; i < ARRAY_LEN(table_rows); i++) {
        size_t columns = utf8_columns(words_text(t->e->words, (enum text_id)table_rows[i].label));

        label = columns > label ? columns : label;
    }

    size_t used = label + t->count * GAP;
    size_t each = whole > used ? (whole - used) / t->count : 0;

    if (each > PAGE_TEXT_MAX / 2)
        each = PAGE_TEXT_MAX / 2;
    t->stacked = each < CELL_MIN;
    t->widths[0] = label;
    for (size_t i = 1; i <= t->count; i++)
        t->widths[i] = each;
}

/* One row; `texts` holds a cell for each subject. A row without any text is left out. */
static void table_row(const struct side_by_side *t, slice label, enum style_tone tone,
                      struct out texts[], bool named)
{
    struct page_cell cells[EXPLAIN_COMPARED_MAX + 1] = { { label, TONE_DIM } };
    struct explain_said id;
    size_t any = 0;

    for (size_t i = 0; i < t->count; i++) {
        slice text = out_taken(&texts[i]);

        cells[i + 1] = (struct page_cell){ text.len ? text : SLICE("\u2013"), tone };
        any += text.len;
    }
    if (!any)
        return;
    if (!t->stacked) {
        page_row(&t->e->page, cells, t->widths, t->count + 1);
        return;
    }

    explain_said_init(&id);
    if (named)
        page_text(&t->e->page, 0, TONE_DIM, label);
    for (size_t i = 0; i < t->count; i++) {
        out_clear(&id.out);
        explain_id(&id.out, &t->subjects[i]);
        page_labelled(&t->e->page, GAP, 8,
                      (struct page_cell){ explain_said_text(&id, t->e), TONE_STRONG }, cells[i + 1]);
    }
    explain_said_done(&id);
}

static void table(const struct explain *e, const struct code_query subjects[], size_t count)
{
    struct side_by_side t = { .e = e, .subjects = subjects, .count = count };
    struct out texts[EXPLAIN_COMPARED_MAX];

    lay_out(&t);
    for (size_t i = 0; i < count; i++)
        out_init_memory(&texts[i], 0);

    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_TABLE));
    if (!t.stacked) {
        for (size_t i = 0; i < count; i++)
            explain_title(&texts[i], e->words, &subjects[i]);
        table_row(&t, SLICE(""), TONE_STRONG, texts, false);
        page_rule(&e->page, t.widths[0] + count * (t.widths[1] + GAP));
    }
    for (size_t row = 0; row < ARRAY_LEN(table_rows); row++) {
        if (e->depth > table_rows[row].depth)
            continue;
        for (size_t i = 0; i < count; i++) {
            out_clear(&texts[i]);
            table_rows[row].cell(&texts[i], e->words, &subjects[i]);
            if (texts[i].error && !e->page.out->error)
                e->page.out->error = texts[i].error;
        }
        table_row(&t, words_text(e->words, (enum text_id)table_rows[row].label), TONE_PLAIN, texts,
                  true);
    }
    for (size_t i = 0; i < count; i++)
        out_done(&texts[i]);
}

/* ---- the whole ---- */

static void head(const struct explain *e, const struct code_query *q)
{
    struct explain_said said;

    explain_said_init(&said);
    explain_title(&said.out, e->words, q);
    page_text(&e->page, 0, TONE_STRONG, explain_said_text(&said, e));
    if (q->result == QUERY_CODE)
        page_text(&e->page, GAP, TONE_PLAIN, code_text(e->words, q->code->headline));
    else
        explain_unregistered(e, q, GAP);
    explain_said_done(&said);
}

void explain_comparison(const struct explain *e, const struct code_query subjects[], size_t count)
{
    const struct code_query *all[EXPLAIN_COMPARED_MAX] = {0};

    if (count > EXPLAIN_COMPARED_MAX)
        count = EXPLAIN_COMPARED_MAX;
    for (size_t i = 0; i < count; i++) {
        all[i] = &subjects[i];
        head(e, &subjects[i]);
    }

    const struct code_comparison *whole = count > 2 ? explain_written(all, count) : NULL;

    if (whole)
        written(e, whole);
    else
        pairs(e, subjects, count);
    table(e, subjects, count);
}
