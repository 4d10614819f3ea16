/* diagnose/diagnose.h - why a call or a registration went as it did.
 * SPDX-License-Identifier: Apache-2.0
 *
 * At the end of a session (observer session_closing) each of its legs gets exactly one main
 * cause of the catalogue (codes/cause.h), or none when nothing went wrong, and findings beside it,
 * the worst first. Evidence is never empty; its words and the values of the sentence come from the
 * wire. What was joined in the middle, cut off by the end of the capture or seen in one direction
 * only is not blamed.
 *
 *     struct diagnose_context context = { .history = h, .now_ns = newest_packet_ns };
 *     diagnose_session(legs, count, &context);           // fills legs[i]->verdicts
 *     call_forget(legs[i]);                              // the trace is not needed any more
 *
 * When memory is short a call stays without verdicts (NULL); nothing else happens. The rules stand
 * in tables: refusal.c for what a final code alone says, rules_*.c for the rest. */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include "call/call.h"
#include "call/registration.h"
#include "diagnose/history.h"

struct diagnose_context {
    struct diagnose_history *history;    /* NULL: nothing is known of other calls */
    int64_t now_ns;                  /* of the newest packet of the capture; 0: that of the call */
    bool    is_ours;                 /* our own switch tells what happens: no capture ends too early */
};

void diagnose_session(struct call *const *legs, size_t count, const struct diagnose_context *context);
void diagnose_registration(struct registration *r, const struct diagnose_context *context);

#endif
