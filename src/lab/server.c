/* lab/server.c - see server.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/server.h"

#include <stdio.h>
#include <stdlib.h>

struct lab_server {
    struct user    user[LAB_USERS];
    struct users   users;
    struct config *config;
    struct plan   *plan;
    struct worker *worker;
};

/* ---- users ---- */

slice lab_user_name(unsigned i)
{
    static const slice names[LAB_USERS] = { SLICE_INIT("alice"), SLICE_INIT("bob"), SLICE_INIT("carol") };

    return i < LAB_USERS ? names[i] : (slice){ 0 };
}

static enum users_result find(void *ctx, slice name, slice domain, struct user *ret)
{
    struct lab_server *s = ctx;

    for (size_t i = 0; i < LAB_USERS; i++)
        if (slice_eq(s->user[i].name, name) && slice_eq_nocase(s->user[i].domain, domain)) {
            *ret = s->user[i];
            return USERS_FOUND;
        }
    return USERS_NONE;
}

static size_t no_alias(void *ctx, slice alias, slice domain, slice *ret_names, size_t room)
{
    (void)ctx, (void)alias, (void)domain, (void)ret_names, (void)room;
    return 0;
}

static bool users_begin(struct lab_server *s, const struct lab_wishes *wishes)
{
    struct digest *d = digest_new();

    if (!d)
        return false;
    for (unsigned i = 0; i < LAB_USERS; i++) {
        struct user *u = &s->user[i];

        *u = (struct user){ .name = lab_user_name(i), .domain = SLICE(LAB_DOMAIN), .auth_name = lab_user_name(i) };
        for (int k = 0; k < DIGEST_ALGORITHMS; k++) {
            u->has_ha1[k] = true;
            digest_ha1(d, (enum digest_algorithm)k, u->auth_name, u->domain, SLICE(LAB_PASSWORD), &u->ha1[k]);
        }
    }
    digest_free(d);
    struct user *bob = &s->user[1];

    bob->flags = wishes->flags;
    bob->no_answer_s = wishes->no_answer_s;
    bob->calls_max = wishes->calls_max;
    for (int k = 0; k < USER_FORWARDS; k++)
        bob->forward[k] = slice_of_string(wishes->forward[k] ? wishes->forward[k] : "");
    s->users = (struct users){ s, find, find, no_alias };
    return true;
}

/* ---- configuration ---- */

static bool config_begin(struct lab_server *s, const struct lab_server_settings *settings)
{
    struct config_report report = { 0 };
    char text[512], ip[ADDRESS_TEXT_MAX];
    int len;

    address_format_ip(&settings->address, ip);
    len = snprintf(text, sizeof text,
                   "[server]\ndomains = " LAB_DOMAIN "\nname = Signalbox\n"
                   "[listen lab]\ntransport = %s\naddress = %s\nport = %u\n"
                   "[registrar]\nalgorithms = SHA-256, MD5\n",
                   settings->is_tcp ? "tcp" : "udp", ip, (unsigned)settings->address.port);
    bool fine = len > 0 && (size_t)len < sizeof text && config_read(slice_of(text, (size_t)len), &s->config, &report) == 0;

    config_report_done(&report);
    return fine;
}

struct lab_server *lab_server_new(const struct lab_server_settings *settings, const struct hop_sender *sender, int64_t now_ns)
{
    struct lab_server *s = calloc(1, sizeof *s);

    if (!s || !users_begin(s, &settings->wishes) || !config_begin(s, settings) || !(s->plan = plan_new(s->config)))
        return lab_server_free(s);
    struct worker_settings ws = { .plan = s->plan, .users = &s->users, .seed = settings->seed, .key = settings->key,
                                  .observer = settings->observer };

    s->worker = worker_new(&ws, sender, now_ns);
    return s->worker ? s : lab_server_free(s);
}

struct lab_server *lab_server_free(struct lab_server *s)
{
    if (!s)
        return NULL;
    worker_free(s->worker);
    plan_free(s->plan);
    config_free(s->config);
    free(s);
    return NULL;
}

struct worker *lab_server_worker(struct lab_server *s) { return s->worker; }
