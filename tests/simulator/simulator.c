/* tests/simulator/simulator.c - a million calls through the switch: phones that do anything, a
 * network that loses, doubles and delays, a judge that watches the wire
 * SPDX-License-Identifier: Apache-2.0
 *
 *     simulator [--calls N] [--rounds N] [--seed N] [--show CALL] [--loss PPM]
 *
 * Rounds of N calls each, every one with the next seed, from which all follows: the quality of
 * the network, who calls whom, what each phone does and when. A fault is printed with its
 * ladder and the command that plays the same round again; --show prints that call's messages. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/wheel.h"
#include "lab/phone.h"
#include "lab/sim.h"
#include "simulator/judge.h"
#include "simulator/relay.h"
#include "sip/fields.h"
#include "switch/b2bua.h"

#define MS 1000000ll
#define SECOND_NS 1000000000ll
#define START_NS (1795251000ll * SECOND_NS)

enum { STATIONS = 12, SWITCH_PLACE = STATIONS, DIRECTOR_PLACE, USERS = 2000, CALLS_PER_S = 250, FORWARD_TARGETS = 4 };

static const struct transaction_times usual = { 500 * MS, 4000 * MS, 5000 * MS, 32000 * MS, 200 * MS };

/* ---- the world ---- */

/* A call that one phone hears nothing more of, and says nothing more in: by its Call-ID. */
struct hush {
    struct map_node by_id;
    int             place;
};

struct station {
    struct world     *world;
    struct phone     *phone;
    struct hop_sender wire;
    int               place;
};

enum callee_plan { ANSWERS, REFUSES, RINGS, SAYS_NOTHING, IS_SILENT };

/* What one side of a call does: the next deed at its timer. */
struct actor {
    struct wheel_timer timer;
    struct world      *world;
    struct phone_call *call;
    uint32_t           number;
    uint16_t           status;       /* callee: the final one it will give */
    uint8_t            steps;        /* before it, and then as long as the call is up */
    bool               is_callee, may_be_reliable, waits_for_prack, silent, resources_asked;
    struct actor      *consults, *consulted_by;           /* its other call, whose party it is asked for; the other way */
};

struct user_plan {
    unsigned flags;
    uint32_t calls_max;
    int64_t  no_answer_ns, patience_ns;
    uint8_t  contacts, forwards;     /* forwards: bits of enum user_forward */
    bool     unknown, serial, gateway, is_dead;           /* dead: nobody is at that address */
};

struct world {
    struct sim      *sim;
    struct judge    *judge;
    struct station   stations[STATIONS];
    struct hop_sender switch_wire;
    struct endpoint *endpoint;
    struct b2bua    *b2bua;
    struct voice_relay    *relay;          /* in one round of three; else NULL, and `media` too */
    struct media_relay *media;
    struct wheel     wheel;          /* deeds, and the next call */
    struct wheel_timer next_call, next_sweep;
    struct map       hushed;
    struct hash_seed seed;
    uint32_t         dialled, calls_max, not_dialled;
    uint64_t         actors;
    int64_t          now_ns;
    bool             relay_is_sure;  /* loses nothing */
    char             uris[ROUTE_TARGETS_MAX][48], forwards[USER_FORWARDS][32];
};

static struct address at(int place)
{
    return (struct address){ .ip = { 10, 0, 0, (uint8_t)(1 + place) }, .port = 5060, .family = 4 };
}

static int place_of(const struct address *a) { return a->ip[3] - 1; }

static uint32_t any(struct world *w, uint32_t below) { return (uint32_t)(sim_random(w->sim) >> 11) % below; }
static bool     in_100(struct world *w, uint32_t percent) { return any(w, 100) < percent; }

/* From at once to long, so that each order of things comes up. */
static int64_t soon(struct world *w)
{
    static const int64_t limits_ms[] = { 1, 1, 10, 100, 400, 1000, 3000, 8000 };

    return (int64_t)any(w, (uint32_t)(limits_ms[any(w, ARRAY_LEN(limits_ms))] * 1000)) * 1000;
}

/* ---- silence ---- */

static uint64_t id_hash(const struct world *w, slice call_id, int place) { return hash_slice(&w->seed, call_id) ^ (uint64_t)place * 0x9e3779b97f4a7c15u; }

static bool is_hushed(const struct world *w, slice call_id, int place)
{
    return w->hushed.count && map_first(&w->hushed, id_hash(w, call_id, place)) != NULL;
}

static void hush(struct actor *a)
{
    struct world *w = a->world;
    struct hush *h = calloc(1, sizeof *h);
    struct station *s = phone_call_tag(a->call) ? a->world->stations : NULL;

    while (s && s->phone != phone_of_call(a->call))
        s++;
    if (!h || !s)
        abort();
    h->place = s->place;
    map_add(&w->hushed, &h->by_id, id_hash(w, phone_call_id(a->call), s->place));
    a->silent = true;
    judge_silent(w->judge, a->number, s->place);
}

static slice call_id_of(slice bytes)
{
    const char *found = memmem(bytes.ptr, bytes.len, "\r\nCall-ID: ", 11);
    slice rest = found ? slice_skip(bytes, (size_t)(found - bytes.ptr) + 11) : (slice){ 0 };

    return slice_take_until(&rest, '\r');
}

static int station_send(void *ctx, struct hop *to, slice bytes)
{
    struct station *s = ctx;

    if (s->world->hushed.count && is_hushed(s->world, call_id_of(bytes), s->place))
        return 0;
    return s->wire.send(s->wire.ctx, to, bytes);
}

static void station_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    struct station *s = ctx;

    if (is_hushed(s->world, m->call_id, s->place))
        return;
    judge_arrived(s->world->judge, SWITCH_PLACE, s->place, m->all, now_ns);
    phone_receive(s->phone, from, m, now_ns);
}

static void station_time(void *ctx, int64_t now_ns) { phone_time(((struct station *)ctx)->phone, now_ns); }
static int64_t station_next(void *ctx) { return phone_next_ns(((struct station *)ctx)->phone); }

/* ---- what a phone does ---- */

static void later(struct actor *a, int64_t delay_ns) { wheel_set(&a->world->wheel, &a->timer, a->world->now_ns + delay_ns); }

static struct actor *actor_new(struct world *w, struct phone_call *c, uint32_t number, bool is_callee)
{
    struct actor *a = calloc(1, sizeof *a);

    if (!a)
        abort();
    *a = (struct actor){ .world = w, .call = c, .number = number, .is_callee = is_callee };
    phone_call_set_tag(c, a);
    w->actors++;
    return a;
}

static struct actor *actor_of(const struct phone_call *c) { return phone_call_tag(c); }

/* Something before the final answer, or that one. */
static void answer_deed(struct actor *a)
{
    struct world *w = a->world;
    static const uint16_t provisional[] = { 180, 180, 183, 182, 181, 155 };
    char phrase[24];

    if (a->waits_for_prack)
        return;                                           /* its callback goes on */
    if (a->steps) {
        uint16_t status = provisional[any(w, ARRAY_LEN(provisional))];
        bool reliable = in_100(w, 40), sdp = in_100(w, 50);

        a->steps--;
        if (reliable && a->may_be_reliable)
            a->waits_for_prack = phone_answer(a->call, status, (slice){ 0 }, true, sdp) && (sdp || in_100(w, 70));
        else
            (void)phone_answer(a->call, status, (slice){ 0 }, false, sdp);
        later(a, soon(w));
        return;
    }
    if (!a->status)
        return;
    int len = snprintf(phrase, sizeof phrase, "As phone says %u", any(w, 4));

    (void)phone_answer(a->call, a->status, slice_of(phrase, (size_t)len), false, a->status < 300);
}

/* ---- transfers ---- */

static slice target_uri(struct actor *a, char room[48])
{
    int len = snprintf(room, 48, "sip:u%u-%u@10.0.0.%d", any(a->world, USERS), a->number, 1 + SWITCH_PLACE);

    return slice_of(room, (size_t)len);
}

static void consult(struct actor *a)
{
    char uri[48];
    struct phone_call *c = a->consults || a->consulted_by ? NULL : phone_dial(phone_of_call(a->call), target_uri(a, uri), 0);
    struct actor *second = c ? actor_new(a->world, c, a->number, false) : NULL;

    if (!second)
        return;
    a->consults = second;
    second->consulted_by = a;
    later(second, soon(a->world) + 5 * SECOND_NS);
}

/* Another phone takes the place of this one, as after a REFER that a server passed through. */
static void take_place(struct actor *a)
{
    struct world *w = a->world;
    struct station *s = &w->stations[any(w, STATIONS)];
    char uri[48];
    struct out headers;
    struct phone_call *c;

    out_init_memory(&headers, 1024);
    out_text(&headers, SLICE("Replaces: "));
    phone_put_replaces(&headers, a->call);
    out_text(&headers, in_100(w, 10) ? SLICE(";early-only\r\n") : in_100(w, 5) ? SLICE("x\r\n") : SLICE("\r\n"));
    c = phone_dial_with(s->phone, target_uri(a, uri), in_100(w, 20) ? PHONE_LATE_OFFER : 0, out_taken(&headers));
    out_done(&headers);
    if (c)
        later(actor_new(w, c, a->number, false), soon(w) + (in_100(w, 80) ? 5 * SECOND_NS : 0));
}

static void transfer_deed(struct actor *a)
{
    struct world *w = a->world;
    char uri[48];

    switch (any(w, 4)) {
    case 0:
        (void)phone_refer(a->call, target_uri(a, uri), NULL, in_100(w, 20) ? SLICE("Refer-Sub: false\r\n") : (slice){ 0 });
        break;
    case 1:
        take_place(a);
        break;
    default:
        if (a->consults && phone_call_is_up(a->consults->call))
            (void)phone_refer(a->call, target_uri(a, uri), a->consults->call, (slice){ 0 });
        else
            consult(a);
        break;
    }
}

/* While the call is up. */
static void talk_deed(struct actor *a)
{
    struct world *w = a->world;
    static const uint8_t media[] = { PHONE_SENDRECV, PHONE_SENDONLY, PHONE_RECVONLY, PHONE_INACTIVE };

    if (in_100(w, 6)) {                                   /* long enough for refreshes, of ours and of the switch */
        later(a, any(w, 250) * SECOND_NS);
        return;
    }
    switch (any(w, 14)) {
    case 0: case 1: case 2:
        (void)phone_offer(a->call, SIP_INVITE, (enum phone_media)media[any(w, 4)]);
        break;
    case 3: case 4:
        (void)phone_offer(a->call, SIP_UPDATE, (enum phone_media)media[any(w, 4)]);
        break;
    case 5:
        (void)phone_send(a->call, SLICE("INFO"), SLICE("application/dtmf-relay"), SLICE("Signal=5\r\n"));
        break;
    case 6:
        (void)phone_send(a->call, SLICE("MESSAGE"), SLICE("text/plain"), SLICE("hello"));
        break;
    case 7:
        if (in_100(w, 15))
            hush(a);
        break;
    case 8: case 9:
        transfer_deed(a);
        break;
    default:
        phone_hang_up(a->call);                           /* the actor may be gone */
        return;
    }
    later(a, soon(w));
}

static void deed(struct actor *a)
{
    if (a->silent || phone_call_is_up(a->call)) {
        if (a->silent)
            phone_hang_up(a->call);
        else
            talk_deed(a);
    } else if (a->is_callee) {
        answer_deed(a);
    } else {
        phone_hang_up(a->call);                           /* patience has an end */
    }
}

static void on_incoming(void *ctx, struct phone_call *c, const struct sip_message *invite)
{
    static const uint16_t codes[] = { 486, 480, 603, 404, 503, 500, 408, 600, 488, 302, 487, 491 };
    struct station *s = ctx;
    struct world *w = s->world;
    ptrdiff_t dash = slice_find_char(invite->to.uri, '-');
    slice rest = slice_skip(invite->to.uri, (size_t)(dash + 1));
    uint32_t number = 0, roll = any(w, 100);

    (void)slice_take_u32(&rest, &number);
    struct actor *a = actor_new(w, c, number, true);

    a->may_be_reliable = sip_values_have(invite, SIP_H_SUPPORTED, SLICE("100rel"));
    a->steps = (uint8_t)any(w, 4);
    if (roll < 62)
        a->status = in_100(w, 95) ? 200 : 202;
    else if (roll < 80)
        a->status = codes[any(w, ARRAY_LEN(codes))];
    else if (roll < 88)
        a->status = (uint16_t)(300 + any(w, 400));
    else if (roll < 92)
        a->steps = 0;                                     /* only the 100 of its endpoint */
    else if (roll < 95)
        hush(a);                                          /* not even that */
    if (phone_call_wants_resources(c) && a->status < 300) {
        a->steps = 0;
        a->waits_for_prack = phone_answer(c, 183, (slice){ 0 }, true, true);
    }
    later(a, soon(w));
}

static void on_pracked(void *ctx, struct phone_call *c)
{
    struct actor *a = actor_of(c);

    (void)ctx;
    if (!a || !a->waits_for_prack)
        return;
    a->waits_for_prack = false;
    later(a, soon(a->world));
}

static void on_prack_done(void *ctx, struct phone_call *c)
{
    struct actor *a = actor_of(c);

    (void)ctx;
    if (!a || a->resources_asked || !phone_call_wants_resources(c) || in_100(a->world, 10))
        return;
    a->resources_asked = phone_resources_ready(c);
}

static void on_answered(void *ctx, struct phone_call *c)
{
    struct actor *a = actor_of(c);

    (void)ctx;
    if (a)
        later(a, soon(a->world));
}

static void on_ended(void *ctx, struct phone_call *c, unsigned status, bool by_us)
{
    struct actor *a = actor_of(c);

    (void)ctx, (void)status, (void)by_us;
    if (!a)
        return;
    wheel_clear(&a->world->wheel, &a->timer);
    phone_call_set_tag(c, NULL);
    if (a->consults)
        a->consults->consulted_by = NULL;
    if (a->consulted_by)
        a->consulted_by->consults = NULL;
    a->world->actors--;
    free(a);
}

/* ---- users ---- */

static struct user_plan plan_of(const struct world *w, uint32_t user)
{
    uint64_t key[2] = { user, 77 }, bits = hash_bytes(&w->seed, key, sizeof key);
    struct user_plan p = { .contacts = 1 };
    unsigned roll = bits % 100, more = bits / 100 % 100, third = bits / 10000 % 100;

    if (roll < 2)
        p.unknown = true;
    else if (roll < 5)
        p.forwards = 1 << USER_FORWARD_ALWAYS;
    else if (roll < 25)
        p.forwards = (uint8_t)(more & 0xe);
    else if (roll < 35)
        p.contacts = (uint8_t)(2 + more % 2);
    else if (roll < 40)
        p.contacts = 3, p.serial = true;
    else if (roll < 48)
        p.contacts = 2, p.serial = p.gateway = true, p.patience_ns = more % 4 * SECOND_NS;
    else if (roll < 50)
        p.contacts = 0;
    else if (roll < 52)
        p.is_dead = true;
    else if (roll < 58)
        p.calls_max = 1 + more % 2;
    else if (roll < 60)
        p.flags = more < 50 ? USER_DO_NOT_DISTURB : USER_REJECT_ANONYMOUS;
    if (p.calls_max && third < 50)
        p.flags |= USER_CALL_WAITING;
    if (p.forwards && third < 70)
        p.flags |= USER_TELL_FORWARDED;
    if (p.forwards || third < 10)
        p.no_answer_ns = (1 + third % 10) * SECOND_NS;
    return p;
}

static bool is_plain(const struct user_plan *p)
{
    return !p->unknown && p->contacts == 1 && !p->forwards && !p->calls_max && !p->flags && !p->is_dead;
}

static int home_of(uint32_t user, unsigned contact) { return (int)((user + contact * 5) % STATIONS); }

static void route(void *ctx, const struct route_question *q, struct route *ret)
{
    struct world *w = ctx;
    ptrdiff_t sip = slice_find(q->uri, SLICE("sip:u"));
    slice rest = slice_skip(q->uri, sip < 0 ? q->uri.len : (size_t)sip + 5);
    uint32_t user = 0;

    if (!slice_take_u32(&rest, &user)) {
        ret->status = 400;
        return;
    }
    struct user_plan p = plan_of(w, user);

    if (p.unknown) {
        ret->status = 404;
        return;
    }
    for (unsigned i = 0; i < p.contacts; i++) {
        int len = snprintf(w->uris[i], sizeof w->uris[i], "sip:u%u@10.0.0.%d", user, 1 + home_of(user, i));

        ret->targets[ret->target_count++] = (struct route_target){
            .uri = slice_of(w->uris[i], (size_t)len), .order = (uint16_t)(p.serial ? i : 0), .gateway = p.gateway,
            .patience_ns = p.patience_ns,
            .hop = { .local = at(SWITCH_PLACE), .remote = at(p.is_dead ? 99 : home_of(user, i)) },
            .reliable = (uint8_t)(user % 4),              /* of gateways only: any enum b2bua_reliable */
        };
    }
    for (int i = 0; i < USER_FORWARDS; i++)
        if (p.forwards >> i & 1) {
            int len = snprintf(w->forwards[i], sizeof w->forwards[i], "sip:u%u@10.0.0.13", (user * 7 + (uint32_t)i) % USERS);

            ret->forward[i] = slice_of(w->forwards[i], (size_t)len);
        }
    static char called[32];

    ret->called = slice_of(called, (size_t)snprintf(called, sizeof called, "u%u@x", user));
    ret->caller = q->invite->from.tag.len ? SLICE("somebody@x") : (slice){ 0 };
    ret->flags = p.flags;
    ret->calls_max = p.calls_max;
    ret->no_answer_ns = p.no_answer_ns;
}

/* ---- the switch ---- */

#define W(ctx) ((struct world *)(ctx))
static void s_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from) { b2bua_request(W(ctx)->b2bua, s, m, from); }
static void s_cancelled(void *ctx, struct server_transaction *s, const struct sip_message *m) { b2bua_cancelled(W(ctx)->b2bua, s, m); }
static void s_ack(void *ctx, const struct sip_message *m, const struct hop *from) { b2bua_acknowledged(W(ctx)->b2bua, m, from); }
static void s_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from) { (void)b2bua_response(W(ctx)->b2bua, c, m, from); }
static void s_failed(void *ctx, struct client_transaction *c, enum endpoint_failure why) { (void)b2bua_failed(W(ctx)->b2bua, c, why); }
static void s_server_ended(void *ctx, struct server_transaction *s) { b2bua_server_ended(W(ctx)->b2bua, s); }
static void s_client_ended(void *ctx, struct client_transaction *c) { b2bua_client_ended(W(ctx)->b2bua, c); }

static int s_send(void *ctx, struct hop *to, slice bytes)
{
    if (place_of(&to->remote) == 99)
        return -111;                                      /* refused at once */
    return W(ctx)->switch_wire.send(W(ctx)->switch_wire.ctx, to, bytes);
}

static void s_receive(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    judge_arrived(W(ctx)->judge, place_of(&from->remote), SWITCH_PLACE, m->all, now_ns);
    endpoint_receive(W(ctx)->endpoint, from, m, now_ns);
}
static void s_time(void *ctx, int64_t now_ns)
{
    struct world *w = ctx;

    endpoint_time(w->endpoint, now_ns);
    b2bua_time(w->b2bua, now_ns);
    if (!w->relay)
        return;
    voice_relay_time(w->relay, w->media, now_ns);
    media_relay_time(w->media, now_ns);
}
static int64_t s_next(void *ctx)
{
    struct world *w = ctx;
    int64_t next[] = { endpoint_next_ns(w->endpoint), b2bua_next_ns(w->b2bua), w->relay ? voice_relay_next_ns(w->relay) : INT64_MAX,
                       w->relay ? media_relay_next_ns(w->media) : INT64_MAX };
    int64_t first = next[0];

    for (size_t i = 1; i < ARRAY_LEN(next); i++)
        first = next[i] < first ? next[i] : first;
    return first;
}

/* ---- the director: new calls, and each phone's deeds ---- */

static void dial(struct world *w)
{
    struct station *from = &w->stations[any(w, STATIONS)];
    uint32_t number = ++w->dialled, user = any(w, USERS), expires_s = in_100(w, 10) ? 1 + any(w, 40) : 0;
    int breadth = in_100(w, 10) ? (int)any(w, 4) : -1;
    struct user_plan p = plan_of(w, user);
    struct judge_facts facts = { .unknown = p.unknown || p.forwards, .plain = is_plain(&p), .gateway = p.gateway || p.forwards,
                                 .refuses = p.forwards || p.calls_max || p.flags, .at_once = !p.forwards && !p.serial,
                                 .impatient = p.patience_ns != 0, .breadth = breadth, .expires_s = expires_s };
    unsigned how = (in_100(w, 50) ? PHONE_RELIABLE : 0) | (in_100(w, 5) ? PHONE_ANONYMOUS : 0) | (in_100(w, 20) ? PHONE_TIMER : 0);
    char uri[48], headers[96];
    int len = snprintf(uri, sizeof uri, "sip:u%u-%u@10.0.0.%d", user, number, 1 + SWITCH_PLACE);
    int more = snprintf(headers, sizeof headers, "%s", in_100(w, 40) ? "Supported: 199\r\n" : "");

    if (expires_s)
        more += snprintf(headers + more, sizeof headers - (size_t)more, "Expires: %u\r\n", expires_s);
    if (breadth >= 0)
        more += snprintf(headers + more, sizeof headers - (size_t)more, "Max-Breadth: %d\r\n", breadth);
    if (in_100(w, 15))
        how |= PHONE_RELIABLE | PHONE_PRECONDITIONS;
    else if (in_100(w, 8))
        how |= PHONE_LATE_OFFER;
    judge_call(w->judge, number, &facts);
    struct phone_call *c = phone_dial_with(from->phone, slice_of(uri, (size_t)len), how, slice_of(headers, (size_t)more));

    if (!c) {
        w->not_dialled++;
        return;
    }
    struct actor *a = actor_new(w, c, number, false);

    if (in_100(w, 25))
        later(a, soon(w));
    else if (in_100(w, 50))
        later(a, 50 * SECOND_NS);
}

static void director_time(void *ctx, int64_t now_ns)
{
    struct world *w = ctx;
    struct wheel_timer *t;

    w->now_ns = now_ns;
    for (int i = 0; i < STATIONS; i++)
        phone_time(w->stations[i].phone, now_ns);         /* who was quiet for long has an old clock */
    while ((t = wheel_due(&w->wheel, now_ns))) {
        if (t == &w->next_call) {
            dial(w);
            if (w->dialled < w->calls_max)
                wheel_set(&w->wheel, t, now_ns + any(w, 2 * 1000000 / CALLS_PER_S) * 1000ll);
        } else if (t == &w->next_sweep) {
            judge_sweep(w->judge, now_ns, false);
            if (w->dialled < w->calls_max)
                wheel_set(&w->wheel, t, now_ns + 5 * SECOND_NS);
        } else {
            deed(wheel_item(t, struct actor, timer));
        }
    }
    for (int i = 0; i < STATIONS; i++)
        sim_touch(w->sim, i);
}

static int64_t director_next(void *ctx) { return wheel_next_ns(&W(ctx)->wheel); }

static void tap(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost)
{
    W(ctx)->now_ns = now_ns;
    judge_sent(W(ctx)->judge, place_of(&to->local), place_of(&to->remote), bytes, now_ns, lost);
}

/* ---- a round ---- */

struct asked {
    uint32_t calls, rounds, show;
    uint64_t seed;
    int64_t  loss_ppm;               /* -1: from the seed */
};

/* Of all rounds: what must have come up, or the rounds say less than they seem to. */
static struct { uint64_t refreshed, unrefreshed, expired, held_back, queued; } seen;

/* A relay for some rounds; in half of them nothing gets lost on the way to it, and nothing may pass it by. */
static void add_relay(struct world *w, uint64_t seed)
{
    struct voice_relay_settings rs = { .seed = seed, .delay_max_ns = any(w, 300) * MS, .loss_ppm = in_100(w, 50) ? 0 : any(w, 30000) };
    struct media_relay_settings ms = { .seed = { seed, 7 }, .ping_ns = -1 };

    w->relay_is_sure = rs.loss_ppm == 0;
    w->relay = voice_relay_new(&rs, START_NS);
    struct media_sender sender = voice_relay_sender(w->relay);

    w->media = media_relay_new(&ms, &sender, START_NS);
}

static void world_begin(struct world *w, const struct asked *asked, uint64_t seed, const char *command)
{
    struct sim_settings network = { .seed = seed * 2654435761u + 12345, .delay_min_ns = MS };
    struct phone_owner owner = { .incoming = on_incoming, .pracked = on_pracked, .prack_done = on_prack_done,
                                 .answered = on_answered, .ended = on_ended };
    struct endpoint_user user = { w, s_request, s_cancelled, s_ack, s_response, s_failed, s_server_ended, s_client_ended, NULL, NULL };
    struct endpoint_settings es = { .times = usual, .seed = { seed, 99 }, .worker = 31 };
    struct b2bua_settings bs = { .seed = { seed, 3 }, .no_answer_ns = 30 * SECOND_NS, .duration_max_ns = 300 * SECOND_NS,
                                 .ring_ns = seed % 2 ? 40 * SECOND_NS : 0, .proceeding_ns = seed / 2 % 2 ? 20 * SECOND_NS : 0,
                                 .forks_max = seed % 4 ? (unsigned)(seed % 4) : 10, .global_codes = seed / 3 % 2,
                                 .session_timer = (uint8_t)(seed % 3), .session_expires_s = seed % 2 ? 90 : 180,
                                 .reliable = seed / 3 % 2 ? B2BUA_RELIABLE_LEG : B2BUA_RELIABLE_THROUGH,
                                 .preconditions = seed / 6 % 2 ? B2BUA_PRECONDITIONS_ACT : B2BUA_PRECONDITIONS_THROUGH };
    struct judge_settings js = { .switch_place = SWITCH_PLACE, .calls_max = asked->calls, .start_ns = START_NS,
                                 .show = asked->show, .forks_max = bs.forks_max, .global_codes = bs.global_codes,
                                 .acts_on_preconditions = bs.preconditions == B2BUA_PRECONDITIONS_ACT, .repeat_command = command };
    struct router router = { .ctx = w, .route = route };
    struct sim_node nodes[] = { { w, at(SWITCH_PLACE), s_receive, NULL, s_time, s_next },
                                { w, at(DIRECTOR_PLACE), NULL, NULL, director_time, director_next } };

    *w = (struct world){ .calls_max = asked->calls, .seed = { seed, 4 }, .now_ns = START_NS };
    w->sim = sim_new(&network, START_NS);
    for (int i = 0; i < 8; i++)
        (void)sim_random(w->sim);
    network.loss_ppm = asked->loss_ppm >= 0 ? (uint32_t)asked->loss_ppm : in_100(w, 30) ? 0 : any(w, 50000);
    network.twice_ppm = in_100(w, 30) ? 0 : any(w, 50000);
    network.delay_max_ns = network.delay_min_ns + (in_100(w, 30) ? 0 : in_100(w, 80) ? any(w, 50) * MS : any(w, 1500) * MS);
    sim_set(w->sim, &network);
    if (seed % 3 == 0)
        add_relay(w, seed);
    bs.media = w->media;
    bs.queue_ns = seed % 2 ? 0 : 10 * SECOND_NS;
    js.media = !w->relay ? JUDGE_MEDIA_DIRECT : w->relay_is_sure ? JUDGE_MEDIA_RELAYED : JUDGE_MEDIA_EITHER;
    w->judge = judge_new(&js);
    wheel_init(&w->wheel, START_NS);
    if (map_init(&w->hushed, 64) != 0)
        abort();
    for (int i = 0; i < STATIONS; i++) {
        struct station *s = &w->stations[i];
        struct sim_node node = { s, at(i), station_receive, NULL, station_time, station_next };
        struct hop_sender sender = { .ctx = s, .send = station_send };
        struct phone_settings ps = { .endpoint = { .times = usual, .seed = { seed, (uint64_t)i }, .worker = (uint8_t)i },
                                     .user = SLICE("phone"), .domain = SLICE("10.0.0.13"), .session_s = 90 + 30 * (uint32_t)(i % 3),
                                     .knows_timer = i % 4 != 0, .refreshes = i % 3 == 0, .no_update = i % 4 == 1,
                                     .server = { .local = at(i), .remote = at(SWITCH_PLACE) } };

        s->world = w;
        s->place = sim_add(w->sim, &node);
        s->wire = sim_sender(w->sim, s->place);
        owner.ctx = s;
        s->phone = phone_new(&ps, &sender, &owner, START_NS);
    }
    w->switch_wire = sim_sender(w->sim, sim_add(w->sim, &nodes[0]));
    (void)sim_add(w->sim, &nodes[1]);
    w->endpoint = endpoint_new(&es, &(struct hop_sender){ .ctx = w, .send = s_send }, &user, START_NS);
    w->b2bua = b2bua_new(&bs, w->endpoint, &router, START_NS);
    sim_tap(w->sim, tap, w);
    wheel_set(&w->wheel, &w->next_call, START_NS + MS);
    wheel_set(&w->wheel, &w->next_sweep, START_NS + SECOND_NS);
}

static unsigned wrong(const char *what, uint64_t is, uint64_t wanted)
{
    if (is == wanted)
        return 0;
    printf("at the end: %s is %llu, not %llu\n", what, (unsigned long long)is, (unsigned long long)wanted);
    return 1;
}

/* When all is over nothing is left anywhere, and the switch counted what the judge saw. */
static unsigned world_end(struct world *w, struct judge_sums *sums)
{
    const struct b2bua_counts *n = b2bua_counts(w->b2bua);
    unsigned bad = 0;

    judge_sweep(w->judge, sim_now_ns(w->sim), true);
    const struct judge_sums *j = judge_sums(w->judge);

    bad += wrong("calls that live", n->live, 0);
    bad += wrong("memory of the calls", b2bua_memory_bytes(w->b2bua), 0);
    bad += wrong("transactions of the switch", endpoint_live(w->endpoint), 0);
    bad += wrong("memory of the transactions", endpoint_memory_bytes(w->endpoint), 0);
    bad += wrong("calls answered, as the switch counts", n->answered, j->answered);
    bad += wrong("calls refused, as the switch counts", n->refused, j->refused);
    bad += wrong("calls, as the switch counts", n->calls, n->answered + n->refused);
    for (int i = 0; i < STATIONS; i++) {
        bad += wrong("calls of a phone", phone_calls(w->stations[i].phone), 0);
        bad += wrong("transactions of a phone", phone_transactions(w->stations[i].phone), 0);
        w->stations[i].phone = phone_free(w->stations[i].phone);
    }
    bad += wrong("phones that still do something", w->actors, 0);
    bad += wrong("calls that could not be dialled", w->not_dialled, 0);
    if (w->relay) {
        bad += wrong("questions to the relay that are open", media_relay_open(w->media), 0);
        if (w->relay_is_sure)
            bad += wrong("calls that the relay still carries", voice_relay_calls(w->relay), 0);
        sums->relayed += media_relay_counts(w->media)->done;
    }
    seen.refreshed += n->refreshed;
    seen.unrefreshed += n->unrefreshed;
    seen.expired += n->expired;
    seen.held_back += n->held_back;
    seen.queued += n->queued;
    sums->faults += j->faults + bad;
    sums->messages += j->messages;
    sums->calls += j->calls;
    sums->answered += j->answered;
    sums->refused += j->refused;
    sums->legs += j->legs;
    sums->requests += j->requests;
    sums->transfers += n->transfers;
    sums->transferred += n->transferred;
    sums->early_ended += j->early_ended;
    sums->expired += j->expired;
    sums->unspread += j->unspread;
    sums->global += j->global;
    sums->waited += j->waited;
    b2bua_free(w->b2bua);
    media_relay_free(w->media);
    voice_relay_free(w->relay);
    endpoint_free(w->endpoint);
    for (size_t i = 0; i < w->hushed.bucket_count; i++)
        while (w->hushed.buckets[i]) {
            struct hush *h = map_item(w->hushed.buckets[i], struct hush, by_id);

            map_remove(&w->hushed, &h->by_id);
            free(h);
        }
    map_done(&w->hushed);
    judge_free(w->judge);
    sim_free(w->sim);
    return bad + (unsigned)j->faults;
}

static bool play_round(const struct asked *asked, uint64_t seed, struct judge_sums *sums)
{
    static struct world w;
    char command[128];
    uint64_t before = sums->faults;

    snprintf(command, sizeof command, "simulator --seed %llu --calls %u --rounds 1", (unsigned long long)seed, asked->calls);
    world_begin(&w, asked, seed, command);
    sim_run(w.sim, INT64_MAX);
    world_end(&w, sums);
    if (sums->faults == before)
        return true;
    printf("not ok - seed %llu: %llu faults; to repeat: %s\n", (unsigned long long)seed,
           (unsigned long long)(sums->faults - before), command);
    fflush(stdout);
    return false;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "calls", 1, NULL, 'c' }, { "rounds", 1, NULL, 'r' }, { "seed", 1, NULL, 's' },
                                             { "show", 1, NULL, 'm' },  { "loss", 1, NULL, 'l' },   { 0 } };
    struct asked asked = { .calls = 10000, .rounds = 10, .seed = 1, .loss_ppm = -1 };
    struct judge_sums sums = { 0 };
    unsigned failed = 0;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (c) {
        case 'c': asked.calls = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'r': asked.rounds = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 's': asked.seed = strtoull(optarg, NULL, 10); break;
        case 'm': asked.show = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'l': asked.loss_ppm = strtol(optarg, NULL, 10); break;
        default: return 2;
        }
    for (uint32_t i = 0; i < asked.rounds; i++)
        failed += !play_round(&asked, asked.seed + i, &sums);
    printf("%llu calls, %llu answered, %llu refused, %llu legs, %llu requests, %llu messages, %llu answers of the relay, %llu transfers, %llu of them came about, %llu faults, %.1f s of processor\n",
           (unsigned long long)sums.calls, (unsigned long long)sums.answered, (unsigned long long)sums.refused,
           (unsigned long long)sums.legs, (unsigned long long)sums.requests, (unsigned long long)sums.messages,
           (unsigned long long)sums.relayed, (unsigned long long)sums.transfers, (unsigned long long)sums.transferred,
           (unsigned long long)sums.faults, (double)clock() / CLOCKS_PER_SEC);
    printf("%llu sessions refreshed by the switch, %llu not answered, %llu expired; %llu times ringing was held back, %llu calls waited for a place\n",
           (unsigned long long)seen.refreshed, (unsigned long long)seen.unrefreshed, (unsigned long long)seen.expired,
           (unsigned long long)seen.held_back, (unsigned long long)seen.queued);
    printf("%llu of 199, %llu of 440, %llu of global codes, %llu of an Expires; %llu phones had to wait for others\n",
           (unsigned long long)sums.early_ended, (unsigned long long)sums.unspread, (unsigned long long)sums.global,
           (unsigned long long)sums.expired, (unsigned long long)sums.waited);
    if (sums.calls >= 40000 && !(seen.refreshed && seen.unrefreshed && seen.expired && seen.held_back && seen.queued && sums.early_ended &&
                                 sums.unspread && sums.global && sums.expired && sums.waited && sums.transferred)) {
        printf("not ok - so many calls, and one of these never came up\n");
        failed += !failed;
    }
    printf("# simulator: %u passed, %u failed, 0 skipped\n", asked.rounds - failed, failed);
    return failed != 0;
}
