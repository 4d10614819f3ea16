/* wire/websocket.h - SIP over WebSocket: RFC 6455 framing, RFC 7118, RFC 7692 compression.
 *
 * The upgrade is recognised in the first bytes of a TCP direction; after it each direction is
 * a struct websocket, fed the bytes in order, that hands out whole messages: unmasked, put
 * together from fragments, inflated.
 *
 *     struct websocket ws;
 *     websocket_init(&ws);
 *     while ((got = websocket_take(&ws, &bytes, &message)) != WEBSOCKET_MORE)
 *         if (got == WEBSOCKET_MESSAGE) ...
 *     // keep what is left in `bytes` and give it again with more behind it
 *     websocket_done(&ws);
 *
 * Allocates: the message being put together (at most WEBSOCKET_MESSAGE_MAX, given back as soon
 * as it is out when large) and zlib's window once a compressed message came. Compression needs
 * no word about its parameters: the largest window reads all. It cannot be read from the
 * middle, or after a hole, as long as the sender refers back to what is missing. Time is
 * linear in the bytes. A message that cannot be had is WEBSOCKET_LOST and reading goes on.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_WEBSOCKET_H
#define WIRE_WEBSOCKET_H

#include "base/slice.h"

#define WEBSOCKET_MESSAGE_MAX (1u << 20)
#define WEBSOCKET_UPGRADE_MAX 16384u         /* head of the HTTP request or response */

/* ---- the upgrade (RFC 6455, 4) ---- */
struct websocket_upgrade {
    bool   response;                 /* 101; false: GET */
    bool   sip;                      /* Sec-WebSocket-Protocol names sip (RFC 7118, 4) */
    bool   deflate;                  /* permessage-deflate offered (GET) or agreed (101) */
    size_t head_len;                 /* frames begin after so many bytes */
};
/* `bytes` begins where the TCP direction begins. > 0: the length of the head, *ret filled;
 * 0: can become an upgrade, more bytes are needed; < 0: no upgrade to WebSocket. */
ptrdiff_t websocket_upgrade_parse(slice bytes, struct websocket_upgrade *ret);

/* ---- the frames of one direction ---- */
enum websocket_event {
    WEBSOCKET_MORE,                  /* nothing whole: keep what is left, come with more */
    WEBSOCKET_MESSAGE,               /* text or binary; valid until the next call */
    WEBSOCKET_CLOSED,                /* a close frame: no message follows in this direction */
    WEBSOCKET_LOST,                  /* too large, damaged, part missing, no memory; go on */
};
struct websocket_inflate;
struct websocket {                   /* embed it; the fields are for websocket.c */
    uint8_t *message;                /* collected so far, unmasked, maybe still compressed */
    size_t   message_len, message_size;
    struct websocket_inflate *inflate;       /* NULL until a compressed message came */
    uint64_t frame_left;             /* payload bytes of the frame still to come */
    uint8_t  mask[4];                /* turned so that [0] is for the next byte */
    uint8_t  opcode;
    bool     in_frame, final;
    bool     in_message;             /* a first fragment was seen */
    bool     compressed;
    bool     spoilt;                 /* it cannot be had whole */
    bool     owed;                   /* a WEBSOCKET_LOST is to be told */
    bool     seeking;                /* framing lost: look for a frame that holds SIP */
    bool     closed;
};
void websocket_init(struct websocket *w);
/* Started in mid-stream, or after bytes of unknown length were lost: frames begin somewhere. */
void websocket_init_midstream(struct websocket *w);
void websocket_done(struct websocket *w);

/* Cuts from *bytes what it used. On WEBSOCKET_MORE less than WEBSOCKET_LEFT_MAX bytes are left
 * in *bytes, and they must stand before the next ones. */
#define WEBSOCKET_LEFT_MAX 64u
enum websocket_event websocket_take(struct websocket *w, slice *bytes, slice *ret_message);

/* `missing` bytes of the stream were not captured (0: how many is unknown). What was left over
 * before the hole is part of a header that is gone: throw it away, and say 0. */
void websocket_gap(struct websocket *w, uint64_t missing);

size_t websocket_memory_bytes(const struct websocket *w);    /* allocated now */

/* Mid-stream: is there, after *ret_skip bytes, a frame whose payload begins as SIP does?
 * WEBSOCKET_MESSAGE: yes, there; WEBSOCKET_MORE: cannot tell yet from *ret_skip on, at most
 * WEBSOCKET_LEFT_MAX bytes; WEBSOCKET_LOST: nowhere. Compressed frames are not recognised. */
enum websocket_event websocket_find(slice bytes, size_t *ret_skip);

#endif
