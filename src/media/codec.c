/* media/codec.c - see codec.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/codec.h"

#include <math.h>

static const struct { slice name; uint8_t kind; } known[] = {
    { SLICE_INIT(""), MEDIA_UNKNOWN },
    { SLICE_INIT("PCMU"), MEDIA_AUDIO }, { SLICE_INIT("PCMA"), MEDIA_AUDIO },
    { SLICE_INIT("G722"), MEDIA_AUDIO }, { SLICE_INIT("G729"), MEDIA_AUDIO },
    { SLICE_INIT("GSM"), MEDIA_AUDIO }, { SLICE_INIT("G723"), MEDIA_AUDIO },
    { SLICE_INIT("G728"), MEDIA_AUDIO }, { SLICE_INIT("iLBC"), MEDIA_AUDIO },
    { SLICE_INIT("opus"), MEDIA_AUDIO }, { SLICE_INIT("AMR"), MEDIA_AUDIO },
    { SLICE_INIT("AMR-WB"), MEDIA_AUDIO }, { SLICE_INIT("EVS"), MEDIA_AUDIO },
    { SLICE_INIT("speex"), MEDIA_AUDIO }, { SLICE_INIT("G726-16"), MEDIA_AUDIO },
    { SLICE_INIT("G726-24"), MEDIA_AUDIO }, { SLICE_INIT("G726-32"), MEDIA_AUDIO },
    { SLICE_INIT("G726-40"), MEDIA_AUDIO }, { SLICE_INIT("DVI4"), MEDIA_AUDIO },
    { SLICE_INIT("LPC"), MEDIA_AUDIO }, { SLICE_INIT("L16"), MEDIA_AUDIO },
    { SLICE_INIT("GSM-EFR"), MEDIA_AUDIO }, { SLICE_INIT("GSM-HR-08"), MEDIA_AUDIO },
    { SLICE_INIT("QCELP"), MEDIA_AUDIO }, { SLICE_INIT("MPA"), MEDIA_AUDIO },
    { SLICE_INIT("CN"), MEDIA_COMFORT_NOISE }, { SLICE_INIT("telephone-event"), MEDIA_EVENT },
    { SLICE_INIT("tone"), MEDIA_OTHER }, { SLICE_INIT("red"), MEDIA_REDUNDANT },
    { SLICE_INIT("ulpfec"), MEDIA_REDUNDANT }, { SLICE_INIT("rtx"), MEDIA_REDUNDANT },
    { SLICE_INIT("H261"), MEDIA_VIDEO }, { SLICE_INIT("H263"), MEDIA_VIDEO },
    { SLICE_INIT("H264"), MEDIA_VIDEO }, { SLICE_INIT("H265"), MEDIA_VIDEO },
    { SLICE_INIT("VP8"), MEDIA_VIDEO }, { SLICE_INIT("VP9"), MEDIA_VIDEO },
    { SLICE_INIT("AV1"), MEDIA_VIDEO }, { SLICE_INIT("H263-1998"), MEDIA_VIDEO },
    { SLICE_INIT("H263-2000"), MEDIA_VIDEO }, { SLICE_INIT("MPV"), MEDIA_VIDEO },
    { SLICE_INIT("MP2T"), MEDIA_VIDEO }, { SLICE_INIT("JPEG"), MEDIA_VIDEO },
    { SLICE_INIT("CelB"), MEDIA_VIDEO }, { SLICE_INIT("nv"), MEDIA_VIDEO },
    { SLICE_INIT("t140"), MEDIA_OTHER }, { SLICE_INIT("CLEARMODE"), MEDIA_OTHER },
};

slice media_codec_name(const struct media_names *names, uint8_t name)
{
    if (name < ARRAY_LEN(known))
        return known[name].name;
    unsigned own = name - (unsigned)ARRAY_LEN(known);

    return names && own < names->count ? slice_of_string(names->names[own]) : (slice){0};
}

static uint8_t known_find(slice name)
{
    for (size_t i = 1; i < ARRAY_LEN(known); i++)
        if (known[i].name.len == name.len && slice_eq_nocase(known[i].name, name))
            return (uint8_t)i;
    return 0;
}

static uint8_t name_find(struct media_names *names, slice name)
{
    uint8_t found = known_find(name);
    slice kept = slice_head(name, STREAM_CODEC_MAX - 1);

    if (found || !names || name.len == 0)
        return found;
    for (unsigned i = 0; i < names->count; i++)
        if (slice_eq_nocase(slice_of_string(names->names[i]), kept))
            return (uint8_t)(ARRAY_LEN(known) + i);
    if (names->count == MEDIA_NAMES_MAX || memchr(kept.ptr, '\0', kept.len))
        return 0;
    memcpy(names->names[names->count], kept.ptr, kept.len);
    names->names[names->count][kept.len] = '\0';
    return (uint8_t)(ARRAY_LEN(known) + names->count++);
}

/* An unknown codec is what its media line is. */
static uint8_t kind_of_line(slice type)
{
    return slice_eq_nocase(type, SLICE("audio")) ? MEDIA_AUDIO
         : slice_eq_nocase(type, SLICE("video")) ? MEDIA_VIDEO : MEDIA_OTHER;
}

struct media_type media_type_of_codec(struct media_names *names, const struct sdp_media *m,
                                      const struct sdp_codec *codec)
{
    struct media_type t = { .payload_type = codec->payload_type };

    if (!codec->name.len) {
        t.kind = kind_of_line(m->type);
        return t;
    }
    t.name = name_find(names, codec->name);
    t.kind = t.name && t.name < ARRAY_LEN(known) ? known[t.name].kind : kind_of_line(m->type);
    t.channels = codec->channels;
    t.clock_hz = codec->clock_hz;
    return t;
}

struct media_type media_type_static(unsigned payload_type)
{
    static const struct { uint8_t payload_type; const char *name; uint32_t clock_hz; } types[] = {
        { 0, "PCMU", 8000 }, { 3, "GSM", 8000 }, { 4, "G723", 8000 }, { 5, "DVI4", 8000 },
        { 6, "DVI4", 16000 }, { 7, "LPC", 8000 }, { 8, "PCMA", 8000 }, { 9, "G722", 8000 },
        { 10, "L16", 44100 }, { 11, "L16", 44100 }, { 12, "QCELP", 8000 }, { 13, "CN", 8000 },
        { 14, "MPA", 90000 }, { 15, "G728", 8000 }, { 16, "DVI4", 11025 }, { 17, "DVI4", 22050 },
        { 18, "G729", 8000 }, { 19, "CN", 8000 }, { 25, "CelB", 90000 }, { 26, "JPEG", 90000 },
        { 28, "nv", 90000 }, { 31, "H261", 90000 }, { 32, "MPV", 90000 }, { 33, "MP2T", 90000 },
        { 34, "H263", 90000 },
    };
    struct media_type t = { .payload_type = (uint8_t)payload_type };

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].payload_type == payload_type) {
            t.name = known_find(slice_of_string(types[i].name));
            t.kind = known[t.name].kind;
            t.clock_hz = types[i].clock_hz;
        }
    return t;
}

uint32_t media_clock_near(double hz)
{
    static const uint32_t clocks[] = { 8000, 16000, 32000, 48000, 90000, 24000, 12000, 11025, 22050, 44100 };

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
        if (fabs(hz - clocks[i]) < clocks[i] * 0.03)
            return clocks[i];
    return 0;
}
