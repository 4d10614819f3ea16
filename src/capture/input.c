/* capture/input.c - the window over a file, a pipe or a memory block.
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* > 0 bytes, 0 the end, or -1 with in->trouble set. */
static ptrdiff_t input_read_fd(struct capture_input *in, uint8_t *into, size_t size)
{
    for (;;) {
        ssize_t got = read(in->fd, into, size);

        if (got >= 0)
            return got;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            (void)poll(&(struct pollfd){ .fd = in->fd, .events = POLLIN }, 1, -1);
        else if (errno != EINTR)
            break;
    }
    in->trouble = CAPTURE_READ_FAILED;
    in->errno_value = errno;
    return -1;
}

int capture_input_open_fd(struct capture_input *in, int fd, bool close_fd)
{
    struct stat st;

    *in = (struct capture_input){ .fd = fd, .close_fd = close_fd, .read = input_read_fd };
    in->buffer = malloc(CAPTURE_WINDOW_BYTES);
    if (!in->buffer) {
        capture_input_close(in);
        return -ENOMEM;
    }
    in->size = CAPTURE_WINDOW_BYTES;
    in->at = in->end = in->buffer;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        in->total = (uint64_t)st.st_size;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

void capture_input_open_memory(struct capture_input *in, slice bytes)
{
    const uint8_t *start = (const uint8_t *)(bytes.ptr ? bytes.ptr : "");

    *in = (struct capture_input){ .at = start, .end = start + bytes.len, .fd = -1,
                                  .end_offset = bytes.len, .total = bytes.len, .ended = true };
}

void capture_input_close(struct capture_input *in)
{
    in->gzip = capture_gzip_free(in->gzip);
    free(in->buffer);
    if (in->close_fd)
        (void)close(in->fd);
    *in = (struct capture_input){ .fd = -1, .ended = true };
}

int capture_input_unpack(struct capture_input *in)
{
    struct capture_input over = { .fd = -1, .read = capture_gzip_read };

    if (!capture_input_have(in, 3) || memcmp(in->at, "\x1f\x8b\x08", 3) != 0)
        return 0;
    over.buffer = malloc(CAPTURE_WINDOW_BYTES);
    if (!over.buffer)
        return -ENOMEM;
    over.gzip = capture_gzip_new(in);
    if (!over.gzip) {
        free(over.buffer);
        return -ENOMEM;
    }
    over.size = CAPTURE_WINDOW_BYTES;
    over.at = over.end = over.buffer;
    *in = over;
    return 0;
}

/* Room for n bytes in one piece from `at` on, and some to read into behind `end`. */
static bool input_make_room(struct capture_input *in, size_t n)
{
    size_t left = capture_input_left(in), used = (size_t)(in->at - in->buffer);

    if (n > in->size) {
        size_t size = in->size;
        uint8_t *larger;

        if (n > CAPTURE_WINDOW_MAX)
            return false;
        while (size < n)
            size *= 2;
        larger = malloc(size);
        if (!larger) {
            in->trouble = CAPTURE_NO_MEMORY;
            in->ended = true;
            return false;
        }
        memcpy(larger, in->at, left);
        free(in->buffer);
        in->buffer = larger;
        in->size = size;
    } else if (used && (used + n > in->size || used + left == in->size || !left)) {
        memmove(in->buffer, in->at, left);
    } else {
        return true;
    }
    in->at = in->buffer;
    in->end = in->buffer + left;
    return true;
}

bool capture_input_fill(struct capture_input *in, size_t n)
{
    if (capture_input_left(in) >= n)
        return true;
    if (in->ended || !input_make_room(in, n))
        return false;
    while (capture_input_left(in) < n) {
        uint8_t *into = in->buffer + (in->end - in->buffer);
        ptrdiff_t got = in->read(in, into, in->size - (size_t)(in->end - in->buffer));

        if (got <= 0) {
            in->ended = true;
            return false;
        }
        in->end += got;
        in->end_offset += (uint64_t)got;
    }
    return true;
}

uint64_t capture_input_done(const struct capture_input *in)
{
    return capture_input_offset(in->gzip ? capture_gzip_below(in->gzip) : in);
}

uint64_t capture_input_total(const struct capture_input *in)
{
    return in->gzip ? capture_gzip_below(in->gzip)->total : in->total;
}
