/* net/tls_test.c - TLS and WSS with certificates made here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/net_cert.h"
#include "harness/net_world.h"
#include "harness/test.h"

#include <errno.h>
#include <openssl/x509v3.h>

#define MESSAGE "OPTIONS sip:bob@b.example SIP/2.0\r\nContent-Length: 0\r\n\r\n"

static struct world w;
static struct bare b;
static struct net_fault fault;
static struct net_cert ca, good, other;

static void certificates(const char *names)
{
    net_cert_make(&ca, NULL, "test authority", NULL);
    net_cert_make(&good, &ca, "b.example", names);
    net_cert_make(&other, NULL, "unknown authority", NULL);
}

static void certificates_done(void)
{
    net_cert_done(&ca);
    net_cert_done(&good);
    net_cert_done(&other);
}

TEST(a_certificate_speaks_for_the_domains_that_rfc_5922_says)
{
    static const struct { const char *names, *common, *domain; bool want; } rows[] = {
        { "URI:sip:b.example", "x", "b.example", true },
        { "URI:sip:b.example", "x", "B.Example", true },
        { "URI:SIP:b.example:5061;transport=tls", "x", "b.example", true },
        { "URI:sip:b.example,DNS:c.example", "x", "c.example", false },       /* a sip URI goes first */
        { "URI:sip:bob@b.example", "x", "b.example", false },                 /* speaks for bob */
        { "URI:sip:bob@b.example,DNS:b.example", "x", "b.example", true },
        { "URI:sips:b.example", "x", "b.example", false },
        { "URI:https://b.example", "x", "b.example", false },
        { "DNS:b.example", "x", "b.example", true },
        { "DNS:b.example", "x", "b.example.", true },
        { "DNS:b.example", "x", "a.b.example", false },
        { "DNS:*.example", "x", "b.example", false },                         /* 7.2: no wildcards */
        { "DNS:a.example,DNS:b.example", "x", "b.example", true },
        { NULL, "b.example", "b.example", true },
        { NULL, "*.example", "b.example", false },
        { "DNS:a.example", "b.example", "b.example", false },                 /* 7.1: then CN says nothing */
        { "IP:127.0.0.1", "x", "127.0.0.1", true },
        { "IP:::1", "x", "::1", true },
        { "IP:127.0.0.1", "x", "127.0.0.2", false },
        { "DNS:127.0.0.1", "x", "127.0.0.1", false },
    };

    net_cert_make(&ca, NULL, "test authority", NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct net_cert c;

        net_cert_make(&c, &ca, rows[i].common, rows[i].names);
        CHECK_ROW_EQ(i, tls_certificate_is_for(c.x509, slice_of_string(rows[i].domain)), rows[i].want);
        net_cert_done(&c);
    }
    net_cert_done(&ca);
}

/* One row is a try of side 1 to reach side 0. */
struct row {
    enum wire_transport transport;
    const char *domain;
    bool        trusts;              /* the client knows the authority */
    bool        anybody;             /* the client asks for nothing */
    bool        verify_client, shows_own;
    bool        alpn;
    bool        works;
    const char *why;
};

static void try_row(size_t i, const struct row *r)
{
    struct world_settings s = { .transport = r->transport, .ip = "127.0.0.1" };
    struct hop hop = { .transport = (uint8_t)r->transport };

    s.server = (struct tls_settings){ .certificate = good.certificate, .key = good.key, .ca_file = ca.certificate,
                                      .verify_client = r->verify_client, .alpn = r->alpn };
    s.client = (struct tls_settings){ .ca_file = r->trusts ? ca.certificate : other.certificate,
                                      .trust_anybody = r->anybody, .alpn = r->alpn };
    if (r->shows_own) {
        s.client.certificate = good.certificate;
        s.client.key = good.key;
    }
    CHECK_ROW_EQ(i, world_open(&w, &s, &fault), 0);
    w.side[1].domain = slice_of_string(r->domain);
    w.side[0].echo = true;
    CHECK_ROW_EQ(i, world_send(&w, SLICE(MESSAGE), &hop), 0);
    world_wait(&w, r->works ? world_answered : world_lost);
    if (r->works) {
        CHECK_ROW_EQ(i, slice_of(w.side[1].last, w.side[1].last_len), SLICE(MESSAGE));
        CHECK_ROW_EQ(i, w.side[0].from.transport, r->transport);
    } else {
        CHECK_ROW_EQ(i, w.side[1].lost_error, EPROTO);
        CHECK_ROW(i, slice_find(slice_of_string(w.side[1].why), slice_of_string(r->why)) >= 0);
        CHECK_ROW_EQ(i, w.side[0].messages, 0);
    }
    world_close(&w);
}

TEST(who_may_talk_to_whom_over_tls)
{
    static const struct row rows[] = {
        { WIRE_TLS, "b.example", .trusts = true, .works = true },
        { WIRE_TLS, "", .trusts = true, .works = true },
        { WIRE_WSS, "b.example", .trusts = true, .works = true },
        { WIRE_TLS, "b.example", .trusts = true, .alpn = true, .works = true },
        { WIRE_TLS, "c.example", .trusts = true, .why = "hostname mismatch" },
        { WIRE_TLS, "b.example", .why = "unable to get local issuer certificate" },
        { WIRE_TLS, "c.example", .anybody = true, .works = true },
        { WIRE_TLS, "b.example", .trusts = true, .verify_client = true, .shows_own = true, .works = true },
        { WIRE_TLS, "b.example", .trusts = true, .verify_client = true, .why = "certificate required" },
        { WIRE_WSS, "c.example", .trusts = true, .why = "hostname mismatch" },
    };

    certificates("DNS:b.example");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        try_row(i, &rows[i]);
    certificates_done();
}

static void open_tls(const struct stream_limits *limits)
{
    struct world_settings s = { .transport = WIRE_TLS, .ip = "127.0.0.1", .limits = *limits };

    s.server = (struct tls_settings){ .certificate = good.certificate, .key = good.key };
    s.client.ca_file = ca.certificate;
    CHECK_EQ(world_open(&w, &s, &fault), 0);
}

TEST(a_connection_proved_for_one_domain_is_not_taken_for_another)
{
    struct hop first = { .transport = WIRE_TLS }, second = first, third = first;

    certificates("DNS:b.example,DNS:c.example");
    open_tls(&(struct stream_limits){ 0 });
    w.side[1].domain = SLICE("b.example");
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &first), 0);
    w.side[1].domain = SLICE("c.example");
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &second), 0);
    w.side[1].domain = SLICE("B.example");
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &third), 0);
    CHECK(first.connection != second.connection && first.connection == third.connection);
    world_close(&w);
    certificates_done();
}

static bool two_came(const struct world *x) { return x->side[0].messages >= 200; }

TEST(many_messages_and_large_ones_pass_through_tls)
{
    static char message[40000] = "OPTIONS sip:a SIP/2.0\r\nl: 30000\r\n\r\n";
    size_t head = strlen("OPTIONS sip:a SIP/2.0\r\nl: 30000\r\n\r\n");
    struct hop hop = { .transport = WIRE_TLS };

    memset(message + head, 'x', 30000);
    certificates("DNS:b.example");
    open_tls(&(struct stream_limits){ .waiting_max = 8u << 20 });
    for (size_t i = 0; i < 200; i++)
        CHECK_EQ(world_send(&w, slice_of(message, head + 30000), &(struct hop){ .local = hop.local, .remote = hop.remote, .transport = WIRE_TLS }), 0);
    world_wait(&w, two_came);
    CHECK_EQ(w.side[0].bytes, 200 * (head + 30000));
    world_close(&w);
    certificates_done();
}

TEST(a_handshake_that_fails_or_does_not_come_is_ended)
{
    static const struct { slice in; uint64_t left; } rows[] = {
        { SLICE_INIT("INVITE sip:in the clear SIP/2.0\r\n\r\n"), 0 },
        { SLICE_INIT("\x16\x03\x01"), 0 },
        { SLICE_INIT(""), 0 },
    };

    certificates("DNS:b.example");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        open_tls(&(struct stream_limits){ .handshake_ns = 30000000 });
        bare_open(&b, &w);
        bare_send(&b, rows[i].in);
        bare_wait(&b, sizeof b.got);
        CHECK_ROW(i, b.ended);
        CHECK_ROW_EQ(i, net_counts(w.side[0].net).connections, rows[i].left);
        CHECK_ROW_EQ(i, net_counts(w.side[0].net).streams.failed, 1);
        bare_close(&b);
        world_close(&w);
    }
    certificates_done();
}

TEST(a_new_certificate_is_taken_and_a_broken_one_is_not)
{
    struct hop hop = { .transport = WIRE_TLS }, again = hop;
    FILE *f;

    certificates("DNS:b.example");
    open_tls(&(struct stream_limits){ 0 });
    f = fopen(good.certificate, "w");
    CHECK(f && fputs("not a certificate\n", f) >= 0 && fclose(f) == 0);
    CHECK(net_reload(w.side[0].net, &fault) < 0);
    CHECK_EQ(fault.what, NET_FAULT_CERTIFICATE);
    CHECK_EQ(fault.listener, 0);
    w.side[1].domain = SLICE("b.example");
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &hop), 0);
    world_wait(&w, world_served);                    /* with the old one */
    struct net_cert fresh;

    net_cert_make(&fresh, &ca, "x", "DNS:d.example");
    CHECK(rename(fresh.certificate, good.certificate) == 0 && rename(fresh.key, good.key) == 0);
    CHECK_EQ(net_reload(w.side[0].net, &fault), 0);
    w.side[1].domain = SLICE("d.example");
    w.side[0].messages = 0;
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &again), 0);
    world_wait(&w, world_served);
    CHECK_EQ(w.side[1].lost, 0);
    net_cert_done(&fresh);
    world_close(&w);
    certificates_done();
}

/* The listener of side 0 with another certificate; what came by it before is there all the time. */
static int set_certificate(const struct net_cert *c)
{
    struct net_listener at = { .transport = WIRE_TLS, .tls = { .certificate = c->certificate, .key = c->key } };
    struct net_settings s = { .listeners = &at, .listener_count = 1 };
    struct net_change *change;
    int error;

    CHECK(address_parse_ip(SLICE("127.0.0.1"), &at.address));
    error = net_prepare(w.side[0].net, &s, &change, &fault);
    if (!error)
        net_commit(w.side[0].net, change);
    return error;
}

TEST(a_listener_that_stays_takes_another_certificate_and_keeps_its_connections)
{
    struct hop hop = { .transport = WIRE_TLS }, again = hop;
    struct net_cert fresh, none = { .certificate = "/nowhere", .key = "/nowhere" };

    certificates("DNS:b.example");
    net_cert_make(&fresh, &ca, "x", "DNS:d.example");
    open_tls(&(struct stream_limits){ 0 });
    w.side[1].domain = SLICE("b.example");
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &hop), 0);
    world_wait(&w, world_served);
    CHECK(set_certificate(&none) < 0);
    CHECK(fault.what == NET_FAULT_CERTIFICATE && fault.listener == 0);
    CHECK_EQ(set_certificate(&fresh), 0);
    w.side[0].messages = 0;
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &hop), 0);
    world_wait(&w, world_served);                    /* by the old connection */
    w.side[1].domain = SLICE("d.example");
    w.side[0].messages = 0;
    CHECK_EQ(world_send(&w, SLICE(MESSAGE), &again), 0);
    world_wait(&w, world_served);
    CHECK(again.connection != hop.connection && w.side[1].lost == 0 && net_counts(w.side[0].net).connections == 2);
    net_cert_done(&fresh);
    world_close(&w);
    certificates_done();
}

TORTURE(settings_that_cannot_work_say_which_file_and_why)
{
    static const struct { int certificate, key, authority; enum net_fault_what want; int error; } rows[] = {
        { 0, 0, 0, NET_FAULT_NONE, 0 },              /* 0 the right one, 1 another's, 2 not there, 3 empty */
        { 2, 0, 0, NET_FAULT_CERTIFICATE, ENOENT },
        { 3, 0, 0, NET_FAULT_CERTIFICATE, 0 },
        { 0, 2, 0, NET_FAULT_KEY, ENOENT },
        { 0, 3, 0, NET_FAULT_KEY, 0 },
        { 0, 1, 0, NET_FAULT_KEY_MATCH, 0 },
        { 0, 0, 2, NET_FAULT_CA, ENOENT },
        { 0, 0, 3, NET_FAULT_CA, 0 },
    };

    certificates("DNS:b.example");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *files[][4] = { { good.certificate, other.certificate, "/nowhere/x.pem", "/dev/null" },
                                   { good.key, other.key, "/nowhere/x.pem", "/dev/null" },
                                   { ca.certificate, other.certificate, "/nowhere/x.pem", "/dev/null" } };
        struct tls_settings s = { .certificate = files[0][rows[i].certificate], .key = files[1][rows[i].key],
                                  .ca_file = files[2][rows[i].authority], .verify_client = true };
        struct tls *t = NULL;
        int error = tls_open(&t, TLS_SERVER, &s, &fault);

        t = tls_free(t);
        CHECK_OR_GOTO(error != -ENOMEM, out);
        CHECK_ROW_EQ(i, error == 0, rows[i].want == NET_FAULT_NONE);
        CHECK_ROW(i, error == 0 || fault.what == rows[i].want);
        CHECK_ROW(i, error == 0 || fault.error == rows[i].error);
        CHECK_ROW(i, error == 0 || fault.error || fault.why);
    }
out:
    certificates_done();
}
