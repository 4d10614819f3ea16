/* store/users_csv.c - users out of a spreadsheet (RFC 4180, also with ; or tabs); see users.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "store/users_int.h"

/* ---- rows ---- */

enum { COLUMNS_MAX = 64 };

struct csv {
    char    *at, *end;
    char     separator;
    uint64_t line;                   /* where c->at stands */
};
struct row {
    slice    cells[COLUMNS_MAX];
    size_t   count;
    uint64_t line;                   /* where it began */
};

/* Unquotes in place; `at` stands on the opening quote. False: it is not closed. */
static bool take_quoted(struct csv *c, slice *ret)
{
    char *from = ++c->at, *to = from;

    for (;;) {
        if (c->at == c->end)
            return false;
        if (*c->at == '"') {
            c->at++;
            if (c->at == c->end || *c->at != '"')
                break;                                    /* one alone closes, two are one */
        }
        c->line += *c->at == '\n';
        *to++ = *c->at++;
    }
    *ret = slice_of(from, (size_t)(to - from));
    return true;
}

static slice take_bare(struct csv *c)
{
    char *from = c->at;

    while (c->at < c->end && *c->at != c->separator && *c->at != '\n' && *c->at != '\r')
        c->at++;
    return slice_trim(slice_of(from, (size_t)(c->at - from)));
}

/* False when something else stands here. */
static bool take_line_end(struct csv *c)
{
    const char *from = c->at;

    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end && *c->at == '\n')
        c->at++;
    c->line += c->at != from;
    return c->at != from || c->at == c->end;
}

/* False: a quote that is not closed, text behind a quote, too many cells. */
static bool take_row(struct csv *c, struct row *ret)
{
    ret->count = 0;
    ret->line = c->line;
    for (;;) {
        slice *cell = &ret->cells[ret->count];

        if (ret->count == COLUMNS_MAX)
            return false;
        if (c->at < c->end && *c->at == '"') {
            if (!take_quoted(c, cell))
                return false;
        } else {
            *cell = take_bare(c);
        }
        ret->count++;
        if (c->at < c->end && *c->at == c->separator)
            c->at++;
        else
            return take_line_end(c);
    }
}

static bool is_blank_row(const struct row *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->cells[i].len)
            return false;
    return true;
}

/* Whichever of them stands most often in the first line. */
static char separator_of(slice text)
{
    static const char choices[] = { ',', ';', '\t' };
    size_t most = 0;
    char best = ',';

    text = slice_take_until(&text, '\n');
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        size_t count = 0;

        for (size_t at = 0; at < text.len; at++)
            count += text.ptr[at] == choices[i];
        if (count > most)
            most = count, best = choices[i];
    }
    return best;
}

/* ---- columns ---- */

enum column { NAME, DOMAIN, AUTH_NAME, PASSWORD, ALIASES, SETTING };
static const struct { slice name; enum column column; } columns[] = {
    { SLICE_INIT("name"), NAME }, { SLICE_INIT("domain"), DOMAIN }, { SLICE_INIT("password"), PASSWORD },
    { SLICE_INIT("aliases"), ALIASES }, { SLICE_INIT("auth_name"), AUTH_NAME }, { SLICE_INIT("auth-name"), AUTH_NAME },
};

struct import {
    struct users_db     *db;
    struct users_import *how;
    struct row           head, row;
    enum column          columns[COLUMNS_MAX];
};

static int fault(struct import *in, enum users_csv what, slice column, int error)
{
    in->how->fault = what;
    in->how->column = column;
    return error;
}

static int read_head(struct import *in)
{
    bool has_name = false;

    for (size_t i = 0; i < in->head.count; i++) {
        struct user nobody = { 0 };

        in->columns[i] = SETTING;
        for (size_t k = 0; k < ARRAY_LEN(columns); k++)
            if (slice_eq_nocase(in->head.cells[i], columns[k].name))
                in->columns[i] = columns[k].column;
        if (in->columns[i] == SETTING && users_set(&nobody, in->head.cells[i], SLICE("")) == USERS_NO_SETTING)
            return fault(in, USERS_CSV_COLUMN, in->head.cells[i], -EINVAL);
        has_name |= in->columns[i] == NAME;
    }
    return has_name ? 0 : fault(in, USERS_CSV_COLUMN, SLICE("name"), -EINVAL);
}

/* The cell below that heading, or an empty one. */
static slice cell_of(const struct import *in, enum column column)
{
    for (size_t i = 0; i < in->row.count && i < in->head.count; i++)
        if (in->columns[i] == column)
            return in->row.cells[i];
    return SLICE("");
}

/* ---- one line ---- */

static void split_name(const struct import *in, slice *ret_name, slice *ret_domain)
{
    slice whole = cell_of(in, NAME);
    size_t at = whole.len;

    *ret_name = whole;
    *ret_domain = cell_of(in, DOMAIN);
    if (ret_domain->len)
        return;
    while (at > 0 && whole.ptr[at - 1] != '@')
        at--;
    if (at > 0) {
        *ret_name = slice_head(whole, at - 1);
        *ret_domain = slice_skip(whole, at);
    }
}

static int apply_settings(struct import *in, struct user *u)
{
    slice auth_name = cell_of(in, AUTH_NAME);

    if (auth_name.len && !slice_eq(auth_name, u->auth_name)) {
        u->auth_name = auth_name;
        memset(u->has_ha1, 0, sizeof u->has_ha1);         /* HA1 of another name is worth nothing */
    }
    for (size_t i = 0; i < in->row.count; i++) {
        slice cell = in->row.cells[i];

        if (i >= in->head.count)                          /* more cells than headings */
            return cell.len ? fault(in, USERS_CSV_SHAPE, SLICE(""), -EINVAL) : 0;
        if (in->columns[i] != SETTING || !cell.len)
            continue;
        if (users_set(u, in->head.cells[i], cell) != USERS_SET)
            return fault(in, USERS_CSV_VALUE, in->head.cells[i], -EINVAL);
    }
    return 0;
}

static bool has_secret(const struct user *u)
{
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        if (u->has_ha1[i])
            return true;
    return false;
}

static slice column_of_flaw(enum users_flaw flaw)
{
    switch (flaw) {
    case USERS_BAD_DOMAIN:    return SLICE("domain");
    case USERS_BAD_AUTH_NAME: return SLICE("auth_name");
    case USERS_BAD_DISPLAY:   return SLICE("display");
    default:                  return SLICE("name");
    }
}

static int add_aliases(struct import *in, const struct user *u)
{
    slice rest = slice_trim(cell_of(in, ALIASES));

    while (rest.len) {
        slice alias = slice_take_until(&rest, ' ');
        int error = users_db_alias_add(in->db, alias, u->domain, u->name);

        if (error == -EINVAL || error == -E2BIG)
            return fault(in, USERS_CSV_VALUE, SLICE("aliases"), -EINVAL);
        if (error && error != -EEXIST)
            return fault(in, USERS_CSV_STORE, SLICE(""), error);
        rest = slice_trim(rest);
    }
    return 0;
}

static int store(struct import *in, struct user *u, bool is_new)
{
    slice password = cell_of(in, PASSWORD);
    enum users_flaw flaw = users_flaw(u);
    int error;

    if (flaw != USERS_SOUND)
        return fault(in, USERS_CSV_VALUE, column_of_flaw(flaw), -EINVAL);
    if (password.len)
        users_hash_password(in->how->digest, u, password);
    if (!has_secret(u))
        return fault(in, USERS_CSV_NO_SECRET, SLICE("password"), -EINVAL);
    error = is_new ? users_db_add(in->db, u) : users_db_change(in->db, u);
    if (error)
        return fault(in, USERS_CSV_STORE, SLICE("name"), error);
    in->how->added += is_new;
    in->how->changed += !is_new;
    return add_aliases(in, u);
}

static int import_row(struct import *in)
{
    char room[USERS_NAME_MAX];
    struct arena arena = { 0 };
    slice name, domain;
    struct user u;
    bool is_new;
    int error;

    split_name(in, &name, &domain);
    domain = users_domain(domain, room);
    u = users_new(name, domain);
    error = in->how->update ? users_db_find(in->db, name, domain, &arena, &u) : -ENOENT;
    is_new = error == -ENOENT;
    if (error && !is_new)
        error = fault(in, USERS_CSV_STORE, SLICE(""), error);
    else
        error = apply_settings(in, &u);
    error = error ? error : store(in, &u, is_new);
    arena_done(&arena);
    explicit_bzero(&u, sizeof u);
    return error;
}

/* ---- the whole ---- */

static int import_rows(struct import *in, struct csv *c)
{
    int error = take_row(c, &in->head) ? read_head(in) : fault(in, USERS_CSV_SHAPE, SLICE(""), -EINVAL);

    in->how->line = in->head.line;
    while (!error && c->at < c->end) {
        bool fine = take_row(c, &in->row);

        in->how->line = in->row.line;
        if (!fine)
            return fault(in, USERS_CSV_SHAPE, SLICE(""), -EINVAL);
        if (!is_blank_row(&in->row))
            error = import_row(in);
    }
    return error;
}

int users_db_import(struct users_db *db, char *csv, size_t len, struct users_import *how)
{
    struct import in = { .db = db, .how = how };
    bool has_mark = slice_starts(slice_of(csv, len), SLICE("\xEF\xBB\xBF"));     /* as spreadsheets begin UTF-8 */
    struct csv c = { .at = csv + (has_mark ? 3 : 0), .end = csv + len, .separator = separator_of(slice_of(csv, len)),
                     .line = 1 };
    int error, ended;

    how->added = how->changed = how->line = 0;
    how->fault = USERS_CSV_FINE;
    error = users_db_begin(db);
    if (error) {
        how->fault = USERS_CSV_STORE;
        return error;
    }
    error = import_rows(&in, &c);
    ended = users_db_end(db, !error);
    if (error)
        return error;
    how->line = 0;
    how->fault = ended ? USERS_CSV_STORE : USERS_CSV_FINE;
    return ended;
}
