/* sip/fields_test.c - lists, parameters, addresses, Via and CSeq.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/fields.h"

TEST(a_list_is_parted_at_commas_outside_quotes_and_brackets)
{
    static const struct { slice in; const char *out; } rows[] = {
        { SLICE("a,b , c"), "[a][b][c]" },
        { SLICE("\"x, y\" <sip:a,b@c>, <sip:d>;p=\"1,2\""),
          "[\"x, y\" <sip:a,b@c>][<sip:d>;p=\"1,2\"]" },
        { SLICE("\"q\\\", r\", s"), "[\"q\\\", r\"][s]" },
        { SLICE(",,a,,\r\n b,"), "[a][b]" },
        { SLICE("\"never closed, a"), "[\"never closed][a]" },
        { SLICE("<never closed, a"), "[<never closed][a]" },
        { SLICE(""), "" }, { SLICE(" , "), "" },
    };
    char text[200];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in, value;
        size_t n = 0;

        text[0] = '\0';
        while (sip_list_next(&rest, &value))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "[" SLICE_FMT "]", SLICE_ARG(value));
        CHECK_ROW(i, strcmp(text, rows[i].out) == 0);
    }
}

TEST(parameters_are_found_by_name_whatever_their_dress)
{
    static const slice params = SLICE(";lr;TAG = x1;a=\"q;uo\\\"ted\" ;b=;;\r\n c =\r\n 7;tag=x2;d=\"open");
    slice value;
    uint32_t number;

    CHECK(sip_param_find(params, SLICE("lr"), &value) && value.len == 0);
    CHECK(sip_param_find(params, SLICE("tag"), &value) && slice_eq(value, SLICE("x1")));
    CHECK(sip_param_find(params, SLICE("a"), &value) && slice_eq(value, SLICE("q;uo\\\"ted")));
    CHECK(sip_param_find(params, SLICE("b"), &value) && value.len == 0);
    CHECK(sip_param_find(params, SLICE("C"), &value) && slice_eq(value, SLICE("7")));
    CHECK(sip_param_find(params, SLICE("d"), &value) && slice_eq(value, SLICE("\"open")));
    CHECK(!sip_param_find(params, SLICE("ta"), &value));
    CHECK(!sip_param_find(params, SLICE("q"), &value));
    CHECK(sip_param_u32(params, SLICE("c"), &number) && number == 7);
    CHECK(!sip_param_u32(params, SLICE("tag"), &number));
    CHECK(!sip_param_u32(SLICE(";c=4294967296"), SLICE("c"), &number));
    CHECK(sip_param_find(SLICE("icid-value=5;x"), SLICE("icid-value"), &value));
    CHECK_EQ(value, SLICE("5"));
}

TEST(backslashes_go_when_quotes_are_undone)
{
    char text[6];

    CHECK_EQ(sip_unquote(SLICE("a\\\"b\\\\"), text, sizeof(text)), SLICE("a\"b\\"));
    CHECK_EQ(sip_unquote(SLICE("0123456"), text, sizeof(text)), SLICE("012345"));
    CHECK_EQ(sip_unquote(SLICE("\\"), text, sizeof(text)), SLICE("\\"));
}

TEST(an_address_is_read_in_all_its_forms)
{
    static const struct { slice in; bool ok; slice display, uri, params, tag; } rows[] = {
        { SLICE("sip:a@b"), true, {0}, SLICE("sip:a@b"), {0}, {0} },
        { SLICE("sip:a@b;tag=1"), true, {0}, SLICE("sip:a@b"), SLICE(";tag=1"), SLICE("1") },
        { SLICE("<sip:a@b;x>;tag=1"), true, {0}, SLICE("sip:a@b;x"), SLICE(";tag=1"), SLICE("1") },
        { SLICE("<sip:a@b> ;\r\n x=y ; TAG = 1"), true, {0}, SLICE("sip:a@b"),
          SLICE(";\r\n x=y ; TAG = 1"), SLICE("1") },
        { SLICE("\"A, B\"<tel:+1>"), true, SLICE("A, B"), SLICE("tel:+1"), {0}, {0} },
        { SLICE("A  B <sip:c>"), true, SLICE("A  B"), SLICE("sip:c"), {0}, {0} },
        { SLICE("\"<sip:x>\" <sip:y>"), true, SLICE("<sip:x>"), SLICE("sip:y"), {0}, {0} },
        { SLICE("\"q\\\"\" <sip:y>"), true, SLICE("q\\\""), SLICE("sip:y"), {0}, {0} },
        { SLICE("\"\\\\\" <sip:y>"), true, SLICE("\\\\"), SLICE("sip:y"), {0}, {0} },
        { SLICE("\"\" <sip:y>;tag=\"z\""), true, {0}, SLICE("sip:y"), SLICE(";tag=\"z\""),
          SLICE("z") },
        { SLICE("\xe5\xa4\xa7 <sip:y>"), true, SLICE("\xe5\xa4\xa7"), SLICE("sip:y"), {0}, {0} },
        { SLICE("\"open <sip:y>;tag=2"), true, SLICE("open"), SLICE("sip:y"), SLICE(";tag=2"),
          SLICE("2") },
        { SLICE("< sip:y >;tag=2"), true, {0}, SLICE("sip:y"), SLICE(";tag=2"), SLICE("2") },
        { SLICE("<sip:y>;tag=2,<sip:z>;tag=3"), true, {0}, SLICE("sip:y"), SLICE(";tag=2"),
          SLICE("2") },
        { SLICE("<sip:y>;x=\"a,b\";tag=2"), true, {0}, SLICE("sip:y"), SLICE(";x=\"a,b\";tag=2"),
          SLICE("2") },
        { SLICE("<sip:y>;tagg=9;mytag=8;tag=2"), true, {0}, SLICE("sip:y"),
          SLICE(";tagg=9;mytag=8;tag=2"), SLICE("2") },
        { SLICE(""), false, {0}, {0}, {0}, {0} }, { SLICE("<>"), false, {0}, {0}, {0}, {0} },
        { SLICE(";tag=1"), false, {0}, {0}, {0}, {0} }, { SLICE("\"x\""), false, {0}, {0}, {0},
          {0} },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_name_addr got = { .tag = SLICE("kept") };

        CHECK_ROW_EQ(i, sip_name_addr_parse(rows[i].in, &got), rows[i].ok);
        if (!rows[i].ok) {
            CHECK_ROW_EQ(i, got.tag, SLICE("kept"));
            continue;
        }
        CHECK_ROW(i, slice_eq(got.display, rows[i].display));
        CHECK_ROW(i, slice_eq(got.uri, rows[i].uri));
        CHECK_ROW(i, slice_eq(got.params, rows[i].params));
        CHECK_ROW(i, slice_eq(got.tag, rows[i].tag));
    }
}

TEST(route_values_are_read_one_after_the_other)
{
    slice rest = SLICE("<sip:p1;lr>,, \"P 2\" <sip:p2;lr>;x , <>");
    struct sip_name_addr addr;

    CHECK(sip_name_addr_next(&rest, &addr));
    CHECK_EQ(addr.uri, SLICE("sip:p1;lr"));
    CHECK(sip_name_addr_next(&rest, &addr));
    CHECK_EQ(addr.uri, SLICE("sip:p2;lr"));
    CHECK_EQ(addr.params, SLICE(";x"));
    CHECK(!sip_name_addr_next(&rest, &addr));
}

TEST(a_via_is_read_with_blanks_in_all_places)
{
    static const struct { slice in, transport, host; unsigned port; slice branch,
        received; } rows[] = {
        { SLICE("SIP/2.0/UDP h;branch=b"), SLICE("UDP"), SLICE("h"), 0, SLICE("b"), {0} },
        { SLICE("SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw"), SLICE("UDP"),
          SLICE("192.0.2.2"), 0, SLICE("390skdjuw"), {0} },
        { SLICE("SIP/2.0/TLS  h : 5061 ; branch =\r\n b"), SLICE("TLS"), SLICE("h"), 5061,
          SLICE("b"), {0} },
        { SLICE("sip/2.0/X-new h"), SLICE("X-new"), SLICE("h"), 0, {0}, {0} },
        { SLICE("SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::9:255];branch=z"),
          SLICE("UDP"),
          SLICE("2001:db8::9:1"), 6050, SLICE("z"), SLICE("2001:db8::9:255") },
        { SLICE("SIP/2.0/UDP h;received=2001:db8::9:255;BRANCH=z"), SLICE("UDP"), SLICE("h"), 0,
          SLICE("z"), SLICE("2001:db8::9:255") },
        { SLICE("SIP/2.0/UDP h;branch=\"q;x\";received=1.2.3.4"), SLICE("UDP"), SLICE("h"), 0,
          SLICE("q;x"), SLICE("1.2.3.4") },
        { SLICE("SIP/2.0/UDP h:0;;branch=b"), SLICE("UDP"), SLICE("h"), 0, SLICE("b"), {0} },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in;
        struct sip_via via;

        CHECK_ROW(i, sip_via_next(&rest, &via));
        CHECK_ROW(i, slice_eq(via.transport, rows[i].transport));
        CHECK_ROW(i, slice_eq(via.host, rows[i].host));
        CHECK_ROW_EQ(i, via.port, rows[i].port);
        CHECK_ROW(i, slice_eq(via.branch, rows[i].branch));
        CHECK_ROW(i, slice_eq(via.received, rows[i].received));
        CHECK_ROW(i, !sip_via_next(&rest, &via));
    }
}

TEST(rport_is_absent_asked_for_or_filled_in)
{
    static const struct { slice in; bool there; slice value; } rows[] = {
        { SLICE("SIP/2.0/UDP h"), false, {0} }, { SLICE("SIP/2.0/UDP h;rport"), true, {0} },
        { SLICE("SIP/2.0/UDP h;rport="), true, {0} }, { SLICE("SIP/2.0/UDP h;rport=7;x"), true,
          SLICE("7") },
        { SLICE("SIP/2.0/UDP h;RPORT ;x"), true, {0} }, { SLICE("SIP/2.0/UDP h;rports=7"), false,
          {0} },
        { SLICE("SIP/2.0/UDP h;rport\t=7"), true, SLICE("7") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in;
        struct sip_via via;

        CHECK_ROW(i, sip_via_next(&rest, &via));
        CHECK_ROW_EQ(i, via.rport.ptr != NULL, rows[i].there);
        CHECK_ROW(i, slice_eq(via.rport, rows[i].value));
    }
}

TEST(cseq_takes_what_the_rfc_allows_and_nothing_else)
{
    static const struct { slice in; bool ok; uint32_t number; slice method; } rows[] = {
        { SLICE("1 INVITE"),         true,  1,          SLICE("INVITE") },
        { SLICE(" 0009\r\n\tBYE "),  true,  9,          SLICE("BYE")    },
        { SLICE("2147483647 ACK"),   true,  2147483647, SLICE("ACK")    },
        { SLICE("2147483648 ACK"),   false, 0, {0} },      /* one too many */
        { SLICE("99999999999 ACK"),  false, 0, {0} },      /* would wrap   */
        { SLICE("18446744073709551617 ACK"), false, 0, {0} },
        { SLICE("1INVITE"),          false, 0, {0} },
        { SLICE("1 INV ITE"),        false, 0, {0} },
        { SLICE("x INVITE"),         false, 0, {0} },
        { SLICE("-1 INVITE"),        false, 0, {0} },
        { SLICE("1"),                false, 0, {0} },
        { SLICE(""),                 false, 0, {0} },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_cseq got = { .number = 77 };
        bool ok = sip_cseq_parse(rows[i].in, &got);

        CHECK_ROW(i, ok == rows[i].ok);
        CHECK_ROW(i, got.number == (ok ? rows[i].number : 77));   /* untouched */
        CHECK_ROW(i, !ok || slice_eq(got.method, rows[i].method));
    }
}

TEST(values_are_walked_over_all_lines_of_a_header)
{
    static const char text[] = "OPTIONS sip:a SIP/2.0\r\nSupported: 100rel , timer\r\nk:\r\n"
                               "Allow: INVITE,ACK;x\r\nSupported: replaces\r\n\r\n";
    struct sip_header room[8];
    struct sip_message m;
    slice value;

    CHECK(sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, 8, &m) > 0);
    struct sip_values values = sip_values_of(&m, SIP_H_SUPPORTED);

    CHECK(sip_values_next(&values, &value) && slice_eq(value, SLICE("100rel")));
    CHECK(sip_values_next(&values, &value) && slice_eq(value, SLICE("timer")));
    CHECK(sip_values_next(&values, &value) && slice_eq(value, SLICE("replaces")));
    CHECK(!sip_values_next(&values, &value));
    CHECK(sip_values_have(&m, SIP_H_SUPPORTED, SLICE("REPLACES")));
    CHECK(!sip_values_have(&m, SIP_H_SUPPORTED, SLICE("replace")));
    CHECK(!sip_values_have(&m, SIP_H_REQUIRE, SLICE("100rel")));
    CHECK(sip_values_have(&m, SIP_H_ALLOW, SLICE("ACK")));
}
