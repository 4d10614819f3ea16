/* rtp/rtcp.h - what is in an RTCP datagram (RFC 3550, 6; XR: RFC 3611; feedback: RFC 4585).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure; borrows from the bytes. A compound is read packet by packet, each packet's parts are
 * decoded when asked for; a part that does not fit is not there. Numbers are as sent: whether they
 * can be true is for those who know the stream.
 *
 *     while (rtcp_packet_next(&rest, &p))
 *         for (unsigned i = 0; rtcp_report_at(&p, i, &report); i++) ...                     */
#ifndef RTP_RTCP_H
#define RTP_RTCP_H

#include "base/slice.h"

enum rtcp_type { RTCP_SR = 200, RTCP_RR = 201, RTCP_SDES = 202, RTCP_BYE = 203, RTCP_APP = 204,
                 RTCP_RTPFB = 205, RTCP_PSFB = 206, RTCP_XR = 207 };

struct rtcp_packet {
    uint8_t  type;                   /* enum rtcp_type, or another from 192 to 223 */
    uint8_t  count;                  /* reports, chunks, sources, or the subtype */
    uint32_t ssrc;                   /* of its sender; of SDES and BYE the first one; 0: none */
    slice    body;                   /* behind the four bytes of its head, padding cut off */
};

struct rtcp_sender {                 /* of SR */
    uint64_t ntp;                    /* seconds since 1900, times 2^32 */
    uint32_t timestamp, packets, bytes;
};
/* The middle of an NTP time, as LSR has it. */
static inline uint32_t rtcp_ntp_middle(uint64_t ntp) { return (uint32_t)(ntp >> 16); }

struct rtcp_report {                 /* of SR and RR: how a receiver gets a stream */
    uint32_t ssrc;                   /* the stream */
    uint8_t  fraction_lost;          /* of 256, since its last report */
    int32_t  lost;                   /* since the beginning; negative with duplicates */
    uint32_t highest;                /* sequence number, wraps above 16 bits */
    uint32_t jitter;                 /* in ticks of the stream's clock */
    uint32_t last_sr, delay_since;   /* 1/65536 s; last_sr 0: no SR came yet */
};

struct rtcp_voip {                   /* VoIP metrics (RFC 3611 4.7); 127: unknown, where a score */
    uint32_t ssrc;
    uint8_t  loss, discard, burst_density, gap_density;      /* of 256 */
    uint16_t burst_ms, gap_ms, round_trip_ms, end_delay_ms;
    int8_t   signal_dbm, noise_dbm;
    uint8_t  echo_return_loss, gmin, r, r_external, mos_lq, mos_cq, receiver_config;
    uint16_t buffer_ms, buffer_max_ms, buffer_abs_max_ms;
};

struct rtcp_xr_block {
    uint8_t type;                    /* 7: VoIP metrics */
    uint8_t specific;
    slice   body;
};

/* Next packet of the compound; false at its end, or where bytes are no RTCP (SRTCP's tail). */
bool rtcp_packet_next(slice *compound, struct rtcp_packet *ret);
bool rtcp_sender_of(const struct rtcp_packet *p, struct rtcp_sender *ret);     /* SR only */
bool rtcp_report_at(const struct rtcp_packet *p, unsigned index, struct rtcp_report *ret);
slice rtcp_cname_of(const struct rtcp_packet *p);          /* SDES: of the first source; ptr NULL: none */
bool rtcp_bye_at(const struct rtcp_packet *p, unsigned index, uint32_t *ret_ssrc);
slice rtcp_bye_reason(const struct rtcp_packet *p);        /* ptr NULL: none */
slice rtcp_app_name(const struct rtcp_packet *p);          /* four letters; ptr NULL: none */
slice rtcp_xr_blocks(const struct rtcp_packet *p);         /* cursor for rtcp_xr_next; empty: no XR */
bool rtcp_xr_next(slice *blocks, struct rtcp_xr_block *ret);
bool rtcp_voip_of(const struct rtcp_xr_block *block, struct rtcp_voip *ret);

#endif
