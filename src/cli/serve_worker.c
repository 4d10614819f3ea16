/* cli/serve_worker.c - one worker: its sockets, its part of the switch, and its letters to the others
 * SPDX-License-Identifier: Apache-2.0
 *
 * All workers listen on the same addresses (SO_REUSEPORT); the kernel delivers a message to any
 * of them, or to the one that has its connection. steer.h says whose it is. When it is another's,
 * it goes there as a letter, with its hop; what that worker sends over a connection that it does
 * not have goes back as a letter. UDP leaves by the own socket, which has the same address.
 *
 * Contacts: the owner of an address-of-record changes its own table and tells the others what it
 * says then; they all have all contacts, so that a call is routed without asking. It tells before
 * the answer leaves, and whoever gets a message reads its letters first: whoever has heard that it
 * is registered can be called through every worker. Expiry needs no letter; a lost connection is
 * told to all. REGISTER waits (is dropped, and comes again) while another worker is far behind
 * with its letters, so that none of these is refused for want of room. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "cli/serve_int.h"
#include "switch/reach.h"

#define SECOND_NS INT64_C(1000000000)
#define TICK_NS (SECOND_NS / 5)                            /* journal, users, what is printed */
enum { BUSY_MS = 5000, TOLD_MAX = 256 * 1024, CONNECTION_WORKER_SHIFT = 48 };     /* the second of net/stream.c */

/* ---- letters ---- */

enum letter_kind {
    LETTER_MESSAGE,                  /* came by `hop` at time_ns: bytes. number: how many workers had it and passed it on */
    LETTER_SEND,                     /* bytes, by a connection of the reader's, or one that it makes */
    LETTER_LOST,                     /* `hop` */
    /* These must come: */
    LETTER_CONTACTS,                 /* of an address-of-record: a record of bindings_tell */
    LETTER_GATEWAY,                  /* of that name: number is enum gateway_life of `hop`, time_ns its Retry-After */
    LETTER_KINDS
};

static unsigned count_of(const struct serve_worker *w) { return w->serving->steer.count; }

static bool post(struct serve_worker *w, unsigned to, const struct letter *head, slice bytes)
{
    struct letter letter = *head;

    letter.from = w->number;
    return mailbox_post(w->serving->workers[to].mailbox, &letter, bytes, head->kind >= LETTER_CONTACTS);
}

static void post_others(struct serve_worker *w, const struct letter *head, slice bytes)
{
    for (unsigned i = 0; i < count_of(w); i++)
        if (i != w->number)
            (void)post(w, i, head, bytes);                /* what is refused is counted there */
}

static bool pass_message(struct serve_worker *w, unsigned to, const struct hop *from, int tried, slice bytes)
{
    return post(w, to, &(struct letter){ .kind = LETTER_MESSAGE, .hop = *from, .number = tried, .time_ns = w->came_ns }, bytes);
}

static bool somebody_is_behind(const struct serve_worker *w)
{
    for (unsigned i = 0; i < count_of(w); i++)
        if (mailbox_is_half_full(w->serving->workers[i].mailbox))
            return true;
    return false;
}

/* ---- what comes ---- */

static void lost(struct serve_worker *w, const struct hop *hop)
{
    struct hop unnamed = *hop;

    worker_lost(w->worker, hop, loop_now_ns(w->loop));
    if (!hop->connection || hop->connection >> CONNECTION_WORKER_SHIFT == w->number)
        return;
    unnamed.connection = 0;          /* who had another worker make the connection knows it by the far end only */
    worker_lost(w->worker, &unnamed, loop_now_ns(w->loop));
}

/* What it has waited for in the kernel and in our mailbox. Rounds of two workers begin at different times. */
static void receive(struct serve_worker *w, const struct hop *from, int64_t now_ns, slice bytes)
{
    worker_waited(w->worker, now_ns > w->came_ns ? now_ns - w->came_ns : 0);
    if (w->tried)
        worker_receive_passed(w->worker, from, bytes, now_ns);
    else
        worker_receive(w->worker, from, bytes, now_ns);
}

static int send_by(void *ctx, struct hop *to, slice bytes);

static void read_message(struct serve_worker *w, const struct letter *l)
{
    w->tried = (uint8_t)l->number;
    w->came_ns = l->time_ns;
    receive(w, &l->hop, loop_now_ns(w->loop), letter_bytes(l));
    w->tried = 0;
}

/* An answer or an ACK whose connection is gone: no transaction over there would send it once more. */
static bool goes_elsewhere(struct serve_worker *w, const struct hop *gone, slice bytes)
{
    struct hop to;
    bool found = slice_starts(bytes, SLICE("SIP/2.0 ")) ? reach_for_answer(gone, bytes, &to)
                 : slice_starts(bytes, SLICE("ACK "))   ? reach_for_request(gone, bytes, &to) : false;

    return found && send_by(w, &to, bytes) == 0;
}

static void read_send(struct serve_worker *w, const struct letter *l)
{
    struct hop hop = l->hop;
    int error = w->own_sender.send(w->own_sender.ctx, &hop, letter_bytes(l));

    if (error < 0 && !(error == -ENOTCONN && goes_elsewhere(w, &l->hop, letter_bytes(l))))
        (void)post(w, l->from, &(struct letter){ .kind = LETTER_LOST, .hop = l->hop }, (slice){ 0 });
}

static void read_lost(struct serve_worker *w, const struct letter *l) { lost(w, &l->hop); }

static void read_contacts(struct serve_worker *w, const struct letter *l)
{
    struct bindings *b = worker_bindings(w->worker);
    slice key;

    if (bindings_follow(b, letter_bytes(l), &key, loop_now_ns(w->loop)) == 0)
        serve_bound(w, key, bindings_find(b, key), false);
}

static void read_gateway(struct serve_worker *w, const struct letter *l)
{
    gateways_told(worker_gateways(w->worker), letter_bytes(l), &l->hop, (enum gateway_life)l->number, l->time_ns);
}

static void read_letters(struct serve_worker *w)
{
    static void (*const read[LETTER_KINDS])(struct serve_worker *w, const struct letter *l) = {
        [LETTER_MESSAGE] = read_message,   [LETTER_SEND] = read_send,       [LETTER_LOST] = read_lost,
        [LETTER_CONTACTS] = read_contacts, [LETTER_GATEWAY] = read_gateway,
    };

    for (struct letter *l = mailbox_take(w->mailbox); l; l = letter_free(l))
        read[l->kind](w, l);
}

static void on_message_alone(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    struct serve_worker *w = ctx;

    worker_waited(w->worker, net_counts(w->net).udp.waited_ns);
    worker_receive(w->worker, from, bytes, now_ns);
}

static void on_message(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    struct serve_worker *w = ctx;

    if (mailbox_has(w->mailbox))
        read_letters(w);
    struct steered to = steer_message(&w->serving->steer, bytes, w->number);

    if (to.is_register && somebody_is_behind(w))
        return;
    w->came_ns = now_ns - net_counts(w->net).udp.waited_ns;
    if (to.worker == w->number)
        receive(w, from, now_ns, bytes);
    else if (!guard_is_banned(worker_guard(w->worker), &from->remote, now_ns))
        (void)pass_message(w, to.worker, from, 0, bytes);
}

static void on_lost(void *ctx, const struct hop *hop, int error, slice why)
{
    struct serve_worker *w = ctx;

    (void)why;
    serve_lost(w->serving, hop, error, loop_now_ns(w->loop));
    worker_lost(w->worker, hop, loop_now_ns(w->loop));
    if (w->mailbox)
        post_others(w, &(struct letter){ .kind = LETTER_LOST, .hop = *hop }, (slice){ 0 });
}

static void on_media(void *ctx, const void *relay, slice bytes, int64_t now_ns)
{
    worker_media(((struct serve_worker *)ctx)->worker, relay, bytes, now_ns);
}

static void on_media_lost(void *ctx, const void *relay, int64_t now_ns)
{
    worker_media_lost(((struct serve_worker *)ctx)->worker, relay, now_ns);
}

/* ---- what goes ---- */

static int choose_by(void *ctx, struct hop *to)
{
    struct serve_worker *w = ctx;

    return w->own_sender.choose(w->own_sender.ctx, to);
}

/* Whose connection? One that is not made yet is made by the same worker whoever wants it. */
static int send_by(void *ctx, struct hop *to, slice bytes)
{
    struct serve_worker *w = ctx;
    uint64_t owner = w->number;
    int error = 0;

    if (hop_is_reliable(to) && to->connection)
        owner = to->connection >> CONNECTION_WORKER_SHIFT;
    else if (hop_is_reliable(to) && !(error = choose_by(w, to)))
        owner = steer_hop(&w->serving->steer, to);
    if (error)
        return error;
    if (owner == w->number)
        return w->own_sender.send(w->own_sender.ctx, to, bytes);
    if (owner >= count_of(w))
        return -ENOTCONN;
    return post(w, (unsigned)owner, &(struct letter){ .kind = LETTER_SEND, .hop = *to }, bytes) ? 0 : -ENOBUFS;
}

static bool on_pass(void *ctx, unsigned to, const struct hop *from, slice bytes)
{
    struct serve_worker *w = ctx;

    return w->tried + 1u < count_of(w) && pass_message(w, to, from, w->tried + 1, bytes);
}

static void on_learned(void *ctx, slice name, const struct hop *hop, enum gateway_life life, int64_t retry_after_ns)
{
    post_others(ctx, &(struct letter){ .kind = LETTER_GATEWAY, .hop = *hop, .number = (int)life, .time_ns = retry_after_ns }, name);
}

void serve_worker_tell(struct serve_worker *w, slice key, const struct bindings_aor *aor)
{
    if (!w->mailbox || (steer_aor(&w->serving->steer, key) != w->number && !worker_registers(w->worker)))
        return;
    out_clear(&w->told);
    bindings_tell(key, aor, &w->told);
    if (!w->told.error)
        post_others(w, &(struct letter){ .kind = LETTER_CONTACTS }, out_taken(&w->told));
}

/* ---- each round ---- */

void serve_worker_obey(struct serve_worker *w)
{
    static const slice reason = SLICE_INIT("SIP;cause=503;text=\"Server is being stopped\"");
    struct serving *s = w->serving;
    bool refuses = atomic_load(&s->draining), was = atomic_load(&w->refuses);
    uint64_t before = atomic_load(&w->live), live;

    worker_drain(w->worker, refuses);
    if (atomic_load(&s->hanging_up))
        worker_hang_up_all(w->worker, reason);
    live = worker_calls(w->worker)->live;
    if (live != before)
        atomic_store(&w->live, live);
    if (refuses != was)
        atomic_store(&w->refuses, refuses);               /* after `live`: none comes from now on */
    if (refuses && !live && (before || !was))
        loop_wake(s->workers[0].loop);                    /* that may have been the last one */
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t serve_worker_turn(struct serve_worker *w, int64_t now_ns)
{
    if (w->mailbox)
        read_letters(w);
    worker_time(w->worker, now_ns);
    if (!w->number)
        serve_obey(w->serving);
    serve_worker_obey(w);
    if (now_ns >= w->tick_ns) {
        users_db_tick(w->users_db, now_ns);
        if (!w->number)
            serve_house(w->serving, now_ns);
        w->tick_ns = now_ns + TICK_NS;
    }
    int64_t names_ns = serve_names_turn(w->names, worker_gateways(w->worker), w->relays, now_ns);

    return earlier(earlier(worker_next_ns(w->worker), names_ns), w->tick_ns);
}

/* ---- opening and closing ---- */

static int open_loop(struct serve_worker *w)
{
    const struct cli *cli = w->serving->cli;
    int error = loop_open(&w->loop);

    if (error)
        return cli_say_error(cli, CLI_MACHINE, TEXT_SERVE_ERROR_LISTEN, WORDS_TEXT("address", SLICE("epoll")),
                             WORDS_TEXT("why", cli_why(cli, -error)));
    if (count_of(w) > 1 && !(w->mailbox = mailbox_new(w->loop, 0)))
        return cli_no_memory(cli);
    return -1;
}

/* The folder of the state is made when it is not there. */
static int open_users(struct serve_worker *w)
{
    const struct cli *cli = w->serving->cli;
    const struct config *config = w->serving->config;
    struct users_db_settings settings = { .path = config->server.users.ptr, .create = true, .busy_ms = BUSY_MS };
    int error;

    (void)mkdir(config->server.state.ptr, 0700);          /* opening tells what is wrong */
    error = users_db_open(&settings, &w->users_db);
    if (error)
        return cli_say_error(cli, CLI_MACHINE, TEXT_USER_ERROR_STORE, WORDS_TEXT("file", config->server.users),
                             WORDS_TEXT("why", cli_why(cli, -error)));
    w->users = users_db_source(w->users_db);
    return -1;
}

static int open_net(struct serve_worker *w)
{
    struct serving *s = w->serving;
    struct net_settings settings;
    struct net_handlers handlers = { .ctx = w, .message = w->mailbox ? on_message : on_message_alone, .lost = on_lost };
    struct net_fault fault = { .error = ENOMEM, .listener = SIZE_MAX };
    int error = serve_net_settings(w, s->config, &settings) ? net_open(&w->net, w->loop, &settings, &handlers, &fault) : -ENOMEM;

    free((void *)(uintptr_t)settings.listeners);
    if (error)
        return serve_say_fault(s, s->config, &fault);
    w->own_sender = net_sender(w->net);
    return -1;
}

static struct worker_shared shared_of(struct serve_worker *w)
{
    struct serving *s = w->serving;

    if (!w->mailbox)
        return (struct worker_shared){ 0 };
    return (struct worker_shared){
        .steer = &s->steer, .guard = w->number ? worker_guard(s->workers[0].worker) : NULL,
        .guard_lock = serve_lock(s, SERVE_GUARD), .lines = s->lines, .trunks = s->trunks,
        .ctx = w, .pass_on = on_pass, .learned = on_learned,
    };
}

static int open_worker(struct serve_worker *w)
{
    struct serving *s = w->serving;
    struct worker_settings settings = { .plan = s->plan, .users = &w->users, .gateways_locate = serve_names_locate,
                                        .number = w->number, .key = s->key, .shares = count_of(w), .shared = shared_of(w) };
    struct hop_sender shared_sender = { w, send_by, choose_by };
    struct bindings_observer observer = { .ctx = w, .aor = serve_bound };

    if (s->live || s->pcap)
        settings.observer = (struct worker_observer){ s, serve_observed, serve_joined };
    if (getrandom(&settings.seed, sizeof settings.seed, 0) != (ssize_t)sizeof settings.seed)
        return cli_say_error(s->cli, CLI_MACHINE, TEXT_SERVE_ERROR_RANDOM, WORDS_TEXT("why", cli_why(s->cli, errno)));
    settings.gateways_ctx = w->names = serve_names_new(w->loop, s->config);
    struct serve_relays_user relays = { w, on_media, on_media_lost, w->names, serve_names_locate_relay };

    w->relays = serve_relays_new(w->loop, &relays);
    if (w->names && w->relays) {
        settings.media = serve_relays_sender(w->relays, s->config);
        w->worker = worker_new(&settings, w->mailbox ? &shared_sender : &w->own_sender, loop_now_ns(w->loop));
    }
    if (!w->worker || !bindings_observe(worker_bindings(w->worker), &observer))
        return cli_no_memory(s->cli);
    return -1;
}

int serve_worker_open(struct serving *s, unsigned number)
{
    int (*const steps[])(struct serve_worker *w) = { open_loop, open_users, open_net, open_worker };
    struct serve_worker *w = &s->workers[number];
    int code = -1;

    out_init_memory(&w->told, TOLD_MAX);
    for (size_t i = 0; code < 0 && i < ARRAY_LEN(steps); i++)
        code = steps[i](w);
    return code;
}

void serve_worker_close(struct serve_worker *w)
{
    worker_free(w->worker);
    serve_relays_free(w->relays);
    serve_names_free(w->names);
    net_free(w->net);
    mailbox_free(w->mailbox);
    loop_free(w->loop);
    users_db_close(w->users_db);
    out_done(&w->told);
}
