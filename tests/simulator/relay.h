/* tests/simulator/relay.h - a media relay of the simulator: slow, forgetful, and it marks what it saw.
 * SPDX-License-Identifier: Apache-2.0
 *
 * It answers ng as rtpengine does, each question after a time of its own, so that answers overtake
 * each other, and loses some of both. In each SDP "IP4 10." becomes "IP4 99.": the judge takes the
 * mark off again before it looks who said that body, and counts SDP without a mark. */
#ifndef TESTS_SIMULATOR_RELAY_H
#define TESTS_SIMULATOR_RELAY_H

#include "lab/sim.h"
#include "switch/media_relay.h"

struct voice_relay_settings {
    uint64_t seed;
    int64_t  delay_max_ns;
    uint32_t loss_ppm;
};

struct voice_relay;
struct voice_relay *voice_relay_new(const struct voice_relay_settings *settings, int64_t now_ns);
struct voice_relay *voice_relay_free(struct voice_relay *r);
struct media_sender voice_relay_sender(struct voice_relay *r);
/* Gives what is due to `to`. */
void    voice_relay_time(struct voice_relay *r, struct media_relay *to, int64_t now_ns);
int64_t voice_relay_next_ns(const struct voice_relay *r);
size_t  voice_relay_calls(const struct voice_relay *r);               /* offered, not deleted */
/* Takes the mark off; false: there is SDP without it. */
bool    voice_relay_unmark(slice body, char *room, size_t room_len, slice *ret);

#endif
