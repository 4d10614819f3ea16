/* codes/words_test.c - languages, texts, number forms, placeholders.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/words.h"
#include "harness/test.h"

TEST(a_language_is_found_by_its_tag_or_the_nearest_one)
{
    static const struct { slice asked, found; } rows[] = {
        { SLICE("en"), SLICE("en") }, { SLICE("EN_US"), SLICE("en") }, { SLICE("C"), SLICE("en") },
        { SLICE("zh"), SLICE("zh-CN") }, { SLICE("zh-CN"), SLICE("zh-CN") },
        { SLICE("zh_cn"), SLICE("zh-CN") }, { SLICE("zh-Hans-CN"), SLICE("zh-CN") },
        { SLICE("zh-TW"), SLICE("zh-CN") }, { SLICE("fr"), SLICE("fr") },
        { SLICE("fr-CA"), SLICE("fr") }, { SLICE("FR"), SLICE("fr") },
        { SLICE("xx"), {0} }, { SLICE(""), {0} }, { SLICE("-"), {0} }, { SLICE("f"), {0} },
        { SLICE("fra"), {0} }, { SLICE("z"), {0} },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct words *w = words_find(rows[i].asked);

        CHECK_ROW(i, (w == NULL) == (rows[i].found.ptr == NULL));
        CHECK_ROW(i, !w || slice_eq(w->tag, rows[i].found));
    }
}

TEST(a_locale_names_a_language_and_an_unknown_one_is_english)
{
    static const struct { slice value, found; } rows[] = {
        { SLICE("fr_FR.UTF-8"), SLICE("fr") }, { SLICE("fr_FR@euro"), SLICE("fr") },
        { SLICE("zh_CN.GB18030"), SLICE("zh-CN") }, { SLICE("C.UTF-8"), SLICE("en") },
        { SLICE("POSIX"), SLICE("en") }, { SLICE("tlh_QO.UTF-8"), SLICE("en") },
        { SLICE(""), SLICE("en") }, { {0}, SLICE("en") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, words_for_locale(rows[i].value)->tag, rows[i].found);
}

TEST(every_language_built_in_is_what_its_header_says)
{
    CHECK_EQ(words_at(0)->tag, SLICE("en"));
    CHECK(words_at(words_count()) == NULL);
    for (size_t i = 1; i < words_count(); i++) {
        const struct words *w = words_at(i);
        struct words again;

        CHECK_ROW(i, words_init(&again, w->tag, w->mo.bytes));
        CHECK_ROW_EQ(i, again.mo.count, w->mo.count);
        CHECK_ROW_EQ(i, again.mo.originals, w->mo.originals);
        CHECK_ROW_EQ(i, again.mo.swapped, w->mo.swapped);
        CHECK_ROW_EQ(i, again.name, w->name);
        CHECK_ROW_EQ(i, again.plural.forms, w->plural.forms);
        CHECK_ROW_EQ(i, again.plural.expression, w->plural.expression);
    }
}

TEST(every_text_is_there_in_every_language)
{
    for (size_t i = 0; i < words_count(); i++)
        for (int id = 0; id < TEXTS; id++)
            for (uint64_t n = 0; n < 130; n += n < 25 ? 1 : 19)
                CHECK_ROW(id, words_plural(words_at(i), (enum text_id)id, n).len > 0);
    CHECK_EQ(words_text(words_english(), TEXTS).len, 0);
}

static const char *filled(struct out *o, slice pattern, const struct words_value *values,
                          size_t count)
{
    out_clear(o);
    words_fill(o, pattern, values, count);
    out_char(o, '\0');
    return o->error ? "" : o->buffer;
}

TEST(placeholders_go_where_the_translator_put_them)
{
    const struct words_value values[] = { WORDS_NUMBER("count", 3), WORDS_TEXT("who", SLICE("Bob")),
                                          WORDS_TEXT("none", SLICE("")) };
    static const struct { slice pattern; const char *text; } rows[] = {
        { SLICE("{count} calls of {who}."), "3 calls of Bob." },
        { SLICE("{who}: {count}, {who}"), "Bob: 3, Bob" },           /* moved, twice     */
        { SLICE("[{none}]"), "[]" },
        { SLICE("{missing}!"), "{missing}!" },                       /* stays as it is   */
        { SLICE("{count"), "{count" },
        { SLICE("{"), "{" }, { SLICE("{}"), "{}" }, { SLICE("{{count}}"), "{3}" },
        { SLICE("{ count }"), "{ count }" }, { SLICE("%s %n"), "%s %n" }, { SLICE(""), "" },
    };
    struct out o;

    out_init_memory(&o, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW(i, strcmp(filled(&o, rows[i].pattern, values, 3), rows[i].text) == 0);
    CHECK_STR_EQ(filled(&o, SLICE("{count}"), NULL, 0), "{count}");
    out_done(&o);
}

TEST(an_entry_without_a_translation_is_given_in_english)
{
    struct words w;

    CHECK(!words_init(&w, SLICE("xx"), SLICE("no catalogue")));
    CHECK_EQ(words_entry(words_english(), "sip.486.headline\4Busy."), SLICE("Busy."));
    CHECK_EQ(words_entry(words_english(), "no key at all"), SLICE(""));
}
