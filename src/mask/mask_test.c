/* mask/mask_test.c - frames come out in order, as long as they were, with checksums that hold
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/frames.h"
#include "mask/mask.h"
#include "wire/bytes.h"

#define INVITE(number) "INVITE sip:" number "@pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.7\r\n" \
                       "From: <sip:bobby@pbx.example>;tag=1\r\nTo: <sip:" number "@pbx.example>\r\n"    \
                       "Call-ID: 1@203.0.113.7\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
#define NUMBER "4930123456"

static struct {
    struct mask *mask;
    uint8_t      bytes[32][4096];
    size_t       len[32];
    uint64_t     number[32];
    size_t       count;
    int64_t      now_ns;
    uint64_t     frames;
} rig;

static void on_frame(void *ctx, const struct wire_frame *f)
{
    (void)ctx;
    CHECK(rig.count < 32 && f->bytes.len <= sizeof rig.bytes[0]);
    memcpy(rig.bytes[rig.count], f->bytes.ptr, f->bytes.len);
    rig.number[rig.count] = f->number;
    rig.len[rig.count++] = f->bytes.len;
}

static bool begin(bool keep_unknown)
{
    struct mask_settings settings = { .key = mask_key_of_text(SLICE("k")), .keep_unknown = keep_unknown };

    memset(&rig, 0, sizeof rig);
    rig.now_ns = 1000000000;
    rig.mask = mask_new(&settings, on_frame, NULL);
    return rig.mask != NULL;
}

static bool feed(const struct frame *f)
{
    struct wire_frame frame = { .time_ns = rig.now_ns, .number = ++rig.frames, .link_type = 1,
                                .wire_len = (uint32_t)frame_len(f), .bytes = frame_bytes(f) };

    rig.now_ns += 1000000;
    return mask_frame(rig.mask, &frame);
}

static void end(void) { rig.mask = mask_free(rig.mask); }

static bool holds(size_t i, const char *text)
{
    return slice_find(slice_of(rig.bytes[i], rig.len[i]), slice_of_string(text)) >= 0;
}

static uint16_t sum_over(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* Puts a right checksum into a transport head in IPv4, or asks for it. */
static uint16_t upper_sum(const uint8_t *ip, size_t total)
{
    return sum_over(ip + 12, total - 12, ip[9] + (uint32_t)total - 20);
}
static void set_sums(struct frame *f, size_t check)
{
    uint8_t *ip = f->room + f->at;
    size_t total = frame_len(f);
    uint16_t sum;

    ip[10] = ip[11] = 0;
    frame_u16(ip + 10, (uint16_t)~sum_over(ip, 20, 0));
    frame_u16(ip + 20 + check, 0);
    sum = (uint16_t)~upper_sum(ip, total);
    frame_u16(ip + 20 + check, sum);
}

static void udp_frame(struct frame *f, slice payload)
{
    frame_start(f, payload);
    frame_udp(f, 5060, 5060);
    frame_ipv4(f, 17, 0);
    set_sums(f, 6);
    frame_hex(f, ETHERNET "0800");
}

static void tcp_frame(struct frame *f, slice payload, uint32_t seq)
{
    uint8_t head[20] = { 0x13, 0xc4, 0x13, 0xc5, [12] = 0x50, 0x18 };

    frame_start(f, payload);
    frame_u32(head + 4, seq);
    frame_before(f, head, 20);
    frame_ipv4(f, 6, 0);
    set_sums(f, 16);
    frame_hex(f, ETHERNET "0800");
}

static bool sums_hold(size_t i)
{
    const uint8_t *ip = rig.bytes[i] + 14;

    return sum_over(ip, 20, 0) == 0xffff && upper_sum(ip, rig.len[i] - 14) == 0xffff;
}

TORTURE(a_datagram_is_masked_and_its_checksums_hold)
{
    struct frame *f = malloc(sizeof *f);

    CHECK_OR_GOTO(f && begin(false), out);
    udp_frame(f, SLICE(INVITE(NUMBER)));
    CHECK_OR_GOTO(feed(f), out);
    mask_finish(rig.mask);
    CHECK_EQ(rig.count, 1);
    CHECK_EQ(rig.len[0], frame_len(f));
    CHECK(!holds(0, NUMBER) && !holds(0, "bobby") && !holds(0, "203.0.113.7"));
    CHECK(holds(0, "INVITE sip:") && holds(0, "CSeq: 1 INVITE"));
    CHECK(memcmp(rig.bytes[0] + 26, "\x0a\x00\x00\x01", 4) != 0 && rig.bytes[0][26] == 10);
    CHECK(memcmp(rig.bytes[0], f->room + f->at, 12) != 0);
    CHECK(sums_hold(0));
out:
    end();
    free(f);
}

TEST(a_checksum_that_was_wrong_stays_wrong_and_none_stays_none)
{
    struct frame *f = malloc(sizeof *f);

    CHECK(f && begin(false));
    udp_frame(f, SLICE(INVITE(NUMBER)));
    f->room[f->at + 40] ^= 0x55;
    CHECK(feed(f));
    udp_frame(f, SLICE(INVITE(NUMBER)));
    f->room[f->at + 40] = f->room[f->at + 41] = 0;
    CHECK(feed(f));
    CHECK_EQ(rig.count, 2);
    CHECK(!sums_hold(0));
    CHECK_EQ(wire_get_u16(slice_of(rig.bytes[1], rig.len[1]), 40), 0);
    end();
    free(f);
}

TORTURE(a_number_over_two_segments_is_masked_as_in_one)
{
    struct frame *f = malloc(sizeof *f);
    slice text = SLICE(INVITE(NUMBER));
    size_t cut = (size_t)slice_find(text, SLICE("3456@"));

    CHECK_OR_GOTO(f && begin(false), out);
    udp_frame(f, text);
    CHECK_OR_GOTO(feed(f), out);
    tcp_frame(f, slice_head(text, cut), 1000);
    CHECK_OR_GOTO(feed(f), out);
    CHECK_EQ(rig.count, 1);               /* it waits */
    udp_frame(f, text);
    CHECK_OR_GOTO(feed(f), out);
    CHECK_EQ(rig.count, 1);               /* and with it what is behind it */
    tcp_frame(f, slice_skip(text, cut), 1000 + (uint32_t)cut);
    CHECK_OR_GOTO(feed(f), out);
    CHECK_EQ(rig.count, 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_ROW_EQ(i, rig.number[i], i + 1);
        CHECK_ROW(i, sums_hold(i));
    }
    CHECK_MEM_EQ(rig.bytes[1] + 54, rig.bytes[0] + 42, cut);
    CHECK_MEM_EQ(rig.bytes[3] + 54, rig.bytes[0] + 42 + cut, text.len - cut);
out:
    end();
    free(f);
}

TEST(segments_out_of_order_and_repeated_are_masked_alike)
{
    struct frame *f = malloc(sizeof *f);
    slice text = SLICE(INVITE(NUMBER));

    CHECK(f && begin(false));
    tcp_frame(f, slice_head(text, 20), 1000);
    CHECK(feed(f));
    tcp_frame(f, slice_skip(text, 60), 1060);
    CHECK(feed(f));
    tcp_frame(f, slice_head(slice_skip(text, 20), 40), 1020);
    CHECK(feed(f));
    tcp_frame(f, slice_head(slice_skip(text, 10), 30), 1010);
    CHECK(feed(f));
    CHECK_EQ(rig.count, 4);
    CHECK_MEM_EQ(rig.bytes[3] + 54, rig.bytes[0] + 54 + 10, 10);
    CHECK_MEM_EQ(rig.bytes[3] + 64, rig.bytes[2] + 54, 20);
    for (size_t i = 0; i < 4; i++)
        CHECK_ROW(i, sums_hold(i) && !holds(i, NUMBER) && !holds(i, "bobby"));
    end();
    free(f);
}

TEST(a_message_that_never_was_whole_is_masked_as_far_as_it_came)
{
    struct frame *f = malloc(sizeof *f);
    slice text = SLICE(INVITE(NUMBER));

    CHECK(f && begin(false));
    tcp_frame(f, slice_head(text, text.len - 30), 1000);
    CHECK(feed(f));
    CHECK_EQ(rig.count, 0);
    mask_finish(rig.mask);
    CHECK_EQ(rig.count, 1);
    CHECK(!holds(0, NUMBER) && !holds(0, "bobby") && !holds(0, "203.0.113.7") && holds(0, "INVITE sip:"));
    end();
    free(f);
}

TORTURE(fragments_are_masked_as_one_datagram)
{
    struct frame *f = malloc(sizeof *f), *whole = malloc(sizeof *whole);
    slice text = SLICE(INVITE(NUMBER));

    CHECK_OR_GOTO(f && whole && begin(false), out);
    frame_start(whole, text);
    frame_udp(whole, 5060, 5060);
    slice udp = frame_bytes(whole);

    frame_start(f, slice_skip(udp, 48));
    frame_ipv4(f, 17, 6);
    frame_hex(f, ETHERNET "0800");
    CHECK_OR_GOTO(feed(f), out);
    CHECK_EQ(rig.count, 0);
    frame_start(f, slice_head(udp, 48));
    frame_ipv4(f, 17, 0x2000);
    frame_hex(f, ETHERNET "0800");
    CHECK_OR_GOTO(feed(f), out);
    udp_frame(f, text);
    CHECK_OR_GOTO(feed(f), out);
    CHECK_EQ(rig.count, 3);
    CHECK_MEM_EQ(rig.bytes[1] + 42, rig.bytes[2] + 42, 40);
    CHECK_MEM_EQ(rig.bytes[0] + 34, rig.bytes[2] + 82, text.len - 40);
out:
    end();
    free(f);
    free(whole);
}

/* Its two bytes fill the room that the text has, to the last. */
TEST(an_empty_websocket_frame_may_be_the_last_of_the_text)
{
    static const char head[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Protocol: sip\r\nCookie: bobby";
    struct frame *f = malloc(sizeof *f);
    char text[2046];

    CHECK(f && begin(false));
    memset(text, '1', sizeof text);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof text - 4, "\r\n\r\n", 4);
    tcp_frame(f, slice_of(text, sizeof text), 1000);
    CHECK(feed(f));
    tcp_frame(f, slice_of("\x8a\x00", 2), 1000 + sizeof text);
    CHECK(feed(f));
    CHECK_EQ(rig.count, 2);
    CHECK(holds(0, "Upgrade: websocket\r\n") && !holds(0, "bobby"));
    CHECK_MEM_EQ(rig.bytes[1] + 54, "\x8a\x00", 2);
    end();
    free(f);
}

TEST(what_a_hep_agent_adds_of_its_own_is_blanked)
{
    struct frame *f = malloc(sizeof *f);
    static const char hep[] = "HEP3\x00\x46\x00\x00\x00\x01\x00\x07\x02\x00\x00\x00\x02\x00\x07\x11"
                              "\x00\x00\x00\x03\x00\x0a\xcb\x00\x71\x07\x00\x00\x00\x04\x00\x0a\xcb\x00\x71\x08"
                              "\x00\x00\x00\x30\x00\x0f" "bobby 493" "\x00\x00\x00\x0b\x00\x07\x01";

    CHECK(f && begin(false));
    udp_frame(f, slice_of(hep, sizeof hep - 1));
    f->room[f->at + 42 + 5] = (uint8_t)(sizeof hep - 1);
    CHECK(feed(f));
    mask_finish(rig.mask);
    CHECK_EQ(rig.count, 1);
    CHECK(!holds(0, "bobby") && !holds(0, "493") && holds(0, "HEP3"));
    end();
    free(f);
}

TEST(sound_becomes_a_hush_and_keys_become_zero)
{
    struct frame *f = malloc(sizeof *f);
    static const uint8_t sound[] = { 0x80, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 9, 8, 7, 6 };
    static const uint8_t key[] = { 0x80, 101, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4, 7, 0x8a, 3, 0x20 };

    CHECK(f && begin(false));
    udp_frame(f, slice_of(sound, sizeof sound));
    CHECK(feed(f));
    udp_frame(f, slice_of(key, sizeof key));
    CHECK(feed(f));
    CHECK_EQ(rig.count, 2);
    CHECK_MEM_EQ(rig.bytes[0] + 42, sound, 12);
    CHECK_MEM_EQ(rig.bytes[0] + 54, "\xfa\xfa\xfa\xfa", 4);
    CHECK_MEM_EQ(rig.bytes[1] + 54, "\x00\x8a\x03\x20", 4);
    CHECK(sums_hold(0) && sums_hold(1));
    CHECK_EQ(mask_counts(rig.mask)->media, 2);
    end();
    free(f);
}

TEST(what_is_not_understood_is_dropped_unless_it_is_wished)
{
    struct frame *f = malloc(sizeof *f);

    CHECK(f != NULL);
    for (int keep = 0; keep < 2; keep++) {
        CHECK(begin(keep));
        udp_frame(f, SLICE("something from bobby"));
        CHECK(feed(f));
        tcp_frame(f, SLICE("\x16\x03\x01\x02\x00\x01 a hello"), 5);
        CHECK(feed(f));
        frame_start(f, SLICE("who has"));
        frame_hex(f, ETHERNET "0806");
        CHECK(feed(f));
        mask_finish(rig.mask);
        const struct mask_counts *c = mask_counts(rig.mask);

        CHECK_EQ(rig.count, keep ? 3 : 0);
        CHECK_EQ(c->kept_unknown, keep ? 3 : 0);
        CHECK_EQ(c->dropped[MASK_UNKNOWN], !keep);
        CHECK_EQ(c->dropped[MASK_ENCRYPTED], !keep);
        CHECK_EQ(c->dropped[MASK_NOT_IP], !keep);
        CHECK_EQ(c->frames, 3);
        if (keep)
            CHECK(holds(0, "bobby") && rig.bytes[0][26] == 10 && rig.bytes[0][29] != 1);
        end();
    }
    free(f);
}

/* All at one time: what is kept for a repeat of a fragment is bounded without a clock, too. */
TEST(many_datagrams_in_fragments_at_once_are_all_written)
{
    struct frame *f = malloc(sizeof *f), *whole = malloc(sizeof *whole);
    slice text = SLICE(INVITE(NUMBER));

    CHECK(f && whole && begin(false));
    frame_start(whole, text);
    frame_udp(whole, 5060, 5060);
    slice udp = frame_bytes(whole);

    for (uint16_t id = 0; id < 3000; id++) {
        for (int last = 0; last < 2; last++) {
            frame_start(f, last ? slice_skip(udp, 48) : slice_head(udp, 48));
            frame_ipv4(f, 17, last ? 6 : 0x2000);
            frame_u16(f->room + f->at + 4, id);
            frame_hex(f, ETHERNET "0800");
            rig.now_ns = 1000000000;
            CHECK(feed(f));
        }
        CHECK_ROW_EQ(id, rig.count, 2);
        CHECK_ROW(id, !holds(0, NUMBER) && !holds(1, "bobby"));
        rig.count = 0;
    }
    CHECK_EQ(mask_counts(rig.mask)->written, 6000);
    end();
    free(f);
    free(whole);
}

TEST(what_the_link_added_is_blanked)
{
    struct frame *f = malloc(sizeof *f);

    CHECK(f && begin(false));
    udp_frame(f, SLICE(INVITE(NUMBER)));
    frame_behind(f, "bobby", 5);
    CHECK(feed(f));
    CHECK_EQ(rig.count, 1);
    CHECK(!holds(0, "bobby") && rig.bytes[0][rig.len[0] - 1] == 0);
    end();
    free(f);
}

TEST(a_quoted_message_in_icmp_is_masked)
{
    struct frame *f = malloc(sizeof *f);

    CHECK(f && begin(false));
    frame_start(f, SLICE(INVITE(NUMBER)));
    frame_udp(f, 5060, 5060);
    frame_ipv4(f, 17, 0);
    f->end -= 40;                         /* quotes are cut */
    frame_hex(f, "0303000000000000");
    frame_ipv4(f, 1, 0);
    frame_hex(f, ETHERNET "0800");
    CHECK(feed(f));
    CHECK_EQ(rig.count, 1);
    CHECK(!holds(0, NUMBER) && !holds(0, "bobby") && holds(0, "INVITE sip:"));
    CHECK(memcmp(rig.bytes[0] + 54, rig.bytes[0] + 26, 8) == 0);
    end();
    free(f);
}
