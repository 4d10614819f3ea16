/* tests/fuzz/fuzz_hep.c - a HEP packet and a stream of them: slices of the input, always forward,
 * a payload no larger than its room.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "wire/hep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARRIVAL_NS (INT64_C(1700000000) * 1000000000)

static void check_packet(slice bytes)
{
    char room[4096];
    struct hep_packet p = { .version = 77 };
    slice inflated;
    bool parsed = hep_parse(bytes, ARRIVAL_NS, &p);

    MUST(parsed == hep_is(bytes));
    if (!parsed) {
        MUST(p.version == 77);
        return;
    }
    MUST(p.version >= 1 && p.version <= 3);
    MUST(!(p.bad && p.cut));
    MUST(p.time_ns >= 0);
    const slice all[] = { p.auth_key, p.payload, p.correlation, p.agent_name, p.location,
                          p.transaction, p.tags, p.tag_values, p.group };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        MUST_BE_INSIDE(all[i], bytes);
    if (p.compressed && hep_inflate(p.payload, room, sizeof room, &inflated))
        MUST_BE_INSIDE(inflated, slice_of(room, sizeof room));
}

static void check_stream(slice rest)
{
    for (;;) {
        size_t skip = 0, len = 0;
        enum hep_stream_find found = hep_stream_next(rest, &skip, &len);

        MUST(skip <= rest.len);
        if (found != HEP_STREAM_PACKET) {
            MUST(found == HEP_STREAM_MORE || skip == rest.len);
            return;
        }
        MUST(len > 0 && len <= rest.len - skip);
        check_packet(slice_of(rest.ptr + skip, len));
        rest = slice_skip(rest, skip + len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_packet(slice_of(data, size));
    check_stream(slice_of(data, size));
    return 0;
}
