/* report/rows_test.c - records as JSON Lines and CSV
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/rows.h"

#include "harness/test.h"

static struct call_code_count codes[] = { { 100, 1 }, { 486, 2 } };

static struct call sample(void)
{
    struct call c = {
        .index = 3, .session = 12, .call_id = SLICE("a\"b\\c"), .state = CALL_REFUSED, .final = 486,
        .reason = SLICE("Busy, \"here\""), .invite_ns = 1795222923123456789, .progress_ns = 1795222923935556789,
        .from = { .user = SLICE("=cmd|' /C calc'!A0"), .uri = SLICE("sip:x@y") }, .codes = codes, .code_count = 2,
        .caller_addr = address_v4("\x0a\0\0\x01", 5060), .ended_by = CALL_CALLEE,
    };

    c.methods[SIP_INVITE] = 1;
    return c;
}

TEST(a_call_is_one_line_of_json_with_its_levels_as_objects)
{
    struct call c = sample();
    struct out o;
    struct json j = { .out = &o };

    out_init_memory(&o, 0);
    rows_json(&j, &call_fields, &c);
    slice text = out_taken(&o);

    CHECK(slice_starts(text, SLICE("{\"type\":\"call\",\"index\":3,\"call_id\":\"a\\\"b\\\\c\",\"session\":\"s12\","
                                   "\"state\":{\"family\":\"sip\",\"code\":486,\"name\":\"Busy Here\",\"list\":\"completed\"},"
                                   "\"final\":486,\"reason\":\"Busy, \\\"here\\\"\",")));
    CHECK(slice_find(text, SLICE("\"responses\":{\"100\":1,\"486\":2},\"methods\":{\"INVITE\":1}")) > 0);
    CHECK(slice_find(text, SLICE("\"caller_addr\":\"10.0.0.1:5060\"")) > 0);
    CHECK(slice_find(text, SLICE("\"invite_at\":\"2026-11-21T01:02:03.123456Z\"")) > 0);
    CHECK(slice_find(text, SLICE("\"pdd_ms\":812.1")) > 0);
    CHECK(slice_find(text, SLICE("\"talk_ms\"")) < 0);    /* unknown: left out */
    CHECK(slice_find(text, SLICE("\"callee_addr\"")) < 0);
    CHECK(slice_ends(text, SLICE("}\n")));
    CHECK_EQ(slice_find_char(text, '\n'), (ptrdiff_t)text.len - 1);

    size_t first = text.len;                              /* the next line starts afresh */

    rows_json(&j, &call_fields, &c);
    CHECK_EQ(out_taken(&o).len, 2 * first);
    CHECK(slice_eq(slice_head(out_taken(&o), first), slice_skip(out_taken(&o), first)));
    out_done(&o);
}

TEST(csv_has_a_heading_for_every_cell)
{
    struct call c = {0};
    struct out o;
    size_t commas[2] = {0, 0}, line = 0;

    out_init_memory(&o, 0);
    rows_csv_head(&o, &call_fields);
    rows_csv(&o, &call_fields, &c);
    slice text = out_taken(&o);

    for (size_t i = 0; i < text.len; i++) {
        CHECK(line < 2);
        commas[line] += text.ptr[i] == ',';
        line += text.ptr[i] == '\n';
    }
    CHECK_EQ(line, 2);
    CHECK_EQ(commas[0], call_fields.count);
    CHECK_EQ(commas[1], commas[0]);
    CHECK(slice_starts(text, SLICE("type,index,call_id,session,state.family")));
    out_done(&o);
}

TEST(no_cell_of_csv_is_a_formula_or_breaks_its_quotes)
{
    static const struct { slice text; const char *cell; } rows[] = {
        { SLICE("plain"), "\"plain\"" },
        { SLICE("a,b"), "\"a,b\"" },
        { SLICE("say \"no\""), "\"say \"\"no\"\"\"" },
        { SLICE("=1+1"), "\"'=1+1\"" }, { SLICE("+4930"), "\"'+4930\"" }, { SLICE("-1"), "\"'-1\"" },
        { SLICE("@SUM(A1)"), "\"'@SUM(A1)\"" },
        { SLICE("\t=1"), "\"' =1\"" }, { SLICE("\r=1"), "\"' =1\"" }, { SLICE("\n=1"), "\"' =1\"" },
        { SLICE(" =1"), "\"' =1\"" },                     /* spreadsheets trim */
        { SLICE("a\r\nb"), "\"a  b\"" },
        { SLICE("a\0b"), "\"a\xef\xbf\xbd" "b\"" },
        { SLICE("\x1b[2J"), "\"\xef\xbf\xbd[2J\"" },
        { SLICE("\xff"), "\"\xef\xbf\xbd\"" },
        { SLICE(""), "\"\"" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct call c = { .call_id = rows[i].text };
        struct out o;

        out_init_memory(&o, 0);
        rows_csv(&o, &call_fields, &c);
        slice text = slice_skip(out_taken(&o), strlen("call,0,"));

        CHECK_ROW_EQ(i, slice_head(text, strlen(rows[i].cell)), rows[i].cell);
        CHECK_ROW_EQ(i, text.ptr[strlen(rows[i].cell)], ',');
        out_done(&o);
    }
}

TEST(text_longer_than_any_buffer_comes_whole)
{
    static char large[5000];
    struct call c = { .call_id = slice_of(large, sizeof large) };
    struct out o;

    memset(large, '"', sizeof large);
    out_init_memory(&o, 0);
    rows_csv(&o, &call_fields, &c);
    size_t quotes = 0;

    for (size_t i = 0; i < o.used; i++)
        quotes += o.buffer[i] == '"';
    CHECK(quotes >= 2 * sizeof large + 2);
    CHECK_EQ(quotes % 2, 0);
    out_done(&o);
}
