/* switch/b2bua_redirect.c - a phone says 3xx, and the server calls where it points to (RFC 3261, 8.1.3.4)
 * SPDX-License-Identifier: Apache-2.0
 *
 * As if its user had a forward to there: it counts as one, the caller may be told with 181, and who
 * is called next hears of it in History-Info. The Contacts are tried one after the other, by q.
 * What the user itself may not call is not called: no gateway that is closed to it, and no host
 * that is not ours. Where nothing of it can be called the 3xx is A's. */
#include "sip/values.h"
#include "switch/b2bua_int.h"

enum { CONTACTS_MAX = 8 };

struct redirect {
    slice             uris[CONTACTS_MAX];
    unsigned          count, next, flags, why;            /* flags: USER_..., of whom it is; why: DIVERTED_... */
    slice             by;
    struct diversion *before;        /* that of the call as it came to it */
};

/* By q, of one q as they stand there (RFC 3261, 20.10: 1 where none is said). */
static void take_contacts(struct arena *arena, const struct sip_message *m, struct redirect *r)
{
    uint16_t ranks[CONTACTS_MAX];

    for (unsigned i = 0; i < m->header_count; i++) {
        slice rest = m->headers[i].id == SIP_H_CONTACT ? m->headers[i].value : (slice){ 0 };
        struct sip_contact contact;

        while (rest.len && r->count < CONTACTS_MAX && sip_contact_next(&rest, &contact)) {
            uint16_t q = contact.has_q ? contact.q_thousandth : 1000;
            slice uri = contact.star ? (slice){ 0 } : arena_slice(arena, contact.addr.uri);
            unsigned at = r->count;

            if (!uri.len)
                continue;
            for (; at > 0 && ranks[at - 1] < q; at--) {
                ranks[at] = ranks[at - 1];
                r->uris[at] = r->uris[at - 1];
            }
            ranks[at] = q;
            r->uris[at] = uri;
            r->count++;
        }
    }
}

/* Has the call been with that user before? */
static bool is_loop(const struct redirect *r, slice called)
{
    bool found = called.len && slice_eq(called, r->by);

    for (const struct diversion *d = r->before; d && called.len && !found; d = d->before)
        found = slice_eq(d->who, called);
    return found;
}

static enum redirect_result next(struct b2bua_call *c)
{
    struct redirect *r = c->setup->redirect;
    enum redirect_result result = REDIRECT_PASS;

    while (r->next < r->count) {
        slice uri = r->uris[r->next++];
        struct route_question question = { .uri = uri, .forwarded_by = r->by, .forwarder_flags = r->flags };
        struct route route;

        if (c->diversions >= c->b2bua->settings.diversions_max) {
            r->next = r->count;
            return REDIRECT_TOO_MANY;
        }
        if (!setup_ask(c, &question, &route) || route.status)
            continue;
        if (is_loop(r, route.called)) {
            result = REDIRECT_LOOP;
            continue;
        }
        c->setup->called = r->by;
        c->setup->flags = r->flags;
        c->setup->diverted = r->before;
        setup_divert(c, uri, r->why);
        setup_take(c, &route);
        return REDIRECT_GOES;
    }
    return result;
}

enum redirect_result redirect_follow(struct branch *branch, const struct sip_message *m)
{
    struct b2bua_call *c = branch->call;
    struct redirect *r;

    if (!c->b2bua->settings.follow_redirects || !m || m->status < 300 || m->status > 302 || branch->gateway ||
        !c->setup->called.len)
        return REDIRECT_PASS;
    r = arena_alloc(&c->setup->arena, sizeof *r);
    if (!r)
        return REDIRECT_PASS;
    *r = (struct redirect){ .flags = c->setup->flags, .by = c->setup->called, .before = c->setup->diverted,
                            .why = branch->rang ? DIVERTED_WHILE_RINGING : DIVERTED_AT_ONCE };
    take_contacts(&c->setup->arena, m, r);
    c->setup->redirect = r;
    return next(c);
}

bool redirect_next(struct b2bua_call *c) { return c->setup->redirect && next(c) == REDIRECT_GOES; }
