/* sip/sdp_codecs.h - an allow list of audio codecs, applied to an offer (RFC 3264, 5; RFC 8866).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure. Everything but the payload types that are taken out passes byte for byte: of an audio
 * line over RTP they go out of m=, and with them their a=rtpmap, a=fmtp and a=rtcp-fb. A line
 * that has none left is switched off (port 0). telephone-event and CN are no codecs of their
 * own: they stay where a codec stays. Lines that are no audio are left alone.
 *
 *     struct sdp_codecs opus = { names, 1 };
 *     switch (sdp_codecs_filter(text, &opus, NULL, o)) { case SDP_CODECS_CHANGED: ... out_taken(o) ... }   */
#ifndef SIP_SDP_CODECS_H
#define SIP_SDP_CODECS_H

#include "base/out.h"
#include "base/slice.h"

struct sdp_codecs {                  /* names as in rtpmap, case does not count */
    const slice *names;
    size_t       count;              /* 0: all of them */
};

enum sdp_codecs_result {
    SDP_CODECS_SAME,                 /* nothing to take out; nothing was written */
    SDP_CODECS_CHANGED,              /* all of the new text was written (o->error: it was too long) */
    SDP_CODECS_NONE                  /* there was audio, and none is left; what was written is of no use */
};

/* Both lists have to allow a codec; `also` may be NULL. */
enum sdp_codecs_result sdp_codecs_filter(slice text, const struct sdp_codecs *allowed, const struct sdp_codecs *also,
                                         struct out *o);

#endif
