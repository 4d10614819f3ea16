/* cli/serve_run.c - the running server: what is done once, or for all workers: signals, contacts on
 * disk, what is printed, opening and closing
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
enum { SNAPSHOT_BYTES = 1 << 20 };

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

/* Worker 0 has all contacts and one journal of them, whoever is their owner. */
void serve_bound(void *ctx, slice key, const struct bindings_aor *aor, bool times_only)
{
    struct serve_worker *w = ctx;
    struct serving *s = w->serving;

    (void)times_only;
    serve_worker_tell(w, key, aor);
    if (w->number || !s->journal)
        return;
    out_clear(&s->record);
    bindings_write(key, aor, &s->record);
    if (!s->record.error)
        (void)journal_append(s->journal, out_taken(&s->record));      /* what is lost is counted there */
}

static bool hop_still_works(void *ctx, struct hop *hop)
{
    struct serve_worker *w = ctx;

    hop->local = (struct address){ .family = 0 };         /* listeners may be others now */
    return net_choose(w->net, hop) == 0;
}

static bool on_replay(void *ctx, slice record)
{
    struct serving *s = ctx;
    bool restored = true;

    for (unsigned i = 0; i < s->steer.count; i++) {
        struct serve_worker *w = &s->workers[i];

        restored &= bindings_restore(worker_bindings(w->worker), record, hop_still_works, w, loop_now_ns(w->loop)) == 0;
    }
    return restored;
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
        bindings_walk_begin(worker_bindings(s->workers[0].worker), &s->walk);
        s->walking = true;
    }
    if (s->walking && journal_snapshot_some(s->journal, now_ns, next_record, s, SNAPSHOT_BYTES) != 1) {
        bindings_walk_end(&s->walk);
        s->walking = false;
    }
}

/* ---- what is observed, by any worker ---- */

void serve_lost(struct serving *s, const struct hop *hop, int error, int64_t now_ns)
{
    struct lock lock = serve_lock(s, SERVE_WATCH);

    if (!s->live)
        return;
    lock_take(&lock);
    serve_live_lost(s->live, hop, error, now_ns);
    lock_give(&lock);
}

/* Each worker has the time of its own round; what is told is in the order in which it is told. */
void serve_observed(void *ctx, const struct hop *hop, bool sent, slice bytes, int64_t now_ns)
{
    struct serving *s = ctx;
    struct lock lock = serve_lock(s, SERVE_WATCH);

    lock_take(&lock);
    if (now_ns > s->watched_ns)
        s->watched_ns = now_ns;
    if (s->pcap)
        serve_pcap_message(s->pcap, hop, sent, bytes, s->watched_ns);
    if (s->live)
        serve_live_message(s->live, hop, sent, bytes, s->watched_ns);
    lock_give(&lock);
}

void serve_joined(void *ctx, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further)
{
    struct serving *s = ctx;
    struct lock lock = serve_lock(s, SERVE_WATCH);

    if (!s->live)
        return;
    lock_take(&lock);
    serve_live_joined(s->live, first, further);
    lock_give(&lock);
}

/* ---- what worker 0 does for all ---- */

static void bans_tick(struct serving *s, int64_t now_ns)
{
    int error = serve_bans_tick(s->bans, worker_guard(s->workers[0].worker), now_ns);

    if (error)
        (void)cli_say_error(s->cli, CLI_MACHINE, TEXT_USER_ERROR_STORE, WORDS_TEXT("file", slice_of_string(serve_bans_path(s->bans))),
                            WORDS_TEXT("why", cli_why(s->cli, -error)));
}

void serve_house(struct serving *s, int64_t now_ns)
{
    struct lock lock = serve_lock(s, SERVE_WATCH);

    journal_tick(s, now_ns);
    bans_tick(s, now_ns);
    lock_take(&lock);
    if (now_ns > s->watched_ns)
        s->watched_ns = now_ns;
    if (s->live)
        serve_live_time(s->live, s->watched_ns);
    if (s->pcap)
        serve_pcap_time(s->pcap, s->watched_ns);
    lock_give(&lock);
}

/* Calls that are up end by themselves while it drains; asked to end, they are hung up. */
static void leave(struct serving *s)
{
    if (!s->leaving)
        gateways_leave_all(worker_gateways(s->workers[0].worker));        /* who registers for all */
    if (!s->leaving || (ends_asked && !atomic_load(&s->hanging_up))) {
        atomic_store(&s->draining, true);
        atomic_store(&s->hanging_up, ends_asked > 0);
        serve_crew_wake(s);
    }
    s->leaving = true;
    if (ends_asked > 1 || serve_crew_is_empty(s))
        serve_crew_stop(s);
}

void serve_obey(struct serving *s)
{
    while (reloads_asked > 0 && !s->leaving) {
        reloads_asked = 0;                                /* one that comes from now on may mean a newer file */
        serve_reload(s);
    }
    while (s->drains_obeyed != drains_asked && !s->leaving) {
        s->drains_obeyed++;
        serve_drain(s, !atomic_load(&s->draining));
    }
    if (ends_asked || serve_is_drained(s))
        leave(s);
}

/* ---- opening ---- */

static int open_crew(struct serving *s)
{
    const size_t secrets = sizeof s->steer.seed, key = sizeof s->key;
    struct serve_passwords *passwords;
    int code = -1;

    if (getrandom(&s->steer.seed, secrets, 0) != (ssize_t)secrets || getrandom(&s->key, key, 0) != (ssize_t)key)
        return cli_say_error(s->cli, CLI_MACHINE, TEXT_SERVE_ERROR_RANDOM, WORDS_TEXT("why", cli_why(s->cli, errno)));
    s->bans = serve_bans_new(s->config->server.state.ptr);
    if (!s->bans || !serve_crew_init(s, s->config->server.workers))
        return cli_no_memory(s->cli);
    for (unsigned i = 0; code < 0 && i < s->steer.count; i++)
        code = serve_worker_open(s, i);
    if (code < 0)
        code = serve_passwords_read(s, s->config, &passwords);
    return code < 0 ? serve_passwords_give(s, passwords) : code;
}

static int open_journal(struct serving *s)
{
    char path[PATH_MAX];
    struct journal_settings settings = { .path = path, .ctx = s, .replay = on_replay, .sync_ns = SECOND_NS };
    int len = snprintf(path, sizeof path, "%s/bindings", s->config->server.state.ptr);
    int error = len > 0 && (size_t)len < sizeof path ? journal_open(&settings, &s->journal) : -ENAMETOOLONG;

    if (error)
        return cli_say_error(s->cli, CLI_MACHINE, error == -EBUSY ? TEXT_SERVE_ERROR_SECOND : TEXT_USER_ERROR_STORE,
                             WORDS_TEXT("file", slice_of_string(path)), WORDS_TEXT("why", cli_why(s->cli, -error)));
    return -1;
}

static void say_where(struct serving *s)
{
    static const char *const transports[CONFIG_TRANSPORTS] = { [CONFIG_UDP] = "UDP", [CONFIG_TCP] = "TCP", [CONFIG_TLS] = "TLS",
                                                               [CONFIG_WS] = "WS", [CONFIG_WSS] = "WSS" };

    if (s->wish->json)
        return;
    for (size_t i = 0; i < s->config->listen_count; i++) {
        const struct address *address = net_listener_address(s->workers[0].net, i);
        char text[ADDRESS_TEXT_MAX] = "";

        if (address)
            address_format(address, text);
        words_say(&s->cli->out, s->cli->words, TEXT_SERVE_LISTENS,
                  WORDS_TEXT("transport", slice_of_string(transports[s->config->listens[i].transport])),
                  WORDS_TEXT("address", slice_of_string(text)));
        out_char(&s->cli->out, '\n');
    }
    words_say_plural(&s->cli->out, s->cli->words, TEXT_SERVE_CONTACTS,
                     WORDS_NUMBER("count", bindings_count(worker_bindings(s->workers[0].worker))));
    out_char(&s->cli->out, '\n');
    (void)out_flush(&s->cli->out);
}

static int open_pcap(struct serving *s) { return serve_pcap_open(s->cli, s->wish, s->config, &s->pcap); }

static int open_all(struct serving *s)
{
    int (*const steps[])(struct serving *s) = { open_pcap, open_crew, open_journal };
    int code = -1;

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
    serve_crew_done(s);
    serve_bans_free(s->bans);
    plan_free(s->plan);
    config_free(s->later);
    out_done(&s->record);
}

static int serve(struct serving *s)
{
    int error = serve_crew_start(s);

    if (!error) {
        signal_loop = s->workers[0].loop;
        say_where(s);
        error = loop_run(s->workers[0].loop);
        signal_loop = NULL;
    }
    serve_crew_stop(s);
    serve_crew_join(s);
    return error ? cli_say_error(s->cli, CLI_MACHINE, TEXT_SERVE_ERROR_LISTEN, WORDS_TEXT("address", SLICE("epoll")),
                                 WORDS_TEXT("why", cli_why(s->cli, -error))) : CLI_DONE;
}

int serve_run(struct cli *cli, const struct serve_wish *wish, const struct config *config)
{
    struct serving *s = calloc(1, sizeof *s);
    int code;

    if (!s)
        return cli_no_memory(cli);
    *s = (struct serving){ .cli = cli, .wish = wish, .first = config, .config = config };
    catch_signals();
    out_init_memory(&s->record, JOURNAL_RECORD_MAX);
    s->plan = plan_new(config);
    if (wish->live)
        s->live = serve_live_new(cli, wish->json);
    code = s->plan && (s->live || !wish->live) ? open_all(s) : cli_no_memory(cli);
    if (code < 0)
        code = serve(s);
    code = serve_pcap_close(s->pcap, code);
    close_all(s);
    free(s);
    return code;
}
