/* switch/registrar_test.c - REGISTER in, answer and contacts out; keep-alives
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_users.h"
#include "harness/test.h"
#include "sip/auth.h"
#include "switch/registrar.h"

#define S 1000000000ll
#define START_NS (1795251000ll * S)                       /* Sat, 21 Nov 2026 08:50:00 GMT */

static const struct address phone_end = { .ip = { 192, 0, 2, 7 }, .port = 5060, .family = 4 };
static const struct address our_end = { .ip = { 198, 51, 100, 1 }, .port = 5060, .family = 4 };

struct desk {
    struct test_users     users;
    struct endpoint      *endpoint;
    struct authenticator *authenticator;
    struct bindings      *bindings;
    struct guard         *guard;
    struct registrar     *registrar;
    struct digest        *digest;
    struct hop   hop;                                     /* where the next request comes from */
    int64_t      now_ns;
    unsigned     branch, via_count, status;               /* status of the last answer, 0: none */
    uint32_t     cseq;
    const char  *call_id, *from, *uri;
    char         answer[8192], asked[8192], text[8192];   /* the last we sent, and were sent */
    struct hop   sent_to;
};
static struct desk t;

static int desk_send(void *ctx, struct hop *to, slice bytes)
{
    bool request = slice_starts(bytes, SLICE("OPTIONS "));

    (void)ctx;
    t.sent_to = *to;
    snprintf(request ? t.asked : t.answer, sizeof t.answer, "%.*s", SLICE_ARG(bytes));
    if (!request)
        t.status = (unsigned)strtoul(t.answer + 8, NULL, 10);
    return 0;
}

static void on_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    (void)ctx;
    registrar_request(t.registrar, s, m, from);
}

static void on_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from)
{
    (void)ctx, (void)from;
    CHECK(registrar_response(t.registrar, c, m));
}

static void on_failed(void *ctx, struct client_transaction *c, enum endpoint_failure why)
{
    (void)ctx, (void)why;
    CHECK(registrar_failed(t.registrar, c));
}

static const slice aliases[] = { SLICE_INIT("sip.example.com"), SLICE_INIT("198.51.100.1") };
static const struct registrar_domain domain = { SLICE_INIT("example.com"), { 0 }, aliases, ARRAY_LEN(aliases) };
static const slice root = SLICE_INIT("root");
static const struct registrar_settings usual = { .domains = &domain, .domain_count = 1, .third_parties = &root,
                                                 .third_party_count = 1 };

static void finish(void)
{
    t.registrar = registrar_free(t.registrar);
    t.authenticator = authenticator_free(t.authenticator);
    t.endpoint = endpoint_free(t.endpoint);
    t.bindings = bindings_free(t.bindings);
    t.guard = guard_free(t.guard);
    digest_free(t.digest);
    t.digest = NULL;
}

static bool begin_with(const struct registrar_settings *settings, enum bindings_ping who)
{
    struct endpoint_settings ends = { .times = { 500 * S / 1000, 4 * S, 5 * S, 32 * S, S / 5 }, .seed = { 1, 2 } };
    struct endpoint_user user = { .request = on_request, .response = on_response, .failed = on_failed };
    struct authenticate_settings keys = { .key = { { 7 } } };
    struct bindings_settings table = { .ping = who, .ping_every_ns = 60 * S };
    struct users users = test_users_table(&t.users);

    t = (struct desk){ .now_ns = START_NS, .via_count = 1, .call_id = "c1", .uri = "sip:example.com",
                       .hop = { .local = our_end, .remote = phone_end } };
    t.digest = digest_new();
    t.bindings = bindings_new(&table, START_NS);
    t.guard = guard_new(&(struct guard_settings){ 0 });
    t.endpoint = endpoint_new(&ends, &(struct hop_sender){ .send = desk_send }, &user, START_NS);
    if (!t.digest || !t.bindings || !t.guard || !t.endpoint || !test_users_init(&t.users))
        return false;
    t.authenticator = authenticator_new(&keys, &users, t.guard, START_NS);
    if (!t.authenticator)
        return false;
    t.registrar = registrar_new(settings, t.endpoint, &users, t.authenticator, t.bindings, t.guard);
    return t.registrar != NULL;
}

static bool begin(void) { return begin_with(&usual, BINDINGS_PING_NONE); }

static void receive(const char *text)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;

    CHECK(sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    endpoint_receive(t.endpoint, &t.hop, &m, t.now_ns);
}

static void send_once(const char *to, const char *lines, const char *authorization)
{
    int at = snprintf(t.text, sizeof t.text, "REGISTER %s SIP/2.0\r\n", t.uri);

    for (unsigned i = 0; i < t.via_count; i++)
        at += snprintf(t.text + at, sizeof t.text - (size_t)at, "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK%u.%u;rport\r\n",
                       t.branch, i);
    t.branch++;
    snprintf(t.text + at, sizeof t.text - (size_t)at,
             "Max-Forwards: 70\r\nFrom: <%s>;tag=1\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: %u REGISTER\r\n"
             "User-Agent: Test 1\r\n%s%sContent-Length: 0\r\n\r\n",
             t.from ? t.from : to, to, t.call_id, ++t.cseq, lines, authorization);
    t.status = 0;
    t.answer[0] = '\0';
    receive(t.text);
}

/* With the challenge between, when `user` is there. The last status. */
static unsigned registers(const char *user, const char *password, const char *to, const char *lines)
{
    char authorization[1024], nonce[DIGEST_NONCE_LEN + 1] = "";
    struct digest_text ha1, response;
    struct digest_asked asked = { .method = SLICE("REGISTER"), .uri = slice_of_string(t.uri), .cnonce = SLICE("x"),
                                  .qop = SLICE("auth"), .nc = 1 };
    const char *at;

    send_once(to, lines, "");
    at = strstr(t.answer, "nonce=\"");
    if (t.status != 401 || !user || !at)
        return t.status;
    memcpy(nonce, at + 7, DIGEST_NONCE_LEN);
    asked.nonce = slice_of_string(nonce);
    digest_ha1(t.digest, DIGEST_SHA_256, slice_of_string(user), SLICE("example.com"), slice_of_string(password), &ha1);
    digest_response(t.digest, DIGEST_SHA_256, &ha1, &asked, &response);
    snprintf(authorization, sizeof authorization,
             "Authorization: Digest realm=\"example.com\", username=\"%s\", nonce=\"%s\", uri=\"%s\", algorithm=SHA-256, "
             "qop=auth, nc=00000001, cnonce=\"x\", response=\"%s\"\r\n", user, nonce, t.uri, response.text);
    send_once(to, lines, authorization);
    return t.status;
}

static unsigned alice(const char *lines) { return registers("alice", "secret", "sip:alice@example.com", lines); }

/* "uri;seconds uri;seconds" of a key, the latest first. */
static const char *has(const char *key)
{
    static char text[2048];
    struct binding_target all[BINDINGS_AOR_MAX];
    size_t n = bindings_targets(bindings_find(t.bindings, slice_of_string(key)), all, ARRAY_LEN(all), t.now_ns);
    int at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        struct binding_fields f;

        binding_read(all[i].binding, &f);
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%.*s %lld%s", i ? ", " : "", SLICE_ARG(f.uri),
                       (long long)((f.expires_ns - t.now_ns) / S),
                       f.flags & BINDING_OUTBOUND ? " flow" : f.flags & BINDING_BY_HOP ? " nat" : "");
    }
    return text;
}

static struct binding_fields only(const char *key)
{
    const struct bindings_aor *aor = bindings_find(t.bindings, slice_of_string(key));
    struct binding_fields f = { 0 };

    CHECK(aor && bindings_aor_count(aor) == 1);
    binding_read(bindings_aor_next(aor, NULL), &f);
    return f;
}

static void run_s(int seconds)
{
    for (int64_t end_ns = t.now_ns + seconds * S; t.now_ns < end_ns;) {
        t.now_ns += S / 10;
        endpoint_time(t.endpoint, t.now_ns);
        registrar_time(t.registrar, t.now_ns);
    }
}

#define A "sip:alice@192.0.2.7:5060"
#define CONTACT "Contact: <" A ">\r\n"

TORTURE(a_phone_registers_asks_and_leaves)
{
    CHECK_OR_GOTO(begin(), out);
    CHECK_OR_GOTO(alice(CONTACT) == 200, out);
    CHECK(strstr(t.answer, "Contact: <" A ">;expires=3600\r\n") != NULL);
    CHECK(strstr(t.answer, "\r\nDate: Sat, 21 Nov 2026 08:50:00 GMT\r\n") != NULL);
    CHECK(strstr(t.answer, "\r\nSupported: path, outbound\r\n") != NULL);
    CHECK_STR_EQ(has("alice@example.com"), A " 3600");
    CHECK_OR_GOTO(alice("") == 200, out);                 /* what is there? */
    CHECK(strstr(t.answer, "Contact: <" A ">;expires=3600\r\n") != NULL);
    CHECK_OR_GOTO(alice("Contact: *\r\nExpires: 0\r\n") == 200, out);
    CHECK(strstr(t.answer, "Contact:") == NULL);
    CHECK_STR_EQ(has("alice@example.com"), "");
    CHECK_OR_GOTO(alice("Contact: *\r\nExpires: 0\r\n") == 200, out);  /* nothing there: still fine */
out:
    finish();
}

TEST(a_challenge_has_every_algorithm_and_leaves_no_trace)
{
    CHECK(begin());
    CHECK_EQ(registers(NULL, NULL, "sip:alice@example.com", CONTACT), 401);
    CHECK(strstr(t.answer, "algorithm=SHA-512-256") < strstr(t.answer, "algorithm=SHA-256"));
    CHECK(strstr(t.answer, "algorithm=SHA-256") < strstr(t.answer, "algorithm=MD5"));
    CHECK_EQ(bindings_count(t.bindings), 0);
    CHECK_EQ(registers("alice", "guess", "sip:alice@example.com", CONTACT), 401);
    CHECK(strstr(t.answer, "stale") == NULL);
    CHECK_EQ(bindings_count(t.bindings), 0);
    finish();
}

/* Each row alone, against a fresh registrar. */
TEST(each_request_gets_its_code_and_changes_what_it_should)
{
    static const struct {
        const char *user, *to, *lines;
        unsigned    status;
        const char *header;                               /* in the answer; NULL: any */
        const char *contacts;                             /* of alice afterwards */
    } rows[] = {
        /* who */
        { "bob", "sip:alice@example.com", CONTACT, 403, NULL, "" },
        { "alice", "sip:nobody@example.com", CONTACT, 404, NULL, "" },
        { "nobody", "sip:alice@example.com", CONTACT, 401, "algorithm=MD5", "" },
        { "nobody", "sip:nobody@example.com", CONTACT, 401, NULL, "" },
        { NULL, "sip:nobody@example.com", CONTACT, 401, NULL, "" },
        { NULL, "sip:alice@elsewhere.example", CONTACT, 404, NULL, "" },
        { "dora", "sip:dora@example.com", CONTACT, 403, NULL, "" },
        { "alice", "sip:%61lice@SIP.example.com:5070", CONTACT, 200, NULL, A " 3600" },
        { "alice", "sips:alice@198.51.100.1", CONTACT, 200, NULL, A " 3600" },
        { "alice", "sip:100@example.com", CONTACT, 200, NULL, A " 3600" },       /* an alias of hers alone */
        { "alice", "sip:200@example.com", CONTACT, 404, NULL, "" },              /* of two: nobody's own */
        { "alice", "sip:example.com", CONTACT, 404, NULL, "" },
        { NULL, "tel:+12015550123", CONTACT, 404, NULL, "" },
        { "root", "sip:alice@example.com", CONTACT, 200, NULL, A " 3600" },      /* may do it for others */
        { "root", "sip:nobody@example.com", CONTACT, 404, NULL, "" },
        { "root", "sip:dora@example.com", CONTACT, 403, NULL, "" },
        /* what is needed */
        { NULL, "sip:alice@example.com", "Require: foo\r\n" CONTACT, 420, "Unsupported: foo\r\n", "" },
        { NULL, "sip:alice@example.com", "Require: path, gruu,x\r\n" CONTACT, 420, "Unsupported: gruu, x\r\n", "" },
        { "alice", "sip:alice@example.com", "Require: path, outbound\r\n" CONTACT, 200, NULL, A " 3600" },
        /* how long */
        { "alice", "sip:alice@example.com", CONTACT "Expires: 5\r\n", 423, "Min-Expires: 60\r\n", "" },
        { "alice", "sip:alice@example.com", "Contact: <" A ">;expires=59\r\nExpires: 3600\r\n", 423, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: <" A ">;expires=60\r\n", 200, "expires=60\r\n", A " 60" },
        { "alice", "sip:alice@example.com", CONTACT "Expires: 4294967295\r\n", 200, "expires=7200", A " 7200" },
        { "alice", "sip:alice@example.com", CONTACT "Expires: 99999999999\r\n", 200, "expires=3600", A " 3600" },
        { "alice", "sip:alice@example.com", CONTACT "Expires: soon\r\n", 200, "expires=3600", A " 3600" },
        { "alice", "sip:alice@example.com", CONTACT "Expires: 0\r\n", 200, NULL, "" },
        /* all at once */
        { "alice", "sip:alice@example.com", "Contact: *\r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: *\r\nExpires: 60\r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: *, <" A ">\r\nExpires: 0\r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", CONTACT "Contact: *\r\nExpires: 0\r\n", 400, NULL, "" },
        /* the contacts themselves */
        { "alice", "sip:alice@example.com", "m: <" A ">;q=0.5, <sip:a@192.0.2.7>;q=0.7;expires=120\r\n", 200, ";q=0.5\r\n",
          "sip:a@192.0.2.7 120, " A " 3600" },
        { "alice", "sip:alice@example.com", CONTACT "Contact: <sip:b@192.0.2.7>;expires=5\r\n", 423, NULL, "" },   /* neither */
        { "alice", "sip:alice@example.com", "Contact: \r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: nonsense\r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: <mailto:a@example.com>\r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: <sip:a@192.0.2.7> , <>\r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: <sip:a b@192.0.2.7>\r\n", 400, NULL, "" },
        { "alice", "sip:alice@example.com", "Contact: <sip:a@192.0.2.7>;x=\"\r\n", 200, NULL, "sip:a@192.0.2.7 3600" },
        /* where it is */
        { "alice", "sip:alice@example.com", "Contact: <sip:a@10.0.0.1>\r\n", 200, NULL, "sip:a@10.0.0.1 3600 nat" },
        { "alice", "sip:alice@example.com", "Contact: <sip:a@192.0.2.7:5070>\r\n", 200, NULL, "sip:a@192.0.2.7:5070 3600 nat" },
        { "alice", "sip:alice@example.com", "Contact: <sip:a@x.invalid>\r\n", 200, NULL, "sip:a@x.invalid 3600 nat" },
        { "alice", "sip:alice@example.com", "Contact: <sip:bob@example.com>\r\n", 200, NULL, "sip:bob@example.com 3600 nat" },
        /* flows */
        { "alice", "sip:alice@example.com",
          "Supported: outbound, path\r\nContact: <" A ";ob>;reg-id=1;+sip.instance=\"<urn:uuid:1>\";+sip.ice\r\n", 200,
          "Require: outbound\r\n", A ";ob 3600 flow" },
        { "alice", "sip:alice@example.com", "Contact: <" A ">;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n", 200,
          "+sip.instance=\"<urn:uuid:1>\"\r\n", A " 3600" },                    /* not asked for */
        { "alice", "sip:alice@example.com", "Supported: outbound\r\nContact: <" A ">;reg-id=1\r\n", 200, NULL, A " 3600" },
        { "alice", "sip:alice@example.com",
          "Supported: outbound\r\nContact: <" A ">;reg-id=1;+sip.instance=\"<urn:uuid:1>\", "
          "<" A ">;reg-id=2;+sip.instance=\"<urn:uuid:1>\"\r\n", 400, NULL, "" },
        /* Path */
        { "alice", "sip:alice@example.com", "Path: <sip:edge@192.0.2.9;lr>\r\nSupported: path\r\n" CONTACT, 200,
          "Path: <sip:edge@192.0.2.9;lr>\r\n", A " 3600" },
        { "alice", "sip:alice@example.com", "Path: nonsense\r\n" CONTACT, 400, NULL, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(begin());
        CHECK_ROW_EQ(i, registers(rows[i].user, "secret", rows[i].to, rows[i].lines), rows[i].status);
        CHECK_ROW(i, !rows[i].header || strstr(t.answer, rows[i].header));
        CHECK_ROW_EQ(i, slice_of_string(has("alice@example.com")), slice_of_string(rows[i].contacts));
        finish();
    }
}

TEST(a_request_uri_of_another_scheme_is_416)
{
    CHECK(begin());
    t.uri = "tel:+12015550123";
    CHECK_EQ(alice(CONTACT), 416);
    finish();
}

TEST(third_parties_need_to_be_allowed)
{
    CHECK(begin());
    t.from = "sip:bob@example.com";
    CHECK_EQ(alice(CONTACT), 403);
    CHECK_EQ(registers("root", "secret", "sip:alice@example.com", CONTACT), 200);
    CHECK_STR_EQ(has("alice@example.com"), A " 3600");
    finish();
}

TEST(a_cseq_that_is_not_higher_is_500_and_changes_nothing)
{
    CHECK(begin());
    t.cseq = 100;
    CHECK_EQ(alice(CONTACT), 200);
    t.cseq = 50;
    CHECK_EQ(alice(CONTACT "Expires: 0\r\n"), 500);
    t.cseq = 60;
    CHECK_EQ(alice("Contact: *\r\nExpires: 0\r\n"), 500);
    t.cseq = 70;
    CHECK_EQ(alice("Contact: <sip:b@192.0.2.7>, <" A ">\r\n"), 500);
    CHECK_STR_EQ(has("alice@example.com"), A " 3600");
    t.call_id = "after the phone started again";
    t.cseq = 1;
    CHECK_EQ(alice(CONTACT "Expires: 600\r\n"), 200);
    CHECK_STR_EQ(has("alice@example.com"), A " 600");
    finish();
}

TEST(too_many_contacts_are_403_and_a_full_table_is_503)
{
    struct registrar_settings two = usual;

    two.contacts_max = 2;
    CHECK(begin_with(&two, BINDINGS_PING_NONE));
    CHECK_EQ(alice("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>, <sip:c@192.0.2.7>\r\n"), 403);
    CHECK_EQ(alice("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>\r\n"), 200);
    CHECK_EQ(alice("Contact: <sip:c@192.0.2.7>\r\n"), 403);
    CHECK_EQ(alice("Contact: <sip:c@192.0.2.7>, <sip:a@192.0.2.7>;expires=0\r\n"), 200);     /* one for one */
    t.users.user[1].contacts_max = 3;
    CHECK_EQ(registers("bob", "secret", "sip:bob@example.com",
                       "Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>, <sip:c@192.0.2.7>\r\n"), 200);
    finish();
}

TEST(a_first_hop_without_outbound_is_439_and_with_it_the_path_is_the_way)
{
    static const char *const flow = "Supported: outbound, path\r\n"
                                    "Contact: <sip:alice@10.0.0.1>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n";
    char lines[512];
    struct binding_fields f;
    struct hop hop;

    CHECK(begin());
    t.via_count = 2;
    CHECK_EQ(alice(flow), 439);
    CHECK(strstr(t.answer, "SIP/2.0 439 First Hop Lacks Outbound Support\r\n") != NULL);
    snprintf(lines, sizeof lines, "Path: <sip:core@192.0.2.9;lr;ob>\r\nPath: <sip:edge@192.0.2.8;lr>\r\n%s", flow);
    CHECK_EQ(alice(lines), 439);                          /* the last is that of the first hop */
    snprintf(lines, sizeof lines, "Path: <sip:core@192.0.2.9;lr>\r\nPath: <sip:edge@192.0.2.8;lr;ob>\r\n%s", flow);
    CHECK_EQ(alice(lines), 200);
    CHECK(strstr(t.answer, "Require: outbound\r\n") != NULL);
    CHECK(strstr(t.answer, "Path: <sip:core@192.0.2.9;lr>, <sip:edge@192.0.2.8;lr;ob>\r\n") != NULL);
    f = only("alice@example.com");
    CHECK_EQ(f.path, SLICE("<sip:core@192.0.2.9;lr>, <sip:edge@192.0.2.8;lr;ob>"));
    CHECK_EQ(f.flags, BINDING_OUTBOUND);
    CHECK(registrar_hop(&f, &hop) && hop_same(&hop, &t.hop));
    t.cseq = 500;
    CHECK_EQ(alice("Contact: <sip:alice@10.0.0.1>;expires=0;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n"), 200);
    CHECK_STR_EQ(has("alice@example.com"), "");           /* by URI, without outbound */
    CHECK_EQ(alice("Contact: <sip:bob@example.com>\r\n"), 403);       /* would come back to us */
    finish();
}

TEST(a_phone_on_our_own_machine_may_register_and_we_may_not)
{
    CHECK(begin());
    t.hop.remote = t.hop.local;                           /* 198.51.100.1, one of our addresses */
    t.hop.remote.port = 40001;
    CHECK_EQ(alice("Contact: <sip:alice@198.51.100.1:40001>\r\n"), 200);
    t.hop.remote.port = t.hop.local.port;
    CHECK_EQ(alice("Contact: <sip:alice@198.51.100.1>\r\n"), 403);
    CHECK_EQ(alice("Contact: <sip:alice@198.51.100.1:5060>\r\n"), 403);
    finish();
}

TEST(a_flow_that_is_lost_takes_its_contact_along)
{
    CHECK(begin());
    t.hop.transport = WIRE_TCP;
    t.hop.connection = 5;
    t.hop.remote.port = 40001;
    CHECK_EQ(alice("Supported: outbound\r\nContact: <sip:alice@192.0.2.7;transport=tcp>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n"),
             200);
    t.hop.connection = 6;
    t.hop.remote.port = 40002;
    CHECK_EQ(alice("Supported: outbound\r\nContact: <sip:alice@192.0.2.7;transport=tcp>;reg-id=2;+sip.instance=\"<urn:uuid:1>\"\r\n"),
             200);
    CHECK_EQ(bindings_count(t.bindings), 2);
    CHECK_EQ(bindings_hop_lost(t.bindings, &t.hop, t.now_ns), 1);
    CHECK(!bindings_flow_is_alive(t.bindings, &t.hop));   /* a request for it: 430 */
    CHECK_EQ(bindings_count(t.bindings), 1);
    finish();
}

TEST(settings_show_in_the_answer)
{
    struct registrar_settings s = usual;

    s.service_route = SLICE("<sip:198.51.100.1;lr>");
    s.flow_timer_s = 110;
    s.path_needs_support = true;
    s.jitter_percent = 20;
    s.nat = REGISTRAR_NAT_NEVER;
    CHECK(begin_with(&s, BINDINGS_PING_NONE));
    for (int i = 0; i < 50; i++) {
        int64_t left_s;

        CHECK_EQ(alice("Supported: outbound\r\nContact: <" A ">;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n"), 200);
        left_s = (only("alice@example.com").expires_ns - t.now_ns) / S;
        CHECK_ROW(i, left_s >= 3600 * 80 / 100 && left_s <= 3600);
    }
    CHECK(strstr(t.answer, "Service-Route: <sip:198.51.100.1;lr>\r\n") && strstr(t.answer, "Flow-Timer: 110\r\n"));
    CHECK_EQ(alice("Path: <sip:edge@192.0.2.9;lr>\r\n" CONTACT), 421);
    CHECK(strstr(t.answer, "Require: path\r\n") != NULL);
    CHECK_EQ(alice("Contact: <sip:a@10.0.0.1>\r\n"), 200);
    CHECK(strstr(has("alice@example.com"), "sip:a@10.0.0.1 ") && !strstr(has("alice@example.com"), "nat"));
    finish();
}

TEST(what_a_contact_says_of_itself_is_kept_and_cannot_break_the_answer)
{
    struct binding_fields f;

    CHECK(begin());
    CHECK_EQ(alice("Contact: \"A\" <" A ">;methods=\"INVITE,\r\n ACK\";q=0.25;+sip.ice;expires=90;;x=\"a\\\"b\"\r\n"), 200);
    f = only("alice@example.com");
    CHECK_EQ(f.params, SLICE(";methods=\"INVITE,   ACK\";+sip.ice;x=\"a\\\"b\""));
    CHECK_EQ(f.user_agent, SLICE("Test 1"));
    CHECK_EQ(f.q_thousandth, 250);
    CHECK(strstr(t.answer, "Contact: <" A ">;expires=90;q=0.25\r\n") != NULL);
    CHECK_EQ(alice("Contact: <" A ">;+sip.instance=\"<urn:x\\\"y>\"\r\n"), 200);
    CHECK_EQ(only("alice@example.com").instance, SLICE(""));
    finish();
}

TEST(the_store_away_is_504_and_a_guesser_gets_nothing)
{
    CHECK(begin());
    t.users.away = true;
    CHECK_EQ(alice(CONTACT), 504);
    t.users.away = false;
    for (int i = 0; i < 10; i++)
        CHECK_ROW_EQ(i, registers("alice", "guess", "sip:alice@example.com", CONTACT), 401);
    CHECK(guard_is_banned(t.guard, &phone_end, t.now_ns));
    CHECK_EQ(registers("alice", "secret", "sip:alice@example.com", CONTACT), 0);
    CHECK_EQ(registrar_counts(t.registrar)->dropped, 1);
    run_s(300);
    CHECK_EQ(endpoint_live(t.endpoint), 0);               /* what got no answer is not kept either */
    CHECK_EQ(endpoint_memory_bytes(t.endpoint), 0);
    CHECK_EQ(bindings_count(t.bindings), 0);
    finish();
}

TEST(a_sweep_over_names_that_are_not_here_is_noticed_without_telling)
{
    char to[64];

    CHECK(begin());
    for (int i = 0; i < 20; i++) {
        snprintf(to, sizeof to, "sip:%d@example.com", 1000 + i);
        CHECK_ROW_EQ(i, registers(NULL, NULL, to, CONTACT), 401);
    }
    CHECK(guard_is_banned(t.guard, &phone_end, t.now_ns));
    finish();
}

/* ---- time ---- */

/* The answer to the OPTIONS that went out last. */
static void answer_ping(unsigned status)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;

    CHECK(sip_message_parse(slice_of_string(t.asked), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    CHECK_EQ(m.flaw_count, 0);
    snprintf(t.text, sizeof t.text,
             "SIP/2.0 %u X\r\nVia: %.*s\r\nFrom: <sip:x@h>;tag=1\r\nTo: <sip:y@h>;tag=2\r\nCall-ID: %.*s\r\nCSeq: 1 OPTIONS\r\n\r\n",
             status, SLICE_ARG(sip_header_find(&m, SIP_H_VIA)->value), SLICE_ARG(m.call_id));
    receive(t.text);
}

TEST(a_contact_expires_when_it_said)
{
    CHECK(begin());
    CHECK_EQ(alice(CONTACT "Expires: 60\r\n"), 200);
    run_s(59);
    CHECK_EQ(bindings_count(t.bindings), 1);
    run_s(2);
    CHECK_EQ(bindings_count(t.bindings), 0);
    CHECK_EQ(registrar_next_ns(t.registrar), INT64_MAX);
    finish();
}

TEST(a_contact_that_answers_stays_and_one_that_does_not_goes)
{
    CHECK(begin_with(&usual, BINDINGS_PING_BY_HOP));
    CHECK_EQ(alice("Contact: <sip:alice@10.0.0.1:5062>\r\n"), 200);
    CHECK_EQ(registers("bob", "secret", "sip:bob@example.com", "Contact: <sip:bob@192.0.2.7>\r\n"), 200);    /* no NAT */
    run_s(61);
    CHECK_EQ(registrar_counts(t.registrar)->pings, 1);
    CHECK(strstr(t.asked, "OPTIONS sip:alice@10.0.0.1:5062 SIP/2.0\r\n") == t.asked);
    CHECK(strstr(t.asked, "From: <sip:ping@example.com>;tag=") && strstr(t.asked, "CSeq: 1 OPTIONS\r\n"));
    CHECK(address_eq(&t.sent_to.remote, &phone_end));     /* not to 10.0.0.1 */
    answer_ping(486);                                     /* whatever: it lives */
    for (int i = 0; i < 2; i++) {
        run_s(60);                                        /* 32 s later it has failed */
        CHECK_EQ(bindings_count(t.bindings), 2);
    }
    run_s(60);
    answer_ping(200);                                     /* after two failures */
    run_s(240);
    CHECK_STR_EQ(has("alice@example.com"), "");
    CHECK_EQ(bindings_count(t.bindings), 1);
    CHECK_EQ(registrar_counts(t.registrar)->pings_failed, 5);
    finish();
}

TEST(a_430_to_a_keep_alive_takes_the_contact_away_at_once)
{
    CHECK(begin_with(&usual, BINDINGS_PING_ALL));
    CHECK_EQ(alice("Path: <sip:edge@192.0.2.9;lr>\r\n" CONTACT), 200);
    run_s(61);
    CHECK(strstr(t.asked, "Route: <sip:edge@192.0.2.9;lr>\r\n") != NULL);
    answer_ping(430);
    CHECK_EQ(bindings_count(t.bindings), 0);
    finish();
}

TEST(a_contact_that_goes_while_it_is_asked_harms_nothing)
{
    CHECK(begin_with(&usual, BINDINGS_PING_ALL));
    CHECK_EQ(alice(CONTACT), 200);
    run_s(61);
    CHECK_EQ(registrar_counts(t.registrar)->pings, 1);
    CHECK_EQ(alice("Contact: *\r\nExpires: 0\r\n"), 200);
    run_s(100);
    CHECK_EQ(registrar_counts(t.registrar)->pings_failed, 1);
    finish();
}

TEST(the_hop_of_a_contact_is_known_without_a_look_up_or_not_at_all)
{
    static const struct { slice uri, path; uint8_t transport; bool connected, by_hop, known; slice remote; } rows[] = {
        { SLICE_INIT("sip:a@10.0.0.1"), { 0 }, WIRE_UDP, false, true, true, SLICE_INIT("192.0.2.7:5060") },
        { SLICE_INIT("sip:a@10.0.0.1"), { 0 }, WIRE_UDP, false, false, true, SLICE_INIT("10.0.0.1:5060") },
        { SLICE_INIT("sip:a@10.0.0.1:99"), { 0 }, WIRE_UDP, false, false, true, SLICE_INIT("10.0.0.1:99") },
        { SLICE_INIT("sip:a@10.0.0.1;transport=tcp"), { 0 }, WIRE_UDP, false, false, false, { 0 } },
        { SLICE_INIT("sip:a@192.0.2.7;transport=tcp"), { 0 }, WIRE_TCP, true, false, true, SLICE_INIT("192.0.2.7:5060") },
        { SLICE_INIT("sip:a@192.0.2.7:99;transport=tcp"), { 0 }, WIRE_TCP, false, false, true, SLICE_INIT("192.0.2.7:99") },
        { SLICE_INIT("sips:a@192.0.2.7"), { 0 }, WIRE_TLS, false, false, true, SLICE_INIT("192.0.2.7:5061") },
        { SLICE_INIT("sip:a@phone.example.com"), { 0 }, WIRE_UDP, false, false, false, { 0 } },
        { SLICE_INIT("sip:a@[2001:db8::1]"), { 0 }, WIRE_UDP, false, false, false, { 0 } },
        { SLICE_INIT("sip:a@10.0.0.1"), SLICE_INIT("<sip:edge>"), WIRE_UDP, false, false, true, SLICE_INIT("192.0.2.7:5060") },
        { SLICE_INIT("sip:a@10.0.0.1"), SLICE_INIT("<sip:edge>"), WIRE_TCP, false, false, false, { 0 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct binding_fields f = { .uri = rows[i].uri, .path = rows[i].path, .flags = rows[i].by_hop ? BINDING_BY_HOP : 0,
                                    .hop = { our_end, phone_end, rows[i].connected, 0, rows[i].transport } };
        struct hop hop;
        char text[ADDRESS_TEXT_MAX];

        CHECK_ROW_EQ(i, registrar_hop(&f, &hop), rows[i].known);
        CHECK_ROW(i, !rows[i].known || slice_eq(slice_of(text, address_format(&hop.remote, text)), rows[i].remote));
    }
}

TEST(an_alias_of_one_user_is_that_user_before_any_password_unless_a_user_is_called_so)
{
    static const struct { slice to, owner; } rows[] = {
        { SLICE_INIT("sip:alice@example.com"), SLICE_INIT("alice@example.com") },
        { SLICE_INIT("sip:100@198.51.100.1"), SLICE_INIT("alice@example.com") },
        { SLICE_INIT("sip:nobody@sip.example.com"), SLICE_INIT("nobody@example.com") },
        { SLICE_INIT("sip:200@example.com"), SLICE_INIT("200@example.com") },                 /* of two */
        { SLICE_INIT("sip:mia@example.com"), SLICE_INIT("mia@example.com") },
        { SLICE_INIT("sip:100@elsewhere.example"), { 0 } },
        { SLICE_INIT("tel:100"), { 0 } },
    };
    char room[BINDINGS_KEY_MAX];
    slice key;

    CHECK(begin());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, registrar_owner(t.registrar, rows[i].to, room, &key), rows[i].owner.len != 0);
        CHECK_ROW(i, !rows[i].owner.len || slice_eq(key, rows[i].owner));
    }
    finish();
}
