/* lab/anchor_test.c - calls whose media go by a relay, in a network of memory: what is sent on,
 * in which order, and what becomes of a call when the relay is slow, silent, or refuses
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "harness/lab_relay.h"
#include "harness/test.h"
#include "lab/phone.h"
#include "lab/sim.h"
#include "sip/sdp.h"
#include "switch/b2bua.h"

#define MS 1000000ll
#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)

enum { A, B, C, PHONES, S = PHONES };

static const char *const names[] = { "a", "b", "c", "s" };

static struct {
    struct sim      *sim;
    struct phone    *phones[PHONES];
    struct phone_call *calls[PHONES];
    struct endpoint *endpoint;
    struct b2bua    *b2bua;
    struct media_relay *media;
    struct fake_relay relay;
    int64_t          now_ns;
    char             trace[8192];
    unsigned         status[PHONES], ended[PHONES], answered[PHONES], invited[PHONES];
    unsigned         raw, rewritten; /* SDP that left the switch */
    unsigned         answer[PHONES]; /* 183: reliable, with SDP, then 180 and 200 at once */
    unsigned         retry_after;
    bool             fork;
} w;

static struct address at(int node) { return (struct address){ .ip = { 10, 0, 0, (uint8_t)(1 + node) }, .port = 5060, .family = 4 }; }

/* ---- what is seen ---- */

static void tap(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    size_t used = strlen(w.trace);
    int from = to->local.ip[3] - 1, there = to->remote.ip[3] - 1;
    slice sdp;

    (void)ctx, (void)now_ns, (void)lost;
    CHECK(sip_message_parse(bytes, SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) > 0);
    if (m.is_request)
        snprintf(w.trace + used, sizeof w.trace - used, "%s>%s " SLICE_FMT "\n", names[from], names[there], SLICE_ARG(m.method_text));
    else
        snprintf(w.trace + used, sizeof w.trace - used, "%s>%s %u " SLICE_FMT "\n", names[from], names[there], m.status,
                 SLICE_ARG(m.cseq.method));
    if (from == S && !m.is_request && m.status == 503 && sip_header_find(&m, SIP_H_RETRY_AFTER))
        w.retry_after++;
    if (from != S || !sip_sdp_of(&m, &sdp))
        return;
    if (slice_find(sdp, SLICE("IP4 9.9.9.")) >= 0 && slice_find(sdp, SLICE("10.0.0.")) < 0)
        w.rewritten++;
    else
        w.raw++;
}

static int index_of(const struct phone *p)
{
    for (int i = 0; i < PHONES; i++)
        if (w.phones[i] == p)
            return i;
    return A;
}

static void on_incoming(void *ctx, struct phone_call *c, const struct sip_message *invite)
{
    int i = index_of(phone_of_call(c));

    (void)ctx, (void)invite;
    w.calls[i] = c;
    w.invited[i]++;
    if (w.answer[i] == 183) {
        phone_answer(c, 183, (slice){ 0 }, false, true);
        phone_answer(c, 180, (slice){ 0 }, false, false);
        phone_answer(c, 200, (slice){ 0 }, false, true);
    } else if (w.answer[i]) {
        phone_answer(c, w.answer[i], (slice){ 0 }, w.answer[i] < 200, w.answer[i] < 300);
    }
}

static void on_answered(void *ctx, struct phone_call *c)
{
    (void)ctx;
    w.answered[index_of(phone_of_call(c))]++;
}

static void on_ended(void *ctx, struct phone_call *c, unsigned status, bool by_us)
{
    int i = index_of(phone_of_call(c));

    (void)ctx, (void)by_us;
    w.status[i] = status;
    w.ended[i]++;
    if (w.calls[i] == c)
        w.calls[i] = NULL;
}

/* ---- the switch in the middle ---- */

static void route(void *ctx, const struct route_question *q, struct route *ret)
{
    (void)ctx, (void)q;
    for (int to = B; to <= (w.fork ? C : B); to++)
        ret->targets[ret->target_count++] = (struct route_target){ .uri = to == B ? SLICE("sip:bob@10.0.0.2") : SLICE("sip:bob@10.0.0.3"),
                                                                   .hop = { .local = at(S), .remote = at(to) } };
}

static void s_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from) { (void)ctx; b2bua_request(w.b2bua, s, m, from); }
static void s_cancelled(void *ctx, struct server_transaction *s, const struct sip_message *m) { (void)ctx; b2bua_cancelled(w.b2bua, s, m); }
static void s_ack(void *ctx, const struct sip_message *m, const struct hop *from) { (void)ctx; b2bua_acknowledged(w.b2bua, m, from); }
static void s_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from)
{
    (void)ctx;
    (void)b2bua_response(w.b2bua, c, m, from);
}
static void s_failed(void *ctx, struct client_transaction *c, enum endpoint_failure why) { (void)ctx; (void)b2bua_failed(w.b2bua, c, why); }
static void s_server_ended(void *ctx, struct server_transaction *s) { (void)ctx; b2bua_server_ended(w.b2bua, s); }
static void s_client_ended(void *ctx, struct client_transaction *c) { (void)ctx; b2bua_client_ended(w.b2bua, c); }

static void s_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    (void)ctx;
    w.now_ns = now_ns;
    endpoint_receive(w.endpoint, from, m, now_ns);
}

static void s_time(void *ctx, int64_t now_ns)
{
    struct fake_letter letter;

    (void)ctx;
    w.now_ns = now_ns;
    endpoint_time(w.endpoint, now_ns);
    b2bua_time(w.b2bua, now_ns);
    while (fake_relay_take(&w.relay, now_ns, &letter))
        media_relay_receive(w.media, slice_of(letter.bytes, letter.len), now_ns);
    media_relay_time(w.media, now_ns);
}

static int64_t s_next(void *ctx)
{
    int64_t next[] = { endpoint_next_ns(w.endpoint), b2bua_next_ns(w.b2bua), fake_relay_next_ns(&w.relay), media_relay_next_ns(w.media) };
    int64_t first = next[0];

    (void)ctx;
    for (size_t i = 1; i < ARRAY_LEN(next); i++)
        first = next[i] < first ? next[i] : first;
    return first;
}

static void p_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns) { phone_receive(ctx, from, m, now_ns); }
static void p_time(void *ctx, int64_t now_ns) { phone_time(ctx, now_ns); }
static int64_t p_next(void *ctx) { return phone_next_ns(ctx); }

static void begin(uint64_t seed, bool required)
{
    static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
    static const char *const users[] = { "alice", "bob", "bob" };
    struct sim_settings settings = { .seed = seed, .delay_min_ns = 2 * MS, .delay_max_ns = 2 * MS };
    struct phone_owner owner = { .incoming = on_incoming, .answered = on_answered, .ended = on_ended };
    struct endpoint_user user = { .request = s_request, .cancelled = s_cancelled, .acknowledged = s_ack, .response = s_response,
                                  .failed = s_failed, .server_ended = s_server_ended, .client_ended = s_client_ended };
    struct endpoint_settings es = { .times = usual, .seed = { seed, 99 }, .worker = S };
    struct media_relay_settings ms = { .seed = { seed, 7 }, .ping_ns = -1 };
    struct b2bua_settings bs = { .seed = { seed, 3 }, .no_answer_ns = 30 * SECOND_NS, .media_required = required };
    struct router router = { .route = route };
    struct sim_node node = { &w, at(S), s_receive, NULL, s_time, s_next };

    memset(&w, 0, sizeof w);
    w.now_ns = START_NS;
    w.relay.now_ns = &w.now_ns;
    w.relay.delay_ns = 5 * MS;
    w.sim = sim_new(&settings, START_NS);
    for (int i = 0; i < PHONES; i++) {
        struct sim_node phone = { NULL, at(i), p_receive, NULL, p_time, p_next };
        struct phone_settings ps = { .endpoint = { .times = usual, .seed = { seed, (uint64_t)i }, .worker = (uint8_t)i },
                                     .user = slice_of_string(users[i]), .domain = SLICE("10.0.0.4"),
                                     .server = { .local = at(i), .remote = at(S) } };
        int place = sim_add(w.sim, &phone);
        struct hop_sender sender = sim_sender(w.sim, place);

        w.phones[i] = phone_new(&ps, &sender, &owner, START_NS);
        sim_rebind(w.sim, place, w.phones[i]);
        w.answer[i] = 200;
    }
    struct hop_sender sender = sim_sender(w.sim, sim_add(w.sim, &node));
    struct media_sender to_relay = fake_relay_sender(&w.relay);

    w.endpoint = endpoint_new(&es, &sender, &user, START_NS);
    w.media = media_relay_new(&ms, &to_relay, START_NS);
    bs.media = w.media;
    w.b2bua = b2bua_new(&bs, w.endpoint, &router, START_NS);
    sim_tap(w.sim, tap, NULL);
}

static void run_s(double seconds) { sim_run(w.sim, sim_now_ns(w.sim) + (int64_t)(seconds * 1e9)); }

/* After all timers nothing is left anywhere; `row` is the seed or the number of a row. */
static void finish(int row)
{
    run_s(200);
    CHECK_ROW_EQ(row, b2bua_counts(w.b2bua)->live, 0);
    CHECK_ROW_EQ(row, b2bua_memory_bytes(w.b2bua), 0);
    CHECK_ROW_EQ(row, endpoint_live(w.endpoint), 0);
    CHECK_ROW_EQ(row, media_relay_open(w.media), 0);
    CHECK_ROW(row, w.relay.calls == 0 || w.relay.mood != FAKE_WORKS);
    for (int i = 0; i < PHONES; i++) {
        CHECK_ROW_EQ(row, phone_calls(w.phones[i]), 0);
        CHECK_ROW_EQ(row, phone_transactions(w.phones[i]), 0);
        w.phones[i] = phone_free(w.phones[i]);
    }
    w.b2bua = b2bua_free(w.b2bua);
    w.endpoint = endpoint_free(w.endpoint);
    w.media = media_relay_free(w.media);
    w.sim = sim_free(w.sim);
}

static void dial(unsigned how)
{
    w.calls[A] = phone_dial(w.phones[A], SLICE("sip:bob@10.0.0.4"), how);
    CHECK(w.calls[A] != NULL);
}

static void hang_up(int who)
{
    if (w.calls[who])
        phone_hang_up(w.calls[who]);
}

/* ---- flows ---- */

static void basic(void)
{
    dial(0);
    run_s(30);
    hang_up(A);
    run_s(60);
}

static void late_offer(void)
{
    dial(PHONE_LATE_OFFER);
    run_s(30);
    hang_up(B);
    run_s(60);
}

static void early_media(void)
{
    w.answer[B] = 183;
    basic();
}

static void hold(void)
{
    dial(0);
    run_s(30);
    for (int i = 0; i < 4; i++) {
        int who = i % 2 ? B : A;

        if (w.calls[who])
            (void)phone_offer(w.calls[who], i < 2 ? SIP_INVITE : SIP_UPDATE, i % 2 ? PHONE_SENDRECV : PHONE_SENDONLY);
        run_s(30);
    }
    hang_up(A);
    run_s(60);
}

static void forked(void)
{
    w.fork = true;
    basic();
}

static void given_up(void)
{
    w.answer[B] = 180;
    dial(0);
    run_s(10);
    hang_up(A);
    run_s(60);
}

static const struct { void (*play)(void); const char *name; unsigned offers, answers, rewritten, status; } flows[] = {
    { basic, "basic", 1, 1, 2, 200 },
    { late_offer, "late offer", 1, 1, 2, 200 },
    { early_media, "early media", 1, 2, 3, 200 },
    { hold, "hold", 5, 5, 10, 200 },
    { forked, "forked", 2, 1, 3, 200 },                   /* the other phone's answer came too late */
    { given_up, "given up", 1, 1, 2, 487 },
};

TEST(all_sdp_goes_by_the_relay_and_the_relay_is_told_when_the_call_is_over)
{
    for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
        begin(1, true);
        flows[i].play();
        CHECK_ROW_EQ(i, w.status[A], flows[i].status);
        CHECK_ROW_EQ(i, w.raw, 0);
        CHECK_ROW_EQ(i, w.relay.offers, flows[i].offers);
        CHECK_ROW_EQ(i, w.relay.answers, flows[i].answers);
        CHECK_ROW_EQ(i, w.rewritten, flows[i].rewritten);
        CHECK_ROW_EQ(i, w.relay.deletes, 1);
        CHECK_ROW_EQ(i, b2bua_counts(w.b2bua)->unanchored, 0);
        finish((int)i);
    }
}

/* Each flow again with each of its messages lost, or those to the relay, and with a relay that
 * takes longer than a message is repeated. */
TEST(an_anchored_call_survives_whatever_is_lost_and_a_slow_relay)
{
    for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
        int64_t delays_ns[] = { 0, 5 * MS, 400 * MS, 700 * MS };

        for (size_t d = 0; d < ARRAY_LEN(delays_ns); d++) {
            uint64_t messages = 1;

            for (uint64_t n = 0; n <= messages; n++) {
                int row = (int)(i * 10000 + d * 1000 + n);

                begin(1, true);
                w.relay.delay_ns = delays_ns[d];
                w.relay.lose = (unsigned)n;
                sim_lose(w.sim, n);
                flows[i].play();
                messages = n ? messages : sim_counts(w.sim)->sent;
                CHECK_ROW_EQ(row, w.ended[A], 1);
                CHECK_ROW_EQ(row, w.status[A], flows[i].status);
                CHECK_ROW_EQ(row, w.raw, 0);
                finish(row);
            }
        }
    }
}

TEST(messages_keep_their_order_behind_one_that_waits)
{
    static const struct { unsigned status; bool sdp; } said[] = { { 183, true }, { 182, false }, { 183, true }, { 180, false }, { 200, true } };

    begin(1, true);
    w.relay.delay_ns = 100 * MS;
    w.answer[B] = 0;
    dial(0);
    run_s(1);
    w.trace[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        CHECK(phone_answer(w.calls[B], said[i].status, (slice){ 0 }, false, said[i].sdp));
    run_s(5);
    CHECK_STR_EQ(w.trace, "b>s 183 INVITE\nb>s 182 INVITE\nb>s 183 INVITE\nb>s 180 INVITE\nb>s 200 INVITE\n"
                          "s>a 183 INVITE\ns>a 182 INVITE\ns>a 183 INVITE\ns>a 180 INVITE\ns>b ACK\ns>a 200 INVITE\na>s ACK\n");
    CHECK_EQ(w.raw, 0);
    hang_up(A);
    finish(0);
}

TEST(the_answer_to_an_offer_that_passed_without_the_relay_passes_without_it_too)
{
    begin(1, false);
    w.relay.mood = FAKE_BABBLES;
    w.answer[B] = 0;
    dial(0);
    run_s(1);
    w.relay.mood = FAKE_WORKS;
    CHECK(phone_answer(w.calls[B], 200, (slice){ 0 }, false, true));
    run_s(5);
    CHECK(w.answered[A] == 1 && w.raw == 2 && w.relay.answers == 0);
    CHECK(phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY));        /* the next one has its chance */
    run_s(5);
    CHECK(w.rewritten == 2 && w.relay.answers == 1);
    hang_up(A);
    finish(0);
}

TEST(without_the_relay_a_call_is_passed_through_or_refused_as_is_wished)
{
    static const struct { bool required; enum fake_mood mood; unsigned status, raw, retry_after; } rows[] = {
        { false, FAKE_SILENT, 200, 2, 0 },
        { true, FAKE_SILENT, 503, 0, 1 },
        { false, FAKE_BABBLES, 200, 2, 0 },
        { true, FAKE_BABBLES, 503, 0, 1 },
        { false, FAKE_REFUSES, 488, 0, 0 },
        { true, FAKE_REFUSES, 488, 0, 0 },
        { false, FAKE_REFUSES_ANSWERS, 488, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(i, rows[i].required);
        w.relay.mood = rows[i].mood;
        for (unsigned again = 1; again <= 2; again++) {   /* then the relay is known to be away */
            dial(0);
            run_s(again == 1 ? 5 : 0.1);
            hang_up(A);
            run_s(5);
            CHECK_ROW_EQ(i, w.ended[A], again);
            CHECK_ROW_EQ(i, w.status[A], rows[i].status);
            CHECK_ROW_EQ(i, w.raw, rows[i].raw * again);
            CHECK_ROW_EQ(i, w.retry_after, rows[i].retry_after * again);
            CHECK_ROW_EQ(i, w.ended[B], w.invited[B]);
        }
        finish((int)i);
    }
}

TEST(a_caller_that_gives_up_while_the_relay_thinks_rings_nobody)
{
    begin(1, true);
    w.relay.delay_ns = 450 * MS;
    dial(0);
    run_s(0.3);
    hang_up(A);
    run_s(20);
    CHECK_EQ(w.status[A], 487);
    CHECK_EQ(w.invited[B], 0);
    CHECK_EQ(w.relay.deletes, 1);
    finish(0);
}

/* At any moment of a call one of them ends it; whatever waits then comes to its end, too. */
TEST(a_call_may_end_at_any_moment_although_something_waits)
{
    for (int row = 0; row < 1200; row++) {
        int who = row % 2 ? B : A, flow = row / 2 % 3;

        begin((uint64_t)row, true);
        w.relay.delay_ns = 150 * MS;
        w.answer[B] = flow == 1 ? 183 : 200;
        dial(flow == 2 ? PHONE_LATE_OFFER : 0);
        if (row % 5 == 0) {
            run_s(5);
            if (w.calls[row % 3 ? A : B])
                (void)phone_offer(w.calls[row % 3 ? A : B], row % 7 ? SIP_INVITE : SIP_UPDATE, PHONE_SENDONLY);
        }
        run_s(row * 0.0005);
        hang_up(who);
        run_s(60);
        hang_up(A);                                       /* B's time may not have come */
        run_s(60);
        CHECK_ROW_EQ(row, w.ended[A], 1);
        CHECK_ROW_EQ(row, w.ended[B], w.invited[B]);
        CHECK_ROW_EQ(row, w.raw, 0);
        finish(row);
    }
}

TEST(a_refused_reinvite_leaves_the_call_as_it_was)
{
    begin(1, false);
    dial(0);
    run_s(5);
    w.relay.mood = FAKE_REFUSES;
    CHECK(phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY));
    run_s(5);
    CHECK(strstr(w.trace, "a>s INVITE\ns>a 488 INVITE\n") != NULL);
    CHECK(w.calls[A] && w.calls[B]);
    w.relay.mood = FAKE_WORKS;
    hang_up(A);
    run_s(10);
    CHECK_EQ(w.status[A], 200);
    CHECK_EQ(w.raw, 0);
    finish(0);
}

/* ---- another configuration ---- */

static void set_media(bool anchor)
{
    struct b2bua_settings bs = { .no_answer_ns = 30 * SECOND_NS, .media = anchor ? w.media : NULL, .media_required = true };

    b2bua_set(w.b2bua, &bs);
}

TEST(a_call_keeps_the_relay_or_none_that_it_began_with)
{
    for (int ms = 0; ms < 50; ms++)
        for (int anchor = 0; anchor < 2; anchor++) {
            int row = ms * 10 + anchor;

            begin(1, true);
            set_media(anchor);
            dial(0);
            run_s(0.001 + ms / 1000.0);                   /* the first INVITE needs 2 ms: it may begin after the change */
            bool begun = b2bua_counts(w.b2bua)->calls == 1, by_relay = begun ? anchor : !anchor;

            set_media(!anchor);
            run_s(5);
            CHECK_ROW(row, w.calls[A] && phone_call_is_up(w.calls[A]));
            (void)phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY);
            run_s(5);
            CHECK_ROW_EQ(row, w.relay.offers, by_relay ? 2 : 0);
            CHECK_ROW_EQ(row, by_relay ? w.raw : w.rewritten, 0);
            hang_up(A);
            run_s(5);
            CHECK_ROW_EQ(row, w.relay.deletes, by_relay);
            finish(row);
        }
}
