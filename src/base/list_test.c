/* base/list_test.c - the ring and its order
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include "base/list.h"

struct thing {
    int number;
    struct list in_all;
};

static int in_order(const struct list *all)
{
    int digits = 0;

    for (struct list *l = all->next; l != all; l = l->next)
        digits = digits * 10 + list_item(l, struct thing, in_all)->number;
    return digits;
}

TEST(a_list_keeps_the_order_in_which_it_was_filled)
{
    struct thing a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };
    struct list all;

    list_init(&all);
    CHECK(list_is_empty(&all));
    list_append(&all, &a.in_all);
    list_append(&all, &c.in_all);
    list_insert_after(&a.in_all, &b.in_all);
    CHECK_EQ(in_order(&all), 123);
    CHECK(all.prev == &c.in_all);

    list_remove(&b.in_all);
    CHECK_EQ(in_order(&all), 13);
    CHECK(list_is_empty(&b.in_all));                 /* in no list: it points at itself */
    list_remove(&b.in_all);                          /* and removing it again does nothing */
    CHECK_EQ(in_order(&all), 13);
    list_remove(&c.in_all);
    list_remove(&a.in_all);
    CHECK(list_is_empty(&all));
}
