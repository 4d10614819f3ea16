/* tests/fuzz/fuzz_query.c - anything typed as a code, in every language, and the page of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "report/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = slice_of(data, size), line;

    for (size_t l = 0; l < words_count(); l++) {
        struct code_query q;
        struct cause_query c;
        struct out o;
        struct explain e = { .page = { .out = &o, .style = { .width = 40 } }, .words = words_at(l) };

        code_query(text, words_at(l), &q);
        cause_query(text, words_at(l), &c);
        if (c.found_count > c.total || c.found_count > QUERY_CAUSES_MAX || c.exact >= CAUSES)
            __builtin_trap();
        if ((q.result == QUERY_CODE || q.result == QUERY_UNREGISTERED) != (q.code != NULL) ||
            q.other_count > QUERY_OTHERS_MAX || q.other_count > q.total)
            __builtin_trap();
        out_init_memory(&o, 0);
        if (q.code)
            explain_page(&e, &q);
        else if (q.result == QUERY_SEVERAL)
            explain_several(&e, text, &q);
        if (c.exact != CAUSE_NONE)
            explain_cause_page(&e, c.exact);
        else if (c.found_count)
            explain_causes(&e, text, &c);

        slice rest = out_taken(&o);

        while (slice_take_line(&rest, &line))
            if (utf8_columns(line) > 40 || !utf8_is_valid(line))
                __builtin_trap();
        out_done(&o);
    }
    return 0;
}
