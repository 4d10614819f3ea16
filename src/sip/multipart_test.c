/* sip/multipart_test.c - bodies of several parts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/multipart.h"

#define TYPE SLICE("multipart/mixed;boundary=\"b 1\"")

/* "[type|body]" of each part. */
static const char *parts_of(slice type, slice body)
{
    static char text[400];
    struct sip_multipart parts;
    struct sip_part part;
    size_t n = 0;

    text[0] = '\0';
    if (!sip_multipart_of(type, body, &parts))
        return "none";
    while (sip_multipart_next(&parts, &part))
        n += (size_t)snprintf(text + n, sizeof(text) - n, "[" SLICE_FMT "|" SLICE_FMT "%s]",
                              SLICE_ARG(part.content_type), SLICE_ARG(part.body),
                                  part.cut ? "!" : "");
    return text;
}

TEST(parts_are_what_stands_between_boundary_lines)
{
    static const struct { slice body; const char *parts; } rows[] = {
        { SLICE("--b 1\r\nContent-Type: a/b\r\n\r\none\r\n--b 1\r\n\r\ntwo\r\n--b 1--\r\nepilogue"),
          "[a/b|one][|two]" },
        { SLICE("preamble\r\n--b 1\r\n\r\nx\r\n\r\n--b 1--"), "[|x\r\n]" },
          /* one line end is its own */
        { SLICE("--b 1\nc:a/b;\n x\n\nlf only\n--b 1--\n"), "[a/b;\n x|lf only]" },
        { SLICE("--b 1  \r\n\r\nx--b 1\r\n--b 12\r\n--b 1--\t\r\n"), "[|x--b 1\r\n--b 12]" },
        { SLICE("--b 1\r\n\r\ncut"), "[|cut!]" },
        { SLICE("--b 1\r\nContent-Type: a/b"), "[a/b|!]" },
        { SLICE("--b 1\r\n--b 1\r\n\r\n--b 1--"), "[|][|]" },
        { SLICE("--b 1--\r\n--b 1\r\n\r\nx"), "" },
          /* nothing after the end */
        { SLICE("no boundary"), "" }, { SLICE(""), "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW(i, strcmp(parts_of(TYPE, rows[i].body), rows[i].parts) == 0);
}

TEST(without_boundary_or_multipart_there_are_no_parts)
{
    CHECK_STR_EQ(parts_of(SLICE("multipart/mixed"), SLICE("--\r\n")), "none");
    CHECK_STR_EQ(parts_of(SLICE("multipart/mixed;boundary="), SLICE("--\r\n")), "none");
    CHECK_STR_EQ(parts_of(SLICE("application/sdp;boundary=x"), SLICE("--x\r\n")), "none");
    CHECK_STR_EQ(parts_of(SLICE("MULTIPART/related;a=b;Boundary=x"),
        SLICE("--x\r\n\r\ny\r\n--x--")), "[|y]");
}

TEST(disposition_and_id_of_a_part_are_kept)
{
    struct sip_multipart parts;
    struct sip_part part;

    CHECK(sip_multipart_of(TYPE, SLICE("--b 1\r\nContent-Disposition: signal;handling=optional\r\n"
                                       "Content-ID: <1@2>\r\nX: y\r\n\r\n\0\1\r\n--b 1--"),
                                           &parts));
    CHECK(sip_multipart_next(&parts, &part));
    CHECK_EQ(part.disposition, SLICE("signal;handling=optional"));
    CHECK_EQ(part.id, SLICE("<1@2>"));
    CHECK_EQ(part.body, SLICE("\0\1"));
    CHECK(slice_ends(part.headers, SLICE("X: y")));
}

TEST(the_body_of_a_type_is_found_in_nested_parts)
{
    static const slice text = SLICE(
        "INVITE sip:a SIP/2.0\r\nc: multipart/mixed;boundary=o\r\n\r\n"
        "--o\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        "--o\r\nContent-Type: multipart/alternative;boundary=i\r\n\r\n"
        "--i\r\nContent-Type: application/isup\r\n\r\n\1\r\n"
        "--i\r\nContent-Type: application/SDP;x\r\n\r\nv=0\r\n\r\n--i--\r\n"
        "--o\r\nContent-Type: a/b\r\n\r\nlast\r\n--o--\r\n");
    struct sip_header room[4];
    struct sip_message m;
    slice body;

    CHECK(sip_message_parse(text, SIP_DATAGRAM, room, 4, &m) > 0);
    CHECK(sip_body_of_type(&m, SLICE("application/sdp"), &body));
    CHECK_EQ(body, SLICE("v=0\r\n"));
    CHECK(sip_body_of_type(&m, SLICE("a/b"), &body));
    CHECK_EQ(body, SLICE("last"));
    CHECK(!sip_body_of_type(&m, SLICE("x/y"), &body));
}

TEST(parts_within_parts_without_end_are_given_up)
{
    static char text[8000];
    size_t n = (size_t)snprintf(text, sizeof(text),
        "INVITE sip:a SIP/2.0\r\nc: multipart/x;boundary=b\r\n\r\n");
    struct sip_header room[4];
    struct sip_message m;
    slice body;

    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
            "--b\r\nc: multipart/x;boundary=b\r\n\r\n");
    CHECK(sip_message_parse(slice_of(text, n), SIP_DATAGRAM, room, 4, &m) > 0);
    CHECK(!sip_body_of_type(&m, SLICE("application/sdp"), &body));
}
