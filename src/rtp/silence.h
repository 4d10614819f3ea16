/* rtp/silence.h - silence in G.711 (ITU-T G.711), told from sound by its bytes alone.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure. Silence is what lies below -60 dBm0: the lowest steps, which a line at rest or a
 * generator sends. RTP_HUSH_... is the next step above: nobody hears it, and it is not silence. */
#ifndef RTP_SILENCE_H
#define RTP_SILENCE_H

#include "base/slice.h"

#define RTP_SILENCE_ULAW 0xff
#define RTP_SILENCE_ALAW 0xd5
#define RTP_HUSH_ULAW    0xfa
#define RTP_HUSH_ALAW    0xd6

/* False for nothing at all. */
bool rtp_is_silence(slice sound, bool a_law);

#endif
