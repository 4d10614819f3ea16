/* capture/file_test.c - capture files of every kind, whole, cut, damaged and foreign.
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "harness/test.h"

#define BUILD_MAX 65536u
#define FRAMES_MAX 64

/* ---- captures built in memory ---- */

struct build {
    uint8_t bytes[BUILD_MAX];
    size_t  len;
    bool    swapped;                 /* the other byte order than this machine's */
    size_t  ends[FRAMES_MAX];        /* where each frame's record ends */
    size_t  starts[FRAMES_MAX];
    int     frames;
};

static void put(struct build *b, const void *bytes, size_t len)
{
    if (len > BUILD_MAX - b->len)
        FAIL("the capture built for the test is larger than its buffer");
    memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
}

static void put_u8(struct build *b, uint8_t v) { put(b, &v, 1); }

static void put_u16(struct build *b, uint16_t v)
{
    v = b->swapped ? __builtin_bswap16(v) : v;
    put(b, &v, sizeof v);
}

static void put_u32(struct build *b, uint32_t v)
{
    v = b->swapped ? __builtin_bswap32(v) : v;
    put(b, &v, sizeof v);
}

static void put_u64(struct build *b, uint64_t v)
{
    v = b->swapped ? __builtin_bswap64(v) : v;
    put(b, &v, sizeof v);
}

static void put_pad(struct build *b, size_t len)
{
    while (len-- > 0)
        put_u8(b, 0);
}

/* The n-th frame of every capture here: its length and bytes tell its number. */
static size_t frame_len(int n) { return 40 + (size_t)(n * 37) % 90; }
static uint8_t frame_byte(int n, size_t i) { return (uint8_t)(0x80 + n * 7 + (int)i); }
static uint32_t frame_s(int n) { return 1700000000u + (uint32_t)n; }

static void put_frame(struct build *b, int n)
{
    for (size_t i = 0; i < frame_len(n); i++)
        put_u8(b, frame_byte(n, i));
}

static void pcap_header(struct build *b, uint32_t magic, uint16_t minor)
{
    put_u32(b, magic);
    put_u16(b, 2);
    put_u16(b, minor);
    put_u32(b, 0);
    put_u32(b, 0);
    put_u32(b, 65535);
    put_u32(b, 1);
}

static void pcap_record(struct build *b, int n, uint32_t fraction, bool modified)
{
    b->starts[b->frames] = b->len;
    put_u32(b, frame_s(n));
    put_u32(b, fraction);
    put_u32(b, (uint32_t)frame_len(n));
    put_u32(b, (uint32_t)frame_len(n) + 10);
    if (modified)
        put_pad(b, 8);
    put_frame(b, n);
    b->ends[b->frames++] = b->len;
}

static void build_pcap(struct build *b, bool swapped, int frames)
{
    *b = (struct build){ .swapped = swapped };
    pcap_header(b, 0xa1b2c3d4, 4);
    for (int n = 0; n < frames; n++)
        pcap_record(b, n, 5, false);
}

static void block(struct build *b, uint32_t type, const struct build *body)
{
    uint32_t padded = (uint32_t)(body->len + 3) & ~3u;

    put_u32(b, type);
    put_u32(b, padded + 12);
    put(b, body->bytes, body->len);
    put_pad(b, padded - body->len);
    put_u32(b, padded + 12);
}

static void section(struct build *b)
{
    struct build body = { .swapped = b->swapped };

    put_u32(&body, 0x1a2b3c4d);
    put_u16(&body, 1);
    put_u16(&body, 0);
    put_u64(&body, UINT64_MAX);
    block(b, 0x0a0d0d0a, &body);
}

/* if_tsresol and if_tsoffset are left out when 6 and 0, as writers do. */
static void interface(struct build *b, uint16_t link_type, uint32_t snaplen, uint8_t resolution,
                      int64_t offset_s)
{
    struct build body = { .swapped = b->swapped };

    put_u16(&body, link_type);
    put_u16(&body, 0);
    put_u32(&body, snaplen);
    put_u16(&body, 2);                       /* if_name */
    put_u16(&body, 4);
    put(&body, "eth0", 4);
    if (resolution != 6) {
        put_u16(&body, 9);
        put_u16(&body, 1);
        put_u8(&body, resolution);
        put_pad(&body, 3);
    }
    if (offset_s) {
        put_u16(&body, 14);
        put_u16(&body, 8);
        put_u64(&body, (uint64_t)offset_s);
    }
    put_u32(&body, 0);
    block(b, 1, &body);
}

static void enhanced_at(struct build *b, int n, uint32_t interface_id, uint64_t ticks)
{
    struct build body = { .swapped = b->swapped };

    put_u32(&body, interface_id);
    put_u32(&body, (uint32_t)(ticks >> 32));
    put_u32(&body, (uint32_t)ticks);
    put_u32(&body, (uint32_t)frame_len(n));
    put_u32(&body, (uint32_t)frame_len(n) + 10);
    put_frame(&body, n);
    b->starts[b->frames] = b->len;
    block(b, 6, &body);
    b->ends[b->frames++] = b->len;
}

static void enhanced(struct build *b, int n, uint32_t interface_id)
{
    enhanced_at(b, n, interface_id, frame_s(n) * UINT64_C(1000000) + 5);
}

static void build_pcapng(struct build *b, bool swapped, int frames)
{
    *b = (struct build){ .swapped = swapped };
    section(b);
    interface(b, 1, 0, 6, 0);
    for (int n = 0; n < frames; n++)
        enhanced(b, n, 0);
}

/* One gzip member of `from` behind what is in `b`. */
static void put_gzip(struct build *b, const void *from, size_t len)
{
    z_stream z = { 0 };

    CHECK_EQ(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)from;
    z.avail_in = (uInt)len;
    z.next_out = b->bytes + b->len;
    z.avail_out = (uInt)(BUILD_MAX - b->len);
    CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    b->len = BUILD_MAX - z.avail_out;
    CHECK_EQ(deflateEnd(&z), Z_OK);
}

/* ---- reading them ---- */

struct seen {
    int  opened, end;                /* results of open and of the last next */
    int  frames;
    bool right[FRAMES_MAX];          /* frame n came whole and with its time */
    int  wrong;                      /* frames that are none of ours */
    struct capture_problem problem;
    char format[48];
    uint64_t done, total;
    struct wire_frame last;
};

static bool is_frame(const struct wire_frame *f, int n)
{
    if (f->bytes.len != frame_len(n) || f->wire_len != frame_len(n) + 10)
        return false;
    for (size_t i = 0; i < f->bytes.len; i++)
        if ((uint8_t)f->bytes.ptr[i] != frame_byte(n, i))
            return false;
    return true;
}

static void look_at_frame(const struct wire_frame *f, struct seen *ret)
{
    int64_t n = f->time_ns / 1000000000 - frame_s(0);

    ret->last = *f;
    if (f->number != (uint64_t)++ret->frames)
        FAIL("frame %d is numbered %llu", ret->frames, (unsigned long long)f->number);
    if (n >= 0 && n < FRAMES_MAX && is_frame(f, (int)n))
        ret->right[n] = true;
    else
        ret->wrong++;
}

static void read_all(struct capture_source *s, struct seen *ret)
{
    struct wire_frame f;

    while ((ret->end = capture_next(s, &f)) > 0)
        look_at_frame(&f, ret);
    CHECK_EQ(capture_next(s, &f), ret->end);         /* it stays at its end */
    ret->problem = *capture_problem(s);
    (void)snprintf(ret->format, sizeof ret->format, "%s", capture_format(s));
    capture_progress(s, &ret->done, &ret->total);
    CHECK(capture_close(s) == NULL);
}

/* From a heap block of exactly its size, so that a sanitizer sees a read behind it. */
static struct seen see_bytes(const void *bytes, size_t len)
{
    struct seen seen = { 0 };
    struct capture_source *s = NULL;
    char *copy = malloc(len ? len : 1);

    CHECK(copy != NULL);
    memcpy(copy, bytes, len);
    seen.opened = capture_open_memory(slice_of(copy, len), &s, &seen.problem);
    if (seen.opened == 0)
        read_all(s, &seen);
    free(copy);
    return seen;
}

static struct seen see(const struct build *b) { return see_bytes(b->bytes, b->len); }

static struct seen see_file(const char *path)
{
    struct seen seen = { 0 };
    struct capture_source *s = NULL;

    seen.opened = capture_open_file(path, &s, &seen.problem);
    if (seen.opened == 0)
        read_all(s, &seen);
    return seen;
}

static int right_frames(const struct seen *seen)
{
    int right = 0;

    for (int n = 0; n < FRAMES_MAX; n++)
        right += seen->right[n];
    return right;
}

/* ---- files ---- */

/* tmp/NAME beside this program. */
static const char *tmp_path(const char *name)
{
    static char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 64);

    CHECK(len > 0);
    while (len > 0 && path[len - 1] != '/')
        len--;
    (void)snprintf(path + len, sizeof path - (size_t)len, "tmp");
    (void)mkdir(path, 0755);
    (void)snprintf(path + len, sizeof path - (size_t)len, "tmp/capture-%ld-%s", (long)getpid(),
                   name);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    CHECK(f != NULL);
    CHECK_EQ(fwrite(bytes, 1, len, f), len);
    CHECK_EQ(fclose(f), 0);
}

/* ---- the tests ---- */

TEST(pcap_is_read_in_both_byte_orders_and_both_resolutions)
{
    static const struct {
        uint32_t magic;
        bool swapped, modified;
        int64_t fraction_ns;
        const char *format;
    } rows[] = {
        { 0xa1b2c3d4, false, false, 5000, "pcap" },
        { 0xa1b2c3d4, true,  false, 5000, "pcap" },
        { 0xa1b23c4d, false, false, 5,    "pcap, nanoseconds" },
        { 0xa1b23c4d, true,  false, 5,    "pcap, nanoseconds" },
        { 0xa1b2cd34, false, true,  5000, "pcap, modified" },
        { 0xa1b2cd34, true,  true,  5000, "pcap, modified" },
        { 0xa1b2cd34, false, false, 5000, "pcap, modified" },     /* magic without the records */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct build b = { .swapped = rows[i].swapped };
        struct seen seen;

        pcap_header(&b, rows[i].magic, 4);
        for (int n = 0; n < 8; n++)
            pcap_record(&b, n, 5, rows[i].modified);
        seen = see(&b);
        CHECK_ROW_EQ(i, seen.opened, 0);
        CHECK_ROW_EQ(i, seen.end, 0);
        CHECK_ROW_EQ(i, seen.problem.kind, CAPTURE_FINE);
        CHECK_ROW_EQ(i, right_frames(&seen), 8);
        CHECK_ROW_EQ(i, seen.last.time_ns, frame_s(7) * INT64_C(1000000000) + rows[i].fraction_ns);
        CHECK_ROW_EQ(i, seen.last.link_type, 1);
        CHECK_ROW_EQ(i, seen.format, rows[i].format);
    }
}

TEST(pcap_before_version_2_3_has_its_lengths_the_other_way_round)
{
    struct build b = { 0 };
    struct seen seen;

    pcap_header(&b, 0xa1b2c3d4, 2);
    for (int n = 0; n < 4; n++) {
        put_u32(&b, frame_s(n));
        put_u32(&b, 5);
        put_u32(&b, (uint32_t)frame_len(n) + 10);
        put_u32(&b, (uint32_t)frame_len(n));
        put_frame(&b, n);
    }
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 4);
    CHECK_EQ(seen.problem.kind, CAPTURE_FINE);
}

TEST(the_upper_half_of_the_link_type_tells_of_a_checksum_and_is_no_type)
{
    struct build b = { 0 };
    struct seen seen;

    pcap_header(&b, 0xa1b2c3d4, 4);
    b.len -= 4;
    put_u32(&b, 0x24000071);                 /* 113, with a frame check sequence of 2 words */
    pcap_record(&b, 0, 5, false);
    seen = see(&b);
    CHECK_EQ(seen.last.link_type, 113);
}

TEST(a_snaplen_that_lies_costs_no_frame)
{
    static const uint32_t snaplens[] = { 0, 1, 68, 262144, UINT32_MAX };

    for (size_t i = 0; i < ARRAY_LEN(snaplens); i++) {
        struct build b;
        struct seen seen;

        build_pcap(&b, false, 8);
        memcpy(b.bytes + 16, &snaplens[i], 4);
        seen = see(&b);
        CHECK_ROW_EQ(i, right_frames(&seen), 8);
        CHECK_ROW_EQ(i, seen.problem.kind, CAPTURE_FINE);
    }
}

TEST(odd_records_that_all_look_alike_are_the_writers_habit_and_no_damage)
{
    static const struct { uint32_t len, fraction; int64_t step_s; } rows[] = {
        { 0,   5,       1 },         /* length on the wire not filled in */
        { 200, 1500000, 1 },         /* microseconds beyond a second */
        { 200, 5,       40000000 },  /* more than a year between frames */
        { 200, 5,       -40000000 }, /* and back */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct build b = { 0 };
        struct seen seen;

        pcap_header(&b, 0xa1b2c3d4, 4);
        for (int n = 0; n < 20; n++) {
            put_u32(&b, (uint32_t)(1700000000 + n * rows[i].step_s));
            put_u32(&b, rows[i].fraction);
            put_u32(&b, 100);
            put_u32(&b, rows[i].len);
            for (int k = 0; k < 100; k++)
                put_u8(&b, (uint8_t)(0x80 + k));
        }
        seen = see(&b);
        CHECK_ROW_EQ(i, seen.frames, 20);
        CHECK_ROW_EQ(i, seen.problem.kind, CAPTURE_FINE);
        CHECK_ROW(i, seen.last.wire_len >= 100);
    }
}

TEST(pcapng_is_read_in_both_byte_orders)
{
    for (int swapped = 0; swapped < 2; swapped++) {
        struct build b;
        struct seen seen;

        build_pcapng(&b, swapped, 8);
        seen = see(&b);
        CHECK_ROW_EQ(swapped, right_frames(&seen), 8);
        CHECK_ROW_EQ(swapped, seen.end, 0);
        CHECK_ROW_EQ(swapped, seen.problem.kind, CAPTURE_FINE);
        CHECK_ROW_EQ(swapped, seen.last.time_ns, frame_s(7) * INT64_C(1000000000) + 5000);
        CHECK_ROW_EQ(swapped, seen.format, "pcapng");
    }
}

TEST(sections_of_different_byte_order_have_their_own_interfaces)
{
    struct build b = { 0 };
    struct seen seen;

    section(&b);
    interface(&b, 113, 0, 6, 0);
    interface(&b, 1, 0, 6, 0);
    enhanced(&b, 0, 1);
    b.swapped = true;
    section(&b);
    interface(&b, 228, 0, 6, 0);
    enhanced(&b, 1, 0);
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 2);
    CHECK_EQ(seen.last.link_type, 228);
    CHECK_EQ(seen.problem.kind, CAPTURE_FINE);

    enhanced(&b, 2, 1);                      /* the interface was of the first section */
    enhanced(&b, 3, 0);
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 3);
    CHECK(!seen.right[2]);
    CHECK_EQ(seen.problem.kind, CAPTURE_DAMAGED);
    CHECK_EQ(seen.problem.times, 1);
    CHECK_EQ(seen.problem.frame, 2);
    CHECK_EQ(seen.problem.offset, b.starts[2]);
}

TEST(the_resolution_and_offset_of_an_interface_make_the_time)
{
    static const struct { uint8_t resolution; int64_t offset_s; uint64_t ticks; int64_t ns; } rows[] = {
        { 6, 0, 1700000000000005, 1700000000000005000 },
        { 9, 0, 1700000000000000005, 1700000000000000005 },
        { 0, 0, 1700000000, 1700000000000000000 },
        { 3, 0, 1700000000005, 1700000000005000000 },
        { 12, 0, 5000000000007999, 5000000000007 },          /* picoseconds: cut, not rounded */
        { 19, 0, UINT64_MAX, 1844674407 },
        { 127, 0, UINT64_MAX, 0 },
        { 0x80, 0, 1700000000, 1700000000000000000 },        /* 2^0 */
        { 0x81, 0, 3400000001, 1700000000500000000 },        /* half seconds */
        { 0x8a, 0, 1700000000ull << 10 | 512, 1700000000500000000 },
        { 0xa0, 0, 1700000000ull << 32 | 1u << 31, 1700000000500000000 },
        { 0xff, 0, UINT64_MAX, 0 },
        { 6, 1000, 5, 1000000005000 },
        { 6, 1700000000, 0, 1700000000000000000 },
        { 9, -1, 1700000000000000000, 1699999999000000000 },
        /* what cannot be said: the time of the frame before, here 0 */
        { 0, 0, UINT64_MAX, 0 },
        { 6, 0, UINT64_MAX, 0 },
        { 6, INT64_MAX, 5, 0 },
        { 6, INT64_MIN, 5, 0 },
        { 6, -1, 5, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct build b = { .swapped = i % 2 };
        struct seen seen;
        bool possible = rows[i].ns || rows[i].resolution >= 127;

        section(&b);
        interface(&b, 1, 0, rows[i].resolution, rows[i].offset_s);
        enhanced_at(&b, 0, 0, rows[i].ticks);
        seen = see(&b);
        CHECK_ROW_EQ(i, seen.frames, 1);
        CHECK_ROW_EQ(i, seen.last.time_ns, rows[i].ns);
        CHECK_ROW_EQ(i, seen.problem.kind, possible ? CAPTURE_FINE : CAPTURE_DAMAGED);
    }
}

TEST(simple_and_old_packet_blocks_are_frames_and_other_blocks_are_passed_over)
{
    static const uint32_t others[] = { 4, 5, 10, 0xbad, 0x40000bad, 0x80000001, 7, 8, 9 };
    struct build b = { 0 }, body = { 0 };
    struct seen seen;

    section(&b);
    interface(&b, 1, 64, 6, 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        body = (struct build){ 0 };
        put_pad(&body, i * 5);
        block(&b, others[i], &body);
    }
    enhanced(&b, 3, 0);

    body = (struct build){ 0 };
    put_u16(&body, 0);                       /* interface, drops */
    put_u16(&body, 0);
    put_u32(&body, (uint32_t)((frame_s(4) * UINT64_C(1000000)) >> 32));
    put_u32(&body, (uint32_t)(frame_s(4) * UINT64_C(1000000)));
    put_u32(&body, (uint32_t)frame_len(4));
    put_u32(&body, (uint32_t)frame_len(4) + 10);
    put_frame(&body, 4);
    block(&b, 2, &body);
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 2);

    body = (struct build){ 0 };
    put_u32(&body, 100);                     /* longer than the snaplen of 64 */
    for (int i = 0; i < 64; i++)
        put_u8(&body, (uint8_t)i);
    block(&b, 3, &body);
    seen = see(&b);
    CHECK_EQ(seen.frames, 3);
    CHECK_EQ(seen.last.bytes.len, 64);
    CHECK_EQ(seen.last.wire_len, 100);
    CHECK_EQ(seen.last.time_ns, frame_s(4) * INT64_C(1000000000));   /* it has none itself */
    CHECK_EQ(seen.problem.kind, CAPTURE_FINE);
}

TEST(a_block_whose_length_is_no_multiple_of_four_is_taken_padded_or_not)
{
    for (int padded = 0; padded < 2; padded++) {
        struct build b = { 0 };
        struct seen seen;

        section(&b);
        interface(&b, 1, 0, 6, 0);
        put_u32(&b, 5);
        put_u32(&b, 12 + 5);
        put(&b, "hello", 5);
        put_pad(&b, padded ? 3 : 0);
        put_u32(&b, 12 + 5);
        enhanced(&b, 0, 0);
        seen = see(&b);
        CHECK_ROW_EQ(padded, right_frames(&seen), 1);
        CHECK_ROW_EQ(padded, seen.problem.kind, CAPTURE_FINE);
    }
}

TEST(gzip_is_undone_in_one_member_or_in_many)
{
    struct build plain, b = { 0 };
    struct seen seen;

    build_pcapng(&plain, false, 20);
    put_gzip(&b, plain.bytes, plain.len);
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 20);
    CHECK_EQ(seen.format, "pcapng, gzip");
    CHECK_EQ(seen.problem.kind, CAPTURE_FINE);
    CHECK_EQ(seen.done, b.len);
    CHECK_EQ(seen.total, b.len);

    b = (struct build){ 0 };
    for (size_t at = 0; at < plain.len; at += 100)
        put_gzip(&b, plain.bytes + at, plain.len - at < 100 ? plain.len - at : 100);
    put_gzip(&b, "", 0);
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 20);
    CHECK_EQ(seen.end, 0);

    put_pad(&b, 100);                        /* as tapes and disks leave it */
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 20);
    CHECK_EQ(seen.end, 0);

    put(&b, "garbage", 7);
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 20);
    CHECK_EQ(seen.problem.kind, CAPTURE_GZIP_DAMAGED);
}

TEST(a_gzip_with_a_wrong_byte_gives_what_stands_before_it)
{
    struct build plain, whole = { 0 };
    int most = 0;

    build_pcap(&plain, false, 30);
    put_gzip(&whole, plain.bytes, plain.len);
    for (size_t at = 10; at < whole.len; at++) {
        struct build b = whole;
        struct seen seen;

        b.bytes[at] ^= 0x55;
        seen = see(&b);
        CHECK_ROW(at, seen.opened < 0 || seen.problem.kind != CAPTURE_FINE);
        most = right_frames(&seen) > most ? right_frames(&seen) : most;
    }
    CHECK_EQ(most, 30);                      /* a wrong checksum at the end loses nothing */
}

/* What stands before the cut is delivered, and the cut is told unless it falls between records. */
static void check_every_cut(const struct build *b, size_t first_record)
{
    for (size_t len = 0; len <= b->len; len++) {
        struct seen seen = see_bytes(b->bytes, len);
        int whole = 0;
        bool between = len == first_record;

        for (int n = 0; n < b->frames; n++) {
            whole += b->ends[n] <= len;
            between |= b->ends[n] == len;
        }
        CHECK_ROW_EQ(len, right_frames(&seen), whole);
        CHECK_ROW_EQ(len, seen.wrong, 0);
        CHECK_ROW_EQ(len, seen.problem.kind,
                     len == 0 ? CAPTURE_EMPTY : between ? CAPTURE_FINE : CAPTURE_CUT);
        CHECK_ROW_EQ(len, seen.opened < 0, len < 24 && !between);
        CHECK_ROW(len, between || seen.problem.offset <= len);
    }
}

TEST(a_pcap_cut_at_any_byte_gives_every_frame_before_the_cut)
{
    struct build b;

    for (int swapped = 0; swapped < 2; swapped++) {
        build_pcap(&b, swapped, 6);
        check_every_cut(&b, 24);
    }
}

TEST(a_pcapng_cut_at_any_byte_gives_every_frame_before_the_cut)
{
    struct build b, head = { 0 };

    section(&head);
    build_pcapng(&b, false, 6);
    for (size_t len = 0; len <= b.len; len++) {
        struct seen seen = see_bytes(b.bytes, len);
        int whole = 0;
        bool between = len == head.len || len == b.starts[0];

        for (int n = 0; n < b.frames; n++) {
            whole += b.ends[n] <= len;
            between |= b.ends[n] == len;
        }
        CHECK_ROW_EQ(len, right_frames(&seen), whole);
        CHECK_ROW_EQ(len, seen.wrong, 0);
        CHECK_ROW_EQ(len, seen.problem.kind,
                     len == 0 ? CAPTURE_EMPTY : between ? CAPTURE_FINE : CAPTURE_CUT);
    }
}

TEST(a_gzip_cut_at_any_byte_is_told_and_gives_what_can_be_inflated)
{
    struct build plain, b = { 0 };
    int last = 0;

    build_pcap(&plain, false, 30);
    put_gzip(&b, plain.bytes, plain.len);
    for (size_t len = 3; len < b.len; len++) {
        struct seen seen = see_bytes(b.bytes, len);

        CHECK_ROW_EQ(len, seen.problem.kind, CAPTURE_GZIP_DAMAGED);
        CHECK_ROW_EQ(len, seen.wrong, 0);
        CHECK_ROW(len, right_frames(&seen) >= last);
        last = right_frames(&seen);
    }
    CHECK_EQ(last, 30);                      /* only the checksum is missing */
}

TEST(frames_behind_a_damaged_record_are_read)
{
    enum { ALL = 24, HIT = 9 };
    static const struct { size_t at, len; uint8_t with; bool harmless; const char *why; } rows[] = {
        { 8, 4, 0xff, false, "captured length" },
        { 8, 4, 0x00, true, "captured length zero: pcapng need not care" },
        { 12, 4, 0x00, true, "length on the wire zero" },
        { 0, 16, 0xff, false, "header" },
        { 0, 16, 0x00, false, "header of zeros" },
        { 0, 16, 0x20, false, "header of blanks" },
        { 4, 60, 0x00, false, "header and some bytes" },
        { 0, 400, 0x00, false, "several records of zeros" },
        { 0, 400, 0x5a, false, "several records" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows) * 4; i++) {
        const size_t row = i / 4;
        bool ng = i & 2;
        struct build b;
        struct seen seen;
        size_t at;

        if (ng)
            build_pcapng(&b, i & 1, ALL);
        else
            build_pcap(&b, i & 1, ALL);
        at = rows[row].at + (ng && rows[row].len == 4 ? 12 : 0);
        memset(b.bytes + b.starts[HIT] + at, rows[row].with, rows[row].len);
        seen = see(&b);
        CHECK_ROW(i, right_frames(&seen) >= ALL - 1 - (int)(rows[row].len / 100) * 2);
        CHECK_ROW(i, seen.right[HIT - 1] && seen.right[ALL - 1]);
        if (!rows[row].harmless) {
            CHECK_ROW_EQ(i, seen.problem.kind, CAPTURE_DAMAGED);
            CHECK_ROW(i, seen.problem.times >= 1);
            CHECK_ROW(i, seen.problem.frame == HIT || seen.problem.frame == HIT + 1);
        }
        CHECK_ROW_EQ(i, seen.end, 0);
    }
}

/* Found by fuzz_capture: such a frame did not count as seen, and it mattered how the file was
 * read. What stands behind the damage is decades off, but it is a chain of records. */
TEST(a_frame_of_the_first_hour_of_1970_is_a_frame_before_the_damage_too)
{
    const char *path = tmp_path("epoch");
    struct build b;
    struct seen memory, file;
    uint32_t s = 5;

    build_pcap(&b, false, 8);
    memcpy(b.bytes + b.starts[0], &s, 4);
    memset(b.bytes + b.starts[1], 0xff, 16);
    write_file(path, b.bytes, b.len);
    memory = see(&b);
    file = see_file(path);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(memory.frames, 7);
    CHECK_EQ(memory.frames, file.frames);
    CHECK_EQ(memory.end, file.end);
    CHECK_EQ(memory.problem.kind, CAPTURE_DAMAGED);
}

TEST(bytes_lost_or_added_in_the_middle_cost_the_records_they_touch)
{
    enum { ALL = 24, HIT = 9 };

    for (size_t i = 0; i < 80; i++) {
        bool ng = i & 1, lost = i & 2;
        size_t n = 1 + i / 4 * 7;
        struct build b, whole;
        struct seen seen;

        if (ng)
            build_pcapng(&whole, false, ALL);
        else
            build_pcap(&whole, false, ALL);
        b = (struct build){ 0 };
        put(&b, whole.bytes, whole.starts[HIT] + 20);
        for (size_t k = 0; !lost && k < n; k++)
            put_u8(&b, (uint8_t)(k * 13));
        put(&b, whole.bytes + whole.starts[HIT] + 20 + (lost ? n : 0),
            whole.len - whole.starts[HIT] - 20 - (lost ? n : 0));
        seen = see(&b);
        CHECK_ROW(i, right_frames(&seen) >= ALL - 3 - (lost ? (int)n / 70 : 0));
        CHECK_ROW(i, seen.right[HIT - 1] && seen.right[ALL - 1]);
        CHECK_ROW_EQ(i, seen.problem.kind, CAPTURE_DAMAGED);
        CHECK_ROW_EQ(i, seen.end, 0);
    }
}

TEST(no_single_wrong_byte_costs_more_than_the_frames_it_touches)
{
    enum { ALL = 8 };
    static const uint8_t flips[] = { 0x01, 0x80, 0xff, 0x10 };

    for (int ng = 0; ng < 2; ng++) {
        struct build whole;

        if (ng)
            build_pcapng(&whole, false, ALL);
        else
            build_pcap(&whole, false, ALL);
        for (size_t at = whole.starts[1]; at < whole.starts[5]; at++) {
            for (size_t k = 0; k < ARRAY_LEN(flips); k++) {
                struct build b = whole;
                struct seen seen;

                b.bytes[at] ^= flips[k];
                seen = see(&b);
                CHECK_ROW(at, right_frames(&seen) >= ALL - 2);
                CHECK_ROW(at, seen.frames <= ALL);
                CHECK_ROW(at, seen.right[0] && seen.right[ALL - 1]);
            }
        }
    }
}

TEST(a_captured_length_beyond_16_mib_is_damage_and_one_of_16_mib_is_none)
{
    size_t len = 24 + 3 * (16 + (16u << 20)), at = 24;
    uint8_t *bytes = calloc(1, len);
    struct build head = { 0 };
    struct seen seen;
    uint32_t header[4] = { 1700000000, 5, 16u << 20, 16u << 20 };

    CHECK(bytes != NULL);
    pcap_header(&head, 0xa1b2c3d4, 4);
    memcpy(bytes, head.bytes, 24);
    for (int n = 0; n < 3; n++, at += 16 + (16u << 20))
        memcpy(bytes + at, header, 16);
    seen = see_bytes(bytes, len);
    CHECK_EQ(seen.frames, 3);
    CHECK_EQ(seen.problem.kind, CAPTURE_FINE);

    header[2]++;
    memcpy(bytes + 24, header, 16);
    seen = see_bytes(bytes, len);
    CHECK_EQ(seen.end, -1);
    CHECK_EQ(seen.frames, 0);
    CHECK_EQ(seen.problem.kind, CAPTURE_DAMAGED);
    CHECK_EQ(seen.problem.offset, 24);
    free(bytes);
}

TEST(a_file_that_is_no_capture_is_named)
{
    static const struct { slice bytes; struct capture_looks looks; } rows[] = {
        { SLICE("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), { CAPTURE_LOOKS_IMAGE, "PNG" } },
        { SLICE("\xff\xd8\xff\xe0\0\x10JFIF"), { CAPTURE_LOOKS_IMAGE, "JPEG" } },
        { SLICE("%PDF-1.7\n"), { CAPTURE_LOOKS_DOCUMENT, "PDF" } },
        { SLICE("PK\3\4\x14\0"), { CAPTURE_LOOKS_ARCHIVE, "ZIP" } },
        { SLICE("\x7f" "ELF\2\1\1"), { CAPTURE_LOOKS_PROGRAM, "ELF" } },
        { SLICE("SQLite format 3\0\x10\0"), { CAPTURE_LOOKS_DATABASE, "SQLite" } },
        { SLICE("RIFF\x24\0\0\0WAVEfmt "), { CAPTURE_LOOKS_SOUND, "WAV" } },
        { SLICE("snoop\0\0\0\0\0\0\2\0\0\0\4"), { CAPTURE_LOOKS_CAPTURE, "snoop" } },
        { SLICE("GMBU\0\2"), { CAPTURE_LOOKS_CAPTURE, "Microsoft Network Monitor 2" } },
        { SLICE("RTSS\0\1"), { CAPTURE_LOOKS_CAPTURE, "Microsoft Network Monitor 1" } },
        { SLICE("+---------+---------------+----------+\n"), { CAPTURE_LOOKS_CAPTURE, "K12 text" } },
        { SLICE("\x28\xb5\x2f\xfd\x04"), { CAPTURE_LOOKS_COMPRESSED, "zstd" } },
        { SLICE("\xfd" "7zXZ\0\0\4"), { CAPTURE_LOOKS_COMPRESSED, "xz" } },
        { SLICE("BZh91AY&SY"), { CAPTURE_LOOKS_COMPRESSED, "bzip2" } },
        { SLICE("\x04\x22\x4d\x18\x64"), { CAPTURE_LOOKS_COMPRESSED, "lz4" } },
        { SLICE("{\"type\":\"call\"}\n"), { CAPTURE_LOOKS_TEXT, "JSON" } },
        { SLICE("<?xml version=\"1.0\"?>"), { CAPTURE_LOOKS_TEXT, "XML" } },
        { SLICE("  <pdml>\n"), { CAPTURE_LOOKS_TEXT, "XML" } },
        { SLICE("INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n"), { CAPTURE_LOOKS_TEXT, "" } },
        { SLICE("\xe4\xbd\xa0\xe5\xa5\xbd\n"), { CAPTURE_LOOKS_TEXT, "" } },
        { SLICE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), { CAPTURE_LOOKS_ZEROS, "" } },
        { SLICE("\x10\0\x10\0\0\xe6\x07\x0b\x15\x0c\x20\x20\0\0\0\0\1\0\0\0\0\0\0\0"),
          { CAPTURE_LOOKS_CAPTURE, "CommView" } },
        { SLICE("\0\0\0\0\0\xf1\x53\x65\2\0\0\x14\0\0\0\4abcd"
                "\0\0\0\0\1\xf1\x53\x65\2\0\0\x14\0\0\0\4abcd"), { CAPTURE_LOOKS_CAPTURE, "ERF" } },
        { SLICE("\1\2\3\4\5\6\7\x08\x01\x02\x03"), { CAPTURE_LOOKS_UNKNOWN, "" } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct seen seen = see_bytes(rows[i].bytes.ptr, rows[i].bytes.len);

        CHECK_ROW(i, seen.opened < 0);
        CHECK_ROW_EQ(i, seen.problem.kind, CAPTURE_FOREIGN);
        CHECK_ROW_EQ(i, seen.problem.looks.kind, rows[i].looks.kind);
        CHECK_ROW_EQ(i, seen.problem.looks.name, rows[i].looks.name);
    }
}

TEST(a_foreign_file_inside_gzip_is_named_too)
{
    struct build b = { 0 };
    struct seen seen;

    put_gzip(&b, "%PDF-1.7\n", 9);
    seen = see(&b);
    CHECK_EQ(seen.problem.kind, CAPTURE_FOREIGN);
    CHECK_EQ(seen.problem.looks.kind, CAPTURE_LOOKS_DOCUMENT);

    b = (struct build){ 0 };
    put_gzip(&b, "", 0);
    seen = see(&b);
    CHECK_EQ(seen.problem.kind, CAPTURE_EMPTY);
}

TEST(a_header_that_lies_is_refused_unless_the_records_make_sense)
{
    struct build b;
    struct seen seen;

    build_pcap(&b, false, 8);
    b.bytes[4] = 77;                         /* version */
    seen = see(&b);
    CHECK_EQ(right_frames(&seen), 8);
    CHECK_EQ(seen.problem.kind, CAPTURE_DAMAGED);
    CHECK_EQ(seen.problem.offset, 4);

    memset(b.bytes + 24, 0xff, b.len - 24);
    seen = see(&b);
    CHECK(seen.opened < 0);
    CHECK_EQ(seen.problem.kind, CAPTURE_BAD_HEADER);

    build_pcapng(&b, false, 3);
    b.bytes[8] ^= 1;                         /* byte-order magic */
    seen = see(&b);
    CHECK_EQ(seen.problem.kind, CAPTURE_BAD_HEADER);

    build_pcapng(&b, false, 3);
    b.bytes[12] = 9;                         /* major version */
    seen = see(&b);
    CHECK_EQ(seen.problem.kind, CAPTURE_BAD_HEADER);
}

TEST(what_cannot_be_opened_says_why)
{
    struct seen seen = see_file("/nowhere/at/all.pcap");

    CHECK_EQ(seen.problem.kind, CAPTURE_CANNOT_OPEN);
    CHECK_EQ(seen.problem.errno_value, ENOENT);
    seen = see_file("/");
    CHECK_EQ(seen.problem.kind, CAPTURE_CANNOT_OPEN);
    CHECK_EQ(seen.problem.errno_value, EISDIR);
}

TEST(a_file_that_may_not_be_read_says_so)
{
    const char *path = tmp_path("secret");
    struct seen seen;

    if (geteuid() == 0)
        SKIP("root may read every file");
    write_file(path, "x", 1);
    CHECK_EQ(chmod(path, 0), 0);
    seen = see_file(path);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(seen.problem.kind, CAPTURE_CANNOT_OPEN);
    CHECK_EQ(seen.problem.errno_value, EACCES);
}

TEST(an_empty_file_is_empty)
{
    const char *path = tmp_path("empty");
    struct seen seen;

    write_file(path, "", 0);
    seen = see_file(path);
    CHECK_EQ(unlink(path), 0);
    CHECK(seen.opened < 0);
    CHECK_EQ(seen.problem.kind, CAPTURE_EMPTY);
}

/* Frames enough for several windows. */
static void write_long_pcap(FILE *f, int frames)
{
    struct build b;

    build_pcap(&b, false, 0);
    CHECK_EQ(fwrite(b.bytes, 1, b.len, f), b.len);
    for (int n = 0; n < frames; n++) {
        b.len = 0;
        b.frames = 0;
        pcap_record(&b, n % FRAMES_MAX, 5, false);
        CHECK_EQ(fwrite(b.bytes, 1, b.len, f), b.len);
    }
}

TEST(a_long_file_is_read_whole_and_its_progress_reaches_the_end)
{
    enum { FRAMES = 40000 };
    const char *path = tmp_path("long");
    FILE *f = fopen(path, "wb");
    struct seen seen;
    struct stat st;

    CHECK(f != NULL);
    write_long_pcap(f, FRAMES);
    CHECK_EQ(fclose(f), 0);
    CHECK_EQ(stat(path, &st), 0);
    seen = see_file(path);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(seen.frames, FRAMES);
    CHECK_EQ(seen.wrong, 0);
    CHECK_EQ(seen.problem.kind, CAPTURE_FINE);
    CHECK_EQ(seen.total, st.st_size);
    CHECK_EQ(seen.done, st.st_size);
}

TEST(a_file_that_shrinks_while_it_is_read_ends_early_and_harms_nobody)
{
    const char *path = tmp_path("shrinks");
    FILE *f = fopen(path, "wb");
    struct capture_source *s;
    struct capture_problem problem;
    struct seen seen = { 0 };
    struct wire_frame frame;

    CHECK(f != NULL);
    write_long_pcap(f, 40000);
    CHECK_EQ(fclose(f), 0);
    CHECK_EQ(capture_open_file(path, &s, &problem), 0);
    CHECK_EQ(capture_next(s, &frame), 1);
    look_at_frame(&frame, &seen);
    CHECK_EQ(truncate(path, 1500001), 0);
    read_all(s, &seen);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(seen.wrong, 0);
    CHECK(seen.frames > 10000 && seen.frames < 40000);
    CHECK_EQ(seen.problem.kind, CAPTURE_CUT);
}

TEST(standard_input_is_read_through_a_pipe)
{
    enum { FRAMES = 5000 };
    int ends[2], kept = dup(STDIN_FILENO), status;
    struct seen seen;
    pid_t writer;

    CHECK_EQ(pipe(ends), 0);
    writer = fork();
    CHECK(writer >= 0);
    if (writer == 0) {
        FILE *f = fdopen(ends[1], "wb");

        (void)close(ends[0]);
        (void)setvbuf(f, NULL, _IOFBF, 777);         /* odd pieces */
        write_long_pcap(f, FRAMES);
        (void)fflush(f);
        _exit(0);
    }
    (void)close(ends[1]);
    CHECK(dup2(ends[0], STDIN_FILENO) >= 0);
    (void)close(ends[0]);
    seen = see_file("-");
    if (kept >= 0) {
        CHECK(dup2(kept, STDIN_FILENO) >= 0);
        (void)close(kept);
    }
    CHECK_EQ(waitpid(writer, &status, 0), writer);
    CHECK_EQ(seen.frames, FRAMES);
    CHECK_EQ(seen.wrong, 0);
    CHECK_EQ(seen.end, 0);
    CHECK_EQ(seen.total, 0);                 /* nobody knows how long a pipe is */
}

TORTURE(a_compressed_capture_is_read_or_says_that_memory_ran_out)
{
    struct build plain, b = { 0 };
    struct capture_source *s = NULL;
    struct capture_problem problem = { 0 };
    struct wire_frame f;
    int frames = 0, got;

    build_pcapng(&plain, false, 10);
    for (int i = 0; i < 20; i++)             /* enough interfaces to grow their table */
        interface(&plain, 1, 0, 6, 0);
    put_gzip(&b, plain.bytes, plain.len);
    if (capture_open_memory(slice_of(b.bytes, b.len), &s, &problem) < 0) {
        CHECK_EQ(problem.kind, CAPTURE_NO_MEMORY);
        CHECK(test_memory_failed());
        return;
    }
    while ((got = capture_next(s, &f)) > 0)
        frames++;
    problem = *capture_problem(s);
    capture_close(s);
    if (test_memory_failed()) {
        CHECK_EQ(problem.kind, CAPTURE_NO_MEMORY);
        CHECK(got < 0);
    } else {
        CHECK_EQ(frames, 10);
        CHECK_EQ(got, 0);
    }
}

TORTURE(a_file_is_opened_or_says_that_memory_ran_out)
{
    const char *path = tmp_path("torture");
    struct build b;
    struct capture_source *s = NULL;
    struct capture_problem problem = { 0 };
    int opened;

    build_pcap(&b, false, 2);
    write_file(path, b.bytes, b.len);
    opened = capture_open_file(path, &s, &problem);
    CHECK_EQ(unlink(path), 0);
    if (opened < 0)
        CHECK_EQ(problem.kind, CAPTURE_NO_MEMORY);
    CHECK_OR_RETURN(opened == 0);
    capture_close(s);
}

TEST(every_problem_has_its_own_slug)
{
    for (int i = 0; i < CAPTURE_PROBLEM_KINDS; i++)
        for (int k = 0; k < i; k++)
            CHECK_ROW(i, strcmp(capture_problem_slug(i), capture_problem_slug(k)) != 0);
    CHECK_EQ(capture_problem_slug(CAPTURE_CUT), "cut");
}

/* The count of packets in MANIFEST.tsv is tshark's. */
TEST(real_captures_have_as_many_frames_as_their_manifest_says)
{
    size_t len;
    char *text = test_read_file(SB_SHARED_DIR "/captures/MANIFEST.tsv", &len);
    slice rest = slice_of(text, len), line;
    int captures = 0;

    (void)slice_take_line(&rest, &line);
    while (slice_take_line(&rest, &line)) {
        char path[4096];
        slice name = slice_take_until(&line, '\t'), cell = { 0 };
        struct seen seen;
        uint32_t packets;

        for (int i = 0; i < 5; i++) {
            line = slice_skip(line, 1);
            cell = slice_take_until(&line, '\t');
        }
        CHECK(slice_to_u32(cell, &packets));
        (void)snprintf(path, sizeof path, SB_SHARED_DIR "/captures/" SLICE_FMT, SLICE_ARG(name));
        seen = see_file(path);
        CHECK_ROW_EQ(captures, seen.frames, packets);
        CHECK_ROW_EQ(captures, seen.problem.kind, CAPTURE_FINE);
        captures++;
    }
    free(text);
    CHECK(captures > 50);
}
