/* bench/call_bench.c - what a call or a registration costs the switch, in bytes, instructions and
 * processor time: no socket, no kernel, no real clock
 *
 *     call_bench basic|volte|register COUNT              how many for each second of processor time
 *     call_bench basic|volte COUNT --memory              bytes of the heap for each call and transaction
 *     ... --memory --most CALL TRANSACTION               exit 1 when one of them takes more
 *
 * A whole worker (guard, registrar with SHA-256 digest, calls) and the phones of `signalbox load`
 * in the lab's network of memory, on a virtual clock: COUNT calls begin, 50 in a second, all are
 * up at the same time until the transactions that set them up are long gone, then all end. Or
 * COUNT registrations, each with a challenge of its own.
 *
 * Only what the worker does counts. Its processor time: that of the thread in its turns, without
 * what the network does with its messages. Its instructions: the same under callgrind, with
 * --toggle-collect=worker_receive --toggle-collect=worker_time, less the inclusive cost of
 * `transmit`. Its bytes: what mallinfo2() has more in use behind each of its turns, so malloc's
 * own heads and rounding are in it, and so are the worker's tables as they grow; malloc's
 * per-thread cache, which would hide what is freed, is switched off.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lab/load.h"
#include "lab/server.h"
#include "lab/sim.h"

#define MS 1000000ll
#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)
#define GONE_NS (40 * SECOND_NS)                          /* each transaction ends within 32 s */

enum kind { BASIC, VOLTE, REGISTER, KINDS };
static const char *const kinds[KINDS] = { "basic", "volte", "register" };

enum { CALLS_PER_S = 50, PHONES = 2, SERVER_PLACE = PHONES };

struct bench {
    struct sim        *sim;
    struct load       *load;
    struct lab_server *server;
    struct hop_sender  wire;
    struct place { struct bench *bench; int place; } places[PHONES];
    enum kind          kind;
    uint32_t           count;
    bool               weighs;
    struct cost { int64_t bytes, cpu_ns; } all, network;  /* of the worker's turns; and in this turn of the network */
    uint64_t           received, sent;
};

/* ---- what is used up ---- */

/* Never both: each would be in the figure of the other. */
static struct cost now(const struct bench *b)
{
    struct timespec t;

    if (b->weighs) {
        struct mallinfo2 heap = mallinfo2();

        return (struct cost){ .bytes = (int64_t)(heap.uordblks + heap.hblkhd) };
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (struct cost){ .cpu_ns = t.tv_sec * SECOND_NS + t.tv_nsec };
}

static void add(struct cost *sum, struct cost before, struct cost after)
{
    sum->bytes += after.bytes - before.bytes;
    sum->cpu_ns += after.cpu_ns - before.cpu_ns;
}

static struct cost turn_begins(struct bench *b)
{
    b->network = (struct cost){ 0 };
    return now(b);
}

static void turn_ends(struct bench *b, struct cost before)
{
    add(&b->all, before, now(b));
    add(&b->all, b->network, (struct cost){ 0 });
}

/* ---- the worker as a node of the network ---- */

static __attribute__((noinline)) int transmit(void *ctx, struct hop *to, slice bytes)
{
    struct bench *b = ctx;
    struct cost before = now(b);
    int error = b->wire.send(b->wire.ctx, to, bytes);

    b->sent++;
    add(&b->network, before, now(b));
    return error;
}

static void server_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    struct bench *b = ctx;
    struct cost before = turn_begins(b);

    b->received++;
    worker_receive(lab_server_worker(b->server), from, m->all, now_ns);
    turn_ends(b, before);
}

static void server_time(void *ctx, int64_t now_ns)
{
    struct bench *b = ctx;
    struct cost before = turn_begins(b);

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

static void begin(struct bench *b)
{
    static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    int64_t setting_up_ns = b->count * SECOND_NS / CALLS_PER_S;
    struct sim_settings net = { .seed = 1, .delay_min_ns = MS, .delay_max_ns = MS };
    struct load_settings wanted = { .calls_per_s = CALLS_PER_S, .duration_ns = setting_up_ns, .domain = SLICE(LAB_DOMAIN),
                                    .hold_ns = setting_up_ns + 2 * GONE_NS, .ring_ns = 100 * MS, .registers = true, .registrations = b->kind == REGISTER,
                                    .how = b->kind == VOLTE ? PHONE_RELIABLE | PHONE_PRECONDITIONS : 0 };
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

static void finish(struct bench *b, int64_t ns)
{
    const struct load_counts *done = load_counts(b->load);

    until(b, ns);
    if (load_phase(b->load) != LOAD_DONE || done->ended != b->count || worker_calls(lab_server_worker(b->server))->live)
        stop("not all have ended in order");
}

/* From the first call or registration on, when the phones are registered. */
static void time_them(struct bench *b)
{
    int64_t ns = SECOND_NS + b->count * SECOND_NS / CALLS_PER_S;

    until(b, SECOND_NS / 2);
    struct cost before = b->all;

    finish(b, 3 * ns + 4 * GONE_NS);
    double cpu_s = (double)(b->all.cpu_ns - before.cpu_ns) / 1e9;

    printf("%s, %u: %.0f for each second of processor time, without the kernel; messages received: %llu, sent: %llu\n",
           kinds[b->kind], b->count, b->count / cpu_s, (unsigned long long)b->received, (unsigned long long)b->sent);
}

static struct weight { int64_t bytes; size_t transactions; } weight(const struct bench *b)
{
    return (struct weight){ b->all.bytes, worker_transactions(lab_server_worker(b->server)) };
}

/* False: a call or a transaction takes more than it may. */
static bool weigh(struct bench *b, int64_t call_most, int64_t transaction_most)
{
    int64_t ns = SECOND_NS + b->count * SECOND_NS / CALLS_PER_S;

    until(b, SECOND_NS / 2);
    struct weight registered = weight(b);

    until(b, ns + SECOND_NS / 2);
    struct weight fresh = weight(b);

    until(b, ns + GONE_NS);
    struct weight settled = weight(b);

    if (worker_calls(lab_server_worker(b->server))->live != b->count || settled.transactions || !fresh.transactions)
        stop("not all calls are up, or some of what set them up is still there");
    finish(b, 3 * ns + 4 * GONE_NS);
    int64_t call = (settled.bytes - registered.bytes) / b->count;
    int64_t transaction = (fresh.bytes - settled.bytes) / (int64_t)fresh.transactions;

    printf("%s, %u calls: %lld bytes for each established call, %lld for each of %zu transactions that linger behind its setup\n",
           kinds[b->kind], b->count, (long long)call, (long long)transaction, fresh.transactions);
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

static bool take_kind(const char *text, enum kind *ret)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(text, kinds[i]) == 0) {
            *ret = (enum kind)i;
            return true;
        }
    return false;
}

static bool take_most(const char *text, uint32_t *ret) { return slice_to_u32(slice_of_string(text), ret); }

int main(int argc, char **argv)
{
    static struct bench b;
    uint32_t call_most = UINT32_MAX, transaction_most = UINT32_MAX;
    bool fine = argc >= 3 && take_kind(argv[1], &b.kind) && slice_to_u32(slice_of_string(argv[2]), &b.count) &&
                b.count >= 1 && b.count <= 60000;

    b.weighs = argc > 3;
    if (b.weighs)
        fine = fine && b.kind != REGISTER && strcmp(argv[3], "--memory") == 0;
    if (argc > 4)
        fine = fine && argc == 7 && strcmp(argv[4], "--most") == 0 && take_most(argv[5], &call_most) &&
               take_most(argv[6], &transaction_most);
    if (!fine) {
        fputs("usage: call_bench basic|volte|register COUNT\n"
              "       call_bench basic|volte COUNT --memory [--most CALL TRANSACTION]\n", stderr);
        return 2;
    }
    if (b.weighs)
        without_cache(argv);
    begin(&b);
    if (b.weighs)
        fine = weigh(&b, call_most, transaction_most);
    else
        time_them(&b);
    end(&b);
    return fine ? 0 : 1;
}
