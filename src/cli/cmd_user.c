/* cli/cmd_user.c - signalbox user VERB ...: the users of the server; words and options.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the verbs do is in user_write.c and user_show.c. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/user_int.h"
#include "switch/rejects.h"

#define BUSY_MS 5000

static const struct cli_option user_help[] = {
    { "--db FILE", TEXT_USER_OPTION_DB },
    { "--password-stdin", TEXT_USER_OPTION_PASSWORD_STDIN },
    { "--password-file FILE", TEXT_USER_OPTION_PASSWORD_FILE },
    { "--random-password", TEXT_USER_OPTION_RANDOM_PASSWORD },
    { "--ha1 ALG=HEX", TEXT_USER_OPTION_HA1 },
    { "--auth-name NAME", TEXT_USER_OPTION_AUTH_NAME },
    { "--display NAME", TEXT_USER_OPTION_DISPLAY },
    { "--forward-always URI", TEXT_USER_OPTION_FORWARD },
    { "--forward-busy URI", TEXT_USER_OPTION_FORWARD },
    { "--forward-no-answer URI", TEXT_USER_OPTION_FORWARD },
    { "--forward-unreachable URI", TEXT_USER_OPTION_FORWARD },
    { "--ring-time SECONDS", TEXT_USER_OPTION_RING_TIME },
    { "--max-calls N", TEXT_USER_OPTION_MAX },
    { "--max-contacts N", TEXT_USER_OPTION_MAX },
    { "--reject CALLERS", TEXT_USER_OPTION_REJECT },
    { "--flag FEATURE=yes|no", TEXT_USER_OPTION_FLAG },
    { "--domain DOMAIN", TEXT_USER_OPTION_DOMAIN },
    { "--limit N", TEXT_USER_OPTION_LIMIT },
    { "--skip N", TEXT_USER_OPTION_SKIP },
    { "--update", TEXT_USER_OPTION_UPDATE },
    { "--json", TEXT_USER_OPTION_JSON },
    { "--lang LANG", TEXT_CLI_OPTION_LANG },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },
    { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },
    { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const user_examples[] = {
    "signalbox user add alice@example.com --display 'Alice Miller'",
    "pass show sip/bob | signalbox user add bob@example.com --password-stdin",
    "signalbox user set alice@example.com --forward-busy sip:bob@example.com --flag call-waiting=no",
    "signalbox user set alice@example.com --reject '+4930123456 spam@example.net'",
    "signalbox user alias add 100@example.com alice",
    "signalbox user list mill --domain example.com --json",
    "signalbox user import users.csv",
    NULL,
};

enum { OPT_DB = 256, OPT_STDIN, OPT_FILE, OPT_RANDOM, OPT_HA1, OPT_AUTH_NAME, OPT_DISPLAY, OPT_ALWAYS, OPT_BUSY,
       OPT_NO_ANSWER, OPT_UNREACHABLE, OPT_RING_TIME, OPT_CALLS, OPT_CONTACTS, OPT_REJECT, OPT_FLAG, OPT_DOMAIN, OPT_LIMIT,
       OPT_SKIP, OPT_UPDATE, OPT_JSON, OPT_LANG, OPT_PASSWORD };
static const struct option user_options[] = {
    { "db", required_argument, NULL, OPT_DB },
    { "password-stdin", no_argument, NULL, OPT_STDIN },
    { "password-file", required_argument, NULL, OPT_FILE },
    { "random-password", no_argument, NULL, OPT_RANDOM },
    { "ha1", required_argument, NULL, OPT_HA1 },
    { "auth-name", required_argument, NULL, OPT_AUTH_NAME },
    { "display", required_argument, NULL, OPT_DISPLAY },
    { "forward-always", required_argument, NULL, OPT_ALWAYS },
    { "forward-busy", required_argument, NULL, OPT_BUSY },
    { "forward-no-answer", required_argument, NULL, OPT_NO_ANSWER },
    { "forward-unreachable", required_argument, NULL, OPT_UNREACHABLE },
    { "ring-time", required_argument, NULL, OPT_RING_TIME },
    { "max-calls", required_argument, NULL, OPT_CALLS },
    { "max-contacts", required_argument, NULL, OPT_CONTACTS },
    { "reject", required_argument, NULL, OPT_REJECT },
    { "flag", required_argument, NULL, OPT_FLAG },
    { "domain", required_argument, NULL, OPT_DOMAIN },
    { "limit", required_argument, NULL, OPT_LIMIT },
    { "skip", required_argument, NULL, OPT_SKIP },
    { "update", no_argument, NULL, OPT_UPDATE },
    { "json", no_argument, NULL, OPT_JSON },
    { "lang", required_argument, NULL, OPT_LANG },
    { "password", optional_argument, NULL, OPT_PASSWORD },       /* only to say why not */
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* ---- the verbs ---- */

enum takes { TAKES_SETTINGS = 1, TAKES_PAGE = 2, TAKES_DOMAIN = 4, TAKES_JSON = 8, TAKES_UPDATE = 16 };

static const struct verb {
    const char *name, *usage;
    int       (*run)(struct user_run *r);
    size_t      least, most;         /* words behind it */
    bool        names_user;          /* the first word is NAME@DOMAIN */
    bool        creates;             /* makes the file when it is not there */
    unsigned    takes;
} verbs[] = {
    { "add", "signalbox user add NAME@DOMAIN [OPTIONS]", user_add, 1, 1, true, true, TAKES_SETTINGS },
    { "set", "signalbox user set NAME@DOMAIN [OPTIONS]", user_set, 1, 1, true, false, TAKES_SETTINGS },
    { "remove", "signalbox user remove NAME@DOMAIN", user_remove, 1, 1, true, false, 0 },
    { "show", "signalbox user show NAME@DOMAIN", user_show, 1, 1, true, false, TAKES_JSON },
    { "list", "signalbox user list [TEXT]", user_list, 0, 1, false, false, TAKES_PAGE | TAKES_DOMAIN | TAKES_JSON },
    { "alias add", "signalbox user alias add ALIAS@DOMAIN NAME", user_alias_add, 2, 2, true, false, 0 },
    { "alias remove", "signalbox user alias remove ALIAS@DOMAIN [NAME]", user_alias_remove, 1, 2, true, false, 0 },
    { "alias list", "signalbox user alias list [TEXT]", user_alias_list, 0, 1, false, false,
      TAKES_PAGE | TAKES_DOMAIN | TAKES_JSON },
    { "import", "signalbox user import FILE.csv", user_import, 1, 1, false, true, TAKES_UPDATE },
};

static const struct { int option; unsigned takes; } only_for[] = {
    { OPT_STDIN, TAKES_SETTINGS }, { OPT_FILE, TAKES_SETTINGS }, { OPT_RANDOM, TAKES_SETTINGS },
    { OPT_HA1, TAKES_SETTINGS }, { OPT_AUTH_NAME, TAKES_SETTINGS }, { OPT_DISPLAY, TAKES_SETTINGS },
    { OPT_ALWAYS, TAKES_SETTINGS }, { OPT_BUSY, TAKES_SETTINGS }, { OPT_NO_ANSWER, TAKES_SETTINGS },
    { OPT_UNREACHABLE, TAKES_SETTINGS }, { OPT_RING_TIME, TAKES_SETTINGS }, { OPT_CALLS, TAKES_SETTINGS },
    { OPT_CONTACTS, TAKES_SETTINGS }, { OPT_REJECT, TAKES_SETTINGS }, { OPT_FLAG, TAKES_SETTINGS }, { OPT_DOMAIN, TAKES_DOMAIN },
    { OPT_LIMIT, TAKES_PAGE }, { OPT_SKIP, TAKES_PAGE }, { OPT_UPDATE, TAKES_UPDATE }, { OPT_JSON, TAKES_JSON },
};

/* `words` are "alias add ..."; the number of words that the verb takes up is in *ret_used. */
static const struct verb *verb_find(char **words, int count, int *ret_used)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        slice rest = slice_of_string(verbs[i].name);
        int used = 0;

        while (rest.len && used < count) {
            if (!slice_eq(slice_take_until(&rest, ' '), slice_of_string(words[used])))
                break;
            (void)slice_take_char(&rest, ' ');
            used++;
            if (!rest.len) {
                *ret_used = used;
                return &verbs[i];
            }
        }
    }
    return NULL;
}

static const char *option_name(int option)
{
    for (const struct option *o = user_options; o->name; o++)
        if (o->val == option)
            return o->name;
    return "";
}

static int check_options(const struct user_run *r, const struct verb *v, const int *seen, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < ARRAY_LEN(only_for); k++)
            if (only_for[k].option == seen[i] && !(v->takes & only_for[k].takes)) {
                char name[64];

                (void)snprintf(name, sizeof name, "--%s", option_name(seen[i]));
                return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_NOT_HERE,
                                     WORDS_TEXT("option", slice_of_string(name)),
                                     WORDS_TEXT("verb", slice_of_string(v->name)));
            }
    return -1;
}

/* ---- options ---- */

static int take_number(const struct user_run *r, uint64_t limit, uint64_t *ret)
{
    slice text = slice_of_string(optarg), rest = text;

    if (slice_take_u64(&rest, ret) && !rest.len && *ret <= limit)
        return -1;
    return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_NUMBER, WORDS_TEXT("text", text),
                         WORDS_NUMBER("limit", limit));
}

static int take_secret(struct user_run *r, enum user_secret secret)
{
    if (r->secret != USER_SECRET_NONE && (r->secret != secret || secret != USER_SECRET_HA1))
        return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_TWO_SECRETS, WORDS_NUMBER("count", 2));
    r->secret = secret;
    return -1;
}

static int take_ha1(struct user_run *r)
{
    slice rest = slice_of_string(optarg), name = slice_take_until(&rest, '=');
    enum digest_algorithm algorithm;

    if (!digest_algorithm_find(name, &algorithm) || !slice_take_char(&rest, '=')
        || !users_set_ha1(&r->ha1, algorithm, rest))
        return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_HA1, WORDS_TEXT("text", slice_of_string(optarg)));
    return take_secret(r, USER_SECRET_HA1);
}

/* Tried here on nobody, so that a wrong one is refused before a password is asked for or made up. */
static int take_setting(struct user_run *r, slice setting, slice value, enum text_id error)
{
    struct user nobody = { 0 };
    struct out text;

    if (r->setting_count < USER_SETTINGS_MAX && users_set(&nobody, setting, value) == USERS_SET) {
        r->settings[r->setting_count].name = setting;
        r->settings[r->setting_count++].value = value;
        return -1;
    }
    out_init_memory(&text, 512);
    user_features(&text, ~0u);
    int code = cli_say_error(r->cli, CLI_USAGE, error, WORDS_TEXT("text", slice_of_string(optarg)),
                             WORDS_NUMBER("limit", error == TEXT_USER_ERROR_NUMBER ? UINT16_MAX : error == TEXT_USER_ERROR_REJECT ? REJECTS_MAX : USERS_NAME_MAX),
                             WORDS_TEXT("features", out_taken(&text)));

    out_done(&text);
    return code;
}

static int take_flag(struct user_run *r)
{
    slice value = slice_of_string(optarg), name = slice_take_until(&value, '=');
    struct user nobody = { 0 };

    (void)users_set(&nobody, name, SLICE("yes"));
    if (!nobody.flags)                                    /* nothing, or a setting that is no feature */
        name = SLICE("");
    (void)slice_take_char(&value, '=');
    return take_setting(r, name, value, TEXT_USER_ERROR_FLAG);
}

/* -1: go on; else the exit code. */
static int take_option(struct user_run *r, int option)
{
    static const struct { int option; const char *setting; enum text_id error; } settings[] = {
        { OPT_AUTH_NAME, "auth_name", TEXT_USER_ERROR_NAME }, { OPT_DISPLAY, "display", TEXT_USER_ERROR_NAME },
        { OPT_ALWAYS, "forward_always", TEXT_USER_ERROR_FORWARD }, { OPT_BUSY, "forward_busy", TEXT_USER_ERROR_FORWARD },
        { OPT_NO_ANSWER, "forward_no_answer", TEXT_USER_ERROR_FORWARD },
        { OPT_UNREACHABLE, "forward_unreachable", TEXT_USER_ERROR_FORWARD },
        { OPT_RING_TIME, "no_answer_s", TEXT_USER_ERROR_NUMBER }, { OPT_CALLS, "calls_max", TEXT_USER_ERROR_NUMBER },
        { OPT_CONTACTS, "contacts_max", TEXT_USER_ERROR_NUMBER }, { OPT_REJECT, "rejects", TEXT_USER_ERROR_REJECT },
    };
    enum cli_common common = cli_common_option(r->cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (settings[i].option == option) {
            r->new_auth_name |= option == OPT_AUTH_NAME;
            return take_setting(r, slice_of_string(settings[i].setting), slice_of_string(optarg), settings[i].error);
        }
    switch (option) {
    case OPT_DB:     r->file = optarg; return -1;
    case OPT_STDIN:  return take_secret(r, USER_SECRET_STDIN);
    case OPT_FILE:   r->secret_file = optarg; return take_secret(r, USER_SECRET_FILE);
    case OPT_RANDOM: return take_secret(r, USER_SECRET_RANDOM);
    case OPT_HA1:    return take_ha1(r);
    case OPT_FLAG:   return take_flag(r);
    case OPT_DOMAIN: r->wish.domain = slice_of_string(optarg); return -1;
    case OPT_LIMIT:  return take_number(r, INT32_MAX, &r->wish.limit);
    case OPT_SKIP:   return take_number(r, INT32_MAX, &r->wish.skip);
    case OPT_UPDATE: r->update = true; return -1;
    case OPT_JSON:   r->json = true; return -1;
    case OPT_LANG:   return cli_set_language(r->cli, optarg) ? -1 : CLI_USAGE;
    case OPT_PASSWORD:
        return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_PASSWORD_WORD, WORDS_NUMBER("count", 1));
    default:         return CLI_USAGE;
    }
}

/* ---- running a verb ---- */

int user_say_bad_name(const struct user_run *r, slice text)
{
    return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_NAME, WORDS_TEXT("text", text),
                         WORDS_NUMBER("limit", USERS_NAME_MAX));
}

int user_say_error(const struct user_run *r, int error, slice name)
{
    static const struct { int error; int code; enum text_id id; } texts[] = {
        { -EEXIST, CLI_NOT_FOUND, TEXT_USER_ERROR_EXISTS }, { -ENOENT, CLI_NOT_FOUND, TEXT_USER_ERROR_NONE },
        { -EMEDIUMTYPE, CLI_INPUT, TEXT_USER_ERROR_FOREIGN }, { -ENOTSUP, CLI_INPUT, TEXT_USER_ERROR_NEWER },
        { -EBADMSG, CLI_INPUT, TEXT_USER_ERROR_DAMAGED }, { -EBUSY, CLI_MACHINE, TEXT_USER_ERROR_BUSY },
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].error == error)
            return cli_say_error(r->cli, texts[i].code, texts[i].id, WORDS_TEXT("name", name),
                                 WORDS_TEXT("file", slice_of_string(r->file)));
    if (error == -EINVAL)
        return user_say_bad_name(r, name);
    return cli_say_error(r->cli, CLI_MACHINE, TEXT_USER_ERROR_STORE, WORDS_TEXT("file", slice_of_string(r->file)),
                         WORDS_TEXT("why", cli_why(r->cli, -error)));
}

/* The folder of the default file is made; one that somebody names must be there. */
static bool default_file(struct user_run *r, bool creates)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const bool is_root = geteuid() == 0 && !(state && state[0] == '/');
    size_t size = sizeof r->file_room;
    int len;

    if (is_root)
        len = snprintf(r->file_room, size, "/var/lib/signalbox/users.db");
    else if (state && state[0] == '/')
        len = snprintf(r->file_room, size, "%s/signalbox/users.db", state);
    else
        len = snprintf(r->file_room, size, "%s/.local/state/signalbox/users.db", home ? home : "");
    if (len < 0 || (size_t)len >= size)
        return false;
    r->file = r->file_room;
    for (char *at = strchr(r->file_room + 1, '/'); creates && at; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(r->file_room, 0700);                  /* opening the file tells what is wrong */
        *at = '/';
    }
    return true;
}

static int open_and_run(struct user_run *r, const struct verb *v)
{
    struct users_db_settings settings = { .create = v->creates, .busy_ms = BUSY_MS };
    int error, code;

    if (!r->file && !default_file(r, v->creates))
        return user_say_error(r, -ENAMETOOLONG, SLICE(""));
    settings.path = r->file;
    error = users_db_open(&settings, &r->db);
    if (error == -ENOENT && !v->creates)
        return cli_say_error(r->cli, CLI_NOT_FOUND, TEXT_USER_ERROR_NO_FILE,
                             WORDS_TEXT("file", slice_of_string(r->file)));
    if (error == -ENOENT || error == -EEXIST)             /* the folder it would be made in */
        return cli_say_error(r->cli, CLI_MACHINE, TEXT_USER_ERROR_STORE,
                             WORDS_TEXT("file", slice_of_string(r->file)),
                             WORDS_TEXT("why", cli_why_not_made(r->cli, -error)));
    if (error)
        return user_say_error(r, error, SLICE(""));
    code = v->run(r);
    users_db_close(r->db);
    return code;
}

/* False: no name, or no domain. */
static bool split_name(struct user_run *r)
{
    slice whole = r->words[0];
    size_t at = whole.len;

    while (at > 0 && whole.ptr[at - 1] != '@')
        at--;
    if (at < 2 || at == whole.len || whole.len - at > USERS_NAME_MAX)
        return false;
    r->name = slice_head(whole, at - 1);
    for (size_t i = at; i < whole.len; i++)
        r->domain_room[i - at] = ascii_lower(whole.ptr[i]);
    r->domain = slice_of(r->domain_room, whole.len - at);
    return true;
}

static int say_verbs(const struct user_run *r)
{
    struct out text;
    int code;

    out_init_memory(&text, 1024);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        out_text(&text, i ? SLICE(", ") : SLICE(""));
        out_text(&text, slice_of_string(verbs[i].name));
    }
    code = cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_VERB, WORDS_TEXT("verbs", out_taken(&text)));
    out_done(&text);
    return code;
}

static int run_words(struct user_run *r, char **words, int count, const int *seen, size_t seen_count)
{
    int used = 0, code;
    const struct verb *v = verb_find(words, count, &used);

    if (!v)
        return say_verbs(r);
    code = check_options(r, v, seen, seen_count);
    if (code >= 0)
        return code;
    r->word_count = (size_t)(count - used);
    for (size_t i = 0; i < r->word_count && i < ARRAY_LEN(r->words); i++)
        r->words[i] = slice_of_string(words[(size_t)used + i]);
    if (r->word_count < v->least || r->word_count > v->most || (v->names_user && !split_name(r)))
        return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_WORDS, WORDS_TEXT("usage", slice_of_string(v->usage)));
    return open_and_run(r, v);
}

static void say_help(struct cli *cli)
{
    cli_help(cli, "signalbox user add|set|remove|show NAME@DOMAIN | list [TEXT] | import FILE.csv |\n"
                  "       alias add|remove ALIAS@DOMAIN NAME | alias list [TEXT]  [OPTIONS]",
             TEXT_USER_COMMAND, user_help, ARRAY_LEN(user_help), user_examples);
}

int cmd_user(struct cli *cli, int argc, char **argv)
{
    struct user_run r = { .cli = cli };
    int option, code = -1, seen[USER_SETTINGS_MAX];
    size_t seen_count = 0;

    opterr = 0;
    optind = 0;
    while (code < 0 && (option = getopt_long(argc, argv, ":vh", user_options, NULL)) != -1) {
        if (seen_count < ARRAY_LEN(seen))
            seen[seen_count++] = option;
        if (option == '?' || option == ':') {
            code = cli_bad_option(cli, "user", option, argv);
        } else if (option == 'h') {
            say_help(cli);
            code = CLI_DONE;
        } else {
            code = take_option(&r, option);
        }
    }
    if (code < 0)
        code = run_words(&r, argv + optind, argc - optind, seen, seen_count);
    explicit_bzero(&r.ha1, sizeof r.ha1);
    return code;
}
