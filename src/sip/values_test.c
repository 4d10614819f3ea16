/* sip/values_test.c - header values that tracking and diagnosis decode.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/values.h"

TEST(a_contact_tells_its_expiry_its_rank_or_that_it_means_all)
{
    static const struct { slice in; bool star; slice uri; bool has_expires; uint32_t expires;
                          bool has_q; unsigned q; } rows[] = {
        { SLICE("*"), true, {0}, false, 0, false, 0 },
        { SLICE("<sip:a@b>;expires=3600;q=0.7"), false, SLICE("sip:a@b"), true, 3600, true, 700 },
        { SLICE("sip:a@b;expires=0"), false, SLICE("sip:a@b"), true, 0, false, 0 },
        { SLICE("<sip:a@b;expires=9>"), false, SLICE("sip:a@b;expires=9"), false, 0, false, 0 },
        { SLICE("<sip:a@b>;expires=4294967296"), false, SLICE("sip:a@b"), false, 0, false, 0 },
        { SLICE("<sip:a@b>;expires=-1;q=1.0"), false, SLICE("sip:a@b"), false, 0, true, 1000 },
        { SLICE("<sip:a@b>;q=0.125"), false, SLICE("sip:a@b"), false, 0, true, 125 },
        { SLICE("<sip:a@b>;q=1.1"), false, SLICE("sip:a@b"), false, 0, false, 0 },
        { SLICE("<sip:a@b>;q=.5"), false, SLICE("sip:a@b"), false, 0, false, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = rows[i].in;
        struct sip_contact c;

        CHECK_ROW(i, sip_contact_next(&rest, &c));
        CHECK_ROW_EQ(i, c.star, rows[i].star);
        CHECK_ROW(i, slice_eq(c.addr.uri, rows[i].uri));
        CHECK_ROW_EQ(i, c.has_expires, rows[i].has_expires);
        CHECK_ROW(i, !c.has_expires || c.expires_s == rows[i].expires);
        CHECK_ROW_EQ(i, c.has_q, rows[i].has_q);
        CHECK_ROW(i, !c.has_q || c.q_thousandth == rows[i].q);
        CHECK_ROW(i, !sip_contact_next(&rest, &c));
    }
}

TEST(rack_names_the_response_and_the_request)
{
    struct sip_rack rack = { .rseq = 5 };
    uint32_t rseq = 9;

    CHECK(sip_rack_parse(SLICE(" 776656\r\n 1  INVITE "), &rack));
    CHECK_EQ(rack.rseq, 776656);
    CHECK_EQ(rack.cseq, 1);
    CHECK_EQ(rack.method_id, SIP_INVITE);
    CHECK(!sip_rack_parse(SLICE("1 INVITE"), &rack));
    CHECK(!sip_rack_parse(SLICE("1 2 IN VITE"), &rack));
    CHECK(!sip_rack_parse(SLICE("4294967296 2 INVITE"), &rack));
    CHECK_EQ(rack.rseq, 776656);
    CHECK(sip_rseq_parse(SLICE("4294967295 "), &rseq));
    CHECK_EQ(rseq, 4294967295u);
    CHECK(!sip_rseq_parse(SLICE("4294967296"), &rseq));
    CHECK(!sip_rseq_parse(SLICE("1 2"), &rseq));
}

TEST(seconds_are_whole_numbers_that_fit)
{
    static const struct { slice in; bool ok; uint32_t s; } rows[] = {
        { SLICE("0"), true, 0 }, { SLICE("90;x=y"), true, 90 }, { SLICE(" 4294967295 "), true,
          4294967295u },
        { SLICE("4294967296"), false, 0 }, { SLICE("1000000000000000000000000"), false, 0 },
        { SLICE("-5"), false, 0 }, { SLICE("5s"), false, 0 }, { SLICE(""), false, 0 },
        { SLICE("Thu, 01 Dec 1994 16:00:00 GMT"), false, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t s = 77;

        CHECK_ROW_EQ(i, sip_seconds_parse(rows[i].in, &s), rows[i].ok);
        CHECK_ROW_EQ(i, s, rows[i].ok ? rows[i].s : 77);
    }
}

TEST(a_session_timer_says_who_refreshes)
{
    struct sip_session_expires got;

    CHECK(sip_session_expires_parse(SLICE("1800;refresher=UAC"), &got));
    CHECK_EQ(got.interval_s, 1800);
    CHECK_EQ(got.refresher, SIP_REFRESHER_UAC);
    CHECK(sip_session_expires_parse(SLICE("90 ; x ; refresher = uas"), &got));
    CHECK_EQ(got.refresher, SIP_REFRESHER_UAS);
    CHECK(sip_session_expires_parse(SLICE("90;refresher=both"), &got));
    CHECK_EQ(got.refresher, SIP_REFRESHER_NONE);
    CHECK(!sip_session_expires_parse(SLICE(";refresher=uac"), &got));
}

TEST(retry_after_has_a_comment_and_a_duration)
{
    static const struct { slice in; bool ok; uint32_t after; slice comment; bool has; uint32_t d; } rows[] = {
        { SLICE("18000;duration=3600"), true, 18000, {0}, true, 3600 },
        { SLICE("120 (I'm in a (long) meeting)"), true, 120, SLICE("I'm in a (long) meeting"),
          false, 0 },
        { SLICE("5(x\\)y);duration=6"), true, 5, SLICE("x\\)y"), true, 6 },
        { SLICE("0"), true, 0, {0}, false, 0 },
        { SLICE("949302838503028349304023988"), false, 0, {0}, false, 0 },     /* RFC 4475 */
        { SLICE("5 (open"), false, 0, {0}, false, 0 }, { SLICE("5x"), false, 0, {0}, false, 0 },
        { SLICE("soon"), false, 0, {0}, false, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_retry_after got = { .after_s = 77 };

        CHECK_ROW_EQ(i, sip_retry_after_parse(rows[i].in, &got), rows[i].ok);
        CHECK_ROW_EQ(i, got.after_s, rows[i].ok ? rows[i].after : 77);
        CHECK_ROW(i, !rows[i].ok || slice_eq(got.comment, rows[i].comment));
        CHECK_ROW(i, got.has_duration == rows[i].has && (!got.has_duration ||
            got.duration_s == rows[i].d));
    }
}

TEST(warnings_are_read_one_by_one_and_bad_ones_passed_over)
{
    slice rest = SLICE("301 isi.edu \"Incompatible, \\\"x\\\"\", 1812 overture \"In Progress\", 399 a,"
                       " 307 h:5060 \"\"");
    struct sip_warning w;

    CHECK(sip_warning_next(&rest, &w));
    CHECK_EQ(w.code, 301);
    CHECK_EQ(w.agent, SLICE("isi.edu"));
    CHECK_EQ(w.text, SLICE("Incompatible, \\\"x\\\""));
    CHECK(sip_warning_next(&rest, &w));
    CHECK_EQ(w.code, 307);
    CHECK_EQ(w.agent, SLICE("h:5060"));
    CHECK_EQ(w.text.len, 0);
    CHECK(!sip_warning_next(&rest, &w));
}

TEST(all_reasons_of_a_line_are_read)
{
    slice rest = SLICE("SIP ;cause=200 ;text=\"Call completed, elsewhere\", Q.850;cause=16, preemption,"
                       "Q.850;cause=banana");
    struct sip_reason r;

    CHECK(sip_reason_next(&rest, &r));
    CHECK_EQ(r.protocol, SLICE("SIP"));
    CHECK_EQ(r.cause, 200);
    CHECK_EQ(r.text, SLICE("Call completed, elsewhere"));
    CHECK(sip_reason_next(&rest, &r));
    CHECK_EQ(r.protocol, SLICE("Q.850"));
    CHECK(r.has_cause && r.cause == 16 && r.text.len == 0);
    CHECK(sip_reason_next(&rest, &r));
    CHECK_EQ(r.protocol, SLICE("preemption"));
    CHECK(!r.has_cause);
    CHECK(sip_reason_next(&rest, &r));
    CHECK(!r.has_cause);
    CHECK(!sip_reason_next(&rest, &r));
}

TEST(events_and_their_state_are_read)
{
    struct sip_event e;
    struct sip_subscription_state s;

    CHECK(sip_event_parse(SLICE(" refer ;id=93809824"), &e));
    CHECK_EQ(e.package, SLICE("refer"));
    CHECK_EQ(e.id, SLICE("93809824"));
    CHECK(!sip_event_parse(SLICE(";id=1"), &e));
    CHECK(sip_subscription_state_parse(SLICE("terminated;reason=noresource;retry-after=5"), &s));
    CHECK_EQ(s.state, SLICE("terminated"));
    CHECK_EQ(s.reason, SLICE("noresource"));
    CHECK(!s.has_expires && s.has_retry_after && s.retry_after_s == 5);
    CHECK(sip_subscription_state_parse(SLICE("active;expires=60"), &s));
    CHECK(s.has_expires && s.expires_s == 60 && s.reason.len == 0);
}

TEST(the_headers_of_operators_are_read)
{
    struct sip_charging_vector v;
    struct sip_session_id id;

    CHECK(sip_charging_vector_parse(SLICE("icid-value=\"AB;1\"; icid-generated-at=192.0.6.8;"
                                          "orig-ioi=home1.net ;term-ioi=\"home2.net\""), &v));
    CHECK_EQ(v.icid, SLICE("AB;1"));
    CHECK_EQ(v.generated_at, SLICE("192.0.6.8"));
    CHECK_EQ(v.orig_ioi, SLICE("home1.net"));
    CHECK_EQ(v.term_ioi, SLICE("home2.net"));
    CHECK(!sip_charging_vector_parse(SLICE("orig-ioi=x"), &v));

    CHECK_EQ(sip_early_media_read(SLICE("supported")), SIP_EARLY_SUPPORTED);
    CHECK_EQ(sip_early_media_read(SLICE("SendRecv , gated,x")),
        SIP_EARLY_SENDRECV | SIP_EARLY_GATED);
    CHECK_EQ(sip_early_media_read(SLICE("sendonly,recvonly,inactive")),
             SIP_EARLY_SENDONLY | SIP_EARLY_RECVONLY | SIP_EARLY_INACTIVE);
    CHECK_EQ(sip_early_media_read(SLICE("")), 0);

    CHECK(sip_session_id_parse(SLICE("ab30317f1a784dc48ff824d0d3715d86;"
                                     "remote=47755a9de7794ba387653f2099600ef2"), &id));
    CHECK_EQ(id.local, SLICE("ab30317f1a784dc48ff824d0d3715d86"));
    CHECK_EQ(id.remote, SLICE("47755a9de7794ba387653f2099600ef2"));
    CHECK(sip_session_id_parse(SLICE("ab30317f1a784dc48ff824d0d3715d86;remote=1"), &id));
    CHECK_EQ(id.remote.len, 0);
    CHECK(!sip_session_id_parse(SLICE("ab30317f1a784dc48ff824d0d3715d8;remote=1"), &id));
    CHECK(!sip_session_id_parse(SLICE("zb30317f1a784dc48ff824d0d3715d86"), &id));
}

TEST(a_content_type_has_two_halves_and_parameters)
{
    struct sip_content_type t;
    slice boundary;

    CHECK(sip_content_type_parse(SLICE("multipart / mixed ;boundary=\"a;b\""), &t));
    CHECK_EQ(t.type, SLICE("multipart"));
    CHECK_EQ(t.subtype, SLICE("mixed"));
    CHECK(sip_param_find(t.params, SLICE("boundary"), &boundary));
    CHECK_EQ(boundary, SLICE("a;b"));
    CHECK(sip_content_type_parse(SLICE("session;handling=optional"), &t));
    CHECK_EQ(t.type, SLICE("session"));
    CHECK_EQ(t.subtype.len, 0);
    CHECK(!sip_content_type_parse(SLICE("/sdp"), &t));
    CHECK(!sip_content_type_parse(SLICE("application/"), &t));
}
