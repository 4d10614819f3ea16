/* switch/plan_test.c - who reaches whom, by which gateways, with which number.
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/plan.h"

#include "harness/test.h"

static const char office[] =
    "[server]\n"
    "domains = example.org, second.example\n"
    "[listen a]\n"
    "address = 192.0.2.1\n"
    "advertise = sip.example.org\n"
    "[numbers]\n"
    "country = 49\n"
    "deny = +49900, 0137\n"
    "[calls]\n"
    "emergency_numbers = 112, 110\n"
    "[gateway cheap]\n"
    "host = 198.51.100.1\n"
    "allow = +49\n"
    "deny = +4915\n"
    "cost = 5\n"
    "rewrite_called = +49 -> 0, +49151 -> 99\n"
    "rewrite_calling = 2xx -> +4930123xx5\n"
    "[gateway best]\n"
    "host = best.example\n"
    "allow = any\n"
    "deny = +1, +49151\n"
    "priority = 1\n"
    "allow_from = 203.0.113.0/24, 2001:db8:7::/48\n"
    "emergency = yes\n"
    "fail_over = 404, 503-local\n"
    "[gateway costly]\n"
    "host = 198.51.100.3\n"
    "allow = +, 0800\n"
    "cost = 9\n"
    "transit = yes\n"
    "emergency = yes\n"
    "priority = 50\n"
    "allow_from = 203.0.113.7\n"
    "[gone]\n"
    "numbers = 030555\n"
    "[moved]\n"
    "+4930556 = sip:new@example.org\n"
    "[redirect]\n"
    "300 = sip:a@example.org\n"
    "301 = sip:a@example.org, sip:b@example.org\n";

enum { CHEAP, BEST, COSTLY };

static enum users_result by_name(void *ctx, slice name, slice domain, struct user *ret)
{
    static const slice known[] = { SLICE_INIT("bob"), SLICE_INIT("200"), SLICE_INIT("+4930201"), SLICE_INIT("a@b") };

    if (slice_eq(name, SLICE("broken")))
        return USERS_FAILED;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_eq(name, known[i]) && slice_eq(domain, SLICE("example.org"))) {
            *ret = (struct user){ .name = known[i], .domain = domain };
            return USERS_FOUND;
        }
    (void)ctx;
    return USERS_NONE;
}

static size_t by_alias(void *ctx, slice alias, slice domain, slice *ret_names, size_t room)
{
    static const slice team[] = { SLICE_INIT("bob"), SLICE_INIT("200"), SLICE_INIT("eve") };
    size_t count = slice_eq(alias, SLICE("team")) ? 3 : slice_eq(alias, SLICE("+493099")) ? 1 : 0;

    (void)ctx, (void)domain;
    for (size_t i = 0; i < count && i < room; i++)
        ret_names[i] = team[i];
    return count;
}
static const struct users some_users = { NULL, by_name, NULL, by_alias };

struct rig {
    struct config *config;
    struct plan   *plan;
    struct plan_route route;
};

static bool rig_start(struct rig *r, const char *text)
{
    struct config_report report;

    *r = (struct rig){ 0 };
    if (config_read(slice_of_string(text), &r->config, &report) != 0) {
        CHECK(report.total == 0 || test_memory_failed());
        config_report_done(&report);
        return false;
    }
    r->plan = plan_new(r->config);
    return r->plan != NULL;
}

static void rig_end(struct rig *r)
{
    (void)plan_free(r->plan);
    (void)config_free(r->config);
}

/* "best:0301 cheap:..." or "bob 200". */
static slice targets(const struct rig *r, char text[1024])
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < r->route.count; i++) {
        const struct plan_target *t = &r->route.at[i];
        slice gateway = t->is_gateway ? r->config->gateways[t->gateway].name : (slice){ 0 };

        len += (size_t)snprintf(text + len, 1024 - len, "%s" SLICE_FMT "%s%s", i ? " " : "", SLICE_ARG(gateway),
                                t->is_gateway ? ":" : "", t->called);
    }
    return slice_of(text, len);
}

#define USER PLAN_BY_USER
#define STRANGER PLAN_BY_STRANGER
#define PEER PLAN_BY_GATEWAY

TEST(each_number_goes_where_the_plan_says)
{
    static const struct {
        const char *uri;
        enum plan_caller by;
        unsigned flags;
        uint16_t gateway;
        enum plan_result result;
        unsigned status;
        const char *want;
    } rows[] = {
        /* users, by name, number and alias */
        { "sip:bob@example.org", USER, 0, 0, PLAN_USER, 0, "bob" },
        { "sip:bob@EXAMPLE.org:5070;transport=tcp", STRANGER, 0, 0, PLAN_USER, 0, "bob" },
        { "sip:b%6fb;x=1@example.org", STRANGER, 0, 0, PLAN_USER, 0, "bob" },
        { "sip:a%40b@example.org", STRANGER, 0, 0, PLAN_USER, 0, "a@b" },
        { "sip:2-00@192.0.2.1", STRANGER, 0, 0, PLAN_USER, 0, "200" },   /* our address stands for our first domain */
        { "sip:bob@second.example", USER, 0, 0, PLAN_NOBODY, 404, "" },
        { "sip:bob@sip.example.org", USER, 0, 0, PLAN_USER, 0, "bob" },      /* so does what we advertise */
        { "sip:030201@example.org;user=phone", STRANGER, 0, 0, PLAN_USER, 0, "+4930201" },
        { "tel:+49-30-201", STRANGER, 0, 0, PLAN_USER, 0, "+4930201" },
        { "sip:team@example.org", STRANGER, 0, 0, PLAN_GROUP, 0, "bob 200 eve" },
        { "sip:03099@example.org", STRANGER, 0, 0, PLAN_USER, 0, "bob" },
        { "sip:broken@example.org", USER, 0, 0, PLAN_STORE_FAILED, 504, "" },
        /* nobody */
        { "sip:carol@example.org", USER, 0, 0, PLAN_NOBODY, 404, "" },
        { "sip:bob@elsewhere.example", USER, 0, 0, PLAN_NOBODY, 404, "" },
        { "sip:+4930202@elsewhere.example", USER, 0, 0, PLAN_NOBODY, 404, "" },
        { "sip:example.org", USER, 0, 0, PLAN_NOBODY, 404, "" },
        { "http://example.org", USER, 0, 0, PLAN_SCHEME, 416, "" },
        { "bob", USER, 0, 0, PLAN_SCHEME, 416, "" },
        { "urn:uuid:1", USER, 0, 0, PLAN_NOBODY, 404, "" },
        /* elsewhere */
        { "sip:+4930555@example.org", STRANGER, 0, 0, PLAN_GONE, 410, "" },
        { "sip:030556@example.org", STRANGER, 0, 0, PLAN_MOVED, 301, "" },
        { "sip:300@example.org", STRANGER, 0, 0, PLAN_REDIRECTED, 302, "" },
        { "sip:301@example.org", STRANGER, 0, 0, PLAN_REDIRECTED, 300, "" },
        /* gateways: priority, then cost */
        { "sip:030202@example.org", USER, 0, 0, PLAN_GATEWAYS, 0, "best:+4930202 cheap:030202 costly:+4930202" },
        { "sip:004930202@example.org", USER, 0, 0, PLAN_GATEWAYS, 0, "best:+4930202 cheap:030202 costly:+4930202" },
        { "sip:+49151@example.org", USER, 0, 0, PLAN_GATEWAYS, 0, "costly:+49151" },
        { "sip:+49161@example.org", USER, 0, 0, PLAN_GATEWAYS, 0, "best:+49161 cheap:0161 costly:+49161" },
        { "sip:+12025550123@example.org", USER, 0, 0, PLAN_GATEWAYS, 0, "costly:+12025550123" },
        { "sip:*21#@example.org", USER, 0, 0, PLAN_GATEWAYS, 0, "best:*21#" },
        { "sip:+499005@example.org", USER, 0, 0, PLAN_DENIED, 403, "" },
        { "sip:01371@example.org", USER, 0, 0, PLAN_DENIED, 403, "" },
        { "sip:030202@example.org", USER, USER_NO_GATEWAY, 0, PLAN_DENIED, 403, "" },
        { "sip:03@example.org", USER, 0, 0, PLAN_GATEWAYS, 0, "best:+493 cheap:03 costly:+493" },
        { "sip:12@example.org", USER, 0, 0, PLAN_TOO_SHORT, 484, "" },
        /* nor who has no credit, but for emergencies */
        { "sip:030202@example.org", USER, USER_NO_CREDIT, 0, PLAN_UNPAID, 402, "" },
        { "sip:bob@example.org", USER, USER_NO_CREDIT, 0, PLAN_USER, 0, "bob" },
        { "sip:12@example.org", USER, USER_NO_CREDIT, 0, PLAN_TOO_SHORT, 484, "" },
        { "sip:112@example.org", USER, USER_NO_CREDIT, 0, PLAN_EMERGENCY, 0, "best:112 costly:112" },
        /* strangers never get to one */
        { "sip:030202@example.org", STRANGER, 0, 0, PLAN_DENIED, 403, "" },
        { "sip:12@example.org", STRANGER, 0, 0, PLAN_DENIED, 403, "" },
        { "tel:+4930202", STRANGER, 0, 0, PLAN_DENIED, 403, "" },
        /* other gateways only with transit, and never back */
        { "sip:030201@whatever.example", PEER, 0, BEST, PLAN_USER, 0, "+4930201" },
        { "sip:030202@whatever.example", PEER, 0, BEST, PLAN_NOBODY, 404, "" },
        { "sip:030202@x.example", PEER, 0, COSTLY, PLAN_GATEWAYS, 0, "best:+4930202 cheap:030202" },
        { "sip:+49151@x.example", PEER, 0, COSTLY, PLAN_LOOP, 482, "" },
        /* emergency: before anything else, but for strangers by another network */
        { "sip:112@example.org", USER, USER_NO_GATEWAY, 0, PLAN_EMERGENCY, 0, "best:112 costly:112" },
        { "sip:1-1-0@elsewhere.example", USER, 0, 0, PLAN_EMERGENCY, 0, "best:110 costly:110" },
        { "urn:service:sos.fire", USER, 0, 0, PLAN_EMERGENCY, 0, "best:112 costly:112" },
        { "URN:Service:SOS", PEER, 0, COSTLY, PLAN_EMERGENCY, 0, "best:112" },
        { "urn:service:sosumi", USER, 0, 0, PLAN_NOBODY, 404, "" },
        { "sip:112@example.org", STRANGER, 0, 0, PLAN_EMERGENCY_ELSEWHERE, 380, "" },
        { "sip:112@example.org", PEER, 0, CHEAP, PLAN_EMERGENCY_ELSEWHERE, 380, "" },
    };
    struct rig r;

    CHECK(rig_start(&r, office));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plan_question q = { .uri = slice_of_string(rows[i].uri), .by = rows[i].by, .user_flags = rows[i].flags,
                                   .gateway = rows[i].gateway, .random = i };
        char text[1024];

        plan_find(r.plan, &some_users, &q, &r.route);
        CHECK_ROW_EQ(i, r.route.result, rows[i].result);
        CHECK_ROW_EQ(i, r.route.status, rows[i].status);
        CHECK_ROW_EQ(i, plan_is_emergency(r.plan, q.uri), rows[i].result == PLAN_EMERGENCY || rows[i].result == PLAN_EMERGENCY_ELSEWHERE);
        CHECK_ROW_EQ(i, targets(&r, text), rows[i].want);
    }
    rig_end(&r);
}

TEST(the_callers_number_is_rewritten_for_each_gateway_and_a_name_is_none)
{
    static const struct { const char *calling, *cheap, *best; } rows[] = {
        { "217", "+4930123175", "217" }, { "2-1-7", "+4930123175", "217" }, { "21", "21", "21" }, { "alice", "", "" },
        { "", "", "" }, { "0301;ext=7", "+49301", "+49301" },
    };
    struct rig r;

    CHECK(rig_start(&r, office));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plan_question q = { .uri = SLICE("tel:+4930202"), .by = USER, .calling = slice_of_string(rows[i].calling) };

        plan_find(r.plan, &some_users, &q, &r.route);
        CHECK_ROW_EQ(i, r.route.count, 3);
        CHECK_ROW_EQ(i, slice_of_string(r.route.at[0].calling), rows[i].best);
        CHECK_ROW_EQ(i, slice_of_string(r.route.at[1].calling), rows[i].cheap);
    }
    rig_end(&r);
}

TORTURE(a_plan_is_made_whole_or_not_at_all)
{
    struct rig r;

    CHECK_OR_GOTO(rig_start(&r, office), out);
    CHECK(plan_is_ours(r.plan, SLICE("Second.Example")));
    CHECK(plan_is_ours(r.plan, SLICE("192.0.2.1")));
    CHECK(plan_is_ours(r.plan, SLICE("sip.example.org")));
    CHECK(!plan_is_ours(r.plan, SLICE("192.0.2.10")));
    CHECK(!plan_is_ours(r.plan, SLICE("")));
    CHECK(plan_config(r.plan) == r.config);
out:
    rig_end(&r);
}

TEST(policies_of_aliases_strangers_and_emergency_hold)
{
    static const struct { const char *text, *uri; enum plan_caller by; enum plan_result result; } rows[] = {
        { "[calls]\nalias_of_many = refuse\n", "sip:team@127.0.0.1", USER, PLAN_AMBIGUOUS },
        { "[calls]\nalias_of_many = hide\n", "sip:team@127.0.0.1", USER, PLAN_NOBODY },
        { "[calls]\nunknown_callers = nobody\n", "sip:team@127.0.0.1", STRANGER, PLAN_DENIED },
        { "[calls]\nunknown_callers = nobody\n", "sip:team@127.0.0.1", USER, PLAN_GROUP },
        { "[calls]\nemergency = redirect\n[gateway g]\nhost = g.example\nemergency = yes\n", "sip:112@127.0.0.1", USER,
          PLAN_EMERGENCY_ELSEWHERE },
        { "", "sip:112@127.0.0.1", USER, PLAN_EMERGENCY_ELSEWHERE },
        { "[calls]\nemergency_numbers =\n", "sip:112@127.0.0.1", USER, PLAN_NOBODY },
        { "[gateway g]\nhost = g.example\n", "sip:12345@127.0.0.1", USER, PLAN_NOBODY },         /* allows nothing */
        { "[gateway g]\nhost = g.example\nallow = 1234567\n", "sip:12345@127.0.0.1", USER, PLAN_TOO_SHORT },
        { "[gateway g]\nhost = g.example\nallow = any\ndeny = 123\n", "sip:12345@127.0.0.1", USER, PLAN_DENIED },
        { "[numbers]\ndigits_min = 6\n[gateway g]\nhost = g.example\nallow = any\n", "sip:12345@127.0.0.1", USER,
          PLAN_TOO_SHORT },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plan_question q = { .uri = slice_of_string(rows[i].uri), .by = rows[i].by };
        struct rig r;

        CHECK_ROW(i, rig_start(&r, rows[i].text));
        plan_find(r.plan, &some_users, &q, &r.route);
        CHECK_ROW_EQ(i, r.route.result, rows[i].result);
        rig_end(&r);
    }
}

TEST(a_host_is_ours_when_the_caller_says_so)
{
    struct plan_question q = { .uri = SLICE("sip:team@203.0.113.5"), .by = STRANGER };
    struct rig r;

    CHECK(rig_start(&r, ""));
    plan_find(r.plan, &some_users, &q, &r.route);
    CHECK_EQ(r.route.result, PLAN_NOBODY);
    q.host_is_ours = true;
    plan_find(r.plan, &some_users, &q, &r.route);
    CHECK_EQ(r.route.result, PLAN_GROUP);
    CHECK_EQ(r.route.domain, "203.0.113.5");
    rig_end(&r);
}

TEST(equal_gateways_share_by_weight_and_all_of_them_are_tried)
{
    struct rig r;
    unsigned first[3] = { 0 };

    CHECK(rig_start(&r, "[gateway a]\nhost = a.example\nallow = any\nweight = 1\n[gateway b]\nhost = b.example\nallow = any\n"
                        "weight = 3\n[gateway c]\nhost = c.example\nallow = any\nweight = 6\n"));
    for (uint64_t i = 0; i < 10000; i++) {
        struct plan_question q = { .uri = SLICE("tel:12345"), .by = USER, .random = i };

        plan_find(r.plan, &some_users, &q, &r.route);
        CHECK_EQ(r.route.count, 3);
        CHECK_EQ(r.route.at[0].gateway + r.route.at[1].gateway + r.route.at[2].gateway, 3);
        first[r.route.at[0].gateway]++;
    }
    CHECK_NEAR((double)first[0], 1000, 150);
    CHECK_NEAR((double)first[1], 3000, 200);
    CHECK_NEAR((double)first[2], 6000, 250);
    rig_end(&r);
}

TEST(more_gateways_than_targets_are_counted)
{
    struct rig r;
    struct out o;
    struct plan_question q = { .uri = SLICE("tel:12345"), .by = USER };

    out_init_memory(&o, 0);
    for (uint64_t i = 0; i < 40; i++)
        out_text(&o, SLICE("[gateway g")), out_u64(&o, i), out_text(&o, SLICE("]\nhost = h.example\nallow = any\n"));
    out_char(&o, '\0');
    CHECK(rig_start(&r, out_taken(&o).ptr));
    plan_find(r.plan, &some_users, &q, &r.route);
    CHECK_EQ(r.route.count, PLAN_TARGETS_MAX);
    CHECK_EQ(r.route.left_out, 8);
    rig_end(&r);
    out_done(&o);
}

TEST(a_call_comes_from_the_gateway_with_the_smallest_network)
{
    static const struct { const char *ip; int want; } rows[] = {
        { "198.51.100.1", CHEAP }, { "198.51.100.2", -1 }, { "203.0.113.6", BEST }, { "203.0.113.7", COSTLY },
        { "2001:db8:7:1::1", BEST }, { "2001:db8:8::1", -1 }, { "198.51.100.3", -1 },   /* its list is another one */
        { "203.0.112.255", -1 },
    };
    struct rig r;

    CHECK(rig_start(&r, office));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address from;
        uint16_t gateway = 99;

        CHECK(address_parse_ip(slice_of_string(rows[i].ip), &from));
        from.port = 12345;
        CHECK_ROW_EQ(i, plan_gateway_of(r.plan, &from, &gateway), rows[i].want >= 0);
        CHECK_ROW_EQ(i, gateway, rows[i].want >= 0 ? rows[i].want : 99);
    }
    rig_end(&r);
}

TEST(a_call_moves_on_by_code_and_never_when_the_called_side_has_decided)
{
    static const struct { uint16_t gateway; struct plan_failure failure; bool want; } rows[] = {
        { CHEAP, { 503, false, false }, true },  { CHEAP, { 500, false, false }, true },
        { CHEAP, { 408, true, false }, true },   { CHEAP, { 408, false, false }, false },    /* theirs is not ours */
        { CHEAP, { 503, true, false }, true },   { CHEAP, { 404, false, false }, false },
        { CHEAP, { 486, false, false }, false }, { CHEAP, { 480, false, true }, false },
        { CHEAP, { 603, false, false }, false }, { CHEAP, { 503, false, true }, true },
        { CHEAP, { 408, true, true }, false },   { CHEAP, { 200, false, false }, false },
        { BEST, { 404, false, false }, true },   { BEST, { 404, false, true }, false },
        { BEST, { 503, true, false }, true },    { BEST, { 503, false, false }, false },
        { BEST, { 9999, false, false }, false },
    };
    struct rig r;

    CHECK(rig_start(&r, office));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, plan_fails_over(&plan_config(r.plan)->gateways[rows[i].gateway].fail_over, &rows[i].failure), rows[i].want);
    rig_end(&r);
}

TEST(numbers_have_one_normal_form)
{
    static const struct { const char *country, *user, *want; } rows[] = {
        { "49", "+49 (30) 12-3.4", "+49301234" }, { "49", "0049301", "+49301" }, { "49", "0301", "+49301" },
        { "49", "301", "301" }, { "49", "bob", "" }, { "49", "", "" }, { "49", "*21#", "*21#" }, { "49", "%2b49", "+49" },
        { "", "0049301", "0049301" }, { "", "+4", "+4" }, { "49", "0", "+49" }, { "49", "00", "+" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config_numbers n = { .country = slice_of_string(rows[i].country), .international = SLICE("00"),
                                    .national = SLICE("0") };
        char room[PLAN_NAME_MAX + 1];

        CHECK_ROW_EQ(i, plan_number(&n, slice_of_string(rows[i].user), room), rows[i].want);
    }
}

TEST(a_number_too_long_is_none_and_does_not_overflow)
{
    char digits[PLAN_NAME_MAX + 10], room[PLAN_NAME_MAX + 1];
    struct config_numbers n = { .country = SLICE("49"), .international = SLICE("00"), .national = SLICE("0") };
    struct config_rule longer = { SLICE(""), SLICE("12") };
    struct config_rules rules = { &longer, 1 };

    memset(digits, '0', sizeof digits);
    digits[1] = '1';                                      /* 01000...: two more characters in normal form */
    CHECK_EQ(plan_number(&n, slice_of(digits, PLAN_NAME_MAX - 2), room).len, PLAN_NAME_MAX);
    CHECK_EQ(plan_number(&n, slice_of(digits, PLAN_NAME_MAX - 1), room).len, 0);
    CHECK_EQ(plan_number(&n, slice_of(digits, PLAN_NAME_MAX + 5), room).len, 0);
    CHECK(plan_rewrite(&rules, slice_of(digits, PLAN_NAME_MAX - 2), room));
    CHECK(!plan_rewrite(&rules, slice_of(digits, PLAN_NAME_MAX - 1), room));
}

TEST(the_rule_with_the_longest_pattern_rewrites)
{
    static const struct config_rule some[] = {
        { SLICE_INIT("+49"), SLICE_INIT("0") }, { SLICE_INIT("+"), SLICE_INIT("00") }, { SLICE_INIT("2xx"), SLICE_INIT("+491xx9") },
        { SLICE_INIT("21x"), SLICE_INIT("7") }, { SLICE_INIT("xxxx*"), SLICE_INIT("") }, { SLICE_INIT("2x5"), SLICE_INIT("8x") },
    };
    static const struct { const char *number, *want; } rows[] = {
        { "+4930", "030" }, { "+4", "004" }, { "203", "+491039" }, { "2034", "+4910394" }, { "213", "7" }, { "2134", "74" },
        { "215", "7" },                                   /* of equal ones the first */
        { "225", "82" }, { "1234*5", "5" }, { "30", "30" }, { "", "" },
    };
    const struct config_rules rules = { some, ARRAY_LEN(some) };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char got[PLAN_NAME_MAX + 1];

        CHECK_ROW(i, plan_rewrite(&rules, slice_of_string(rows[i].number), got));
        CHECK_ROW_EQ(i, slice_of_string(got), rows[i].want);
    }
}
