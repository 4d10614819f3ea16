/* sip/values.h - headers of which tracking and diagnosis need the inside.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each function reads one header value (or, named ..._next, one value of a list and moves
 * on). Everything borrows from the value. A parser that returns false leaves *ret as it was;
 * a ..._next returns false at the end and passes over what it cannot read. Numbers that do not
 * fit are refused, never cut. Quoted text comes without quotes, still escaped (sip_unquote). */
#ifndef SIP_VALUES_H
#define SIP_VALUES_H

#include "sip/fields.h"

/* ---- Contact (20.10) ---- */
struct sip_contact {
    bool     star;                   /* "*": all of them, nothing else is set */
    struct sip_name_addr addr;
    bool     has_expires, has_q;
    uint32_t expires_s;
    uint16_t q_thousandth;           /* 0 to 1000 */
};
bool sip_contact_next(slice *rest, struct sip_contact *ret);

/* ---- reliable provisional responses (RFC 3262) ---- */
struct sip_rack {
    uint32_t        rseq, cseq;
    slice           method;
    enum sip_method method_id;
};
bool sip_rseq_parse(slice value, uint32_t *ret);
bool sip_rack_parse(slice value, struct sip_rack *ret);

/* ---- times ---- */

/* delta-seconds, with or without parameters behind it: Expires, Min-Expires, Min-SE. */
bool sip_seconds_parse(slice value, uint32_t *ret);

enum sip_refresher { SIP_REFRESHER_NONE, SIP_REFRESHER_UAC, SIP_REFRESHER_UAS };
struct sip_session_expires {         /* RFC 4028 */
    uint32_t           interval_s;
    enum sip_refresher refresher;
};
bool sip_session_expires_parse(slice value, struct sip_session_expires *ret);

struct sip_retry_after {             /* 20.33 */
    uint32_t after_s;
    slice    comment;                /* without the parentheses */
    bool     has_duration;
    uint32_t duration_s;
};
bool sip_retry_after_parse(slice value, struct sip_retry_after *ret);

/* ---- why ---- */
struct sip_warning {                 /* 20.43: 307 isi.edu "Session parameter 'foo' ..." */
    uint16_t code;                   /* three digits */
    slice    agent, text;
};
bool sip_warning_next(slice *rest, struct sip_warning *ret);

struct sip_reason {                  /* RFC 3326: Q.850;cause=16;text="Terminated" */
    slice    protocol;
    bool     has_cause;
    uint32_t cause;
    slice    text;
};
bool sip_reason_next(slice *rest, struct sip_reason *ret);

/* ---- events (RFC 6665) ---- */
struct sip_event {
    slice package, id, params;
};
bool sip_event_parse(slice value, struct sip_event *ret);
struct sip_subscription_state {
    slice    state, reason;          /* "active" ..., "deactivated" ... */
    bool     has_expires, has_retry_after;
    uint32_t expires_s, retry_after_s;
};
bool sip_subscription_state_parse(slice value, struct sip_subscription_state *ret);

/* ---- operators' headers ---- */
struct sip_charging_vector {         /* P-Charging-Vector (RFC 7315) */
    slice icid, generated_at, orig_ioi, term_ioi;
};
bool sip_charging_vector_parse(slice value, struct sip_charging_vector *ret);

enum {                               /* P-Early-Media (RFC 5009) */
    SIP_EARLY_SUPPORTED = 1, SIP_EARLY_SENDRECV = 2, SIP_EARLY_SENDONLY = 4,
    SIP_EARLY_RECVONLY = 8, SIP_EARLY_INACTIVE = 16, SIP_EARLY_GATED = 32,
};
unsigned sip_early_media_read(slice value);      /* bits of the above; unknown words are no bit */

struct sip_session_id {              /* RFC 7989; of RFC 7329 only local */
    slice local, remote;             /* 32 hexadecimal digits each, or empty */
};
bool sip_session_id_parse(slice value, struct sip_session_id *ret);

/* ---- content ---- */
struct sip_content_type {            /* also Content-Disposition: then subtype is empty */
    slice type, subtype, params;     /* "application", "sdp" */
};
bool sip_content_type_parse(slice value, struct sip_content_type *ret);

#endif
