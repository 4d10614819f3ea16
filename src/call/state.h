/* call/state.h - the states of a call and of a registration, and what may come next.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tracker and switch step through the same tables, so what is seen and what is done are told
 * in the same words. States are those of the monitor code family (2002, 2004, 999, 1000,
 * 8003, 8004, 8100; 1010 to 1013); a refused call shows the SIP code that refused it, a ringing
 * one its last 1xx. ACK is no event: it follows a refusal as well as an answer
 * (RFC 3261, 17.1.1.3), so it proves nothing. */
#ifndef CALL_STATE_H
#define CALL_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum call_state {
    CALL_NEW,                        /* no event yet; where no move leads */
    CALL_TRYING,                     /* 2002: INVITE sent, nothing above 100 has come */
    CALL_PROGRESS,                   /* shown as its last 1xx */
    CALL_CANCELLING,                 /* 2004: CANCEL sent, no final answer yet */
    CALL_CANCELLED,                  /* shown as its final code, mostly 487 */
    CALL_REFUSED,                    /* shown as its final code, 300 to 699 */
    CALL_ACTIVE,                     /* 999: a 2xx to the INVITE */
    CALL_COMPLETED,                  /* 1000: BYE seen after the answer */
    CALL_SILENT,                     /* 8003: nothing more was heard */
    CALL_MEDIA_STOPPED,              /* 8100: answered, its media stopped, no BYE was seen */
    CALL_NOT_FOLLOWED,               /* 8004: more calls at once than the tracker may follow */
    CALL_STATES
};

enum call_event {
    CALL_EV_INVITE,                  /* initial INVITE, or again after a refusal */
    CALL_EV_PROGRESS,                /* 101 to 199 */
    CALL_EV_ANSWER,                  /* 2xx to it */
    CALL_EV_REFUSAL,                 /* 300 to 699 and no other branch is still open */
    CALL_EV_CANCEL,
    CALL_EV_BYE,
    CALL_EV_SILENCE,                 /* the time that the tracker waits is over */
    CALL_EV_LIMIT,                   /* the tracker is full: not followed, or no longer */
    CALL_EV_DIALOG,                  /* joined in the middle: something that only an answered call has */
    CALL_EV_MEDIA_STOP,              /* no packet of media any more, in any direction */
    CALL_EVENTS
};

/* CALL_NEW: not expected here, stay and count a surprise. */
enum call_state call_state_next(enum call_state from, enum call_event event);
bool call_state_is_over(enum call_state state);

enum registration_state {
    REGISTRATION_NEW,
    REGISTRATION_REGISTERING,        /* 1010 */
    REGISTRATION_REGISTERED,         /* 1011 */
    REGISTRATION_REFRESHING,         /* 1011 with a refresh under way */
    REGISTRATION_UNREGISTERING,      /* 1012 */
    REGISTRATION_UNREGISTERED,       /* 1013: asked, expired or displaced */
    REGISTRATION_FAILED,             /* shown as its final code */
    REGISTRATION_STATES
};

enum registration_event {
    REGISTRATION_EV_ASK,             /* REGISTER with a lifetime */
    REGISTRATION_EV_REMOVE,          /* REGISTER with expires 0, or Contact: * */
    REGISTRATION_EV_BOUND,           /* 2xx that lists the contact with a lifetime */
    REGISTRATION_EV_UNBOUND,         /* 2xx that does not list it */
    REGISTRATION_EV_REFUSED,         /* final 3xx to 6xx that is not answered with credentials */
    REGISTRATION_EV_EXPIRED,         /* its lifetime ran out */
    REGISTRATION_EV_SILENCE,         /* no answer within timer F */
    REGISTRATION_EVENTS
};

enum registration_state registration_state_next(enum registration_state from,
                                                enum registration_event event);

#endif
