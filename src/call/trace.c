/* call/trace.c - see trace.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/trace.h"

#include <stdlib.h>

#define TRACE_FIRST 8u               /* a plain call has seven or eight */

static bool trace_grow(struct trace *t)
{
    uint16_t room = t->room ? (uint16_t)(t->room * 2) : TRACE_FIRST;
    struct trace_message *grown = room > TRACE_MAX ? NULL
                                                   : realloc(t->messages, room * sizeof *grown);

    if (!grown)
        return false;
    t->messages = grown;
    t->room = room;
    return true;
}

void trace_add(struct trace *t, const struct trace_message *m)
{
    if (t->count == t->room && !trace_grow(t))
        t->beyond++;
    else
        t->messages[t->count++] = *m;
}

struct trace_message *trace_find(const struct trace *t, const struct trace_message *like)
{
    uint32_t side = like->traits & TRACE_FROM_CALLEE;

    for (size_t i = t->count; i-- > 0;) {
        struct trace_message *m = &t->messages[i];

        if (m->cseq == like->cseq && m->status == like->status && m->method == like->method &&
            m->rseq == like->rseq && (m->traits & TRACE_FROM_CALLEE) == side)
            return m;
    }
    return NULL;
}

void trace_done(struct trace *t)
{
    free(t->messages);
    *t = (struct trace){ .beyond = t->beyond };
}

size_t trace_memory_bytes(const struct trace *t) { return t->room * sizeof *t->messages; }
