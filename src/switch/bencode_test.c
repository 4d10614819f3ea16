/* switch/bencode_test.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/bencode.h"

#include "harness/test.h"

TEST(bencode_takes_what_is_whole_and_nothing_else)
{
    static const struct { slice in; bool ok; enum bencode_kind kind; int64_t number; slice text, left; } rows[] = {
        { SLICE_INIT("i42e"), true, BENCODE_NUMBER, 42, { 0 }, { 0 } },
        { SLICE_INIT("i-7ex"), true, BENCODE_NUMBER, -7, { 0 }, SLICE_INIT("x") },
        { SLICE_INIT("i0e"), true, BENCODE_NUMBER, 0, { 0 }, { 0 } },
        { SLICE_INIT("i9223372036854775807e"), true, BENCODE_NUMBER, INT64_MAX, { 0 }, { 0 } },
        { .in = SLICE_INIT("i9223372036854775808e") },    /* one too many */
        { .in = SLICE_INIT("i99999999999999999999e") },   /* would wrap */
        { .in = SLICE_INIT("i-0e") },
        { .in = SLICE_INIT("i07e") },
        { .in = SLICE_INIT("ie") },
        { .in = SLICE_INIT("i5") },
        { .in = SLICE_INIT("i--5e") },
        { SLICE_INIT("4:ping"), true, BENCODE_STRING, 0, SLICE_INIT("ping"), { 0 } },
        { SLICE_INIT("0:"), true, BENCODE_STRING, 0, { 0 }, { 0 } },
        { SLICE_INIT("2:a:b"), true, BENCODE_STRING, 0, SLICE_INIT("a:"), SLICE_INIT("b") },
        { .in = SLICE_INIT("5:ping") },                   /* cut off */
        { .in = SLICE_INIT("18446744073709551615:x") },   /* would wrap a pointer */
        { .in = SLICE_INIT("04:ping") },
        { .in = SLICE_INIT("4ping") },
        { .in = SLICE_INIT("-1:") },
        { SLICE_INIT("le"), true, BENCODE_LIST, 0, { 0 }, { 0 } },
        { SLICE_INIT("l1:aee"), true, BENCODE_LIST, 0, SLICE_INIT("1:a"), SLICE_INIT("e") },
        { SLICE_INIT("d1:ai1ee"), true, BENCODE_DICTIONARY, 0, SLICE_INIT("1:ai1e"), { 0 } },
        { SLICE_INIT("d1:adee"), true, BENCODE_DICTIONARY, 0, SLICE_INIT("1:ade"), { 0 } },
        { .in = SLICE_INIT("d1:ae") },                    /* a key without its value */
        { .in = SLICE_INIT("di1e1:ae") },                 /* a number for a key */
        { .in = SLICE_INIT("dlei1ee") },                  /* a list for a key */
        { .in = SLICE_INIT("d1:ai1e") },                  /* never closed */
        { .in = SLICE_INIT("ll1:ae") },
        { .in = SLICE_INIT("e") },
        { .in = SLICE_INIT("") },
        { .in = SLICE_INIT("x") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in;
        struct bencode v = { .number = 77 };
        bool ok = bencode_take(&rest, &v);

        CHECK_ROW_EQ(i, ok, rows[i].ok);
        CHECK_ROW_EQ(i, rest, ok ? rows[i].left : rows[i].in);
        CHECK_ROW_EQ(i, v.number, ok ? rows[i].number : 77);
        CHECK_ROW(i, !ok || (v.kind == rows[i].kind && slice_eq(v.text, rows[i].text)));
    }
}

TEST(bencode_goes_as_deep_as_its_limit_and_no_deeper)
{
    char text[2 * (BENCODE_DEPTH_MAX + 1)];
    struct bencode v;

    for (unsigned depth = BENCODE_DEPTH_MAX; depth <= BENCODE_DEPTH_MAX + 1; depth++) {
        slice rest = slice_of(text, (size_t)2 * depth);

        memset(text, 'l', depth);
        memset(text + depth, 'e', depth);
        CHECK_ROW_EQ(depth, bencode_take(&rest, &v), depth <= BENCODE_DEPTH_MAX);
    }
}

TEST(bencode_finds_by_key_in_the_outermost_dictionary_only)
{
    slice rest = SLICE("d1:ad3:sdp2:noe6:result2:ok3:sdp4:v=0\n4:sizei9ee"), key;
    struct bencode all, v;
    int pairs = 0;

    CHECK(bencode_take(&rest, &all));
    CHECK_EQ(bencode_find_text(&all, SLICE("sdp")), SLICE("v=0\n"));
    CHECK_EQ(bencode_find_text(&all, SLICE("result")), SLICE("ok"));
    CHECK(bencode_find(&all, SLICE("size"), &v) && v.number == 9);
    CHECK(bencode_find_text(&all, SLICE("size")).ptr == NULL);
    CHECK(!bencode_find(&all, SLICE("a2"), &v));
    for (rest = all.text; bencode_next_pair(&rest, &key, &v); pairs++)
        ;
    CHECK_EQ(pairs, 4);
    CHECK(!bencode_find(&v, SLICE("a"), &all));           /* in a number nothing is found */
}

TORTURE(what_bencode_writes_it_reads)
{
    struct out o;
    struct bencode all, v;

    out_init_memory(&o, 0);
    bencode_put_open(&o, BENCODE_DICTIONARY);
    bencode_put_pair(&o, SLICE("command"), SLICE("ping"));
    bencode_put_text(&o, SLICE("list"));
    bencode_put_open(&o, BENCODE_LIST);
    bencode_put_number(&o, -3);
    bencode_put_close(&o);
    bencode_put_close(&o);
    CHECK_OR_GOTO(!o.error, out);
    slice rest = out_taken(&o);

    CHECK_EQ(rest, SLICE("d7:command4:ping4:listli-3eee"));
    CHECK(bencode_take(&rest, &all) && bencode_find(&all, SLICE("list"), &v) && rest.len == 0);
    rest = v.text;
    CHECK(bencode_next(&rest, &v) && v.number == -3 && !bencode_next(&rest, &v));
out:
    out_done(&o);
}
