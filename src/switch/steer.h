/* switch/steer.h - which worker owns a message, before it is parsed.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Workers share no calls, transactions or dialogs: whatever belongs together has to come to one of
 * them, wherever the kernel delivered it. The rules, first that applies:
 *
 *     response          the token in the branch of the topmost Via: who sent the request
 *     REGISTER          the user of To: the order of CSeq and the contacts have one owner
 *     To tag            our token: every dialog of ours has a tag of ours, whichever side began it
 *     INVITE, Replaces  the to-tag there, a tag of ours again; else its Call-ID, as if it were this one's
 *     Call-ID           our token (B's side), else its hash (A's side)
 *     none of these     whoever received it
 *
 * Tokens are those of endpoint_token: their first letter is the worker. What looks like a token
 * and is not ours leads somewhere, too, and always to the same place. Two messages cannot be steered:
 * the CANCEL of an INVITE that had a Replaces has no To tag and the Call-ID leads elsewhere: the
 * endpoint says that it is astray there, and it goes the round (endpoint.h). A REGISTER for an alias
 * comes to who the alias would belong to, and is passed on to the user's (worker.h).
 *
 * The bytes are hostile. This looks for a few header lines and agrees with the parser on what phones
 * send; where it does not, a message comes to the wrong worker and is answered there with 481. */
#ifndef SWITCH_STEER_H
#define SWITCH_STEER_H

#include "base/hash.h"
#include "wire/hop.h"

enum { STEER_WORKERS_MAX = 32 };     /* the letters of endpoint_token */

struct steer {
    struct hash_seed seed;           /* secret, and the same for all workers */
    unsigned         count;          /* workers, from 1 on */
};
struct steered {
    unsigned worker;
    bool     is_register;
};

/* `here`: who received it. */
struct steered steer_message(const struct steer *s, slice bytes, unsigned here);
/* Of an address-of-record, the key of switch/bindings.h; agrees with its REGISTER. */
unsigned steer_aor(const struct steer *s, slice key);
/* Who opens and keeps the connection of a hop that names none: one for all, not one of each. */
unsigned steer_hop(const struct steer *s, const struct hop *hop);

#endif
