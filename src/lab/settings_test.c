/* lab/settings_test.c - a worker under configurations that differ in one setting: what it makes of it
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "harness/test.h"
#include "sip/credentials.h"
#include "sip/message.h"
#include "switch/worker.h"

#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)
#define SERVER "[server]\ndomains = home.example\n[listen a]\naddress = 10.0.0.1\n"
#define SDP "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n"

enum { SENT_MAX = 65536 };

/* Users: bob, whose phone is at 10.0.0.3, and what a test makes of him. Callers are strangers, or
 * the gateway at 10.0.0.9. */
static struct {
    struct config *config, *other;
    struct plan   *plan, *other_plan;
    struct worker *worker;
    int64_t        now_ns;
    struct user    bob;
    char           to_caller[SENT_MAX], to_phone[SENT_MAX];        /* the last ones */
    unsigned       calls, status;    /* status: of the last answer to the last call */
    char           call_id[32];
} t;

static int send_message(void *ctx, struct hop *to, slice bytes)
{
    char *room = to->remote.ip[3] == 3 || to->remote.ip[3] == 9 ? t.to_phone : t.to_caller;

    (void)ctx;
    CHECK(bytes.len < SENT_MAX);
    memcpy(room, bytes.ptr, bytes.len);
    room[bytes.len] = '\0';
    if (slice_starts(bytes, SLICE("SIP/2.0 ")) && strstr(room, t.call_id))
        t.status = (unsigned)strtoul(room + 8, NULL, 10);
    return 0;
}

static int choose(void *ctx, struct hop *to)
{
    (void)ctx;
    to->local = address_v4((uint8_t[]){ 10, 0, 0, 1 }, 5060);
    return 0;
}

static enum users_result by_name(void *ctx, slice name, slice domain, struct user *ret)
{
    (void)ctx, (void)domain;
    *ret = t.bob;
    return slice_eq(name, SLICE("bob")) ? USERS_FOUND : USERS_NONE;
}
static const struct users table = { NULL, by_name, by_name, NULL };

static struct hop hop_from(uint8_t last)
{
    return (struct hop){ .local = address_v4((uint8_t[]){ 10, 0, 0, 1 }, 5060),
                         .remote = address_v4((uint8_t[]){ 10, 0, 0, last }, 5060), .transport = WIRE_UDP };
}

static bool configure(const char *ini, struct config **config, struct plan **plan)
{
    struct config_report report = { 0 };
    int error = config_read(slice_of_string(ini), config, &report);

    config_report_done(&report);
    CHECK_EQ(error, 0);
    *plan = error ? NULL : plan_new(*config);
    return *plan != NULL;
}

/* bob's phone is there from the beginning. */
static bool begin(const char *ini)
{
    struct hop_sender sender = { NULL, send_message, choose };
    struct binding_fields phone = { .uri = SLICE("sip:bob@10.0.0.3"), .call_id = SLICE("r"), .cseq = 1, .q_thousandth = 1000,
                                    .expires_ns = START_NS + 3600 * SECOND_NS, .hop = hop_from(3), .flags = BINDING_BY_HOP };

    memset(&t, 0, sizeof t);
    t.now_ns = START_NS;
    t.bob = (struct user){ .name = SLICE("bob"), .domain = SLICE("home.example"), .auth_name = SLICE("bob"),
                           .flags = USER_TELL_FORWARDED | USER_CALL_WAITING };
    if (!configure(ini, &t.config, &t.plan))
        return false;
    struct worker_settings ws = { .plan = t.plan, .users = &table, .seed = { 1, 2 } };

    t.worker = worker_new(&ws, &sender, t.now_ns);
    CHECK(t.worker != NULL);
    CHECK_EQ(bindings_update(worker_bindings(t.worker), SLICE("bob@home.example"), &phone, 1, 10, t.now_ns), BINDINGS_DONE);
    return t.worker != NULL;
}

static void end(void)
{
    worker_free(t.worker);
    plan_free(t.plan);
    plan_free(t.other_plan);
    config_free(t.config);
    config_free(t.other);
}

static void receive(uint8_t from, const char *text)
{
    struct hop hop = hop_from(from);

    worker_receive(t.worker, &hop, slice_of_string(text), t.now_ns);
}

/* A new call; the code of the answer, 0: none yet, the phone is called. */
static unsigned call_from(uint8_t from, const char *to, const char *headers, const char *sdp)
{
    char text[SENT_MAX];

    snprintf(t.call_id, sizeof t.call_id, "\r\nCall-ID: c%u\r\n", ++t.calls);
    t.status = 0;
    t.to_caller[0] = t.to_phone[0] = '\0';
    snprintf(text, sizeof text,
             "INVITE sip:%s@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.%u:5060;rport;branch=z9hG4bK%u\r\n"
             "From: \"Anna\" <sip:anna@else.example>;tag=a%u\r\nTo: <sip:%s@home.example>\r\nCall-ID: c%u\r\nCSeq: 1 INVITE\r\n"
             "Contact: <sip:anna@10.0.0.%u>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
             to, from, t.calls, t.calls, to, t.calls, from, headers, *sdp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
    receive(from, text);
    return t.status >= 200 ? t.status : 0;
}
static unsigned call(const char *headers) { return call_from(2, "bob", headers, SDP); }

static bool phone_got(const char *text) { return strstr(t.to_phone, text) != NULL; }
static bool caller_got(const char *text) { return strstr(t.to_caller, text) != NULL; }

static unsigned registers(const char *headers)
{
    char text[SENT_MAX];

    snprintf(t.call_id, sizeof t.call_id, "\r\nCall-ID: c%u\r\n", ++t.calls);
    t.status = 0;
    snprintf(text, sizeof text, "REGISTER sip:home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bK%u\r\n"
             "From: <sip:bob@home.example>;tag=a\r\nTo: <sip:bob@home.example>\r\nCall-ID: c%u\r\nCSeq: 1 REGISTER\r\n%s"
             "Contact: <sip:bob@10.0.0.2>\r\nContent-Length: 0\r\n\r\n", t.calls, t.calls, headers);
    receive(2, text);
    return t.status;
}

/* ---- calls ---- */

TEST(do_not_disturb_is_answered_as_the_configuration_says)
{
    static const struct { const char *ini; unsigned status; } rows[] = {
        { SERVER, 480 }, { SERVER "[calls]\ndo_not_disturb = 486\n", 486 }, { SERVER "[calls]\ndo_not_disturb = 603\n", 603 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OR_RETURN(begin(rows[i].ini));
        t.bob.flags |= USER_DO_NOT_DISTURB;
        CHECK_ROW_EQ(i, call(""), rows[i].status);
        CHECK_ROW(i, caller_got("\r\nReason: Q.850;cause=21;text=\"Call rejected\"\r\n"));
        end();
    }
}

TEST(a_rejected_number_is_known_by_from_and_by_what_is_asserted_of_it_by_who_is_trusted)
{
#define REJECTS "[numbers]\ncountry = 49\n[gateway g]\nhost = 10.0.0.9\n"
    for (int trusted = 0; trusted < 2; trusted++) {
        CHECK_OR_RETURN(begin(trusted ? SERVER REJECTS "trusted = yes\n" : SERVER REJECTS));
        t.bob.rejects = SLICE("anna 030123");
        CHECK_EQ(call(""), 603);
        CHECK(caller_got("\r\nReason: Q.850;cause=21;text=\"Call rejected\"\r\n"));
        t.bob.rejects = SLICE("030123");
        CHECK_EQ(call(""), 0);
        CHECK_EQ(call_from(9, "bob", "P-Asserted-Identity: <sip:x@y>, <tel:+4930123>\r\n", SDP), trusted ? 603 : 0);
        end();
    }
}

TEST(a_forward_is_told_unless_user_or_server_keep_silent)
{
    for (int i = 0; i < 3; i++) {
        CHECK_OR_RETURN(begin(i == 1 ? SERVER "[calls]\ntell_forwarded = no\n" : SERVER));
        t.bob.forward[USER_FORWARD_ALWAYS] = SLICE("sip:nobody@home.example");
        if (i == 2)
            t.bob.flags = 0;
        CHECK_ROW_EQ(i, call(""), 404);
        CHECK_ROW_EQ(i, worker_endpoint_counts(t.worker)->requests, 1);
        CHECK_ROW_EQ(i, worker_calls(t.worker)->forwarded, 1);
        end();
    }
}

TEST(a_call_without_max_forwards_gets_that_of_the_configuration)
{
    CHECK_OR_RETURN(begin(SERVER "[calls]\nforwards_max = 20\n"));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nMax-Forwards: 19\r\n"));
    CHECK_EQ(call("Max-Forwards: 7\r\n"), 0);
    CHECK(phone_got("\r\nMax-Forwards: 6\r\n"));
    end();
    CHECK_OR_RETURN(begin(SERVER));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nMax-Forwards: 69\r\n"));
    end();
}

TEST(refusals_of_ours_say_why_unless_the_configuration_says_not_to)
{
    CHECK_OR_RETURN(begin(SERVER));
    CHECK_EQ(call_from(2, "nobody", "", SDP), 404);
    CHECK(caller_got("\r\nReason: Q.850;cause=1;text=\"Unallocated number\"\r\n"));
    end();
    CHECK_OR_RETURN(begin(SERVER "[calls]\nreason = no\n"));
    CHECK_EQ(call_from(2, "nobody", "", SDP), 404);
    CHECK(!caller_got("Reason:"));
    end();
}

TEST(privacy_hides_what_it_asks_for_and_no_more)
{
    static const struct { const char *privacy, *from, *left; bool subject; unsigned status; } rows[] = {
        { "", "From: \"Anna\" <sip:anna@else.example>;tag=", NULL, true, 0 },
        { "Privacy: id\r\n", "From: \"Anna\" <sip:anna@else.example>;tag=", "\r\nPrivacy: id\r\n", true, 0 },
        { "Privacy: user\r\n", "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", NULL, false, 0 },
        { "Privacy: user;id;critical\r\n", "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "\r\nPrivacy: id;critical\r\n", false, 0 },
        { "Privacy: header;session\r\n", "From: \"Anna\" <sip:anna@else.example>;tag=", "\r\nPrivacy: session\r\n", true, 0 },
        { "Privacy: none\r\n", "From: \"Anna\" <sip:anna@else.example>;tag=", "\r\nPrivacy: none\r\n", true, 0 },
        { "Privacy: session;critical\r\n", NULL, NULL, false, 500 },
        { "Privacy: invisible;critical\r\n", NULL, NULL, false, 500 },
        { "Privacy: invisible\r\n", "From: \"Anna\" <sip:anna@else.example>;tag=", "\r\nPrivacy: invisible\r\n", true, 0 },
    };
    CHECK_OR_RETURN(begin(SERVER));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char headers[256];

        snprintf(headers, sizeof headers, "Subject: mine\r\n%s", rows[i].privacy);
        CHECK_ROW_EQ(i, call(headers), rows[i].status);
        if (rows[i].status)
            continue;
        CHECK_ROW(i, phone_got(rows[i].from));
        CHECK_ROW_EQ(i, phone_got("Subject: mine"), rows[i].subject);
        CHECK_ROW_EQ(i, phone_got("\r\nPrivacy:"), rows[i].left != NULL);
        CHECK_ROW(i, !rows[i].left || phone_got(rows[i].left));
    }
    end();
    CHECK_OR_RETURN(begin(SERVER "[calls]\nprivacy = no\n"));
    CHECK_EQ(call("Privacy: user;critical;other\r\n"), 0);
    CHECK(phone_got("From: \"Anna\" <sip:anna@else.example>;tag=") && phone_got("\r\nPrivacy: user;critical;other\r\n"));
    end();
}

TEST(audio_codecs_that_are_not_allowed_are_not_offered_and_none_left_is_488)
{
    CHECK_OR_RETURN(begin(SERVER "[media]\ncodecs = opus, pcma\n"));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("m=audio 4000 RTP/AVP 8\r\n"));
    CHECK_EQ(call_from(2, "bob", "", ""), 0);
    CHECK_EQ(call_from(2, "bob", "", "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"), 488);
    CHECK(caller_got("\r\nWarning: 305 ") && !phone_got("INVITE"));
    end();
    CHECK_OR_RETURN(begin(SERVER));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got(SDP));
    end();
}

TEST(a_gateway_has_its_own_reliable_or_that_of_calls)
{
#define OUT "[gateway one]\nhost = 10.0.0.9\ntransit = yes\n[gateway out]\nhost = 10.0.0.3\nallow = any\n"
    static const struct { const char *ini; bool asked; unsigned status; } rows[] = {
        { SERVER OUT, true, 0 },
        { SERVER OUT "reliable = off\n", false, 0 },
        { SERVER "[calls]\nreliable = off\n" OUT, false, 420 },
        { SERVER "[calls]\nreliable = off\n" OUT "reliable = leg\n", true, 420 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OR_RETURN(begin(rows[i].ini));
        CHECK_ROW_EQ(i, call_from(9, "12345", "Supported: 100rel\r\n", SDP), 0);
        CHECK_ROW_EQ(i, phone_got("100rel"), rows[i].asked);
        CHECK_ROW_EQ(i, call_from(9, "12345", "Require: 100rel\r\n", SDP), rows[i].status);
        end();
    }
}

TEST(options_tells_what_is_supported_and_not_what_is_off)
{
    static const struct { const char *ini, *supported; uint8_t from; } rows[] = {
        { SERVER, "\r\nSupported: 100rel, timer, precondition, replaces, histinfo, path, outbound\r\n", 2 },
        { SERVER "[calls]\nreliable = off\ntransfer = off\n", "\r\nSupported: timer, precondition, histinfo, path, outbound\r\n", 2 },
        { SERVER "[calls]\nsession_timer = off\npreconditions = off\n[registrar]\npath = no\noutbound = no\n",
          "\r\nSupported: 100rel, replaces, histinfo\r\n", 2 },
        { SERVER "[gateway g]\nhost = 10.0.0.4\nreliable = off\n",
          "\r\nSupported: timer, precondition, replaces, histinfo, path, outbound\r\n", 4 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[1000];

        CHECK_OR_RETURN(begin(rows[i].ini));
        snprintf(text, sizeof text, "OPTIONS sip:home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.%u:5060;rport;branch=z9hG4bKo\r\n"
                 "From: <sip:a@b>;tag=a\r\nTo: <sip:home.example>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", rows[i].from);
        receive(rows[i].from, text);
        CHECK_ROW(i, caller_got("SIP/2.0 200 ") && caller_got(rows[i].supported));
        end();
    }
}

/* ---- who forwarded it ---- */

/* Who calls with call(), 10.0.0.2, is a stranger else. */
#define BELIEVES SERVER "[calls]\ntrusted = 10.0.0.2\n"

TEST(diversion_and_history_info_are_made_of_each_other_where_only_one_is_told)
{
    static const char diversion[] = "Diversion: <sip:one@x>;reason=user-busy;privacy=full, <sip:two@x>;reason=unconditional\r\n";
    static const char history[] = "History-Info: <sip:two@x?Reason=SIP%3Bcause%3D302>;index=1\r\n"
                                  "History-Info: <sip:anonymous@anonymous.invalid;cause=302?Reason=SIP%3Bcause%3D486&Privacy=history>;index=1.1;mp=1\r\n"
                                  "History-Info: <sip:bob@home.example;cause=486>;index=1.1.1;mp=1.1\r\n";
    static const char back[] = "Diversion: <sip:anonymous@anonymous.invalid>;reason=user-busy;counter=1;privacy=full\r\n"
                               "Diversion: <sip:two@x>;reason=unconditional;counter=1;privacy=off\r\n";

    CHECK_OR_RETURN(begin(BELIEVES));
    CHECK_EQ(call(diversion), 0);
    CHECK(phone_got(history) && !phone_got("Diversion"));
    CHECK_EQ(call("History-Info: <sip:two@x>;index=1, <sip:bob@home.example;cause=486>;index=1.1;mp=1;x\r\n"), 0);
    CHECK(phone_got("History-Info: <sip:two@x>;index=1\r\nHistory-Info: <sip:bob@home.example;cause=486>;index=1.1;mp=1;x\r\n"));
    CHECK_EQ(call("Diversion: <sip:one@x>;reason=no-answer;counter=3\r\n"), 0);
    CHECK(phone_got("History-Info: <sip:unknown@unknown.invalid?Reason=SIP%3Bcause%3D404>;index=1\r\n"
                    "History-Info: <sip:unknown@unknown.invalid;cause=404?Reason=SIP%3Bcause%3D404>;index=1.1;mp=1\r\n"
                    "History-Info: <sip:one@x;cause=404?Reason=SIP%3Bcause%3D408>;index=1.1.1;mp=1.1\r\n"));
    end();
    CHECK_OR_RETURN(begin(BELIEVES "history_info = no\ndiversion = yes\n"));
    CHECK_EQ(call(history), 0);
    CHECK(phone_got(back) && !phone_got("History-Info"));
    end();
    CHECK_OR_RETURN(begin(BELIEVES));
    CHECK_EQ(call("Privacy: history\r\nDiversion: <sip:one@x>;reason=away\r\n"), 0);
    CHECK(!phone_got("History-Info") && !phone_got("Diversion"));
    CHECK_EQ(call("Privacy: header\r\nDiversion: <sip:one@x>;reason=away\r\n"), 0);
    CHECK(phone_got("INVITE") && !phone_got("History-Info") && !phone_got("Diversion"));
    end();
}

/* RFC 7044, 10.1.2, and RFC 5806, 6: in whatever form it came, and goes on. */
TEST(who_hides_that_it_forwarded_is_not_told_to_a_phone)
{
    static const struct { const char *ini, *came, *told; } rows[] = {
        { BELIEVES, "Diversion: <sip:secret@x>;reason=away;privacy=full\r\n", "History-Info: <sip:anonymous@anonymous.invalid?" },
        { BELIEVES, "History-Info: <sip:secret@x?Privacy=history>;index=1, <sip:bob@home.example;cause=302>;index=1.1;mp=1\r\n",
          "History-Info: <sip:anonymous@anonymous.invalid>;index=1\r\n"
          "History-Info: <sip:bob@home.example;cause=302>;index=1.1;mp=1\r\n" },
        { BELIEVES, "History-Info: <sip:two@x>;index=1, <sip:secret@x;cause=486?privacy=history&Reason=SIP>;index=1.1;mp=1\r\n",
          "History-Info: <sip:two@x>;index=1\r\nHistory-Info: <sip:anonymous@anonymous.invalid;cause=486>;index=1.1;mp=1\r\n" },
        { BELIEVES, "History-Info: <sip:one@x?Privacy=none>;index=1\r\n", "History-Info: <sip:one@x?Privacy=none>;index=1\r\n" },
        { BELIEVES "history_info = no\ndiversion = yes\n", "Diversion: \"Secret\" <sip:secret@x>;reason=away;privacy=name, <sip:one@x>;privacy=off\r\n",
          "Diversion: <sip:anonymous@anonymous.invalid>;reason=away;privacy=name\r\nDiversion: <sip:one@x>;privacy=off\r\n" },
        { BELIEVES "history_info = no\ndiversion = yes\n",
          "History-Info: <sip:secret@x?Privacy=history>;index=1, <sip:bob@home.example;cause=302>;index=1.1;mp=1\r\n",
          "Diversion: <sip:anonymous@anonymous.invalid>;reason=unconditional;counter=1;privacy=full\r\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OR_RETURN(begin(rows[i].ini));
        CHECK_ROW_EQ(i, call(rows[i].came), 0);
        CHECK_ROW(i, !phone_got("secret") && !phone_got("Secret"));
        CHECK_ROW(i, phone_got(rows[i].told));
        end();
    }
}

TEST(thousands_of_diversions_make_a_bounded_header)
{
    char headers[60000] = "Diversion: <sip:x@y>;counter=4000000000";

    for (size_t at = strlen(headers); at + 40 < sizeof headers; at += 22)
        memcpy(headers + at, ", <sip:x@y>;counter=32", 23);
    memcpy(headers + strlen(headers), "\r\n", 3);
    CHECK_OR_RETURN(begin(BELIEVES));
    (void)call_from(2, "bob", headers, "");
    CHECK_EQ(t.status, 0);
    CHECK(phone_got("INVITE") && strlen(t.to_phone) < 32768);
    end();
}

/* RFC 5806, 6, and RFC 7044, 10: whoever may say so could call as anybody, and at the expense of anybody. */
TEST(who_forwarded_before_is_believed_of_gateways_and_trusted_networks_only)
{
    static const char came[] = "Diversion: <sip:boss@x>;reason=away\r\nHistory-Info: <sip:boss@x>;index=1, <sip:you@x;cause=302>;index=1.1\r\n";
    static const char own[] = "History-Info: <sip:bob@home.example?Reason=SIP%3Bcause%3D302>;index=1\r\n"
                              "History-Info: <sip:+49301@home.example;cause=302>;index=1.1;mp=1\r\n";
    static const struct { const char *ini; uint8_t from; bool forwards, believed; } rows[] = {
        { SERVER, 2, false, false },
        { SERVER "[calls]\ndiversion = yes\n", 2, false, false },
        { SERVER "[calls]\nhistory_info = no\ndiversion = yes\n", 2, false, false },
        { SERVER "[gateway out]\nhost = 10.0.0.3\nallow = any\n", 2, true, false },
        { BELIEVES "diversion = yes\n", 2, false, true },
        { SERVER "[gateway g]\nhost = 10.0.0.4\n", 4, false, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OR_RETURN(begin(rows[i].ini));
        if (rows[i].forwards)
            t.bob.forward[USER_FORWARD_ALWAYS] = SLICE("sip:+49301@home.example");
        CHECK_ROW_EQ(i, call_from(rows[i].from, "bob", came, SDP), 0);
        CHECK_ROW(i, phone_got("INVITE sip:"));
        CHECK_ROW_EQ(i, phone_got("boss"), rows[i].believed);
        CHECK_ROW_EQ(i, phone_got("History-Info: ") || phone_got("Diversion: "), rows[i].believed || rows[i].forwards);
        CHECK_ROW(i, !rows[i].forwards || phone_got(own));
        end();
    }
}

TEST(an_extension_that_we_only_take_out_is_not_one_that_we_have)
{
    CHECK_OR_RETURN(begin(SERVER));
    CHECK_EQ(call("Require: sec-agree\r\n"), 420);
    CHECK(caller_got("\r\nUnsupported: sec-agree\r\n"));
    end();
}

/* RFC 3261, 21.4.6 */
TEST(a_405_does_not_list_the_method_that_it_refuses)
{
    CHECK_OR_RETURN(begin(SERVER));
    receive(2, "MESSAGE sip:bob@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKm\r\n"
               "From: <sip:a@b>;tag=a\r\nTo: <sip:bob@home.example>\r\nCall-ID: m\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n");
    CHECK(caller_got("SIP/2.0 405 "));
    CHECK(caller_got("\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, NOTIFY, REFER\r\n"));
    end();
}

/* ---- registrations ---- */

TEST(who_requires_path_or_outbound_is_refused_where_they_are_off)
{
    CHECK_OR_RETURN(begin(SERVER));
    CHECK_EQ(registers("Require: path, outbound\r\n"), 401);
    end();
    CHECK_OR_RETURN(begin(SERVER "[registrar]\npath = no\n"));
    CHECK_EQ(registers("Require: outbound\r\n"), 401);
    CHECK_EQ(registers("Require: path\r\n"), 420);
    CHECK(caller_got("\r\nUnsupported: path\r\n"));
    end();
    CHECK_OR_RETURN(begin(SERVER "[registrar]\noutbound = no\n"));
    CHECK_EQ(registers("Require: path\r\n"), 401);
    CHECK_EQ(registers("Require: outbound\r\n"), 420);
    CHECK(caller_got("\r\nUnsupported: outbound\r\n"));
    end();
}

/* ---- limits ---- */

TEST(more_calls_than_the_rate_are_503_with_retry_after_and_later_ones_pass)
{
    CHECK_OR_RETURN(begin(SERVER "[calls]\nrate = 2/min\n"));
    CHECK_EQ(call(""), 0);
    CHECK_EQ(call(""), 0);
    CHECK_EQ(call(""), 503);
    CHECK(caller_got("\r\nRetry-After: "));
    CHECK_EQ(worker_counts(t.worker)->overloaded, 1);
    t.now_ns += 30 * SECOND_NS;
    CHECK_EQ(call(""), 0);
    end();
}

TEST(a_call_that_waited_too_long_is_503_and_a_bye_is_not)
{
    CHECK_OR_RETURN(begin(SERVER "[overload]\ndelay_max = 100 ms\n"));
    worker_waited(t.worker, 101 * SECOND_NS / 1000);
    CHECK_EQ(call(""), 503);
    CHECK(caller_got("\r\nRetry-After: "));
    snprintf(t.call_id, sizeof t.call_id, "\r\nCall-ID: x\r\n");
    receive(2, "BYE sip:bob@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKbye\r\n"
               "From: <sip:a@b>;tag=a\r\nTo: <sip:bob@home.example>;tag=x\r\nCall-ID: x\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n");
    CHECK_EQ(t.status, 481);
    worker_waited(t.worker, SECOND_NS / 10);
    CHECK_EQ(call(""), 0);
    end();
}

TEST(calls_stop_at_the_memory_that_the_configuration_allows)
{
    unsigned passed = 0;

    CHECK_OR_RETURN(begin(SERVER "[calls]\nuser_calls_max = 0\n[security]\nallow = 10.0.0.2\n[overload]\nmemory_max = 16 MiB\n"));
    while (passed < 100000 && call("") == 0)
        passed++;
    CHECK_EQ(t.status, 503);
    CHECK(passed > 1000 && passed < 20000);
    end();
}

/* What bob's phone says to the INVITE that it got last. */
static void phone_says(unsigned status)
{
    static const char *const copied[] = { "\r\nVia: ", "\r\nFrom: ", "\r\nTo: ", "\r\nCall-ID: ", "\r\nCSeq: " };
    char text[4000];
    size_t len = (size_t)snprintf(text, sizeof text, "SIP/2.0 %u Something", status);

    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        const char *line = strstr(t.to_phone, copied[i]);

        CHECK(line != NULL);
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s%s", line ? (int)strcspn(line + 2, "\r") + 2 : 0, line ? line : "",
                                i == 2 ? ";tag=phone" : "");
    }
    snprintf(text + len, sizeof text - len, "\r\nContact: <sip:bob@10.0.0.3>\r\nContent-Length: 0\r\n\r\n");
    receive(3, text);
}

TEST(a_stranger_has_no_more_calls_at_once_than_calls_per_source)
{
    CHECK_OR_RETURN(begin(SERVER "[security]\ncalls_per_source = 2\n"));
    CHECK_EQ(call(""), 0);
    CHECK_EQ(call(""), 0);
    CHECK_EQ(call(""), 503);
    CHECK(caller_got("\r\nRetry-After: ") && !phone_got("INVITE"));
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);            /* another stranger */
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);
    phone_says(486);
    CHECK_EQ(t.status, 486);
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);            /* the call before is over */
    CHECK_EQ(call_from(4, "bob", "", SDP), 503);
    CHECK_EQ(worker_calls(t.worker)->full, 2);
    end();
}

/* ---- the queue ---- */

static char kept[SENT_MAX];          /* an INVITE that the phone got earlier */
static void keep(void) { memcpy(kept, t.to_phone, sizeof kept); }
static void say_to_kept(unsigned status)
{
    memcpy(t.to_phone, kept, sizeof kept);
    phone_says(status);
    t.to_phone[0] = '\0';
}

static void wait_ms(int64_t ms)
{
    for (int64_t end_ns = t.now_ns + ms * 1000000; t.now_ns < end_ns;) {
        t.now_ns += 10000000;
        worker_time(t.worker, t.now_ns);
    }
}

/* With `extra` further settings of [calls], and bob in one call already. */
static bool begin_queue(const char *extra)
{
    char ini[1024];

    snprintf(ini, sizeof ini, SERVER "[calls]\nuser_calls_max = 1\n%s", extra);
    if (!begin(ini))
        return false;
    t.bob.flags = 0;
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("INVITE"));
    keep();
    say_to_kept(180);
    return true;
}

TEST(the_expires_of_who_waits_ends_its_waiting)
{
    CHECK_OR_RETURN(begin_queue("queue = 20 s\n"));
    CHECK_EQ(call_from(4, "bob", "Expires: 3\r\n", SDP), 0);
    wait_ms(2900);
    CHECK_EQ(t.status, 182);
    wait_ms(200);
    CHECK_EQ(t.status, 487);
    say_to_kept(480);
    wait_ms(3000);
    CHECK(!phone_got("INVITE"));                          /* nobody waits any more */
    end();
}

TEST(who_demands_100rel_waits_and_is_not_told_by_a_plain_182)
{
    CHECK_OR_RETURN(begin_queue("queue = 20 s\n"));
    CHECK_EQ(call_from(4, "bob", "Require: 100rel\r\n", SDP), 0);
    CHECK(t.status <= 100 && worker_calls(t.worker)->queued == 1);
    say_to_kept(480);
    wait_ms(50);
    CHECK(phone_got("INVITE sip:bob@10.0.0.3 "));
    end();
}

TEST(who_has_waited_in_vain_hears_the_global_code_where_that_is_wanted)
{
    CHECK_OR_RETURN(begin_queue("queue = 2 s\nglobal_codes = yes\n"));
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);
    wait_ms(2100);
    CHECK_EQ(t.status, 600);
    end();
}

TEST(who_calls_somebody_with_all_its_calls_waits_and_comes_in_when_one_ends)
{
    CHECK_OR_RETURN(begin_queue("queue = 20 s\n"));
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);
    CHECK_EQ(t.status, 182);
    CHECK(caller_got("SIP/2.0 182 Queued\r\n") && caller_got("\r\nContact: <sip:10.0.0.1:5060>\r\n") && !phone_got("INVITE"));
    wait_ms(5000);
    CHECK(!phone_got("INVITE"));
    say_to_kept(480);
    wait_ms(50);                                          /* not at some time: at once */
    CHECK(phone_got("INVITE sip:bob@10.0.0.3 ") && phone_got("m=audio 4000 "));
    CHECK_EQ(worker_calls(t.worker)->queued, 1);
    phone_says(486);
    CHECK_EQ(t.status, 486);
    wait_ms(33000);
    CHECK_EQ(worker_calls(t.worker)->live, 0);
    end();
}

TEST(who_waits_longer_than_the_queue_allows_gets_486)
{
    CHECK_OR_RETURN(begin_queue("queue = 2 s\n"));
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);
    wait_ms(1900);
    CHECK_EQ(t.status, 182);
    wait_ms(200);
    CHECK_EQ(t.status, 486);
    end();
    CHECK_OR_RETURN(begin_queue(""));                     /* there is no queue */
    CHECK_EQ(call_from(4, "bob", "", SDP), 486);
    end();
}

TEST(who_waits_is_told_so_each_minute)
{
    CHECK_OR_RETURN(begin_queue("queue = 3 min\n[timers]\nno_answer = 5 min\nring = 10 min\n"));
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);
    t.status = 0;
    wait_ms(59000);
    CHECK_EQ(t.status, 0);
    wait_ms(3000);
    CHECK_EQ(t.status, 182);
    end();
}

TEST(who_came_first_is_served_first_and_who_gave_up_is_passed_over)
{
    char first[32];

    CHECK_OR_RETURN(begin_queue("queue = 20 s\n"));
    CHECK_EQ(call_from(4, "bob", "", SDP), 0);
    receive(4, "CANCEL sip:bob@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.4:5060;rport;branch=z9hG4bK2\r\n"
               "From: \"Anna\" <sip:anna@else.example>;tag=a2\r\nTo: <sip:bob@home.example>\r\nCall-ID: c2\r\nCSeq: 1 CANCEL\r\n"
               "Content-Length: 0\r\n\r\n");
    CHECK_EQ(t.status, 487);
    CHECK_EQ(call_from(5, "bob", "X-Caller: first\r\n", SDP), 0);
    memcpy(first, t.call_id, sizeof first);
    wait_ms(100);
    CHECK_EQ(call_from(6, "bob", "X-Caller: second\r\n", SDP), 0);
    say_to_kept(480);
    wait_ms(50);
    CHECK(phone_got("\r\nX-Caller: first\r\n"));
    keep();
    say_to_kept(180);
    wait_ms(3000);
    CHECK(!phone_got("second"));                          /* its place is taken */
    say_to_kept(480);
    wait_ms(50);
    CHECK(phone_got("\r\nX-Caller: second\r\n"));
    end();
}

TEST(who_does_not_want_to_be_disturbed_or_forwards_when_busy_has_no_queue)
{
    CHECK_OR_RETURN(begin_queue("queue = 20 s\ndo_not_disturb = 486\n"));
    t.bob.flags = USER_DO_NOT_DISTURB;
    CHECK_EQ(call_from(4, "bob", "", SDP), 486);
    t.bob.flags = 0;
    t.bob.forward[USER_FORWARD_BUSY] = SLICE("sip:nobody@home.example");
    CHECK_EQ(call_from(4, "bob", "", SDP), 404);
    CHECK_EQ(worker_calls(t.worker)->queued, 0);
    end();
}

TEST(gateways_and_allowed_addresses_have_more_calls_than_calls_per_source)
{
    CHECK_OR_RETURN(begin(SERVER "[gateway g]\nhost = 10.0.0.9\n[security]\ncalls_per_source = 1\nallow = 10.0.0.4\n"));
    for (int i = 0; i < 3; i++) {
        CHECK_ROW_EQ(i, call_from(9, "bob", "", SDP), 0);
        CHECK_ROW_EQ(i, call_from(4, "bob", "", SDP), 0);
    }
    CHECK_EQ(call(""), 0);
    CHECK_EQ(call(""), 503);
    end();
    CHECK_OR_RETURN(begin(SERVER "[calls]\nuser_calls_max = 0\n[security]\ncalls_per_source = 0\n"));
    for (int i = 0; i < 100; i++)
        CHECK_ROW_EQ(i, call(""), 0);
    end();
}

TEST(requests_with_a_to_tag_of_no_call_are_limited_as_any)
{
    static const struct { const char *method; unsigned status; } rows[] = { { "BYE", 481 }, { "INFO", 481 }, { "REGISTER", 401 } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OR_RETURN(begin(SERVER "[security]\nrequests = 5/s\n"));
        unsigned passed = 0;

        snprintf(t.call_id, sizeof t.call_id, "\r\nCall-ID: x\r\n");
        for (unsigned k = 0; k < 100; k++) {
            char text[1000];

            snprintf(text, sizeof text, "%s sip:home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKx%u\r\n"
                     "From: <sip:bob@home.example>;tag=a\r\nTo: <sip:bob@home.example>;tag=x%u\r\nCall-ID: x\r\nCSeq: %u %s\r\n"
                     "Contact: <sip:bob@10.0.0.2>\r\nContent-Length: 0\r\n\r\n", rows[i].method, k, k, k + 1, rows[i].method);
            receive(2, text);
            passed += t.status == rows[i].status;
        }
        CHECK_ROW_EQ(i, passed, 20);                      /* four seconds' worth at once */
        CHECK_ROW_EQ(i, t.status, 503);
        end();
    }
}

TEST(a_cancel_of_nothing_leaves_nothing_behind)
{
    CHECK_OR_RETURN(begin(SERVER));
    snprintf(t.call_id, sizeof t.call_id, "\r\nCall-ID: x\r\n");
    receive(2, "CANCEL sip:bob@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKc\r\n"
               "From: <sip:a@b>;tag=a\r\nTo: <sip:bob@home.example>\r\nCall-ID: x\r\nCSeq: 2 CANCEL\r\nContent-Length: 0\r\n\r\n");
    CHECK_EQ(t.status, 481);
    CHECK_EQ(worker_transactions(t.worker), 0);
    end();
}

TEST(an_emergency_call_passes_every_limit_that_holds_for_others)
{
#define GATEWAYS "[gateway one]\nhost = 10.0.0.9\ntransit = yes\n[gateway sos]\nhost = 10.0.0.3\nallow = any\nemergency = yes\ncalls_max = 1\n"
    static const struct { const char *ini; unsigned status; int64_t waited_ns; } rows[] = {
        { SERVER "[calls]\nrate = 1/min\n" GATEWAYS, 503, 0 },
        { SERVER "[calls]\ncalls_max = 1\n" GATEWAYS, 503, 0 },
        { SERVER "[calls]\nreliable = demand\n" GATEWAYS, 421, 0 },
        { SERVER "[calls]\nsession_timer = demand\n" GATEWAYS, 421, 0 },
        { SERVER "[overload]\ndelay_max = 100 ms\n" GATEWAYS, 503, SECOND_NS },
        { SERVER GATEWAYS, 480, 0 },                      /* calls_max of the gateway */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OR_RETURN(begin(rows[i].ini));
        (void)call_from(9, "12345", "", SDP);
        worker_waited(t.worker, rows[i].waited_ns);
        CHECK_ROW_EQ(i, call_from(9, "12345", "", SDP), rows[i].status);
        for (int k = 0; k < 3; k++) {
            CHECK_ROW_EQ(i, call_from(9, "112", "", SDP), 0);
            CHECK_ROW(i, phone_got("INVITE sip:112@"));
        }
        end();
    }
    CHECK_OR_RETURN(begin(SERVER "[security]\nrequests = 1/s\n" GATEWAYS));
    for (int i = 0; i < 4; i++)
        CHECK_ROW_EQ(i, call(""), 0);
    CHECK_EQ(call(""), 503);
    CHECK_EQ(call_from(2, "112", "", SDP), 380);          /* of a stranger: by another network, but it is told so */
    unsigned told = 0;

    for (int i = 0; i < 1000; i++)
        told += call_from(2, "112", "", SDP) == 380;
    CHECK_EQ(told, 99);                                   /* and nobody floods us by that number */
    end();
}

TEST(no_more_addresses_are_banned_than_bans_max)
{
    struct guard *g;
    struct guard_ban bans[8];

    CHECK_OR_RETURN(begin(SERVER "[security]\nbans_max = 2\n"));
    g = worker_guard(t.worker);
    for (uint8_t i = 1; i <= 5; i++) {
        struct address a = address_v4((uint8_t[]){ 192, 0, 2, i }, 0);

        CHECK_EQ(guard_request(g, &a, SLICE("friendly-scanner"), t.now_ns), GUARD_DROP);
        t.now_ns += SECOND_NS;
    }
    CHECK_EQ(guard_bans(g, bans, 8, t.now_ns), 2);
    CHECK_EQ(bans[0].source.ip[3], 5);
    CHECK_EQ(bans[1].source.ip[3], 4);
    end();
}

TEST(ban_0_s_bans_nobody_and_failures_count_in_their_own_time)
{
    struct address a = address_v4((uint8_t[]){ 192, 0, 2, 1 }, 0);
    struct guard *g;

    CHECK_OR_RETURN(begin(SERVER "[security]\nban = 0 s\n"));
    g = worker_guard(t.worker);
    for (int i = 0; i < 100; i++)
        CHECK_ROW(i, !guard_note(g, &a, (slice){ 0 }, GUARD_BAD_PASSWORD, t.now_ns));
    CHECK_EQ(guard_counts(g)->bans, 0);
    end();
    CHECK_OR_RETURN(begin(SERVER "[security]\nfailures = 10/h\n"));
    g = worker_guard(t.worker);
    for (int i = 0; i < 20; i++, t.now_ns += 60 * SECOND_NS)
        (void)guard_note(g, &a, (slice){ 0 }, GUARD_BAD_PASSWORD, t.now_ns);
    CHECK_EQ(guard_counts(g)->bans, 1);
    end();
    CHECK_OR_RETURN(begin(SERVER "[security]\nfailures = 10/min\n"));
    g = worker_guard(t.worker);
    for (int i = 0; i < 20; i++, t.now_ns += 60 * SECOND_NS)
        (void)guard_note(g, &a, (slice){ 0 }, GUARD_BAD_PASSWORD, t.now_ns);
    CHECK_EQ(guard_counts(g)->bans, 0);
    end();
}

/* ---- what we are called ---- */

TEST(via_and_contact_tell_the_advertised_address_after_a_reload_the_new_one)
{
    CHECK_OR_RETURN(begin(SERVER "advertise = sip.home.example:5080\n"));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nVia: SIP/2.0/UDP sip.home.example:5080;branch=") && phone_got("\r\nContact: <sip:sip.home.example:5080>\r\n"));
    CHECK(configure(SERVER "advertise = 2001:db8::1\n[media]\ncodecs = PCMU\n", &t.other, &t.other_plan));
    CHECK_EQ(worker_set(t.worker, t.other_plan, NULL, t.now_ns), 0);
    t.plan = plan_free(t.plan);
    t.config = config_free(t.config);
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nVia: SIP/2.0/UDP [2001:db8::1]:5060;branch=") && phone_got("\r\nContact: <sip:[2001:db8::1]:5060>\r\n"));
    CHECK(phone_got("m=audio 4000 RTP/AVP 0\r\n"));
    end();
    CHECK_OR_RETURN(begin(SERVER));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=") && phone_got("\r\nContact: <sip:10.0.0.1:5060>\r\n"));
    end();
}

/* The network keeps the number of a listener that stays, wherever the configuration puts it. */
TEST(what_is_advertised_goes_with_the_address_and_not_with_the_place_of_the_listener)
{
    CHECK_OR_RETURN(begin(SERVER "[listen t]\naddress = 10.0.0.1\ntransport = tcp\nadvertise = tcp.home.example\n"));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nContact: <sip:10.0.0.1:5060>\r\n"));
    CHECK(configure("[server]\ndomains = home.example\n[listen b]\naddress = 10.0.0.7\nadvertise = b.home.example\n"
                    "[listen z]\naddress = 0.0.0.0\nadvertise = z.home.example\nport = 5070\n"
                    "[listen a]\naddress = 10.0.0.1\nadvertise = a.home.example\n", &t.other, &t.other_plan));
    CHECK_EQ(worker_set(t.worker, t.other_plan, NULL, t.now_ns), 0);
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nVia: SIP/2.0/UDP a.home.example:5060;branch=") && phone_got("\r\nContact: <sip:a.home.example:5060>\r\n"));
    end();
    CHECK_OR_RETURN(begin("[server]\ndomains = home.example\n[listen a]\naddress = 0.0.0.0\nadvertise = a.home.example\n"));
    CHECK_EQ(call(""), 0);
    CHECK(phone_got("\r\nContact: <sip:a.home.example:5060>\r\n"));
    end();
}

/* ---- who calls ---- */

static unsigned bob_calls(const char *from_domain, unsigned cseq, slice credentials)
{
    char text[4096];

    snprintf(t.call_id, sizeof t.call_id, "\r\nCall-ID: own\r\n");
    t.status = 0;
    snprintf(text, sizeof text, "INVITE sip:bob@home.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKown%u\r\n"
             "From: <sip:bob@%s>;tag=a\r\nTo: <sip:bob@home.example>\r\nCall-ID: own\r\nCSeq: %u INVITE\r\n" SLICE_FMT
             "Contact: <sip:bob@10.0.0.2>\r\nContent-Length: 0\r\n\r\n", cseq, from_domain, cseq, SLICE_ARG(credentials));
    receive(2, text);
    return t.status;
}

TEST(a_phone_that_knows_us_by_our_address_or_an_advertised_name_may_call)
{
    static const char *const domains[] = { "home.example", "10.0.0.1", "sip.home.example" };
    struct digest *digest = digest_new();

    CHECK(digest != NULL);
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        struct sip_header room[SIP_HEADERS_MAX];
        struct sip_credentials who = { SLICE("bob"), SLICE("secret"), SLICE("INVITE"), SLICE("sip:bob@home.example"), { 0 }, SLICE("c") };
        struct sip_message m;
        struct out o;

        out_init_memory(&o, 4096);
        CHECK_OR_RETURN(begin(SERVER "advertise = sip.home.example\n[registrar]\nalgorithms = MD5\n"));
        t.bob.has_ha1[DIGEST_MD5] = true;
        digest_ha1(digest, DIGEST_MD5, SLICE("bob"), SLICE("home.example"), SLICE("secret"), &t.bob.ha1[DIGEST_MD5]);
        CHECK_ROW_EQ(i, bob_calls(domains[i], 1, (slice){ 0 }), 407);
        CHECK_ROW(i, sip_message_parse(slice_of_string(t.to_caller), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) > 0);
        CHECK_ROW(i, sip_credentials_write(&o, digest, &m, &who));
        t.to_phone[0] = '\0';
        t.bob.display = SLICE("Bob \"the\\ other\" <sip:ceo@x>, \"");
        CHECK_ROW(i, bob_calls(domains[i], 2, out_taken(&o)) < 200);
        CHECK_ROW(i, phone_got("INVITE"));
        CHECK_ROW(i, phone_got("\r\nP-Asserted-Identity: \"Bob \\\"the\\\\ other\\\" <sip:ceo@x>, \\\"\" <sip:bob@home.example>\r\n"));
        out_done(&o);
        end();
    }
    digest_free(digest);
}
