/* sip/stream_test.c - messages cut out of a byte stream.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/message.h"
#include "sip/stream.h"

#define A "INVITE sip:a SIP/2.0\r\nVia: x\r\nContent-Length: 5\r\n\r\nabcde"
#define B "SIP/2.0 200 OK\r\nl: 0\r\n\r\n"

TEST(messages_follow_each_other_with_keep_alives_between)
{
    slice rest = SLICE("\r\n\r\n" A "\r\n" B B "\0\r\n");
    static const struct { size_t skip; size_t len; } rows[] = {
        { 4, sizeof(A) - 1 }, { 2, sizeof(B) - 1 }, { 0, sizeof(B) - 1 },
    };
    size_t skip, len;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, sip_stream_next(rest, &skip, &len), SIP_STREAM_MESSAGE);
        CHECK_ROW_EQ(i, skip, rows[i].skip);
        CHECK_ROW_EQ(i, len, rows[i].len);
        rest = slice_skip(rest, skip + len);
    }
    CHECK_EQ(sip_stream_next(rest, &skip, &len), SIP_STREAM_MORE);
    CHECK_EQ(skip, 3);
}

TEST(a_message_is_found_when_its_last_byte_has_come_and_not_before)
{
    static const slice text = SLICE(A);
    size_t skip, len;

    for (size_t n = 0; n < text.len; n++) {
        CHECK_ROW_EQ(n, sip_stream_next(slice_head(text, n), &skip, &len), SIP_STREAM_MORE);
        CHECK_ROW(n, skip == 0 && (len == 0 || len == text.len));
        CHECK_ROW_EQ(n, len != 0, n >= text.len - 5);           /* known with the header's end */
    }
    CHECK_EQ(sip_stream_next(text, &skip, &len), SIP_STREAM_MESSAGE);
}

TEST(the_length_of_a_message_is_what_its_first_content_length_says)
{
    static const struct { const char *text; size_t body; } rows[] = {
        { "BYE a SIP/2.0\r\nContent-Length: 3\r\n\r\nxyz12345", 3 },
        { "BYE a SIP/2.0\r\ncontent-length\t :3\r\n\r\nxyz12345", 3 },
        { "BYE a SIP/2.0\r\nL:\r\n 3\r\n\r\nxyz12345", 3 },
        { "BYE a SIP/2.0\nl: 3\n\nxyz12345", 3 },
        { "BYE a SIP/2.0\r\nl: 3\r\nl: 5\r\n\r\nxyz12345", 3 },
        { "BYE a SIP/2.0\r\nl: x\r\nl: 5\r\n\r\nxyz12345", 0 },
        { "BYE a SIP/2.0\r\nl: -3\r\n\r\nxyz12345", 0 },
        { "BYE a SIP/2.0\r\nl: 99999999999\r\n\r\nxyz12345", 0 },
        { "BYE a SIP/2.0\r\nl: 1048577\r\n\r\nxyz12345", 0 },
        { "BYE a SIP/2.0\r\nContent-Lengths: 3\r\nlx: 3\r\nX: l: 3\r\n\r\nxyz12345", 0 },
        { "BYE a SIP/2.0\r\nX: y\r\n l: 3\r\n\r\nxyz12345", 0 },            /* folded: of X */
        { "BYE a SIP/2.0\r\n\r\nl: 3\r\n\r\n", 0 },
    };
    struct sip_header room[8];
    struct sip_message m;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice text = slice_of_string(rows[i].text);
        size_t skip, len;

        CHECK_ROW_EQ(i, sip_stream_next(text, &skip, &len), SIP_STREAM_MESSAGE);
        CHECK_ROW_EQ(i, skip, 0);
        CHECK_ROW_EQ(i, sip_message_parse(text, SIP_STREAM, room, 8, &m), len);    /* of one mind */
        CHECK_ROW_EQ(i, m.body.len, rows[i].body);
    }
}

TEST(a_start_in_mid_stream_finds_the_next_message)
{
    static const struct { slice text; size_t skip; } rows[] = {
        { SLICE("pmap:0 PCMU/8000\r\na=sendrecv\r\n" B), 30 },
        { SLICE("lookup: SIP/2.0 inside a line\r\n" B), 31 },
        { SLICE("\x16\x03\x01\x02\n\xff\xfe\n" B), 8 },
        { SLICE("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" B), 38 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].text;
        size_t skip, len, skipped = 0;
        enum sip_stream_find found;

        while ((found = sip_stream_next(rest, &skip, &len)) == SIP_STREAM_NOT_SIP) {
            CHECK_ROW(i, skip > 0);
            skipped += skip;
            rest = slice_skip(rest, skip);
        }
        CHECK_ROW_EQ(i, found, SIP_STREAM_MESSAGE);
        CHECK_ROW_EQ(i, skipped + skip, rows[i].skip);
        CHECK_ROW_EQ(i, len, sizeof(B) - 1);
    }
}

TEST(foreign_bytes_are_passed_over_but_the_beginning_of_a_start_line_is_kept)
{
    static const struct { slice text; enum sip_stream_find found; size_t skip; } rows[] = {
        { SLICE("\x16\x03\x01"), SIP_STREAM_NOT_SIP, 3 },
        { SLICE("INV"), SIP_STREAM_MORE, 0 },
        { SLICE("SIP/2.0 20"), SIP_STREAM_MORE, 0 },
        { SLICE("\r\n\r\nINVITE sip:a"), SIP_STREAM_MORE, 4 },
        { SLICE("junk\xff\r\nINVITE sip:a"), SIP_STREAM_NOT_SIP, 7 },
        { SLICE("junk\xff\r\nINVITE sip:a SIP/2.0\r\nVia"), SIP_STREAM_NOT_SIP, 7 },
        { SLICE(""), SIP_STREAM_MORE, 0 },
    };
    size_t skip, len;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, sip_stream_next(rows[i].text, &skip, &len), rows[i].found);
        CHECK_ROW_EQ(i, skip, rows[i].skip);
    }
}

TEST(a_header_without_end_is_given_up_at_its_limit)
{
    static char text[200000];
    size_t skip, len, n = (size_t)snprintf(text, sizeof(text), "INVITE sip:a SIP/2.0\r\n");

    memset(text + n, 'x', sizeof(text) - n);
    CHECK_EQ(sip_stream_next(slice_of(text, SIP_STREAM_HEADER_MAX), &skip, &len), SIP_STREAM_MORE);
    CHECK_EQ(sip_stream_next(slice_of(text, sizeof(text)), &skip, &len), SIP_STREAM_NOT_SIP);
    CHECK(skip > n && skip <= sizeof(text));

    /* And a line that never ends is no start line. */
    memset(text, 'A', sizeof(text));
    CHECK_EQ(sip_stream_next(slice_of(text, sizeof(text)), &skip, &len), SIP_STREAM_NOT_SIP);
    CHECK_EQ(skip, sizeof(text));
    CHECK_EQ(sip_stream_next(slice_of(text, 20), &skip, &len), SIP_STREAM_MORE);
}
