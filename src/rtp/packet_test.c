/* rtp/packet_test.c - see packet.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/packet.h"

#include "harness/test.h"

#define RTP "\x80\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe"

TEST(an_rtp_packet_is_read_with_its_payload_without_padding)
{
    static const struct { slice bytes; bool ok; size_t payload; } rows[] = {
        { SLICE(RTP "abcd"), true, 4 },
        { SLICE(RTP), true, 0 },
        { SLICE("\x81\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "\0\0\0\1" "ab"), true, 2 },     /* one CSRC */
        { SLICE("\x8f\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "\0\0\0\1"), false, 0 },         /* says 15 */
        { SLICE("\x90\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "\xbe\xde\0\1" "EXT1" "abc"), true, 3 },
        { SLICE("\x90\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "\xbe\xde\0\2" "EXT1"), false, 0 },
        { SLICE("\xa0\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "ab\0\2"), true, 2 },            /* padding of two */
        { SLICE("\xa0\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "abc\x09"), false, 0 },          /* of nine */
        { SLICE("\xa0\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "abc\0"), false, 0 },            /* of none */
        { SLICE("\x40\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe"), false, 0 },                    /* version 1 */
        { SLICE("\x80\x00\x12\x34\x00\x00\x00\xa0\x0b\xad\xca"), false, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rtp_packet p = { .ssrc = 7 };

        CHECK_ROW_EQ(i, rtp_packet_parse(rows[i].bytes, &p), rows[i].ok);
        CHECK_ROW_EQ(i, p.ssrc, rows[i].ok ? 0x0badcafe : 7);
        if (rows[i].ok) {
            CHECK_ROW_EQ(i, p.payload.len, rows[i].payload);
            CHECK_ROW_EQ(i, p.sequence, 0x1234);
            CHECK_ROW_EQ(i, p.timestamp, 160);
        }
    }
}

TEST(rtcp_is_told_from_rtp_by_its_types_and_lengths)
{
    static const struct { slice bytes; bool rtp, rtcp; } rows[] = {
        { SLICE(RTP "x"), true, false },
        { SLICE(RTP), false, false },                                       /* nothing in it: says nothing */
        { SLICE("\x80\xc9\x00\x01\x00\x00\x00\x01"), false, true },         /* RR without reports */
        { SLICE("\x80\xc9\x00\x02\x00\x00\x00\x01"), false, false },        /* longer than it is */
        { SLICE("\x80\xc9\x00\x01\x00\x00\x00\x01" "\x80\xca\x00\x00"), false, true },
        { SLICE("\x80\xc9\x00\x01\x00\x00\x00\x01" "\x01\x02\x03\x04"), false, true },   /* SRTCP's tail */
        { SLICE("\x80\x48\x12\x34\x00\x00\x00\xa0\x0b\xad\xca\xfe" "x"), false, false }, /* 72 is no payload type */
        { SLICE("OPTIONS sip:a SIP/2.0"), false, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, rtp_looks_like(rows[i].bytes), rows[i].rtp);
        CHECK_ROW_EQ(i, rtcp_looks_like(rows[i].bytes), rows[i].rtcp);
    }
}
