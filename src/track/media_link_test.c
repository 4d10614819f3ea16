/* track/media_link_test.c - see media_link.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/media_link.h"

#include "harness/test.h"
#include "media/table.h"
#include "track/intake.h"
#include "wire/wire.h"

#define MS 1000000LL
#define SECOND 1000000000LL
#define T0 (1700000000 * SECOND)

struct desk {
    struct media_table *media;
    struct tracker *tracker;
    struct intake in;
    struct call *calls[4];
    unsigned call_count, changed;
    unsigned apart;                  /* added to the hosts: another pair of machines */
    int64_t now_ns;
    uint32_t ip_id;
    uint16_t sequence[2];
};

static bool on_call(void *ctx, struct call *c)
{
    struct desk *d = ctx;

    if (d->call_count == ARRAY_LEN(d->calls))
        return false;
    d->calls[d->call_count++] = c;
    return true;
}

static void on_changed(void *ctx, const struct call *c)
{
    (void)c;
    ((struct desk *)ctx)->changed++;
}

static bool desk_start(struct desk *d)
{
    struct media_settings media = { .seed = { 1, 2 } };
    struct track_settings settings = { .seed = { 1, 2 } };
    struct track_observer observer = { .ctx = d, .call_closed = on_call, .call_changed = on_changed };

    memset(d, 0, sizeof *d);
    d->now_ns = T0;
    settings.media = d->media = media_table_new(&media, &(struct media_observer){0});
    d->tracker = d->media ? tracker_new(&settings, &observer) : NULL;
    intake_init(&d->in, d->tracker, d->media);
    return d->tracker != NULL;
}

static void desk_done(struct desk *d)
{
    tracker_free(d->tracker);
    media_table_free(d->media);
    intake_done(&d->in);
    for (unsigned i = 0; i < d->call_count; i++)
        call_free(d->calls[i]);
}

static void desk_end(struct desk *d)
{
    tracker_time(d->tracker, d->now_ns);
    tracker_finish(d->tracker);
}

static void send_unit(struct desk *d, unsigned from, uint16_t port, unsigned to, uint16_t to_port, slice bytes)
{
    uint8_t src[4] = { 10, 0, 0, (uint8_t)(from + d->apart) }, dst[4] = { 10, 0, 0, (uint8_t)(to + d->apart) };
    struct wire_unit u = { .kind = WIRE_DATAGRAM, .transport = WIRE_UDP, .time_ns = d->now_ns, .frame = ++d->ip_id,
                           .src = address_v4(src, port), .dst = address_v4(dst, to_port), .payload = bytes,
                           .ip_id = d->ip_id, .ttl = 64 };

    intake_unit(&d->in, &u);
    d->now_ns += 10 * MS;
}

static void say(struct desk *d, bool from_callee, const char *call, const char *start, const char *method, unsigned cseq,
                const char *direction)
{
    char text[1024], sdp[256] = "";
    unsigned host = from_callee ? 2 : 1;
    bool request = strncmp(start, "SIP", 3) != 0, to_tag = !request || strcmp(method, "INVITE") != 0 || cseq > 1;

    if (direction)
        snprintf(sdp, sizeof sdp, "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.%u\r\nt=0 0\r\n"
                 "m=audio %u RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n", host + d->apart,
                 host * 1000, direction);
    int n = snprintf(text, sizeof text,
                     "%s\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%s%u\r\nFrom: <sip:a@h>;tag=%s\r\nTo: <sip:b@h>%s%s\r\n"
                     "Call-ID: %s\r\nCSeq: %u %s\r\nContent-Type: application/%s\r\nContent-Length: %zu\r\n\r\n%s",
                     start, method, cseq, "a", to_tag ? ";tag=" : "", to_tag ? "b" : "", call, cseq, method,
                     direction ? "sdp" : "dtmf", strlen(sdp), sdp);

    send_unit(d, host, 5060, 3 - host, 5060, slice_of(text, (size_t)n));
}

static void answered(struct desk *d, const char *call)
{
    say(d, false, call, "INVITE sip:b@h SIP/2.0", "INVITE", 1, "sendrecv");
    say(d, true, call, "SIP/2.0 200 OK", "INVITE", 1, "sendrecv");
    say(d, false, call, "ACK sip:b@h SIP/2.0", "ACK", 1, NULL);
}

static void talk(struct desk *d, bool from_callee, unsigned packets)
{
    unsigned host = from_callee ? 2 : 1;

    for (unsigned i = 0; i < packets; i++, d->now_ns += 10 * MS) {
        uint16_t n = ++d->sequence[from_callee];
        uint8_t b[172] = { 0x80, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, (uint8_t)(n * 160u >> 16), (uint8_t)(n * 160u >> 8),
                           (uint8_t)(n * 160u), 0, 0, 0, (uint8_t)host };

        send_unit(d, host, (uint16_t)(host * 1000), 3 - host, (uint16_t)((3 - host) * 1000), slice_of(b, sizeof b));
    }
}

static void wait_s(struct desk *d, unsigned seconds)
{
    for (; seconds; seconds--) {
        d->now_ns += SECOND;
        tracker_time(d->tracker, d->now_ns);
    }
}

TEST(an_answered_call_whose_media_stops_is_8100_and_ends_with_its_last_packet)
{
    struct desk d;

    CHECK(desk_start(&d));
    answered(&d, "c1");
    talk(&d, false, 200);
    talk(&d, true, 100);
    int64_t last_ns = d.now_ns - 20 * MS;

    wait_s(&d, 55);
    CHECK_EQ(d.changed, 2);                               /* tried, then answered */
    wait_s(&d, 130);
    desk_end(&d);
    CHECK_EQ(d.call_count, 1);
    CHECK_EQ(d.calls[0]->state, CALL_MEDIA_STOPPED);
    CHECK_EQ(call_status(d.calls[0]).code, 8100);
    CHECK_EQ(d.calls[0]->ended_ns, last_ns);
    CHECK_EQ(d.calls[0]->ended_by, CALL_NETWORK);
    CHECK(d.calls[0]->media.stopped);
    CHECK_EQ(d.calls[0]->media.to_callee.packets, 200);
    CHECK_EQ(d.calls[0]->media.to_caller.packets, 100);
    desk_done(&d);
}

TEST(a_bye_within_the_time_of_grace_completes_it_and_media_that_resumes_takes_it_back)
{
    struct desk d;

    CHECK(desk_start(&d));
    answered(&d, "c1");
    talk(&d, false, 100);
    wait_s(&d, 70);
    say(&d, true, "c1", "BYE sip:a@h SIP/2.0", "BYE", 2, NULL);
    wait_s(&d, 200);
    CHECK_EQ(d.call_count, 1);
    CHECK_EQ(d.calls[0]->state, CALL_COMPLETED);
    CHECK(!d.calls[0]->media.stopped);
    answered(&d, "c2");
    talk(&d, false, 100);
    wait_s(&d, 80);
    talk(&d, false, 3000);                                /* a minute, through the time of grace */
    desk_end(&d);
    CHECK_EQ(d.call_count, 2);
    CHECK_EQ(d.calls[1]->state, CALL_ACTIVE);
    CHECK_EQ(d.calls[1]->ended_ns, 0);
    desk_done(&d);
}

TEST(silence_on_hold_is_no_end)
{
    struct desk d;

    CHECK(desk_start(&d));
    answered(&d, "c1");
    talk(&d, false, 100);
    say(&d, false, "c1", "INVITE sip:b@h SIP/2.0", "INVITE", 2, "inactive");
    say(&d, true, "c1", "SIP/2.0 200 OK", "INVITE", 2, "inactive");
    wait_s(&d, 900);
    desk_end(&d);
    CHECK_EQ(d.call_count, 1);
    CHECK_EQ(d.calls[0]->state, CALL_ACTIVE);
    CHECK(d.calls[0]->open_at_end);
    desk_done(&d);
}

TEST(a_call_without_media_where_others_have_it_is_8003_by_media_and_elsewhere_waits_for_hours)
{
    struct desk d;

    CHECK(desk_start(&d));
    answered(&d, "c1");                                   /* signalling only: media may go elsewhere */
    wait_s(&d, 1000);
    CHECK_EQ(d.call_count, 0);
    talk(&d, false, 100);                                 /* now it is seen that media passes here */
    say(&d, true, "c1", "BYE sip:a@h SIP/2.0", "BYE", 2, NULL);
    wait_s(&d, 100);
    CHECK_EQ(d.call_count, 1);
    answered(&d, "c2");
    wait_s(&d, 290);
    CHECK_EQ(d.call_count, 1);
    wait_s(&d, 60);
    desk_end(&d);
    CHECK_EQ(d.call_count, 2);
    CHECK_EQ(d.calls[1]->state, CALL_SILENT);
    CHECK(d.calls[1]->media.absent);
    CHECK(d.calls[1]->media.visible);
    desk_done(&d);
}

TEST(media_on_the_port_of_sip_and_sip_between_media_are_told_apart)
{
    struct desk d;
    static const char rtp[] = "\x80\x00\x00\x01\x00\x00\x00\xa0\x00\x00\x00\x07ssssssssssssssss";

    CHECK(desk_start(&d));
    answered(&d, "c1");
    for (unsigned i = 0; i < 10; i++)
        send_unit(&d, 1, 5060, 2, 5060, slice_of(rtp, sizeof rtp - 1));
    say(&d, true, "c1", "BYE sip:a@h SIP/2.0", "BYE", 2, NULL);
    desk_end(&d);
    CHECK_EQ(d.in.kinds[INTAKE_SIP], 4);
    CHECK_EQ(d.in.kinds[INTAKE_RTP], 10);
    CHECK_EQ(d.calls[0]->state, CALL_COMPLETED);
    desk_done(&d);
}

TEST(without_a_table_of_media_the_tracker_is_what_it_was)
{
    struct desk d;

    CHECK(desk_start(&d));
    tracker_free(d.tracker);
    d.tracker = tracker_new(&(struct track_settings){0}, &(struct track_observer){ .ctx = &d, .call_closed = on_call });
    d.in.tracker = d.tracker;
    d.in.media = NULL;
    answered(&d, "c1");
    talk(&d, false, 100);
    wait_s(&d, 3600);
    desk_end(&d);
    CHECK_EQ(d.calls[0]->state, CALL_ACTIVE);
    CHECK_EQ(d.in.kinds[INTAKE_RTP], 100);
    CHECK_EQ(d.calls[0]->media.to_callee.packets, 0);
    desk_done(&d);
}

TORTURE(a_call_with_media_survives_any_allocation_that_fails)
{
    struct desk d;

    CHECK_OR_GOTO(desk_start(&d), out);
    answered(&d, "c1");
    talk(&d, false, 60);
    say(&d, true, "c1", "BYE sip:a@h SIP/2.0", "BYE", 2, NULL);
    desk_end(&d);
    CHECK_OR_GOTO(d.call_count == 1 && d.calls[0]->media.to_callee.packets == 60, out);
out:
    desk_done(&d);
}

/* 10.0.0.1 talks to 10.0.0.2, which sends the same packets on to 10.0.0.3; no number and no header agree. */
static unsigned sessions_of_relay(bool sent_on)
{
    struct desk d;
    unsigned sessions = 0;

    CHECK(desk_start(&d));
    answered(&d, "one");
    d.apart = sent_on ? 1 : 10;                           /* else between strangers */
    answered(&d, "two");
    for (unsigned i = 0; i < 100; i++) {
        d.apart = 0;
        talk(&d, false, 1);
        d.sequence[0]--;
        d.apart = sent_on ? 1 : 10;
        talk(&d, false, 1);
    }
    desk_end(&d);
    CHECK_EQ(d.call_count, 2);
    sessions = d.calls[0]->session == d.calls[1]->session ? 1 : 2;
    if (sessions == 1)
        CHECK_EQ(d.calls[1]->join, CALL_JOIN_RTP);
    desk_done(&d);
    return sessions;
}

TEST(the_same_voice_sent_on_by_a_relay_joins_two_calls_and_music_for_all_does_not)
{
    CHECK_EQ(sessions_of_relay(true), 1);
    CHECK_EQ(sessions_of_relay(false), 2);
}
