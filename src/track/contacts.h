/* track/contacts.h - the contacts of a REGISTER or of its 2xx, with their lifetimes.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A lifetime is the contact's own `expires`, else the message's Expires, else the default
 * (RFC 3261, 10.2.1.1 and 10.3). Borrows from the message. */
#ifndef TRACK_CONTACTS_H
#define TRACK_CONTACTS_H

#include "sip/message.h"

#define CONTACTS_EXPIRES_DEFAULT_S 3600u

struct contact {
    slice    uri;                    /* "*": every contact */
    uint32_t expires_s;
};
struct contacts {                    /* a cursor */
    const struct sip_message *message;
    const struct sip_header  *header;
    slice                     rest;
    uint32_t                  expires_s;
};
struct contacts contacts_of(const struct sip_message *m);
bool contacts_next(struct contacts *all, struct contact *ret);

uint32_t contacts_expires_s(const struct sip_message *m);        /* Expires, or the default */
uint32_t contacts_min_expires_s(const struct sip_message *m);    /* Min-Expires, or 0 */

#endif
