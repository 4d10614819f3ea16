/* media/table_int.h - what the rooms of the table share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * calls.c knows what calls said of their media: addresses and payload types. binding.c decides
 * whose a stream is. table.c holds the streams: from the first packet to the record, and bounds. */
#ifndef MEDIA_TABLE_INT_H
#define MEDIA_TABLE_INT_H

#include "base/map.h"
#include "media/codec.h"
#include "media/stream.h"
#include "media/table.h"

#define MEDIA_TYPES_MAX 16u          /* payload types kept of one media line */
#define MEDIA_CALL_STREAMS_MAX 256u  /* of one call at once: more SSRCs than that are an attack */
#define MEDIA_AFTER_END_NS (5 * MEDIA_SECOND_NS)         /* a call's addresses belong to it so long */
#define MEDIA_HOST_BITS 65536u

struct media_slab;
struct media_table {
    struct map streams;              /* by src, dst, SSRC */
    struct media_settings settings;
    struct media_counts   counts;
    struct media_observer observer;
    struct media_about    about;
    struct map by_ssrc, endpoints, by_src, by_dst;
    media_relay_fn *relay;           /* NULL: nobody asks */
    void           *relay_ctx;
    struct list orphans, unproven;   /* by in_owner, oldest first */
    size_t   unproven_count, orphan_count;
    struct media_slab *slabs;
    struct media_stream *unused;     /* chained by call */
    size_t   memory_bytes;
    uint64_t live;
    uint32_t next_index;
    int64_t  sweep_ns, now_ns;
    struct media_names names;
    uint64_t hosts[MEDIA_HOST_BITS / 64];    /* whose media was seen; may say yes too often, never no */
};

enum media_endpoint_kind { MEDIA_NAMED, MEDIA_CANDIDATE, MEDIA_LEARNED };

/* An address at which one side of a call said it receives, or was seen to. */
struct media_endpoint {
    struct map_node by_address;
    struct address  address;
    struct media_call     *call;
    struct media_endpoint *next;     /* of the call, newest first */
    int64_t  named_ns;               /* when it was said last */
    uint16_t ptime_ms;
    uint8_t  line;                   /* number of its m= line */
    uint8_t  kind;                   /* enum media_endpoint_kind */
    uint8_t  direction;              /* enum sdp_direction */
    uint8_t  media;                  /* 'a', 'v' or 'o' */
    uint8_t  type_count;
    bool     from_callee, secure;
    slice    formats, lines;         /* of its newest SDP, in call->facts, until somebody asks for types */
    struct media_type types[MEDIA_TYPES_MAX];
};

#define MEDIA_ENDPOINTS_INSIDE 2u    /* of a plain call: one a side */
struct media_call {
    struct call  *call;
    struct list   streams;           /* live ones, by in_owner */
    struct media_endpoint *endpoints;
    uint32_t endpoint_count, stream_count;
    int64_t  closed_last_ns;         /* newest packet of streams that are over already */
    bool     sparse, described;
    uint8_t  dtmf;                   /* enum call_media_dtmf */
    uint64_t other_packets;
    uint8_t  inside_count;
    struct media_endpoint inside[MEDIA_ENDPOINTS_INSIDE];
};

static inline uint64_t media_address_hash(const struct media_table *t, const struct address *a)
{
    return hash_bytes(&t->settings.seed, a, sizeof *a);
}

static inline uint64_t media_ssrc_hash(const struct media_table *t, uint32_t ssrc)
{
    return hash_bytes(&t->settings.seed, &ssrc, sizeof ssrc);
}

/* ---- calls.c ---- */

void media_host_note(struct media_table *t, const struct address *a);    /* its media was seen */
bool media_call_is_over(const struct media_call *m, int64_t now_ns);
struct media_endpoint *media_endpoint_of(const struct media_call *m, const struct address *a);
/* The newest call that named it; one that named `other`, too, goes first. */
struct media_endpoint *media_endpoint_claiming(const struct media_table *t, const struct address *a,
                                               const struct address *other, int64_t now_ns);
struct media_endpoint *media_endpoint_add(struct media_table *t, struct media_call *m, const struct address *a);
/* Of struct media_about; ctx is the table. */
struct media_type media_call_type_of(void *ctx, const struct media_stream *s, unsigned payload_type);
/* What only the call knows of its stream. */
void media_call_finish_stream(struct media_table *t, const struct media_stream *s, struct stream *r);

/* ---- binding.c ---- */

struct media_claim {
    struct media_call *call;         /* NULL: nobody's */
    enum stream_bound  how;
    enum stream_side   side;
};
struct media_claim media_claim_find(const struct media_table *t, const struct address *src,
                                    const struct address *dst, int64_t now_ns);
void media_bind(struct media_table *t, struct media_stream *s, struct media_call *m, enum stream_bound how,
                enum stream_side side);
void media_owner_leave(struct media_table *t, struct media_stream *s);
void media_unbound_drop(struct media_table *t, struct media_stream *s);
/* The same packets elsewhere: hops of one stream, or calls that a relay connects. */
void media_hop_note(struct media_table *t, struct media_stream *s);
/* What a packet from nobody knows whom to an address of X teaches: there sits X's peer. */
void media_learn(struct media_table *t, struct media_stream *s);
/* Streams that came before the SDP that names their address. */
void media_claim_waiting(struct media_table *t, const struct media_endpoint *e);

/* ---- table.c ---- */

void media_stream_close(struct media_table *t, struct media_stream *s, bool at_end);

#endif
