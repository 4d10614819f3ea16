/* call/call_test.c - the record: what it is called, what it counts, what it measures
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/call.h"

#include "call/registration.h"
#include "call/transaction.h"
#include "harness/test.h"

TEST(a_state_is_told_as_family_code_and_name)
{
    static const struct { uint8_t state; uint16_t progress, final; const char *family; uint16_t code;
                          const char *name, *list; } rows[] = {
        { CALL_NEW, 0, 0, "monitor", 2002, "Invite", "active" },
        { CALL_TRYING, 0, 0, "monitor", 2002, "Invite", "active" },
        { CALL_TRYING, 180, 302, "monitor", 2002, "Invite", "active" },
        { CALL_PROGRESS, 183, 0, "sip", 183, "Session Progress", "active" },
        { CALL_PROGRESS, 180, 486, "sip", 180, "Ringing", "active" },          /* a fork was busy */
        { CALL_CANCELLING, 180, 0, "monitor", 2004, "Cancel", "active" },
        { CALL_CANCELLED, 180, 487, "sip", 487, "Request Terminated", "completed" },
        { CALL_CANCELLED, 180, 0, "monitor", 2004, "Cancel", "completed" },
        { CALL_REFUSED, 180, 486, "sip", 486, "Busy Here", "completed" },
        { CALL_REFUSED, 0, 305, "sip", 305, "Use Proxy", "completed" },
        { CALL_REFUSED, 0, 699, "sip", 699, "Global Failure", "completed" },   /* nobody registered it */
        { CALL_PROGRESS, 155, 0, "sip", 155, "Provisional", "active" },
        { CALL_ACTIVE, 180, 200, "monitor", 999, "Active", "active" },
        { CALL_COMPLETED, 180, 200, "monitor", 1000, "Completed", "completed" },
        { CALL_SILENT, 180, 0, "monitor", 8003, "Unmonitored due to no media transmission", "unmonitored" },
        { CALL_NOT_FOLLOWED, 0, 0, "monitor", 8004, "Unmonitored due to licensing", "unmonitored" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct call c = { .state = rows[i].state, .last_progress = rows[i].progress, .final = rows[i].final };
        struct call_status s = call_status(&c);

        CHECK_ROW_EQ(i, s.family, rows[i].family);
        CHECK_ROW_EQ(i, s.code, rows[i].code);
        CHECK_ROW_EQ(i, s.name, rows[i].name);
        CHECK_ROW_EQ(i, call_list_name(s.list), rows[i].list);
    }
}

TEST(a_registration_is_told_as_family_code_and_name)
{
    static const struct { uint8_t state; uint16_t final; const char *family; uint16_t code; const char *name; } rows[] = {
        { REGISTRATION_REGISTERING, 401, "monitor", 1010, "Registering" },
        { REGISTRATION_REGISTERED, 200, "monitor", 1011, "Registered" },
        { REGISTRATION_REFRESHING, 200, "monitor", 1011, "Registered" },
        { REGISTRATION_UNREGISTERING, 200, "monitor", 1012, "UnRegistering" },
        { REGISTRATION_UNREGISTERED, 200, "monitor", 1013, "UnRegistered" },
        { REGISTRATION_FAILED, 403, "sip", 403, "Forbidden" },
        { REGISTRATION_FAILED, 0, "local", 0, "No response" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct registration r = { .state = rows[i].state, .final = rows[i].final };
        struct registration_status s = registration_status(&r);

        CHECK_ROW_EQ(i, s.family, rows[i].family);
        CHECK_ROW_EQ(i, s.code, rows[i].code);
        CHECK_ROW_EQ(i, s.name, rows[i].name);
    }
}

TEST(the_last_response_has_six_kinds)
{
    static const struct { uint16_t trying, progress, final; bool answered, cancelled; const char *last; } rows[] = {
        { 0, 0, 0, false, false, "0" },
        { 100, 0, 0, false, false, "100" },
        { 100, 180, 0, false, false, "18X" },
        { 100, 183, 0, false, true, "18X" },
        { 100, 183, 487, false, true, "18X" },
        { 100, 0, 487, false, true, "100" },
        { 0, 0, 487, false, true, "0" },
        { 100, 183, 487, false, false, "487" },
        { 100, 180, 200, true, false, "200" },
        { 100, 180, 200, true, true, "200" },
        { 100, 180, 0, true, false, "200" },              /* answered, the 2xx was not captured */
        { 100, 180, 486, false, true, "486" },            /* busy won against the CANCEL */
        { 0, 0, 699, false, false, "699" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct call c = { .last_trying = rows[i].trying, .last_progress = rows[i].progress,
                          .final = rows[i].final, .answered = rows[i].answered,
                          .cancel_ns = rows[i].cancelled };
        char room[8];

        CHECK_ROW_EQ(i, call_last_response(&c, room), rows[i].last);
    }
}

TEST(a_surprise_is_counted_and_changes_no_state)
{
    struct call c = { .state = CALL_COMPLETED };

    CHECK(!call_step(&c, CALL_EV_INVITE));
    CHECK_EQ(c.state, CALL_COMPLETED);
    CHECK_EQ(c.surprises, 1);
    CHECK(call_step(&c, CALL_EV_BYE));
    CHECK_EQ(c.surprises, 1);
}

TEST(durations_need_both_ends_in_order)
{
    struct call c = { .invite_ns = 100, .progress_ns = 200, .answered_ns = 500, .bye_ns = 900, .ended_ns = 900 };

    CHECK_EQ(call_pdd_ns(&c), 100);
    CHECK_EQ(call_ring_ns(&c), 300);
    CHECK_EQ(call_talk_ns(&c), 400);
    CHECK_EQ(call_duration_ns(&c), 800);
    c.bye_ns = 400;                                       /* a clock that jumped */
    CHECK(call_talk_ns(&c) < 0);
    c.invite_ns = 0;
    CHECK(call_pdd_ns(&c) < 0);
    CHECK(call_duration_ns(&c) < 0);
    c = (struct call){ .invite_ns = 100, .last_ns = 700 };
    CHECK_EQ(call_duration_ns(&c), 600);                  /* still open: to what was seen last */
    CHECK(call_talk_ns(&c) < 0);
}

TEST(more_codes_than_a_call_counts_apart_are_summed_and_said)
{
    struct call *c = call_new();

    for (unsigned code = 100; code < 200; code++)
        call_count_response(c, (uint16_t)code);
    call_count_response(c, 100);
    CHECK_EQ(c->code_count, CALL_CODES_MAX);
    CHECK_EQ(c->codes_beyond, 100 - CALL_CODES_MAX);
    CHECK_EQ(c->tables_full, true);
    CHECK_EQ(c->codes[0].code, 100);
    CHECK_EQ(c->codes[0].count, 2);
    for (unsigned i = 0; i < 70000; i++)
        call_count_response(c, 101);
    CHECK_EQ(c->codes[1].count, UINT16_MAX);              /* does not go round */
    call_free(c);
}

TORTURE(a_record_survives_any_allocation_that_fails)
{
    struct call *c = call_new();
    struct registration *r = registration_new();
    struct transaction *t = transaction_new();

    CHECK_OR_GOTO(c && r && t, out);
    for (unsigned code = 180; code < 200; code++)
        call_count_response(c, (uint16_t)code);
    CHECK_EQ(c->code_count + c->codes_beyond, 20);
out:
    CHECK_EQ(call_free(c), NULL);
    CHECK_EQ(registration_free(r), NULL);
    CHECK_EQ(transaction_free(t), NULL);
}
