/* report/explain.c - the page of one code, and the lists; see explain.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/explain_int.h"

#include <stdio.h>

#include "base/utf8.h"

#define INDENT EXPLAIN_INDENT
#define ROLE_WIDTH_MAX 24

void explain_said_init(struct explain_said *said) { out_init_memory(&said->out, 0); }

slice explain_said_text(struct explain_said *said, const struct explain *e)
{
    if (said->out.error && !e->page.out->error)
        e->page.out->error = said->out.error;
    return out_taken(&said->out);
}

void explain_said_done(struct explain_said *said) { out_done(&said->out); }

/* ---- names ---- */

enum code_family explain_family(const struct code_query *q)
{
    if (q->result == QUERY_UNREGISTERED || q->code->family == CODE_CLASS)
        return q->code->digit <= 6 ? CODE_SIP : CODE_LOCAL;
    return (enum code_family)q->code->family;
}

void explain_id(struct out *o, const struct code_query *q)
{
    if (q->result == QUERY_UNREGISTERED)
        out_u64(o, q->number);
    else
        out_text(o, slice_of_string(q->code->id));
}

void explain_title(struct out *o, const struct words *w, const struct code_query *q)
{
    static const uint16_t titles[CODE_FAMILIES] = {
        [CODE_SIP] = TEXT_EXPLAIN_TITLE_SIP,     [CODE_MONITOR] = TEXT_EXPLAIN_TITLE_MONITOR,
        [CODE_LOCAL] = TEXT_EXPLAIN_TITLE_LOCAL, [CODE_Q850] = TEXT_EXPLAIN_TITLE_Q850,
        [CODE_CLASS] = TEXT_EXPLAIN_TITLE_CLASS,
    };
    const struct code *code = q->code;

    if (q->result == QUERY_UNREGISTERED) {
        enum text_id id = code->digit <= 6 ? TEXT_EXPLAIN_TITLE_UNREGISTERED_SIP
                                           : TEXT_EXPLAIN_TITLE_UNREGISTERED_LOCAL;

        words_say(o, w, id, WORDS_NUMBER("id", q->number));
        return;
    }

    slice name = code->title.at ? code_text(w, code->title) : code_name(w, code);

    words_say(o, w, (enum text_id)titles[code->family], WORDS_TEXT("id", slice_of_string(code->id)),
              WORDS_TEXT("name", name));
}

void explain_name(struct out *o, const struct code *code)
{
    if (code->family != CODE_CLASS) {
        out_text(o, slice_of_string(code_family_name((enum code_family)code->family)));
        out_char(o, ':');
    }
    out_text(o, slice_of_string(code->id));
}

static slice title_of(struct explain_said *said, const struct explain *e, const struct code *code)
{
    out_clear(&said->out);
    explain_title(&said->out, e->words,
                  &(struct code_query){ .result = QUERY_CODE, .code = code });
    return explain_said_text(said, e);
}

/* ---- parts of a page ---- */

void explain_section(const struct explain *e, enum text_id heading, slice text)
{
    if (!text.len)
        return;
    page_heading(&e->page, words_text(e->words, heading));
    page_text(&e->page, INDENT, TONE_PLAIN, text);
}

static void sentence_line(const struct explain *e, enum text_id id)
{
    page_text(&e->page, INDENT, TONE_PLAIN, words_text(e->words, id));
}

static void join(struct out *o, const struct words *w, const char *const *items)
{
    for (size_t i = 0; items[i]; i++) {
        if (i)
            out_text(o, words_text(w, TEXT_CLI_LIST_SEPARATOR));
        out_text(o, slice_of_string(items[i]));
    }
}

static void headers(const struct explain *e, enum text_id id, const char *const *names)
{
    struct explain_said list, said;

    if (!names[0])
        return;
    explain_said_init(&list);
    explain_said_init(&said);
    join(&list.out, e->words, names);
    page_text(&e->page, INDENT, TONE_PLAIN,
              explain_say(&said, e, id, WORDS_TEXT("headers", explain_said_text(&list, e))));
    explain_said_done(&said);
    explain_said_done(&list);
}

static void carries(const struct explain *e, const struct code *code)
{
    explain_section(e, TEXT_EXPLAIN_HEADING_CARRIES, code_text(e->words, code->carries));
    if (!code->carries.at)
        return;
    headers(e, TEXT_EXPLAIN_MUST_HEADERS, code->must_headers);
    headers(e, TEXT_EXPLAIN_MAY_HEADERS, code->may_headers);
}

/* Provisional or final, and of which class: "4xx (client error)". */
static void kind_line(const struct explain *e, unsigned digit)
{
    const struct code *class = code_class(digit);
    struct explain_said name, said;

    if (!class || digit > 6)
        return;
    explain_said_init(&name);
    explain_said_init(&said);

    slice cell = explain_say(&name, e, TEXT_EXPLAIN_CELL_CLASS,
                             WORDS_TEXT("class", slice_of_string(class->id)),
                             WORDS_TEXT("name", code_name(e->words, class)));

    page_text(&e->page, INDENT, TONE_PLAIN,
              explain_say(&said, e, digit == 1 ? TEXT_EXPLAIN_IS_PROVISIONAL : TEXT_EXPLAIN_IS_FINAL,
                          WORDS_TEXT("class", cell)));
    explain_said_done(&said);
    explain_said_done(&name);
}

static enum text_id list_text(const char *list)
{
    static const struct { const char *list; enum text_id id; } texts[] = {
        { "active", TEXT_EXPLAIN_LIST_ACTIVE },
        { "completed", TEXT_EXPLAIN_LIST_COMPLETED },
        { "unmonitored", TEXT_EXPLAIN_LIST_UNMONITORED },
        { "registrations", TEXT_EXPLAIN_LIST_REGISTRATIONS },
    };

    for (size_t i = 0; list && i < ARRAY_LEN(texts); i++)
        if (strcmp(texts[i].list, list) == 0)
            return texts[i].id;
    return TEXTS;
}

/* How it counts: class, normal or not, what it ends, statistics. Each a whole sentence. */
static void place(const struct explain *e, const struct code *code)
{
    static const uint16_t normal[] = {
        [CODE_NORMAL_UNSAID] = TEXTS, [CODE_NORMAL_YES] = TEXT_EXPLAIN_NORMAL_YES,
        [CODE_NORMAL_FIRST] = TEXT_EXPLAIN_NORMAL_FIRST, [CODE_NORMAL_NO] = TEXT_EXPLAIN_NORMAL_NO,
    };
    static const uint16_t effect[] = {
        [CODE_EFFECT_NONE] = TEXTS, [CODE_EFFECT_TRANSACTION] = TEXT_EXPLAIN_EFFECT_TRANSACTION,
        [CODE_EFFECT_USAGE] = TEXT_EXPLAIN_EFFECT_USAGE,
        [CODE_EFFECT_DIALOG] = TEXT_EXPLAIN_EFFECT_DIALOG,
    };
    static const uint16_t outcome[CODE_OUTCOMES] = {
        [CODE_OUTCOME_NONE] = TEXTS,
        [CODE_PROGRESS] = TEXT_EXPLAIN_OUTCOME_PROGRESS,
        [CODE_ANSWERED] = TEXT_EXPLAIN_OUTCOME_ANSWERED,
        [CODE_REDIRECT] = TEXT_EXPLAIN_OUTCOME_REDIRECT,
        [CODE_SYNTAX] = TEXT_EXPLAIN_OUTCOME_SYNTAX,
        [CODE_CHALLENGE] = TEXT_EXPLAIN_OUTCOME_CHALLENGE,
        [CODE_ACCOUNT] = TEXT_EXPLAIN_OUTCOME_ACCOUNT,
        [CODE_NUMBER] = TEXT_EXPLAIN_OUTCOME_NUMBER,
        [CODE_USER] = TEXT_EXPLAIN_OUTCOME_USER,
        [CODE_NETWORK] = TEXT_EXPLAIN_OUTCOME_NETWORK,
        [CODE_CAPABILITY] = TEXT_EXPLAIN_OUTCOME_CAPABILITY,
        [CODE_ROUTING] = TEXT_EXPLAIN_OUTCOME_ROUTING,
        [CODE_DIALOG] = TEXT_EXPLAIN_OUTCOME_DIALOG,
    };
    const uint16_t lines[] = {
        code->registered ? TEXTS : TEXT_EXPLAIN_IS_NOT_REGISTERED, normal[code->normal],
        effect[code->effect], outcome[code->outcome], (uint16_t)list_text(code->list),
    };
    bool any = code->family == CODE_SIP;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        any = any || lines[i] != TEXTS;
    if (!any)
        return;
    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_PLACE));
    if (code->family == CODE_SIP)
        kind_line(e, code->digit);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (lines[i] != TEXTS)
            sentence_line(e, (enum text_id)lines[i]);
}

/* ---- causes ---- */

static const uint16_t cause_labels[] = {
    TEXT_EXPLAIN_LABEL_EVIDENCE, TEXT_EXPLAIN_LABEL_CALLER, TEXT_EXPLAIN_LABEL_CALLEE,
    TEXT_EXPLAIN_LABEL_PROVIDER, TEXT_EXPLAIN_LABEL_ADMIN,
};

slice explain_role_label(const struct explain *e, enum code_role role)
{
    return words_text(e->words, (enum text_id)cause_labels[1 + role]);
}

size_t explain_label_width(const struct explain *e)
{
    size_t widest = 0;

    for (size_t i = 0; i < ARRAY_LEN(cause_labels); i++) {
        size_t columns = utf8_columns(words_text(e->words, (enum text_id)cause_labels[i]));

        if (columns > widest)
            widest = columns;
    }
    return (widest > ROLE_WIDTH_MAX ? ROLE_WIDTH_MAX : widest) + 1;
}

static void cause(const struct explain *e, const struct code_cause *cause, size_t number)
{
    char digits[8];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%zu.", number);
    sentence texts[1 + CODE_ROLES] = { cause->evidence };

    memcpy(texts + 1, cause->fix, sizeof cause->fix);
    page_blank(&e->page);
    page_labelled(&e->page, INDENT, 4, (struct page_cell){ slice_of(digits, len), TONE_STRONG },
                  (struct page_cell){ code_text(e->words, cause->text), TONE_STRONG });
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!texts[i].at || (i == 0 && e->depth != EXPLAIN_ENGINEER))
            continue;
        page_labelled(&e->page, INDENT + 4, explain_label_width(e),
                      (struct page_cell){ words_text(e->words, (enum text_id)cause_labels[i]),
                                          TONE_DIM },
                      (struct page_cell){ code_text(e->words, texts[i]), TONE_PLAIN });
    }
}

static void causes(const struct explain *e, const struct code *code)
{
    if (!code->cause_count)
        return;
    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_CAUSES));
    for (size_t i = 0; i < code->cause_count; i++)
        cause(e, &code->causes[i], i + 1);
}

/* For somebody who only wants to telephone. */
static void caller_part(const struct explain *e, const struct code *code)
{
    size_t count = 0;

    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_CALLER));
    for (size_t i = 0; i < code->cause_count; i++) {
        const struct code_cause *c = &code->causes[i];

        if (!c->fix[CODE_CALLER].at)
            continue;
        if (count++)
            page_blank(&e->page);
        page_text(&e->page, INDENT, TONE_STRONG, code_text(e->words, c->text));
        page_text(&e->page, INDENT, TONE_PLAIN, code_text(e->words, c->fix[CODE_CALLER]));
    }
    if (!count)
        sentence_line(e, TEXT_EXPLAIN_CALLER_NOTHING);
}

/* ---- other codes ---- */

size_t explain_name_width(const struct code *const codes[], size_t count)
{
    size_t widest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(codes[i]->id) + 2;

        if (codes[i]->family != CODE_CLASS)
            len += 1 + strlen(code_family_name((enum code_family)codes[i]->family));
        if (len > widest)
            widest = len;
    }
    return widest;
}

static slice heading_of(const struct explain *e, const struct code *code)
{
    return code->title.at ? code_text(e->words, code->title) : code_name(e->words, code);
}

/* "sip:486  Busy Here" and, if asked for, its headline below. */
void explain_code_line(const struct explain *e, const struct code *code, size_t indent,
                       size_t width, bool with_headline)
{
    struct explain_said name;

    explain_said_init(&name);
    explain_name(&name.out, code);
    page_labelled(&e->page, indent, width,
                  (struct page_cell){ explain_said_text(&name, e), TONE_STRONG },
                  (struct page_cell){ heading_of(e, code), TONE_PLAIN });
    if (with_headline)
        page_below(&e->page, indent, width,
                   (struct page_cell){ code_text(e->words, code->headline), TONE_DIM });
    explain_said_done(&name);
}

static void related(const struct explain *e, const struct code *code)
{
    const struct code *codes[UINT8_MAX];

    if (!code->related_count)
        return;
    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_RELATED));
    for (size_t i = 0; i < code->related_count; i++)
        codes[i] = code_at(code->related[i]);

    size_t width = explain_name_width(codes, code->related_count);

    for (size_t i = 0; i < code->related_count; i++)
        explain_code_line(e, codes[i], INDENT, width, true);
}

static void references(const struct explain *e, const struct code *code)
{
    struct explain_said said;

    if (!code->rfc[0])
        return;
    explain_said_init(&said);
    join(&said.out, e->words, code->rfc);
    explain_section(e, TEXT_EXPLAIN_HEADING_REFERENCES, explain_said_text(&said, e));
    explain_said_done(&said);
}

/* The number in other families, or other codes that the words fit. */
static void also(const struct explain *e, const struct code_query *q)
{
    struct explain_said title, name, said;

    explain_said_init(&title);
    explain_said_init(&name);
    explain_said_init(&said);
    if (q->other_count)
        page_blank(&e->page);
    for (size_t i = 0; i < q->other_count; i++) {
        out_clear(&name.out);
        explain_name(&name.out, q->others[i]);
        page_text(&e->page, 0, TONE_DIM,
                  explain_say(&said, e, q->by_phrase ? TEXT_EXPLAIN_ALSO_PHRASE
                                                     : TEXT_EXPLAIN_ALSO_NUMBER,
                              WORDS_TEXT("code", title_of(&title, e, q->others[i])),
                              WORDS_TEXT("query", explain_said_text(&name, e))));
    }
    explain_said_done(&said);
    explain_said_done(&name);
    explain_said_done(&title);
}

static void members(const struct explain *e, const struct code *class)
{
    enum code_family family = class->digit <= 6 ? CODE_SIP : CODE_LOCAL;
    bool any = false;

    for (size_t i = 0; i < code_count(); i++) {
        const struct code *code = code_at(i);

        if (code->family != family || code->digit != class->digit)
            continue;
        if (!any)
            page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_MEMBERS));
        any = true;
        explain_code_line(e, code, INDENT, explain_name_width(&code, 1), true);
    }
}

/* ---- pages ---- */

static void head(const struct explain *e, const struct code_query *q)
{
    struct explain_said said;

    explain_said_init(&said);
    explain_title(&said.out, e->words, q);
    page_text(&e->page, 0, TONE_STRONG, explain_said_text(&said, e));
    explain_said_done(&said);
}

void explain_unregistered(const struct explain *e, const struct code_query *q, size_t indent)
{
    struct explain_said said;

    explain_said_init(&said);
    words_fill(&said.out, code_text(e->words, q->code->unknown),
               (const struct words_value[]){ WORDS_NUMBER("code", q->number),
                                             WORDS_NUMBER("class_code", explain_base(q)) }, 2);
    page_text(&e->page, indent, TONE_PLAIN, explain_said_text(&said, e));
    explain_said_done(&said);
}

static void class_part(const struct explain *e, const struct code *class)
{
    explain_section(e, TEXT_EXPLAIN_HEADING_MEANS, code_text(e->words, class->means));
    if (e->depth == EXPLAIN_CALLER)
        return;
    if (e->depth == EXPLAIN_ENGINEER)
        explain_section(e, TEXT_EXPLAIN_HEADING_SENT_BY, code_text(e->words, class->sent_by));
    explain_section(e, TEXT_EXPLAIN_HEADING_RETRY, code_text(e->words, class->retry));
}

static void code_part(const struct explain *e, const struct code *code)
{
    bool all = e->depth == EXPLAIN_ENGINEER;

    if (e->depth == EXPLAIN_CALLER) {
        caller_part(e, code);
        return;
    }
    explain_section(e, TEXT_EXPLAIN_HEADING_MEANS, code_text(e->words, code->means));
    explain_section(e, TEXT_EXPLAIN_HEADING_WHEN, code_text(e->words, code->when));
    if (all) {
        explain_section(e, TEXT_EXPLAIN_HEADING_SENT_BY, code_text(e->words, code->sent_by));
        carries(e, code);
        explain_section(e, TEXT_EXPLAIN_HEADING_LEAVES, code_text(e->words, code->leaves));
        explain_section(e, TEXT_EXPLAIN_HEADING_MAPS, code_text(e->words, code->maps));
        explain_section(e, TEXT_EXPLAIN_HEADING_RETRY, code_text(e->words, code->retry));
        place(e, code);
        explain_section(e, TEXT_EXPLAIN_HEADING_NOTE, code_text(e->words, code->note));
    }
    causes(e, code);
    if (all) {
        related(e, code);
        references(e, code);
        explain_causes_of(e, code);
    }
}

void explain_page(const struct explain *e, const struct code_query *q)
{
    head(e, q);
    if (q->result == QUERY_UNREGISTERED)
        explain_unregistered(e, q, 0);
    else
        page_text(&e->page, 0, TONE_PLAIN, code_text(e->words, q->code->headline));

    if (q->code->family == CODE_CLASS)
        class_part(e, q->code);
    else
        code_part(e, q->code);
    if (q->code->family == CODE_CLASS && e->depth == EXPLAIN_ENGINEER && q->result == QUERY_CODE)
        members(e, q->code);
    also(e, q);
}

void explain_several(const struct explain *e, slice text, const struct code_query *q)
{
    struct explain_said said;
    char clean[200];

    explain_said_init(&said);
    words_say_plural(&said.out, e->words, TEXT_EXPLAIN_SEVERAL, WORDS_NUMBER("count", q->total),
                     WORDS_TEXT("text", slice_of(clean, utf8_clean(&text, clean, sizeof clean))));
    page_text(&e->page, 0, TONE_PLAIN, explain_said_text(&said, e));
    page_blank(&e->page);

    size_t width = explain_name_width(q->others, q->other_count);

    for (size_t i = 0; i < q->other_count; i++)
        explain_code_line(e, q->others[i], INDENT, width, true);
    explain_said_done(&said);
}

void explain_list(const struct explain *e)
{
    for (size_t i = 0; i < code_count(); i++)
        explain_code_line(e, code_at(i), 0, 16, false);
    page_blank(&e->page);
    explain_cause_list(e);
}
