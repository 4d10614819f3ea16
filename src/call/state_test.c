/* call/state_test.c - what the two tables promise as a whole
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/state.h"

#include "harness/test.h"

TEST(every_state_of_a_call_is_reached_by_something)
{
    bool reached[CALL_STATES] = { [CALL_NEW] = true };

    for (unsigned round = 0; round < CALL_STATES; round++)
        for (unsigned s = 0; s < CALL_STATES; s++)
            for (unsigned e = 0; reached[s] && e < CALL_EVENTS; e++)
                reached[call_state_next(s, e)] = true;
    for (unsigned s = 0; s < CALL_STATES; s++)
        CHECK_ROW(s, reached[s]);
}

TEST(only_an_answer_or_a_sign_of_one_makes_a_call_active)
{
    for (unsigned s = 0; s < CALL_STATES; s++)
        for (unsigned e = 0; e < CALL_EVENTS; e++)
            if (s != CALL_ACTIVE && call_state_next(s, e) == CALL_ACTIVE)
                CHECK_ROW(s * 100 + e, e == CALL_EV_ANSWER || e == CALL_EV_DIALOG);
}

TEST(a_refused_call_moves_only_by_a_new_invite_or_an_answer)
{
    for (unsigned e = 0; e < CALL_EVENTS; e++) {
        enum call_state next = call_state_next(CALL_REFUSED, e);

        if (e == CALL_EV_INVITE)
            CHECK_EQ(next, CALL_TRYING);
        else if (e == CALL_EV_ANSWER)
            CHECK_EQ(next, CALL_ACTIVE);
        else
            CHECK_ROW(e, next == CALL_REFUSED || next == CALL_NEW);
    }
}

TEST(a_completed_call_and_one_not_followed_stay_what_they_are)
{
    for (unsigned e = 0; e < CALL_EVENTS; e++) {
        enum call_state completed = call_state_next(CALL_COMPLETED, e);

        CHECK_ROW(e, completed == CALL_COMPLETED || completed == CALL_NEW);
        CHECK_ROW_EQ(e, call_state_next(CALL_NOT_FOLLOWED, e), CALL_NEW);
    }
}

TEST(an_active_call_ends_only_by_bye_silence_of_its_media_or_all_or_lack_of_memory)
{
    for (unsigned e = 0; e < CALL_EVENTS; e++) {
        enum call_state next = call_state_next(CALL_ACTIVE, e);

        if (call_state_is_over(next))
            CHECK_ROW(e, e == CALL_EV_BYE || e == CALL_EV_SILENCE || e == CALL_EV_LIMIT ||
                             e == CALL_EV_MEDIA_STOP);
        else
            CHECK_ROW_EQ(e, next, CALL_ACTIVE);
    }
}

TEST(silence_ends_every_call_that_is_not_over)
{
    for (unsigned s = 0; s < CALL_STATES; s++)
        if (!call_state_is_over(s))
            CHECK_ROW(s, call_state_is_over(call_state_next(s, CALL_EV_SILENCE)));
}

TEST(a_cancel_never_undoes_an_answer_nor_a_refusal)
{
    CHECK_EQ(call_state_next(CALL_ACTIVE, CALL_EV_CANCEL), CALL_ACTIVE);
    CHECK_EQ(call_state_next(CALL_COMPLETED, CALL_EV_CANCEL), CALL_COMPLETED);
    CHECK_EQ(call_state_next(CALL_REFUSED, CALL_EV_CANCEL), CALL_REFUSED);
    CHECK_EQ(call_state_next(CALL_CANCELLING, CALL_EV_ANSWER), CALL_ACTIVE);
}

TEST(what_a_call_does_not_expect_in_a_state_is_left_out_on_purpose)
{
    /* bit e set: event e is expected. A cell that is filled or emptied shows here. */
    static const unsigned expected[CALL_STATES] = {
        [CALL_NEW]        = 0x1ff,
        [CALL_TRYING]     = 0x1ff, [CALL_PROGRESS] = 0x1ff,
        [CALL_CANCELLING] = 0x0ff,                                   /* not what only answered calls have */
        [CALL_CANCELLED]  = 0x01f, [CALL_REFUSED] = 0x01f,           /* nothing is left to end */
        [CALL_ACTIVE]     = 0x3ff, [CALL_MEDIA_STOPPED] = 0x17e,      /* no new INVITE, nothing to let go */
        [CALL_COMPLETED]  = 0x13e,                                   /* no INVITE after BYE */
        [CALL_SILENT]     = 0x13f,
    };

    for (unsigned s = 0; s < CALL_STATES; s++)
        for (unsigned e = 0; e < CALL_EVENTS; e++)
            CHECK_ROW_EQ(s * 100 + e, call_state_next(s, e) != CALL_NEW, (expected[s] >> e) & 1);
}

TEST(every_state_of_a_registration_is_reached_and_left)
{
    bool reached[REGISTRATION_STATES] = { [REGISTRATION_NEW] = true };

    for (unsigned round = 0; round < REGISTRATION_STATES; round++)
        for (unsigned s = 0; s < REGISTRATION_STATES; s++)
            for (unsigned e = 0; reached[s] && e < REGISTRATION_EVENTS; e++)
                reached[registration_state_next(s, e)] = true;
    for (unsigned s = 0; s < REGISTRATION_STATES; s++) {
        CHECK_ROW(s, reached[s]);
        CHECK_ROW(s, registration_state_next(s, REGISTRATION_EV_BOUND) == REGISTRATION_REGISTERED);
        CHECK_ROW(s, registration_state_next(s, REGISTRATION_EV_REMOVE) == REGISTRATION_UNREGISTERING);
    }
}

TEST(a_registration_that_is_there_is_lost_only_by_what_ends_it)
{
    static const enum registration_state bound[] = { REGISTRATION_REGISTERED, REGISTRATION_REFRESHING };

    for (size_t i = 0; i < ARRAY_LEN(bound); i++)
        for (unsigned e = 0; e < REGISTRATION_EVENTS; e++) {
            enum registration_state next = registration_state_next(bound[i], e);
            bool ends = e == REGISTRATION_EV_REMOVE || e == REGISTRATION_EV_UNBOUND ||
                        e == REGISTRATION_EV_EXPIRED;

            if (next != REGISTRATION_NEW)
                CHECK_ROW(e, ends == (next != REGISTRATION_REGISTERED && next != REGISTRATION_REFRESHING));
        }
}
