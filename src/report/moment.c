/* report/moment.c - see moment.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL

static bool zone_file_exists(const char *name)
{
    char path[256];
    int n = snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);

    return n > 0 && (size_t)n < sizeof path && access(path, R_OK) == 0;
}

/* "+02:00" is "<+0200>-02:00" to POSIX, which counts west of Greenwich; glibc takes no colon
 * in the name and would fall back to UTC without a word. */
static bool zone_is_offset(const char *name, char posix[32])
{
    if ((name[0] != '+' && name[0] != '-') || strlen(name) != 6 || name[3] != ':' ||
        !is_digit(name[1]) || !is_digit(name[2]) || !is_digit(name[4]) || !is_digit(name[5]) ||
        (name[1] - '0') * 10 + (name[2] - '0') > 23 || name[4] > '5')
        return false;
    int n = snprintf(posix, 32, "<%.3s%s>%c%s", name, name + 4, name[0] == '+' ? '-' : '+', name + 1);

    return n > 0 && n < 32;
}

bool moment_zone(slice name)
{
    char text[128], posix[32];

    if (name.len == 0 || name.len >= sizeof text || memchr(name.ptr, '\0', name.len))
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    if (slice_eq_nocase(name, SLICE("local"))) {
        tzset();
        return true;
    }
    if (slice_eq_nocase(name, SLICE("UTC")) || slice_eq(name, SLICE("Z")))
        setenv("TZ", "UTC0", 1);
    else if (zone_is_offset(text, posix))
        setenv("TZ", posix, 1);
    else if (text[0] != '/' && slice_find(name, SLICE("..")) < 0 && zone_file_exists(text))
        setenv("TZ", text, 1);
    else
        return false;
    tzset();
    return true;
}

static time_t seconds_of(int64_t time_ns, int64_t *ret_rest_ns)
{
    int64_t seconds = time_ns / SECOND_NS, rest = time_ns % SECOND_NS;

    if (rest < 0)
        seconds--, rest += SECOND_NS;
    *ret_rest_ns = rest;
    return (time_t)seconds;
}

/* Year, month and day of a day since 1970-01-01 in the Gregorian calendar. */
static void date_of(int64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned shifted = (5 * of_year + 2) / 153;           /* from March on */

    *ret_day = of_year - (153 * shifted + 2) / 5 + 1;
    *ret_month = shifted < 10 ? shifted + 3 : shifted - 9;
    *ret_year = (unsigned)(year + era * 400) + (*ret_month <= 2);
}

static char *put_digits(char *at, unsigned number, size_t digits, char after)
{
    for (size_t i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[digits] = after;
    return at + digits + 1;
}

/* Written once for each time of each call: strftime would be a tenth of a reading. */
slice moment_rfc3339(int64_t time_ns, char room[MOMENT_TEXT_MAX])
{
    int64_t rest_ns;
    time_t seconds = seconds_of(time_ns, &rest_ns);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    unsigned of_day = (unsigned)(seconds - days * 86400), year, month, day;
    char *at = room;

    date_of(days, &year, &month, &day);
    at = put_digits(at, year, 4, '-');
    at = put_digits(at, month, 2, '-');
    at = put_digits(at, day, 2, 'T');
    at = put_digits(at, of_day / 3600, 2, ':');
    at = put_digits(at, of_day / 60 % 60, 2, ':');
    at = put_digits(at, of_day % 60, 2, '.');
    at = put_digits(at, (unsigned)(rest_ns / 1000), 6, 'Z');
    return slice_of(room, (size_t)(at - room));
}

static struct tm local_of(int64_t time_ns)
{
    int64_t rest;
    time_t seconds = seconds_of(time_ns, &rest);
    struct tm tm = {0};

    localtime_r(&seconds, &tm);
    return tm;
}

slice moment_date_time(int64_t time_ns, char room[MOMENT_TEXT_MAX])
{
    struct tm tm = local_of(time_ns);

    return slice_of(room, strftime(room, MOMENT_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm));
}

slice moment_clock(int64_t time_ns, char room[MOMENT_TEXT_MAX])
{
    struct tm tm = local_of(time_ns);

    return slice_of(room, strftime(room, MOMENT_TEXT_MAX, "%H:%M:%S", &tm));
}

slice moment_clock_ms(int64_t time_ns, char room[MOMENT_TEXT_MAX])
{
    size_t len = moment_clock(time_ns, room).len;
    int more = snprintf(room + len, MOMENT_TEXT_MAX - len, ".%03u", (unsigned)(time_ns / 1000000 % 1000));

    return slice_of(room, len + (size_t)more);
}

slice moment_offset_name(int64_t time_ns, char room[MOMENT_TEXT_MAX])
{
    struct tm tm = local_of(time_ns);
    slice z = slice_of(room, strftime(room, MOMENT_TEXT_MAX, "%z", &tm));     /* "+0200" */

    if (z.len != 5 || slice_eq(z, SLICE("+0000")))
        return SLICE("UTC");
    memmove(room + 4, room + 3, 2);
    room[3] = ':';
    return slice_of(room, 6);
}

slice moment_duration(int64_t ns, char room[MOMENT_TEXT_MAX])
{
    int64_t ms = ns / 1000000, s = ns / SECOND_NS;
    int n;

    if (ms < 10000)
        n = snprintf(room, MOMENT_TEXT_MAX, "%d.%03d s", (int)(ms / 1000), (int)(ms % 1000));
    else if (s < 60)
        n = snprintf(room, MOMENT_TEXT_MAX, "%d.%d s", (int)s, (int)(ms % 1000 / 100));
    else if (s < 3600)
        n = snprintf(room, MOMENT_TEXT_MAX, "%d:%02d", (int)(s / 60), (int)(s % 60));
    else
        n = snprintf(room, MOMENT_TEXT_MAX, "%lld:%02d:%02d", (long long)(s / 3600),
                     (int)(s / 60 % 60), (int)(s % 60));
    return slice_of(room, n > 0 && n < MOMENT_TEXT_MAX ? (size_t)n : 0);
}
