/* sip/multipart.h - the parts of a multipart body (RFC 2046, 5.1; RFC 5621).
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct sip_multipart parts;
 *     struct sip_part part;
 *     if (sip_multipart_of(content_type_value, body, &parts))
 *         while (sip_multipart_next(&parts, &part)) ...
 *
 * A part may be multipart itself: start again with its own type and body. */
#ifndef SIP_MULTIPART_H
#define SIP_MULTIPART_H

#include "sip/fields.h"

struct sip_multipart {
    slice boundary;                  /* without the leading "--" */
    slice rest;
    bool  open;                      /* a boundary was passed and it was not the last */
};
struct sip_part {
    slice headers;                   /* the lines, without the empty one */
    slice content_type;              /* whole value, with parameters; empty: text/plain */
    slice disposition, id;
    slice body;                      /* without the line end before the boundary */
    bool  cut;                       /* no boundary behind it */
};
/* False: not multipart, or without a boundary. */
bool sip_multipart_of(slice content_type, slice body, struct sip_multipart *ret);
bool sip_multipart_next(struct sip_multipart *parts, struct sip_part *ret);

/* The first body of that type ("application/sdp"), the message's own or, nested up to eight
 * deep, one of its parts. False: none. */
bool sip_body_of_type(const struct sip_message *m, slice type, slice *ret);

#endif
