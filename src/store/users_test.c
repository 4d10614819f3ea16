/* store/users_test.c - users in a file, what the switch is told of them, what a spreadsheet brings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/users.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/test.h"

#define SECOND INT64_C(1000000000)

/* ---- a file of its own ---- */

static char folder[64], path[96];

static void folder_make(void)
{
    snprintf(folder, sizeof folder, "%s/users-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/users.db", folder);
}

static void folder_remove(void)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    char name[128];

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
}

static struct users_db *db_open(void)
{
    const struct users_db_settings settings = { .path = path, .create = true, .busy_ms = 1000, .known_max = 100,
                                                .unknown_max = 10 };
    struct users_db *db = NULL;

    return users_db_open(&settings, &db) == 0 ? db : NULL;
}

static struct user user_of(const char *name)
{
    struct user u = users_new(slice_of_string(name), SLICE("example.com"));

    CHECK(users_set_ha1(&u, DIGEST_MD5, SLICE("0123456789abcdef0123456789ABCDEF")));
    return u;
}

static enum users_result asked(struct users_db *db, const char *name, struct user *ret)
{
    struct users source = users_db_source(db);

    return source.by_name(source.ctx, slice_of_string(name), SLICE("Example.COM"), ret);
}

/* ---- one user ---- */

TEST(a_user_comes_back_as_it_was_added)
{
    struct users_db *db;
    struct user u, got;

    folder_make();
    db = db_open();
    CHECK(db != NULL);
    u = user_of("alice");
    u.auth_name = SLICE("alice-phone");
    u.display = SLICE("Alice Å. 爱丽丝");
    u.flags = USER_DO_NOT_DISTURB | USER_HIDE_NUMBER;
    u.forward[USER_FORWARD_BUSY] = SLICE("sip:bob@example.com;user=phone");
    u.forward[USER_FORWARD_UNREACHABLE] = SLICE("tel:+4930123456");
    u.no_answer_s = 20, u.calls_max = 2, u.contacts_max = 65535;
    u.rejects = SLICE("+4930123456, spam@example.net");
    CHECK_EQ(users_db_add(db, &u), 0);
    users_db_close(db);
    db = db_open();
    CHECK(db != NULL);

    struct users source = users_db_source(db);

    for (int round = 0; round < 2; round++) {             /* from the file, then from memory */
        CHECK_EQ(source.by_auth(source.ctx, SLICE("alice-phone"), SLICE("example.com"), &got), USERS_FOUND);
        CHECK_EQ(asked(db, "alice", &got), USERS_FOUND);
        CHECK_EQ(got.name, u.name);
        CHECK_EQ(got.domain, "example.com");
        CHECK_EQ(got.auth_name, u.auth_name);
        CHECK_EQ(got.display, u.display);
        CHECK_EQ(got.flags, u.flags);
        for (int i = 0; i < USER_FORWARDS; i++)
            CHECK_ROW_EQ(i, got.forward[i], u.forward[i]);
        CHECK_EQ(got.rejects, u.rejects);
        CHECK(got.no_answer_s == 20 && got.calls_max == 2 && got.contacts_max == 65535);
        CHECK(got.has_ha1[DIGEST_MD5] && !got.has_ha1[DIGEST_SHA_256] && !got.has_ha1[DIGEST_SHA_512_256]);
        CHECK_STR_EQ(got.ha1[DIGEST_MD5].text, "0123456789abcdef0123456789abcdef");
    }
    CHECK_EQ(users_db_counts(db).from_cache, 2);
    CHECK_EQ(asked(db, "Alice", &got), USERS_NONE);       /* the user part has its case (RFC 3261, 19.1.4) */
    CHECK_EQ(source.by_auth(source.ctx, SLICE("alice"), SLICE("example.com"), &got), USERS_NONE);
    CHECK_EQ(source.by_name(source.ctx, SLICE("alice"), SLICE("example.org"), &got), USERS_NONE);
    users_db_close(db);
    folder_remove();
}

TEST(a_password_is_kept_as_ha1_only)
{
    struct digest *d = digest_new();
    struct users_db *db;
    struct user u;
    size_t len;

    folder_make();
    db = db_open();
    CHECK(db && d);
    u = users_new(SLICE("Mufasa"), SLICE("http-auth@example.org"));
    users_hash_password(d, &u, SLICE("Circle of Life"));
    CHECK_STR_EQ(u.ha1[DIGEST_MD5].text, "3d78807defe7de2157e2b0b6573a855f");     /* RFC 7616, 3.9.1 */
    CHECK(u.has_ha1[DIGEST_SHA_256] && u.has_ha1[DIGEST_SHA_512_256]);
    u = users_new(SLICE("mufasa"), SLICE("example.org"));
    users_hash_password(d, &u, SLICE("Circle of Life"));
    CHECK_EQ(users_db_add(db, &u), 0);
    users_db_close(db);
    char *file = test_read_file(path, &len);

    CHECK(slice_find(slice_of(file, len), SLICE("mufasa")) >= 0);
    CHECK(slice_find(slice_of(file, len), SLICE("Circle")) < 0);
    free(file);
    digest_free(d);
    folder_remove();
}

TEST(names_are_unique_and_changes_find_their_user)
{
    struct arena arena = { 0 };
    struct users_db *db;
    struct user u, got;

    folder_make();
    db = db_open();
    CHECK(db != NULL);
    u = user_of("alice");
    CHECK_EQ(users_db_change(db, &u), -ENOENT);
    CHECK_EQ(users_db_add(db, &u), 0);
    CHECK_EQ(users_db_add(db, &u), -EEXIST);
    u = user_of("bob");
    u.auth_name = SLICE("alice");
    CHECK_EQ(users_db_add(db, &u), -EEXIST);              /* two users could not be told apart by credentials */
    u.auth_name = SLICE("bob");
    CHECK_EQ(users_db_add(db, &u), 0);
    CHECK_EQ(users_db_find(db, SLICE("bob"), SLICE("EXAMPLE.com"), &arena, &got), 0);
    got.display = SLICE("Bob");
    CHECK_EQ(users_db_change(db, &got), 0);
    CHECK_EQ(asked(db, "bob", &got), USERS_FOUND);
    CHECK_EQ(got.display, "Bob");
    CHECK_EQ(users_db_remove(db, SLICE("bob"), SLICE("example.com")), 0);
    CHECK_EQ(users_db_remove(db, SLICE("bob"), SLICE("example.com")), -ENOENT);
    CHECK_EQ(asked(db, "bob", &got), USERS_NONE);
    CHECK_EQ(users_db_find(db, SLICE("bob"), SLICE("example.com"), &arena, &got), -ENOENT);
    arena_done(&arena);
    users_db_close(db);
    folder_remove();
}

TEST(what_no_user_may_have_is_refused)
{
    char long_name[300];

    memset(long_name, 'x', sizeof long_name);
    const struct { slice name, domain, auth_name, display, forward; enum users_flaw flaw; } rows[] = {
        { SLICE("alice"), SLICE("a.example"), SLICE("alice"), SLICE(""), SLICE(""), USERS_SOUND },
        { SLICE("+49(30)1"), SLICE("[2001:db8::1]:5060"), SLICE("x y"), SLICE("é"), SLICE("sips:x"), USERS_SOUND },
        { SLICE(""), SLICE("a.example"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_NAME },
        { SLICE("a b"), SLICE("a.example"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_NAME },
        { SLICE("a\nb"), SLICE("a.example"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_NAME },
        { SLICE("a\0b"), SLICE("a.example"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_NAME },
        { SLICE("a\xff"), SLICE("a.example"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_NAME },
        { { long_name, 256 }, SLICE("a.example"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_NAME },
        { SLICE("a"), SLICE("A.example"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_DOMAIN },
        { SLICE("a"), SLICE(""), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_DOMAIN },
        { SLICE("a"), SLICE("a\0b"), SLICE("a"), SLICE(""), SLICE(""), USERS_BAD_DOMAIN },
        { SLICE("a"), SLICE("b"), SLICE("a:b"), SLICE(""), SLICE(""), USERS_BAD_AUTH_NAME },   /* ends it in HA1 */
        { SLICE("a"), SLICE("b"), SLICE("a\"b"), SLICE(""), SLICE(""), USERS_BAD_AUTH_NAME },
        { SLICE("a"), SLICE("b"), SLICE("a"), SLICE("\x1b[2J"), SLICE(""), USERS_BAD_DISPLAY },
        { SLICE("a"), SLICE("b"), SLICE("a"), SLICE(""), SLICE("bob"), USERS_BAD_FORWARD },
        { SLICE("a"), SLICE("b"), SLICE("a"), SLICE(""), SLICE("http://b"), USERS_BAD_FORWARD },
        { SLICE("a"), SLICE("b"), SLICE("a"), SLICE(""), SLICE("sip:b\r\nVia: x"), USERS_BAD_FORWARD },
        { SLICE("a"), SLICE("b"), SLICE("a"), SLICE(""), SLICE("sip:b>;x"), USERS_BAD_FORWARD },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct user u = users_new(rows[i].name, rows[i].domain);

        u.auth_name = rows[i].auth_name;
        u.display = rows[i].display;
        u.forward[USER_FORWARD_ALWAYS] = rows[i].forward;
        CHECK_ROW_EQ(i, users_flaw(&u), rows[i].flaw);
    }
}

TEST(settings_are_known_by_name)
{
    static const struct { slice setting, value; enum users_set wanted; } rows[] = {
        { SLICE_INIT("do-not-disturb"), SLICE_INIT("yes"), USERS_SET },
        { SLICE_INIT("Call_Waiting"), SLICE_INIT("off"), USERS_SET },
        { SLICE_INIT("calls_max"), SLICE_INIT("65535"), USERS_SET },
        { SLICE_INIT("calls_max"), SLICE_INIT("65536"), USERS_NO_VALUE },
        { SLICE_INIT("calls_max"), SLICE_INIT("-1"), USERS_NO_VALUE },
        { SLICE_INIT("redirect"), SLICE_INIT("maybe"), USERS_NO_VALUE },
        { SLICE_INIT("forward_busy"), SLICE_INIT("sip:x@y"), USERS_SET },
        { SLICE_INIT("forward_busy"), SLICE_INIT("nobody"), USERS_NO_VALUE },
        { SLICE_INIT("ha1_md5"), SLICE_INIT("xyz"), USERS_NO_VALUE },
        { SLICE_INIT("rejects"), SLICE_INIT("eve\tmallory"), USERS_NO_VALUE },
        { SLICE_INIT("rejects"), SLICE_INIT("eve mallory"), USERS_SET },
        { SLICE_INIT("password"), SLICE_INIT("x"), USERS_NO_SETTING },
        { SLICE_INIT(""), SLICE_INIT("x"), USERS_NO_SETTING },
    };
    struct user u = users_new(SLICE("a"), SLICE("b"));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, users_set(&u, rows[i].setting, rows[i].value), rows[i].wanted);
    CHECK_EQ(u.flags, USER_DO_NOT_DISTURB | USER_TELL_FORWARDED);
    CHECK_EQ(u.calls_max, 65535);
    CHECK_EQ(u.forward[USER_FORWARD_BUSY], "sip:x@y");
    CHECK_EQ(u.rejects, "eve mallory");
    CHECK_EQ(users_flag_name(USER_NO_GATEWAY), "no_gateway");
    CHECK_EQ(users_flag_name(1u << 20), "");
    CHECK_EQ(users_forward_name(USER_FORWARD_NO_ANSWER), "forward_no_answer");
}

/* ---- aliases and lists ---- */

TEST(an_alias_stands_for_several_users_in_their_order)
{
    struct users_db *db;
    struct user u;
    slice names[2];

    folder_make();
    db = db_open();
    CHECK(db != NULL);
    for (const char *const *n = (const char *const[]){ "carol", "alice", "bob", NULL }; *n; n++) {
        u = user_of(*n);
        CHECK_EQ(users_db_add(db, &u), 0);
        CHECK_EQ(users_db_alias_add(db, SLICE("100"), SLICE("EXAMPLE.com"), slice_of_string(*n)), 0);
    }
    CHECK_EQ(users_db_alias_add(db, SLICE("100"), SLICE("example.com"), SLICE("bob")), -EEXIST);
    CHECK_EQ(users_db_alias_add(db, SLICE("100"), SLICE("example.com"), SLICE("dave")), -ENOENT);
    CHECK_EQ(users_db_alias_add(db, SLICE("1 0"), SLICE("example.com"), SLICE("bob")), -EINVAL);
    struct users source = users_db_source(db);

    for (int round = 0; round < 2; round++) {
        CHECK_EQ(source.by_alias(source.ctx, SLICE("100"), SLICE("Example.com"), names, 2), 3);
        CHECK_EQ(names[0], "carol");
        CHECK_EQ(names[1], "alice");
    }
    CHECK_EQ(source.by_alias(source.ctx, SLICE("101"), SLICE("example.com"), names, 2), 0);
    CHECK_EQ(users_db_remove(db, SLICE("alice"), SLICE("example.com")), 0);
    CHECK_EQ(source.by_alias(source.ctx, SLICE("100"), SLICE("example.com"), names, 2), 2);
    CHECK_EQ(names[1], "bob");
    CHECK_EQ(users_db_alias_remove(db, SLICE("100"), SLICE("example.com"), SLICE("bob")), 0);
    CHECK_EQ(users_db_alias_remove(db, SLICE("100"), SLICE("example.com"), SLICE("bob")), -ENOENT);
    CHECK_EQ(users_db_alias_remove(db, SLICE("100"), SLICE("example.com"), SLICE("")), 0);
    CHECK_EQ(source.by_alias(source.ctx, SLICE("100"), SLICE("example.com"), names, 2), 0);
    users_db_close(db);
    folder_remove();
}

TEST(an_alias_has_no_more_targets_than_its_maximum)
{
    struct users_db *db;
    slice names[USERS_TARGETS_MAX];
    char name[256];

    folder_make();
    db = db_open();
    CHECK(db && users_db_begin(db) == 0);
    for (unsigned i = 0; i <= USERS_TARGETS_MAX; i++) {
        snprintf(name, sizeof name, "%0*u", (int)USERS_NAME_MAX, i);
        struct user u = user_of(name);

        CHECK_EQ(users_db_add(db, &u), 0);
        CHECK_EQ(users_db_alias_add(db, SLICE("all"), SLICE("example.com"), u.name), i < USERS_TARGETS_MAX ? 0 : -E2BIG);
    }
    CHECK_EQ(users_db_end(db, true), 0);
    struct users source = users_db_source(db);

    CHECK_EQ(source.by_alias(source.ctx, SLICE("all"), SLICE("example.com"), names, USERS_TARGETS_MAX), USERS_TARGETS_MAX);
    CHECK(slice_ends(names[63], SLICE("0063")));
    users_db_close(db);
    folder_remove();
}

static bool count_user(void *ctx, const struct user *u)
{
    struct { unsigned seen, stop; slice last; char room[8]; } *c = ctx;

    memcpy(c->room, u->name.ptr, u->name.len);
    c->last = slice_of(c->room, u->name.len);
    return ++c->seen != c->stop;
}

TEST(a_list_comes_in_pages_and_in_order)
{
    struct users_db *db;
    uint64_t total;
    char name[8];

    folder_make();
    db = db_open();
    CHECK(db && users_db_begin(db) == 0);
    for (unsigned i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "u%02u", 24 - i);
        struct user u = user_of(name);

        u.domain = i % 5 ? SLICE("example.com") : SLICE("a.example");
        CHECK_EQ(users_db_add(db, &u), 0);
    }
    CHECK_EQ(users_db_end(db, true), 0);
    const struct { struct users_wish wish; unsigned stop, seen, total; slice last; } rows[] = {
        { { .limit = 0 }, 0, 25, 25, SLICE("u23") },
        { { .limit = 10 }, 0, 10, 25, SLICE("u05") },     /* five of a.example come first */
        { { .skip = 20, .limit = 10 }, 0, 5, 25, SLICE("u23") },
        { { .skip = 99 }, 0, 0, 25, SLICE("") },
        { { .domain = SLICE("A.example") }, 0, 5, 5, SLICE("u24") },
        { { .text = SLICE("u1") }, 0, 10, 10, SLICE("u18") },
        { { .text = SLICE("%") }, 0, 0, 0, SLICE("") },
        { { .limit = 0 }, 3, 3, 25, SLICE("u14") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct { unsigned seen, stop; slice last; char room[8]; } c = { .stop = rows[i].stop };

        CHECK_ROW_EQ(i, users_db_list(db, &rows[i].wish, count_user, &c, &total), 0);
        CHECK_ROW_EQ(i, c.seen, rows[i].seen);
        CHECK_ROW_EQ(i, total, rows[i].total);
        CHECK_ROW_EQ(i, c.last, rows[i].last);
    }
    users_db_close(db);
    folder_remove();
}

/* ---- what the switch is told while others change the file ---- */

TEST(a_change_by_another_process_is_seen_within_a_second)
{
    struct users_db *server, *other;
    struct user u, got;

    folder_make();
    server = db_open();
    other = db_open();
    CHECK(server && other);
    users_db_tick(server, 0);
    CHECK_EQ(asked(server, "alice", &got), USERS_NONE);
    u = user_of("alice");
    CHECK_EQ(users_db_add(other, &u), 0);
    users_db_tick(server, SECOND - 1);
    CHECK_EQ(asked(server, "alice", &got), USERS_NONE);   /* nobody has looked yet */
    users_db_tick(server, SECOND);
    CHECK_EQ(asked(server, "alice", &got), USERS_FOUND);
    CHECK_EQ(users_db_remove(other, SLICE("alice"), SLICE("example.com")), 0);
    CHECK_EQ(asked(server, "alice", &got), USERS_FOUND);
    users_db_tick(server, 2 * SECOND);
    CHECK_EQ(asked(server, "alice", &got), USERS_NONE);
    uint64_t forgotten = users_db_counts(server).forgotten;

    users_db_tick(server, 4 * SECOND);                    /* nothing has changed */
    CHECK_EQ(users_db_counts(server).forgotten, forgotten);
    users_db_close(other);
    users_db_close(server);
    folder_remove();
}

TEST(a_flood_of_unknown_names_pushes_out_no_user)
{
    struct users_db *db;
    struct user u, got;
    char name[16];

    folder_make();
    db = db_open();
    CHECK(db != NULL);
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "u%d", i);
        u = user_of(name);
        CHECK_EQ(users_db_add(db, &u), 0);
    }
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "u%d", i);
        CHECK_EQ(asked(db, name, &got), USERS_FOUND);
    }
    CHECK_EQ(users_db_counts(db).known, 100);             /* known_max */
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "x%d", i);
        CHECK_EQ(asked(db, name, &got), USERS_NONE);
    }
    CHECK_EQ(users_db_counts(db).known, 100);
    CHECK_EQ(users_db_counts(db).unknown, 10);
    uint64_t before = users_db_counts(db).from_cache;

    CHECK_EQ(asked(db, "u149", &got), USERS_FOUND);
    CHECK_EQ(users_db_counts(db).from_cache, before + 1);
    CHECK_EQ(asked(db, "", &got), USERS_NONE);
    users_db_close(db);
    folder_remove();
}

TEST(a_locked_file_fails_an_answer_and_not_what_is_in_memory)
{
    struct users_db *db, *other;
    struct user u, got;

    folder_make();
    db = db_open();
    other = db_open();
    CHECK(db && other);
    u = user_of("alice");
    CHECK_EQ(users_db_add(db, &u), 0);
    CHECK_EQ(asked(db, "alice", &got), USERS_FOUND);
    CHECK_EQ(users_db_begin(other), 0);
    u = user_of("bob");
    CHECK_EQ(users_db_add(other, &u), 0);
    CHECK_EQ(asked(db, "bob", &got), USERS_NONE);         /* readers do not wait for a writer */
    CHECK_EQ(asked(db, "alice", &got), USERS_FOUND);
    CHECK_EQ(users_db_begin(db), -EBUSY);
    CHECK_EQ(users_db_end(other, false), 0);
    CHECK_EQ(asked(db, "bob", &got), USERS_NONE);
    users_db_close(other);
    users_db_close(db);
    folder_remove();
}

/* ---- files that are none of ours, or were ---- */

static void write_file(const void *bytes, size_t len)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    (void)close(fd);
}

static int open_error(bool create)
{
    const struct users_db_settings settings = { .path = path, .create = create };
    struct users_db *db = NULL;
    int error = users_db_open(&settings, &db);

    users_db_close(db);
    return error;
}

static void execute(const char *query)
{
    sqlite3 *sql;

    CHECK_EQ(sqlite3_open(path, &sql), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(sql, query, NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_close(sql), SQLITE_OK);
}

TEST(a_foreign_or_newer_file_is_refused_and_left_alone)
{
    char noise[8192];
    size_t len;

    memset(noise, 'n', sizeof noise);
    folder_make();
    CHECK_EQ(open_error(false), -ENOENT);
    write_file(noise, sizeof noise);
    CHECK_EQ(open_error(true), -EMEDIUMTYPE);
    char *file = test_read_file(path, &len);

    CHECK(len == sizeof noise && memcmp(file, noise, len) == 0);
    free(file);
    folder_remove();
    folder_make();
    execute("CREATE TABLE theirs(x)");
    CHECK_EQ(open_error(true), -EMEDIUMTYPE);
    folder_remove();
    folder_make();
    CHECK_EQ(open_error(true), 0);
    execute("PRAGMA user_version = 99");
    CHECK_EQ(open_error(true), -ENOTSUP);
    folder_remove();
    folder_make();
    CHECK_EQ(open_error(true), 0);
    execute("DROP TABLE aliases");
    CHECK_EQ(open_error(true), -EBADMSG);
    folder_remove();
    snprintf(path, sizeof path, "/nowhere/at/all");
    CHECK_EQ(open_error(true), -ENOENT);
}

/* As version 1 made it, word for word. */
static const char version_1[] =
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
    "CREATE INDEX aliases_of_user ON aliases(user);"
    "INSERT INTO users(name, domain, auth_name, display, ha1_md5, flags, forward_busy, calls_max)"
    " VALUES('old', 'example.com', 'old-phone', 'Old', '0123456789abcdef0123456789abcdef', 42, 'sip:bob@example.com', 3);"
    "INSERT INTO aliases VALUES('example.com', '100', 1, 1);"
    "PRAGMA application_id = 1396864371; PRAGMA user_version = 1;";

TEST(a_file_of_version_1_is_brought_up_to_date_with_all_its_users)
{
    struct users_db *db;
    struct user got;

    folder_make();
    execute(version_1);
    db = db_open();
    CHECK(db && users_db_check(db) == 0);
    CHECK_EQ(asked(db, "old", &got), USERS_FOUND);
    CHECK_EQ(got.auth_name, "old-phone");
    CHECK_EQ(got.forward[USER_FORWARD_BUSY], "sip:bob@example.com");
    CHECK(got.flags == 42 && got.calls_max == 3 && got.has_ha1[DIGEST_MD5]);
    CHECK_EQ(got.rejects, "");
    got.rejects = SLICE("eve");
    CHECK_EQ(users_db_change(db, &got), 0);
    users_db_close(db);
    db = db_open();                                       /* once is enough */
    CHECK_EQ(asked(db, "old", &got), USERS_FOUND);
    CHECK_EQ(got.rejects, "eve");
    struct users source = users_db_source(db);
    slice names[2];

    CHECK_EQ(source.by_alias(source.ctx, SLICE("100"), SLICE("example.com"), names, 2), 1);
    CHECK_EQ(names[0], "old");
    users_db_close(db);
    folder_remove();
}

TEST(a_damaged_file_is_an_error_and_no_crash)
{
    struct users_db *db;
    struct user got;
    size_t len;

    folder_make();
    db = db_open();
    CHECK(db && users_db_begin(db) == 0);
    for (int i = 0; i < 500; i++) {
        char name[16];

        snprintf(name, sizeof name, "user%d", i);
        struct user u = user_of(name);

        CHECK_EQ(users_db_add(db, &u), 0);
    }
    CHECK_EQ(users_db_end(db, true), 0);
    CHECK_EQ(users_db_check(db), 0);
    users_db_close(db);
    char *file = test_read_file(path, &len);

    for (size_t round = 0; round < 60; round++) {
        char *damaged = malloc(len);
        size_t at = round < 20 ? round * 5 : 100 + round * len / 64, cut = round % 3 ? len : len - round * 512;

        memcpy(damaged, file, len);
        memset(damaged + at, (int)(round * 37 | 1), len - at < 60 ? len - at : 60);
        write_file(damaged, cut);
        free(damaged);
        db = db_open();
        if (!db)
            continue;
        int sound = users_db_check(db);

        for (int i = 0; i < 500; i += 7) {
            char name[16];

            snprintf(name, sizeof name, "user%d", i);
            enum users_result result = asked(db, name, &got);

            CHECK_ROW(round, result == USERS_FOUND || sound == -EBADMSG || round >= 20);
        }
        users_db_close(db);
    }
    free(file);
    folder_remove();
}

TEST(the_file_is_for_its_owner_only)
{
    struct users_db *db;
    struct stat st;

    folder_make();
    (void)umask(0);
    db = db_open();
    struct user u = user_of("alice");

    CHECK(db && users_db_add(db, &u) == 0);
    for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", NULL }; *end; end++) {
        char name[128];

        snprintf(name, sizeof name, "%s%s", path, *end);
        CHECK_EQ(stat(name, &st), 0);
        CHECK_EQ(st.st_mode & 0777, 0600);
    }
    (void)umask(022);
    users_db_close(db);
    folder_remove();
}

/* ---- spreadsheets ---- */

static int import(struct users_db *db, const char *csv, struct users_import *how)
{
    char *copy = strdup(csv);                             /* of exactly its size: a sanitizer sees the rest */
    size_t len = strlen(csv);
    char *exact = malloc(len ? len : 1);
    int error;

    CHECK(copy && exact);
    memcpy(exact, copy, len);
    free(copy);
    error = users_db_import(db, exact, len, how);
    how->column = slice_eq(how->column, SLICE("name")) ? SLICE("name") : SLICE("");
    free(exact);
    return error;
}

TEST(a_spreadsheet_brings_all_its_users_or_none)
{
    static const struct { const char *csv; bool update; int error; enum users_csv fault; uint64_t line, added, changed; }
    rows[] = {
        { "name,domain,password\na,x.example,1\nb,x.example,2\n", false, 0, USERS_CSV_FINE, 0, 2, 0 },
        { "name;password;display\r\na@X.example;1;\"A; \"\"the first\"\"\"\r\n\r\nb@x.example;2;B", false, 0,
          USERS_CSV_FINE, 0, 2, 0 },
        { "\xEF\xBB\xBFname\tpassword\na@x\t1\n", false, 0, USERS_CSV_FINE, 0, 1, 0 },
        { "name,password\na@x,1\na@x,2\n", false, -EEXIST, USERS_CSV_STORE, 3, 0, 0 },
        { "name,password\na@x,1\na@x,2\n", true, 0, USERS_CSV_FINE, 0, 1, 1 },
        { "name,password,calls_max\na@x,1,2\na@x,,3\n", true, 0, USERS_CSV_FINE, 0, 1, 1 },
        { "name,password,auth_name\na@x,1,\na@x,,b\n", true, -EINVAL, USERS_CSV_NO_SECRET, 3, 0, 0 },
        { "name,auth_name,auth-name,password\na@x,b,c,1\n", false, 0, USERS_CSV_FINE, 0, 1, 0 },
        { "name,ha1_md5\na@x,0123456789abcdef0123456789abcdef\n", false, 0, USERS_CSV_FINE, 0, 1, 0 },
        { "name,ha1_md5\na@x,0123\n", false, -EINVAL, USERS_CSV_VALUE, 2, 0, 0 },
        { "name,password\na@x,1\nb@x,\n", false, -EINVAL, USERS_CSV_NO_SECRET, 3, 0, 0 },
        { "name,password\na@x,1\nb,2\n", false, -EINVAL, USERS_CSV_VALUE, 3, 0, 0 },
        { "name,passwort\na@x,1\n", false, -EINVAL, USERS_CSV_COLUMN, 1, 0, 0 },
        { "domain,password\nx,1\n", false, -EINVAL, USERS_CSV_COLUMN, 1, 0, 0 },
        { "", false, -EINVAL, USERS_CSV_COLUMN, 1, 0, 0 },
        { "name,password\na@x,\"1\nb@x,2\n", false, -EINVAL, USERS_CSV_SHAPE, 2, 0, 0 },
        { "name,password\na@x,\"1\"2\n", false, -EINVAL, USERS_CSV_SHAPE, 2, 0, 0 },
        { "name,password\na@x,\"1\n2\"\nb@x,2,3\n", false, -EINVAL, USERS_CSV_SHAPE, 4, 0, 0 },
        { "name,password,aliases\na@x,1,10 11\nb@x,2,10\n", false, 0, USERS_CSV_FINE, 0, 2, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct users_import how = { .update = rows[i].update, .digest = digest_new() };
        uint64_t total;
        struct users_db *db;

        folder_make();
        db = db_open();
        CHECK(db && how.digest);
        CHECK_ROW_EQ(i, import(db, rows[i].csv, &how), rows[i].error);
        CHECK_ROW_EQ(i, how.fault, rows[i].fault);
        CHECK_ROW_EQ(i, how.line, rows[i].line);
        CHECK_EQ(users_db_list(db, &(struct users_wish){ .limit = 1 }, count_user,
                               &(struct { unsigned seen, stop; slice last; char room[8]; }){ 0 }, &total), 0);
        CHECK_ROW_EQ(i, total, rows[i].error ? 0 : rows[i].added);
        CHECK_ROW_EQ(i, how.changed, rows[i].error ? how.changed : rows[i].changed);
        users_db_close(db);
        digest_free(how.digest);
        folder_remove();
    }
}

TORTURE(a_store_of_users_survives_without_memory)
{
    struct arena arena = { 0 };
    struct users_db *db;
    struct user u, got;
    slice name;

    folder_make();
    db = db_open();
    CHECK_OR_GOTO(db != NULL, out);
    u = user_of("alice");
    CHECK_EQ(users_db_add(db, &u), 0);
    CHECK_EQ(users_db_alias_add(db, SLICE("1"), SLICE("example.com"), SLICE("alice")), 0);
    CHECK_OR_GOTO(asked(db, "alice", &got) == USERS_FOUND, out);
    CHECK_OR_GOTO(asked(db, "bob", &got) == USERS_NONE, out);
    struct users source = users_db_source(db);

    CHECK_OR_GOTO(source.by_alias(source.ctx, SLICE("1"), SLICE("example.com"), &name, 1) == 1, out);
    CHECK_OR_GOTO(users_db_find(db, SLICE("alice"), SLICE("example.com"), &arena, &got) == 0, out);
out:
    arena_done(&arena);
    users_db_close(db);
    folder_remove();
}
