/* switch/transaction.c - figures 5 to 8 of RFC 3261, with RFC 6026, as one table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/transaction.h"

/* Which timer starts when a state is entered. Over a reliable transport nothing repeats, and
 * what only waits for repeats (D, I, J, K) ends at once. */
enum end { END_SAME, END_NEVER, END_64_T1, END_D, END_J, END_T4 };
enum repeat { REPEAT_SAME, REPEAT_NEVER, REPEAT_T1, REPEAT_T2 };

struct rule {
    uint8_t allowed, next, todo, end, repeat;
};

#define NEXT(state) .allowed = 1, .next = TRANSACTION_##state
#define DO(what) .todo = (what)
#define TELL TRANSACTION_TELL
#define SEND TRANSACTION_SEND
#define ENDED TRANSACTION_ENDED
#define TIMES_OUT { NEXT(TERMINATED), DO(TRANSACTION_TIMED_OUT | ENDED) }
#define ENDS { NEXT(TERMINATED), DO(ENDED) }
#define FAILS { NEXT(TERMINATED), DO(TRANSACTION_FAILED | ENDED) }

static const struct rule invite_client[TRANSACTION_STATES][TRANSACTION_EVENTS] = {
    [TRANSACTION_TRYING] = {
        [TRANSACTION_GOT_1XX] = { NEXT(PROCEEDING), DO(TELL), END_NEVER, REPEAT_NEVER },
        [TRANSACTION_GOT_2XX] = { NEXT(ACCEPTED), DO(TELL), END_64_T1, REPEAT_NEVER },
        [TRANSACTION_GOT_REFUSAL] = { NEXT(COMPLETED), DO(TRANSACTION_SEND_ACK | TELL), END_D, REPEAT_NEVER },
        [TRANSACTION_REPEAT] = { NEXT(TRYING), DO(SEND) },
        [TRANSACTION_END] = TIMES_OUT,
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_PROCEEDING] = {
        [TRANSACTION_GOT_1XX] = { NEXT(PROCEEDING), DO(TELL) },
        [TRANSACTION_GOT_2XX] = { NEXT(ACCEPTED), DO(TELL), END_64_T1 },
        [TRANSACTION_GOT_REFUSAL] = { NEXT(COMPLETED), DO(TRANSACTION_SEND_ACK | TELL), END_D },
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_COMPLETED] = {
        [TRANSACTION_GOT_REFUSAL] = { NEXT(COMPLETED), DO(TRANSACTION_SEND_ACK) },
        [TRANSACTION_END] = ENDS,
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_ACCEPTED] = {                            /* the user acknowledges each, also of other branches */
        [TRANSACTION_GOT_2XX] = { NEXT(ACCEPTED), DO(TELL) },
        [TRANSACTION_END] = ENDS,
    },
};

static const struct rule client[TRANSACTION_STATES][TRANSACTION_EVENTS] = {
    [TRANSACTION_TRYING] = {
        [TRANSACTION_GOT_1XX] = { NEXT(PROCEEDING), DO(TELL), END_SAME, REPEAT_T2 },
        [TRANSACTION_GOT_2XX] = { NEXT(COMPLETED), DO(TELL), END_T4, REPEAT_NEVER },
        [TRANSACTION_GOT_REFUSAL] = { NEXT(COMPLETED), DO(TELL), END_T4, REPEAT_NEVER },
        [TRANSACTION_REPEAT] = { NEXT(TRYING), DO(SEND) },
        [TRANSACTION_END] = TIMES_OUT,
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_PROCEEDING] = {
        [TRANSACTION_GOT_1XX] = { NEXT(PROCEEDING), DO(TELL) },
        [TRANSACTION_GOT_2XX] = { NEXT(COMPLETED), DO(TELL), END_T4, REPEAT_NEVER },
        [TRANSACTION_GOT_REFUSAL] = { NEXT(COMPLETED), DO(TELL), END_T4, REPEAT_NEVER },
        [TRANSACTION_REPEAT] = { NEXT(PROCEEDING), DO(SEND) },
        [TRANSACTION_END] = TIMES_OUT,
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_COMPLETED] = { [TRANSACTION_END] = ENDS },
};

static const struct rule invite_server[TRANSACTION_STATES][TRANSACTION_EVENTS] = {
    [TRANSACTION_TRYING] = {                              /* not a single answer yet */
        [TRANSACTION_REPEAT] = { NEXT(PROCEEDING), DO(TRANSACTION_SEND_TRYING), END_SAME, REPEAT_NEVER },
        [TRANSACTION_GOT_REQUEST] = { NEXT(PROCEEDING), DO(TRANSACTION_SEND_TRYING), END_SAME, REPEAT_NEVER },
        [TRANSACTION_ANSWER_1XX] = { NEXT(PROCEEDING), DO(SEND), END_SAME, REPEAT_NEVER },
        [TRANSACTION_ANSWER_2XX] = { NEXT(ACCEPTED), DO(SEND), END_64_T1, REPEAT_NEVER },
        [TRANSACTION_ANSWER_REFUSAL] = { NEXT(COMPLETED), DO(SEND), END_64_T1, REPEAT_T1 },
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_PROCEEDING] = {
        [TRANSACTION_GOT_REQUEST] = { NEXT(PROCEEDING), DO(SEND) },
        [TRANSACTION_ANSWER_1XX] = { NEXT(PROCEEDING), DO(SEND) },
        [TRANSACTION_ANSWER_2XX] = { NEXT(ACCEPTED), DO(SEND), END_64_T1 },
        [TRANSACTION_ANSWER_REFUSAL] = { NEXT(COMPLETED), DO(SEND), END_64_T1, REPEAT_T1 },
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_COMPLETED] = {
        [TRANSACTION_GOT_REQUEST] = { NEXT(COMPLETED), DO(SEND) },
        [TRANSACTION_GOT_ACK] = { NEXT(CONFIRMED), .end = END_T4, .repeat = REPEAT_NEVER },
        [TRANSACTION_REPEAT] = { NEXT(COMPLETED), DO(SEND) },
        [TRANSACTION_END] = TIMES_OUT,
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_CONFIRMED] = { [TRANSACTION_END] = ENDS },
    [TRANSACTION_ACCEPTED] = {                            /* the user repeats its 2xx until the ACK */
        [TRANSACTION_ANSWER_2XX] = { NEXT(ACCEPTED), DO(SEND) },
        [TRANSACTION_GOT_ACK] = { NEXT(ACCEPTED), DO(TELL) },
        [TRANSACTION_END] = ENDS,
        [TRANSACTION_TRANSPORT_FAILED] = { NEXT(ACCEPTED), DO(TRANSACTION_FAILED) },
    },
};

static const struct rule server[TRANSACTION_STATES][TRANSACTION_EVENTS] = {
    [TRANSACTION_TRYING] = {
        [TRANSACTION_ANSWER_1XX] = { NEXT(PROCEEDING), DO(SEND) },
        [TRANSACTION_ANSWER_2XX] = { NEXT(COMPLETED), DO(SEND), END_J },
        [TRANSACTION_ANSWER_REFUSAL] = { NEXT(COMPLETED), DO(SEND), END_J },
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_PROCEEDING] = {
        [TRANSACTION_GOT_REQUEST] = { NEXT(PROCEEDING), DO(SEND) },
        [TRANSACTION_ANSWER_1XX] = { NEXT(PROCEEDING), DO(SEND) },
        [TRANSACTION_ANSWER_2XX] = { NEXT(COMPLETED), DO(SEND), END_J },
        [TRANSACTION_ANSWER_REFUSAL] = { NEXT(COMPLETED), DO(SEND), END_J },
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
    [TRANSACTION_COMPLETED] = {
        [TRANSACTION_GOT_REQUEST] = { NEXT(COMPLETED), DO(SEND) },
        [TRANSACTION_END] = ENDS,
        [TRANSACTION_TRANSPORT_FAILED] = FAILS,
    },
};

static const struct rule (*const machines[TRANSACTION_KINDS])[TRANSACTION_EVENTS] = {
    [TRANSACTION_INVITE_CLIENT] = invite_client,
    [TRANSACTION_CLIENT] = client,
    [TRANSACTION_INVITE_SERVER] = invite_server,
    [TRANSACTION_SERVER] = server,
};

static int64_t end_after_ns(const struct transaction_times *times, enum end end, bool reliable)
{
    switch (end) {
    case END_64_T1: return 64 * times->t1_ns;
    case END_J:  return reliable ? 0 : 64 * times->t1_ns;
    case END_D:  return reliable ? 0 : times->d_ns;
    case END_T4: return reliable ? 0 : times->t4_ns;
    default:     return -1;
    }
}

static void set_end(struct transaction_machine *t, const struct transaction_times *times, enum end end, int64_t now_ns)
{
    int64_t after_ns = end_after_ns(times, end, t->reliable);

    if (end != END_SAME)
        t->end_at_ns = after_ns < 0 ? INT64_MAX : now_ns + after_ns;
}

/* After a 1xx the repeat that is due stays due, only the next come every T2 (17.1.2.2). */
static void set_repeat(struct transaction_machine *t, const struct transaction_times *times, enum repeat repeat, int64_t now_ns)
{
    switch (repeat) {
    case REPEAT_SAME:
        return;
    case REPEAT_NEVER:
        t->repeat_at_ns = INT64_MAX;
        return;
    case REPEAT_T1:
        t->interval_ns = times->t1_ns;
        t->repeat_at_ns = t->reliable ? INT64_MAX : now_ns + t->interval_ns;
        return;
    case REPEAT_T2:
        t->interval_ns = times->t2_ns;
        return;
    }
}

/* Intervals double: of an INVITE without end (17.1.1.2), of all else up to T2. After a stall
 * one repeat goes out, not all that were missed. */
static void repeat_later(struct transaction_machine *t, const struct transaction_times *times, int64_t now_ns)
{
    t->interval_ns *= 2;
    if (t->kind != TRANSACTION_INVITE_CLIENT && t->interval_ns > times->t2_ns)
        t->interval_ns = times->t2_ns;
    t->repeat_at_ns += t->interval_ns;
    if (t->repeat_at_ns <= now_ns)
        t->repeat_at_ns = now_ns + t->interval_ns;
}

void transaction_start(struct transaction_machine *ret, const struct transaction_times *times, enum transaction_kind kind,
                       bool reliable, int64_t now_ns)
{
    bool is_client = kind == TRANSACTION_INVITE_CLIENT || kind == TRANSACTION_CLIENT;

    *ret = (struct transaction_machine){ .kind = (uint8_t)kind, .state = TRANSACTION_TRYING, .reliable = reliable };
    set_end(ret, times, is_client ? END_64_T1 : END_NEVER, now_ns);
    set_repeat(ret, times, is_client ? REPEAT_T1 : REPEAT_NEVER, now_ns);
    if (kind == TRANSACTION_INVITE_SERVER)
        ret->repeat_at_ns = now_ns + times->trying_ns;
}

unsigned transaction_on(struct transaction_machine *t, const struct transaction_times *times, enum transaction_event event,
                        int64_t now_ns)
{
    const struct rule *rule = &machines[t->kind][t->state][event];

    if (!rule->allowed)
        return 0;
    t->state = rule->next;
    set_end(t, times, rule->end, now_ns);
    set_repeat(t, times, rule->repeat, now_ns);
    if (event == TRANSACTION_REPEAT && rule->repeat == REPEAT_SAME)
        repeat_later(t, times, now_ns);
    if (t->state == TRANSACTION_TERMINATED)
        t->repeat_at_ns = t->end_at_ns = INT64_MAX;
    return rule->todo;
}

int64_t transaction_next_ns(const struct transaction_machine *t)
{
    return t->end_at_ns < t->repeat_at_ns ? t->end_at_ns : t->repeat_at_ns;
}

unsigned transaction_due(struct transaction_machine *t, const struct transaction_times *times, int64_t now_ns)
{
    if (t->end_at_ns <= now_ns)
        return transaction_on(t, times, TRANSACTION_END, now_ns);
    if (t->repeat_at_ns <= now_ns)
        return transaction_on(t, times, TRANSACTION_REPEAT, now_ns);
    return 0;
}
