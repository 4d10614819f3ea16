/* report/shelf.c - see shelf.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/shelf.h"

void shelf_init(struct shelf *s, struct printer *printer, const struct shelf_wish *wish,
                size_t limit_bytes)
{
    *s = (struct shelf){ .printer = printer, .wish = *wish, .next_index = 1,
                         .limit_bytes = limit_bytes };
    list_init(&s->calls);
    list_init(&s->registrations);
    list_init(&s->transactions);
}

static bool wanted(const struct shelf *s, bool wish, const struct filter *f, const void *record)
{
    return wish && (!f || filter_match(f, record, s->now_ns));
}

static void print_call(struct shelf *s, struct call *c)
{
    list_remove(&c->in_list);
    s->bytes -= call_memory_bytes(c);
    if (c->index >= s->next_index)
        s->next_index = c->index + 1;
    if (wanted(s, s->wish.calls, s->wish.call_filter, c)) {
        printer_call(s->printer, c);
        s->printed++;
    }
    call_free(c);
}

static void print_calls_in_turn(struct shelf *s)
{
    while (!s->wait && !list_is_empty(&s->calls)) {
        struct call *first = list_item(s->calls.next, struct call, in_list);

        if (first->index > s->next_index)
            return;
        print_call(s, first);
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

static void print_all_calls(struct shelf *s)
{
    while (!list_is_empty(&s->calls))
        print_call(s, list_item(s->calls.next, struct call, in_list));
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
}

/* A list by index; newcomers belong near its end. */
static void insert_by_index(struct list *head, struct call *c)
{
    struct list *at = head->prev;

    while (at != head && list_item(at, struct call, in_list)->index > c->index)
        at = at->prev;
    list_insert_after(at, &c->in_list);
}

void shelf_call(struct shelf *s, struct call *c)
{
    insert_by_index(&s->calls, c);
    s->bytes += call_memory_bytes(c);
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

void shelf_finish(struct shelf *s)
{
    print_all_calls(s);
    print_registrations(s);
    print_transactions(s);
}

void shelf_done(struct shelf *s)
{
    s->wish = (struct shelf_wish){0};
    shelf_finish(s);
}
