/* tests/causes/causes_test.c - each rule fires on its script and not on the one beside it
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

TEST(calls_that_came_to_nothing_have_their_plain_reason) { check_causes(&cause_rows_outcome); }
TEST(what_goes_wrong_within_a_call_is_told) { check_causes(&cause_rows_dialog); }
TEST(what_goes_wrong_on_the_way_is_told) { check_causes(&cause_rows_routing); }
TEST(what_people_heard_is_told) { check_causes(&cause_rows_media); }
TEST(mobiles_captures_products_and_attackers_are_told) { check_causes(&cause_rows_other); }
