/* call/state.c - the two tables; see state.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/state.h"

/* An empty cell is CALL_NEW: not expected. */
static const uint8_t call_next[CALL_STATES][CALL_EVENTS] = {
    [CALL_NEW] = {
        [CALL_EV_INVITE]   = CALL_TRYING,
        [CALL_EV_PROGRESS] = CALL_PROGRESS,               /* joined before the answer */
        [CALL_EV_ANSWER]   = CALL_ACTIVE,
        [CALL_EV_REFUSAL]  = CALL_REFUSED,
        [CALL_EV_CANCEL]   = CALL_CANCELLING,
        [CALL_EV_BYE]      = CALL_COMPLETED,
        [CALL_EV_SILENCE]  = CALL_SILENT,                 /* a stray piece of a call, and no more */
        [CALL_EV_LIMIT]    = CALL_NOT_FOLLOWED,
        [CALL_EV_DIALOG]   = CALL_ACTIVE,
    },
    [CALL_TRYING] = {
        [CALL_EV_INVITE]   = CALL_TRYING,                 /* a fork or the next server */
        [CALL_EV_PROGRESS] = CALL_PROGRESS,
        [CALL_EV_ANSWER]   = CALL_ACTIVE,
        [CALL_EV_REFUSAL]  = CALL_REFUSED,
        [CALL_EV_CANCEL]   = CALL_CANCELLING,
        [CALL_EV_BYE]      = CALL_CANCELLING,             /* early dialogs may be ended so (15) */
        [CALL_EV_SILENCE]  = CALL_SILENT,
        [CALL_EV_DIALOG]   = CALL_ACTIVE,                 /* the 2xx was not captured */
        [CALL_EV_LIMIT]    = CALL_NOT_FOLLOWED,           /* let go to save memory */
    },
    [CALL_PROGRESS] = {
        [CALL_EV_INVITE]   = CALL_PROGRESS,
        [CALL_EV_PROGRESS] = CALL_PROGRESS,
        [CALL_EV_ANSWER]   = CALL_ACTIVE,
        [CALL_EV_REFUSAL]  = CALL_REFUSED,
        [CALL_EV_CANCEL]   = CALL_CANCELLING,
        [CALL_EV_BYE]      = CALL_CANCELLING,
        [CALL_EV_SILENCE]  = CALL_SILENT,
        [CALL_EV_DIALOG]   = CALL_ACTIVE,
        [CALL_EV_LIMIT]    = CALL_NOT_FOLLOWED,           /* let go to save memory */
    },
    [CALL_CANCELLING] = {
        [CALL_EV_INVITE]   = CALL_CANCELLING,
        [CALL_EV_PROGRESS] = CALL_CANCELLING,             /* was on its way already */
        [CALL_EV_REFUSAL]  = CALL_CANCELLED,              /* the 487, or whatever was first */
        [CALL_EV_ANSWER]   = CALL_ACTIVE,                 /* the answer won the race (9.1) */
        [CALL_EV_CANCEL]   = CALL_CANCELLING,
        [CALL_EV_BYE]      = CALL_CANCELLING,
        [CALL_EV_SILENCE]  = CALL_CANCELLED,              /* no 487 in 64*T1: over all the same */
        [CALL_EV_LIMIT]    = CALL_NOT_FOLLOWED,           /* let go to save memory */
    },
    [CALL_CANCELLED] = {
        [CALL_EV_REFUSAL]  = CALL_CANCELLED,              /* another branch's 487 */
        [CALL_EV_PROGRESS] = CALL_CANCELLED,
        [CALL_EV_CANCEL]   = CALL_CANCELLED,
        [CALL_EV_ANSWER]   = CALL_ACTIVE,                 /* of another branch, too late to stop */
        [CALL_EV_INVITE]   = CALL_TRYING,                 /* same Call-ID, tried anew */
    },
    [CALL_REFUSED] = {
        [CALL_EV_INVITE]   = CALL_TRYING,                 /* credentials, redirect, next server */
        [CALL_EV_REFUSAL]  = CALL_REFUSED,
        [CALL_EV_PROGRESS] = CALL_REFUSED,                /* of another branch, overtaken */
        [CALL_EV_CANCEL]   = CALL_REFUSED,                /* too late: has no effect (9.2) */
        [CALL_EV_ANSWER]   = CALL_ACTIVE,                 /* another branch answered */
    },
    [CALL_ACTIVE] = {
        [CALL_EV_PROGRESS] = CALL_ACTIVE,                 /* of another branch, overtaken */
        [CALL_EV_REFUSAL]  = CALL_ACTIVE,                 /* of another branch: 487 after the answer */
        [CALL_EV_ANSWER]   = CALL_ACTIVE,                 /* a second fork answered, too */
        [CALL_EV_CANCEL]   = CALL_ACTIVE,                 /* crossed the 2xx: has no effect (9.2) */
        [CALL_EV_INVITE]   = CALL_ACTIVE,
        [CALL_EV_BYE]      = CALL_COMPLETED,
        [CALL_EV_SILENCE]  = CALL_SILENT,
        [CALL_EV_MEDIA_STOP] = CALL_MEDIA_STOPPED,
        [CALL_EV_DIALOG]   = CALL_ACTIVE,
        [CALL_EV_LIMIT]    = CALL_NOT_FOLLOWED,           /* let go to save memory */
    },
    [CALL_MEDIA_STOPPED] = {
        [CALL_EV_PROGRESS] = CALL_MEDIA_STOPPED,
        [CALL_EV_REFUSAL]  = CALL_MEDIA_STOPPED,          /* of another branch, very late */
        [CALL_EV_CANCEL]   = CALL_MEDIA_STOPPED,
        [CALL_EV_ANSWER]   = CALL_ACTIVE,
        [CALL_EV_DIALOG]   = CALL_ACTIVE,                 /* it goes on, or media came again */
        [CALL_EV_BYE]      = CALL_COMPLETED,              /* late, but it ended in order */
        [CALL_EV_SILENCE]  = CALL_MEDIA_STOPPED,
    },
    [CALL_COMPLETED] = {
        [CALL_EV_BYE]      = CALL_COMPLETED,              /* from both sides, or with credentials */
        [CALL_EV_REFUSAL]  = CALL_COMPLETED,
        [CALL_EV_ANSWER]   = CALL_COMPLETED,
        [CALL_EV_PROGRESS] = CALL_COMPLETED,
        [CALL_EV_DIALOG]   = CALL_COMPLETED,
        [CALL_EV_CANCEL]   = CALL_COMPLETED,
    },
    [CALL_SILENT] = {
        [CALL_EV_PROGRESS] = CALL_PROGRESS,               /* it was only slow */
        [CALL_EV_ANSWER]   = CALL_ACTIVE,
        [CALL_EV_REFUSAL]  = CALL_REFUSED,
        [CALL_EV_BYE]      = CALL_COMPLETED,
        [CALL_EV_INVITE]   = CALL_TRYING,
        [CALL_EV_CANCEL]   = CALL_CANCELLING,
        [CALL_EV_DIALOG]   = CALL_ACTIVE,
    },
};

enum call_state call_state_next(enum call_state from, enum call_event event)
{
    return (enum call_state)call_next[from][event];
}

bool call_state_is_over(enum call_state state)
{
    static const bool over[CALL_STATES] = {
        [CALL_CANCELLED] = true, [CALL_REFUSED] = true, [CALL_COMPLETED] = true,
        [CALL_SILENT] = true, [CALL_MEDIA_STOPPED] = true, [CALL_NOT_FOLLOWED] = true,
    };

    return over[state];
}

static const uint8_t registration_next[REGISTRATION_STATES][REGISTRATION_EVENTS] = {
    [REGISTRATION_NEW] = {
        [REGISTRATION_EV_ASK]     = REGISTRATION_REGISTERING,
        [REGISTRATION_EV_REMOVE]  = REGISTRATION_UNREGISTERING,
        [REGISTRATION_EV_BOUND]   = REGISTRATION_REGISTERED,      /* joined in the middle */
        [REGISTRATION_EV_UNBOUND] = REGISTRATION_UNREGISTERED,
        [REGISTRATION_EV_REFUSED] = REGISTRATION_FAILED,
    },
    [REGISTRATION_REGISTERING] = {
        [REGISTRATION_EV_ASK]     = REGISTRATION_REGISTERING,     /* with credentials */
        [REGISTRATION_EV_REMOVE]  = REGISTRATION_UNREGISTERING,
        [REGISTRATION_EV_BOUND]   = REGISTRATION_REGISTERED,
        [REGISTRATION_EV_UNBOUND] = REGISTRATION_UNREGISTERED,    /* 200 without our contact */
        [REGISTRATION_EV_REFUSED] = REGISTRATION_FAILED,
        [REGISTRATION_EV_SILENCE] = REGISTRATION_FAILED,
    },
    [REGISTRATION_REGISTERED] = {
        [REGISTRATION_EV_ASK]     = REGISTRATION_REFRESHING,      /* the list must not flap */
        [REGISTRATION_EV_REMOVE]  = REGISTRATION_UNREGISTERING,
        [REGISTRATION_EV_BOUND]   = REGISTRATION_REGISTERED,
        [REGISTRATION_EV_UNBOUND] = REGISTRATION_UNREGISTERED,    /* displaced */
        [REGISTRATION_EV_REFUSED] = REGISTRATION_REGISTERED,
        [REGISTRATION_EV_EXPIRED] = REGISTRATION_UNREGISTERED,
    },
    [REGISTRATION_REFRESHING] = {
        [REGISTRATION_EV_ASK]     = REGISTRATION_REFRESHING,
        [REGISTRATION_EV_REMOVE]  = REGISTRATION_UNREGISTERING,
        [REGISTRATION_EV_BOUND]   = REGISTRATION_REGISTERED,
        [REGISTRATION_EV_UNBOUND] = REGISTRATION_UNREGISTERED,
        [REGISTRATION_EV_REFUSED] = REGISTRATION_REGISTERED,      /* until its time is over */
        [REGISTRATION_EV_EXPIRED] = REGISTRATION_UNREGISTERED,
        [REGISTRATION_EV_SILENCE] = REGISTRATION_REGISTERED,
    },
    [REGISTRATION_UNREGISTERING] = {
        [REGISTRATION_EV_REMOVE]  = REGISTRATION_UNREGISTERING,
        [REGISTRATION_EV_ASK]     = REGISTRATION_REGISTERING,
        [REGISTRATION_EV_BOUND]   = REGISTRATION_REGISTERED,      /* the registrar kept it */
        [REGISTRATION_EV_UNBOUND] = REGISTRATION_UNREGISTERED,
        [REGISTRATION_EV_REFUSED] = REGISTRATION_REGISTERED,
        [REGISTRATION_EV_EXPIRED] = REGISTRATION_UNREGISTERED,
        [REGISTRATION_EV_SILENCE] = REGISTRATION_REGISTERED,
    },
    [REGISTRATION_UNREGISTERED] = {
        [REGISTRATION_EV_ASK]     = REGISTRATION_REGISTERING,
        [REGISTRATION_EV_REMOVE]  = REGISTRATION_UNREGISTERING,
        [REGISTRATION_EV_BOUND]   = REGISTRATION_REGISTERED,
        [REGISTRATION_EV_UNBOUND] = REGISTRATION_UNREGISTERED,
    },
    [REGISTRATION_FAILED] = {
        [REGISTRATION_EV_ASK]     = REGISTRATION_REGISTERING,
        [REGISTRATION_EV_REMOVE]  = REGISTRATION_UNREGISTERING,
        [REGISTRATION_EV_BOUND]   = REGISTRATION_REGISTERED,
        [REGISTRATION_EV_UNBOUND] = REGISTRATION_UNREGISTERED,
        [REGISTRATION_EV_REFUSED] = REGISTRATION_FAILED,
    },
};

enum registration_state registration_state_next(enum registration_state from,
                                                enum registration_event event)
{
    return (enum registration_state)registration_next[from][event];
}
