/* switch/reach.h - another way to a peer whose connection is gone (RFC 3261, 18; RFC 5923).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Peers close connections that are idle, also in the middle of a call. Who can be reached by an
 * address of its own is connected to anew; not so who can only come to us: by WebSocket, by an
 * outbound flow (RFC 5626: "ob"), or from behind a translator, where the address that it writes
 * is private and not the one that it came from. Pure.
 *
 * `gone` named a connection, the bytes are a whole message that was to go by it. True: *ret names
 * none, and whoever sends by it makes one; the transport is the same, so the Via stays true. */
#ifndef SWITCH_REACH_H
#define SWITCH_REACH_H

#include "base/slice.h"
#include "wire/hop.h"

/* A request within a dialog, or a CANCEL: to where we had connected, else to its first Route or its target. */
bool reach_for_request(const struct hop *gone, slice request, struct hop *ret);
/* 18.2.2: to where we had connected, else to where it came from, at the port of the Via's sent-by. A 100 is
 * not worth a connection. */
bool reach_for_answer(const struct hop *gone, slice answer, struct hop *ret);

#endif
