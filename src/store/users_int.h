/* store/users_int.h - what the files of the users' store share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_USERS_INT_H
#define STORE_USERS_INT_H

#include <sqlite3.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "store/users.h"

enum users_sql {
    SQL_FIND_NAME, SQL_FIND_AUTH, SQL_FIND_ALIAS, SQL_ADD, SQL_CHANGE, SQL_REMOVE, SQL_LIST, SQL_COUNT,
    SQL_ALIAS_ADD, SQL_ALIAS_COUNT, SQL_ALIAS_REMOVE, SQL_ALIASES, SQL_DATA_VERSION, SQL_BEGIN, SQL_COMMIT,
    SQL_ROLLBACK, SQL_STATEMENTS
};

struct users_cache {
    struct map       by_key;
    struct list      known, unknown;          /* most recently asked for first */
    struct hash_seed seed;
    struct users_db_counts counts;
    int64_t          version;                 /* data_version of the file that it speaks of */
    int64_t          looked_ns;
};
struct users_db {
    struct users_db_settings settings;
    sqlite3           *sql;
    sqlite3_stmt      *statements[SQL_STATEMENTS];
    struct users_cache cache;
};

int  users_cache_init(struct users_db *db);
void users_cache_forget(struct users_db *db);             /* all of it */
void users_cache_done(struct users_db *db);

/* A statement with up to three texts bound; users_db_row steps it, users_db_reset must follow. */
sqlite3_stmt *users_db_ask(struct users_db *db, enum users_sql which, slice a, slice b, slice c);
/* 1: a row; 0: no more; -errno. */
int   users_db_row(struct users_db *db, sqlite3_stmt *s);
void  users_db_reset(sqlite3_stmt *s);
slice users_db_text(sqlite3_stmt *s, int column);         /* valid until the next step */
void  users_db_user(sqlite3_stmt *s, struct user *ret);   /* of the rows of FIND_... and LIST */

/* `domain` in lower case; empty when it is too long for one. */
slice users_domain(slice domain, char room[static USERS_NAME_MAX]);

#endif
