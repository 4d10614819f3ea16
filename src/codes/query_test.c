/* codes/query_test.c - what people type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/query.h"
#include "harness/test.h"

static struct code_query ask(slice text)
{
    struct code_query q;

    code_query(text, words_english(), &q);
    return q;
}

static bool is(const struct code *code, enum code_family family, const char *id)
{
    return code && code->family == family && strcmp(code->id, id) == 0;
}

TEST(every_way_to_write_a_code_finds_it)
{
    static const struct { slice text; enum code_family family; const char *id; } rows[] = {
        { SLICE("486"), CODE_SIP, "486" },          { SLICE(" 486 "), CODE_SIP, "486" },
        { SLICE("sip:486"), CODE_SIP, "486" },      { SLICE("SIP 486"), CODE_SIP, "486" },
        { SLICE("SIP486"), CODE_SIP, "486" },       { SLICE("Sip-486"), CODE_SIP, "486" },
        { SLICE("\uFF14\uFF18\uFF16"), CODE_SIP, "486" },
        { SLICE("\uFF33\uFF29\uFF30\u3000\uFF14\uFF18\uFF16"), CODE_SIP, "486" },
        { SLICE("monitor:8003"), CODE_MONITOR, "8003" },
        { SLICE("8003"), CODE_MONITOR, "8003" },    { SLICE("2002"), CODE_MONITOR, "2002" },
        { SLICE("999"), CODE_MONITOR, "999" },      { SLICE("1000"), CODE_MONITOR, "1000" },
        { SLICE("901"), CODE_LOCAL, "901" },        { SLICE("local:901"), CODE_LOCAL, "901" },
        { SLICE("SIP18X"), CODE_LOCAL, "SIP18X" },  { SLICE("sip18x"), CODE_LOCAL, "SIP18X" },
        { SLICE("18X"), CODE_LOCAL, "SIP18X" },     { SLICE("SIP 18x"), CODE_LOCAL, "SIP18X" },
        { SLICE("SIP0"), CODE_LOCAL, "SIP0" },      { SLICE("0"), CODE_LOCAL, "SIP0" },
        { SLICE("SIP 0"), CODE_LOCAL, "SIP0" },     { SLICE("SIP9XX"), CODE_LOCAL, "SIP9XX" },
        { SLICE("local:SIP100"), CODE_LOCAL, "SIP100" },
        { SLICE("SIP100"), CODE_SIP, "100" },       { SLICE("SIP 200"), CODE_SIP, "200" },
        { SLICE("kill"), CODE_LOCAL, "kill" },      { SLICE("FINISH"), CODE_LOCAL, "finish" },
        { SLICE("q850:17"), CODE_Q850, "17" },      { SLICE("Q.850 17"), CODE_Q850, "17" },
        { SLICE("cause=17"), CODE_Q850, "17" },     { SLICE("17"), CODE_Q850, "17" },
        { SLICE("q850:102"), CODE_Q850, "102" },
        { SLICE("4xx"), CODE_CLASS, "4xx" },        { SLICE("6XX"), CODE_CLASS, "6xx" },
        { SLICE("SIP4XX"), CODE_CLASS, "4xx" },     { SLICE("9xx"), CODE_CLASS, "9xx" },
        { SLICE("class:5xx"), CODE_CLASS, "5xx" },
        { SLICE("303"), CODE_SIP, "303" },          { SLICE("411"), CODE_SIP, "411" },
        { SLICE("busy here"), CODE_SIP, "486" },    { SLICE("BUSY  HERE"), CODE_SIP, "486" },
        { SLICE("busy-here"), CODE_SIP, "486" },    { SLICE("Busy H"), CODE_SIP, "486" },
        { SLICE("server timeout"), CODE_SIP, "504" },
        { SLICE("Server Time-out"), CODE_SIP, "504" },
        { SLICE("call/transaction does not exist"), CODE_SIP, "481" },
        { SLICE("everywhere"), CODE_SIP, "600" },
        { SLICE("gone"), CODE_SIP, "410" },         { SLICE("ok"), CODE_SIP, "200" },
        { SLICE("user busy"), CODE_Q850, "17" },    { SLICE("Completed"), CODE_MONITOR, "1000" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct code_query q = ask(rows[i].text);

        CHECK_ROW_EQ(i, q.result, QUERY_CODE);
        CHECK_ROW(i, is(q.code, rows[i].family, rows[i].id));
    }
}

TEST(every_code_is_found_by_family_and_id)
{
    for (size_t i = 0; i < code_count(); i++) {
        const struct code *code = code_at(i);
        char text[64];
        int len = snprintf(text, sizeof text, "%s:%s", code_family_name(code->family), code->id);
        struct code_query q = ask(slice_of(text, (size_t)len));

        CHECK_ROW_EQ(i, q.result, QUERY_CODE);
        CHECK_ROW_EQ(i, q.code, code);
    }
}

TEST(a_number_of_several_families_names_the_others)
{
    static const struct { slice text; enum code_family family; const char *other; } rows[] = {
        { SLICE("102"), CODE_Q850, "102" }, { SLICE("127"), CODE_Q850, "127" },
        { SLICE("SIP100"), CODE_LOCAL, "SIP100" }, { SLICE("200"), CODE_LOCAL, "SIP200" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct code_query q = ask(rows[i].text);

        CHECK_ROW_EQ(i, q.other_count, 1);
        CHECK_ROW(i, is(q.others[0], rows[i].family, rows[i].other));
    }
}

TEST(an_unregistered_number_is_of_its_class)
{
    static const struct { slice text; unsigned number; const char *of; } rows[] = {
        { SLICE("499"), 499, "4xx" },     { SLICE("102"), 102, "1xx" }, { SLICE("sip:199"), 0, "" },
        { SLICE("sip:699"), 699, "6xx" }, { SLICE("299"), 299, "2xx" }, { SLICE("950"), 950, "9xx" },
        { SLICE("SIP 350"), 350, "3xx" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct code_query q = ask(rows[i].text);

        CHECK_ROW_EQ(i, q.result, rows[i].number ? QUERY_UNREGISTERED : QUERY_CODE);
        CHECK_ROW(i, !rows[i].number || q.number == rows[i].number);
        CHECK_ROW(i, !rows[i].number || is(q.code, CODE_CLASS, rows[i].of));
    }
}

TEST(a_phrase_of_several_codes_lists_them_best_first)
{
    struct code_query q = ask(SLICE("busy"));

    CHECK_EQ(q.result, QUERY_SEVERAL);
    CHECK(q.other_count >= 3);
    CHECK(is(q.others[0], CODE_SIP, "486"));
    CHECK(is(q.others[1], CODE_SIP, "600"));
    CHECK_EQ(q.total, q.other_count);

    q = ask(SLICE("Not Acceptable"));
    CHECK_EQ(q.result, QUERY_SEVERAL);
    CHECK_EQ(q.other_count, 2);
    CHECK(is(q.others[0], CODE_SIP, "406"));
    CHECK(is(q.others[1], CODE_SIP, "606"));
}

TEST(what_is_no_code_is_nothing_and_the_nearest_are_named)
{
    static const struct { slice text; enum code_family family; const char *nearest; } rows[] = {
        { SLICE("4866"), CODE_SIP, "486" },      { SLICE("999x"), CODE_MONITOR, "999" },
        { SLICE("bussy here"), CODE_SIP, "486" }, { SLICE("monitor:8005"), CODE_MONITOR, "8000" },
        { SLICE("declien"), CODE_SIP, "603" },   { SLICE("sip:4o4"), CODE_SIP, "404" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct code_query q = ask(rows[i].text);
        bool named = false;

        CHECK_ROW_EQ(i, q.result, QUERY_NOTHING);
        for (size_t k = 0; k < q.other_count; k++)
            named = named || is(q.others[k], rows[i].family, rows[i].nearest);
        CHECK_ROW(i, named);
    }
}

TEST(nonsense_is_nothing)
{
    static const slice rows[] = {
        {0}, SLICE(""), SLICE("   "), SLICE("sip"), SLICE("sip:"), SLICE(":"), SLICE("-1"),
        SLICE("99999999999999999999"), SLICE("700"), SLICE("850"), SLICE("sip:999"), SLICE("7xx"),
        SLICE("0xx"), SLICE("q850:0"), SLICE("q850:128"), SLICE("monitor:486"), SLICE("4.86"),
        SLICE("\xFF\xFE"), SLICE("x"), SLICE("zzzzzzzzzzzz"), SLICE("486 600"), SLICE("48 6x"),
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, ask(rows[i]).result, QUERY_NOTHING);

    char longest[5000];

    memset(longest, 'e', sizeof longest);
    CHECK_EQ(ask(slice_of(longest, sizeof longest)).result, QUERY_NOTHING);
}

TEST(a_family_alone_waits_for_its_number)
{
    CHECK(code_query_is_family(SLICE("SIP")));
    CHECK(code_query_is_family(SLICE("q.850")));
    CHECK(!code_query_is_family(SLICE("486")));
    CHECK(!code_query_is_family(SLICE("")));
}

/* ---- causes of calls ---- */

static struct cause_query ask_cause(slice text)
{
    struct cause_query q;

    cause_query(text, words_english(), &q);
    return q;
}

TEST(a_cause_is_found_by_its_id_and_by_its_whole_headline)
{
    CHECK_EQ(ask_cause(SLICE("codec-mismatch")).exact, CAUSE_CODEC_MISMATCH);
    CHECK_EQ(ask_cause(SLICE(" cause:codec-mismatch ")).exact, CAUSE_CODEC_MISMATCH);
    CHECK_EQ(ask_cause(SLICE("No codec in common")).exact, CAUSE_CODEC_MISMATCH);
    CHECK_EQ(ask_cause(SLICE("gone")).exact, CAUSE_GONE);
    CHECK_EQ(ask_cause(SLICE("Gone")).exact, CAUSE_NONE);        /* the phrase of 410 */
    CHECK_EQ(ask_cause(SLICE("cause 17")).exact, CAUSE_NONE);
    CHECK_EQ(ask_cause(SLICE("")).exact, CAUSE_NONE);
}

TEST(a_part_of_an_id_or_headline_finds_all_that_have_it)
{
    struct cause_query q = ask_cause(SLICE("one-way audio"));

    CHECK_EQ(q.exact, CAUSE_NONE);
    CHECK_EQ(q.total, 2u);
    CHECK_EQ(q.found[0], CAUSE_ONE_WAY_AUDIO_CALLER_DEAF);
    CHECK_EQ(q.found[1], CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF);
    CHECK(ask_cause(SLICE("th")).total == 0);                    /* too short to tell anything */
}

TEST(words_in_another_order_find_a_cause_and_numbers_are_no_words)
{
    struct cause_query q = ask_cause(SLICE("lost ack"));
    bool found = false;

    for (size_t i = 0; i < q.found_count; i++)
        found = found || q.found[i] == CAUSE_ACK_LOST;
    CHECK(found);
    CHECK_EQ(ask_cause(SLICE("500 503")).total, 0u);
    CHECK_EQ(ask_cause(SLICE("lost zebra")).total, 0u);
}

TEST(a_misspelt_cause_has_a_nearest_one_and_nonsense_has_none)
{
    CHECK_EQ(ask_cause(SLICE("codek-mismatch")).nearest, CAUSE_CODEC_MISMATCH);
    CHECK_EQ(ask_cause(SLICE("zzzzzzzzz")).nearest, CAUSE_NONE);
}

TEST(more_fitting_causes_than_there_is_room_for_are_counted)
{
    struct cause_query q = ask_cause(SLICE("the"));

    CHECK_EQ(q.total, 0u);
    q = ask_cause(SLICE("call"));
    CHECK(q.total > QUERY_CAUSES_MAX && q.found_count == QUERY_CAUSES_MAX);
}
