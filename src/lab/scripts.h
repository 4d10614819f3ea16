/* lab/scripts.h - the flows of the lab: what each phone does, and what it should hear.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One table a flow. A row is either something a phone is asked to do, or something that has to
 * come to it; lab/play.h goes through them in order. What a phone does by itself (ACK, PRACK, the
 * answer to an offer) is in no row. Phone a is alice, b bob, c carol (lab/server.h).
 *
 *     const struct script *s = script_find(SLICE("hold"));                                */
#ifndef LAB_SCRIPTS_H
#define LAB_SCRIPTS_H

#include "codes/words.h"
#include "lab/phone.h"
#include "lab/server.h"

enum script_what {
    SCRIPT_END,                      /* behind the last row */
    /* asked of a phone */
    SCRIPT_PAUSE,                    /* number: ms */
    SCRIPT_REGISTER,                 /* number: seconds, 0: away */
    SCRIPT_DIAL,                     /* number: whom, 'b'; how: PHONE_RELIABLE ... */
    SCRIPT_ANSWER,                   /* number: status; how: SCRIPT_WITH_SDP, SCRIPT_RELIABLY */
    SCRIPT_HANG_UP,
    SCRIPT_OFFER,                    /* number: SIP_INVITE or SIP_UPDATE; how: enum phone_media */
    SCRIPT_READY,                    /* its resources are there */
    SCRIPT_REDIRECT,                 /* number: to whom, 'c'; 302 */
    SCRIPT_REFER,                    /* number: to whom, 'c'; how: 1 and the line of its call that is replaced, or 0 */
    /* waited for */
    SCRIPT_REGISTERED,               /* number: status */
    SCRIPT_CALLED,
    SCRIPT_HEARS,                    /* number: status, 101 to 199 */
    SCRIPT_PRACKED,                  /* its reliable answer was acknowledged */
    SCRIPT_CONFIRMED,                /* its PRACK was answered */
    SCRIPT_OFFERED,                  /* number: the method */
    SCRIPT_CHANGED,                  /* number: status of its own offer */
    SCRIPT_ACCEPTED,                 /* number: status of its REFER */
    SCRIPT_TOLD,                     /* number: status in a NOTIFY */
    SCRIPT_UP,                       /* 200; for who was called, the ACK */
    SCRIPT_ENDED                     /* number: final status, 200: by BYE */
};
enum { SCRIPT_WITH_SDP = 1, SCRIPT_RELIABLY = 2 };
enum { SCRIPT_PHONES = 3, SCRIPT_LINES = 2 };             /* calls of one phone at a time */

struct script_step {
    char     who;                    /* 'a', 'b', 'c'; 0: everybody waits */
    uint8_t  what;
    uint16_t number, how;
    uint8_t  line;                   /* which of its calls: 0 is its first */
};
struct script {
    const char *name;                /* of the flow, or of a variant */
    const char *flow;                /* its reference in data/flows; NULL: only what the phones hear counts */
    bool        has_purpose;
    enum text_id purpose;            /* of a variant; else that of the flow */
    const char *phones;              /* who takes part: "ab" */
    bool        is_registration;     /* else they are registered before it begins */
    struct lab_wishes wishes;
    const struct script_step *steps;
};

size_t script_count(void);
const struct script *script_at(size_t i);
const struct script *script_find(slice name);             /* NULL: there is none */
slice  script_purpose(const struct script *s, const struct words *w);

/* How the message that a row is about is called on the wire: "INVITE", "486", "BYE". */
enum { SCRIPT_LABEL_MAX = 32 };
slice  script_label(enum script_what what, unsigned number, bool outgoing, char room[SCRIPT_LABEL_MAX]);

#endif
