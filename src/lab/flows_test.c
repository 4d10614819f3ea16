/* lab/flows_test.c - the twelve flows and the 25 steps through the back-to-back user agent, in a
 * network of memory: each as it should go, and again with each single message lost or doubled
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "harness/test.h"
#include "lab/phone.h"
#include "lab/sim.h"
#include "sip/fields.h"
#include "switch/b2bua.h"

#define MS 1000000ll
#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)

enum { A, B, C, PHONES, S = PHONES, TRACE_MAX = 4096 };

static const char *const names[] = { "a", "b", "c", "s" };

struct world {
    struct sim      *sim;
    struct phone    *phones[PHONES];
    struct phone_call *calls[PHONES];
    struct endpoint *endpoint;
    struct b2bua    *b2bua;
    char             trace[TRACE_MAX];                    /* "a>s INVITE", one a line */
    char             told[PHONES][512];
    unsigned         status[PHONES], ended[PHONES], calls_seen, joined;
    struct user      b_user;
    bool             two_contacts;
    /* what B and C do */
    unsigned         answer[PHONES];
    bool             reliable, waits;
};

static struct world w;

static struct address at(int node) { return (struct address){ .ip = { 10, 0, 0, (uint8_t)(1 + node) }, .port = 5060, .family = 4 }; }

static int node_of(const struct address *a) { return a->ip[3] - 1; }

static void on_transferred(void *ctx, struct phone_call *c, unsigned status);

/* Legs of the switch that are one call. */
static void on_joined(void *ctx, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further)
{
    (void)ctx;
    CHECK(first->call_id.len && first->caller_tag.len && further->call_id.len && further->caller_tag.len);
    w.joined++;
}

/* ---- what is seen ---- */

static void tap(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost)
{
    size_t used = strlen(w.trace);
    slice rest = bytes, word = slice_take_until(&rest, ' ');
    slice cseq = rest, method = { 0 };
    ptrdiff_t at_cseq = slice_find(rest, SLICE("CSeq: "));

    (void)ctx, (void)now_ns, (void)lost;
    if (slice_eq(word, SLICE("SIP/2.0"))) {
        rest = slice_skip(rest, 1);
        word = slice_take_until(&rest, ' ');
        cseq = slice_skip(cseq, (size_t)at_cseq + 6);
        (void)slice_take_until(&cseq, ' ');
        cseq = slice_skip(cseq, 1);
        method = slice_take_until(&cseq, '\r');
    }
    snprintf(w.trace + used, sizeof w.trace - used, "%s>%s %.*s%s%.*s\n", names[node_of(&to->local)], names[node_of(&to->remote)],
             (int)word.len, word.ptr, method.len ? " " : "", (int)method.len, method.ptr);
}

static void tell(struct phone *p, const char *what)
{
    for (int i = 0; i < PHONES; i++)
        if (w.phones[i] == p) {
            size_t used = strlen(w.told[i]);

            snprintf(w.told[i] + used, sizeof w.told[i] - used, "%s ", what);
        }
}

static int index_of(const struct phone *p)
{
    for (int i = 0; i < PHONES; i++)
        if (w.phones[i] == p)
            return i;
    return A;
}

/* ---- what the phones do ---- */

static void on_incoming(void *ctx, struct phone_call *c, const struct sip_message *invite)
{
    int i = index_of(phone_of_call(c));

    (void)ctx;
    if (sip_header_find(invite, SIP_H_HISTORY_INFO))
        tell(phone_of_call(c), "history");
    if (sip_header_find(invite, SIP_H_ALERT_INFO))
        tell(phone_of_call(c), "waiting");
    w.calls[i] = c;
    w.calls_seen++;
    if (w.answer[i] == 0)
        return;
    if (w.answer[i] == 183) {
        phone_answer(c, 183, (slice){ 0 }, true, true);
        return;
    }
    if (w.answer[i] < 300)
        phone_answer(c, 180, (slice){ 0 }, w.reliable, false);
    if (w.answer[i] >= 200)
        phone_answer(c, w.answer[i], (slice){ 0 }, false, w.answer[i] < 300);
}

static void on_progress(void *ctx, struct phone_call *c, unsigned status, const struct sip_message *m)
{
    char text[32];

    (void)ctx, (void)m;
    snprintf(text, sizeof text, "%u", status);
    tell(phone_of_call(c), text);
}

/* Of the 25 steps: A has B's 183 acknowledged and its resources soon after. */
static void on_prack_done(void *ctx, struct phone_call *c)
{
    (void)ctx;
    if (phone_call_wants_resources(c))
        phone_resources_ready(c);
}

static void on_updated(void *ctx, struct phone_call *c, const struct sip_message *m)
{
    (void)ctx;
    tell(phone_of_call(c), m->method == SIP_UPDATE ? "update" : "reinvite");
    if (w.answer[index_of(phone_of_call(c))] == 183 && !phone_call_wants_resources(c) && !phone_call_is_up(c)) {
        phone_answer(c, 180, (slice){ 0 }, false, false);
        phone_answer(c, 200, (slice){ 0 }, false, false);
    }
}

static void on_changed(void *ctx, struct phone_call *c, unsigned status)
{
    char text[32];

    (void)ctx;
    snprintf(text, sizeof text, "changed-%u", status);
    tell(phone_of_call(c), text);
}

static void on_answered(void *ctx, struct phone_call *c)
{
    (void)ctx;
    tell(phone_of_call(c), "up");
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
    slice uri = q->uri;
    int to = slice_find(uri, SLICE("bob")) >= 0 ? B : slice_find(uri, SLICE("carol")) >= 0 ? C : -1;

    (void)ctx;
    if (to < 0) {
        ret->status = 404;
        return;
    }
    ret->targets[ret->target_count++] = (struct route_target){
        .uri = to == B ? SLICE("sip:bob@10.0.0.2") : SLICE("sip:carol@10.0.0.3"),
        .hop = { .local = at(S), .remote = at(to) },
    };
    if (to == B && w.two_contacts)
        ret->targets[ret->target_count++] = (struct route_target){ .uri = SLICE("sip:bob@10.0.0.3"),
                                                                   .hop = { .local = at(S), .remote = at(C) } };
    ret->called = to == B ? SLICE("bob@x") : SLICE("carol@x");
    if (to != B)
        return;
    ret->flags = w.b_user.flags;
    ret->calls_max = w.b_user.calls_max;
    ret->no_answer_ns = w.b_user.no_answer_s * SECOND_NS;
    memcpy(ret->forward, w.b_user.forward, sizeof ret->forward);
}

static void s_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    b2bua_request(((struct world *)ctx)->b2bua, s, m, from);
}
static void s_cancelled(void *ctx, struct server_transaction *s, const struct sip_message *m) { b2bua_cancelled(((struct world *)ctx)->b2bua, s, m); }
static void s_ack(void *ctx, const struct sip_message *m, const struct hop *from) { b2bua_acknowledged(((struct world *)ctx)->b2bua, m, from); }
static void s_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from)
{
    (void)b2bua_response(((struct world *)ctx)->b2bua, c, m, from);
}
static void s_failed(void *ctx, struct client_transaction *c, enum endpoint_failure why) { (void)b2bua_failed(((struct world *)ctx)->b2bua, c, why); }
static void s_server_ended(void *ctx, struct server_transaction *s) { b2bua_server_ended(((struct world *)ctx)->b2bua, s); }
static void s_client_ended(void *ctx, struct client_transaction *c) { b2bua_client_ended(((struct world *)ctx)->b2bua, c); }

static void s_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    endpoint_receive(((struct world *)ctx)->endpoint, from, m, now_ns);
}
static void s_time(void *ctx, int64_t now_ns)
{
    endpoint_time(((struct world *)ctx)->endpoint, now_ns);
    b2bua_time(((struct world *)ctx)->b2bua, now_ns);
}
static int64_t s_next(void *ctx)
{
    int64_t a = endpoint_next_ns(((struct world *)ctx)->endpoint), b = b2bua_next_ns(((struct world *)ctx)->b2bua);

    return a < b ? a : b;
}

static void p_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns) { phone_receive(ctx, from, m, now_ns); }
static void p_time(void *ctx, int64_t now_ns) { phone_time(ctx, now_ns); }
static int64_t p_next(void *ctx) { return phone_next_ns(ctx); }

/* ---- the world ---- */

static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };

/* Session timers of the worlds that follow: ours, and what each phone does about them. */
static struct { bool on; struct { bool knows, refreshes, no_update; } phones[PHONES]; } timers;

static void begin(uint64_t seed)
{
    static const char *const users[] = { "alice", "bob", "carol" };
    struct sim_settings settings = { .seed = seed, .delay_min_ns = 2 * MS, .delay_max_ns = 2 * MS };
    struct phone_owner owner = { .incoming = on_incoming, .progress = on_progress, .prack_done = on_prack_done,
                                 .updated = on_updated, .changed = on_changed, .answered = on_answered, .ended = on_ended, .transferred = on_transferred };
    struct endpoint_user user = { &w, s_request, s_cancelled, s_ack, s_response, s_failed, s_server_ended, s_client_ended, NULL, NULL };
    struct endpoint_settings es = { .times = usual, .seed = { seed, 99 }, .worker = S };
    struct b2bua_settings bs = { .seed = { seed, 3 }, .no_answer_ns = 30 * SECOND_NS, .observer = { NULL, on_joined },
                                 .session_timer = timers.on ? B2BUA_TIMER_ASK : B2BUA_TIMER_THROUGH, .session_expires_s = 90 };
    struct router router = { .ctx = &w, .route = route };

    memset(&w, 0, sizeof w);
    w.sim = sim_new(&settings, START_NS);
    for (int i = 0; i < PHONES; i++) {
        struct hop_sender sender = { 0 };
        struct sim_node node = { NULL, at(i), p_receive, NULL, p_time, p_next };
        struct phone_settings ps = { .endpoint = { .times = usual, .seed = { seed, (uint64_t)i }, .worker = (uint8_t)i },
                                     .user = slice_of_string(users[i]), .domain = SLICE("10.0.0.4"),
                                     .server = { .local = at(i), .remote = at(S) }, .session_s = 120,
                                     .knows_timer = timers.phones[i].knows, .refreshes = timers.phones[i].refreshes,
                                     .no_update = timers.phones[i].no_update };
        int place = sim_add(w.sim, &node);

        sender = sim_sender(w.sim, place);
        w.phones[i] = phone_new(&ps, &sender, &owner, START_NS);
        sim_rebind(w.sim, place, w.phones[i]);
        w.answer[i] = 200;
    }
    struct sim_node node = { &w, at(S), s_receive, NULL, s_time, s_next };
    struct hop_sender sender = sim_sender(w.sim, sim_add(w.sim, &node));

    w.endpoint = endpoint_new(&es, &sender, &user, START_NS);
    w.b2bua = b2bua_new(&bs, w.endpoint, &router, START_NS);
    sim_tap(w.sim, tap, NULL);
}

static void run_s(double seconds) { sim_run(w.sim, sim_now_ns(w.sim) + (int64_t)(seconds * 1e9)); }

/* After all timers nothing is left anywhere. */
static void finish(int row)
{
    run_s(200);
    CHECK_ROW_EQ(row, b2bua_counts(w.b2bua)->live, 0);
    CHECK_ROW_EQ(row, b2bua_memory_bytes(w.b2bua), 0);
    CHECK_ROW_EQ(row, endpoint_live(w.endpoint), 0);
    CHECK_ROW_EQ(row, endpoint_memory_bytes(w.endpoint), 0);
    for (int i = 0; i < PHONES; i++) {
        if (!w.phones[i])
            continue;
        CHECK_ROW_EQ(row, phone_calls(w.phones[i]), 0);
        CHECK_ROW_EQ(row, phone_transactions(w.phones[i]), 0);
        w.phones[i] = phone_free(w.phones[i]);
    }
    w.b2bua = b2bua_free(w.b2bua);
    w.endpoint = endpoint_free(w.endpoint);
    w.sim = sim_free(w.sim);
}

static void dial(int from, const char *whom, unsigned how)
{
    w.calls[from] = phone_dial(w.phones[from], slice_of_string(whom), how);
    CHECK(w.calls[from] != NULL);
}

#define TRACE(wanted) CHECK_STR_EQ(w.trace, wanted)
#define TOLD(i, wanted) CHECK_STR_EQ(w.told[i], wanted)


/* Each flow is played as it is, and again with its n-th message lost, for all n, and with all
 * doubled; what must be true at the end holds for every one of them. */
static void each_way(void (*flow)(void), void (*holds)(int row))
{
    struct sim_settings doubled = { .twice_ppm = 1000000, .delay_min_ns = 2 * MS, .delay_max_ns = 2 * MS };
    int row = 0;

    begin(1);
    flow();
    holds(row);
    uint64_t messages = sim_counts(w.sim)->sent;

    finish(row++);
    for (uint64_t n = 1; n <= messages; n++, row++) {
        begin(1);
        sim_lose(w.sim, n);
        flow();
        holds(row);
        finish(row);
    }
    begin(1);
    sim_set(w.sim, &doubled);
    flow();
    holds(row);
    finish(row);
}

static void basic_flow(void)
{
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(40);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

static void both_ended_with_200(int row)
{
    CHECK_ROW_EQ(row, w.ended[A], 1);
    CHECK_ROW_EQ(row, w.ended[B], 1);
    CHECK_ROW_EQ(row, w.status[A], 200);
    CHECK_ROW_EQ(row, w.status[B], 200);
    CHECK_ROW_EQ(row, w.calls_seen, 1);
}

TEST(flow_3_a_basic_call_goes_through_and_is_released_by_either_side)
{
    for (int by = A; by <= B; by++) {
        begin(1);
        dial(A, "sip:bob@10.0.0.4", 0);
        run_s(1);
        TRACE("a>s INVITE\ns>b INVITE\nb>s 180 INVITE\nb>s 200 INVITE\n"
              "s>a 180 INVITE\ns>b ACK\ns>a 200 INVITE\na>s ACK\n");
        TOLD(A, "180 up ");
        TOLD(B, "up ");
        w.trace[0] = '\0';
        phone_hang_up(w.calls[by]);
        run_s(1);
        TRACE(by == A ? "a>s BYE\ns>a 200 BYE\ns>b BYE\nb>s 200 BYE\n" : "b>s BYE\ns>b 200 BYE\ns>a BYE\na>s 200 BYE\n");
        CHECK_EQ(w.ended[A], 1);
        CHECK_EQ(w.ended[B], 1);
        finish(by);
    }
}

TEST(flow_3_whatever_message_is_lost_or_doubled) { each_way(basic_flow, both_ended_with_200); }

TEST(flow_5_bye_from_both_sides_at_once)
{
    begin(1);
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(1);
    w.trace[0] = '\0';
    phone_hang_up(w.calls[A]);
    phone_hang_up(w.calls[B]);
    run_s(1);
    TRACE("a>s BYE\nb>s BYE\ns>a 200 BYE\ns>b BYE\ns>b 200 BYE\nb>s 200 BYE\n");
    CHECK_EQ(w.ended[A] + w.ended[B], 2);
    finish(0);
}

static void volte_flow(void)
{
    w.answer[B] = 183;
    dial(A, "sip:bob@10.0.0.4", PHONE_RELIABLE | PHONE_PRECONDITIONS);
    run_s(60);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

TEST(the_25_steps_of_a_volte_call)
{
    begin(1);
    volte_flow();
    TRACE("a>s INVITE\ns>b INVITE\nb>s 183 INVITE\ns>a 183 INVITE\na>s PRACK\ns>b PRACK\nb>s 200 PRACK\ns>a 200 PRACK\n"
          "a>s UPDATE\ns>b UPDATE\nb>s 200 UPDATE\nb>s 180 INVITE\nb>s 200 INVITE\ns>a 200 UPDATE\ns>a 180 INVITE\n"
          "s>b ACK\ns>a 200 INVITE\na>s ACK\n"
          "a>s BYE\ns>a 200 BYE\ns>b BYE\nb>s 200 BYE\n");
    TOLD(A, "183 changed-200 180 up ");
    TOLD(B, "update up ");
    finish(0);
}

TEST(the_25_steps_whatever_message_is_lost_or_doubled) { each_way(volte_flow, both_ended_with_200); }

static void busy_flow(void)
{
    w.answer[B] = 486;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(60);
}

static void a_heard_486(int row)
{
    CHECK_ROW_EQ(row, w.ended[A], 1);
    CHECK_ROW_EQ(row, w.status[A], 486);
    CHECK_ROW_EQ(row, w.ended[B], 1);
}

TEST(flow_6_busy)
{
    begin(1);
    busy_flow();
    TRACE("a>s INVITE\ns>b INVITE\nb>s 486 INVITE\ns>b ACK\ns>a 486 INVITE\na>s ACK\n");
    finish(0);
    each_way(busy_flow, a_heard_486);
}

TEST(every_final_code_of_b_reaches_a_with_its_phrase)
{
    for (unsigned status = 300; status < 700; status++) {
        begin(status);
        w.answer[B] = 0;
        dial(A, "sip:bob@10.0.0.4", 0);
        run_s(0.1);
        w.trace[0] = '\0';
        CHECK(phone_answer(w.calls[B], status, SLICE("As B says"), false, false));
        run_s(0.5);
        CHECK_ROW_EQ(status, w.status[A], status);
        finish((int)status);
    }
}

static void gives_up_flow(void)
{
    w.answer[B] = 180;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(10);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

static void a_heard_487(int row)
{
    CHECK_ROW_EQ(row, w.ended[A], 1);
    CHECK_ROW_EQ(row, w.status[A], 487);
    CHECK_ROW_EQ(row, w.ended[B], w.calls_seen);
    CHECK_ROW(row, w.ended[B] == 0 || w.status[B] == 487);
}

TEST(flow_7_no_answer_and_the_caller_gives_up)
{
    begin(1);
    gives_up_flow();
    TRACE("a>s INVITE\ns>b INVITE\nb>s 180 INVITE\ns>a 180 INVITE\na>s CANCEL\ns>a 200 CANCEL\ns>b CANCEL\ns>a 487 INVITE\n"
          "b>s 200 CANCEL\nb>s 487 INVITE\na>s ACK\ns>b ACK\n");
    finish(0);
    each_way(gives_up_flow, a_heard_487);
}

TEST(flow_7_cancel_before_b_said_anything)
{
    begin(1);
    w.answer[B] = 0;
    dial(A, "sip:bob@10.0.0.4", 0);
    phone_hang_up(w.calls[A]);                            /* no 1xx yet: with the 100 of 200 ms */
    run_s(60);
    CHECK_EQ(w.status[A], 487);
    CHECK_EQ(w.status[B], 487);
    finish(0);
}

TEST(cancel_crosses_the_answer_and_b_is_released)
{
    for (int late_ms = 0; late_ms < 10; late_ms++) {
        begin(1);
        w.answer[B] = 180;
        dial(A, "sip:bob@10.0.0.4", 0);
        run_s(1);
        phone_hang_up(w.calls[A]);
        run_s(late_ms / 1000.0);
        if (w.calls[B])
            phone_answer(w.calls[B], 200, (slice){ 0 }, false, true);
        run_s(60);
        CHECK_ROW_EQ(late_ms, w.ended[A], 1);
        CHECK_ROW_EQ(late_ms, w.ended[B], 1);
        CHECK_ROW_EQ(late_ms, w.status[A], 487);
        finish(late_ms);
    }
}

static void no_answer_flow(void)
{
    w.answer[B] = 180;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(100);
}

static void a_heard_480(int row)
{
    CHECK_ROW_EQ(row, w.ended[A], 1);
    CHECK_ROW_EQ(row, w.status[A], 480);
    CHECK_ROW_EQ(row, w.ended[B], 1);
}

TEST(flow_8_no_answer_and_the_server_gives_up)
{
    begin(1);
    no_answer_flow();
    TRACE("a>s INVITE\ns>b INVITE\nb>s 180 INVITE\ns>a 180 INVITE\ns>b CANCEL\ns>a 480 INVITE\nb>s 200 CANCEL\nb>s 487 INVITE\n"
          "a>s ACK\ns>b ACK\n");
    finish(0);
    each_way(no_answer_flow, a_heard_480);
}

/* ---- transfers ---- */

static void on_transferred(void *ctx, struct phone_call *c, unsigned status)
{
    char text[32];

    (void)ctx;
    snprintf(text, sizeof text, "told-%u", status);
    tell(phone_of_call(c), text);
    if (status == 200)
        phone_hang_up(c);
}

static void begin_talk(void)
{
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(20);
}

static void end_talk(void)
{
    run_s(40);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    if (w.calls[B])
        phone_hang_up(w.calls[B]);
    run_s(60);
    if (w.calls[C])
        phone_hang_up(w.calls[C]);
    run_s(60);
}

static bool b_refers(void) { return w.calls[B] && phone_refer(w.calls[B], SLICE("sip:carol@10.0.0.4"), NULL, (slice){ 0 }); }

static void blind_flow(void)
{
    begin_talk();
    (void)b_refers();
    end_talk();
}

static void nobody_is_left(int row)
{
    CHECK_ROW(row, w.ended[A] == 1 && w.ended[B] == 1 && w.calls_seen >= 1);
    CHECK_ROW_EQ(row, w.ended[C], w.calls_seen - 1);
}

TEST(a_blind_transfer_is_done_by_the_server_and_a_never_sees_the_refer)
{
    for (int by = A; by <= C; by += C - A) {              /* who hangs up in the end */
        begin(1);
        begin_talk();
        w.trace[0] = '\0';
        CHECK(b_refers());
        run_s(1);
        TRACE("b>s REFER\ns>b 202 REFER\ns>b NOTIFY\ns>c INVITE\nb>s 200 NOTIFY\nc>s 180 INVITE\nc>s 200 INVITE\n"
              "s>b NOTIFY\nb>s 200 NOTIFY\ns>a INVITE\na>s 200 INVITE\ns>a ACK\ns>c ACK\ns>b NOTIFY\nb>s 200 NOTIFY\nb>s BYE\n"
              "s>b 200 BYE\n");
        TOLD(A, "180 up reinvite ");
        TOLD(B, "up told-100 told-180 told-200 ");
        TOLD(C, "up ");
        CHECK_EQ(w.ended[A], 0);
        w.trace[0] = '\0';
        phone_hang_up(w.calls[by]);
        run_s(1);
        TRACE(by == A ? "a>s BYE\ns>a 200 BYE\ns>c BYE\nc>s 200 BYE\n" : "c>s BYE\ns>c 200 BYE\ns>a BYE\na>s 200 BYE\n");
        CHECK_EQ(b2bua_counts(w.b2bua)->transferred, 1);
        finish(by);
    }
}

TEST(a_blind_transfer_whatever_message_is_lost_or_doubled) { each_way(blind_flow, nobody_is_left); }

TEST(the_new_code_reaches_the_referrer_and_its_call_goes_on)
{
    static const uint16_t codes[] = { 302, 404, 480, 486, 503, 603 };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        char told[48];

        begin(1);
        w.answer[C] = codes[i];
        begin_talk();
        CHECK(b_refers());
        run_s(1);
        snprintf(told, sizeof told, "up told-100 told-%u ", codes[i]);
        TOLD(B, told);
        TOLD(A, "180 up ");
        CHECK(w.ended[A] == 0 && w.ended[B] == 0);
        phone_hang_up(w.calls[B]);
        run_s(1);
        CHECK(w.ended[A] == 1 && w.ended[B] == 1);
        finish((int)i);
    }
}

/* A millisecond more each time: before, while and after the target is called and the legs are joined. */
TEST(whoever_hangs_up_at_whatever_moment_of_a_transfer_leaves_nobody_alone)
{
    for (int who = A; who <= C; who++)
        for (int ms = 0; ms < 50; ms++) {
            begin(1);
            begin_talk();
            CHECK(b_refers());
            run_s(ms / 1000.0);
            if (w.calls[who])
                phone_hang_up(w.calls[who]);
            run_s(10);
            CHECK_ROW(who * 100 + ms, w.ended[A] == 0 || w.ended[B] == 1);
            CHECK_ROW(who * 100 + ms, w.calls_seen < 2 || (w.ended[A] != 0) == (w.ended[C] != 0) || (who == C && w.ended[A] == 0));
            end_talk();
            nobody_is_left(who * 100 + ms);
            finish(who * 100 + ms);
        }
}

TEST(who_refers_and_leaves_at_once_is_not_waited_for)
{
    for (unsigned answer = 200; answer <= 486; answer += 286) {
        begin(1);
        w.answer[C] = answer;
        begin_talk();
        CHECK(b_refers());
        phone_hang_up(w.calls[B]);
        run_s(2);
        CHECK_EQ(w.ended[B], 1);
        CHECK_ROW_EQ(answer, w.ended[A], answer == 486);
        end_talk();
        finish((int)answer);
    }
}

static void attended_flow(void)
{
    struct phone_call *first;

    begin_talk();
    first = w.calls[B];
    if (first)
        (void)phone_offer(first, SIP_INVITE, PHONE_SENDONLY);
    run_s(20);
    dial(B, "sip:carol@10.0.0.4", 0);
    run_s(20);
    if (first && w.ended[B] == 0 && w.calls[B] && phone_call_is_up(w.calls[B]))
        (void)phone_refer(first, SLICE("sip:carol@10.0.0.4"), w.calls[B], (slice){ 0 });
    end_talk();
    if (w.ended[B] < 2 && phone_calls(w.phones[B]))
        phone_hang_up(first);
    run_s(60);
}

static void three_were_joined(int row)
{
    CHECK_ROW_EQ(row, w.ended[A], 1);
    CHECK_ROW_EQ(row, w.ended[B], 2);
    CHECK_ROW_EQ(row, w.ended[C], w.calls_seen - 1);
}

TEST(an_attended_transfer_joins_the_two_others)
{
    begin(1);
    attended_flow();
    TOLD(A, "180 up reinvite reinvite ");
    TOLD(B, "up changed-200 180 up told-100 told-200 ");
    TOLD(C, "up reinvite ");
    CHECK_EQ(b2bua_counts(w.b2bua)->transferred, 1);
    CHECK_EQ(w.joined, 3);                                /* of each of the two calls, and those two */
    finish(0);
    each_way(attended_flow, three_were_joined);
}

/* C takes B's place in the call with A. */
static void replaces_flow(void)
{
    struct out headers;

    begin_talk();
    out_init_memory(&headers, 1024);
    out_text(&headers, SLICE("Replaces: "));
    if (w.calls[B])
        phone_put_replaces(&headers, w.calls[B]);
    out_text(&headers, SLICE("\r\n"));
    w.calls[C] = phone_dial_with(w.phones[C], SLICE("sip:bob@10.0.0.4"), 0, out_taken(&headers));
    out_done(&headers);
    run_s(40);
    if (w.calls[C])
        phone_hang_up(w.calls[C]);
    end_talk();
}

static void all_ended(int row) { CHECK_ROW(row, w.ended[A] == 1 && w.ended[B] == 1 && w.ended[C] == 1); }

TEST(an_invite_with_replaces_takes_the_place_of_a_leg)
{
    begin(1);
    replaces_flow();
    TOLD(A, "180 up reinvite ");
    TOLD(C, "up ");
    CHECK(w.ended[A] == 1 && w.status[A] == 200 && w.status[C] == 200);
    CHECK_EQ(b2bua_counts(w.b2bua)->transferred, 1);
    CHECK_EQ(w.joined, 2);
    finish(0);
    each_way(replaces_flow, all_ended);
}

TEST(an_invite_with_replaces_gets_the_codes_of_rfc_3891)
{
    static const struct { const char *more; bool after, ringing; unsigned status; } rows[] = {
        { ";early-only", false, false, 486 },
        { "x", false, false, 481 },
        { "", true, false, 603 },
        { "\r\nReplaces: a;to-tag=b;from-tag=c", false, false, 400 },
        { "", false, true, 603 },                         /* it rings, and is not picked up so */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct out headers;

        begin(1);
        w.answer[B] = rows[i].ringing ? 180 : 200;
        dial(A, "sip:bob@10.0.0.4", 0);
        run_s(1);
        out_init_memory(&headers, 1024);
        out_text(&headers, SLICE("Replaces: "));
        phone_put_replaces(&headers, w.calls[B]);
        out_text(&headers, slice_of_string(rows[i].more));
        out_text(&headers, SLICE("\r\n"));
        if (rows[i].after) {
            phone_hang_up(w.calls[A]);
            run_s(0.003);
        }
        w.calls[C] = phone_dial_with(w.phones[C], SLICE("sip:bob@10.0.0.4"), 0, out_taken(&headers));
        out_done(&headers);
        run_s(0.5);
        CHECK_ROW_EQ(i, w.status[C], rows[i].status);
        CHECK_ROW(i, rows[i].after || w.ended[A] == 0);
        end_talk();
        finish((int)i);
    }
}

static void forward_busy_flow(void)
{
    w.b_user.forward[USER_FORWARD_BUSY] = SLICE("sip:carol@10.0.0.4");
    w.b_user.flags = USER_TELL_FORWARDED;
    w.answer[B] = 486;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(40);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

static void c_talked(int row)
{
    CHECK_ROW_EQ(row, w.ended[A], 1);
    CHECK_ROW_EQ(row, w.status[A], 200);
    CHECK_ROW_EQ(row, w.ended[C], 1);
    CHECK_ROW_EQ(row, w.status[C], 200);
    CHECK_ROW_EQ(row, w.ended[B], 1);
}

TEST(flow_9_forward_on_busy)
{
    begin(1);
    forward_busy_flow();
    TRACE("a>s INVITE\ns>b INVITE\nb>s 486 INVITE\ns>b ACK\ns>a 181 INVITE\ns>c INVITE\nc>s 180 INVITE\nc>s 200 INVITE\n"
          "s>a 180 INVITE\ns>c ACK\ns>a 200 INVITE\na>s ACK\na>s BYE\ns>a 200 BYE\ns>c BYE\nc>s 200 BYE\n");
    TOLD(A, "181 180 up ");
    TOLD(C, "history up ");
    finish(0);
    each_way(forward_busy_flow, c_talked);
}

static void forward_no_answer_flow(void)
{
    w.b_user.forward[USER_FORWARD_NO_ANSWER] = SLICE("sip:carol@10.0.0.4");
    w.b_user.no_answer_s = 5;
    w.answer[B] = 180;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(60);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

TEST(flow_10_forward_on_no_answer)
{
    begin(1);
    forward_no_answer_flow();
    TRACE("a>s INVITE\ns>b INVITE\nb>s 180 INVITE\ns>a 180 INVITE\ns>b CANCEL\ns>c INVITE\nb>s 200 CANCEL\nb>s 487 INVITE\n"
          "c>s 180 INVITE\nc>s 200 INVITE\ns>b ACK\ns>a 180 INVITE\ns>c ACK\ns>a 200 INVITE\na>s ACK\n"
          "a>s BYE\ns>a 200 BYE\ns>c BYE\nc>s 200 BYE\n");
    finish(0);
    each_way(forward_no_answer_flow, c_talked);
}

TEST(forwards_that_go_round_end_and_say_so)
{
    begin(1);
    w.b_user.forward[USER_FORWARD_ALWAYS] = SLICE("sip:bob@10.0.0.4");
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(10);
    CHECK_EQ(w.ended[A] + (w.calls[A] != NULL), 1);
    CHECK_EQ(b2bua_counts(w.b2bua)->forwarded, 5);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    finish(0);
}

static void hold_flow(void)
{
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(40);
    if (w.calls[A])
        phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY);
    run_s(40);
    if (w.calls[A])
        phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDRECV);
    run_s(40);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

TEST(flow_11_hold_and_resume_and_flow_4)
{
    begin(1);
    hold_flow();
    TOLD(A, "180 up changed-200 changed-200 ");
    TOLD(B, "up reinvite reinvite ");
    finish(0);
    each_way(hold_flow, both_ended_with_200);
}

TEST(flow_4_two_offers_at_once_get_491_each_and_both_succeed_later)
{
    begin(1);
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(1);
    CHECK(phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY));
    CHECK(phone_offer(w.calls[B], SIP_INVITE, PHONE_SENDONLY));
    run_s(1);
    TOLD(A, "180 up changed-491 ");
    TOLD(B, "up changed-491 ");
    CHECK(phone_offer(w.calls[B], SIP_INVITE, PHONE_SENDONLY));
    run_s(1);
    CHECK(phone_offer(w.calls[A], SIP_UPDATE, PHONE_SENDRECV));
    run_s(1);
    TOLD(A, "180 up changed-491 reinvite changed-200 ");
    TOLD(B, "up changed-491 changed-200 update ");
    phone_hang_up(w.calls[B]);
    finish(0);
}

TEST(flow_12_a_second_call_rings_with_the_indication_or_is_busy)
{
    for (int may_wait = 0; may_wait < 2; may_wait++) {
        begin(1);
        w.b_user.calls_max = 1;
        w.b_user.flags = may_wait ? USER_CALL_WAITING : 0;
        dial(A, "sip:bob@10.0.0.4", 0);
        run_s(1);
        w.answer[B] = 180;
        dial(C, "sip:bob@10.0.0.4", 0);
        run_s(1);
        if (may_wait) {
            TOLD(B, "up waiting ");
            TOLD(C, "180 ");
        } else {
            TOLD(B, "up ");
            CHECK_EQ(w.status[C], 486);
        }
        if (w.calls[C])
            phone_hang_up(w.calls[C]);
        phone_hang_up(w.calls[A]);
        finish(may_wait);
    }
}

TEST(an_offer_in_the_200_is_answered_in_the_ack)
{
    begin(1);
    dial(A, "sip:bob@10.0.0.4", PHONE_LATE_OFFER);
    run_s(1);
    TRACE("a>s INVITE\ns>b INVITE\nb>s 180 INVITE\nb>s 200 INVITE\ns>a 180 INVITE\ns>a 200 INVITE\na>s ACK\ns>b ACK\n");
    phone_hang_up(w.calls[A]);
    finish(0);
}

TEST(two_phones_ring_and_the_first_that_answers_has_the_call)
{
    begin(1);
    w.two_contacts = true;
    w.answer[B] = 180;
    w.answer[C] = 180;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(1);
    CHECK(phone_answer(w.calls[C], 200, (slice){ 0 }, false, true));
    run_s(1);
    CHECK_EQ(w.ended[B], 1);
    CHECK_EQ(w.status[B], 487);
    CHECK(phone_call_is_up(w.calls[A]));
    phone_hang_up(w.calls[C]);
    finish(0);
}

TEST(two_phones_refuse_and_the_best_answer_is_told)
{
    static const struct { unsigned b, c, wanted; } rows[] = {
        { 486, 404, 486 }, { 503, 486, 486 }, { 600, 486, 600 }, { 486, 603, 603 }, { 404, 407, 407 }, { 500, 302, 302 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(1);
        w.two_contacts = true;
        w.answer[B] = rows[i].b;
        w.answer[C] = rows[i].c;
        dial(A, "sip:bob@10.0.0.4", 0);
        run_s(5);
        CHECK_ROW_EQ(i, w.status[A], rows[i].wanted);
        finish((int)i);
    }
}

TEST(both_phones_answer_at_once_and_one_is_released)
{
    begin(1);
    w.two_contacts = true;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(5);
    CHECK_EQ(w.ended[B] + w.ended[C], 1);
    CHECK(phone_call_is_up(w.calls[A]));
    phone_hang_up(w.calls[A]);
    finish(0);
}

TEST(a_callee_that_is_not_there_is_480_and_an_unknown_one_404)
{
    struct sim_settings black_hole = { .loss_ppm = 0, .delay_min_ns = 2 * MS, .delay_max_ns = 2 * MS };

    begin(1);
    sim_set(w.sim, &black_hole);
    dial(A, "sip:nobody@10.0.0.4", 0);
    run_s(5);
    CHECK_EQ(w.status[A], 404);
    finish(0);
}

TEST(a_prack_that_does_not_come_ends_in_504)
{
    begin(1);
    w.answer[B] = 0;
    w.b_user.no_answer_s = 50;
    dial(A, "sip:bob@10.0.0.4", PHONE_RELIABLE);
    run_s(0.1);
    w.phones[A] = phone_free(w.phones[A]);                /* it is switched off */
    sim_silence(w.sim, A);
    phone_answer(w.calls[B], 183, (slice){ 0 }, true, true);
    run_s(80);
    CHECK_EQ(w.status[B], 504);                           /* B waits 4 ms longer than we do, and is first */
    CHECK_EQ(b2bua_counts(w.b2bua)->live, 0);
    finish(0);
}

TEST(a_reliable_answer_is_repeated_although_another_one_followed_it)
{
    for (uint64_t lost = 1; lost <= 4; lost++) {
        begin(1);
        w.answer[B] = 0;
        dial(A, "sip:bob@10.0.0.4", PHONE_RELIABLE);
        run_s(0.1);
        sim_lose(w.sim, lost);
        phone_answer(w.calls[B], 183, (slice){ 0 }, true, true);
        phone_answer(w.calls[B], 180, (slice){ 0 }, false, false);
        run_s(5);
        CHECK_ROW(lost, strstr(w.trace, "a>s PRACK\ns>b PRACK\nb>s 200 PRACK\ns>a 200 PRACK\n") != NULL);
        CHECK_ROW(lost, phone_answer(w.calls[B], 200, (slice){ 0 }, false, false));
        run_s(5);
        CHECK_ROW(lost, phone_call_is_up(w.calls[A]));
        phone_hang_up(w.calls[A]);
        finish((int)lost);
    }
}

/* The ACK of a 2xx is lost, and the next re-INVITE, which is refused, is on its way before the
 * 2xx is repeated: that ACK is of the INVITE that had the 2xx, and the call stays. */
static void two_reinvites_flow(void)
{
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(1);
    phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY);
    run_s(0.2);
    phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDRECV);
    run_s(70);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

TEST(the_ack_names_the_invite_whose_2xx_came) { each_way(two_reinvites_flow, both_ended_with_200); }

TEST(a_prack_that_crosses_the_answer_is_answered_and_ends_nothing)
{
    begin(1);
    w.answer[B] = 0;
    dial(A, "sip:bob@10.0.0.4", PHONE_RELIABLE);
    run_s(0.1);
    CHECK(phone_answer(w.calls[B], 180, (slice){ 0 }, true, false));
    CHECK(phone_answer(w.calls[B], 200, (slice){ 0 }, false, true));
    run_s(1);
    CHECK(strstr(w.trace, "b>s 200 PRACK\ns>a 200 PRACK\n") != NULL);
    CHECK(strstr(w.trace, "481") == NULL);
    run_s(40);
    CHECK(phone_call_is_up(w.calls[A]) && phone_call_is_up(w.calls[B]));
    phone_hang_up(w.calls[A]);
    finish(0);
}

TEST(a_bye_overtakes_a_reinvite_whose_2xx_gets_its_ack)
{
    begin(1);
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(1);
    w.trace[0] = '\0';
    CHECK(phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY));
    phone_hang_up(w.calls[A]);
    run_s(5);
    CHECK(strstr(w.trace, "b>s 200 INVITE") != NULL && strstr(w.trace, "s>b ACK") != NULL);
    CHECK(strstr(w.trace, "s>a 487 INVITE") != NULL);
    finish(0);
}

TEST(a_2xx_that_is_repeated_after_a_reinvite_is_acknowledged_and_nothing_else)
{
    begin(1);
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(0.005);
    sim_lose(w.sim, 2);                                   /* our ACK to B */
    run_s(0.095);
    CHECK(phone_offer(w.calls[A], SIP_INVITE, PHONE_SENDONLY));     /* B says 500: its ACK is missing */
    run_s(10);
    CHECK(phone_call_is_up(w.calls[A]) && phone_call_is_up(w.calls[B]));
    CHECK(strstr(w.trace, "b>s 500 INVITE") != NULL);
    CHECK(strstr(w.trace, "BYE") == NULL);
    phone_hang_up(w.calls[A]);
    finish(0);
}

TEST(an_update_that_overtakes_the_2xx_does_not_end_the_call)
{
    begin(1);
    w.answer[B] = 0;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(0.1);
    CHECK(phone_answer(w.calls[B], 200, (slice){ 0 }, false, true));
    sim_lose(w.sim, 2);                                   /* our 200 to A, which comes again in 500 ms */
    run_s(0.1);
    CHECK(phone_offer(w.calls[B], SIP_UPDATE, PHONE_SENDONLY));
    run_s(5);
    CHECK(strstr(w.trace, "a>s 481 UPDATE") != NULL);
    CHECK(phone_call_is_up(w.calls[A]) && phone_call_is_up(w.calls[B]));
    phone_hang_up(w.calls[B]);
    finish(0);
}

TEST(both_sides_get_a_bye_when_one_answers_nothing_any_more)
{
    begin(1);
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(1);
    w.phones[B] = phone_free(w.phones[B]);
    sim_silence(w.sim, B);
    w.trace[0] = '\0';
    CHECK(phone_send(w.calls[A], SLICE("INFO"), (slice){ 0 }, (slice){ 0 }));
    run_s(40);
    CHECK(strstr(w.trace, "s>a BYE") != NULL && strstr(w.trace, "s>b BYE") != NULL);
    CHECK_EQ(w.ended[A], 1);
    finish(0);
}

TEST(a_6xx_ends_the_search_at_once_although_another_phone_is_mute)
{
    begin(1);
    w.two_contacts = true;
    w.answer[C] = 603;
    w.phones[B] = phone_free(w.phones[B]);
    sim_silence(w.sim, B);
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(1);
    CHECK_EQ(w.status[A], 603);
    finish(0);
}

TEST(what_one_phone_said_counts_when_the_other_rings_too_long)
{
    begin(1);
    w.two_contacts = true;
    w.answer[B] = 180;
    w.answer[C] = 486;
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(40);
    CHECK_EQ(w.status[A], 486);
    finish(0);
}

TEST(a_call_without_refresh_ends_with_its_session_timer)
{
    begin(1);
    dial(A, "sip:bob@10.0.0.4", 0);
    run_s(2);
    CHECK(phone_call_is_up(w.calls[A]));
    run_s(23 * 3600);
    CHECK(phone_call_is_up(w.calls[A]));
    run_s(2 * 3600);                                      /* the longest duration of the settings' default */
    CHECK_EQ(w.ended[A] + w.ended[B], 2);
    CHECK_EQ(b2bua_counts(w.b2bua)->expired, 1);
    finish(0);
}

/* ---- session timers: refreshed by phones, by the server, by UPDATE and by re-INVITE ---- */

static unsigned asked_how;

static void long_flow(void)
{
    dial(A, "sip:bob@10.0.0.4", asked_how);
    run_s(400);
    if (w.calls[A])
        phone_hang_up(w.calls[A]);
    run_s(60);
}

static void lasted(int row)
{
    both_ended_with_200(row);
    CHECK_ROW_EQ(row, b2bua_counts(w.b2bua)->expired + b2bua_counts(w.b2bua)->unrefreshed, 0);
}

TEST(a_call_that_is_refreshed_goes_on_whatever_message_is_lost)
{
    static const struct { unsigned how; bool b_knows, b_refreshes, a_no_update, b_no_update; } rows[] = {
        { PHONE_TIMER, true, true, false, false },        /* both phones refresh */
        { PHONE_TIMER, true, false, false, true },        /* A's does, B's leg is ours, by re-INVITE */
        { 0, false, false, false, false },                /* they know of no timers */
        { 0, true, false, true, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        memset(&timers, 0, sizeof timers);
        timers.on = true;
        timers.phones[B].knows = rows[i].b_knows;
        timers.phones[B].refreshes = rows[i].b_refreshes;
        timers.phones[A].no_update = rows[i].a_no_update;
        timers.phones[B].no_update = rows[i].b_no_update;
        asked_how = rows[i].how;
        each_way(long_flow, lasted);
    }
    memset(&timers, 0, sizeof timers);
}

TEST(a_phone_that_is_gone_is_noticed_and_the_other_one_told)
{
    for (int knows = 0; knows < 2; knows++) {
        memset(&timers, 0, sizeof timers);
        timers.on = true;
        timers.phones[B].knows = timers.phones[B].refreshes = knows;
        begin(1);
        dial(A, "sip:bob@10.0.0.4", knows ? PHONE_TIMER : 0);
        run_s(3600);
        CHECK(phone_call_is_up(w.calls[A]));
        CHECK_EQ(b2bua_counts(w.b2bua)->refreshed > 100, !knows);     /* else it is the phones who do it */
        w.phones[B] = phone_free(w.phones[B]);
        sim_silence(w.sim, B);
        run_s(45 + 33);                                   /* half the time, and as long as a request is repeated */
        CHECK_EQ(w.ended[A], 1);
        CHECK_EQ(b2bua_counts(w.b2bua)->unrefreshed + b2bua_counts(w.b2bua)->expired, 1);
        finish(0);
    }
    memset(&timers, 0, sizeof timers);
}
