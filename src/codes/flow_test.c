/* codes/flow_test.c - the reference flows as they are compiled in
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/flow.h"

#include "harness/test.h"

TEST(every_flow_is_found_by_its_name_and_has_parties_steps_and_texts)
{
    for (unsigned id = FLOW_NONE + 1; id < FLOWS; id++) {
        const struct flow *flow = flow_at(id);

        CHECK_ROW_EQ(id, flow_find(slice_of_string(flow->name)), id);
        CHECK_ROW_EQ(id, flow_nearest(slice_of_string(flow->name)), id);
        CHECK_ROW(id, flow_text(words_english(), flow->title).len > 0);
        CHECK_ROW(id, flow_text(words_english(), flow->purpose).len > 20);
        CHECK_ROW(id, flow->rfc[0] != NULL);
        CHECK_ROW(id, flow->step_count > 3);
        for (unsigned step = 1; step <= flow->step_count; step++) {
            const struct flow_step *s = flow_step(id, step);

            CHECK_ROW(id, s && strchr(flow->parties, s->from) && strchr(flow->parties, s->to));
            CHECK_ROW(id, s->from != s->to && s->label[0]);
        }
    }
}

TEST(what_is_no_flow_has_no_name_and_no_steps)
{
    CHECK_EQ(flow_find(SLICE("holt")), FLOW_NONE);
    CHECK_EQ(flow_find(SLICE("")), FLOW_NONE);
    CHECK_EQ(flow_nearest(SLICE("holt")), FLOW_HOLD);
    CHECK_EQ(flow_nearest(SLICE("busy")), FLOW_CALLEE_BUSY);
    CHECK(flow_nearest(SLICE("")) != FLOW_NONE);
    CHECK_EQ(flow_at(FLOWS)->step_count, 0);
    CHECK_EQ(flow_at(4711)->name[0], '\0');
    CHECK(!flow_step(FLOW_HOLD, 0));
    CHECK(!flow_step(FLOW_HOLD, flow_at(FLOW_HOLD)->step_count + 1u));
    CHECK_EQ(flow_text(words_english(), (sentence){ 0 }).len, 0);
}

TEST(the_volte_call_has_25_steps_and_the_answer_to_the_prack_is_the_ninth)
{
    CHECK_EQ(flow_at(FLOW_VOLTE_CALL)->step_count, 25);
    CHECK_EQ(slice_of_string(flow_step(FLOW_VOLTE_CALL, 9)->label), "200 (PRACK)");
    CHECK_EQ(slice_of_string(flow_step(FLOW_VOLTE_CALL, 21)->label), "BYE");
}
