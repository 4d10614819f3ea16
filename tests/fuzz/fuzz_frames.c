/* tests/fuzz/fuzz_frames.c - frames from a client: the same messages whatever the size of
 * the pieces, within the limits, and nothing after the end. (Which of two faults is seen first, and
 * how many pings one pong answers, may differ.)
 *
 * The first byte is the size of the pieces; the rest is what comes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "fuzz/inside.h"
#include "net/frames.h"

#define MESSAGE_MAX 600u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    uint64_t messages, hash;
    int      error;
};

static const struct hash_seed seed = { 1, 2 };

static bool on_message(void *ctx, slice message)
{
    struct outcome *o = ctx;

    MUST(!o->error && message.len && message.len <= MESSAGE_MAX);
    o->messages++;
    o->hash ^= hash_slice(&seed, message) * o->messages;
    return true;
}

static bool on_write(void *ctx, slice bytes)
{
    (void)ctx;
    return bytes.len > 0;
}

static struct outcome run(slice bytes, size_t piece)
{
    struct buffer_budget budget = { .max_bytes = 4096 };
    struct outcome o = { 0 };
    struct frames *f = frames_new(FRAMES_SERVER, &budget, MESSAGE_MAX, &(struct frames_handlers){ &o, on_message, on_write });

    MUST(f);
    while (bytes.len && !o.error) {
        o.error = frames_read(f, slice_head(bytes, piece));
        MUST(budget.used_bytes <= budget.max_bytes);
        bytes = slice_skip(bytes, piece);
    }
    if (o.error)
        MUST(frames_read(f, SLICE("\x81\x81\0\0\0\0a")) == o.error);
    else
        MUST(frames_write(f, SLICE("SIP/2.0 200 OK\r\n\r\n")) == 0);
    (void)frames_free(f);
    MUST(budget.used_bytes == 0);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    slice bytes = slice_of(data + 1, size - 1);
    struct outcome a = run(bytes, 1 + data[0] % 64u), b = run(bytes, bytes.len);

    MUST(a.messages == b.messages && a.hash == b.hash);
    return 0;
}
