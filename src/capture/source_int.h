/* capture/source_int.h - what every kind of source is made of. Private to src/capture.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CAPTURE_SOURCE_INT_H
#define CAPTURE_SOURCE_INT_H

#include "capture/source.h"

struct capture_ops {
    void (*free)(struct capture_source *s);
    void (*progress)(const struct capture_source *s, uint64_t *ret_done, uint64_t *ret_total);
    const char *(*format)(const struct capture_source *s);
};
struct capture_source {
    const struct capture_ops *ops;
    int (*next)(struct capture_source *s, struct wire_frame *ret);       /* as capture_next */
    uint64_t frames;                 /* handed out */
    struct capture_problem problem;
};

#endif
