/* capture/pcapng.c - blocks in sections (draft-ietf-opsawg-pcapng).
 *
 * A section header sets the byte order and forgets the interfaces of the section before.
 * Frames come in enhanced (6), simple (3) and old (2) packet blocks; every other block is
 * passed over. A block says its length at both ends, which tells damage at once; the next
 * block whose ends agree is then looked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/file_int.h"

#include <stdlib.h>

#define BLOCK_HEADER_LEN 8u
#define BLOCK_TAIL_LEN 4u
#define PACKET_LEN_MIN (BLOCK_HEADER_LEN + 20 + BLOCK_TAIL_LEN)
#define BLOCK_LEN_MIN (BLOCK_HEADER_LEN + BLOCK_TAIL_LEN)
#define BLOCK_LEN_MAX (CAPTURE_FRAME_MAX + (1u << 20))       /* the frame and its options */
#define BLOCK_LEN_FOUND_MAX (1u << 20)       /* when found by looking for it */
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2,                /* obsolete */
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_NAMES = 4,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED_PACKET = 6,
    BLOCK_SECRETS = 10,
    BLOCK_CUSTOM = 0xbad,
    BLOCK_CUSTOM_NO_COPY = 0x40000bad,
    BLOCK_SECTION = 0x0a0d0d0a,      /* the same in both byte orders */
};
enum option_code { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

/* A block of which both ends agree, or about to be. `body` is what stands between them. */
struct block {
    uint32_t type, len;
    const uint8_t *body;
    size_t   body_len;
};

static bool pcapng_is(slice start)
{
    static const uint8_t magic[4] = { 0x0a, 0x0d, 0x0d, 0x0a };

    return start.len && memcmp(start.ptr, magic, start.len < 4 ? start.len : 4) == 0;
}

/* ---- interfaces ---- */

/* Ticks of whole nanoseconds and no offset, as nearly every writer has them, need only one
 * multiplication and one comparison; for others ticks_max stays 0. */
static void interface_settle_time(struct capture_interface *i)
{
    uint32_t tick_ns = 1000000000;
    unsigned power = i->resolution;

    if (power > 9 || i->offset_s)            /* 2^-n has the top bit */
        return;
    while (power--)
        tick_ns /= 10;
    i->tick_ns = tick_ns;
    i->ticks_max = (uint64_t)WIRE_TIME_MAX_NS / tick_ns;
}

static void interface_read_options(const struct capture_pcapng *p, slice options,
                                   struct capture_interface *ret)
{
    while (options.len >= 4) {
        const uint8_t *at = (const uint8_t *)options.ptr;
        uint16_t code = capture_get_u16(at, p->swapped), len = capture_get_u16(at + 2, p->swapped);

        options = slice_skip(options, 4);
        if (code == OPTION_END || len > options.len)
            return;
        if (code == OPTION_TSRESOL && len >= 1)
            ret->resolution = at[4];
        if (code == OPTION_TSOFFSET && len >= 8) {
            uint64_t v;

            memcpy(&v, at + 4, sizeof v);
            ret->offset_s = (int64_t)(p->swapped ? __builtin_bswap64(v) : v);
        }
        options = slice_skip(options, (len + 3u) & ~3u);
    }
}

static struct capture_interface *interface_add(struct capture_pcapng *p)
{
    if (p->interface_count == p->interface_size) {
        uint32_t size = p->interface_size ? p->interface_size * 2 : 8;
        struct capture_interface *larger = realloc(p->interfaces, size * sizeof *larger);

        if (!larger)
            return NULL;
        p->interfaces = larger;
        p->interface_size = size;
    }
    return &p->interfaces[p->interface_count++];
}

/* ---- time ---- */

/* False: further off than can be said. */
static bool time_of_ticks(const struct capture_interface *i, uint64_t ticks, int64_t *ret)
{
    unsigned power = i->resolution & 0x7f;
    unsigned __int128 ns = (unsigned __int128)ticks * 1000000000u;

    if (i->resolution & 0x80) {
        ns >>= power;                        /* at most 127 */
    } else {
        for (unsigned digit = 0; digit < power && ns; digit++)
            ns /= 10;
    }
    if (ns > (unsigned __int128)WIRE_TIME_MAX_NS)
        return false;
    *ret = (int64_t)ns;
    return true;
}

static bool time_of(const struct capture_interface *i, uint64_t ticks, int64_t *ret)
{
    int64_t ns, offset_ns;

    if (!time_of_ticks(i, ticks, &ns) ||
        __builtin_mul_overflow(i->offset_s, (int64_t)1000000000, &offset_ns) ||
        __builtin_add_overflow(ns, offset_ns, &ns) || ns < 0 || ns > WIRE_TIME_MAX_NS)
        return false;
    *ret = ns;
    return true;
}

/* ---- blocks; each returns 1 with a frame, 0 without one, negative: not what it should be ---- */

static inline int frame_of(struct capture_file *f, const struct capture_interface *i, slice bytes,
                           uint32_t wire_len, struct wire_frame *ret)
{
    ret->time_ns = f->pcapng.last_ns;
    ret->number = ++f->source.frames;
    ret->link_type = i->link_type;
    ret->wire_len = wire_len;
    ret->bytes = bytes;
    return 1;
}

/* A time that cannot be becomes that of the frame before; the frame is kept. */
static void take_time(struct capture_file *f, const struct capture_interface *i, uint32_t high,
                      uint32_t low)
{
    if (!time_of(i, (uint64_t)high << 32 | low, &f->pcapng.last_ns))
        capture_file_note(f, CAPTURE_DAMAGED, capture_input_offset(&f->in));
}

/* Interface id u32, time high, time low, caplen, len, bytes. */
static int take_enhanced_packet(struct capture_file *f, const struct block *b,
                                struct wire_frame *ret)
{
    struct capture_pcapng *p = &f->pcapng;
    uint32_t id, caplen, wire_len;

    if (b->body_len < 20)
        return -1;
    id = capture_get_u32(b->body, p->swapped);
    caplen = capture_get_u32(b->body + 12, p->swapped);
    if (id >= p->interface_count || caplen > b->body_len - 20 || caplen > CAPTURE_FRAME_MAX)
        return -1;
    take_time(f, &p->interfaces[id], capture_get_u32(b->body + 4, p->swapped),
              capture_get_u32(b->body + 8, p->swapped));
    wire_len = capture_get_u32(b->body + 16, p->swapped);
    return frame_of(f, &p->interfaces[id], slice_of(b->body + 20, caplen),
                    wire_len > caplen ? wire_len : caplen, ret);
}

/* Interface id u16, drops u16, then as above. */
static int take_old_packet(struct capture_file *f, const struct block *b, struct wire_frame *ret)
{
    struct capture_pcapng *p = &f->pcapng;
    uint32_t id, caplen, wire_len;

    if (b->body_len < 20)
        return -1;
    id = capture_get_u16(b->body, p->swapped);
    caplen = capture_get_u32(b->body + 12, p->swapped);
    if (id >= p->interface_count || caplen > b->body_len - 20 || caplen > CAPTURE_FRAME_MAX)
        return -1;
    take_time(f, &p->interfaces[id], capture_get_u32(b->body + 4, p->swapped),
              capture_get_u32(b->body + 8, p->swapped));
    wire_len = capture_get_u32(b->body + 16, p->swapped);
    return frame_of(f, &p->interfaces[id], slice_of(b->body + 20, caplen),
                    wire_len > caplen ? wire_len : caplen, ret);
}

/* Length on the wire, bytes: no interface (the first), no time (that of the frame before), no
 * captured length (what the interface's snaplen and the block allow). */
static int take_simple_packet(struct capture_file *f, const struct block *b,
                              struct wire_frame *ret)
{
    const struct capture_pcapng *p = &f->pcapng;
    uint32_t len;
    size_t caplen;

    if (b->body_len < 4 || p->interface_count == 0)
        return -1;
    len = capture_get_u32(b->body, p->swapped);
    caplen = len;
    if (p->interfaces[0].snaplen && caplen > p->interfaces[0].snaplen)
        caplen = p->interfaces[0].snaplen;
    if (caplen > b->body_len - 4)
        caplen = b->body_len - 4;
    if (caplen > CAPTURE_FRAME_MAX)
        return -1;
    return frame_of(f, &p->interfaces[0], slice_of(b->body + 4, caplen), len, ret);
}

static int take_interface(struct capture_file *f, const struct block *b, struct wire_frame *ret)
{
    struct capture_pcapng *p = &f->pcapng;
    struct capture_interface *i;

    (void)ret;
    if (b->body_len < 8 || p->interface_count >= CAPTURE_INTERFACES_MAX)
        return -1;
    i = interface_add(p);
    if (!i) {
        f->in.trouble = CAPTURE_NO_MEMORY;
        return -1;
    }
    *i = (struct capture_interface){ .link_type = capture_get_u16(b->body, p->swapped),
                                     .snaplen = capture_get_u32(b->body + 4, p->swapped) };
    i->resolution = 6;
    interface_read_options(p, slice_of(b->body + 8, b->body_len - 8), i);
    interface_settle_time(i);
    return 0;
}

/* The byte order was settled when the block was taken. Its own length is not used: writers
 * that cannot go back leave it at -1, and others leave it wrong. */
static int take_section(struct capture_file *f, const struct block *b, struct wire_frame *ret)
{
    (void)ret;
    f->pcapng.interface_count = 0;
    return b->body_len >= 16 && capture_get_u16(b->body + 4, f->pcapng.swapped) == 1 ? 0 : -1;
}

static const struct {
    uint32_t type;
    int (*take)(struct capture_file *f, const struct block *b, struct wire_frame *ret);
} takers[] = {                       /* names, statistics, secrets and custom blocks: none */
    { BLOCK_ENHANCED_PACKET, take_enhanced_packet },
    { BLOCK_SIMPLE_PACKET, take_simple_packet },
    { BLOCK_PACKET, take_old_packet },
    { BLOCK_INTERFACE, take_interface },
    { BLOCK_SECTION, take_section },
};

static int take_block(struct capture_file *f, const struct block *b, struct wire_frame *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(takers); i++)
        if (takers[i].type == b->type)
            return takers[i].take(f, b, ret);
    return 0;
}

/* ---- from block to block ---- */

enum block_found { BLOCK_WHOLE, BLOCK_END, BLOCK_RUNS_OVER, BLOCK_DAMAGED };

/* The byte order of a section header `at` into the window. False: it is none. */
static bool section_order(struct capture_file *f, size_t at, bool *ret_swapped)
{
    uint32_t magic;

    if (!capture_input_have(&f->in, at + BLOCK_HEADER_LEN + 4))
        return false;
    magic = capture_get_u32(f->in.at + at + BLOCK_HEADER_LEN, false);
    if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
        return false;
    *ret_swapped = magic != BYTE_ORDER_MAGIC;
    return true;
}

/* The length must be a multiple of four; writers that forgot it either padded or did not. */
static bool block_ends_agree(struct capture_file *f, size_t at, uint32_t len, bool swapped,
                             uint32_t *ret_span)
{
    uint32_t spans[2] = { len, (len + 3) & ~3u };

    for (int i = 0; i < 2; i++) {
        if (capture_input_have(&f->in, at + spans[i]) &&
            capture_get_u32(f->in.at + at + spans[i] - BLOCK_TAIL_LEN, swapped) == len) {
            *ret_span = spans[i];
            return true;
        }
    }
    return false;
}

/* Looks at the block at the front, without using it. ret->len is what it spans. */
static enum block_found block_look(struct capture_file *f, struct block *ret)
{
    struct capture_input *in = &f->in;
    bool swapped = f->pcapng.swapped;
    uint32_t type, len, span;

    if (!capture_input_have(in, BLOCK_LEN_MIN))
        return capture_input_left(in) ? BLOCK_RUNS_OVER : BLOCK_END;
    type = capture_get_u32(in->at, swapped);
    if (__builtin_expect(type == BLOCK_SECTION, 0) && !section_order(f, 0, &swapped))
        return BLOCK_DAMAGED;
    len = capture_get_u32(in->at + 4, swapped);
    if (len < BLOCK_LEN_MIN || len > BLOCK_LEN_MAX)
        return BLOCK_DAMAGED;
    if (!capture_input_have(in, len))
        return BLOCK_RUNS_OVER;
    if (!block_ends_agree(f, 0, len, swapped, &span))
        return BLOCK_DAMAGED;
    f->pcapng.swapped = swapped;
    *ret = (struct block){ type, span, in->at + BLOCK_HEADER_LEN, span - BLOCK_LEN_MIN };
    return BLOCK_WHOLE;
}

static bool type_is_known(uint32_t type)
{
    static const uint32_t known[] = { BLOCK_INTERFACE, BLOCK_PACKET, BLOCK_SIMPLE_PACKET,
        BLOCK_NAMES, BLOCK_STATISTICS, BLOCK_ENHANCED_PACKET, BLOCK_SECRETS, BLOCK_CUSTOM,
        BLOCK_CUSTOM_NO_COPY, BLOCK_SECTION };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == type)
            return true;
    return false;
}

/* After damage: a known type with a length that its end repeats. */
static bool place_makes_sense(struct capture_file *f)
{
    bool swapped = f->pcapng.swapped;
    uint32_t type = capture_get_u32(f->in.at, swapped), len, span;

    if (!type_is_known(type) || (type == BLOCK_SECTION && !section_order(f, 0, &swapped)))
        return false;
    len = capture_get_u32(f->in.at + 4, swapped);
    return len >= BLOCK_LEN_MIN && len <= BLOCK_LEN_FOUND_MAX &&
           block_ends_agree(f, 0, len, swapped, &span);
}

/* Looks from `skip` bytes on. */
static bool pcapng_find_next(struct capture_file *f, size_t skip)
{
    if (!capture_input_have(&f->in, skip))
        return false;
    f->in.at += skip;
    for (size_t scanned = 0; scanned < CAPTURE_SCAN_MAX; scanned++, f->in.at++) {
        if (!capture_input_have(&f->in, BLOCK_LEN_MIN))
            return false;
        if (place_makes_sense(f))
            return true;
    }
    return false;
}

/* Bytes of a packet block up to the end of its frame, when it fits in itself and its interface
 * is known: nothing that looks like a block inside it is one. Else 1. */
static size_t frame_span(struct capture_file *f)
{
    const struct capture_pcapng *p = &f->pcapng;
    const uint8_t *at = f->in.at;
    uint32_t len, caplen;

    if (capture_input_left(&f->in) < BLOCK_HEADER_LEN + 20 ||
        capture_get_u32(at, p->swapped) != BLOCK_ENHANCED_PACKET)
        return 1;
    len = capture_get_u32(at + 4, p->swapped);
    caplen = capture_get_u32(at + 20, p->swapped);
    if (capture_get_u32(at + 8, p->swapped) >= p->interface_count || len < PACKET_LEN_MIN ||
        caplen > len - PACKET_LEN_MIN)
        return 1;
    return BLOCK_HEADER_LEN + 20 + caplen;
}

/* At a block that cannot be, or runs over the end. 1: go on at another place. */
static int pcapng_pass_damage(struct capture_file *f, enum block_found found)
{
    uint64_t offset = capture_input_offset(&f->in);

    if (pcapng_find_next(f, found == BLOCK_RUNS_OVER ? frame_span(f) : 1)) {
        capture_file_note(f, CAPTURE_DAMAGED, offset);
        return 1;
    }
    return capture_file_end(f, found == BLOCK_RUNS_OVER ? CAPTURE_CUT : CAPTURE_DAMAGED, offset);
}

static enum capture_problem_kind pcapng_begin(struct capture_file *f)
{
    struct block b;
    enum block_found found;

    f->format = "pcapng";
    found = block_look(f, &b);
    if (found != BLOCK_WHOLE)
        return found == BLOCK_DAMAGED && capture_input_left(&f->in) >= BLOCK_LEN_MIN
                   ? CAPTURE_BAD_HEADER : CAPTURE_CUT;
    if (take_section(f, &b, NULL) < 0)
        return CAPTURE_BAD_HEADER;
    f->in.at += b.len;
    return CAPTURE_FINE;
}

/* Every block as it comes. */
static __attribute__((noinline)) int pcapng_next_block(struct capture_file *f,
                                                       struct wire_frame *ret)
{
    for (;;) {
        struct block b;
        enum block_found found = block_look(f, &b);
        int got;

        if (found == BLOCK_END)
            return capture_file_end(f, CAPTURE_FINE, 0);
        if (found != BLOCK_WHOLE) {
            if (pcapng_pass_damage(f, found) > 0)
                continue;
            return -1;
        }
        got = take_block(f, &b, ret);
        if (f->in.trouble == CAPTURE_NO_MEMORY)
            return capture_file_end(f, CAPTURE_NO_MEMORY, capture_input_offset(&f->in));
        if (got < 0)
            capture_file_note(f, CAPTURE_DAMAGED, capture_input_offset(&f->in));
        f->in.at += b.len;
        if (got > 0)
            return 1;
    }
}

/* The usual block, an enhanced packet that lies whole in the window, taken in one look. Whatever
 * is not as usual is left to pcapng_next_block. */
static int pcapng_next(struct capture_source *s, struct wire_frame *ret)
{
    struct capture_file *f = (struct capture_file *)s;
    struct capture_pcapng *p = &f->pcapng;
    const uint8_t *at = f->in.at;
    size_t left = capture_input_left(&f->in);
    uint32_t len, id, caplen, wire_len;
    const struct capture_interface *i;
    uint64_t ticks;

    if (left < PACKET_LEN_MIN || p->swapped ||
        capture_get_u32(at, false) != BLOCK_ENHANCED_PACKET)
        return pcapng_next_block(f, ret);
    len = capture_get_u32(at + 4, false);
    id = capture_get_u32(at + 8, false);
    ticks = (uint64_t)capture_get_u32(at + 12, false) << 32 | capture_get_u32(at + 16, false);
    caplen = capture_get_u32(at + 20, false);
    wire_len = capture_get_u32(at + 24, false);
    if (len > left || len > CAPTURE_FRAME_MAX || len & 3 || len < PACKET_LEN_MIN ||
        caplen > len - PACKET_LEN_MIN || caplen > wire_len || id >= p->interface_count ||
        capture_get_u32(at + len - BLOCK_TAIL_LEN, false) != len)
        return pcapng_next_block(f, ret);
    i = &p->interfaces[id];
    if (ticks >= i->ticks_max)
        return pcapng_next_block(f, ret);
    p->last_ns = (int64_t)(ticks * i->tick_ns);
    f->in.at = at + len;
    return frame_of(f, i, slice_of(at + 28, caplen), wire_len, ret);
}

static void pcapng_done(struct capture_file *f)
{
    free(f->pcapng.interfaces);
}

const struct capture_format capture_format_pcapng = {
    pcapng_is, pcapng_begin, pcapng_next, pcapng_done,
};
