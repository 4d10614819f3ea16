/* sip/sdp_codecs_test.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/sdp_codecs.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
#define OFFER HEAD "m=audio 4000 RTP/AVP 111 0 8 101\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n" \
              "a=rtcp-fb:111 transport-cc\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n"

static const slice pcma[] = { SLICE_INIT("PCMA") }, opus_pcma[] = { SLICE_INIT("Opus"), SLICE_INIT("pcma") },
                   g729[] = { SLICE_INIT("G729") }, all_of_it[] = { SLICE_INIT("opus"), SLICE_INIT("PCMU"), SLICE_INIT("PCMA") };
static struct out o;

static enum sdp_codecs_result filter(slice text, const slice *names, size_t count)
{
    struct sdp_codecs list = { names, count };

    out_done(&o);
    out_init_memory(&o, 0);
    return sdp_codecs_filter(text, &list, NULL, &o);
}

TEST(what_is_not_allowed_goes_with_its_attributes_and_the_rest_stays_byte_for_byte)
{
    CHECK_EQ(filter(SLICE(OFFER), pcma, 1), SDP_CODECS_CHANGED);
    CHECK_EQ(out_taken(&o), SLICE(HEAD "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
                                       "a=ptime:20\r\n"));
    CHECK_EQ(filter(SLICE(OFFER), opus_pcma, 2), SDP_CODECS_CHANGED);
    CHECK_EQ(out_taken(&o), SLICE(HEAD "m=audio 4000 RTP/AVP 111 8 101\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
                                       "a=rtcp-fb:111 transport-cc\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
                                       "a=ptime:20\r\n"));
    out_done(&o);
}

TEST(an_offer_of_allowed_codecs_only_is_not_touched)
{
    CHECK_EQ(filter(SLICE(OFFER), all_of_it, 3), SDP_CODECS_SAME);
    CHECK_EQ(out_taken(&o).len, 0);
    CHECK_EQ(filter(SLICE(OFFER), NULL, 0), SDP_CODECS_SAME);
    CHECK_EQ(filter(SLICE("no sdp at all"), pcma, 1), SDP_CODECS_SAME);
    out_done(&o);
}

TEST(both_lists_have_to_allow_it)
{
    struct sdp_codecs first = { opus_pcma, 2 }, second = { pcma, 1 }, other = { g729, 1 };

    out_init_memory(&o, 0);
    CHECK_EQ(sdp_codecs_filter(SLICE(OFFER), &first, &second, &o), SDP_CODECS_CHANGED);
    CHECK(slice_find(out_taken(&o), SLICE("RTP/AVP 8 101\r\n")) >= 0);
    CHECK_EQ(sdp_codecs_filter(SLICE(OFFER), &first, &other, &o), SDP_CODECS_NONE);
    out_done(&o);
}

TEST(no_codec_left_is_none_even_with_telephone_events_and_video)
{
    CHECK_EQ(filter(SLICE(OFFER), g729, 1), SDP_CODECS_NONE);
    CHECK_EQ(filter(SLICE(OFFER "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"), g729, 1), SDP_CODECS_NONE);
    out_done(&o);
}

TEST(one_of_two_audio_lines_without_a_codec_is_switched_off)
{
    CHECK_EQ(filter(SLICE(HEAD "m=audio 4000/2 RTP/SAVP 18\r\na=x\r\nm=audio 4002 RTP/AVP 8\r\n"), pcma, 1), SDP_CODECS_CHANGED);
    CHECK_EQ(out_taken(&o), SLICE(HEAD "m=audio 0 RTP/SAVP 18\r\na=x\r\nm=audio 4002 RTP/AVP 8\r\n"));
    out_done(&o);
}

TEST(video_text_and_fax_are_left_alone)
{
    CHECK_EQ(filter(SLICE(HEAD "m=image 5000 udptl t38\r\nm=video 5002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"), pcma, 1),
             SDP_CODECS_SAME);
    CHECK_EQ(filter(SLICE(HEAD "m=audio 0 RTP/AVP 18\r\n"), pcma, 1), SDP_CODECS_SAME);
    out_done(&o);
}

TEST(a_name_of_its_own_for_a_static_type_counts_as_what_it_says)
{
    CHECK_EQ(filter(SLICE(HEAD "m=audio 4000 RTP/AVP 8 9\r\na=rtpmap:8 G729/8000\r\na=rtpmap:9 G722/8000\r\n"), g729, 1),
             SDP_CODECS_CHANGED);
    CHECK_EQ(out_taken(&o), SLICE(HEAD "m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 G729/8000\r\n"));
    out_done(&o);
}

TEST(a_type_that_stands_there_twice_is_what_its_rtpmap_says)
{
    CHECK_EQ(filter(SLICE(HEAD "m=audio 4000 RTP/AVP 0 0 9\r\na=rtpmap:0 PCMA/8000\r\n"), pcma, 1), SDP_CODECS_CHANGED);
    CHECK(slice_find(out_taken(&o), SLICE("m=audio 4000 RTP/AVP 0 0\r\n")) >= 0);
    CHECK_EQ(filter(SLICE(HEAD "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMA/8000\r\na=rtpmap:96 G729/8000\r\n"), pcma, 1), SDP_CODECS_NONE);
    CHECK_EQ(filter(SLICE(HEAD "m=audio 4000 RTP/AVP 8 8\r\na=rtpmap:8 G729/8000\r\n"), pcma, 1), SDP_CODECS_NONE);
    out_done(&o);
}

TEST(formats_that_are_no_payload_types_go_when_anything_goes)
{
    CHECK_EQ(filter(SLICE(HEAD "m=audio 4000 RTP/AVP 8\t0 x 4711 -1\nA\n"), pcma, 1), SDP_CODECS_CHANGED);
    CHECK_EQ(out_taken(&o), SLICE(HEAD "m=audio 4000 RTP/AVP 8\nA\n"));
    out_done(&o);
}

TEST(more_media_lines_than_can_be_looked_at_are_refused)
{
    char text[4096] = HEAD;

    for (int i = 0; i < 40; i++)
        memcpy(text + strlen(text), "m=audio 4000 RTP/AVP 8\r\n", 25);
    CHECK_EQ(filter(slice_of_string(text), pcma, 1), SDP_CODECS_NONE);
    out_done(&o);
}
