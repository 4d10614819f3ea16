/* capture/packets_test.c - what is written is what the reader of captures reads
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/packets.h"

#include "harness/test.h"

static struct wire_unit seen;
static char             seen_text[64];
static unsigned         seen_count;

static void on_unit(void *ctx, const struct wire_unit *u)
{
    (void)ctx;
    seen = *u;
    seen_count++;
    snprintf(seen_text, sizeof seen_text, "%.*s", (int)u->payload.len, u->payload.ptr);
}

static const uint8_t one[16] = { 127, 0, 0, 1 }, two[16] = { 127, 0, 0, 2 };

static struct wire_unit unit_of(enum wire_transport transport, bool v6, slice payload)
{
    return (struct wire_unit){ .transport = transport, .time_ns = 1795251000123456789, .frame = 7, .payload = payload,
                               .src = v6 ? address_v6(one, 5060) : address_v4(one, 5060),
                               .dst = v6 ? address_v6(two, 40000) : address_v4(two, 40000) };
}

TEST(what_is_written_is_read_as_it_was)
{
    static const struct { enum wire_transport transport; bool v6; const char *text; } rows[] = {
        { WIRE_UDP, false, "OPTIONS sip:a SIP/2.0\r\n\r\n" }, { WIRE_UDP, false, "odd" }, { WIRE_UDP, true, "even" },
        { WIRE_UDP, true, "OPTIONS sip:a SIP/2.0\r\n\r\n" },  { WIRE_TCP, false, "INVITE" }, { WIRE_WSS, true, "INVITE" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wire_unit in = unit_of(rows[i].transport, rows[i].v6, slice_of_string(rows[i].text));
        struct wire *w = wire_new(NULL, (struct hash_seed){ 1, 2 }, on_unit, NULL);
        struct wire_frame frame;
        struct out room;

        seen_count = 0;
        out_init_memory(&room, PACKETS_ROOM);
        if (w && packets_frame(&room, &in, &frame)) {
            wire_frame(w, &frame);
            CHECK_ROW_EQ(i, seen_count, 1);
            CHECK_ROW(i, address_eq(&seen.src, &in.src) && address_eq(&seen.dst, &in.dst));
            CHECK_ROW_EQ(i, seen.time_ns, in.time_ns);
            CHECK_ROW_EQ(i, seen.transport == WIRE_UDP, in.transport == WIRE_UDP);
            CHECK_STR_EQ(seen_text, rows[i].text);
            CHECK_ROW_EQ(i, wire_counts(w)->malformed, 0);
        }
        out_done(&room);
        wire_free(w);
    }
}

/* With its checksum, what a checksum covers adds up to 0xffff (RFC 1071). */
static unsigned folded_sum(slice bytes, uint32_t sum)
{
    for (size_t i = 0; i < bytes.len; i++)
        sum += (uint32_t)(uint8_t)bytes.ptr[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

TEST(checksums_are_right)
{
    static const char *const texts[] = { "", "a", "ab", "abc", "REGISTER sip:example.com SIP/2.0\r\n" };

    for (size_t i = 0; i < ARRAY_LEN(texts) * 2; i++) {
        bool v6 = i % 2;
        size_t len = strlen(texts[i / 2]), head = v6 ? 40 : 20;
        struct wire_unit in = unit_of(WIRE_UDP, v6, slice_of(texts[i / 2], len));
        struct wire_frame frame;
        struct out room;

        out_init_memory(&room, PACKETS_ROOM);
        if (packets_frame(&room, &in, &frame)) {
            slice addresses = slice_head(slice_skip(frame.bytes, v6 ? 8 : 12), v6 ? 32 : 8);

            CHECK_ROW(i, v6 || folded_sum(slice_head(frame.bytes, 20), 0) == 0xffff);
            CHECK_ROW_EQ(i, folded_sum(slice_skip(frame.bytes, head), folded_sum(addresses, 17 + 8 + (uint32_t)len)), 0xffff);
        }
        out_done(&room);
    }
}

TEST(what_no_datagram_holds_is_refused)
{
    static char large[70000];
    struct wire_unit in = unit_of(WIRE_UDP, false, slice_of(large, sizeof large));
    struct wire_frame frame;
    struct out room;

    out_init_memory(&room, PACKETS_ROOM);
    CHECK(!packets_frame(&room, &in, &frame));
    in.payload.len = 10;
    in.dst = address_v6(two, 1);
    CHECK(!packets_frame(&room, &in, &frame));
    out_done(&room);
}
