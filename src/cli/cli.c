/* cli/cli.c - help, errors and languages, the same for every command; see cli.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/utf8.h"

int cli_error(const struct cli *cli, int code, enum text_id id, const struct words_value *values,
              size_t count)
{
    struct out text, err;

    out_init_memory(&text, 1 << 16);
    words_format(&text, cli->words, id, values, count);
    out_init_fd(&err, STDERR_FILENO);
    out_text(&err, SLICE("signalbox: "));
    style_clean(&err, out_taken(&text));                  /* names of files and the like are foreign */
    out_char(&err, '\n');
    (void)out_flush(&err);
    out_done(&err);
    out_done(&text);
    return code;
}

int cli_no_memory(const struct cli *cli)
{
    return cli_say_error(cli, CLI_MACHINE, TEXT_READ_ERROR_NO_MEMORY, WORDS_NUMBER("count", 0));
}

void cli_line(const struct cli *cli, struct out *o, enum text_id id, const struct words_value *values,
              size_t count)
{
    struct out text;

    out_init_memory(&text, 1 << 16);
    words_format_plural(&text, cli->words, id, values, count);
    style_clean(o, out_taken(&text));
    out_char(o, '\n');
    out_done(&text);
}

int cli_bad_option(const struct cli *cli, const char *command, int got, char **argv)
{
    char letter[3] = { '-', (char)optopt, '\0' };
    const char *option = optopt > 0 && optopt < 128 ? letter : argv[optind - 1];
    enum text_id id = got == ':' ? TEXT_CLI_ERROR_OPTION_VALUE : TEXT_CLI_ERROR_OPTION;

    return cli_say_error(cli, CLI_USAGE, id, WORDS_TEXT("option", slice_of_string(option)),
                         WORDS_TEXT("command", slice_of_string(command)));
}

slice cli_languages(char *room, size_t size)
{
    struct out text;

    out_init_memory(&text, size);
    for (size_t i = 0; i < words_count(); i++) {
        out_text(&text, i ? SLICE(", ") : SLICE(""));
        out_text(&text, words_at(i)->tag);
    }
    slice names = slice_head(out_taken(&text), size);

    if (names.len)
        memcpy(room, names.ptr, names.len);
    out_done(&text);
    return slice_of(room, names.len);
}

void cli_say_version(struct cli *cli) { out_text(&cli->out, SLICE("signalbox " SB_VERSION "\n")); }

enum cli_common cli_common_option(struct cli *cli, int option)
{
    switch (option) {
    case 'v':
        cli->verbose++;
        return CLI_COMMON_TAKEN;
    case CLI_OPT_NO_COLOUR:
        cli->style.colour = false;
        return CLI_COMMON_TAKEN;
    case CLI_OPT_VERSION:
        cli_say_version(cli);
        return CLI_COMMON_ALL_DONE;
    default:
        return CLI_COMMON_NO;
    }
}

bool cli_set_language(struct cli *cli, const char *tag)
{
    const struct words *w = words_find(slice_of_string(tag));
    char room[512];

    if (!w) {
        cli_say_error(cli, CLI_USAGE, TEXT_CLI_ERROR_LANGUAGE, WORDS_TEXT("name", slice_of_string(tag)),
                      WORDS_TEXT("languages", cli_languages(room, sizeof room)));
        return false;
    }
    cli->words = w;
    return true;
}

void cli_say_wrapped(struct cli *cli, enum text_id id) { cli_wrap(cli, words_text(cli->words, id)); }

void cli_wrap(struct cli *cli, slice rest)
{
    slice line;
    size_t width = cli->style.width ? cli->style.width : 100;

    while (utf8_take_line(&rest, width, &line)) {
        out_text(&cli->out, line);
        out_char(&cli->out, '\n');
    }
}

slice cli_why(const struct cli *cli, int errno_value)
{
    static const struct { int errno_value; enum text_id id; } texts[] = {
        { ENOENT, TEXT_CLI_WHY_NO_FILE }, { EACCES, TEXT_CLI_WHY_NO_ACCESS },
        { EPERM, TEXT_CLI_WHY_NO_ACCESS }, { EISDIR, TEXT_CLI_WHY_FOLDER },
        { ENOSPC, TEXT_CLI_WHY_NO_SPACE }, { EIO, TEXT_CLI_WHY_DEVICE },
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].errno_value == errno_value)
            return words_text(cli->words, texts[i].id);
    return slice_of_string(errno_value ? strerror(errno_value) : "");
}

slice cli_why_not_made(const struct cli *cli, int errno_value)
{
    return errno_value == ENOENT ? words_text(cli->words, TEXT_CLI_WHY_NO_PARENT) : cli_why(cli, errno_value);
}

static void help_option(struct cli *cli, const struct cli_option *option)
{
    const size_t indent = 26;
    char languages[512];
    struct out text;
    slice name = slice_of_string(option->name), rest, line;
    size_t room = cli->style.width > indent + 20 ? cli->style.width - indent : 54;

    out_init_memory(&text, 4096);
    words_say(&text, cli->words, option->what,
              WORDS_TEXT("languages", cli_languages(languages, sizeof languages)));
    out_text(&cli->out, SLICE("  "));
    out_text(&cli->out, name);
    if (name.len + 3 > indent) {
        out_char(&cli->out, '\n');
        out_repeat(&cli->out, SLICE(" "), indent);
    } else {
        out_repeat(&cli->out, SLICE(" "), indent - name.len - 2);
    }
    rest = out_taken(&text);
    for (bool first = true; utf8_take_line(&rest, room, &line); first = false) {
        out_repeat(&cli->out, SLICE(" "), first ? 0 : indent);
        out_text(&cli->out, line);
        out_char(&cli->out, '\n');
    }
    out_done(&text);
}

void cli_help(struct cli *cli, const char *usage, enum text_id what,
              const struct cli_option *options, size_t count, const char *const *examples)
{
    struct out *o = &cli->out;

    words_say(o, cli->words, TEXT_CLI_USAGE, WORDS_TEXT("usage", slice_of_string(usage)));
    out_text(o, SLICE("\n\n  "));
    out_text(o, words_text(cli->words, what));
    out_text(o, SLICE("\n\n"));
    out_text(o, words_text(cli->words, TEXT_CLI_OPTIONS));
    out_char(o, '\n');
    for (size_t i = 0; i < count; i++)
        help_option(cli, &options[i]);
    out_char(o, '\n');
    out_text(o, words_text(cli->words, TEXT_CLI_EXAMPLES));
    for (; *examples; examples++) {
        out_text(o, SLICE("\n  "));
        out_text(o, slice_of_string(*examples));
    }
    out_text(o, SLICE("\n\n"));
    cli_say_wrapped(cli, TEXT_CLI_EXIT_CODES);
}
