/* rtp/dtmf.c - see dtmf.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/dtmf.h"

#include "rtp/bytes.h"

static const char keys[] = "0123456789*#ABCD!";

bool rtp_event_parse(slice payload, struct rtp_event *ret)
{
    if (payload.len < 4 || payload.len % 4)
        return false;
    *ret = (struct rtp_event){
        .event = rtp_get_u8(payload, 0), .end = rtp_get_u8(payload, 1) & 0x80,
        .volume_dbm0 = rtp_get_u8(payload, 1) & 0x3f, .duration = rtp_get_u16(payload, 2),
    };
    return true;
}

char rtp_event_key(uint8_t event) { return event < sizeof keys - 1 ? keys[event] : '\0'; }

enum rtp_dtmf_step rtp_dtmf_note(struct rtp_dtmf *d, uint32_t timestamp, const struct rtp_event *e)
{
    bool same = d->open && timestamp == d->timestamp && e->event == d->event;
    /* a long event goes on under a new timestamp when its duration has filled up (2.5.1.3) */
    bool goes_on = d->open && !d->ended && e->event == d->event && d->duration >= 0xff00 &&
                   timestamp - d->timestamp >= 0xff00 && timestamp - d->timestamp <= 0x10000;
    bool late = d->open && !same && (int32_t)(timestamp - d->timestamp) < 0;
    bool unended = d->open && !d->ended;

    if (late)
        return RTP_DTMF_SAME;                             /* of an event before, out of order */
    if (same || goes_on) {
        d->duration = same && e->duration < d->duration ? d->duration : e->duration;
        d->ended |= e->end;
        d->timestamp = timestamp;
        return RTP_DTMF_SAME;
    }
    *d = (struct rtp_dtmf){ .timestamp = timestamp, .duration = e->duration, .event = e->event,
                            .open = true, .ended = e->end };
    return unended ? RTP_DTMF_NEW_UNENDED : RTP_DTMF_NEW;
}

/* ---- INFO ---- */

static char key_of(slice text)
{
    uint32_t number;

    text = slice_trim(text);
    if (text.len == 1) {
        char c = text.ptr[0] >= 'a' && text.ptr[0] <= 'd' ? (char)(text.ptr[0] - 0x20) : text.ptr[0];

        return c && memchr(keys, c, sizeof keys - 1) ? c : '\0';
    }
    return slice_to_u32(text, &number) && number < sizeof keys - 1 ? keys[number] : '\0';
}

char rtp_info_digit(slice content_type, slice body, uint32_t *ret_duration_ms)
{
    slice type = slice_trim(slice_take_until(&content_type, ';')), line;
    char key = '\0';

    *ret_duration_ms = 0;
    if (slice_eq_nocase(type, SLICE("application/dtmf")))
        return key_of(body);
    if (!slice_eq_nocase(type, SLICE("application/dtmf-relay")))
        return '\0';
    while (slice_take_line(&body, &line)) {
        slice name = slice_trim(slice_take_until(&line, '='));

        line = slice_trim(slice_skip(line, 1));
        if (slice_eq_nocase(name, SLICE("Signal")))
            key = key_of(line);
        else if (slice_eq_nocase(name, SLICE("Duration")) && !slice_to_u32(line, ret_duration_ms))
            *ret_duration_ms = 0;
    }
    return key;
}
