/* media/codec_test.c - see codec.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/codec.h"

#include "harness/test.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"

static struct media_type type_in(struct media_names *names, const char *text, unsigned payload_type)
{
    struct sdp sdp;

    CHECK(sdp_parse(slice_of_string(text), &sdp));
    struct sdp_codec codecs[32];
    size_t count = sdp_codecs_of(&sdp.media[0], codecs, ARRAY_LEN(codecs));

    for (size_t i = 0; i < count; i++)
        if (codecs[i].payload_type == payload_type)
            return media_type_of_codec(names, &sdp.media[0], &codecs[i]);
    return (struct media_type){0};
}

TEST(static_types_have_the_clock_of_their_timestamps)
{
    static const struct { unsigned type; const char *name; uint32_t clock_hz; enum media_kind kind; } rows[] = {
        { 0, "PCMU", 8000, MEDIA_AUDIO }, { 8, "PCMA", 8000, MEDIA_AUDIO },
        { 9, "G722", 8000, MEDIA_AUDIO },                 /* although it samples at 16 kHz */
        { 18, "G729", 8000, MEDIA_AUDIO }, { 13, "CN", 8000, MEDIA_COMFORT_NOISE },
        { 34, "H263", 90000, MEDIA_VIDEO }, { 96, "", 0, MEDIA_UNKNOWN }, { 77, "", 0, MEDIA_UNKNOWN },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct media_type t = media_type_static(rows[i].type);

        CHECK_ROW_EQ(i, media_codec_name(NULL, t.name), rows[i].name);
        CHECK_ROW_EQ(i, t.clock_hz, rows[i].clock_hz);
        CHECK_ROW_EQ(i, t.kind, rows[i].kind);
    }
}

TEST(an_sdp_says_what_a_dynamic_type_is_whatever_its_capitals)
{
    static const char text[] = HEAD "m=audio 4000 RTP/AVP 96 97 98 99 18\r\na=rtpmap:96 Opus/48000/2\r\n"
                               "a=rtpmap:97 TELEPHONE-EVENT/8000\r\na=rtpmap:98 x-own/16000\r\n";
    struct media_names names = {0};
    struct media_type t = type_in(&names, text, 96);

    CHECK_EQ(media_codec_name(&names, t.name), "opus");
    CHECK_EQ(t.clock_hz, 48000);
    CHECK_EQ(t.channels, 2);
    CHECK_EQ(type_in(&names, text, 97).kind, MEDIA_EVENT);
    t = type_in(&names, text, 98);
    CHECK_EQ(media_codec_name(&names, t.name), "x-own");
    CHECK_EQ(t.kind, MEDIA_AUDIO);                        /* as its line is */
    CHECK_EQ(type_in(&names, text, 98).name, t.name);     /* kept once */
    CHECK_EQ(names.count, 1);
    CHECK_EQ(type_in(&names, text, 99).clock_hz, 0);
    CHECK_EQ(media_codec_name(&names, type_in(&names, text, 18).name), "G729");
}

TEST(names_are_bounded_in_number_and_length)
{
    struct media_names names = {0};
    char text[512];

    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, HEAD "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 own-codec-with-a-very-long-name-%d/8000\r\n", i);
        struct media_type t = type_in(&names, text, 96);

        CHECK_ROW(i, media_codec_name(&names, t.name).len < STREAM_CODEC_MAX);
        snprintf(text, sizeof text, HEAD "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 c%d/8000\r\n", i);
        (void)type_in(&names, text, 96);
    }
    CHECK_EQ(names.count, MEDIA_NAMES_MAX);
}

TEST(a_measured_clock_is_one_of_those_that_exist)
{
    CHECK_EQ(media_clock_near(8003), 8000);
    CHECK_EQ(media_clock_near(47500), 48000);
    CHECK_EQ(media_clock_near(90100), 90000);
    CHECK_EQ(media_clock_near(70000), 0);
    CHECK_EQ(media_clock_near(0), 0);
}
