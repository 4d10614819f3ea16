/* tests/fuzz/fuzz_bindings.c - a hostile record of a journal; see src/switch/bindings.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is taken can be written, and read again, and is then the same. */
#include "fuzz/inside.h"
#include "switch/bindings.h"

#define NOW_NS 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_first(struct bindings *b, struct out *o)
{
    struct bindings_walk w;
    const struct bindings_aor *aor;

    out_clear(o);
    bindings_walk_begin(b, &w);
    if ((aor = bindings_walk_next(&w)))
        bindings_write(bindings_aor_key(aor), aor, o);
    bindings_walk_end(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bindings *b = bindings_new(&(struct bindings_settings){ .ping = BINDINGS_PING_ALL }, NOW_NS);
    struct bindings *again = bindings_new(&(struct bindings_settings){ 0 }, NOW_NS);
    struct binding_target targets[BINDINGS_AOR_MAX];
    struct out first, second;

    out_init_memory(&first, 0);
    out_init_memory(&second, 0);
    if (b && again && bindings_restore(b, slice_of(data, size), NULL, NULL, NOW_NS) == 0 && bindings_count(b)) {
        write_first(b, &first);
        MUST(bindings_restore(again, out_taken(&first), NULL, NULL, NOW_NS) == 0);
        MUST(bindings_count(again) == bindings_count(b));
        write_first(again, &second);
        MUST(first.used == second.used);
        MUST(bindings_targets(NULL, targets, ARRAY_LEN(targets), NOW_NS) == 0);
        bindings_debug(b, &second, NOW_NS);
        for (int i = 0; i < 100 && bindings_time(b, NOW_NS + i * INT64_C(10000000000)); i++)
            ;
    }
    out_done(&first);
    out_done(&second);
    bindings_free(b);
    bindings_free(again);
    return 0;
}
