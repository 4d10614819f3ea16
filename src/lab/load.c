/* lab/load.c - the schedule, the phones and the histogram
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/wheel.h"

enum { PHONES_MAX = 256, REGISTER_AT_ONCE = 16, REGISTER_EXPIRES_S = 3600 };
#define SECOND_NS INT64_C(1000000000)
#define ENDING_MAX_NS (40 * SECOND_NS)

/* One call as one of its ends has it. Behind a back-to-back user agent the two have other
 * Call-IDs; a number in the Subject names the caller's attempt to the callee. */
struct attempt {
    struct wheel_timer timer;        /* callee: answers; caller: hangs up */
    struct map_node    by_number;    /* begun, not yet arrived */
    uint64_t           number;
    bool               under_way;
    struct list        in_all;
    struct load       *load;
    struct phone_call *call;         /* NULL: it has ended */
    int64_t            at_ns;
    bool               is_callee;
};

struct load_end {
    struct load  *load;
    struct phone *phone;
    enum load_side side;
    int           peer;              /* callers: whom it calls next */
    bool          asks;              /* registers again */
    int64_t       asked_ns;
    char          uri[320];          /* callees: how they are called */
    size_t        uri_len;
};

struct load {
    struct load_settings settings;
    struct load_counts   counts;
    struct load_end      ends[PHONES_MAX];
    int                  end_count;
    int                  callers[PHONES_MAX], callees[PHONES_MAX];
    int                  caller_count, callee_count, next_caller, next_asks, to_register, registering;
    enum load_phase      phase;
    struct wheel         wheel;
    struct list          attempts;
    struct map           under_way;
    int64_t              now_ns, first_ns, until_ns;
    uint64_t             scheduled;
};

/* ---- the histogram: 24 buckets to a doubling ---- */

static unsigned bucket_of(int64_t ns)
{
    double us = (double)ns / 1000.0;
    double at = us <= 1.0 ? 0.0 : 24.0 * log2(us);

    return at >= LOAD_BUCKETS - 1 ? LOAD_BUCKETS - 1 : (unsigned)at;
}

static void take(struct load_histogram *h, int64_t ns)
{
    h->buckets[bucket_of(ns)]++;
    h->count++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

int64_t load_percentile_ns(const struct load_histogram *h, double percent)
{
    uint64_t wanted = (uint64_t)ceil((double)h->count * percent / 100.0), seen = 0;

    for (unsigned i = 0; h->count && i < LOAD_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= wanted) {
            int64_t upper_ns = (int64_t)(exp2((double)(i + 1) / 24.0) * 1000.0);

            return upper_ns < h->max_ns ? upper_ns : h->max_ns;
        }
    }
    return 0;
}

/* ---- attempts ---- */

static void arrived(struct attempt *a)
{
    if (a->under_way)
        map_remove(&a->load->under_way, &a->by_number);
    a->under_way = false;
}

static uint64_t number_hash(uint64_t number) { return number * UINT64_C(0x9e3779b97f4a7c15); }

static struct attempt *attempt_new(struct load *l, struct phone_call *call, bool is_callee)
{
    struct attempt *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    *a = (struct attempt){ .load = l, .call = call, .at_ns = l->now_ns, .is_callee = is_callee };
    list_append(&l->attempts, &a->in_all);
    phone_call_set_tag(call, a);
    return a;
}

static void attempt_free(struct attempt *a)
{
    wheel_clear(&a->load->wheel, &a->timer);
    arrived(a);
    list_remove(&a->in_all);
    free(a);
}

/* ---- what the phones tell ---- */

static void failed(struct load *l, unsigned status)
{
    l->counts.failed++;
    l->counts.finals[status < 700 ? status : 0]++;
}

static void registered_again(struct load_end *end, unsigned status)
{
    struct load *l = end->load;

    end->asks = false;
    l->counts.live--;
    if (status / 100 != 2) {
        failed(l, status);
        return;
    }
    l->counts.answered++;
    l->counts.ended++;
    take(&l->counts.invite, l->now_ns - end->asked_ns);
}

static void on_registered(void *ctx, struct phone *p, unsigned status, uint32_t expires_s)
{
    struct load_end *end = ctx;
    struct load *l = end->load;

    (void)p, (void)expires_s;
    if (end->asks) {
        registered_again(end, status);
        return;
    }
    l->registering--;
    if (status / 100 == 2)
        l->counts.registered++;
    else
        l->counts.not_registered++;
}

static struct attempt *attempt_of(struct load *l, const struct sip_message *invite)
{
    const struct sip_header *h = sip_header_find(invite, SIP_H_SUBJECT);
    slice rest = h ? slice_trim(h->value) : (slice){ 0 };
    uint64_t number;

    if (!slice_take_u64(&rest, &number))
        return NULL;
    for (struct map_node *n = map_first(&l->under_way, number_hash(number)); n; n = map_next(n))
        if (map_item(n, struct attempt, by_number)->number == number)
            return map_item(n, struct attempt, by_number);
    return NULL;
}

static void ring(struct attempt *a, struct phone_call *c)
{
    phone_answer(c, 180, (slice){ 0 }, false, false);
    if (a)
        wheel_set(&a->load->wheel, &a->timer, a->load->now_ns + a->load->settings.ring_ns);
}

static void on_incoming(void *ctx, struct phone_call *c, const struct sip_message *invite)
{
    struct load_end *end = ctx;
    struct load *l = end->load;
    struct attempt *a = attempt_new(l, c, true), *begun = attempt_of(l, invite);

    if (begun) {
        take(&l->counts.invite, l->now_ns - begun->at_ns);
        arrived(begun);
    }
    if (l->settings.how & PHONE_PRECONDITIONS)            /* it rings when both have their resources */
        phone_answer(c, 183, (slice){ 0 }, true, true);
    else
        ring(a, c);
}

static void on_prack_done(void *ctx, struct phone_call *c)
{
    (void)ctx;
    if (phone_call_wants_resources(c))
        phone_resources_ready(c);
}

static void on_updated(void *ctx, struct phone_call *c, const struct sip_message *m)
{
    struct attempt *a = phone_call_tag(c);

    (void)ctx;
    if (a && a->is_callee && m->method == SIP_UPDATE && !phone_call_wants_resources(c) && !phone_call_is_up(c))
        ring(a, c);
}

static void on_answered(void *ctx, struct phone_call *c)
{
    struct load *l = ((struct load_end *)ctx)->load;
    struct attempt *a = phone_call_tag(c);

    if (!a || a->is_callee)
        return;
    l->counts.answered++;
    wheel_set(&l->wheel, &a->timer, l->now_ns + l->settings.hold_ns);
}

static void on_ended(void *ctx, struct phone_call *c, unsigned status, bool by_us)
{
    struct load *l = ((struct load_end *)ctx)->load;
    struct attempt *a = phone_call_tag(c);

    (void)by_us;
    if (!a)
        return;
    phone_call_set_tag(c, NULL);
    if (!a->is_callee) {
        l->counts.live--;
        if (status == 200)
            l->counts.ended++;
        else
            failed(l, status);
    }
    attempt_free(a);
}

/* ---- life ---- */

struct load *load_new(const struct load_settings *settings, int64_t now_ns)
{
    struct load *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->settings = *settings;
    l->now_ns = now_ns;
    wheel_init(&l->wheel, now_ns);
    list_init(&l->attempts);
    if (map_init(&l->under_way, 1024) == 0)
        return l;
    free(l);
    return NULL;
}

struct load *load_free(struct load *l)
{
    if (!l)
        return NULL;
    while (!list_is_empty(&l->attempts))
        attempt_free(list_item(l->attempts.next, struct attempt, in_all));
    for (int i = 0; i < l->end_count; i++)
        l->ends[i].phone = phone_free(l->ends[i].phone);
    map_done(&l->under_way);
    free(l);
    return NULL;
}

int load_phone(struct load *l, enum load_side side, const struct phone_settings *settings, const struct hop_sender *sender,
               int64_t now_ns)
{
    struct load_end *end = &l->ends[l->end_count];
    struct phone_owner owner = { .ctx = end, .registered = on_registered, .incoming = on_incoming, .prack_done = on_prack_done,
                                 .updated = on_updated, .answered = on_answered, .ended = on_ended };

    if (l->end_count == PHONES_MAX || settings->user.len + settings->domain.len + 5 > sizeof end->uri)
        return -1;
    *end = (struct load_end){ .load = l, .side = side };
    memcpy(end->uri, "sip:", 4);
    memcpy(end->uri + 4, settings->user.ptr, settings->user.len);
    end->uri[4 + settings->user.len] = '@';
    memcpy(end->uri + 5 + settings->user.len, settings->domain.ptr, settings->domain.len);
    end->uri_len = 5 + settings->user.len + settings->domain.len;
    end->phone = phone_new(settings, sender, &owner, now_ns);
    if (!end->phone)
        return -1;
    if (side == LOAD_CALLER)
        l->callers[l->caller_count++] = l->end_count;
    else
        l->callees[l->callee_count++] = l->end_count;
    return l->end_count++;
}

void load_receive(struct load *l, int place, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    l->now_ns = now_ns > l->now_ns ? now_ns : l->now_ns;
    phone_receive(l->ends[place].phone, from, m, l->now_ns);
}

void load_lost(struct load *l, int place, const struct hop *hop, int64_t now_ns)
{
    l->now_ns = now_ns > l->now_ns ? now_ns : l->now_ns;
    phone_lost(l->ends[place].phone, hop, l->now_ns);
}

/* ---- the schedule ---- */

static int64_t begins_at(const struct load *l, uint64_t number)
{
    return l->first_ns + (int64_t)((double)number * 1e9 / l->settings.calls_per_s);
}

static void has_begun(struct load *l, int64_t wanted_ns)
{
    take(&l->counts.late, l->now_ns - wanted_ns);
    l->counts.begun++;
    if (++l->counts.live > l->counts.live_max)
        l->counts.live_max = l->counts.live;
}

static void begin_call(struct load *l, int64_t wanted_ns)
{
    int caller = l->callers[l->next_caller++ % l->caller_count];
    struct load_end *from = &l->ends[caller];
    struct load_end *to = &l->ends[l->callees[from->peer++ % l->callee_count]];
    uint64_t number = l->scheduled;
    char subject[48];
    int len = snprintf(subject, sizeof subject, "Subject: %llu\r\n", (unsigned long long)number);
    struct phone_call *call = phone_dial_with(from->phone, slice_of(to->uri, to->uri_len), l->settings.how,
                                              slice_of(subject, (size_t)len));
    struct attempt *a = call ? attempt_new(l, call, false) : NULL;

    if (!a) {
        l->counts.not_begun++;
        return;
    }
    a->number = number;
    a->at_ns = wanted_ns;                                 /* not when we came to it: a late start hides no delay */
    a->under_way = true;
    map_add(&l->under_way, &a->by_number, number_hash(number));
    has_begun(l, wanted_ns);
}

static bool is_stranger(const struct load *l, const struct load_end *end)
{
    return l->settings.strangers && end->side == LOAD_CALLER;
}

/* By the next phone that is not at it already; a registration is one at a time (RFC 3261, 10.2). */
static void begin_registration(struct load *l, int64_t wanted_ns)
{
    struct load_end *end = NULL;

    for (int i = 0; !end && i < l->end_count; i++) {
        struct load_end *next = &l->ends[l->next_asks];

        l->next_asks = (l->next_asks + 1) % l->end_count;
        end = next->asks || is_stranger(l, next) ? NULL : next;
    }
    if (!end || !phone_register(end->phone, REGISTER_EXPIRES_S)) {
        l->counts.not_begun++;
        return;
    }
    end->asks = true;
    end->asked_ns = l->now_ns;
    has_begun(l, wanted_ns);
}

static void register_some(struct load *l)
{
    while (l->to_register < l->end_count && l->registering < REGISTER_AT_ONCE) {
        struct load_end *end = &l->ends[l->to_register++];

        if (is_stranger(l, end))
            continue;
        l->registering++;
        if (!phone_register(end->phone, REGISTER_EXPIRES_S)) {
            l->registering--;
            l->counts.not_registered++;
        }
    }
    if (l->to_register < l->end_count || l->registering)
        return;
    l->phase = l->counts.not_registered ? LOAD_FAILED : LOAD_CALLING;
    l->first_ns = l->now_ns;
}

static void due(struct attempt *a)
{
    if (!a->is_callee)
        phone_hang_up(a->call);
    else
        phone_answer(a->call, 200, (slice){ 0 }, false, !(a->load->settings.how & PHONE_PRECONDITIONS));
}

static void advance(struct load *l)
{
    if (l->phase == LOAD_REGISTERING && l->settings.registers)
        register_some(l);
    else if (l->phase == LOAD_REGISTERING) {
        l->phase = LOAD_CALLING;
        l->first_ns = l->now_ns;
    }
    while (l->phase == LOAD_CALLING && begins_at(l, l->scheduled) <= l->now_ns) {
        if (begins_at(l, l->scheduled) - l->first_ns >= l->settings.duration_ns) {
            l->phase = LOAD_ENDING;
            l->until_ns = l->now_ns + l->settings.hold_ns + l->settings.ring_ns + ENDING_MAX_NS;
            break;
        }
        int64_t wanted_ns = begins_at(l, l->scheduled);

        l->scheduled++;
        if (l->settings.registrations)
            begin_registration(l, wanted_ns);
        else
            begin_call(l, wanted_ns);
    }
    if (l->phase == LOAD_ENDING && (l->counts.live == 0 || l->now_ns >= l->until_ns))
        l->phase = LOAD_DONE;
}

void load_time(struct load *l, int64_t now_ns)
{
    struct wheel_timer *t;

    l->now_ns = now_ns > l->now_ns ? now_ns : l->now_ns;
    for (int i = 0; i < l->end_count; i++)
        phone_time(l->ends[i].phone, l->now_ns);
    while ((t = wheel_due(&l->wheel, l->now_ns)))
        due(wheel_item(t, struct attempt, timer));
    advance(l);
}

int64_t load_next_ns(const struct load *l)
{
    int64_t next_ns = wheel_next_ns(&l->wheel);

    for (int i = 0; i < l->end_count; i++) {
        int64_t at_ns = phone_next_ns(l->ends[i].phone);

        next_ns = at_ns < next_ns ? at_ns : next_ns;
    }
    if (l->phase == LOAD_CALLING && begins_at(l, l->scheduled) < next_ns)
        next_ns = begins_at(l, l->scheduled);
    return l->phase == LOAD_REGISTERING ? l->now_ns + SECOND_NS / 100 < next_ns ? l->now_ns + SECOND_NS / 100 : next_ns : next_ns;
}

enum load_phase load_phase(const struct load *l) { return l->phase; }
const struct load_counts *load_counts(const struct load *l) { return &l->counts; }

uint64_t load_resent(const struct load *l)
{
    uint64_t resent = 0;

    for (int i = 0; i < l->end_count; i++)
        resent += phone_resent(l->ends[i].phone);
    return resent;
}
