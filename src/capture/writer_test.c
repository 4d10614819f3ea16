/* capture/writer_test.c - what was written is read back to the nanosecond, or an error is told
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/source.h"
#include "harness/test.h"

static char folder[64], path[128];

static const char *in_folder(const char *name)
{
    if (!folder[0]) {
        memcpy(folder, "/tmp/writer-test-XXXXXX", 24);
        CHECK(mkdtemp(folder) != NULL);
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void gone(void)
{
    (void)unlink(path);
    CHECK_EQ(rmdir(folder), 0);           /* and no half-written file beside it */
    folder[0] = 0;
}

static struct wire_frame frame_of(uint32_t link, int64_t time_ns, slice bytes, uint32_t wire_len)
{
    return (struct wire_frame){ .time_ns = time_ns, .link_type = link, .bytes = bytes, .wire_len = wire_len };
}

static void check_read_back(const struct wire_frame *frames, size_t count)
{
    struct capture_source *s = NULL;
    struct capture_problem e;
    struct wire_frame got;

    CHECK_EQ(capture_open_file(path, &s, &e), 0);
    for (size_t i = 0; i < count; i++) {
        CHECK_ROW_EQ(i, capture_next(s, &got), 1);
        CHECK_ROW_EQ(i, got.time_ns, frames[i].time_ns);
        CHECK_ROW_EQ(i, got.link_type, frames[i].link_type);
        CHECK_ROW_EQ(i, got.wire_len, frames[i].wire_len);
        CHECK_ROW_EQ(i, got.bytes, frames[i].bytes);
    }
    CHECK_EQ(capture_next(s, &got), 0);
    capture_close(s);
}

static void write_and_read(const char *name, const struct wire_frame *frames, size_t count)
{
    struct capture_writer *w = NULL;

    CHECK_EQ(capture_writer_open(in_folder(name), &w), 0);
    for (size_t i = 0; i < count; i++)
        CHECK_ROW_EQ(i, capture_write(w, &frames[i]), 0);
    CHECK_EQ(capture_writer_frames(w), count);
    CHECK(access(path, F_OK) < 0);        /* it takes its place when it is whole */
    CHECK_EQ(capture_writer_close(w, false), 0);
    check_read_back(frames, count);
    gone();
}

TEST(times_lengths_and_link_types_are_read_back)
{
    struct wire_frame frames[] = {
        frame_of(1, 1700000000123456789, SLICE("abcdefghijklmnopqrstuvwxyz"), 26),
        frame_of(1, 1700000000123456790, SLICE("cut"), 1500), frame_of(1, 1, SLICE("odd pad"), 7),
        frame_of(113, 1700000001000000001, SLICE("another link"), 12),
        frame_of(1, 1700000002999999999, SLICE("the first again"), 15),
    };

    write_and_read("x.pcapng", frames, 5);
    write_and_read("x.pcap", frames, 3);
    write_and_read("no-suffix", frames, 5);
}

TEST(a_capture_of_nothing_is_a_capture)
{
    write_and_read("x.pcap", NULL, 0);
    write_and_read("x.pcapng", NULL, 0);
}

TEST(pcap_refuses_a_second_link_type)
{
    struct wire_frame one = frame_of(1, 1, SLICE("a"), 1), other = frame_of(113, 2, SLICE("b"), 1);
    struct capture_writer *w = NULL;

    CHECK_EQ(capture_writer_open(in_folder("x.pcap"), &w), 0);
    CHECK_EQ(capture_write(w, &one), 0);
    CHECK_EQ(capture_write(w, &other), -EINVAL);
    CHECK_EQ(capture_writer_close(w, true), 0);
    CHECK(access(path, F_OK) < 0);
    gone();
}

TEST(a_full_disk_is_told_and_a_file_of_old_stays)
{
    struct wire_frame frame = frame_of(1, 1, SLICE("abc"), 3);
    struct capture_writer *w = NULL;
    int error = 0;

    CHECK_EQ(capture_writer_open("/dev/full", &w), 0);
    for (int i = 0; i < 100000 && !error; i++)
        error = capture_write(w, &frame);
    CHECK_EQ(error, -ENOSPC);
    CHECK_EQ(capture_write(w, &frame), -ENOSPC);
    CHECK_EQ(capture_writer_close(w, false), -ENOSPC);

    CHECK_EQ(capture_writer_open("/dev/full", &w), 0);
    CHECK_EQ(capture_write(w, &frame), 0);
    CHECK_EQ(capture_writer_close(w, false), -ENOSPC);     /* known only when it is flushed */
}

static bool is_there(size_t bytes)
{
    struct stat st;

    return stat(path, &st) == 0 && (size_t)st.st_size == bytes;
}

TEST(a_file_that_grows_is_whole_whenever_it_is_read)
{
    static char large[40000];
    struct wire_frame frames[64];
    struct capture_writer *w = NULL;

    CHECK_EQ(capture_writer_open_growing(in_folder("x.pcapng"), &w), 0);
    for (size_t i = 0; i < 64; i++) {                     /* the buffer runs over on the way, never within a frame */
        frames[i] = frame_of(i % 2 ? 101 : 252, (int64_t)i + 1, slice_of(large, 10000 + i * 450), 40000);
        CHECK_ROW_EQ(i, capture_write(w, &frames[i]), 0);
        if (i % 16 == 15) {
            CHECK_ROW_EQ(i, capture_writer_flush(w), 0);
            check_read_back(frames, i + 1);
            CHECK_ROW(i, is_there(capture_writer_bytes(w)));
        }
    }
    CHECK_EQ(capture_writer_close(w, false), 0);
    check_read_back(frames, 64);
    CHECK_EQ(capture_writer_open_growing(path, &w), 0);   /* of the old one nothing stays */
    CHECK_EQ(capture_writer_close(w, false), 0);
    check_read_back(NULL, 0);
    gone();
}

TEST(names_that_cannot_be_written_are_told)
{
    struct capture_writer *w = NULL;

    CHECK_EQ(capture_writer_open("/nowhere/at/all.pcap", &w), -ENOENT);
    CHECK_EQ(capture_writer_open("/tmp", &w), -EISDIR);
    CHECK_EQ(capture_writer_open("x.pcap.gz", &w), -ENOTSUP);
}

TORTURE(a_writer_needs_memory_and_says_so)
{
    struct wire_frame frame = frame_of(1, 7, SLICE("abc"), 3);
    struct capture_writer *w = NULL;

    in_folder("x.pcapng");
    CHECK_OR_GOTO(capture_writer_open(path, &w) == 0, out);
    int error = capture_write(w, &frame), closed = capture_writer_close(w, false);

    CHECK_EQ(error, closed);
    CHECK_EQ(access(path, F_OK), error ? -1 : 0);
    CHECK_OR_GOTO(error == 0, out);
out:
    gone();
}
