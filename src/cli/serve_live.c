/* cli/serve_live.c - calls and registrations of the running server as they change and end
 * SPDX-License-Identifier: Apache-2.0
 *
 * An observer beside the switch: each message that comes or goes is told to a tracker, as if it
 * had been captured, and what the tracker says is printed by the printers of `read`. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "cli/serve_int.h"
#include "diagnose/diagnose.h"
#include "diagnose/flow.h"
#include "diagnose/history.h"
#include "report/flows.h"
#include "track/tracker.h"
#include "wire/incident.h"

enum { HISTORY_BYTES = 4 << 20, MEMORY_BYTES = 256 << 20 };
/* Each message passes here, so what is over needs to wait only as long as the longest gap
 * between repeats (T2). */
#define LINGER_NS INT64_C(6000000000)

struct serve_live {
    struct cli              *cli;
    struct tracker          *tracker;
    struct diagnose_history *history;
    struct printer           printer;
    uint64_t                 frames;
    int64_t                  now_ns;
    struct sip_header        room[SIP_HEADERS_MAX];
};

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct serve_live *l = ctx;

    if (s->kind == SEEN_NEW)
        diagnose_history_message(l->history, s->unit, s->message);
}

static void say_flow(struct serve_live *l, const struct call_flow *flow)
{
    if (l->printer.kind != PRINTER_TEXT || !flow->flow)
        return;
    out_text(&l->cli->out, SLICE("  "));
    flows_say(&l->cli->out, l->cli->words, flow);
    out_char(&l->cli->out, '\n');
}

static void on_changed(void *ctx, const struct call *c)
{
    printer_call(&((struct serve_live *)ctx)->printer, c);
}

/* The end of a call, all its legs: a line each, and what is to say about it, once. */
static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct serve_live *l = ctx;
    struct diagnose_context context = { .history = l->history, .now_ns = l->now_ns };

    diagnose_session(legs, count, &context);
    diagnose_flow(legs, count);
    for (size_t i = 0; i < count; i++)
        printer_call(&l->printer, legs[i]);
    for (size_t i = 0; i < count; i++)
        say_flow(l, &legs[i]->flow);
    if (l->printer.kind == PRINTER_TEXT)
        printer_session_verdicts(&l->printer, legs, count, NULL);
    for (size_t i = 0; i < count; i++)
        call_forget(legs[i]);
}

static void on_registration_changed(void *ctx, const struct registration *r)
{
    printer_registration(&((struct serve_live *)ctx)->printer, r);
}

static bool on_registration_closed(void *ctx, struct registration *r)
{
    struct serve_live *l = ctx;

    diagnose_registration(r, &(struct diagnose_context){ .history = l->history, .now_ns = l->now_ns });
    diagnose_flow_registration(r);
    printer_registration(&l->printer, r);
    say_flow(l, &r->flow);
    return false;
}

struct serve_live *serve_live_new(struct cli *cli, bool json)
{
    struct serve_live *l = calloc(1, sizeof *l);
    struct track_settings settings = { .memory_max_bytes = MEMORY_BYTES, .linger_ns = LINGER_NS };
    struct track_observer observer = { .ctx = l, .message = on_message, .call_changed = on_changed,
                                       .session_closing = on_session,
                                       .registration_changed = on_registration_changed,
                                       .registration_closed = on_registration_closed };

    if (!l)
        return NULL;
    l->cli = cli;
    if (getrandom(&settings.seed, sizeof settings.seed, 0) != (ssize_t)sizeof settings.seed)
        settings.seed.k0 = (uintptr_t)l;
    printer_begin(&l->printer, json ? PRINTER_JSON : PRINTER_TEXT, &cli->out, cli->words, &cli->style);
    l->tracker = tracker_new(&settings, &observer);
    l->history = diagnose_history_new(&settings.seed, HISTORY_BYTES);
    return l->tracker && l->history ? l : serve_live_free(l);
}

struct serve_live *serve_live_free(struct serve_live *l)
{
    if (!l)
        return NULL;
    if (l->tracker)
        tracker_finish(l->tracker);
    (void)out_flush(&l->cli->out);
    tracker_free(l->tracker);
    diagnose_history_free(l->history);
    printer_done(&l->printer);
    free(l);
    return NULL;
}

void serve_live_message(struct serve_live *l, const struct hop *hop, bool sent, slice bytes, int64_t now_ns)
{
    struct wire_unit unit = hop_unit(hop, sent, bytes, now_ns, ++l->frames);
    struct sip_message m;

    l->now_ns = now_ns;
    if (sip_message_parse(bytes, SIP_DATAGRAM, l->room, ARRAY_LEN(l->room), &m) > 0)
        tracker_message(l->tracker, &unit, &m);
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
        tracker_incident(l->tracker, &incident);
}

void serve_live_time(struct serve_live *l, int64_t now_ns)
{
    l->now_ns = now_ns;
    tracker_time(l->tracker, now_ns);
    (void)out_flush(&l->cli->out);
}
