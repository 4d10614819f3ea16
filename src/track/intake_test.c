/* track/intake_test.c - datagrams sorted: SIP on any port, and the names of what is none
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/intake.h"

#include "harness/test.h"

#define MESSAGE(start, method)                                                                     \
    start "\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"   \
          "Call-ID: x\r\nCSeq: 1 " method "\r\nContent-Length: 0\r\n\r\n"

struct desk {
    struct intake in;
    struct tracker *tracker;
};

static void desk_start(struct desk *d)
{
    d->tracker = tracker_new(&(struct track_settings){0}, &(struct track_observer){0});
    intake_init(&d->in, d->tracker, NULL);
}

static void desk_done(struct desk *d)
{
    intake_done(&d->in);
    d->tracker = tracker_free(d->tracker);
}

static void feed(struct desk *d, slice payload, enum wire_unit_kind kind, uint16_t port, int64_t ns)
{
    struct wire_unit unit = { .kind = kind, .payload = payload, .time_ns = ns, .frame = 1,
                              .src = address_v4("\x0a\0\0\x01", 40000),
                              .dst = address_v4("\x0a\0\0\x02", port) };

    intake_unit(&d->in, &unit);
}

TEST(what_a_datagram_is_follows_from_its_bytes_and_not_from_its_port)
{
    static const struct { slice payload; uint16_t port; enum intake_kind kind; } rows[] = {
        { SLICE_INIT(MESSAGE("INVITE sip:b@h SIP/2.0", "INVITE")), 5060, INTAKE_SIP },
        { SLICE_INIT(MESSAGE("INVITE sip:b@h SIP/2.0", "INVITE")), 53, INTAKE_SIP },
        { SLICE_INIT(MESSAGE("SIP/2.0 200 OK", "INVITE")), 31337, INTAKE_SIP },
        { SLICE_INIT("\r\n\r\n" MESSAGE("OPTIONS sip:b@h SIP/2.0", "OPTIONS")), 9, INTAKE_SIP },
        { SLICE_INIT("\r\n\r\n"), 5060, INTAKE_KEEPALIVE },
        { SLICE_INIT("\0\0\0\0"), 5060, INTAKE_KEEPALIVE },
        { SLICE_INIT("jaK"), 5060, INTAKE_KEEPALIVE },
        { SLICE_INIT("\x80\0\0\x01\0\0\0\x02\0\0\0\x03" "audio-audio-audio-"), 40000, INTAKE_RTP },
        { SLICE_INIT("\x80\xc9\0\x01\0\0\0\x02"), 40001, INTAKE_RTCP },
        { SLICE_INIT("\0\x01\0\0\x21\x12\xa4\x42" "abcdefghijkl"), 40000, INTAKE_STUN },
        { SLICE_INIT("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x01\x01"), 40000, INTAKE_DTLS },
        { SLICE_INIT("\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01" "a\0\0\x01\0\x01"), 53, INTAKE_DNS },
        { SLICE_INIT("\xf8\x01\x02\x03"), 5060, INTAKE_SIGCOMP },
        { SLICE_INIT("GET / HTTP/1.1\r\n\r\n"), 5060, INTAKE_OTHER },
        { SLICE_INIT("INVITE"), 5060, INTAKE_OTHER },
        { SLICE_INIT("x"), 40000, INTAKE_OTHER },
        { SLICE_INIT("\xff\xff\xff\xff"), 40000, INTAKE_OTHER },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct desk d;

        desk_start(&d);
        feed(&d, rows[i].payload, WIRE_DATAGRAM, rows[i].port, 5);
        for (unsigned kind = 0; kind < INTAKE_KINDS; kind++)
            CHECK_ROW_EQ(i * 100 + kind, d.in.kinds[kind], kind == rows[i].kind);
        CHECK_ROW_EQ(i, intake_units(&d.in), 1);
        CHECK_ROW_EQ(i, d.in.sip_messages, rows[i].kind == INTAKE_SIP);
        desk_done(&d);
    }
}

TEST(every_appearance_of_a_message_counts)
{
    struct desk d;
    static const char invite[] = MESSAGE("INVITE sip:b@h SIP/2.0", "INVITE");

    desk_start(&d);
    for (unsigned i = 0; i < 3; i++)                      /* a tunnel, a hop, a repeat: as Wireshark counts */
        feed(&d, slice_of_string(invite), WIRE_DATAGRAM, 5060, 100 - i);
    feed(&d, SLICE(MESSAGE("SIP/2.0 486 Busy", "INVITE")), WIRE_DATAGRAM, 5060, 300);
    feed(&d, SLICE(MESSAGE("SIP/2.0 999 Odd", "INVITE")), WIRE_DATAGRAM, 5060, 200);
    CHECK_EQ(d.in.requests[SIP_INVITE], 3);
    CHECK_EQ(d.in.responses[486], 1);
    CHECK_EQ(d.in.sip_messages, 5);
    CHECK_EQ(tracker_counts(d.tracker)->calls, 1);
    uint64_t sum = 0;

    for (size_t i = 0; i < INTAKE_STATUS_MAX; i++)
        sum += d.in.responses[i];
    CHECK_EQ(sum, 2);                                     /* what is out of range is counted, too */
    desk_done(&d);
}

TEST(a_message_framed_on_a_stream_that_cannot_be_read_is_malformed)
{
    struct desk d;

    desk_start(&d);
    feed(&d, SLICE("this is not SIP at all\r\n\r\n"), WIRE_MESSAGE, 5060, 1);
    CHECK_EQ(d.in.kinds[INTAKE_MALFORMED], 1);
    CHECK_EQ(d.in.sip_messages, 0);
    desk_done(&d);
}

TEST(methods_that_nobody_registered_are_counted_by_name_up_to_a_limit)
{
    struct desk d;
    char text[512];

    desk_start(&d);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof text, MESSAGE("FROB%u sip:b@h SIP/2.0", "FROB%u"), i % 50, i % 50);
        feed(&d, slice_of_string(text), WIRE_DATAGRAM, 5060, 1);
    }
    CHECK_EQ(d.in.other_count, INTAKE_OTHER_METHODS_MAX);
    CHECK_EQ(d.in.others[0].name, "FROB0");
    CHECK_EQ(d.in.others[0].count, 2);
    CHECK_EQ(d.in.requests[SIP_UNKNOWN], 100 - 2 * INTAKE_OTHER_METHODS_MAX);
    CHECK_EQ(d.in.sip_messages, 100);
    desk_done(&d);
}

TEST(a_datagram_whose_end_was_not_captured_is_read_as_far_as_it_goes)
{
    struct desk d;
    static const char whole[] = MESSAGE("INVITE sip:b@h SIP/2.0", "INVITE");
    struct wire_unit unit = { .payload = slice_of(whole, sizeof whole - 25), .time_ns = 1, .cut = true,
                              .src = address_v4("\x0a\0\0\x01", 5060), .dst = address_v4("\x0a\0\0\x02", 5060) };

    desk_start(&d);
    intake_unit(&d.in, &unit);
    CHECK_EQ(d.in.kinds[INTAKE_SIP], 1);
    CHECK_EQ(d.in.flawed, 0);                             /* that it is cut is not the sender's fault */
    desk_done(&d);
}
