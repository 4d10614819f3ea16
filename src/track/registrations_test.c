/* track/registrations_test.c - bindings: what was asked for, granted, lost
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/track_play.h"

#define BOB "| Contact: <sip:bob@10.0.0.9>"
#define ASK(cseq) "A>R REGISTER cseq=" #cseq " " BOB " | Expires: 3600\n"
#define GRANT(cseq) "R>A 200 REGISTER cseq=" #cseq " " BOB ";expires=3600\n"
#define DROP(cseq) "A>R REGISTER cseq=" #cseq " " BOB ";expires=0\n"

TEST(a_registration_goes_from_asked_to_granted_to_given_back)
{
    static const struct { const char *script; uint16_t code; enum registration_reason reason; } rows[] = {
        { ASK(1), 1010, 0 },
        { ASK(1) "R>A 100 REGISTER cseq=1\n", 1010, 0 },
        { ASK(1) GRANT(1), 1011, 0 },
        { ASK(1) "R>A 401 REGISTER cseq=1\n" ASK(2), 1010, 0 },
        { ASK(1) "R>A 401 REGISTER cseq=1\n" ASK(2) GRANT(2), 1011, 0 },
        { ASK(1) "R>A 401 REGISTER cseq=1\n", 401, 0 },
        { ASK(1) "R>A 403 REGISTER cseq=1\n", 403, 0 },
        { ASK(1) "R>A 503 REGISTER cseq=1\n", 503, 0 },
        { ASK(1) GRANT(1) DROP(2), 1012, 0 },
        { ASK(1) GRANT(1) DROP(2) "R>A 200 REGISTER cseq=2\n", 1013, REGISTRATION_ASKED },
        { ASK(1) GRANT(1) DROP(2) "R>A 500 REGISTER cseq=2\n", 1011, 0 },
        { ASK(1) GRANT(1) "A>R REGISTER cseq=2 | Contact: * | Expires: 0\n", 1012, 0 },
        { ASK(1) GRANT(1) "A>R REGISTER cseq=2 | Contact: * | Expires: 0\nR>A 200 REGISTER cseq=2\n", 1013,
          REGISTRATION_ASKED },
        { "A>R REGISTER cseq=2 | Contact: * | Expires: 0\nR>A 200 REGISTER cseq=2\n", 1013, REGISTRATION_ASKED },
        /* a refresh does not flap, nor does one that fails */
        { ASK(1) GRANT(1) "+5000 " ASK(2), 1011, 0 },
        { ASK(1) GRANT(1) "+5000 " ASK(2) GRANT(2), 1011, 0 },
        { ASK(1) GRANT(1) "+5000 " ASK(2) "R>A 503 REGISTER cseq=2\n", 1011, 0 },
        { ASK(1) GRANT(1) "+5000 " ASK(2) "R>A 401 REGISTER cseq=2\n" ASK(3), 1011, 0 },
        /* the registrar gives the place to another */
        { ASK(1) GRANT(1) "+5000 " ASK(2) "R>A 200 REGISTER cseq=2 | Contact: <sip:eve@10.9.9.9>\n", 1013,
          REGISTRATION_DISPLACED },
        { ASK(1) GRANT(1) "wait 3601000\n", 1013, REGISTRATION_EXPIRED },
        { ASK(1) "wait 200000\n", 0, REGISTRATION_NETWORK },       /* no answer at all */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        const struct registration *r = play_registration(&p, rows[i].script);

        CHECK_ROW_EQ(i, registration_status(r).code, rows[i].code);
        CHECK_ROW_EQ(i, r->reason, rows[i].reason);
        CHECK_ROW_EQ(i, r->surprises, 0);
        play_done(&p);
    }
}

TEST(a_registration_tells_what_was_granted_and_when)
{
    struct play p;
    const struct registration *r = play_registration(&p,
        "@0 " ASK(1) "@100 R>A 407 REGISTER cseq=1\n@200 " ASK(2) "@300 " GRANT(2) "@1000300 " ASK(3) "@1000400 " GRANT(3));

    CHECK_EQ(r->aor, "sip:bob@b.example");
    CHECK_EQ(r->contact, "sip:bob@10.0.0.9");
    CHECK_EQ(r->requests, 3);
    CHECK_EQ(r->refreshes, 1);
    CHECK_EQ(r->challenged, true);
    CHECK_EQ(r->failures, 0);
    CHECK_EQ(r->final, 200);
    CHECK_EQ(r->expires_s, 3600);
    CHECK_EQ(play_ms(r->registered_ns), 300);
    CHECK_EQ(play_ms(r->expires_ns), 1000400 + 3600000);  /* from the 2xx, not from the request */
    CHECK_EQ(r->open_at_end, true);
    play_done(&p);
}

TEST(lifetimes_come_from_the_contact_then_the_message_then_the_default)
{
    static const struct { const char *answer; uint32_t expires_s; } rows[] = {
        { BOB ";expires=120 | Expires: 600\n", 120 },
        { BOB " | Expires: 600\n", 600 },
        { BOB "\n", 3600 },
        { BOB ";expires=4294967296\n", UINT32_MAX },
        { "| Contact: \"Bob, the\" <sip:bob@10.0.0.9>;q=0.7;expires=77\n", 77 },
        { "| Contact: <sip:eve@10.9.9.9>;expires=5, <sip:bob@10.0.0.9>;expires=66\n", 66 },
        { "| m: <sip:eve@10.9.9.9>;expires=5 | m: <sip:bob@10.0.0.9>;expires=55\n", 55 },
        { "| Contact: <sip:BOB@10.0.0.9>;expires=9 | Contact: <SIP:bob@10.0.0.9>;expires=44\n", 44 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        char script[512];

        snprintf(script, sizeof script, ASK(1) "R>A 200 REGISTER cseq=1 %s", rows[i].answer);
        const struct registration *r = play_registration(&p, script);

        CHECK_ROW_EQ(i, r->state, REGISTRATION_REGISTERED);
        CHECK_ROW_EQ(i, r->expires_s, rows[i].expires_s);
        play_done(&p);
    }
}

TEST(a_423_is_answered_with_a_longer_lifetime_and_is_no_challenge)
{
    struct play p;
    const struct registration *r = play_registration(&p,
        "A>R REGISTER cseq=1 " BOB " | Expires: 30\nR>A 423 REGISTER cseq=1 | Min-Expires: 60\n"
        "A>R REGISTER cseq=2 " BOB " | Expires: 60\nR>A 200 REGISTER cseq=2 " BOB ";expires=60\n");

    CHECK_EQ(r->state, REGISTRATION_REGISTERED);
    CHECK_EQ(r->min_expires_s, 60);
    CHECK_EQ(r->challenged, false);
    CHECK_EQ(r->failures, 0);
    play_done(&p);
}

TEST(a_wrong_password_fails_with_its_last_401)
{
    struct play p;
    const struct registration *r = play_registration(&p,
        ASK(1) "R>A 401 REGISTER cseq=1\n" ASK(2) "R>A 401 REGISTER cseq=2\n" ASK(3) "R>A 401 REGISTER cseq=3 reason=No\n");

    CHECK_EQ(r->state, REGISTRATION_FAILED);
    CHECK_EQ(registration_status(r).code, 401);
    CHECK_EQ(registration_status(r).family, "sip");
    CHECK_EQ(r->final, 401);
    CHECK_EQ(r->phrase, "No");
    CHECK_EQ(r->requests, 3);
    CHECK_EQ(r->failures, 1);
    CHECK_EQ(r->registered_ns, 0);
    play_done(&p);
}

TEST(each_contact_is_a_binding_of_its_own)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>R REGISTER cseq=1 | Contact: <sip:a@1.1.1.1>, <sip:b@2.2.2.2>;expires=60\n"
             "R>A 200 REGISTER cseq=1 | Contact: <sip:b@2.2.2.2>;expires=60, <sip:a@1.1.1.1>;expires=600\n"
             "A>R REGISTER cseq=2 | Contact: <sip:b@2.2.2.2>;expires=0\n"
             "R>A 200 REGISTER cseq=2 | Contact: <sip:a@1.1.1.1>;expires=590\n");
    play_end(&p);
    CHECK_EQ(p.registration_count, 2);
    CHECK_EQ(p.registrations[0]->contact, "sip:a@1.1.1.1");
    CHECK_EQ(p.registrations[0]->state, REGISTRATION_REGISTERED);
    CHECK_EQ(p.registrations[0]->expires_s, 590);
    CHECK_EQ(p.registrations[0]->refreshes, 0);           /* was only listed */
    CHECK_EQ(p.registrations[1]->contact, "sip:b@2.2.2.2");
    CHECK_EQ(p.registrations[1]->state, REGISTRATION_UNREGISTERED);
    CHECK_EQ(p.registrations[1]->reason, REGISTRATION_ASKED);
    play_done(&p);
}

TEST(giving_back_one_contact_does_not_prolong_another)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "@0 A>R REGISTER cseq=1 | Contact: <sip:a@1.1.1.1>;expires=60, <sip:b@2.2.2.2>;expires=60\n"
             "@10 R>A 200 REGISTER cseq=1 | Contact: <sip:b@2.2.2.2>;expires=60, <sip:a@1.1.1.1>;expires=60\n"
             "@1000 A>R REGISTER cseq=2 | Contact: <sip:b@2.2.2.2>;expires=0\n@1010 R>A 200 REGISTER cseq=2\n");
    play_end(&p);
    CHECK_EQ(p.registrations[0]->contact, "sip:a@1.1.1.1");
    CHECK_EQ(play_ms(p.registrations[0]->expires_ns), 60010);
    play_done(&p);
}

TEST(a_refused_request_is_a_failure_only_of_the_contacts_it_named)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>R REGISTER cseq=1 | Contact: <sip:a@1.1.1.1>\nR>A 200 REGISTER cseq=1 | Contact: <sip:a@1.1.1.1>\n"
             "A>R REGISTER cseq=2 | Contact: <sip:b@2.2.2.2>\nR>A 503 REGISTER cseq=2\n");
    play_end(&p);
    CHECK_EQ(p.registration_count, 2);
    CHECK_EQ(p.registrations[0]->state, REGISTRATION_REGISTERED);
    CHECK_EQ(p.registrations[0]->failures, 0);
    CHECK_EQ(p.registrations[1]->state, REGISTRATION_FAILED);
    CHECK_EQ(p.registrations[1]->failures, 1);
    play_done(&p);
}

TEST(a_mere_query_binds_and_displaces_nothing)
{
    struct play p;
    const struct registration *r = play_registration(&p,
        "A>R REGISTER cseq=1\nR>A 200 REGISTER cseq=1 | Contact: <sip:other@1.1.1.1>;expires=100\n");

    CHECK_EQ(r->contact.len, 0);
    CHECK_EQ(r->final, 200);
    CHECK_EQ(r->reason, REGISTRATION_NO_REASON);
    CHECK_EQ(r->expires_s, 0);
    play_done(&p);

    r = play_registration(&p, ASK(1) GRANT(1) "A>R REGISTER cseq=2\n" GRANT(2));
    CHECK_EQ(r->state, REGISTRATION_REGISTERED);
    CHECK_EQ(r->refreshes, 0);
    play_done(&p);
}

TEST(a_phone_that_comes_back_after_its_time_registers_anew)
{
    struct play p;
    const struct registration *r = play_registration(&p,
        "@0 A>R REGISTER cseq=1 " BOB ";expires=60\n@10 R>A 200 REGISTER cseq=1 " BOB ";expires=60\n"
        "@100000 A>R REGISTER cseq=2 " BOB ";expires=60\n@100010 R>A 200 REGISTER cseq=2 " BOB ";expires=60\n");

    CHECK_EQ(r->state, REGISTRATION_REGISTERED);
    CHECK_EQ(r->refreshes, 0);                            /* there was a gap of 40 s */
    CHECK_EQ(play_ms(r->registered_ns), 100010);
    play_done(&p);
}

TEST(another_phone_of_the_same_user_is_another_binding)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>R REGISTER cseq=1 call=1 from=x | Contact: <sip:a@1.1.1.1>\nC>R REGISTER cseq=1 call=2 from=y | Contact: <sip:b@2.2.2.2>\n"
             "R>A 200 REGISTER cseq=1 call=1 from=x | Contact: <sip:a@1.1.1.1>\nR>C 403 REGISTER cseq=1 call=2 from=y\n");
    play_end(&p);
    CHECK_EQ(p.registration_count, 2);
    CHECK_EQ(p.registrations[0]->state, REGISTRATION_REGISTERED);
    CHECK_EQ(p.registrations[1]->state, REGISTRATION_FAILED);
    play_done(&p);
}

TEST(one_call_id_may_register_several_users)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>R REGISTER cseq=1 aor=sip:x@b.example | Contact: <sip:x@1.1.1.1>\n"
             "A>R REGISTER cseq=2 aor=sip:y@b.example | Contact: <sip:y@1.1.1.1>\n"
             "R>A 200 REGISTER cseq=1 aor=sip:x@b.example | Contact: <sip:x@1.1.1.1>\n"
             "R>A 404 REGISTER cseq=2 aor=sip:y@b.example\n");
    play_end(&p);
    CHECK_EQ(p.registration_count, 2);
    CHECK_EQ(p.registrations[0]->aor, "sip:x@b.example");
    CHECK_EQ(p.registrations[0]->final, 200);
    CHECK_EQ(p.registrations[1]->final, 404);
    play_done(&p);
}

TEST(repeats_and_hops_of_a_register_are_counted_apart)
{
    struct play p;
    const struct registration *r = play_registration(&p,
        "A>P REGISTER br=a cseq=1 " BOB "\nP>R REGISTER br=p via=2 cseq=1 " BOB "\n+500 A>P REGISTER br=a cseq=1 " BOB "\n"
        "R>P 200 REGISTER br=p via=2 cseq=1 " BOB "\nP>A 200 REGISTER br=a cseq=1 " BOB "\n");

    CHECK_EQ(r->requests, 1);
    CHECK_EQ(r->copies, 2);
    CHECK_EQ(r->retransmissions, 1);
    CHECK_EQ(r->refreshes, 0);
    play_done(&p);
}

TEST(the_late_answer_to_an_older_register_is_not_the_result)
{
    struct play p;
    const struct registration *r = play_registration(&p,
        ASK(1) ASK(2) GRANT(2) "R>A 500 REGISTER cseq=1\n");

    CHECK_EQ(r->state, REGISTRATION_REGISTERED);
    CHECK_EQ(r->final, 200);
    play_done(&p);
}

TEST(a_thousand_contacts_are_cut_and_said)
{
    struct play p;
    char script[8000];
    size_t at = (size_t)snprintf(script, sizeof script, "A>R REGISTER | Contact: ");

    for (unsigned i = 0; i < 200; i++)
        at += (size_t)snprintf(script + at, sizeof script - at, "%s<sip:u%u@h>", i ? ", " : "", i);
    snprintf(script + at, sizeof script - at, "\n");
    CHECK(play_start(&p, NULL));
    play(&p, script);
    play_end(&p);
    CHECK_EQ(p.registration_count, 32);
    CHECK_EQ(p.registrations[0]->tables_full, true);
    play_done(&p);
}

TEST(one_phone_that_registers_for_years_stays_small)
{
    struct play p;
    char script[256];
    size_t most = 0;

    CHECK(play_start(&p, NULL));
    for (unsigned i = 1; i < 20000; i++) {
        snprintf(script, sizeof script, "+50 A>R REGISTER cseq=%u " BOB "\nR>A 200 REGISTER cseq=%u to=t%u reason=N%u " BOB "\n",
                 i, i, i, i);
        play(&p, script);
        if (tracker_memory_bytes(p.tracker) > most)
            most = tracker_memory_bytes(p.tracker);
    }
    CHECK(most < 120000);
    play_end(&p);
    CHECK_EQ(p.registration_count, 1);
    play_done(&p);
}

TORTURE(registrations_survive_any_allocation_that_fails)
{
    struct play p;

    CHECK_OR_GOTO(play_start(&p, NULL), out);
    play(&p, "A>R REGISTER cseq=1 | Contact: <sip:a@1.1.1.1>, <sip:b@2.2.2.2>;expires=60 | User-Agent: phone\n"
             "R>A 401 REGISTER cseq=1\nA>R REGISTER cseq=2 | Contact: <sip:a@1.1.1.1>, <sip:b@2.2.2.2>;expires=60\n"
             "R>A 200 REGISTER cseq=2 | Contact: <sip:b@2.2.2.2>;expires=60, <sip:a@1.1.1.1>;expires=600\n");
    play_end(&p);
out:
    play_done(&p);
}
