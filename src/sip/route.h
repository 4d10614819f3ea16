/* sip/route.h - where a call came from and is sent to: Refer-To, Replaces, Join, History-Info,
 * Diversion (RFC 3515, 3891, 3911, 7044, 5806).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIP_ROUTE_H
#define SIP_ROUTE_H

#include "sip/fields.h"

struct sip_replaces {                /* Replaces and Join */
    slice call_id, to_tag, from_tag;
    bool  early_only;
};
bool sip_replaces_parse(slice value, struct sip_replaces *ret);

/* Replaces in the headers of a Refer-To URI. It stands there escaped: unescaped into the
 * buffer, from which *ret borrows. False: none there, or it does not fit. */
bool sip_refer_replaces(slice refer_to, char *buffer, size_t size, struct sip_replaces *ret);

struct sip_history {                 /* one entry of History-Info */
    struct sip_name_addr addr;
    slice    index;                  /* "1.1.2" */
    bool     has_cause;              /* of the URI's cause parameter (RFC 4458), or, failing */
    uint32_t cause;                  /* that, of the Reason in its headers */
    slice    reason;                 /* that Reason, still escaped */
};
bool sip_history_next(slice *rest, struct sip_history *ret);

struct sip_diversion {
    struct sip_name_addr addr;
    slice    reason, privacy, screen;            /* "user-busy", "full", "yes" */
    bool     has_counter;
    uint32_t counter;
};
bool sip_diversion_next(slice *rest, struct sip_diversion *ret);

#endif
