/* switch/transaction_test.c - what goes out when, by the schedules of RFC 3261.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "switch/transaction.h"

#define MS 1000000ll
#define START_NS (1795251000ll * 1000 * MS)

static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };
static const struct transaction_times volte = { 2000 * MS, 16000 * MS, 17000 * MS, 128000 * MS, 200 * MS };

/* Runs the timers until there is none. Times of `what` in ms since the start; returns how many. */
static size_t run(struct transaction_machine *t, const struct transaction_times *times, unsigned what, int64_t *ret_ms, size_t room)
{
    size_t count = 0;

    for (int64_t at_ns; (at_ns = transaction_next_ns(t)) != INT64_MAX;)
        if (transaction_due(t, times, at_ns) & what && count < room)
            ret_ms[count++] = (at_ns - START_NS) / MS;
    return count;
}

enum { COUNT_MAX = 16 };

/* Each schedule of RFC 3261, 17, with what happened before, at 0 ms. */
static const struct schedule {
    enum transaction_kind kind;
    const struct transaction_times *times;
    bool     reliable;
    int      first;                                       /* event at 0 ms, -1: none */
    int64_t  sent_ms[COUNT_MAX];                          /* repeats; 0 ends the row */
    unsigned last;
    int64_t  last_ms;
} schedules[] = {
    { TRANSACTION_INVITE_CLIENT, &usual, false, -1, { 500, 1500, 3500, 7500, 15500, 31500 },
      TRANSACTION_TIMED_OUT, 32000 },
    { TRANSACTION_INVITE_CLIENT, &volte, false, -1, { 2000, 6000, 14000, 30000, 62000, 126000 },
      TRANSACTION_TIMED_OUT, 128000 },
    { TRANSACTION_INVITE_CLIENT, &usual, true, -1, { 0 }, TRANSACTION_TIMED_OUT, 32000 },
    { TRANSACTION_INVITE_CLIENT, &usual, false, TRANSACTION_GOT_REFUSAL, { 0 }, TRANSACTION_ENDED, 32000 },
    { TRANSACTION_INVITE_CLIENT, &usual, true, TRANSACTION_GOT_REFUSAL, { 0 }, TRANSACTION_ENDED, 0 },
    { TRANSACTION_INVITE_CLIENT, &usual, true, TRANSACTION_GOT_2XX, { 0 }, TRANSACTION_ENDED, 32000 },
    { TRANSACTION_CLIENT, &usual, false, -1, { 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500 },
      TRANSACTION_TIMED_OUT, 32000 },
    { TRANSACTION_CLIENT, &usual, false, TRANSACTION_GOT_1XX,
      { 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500 }, TRANSACTION_TIMED_OUT, 32000 },
    { TRANSACTION_CLIENT, &usual, true, TRANSACTION_GOT_1XX, { 0 }, TRANSACTION_TIMED_OUT, 32000 },
    { TRANSACTION_CLIENT, &usual, false, TRANSACTION_GOT_2XX, { 0 }, TRANSACTION_ENDED, 5000 },
    { TRANSACTION_CLIENT, &usual, true, TRANSACTION_GOT_REFUSAL, { 0 }, TRANSACTION_ENDED, 0 },
    { TRANSACTION_INVITE_SERVER, &usual, false, TRANSACTION_ANSWER_REFUSAL,
      { 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500 }, TRANSACTION_TIMED_OUT, 32000 },
    { TRANSACTION_INVITE_SERVER, &usual, true, TRANSACTION_ANSWER_REFUSAL, { 0 }, TRANSACTION_TIMED_OUT, 32000 },
    { TRANSACTION_INVITE_SERVER, &volte, false, TRANSACTION_ANSWER_2XX, { 0 }, TRANSACTION_ENDED, 128000 },
    { TRANSACTION_SERVER, &usual, false, TRANSACTION_ANSWER_2XX, { 0 }, TRANSACTION_ENDED, 32000 },
    { TRANSACTION_SERVER, &usual, true, TRANSACTION_ANSWER_REFUSAL, { 0 }, TRANSACTION_ENDED, 0 },
};

static size_t length_of(const int64_t *ms)
{
    size_t count = 0;

    while (count < COUNT_MAX && ms[count])
        count++;
    return count;
}

static void begin(struct transaction_machine *ret, const struct schedule *row)
{
    transaction_start(ret, row->times, row->kind, row->reliable, START_NS);
    if (row->first >= 0)
        transaction_on(ret, row->times, (enum transaction_event)row->first, START_NS);
}

TEST(repeats_and_ends_come_when_the_rfc_says)
{
    for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
        int64_t got[COUNT_MAX];
        struct transaction_machine t;
        size_t count;

        begin(&t, &schedules[i]);
        count = run(&t, schedules[i].times, TRANSACTION_SEND, got, COUNT_MAX);
        CHECK_ROW_EQ(i, count, length_of(schedules[i].sent_ms));
        for (size_t j = 0; j < count; j++)
            CHECK_ROW_EQ(i, got[j], schedules[i].sent_ms[j]);
        begin(&t, &schedules[i]);
        CHECK_ROW_EQ(i, run(&t, schedules[i].times, schedules[i].last, got, 1), 1);
        CHECK_ROW_EQ(i, got[0], schedules[i].last_ms);
        CHECK_ROW_EQ(i, t.state, TRANSACTION_TERMINATED);
    }
}

/* A story: event, when, and what must come of it. */
struct step {
    enum transaction_event event;
    unsigned todo;
    enum transaction_state state;
};

static void tell(size_t row, enum transaction_kind kind, const struct step *steps, size_t count)
{
    struct transaction_machine t;

    transaction_start(&t, &usual, kind, false, START_NS);
    for (size_t i = 0; i < count; i++) {
        CHECK_ROW_EQ(row * 100 + i, transaction_on(&t, &usual, steps[i].event, START_NS + 1), steps[i].todo);
        CHECK_ROW_EQ(row * 100 + i, t.state, steps[i].state);
    }
}

#define ON(event, todo, state) { TRANSACTION_##event, (todo), TRANSACTION_##state }
#define STORY(row, kind, ...) \
    do { \
        const struct step steps[] = { __VA_ARGS__ }; \
        tell(row, kind, steps, ARRAY_LEN(steps)); \
    } while (0)

TEST(a_refusal_is_acknowledged_each_time_and_told_once)
{
    STORY(1, TRANSACTION_INVITE_CLIENT, ON(GOT_1XX, TRANSACTION_TELL, PROCEEDING),
          ON(GOT_REFUSAL, TRANSACTION_SEND_ACK | TRANSACTION_TELL, COMPLETED),
          ON(GOT_REFUSAL, TRANSACTION_SEND_ACK, COMPLETED), ON(GOT_1XX, 0, COMPLETED), ON(GOT_2XX, 0, COMPLETED),
          ON(END, TRANSACTION_ENDED, TERMINATED));
    STORY(2, TRANSACTION_CLIENT, ON(GOT_REFUSAL, TRANSACTION_TELL, COMPLETED), ON(GOT_REFUSAL, 0, COMPLETED));
}

TEST(each_2xx_is_told_as_a_fork_may_send_several)
{
    STORY(1, TRANSACTION_INVITE_CLIENT, ON(GOT_2XX, TRANSACTION_TELL, ACCEPTED),
          ON(GOT_2XX, TRANSACTION_TELL, ACCEPTED), ON(GOT_REFUSAL, 0, ACCEPTED), ON(GOT_1XX, 0, ACCEPTED));
}

TEST(one_final_answer_goes_out_whatever_crosses)
{
    STORY(1, TRANSACTION_INVITE_SERVER, ON(ANSWER_2XX, TRANSACTION_SEND, ACCEPTED),   /* 200, then CANCEL wants 487 */
          ON(ANSWER_REFUSAL, 0, ACCEPTED), ON(ANSWER_1XX, 0, ACCEPTED), ON(GOT_REQUEST, 0, ACCEPTED),
          ON(ANSWER_2XX, TRANSACTION_SEND, ACCEPTED), ON(GOT_ACK, TRANSACTION_TELL, ACCEPTED));
    STORY(2, TRANSACTION_INVITE_SERVER, ON(ANSWER_REFUSAL, TRANSACTION_SEND, COMPLETED), /* 487, then B's 200 */
          ON(ANSWER_2XX, 0, COMPLETED), ON(GOT_REQUEST, TRANSACTION_SEND, COMPLETED),
          ON(GOT_ACK, 0, CONFIRMED), ON(GOT_ACK, 0, CONFIRMED), ON(GOT_REQUEST, 0, CONFIRMED),
          ON(REPEAT, 0, CONFIRMED), ON(END, TRANSACTION_ENDED, TERMINATED));
    STORY(3, TRANSACTION_SERVER, ON(GOT_REQUEST, 0, TRYING), ON(ANSWER_2XX, TRANSACTION_SEND, COMPLETED),
          ON(ANSWER_REFUSAL, 0, COMPLETED), ON(GOT_REQUEST, TRANSACTION_SEND, COMPLETED));
}

TEST(an_invite_gets_a_100_after_200_ms_or_when_it_is_repeated)
{
    int64_t at_ms[2];
    struct transaction_machine t;

    transaction_start(&t, &usual, TRANSACTION_INVITE_SERVER, true, START_NS);
    CHECK_EQ(run(&t, &usual, TRANSACTION_SEND_TRYING, at_ms, 2), 1);
    CHECK_EQ(at_ms[0], 200);
    CHECK_EQ(t.state, TRANSACTION_PROCEEDING);
    STORY(1, TRANSACTION_INVITE_SERVER, ON(GOT_REQUEST, TRANSACTION_SEND_TRYING, PROCEEDING),
          ON(GOT_REQUEST, TRANSACTION_SEND, PROCEEDING));
    STORY(2, TRANSACTION_INVITE_SERVER, ON(ANSWER_1XX, TRANSACTION_SEND, PROCEEDING), ON(REPEAT, 0, PROCEEDING));
}

TEST(a_stalled_process_repeats_once_and_not_all_it_missed)
{
    struct transaction_machine t;

    transaction_start(&t, &usual, TRANSACTION_CLIENT, false, START_NS);
    CHECK_EQ(transaction_due(&t, &usual, START_NS + 20000 * MS), TRANSACTION_SEND);
    CHECK_EQ(transaction_due(&t, &usual, START_NS + 20000 * MS), 0);
    CHECK(transaction_next_ns(&t) > START_NS + 20000 * MS);
}

TEST(a_transport_that_fails_ends_what_still_waits)
{
    for (size_t kind = 0; kind < TRANSACTION_KINDS; kind++) {
        struct transaction_machine t;

        transaction_start(&t, &usual, (enum transaction_kind)kind, false, START_NS);
        CHECK_ROW_EQ(kind, transaction_on(&t, &usual, TRANSACTION_TRANSPORT_FAILED, START_NS),
                     TRANSACTION_FAILED | TRANSACTION_ENDED);
        CHECK_ROW_EQ(kind, transaction_next_ns(&t), INT64_MAX);
    }
    STORY(1, TRANSACTION_INVITE_SERVER, ON(ANSWER_2XX, TRANSACTION_SEND, ACCEPTED),   /* the user may try again */
          ON(TRANSPORT_FAILED, TRANSACTION_FAILED, ACCEPTED));
}

/* Whatever comes in whatever order: it ends, and nothing happens afterwards. */
TEST(every_transaction_ends)
{
    uint64_t random = 88172645463325252u;

    for (size_t i = 0; i < 20000; i++) {
        int64_t now_ns = START_NS, none[1];
        struct transaction_machine t;

        transaction_start(&t, &usual, (enum transaction_kind)(i % TRANSACTION_KINDS), i & 4, now_ns);
        for (size_t j = 0; j < 12; j++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            now_ns += (int64_t)(random % 9000) * MS;
            transaction_due(&t, &usual, now_ns);
            transaction_on(&t, &usual, (enum transaction_event)((random >> 32) % TRANSACTION_REPEAT), now_ns);
        }
        if (t.kind == TRANSACTION_INVITE_SERVER || t.kind == TRANSACTION_SERVER)
            transaction_on(&t, &usual, TRANSACTION_ANSWER_REFUSAL, now_ns);
        else
            transaction_on(&t, &usual, TRANSACTION_GOT_REFUSAL, now_ns);
        run(&t, &usual, 0, none, 0);
        CHECK_ROW_EQ(i, t.state, TRANSACTION_TERMINATED);
        for (size_t event = 0; event < TRANSACTION_EVENTS; event++)
            CHECK_ROW_EQ(i, transaction_on(&t, &usual, (enum transaction_event)event, now_ns), 0);
    }
}
