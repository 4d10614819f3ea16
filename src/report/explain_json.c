/* report/explain_json.c - codes, causes and comparisons as JSON Lines; see explain.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys are stable; texts are in the language asked for. What a code does not have is absent. */
#include "base/json.h"
#include "report/explain_int.h"

static void text(struct json *j, const char *key, const struct words *w, sentence s)
{
    if (s.at)
        json_text(j, key, code_text(w, s));
}

static void string(struct json *j, const char *key, const char *value)
{
    if (value && value[0])
        json_text(j, key, slice_of_string(value));
}

static void strings(struct json *j, const char *key, const char *const *values)
{
    json_open_in(j, key, '[');
    for (; *values; values++)
        json_text(j, NULL, slice_of_string(*values));
    json_close(j, ']');
}

/* A number where the id is one, as in {"family":"sip","code":486}. */
static void identity(struct json *j, const struct code *code)
{
    json_text(j, "family", slice_of_string(code_family_name((enum code_family)code->family)));
    if (code->number)
        json_u64(j, "code", code->number);
    else
        json_text(j, "code", slice_of_string(code->id));
}

static void causes(struct json *j, const struct words *w, const struct code *code)
{
    json_open_in(j, "causes", '[');
    for (size_t i = 0; i < code->cause_count; i++) {
        const struct code_cause *cause = &code->causes[i];

        json_open(j, '{');
        json_text(j, "id", slice_of_string(cause->id));
        text(j, "text", w, cause->text);
        text(j, "evidence", w, cause->evidence);
        json_open_in(j, "fix", '[');
        for (int role = 0; role < CODE_ROLES; role++) {
            if (!cause->fix[role].at)
                continue;
            json_open(j, '{');
            json_text(j, "who", slice_of_string(code_role_name((enum code_role)role)));
            text(j, "text", w, cause->fix[role]);
            json_close(j, '}');
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* Ids of the causes of calls that name this code. */
static void call_causes(struct json *j, const struct code *code)
{
    json_open_in(j, "call_causes", '[');
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++)
        if (cause_has_code((enum cause_id)i, code))
            json_text(j, NULL, slice_of_string(cause_slug((enum cause_id)i)));
    json_close(j, ']');
}

static void related(struct json *j, const struct code *code)
{
    json_open_in(j, "related", '[');
    for (size_t i = 0; i < code->related_count; i++) {
        const struct code *other = code_at(code->related[i]);

        json_open(j, '{');
        identity(j, other);
        json_text(j, "name", slice_of_string(other->phrase));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void sip_facts(struct json *j, const struct code *code)
{
    const struct code *class = code_class(code->digit);

    if (code->family != CODE_SIP || !class)
        return;
    json_text(j, "class", slice_of_string(class->id));
    json_bool(j, "final", code->digit > 1);
    json_bool(j, "registered", code->registered);
    strings(j, "must_headers", code->must_headers);
    strings(j, "may_headers", code->may_headers);
    strings(j, "rfc", code->rfc);
}

static void code_object(struct json *j, const struct words *w, const struct code *code)
{
    json_text(j, "type", code->family == CODE_CLASS ? SLICE("class") : SLICE("code"));
    identity(j, code);
    json_text(j, "id", slice_of_string(code->id));
    json_text(j, "slug", slice_of_string(code->slug));
    json_text(j, "name", slice_of_string(code->phrase));
    text(j, "local_name", w, code->name);
    text(j, "title", w, code->title);
    json_text(j, "lang", w->tag);
    sip_facts(j, code);
    string(j, "normal", code_normal_name((enum code_normal)code->normal));
    string(j, "outcome", code_outcome_name((enum code_outcome)code->outcome));
    string(j, "ends", code_effect_name((enum code_effect)code->effect));
    string(j, "list", code->list);
    string(j, "sip_by_rfc3398", code->sip_by_rfc3398);
    string(j, "sip_by_rfc4497", code->sip_by_rfc4497);
    string(j, "sip_by_freeswitch", code->sip_by_freeswitch);
    text(j, "headline", w, code->headline);
    text(j, "means", w, code->means);
    text(j, "when", w, code->when);
    text(j, "sent_by", w, code->sent_by);
    text(j, "carries", w, code->carries);
    text(j, "leaves", w, code->leaves);
    text(j, "maps", w, code->maps);
    text(j, "retry", w, code->retry);
    text(j, "note", w, code->note);
    if (code->family == CODE_CLASS)
        return;
    causes(j, w, code);
    call_causes(j, code);
    related(j, code);
}

static void unregistered_object(struct json *j, const struct words *w, const struct code_query *q)
{
    struct out said;

    out_init_memory(&said, 0);
    words_fill(&said, code_text(w, q->code->unknown),
               (const struct words_value[]){ WORDS_NUMBER("code", q->number),
                                             WORDS_NUMBER("class_code", explain_base(q)) }, 2);
    json_text(j, "type", SLICE("code"));
    json_text(j, "family", slice_of_string(code_family_name(explain_family(q))));
    json_u64(j, "code", q->number);
    json_text(j, "lang", w->tag);
    json_text(j, "class", slice_of_string(q->code->id));
    if (q->code->digit <= 6) {
        json_bool(j, "final", q->code->digit > 1);
        json_u64(j, "treated_as", explain_base(q));
    }
    json_bool(j, "registered", false);
    json_text(j, "means", out_taken(&said));
    text(j, "retry", w, q->code->retry);
    if (said.error && !j->out->error)
        j->out->error = said.error;
    out_done(&said);
}

static void line(struct out *o, const struct words *w, const struct code_query *q)
{
    struct json j = { .out = o };

    json_open(&j, '{');
    if (q->result == QUERY_UNREGISTERED)
        unregistered_object(&j, w, q);
    else
        code_object(&j, w, q->code);
    json_close(&j, '}');
    out_char(o, '\n');
}

void explain_json(struct out *o, const struct words *w, const struct code_query *q)
{
    line(o, w, q);
}

void explain_json_all(struct out *o, const struct words *w)
{
    for (size_t i = 0; i < code_count(); i++)
        line(o, w, &(struct code_query){ .result = QUERY_CODE, .code = code_at(i) });
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++)
        explain_cause_json(o, w, (enum cause_id)i);
}

static void short_object(struct json *j, const struct code_query *q)
{
    json_open(j, '{');
    if (q->result == QUERY_CODE) {
        identity(j, q->code);
        json_text(j, "name", slice_of_string(q->code->phrase));
    } else {
        json_text(j, "family", slice_of_string(code_family_name(explain_family(q))));
        json_u64(j, "code", q->number);
    }
    json_close(j, '}');
}

/* ---- causes of calls ---- */

static void part(struct json *j, const char *key, const struct words *w, enum cause_id id,
                 int which)
{
    slice said = cause_text(w, id, (enum cause_part)which);

    if (said.len)
        json_text(j, key, said);
}

static void cause_codes_array(struct json *j, enum cause_id id)
{
    json_open_in(j, "codes", '[');
    for (size_t i = 0; i < code_count(); i++) {
        if (!cause_has_code(id, code_at(i)))
            continue;
        json_open(j, '{');
        identity(j, code_at(i));
        json_text(j, "name", slice_of_string(code_at(i)->phrase));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void cause_fix_array(struct json *j, const struct words *w, enum cause_id id)
{
    json_open_in(j, "fix", '[');
    for (int role = 0; role < CODE_ROLES; role++) {
        if (!cause_text(w, id, (enum cause_part)(CAUSE_PART_FIX + role)).len)
            continue;
        json_open(j, '{');
        json_text(j, "who", slice_of_string(code_role_name((enum code_role)role)));
        part(j, "text", w, id, CAUSE_PART_FIX + role);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void explain_cause_json(struct out *o, const struct words *w, enum cause_id id)
{
    struct json j = { .out = o };

    json_open(&j, '{');
    json_text(&j, "type", cause_may_be_main(id) ? SLICE("cause") : SLICE("finding"));
    json_text(&j, "id", slice_of_string(cause_slug(id)));
    json_text(&j, "lang", w->tag);
    json_text(&j, "severity", slice_of_string(cause_severity_name(cause_severity(id))));
    json_text(&j, "blame", slice_of_string(cause_blame_name(cause_blame(id))));
    part(&j, "headline", w, id, CAUSE_PART_HEADLINE);
    part(&j, "text", w, id, CAUSE_PART_TEXT);
    strings(&j, "params", cause_params(id));
    part(&j, "text_plain", w, id, CAUSE_PART_TEXT_PLAIN);
    part(&j, "proof", w, id, CAUSE_PART_PROOF);
    part(&j, "refute", w, id, CAUSE_PART_REFUTE);
    cause_fix_array(&j, w, id);
    cause_codes_array(&j, id);
    json_close(&j, '}');
    out_char(o, '\n');
}

/* ---- comparisons ---- */

/* One comparison: of all, or of two among them. */
static void comparison(struct out *o, const struct words *w,
                       const struct code_query *const subjects[], size_t count,
                       const struct code_comparison *c)
{
    struct json j = { .out = o };

    json_open(&j, '{');
    json_text(&j, "type", SLICE("comparison"));
    json_text(&j, "lang", w->tag);
    json_open_in(&j, "codes", '[');
    for (size_t i = 0; i < count; i++)
        short_object(&j, subjects[i]);
    json_close(&j, ']');
    if (c) {
        text(&j, "difference", w, c->gist);
        text(&j, "who", w, c->who);
        text(&j, "tell", w, c->tell);
        text(&j, "do", w, c->what_to_do);
        text(&j, "choose", w, c->choose);
    } else {
        struct out said;

        out_init_memory(&said, 0);
        explain_difference(&said, w, subjects[0], subjects[1]);
        json_text(&j, "difference", out_taken(&said));
        if (said.error && !o->error)
            o->error = said.error;
        out_done(&said);
    }
    json_close(&j, '}');
    out_char(o, '\n');
}

void explain_json_comparison(struct out *o, const struct words *w,
                             const struct code_query subjects[], size_t count)
{
    const struct code_query *all[EXPLAIN_COMPARED_MAX] = {0}, *two[2];

    if (count > EXPLAIN_COMPARED_MAX)
        count = EXPLAIN_COMPARED_MAX;
    for (size_t i = 0; i < count; i++) {
        line(o, w, &subjects[i]);
        all[i] = &subjects[i];
    }

    const struct code_comparison *whole = explain_written(all, count);

    if (whole) {
        comparison(o, w, all, count, whole);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            two[0] = &subjects[i];
            two[1] = &subjects[k];
            comparison(o, w, two, 2, explain_written(two, 2));
        }
    }
}

void explain_json_several(struct out *o, const struct words *w, slice asked,
                          const struct code_query *q)
{
    struct json j = { .out = o };

    json_open(&j, '{');
    json_text(&j, "type", SLICE("matches"));
    json_text(&j, "text", asked);
    json_text(&j, "lang", w->tag);
    json_u64(&j, "count", q->total);
    json_open_in(&j, "codes", '[');
    for (size_t i = 0; i < q->other_count; i++)
        short_object(&j, &(struct code_query){ .result = QUERY_CODE, .code = q->others[i] });
    json_close(&j, ']');
    json_close(&j, '}');
    out_char(o, '\n');
}
