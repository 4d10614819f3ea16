/* net/frames.h - the frames of one open WebSocket, both ways (RFC 6455, 5).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Gives whole messages out and makes frames of messages; pings are answered and a close too.
 * The bytes of both directions are the caller's to carry. wslay reads the frames and keeps their
 * rules (masks, order of fragments, UTF-8 of texts); fragments are collected here, within the
 * budget, so that a header that promises much costs nothing.
 *
 *     struct frames *f = frames_new(FRAMES_SERVER, &budget, 65536, &(struct frames_handlers){ me, ... });
 *     int error = frames_read(f, bytes);            // calls message() and write()
 *     error = frames_write(f, message);             // calls write()
 *     frames_free(f);                               // not from within its callbacks           */
#ifndef NET_FRAMES_H
#define NET_FRAMES_H

#include "net/buffer.h"

enum frames_side { FRAMES_SERVER, FRAMES_CLIENT };
struct frames_handlers {
    void *ctx;
    bool (*message)(void *ctx, slice message);       /* false: no more, please */
    bool (*write)(void *ctx, slice bytes);           /* false: there is no room */
};
struct frames;

struct frames *frames_new(enum frames_side side, struct buffer_budget *budget, size_t message_max,
                          const struct frames_handlers *handlers);     /* NULL: no memory */
struct frames *frames_free(struct frames *f);

/* All of `bytes` is used. 0; -ESHUTDOWN: the peer closed it; -EPROTO: it broke the rules and was
 * told so; -EMSGSIZE: more than message_max, told too; -ENOBUFS, -ENOMEM; -ECANCELED: message()
 * said false. After an error there is nothing more to read. */
int frames_read(struct frames *f, slice bytes);

/* Text when it is UTF-8, else binary. 0, -ENOBUFS, -ESHUTDOWN: closing. */
int frames_write(struct frames *f, slice message);
int frames_close(struct frames *f);                  /* says good-bye: 1001, going away */

bool frames_midway(const struct frames *f);          /* a message has begun and not ended */

#endif
