/* cli/user_write.c - `signalbox user`: add, set, remove, import, and aliases.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/user_int.h"

#define IMPORT_MAX (256u << 20)

static int say(const struct user_run *r, enum text_id id, slice name)
{
    struct out *o = &r->cli->out;

    words_say(o, r->cli->words, id, WORDS_TEXT("name", name), WORDS_TEXT("file", slice_of_string(r->file)));
    out_char(o, '\n');
    return CLI_DONE;
}

static int no_memory(const struct user_run *r)
{
    return cli_say_error(r->cli, CLI_MACHINE, TEXT_READ_ERROR_NO_MEMORY, WORDS_NUMBER("count", 0));
}

/* ---- passwords ---- */

enum { RANDOM_LEN = 24 };            /* five groups of four letters, five bits each: 100 bits */

struct password {
    char  room[USER_PASSWORD_MAX + 2];
    slice text;
};

/* Without l, o, 0 and 1, which look like others. */
static bool password_random(struct password *p)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t bytes[RANDOM_LEN];
    static_assert(sizeof letters == 32 + 1, "five bits each");

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; i < RANDOM_LEN; i++)
        p->room[i] = i % 5 == 4 ? '-' : letters[bytes[i] & 31];
    explicit_bzero(bytes, sizeof bytes);
    p->text = slice_of(p->room, RANDOM_LEN);
    return true;
}

/* The first line, without what ends it. False: none, or too long. */
static bool password_read(int fd, struct password *p)
{
    size_t len = 0;
    ssize_t got = 1;
    slice line;

    while (got > 0 && len < sizeof p->room && !memchr(p->room, '\n', len)) {
        got = read(fd, p->room + len, sizeof p->room - len);
        len += got > 0 ? (size_t)got : 0;
    }
    line = slice_of(p->room, len);
    p->text = slice_take_until(&line, '\n');
    if (p->text.len && p->text.ptr[p->text.len - 1] == '\r')
        p->text.len--;
    return p->text.len > 0 && p->text.len <= USER_PASSWORD_MAX && !memchr(p->text.ptr, '\0', p->text.len);
}

/* CLI_DONE, or what was told. */
static int password_get(const struct user_run *r, struct password *p)
{
    bool from_stdin = r->secret == USER_SECRET_STDIN;
    int fd = STDIN_FILENO;
    bool fine;

    if (r->secret == USER_SECRET_RANDOM)
        return password_random(p) ? CLI_DONE : no_memory(r);
    if (!from_stdin)
        fd = open(r->secret_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_say_error(r->cli, CLI_INPUT, TEXT_READ_ERROR_CANNOT_OPEN,
                             WORDS_TEXT("file", slice_of_string(r->secret_file)),
                             WORDS_TEXT("why", cli_why(r->cli, errno)));
    fine = password_read(fd, p);
    if (!from_stdin)
        (void)close(fd);
    if (fine)
        return CLI_DONE;
    return cli_say_error(r->cli, CLI_INPUT, TEXT_USER_ERROR_PASSWORD,
                         WORDS_TEXT("file", from_stdin ? SLICE("-") : slice_of_string(r->secret_file)),
                         WORDS_NUMBER("limit", USER_PASSWORD_MAX));
}

static int set_secret(const struct user_run *r, struct user *u, struct password *p)
{
    struct digest *d;
    int code;

    if (r->secret == USER_SECRET_NONE)
        return CLI_DONE;
    if (r->secret == USER_SECRET_HA1) {
        memcpy(u->has_ha1, r->ha1.has_ha1, sizeof u->has_ha1);
        memcpy(u->ha1, r->ha1.ha1, sizeof u->ha1);
        return CLI_DONE;
    }
    code = password_get(r, p);
    if (code != CLI_DONE)
        return code;
    d = digest_new();
    if (!d)
        return no_memory(r);
    users_hash_password(d, u, p->text);
    digest_free(d);
    return CLI_DONE;
}

/* ---- add and set ---- */

static int check(const struct user_run *r, const struct user *u)
{
    switch (users_flaw(u)) {
    case USERS_SOUND:         return CLI_DONE;
    case USERS_BAD_DOMAIN:    return user_say_bad_name(r, u->domain);
    case USERS_BAD_AUTH_NAME: return user_say_bad_name(r, u->auth_name);
    case USERS_BAD_DISPLAY:   return user_say_bad_name(r, u->display);
    default:                  return user_say_bad_name(r, u->name);
    }
}

static int apply(const struct user_run *r, struct user *u, struct password *p)
{
    int code;

    for (size_t i = 0; i < r->setting_count; i++)
        (void)users_set(u, r->settings[i].name, r->settings[i].value);    /* was tried already */
    code = check(r, u);
    return code != CLI_DONE ? code : set_secret(r, u, p);
}

static int finish(struct user_run *r, enum text_id done, const struct password *p)
{
    struct out *o = &r->cli->out;

    say(r, done, r->words[0]);
    if (r->secret == USER_SECRET_RANDOM) {
        words_say(o, r->cli->words, TEXT_USER_PASSWORD, WORDS_TEXT("password", p->text));
        out_char(o, '\n');
    }
    return CLI_DONE;
}

int user_add(struct user_run *r)
{
    struct user u = users_new(r->name, r->domain);
    struct password p = { 0 };
    int code, error;

    if (r->secret == USER_SECRET_NONE)
        r->secret = USER_SECRET_RANDOM;
    code = apply(r, &u, &p);
    if (code == CLI_DONE) {
        error = users_db_add(r->db, &u);
        code = error ? user_say_error(r, error, r->words[0]) : finish(r, TEXT_USER_ADDED, &p);
    }
    explicit_bzero(&p, sizeof p);
    explicit_bzero(&u, sizeof u);
    return code;
}

static int change(struct user_run *r, struct user *u, struct password *p, struct arena *arena)
{
    slice before;
    int error = users_db_find(r->db, r->name, r->domain, arena, u), code;

    if (error)
        return user_say_error(r, error, r->words[0]);
    before = u->auth_name;
    code = apply(r, u, p);
    if (code != CLI_DONE)
        return code;
    if (r->new_auth_name && r->secret == USER_SECRET_NONE && !slice_eq(before, u->auth_name))
        return cli_say_error(r->cli, CLI_USAGE, TEXT_USER_ERROR_AUTH_NAME, WORDS_NUMBER("count", 1));
    error = users_db_change(r->db, u);
    return error ? user_say_error(r, error, r->words[0]) : CLI_DONE;
}

int user_set(struct user_run *r)
{
    struct arena arena = { 0 };
    struct password p = { 0 };
    struct user u;
    int error = users_db_begin(r->db), code;

    if (error)
        return user_say_error(r, error, r->words[0]);
    code = change(r, &u, &p, &arena);
    error = users_db_end(r->db, code == CLI_DONE);
    if (code == CLI_DONE)
        code = error ? user_say_error(r, error, r->words[0]) : finish(r, TEXT_USER_CHANGED, &p);
    arena_done(&arena);
    explicit_bzero(&p, sizeof p);
    explicit_bzero(&u, sizeof u);
    return code;
}

int user_remove(struct user_run *r)
{
    int error = users_db_remove(r->db, r->name, r->domain);

    return error ? user_say_error(r, error, r->words[0]) : say(r, TEXT_USER_REMOVED, r->words[0]);
}

/* ---- aliases ---- */

int user_alias_add(struct user_run *r)
{
    int error = users_db_alias_add(r->db, r->name, r->domain, r->words[1]);

    if (error == -EEXIST || error == -E2BIG)
        return cli_say_error(r->cli, CLI_NOT_FOUND, TEXT_USER_ERROR_ALIAS, WORDS_TEXT("name", r->words[0]),
                             WORDS_NUMBER("limit", USERS_TARGETS_MAX));
    if (error)
        return user_say_error(r, error, error == -ENOENT ? r->words[1] : r->words[0]);
    return say(r, TEXT_USER_CHANGED, r->words[0]);
}

int user_alias_remove(struct user_run *r)
{
    int error = users_db_alias_remove(r->db, r->name, r->domain, r->words[1]);

    return error ? user_say_error(r, error, r->words[0]) : say(r, TEXT_USER_CHANGED, r->words[0]);
}

/* ---- import ---- */

/* The whole file; free() it. NULL with *ret_error. */
static char *read_whole(const char *file, size_t *ret_len, int *ret_error)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat st = { 0 };
    char *text = NULL;
    size_t len = 0;
    ssize_t got = -1;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > IMPORT_MAX) {
        *ret_error = fd < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : EFBIG;
    } else {
        text = malloc((size_t)st.st_size + 1);
        *ret_error = ENOMEM;
        while (text && len < (size_t)st.st_size && (got = read(fd, text + len, (size_t)st.st_size - len)) > 0)
            len += (size_t)got;
    }
    if (fd >= 0)
        (void)close(fd);
    *ret_len = len;
    return text;
}

static int say_import_error(const struct user_run *r, const struct users_import *how, int error)
{
    static const enum text_id texts[] = {
        [USERS_CSV_SHAPE] = TEXT_USER_ERROR_IMPORT_SHAPE, [USERS_CSV_COLUMN] = TEXT_USER_ERROR_IMPORT_COLUMN,
        [USERS_CSV_VALUE] = TEXT_USER_ERROR_IMPORT_COLUMN, [USERS_CSV_NO_SECRET] = TEXT_USER_ERROR_IMPORT_SECRET,
        [USERS_CSV_STORE] = TEXT_USER_ERROR_IMPORT_EXISTS,
    };

    if (how->fault == USERS_CSV_FINE || (how->fault == USERS_CSV_STORE && (error != -EEXIST || !how->line)))
        return user_say_error(r, error, r->words[0]);
    return cli_say_error(r->cli, CLI_INPUT, texts[how->fault], WORDS_TEXT("file", r->words[0]),
                         WORDS_NUMBER("line", how->line), WORDS_TEXT("column", how->column));
}

int user_import(struct user_run *r)
{
    struct users_import how = { .update = r->update };
    int error = 0, code;
    size_t len;
    char *text = read_whole(r->words[0].ptr, &len, &error);

    if (!text)
        return cli_say_error(r->cli, CLI_INPUT, TEXT_READ_ERROR_CANNOT_OPEN, WORDS_TEXT("file", r->words[0]),
                             WORDS_TEXT("why", cli_why(r->cli, error)));
    how.digest = digest_new();
    if (!how.digest) {
        code = no_memory(r);
    } else if ((error = users_db_import(r->db, text, len, &how))) {
        code = say_import_error(r, &how, error);
    } else {
        words_say(&r->cli->out, r->cli->words, TEXT_USER_IMPORTED, WORDS_NUMBER("count", how.added),
                  WORDS_NUMBER("changed", how.changed), WORDS_TEXT("file", slice_of_string(r->file)));
        out_char(&r->cli->out, '\n');
        code = CLI_DONE;
    }
    digest_free(how.digest);
    explicit_bzero(text, len);
    free(text);
    return code;
}
