/* track/session.c - see session.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/session.h"

#include <stdlib.h>

struct session *session_new(uint64_t id)
{
    struct session *s = calloc(1, sizeof *s);

    if (s)
        *s = (struct session){ .id = id, .open = 1 };
    return s;
}

bool session_has_room(const struct session *s)
{
    return (unsigned)s->open + s->ended < SESSION_LEGS_MAX;
}

bool session_end_leg(struct session *s, struct call *c)
{
    uint8_t at = s->ended++;

    for (; at > 0 && s->legs[at - 1]->index > c->index; at--)
        s->legs[at] = s->legs[at - 1];
    s->legs[at] = c;
    s->open--;
    s->waiting_bytes += call_memory_bytes(c);
    return s->open == 0;
}
