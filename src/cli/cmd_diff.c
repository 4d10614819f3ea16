/* cli/cmd_diff.c - signalbox diff: two calls side by side.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     signalbox diff CALL1 CALL2 FILE...     both out of the same files, read as one capture
 *     signalbox diff FILE1 FILE2             the only call of each, or FILE:CALL */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/inputs.h"
#include "cli/pipeline.h"
#include "report/differ.h"

static const struct cli_option diff_help[] = {
    { "--json", TEXT_DIFF_OPTION_JSON },
    { "--lang LANG", TEXT_CLI_OPTION_LANG },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },
    { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },
    { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const diff_examples[] = {
    "signalbox diff 1 2 capture.pcap",
    "signalbox diff worked.pcap failed.pcap",
    "signalbox diff monday.pcap.gz:3 tuesday.pcap.gz:a84b4c76",
    NULL,
};

enum { OPT_JSON = 256, OPT_LANG };
static const struct option diff_options[] = {
    { "json", no_argument, NULL, OPT_JSON },
    { "lang", required_argument, NULL, OPT_LANG },
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

struct side {
    slice        wish;               /* empty: the only call */
    char        *file;               /* of FILE:CALL, cut off; owned */
    uint64_t     index;
    struct call *call;               /* owned */
    struct out   name;
};
struct diff {
    struct cli    *cli;
    struct differ *differ;
    struct side    sides[DIFFER_SIDES];
    int            from, to;         /* the sides that are being read, [from, to) */
    uint64_t       calls;            /* in what is being read */
    bool           json;
};

/* ---- reading ---- */

static void on_opened(void *ctx, const struct call *c)
{
    struct diff *d = ctx;

    d->calls++;
    for (int i = d->from; i < d->to; i++) {
        struct side *s = &d->sides[i];

        if (!s->index && (!s->wish.len || pipeline_names(s->wish, c)))
            s->index = c->index;
    }
}

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct diff *d = ctx;

    for (int i = d->from; s->call && i < d->to; i++)
        if (s->call->index == d->sides[i].index)
            differ_note(d->differ, (enum differ_side)i, s);
}

/* The same call may be asked for on both sides; then the first owns it. */
static bool on_closed(void *ctx, struct call *c)
{
    struct diff *d = ctx;
    bool taken = false;

    for (int i = d->from; i < d->to; i++)
        if (d->sides[i].index == c->index) {
            differ_call(d->differ, (enum differ_side)i, c);
            if (!taken)
                d->sides[i].call = c;
            taken = true;
        }
    return taken;
}

static int read_files(struct diff *d, const char *const *files, size_t count, int from, int to)
{
    struct pipeline_observer observer = { .ctx = d, .opened = on_opened, .message = on_message,
                                          .closed = on_closed };
    struct pipeline pipeline;
    struct inputs in;
    const struct wire_frame *frame;
    int code = inputs_open(&in, d->cli, files, count), warned;

    d->from = from;
    d->to = to;
    d->calls = 0;
    if (in.open_count < count) {
        inputs_close(&in);
        return code;
    }
    if (!pipeline_begin(&pipeline, NULL, &observer)) {
        pipeline_done(&pipeline);
        inputs_close(&in);
        return cli_no_memory(d->cli);
    }
    while ((frame = inputs_next(&in)))
        pipeline_frame(&pipeline, frame);
    pipeline_finish(&pipeline);
    pipeline_done(&pipeline);
    warned = inputs_end(&in);
    inputs_close(&in);
    return code > warned ? code : warned;
}

/* Was the call found, and was it the only one where none was named? */
static int check_found(const struct diff *d, int side, const char *file)
{
    const struct side *s = &d->sides[side];

    if (!s->wish.len && d->calls > 1)
        return cli_say_error(d->cli, CLI_NOT_FOUND, TEXT_DIFF_ERROR_SEVERAL,
                             WORDS_NUMBER("count", d->calls), WORDS_TEXT("file", slice_of_string(file)));
    if (!s->wish.len && !s->index)
        return cli_say_error(d->cli, CLI_NOT_FOUND, TEXT_DIFF_ERROR_NONE,
                             WORDS_TEXT("file", slice_of_string(file)));
    if (!s->index)
        return cli_say_error(d->cli, CLI_NOT_FOUND, TEXT_READ_ERROR_NO_CALL, WORDS_TEXT("call", s->wish));
    return CLI_DONE;
}

/* ---- what was asked for ---- */

/* FILE, or FILE:CALL when there is no file of the whole name. */
static int side_of_file(struct diff *d, int side, const char *argument)
{
    struct side *s = &d->sides[side];
    char *colon;

    s->file = strdup(argument);
    if (!s->file)
        return cli_no_memory(d->cli);
    colon = strrchr(s->file, ':');
    if (access(argument, F_OK) < 0 && colon && colon != s->file) {
        *colon = '\0';
        s->wish = slice_of_string(argument + (colon - s->file) + 1);
    }
    const char *const files[] = { s->file };
    int code = read_files(d, files, 1, side, side + 1);

    return code == CLI_DONE ? check_found(d, side, s->file) : code;
}

static void name_side(struct diff *d, int side, const char *file)
{
    struct side *s = &d->sides[side];
    char number[24];

    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)s->index);
    words_say(&s->name, d->cli->words, TEXT_DIFF_CALL_NAME, WORDS_TEXT("call", slice_of_string(number)),
              WORDS_TEXT("file", slice_of_string(file)));
}

static int diff_report(struct diff *d)
{
    slice names[DIFFER_SIDES] = { out_taken(&d->sides[0].name), out_taken(&d->sides[1].name) };

    if (!differ_compare(d->differ, d->cli->words))
        return cli_no_memory(d->cli);
    if (d->json)
        differ_json(d->differ, names, &d->cli->out);
    else
        differ_print(d->differ, names, &d->cli->out, d->cli->words, &d->cli->style);
    return CLI_DONE;
}

static int diff_run(struct diff *d, char **arguments, int count)
{
    int code = CLI_DONE;

    for (int i = 0; i < count; i++)
        if (slice_eq(slice_of_string(arguments[i]), SLICE("-")))
            return cli_say_error(d->cli, CLI_USAGE, TEXT_DIFF_ERROR_STDIN, WORDS_NUMBER("count", 0));
    if (count == 2) {
        for (int i = 0; i < DIFFER_SIDES && code == CLI_DONE; i++) {
            code = side_of_file(d, i, arguments[i]);
            name_side(d, i, d->sides[i].file ? d->sides[i].file : arguments[i]);
        }
    } else {
        for (int i = 0; i < DIFFER_SIDES; i++)
            d->sides[i].wish = slice_of_string(arguments[i]);
        code = read_files(d, (const char *const *)arguments + 2, (size_t)count - 2, 0, 2);
        for (int i = 0; i < DIFFER_SIDES && code == CLI_DONE; i++) {
            code = check_found(d, i, arguments[2]);
            name_side(d, i, arguments[2]);
        }
    }
    return code == CLI_DONE ? diff_report(d) : code;
}

/* -1: go on; else the exit code. */
static int take_option(struct diff *d, int option)
{
    enum cli_common common = cli_common_option(d->cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    switch (option) {
    case OPT_JSON:
        d->json = true;
        return -1;
    case OPT_LANG:
        return cli_set_language(d->cli, optarg) ? -1 : CLI_USAGE;
    case 'h':
        cli_help(d->cli, "signalbox diff [OPTIONS] CALL1 CALL2 FILE...   |   signalbox diff FILE1[:CALL] FILE2[:CALL]",
                 TEXT_DIFF_COMMAND, diff_help, ARRAY_LEN(diff_help), diff_examples);
        return CLI_DONE;
    default:
        return CLI_USAGE;
    }
}

int cmd_diff(struct cli *cli, int argc, char **argv)
{
    struct diff d = { .cli = cli };
    int option, code = -1;

    opterr = 0;
    optind = 0;
    while (code < 0 && (option = getopt_long(argc, argv, ":vh", diff_options, NULL)) != -1)
        code = option == '?' || option == ':' ? cli_bad_option(cli, "diff", option, argv)
                                              : take_option(&d, option);
    if (code >= 0)
        return code;
    if (argc - optind < 2)
        return cli_say_error(cli, CLI_USAGE, TEXT_DIFF_ERROR_WHAT, WORDS_NUMBER("count", 2));
    d.differ = differ_new();
    for (int i = 0; i < DIFFER_SIDES; i++)
        out_init_memory(&d.sides[i].name, 8192);
    code = d.differ ? diff_run(&d, argv + optind, argc - optind) : cli_no_memory(cli);
    differ_free(d.differ);
    for (int i = 0; i < DIFFER_SIDES; i++) {
        call_free(d.sides[i].call);
        free(d.sides[i].file);
        out_done(&d.sides[i].name);
    }
    return code;
}
