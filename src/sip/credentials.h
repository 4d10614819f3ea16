/* sip/credentials.h - answering a challenge: Authorization and Proxy-Authorization
 * (RFC 3261, 22.2 and 22.3; RFC 7616; RFC 8760).
 * SPDX-License-Identifier: Apache-2.0
 *
 * For whoever is challenged, a phone or a server that calls by a provider. Pure: what is
 * random is brought along, and whether to answer at all, and how often, is the caller's to
 * know: a second challenge without `stale` means that the password is wrong.
 *
 *     struct sip_credentials who = { user, password, SLICE("INVITE"), uri, body, cnonce };
 *     if (sip_credentials_write(&o, digest, challenge, &who) > 0) ... the request again, with these lines ...
 *
 * One line for each realm that asks (a request that was forked has several), by the first of
 * its algorithms that we know: their order is the server's wish (RFC 8760, 2.4). What a
 * challenge makes us write is bounded: so many realms, and texts of so many bytes. */
#ifndef SIP_CREDENTIALS_H
#define SIP_CREDENTIALS_H

#include "base/out.h"
#include "sip/digest.h"
#include "sip/message.h"

enum { SIP_CREDENTIALS_REALMS_MAX = 4, SIP_CREDENTIALS_TEXT_MAX = 1024 };

struct sip_credentials {
    slice user, password;            /* as they are, without escapes */
    slice method, uri, body;         /* of the request that will carry them; body for qop=auth-int */
    slice cnonce;                    /* new and not to be guessed */
};

/* Whole header lines that answer the challenges of `m`, a 401 or 407; how many. 0: none that can
 * be answered, and nothing was written. */
unsigned sip_credentials_write(struct out *o, struct digest *d, const struct sip_message *m,
                               const struct sip_credentials *who);
/* Does one of them say that only the nonce was too old? */
bool sip_challenge_is_stale(const struct sip_message *m);

#endif
