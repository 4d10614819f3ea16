/* tests/fuzz/inside.h - what every parser here promises: slices of the input, nothing else.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_INSIDE_H
#define TESTS_FUZZ_INSIDE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* An empty slice may point anywhere, or nowhere. */
static inline bool is_inside(slice s, slice whole)
{
    return s.len == 0 || (s.ptr >= whole.ptr && s.ptr + s.len <= whole.ptr + whole.len);
}
#define MUST_BE_INSIDE(s, whole) MUST(is_inside((s), (whole)))

#endif
