/* media/burst.h - loss in bursts and in gaps (RFC 3611, 4.7.2; BurstR of G.107, 7.5).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fed with packets in the order of their numbers: good, or bad (lost, or discarded because too
 * late). Bad ones with fewer than MEDIA_GMIN good ones between them are one burst; one that stands
 * alone belongs to the gap. Owns nothing, cannot fail; zero is ready to use. */
#ifndef MEDIA_BURST_H
#define MEDIA_BURST_H

#include <stdint.h>

#define MEDIA_GMIN 16u

struct media_burst {
    uint32_t packets, bad;           /* all that was fed */
    uint32_t runs;                   /* of bad ones in a row */
    uint32_t bursts, burst_packets, burst_bad;   /* finished bursts */
    uint32_t good_run;               /* since the last bad one */
    uint32_t open_span, open_bad;    /* of the cluster that may go on; its span ends with a bad one */
};

struct media_burst_figures {
    uint32_t bursts;
    double   burst_loss, gap_loss;   /* 0 to 1 */
    double   burst_packets, gap_packets;         /* mean length */
    double   burst_r;                /* 1 and more */
};

void media_burst_feed(struct media_burst *b, uint64_t good, unsigned count);   /* lowest bit first, up to 64 */
void media_burst_lost(struct media_burst *b, uint32_t count);                  /* a run of bad ones */
/* What has been fed so far; the last cluster counts as finished. */
struct media_burst_figures media_burst_figures(const struct media_burst *b);

#endif
