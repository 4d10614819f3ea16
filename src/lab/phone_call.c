/* lab/phone_call.c - one call of a phone, either way
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lab/phone_int.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/values.h"

enum { SDP_ROOM = 1024, REDIRECTS_MAX = 5 };

static const slice sdp_type = SLICE_INIT("application/sdp");

/* ---- life ---- */

static struct phone_call *call_new(struct phone *p, bool outgoing, unsigned how)
{
    struct phone_call *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->kind = PHONE_KIND_CALL;
    c->phone = p;
    c->outgoing = outgoing;
    c->how = how;
    c->rseq_out = 1;
    list_append(&p->calls, &c->in_all);
    p->call_count++;
    return c;
}

void phone_call_free(struct phone_call *c)
{
    wheel_clear(&c->phone->wheel, &c->timer);
    wheel_clear(&c->phone->sessions, &c->session_timer);
    if (c->in_map)
        map_remove(&c->phone->tags, &c->by_tag);
    phone_forget_referral(c);
    list_remove(&c->in_all);
    c->phone->call_count -= c->phase != PHONE_OVER;
    arena_done(&c->arena);
    free(c);
}

static void release(struct phone_call *c)
{
    if (c->phase == PHONE_OVER && !c->transactions && c->repeats == PHONE_REPEATS_NOTHING)
        phone_call_free(c);
}

void phone_call_let_go(struct phone_call *c)
{
    c->transactions--;
    release(c);
}

/* Told once. */
static void over(struct phone_call *c, unsigned status, bool by_us)
{
    if (c->phase == PHONE_OVER)
        return;
    if (c->outgoing && c->phase == PHONE_SETUP)
        phone_tell_referrer(c, status);
    c->phase = PHONE_OVER;
    c->phone->call_count--;
    wheel_clear(&c->phone->sessions, &c->session_timer);
    if (c->offer && client_method(c->offer) == SIP_INVITE)
        client_cancel(c->offer, (slice){ 0 });            /* else it might wait for its answer for ever */
    if (c->phone->owner.ended)
        c->phone->owner.ended(c->phone->owner.ctx, c, status, by_us);
}

static struct client_transaction *sent(struct phone_call *c, struct client_transaction *t)
{
    c->transactions += t != NULL;
    return t;
}

static void owns(struct phone_call *c, struct server_transaction *s)
{
    server_set_owner(s, c);
    c->transactions++;
}

/* ---- repeating what must be acknowledged ---- */

static void stop(struct phone_call *c)
{
    wheel_clear(&c->phone->wheel, &c->timer);
    if (c->repeated && c->repeats == PHONE_REPEATS_1XX)
        server_pin(c->repeated, false);
    c->repeats = PHONE_REPEATS_NOTHING;
    c->repeated = NULL;
}

static void repeat(struct phone_call *c, enum phone_repeat what, struct server_transaction *s)
{
    int64_t now_ns = endpoint_now_ns(c->phone->endpoint), t1_ns = endpoint_times(c->phone->endpoint)->t1_ns;

    c->repeats = (uint8_t)what;
    c->repeated = s;
    server_pin(s, what == PHONE_REPEATS_1XX);
    c->repeat_ns = t1_ns;
    c->repeat_end_ns = now_ns + 64 * t1_ns;
    wheel_set(&c->phone->wheel, &c->timer, now_ns + t1_ns);
}

/* ---- which dialog ---- */

static void keep_early(struct phone_call *c)
{
    for (struct phone_early *e = c->earlies; e; e = e->next)
        if (slice_eq(e->dialog.remote_tag, c->dialog.remote_tag)) {
            e->dialog = c->dialog;
            e->rseq_in = c->rseq_in;
        }
}

bool phone_call_has(struct phone_call *c, slice call_id, slice local_tag, slice remote_tag)
{
    if (!c->has_dialog || dialog_is(&c->dialog, call_id, local_tag, remote_tag))
        return c->has_dialog;
    for (struct phone_early *e = c->phase == PHONE_SETUP ? c->earlies : NULL; e; e = e->next)
        if (dialog_is(&e->dialog, call_id, local_tag, remote_tag)) {
            keep_early(c);
            c->dialog = e->dialog;
            c->rseq_in = e->rseq_in;
            return true;
        }
    return false;
}

static void send_bye(struct phone_call *c);

void phone_call_due(struct phone_call *c)
{
    const struct transaction_times *times = endpoint_times(c->phone->endpoint);
    int64_t now_ns = endpoint_now_ns(c->phone->endpoint);
    bool is_2xx = c->repeats == PHONE_REPEATS_2XX;

    if (c->repeats == PHONE_REPEATS_NOTHING)
        return;
    if (now_ns >= c->repeat_end_ns) {
        stop(c);
        if (is_2xx && (c->phase == PHONE_UP || c->bye_wanted)) {
            send_bye(c);
            over(c, 408, true);
        } else if (!is_2xx && c->invite) {
            server_reply_plain(c->invite, 504);
            over(c, 504, true);
        }
        release(c);
        return;
    }
    if (c->repeated)
        server_repeat(c->repeated);
    c->repeat_ns *= 2;
    if (is_2xx && c->repeat_ns > times->t2_ns)
        c->repeat_ns = times->t2_ns;
    int64_t next_ns = now_ns + c->repeat_ns;

    wheel_set(&c->phone->wheel, &c->timer, next_ns < c->repeat_end_ns ? next_ns : c->repeat_end_ns);
}

/* ---- what we say ---- */

static void ours(struct out *o, const struct phone_call *c, bool is_request)
{
    const struct phone *p = c->phone;
    char text[ADDRESS_TEXT_MAX];

    out_text(o, SLICE("Contact: <sip:"));
    sip_build_text(o, p->settings.user);
    out_char(o, '@');
    out_text(o, slice_of(text, address_format(&p->settings.server.local, text)));
    out_text(o, wire_transport_param((enum wire_transport)p->settings.server.transport));
    out_text(o, SLICE(">\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, INFO, REFER, NOTIFY, MESSAGE"));
    out_text(o, p->settings.no_update ? SLICE("\r\n") : SLICE(", UPDATE\r\n"));
    sip_build_header(o, is_request ? SIP_H_USER_AGENT : SIP_H_SERVER,
                     p->settings.agent.len ? p->settings.agent : SLICE("Signalbox-Lab"));
}

/* The Record-Route of the INVITE, in answers that begin the dialog (12.1.1). */
static void record_routes(struct out *o, const struct dialog *d)
{
    slice rest = d->routes, line;

    while (slice_take_line(&rest, &line))
        sip_build_header(o, SIP_H_RECORD_ROUTE, slice_skip(line, SLICE("Route: ").len));
}

static void supported(struct out *o, unsigned how)
{
    slice tags[] = { how & PHONE_RELIABLE ? SLICE("100rel") : (slice){ 0 },
                     how & PHONE_PRECONDITIONS ? SLICE("precondition") : (slice){ 0 },
                     how & PHONE_TIMER ? SLICE("timer") : (slice){ 0 } };
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        if (!tags[i].len)
            continue;
        out_text(o, any ? SLICE(", ") : SLICE("Supported: "));
        out_text(o, tags[i]);
        any = true;
    }
    if (any)
        out_text(o, SLICE("\r\n"));
}

/* 32 hexadecimal digits, made once for a call; that of the other side is not known yet (RFC 7989, 5). */
static void session_id(struct out *o, struct phone_call *c)
{
    static const char digits[] = "0123456789abcdef";
    char token[ENDPOINT_TOKEN_LEN + 1], text[32 + sizeof ";remote=00000000000000000000000000000000"];

    if (!c->session_id.len) {
        for (size_t i = 0; i < 32; i++) {
            if (i % ENDPOINT_TOKEN_LEN == 0)
                endpoint_token(c->phone->endpoint, token);
            text[i] = digits[token[i % ENDPOINT_TOKEN_LEN] & 0xf];
        }
        memcpy(text + 32, ";remote=00000000000000000000000000000000", sizeof text - 32);
        c->session_id = arena_slice(&c->arena, slice_of_string(text));
    }
    sip_build_header(o, SIP_H_SESSION_ID, c->session_id);
}

/* The first one, or the next of the same Call-ID. */
static bool send_invite(struct phone_call *c, slice credentials)
{
    struct phone *p = c->phone;
    char sdp[SDP_ROOM];
    slice body = { 0 };
    struct out *o = dialog_request(p->endpoint, &c->dialog, SIP_INVITE, (slice){ 0 });

    if (!o)
        return false;
    ours(o, c, true);
    supported(o, c->how);
    if (c->how & PHONE_PRECONDITIONS)
        sip_build_header(o, SIP_H_P_EARLY_MEDIA, SLICE("supported"));
    phone_session_ask(o, c);
    if (c->how & PHONE_SESSION_ID)
        session_id(o, c);
    if (c->how & PHONE_ANONYMOUS)
        sip_build_header(o, SIP_H_PRIVACY, SLICE("id"));
    out_text(o, c->headers);
    out_text(o, credentials);
    c->cseq_out = c->dialog.local_cseq;
    c->sdp_version = 0;
    if (!(c->how & PHONE_LATE_OFFER))
        body = phone_sdp_write(c, PHONE_SDP_OFFER, sdp, sizeof sdp);
    c->asked = sent(c, client_request_send(p->endpoint, sdp_type, body, c));
    return c->asked != NULL;
}

struct phone_call *phone_dial_with(struct phone *p, slice uri, unsigned how, slice headers)
{
    struct phone_call *c = call_new(p, true, how);
    struct dialog *d = c ? &c->dialog : NULL;
    char token[ENDPOINT_TOKEN_LEN + 1];

    if (!c)
        return NULL;
    c->headers = headers.len ? arena_slice(&c->arena, headers) : (slice){ 0 };
    endpoint_token(p->endpoint, token);
    d->call_id = arena_slice(&c->arena, slice_of_string(token));
    endpoint_token(p->endpoint, token);
    d->local_tag = arena_slice(&c->arena, slice_of_string(token));
    d->local = how & PHONE_ANONYMOUS ? SLICE("\"Anonymous\" <sip:anonymous@anonymous.invalid>") : p->registration.local;
    d->target = arena_slice(&c->arena, uri);
    char *to = arena_alloc(&c->arena, uri.len + 2);

    if (to) {
        to[0] = '<';
        memcpy(to + 1, uri.ptr, uri.len);
        to[uri.len + 1] = '>';
        d->remote = slice_of(to, uri.len + 2);
    }
    d->hop = p->settings.server;
    if (to && d->call_id.ptr && d->local_tag.ptr && d->target.ptr && send_invite(c, (slice){ 0 })) {
        phone_join_map(c);
        return c;
    }
    phone_call_free(c);
    return NULL;
}

bool phone_answer(struct phone_call *c, unsigned status, slice phrase, bool reliable, bool sdp)
{
    struct server_transaction *s = c->invite;
    char text[SDP_ROOM];
    slice body = { 0 };
    struct out *o;

    if (c->phase != PHONE_SETUP || c->outgoing || !s || (reliable && c->repeats))
        return false;
    o = server_reply(s, status, phrase);
    if (status < 300) {
        record_routes(o, &c->dialog);
        ours(o, c, false);
        if (reliable) {
            sip_build_header(o, SIP_H_REQUIRE, c->how & PHONE_PRECONDITIONS ? SLICE("100rel, precondition") : SLICE("100rel"));
            sip_build_header_u32(o, SIP_H_RSEQ, ++c->rseq_out);
        }
        if (sdp)
            body = phone_sdp_write(c, c->how & PHONE_LATE_OFFER ? PHONE_SDP_OFFER : PHONE_SDP_ANSWER, text, sizeof text);
        c->sdp_done |= sdp;
        if (status >= 200)
            phone_session_answer(o, c);
    }
    if (reliable || status >= 200)                        /* what was reliable goes on until its PRACK */
        stop(c);
    if (!server_reply_send(s, sdp_type, body))
        return false;
    if (reliable) {
        c->prack_owed = true;
        repeat(c, PHONE_REPEATS_1XX, s);
    }
    if (status >= 200 && status < 300) {
        c->phase = PHONE_UP;
        repeat(c, PHONE_REPEATS_2XX, s);
    } else if (status >= 300) {
        over(c, status, true);
    }
    return true;
}

bool phone_redirect(struct phone_call *c, slice uri)
{
    struct out *o;

    if (c->phase != PHONE_SETUP || c->outgoing || !c->invite)
        return false;
    o = server_reply(c->invite, 302, (slice){ 0 });
    out_text(o, SLICE("Contact: <"));
    sip_build_text(o, uri);
    out_text(o, SLICE(">\r\n"));
    stop(c);
    if (!server_reply_send(c->invite, (slice){ 0 }, (slice){ 0 }))
        return false;
    over(c, 302, true);
    return true;
}

static void send_bye(struct phone_call *c)
{
    struct out *o = dialog_request(c->phone->endpoint, &c->dialog, SIP_BYE, (slice){ 0 });

    if (o)
        (void)sent(c, client_request_send(c->phone->endpoint, (slice){ 0 }, (slice){ 0 }, c));
}

void phone_hang_up(struct phone_call *c)
{
    if (c->phase == PHONE_OVER || c->hangs_up)
        return;
    c->hangs_up = true;
    if (c->phase == PHONE_SETUP && c->outgoing) {
        if (c->asked)
            client_cancel(c->asked, (slice){ 0 });
    } else if (c->phase == PHONE_SETUP) {
        phone_answer(c, 603, (slice){ 0 }, false, false);
    } else if (!c->outgoing && c->repeats == PHONE_REPEATS_2XX) {
        c->bye_wanted = true;                             /* its ACK first (15) */
    } else {
        send_bye(c);
        over(c, 200, true);
    }
}

struct out *phone_begin(struct phone_call *c, enum sip_method method)
{
    struct out *o = dialog_request(c->phone->endpoint, &c->dialog, method, (slice){ 0 });

    if (!o)
        return NULL;
    ours(o, c, true);
    supported(o, c->how);
    return o;
}

bool phone_send_begun(struct phone_call *c, slice type, slice body)
{
    return sent(c, client_request_send(c->phone->endpoint, type, body, c)) != NULL;
}

bool phone_offer(struct phone_call *c, enum sip_method method, enum phone_media media)
{
    char text[SDP_ROOM];
    struct out *o;

    if (c->offer || !c->has_dialog || c->phase == PHONE_OVER || (method == SIP_INVITE && (c->phase != PHONE_UP || c->repeats)))
        return false;
    o = phone_begin(c, method);
    if (!o)
        return false;
    if (c->phase == PHONE_UP)
        phone_session_ask(o, c);
    if (c->how & PHONE_PRECONDITIONS && c->phase == PHONE_SETUP)
        sip_build_header(o, SIP_H_REQUIRE, SLICE("precondition"));
    c->media = (uint8_t)media;
    if (method == SIP_INVITE)
        c->cseq_out = c->dialog.local_cseq;
    c->offer = sent(c, client_request_send(c->phone->endpoint, sdp_type, phone_sdp_write(c, PHONE_SDP_OFFER, text, sizeof text), c));
    return c->offer != NULL;
}

bool phone_resources_ready(struct phone_call *c)
{
    c->local_ready = true;
    return phone_offer(c, SIP_UPDATE, PHONE_SENDRECV);
}

static struct out *request(struct phone_call *c, enum sip_method method, slice text)
{
    struct out *o = c->has_dialog && c->phase != PHONE_OVER ? dialog_request(c->phone->endpoint, &c->dialog, method, text) : NULL;

    if (o)
        ours(o, c, true);
    return o;
}

struct out *phone_request(struct phone_call *c, enum sip_method method) { return request(c, method, (slice){ 0 }); }

bool phone_request_send(struct phone_call *c, slice type, slice body)
{
    return sent(c, client_request_send(c->phone->endpoint, type, body, c)) != NULL;
}

void phone_reply(struct phone_call *c, struct server_transaction *s, unsigned status)
{
    ours(server_reply(s, status, (slice){ 0 }), c, false);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

bool phone_send(struct phone_call *c, slice method, slice type, slice body)
{
    return request(c, sip_method_find(method), method) && phone_request_send(c, type, body);
}

/* ---- what they ask ---- */

/* Whoever talked to us talks on, from elsewhere: nobody is asked. */
static void take_place(struct phone_call *c, struct phone_call *replaced, unsigned status)
{
    const struct phone_owner *owner = &c->phone->owner;

    if (status) {
        phone_answer(c, status, (slice){ 0 }, false, false);
        return;
    }
    if (owner->replaced)
        owner->replaced(owner->ctx, replaced, c);
    phone_answer(c, 200, (slice){ 0 }, false, true);
    phone_hang_up(replaced);
}

void phone_incoming(struct phone *p, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct phone_call *c = call_new(p, false, 0), *replaced;
    unsigned status;

    if (!c || !dialog_of_request(&c->arena, m, from, server_to_tag(s), &c->dialog)) {
        if (c)
            phone_call_free(c);
        server_reply_plain(s, c ? 400 : 503);
        return;
    }
    phone_join_map(c);
    c->has_dialog = true;
    c->invite = s;
    c->cseq_in = m->cseq.number;
    owns(c, s);
    if (sip_values_have(m, SIP_H_SUPPORTED, SLICE("100rel")) || sip_values_have(m, SIP_H_REQUIRE, SLICE("100rel")))
        c->how |= PHONE_RELIABLE;
    if (!m->body.len)
        c->how |= PHONE_LATE_OFFER;
    phone_session_heard(c, m);
    phone_sdp_read(c, m);
    replaced = phone_replaced_by(p, m, &status);
    if (replaced || status)
        take_place(c, replaced, status);
    else if (p->owner.incoming)
        p->owner.incoming(p->owner.ctx, c, m);
    else
        phone_answer(c, 480, (slice){ 0 }, false, false);
}

static void reply_with_sdp(struct phone_call *c, struct server_transaction *s, const struct sip_message *m)
{
    char text[SDP_ROOM];
    struct out *o = server_reply(s, 200, (slice){ 0 });
    slice body = { 0 };

    ours(o, c, false);
    if (c->phase == PHONE_UP && m->method != SIP_PRACK) {
        phone_session_heard(c, m);
        phone_session_answer(o, c);
    }
    if (m->body.len)
        body = phone_sdp_write(c, PHONE_SDP_ANSWER, text, sizeof text);
    else if (m->method == SIP_INVITE)
        body = phone_sdp_write(c, PHONE_SDP_OFFER, text, sizeof text);
    server_reply_send(s, sdp_type, body);
}

static void got_prack(struct phone_call *c, struct server_transaction *s, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_RACK);
    struct sip_rack rack;

    if (!h || !sip_rack_parse(h->value, &rack) || !c->prack_owed || rack.rseq != c->rseq_out ||
        rack.cseq != c->cseq_in) {
        server_reply_plain(s, 481);
        return;
    }
    c->prack_owed = false;
    if (c->repeats == PHONE_REPEATS_1XX)                  /* it may have crossed the final answer */
        stop(c);
    phone_sdp_read(c, m);
    reply_with_sdp(c, s, m);
    if (c->phone->owner.pracked)
        c->phone->owner.pracked(c->phone->owner.ctx, c);
}

static void got_offer(struct phone_call *c, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    if (c->offer || (m->method == SIP_INVITE && (c->phase != PHONE_UP || c->repeats))) {
        server_reply_plain(s, c->offer ? 491 : 500);
        return;
    }
    dialog_refresh(&c->arena, m, from, &c->dialog);
    phone_sdp_read(c, m);
    if (c->how & PHONE_PRECONDITIONS)
        c->local_ready = true;                            /* ours are ready when they ask for theirs */
    reply_with_sdp(c, s, m);
    if (m->method == SIP_INVITE) {
        c->cseq_in = m->cseq.number;
        owns(c, s);
        repeat(c, PHONE_REPEATS_2XX, s);
    }
    if (c->phone->owner.updated)
        c->phone->owner.updated(c->phone->owner.ctx, c, m);
}

void phone_in_dialog(struct phone_call *c, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    if (!dialog_take_cseq(&c->dialog, m) && m->method != SIP_PRACK) {     /* a PRACK is known by its RAck */
        server_reply_plain(s, 500);
        return;
    }
    switch (m->method) {
    case SIP_PRACK:
        got_prack(c, s, m);
        break;
    case SIP_INVITE: case SIP_UPDATE:
        if (c->phase == PHONE_OVER)
            server_reply_plain(s, 481);
        else
            got_offer(c, s, m, from);
        break;
    case SIP_BYE:
        server_reply_plain(s, 200);
        stop(c);
        if (c->invite && server_status(c->invite) < 200)
            server_reply_plain(c->invite, 487);
        over(c, 200, false);
        release(c);
        break;
    default:
        if (c->phase == PHONE_OVER || !phone_transfer_request(c, s, m))
            server_reply_plain(s, c->phase == PHONE_OVER ? 481 : 200);
        break;
    }
}

void phone_call_cancelled(struct phone_call *c)
{
    if (c->phase != PHONE_SETUP || !c->invite)
        return;
    stop(c);
    server_reply_plain(c->invite, 487);
    over(c, 487, false);
}

void phone_call_acked(struct phone_call *c, const struct sip_message *m)
{
    bool first = c->invite && c->repeated == c->invite;

    if (c->repeats != PHONE_REPEATS_2XX || m->cseq.number != c->cseq_in)
        return;
    if (c->repeated)
        server_acknowledged(c->repeated);
    stop(c);
    phone_sdp_read(c, m);
    if (first && c->phase == PHONE_UP && c->phone->owner.answered && !c->bye_wanted)
        c->phone->owner.answered(c->phone->owner.ctx, c);
    if (c->bye_wanted && c->phase == PHONE_UP) {
        send_bye(c);
        over(c, 200, true);
    }
    release(c);
}

/* ---- what they answer ---- */

/* Of the INVITE that was answered, which may not be the last one. */
static void send_ack(struct phone_call *c, const struct sip_message *answer, bool with_sdp)
{
    char text[SDP_ROOM];
    struct out *o = dialog_ack(c->phone->endpoint, &c->dialog, answer->cseq.number);
    slice body = with_sdp ? phone_sdp_write(c, PHONE_SDP_ANSWER, text, sizeof text) : (slice){ 0 };

    if (o)
        client_ack_send(c->phone->endpoint, sdp_type, body);
}

static void send_prack(struct phone_call *c, uint32_t rseq)
{
    struct out *o = dialog_request(c->phone->endpoint, &c->dialog, SIP_PRACK, (slice){ 0 });

    if (!o)
        return;
    out_text(o, SLICE("RAck: "));
    out_u64(o, rseq);
    out_char(o, ' ');
    out_u64(o, c->cseq_out);
    out_text(o, SLICE(" INVITE\r\n"));
    (void)sent(c, client_request_send(c->phone->endpoint, (slice){ 0 }, (slice){ 0 }, c));
}

static bool take_dialog(struct phone_call *c, const struct sip_message *m, const struct hop *from)
{
    struct dialog asked = c->dialog, d;
    struct phone_early *e;

    if (!m->to.tag.len)
        return false;
    if (phone_call_has(c, m->call_id, m->from.tag, m->to.tag))
        return true;
    asked.local_cseq = c->cseq_out;
    e = arena_alloc(&c->arena, sizeof *e);
    if (!e || !dialog_of_response(&c->arena, m, from, &asked, &d))
        return false;
    keep_early(c);
    *e = (struct phone_early){ .next = c->earlies, .dialog = d };
    c->earlies = e;
    c->rseq_in = 0;
    c->dialog = d;
    c->has_dialog = true;
    return true;
}

static void got_1xx(struct phone_call *c, const struct sip_message *m, const struct hop *from)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_RSEQ);
    uint32_t rseq;

    if (m->status == 100 || c->phase != PHONE_SETUP)
        return;
    if (take_dialog(c, m, from) && h && sip_rseq_parse(h->value, &rseq) && sip_values_have(m, SIP_H_REQUIRE, SLICE("100rel"))) {
        if (c->rseq_in && rseq != c->rseq_in + 1)
            return;
        c->rseq_in = rseq;
        phone_sdp_read(c, m);
        c->sdp_done |= m->body.len != 0;
        send_prack(c, rseq);
    }
    phone_tell_referrer(c, m->status);
    if (c->phone->owner.progress)
        c->phone->owner.progress(c->phone->owner.ctx, c, m->status, m);
}

static void got_2xx(struct phone_call *c, const struct sip_message *m, const struct hop *from)
{
    bool first = c->phase == PHONE_SETUP;

    if (!take_dialog(c, m, from)) {
        over(c, m->status, false);
        return;
    }
    dialog_refresh(&c->arena, m, from, &c->dialog);
    phone_sdp_read(c, m);
    send_ack(c, m, (c->how & PHONE_LATE_OFFER) != 0);
    if (!first)
        return;
    phone_tell_referrer(c, m->status);
    c->phase = PHONE_UP;
    phone_session_answered(c, m);
    if (c->hangs_up) {                                    /* it crossed our CANCEL */
        send_bye(c);
        over(c, 487, true);
        return;
    }
    if (c->phone->owner.answered)
        c->phone->owner.answered(c->phone->owner.ctx, c);
}

static bool again_with_credentials(struct phone_call *c, const struct sip_message *m)
{
    slice credentials = !c->challenged && (m->status == 401 || m->status == 407)
                            ? phone_credentials(c->phone, &c->arena, m, SLICE("INVITE"), c->dialog.target) : (slice){ 0 };

    if (!credentials.len || c->hangs_up)
        return false;
    c->challenged = true;
    return send_invite(c, credentials);
}

/* 8.1.3.4: where the first Contact says. */
static bool again_elsewhere(struct phone_call *c, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_CONTACT);
    slice rest = h ? h->value : (slice){ 0 };
    struct sip_contact contact;

    if (!(c->how & PHONE_FOLLOWS) || m->status / 100 != 3 || c->hangs_up || c->redirects == REDIRECTS_MAX ||
        !sip_contact_next(&rest, &contact) || contact.star)
        return false;
    c->redirects++;
    c->challenged = false;
    c->dialog.target = arena_slice(&c->arena, contact.addr.uri);
    return c->dialog.target.ptr && send_invite(c, (slice){ 0 });
}

static void offer_answered(struct phone_call *c, struct client_transaction *t, const struct sip_message *m, const struct hop *from)
{
    bool again = c->offer != t;

    if (client_method(t) == SIP_INVITE && m->status < 300) {
        dialog_refresh(&c->arena, m, from, &c->dialog);
        send_ack(c, m, false);
    }
    if (m->status < 300 && client_method(t) != SIP_PRACK && (!again || client_method(t) == SIP_UPDATE))
        phone_session_answered(c, m);
    if (again)
        return;
    c->offer = NULL;
    if (m->status < 300)
        phone_sdp_read(c, m);
    if (c->phone->owner.changed)
        c->phone->owner.changed(c->phone->owner.ctx, c, m->status);
}

void phone_call_response(struct phone_call *c, struct client_transaction *t, const struct sip_message *m, const struct hop *from)
{
    enum sip_method method = client_method(t);

    if (t != c->asked) {
        if (m->status >= 200 && (method == SIP_INVITE || method == SIP_UPDATE))
            offer_answered(c, t, m, from);
        else if (m->status >= 200 && method == SIP_PRACK && c->phone->owner.prack_done)
            c->phone->owner.prack_done(c->phone->owner.ctx, c);
        else if (m->status >= 200 && method == SIP_REFER && c->phone->owner.refer_answered)
            c->phone->owner.refer_answered(c->phone->owner.ctx, c, m->status);
        return;
    }
    if (m->status < 200)
        got_1xx(c, m, from);
    else if (m->status < 300)
        got_2xx(c, m, from);
    else if (!again_with_credentials(c, m) && !again_elsewhere(c, m))
        over(c, m->status, c->hangs_up);
}

void phone_call_failed(struct phone_call *c, struct client_transaction *t)
{
    if (c->offer == t)
        c->offer = NULL;
    if (t == c->asked)
        over(c, c->hangs_up ? 487 : 408, c->hangs_up);
    else if (c->phase == PHONE_UP)
        over(c, 408, false);
}

/* ---- questions ---- */

void *phone_call_tag(const struct phone_call *c) { return c->tag; }
void phone_call_set_tag(struct phone_call *c, void *tag) { c->tag = tag; }
bool phone_call_is_up(const struct phone_call *c) { return c->phase == PHONE_UP; }
slice phone_call_id(const struct phone_call *c) { return c->dialog.call_id; }
struct phone *phone_of_call(const struct phone_call *c) { return c->phone; }

bool phone_call_wants_resources(const struct phone_call *c)
{
    return c->how & PHONE_PRECONDITIONS && !(c->local_ready && c->remote_ready);
}
