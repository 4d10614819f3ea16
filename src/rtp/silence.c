/* rtp/silence.c - see silence.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/silence.h"

#define ALAW_STEPS 2                 /* steps from zero that are silence */
#define ULAW_STEPS 4

bool rtp_is_silence(slice sound, bool a_law)
{
    for (size_t i = 0; i < sound.len; i++) {
        uint8_t b = (uint8_t)sound.ptr[i];
        int step = a_law ? (b ^ 0x55) & 0x7f : 0x7f - (b & 0x7f);

        if (step > (a_law ? ALAW_STEPS : ULAW_STEPS))
            return false;
    }
    return sound.len > 0;
}
