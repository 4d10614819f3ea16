/* switch/b2bua.c - the table of calls, and who gets what comes
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "switch/b2bua_int.h"

#include <stdlib.h>

enum { EXPECTED = 256, DIVERSIONS_MAX = 5, FORKS_MAX = 10, CALLS_MAX = 100000, SCRATCH_MAX = 64 * 1024, FORWARDS_MAX = 70 };
#define SECOND_NS 1000000000ll
#define RELAY_PATIENCE_NS (SECOND_NS / 5)

/* ---- life ---- */

static void take_settings(struct b2bua *b, const struct b2bua_settings *settings)
{
    struct b2bua_settings *s = &b->settings;

    *s = *settings;
    s->calls_max = s->calls_max ? s->calls_max : CALLS_MAX;
    s->no_answer_ns = s->no_answer_ns ? s->no_answer_ns : 60 * SECOND_NS;
    s->ring_ns = s->ring_ns ? s->ring_ns : 180 * SECOND_NS;
    s->proceeding_ns = s->proceeding_ns ? s->proceeding_ns : 180 * SECOND_NS;
    s->forks_max = s->forks_max ? s->forks_max : FORKS_MAX;
    s->duration_max_ns = s->duration_max_ns ? s->duration_max_ns : 24 * 3600 * SECOND_NS;
    s->diversions_max = s->diversions_max ? s->diversions_max : DIVERSIONS_MAX;
    s->diversions_max = s->diversions_max < UINT8_MAX ? s->diversions_max : UINT8_MAX - 1;
    s->do_not_disturb = s->do_not_disturb ? s->do_not_disturb : 480;
    s->forwards_max = s->forwards_max ? s->forwards_max : FORWARDS_MAX;
    b->t1_ns = endpoint_times(b->endpoint)->t1_ns;
    b->t2_ns = endpoint_times(b->endpoint)->t2_ns;
}

struct b2bua *b2bua_new(const struct b2bua_settings *settings, struct endpoint *endpoint, const struct router *router,
                        int64_t now_ns)
{
    struct b2bua *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->endpoint = endpoint;
    b->router = *router;
    b->now_ns = now_ns;
    take_settings(b, settings);
    b->random = settings->seed.k0 ^ settings->seed.k1;
    list_init(&b->calls);
    wheel_init(&b->leg_wheel, now_ns);
    wheel_init(&b->call_wheel, now_ns);
    wheel_init(&b->queue_wheel, now_ns);
    list_init(&b->queue);
    wheel_init(&b->transfer_wheel, now_ns);
    out_init_memory(&b->scratch, SCRATCH_MAX);
    out_init_memory(&b->offer, SCRATCH_MAX);
    b->lines = settings->lines ? settings->lines : (b->own_lines = tally_new(&settings->seed, NULL));
    if (map_init(&b->legs, EXPECTED) != 0 || !b->lines)
        return b2bua_free(b);
    return b;
}

void b2bua_set(struct b2bua *b, const struct b2bua_settings *settings)
{
    struct hash_seed seed = b->settings.seed;

    take_settings(b, settings);
    b->settings.seed = seed;                              /* calls are found by it */
    b->sets++;
}

uint32_t b2bua_sets_seen(const struct b2bua *b)
{
    return list_is_empty(&b->calls) ? b->sets : list_item(b->calls.next, struct b2bua_call, in_all)->sets_seen;
}

static void call_free(struct b2bua_call *c);

struct b2bua *b2bua_free(struct b2bua *b)
{
    if (!b)
        return NULL;
    while (!list_is_empty(&b->calls))
        call_free(list_item(b->calls.next, struct b2bua_call, in_all));
    map_done(&b->legs);
    tally_free(b->own_lines);
    out_done(&b->scratch);
    out_done(&b->offer);
    free(b);
    return NULL;
}

/* Leg a may have come by a transfer, and then it may be we who called there. */
static struct b2bua_leg_name name_of(const struct dialog *d)
{
    return (struct b2bua_leg_name){ d->call_id, d->is_ours ? d->local_tag : d->remote_tag };
}

void b2bua_tell_joined(const struct b2bua_call *c, const struct dialog *further)
{
    const struct b2bua_observer *o = &c->b2bua->settings.observer;
    struct b2bua_leg_name first = name_of(&c->a.dialog), name = name_of(further);

    if (o->joined)
        o->joined(o->ctx, &first, &name);
}

/* For waiting times and first numbers, nothing secret. */
uint64_t b2bua_random(struct b2bua *b)
{
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return b->random >> 33;
}

int64_t b2bua_now(struct b2bua *b)
{
    int64_t now_ns = endpoint_now_ns(b->endpoint);

    if (now_ns > b->now_ns)
        b->now_ns = now_ns;
    return b->now_ns;
}

const struct b2bua_counts *b2bua_counts(const struct b2bua *b) { return &b->counts; }
size_t b2bua_memory_bytes(const struct b2bua *b) { return b->memory_bytes; }

/* ---- lines ---- */

unsigned b2bua_user_calls(const struct b2bua *b, slice aor) { return aor.len ? tally_count(b->lines, aor) : 0; }

bool line_take(struct b2bua *b, slice aor, unsigned max, struct tally_one **ret)
{
    *ret = aor.len ? tally_take(b->lines, aor, max) : NULL;
    return *ret || !max || !aor.len;                      /* without memory, and no most: uncounted */
}

bool b2bua_count_more(struct b2bua *b, bool anyhow)
{
    struct tally_one *one = tally_take(b->lines, (slice){ 0 }, anyhow ? 0 : b->settings.calls_max);

    if (one)
        b->counted = one;
    return one != NULL;
}

void b2bua_count_less(struct b2bua *b)
{
    struct tally_one *one = b->counted;

    tally_give_back(b->lines, &one);
}

/* ---- legs ---- */

void b2bua_join_map(struct leg *leg)
{
    struct b2bua *b = leg->call->b2bua;

    map_add(&b->legs, &leg->by_tag, hash_slice(&b->settings.seed, leg->dialog.local_tag));
    leg->in_map = true;
}

void b2bua_leave_map(struct leg *leg)
{
    if (leg->in_map)
        map_remove(&leg->call->b2bua->legs, &leg->by_tag);
    leg->in_map = false;
}

/* Whose dialog a request or an ACK belongs to: our tag finds the place, all three the dialog. */
struct leg *b2bua_find(struct b2bua *b, const struct sip_message *m)
{
    for (struct map_node *n = map_first(&b->legs, hash_slice(&b->settings.seed, m->to.tag)); n; n = map_next(n)) {
        struct leg *leg = map_item(n, struct leg, by_tag);

        if (dialog_is(&leg->dialog, m->call_id, m->to.tag, m->from.tag))
            return leg;
    }
    return NULL;
}

bool b2bua_knows(struct b2bua *b, const struct sip_message *request) { return request->to.tag.len && b2bua_find(b, request); }

/* While the call is set up all legs whose INVITE is open; then only the one that answered. */
bool leg_is_open(const struct leg *leg)
{
    const struct b2bua_call *c = leg->call;

    if (leg->ended || c->phase == CALL_ENDING)
        return false;
    if (!leg->branch)
        return leg == &c->a || c->phase == CALL_SETUP;
    return c->phase == CALL_SETUP ? !leg->branch->over && !anchor_branch_is_refused(leg->branch) : leg == c->b;
}

/* ---- the end of a call ---- */

static void call_free(struct b2bua_call *c)
{
    struct b2bua *b = c->b2bua;

    anchor_free(c);
    transfer_forget(c);
    while (!list_is_empty(&c->relays))
        relay_free(list_item(c->relays.next, struct relay, in_call));
    while (!list_is_empty(&c->branches))
        branch_free(list_item(c->branches.next, struct branch, in_call));
    forks_free(c);
    leg_stop(&c->a);
    leg_forget_ack(&c->a);
    session_forget(&c->a);
    b2bua_leave_map(&c->a);
    if (c->invite)
        server_set_owner(c->invite, NULL);
    for (size_t i = 0; i < ARRAY_LEN(c->lines); i++)
        tally_give_back(b->lines, &c->lines[i]);
    b2bua_count_less(b);
    wheel_clear(&b->call_wheel, &c->timer);
    list_remove(&c->in_all);
    b->counts.live--;
    b->memory_bytes -= sizeof *c + c->counted_bytes;
    setup_done(c);
    queue_freed(b);
    arena_done(&c->arena);
    free(c);
}

/* Where a proxy behind the target forked, another phone may answer when the call is over: it is
 * released, too, as long as its 2xx can come. */
static bool branch_is_held(const struct branch *branch)
{
    bool forked = branch->legs.next != branch->legs.prev;

    return branch->invite && (!client_is_answered(branch->invite) || (forked && branch->status / 100 == 2) ||
                              branch->moved);
}

static bool leg_is_held(const struct leg *leg) { return leg->repeats != LEG_REPEATS_NOTHING || leg->bye_wanted; }

static void count_bytes(struct b2bua_call *c)
{
    size_t total = c->arena.total_bytes + (c->setup ? c->setup->arena.total_bytes : 0);

    c->b2bua->memory_bytes += total - c->counted_bytes;
    c->counted_bytes = total;
}

void call_release(struct b2bua_call *c)
{
    if (c->draining)
        return;                                           /* who drains comes here afterwards */
    anchor_go_on(c);
    if (c->phase == CALL_ENDING)
        anchor_end(c);
    count_bytes(c);
    if (c->phase != CALL_ENDING || leg_is_held(&c->a) || (c->b && leg_is_held(c->b)))
        return;
    for (struct list *l = c->relays.next; l != &c->relays; l = l->next)
        if (!list_item(l, struct relay, in_call)->done)
            return;
    if (c->invite && server_status(c->invite) < 200)
        return;
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        if (branch_is_held(list_item(l, struct branch, in_call)))
            return;
    call_free(c);
}

void b2bua_hang_up_all(struct b2bua *b, slice reason)
{
    struct list *next;

    for (struct list *l = b->calls.next; l != &b->calls; l = next) {
        struct b2bua_call *c = list_item(l, struct b2bua_call, in_all);

        next = l->next;
        if (c->phase == CALL_SETUP)
            setup_give_up(c, 503, reason);
        else if (c->phase == CALL_ANSWERED)
            call_end(c, NULL, reason, NULL);
        call_release(c);
    }
}

/* ---- what comes ---- */

void in_dialog(struct leg *leg, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    /* 12.2.2 asks for 500 when the CSeq is lower; but a PRACK that an UPDATE overtook says by its RAck
     * what it is, and nobody sends it again: refused, it would cost the call. */
    if (!dialog_take_cseq(&leg->dialog, m) && m->method != SIP_PRACK)
        server_reply_plain(s, 500);
    else if (m->method == SIP_PRACK)
        answer_prack(leg, s, m, from);
    else if (m->method == SIP_BYE && leg->ended)
        server_reply_plain(s, 200);                       /* it crosses ours: both are right */
    else if (m->method == SIP_BYE)
        end_bye(leg, s, m);
    else if (!leg_is_open(leg))
        server_reply_plain(s, 481);
    else
        relay_request(leg, s, m, from);
}

void b2bua_request(struct b2bua *b, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct leg *leg;

    (void)b2bua_now(b);
    if (!m->to.tag.len) {
        setup_begin(b, s, m, from);
        return;
    }
    leg = b2bua_find(b, m);
    if (!leg) {
        server_reply_plain(s, 481);
        return;
    }
    struct b2bua_call *c = leg->call;
    struct anchor_place place = { .leg = leg, .server = s };

    if (m->method == SIP_BYE || (!relay_refuses(leg, s, m) && !anchor_queue(c, &place, m, from)))
        in_dialog(leg, s, m, from);
    call_release(c);
}

void b2bua_cancelled(struct b2bua *b, struct server_transaction *s, const struct sip_message *cancel)
{
    uint8_t *kind = server_owner(s);
    const struct sip_header *reason = sip_header_find(cancel, SIP_H_REASON);
    slice why = reason ? reason->value : (slice){ 0 };

    (void)b2bua_now(b);
    if (!kind)
        return;
    if (*kind == B2BUA_CALL) {
        struct b2bua_call *c = (struct b2bua_call *)(void *)kind;

        b->counts.cancelled++;
        setup_give_up(c, 487, why);
        call_release(c);
    } else if (*kind == B2BUA_RELAY) {
        struct relay *r = (struct relay *)(void *)kind;

        r->cancelled = true;
        if (r->client)
            client_cancel(r->client, why);                /* its 487 will be relayed */
    } else if (*kind == B2BUA_WAITING) {
        anchor_drop((struct waiting *)(void *)kind, 487);
    }
}

void b2bua_acknowledged(struct b2bua *b, const struct sip_message *ack, const struct hop *from)
{
    struct leg *leg = ack->to.tag.len ? b2bua_find(b, ack) : NULL;

    (void)b2bua_now(b);
    if (!leg)
        return;
    struct b2bua_call *c = leg->call;

    if (!anchor_queue(c, &(struct anchor_place){ .leg = leg }, ack, from))
        answer_ack(leg, ack, from);
    call_release(c);
}

bool b2bua_response(struct b2bua *b, struct client_transaction *t, const struct sip_message *m, const struct hop *from)
{
    uint8_t *kind = client_owner(t);
    struct b2bua_call *c;

    (void)b2bua_now(b);
    if (!kind)
        return false;
    if (*kind == B2BUA_BRANCH) {
        struct branch *branch = (struct branch *)(void *)kind;

        c = branch->call;
        if (!anchor_queue(c, &(struct anchor_place){ .branch = branch }, m, from))
            setup_response(branch, m, from);
    } else {
        struct relay *r = (struct relay *)(void *)kind;

        c = r->call;
        if (!anchor_queue(c, &(struct anchor_place){ .relay = r }, m, from))
            relay_response(r, m, from);
    }
    call_release(c);
    return true;
}

bool b2bua_failed(struct b2bua *b, struct client_transaction *t, enum endpoint_failure why)
{
    uint8_t *kind = client_owner(t);
    struct b2bua_call *c;

    (void)b2bua_now(b);
    if (!kind)
        return false;
    if (*kind == B2BUA_BRANCH) {
        c = ((struct branch *)(void *)kind)->call;
        setup_failed((struct branch *)(void *)kind, why);
    } else {
        c = ((struct relay *)(void *)kind)->call;
        relay_failed((struct relay *)(void *)kind, why);
    }
    call_release(c);
    return true;
}

void b2bua_server_ended(struct b2bua *b, struct server_transaction *s)
{
    uint8_t *kind = server_owner(s);

    (void)b;
    if (!kind)
        return;
    if (*kind == B2BUA_CALL) {
        struct b2bua_call *c = (struct b2bua_call *)(void *)kind;

        if (c->invite == s) {                             /* unanswered: the endpoint had no memory to wait, and said 500 */
            setup_give_up(c, 500, SLICE("SIP;cause=500"));
            c->invite = NULL;
        }
        if (c->a.repeated == s)
            c->a.repeated = NULL;                         /* its timer still tells that no ACK came */
        if (c->b && c->b->repeated == s)
            c->b->repeated = NULL;
        call_release(c);
    } else if (*kind == B2BUA_RELAY) {
        ((struct relay *)(void *)kind)->server = NULL;
    } else if (*kind == B2BUA_WAITING) {
        anchor_drop((struct waiting *)(void *)kind, 0);
    }
}

void b2bua_client_ended(struct b2bua *b, struct client_transaction *t)
{
    uint8_t *kind = client_owner(t);
    struct b2bua_call *c;

    (void)b;
    if (!kind)
        return;
    if (*kind == B2BUA_BRANCH) {
        c = ((struct branch *)(void *)kind)->call;
        ((struct branch *)(void *)kind)->invite = NULL;
    } else {
        struct relay *r = (struct relay *)(void *)kind;

        c = r->call;
        r->client = NULL;
        if (!anchor_queue_end(r))
            relay_free(r);
    }
    call_release(c);
}

/* ---- time ---- */

static void call_due(struct b2bua_call *c)
{
    if (c->phase == CALL_SETUP && anchor_has_final(c))    /* in time: what takes long is the media relay */
        wheel_set(&c->b2bua->call_wheel, &c->timer, c->b2bua->now_ns + RELAY_PATIENCE_NS);
    else if (c->phase == CALL_SETUP)
        ring_due(c);
    else if (c->phase == CALL_ANSWERED)
        session_due(c);
    call_release(c);
}

void b2bua_time(struct b2bua *b, int64_t now_ns)
{
    struct wheel_timer *t;

    if (now_ns > b->now_ns)
        b->now_ns = now_ns;
    while ((t = wheel_due(&b->leg_wheel, b->now_ns))) {
        struct leg *leg = wheel_item(t, struct leg, timer);
        struct b2bua_call *c = leg->call;

        leg_due(leg);
        call_release(c);
    }
    while ((t = wheel_due(&b->call_wheel, b->now_ns)))
        call_due(wheel_item(t, struct b2bua_call, timer));
    queue_time(b);
    transfer_time(b);
}

int64_t b2bua_next_ns(const struct b2bua *b)
{
    int64_t next_ns = INT64_MAX;

    for (const struct wheel *const *w = (const struct wheel *const[]){ &b->leg_wheel, &b->call_wheel, &b->transfer_wheel,
                                                                                &b->queue_wheel, NULL }; *w; w++)
        next_ns = wheel_next_ns(*w) < next_ns ? wheel_next_ns(*w) : next_ns;
    return next_ns;
}
