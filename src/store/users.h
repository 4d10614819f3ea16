/* store/users.h - the users of the switch, in an SQLite file.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Only HA1 is kept, one per algorithm; a password passes through users_hash_password and nowhere
 * else. The switch asks through a cache; `signalbox user` may change the file meanwhile: a look at
 * its version at most once a second (users_db_tick) makes a running server forget what it knew.
 *
 *     struct users_db_settings settings = { .path = "/var/lib/signalbox/users.db" };
 *     int error = users_db_open(&settings, &db);
 *     struct users users = users_db_source(db);          // for the switch
 *     users_db_tick(db, now_ns);                         // in the loop
 *     users_db_close(db);
 *
 * One thread per users_db; any number of them may have one file open. Results are 0 or -errno:
 *
 *     -ENOENT      no such file, user or alias           -EEXIST   the name, or auth name, is taken
 *     -EMEDIUMTYPE not a file of users                   -ENOTSUP  of a newer Signalbox
 *     -EBADMSG     damaged                               -EBUSY    another one writes for too long
 *     -EINVAL      users_flaw is not USERS_SOUND         -EACCES, -ENOSPC, -EIO, -ENOMEM as ever   */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include "base/arena.h"
#include "switch/users.h"

#define USERS_NAME_MAX 255u          /* bytes of name, domain, auth name, display name */
#define USERS_URI_MAX 1024u
#define USERS_TARGETS_MAX 64u        /* users behind one alias */

struct users_db_settings {
    const char *path;
    bool     create;                 /* when it is not there; for its owner only (0600) */
    int      busy_ms;                /* to wait for another writer */
    size_t   known_max;              /* answers kept in memory; 0: 16384 */
    size_t   unknown_max;            /* and of them "none": a flood of names pushes out only these; 0: 1024 */
};
struct users_db;
int  users_db_open(const struct users_db_settings *settings, struct users_db **ret);
void users_db_close(struct users_db *db);                 /* NULL is fine */
int  users_db_check(struct users_db *db);                 /* reads the whole file: 0 or -EBADMSG */

/* ---- for the switch ---- */

struct users users_db_source(struct users_db *db);
void users_db_tick(struct users_db *db, int64_t now_ns);
struct users_db_counts { uint64_t asked, from_cache, failed, forgotten; size_t known, unknown; };
struct users_db_counts users_db_counts(const struct users_db *db);

/* ---- one user ---- */

enum users_flaw { USERS_SOUND, USERS_BAD_NAME, USERS_BAD_DOMAIN, USERS_BAD_AUTH_NAME, USERS_BAD_DISPLAY,
                  USERS_BAD_FORWARD, USERS_BAD_REJECTS };
enum users_flaw users_flaw(const struct user *u);
struct user users_new(slice name, slice domain);          /* with what a new user has */

/* HA1 for all algorithms, over auth_name, domain and password as they are now. */
void users_hash_password(struct digest *d, struct user *u, slice password);
bool users_set_ha1(struct user *u, enum digest_algorithm algorithm, slice hex);

/* A setting by its name as JSON and CSV have it ("forward_busy", "do_not_disturb", "calls_max";
 * - is as good as _). Flags take yes or no. Text is borrowed. */
enum users_set { USERS_SET, USERS_NO_SETTING, USERS_NO_VALUE };
enum users_set users_set(struct user *u, slice setting, slice value);
slice users_flag_name(unsigned flag);                     /* "do_not_disturb"; empty: no such bit */
slice users_forward_name(enum user_forward forward);      /* "forward_busy" */

int users_db_add(struct users_db *db, const struct user *u);
int users_db_change(struct users_db *db, const struct user *u);           /* of this name and domain */
int users_db_remove(struct users_db *db, slice name, slice domain);       /* and what aliases had for it */
/* From the file, not the cache; its text goes into the arena. */
int users_db_find(struct users_db *db, slice name, slice domain, struct arena *a, struct user *ret);

/* Several changes as one: all that came between, or (keep false) nothing of it. */
int users_db_begin(struct users_db *db);
int users_db_end(struct users_db *db, bool keep);

/* ---- many ---- */

struct users_wish {
    slice    domain;                 /* empty: any */
    slice    text;                   /* somewhere in name, auth name or display name; empty: any */
    uint64_t skip, limit;            /* limit 0: all */
};
/* In the order of domain and name; `each` answers false to stop. ret_total: how many there are
 * without skip and limit; may be NULL. */
int users_db_list(struct users_db *db, const struct users_wish *wish,
                  bool (*each)(void *ctx, const struct user *u), void *ctx, uint64_t *ret_total);

int users_db_alias_add(struct users_db *db, slice alias, slice domain, slice name);    /* -E2BIG: too many */
int users_db_alias_remove(struct users_db *db, slice alias, slice domain, slice name); /* empty: all of it */
struct users_alias { slice alias, domain, name; };
int users_db_aliases(struct users_db *db, const struct users_wish *wish,
                     bool (*each)(void *ctx, const struct users_alias *alias), void *ctx);

/* ---- from a spreadsheet ----
 * The first line names the columns: name (or name@domain), domain, password, ha1_md5, ha1_sha_256,
 * ha1_sha_512_256, auth_name, display, aliases (words) and the settings. All lines or none. */
struct users_import {
    bool     update;                 /* change users that are there already; else they are an error */
    struct digest *digest;
    /* results */
    uint64_t added, changed;
    uint64_t line;                   /* of the fault, 1 is the first; 0: none in particular */
    enum users_csv { USERS_CSV_FINE, USERS_CSV_SHAPE, USERS_CSV_COLUMN, USERS_CSV_VALUE, USERS_CSV_NO_SECRET,
                     USERS_CSV_STORE } fault;
    slice    column;                 /* of it; borrowed from csv */
};
/* 0, -EINVAL with `fault`, or an error of the store. Unquotes within `csv`, so that is changed. */
int users_db_import(struct users_db *db, char *csv, size_t len, struct users_import *how);

#endif
