/* rtp/dtmf.h - keys pressed on a phone: RFC 4733 events, and digits in the body of a SIP INFO.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure. An event is sent in many packets with one timestamp, its last one three times with the
 * end bit; struct rtp_dtmf tells which of them begins a new one. */
#ifndef RTP_DTMF_H
#define RTP_DTMF_H

#include "base/slice.h"

#define RTP_EVENT_KEYS 16u           /* events 0 to 15 are 0-9, *, #, A-D; 16 is a hook flash */

struct rtp_event {
    uint8_t  event;
    bool     end;
    uint8_t  volume_dbm0;            /* minus sign dropped */
    uint16_t duration;               /* ticks of the clock of the stream */
};
/* The first event of a payload: exactly four bytes each, one or several (RFC 4733, 2.5.1.5). */
bool rtp_event_parse(slice payload, struct rtp_event *ret);
char rtp_event_key(uint8_t event);   /* '0' ...; '!' for a hook flash; 0 for all others */

struct rtp_dtmf {                    /* zero is ready to use */
    uint32_t timestamp;
    uint16_t duration;               /* longest seen of the event under way */
    uint8_t  event;
    bool     open, ended;
};
enum rtp_dtmf_step { RTP_DTMF_SAME, RTP_DTMF_NEW, RTP_DTMF_NEW_UNENDED };  /* UNENDED: the one before had no end */
enum rtp_dtmf_step rtp_dtmf_note(struct rtp_dtmf *d, uint32_t timestamp, const struct rtp_event *e);

/* "Signal=5\r\nDuration=160" (application/dtmf-relay), "5" (application/dtmf). The key, or 0;
 * *ret_duration_ms is 0 when it does not say. */
char rtp_info_digit(slice content_type, slice body, uint32_t *ret_duration_ms);

#endif
