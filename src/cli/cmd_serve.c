/* cli/cmd_serve.c - signalbox serve: registrar and back-to-back user agent; options and --check.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/serve_int.h"
#include "report/moment.h"
#include "switch/config_text.h"

static const struct cli_option serve_help[] = {
    { "--config FILE", TEXT_SERVE_OPTION_CONFIG }, { "--check", TEXT_SERVE_OPTION_CHECK },
    { "--live", TEXT_SERVE_OPTION_LIVE },          { "--json", TEXT_SERVE_OPTION_JSON },
    { "--pcap FILE", TEXT_SERVE_OPTION_PCAP },     { "--pcap-size MB", TEXT_SERVE_OPTION_PCAP_SIZE },
    { "--lang LANG", TEXT_CLI_OPTION_LANG },       { "--tz ZONE", TEXT_CLI_OPTION_TZ },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },  { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },        { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const serve_examples[] = {
    "signalbox user add alice@127.0.0.1",
    "signalbox serve --live",
    "signalbox serve --config /etc/signalbox/signalbox.ini --check",
    "signalbox serve --config /etc/signalbox/signalbox.ini --pcap calls.pcapng",
    NULL,
};

enum { OPT_CONFIG = 256, OPT_CHECK, OPT_LIVE, OPT_JSON, OPT_PCAP, OPT_PCAP_SIZE, OPT_LANG, OPT_TZ };
static const struct option serve_options[] = {
    { "config", required_argument, NULL, OPT_CONFIG },
    { "check", no_argument, NULL, OPT_CHECK },
    { "live", no_argument, NULL, OPT_LIVE },
    { "json", no_argument, NULL, OPT_JSON },
    { "pcap", required_argument, NULL, OPT_PCAP },
    { "pcap-size", required_argument, NULL, OPT_PCAP_SIZE },
    { "lang", required_argument, NULL, OPT_LANG },
    { "tz", required_argument, NULL, OPT_TZ },
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int take_size(struct cli *cli, struct serve_wish *wish)
{
    slice text = slice_of_string(optarg);
    uint32_t megabytes;

    if (!slice_to_u32(text, &megabytes) || !megabytes)
        return cli_say_error(cli, CLI_USAGE, TEXT_SERVE_ERROR_PCAP_SIZE, WORDS_TEXT("text", text));
    wish->pcap_bytes_max = (uint64_t)megabytes << 20;
    return -1;
}

/* -1: go on; else the exit code. */
static int take_option(struct cli *cli, struct serve_wish *wish, int option)
{
    enum cli_common common = cli_common_option(cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    switch (option) {
    case OPT_CONFIG: wish->config = optarg; return -1;
    case OPT_CHECK:  wish->check = true; return -1;
    case OPT_LIVE:   wish->live = true; return -1;
    case OPT_JSON:   wish->json = wish->live = true; return -1;
    case OPT_PCAP:   wish->pcap = optarg; return -1;
    case OPT_PCAP_SIZE: return take_size(cli, wish);
    case OPT_LANG:   return cli_set_language(cli, optarg) ? -1 : CLI_USAGE;
    case OPT_TZ:
        return moment_zone(slice_of_string(optarg)) ? -1
            : cli_say_error(cli, CLI_USAGE, TEXT_READ_ERROR_ZONE, WORDS_TEXT("zone", slice_of_string(optarg)));
    case 'h':
        cli_help(cli, "signalbox serve [OPTIONS]", TEXT_SERVE_COMMAND, serve_help, ARRAY_LEN(serve_help), serve_examples);
        return CLI_DONE;
    default:
        return CLI_USAGE;
    }
}

/* ---- the configuration ---- */

static int read_file(const char *path, char **ret_text, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
    char *text = fd >= 0 ? malloc(CONFIG_TEXT_MAX + 1) : NULL;
    size_t len = 0;
    ssize_t got = 1;

    if (!text)
        error = errno;
    while (text && got > 0 && len <= CONFIG_TEXT_MAX) {
        got = read(fd, text + len, CONFIG_TEXT_MAX + 1 - len);
        if (got < 0)
            error = errno;
        else
            len += (size_t)got;
    }
    if (fd >= 0)
        (void)close(fd);
    if (!error && len > CONFIG_TEXT_MAX)
        error = EFBIG;
    if (error) {
        free(text);
        return -error;
    }
    *ret_text = text;
    *ret_len = len;
    return 0;
}

/* Everything that is wrong, a line each: file, line, sentence. */
static void say_problems(const struct cli *cli, const char *path, const struct config_report *report)
{
    struct out text;

    for (size_t i = 0; i < report->count; i++) {
        out_init_memory(&text, 8192);
        config_say(&text, cli->words, &report->at[i]);
        (void)cli_say_error(cli, CLI_INPUT, report->at[i].line ? TEXT_SERVE_ERROR_LINE : TEXT_SERVE_ERROR_FILE,
                            WORDS_TEXT("file", slice_of_string(path)), WORDS_NUMBER("line", report->at[i].line),
                            WORDS_TEXT("what", out_taken(&text)));
        out_done(&text);
    }
}

/* Without a file the state is where `signalbox user` keeps the users: the folder of root, or one's own. */
static int default_text(char **ret_text, size_t *ret_len)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const bool has_state = state && state[0] == '/';
    const char *base = has_state ? state : home ? home : "", *below = has_state ? "" : "/.local/state";
    int len;

    if (geteuid() == 0 && !has_state)
        return 0;
    len = asprintf(ret_text, "[server]\nstate = %s%s/signalbox\nusers = %s%s/signalbox/users.db\n", base, below, base, below);
    if (len < 0)
        return -ENOMEM;
    *ret_len = (size_t)len;
    return 0;
}

int serve_read_config(const struct cli *cli, const char *path, struct config **ret)
{
    struct config_report report = { 0 };
    char *text = NULL;
    size_t len = 0;
    int error = path ? read_file(path, &text, &len) : default_text(&text, &len);

    if (error)
        return cli_say_error(cli, CLI_INPUT, TEXT_SERVE_ERROR_READ, WORDS_TEXT("file", slice_of_string(path ? path : "")),
                             WORDS_TEXT("why", cli_why(cli, -error)));
    error = config_read(slice_of(text, len), ret, &report);
    if (error == -EINVAL)
        say_problems(cli, path ? path : "", &report);
    config_report_done(&report);
    free(text);
    if (error == -ENOMEM)
        return cli_say_error(cli, CLI_MACHINE, TEXT_READ_ERROR_NO_MEMORY, WORDS_NUMBER("count", 0));
    return error ? CLI_INPUT : -1;
}

int cmd_serve(struct cli *cli, int argc, char **argv)
{
    struct serve_wish wish = { 0 };
    struct config *config = NULL;
    int option, code;

    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, ":vh", serve_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return cli_bad_option(cli, "serve", option, argv);
        code = take_option(cli, &wish, option);
        if (code >= 0)
            return code;
    }
    if (wish.check && !wish.config && optind < argc)
        wish.config = argv[optind++];
    if (optind < argc)
        return cli_say_error(cli, CLI_USAGE, TEXT_SERVE_ERROR_WORD, WORDS_TEXT("word", slice_of_string(argv[optind])));
    if (wish.check && !wish.config)
        return cli_say_error(cli, CLI_USAGE, TEXT_SERVE_ERROR_CHECK);
    code = serve_read_config(cli, wish.config, &config);
    if (code >= 0)
        return code;
    if (wish.check) {
        words_say(&cli->out, cli->words, TEXT_SERVE_CHECKED, WORDS_TEXT("file", slice_of_string(wish.config)));
        out_char(&cli->out, '\n');
        code = CLI_DONE;
    } else {
        code = serve_run(cli, &wish, config);
    }
    config_free(config);
    return code;
}
