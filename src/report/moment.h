/* report/moment.h - times and durations as people and programs read them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nanoseconds since 1970 UTC in. For programs always UTC; for people in the zone that the
 * process was told (moment_zone, once, at start: glibc keeps one zone a process). */
#ifndef REPORT_MOMENT_H
#define REPORT_MOMENT_H

#include "base/out.h"

/* "UTC", "local", "+02:00" or a name such as "Europe/Paris". False: no such zone here. */
bool moment_zone(slice name);

#define MOMENT_TEXT_MAX 40
slice moment_rfc3339(int64_t time_ns, char room[MOMENT_TEXT_MAX]);  /* "2026-11-21T01:02:03.123456Z" */
slice moment_date_time(int64_t time_ns, char room[MOMENT_TEXT_MAX]);    /* "2026-11-21 01:02:03" */
slice moment_clock(int64_t time_ns, char room[MOMENT_TEXT_MAX]);        /* "01:02:03" */
slice moment_clock_ms(int64_t time_ns, char room[MOMENT_TEXT_MAX]);     /* "01:02:03.123" */
slice moment_offset_name(int64_t time_ns, char room[MOMENT_TEXT_MAX]);  /* "UTC", "+02:00" */
/* "0.812 s", "12.3 s", "1:05", "2:03:04" */
slice moment_duration(int64_t ns, char room[MOMENT_TEXT_MAX]);

#endif
