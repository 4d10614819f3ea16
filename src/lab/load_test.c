/* lab/load_test.c - the rate is kept whatever happens, and percentiles are honest
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "lab/load.h"
#include "lab/server.h"
#include "lab/sim.h"

#define MS 1000000ll
#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)

/* Phones straight to each other: callers' server is the callee. */
struct pair {
    struct load *load;
    int          place;
};

static void receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    struct pair *p = ctx;

    load_receive(p->load, p->place, from, m, now_ns);
}
static void pass_time(void *ctx, int64_t now_ns) { load_time(((struct pair *)ctx)->load, now_ns); }
static int64_t next(void *ctx) { return load_next_ns(((struct pair *)ctx)->load); }

static unsigned pracks, updates, reliable;

static void tap(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost)
{
    (void)ctx, (void)to, (void)now_ns, (void)lost;
    pracks += slice_starts(bytes, SLICE("PRACK "));
    updates += slice_starts(bytes, SLICE("UPDATE "));
    reliable += slice_starts(bytes, SLICE("SIP/2.0 183 "));
}

static void play(double rate, uint32_t loss_ppm, int64_t delay_ns, unsigned how, struct load_counts *ret)
{
    static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    struct sim_settings net = { .seed = 7, .loss_ppm = loss_ppm, .delay_min_ns = delay_ns, .delay_max_ns = delay_ns };
    struct load_settings settings = { .calls_per_s = rate, .duration_ns = 10 * SECOND_NS, .hold_ns = SECOND_NS,
                                      .ring_ns = 100 * MS, .domain = SLICE("x"), .how = how };
    struct sim *sim = sim_new(&net, START_NS);
    struct load *load = load_new(&settings, START_NS);
    struct pair pairs[2];

    CHECK(sim && load);
    for (int i = 0; i < 2; i++) {
        struct address mine = { .ip = { 10, 0, 0, (uint8_t)(1 + i) }, .port = 5060, .family = 4 };
        struct address other = { .ip = { 10, 0, 0, (uint8_t)(2 - i) }, .port = 5060, .family = 4 };
        struct sim_node node = { &pairs[i], mine, receive, NULL, pass_time, next };
        struct phone_settings ps = { .endpoint = { .times = usual, .seed = { 1, (uint64_t)i } }, .user = SLICE("u"),
                                     .domain = SLICE("x"), .server = { .local = mine, .remote = other } };
        int place = sim_add(sim, &node);
        struct hop_sender sender = sim_sender(sim, place);

        pairs[i] = (struct pair){ load, load_phone(load, i ? LOAD_CALLEE : LOAD_CALLER, &ps, &sender, START_NS) };
        CHECK_EQ(pairs[i].place, i);
    }
    pracks = updates = reliable = 0;
    sim_tap(sim, tap, NULL);
    load_time(load, START_NS);
    for (int s = 1; s < 120 && load_phase(load) != LOAD_DONE; s++)
        sim_run(sim, START_NS + s * SECOND_NS);
    CHECK_EQ(load_phase(load), LOAD_DONE);
    *ret = *load_counts(load);
    load_free(load);
    sim_free(sim);
}

TEST(each_call_begins_at_its_time_and_its_delay_is_measured)
{
    struct load_counts c;

    play(50, 0, 3 * MS, 0, &c);
    CHECK_EQ(c.begun, 500);
    CHECK_EQ(c.answered, 500);
    CHECK_EQ(c.ended, 500);
    CHECK_EQ(c.failed, 0);
    CHECK_EQ(c.invite.count, 500);
    CHECK_NEAR((double)load_percentile_ns(&c.invite, 50), 3e6, 1e5);
    CHECK_NEAR((double)load_percentile_ns(&c.invite, 99), 3e6, 1e5);
    CHECK_NEAR((double)c.live_max, 56, 2);                /* rate times hold and ringing */
}

/* A generator that stands still for a second is late itself; what waited was delayed all the same. */
TEST(a_call_that_was_due_counts_from_then)
{
    static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    struct sim_settings net = { .seed = 7, .delay_min_ns = 3 * MS, .delay_max_ns = 3 * MS };
    struct load_settings settings = { .calls_per_s = 50, .duration_ns = 10 * SECOND_NS, .hold_ns = SECOND_NS, .ring_ns = 100 * MS,
                                      .domain = SLICE("x") };
    struct sim *sim = sim_new(&net, START_NS);
    struct load *load = load_new(&settings, START_NS);
    struct pair pairs[2];

    CHECK(sim && load);
    for (int i = 0; i < 2; i++) {
        struct address mine = { .ip = { 10, 0, 0, (uint8_t)(1 + i) }, .port = 5060, .family = 4 };
        struct address other = { .ip = { 10, 0, 0, (uint8_t)(2 - i) }, .port = 5060, .family = 4 };
        struct sim_node node = { &pairs[i], mine, receive, NULL, NULL, NULL };
        struct phone_settings ps = { .endpoint = { .times = usual, .seed = { 1, (uint64_t)i } }, .user = SLICE("u"),
                                     .domain = SLICE("x"), .server = { .local = mine, .remote = other } };
        int place = sim_add(sim, &node);
        struct hop_sender sender = sim_sender(sim, place);

        pairs[i] = (struct pair){ load, load_phone(load, i ? LOAD_CALLEE : LOAD_CALLER, &ps, &sender, START_NS) };
    }
    load_time(load, START_NS);                            /* the first call */
    load_time(load, START_NS + SECOND_NS);                /* fifty more are late */
    sim_run(sim, START_NS + SECOND_NS + 10 * MS);
    CHECK_EQ(load_counts(load)->invite.count, 51);
    CHECK(load_percentile_ns(&load_counts(load)->invite, 50) > 400 * MS);
    load_free(load);
    sim_free(sim);
}

TEST(a_volte_call_has_a_reliable_183_its_prack_and_an_update)
{
    struct load_counts c;

    play(50, 0, 3 * MS, PHONE_RELIABLE | PHONE_PRECONDITIONS, &c);
    CHECK_EQ(c.begun, 500);
    CHECK_EQ(c.ended, 500);
    CHECK_EQ(reliable, 500);
    CHECK_EQ(pracks, 500);
    CHECK_EQ(updates, 500);
}

TEST(loss_shows_in_the_percentiles_and_does_not_slow_the_rate)
{
    struct load_counts c;

    play(50, 50000, 3 * MS, 0, &c);
    CHECK_EQ(c.begun, 500);
    CHECK_EQ(c.ended + c.failed, 500);
    CHECK(load_percentile_ns(&c.invite, 99) > 400 * MS);  /* a repeat after T1 */
    CHECK(load_percentile_ns(&c.invite, 50) < 30 * MS);
}

/* ---- registrations, with our own server ---- */

static void server_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    worker_receive(lab_server_worker(ctx), from, m->all, now_ns);
}
static void server_time(void *ctx, int64_t now_ns) { worker_time(lab_server_worker(ctx), now_ns); }
static int64_t server_next(void *ctx) { return worker_next_ns(lab_server_worker(ctx)); }

/* The caller is of `domain`; a password is asked for only in our own. */
static void with_server(const struct load_settings *settings, int64_t delay_ns, slice domain, slice password,
                        struct load_counts *ret)
{
    static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    static const struct address there = { .ip = { 10, 0, 0, 9 }, .port = 5060, .family = 4 };
    struct sim_settings net = { .seed = 7, .delay_min_ns = delay_ns, .delay_max_ns = delay_ns };
    struct sim_node node = { NULL, there, server_receive, NULL, server_time, server_next };
    struct sim *sim = sim_new(&net, START_NS);
    struct load *load = load_new(settings, START_NS);
    struct pair pairs[2];

    CHECK(sim && load);
    for (int i = 0; i < 2; i++) {
        struct address mine = { .ip = { 10, 0, 0, (uint8_t)(1 + i) }, .port = 5060, .family = 4 };
        struct sim_node phone = { &pairs[i], mine, receive, NULL, pass_time, next };
        struct phone_settings ps = { .endpoint = { .times = usual, .seed = { 1, (uint64_t)i } }, .user = lab_user_name((unsigned)i),
                                     .password = password, .domain = i ? SLICE(LAB_DOMAIN) : domain, .server = { .local = mine, .remote = there } };
        struct hop_sender sender = sim_sender(sim, sim_add(sim, &phone));

        pairs[i] = (struct pair){ load, load_phone(load, i ? LOAD_CALLEE : LOAD_CALLER, &ps, &sender, START_NS) };
    }
    int place = sim_add(sim, &node);
    struct hop_sender sender = sim_sender(sim, place);
    struct lab_server_settings ss = { .address = there, .seed = { 5, 6 } };
    struct lab_server *server = lab_server_new(&ss, &sender, START_NS);

    CHECK(server);
    sim_rebind(sim, place, server);
    load_time(load, START_NS);
    sim_run(sim, START_NS + 60 * SECOND_NS);
    CHECK_EQ(load_phase(load), LOAD_DONE);
    *ret = *load_counts(load);
    lab_server_free(server);
    load_free(load);
    sim_free(sim);
}

static void register_again(double rate, int64_t delay_ns, slice password, struct load_counts *ret)
{
    struct load_settings settings = { .calls_per_s = rate, .duration_ns = 10 * SECOND_NS, .domain = SLICE(LAB_DOMAIN),
                                      .registrations = true };

    with_server(&settings, delay_ns, SLICE(LAB_DOMAIN), password, ret);
}

TEST(each_registration_answers_its_challenge_and_its_delay_is_measured)
{
    struct load_counts c;

    register_again(50, 3 * MS, SLICE(LAB_PASSWORD), &c);
    CHECK_EQ(c.begun, 500);
    CHECK_EQ(c.ended, 500);
    CHECK_EQ(c.failed + c.not_begun + c.live, 0);
    CHECK_EQ(c.invite.count, 500);
    CHECK_NEAR((double)load_percentile_ns(&c.invite, 50), 12e6, 4e5);         /* REGISTER, 401, REGISTER, 200 */
}

TEST(a_registration_that_is_refused_fails)
{
    struct load_counts c;

    register_again(1, 3 * MS, SLICE("wrong"), &c);
    CHECK_EQ(c.ended + c.invite.count, 0);
    CHECK(c.failed > 1);                                  /* some get no answer: who guesses gets none */
    CHECK_EQ(c.failed, c.begun);
}

TEST(two_phones_do_not_register_more_often_than_they_can)
{
    struct load_counts c;

    register_again(50, 30 * MS, SLICE(LAB_PASSWORD), &c);
    CHECK(c.begun > 120 && c.begun < 170);                /* each takes 120 ms, for 10 s */
    CHECK_EQ(c.begun + c.not_begun, 500);
    CHECK_EQ(c.ended, c.begun);
}

/* Asked for a password, it would have none for that domain. */
TEST(strangers_call_without_registering_and_without_a_password)
{
    struct load_settings settings = { .calls_per_s = 2, .duration_ns = 5 * SECOND_NS, .hold_ns = SECOND_NS, .ring_ns = 100 * MS,
                                      .domain = SLICE(LAB_DOMAIN), .registers = true, .strangers = true };
    struct load_counts c;

    with_server(&settings, 3 * MS, SLICE("stranger.example"), SLICE(LAB_PASSWORD), &c);
    CHECK_EQ(c.registered, 1);
    CHECK_EQ(c.begun, 10);
    CHECK_EQ(c.ended, 10);
    CHECK_NEAR((double)load_percentile_ns(&c.invite, 50), 6e6, 4e5);          /* INVITE, and on */
}

TEST(what_was_never_measured_has_no_percentile)
{
    struct load_histogram none = { 0 };

    CHECK_EQ(load_percentile_ns(&none, 99), 0);
}

/* ---- a proxy in the path ---- */

static char last_sent[4096];

static int keep(void *ctx, struct hop *to, slice bytes)
{
    (void)ctx, (void)to;
    memcpy(last_sent, bytes.ptr, bytes.len < sizeof last_sent - 1 ? bytes.len : sizeof last_sent - 1);
    last_sent[bytes.len < sizeof last_sent - 1 ? bytes.len : sizeof last_sent - 1] = '\0';
    return 0;
}

TEST(a_callee_leaves_the_proxies_that_recorded_themselves_in_the_path)
{
    static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    static const slice invite = SLICE_INIT(
        "INVITE sip:u@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\r\nFrom: <sip:c@x>;tag=1\r\nTo: <sip:u@x>\r\n"
        "Call-ID: a\r\nCSeq: 1 INVITE\r\nContact: <sip:c@10.0.0.1>\r\nRecord-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>\r\n"
        "Content-Length: 0\r\n\r\n");
    struct load_settings settings = { .calls_per_s = 1, .duration_ns = SECOND_NS, .ring_ns = 100 * MS, .domain = SLICE("x") };
    struct load *load = load_new(&settings, START_NS);
    struct hop_sender sender = { .send = keep };
    struct hop server = { .local = { .ip = { 10, 0, 0, 2 }, .port = 5060, .family = 4 },
                          .remote = { .ip = { 10, 0, 0, 9 }, .port = 5060, .family = 4 } };
    struct phone_settings ps = { .endpoint = { .times = usual, .seed = { 1, 2 } }, .user = SLICE("u"), .domain = SLICE("x"),
                                 .server = server };
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    const char *first, *second;

    CHECK_EQ(load_phone(load, LOAD_CALLEE, &ps, &sender, START_NS), 0);
    CHECK(sip_message_parse(invite, SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    load_receive(load, 0, &server, &m, START_NS);
    CHECK(strncmp(last_sent, "SIP/2.0 180 ", 12) == 0);
    first = strstr(last_sent, "Record-Route: <sip:10.0.0.9;lr>\r\n");
    second = strstr(last_sent, "Record-Route: <sip:10.0.0.8;lr>\r\n");
    CHECK(first && second && first < second);
    load_free(load);
}
