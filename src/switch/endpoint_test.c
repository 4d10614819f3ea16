/* switch/endpoint_test.c - two endpoints and a wire between them that loses, repeats and delays
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "harness/test.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "switch/endpoint.h"

#define MS 1000000ll
#define START_NS (1795251000ll * 1000 * MS)

enum { WIRE_ROOM = 256, SIDES = 2 };

/* What is under way, and what each side was told: a letter or number each. */
struct net {
    struct endpoint *e[SIDES];
    struct { char *bytes; size_t len; int from; } wire[WIRE_ROOM];
    size_t  sent, taken;
    int64_t now_ns;
    char    told[SIDES][256];
    char    sent_text[SIDES][512];                        /* method or status of each, a blank behind */
    struct server_transaction *server;
    struct client_transaction *client;
    int     lose_from, lose_count;                        /* that side's next so many */
    bool    twice, refuse_send;
    bool    gone;                                         /* connection 1 is closed, and there is no other until one is made */
    struct hop last_to;
    char    last_line[64];                                /* of what was sent last */
    unsigned answer_at_once;                              /* what side 1 says to a request; 0: nothing */
    bool    challenges;                                   /* side 1 wants credentials, and side 0 gives them */
};

static struct net net;
static const struct address ends[SIDES] = { { .ip = { 10, 0, 0, 1 }, .port = 5060, .family = 4 },
                                            { .ip = { 10, 0, 0, 2 }, .port = 5060, .family = 4 } };
static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };

static void note(char *text, size_t room, slice word)
{
    size_t at = strlen(text);

    if (at + word.len + 2 < room) {
        memcpy(text + at, word.ptr, word.len);
        memcpy(text + at + word.len, " ", 2);
    }
}

static int side_of(void *ctx) { return ctx == &net.e[1]; }

static int wire_send(void *ctx, struct hop *to, slice bytes)
{
    int side = side_of(ctx);
    slice rest = bytes, word = slice_take_until(&rest, ' ');

    if (net.gone && to->connection == 1)
        return -ENOTCONN;
    net.last_to = *to;
    if (slice_eq(word, SLICE("SIP/2.0")))
        rest = slice_skip(rest, 1), word = slice_take_until(&rest, ' ');
    note(net.sent_text[side], sizeof net.sent_text[side], word);
    if (slice_eq(word, SLICE("100")))                     /* begins no dialog */
        CHECK(slice_find(rest, SLICE("\r\nTo: <sip:bob@b>\r\n")) >= 0 || slice_find(rest, SLICE("\r\nTo: <sip:c@d>\r\n")) >= 0);
    snprintf(net.last_line, sizeof net.last_line, "%.*s", (int)(bytes.len < 60 ? bytes.len : 60), bytes.ptr);
    if (net.refuse_send)
        return -111;
    if (net.lose_count && net.lose_from == side) {
        net.lose_count--;
        return 0;
    }
    for (int i = 0; i <= net.twice && net.sent < WIRE_ROOM; i++) {
        char *copy = malloc(bytes.len);

        if (!copy)
            return 0;
        memcpy(copy, bytes.ptr, bytes.len);
        net.wire[net.sent].bytes = copy;
        net.wire[net.sent].len = bytes.len;
        net.wire[net.sent++].from = side;
    }
    return 0;
}

static void on_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    (void)from;
    note(net.told[side_of(ctx)], sizeof net.told[0], m->method_text);
    net.server = s;
    server_set_owner(s, &net);
    if (net.challenges && !sip_header_find(m, SIP_H_PROXY_AUTHORIZATION))
        server_reply_plain(s, 407);
    else if (net.answer_at_once)
        server_reply_plain(s, net.answer_at_once);
}

static void on_cancelled(void *ctx, struct server_transaction *s, const struct sip_message *m)
{
    (void)m;
    note(net.told[side_of(ctx)], sizeof net.told[0], SLICE("cancelled"));
    server_reply_plain(s, 487);
}

static void on_ack(void *ctx, const struct sip_message *m, const struct hop *from)
{
    (void)m, (void)from;
    note(net.told[side_of(ctx)], sizeof net.told[0], SLICE("ack"));
}

static void on_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from)
{
    (void)from;
    CHECK(client_owner(c) == &net);
    note(net.told[side_of(ctx)], sizeof net.told[0], m->status_text);
    if (net.challenges && m->status == 407) {
        struct sip_header room[SIP_HEADERS_MAX];
        struct sip_message asked;

        CHECK(client_request_of(c, room, ARRAY_LEN(room), &asked));
        CHECK_EQ(asked.uri, "sip:bob@10.0.0.2");
        CHECK(client_request_again(c, asked.cseq.number + 1, SLICE("Proxy-Authorization: Digest x\r\n")) != NULL);
        CHECK(client_owner(c) == NULL);
    }
}

static void on_failed(void *ctx, struct client_transaction *c, enum endpoint_failure why)
{
    (void)c;
    note(net.told[side_of(ctx)], sizeof net.told[0], why == ENDPOINT_TIMED_OUT ? SLICE("timeout") : SLICE("lost"));
}

static void on_server_ended(void *ctx, struct server_transaction *s)
{
    (void)ctx;
    if (net.server == s)
        net.server = NULL;
}

static void on_client_ended(void *ctx, struct client_transaction *c)
{
    (void)ctx;
    if (net.client == c)
        net.client = NULL;
}

static bool begin(void)
{
    struct endpoint_settings settings = { .times = usual, .seed = { 1, 2 } };

    net = (struct net){ .now_ns = START_NS };
    for (int i = 0; i < SIDES; i++) {
        struct hop_sender sender = { .ctx = &net.e[i], .send = wire_send };
        struct endpoint_user user = { &net.e[i],       on_request, on_cancelled,    on_ack, on_response,
                                      on_failed, on_server_ended, on_client_ended, NULL, NULL };

        settings.worker = (uint8_t)i;
        settings.seed.k0++;
        net.e[i] = endpoint_new(&settings, &sender, &user, net.now_ns);
    }
    return net.e[0] && net.e[1];
}

static void finish(void)
{
    for (size_t i = net.taken; i < net.sent; i++)
        free(net.wire[i].bytes);
    net.e[0] = endpoint_free(net.e[0]);
    net.e[1] = endpoint_free(net.e[1]);
}

static struct hop hop_from(int side, enum wire_transport transport)
{
    return (struct hop){ .local = ends[side], .remote = ends[!side], .transport = (uint8_t)transport,
                         .connection = transport != WIRE_UDP };
}

static enum wire_transport transport;

static void deliver(void)
{
    while (net.taken < net.sent) {
        struct sip_header room[SIP_HEADERS_MAX];
        struct sip_message m;
        size_t i = net.taken++;
        struct hop hop = hop_from(!net.wire[i].from, transport);

        CHECK(sip_message_parse(slice_of(net.wire[i].bytes, net.wire[i].len), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
        CHECK_EQ(m.flaw_count, 0);
        endpoint_receive(net.e[!net.wire[i].from], &hop, &m, net.now_ns);
        free(net.wire[i].bytes);
    }
}

/* Until that time, timers and deliveries in their order. */
static void run_ms(int64_t ms)
{
    int64_t end_ns = net.now_ns + ms * MS;

    for (deliver(); ; deliver()) {
        int64_t a = endpoint_next_ns(net.e[0]), b = endpoint_next_ns(net.e[1]);
        int64_t next = a < b ? a : b;

        if (next > end_ns)
            break;
        net.now_ns = next > net.now_ns ? next : net.now_ns;
        endpoint_time(net.e[0], net.now_ns);
        endpoint_time(net.e[1], net.now_ns);
    }
    net.now_ns = end_ns;
}

static bool ask_for(slice method, slice uri, slice to_value, bool proxied)
{
    struct hop to = hop_from(0, transport);
    enum sip_method id = sip_method_find(method);
    struct out *o = client_request(net.e[0], &to, id, method, uri);

    if (!o)
        return false;
    if (proxied)
        sip_build_header(o, SIP_H_ROUTE, SLICE("<sip:proxy;lr>"));
    sip_build_header(o, SIP_H_MAX_FORWARDS, SLICE("70"));
    sip_build_header(o, SIP_H_CONTACT, SLICE("<sip:alice@10.0.0.1>"));
    sip_build_header(o, SIP_H_FROM, SLICE("<sip:alice@a>;tag=1"));
    sip_build_header(o, SIP_H_TO, to_value);
    sip_build_header(o, SIP_H_CALL_ID, SLICE("call-1"));
    sip_build_cseq(o, 1, method);
    net.client = client_request_send(net.e[0], (slice){ 0 }, (slice){ 0 }, &net);
    return net.client != NULL;
}

static bool ask(slice method) { return ask_for(method, SLICE("sip:bob@10.0.0.2"), SLICE("<sip:bob@b>"), true); }
static bool ask_within(slice method, slice uri) { return ask_for(method, uri, SLICE("<sip:bob@b>;tag=2"), false); }

static bool answer_200(void)
{
    struct out *o = server_reply(net.server, 200, (slice){ 0 });

    sip_build_header(o, SIP_H_CONTACT, SLICE("<sip:bob@10.0.0.2>"));
    return server_reply_send(net.server, (slice){ 0 }, (slice){ 0 });
}

#define SENT(side, text) CHECK_STR_EQ(net.sent_text[side], text)
#define TOLD(side, text) CHECK_STR_EQ(net.told[side], text)

TEST(a_refused_invite_is_acknowledged_hop_by_hop_and_repeats_change_nothing)
{
    for (int twice = 0; twice < 2; twice++) {
        transport = WIRE_UDP;
        CHECK(begin());
        net.twice = twice;
        net.answer_at_once = 486;
        CHECK(ask(SLICE("INVITE")));
        run_ms(100);
        TOLD(0, "486 ");
        TOLD(1, "INVITE ");
        run_ms(60000);
        CHECK_EQ(endpoint_live(net.e[0]) + endpoint_live(net.e[1]), 0);
        CHECK_EQ(endpoint_memory_bytes(net.e[0]) + endpoint_memory_bytes(net.e[1]), 0);
        TOLD(0, "486 ");
        finish();
    }
}

TEST(whatever_single_message_is_lost_the_refusal_arrives_once)
{
    for (int side = 0; side < 2; side++)
        for (int count = 1; count < 4; count++) {
            transport = WIRE_UDP;
            CHECK(begin());
            net.answer_at_once = 404;
            net.lose_from = side;
            net.lose_count = count;
            CHECK(ask(SLICE("INVITE")));
            run_ms(70000);
            TOLD(0, "404 ");
            TOLD(1, "INVITE ");
            CHECK_EQ(endpoint_counts(net.e[1])->unacknowledged, 0);
            CHECK_EQ(endpoint_live(net.e[0]) + endpoint_live(net.e[1]), 0);
            finish();
        }
}

TEST(a_lost_ack_is_sent_again_with_the_next_refusal)
{
    transport = WIRE_UDP;
    CHECK(begin());
    CHECK(ask(SLICE("INVITE")));
    run_ms(10);
    server_reply_plain(net.server, 503);
    net.lose_from = 0;
    net.lose_count = 2;
    run_ms(40000);
    TOLD(0, "503 ");
    SENT(0, "INVITE ACK ACK ACK ");
    SENT(1, "503 503 503 ");
    finish();
}

TEST(a_silent_user_gets_100_sent_for_it_after_200_ms)
{
    transport = WIRE_UDP;
    CHECK(begin());
    CHECK(ask(SLICE("INVITE")));
    run_ms(150);
    SENT(1, "");
    run_ms(100);
    SENT(1, "100 ");
    CHECK(server_reply_plain(net.server, 180));
    run_ms(10);
    server_repeat(net.server);
    CHECK(answer_200());
    CHECK(!server_reply_plain(net.server, 486));          /* too late */
    run_ms(10);
    TOLD(0, "100 180 180 200 ");
    server_repeat(net.server);                            /* no ACK came */
    run_ms(10);
    TOLD(0, "100 180 180 200 200 ");
    server_acknowledged(net.server);
    server_repeat(net.server);
    run_ms(40000);
    TOLD(0, "100 180 180 200 200 ");
    CHECK(!net.server);
    CHECK(!net.client);
    CHECK_EQ(endpoint_memory_bytes(net.e[0]) + endpoint_memory_bytes(net.e[1]), 0);
    finish();
}

TEST(a_request_that_is_not_an_invite_is_answered_once_and_its_repeats_from_themselves)
{
    transport = WIRE_UDP;
    CHECK(begin());
    net.answer_at_once = 200;
    net.lose_from = 1;
    net.lose_count = 2;
    CHECK(ask(SLICE("OPTIONS")));
    run_ms(3000);
    SENT(0, "OPTIONS OPTIONS OPTIONS ");
    SENT(1, "200 200 200 ");
    TOLD(1, "OPTIONS ");
    TOLD(0, "200 ");
    CHECK(endpoint_memory_bytes(net.e[1]) < 330);         /* nothing of the answer is kept */
    run_ms(40000);
    CHECK_EQ(endpoint_live(net.e[0]) + endpoint_live(net.e[1]), 0);
    finish();
}

TEST(a_repeated_answer_has_the_phrase_of_the_first)
{
    transport = WIRE_UDP;
    CHECK(begin());
    CHECK(ask(SLICE("OPTIONS")));
    run_ms(10);
    (void)server_reply(net.server, 480, SLICE("Gone Fishing"));
    CHECK(server_reply_send(net.server, (slice){ 0 }, (slice){ 0 }));
    CHECK(slice_starts(slice_of_string(net.last_line), SLICE("SIP/2.0 480 Gone Fishing\r\n")));
    free(net.wire[net.taken++].bytes);                    /* it is lost */
    net.now_ns += 600 * MS;
    endpoint_time(net.e[0], net.now_ns);                  /* so it is asked again */
    memset(net.last_line, 0, sizeof net.last_line);
    run_ms(0);
    CHECK(slice_starts(slice_of_string(net.last_line), SLICE("SIP/2.0 480 Gone Fishing\r\n")));
    SENT(1, "480 480 ");
    TOLD(0, "480 ");
    finish();
}

TEST(cancel_waits_for_a_provisional_response_and_ends_the_invite_once)
{
    static const struct { bool early; const char *sent; } rows[] = {
        { true,  "INVITE CANCEL ACK " },                  /* asked for before the 100 */
        { false, "INVITE CANCEL ACK " },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        transport = WIRE_UDP;
        CHECK(begin());
        CHECK(ask(SLICE("INVITE")));
        if (!rows[i].early)
            run_ms(300);
        client_cancel(net.client, SLICE("SIP;cause=200;text=\"Call completed elsewhere\""));
        client_cancel(net.client, SLICE("again"));
        if (rows[i].early)
            SENT(0, "INVITE ");
        run_ms(1000);
        SENT(0, rows[i].sent);
        TOLD(1, "INVITE cancelled ");
        SENT(1, "100 200 487 ");
        TOLD(0, "100 487 ");
        run_ms(40000);
        CHECK_EQ(endpoint_live(net.e[0]) + endpoint_live(net.e[1]), 0);
        finish();
    }
}

static bool on_astray(void *ctx, const struct sip_message *cancel, const struct hop *from)
{
    (void)from;
    CHECK(cancel->method == SIP_CANCEL);
    return ++*(int *)ctx < 3;
}

static int count_sent(void *ctx, struct hop *to, slice bytes)
{
    (void)ctx, (void)to;
    CHECK(slice_starts(bytes, SLICE("SIP/2.0 481 ")));
    net.sent++;
    return 0;
}

TEST(a_cancel_of_nothing_is_refused_unless_somebody_else_takes_it)
{
    static const char text[] = "CANCEL sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"
                               "To: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n";
    int asked = 0;
    struct endpoint_user user = { .ctx = &asked, .request = on_request, .response = on_response, .astray = on_astray };
    struct hop_sender sender = { .send = count_sent };
    struct endpoint *e = endpoint_new(&(struct endpoint_settings){ .times = usual, .seed = { 1, 2 } }, &sender, &user, START_NS);
    struct hop hop = { .remote = { .ip = { 10, 0, 0, 1 }, .port = 5060, .family = 4 } };
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;

    net = (struct net){ .now_ns = START_NS };
    CHECK(sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    for (int i = 1; i <= 3; i++) {
        endpoint_receive(e, &hop, &m, START_NS);
        CHECK_ROW_EQ(i, asked, i);
        CHECK_ROW_EQ(i, net.sent, i == 3);                /* the third time nobody takes it */
        CHECK_ROW_EQ(i, endpoint_live(e), 0);             /* nothing is kept of it */
    }
    net.sent = 0;
    endpoint_free(e);
}

TEST(cancel_that_crosses_the_answer_changes_nothing)
{
    transport = WIRE_UDP;
    CHECK(begin());
    CHECK(ask(SLICE("INVITE")));
    run_ms(300);
    CHECK(answer_200());
    client_cancel(net.client, (slice){ 0 });              /* the 200 is under way */
    run_ms(100);
    SENT(1, "100 200 200 ");                              /* of the INVITE, of the CANCEL */
    TOLD(1, "INVITE ");
    TOLD(0, "100 200 ");
    finish();
}

TEST(an_invite_without_any_answer_times_out_after_32_s)
{
    transport = WIRE_UDP;
    CHECK(begin());
    net.lose_from = 0;
    net.lose_count = 100;
    CHECK(ask(SLICE("INVITE")));
    run_ms(31900);
    TOLD(0, "");
    run_ms(200);
    TOLD(0, "timeout ");
    SENT(0, "INVITE INVITE INVITE INVITE INVITE INVITE INVITE ");
    CHECK(!net.client);
    finish();
}

TEST(a_lost_hop_fails_what_waits_for_a_first_answer_and_nothing_else)
{
    struct hop hop;

    transport = WIRE_UDP;
    CHECK(begin());
    net.refuse_send = true;
    CHECK(ask(SLICE("INVITE")));                          /* refused at once: told with the next timer */
    TOLD(0, "");
    run_ms(20);
    TOLD(0, "lost ");
    net.refuse_send = false;
    CHECK(ask(SLICE("OPTIONS")));
    hop = hop_from(0, WIRE_UDP);
    hop.remote.port++;
    endpoint_hop_lost(net.e[0], &hop, net.now_ns);        /* another one */
    hop.remote.port--;
    net.taken = net.sent;                                 /* the OPTIONS never arrives */
    free(net.wire[net.sent - 1].bytes);
    endpoint_hop_lost(net.e[0], &hop, net.now_ns);
    run_ms(20);
    TOLD(0, "lost lost ");
    CHECK(ask(SLICE("INVITE")));
    run_ms(300);                                          /* 100 came */
    endpoint_hop_lost(net.e[0], &hop, net.now_ns);
    run_ms(1000);
    TOLD(0, "lost lost 100 ");
    finish();
}

TEST(over_a_reliable_transport_nothing_is_repeated_and_little_lingers)
{
    transport = WIRE_TCP;
    CHECK(begin());
    net.answer_at_once = 200;
    CHECK(ask(SLICE("OPTIONS")));
    run_ms(100);
    TOLD(0, "200 ");
    CHECK_EQ(endpoint_live(net.e[0]) + endpoint_live(net.e[1]), 0);
    finish();
}

/* RFC 3261, 18 and 18.2.2; RFC 5923 */
TEST(a_request_in_a_dialog_whose_connection_is_gone_goes_by_another_to_who_has_an_address)
{
    static const slice methods[] = { SLICE_INIT("BYE"), SLICE_INIT("INVITE"), SLICE_INIT("UPDATE") };
    char last[ADDRESS_TEXT_MAX];

    transport = WIRE_TCP;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        CHECK(begin());
        net.gone = true;
        CHECK(ask_within(methods[i], SLICE("sip:bob@10.0.0.2:5070")));
        SENT(0, "");
        net.answer_at_once = 488;
        net.gone = false;                                 /* of what comes by it in this test */
        endpoint_time(net.e[0], net.now_ns + 20 * MS);
        address_format(&net.last_to.remote, last);
        CHECK_ROW_EQ(i, slice_of_string(last), SLICE("10.0.0.2:5070"));
        CHECK_ROW_EQ(i, net.last_to.connection, 0);
        run_ms(100);
        TOLD(0, "488 ");
        CHECK_ROW_EQ(i, net.told[1], i == 0 ? "BYE " : i == 1 ? "INVITE " : "UPDATE ");
        finish();
    }
}

TEST(a_connection_that_goes_under_a_request_in_a_dialog_costs_it_one_repeat)
{
    struct hop hop;

    transport = WIRE_TCP;
    CHECK(begin());
    hop = hop_from(0, WIRE_TCP);
    net.lose_from = 0;
    net.lose_count = 2;
    CHECK(ask_within(SLICE("BYE"), SLICE("sip:bob@10.0.0.2")));
    endpoint_hop_lost(net.e[0], &hop, net.now_ns);
    run_ms(100);
    SENT(0, "BYE BYE ");
    TOLD(0, "");
    CHECK_EQ(net.last_to.connection, 0);
    hop.connection = 0;
    endpoint_hop_lost(net.e[0], &hop, net.now_ns);        /* that one, too */
    run_ms(100);
    SENT(0, "BYE BYE ");
    TOLD(0, "lost ");
    finish();
}

TEST(who_is_reached_by_its_connection_only_is_lost_with_it)
{
    static const struct { enum wire_transport transport; slice uri; } rows[] = {
        { WIRE_WSS, SLICE_INIT("sip:bob@10.0.0.2") }, { WIRE_TCP, SLICE_INIT("sip:bob@192.168.1.1") },
        { WIRE_TCP, SLICE_INIT("sip:bob@10.0.0.2;ob") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        transport = rows[i].transport;
        CHECK(begin());
        net.gone = true;
        CHECK(ask_within(SLICE("BYE"), rows[i].uri));
        run_ms(100);
        CHECK_ROW_EQ(i, net.told[0], "lost ");
        CHECK_ROW_EQ(i, net.sent_text[0], "");
        finish();
    }
}

TEST(an_answer_whose_connection_is_gone_goes_to_where_the_via_says)
{
    transport = WIRE_TCP;
    CHECK(begin());
    CHECK(ask(SLICE("INVITE")));
    run_ms(300);
    TOLD(0, "100 ");
    net.gone = true;
    server_reply_plain(net.server, 180);
    SENT(1, "100 180 ");
    CHECK(net.last_to.connection == 0 && address_eq(&net.last_to.remote, &ends[0]));
    CHECK(answer_200());
    net.gone = false;
    run_ms(100);
    TOLD(0, "100 180 200 ");
    finish();
}

static void receive_text(const char *text)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct hop hop = hop_from(1, WIRE_UDP);

    CHECK(sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    endpoint_receive(net.e[1], &hop, &m, net.now_ns);
}

#define REST "From: <sip:a@b>;tag=f\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"

TEST(the_same_request_by_another_branch_is_merged_and_gets_482)
{
    transport = WIRE_UDP;
    CHECK(begin());
    receive_text("INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP p1;branch=z9hG4bK1\r\n" REST);
    receive_text("INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP p2;branch=z9hG4bK2\r\n" REST);
    SENT(1, "482 ");
    TOLD(1, "INVITE ");
    receive_text("INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP p1;branch=z9hG4bK1\r\n" REST);      /* a repeat */
    SENT(1, "482 100 ");
    finish();
}

TEST(a_branch_without_the_cookie_is_told_apart_by_the_rest)
{
    transport = WIRE_UDP;
    CHECK(begin());
    receive_text("INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP p1;branch=1\r\n" REST);
    receive_text("INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP p1;branch=1\r\n"
                 "From: <sip:a@b>;tag=f\r\nTo: <sip:c@d>\r\nCall-ID: y\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    TOLD(1, "INVITE INVITE ");
    finish();
}

TEST(a_full_endpoint_refuses_new_things_and_lets_pass_what_ends_old_ones)
{
    struct endpoint_settings settings = { .times = usual, .seed = { 1, 2 }, .transactions_max = 4 };
    struct hop_sender sender = { .ctx = &net.e[1], .send = wire_send };
    struct endpoint_user user = { .ctx = &net.e[1], .request = on_request, .response = on_response };
    char text[512];

    transport = WIRE_UDP;
    CHECK(begin());
    net.e[1] = endpoint_free(net.e[1]);
    net.e[1] = endpoint_new(&settings, &sender, &user, net.now_ns);
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "OPTIONS sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP p;branch=z9hG4bK%d\r\nFrom: <sip:a@b>;tag=f\r\n"
                 "To: <sip:c@d>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\n\r\n", i, i);
        receive_text(text);
    }
    SENT(1, "503 ");
    CHECK_EQ(endpoint_counts(net.e[1])->refused, 1);
    receive_text("BYE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP p;branch=z9hG4bKb\r\nFrom: <sip:a@b>;tag=f\r\n"
                 "To: <sip:c@d>;tag=t\r\nCall-ID: 9\r\nCSeq: 2 BYE\r\n\r\n");
    TOLD(1, "OPTIONS OPTIONS OPTIONS OPTIONS BYE ");
    finish();
}

TEST(a_response_that_is_not_ours_is_counted_and_dropped)
{
    transport = WIRE_UDP;
    CHECK(begin());
    receive_text("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP p;branch=z9hG4bKnever\r\n" REST);
    CHECK_EQ(endpoint_counts(net.e[1])->strays, 1);
    TOLD(1, "");
    finish();
}

TEST(a_challenged_request_goes_again_whatever_is_lost_and_its_owner_with_it)
{
    static const slice methods[] = { SLICE_INIT("INVITE"), SLICE_INIT("BYE") };

    transport = WIRE_UDP;
    for (int row = 0; row < 2 * 6; row++) {
        CHECK(begin());
        net.challenges = true;
        net.answer_at_once = 486;
        net.lose_from = row % 2;
        net.lose_count = row / 4;
        CHECK(ask(methods[row / 2 % 2]));
        run_ms(31000);
        CHECK_ROW_EQ(row, net.told[0], "407 486 ");
        run_ms(80000);
        CHECK_ROW_EQ(row, endpoint_live(net.e[0]), 0);
        CHECK_ROW_EQ(row, endpoint_memory_bytes(net.e[0]), 0);
        finish();
    }
}

TEST(a_token_tells_its_worker_and_what_is_none_does_not)
{
    static const char *const others[] = { "", "a", "abcdefghijkmnpq1", "abcdefghijkmnpl2", "abcdefghijkmnpqrs", "Abcdefghijkmnpqr" };
    struct hop_sender nowhere = { 0 };
    struct endpoint_user nobody = { 0 };
    char token[ENDPOINT_TOKEN_LEN + 1];
    unsigned worker;

    for (unsigned i = 0; i < 32; i++) {
        struct endpoint *e = endpoint_new(&(struct endpoint_settings){ .seed = { i, 7 }, .worker = (uint8_t)i }, &nowhere, &nobody, 0);

        endpoint_token(e, token);
        worker = 99;
        CHECK_ROW(i, endpoint_token_worker(slice_of_string(token), &worker));
        CHECK_ROW_EQ(i, worker, i);
        endpoint_free(e);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        CHECK_ROW(i, !endpoint_token_worker(slice_of_string(others[i]), &worker));
}

TEST(tokens_differ_and_begin_with_their_worker)
{
    char a[ENDPOINT_TOKEN_LEN + 1], b[ENDPOINT_TOKEN_LEN + 1];

    CHECK(begin());
    endpoint_token(net.e[1], a);
    endpoint_token(net.e[1], b);
    CHECK(strcmp(a, b) != 0);
    CHECK_EQ(a[0], 'b');
    CHECK_EQ(strlen(a), ENDPOINT_TOKEN_LEN);
    finish();
}
