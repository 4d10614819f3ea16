/* lab/scripts_test.c - every flow of the lab in a network of memory, with our whole server: as it
 * is, in a bad network, and with a server that does something else
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/scripts.h"

#include "codes/flow.h"
#include "harness/test.h"
#include "lab/play.h"
#include "lab/sim.h"

#define MS 1000000ll
#define START_NS (1795251000ll * 1000 * MS)

enum { S = SCRIPT_PHONES };

struct world {
    struct sim        *sim;
    struct lab_server *server;
    struct play       *play;
    struct phone      *phones[SCRIPT_PHONES];
};

static struct address at(int node) { return (struct address){ .ip = { 127, 0, 0, (uint8_t)(2 + node) }, .port = 5060, .family = 4 }; }

static void s_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    worker_receive(lab_server_worker(ctx), from, m->all, now_ns);
}
static void s_time(void *ctx, int64_t now_ns) { worker_time(lab_server_worker(ctx), now_ns); }
static int64_t s_next(void *ctx) { return worker_next_ns(lab_server_worker(ctx)); }
static void p_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns) { phone_receive(ctx, from, m, now_ns); }
static void p_time(void *ctx, int64_t now_ns) { phone_time(ctx, now_ns); }
static int64_t p_next(void *ctx) { return phone_next_ns(ctx); }
static void play_due(void *ctx, int64_t now_ns) { play_time(ctx, now_ns); }
static int64_t play_next(void *ctx) { return play_next_ns(ctx); }

static void tap(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost)
{
    (void)to, (void)bytes, (void)lost;
    play_heard(ctx, now_ns);
}

static bool begin_server(struct world *w, const struct script *s, bool without_wishes)
{
    struct lab_server_settings settings = { .address = at(S), .seed = { 1, 2 }, .wishes = s->wishes };
    struct sim_node node = { NULL, at(S), s_receive, NULL, s_time, s_next };
    int place = sim_add(w->sim, &node);
    struct hop_sender sender = sim_sender(w->sim, place);

    if (without_wishes)
        settings.wishes = (struct lab_wishes){ .no_answer_s = 2 };
    w->server = lab_server_new(&settings, &sender, START_NS);
    sim_rebind(w->sim, place, w->server);
    return w->server != NULL;
}

static bool begin_phone(struct world *w, unsigned i)
{
    static const struct transaction_times times = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    static const slice uris[] = { SLICE_INIT("sip:alice@" LAB_DOMAIN), SLICE_INIT("sip:bob@" LAB_DOMAIN),
                                  SLICE_INIT("sip:carol@" LAB_DOMAIN) };
    struct phone_settings settings = { .endpoint = { .times = times, .seed = { i, 5 }, .worker = (uint8_t)(i + 1) },
                                       .user = lab_user_name(i), .password = SLICE(LAB_PASSWORD), .domain = SLICE(LAB_DOMAIN),
                                       .server = { .local = at((int)i), .remote = at(S) } };
    struct sim_node node = { NULL, at((int)i), p_receive, NULL, p_time, p_next };
    int place = sim_add(w->sim, &node);
    struct hop_sender sender = sim_sender(w->sim, place);
    struct phone_owner owner = play_owner(w->play);

    w->phones[i] = phone_new(&settings, &sender, &owner, START_NS);
    sim_rebind(w->sim, place, w->phones[i]);
    play_set_phone(w->play, i, w->phones[i], uris[i]);
    return w->phones[i] != NULL;
}

static struct play_result run(const struct script *s, const struct sim_settings *network, bool without_wishes)
{
    struct world w = { 0 };
    bool bad = network->loss_ppm || network->twice_ppm;
    struct play_settings settings = { .bad_network = bad, .patience_ns = bad ? 60000 * MS : 0, .leaves = s->is_registration };
    struct play_result result = { .failed = true };
    bool fine;

    w.sim = sim_new(network, START_NS);
    w.play = play_new(s, &settings, START_NS);
    fine = w.sim && w.play && begin_server(&w, s, without_wishes);
    for (const char *who = s->phones; fine && *who; who++)
        fine = begin_phone(&w, (unsigned)(*who - 'a'));
    if (fine) {
        struct sim_node node = { w.play, { .port = 1, .family = 4 }, NULL, NULL, play_due, play_next };

        (void)sim_add(w.sim, &node);
        sim_tap(w.sim, tap, w.play);
        for (int i = 0; i < 400 && !play_is_over(w.play); i++)
            sim_run(w.sim, sim_now_ns(w.sim) + 1000 * MS);
        result = *play_result(w.play);
        result.failed |= !play_is_over(w.play);
    }
    for (unsigned i = 0; i < SCRIPT_PHONES; i++)
        phone_free(w.phones[i]);
    lab_server_free(w.server);
    play_free(w.play);
    sim_free(w.sim);
    return result;
}

TEST(every_flow_goes_as_its_script_says)
{
    struct sim_settings network = { .seed = 1, .delay_min_ns = MS, .delay_max_ns = MS };

    for (size_t i = 0; i < script_count(); i++) {
        struct play_result r = run(script_at(i), &network, false);

        if (r.failed)
            printf("# %s: step %u of %c: wanted %s, came %s\n", script_at(i)->name, r.step, r.who, r.expected, r.came);
        CHECK_ROW(i, !r.failed);
    }
}

TEST(every_flow_survives_a_bad_network)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (size_t i = 0; i < script_count(); i++) {
            struct sim_settings network = { .seed = seed * 100 + i, .loss_ppm = 50000, .twice_ppm = 20000, .delay_min_ns = 20 * MS,
                                            .delay_max_ns = 50 * MS };
            struct play_result r = run(script_at(i), &network, false);

            if (r.failed)
                printf("# seed %d, %s: step %u of %c: wanted %s, came %s\n", (int)network.seed, script_at(i)->name, r.step, r.who,
                       r.expected, r.came);
            CHECK_ROW(seed * 100 + i, !r.failed);
        }
}

/* Bob's wishes do not reach the server: no forwards, no waiting. The script says at which row. */
TEST(a_server_that_does_something_else_is_told_at_the_first_row_that_differs)
{
    static const struct { const char *name; char who; const char *expected, *came; } rows[] = {
        { "forward-busy", 'a', "181", "486" },
        { "forward-no-answer", 'a', "181", "480" },
    };
    struct sim_settings network = { .seed = 1, .delay_min_ns = MS, .delay_max_ns = MS };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play_result r = run(script_find(slice_of_string(rows[i].name)), &network, true);

        CHECK_ROW(i, r.failed);
        CHECK_ROW_EQ(i, r.who, rows[i].who);
        CHECK_STR_EQ(r.expected, rows[i].expected);
        CHECK_STR_EQ(r.came, rows[i].came);
    }
}

TEST(each_script_has_a_name_of_its_own_a_purpose_and_a_reference_that_exists)
{
    for (size_t i = 0; i < script_count(); i++) {
        const struct script *s = script_at(i);

        CHECK_ROW(i, script_find(slice_of_string(s->name)) == s);
        CHECK_ROW(i, script_purpose(s, words_english()).len > 20);
        CHECK_ROW(i, !s->flow || flow_find(slice_of_string(s->flow)) != FLOW_NONE);
        CHECK_ROW(i, s->phones[0] == 'a' && strlen(s->phones) <= SCRIPT_PHONES);
    }
    CHECK(script_find(SLICE("nothing")) == NULL && script_at(1000) == NULL);
}
