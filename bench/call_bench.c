/* bench/call_bench.c - what a call costs the switch, in bytes and in instructions: no socket, no
 * kernel, no real clock
 *
 *     call_bench basic|volte COUNT              one line of what was done, for callgrind
 *     call_bench basic|volte COUNT --memory     bytes of the heap for each call and transaction
 *     ... --memory --most CALL TRANSACTION      exit 1 when one of them takes more
 *
 * A whole worker (guard, registrar with digest, calls) and the phones of `signalbox load` in the
 * lab's network of memory, on a virtual clock: COUNT calls begin, 50 in a second, all are up at
 * the same time until the transactions that set them up are long gone, then all end.
 *
 * Only what the worker does counts. Its instructions: the inclusive cost of worker_receive and
 * worker_time without that of `transmit` below, which is the network's. Its bytes: what
 * mallinfo2() has more in use behind each of its turns, so malloc's own heads and rounding are in
 * it, and so are the worker's tables as they grow; malloc's per-thread cache, which would hide
 * what is freed, is switched off.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/load.h"
#include "lab/server.h"
#include "lab/sim.h"

#define MS 1000000ll
#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)
#define GONE_NS (40 * SECOND_NS)                          /* each transaction ends within 32 s */

enum { CALLS_PER_S = 50, PHONES = 2, SERVER_PLACE = PHONES };

struct bench {
    struct sim        *sim;
    struct load       *load;
    struct lab_server *server;
    struct hop_sender  wire;
    struct place { struct bench *bench; int place; } places[PHONES];
    bool               weighs;
    int64_t            heap, excluded;                    /* bytes: of the worker; sent in its turn, the network's */
    uint64_t           received, sent;
};

/* ---- bytes ---- */

static int64_t in_use(const struct bench *b)
{
    struct mallinfo2 now = b->weighs ? mallinfo2() : (struct mallinfo2){ 0 };

    return (int64_t)(now.uordblks + now.hblkhd);
}

static int64_t turn_begins(struct bench *b)
{
    b->excluded = 0;
    return in_use(b);
}

static void turn_ends(struct bench *b, int64_t before) { b->heap += in_use(b) - before - b->excluded; }

/* ---- the worker as a node of the network ---- */

static __attribute__((noinline)) int transmit(void *ctx, struct hop *to, slice bytes)
{
    struct bench *b = ctx;
    int64_t before = in_use(b);
    int error = b->wire.send(b->wire.ctx, to, bytes);

    b->sent++;
    b->excluded += in_use(b) - before;
    return error;
}

static void server_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    struct bench *b = ctx;
    int64_t before = turn_begins(b);

    b->received++;
    worker_receive(lab_server_worker(b->server), from, m->all, now_ns);
    turn_ends(b, before);
}

static void server_time(void *ctx, int64_t now_ns)
{
    struct bench *b = ctx;
    int64_t before = turn_begins(b);

    worker_time(lab_server_worker(b->server), now_ns);
    turn_ends(b, before);
}

static int64_t server_next(void *ctx) { return worker_next_ns(lab_server_worker(((struct bench *)ctx)->server)); }

/* ---- phones ---- */

static void phone_gets(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    struct place *p = ctx;

    load_receive(p->bench->load, p->place, from, m, now_ns);
}

static void phones_time(void *ctx, int64_t now_ns) { load_time(((struct place *)ctx)->bench->load, now_ns); }
static int64_t phones_next(void *ctx) { return load_next_ns(((struct place *)ctx)->bench->load); }

static struct address at(int place)
{
    return (struct address){ .ip = { 10, 0, 0, (uint8_t)(1 + place) }, .port = 5060, .family = 4 };
}

static void stop(const char *text)
{
    fprintf(stderr, "call_bench: %s\n", text);
    exit(4);
}

static void begin(struct bench *b, unsigned count, unsigned how)
{
    static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    int64_t setting_up_ns = count * SECOND_NS / CALLS_PER_S;
    struct sim_settings net = { .seed = 1, .delay_min_ns = MS, .delay_max_ns = MS };
    struct load_settings wanted = { .calls_per_s = CALLS_PER_S, .duration_ns = setting_up_ns, .domain = SLICE(LAB_DOMAIN),
                                    .hold_ns = setting_up_ns + 2 * GONE_NS, .ring_ns = 100 * MS, .registers = true, .how = how };
    struct lab_server_settings mine = { .address = at(SERVER_PLACE), .seed = { 1, 2 }, .wishes = { .calls_max = UINT16_MAX } };
    struct sim_node server = { b, at(SERVER_PLACE), server_receive, NULL, server_time, server_next };

    b->sim = sim_new(&net, START_NS);
    b->load = load_new(&wanted, START_NS);
    if (!b->sim || !b->load)
        stop("no memory");
    for (int i = 0; i < PHONES; i++) {
        struct sim_node node = { &b->places[i], at(i), phone_gets, NULL, phones_time, phones_next };
        struct hop_sender sender = sim_sender(b->sim, sim_add(b->sim, &node));
        struct phone_settings phone = { .endpoint = { .times = usual, .seed = { 3, (uint64_t)i }, .worker = (uint8_t)i },
                                        .user = lab_user_name((unsigned)i), .password = SLICE(LAB_PASSWORD),
                                        .domain = SLICE(LAB_DOMAIN), .server = { .local = at(i), .remote = at(SERVER_PLACE) } };

        b->places[i] = (struct place){ b, load_phone(b->load, i ? LOAD_CALLEE : LOAD_CALLER, &phone, &sender, START_NS) };
    }
    b->wire = sim_sender(b->sim, sim_add(b->sim, &server));
    b->server = lab_server_new(&mine, &(struct hop_sender){ .ctx = b, .send = transmit }, START_NS);
    if (!b->server)
        stop("no memory");
    load_time(b->load, START_NS);
}

static void until(struct bench *b, int64_t ns) { (void)sim_run(b->sim, START_NS + ns); }

static struct weight { int64_t heap; size_t transactions; } weight(const struct bench *b)
{
    return (struct weight){ b->heap, worker_transactions(lab_server_worker(b->server)) };
}

/* ---- the two questions ---- */

static int64_t of_one(struct weight more, struct weight less)
{
    return more.transactions == less.transactions
               ? 0 : (more.heap - less.heap) / (int64_t)(more.transactions - less.transactions);
}

/* False: a call or a transaction takes more than it may. */
static bool play(struct bench *b, const char *kind, unsigned count, int64_t call_most, int64_t transaction_most)
{
    const struct b2bua_counts *calls = worker_calls(lab_server_worker(b->server));
    int64_t setting_up_ns = SECOND_NS + count * SECOND_NS / CALLS_PER_S;

    until(b, SECOND_NS / 2);
    struct weight registered = weight(b);

    until(b, setting_up_ns + SECOND_NS / 2);
    struct weight fresh = weight(b);

    until(b, setting_up_ns + GONE_NS);
    struct weight settled = weight(b);

    if (calls->live != count || load_counts(b->load)->answered != count || settled.transactions)
        stop("not all calls are up, or some of what set them up is still there");
    until(b, 3 * setting_up_ns + 4 * GONE_NS);
    if (calls->live || load_counts(b->load)->ended != count)
        stop("not all calls have ended in order");
    if (!b->weighs) {
        printf("%s: %u calls, %llu messages received, %llu sent\n", kind, count, (unsigned long long)b->received,
               (unsigned long long)b->sent);
        return true;
    }
    int64_t call = (settled.heap - registered.heap) / count, transaction = of_one(fresh, settled);

    printf("%s, %u calls: %lld bytes for each established call, %lld for each of %zu transactions that linger behind its setup; "
           "%lld left of each at the end\n", kind, count, (long long)call, (long long)transaction, fresh.transactions,
           (long long)((b->heap - registered.heap) / count));
    return call <= call_most && transaction <= transaction_most;
}

static void end(struct bench *b)
{
    b->load = load_free(b->load);
    b->server = lab_server_free(b->server);
    b->sim = sim_free(b->sim);
}

/* ---- what is asked for ---- */

/* malloc reads this before main. */
static void without_cache(char **argv)
{
    static const char name[] = "GLIBC_TUNABLES", off[] = "glibc.malloc.tcache_count=0";
    const char *now = getenv(name);

    if (now && strcmp(now, off) == 0)
        return;
    if (setenv(name, off, 1) == 0)
        execv("/proc/self/exe", argv);
    stop("cannot begin again without malloc's cache");
}

int main(int argc, char **argv)
{
    static struct bench b;
    bool volte = argc > 2 && strcmp(argv[1], "volte") == 0, has_most = argc == 7 && strcmp(argv[4], "--most") == 0;
    uint32_t count = 0;

    b.weighs = argc > 3 && strcmp(argv[3], "--memory") == 0;
    if ((argc != 3 && !b.weighs) || (argc != 3 && argc != 4 && !has_most) || (!volte && strcmp(argv[1], "basic") != 0) ||
        !slice_to_u32(slice_of_string(argv[2]), &count) || count < 1 || count > 60000) {
        fputs("usage: call_bench basic|volte COUNT [--memory [--most CALL TRANSACTION]]\n", stderr);
        return 2;
    }
    if (b.weighs)
        without_cache(argv);
    begin(&b, count, volte ? PHONE_RELIABLE | PHONE_PRECONDITIONS : 0);
    bool fine = play(&b, argv[1], count, has_most ? atoll(argv[5]) : INT64_MAX, has_most ? atoll(argv[6]) : INT64_MAX);

    end(&b);
    return fine ? 0 : 1;
}
