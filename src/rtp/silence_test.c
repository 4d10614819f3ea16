/* rtp/silence_test.c - silence is the lowest steps of both laws, of both signs, and nothing else
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/silence.h"

#include "harness/test.h"

static bool all(uint8_t byte, bool a_law)
{
    char sound[160];

    memset(sound, byte, sizeof sound);
    return rtp_is_silence(slice_of(sound, sizeof sound), a_law);
}

TEST(the_lowest_steps_of_both_signs_are_silence_and_the_next_is_not)
{
    CHECK(all(RTP_SILENCE_ULAW, false));
    CHECK(all(0x7f, false));
    CHECK(all(0xfb, false));
    CHECK(!all(RTP_HUSH_ULAW, false));
    CHECK(all(RTP_SILENCE_ALAW, true));
    CHECK(all(0x55, true));
    CHECK(!all(RTP_HUSH_ALAW, true));
    CHECK(!all(0x00, false));
    CHECK(!rtp_is_silence((slice){0}, false));
}

TEST(one_sound_among_silence_is_sound)
{
    char sound[160];

    memset(sound, RTP_SILENCE_ULAW, sizeof sound);
    sound[159] = 0x20;
    CHECK(!rtp_is_silence(slice_of(sound, sizeof sound), false));
}
