/* base/list.h - intrusive doubly linked list with a head in the middle of the ring.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct list all;  list_init(&all);
 *     list_append(&all, &thing->in_all);
 *     for (struct list *l = all.next; l != &all; l = l->next)
 *         use(list_item(l, struct thing, in_all));
 *
 * A link that is in no list points at itself, so membership is a question to the object. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define list_item(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_is_empty(const struct list *l) { return l->next == l; }

static inline void list_insert_after(struct list *where, struct list *l)
{
    l->prev = where;
    l->next = where->next;
    where->next->prev = l;
    where->next = l;
}
static inline void list_append(struct list *head, struct list *l) { list_insert_after(head->prev, l); }

static inline void list_remove(struct list *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

#endif
