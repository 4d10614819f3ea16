/* track/tracker_test.c - what the tracker promises of itself: limits, counts, order, memory
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/track_play.h"

#include "track/intake.h"

static void play_calls(struct play *p, unsigned from, unsigned to, const char *of_each)
{
    for (unsigned i = from; i < to; i++) {
        char script[512], line[256];
        slice rest = slice_of_string(of_each), one;
        size_t at = 0;

        while (slice_take_line(&rest, &one)) {
            snprintf(line, sizeof line, "%.*s call=n%u\n", SLICE_ARG(one), i);
            at += (size_t)snprintf(script + at, sizeof script - at, "%s", line);
        }
        play(p, script);
    }
}

TEST(beyond_the_number_of_calls_a_new_one_is_8004_and_counted_once)
{
    struct play p;
    struct track_settings settings = { .calls_max = 3 };

    CHECK(play_start(&p, &settings));
    play_calls(&p, 0, 3, "A>B INVITE");
    play_calls(&p, 3, 5, "A>B INVITE\nB>A 100\nB>A 180\n+500 A>B INVITE\nB>A 200\nA>B ACK in\nA>B BYE\nB>A 200 BYE");
    play_calls(&p, 0, 3, "B>A 200\nA>B ACK in\nA>B BYE");
    play_end(&p);
    const struct track_counts *n = tracker_counts(p.tracker);

    CHECK_EQ(p.call_count, 5);
    CHECK_EQ(n->calls, 5);
    CHECK_EQ(n->not_followed, 2);
    CHECK_EQ(n->live_calls_max, 3);
    for (size_t i = 0; i < p.call_count; i++) {
        bool refused = slice_eq(p.calls[i]->call_id, SLICE("n3")) || slice_eq(p.calls[i]->call_id, SLICE("n4"));

        CHECK_ROW_EQ(i, call_status(p.calls[i]).code, refused ? 8004 : 1000);
        CHECK_ROW_EQ(i, call_status(p.calls[i]).list, refused ? CALL_LIST_UNMONITORED : CALL_LIST_COMPLETED);
    }
    play_done(&p);
}

/* Each message is looked for among the legs with its Call-ID: with all that somebody likes to send
 * that would take ever longer. */
TEST(a_call_id_that_everybody_has_gets_a_thousand_legs_and_others_are_followed)
{
    struct play p;
    struct track_settings settings = { .linger_ns = 1000 * PLAY_MS };
    unsigned found = 0;
    char line[96];

    CHECK(play_start(&p, &settings));
    play(&p, "A>B INVITE call=same from=first\nB>A 200 call=same from=first\n");
    for (unsigned i = 0; i < 1500; i++) {
        (void)snprintf(line, sizeof line, "+1 A>B INVITE call=same from=t%u br=z9hG4bK%u\n", i, i);
        play(&p, line);
    }
    play(&p, "A>B INVITE call=other\nB>A 200 call=other\nA>B BYE call=same from=first\nB>A 200 BYE call=same from=first\n");
    const struct track_counts *n = tracker_counts(p.tracker);

    CHECK_EQ(n->live_calls_max, 1001);
    CHECK_EQ(n->not_followed, 1);
    CHECK_EQ(n->calls, 1002);
    play(&p, "wait 10000\n");
    for (size_t i = 0; i < p.call_count && i < PLAY_KEPT_MAX; i++)
        found += slice_eq(p.calls[i]->from.tag, SLICE("first")) && call_status(p.calls[i]).code == 1000;
    CHECK_EQ(found, 1);
    play_end(&p);
    play_done(&p);
}

TEST(beyond_the_memory_a_new_call_is_8004_and_those_that_are_followed_go_on)
{
    struct play p;
    struct track_settings settings = { .memory_max_bytes = 20000 };

    CHECK(play_start(&p, &settings));
    play_calls(&p, 0, 40, "A>B INVITE");
    CHECK(tracker_memory_bytes(p.tracker) < 25500);       /* the last one found room for its beginning */
    CHECK(tracker_memory_bytes(p.tracker) >= 20000);
    play_calls(&p, 0, 2, "B>A 200\nA>B ACK in\nA>B BYE");
    play_end(&p);
    const struct track_counts *n = tracker_counts(p.tracker);

    CHECK_EQ(n->calls, 40);
    CHECK(n->not_followed > 10 && n->not_followed < 40);
    CHECK_EQ(p.call_count, 40);
    size_t completed = 0, refused = 0;

    for (size_t i = 0; i < 40; i++) {
        completed += p.calls[i]->state == CALL_COMPLETED;
        refused += p.calls[i]->state == CALL_NOT_FOLLOWED;
    }
    CHECK_EQ(completed, 2);
    CHECK_EQ(refused, n->not_followed);
    play_done(&p);
}

TEST(calls_that_grow_without_end_stay_below_twice_the_limit)
{
    struct play p;
    struct track_settings settings = { .memory_max_bytes = 60000 };
    char script[200];
    size_t most = 0;

    CHECK(play_start(&p, &settings));
    play_calls(&p, 0, 40, "A>B INVITE");
    size_t followed = 40 - tracker_counts(p.tracker)->not_followed;

    for (unsigned i = 0; i < 400; i++)
        for (unsigned n = 0; n < 40; n++) {
            snprintf(script, sizeof script, "+0 A>B INFO cseq=%u call=n%u\n", i + 2, n);
            play(&p, script);
            if (tracker_memory_bytes(p.tracker) > most)
                most = tracker_memory_bytes(p.tracker);
        }
    CHECK(followed > 5 && followed < 40);
    CHECK(most > 100000);
    CHECK(most < 120000 + 40000);                         /* one message more than twice the limit */
    CHECK_EQ(tracker_counts(p.tracker)->calls, 40);       /* what was let go opens no new call */
    play_end(&p);
    CHECK_EQ(p.call_count, 40);
    CHECK(tracker_counts(p.tracker)->not_followed > 40 - followed);
    size_t let_go = 0;

    for (size_t i = 0; i < 40; i++)
        let_go += p.calls[i]->state == CALL_NOT_FOLLOWED;
    CHECK_EQ(let_go, tracker_counts(p.tracker)->not_followed);
    play_done(&p);
}

TEST(a_full_tracker_takes_calls_again_when_others_are_over)
{
    struct play p;
    struct track_settings settings = { .calls_max = 2 };

    CHECK(play_start(&p, &settings));
    play_calls(&p, 0, 2, "A>B INVITE\nB>A 486");
    play(&p, "wait 41000\n");
    play_calls(&p, 2, 4, "A>B INVITE\nB>A 486");
    play_end(&p);
    CHECK_EQ(tracker_counts(p.tracker)->not_followed, 0);
    CHECK_EQ(p.call_count, 4);
    play_done(&p);
}

TEST(nothing_stays_behind_when_all_is_over)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play_calls(&p, 0, 20, "A>B INVITE\nB>A 180\nB>A 200\nA>B ACK in\nA>B BYE\nB>A 200 BYE");
    play_calls(&p, 20, 30, "A>R REGISTER | Contact: <sip:a@1>");
    play_calls(&p, 30, 40, "A>B OPTIONS");
    CHECK(tracker_memory_bytes(p.tracker) > 0);
    play_end(&p);
    CHECK_EQ(tracker_memory_bytes(p.tracker), 0);
    CHECK_EQ(p.call_count, 20);
    CHECK_EQ(p.opened, 20);
    CHECK_EQ(tracker_counts(p.tracker)->calls, 20);
    CHECK_EQ(p.of_call, 120);
    play_done(&p);
}

TEST(calls_still_open_at_the_end_are_closed_oldest_first_and_say_so)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play_calls(&p, 0, 5, "A>B INVITE\nB>A 180");
    play_end(&p);
    CHECK_EQ(p.call_count, 5);
    for (size_t i = 0; i < 5; i++) {
        CHECK_ROW_EQ(i, p.calls[i]->index, i + 1);
        CHECK_ROW_EQ(i, p.calls[i]->open_at_end, true);
        CHECK_ROW_EQ(i, call_status(p.calls[i]).code, 180);
        CHECK_ROW_EQ(i, call_status(p.calls[i]).list, CALL_LIST_ACTIVE);
    }
    play_done(&p);
}

TEST(a_clock_that_jumps_back_closes_nothing_and_loses_nothing)
{
    struct play p;
    const struct call *c = play_call(&p, "@100000 A>B INVITE\n@50000 B>A 180\n@0 B>A 200\n@100 A>B ACK in\n@9000 A>B BYE\n");

    CHECK_EQ(c->state, CALL_COMPLETED);
    CHECK(call_pdd_ns(c) < 0);                            /* it cannot be told */
    CHECK_EQ(c->messages, 5);
    play_done(&p);
}

TEST(a_message_without_call_id_is_counted_and_told)
{
    struct play p;
    struct sip_message m = { .is_request = true, .method = SIP_INVITE };
    struct wire_unit unit = { .time_ns = PLAY_START_NS, .frame = 1 };

    CHECK(play_start(&p, NULL));
    tracker_message(p.tracker, &unit, &m);
    play_end(&p);
    CHECK_EQ(p.call_count, 0);
    CHECK_EQ(p.of_nothing, 1);
    CHECK_EQ(tracker_counts(p.tracker)->unassigned, 1);
    play_done(&p);
}

TEST(each_message_is_told_once_with_what_it_was)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>P INVITE br=a\nP>B INVITE br=p via=2\n+500 A>P INVITE br=a\nA>P INVITE br=a id=9\nA>P INVITE br=a id=9\n"
             "A>B OPTIONS call=o\nA>R REGISTER call=r\n");
    CHECK_EQ(p.of_call, 5);
    CHECK_EQ(p.of_transaction, 1);
    CHECK_EQ(p.of_registration, 1);
    CHECK_EQ(p.seen[SEEN_NEW], 3);
    CHECK_EQ(p.seen[SEEN_HOP_COPY], 1);
    CHECK_EQ(p.seen[SEEN_AGAIN], 2);
    CHECK_EQ(p.seen[SEEN_COPY], 1);
    play_end(&p);
    play_done(&p);
}

TEST(state_changes_are_told_and_standing_still_is_not)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>B INVITE\nB>A 180\nB>A 183\nB>A 200\nA>B ACK in\nA>B BYE\nB>A 200 BYE\n");
    CHECK_EQ(p.opened, 1);
    CHECK_EQ(p.changed, 4);                               /* trying, progress, active, completed */
    play_end(&p);
    play_done(&p);
}

TEST(two_trackers_do_not_know_each_other)
{
    struct play p, q;

    CHECK(play_start(&p, NULL));
    CHECK(play_start(&q, NULL));
    play(&p, "A>B INVITE\n");
    play(&q, "B>A 486\n");
    play_end(&p);
    play_end(&q);
    CHECK_EQ(p.calls[0]->final, 0);
    CHECK_EQ(q.calls[0]->final, 486);
    CHECK_EQ(q.calls[0]->partial, true);
    play_done(&p);
    play_done(&q);
}

/* ---- what does not belong to a call ---- */

TEST(requests_outside_calls_are_transactions_with_their_repeats)
{
    static const struct { const char *script, *method; unsigned final, again; bool challenged; } rows[] = {
        { "A>B OPTIONS\nB>A 200 OPTIONS\n", "OPTIONS", 200, 0, false },
        { "A>B OPTIONS\n+500 A>B OPTIONS\n+1000 A>B OPTIONS\n", "OPTIONS", 0, 2, false },
        { "A>B MESSAGE\nB>A 407 MESSAGE\n", "MESSAGE", 407, 0, true },
        { "A>B MESSAGE\n+500 A>B MESSAGE\nB>A 202 MESSAGE\n", "MESSAGE", 202, 1, false },
        { "A>B SUBSCRIBE | Event: reg\nB>A 489 SUBSCRIBE\n", "SUBSCRIBE", 489, 0, false },
        { "A>B PUBLISH | Event: presence\nB>A 200 PUBLISH\n", "PUBLISH", 200, 0, false },
        { "A>B NOTIFY | Event: reg\nB>A 481 NOTIFY\n", "NOTIFY", 481, 0, false },
        { "A>B INFO\nB>A 200 INFO\n", "INFO", 200, 0, false },
        { "A>B FROB\nB>A 501 FROB\n", "FROB", 501, 0, false },
        { "B>A 200 OPTIONS\n", "OPTIONS", 200, 0, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play p;
        const struct transaction *t = play_transaction(&p, rows[i].script);

        CHECK_ROW_EQ(i, t->method, rows[i].method);
        CHECK_ROW_EQ(i, t->final, rows[i].final);
        CHECK_ROW_EQ(i, t->retransmissions, rows[i].again);
        CHECK_ROW_EQ(i, t->challenged, rows[i].challenged);
        CHECK_ROW_EQ(i, t->partial, i == 9);
        CHECK_ROW_EQ(i, p.call_count, 0);
        play_done(&p);
    }
}

TEST(a_subscription_keeps_its_event_and_each_exchange_is_its_own)
{
    struct play p;

    CHECK(play_start(&p, NULL));
    play(&p, "A>B SUBSCRIBE cseq=1 | Event: reg\nB>A 401 SUBSCRIBE cseq=1\nA>B SUBSCRIBE cseq=2 | Event: reg\n"
             "B>A 200 SUBSCRIBE cseq=2\nB>A NOTIFY rev cseq=1 | Event: reg\nA>B 200 NOTIFY rev cseq=1\n");
    play_end(&p);
    CHECK_EQ(p.transaction_count, 3);
    CHECK_EQ(p.transactions[0]->challenged, true);
    CHECK_EQ(p.transactions[1]->final, 200);
    CHECK_EQ(p.transactions[1]->event, "reg");
    CHECK_EQ(p.transactions[2]->method, "NOTIFY");
    play_done(&p);
}

TEST(transactions_over_two_hops_are_one)
{
    struct play p;
    const struct transaction *t = play_transaction(&p, "A>P OPTIONS br=a\nP>B OPTIONS br=p via=2\n"
                                                       "B>P 200 OPTIONS br=p via=2\nP>A 200 OPTIONS br=a\n");
    CHECK_EQ(t->copies, 2);
    CHECK_EQ(t->retransmissions, 0);
    play_done(&p);
}

TORTURE(transactions_survive_any_allocation_that_fails)
{
    struct play p;

    (void)play_transaction(&p, "A>B SUBSCRIBE | Event: reg\n+500 A>B SUBSCRIBE | Event: reg\nB>A 200 SUBSCRIBE\n");
    play_done(&p);
}
