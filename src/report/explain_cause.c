/* report/explain_cause.c - the page of a cause of calls, and lists of causes; see explain.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/explain_int.h"

#define SLUG_WIDTH_MAX 36            /* longer than any id, with two blanks */

void explain_cause_title(struct out *o, const struct words *w, enum cause_id cause)
{
    words_say(o, w, TEXT_EXPLAIN_TITLE_CAUSE, WORDS_TEXT("id", slice_of_string(cause_slug(cause))),
              WORDS_TEXT("name", cause_text(w, cause, CAUSE_PART_HEADLINE)));
}

/* What it says when nothing is known of a particular call. */
static slice meaning(const struct explain *e, enum cause_id cause)
{
    slice plain = cause_text(e->words, cause, CAUSE_PART_TEXT_PLAIN);

    return plain.len ? plain : cause_text(e->words, cause, CAUSE_PART_TEXT);
}

static slice fix(const struct explain *e, enum cause_id cause, int role)
{
    return cause_text(e->words, cause, (enum cause_part)(CAUSE_PART_FIX + role));
}

static void count_part(const struct explain *e, enum cause_id cause)
{
    static const uint16_t severities[] = {
        [CAUSE_SEVERITY_INFO] = TEXT_EXPLAIN_SEVERITY_INFO,
        [CAUSE_SEVERITY_NOTICE] = TEXT_EXPLAIN_SEVERITY_NOTICE,
        [CAUSE_SEVERITY_WARNING] = TEXT_EXPLAIN_SEVERITY_WARNING,
        [CAUSE_SEVERITY_ERROR] = TEXT_EXPLAIN_SEVERITY_ERROR,
    };
    static const uint16_t blames[] = {
        [CAUSE_BLAME_NOBODY] = TEXT_EXPLAIN_BLAME_NOBODY,
        [CAUSE_BLAME_CALLER] = TEXT_EXPLAIN_BLAME_CALLER,
        [CAUSE_BLAME_CALLEE] = TEXT_EXPLAIN_BLAME_CALLEE,
        [CAUSE_BLAME_PROVIDER] = TEXT_EXPLAIN_BLAME_PROVIDER,
        [CAUSE_BLAME_ADMIN] = TEXT_EXPLAIN_BLAME_ADMIN,
        [CAUSE_BLAME_NETWORK] = TEXT_EXPLAIN_BLAME_NETWORK,
        [CAUSE_BLAME_UNKNOWN] = TEXT_EXPLAIN_BLAME_UNKNOWN,
    };
    const uint16_t lines[] = {
        severities[cause_severity(cause)], blames[cause_blame(cause)],
        cause_may_be_main(cause) ? TEXT_EXPLAIN_CAUSE_MAIN : TEXT_EXPLAIN_CAUSE_FINDING,
    };

    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_COUNT));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        page_text(&e->page, EXPLAIN_INDENT, TONE_PLAIN,
                  words_text(e->words, (enum text_id)lines[i]));
}

static void fix_part(const struct explain *e, enum cause_id cause)
{
    bool any = false;

    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_FIX));
    for (int role = 0; role < CODE_ROLES; role++) {
        slice text = fix(e, cause, role);

        if (!text.len)
            continue;
        any = true;
        page_labelled(&e->page, EXPLAIN_INDENT, explain_label_width(e),
                      (struct page_cell){ explain_role_label(e, (enum code_role)role), TONE_DIM },
                      (struct page_cell){ text, TONE_PLAIN });
    }
    if (!any)
        page_text(&e->page, EXPLAIN_INDENT, TONE_PLAIN,
                  words_text(e->words, TEXT_EXPLAIN_CAUSE_NOTHING));
}

static void caller_part(const struct explain *e, enum cause_id cause)
{
    slice text = fix(e, cause, CODE_CALLER);

    if (!text.len)
        text = words_text(e->words, cause_severity(cause) <= CAUSE_SEVERITY_NOTICE
                                        ? TEXT_EXPLAIN_CAUSE_NOTHING
                                        : TEXT_EXPLAIN_CALLER_NOTHING);
    explain_section(e, TEXT_EXPLAIN_HEADING_CALLER, text);
}

static void codes_part(const struct explain *e, enum cause_id cause)
{
    bool any = false;

    for (size_t i = 0; i < code_count(); i++) {
        const struct code *code = code_at(i);

        if (!cause_has_code(cause, code))
            continue;
        if (!any)
            page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_CAUSE_CODES));
        any = true;
        explain_code_line(e, code, EXPLAIN_INDENT, explain_name_width(&code, 1), true);
    }
}

void explain_cause_page(const struct explain *e, enum cause_id cause)
{
    struct explain_said said;

    explain_said_init(&said);
    explain_cause_title(&said.out, e->words, cause);
    page_text(&e->page, 0, TONE_STRONG, explain_said_text(&said, e));
    explain_said_done(&said);
    page_text(&e->page, 0, TONE_PLAIN, meaning(e, cause));
    if (e->depth == EXPLAIN_CALLER) {
        caller_part(e, cause);
        return;
    }
    if (e->depth == EXPLAIN_ENGINEER) {
        count_part(e, cause);
        explain_section(e, TEXT_EXPLAIN_HEADING_PROOF,
                        cause_text(e->words, cause, CAUSE_PART_PROOF));
        explain_section(e, TEXT_EXPLAIN_HEADING_REFUTE,
                        cause_text(e->words, cause, CAUSE_PART_REFUTE));
    }
    fix_part(e, cause);
    if (e->depth == EXPLAIN_ENGINEER)
        codes_part(e, cause);
}

/* ---- lists ---- */

static void cause_line(const struct explain *e, enum cause_id cause, size_t indent, size_t width)
{
    page_labelled(&e->page, indent, width,
                  (struct page_cell){ slice_of_string(cause_slug(cause)), TONE_STRONG },
                  (struct page_cell){ cause_text(e->words, cause, CAUSE_PART_HEADLINE),
                                      TONE_PLAIN });
}

static size_t slug_width(const enum cause_id causes[], size_t count)
{
    size_t widest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(cause_slug(causes[i])) + 2;

        if (len > widest)
            widest = len;
    }
    return widest < SLUG_WIDTH_MAX ? widest : SLUG_WIDTH_MAX;
}

void explain_causes_of(const struct explain *e, const struct code *code)
{
    enum cause_id found[CAUSES];
    size_t count = 0;

    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++)
        if (cause_has_code((enum cause_id)i, code))
            found[count++] = (enum cause_id)i;
    if (!count)
        return;
    page_heading(&e->page, words_text(e->words, TEXT_EXPLAIN_HEADING_CALL_CAUSES));
    for (size_t i = 0; i < count; i++)
        cause_line(e, found[i], EXPLAIN_INDENT, slug_width(found, count));
}

void explain_causes(const struct explain *e, slice text, const struct cause_query *q)
{
    struct explain_said said, clean;

    explain_said_init(&said);
    explain_said_init(&clean);
    style_clean(&clean.out, text);
    words_say_plural(&said.out, e->words, TEXT_EXPLAIN_SEVERAL_CAUSES,
                     WORDS_NUMBER("count", q->total),
                     WORDS_TEXT("text", explain_said_text(&clean, e)));
    page_text(&e->page, 0, TONE_PLAIN, explain_said_text(&said, e));
    page_blank(&e->page);
    for (size_t i = 0; i < q->found_count; i++)
        cause_line(e, q->found[i], EXPLAIN_INDENT, slug_width(q->found, q->found_count));
    explain_said_done(&clean);
    explain_said_done(&said);
}

void explain_cause_list(const struct explain *e)
{
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++)
        cause_line(e, (enum cause_id)i, 0, SLUG_WIDTH_MAX);
}
