/* switch/b2bua_queue_test.c - waiting for a place, when memory is short
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll

static struct rig r;
static const struct rig_how plain, with_sdp = { .sdp = true }, another = { .sdp = true, .cseq = 1 };

static bool begin(void)
{
    return rig_begin_with(&r, 0, &(struct b2bua_settings){ .user_calls_max = 1, .queue_ns = 30 * SECOND_NS,
                                                           .duration_max_ns = 600 * SECOND_NS });
}

/* A call that is up, and one more that has to wait. */
static void two_calls(void)
{
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "INVITE", &another);
}

TEST(a_place_that_becomes_free_is_given_within_a_tick)
{
    CHECK(begin());
    two_calls();
    CHECK_EQ(r.last_status[RIG_A], 182);
    rig_request(&r, RIG_B, "BYE", &plain);
    CHECK_EQ(r.asked_count[RIG_B], 2);                    /* INVITE and ACK of the first */
    rig_answer_to(&r, RIG_A, "BYE", 200, &plain);
    rig_wait(&r, SECOND_NS / 50);
    CHECK(strncmp(r.asked[RIG_B][0].text, "INVITE ", 7) == 0);
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .sdp = true, .tag = 1 });
    CHECK_EQ(r.last_status[RIG_A], 200);
    CHECK_EQ(b2bua_counts(r.b2bua)->answered, 2);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_place_that_a_call_of_another_worker_leaves_is_found_within_two_seconds)
{
    struct tally *lines = tally_new(&(struct hash_seed){ 7, 8 }, NULL);
    struct tally_one *other = tally_take(lines, SLICE("bob@x"), 1);

    CHECK(rig_begin_with(&r, 0, &(struct b2bua_settings){ .user_calls_max = 1, .queue_ns = 30 * SECOND_NS, .lines = lines,
                                                          .duration_max_ns = 600 * SECOND_NS }));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_wait(&r, 5 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 182);
    tally_give_back(lines, &other);
    rig_wait(&r, 2 * SECOND_NS);
    CHECK(rig_asked(&r, RIG_B, "INVITE", NULL) != NULL);
    CHECK_EQ(tally_count(lines, SLICE("bob@x")), 1);
    rig_answer_to(&r, RIG_B, "INVITE", 486, &plain);
    CHECK_EQ(r.last_status[RIG_A], 486);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
    CHECK_EQ(tally_count(lines, SLICE("bob@x")), 0);
    tally_free(lines);
}

/* The phone of bob rings, who forwards after 20 s to carol, who has all her calls. */
TEST(who_waits_is_not_ended_by_the_times_of_phones_that_rang_before)
{
    CHECK(rig_begin_with(&r, 0, &(struct b2bua_settings){ .user_calls_max = 1, .queue_ns = 300 * SECOND_NS, .ring_ns = 60 * SECOND_NS,
                                                          .proceeding_ns = 60 * SECOND_NS, .diversions_max = 1,
                                                          .duration_max_ns = 600 * SECOND_NS }));
    r.forwards = true;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer_to(&r, RIG_B, "INVITE", 486, &plain);
    rig_answer_to(&r, RIG_B, "INVITE", 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "INVITE", &another);
    rig_answer_to(&r, RIG_B, "INVITE", 180, &(struct rig_how){ .tag = 1 });
    rig_wait(&r, 21 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 182);
    rig_wait(&r, 150 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 182);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(who_waits_when_all_calls_are_ended_is_refused)
{
    CHECK(begin());
    two_calls();
    b2bua_hang_up_all(r.b2bua, SLICE("SIP;cause=503"));
    CHECK_EQ(r.last_status[RIG_A], 503);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TORTURE(calls_that_wait_without_memory_leave_nothing)
{
    CHECK_OR_GOTO(begin(), out);
    two_calls();
    rig_wait(&r, 3 * SECOND_NS);
    rig_request(&r, RIG_B, "BYE", &plain);
    rig_answer_to(&r, RIG_A, "BYE", 200, &plain);
    rig_wait(&r, SECOND_NS);
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .sdp = true, .tag = 1 });
    rig_request(&r, RIG_A, "CANCEL", &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}
