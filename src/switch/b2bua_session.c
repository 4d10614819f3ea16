/* switch/b2bua_session.c - session timers (RFC 4028): each leg has its own, and we may be its refresher
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where timers pass from end to end (B2BUA_TIMER_THROUGH) only what the phones agree on is obeyed.
 * Else each leg is negotiated by itself. A leg that we refresh gets an UPDATE without SDP, which
 * changes nothing and concerns nobody else; a phone that does not take UPDATE gets a re-INVITE
 * with the SDP that it was sent last. A leg whose phone knows of no timer is refreshed, too, when
 * we ask for timers: not to keep it, but to learn that it is gone. */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/sdp.h"
#include "sip/values.h"
#include "switch/b2bua_int.h"

#include <stdlib.h>

enum { FLOOR_S = 90, EXPIRES_S = 1800 };                  /* RFC 4028, 5 and 4.2 */
enum { KNOWN = SESSION_KNOWS_TIMER | SESSION_TAKES_UPDATE, WANTS = SESSION_WANTS_UAC | SESSION_WANTS_UAS };
#define SECOND_NS 1000000000ll
#define CS_NS 10000000ll                                  /* a hundredth of a second */

static const slice gone = SLICE_INIT("SIP;cause=481;text=\"The other side has no such call\"");
static const slice mute = SLICE_INIT("SIP;cause=408;text=\"The other side does not answer\"");

/* The last SDP in force that was sent to a leg whose phone takes no UPDATE: type and body. */
struct session_sdp {
    struct session_sdp *next;
    const struct leg   *leg;
    uint32_t            type_len, len;
    char                bytes[];
};

bool session_is_ours(const struct b2bua_call *c) { return c->session_timer != B2BUA_TIMER_THROUGH; }

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t least_s(const struct b2bua *b) { return larger(b->settings.session_expires_min_s, FLOOR_S); }

static uint32_t usual_s(const struct b2bua *b)
{
    return larger(b->settings.session_expires_s ? b->settings.session_expires_s : EXPIRES_S, least_s(b));
}

/* ---- what a message says ---- */

static uint16_t min_se(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_MIN_SE);
    uint32_t seconds = 0;

    if (h)
        (void)sip_seconds_parse(h->value, &seconds);
    return seconds < UINT16_MAX ? (uint16_t)seconds : UINT16_MAX;
}

static struct session_wish wish_of(const struct sip_message *m)
{
    static const uint8_t wants[] = { [SIP_REFRESHER_UAC] = SESSION_WANTS_UAC, [SIP_REFRESHER_UAS] = SESSION_WANTS_UAS };
    const struct sip_header *h = sip_header_find(m, SIP_H_SESSION_EXPIRES);
    struct session_wish wish = { .min_s = min_se(m) };
    struct sip_session_expires said;

    if (sip_values_have(m, SIP_H_SUPPORTED, SLICE("timer")) || sip_values_have(m, SIP_H_REQUIRE, SLICE("timer")))
        wish.flags |= SESSION_KNOWS_TIMER;
    if (sip_values_have(m, SIP_H_ALLOW, SLICE("UPDATE")))
        wish.flags |= SESSION_TAKES_UPDATE;
    if (h && sip_session_expires_parse(h->value, &said)) {
        wish.interval_s = said.interval_s;
        wish.flags |= wants[said.refresher];
    }
    return wish;
}

void session_peer(struct leg *leg, const struct sip_message *m)
{
    if (session_is_ours(leg->call) && sip_header_find(m, SIP_H_ALLOW))
        leg->session_flags = (uint8_t)((leg->session_flags & ~SESSION_TAKES_UPDATE) | (wish_of(m).flags & SESSION_TAKES_UPDATE));
}

static void heard_min(struct leg *leg, uint16_t min_s)
{
    if (min_s > leg->session.min_s)
        leg->session.min_s = min_s;
}

/* ---- the time ---- */

/* Half the interval is for the refresher; the other side ends a call that was not refreshed a
 * little before its time (10). What passes from end to end has all of it. */
static int64_t refresh_ns(const struct leg *leg)
{
    return leg->session.expires_ns - (int64_t)leg->session.interval_s * SECOND_NS / 2 + leg->session.wait_cs * CS_NS;
}

static int64_t bye_ns(const struct leg *leg)
{
    uint32_t before_s = leg->session.interval_s / 3 < 32 ? leg->session.interval_s / 3 : 32;

    return leg->session.expires_ns - (session_is_ours(leg->call) ? before_s * SECOND_NS : 0);
}

static bool refresh_is_due(const struct leg *leg, int64_t now_ns)
{
    return (leg->session_flags & (SESSION_OURS | SESSION_REFRESHING)) == SESSION_OURS && now_ns >= refresh_ns(leg);
}

static int64_t next_ns(const struct leg *leg)
{
    uint8_t flags = leg->session_flags;
    int64_t ns = flags & SESSION_AGREED ? bye_ns(leg) : INT64_MAX;

    if (!leg->session.interval_s)
        return INT64_MAX;
    if ((flags & (SESSION_OURS | SESSION_REFRESHING)) == SESSION_OURS && refresh_ns(leg) < ns)
        ns = refresh_ns(leg);
    return ns;
}

static void set_timer(struct b2bua_call *c)
{
    int64_t at_ns = c->duration_end_ns;

    if (next_ns(&c->a) < at_ns)
        at_ns = next_ns(&c->a);
    if (c->b && next_ns(c->b) < at_ns)
        at_ns = next_ns(c->b);
    wheel_set(&c->b2bua->call_wheel, &c->timer, at_ns);
}

/* From now on, or none at all. */
static void start(struct leg *leg, uint32_t interval_s)
{
    leg->session.interval_s = interval_s;
    leg->session.wait_cs = 0;
    leg->session.expires_ns = b2bua_now(leg->call->b2bua) + (int64_t)interval_s * SECOND_NS;
    leg->session_flags &= (uint8_t)~SESSION_REFRESHING;
}

/* Our refresh is tried again so much later; when that has gone on for long, no more. */
static void put_off(struct leg *leg, int64_t delay_ns)
{
    int64_t half_ns = refresh_ns(leg) - leg->session.wait_cs * CS_NS;
    int64_t wait_cs = (b2bua_now(leg->call->b2bua) + delay_ns - half_ns) / CS_NS + 1;

    leg->session_flags &= (uint8_t)~SESSION_REFRESHING;
    if (wait_cs <= UINT16_MAX)
        leg->session.wait_cs = (uint16_t)(wait_cs > 0 ? wait_cs : 0);
    else if (leg->session_flags & SESSION_AGREED)
        leg->session_flags &= (uint8_t)~SESSION_OURS;     /* its end comes */
    else
        start(leg, leg->session.interval_s);
}

/* ---- what is agreed ---- */

/* They ask, we answer with 2xx (9). Who asked for nothing and cannot is refreshed by us if we want that. */
static void settle_their_request(struct leg *leg, const struct session_wish *wish)
{
    const struct b2bua *b = leg->call->b2bua;
    uint32_t interval_s = wish->interval_s;
    bool knows = wish->flags & SESSION_KNOWS_TIMER, was_ours = leg->session.interval_s && leg->session_flags & SESSION_OURS;
    bool ours = !knows || wish->flags & SESSION_WANTS_UAS || (was_ours && !(wish->flags & SESSION_WANTS_UAC));

    heard_min(leg, wish->min_s);
    if (leg->call->session_timer != B2BUA_TIMER_ANSWER && (!interval_s || interval_s > usual_s(b)))
        interval_s = larger(usual_s(b), leg->session.min_s);
    if (interval_s)
        interval_s = larger(interval_s, least_s(b));      /* what a proxy asked in the name of a phone that cannot hear 422 */
    leg->session_flags = (uint8_t)((leg->session_flags & SESSION_TAKES_UPDATE) | (wish->flags & KNOWN) | (ours ? SESSION_OURS : 0) |
                                   (knows || wish->interval_s ? SESSION_AGREED : 0));
    start(leg, interval_s);
}

static void put_answer(struct out *o, const struct leg *leg)
{
    bool ours = leg->session_flags & SESSION_OURS;

    if (!leg->session.interval_s || !(leg->session_flags & SESSION_AGREED))
        return;
    if (leg->session_flags & SESSION_KNOWS_TIMER)
        sip_build_header(o, SIP_H_REQUIRE, SLICE("timer"));
    out_text(o, SLICE("Session-Expires: "));
    out_u64(o, leg->session.interval_s);
    out_text(o, ours ? SLICE(";refresher=uas\r\n") : SLICE(";refresher=uac\r\n"));
}

/* We asked, they answered with 2xx (7.2). */
static void settle_our_request(struct leg *leg, const struct sip_message *m, uint32_t asked_s)
{
    struct session_wish said = wish_of(m);
    uint8_t flags = leg->session_flags & SESSION_TAKES_UPDATE;

    if (sip_header_find(m, SIP_H_ALLOW))
        flags = said.flags & SESSION_TAKES_UPDATE;
    flags |= said.flags & SESSION_KNOWS_TIMER;
    if (said.interval_s) {
        leg->session_flags = flags | SESSION_AGREED | (said.flags & SESSION_WANTS_UAS ? 0 : SESSION_OURS);
        start(leg, larger(said.interval_s, FLOOR_S));
    } else {
        leg->session_flags = flags | SESSION_OURS;
        start(leg, leg->call->session_timer == B2BUA_TIMER_ANSWER ? 0 : asked_s);
    }
}

static void put_request(struct out *o, uint32_t interval_s, uint16_t min_s, slice refresher)
{
    out_text(o, SLICE("Session-Expires: "));
    out_u64(o, interval_s);
    out_text(o, refresher);
    out_text(o, SLICE("\r\n"));
    if (min_s > FLOOR_S)
        sip_build_header_u32(o, SIP_H_MIN_SE, min_s < interval_s ? min_s : interval_s);
}

/* ---- the INVITE ---- */

static bool is_too_short(const struct b2bua *b, const struct session_wish *wish)
{
    return wish->interval_s && wish->interval_s < least_s(b) && wish->flags & SESSION_KNOWS_TIMER;
}

unsigned session_begin(struct b2bua_call *c, const struct sip_message *m, struct out *headers)
{
    const struct b2bua *b = c->b2bua;
    struct session_wish wish;

    if (!session_is_ours(c))
        return 0;
    wish = wish_of(m);
    if (is_too_short(b, &wish)) {
        sip_build_header_u32(headers, SIP_H_MIN_SE, least_s(b));
        return 422;
    }
    if (c->session_timer == B2BUA_TIMER_DEMAND && !(wish.flags & SESSION_KNOWS_TIMER) && !setup_is_urgent(b, m)) {
        sip_build_header(headers, SIP_H_REQUIRE, SLICE("timer"));
        return 421;
    }
    c->a.session.interval_s = wish.interval_s;            /* until the answer: the wish */
    c->a.session.min_s = wish.min_s;
    c->a.session_flags = wish.flags;
    return 0;
}

static uint32_t asked_of(const struct branch *branch) { return larger(usual_s(branch->call->b2bua), branch->session_s); }

void session_ask(struct out *o, const struct branch *branch)
{
    const struct b2bua *b = branch->call->b2bua;
    uint32_t least = least_s(b);

    if (branch->call->session_timer >= B2BUA_TIMER_ASK)
        put_request(o, asked_of(branch), least < UINT16_MAX ? (uint16_t)least : UINT16_MAX, (slice){ 0 });
}

/* 7.3. Once, and not after a 1xx with a tag, as with a challenge. */
bool session_invite_again(struct branch *branch, const struct sip_message *m)
{
    struct b2bua_call *c = branch->call;
    struct b2bua *b = c->b2bua;
    uint16_t min_s = min_se(m);
    struct client_transaction *again;

    if (m->status != 422 || c->session_timer < B2BUA_TIMER_ASK || branch->session_s || min_s <= asked_of(branch) ||
        branch->over || c->cancelled || c->phase != CALL_SETUP || !list_is_empty(&branch->legs) || !branch->invite)
        return false;
    out_clear(&b->scratch);
    put_request(&b->scratch, min_s, min_s, (slice){ 0 });
    again = b->scratch.error ? NULL : client_request_again(branch->invite, branch->asked.local_cseq + 1, out_taken(&b->scratch));
    if (!again)
        return false;
    branch->session_s = min_s;
    branch->invite = again;
    branch->asked.local_cseq++;
    return true;
}

void session_answer(struct out *o, struct b2bua_call *c)
{
    const struct session_wish wish = { c->a.session.interval_s, c->a.session.min_s, c->a.session_flags };

    if (!session_is_ours(c))
        return;
    c->a.session.interval_s = 0;
    settle_their_request(&c->a, &wish);
    put_answer(o, &c->a);
}

/* End to end: refreshed by each 2xx that carries Session-Expires; without it there is no timer (9). */
static void watch(struct b2bua_call *c, const struct sip_message *m)
{
    c->a.session_flags = SESSION_AGREED;
    start(&c->a, wish_of(m).interval_s);
}

void session_answered(struct b2bua_call *c, const struct sip_message *m)
{
    if (c->phase != CALL_ANSWERED)
        return;
    c->duration_end_ns = b2bua_now(c->b2bua) + c->b2bua->settings.duration_max_ns;
    if (session_is_ours(c))
        settle_our_request(c->b, m, asked_of(c->b->branch));
    else
        watch(c, m);
    set_timer(c);
}

/* ---- what refreshes a leg, of theirs ---- */

/* An UPDATE that says nothing but that its sender is still there. */
static bool only_refreshes(const struct leg *leg, const struct sip_message *m, const struct session_wish *wish)
{
    static const enum sip_header_id says[] = { SIP_H_P_ASSERTED_IDENTITY, SIP_H_REMOTE_PARTY_ID, SIP_H_P_PREFERRED_IDENTITY,
                                               SIP_H_P_EARLY_MEDIA };

    if (m->method != SIP_UPDATE || m->body.len || !(wish->interval_s || leg->session.interval_s))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(says); i++)
        if (sip_header_find(m, says[i]))
            return false;
    return true;
}

bool session_request(struct leg *leg, struct server_transaction *s, const struct sip_message *m, const struct hop *hop,
                     struct session_wish *ret)
{
    struct b2bua_call *c = leg->call;
    struct out *o;

    if (!session_is_ours(c) || c->phase != CALL_ANSWERED || (m->method != SIP_INVITE && m->method != SIP_UPDATE))
        return false;
    *ret = wish_of(m);
    if (is_too_short(c->b2bua, ret)) {
        o = server_reply(s, 422, (slice){ 0 });
        sip_build_header_u32(o, SIP_H_MIN_SE, least_s(c->b2bua));
        server_reply_send(s, (slice){ 0 }, (slice){ 0 });
        return true;
    }
    if (!only_refreshes(leg, m, ret))
        return false;
    dialog_refresh(&c->arena, m, hop, &leg->dialog);
    settle_their_request(leg, ret);
    set_timer(c);
    o = server_reply(s, 200, (slice){ 0 });
    headers_ours(o, c->b2bua, server_hop(s), false);
    sip_build_header(o, SIP_H_SUPPORTED, SLICE("timer"));
    put_answer(o, leg);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
    return true;
}

/* What is agreed stays so, and the roles, too. */
void session_relay(struct out *o, const struct leg *to)
{
    bool ours = to->session_flags & SESSION_OURS;

    if (session_is_ours(to->call) && to->call->phase == CALL_ANSWERED && to->session.interval_s)
        put_request(o, to->session.interval_s, to->session.min_s, ours ? SLICE(";refresher=uac") : SLICE(";refresher=uas"));
}

void session_relayed(struct relay *r, const struct sip_message *m)
{
    struct b2bua_call *c = r->call;

    if (c->phase != CALL_ANSWERED || r->done)
        return;
    if (!session_is_ours(c)) {
        watch(c, m);
    } else {
        settle_our_request(r->to, m, r->to->session.interval_s);
        if (r->from)
            settle_their_request(r->from, &r->wish);
    }
    set_timer(c);
}

void session_relay_answer(struct out *o, const struct relay *r)
{
    if (session_is_ours(r->call) && r->call->phase == CALL_ANSWERED && (r->method == SIP_INVITE || r->method == SIP_UPDATE))
        put_answer(o, r->from);
}

/* ---- the SDP of a phone that takes no UPDATE ---- */

static struct session_sdp **sdp_of(struct leg *leg)
{
    struct session_sdp **at = &leg->call->sdps;

    while (*at && (*at)->leg != leg)
        at = &(*at)->next;
    return at;
}

bool session_has(struct leg *leg) { return *sdp_of(leg) != NULL; }

void session_forget(struct leg *leg)
{
    struct session_sdp **at = sdp_of(leg), *sdp = *at;

    if (!sdp)
        return;
    *at = sdp->next;
    leg->call->b2bua->memory_bytes -= sizeof *sdp + sdp->len;
    free(sdp);
}

void session_change_places(struct b2bua_call *c, struct leg *one, struct leg *other)
{
    for (struct session_sdp *sdp = c->sdps; sdp; sdp = sdp->next)
        sdp->leg = sdp->leg == one ? other : sdp->leg == other ? one : sdp->leg;
}

bool session_keeps(const struct leg *leg) { return session_is_ours(leg->call) && !(leg->session_flags & SESSION_TAKES_UPDATE); }

void session_keep(struct leg *leg, const struct sip_message *m)
{
    if (session_keeps(leg) && headers_have_offer(m))
        session_keep_sdp(leg, headers_type(m), m->body);
}

void session_keep_sdp(struct leg *leg, slice type, slice body)
{
    struct b2bua_call *c = leg->call;
    struct session_sdp *sdp;

    if (!session_keeps(leg) || body.len > UINT16_MAX || type.len > UINT16_MAX)
        return;
    session_forget(leg);
    sdp = malloc(sizeof *sdp + type.len + body.len);
    if (!sdp)
        return;                                           /* it cannot be refreshed by us, then */
    *sdp = (struct session_sdp){ .next = c->sdps, .leg = leg, .type_len = (uint32_t)type.len, .len = (uint32_t)(type.len + body.len) };
    memcpy(sdp->bytes, type.ptr, type.len);
    memcpy(sdp->bytes + type.len, body.ptr, body.len);
    c->sdps = sdp;
    c->b2bua->memory_bytes += sizeof *sdp + sdp->len;
}

/* ---- transfers ---- */

/* Where timers pass from end to end, our re-INVITE speaks of none, which ends what was agreed (RFC 4028, 4). */
void session_reinvited(struct leg *leg, const struct sip_message *m)
{
    if (session_is_ours(leg->call))
        settle_our_request(leg, m, leg->session.interval_s);
}

void session_move(struct leg *from, struct leg *to)
{
    struct session_sdp **at = sdp_of(from), *sdp = *at;

    if (session_is_ours(from->call) && session_is_ours(to->call)) {
        to->session = from->session;
        to->session_flags = (uint8_t)(from->session_flags & ~SESSION_REFRESHING);
    }
    from->session.interval_s = 0;
    if (!sdp)
        return;
    *at = sdp->next;
    sdp->leg = to;
    sdp->next = to->call->sdps;
    to->call->sdps = sdp;
}

void session_joined(struct b2bua_call *c)
{
    if (c->phase != CALL_ANSWERED)
        return;
    c->duration_end_ns = b2bua_now(c->b2bua) + c->b2bua->settings.duration_max_ns;
    set_timer(c);
}

/* ---- our refresh ---- */

/* Something of the offers is open, or not acknowledged: not now (14.1). */
static bool is_open(const struct b2bua_call *c, const struct leg *leg)
{
    if (leg->ack_owed || leg->repeats != LEG_REPEATS_NOTHING || leg->bye_wanted || transfer_asks(c))
        return true;
    for (struct list *l = c->relays.next; l != &c->relays; l = l->next) {
        const struct relay *r = list_item(l, struct relay, in_call);

        if (!r->done && (r->method == SIP_INVITE || (r->method == SIP_UPDATE && r->has_offer)))
            return true;
    }
    return false;
}

static bool send_refresh(struct leg *leg, enum sip_method method, slice type, slice body)
{
    struct b2bua_call *c = leg->call;
    struct endpoint *e = c->b2bua->endpoint;
    struct relay *r = relay_start(c, NULL, leg, NULL, NULL);
    struct out *o = r ? dialog_request(e, &leg->dialog, method, (slice){ 0 }) : NULL;

    if (o) {
        r->method = (uint8_t)method;
        r->refreshes = true;
        if (method == SIP_INVITE) {
            leg->invite_cseq_out = r->cseq_out = leg->dialog.local_cseq;
            leg->acked_once = leg->ack_owed = false;
        }
        headers_ours(o, c->b2bua, client_request_hop(e), true);
        sip_build_header(o, SIP_H_SUPPORTED, SLICE("timer"));
        put_request(o, leg->session.interval_s, leg->session.min_s, SLICE(";refresher=uac"));
        r->client = client_request_send(e, type, body, r);
    }
    if (r && r->client)
        return true;
    if (r)
        relay_free(r);
    return false;
}

/* By UPDATE, else with the SDP that is in force; a leg that neither would do for waits for its end. */
static void refresh(struct leg *leg)
{
    const struct session_sdp *sdp = *sdp_of(leg);
    bool sent = false;

    if (leg->session_flags & SESSION_TAKES_UPDATE) {
        sent = send_refresh(leg, SIP_UPDATE, (slice){ 0 }, (slice){ 0 });
    } else if (!sdp) {
        put_off(leg, UINT16_MAX * CS_NS * 2);
        return;
    } else if (!is_open(leg->call, leg)) {
        sent = send_refresh(leg, SIP_INVITE, slice_of(sdp->bytes, sdp->type_len), slice_of(sdp->bytes + sdp->type_len, sdp->len - sdp->type_len));
    }
    if (sent)
        leg->session_flags |= SESSION_REFRESHING;
    else
        put_off(leg, SECOND_NS);
}

/* 14.1, in steps of 10 ms: who owns the Call-ID waits longer. */
int64_t session_glare_ns(const struct leg *leg)
{
    uint64_t random = b2bua_random(leg->call->b2bua);

    return (int64_t)(leg->dialog.is_ours ? 210 + random % 191 : random % 201) * CS_NS;
}

static int64_t retry_after_ns(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_RETRY_AFTER);
    struct sip_retry_after after;

    return h && sip_retry_after_parse(h->value, &after) && after.after_s ? (int64_t)after.after_s * SECOND_NS : 10 * SECOND_NS;
}

/* The time of the next refresh stays. */
bool session_longer(struct leg *leg, const struct sip_message *m)
{
    uint16_t min_s = min_se(m);

    if (!leg->session.interval_s || min_s <= leg->session.interval_s)
        return false;
    leg->session.expires_ns += (int64_t)(min_s - leg->session.interval_s) * SECOND_NS / 2;
    leg->session.interval_s = min_s;
    heard_min(leg, min_s);
    return true;
}

/* It is there, but does not take that: 422 wants a longer interval, and who takes no UPDATE may
 * take a re-INVITE. Whatever else it says, the session goes on until its time is over. */
static void refused(struct leg *leg, const struct sip_message *m, enum sip_method method)
{
    if (m->status == 491) {
        put_off(leg, session_glare_ns(leg));
    } else if (m->status == 422 && session_longer(leg, m)) {
        put_off(leg, session_glare_ns(leg));
    } else if (method == SIP_UPDATE && (m->status == 405 || m->status == 501 || m->status == 420)) {
        leg->session_flags &= (uint8_t)~SESSION_TAKES_UPDATE;
        put_off(leg, 0);
    } else if (leg->session_flags & SESSION_AGREED) {
        put_off(leg, retry_after_ns(m));
    } else {
        start(leg, leg->session.interval_s);
    }
}

bool session_response(struct relay *r, const struct sip_message *m, const struct hop *from)
{
    struct b2bua_call *c = r->call;
    struct leg *leg = r->to;
    enum sip_method method = (enum sip_method)r->method;

    if (m->status < 200 || r->done || c->phase != CALL_ANSWERED)
        return false;
    if (m->status >= 300 && trunk_relay_again(r, m))
        return true;
    r->done = true;
    if (m->status < 300) {
        c->b2bua->counts.refreshed++;
        dialog_refresh(&c->arena, m, from, &leg->dialog);
        settle_our_request(leg, m, leg->session.interval_s);
        if (method == SIP_INVITE)
            leg_ack(leg, NULL);
    } else if (m->status == 408 || m->status == 481) {
        c->b2bua->counts.unrefreshed++;
        call_end(c, NULL, m->status == 481 ? gone : mute, NULL);
    } else {
        refused(leg, m, method);
    }
    if (method != SIP_INVITE || m->status >= 300)
        relay_free(r);
    if (c->phase == CALL_ANSWERED)
        set_timer(c);
    return true;
}

/* Nobody answered: it may hear us all the same, so BYE to both (10). */
void session_failed(struct relay *r)
{
    struct b2bua_call *c = r->call;

    r->done = true;
    if (c->phase == CALL_ANSWERED) {
        c->b2bua->counts.unrefreshed++;
        call_end(c, NULL, mute, NULL);
    }
    relay_free(r);
}

/* ---- what is due ---- */

void session_due(struct b2bua_call *c)
{
    struct leg *const legs[] = { &c->a, c->b };
    int64_t now_ns = b2bua_now(c->b2bua);
    slice why = { 0 };

    if (c->handed_over) {
        transfer_over(c);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(legs); i++) {
        struct leg *leg = legs[i];

        if (!leg || !leg->session.interval_s)
            continue;
        if (leg->session_flags & SESSION_AGREED && now_ns >= bye_ns(leg))
            why = SLICE("SIP;cause=408;text=\"Session timer expired\"");
        else if (refresh_is_due(leg, now_ns))
            refresh(leg);
    }
    if (now_ns >= c->duration_end_ns)
        why = SLICE("SIP;cause=480;text=\"Longest call duration reached\"");
    if (!why.len) {
        set_timer(c);
        return;
    }
    c->b2bua->counts.expired++;
    call_end(c, NULL, why, NULL);
}
