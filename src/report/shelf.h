/* report/shelf.h - finished records waiting for their turn to be printed.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Calls end in another order than they began. The shelf holds finished ones until all that
 * began before them have ended, and then prints them in the order of their beginning; other
 * records wait behind the calls. Streams of a call follow it at once in JSON, and wait, too, where a
 * table of calls is printed. Taking a call costs the same however many wait. Its memory is bounded: when it is full the calls are printed
 * as they are and `order_lost` says so. Takes records over and frees them.
 *
 *     shelf_init(&s, &printer, limit_bytes);
 *     shelf_call(&s, call); ... shelf_finish(&s);  shelf_done(&s);                        */
#ifndef REPORT_SHELF_H
#define REPORT_SHELF_H

#include "call/filter.h"
#include "report/printer.h"

struct shelf_wish {                  /* which kinds, and which of them; a NULL filter means all */
    bool calls, registrations, transactions, streams;
    const struct filter *call_filter, *registration_filter, *transaction_filter, *stream_filter;
};

struct shelf {
    struct printer   *printer;
    struct shelf_wish wish;
    struct call     **slots;         /* finished calls: that of `index` in slots[index % room] */
    size_t            room;          /* a power of two, or 0 */
    uint64_t          next_index;    /* of the call whose turn it is */
    uint64_t          end_index;     /* behind the last that came */
    struct list       registrations, transactions, streams;
    struct arena      text;          /* Call-IDs of streams that wait */
    size_t            bytes, limit_bytes;
    int64_t           now_ns;        /* newest packet, for relative filters */
    uint64_t          printed;       /* records that were wished for and matched */
    bool              order_lost;
    bool              wait;          /* hold everything until the end (relative filters) */
};

void shelf_init(struct shelf *s, struct printer *printer, const struct shelf_wish *wish,
                size_t limit_bytes);
void shelf_call(struct shelf *s, struct call *c);
void shelf_registration(struct shelf *s, struct registration *r);
void shelf_transaction(struct shelf *s, struct transaction *t);
void shelf_stream(struct shelf *s, struct stream *stream);          /* that no call owns */
void shelf_finish(struct shelf *s);  /* prints what is left, calls first */
void shelf_done(struct shelf *s);

#endif
