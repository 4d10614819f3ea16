/* call/facts.h - what diagnosis wants to know of a call beyond its record.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A block of its own, made when the first of it is seen (call->facts, NULL before) and dropped
 * with the trace once the call was diagnosed, its text with it. The last word of each side is
 * kept; 0 or empty: not seen. */
#ifndef CALL_FACTS_H
#define CALL_FACTS_H

#include "base/address.h"
#include "base/arena.h"
#include "call/incident.h"
#include "sip/message.h"

enum {                               /* of one side's session description, bits */
    CALL_SDP_SRTP         = 1u << 0,     /* RTP/SAVP, SAVPF or UDP/TLS/... */
    CALL_SDP_CRYPTO       = 1u << 1,     /* a=crypto (RFC 4568) */
    CALL_SDP_DTLS         = 1u << 2,     /* a=fingerprint */
    CALL_SDP_ICE          = 1u << 3,     /* a=candidate */
    CALL_SDP_DTMF         = 1u << 4,     /* telephone-event */
    CALL_SDP_VIDEO        = 1u << 5,
    CALL_SDP_T38          = 1u << 6,
    CALL_SDP_PRIVATE      = 1u << 7,     /* its media address is of a private range */
    CALL_SDP_NAT          = 1u << 8,     /* private, and the message came from a public address */
    CALL_SDP_ZERO         = 1u << 9,     /* c=0.0.0.0 */
    CALL_SDP_REFUSED      = 1u << 10,    /* audio with port 0 */
    CALL_SDP_NO_AUDIO     = 1u << 11,
    CALL_SDP_ALG          = 1u << 12,    /* its o= or c= was rewritten in part: they disagree in kind */
    CALL_SDP_OFFER        = 1u << 13,    /* this was an offer; else an answer */
    CALL_SDP_AMR          = 1u << 14,    /* AMR or AMR-WB is among its codecs */
    CALL_SDP_AMR_ALIGNED  = 1u << 15,    /* with octet-align=1 (RFC 4867) */
    CALL_SDP_FLAWED       = 1u << 16,    /* it breaks the grammar of SDP */
    CALL_SDP_IPV6         = 1u << 17,    /* its media address is of IPv6 */
    CALL_SDP_AMR_PACKED   = 1u << 19,    /* AMR without octet-align: bandwidth-efficient */
    CALL_SDP_RELAYED      = 1u << 18,    /* an ICE candidate of type srflx or relay: more than its own address */
};

enum {                               /* of the first INVITE, bits */
    CALL_INVITE_IDENTITY  = 1u << 0,     /* Identity (RFC 8224) */
    CALL_INVITE_ANONYMOUS = 1u << 1,     /* anonymous From, or Privacy: id */
    CALL_INVITE_REFERRED  = 1u << 2,     /* Referred-By */
    CALL_INVITE_LOCATION  = 1u << 3,     /* Geolocation */
    CALL_INVITE_NO_RPORT  = 1u << 4,     /* its topmost Via asks for no rport (RFC 3581) */
    CALL_INVITE_CUT       = 1u << 5,     /* its end was not captured */
    CALL_INVITE_HELD_BACK = 1u << 6,     /* fragments: whole only after several packets */
    CALL_INVITE_FLAWED    = 1u << 7,     /* breaks the grammar so that a strict server refuses it */
};

enum call_location {                 /* of the Q.850 cause (RFC 8606) */
    CALL_LOCATION_NONE, CALL_LOCATION_USER, CALL_LOCATION_NETWORK,
};

struct call_hop {                    /* a pair of machines that passed messages of the call */
    struct address src, dst;         /* of the first message between them */
    bool    invite;                  /* and that was an INVITE */
};
#define CALL_HOPS_MAX 16u

struct call_sdp {                    /* the first audio line of the newest SDP of one side */
    int64_t  at_ns;                  /* 0: this side sent none */
    uint64_t frame;
    struct address media;            /* where it wants to receive */
    slice    codecs;                 /* call_facts_codecs fills it when asked */
    slice    lines;                  /* its attributes, as written */
    slice    formats;                /* the payload types, as written: "0 18 101" */
    slice    origin;                 /* session id and version of its o= line */
    uint32_t flags;
    uint16_t ptime_ms;
    uint16_t candidates;             /* of ICE */
    uint8_t  direction;              /* enum sdp_direction */
};

/* A header that no RFC knows and whose value looks like an identity: legs are joined by it. */
#define CALL_HEADERS_MAX 6u
struct call_header {
    slice name, value;
};

struct call_facts {
    struct arena    arena;           /* of the text below */
    struct call_sdp sdp[2];          /* [0] the caller's, [1] the callee's */
    struct address  contact[2];      /* Contact, when its host is a number; family 0 otherwise */
    struct address  contact_from[2]; /* where the message with that Contact came from */
    struct address  via_sent_by;     /* of the caller's topmost Via, when a number */
    struct address  via_received;    /* as its server wrote it back */
    struct call_header headers[CALL_HEADERS_MAX];    /* of the first INVITE */
    uint8_t  header_count;
    struct incident *incidents;      /* CALL_INCIDENT_ABOUTS of them, count 0: none; NULL: not one */
    slice    realm, nonce;           /* of the last challenge */
    slice    auth_user;
    slice    warning;                /* value of the last Warning header */
    slice    detail;                 /* what the final response says of its reason: Allow of a 405, */
    uint16_t detail_header;          /* Unsupported of a 420 ...; enum sip_header_id */
    uint16_t max_forwards;           /* of the first INVITE; UINT16_MAX: none */
    uint32_t retry_after_s;
    uint32_t invite_bytes;           /* the largest INVITE */
    uint16_t challenges;             /* 401 and 407 to INVITEs that carried credentials */
    uint16_t stale;                  /* of these, with stale=true */
    uint16_t same_nonce;             /* challenges that repeated the nonce just refused */
    slice    auth_realm;             /* that the credentials of the last INVITE named */
    slice    algorithm;              /* that the last challenge offers, "MD5" if that is one; empty: none came */
    slice    content_type;           /* of the first INVITE */
    slice    priority;               /* its Resource-Priority */
    uint32_t asked_session_s;        /* its Session-Expires, 0: none */
    slice    diverted_to;            /* last target of its History-Info, or who diverted */
    slice    bad_header;             /* name of the first header of the INVITE that breaks the grammar */
    struct call_hop *hops;           /* by trace_message.hop, in the arena */
    struct address answer_before;    /* where an earlier answer wanted media, without an offer in between */
    uint64_t answer_before_frame;    /* 0: the answer did not change */
    int64_t  challenge_ns;           /* of the last challenge */
    uint32_t min_se_s;               /* of a 422 */
    uint32_t challenge_age_s;        /* how old the challenge was when it was called stale */
    int32_t  clock_skew_s;           /* Date of a message less its time */
    uint64_t clock_skew_frame;       /* 0: no Date was seen */
    uint32_t capture_copies;         /* the same packet captured again on the same way */
    uint16_t invite_flags;
    uint8_t  hop_count;
    uint8_t  vias_max;               /* most that an INVITE of it had */
    uint8_t  location;               /* enum call_location, of the last Reason */
    uint8_t  release_cause;          /* Reason: RELEASE_CAUSE;cause= (TS 24.229), 0: none */
    bool     clock_skew_of_callee;
    bool     other_nonce;            /* the credentials did not use the newest nonce */
    bool     late_offer;             /* the INVITE had no SDP */
    bool     answer_without_sdp;     /* the ACK that had to bring the answer had none */
    bool     refresher_is_callee;    /* refresher=uas in the 2xx */
    bool     callee_binding_known;   /* a registration of the called user was seen */
    int64_t  callee_binding_until_ns;    /* its end, when known */
};

/* "PCMU/8000 G729/8000 telephone-event/8000", in the order of that side's line; empty: none. */
slice call_facts_codecs(struct call_facts *f, unsigned side);

#endif
