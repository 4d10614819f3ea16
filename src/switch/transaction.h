/* switch/transaction.h - the four transaction machines (RFC 3261, 17; RFC 6026; RFC 4320).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Only the machine: what happened and what time it is go in, what has to be done comes out.
 * Which message belongs to which transaction, the kept bytes, sockets and the heap of timers
 * are its owner's; so a simulator can drive it with a clock of its own.
 *
 *     struct transaction_machine t;
 *     transaction_start(&t, &times, TRANSACTION_INVITE_CLIENT, reliable, now_ns);  // after sending
 *     unsigned todo = transaction_on(&t, &times, TRANSACTION_GOT_2XX, now_ns);
 *     if (todo & TRANSACTION_TELL) ...
 *     timers_set(timers, &mine->timer, transaction_next_ns(&t));                         */
#ifndef SWITCH_TRANSACTION_H
#define SWITCH_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 3261: 500 ms, 4 s, 5 s, 32 s. VoLTE between UE and P-CSCF: 2, 16, 17, 128 s
 * (TS 24.229, table 7.7.1). */
struct transaction_times {
    int64_t t1_ns, t2_ns, t4_ns;
    int64_t d_ns;                    /* timer D: how long repeated final answers are acknowledged */
    int64_t trying_ns;               /* an INVITE without an answer so far gets 100 then: 200 ms */
};

enum transaction_kind {
    TRANSACTION_INVITE_CLIENT, TRANSACTION_CLIENT, TRANSACTION_INVITE_SERVER, TRANSACTION_SERVER, TRANSACTION_KINDS
};

enum transaction_state {
    TRANSACTION_TRYING,              /* Calling of an INVITE client */
    TRANSACTION_PROCEEDING,
    TRANSACTION_COMPLETED,
    TRANSACTION_CONFIRMED,           /* INVITE server: the ACK of a refusal came */
    TRANSACTION_ACCEPTED,            /* INVITE: a 2xx passed (RFC 6026) */
    TRANSACTION_TERMINATED, TRANSACTION_STATES
};

enum transaction_event {
    TRANSACTION_GOT_1XX, TRANSACTION_GOT_2XX, TRANSACTION_GOT_REFUSAL,        /* a client: 3xx to 6xx */
    TRANSACTION_GOT_REQUEST, TRANSACTION_GOT_ACK,                             /* a server: repeated; ACK */
    TRANSACTION_ANSWER_1XX, TRANSACTION_ANSWER_2XX, TRANSACTION_ANSWER_REFUSAL,   /* a server's user */
    TRANSACTION_REPEAT, TRANSACTION_END,                                      /* its two timers */
    TRANSACTION_TRANSPORT_FAILED, TRANSACTION_EVENTS
};

enum {                               /* what is to be done, any of these together, in this order */
    TRANSACTION_SEND = 1,            /* the last message again, or the answer just given */
    TRANSACTION_SEND_TRYING = 2,     /* a 100 */
    TRANSACTION_SEND_ACK = 4,        /* of a refusal, hop by hop */
    TRANSACTION_TELL = 8,            /* the message is for the user */
    TRANSACTION_TIMED_OUT = 16,      /* tell the user that nothing came; of a non-INVITE no 408 may follow */
    TRANSACTION_FAILED = 32,         /* tell the user that the transport failed */
    TRANSACTION_ENDED = 64           /* and forget it */
};

struct transaction_machine {
    int64_t  repeat_at_ns, end_at_ns;                     /* INT64_MAX: not set */
    int64_t  interval_ns;                                 /* of repeats */
    uint8_t  kind, state;
    bool     reliable;                                    /* over TCP, TLS, WebSocket: nothing repeats */
};

/* A client has sent its request, a server has received it. */
void transaction_start(struct transaction_machine *ret, const struct transaction_times *times, enum transaction_kind kind,
                       bool reliable, int64_t now_ns);
/* What is to be done: bits, 0 when the event is to be ignored in this state. An answer for which
 * TRANSACTION_SEND does not come back must not be sent: another final answer went out before. */
unsigned transaction_on(struct transaction_machine *t, const struct transaction_times *times, enum transaction_event event,
                        int64_t now_ns);
/* When its next timer is due, INT64_MAX: never; and what is to be done then (0: none was due). */
int64_t  transaction_next_ns(const struct transaction_machine *t);
unsigned transaction_due(struct transaction_machine *t, const struct transaction_times *times, int64_t now_ns);

#endif
