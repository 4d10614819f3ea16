/* wire/esp_test.c - ESP without encryption is opened, with encryption it is not
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/frames.h"

enum { ESP = 50, UDP = 17, TCP = 6 };

static void frame_esp(struct frame *f, uint8_t next, size_t padding, size_t icv)
{
    uint8_t tail[300];
    size_t len = 0;

    while (len < padding)
        tail[len] = (uint8_t)(len + 1), len++;
    tail[len++] = (uint8_t)padding;
    tail[len++] = next;
    for (size_t i = 0; i < icv; i++)
        tail[len++] = (uint8_t)(0xa5 + 7 * i);
    frame_behind(f, tail, len);
    frame_hex(f, "00001234 00000007");
}

/* A TCP segment with a checksum that holds between 10.0.0.1 and 10.0.0.2. */
static void frame_tcp_checked(struct frame *f)
{
    uint32_t sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + TCP;

    frame_hex(f, "13c4 13c5 00000064 00000001 50 18 ffff 0000 0000");
    sum += (uint32_t)frame_len(f);
    for (size_t i = 0; i < frame_len(f); i++)
        sum += (uint32_t)f->room[f->at + i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    frame_u16(f->room + f->at + 16, ~sum & 0xffff);
}

TEST(null_encryption_is_seen_with_every_length_of_check_value)
{
    static const size_t icvs[] = { 0, 12, 16, 24, 32 }, paddings[] = { 0, 1, 2, 3, 14, 255 };

    for (size_t i = 0; i < ARRAY_LEN(icvs) * ARRAY_LEN(paddings); i++) {
        struct frame f;
        struct rig r;

        frame_start(&f, SIP_TEXT);
        frame_udp(&f, 5060, 5061);
        frame_esp(&f, UDP, paddings[i % 6], icvs[i / 6]);
        frame_ipv4(&f, ESP, 0);
        rig_start(&r, NULL);
        rig_frame(&r, 101, &f);
        CHECK_ROW_EQ(i, r.count, 1);
        CHECK_ROW_EQ(i, r.units[0].payload, SIP_TEXT);
        CHECK_ROW_EQ(i, (const char *)rig_address(&r.units[0].src), "10.0.0.1:5060");
        CHECK_ROW_EQ(i, wire_counts(r.wire)->esp, 1);
        CHECK_ROW_EQ(i, wire_counts(r.wire)->malformed, 0);
        rig_end(&r);
    }
}

TEST(tunnel_mode_and_udp_encapsulation_are_opened_too)
{
    struct frame f;
    struct rig r;

    rig_start(&r, NULL);
    frame_sip_ipv4(&f);
    frame_esp(&f, 4, 2, 12);
    frame_ipv4(&f, ESP, 0);
    rig_frame(&r, 101, &f);
    frame_start(&f, SIP_TEXT);
    frame_udp(&f, 5060, 5061);
    frame_ipv6(&f, UDP);
    frame_esp(&f, 41, 2, 16);
    frame_ipv6(&f, ESP);
    rig_frame(&r, 101, &f);
    frame_start(&f, SIP_TEXT);
    frame_udp(&f, 5060, 5061);
    frame_esp(&f, UDP, 2, 12);
    frame_udp(&f, 4500, 4500);
    frame_ipv4(&f, UDP, 0);
    rig_frame(&r, 101, &f);
    CHECK_EQ(r.count, 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_ROW_EQ(i, r.units[i].payload, SIP_TEXT);
        CHECK_ROW_EQ(i, r.units[i].dst.port, 5061);
        CHECK_ROW_EQ(i, r.units[i].tunnels, 1);
    }
    rig_end(&r);
}

TEST(tcp_in_esp_needs_a_checksum_that_holds_or_sip)
{
    struct frame f;
    struct rig r;

    rig_start(&r, NULL);
    frame_start(&f, slice_head(SIP_TEXT, 50));
    frame_tcp_checked(&f);
    frame_esp(&f, TCP, 2, 12);
    frame_ipv4(&f, ESP, 0);
    rig_frame(&r, 101, &f);
    CHECK_EQ(wire_counts(r.wire)->tcp, 1);
    frame_start(&f, slice_skip(SIP_TEXT, 50));             /* the rest, checksum right */
    frame_tcp_checked(&f);
    frame_u32(f.room + f.at + 4, 100 + 50);
    frame_u16(f.room + f.at + 16,
              (size_t)(f.room[f.at + 16] << 8 | f.room[f.at + 17]) - 50);
    frame_esp(&f, TCP, 2, 12);
    frame_ipv4(&f, ESP, 0);
    rig_frame(&r, 101, &f);
    CHECK_EQ(wire_counts(r.wire)->tcp, 2);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.units[0].payload, SIP_TEXT);
    CHECK_EQ(r.units[0].transport, WIRE_TCP);
    frame_start(&f, SLICE("no checksum and no SIP"));
    frame_hex(&f, "13c4 13c5 00000064 00000001 50 18 ffff 0000 0000");
    frame_esp(&f, TCP, 2, 12);
    frame_ipv4(&f, ESP, 0);
    rig_frame(&r, 101, &f);
    CHECK_EQ(wire_counts(r.wire)->tcp, 2);
    rig_end(&r);
}

TEST(what_is_encrypted_is_counted_and_never_taken_for_a_packet)
{
    struct rig r;
    uint32_t random = 1;

    rig_start(&r, NULL);
    for (int i = 0; i < 20000; i++) {
        struct frame f;
        char noise[96];

        for (size_t k = 0; k < sizeof noise; k++) {
            random = random * 1664525 + 1013904223;
            noise[k] = (char)(random >> 24);
        }
        frame_start(&f, slice_of(noise, sizeof noise));
        frame_ipv4(&f, ESP, 0);
        rig_frame(&r, 101, &f);
    }
    CHECK_EQ(wire_counts(r.wire)->esp, 20000);
    CHECK_EQ(wire_counts(r.wire)->udp + wire_counts(r.wire)->tcp, 0);
    CHECK_EQ(r.count, 0);
    rig_end(&r);
}

TEST(an_esp_packet_may_end_anywhere)
{
    struct frame f;
    struct rig r;

    frame_start(&f, SIP_TEXT);
    frame_udp(&f, 5060, 5061);
    frame_esp(&f, UDP, 2, 12);
    frame_ipv4(&f, ESP, 0);
    rig_start(&r, NULL);
    for (size_t len = 20; len < frame_len(&f); len++) {
        r.wire_len = (uint32_t)frame_len(&f);
        rig_bytes(&r, 101, slice_head(frame_bytes(&f), len));
        rig_bytes(&r, 101, slice_head(frame_bytes(&f), len));
    }
    CHECK_EQ(r.count, 0);
    rig_end(&r);
}
