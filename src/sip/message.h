/* sip/message.h - one SIP message as slices of the bytes it came in (RFC 3261, 7 and 25).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure: no memory of the last message, no allocation, no clock. The caller owns the bytes
 * and the header array; everything in a sip_message borrows from the bytes.
 *
 *     struct sip_header room[SIP_HEADERS_MAX];
 *     struct sip_message m;
 *     ptrdiff_t used = sip_message_parse(bytes, SIP_DATAGRAM, room, ARRAY_LEN(room), &m);
 *     // > 0: bytes used; 0: a stream that needs more; < 0: this is not SIP
 *
 * A breach of grammar is a flaw, never the end of the message and never a change of identity:
 * names are compared whole (a hash only finds the candidate), a Call-ID is kept to the last
 * byte, and what cannot be decoded is left empty with a flaw beside it.
 *
 * What tracking needs of every message (Call-ID, From, To, CSeq, topmost Via, content) is
 * decoded here in the same pass; everything else is decoded when asked, from the header's
 * value: sip/fields.h (lists, parameters, addresses, Via), sip/values.h (Contact, Reason,
 * timers ...), sip/auth.h, sip/route.h (Refer-To, Replaces, History-Info, Diversion),
 * sip/uri.h, sip/multipart.h and sip/sdp.h. */
#ifndef SIP_MESSAGE_H
#define SIP_MESSAGE_H

#include "base/slice.h"

#define SIP_HEADERS_MAX 256          /* more are counted as a flaw; the rest are not indexed */
#define SIP_FLAWS_MAX   16           /* more are only counted */

/* The fourteen methods of IANA; anything else is SIP_UNKNOWN with its text kept. */
enum sip_method {
    SIP_UNKNOWN, SIP_INVITE, SIP_ACK, SIP_BYE, SIP_CANCEL, SIP_OPTIONS, SIP_REGISTER, SIP_PRACK,
    SIP_SUBSCRIBE, SIP_NOTIFY, SIP_PUBLISH, SIP_INFO, SIP_REFER, SIP_MESSAGE, SIP_UPDATE,
    SIP_METHODS
};

/* Headers known by name; compact forms lead to the same id. sip/headers.def lists
 * X(ID, "Name", 'compact' or 0). */
enum sip_header_id {
    SIP_H_OTHER,
#define X(id, name, compact) SIP_H_##id,
#include "sip/headers.def"
#undef X
    SIP_HEADER_IDS
};

struct sip_header {
    slice    name;                   /* as written */
    slice    value;                  /* trimmed; may hold folded lines (CRLF and blanks) */
    uint16_t id;                     /* enum sip_header_id */
    uint16_t next;                   /* index of the next with the same id (not OTHER), or 0 */
};

/* What is wrong, as a stable id; text for people is in data/. */
enum sip_flaw_kind {
#define X(id, slug, code) SIP_FLAW_##id,
#include "sip/flaws.def"
#undef X
    SIP_FLAW_KINDS
};
struct sip_flaw {
    uint32_t offset;                 /* into the message */
    uint16_t kind;                   /* enum sip_flaw_kind */
    uint16_t header;                 /* index into headers, or UINT16_MAX: start line or body */
};

/* name-addr or addr-spec with header parameters (20.10): From, To, Contact, ... */
struct sip_name_addr {
    slice display;                   /* as written, without the quotes, still escaped */
    slice uri;                       /* without < >; parameters of the URI included */
    slice params;                    /* of the header, behind it, from the first ';' on; or empty */
    slice tag;                       /* the tag parameter, for From and To */
};
struct sip_cseq {
    uint32_t        number;
    slice           method;
    enum sip_method method_id;
};
struct sip_via {                     /* 20.42; value by value, see sip_via_next in sip/fields.h */
    slice transport;                 /* "UDP" */
    slice host;                      /* without brackets for IPv6 */
    uint16_t port;                   /* 0: none given */
    slice branch, received;          /* received: without brackets for IPv6 */
    slice rport;                     /* ptr set but empty: asked for, not filled in (RFC 3581) */
    slice params;
};

enum sip_framing {
    SIP_DATAGRAM,                    /* ends with the bytes; Content-Length may be smaller */
    SIP_STREAM,                      /* Content-Length says where it ends (18.3) */
    SIP_CUT,                         /* a datagram whose end was not captured: no flaws for that,
                                      * and a line without its end is not read (half a Call-ID
                                      * would be another one) */
};

struct sip_message {
    slice           all;             /* from the start line to the end of the body */
    bool            is_request;
    enum sip_method method;          /* of a request; of a response: the method in its CSeq */
    slice           method_text;     /* as written, in the start line or in CSeq */
    slice           uri;             /* Request-URI */
    slice           version;         /* "SIP/2.0" */
    uint16_t        status;          /* 100..699; 0: a request, or out of range (a flaw) */
    slice           status_text;     /* as written, of any length */
    slice           reason;          /* the phrase, may be empty */

    struct sip_header *headers;
    uint16_t        header_count;
    uint16_t        first[SIP_HEADER_IDS];   /* index + 1 of the first header of that id; 0: none */

    slice               call_id;     /* whole; empty: missing */
    struct sip_name_addr from, to;
    struct sip_cseq     cseq;
    struct sip_via      via;         /* topmost */
    uint16_t            via_count;   /* values, not lines */
    slice               content_type;        /* "application/sdp", parameters cut off, or empty */
    uint32_t            content_length;      /* as written; UINT32_MAX: none or unreadable */
    slice               body;
    bool                body_cut;    /* Content-Length promises more than there is */

    bool            refusable;       /* a flaw, kept or only counted, is worth a 400 */
    uint16_t        flaw_count;      /* may pass SIP_FLAWS_MAX */
    struct sip_flaw flaws[SIP_FLAWS_MAX];
};

/* CRLFs before the start line are passed over: they count in the result, not in all. Headers
 * beyond room_count are not indexed, yet what is decoded here is decoded from them too. With
 * a result <= 0 what is in *ret has no meaning. */
ptrdiff_t sip_message_parse(slice bytes, enum sip_framing framing, struct sip_header *room,
                            size_t room_count, struct sip_message *ret);

/* Is this worth parsing? Looks at the start line alone, cheaply: any port, any datagram.
 * Leading CRLFs are passed over (7.5). */
bool sip_looks_like(slice bytes);
/* CRLF keep-alives, NULs and "jaK": what phones send to hold a NAT binding open. */
bool sip_is_keepalive(slice bytes);

/* First header of an id, or NULL; the next one of the same id, or NULL. */
const struct sip_header *sip_header_find(const struct sip_message *m, enum sip_header_id id);
const struct sip_header *sip_header_next(const struct sip_message *m, const struct sip_header *h);
/* First header with a name of any kind, known or not, whole name, case aside. */
const struct sip_header *sip_header_named(const struct sip_message *m, slice name);

enum sip_method    sip_method_find(slice text);           /* methods are case-sensitive (7.1) */
slice              sip_method_name(enum sip_method method);
enum sip_header_id sip_header_id_find(slice name);        /* long or compact, case aside */
slice              sip_header_name(enum sip_header_id id);
slice              sip_flaw_slug(enum sip_flaw_kind kind);      /* "content-length-too-large" */
/* How a strict element answers it: 400, 505, or 0 for what is odd but harmless. */
int                sip_flaw_code(enum sip_flaw_kind kind);
bool               sip_is_token_char(char c);

/* No flaw that a strict element would answer with an error. */
bool sip_message_is_valid(const struct sip_message *m);

#endif
