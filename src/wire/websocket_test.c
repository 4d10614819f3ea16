/* wire/websocket_test.c - upgrades, frames, fragments, masks, compression and holes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/websocket.h"

#include <zlib.h>

#include "harness/test.h"

#define INVITE "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid\r\n\r\n"
#define OK200 "SIP/2.0 200 OK\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid\r\nCSeq: 1 INVITE\r\n\r\n"

enum { FIN = 0x80, RSV1 = 0x40, MASKED = 1, CONTINUE = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9 };

/* ---- streams built in memory ---- */

struct build {
    uint8_t *bytes;
    size_t   len, size;
};

static void put(struct build *b, const void *bytes, size_t len)
{
    if (b->len + len > b->size) {
        b->size = (b->len + len) * 2;
        b->bytes = realloc(b->bytes, b->size);
        CHECK(b->bytes != NULL);
    }
    if (len)
        memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
}

static void put_u8(struct build *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;

    put(b, &byte, 1);
}

static void frame(struct build *b, unsigned first, bool masked, const void *payload, size_t len)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    unsigned bit = masked ? 0x80 : 0;

    put_u8(b, first);
    if (len < 126) {
        put_u8(b, bit | (unsigned)len);
    } else if (len < 65536) {
        put_u8(b, bit | 126);
        put_u8(b, (unsigned)(len >> 8));
        put_u8(b, (unsigned)len);
    } else {
        put_u8(b, bit | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            put_u8(b, (unsigned)((uint64_t)len >> shift));
    }
    if (masked)
        put(b, mask, 4);
    for (size_t i = 0; i < len; i++)
        put_u8(b, ((const uint8_t *)payload)[i] ^ (masked ? mask[i & 3] : 0u));
}

static void text_frame(struct build *b, unsigned first, bool masked, const char *text)
{
    frame(b, first, masked, text, strlen(text));
}

static slice built(const struct build *b) { return slice_of(b->bytes, b->len); }

static void build_done(struct build *b) { free(b->bytes); }

/* ---- what comes out ---- */

struct seen {
    char text[8][512];
    int  messages, lost, closed;
    size_t last_len;
};

static void see_message(struct seen *seen, slice message)
{
    CHECK(seen->messages < 8);
    (void)snprintf(seen->text[seen->messages++], 512, "%.*s",
                   (int)(message.len < 511 ? message.len : 511), message.ptr ? message.ptr : "");
    seen->last_len = message.len;
}

/* Everything that can be taken; what is left over stays in *bytes. */
static void take_all(struct websocket *w, slice *bytes, struct seen *seen)
{
    enum websocket_event got;
    slice message;

    while ((got = websocket_take(w, bytes, &message)) != WEBSOCKET_MORE) {
        if (got == WEBSOCKET_MESSAGE)
            see_message(seen, message);
        seen->lost += got == WEBSOCKET_LOST;
        seen->closed += got == WEBSOCKET_CLOSED;
    }
    CHECK(bytes->len < WEBSOCKET_LEFT_MAX);
}

/* In pieces of `piece` bytes, each from a heap block of exactly its size. */
static void feed(struct websocket *w, slice stream, size_t piece, struct seen *seen)
{
    char *block = NULL;
    size_t left = 0;

    while (stream.len) {
        slice next = slice_head(stream, piece), bytes;
        char *larger = malloc(left + next.len);

        CHECK(larger != NULL);
        if (left)
            memcpy(larger, block, left);
        memcpy(larger + left, next.ptr, next.len);
        bytes = slice_of(larger, left + next.len);
        take_all(w, &bytes, seen);
        free(block);
        left = bytes.len;
        block = malloc(left + 1);
        CHECK(block != NULL);
        if (left)
            memcpy(block, bytes.ptr, left);
        free(larger);
        stream = slice_skip(stream, piece);
    }
    free(block);
}

static struct seen see(const struct build *b, size_t piece)
{
    struct seen seen = { .messages = 0 };
    struct websocket w;

    websocket_init(&w);
    feed(&w, built(b), piece, &seen);
    websocket_done(&w);
    return seen;
}

/* ---- the upgrade ---- */

#define REQUEST                                                                                    \
    "GET /ws HTTP/1.1\r\nHost: proxy.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"     \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n"               \
    "Sec-WebSocket-Version: 13\r\n\r\n"
#define RESPONSE                                                                                   \
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nCONNECTION: keep-alive, Upgrade\r\n"\
    "sec-websocket-protocol: chat, SIP\r\n"                                                        \
    "Sec-WebSocket-Extensions: x, permessage-deflate; client_max_window_bits=15\r\n\r\n"

TEST(the_upgrade_to_sip_is_recognised_whatever_the_case)
{
    struct websocket_upgrade u;

    CHECK_EQ(websocket_upgrade_parse(SLICE(REQUEST "\x81\x00"), &u), strlen(REQUEST));
    CHECK(!u.response && u.sip && !u.deflate);
    CHECK_EQ(u.head_len, strlen(REQUEST));
    CHECK_EQ(websocket_upgrade_parse(SLICE(RESPONSE), &u), strlen(RESPONSE));
    CHECK(u.response && u.sip && u.deflate);
}

TEST(half_an_upgrade_asks_for_more_and_other_http_is_none)
{
    static const slice none[] = {
        { "POST /x HTTP/1.1\r\n", 18 }, { "HTTP/1.1 200 OK\r\n\r\n", 19 },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27 }, { "\x16\x03\x01", 3 },
        { "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", 32 }, { INVITE, sizeof INVITE - 1 },
    };
    struct websocket_upgrade u = { .head_len = 77 };

    for (size_t len = 0; len < strlen(REQUEST); len++)
        CHECK_ROW_EQ(len, websocket_upgrade_parse(slice_head(SLICE(REQUEST), len), &u), 0);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        CHECK_ROW(i, websocket_upgrade_parse(none[i], &u) < 0);
    CHECK_EQ(u.head_len, 77);                /* untouched */
}

TEST(an_upgrade_without_end_is_given_up)
{
    struct build b = { 0 };
    struct websocket_upgrade u;

    put(&b, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nX: ", 42);
    while (b.len < WEBSOCKET_UPGRADE_MAX - 1)
        put_u8(&b, 'a');
    CHECK_EQ(websocket_upgrade_parse(built(&b), &u), 0);
    put_u8(&b, 'a');
    CHECK_EQ(websocket_upgrade_parse(built(&b), &u), -1);
    build_done(&b);
}

TEST(a_protocol_that_only_contains_the_letters_sip_is_not_sip)
{
    struct websocket_upgrade u;

    CHECK(websocket_upgrade_parse(SLICE("GET / HTTP/1.1\r\nUpgrade: websocket\r\n"
                                        "Sec-WebSocket-Protocol: sips, xsip,gossip\r\n\r\n"), &u) > 0);
    CHECK(!u.sip);
}

/* ---- frames ---- */

TEST(messages_are_the_same_in_pieces_of_any_size)
{
    struct build b = { 0 };

    text_frame(&b, FIN | TEXT, true, INVITE);
    text_frame(&b, FIN | PING, true, "are you there");
    text_frame(&b, FIN | BINARY, false, OK200);
    text_frame(&b, TEXT, true, "INVITE sip:b");          /* three fragments and a ping */
    text_frame(&b, FIN | PING, false, "");
    text_frame(&b, CONTINUE, true, "");
    text_frame(&b, CONTINUE, true, "ob@b.exa");
    text_frame(&b, FIN | CONTINUE, true, "mple");
    text_frame(&b, FIN | TEXT, true, "");
    for (size_t piece = 1; piece <= b.len; piece++) {
        struct seen seen = see(&b, piece);

        CHECK_ROW_EQ(piece, seen.messages, 4);
        CHECK_ROW_EQ(piece, seen.lost, 0);
        CHECK_ROW_EQ(piece, (const char *)seen.text[0], INVITE);
        CHECK_ROW_EQ(piece, (const char *)seen.text[1], OK200);
        CHECK_ROW_EQ(piece, (const char *)seen.text[2], "INVITE sip:bob@b.example");
        CHECK_ROW_EQ(piece, (const char *)seen.text[3], "");
    }
    build_done(&b);
}

TEST(every_form_of_the_length_is_read)
{
    static const size_t lens[] = { 0, 1, 125, 126, 127, 65535, 65536, WEBSOCKET_MESSAGE_MAX };

    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        char *payload = calloc(1, lens[i] + 1);

        CHECK(payload != NULL);
        for (int masked = 0; masked < 2; masked++) {
            struct build b = { 0 };
            struct seen seen;

            frame(&b, FIN | TEXT, masked, payload, lens[i]);
            seen = see(&b, 1400);
            CHECK_ROW_EQ(i, seen.messages, 1);
            CHECK_ROW_EQ(i, seen.last_len, lens[i]);
            build_done(&b);
        }
        free(payload);
    }
}

TEST(a_message_beyond_the_limit_is_lost_and_the_next_one_is_read)
{
    char *payload = calloc(1, WEBSOCKET_MESSAGE_MAX + 1);

    CHECK(payload != NULL);
    for (int whole = 0; whole < 2; whole++) {
        struct build b = { 0 };
        struct seen seen;

        if (whole) {
            frame(&b, FIN | TEXT, true, payload, WEBSOCKET_MESSAGE_MAX + 1);
        } else {
            frame(&b, TEXT, true, payload, WEBSOCKET_MESSAGE_MAX);
            frame(&b, FIN | CONTINUE, true, payload, 1);
        }
        text_frame(&b, FIN | TEXT, true, INVITE);
        seen = see(&b, 100000);
        CHECK_ROW_EQ(whole, seen.lost, 1);
        CHECK_ROW_EQ(whole, seen.messages, 1);
        CHECK_ROW_EQ(whole, (const char *)seen.text[0], INVITE);
        build_done(&b);
    }
    free(payload);
}

TEST(a_frame_that_says_2_to_the_62_bytes_takes_no_memory)
{
    struct websocket w;
    slice bytes = SLICE("\x81\x7f\x40\0\0\0\0\0\0\0 some bytes"), message;

    websocket_init(&w);
    CHECK_EQ(websocket_take(&w, &bytes, &message), WEBSOCKET_MORE);
    CHECK(websocket_memory_bytes(&w) < 1024);
    websocket_done(&w);
}

TEST(after_the_close_nothing_follows)
{
    struct build b = { 0 };
    struct seen seen;

    text_frame(&b, FIN | TEXT, false, OK200);
    text_frame(&b, FIN | CLOSE, false, "\x03\xe8");
    text_frame(&b, FIN | TEXT, false, OK200);
    seen = see(&b, 10000);
    CHECK_EQ(seen.messages, 1);
    CHECK_EQ(seen.closed, 1);
    build_done(&b);
}

TEST(what_is_no_frame_is_told_once_and_reading_goes_on_at_the_next_sip)
{
    static const struct { slice bytes; const char *why; } rows[] = {
        { SLICE("\x83\x05hello"), "reserved operation" },
        { SLICE("\xa1\x05hello"), "reserved bit" },
        { SLICE("\x09\x00"), "ping in fragments" },
        { SLICE("\x89\x7e\x00\x80"), "long ping" },
        { SLICE("\x81\x7e\x00\x05hello"), "length not in the fewest bytes" },
        { SLICE("\x81\x7f\0\0\0\0\0\0\1\0"), "nor here" },
        { SLICE("\x81\x7f\x80\0\0\0\0\0\0\0"), "negative length" },
        { SLICE("\xc0\x00"), "compressed continuation" },
        { SLICE("INVITE sip:bob@b.example SIP/2.0\r\n"), "no WebSocket at all" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct build b = { 0 };
        struct seen seen;

        text_frame(&b, FIN | TEXT, true, OK200);
        put(&b, rows[i].bytes.ptr, rows[i].bytes.len);
        text_frame(&b, FIN | TEXT, true, INVITE);
        text_frame(&b, FIN | TEXT, true, OK200);
        for (size_t piece = 1; piece < 80; piece += 13) {
            seen = see(&b, piece);
            CHECK_ROW_EQ(i, seen.lost, 1);
            CHECK_ROW_EQ(i, seen.messages, 3);
            CHECK_ROW_EQ(i, (const char *)seen.text[1], INVITE);
        }
        build_done(&b);
    }
}

TEST(a_message_that_another_interrupts_is_lost)
{
    struct build b = { 0 };
    struct seen seen;

    text_frame(&b, TEXT, true, "INVITE sip:bo");
    text_frame(&b, FIN | TEXT, true, OK200);
    text_frame(&b, FIN | CONTINUE, true, "of nothing");
    text_frame(&b, FIN | TEXT, true, INVITE);
    seen = see(&b, 10000);
    CHECK_EQ(seen.messages, 2);
    CHECK_EQ(seen.lost, 2);
    build_done(&b);
}

TEST(a_direction_joined_in_mid_stream_is_read_from_the_first_sip_frame_on)
{
    struct build b = { 0 };

    text_frame(&b, FIN | TEXT, true, OK200);
    text_frame(&b, FIN | PING, true, "x");
    text_frame(&b, FIN | TEXT, true, INVITE);
    text_frame(&b, FIN | BINARY, true, OK200);
    for (size_t from = 1; from < strlen(OK200); from++) {
        for (size_t piece = 1; piece < 100; piece += 33) {
            struct seen seen = { .messages = 0 };
            struct websocket w;

            websocket_init_midstream(&w);
            feed(&w, slice_skip(built(&b), from), piece, &seen);
            websocket_done(&w);
            CHECK_ROW_EQ(from, seen.messages, 2);
            CHECK_ROW_EQ(from, (const char *)seen.text[0], INVITE);
            CHECK_ROW_EQ(from, (const char *)seen.text[1], OK200);
        }
    }
    build_done(&b);
}

TEST(a_hole_costs_the_message_it_touches)
{
    struct build b = { 0 };
    size_t ends[4];

    for (int i = 0; i < 4; i++) {
        text_frame(&b, FIN | TEXT, true, INVITE);
        ends[i] = b.len;
    }
    for (size_t at = ends[0] + 1; at + 20 < ends[2]; at++) {
        for (int known = 0; known < 2; known++) {
            struct seen seen = { .messages = 0 };
            struct websocket w;
            slice bytes = slice_head(built(&b), at);

            websocket_init(&w);
            take_all(&w, &bytes, &seen);
            websocket_gap(&w, known && !bytes.len ? 20 : 0);
            bytes = slice_skip(built(&b), at + 20);
            take_all(&w, &bytes, &seen);
            websocket_done(&w);
            CHECK_ROW(at, seen.messages >= 2 && seen.messages <= 3);
            CHECK_ROW(at, seen.messages == 3 || at < ends[1] + 6);
            for (int i = 0; i < seen.messages; i++)
                CHECK_ROW_EQ(at, (const char *)seen.text[i], INVITE);
        }
    }
    build_done(&b);
}

/* ---- compression ---- */

static void deflate_frame(struct build *b, z_stream *z, const char *text)
{
    uint8_t out[4096];

    z->next_in = (Bytef *)(uintptr_t)text;
    z->avail_in = (uInt)strlen(text);
    z->next_out = out;
    z->avail_out = sizeof out;
    CHECK_EQ(deflate(z, Z_SYNC_FLUSH), Z_OK);
    CHECK(z->avail_out >= 4 && memcmp(z->next_out - 4, "\0\0\xff\xff", 4) == 0);
    frame(b, FIN | RSV1 | TEXT, true, out, sizeof out - z->avail_out - 4);
}

TEST(compressed_messages_may_refer_to_the_ones_before)
{
    struct build b = { 0 };
    z_stream z = { 0 };

    CHECK_EQ(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    deflate_frame(&b, &z, INVITE);
    deflate_frame(&b, &z, OK200);
    text_frame(&b, FIN | TEXT, true, "in the clear");
    deflate_frame(&b, &z, INVITE);
    CHECK_EQ(deflateReset(&z), Z_OK);        /* no context takeover */
    deflate_frame(&b, &z, OK200);
    (void)deflateEnd(&z);
    for (size_t piece = 1; piece <= b.len; piece += 11) {
        struct seen seen = see(&b, piece);

        CHECK_ROW_EQ(piece, seen.messages, 5);
        CHECK_ROW_EQ(piece, (const char *)seen.text[0], INVITE);
        CHECK_ROW_EQ(piece, (const char *)seen.text[1], OK200);
        CHECK_ROW_EQ(piece, (const char *)seen.text[2], "in the clear");
        CHECK_ROW_EQ(piece, (const char *)seen.text[3], INVITE);
        CHECK_ROW_EQ(piece, (const char *)seen.text[4], OK200);
    }
    build_done(&b);
}

/* RFC 7692, 7.2.3. */
TEST(the_examples_of_rfc_7692_read_hello)
{
    static const slice rows[] = {
        { "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", 9 },
        { "\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", 11 },             /* two fragments */
        { "\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 13 },     /* stored */
        { "\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 10 },                 /* final block */
        { "\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 15 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct build b = { 0 };
        struct seen seen;

        put(&b, rows[i].ptr, rows[i].len);
        put(&b, rows[i].ptr, rows[i].len);
        seen = see(&b, 1000);
        CHECK_ROW_EQ(i, seen.messages, 2);
        CHECK_ROW_EQ(i, (const char *)seen.text[0], "Hello");
        CHECK_ROW_EQ(i, (const char *)seen.text[1], "Hello");
        build_done(&b);
    }
}

TEST(a_compressed_bomb_is_lost_and_its_memory_given_back)
{
    size_t len = 64u << 20;
    char *zeros = calloc(1, len);
    uint8_t *packed = malloc(1u << 20);
    z_stream z = { 0 };
    struct build b = { 0 };
    struct seen seen = { .messages = 0 };
    struct websocket w;
    slice bytes;

    CHECK(zeros && packed);
    CHECK_EQ(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)zeros;
    z.avail_in = (uInt)len;
    z.next_out = packed;
    z.avail_out = 1u << 20;
    CHECK_EQ(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    frame(&b, FIN | RSV1 | TEXT, true, packed, (1u << 20) - z.avail_out - 4);
    (void)deflateEnd(&z);
    text_frame(&b, FIN | TEXT, true, INVITE);

    websocket_init(&w);
    bytes = built(&b);
    take_all(&w, &bytes, &seen);
    CHECK_EQ(seen.lost, 1);
    CHECK_EQ(seen.messages, 1);
    CHECK(websocket_memory_bytes(&w) < 65536);
    websocket_done(&w);
    build_done(&b);
    free(zeros);
    free(packed);
}

TEST(a_hole_in_compressed_messages_never_makes_wrong_text)
{
    struct build b = { 0 };
    z_stream z = { 0 };
    size_t first, second;

    CHECK_EQ(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    deflate_frame(&b, &z, INVITE);
    first = b.len;
    deflate_frame(&b, &z, OK200);
    second = b.len;
    deflate_frame(&b, &z, OK200);            /* refers to the one with the hole */
    CHECK_EQ(deflateReset(&z), Z_OK);
    deflate_frame(&b, &z, INVITE);
    (void)deflateEnd(&z);
    for (size_t at = first + 6; at + 3 <= second; at++) {
        struct seen seen = { .messages = 0 };
        struct websocket w;
        slice bytes = slice_head(built(&b), at);

        websocket_init(&w);
        take_all(&w, &bytes, &seen);
        CHECK_ROW_EQ(at, bytes.len, 0);
        websocket_gap(&w, 3);
        bytes = slice_skip(built(&b), at + 3);
        take_all(&w, &bytes, &seen);
        websocket_done(&w);
        CHECK_ROW_EQ(at, seen.messages, 2);
        CHECK_ROW_EQ(at, seen.lost, 2);
        CHECK_ROW_EQ(at, (const char *)seen.text[0], INVITE);
        CHECK_ROW_EQ(at, (const char *)seen.text[1], INVITE);
    }
    build_done(&b);
}

TORTURE(a_message_for_which_memory_ran_out_is_lost)
{
    static const uint8_t compressed[] = "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    struct websocket w;
    slice bytes = slice_of(compressed, 9), message;
    enum websocket_event got;

    websocket_init(&w);
    got = websocket_take(&w, &bytes, &message);
    if (got == WEBSOCKET_MESSAGE)
        CHECK_EQ(message, "Hello");
    else
        CHECK_EQ(got, WEBSOCKET_LOST);
    CHECK(got == WEBSOCKET_MESSAGE || test_memory_failed());
    CHECK_EQ(bytes.len, 0);
    websocket_done(&w);
}
