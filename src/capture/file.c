/* capture/file.c - opens a capture file, a pipe or a memory block and finds out what it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/file_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_LEN 4096u              /* looked at to name what a foreign file is */

static const struct capture_format *const formats[] = {
    &capture_format_pcap,
    &capture_format_pcapng,
};

/* ---- problems ---- */

void capture_file_note(struct capture_file *f, enum capture_problem_kind kind, uint64_t offset)
{
    struct capture_problem *p = &f->source.problem;

    p->times++;
    if (p->kind == CAPTURE_FINE) {
        p->kind = kind;
        p->offset = offset;
        p->frame = f->source.frames;
    }
}

static int file_ended(struct capture_source *s, struct wire_frame *ret)
{
    (void)ret;
    return ((const struct capture_file *)s)->end;
}

int capture_file_end(struct capture_file *f, enum capture_problem_kind kind, uint64_t offset)
{
    f->source.next = file_ended;
    f->end = 0;
    if (f->in.trouble) {                     /* graver than what it looks like from above */
        f->source.problem.kind = CAPTURE_FINE;
        kind = f->in.trouble;
        offset = f->in.end_offset;
        f->source.problem.errno_value = f->in.errno_value;
    }
    if (kind != CAPTURE_FINE) {
        capture_file_note(f, kind, offset);
        f->end = -1;
    }
    return f->end;
}

/* ---- the source ---- */

static void file_free(struct capture_source *s)
{
    struct capture_file *f = (struct capture_file *)s;

    if (f->reader && f->reader->done)
        f->reader->done(f);
    capture_input_close(&f->in);
    free(f);
}

static void file_progress(const struct capture_source *s, uint64_t *ret_done, uint64_t *ret_total)
{
    const struct capture_file *f = (const struct capture_file *)s;

    *ret_done = capture_input_done(&f->in);
    *ret_total = capture_input_total(&f->in);
}

static const char *file_format(const struct capture_source *s)
{
    return ((const struct capture_file *)s)->format_text;
}

static const struct capture_ops file_ops = { file_free, file_progress, file_format };

/* ---- opening ---- */

static const struct capture_format *format_of(slice start)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i]->is(start))
            return formats[i];
    return NULL;
}

static slice file_start(struct capture_file *f, size_t len)
{
    (void)capture_input_have(&f->in, len);
    return slice_head(slice_of(f->in.at, capture_input_left(&f->in)), len);
}

/* Only four bytes are asked for at first: a pipe may be slow to give more. */
static enum capture_problem_kind file_begin(struct capture_file *f, struct capture_problem *problem)
{
    slice start;

    if (capture_input_unpack(&f->in) < 0)
        return CAPTURE_NO_MEMORY;
    start = file_start(f, 4);
    f->reader = format_of(start);
    if (!f->reader) {
        start = file_start(f, START_LEN);
        if (f->in.trouble)
            return f->in.trouble;
        problem->looks = capture_foreign_looks(start);
        return start.len ? CAPTURE_FOREIGN : CAPTURE_EMPTY;
    }
    return start.len < 4 ? CAPTURE_CUT : f->reader->begin(f);
}

/* Takes the input over. */
static int file_open(struct capture_input *in, struct capture_source **ret,
                     struct capture_problem *ret_problem)
{
    struct capture_file *f = calloc(1, sizeof *f);
    struct capture_problem problem = { 0 };

    if (!f) {
        capture_input_close(in);
        *ret_problem = (struct capture_problem){ .kind = CAPTURE_NO_MEMORY };
        return -1;
    }
    f->source.ops = &file_ops;
    f->in = *in;
    problem.kind = file_begin(f, &problem);
    if (problem.kind == CAPTURE_FINE) {
        (void)snprintf(f->format_text, sizeof f->format_text, "%s%s", f->format,
                       f->in.gzip ? ", gzip" : "");
        f->source.next = f->reader->next;
        *ret = &f->source;
        return 0;
    }
    if (f->in.trouble)
        problem.kind = f->in.trouble;
    problem.errno_value = f->in.errno_value;
    problem.offset = problem.kind == CAPTURE_CUT ? f->in.end_offset : capture_input_offset(&f->in);
    problem.times = 1;
    *ret_problem = problem;
    file_free(&f->source);
    return -1;
}

static int cannot_open(int errno_value, struct capture_problem *ret_problem)
{
    *ret_problem = (struct capture_problem){ .kind = CAPTURE_CANNOT_OPEN,
                                             .errno_value = errno_value, .times = 1 };
    return -1;
}

int capture_open_file(const char *path, struct capture_source **ret,
                      struct capture_problem *ret_problem)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct capture_input in;
    struct stat st;
    int why;

    if (fd < 0)
        return cannot_open(errno, ret_problem);
    why = fstat(fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (why) {
        if (!is_stdin)
            (void)close(fd);
        return cannot_open(why, ret_problem);
    }
    if (capture_input_open_fd(&in, fd, !is_stdin) < 0) {
        *ret_problem = (struct capture_problem){ .kind = CAPTURE_NO_MEMORY, .times = 1 };
        return -1;
    }
    return file_open(&in, ret, ret_problem);
}

int capture_open_memory(slice bytes, struct capture_source **ret,
                        struct capture_problem *ret_problem)
{
    struct capture_input in;

    capture_input_open_memory(&in, bytes);
    return file_open(&in, ret, ret_problem);
}
