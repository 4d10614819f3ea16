/* cli/serve_live.c - calls and registrations of the running server as they change and end
 * SPDX-License-Identifier: Apache-2.0
 *
 * An observer beside the switch: each message that comes or goes is told to the pipeline of `read`,
 * as if it had been captured. The server says itself which legs are one call, so nothing is guessed.
 *
 * One call is the leg that came in; legs that the server made are told when something is to say
 * about them. A line stands for each state that lasts: what changes within a turn of the clock, and
 * a challenge that is answered, is no news. The last line of a call comes as soon as nothing
 * can change any more, with its cause. Whoever was told that a call goes on is owed its end, however
 * slowly it reads. */
#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "cli/pipeline.h"
#include "cli/serve_int.h"
#include "cli/serve_print.h"
#include "cli/serve_refusals.h"
#include "codes/cause.h"
#include "codes/flow.h"
#include "diagnose/flow.h"
#include "report/flows.h"
#include "report/notes.h"
#include "report/rows.h"
#include "report/verdicts.h"
#include "track/session.h"
#include "wire/incident.h"

#define SECOND_NS INT64_C(1000000000)
/* Each message passes here, so what is over needs to wait only as long as the longest gap
 * between repeats (T2). */
#define LINGER_NS (6 * SECOND_NS)
#define TRYING_NS (SECOND_NS)        /* an INVITE without any answer for so long is told */
#define SETTLE_NS (SECOND_NS / 4)    /* the end of a call waits for the other leg's */
#define ALONE_NS (2 * SECOND_NS)     /* and is told without those that go on: a fork that never answers */
#define MEMORY_BYTES ((size_t)512 << 20)
/* As much as is owed at once: the ends of calls that were told when there was room yet. */
#define PRINT_OWED ((size_t)256 << 20)
enum { PRINT_ROOM = 4 << 20, RECORD_MAX = 1 << 20, IDLE_MS = 1000, LAST_MS = 5000 };

/* What was told of a call or a registration. */
struct told {
    struct map_node by_index;
    struct list     in_pending;      /* calls: to be looked at on the next turn */
    const struct call *call;
    uint16_t        code;            /* of the state that was told last, 0: none */
    bool            of_sip, pending, ended, alone;        /* alone: some legs went on when its end was told */
    bool            is_known;        /* to the reader: a line of it was taken */
    uint8_t         diagnosed;       /* how often, before it was closed */
};

struct serve_live {
    struct cli         *cli;
    struct pipeline     pipeline;
    struct printer      printer;
    struct serve_print *print;
    struct serve_refusals *refusals;
    struct out          text;        /* one record, on its way into `print` */
    struct map          calls, registrations;             /* struct told */
    struct list         pending;
    bool                explained[CAUSES];                /* in full, once */
    bool                sent;        /* the message that is being told */
    bool                stopping;
    uint64_t            frames;
    int64_t             now_ns;
    struct sip_header   room[SIP_HEADERS_MAX];
};

enum { DIAGNOSED_MAX = 8 };          /* of one before it is closed: each leaves a little memory behind */

/* ---- what was told ---- */

static uint64_t index_hash(uint64_t index) { return index * UINT64_C(0x9e3779b97f4a7c15); }

/* Indexes are never used twice, and the product is one-to-one: equal hashes are equal indexes. */
static struct told *told_find(const struct map *m, uint64_t index)
{
    struct map_node *n = map_first(m, index_hash(index));

    return n ? map_item(n, struct told, by_index) : NULL;
}

static struct told *told_new(struct map *m, uint64_t index)
{
    struct told *t = calloc(1, sizeof *t);

    if (t)
        map_add(m, &t->by_index, index_hash(index));
    return t;
}

static void told_free(struct map *m, struct told *t)
{
    if (!t)
        return;
    if (t->pending)
        list_remove(&t->in_pending);
    map_remove(m, &t->by_index);
    free(t);
}

static void told_wait(struct serve_live *l, struct told *t)
{
    if (!t->pending)
        list_append(&l->pending, &t->in_pending);
    t->pending = true;
}

/* True: that is news. */
static bool told_state(struct told *t, uint16_t code, slice family)
{
    bool of_sip = slice_eq(family, SLICE("sip"));

    if (t->code == code && t->of_sip == of_sip)
        return false;
    t->code = code;
    t->of_sip = of_sip;
    return true;
}

/* ---- printing ---- */

/* What stands in `text` goes out whole or not at all. */
static bool print(struct serve_live *l, bool owed)
{
    bool taken = serve_print_put(l->print, out_taken(&l->text), owed);

    out_clear(&l->text);
    return taken;
}

/* "flow basic-call", for a cell. */
static slice flow_note(const struct serve_live *l, const struct call_flow *f, struct out *room)
{
    if (f->flow && l->printer.kind == PRINTER_TEXT)
        words_say(room, l->cli->words, f->deviation ? TEXT_SERVE_NOTE_FLOW_LEFT : TEXT_SERVE_NOTE_FLOW,
                  WORDS_TEXT("flow", slice_of_string(flow_at(f->flow)->name)), WORDS_NUMBER("step", f->step));
    return out_taken(room);
}

static void say_deviation(struct serve_live *l, const struct call_flow *f)
{
    if (l->printer.kind != PRINTER_TEXT || !f->flow || !f->deviation)
        return;
    struct page page = { .out = &l->text, .style = l->cli->style };
    struct out said;

    out_init_memory(&said, 4096);
    flows_say_deviation(&said, l->cli->words, f);
    if (said.used)
        page_text(&page, 4, TONE_PLAIN, out_taken(&said));
    out_done(&said);
}

/* In full the first time, then in a sentence. */
static void say_verdicts(struct serve_live *l, const struct call_verdicts *v)
{
    if (!v || !v->cause.cause || v->cause.cause >= CAUSES)
        return;
    printer_live_verdict(&l->printer, &v->cause, !l->explained[v->cause.cause]);
    l->explained[v->cause.cause] = true;
}

static int64_t changed_ns(const struct call *c)
{
    if (call_state_is_over((enum call_state)c->state))
        return c->ended_ns ? c->ended_ns : c->last_ns;
    return c->answered_ns ? c->answered_ns : c->progress_ns ? c->progress_ns : c->invite_ns ? c->invite_ns : c->last_ns;
}

/* ---- calls ---- */

static void tell_change(struct serve_live *l, struct told *t)
{
    printer_live_call(&l->printer, t->call, t->call->verdicts, changed_ns(t->call), (slice){ 0 });
    t->is_known = print(l, false) || t->is_known;
}

/* The call that another leg is told as: the first one that came in. */
static struct told *told_of_session(const struct serve_live *l, struct call *const *legs, size_t count, size_t *ret_leg)
{
    for (size_t i = 0; i < count; i++) {
        struct told *t = told_find(&l->calls, legs[i]->index);

        if (t) {
            *ret_leg = i;
            return t;
        }
    }
    *ret_leg = 0;
    return NULL;
}

/* Nobody was told of these: they belong to the last line of another. As objects only. */
static void tell_other_legs(struct serve_live *l, struct call *const *legs, size_t count, size_t leg)
{
    for (size_t i = 0; i < count; i++)
        if (i != leg) {
            printer_live_call(&l->printer, legs[i], legs[i]->verdicts, changed_ns(legs[i]), (slice){ 0 });
            (void)print(l, false);
        }
}

/* Whose cause stands in the line: its own, or that of another leg that went wrong. A phone that did not
 * answer is no cause of a call that another one answered. */
static const struct call_verdicts *why_of(struct call *const *legs, size_t count, size_t leg)
{
    const struct call_verdicts *own = legs[leg]->verdicts;

    for (size_t i = 0; i < count && !(own && own->cause.cause); i++) {
        const struct call_verdicts *other = legs[i]->verdicts;

        if (legs[leg]->answered && !legs[i]->answered)
            continue;
        if (other && other->cause.cause && cause_severity((enum cause_id)other->cause.cause) >= CAUSE_SEVERITY_WARNING)
            return other;
    }
    return own;
}

/* The last line of a call. A cause that stands with another leg only is told below it. */
static void tell_end(struct serve_live *l, struct call *const *legs, size_t count, size_t leg, struct told *t)
{
    struct call *c = legs[leg];
    struct out note;
    bool stopped = c->open_at_end && l->printer.kind == PRINTER_TEXT;

    out_init_memory(&note, 1024);
    (void)flow_note(l, &c->flow, &note);
    if (stopped) {
        notes_add(&note, l->cli->words, words_text(l->cli->words, TEXT_SERVE_NOTE_NOT_OVER));
        c->open_at_end = false;                           /* said, and better than for a capture */
    }
    printer_live_call(&l->printer, c, why_of(legs, count, leg), stopped ? l->now_ns : changed_ns(c), out_taken(&note));
    out_done(&note);
    for (size_t i = 0; i < count && l->printer.kind == PRINTER_TEXT; i++)
        if (legs[i]->verdicts && verdicts_cause_leg(legs, i) == i)
            say_verdicts(l, legs[i]->verdicts);
    say_deviation(l, &c->flow);
    if (print(l, t && t->is_known) && t)
        t->is_known = true;
    if (l->printer.kind != PRINTER_TEXT)
        tell_other_legs(l, legs, count, leg);
}

/* Nothing that comes now could change the verdict. A challenge may still be answered. */
static bool leg_is_settled(const struct serve_live *l, const struct call *c)
{
    bool waits = c->ack == CALL_ACK_WAITING || (c->bye_ns && !c->bye_final) || c->final == 401 || c->final == 407;

    return call_state_is_over((enum call_state)c->state) && !waits && l->now_ns - c->last_ns >= SETTLE_NS;
}

/* True: done with it. on_session is the last to tell. */
static bool look_at_end(struct serve_live *l, struct told *t)
{
    struct call *legs[SESSION_LEGS_MAX], *over[SESSION_LEGS_MAX];
    size_t count = tracker_session(l->pipeline.tracker, t->call, legs), settled = 0, own = 0;
    struct diagnose_context context = pipeline_context(&l->pipeline);

    for (size_t i = 0; i < count; i++) {
        if (!leg_is_settled(l, legs[i]))
            continue;
        own = legs[i] == t->call ? settled : own;
        over[settled++] = legs[i];
    }
    if (!settled || over[own] != t->call || (settled < count && l->now_ns - t->call->last_ns < ALONE_NS))
        return false;
    if (t->diagnosed == DIAGNOSED_MAX)                    /* tried again and again: told when it is closed */
        return true;
    t->diagnosed++;
    diagnose_session(over, settled, &context);
    diagnose_flow(over, settled);
    tell_end(l, over, settled, own, t);
    t->ended = true;
    t->alone = settled < count;
    return true;
}

static bool look_at(struct serve_live *l, struct told *t)
{
    const struct call *c = t->call;
    struct call_status status = call_status(c);
    bool began = c->state != CALL_NEW && c->state != CALL_TRYING;

    if (call_state_is_over((enum call_state)c->state))
        return look_at_end(l, t);
    if (!began && l->now_ns - (c->invite_ns ? c->invite_ns : c->last_ns) < TRYING_NS)
        return false;
    if (told_state(t, status.code, status.family))
        tell_change(l, t);
    return true;
}

static void look_at_pending(struct serve_live *l)
{
    struct list *next;

    for (struct list *at = l->pending.next; at != &l->pending; at = next) {
        struct told *t = list_item(at, struct told, in_pending);

        next = at->next;
        if (!t->ended && !look_at(l, t))
            continue;
        list_remove(&t->in_pending);
        t->pending = false;
    }
}

/* Legs that the server makes belong to a call that came in. */
static void on_opened(void *ctx, const struct call *c)
{
    struct serve_live *l = ctx;
    struct told *t = l->sent ? NULL : told_new(&l->calls, c->index);

    if (t)
        t->call = c;
}

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct serve_live *l = ctx;
    struct told *t = s->call ? told_find(&l->calls, s->call->index) : NULL;

    if (t && t->ended && !call_state_is_over((enum call_state)s->call->state)) {
        t->ended = false;                                 /* tried again, after a refusal: it has another end */
        t->code = 0;
    }
    if (t && !t->ended)
        told_wait(l, t);
}

/* A leg that went on when the end of the call was told has a cause of its own. */
static bool has_late_cause(struct call *const *legs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (legs[i]->verdicts && verdicts_cause_leg(legs, i) == i && i > 0 &&
            cause_severity((enum cause_id)legs[i]->verdicts->cause.cause) >= CAUSE_SEVERITY_WARNING)
            return true;
    return false;
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct serve_live *l = ctx;
    size_t leg;
    struct told *t = told_of_session(l, legs, count, &leg);

    diagnose_flow(legs, count);
    if (!t || !t->ended || (t->alone && has_late_cause(legs, count)))
        tell_end(l, legs, count, leg, t);
    for (size_t i = 0; i < count; i++)
        told_free(&l->calls, told_find(&l->calls, legs[i]->index));
}

/* ---- registrations ---- */

static void tell_registration(struct serve_live *l, struct told *t, struct registration *r, bool owed)
{
    struct out note;
    slice left = { 0 };

    diagnose_flow_registration(r);
    out_init_memory(&note, 1024);
    if (r->flow.deviation)                                /* as it should be: no news in a row of them */
        left = flow_note(l, &r->flow, &note);
    printer_live_registration(&l->printer, r, r->last_ns, left);
    out_done(&note);
    if (r->verdicts)
        say_verdicts(l, r->verdicts);
    say_deviation(l, &r->flow);
    if (print(l, owed) && t)
        t->is_known = true;
    else if (t)
        t->code = 0;                                      /* is news again when it is closed */
}

/* The same again is counted, and told now and then. */
static void tell_refusal(struct serve_live *l, struct told *t, struct registration *r)
{
    struct diagnose_context context = pipeline_context(&l->pipeline);

    if (!serve_refusals_is_news(l->refusals, r, l->now_ns))
        return;
    if (!r->verdicts && t->diagnosed < DIAGNOSED_MAX) {
        t->diagnosed++;
        diagnose_registration(r, &context);
    }
    tell_registration(l, t, r, false);
    r->verdicts = NULL;                                   /* it may still become another */
}

static bool is_refusal(const struct registration *r)
{
    return r->final >= 300 && r->state != REGISTRATION_REGISTERED && r->state != REGISTRATION_UNREGISTERED;
}

static void on_registration_changed(void *ctx, struct registration *r)
{
    struct serve_live *l = ctx;
    struct registration_status status = registration_status(r);
    struct told *t = told_find(&l->registrations, r->index);

    if (!t && !(t = told_new(&l->registrations, r->index)))
        return;
    if (is_refusal(r) && registration_refusals(r)) {
        (void)told_state(t, r->final, SLICE("sip"));
        tell_refusal(l, t, r);
    } else if ((r->state == REGISTRATION_REGISTERED || r->state == REGISTRATION_UNREGISTERED) &&
               told_state(t, status.code, status.family)) {
        tell_registration(l, t, r, false);
    }
}

/* What is told here is new: a lifetime that ran out, a challenge that nobody answered. */
static bool on_registration(void *ctx, struct registration *r)
{
    struct serve_live *l = ctx;
    struct registration_status status = registration_status(r);
    struct told *t = told_find(&l->registrations, r->index);
    bool news = !t || told_state(t, status.code, status.family);

    if (is_refusal(r) && news)
        news = serve_refusals_is_news(l->refusals, r, l->now_ns);
    if (news && !r->open_at_end)
        tell_registration(l, t, r, t && t->is_known);
    told_free(&l->registrations, t);
    return false;
}

/* ---- life ---- */

struct serve_live *serve_live_new(struct cli *cli, bool json)
{
    struct serve_live *l = calloc(1, sizeof *l);
    struct pipeline_settings settings = { .memory_bytes = MEMORY_BYTES, .linger_ns = LINGER_NS, .no_join = true,
                                          .messages_only = true };
    struct pipeline_observer observer = { .ctx = l, .opened = on_opened, .message = on_message, .session = on_session,
                                          .registration_changed = on_registration_changed, .registration = on_registration };
    struct serve_print_limits limits = { .bytes = PRINT_ROOM, .owed_bytes = PRINT_OWED };

    if (!l)
        return NULL;
    l->cli = cli;
    list_init(&l->pending);
    out_init_memory(&l->text, RECORD_MAX);
    printer_begin(&l->printer, json ? PRINTER_JSON : PRINTER_TEXT, &l->text, cli->words, &cli->style);
    l->print = serve_print_new(cli->out.fd, &limits);
    l->refusals = serve_refusals_new();
    if (l->print && l->refusals && map_init(&l->calls, 256) == 0 && map_init(&l->registrations, 256) == 0 &&
        pipeline_begin(&l->pipeline, &settings, &observer))
        return l;
    return serve_live_free(l);
}

static void all_told_free(struct map *m)
{
    for (size_t i = 0; m->buckets && i < m->bucket_count; i++)
        while (m->buckets[i])
            told_free(m, map_item(m->buckets[i], struct told, by_index));
    map_done(m);
}

struct serve_live *serve_live_free(struct serve_live *l)
{
    if (!l)
        return NULL;
    l->stopping = true;
    if (l->print)
        serve_print_ends(l->print, IDLE_MS, LAST_MS);
    if (l->pipeline.tracker) {
        l->now_ns += SETTLE_NS;                           /* what is over is told as usual */
        look_at_pending(l);
        l->now_ns -= SETTLE_NS;
        pipeline_finish(&l->pipeline);
        serve_live_time(l, l->now_ns);
    }
    pipeline_done(&l->pipeline);
    all_told_free(&l->calls);
    all_told_free(&l->registrations);
    serve_refusals_free(l->refusals);
    serve_print_free(l->print);
    printer_done(&l->printer);
    out_done(&l->text);
    free(l);
    return NULL;
}

/* ---- what comes in ---- */

void serve_live_message(struct serve_live *l, const struct hop *hop, bool sent, slice bytes, int64_t now_ns)
{
    struct wire_unit unit = hop_unit(hop, sent, bytes, now_ns, ++l->frames);
    struct sip_message m;

    l->now_ns = now_ns;
    l->sent = sent;
    if (sip_message_parse(bytes, SIP_DATAGRAM, l->room, ARRAY_LEN(l->room), &m) > 0)
        pipeline_message(&l->pipeline, &unit, &m);
}

void serve_live_joined(struct serve_live *l, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further)
{
    struct track_leg_name one = { first->call_id, first->caller_tag }, other = { further->call_id, further->caller_tag };

    (void)tracker_join(l->pipeline.tracker, &one, &other);        /* a leg that is not followed is not joined */
}

void serve_live_lost(struct serve_live *l, const struct hop *hop, int error, int64_t now_ns)
{
    bool udp = hop->transport == WIRE_UDP;
    struct wire_incident incident = {
        .kind = udp ? error == ECONNREFUSED ? WIRE_ICMP_PORT_CLOSED : WIRE_ICMP_UNREACHABLE
                    : error == ECONNREFUSED ? WIRE_TCP_REFUSED : error == ETIMEDOUT ? WIRE_TCP_NO_ANSWER : WIRE_TCP_BROKEN,
        .transport = (enum wire_transport)hop->transport, .time_ns = now_ns, .frame = l->frames,
        .src = hop->local, .dst = hop->remote,
    };

    if (error)                                            /* 0: a connection ended in order */
        tracker_incident(l->pipeline.tracker, &incident);
}

/* Refusals that were not told one by one, and lines that nobody read in time. */
static void say_counts(struct serve_live *l)
{
    struct serve_refused again;
    uint64_t lost;

    while (serve_refusals_take(l->refusals, l->now_ns, l->stopping, &again)) {
        serve_refused_print(&again, &l->printer, l->cli);
        (void)print(l, false);
    }
    lost = serve_print_take_lost(l->print);
    if (!lost)
        return;
    if (l->printer.kind == PRINTER_JSON) {
        struct json *j = &l->printer.json;

        json_open(j, '{');
        json_text(j, "type", SLICE("lost"));
        json_u64(j, "lines", lost);
        rows_json_end(j);
    } else {
        cli_say_line(l->cli, &l->text, TEXT_SERVE_LINES_LOST, WORDS_NUMBER("count", lost));
    }
    (void)print(l, true);
}

void serve_live_time(struct serve_live *l, int64_t now_ns)
{
    l->now_ns = now_ns;
    pipeline_time(&l->pipeline, now_ns);
    tracker_time(l->pipeline.tracker, now_ns);
    look_at_pending(l);
    say_counts(l);
    serve_print_flush(l->print);
}
