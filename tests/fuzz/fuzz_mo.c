/* tests/fuzz/fuzz_mo.c - a hostile .mo file, looked up in every way; see src/codes/mo.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * Its header may hold a hostile Plural-Forms as well. What is found must lie in the file. */
#include "codes/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(slice found, const uint8_t *data, size_t size)
{
    if (found.ptr && ((const uint8_t *)found.ptr < data ||
                      (const uint8_t *)found.ptr + found.len > data + size))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const slice keys[] = { SLICE(""), SLICE("a"), SLICE("a\4b"), SLICE("zz"), SLICE("\xFF") };
    struct words w;

    if (!words_init(&w, SLICE("xx"), slice_of(data, size)))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        slice found = mo_find(&w.mo, keys[i]);

        for (unsigned n = 0; n < 9; n++)
            inside(mo_form(found, n), data, size);
    }
    for (uint64_t n = 0; n < 200; n += 7)
        if (plural_form(&w.plural, n) >= w.plural.forms)
            __builtin_trap();
    for (int id = 0; id < TEXTS; id += 5)
        (void)words_plural(&w, (enum text_id)id, 3);
    return 0;
}
