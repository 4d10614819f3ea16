/* base/json_test.c - JSON that stays JSON whatever the network sent
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/json.h"

TEST(commas_stand_between_and_nowhere_else)
{
    struct out o;
    struct json j = { .out = &o };

    out_init_memory(&o, 0);
    json_open(&j, '{');
    json_text(&j, "a", SLICE("x"));
    json_open_in(&j, "b", '[');
    json_close(&j, ']');
    json_open_in(&j, "c", '[');
    json_u64(&j, NULL, 1);
    json_open(&j, '{');
    json_close(&j, '}');
    json_i64(&j, NULL, -2);
    json_close(&j, ']');
    json_milli(&j, "d", 1500);
    json_bool(&j, "e", false);
    json_null(&j, "f");
    json_bare(&j, "g", SLICE("[1,2]"));
    json_key(&j, SLICE("h\""));
    out_char(&o, '1');
    json_close(&j, '}');
    CHECK_EQ(out_taken(&o),
             "{\"a\":\"x\",\"b\":[],\"c\":[1,{},-2],\"d\":1.5,\"e\":false,\"f\":null,\"g\":[1,2],\"h\\\"\":1}");
    out_done(&o);
}

TEST(bytes_that_are_not_utf8_are_replaced_and_control_characters_escaped)
{
    static const struct { slice in; const char *out; } rows[] = {
        { SLICE("plain"),            "plain" },
        { SLICE("\"\\"),             "\\\"\\\\" },
        { SLICE("a\r\n\tb"),         "a\\r\\n\\tb" },
        { SLICE("\0\x1f"),           "\\u0000\\u001f" },
        { SLICE("\x7f"),             "\\u007f" },
        { SLICE("\xc3\xa9"),         "\xc3\xa9" },
        { SLICE("\xe4\xbd\xa0"),     "\xe4\xbd\xa0" },
        { SLICE("\xf0\x9f\x93\x9e"), "\xf0\x9f\x93\x9e" },
        { SLICE("\xff"),             "\xef\xbf\xbd" },
        { SLICE("a\xc3"),            "a\xef\xbf\xbd" },             /* cut at the end */
        { SLICE("\xc3(x"),           "\xef\xbf\xbd(x" },            /* the next byte is not lost */
        { SLICE("\xc0\xaf"),         "\xef\xbf\xbd\xef\xbf\xbd" },  /* '/' written too long */
        { SLICE("\x80"),             "\xef\xbf\xbd" },
    };
    struct out o;

    out_init_memory(&o, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        out_clear(&o);
        json_escape(&o, rows[i].in);
        CHECK_ROW_EQ(i, out_taken(&o), rows[i].out);
    }
    out_done(&o);
}

TEST(no_surrogate_and_nothing_beyond_unicode_gets_through)
{
    static const slice rows[] = { SLICE("\xed\xa0\x80"), SLICE("\xf4\x90\x80\x80"),
                                  SLICE("\xf8\x88\x80\x80\x80"), SLICE("\xe0\x80\xaf") };
    struct out o;

    out_init_memory(&o, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        out_clear(&o);
        json_escape(&o, rows[i]);
        CHECK_ROW(i, slice_starts(out_taken(&o), SLICE("\xef\xbf\xbd")));
        CHECK_ROW_EQ(i, slice_find(out_taken(&o), rows[i]), -1);
    }
    out_done(&o);
}

TEST(numbers_that_json_cannot_say_are_null)
{
    struct out o;
    struct json j = { .out = &o };

    out_init_memory(&o, 0);
    json_open(&j, '[');
    json_fixed(&j, NULL, 4.375, 2);
    json_fixed(&j, NULL, __builtin_nan(""), 2);
    json_fixed(&j, NULL, __builtin_inf(), 2);
    json_close(&j, ']');
    CHECK_EQ(out_taken(&o), "[4.38,null,null]");
    out_done(&o);
}
