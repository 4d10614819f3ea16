/* switch/config_text.c - the table of settings in words
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/config_text.h"

#include "base/utf8.h"
#include "switch/config_int.h"

enum { COMMENT_COLUMNS = 96 };

static void put(struct out *o, const char *text) { out_text(o, slice_of_string(text)); }

/* ---- values ---- */

static bool has_range(const struct setting *s)
{
    return s->type == SETTING_COUNT || s->type == SETTING_TIME || s->type == SETTING_BYTES;
}

static void put_range(struct out *o, const struct words *w, const struct setting *s)
{
    char min[CONFIG_VALUE_MAX], max[CONFIG_VALUE_MAX];

    words_say(o, w, TEXT_CONFIG_VALUES_RANGE, WORDS_TEXT("min", slice_of(min, config_format(s->type, s->min, min))),
              WORDS_TEXT("max", slice_of(max, config_format(s->type, s->max, max))));
}

static void put_choices(struct out *o, const struct setting *s, const char *mark)
{
    for (size_t i = 0; s->choices[i]; i++) {
        put(o, i ? ", " : "");
        put(o, mark), put(o, s->choices[i]), put(o, mark);
    }
}

static bool has_values(const struct setting *s) { return has_range(s) || s->choices || s->type == SETTING_BOOL; }

static void put_values(struct out *o, const struct words *w, const struct setting *s, const char *mark)
{
    static const char *const yes_no[] = { "yes", "no", NULL };

    if (has_range(s))
        put_range(o, w, s);
    else if (s->choices)
        put_choices(o, s, mark);
    else if (s->type == SETTING_BOOL)
        put_choices(o, &(struct setting){ .choices = yes_no }, mark);
}

/* ---- the sample ---- */

static void put_comment(struct out *o, slice text)
{
    slice line;

    while (utf8_take_line(&text, COMMENT_COLUMNS, &line)) {
        put(o, "# "), out_text(o, line), put(o, "\n");
    }
}

static void put_help(struct out *o, const struct words *w, const struct setting *s)
{
    struct out text;

    out_init_memory(&text, 0);
    out_text(&text, words_text(w, s->help));
    if (has_values(s)) {
        put(&text, " (");
        put_values(&text, w, s, "");
        put(&text, ")");
    }
    put_comment(o, out_taken(&text));
    if (s->flags & SETTING_RESTART)
        put_comment(o, words_text(w, TEXT_CONFIG_RESTART));
    if (text.error)
        o->error = text.error;
    out_done(&text);
}

static void sample_section(struct out *o, const struct words *w, const struct section *kind)
{
    /* What has no use of itself is commented out as a whole. */
    bool whole = kind->flags & (SECTION_NAMED | SECTION_ENTRIES);

    put(o, "\n");
    put_comment(o, words_text(w, kind->help));
    put(o, whole ? "#[" : "["), put(o, kind->name);
    if (kind->example)
        put(o, " "), put(o, kind->example);
    put(o, "]\n");
    for (size_t i = 0; i < kind->count; i++) {
        const struct setting *s = &kind->settings[i];

        put(o, "\n");
        put_help(o, w, s);
        put(o, "#"), put(o, s->key), put(o, " = "), put(o, s->standard ? s->standard : s->example), put(o, "\n");
    }
}

void config_sample(struct out *o, const struct words *w)
{
    put_comment(o, words_text(w, TEXT_CONFIG_SAMPLE_TITLE));
    put_comment(o, words_text(w, TEXT_CONFIG_SAMPLE_CHECK));
    put_comment(o, words_text(w, TEXT_CONFIG_SAMPLE_UNITS));
    for (size_t i = 0; i < CONFIG_SECTIONS; i++)
        sample_section(o, w, &config_sections[i]);
}

/* ---- the manual ---- */

static void put_cell(struct out *o, slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|')
            out_char(o, '\\');
        out_char(o, text.ptr[i]);
    }
}

static void put_code(struct out *o, const char *text)
{
    if (text && *text)
        put(o, "`"), put(o, text), put(o, "`");
}

static void manual_row(struct out *o, const struct words *w, const struct setting *s)
{
    put(o, "| "), put_code(o, s->key), put(o, " | ");
    if (s->flags & SETTING_REQUIRED)
        out_text(o, words_text(w, TEXT_CONFIG_REQUIRED));
    else
        put_code(o, s->standard);
    put(o, " | ");
    if (has_values(s))
        put_values(o, w, s, "`");
    else
        put_code(o, s->example);
    put(o, " | "), put_cell(o, words_text(w, s->help));
    if (s->flags & SETTING_RESTART)
        put(o, ". "), out_text(o, words_text(w, TEXT_CONFIG_RESTART));
    put(o, " |\n");
}

static void manual_section(struct out *o, const struct words *w, const struct section *kind)
{
    static const enum text_id columns[] = { TEXT_CONFIG_COLUMN_SETTING, TEXT_CONFIG_COLUMN_STANDARD,
                                            TEXT_CONFIG_COLUMN_VALUES, TEXT_CONFIG_COLUMN_MEANING };

    put(o, "\n## ["), put(o, kind->name);
    put(o, kind->flags & SECTION_NAMED ? " NAME]\n\n" : "]\n\n");
    out_text(o, words_text(w, kind->help));
    put(o, "\n\n|");
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        put(o, " "), out_text(o, words_text(w, columns[i])), put(o, " |");
    put(o, "\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < kind->count; i++)
        manual_row(o, w, &kind->settings[i]);
}

void config_manual(struct out *o, const struct words *w)
{
    for (size_t i = 0; i < CONFIG_SECTIONS; i++)
        manual_section(o, w, &config_sections[i]);
}

/* ---- what is wrong ---- */

void config_say(struct out *o, const struct words *w, const struct config_problem *p)
{
    slice value = p->value.len ? p->value : SLICE("\"\"");            /* a value left out is seen */

    words_say(o, w, p->what, WORDS_TEXT("section", p->section), WORDS_TEXT("key", p->key), WORDS_TEXT("value", value),
              WORDS_TEXT("near", p->near), WORDS_TEXT("min", p->min), WORDS_TEXT("max", p->max),
              WORDS_NUMBER("line", p->other_line));
}
