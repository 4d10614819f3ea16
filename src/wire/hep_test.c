/* wire/hep_test.c - packets of capture agents, as they are sent and as they are forged.
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/hep.h"

#include <zlib.h>

#include "harness/test.h"

#define INVITE "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\n\r\n"
#define ARRIVAL_NS (INT64_C(1700000100) * 1000000000)

struct build {
    uint8_t bytes[70000];
    size_t  len;
};

static void put(struct build *b, const void *bytes, size_t len)
{
    if (len > sizeof b->bytes - b->len)
        FAIL("the packet built for the test is larger than its buffer");
    memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
}

/* The lowest `len` bytes of v in network order, or the other way round. */
static void put_number(struct build *b, uint64_t v, size_t len, bool little)
{
    for (size_t i = 0; i < len; i++) {
        size_t shift = 8 * (little ? i : len - 1 - i);
        uint8_t byte = shift < 64 ? (uint8_t)(v >> shift) : 0;

        put(b, &byte, 1);
    }
}

static slice built(const struct build *b) { return slice_of(b->bytes, b->len); }

/* ---- version 3 ---- */

static void hep3_begin(struct build *b)
{
    b->len = 0;
    put(b, "HEP3\0\0", 6);
}

static void hep3_end(struct build *b)
{
    b->bytes[4] = (uint8_t)(b->len >> 8);
    b->bytes[5] = (uint8_t)b->len;
}

static void chunk(struct build *b, uint16_t vendor, uint16_t type, const void *data, size_t len)
{
    put_number(b, vendor, 2, false);
    put_number(b, type, 2, false);
    put_number(b, len + 6, 2, false);
    put(b, data, len);
}

static void number_chunk(struct build *b, uint16_t type, uint64_t v, size_t len)
{
    struct build data = { .len = 0 };

    put_number(&data, v, len, false);
    chunk(b, 0, type, data.bytes, data.len);
}

static void text_chunk(struct build *b, uint16_t type, const char *text)
{
    chunk(b, 0, type, text, strlen(text));
}

static void hep3_usual(struct build *b)
{
    hep3_begin(b);
    number_chunk(b, 0x01, 2, 1);
    number_chunk(b, 0x02, 17, 1);
    number_chunk(b, 0x03, 0x0a000001, 4);
    number_chunk(b, 0x04, 0x0a000002, 4);
    number_chunk(b, 0x07, 5060, 2);
    number_chunk(b, 0x08, 5070, 2);
    number_chunk(b, 0x09, 1700000000, 4);
    number_chunk(b, 0x0a, 123456, 4);
    number_chunk(b, 0x0b, 1, 1);
    number_chunk(b, 0x0c, 2001, 4);
}

static const char *address_text(const struct address *a)
{
    static char text[2][ADDRESS_TEXT_MAX];
    static int turn;

    turn = !turn;
    (void)address_format(a, text[turn]);
    return text[turn];
}

TEST(hep3_gives_addresses_time_and_payload)
{
    struct build b;
    struct hep_packet p;

    hep3_usual(&b);
    text_chunk(&b, 0x0f, INVITE);
    hep3_end(&b);
    CHECK(hep_is(built(&b)));
    CHECK(hep_parse(built(&b), ARRIVAL_NS, &p));
    CHECK_EQ(p.version, 3);
    CHECK_EQ(p.protocol, 17);
    CHECK_EQ(address_text(&p.src), "10.0.0.1:5060");
    CHECK_EQ(address_text(&p.dst), "10.0.0.2:5070");
    CHECK(p.has_time);
    CHECK_EQ(p.time_ns, INT64_C(1700000000123456000));
    CHECK_EQ(p.payload_type, HEP_PAYLOAD_SIP);
    CHECK_EQ(p.agent, 2001);
    CHECK_EQ(p.payload, INVITE);
    CHECK(!p.compressed && !p.cut && !p.bad);
    CHECK(p.correlation.ptr == NULL && p.auth_key.ptr == NULL);
}

TEST(hep3_reads_every_chunk_of_the_list)
{
    struct build b;
    struct hep_packet p;

    hep3_begin(&b);
    number_chunk(&b, 0x01, 10, 1);
    chunk(&b, 0, 0x05, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    chunk(&b, 0, 0x06, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
    number_chunk(&b, 0x07, 5061, 2);
    number_chunk(&b, 0x0d, 30, 2);
    text_chunk(&b, 0x0e, "secret");
    text_chunk(&b, 0x11, "a84b4c76e66710");
    number_chunk(&b, 0x12, 100, 2);
    text_chunk(&b, 0x13, "edge-1");
    number_chunk(&b, 0x14, 0x020000000001, 6);
    number_chunk(&b, 0x15, 0x020000000002, 8);
    number_chunk(&b, 0x16, 0x0800, 2);
    number_chunk(&b, 0x17, 0x18, 1);
    number_chunk(&b, 0x18, 0xb8, 1);
    number_chunk(&b, 0x20, 438, 2);
    number_chunk(&b, 0x21, 93, 2);
    text_chunk(&b, 0x22, "59.3;18.0");
    number_chunk(&b, 0x23, 17, 4);
    text_chunk(&b, 0x24, "call");
    text_chunk(&b, 0x25, "{}");
    text_chunk(&b, 0x26, "a,b");
    number_chunk(&b, 0x27, 3, 2);
    number_chunk(&b, 0x28, 4, 2);
    text_chunk(&b, 0x29, "group");
    text_chunk(&b, 0x0f, "");
    hep3_end(&b);
    CHECK(hep_parse(built(&b), ARRIVAL_NS, &p));
    CHECK_EQ(address_text(&p.src), "[2001:db8::1]:5061");
    CHECK_EQ(address_text(&p.dst), "[2001:db8::2]:0");
    CHECK_EQ(p.keep_alive_s, 30);
    CHECK_EQ(p.auth_key, "secret");
    CHECK_EQ(p.correlation, "a84b4c76e66710");
    CHECK_EQ(p.vlan, 100);
    CHECK_EQ(p.agent_name, "edge-1");
    CHECK_EQ(p.mac_src, 0x020000000001);
    CHECK_EQ(p.mac_dst, 0x020000000002);
    CHECK_EQ(p.ether_type, 0x0800);
    CHECK_EQ(p.tcp_flags, 0x18);
    CHECK_EQ(p.tos, 0xb8);
    CHECK_EQ(p.mos_x100, 438);
    CHECK_EQ(p.r_factor, 93);
    CHECK_EQ(p.location, "59.3;18.0");
    CHECK_EQ(p.jitter, 17);
    CHECK_EQ(p.transaction, "call");
    CHECK_EQ(p.tags, "{}");
    CHECK_EQ(p.tag_values, "a,b");
    CHECK_EQ(p.tag_type, 3);
    CHECK_EQ(p.event_type, 4);
    CHECK_EQ(p.group, "group");
    CHECK(p.payload.ptr != NULL);
    CHECK_EQ(p.payload.len, 0);
    CHECK(!p.has_time);
    CHECK_EQ(p.time_ns, ARRIVAL_NS);
    CHECK(!p.bad);
}

TEST(chunks_of_other_vendors_and_unknown_types_mean_nothing_here)
{
    struct build b;
    struct hep_packet p;

    hep3_usual(&b);
    chunk(&b, 3, 0x0f, "not this", 8);
    chunk(&b, 0, 0x1f, "reserved", 8);
    chunk(&b, 0, 0x7777, "unknown", 7);
    text_chunk(&b, 0x0f, INVITE);
    chunk(&b, 2, 0x0f, "nor this", 8);
    hep3_end(&b);
    CHECK(hep_parse(built(&b), ARRIVAL_NS, &p));
    CHECK_EQ(p.payload, INVITE);
    CHECK(!p.bad);
}

TEST(a_chunk_too_long_for_its_meaning_is_as_if_not_there)
{
    struct build b;
    struct hep_packet p;

    hep3_begin(&b);
    number_chunk(&b, 0x07, 5060, 4);         /* wider than listed, but it fits */
    number_chunk(&b, 0x08, 70000, 4);        /* no port */
    number_chunk(&b, 0x04, 1, 3);            /* no address */
    number_chunk(&b, 0x03, 0x0a000001, 4);
    number_chunk(&b, 0x0c, 1, 9);
    chunk(&b, 0, 0x0b, "", 0);
    hep3_end(&b);
    CHECK(hep_parse(built(&b), ARRIVAL_NS, &p));
    CHECK_EQ(address_text(&p.src), "10.0.0.1:5060");
    CHECK_EQ(p.dst.family, 0);
    CHECK_EQ(p.payload_type, 0);
    CHECK_EQ(p.agent, 0);
    CHECK(p.payload.ptr == NULL);
    CHECK(!p.bad);
}

TEST(a_chunk_length_of_zero_or_beyond_the_packet_ends_the_parse)
{
    static const uint16_t lengths[] = { 0, 1, 5, 60000, UINT16_MAX };

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct build b;
        struct hep_packet p;
        size_t at;

        hep3_usual(&b);
        at = b.len;
        text_chunk(&b, 0x11, "correlation");
        text_chunk(&b, 0x0f, INVITE);
        hep3_end(&b);
        b.bytes[at + 4] = (uint8_t)(lengths[i] >> 8);
        b.bytes[at + 5] = (uint8_t)lengths[i];
        CHECK_ROW(i, hep_parse(built(&b), ARRIVAL_NS, &p));
        CHECK_ROW(i, p.bad);
        CHECK_ROW(i, p.payload.ptr == NULL && p.correlation.ptr == NULL);
        CHECK_ROW_EQ(i, p.agent, 2001);      /* what stood before it is kept */
    }
}

TEST(a_hep3_packet_cut_anywhere_is_cut_and_never_bad)
{
    struct build b;
    struct hep_packet whole;

    hep3_usual(&b);
    text_chunk(&b, 0x0f, INVITE);
    hep3_end(&b);
    CHECK(hep_parse(built(&b), ARRIVAL_NS, &whole));
    for (size_t len = 0; len < b.len; len++) {
        char *copy = malloc(len ? len : 1);
        struct hep_packet p = { .version = 77 };
        bool is;

        CHECK(copy != NULL);
        memcpy(copy, b.bytes, len);
        is = hep_parse(slice_of(copy, len), ARRIVAL_NS, &p);
        CHECK_ROW_EQ(len, is, len >= 6);
        CHECK_ROW_EQ(len, p.version, is ? 3 : 77);
        if (is) {
            CHECK_ROW(len, p.cut && !p.bad);
            CHECK_ROW(len, slice_starts(whole.payload, p.payload));
        }
        free(copy);
    }
}

TEST(bytes_behind_the_total_length_are_not_looked_at)
{
    struct build b;
    struct hep_packet p;

    hep3_usual(&b);
    hep3_end(&b);
    text_chunk(&b, 0x0f, INVITE);
    CHECK(hep_parse(built(&b), ARRIVAL_NS, &p));
    CHECK(p.payload.ptr == NULL && !p.bad && !p.cut);
}

/* ---- versions 1 and 2 ---- */

struct old {
    uint8_t version, header_len, family, protocol;
    int     time_len;
    bool    little;
};

static void old_build(struct build *b, const struct old *o, const char *payload)
{
    b->len = 0;
    put_number(b, o->version, 1, false);
    put_number(b, o->header_len, 1, false);
    put_number(b, o->family, 1, false);
    put_number(b, o->protocol, 1, false);
    put_number(b, 5060, 2, false);
    put_number(b, 5070, 2, false);
    if (o->family == 2) {
        put(b, "\x0a\0\0\1\x0a\0\0\2", 8);
    } else {
        put(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
        put(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
    }
    if (o->time_len) {
        put_number(b, 1700000000, 4, o->little);
        put_number(b, 123456, 4, o->little);
        put_number(b, 2001, 2, o->little);
        put(b, "\0\0", (size_t)o->time_len - 10);
    }
    put(b, payload, strlen(payload));
}

TEST(hep1_and_hep2_are_read_in_the_forms_that_agents_send)
{
    static const struct old rows[] = {
        { 1, 16, 2,  17, 0,  false },
        { 1, 40, 10, 6,  0,  false },
        { 2, 16, 2,  17, 12, true },         /* header length without the time */
        { 2, 28, 2,  17, 12, true },
        { 2, 26, 2,  17, 10, true },         /* no padding */
        { 2, 28, 2,  17, 12, false },
        { 2, 52, 10, 6,  12, true },
        { 2, 40, 30, 132, 12, false },       /* family as another system numbers it */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct build b;
        struct hep_packet p;
        bool six = rows[i].family != 2;

        old_build(&b, &rows[i], INVITE);
        CHECK_ROW(i, hep_is(built(&b)));
        CHECK_ROW(i, hep_parse(built(&b), ARRIVAL_NS, &p));
        CHECK_ROW_EQ(i, p.version, rows[i].version);
        CHECK_ROW_EQ(i, p.protocol, rows[i].protocol);
        CHECK_ROW_EQ(i, address_text(&p.src), six ? "[2001:db8::1]:5060" : "10.0.0.1:5060");
        CHECK_ROW_EQ(i, address_text(&p.dst), six ? "[2001:db8::2]:5070" : "10.0.0.2:5070");
        CHECK_ROW_EQ(i, p.payload, INVITE);
        CHECK_ROW_EQ(i, p.payload_type, HEP_PAYLOAD_SIP);
        CHECK_ROW_EQ(i, p.has_time, rows[i].version == 2);
        CHECK_ROW_EQ(i, p.time_ns, rows[i].version == 2 ? 1700000000123456000 : ARRIVAL_NS);
        CHECK_ROW_EQ(i, p.agent, rows[i].version == 2 ? 2001 : 0);
    }
}

TEST(what_only_resembles_hep1_or_hep2_is_not_taken_for_it)
{
    static const struct { struct old old; const char *payload; } rows[] = {
        { { 3, 16, 2, 17, 0, false }, INVITE },          /* version */
        { { 1, 17, 2, 17, 0, false }, INVITE },          /* header length */
        { { 1, 16, 10, 17, 0, false }, INVITE },         /* family and length disagree */
        { { 1, 16, 3, 17, 0, false }, INVITE },          /* family */
        { { 1, 16, 2, 50, 0, false }, INVITE },          /* protocol */
        { { 1, 16, 2, 17, 0, false }, "no SIP at all" },
        { { 1, 16, 2, 17, 0, false }, "" },
        { { 2, 28, 2, 17, 12, true }, "\x80\x01\x02" },
        { { 2, 28, 2, 17, 0, true }, "INV" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct build b;
        struct hep_packet p = { .version = 77 };

        old_build(&b, &rows[i].old, rows[i].payload);
        CHECK_ROW(i, !hep_is(built(&b)));
        CHECK_ROW(i, !hep_parse(built(&b), ARRIVAL_NS, &p));
        CHECK_ROW_EQ(i, p.version, 77);      /* untouched */
    }
    CHECK(!hep_is(SLICE("")));
    CHECK(!hep_is(SLICE(INVITE)));
    CHECK(!hep_is(SLICE("HEP3\0\5")));       /* shorter than its own head */
    CHECK(!hep_is(SLICE("HEP4\0\x40")));
}

TEST(an_old_packet_cut_anywhere_is_never_read_too_far)
{
    static const struct old o = { 2, 52, 10, 17, 12, true };
    struct build b;

    old_build(&b, &o, INVITE);
    for (size_t len = 0; len < b.len; len++) {
        char *copy = malloc(len ? len : 1);
        struct hep_packet p;

        CHECK(copy != NULL);
        memcpy(copy, b.bytes, len);
        CHECK_ROW_EQ(len, hep_parse(slice_of(copy, len), ARRIVAL_NS, &p), len >= 52 + 7);
        free(copy);
    }
}

/* ---- the compressed payload ---- */

static size_t compress_as(const char *text, size_t len, int window_bits, uint8_t *into, size_t size)
{
    z_stream z = { 0 };

    CHECK_EQ(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)len;
    z.next_out = into;
    z.avail_out = (uInt)size;
    CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflateEnd(&z), Z_OK);
    return size - z.avail_out;
}

TEST(a_compressed_payload_is_inflated_whether_gzip_or_zlib)
{
    static const int bits[] = { 15, 15 + 16, 9 };

    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        uint8_t packed[512];
        char text[512];
        struct build b;
        struct hep_packet p;
        slice got;

        hep3_usual(&b);
        chunk(&b, 0, 0x10, packed, compress_as(INVITE, strlen(INVITE), bits[i], packed, 512));
        hep3_end(&b);
        CHECK_ROW(i, hep_parse(built(&b), ARRIVAL_NS, &p));
        CHECK_ROW(i, p.compressed);
        CHECK_ROW(i, hep_inflate(p.payload, text, sizeof text, &got));
        CHECK_ROW_EQ(i, got, INVITE);
        CHECK_ROW(i, !hep_inflate(slice_head(p.payload, p.payload.len - 1), text, sizeof text, &got));
        CHECK_ROW(i, !hep_inflate(slice_skip(p.payload, 2), text, sizeof text, &got));
        CHECK_ROW(i, hep_inflate(p.payload, text, strlen(INVITE), &got));
        CHECK_ROW(i, !hep_inflate(p.payload, text, strlen(INVITE) - 1, &got));
    }
}

TEST(a_bomb_is_refused_at_the_size_of_the_buffer)
{
    size_t len = 8u << 20;
    char *zeros = calloc(1, len), text[1024];
    uint8_t *packed = malloc(65536);
    slice got = SLICE("untouched");

    CHECK(zeros && packed);
    CHECK(!hep_inflate(slice_of(packed, compress_as(zeros, len, 31, packed, 65536)), text,
                       sizeof text, &got));
    CHECK_EQ(got, "untouched");
    CHECK(!hep_inflate((slice){ 0 }, text, sizeof text, &got));
    free(zeros);
    free(packed);
}

/* ---- on a stream ---- */

TEST(hep3_on_a_stream_is_framed_by_its_total_length)
{
    struct build one, stream = { .len = 0 };
    size_t skip, len;

    hep3_usual(&one);
    text_chunk(&one, 0x0f, INVITE);
    hep3_end(&one);
    put(&stream, one.bytes, one.len);
    put(&stream, one.bytes, one.len);
    CHECK_EQ(hep_stream_next(built(&stream), &skip, &len), HEP_STREAM_PACKET);
    CHECK_EQ(skip, 0);
    CHECK_EQ(len, one.len);
    for (size_t cut = 0; cut < one.len; cut++) {
        CHECK_ROW_EQ(cut, hep_stream_next(slice_head(built(&one), cut), &skip, &len),
                     HEP_STREAM_MORE);
        CHECK_ROW_EQ(cut, skip, 0);
    }
}

TEST(hep3_on_a_stream_is_found_behind_foreign_bytes)
{
    struct build one, stream = { .len = 0 };
    size_t skip, len;
    slice noise = SLICE("middle of a packet HEP3 HHEP HEP3\0\1ab HEP3\0\x30" "ABCDEFGH");

    hep3_usual(&one);
    hep3_end(&one);
    put(&stream, noise.ptr, noise.len);
    put(&stream, one.bytes, one.len);
    CHECK_EQ(hep_stream_next(built(&stream), &skip, &len), HEP_STREAM_PACKET);
    CHECK_EQ(skip, noise.len);
    CHECK_EQ(len, one.len);
    CHECK_EQ(hep_stream_next(SLICE("GET / HTTP/1.1\r\n"), &skip, &len), HEP_STREAM_NOT_HEP);
    CHECK_EQ(skip, 16);
    CHECK_EQ(hep_stream_next(SLICE("abcHEP"), &skip, &len), HEP_STREAM_MORE);
    CHECK_EQ(skip, 3);
}
