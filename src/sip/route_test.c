/* sip/route_test.c - transfers and diversions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/route.h"

TEST(replaces_names_a_dialog_whole)
{
    static const struct { slice in; bool ok; slice id, to, from; bool early; } rows[] = {
        { SLICE("98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff"), true,
          SLICE("98732@sip.example.com"), SLICE("ff87ff"), SLICE("r33th4x0r"), false },
        { SLICE("a@[::1] ; to-tag=1 ; from-tag=2 ; early-only"), true, SLICE("a@[::1]"), SLICE("1"),
          SLICE("2"), true },
        { SLICE("a;to-tag=1"), false, {0}, {0}, {0}, false },
        { SLICE(";to-tag=1;from-tag=2"), false, {0}, {0}, {0}, false },
        { SLICE(""), false, {0}, {0}, {0}, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_replaces got = { .call_id = SLICE("kept") };

        CHECK_ROW_EQ(i, sip_replaces_parse(rows[i].in, &got), rows[i].ok);
        CHECK_ROW_EQ(i, got.call_id, rows[i].ok ? rows[i].id : SLICE("kept"));
        CHECK_ROW(i, !rows[i].ok || (slice_eq(got.to_tag, rows[i].to) &&
                                     slice_eq(got.from_tag, rows[i].from)));
        CHECK_ROW_EQ(i, got.early_only, rows[i].early);
    }
}

TEST(replaces_inside_refer_to_is_unescaped)
{
    static const slice refer = SLICE("<sips:bob@b.example?Accept-Contact=x&replaces=12345%40192.0.2.1"
                                     "%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994%3Bearly-only>;x");
    char text[100], small[20];
    struct sip_replaces got;

    CHECK(sip_refer_replaces(refer, text, sizeof(text), &got));
    CHECK_EQ(got.call_id, SLICE("12345@192.0.2.1"));
    CHECK_EQ(got.to_tag, SLICE("12345"));
    CHECK_EQ(got.from_tag, SLICE("5FFE-3994"));
    CHECK(got.early_only);
    CHECK(!sip_refer_replaces(refer, small, sizeof(small),
        &got));    /* half of it would be another */
    CHECK(!sip_refer_replaces(SLICE("<sip:a@b?X=y>"), text, sizeof(text), &got));
    CHECK(!sip_refer_replaces(SLICE("<sip:a@b>"), text, sizeof(text), &got));
}

TEST(history_tells_index_and_cause)
{
    slice rest = SLICE("<sip:UserA@ims.example.com>;index=1,"
                       "<sip:UserB@ims.example.com?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%22>;index=1.1,"
                       "\"C\" <sip:UserC@ims.example.com;cause=486>;index=1.2;mp=1");
    struct sip_history h;

    CHECK(sip_history_next(&rest, &h));
    CHECK_EQ(h.index, SLICE("1"));
    CHECK(!h.has_cause && h.reason.len == 0);
    CHECK(sip_history_next(&rest, &h));
    CHECK_EQ(h.index, SLICE("1.1"));
    CHECK(h.has_cause && h.cause == 302);
    CHECK_EQ(h.reason, SLICE("SIP%3Bcause%3D302%3Btext%3D%22Moved%22"));
    CHECK(sip_history_next(&rest, &h));
    CHECK_EQ(h.addr.display, SLICE("C"));
    CHECK(h.has_cause && h.cause == 486);
    CHECK(!sip_history_next(&rest, &h));
}

TEST(diversion_tells_reason_and_counter)
{
    slice rest = SLICE("\"A\" <sip:a@b>;reason=\"user-busy\" ;privacy=full;screen=yes;counter=3,<tel:+1>;reason=no-answer");
    struct sip_diversion d;

    CHECK(sip_diversion_next(&rest, &d));
    CHECK_EQ(d.addr.uri, SLICE("sip:a@b"));
    CHECK_EQ(d.reason, SLICE("user-busy"));
    CHECK_EQ(d.privacy, SLICE("full"));
    CHECK_EQ(d.screen, SLICE("yes"));
    CHECK(d.has_counter && d.counter == 3);
    CHECK(sip_diversion_next(&rest, &d));
    CHECK_EQ(d.reason, SLICE("no-answer"));
    CHECK(!d.has_counter);
    CHECK(!sip_diversion_next(&rest, &d));
}
