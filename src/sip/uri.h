/* sip/uri.h - sip, sips, tel, urn and other URIs (RFC 3261, 19.1; RFC 3966; RFC 8141).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Cuts, and leaves %-escapes as they are; sip_unescape undoes them where a person or a
 * comparison needs it. An escaped %40 is data, never the '@' that ends the user.
 *
 *     struct sip_uri uri;
 *     if (sip_uri_parse(m.from.uri, &uri))
 *         ... uri.user, uri.host, uri.port                                                  */
#ifndef SIP_URI_H
#define SIP_URI_H

#include "sip/message.h"

enum sip_scheme { SIP_SCHEME_OTHER, SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL, SIP_SCHEME_URN };

struct sip_uri {
    enum sip_scheme    scheme;
    enum sip_flaw_kind flaw;         /* SIP_FLAW_NONE, URI_BAD, IPV6_WITHOUT_BRACKETS ... */
    slice    scheme_text;            /* "sip", as written */
    slice    rest;                   /* all behind "scheme:" */
    slice    user;                   /* with what ';' holds in it; of tel: the number. ptr NULL: none */
    slice    password;               /* ptr NULL: none */
    slice    host;                   /* without brackets */
    bool     is_ipv6;
    uint16_t port;                   /* 0: none given */
    slice    params;                 /* from the first ';' behind the host (or number) on */
    slice    headers;                /* behind '?', without it */
};
/* False: no scheme. What is wrong with the rest is in ret->flaw. */
bool sip_uri_parse(slice text, struct sip_uri *ret);

/* The user of sip: and sips:, the number of tel:, otherwise empty. Still escaped. */
slice sip_uri_user(slice text);
/* The host of sip: and sips:, otherwise empty. */
slice sip_uri_host(slice text);

/* Next "name=value" of the headers part ("Replaces=..&Subject=.."). False at the end. */
bool sip_uri_header_next(slice *rest, slice *ret_name, slice *ret_value);
bool sip_uri_header_find(slice headers, slice name, slice *ret);

/* %hh undone into a buffer as far as it fits; a % without two digits stays. */
slice sip_unescape(slice s, char *buffer, size_t size);
/* A telephone number without ( ) - . and blanks, escapes and parameters ("+1-201;ext=2" gives
 * "+1201"), into a buffer. Empty when it is no number: a letter in it. */
slice sip_number_of(slice user, char *buffer, size_t size);

/* Do both lead to the same place? 19.1.4 for sip and sips, RFC 3966 section 4 for tel, else
 * byte for byte behind the scheme. */
bool sip_uri_same(slice a, slice b);

#endif
