/* report/html_test.c - whatever a sender writes, a browser sees text
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/html.h"

#include "base/utf8.h"
#include "harness/test.h"

/* Markup, quotes, escapes, C1, bidi, NUL, lines, broken UTF-8. */
#define HOSTILE "<script>alert(1)</script>\"'&amp;<!--]]>" "\x1b[31m" "\xc2\x9b" "2J" "\0" "\r\n\t" "\xe2\x80\xae" "evil"    \
                "\xe2\x81\xa6" "\x7f\x01\x02" "\xe2\x80\xa8" "\xff\xfe" "\xc0\x80" "\xed\xa0\x80" "\xf0\x9f\x98\x80"

/* Nothing of it begins or ends an element, an attribute or a reference of its own making. */
static bool is_text(slice text, bool lines)
{
    slice rest = text;
    uint32_t point;

    if (!utf8_is_valid(text))
        return false;
    while (utf8_take(&rest, &point))
        if (point == '<' || point == '>' || point == '"' || point == '\'' ||
            (!utf8_is_printable(point) && !(lines && point == '\n')))
            return false;
    for (ptrdiff_t at; (at = slice_find_char(text, '&')) >= 0; text = slice_skip(text, (size_t)at + 1)) {
        slice behind = slice_skip(text, (size_t)at);

        if (!slice_starts(behind, SLICE("&amp;")) && !slice_starts(behind, SLICE("&lt;")) &&
            !slice_starts(behind, SLICE("&gt;")) && !slice_starts(behind, SLICE("&quot;")) &&
            !slice_starts(behind, SLICE("&#39;")))
            return false;
    }
    return true;
}

TEST(text_from_the_network_stays_text)
{
    static const struct { slice in, out; } rows[] = {
        { SLICE(""), SLICE("") },
        { SLICE("alice"), SLICE("alice") },
        { SLICE("<script>x</script>"), SLICE("&lt;script&gt;x&lt;/script&gt;") },
        { SLICE("a\"b'c&d"), SLICE("a&quot;b&#39;c&amp;d") },
        { SLICE("&amp;"), SLICE("&amp;amp;") },           /* it is not ours, so it is no reference */
        { SLICE("a\0b"), SLICE("a\xef\xbf\xbd" "b") },
        { SLICE("a\r\n\tb"), SLICE("a   b") },
        { SLICE("\xe2\x80\xae" "live"), SLICE("\xef\xbf\xbd" "live") },
        { SLICE("\xe2\x81\xa7" "x"), SLICE("\xef\xbf\xbd" "x") },
        { SLICE("caf\xc3\xa9"), SLICE("caf\xc3\xa9") },
        { SLICE("\xff<"), SLICE("\xef\xbf\xbd&lt;") },
        { SLICE("\xc0\xbcscript"), SLICE("\xef\xbf\xbd\xef\xbf\xbdscript") },     /* an overlong < */
        { SLICE("\x1b[31m\x07"), SLICE("\xef\xbf\xbd[31m\xef\xbf\xbd") },
        { SLICE("\1x\2"), SLICE("\xef\xbf\xbdx\xef\xbf\xbd") },                   /* our own marks */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct out o;

        out_init_memory(&o, 0);
        html_text(&o, rows[i].in);
        CHECK_ROW(i, slice_eq(out_taken(&o), rows[i].out));
        out_done(&o);
    }
}

TEST(hostile_text_is_harmless_in_every_form)
{
    struct out o;

    out_init_memory(&o, 0);
    html_text(&o, SLICE(HOSTILE));
    CHECK(is_text(out_taken(&o), false));
    out_clear(&o);
    html_lines(&o, SLICE(HOSTILE), 4096);
    CHECK(is_text(out_taken(&o), true));
    for (size_t columns = 0; columns < 70; columns++) {
        out_clear(&o);
        html_cut(&o, SLICE(HOSTILE), columns);
        CHECK(is_text(out_taken(&o), false));
    }
    out_done(&o);
}

TEST(lines_of_a_message_are_kept_and_end_alike)
{
    static const struct { slice in; size_t limit; slice out; } rows[] = {
        { SLICE("a\r\nb\r\n\r\nc"), 99, SLICE("a\nb\n\nc") },
        { SLICE("a\nb"), 99, SLICE("a\nb") },
        { SLICE("a\rb"), 99, SLICE("a\nb") },
        { SLICE("a\n"), 99, SLICE("a") },
        { SLICE("a\r\n<b"), 4, SLICE("a\n&lt;") },
        { SLICE(""), 99, SLICE("") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct out o;

        out_init_memory(&o, 0);
        html_lines(&o, rows[i].in, rows[i].limit);
        CHECK_ROW(i, slice_eq(out_taken(&o), rows[i].out));
        out_done(&o);
    }
}

TEST(a_name_of_ten_thousand_characters_is_cut)
{
    char name[10000];
    struct out o;

    memset(name, '<', sizeof name);
    out_init_memory(&o, 0);
    html_cut(&o, slice_of(name, sizeof name), 20);
    CHECK_EQ(o.used, 19 * strlen("&lt;") + strlen("\xe2\x80\xa6"));
    CHECK(slice_ends(out_taken(&o), SLICE("\xe2\x80\xa6")));
    out_done(&o);
}

TEST(values_in_a_sentence_cannot_leave_it)
{
    char name[10000];
    struct out o;
    struct html h;

    memset(name, '"', sizeof name);
    out_init_memory(&o, 0);
    html_init(&h, &o, words_english());
    html_say(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", 7), WORDS_TEXT("from", SLICE(HOSTILE)),
             WORDS_TEXT("to", slice_of(name, sizeof name)));
    CHECK(slice_starts(out_taken(&o), SLICE("Call 7: <bdi>&lt;script&gt;")));
    CHECK(slice_find(out_taken(&o), SLICE("<script")) < 0);
    CHECK(o.used < 40000);
    out_clear(&o);
    html_say_plain(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", 7), WORDS_TEXT("from", SLICE(HOSTILE)),
                   WORDS_TEXT("to", SLICE("\1<\2")));
    CHECK(is_text(out_taken(&o), false));                 /* fit for an attribute */
    html_done(&h);
    out_done(&o);
}

TEST(foreign_letters_in_a_sentence_are_set_apart)
{
    struct out o;
    struct html h;

    out_init_memory(&o, 0);
    html_init(&h, &o, words_english());
    html_say(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", 1), WORDS_TEXT("from", SLICE("bob")),
             WORDS_TEXT("to", SLICE("\xd8\xb3\xd8\xa7\xd9\x85\xd9\x8a")));
    CHECK(slice_eq(out_taken(&o), SLICE("Call 1: bob to <bdi>\xd8\xb3\xd8\xa7\xd9\x85\xd9\x8a</bdi>")));
    out_clear(&o);
    h.rtl = true;                                         /* then English ones are foreign, too */
    html_say(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", 1), WORDS_TEXT("from", SLICE("bob")),
             WORDS_TEXT("to", SLICE("+49")));
    CHECK(slice_eq(out_taken(&o), SLICE("Call 1: <bdi>bob</bdi> to <bdi>+49</bdi>")));
    html_done(&h);
    out_done(&o);
}

TEST(a_number_before_an_english_word_keeps_its_place_from_right_to_left)
{
    static const struct { slice in, out; } rows[] = {
        { SLICE("\xd8\xa8 100 Trying."), SLICE("\xd8\xa8 <bdi dir=ltr>100 Trying</bdi>.") },
        { SLICE("408 (CANCEL) \xd8\xa8"), SLICE("<bdi dir=ltr>408 (CANCEL)</bdi> \xd8\xa8") },
        { SLICE("\xd8\xa8 100 \xd8\xa8"), SLICE("\xd8\xa8 100 \xd8\xa8") },          /* a number reads alike */
        { SLICE("\xd8\xa8 SIP 486"), SLICE("\xd8\xa8 SIP 486") },                        /* so does this */
        { SLICE("1 <b>"), SLICE("<bdi dir=ltr>1 &lt;b</bdi>&gt;") },
        { SLICE(""), SLICE("") },
    };
    struct out o;
    struct html h;

    out_init_memory(&o, 0);
    html_init(&h, &o, words_english());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        h.rtl = true;
        out_clear(&o);
        html_own(&h, rows[i].in);
        CHECK_ROW(i, slice_eq(out_taken(&o), rows[i].out));
        h.rtl = false;
        out_clear(&o);
        html_own(&h, rows[i].in);
        CHECK_ROW(i, slice_find(out_taken(&o), SLICE("<bdi")) < 0);
    }
    html_done(&h);
    out_done(&o);
}

TEST(a_verdict_takes_its_values_as_text)
{
    struct verdict_param params[] = { { "code", SLICE("<b>486</b>") }, { "phrase", SLICE("Busy & Here") },
                                      { "addr", SLICE("'\"") } };
    struct out o;
    struct html h;

    out_init_memory(&o, 0);
    html_init(&h, &o, words_english());
    for (unsigned id = 1; id < CAUSES; id++) {
        struct verdict v = { .cause = (uint16_t)id, .params = params, .param_count = ARRAY_LEN(params) };

        out_clear(&o);
        html_verdict(&h, &v);
        CHECK_ROW(id, o.used > 0);
        CHECK_ROW(id, slice_find(out_taken(&o), SLICE("<b>")) < 0);
    }
    html_done(&h);
    out_done(&o);
}

TEST(languages_from_right_to_left_are_known_by_their_tag)
{
    CHECK(html_is_rtl(SLICE("ar")));
    CHECK(html_is_rtl(SLICE("ar-EG")));
    CHECK(html_is_rtl(SLICE("he")));
    CHECK(!html_is_rtl(SLICE("en")));
    CHECK(!html_is_rtl(SLICE("arn")));                    /* Mapudungun */
    CHECK(!html_is_rtl(SLICE("zh-CN")));
    CHECK(!html_is_rtl(SLICE("")));
}

TORTURE(a_sentence_without_memory_is_shorter_not_wrong)
{
    struct out o;
    struct html h;

    out_init_memory(&o, 0);
    html_init(&h, &o, words_english());
    html_say(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", 1), WORDS_TEXT("from", SLICE("<a>")),
             WORDS_TEXT("to", SLICE("b")));
    CHECK(slice_find(out_taken(&o), SLICE("<a>")) < 0);
    html_done(&h);
    out_done(&o);
}
