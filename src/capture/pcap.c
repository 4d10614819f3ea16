/* capture/pcap.c - the classic format: a header of 24 bytes, then records.
 *
 * (draft-ietf-opsawg-pcap.) Both byte orders, microseconds and nanoseconds, the "modified"
 * format of old Linux systems with longer records, and the length order before version 2.3.
 *
 * Nothing in a record says that it is one. A header with unusual numbers is believed when
 * the records behind it make sense; else it is damage, and the next place from which a
 * chain of records makes sense is looked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/file_int.h"

#define FILE_HEADER_LEN 24u
#define DAY_S 86400u
#define WEEK_S (7u * DAY_S)
#define CHAIN 3                      /* records behind one that must make sense */

static const struct pcap_kind {
    uint32_t magic;
    uint32_t header_len, fraction_ns;
    const char *name;
} kinds[] = {
    { 0xa1b2c3d4, 16, 1000, "pcap" },
    { 0xa1b23c4d, 16, 1,    "pcap, nanoseconds" },
    { 0xa1b2cd34, 24, 1000, "pcap, modified" },
};

static const struct pcap_kind *kind_of(uint32_t magic)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].magic == magic)
            return &kinds[i];
    return NULL;
}

static bool pcap_is(slice start)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        uint32_t orders[] = { kinds[i].magic, __builtin_bswap32(kinds[i].magic) };
        size_t len = start.len < 4 ? start.len : 4;

        if (len && (memcmp(start.ptr, &orders[0], len) == 0 ||
                    memcmp(start.ptr, &orders[1], len) == 0))
            return true;
    }
    return false;
}

struct record {
    uint32_t s, fraction, caplen, len;
};

static inline struct record record_as_written(const struct capture_pcap *p, const uint8_t *at)
{
    uint32_t s = capture_get_u32(at, false), fraction = capture_get_u32(at + 4, false),
             caplen = capture_get_u32(at + 8, false), len = capture_get_u32(at + 12, false);

    if (__builtin_expect(p->swapped, 0)) {
        s = __builtin_bswap32(s);
        fraction = __builtin_bswap32(fraction);
        caplen = __builtin_bswap32(caplen);
        len = __builtin_bswap32(len);
    }
    return (struct record){ s, fraction, caplen, len };
}

static struct record record_at(const struct capture_pcap *p, const uint8_t *at)
{
    struct record r = record_as_written(p, at);

    if (p->lengths_swapped && r.caplen > r.len) {
        uint32_t len = r.caplen;

        r.caplen = r.len;
        r.len = len;
    }
    return r;
}

/* Within `range_s` of the other; a clock may step back. */
static inline bool near_s(uint32_t a, uint32_t b, uint32_t range_s)
{
    return a - b + range_s <= 2 * range_s;
}

enum oddity { ODD_FRACTION = 1, ODD_LENGTH = 2, ODD_LARGE = 4, ODD_TIME = 8, ODD_EVER = 16 };

/* What is unusual about a record that follows one of second `last_s`. */
static unsigned record_oddities(const struct capture_pcap *p, const struct record *r,
                                uint32_t last_s)
{
    bool nothing = (r->caplen | r->len) == 0;

    return (r->fraction >= p->fraction_limit ? ODD_FRACTION : 0u) |
           (r->caplen > r->len ? ODD_LENGTH : 0u) |
           (r->caplen > p->usual_len ? ODD_LARGE : 0u) |
           (!near_s(r->s, last_s, DAY_S) ? ODD_TIME : 0u) |
           (r->caplen > CAPTURE_FRAME_MAX || nothing ? ODD_EVER : 0u);
}

/* The usual record, in few comparisons: 1 <= caplen <= usual_len, and so on. */
static inline bool record_is_usual(const struct capture_pcap *p, struct record r)
{
    return r.caplen - 1 < p->usual_len && r.caplen <= r.len && r.fraction < p->fraction_limit &&
           near_s(r.s, p->last_s, DAY_S);
}

/* Do the records behind an odd one make sense? They may be odd in the same way, as some
 * writer made them all so; but when its numbers are odd, their times must at least agree. A
 * record that ends the file makes sense too. */
static bool chain_makes_sense(struct capture_file *f, const struct record *first)
{
    const struct capture_pcap *p = &f->pcap;
    unsigned own = record_oddities(p, first, p->has_last ? p->last_s : first->s);
    unsigned allowed = own & (ODD_FRACTION | ODD_LENGTH | ODD_LARGE);
    size_t at = p->header_len + first->caplen;

    if (own & ODD_EVER)
        return false;
    allowed |= allowed ? 0u : ODD_TIME;
    for (int i = 0; i < CHAIN; i++) {
        struct record r;

        if (!capture_input_have(&f->in, at + p->header_len))
            return capture_input_left(&f->in) == at || i > 1 ||
                   (own == ODD_TIME && (i > 0 || capture_input_left(&f->in) > at));
        r = record_at(p, f->in.at + at);
        if (record_oddities(p, &r, first->s) & ~allowed)
            return false;
        at += p->header_len + r.caplen;
        if (at > CAPTURE_FRAME_MAX + CAPTURE_WINDOW_BYTES)
            return true;                     /* enough of them; the window is no larger */
    }
    return true;
}

/* A first frame, or one after a step of the clock, is no damage. */
static bool record_is_believable(struct capture_file *f, const struct record *r)
{
    const struct capture_pcap *p = &f->pcap;

    if (!p->has_last && !(record_oddities(p, r, r->s)))
        return true;
    return chain_makes_sense(f, r);
}

/* ---- after damage ---- */

/* Could a record begin here, with more of them behind it, all within a week of the one before?
 * When the first is not near the last frame that was read, only a whole chain will do. */
static bool place_makes_sense(struct capture_file *f)
{
    const struct capture_pcap *p = &f->pcap;
    uint32_t last_s = p->last_s;
    bool near = p->has_last && near_s(capture_get_u32(f->in.at, p->swapped), last_s, WEEK_S);
    size_t at = 0;

    for (int i = 0; i < CHAIN; i++) {
        struct record r;

        if (!capture_input_have(&f->in, at + p->header_len))
            return i > 1 || (near && i > 0 && capture_input_left(&f->in) >= at);
        r = record_at(p, f->in.at + at);
        if (r.caplen == 0 || r.caplen > r.len || r.caplen > p->usual_len ||
            r.len > CAPTURE_FRAME_MAX || r.fraction >= p->fraction_limit ||
            (i > 0 && !near_s(r.s, last_s, WEEK_S)))
            return false;
        last_s = r.s;
        at += p->header_len + r.caplen;
    }
    return true;
}

/* Passes over bytes until a record may begin. False: none found. */
static bool pcap_find_next(struct capture_file *f)
{
    const struct capture_pcap *p = &f->pcap;
    struct capture_input *in = &f->in;

    in->at++;
    for (size_t scanned = 0; scanned < CAPTURE_SCAN_MAX; scanned++, in->at++) {
        if (!capture_input_have(in, p->header_len))
            return false;
        if (place_makes_sense(f))
            return true;
    }
    return false;
}

/* At a record that cannot be, or that runs over the end. 1: go on at another place. */
static int pcap_pass_damage(struct capture_file *f, const struct record *r)
{
    uint64_t offset = capture_input_offset(&f->in);
    bool runs_over = r->caplen <= CAPTURE_FRAME_MAX &&
                     !capture_input_have(&f->in, f->pcap.header_len + r->caplen);

    if (pcap_find_next(f)) {
        capture_file_note(f, CAPTURE_DAMAGED, offset);
        return 1;
    }
    return capture_file_end(f, runs_over ? CAPTURE_CUT : CAPTURE_DAMAGED, offset);
}

/* ---- the file ---- */

/* Some writers used the modified magic without the longer records. */
static void settle_record_length(struct capture_file *f)
{
    struct capture_pcap *p = &f->pcap;

    if (p->header_len == 24 && !place_makes_sense(f)) {
        p->header_len = 16;
        if (!place_makes_sense(f))
            p->header_len = 24;
    }
}

static enum capture_problem_kind pcap_begin(struct capture_file *f)
{
    struct capture_pcap *p = &f->pcap;
    const struct pcap_kind *kind;
    const uint8_t *at;
    uint32_t magic, major, minor, snaplen;

    if (!capture_input_have(&f->in, FILE_HEADER_LEN))
        return CAPTURE_CUT;
    at = f->in.at;
    memcpy(&magic, at, sizeof magic);
    p->swapped = !kind_of(magic);
    kind = kind_of(p->swapped ? __builtin_bswap32(magic) : magic);
    if (!kind)
        return CAPTURE_BAD_HEADER;
    major = capture_get_u16(at + 4, p->swapped);
    minor = capture_get_u16(at + 6, p->swapped);
    snaplen = capture_get_u32(at + 16, p->swapped);

    p->header_len = kind->header_len;
    p->fraction_ns = kind->fraction_ns;
    p->fraction_limit = 1000000000u / kind->fraction_ns;
    p->lengths_swapped = major == 2 && minor <= 3;
    p->usual_len = snaplen < 65536 ? 65536
                   : snaplen > CAPTURE_FRAME_USUAL ? CAPTURE_FRAME_USUAL : snaplen;
    p->link_type = capture_get_u32(at + 20, p->swapped) & 0xffff;
    f->format = kind->name;
    f->in.at += FILE_HEADER_LEN;
    settle_record_length(f);
    if (major != 2) {                        /* no other was ever written */
        if (!place_makes_sense(f))
            return CAPTURE_BAD_HEADER;
        capture_file_note(f, CAPTURE_DAMAGED, 4);
    }
    return CAPTURE_FINE;
}

static inline int hand_out(struct capture_file *f, struct record r, uint32_t wire_len,
                           struct wire_frame *ret)
{
    struct capture_pcap *p = &f->pcap;
    const uint8_t *bytes = f->in.at + p->header_len;

    p->last_s = r.s;
    p->has_last = true;
    ret->time_ns = (int64_t)r.s * 1000000000 + (int64_t)((uint64_t)r.fraction * p->fraction_ns);
    ret->number = ++f->source.frames;
    ret->link_type = p->link_type;
    ret->wire_len = wire_len;
    ret->bytes = slice_of(bytes, r.caplen);
    f->in.at = bytes + r.caplen;
    return 1;
}

/* First frame, end of the window, end of the file, damage. */
static __attribute__((noinline)) int pcap_next_unusual(struct capture_file *f,
                                                       struct wire_frame *ret)
{
    struct capture_pcap *p = &f->pcap;
    struct capture_input *in = &f->in;

    for (;;) {
        struct record r;

        if (!capture_input_have(in, p->header_len))
            return capture_file_end(f, capture_input_left(in) ? CAPTURE_CUT : CAPTURE_FINE,
                                    capture_input_offset(in));
        r = record_at(p, in->at);
        if (!record_is_usual(p, r) && !record_is_believable(f, &r)) {
            if (pcap_pass_damage(f, &r) > 0)
                continue;
            return -1;
        }
        if (!capture_input_have(in, p->header_len + r.caplen))
            return capture_file_end(f, CAPTURE_CUT, capture_input_offset(in));
        return hand_out(f, r, r.len > r.caplen ? r.len : r.caplen, ret);
    }
}

static int pcap_next(struct capture_source *s, struct wire_frame *ret)
{
    struct capture_file *f = (struct capture_file *)s;
    const struct capture_pcap *p = &f->pcap;
    size_t left = capture_input_left(&f->in);

    if (__builtin_expect(left >= p->header_len, 1)) {
        struct record r = record_as_written(p, f->in.at);

        if (__builtin_expect(record_is_usual(p, r) && left - p->header_len >= r.caplen, 1))
            return hand_out(f, r, r.len, ret);
    }
    return pcap_next_unusual(f, ret);
}

const struct capture_format capture_format_pcap = { pcap_is, pcap_begin, pcap_next, NULL };
