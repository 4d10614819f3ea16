/* report/shelf.c - see shelf.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/shelf.h"

#include <stdlib.h>

void shelf_init(struct shelf *s, struct printer *printer, const struct shelf_wish *wish,
                size_t limit_bytes)
{
    *s = (struct shelf){ .printer = printer, .wish = *wish, .next_index = 1,
                         .end_index = 1, .limit_bytes = limit_bytes };
    list_init(&s->registrations);
    list_init(&s->transactions);
    list_init(&s->streams);
}

static bool wanted(const struct shelf *s, bool wish, const struct filter *f, const void *record)
{
    return wish && (!f || filter_match(f, record, s->now_ns));
}

static void print_stream(struct shelf *s, struct stream *stream)
{
    if (wanted(s, s->wish.streams, s->wish.stream_filter, stream)) {
        printer_stream(s->printer, stream);
        s->printed++;
    }
    stream_free(stream);
}

/* A stream outlives its call here only as one that waits: then its Call-ID has to be its own. */
static void keep_stream(struct shelf *s, struct stream *stream)
{
    slice own = stream->call_id.len ? arena_slice(&s->text, stream->call_id) : (slice){0};

    stream->call_id = own;
    list_append(&s->streams, &stream->in_list);
    s->bytes += stream_memory_bytes(stream) + own.len;
}

static void take_streams(struct shelf *s, struct call *c)
{
    bool at_once = s->printer->kind == PRINTER_JSON || !(s->wish.calls || s->wish.registrations);

    while (s->wish.streams && !list_is_empty(&c->streams)) {
        struct stream *stream = list_item(c->streams.next, struct stream, in_list);

        list_remove(&stream->in_list);
        if (at_once)
            print_stream(s, stream);
        else
            keep_stream(s, stream);
    }
}

static void print_call(struct shelf *s, struct call *c)
{
    s->bytes -= call_memory_bytes(c);
    if (wanted(s, s->wish.calls, s->wish.call_filter, c)) {
        printer_call(s->printer, c);
        s->printed++;
    }
    take_streams(s, c);
    call_free(c);
}

static struct call **slot_of(const struct shelf *s, uint64_t index)
{
    return &s->slots[index & (s->room - 1)];
}

/* Takes the call whose turn it is off the shelf; NULL: it has not ended yet. */
static struct call *take_next(struct shelf *s)
{
    struct call **slot = s->room ? slot_of(s, s->next_index) : NULL;
    struct call *c = slot ? *slot : NULL;

    if (c) {
        *slot = NULL;
        s->next_index++;
    }
    return c;
}

static void print_calls_in_turn(struct shelf *s)
{
    struct call *c;

    while (!s->wait && (c = take_next(s)))
        print_call(s, c);
}

static void print_all_calls(struct shelf *s)
{
    while (s->next_index < s->end_index) {
        struct call *c = take_next(s);

        if (c)
            print_call(s, c);
        else
            s->next_index++;
    }
}

static void print_registrations(struct shelf *s)
{
    while (!list_is_empty(&s->registrations)) {
        struct registration *r = list_item(s->registrations.next, struct registration, in_list);

        list_remove(&r->in_list);
        s->bytes -= registration_memory_bytes(r);
        if (wanted(s, s->wish.registrations, s->wish.registration_filter, r)) {
            printer_registration(s->printer, r);
            s->printed++;
        }
        registration_free(r);
    }
}

static void print_transactions(struct shelf *s)
{
    while (!list_is_empty(&s->transactions)) {
        struct transaction *t = list_item(s->transactions.next, struct transaction, in_list);

        list_remove(&t->in_list);
        s->bytes -= transaction_memory_bytes(t);
        if (wanted(s, s->wish.transactions, s->wish.transaction_filter, t)) {
            printer_transaction(s->printer, t);
            s->printed++;
        }
        transaction_free(t);
    }
}

static void print_streams(struct shelf *s)
{
    while (!list_is_empty(&s->streams)) {
        struct stream *stream = list_item(s->streams.next, struct stream, in_list);

        list_remove(&stream->in_list);
        s->bytes -= stream_memory_bytes(stream) + stream->call_id.len;
        print_stream(s, stream);
    }
    arena_done(&s->text);
}

/* Full: what waits behind an open call goes now, everything when that is not enough. */
static void shelf_relieve(struct shelf *s)
{
    if (s->bytes <= s->limit_bytes)
        return;
    s->order_lost = true;
    print_all_calls(s);
    print_registrations(s);
    print_transactions(s);
    print_streams(s);
}

static bool slots_grow(struct shelf *s, uint64_t index)
{
    size_t room = s->room ? s->room : 64;

    while (index - s->next_index >= room)
        room *= 2;
    if (room == s->room)
        return true;
    struct call **slots = calloc(room, sizeof(struct call *));

    if (!slots)
        return false;
    for (uint64_t i = s->next_index; s->room && i < s->end_index; i++)
        slots[i & (room - 1)] = *slot_of(s, i);
    free(s->slots);
    s->bytes += (room - s->room) * sizeof(struct call *);
    s->slots = slots;
    s->room = room;
    return true;
}

void shelf_call(struct shelf *s, struct call *c)
{
    s->bytes += call_memory_bytes(c);
    if (c->index < s->next_index || !slots_grow(s, c->index)) {
        s->order_lost = true;                             /* its turn is over, or no memory to wait */
        print_call(s, c);
        return;
    }
    *slot_of(s, c->index) = c;
    if (c->index >= s->end_index)
        s->end_index = c->index + 1;
    print_calls_in_turn(s);
    shelf_relieve(s);
}

void shelf_registration(struct shelf *s, struct registration *r)
{
    list_append(&s->registrations, &r->in_list);
    s->bytes += registration_memory_bytes(r);
    shelf_relieve(s);
}

void shelf_transaction(struct shelf *s, struct transaction *t)
{
    list_append(&s->transactions, &t->in_list);
    s->bytes += transaction_memory_bytes(t);
    shelf_relieve(s);
}

void shelf_stream(struct shelf *s, struct stream *stream)
{
    keep_stream(s, stream);
    shelf_relieve(s);
}

void shelf_finish(struct shelf *s)
{
    print_all_calls(s);
    print_streams(s);
    print_registrations(s);
    print_transactions(s);
    printer_explanations(s->printer);
}

void shelf_done(struct shelf *s)
{
    s->wish = (struct shelf_wish){0};
    shelf_finish(s);
    free(s->slots);
    s->slots = NULL;
    s->room = 0;
}
