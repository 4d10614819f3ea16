/* media/burst.c - see burst.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/burst.h"

static void cluster_close(struct media_burst *b)
{
    if (b->open_bad > 1) {
        b->bursts++;
        b->burst_packets += b->open_span;
        b->burst_bad += b->open_bad;
    }
    b->open_span = b->open_bad = 0;
}

static void good_ones(struct media_burst *b, uint32_t count)
{
    b->packets += count;
    b->good_run += count;
    if (b->open_bad && b->good_run >= MEDIA_GMIN)
        cluster_close(b);
}

void media_burst_lost(struct media_burst *b, uint32_t count)
{
    if (count == 0)
        return;
    b->runs += b->good_run > 0 || b->bad == 0;
    b->open_span += (b->open_bad ? b->good_run : 0) + count;
    b->open_bad += count;
    b->packets += count;
    b->bad += count;
    b->good_run = 0;
}

void media_burst_feed(struct media_burst *b, uint64_t good, unsigned count)
{
    while (count) {
        uint64_t differs = good & 1 ? ~good : good;
        unsigned run = differs ? (unsigned)__builtin_ctzll(differs) : 64;

        run = run < count ? run : count;
        if (good & 1)
            good_ones(b, run);
        else
            media_burst_lost(b, run);
        good = run < 64 ? good >> run : 0;
        count -= run;
    }
}

struct media_burst_figures media_burst_figures(const struct media_burst *now)
{
    struct media_burst b = *now;
    struct media_burst_figures f = { .burst_r = 1 };

    cluster_close(&b);
    uint32_t gap_packets = b.packets - b.burst_packets, gap_bad = b.bad - b.burst_bad;

    f.bursts = b.bursts;
    f.burst_loss = b.burst_packets ? (double)b.burst_bad / b.burst_packets : 0;
    f.gap_loss = gap_packets ? (double)gap_bad / gap_packets : 0;
    f.burst_packets = b.bursts ? (double)b.burst_packets / b.bursts : 0;
    f.gap_packets = (double)gap_packets / (b.bursts + 1);
    if (b.runs && b.bad < b.packets) {
        double mean_run = (double)b.bad / b.runs, p = (double)b.bad / b.packets;

        f.burst_r = mean_run * (1 - p) > 1 ? mean_run * (1 - p) : 1;
    }
    return f;
}
