/* report/explain_test.c - every page, comparison and object, in every language and width.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/explain.h"

#include "base/utf8.h"
#include "harness/test.h"

static struct code_query of(const struct code *code)
{
    return (struct code_query){ .result = QUERY_CODE, .code = code };
}

static struct code_query ask(slice text)
{
    struct code_query q;

    code_query(text, words_english(), &q);
    return q;
}

/* A page is sound when no line is too wide, no line ends in a blank, no placeholder is left,
 * and every heading is followed by something indented. */
static const char *fault(slice page, size_t width)
{
    slice line, before = SLICE("");
    bool heading = false;

    if (!page.len)
        return "empty";
    if (slice_find_char(page, '{') >= 0)
        return "a placeholder is left";
    while (slice_take_line(&page, &line)) {
        bool indented = slice_starts(line, SLICE("  "));

        if (utf8_columns(line) > width)
            return "a line is too wide";
        if (slice_ends(line, SLICE(" ")))
            return "a line ends in a blank";
        if (!utf8_is_valid(line))
            return "not UTF-8";
        if (!line.len && !before.len)
            return "two blank lines";
        if (heading && line.len)
            heading = indented ? false : before.len > 0;
        else if (!heading)
            heading = line.len && !before.len && !indented;
        before = line;
    }
    return heading ? "ends with a heading" : NULL;
}

static const size_t widths[] = { 40, 80, 200 };

TEST(every_code_has_a_sound_page_in_every_language_width_and_depth)
{
    struct out o;

    out_init_memory(&o, 0);
    for (size_t l = 0; l < words_count(); l++) {
        for (size_t i = 0; i < code_count(); i++) {
            for (size_t k = 0; k < ARRAY_LEN(widths) * 3; k++) {
                struct explain e = { .page = { .out = &o, .style = { .width = (unsigned)widths[k % 3] } },
                                     .words = words_at(l), .depth = (enum explain_depth)(k / 3) };
                struct code_query q = of(code_at(i));

                out_clear(&o);
                explain_page(&e, &q);

                const char *what = fault(out_taken(&o), widths[k % 3]);

                if (what)
                    FAIL("%s:%s in %.*s at %zu, depth %d: %s",
                         code_family_name((enum code_family)code_at(i)->family), code_at(i)->id,
                         SLICE_ARG(words_at(l)->tag), widths[k % 3], (int)e.depth, what);
            }
        }
    }
    out_done(&o);
}

/* Every code with the next, and with one of another family; the whole table of pairs would
 * take longer and show no more. */
TEST(every_cause_has_a_sound_page_in_every_language_width_and_depth)
{
    struct out o;

    out_init_memory(&o, 0);
    for (size_t l = 0; l < words_count(); l++) {
        for (unsigned i = 1; i < CAUSES; i++) {
            for (size_t k = 0; k < ARRAY_LEN(widths) * 3; k++) {
                struct explain e = { .page = { .out = &o, .style = { .width = (unsigned)widths[k % 3] } },
                                     .words = words_at(l), .depth = (enum explain_depth)(k / 3) };
                enum cause_id id = (enum cause_id)i;

                out_clear(&o);
                explain_cause_page(&e, id);

                const char *what = fault(out_taken(&o), widths[k % 3]);

                if (what || slice_find(out_taken(&o), slice_of_string(cause_slug(id))) < 0)
                    FAIL("%s in %.*s at %zu, depth %d: %s", cause_slug(id),
                         SLICE_ARG(words_at(l)->tag), widths[k % 3], (int)e.depth,
                         what ? what : "its id is missing");
            }
        }
    }
    out_done(&o);
}

TEST(everything_as_json_names_each_cause_once_as_cause_or_finding)
{
    struct out o;
    slice line, rest;
    unsigned causes = 0, findings = 0, codes = 0;

    out_init_memory(&o, 0);
    explain_json_all(&o, words_english());
    rest = out_taken(&o);
    while (slice_take_line(&rest, &line)) {
        causes += slice_starts(line, SLICE("{\"type\":\"cause\",\"id\":\""));
        findings += slice_starts(line, SLICE("{\"type\":\"finding\",\"id\":\""));
        codes += slice_starts(line, SLICE("{\"type\":\"code\""));
    }
    CHECK_EQ(causes + findings, CAUSES - 1u);
    CHECK(findings > 0 && codes > 100);
    out_done(&o);
}

TEST(any_two_codes_can_be_compared_in_every_language_and_width)
{
    struct out o;

    out_init_memory(&o, 0);
    for (size_t l = 0; l < words_count(); l++) {
        for (size_t i = 0; i < code_count() * 2; i++) {
            const struct code *a = code_at(i / 2);
            const struct code *b = code_at(i % 2 ? (i / 2 + 1) % code_count()
                                                 : (i / 2 * 37 + 11) % code_count());
            struct code_query both[] = { of(a), of(b) };

            for (size_t k = 0; a != b && k < ARRAY_LEN(widths); k++) {
                struct explain e = { .page = { .out = &o, .style = { .width = (unsigned)widths[k] } },
                                     .words = words_at(l) };

                out_clear(&o);
                explain_comparison(&e, both, 2);

                const char *what = fault(out_taken(&o), widths[k]);

                if (what)
                    FAIL("%s with %s in %.*s at %zu: %s", a->id, b->id, SLICE_ARG(words_at(l)->tag),
                         widths[k], what);
            }
        }
    }
    out_done(&o);
}

static slice page_of(struct out *o, const struct code_query subjects[], size_t count,
                     enum explain_depth depth)
{
    struct explain e = { .page = { .out = o, .style = { .width = 100 } }, .words = words_english(),
                         .depth = depth };

    out_clear(o);
    if (count == 1)
        explain_page(&e, subjects);
    else
        explain_comparison(&e, subjects, count);
    return out_taken(o);
}

TEST(a_page_says_what_was_asked_for)
{
    static const struct { slice query; enum explain_depth depth; slice says, says_not; } rows[] = {
        { SLICE("486"), EXPLAIN_ENGINEER, SLICE("SIP 486 Busy Here\n"), SLICE("registered") },
        { SLICE("486"), EXPLAIN_ENGINEER, SLICE("RFC 3261 21.4.24"), {0} },
        { SLICE("486"), EXPLAIN_ENGINEER, SLICE("In the trace:"), {0} },
        { SLICE("486"), EXPLAIN_HELPDESK, SLICE("What it means"), SLICE("In the trace:") },
        { SLICE("486"), EXPLAIN_CALLER, SLICE("What you can do"), SLICE("What it means") },
        { SLICE("486"), EXPLAIN_CALLER, SLICE("Call again later."), SLICE("Provider:") },
        { SLICE("499"), EXPLAIN_ENGINEER, SLICE("like 400"), SLICE("{") },
        { SLICE("199x"), EXPLAIN_ENGINEER, {0}, {0} },
        { SLICE("409"), EXPLAIN_ENGINEER, SLICE("RFC 2543"), {0} },
        { SLICE("303"), EXPLAIN_ENGINEER, SLICE("not registered"), {0} },
        { SLICE("102"), EXPLAIN_ENGINEER, SLICE("signalbox explain q850:102"), {0} },
        { SLICE("4xx"), EXPLAIN_ENGINEER, SLICE("sip:486"), SLICE("sip:503") },
        { SLICE("9xx"), EXPLAIN_ENGINEER, SLICE("local:901"), {0} },
        { SLICE("monitor:999"), EXPLAIN_ENGINEER, SLICE("What follows it"), {0} },
        { SLICE("q850:17"), EXPLAIN_ENGINEER, SLICE("What it becomes in SIP"), {0} },
        { SLICE("999"), EXPLAIN_ENGINEER, SLICE("Monitor state 999: Active"), {0} },
    };
    struct out o;

    out_init_memory(&o, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct code_query q = ask(rows[i].query);

        if (!rows[i].says.ptr) {
            CHECK_ROW_EQ(i, q.result, QUERY_NOTHING);
            continue;
        }

        slice page = page_of(&o, &q, 1, rows[i].depth);

        CHECK_ROW(i, slice_find(page, rows[i].says) >= 0);
        CHECK_ROW(i, !rows[i].says_not.ptr || slice_find(page, rows[i].says_not) < 0);
    }
    out_done(&o);
}

TEST(a_comparison_uses_what_is_written_by_hand_and_else_the_classes)
{
    static const struct { slice a, b, c, says; } rows[] = {
        { SLICE("401"), SLICE("407"), {0}, SLICE("WWW-Authenticate") },
        { SLICE("407"), SLICE("401"), {0}, SLICE("How to tell them apart") },
        { SLICE("404"), SLICE("410"), SLICE("604"), SLICE("Which one to send") },
        { SLICE("486"), SLICE("493"), {0}, SLICE("486 Busy Here and 493 Undecipherable are both") },
        { SLICE("493"), SLICE("183"), {0}, SLICE("183 Session Progress is provisional") },
        { SLICE("499"), SLICE("183"), {0}, SLICE("499 is final, and the request has failed") },
        { SLICE("4xx"), SLICE("5xx"), {0}, SLICE("Class 4xx: Request failures and Class 5xx") },
        { SLICE("901"), SLICE("503"), {0}, SLICE("SIP 503 Service Unavailable is a response") },
        { SLICE("4xx"), SLICE("901"), {0}, SLICE("is not a SIP response at all") },
        { SLICE("486"), SLICE("600"), SLICE("999"), SLICE("SIP 486 Busy Here and Monitor state 999") },
    };
    struct out o;

    out_init_memory(&o, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct code_query q[] = { ask(rows[i].a), ask(rows[i].b), ask(rows[i].c) };
        slice page = page_of(&o, q, rows[i].c.ptr ? 3 : 2, EXPLAIN_ENGINEER);
        char text[8192];
        size_t len = 0;

        /* Wrapping must not hide a sentence from the test. */
        for (size_t k = 0; k < page.len && len < sizeof text; k++)
            if (!is_blank(page.ptr[k]) || (len && text[len - 1] != ' '))
                text[len++] = is_blank(page.ptr[k]) ? ' ' : page.ptr[k];
        CHECK_ROW(i, slice_find(slice_of(text, len), rows[i].says) >= 0);
    }
    out_done(&o);
}

/* ---- JSON ---- */

static bool json_value(slice *s);

static void json_blanks(slice *s) { (void)slice_take_blanks(s); }

static bool json_string(slice *s)
{
    if (!slice_take_char(s, '"'))
        return false;
    while (s->len && s->ptr[0] != '"') {
        if ((unsigned char)s->ptr[0] < 0x20)
            return false;
        *s = slice_skip(*s, s->ptr[0] == '\\' ? 2 : 1);
    }
    return slice_take_char(s, '"');
}

static bool json_inside(slice *s, char end, bool keys)
{
    if (slice_take_char(s, end))
        return true;
    do {
        json_blanks(s);
        if (keys && !(json_string(s) && slice_take_char(s, ':')))
            return false;
        if (!json_value(s))
            return false;
    } while (slice_take_char(s, ','));
    return slice_take_char(s, end);
}

static bool is_plain(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.'; }

static bool json_value(slice *s)
{
    if (slice_take_char(s, '{'))
        return json_inside(s, '}', true);
    if (slice_take_char(s, '['))
        return json_inside(s, ']', false);
    return (s->len && s->ptr[0] == '"') ? json_string(s) : slice_take_while(s, is_plain).len > 0;
}

TEST(the_list_of_all_codes_is_json_in_every_language)
{
    struct out o;

    out_init_memory(&o, 0);
    for (size_t l = 0; l < words_count(); l++) {
        size_t lines = 0;

        out_clear(&o);
        explain_json_all(&o, words_at(l));

        slice all = out_taken(&o), line;

        CHECK(utf8_is_valid(all));
        while (slice_take_line(&all, &line)) {
            CHECK_ROW(lines, slice_starts(line, SLICE("{\"type\":\"c")) ||
                                 slice_starts(line, SLICE("{\"type\":\"finding\",")));
            CHECK_ROW(lines, json_value(&line) && line.len == 0);
            lines++;
        }
        CHECK_EQ(lines, code_count() + CAUSES - 1);
    }
    out_done(&o);
}

TEST(comparisons_and_odd_answers_are_json_too)
{
    struct code_query q[] = { ask(SLICE("404")), ask(SLICE("499")), ask(SLICE("4xx")),
                              ask(SLICE("kill")) };
    struct code_query busy = ask(SLICE("busy")), triple[] = { ask(SLICE("404")), ask(SLICE("410")),
                                                              ask(SLICE("604")) };
    struct out o;
    size_t lines = 0;

    out_init_memory(&o, 0);
    explain_json_comparison(&o, words_english(), q, 4);          /* 4 and 6 pairs */
    explain_json_comparison(&o, words_english(), triple, 3);     /* 3 and 1       */
    explain_json_several(&o, words_english(), SLICE("b\"\xFF"), &busy);

    slice all = out_taken(&o), line;

    for (; slice_take_line(&all, &line); lines++)
        CHECK_ROW(lines, json_value(&line) && line.len == 0);
    CHECK_EQ(lines, 15);
    CHECK(slice_find(out_taken(&o), SLICE("\"code\":499,\"lang\":\"en\",\"class\":\"4xx\"")) >= 0);
    CHECK(slice_find(out_taken(&o), SLICE("\"treated_as\":400")) >= 0);
    out_done(&o);
}

TORTURE(a_page_without_memory_is_an_error_and_nothing_worse)
{
    struct code_query q[] = { ask(SLICE("486")), ask(SLICE("493")), ask(SLICE("499")) };
    struct out o;
    struct explain e = { .page = { .out = &o, .style = { .width = 80 } }, .words = words_english() };

    out_init_memory(&o, 0);
    explain_page(&e, &q[0]);
    explain_page(&e, &q[2]);
    explain_comparison(&e, q, 3);
    explain_json_comparison(&o, e.words, q, 3);
    explain_list(&e);
    CHECK_OR_GOTO(o.error == 0, out);
out:
    out_done(&o);
}
