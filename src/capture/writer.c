/* capture/writer.c - see writer.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"

#define SNAPLEN        262144u
#define INTERFACES_MAX 64u           /* link types in one file */
#define HEADS_MAX      128u          /* all that is written with one frame beside its bytes */

struct capture_writer {
    struct out out;
    char      *path, *beside;        /* NULL: standard output */
    uint32_t   links[INTERFACES_MAX];
    size_t     link_count;
    bool       pcap, grows;          /* grows: in its place from the beginning */
    uint64_t   frames, bytes;
    int        error;
};

static int writer_free(struct capture_writer *w, int error)
{
    if (w->out.fd > STDERR_FILENO && close(w->out.fd) < 0 && !error)
        error = -errno;
    out_done(&w->out);
    free(w->path);
    free(w->beside);
    free(w);
    return error;
}

static int open_beside(struct capture_writer *w, const char *path)
{
    size_t len = strlen(path);
    int fd;

    w->beside = malloc(len + 8);
    if (!w->beside)
        return -ENOMEM;
    memcpy(w->beside, path, len);
    memcpy(w->beside + len, ".XXXXXX", 8);
    fd = mkstemp(w->beside);
    if (fd >= 0) {
        (void)fchmod(fd, 0600);                           /* a capture is nobody else's business */
        return fd;
    }
    fd = -errno;
    free(w->beside);
    w->beside = NULL;
    return fd;
}

static int open_in_place(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);

    return fd < 0 ? -errno : fd;
}

static int writer_file(struct capture_writer *w, const char *path)
{
    struct stat st;
    int fd;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return -EISDIR;
    w->path = strdup(path);
    if (!w->path)
        return -ENOMEM;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))      /* /dev/null, a named pipe */
        fd = open_in_place(path, 0);
    else
        fd = w->grows ? open_in_place(path, O_CREAT | O_TRUNC) : open_beside(w, path);
    if (fd < 0)
        return fd;
    out_init_fd(&w->out, fd);
    return 0;
}

static int writer_open(const char *path, bool grows, struct capture_writer **ret)
{
    slice name = slice_of_string(path);
    struct capture_writer *w;
    int error = 0;

    if (slice_ends(name, SLICE(".gz")))
        return -ENOTSUP;
    w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->pcap = slice_ends(name, SLICE(".pcap")) || slice_ends(name, SLICE(".cap"));
    w->grows = grows;
    w->out.fd = -1;
    if (slice_eq(name, SLICE("-")))
        out_init_fd(&w->out, STDOUT_FILENO);
    else
        error = writer_file(w, path);
    if (error)
        return writer_free(w, error);
    *ret = w;
    return 0;
}

int capture_writer_open(const char *path, struct capture_writer **ret) { return writer_open(path, false, ret); }
int capture_writer_open_growing(const char *path, struct capture_writer **ret) { return writer_open(path, true, ret); }

/* ---- the two formats, in the byte order of this machine ---- */

static void put32(struct out *o, uint32_t v) { out_text(o, slice_of(&v, 4)); }
static void put16(struct out *o, uint16_t v) { out_text(o, slice_of(&v, 2)); }

static void pcap_header(struct out *o, uint32_t link)
{
    put32(o, 0xa1b23c4d);                 /* nanoseconds */
    put16(o, 2), put16(o, 4);
    put32(o, 0), put32(o, 0);
    put32(o, SNAPLEN), put32(o, link);
}

static void pcapng_section(struct out *o)
{
    put32(o, 0x0a0d0d0a), put32(o, 28);
    put32(o, 0x1a2b3c4d);
    put16(o, 1), put16(o, 0);
    put32(o, UINT32_MAX), put32(o, UINT32_MAX);       /* as long as it gets */
    put32(o, 28);
}

static void pcapng_interface(struct out *o, uint32_t link)
{
    put32(o, 1), put32(o, 32);
    put16(o, (uint16_t)link), put16(o, 0);
    put32(o, SNAPLEN);
    put16(o, 9), put16(o, 1), put32(o, 9);            /* if_tsresol: nanoseconds */
    put16(o, 0), put16(o, 0);
    put32(o, 32);
}

static void pcap_frame(struct out *o, const struct wire_frame *f, uint64_t ns)
{
    put32(o, (uint32_t)(ns / 1000000000)), put32(o, (uint32_t)(ns % 1000000000));
    put32(o, (uint32_t)f->bytes.len), put32(o, f->wire_len);
    out_text(o, f->bytes);
}

static void pcapng_frame(struct out *o, const struct wire_frame *f, uint64_t ns, uint32_t interface)
{
    uint32_t pad = (4 - f->bytes.len % 4) % 4, len = (uint32_t)f->bytes.len + pad + 32;

    put32(o, 6), put32(o, len), put32(o, interface);
    put32(o, (uint32_t)(ns >> 32)), put32(o, (uint32_t)ns);
    put32(o, (uint32_t)f->bytes.len), put32(o, f->wire_len);
    out_text(o, f->bytes);
    out_text(o, slice_of("\0\0\0", pad));
    put32(o, len);
}

/* The interface of a link type, written when it is new; negative: there is no room for it. */
static int writer_interface(struct capture_writer *w, uint32_t link)
{
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i] == link)
            return (int)i;
    if (w->link_count == (w->pcap ? 1 : INTERFACES_MAX))
        return -EINVAL;
    if (w->pcap)
        pcap_header(&w->out, link);
    else if (w->link_count == 0)
        pcapng_section(&w->out);
    if (!w->pcap)
        pcapng_interface(&w->out, link);
    w->links[w->link_count] = link;
    return (int)w->link_count++;
}

int capture_write(struct capture_writer *w, const struct wire_frame *frame)
{
    uint64_t ns = frame->time_ns < 0 ? 0 : (uint64_t)frame->time_ns;
    size_t before;
    int interface;

    if (w->error)
        return w->error;
    (void)out_space(&w->out, HEADS_MAX + frame->bytes.len);       /* in one piece, or not yet */
    before = w->out.used;
    interface = writer_interface(w, frame->link_type);
    if (interface < 0)
        return interface;
    if (w->pcap)
        pcap_frame(&w->out, frame, ns);
    else
        pcapng_frame(&w->out, frame, ns, (uint32_t)interface);
    if (w->out.error)
        w->error = -w->out.error;
    w->frames += !w->error;
    w->bytes += w->error ? 0 : w->out.used - before;
    return w->error;
}

int capture_writer_flush(struct capture_writer *w)
{
    if (!w->error)
        w->error = out_flush(&w->out);
    return w->error;
}

uint64_t capture_writer_bytes(const struct capture_writer *w) { return w->bytes; }

uint64_t capture_writer_frames(const struct capture_writer *w) { return w->frames; }

int capture_writer_close(struct capture_writer *w, bool discard)
{
    int error = w->error;

    if (!error && w->link_count == 0)     /* a capture of nothing is a capture */
        (void)writer_interface(w, 1);
    if (!error)
        error = out_flush(&w->out);
    if (w->beside && (error || discard))
        (void)unlink(w->beside);
    else if (w->beside && rename(w->beside, w->path) < 0) {
        error = -errno;
        (void)unlink(w->beside);
    }
    return writer_free(w, error);
}
