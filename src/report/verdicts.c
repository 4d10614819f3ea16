/* report/verdicts.c - see verdicts.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/verdicts.h"

#include "base/utf8.h"
#include "codes/cause.h"

#define VALUES_MAX 16u

/* ---- values ------------------------------------------------------------------------------ */

static size_t values_of(const struct verdict *v, struct words_value values[VALUES_MAX])
{
    size_t count = 0;

    for (; count < v->param_count && count < VALUES_MAX; count++)
        values[count] = WORDS_TEXT(v->params[count].name, v->params[count].value);
    return count;
}

/* Text with everything in it that a terminal could act on made harmless. */
static void clean_into(struct out *o, slice text)
{
    char piece[512];

    out_clear(o);
    while (text.len) {
        size_t n = utf8_clean(&text, piece, sizeof piece);

        out_text(o, slice_of(piece, n));
    }
}

void verdict_sentence(struct out *o, const struct words *w, const struct verdict *v)
{
    struct words_value values[VALUES_MAX];
    size_t count = values_of(v, values);
    struct out said;

    out_init_memory(&said, 8192);
    cause_say(&said, w, (enum cause_id)v->cause, CAUSE_PART_TEXT, values, count);
    clean_into(o, out_taken(&said));
    out_done(&said);
}

void verdict_evidence_list(struct out *o, const struct words *w, const struct verdict *v)
{
    struct out said;

    out_init_memory(&said, 4096);
    for (size_t i = 0; i < v->evidence_count; i++) {
        out_text(&said, i ? words_text(w, TEXT_READ_EVIDENCE_SEPARATOR) : SLICE(""));
        words_say(&said, w, TEXT_READ_EVIDENCE_FRAME, WORDS_NUMBER("number", v->evidence[i].frame),
                  WORDS_TEXT("what", v->evidence[i].what));
    }
    clean_into(o, out_taken(&said));
    out_done(&said);
}

slice verdicts_headline(const struct words *w, const struct call_verdicts *v)
{
    if (!v || !v->cause.cause)
        return (slice){0};
    return cause_text(w, (enum cause_id)v->cause.cause, CAUSE_PART_HEADLINE);
}

size_t verdicts_cause_leg(struct call *const *legs, size_t leg)
{
    for (size_t i = 0; i < leg; i++)
        if (legs[i]->verdicts && legs[i]->verdicts->cause.cause == legs[leg]->verdicts->cause.cause)
            return i;
    return leg;
}

size_t verdicts_finding_number(struct call *const *legs, size_t leg, size_t finding)
{
    uint16_t id = legs[leg]->verdicts->findings[finding].cause;

    for (size_t i = 0; i < leg; i++) {
        const struct call_verdicts *v = legs[i]->verdicts;

        for (size_t k = 0; v && k < v->finding_count; k++)
            if (v->findings[k].cause == id)
                return i * VERDICT_FINDINGS_MAX + k;
    }
    return leg * VERDICT_FINDINGS_MAX + finding;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void json_evidence(struct json *j, const struct verdict *v)
{
    json_open_in(j, "evidence", '[');
    for (size_t i = 0; i < v->evidence_count; i++) {
        json_open(j, '{');
        json_u64(j, "frame", v->evidence[i].frame);
        json_text(j, "what", v->evidence[i].what);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_sentence(struct json *j, const struct words *w, const struct verdict *v)
{
    struct out said;

    out_init_memory(&said, 8192);
    verdict_sentence(&said, w, v);
    json_text(j, "text", out_taken(&said));
    out_done(&said);
}

static void json_fix(struct json *j, const struct words *w, const struct verdict *v)
{
    json_open_in(j, "fix", '[');
    for (unsigned role = 0; role < CODE_ROLES; role++) {
        slice text = cause_text(w, (enum cause_id)v->cause, (enum cause_part)(CAUSE_PART_FIX + role));

        if (text.len == 0)
            continue;
        json_open(j, '{');
        json_text(j, "who", slice_of_string(code_role_name((enum code_role)role)));
        json_text(j, "text", text);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_params(struct json *j, const struct verdict *v)
{
    json_open_in(j, "values", '{');
    for (size_t i = 0; i < v->param_count; i++)
        json_text(j, v->params[i].name, v->params[i].value);
    json_close(j, '}');
}

static void json_verdict(struct json *j, const struct words *w, const struct verdict *v)
{
    enum cause_id id = (enum cause_id)v->cause;

    json_text(j, "id", slice_of_string(cause_slug(id)));
    json_text(j, "severity", slice_of_string(cause_severity_name(cause_severity(id))));
    json_text(j, "certainty", verdict_certainty_name((enum verdict_certainty)v->certainty));
    if (v->code) {
        json_open_in(j, "code", '{');
        json_text(j, "family", SLICE("sip"));
        json_u64(j, "code", v->code);
        json_close(j, '}');
    }
    json_text(j, "blame", slice_of_string(cause_blame_name(cause_blame(id))));
    json_text(j, "headline", cause_text(w, id, CAUSE_PART_HEADLINE));
    json_sentence(j, w, v);
    json_fix(j, w, v);
    json_evidence(j, v);
    if (v->param_count)
        json_params(j, v);
}

void verdicts_json(struct json *j, const struct words *w, const struct call_verdicts *v)
{
    if (!v || !v->cause.cause) {
        json_null(j, "cause");
    } else {
        json_open_in(j, "cause", '{');
        json_verdict(j, w, &v->cause);
        json_close(j, '}');
    }
    json_open_in(j, "findings", '[');
    for (size_t i = 0; v && i < v->finding_count; i++) {
        json_open(j, '{');
        json_verdict(j, w, &v->findings[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* ---- text ------------------------------------------------------------------------------------ */

enum style_tone verdict_tone(const struct verdict *v)
{
    static const uint8_t tones[] = {
        [CAUSE_SEVERITY_INFO] = TONE_PLAIN, [CAUSE_SEVERITY_NOTICE] = TONE_PLAIN,
        [CAUSE_SEVERITY_WARNING] = TONE_WARN, [CAUSE_SEVERITY_ERROR] = TONE_BAD,
    };

    return (enum style_tone)tones[cause_severity((enum cause_id)v->cause)];
}

static const enum text_id certainty_words[] = {
    [VERDICT_POSSIBLE] = TEXT_READ_CERTAINTY_POSSIBLE,
    [VERDICT_LIKELY] = TEXT_READ_CERTAINTY_LIKELY,
    [VERDICT_SURE] = TEXT_READ_CERTAINTY_SURE,
};
static const enum text_id role_words[CODE_ROLES] = {
    [CODE_CALLER] = TEXT_READ_FIX_CALLER, [CODE_CALLEE] = TEXT_READ_FIX_CALLEE,
    [CODE_PROVIDER] = TEXT_READ_FIX_PROVIDER, [CODE_ADMIN] = TEXT_READ_FIX_ADMIN,
};

static size_t label_width(const struct words *w)
{
    size_t width = utf8_columns(words_text(w, TEXT_READ_LABEL_PROOF));
    size_t other = utf8_columns(words_text(w, TEXT_READ_LABEL_REFUTE));

    width = other > width ? other : width;
    for (size_t i = 0; i < CODE_ROLES; i++) {
        other = utf8_columns(words_text(w, role_words[i]));
        width = other > width ? other : width;
    }
    return width + 2;
}

static void print_labelled(const struct page *p, size_t indent, size_t width, slice label, slice text)
{
    if (text.len)
        page_labelled(p, indent, width, (struct page_cell){ label, TONE_DIM },
                      (struct page_cell){ text, TONE_PLAIN });
}

static void print_headline(const struct page *p, const struct words *w, size_t indent, slice mark,
                           const struct verdict *v)
{
    struct out said;

    out_init_memory(&said, 1024);
    words_say(&said, w, certainty_words[v->certainty],
              WORDS_TEXT("headline", cause_text(w, (enum cause_id)v->cause, CAUSE_PART_HEADLINE)));
    if (mark.len)
        page_labelled(p, indent - VERDICT_MARGIN, VERDICT_MARGIN, (struct page_cell){ mark, verdict_tone(v) },
                      (struct page_cell){ out_taken(&said), verdict_tone(v) });
    else
        page_text(p, indent, verdict_tone(v), out_taken(&said));
    out_done(&said);
}

static void print_reasons(const struct page *p, const struct words *w, size_t indent, const struct verdict *v)
{
    enum cause_id id = (enum cause_id)v->cause;
    size_t width = label_width(w);
    struct out said;

    out_init_memory(&said, 8192);
    verdict_sentence(&said, w, v);
    page_text(p, indent, TONE_PLAIN, out_taken(&said));
    verdict_evidence_list(&said, w, v);
    print_labelled(p, indent, width, words_text(w, TEXT_READ_LABEL_PROOF), out_taken(&said));
    if (v->certainty != VERDICT_SURE)
        print_labelled(p, indent, width, words_text(w, TEXT_READ_LABEL_REFUTE),
                       cause_text(w, id, CAUSE_PART_REFUTE));
    for (unsigned role = 0; role < CODE_ROLES; role++)
        print_labelled(p, indent, width, words_text(w, role_words[role]),
                       cause_text(w, id, (enum cause_part)(CAUSE_PART_FIX + role)));
    out_done(&said);
}

void verdict_print(const struct page *p, const struct words *w, size_t indent, const struct verdict *v)
{
    print_headline(p, w, indent, (slice){0}, v);
    print_reasons(p, w, indent, v);
}

void verdict_print_marked(const struct page *p, const struct words *w, size_t indent, slice mark,
                          const struct verdict *v)
{
    print_headline(p, w, indent + VERDICT_MARGIN, mark, v);
    print_reasons(p, w, indent + VERDICT_MARGIN, v);
}
