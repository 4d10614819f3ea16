/* cli/cli.h - what every command of the program is given.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "codes/words.h"
#include "report/style.h"

enum { CLI_DONE = 0, CLI_NOT_FOUND = 1, CLI_USAGE = 2, CLI_INPUT = 3, CLI_MACHINE = 4 };

struct cli {
    const struct words *words;       /* the reader's language */
    struct style        style;       /* of standard output */
    struct out          out;         /* standard output; flushed by main */
    bool                terminal;    /* standard error is one: a progress bar makes sense */
    unsigned            verbose;
};

struct cli_command {
    const char *name;
    int (*run)(struct cli *cli, int argc, char **argv);    /* argv[0] is its name */
    enum text_id what;               /* one line for the help */
};
extern const struct cli_command cli_commands[];            /* ends with a NULL name */

int cmd_read(struct cli *cli, int argc, char **argv);
int cmd_explain(struct cli *cli, int argc, char **argv);
int cmd_scrub(struct cli *cli, int argc, char **argv);
int cmd_pack(struct cli *cli, int argc, char **argv);
int cmd_diff(struct cli *cli, int argc, char **argv);
int cmd_serve(struct cli *cli, int argc, char **argv);
int cmd_load(struct cli *cli, int argc, char **argv);
int cmd_lab(struct cli *cli, int argc, char **argv);
int cmd_user(struct cli *cli, int argc, char **argv);

/* One line on standard error: "signalbox: ", then the sentence. Returns `code`. */
int cli_error(const struct cli *cli, int code, enum text_id id, const struct words_value *values,
              size_t count);
#define cli_say_error(cli, code, id, ...)                                                          \
    cli_error((cli), (code), (id), (const struct words_value[]){ __VA_ARGS__ },                    \
              sizeof((const struct words_value[]){ __VA_ARGS__ }) / sizeof(struct words_value))

int cli_no_memory(const struct cli *cli);            /* the same, that there is not enough */
/* A sentence on a line of its own, cleaned as those are. The first value chooses the number form. */
void cli_line(const struct cli *cli, struct out *o, enum text_id id, const struct words_value *values,
              size_t count);
#define cli_say_line(cli, o, id, ...)                                                              \
    cli_line((cli), (o), (id), (const struct words_value[]){ __VA_ARGS__ },                        \
             sizeof((const struct words_value[]){ __VA_ARGS__ }) / sizeof(struct words_value))

/* An option of a command, for its help. */
struct cli_option {
    const char *name;                /* "--filter EXPR" */
    enum text_id what;
};
void cli_help(struct cli *cli, const char *usage, enum text_id what,
              const struct cli_option *options, size_t count, const char *const *examples);

/* A text as a paragraph of standard output, no line wider than the terminal. */
void cli_say_wrapped(struct cli *cli, enum text_id id);
void cli_wrap(struct cli *cli, slice text);
/* Why a system call failed, to stand within a sentence; the system's own words for what is rare. */
slice cli_why(const struct cli *cli, int errno_value);
/* The same for a file that was to be made: what is not there is its directory. */
slice cli_why_not_made(const struct cli *cli, int errno_value);
/* Options that every command takes beside its own and --help; put CLI_COMMON_OPTIONS into its
 * table of long options and "vh" into the short ones. */
enum { CLI_OPT_VERSION = 1000, CLI_OPT_NO_COLOUR };
#define CLI_COMMON_OPTIONS                                                                         \
    { "verbose", no_argument, NULL, 'v' }, { "version", no_argument, NULL, CLI_OPT_VERSION },      \
    { "no-colour", no_argument, NULL, CLI_OPT_NO_COLOUR },                                         \
    { "no-color", no_argument, NULL, CLI_OPT_NO_COLOUR }
enum cli_common { CLI_COMMON_NO, CLI_COMMON_TAKEN, CLI_COMMON_ALL_DONE };
enum cli_common cli_common_option(struct cli *cli, int option);
void cli_say_version(struct cli *cli);

/* getopt's '?' and ':' as a sentence; CLI_USAGE. */
int cli_bad_option(const struct cli *cli, const char *command, int got, char **argv);
/* --lang; false: said on standard error. */
bool cli_set_language(struct cli *cli, const char *tag);
/* "en, zh-CN, fr" */
slice cli_languages(char *room, size_t size);

#endif
