/* track/join_test.c - legs that are one call are found, and legs that are not stay apart
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/track_play.h"
#include "track/join.h"

/* A calls S, which calls B: `leg_a` and `leg_b` are added to the two INVITEs. */
static size_t sessions_of(struct play *p, const struct track_settings *settings, const char *script)
{
    size_t sessions = 0;

    if (!play_start(p, settings))
        return 0;
    play(p, script);
    play_end(p);
    for (size_t i = 0; i < p->call_count; i++) {
        bool seen = false;

        for (size_t j = 0; j < i; j++)
            seen = seen || p->calls[j]->session == p->calls[i]->session;
        sessions += !seen;
    }
    return sessions;
}

static const struct { const char *legs, *script; enum call_join why; } joined[] = {
    { "the same Session-ID, even long after",
      "A>S INVITE call=a uri=sip:1@x | Session-ID: 11112222333344445555666677778888\n"
      "+9000 T>B INVITE call=b uri=sip:2@y | Session-ID: 11112222333344445555666677778888;remote=0\n",
      CALL_JOIN_SESSION_ID },
    { "the same icid",
      "A>S INVITE call=a uri=sip:1@x | P-Charging-Vector: icid-value=ab.12;icid-generated-at=10.0.0.9\n"
      "+3000 T>B INVITE call=b uri=sip:2@y | P-Charging-Vector: icid-value=ab.12\n", CALL_JOIN_ICID },
    { "a header that names the other leg's Call-ID",
      "A>S INVITE call=plain-a uri=sip:1@x\n"
      "+50 S>B INVITE call=zz uri=sip:2@y | X-CID: plain-a\n", CALL_JOIN_ANY_HEADER },
    { "a Call-ID that holds the other between borders",
      "A>S INVITE call=a84b4c76e66710 uri=sip:1@x\n"
      "+50 S>B INVITE call=a84b4c76e66710_b2b-1 uri=sip:2@y\n", CALL_JOIN_CALL_ID },
    { "a prefix of the proxy's own before it",
      "A>S INVITE call=a84b4c76e66710@10.0.0.1 uri=sip:1@x\n"
      "+50 S>B INVITE call=b2b.a84b4c76e66710@10.0.0.19 uri=sip:2@y\n", CALL_JOIN_CALL_ID },
    { "the same numbers at the same time, one with its country code",
      "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x\n"
      "+80 S>B INVITE call=b caller=sip:+12015550123@c from=q uri=sip:+49301234567@y\n", CALL_JOIN_NUMBERS },
    { "an identity in a header that names calls, and nothing else",
      "A>S INVITE call=a uri=sip:1001@x | X-CID: 5d1e9a30-77aa-4a50-9a3e-2b1f11c0aa77\n"
      "+15 S>B INVITE call=b uri=sip:agent@y | X-CID: 5d1e9a30-77aa-4a50-9a3e-2b1f11c0aa77\n",
      CALL_JOIN_ANY_HEADER },
    { "the whole Call-ID of the other with something behind it",
      "A>S INVITE call=7c1f2e9a4b@198.51.100.11 uri=sip:1001@x\n"
      "+15 S>B INVITE call=7c1f2e9a4b@198.51.100.11_b2b-1 uri=sip:agent@y\n", CALL_JOIN_CALL_ID },
    { "an unknown header with an identity, and the number dialled",
      "A>S INVITE call=a uri=sip:4711@x | X-UUID: 4f5c-99aa-1b2c3d4e\n"
      "+80 S>B INVITE call=b uri=sip:4711@y | X-UUID: 4f5c-99aa-1b2c3d4e\n", CALL_JOIN_ANY_HEADER },
};

TEST(legs_of_one_call_are_joined_and_the_reason_is_told)
{
    for (size_t i = 0; i < ARRAY_LEN(joined); i++) {
        struct play p;

        CHECK_ROW_EQ(i, sessions_of(&p, NULL, joined[i].script), 1);
        CHECK_ROW_EQ(i, p.call_count, 2);
        CHECK_ROW_EQ(i, p.calls[0]->join, CALL_JOIN_NONE);
        CHECK_ROW_EQ(i, p.calls[1]->join, joined[i].why);
        CHECK_ROW(i, p.calls[1]->join_score >= JOIN_ENOUGH);
        play_done(&p);
    }
}

static const struct { const char *legs, *script; } apart[] = {
    { "the same numbers from another place, which the first leg does not lead to",
      "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x\n"
      "+80 T>B INVITE call=b caller=sip:2015550123@c from=q uri=sip:0301234567@y\n" },
    { "the same numbers too late",
      "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x\n"
      "+7000 S>B INVITE call=b caller=sip:2015550123@c from=q uri=sip:0301234567@y\n" },
    { "numbers that end alike and are others",
      "A>S INVITE call=a caller=sip:+12015550123@c from=a uri=sip:+49301234567@x\n"
      "+10 S>B INVITE call=b caller=sip:+12015550123@c from=q uri=sip:+49891234567@y\n" },
    { "only the caller's number is the same: a trunk with one number for all",
      "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x\n"
      "+10 S>B INVITE call=b caller=sip:2015550123@c from=q uri=sip:0407654321@y\n" },
    { "counters as Call-IDs, one of which ends the other",
      "A>S INVITE call=1-123456789012@10.0.0.1 uri=sip:1001@x\n"
      "+10 S>B INVITE call=11-123456789012@10.0.0.1 uri=sip:1002@y\n" },
    { "a header of the tenant on every call",
      "A>S INVITE call=a uri=sip:1001@x | X-Tenant: company-20262026\n"
      "+10 S>B INVITE call=b uri=sip:1002@y | X-Tenant: company-20262026\n" },
    { "an identity of the tenant on every call",
      "A>S INVITE call=a uri=sip:1001@x | X-Tenant-UUID: 5d1e9a30-77aa-4a50-9a3e-2b1f11c0aa77\n"
      "+10 S>B INVITE call=b uri=sip:1002@y | X-Tenant-UUID: 5d1e9a30-77aa-4a50-9a3e-2b1f11c0aa77\n" },
    { "Session-IDs that differ outweigh numbers that agree",
      "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x | Session-ID: 11112222333344445555666677778888\n"
      "+10 S>B INVITE call=b caller=sip:2015550123@c from=q uri=sip:0301234567@y | Session-ID: 99992222333344445555666677778888\n" },
    { "two calls to the same number at once: which one goes on is not known",
      "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x\n"
      "C>S INVITE call=c caller=sip:2015550123@c from=a uri=sip:0301234567@x\n"
      "S>B INVITE call=b caller=sip:2015550123@c from=q uri=sip:0301234567@y\n" },
    { "the first call was answered before the second began",
      "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x\nS>A 200 call=a\n"
      "+80 S>B INVITE call=b caller=sip:2015550123@c from=q uri=sip:0301234567@y\n" },
};

TEST(calls_that_have_nothing_to_do_with_each_other_stay_apart)
{
    for (size_t i = 0; i < ARRAY_LEN(apart); i++) {
        struct play p;
        size_t sessions = sessions_of(&p, NULL, apart[i].script);

        CHECK_ROW_EQ(i, sessions, p.call_count);
        for (size_t j = 0; j < p.call_count; j++)
            CHECK_ROW_EQ(i, p.calls[j]->join_score, 0);
        play_done(&p);
    }
}

TEST(five_legs_in_a_row_are_one_session)
{
    struct play p;

    CHECK_EQ(sessions_of(&p, NULL,
                         "A>S INVITE call=a caller=sip:2015550123@c from=a uri=sip:0301234567@x\n"
                         "+20 S>T INVITE call=b caller=sip:2015550123@c from=q uri=sip:0301234567@y\n"
                         "+20 T>U INVITE call=c caller=sip:+12015550123@c from=q uri=sip:+49301234567@y\n"
                         "+20 U>V INVITE call=d caller=sip:2015550123@c from=q uri=sip:949301234567@y\n"
                         "+20 V>B INVITE call=e caller=sip:2015550123@c from=q uri=sip:0301234567@y\n"), 1);
    CHECK_EQ(p.call_count, 5);
    play_done(&p);
}

TEST(without_joining_each_leg_is_a_session_of_its_own)
{
    struct play p;

    CHECK_EQ(sessions_of(&p, &(struct track_settings){ .no_join = true }, joined[0].script), 2);
    play_done(&p);
}

TEST(a_configured_header_alone_decides_where_it_stands)
{
    static const char same[] = "A>S INVITE call=a uri=sip:1@x | X-Leg: 7\nS>B INVITE call=b uri=sip:2@y | X-Leg: 7\n";
    static const char other[] =
        "A>S INVITE call=a uri=sip:1@x | X-Leg: 7 | Session-ID: 11112222333344445555666677778888\n"
        "S>B INVITE call=b uri=sip:1@x | X-Leg: 8 | Session-ID: 11112222333344445555666677778888\n";
    struct track_settings settings = { .join_header = SLICE("x-leg") };
    struct play p;

    CHECK_EQ(sessions_of(&p, &settings, same), 1);
    CHECK_EQ(p.calls[1]->join, CALL_JOIN_HEADER);
    play_done(&p);
    CHECK_EQ(sessions_of(&p, &settings, other), 2);
    play_done(&p);
}

TEST(a_leg_that_ended_waits_for_the_other_legs_of_its_session)
{
    struct play p;

    if (!play_start(&p, NULL))
        return;
    play(&p, "A>S INVITE call=a | Session-ID: 11112222333344445555666677778888\n"
             "S>B INVITE call=b | Session-ID: 11112222333344445555666677778888\nB>S 486 call=b\n"
             "+1000 S>C INVITE call=c | Session-ID: 11112222333344445555666677778888\nC>S 180 call=c\n"
             "S>A 180 call=a\nwait 60000\n");
    CHECK_EQ(p.call_count, 0);                            /* b is over, a and c are not */
    play(&p, "C>S 603 call=c\nS>A 603 call=a\nwait 60000\n");
    CHECK_EQ(p.call_count, 3);
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(p.calls[i]->index, i + 1);
    play_done(&p);
}

TEST(legs_that_the_server_names_are_one_call_and_nothing_is_guessed_beside)
{
    struct track_settings settings = { .no_join = true };
    struct track_leg_name a = { SLICE("a"), SLICE("ta") }, b = { SLICE("b"), SLICE("tb") }, c = { SLICE("c"), SLICE("tc") },
                          wrong = { SLICE("b"), SLICE("ta") };
    struct call *legs[16];
    struct play p;

    if (!play_start(&p, &settings))
        return;
    play(&p, "A>S INVITE call=a from=ta | Session-ID: 11112222333344445555666677778888\n"
             "S>B INVITE call=b from=tb\nS>C INVITE call=c from=tc | Session-ID: 11112222333344445555666677778888\n"
             "C>S 180 call=c from=tc\n");
    CHECK(!tracker_join(p.tracker, &a, &wrong));
    CHECK(!tracker_join(p.tracker, &a, &a));
    CHECK(tracker_join(p.tracker, &a, &b));
    CHECK(tracker_join(p.tracker, &a, &b));               /* told twice */
    play(&p, "B>S 486 call=b from=tb\nS>A 486 call=a from=ta\nwait 60000\n");
    CHECK_EQ(p.call_count, 2);                            /* c is a session of its own */
    CHECK(p.call_count == 2 && p.calls[0]->session == p.calls[1]->session);
    CHECK(p.call_count == 2 && p.calls[1]->join == CALL_JOIN_SERVER && p.calls[1]->join_score == 100);
    CHECK(!tracker_join(p.tracker, &a, &c));              /* a is gone */
    play_end(&p);
    CHECK_EQ(p.call_count, 3);
    CHECK(p.call_count == 3 && p.calls[2]->session != p.calls[0]->session);
    CHECK_EQ(tracker_session(p.tracker, p.calls[0], legs), 0);
    play_done(&p);
}

static const struct call *last_call;
static void keep_call(struct play *p, const struct track_sighting *s)
{
    (void)p;
    last_call = s->call;
}

TEST(the_legs_of_a_session_are_listed_live_and_ended_in_their_order)
{
    struct track_leg_name a = { SLICE("a"), SLICE("ta") }, b = { SLICE("b"), SLICE("tb") }, c = { SLICE("c"), SLICE("tc") };
    const struct call *first = NULL;
    struct call *legs[16];
    struct play p;

    if (!play_start(&p, NULL))
        return;
    play(&p, "A>S INVITE call=a from=ta uri=sip:1@x\nS>B INVITE call=b from=tb uri=sip:2@y\n"
             "S>C INVITE call=c from=tc uri=sip:3@z\n");
    p.on_message = keep_call;
    CHECK(tracker_join(p.tracker, &a, &c) && tracker_join(p.tracker, &b, &a));
    play(&p, "B>S 486 call=b from=tb\nS>A 180 call=a from=ta\nC>S 180 call=c from=tc\nwait 60000\n");
    CHECK_EQ(p.call_count, 0);                            /* b has ended and waits for them */
    first = last_call;
    CHECK(first != NULL);
    CHECK_EQ(first ? tracker_session(p.tracker, first, legs) : 0, 3);
    for (size_t i = 0; first && i < 3; i++)
        CHECK_EQ(legs[i]->index, i + 1);
    play_end(&p);
    play_done(&p);
}

TORTURE(joining_needs_memory_and_does_without)
{
    struct play p;

    if (play_start(&p, NULL)) {
        play(&p, joined[0].script);
        play_end(&p);
    }
    play_done(&p);
}
