/* diagnose/vendor.h - habits of products: where their codes mean something else than in the RFC.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DIAGNOSE_VENDOR_H
#define DIAGNOSE_VENDOR_H

#include "base/slice.h"

enum {                               /* traits of a product, bits */
    VENDOR_SWITCH       = 1u << 0,   /* a server, switch or gateway: no phone, no person */
    VENDOR_603_IS_21    = 1u << 1,   /* 603 for any rejection, cause 21 (RFC 3398: 403) */
    VENDOR_483_IS_25    = 1u << 2,   /* 483 for an exchange routing error */
    VENDOR_488_IS_88    = 1u << 3,   /* 488 for incompatible destination (RFC 3398: 503) */
    VENDOR_429_IS_436   = 1u << 4,   /* 429 for bad identity data */
    VENDOR_480_IS_ANY   = 1u << 5,   /* 480 for most ends without a reason of their own */
    VENDOR_503_IS_ANY   = 1u << 6,   /* 503 when nothing else fits, congestion or not */
    VENDOR_PHONE        = 1u << 7,   /* a telephone */
    VENDOR_OWN_MAP      = 1u << 8,   /* its table between SIP and Q.850 differs from RFC 3398 */
};

struct vendor {
    slice    prefix;                 /* of Server or User-Agent, case aside */
    slice    name;
    unsigned traits;
};

/* By its Server or User-Agent; one without traits when nobody knows it. */
const struct vendor *vendor_find(slice agent);

#endif
