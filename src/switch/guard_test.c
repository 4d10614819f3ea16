/* switch/guard_test.c - who is let pass, who is kept waiting, who is banned and how long
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "switch/guard.h"

#define S 1000000000ll
#define START_NS (1795251000ll * S)

static struct address ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return address_v4((uint8_t[]){ a, b, c, d }, 5060);
}

static const slice phone = SLICE_INIT("Yealink SIP-T46U 108.86.0.90");

/* Requests until something else than PASS comes; the verdict in *ret. */
static int passes(struct guard *g, const struct address *a, int64_t now_ns, enum guard_verdict *ret)
{
    int n = 0;

    while ((*ret = guard_request(g, a, phone, now_ns)) == GUARD_PASS && n < 10000)
        n++;
    return n;
}

TEST(a_network_is_an_address_with_or_without_its_bits)
{
    static const struct { slice text; bool ok; slice inside, outside; } rows[] = {
        { SLICE_INIT("10.0.0.0/8"), true, SLICE_INIT("10.255.0.1"), SLICE_INIT("11.0.0.1") },
        { SLICE_INIT("10.0.0.128/25"), true, SLICE_INIT("10.0.0.129"), SLICE_INIT("10.0.0.127") },
        { SLICE_INIT("10.0.0.1"), true, SLICE_INIT("10.0.0.1"), SLICE_INIT("10.0.0.2") },
        { SLICE_INIT("0.0.0.0/0"), true, SLICE_INIT("1.2.3.4"), SLICE_INIT("2001:db8::1") },
        { SLICE_INIT("2001:db8::/33"), true, SLICE_INIT("2001:db8:7fff::1"), SLICE_INIT("2001:db8:8000::1") },
        { SLICE_INIT("10.0.0.0/33"), false, { 0 }, { 0 } },
        { SLICE_INIT("10.0.0.0/"), false, { 0 }, { 0 } },
        { SLICE_INIT("10.0.0.0/8x"), false, { 0 }, { 0 } },
        { SLICE_INIT("ten"), false, { 0 }, { 0 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct guard_net net;
        struct address a;

        CHECK_ROW_EQ(i, guard_net_parse(rows[i].text, &net), rows[i].ok);
        if (!rows[i].ok)
            continue;
        CHECK_ROW(i, address_parse_ip(rows[i].inside, &a) && guard_net_has(&net, &a));
        CHECK_ROW(i, address_parse_ip(rows[i].outside, &a) && !guard_net_has(&net, &a));
    }
}

TEST(a_source_may_ask_so_often_and_no_oftener)
{
    struct guard *g = guard_new(&(struct guard_settings){ .rate_per_s = 10, .burst = 20 });
    struct address a = ip(192, 0, 2, 1), b = ip(192, 0, 2, 2);
    enum guard_verdict last;

    CHECK_EQ(passes(g, &a, START_NS, &last), 20);
    CHECK_EQ(last, GUARD_BUSY);
    CHECK_EQ(passes(g, &b, START_NS, &last), 20);                     /* each for itself */
    a.port = 1;
    CHECK_EQ(passes(g, &a, START_NS + S / 2, &last), 5);              /* ports do not count */
    CHECK_EQ(passes(g, &a, START_NS + S / 2 + S / 1000, &last), 0);
    CHECK_EQ(passes(g, &a, START_NS + 9 * S, &last), 20);
    CHECK_EQ(passes(g, &a, START_NS, &last), 0);                      /* time that goes back stands still */
    guard_free(g);
}

TEST(scanners_are_banned_by_what_they_call_themselves)
{
    static const struct { slice user_agent; bool banned; } rows[] = {
        { SLICE_INIT("friendly-scanner"), true },
        { SLICE_INIT("Mozilla SIPVicious/0.3"), true },
        { SLICE_INIT("sundayddr"), true },
        { SLICE_INIT("pplsip"), true },
        { SLICE_INIT("sipcli/v1.8"), true },
        { SLICE_INIT("our-own-word 1"), true },
        { SLICE_INIT("Yealink SIP-T46U"), false },
        { SLICE_INIT("friendly phone"), false },
        { SLICE_INIT(""), false },
    };
    static const slice own[] = { SLICE_INIT("Our-Own-Word"), SLICE_INIT("") };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct guard *g = guard_new(&(struct guard_settings){ .scanners = own, .scanner_count = ARRAY_LEN(own) });
        struct address a = ip(192, 0, 2, 1);
        struct guard_ban ban;

        CHECK_ROW_EQ(i, guard_request(g, &a, rows[i].user_agent, START_NS), rows[i].banned ? GUARD_DROP : GUARD_PASS);
        CHECK_ROW_EQ(i, guard_is_banned(g, &a, START_NS + 59 * S), rows[i].banned);
        CHECK_ROW(i, !guard_is_banned(g, &a, START_NS + 60 * S));
        CHECK_ROW_EQ(i, guard_bans(g, &ban, 1, START_NS), rows[i].banned);
        CHECK_ROW(i, !rows[i].banned || (ban.why == GUARD_SCANNER && ban.bits == 32 && address_same_ip(&ban.source, &a)));
        guard_free(g);
    }
}

/* The source of a datagram can be forged: whoever wants a phone banned sends a scanner's word in its name. */
TEST(a_scanner_in_the_name_of_who_proved_itself_gets_no_answer_and_bans_nobody)
{
    struct guard *g = guard_new(&(struct guard_settings){ 0 });
    struct address a = ip(192, 0, 2, 1);

    guard_note(g, &a, SLICE("alice"), GUARD_AUTHENTICATED, START_NS);
    CHECK_EQ(guard_request(g, &a, SLICE("friendly-scanner"), START_NS + S), GUARD_DROP);
    CHECK(!guard_is_banned(g, &a, START_NS + S));
    CHECK_EQ(guard_request(g, &a, SLICE("Yealink"), START_NS + S), GUARD_PASS);
    CHECK_EQ(guard_request(g, &a, SLICE("friendly-scanner"), START_NS + 3601 * S), GUARD_DROP);
    CHECK(guard_is_banned(g, &a, START_NS + 3601 * S));
    guard_free(g);
}

TEST(guessing_is_dropped_then_banned_for_longer_each_time_until_it_behaves)
{
    struct guard *g = guard_new(&(struct guard_settings){ 0 });
    struct address a = ip(192, 0, 2, 1);
    int64_t now = START_NS;

    for (int i = 0; i < 4; i++)
        CHECK_ROW(i, !guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, now));
    CHECK_EQ(guard_request(g, &a, phone, now), GUARD_PASS);
    CHECK(!guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, now));
    CHECK_EQ(guard_request(g, &a, phone, now), GUARD_DROP);           /* 20 points */
    CHECK_EQ(guard_request(g, &a, phone, now + 10 * S), GUARD_PASS);  /* some of it decays */
    now += 10 * S;
    for (int times = 0; times < 13; times++) {
        static const int64_t longer[] = { 60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720, 61440, 86400, 86400 };
        int n = 0;
        struct guard_ban ban;

        while (!guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, now))
            CHECK(n++ < 20);
        CHECK_EQ(guard_bans(g, &ban, 1, now), 1);
        CHECK_ROW_EQ(times, ban.until_ns - now, longer[times] * S);
        CHECK_ROW_EQ(times, ban.count, (unsigned)times + 1);
        now = ban.until_ns;
        CHECK_ROW_EQ(times, guard_request(g, &a, phone, now - 1), GUARD_DROP);
        CHECK_ROW_EQ(times, guard_request(g, &a, phone, now), GUARD_PASS);
    }
    now += 2 * 86400 * S;                                             /* two days without */
    for (int i = 0; i < 10; i++)
        guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, now);
    CHECK(guard_is_banned(g, &a, now + 59 * S) && !guard_is_banned(g, &a, now + 60 * S));
    CHECK(guard_unban(g, &a));
    CHECK(!guard_is_banned(g, &a, now));
    CHECK_EQ(guard_request(g, &a, phone, now), GUARD_PASS);
    guard_free(g);
}

TEST(who_goes_on_knocking_is_banned_without_an_answer)
{
    struct guard *g = guard_new(&(struct guard_settings){ 0 });
    struct address a = ip(192, 0, 2, 1);

    for (int i = 0; i < 10; i++)
        guard_note(g, &a, SLICE(""), GUARD_UNKNOWN_USER, START_NS);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(guard_request(g, &a, phone, START_NS), GUARD_DROP);
    CHECK(guard_is_banned(g, &a, START_NS));
    guard_free(g);
}

TEST(a_phone_with_an_old_password_that_asks_twice_a_minute_is_never_banned)
{
    struct guard *g = guard_new(&(struct guard_settings){ 0 });
    struct address a = ip(192, 0, 2, 1);

    for (int i = 0; i < 1000; i++) {
        CHECK_ROW_EQ(i, guard_request(g, &a, phone, START_NS + i * 30 * S), GUARD_PASS);
        CHECK_ROW(i, !guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, START_NS + i * 30 * S));
    }
    guard_free(g);
}

TEST(behind_an_address_with_good_phones_faults_weigh_a_quarter)
{
    struct guard *g = guard_new(&(struct guard_settings){ 0 });
    struct address a = ip(192, 0, 2, 1);
    int n = 0;

    guard_note(g, &a, SLICE("bob"), GUARD_AUTHENTICATED, START_NS);
    while (!guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, START_NS))
        n++;
    CHECK_EQ(n, 39);
    guard_free(g);
}

TEST(a_name_guessed_from_many_addresses_is_open_only_to_those_that_knew_it)
{
    struct guard *g = guard_new(&(struct guard_settings){ 0 });
    struct address good = ip(198, 51, 100, 1), stranger = ip(198, 51, 100, 2);

    guard_note(g, &good, SLICE("bob"), GUARD_AUTHENTICATED, START_NS);
    for (uint8_t i = 0; i < 15; i++) {
        struct address a = ip(192, 0, 2, i);

        CHECK_ROW(i, guard_may_try(g, &a, SLICE("alice"), START_NS));
        guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, START_NS);
    }
    CHECK(!guard_may_try(g, &stranger, SLICE("alice"), START_NS));
    CHECK(guard_may_try(g, &stranger, SLICE("bob"), START_NS));
    CHECK(guard_may_try(g, &good, SLICE("alice"), START_NS));
    CHECK(guard_may_try(g, &stranger, SLICE("alice"), START_NS + 60 * S));
    guard_free(g);
}

TEST(ipv6_counts_by_its_64_bits_and_allowed_networks_do_not_count)
{
    struct guard_net net;
    struct guard *g;
    struct address a, b, mapped, out;
    enum guard_verdict last;

    CHECK(guard_net_parse(SLICE("10.1.0.0/16"), &net));
    g = guard_new(&(struct guard_settings){ .rate_per_s = 1, .burst = 2, .allowed = &net, .allowed_count = 1 });
    CHECK(address_parse_ip(SLICE("2001:db8:1:2::1"), &a) && address_parse_ip(SLICE("2001:db8:1:2:ffff::9"), &b));
    CHECK(address_parse_ip(SLICE("::ffff:10.1.2.3"), &mapped) && address_parse_ip(SLICE("2001:db8:1:3::1"), &out));
    CHECK_EQ(passes(g, &a, START_NS, &last), 2);
    CHECK_EQ(passes(g, &b, START_NS, &last), 0);
    CHECK_EQ(passes(g, &out, START_NS, &last), 2);
    CHECK_EQ(passes(g, &mapped, START_NS, &last), 10000);
    for (int i = 0; i < 100; i++)
        CHECK(!guard_note(g, &mapped, SLICE("x"), GUARD_BAD_PASSWORD, START_NS));
    CHECK_EQ(guard_sources(g), 2);
    guard_free(g);
}

TEST(ports_do_not_make_sources_nor_do_addresses_of_one_64)
{
    static const struct { const char *a, *b; bool same; } rows[] = {
        { "192.0.2.1", "192.0.2.1", true },           { "192.0.2.1", "192.0.2.2", false },
        { "192.0.2.1", "::ffff:192.0.2.1", true },    { "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true },
        { "2001:db8:1:2::1", "2001:db8:1:3::1", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char room_a[GUARD_SOURCE_MAX], room_b[GUARD_SOURCE_MAX];
        struct address a, b;

        CHECK_ROW(i, address_parse_ip(slice_of_string(rows[i].a), &a) && address_parse_ip(slice_of_string(rows[i].b), &b));
        a.port = 5060, b.port = 40000;
        CHECK_ROW_EQ(i, slice_eq(guard_source(&a, room_a), guard_source(&b, room_b)), rows[i].same);
    }
}

TEST(the_table_is_bounded_and_bans_are_forgotten_last)
{
    struct guard *g = guard_new(&(struct guard_settings){ .sources_max = 10, .users_max = 5 });
    struct address bad = ip(192, 0, 2, 1);
    char name[8];

    CHECK(guard_ban(g, &bad, 0, START_NS));
    for (int i = 0; i < 1000; i++) {
        struct address a = ip(10, 0, (uint8_t)(i / 256), (uint8_t)i);

        guard_request(g, &a, phone, START_NS);
        guard_note(g, &a, slice_of(name, (size_t)snprintf(name, sizeof name, "%d", i)), GUARD_BAD_PASSWORD, START_NS);
    }
    CHECK_EQ(guard_sources(g), 10);
    CHECK(guard_is_banned(g, &bad, START_NS));
    CHECK(guard_counts(g)->forgotten >= 990);
    guard_free(g);
}

TORTURE(a_guard_without_memory_lets_pass)
{
    struct guard *g = guard_new(&(struct guard_settings){ 0 });
    struct address a = ip(192, 0, 2, 1);

    CHECK_OR_RETURN(g != NULL);
    CHECK_EQ(guard_request(g, &a, phone, START_NS), GUARD_PASS);
    guard_note(g, &a, SLICE("alice"), GUARD_BAD_PASSWORD, START_NS);
    CHECK(guard_may_try(g, &a, SLICE("alice"), START_NS));
    guard_free(g);
}
