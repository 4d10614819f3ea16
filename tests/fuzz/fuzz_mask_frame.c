/* tests/fuzz/fuzz_mask_frame.c - any frames: each comes out at most once, in order, as long as it
 * was; with keep_unknown only pieces of what never was whole are missing.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Input: as that of fuzz_frame.c, but the high bit of the first byte means keep_unknown. */
#include "fuzz/units.h"
#include "mask/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t link_types[] = { 1, 0, 9, 12, 50, 51, 100, 101, 104, 105, 107, 108, 113, 127,
                                       192, 228, 229, 239, 240, 252, 276, 147 };

struct seen {
    unsigned sum;                    /* every byte can be read: a sanitizer sees it when not */
    uint64_t last, count;
    uint16_t lengths[4096];
};

static void on_frame(void *ctx, const struct wire_frame *f)
{
    struct seen *s = ctx;

    MUST(f->number > s->last);
    s->last = f->number;
    s->count++;
    MUST(f->number >= 4096 || f->bytes.len == s->lengths[f->number]);
    for (size_t i = 0; i < f->bytes.len; i++)
        s->sum += (uint8_t)f->bytes.ptr[i];
}

static void one_frame(struct mask *m, struct seen *s, struct wire_frame *frame, slice bytes, uint8_t when)
{
    char *exact = malloc(bytes.len ? bytes.len : 1);

    MUST(exact);
    if (bytes.len)
        memcpy(exact, bytes.ptr, bytes.len);
    frame->number++;
    frame->time_ns = fuzz_time_ns(frame->time_ns, when);
    frame->bytes = slice_of(exact, bytes.len);
    frame->wire_len = (uint32_t)bytes.len + (when & 0x80 ? 100 : 0);
    if (frame->number < 4096)
        s->lengths[frame->number] = (uint16_t)bytes.len;
    MUST(mask_frame(m, frame));
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mask_settings settings = { .key = mask_key_of_text(SLICE("k")), .held_bytes_max = 20000,
                                      .keep_unknown = size && data[0] & 0x80 };
    struct seen seen = { 0 };
    struct mask *m = mask_new(&settings, on_frame, &seen);
    struct wire_frame frame = { 0 };
    slice rest = slice_of(data, size);

    MUST(m);
    if (rest.len) {
        frame.link_type = link_types[(data[0] & 0x7f) % ARRAY_LEN(link_types)];
        rest = slice_skip(rest, 1);
    }
    while (rest.len >= 3) {
        const uint8_t *head = (const uint8_t *)rest.ptr;
        size_t len = (size_t)head[1] << 8 | head[2];
        slice bytes = slice_head(slice_skip(rest, 3), len);

        one_frame(m, &seen, &frame, bytes, head[0]);
        rest = slice_skip(rest, 3 + len);
    }
    mask_finish(m);
    const struct mask_counts *c = mask_counts(m);
    uint64_t dropped = 0;

    for (int i = 0; i < MASK_WHYS; i++)
        dropped += c->dropped[i];
    MUST(c->frames == frame.number && c->written == seen.count);
    MUST(c->written + dropped == c->frames);
    mask_free(m);
    return 0;
}
