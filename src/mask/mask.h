/* mask/mask.h - captured frames in, the same frames out with nobody's number in them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lengths, times, link types and ports stay; addresses in heads and in text, numbers, names and
 * bodies get pseudonyms (mask/key.h, mask/text.h); sound becomes the silence of its codec and
 * pressed keys become 0. Checksums follow the bytes by as much as these changed: one that was
 * right stays right, one that was wrong, or left to the network card, stays wrong.
 *
 * Frames come out in the order in which they went in. Text is masked where it is whole: a
 * fragment waits for its datagram, a TCP segment for its message, and with them every frame
 * behind them. Waiting is bounded; what was given up is masked as far as it came, or dropped.
 * What cannot be masked is dropped and counted: encrypted streams, protocols that are not
 * known, frames of unknown links. With keep_unknown it stays, with its heads masked and its
 * contents AS THEY WERE; fragments and segments that never came to a whole are dropped then too.
 *
 *     struct mask *m = mask_new(&settings, on_frame, ctx);
 *     mask_frame(m, &frame);         // calls on_frame for frames that are ready
 *     mask_finish(m);                // and for those that waited
 *     m = mask_free(m);
 *
 * This folder has memory, of streams and fragments, but neither I/O nor clock: layer 2. */
#ifndef MASK_H
#define MASK_H

#include "mask/key.h"
#include "wire/wire.h"

struct mask_settings {               /* zero means the default in brackets */
    struct mask_key key;
    bool   keep_unknown;
    bool   keep_call_ids;            /* with the addresses or hosts that stand in them */
    size_t held_bytes_max;           /* frames that wait, all together (64 MiB) */
    int64_t wait_ns;                 /* for a segment or fragment that lacks (5 s) */
    bool   plain;                    /* nothing is masked or dropped: only to select */
    /* Which frames are wished: asked with each SIP message, as it came, and each RTP or RTCP
     * packet's addresses. A frame is selected when anything in it is. NULL: none. */
    bool (*select)(void *ctx, slice message);
    bool (*select_media)(void *ctx, const struct address *src, const struct address *dst);
};

enum mask_why {                      /* why a frame was dropped */
    MASK_ENCRYPTED,                  /* TLS, DTLS, ESP */
    MASK_UNKNOWN,                    /* a protocol, or a message, that is not understood */
    MASK_NOT_IP,                     /* ARP, LLDP, a link type that is not read */
    MASK_INCOMPLETE,                 /* parts of a datagram or message that never was whole */
    MASK_WHYS
};
struct mask_counts {
    uint64_t frames, written;
    uint64_t dropped[MASK_WHYS];
    uint64_t messages;               /* SIP messages masked */
    uint64_t media;                  /* RTP packets made silent */
    uint64_t kept_unknown;           /* with keep_unknown */
};

typedef void mask_frame_fn(void *ctx, const struct wire_frame *frame);
struct mask;
struct mask *mask_new(const struct mask_settings *settings, mask_frame_fn *out, void *ctx);   /* NULL: no memory */
struct mask *mask_free(struct mask *m);
/* False: no memory; the frame is lost, and so may be those that waited for it. */
bool mask_frame(struct mask *m, const struct wire_frame *frame);
void mask_finish(struct mask *m);
/* Asked in the frame function: is the frame one that was selected? */
bool mask_selected(const struct mask *m);
const struct mask_counts *mask_counts(const struct mask *m);

#endif
