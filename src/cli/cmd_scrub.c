/* cli/cmd_scrub.c - signalbox scrub IN OUT: a capture in, the same one masked out.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Joins the doors: source -> mask -> writer, in one pass. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/writer.h"
#include "cli/inputs.h"
#include "cli/masking.h"
#include "mask/mask.h"

static const struct cli_option scrub_help[] = {
    { "--key TEXT", TEXT_SCRUB_OPTION_KEY },
    { "--keep-unknown", TEXT_SCRUB_OPTION_KEEP_UNKNOWN },
    { "--lang LANG", TEXT_CLI_OPTION_LANG },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },
    { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },
    { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const scrub_examples[] = {
    "signalbox scrub capture.pcap masked.pcapng",
    "signalbox scrub --key 'our secret' monday.pcap.gz monday-masked.pcapng",
    "tcpdump -U -w - port 5060 | signalbox scrub - masked.pcapng",
    NULL,
};

enum { OPT_KEY = 256, OPT_KEEP_UNKNOWN, OPT_LANG };
static const struct option scrub_options[] = {
    { "key", required_argument, NULL, OPT_KEY },
    { "keep-unknown", no_argument, NULL, OPT_KEEP_UNKNOWN },
    { "lang", required_argument, NULL, OPT_LANG },
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

struct scrub {
    struct cli            *cli;
    struct mask_settings   settings;
    const char            *from, *to;
    struct capture_writer *writer;
    int                    error;    /* of the writer: 0 or -errno */
};

static void on_frame(void *ctx, const struct wire_frame *frame)
{
    struct scrub *s = ctx;

    if (!s->error)
        s->error = capture_write(s->writer, frame);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISREG(one.st_mode) &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static int scrub_report(struct scrub *s, const struct mask_counts *c)
{
    static const enum text_id dropped[MASK_WHYS] = {
        [MASK_ENCRYPTED] = TEXT_SCRUB_DROPPED_ENCRYPTED, [MASK_UNKNOWN] = TEXT_SCRUB_DROPPED_UNKNOWN,
        [MASK_NOT_IP] = TEXT_SCRUB_DROPPED_NOT_IP, [MASK_INCOMPLETE] = TEXT_SCRUB_DROPPED_INCOMPLETE,
    };
    const struct { enum text_id id; uint64_t count; } lines[] = {
        { TEXT_SCRUB_MESSAGES, c->messages }, { TEXT_SCRUB_MEDIA, c->media },
        { dropped[MASK_ENCRYPTED], c->dropped[MASK_ENCRYPTED] },
        { dropped[MASK_UNKNOWN], c->dropped[MASK_UNKNOWN] },
        { dropped[MASK_NOT_IP], c->dropped[MASK_NOT_IP] },
        { dropped[MASK_INCOMPLETE], c->dropped[MASK_INCOMPLETE] },
        { TEXT_SCRUB_KEPT_UNKNOWN, c->kept_unknown },
    };
    struct out err, *o = &s->cli->out;
    bool aside = slice_eq(slice_of_string(s->to), SLICE("-"));

    out_init_fd(&err, STDERR_FILENO);
    if (aside)
        o = &err;
    cli_say_line(s->cli, o, TEXT_SCRUB_WRITTEN, WORDS_NUMBER("count", c->written),
                 WORDS_NUMBER("all", c->frames), WORDS_TEXT("file", slice_of_string(s->to)));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (lines[i].count)
            cli_say_line(s->cli, o, lines[i].id, WORDS_NUMBER("count", lines[i].count));
    if (aside)
        (void)out_flush(o);
    out_done(&err);
    return CLI_DONE;
}

static int scrub_frames(struct scrub *s, struct inputs *in)
{
    struct mask *m = mask_new(&s->settings, on_frame, s);
    const struct wire_frame *frame;
    bool enough = m != NULL;
    int code, warned;

    while (enough && !s->error && (frame = inputs_next(in)))
        enough = mask_frame(m, frame);
    if (enough && !s->error)
        mask_finish(m);
    warned = inputs_end(in);
    code = capture_writer_close(s->writer, !enough || s->error || warned > CLI_DONE);
    s->error = s->error ? s->error : code;
    if (!enough)
        code = cli_no_memory(s->cli);
    else if (s->error)
        code = masking_say_write_error(s->cli, s->to, s->error);
    else
        code = warned ? warned : scrub_report(s, mask_counts(m));
    mask_free(m);
    return code;
}

static int scrub_run(struct scrub *s)
{
    struct inputs in;
    int code = inputs_open(&in, s->cli, &s->from, 1);

    if (in.open_count) {
        s->error = capture_writer_open(s->to, &s->writer);
        code = s->error ? masking_say_write_error(s->cli, s->to, s->error) : scrub_frames(s, &in);
    }
    inputs_close(&in);
    return code;
}

/* -1: go on; else the exit code. */
static int take_option(struct scrub *s, int option)
{
    enum cli_common common = cli_common_option(s->cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    switch (option) {
    case OPT_KEY:
        s->settings.key = mask_key_of_text(slice_of_string(optarg));
        return -1;
    case OPT_KEEP_UNKNOWN:
        s->settings.keep_unknown = true;
        return -1;
    case OPT_LANG:
        return cli_set_language(s->cli, optarg) ? -1 : CLI_USAGE;
    case 'h':
        cli_help(s->cli, "signalbox scrub [OPTIONS] IN OUT", TEXT_SCRUB_COMMAND, scrub_help,
                 ARRAY_LEN(scrub_help), scrub_examples);
        return CLI_DONE;
    default:
        return CLI_USAGE;
    }
}

int cmd_scrub(struct cli *cli, int argc, char **argv)
{
    struct scrub s = { .cli = cli };
    int option;

    s.settings.key = masking_random_key();
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, ":vh", scrub_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return cli_bad_option(cli, "scrub", option, argv);
        int code = take_option(&s, option);

        if (code >= 0)
            return code;
    }
    if (argc - optind != 2)
        return cli_say_error(cli, CLI_USAGE, TEXT_SCRUB_ERROR_TWO_FILES, WORDS_NUMBER("count", 2));
    s.from = argv[optind];
    s.to = argv[optind + 1];
    if (is_same_file(s.from, s.to))
        return cli_say_error(cli, CLI_USAGE, TEXT_SCRUB_ERROR_SAME_FILE,
                             WORDS_TEXT("file", slice_of_string(s.to)));
    if (slice_eq(slice_of_string(s.to), SLICE("-")) && isatty(STDOUT_FILENO))
        return cli_say_error(cli, CLI_USAGE, TEXT_SCRUB_ERROR_TERMINAL, WORDS_NUMBER("count", 1));
    return scrub_run(&s);
}
