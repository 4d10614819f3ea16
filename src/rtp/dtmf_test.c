/* rtp/dtmf_test.c - see dtmf.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "rtp/dtmf.h"

#include "harness/test.h"

TEST(an_event_is_four_bytes_and_several_may_follow_each_other)
{
    struct rtp_event e;

    CHECK(rtp_event_parse(SLICE("\x05\x8a\x03\x20"), &e));
    CHECK_EQ(e.event, 5);
    CHECK(e.end);
    CHECK_EQ(e.volume_dbm0, 10);
    CHECK_EQ(e.duration, 800);
    CHECK(rtp_event_parse(SLICE("\x0b\x0a\x00\xa0\x05\x8a\x03\x20"), &e));
    CHECK_EQ(rtp_event_key(e.event), '#');
    CHECK(!e.end);
    CHECK(!rtp_event_parse(SLICE("\x05\x8a\x03"), &e));
    CHECK(!rtp_event_parse(SLICE("\x05\x8a\x03\x20\x01"), &e));
    CHECK(!rtp_event_parse(SLICE(""), &e));
    CHECK_EQ(rtp_event_key(16), '!');
    CHECK_EQ(rtp_event_key(17), '\0');
    CHECK_EQ(rtp_event_key(255), '\0');
}

TEST(a_key_is_pressed_once_however_many_packets_say_so)
{
    static const struct { uint32_t timestamp; struct rtp_event e; enum rtp_dtmf_step step; } rows[] = {
        { 1000, { .event = 1, .duration = 160 }, RTP_DTMF_NEW },
        { 1000, { .event = 1, .duration = 320 }, RTP_DTMF_SAME },
        { 1000, { .event = 1, .duration = 480, .end = true }, RTP_DTMF_SAME },
        { 1000, { .event = 1, .duration = 480, .end = true }, RTP_DTMF_SAME },
        { 3000, { .event = 1, .duration = 160 }, RTP_DTMF_NEW },             /* the same key again */
        { 5000, { .event = 2, .duration = 160, .end = true }, RTP_DTMF_NEW_UNENDED },
        { 3000, { .event = 1, .duration = 480, .end = true }, RTP_DTMF_SAME },   /* the old one, late */
        { 9000, { .event = 3, .duration = 0xffff }, RTP_DTMF_NEW },
        { 9000 + 0xffff, { .event = 3, .duration = 160 }, RTP_DTMF_SAME },   /* held longer than 16 bits */
    };
    struct rtp_dtmf d = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, rtp_dtmf_note(&d, rows[i].timestamp, &rows[i].e), rows[i].step);
}

TEST(a_digit_in_an_info_is_found_in_both_kinds_of_body)
{
    static const struct { slice type, body; char key; uint32_t ms; } rows[] = {
        { SLICE("application/dtmf-relay"), SLICE("Signal=5\r\nDuration=160\r\n"), '5', 160 },
        { SLICE("application/DTMF-Relay; charset=utf-8"), SLICE("Signal= *\nDuration = 90"), '*', 90 },
        { SLICE("application/dtmf-relay"), SLICE("Signal=11\r\n"), '#', 0 },     /* by number */
        { SLICE("application/dtmf-relay"), SLICE("Signal=c"), 'C', 0 },
        { SLICE("application/dtmf-relay"), SLICE("Signal=99"), '\0', 0 },
        { SLICE("application/dtmf-relay"), SLICE("Duration=99999999999"), '\0', 0 },
        { SLICE("application/dtmf"), SLICE("7"), '7', 0 },
        { SLICE("application/dtmf"), SLICE(""), '\0', 0 },
        { SLICE("application/dtmf"), SLICE("\0"), '\0', 0 },
        { SLICE("application/sdp"), SLICE("Signal=5"), '\0', 0 },
        { SLICE(""), SLICE("5"), '\0', 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t ms = 77;

        CHECK_ROW_EQ(i, rtp_info_digit(rows[i].type, rows[i].body, &ms), rows[i].key);
        CHECK_ROW_EQ(i, ms, rows[i].ms);
    }
}
