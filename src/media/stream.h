/* media/stream.h - one RTP stream while it goes on.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What every packet touches stands first. The usual packet (next number, same payload type, no
 * marker) costs about a hundred instructions, all of integers; scores are reckoned once a second and
 * at the end. What few streams need (DTMF, RTCP, copies) stands apart and is made when needed: when
 * memory for that is short, it is not counted and the record says so. */
#ifndef MEDIA_STREAM_H
#define MEDIA_STREAM_H

#include "base/list.h"
#include "base/map.h"
#include "call/call.h"
#include "media/burst.h"
#include "media/codec.h"
#include "media/emodel.h"
#include "media/jitter.h"
#include "media/playout.h"
#include "media/sequence.h"
#include "rtp/bytes.h"
#include "rtp/dtmf.h"
#include "wire/wire.h"

#define MEDIA_SECOND_NS   1000000000LL
#define MEDIA_RUNS_MAX    4096u      /* then neighbours are merged */
#define MEDIA_SCORE_PACKETS 50u      /* fewer, or less than 2 s: no score */
#define MEDIA_SCORE_NS    (2 * MEDIA_SECOND_NS)
#define MEDIA_WORST_SECONDS 10u

/* The head of an RTP packet, as far as every packet needs it. */
struct media_head {
    uint8_t  type;                   /* payload type with the marker in the highest bit */
    uint16_t sequence;
    uint32_t timestamp, ssrc;
};

struct media_rtcp {                  /* running figures for struct stream_rtcp */
    struct stream_rtcp out;
    uint32_t sr_middle[2], sr_packets_first, sr_packets_last;
    int64_t  sr_seen_ns[2];          /* the newest sender report and the one before: answers cross it */
    int32_t  lost_first, lost_last;
    uint32_t highest_first, highest_last;
    uint64_t half_sum_ns;            /* from here to the receiver and back */
    uint32_t half_count;
};

struct media_extra {
    struct media_burst burst;        /* from the first bad packet on */
    uint8_t  window_expected[MEDIA_WORST_SECONDS], window_bad[MEDIA_WORST_SECONDS];
    uint8_t  window_at, window_filled;       /* from the first bad second on */
    uint16_t worst_mos_milli;
    uint32_t worst_second;
    uint32_t duplicates, copies, timestamp_jumps, spurts, comfort_noise, codec_changes, other_types;
    uint32_t dtmf_events, dtmf_unended, silent_s;
    uint32_t early_packets, early_lost, early_discarded[STREAM_BUFFERS];
    int64_t  early_until_ns;
    struct rtp_dtmf dtmf;
    struct media_rtcp *rtcp;
    char    *keys;                   /* STREAM_DTMF_MAX bytes */
};

struct media_call;
struct media_unbound {               /* of a stream that no call claimed yet */
    struct map_node by_src, by_dst;
    struct media_stream *stream;
};

struct media_stream {
    struct map_node by_key;
    struct address  src, dst;
    uint32_t ssrc;
    uint8_t  type;                   /* payload type of its sound, or 255: not settled */
    uint8_t  ttl, tunnels;           /* of its first packet: other ones are copies */
    uint8_t  bound;                  /* enum stream_bound */
    uint16_t last_ip_id;
    uint16_t frame_ms;               /* of sound in a packet; 0: not known yet */
    uint64_t last_frame;
    int64_t  last_ns, second_end_ns;
    uint64_t bytes;
    struct media_jitter   jitter;
    struct media_sequence sequence;
    uint64_t discarded_bits[2];      /* numbers of the current word and the one before */
    struct media_playout  playout;
    uint32_t gap_max;                /* longest silence, in 2^20 ns */
    uint32_t counted_bytes;          /* what the table's memory holds for it */

    uint32_t second_received, second_missing, second_discarded;      /* totals when it began */
    uint32_t judged;                 /* numbers below were given to `extra->burst` */
    uint32_t judged_packets;         /* how many these were, while all were good */
    uint32_t seconds;                /* since first_ns, finished */

    int64_t  first_ns;
    uint64_t first_frame;
    uint32_t first_timestamp, clock_hz;
    uint32_t index;                  /* 0: not proven yet */
    struct media_type sound;         /* of `type` */
    uint8_t  types[STREAM_TYPES_MAX];
    uint8_t  type_count;
    uint8_t  side, hop;
    uint8_t  flags;                  /* enum stream_run_flag of the second under way */
    bool     answered, clock_guessed, guess_pending, full, sparse, after_event;
    uint16_t run_count, run_room, run_step_s;
    struct stream_run *runs;
    const struct emodel_codec *scale;        /* NULL: no score */

    struct map_node by_ssrc;
    struct list     in_owner;
    struct media_call    *call;      /* NULL: an orphan so far */
    struct media_unbound *unbound;   /* when call is NULL */
    struct media_extra   *extra;     /* or NULL */
};

static inline bool media_head_of(slice bytes, struct media_head *ret)
{
    uint16_t sequence;
    uint32_t words[2];

    if (__builtin_expect(bytes.len < 12, 0))
        return false;
    __builtin_memcpy(&sequence, bytes.ptr + 2, sizeof sequence);
    __builtin_memcpy(words, bytes.ptr + 4, sizeof words);
    ret->type = (uint8_t)bytes.ptr[1];
    ret->sequence = __builtin_bswap16(sequence);
    ret->timestamp = __builtin_bswap32(words[0]);
    ret->ssrc = __builtin_bswap32(words[1]);
    return true;
}

/* Where it learns what it needs of others; the table fills it in. */
struct media_about {
    struct media_type (*type_of)(void *ctx, const struct media_stream *s, unsigned payload_type);
    const struct media_names *names;
    void *ctx;
};

void media_stream_begin(struct media_stream *s, const struct wire_unit *u, const struct media_head *h,
                        const struct media_about *about);
void media_stream_done(struct media_stream *s);
/* Any packet. False: not counted, because it fits nowhere (a stray). */
bool media_stream_feed(struct media_stream *s, const struct wire_unit *u, const struct media_head *h,
                       const struct media_about *about);
/* It came to be known what its payload types mean. */
void media_stream_settle(struct media_stream *s, const struct media_about *about);
void media_stream_second(struct media_stream *s, int64_t now_ns, const struct media_about *about);
void media_stream_judge(struct media_stream *s);
struct media_extra *media_stream_extra(struct media_stream *s);      /* NULL: no memory */
struct media_rtcp  *media_stream_rtcp(struct media_stream *s);
size_t media_stream_memory_bytes(const struct media_stream *s);
/* The record, without what only the table and the call know. NULL: no memory. */
struct stream *media_stream_finish(struct media_stream *s, const struct media_about *about);

/* The longest silence so far, holds aside; time may have gone backwards. */
void media_stream_gap(struct media_stream *s, int64_t now_ns);

/* RTCP said how long the way is: the scores get worse by it. */
void media_stream_add_delay(struct stream *s, double network_ms);

static inline bool media_stream_mark_late(struct media_stream *s, uint32_t number)
{
    s->discarded_bits[number >> 6 & 1] |= UINT64_C(1) << (number & 63);
    return true;
}

/* The usual packet; false: media_stream_feed has to look at it. `len`: of the RTP packet. */
static inline bool media_stream_feed_usual(struct media_stream *s, int64_t now_ns, uint64_t frame, uint32_t ip_id,
                                           size_t len, const struct media_head *h)
{
    if (__builtin_expect(h->type != s->type || now_ns >= s->second_end_ns || !media_jitter_is_started(&s->jitter) ||
                         h->timestamp - s->jitter.last_timestamp >= s->clock_hz ||
                         !media_sequence_next(&s->sequence, h->sequence), 0))
        return false;
    uint64_t silence = (uint64_t)(now_ns - s->last_ns) >> 20;

    if (__builtin_expect(silence > s->gap_max, 0))
        media_stream_gap(s, now_ns);
    s->last_ns = now_ns;
    s->last_frame = frame;
    s->last_ip_id = (uint16_t)ip_id;
    s->bytes += len - 12;
    int64_t d_ns = media_jitter_feed(&s->jitter, now_ns, h->timestamp);

    if (__builtin_expect(media_playout_feed(&s->playout, d_ns, s->frame_ms), 0))
        media_stream_mark_late(s, s->sequence.max);
    if (__builtin_expect((s->sequence.max & 63) == MEDIA_GMIN, 0))
        media_stream_judge(s);
    return true;
}

#endif
