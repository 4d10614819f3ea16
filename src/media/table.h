/* media/table.h - RTP and RTCP in, finished streams at their calls out.
 * SPDX-License-Identifier: Apache-2.0
 *
 * SDP announces addresses; packets that go to or come from these belong to the call, whichever came
 * first. The order of proof is that of wire.md 5: SDP address of the receiver, of the sender, ICE
 * candidates, an address learned from the other direction (symmetric NAT), the same packets seen on
 * another hop. What nobody claims is kept as an orphan when it behaves like RTP.
 *
 *     struct media_table *t = media_table_new(&settings, &observer);
 *     struct media_call *m = media_call_open(t, call);           // with the first SDP
 *     media_call_describe(t, m, &description);                   // each SDP, either side, any hop
 *     media_table_packet(t, &unit);                              // true: it was RTP or RTCP
 *     media_call_close(t, m);                                    // streams go to call->streams
 *     media_table_finish(t);  t = media_table_free(t);           // orphans go to the observer
 *
 * No clock: each packet brings its time. Bounded: settings.memory_max_bytes, streams that never
 * proved to be RTP (MEDIA_UNPROVEN_MAX), addresses of one call (MEDIA_ENDPOINTS_MAX). At a limit the
 * oldest orphan goes first; then new streams are counted, not followed. */
#ifndef MEDIA_TABLE_H
#define MEDIA_TABLE_H

#include "base/hash.h"
#include "call/call.h"
#include "sip/sdp.h"
#include "wire/wire.h"

#define MEDIA_UNPROVEN_MAX  4096u    /* candidates for a stream that no SDP speaks for */
#define MEDIA_ENDPOINTS_MAX 64u      /* addresses announced in one call */

struct media_settings {              /* zero means the default in brackets */
    struct hash_seed seed;
    size_t  memory_max_bytes;        /* live streams, addresses (128 MiB) */
    int64_t orphan_age_ns;           /* silent that long, an orphan is over (60 s) */
};

struct media_observer {
    void *ctx;
    bool (*stream_closed)(void *ctx, struct stream *s);   /* an orphan; true: taken over */
};

struct media_counts {
    uint64_t rtp, rtcp;              /* packets taken */
    uint64_t streams, orphans;       /* finished or live; those that proved to be RTP */
    uint64_t unproven;               /* candidates dropped: too few packets, or not in sequence */
    uint64_t limited;                /* packets of streams that were not followed for lack of memory */
    uint64_t live_max;
};

struct media_table;
struct media_table *media_table_new(const struct media_settings *settings,
                                    const struct media_observer *observer);   /* NULL: no memory */
struct media_table *media_table_free(struct media_table *t);

/* The same packets in two calls: what arrives at a host in one leaves it in the other, so a relay
 * stands between them and they are legs of one call. Told once for a pair of streams. */
typedef void media_relay_fn(void *ctx, const struct call *a, const struct call *b);
void media_table_on_relay(struct media_table *t, media_relay_fn *fn, void *ctx);
void media_table_finish(struct media_table *t, int64_t now_ns);
/* Packets of others show that it is later than the newest packet of media. */
void media_table_time(struct media_table *t, int64_t now_ns);

struct media_call;
struct media_call *media_call_open(struct media_table *t, struct call *c);    /* NULL: limit, or no memory */
struct media_description {
    const struct sdp *sdp;
    int64_t  time_ns;
    bool     from_callee;            /* whose addresses these are */
};
void media_call_describe(struct media_table *t, struct media_call *m, const struct media_description *d);
/* A digit in an INFO (sip/dtmf.h); counts as DTMF of the call. */
void media_call_info_digit(struct media_call *m, bool from_callee);
/* Newest packet of any stream of this call; 0: none yet. */
int64_t media_call_last_ns(const struct media_call *m);
/* Comfort noise or talk spurts were seen: silence is longer here. */
bool media_call_is_sparse(const struct media_call *m);
/* Does media of hosts that this call names pass this capture point? */
bool media_call_is_visible(const struct media_table *t, const struct media_call *m);
/* Streams and the summary go to its call's record; m is gone. `at_end`: the input is over. */
void media_call_close(struct media_table *t, struct media_call *m, bool at_end);

/* False: neither RTP nor RTCP. A known stream is found before anything else is asked, so SIP that
 * begins with a letter is never taken for it. */
bool media_table_packet(struct media_table *t, const struct wire_unit *u);
/* The same for what is RTP of a stream known already; false: not known, nothing was done. */
bool media_table_known(struct media_table *t, const struct wire_unit *u);

/* The same for a packet that is still in its datagram (wire_plain_fn), and only when it is as usual:
 * the next number of its stream. False: nothing was done. */
bool media_table_plain(struct media_table *t, const uint8_t *ip, size_t total, int64_t time_ns, uint64_t frame);

const struct media_counts *media_table_counts(const struct media_table *t);
size_t media_table_memory_bytes(const struct media_table *t);

#endif
