/* tests/fuzz/fuzz_websocket.c - a direction of WebSocket frames: the same messages whatever the
 * size of the pieces, always forward, within its memory, over a hole too.
 *
 * The first byte is the size of the pieces, the second how it is begun and where the hole is;
 * the rest is the stream, an upgrade before it allowed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "fuzz/inside.h"
#include "wire/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    uint64_t messages, lost, closed, hash;
};

static void take_all(struct websocket *w, slice *bytes, struct outcome *o)
{
    static const struct hash_seed seed = { 1, 2 };
    enum websocket_event got;
    slice message;

    while ((got = websocket_take(w, bytes, &message)) != WEBSOCKET_MORE) {
        o->lost += got == WEBSOCKET_LOST;
        o->closed += got == WEBSOCKET_CLOSED;
        if (got == WEBSOCKET_MESSAGE) {
            MUST(message.len <= WEBSOCKET_MESSAGE_MAX);
            o->messages++;
            o->hash ^= hash_slice(&seed, message) * o->messages;
        }
        MUST(websocket_memory_bytes(w) < 3 * WEBSOCKET_MESSAGE_MAX);
    }
    MUST(bytes->len < WEBSOCKET_LEFT_MAX);
}

static struct outcome run(slice stream, size_t piece, bool midstream, size_t hole)
{
    struct outcome o = { 0 };
    struct websocket w;
    size_t left = 0, at = 0;

    if (midstream)
        websocket_init_midstream(&w);
    else
        websocket_init(&w);
    while (at < stream.len) {
        size_t end = at + piece < stream.len ? at + piece : stream.len;
        slice bytes = slice_of(stream.ptr + at - left, end - at + left);

        take_all(&w, &bytes, &o);
        left = bytes.len;
        at = end;
        if (hole && at < stream.len) {       /* the next bytes were not captured */
            size_t missing = hole < stream.len - at ? hole : stream.len - at;

            websocket_gap(&w, left ? 0 : missing);
            left = 0;
            at += missing;
            hole = 0;
        }
    }
    websocket_done(&w);
    return o;
}

static void check_upgrade(slice bytes)
{
    struct websocket_upgrade u = { .head_len = 77 };
    ptrdiff_t used = websocket_upgrade_parse(bytes, &u);

    MUST(used <= (ptrdiff_t)bytes.len);
    MUST(u.head_len == (used > 0 ? (size_t)used : 77));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    slice stream = slice_of(data + 2, size - 2);
    size_t piece = 1 + data[0], hole = data[1] & 0x7f;
    bool midstream = data[1] & 0x80;
    struct outcome a = run(stream, piece, midstream, 0);
    struct outcome b = run(stream, stream.len ? stream.len : 1, midstream, 0);

    MUST(a.messages == b.messages && a.lost == b.lost && a.closed == b.closed);
    MUST(a.hash == b.hash);
    (void)run(stream, piece, midstream, hole);
    check_upgrade(stream);
    return 0;
}
