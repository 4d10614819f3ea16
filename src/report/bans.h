/* report/bans.h - the list of banned addresses as a file for firewalls, scripts and people.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A line each, fields between tabs, those of a source heard last first:
 *
 *     198.51.100.7 <TAB> 2026-11-21T12:40:00.000000Z <TAB> 2 <TAB> bad-password
 *     2001:db8:1:2::/64 ...
 *
 * which are: source (an IPv6 one with the /64 that the ban is about), until when (UTC), bans of
 * it in a row, why (guard_event_name). Nothing in it comes from a message. */
#ifndef REPORT_BANS_H
#define REPORT_BANS_H

#include "base/out.h"
#include "switch/guard.h"

void bans_write(struct out *o, const struct guard_ban *bans, size_t count);

#endif
