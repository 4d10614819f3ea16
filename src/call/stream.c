/* call/stream.c - see stream.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/stream.h"

#include <stdlib.h>

struct stream *stream_new(size_t runs)
{
    size_t bytes = sizeof(struct stream) + runs * sizeof(struct stream_run);
    struct stream *s = calloc(1, bytes);

    if (!s)
        return NULL;
    s->memory_bytes = bytes;
    s->runs = (struct stream_run *)(void *)(s + 1);
    s->late_start_ms = s->early_stop_ms = -1;
    list_init(&s->in_list);
    return s;
}

struct stream *stream_free(struct stream *s)
{
    free(s);
    return NULL;
}

uint32_t stream_loss_milli(const struct stream *s)
{
    uint64_t expected = (uint64_t)s->packets + s->lost;

    return expected ? (uint32_t)((s->lost * UINT64_C(100000) + expected / 2) / expected) : 0;
}

slice stream_side_name(enum stream_side side)
{
    static const char *const names[STREAM_SIDES] = { "", "caller", "callee" };

    return slice_of_string(names[side]);
}

slice stream_band_name(enum stream_band band)
{
    static const char *const names[STREAM_BANDS] = { "", "NB", "WB", "SWB" };

    return slice_of_string(names[band]);
}

slice stream_bound_name(enum stream_bound bound)
{
    static const char *const names[STREAM_BOUNDS] = { "", "sdp-destination", "sdp-source",
                                                      "candidate", "learned", "ssrc" };

    return slice_of_string(names[bound]);
}
