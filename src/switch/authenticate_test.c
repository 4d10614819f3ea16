/* switch/authenticate_test.c - which credentials are whose, and which are too old
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_users.h"
#include "harness/test.h"
#include "sip/auth.h"
#include "switch/authenticate.h"

#define S 1000000000ll
#define START_NS (1795251000ll * S)

static const slice realm = SLICE_INIT("example.com");
static const struct address source = { .ip = { 192, 0, 2, 7 }, .port = 5060, .family = 4 };

/* What a phone writes; texts NULL leave a parameter away. */
struct phone {
    const char *user, *password, *nonce, *uri, *algorithm, *qop, *nc, *cnonce, *realm, *request_uri;
    const char *response;                                 /* NULL: the right one */
};
static const struct phone good = { "alice", "secret", "", "sip:example.com", "SHA-256", "auth", "00000001", "abc",
                                   "example.com", "sip:example.com", NULL };

struct bench {
    struct test_users users;
    struct authenticator *a;
    struct digest *d;
    char nonce[DIGEST_NONCE_LEN + 1], text[2048], challenge[2048];
    struct sip_header room[SIP_HEADERS_MAX];
    struct authenticated who;
    const char *method;
    enum sip_header_id header, asks_for;                  /* what it writes, what we look for */
};
static struct bench t;

static bool begin(const struct authenticate_settings *settings, struct guard *guard)
{
    struct users table = test_users_table(&t.users);

    t = (struct bench){ .method = "REGISTER", .header = SIP_H_AUTHORIZATION, .asks_for = SIP_H_AUTHORIZATION };
    t.d = digest_new();
    t.a = test_users_init(&t.users) && t.d ? authenticator_new(settings, &table, guard, START_NS) : NULL;
    return t.a != NULL;
}

static void finish(void)
{
    t.a = authenticator_free(t.a);
    digest_free(t.d);
    t.d = NULL;
}

static void challenge(int64_t now_ns)
{
    struct out o;
    ptrdiff_t at;

    out_init_memory(&o, 0);
    authenticate_challenge(t.a, &o, SIP_H_WWW_AUTHENTICATE, realm, &t.who, now_ns);
    at = slice_find(out_taken(&o), SLICE("nonce=\""));
    if (at >= 0)
        memcpy(t.nonce, o.buffer + at + 7, DIGEST_NONCE_LEN);
    snprintf(t.challenge, sizeof t.challenge, "%.*s", SLICE_ARG(out_taken(&o)));
    out_done(&o);
}

static size_t param(size_t at, const char *name, const char *value, bool quoted)
{
    const char *quote = quoted ? "\"" : "";

    return value ? at + (size_t)snprintf(t.text + at, sizeof t.text - at, ", %s=%s%s%s", name, quote, value, quote) : at;
}

static enum authenticate_result ask(const struct phone *p, int64_t now_ns)
{
    const char *nonce = p->nonce && !*p->nonce ? t.nonce : p->nonce;
    enum digest_algorithm algorithm = DIGEST_MD5;
    struct digest_text ha1 = { 0 }, response = { 0 };
    struct digest_asked asked = { .method = slice_of_string(t.method), .uri = slice_of_string(p->uri),
                                  .nonce = slice_of_string(nonce), .cnonce = slice_of_string(p->cnonce),
                                  .qop = slice_of_string(p->qop) };
    struct sip_message m;
    size_t at;

    if (p->algorithm)
        digest_algorithm_find(slice_of_string(p->algorithm), &algorithm);
    if (p->nc)
        asked.nc = (uint32_t)strtoul(p->nc, NULL, 16);
    digest_ha1(t.d, algorithm, slice_of_string(p->user), slice_of_string(p->realm), slice_of_string(p->password), &ha1);
    digest_response(t.d, algorithm, &ha1, &asked, &response);
    at = (size_t)snprintf(t.text, sizeof t.text,
                          "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
                          "To: <sip:alice@example.com>\r\nCall-ID: c\r\nCSeq: 1 %s\r\n"
                          "%.*s: Digest realm=\"%s\"", t.method, p->request_uri, t.method,
                          SLICE_ARG(sip_header_name(t.header)), p->realm);
    at = param(at, "username", p->user, true);
    at = param(at, "nonce", nonce, true);
    at = param(at, "uri", p->uri, true);
    at = param(at, "algorithm", p->algorithm, false);
    at = param(at, "qop", p->qop, false);
    at = param(at, "nc", p->nc, false);
    at = param(at, "cnonce", p->cnonce, true);
    at = param(at, "response", p->response ? p->response : response.text, true);
    at += (size_t)snprintf(t.text + at, sizeof t.text - at, "\r\n\r\n");
    CHECK(sip_message_parse(slice_of(t.text, at), SIP_DATAGRAM, t.room, ARRAY_LEN(t.room), &m) > 0);
    return authenticate(t.a, &m, &source, t.asks_for, realm, now_ns, &t.who);
}

TEST(credentials_are_taken_only_when_all_of_them_fit)
{
    static const struct { struct phone p; enum authenticate_result result; enum authenticate_why why; } rows[] = {
        { { "alice", "secret", "", "sip:example.com", "SHA-256", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_OK, AUTHENTICATE_FINE },
        { { "alice", "secret", "", "sip:example.com", "SHA-512-256", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_OK, AUTHENTICATE_FINE },
        { { "alice", "secret", "", "sip:example.com", NULL, "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_OK, AUTHENTICATE_FINE },           /* no algorithm is MD5 */
        { { "carol@example.com", "secret", "", "sip:example.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_OK, AUTHENTICATE_FINE },
        { { "mia", "secret", "", "sip:example.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_OK, AUTHENTICATE_FINE },
        { { "mia", "secret", "", "sip:example.com", "SHA-256", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_WRONG_PASSWORD },
        { { "dora", "secret", "", "sip:example.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_REFUSE, AUTHENTICATE_DISABLED },
        { { "dora", "guess", "", "sip:example.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_WRONG_PASSWORD },      /* no hint before the password */
        { { "alice", "Secret", "", "sip:example.com", "SHA-256", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_WRONG_PASSWORD },
        { { "nobody", "secret", "", "sip:example.com", "SHA-256", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_UNKNOWN_USER },
        { { "alice", "secret", "", "sip:example.com:5070;transport=udp", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_OK, AUTHENTICATE_FINE },           /* port and parameters are rewritten on the way */
        { { "alice", "secret", "", "sip:%62ob@EXAMPLE.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:bob@example.com", NULL },
          AUTHENTICATE_OK, AUTHENTICATE_FINE },
        { { "alice", "secret", "", "sip:bob@example.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:carol@example.com", NULL },
          AUTHENTICATE_REFUSE, AUTHENTICATE_OTHER_URI },
        { { "alice", "secret", "", "sip:other.example", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_REFUSE, AUTHENTICATE_OTHER_URI },
        { { "alice", "secret", "", "sip:example.com", "MD5", NULL, NULL, NULL, "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_INCOMPLETE },          /* RFC 2069 */
        { { "alice", "secret", "", "sip:example.com", "MD5", "auth", NULL, "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_INCOMPLETE },
        { { "alice", "secret", "", "sip:example.com", "MD5", "auth", "00000000", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_INCOMPLETE },
        { { "alice", "secret", "", "sip:example.com", "MD5", "auth", "00000001", NULL, "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_INCOMPLETE },
        { { "alice", "secret", "", "sip:example.com", "MD5", "auth-int", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_INCOMPLETE },
        { { "alice", "secret", "", "sip:example.com", "SHA-256-sess", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_NO_CREDENTIALS },
        { { "alice", "secret", "", "sip:example.com", "MD5", "auth", "00000001", "abc", "Example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_NO_CREDENTIALS },
        { { "alice", "secret", "made-up", "sip:example.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", NULL },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_NOT_OUR_NONCE },
        { { "alice", "secret", "", "sip:example.com", "MD5", "auth", "00000001", "abc", "example.com", "sip:example.com", "" },
          AUTHENTICATE_CHALLENGE, AUTHENTICATE_INCOMPLETE },
    };

    CHECK(begin(&(struct authenticate_settings){ .key = { { 1 } } }, NULL));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        challenge(START_NS);
        CHECK_ROW_EQ(i, ask(&rows[i].p, START_NS), rows[i].result);
        CHECK_ROW_EQ(i, t.who.why, rows[i].why);
        CHECK_ROW(i, !t.who.stale);
        CHECK_ROW(i, rows[i].result == AUTHENTICATE_OK || !t.who.user.name.len);
    }
    finish();
}

TEST(a_caller_is_known_by_the_other_header_and_its_method)
{
    struct phone p = good;

    CHECK(begin(&(struct authenticate_settings){ 0 }, NULL));
    challenge(START_NS);
    t.method = "INVITE";
    t.asks_for = SIP_H_PROXY_AUTHORIZATION;
    p.uri = p.request_uri = "sip:bob@example.com";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);  /* Authorization is for somebody else */
    CHECK_EQ(t.who.why, AUTHENTICATE_NO_CREDENTIALS);
    t.header = SIP_H_PROXY_AUTHORIZATION;
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);
    CHECK_EQ(t.who.user.name, SLICE("alice"));
    p.uri = p.request_uri = "tel:+1-201-555-0123";
    p.nc = "00000002";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);
    finish();
}

TEST(a_challenge_offers_what_is_set_in_that_order_with_one_nonce)
{
    CHECK(begin(&(struct authenticate_settings){ .offered = { DIGEST_SHA_256, DIGEST_MD5 }, .offered_count = 2 }, NULL));
    challenge(START_NS);
    CHECK(strstr(t.challenge, "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"") == t.challenge);
    CHECK(strstr(t.challenge, "algorithm=SHA-256, qop=\"auth\"\r\n") < strstr(t.challenge, "algorithm=MD5, qop=\"auth\"\r\n"));
    CHECK(!strstr(t.challenge, "512") && !strstr(t.challenge, "stale"));
    struct phone p = good;
    p.algorithm = "SHA-512-256";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);  /* not offered: nobody chooses a weaker one */
    finish();
}

TEST(other_algorithms_and_another_life_hold_for_nonces_that_are_out)
{
    struct phone p = good;

    CHECK(begin(&(struct authenticate_settings){ .nonce_life_s = 300 }, NULL));
    challenge(START_NS);
    authenticator_set(t.a, &(struct authenticate_settings){ .offered = { DIGEST_SHA_256 }, .offered_count = 1, .nonce_life_s = 30 });
    CHECK_EQ(ask(&p, START_NS + 30 * S), AUTHENTICATE_OK);                /* the key has stayed */
    p.nc = "00000002";
    CHECK_EQ(ask(&p, START_NS + 31 * S), AUTHENTICATE_CHALLENGE);
    CHECK(t.who.stale);
    challenge(START_NS + 31 * S);
    CHECK(!strstr(t.challenge, "MD5") && strstr(t.challenge, "SHA-256"));
    p.algorithm = "MD5";
    CHECK_EQ(ask(&p, START_NS + 31 * S), AUTHENTICATE_CHALLENGE);
    finish();
}

TEST(an_old_nonce_is_stale_only_for_who_knows_the_password)
{
    struct phone p = good;

    CHECK(begin(&(struct authenticate_settings){ .nonce_life_s = 300 }, NULL));
    challenge(START_NS);
    CHECK_EQ(ask(&p, START_NS + 300 * S), AUTHENTICATE_OK);
    p.nc = "00000002";
    CHECK_EQ(ask(&p, START_NS + 301 * S), AUTHENTICATE_CHALLENGE);
    CHECK(t.who.stale);
    challenge(START_NS + 301 * S);
    CHECK(strstr(t.challenge, "stale=true") != NULL);
    challenge(START_NS);
    p.password = "guess";
    CHECK_EQ(ask(&p, START_NS + 301 * S), AUTHENTICATE_CHALLENGE);
    CHECK(!t.who.stale);
    finish();
}

TEST(a_count_is_taken_once_and_gaps_are_allowed)
{
    static const struct { const char *nc; bool ok; } rows[] = {
        { "00000001", true },  { "00000001", false }, { "00000003", true },  { "00000002", true },  { "00000002", false },
        { "00000050", true },  { "00000003", false }, { "00000011", true },  { "00000010", false },   /* 64 back */
        { "ffffffff", true },  { "ffffffff", false }, { "fffffff0", true },  { "00000051", false },
    };
    CHECK(begin(&(struct authenticate_settings){ 0 }, NULL));
    challenge(START_NS);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct phone p = good;

        p.nc = rows[i].nc;
        CHECK_ROW_EQ(i, ask(&p, START_NS) == AUTHENTICATE_OK, rows[i].ok);
        CHECK_ROW(i, rows[i].ok || (t.who.stale && t.who.why == AUTHENTICATE_REPLAYED));
    }
    finish();
}

TEST(a_nonce_whose_counts_are_forgotten_is_stale_and_never_replayed)
{
    char first[DIGEST_NONCE_LEN + 1], second[DIGEST_NONCE_LEN + 1], unused[DIGEST_NONCE_LEN + 1];
    struct phone p = good;

    CHECK(begin(&(struct authenticate_settings){ .windows_max = 2 }, NULL));
    challenge(START_NS);
    memcpy(unused, t.nonce, sizeof unused);
    challenge(START_NS);
    memcpy(first, t.nonce, sizeof first);
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);
    challenge(START_NS);
    memcpy(second, t.nonce, sizeof second);
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);
    challenge(START_NS);
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);         /* takes the place of the first */
    p.nonce = first;
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);
    CHECK_EQ(t.who.why, AUTHENTICATE_STALE);
    p.nonce = unused;                                     /* older than that: nobody can tell */
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);
    p.nonce = second;
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);
    CHECK_EQ(t.who.why, AUTHENTICATE_REPLAYED);
    p.nc = "00000002";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);
    finish();
}

TEST(nonces_of_another_worker_of_before_the_start_and_of_the_future_are_stale)
{
    static const struct { uint32_t seq; int64_t made_s; enum authenticate_why why; } rows[] = {
        { 3u << 27, START_NS / S, AUTHENTICATE_FINE },
        { 4u << 27, START_NS / S, AUTHENTICATE_STALE },
        { (3u << 27) + 1, START_NS / S - 1, AUTHENTICATE_STALE },
        { (3u << 27) + 2, START_NS / S + 60, AUTHENTICATE_STALE },
    };
    struct authenticate_settings settings = { .worker = 3, .key = { { 9 } } };

    CHECK(begin(&settings, NULL));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct digest_nonce nonce = { rows[i].made_s, rows[i].seq };

        digest_nonce_write(t.d, &settings.key, &nonce, t.nonce);
        ask(&good, START_NS);
        CHECK_ROW_EQ(i, t.who.why, rows[i].why);
    }
    finish();
}

TEST(rfc_2069_style_is_taken_when_it_is_set_and_nothing_else_changes)
{
    struct phone p = good;

    CHECK(begin(&(struct authenticate_settings){ .allow_without_qop = true, .any_uri = true }, NULL));
    challenge(START_NS);
    p.qop = p.nc = p.cnonce = NULL;
    p.uri = "sip:elsewhere.example";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_OK);         /* a replay: this is what it costs */
    p.password = "guess";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);
    p.qop = "";                                           /* a bare qop is no way around */
    p.password = "secret";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);
    finish();
}

TEST(a_guesser_gets_no_more_answers_and_the_store_may_be_away)
{
    struct guard *g = guard_new(&(struct guard_settings){ .user_faults_max = 12 });
    struct phone p = good;

    CHECK(begin(&(struct authenticate_settings){ 0 }, g));
    challenge(START_NS);
    t.users.away = true;
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_WAIT);
    CHECK_EQ(t.who.status, 504);
    t.users.away = false;
    p.password = "guess";
    for (int i = 0; i < 3; i++)
        CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_CHALLENGE);
    p.password = "secret";
    CHECK_EQ(ask(&p, START_NS), AUTHENTICATE_DROP);       /* not even looked at */
    CHECK_EQ(authenticate_count(t.a, AUTHENTICATE_GUESSED_TOO_OFTEN), 1);
    CHECK_EQ(ask(&p, START_NS + 60 * S), AUTHENTICATE_OK);
    finish();
    guard_free(g);
}

TORTURE(an_authenticator_is_made_whole_or_not_at_all)
{
    if (begin(&(struct authenticate_settings){ 0 }, NULL)) {
        challenge(START_NS);
        CHECK_OR_GOTO(t.nonce[0] != '\0', out);
        CHECK_EQ(ask(&good, START_NS), AUTHENTICATE_OK);
    } else {
        CHECK(test_memory_failed());
    }
out:
    finish();
}
