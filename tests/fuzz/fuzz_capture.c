/* tests/fuzz/fuzz_capture.c - a whole capture file: it ends, its frames are numbered and lie in
 * time that can be added to, and it reads the same from memory as through a small window.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "capture/source.h"
#include "fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int opened, end;
    uint64_t frames, hash;
    struct capture_problem problem;
};

static void take_frame(const struct wire_frame *f, struct outcome *o)
{
    static const struct hash_seed seed = { 1, 2 };
    uint64_t words[] = { o->hash, (uint64_t)f->time_ns, f->link_type, f->wire_len,
                         hash_bytes(&seed, f->bytes.ptr, f->bytes.len) };

    MUST(f->number == ++o->frames);
    MUST(f->time_ns >= 0 && f->time_ns <= WIRE_TIME_MAX_NS);
    MUST(f->bytes.len <= 16u << 20 && f->wire_len >= f->bytes.len);
    o->hash = hash_bytes(&seed, words, sizeof words);
}

static void take_all(struct capture_source *s, struct outcome *o)
{
    struct wire_frame f;
    uint64_t done, total;

    while ((o->end = capture_next(s, &f)) > 0)
        take_frame(&f, o);
    MUST(capture_next(s, &f) == o->end);
    o->problem = *capture_problem(s);
    MUST(o->end == 0 || o->problem.kind != CAPTURE_FINE);
    capture_progress(s, &done, &total);
    MUST(done <= total);
    MUST(capture_format(s)[0]);
    (void)capture_close(s);
}

static struct outcome read_memory(slice bytes)
{
    struct outcome o = { 0 };
    struct capture_source *s = NULL;

    o.opened = capture_open_memory(bytes, &s, &o.problem);
    if (o.opened == 0)
        take_all(s, &o);
    return o;
}

static struct outcome read_file(slice bytes)
{
    struct outcome o = { 0 };
    struct capture_source *s = NULL;
    int fd = memfd_create("capture", MFD_CLOEXEC);
    char path[64];

    MUST(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    o.opened = capture_open_file(path, &s, &o.problem);
    (void)close(fd);
    if (o.opened == 0)
        take_all(s, &o);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = slice_of(data, size);
    struct outcome a = read_memory(bytes), b = read_file(bytes);

    MUST(a.opened == b.opened && a.end == b.end);
    MUST(a.frames == b.frames && a.hash == b.hash);
    MUST(a.problem.kind == b.problem.kind && a.problem.frame == b.problem.frame);
    MUST(a.problem.offset == b.problem.offset && a.problem.times == b.problem.times);
    MUST(a.problem.looks.name == b.problem.looks.name);
    MUST((a.opened < 0) == (a.opened != 0));
    MUST(a.opened == 0 || a.problem.kind != CAPTURE_FINE);
    return 0;
}
