/* call/stream.h - the record of one RTP stream: what went from one address to another under one SSRC.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Filled by media/table.h when the stream is over. It belongs to its call's record (struct call,
 * `streams`), or, when no call claimed it, to whoever took it from the observer. One block; text in
 * it is its own. Times are nanoseconds since 1970 UTC, 0: did not happen. Scores are thousandths
 * (4409: MOS 4.409; 93200: R 93.2), 0: unknown, because there were not enough packets, it is no
 * sound, or the codec has no figures.
 *
 *  expected = packets + lost          distinct sequence numbers, of all segments
 *  late     = packets that came, but after the play-out time of a buffer: `discarded`, per buffer
 *  duplicates, copies, reordered      never count as lost; a copy is the same packet captured twice
 *
 * What was sent before the answer (early media) is counted, but not scored: `early_packets`. */
#ifndef CALL_STREAM_H
#define CALL_STREAM_H

#include "base/address.h"
#include "base/list.h"

#define STREAM_TYPES_MAX  8          /* distinct payload types kept */
#define STREAM_CODEC_MAX  24         /* name of a codec with its NUL; longer ones are cut */
#define STREAM_DTMF_MAX   64         /* digits kept, with a NUL */
#define STREAM_CODECS_MAX 48         /* codecs that an SDP offered: "PCMA PCMU telephone-event" */

enum stream_side { STREAM_SIDE_UNKNOWN, STREAM_FROM_CALLER, STREAM_FROM_CALLEE, STREAM_SIDES };
enum stream_band { STREAM_NO_BAND, STREAM_NB, STREAM_WB, STREAM_SWB, STREAM_BANDS };   /* scale of R and MOS */
enum stream_bound {                  /* how the call was found: wire.md 5 */
    STREAM_ORPHAN,                   /* no call claimed it */
    STREAM_BY_SDP_DESTINATION,       /* sent to an address that an SDP named */
    STREAM_BY_SDP_SOURCE,            /* sent from one */
    STREAM_BY_CANDIDATE,             /* to or from an ICE candidate */
    STREAM_BY_LEARNED,               /* to or from an address that the other direction taught (NAT) */
    STREAM_BY_SSRC,                  /* the same SSRC and sequence as a stream of that call: another hop */
    STREAM_BOUNDS
};
enum stream_buffer_kind { STREAM_FIXED_50, STREAM_FIXED_200, STREAM_ADAPTIVE, STREAM_BUFFERS };

struct stream_buffer {               /* one kind of jitter buffer at the receiver */
    uint32_t discarded;              /* came too late for it */
    uint32_t delay_ms;               /* that it adds, mean */
    uint32_t r_milli;                /* with the delay (conversational) */
    uint16_t mos_milli;
};

struct stream_sdp {                  /* what one side's SDP said; port 0: none was seen */
    struct address address;
    uint16_t ptime_ms;               /* 0: none */
    uint8_t  direction;              /* enum sdp_direction, at the end */
    bool     secure;                 /* RTP/SAVP, a=crypto or a=fingerprint */
    char     codecs[STREAM_CODECS_MAX];
};

struct stream_rtcp {                 /* about this stream, by RTCP that was captured */
    uint32_t sender_reports, receiver_reports, bye;
    uint32_t reported_lost;          /* by the receiver, newest less oldest report */
    uint32_t reported_expected;      /* in the same time */
    uint32_t fraction_max_milli;     /* worst loss between two reports, in thousandths of a percent */
    uint32_t jitter_max_us;
    uint32_t sent_packets;           /* by the sender's reports, newest less oldest */
    uint32_t suspect;                /* reports that cannot be true: left out of all figures */
    uint16_t xr_mos_lq, xr_mos_cq;   /* VoIP metrics of XR (RFC 3611 4.7), tenths; 0: none */
    uint16_t xr_r, xr_delay_ms, xr_end_delay_ms;
    uint16_t xr_loss_milli, xr_discard_milli;    /* thousandths of 1 */
};

/* Equal neighbouring seconds are one run, so a clean minute is one. */
struct stream_run {
    uint16_t seconds;
    uint8_t  packets;                /* in each second; 255: as many or more */
    uint8_t  lost;
    uint8_t  discarded;              /* by the adaptive buffer */
    uint8_t  jitter_ms;              /* highest */
    uint8_t  mos;                    /* of the second: stream_run_mos_milli; 0: unknown */
    uint8_t  flags;                  /* enum stream_run_flag */
};
enum stream_run_flag { STREAM_RUN_EARLY = 1, STREAM_RUN_SILENCE = 2, STREAM_RUN_DTMF = 4,
                       STREAM_RUN_HOLD = 8, STREAM_RUN_OTHER_CODEC = 16 };
static inline uint16_t stream_run_mos_milli(const struct stream_run *r)
{
    return r->mos ? (uint16_t)(1000 + (r->mos - 1) * 16) : 0;
}

struct stream {
    uint32_t ssrc;
    uint8_t  side;                   /* enum stream_side: who sent it */
    uint8_t  bound;                  /* enum stream_bound */
    uint8_t  band;                   /* enum stream_band */
    uint8_t  hop;                    /* 1: first sight of these packets; 2 ...: sent on by a relay */
    uint8_t  media;                  /* 'a'udio, 'v'ideo, 'o'ther; 0: unknown */
    uint8_t  type_count;
    uint8_t  types[STREAM_TYPES_MAX];            /* payload types, in order of appearance */
    char     codec[STREAM_CODEC_MAX];            /* of the most packets; "" unknown */
    uint32_t clock_hz;               /* of its timestamps */
    uint16_t frame_ms;               /* of sound in a packet, usual; 0: unknown */
    bool     clock_guessed;          /* from the traffic, nobody said */
    bool     estimated;              /* scores rest on figures of low confidence */
    bool     secure;                 /* SRTP: content unreadable, headers in the clear */
    bool     silence_suppressed;     /* talk spurts, comfort noise */
    bool     unnamed_source;         /* sent from an address that its side's SDP did not name (NAT, other host) */
    bool     unnamed_target;         /* sent to an address that no SDP named */
    bool     wrong_type;             /* payload types that the receiver's SDP did not name */
    bool     tables_full;            /* a limit was reached: figures are a lower bound */
    bool     open_at_end;            /* was sending when the capture ended */

    int64_t  first_ns, last_ns;
    uint64_t first_frame, last_frame;
    uint64_t index;                  /* order of appearance, from 1 */
    uint64_t call;                   /* index of the call; 0: none */
    slice    call_id;                /* borrows from the call; empty: none */
    struct address src, dst;
    struct stream_sdp sender, receiver;

    uint64_t bytes;                  /* of payload */
    uint32_t packets;                /* distinct */
    uint32_t lost, duplicates, copies, reordered;
    uint32_t restarts;               /* sequence or timestamps began anew: source switched or restarted */
    uint32_t timestamp_jumps;        /* among them timestamps that went backwards */
    uint32_t spurts;                 /* talk spurts (marker after a pause) */
    uint32_t comfort_noise, codec_changes, other_type_packets;
    uint32_t early_packets, early_lost;          /* before the answer */
    uint32_t jitter_mean_us, jitter_max_us;      /* RFC 3550, at clock_hz */
    int32_t  drift_ppm;              /* sender's clock against the capture's; 0: none or unknown */
    uint32_t silent_s;               /* seconds whose first packet held silence (G.711 in the clear) */
    uint32_t gap_max_ms;             /* longest silence between packets, holds aside */

    struct stream_buffer buffers[STREAM_BUFFERS];
    uint32_t r_lq_milli;             /* listening: without delay; adaptive buffer */
    uint16_t mos_lq_milli;
    uint16_t worst_mos_milli;        /* of the worst 10 seconds, adaptive buffer */
    int64_t  worst_ns;               /* when these began */
    uint32_t bursts;                 /* RFC 3611 4.7.2, Gmin 16; lost and discarded (adaptive) */
    uint32_t burst_loss_milli, gap_loss_milli;   /* thousandths of a percent */
    uint32_t burst_ms, gap_ms;       /* mean length */
    uint32_t burst_r_milli;          /* BurstR of G.107, 1000 and more */

    uint32_t two_way_ms;             /* by RTCP, both halves; 0: unknown */
    uint32_t half_way_us;            /* from here to the receiver and back; 0: unknown */
    struct stream_rtcp rtcp;

    char     dtmf[STREAM_DTMF_MAX];  /* RFC 4733 digits "12#"; what does not fit is not kept */
    uint32_t dtmf_events;            /* all of them */
    uint32_t dtmf_unended;           /* without a packet that says how long it was */

    int64_t  late_start_ms;          /* first packet after the answer; negative: before it, or unknown */
    int64_t  early_stop_ms;          /* last packet before the call's end; negative: unknown */

    struct stream_run *runs;         /* behind the struct, in the same block */
    uint32_t run_count;
    uint32_t run_step_s;             /* usually 1; more when a very long stream was made coarser */
    size_t   memory_bytes;
    struct list in_list;             /* of its call, or free for the owner */
};

struct stream *stream_new(size_t runs);                   /* NULL: no memory */
struct stream *stream_free(struct stream *s);
static inline size_t stream_memory_bytes(const struct stream *s) { return s->memory_bytes; }

/* The one score that is shown where there is room for one: conversational, adaptive buffer. */
static inline uint16_t stream_mos_milli(const struct stream *s)
{
    return s->buffers[STREAM_ADAPTIVE].mos_milli;
}
/* lost of expected, in thousandths of a percent. */
uint32_t stream_loss_milli(const struct stream *s);
slice stream_side_name(enum stream_side side);            /* "caller", empty: unknown */
slice stream_band_name(enum stream_band band);            /* "NB" */
slice stream_bound_name(enum stream_bound bound);         /* "sdp-destination", empty: orphan */

/* What a call keeps of its media in its own record: first hops only, so a relay counts once. */
struct call_media_way {
    uint64_t packets;
    uint64_t lost;
    int64_t  first_ns, last_ns;      /* 0: nothing was seen */
    uint32_t jitter_max_us;
    uint16_t mos_milli;              /* lowest of its streams, 0: unknown */
    uint16_t streams;
};
enum call_media_dtmf { CALL_DTMF_NONE, CALL_DTMF_RTP = 1, CALL_DTMF_INFO = 2 };
struct call_media {
    struct call_media_way to_callee, to_caller;
    uint64_t other_packets;          /* of this call, but nobody knows which way */
    uint16_t mos_milli;              /* lowest of all, 0: unknown */
    uint8_t  dtmf;                   /* enum call_media_dtmf, or-ed */
    bool     described;              /* an SDP with a media line that is not refused was seen */
    bool     visible;                /* media of its hosts passes this capture point: silence means silence */
    bool     secure;
    bool     absent;                 /* 8003 by media: none ever came where it is seen of others */
    bool     stopped;                /* 8100: it had media, and then no more, and no BYE came */
};

#endif
