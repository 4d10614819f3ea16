/* store/users.c - the file of users: schema, statements, changes; see users.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/users.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/users_int.h"

enum { APPLICATION_ID = 0x53427573, SCHEMA_VERSION = 2 };  /* "SBus", in the head of the file */

/* What leads from one version of the schema to the next; never changed once released. */
static const char *const schema[SCHEMA_VERSION] = {
    "CREATE TABLE users("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL, domain TEXT NOT NULL, auth_name TEXT NOT NULL, display TEXT NOT NULL DEFAULT '',"
    " ha1_sha_512_256 TEXT, ha1_sha_256 TEXT, ha1_md5 TEXT,"
    " flags INTEGER NOT NULL DEFAULT 0,"
    " forward_always TEXT NOT NULL DEFAULT '', forward_busy TEXT NOT NULL DEFAULT '',"
    " forward_no_answer TEXT NOT NULL DEFAULT '', forward_unreachable TEXT NOT NULL DEFAULT '',"
    " no_answer_s INTEGER NOT NULL DEFAULT 0, calls_max INTEGER NOT NULL DEFAULT 0,"
    " contacts_max INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(domain, name), UNIQUE(domain, auth_name)) STRICT;"
    "CREATE TABLE aliases("
    " domain TEXT NOT NULL, alias TEXT NOT NULL,"
    " user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, place INTEGER NOT NULL,"
    " PRIMARY KEY(domain, alias, user)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX aliases_of_user ON aliases(user);",
    "ALTER TABLE users ADD COLUMN rejects TEXT NOT NULL DEFAULT '';",
};

#define COLUMNS                                                                                    \
    "name, domain, auth_name, display, ha1_sha_512_256, ha1_sha_256, ha1_md5, flags, "             \
    "forward_always, forward_busy, forward_no_answer, forward_unreachable, "                       \
    "no_answer_s, calls_max, contacts_max, rejects"
enum { COLUMN_NAME, COLUMN_DOMAIN, COLUMN_AUTH_NAME, COLUMN_DISPLAY, COLUMN_HA1, COLUMN_FLAGS = COLUMN_HA1 + 3,
       COLUMN_FORWARD, COLUMN_NO_ANSWER = COLUMN_FORWARD + USER_FORWARDS, COLUMN_CALLS, COLUMN_CONTACTS, COLUMN_REJECTS, COLUMNS_COUNT };
static_assert(DIGEST_SHA_512_256 == 0 && DIGEST_SHA_256 == 1 && DIGEST_MD5 == 2, "the order of the columns");

#define WHERE_WISHED                                                                               \
    " FROM users WHERE (?1 = '' OR domain = ?1) AND"                                               \
    " (?2 = '' OR instr(name, ?2) OR instr(auth_name, ?2) OR instr(display, ?2))"

static const char *const statements[SQL_STATEMENTS] = {
    [SQL_FIND_NAME] = "SELECT " COLUMNS " FROM users WHERE domain = ?1 AND name = ?2",
    [SQL_FIND_AUTH] = "SELECT " COLUMNS " FROM users WHERE domain = ?1 AND auth_name = ?2",
    [SQL_FIND_ALIAS] = "SELECT u.name FROM aliases a JOIN users u ON u.id = a.user"
                       " WHERE a.domain = ?1 AND a.alias = ?2 ORDER BY a.place",
    [SQL_ADD] = "INSERT INTO users(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
    [SQL_CHANGE] = "UPDATE users SET (" COLUMNS ") = (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)"
                   " WHERE domain = ?2 AND name = ?1",
    [SQL_REMOVE] = "DELETE FROM users WHERE domain = ?1 AND name = ?2",
    [SQL_LIST] = "SELECT " COLUMNS WHERE_WISHED " ORDER BY domain, name LIMIT ?3 OFFSET ?4",
    [SQL_COUNT] = "SELECT count(*)" WHERE_WISHED,
    [SQL_ALIAS_ADD] = "INSERT INTO aliases(domain, alias, user, place) SELECT ?1, ?2, id,"
                      " (SELECT ifnull(max(place), 0) + 1 FROM aliases WHERE domain = ?1 AND alias = ?2)"
                      " FROM users WHERE domain = ?1 AND name = ?3",
    [SQL_ALIAS_COUNT] = "SELECT count(*) FROM aliases WHERE domain = ?1 AND alias = ?2",
    [SQL_ALIAS_REMOVE] = "DELETE FROM aliases WHERE domain = ?1 AND alias = ?2 AND"
                         " (?3 = '' OR user = (SELECT id FROM users WHERE domain = ?1 AND name = ?3))",
    [SQL_ALIASES] = "SELECT a.alias, a.domain, u.name FROM aliases a JOIN users u ON u.id = a.user"
                    " WHERE (?1 = '' OR a.domain = ?1) AND (?2 = '' OR instr(a.alias, ?2) OR instr(u.name, ?2))"
                    " ORDER BY a.domain, a.alias, a.place LIMIT ?3 OFFSET ?4",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
};

/* ---- errors and statements ---- */

static int errno_of(int code)
{
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
        return -EEXIST;
    switch (code & 0xff) {
    case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE: return 0;
    case SQLITE_NOTADB: return -EMEDIUMTYPE;
    case SQLITE_CORRUPT: case SQLITE_ERROR: case SQLITE_MISMATCH: return -EBADMSG;
    case SQLITE_BUSY: case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_PERM: case SQLITE_READONLY: case SQLITE_CANTOPEN: case SQLITE_AUTH: return -EACCES;
    case SQLITE_NOMEM: return -ENOMEM;
    case SQLITE_CONSTRAINT: case SQLITE_TOOBIG: return -EINVAL;
    default: return -EIO;
    }
}

static void bind_text(sqlite3_stmt *s, int place, slice text)
{
    (void)sqlite3_bind_text64(s, place, text.ptr ? text.ptr : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

sqlite3_stmt *users_db_ask(struct users_db *db, enum users_sql which, slice a, slice b, slice c)
{
    sqlite3_stmt *s = db->statements[which];
    const slice texts[] = { a, b, c };

    for (int i = 0; i < 3; i++)
        if (texts[i].ptr)
            bind_text(s, i + 1, texts[i]);
    return s;
}

int users_db_row(struct users_db *db, sqlite3_stmt *s)
{
    int code = sqlite3_step(s);

    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : errno_of(sqlite3_extended_errcode(db->sql));
}

void users_db_reset(sqlite3_stmt *s)
{
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
}

slice users_db_text(sqlite3_stmt *s, int column)
{
    const void *text = sqlite3_column_text(s, column);
    int len = sqlite3_column_bytes(s, column);

    return text ? slice_of(text, (size_t)len) : SLICE("");
}

static uint16_t small_number(sqlite3_stmt *s, int column)
{
    sqlite3_int64 number = sqlite3_column_int64(s, column);

    return number < 0 ? 0 : number > UINT16_MAX ? UINT16_MAX : (uint16_t)number;
}

void users_db_user(sqlite3_stmt *s, struct user *ret)
{
    *ret = (struct user){
        .name = users_db_text(s, COLUMN_NAME), .domain = users_db_text(s, COLUMN_DOMAIN),
        .auth_name = users_db_text(s, COLUMN_AUTH_NAME), .display = users_db_text(s, COLUMN_DISPLAY),
        .flags = (unsigned)sqlite3_column_int64(s, COLUMN_FLAGS), .no_answer_s = small_number(s, COLUMN_NO_ANSWER),
        .calls_max = small_number(s, COLUMN_CALLS), .contacts_max = small_number(s, COLUMN_CONTACTS),
        .rejects = users_db_text(s, COLUMN_REJECTS),
    };
    for (int i = 0; i < DIGEST_ALGORITHMS; i++)
        (void)users_set_ha1(ret, (enum digest_algorithm)i, users_db_text(s, COLUMN_HA1 + i));
    for (int i = 0; i < USER_FORWARDS; i++)
        ret->forward[i] = users_db_text(s, COLUMN_FORWARD + i);
}

/* Runs what answers with no rows; *ret_changed may be NULL. */
static int run(struct users_db *db, sqlite3_stmt *s, int *ret_changed)
{
    int got = users_db_row(db, s);

    if (ret_changed)
        *ret_changed = sqlite3_changes(db->sql);
    users_db_reset(s);
    return got < 0 ? got : 0;
}

/* ---- open ---- */

static int number_of(struct users_db *db, const char *query, sqlite3_int64 *ret)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db->sql, query, -1, &s, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    return code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? -EBADMSG : errno_of(sqlite3_extended_errcode(db->sql));
}

static int execute(struct users_db *db, const char *query)
{
    return sqlite3_exec(db->sql, query, NULL, NULL, NULL) == SQLITE_OK ? 0 : errno_of(sqlite3_extended_errcode(db->sql));
}

static int schema_build(struct users_db *db, int from)
{
    char marks[96];
    int error = execute(db, "BEGIN IMMEDIATE");
    sqlite3_int64 now = 0;

    if (error)
        return error;
    error = number_of(db, "PRAGMA user_version", &now);   /* another one may have been quicker */
    for (int i = from; !error && now == from && i < SCHEMA_VERSION; i++)
        error = execute(db, schema[i]);
    (void)snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                   APPLICATION_ID, SCHEMA_VERSION);
    error = error ? error : execute(db, marks);
    if (error)
        (void)execute(db, "ROLLBACK");
    return error;
}

static int schema_look(struct users_db *db)
{
    sqlite3_int64 id, version, tables;
    int error = number_of(db, "PRAGMA application_id", &id);

    error = error ? error : number_of(db, "PRAGMA user_version", &version);
    error = error ? error : number_of(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (error)
        return error;
    if (id == 0 && version == 0 && tables == 0 && db->settings.create)
        return schema_build(db, 0);
    if (id != APPLICATION_ID)
        return -EMEDIUMTYPE;
    if (version > SCHEMA_VERSION)
        return -ENOTSUP;
    return version < 0 ? -EBADMSG : version < SCHEMA_VERSION ? schema_build(db, (int)version) : 0;
}

static int prepare_all(struct users_db *db)
{
    for (int i = 0; i < SQL_STATEMENTS; i++)
        if (sqlite3_prepare_v3(db->sql, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL) != SQLITE_OK)
            return errno_of(sqlite3_extended_errcode(db->sql));
    return 0;
}

/* SQLite would create with the umask's rights, and says little of why it cannot open. */
static int touch(const struct users_db_settings *settings)
{
    int fd = open(settings->path, O_RDWR | O_CLOEXEC | (settings->create ? O_CREAT : 0), 0600);

    if (fd < 0)
        return -errno;
    (void)close(fd);
    return 0;
}

static int open_file(struct users_db *db)
{
    int error = touch(&db->settings);

    if (error)
        return error;
    if (sqlite3_open_v2(db->settings.path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return db->sql ? errno_of(sqlite3_extended_errcode(db->sql)) : -ENOMEM;
    (void)sqlite3_busy_timeout(db->sql, db->settings.busy_ms);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    error = schema_look(db);                              /* before anything is written into a foreign file */
    error = error ? error : execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                        "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON");
    return error ? error : prepare_all(db);
}

int users_db_open(const struct users_db_settings *settings, struct users_db **ret)
{
    struct users_db *db = calloc(1, sizeof *db);
    int error;

    if (!db)
        return -ENOMEM;
    db->settings = *settings;
    db->settings.known_max = settings->known_max ? settings->known_max : 16384;
    db->settings.unknown_max = settings->unknown_max ? settings->unknown_max : 1024;
    error = users_cache_init(db);
    error = error ? error : open_file(db);
    if (error)
        users_db_close(db);
    else
        *ret = db;
    return error;
}

void users_db_close(struct users_db *db)
{
    if (!db)
        return;
    users_cache_done(db);
    for (int i = 0; i < SQL_STATEMENTS; i++)
        (void)sqlite3_finalize(db->statements[i]);
    (void)sqlite3_close(db->sql);
    free(db);
}

int users_db_check(struct users_db *db)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db->sql, "PRAGMA integrity_check(1)", -1, &s, NULL);
    bool fine = code == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW && slice_eq(users_db_text(s, 0), SLICE("ok"));

    (void)sqlite3_finalize(s);
    return fine ? 0 : -EBADMSG;
}

/* ---- changes ---- */

static sqlite3_stmt *bind_user(struct users_db *db, enum users_sql which, const struct user *u)
{
    sqlite3_stmt *s = users_db_ask(db, which, u->name, u->domain, u->auth_name);

    bind_text(s, COLUMN_DISPLAY + 1, u->display);
    for (int i = 0; i < DIGEST_ALGORITHMS; i++)
        if (u->has_ha1[i])
            bind_text(s, COLUMN_HA1 + i + 1, slice_of(u->ha1[i].text, u->ha1[i].len));
    (void)sqlite3_bind_int64(s, COLUMN_FLAGS + 1, u->flags);
    for (int i = 0; i < USER_FORWARDS; i++)
        bind_text(s, COLUMN_FORWARD + i + 1, u->forward[i]);
    (void)sqlite3_bind_int64(s, COLUMN_NO_ANSWER + 1, u->no_answer_s);
    (void)sqlite3_bind_int64(s, COLUMN_CALLS + 1, u->calls_max);
    (void)sqlite3_bind_int64(s, COLUMN_CONTACTS + 1, u->contacts_max);
    bind_text(s, COLUMN_REJECTS + 1, u->rejects);
    return s;
}

int users_db_add(struct users_db *db, const struct user *u)
{
    if (users_flaw(u) != USERS_SOUND)
        return -EINVAL;
    users_cache_forget(db);
    return run(db, bind_user(db, SQL_ADD, u), NULL);
}

static int run_on_some(struct users_db *db, sqlite3_stmt *s)
{
    int changed, error = run(db, s, &changed);

    users_cache_forget(db);
    return error ? error : changed ? 0 : -ENOENT;
}

int users_db_change(struct users_db *db, const struct user *u)
{
    return users_flaw(u) == USERS_SOUND ? run_on_some(db, bind_user(db, SQL_CHANGE, u)) : -EINVAL;
}

int users_db_remove(struct users_db *db, slice name, slice domain)
{
    char room[USERS_NAME_MAX];

    return run_on_some(db, users_db_ask(db, SQL_REMOVE, users_domain(domain, room), name, (slice){ 0 }));
}

/* False: no memory. */
static bool keep_text(struct arena *a, struct user *u)
{
    slice *const texts[] = { &u->name, &u->domain, &u->auth_name, &u->display, &u->forward[0], &u->forward[1],
                             &u->forward[2], &u->forward[3], &u->rejects };
    static_assert(USER_FORWARDS == 4, "all of them");

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        *texts[i] = arena_slice(a, *texts[i]);
        if (!texts[i]->ptr)
            return false;
    }
    return true;
}

int users_db_find(struct users_db *db, slice name, slice domain, struct arena *a, struct user *ret)
{
    char room[USERS_NAME_MAX];
    sqlite3_stmt *s = users_db_ask(db, SQL_FIND_NAME, users_domain(domain, room), name, (slice){ 0 });
    int got = users_db_row(db, s);
    struct user u;

    if (got == 1) {
        users_db_user(s, &u);
        if (!keep_text(a, &u))
            got = -ENOMEM;
    }
    users_db_reset(s);
    if (got == 1)
        *ret = u;
    explicit_bzero(u.ha1, sizeof u.ha1);
    return got < 0 ? got : got ? 0 : -ENOENT;
}

int users_db_begin(struct users_db *db) { return run(db, db->statements[SQL_BEGIN], NULL); }

int users_db_end(struct users_db *db, bool keep)
{
    int error = run(db, db->statements[keep ? SQL_COMMIT : SQL_ROLLBACK], NULL);

    if (error && keep)
        (void)run(db, db->statements[SQL_ROLLBACK], NULL);
    users_cache_forget(db);
    return error;
}

/* ---- many ---- */

static sqlite3_stmt *ask_wish(struct users_db *db, enum users_sql which, const struct users_wish *wish,
                              char room[static USERS_NAME_MAX])
{
    sqlite3_stmt *s = users_db_ask(db, which, users_domain(wish->domain, room), wish->text, (slice){ 0 });

    if (!wish->text.ptr)
        bind_text(s, 2, SLICE(""));
    if (which != SQL_COUNT) {
        (void)sqlite3_bind_int64(s, 3, wish->limit && wish->limit < INT64_MAX ? (sqlite3_int64)wish->limit : -1);
        (void)sqlite3_bind_int64(s, 4, wish->skip < INT64_MAX ? (sqlite3_int64)wish->skip : INT64_MAX);
    }
    return s;
}

int users_db_list(struct users_db *db, const struct users_wish *wish,
                  bool (*each)(void *ctx, const struct user *u), void *ctx, uint64_t *ret_total)
{
    char room[USERS_NAME_MAX];
    sqlite3_stmt *s;
    struct user u;
    int got = 0;

    if (ret_total) {
        s = ask_wish(db, SQL_COUNT, wish, room);
        got = users_db_row(db, s);
        if (got == 1)
            *ret_total = (uint64_t)sqlite3_column_int64(s, 0);
        users_db_reset(s);
        if (got < 0)
            return got;
    }
    s = ask_wish(db, SQL_LIST, wish, room);
    while ((got = users_db_row(db, s)) == 1) {
        users_db_user(s, &u);
        if (!each(ctx, &u))
            break;
    }
    users_db_reset(s);
    explicit_bzero(&u, sizeof u);
    return got < 0 ? got : 0;
}

int users_db_alias_add(struct users_db *db, slice alias, slice domain, slice name)
{
    char room[USERS_NAME_MAX];
    slice lower = users_domain(domain, room);
    struct user like = users_new(alias, lower);
    sqlite3_stmt *s;
    int count = 0, got;

    like.auth_name = SLICE("x");
    if (users_flaw(&like) != USERS_SOUND)
        return -EINVAL;
    s = users_db_ask(db, SQL_ALIAS_COUNT, lower, alias, (slice){ 0 });
    got = users_db_row(db, s);
    if (got == 1)
        count = sqlite3_column_int(s, 0);
    users_db_reset(s);
    if (got < 0)
        return got;
    if (count >= (int)USERS_TARGETS_MAX)
        return -E2BIG;
    return run_on_some(db, users_db_ask(db, SQL_ALIAS_ADD, lower, alias, name));
}

int users_db_alias_remove(struct users_db *db, slice alias, slice domain, slice name)
{
    char room[USERS_NAME_MAX];

    return run_on_some(db, users_db_ask(db, SQL_ALIAS_REMOVE, users_domain(domain, room), alias,
                                        name.ptr ? name : SLICE("")));
}

int users_db_aliases(struct users_db *db, const struct users_wish *wish,
                     bool (*each)(void *ctx, const struct users_alias *alias), void *ctx)
{
    char room[USERS_NAME_MAX];
    sqlite3_stmt *s = ask_wish(db, SQL_ALIASES, wish, room);
    int got;

    while ((got = users_db_row(db, s)) == 1) {
        struct users_alias a = { users_db_text(s, 0), users_db_text(s, 1), users_db_text(s, 2) };

        if (!each(ctx, &a))
            break;
    }
    users_db_reset(s);
    return got < 0 ? got : 0;
}
