/* call/filter_test.c - the filter language
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/filter.h"

#include <errno.h>

#include "harness/test.h"

#define SECOND 1000000000LL
#define NOW (1700000000 * SECOND)

static struct call_code_count codes[] = { { 180, 2 }, { 486, 1 } };

static struct call sample(void)
{
    struct call c = {
        .call_id = SLICE("a84b@host"), .state = CALL_REFUSED, .final = 486, .last_progress = 180,
        .from = { .uri = SLICE("sip:+4930123@a.example"), .user = SLICE("+4930123") },
        .to = { .uri = SLICE("sip:bob@b.example"), .user = SLICE("bob"), .display = SLICE("Bob \"B\" \\ x") },
        .invite_ns = NOW - 1800 * SECOND, .progress_ns = NOW - 1798 * SECOND,
        .ended_ns = NOW - 1789 * SECOND, .caller_addr = address_v4("\x0a\0\0\x01", 5060),
        .codes = codes, .code_count = 2, .ended_by = CALL_CALLEE,
    };

    c.methods[SIP_INVITE] = 1;
    return c;
}

TEST(a_filter_picks_what_it_says)
{
    static const struct { const char *text; bool match; } rows[] = {
        { "final = 486", true }, { "final == 486", true }, { "final=486", true }, { "final != 486", false },
        { "final < 487", true }, { "final <= 486", true }, { "final > 486", false }, { "final >= 486", true },
        { "final in (404, 486)", true }, { "final in (404)", false }, { "final in(486)", true },
        { "state = 486", true }, { "state.name = \"Busy Here\"", true }, { "state.name = \"busy here\"", true },
        { "state.list in (active, completed)", true }, { "list = completed", true },
        { "state.family = sip", true }, { "ended_by = callee", true }, { "ended_by = caller", false },
        { "from.user ~ \"^.49\"", true }, { "from.user ~ ^[+]49", true },
        { "to = bob", true }, { "from = +4930123", true }, { "to.user !~ alice", true }, { "to.user !~ bob", false },
        { "not answered", true }, { "answered", false }, { "not not answered", false }, { "answered = no", true },
        { "answered = false", true }, { "answered = 0", true }, { "answered != yes", true },
        { "caller_addr = 10.0.0.1:5060", true }, { "caller_addr ~ \"^10[.]\"", true },
        { "callee_addr ~ .", false },                                  /* unknown */
        { "responses.486", true }, { "responses.404", false }, { "responses.180 = 2", true },
        { "responses > 2", true }, { "methods.INVITE = 1", true }, { "methods.invite = 1", true },
        { "pdd_ms = 2000", true }, { "pdd_ms = 2s", true }, { "pdd_ms < 2.5s", true }, { "pdd_ms > 1999.9", true },
        { "pdd_ms >= 2000ms", true }, { "pdd_ms < 1m", true }, { "pdd_ms < 1h", true }, { "pdd_ms < 1d", true },
        { "ring_ms = 9s", true },
        { "invite_at >= -1h", true }, { "invite_at >= -10m", false }, { "invite_at < +1h", true },
        { "invite_at > 2023-11-14", true }, { "invite_at > 2023-11-15", false },
        { "invite_at = 2023-11-14T21:43:20Z", true }, { "invite_at = \"2023-11-14 21:43:20\"", true },
        { "invite_at = 2023-11-14T23:43:20+02:00", true },
        { "invite_at < +9223372000s", true }, { "invite_at > -9223372000s", true },      /* beyond all times */
        /* what is unknown is neither equal nor different */
        { "talk_ms = 5", false }, { "talk_ms != 5", false }, { "not talk_ms = 5", true }, { "talk_ms", false },
        { "q850", false }, { "answered_at > 1970-01-01", false }, { "reason = \"\"", false },
        /* and before or, brackets first, words in any case */
        { "final = 404 or final = 486 and to = bob", true }, { "final = 486 or final = 404 and to = eve", true },
        { "(final = 486 or final = 404) and to = eve", false }, { "final = 1 OR final = 486", true },
        { "final = 486 AND NOT answered", true }, { "((((final = 486))))", true },
        { "to.display = \"Bob \\\"B\\\" \\\\ x\"", true },
        { "  final\t=\n486  ", true },
    };
    struct call c = sample();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filter *f = NULL;
        struct filter_error error = {0};
        int result = filter_parse(slice_of_string(rows[i].text), &call_fields, &f, &error);

        CHECK_ROW_EQ(i, result, 0);
        CHECK_ROW_EQ(i, filter_match(f, &c, NOW), rows[i].match);
        CHECK_EQ(filter_free(f), NULL);
    }
}

TEST(a_wrong_filter_says_what_and_where_and_what_it_may_have_meant)
{
    static const struct { const char *text; enum filter_wrong wrong; size_t offset; const char *near; } rows[] = {
        { "finl = 486", FILTER_NO_FIELD, 0, "final" },
        { "FINAL = 486", FILTER_NO_FIELD, 0, "final" },
        { "final = 486 and gatewy = x", FILTER_NO_FIELD, 16, NULL },
        { "from.usr = x", FILTER_NO_FIELD, 0, "from.user" },
        { "final.x = 1", FILTER_NO_FIELD, 0, NULL },       /* no counts inside */
        { "final = many", FILTER_WANTS_NUMBER, 8, NULL },
        { "final = 486.5", FILTER_WANTS_NUMBER, 8, NULL },
        { "final = 1e3", FILTER_WANTS_NUMBER, 8, NULL },
        { "final = 99999999999999999999", FILTER_WANTS_NUMBER, 8, NULL },
        { "final = -", FILTER_WANTS_NUMBER, 8, NULL },
        { "responses.486 = x", FILTER_WANTS_NUMBER, 16, NULL },
        { "talk_ms < soon", FILTER_WANTS_DURATION, 10, NULL },
        { "talk_ms < 5y", FILTER_WANTS_DURATION, 10, NULL },
        { "talk_ms < ms", FILTER_WANTS_DURATION, 10, NULL },
        { "talk_ms < 99999999999999d", FILTER_WANTS_DURATION, 10, NULL },
        { "invite_at > yesterday", FILTER_WANTS_TIME, 12, NULL },
        { "invite_at > 2026-02-30", FILTER_WANTS_TIME, 12, NULL },
        { "answered = maybe", FILTER_WANTS_YES_OR_NO, 11, NULL },
        { "final ~ 4..", FILTER_WANTS_TEXT, 8, NULL },
        { "final =", FILTER_WANTS_VALUE, 7, NULL },
        { "final = )", FILTER_WANTS_VALUE, 8, NULL },
        { "", FILTER_WANTS_FIELD, 0, NULL },
        { "   ", FILTER_WANTS_FIELD, 3, NULL },
        { "and", FILTER_NO_FIELD, 0, NULL },
        { "final = 1 and", FILTER_WANTS_FIELD, 13, NULL },
        { "= 5", FILTER_WANTS_FIELD, 0, NULL },
        { "(final = 486", FILTER_UNBALANCED, 12, NULL },
        { "final = 486)", FILTER_UNBALANCED, 11, NULL },
        { "to = \"bob", FILTER_UNBALANCED, 5, NULL },
        { "to = \"bob\\\"", FILTER_UNBALANCED, 5, NULL },
        { "final in 486", FILTER_UNBALANCED, 9, NULL },
        { "final in (486", FILTER_UNBALANCED, 13, NULL },
        { "final in ()", FILTER_WANTS_VALUE, 10, NULL },
        { "final in (486,)", FILTER_WANTS_VALUE, 14, NULL },
        { "final = 486 487", FILTER_LEFT_OVER, 12, NULL },
        { "final = 486, 487", FILTER_LEFT_OVER, 11, NULL },
        { "to ~ \"[\"", FILTER_BAD_PATTERN, 5, NULL },
        { "final = 1 and to ~ \"(\"", FILTER_BAD_PATTERN, 19, NULL },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filter *f = (struct filter *)&rows;
        struct filter_error error = {0};

        CHECK_ROW_EQ(i, filter_parse(slice_of_string(rows[i].text), &call_fields, &f, &error), -EINVAL);
        CHECK_ROW_EQ(i, error.wrong, rows[i].wrong);
        CHECK_ROW_EQ(i, error.offset, rows[i].offset);
        CHECK_ROW(i, f == (struct filter *)&rows);        /* untouched */
        CHECK_ROW(i, (error.near != NULL) == (error.wrong == FILTER_NO_FIELD));
        if (rows[i].near)
            CHECK_ROW_EQ(i, error.near, rows[i].near);
    }
}

static int parse_only(slice text, enum filter_wrong *ret_wrong)
{
    struct filter *f = NULL;
    struct filter_error error = {0};
    int result = filter_parse(text, &call_fields, &f, &error);

    *ret_wrong = error.wrong;
    if (result == 0)
        filter_free(f);
    return result;
}

TEST(nesting_and_length_have_limits)
{
    static char text[40000];
    enum filter_wrong wrong;
    size_t at = 0;

    memset(text, '(', sizeof text);
    CHECK_EQ(parse_only(slice_of(text, sizeof text), &wrong), -EINVAL);
    CHECK_EQ(wrong, FILTER_TOO_LONG);
    for (size_t i = 0; i + 4 <= sizeof text; i += 4)
        memcpy(text + i, "not ", 4);
    CHECK_EQ(parse_only(slice_of(text, sizeof text), &wrong), -EINVAL);
    CHECK_EQ(wrong, FILTER_TOO_LONG);
    for (unsigned i = 0; i < 400; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%sfinal = %u", i ? " or " : "", i);
    CHECK_EQ(parse_only(slice_of(text, at), &wrong), -EINVAL);
    CHECK_EQ(wrong, FILTER_TOO_LONG);
    at = (size_t)snprintf(text, sizeof text, "final in (");
    for (unsigned i = 0; i < 2000; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u", i ? "," : "", i);
    at += (size_t)snprintf(text + at, sizeof text - at, ")");
    CHECK_EQ(parse_only(slice_of(text, at), &wrong), 0);  /* a list is one comparison */
    at = 0;
    for (unsigned i = 0; i < 60; i++)
        text[at++] = '(';
    at += (size_t)snprintf(text + at, sizeof text - at, "final = 1");
    for (unsigned i = 0; i < 60; i++)
        text[at++] = ')';
    CHECK_EQ(parse_only(slice_of(text, at), &wrong), 0);
}

TEST(a_pattern_that_costs_without_bound_is_refused)
{
    static const char *const patterns[] = {
        "((((a{1,255}){1,255}){1,255}){1,255})", "(a*)\\1", "(.*)(.*)(.*)\\3",
    };
    char text[1000];
    enum filter_wrong wrong;

    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        snprintf(text, sizeof text, "to ~ \"%s\"", patterns[i]);
        CHECK_ROW_EQ(i, parse_only(slice_of_string(text), &wrong), -EINVAL);
        CHECK_ROW_EQ(i, wrong, FILTER_BAD_PATTERN);
    }
    memset(text, '(', sizeof text);
    memcpy(text, "to ~ \"", 6);
    text[sizeof text - 1] = '"';
    CHECK_EQ(parse_only(slice_of(text, sizeof text), &wrong), -EINVAL);
    CHECK_EQ(wrong, FILTER_BAD_PATTERN);
    CHECK_EQ(parse_only(SLICE("to ~ \"a\0b\""), &wrong), -EINVAL);
    CHECK_EQ(parse_only(SLICE("to ~ \"^[0-9]{3,5}$\""), &wrong), 0);
    CHECK_EQ(parse_only(SLICE("to ~ \"\\.example$\""), &wrong), 0);
}

TEST(text_of_a_record_may_hold_anything)
{
    struct call c = sample();
    struct filter *f = NULL;
    struct filter_error error;
    static char large[200000];

    CHECK_EQ(filter_parse(SLICE("to.uri ~ \"x$\""), &call_fields, &f, &error), 0);
    c.to.uri = SLICE("a\0b\0x");
    CHECK(filter_match(f, &c, NOW));
    c.to.uri = SLICE("");
    CHECK(!filter_match(f, &c, NOW));
    memset(large, 'y', sizeof large);
    c.to.uri = slice_of(large, sizeof large);             /* looked at up to a limit */
    CHECK(!filter_match(f, &c, NOW));
    filter_free(f);
}

TEST(whether_now_matters_is_known)
{
    static const struct { const char *text; bool relative; } rows[] = {
        { "final = 1", false }, { "invite_at > -1h", true }, { "invite_at > 2026-01-01", false },
        { "final = 1 and not (to = x or ended_at < -5m)", true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filter *f = NULL;
        struct filter_error error;

        CHECK_ROW_EQ(i, filter_parse(slice_of_string(rows[i].text), &call_fields, &f, &error), 0);
        CHECK_ROW_EQ(i, filter_is_relative(f), rows[i].relative);
        filter_free(f);
    }
}

TEST(times_are_read_to_the_nanosecond_and_refused_when_there_is_no_such_day)
{
    static const struct { const char *text; bool ok; int64_t ns; } rows[] = {
        { "1970-01-01", true, 0 },
        { "1970-01-02T00:00:01Z", true, 86401 * SECOND },
        { "2000-02-29", true, 951782400 * SECOND },
        { "2024-02-29T12:00", true, 1709208000 * SECOND },
        { "2026-11-21T01:02:03.123456Z", true, 1795222923 * SECOND + 123456000 },
        { "2026-11-21T01:02:03.123456789123Z", false, 0 },
        { "2026-11-21 01:02", true, 1795222920 * SECOND },
        { "2026-11-21t01:02z", true, 1795222920 * SECOND },
        { "2026-11-21T03:02:00+02:00", true, 1795222920 * SECOND },
        { "2026-11-20T19:32:00-0530", true, 1795222920 * SECOND },
        { "2016-12-31T23:59:60Z", true, 1483228800 * SECOND },             /* a leap second */
        { "2023-02-29", false, 0 }, { "1900-02-28", false, 0 }, { "2100-02-29", false, 0 },
        { "2026-13-01", false, 0 }, { "2026-00-01", false, 0 }, { "2026-04-31", false, 0 },
        { "2026-01-00", false, 0 }, { "2026-1-1", false, 0 }, { "2026-01-01T24:00", false, 0 },
        { "2026-01-01T", false, 0 }, { "2026-01-01T01", false, 0 }, { "2026-01-01T01:60", false, 0 },
        { "2026-01-01T01:00+25:00", false, 0 }, { "2026-01-01T01:00+01:75", false, 0 },
        { "2026-01-01x", false, 0 }, { "", false, 0 }, { "2026-01-01T01:00Zz", false, 0 },
        { "9999-01-01", false, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ns = 77;

        CHECK_ROW_EQ(i, filter_time(slice_of_string(rows[i].text), &ns), rows[i].ok);
        CHECK_ROW_EQ(i, ns, rows[i].ok ? rows[i].ns : 77);
    }
}

TORTURE(a_filter_survives_any_allocation_that_fails)
{
    struct filter *f = NULL;
    struct filter_error error;
    struct call c = sample();

    CHECK_OR_RETURN(filter_parse(SLICE("(final in (1,2,486) and to ~ \"b.b\") or not from.user = \"a\" and invite_at > -1h"),
                                 &call_fields, &f, &error) == 0);
    (void)filter_match(f, &c, NOW);
    filter_free(f);
}
