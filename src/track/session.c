/* track/session.c - see session.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/session.h"

#include <stdlib.h>

struct session *session_new(uint64_t id)
{
    struct session *s = calloc(1, sizeof *s);

    if (s) {
        *s = (struct session){ .id = id, .open = 1 };
        list_init(&s->live);
    }
    return s;
}

bool session_may_take(const struct session *s, const struct session *other)
{
    return s != other && (unsigned)s->open + s->ended + other->open + other->ended <= SESSION_LEGS_MAX;
}

/* In the order in which they began. */
static void session_keep(struct session *s, struct call *c)
{
    uint8_t at = s->ended++;

    for (; at > 0 && s->legs[at - 1]->index > c->index; at--)
        s->legs[at] = s->legs[at - 1];
    s->legs[at] = c;
    c->session = s->id;
}

void session_take(struct session *s, struct session *other)
{
    for (size_t i = 0; i < other->ended; i++)
        session_keep(s, other->legs[i]);
    s->open = (uint8_t)(s->open + other->open);
    s->waiting_bytes += other->waiting_bytes;
    free(other);
}

bool session_end_leg(struct session *s, struct call *c)
{
    session_keep(s, c);
    s->open--;
    s->waiting_bytes += call_memory_bytes(c);
    return s->open == 0;
}
