/* capture/source.c - the handle in front of every kind of source.
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/source_int.h"

#include <stdlib.h>

static const char *const slugs[CAPTURE_PROBLEM_KINDS] = {
    [CAPTURE_FINE] = "fine",
    [CAPTURE_CANNOT_OPEN] = "cannot-open",
    [CAPTURE_EMPTY] = "empty",
    [CAPTURE_FOREIGN] = "foreign",
    [CAPTURE_BAD_HEADER] = "bad-header",
    [CAPTURE_CUT] = "cut",
    [CAPTURE_DAMAGED] = "damaged",
    [CAPTURE_GZIP_DAMAGED] = "gzip-damaged",
    [CAPTURE_READ_FAILED] = "read-failed",
    [CAPTURE_NO_MEMORY] = "no-memory",
};

const char *capture_problem_slug(enum capture_problem_kind kind)
{
    return (unsigned)kind < CAPTURE_PROBLEM_KINDS ? slugs[kind] : "unknown";
}

struct capture_source *capture_close(struct capture_source *s)
{
    if (s)
        s->ops->free(s);
    return NULL;
}

int capture_next(struct capture_source *s, struct wire_frame *ret)
{
    return s->next(s, ret);
}

const struct capture_problem *capture_problem(const struct capture_source *s)
{
    return &s->problem;
}

const char *capture_format(const struct capture_source *s)
{
    return s->ops->format(s);
}

void capture_progress(const struct capture_source *s, uint64_t *ret_done, uint64_t *ret_total)
{
    s->ops->progress(s, ret_done, ret_total);
}
