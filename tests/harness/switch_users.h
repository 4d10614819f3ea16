/* tests/harness/switch_users.h - a few users for tests of the switch, password "secret" each
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct test_users u;
 *     test_users_init(&u);                       // alice, bob, carol@example.com; alias 100 is alice
 *     struct users users = test_users_table(&u);
 *
 * dora is disabled, mia has MD5 only, "al ice" needs an escape, admin has the auth name "root".
 * Allocates nothing itself but for the time of test_users_init. */
#ifndef TESTS_HARNESS_SWITCH_USERS_H
#define TESTS_HARNESS_SWITCH_USERS_H

#include "switch/users.h"

enum { TEST_USERS = 7 };
struct test_users {
    struct user user[TEST_USERS];
    bool        away;                /* the store does not answer */
    unsigned    asked;
};
bool test_users_init(struct test_users *u);               /* false: no memory */
struct users test_users_table(struct test_users *u);

#endif
