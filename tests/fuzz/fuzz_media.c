/* tests/fuzz/fuzz_media.c - packets, session descriptions and ends of calls in any order, at any time
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every twelve bytes of the input are one step: what it is, whose, how long after the one before,
 * and numbers. Small limits, so that they are reached. Whatever comes: streams are told once, their
 * counts add up, no score is above its ceiling, and at the end no memory is held. */
#include <stdio.h>

#include "fuzz/inside.h"
#include "media/emodel.h"
#include "media/table.h"

#define STEP 12
#define STEPS_MAX 3000
#define CALLS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rig {
    struct media_table *table;
    struct call       *calls[CALLS];
    struct media_call *media[CALLS];
    int64_t  now_ns;
    uint64_t orphans;
    uint16_t next[16];
    uint32_t timestamp[16];
};

static void check_stream(const struct stream *s)
{
    uint32_t seconds = 0;

    MUST(s->packets > 0);
    MUST(s->reordered <= s->packets && s->early_packets <= s->packets);
    MUST(s->first_ns <= s->last_ns);
    MUST(stream_loss_milli(s) <= 100000);
    MUST(s->type_count <= STREAM_TYPES_MAX && s->type_count > 0);
    MUST(s->dtmf[STREAM_DTMF_MAX - 1] == '\0' && s->codec[STREAM_CODEC_MAX - 1] == '\0');
    for (unsigned i = 0; i < STREAM_BUFFERS; i++)
        MUST(s->buffers[i].mos_milli <= emodel_mos_max((enum stream_band)s->band) * 1000 + 1 &&
             s->buffers[i].discarded <= s->packets);
    MUST(s->mos_lq_milli >= stream_mos_milli(s));
    MUST(s->worst_mos_milli <= stream_mos_milli(s) || stream_mos_milli(s) == 0);
    MUST(s->burst_loss_milli <= 100000 && s->gap_loss_milli <= 100000 && s->burst_r_milli >= 1000);
    MUST(s->jitter_mean_us <= s->jitter_max_us);
    MUST(s->hop > 0 && s->rtcp.fraction_max_milli <= 100000);
    for (unsigned i = 0; i < s->run_count; i++)
        seconds += s->runs[i].seconds;
    MUST(s->run_count == 0 || seconds > 0);
}

static bool on_orphan(void *ctx, struct stream *s)
{
    ((struct rig *)ctx)->orphans++;
    check_stream(s);
    MUST(s->call == 0 && s->bound == STREAM_ORPHAN);
    return false;
}

static void call_end(struct rig *r, unsigned n, bool at_end)
{
    uint64_t packets = 0, summed;

    if (!r->calls[n])
        return;
    if (r->media[n])
        media_call_close(r->table, r->media[n], at_end);
    for (struct list *l = r->calls[n]->streams.next; l != &r->calls[n]->streams; l = l->next) {
        const struct stream *s = list_item(l, struct stream, in_list);

        check_stream(s);
        packets += s->hop == 1 ? s->packets : 0;
    }
    summed = r->calls[n]->media.to_callee.packets + r->calls[n]->media.to_caller.packets +
             r->calls[n]->media.other_packets;
    MUST(packets == summed);
    call_free(r->calls[n]);
    r->calls[n] = NULL;
    r->media[n] = NULL;
}

static void call_begin(struct rig *r, unsigned n)
{
    if (r->calls[n] || !(r->calls[n] = call_new()))
        return;
    r->calls[n]->index = n + 1;
    r->media[n] = media_call_open(r->table, r->calls[n]);
}

static const char *const formats[] = {
    "0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n", "96\r\na=rtpmap:96 opus/48000/2\r\n", "18\r\na=ptime:40\r\n",
    "96 97\r\na=rtpmap:96 AMR-WB/16000\r\na=rtpmap:97 own/0\r\na=sendonly\r\n", "",
    "0\r\na=candidate:1 1 UDP 1 10.0.0.3 4000 typ host\r\na=rtcp:4001\r\n", "9 13\r\na=rtcp-mux\r\n",
    "0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
};

static void describe(struct rig *r, unsigned n, const uint8_t *b)
{
    char text[512];
    struct sdp sdp;

    call_begin(r, n);
    snprintf(text, sizeof text, "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 %s.%u\r\nt=0 0\r\nm=%s %u RTP/AVP %s",
             b[6] & 8 ? "0.0.0" : "10.0.0", b[6] & 8 ? 0u : b[6] & 3u, b[7] & 1 ? "audio" : b[7] & 2 ? "video" : "image",
             4000u + (b[8] & 3u), formats[b[9] & 7]);
    if (r->media[n] && sdp_parse(slice_of_string(text), &sdp))
        media_call_describe(r->table, r->media[n],
                            &(struct media_description){ &sdp, r->now_ns, b[7] & 4 });
}

static struct wire_unit unit_of(const struct rig *r, const uint8_t *b, const uint8_t *bytes, size_t len)
{
    uint8_t src[16] = { 10, 0, 0, b[2] & 3 }, dst[16] = { 10, 0, 0, b[2] >> 2 & 3 };
    bool six = b[2] & 0x80;

    return (struct wire_unit){
        .kind = WIRE_DATAGRAM, .time_ns = r->now_ns, .frame = (uint64_t)r->now_ns,
        .src = six ? address_v6(src, 4000) : address_v4(src, (uint16_t)(4000 + (b[3] & 3))),
        .dst = six ? address_v6(dst, 4000) : address_v4(dst, (uint16_t)(4000 + (b[3] >> 2 & 3))),
        .payload = slice_of(bytes, len), .ip_id = b[3] & 0x40 ? 0 : (uint32_t)r->now_ns / 1000 & 0xffff,
        .ttl = b[3] & 0x80 ? 63 : 64, .cut = b[2] & 0x40,
    };
}

static void packet(struct rig *r, const uint8_t *b)
{
    unsigned who = b[4] & 15;
    uint8_t p[64] = { (uint8_t)(0x80 | (b[5] & 0x30)), b[6] };
    uint16_t number = (uint16_t)(b[7] & 0x80 ? b[8] << 8 | b[9] : r->next[who] + (b[7] & 0x40 ? b[8] : 0) - (b[7] & 0x20 ? b[9] & 63 : 0));
    uint32_t timestamp = r->timestamp[who] + (b[7] & 0x10 ? (uint32_t)b[10] << (b[11] & 31) : 160);
    size_t len = 12 + (b[5] & 15 ? b[5] & 31 : 4);

    p[2] = (uint8_t)(number >> 8), p[3] = (uint8_t)number;
    for (int i = 0; i < 4; i++)
        p[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
    p[11] = (uint8_t)who;
    memcpy(p + 12, b, STEP);
    r->next[who] = (uint16_t)(number + 1);
    r->timestamp[who] = timestamp;
    struct wire_unit u = unit_of(r, b, p, len);

    if (!media_table_known(r->table, &u))
        (void)media_table_packet(r->table, &u);
}

static void report(struct rig *r, const uint8_t *b)
{
    uint8_t p[64] = { (uint8_t)(0x80 | (b[5] & 3)), (uint8_t)(200 + (b[4] >> 4 & 7)), 0, (uint8_t)(b[5] >> 4) };

    p[7] = b[4] & 15;
    for (unsigned i = 8; i < sizeof p; i++)
        p[i] = b[(i * 7 + b[11]) % STEP];
    struct wire_unit u = unit_of(r, b, p, sizeof p);

    (void)media_table_packet(r->table, &u);
}

static void state_of_call(struct rig *r, unsigned n, const uint8_t *b)
{
    struct call *c = r->calls[n];

    if (!c)
        return;
    if (b[6] & 1 && !c->answered_ns)
        c->answered_ns = r->now_ns;
    if (b[6] & 2)
        c->bye_ns = c->ended_ns = r->now_ns;
    c->on_hold = b[6] & 4;
    if (r->media[n])
        (void)media_call_last_ns(r->media[n]), (void)media_call_is_sparse(r->media[n]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct media_settings settings = { .seed = { 1, 2 }, .memory_max_bytes = 24000,
                                       .orphan_age_ns = 3000000000 };
    struct rig r = { .now_ns = 1700000000000000000 };
    struct media_observer observer = { .ctx = &r, .stream_closed = on_orphan };

    r.table = media_table_new(&settings, &observer);
    for (unsigned step = 0; r.table && size >= STEP && step < STEPS_MAX; step++, data += STEP, size -= STEP) {
        unsigned n = data[0] >> 4 & (CALLS - 1);

        r.now_ns += (data[1] & 0x80 ? -(data[1] & 7) : data[1] & 15) * (INT64_C(1) << (data[1] & 0x40 ? 31 : 21));
        switch (data[0] & 7) {
        case 0:  describe(&r, n, data); break;
        case 1:  data[0] & 0x80 ? call_end(&r, n, false) : state_of_call(&r, n, data); break;
        case 2:  report(&r, data); break;
        default: packet(&r, data);
        }
        MUST(media_table_memory_bytes(r.table) <= settings.memory_max_bytes + 100000);
    }
    for (unsigned n = 0; n < CALLS; n++)
        call_end(&r, n, true);
    if (r.table) {
        media_table_finish(r.table, r.now_ns);
        MUST(media_table_memory_bytes(r.table) == 0);
    }
    media_table_free(r.table);
    return 0;
}
