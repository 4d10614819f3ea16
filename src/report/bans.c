/* report/bans.c - see bans.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/bans.h"

#include "report/moment.h"

static void write_source(struct out *o, const struct guard_ban *ban)
{
    char ip[ADDRESS_TEXT_MAX];

    out_text(o, slice_of(ip, address_format_ip(&ban->source, ip)));
    if (ban->source.family == 6) {
        out_char(o, '/');
        out_u64(o, ban->bits);
    }
}

void bans_write(struct out *o, const struct guard_ban *bans, size_t count)
{
    char room[MOMENT_TEXT_MAX];

    for (size_t i = 0; i < count; i++) {
        write_source(o, &bans[i]);
        out_char(o, '\t');
        out_text(o, moment_rfc3339(bans[i].until_ns, room));
        out_char(o, '\t');
        out_u64(o, bans[i].count);
        out_char(o, '\t');
        out_text(o, guard_event_name(bans[i].why));
        out_char(o, '\n');
    }
}
