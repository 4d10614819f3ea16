/* cli/lab_world.c - one flow on sockets: our server, or somebody else's, and the phones
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything of a flow stands in here and in one loop with the other flows: no threads. Our own
 * server sees each message of both legs, so it is the place to watch; with a foreign one the
 * phones are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "cli/lab_int.h"
#include "net/net.h"

#define MS INT64_C(1000000)
#define PATIENCE_FAR_NS (45000 * MS)  /* timers of a foreign server; repeats that were lost */
#define SETTLE_BAD_NS (1500 * MS)
enum { SERVER_END = SCRIPT_PHONES, ENDS };

struct world_end {                   /* of one of the phones, or of our server */
    struct lab_world *world;
    struct net       *net;
    struct trouble     *trouble;
    struct phone     *phone;         /* NULL: not in this flow, or the server */
    struct address    address;
    struct hop_sender inner;         /* the trouble's; what the phone sends is seen in front of it */
    char              uri[2 * LAB_ACCOUNT_MAX + 300];
};

struct lab_world {
    struct lab_world_settings settings;
    struct world_end   ends[ENDS];
    struct lab_server *server;
    struct play       *play;
    struct lab_watch  *watch;
    struct loop_turn   turn;
    int64_t            begun_ns;
    struct hash_seed   random;
    char               domain[300];
};

static bool is_foreign(const struct lab_world *w) { return w->settings.wish->server.family != 0; }

/* ---- what comes and goes ---- */

static void saw(struct lab_world *w, const struct hop *hop, bool sent, slice bytes, int64_t now_ns)
{
    lab_watch_message(w->watch, hop, sent, bytes, now_ns);
    play_heard(w->play, now_ns);
}

static void on_observed(void *ctx, const struct hop *hop, bool sent, slice bytes, int64_t now_ns) { saw(ctx, hop, sent, bytes, now_ns); }

static void on_message(void *ctx, const struct hop *from, int64_t now_ns, slice bytes)
{
    struct world_end *e = ctx;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    enum sip_framing framing = from->transport == WIRE_UDP ? SIP_DATAGRAM : SIP_STREAM;

    trouble_time(e->trouble, now_ns);
    if (!e->phone && e->world->server) {
        worker_receive(lab_server_worker(e->world->server), from, bytes, now_ns);
        return;
    }
    if (!e->phone || sip_message_parse(bytes, framing, room, ARRAY_LEN(room), &m) <= 0)
        return;
    if (is_foreign(e->world))
        saw(e->world, from, false, bytes, now_ns);
    phone_receive(e->phone, from, &m, now_ns);
}

static void on_lost(void *ctx, const struct hop *hop, int error, slice why)
{
    struct world_end *e = ctx;
    int64_t now_ns = loop_now_ns(e->world->settings.loop);

    (void)error, (void)why;
    if (e->phone)
        phone_lost(e->phone, hop, now_ns);
    else if (e->world->server)
        worker_lost(lab_server_worker(e->world->server), hop, now_ns);
}

static int send_seen(void *ctx, struct hop *to, slice bytes)
{
    struct world_end *e = ctx;

    if (is_foreign(e->world))
        saw(e->world, to, true, bytes, loop_now_ns(e->world->settings.loop));
    return e->inner.send(e->inner.ctx, to, bytes);
}

static int choose(void *ctx, struct hop *to)
{
    struct world_end *e = ctx;

    return e->inner.choose ? e->inner.choose(e->inner.ctx, to) : 0;
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t on_turn(void *ctx, int64_t now_ns)
{
    struct lab_world *w = ctx;
    int64_t next_ns = INT64_MAX;

    for (size_t i = 0; i < ENDS; i++)
        if (w->ends[i].trouble)
            trouble_time(w->ends[i].trouble, now_ns);
    if (w->server)
        worker_time(lab_server_worker(w->server), now_ns);
    for (size_t i = 0; i < SCRIPT_PHONES; i++)
        if (w->ends[i].phone)
            phone_time(w->ends[i].phone, now_ns);
    play_time(w->play, now_ns);
    next_ns = play_next_ns(w->play);
    for (size_t i = 0; i < ENDS; i++) {
        if (w->ends[i].trouble)
            next_ns = earlier(next_ns, trouble_next_ns(w->ends[i].trouble));
        if (w->ends[i].phone)
            next_ns = earlier(next_ns, phone_next_ns(w->ends[i].phone));
    }
    return w->server ? earlier(next_ns, worker_next_ns(lab_server_worker(w->server))) : next_ns;
}

/* ---- opening ---- */

static int no_memory(const struct lab_world *w) { return cli_no_memory(w->settings.cli); }

static int open_end(struct lab_world *w, size_t i)
{
    struct world_end *e = &w->ends[i];
    struct trouble_settings network = w->settings.wish->network;
    struct net_listener listener = { .transport = w->settings.wish->is_tcp ? WIRE_TCP : WIRE_UDP, .address = e->address };
    struct net_settings settings = { .listeners = &listener, .listener_count = 1 };
    struct net_handlers handlers = { .ctx = e, .message = on_message, .lost = on_lost };
    struct net_fault fault = { 0 };
    char text[ADDRESS_TEXT_MAX];
    int error = net_open(&e->net, w->settings.loop, &settings, &handlers, &fault);

    e->world = w;
    if (error) {
        address_format(&e->address, text);
        return cli_say_error(w->settings.cli, CLI_MACHINE, TEXT_LAB_ERROR_LISTEN, WORDS_TEXT("address", slice_of_string(text)),
                             WORDS_TEXT("why", cli_why(w->settings.cli, -error)));
    }
    e->address = *net_listener_address(e->net, 0);
    network.seed = w->settings.seed * ENDS + i;
    struct hop_sender sender = net_sender(e->net);

    e->trouble = trouble_new(&network, &sender);
    if (!e->trouble)
        return no_memory(w);
    e->inner = trouble_sender(e->trouble);
    trouble_time(e->trouble, loop_now_ns(w->settings.loop));
    return CLI_DONE;
}

static int open_server(struct lab_world *w)
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };
    struct world_end *e = &w->ends[SERVER_END];
    struct lab_server_settings settings = { .is_tcp = w->settings.wish->is_tcp, .wishes = w->settings.script->wishes,
                                            .seed = w->random, .observer = { .ctx = w, .message = on_observed } };
    int code;

    e->address = address_v4(loopback, w->settings.wish->port);
    code = open_end(w, SERVER_END);
    if (code != CLI_DONE)
        return code;
    if (getrandom(&settings.key, sizeof settings.key, 0) != (ssize_t)sizeof settings.key)
        return cli_say_error(w->settings.cli, CLI_MACHINE, TEXT_SERVE_ERROR_RANDOM, WORDS_TEXT("why", cli_why(w->settings.cli, errno)));
    settings.address = e->address;
    w->server = lab_server_new(&settings, &e->inner, loop_now_ns(w->settings.loop));
    return w->server ? CLI_DONE : no_memory(w);
}

static const struct address *server_address(const struct lab_world *w)
{
    return is_foreign(w) ? &w->settings.wish->server : &w->ends[SERVER_END].address;
}

static int place_phone(struct lab_world *w, unsigned i)
{
    const uint8_t loopback[4] = { 127, 0, 0, (uint8_t)(2 + i) };
    struct address *a = &w->ends[i].address;
    int error = 0;

    *a = address_v4(loopback, 0);
    if (is_foreign(w))
        error = socket_route(&w->settings.wish->server, a);
    a->port = 0;
    return error ? cli_say_error(w->settings.cli, CLI_MACHINE, TEXT_LAB_ERROR_HOST,
                                 WORDS_TEXT("host", slice_of_string(w->settings.wish->host)),
                                 WORDS_TEXT("why", cli_why(w->settings.cli, -error)))
                 : CLI_DONE;
}

static int open_phone(struct lab_world *w, unsigned i)
{
    static const struct transaction_times times = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    const struct lab_wish *wish = w->settings.wish;
    struct world_end *e = &w->ends[i];
    struct phone_owner owner = play_owner(w->play);
    struct hop_sender sender = { e, send_seen, choose };
    struct phone_settings settings = {
        .endpoint = { .times = times, .seed = { w->random.k0 + i + 1, w->random.k1 }, .worker = (uint8_t)(i + 1) },
        .user = is_foreign(w) ? slice_of_string(wish->accounts[i].user) : lab_user_name(i),
        .password = is_foreign(w) ? slice_of_string(wish->accounts[i].password) : SLICE(LAB_PASSWORD),
        .domain = slice_of_string(w->domain),
    };
    int code = place_phone(w, i);

    if (code == CLI_DONE)
        code = open_end(w, i);
    if (code != CLI_DONE)
        return code;
    settings.server = (struct hop){ .local = e->address, .remote = *server_address(w),
                                    .transport = wish->is_tcp ? WIRE_TCP : WIRE_UDP };
    snprintf(e->uri, sizeof e->uri, "sip:%.*s@%s", (int)settings.user.len, settings.user.ptr, w->domain);
    e->phone = phone_new(&settings, &sender, &owner, loop_now_ns(w->settings.loop));
    if (!e->phone)
        return no_memory(w);
    play_set_phone(w->play, i, e->phone, slice_of_string(e->uri));
    return CLI_DONE;
}

/* "A 127.0.0.2", and the port where several have one address. */
static void name_lanes(struct lab_world *w)
{
    static const uint8_t order[] = { 0, SERVER_END, 1, 2 };

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        const struct address *a = order[i] == SERVER_END ? server_address(w) : &w->ends[order[i]].address;
        char text[ADDRESS_TEXT_MAX], name[ADDRESS_TEXT_MAX + 4];

        if (order[i] != SERVER_END && !w->ends[order[i]].phone)
            continue;
        (void)(is_foreign(w) ? address_format : address_format_ip)(a, text);
        snprintf(name, sizeof name, "%c %s", order[i] == SERVER_END ? 'S' : 'A' + order[i], text);
        lab_watch_lane(w->watch, a, slice_of_string(name));
    }
}

static int open_all(struct lab_world *w)
{
    const struct lab_wish *wish = w->settings.wish;
    bool bad = lab_is_bad_network(wish);
    struct play_settings play = { .patience_ns = bad || is_foreign(w) ? PATIENCE_FAR_NS : 0, .settle_ns = bad ? SETTLE_BAD_NS : 0,
                                  .bad_network = bad, .leaves = is_foreign(w) };
    struct lab_watch_settings watch = { .words = w->settings.cli->words, .style = w->settings.cli->style, .out = w->settings.out,
                                        .script = w->settings.script, .record = w->settings.record };
    int code = CLI_DONE;

    w->begun_ns = loop_now_ns(w->settings.loop);
    snprintf(w->domain, sizeof w->domain, "%s", !is_foreign(w) ? LAB_DOMAIN : wish->domain ? wish->domain : wish->host);
    w->play = play_new(w->settings.script, &play, w->begun_ns);
    w->watch = lab_watch_new(&watch);
    if (!w->play || !w->watch || getrandom(&w->random, sizeof w->random, 0) != (ssize_t)sizeof w->random)
        return no_memory(w);
    if (!is_foreign(w))
        code = open_server(w);
    for (const char *who = w->settings.script->phones; code == CLI_DONE && *who; who++)
        code = open_phone(w, (unsigned)(*who - 'a'));
    if (code == CLI_DONE)
        name_lanes(w);
    return code;
}

int lab_world_open(const struct lab_world_settings *settings, struct lab_world **ret)
{
    struct lab_world *w = calloc(1, sizeof *w);
    int code;

    if (!w)
        return cli_no_memory(settings->cli);
    w->settings = *settings;
    w->turn = (struct loop_turn){ .turn = on_turn, .ctx = w };
    list_init(&w->turn.in_all);
    code = open_all(w);
    if (code != CLI_DONE) {
        lab_world_free(w);
        return code;
    }
    loop_add_turn(settings->loop, &w->turn, LOOP_WORK);
    *ret = w;
    return CLI_DONE;
}

struct lab_world *lab_world_free(struct lab_world *w)
{
    if (!w)
        return NULL;
    loop_remove_turn(&w->turn);
    for (size_t i = 0; i < ENDS; i++)
        phone_free(w->ends[i].phone);
    lab_server_free(w->server);
    for (size_t i = 0; i < ENDS; i++) {
        trouble_free(w->ends[i].trouble);
        net_free(w->ends[i].net);
    }
    play_free(w->play);
    lab_watch_free(w->watch);
    free(w);
    return NULL;
}

bool lab_world_is_over(const struct lab_world *w) { return play_is_over(w->play); }

struct lab_outcome lab_world_finish(struct lab_world *w)
{
    struct lab_outcome outcome = { .play = play_result(w->play), .flow = lab_watch_finish(w->watch),
                                   .messages = lab_watch_messages(w->watch),
                                   .took_ns = loop_now_ns(w->settings.loop) - w->begun_ns };

    for (size_t i = 0; i < ENDS; i++) {
        const struct trouble_counts *c = w->ends[i].trouble ? trouble_counts(w->ends[i].trouble) : NULL;

        outcome.network.sent += c ? c->sent : 0;
        outcome.network.lost += c ? c->lost : 0;
        outcome.network.doubled += c ? c->doubled : 0;
    }
    return outcome;
}
