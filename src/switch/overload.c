/* switch/overload.c - see overload.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/overload.h"

bool overload_is_on(struct overload_state *o, uint64_t memory_bytes)
{
    const struct overload_settings *s = &o->settings;
    bool full = s->memory_bytes_max && memory_bytes > s->memory_bytes_max;
    bool late = s->delay_max_ns && o->waited_ns > s->delay_max_ns;

    o->by_memory += full;
    o->by_delay += late && !full;
    return full || late;
}

/* Each call puts off the time at which the bucket is full again by its share of the time; one
 * whole time off, it is empty. */
bool overload_take_call(struct overload_state *o, int64_t now_ns)
{
    const struct overload_settings *s = &o->settings;
    int64_t one_ns = s->rate_count ? s->rate_per_ns / s->rate_count : 0;

    if (!one_ns)
        return true;
    if (o->full_ns < now_ns)
        o->full_ns = now_ns;
    if (o->full_ns - now_ns > s->rate_per_ns - one_ns) {
        o->by_rate++;
        return false;
    }
    o->full_ns += one_ns;
    return true;
}
