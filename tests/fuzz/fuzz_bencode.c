/* tests/fuzz/fuzz_bencode.c - any bytes as bencode; what is taken is walked through, all of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "switch/bencode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct bencode *v, slice whole, unsigned depth)
{
    slice rest = v->text, key;
    struct bencode member;

    MUST(depth <= BENCODE_DEPTH_MAX);
    MUST_BE_INSIDE(v->text, whole);
    if (v->kind == BENCODE_LIST)
        while (bencode_next(&rest, &member))
            walk(&member, whole, depth + 1);
    if (v->kind == BENCODE_DICTIONARY)
        while (bencode_next_pair(&rest, &key, &member)) {
            struct bencode found;

            MUST_BE_INSIDE(key, whole);
            MUST(bencode_find(v, key, &found));
            if (depth < 4)                                /* what is deeper is only looked through again */
                walk(&member, whole, depth + 1);
        }
    MUST(v->kind < BENCODE_LIST || depth >= 4 || rest.len == 0);     /* what was let in is whole */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice whole = slice_of(data, size < 4096 ? size : 4096), rest = whole;
    struct bencode v;

    while (bencode_take(&rest, &v))
        walk(&v, whole, 0);
    return 0;
}
