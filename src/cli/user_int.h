/* cli/user_int.h - what the files of `signalbox user` share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_USER_INT_H
#define CLI_USER_INT_H

#include "cli/cli.h"
#include "store/users.h"

enum user_secret { USER_SECRET_NONE, USER_SECRET_STDIN, USER_SECRET_FILE, USER_SECRET_RANDOM, USER_SECRET_HA1 };
enum { USER_PASSWORD_MAX = 255, USER_SETTINGS_MAX = 64 };

struct user_run {
    struct cli       *cli;
    const char       *file;          /* of the users */
    char              file_room[4096];
    enum user_secret  secret;
    const char       *secret_file;
    struct user       ha1;           /* of --ha1, nothing else in it */
    struct { slice name, value; } settings[USER_SETTINGS_MAX];
    size_t            setting_count;
    bool              new_auth_name;
    struct users_wish wish;
    bool              update, json;
    slice             words[2];      /* behind the verb */
    size_t            word_count;

    struct users_db  *db;            /* open while the verb runs */
    slice             name, domain;  /* of words[0], when the verb wants NAME@DOMAIN */
    char              domain_room[USERS_NAME_MAX];
};

int user_add(struct user_run *r);
int user_set(struct user_run *r);
int user_remove(struct user_run *r);
int user_alias_add(struct user_run *r);
int user_alias_remove(struct user_run *r);
int user_import(struct user_run *r);
int user_show(struct user_run *r);
int user_list(struct user_run *r);
int user_alias_list(struct user_run *r);

/* An error of the store, told; `name` is whom it was about. Returns the exit code. */
int user_say_error(const struct user_run *r, int error, slice name);
int user_say_bad_name(const struct user_run *r, slice text);
/* "disabled, do-not-disturb, ..." of these flags. */
void user_features(struct out *o, unsigned flags);

#endif
