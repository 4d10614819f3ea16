/* codes/code_test.c - the catalogue is whole and consistent.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/code.h"
#include "harness/test.h"

TEST(the_index_and_the_search_agree)
{
    unsigned registered = 0;

    for (unsigned status = 0; status < 1000; status++) {
        const struct code *code = code_find(CODE_SIP, status);

        registered += code && code->registered;
        CHECK_ROW(status, !code || (code->family == CODE_SIP && code->number == status));
        CHECK_ROW(status, !code || code->digit == status / 100);
        CHECK_ROW(status, (code_phrase(status).len > 0) == (code != NULL));
        CHECK_ROW(status, (code_outcome(status) != CODE_OUTCOME_NONE) ==
                              (status >= 100 && status < 700));
    }
    CHECK_EQ(registered, 75);                    /* the IANA registry of November 2026 */
    CHECK_EQ(code_phrase(486), SLICE("Busy Here"));
    CHECK(!code_find(CODE_SIP, 303)->registered);
    CHECK(!code_find(CODE_SIP, 409)->registered);
    CHECK(!code_find(CODE_SIP, 411)->registered);
}

TEST(outcomes_are_those_of_the_code_or_of_its_class)
{
    static const struct { unsigned status; enum code_outcome outcome; } rows[] = {
        { 183, CODE_PROGRESS }, { 200, CODE_ANSWERED },  { 302, CODE_REDIRECT },
        { 401, CODE_CHALLENGE }, { 404, CODE_NUMBER },   { 486, CODE_USER },
        { 503, CODE_NETWORK },  { 488, CODE_CAPABILITY }, { 483, CODE_ROUTING },
        { 481, CODE_DIALOG },   { 403, CODE_ACCOUNT },   { 400, CODE_SYNTAX },
        { 150, CODE_PROGRESS }, { 299, CODE_ANSWERED },  { 499, CODE_SYNTAX },
        { 599, CODE_NETWORK },  { 699, CODE_USER },      { 99, CODE_OUTCOME_NONE },
        { 700, CODE_OUTCOME_NONE },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, code_outcome(rows[i].status), rows[i].outcome);
}

TEST(every_code_is_found_where_it_stands)
{
    for (size_t i = 0; i < code_count(); i++) {
        const struct code *code = code_at(i);

        CHECK_ROW_EQ(i, code_find_id((enum code_family)code->family, slice_of_string(code->id)), code);
        CHECK_ROW(i, !code->number || code_find((enum code_family)code->family, code->number) == code);
        for (size_t k = 0; k < code->related_count; k++)
            CHECK_ROW(i, code_at(code->related[k]) != NULL && code_at(code->related[k]) != code);
    }
    CHECK(code_at(code_count()) == NULL);
    CHECK(code_find_id(CODE_LOCAL, SLICE("sip18x")) != NULL);
    CHECK(code_find(CODE_FAMILIES, 17) == NULL);
    for (unsigned digit = 1; digit <= 6; digit++)
        CHECK(code_class(digit) != NULL);
    CHECK(code_class(7) == NULL);
}

/* A code of some class must say these things, in every language. */
TEST(no_code_lacks_what_its_page_needs)
{
    for (size_t l = 0; l < words_count(); l++) {
        const struct words *w = words_at(l);

        for (size_t i = 0; i < code_count(); i++) {
            const struct code *code = code_at(i);

            CHECK_ROW(i, code_text(w, code->headline).len > 0);
            CHECK_ROW(i, code_text(w, code->means).len > 0);
            CHECK_ROW(i, code_name(w, code).len > 0);
            CHECK_ROW(i, code->family == CODE_CLASS || code->cause_count > 0);
            for (size_t k = 0; k < code->cause_count; k++) {
                const struct code_cause *cause = &code->causes[k];
                size_t advice = 0;

                CHECK_ROW(i, code_text(w, cause->text).len > 0);
                CHECK_ROW(i, code_text(w, cause->evidence).len > 0);
                for (size_t role = 0; role < CODE_ROLES; role++)
                    advice += code_text(w, cause->fix[role]).len;
                CHECK_ROW(i, advice > 0);
            }
        }
    }
}

TEST(codes_that_people_confuse_are_compared_by_hand)
{
    static const unsigned sets[][3] = {
        { 180, 183 }, { 401, 407 }, { 404, 410, 604 }, { 403, 603 }, { 408, 480, 504 },
        { 480, 486, 600 }, { 486, 600 }, { 488, 606 }, { 500, 503 }, { 183, 380 }, { 183, 603 },
    };

    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        const struct code *set[3];
        size_t count = sets[i][2] ? 3 : 2;

        for (size_t k = 0; k < count; k++)       /* in the other order too */
            set[i % 2 ? k : count - 1 - k] = code_find(CODE_SIP, sets[i][k]);
        CHECK_ROW(i, code_compared(set, count) != NULL);
    }

    const struct code *never[] = { code_find(CODE_SIP, 486), code_find(CODE_SIP, 493) };

    CHECK(code_compared(never, 2) == NULL);
    CHECK(code_compared(never, 1) == NULL);
}

TEST(any_two_classes_of_responses_have_a_difference)
{
    for (unsigned a = 1; a <= 6; a++)
        for (unsigned b = a; b <= 6; b++)
            CHECK(code_text(words_english(), code_class_difference(a, b)).len > 0);
    CHECK_EQ(code_class_difference(6, 1).at, 0);
    CHECK_EQ(code_text(words_english(), (sentence){0}).len, 0);
}
