/* capture/writer.h - frames into a capture file: pcap or pcapng, nanoseconds, any link types.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The format follows the name: "x.pcap" is pcap with nanoseconds, everything else pcapng. A
 * pcap file has one link type; a frame of another is refused (-EINVAL), so who does not know
 * what comes takes pcapng, which gets an interface for each link type on its way. A name that
 * ends in ".gz" is not compressed: it is refused as well (-ENOTSUP).
 *
 *     struct capture_writer *w;
 *     int error = capture_writer_open("out.pcapng", &w);        // "-" is standard output
 *     error = capture_write(w, &frame);
 *     error = capture_writer_close(w, false);                   // true: remove what was written
 *
 * The first error is kept, and every later call returns it: ENOSPC, EPIPE, EIO, ... A file is
 * written beside its name and takes its place only when it is closed without an error, so a
 * reader never sees half of it and an older one is not lost. */
#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

#include "wire/wire.h"

struct capture_writer;
/* 0 or -errno, also for a name that is a directory. */
int capture_writer_open(const char *path, struct capture_writer **ret);
/* The same in its place from the beginning, so that it can be read while it grows, and after the
 * program was killed: what is written is always whole frames. What the file held is gone. */
int capture_writer_open_growing(const char *path, struct capture_writer **ret);
int capture_writer_flush(struct capture_writer *w);       /* 0 or the error that happened */
int capture_write(struct capture_writer *w, const struct wire_frame *frame);
/* Takes w over. 0 or the error that happened. */
int capture_writer_close(struct capture_writer *w, bool discard);
uint64_t capture_writer_frames(const struct capture_writer *w);
uint64_t capture_writer_bytes(const struct capture_writer *w);

#endif
