/* diagnose/flow.h - the reference flow that is nearest to a call, and the first step that differs.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A flow describes every leg of a server; a capture shows one of them, or several hops of one
 * dialog as one. So each flow was cut (tools/flows.py) into what is seen at each place, and the
 * log of the call (call/trace.h) is compared with those. Which flows come into question is told
 * by marks of the call (FLOW_IS_...: answered, busy, hold ...), so a plain call is compared once
 * or twice. One that follows a flow exactly is found in one pass; else the two are aligned with
 * the least cost: a step that never came, a message too many, an order that differs.
 *
 * What never makes a difference: 100 and further 1xx, a reliable 1xx with its PRACK, session
 * refreshes, INFO, OPTIONS and the like, a second BYE. Steps that the capture did not last for
 * are not missing. A call that is like none of the flows gets no name rather than a wrong one. */
#ifndef DIAGNOSE_FLOW_H
#define DIAGNOSE_FLOW_H

#include "call/call.h"
#include "call/registration.h"

/* The legs of one session in the order in which they began, or one call; writes their `flow`.
 * Needs their traces. Allocates nothing. */
void diagnose_flow(struct call *const *legs, size_t count);
/* The same for a registration, from its record. */
void diagnose_flow_registration(struct registration *r);

#endif
