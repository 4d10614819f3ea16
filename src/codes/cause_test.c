/* codes/cause_test.c - the catalogue of causes is whole, and speaks of this call.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/cause.h"
#include "harness/test.h"

static bool is_among(slice name, const char *const *names)
{
    for (; *names; names++)
        if (slice_eq(name, slice_of_string(*names)))
            return true;
    return false;
}

TEST(the_catalogue_has_what_was_promised)
{
    unsigned main_causes = 0;

    for (unsigned i = 1; i < CAUSES; i++)
        main_causes += cause_may_be_main((enum cause_id)i);
    CHECK(CAUSES - 1 >= 130);
    CHECK(main_causes >= 100);
    CHECK_EQ(cause_find(SLICE("codec-mismatch")), CAUSE_CODEC_MISMATCH);
    CHECK_EQ(cause_severity(CAUSE_BUSY), CAUSE_SEVERITY_NOTICE);
    CHECK_EQ(cause_blame(CAUSE_BUSY), CAUSE_BLAME_NOBODY);
    CHECK(cause_may_be_main(CAUSE_ACK_LOST) && !cause_may_be_main(CAUSE_CAPTURE_CUT));
}

TEST(every_cause_is_found_by_its_slug_and_by_no_other)
{
    for (unsigned i = 1; i < CAUSES; i++)
        CHECK_ROW_EQ(i, cause_find(slice_of_string(cause_slug((enum cause_id)i))),
                     (enum cause_id)i);
    CHECK_EQ(cause_find(SLICE("")), CAUSE_NONE);
    CHECK_EQ(cause_find(SLICE("Busy")), CAUSE_NONE);
    CHECK_EQ(cause_find(SLICE("busy-")), CAUSE_NONE);
}

TEST(no_cause_and_numbers_beyond_the_last_say_nothing)
{
    const enum cause_id none[] = { CAUSE_NONE, CAUSES, (enum cause_id)(CAUSES + 1000) };

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        CHECK_ROW_EQ(i, strlen(cause_slug(none[i])), 0u);
        CHECK_ROW(i, !cause_may_be_main(none[i]) && !cause_codes(none[i])[0]);
        CHECK_ROW(i, !cause_params(none[i])[0]);
        CHECK_ROW_EQ(i, cause_text(words_english(), none[i], CAUSE_PART_TEXT), SLICE(""));
    }
    CHECK_EQ(cause_text(words_english(), CAUSE_BUSY, CAUSE_PARTS), SLICE(""));
}

TEST(every_code_of_a_cause_is_in_the_catalogue)
{
    for (unsigned i = 1; i < CAUSES; i++) {
        size_t named = 0, found = 0;

        while (cause_codes((enum cause_id)i)[named])
            named++;
        for (size_t k = 0; k < code_count(); k++)
            found += cause_has_code((enum cause_id)i, code_at(k));
        CHECK_ROW_EQ(i, found, named);
    }
    CHECK(cause_has_code(CAUSE_BUSY, code_find(CODE_Q850, 17)));
    CHECK(!cause_has_code(CAUSE_BUSY, code_find(CODE_SIP, 480)));
}

/* All values that a text may ask for. */
static size_t values_of(enum cause_id id, struct words_value values[], size_t max)
{
    size_t count = 0;

    for (const char *const *name = cause_params(id); *name && count < max; name++)
        values[count++] = WORDS_TEXT(*name, SLICE("x1"));
    return count;
}

TEST(every_text_is_filled_from_its_own_parameters)
{
    struct words_value values[16];
    struct out o;

    out_init_memory(&o, 0);
    for (size_t l = 0; l < words_count(); l++) {
        for (unsigned i = 1; i < CAUSES; i++) {
            size_t count = values_of((enum cause_id)i, values, ARRAY_LEN(values));

            out_clear(&o);
            cause_say(&o, words_at(l), (enum cause_id)i, CAUSE_PART_TEXT, values, count);
            CHECK_ROW(i, out_taken(&o).len > 0 && slice_find_char(out_taken(&o), '{') < 0);
            CHECK_ROW_EQ(i, slice_find(out_taken(&o), SLICE("x1")) >= 0, count > 0);
        }
    }
    out_done(&o);
}

TEST(a_value_that_is_missing_or_empty_gives_the_plain_text)
{
    const struct words *w = words_english();
    struct words_value values[16];
    struct out o;

    out_init_memory(&o, 0);
    for (unsigned i = 1; i < CAUSES; i++) {
        enum cause_id id = (enum cause_id)i;
        size_t count = values_of(id, values, ARRAY_LEN(values));

        for (size_t gone = 0; gone < count; gone++) {
            slice kept = values[gone].text;

            values[gone].text = SLICE("");
            out_clear(&o);
            cause_say(&o, w, id, CAUSE_PART_TEXT, values, count);
            CHECK_ROW_EQ(i, out_taken(&o), cause_text(w, id, CAUSE_PART_TEXT_PLAIN));
            values[gone].text = kept;
        }
        if (!count)
            continue;
        out_clear(&o);
        cause_say(&o, w, id, CAUSE_PART_TEXT, values, count - 1);
        CHECK_ROW_EQ(i, out_taken(&o), cause_text(w, id, CAUSE_PART_TEXT_PLAIN));
    }
    out_done(&o);
}

TEST(a_mismatch_of_codecs_is_told_with_the_codecs)
{
    const struct words_value values[] = {
        WORDS_TEXT("codecs_callee", SLICE("G729")),
        WORDS_TEXT("codecs_caller", SLICE("PCMU, PCMA")), WORDS_NUMBER("code", 488), WORDS_TEXT("phrase", SLICE("Not Acceptable Here")),
    };
    struct out o;

    out_init_memory(&o, 0);
    cause_say(&o, words_english(), CAUSE_CODEC_MISMATCH, CAUSE_PART_TEXT, values, 4);
    CHECK_EQ(out_taken(&o), SLICE("The called phone accepts only G729, but the caller offered only "
                                  "PCMU, PCMA, so the call was refused with 488 Not Acceptable "
                                  "Here."));
    CHECK(is_among(SLICE("codecs_callee"), cause_params(CAUSE_CODEC_MISMATCH)));
    out_done(&o);
}

TEST(who_can_do_something_is_told_what)
{
    for (unsigned i = 1; i < CAUSES; i++) {
        enum cause_id id = (enum cause_id)i;
        bool fact = cause_severity(id) == CAUSE_SEVERITY_INFO;
        size_t advice = 0;

        for (int role = 0; role < CODE_ROLES; role++)
            advice += cause_text(words_english(), id, (enum cause_part)(CAUSE_PART_FIX + role)).len;
        CHECK_ROW(i, advice > 0 || (fact && cause_blame(id) == CAUSE_BLAME_NOBODY));
        CHECK_ROW(i, cause_text(words_english(), id, CAUSE_PART_PROOF).len > 0);
        CHECK_ROW(i, cause_text(words_english(), id, CAUSE_PART_REFUTE).len > 0);
    }
}
