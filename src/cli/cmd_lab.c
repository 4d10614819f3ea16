/* cli/cmd_lab.c - signalbox lab FLOW...: flows played on this machine; the command line
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "call/fields.h"
#include "cli/lab_int.h"
#include "net/socket.h"
#include "report/page.h"

static const struct cli_option lab_help[] = {
    { "--list", TEXT_LAB_OPTION_LIST },
    { "--no-ladder", TEXT_LAB_OPTION_NO_LADDER },
    { "--pcap FILE", TEXT_SERVE_OPTION_PCAP },
    { "--loss PERCENT", TEXT_LAB_OPTION_LOSS },
    { "--duplicate PERCENT", TEXT_LAB_OPTION_DUPLICATE },
    { "--delay TIME", TEXT_LAB_OPTION_DELAY },
    { "--jitter TIME", TEXT_LAB_OPTION_JITTER },
    { "--seed NUMBER", TEXT_LAB_OPTION_SEED },
    { "--jobs NUMBER", TEXT_LAB_OPTION_JOBS },
    { "--transport NAME", TEXT_LAB_OPTION_TRANSPORT },
    { "--port NUMBER", TEXT_LAB_OPTION_PORT },
    { "--against HOST[:PORT]", TEXT_LAB_OPTION_AGAINST },
    { "--users FILE", TEXT_LAB_OPTION_USERS },
    { "--domain DOMAIN", TEXT_LAB_OPTION_DOMAIN },
    { "--lang LANG", TEXT_CLI_OPTION_LANG },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },
    { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },
    { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const lab_examples[] = {
    "signalbox lab --list",
    "signalbox lab hold",
    "signalbox lab all --no-ladder",
    "signalbox lab volte-call --loss 10 --delay 20ms --jitter 30ms --seed 7",
    "signalbox lab forward-busy --pcap forward.pcapng",
    "signalbox lab basic-call hold --against 192.0.2.10 --users accounts.txt --domain example.org",
    NULL,
};

enum { OPT_LIST = 256, OPT_NO_LADDER, OPT_PCAP, OPT_LOSS, OPT_DUPLICATE, OPT_DELAY, OPT_JITTER, OPT_SEED, OPT_JOBS, OPT_TRANSPORT,
       OPT_PORT, OPT_AGAINST, OPT_USERS, OPT_DOMAIN, OPT_LANG };
static const struct option lab_options[] = {
    { "list", no_argument, NULL, OPT_LIST },
    { "no-ladder", no_argument, NULL, OPT_NO_LADDER },
    { "pcap", required_argument, NULL, OPT_PCAP },
    { "loss", required_argument, NULL, OPT_LOSS },
    { "duplicate", required_argument, NULL, OPT_DUPLICATE },
    { "delay", required_argument, NULL, OPT_DELAY },
    { "jitter", required_argument, NULL, OPT_JITTER },
    { "seed", required_argument, NULL, OPT_SEED },
    { "jobs", required_argument, NULL, OPT_JOBS },
    { "transport", required_argument, NULL, OPT_TRANSPORT },
    { "port", required_argument, NULL, OPT_PORT },
    { "against", required_argument, NULL, OPT_AGAINST },
    { "users", required_argument, NULL, OPT_USERS },
    { "domain", required_argument, NULL, OPT_DOMAIN },
    { "lang", required_argument, NULL, OPT_LANG },
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* ---- values ---- */

/* "5", "0.25": in millionths. */
static bool take_decimal(slice *s, uint64_t *ret)
{
    uint64_t whole, millionths = 0, unit = 100000;

    if (!slice_take_u64(s, &whole) || whole > 1000000)
        return false;
    if (s->len && s->ptr[0] == '.') {
        *s = slice_skip(*s, 1);
        if (!s->len || s->ptr[0] < '0' || s->ptr[0] > '9')
            return false;
        for (; s->len && s->ptr[0] >= '0' && s->ptr[0] <= '9'; *s = slice_skip(*s, 1), unit /= 10)
            millionths += (uint64_t)(s->ptr[0] - '0') * unit;
    }
    *ret = whole * 1000000 + millionths;
    return true;
}

static bool percent_of(slice text, uint32_t *ret_ppm)
{
    uint64_t millionths;

    if (!take_decimal(&text, &millionths) || millionths > 100000000)
        return false;
    if (text.len == 1 && text.ptr[0] == '%')
        text.len = 0;
    if (text.len)
        return false;
    *ret_ppm = (uint32_t)(millionths / 100);
    return true;
}

/* "20ms", "0.5s"; up to a minute. */
static bool time_of(slice text, int64_t *ret_ns)
{
    uint64_t millionths;

    if (!take_decimal(&text, &millionths))
        return false;
    if (slice_eq(text, SLICE("s")))
        millionths *= 1000;
    else if (text.len && !slice_eq(text, SLICE("ms")))
        return false;
    if (millionths > UINT64_C(60000) * 1000000)
        return false;
    *ret_ns = (int64_t)millionths;
    return true;
}

static bool number_of(slice text, uint64_t max, uint64_t *ret)
{
    uint64_t number;

    if (!slice_take_u64(&text, &number) || text.len || number > max)
        return false;
    *ret = number;
    return true;
}

static int wrong_value(const struct cli *cli, const char *option, const char *near)
{
    return cli_say_error(cli, CLI_USAGE, TEXT_LAB_ERROR_VALUE, WORDS_TEXT("option", slice_of_string(option)),
                         WORDS_TEXT("text", slice_of_string(optarg)), WORDS_TEXT("near", slice_of_string(near)));
}

static int take_number(const struct cli *cli, struct lab_wish *wish, int option, const char *name)
{
    uint64_t max = option == OPT_SEED ? UINT64_MAX : option == OPT_PORT ? UINT16_MAX : LAB_FLOWS_MAX, number;

    if (!number_of(slice_of_string(optarg), max, &number) || (option != OPT_SEED && number == 0))
        return wrong_value(cli, name, option == OPT_PORT ? "5060" : "4");
    if (option == OPT_SEED) {
        wish->network.seed = number;
        wish->has_seed = true;
    } else if (option == OPT_PORT) {
        wish->port = (uint16_t)number;
    } else {
        wish->jobs = (unsigned)number;
    }
    return -1;
}

static int take_transport(const struct cli *cli, struct lab_wish *wish)
{
    slice value = slice_of_string(optarg);

    wish->is_tcp = slice_eq_nocase(value, SLICE("tcp"));
    return wish->is_tcp || slice_eq_nocase(value, SLICE("udp")) ? -1 : wrong_value(cli, "--transport", "udp");
}

/* -1: go on; else the exit code. */
static int take_option(struct cli *cli, struct lab_wish *wish, int option)
{
    slice value = slice_of_string(optarg);
    struct trouble_settings *network = &wish->network;
    enum cli_common common = cli_common_option(cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    switch (option) {
    case OPT_LIST:      wish->list = true; return -1;
    case OPT_NO_LADDER: wish->no_ladder = true; return -1;
    case OPT_PCAP:      wish->pcap = optarg; return -1;
    case OPT_LOSS:      return percent_of(value, &network->loss_ppm) ? -1 : wrong_value(cli, "--loss", "5");
    case OPT_DUPLICATE: return percent_of(value, &network->twice_ppm) ? -1 : wrong_value(cli, "--duplicate", "1");
    case OPT_DELAY:     return time_of(value, &network->delay_ns) ? -1 : wrong_value(cli, "--delay", "20ms");
    case OPT_JITTER:    return time_of(value, &network->jitter_ns) ? -1 : wrong_value(cli, "--jitter", "30ms");
    case OPT_SEED:      return take_number(cli, wish, option, "--seed");
    case OPT_PORT:      return take_number(cli, wish, option, "--port");
    case OPT_JOBS:      return take_number(cli, wish, option, "--jobs");
    case OPT_TRANSPORT: return take_transport(cli, wish);
    case OPT_AGAINST:   wish->against = optarg; return -1;
    case OPT_USERS:     wish->users = optarg; return -1;
    case OPT_DOMAIN:    wish->domain = optarg; return -1;
    case OPT_LANG:      return cli_set_language(cli, optarg) ? -1 : CLI_USAGE;
    case 'h':
        cli_help(cli, "signalbox lab [OPTIONS] FLOW...|all", TEXT_LAB_COMMAND, lab_help, ARRAY_LEN(lab_help), lab_examples);
        return CLI_DONE;
    default:
        return CLI_USAGE;
    }
}

/* ---- flows ---- */

static void list(struct cli *cli)
{
    struct page page = { .out = &cli->out, .style = cli->style };

    for (size_t i = 0; i < script_count(); i++) {
        const struct script *s = script_at(i);

        page_labelled(&page, 2, 24, (struct page_cell){ slice_of_string(s->name), TONE_STRONG },
                      (struct page_cell){ script_purpose(s, cli->words), TONE_PLAIN });
    }
}

static slice nearest(slice name)
{
    struct field fields[LAB_FLOWS_MAX] = { 0 };
    struct field_table table = { "flow", fields, 0 };

    for (; table.count < script_count(); table.count++)
        fields[table.count].name = script_at(table.count)->name;
    return slice_of_string(field_nearest(&table, name)->name);
}

static int take_flows(const struct cli *cli, struct lab_wish *wish, char **words, int count)
{
    for (int i = 0; i < count; i++) {
        slice name = slice_of_string(words[i]);
        const struct script *one = script_find(name);
        bool all = slice_eq_nocase(name, SLICE("all"));

        if (!all && !one)
            return cli_say_error(cli, CLI_NOT_FOUND, TEXT_LAB_ERROR_FLOW, WORDS_TEXT("name", name), WORDS_TEXT("near", nearest(name)));
        if (one && wish->count < LAB_FLOWS_MAX)
            wish->scripts[wish->count++] = one;
        for (size_t k = 0; all && k < script_count() && wish->count < LAB_FLOWS_MAX; k++)
            wish->scripts[wish->count++] = script_at(k);
    }
    return wish->count ? -1 : cli_say_error(cli, CLI_USAGE, TEXT_LAB_ERROR_NONE, WORDS_NUMBER("count", 0));
}

/* ---- somebody else's server ---- */

/* "192.0.2.1", "sip.example.org:5070", "[2001:db8::1]:5060": the host without its port. */
static bool split_host(struct lab_wish *wish, char port[8])
{
    slice text = slice_of_string(wish->against), host = text;
    ptrdiff_t colon = text.len && text.ptr[0] == '[' ? slice_find(text, SLICE("]:")) + 1 : slice_find_char(text, ':');
    uint64_t number = 5060;

    if (colon > 0) {
        host = slice_head(text, (size_t)colon);
        if (!number_of(slice_skip(text, (size_t)colon + 1), UINT16_MAX, &number))
            return false;
    }
    if (!host.len || host.len >= sizeof wish->host)
        return false;
    memcpy(wish->host, host.ptr, host.len);
    snprintf(port, 8, "%u", (unsigned)number);
    return true;
}

static int find_server(const struct cli *cli, struct lab_wish *wish)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found = NULL;
    struct sockaddr_storage storage = { 0 };
    char port[8], bare[sizeof wish->host];
    size_t len;

    if (!split_host(wish, port))
        return cli_say_error(cli, CLI_USAGE, TEXT_LAB_ERROR_VALUE, WORDS_TEXT("option", SLICE("--against")),
                             WORDS_TEXT("text", slice_of_string(wish->against)), WORDS_TEXT("near", SLICE("192.0.2.10:5060")));
    len = strlen(wish->host);
    memcpy(bare, wish->host, len + 1);
    if (bare[0] == '[' && bare[len - 1] == ']') {
        bare[len - 1] = '\0';
        memmove(bare, bare + 1, len - 1);
    }
    int error = getaddrinfo(bare, port, &hints, &found);

    if (!error) {
        memcpy(&storage, found->ai_addr, found->ai_addrlen);
        freeaddrinfo(found);
    }
    if (!error && socket_address_from(&storage, &wish->server))
        return -1;
    return cli_say_error(cli, CLI_MACHINE, TEXT_LAB_ERROR_HOST, WORDS_TEXT("host", slice_of_string(wish->against)),
                         WORDS_TEXT("why", slice_of_string(error ? gai_strerror(error) : strerror(EAFNOSUPPORT))));
}

static unsigned phones_needed(const struct lab_wish *wish)
{
    unsigned most = 0;

    for (size_t i = 0; i < wish->count; i++)
        if (strlen(wish->scripts[i]->phones) > most)
            most = (unsigned)strlen(wish->scripts[i]->phones);
    return most;
}

/* A line for each phone: name, blanks, password. */
static int read_accounts(const struct cli *cli, struct lab_wish *wish)
{
    unsigned needed = phones_needed(wish), count = 0;
    FILE *file = wish->users ? fopen(wish->users, "re") : NULL;
    char line[2 * LAB_ACCOUNT_MAX];

    if (wish->users && !file)
        return cli_say_error(cli, CLI_INPUT, TEXT_USER_ERROR_STORE, WORDS_TEXT("file", slice_of_string(wish->users)),
                             WORDS_TEXT("why", cli_why(cli, errno)));
    while (file && count < SCRIPT_PHONES && fgets(line, sizeof line, file)) {
        struct lab_account *a = &wish->accounts[count];

        if (line[0] != '#' && sscanf(line, "%127s %127[^\r\n]", a->user, a->password) == 2)
            count++;
    }
    if (file)
        (void)fclose(file);
    return count >= needed ? -1
                           : cli_say_error(cli, CLI_USAGE, TEXT_LAB_ERROR_USERS, WORDS_NUMBER("count", needed),
                                           WORDS_TEXT("file", slice_of_string(wish->users ? wish->users : "--users FILE")));
}

int cmd_lab(struct cli *cli, int argc, char **argv)
{
    struct lab_wish wish = { 0 };
    int option, code;

    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, ":vh", lab_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return cli_bad_option(cli, "lab", option, argv);
        code = take_option(cli, &wish, option);
        if (code >= 0)
            return code;
    }
    if (wish.list) {
        list(cli);
        return CLI_DONE;
    }
    code = take_flows(cli, &wish, argv + optind, argc - optind);
    if (code < 0 && wish.is_tcp && lab_is_bad_network(&wish))
        code = cli_say_error(cli, CLI_USAGE, TEXT_LAB_ERROR_TCP, WORDS_NUMBER("count", 0));
    if (code < 0 && wish.against)
        code = find_server(cli, &wish);
    if (code < 0 && wish.against)
        code = read_accounts(cli, &wish);
    if (code < 0 && !wish.has_seed &&
        getrandom(&wish.network.seed, sizeof(uint32_t), 0) != (ssize_t)sizeof(uint32_t))
        wish.network.seed = 1;
    return code < 0 ? lab_run(cli, &wish) : code;
}
