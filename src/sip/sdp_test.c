/* sip/sdp_test.c - session descriptions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/sdp.h"

static struct sdp sdp;

static bool has_flaw(enum sip_flaw_kind kind)
{
    for (unsigned i = 0; i < sdp.flaw_count && i < SDP_FLAWS_MAX; i++)
        if (sdp.flaws[i].kind == kind)
            return true;
    return false;
}

#define HEAD "v=0\r\no=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=-\r\n"

TEST(a_plain_offer_is_read_whole)
{
    static const slice text = SLICE(HEAD
        "c=IN IP4 10.0.0.1/127\r\nb=AS:64\r\nt=2873397496 2873404696\r\na=recvonly\r\n"
        "m=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:240\r\na=sendrecv\r\na=rtcp:53020 IN IP4 10.0.0.7\r\n"
        "m=video 51372/2 RTP/SAVPF 99\r\nc=IN IP6 2001:db8::2\r\nb=AS:512\r\nb=RS:0\r\na=rtcp-mux\r\na=mid:v\r\n"
        "a=setup:actpass\r\na=fingerprint:sha-256 AB:CD\r\na=crypto:1 X inline:y\r\n"
        "a=candidate:1 1 UDP 1 1.2.3.4 5 typ host\r\na=candidate:2 1 UDP 1 1.2.3.4 6 typ host\r\n"
        "m=image 0 udptl t38\r\n");
    struct sdp_connection c;

    CHECK(sdp_parse(text, &sdp));
    CHECK_EQ(sdp.flaw_count, 0);
    CHECK_EQ(sdp.origin.username, SLICE("jdoe"));
    CHECK_EQ(sdp.origin.session_id, SLICE("2890844526"));
    CHECK_EQ(sdp.origin.version, SLICE("2890842807"));
    CHECK_EQ(sdp.origin.address.address, SLICE("10.47.16.5"));
    CHECK_EQ(sdp.connection.address, SLICE("10.0.0.1"));
    CHECK_EQ(sdp.bandwidth_as_kbps, 64);
    CHECK_EQ(sdp.timing, SLICE("2873397496 2873404696"));
    CHECK_EQ(sdp.media_count, 3);
    CHECK_EQ(sdp.media[0].type, SLICE("audio"));
    CHECK_EQ(sdp.media[0].port, 49170);
    CHECK_EQ(sdp.media[0].proto, SLICE("RTP/AVP"));
    CHECK_EQ(sdp.media[0].formats, SLICE("0 8 101"));
    CHECK_EQ(sdp.media[0].ptime_ms, 20);
    CHECK_EQ(sdp.media[0].maxptime_ms, 240);
    CHECK_EQ(sdp.media[0].rtcp_port, 53020);
    CHECK_EQ(sdp.media[0].rtcp.address, SLICE("10.0.0.7"));
    CHECK_EQ(sdp_media_direction(&sdp, 0), SDP_SENDRECV);
    CHECK_EQ(sdp_media_connection(&sdp, 0).address, SLICE("10.0.0.1"));
    CHECK_EQ(sdp.media[1].port_count, 2);
    CHECK_EQ(sdp.media[1].bandwidth_as_kbps, 512);
    CHECK(sdp.media[1].rtcp_mux && !sdp.media[0].rtcp_mux);
    CHECK_EQ(sdp.media[1].mid, SLICE("v"));
    CHECK_EQ(sdp.media[1].setup, SLICE("actpass"));
    CHECK_EQ(sdp.media[1].fingerprint, SLICE("sha-256 AB:CD"));
    CHECK_EQ(sdp.media[1].crypto_count, 1);
    CHECK_EQ(sdp.media[1].candidate_count, 2);
    CHECK_EQ(sdp_media_direction(&sdp, 1), SDP_RECVONLY);           /* the session's */
    c = sdp_media_connection(&sdp, 1);
    CHECK_EQ(c.address, SLICE("2001:db8::2"));
    CHECK_EQ(c.family, 6);
    CHECK_EQ(sdp.media[2].port, 0);
    CHECK_EQ(sdp.media[2].formats, SLICE("t38"));
}

TEST(hold_is_seen_in_every_way_it_is_said)
{
    static const struct { const char *text; bool hold; } rows[] = {
        { HEAD "c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\n", false },
        { HEAD "c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\na=sendonly\r\n", true },
        { HEAD "c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\na=inactive\r\n", true },
        { HEAD "c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\na=recvonly\r\n", false },
          /* the held side */
        { HEAD "c=IN IP4 1.2.3.4\r\na=sendonly\r\nm=audio 9 RTP/AVP 0\r\n", true },
        { HEAD "c=IN IP4 1.2.3.4\r\na=sendonly\r\nm=audio 9 RTP/AVP 0\r\na=sendrecv\r\n", false },
        { HEAD "c=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 0\r\n", true },
        { HEAD "c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", true },
        { HEAD "c=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 1.2.3.4\r\n", false },
        { HEAD "c=IN IP6 ::\r\nm=audio 9 RTP/AVP 0\r\n", true },
        { HEAD "c=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 0\r\na=inactive\r\n", false },  /* refused */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW(i, sdp_parse(slice_of_string(rows[i].text), &sdp));
        CHECK_ROW_EQ(i, sdp_is_hold(&sdp, 0), rows[i].hold);
    }
}

TEST(a_breach_is_a_flaw_and_the_next_line_is_read)
{
    static const struct { const char *text; enum sip_flaw_kind flaw; } rows[] = {
        { "v=1\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\n", SIP_FLAW_SDP_VERSION_BAD },
        { "v=0\r\no=x y\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\n", SIP_FLAW_SDP_ORIGIN_BAD },
        { "v=0\r\njunk\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\n", SIP_FLAW_SDP_LINE_BAD },
        { "v=0\r\nc=IN IP4\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\n",
          SIP_FLAW_SDP_CONNECTION_BAD },
        { "v=0\r\nc=IN IP5 x\r\nm=audio 9 RTP/AVP 0\r\n", SIP_FLAW_SDP_CONNECTION_BAD },
        { "v=0\r\nm=audio 9 RTP/AVP 0\r\n", SIP_FLAW_SDP_CONNECTION_MISSING },
        { "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\na=ptime:x\r\n",
          SIP_FLAW_SDP_ATTRIBUTE_BAD },
        { "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\na=rtcp:70000\r\n",
          SIP_FLAW_SDP_ATTRIBUTE_BAD },
        { "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\nm=video 65536 RTP/AVP 0\r\n",
          SIP_FLAW_SDP_MEDIA_BAD },
        { "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\nm=video 9\r\n",
          SIP_FLAW_SDP_MEDIA_BAD },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW(i, sdp_parse(slice_of_string(rows[i].text), &sdp));
        CHECK_ROW(i, has_flaw(rows[i].flaw));
        CHECK_ROW(i, sdp.media_count >= 1 && sdp.media[0].port == 9);
    }
    CHECK(!sdp_parse(SLICE(""), &sdp));
    CHECK(!sdp_parse(SLICE("{\"v\":0}"), &sdp));
}

TEST(media_beyond_the_room_are_counted_and_do_no_harm)
{
    char text[4000];
    size_t n = (size_t)snprintf(text, sizeof(text), HEAD "c=IN IP4 1.2.3.4\r\n");

    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
            "m=audio %d RTP/AVP 0\r\na=mid:%d\r\na=sendonly\r\n", 1000 + i, i);
    CHECK(sdp_parse(slice_of(text, n), &sdp));
    CHECK_EQ(sdp.media_count, SDP_MEDIA_MAX);
    CHECK_EQ(sdp.media_total, 40);
    CHECK(has_flaw(SIP_FLAW_SDP_TOO_MANY_MEDIA));
    CHECK_EQ(sdp.media[31].mid, SLICE("31"));
    CHECK_EQ(sdp.media[31].lines, SLICE("a=mid:31\r\na=sendonly\r\n"));
}

TEST(a_payload_type_is_what_its_rtpmap_says_or_what_the_rfc_gave_it)
{
    static const slice text = SLICE(HEAD "c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0 96 97 8 x 300\r\n"
        "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1; stereo=0\r\na=rtpmap:8 L16/16000\r\na=rtpmap:97 bad\r\n");
    static const struct { unsigned type; bool ok; slice name; unsigned clock, channels; } rows[] = {
        { 0, true, SLICE("PCMU"), 8000, 1 }, { 96, true, SLICE("opus"), 48000, 2 },
        { 8, true, SLICE("L16"), 16000, 1 },                        /* the offer is right */
        { 9, true, SLICE("G722"), 8000, 1 }, { 97, false, {0}, 0, 0 }, { 98, false, {0}, 0, 0 },
    };
    struct sdp_codec codec;
    slice formats, fmtp;
    unsigned type;

    CHECK(sdp_parse(text, &sdp));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, sdp_codec_of(&sdp.media[0], rows[i].type, &codec), rows[i].ok);
        CHECK_ROW(i, !rows[i].ok || (slice_eq(codec.name, rows[i].name) &&
                                     codec.clock_hz == rows[i].clock &&
                                     codec.channels == rows[i].channels));
    }
    CHECK(sdp_fmtp_of(&sdp.media[0], 96, &fmtp));
    CHECK_EQ(fmtp, SLICE("useinbandfec=1; stereo=0"));
    CHECK(!sdp_fmtp_of(&sdp.media[0], 0, &fmtp));
    formats = sdp.media[0].formats;
    for (size_t i = 0; i < 4; i++) {
        static const unsigned wanted[] = { 0, 96, 97, 8 };

        CHECK_ROW(i, sdp_format_next(&formats, &type) && type == wanted[i]);
    }
    CHECK(!sdp_format_next(&formats, &type));
}

TEST(crypto_and_candidates_are_taken_apart)
{
    struct sdp_crypto crypto;
    struct sdp_candidate c;

    CHECK(sdp_crypto_parse(SLICE("1 AES_CM_128_HMAC_SHA1_80 inline:WVNf|2^20|1:4 FEC_ORDER=FEC_SRTP KDR=1"), &crypto));
    CHECK_EQ(crypto.tag, 1);
    CHECK_EQ(crypto.suite, SLICE("AES_CM_128_HMAC_SHA1_80"));
    CHECK_EQ(crypto.key_params, SLICE("inline:WVNf|2^20|1:4"));
    CHECK_EQ(crypto.session_params, SLICE("FEC_ORDER=FEC_SRTP KDR=1"));
    CHECK(!sdp_crypto_parse(SLICE("1 AES"), &crypto));
    CHECK(!sdp_crypto_parse(SLICE("x AES inline:y"), &crypto));

    CHECK(sdp_candidate_parse(SLICE("2 1 UDP 1694498815 203.0.113.9 45664 typ srflx raddr 10.0.1.1 rport 8998 generation 0"), &c));
    CHECK_EQ(c.foundation, SLICE("2"));
    CHECK_EQ(c.component, 1);
    CHECK_EQ(c.priority, 1694498815);
    CHECK_EQ(c.address, SLICE("203.0.113.9"));
    CHECK_EQ(c.port, 45664);
    CHECK_EQ(c.type, SLICE("srflx"));
    CHECK_EQ(c.related_address, SLICE("10.0.1.1"));
    CHECK_EQ(c.related_port, 8998);
    CHECK(sdp_candidate_parse(SLICE("1 1 udp 1 2001:db8::1 9 typ host"), &c));
    CHECK_EQ(c.related_address.len, 0);
    CHECK(!sdp_candidate_parse(SLICE("1 1 udp 1 h 9 host"), &c));
    CHECK(!sdp_candidate_parse(SLICE("1 1 udp 1 h 70000 typ host"), &c));
    CHECK(!sdp_candidate_parse(SLICE("1 1 udp 1 h 9 typ"), &c));
}

TEST(precondition_lines_are_read_and_counted)
{
    static const struct { slice name, value; bool ok; enum sdp_precondition_kind kind;
                          slice strength, status, direction; } rows[] = {
        { SLICE("curr"), SLICE("qos local none"), true, SDP_CURRENT, {0}, SLICE("local"),
          SLICE("none") },
        { SLICE("des"), SLICE("qos mandatory remote sendrecv"), true, SDP_DESIRED,
          SLICE("mandatory"),
          SLICE("remote"), SLICE("sendrecv") },
        { SLICE("conf"), SLICE("qos e2e recv"), true, SDP_CONFIRM, {0}, SLICE("e2e"),
          SLICE("recv") },
        { SLICE("des"), SLICE("qos local sendrecv"), false, 0, {0}, {0}, {0} },
        { SLICE("curr"), SLICE("qos local"), false, 0, {0}, {0}, {0} },
        { SLICE("cur"), SLICE("qos local none"), false, 0, {0}, {0}, {0} },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sdp_precondition got;

        CHECK_ROW_EQ(i, sdp_precondition_parse(rows[i].name, rows[i].value, &got), rows[i].ok);
        if (!rows[i].ok)
            continue;
        CHECK_ROW_EQ(i, got.kind, rows[i].kind);
        CHECK_ROW(i, slice_eq(got.type, SLICE("qos")) && slice_eq(got.strength, rows[i].strength));
        CHECK_ROW(i, slice_eq(got.status, rows[i].status) && slice_eq(got.direction,
            rows[i].direction));
    }
    CHECK(sdp_parse(SLICE(HEAD "c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 0\r\na=curr:qos local none\r\n"
                          "a=des:qos mandatory local sendrecv\r\na=conf:qos remote sendrecv\r\n"),
                              &sdp));
    CHECK_EQ(sdp.media[0].precondition_count, 3);
}

TEST(lines_may_end_without_cr)
{
    CHECK(sdp_parse(SLICE("v=0\no=- 1 1 IN IP4 h\ns=x\nc=IN IP4 1.2.3.4\nm=audio 9 RTP/AVP 0\na=sendonly\n\n"), &sdp));
    CHECK_EQ(sdp.flaw_count, 0);
    CHECK_EQ(sdp_media_direction(&sdp, 0), SDP_SENDONLY);
    CHECK_EQ(sdp.media[0].formats, SLICE("0"));
}

TEST(sdp_is_found_in_a_message_by_type_by_part_or_by_its_first_line)
{
    static const struct { const char *text; bool ok; } rows[] = {
        { "INVITE sip:a SIP/2.0\r\nc:Application/SDP;x\r\n\r\nv=0\r\n", true },
        { "INVITE sip:a SIP/2.0\r\n\r\nv=0\r\n", true },
        { "INVITE sip:a SIP/2.0\r\nc:text/plain\r\n\r\nv=0\r\n", false },
        { "INVITE sip:a SIP/2.0\r\n\r\nhello", false },
        { "INVITE sip:a SIP/2.0\r\nc:application/sdp\r\n\r\n", false },
        { "INVITE sip:a SIP/2.0\r\nc:multipart/mixed;boundary=x\r\n\r\n--x\r\nc:application/sdp\r\n\r\nv=0\r\n\r\n--x--", true },
    };
    struct sip_header room[4];
    struct sip_message m;
    slice text;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW(i, sip_message_parse(slice_of_string(rows[i].text), SIP_DATAGRAM, room, 4,
            &m) > 0);
        CHECK_ROW_EQ(i, sip_sdp_of(&m, &text), rows[i].ok);
        CHECK_ROW(i, !rows[i].ok || slice_eq(text, SLICE("v=0\r\n")));
    }
}
