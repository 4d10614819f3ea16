/* tests/harness/frames.h - frames built from the inside out, and what came out of them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * For tests and fuzz seeds only. A frame starts as its payload; each call puts a head before:
 *
 *     struct frame f;
 *     frame_start(&f, SIP_TEXT);
 *     frame_udp(&f, 5060, 5061);
 *     frame_ipv4(&f, 17, 0x4000);
 *     frame_hex(&f, ETHERNET "0800");
 *     struct rig r;
 *     rig_start(&r, NULL);
 *     rig_frame(&r, 1, &f);                 // link type 1
 *     CHECK_EQ(r.count, 1);
 *     rig_end(&r);                                                                         */
#ifndef TESTS_HARNESS_FRAMES_H
#define TESTS_HARNESS_FRAMES_H

#include "harness/test.h"
#include "wire/wire.h"

#define SIP_TEXT SLICE("OPTIONS sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n" \
                       "Call-ID: 1@a\r\nContent-Length: 0\r\n\r\n")
#define ETHERNET "020000000001 020000000002 "
#define FRAME_ROOM 70000u

struct frame {
    uint8_t room[FRAME_ROOM + 16384];
    size_t  at, end;                 /* bytes are room[at..end) */
};

static inline slice frame_bytes(const struct frame *f)
{
    return slice_of(f->room + f->at, f->end - f->at);
}

static inline size_t frame_len(const struct frame *f) { return f->end - f->at; }

static inline void frame_start(struct frame *f, slice payload)
{
    f->at = 8192;
    f->end = f->at + payload.len;
    CHECK(payload.len <= FRAME_ROOM);
    if (payload.len)
        memcpy(f->room + f->at, payload.ptr, payload.len);
}

static inline void frame_before(struct frame *f, const void *head, size_t len)
{
    CHECK(f->at >= len);
    f->at -= len;
    memcpy(f->room + f->at, head, len);
}

static inline void frame_behind(struct frame *f, const void *tail, size_t len)
{
    CHECK(f->end + len <= sizeof f->room);
    memcpy(f->room + f->end, tail, len);
    f->end += len;
}

/* Hexadecimal digits, blanks between them as you like. */
static inline size_t frame_hex_bytes(const char *hex, uint8_t *bytes, size_t size)
{
    size_t len = 0;

    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        char two[3] = { hex[0], hex[1], 0 };

        CHECK(len < size);
        bytes[len++] = (uint8_t)strtoul(two, NULL, 16);
        hex += 2;
    }
    return len;
}

static inline void frame_hex(struct frame *f, const char *hex)
{
    uint8_t head[512];
    size_t len = frame_hex_bytes(hex, head, sizeof head);

    frame_before(f, head, len);
}

static inline void frame_u16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static inline void frame_u32(uint8_t *at, uint32_t v)
{
    frame_u16(at, v >> 16);
    frame_u16(at + 2, v & 0xffff);
}

static inline void frame_udp(struct frame *f, uint16_t sport, uint16_t dport)
{
    uint8_t h[8] = { 0 };

    frame_u16(h, sport);
    frame_u16(h + 2, dport);
    frame_u16(h + 4, frame_len(f) + 8);
    frame_before(f, h, 8);
}

/* From 10.0.0.1 to 10.0.0.2, identification 77, TTL 61; `offset` as in the header. */
static inline void frame_ipv4(struct frame *f, uint8_t protocol, uint16_t offset)
{
    uint8_t h[20] = { 0x45, 0, 0, 0, 0, 77, 0, 0, 61, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };

    frame_u16(h + 2, frame_len(f) + 20);
    frame_u16(h + 6, offset);
    frame_before(f, h, 20);
}

/* From 2001:db8::1 to 2001:db8::2. */
static inline void frame_ipv6(struct frame *f, uint8_t next)
{
    uint8_t h[40] = { 0x60, 0, 0, 0, 0, 0, next, 60, 0x20, 1, 0x0d, 0xb8, [23] = 1,
                      [24] = 0x20, 1, 0x0d, 0xb8, [39] = 2 };

    frame_u16(h + 4, frame_len(f));
    frame_before(f, h, 40);
}

/* A SIP datagram in IPv4, without a link head. */
static inline void frame_sip_ipv4(struct frame *f)
{
    frame_start(f, SIP_TEXT);
    frame_udp(f, 5060, 5061);
    frame_ipv4(f, 17, 0);
}

/* ---- what came out ---- */

#define RIG_UNITS 64
struct rig {
    struct wire     *wire;
    size_t           count;          /* of units; the first RIG_UNITS are kept */
    struct wire_unit units[RIG_UNITS];
    char            *payloads[RIG_UNITS];
    uint64_t         frames;
    int64_t          now_ns;         /* of the next frame */
    uint32_t         wire_len;       /* of the next frame; 0: as long as its bytes */
};

static inline void rig_unit(void *ctx, const struct wire_unit *u)
{
    struct rig *r = ctx;

    if (r->count < RIG_UNITS) {
        char *copy = malloc(u->payload.len + 1);

        if (copy) {
            memcpy(copy, u->payload.ptr, u->payload.len);
            copy[u->payload.len] = '\0';
        }
        r->payloads[r->count] = copy;
        r->units[r->count] = *u;
        r->units[r->count].payload.ptr = copy ? copy : "";
        r->units[r->count].payload.len = copy ? u->payload.len : 0;
    }
    r->count++;
}

static inline bool rig_start(struct rig *r, const struct wire_limits *limits)
{
    memset(r, 0, sizeof *r);
    r->now_ns = 1000000000;
    r->wire = wire_new(limits, (struct hash_seed){ 1, 2 }, rig_unit, r);
    return r->wire != NULL;
}

static inline void rig_bytes(struct rig *r, uint32_t link_type, slice bytes)
{
    struct wire_frame frame = {
        .time_ns = r->now_ns, .number = ++r->frames, .link_type = link_type,
        .wire_len = r->wire_len ? r->wire_len : (uint32_t)bytes.len, .bytes = bytes,
    };
    char *exact = malloc(bytes.len + 1);     /* so that a sanitizer sees a read past the end */

    if (exact) {
        memcpy(exact, bytes.ptr, bytes.len);
        frame.bytes.ptr = exact;
        wire_frame(r->wire, &frame);
    }
    free(exact);
    r->wire_len = 0;
}

static inline void rig_frame(struct rig *r, uint32_t link_type, const struct frame *f)
{
    rig_bytes(r, link_type, frame_bytes(f));
}

static inline void rig_forget(struct rig *r)
{
    for (size_t i = 0; i < r->count && i < RIG_UNITS; i++)
        free(r->payloads[i]);
    r->count = 0;
}

static inline void rig_end(struct rig *r)
{
    rig_forget(r);
    r->wire = wire_free(r->wire);
}

/* The text of an address, good until the next four calls. */
static inline const char *rig_address(const struct address *a)
{
    static char text[4][ADDRESS_TEXT_MAX];
    static unsigned at;

    at = (at + 1) % 4;
    address_format(a, text[at]);
    return text[at];
}

#endif
