/* call/registration.c - see registration.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/registration.h"

#include <stdlib.h>

#include "call/call.h"

struct registration *registration_new(void)
{
    struct registration *r = calloc(1, sizeof *r);

    if (r)
        list_init(&r->in_list);
    return r;
}

struct registration *registration_free(struct registration *r)
{
    if (r) {
        arena_done(&r->arena);
        free(r);
    }
    return NULL;
}

size_t registration_memory_bytes(const struct registration *r)
{
    return sizeof *r + r->arena.total_bytes;
}

bool registration_step(struct registration *r, enum registration_event event)
{
    enum registration_state next = registration_state_next((enum registration_state)r->state, event);

    if (next == REGISTRATION_NEW) {
        r->surprises++;
        return false;
    }
    r->state = (uint8_t)next;
    return true;
}

struct registration_status registration_status(const struct registration *r)
{
    static const struct { uint16_t code; const char *name; } words[REGISTRATION_STATES] = {
        [REGISTRATION_NEW]           = { 1010, "Registering" },
        [REGISTRATION_REGISTERING]   = { 1010, "Registering" },
        [REGISTRATION_REGISTERED]    = { 1011, "Registered" },
        [REGISTRATION_REFRESHING]    = { 1011, "Registered" },
        [REGISTRATION_UNREGISTERING] = { 1012, "UnRegistering" },
        [REGISTRATION_UNREGISTERED]  = { 1013, "UnRegistered" },
        [REGISTRATION_FAILED]        = { 0, NULL },
    };

    if (r->state != REGISTRATION_FAILED)
        return (struct registration_status){ SLICE("monitor"), words[r->state].code,
                                             slice_of_string(words[r->state].name) };
    if (r->final)
        return (struct registration_status){ SLICE("sip"), r->final, call_code_name(r->final) };
    return (struct registration_status){ SLICE("local"), 0, SLICE("No response") };
}

slice registration_reason_name(enum registration_reason reason)
{
    static const char *const names[REGISTRATION_REASONS] = { "", "asked", "expired", "displaced",
                                                             "network" };

    return slice_of_string(names[reason]);
}
