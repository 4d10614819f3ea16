/* cli/main.c - the program: find the command, run it, flush.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "call/fields.h"
#include "cli/cli.h"
#include "report/moment.h"

const struct cli_command cli_commands[] = {
    { "read", cmd_read, TEXT_CLI_COMMAND_READ },
    { "explain", cmd_explain, TEXT_CLI_COMMAND_EXPLAIN },
    { "scrub", cmd_scrub, TEXT_SCRUB_COMMAND },
    { "diff", cmd_diff, TEXT_DIFF_COMMAND },
    { "pack", cmd_pack, TEXT_PACK_COMMAND },
    { "user", cmd_user, TEXT_USER_COMMAND },
    { "serve", cmd_serve, TEXT_SERVE_COMMAND },
    { "load", cmd_load, TEXT_LOAD_COMMAND },
    { "lab", cmd_lab, TEXT_LAB_COMMAND },
    { NULL, NULL, 0 },
};

/* What people come for, an example each. */
static const struct { enum text_id thing; const char *example; } things[] = {
    { TEXT_CLI_THING_READ, "signalbox read capture.pcap" },
    { TEXT_CLI_THING_LADDER, "signalbox read --ladder 1 capture.pcap" },
    { TEXT_CLI_THING_EXPLAIN, "signalbox explain 488" },
    { TEXT_CLI_THING_COMPARE, "signalbox explain 486 600" },
    { TEXT_CLI_THING_SCRIPT, "signalbox read --json --filter 'final >= 400' capture.pcap" },
};

static void say_line(struct cli *cli, enum text_id id)
{
    out_text(&cli->out, words_text(cli->words, id));
    out_char(&cli->out, '\n');
}

static int cmd_help(struct cli *cli)
{
    say_line(cli, TEXT_CLI_TAGLINE);
    out_char(&cli->out, '\n');
    say_line(cli, TEXT_CLI_FIVE_THINGS);
    for (size_t i = 0; i < ARRAY_LEN(things); i++) {
        out_text(&cli->out, SLICE("\n  "));
        say_line(cli, things[i].thing);
        out_text(&cli->out, SLICE("    "));
        style_begin(&cli->out, &cli->style, TONE_STRONG);
        out_text(&cli->out, slice_of_string(things[i].example));
        style_end(&cli->out, &cli->style, TONE_STRONG);
        out_char(&cli->out, '\n');
    }
    out_char(&cli->out, '\n');
    say_line(cli, TEXT_CLI_COMMANDS);
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        out_text(&cli->out, SLICE("  "));
        out_text(&cli->out, slice_of_string(c->name));
        out_repeat(&cli->out, SLICE(" "), 10 - strlen(c->name));
        say_line(cli, c->what);
    }
    out_char(&cli->out, '\n');
    cli_say_wrapped(cli, TEXT_CLI_MORE_HELP);
    return CLI_DONE;
}

/* The first variable that is set names the language (gettext's order). */
static const struct words *language_of_environment(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return words_for_locale(slice_of_string(value));
    }
    return words_english();
}

static bool locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return slice_find_nocase(slice_of_string(value), SLICE("utf")) >= 0 ||
                   slice_eq(slice_of_string(value), SLICE("C")) == false;
    }
    return true;
}

static unsigned terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    uint32_t width;

    if (columns && slice_to_u32(slice_of_string(columns), &width) && width >= 20 && width <= 1000)
        return width;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return isatty(STDOUT_FILENO) ? 80 : 120;
}

static void cli_begin(struct cli *cli)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

    *cli = (struct cli){ .words = language_of_environment(), .terminal = isatty(STDERR_FILENO) };
    cli->style.width = terminal_width();
    cli->style.colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
                        !(term && strcmp(term, "dumb") == 0);
    cli->style.ascii = !locale_is_utf8();
    out_init_fd(&cli->out, STDOUT_FILENO);
    (void)moment_zone(SLICE("local"));
    (void)signal(SIGPIPE, SIG_IGN);                       /* a pager that was left is no crash */
}

static int cli_end(struct cli *cli, int code)
{
    int error = -out_flush(&cli->out);

    out_done(&cli->out);
    if (error == 0 || error == EPIPE)
        return code;
    return cli_say_error(cli, CLI_MACHINE, TEXT_READ_ERROR_OUTPUT,
                         WORDS_TEXT("why", cli_why(cli, error)));
}

static int unknown_command(const struct cli *cli, const char *name)
{
    struct field names[16] = {0};
    struct field_table table = { "command", names, 0 };

    for (const struct cli_command *c = cli_commands; c->name && table.count < ARRAY_LEN(names); c++)
        names[table.count++].name = c->name;
    return cli_say_error(cli, CLI_USAGE, TEXT_CLI_ERROR_NO_COMMAND,
                         WORDS_TEXT("name", slice_of_string(name)),
                         WORDS_TEXT("near", slice_of_string(
                             field_nearest(&table, slice_of_string(name))->name)));
}

/* Help and errors speak the language of a --lang that stands behind them. A wrong one is refused
 * in its turn. */
static void take_language_ahead(struct cli *cli, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *tag = strncmp(argv[i], "--lang=", 7) == 0 ? argv[i] + 7
                        : strcmp(argv[i], "--lang") == 0 ? argv[i + 1] : NULL;
        const struct words *w = tag ? words_find(slice_of_string(tag)) : NULL;

        if (w)
            cli->words = w;
    }
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const char *const helps[] = { "help", "--help", "-h" };
    static const char *const versions[] = { "--version", "-V", "version" };

    take_language_ahead(cli, argc, argv);
    if (argc > 2 && strcmp(argv[1], "--lang") == 0) {     /* before any command, too */
        if (!cli_set_language(cli, argv[2]))
            return CLI_USAGE;
        argv[2] = argv[0];
        argc -= 2, argv += 2;
    }
    if (argc < 2)
        return cmd_help(cli);
    for (size_t i = 0; i < ARRAY_LEN(helps); i++)
        if (strcmp(argv[1], helps[i]) == 0)
            return cmd_help(cli);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        if (strcmp(argv[1], versions[i]) == 0) {
            cli_say_version(cli);
            return CLI_DONE;
        }
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (strcmp(c->name, argv[1]) == 0)
            return c->run(cli, argc - 1, argv + 1);
    return unknown_command(cli, argv[1]);
}

int main(int argc, char **argv)
{
    struct cli cli;

    cli_begin(&cli);
    return cli_end(&cli, run(&cli, argc, argv));
}
