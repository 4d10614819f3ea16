/* cli/serve_reload.c - another configuration for the running server, and letting calls run out
 * SPDX-License-Identifier: Apache-2.0
 *
 * All of a new configuration, or nothing: what can fail (the file, the passwords, certificates and
 * ports, the switch) is done first, and changes nothing until the last of it has worked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/serve_int.h"

enum { PASSWORD_MAX = 1024 };

/* ---- the network ---- */

static const char *or_null(slice path) { return path.len ? path.ptr : NULL; }      /* texts of a configuration end in NUL */

bool serve_net_settings(const struct serve_worker *w, const struct config *c, struct net_settings *ret)
{
    struct net_listener *listeners = calloc(c->listen_count + 1, sizeof *listeners);

    *ret = (struct net_settings){ .listeners = listeners, .listener_count = c->listen_count,
                                  .limits = { .per_source_max = c->security.connections_max, .sources = w->serving->sources },
                                  .worker = w->number, .shared = w->serving->steer.count > 1 };
    for (size_t i = 0; listeners && i < c->listen_count; i++)
        listeners[i] = (struct net_listener){
            .transport = config_wire((enum config_transport)c->listens[i].transport), .address = c->listens[i].address,
            .tls = { .certificate = or_null(c->listens[i].certificate), .key = or_null(c->listens[i].key),
                     .ca_file = or_null(c->listens[i].client_ca), .verify_client = c->listens[i].client_ca.len != 0 },
        };
    return listeners != NULL;
}

static slice why_not(const struct cli *cli, const struct net_fault *fault)
{
    switch (fault->error) {
    case 0:             return slice_of_string(fault->why ? fault->why : "");
    case EADDRINUSE:    return words_text(cli->words, TEXT_SERVE_WHY_PORT);
    case EADDRNOTAVAIL: return words_text(cli->words, TEXT_SERVE_WHY_ADDRESS);
    default:            return cli_why(cli, fault->error);
    }
}

int serve_say_fault(const struct serving *s, const struct config *config, const struct net_fault *fault)
{
    char address[ADDRESS_TEXT_MAX] = "";
    slice why = why_not(s->cli, fault);

    if (fault->listener < config->listen_count)
        address_format(&config->listens[fault->listener].address, address);
    return cli_say_error(s->cli, CLI_MACHINE,
                         fault->what == NET_FAULT_CERTIFICATE || fault->what == NET_FAULT_KEY ||
                                 fault->what == NET_FAULT_KEY_MATCH || fault->what == NET_FAULT_CA
                             ? TEXT_SERVE_ERROR_TLS : TEXT_SERVE_ERROR_LISTEN,
                         WORDS_TEXT("address", slice_of_string(address)), WORDS_TEXT("why", why));
}

/* ---- passwords of gateways ---- */

struct serve_passwords {
    size_t count;
    struct { char text[PASSWORD_MAX]; size_t len; } of[];  /* by place; len 0: none */
};

static void forget(struct serve_passwords *p)
{
    explicit_bzero(p->of, p->count * sizeof p->of[0]);
    free(p);
}

static int read_password(const struct cli *cli, const char *path, char text[PASSWORD_MAX], size_t *ret_len)
{
    FILE *file = fopen(path, "re");

    if (!file)
        return cli_say_error(cli, CLI_INPUT, TEXT_SERVE_ERROR_FILE, WORDS_TEXT("file", slice_of_string(path)),
                             WORDS_TEXT("what", cli_why(cli, errno)));
    setbuf(file, NULL);                                   /* no second copy of it */
    *ret_len = fread(text, 1, PASSWORD_MAX, file);
    (void)fclose(file);
    return -1;
}

int serve_passwords_read(const struct serving *s, const struct config *config, struct serve_passwords **ret)
{
    struct serve_passwords *p = calloc(1, sizeof *p + config->gateway_count * sizeof p->of[0]);
    int code = -1;

    if (!p)
        return cli_no_memory(s->cli);
    p->count = config->gateway_count;
    for (size_t i = 0; code < 0 && i < p->count; i++)
        if (config->gateways[i].password_file.len)
            code = read_password(s->cli, config->gateways[i].password_file.ptr, p->of[i].text, &p->of[i].len);
    if (code < 0)
        *ret = p;
    else
        forget(p);
    return code;
}

static int give(const struct config *config, const struct serve_passwords *p, struct gateways *g)
{
    int error = 0;

    for (size_t i = 0; !error && i < p->count; i++)
        if (config->gateways[i].password_file.len)
            error = gateways_set_password(g, gateways_number(g, i), slice_of(p->of[i].text, p->of[i].len));
    return error;
}

int serve_passwords_give(struct serving *s, struct serve_passwords *p)
{
    int error = 0;

    for (unsigned i = 0; !error && i < s->steer.count; i++)
        error = give(s->config, p, worker_gateways(s->workers[i].worker));
    forget(p);
    return error ? cli_no_memory(s->cli) : -1;
}

/* ---- reload ---- */

static slice file_of(const struct serving *s) { return slice_of_string(s->wish->config ? s->wish->config : ""); }

static void say_reloaded(const struct serving *s)
{
    slice settings[CONFIG_RESTARTS_MAX];
    size_t count = config_needs_restart(s->first, s->config, settings, ARRAY_LEN(settings));
    struct out list;

    if (!count) {
        (void)cli_say_error(s->cli, CLI_DONE, TEXT_SERVE_RELOADED, WORDS_TEXT("file", file_of(s)));
        return;
    }
    out_init_memory(&list, 1024);
    for (size_t i = 0; i < count; i++) {
        out_text(&list, i ? SLICE(", ") : SLICE(""));
        out_text(&list, settings[i]);
    }
    (void)cli_say_error(s->cli, CLI_DONE, TEXT_SERVE_RELOADED_BUT, WORDS_TEXT("file", file_of(s)),
                        WORDS_TEXT("settings", out_taken(&list)));
    out_done(&list);
}

/* A new configuration on its way. */
struct fresh {
    struct config          *config;
    struct plan            *plan;
    struct serve_passwords *passwords;
    struct net_change      *changes[STEER_WORKERS_MAX];
    bool                    is_kept;
};

static int prepare_net(const struct serve_worker *w, struct fresh *f)
{
    struct net_fault fault = { .error = ENOMEM, .listener = SIZE_MAX };
    struct net_settings settings;
    int error = serve_net_settings(w, f->config, &settings)
                    ? net_prepare(w->net, &settings, &f->changes[w->number], &fault) : -ENOMEM;

    free((void *)(uintptr_t)settings.listeners);
    return error ? serve_say_fault(w->serving, f->config, &fault) : -1;
}

static int prepare_nets(const struct serving *s, struct fresh *f)
{
    int code = -1;

    for (unsigned i = 0; code < 0 && i < s->steer.count; i++)
        code = prepare_net(&s->workers[i], f);
    return code;
}

static int set_worker(struct serve_worker *w, const struct config *config, const struct plan *plan)
{
    struct media_sender media = serve_relays_sender(w->relays, config);

    return worker_set(w->worker, plan, &media, loop_now_ns(w->loop));
}

/* All of them or none: those before one that cannot go back. They have just left the old configuration,
 * and hardly fail at it; if one does all the same, it goes by the new plan, which is never freed then. */
static int set_workers(struct serving *s, struct fresh *f)
{
    unsigned i = 0;
    int error = 0;

    for (; !error && i < s->steer.count; i++)
        error = set_worker(&s->workers[i], f->config, f->plan);
    for (unsigned k = 0; error && k + 1 < i; k++)
        f->is_kept |= set_worker(&s->workers[k], s->config, s->plan) != 0;
    return error;
}

static int say_not_set(const struct serving *s, int error)
{
    if (error == -ENOMEM)
        return cli_no_memory(s->cli);
    return cli_say_error(s->cli, CLI_MACHINE, TEXT_SERVE_ERROR_FILE, WORDS_TEXT("file", file_of(s)),
                         WORDS_TEXT("what", words_text(s->cli->words, TEXT_SERVE_WHY_GATEWAYS)));
}

static int take_over(struct serving *s, struct fresh *f)
{
    int error, code = serve_read_config(s->cli, s->wish->config, &f->config);

    if (code >= 0)
        return code;
    f->plan = plan_new(f->config);
    if (!f->plan)
        return cli_no_memory(s->cli);
    if ((code = serve_passwords_read(s, f->config, &f->passwords)) >= 0 || (code = prepare_nets(s, f)) >= 0)
        return code;
    error = set_workers(s, f);
    return error ? say_not_set(s, error) : -1;
}

static void swap(struct serving *s, struct fresh *f)
{
    struct config *old = s->later;
    struct plan *old_plan = s->plan;

    for (unsigned i = 0; i < s->steer.count; i++)
        net_commit(s->workers[i].net, f->changes[i]);
    s->config = s->later = f->config;
    s->plan = f->plan;
    plan_free(old_plan);
    config_free(old);
    for (unsigned i = 0; i < s->steer.count; i++)
        serve_names_set(s->workers[i].names, s->config);
    (void)serve_passwords_give(s, f->passwords);
}

static void give_up(struct serving *s, struct fresh *f)
{
    for (unsigned i = 0; i < s->steer.count; i++)
        (void)net_cancel(s->workers[i].net, f->changes[i]);
    if (f->passwords)
        forget(f->passwords);
    if (!f->is_kept) {
        plan_free(f->plan);
        config_free(f->config);
    }
    (void)cli_say_error(s->cli, CLI_INPUT, TEXT_SERVE_RELOAD_REFUSED, WORDS_TEXT("file", file_of(s)));
}

void serve_reload(struct serving *s)
{
    struct fresh f = { .config = NULL };

    serve_crew_pause(s);
    (void)out_flush(&s->cli->out);
    if (take_over(s, &f) < 0) {
        swap(s, &f);
        say_reloaded(s);
    } else {
        give_up(s, &f);
    }
    serve_crew_resume(s);
}

/* ---- letting calls run out ---- */

void serve_drain(struct serving *s, bool on)
{
    uint64_t live;

    serve_crew_pause(s);
    (void)out_flush(&s->cli->out);
    atomic_store(&s->draining, on);
    for (unsigned i = 0; i < s->steer.count; i++)
        serve_worker_obey(&s->workers[i]);
    live = serve_crew_calls(s);
    serve_crew_resume(s);
    if (!on)
        (void)cli_say_error(s->cli, CLI_DONE, TEXT_SERVE_DRAIN_OVER);
    else if (live)
        (void)cli_say_error(s->cli, CLI_DONE, TEXT_SERVE_DRAINING, WORDS_NUMBER("count", live));
}

bool serve_is_drained(struct serving *s)
{
    if (!atomic_load(&s->draining) || !serve_crew_is_empty(s))
        return false;
    if (!s->leaving)
        (void)cli_say_error(s->cli, CLI_DONE, TEXT_SERVE_DRAINED);
    return true;
}
