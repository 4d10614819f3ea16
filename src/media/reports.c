/* media/reports.c - see reports.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/reports.h"

#define HALF_WAY_MAX_NS (10 * MEDIA_SECOND_NS)
#define HALF_WAY_SLACK_NS (5 * 1000000LL)        /* clocks of two machines, and rounding */
#define NUMBERS_AHEAD_MAX 3000       /* of what was captured here: loss before this point */
#define VOIP_UNKNOWN 127u

void media_reports_sender(struct media_stream *s, const struct rtcp_sender *sr, int64_t now_ns)
{
    struct media_rtcp *r = media_stream_rtcp(s);

    if (!r)
        return;
    if (rtcp_ntp_middle(sr->ntp) != r->sr_middle[0]) {    /* else captured twice */
        r->sr_middle[1] = r->sr_middle[0];
        r->sr_seen_ns[1] = r->sr_seen_ns[0];
        r->sr_middle[0] = rtcp_ntp_middle(sr->ntp);
        r->sr_seen_ns[0] = now_ns;
    }
    if (r->out.sender_reports && sr->packets < r->sr_packets_last)
        r->sr_packets_first = sr->packets;                /* counts anew */
    if (!r->out.sender_reports++)
        r->sr_packets_first = sr->packets;
    r->sr_packets_last = sr->packets;
    r->out.sent_packets = r->sr_packets_last - r->sr_packets_first;
}

/* Wraps may have been counted from another beginning than ours: compare 16 bits. */
static bool is_believable(const struct media_stream *s, const struct media_rtcp *r, const struct rtcp_report *rr)
{
    int16_t ahead = (int16_t)((uint16_t)rr->highest - (uint16_t)s->sequence.max);

    if (s->sequence.started && (ahead > NUMBERS_AHEAD_MAX || ahead < -NUMBERS_AHEAD_MAX))
        return false;
    if (!r->out.receiver_reports)
        return true;
    int64_t expected = (int64_t)rr->highest - r->highest_last, lost = (int64_t)rr->lost - r->lost_last;

    return expected >= 0 && expected < 1000000 && lost <= expected + 1 && lost >= -expected - 1;
}

static void half_way(struct media_rtcp *r, const struct rtcp_report *rr, int64_t now_ns)
{
    unsigned which = rr->last_sr == r->sr_middle[0] ? 0 : 1;

    if (!rr->last_sr || rr->last_sr != r->sr_middle[which] || !r->sr_seen_ns[which])
        return;
    int64_t held_ns = (int64_t)((uint64_t)rr->delay_since * MEDIA_SECOND_NS >> 16);
    int64_t took_ns = now_ns - r->sr_seen_ns[which] - held_ns;

    if (took_ns < -HALF_WAY_SLACK_NS || took_ns > HALF_WAY_MAX_NS) {
        r->out.suspect++;
        return;
    }
    took_ns = took_ns > 0 ? took_ns : 0;                  /* the capture stands beside the receiver */
    r->half_sum_ns += (uint64_t)took_ns;
    r->half_count++;
}

void media_reports_receiver(struct media_stream *s, const struct rtcp_report *rr, int64_t now_ns)
{
    struct media_rtcp *r = media_stream_rtcp(s);

    if (!r)
        return;
    if (!is_believable(s, r, rr)) {
        r->out.suspect++;
        return;
    }
    if (r->out.receiver_reports) {
        uint32_t expected = rr->highest - r->highest_last;
        int32_t lost = rr->lost - r->lost_last;

        if (expected && lost > 0) {
            uint32_t milli = (uint32_t)((uint64_t)lost * 100000 / expected);

            milli = milli < 100000 ? milli : 100000;
            r->out.fraction_max_milli = milli > r->out.fraction_max_milli ? milli : r->out.fraction_max_milli;
        }
        r->out.reported_expected += expected;
    } else {
        r->lost_first = rr->lost;
        r->highest_first = rr->highest;
    }
    r->lost_last = rr->lost;
    r->highest_last = rr->highest;
    r->out.receiver_reports++;
    r->out.reported_lost = r->lost_last > r->lost_first ? (uint32_t)(r->lost_last - r->lost_first) : 0;
    uint64_t jitter_us = s->clock_hz ? (uint64_t)rr->jitter * 1000000 / s->clock_hz : 0;

    if (jitter_us < 10000000)
        r->out.jitter_max_us = jitter_us > r->out.jitter_max_us ? (uint32_t)jitter_us : r->out.jitter_max_us;
    else
        r->out.suspect++;
    half_way(r, rr, now_ns);
}

static uint16_t milli_of_256(uint8_t v) { return (uint16_t)((v * 1000u + 128) / 256); }

void media_reports_voip(struct media_stream *s, const struct rtcp_voip *v)
{
    struct media_rtcp *r = media_stream_rtcp(s);

    if (!r)
        return;
    r->out.xr_loss_milli = milli_of_256(v->loss);
    r->out.xr_discard_milli = milli_of_256(v->discard);
    r->out.xr_delay_ms = v->round_trip_ms;
    r->out.xr_end_delay_ms = v->end_delay_ms;
    r->out.xr_r = v->r <= 100 ? v->r : 0;
    r->out.xr_mos_lq = v->mos_lq >= 10 && v->mos_lq <= 50 ? v->mos_lq : 0;
    r->out.xr_mos_cq = v->mos_cq >= 10 && v->mos_cq <= 50 ? v->mos_cq : 0;
    r->out.suspect += (v->r > 100 && v->r != VOIP_UNKNOWN) + (v->mos_lq > 50 && v->mos_lq != VOIP_UNKNOWN);
}

void media_reports_bye(struct media_stream *s)
{
    struct media_rtcp *r = media_stream_rtcp(s);

    if (r)
        r->out.bye++;
}
