/* media/reports.h - RTCP about a stream: what the far end says, and the time there and back.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Cumulative counts are only ever differenced (newest less oldest report), and a report that cannot
 * be true (more lost than sent, a delay of minutes, a highest number that the sender never reached)
 * is counted as suspect and leaves every figure alone. */
#ifndef MEDIA_REPORTS_H
#define MEDIA_REPORTS_H

#include "media/stream.h"
#include "rtp/rtcp.h"

/* The sender's own report about stream s. */
void media_reports_sender(struct media_stream *s, const struct rtcp_sender *sr, int64_t now_ns);
/* A receiver's report about s. */
void media_reports_receiver(struct media_stream *s, const struct rtcp_report *rr, int64_t now_ns);
void media_reports_voip(struct media_stream *s, const struct rtcp_voip *v);
void media_reports_bye(struct media_stream *s);

#endif
