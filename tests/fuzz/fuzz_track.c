/* tests/fuzz/fuzz_track.c - messages of a few calls and phones in any order, at any time, on any hop
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every eight bytes of the input are one message: what it is, from where to where, how long after
 * the one before, CSeq, tags, Call-ID, branch, what else it carries. Small limits, so that they are
 * reached. Whatever comes: each call that was opened is closed once, its counts add up, its state
 * fits its codes, and at the end no memory is held. */
#include <stdio.h>

#include "codes/flow.h"
#include "codes/cause.h"
#include "diagnose/diagnose.h"
#include "diagnose/flow.h"
#include "fuzz/inside.h"
#include "track/tracker.h"

#define STEP 8
#define MESSAGES_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rig {
    uint64_t calls, registrations, transactions, opened, told, refused, let_go;
    uint32_t calls_max;
    struct diagnose_history *history;
    int64_t  now_ns;
};

static const struct { const char *method; uint16_t status; } kinds[] = {
    { "INVITE", 0 }, { "ACK", 0 }, { "BYE", 0 }, { "CANCEL", 0 }, { "PRACK", 0 }, { "UPDATE", 0 },
    { "REFER", 0 }, { "NOTIFY", 0 }, { "REGISTER", 0 }, { "OPTIONS", 0 }, { "INFO", 0 }, { "FROB", 0 },
    { "INVITE", 100 }, { "INVITE", 180 }, { "INVITE", 183 }, { "INVITE", 199 }, { "INVITE", 200 },
    { "INVITE", 202 }, { "INVITE", 302 }, { "INVITE", 401 }, { "INVITE", 407 }, { "INVITE", 422 },
    { "INVITE", 486 }, { "INVITE", 487 }, { "INVITE", 491 }, { "INVITE", 503 }, { "INVITE", 699 },
    { "BYE", 200 }, { "BYE", 481 }, { "CANCEL", 200 }, { "CANCEL", 481 }, { "PRACK", 200 },
    { "UPDATE", 200 }, { "UPDATE", 488 }, { "REFER", 202 }, { "NOTIFY", 200 }, { "REGISTER", 200 },
    { "REGISTER", 401 }, { "REGISTER", 423 }, { "REGISTER", 503 }, { "OPTIONS", 200 }, { "FROB", 501 },
};

static const char *const extras[16] = {
    "", "RSeq: 1\r\nRequire: 100rel\r\n", "RSeq: 2\r\n", "Session-Expires: 90\r\n",
    "Contact: <sip:a@1.1.1.1>;expires=60\r\n", "Contact: <sip:b@2.2.2.2>;expires=0, <sip:a@1.1.1.1>\r\n",
    "Contact: *\r\nExpires: 0\r\n", "Reason: Q.850;cause=16;text=\"x\"\r\n",
    "Reason: SIP;cause=200\r\n", "Refer-To: <sip:c@h>\r\n", "Replaces: y;to-tag=1;from-tag=2\r\n",
    "P-Access-Network-Info: 3GPP\r\n", "Min-Expires: 99999999999\r\n", "Diversion: <sip:x@y>\r\n",
    "Contact: <sip:c@3.3.3.3>;expires=99999999999\r\n", "Event: reg\r\n",
};

static const char *const directions[] = { "sendrecv", "sendonly", "inactive", "recvonly" };

/* ---- what a closed record must be ---- */

/* Evidence is never empty, and every frame that it names was there. */
static void check_verdict(const struct rig *r, const struct verdict *v)
{
    MUST(v->cause > CAUSE_NONE && v->cause <= CAUSES);
    MUST(v->certainty <= VERDICT_SURE);
    MUST(v->evidence_count > 0 && v->evidence_count <= VERDICT_EVIDENCE_MAX);
    for (unsigned i = 0; i < v->evidence_count; i++)
        MUST(v->evidence[i].frame > 0 && v->evidence[i].frame <= r->told);
    for (unsigned i = 0; i < v->param_count; i++)
        MUST(v->params[i].name && v->params[i].value.len <= 160);
}

static void check_verdicts(const struct rig *r, const struct call_verdicts *v)
{
    if (!v)
        return;
    if (v->cause.cause) {
        MUST(cause_may_be_main((enum cause_id)v->cause.cause));
        check_verdict(r, &v->cause);
    }
    MUST(v->finding_count <= VERDICT_FINDINGS_MAX);
    for (unsigned i = 0; i < v->finding_count; i++) {
        check_verdict(r, &v->findings[i]);
        MUST(v->findings[i].cause != v->cause.cause);
        MUST(i == 0 || cause_severity((enum cause_id)v->findings[i - 1].cause) >=
                           cause_severity((enum cause_id)v->findings[i].cause));
    }
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct rig *r = ctx;

    diagnose_session(legs, count, &(struct diagnose_context){ .history = r->history, .now_ns = r->now_ns });
    diagnose_flow(legs, count);
    for (size_t i = 0; i < count; i++)
        check_verdicts(r, legs[i]->verdicts);
    for (size_t i = 0; i < count; i++) {
        const struct call_flow *f = &legs[i]->flow;

        MUST(f->flow < FLOWS && f->deviation < CALL_DEVIATIONS);
        MUST(f->flow != FLOW_NONE || f->deviation == CALL_FLOW_FOLLOWED);
        MUST(f->deviation == CALL_FLOW_FOLLOWED || flow_step(f->part, f->step));
    }
}

static bool on_call(void *ctx, struct call *c)
{
    struct rig *r = ctx;
    uint64_t sum = c->codes_beyond;
    char room[8];

    r->calls++;
    for (unsigned i = 0; i < SIP_METHODS; i++)
        sum += c->methods[i];
    for (unsigned i = 0; i < c->code_count; i++)
        sum += c->codes[i].count;
    MUST(sum == c->messages);
    MUST(c->final == 0 || (c->final >= 200 && c->final < 700));
    MUST(c->state != CALL_REFUSED || c->final >= 300);
    MUST(c->state != CALL_ACTIVE || !c->ended_ns || c->bye_ns);
    MUST(!c->answered || (c->final >= 200 && c->final < 300 && c->answered_ns));
    MUST(!c->answered || c->ack != CALL_ACK_NONE);
    r->refused += c->state == CALL_NOT_FOLLOWED && c->messages == 0;
    r->let_go += c->state == CALL_NOT_FOLLOWED && c->messages > 0;
    MUST(c->held <= c->reinvites + c->methods[SIP_UPDATE]);
    MUST(c->on_hold ? c->held > 0 : true);
    MUST(c->challenge == 0 || c->challenge == 401 || c->challenge == 407);
    MUST(call_status(c).name.len > 0 && call_last_response(c, room).len > 0);
    MUST(c->call_id.len > 0);
    (void)call_pdd_ns(c), (void)call_ring_ns(c), (void)call_talk_ns(c), (void)call_duration_ns(c);
    return false;                                         /* the tracker frees it */
}

static bool on_registration(void *ctx, struct registration *b)
{
    struct rig *r = ctx;

    r->registrations++;
    diagnose_registration(b, &(struct diagnose_context){ .history = r->history, .now_ns = r->now_ns });
    check_verdicts(r, b->verdicts);
    diagnose_flow_registration(b);
    MUST(b->flow.flow < FLOWS && (!b->flow.deviation || flow_step(b->flow.part, b->flow.step)));
    MUST(b->refreshes + b->failures <= b->requests + 1 || b->tables_full);
    MUST((b->reason == REGISTRATION_NO_REASON) || b->state == REGISTRATION_UNREGISTERED ||
         b->state == REGISTRATION_FAILED || b->state == REGISTRATION_REGISTERING ||
         b->state == REGISTRATION_UNREGISTERING || b->state == REGISTRATION_REGISTERED);
    MUST(b->state != REGISTRATION_REGISTERED || b->expires_ns);
    MUST(registration_status(b).name.len > 0);
    return false;
}

static bool on_transaction(void *ctx, struct transaction *t)
{
    ((struct rig *)ctx)->transactions++;
    MUST(t->call_id.len > 0 && t->method.len > 0);
    MUST(!slice_eq(t->method, SLICE("INVITE")) && !slice_eq(t->method, SLICE("REGISTER")));
    return false;
}

static void on_opened(void *ctx, const struct call *c)
{
    MUST(c->call_id.len > 0);
    ((struct rig *)ctx)->opened++;
}

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct rig *r = ctx;

    MUST(!!s->call + !!s->registration + !!s->transaction <= 1);
    r->told++;
    r->now_ns = s->unit->time_ns > r->now_ns ? s->unit->time_ns : r->now_ns;
    if (s->kind == SEEN_NEW && r->history)
        diagnose_history_message(r->history, s->unit, s->message);
}

/* ---- messages ---- */

static size_t write_message(const uint8_t b[STEP], char *text, size_t room)
{
    unsigned kind = b[0] % (sizeof kinds / sizeof kinds[0]);
    bool reversed = b[4] & 0x80;
    char caller[8] = "a0", callee[8] = "", body[256] = "", start[64];
    int n = 0;

    caller[1] = (char)('0' + (b[4] & 1));
    if (b[4] & 6)
        snprintf(callee, sizeof callee, "b%d", (b[4] >> 1) & 3);
    if (b[7] & 0x40)
        n = snprintf(body, sizeof body, "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
                     "m=audio 4000 RTP/AVP 0\r\na=%s\r\n", directions[b[7] >> 4 & 3]);
    else if (b[7] & 0x80)
        n = snprintf(body, sizeof body, "SIP/2.0 %d x\r\n", 100 + b[7] * 3);
    if (kinds[kind].status)
        snprintf(start, sizeof start, "SIP/2.0 %d x", kinds[kind].status);
    else
        snprintf(start, sizeof start, "%s sip:b@h SIP/2.0", kinds[kind].method);
    n = snprintf(text, room,
                 "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%u\r\n%sFrom: <sip:x@h>;tag=%s\r\nTo: <sip:y%u@h>%s%s\r\n"
                 "Call-ID: %c\r\nCSeq: %u %s\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
                 start, b[6] & 7, b[6] & 8 ? "Via: SIP/2.0/UDP g;branch=z9hG4bKg\r\n" : "",
                 reversed ? (callee[0] ? callee : "b0") : caller, b[5] >> 6, reversed || callee[0] ? ";tag=" : "",
                 reversed ? caller : callee, 'p' + (b[5] & 7), b[3] & 7, kinds[kind].method, extras[b[7] & 15],
                 b[7] & 0x40 ? "application/sdp" : "message/sipfrag", n, body);
    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

static int64_t step_ns(uint8_t b)
{
    static const int64_t steps_ms[16] = { 0, 1, 10, 49, 51, 500, 1000, 2000, 4000, 32000, 41000, 130000,
                                          601000, 3601000, 15000000, -5000 };

    return steps_ms[b & 15] * 1000000;
}

static void play(struct tracker *t, struct rig *r, const uint8_t *data, size_t size)
{
    static struct sip_header room[64];
    int64_t now_ns = 1700000000000000000;
    uint64_t frames = 0;

    for (; size >= STEP && frames < MESSAGES_MAX; data += STEP, size -= STEP) {
        char text[2048];
        struct sip_message m;
        size_t len = write_message(data, text, sizeof text);
        uint8_t source[4] = { 10, 0, 0, data[1] & 3 }, destination[4] = { 10, 0, 0, data[1] >> 2 & 3 };

        now_ns += step_ns(data[2]);
        if (sip_message_parse(slice_of(text, len), SIP_DATAGRAM, room, 64, &m) <= 0)
            continue;
        struct wire_unit unit = { .time_ns = now_ns, .frame = ++frames, .payload = slice_of(text, len),
                                  .src = address_v4(source, 5060), .dst = address_v4(destination, 5060),
                                  .ip_id = data[1] >> 4 };

        tracker_message(t, &unit, &m);
        MUST(r->told == frames);
        MUST(tracker_counts(t)->live_calls_max <= r->calls_max);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r = { .calls_max = size && data[0] & 1 ? 3 : 1000 };
    struct track_settings settings = { .seed = { 1, 2 }, .calls_max = r.calls_max,
                                       .memory_max_bytes = size && data[0] & 2 ? 12000 : 1 << 20 };
    struct track_observer observer = { .ctx = &r, .message = on_message, .call_opened = on_opened,
                                       .session_closing = on_session, .call_closed = on_call, .registration_closed = on_registration,
                                       .transaction_closed = on_transaction };
    struct tracker *t = tracker_new(&settings, &observer);

    r.history = diagnose_history_new(&settings.seed, 1 << 15);
    if (!t || !r.history)
        return 0;
    play(t, &r, data + (size > 0), size ? size - 1 : 0);
    tracker_finish(t);
    const struct track_counts *n = tracker_counts(t);

    MUST(n->calls == r.calls);
    MUST(n->calls == r.opened + r.refused);
    MUST(n->not_followed == r.refused + r.let_go);
    MUST(n->registrations == r.registrations);
    MUST(n->transactions == r.transactions);
    MUST(tracker_memory_bytes(t) == 0);
    tracker_free(t);
    diagnose_history_free(r.history);
    return 0;
}
