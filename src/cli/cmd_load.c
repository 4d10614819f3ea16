/* cli/cmd_load.c - signalbox load: calls at a given rate against a server, and what became of them
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cli.h"
#include "lab/load.h"
#include "net/net.h"

#define SECOND_NS INT64_C(1000000000)
#define MS_NS INT64_C(1000000)
#define LATE_MAX_NS (5 * MS_NS)                            /* worse than this at the 99th percentile: unfair */
enum { USERS_MAX = 120, NAME_MAX_LEN = 24, SIP_PORT = 5060 };

static const struct cli_option load_help[] = {
    { "--to ADDRESS", TEXT_LOAD_OPTION_TO },          { "--rate N", TEXT_LOAD_OPTION_RATE },
    { "--seconds N", TEXT_LOAD_OPTION_SECONDS },      { "--hold SECONDS", TEXT_LOAD_OPTION_HOLD },
    { "--users N", TEXT_LOAD_OPTION_USERS },          { "--domain DOMAIN", TEXT_LOAD_OPTION_DOMAIN },
    { "--make-users", TEXT_LOAD_OPTION_MAKE_USERS },  { "--no-register", TEXT_LOAD_OPTION_NO_REGISTER },
    { "--strangers", TEXT_LOAD_OPTION_STRANGERS },
    { "--volte", TEXT_LOAD_OPTION_VOLTE },            { "--registrations", TEXT_LOAD_OPTION_REGISTRATIONS },
    { "--server-pid PID", TEXT_LOAD_OPTION_SERVER_PID },
    { "--json", TEXT_LOAD_OPTION_JSON },              { "--lang LANG", TEXT_CLI_OPTION_LANG },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },     { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },           { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const load_examples[] = {
    "signalbox load --make-users > users.csv && signalbox user import users.csv",
    "signalbox load --to 127.0.0.1 --rate 100 --seconds 30 --server-pid $(pidof signalbox)",
    NULL,
};

enum { OPT_TO = 256, OPT_RATE, OPT_SECONDS, OPT_HOLD, OPT_USERS, OPT_DOMAIN, OPT_MAKE, OPT_NO_REGISTER, OPT_VOLTE, OPT_PID,
       OPT_REGISTRATIONS, OPT_STRANGERS, OPT_JSON, OPT_LANG };
static const struct option load_options[] = {
    { "to", required_argument, NULL, OPT_TO },
    { "rate", required_argument, NULL, OPT_RATE },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "hold", required_argument, NULL, OPT_HOLD },
    { "users", required_argument, NULL, OPT_USERS },
    { "domain", required_argument, NULL, OPT_DOMAIN },
    { "make-users", no_argument, NULL, OPT_MAKE },
    { "no-register", no_argument, NULL, OPT_NO_REGISTER },
    { "volte", no_argument, NULL, OPT_VOLTE },
    { "strangers", no_argument, NULL, OPT_STRANGERS },
    { "registrations", no_argument, NULL, OPT_REGISTRATIONS },
    { "server-pid", required_argument, NULL, OPT_PID },
    { "json", no_argument, NULL, OPT_JSON },
    { "lang", required_argument, NULL, OPT_LANG },
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

struct loading {
    struct cli    *cli;
    struct address to;
    uint32_t       rate, seconds, hold_s, users, pid;
    slice          domain;
    bool           make, no_register, strangers, volte, registrations, json;
    char           names[2 * USERS_MAX][NAME_MAX_LEN];
    struct loop   *loop;
    struct net    *net;
    struct load   *load;
    struct loop_turn turn;
    double         server_cpu_s;
};

/* ---- options ---- */

static bool parse_to(slice text, struct address *ret)
{
    slice host = text;
    uint32_t port = SIP_PORT;
    ptrdiff_t colon = -1;

    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == ':')
            colon = (ptrdiff_t)i;
    if (address_parse_ip(text, ret)) {
        ret->port = SIP_PORT;
        return true;
    }
    if (colon < 0)
        return false;
    host.len = (size_t)colon;
    if (!slice_to_u32(slice_skip(text, (size_t)colon + 1), &port) || port == 0 || port > UINT16_MAX || !address_parse_ip(host, ret))
        return false;
    ret->port = (uint16_t)port;
    return true;
}

static int take_number(const struct loading *l, const char *option, uint32_t min, uint32_t max, uint32_t *ret)
{
    slice text = slice_of_string(optarg);

    if (slice_to_u32(text, ret) && *ret >= min && *ret <= max)
        return -1;
    return cli_say_error(l->cli, CLI_USAGE, TEXT_LOAD_ERROR_NUMBER, WORDS_TEXT("text", text),
                         WORDS_TEXT("option", slice_of_string(option)), WORDS_NUMBER("min", min), WORDS_NUMBER("max", max));
}

/* -1: go on; else the exit code. */
static int take_option(struct loading *l, int option)
{
    enum cli_common common = cli_common_option(l->cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    switch (option) {
    case OPT_TO:
        return parse_to(slice_of_string(optarg), &l->to) ? -1
            : cli_say_error(l->cli, CLI_USAGE, TEXT_LOAD_ERROR_TO, WORDS_TEXT("text", slice_of_string(optarg)));
    case OPT_RATE:        return take_number(l, "rate", 1, 100000, &l->rate);
    case OPT_SECONDS:     return take_number(l, "seconds", 1, 86400, &l->seconds);
    case OPT_HOLD:        return take_number(l, "hold", 0, 3600, &l->hold_s);
    case OPT_USERS:       return take_number(l, "users", 1, USERS_MAX, &l->users);
    case OPT_PID:         return take_number(l, "server-pid", 1, INT32_MAX, &l->pid);
    case OPT_DOMAIN:      l->domain = slice_of_string(optarg); return -1;
    case OPT_MAKE:        l->make = true; return -1;
    case OPT_NO_REGISTER: l->no_register = true; return -1;
    case OPT_STRANGERS:   l->strangers = true; return -1;
    case OPT_VOLTE:       l->volte = true; return -1;
    case OPT_REGISTRATIONS: l->registrations = true; return -1;
    case OPT_JSON:        l->json = true; return -1;
    case OPT_LANG:        return cli_set_language(l->cli, optarg) ? -1 : CLI_USAGE;
    case 'h':
        cli_help(l->cli, "signalbox load --to ADDRESS [OPTIONS]", TEXT_LOAD_COMMAND, load_help, ARRAY_LEN(load_help), load_examples);
        return CLI_DONE;
    default:
        return CLI_USAGE;
    }
}

/* ---- users: caller-001, callee-001 ...; the password is the name ---- */

static void name_users(struct loading *l)
{
    for (uint32_t i = 0; i < 2 * l->users; i++)
        (void)snprintf(l->names[i], NAME_MAX_LEN, "%s-%03u", i < l->users ? "caller" : "callee", (unsigned)(i % l->users + 1));
}

static int make_users(struct loading *l)
{
    out_text(&l->cli->out, SLICE("name,domain,password\n"));
    for (uint32_t i = 0; i < 2 * l->users; i++) {
        slice name = slice_of_string(l->names[i]);

        out_text(&l->cli->out, name);
        out_char(&l->cli->out, ',');
        out_text(&l->cli->out, l->domain);
        out_char(&l->cli->out, ',');
        out_text(&l->cli->out, name);
        out_char(&l->cli->out, '\n');
    }
    return CLI_DONE;
}

/* ---- the loop ---- */

static void on_message(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    struct loading *l = ctx;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;

    if (sip_message_parse(bytes, SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0)
        load_receive(l->load, from->listener, from, &m, now_ns);
}

static void on_lost(void *ctx, const struct hop *hop, int error, slice why)
{
    struct loading *l = ctx;

    (void)error, (void)why;
    load_lost(l->load, hop->listener, hop, loop_now_ns(l->loop));
}

static int64_t on_turn(void *ctx, int64_t now_ns)
{
    struct loading *l = ctx;

    load_time(l->load, now_ns);
    if (load_phase(l->load) >= LOAD_DONE)
        loop_stop(l->loop);
    return load_next_ns(l->load);
}

static int say_open(const struct loading *l, int error)
{
    return cli_say_error(l->cli, CLI_MACHINE, TEXT_LOAD_ERROR_OPEN, WORDS_TEXT("why", cli_why(l->cli, -error)));
}

/* A port each, so that a message says by itself whose it is. */
static int open_ports(struct loading *l)
{
    struct net_listener *listeners = calloc(2 * l->users, sizeof *listeners);
    struct net_settings settings = { .listeners = listeners, .listener_count = 2 * l->users };
    struct net_handlers handlers = { .ctx = l, .message = on_message, .lost = on_lost };
    struct net_fault fault;
    int error = listeners ? loop_open(&l->loop) : -ENOMEM;

    for (uint32_t i = 0; !error && i < 2 * l->users; i++) {
        listeners[i].transport = WIRE_UDP;
        listeners[i].address.family = l->to.family;       /* any address of ours, any port */
        if (l->to.family == 4 && l->to.ip[0] == 127)
            listeners[i].address = address_v4("\x7f\0\0\1", 0);
    }
    if (!error)
        error = net_open(&l->net, l->loop, &settings, &handlers, &fault);
    free(listeners);
    return error;
}

static int make_phones(struct loading *l)
{
    static const struct transaction_times usual = { 500 * MS_NS, 4000 * MS_NS, 5000 * MS_NS, 32000 * MS_NS, 200 * MS_NS };
    struct load_settings settings = { .calls_per_s = l->rate, .duration_ns = l->seconds * SECOND_NS, .hold_ns = l->hold_s * SECOND_NS,
                                      .ring_ns = 10 * MS_NS, .domain = l->domain, .registers = !l->no_register,
                                      .registrations = l->registrations, .strangers = l->strangers,
                                      .how = l->volte ? PHONE_RELIABLE | PHONE_PRECONDITIONS : 0 };
    struct hop_sender sender = net_sender(l->net);

    l->load = load_new(&settings, loop_now_ns(l->loop));
    for (uint32_t i = 0; l->load && i < 2 * l->users; i++) {
        slice name = slice_of_string(l->names[i]);
        slice domain = l->strangers && i < l->users ? SLICE("stranger.example") : l->domain;
        struct phone_settings ps = { .endpoint = { .times = usual }, .user = name, .password = name, .domain = domain,
                                     .server = { .remote = l->to, .listener = (uint16_t)i, .transport = WIRE_UDP,
                                                 .local = *net_listener_address(l->net, i) } };

        if (getrandom(&ps.endpoint.seed, sizeof ps.endpoint.seed, 0) != (ssize_t)sizeof ps.endpoint.seed)
            return -errno;
        if (load_phone(l->load, i < l->users ? LOAD_CALLER : LOAD_CALLEE, &ps, &sender, loop_now_ns(l->loop)) < 0)
            return -ENOMEM;
    }
    return l->load ? 0 : -ENOMEM;
}

/* ---- processor time ---- */

/* User and system time of a process; negative: it cannot be read. */
static double cpu_of(uint32_t pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    const char *at;
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof path, "/proc/%u/stat", (unsigned)pid);
    file = pid ? fopen(path, "r") : NULL;
    if (!file)
        return -1;
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return -1;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- the result ---- */

static int64_t us(int64_t ns) { return ns / 1000; }

static slice ms_text(int64_t ns, char *room, size_t size)
{
    int len = snprintf(room, size, "%.2f", (double)ns / 1e6);

    return slice_of(room, len > 0 ? (size_t)len : 0);
}

static slice number_text(double number, char *room, size_t size)
{
    int len = snprintf(room, size, number < 100 ? "%.2f" : "%.0f", number);

    return slice_of(room, len > 0 ? (size_t)len : 0);
}

static void line(struct loading *l) { out_char(&l->cli->out, '\n'); }

static void say_result(struct loading *l)
{
    const struct load_counts *c = load_counts(l->load);
    struct out *o = &l->cli->out;
    char a[32], b[32], d[32];

    words_say(o, l->cli->words, l->registrations ? TEXT_LOAD_RESULT_REGISTRATIONS : TEXT_LOAD_RESULT, WORDS_NUMBER("begun", c->begun), WORDS_NUMBER("seconds", l->seconds),
              WORDS_NUMBER("answered", c->answered), WORDS_NUMBER("ended", c->ended), WORDS_NUMBER("failed", c->failed),
              WORDS_NUMBER("resent", load_resent(l->load)));
    line(l);
    words_say(o, l->cli->words, l->registrations ? TEXT_LOAD_DELAY_REGISTRATIONS : TEXT_LOAD_DELAY, WORDS_TEXT("p50", ms_text(load_percentile_ns(&c->invite, 50), a, sizeof a)),
              WORDS_TEXT("p99", ms_text(load_percentile_ns(&c->invite, 99), b, sizeof b)),
              WORDS_TEXT("max", ms_text(c->invite.max_ns, d, sizeof d)));
    line(l);
    for (unsigned code = 0; code < ARRAY_LEN(c->finals); code++)
        if (c->finals[code]) {
            words_say_plural(o, l->cli->words, l->registrations ? TEXT_LOAD_FINAL_REGISTRATIONS : TEXT_LOAD_FINAL, WORDS_NUMBER("count", c->finals[code]), WORDS_NUMBER("code", code));
            line(l);
        }
    if (l->server_cpu_s > 0) {
        words_say(o, l->cli->words, l->registrations ? TEXT_LOAD_CPU_REGISTRATIONS : TEXT_LOAD_CPU, WORDS_TEXT("cpu", number_text(l->server_cpu_s, a, sizeof a)),
                  WORDS_TEXT("rate", number_text((double)c->ended / l->server_cpu_s, b, sizeof b)));
        line(l);
    }
    words_say(o, l->cli->words, TEXT_LOAD_LATE, WORDS_TEXT("cpu", number_text(own_cpu(), a, sizeof a)),
              WORDS_TEXT("late", ms_text(c->late.max_ns, b, sizeof b)));
    line(l);
    if (c->not_begun) {
        words_say_plural(o, l->cli->words, TEXT_LOAD_NOT_BEGUN, WORDS_NUMBER("count", c->not_begun));
        line(l);
    }
    if (load_percentile_ns(&c->late, 99) > LATE_MAX_NS) {
        out_text(o, words_text(l->cli->words, TEXT_LOAD_UNFAIR));
        line(l);
    }
}

static void write_result(struct loading *l)
{
    const struct load_counts *c = load_counts(l->load);
    struct json j = { .out = &l->cli->out };

    json_open(&j, '{');
    json_text(&j, "type", SLICE("load"));
    json_u64(&j, "begun", c->begun);
    json_u64(&j, "answered", c->answered);
    json_u64(&j, "ended", c->ended);
    json_u64(&j, "failed", c->failed);
    json_u64(&j, "not_begun", c->not_begun);
    json_u64(&j, "live_max", c->live_max);
    json_u64(&j, "resent", load_resent(l->load));
    json_u64(&j, "invite_p50_us", (uint64_t)us(load_percentile_ns(&c->invite, 50)));
    json_u64(&j, "invite_p99_us", (uint64_t)us(load_percentile_ns(&c->invite, 99)));
    json_u64(&j, "invite_max_us", (uint64_t)us(c->invite.max_ns));
    json_u64(&j, "late_p99_us", (uint64_t)us(load_percentile_ns(&c->late, 99)));
    json_u64(&j, "late_max_us", (uint64_t)us(c->late.max_ns));
    json_u64(&j, "own_cpu_ms", (uint64_t)(own_cpu() * 1000));
    if (l->server_cpu_s > 0)
        json_u64(&j, "server_cpu_ms", (uint64_t)(l->server_cpu_s * 1000));
    json_close(&j, '}');
    line(l);
}

static int run(struct loading *l)
{
    int error = open_ports(l);
    double before;

    if (!error)
        error = make_phones(l);
    if (error)
        return say_open(l, error);
    before = cpu_of(l->pid);
    l->turn = (struct loop_turn){ .turn = on_turn, .ctx = l };
    loop_add_turn(l->loop, &l->turn, LOOP_WORK);
    error = loop_run(l->loop);
    loop_remove_turn(&l->turn);
    if (error)
        return say_open(l, error);
    l->server_cpu_s = before < 0 ? 0 : cpu_of(l->pid) - before;

    const struct load_counts *c = load_counts(l->load);

    if (load_phase(l->load) == LOAD_FAILED)
        return cli_say_error(l->cli, CLI_NOT_FOUND, TEXT_LOAD_NOT_REGISTERED, WORDS_NUMBER("count", c->not_registered),
                             WORDS_NUMBER("total", 2 * l->users));
    if (l->json)
        write_result(l);
    else
        say_result(l);
    return c->failed || c->not_begun ? CLI_NOT_FOUND : CLI_DONE;
}

int cmd_load(struct cli *cli, int argc, char **argv)
{
    struct loading l = { .cli = cli, .rate = 10, .seconds = 10, .hold_s = 1, .users = 20, .domain = SLICE("load.example") };
    int option, code;

    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, ":vh", load_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return cli_bad_option(cli, "load", option, argv);
        code = take_option(&l, option);
        if (code >= 0)
            return code;
    }
    name_users(&l);
    if (l.make)
        return make_users(&l);
    if (!l.to.family || optind < argc)
        return cli_say_error(cli, CLI_USAGE, TEXT_LOAD_ERROR_TO, WORDS_TEXT("text", slice_of_string(optind < argc ? argv[optind] : "")));
    code = run(&l);
    load_free(l.load);
    net_free(l.net);
    loop_free(l.loop);
    return code;
}
