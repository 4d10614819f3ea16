/* cli/cmd_read.c - signalbox read FILE...: captures in, calls and registrations out.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Joins the doors: sources -> wire -> intake -> tracker -> shelf -> printer, in one pass. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "call/filter.h"
#include "capture/source.h"
#include "cli/cli.h"
#include "cli/read_int.h"
#include "report/moment.h"

static const struct cli_option read_help[] = {
    { "--calls", TEXT_CLI_OPTION_CALLS },
    { "--registrations", TEXT_CLI_OPTION_REGISTRATIONS },
    { "--streams", TEXT_CLI_OPTION_STREAMS },
    { "--transactions", TEXT_CLI_OPTION_TRANSACTIONS },
    { "--messages", TEXT_CLI_OPTION_MESSAGES },
    { "--summary", TEXT_CLI_OPTION_SUMMARY },
    { "--ladder CALL", TEXT_CLI_OPTION_LADDER },
    { "--filter EXPR", TEXT_CLI_OPTION_FILTER },
    { "--no-join", TEXT_CLI_OPTION_NO_JOIN },
    { "--join-header NAME", TEXT_CLI_OPTION_JOIN_HEADER },
    { "--json", TEXT_CLI_OPTION_JSON },
    { "--csv", TEXT_CLI_OPTION_CSV },
    { "--html FILE", TEXT_CLI_OPTION_HTML },
    { "--lang LANG", TEXT_CLI_OPTION_LANG },
    { "--tz ZONE", TEXT_CLI_OPTION_TZ },
    { "--max-memory SIZE", TEXT_CLI_OPTION_MAX_MEMORY },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },
    { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },
    { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const read_examples[] = {
    "signalbox read capture.pcap",
    "signalbox read --ladder 1 capture.pcap",
    "signalbox read --filter 'final = 486 and ring_ms > 5s' monday.pcap tuesday.pcap.gz",
    "tcpdump -U -w - 'port 5060 or ip[6:2] & 0x1fff != 0' | signalbox read --json -",
    NULL,
};

enum { OPT_CALLS = 256, OPT_REGISTRATIONS, OPT_TRANSACTIONS, OPT_STREAMS, OPT_MESSAGES, OPT_SUMMARY, OPT_LADDER,
       OPT_FILTER, OPT_NO_JOIN, OPT_JOIN_HEADER, OPT_JSON, OPT_CSV, OPT_HTML, OPT_LANG, OPT_TZ, OPT_MEMORY };
static const struct option read_options[] = {
    { "calls", no_argument, NULL, OPT_CALLS },
    { "registrations", no_argument, NULL, OPT_REGISTRATIONS },
    { "streams", no_argument, NULL, OPT_STREAMS },
    { "transactions", no_argument, NULL, OPT_TRANSACTIONS },
    { "messages", no_argument, NULL, OPT_MESSAGES },
    { "summary", no_argument, NULL, OPT_SUMMARY },
    { "ladder", required_argument, NULL, OPT_LADDER },
    { "filter", required_argument, NULL, OPT_FILTER },
    { "no-join", no_argument, NULL, OPT_NO_JOIN },
    { "join-header", required_argument, NULL, OPT_JOIN_HEADER },
    { "json", no_argument, NULL, OPT_JSON },
    { "csv", no_argument, NULL, OPT_CSV },
    { "html", required_argument, NULL, OPT_HTML },
    { "lang", required_argument, NULL, OPT_LANG },
    { "tz", required_argument, NULL, OPT_TZ },
    { "max-memory", required_argument, NULL, OPT_MEMORY },
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* "512M", "2G", "1000000000": at least READ_MEMORY_LEAST. */
static bool size_of(slice text, size_t *ret)
{
    static const struct { slice suffix; uint64_t factor; } units[] = {
        { SLICE("K"), 1u << 10 }, { SLICE("M"), 1u << 20 }, { SLICE("G"), 1u << 30 },
    };
    uint64_t factor = 1, number;

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (text.len && ascii_lower(text.ptr[text.len - 1]) == ascii_lower(units[i].suffix.ptr[0])) {
            factor = units[i].factor;
            text.len--;
            break;
        }
    if (!slice_take_u64(&text, &number) || text.len || number > SIZE_MAX / factor)
        return false;
    *ret = (size_t)(number * factor);
    return *ret >= READ_MEMORY_LEAST;
}

/* -1: go on; else the exit code. */
static int take_option(struct cli *cli, struct read_wish *wish, int option)
{
    slice value = slice_of_string(optarg);
    enum cli_common common = cli_common_option(cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    switch (option) {
    case OPT_CALLS:         wish->calls = wish->picked = true; return -1;
    case OPT_REGISTRATIONS: wish->registrations = wish->picked = true; return -1;
    case OPT_STREAMS:       wish->streams = wish->picked = true; return -1;
    case OPT_TRANSACTIONS:  wish->transactions = wish->picked = true; return -1;
    case OPT_MESSAGES:      wish->messages = wish->picked = true; return -1;
    case OPT_SUMMARY:       wish->picked = true; return -1;
    case OPT_LADDER:        wish->ladder = value; return -1;
    case OPT_FILTER:        wish->filter = value; return -1;
    case OPT_NO_JOIN:       wish->no_join = true; return -1;
    case OPT_JOIN_HEADER:   wish->join_header = value; return -1;
    case OPT_JSON:          wish->json = true; return -1;
    case OPT_CSV:           wish->csv = true; return -1;
    case OPT_HTML:          wish->html = optarg; return -1;
    case OPT_LANG:
        return cli_set_language(cli, optarg) ? -1 : CLI_USAGE;
    case OPT_TZ:
        wish->zone = value;
        return moment_zone(value) ? -1
            : cli_say_error(cli, CLI_USAGE, TEXT_READ_ERROR_ZONE, WORDS_TEXT("zone", value));
    case OPT_MEMORY:
        return size_of(value, &wish->memory_bytes) ? -1
            : cli_say_error(cli, CLI_USAGE, TEXT_READ_ERROR_SIZE, WORDS_TEXT("text", value));
    case 'h':
        cli_help(cli, "signalbox read [OPTIONS] FILE...", TEXT_CLI_COMMAND_READ, read_help,
                 ARRAY_LEN(read_help), read_examples);
        return CLI_DONE;
    default:
        return CLI_USAGE;
    }
}

int cmd_read(struct cli *cli, int argc, char **argv)
{
    struct read_wish wish = { .memory_bytes = READ_MEMORY_DEFAULT };
    int option;

    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, ":vh", read_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return cli_bad_option(cli, "read", option, argv);
        int code = take_option(cli, &wish, option);

        if (code >= 0)
            return code;
    }
    wish.files = (const char *const *)argv + optind;
    wish.file_count = (size_t)(argc - optind);
    if (wish.file_count == 0)
        return cli_say_error(cli, CLI_USAGE, TEXT_CLI_ERROR_NO_FILE, WORDS_NUMBER("count", 0));
    if (wish.file_count > READ_FILES_MAX)
        return cli_say_error(cli, CLI_USAGE, TEXT_READ_ERROR_TOO_MANY_FILES,
                             WORDS_NUMBER("limit", READ_FILES_MAX));
    if (wish.json + wish.csv + (wish.html != NULL) > 1)
        return cli_say_error(cli, CLI_USAGE, TEXT_CLI_ERROR_TWO_FORMATS, WORDS_NUMBER("count", 2));
    if (wish.html && wish.ladder.len)
        return cli_say_error(cli, CLI_USAGE, TEXT_CLI_ERROR_HTML_LADDER, WORDS_NUMBER("count", 1));
    return read_run(cli, &wish);
}
