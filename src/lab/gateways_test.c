/* lab/gateways_test.c - a worker with two gateways in a network of memory: gateways that
 * challenge, refuse, fall silent or mean harm
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "harness/test.h"
#include "lab/phone.h"
#include "lab/sim.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "switch/worker.h"

#define MS 1000000ll
#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)

enum { ALICE, BOB, DESK, PHONES, ONE = 0, TWO, GATEWAYS, REGISTERS_SEEN = 64 };

/* What a gateway does, and what it saw. */
struct fake {
    struct endpoint *endpoint;
    struct digest   *digest;
    struct server_transaction *invite;
    struct dialog    dialog;
    struct arena     arena;
    /* does */
    const char *password;            /* NULL: challenges nobody */
    unsigned challenge;              /* 401 or 407 */
    bool     endless, new_realms, stale_once, thousand;   /* never content; each time another realm; ... */
    bool     challenges_all;         /* requests within the dialog, too */
    bool     keeps_ringing, rings;   /* 180, and nothing more; 180 first */
    bool     silent, no_options;
    unsigned answer;                 /* to INVITE */
    unsigned register_answer, min_expires, granted, retry_after;      /* 0: 200; none; as asked; none */
    /* saw */
    unsigned registers, invites, others, pings, nonces;
    uint32_t cseq, expires;
    int64_t  registered_at[REGISTERS_SEEN];
    char     text[16384];            /* the last INVITE */
    size_t   text_len;
    bool     ended;
};

struct world {
    struct sim     *sim;
    struct config  *config;
    struct plan    *plan;
    struct worker  *worker;
    struct phone   *phones[PHONES];
    struct phone_call *calls[PHONES];
    struct fake     fakes[GATEWAYS];
    struct digest  *digest;
    struct user     users[PHONES];
    unsigned        status[PHONES], ended[PHONES], changed[PHONES], told[PHONES];
    char            asked[256];      /* locate */
    bool            rings_only;      /* the phones do */
};

static struct world w;
static const char *alice_says;       /* in From, in place of her name; the credentials are hers */
static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };

static struct address at(int last) { return (struct address){ .ip = { 10, 0, 0, (uint8_t)last }, .port = 5060, .family = 4 }; }
static const int phone_at[PHONES] = { 11, 12, 13 }, fake_at[GATEWAYS] = { 2, 3 };

/* ---- the gateways ---- */

static bool credentials_are_right(struct fake *f, const struct sip_message *m)
{
    enum sip_header_id id = f->challenge == 407 ? SIP_H_PROXY_AUTHORIZATION : SIP_H_AUTHORIZATION;
    const struct sip_header *h = sip_header_find(m, id);
    slice rest = h ? h->value : (slice){ 0 };
    struct sip_auth a;
    struct digest_text ha1;
    enum digest_algorithm algorithm;

    if (!h || !sip_auth_next(&rest, &a) || !digest_algorithm_find(a.algorithm, &algorithm))
        return false;
    digest_ha1(f->digest, algorithm, SLICE("account"), SLICE("provider"), slice_of_string(f->password), &ha1);
    struct digest_asked asked = { .method = m->method_text, .uri = a.uri, .nonce = a.nonce, .cnonce = a.cnonce, .qop = SLICE("auth"),
                                  .nc = a.nc, .body = m->body };

    return slice_eq(a.uri, m->uri) && digest_response_is(f->digest, algorithm, &ha1, &asked, a.response);
}

static void challenge(struct fake *f, struct server_transaction *s, bool stale)
{
    struct out *o = server_reply(s, f->challenge, (slice){ 0 });
    enum sip_header_id id = f->challenge == 407 ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE;
    int count = f->thousand ? 1000 : 1;

    for (int i = 0; i < count; i++) {
        char text[256];
        int len = snprintf(text, sizeof text, "Digest realm=\"%s%u\", nonce=\"n%u\", algorithm=SHA-256, qop=\"auth\"%s",
                           f->new_realms || f->thousand ? "other" : "provider", f->nonces + (unsigned)i, f->nonces,
                           stale || f->endless ? ", stale=true" : "");

        if (!f->new_realms && !f->thousand)
            len = snprintf(text, sizeof text, "Digest realm=\"provider\", nonce=\"n%u\", algorithm=SHA-256, qop=\"auth\"%s",
                           f->nonces, stale || f->endless ? ", stale=true" : "");
        sip_build_header(o, id, slice_of(text, (size_t)len));
    }
    f->nonces++;
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

static bool passes(struct fake *f, struct server_transaction *s, const struct sip_message *m)
{
    bool has = sip_header_find(m, SIP_H_AUTHORIZATION) || sip_header_find(m, SIP_H_PROXY_AUTHORIZATION);

    if (!f->password)
        return true;
    if (has && f->stale_once) {
        f->stale_once = false;
        challenge(f, s, true);
        return false;
    }
    if (!f->endless && !f->new_realms && !f->thousand && credentials_are_right(f, m))
        return true;
    challenge(f, s, false);
    return false;
}

static void put_contact(struct out *o, const struct fake *f)
{
    char text[64];
    int len = snprintf(text, sizeof text, "<sip:gw@10.0.0.%d>", fake_at[f - w.fakes]);

    sip_build_header(o, SIP_H_CONTACT, slice_of(text, (size_t)len));
}

static void on_register(struct fake *f, struct server_transaction *s, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_EXPIRES), *contact = sip_header_find(m, SIP_H_CONTACT);
    struct out *o;

    CHECK(m->cseq.number > f->cseq);
    f->cseq = m->cseq.number;
    if (f->registers < REGISTERS_SEEN)
        f->registered_at[f->registers] = (sim_now_ns(w.sim) - START_NS) / SECOND_NS;
    f->registers++;
    CHECK(h && slice_to_u32(h->value, &f->expires));
    if (f->min_expires && f->expires && f->expires < f->min_expires) {
        o = server_reply(s, 423, (slice){ 0 });
        sip_build_header_u32(o, SIP_H_MIN_EXPIRES, f->min_expires);
        server_reply_send(s, (slice){ 0 }, (slice){ 0 });
        return;
    }
    if (!passes(f, s, m))
        return;
    o = server_reply(s, f->register_answer ? f->register_answer : 200, (slice){ 0 });
    if (f->retry_after)
        sip_build_header_u32(o, SIP_H_RETRY_AFTER, f->retry_after);
    if (!f->register_answer && f->expires) {
        out_text(o, SLICE("Contact: <sip:else@10.9.9.9>;expires=7, "));
        sip_build_text(o, contact->value);
        out_text(o, SLICE(";expires="));
        out_u64(o, f->granted ? f->granted : f->expires);
        out_text(o, SLICE("\r\n"));
    }
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

static void on_invite(struct fake *f, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct out *o;

    f->invites++;
    f->text_len = m->all.len < sizeof f->text ? m->all.len : sizeof f->text;
    memcpy(f->text, m->all.ptr, f->text_len);
    if ((!m->to.tag.len || f->challenges_all) && !passes(f, s, m))
        return;
    if (!m->to.tag.len) {
        arena_done(&f->arena);
        CHECK(dialog_of_request(&f->arena, m, from, server_to_tag(s), &f->dialog));
        f->ended = false;
    }
    f->invite = s;
    if (f->rings || f->keeps_ringing) {
        o = server_reply(s, 180, (slice){ 0 });
        put_contact(o, f);
        server_reply_send(s, (slice){ 0 }, (slice){ 0 });
    }
    if (f->keeps_ringing)
        return;
    o = server_reply(s, f->answer, (slice){ 0 });
    if (f->retry_after)
        sip_build_header_u32(o, SIP_H_RETRY_AFTER, f->retry_after);
    put_contact(o, f);
    server_reply_send(s, f->answer < 300 ? SLICE("application/sdp") : (slice){ 0 },
                      f->answer < 300 ? SLICE("v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n")
                                      : (slice){ 0 });
}

static void f_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct fake *f = ctx;

    switch (m->method) {
    case SIP_REGISTER: on_register(f, s, m); return;
    case SIP_INVITE: on_invite(f, s, m, from); return;
    case SIP_OPTIONS:
        f->pings++;
        if (f->no_options)
            server_drop(s);
        else
            server_reply_plain(s, 200);
        return;
    default:
        f->others++;
        if (f->challenges_all && !passes(f, s, m))
            return;
        f->ended |= m->method == SIP_BYE;
        server_reply_plain(s, 200);
        return;
    }
}

static void f_cancelled(void *ctx, struct server_transaction *s, const struct sip_message *cancel)
{
    (void)ctx, (void)cancel;
    server_reply_plain(s, 487);
}
static void f_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from)
{
    (void)ctx, (void)c, (void)m, (void)from;
}
static void f_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    struct fake *f = ctx;

    if (!f->silent)
        endpoint_receive(f->endpoint, from, m, now_ns);
}
static void f_time(void *ctx, int64_t now_ns) { endpoint_time(((struct fake *)ctx)->endpoint, now_ns); }
static int64_t f_next(void *ctx) { return endpoint_next_ns(((struct fake *)ctx)->endpoint); }

/* ---- the worker ---- */

static void s_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    (void)ctx;
    worker_receive(w.worker, from, m->all, now_ns);
}
static void s_time(void *ctx, int64_t now_ns)
{
    (void)ctx;
    worker_time(w.worker, now_ns);
}
static int64_t s_next(void *ctx)
{
    (void)ctx;
    return worker_next_ns(w.worker);
}
static int s_choose(void *ctx, struct hop *to)
{
    (void)ctx;
    to->local = at(1);
    return 0;
}
static void s_locate(void *ctx, slice uri, uint16_t index)
{
    (void)ctx, (void)index;
    snprintf(w.asked, sizeof w.asked, SLICE_FMT, SLICE_ARG(uri));
}

static enum users_result by_name(void *ctx, slice name, slice domain, struct user *ret)
{
    (void)ctx, (void)domain;
    for (int i = 0; i < PHONES; i++)
        if (slice_eq(w.users[i].name, name)) {
            *ret = w.users[i];
            return USERS_FOUND;
        }
    return USERS_NONE;
}
static const struct users table = { NULL, by_name, by_name, NULL };

/* ---- the phones ---- */

static int index_of(const struct phone *p) { return p == w.phones[BOB] ? BOB : p == w.phones[DESK] ? DESK : ALICE; }

static void on_ended(void *ctx, struct phone_call *c, unsigned status, bool by_us)
{
    int i = index_of(phone_of_call(c));

    (void)ctx, (void)by_us;
    w.status[i] = status;
    w.ended[i]++;
    if (w.calls[i] == c)
        w.calls[i] = NULL;
}
static void on_changed(void *ctx, struct phone_call *c, unsigned status)
{
    (void)ctx;
    w.changed[index_of(phone_of_call(c))] = status;
}
static void on_transferred(void *ctx, struct phone_call *c, unsigned status)
{
    (void)ctx;
    w.told[index_of(phone_of_call(c))] = status;
}
static void on_incoming(void *ctx, struct phone_call *c, const struct sip_message *invite)
{
    (void)ctx, (void)invite;
    w.calls[index_of(phone_of_call(c))] = c;
    phone_answer(c, w.rings_only ? 180 : 200, (slice){ 0 }, false, !w.rings_only);
}
static void p_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns) { phone_receive(ctx, from, m, now_ns); }
static void p_time(void *ctx, int64_t now_ns) { phone_time(ctx, now_ns); }
static int64_t p_next(void *ctx) { return phone_next_ns(ctx); }

/* ---- the world ---- */

#define SERVER "[server]\ndomains = home.example\n[listen a]\naddress = 10.0.0.1\n" \
               "[numbers]\ncountry = 49\n"
#define ACCOUNT "user = account\npassword_file = /none\n"
#define GATEWAY_ONE "[gateway one]\nhost = 10.0.0.2\nallow = +\npriority = 1\n"
#define GATEWAY_TWO "[gateway two]\nhost = 10.0.0.3\nallow = +\npriority = 2\n"
static const char both[] = SERVER GATEWAY_ONE ACCOUNT GATEWAY_TWO ACCOUNT;
static const char registers[] = SERVER GATEWAY_ONE ACCOUNT "register = yes\nping = 0 s\n";

static void add_phone(int i, const char *domain)
{
    static const char *const names[] = { "alice", "bob", "2017" };
    slice name = slice_of_string(names[i]);
    struct phone_owner owner = { .incoming = on_incoming, .changed = on_changed, .ended = on_ended, .transferred = on_transferred };
    struct sim_node node = { NULL, at(phone_at[i]), p_receive, NULL, p_time, p_next };
    struct phone_settings ps = { .endpoint = { .times = usual, .seed = { 7, (uint64_t)i }, .worker = (uint8_t)(8 + i) },
                                 .user = i == ALICE && alice_says ? slice_of_string(alice_says) : name, .auth_name = name,
                                 .domain = slice_of_string(domain), .password = SLICE("secret"),
                                 .server = { .local = at(phone_at[i]), .remote = at(1) } };
    int place = sim_add(w.sim, &node);
    struct hop_sender sender = sim_sender(w.sim, place);

    w.phones[i] = phone_new(&ps, &sender, &owner, START_NS);
    CHECK(w.phones[i] != NULL);
    sim_rebind(w.sim, place, w.phones[i]);
    w.users[i] = (struct user){ .name = name, .domain = ps.domain, .auth_name = name };
    for (int a = 0; a < DIGEST_ALGORITHMS; a++) {
        w.users[i].has_ha1[a] = true;
        digest_ha1(w.digest, (enum digest_algorithm)a, name, ps.domain, ps.password, &w.users[i].ha1[a]);
    }
}

static void add_fake(int i)
{
    struct fake *f = &w.fakes[i];
    struct endpoint_user user = { .ctx = f, .request = f_request, .cancelled = f_cancelled, .response = f_response };
    struct endpoint_settings es = { .times = usual, .seed = { 5, (uint64_t)i }, .worker = (uint8_t)(16 + i) };
    struct sim_node node = { f, at(fake_at[i]), f_receive, NULL, f_time, f_next };
    struct hop_sender sender = sim_sender(w.sim, sim_add(w.sim, &node));

    f->endpoint = endpoint_new(&es, &sender, &user, START_NS);
    f->digest = digest_new();
    f->answer = 200;
    f->challenge = 407;
    CHECK(f->endpoint && f->digest);
}

/* Where alice is at home is for the test to say. */
static void begin_with(const char *config, const char *alice_domain)
{
    struct sim_settings settings = { .seed = 1, .delay_min_ns = 2 * MS, .delay_max_ns = 2 * MS };
    struct worker_settings ws = { .users = &table, .seed = { 3, 4 }, .gateways_locate = s_locate };
    struct sim_node node = { &w, at(1), s_receive, NULL, s_time, s_next };
    struct config_report report = { 0 };

    memset(&w, 0, sizeof w);
    CHECK_EQ(config_read(slice_of_string(config), &w.config, &report), 0);
    config_report_done(&report);
    w.plan = plan_new(w.config);
    w.digest = digest_new();
    w.sim = sim_new(&settings, START_NS);
    ws.plan = w.plan;
    struct hop_sender sender = sim_sender(w.sim, sim_add(w.sim, &node));

    sender.choose = s_choose;
    w.worker = worker_new(&ws, &sender, START_NS);
    CHECK(w.worker != NULL);
    for (int i = 0; i < GATEWAYS; i++)
        add_fake(i);
    for (int i = 0; i < PHONES; i++)
        add_phone(i, i == ALICE ? alice_domain : "home.example");
    for (uint16_t i = 0; i < gateways_count(worker_gateways(w.worker)); i++)
        CHECK_EQ(gateways_set_password(worker_gateways(w.worker), i, SLICE("right\nanother line")), 0);
}

static void begin(const char *config) { begin_with(config, "home.example"); }

static void run_s(double seconds) { sim_run(w.sim, sim_now_ns(w.sim) + (int64_t)(seconds * 1e9)); }

static struct gateway_state state(uint16_t i)
{
    struct gateway_state s;

    gateways_state(worker_gateways(w.worker), i, &s);
    return s;
}

static void finish(int row)
{
    if (w.calls[ALICE])
        phone_hang_up(w.calls[ALICE]);
    run_s(100);
    CHECK_ROW_EQ(row, worker_calls(w.worker)->live, 0);
    for (uint16_t i = 0; i < gateways_count(worker_gateways(w.worker)); i++)
        CHECK_ROW_EQ(row, state(i).calls, 0);
    worker_free(w.worker);
    for (int i = 0; i < GATEWAYS; i++) {
        endpoint_free(w.fakes[i].endpoint);
        digest_free(w.fakes[i].digest);
        arena_done(&w.fakes[i].arena);
    }
    for (int i = 0; i < PHONES; i++)
        phone_free(w.phones[i]);
    sim_free(w.sim);
    digest_free(w.digest);
    plan_free(w.plan);
    config_free(w.config);
}

static void dial(const char *uri)
{
    w.calls[ALICE] = phone_dial(w.phones[ALICE], slice_of_string(uri), 0);
    CHECK(w.calls[ALICE] != NULL);
}

static bool is_up(void) { return w.calls[ALICE] && phone_call_is_up(w.calls[ALICE]); }

/* ---- registration ---- */

/* ---- the guard ---- */

static enum guard_verdict verdict_of_many(const char *source, int count)
{
    enum guard_verdict last = GUARD_PASS;
    struct address a;

    CHECK(address_parse_ip(slice_of_string(source), &a));
    for (int i = 0; i < count && last == GUARD_PASS; i++)
        last = guard_request(worker_guard(w.worker), &a, SLICE("Switch/1"), START_NS);
    return last;
}

TEST(gateways_are_never_limited_and_strangers_are)
{
    static const struct { const char *source; enum guard_verdict last; } rows[] = {
        { "10.0.0.2", GUARD_PASS },                       /* by its host */
        { "198.51.100.9", GUARD_PASS },                   /* by allow_from */
        { "10.0.0.3", GUARD_BUSY },                       /* that has allow_from, in the place of its host */
        { "192.0.2.1", GUARD_BUSY },
    };

    begin(SERVER GATEWAY_ONE ACCOUNT "[gateway two]\nhost = 10.0.0.3\nallow_from = 198.51.100.0/24\n" ACCOUNT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, verdict_of_many(rows[i].source, 2000), rows[i].last);
    finish(0);
}

TEST(a_gateway_has_us_registered_and_refreshed_before_it_ends)
{
    begin(registers);
    w.fakes[ONE].password = "right";
    w.fakes[ONE].granted = 600;
    run_s(1);
    CHECK_EQ(w.fakes[ONE].registers, 2);
    CHECK(state(ONE).registered_until_ns - sim_now_ns(w.sim) > 598 * SECOND_NS);
    for (int i = 0; i < 100; i++) {
        run_s(60);
        CHECK_ROW(i, state(ONE).registered_until_ns > sim_now_ns(w.sim));
    }
    CHECK(w.fakes[ONE].registers >= 2 * 6000 / 540 && w.fakes[ONE].registers <= 2 + 2 * 6000 / 450);
    gateways_leave_all(worker_gateways(w.worker));
    run_s(1);
    CHECK_EQ(w.fakes[ONE].expires, 0);
    CHECK_EQ(state(ONE).registered_until_ns, 0);
    unsigned seen = w.fakes[ONE].registers;

    run_s(4000);
    CHECK_EQ(w.fakes[ONE].registers, seen);
    finish(0);
}

static void refuse_all(struct fake *f) { f->register_answer = 403; }
static void wrong_password(struct fake *f) { f->password = "wrong"; }
static void stale(struct fake *f) { f->password = "right", f->stale_once = true; }
static void endless(struct fake *f) { f->password = "right", f->endless = true; }
static void new_realms(struct fake *f) { f->password = "right", f->new_realms = true; }
static void new_realms_endless(struct fake *f) { f->password = "right", f->endless = f->new_realms = true; }
static void thousand(struct fake *f) { f->password = "right", f->thousand = true; }
static void too_brief(struct fake *f) { f->min_expires = 7200, f->password = "right"; }
static void too_brief_for_ever(struct fake *f) { f->min_expires = 4000000000u; }
static void brief_without_reason(struct fake *f) { f->register_answer = 423; }
static void busy(struct fake *f) { f->register_answer = 503, f->retry_after = 100; }
static void silent(struct fake *f) { f->silent = true; }
static void www(struct fake *f) { f->password = "right", f->challenge = 401; }

TEST(answers_to_register_and_what_they_cost_in_the_first_ten_minutes)
{
    static const struct { void (*is)(struct fake *f); bool registered; unsigned least, most; } rows[] = {
        { www, true, 2, 2 },
        { stale, true, 3, 3 },
        { too_brief, true, 3, 3 },
        { refuse_all, false, 4, 6 },                      /* now, and after 15-30, 30-60, 60-120, 120-240 s ... */
        { wrong_password, false, 8, 12 },
        { new_realms, false, 8, 12 },
        { thousand, false, 8, 12 },
        { endless, false, 16, 24 },                       /* each time at most four */
        { new_realms_endless, false, 16, 24 },
        { too_brief_for_ever, false, 4, 6 },
        { brief_without_reason, false, 4, 6 },
        { busy, false, 4, 6 },
        { silent, false, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(registers);
        rows[i].is(&w.fakes[ONE]);
        run_s(600);
        CHECK_ROW_EQ(i, state(ONE).registered_until_ns != 0, rows[i].registered);
        CHECK_ROW(i, w.fakes[ONE].registers >= rows[i].least);
        CHECK_ROW(i, w.fakes[ONE].registers <= rows[i].most);
        finish((int)i);
    }
}

TEST(a_registration_comes_back_when_the_gateway_does)
{
    begin(registers);
    w.fakes[ONE].silent = true;
    run_s(300);
    CHECK_EQ(state(ONE).registered_until_ns, 0);
    CHECK(worker_endpoint_counts(w.worker)->timed_out >= 2);
    w.fakes[ONE].silent = false;
    run_s(600);
    CHECK(state(ONE).registered_until_ns != 0);
    finish(0);
}

TEST(retry_after_is_kept)
{
    begin(registers);
    w.fakes[ONE].register_answer = 503;
    w.fakes[ONE].retry_after = 200;
    run_s(250);
    CHECK_EQ(w.fakes[ONE].registers, 2);
    CHECK(w.fakes[ONE].registered_at[1] >= 200);
    finish(0);
}

TEST(a_gateway_with_a_name_waits_for_its_place_and_changes_it)
{
    struct targets found = { .list = { { .address = at(2), .transport = WIRE_UDP } }, .count = 1, .outcome = TARGETS_FOUND };
    struct targets none = { .outcome = TARGETS_TIMED_OUT };
    struct out o;

    begin(SERVER "[gateway one]\nhost = Sip.Provider.example\nallow = +\nregister = yes\n" ACCOUNT);
    run_s(2);
    CHECK_STR_EQ(w.asked, "sip:sip.provider.example;transport=udp");
    CHECK_EQ(w.fakes[ONE].registers + w.fakes[ONE].pings, 0);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK_EQ(w.status[ALICE], 480);
    gateways_located(worker_gateways(w.worker), ONE, &none);
    run_s(10);
    gateways_located(worker_gateways(w.worker), ONE, &found);
    run_s(5);
    CHECK_EQ(w.fakes[ONE].registers, 1);
    CHECK(state(ONE).life == GATEWAY_ALIVE);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK(is_up());
    CHECK(slice_starts(slice_of(w.fakes[ONE].text, w.fakes[ONE].text_len), SLICE("INVITE sip:+4930123@sip.provider.example SIP/2.0\r\n")));
    out_init_memory(&o, 0);
    gateways_debug(&o, worker_gateways(w.worker));
    slice text = out_taken(&o);

    CHECK_EQ(text, "one: 10.0.0.2:5060 udp, registered for 3593 s, alive, 1 calls, last 200\n");
    out_done(&o);
    found.list[0].address = at(3);
    gateways_located(worker_gateways(w.worker), ONE, &found);
    gateways_located(worker_gateways(w.worker), ONE, &none);
    CHECK(state(ONE).hop.remote.ip[3] == 3);
    finish(0);
}

/* ---- pings ---- */

TEST(a_gateway_that_falls_silent_is_dead_until_it_answers_again)
{
    begin(both);
    run_s(40);
    CHECK(state(ONE).life == GATEWAY_ALIVE);
    w.fakes[ONE].silent = true;
    run_s(150);
    CHECK(state(ONE).life == GATEWAY_DEAD);
    CHECK_EQ(gateways_counts(worker_gateways(w.worker))->died, 1);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK(is_up());                                       /* at once, by the other one */
    CHECK_EQ(w.fakes[TWO].invites, 1);
    w.fakes[ONE].silent = false;
    run_s(60);
    CHECK(state(ONE).life == GATEWAY_ALIVE);
    finish(0);
}

TEST(a_gateway_that_knows_no_options_is_used_all_the_same)
{
    begin(both);
    w.fakes[ONE].no_options = true;
    run_s(300);
    CHECK(state(ONE).life == GATEWAY_UNKNOWN);
    CHECK(state(ONE).pings_failed > 2);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK_EQ(w.fakes[ONE].invites, 1);
    finish(0);
}

/* ---- calls: credentials ---- */

TEST(a_challenge_of_a_gateway_is_answered_and_the_caller_knows_nothing_of_it)
{
    for (int row = 0; row < 4; row++) {
        begin(both);
        w.fakes[ONE].password = "right";
        w.fakes[ONE].challenge = row & 1 ? 401 : 407;
        w.fakes[ONE].challenges_all = true;
        w.fakes[ONE].rings = true;
        dial("sip:+4930123@home.example");
        run_s(2);
        CHECK_ROW(row, is_up());
        CHECK_ROW_EQ(row, w.fakes[ONE].invites, 2);
        CHECK_ROW_EQ(row, w.fakes[TWO].invites, 0);
        CHECK_ROW(row, phone_offer(w.calls[ALICE], SIP_INVITE, PHONE_SENDONLY));
        run_s(2);
        CHECK_ROW_EQ(row, w.changed[ALICE], 200);
        CHECK_ROW_EQ(row, w.fakes[ONE].invites, 4);
        CHECK_ROW(row, phone_offer(w.calls[ALICE], SIP_UPDATE, PHONE_SENDRECV));
        run_s(2);
        CHECK_ROW_EQ(row, w.fakes[ONE].others, 2);
        if (row & 2) {
            w.fakes[ONE].challenges_all = false;
            w.fakes[ONE].password = "changed";            /* refused within the dialog: the call goes on */
            w.fakes[ONE].challenges_all = true;
            CHECK_ROW(row, phone_offer(w.calls[ALICE], SIP_INVITE, PHONE_SENDONLY));
            run_s(2);
            CHECK_ROW_EQ(row, w.changed[ALICE], 403);
            w.fakes[ONE].password = "right";
        }
        phone_hang_up(w.calls[ALICE]);
        run_s(2);
        CHECK_ROW(row, w.fakes[ONE].ended);
        CHECK_ROW_EQ(row, w.status[ALICE], 200);
        CHECK_ROW_EQ(row, gateways_counts(worker_gateways(w.worker))->calls, 1);
        finish(row);
    }
}

TEST(credentials_that_are_refused_are_403_and_cost_one_attempt)
{
    static void (*const rows[])(struct fake *f) = { wrong_password, endless, new_realms, new_realms_endless, thousand };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(both);
        rows[i](&w.fakes[ONE]);
        dial("sip:+4930123@home.example");
        run_s(5);
        CHECK_ROW_EQ(i, w.status[ALICE], 403);
        CHECK_ROW_EQ(i, w.fakes[ONE].invites, 2);
        CHECK_ROW_EQ(i, w.fakes[TWO].invites, 0);
        CHECK_ROW(i, !state(ONE).blocked);
        finish((int)i);
    }
}

TEST(whatever_message_is_lost_a_challenged_call_comes_up_and_ends)
{
    for (uint64_t lost = 1; lost < 40; lost++) {
        begin(SERVER GATEWAY_ONE ACCOUNT "ping = 0 s\n");
        w.fakes[ONE].password = "right";
        w.fakes[ONE].challenges_all = true;
        sim_lose(w.sim, lost);
        dial("sip:+4930123@home.example");
        run_s(10);
        if (w.fakes[ONE].invite && w.calls[ALICE])
            phone_hang_up(w.calls[ALICE]);
        run_s(80);
        CHECK_ROW_EQ(lost, w.ended[ALICE], 1);
        finish((int)lost);
    }
}

TEST(a_call_that_is_cancelled_while_it_is_challenged_does_not_go_on)
{
    for (int ms = 0; ms < 30; ms++) {
        begin(both);
        w.fakes[ONE].password = "right";
        w.fakes[ONE].keeps_ringing = true;
        dial("sip:+4930123@home.example");
        run_s(ms / 1000.0);
        phone_hang_up(w.calls[ALICE]);
        run_s(100);
        CHECK_ROW_EQ(ms, w.ended[ALICE], 1);
        CHECK_ROW_EQ(ms, w.fakes[TWO].invites, 0);
        finish(ms);
    }
}

/* ---- calls: the next gateway ---- */

TEST(the_next_gateway_is_tried_by_outcome)
{
    static const struct { unsigned answer; bool rings, silent; unsigned heard, tried; } rows[] = {
        { 500, false, false, 200, 1 }, { 503, false, false, 200, 1 }, { 504, false, false, 200, 1 },
        { 486, false, false, 486, 0 }, { 404, false, false, 404, 0 }, { 603, false, false, 603, 0 },
        { 480, true, false, 480, 0 },  { 0, false, true, 200, 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(both);
        w.fakes[ONE].answer = rows[i].answer;
        w.fakes[ONE].rings = rows[i].rings;
        w.fakes[ONE].silent = rows[i].silent;
        dial("sip:+4930123@home.example");
        run_s(rows[i].silent ? 10 : 2);                   /* `patience` of the gateway, 8 s */
        CHECK_ROW_EQ(i, is_up() ? 200 : w.status[ALICE], rows[i].heard);
        CHECK_ROW_EQ(i, w.fakes[TWO].invites, rows[i].tried);
        finish((int)i);
    }
}

TEST(a_gateway_that_answers_nothing_is_left_for_the_next_one_and_blocked)
{
    begin(SERVER GATEWAY_ONE ACCOUNT "ping = 0 s\n" GATEWAY_TWO ACCOUNT "ping = 0 s\n");
    w.fakes[ONE].silent = true;
    dial("sip:+4930123@home.example");
    run_s(10);
    CHECK(is_up());
    CHECK(state(ONE).blocked);
    phone_hang_up(w.calls[ALICE]);
    run_s(1);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK(is_up());                                       /* at once */
    CHECK_EQ(w.fakes[TWO].invites, 2);
    finish(0);
}

TEST(a_second_address_of_a_gateway_is_for_silence_and_overload)
{
    static const struct { unsigned answer; unsigned heard; } rows[] = { { 503, 200 }, { 500, 500 }, { 486, 486 } };
    struct targets found = { .list = { { .address = at(2), .transport = WIRE_UDP }, { .address = at(3), .transport = WIRE_UDP } },
                             .count = 2, .outcome = TARGETS_FOUND };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(SERVER "[gateway one]\nhost = provider.example\nallow = +\nping = 0 s\n" ACCOUNT);
        gateways_located(worker_gateways(w.worker), ONE, &found);
        w.fakes[ONE].answer = rows[i].answer;
        dial("sip:+4930123@home.example");
        run_s(3);
        CHECK_ROW_EQ(i, is_up() ? 200 : w.status[ALICE], rows[i].heard);
        CHECK_ROW_EQ(i, w.fakes[TWO].invites, rows[i].heard == 200);
        finish((int)i);
    }
}

TEST(a_full_gateway_is_passed_over_but_not_for_emergencies)
{
    begin(SERVER GATEWAY_ONE "calls_max = 1\nemergency = yes\n" GATEWAY_TWO);
    struct phone_call *first;

    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK_EQ(state(ONE).calls, 1);
    first = w.calls[ALICE];
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK_EQ(w.fakes[TWO].invites, 1);
    phone_hang_up(w.calls[ALICE]);
    run_s(1);
    dial("sip:112@home.example");
    run_s(2);
    CHECK_EQ(w.fakes[ONE].invites, 2);
    CHECK_EQ(state(ONE).calls, 2);
    phone_hang_up(first);
    run_s(2);
    CHECK_EQ(state(ONE).calls, 1);
    finish(0);
}

/* ---- calls: who calls ---- */

static bool has(struct fake *f, const char *text) { return slice_find(slice_of(f->text, f->text_len), slice_of_string(text)) >= 0; }

#define REWRITES "rewrite_called = +49 -> 0\nfrom_domain = trunk.example\n"

TEST(who_calls_is_told_as_the_gateway_wants_it)
{
    static const struct { const char *lines; unsigned flags, how; const char *has[4], *has_not[3]; } rows[] = {
        { REWRITES, 0, 0,
          { "INVITE sip:030123@10.0.0.2 SIP/2.0\r\n", "From: <sip:alice@trunk.example>;tag=", "To: <sip:030123@10.0.0.2>\r\n",
            "P-Asserted-Identity: <sip:alice@home.example>\r\n" }, { "Privacy:", "Proxy-Auth", "History-Info" } },
        { "", 0, 0, { "From: <sip:alice@10.0.0.2>;tag=" }, { 0 } },
        { REWRITES, USER_HIDE_NUMBER, 0,
          { "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "Privacy: id\r\n" }, { "P-Asserted-Identity", "alice" } },
        { REWRITES "trusted = yes\n", USER_HIDE_NUMBER, 0,
          { "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "Privacy: id\r\n",
            "P-Asserted-Identity: <sip:alice@home.example>\r\n" }, { 0 } },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        snprintf(config, sizeof config, "%s%s%s", SERVER, GATEWAY_ONE, rows[i].lines);
        begin(config);
        w.users[ALICE].flags = rows[i].flags;
        dial("sip:+4930123@home.example");
        run_s(2);
        CHECK_ROW(i, is_up());
        for (size_t k = 0; k < ARRAY_LEN(rows[i].has) && rows[i].has[k]; k++)
            if (!has(&w.fakes[ONE], rows[i].has[k]))
                FAIL("row %zu lacks %s in\n%.*s", i, rows[i].has[k], (int)w.fakes[ONE].text_len, w.fakes[ONE].text);
        for (size_t k = 0; k < ARRAY_LEN(rows[i].has_not) && rows[i].has_not[k]; k++)
            CHECK_ROW(i, !has(&w.fakes[ONE], rows[i].has_not[k]));
        finish((int)i);
    }
}

TEST(a_user_without_credit_reaches_users_and_emergencies_and_no_gateway)
{
    begin(SERVER GATEWAY_ONE "emergency = yes\n");
    w.users[ALICE].flags = USER_NO_CREDIT;
    dial("sip:+4930123@home.example");
    run_s(1);
    CHECK_EQ(w.status[ALICE], 402);
    CHECK_EQ(w.fakes[ONE].invites, 0);
    w.users[BOB].forward[USER_FORWARD_ALWAYS] = SLICE("sip:+4930123@home.example");
    dial("sip:bob@home.example");                         /* bob can pay */
    run_s(1);
    CHECK(is_up());
    phone_hang_up(w.calls[ALICE]);
    run_s(1);
    w.users[ALICE].flags = 0;
    w.users[BOB].flags = USER_NO_CREDIT;
    dial("sip:bob@home.example");
    run_s(1);
    CHECK_EQ(w.status[ALICE], 480);
    CHECK_EQ(w.fakes[ONE].invites, 1);
    w.users[ALICE].flags = USER_NO_CREDIT;
    dial("sip:112@home.example");
    run_s(1);
    CHECK(is_up());
    finish(0);
}

TEST(who_is_rejected_by_the_called_user_gets_603_or_what_the_configuration_says)
{
    static const struct { const char *ini, *rejects; int who; unsigned status; } rows[] = {
        { "", "alice", ALICE, 603 }, { "[calls]\nrejected = 403\n", "eve, alice@home.example", ALICE, 403 },
        { "", "alice@else.example eve", ALICE, 0 }, { "", "2017", DESK, 603 }, { "", "20-17", DESK, 603 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        snprintf(config, sizeof config, "%s%s", SERVER, rows[i].ini);
        begin(config);
        w.users[BOB].rejects = slice_of_string(rows[i].rejects);
        w.users[BOB].forward[USER_FORWARD_ALWAYS] = SLICE("sip:nobody@home.example");       /* nor forwarded */
        CHECK(phone_register(w.phones[BOB], 3600));
        run_s(1);
        w.calls[rows[i].who] = phone_dial(w.phones[rows[i].who], SLICE("sip:bob@home.example"), 0);
        run_s(1);
        CHECK_ROW_EQ(i, w.status[rows[i].who], rows[i].status ? rows[i].status : 404);
        finish((int)i);
    }
}

TEST(who_calls_itself_anonymous_is_rejected_by_the_name_that_it_has_proved)
{
    alice_says = "anonymous";
    begin(SERVER);
    alice_says = NULL;
    w.users[BOB].rejects = SLICE("alice@home.example");
    w.calls[ALICE] = phone_dial(w.phones[ALICE], SLICE("sip:bob@home.example"), 0);
    run_s(1);
    CHECK_EQ(w.status[ALICE], 603);
    finish(0);
}

/* All texts of a route grow in one place, those of the caller first. */
TEST(a_long_name_of_a_caller_is_told_whole)
{
    for (size_t len = 1; len <= 255; len += len < 180 ? 60 : 3) {
        char display[256], line[512];

        memset(display, 'x', len);
        display[len] = '\0';
        snprintf(line, sizeof line, "P-Asserted-Identity: \"%s\" <sip:alice@home.example>\r\n", display);
        begin(SERVER GATEWAY_ONE);
        w.users[ALICE].display = slice_of_string(display);
        dial("sip:+4930123@home.example");
        run_s(1);
        CHECK_ROW(len, has(&w.fakes[ONE], line));
        finish((int)len);
    }
}

TEST(who_forwarded_is_told_as_the_gateway_wants_it)
{
    static const char history[] = "History-Info: <sip:bob@home.example?Reason=SIP%3Bcause%3D302>;index=1\r\n"
                                  "History-Info: <sip:+4930123@home.example;cause=302>;index=1.1;mp=1\r\n";
    static const char diversion[] = "Diversion: <sip:bob@home.example>;reason=unconditional;counter=1;privacy=off\r\n";
    static const struct { const char *line; bool history, diversion; } rows[] = {
        { "", true, false }, { "forwarding = history-info\n", true, false }, { "forwarding = diversion\n", false, true },
        { "forwarding = both\n", true, true }, { "forwarding = none\n", false, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        snprintf(config, sizeof config, "%s%s%s", SERVER, GATEWAY_ONE, rows[i].line);
        begin(config);
        w.users[BOB].forward[USER_FORWARD_ALWAYS] = SLICE("sip:+4930123@home.example");
        dial("sip:bob@home.example");
        run_s(2);
        CHECK_ROW(i, is_up());
        CHECK_ROW_EQ(i, has(&w.fakes[ONE], history), rows[i].history);
        CHECK_ROW_EQ(i, has(&w.fakes[ONE], "History-Info"), rows[i].history);
        CHECK_ROW_EQ(i, has(&w.fakes[ONE], diversion), rows[i].diversion);
        CHECK_ROW_EQ(i, has(&w.fakes[ONE], "Diversion"), rows[i].diversion);
        finish((int)i);
    }
}

TEST(a_number_that_calls_is_rewritten_and_asserted_so)
{
    begin(SERVER GATEWAY_ONE "from_domain = trunk.example\nrewrite_calling = 20xx -> +49305520xx\n");
    w.calls[DESK] = phone_dial(w.phones[DESK], SLICE("sip:004930123@home.example"), 0);
    run_s(2);
    CHECK(has(&w.fakes[ONE], "INVITE sip:+4930123@10.0.0.2 SIP/2.0\r\n"));
    CHECK(has(&w.fakes[ONE], "From: <sip:+4930552017@trunk.example>;tag="));
    CHECK(has(&w.fakes[ONE], "P-Asserted-Identity: <sip:+4930552017@trunk.example>\r\n"));
    phone_hang_up(w.calls[DESK]);
    run_s(1);
    CHECK_EQ(w.status[DESK], 200);
    finish(0);
}

/* ---- another configuration ---- */

/* What it takes the place of is freed at once: nothing of it may be borrowed any more. */
static int set(const char *text)
{
    struct gateways *g = worker_gateways(w.worker);
    struct config_report report = { 0 };
    struct config *config = NULL;
    struct plan *plan;
    int error;

    CHECK_EQ(config_read(slice_of_string(text), &config, &report), 0);
    config_report_done(&report);
    plan = plan_new(config);
    error = worker_set(w.worker, plan, NULL, sim_now_ns(w.sim));
    if (!error) {
        struct plan *old_plan = w.plan;
        struct config *old = w.config;

        w.plan = plan, plan = old_plan;
        w.config = config, config = old;
    }
    plan_free(plan);
    config_free(config);
    for (size_t i = 0; !error && i < w.config->gateway_count; i++)
        if (w.config->gateways[i].password_file.len)
            CHECK_EQ(gateways_set_password(g, gateways_number(g, i), SLICE("right")), 0);
    sim_touch(w.sim, 0);
    return error;
}

static const char two_only[] = SERVER GATEWAY_TWO ACCOUNT, neither[] = SERVER;
static const char turned[] = SERVER GATEWAY_TWO ACCOUNT GATEWAY_ONE ACCOUNT;
static const char more[] = SERVER "[gateway new]\nhost = 10.0.0.77\nallow = +\npriority = 5\n" GATEWAY_TWO ACCOUNT GATEWAY_ONE ACCOUNT;

TEST(a_call_by_a_gateway_that_is_gone_goes_on_and_the_next_takes_another)
{
    struct gateways *g;

    begin(both);
    g = worker_gateways(w.worker);
    w.fakes[ONE].password = "right";
    w.fakes[ONE].challenges_all = true;
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK(is_up() && state(ONE).calls == 1);
    CHECK_EQ(set(two_only), 0);
    CHECK(state(ONE).gone && state(ONE).calls == 1 && gateways_number(g, 0) == TWO);
    CHECK(phone_offer(w.calls[ALICE], SIP_INVITE, PHONE_INACTIVE));
    run_s(2);
    CHECK_EQ(w.changed[ALICE], 200);                      /* its password is still known */
    w.calls[DESK] = phone_dial(w.phones[DESK], SLICE("sip:+4930124@home.example"), 0);
    run_s(2);
    CHECK(w.fakes[TWO].invites == 1 && state(TWO).calls == 1);
    phone_hang_up(w.calls[DESK]);
    phone_hang_up(w.calls[ALICE]);
    run_s(2);
    CHECK(w.fakes[ONE].ended && w.status[ALICE] == 200 && state(ONE).calls == 0 && state(TWO).calls == 0);
    finish(0);
}

TEST(a_gateway_that_stays_keeps_its_number_its_calls_and_has_its_new_limit)
{
    begin(both);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK_EQ(set(SERVER GATEWAY_TWO ACCOUNT GATEWAY_ONE ACCOUNT "calls_max = 1\n"), 0);
    CHECK(!state(ONE).gone && state(ONE).calls == 1 && state(ONE).calls_max == 1);
    CHECK_EQ(gateways_number(worker_gateways(w.worker), 1), ONE);
    w.calls[DESK] = phone_dial(w.phones[DESK], SLICE("sip:+4930124@home.example"), 0);
    run_s(2);
    CHECK(w.fakes[ONE].invites == 1 && w.fakes[TWO].invites == 1);        /* it is full */
    phone_hang_up(w.calls[DESK]);
    finish(0);
}

TEST(a_reload_at_any_moment_of_a_call_harms_neither_the_call_nor_the_books)
{
    static const struct { const char *config; bool up; } rows[] = {
        { both, true }, { turned, true }, { more, true }, { two_only, true }, { neither, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int ms = 0; ms < 60; ms += 1) {
            int row = (int)i * 1000 + ms;

            begin(both);
            w.fakes[ONE].answer = 503;                    /* fails over, and is asked for the password there */
            w.fakes[ONE].rings = ms % 2;
            w.fakes[TWO].rings = true;
            w.fakes[TWO].password = "right";
            dial("sip:+4930123@home.example");
            run_s(ms / 1000.0);
            CHECK_ROW_EQ(row, set(rows[i].config), 0);
            CHECK_ROW_EQ(row, set(rows[i].config), 0);
            run_s(40);
            CHECK_ROW(row, is_up() != (w.ended[ALICE] == 1));
            if (rows[i].up && !w.fakes[ONE].rings)
                CHECK_ROW(row, is_up());
            finish(row);
        }
}

TEST(who_still_rings_where_the_gateway_is_gone_can_give_up)
{
    begin(both);
    w.fakes[ONE].keeps_ringing = true;
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK_EQ(set(neither), 0);
    run_s(2);
    CHECK(w.ended[ALICE] == 0 && state(ONE).calls == 1);
    phone_hang_up(w.calls[ALICE]);
    run_s(2);
    CHECK(w.status[ALICE] == 487 && state(ONE).calls == 0);
    finish(0);
}

TEST(a_user_whose_phone_rings_is_forwarded_by_the_gateways_of_the_new_configuration)
{
    begin(both);
    w.rings_only = true;
    CHECK(phone_register(w.phones[BOB], 3600));
    run_s(1);
    w.users[BOB].forward[USER_FORWARD_NO_ANSWER] = SLICE("sip:+4930123@home.example");
    w.users[BOB].no_answer_s = 5;
    dial("sip:bob@home.example");
    run_s(2);
    CHECK(w.calls[BOB] != NULL && !is_up());
    CHECK_EQ(set(two_only), 0);
    run_s(10);
    CHECK(is_up() && w.fakes[ONE].invites == 0 && w.fakes[TWO].invites == 1 && w.ended[BOB] == 1);
    finish(0);
}

TEST(a_registration_stays_with_the_gateway_and_goes_with_it)
{
    static const char expires[] = SERVER GATEWAY_ONE ACCOUNT "register = yes\nping = 0 s\nexpires = 2 h\n";
    unsigned seen;

    begin(registers);
    w.fakes[ONE].password = "right";
    run_s(1);
    seen = w.fakes[ONE].registers;
    CHECK_EQ(set(expires), 0);
    run_s(1);
    CHECK(w.fakes[ONE].registers == seen && state(ONE).registered_until_ns > 0);
    CHECK_EQ(set(neither), 0);
    run_s(1);
    CHECK(w.fakes[ONE].expires == 0 && state(ONE).gone && state(ONE).registered_until_ns == 0);
    seen = w.fakes[ONE].registers;
    run_s(4000);
    CHECK_EQ(w.fakes[ONE].registers, seen);
    w.fakes[ONE].cseq = 0;                                /* another Call-ID */
    CHECK_EQ(set(expires), 0);                            /* nobody knows the number any more: it has it again */
    run_s(1);
    CHECK(!state(ONE).gone && w.fakes[ONE].expires == 7200 && state(ONE).registered_until_ns > 0);
    finish(0);
}

TEST(a_registration_under_way_is_taken_back_when_its_gateway_goes)
{
    for (int ms = 0; ms < 20; ms++) {
        begin(registers);
        w.fakes[ONE].password = "right";
        run_s(ms / 1000.0);
        CHECK_ROW_EQ(ms, set(neither), 0);
        run_s(60);
        CHECK_ROW(ms, w.fakes[ONE].expires == 0 && state(ONE).registered_until_ns == 0);
        finish(ms);
    }
}

TEST(numbers_are_given_again_only_when_no_call_can_know_them)
{
    int sets = 0;

    begin(SERVER GATEWAY_ONE "ping = 0 s\n");
    for (int i = 0; i < 20; i++, sets++) {                /* without a call a few are enough */
        char config[512];

        snprintf(config, sizeof config, "%s[gateway g%d]\nhost = 10.0.0.2\nallow = +\nping = 0 s\n", SERVER, i);
        CHECK_ROW_EQ(i, set(config), 0);
        run_s(121);
    }
    CHECK_EQ(gateways_count(worker_gateways(w.worker)), 2);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK(is_up());
    int error = 0;

    for (; !error && sets < 3 * GATEWAYS_MAX; sets++) {
        char config[512];

        snprintf(config, sizeof config, "%s[gateway g%d]\nhost = 10.0.0.2\nallow = +\nping = 0 s\n", SERVER, sets);
        error = set(config);
        run_s(1);
    }
    CHECK(error == -ENOSPC && is_up() && gateways_count(worker_gateways(w.worker)) == GATEWAYS_MAX);
    CHECK(phone_offer(w.calls[ALICE], SIP_INVITE, PHONE_INACTIVE));
    phone_hang_up(w.calls[ALICE]);
    run_s(200);
    CHECK_EQ(set(both), 0);
    dial("sip:+4930123@home.example");
    run_s(2);
    CHECK(is_up());
    finish(0);
}

TEST(pings_begin_and_end_with_the_setting)
{
    unsigned seen;

    begin(SERVER GATEWAY_ONE "ping = 0 s\n");
    run_s(100);
    CHECK_EQ(w.fakes[ONE].pings, 0);
    CHECK_EQ(set(SERVER GATEWAY_ONE "ping = 10 s\n"), 0);
    run_s(100);
    CHECK(w.fakes[ONE].pings >= 9);
    w.fakes[ONE].silent = true;
    run_s(100);
    CHECK_EQ(state(ONE).life, GATEWAY_DEAD);
    CHECK_EQ(set(SERVER GATEWAY_ONE "ping = 0 s\n"), 0);
    CHECK_EQ(state(ONE).life, GATEWAY_UNKNOWN);
    w.fakes[ONE].silent = false;
    run_s(100);
    seen = w.fakes[ONE].pings;
    run_s(100);
    CHECK_EQ(w.fakes[ONE].pings, seen);
    finish(0);
}

TEST(times_of_the_new_configuration_are_those_of_what_begins)
{
    static const char slow[] = "[timers]\nt1 = 2 s\nno_answer = 2 min\n";
    char config[1024];

    snprintf(config, sizeof config, "%s%s%s", SERVER, GATEWAY_ONE "ping = 0 s\n", slow);
    begin(SERVER GATEWAY_ONE "ping = 0 s\n[timers]\nno_answer = 2 min\n");
    w.fakes[ONE].silent = true;
    CHECK_EQ(set(config), 0);
    dial("sip:+4930123@home.example");
    run_s(40);
    CHECK_EQ(w.ended[ALICE], 0);                          /* 64 times 500 ms would be over */
    run_s(100);
    CHECK_EQ(w.ended[ALICE], 1);
    finish(0);
}

/* ---- transfers ---- */

/* Whoever may not call there itself cannot send anybody there, and hears why. */
TEST(a_transfer_needs_the_rights_of_who_asks_for_it)
{
    static const struct { const char *numbers, *gateway, *domain; unsigned flags; const char *to; unsigned told; } rows[] = {
        { "", "", "home.example", 0, "sip:+4930123@home.example", 200 },
        { "", "", "home.example", 0, "tel:030123", 200 },
        { "", "", "home.example", 0, "sip:nobody@home.example", 404 },
        { "", "", "home.example", USER_NO_GATEWAY, "sip:+4930123@home.example", 403 },
        { "", "", "home.example", USER_NO_CREDIT, "sip:+4930123@home.example", 402 },
        { "deny = +4930\n", "", "home.example", 0, "sip:+4930123@home.example", 403 },
        { "deny = +4930\n", "", "home.example", 0, "sip:030123@home.example", 403 },
        { "", "deny = +4930\n", "home.example", 0, "sip:+4930123@home.example", 403 },
        { "", "", "else.example", 0, "sip:+4930123@home.example", 403 },           /* a stranger */
        { "", "", "else.example", 0, "sip:+4930123@10.0.0.2", 404 },               /* nor there, without us */
        { "", "", "else.example", 0, "tel:+4930123", 403 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        snprintf(config, sizeof config, "%s%s%s%s", SERVER, rows[i].numbers, GATEWAY_ONE, rows[i].gateway);
        begin_with(config, rows[i].domain);
        (void)phone_register(w.phones[BOB], 600);
        run_s(1);
        w.users[ALICE].flags = rows[i].flags;
        dial("sip:bob@home.example");
        run_s(2);
        CHECK_ROW(i, is_up());
        CHECK_ROW(i, phone_refer(w.calls[ALICE], slice_of_string(rows[i].to), NULL, (slice){ 0 }));
        run_s(2);
        CHECK_ROW_EQ(i, w.told[ALICE], rows[i].told);
        CHECK_ROW_EQ(i, w.fakes[ONE].invites, rows[i].told == 200);
        CHECK_ROW_EQ(i, worker_calls(w.worker)->transferred, rows[i].told == 200);
        CHECK_ROW(i, w.ended[BOB] == 0);
        phone_hang_up(w.calls[BOB]);
        run_s(1);
        finish((int)i);
    }
}

/* Bob, whom alice called, may not call gateways: that she may is no help to him. */
TEST(a_transfer_does_not_go_by_the_rights_of_who_began_the_call)
{
    begin(SERVER GATEWAY_ONE);
    (void)phone_register(w.phones[BOB], 600);
    run_s(1);
    w.users[BOB].flags = USER_NO_GATEWAY;
    dial("sip:bob@home.example");
    run_s(2);
    CHECK(is_up() && phone_refer(w.calls[BOB], SLICE("sip:+4930123@home.example"), NULL, (slice){ 0 }));
    run_s(2);
    CHECK_EQ(w.told[BOB], 403);
    CHECK_EQ(w.fakes[ONE].invites, 0);
    CHECK(is_up());
    phone_hang_up(w.calls[ALICE]);
    run_s(1);
    finish(0);
}

TEST(a_transfer_is_one_more_call_and_one_to_an_emergency_number_is_made_all_the_same)
{
    static const struct { const char *to; unsigned told; } rows[] = { { "sip:+4930123@home.example", 503 }, { "sip:112@home.example", 200 } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(SERVER "[calls]\ncalls_max = 1\n" GATEWAY_ONE "emergency = yes\n");
        (void)phone_register(w.phones[BOB], 600);
        run_s(1);
        dial("sip:bob@home.example");
        run_s(2);
        CHECK_ROW(i, is_up() && phone_refer(w.calls[ALICE], slice_of_string(rows[i].to), NULL, (slice){ 0 }));
        run_s(2);
        CHECK_ROW_EQ(i, w.told[ALICE], rows[i].told);
        phone_hang_up(w.calls[BOB]);
        run_s(1);
        finish((int)i);
    }
}

/* It is the one who is sent there whom the called user does not want, whatever it calls itself; not who sends it. */
TEST(who_is_sent_to_a_user_that_rejects_it_does_not_get_there)
{
    static const struct { const char *rejects; bool anonymous; unsigned told; } rows[] = {
        { "alice@home.example", false, 603 }, { "alice@home.example", true, 603 }, { "bob", false, 200 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        alice_says = rows[i].anonymous ? "anonymous" : NULL;
        begin(SERVER);
        alice_says = NULL;
        (void)phone_register(w.phones[BOB], 600);
        (void)phone_register(w.phones[DESK], 600);
        run_s(1);
        w.users[DESK].rejects = slice_of_string(rows[i].rejects);
        dial("sip:bob@home.example");
        run_s(2);
        CHECK_ROW(i, is_up() && phone_refer(w.calls[BOB], SLICE("sip:2017@home.example"), NULL, (slice){ 0 }));
        run_s(2);
        CHECK_ROW_EQ(i, w.told[BOB], rows[i].told);
        finish((int)i);
    }
}

/* What a stranger's calls are counted by is no name that could be told. */
TEST(a_stranger_that_is_sent_to_a_gateway_is_asserted_to_be_nobody)
{
    begin_with(SERVER GATEWAY_ONE "trusted = yes\n", "else.example");
    (void)phone_register(w.phones[BOB], 600);
    run_s(1);
    dial("sip:bob@home.example");
    run_s(2);
    CHECK(is_up() && phone_refer(w.calls[BOB], SLICE("sip:+4930123@home.example"), NULL, (slice){ 0 }));
    run_s(2);
    CHECK_EQ(w.told[BOB], 200);
    CHECK(has(&w.fakes[ONE], "INVITE sip:+4930123@") && !has(&w.fakes[ONE], "P-Asserted-Identity"));
    finish(0);
}

/* ---- several workers ---- */

static void pass_learned(void *ctx, slice name, const struct hop *hop, enum gateway_life life, int64_t retry_after_ns)
{
    gateways_told(ctx, name, hop, life, retry_after_ns);
    CHECK(life == GATEWAY_UNKNOWN);
}

TEST(a_gateway_that_takes_no_call_of_one_worker_is_blocked_for_as_long_for_the_others)
{
    struct config *config = NULL;
    struct config_report report = { 0 };
    struct endpoint_settings es = { .times = usual };
    struct endpoint_user user = { .request = f_request, .response = f_response };
    struct hop_sender sender = { 0 };
    struct endpoint *e = endpoint_new(&es, &sender, &user, START_NS);
    struct gateways_settings settings = { .idle = true };
    struct gateways *one, *other;
    struct hop hop;

    CHECK_EQ(config_read(SLICE(SERVER GATEWAY_ONE GATEWAY_TWO), &config, &report), 0);
    settings.config = config;
    CHECK((other = gateways_new(&settings, e, START_NS)) != NULL);
    settings.learned_ctx = other;
    settings.learned = pass_learned;
    CHECK((one = gateways_new(&settings, e, START_NS)) != NULL);
    CHECK_EQ(gateways_hops(other, ONE, false, &hop, 1), 1);
    gateways_heard(one, ONE, &hop, 486, false, 0);
    CHECK_EQ(gateways_hops(other, ONE, false, &hop, 1), 1);
    gateways_heard(one, ONE, &hop, 503, false, 100 * SECOND_NS);
    gateways_heard(one, ONE, &hop, 503, false, 200 * SECOND_NS);           /* blocked already */
    CHECK_EQ(gateways_hops(one, ONE, false, &hop, 1), 0);
    CHECK_EQ(gateways_hops(other, ONE, false, &hop, 1), 0);
    CHECK_EQ(gateways_hops(other, TWO, false, &hop, 1), 1);
    endpoint_time(e, START_NS + 99 * SECOND_NS);
    CHECK_EQ(gateways_hops(other, ONE, false, &hop, 1), 0);
    endpoint_time(e, START_NS + 101 * SECOND_NS);
    CHECK_EQ(gateways_hops(other, ONE, false, &hop, 1), 1);
    gateways_free(one);
    gateways_free(other);
    endpoint_free(e);
    config_free(config);
    config_report_done(&report);
}

TEST(gateways_of_two_workers_share_their_calls_and_what_pings_learned)
{
    static const struct hash_seed seed = { 5, 6 };
    struct config *config = NULL;
    struct config_report report = { 0 };
    struct endpoint_settings es = { .times = usual };
    struct endpoint_user user = { .request = f_request, .response = f_response };
    struct hop_sender sender = { 0 };
    struct endpoint *e = endpoint_new(&es, &sender, &user, START_NS);
    struct tally *calls = tally_new(&seed, NULL);
    struct gateways *g[2];
    struct hop hop;
    slice name;

    CHECK_EQ(config_read(SLICE(SERVER GATEWAY_ONE "calls_max = 2\n" GATEWAY_TWO), &config, &report), 0);
    for (int i = 0; i < 2; i++) {
        struct gateways_settings settings = { .config = config, .idle = true, .calls = calls };

        CHECK((g[i] = gateways_new(&settings, e, START_NS)) != NULL);
    }
    name = gateways_config(g[0], ONE)->name;
    CHECK(gateways_take(g[0], ONE, false) && gateways_take(g[1], ONE, false));
    CHECK(gateways_are_full(g[0], ONE) && !gateways_take(g[0], ONE, false) && !gateways_take(g[1], ONE, false));
    CHECK(gateways_take(g[1], ONE, true));                /* an emergency */
    CHECK(gateways_take(g[1], TWO, false));
    gateways_leave(g[1], ONE);
    gateways_leave(g[0], ONE);
    CHECK(!gateways_are_full(g[1], ONE) && gateways_take(g[1], ONE, false) && gateways_are_full(g[0], ONE));

    CHECK_EQ(gateways_hops(g[1], ONE, false, &hop, 1), 1);
    gateways_told(g[1], name, &hop, GATEWAY_DEAD, 0);
    CHECK_EQ(gateways_hops(g[1], ONE, false, &hop, 1), 0);
    CHECK_EQ(gateways_hops(g[1], TWO, false, &hop, 1), 1);
    CHECK_EQ(gateways_hops(g[0], ONE, false, &hop, 1), 1);
    gateways_told(g[1], name, &hop, GATEWAY_ALIVE, 0);
    CHECK_EQ(gateways_hops(g[1], ONE, false, &hop, 1), 1);
    gateways_told(g[1], name, &hop, GATEWAY_UNKNOWN, 0);     /* its only hop came to nothing */
    CHECK_EQ(gateways_hops(g[1], ONE, false, &hop, 1), 0);
    gateways_told(g[1], SLICE("nobody"), &hop, GATEWAY_ALIVE, 0);
    for (int i = 0; i < 2; i++)
        gateways_free(g[i]);
    tally_free(calls);
    endpoint_free(e);
    config_free(config);
    config_report_done(&report);
}

/* ---- memory ---- */

TORTURE(gateways_are_made_or_not_at_all)
{
    struct config *config = NULL, *other = NULL;
    struct config_report report = { 0 };
    struct endpoint_settings es = { .times = usual };
    struct endpoint_user user = { .request = f_request, .response = f_response };
    struct hop_sender sender = { 0 };
    struct endpoint *e = endpoint_new(&es, &sender, &user, START_NS);
    struct gateways *g = NULL;

    CHECK_OR_GOTO(e && config_read(slice_of_string(both), &config, &report) == 0, out);
    struct gateways_settings settings = { .config = config };

    g = gateways_new(&settings, e, START_NS);
    CHECK_OR_GOTO(g != NULL, out);
    CHECK_OR_GOTO(gateways_set_password(g, 1, SLICE("x")) == 0, out);
    CHECK_OR_GOTO(gateways_set_password(g, 1, SLICE("y\r\n")) == 0, out);
    CHECK_OR_GOTO(config_read(SLICE(SERVER GATEWAY_TWO ACCOUNT "[gateway new]\nhost = 10.0.0.9\n"), &other, &report) == 0, out);
    if (gateways_set(g, other, 0) != 0) {
        CHECK(gateways_count(g) == 2 && gateways_number(g, 0) == 0);      /* nothing has changed */
        goto out;
    }
    CHECK(gateways_count(g) == 3 && gateways_number(g, 0) == 1 && gateways_number(g, 1) == 2);
out:
    gateways_free(g);
    endpoint_free(e);
    config_free(config);
    config_free(other);
    config_report_done(&report);
}
