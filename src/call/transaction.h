/* call/transaction.h - the record of a request that belongs to no call: OPTIONS, SUBSCRIBE,
 * NOTIFY, MESSAGE, PUBLISH, INFO and the like.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CALL_TRANSACTION_H
#define CALL_TRANSACTION_H

#include "base/address.h"
#include "base/arena.h"
#include "base/list.h"

struct transaction {
    struct arena   arena;
    struct list    in_list;          /* free for the owner */
    uint64_t       index;
    slice          method, call_id, from_uri, to_uri, from_tag, event, phrase;
    struct address src, dst;
    uint8_t        transport;
    bool           challenged, partial;
    uint16_t       final;            /* 0: no answer seen */
    uint16_t       last_progress;
    uint32_t       cseq;
    uint32_t       retransmissions, copies;
    int64_t        asked_ns, answered_ns, last_ns;
    uint64_t       first_frame, last_frame;
};

struct transaction *transaction_new(void);
struct transaction *transaction_free(struct transaction *t);
size_t transaction_memory_bytes(const struct transaction *t);

#endif
