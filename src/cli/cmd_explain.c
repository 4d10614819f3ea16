/* cli/cmd_explain.c - signalbox explain CODE...: what a code means, how several differ, and what
 * a cause of calls is.
 * SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>

#include "base/utf8.h"
#include "cli/cli.h"
#include "report/explain.h"
#include "report/flows.h"

#define JOINED_MAX 256

struct task {
    struct cli        *cli;
    enum explain_depth depth;
    bool               json, list;
    struct code_query  subjects[EXPLAIN_COMPARED_MAX];
    size_t             count;
    enum cause_id      causes[EXPLAIN_COMPARED_MAX];
    size_t             cause_count;
    int                result;       /* the exit code so far */
};

static struct explain explain_of(const struct task *t)
{
    return (struct explain){ .page = { .out = &t->cli->out, .style = t->cli->style },
                             .words = t->cli->words, .depth = t->depth };
}

/* ---- what was typed ---- */

static bool same(const struct code_query *a, const struct code_query *b)
{
    return a->result == b->result && a->code == b->code &&
           (a->result == QUERY_CODE || a->number == b->number);
}

/* The titles of what is nearest: codes, and one cause when there is room. */
static void not_found(struct task *t, slice text, const struct code_query *q,
                      const struct cause_query *c)
{
    static const uint16_t sentences[] = { TEXT_EXPLAIN_ERROR_NOTHING, TEXT_EXPLAIN_ERROR_NEAREST_1,
                                          TEXT_EXPLAIN_ERROR_NEAREST_2,
                                          TEXT_EXPLAIN_ERROR_NEAREST_3 };
    size_t count = q->other_count < 3 ? q->other_count : 3;
    struct out clean, nearest[3];

    out_init_memory(&clean, 0);
    style_clean(&clean, utf8_head(text, 60));
    for (size_t i = 0; i < 3; i++) {
        out_init_memory(&nearest[i], 0);
        if (i < count)
            explain_title(&nearest[i], t->cli->words,
                          &(struct code_query){ .result = QUERY_CODE, .code = q->others[i] });
    }
    if (count < 3 && c->nearest != CAUSE_NONE)
        explain_cause_title(&nearest[count++], t->cli->words, c->nearest);
    t->result = cli_say_error(t->cli, CLI_NOT_FOUND, (enum text_id)sentences[count],
                              WORDS_TEXT("text", out_taken(&clean)),
                              WORDS_TEXT("a", out_taken(&nearest[0])),
                              WORDS_TEXT("b", out_taken(&nearest[1])),
                              WORDS_TEXT("c", out_taken(&nearest[2])));
    for (size_t i = 0; i < 3; i++)
        out_done(&nearest[i]);
    out_done(&clean);
}

/* What words fit, if that is more than one thing: codes, and causes of calls. */
static void several(struct task *t, slice text, const struct code_query *q,
                    const struct cause_query *c)
{
    struct explain e = explain_of(t);

    if (t->json && q->result == QUERY_SEVERAL)
        explain_json_several(&t->cli->out, t->cli->words, text, q);
    else if (q->result == QUERY_SEVERAL)
        explain_several(&e, text, q);
    if (t->json) {
        for (size_t i = 0; i < c->found_count; i++)
            explain_cause_json(&t->cli->out, t->cli->words, c->found[i]);
        return;
    }
    if (c->found_count && q->result == QUERY_SEVERAL)
        page_blank(&e.page);
    if (c->found_count)
        explain_causes(&e, text, c);
}

static bool too_many(struct task *t)
{
    if (t->count + t->cause_count < EXPLAIN_COMPARED_MAX)
        return false;
    t->result = cli_say_error(t->cli, CLI_USAGE, TEXT_EXPLAIN_ERROR_TOO_MANY,
                              WORDS_NUMBER("count", EXPLAIN_COMPARED_MAX));
    return true;
}

static bool add_cause(struct task *t, enum cause_id cause)
{
    for (size_t i = 0; i < t->cause_count; i++)
        if (t->causes[i] == cause)
            return true;
    if (too_many(t))
        return false;
    t->causes[t->cause_count++] = cause;
    return true;
}

static bool add_code(struct task *t, const struct code_query *q)
{
    for (size_t i = 0; i < t->count; i++)
        if (same(q, &t->subjects[i]))
            return true;
    if (too_many(t))
        return false;
    t->subjects[t->count++] = *q;
    return true;
}

/* False: finished, with t->result. The id of a cause comes before a phrase, codes before words
 * that stand somewhere in a headline. */
static bool add(struct task *t, slice text)
{
    struct cause_query c;
    struct code_query q;

    cause_query(text, t->cli->words, &c);
    if (c.exact != CAUSE_NONE)
        return add_cause(t, c.exact);
    code_query(text, t->cli->words, &q);
    if (q.result == QUERY_CODE || q.result == QUERY_UNREGISTERED)
        return add_code(t, &q);
    if (q.result == QUERY_NOTHING && c.total == 1)
        return add_cause(t, c.found[0]);
    if (q.result == QUERY_NOTHING && !c.total)
        not_found(t, text, &q, &c);
    else
        several(t, text, &q, &c);
    return true;
}

static slice join(char room[JOINED_MAX], char *const *words, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        slice word = slice_of_string(words[i]);

        if (len + word.len + 1 > JOINED_MAX)
            return (slice){0};
        if (i)
            room[len++] = ' ';
        memcpy(room + len, word.ptr, word.len);
        len += word.len;
    }
    return slice_of(room, len);
}

static bool all_are_causes(char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cause_find(slice_of_string(words[i])) == CAUSE_NONE)
            return false;
    return true;
}

/* busy here, without quotes: all the words together are one phrase. */
static bool add_as_phrase(struct task *t, char *const *words, size_t count)
{
    char room[JOINED_MAX];
    slice text = join(room, words, count);
    struct cause_query c;
    struct code_query q;

    cause_query(text, t->cli->words, &c);
    code_query(text, t->cli->words, &q);
    return (q.by_phrase || ((c.exact || c.total) && !all_are_causes(words, count))) && add(t, text);
}

/* Each word is a code, but "SIP 486" and "Q.850 17" are one. */
static bool add_each(struct task *t, char *const *words, size_t count)
{
    char room[JOINED_MAX];

    for (size_t i = 0; i < count; i++) {
        bool pair = i + 1 < count && code_query_is_family(slice_of_string(words[i]));
        slice text = pair ? join(room, words + i, 2) : slice_of_string(words[i]);

        if (!add(t, text))
            return false;
        i += pair;
    }
    return true;
}

/* ---- options ---- */

static const struct { const char *name; enum explain_depth depth; } depths[] = {
    { "caller", EXPLAIN_CALLER }, { "helpdesk", EXPLAIN_HELPDESK }, { "engineer", EXPLAIN_ENGINEER },
};

static bool set_depth(struct task *t, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
        if (strcmp(depths[i].name, name) == 0) {
            t->depth = depths[i].depth;
            return true;
        }
    }

    struct out clean;

    out_init_memory(&clean, 0);
    style_clean(&clean, utf8_head(slice_of_string(name), 60));
    t->result = cli_say_error(t->cli, CLI_USAGE, TEXT_EXPLAIN_ERROR_DEPTH,
                              WORDS_TEXT("text", out_taken(&clean)));
    out_done(&clean);
    return false;
}

static int help(struct cli *cli)
{
    static const struct cli_option options[] = {
        { "--depth DEPTH", TEXT_CLI_OPTION_DEPTH }, { "--lang LANG", TEXT_CLI_OPTION_LANG },
        { "--json", TEXT_EXPLAIN_OPTION_JSON },     { "--list", TEXT_CLI_OPTION_LIST },
        { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },
        { "-h, --help", TEXT_CLI_OPTION_HELP },     { "--version", TEXT_CLI_OPTION_VERSION },
    };
    static const char *const examples[] = {
        "signalbox explain 486",          "signalbox explain 401 407",
        "signalbox explain \"busy here\"", "signalbox explain 4xx",
        "signalbox explain monitor:8003", "signalbox explain SIP18X",
        "signalbox explain 901",          "signalbox explain q850:17",
        "signalbox explain codec-mismatch",
        "signalbox explain flow",         "signalbox explain flow hold",
        "signalbox explain --lang fr --depth helpdesk 403", NULL,
    };

    cli_help(cli, "signalbox explain [--depth DEPTH] [--lang LANG] [--json] [--list] CODE...",
             TEXT_CLI_COMMAND_EXPLAIN, options, ARRAY_LEN(options), examples);
    return CLI_DONE;
}

/* False: finished, with t->result. */
static bool read_options(struct task *t, int argc, char **argv)
{
    enum { OPT_DEPTH = 256, OPT_LANG, OPT_JSON, OPT_LIST };
    static const struct option options[] = {
        { "depth", required_argument, NULL, OPT_DEPTH }, { "lang", required_argument, NULL, OPT_LANG },
        { "json", no_argument, NULL, OPT_JSON },         { "list", no_argument, NULL, OPT_LIST },
        { "help", no_argument, NULL, 'h' },              CLI_COMMON_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, ":vh", options, NULL)) != -1) {
        enum cli_common common = cli_common_option(t->cli, option);
        bool fine = true;

        if (common == CLI_COMMON_ALL_DONE)
            return false;
        if (common == CLI_COMMON_TAKEN)
            continue;
        switch (option) {
        case OPT_DEPTH: fine = set_depth(t, optarg); break;
        case OPT_LANG:
            fine = cli_set_language(t->cli, optarg);
            t->result = fine ? t->result : CLI_USAGE;
            break;
        case OPT_JSON:  t->json = true; break;
        case OPT_LIST:  t->list = true; break;
        case 'h':
            t->result = help(t->cli);
            return false;
        default:
            t->result = cli_bad_option(t->cli, "explain", option, argv);
            return false;
        }
        if (!fine)
            return false;
    }
    return true;
}

static void print_causes(struct task *t)
{
    struct explain e = explain_of(t);

    for (size_t i = 0; i < t->cause_count; i++) {
        if (t->json) {
            explain_cause_json(&t->cli->out, e.words, t->causes[i]);
            continue;
        }
        if (i || t->count)
            page_blank(&e.page);
        explain_cause_page(&e, t->causes[i]);
    }
}

static void print_codes(struct task *t)
{
    struct explain e = explain_of(t);
    struct out *o = &t->cli->out;

    if (t->json && t->count > 1)
        explain_json_comparison(o, e.words, t->subjects, t->count);
    else if (t->json)
        explain_json(o, e.words, &t->subjects[0]);
    else if (t->count > 1)
        explain_comparison(&e, t->subjects, t->count);
    else
        explain_page(&e, &t->subjects[0]);
}

/* ---- explain flow NAME... ---- */

static void print_flow(const struct task *t, enum flow_id id)
{
    struct explain e = explain_of(t);

    if (t->json)
        flows_json(&t->cli->out, t->cli->words, flow_at(id));
    else
        flows_page(&e.page, t->cli->words, flow_at(id));
}

static void list_flows(const struct task *t)
{
    struct explain e = explain_of(t);

    if (t->json)
        flows_json_all(&t->cli->out, t->cli->words);
    else
        flows_list(&e.page, t->cli->words);
}

static int no_such_flow(const struct task *t, const char *name)
{
    const struct flow *nearest = flow_at(flow_nearest(slice_of_string(name)));
    struct out clean;

    out_init_memory(&clean, 0);
    style_clean(&clean, utf8_head(slice_of_string(name), 60));
    int code = cli_say_error(t->cli, CLI_NOT_FOUND, TEXT_FLOW_ERROR_UNKNOWN,
                             WORDS_TEXT("name", out_taken(&clean)),
                             WORDS_TEXT("nearest", slice_of_string(nearest->name)));

    out_done(&clean);
    return code;
}

static int explain_flows(struct task *t, char *const *names, size_t count)
{
    if (count == 0)
        list_flows(t);
    for (size_t i = 0; i < count; i++) {
        enum flow_id id = flow_find(slice_of_string(names[i]));

        if (i && !t->json)
            out_char(&t->cli->out, '\n');
        if (id == FLOW_NONE)
            t->result = no_such_flow(t, names[i]);
        else
            print_flow(t, id);
    }
    return t->result;
}

/* "flow hold" and "flow" alone; but "flow failed" is the phrase of 430. */
static bool is_about_flows(char *const *words, size_t count, const struct words *w)
{
    char room[JOINED_MAX];
    struct code_query q;

    if (!count || !slice_eq_nocase(slice_of_string(words[0]), SLICE("flow")))
        return false;
    if (count == 1 || flow_find(slice_of_string(words[1])) != FLOW_NONE)
        return true;
    code_query(join(room, words, count), w, &q);
    return !q.by_phrase;
}

int cmd_explain(struct cli *cli, int argc, char **argv)
{
    struct task t = { .cli = cli };

    if (!read_options(&t, argc, argv))
        return t.result;

    char *const *words = argv + optind;
    size_t count = (size_t)(argc - optind);

    if (t.json && !count) {
        explain_json_all(&cli->out, cli->words);
        flows_json_all(&cli->out, cli->words);
        return CLI_DONE;
    }
    if (t.list && !count) {
        struct explain e = explain_of(&t);

        explain_list(&e);
        return CLI_DONE;
    }
    if (is_about_flows(words, count, cli->words))
        return explain_flows(&t, words + 1, count - 1);
    if (!count)
        return cli_say_error(cli, CLI_USAGE, TEXT_EXPLAIN_ERROR_NO_CODE, WORDS_NUMBER("count", 0));
    if (!(count > 1 && add_as_phrase(&t, words, count)) && !add_each(&t, words, count))
        return t.result;
    if (t.count)
        print_codes(&t);
    print_causes(&t);
    return t.result;
}
