/* wire/hep_unit.h - the unit inside a HEP packet.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HEP_UNIT_H
#define WIRE_HEP_UNIT_H

#include "wire/hep.h"
#include "wire/wire.h"

/* `outer` is the datagram, or the packet framed out of a stream. Counts it, and hands out what
 * it carries with the addresses and the time of the agent. False: it is no HEP packet. */
bool hep_unit_out(const struct wire_unit *outer, struct wire_counts *counts, wire_unit_fn *unit,
                  void *ctx);

#endif
