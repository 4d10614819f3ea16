/* call/transaction.c - see transaction.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/transaction.h"

#include <stdlib.h>

struct transaction *transaction_new(void)
{
    struct transaction *t = calloc(1, sizeof *t);

    if (t)
        list_init(&t->in_list);
    return t;
}

struct transaction *transaction_free(struct transaction *t)
{
    if (t) {
        arena_done(&t->arena);
        free(t);
    }
    return NULL;
}

size_t transaction_memory_bytes(const struct transaction *t)
{
    return sizeof *t + t->arena.total_bytes;
}
