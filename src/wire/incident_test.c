/* wire/incident_test.c - what the network refused is told, and nothing else
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/incident.h"

#include "harness/frames.h"
#include "wire/tcp.h"

struct told {
    size_t count;
    struct wire_incident last;
};

static void on_incident(void *ctx, const struct wire_incident *incident)
{
    struct told *told = ctx;

    told->count++;
    told->last = *incident;
}

static void start(struct rig *r, struct told *told)
{
    rig_start(r, NULL);
    *told = (struct told){0};
    wire_on_incident(r->wire, on_incident, told);
}

static const struct { const char *what, *head; unsigned kind, code; bool told; } icmp[] = {
    { "port closed", "0303 0000 00000000", WIRE_ICMP_PORT_CLOSED, 3, true },
    { "host unreachable", "0301 0000 00000000", WIRE_ICMP_UNREACHABLE, 1, true },
    { "forbidden", "030d 0000 00000000", WIRE_ICMP_UNREACHABLE, 13, true },
    { "too big", "0304 0000 000005dc", WIRE_ICMP_TOO_BIG, 4, true },
    { "time exceeded", "0b00 0000 00000000", WIRE_ICMP_EXPIRED, 0, true },
    { "fragments late", "0b01 0000 00000000", WIRE_ICMP_TOO_BIG, 1, true },
    { "ping", "0800 0000 00000000", 0, 0, false },
    { "redirect", "0501 0000 0a000001", 0, 0, false },
};

TEST(an_icmp_error_tells_whose_packet_failed_and_why)
{
    for (size_t i = 0; i < ARRAY_LEN(icmp); i++) {
        struct told told;
        struct frame f;
        struct rig r;

        frame_sip_ipv4(&f);                               /* the packet that is quoted */
        frame_hex(&f, icmp[i].head);
        frame_ipv4(&f, 1, 0);
        start(&r, &told);
        rig_frame(&r, 101, &f);
        CHECK_ROW_EQ(i, told.count, icmp[i].told);
        if (icmp[i].told) {
            CHECK_ROW_EQ(i, told.last.kind, icmp[i].kind);
            CHECK_ROW_EQ(i, told.last.code, icmp[i].code);
            CHECK_ROW_EQ(i, told.last.transport, WIRE_UDP);
            CHECK_ROW_EQ(i, told.last.dst.family, 4);
            CHECK_ROW(i, told.last.dst.port != 0);
        }
        rig_end(&r);
    }
}

TEST(a_quote_cut_anywhere_is_no_fault_of_ours)
{
    struct told told;
    struct frame f;
    struct rig r;

    frame_sip_ipv4(&f);
    frame_hex(&f, "0303 0000 00000000");
    for (size_t len = 0; len <= 36; len++) {
        struct frame cut;

        frame_start(&cut, slice_head(frame_bytes(&f), len));
        frame_ipv4(&cut, 1, 0);
        start(&r, &told);
        rig_frame(&r, 101, &cut);
        CHECK_ROW_EQ(len, told.count, len >= 28);         /* eight bytes and the quoted IP head */
        CHECK_ROW_EQ(len, told.last.dst.port != 0, len >= 32);
        rig_end(&r);
    }
}

/* ---- TCP and TLS: A is 10.0.0.1:5060, B is 10.0.0.2:5061 ---- */

static void segment(struct rig *r, bool from_b, int64_t at_ms, uint32_t seq, uint8_t flags, slice text)
{
    struct frame f;
    uint8_t h[20] = { [12] = 0x50, [13] = flags };

    frame_start(&f, text);
    frame_u16(h, from_b ? 5061 : 5060);
    frame_u16(h + 2, from_b ? 5060 : 5061);
    frame_u32(h + 4, seq);
    frame_before(&f, h, sizeof h);
    frame_ipv4(&f, 6, 0);
    if (from_b) {
        f.room[f.at + 15] = 2;
        f.room[f.at + 19] = 1;
    }
    r->now_ns = at_ms * 1000000;
    rig_frame(r, 101, &f);
}

TEST(a_reset_in_reply_to_a_syn_is_a_refusal)
{
    struct told told;
    struct rig r;

    start(&r, &told);
    segment(&r, false, 0, 100, TCP_SYN, (slice){0});
    segment(&r, true, 1, 0, TCP_RST | TCP_ACK, (slice){0});
    CHECK_EQ(told.count, 1);
    CHECK_EQ(told.last.kind, WIRE_TCP_REFUSED);
    CHECK_EQ(told.last.dst.port, 5061);
    rig_end(&r);
}

TEST(a_syn_sent_again_has_no_answer_but_a_copy_of_it_is_nothing)
{
    struct told told;
    struct rig r;

    start(&r, &told);
    segment(&r, false, 0, 100, TCP_SYN, (slice){0});
    segment(&r, false, 1, 100, TCP_SYN, (slice){0});
    CHECK_EQ(told.count, 0);
    segment(&r, false, 1000, 100, TCP_SYN, (slice){0});
    CHECK_EQ(told.count, 1);
    CHECK_EQ(told.last.kind, WIRE_TCP_NO_ANSWER);
    rig_end(&r);
}

TEST(a_fatal_alert_in_the_clear_is_told_by_name)
{
    struct told told;
    struct rig r;

    start(&r, &told);
    segment(&r, false, 0, 1, TCP_ACK, SLICE("\x16\x03\x01\x00\x05hello"));
    segment(&r, true, 5, 1, TCP_ACK, SLICE("\x15\x03\x03\x00\x02\x02\x30"));
    CHECK_EQ(told.count, 1);
    CHECK_EQ(told.last.kind, WIRE_TLS_ALERT);
    CHECK_EQ(wire_tls_alert_name(told.last.code), "unknown_ca");
    segment(&r, false, 6, 11, TCP_ACK, SLICE("\x15\x03\x03\x00\x02\x01\x00"));       /* close_notify */
    segment(&r, false, 7, 18, TCP_ACK, SLICE("\x15\x03\x03\x00\x1a\x02\x30secret")); /* encrypted */
    CHECK_EQ(told.count, 1);
    rig_end(&r);
}
