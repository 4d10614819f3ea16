/* switch/b2bua_queue.c - who calls somebody that has all its calls waits for a place (182)
 * SPDX-License-Identifier: Apache-2.0
 *
 * First come, first served, for each called user. A place that becomes free is looked for when a
 * call of ours ends, and from time to time, since calls are counted by other workers, too; among those
 * that wait in different workers whoever looks first is the next. 182 is sent
 * again each minute, or a proxy on the way would give the INVITE up (RFC 3261, 13.3.1.1). */
#include "switch/b2bua_int.h"

#define SECOND_NS 1000000000ll
#define LOOK_NS (2 * SECOND_NS)
#define TELL_NS (60 * SECOND_NS)
enum { QUEUE_MAX = 500 };            /* of all users; beyond, it is 486 */

static bool has_room(const struct b2bua_call *c) { return b2bua_user_calls(c->b2bua, c->setup->called) < c->setup->line_max; }

static void tell(struct b2bua_call *c)
{
    struct out *o;

    c->setup->queue.told_ns = b2bua_now(c->b2bua);
    if (c->setup->demands_100rel)
        return;                                           /* not reliable, so not to be sent (RFC 3262, 3) */
    o = forks_reply(&c->a, 182, (slice){ 0 });
    headers_record_routes(o, &c->a.dialog);
    headers_ours(o, c->b2bua, server_hop(c->invite), false);
    (void)server_reply_send(c->invite, (slice){ 0 }, (slice){ 0 });
}

static void look_later(struct b2bua_call *c)
{
    const struct queued *q = &c->setup->queue;
    int64_t next_ns = b2bua_now(c->b2bua) + LOOK_NS;

    wheel_set(&c->b2bua->queue_wheel, &c->setup->queue.timer, next_ns < q->end_ns ? next_ns : q->end_ns);
}

bool queue_join(struct b2bua_call *c)
{
    struct b2bua *b = c->b2bua;
    struct queued *q = &c->setup->queue;

    if (!b->settings.queue_ns || b->queue_count == QUEUE_MAX || !c->invite || !c->setup->target_count)
        return false;
    *q = (struct queued){ .call = c, .end_ns = b2bua_now(b) + b->settings.queue_ns };
    list_append(&b->queue, &q->in_queue);
    b->queue_count++;
    b->counts.queued++;
    tally_give_back(b->lines, &c->lines[1]);              /* who sent it on has no call any more */
    ring_pause(c, b->settings.queue_ns);
    tell(c);
    look_later(c);
    return true;
}

void queue_leave(struct b2bua_call *c)
{
    struct b2bua *b = c->b2bua;

    if (!c->setup || !c->setup->queue.call)
        return;
    wheel_clear(&b->queue_wheel, &c->setup->queue.timer);
    list_remove(&c->setup->queue.in_queue);
    c->setup->queue.call = NULL;
    b->queue_count--;
}

void queue_freed(struct b2bua *b)
{
    for (struct list *l = b->queue.next; l != &b->queue; l = l->next) {
        struct b2bua_call *c = list_item(l, struct queued, in_queue)->call;

        if (has_room(c))
            wheel_set(&b->queue_wheel, &c->setup->queue.timer, b->now_ns);
    }
}

static bool is_first(const struct b2bua_call *c)
{
    const struct list *l = c->b2bua->queue.next;

    while (!slice_eq(list_item(l, const struct queued, in_queue)->call->setup->called, c->setup->called))
        l = l->next;
    return l == &c->setup->queue.in_queue;
}

static void due(struct b2bua_call *c)
{
    const struct queued *q = &c->setup->queue;
    int64_t now_ns = b2bua_now(c->b2bua);
    struct tally_one *line = NULL;

    if (c->phase != CALL_SETUP) {
        queue_leave(c);
    } else if (is_first(c) && line_take(c->b2bua, c->setup->called, c->setup->line_max, &line)) {
        ring_pause(c, now_ns - q->end_ns);                /* so much less */
        queue_leave(c);
        setup_unqueued(c, line);
    } else if (now_ns >= q->end_ns) {
        queue_leave(c);
        setup_unqueued(c, NULL);
    } else {
        if (now_ns - q->told_ns >= TELL_NS)
            tell(c);
        look_later(c);
    }
}

void queue_time(struct b2bua *b)
{
    struct wheel_timer *t;

    while ((t = wheel_due(&b->queue_wheel, b->now_ns))) {
        struct b2bua_call *c = wheel_item(t, struct queued, timer)->call;

        due(c);
        call_release(c);
    }
}
