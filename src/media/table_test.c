/* media/table_test.c - see table.h, stream.h, reports.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/table.h"

#include "harness/test.h"
#include "media/stream.h"

#define MS 1000000LL
#define SECOND 1000000000LL
#define T0 (1700000000 * SECOND)

struct desk {
    struct media_table *table;
    struct call *call;
    struct media_call *media;
    struct stream *orphans[8];
    unsigned orphan_count;
    int64_t now_ns;
    uint32_t ip_id;
    uint8_t tunnels;
};

static bool on_orphan(void *ctx, struct stream *s)
{
    struct desk *d = ctx;

    if (d->orphan_count == ARRAY_LEN(d->orphans))
        return false;
    d->orphans[d->orphan_count++] = s;
    return true;
}

static bool desk_start(struct desk *d)
{
    struct media_settings settings = { .seed = { 1, 2 } };
    struct media_observer observer = { .ctx = d, .stream_closed = on_orphan };

    *d = (struct desk){ .now_ns = T0 };
    d->table = media_table_new(&settings, &observer);
    d->call = d->table ? call_new() : NULL;
    if (d->call) {
        d->call->call_id = SLICE("a1");
        d->call->index = 1;
        d->media = media_call_open(d->table, d->call);
    }
    return d->media != NULL;
}

static void call_over(struct desk *d)
{
    if (d->media)
        media_call_close(d->table, d->media, false);
    d->media = NULL;
}

static void desk_done(struct desk *d)
{
    call_over(d);
    if (d->table)
        media_table_finish(d->table, d->now_ns);
    media_table_free(d->table);
    call_free(d->call);
    for (unsigned i = 0; i < d->orphan_count; i++)
        stream_free(d->orphans[i]);
}

static struct address at(unsigned host, uint16_t port)
{
    uint8_t ip[4] = { 10, 0, 0, (uint8_t)host };

    return address_v4(ip, port);
}

static void describe(struct desk *d, struct media_call *m, bool from_callee, unsigned host, uint16_t port, const char *more)
{
    char text[512];
    struct sdp sdp;

    snprintf(text, sizeof text, "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.%u\r\nt=0 0\r\nm=audio %u RTP/AVP %s",
             host, port, more);
    CHECK(sdp_parse(slice_of_string(text), &sdp));
    media_call_describe(d->table, m, &(struct media_description){ &sdp, d->now_ns, from_callee });
}

struct flow {
    struct address src, dst;
    uint32_t ssrc, timestamp, step;
    uint16_t sequence;
    uint8_t type;
};

static bool send_bytes(struct desk *d, const struct flow *f, const void *bytes, size_t len)
{
    struct wire_unit u = { .kind = WIRE_DATAGRAM, .time_ns = d->now_ns, .frame = 1, .src = f->src, .dst = f->dst,
                           .payload = slice_of(bytes, len), .ip_id = d->ip_id ? d->ip_id : ++d->ip_id, .ttl = 64,
                           .tunnels = d->tunnels };

    return media_table_packet(d->table, &u);
}

static bool send_one(struct desk *d, const struct flow *f, slice payload)
{
    uint8_t b[300] = { 0x80, f->type, (uint8_t)(f->sequence >> 8), (uint8_t)f->sequence,
                       (uint8_t)(f->timestamp >> 24), (uint8_t)(f->timestamp >> 16), (uint8_t)(f->timestamp >> 8),
                       (uint8_t)f->timestamp, (uint8_t)(f->ssrc >> 24), (uint8_t)(f->ssrc >> 16),
                       (uint8_t)(f->ssrc >> 8), (uint8_t)f->ssrc };

    memcpy(b + 12, payload.ptr, payload.len);
    return send_bytes(d, f, b, 12 + payload.len);
}

static const slice sound = SLICE_INIT("ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
                                      "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss");

static void next(struct flow *f)
{
    f->sequence++;
    f->timestamp += f->step ? f->step : 160;
}

/* `count` packets, 20 ms apart; those whose turn is in `lost_every` are not sent. */
static void talk(struct desk *d, struct flow *f, unsigned count, unsigned lost_every)
{
    for (unsigned i = 1; i <= count; i++) {
        d->ip_id = 0;
        if (!lost_every || i % lost_every)
            send_one(d, f, sound);
        next(f);
        d->now_ns += 20 * MS;
    }
}

static const struct stream *stream_at(const struct desk *d, unsigned n)
{
    const struct list *l = d->call->streams.next;

    while (n-- && l != &d->call->streams)
        l = l->next;
    return l == &d->call->streams ? NULL : list_item(l, struct stream, in_list);
}

TEST(media_belongs_to_the_call_whose_sdp_named_the_receiver)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };
    struct flow b = { .src = at(2, 5000), .dst = at(1, 4000), .ssrc = 0xb };

    CHECK(desk_start(&d));
    describe(&d, d.media, false, 1, 4000, "0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    describe(&d, d.media, true, 2, 5000, "0\r\na=sendonly\r\n");
    d.call->answered_ns = d.now_ns - 1;
    talk(&d, &a, 200, 0);
    talk(&d, &b, 200, 50);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0), *r = stream_at(&d, 1);

    CHECK(s && r);
    CHECK_EQ(s->bound, STREAM_BY_SDP_DESTINATION);
    CHECK_EQ(s->side, STREAM_FROM_CALLER);
    CHECK_EQ(r->side, STREAM_FROM_CALLEE);
    CHECK_EQ(s->call_id, "a1");
    CHECK_STR_EQ(s->codec, "PCMU");
    CHECK_EQ(s->packets, 200);
    CHECK_EQ(s->lost, 0);
    CHECK_EQ(s->frame_ms, 20);
    CHECK_EQ(s->sender.address.port, 4000);
    CHECK_STR_EQ(s->sender.codecs, "PCMU telephone-event");
    CHECK_EQ(s->receiver.address.port, 5000);
    CHECK_EQ(s->receiver.direction, SDP_SENDONLY);
    CHECK_EQ(s->band, STREAM_NB);
    CHECK_EQ(stream_mos_milli(s), 4409);
    CHECK_EQ(s->worst_mos_milli, 4409);
    CHECK(!s->unnamed_source && !s->unnamed_target && !s->estimated && !s->wrong_type);
    CHECK_EQ(r->packets, 196);
    CHECK_EQ(r->lost, 3);                                 /* the last one could not be missed */
    CHECK(stream_mos_milli(r) < 4409 && stream_mos_milli(r) > 4200);
    CHECK_EQ(d.call->media.to_callee.packets, 200);
    CHECK_EQ(d.call->media.to_caller.lost, 3);
    CHECK_EQ(d.call->media.mos_milli, stream_mos_milli(r));
    CHECK(d.call->media.described && d.call->media.visible);
    desk_done(&d);
}

TEST(media_that_came_before_its_sdp_is_claimed_when_that_comes)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa, .type = 96, .step = 320 };

    CHECK(desk_start(&d));
    talk(&d, &a, 10, 0);                                  /* a clock of 8000 is only a guess */
    describe(&d, d.media, true, 2, 5000, "96\r\na=rtpmap:96 AMR-WB/16000\r\n");
    talk(&d, &a, 140, 0);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK(s && d.orphan_count == 0);
    CHECK_EQ(s->packets, 150);
    CHECK_STR_EQ(s->codec, "AMR-WB");
    CHECK_EQ(s->clock_hz, 16000);
    CHECK(!s->clock_guessed);
    CHECK(s->jitter_max_us < 1000);
    CHECK_EQ(s->band, STREAM_WB);
    CHECK(s->estimated);
    desk_done(&d);
}

TEST(what_no_call_claims_is_kept_when_it_behaves_like_rtp)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa, .type = 111, .step = 960 };
    struct flow noise = { .src = at(3, 53), .dst = at(4, 54) };

    CHECK(desk_start(&d));
    talk(&d, &a, 200, 0);
    for (unsigned i = 0; i < 100; i++) {
        noise.ssrc = i * 77;
        noise.sequence = (uint16_t)(i * 777);
        send_one(&d, &noise, sound);
    }
    desk_done(&(struct desk){ .table = NULL });
    media_table_finish(d.table, d.now_ns);
    CHECK_EQ(d.orphan_count, 1);
    CHECK_EQ(d.orphans[0]->packets, 200);
    CHECK_EQ(d.orphans[0]->bound, STREAM_ORPHAN);
    CHECK_EQ(d.orphans[0]->clock_hz, 48000);              /* found from the traffic */
    CHECK(d.orphans[0]->clock_guessed);
    CHECK(d.orphans[0]->jitter_max_us < 1000);
    CHECK_EQ(stream_mos_milli(d.orphans[0]), 0);          /* nobody says which codec */
    CHECK_EQ(media_table_counts(d.table)->unproven, 100);
    desk_done(&d);
}

TEST(a_relay_sends_the_same_packets_on_and_they_count_once)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    for (unsigned i = 0; i < 100; i++) {
        struct flow on = a;

        on.src = at(2, 6000), on.dst = at(3, 7000);
        send_one(&d, &a, sound);
        send_one(&d, &on, sound);
        next(&a);
        d.now_ns += 20 * MS;
    }
    call_over(&d);
    CHECK_EQ(stream_at(&d, 0)->hop, 1);
    CHECK(stream_at(&d, 1) != NULL);
    CHECK_EQ(stream_at(&d, 1)->hop, 2);
    CHECK_EQ(stream_at(&d, 1)->bound, STREAM_BY_SSRC);
    CHECK_EQ(stream_at(&d, 1)->lost + stream_at(&d, 0)->lost, 0);
    CHECK_EQ(d.call->media.to_callee.packets, 100);
    desk_done(&d);
}

TEST(the_same_packet_captured_twice_is_a_copy_and_sent_twice_a_duplicate)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    for (uint32_t i = 1; i <= 60; i++) {
        d.ip_id = i;
        send_one(&d, &a, sound);
        d.tunnels = 1;                                    /* inside a tunnel as well */
        send_one(&d, &a, sound);
        d.tunnels = 0;
        if (i % 10 == 0) {
            d.ip_id = 1000 + i;
            d.now_ns += 5 * MS;
            send_one(&d, &a, sound);
        }
        next(&a);
        d.now_ns += 20 * MS - (i % 10 == 0) * 5 * MS;
    }
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK_EQ(s->packets, 60);
    CHECK_EQ(s->copies, 60);
    CHECK_EQ(s->duplicates, 6);
    CHECK_EQ(s->lost, 0);
    CHECK(s->jitter_max_us < 100);
    desk_done(&d);
}

TEST(the_newest_call_owns_an_address_and_an_old_one_keeps_what_was_its_own)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 100, 0);
    d.call->ended_ns = d.call->bye_ns = d.now_ns;
    d.now_ns += 10 * SECOND;
    struct call *second = call_new();

    second->index = 2;
    struct media_call *m = media_call_open(d.table, second);

    describe(&d, m, true, 2, 5000, "8\r\n");
    talk(&d, &a, 70, 0);                                  /* the very same SSRC goes on */
    media_call_close(d.table, m, false);
    CHECK_EQ(list_item(second->streams.next, struct stream, in_list)->packets, 70);
    call_over(&d);
    CHECK_EQ(stream_at(&d, 0)->packets, 100);
    CHECK(stream_at(&d, 1) == NULL);
    call_free(second);
    desk_done(&d);
}

TEST(a_peer_behind_nat_is_learned_from_what_it_sends)
{
    struct desk d;
    struct flow in = { .src = at(99, 1234), .dst = at(2, 5000), .ssrc = 0xa };
    struct flow out = { .src = at(2, 5002), .dst = at(99, 1234), .ssrc = 0xb };      /* from another port */

    CHECK(desk_start(&d));
    describe(&d, d.media, false, 1, 4000, "0\r\n");       /* its private address */
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &in, 100, 0);
    talk(&d, &out, 100, 0);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0), *r = stream_at(&d, 1);

    CHECK(s && r && d.orphan_count == 0);
    CHECK(s->unnamed_source);
    CHECK_EQ(s->sender.address.port, 4000);               /* what it should have been */
    CHECK_EQ(r->bound, STREAM_BY_LEARNED);
    CHECK_EQ(r->side, STREAM_FROM_CALLEE);
    CHECK(r->unnamed_target);
    desk_done(&d);
}

TEST(early_media_is_counted_but_no_part_of_the_score)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 250, 3);                                 /* a third is lost while it rings */
    d.call->answered_ns = d.now_ns;
    talk(&d, &a, 60, 0);                                  /* the second goes on in which it was answered */
    talk(&d, &a, 400, 0);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK(s->early_packets >= 160 && s->early_packets < 230);
    CHECK(s->early_lost >= 80);
    CHECK(s->lost >= 80);
    CHECK_EQ(stream_mos_milli(s), 4409);
    CHECK_EQ(s->worst_mos_milli, 4409);
    desk_done(&d);
}

TEST(a_source_that_switches_and_a_sequence_that_jumps_are_no_loss)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa, .sequence = 100 };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 100, 0);
    a.sequence += 900;                                    /* an announcement, same SSRC */
    talk(&d, &a, 100, 0);
    a.sequence += 20000;
    a.timestamp -= 5000000;                               /* and backwards in time */
    talk(&d, &a, 100, 0);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK_EQ(s->packets, 300);
    CHECK_EQ(s->lost, 0);
    CHECK_EQ(s->restarts, 2);
    CHECK(s->jitter_max_us < 1000);
    CHECK_EQ(stream_mos_milli(s), 4409);
    desk_done(&d);
}

TEST(a_sender_that_stands_still_on_hold_is_no_delay_when_it_goes_on)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa, .sequence = 100 };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 200, 0);
    d.now_ns += 8000 * MS;                                /* neither packets nor timestamps */
    talk(&d, &a, 400, 0);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK_EQ(s->packets, 600);
    CHECK_EQ(s->lost, 0);
    CHECK_EQ(s->buffers[STREAM_ADAPTIVE].discarded, 0);
    CHECK(s->jitter_max_us < 1000);
    CHECK_EQ(stream_mos_milli(s), 4409);
    desk_done(&d);
}

TEST(keys_are_read_from_events)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    talk(&d, &a, 60, 0);
    for (unsigned key = 0; key < 3; key++) {
        struct flow e = a;

        e.type = 101;
        for (unsigned i = 1; i <= 6; i++) {
            uint8_t event[4] = { (uint8_t)(key == 2 ? 11 : key + 4), (uint8_t)(i > 3 ? 0x8a : 0x0a), 0, (uint8_t)(i * 40) };

            send_one(&d, &e, slice_of(event, 4));
            e.sequence++;
            d.now_ns += 20 * MS;
        }
        a.sequence = e.sequence;
        a.timestamp += 6 * 160;
        talk(&d, &a, 20, 0);
    }
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK_STR_EQ(s->dtmf, "45#");
    CHECK_EQ(s->dtmf_events, 3);
    CHECK_EQ(s->dtmf_unended, 0);
    CHECK_EQ(s->type_count, 2);
    CHECK_STR_EQ(s->codec, "PCMU");
    CHECK_EQ(s->lost, 0);
    CHECK_EQ(s->codec_changes, 0);
    CHECK(s->jitter_max_us < 1000);
    CHECK_EQ(d.call->media.dtmf, CALL_DTMF_RTP);
    desk_done(&d);
}

/* ---- RTCP ---- */

static void put32(uint8_t *b, uint32_t v)
{
    b[0] = (uint8_t)(v >> 24), b[1] = (uint8_t)(v >> 16), b[2] = (uint8_t)(v >> 8), b[3] = (uint8_t)v;
}

static void send_sr(struct desk *d, const struct flow *f, uint32_t middle)
{
    uint8_t b[28] = { 0x80, 200, 0, 6 };
    struct flow rtcp = *f;

    rtcp.src.port++, rtcp.dst.port++;
    put32(b + 4, f->ssrc);
    put32(b + 8, middle >> 16);
    put32(b + 12, middle << 16);
    CHECK(send_bytes(d, &rtcp, b, sizeof b));
}

static void send_rr(struct desk *d, const struct flow *about, uint32_t lost, uint32_t highest, uint32_t lsr, uint32_t dlsr)
{
    uint8_t b[32] = { 0x81, 201, 0, 7 };
    struct flow back = { .src = about->dst, .dst = about->src };

    back.src.port++, back.dst.port++;
    put32(b + 4, 0x77);
    put32(b + 8, about->ssrc);
    put32(b + 12, lost & 0xffffff);
    put32(b + 16, highest);
    put32(b + 20, 80);
    put32(b + 24, lsr);
    put32(b + 28, dlsr);
    CHECK(send_bytes(d, &back, b, sizeof b));
}

TEST(the_way_there_and_back_is_the_sum_of_both_halves)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };
    struct flow b = { .src = at(2, 5000), .dst = at(1, 4000), .ssrc = 0xb };

    CHECK(desk_start(&d));
    describe(&d, d.media, false, 1, 4000, "0\r\n");
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 60, 0);
    talk(&d, &b, 60, 0);
    send_sr(&d, &a, 0x11112222);
    send_sr(&d, &b, 0x33334444);
    d.now_ns += 1080 * MS;
    send_rr(&d, &a, 0, a.sequence, 0x11112222, 65536);    /* held a second: 80 ms to the callee and back */
    d.now_ns += 40 * MS;
    send_rr(&d, &b, 0, b.sequence, 0x33334444, 65536);    /* 120 ms to the caller and back */
    call_over(&d);
    CHECK_EQ(stream_at(&d, 0)->half_way_us, 80001);
    CHECK_EQ(stream_at(&d, 1)->half_way_us, 120001);
    CHECK_EQ(stream_at(&d, 0)->two_way_ms, 200);
    CHECK_EQ(stream_at(&d, 1)->two_way_ms, 200);
    CHECK_EQ(stream_at(&d, 0)->rtcp.sender_reports, 1);
    desk_done(&d);
}

TEST(a_long_way_by_rtcp_lowers_the_score_though_the_capture_stands_beside_one_end)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 150, 0);
    send_sr(&d, &a, 0x11112222);
    d.now_ns += 500 * MS;
    send_sr(&d, &a, 0x11119999);                          /* the answer to the first crosses it */
    d.now_ns += 400 * MS;
    send_rr(&d, &a, 0, a.sequence, 0x11112222, 0);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK_EQ(s->two_way_ms, 900);
    CHECK_EQ(s->mos_lq_milli, 4409);
    CHECK(stream_mos_milli(s) < 3400);                    /* 450 ms and the buffer */
    CHECK(s->worst_mos_milli <= stream_mos_milli(s));
    desk_done(&d);
}

TEST(cumulative_counts_are_differenced_and_forged_reports_change_nothing)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa, .sequence = 1000 };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 100, 0);
    send_rr(&d, &a, 500, a.sequence, 0, 0);               /* 500 since long before the capture */
    talk(&d, &a, 100, 0);
    send_rr(&d, &a, 510, a.sequence, 0, 0);
    send_rr(&d, &a, 100000, a.sequence, 0, 0);            /* more than were sent */
    send_rr(&d, &a, 511, a.sequence + 20000u, 0, 0);      /* numbers that nobody sent */
    send_rr(&d, &a, 511, a.sequence, 0x1234, 0xffffffff); /* of an SR that was never sent: no delay */
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);

    CHECK_EQ(s->rtcp.reported_lost, 11);
    CHECK_EQ(s->rtcp.reported_expected, 100);
    CHECK_EQ(s->rtcp.fraction_max_milli, 10000);
    CHECK_EQ(s->rtcp.suspect, 2);
    CHECK_EQ(s->rtcp.jitter_max_us, 10000);
    CHECK_EQ(s->half_way_us, 0);
    CHECK_EQ(s->lost, 0);
    CHECK_EQ(stream_mos_milli(s), 4409);
    desk_done(&d);
}

/* ---- seconds, bounds, memory ---- */

TEST(a_clean_minute_is_one_run_and_a_bad_second_stands_out)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    d.call->answered_ns = T0 - 1;
    talk(&d, &a, 60 * 50, 0);
    talk(&d, &a, 50, 5);
    talk(&d, &a, 60 * 50, 0);
    call_over(&d);
    const struct stream *s = stream_at(&d, 0);
    unsigned seconds = 0, lost = 0;

    for (unsigned i = 0; i < s->run_count; i++) {
        seconds += s->runs[i].seconds;
        lost += s->runs[i].lost * s->runs[i].seconds;
    }
    CHECK(s->run_count <= 5);
    CHECK(seconds >= 120 && seconds <= 122);
    CHECK_EQ(lost, s->lost);
    CHECK(s->worst_mos_milli < stream_mos_milli(s));
    CHECK(s->worst_ns > T0 + 45 * SECOND && s->worst_ns < T0 + 62 * SECOND);
    desk_done(&d);
}

/* The same packets through the datagram as it is on the wire, where they are as usual. */
static void send_plain(struct desk *d, const struct flow *f, bool plain)
{
    uint8_t b[200] = { 0x45, 0, 0, 200, (uint8_t)(d->ip_id >> 8), (uint8_t)d->ip_id };
    slice whole = slice_of(b, sizeof b);

    memcpy(b + 12, f->src.ip, 4);
    memcpy(b + 16, f->dst.ip, 4);
    b[20] = (uint8_t)(f->src.port >> 8), b[21] = (uint8_t)f->src.port;
    b[22] = (uint8_t)(f->dst.port >> 8), b[23] = (uint8_t)f->dst.port;
    b[28] = 0x80, b[29] = f->type;
    b[30] = (uint8_t)(f->sequence >> 8), b[31] = (uint8_t)f->sequence;
    put32(b + 32, f->timestamp);
    put32(b + 36, f->ssrc);
    if (!plain || !media_table_plain(d->table, b, whole.len, d->now_ns, 1))
        CHECK(send_bytes(d, f, b + 28, sizeof b - 28));
}

TEST(the_short_way_finds_the_same_as_the_long_one)
{
    struct stream *found[2];

    for (int plain = 0; plain < 2; plain++) {
        struct desk d;
        struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xdeadbeef, .sequence = 65000 };
        uint64_t chance = 9;

        CHECK(desk_start(&d));
        describe(&d, d.media, true, 2, 5000, "0 8\r\n");
        for (unsigned i = 0; i < 2000; i++) {
            chance = chance * 6364136223846793005u + 1442695040888963407u;
            d.ip_id = 1 + i;
            d.now_ns = T0 + i * 20 * MS + (int64_t)(chance >> 58) * MS;      /* up to 63 ms late */
            a.type = i > 1500 && i < 1700 ? 8 : 0;
            if (chance >> 40 & 31)
                send_plain(&d, &a, plain);
            d.ip_id += 10000;                             /* sent twice, not captured twice */
            if ((chance >> 45 & 63) == 0)
                send_plain(&d, &a, plain);
            next(&a);
        }
        call_over(&d);
        struct stream *s = list_item(d.call->streams.next, struct stream, in_list);

        CHECK_EQ(media_table_counts(d.table)->rtp, s->packets + s->copies + s->duplicates);
        list_remove(&s->in_list);
        found[plain] = s;
        desk_done(&d);
    }
    CHECK_EQ(found[0]->run_count, found[1]->run_count);
    CHECK_MEM_EQ(found[0]->runs, found[1]->runs, found[0]->run_count * sizeof *found[0]->runs);
    CHECK_MEM_EQ(found[0], found[1], offsetof(struct stream, runs) - 8);     /* but for call_id, dead with its call */
    CHECK(found[0]->lost > 20 && found[0]->duplicates > 10 && found[0]->codec_changes == 2);
    stream_free(found[0]);
    stream_free(found[1]);
}

TEST(silence_that_is_sent_is_counted_in_seconds_and_sound_is_not)
{
    static const struct { uint8_t type; char byte; unsigned least, most; } rows[] = {
        { 0, '\xff', 3, 4 }, { 0, '\x7f', 3, 4 }, { 8, '\xd5', 3, 4 }, { 8, '\x55', 3, 4 },
        { 0, 's', 0, 0 }, { 8, '\xff', 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct desk d;
        struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa, .type = rows[i].type };
        char payload[160];

        CHECK(desk_start(&d));
        describe(&d, d.media, true, 2, 5000, "0 8\r\n");
        memset(payload, rows[i].byte, sizeof payload);
        for (unsigned n = 0; n < 200; n++, d.now_ns += 20 * MS) {
            send_one(&d, &a, slice_of(payload, sizeof payload));
            next(&a);
        }
        call_over(&d);
        CHECK_ROW(i, stream_at(&d, 0)->silent_s >= rows[i].least && stream_at(&d, 0)->silent_s <= rows[i].most);
        desk_done(&d);
    }
}

TEST(too_few_packets_have_no_score)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };

    CHECK(desk_start(&d));
    describe(&d, d.media, true, 2, 5000, "0\r\n");
    talk(&d, &a, 49, 0);
    call_over(&d);
    CHECK_EQ(stream_at(&d, 0)->packets, 49);
    CHECK_EQ(stream_mos_milli(stream_at(&d, 0)), 0);
    CHECK_EQ(stream_at(&d, 0)->band, STREAM_NO_BAND);
    CHECK_EQ(d.call->media.mos_milli, 0);
    desk_done(&d);
}

TEST(a_live_stream_takes_no_more_than_600_bytes)
{
    CHECK(sizeof(struct media_stream) <= 600);
}

TEST(strangers_cannot_take_more_memory_than_is_allowed)
{
    struct media_settings settings = { .seed = { 3, 4 }, .memory_max_bytes = 1 << 20 };
    struct desk d = { .now_ns = T0 };
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000) };

    d.table = media_table_new(&settings, &(struct media_observer){ .ctx = &d });
    CHECK(d.table != NULL);
    for (uint32_t i = 0; i < 20000; i++) {
        a.ssrc = i;
        a.sequence = 0;
        for (unsigned k = 0; k < 5; k++) {
            send_one(&d, &a, sound);
            next(&a);
        }
        d.now_ns += MS;
        CHECK_ROW(i, media_table_memory_bytes(d.table) <= settings.memory_max_bytes + 4096);
    }
    CHECK(media_table_counts(d.table)->live_max < 4000);
    desk_done(&d);
}

TEST(a_call_that_names_addresses_without_end_is_bounded)
{
    struct desk d;
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000) };

    CHECK(desk_start(&d));
    for (unsigned i = 0; i < 500; i++)
        describe(&d, d.media, i & 1, 1 + i % 250, (uint16_t)(4000 + i), "0\r\n");
    describe(&d, d.media, true, 1, 4000, "0\r\n");
    a.dst = at(1, 4000);
    for (uint32_t i = 0; i < 1000; i++) {
        a.ssrc = i;
        send_one(&d, &a, sound);
    }
    call_over(&d);
    unsigned streams = 0;

    while (stream_at(&d, streams))
        streams++;
    CHECK(streams <= 256);
    CHECK(media_table_counts(d.table)->limited >= 744);
    CHECK_EQ(media_table_memory_bytes(d.table), 0);
    desk_done(&d);
}

TORTURE(streams_survive_any_allocation_that_fails)
{
    struct desk d = {0};
    struct flow a = { .src = at(1, 4000), .dst = at(2, 5000), .ssrc = 0xa };
    struct flow b = { .src = at(7, 4000), .dst = at(8, 5000), .ssrc = 0xb };

    CHECK_OR_GOTO(desk_start(&d), out);
    describe(&d, d.media, false, 1, 4000, "0\r\n");
    describe(&d, d.media, true, 2, 5000, "0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    talk(&d, &a, 60, 7);
    send_sr(&d, &a, 1);
    a.type = 101;
    send_one(&d, &a, SLICE("\x05\x8a\x03\x20"));
    next(&a);
    a.type = 8;
    talk(&d, &a, 60, 3);
    talk(&d, &b, 60, 0);
    call_over(&d);
    media_table_finish(d.table, d.now_ns);
    CHECK_OR_GOTO(d.orphan_count == 1, out);
    CHECK_OR_GOTO(stream_at(&d, 0) != NULL && !stream_at(&d, 0)->tables_full, out);
    CHECK_OR_GOTO(stream_at(&d, 0)->rtcp.sender_reports == 1, out);
out:
    desk_done(&d);
}
