/* media/codec.h - what a payload type means: by an SDP, or by RFC 3551 alone.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Eight bytes a type. Names are numbers: those that are common are known, others are remembered
 * by struct media_names, up to a bound, so that no text is copied for each call. */
#ifndef MEDIA_CODEC_H
#define MEDIA_CODEC_H

#include "call/stream.h"
#include "sip/sdp.h"

enum media_kind {
    MEDIA_UNKNOWN, MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_EVENT, MEDIA_COMFORT_NOISE,
    MEDIA_REDUNDANT,                 /* red, ulpfec, rtx: not sound of its own */
    MEDIA_OTHER,
};

struct media_type {
    uint8_t  payload_type;
    uint8_t  name;                   /* media_codec_name; 0: unknown */
    uint8_t  kind;                   /* enum media_kind */
    uint8_t  channels;
    uint32_t clock_hz;               /* of the timestamps; 0: unknown */
};

#define MEDIA_NAMES_MAX 128u         /* beyond the known ones */
struct media_names {                 /* zero is ready to use */
    char     names[MEDIA_NAMES_MAX][STREAM_CODEC_MAX];
    unsigned count;
};

slice media_codec_name(const struct media_names *names, uint8_t name);
/* `codec` is one of the line `m` (sdp_codecs_of); without a name it is what its line is. */
struct media_type media_type_of_codec(struct media_names *names, const struct sdp_media *m,
                                      const struct sdp_codec *codec);
struct media_type media_type_static(unsigned payload_type);      /* kind MEDIA_UNKNOWN when dynamic */
/* The clock that is nearest to a measured one, 0: none is near. */
uint32_t media_clock_near(double hz);

#endif
