/* tests/harness/switch_users.c - see switch_users.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_users.h"

bool test_users_init(struct test_users *u)
{
    static const struct { slice name, auth_name; unsigned flags; bool md5_only; } rows[TEST_USERS] = {
        { SLICE_INIT("alice"), SLICE_INIT("alice"), 0, false },
        { SLICE_INIT("bob"), SLICE_INIT("bob"), 0, false },
        { SLICE_INIT("carol"), SLICE_INIT("carol@example.com"), 0, false },
        { SLICE_INIT("dora"), SLICE_INIT("dora"), USER_DISABLED, false },
        { SLICE_INIT("mia"), SLICE_INIT("mia"), 0, true },
        { SLICE_INIT("al ice"), SLICE_INIT("al ice"), 0, false },
        { SLICE_INIT("admin"), SLICE_INIT("root"), 0, false },
    };
    struct digest *d = digest_new();

    *u = (struct test_users){ 0 };
    if (!d)
        return false;
    for (size_t i = 0; i < TEST_USERS; i++) {
        struct user *user = &u->user[i];

        *user = (struct user){ .name = rows[i].name, .domain = SLICE("example.com"), .auth_name = rows[i].auth_name,
                               .flags = rows[i].flags };
        for (int k = 0; k < DIGEST_ALGORITHMS; k++) {
            user->has_ha1[k] = !rows[i].md5_only || k == DIGEST_MD5;
            digest_ha1(d, (enum digest_algorithm)k, user->auth_name, SLICE("example.com"), SLICE("secret"), &user->ha1[k]);
        }
    }
    digest_free(d);
    return true;
}

static enum users_result find(struct test_users *u, slice name, slice domain, bool by_auth, struct user *ret)
{
    u->asked++;
    if (u->away)
        return USERS_FAILED;
    for (size_t i = 0; i < TEST_USERS; i++)
        if (slice_eq(by_auth ? u->user[i].auth_name : u->user[i].name, name) && slice_eq(u->user[i].domain, domain)) {
            *ret = u->user[i];
            return USERS_FOUND;
        }
    return USERS_NONE;
}

static enum users_result by_name(void *ctx, slice name, slice domain, struct user *ret)
{
    return find(ctx, name, domain, false, ret);
}

static enum users_result by_auth(void *ctx, slice auth_name, slice realm, struct user *ret)
{
    return find(ctx, auth_name, realm, true, ret);
}

static size_t by_alias(void *ctx, slice alias, slice domain, slice *ret_names, size_t room)
{
    bool one = slice_eq(alias, SLICE("100")) || slice_eq(alias, SLICE("mia"));         /* mia is a user, too */

    (void)ctx, (void)domain;
    if (one && room)
        ret_names[0] = SLICE("alice");
    if (slice_eq(alias, SLICE("200")) && room > 1)
        ret_names[0] = SLICE("alice"), ret_names[1] = SLICE("bob");
    return one ? 1 : slice_eq(alias, SLICE("200")) ? 2 : 0;
}

struct users test_users_table(struct test_users *u) { return (struct users){ u, by_name, by_auth, by_alias }; }
