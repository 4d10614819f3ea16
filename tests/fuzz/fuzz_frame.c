/* tests/fuzz/fuzz_frame.c - any frames of any link type, with any time between them
 * SPDX-License-Identifier: Apache-2.0
 *
 * Input: a byte that picks the link type, then frames: a byte for the time since the last one
 * (high bit: some of it was not captured), two for the length, and the bytes. */
#include "fuzz/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t link_types[] = { 1, 0, 9, 12, 50, 51, 100, 101, 104, 105, 107, 108, 113, 127,
                                       192, 228, 229, 239, 240, 252, 276, 147 };

static void one_frame(struct wire *w, struct wire_frame *frame, slice bytes, uint8_t when)
{
    char *exact = malloc(bytes.len ? bytes.len : 1);

    MUST(exact);
    if (bytes.len)
        memcpy(exact, bytes.ptr, bytes.len);
    frame->number++;
    frame->time_ns = fuzz_time_ns(frame->time_ns, when);
    frame->bytes = slice_of(exact, bytes.len);
    frame->wire_len = (uint32_t)bytes.len + (when & 0x80 ? 100 : 0);
    wire_frame(w, frame);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    struct wire_limits limits = FUZZ_LIMITS;
    struct wire *w = wire_new(&limits, (struct hash_seed){ 1, 2 }, fuzz_unit, &sum);
    struct wire_frame frame = { 0 };
    slice rest = slice_of(data, size);

    MUST(w);
    if (rest.len) {
        frame.link_type = link_types[data[0] % ARRAY_LEN(link_types)];
        rest = slice_skip(rest, 1);
    }
    while (rest.len >= 3) {
        const uint8_t *head = (const uint8_t *)rest.ptr;
        size_t len = (size_t)head[1] << 8 | head[2];
        slice bytes = slice_head(slice_skip(rest, 3), len);

        one_frame(w, &frame, bytes, head[0]);
        MUST(wire_memory_bytes(w) < FUZZ_MEMORY_MAX);
        rest = slice_skip(rest, 3 + len);
    }
    wire_finish(w);
    MUST(wire_counts(w)->frames == frame.number);
    MUST(wire_memory_bytes(w) < FUZZ_MEMORY_MAX);
    wire_free(w);
    return 0;
}
