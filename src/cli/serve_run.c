/* cli/serve_run.c - the running server: sockets, users, bindings on disk, one worker, the loop
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/serve_int.h"

#define SECOND_NS INT64_C(1000000000)
#define TICK_NS (SECOND_NS / 5)                            /* journal, users, what is printed */
enum { BUSY_MS = 5000, SNAPSHOT_BYTES = 1 << 20 };

/* ---- signals ---- */

/* How often each of them came. The first SIGINT or SIGTERM asks calls to end, the second ends at once. */
static volatile sig_atomic_t ends_asked, reloads_asked, drains_asked;
static struct loop *signal_loop;

static void on_signal(int number)
{
    volatile sig_atomic_t *asked = number == SIGHUP ? &reloads_asked : number == SIGUSR1 ? &drains_asked : &ends_asked;

    (*asked)++;
    if (signal_loop)
        loop_wake(signal_loop);
}

static void catch_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
    struct sigaction action = { .sa_handler = on_signal };

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        (void)sigaction(numbers[i], &action, NULL);
}

/* ---- bindings on disk ---- */

static void on_aor(void *ctx, slice key, const struct bindings_aor *aor, bool times_only)
{
    struct serving *s = ctx;

    (void)times_only;
    out_clear(&s->record);
    bindings_write(key, aor, &s->record);
    if (!s->record.error)
        (void)journal_append(s->journal, out_taken(&s->record));      /* what is lost is counted there */
}

static bool hop_still_works(void *ctx, struct hop *hop)
{
    struct serving *s = ctx;

    hop->local = (struct address){ .family = 0 };         /* listeners may be others now */
    return net_choose(s->net, hop) == 0;
}

static bool on_replay(void *ctx, slice record)
{
    struct serving *s = ctx;

    return bindings_restore(worker_bindings(s->worker), record, hop_still_works, s, loop_now_ns(s->loop)) == 0;
}

static slice next_record(void *ctx)
{
    struct serving *s = ctx;
    const struct bindings_aor *aor = bindings_walk_next(&s->walk);

    if (!aor)
        return (slice){ NULL, 0 };
    out_clear(&s->record);
    bindings_write(bindings_aor_key(aor), aor, &s->record);
    return out_taken(&s->record);
}

static void journal_tick(struct serving *s, int64_t now_ns)
{
    (void)journal_flush(s->journal, now_ns);
    if (!s->walking && journal_wants_snapshot(s->journal, now_ns) && journal_snapshot_begin(s->journal, now_ns) == 0) {
        bindings_walk_begin(worker_bindings(s->worker), &s->walk);
        s->walking = true;
    }
    if (s->walking && journal_snapshot_some(s->journal, now_ns, next_record, s, SNAPSHOT_BYTES) != 1) {
        bindings_walk_end(&s->walk);
        s->walking = false;
    }
}

/* ---- the loop ---- */

static void on_message(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    struct serving *s = ctx;

    worker_waited(s->worker, net_counts(s->net).udp.waited_ns);
    worker_receive(s->worker, from, bytes, now_ns);
}

static void on_lost(void *ctx, const struct hop *hop, int error, slice why)
{
    struct serving *s = ctx;

    (void)why;
    if (s->live)
        serve_live_lost(s->live, hop, error, loop_now_ns(s->loop));
    worker_lost(s->worker, hop, loop_now_ns(s->loop));
}

static void on_media(void *ctx, const void *relay, slice bytes, int64_t now_ns)
{
    worker_media(((struct serving *)ctx)->worker, relay, bytes, now_ns);
}

static void on_media_lost(void *ctx, const void *relay, int64_t now_ns)
{
    worker_media_lost(((struct serving *)ctx)->worker, relay, now_ns);
}

static void on_observed(void *ctx, const struct hop *hop, bool sent, slice bytes, int64_t now_ns)
{
    struct serving *s = ctx;

    if (s->pcap)
        serve_pcap_message(s->pcap, hop, sent, bytes, now_ns);
    if (s->live)
        serve_live_message(s->live, hop, sent, bytes, now_ns);
}

static void bans_tick(struct serving *s, int64_t now_ns)
{
    int error = serve_bans_tick(s->bans, worker_guard(s->worker), now_ns);

    if (error)
        (void)cli_say_error(s->cli, CLI_MACHINE, TEXT_USER_ERROR_STORE, WORDS_TEXT("file", slice_of_string(serve_bans_path(s->bans))),
                            WORDS_TEXT("why", cli_why(s->cli, -error)));
}

static void on_joined(void *ctx, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further)
{
    struct serving *s = ctx;

    if (s->live)
        serve_live_joined(s->live, first, further);
}

/* Calls that are up end by themselves while it drains; asked to end, they are hung up. */
static void leave(struct serving *s)
{
    static const slice reason = SLICE_INIT("SIP;cause=503;text=\"Server is being stopped\"");

    worker_drain(s->worker, true);
    if (!s->leaving)
        gateways_leave_all(worker_gateways(s->worker));
    s->leaving = true;
    if (ends_asked)
        worker_hang_up_all(s->worker, reason);
    if (ends_asked > 1 || worker_calls(s->worker)->live == 0)
        loop_stop(s->loop);
}

static void obey_signals(struct serving *s)
{
    while (reloads_asked > 0 && !s->leaving) {
        reloads_asked = 0;                                /* one that comes from now on may mean a newer file */
        serve_reload(s);
    }
    while (s->drains_obeyed != drains_asked && !s->leaving) {
        s->drains_obeyed++;
        serve_drain(s, !s->draining);
    }
    if (ends_asked || serve_is_drained(s))
        leave(s);
}

static int64_t on_turn(void *ctx, int64_t now_ns)
{
    struct serving *s = ctx;

    worker_time(s->worker, now_ns);
    obey_signals(s);
    if (now_ns >= s->tick_ns) {
        users_db_tick(s->users_db, now_ns);
        journal_tick(s, now_ns);
        bans_tick(s, now_ns);
        if (s->live)
            serve_live_time(s->live, now_ns);
        if (s->pcap)
            serve_pcap_time(s->pcap, now_ns);
        s->tick_ns = now_ns + TICK_NS;
    }
    int64_t next_ns = worker_next_ns(s->worker), names_ns = serve_names_turn(s->names, worker_gateways(s->worker), s->relays, now_ns);

    next_ns = names_ns < next_ns ? names_ns : next_ns;
    return next_ns < s->tick_ns ? next_ns : s->tick_ns;
}

/* ---- opening ---- */

static int open_net(struct serving *s)
{
    struct net_settings settings;
    struct net_handlers handlers = { .ctx = s, .message = on_message, .lost = on_lost };
    struct net_fault fault = { .error = ENOMEM, .listener = SIZE_MAX };
    int error = serve_net_settings(s->config, &settings) ? net_open(&s->net, s->loop, &settings, &handlers, &fault) : -ENOMEM;

    free((void *)(uintptr_t)settings.listeners);
    return error ? serve_say_fault(s, s->config, &fault) : -1;
}

/* The folder of the state is made when it is not there. */
static int open_users(struct serving *s)
{
    struct users_db_settings settings = { .path = s->config->server.users.ptr, .create = true, .busy_ms = BUSY_MS };
    int error;

    (void)mkdir(s->config->server.state.ptr, 0700);       /* opening tells what is wrong */
    error = users_db_open(&settings, &s->users_db);
    if (error)
        return cli_say_error(s->cli, CLI_MACHINE, TEXT_USER_ERROR_STORE, WORDS_TEXT("file", s->config->server.users),
                             WORDS_TEXT("why", cli_why(s->cli, -error)));
    s->users = users_db_source(s->users_db);
    return -1;
}

static int open_worker(struct serving *s)
{
    struct worker_settings settings = { .plan = s->plan, .users = &s->users, .gateways_locate = serve_names_locate,
                                        .observer = { s, on_observed, on_joined } };
    struct hop_sender sender = net_sender(s->net);
    struct serve_passwords *passwords;
    int code;

    if (getrandom(&settings.seed, sizeof settings.seed, 0) != (ssize_t)sizeof settings.seed ||
        getrandom(&settings.key, sizeof settings.key, 0) != (ssize_t)sizeof settings.key)
        return cli_say_error(s->cli, CLI_MACHINE, TEXT_SERVE_ERROR_RANDOM, WORDS_TEXT("why", cli_why(s->cli, errno)));
    s->names = serve_names_new(s->loop, s->config);
    s->relays = serve_relays_new(s->loop, &(struct serve_relays_user){ s, on_media, on_media_lost, s->names, serve_names_locate_relay });
    s->bans = serve_bans_new(s->config->server.state.ptr);
    settings.gateways_ctx = s->names;
    if (s->names && s->relays)
        settings.media = serve_relays_sender(s->relays, s->config);
    s->worker = s->names && s->relays && s->bans ? worker_new(&settings, &sender, loop_now_ns(s->loop)) : NULL;
    if (!s->worker)
        return cli_no_memory(s->cli);
    code = serve_passwords_read(s, s->config, &passwords);
    return code < 0 ? serve_passwords_give(s, passwords) : code;
}

static int open_journal(struct serving *s)
{
    char path[PATH_MAX];
    struct journal_settings settings = { .path = path, .ctx = s, .replay = on_replay, .sync_ns = SECOND_NS };
    struct bindings_observer observer = { .ctx = s, .aor = on_aor };
    int len = snprintf(path, sizeof path, "%s/bindings", s->config->server.state.ptr);
    int error = len > 0 && (size_t)len < sizeof path ? journal_open(&settings, &s->journal) : -ENAMETOOLONG;

    if (error)
        return cli_say_error(s->cli, CLI_MACHINE, error == -EBUSY ? TEXT_SERVE_ERROR_SECOND : TEXT_USER_ERROR_STORE,
                             WORDS_TEXT("file", slice_of_string(path)), WORDS_TEXT("why", cli_why(s->cli, -error)));
    (void)bindings_observe(worker_bindings(s->worker), &observer);
    return -1;
}

static void say_where(struct serving *s)
{
    static const char *const transports[CONFIG_TRANSPORTS] = { [CONFIG_UDP] = "UDP", [CONFIG_TCP] = "TCP", [CONFIG_TLS] = "TLS",
                                                               [CONFIG_WS] = "WS", [CONFIG_WSS] = "WSS" };

    if (s->wish->json)
        return;
    for (size_t i = 0; i < s->config->listen_count; i++) {
        const struct address *address = net_listener_address(s->net, i);
        char text[ADDRESS_TEXT_MAX] = "";

        if (address)
            address_format(address, text);
        words_say(&s->cli->out, s->cli->words, TEXT_SERVE_LISTENS,
                  WORDS_TEXT("transport", slice_of_string(transports[s->config->listens[i].transport])),
                  WORDS_TEXT("address", slice_of_string(text)));
        out_char(&s->cli->out, '\n');
    }
    words_say_plural(&s->cli->out, s->cli->words, TEXT_SERVE_CONTACTS,
                     WORDS_NUMBER("count", bindings_count(worker_bindings(s->worker))));
    out_char(&s->cli->out, '\n');
    (void)out_flush(&s->cli->out);
}

static int open_pcap(struct serving *s) { return serve_pcap_open(s->cli, s->wish, s->config, &s->pcap); }

static int open_all(struct serving *s)
{
    int (*const steps[])(struct serving *s) = { open_pcap, open_users, open_net, open_worker, open_journal };
    int error = loop_open(&s->loop), code = -1;

    if (error)
        return cli_say_error(s->cli, CLI_MACHINE, TEXT_SERVE_ERROR_LISTEN, WORDS_TEXT("address", SLICE("epoll")),
                             WORDS_TEXT("why", cli_why(s->cli, -error)));
    for (size_t i = 0; code < 0 && i < ARRAY_LEN(steps); i++)
        code = steps[i](s);
    return code;
}

static void close_all(struct serving *s)
{
    s->live = serve_live_free(s->live);
    if (s->walking)
        bindings_walk_end(&s->walk);
    journal_close(s->journal);
    worker_free(s->worker);
    serve_relays_free(s->relays);
    serve_names_free(s->names);
    serve_bans_free(s->bans);
    net_free(s->net);
    loop_free(s->loop);
    users_db_close(s->users_db);
    plan_free(s->plan);
    config_free(s->later);
    out_done(&s->record);
}

int serve_run(struct cli *cli, const struct serve_wish *wish, const struct config *config)
{
    struct serving s = { .cli = cli, .wish = wish, .first = config, .config = config };
    int code, error;

    catch_signals();
    out_init_memory(&s.record, JOURNAL_RECORD_MAX);
    s.plan = plan_new(config);
    if (wish->live)
        s.live = serve_live_new(cli, wish->json);
    code = s.plan && (s.live || !wish->live)
               ? open_all(&s) : cli_say_error(cli, CLI_MACHINE, TEXT_READ_ERROR_NO_MEMORY, WORDS_NUMBER("count", 0));
    if (code < 0) {
        s.turn = (struct loop_turn){ .turn = on_turn, .ctx = &s };
        loop_add_turn(s.loop, &s.turn, LOOP_WORK);
        signal_loop = s.loop;
        say_where(&s);
        error = loop_run(s.loop);
        signal_loop = NULL;
        loop_remove_turn(&s.turn);
        code = error ? cli_say_error(cli, CLI_MACHINE, TEXT_SERVE_ERROR_LISTEN, WORDS_TEXT("address", SLICE("epoll")),
                                     WORDS_TEXT("why", cli_why(cli, -error)))
                     : CLI_DONE;
    }
    code = serve_pcap_close(s.pcap, code);
    close_all(&s);
    return code;
}
