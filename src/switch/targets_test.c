/* switch/targets_test.c - RFC 3263 by its examples, and what a hostile DNS may say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "switch/targets.h"

static const struct targets_settings usual = {
    .transports = { WIRE_UDP, WIRE_TCP, WIRE_TLS }, .transport_count = 3, .family = TARGETS_V4_FIRST,
};

/* A zone is text, a record a line: "NAME TYPE WORDS". A name may also be of type FAIL or TIMEOUT,
 * with the type that is asked: "example.com TIMEOUT SRV". */
enum { RECORDS_MAX = 64 };

static const slice types[] = {
    [TARGETS_NAPTR] = SLICE_INIT("NAPTR"), [TARGETS_SRV] = SLICE_INIT("SRV"),
    [TARGETS_A] = SLICE_INIT("A"),         [TARGETS_AAAA] = SLICE_INIT("AAAA"),
};

static slice take_word(slice *line)
{
    slice word = slice_take_until(line, ' ');

    slice_take_char(line, ' ');
    return word;
}

static uint16_t take_number(slice *line)
{
    uint32_t number = 0;

    slice_to_u32(take_word(line), &number);
    return (uint16_t)number;
}

static struct targets_record record_of(enum targets_type type, slice line)
{
    struct targets_record r = { 0 };

    if (type == TARGETS_A || type == TARGETS_AAAA) {
        address_parse_ip(line, &r.address);
        return r;
    }
    r.priority = take_number(&line);
    r.weight = take_number(&line);
    if (type == TARGETS_SRV)
        r.port = take_number(&line);
    else
        r.flags = take_word(&line), r.service = take_word(&line);
    r.name = line;
    return r;
}

static struct targets_answer look_up(slice zone, const struct targets_question *q, struct targets_record *room)
{
    struct targets_answer answer = { .got = TARGETS_GOT_NONE, .records = room };
    slice line;

    while (slice_take_line(&zone, &line)) {
        slice name = take_word(&line), type = take_word(&line);

        if (!slice_eq_nocase(name, q->name))
            continue;
        if (slice_eq(type, SLICE("TIMEOUT")) && slice_eq(line, types[q->type]))
            answer.got = TARGETS_GOT_TIMEOUT;
        if (slice_eq(type, SLICE("FAIL")) && slice_eq(line, types[q->type]))
            answer.got = TARGETS_GOT_FAILURE;
        if (slice_eq(type, types[q->type]) && answer.count < RECORDS_MAX) {
            room[answer.count++] = record_of(q->type, line);
            answer.got = TARGETS_GOT_RECORDS;
        }
    }
    return answer;
}

/* Answers come in the reverse order of questions: none may matter. */
static void search(struct targets_search *s, const struct targets_settings *settings, slice uri, bool large, slice zone,
                   struct out *asked)
{
    targets_search_begin(s, settings, uri, large, 7);
    for (int round = 0; !targets_search_is_done(s) && round < 10; round++) {
        struct targets_question q[TARGETS_QUESTIONS_MAX];
        size_t count = 0;

        while (targets_search_ask(s, &q[count])) {
            out_text(asked, q[count].name);
            out_char(asked, ' ');
            out_text(asked, types[q[count].type]);
            out_text(asked, SLICE("; "));
            count++;
        }
        while (count--) {
            struct targets_record room[RECORDS_MAX];
            struct targets_answer answer = look_up(zone, &q[count], room);

            targets_search_answer(s, q[count].id, &answer);
        }
    }
    CHECK(targets_search_is_done(s));
}

static void print(struct out *out, const struct targets *found)
{
    if (found->outcome != TARGETS_FOUND)
        out_text(out, targets_outcome_name(found->outcome));
    for (uint8_t i = 0; i < found->count; i++) {
        char text[ADDRESS_TEXT_MAX];

        out_text(out, wire_transport_name((enum wire_transport)found->list[i].transport));
        out_char(out, ' ');
        out_text(out, slice_of(text, address_format(&found->list[i].address, text)));
        out_text(out, SLICE("; "));
    }
}

struct row {
    slice uri, zone, asked, found;
};

static void check_rows(const struct row *rows, size_t count, const struct targets_settings *settings, bool large)
{
    for (size_t i = 0; i < count; i++) {
        struct targets_search s;
        struct out asked, found;

        out_init_memory(&asked, 0);
        out_init_memory(&found, 0);
        search(&s, settings, rows[i].uri, large, rows[i].zone, &asked);
        print(&found, &s.found);
        CHECK_ROW_EQ(i, out_taken(&asked), rows[i].asked);
        CHECK_ROW_EQ(i, out_taken(&found), rows[i].found);
        CHECK_ROW(i, (s.found.outcome == TARGETS_FOUND) == (s.found.count > 0));
        out_done(&asked);
        out_done(&found);
    }
}
#define S SLICE_INIT
#define CHECK_ROWS(rows, settings) check_rows(rows, ARRAY_LEN(rows), settings, false)

/* RFC 3263, 4.1, with the weights of its SRV example made certain. */
#define RFC_ZONE \
    "example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com\n" \
    "example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com\n" \
    "example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com\n" \
    "_sip._tcp.example.com SRV 0 1 5060 server1.example.com\n" \
    "_sip._tcp.example.com SRV 1 2 5060 server2.example.com\n" \
    "server1.example.com A 192.0.2.1\n" \
    "server2.example.com A 192.0.2.2\n" \
    "server2.example.com AAAA 2001:db8::2\n"

TEST(the_example_of_the_rfc_leads_where_it_says)
{
    static const struct targets_settings no_tls = {
        .transports = { WIRE_UDP, WIRE_TCP }, .transport_count = 2, .family = TARGETS_V4_FIRST,
    };
    static const struct row rows[] = {
        { S("sip:user@example.com"), S(RFC_ZONE),
          S("example.com NAPTR; _sip._tcp.example.com SRV; _sip._udp.example.com SRV; "
            "server1.example.com A; server1.example.com AAAA; server2.example.com A; server2.example.com AAAA; "),
          S("tcp 192.0.2.1:5060; tcp 192.0.2.2:5060; tcp [2001:db8::2]:5060; ") },
    };

    CHECK_ROWS(rows, &no_tls);
}

TEST(the_uri_says_what_is_asked)
{
#define ALL_NONE "example.com NAPTR; _sip._udp.example.com SRV; _sip._tcp.example.com SRV; "
    static const struct row rows[] = {
        { S("sip:192.0.2.7"), S(""), S(""), S("udp 192.0.2.7:5060; ") },
        { S("sip:192.0.2.7:5080;transport=TCP"), S(""), S(""), S("tcp 192.0.2.7:5080; ") },
        { S("sip:a@[2001:db8::7]"), S(""), S(""), S("udp [2001:db8::7]:5060; ") },
        { S("sip:a@[2001:db8::7]:5070"), S(""), S(""), S("udp [2001:db8::7]:5070; ") },
        { S("sips:192.0.2.7"), S(""), S(""), S("tls 192.0.2.7:5061; ") },
        { S("sips:192.0.2.7:5060;transport=tcp"), S(""), S(""), S("tls 192.0.2.7:5060; ") },
        { S("sip:192.0.2.7;transport=tls"), S(""), S(""), S("tls 192.0.2.7:5061; ") },
        /* a port: no SRV (4.2) */
        { S("sip:example.com:5060"), S("example.com A 192.0.2.9\n"), S("example.com A; example.com AAAA; "),
          S("udp 192.0.2.9:5060; ") },
        { S("sips:example.com:5099"), S("example.com AAAA 2001:db8::9\n"), S("example.com A; example.com AAAA; "),
          S("tls [2001:db8::9]:5099; ") },
        /* a transport: no NAPTR */
        { S("sip:example.com;transport=tcp"), S(RFC_ZONE),
          S("_sip._tcp.example.com SRV; server1.example.com A; server1.example.com AAAA; server2.example.com A; "
            "server2.example.com AAAA; "),
          S("tcp 192.0.2.1:5060; tcp 192.0.2.2:5060; tcp [2001:db8::2]:5060; ") },
        { S("sip:example.com;transport=tls"), S("example.com A 192.0.2.9\n"),
          S("_sips._tcp.example.com SRV; example.com A; example.com AAAA; "), S("tls 192.0.2.9:5061; ") },
        /* neither NAPTR nor SRV: the name itself, by UDP or TLS */
        { S("sip:example.com."), S("example.com A 192.0.2.9\n"), S(ALL_NONE "example.com A; example.com AAAA; "),
          S("udp 192.0.2.9:5060; ") },
        { S("sips:example.com"), S("example.com A 192.0.2.9\n"),
          S("example.com NAPTR; _sips._tcp.example.com SRV; example.com A; example.com AAAA; "),
          S("tls 192.0.2.9:5061; ") },
        { S("sip:EXAMPLE.com"), S(""), S("EXAMPLE.com NAPTR; _sip._udp.EXAMPLE.com SRV; _sip._tcp.EXAMPLE.com SRV; "
            "EXAMPLE.com A; EXAMPLE.com AAAA; "), S("none") },
        /* no NAPTR, but SRV */
        { S("sip:example.com"), S("_sip._tcp.example.com SRV 0 0 5062 a.example.com\na.example.com A 192.0.2.9\n"),
          S(ALL_NONE "a.example.com A; a.example.com AAAA; "), S("tcp 192.0.2.9:5062; ") },
        /* maddr stands for the host; the certificate is still the host's */
        { S("sip:alice@example.com;maddr=192.0.2.8"), S(""), S(""), S("udp 192.0.2.8:5060; ") },
        { S("sip:alice@example.com;maddr=[2001:db8::8];transport=tcp"), S(""), S(""), S("tcp [2001:db8::8]:5060; ") },
        { S("sip:alice@example.com:5070;maddr=b.example"), S("b.example A 192.0.2.8\n"),
          S("b.example A; b.example AAAA; "), S("udp 192.0.2.8:5070; ") },
        /* what cannot be */
        { S("sip:example.com;transport=pigeon"), S(""), S(""), S("unsupported") },
        { S("sip:192.0.2.7;transport="), S(""), S(""), S("unsupported") },
        { S("sips:example.com;transport=udp"), S(""), S(""), S("unsupported") },
        { S("sip:example.com;transport=sctp"), S(""), S(""), S("unsupported") },
        { S("sip:example.com;transport=ws"), S(""), S(""), S("unsupported") },
        { S("tel:+4930123"), S(""), S(""), S("bad-uri") },
        { S("sip:"), S(""), S(""), S("bad-uri") },
        { S("sip:alice@"), S(""), S(""), S("bad-uri") },
        { S("example.com"), S(""), S(""), S("bad-uri") },
        { S("sip:example.com:99999"), S(""), S(""), S("bad-uri") },
        { S("sip:10.0.0.1.5"), S(""), S(""), S("bad-uri") },      /* no address, and no name either */
        { S("sip:10.1"), S(""), S(""), S("bad-uri") },
        { S("sip:a..b"), S(""), S(""), S("bad-uri") },
        { S("sip:alice@example.com;maddr=a%00b"), S(""), S(""), S("bad-uri") },
        { S("sip:[2001:db8::zz]"), S(""), S(""), S("bad-uri") },
    };

    CHECK_ROWS(rows, &usual);
}

TEST(naptr_says_by_what_transports_and_in_what_order)
{
#define SERVERS \
    "_sip._udp.u SRV 0 0 5060 h\n_sip._tcp.t SRV 0 0 5060 h\n_sips._tcp.s SRV 0 0 5061 h\nh A 192.0.2.1\n"
#define HOST "h A; h AAAA; "
#define U "_sip._udp.u SRV; "
#define T "_sip._tcp.t SRV; "
#define X "_sips._tcp.s SRV; "
    static const struct row rows[] = {
        { S("sip:d"), S("d NAPTR 20 1 s SIP+D2U _sip._udp.u\nd NAPTR 10 9 S sip+d2t _sip._tcp.t.\n" SERVERS),
          S("d NAPTR; " T U HOST), S("tcp 192.0.2.1:5060; udp 192.0.2.1:5060; ") },
        { S("sip:d"), S("d NAPTR 10 2 s SIP+D2U _sip._udp.u\nd NAPTR 10 1 s SIPS+D2T _sips._tcp.s\n" SERVERS),
          S("d NAPTR; " X U HOST), S("tls 192.0.2.1:5061; udp 192.0.2.1:5060; ") },
        /* alike: ours decides; twice the same: once */
        { S("sip:d"), S("d NAPTR 1 1 s SIP+D2T _sip._tcp.t\nd NAPTR 1 1 s SIP+D2U _sip._udp.u\n"
            "d NAPTR 1 1 s SIP+D2U _sip._udp.u.\n" SERVERS),
          S("d NAPTR; " U T HOST), S("udp 192.0.2.1:5060; tcp 192.0.2.1:5060; ") },
        /* sips takes SIPS alone */
        { S("sips:d"), S("d NAPTR 1 1 s SIP+D2T _sip._tcp.t\nd NAPTR 2 1 s SIPS+D2T _sips._tcp.s\n" SERVERS),
          S("d NAPTR; " X HOST), S("tls 192.0.2.1:5061; ") },
        { S("sips:d"), S("d NAPTR 1 1 s SIP+D2T _sip._tcp.t\n" SERVERS), S("d NAPTR; "), S("unsupported") },
        /* what is not ours is passed over; when that is all, it is no excuse to send by UDP */
        { S("sip:d"), S("d NAPTR 1 1 s SIP+D2S _sip._sctp.d\nd NAPTR 2 1 s SIP+D2U _sip._udp.u\n" SERVERS),
          S("d NAPTR; " U HOST), S("udp 192.0.2.1:5060; ") },
        { S("sip:d"), S("d NAPTR 1 1 s SIP+D2S _sip._sctp.d\n" SERVERS), S("d NAPTR; "), S("unsupported") },
        /* other people's NAPTRs, other flags, no name: as if there were none */
        { S("sip:d"), S("d NAPTR 1 1 s AAA+D2T _diameter._tcp.d\nd A 192.0.2.5\n"),
          S("d NAPTR; _sip._udp.d SRV; _sip._tcp.d SRV; d A; d AAAA; "), S("udp 192.0.2.5:5060; ") },
        { S("sip:d"), S("d NAPTR 1 1 u SIP+D2T _sip._tcp.t\nd NAPTR 1 1 s SIP+D2U .\nd NAPTR 9 1 s SIP+D2U "
            "_sip._udp.u\n" SERVERS), S("d NAPTR; " U HOST), S("udp 192.0.2.1:5060; ") },
        /* its SRV is not there: the domain itself, by that transport */
        { S("sip:d"), S("d NAPTR 1 1 s SIP+D2T _sip._tcp.gone\nd A 192.0.2.5\n"),
          S("d NAPTR; _sip._tcp.gone SRV; d A; d AAAA; "), S("tcp 192.0.2.5:5060; ") },
    };

    CHECK_ROWS(rows, &usual);
}

TEST(what_cannot_be_asked_is_not_the_same_as_none)
{
#define ASKED_ALL "d NAPTR; _sip._udp.d SRV; _sip._tcp.d SRV; "
    static const struct row rows[] = {
        { S("sip:d"), S("d TIMEOUT NAPTR\n_sip._udp.d SRV 0 0 5060 h\nh A 192.0.2.1\n"), S(ASKED_ALL HOST),
          S("udp 192.0.2.1:5060; ") },
        { S("sip:d"), S("_sip._udp.d TIMEOUT SRV\nd A 192.0.2.5\n"), S(ASKED_ALL), S("timed-out") },
        { S("sip:d"), S("_sip._udp.d FAIL SRV\nd A 192.0.2.5\n"), S(ASKED_ALL), S("failed") },
        { S("sip:d"), S("_sip._udp.d FAIL SRV\n_sip._tcp.d TIMEOUT SRV\n"), S(ASKED_ALL), S("timed-out") },
        { S("sip:d"), S("_sip._udp.d TIMEOUT SRV\n_sip._tcp.d SRV 0 0 5060 h\nh A 192.0.2.1\n"), S(ASKED_ALL HOST),
          S("tcp 192.0.2.1:5060; ") },
        { S("sip:d:5060"), S("d TIMEOUT AAAA\nd A 192.0.2.5\n"), S("d A; d AAAA; "), S("udp 192.0.2.5:5060; ") },
        { S("sip:d:5060"), S("d TIMEOUT AAAA\n"), S("d A; d AAAA; "), S("timed-out") },
        { S("sip:d:5060"), S("d TIMEOUT A\nd FAIL AAAA\n"), S("d A; d AAAA; "), S("timed-out") },
        { S("sip:d:5060"), S("d FAIL A\n"), S("d A; d AAAA; "), S("failed") },
        /* "not here" (RFC 2782): no address of the name itself */
        { S("sip:d"), S("_sip._udp.d SRV 0 0 0 .\nd A 192.0.2.5\n"), S(ASKED_ALL), S("none") },
        { S("sip:d"), S("_sip._udp.d SRV 0 0 0 .\n_sip._tcp.d SRV 0 0 5060 h\nh A 192.0.2.1\n"), S(ASKED_ALL HOST),
          S("tcp 192.0.2.1:5060; ") },
    };

    CHECK_ROWS(rows, &usual);
}

TEST(addresses_of_both_families_take_turns)
{
#define BOTH "d A 192.0.2.1\nd A 192.0.2.2\nd A 192.0.2.3\nd AAAA 2001:db8::1\nd AAAA 2001:db8::2\n"
    static const struct row rows[] = {
        { S("sip:d:9"), S(BOTH), S("d AAAA; d A; "),
          S("udp [2001:db8::1]:9; udp 192.0.2.1:9; udp [2001:db8::2]:9; udp 192.0.2.2:9; udp 192.0.2.3:9; ") },
        { S("sip:d:9"), S(BOTH), S("d A; d AAAA; "),
          S("udp 192.0.2.1:9; udp [2001:db8::1]:9; udp 192.0.2.2:9; udp [2001:db8::2]:9; udp 192.0.2.3:9; ") },
        { S("sip:d:9"), S(BOTH), S("d AAAA; "), S("udp [2001:db8::1]:9; udp [2001:db8::2]:9; ") },
        { S("sip:d:9"), S(BOTH), S("d A; "), S("udp 192.0.2.1:9; udp 192.0.2.2:9; udp 192.0.2.3:9; ") },
    };
    static const struct row foreign = { S("sip:192.0.2.1"), S(""), S(""), S("unsupported") };
    struct targets_settings settings = usual;

    for (uint8_t family = TARGETS_V6_FIRST; family <= TARGETS_V4_ONLY; family++) {
        settings.family = family;
        check_rows(&rows[family], 1, &settings, false);
    }
    settings.family = TARGETS_V6_ONLY;
    check_rows(&foreign, 1, &settings, false);
}

TEST(rotation_begins_at_each_address_about_as_often)
{
    struct targets_record addresses[3] = { 0 };
    struct targets_answer answer = { TARGETS_GOT_RECORDS, addresses, 3 };
    struct targets_settings settings = usual;
    unsigned first[3] = { 0 };

    settings.rotate = true;
    settings.family = TARGETS_V4_ONLY;
    for (uint8_t i = 0; i < 3; i++)
        addresses[i].address = address_v4((uint8_t[4]){ 192, 0, 2, i }, 0);
    for (uint64_t i = 0; i < 3000; i++) {
        struct targets_question q;
        struct targets_search s;

        targets_search_begin(&s, &settings, SLICE("sip:d:5060"), false, i);
        CHECK(targets_search_ask(&s, &q));
        targets_search_answer(&s, q.id, &answer);
        CHECK_EQ(s.found.count, 3);
        first[s.found.list[0].address.ip[3]]++;
    }
    for (size_t i = 0; i < 3; i++)
        CHECK_NEAR(first[i], 1000, 120);
}

TEST(a_large_request_goes_by_tcp_first_and_then_by_udp)
{
    static const struct row rows[] = {
        { S("sip:192.0.2.7"), S(""), S(""), S("tcp 192.0.2.7:5060; udp 192.0.2.7:5060; ") },
        { S("sip:192.0.2.7;transport=udp"), S(""), S(""), S("tcp 192.0.2.7:5060; udp 192.0.2.7:5060; ") },
        { S("sip:192.0.2.7;transport=tcp"), S(""), S(""), S("tcp 192.0.2.7:5060; ") },
        { S("sips:192.0.2.7"), S(""), S(""), S("tls 192.0.2.7:5061; ") },
    };

    check_rows(rows, ARRAY_LEN(rows), &usual, true);
}

TEST(without_udp_the_first_of_ours_is_usual)
{
    static const struct targets_settings tcp_tls = {
        .transports = { WIRE_TLS, WIRE_TCP, WIRE_WS, WIRE_WSS }, .transport_count = 4, .family = TARGETS_V4_ONLY,
    };
    static const struct targets_settings tcp_only = { .transports = { WIRE_TCP }, .transport_count = 1 };
    static const struct row first[] = {
        { S("sip:192.0.2.7"), S(""), S(""), S("tls 192.0.2.7:5061; ") },
        { S("sip:d;transport=ws"), S("d A 192.0.2.1\n"), S("d A; "), S("ws 192.0.2.1:80; ") },
        { S("sips:d;transport=ws"), S("d A 192.0.2.1\n"), S("d A; "), S("wss 192.0.2.1:443; ") },
    };
    static const struct row none[] = { { S("sips:192.0.2.7"), S(""), S(""), S("unsupported") } };

    CHECK_ROWS(first, &tcp_tls);
    CHECK_ROWS(none, &tcp_only);
}

TEST(the_certificate_must_be_of_the_host_in_the_uri)
{
    static const struct { slice uri, name; } rows[] = {
        { S("sips:bob@biloxi.example"), S("biloxi.example") },
        { S("sips:bob@Biloxi.example.;maddr=192.0.2.1"), S("Biloxi.example") },
        { S("sips:[2001:db8::1]"), S("2001:db8::1") },
        { S("sips:atlanta.example;transport=pigeon"), S("atlanta.example") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct targets_search s;

        targets_search_begin(&s, &usual, rows[i].uri, false, 1);
        CHECK_ROW_EQ(i, slice_of(s.found.name, s.found.name_length), rows[i].name);
        CHECK_ROW_EQ(i, s.found.name[s.found.name_length], 0);
    }
}

/* ---- SRV ---- */

/* "sip:d;transport=udp" with these SRV; which host comes first, by its first letter ("ab..."), and the others. */
static void srv_order(const struct targets_answer *answer, uint64_t random, char letters[TARGETS_HOSTS_MAX + 1])
{
    struct targets_question q;
    struct targets_search s;
    size_t count = 0;

    targets_search_begin(&s, &usual, SLICE("sip:d;transport=udp"), false, random);
    CHECK(targets_search_ask(&s, &q));
    targets_search_answer(&s, q.id, answer);
    while (targets_search_ask(&s, &q))
        if (q.type == TARGETS_A && count < TARGETS_HOSTS_MAX)
            letters[count++] = q.name.ptr[0];
    letters[count] = '\0';
}

TEST(srv_are_drawn_by_their_weight_within_a_priority)
{
    static const struct targets_record weighted[] = {
        { .name = S("z"), .priority = 9, .weight = 60000, .port = 1 },
        { .name = S("a"), .priority = 1, .weight = 10, .port = 1 },
        { .name = S("b"), .priority = 1, .weight = 30, .port = 1 },
        { .name = S("c"), .priority = 1, .weight = 60, .port = 1 },
        { .name = S("n"), .priority = 1, .weight = 0, .port = 1 },
    };
    static const struct targets_record without[] = {
        { .name = S("a"), .port = 1 }, { .name = S("b"), .port = 1 }, { .name = S("c"), .port = 1 },
        { .name = S("n"), .port = 1 },
    };
    static const struct {
        struct targets_answer answer;
        double first[4], second_after_c[4];               /* of a, b, c, n; in percent */
        size_t count;
    } rows[] = {
        { { TARGETS_GOT_RECORDS, weighted, 5 }, { 9.9, 29.7, 59.4, 1.0 }, { 24.4, 73.2, 0, 2.4 }, 5 },
        { { TARGETS_GOT_RECORDS, without, 4 }, { 25, 25, 25, 25 }, { 33.3, 33.3, 0, 33.3 }, 4 },
    };
    enum { TIMES = 40000 };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double first[128] = { 0 }, second[128] = { 0 }, of_c = 0;

        for (uint64_t j = 0; j < TIMES; j++) {
            char got[TARGETS_HOSTS_MAX + 1];

            srv_order(&rows[i].answer, j * 1000003, got);
            CHECK_ROW_EQ(i, strlen(got), rows[i].count);
            CHECK_ROW(i, rows[i].count == 4 || got[4] == 'z');    /* the worse priority is last */
            first[(unsigned char)got[0]]++;
            if (got[0] == 'c')
                second[(unsigned char)got[1]]++, of_c++;
        }
        for (size_t j = 0; j < 4; j++) {
            CHECK_NEAR(100 * first[(unsigned char)"abcn"[j]] / TIMES, rows[i].first[j], 0.9);
            CHECK_NEAR(100 * second[(unsigned char)"abcn"[j]] / of_c, rows[i].second_after_c[j], 1.5);
        }
    }
}

TEST(ten_thousand_srv_end_in_the_eight_best)
{
    enum { COUNT = 10000 };
    struct targets_record *records = calloc(COUNT, sizeof *records);
    char (*names)[24] = calloc(COUNT, sizeof *names);
    struct targets_answer answer = { TARGETS_GOT_RECORDS, records, COUNT };
    char got[TARGETS_HOSTS_MAX + 1];

    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%c%zu.example", i % 1000 == 7 ? 'b' : 'x', i);
        records[i] = (struct targets_record){ .name = slice_of_string(names[i]), .weight = 65535, .port = 5060,
                                              .priority = i % 1000 == 7 ? 1 : 2 };
    }
    srv_order(&answer, 3, got);
    CHECK_STR_EQ(got, "bbbbbbbb");
    free(names);
    free(records);
}

TEST(records_that_no_honest_server_sends_count_as_not_said)
{
#define LONG_LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SRV "_sip._udp.d SRV; "
    static const struct row rows[] = {
        { S("sip:d;transport=udp"), S("_sip._udp.d SRV 0 0 0 h\n_sip._udp.d SRV 0 0 5060 a b\n"
            "_sip._udp.d SRV 0 0 5060 a\\.b\n_sip._udp.d SRV 0 0 5060 a..b\n_sip._udp.d SRV 0 0 5060 \xff\n"
            "_sip._udp.d SRV 0 0 5060 " LONG_LABEL "\n_sip._udp.d SRV 0 0 5060 300.1.1.1\n"
            "_sip._udp.d SRV 0 0 5060 good\ngood A 192.0.2.1\n"),
          S(SRV "good A; good AAAA; "), S("udp 192.0.2.1:5060; ") },
        /* an address for a name is clear enough; twice the same is once */
        { S("sip:d;transport=udp"), S("_sip._udp.d SRV 0 0 5060 192.0.2.1\n_sip._udp.d SRV 0 0 5060 192.0.2.1.\n"),
          S(SRV), S("udp 192.0.2.1:5060; ") },
        { S("sip:d;transport=udp"), S("_sip._udp.d SRV 0 0 5060 h\n_sip._udp.d SRV 1 0 5060 H.\n"
            "_sip._udp.d SRV 2 0 5070 h\nh A 192.0.2.1\nh A 192.0.2.1\nh A 0.0.0.0\nh AAAA ::\nh A ::1\n"),
          S(SRV "h A; h AAAA; "), S("udp 192.0.2.1:5060; udp 192.0.2.1:5070; ") },
        /* itself */
        { S("sip:d"), S("d NAPTR 1 1 s SIP+D2U d\nd SRV 0 0 5060 d\nd A 192.0.2.1\n"),
          S("d NAPTR; d SRV; d A; d AAAA; "), S("udp 192.0.2.1:5060; ") },
        /* nothing but rubbish is nothing */
        { S("sip:d:5060"), S("d A 0.0.0.0\nd AAAA ::\n"), S("d A; d AAAA; "), S("none") },
    };

    CHECK_ROWS(rows, &usual);
}

TEST(long_names_end_before_the_room_does)
{
    struct targets_record srv[TARGETS_HOSTS_MAX + 4] = { 0 }, naptr[TARGETS_SERVICES_MAX + 3] = { 0 };
    static const slice services[] = { S("SIP+D2U"), S("SIP+D2T"), S("SIPS+D2T") };
    char names[32][TARGETS_NAME_MAX + 1];
    struct targets_question q;
    struct targets_search s;
    size_t asked = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (size_t j = 0; j < TARGETS_NAME_MAX; j++)
            names[i][j] = j % 60 == 59 ? '.' : (char)('a' + i % 26);
        names[i][0] = (char)('a' + i / 26);
    }
    for (size_t i = 0; i < ARRAY_LEN(naptr); i++)
        naptr[i] = (struct targets_record){ .flags = SLICE("s"), .service = services[i % 3],
                                            .name = slice_of(names[i], TARGETS_NAME_MAX) };
    for (size_t i = 0; i < ARRAY_LEN(srv); i++)
        srv[i] = (struct targets_record){ .port = 5060, .name = slice_of(names[20 + i], TARGETS_NAME_MAX) };
    targets_search_begin(&s, &usual, SLICE("sip:d"), false, 1);
    while (targets_search_ask(&s, &q)) {
        struct targets_answer answer = { .got = TARGETS_GOT_RECORDS };

        CHECK(targets_name_is_good(q.name));
        CHECK_EQ(q.name.ptr[q.name.len], 0);
        answer.records = q.type == TARGETS_NAPTR ? naptr : srv;
        answer.count = q.type == TARGETS_NAPTR ? ARRAY_LEN(naptr) : q.type == TARGETS_SRV ? ARRAY_LEN(srv) : 0;
        targets_search_answer(&s, q.id, &answer);
        asked++;
    }
    CHECK(targets_search_is_done(&s));
    CHECK_EQ(s.found.outcome, TARGETS_NONE);
    CHECK(asked > 4 && asked <= 1 + TARGETS_SERVICES_MAX + TARGETS_QUESTIONS_MAX);
}

/* Whatever comes, in whatever order, with answers to what was never asked: it ends. */
TEST(every_search_ends_within_its_bounds)
{
    static const slice uris[] = { S("sip:d"), S("sips:d"), S("sip:d;transport=tcp"), S("sip:d:5080") };
    static const slice names[] = {
        S("d"), S("h"), S("."), S(""), S("a.b"), S("_sip._udp.d"), S("\x01"), S("10.0.0.1"),
    };
    static const slice words[] = { S("SIP+D2U"), S("SIP+D2T"), S("SIPS+D2T"), S("SIP+D2S"), S("x") };
    uint64_t random = 88172645463325252u;

    for (size_t i = 0; i < 20000; i++) {
        struct targets_search s;
        size_t asked = 0, rounds = 0;

        targets_search_begin(&s, &usual, uris[i % ARRAY_LEN(uris)], i & 64, random);
        while (!targets_search_is_done(&s) && rounds++ < 4000) {
            struct targets_record room[12];
            struct targets_question q;

            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            asked += targets_search_ask(&s, &q);
            for (size_t j = 0; j < ARRAY_LEN(room); j++) {
                uint64_t r = random * (2 * j + 1);

                room[j] = (struct targets_record){
                    .name = names[(r >> 8) % ARRAY_LEN(names)], .priority = r >> 16 & 3, .weight = r >> 20 & 3,
                    .port = (uint16_t)(r >> 24 & 3), .flags = SLICE("s"), .service = words[(r >> 28) % 5],
                    .address = r & 1 ? address_v4(&r, 0) : address_v6(&room[0], 0),
                };
            }
            targets_search_answer(&s, random % 20, &(struct targets_answer){ (enum targets_got)(random >> 40 & 3), room,
                                                                             random >> 50 & 7 });
        }
        CHECK_ROW(i, targets_search_is_done(&s));
        CHECK_ROW(i, asked <= 1 + TARGETS_SERVICES_MAX + TARGETS_QUESTIONS_MAX);
        CHECK_ROW(i, (s.found.count > 0) == (s.found.outcome == TARGETS_FOUND));
    }
}

/* ---- fail-over ---- */

static void order(struct targets *t, struct deadlist *d, char ports[8])
{
    struct target target;
    size_t count = 0;

    while (targets_next(t, d, 0, &target) && count < 7)
        ports[count++] = (char)('0' + target.address.port);
    ports[count] = '\0';
}

TEST(dead_servers_are_passed_over_unless_all_are)
{
    static const struct { const char *dead, *order; } rows[] = {
        { "", "123" }, { "1", "23" }, { "13", "2" }, { "123", "123" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct deadlist *d = deadlist_new(&(struct deadlist_settings){0});
        struct targets t = { .count = 3 };
        char got[8];

        for (uint16_t j = 0; j < 3; j++)
            t.list[j] = (struct target){ address_v4("\x0a\0\0\x01", (uint16_t)(j + 1)), WIRE_UDP };
        for (const char *p = rows[i].dead; *p; p++)
            deadlist_failed(d, &t.list[*p - '1'].address, WIRE_UDP, 0, 0);
        order(&t, d, got);
        CHECK_ROW(i, !strcmp(got, rows[i].order));
        deadlist_free(d);
    }
}

TEST(one_that_dies_meanwhile_is_not_tried_any_more)
{
    struct deadlist *d = deadlist_new(&(struct deadlist_settings){0});
    struct targets t = { .count = 2 };
    struct target target;

    for (uint16_t j = 0; j < 2; j++)
        t.list[j] = (struct target){ address_v4("\x0a\0\0\x01", (uint16_t)(j + 1)), WIRE_UDP };
    CHECK(targets_next(&t, d, 0, &target));
    CHECK_EQ(target.address.port, 1);
    deadlist_failed(d, &t.list[1].address, WIRE_UDP, 0, 0);       /* another call has found out */
    CHECK(!targets_next(&t, d, 0, &target));
    CHECK(!targets_next(&(struct targets){0}, NULL, 0, &target));
    deadlist_free(d);
}
