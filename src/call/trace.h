/* call/trace.h - the log of a call: each distinct message in a few bytes, for diagnosis.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the record sums up, the trace keeps in order: rules look for "a PRACK for RSeq 2", the
 * alignment with a reference flow walks it, and evidence names its frames. Repeats and copies
 * on further hops are counted in the entry of the message that they repeat. It is dropped as
 * soon as the call was diagnosed (trace_done), so a finished call that waits stays small.
 *
 *     for (size_t i = 0; i < c->trace.count; i++)
 *         if (trace_is_response(&c->trace.messages[i], SIP_INVITE, 183)) ...
 *
 * Bounded: TRACE_MAX messages; later ones are only counted in `beyond`. Zero is ready. */
#ifndef CALL_TRACE_H
#define CALL_TRACE_H

#include "sip/message.h"

#define TRACE_MAX 512u

enum {                               /* traits of one message, bits */
    TRACE_FROM_CALLEE     = 1u << 0,     /* the callee's side sent it */
    TRACE_IN_DIALOG       = 1u << 1,     /* a request whose To has a tag */
    TRACE_SDP             = 1u << 2,
    TRACE_HOLD            = 1u << 3,     /* its SDP lets no media come back: sendonly, inactive, 0.0.0.0 */
    TRACE_RECVONLY        = 1u << 4,     /* the answer to a hold */
    TRACE_PRECONDITION    = 1u << 5,     /* its SDP has mandatory desired QoS (RFC 3312) */
    TRACE_QOS_MET         = 1u << 6,     /* and the current local status satisfies it */
    TRACE_NEEDS_100REL    = 1u << 7,     /* Require: 100rel */
    TRACE_KNOWS_100REL    = 1u << 8,     /* Supported: 100rel */
    TRACE_KNOWS_PRECOND   = 1u << 9,     /* Supported or Require: precondition */
    TRACE_CREDENTIALS     = 1u << 10,    /* Authorization or Proxy-Authorization */
    TRACE_STALE           = 1u << 11,    /* a challenge with stale=true */
    TRACE_RETRY_AFTER     = 1u << 12,
    TRACE_SESSION_TIMER   = 1u << 13,    /* Session-Expires */
    TRACE_REASON          = 1u << 14,
    TRACE_WARNING         = 1u << 15,
    TRACE_EARLY_MEDIA     = 1u << 16,    /* P-Early-Media that lets media through */
    TRACE_CALL_WAITING    = 1u << 17,    /* Alert-Info: urn:alert:service:call-waiting */
    TRACE_REPLACES        = 1u << 18,
    TRACE_T38             = 1u << 19,    /* m=image */
    TRACE_VIDEO           = 1u << 20,
    TRACE_CUT             = 1u << 21,    /* its end was not captured */
    TRACE_HEP             = 1u << 22,
    TRACE_DIVERTED        = 1u << 23,    /* Diversion or History-Info with more than the target */
    TRACE_FORKED          = 1u << 24,    /* another To-tag than the first response's */
    TRACE_ALLOWS_UPDATE   = 1u << 25,    /* Allow: UPDATE */
    TRACE_DTMF            = 1u << 26,    /* INFO with a DTMF body */
};

struct trace_message {
    int64_t  at_ns;
    uint64_t frame;
    uint32_t last_after_ms;          /* of its last repeat, since at_ns; 0: none */
    uint32_t cseq;
    uint32_t rseq;                   /* of a reliable 1xx; of a PRACK the RSeq in its RAck */
    uint32_t traits;
    uint16_t status;                 /* 0: a request */
    uint16_t repeats, copies;        /* retransmissions where it was first seen; hop and capture copies */
    uint16_t far_repeats;            /* retransmissions on other hops */
    uint16_t bytes;                  /* of the message; 65535: as many or more */
    uint16_t q850;                   /* of its Reason header, 0: none */
    uint8_t  method;                 /* enum sip_method; of a response that of its request */
    uint8_t  hop;                    /* which pair of addresses it was first seen on, from 0 */
    uint8_t  vias;
    uint8_t  transport;              /* enum wire_transport */
};

struct trace {
    struct trace_message *messages;
    uint16_t count, room;
    uint32_t beyond;                 /* distinct messages that found no place */
};

/* Full, or no memory: it is counted in `beyond`. */
void   trace_add(struct trace *t, const struct trace_message *m);
/* The newest entry of this message on its way again, or NULL. */
struct trace_message *trace_find(const struct trace *t, const struct trace_message *like);
void   trace_done(struct trace *t);
size_t trace_memory_bytes(const struct trace *t);

static inline bool trace_is_request(const struct trace_message *m, enum sip_method method)
{
    return m->status == 0 && m->method == method;
}
static inline bool trace_is_response(const struct trace_message *m, enum sip_method method, unsigned status)
{
    return m->status == status && m->method == method;
}

#endif
