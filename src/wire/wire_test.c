/* wire/wire_test.c - the door: counts, defaults, independence, the end of input
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/wire.h"

#include "harness/frames.h"

TEST(frames_and_bytes_are_counted_as_captured)
{
    struct frame f;
    struct rig r;

    frame_sip_ipv4(&f);
    frame_hex(&f, ETHERNET "0800");
    rig_start(&r, NULL);
    rig_frame(&r, 1, &f);
    r.wire_len = 2000;
    rig_frame(&r, 1, &f);
    rig_bytes(&r, 1, (slice){ "", 0 });
    CHECK_EQ(wire_counts(r.wire)->frames, 3);
    CHECK_EQ(wire_counts(r.wire)->bytes, 2 * frame_len(&f));
    CHECK_EQ(wire_counts(r.wire)->frames_cut, 1);
    CHECK_EQ(wire_counts(r.wire)->malformed, 1);           /* a frame of no bytes is none */
    CHECK_EQ(wire_counts(r.wire)->udp, 2);
    rig_end(&r);
}

TEST(the_same_packet_captured_twice_comes_twice_with_its_identification)
{
    struct frame f;
    struct rig r;

    frame_sip_ipv4(&f);
    rig_start(&r, NULL);
    rig_frame(&r, 101, &f);
    rig_frame(&r, 101, &f);
    CHECK_EQ(r.count, 2);
    CHECK_EQ(r.units[0].ip_id, r.units[1].ip_id);
    CHECK_EQ(r.units[1].frame, 2);
    rig_end(&r);
}

TEST(two_wires_know_nothing_of_each_other)
{
    struct frame f;
    struct rig one, two;

    frame_start(&f, SLICE("12345678"));
    frame_ipv4(&f, 17, 0x2000);
    rig_start(&one, NULL);
    rig_start(&two, NULL);
    rig_frame(&one, 101, &f);
    frame_start(&f, SLICE("12345678"));
    frame_ipv4(&f, 17, 1);
    rig_frame(&two, 101, &f);
    CHECK_EQ(one.count + two.count, 0);
    rig_frame(&one, 101, &f);
    CHECK_EQ(one.count, 1);
    rig_end(&one);
    rig_end(&two);
}

TEST(after_the_end_of_input_more_may_follow)
{
    struct frame f;
    struct rig r;

    rig_start(&r, NULL);
    wire_finish(r.wire);
    frame_sip_ipv4(&f);
    rig_frame(&r, 101, &f);
    wire_finish(r.wire);
    wire_finish(r.wire);
    CHECK_EQ(r.count, 1);
    rig_end(&r);
}

TEST(time_may_jump_either_way)
{
    static const int64_t times[] = { 0, INT64_MAX, INT64_MIN, -1, INT64_MAX - 1, 5 };
    struct rig r;

    rig_start(&r, NULL);
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct frame f;

        frame_start(&f, SLICE("12345678"));
        frame_ipv4(&f, 17, 0x2000);
        r.now_ns = times[i];
        rig_frame(&r, 101, &f);
        frame_start(&f, (slice){ 0 });
        frame_hex(&f, "13c4 13c5 00000064 00000001 50 10 ffff 0000 0000 41");
        frame_ipv4(&f, 6, 0);
        rig_frame(&r, 101, &f);
        frame_sip_ipv4(&f);
        rig_frame(&r, 101, &f);
        CHECK_ROW(i, r.count > i);
    }
    rig_end(&r);
}

TEST(no_wire_is_freed_quietly)
{
    CHECK(wire_free(NULL) == NULL);
}
