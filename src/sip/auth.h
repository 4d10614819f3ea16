/* sip/auth.h - WWW-Authenticate, Proxy-Authenticate, Authorization, Proxy-Authorization and
 * Authentication-Info (RFC 3261, 20.7 and 20.44; RFC 7616; RFC 8760; RFC 3310 for AKA).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reads what is written; computes and checks nothing. Everything borrows from the value,
 * quoted text without its quotes. */
#ifndef SIP_AUTH_H
#define SIP_AUTH_H

#include "sip/fields.h"

struct sip_auth {
    slice scheme;                    /* "Digest"; empty in Authentication-Info */
    slice params;                    /* all behind the scheme, up to the next one */
    slice realm, nonce, opaque, domain, algorithm;
    slice qop;                       /* of a challenge a list: "auth,auth-int" */
    slice username, uri, response, cnonce, auts;         /* of credentials */
    slice rspauth, nextnonce;        /* of Authentication-Info */
    bool  stale;
    bool  has_nc;
    uint32_t nc;                     /* eight hexadecimal digits */
};
/* Next challenge or credentials of a value; mostly there is one. False at the end. */
bool sip_auth_next(slice *rest, struct sip_auth *ret);
/* Authentication-Info and Proxy-Authentication-Info: parameters only. */
bool sip_auth_info_parse(slice value, struct sip_auth *ret);
/* Any parameter by name, case aside. */
bool sip_auth_param_find(slice params, slice name, slice *ret);
/* Does the qop list offer it ("auth", "auth-int")? */
bool sip_auth_offers(const struct sip_auth *auth, slice qop);

#endif
