/* sip/sdp.h - a session description (RFC 8866) as slices of the bytes it came in.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One pass, no allocation; the rest is decoded when asked. What is wrong is a flaw, the
 * other lines are still read. Everything borrows from the text.
 *
 *     struct sdp sdp;
 *     slice text;
 *     if (sip_sdp_of(&m, &text) && sdp_parse(text, &sdp))
 *         for (unsigned i = 0; i < sdp.media_count; i++)
 *             ... sdp.media[i].port, sdp_media_connection(&sdp, i)                          */
#ifndef SIP_SDP_H
#define SIP_SDP_H

#include "sip/message.h"

#define SDP_MEDIA_MAX 32             /* more are counted in media_total, as a flaw */
#define SDP_FLAWS_MAX 8

enum sdp_direction { SDP_DIRECTION_NONE, SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

struct sdp_connection {              /* c= and the address of o= */
    slice   address;                 /* without "/ttl"; empty: none */
    uint8_t family;                  /* 4, 6, or 0 for another or none */
};

struct sdp_media {
    slice    type;                   /* "audio" */
    uint16_t port;                   /* 0: refused or switched off */
    uint16_t port_count;             /* of "49170/2"; 1 when there is none */
    slice    proto;                  /* "RTP/AVP" */
    slice    formats;                /* "0 8 101", or what the protocol says */
    slice    lines;                  /* behind m=, up to the next m= */

    struct sdp_connection connection;            /* of its own; see sdp_media_connection */
    enum sdp_direction direction;    /* of its own; see sdp_media_direction */
    uint32_t bandwidth_as_kbps;      /* b=AS; 0: none */
    uint16_t ptime_ms, maxptime_ms;  /* 0: none */
    uint16_t rtcp_port;              /* a=rtcp (RFC 3605); 0: port + 1 */
    struct sdp_connection rtcp;      /* its address, mostly none */
    bool     rtcp_mux;               /* RFC 5761 */
    slice    mid, setup, fingerprint;            /* values, as written */
    uint16_t crypto_count, candidate_count, precondition_count;      /* see sdp_attr_next */
};

struct sdp_origin {
    slice username, session_id, version;
    struct sdp_connection address;
};

struct sdp {
    slice    text;
    struct sdp_origin origin;
    slice    session_name, timing;               /* s= and the first t= */
    slice    lines;                              /* session level: up to the first m= */
    struct sdp_connection connection;
    enum sdp_direction direction;
    uint32_t bandwidth_as_kbps;
    slice    setup, fingerprint;                 /* of the session, for media without its own */
    bool     ice_lite;

    uint16_t media_count;            /* in media[] */
    uint16_t media_total;            /* m= lines */
    uint16_t flaw_count;             /* may pass SDP_FLAWS_MAX */
    struct sip_flaw flaws[SDP_FLAWS_MAX];        /* header is UINT16_MAX, offsets into text */
    struct sdp_media media[SDP_MEDIA_MAX];       /* only media_count of them are set */
};

/* False: not SDP at all, that is, the first line is not "x=". */
bool sdp_parse(slice text, struct sdp *ret);
/* The SDP of a message: its body, or the first such part of a multipart body. */
bool sip_sdp_of(const struct sip_message *m, slice *ret);

/* What counts for a media line: its own, or that of the session. Default: sendrecv. */
enum sdp_direction    sdp_media_direction(const struct sdp *sdp, unsigned media);
struct sdp_connection sdp_media_connection(const struct sdp *sdp, unsigned media);
/* Does this side hold it? sendonly, inactive, or the old way: c=0.0.0.0 (RFC 3264, 8.4). A
 * refused line (port 0) is not held. */
bool sdp_is_hold(const struct sdp *sdp, unsigned media);

/* Attributes of `lines`, in order; a flag has an empty value. False at the end. */
bool sdp_attr_next(slice *lines, slice *ret_name, slice *ret_value);
bool sdp_attr_find(slice lines, slice name, slice *ret_value);

/* ---- values of attributes ---- */

struct sdp_codec {
    uint8_t  payload_type;
    slice    name;                   /* "PCMU" */
    uint32_t clock_hz;
    uint8_t  channels;
};
bool sdp_rtpmap_parse(slice value, struct sdp_codec *ret);
/* What a payload type means on a media line: its rtpmap, or the static table of RFC 3551. */
bool sdp_codec_of(const struct sdp_media *media, unsigned payload_type, struct sdp_codec *ret);
/* All of them in the order of the line, in one pass; how many. One that nobody explains has no
 * name. */
size_t sdp_codecs_of(const struct sdp_media *media, struct sdp_codec *ret, size_t room);
/* The fmtp parameters of a payload type ("0-16", "annexb=no"), or false. */
bool sdp_fmtp_of(const struct sdp_media *media, unsigned payload_type, slice *ret);
/* Next payload type of an RTP media line. False at the end. */
bool sdp_format_next(slice *formats, unsigned *ret_payload_type);

struct sdp_crypto {                  /* RFC 4568 */
    uint32_t tag;
    slice    suite, key_params, session_params;
};
bool sdp_crypto_parse(slice value, struct sdp_crypto *ret);

struct sdp_candidate {               /* RFC 8839 */
    slice    foundation, transport, address, type;           /* type: "host", "srflx" ... */
    uint32_t component, priority;
    uint16_t port;
    slice    related_address;        /* empty: none */
    uint16_t related_port;
};
bool sdp_candidate_parse(slice value, struct sdp_candidate *ret);

enum sdp_precondition_kind { SDP_CURRENT, SDP_DESIRED, SDP_CONFIRM };
struct sdp_precondition {            /* RFC 3312, RFC 4032 */
    enum sdp_precondition_kind kind;
    slice type;                      /* "qos" */
    slice strength;                  /* of SDP_DESIRED: "mandatory", "optional", "none" ... */
    slice status;                    /* "e2e", "local", "remote" */
    slice direction;                 /* "none", "send", "recv", "sendrecv" */
};
/* `name` is that of the attribute: curr, des or conf. */
bool sdp_precondition_parse(slice name, slice value, struct sdp_precondition *ret);

#endif
