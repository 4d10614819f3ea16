/* switch/endpoint_client.c - requests that we sent, and what came back
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "switch/endpoint_int.h"
#include "switch/reach.h"

#include <stdlib.h>

/* ---- which is it ---- */

/* The branch we made; CANCEL has that of its INVITE. */
static uint64_t branch_hash(const struct endpoint *e, slice branch, enum sip_method method)
{
    return hash_slice(&e->settings.seed, branch) ^ (method == SIP_CANCEL);
}

static struct client_transaction *find(struct endpoint *e, slice branch, enum sip_method method)
{
    uint64_t hash = branch_hash(e, branch, method);

    for (struct map_node *n = map_first(&e->clients, hash); n; n = map_next(n)) {
        struct client_transaction *c = map_item(n, struct client_transaction, by_branch);

        if (c->method == method && slice_eq(slice_of(c->branch, BRANCH_LEN), branch))
            return c;
    }
    return NULL;
}

/* What a lost hop is known by: its connection, or for UDP the far end. */
static uint64_t hop_hash(const struct endpoint *e, const struct hop *hop)
{
    if (hop->connection)
        return hash_bytes(&e->settings.seed, &hop->connection, sizeof hop->connection);
    return hash_bytes(&e->settings.seed, &hop->remote, sizeof hop->remote);
}

static bool hop_is(const struct hop *a, const struct hop *b)
{
    return a->connection || b->connection ? a->connection == b->connection
                                          : a->transport == b->transport && address_eq(&a->remote, &b->remote);
}

static void leave_hops(struct client_transaction *c)
{
    if (c->in_hops)
        map_remove(&c->endpoint->hops, &c->by_hop);
    c->in_hops = false;
}

/* ---- birth and death ---- */

static void set_timer(struct client_transaction *c)
{
    int64_t at_ns = c->lost ? c->endpoint->now_ns : transaction_next_ns(&c->machine);

    if (at_ns == INT64_MAX)
        wheel_clear(&c->endpoint->client_wheel, &c->timer);
    else
        wheel_set(&c->endpoint->client_wheel, &c->timer, at_ns);
}

void client_free(struct client_transaction *c)
{
    struct endpoint *e = c->endpoint;

    leave_hops(c);
    c->kept_len += c->reason_len;
    endpoint_let_go(e, &c->kept, &c->kept_len);
    wheel_clear(&e->client_wheel, &c->timer);
    map_remove(&e->clients, &c->by_branch);
    e->live--;
    e->memory_bytes -= sizeof *c;
    free(c);
}

static void first_send(struct client_transaction *c)
{
    struct endpoint *e = c->endpoint;
    int error = 0;

    endpoint_transmit(e, &c->hop, slice_of(c->kept, c->kept_len), &error);
    c->lost = error != 0;
    map_add(&e->hops, &c->by_hop, hop_hash(e, &c->hop));  /* now that it has its connection */
    c->in_hops = true;
    set_timer(c);
}

/* Sends what was built as `branch`; a hop that fails at once is told with the next timer. */
static struct client_transaction *start(struct endpoint *e, const struct hop *to, enum sip_method method,
                                        const char *branch, slice bytes, size_t uri_len, void *owner)
{
    struct client_transaction *c = malloc(sizeof *c);

    if (!c)
        return NULL;
    *c = (struct client_transaction){ .endpoint = e, .owner = owner, .hop = *to, .method = (uint8_t)method,
                                      .uri_len = (uint32_t)uri_len, .may_move = to->connection != 0 };
    memcpy(c->branch, branch, BRANCH_LEN);
    c->kept = endpoint_keep(e, bytes);
    if (!c->kept) {
        free(c);
        return NULL;
    }
    c->kept_len = (uint32_t)bytes.len;
    transaction_start(&c->machine, &e->settings.times,
                      method == SIP_INVITE ? TRANSACTION_INVITE_CLIENT : TRANSACTION_CLIENT, hop_is_reliable(to),
                      e->now_ns);
    map_add(&e->clients, &c->by_branch, branch_hash(e, slice_of(branch, BRANCH_LEN), method));
    e->live++;
    e->memory_bytes += sizeof *c;
    first_send(c);
    return c;
}

/* ---- asking ---- */

static slice via_transport(const struct hop *hop)
{
    static const slice names[WIRE_TRANSPORTS] = {
        [WIRE_UDP] = SLICE_INIT("UDP"), [WIRE_TCP] = SLICE_INIT("TCP"), [WIRE_TLS] = SLICE_INIT("TLS"),
        [WIRE_WS] = SLICE_INIT("WS"),   [WIRE_WSS] = SLICE_INIT("WSS"), [WIRE_SCTP] = SLICE_INIT("SCTP"),
    };

    return names[hop->transport];
}

struct out *client_request(struct endpoint *e, const struct hop *to, enum sip_method method, slice method_text, slice uri)
{
    char token[ENDPOINT_TOKEN_LEN + 1], room[ADDRESS_TEXT_MAX];

    if (method != SIP_ACK && endpoint_is_full(e, method, false)) {
        e->counts.refused++;
        return NULL;
    }
    endpoint_token(e, token);
    memcpy(e->branch, "z9hG4bK", 7);
    memcpy(e->branch + 7, token, ENDPOINT_TOKEN_LEN);
    e->replying = NULL;
    e->to = *to;
    if (!e->to.connection && e->sender.choose)
        (void)e->sender.choose(e->sender.ctx, &e->to);    /* sending will tell what is wrong */
    e->method = method;
    e->method_text = method_text.len ? method_text : sip_method_name(method);
    out_clear(&e->out);
    sip_build_request(&e->out, e->method_text, uri);
    e->uri_len = uri.len;
    sip_build_via(&e->out, via_transport(to), endpoint_local(e, &e->to, room), slice_of(e->branch, BRANCH_LEN));
    return &e->out;
}

const struct hop *client_request_hop(const struct endpoint *e) { return &e->to; }

struct client_transaction *client_request_send(struct endpoint *e, slice type, slice body, void *owner)
{
    sip_build_body(&e->out, type, body);
    if (e->out.error)
        return NULL;
    return start(e, &e->to, e->method, e->branch, out_taken(&e->out), e->uri_len, owner);
}

bool client_ack_send(struct endpoint *e, slice type, slice body)
{
    struct hop to;
    int error = 0;

    sip_build_body(&e->out, type, body);
    if (e->out.error)
        return false;
    endpoint_transmit(e, &e->to, out_taken(&e->out), &error);
    if (error && reach_for_request(&e->to, out_taken(&e->out), &to))
        endpoint_transmit(e, &to, out_taken(&e->out), &error);
    return error == 0;
}

/* ---- what is kept of an INVITE ---- */

static slice kept_request(const struct client_transaction *c) { return slice_of(c->kept, c->kept_len); }

static slice kept_uri(const struct client_transaction *c)
{
    slice line = kept_request(c), method = slice_take_until(&line, ' ');

    (void)method;
    return slice_head(slice_skip(line, 1), c->uri_len);
}

/* CANCEL and the ACK of a refusal mirror their INVITE: Request-URI, Via, Route, and the five. */
static void build_from_invite(struct client_transaction *c, struct out *o, const struct sip_message *invite, slice method,
                              const struct sip_header *to)
{
    sip_build_request(o, method, kept_uri(c));
    sip_build_copy(o, invite, SIP_H_VIA);                 /* as it was: we may be called otherwise by now */
    sip_build_copy(o, invite, SIP_H_ROUTE);
    sip_build_header(o, SIP_H_MAX_FORWARDS, SLICE("70"));
    sip_build_copy(o, invite, SIP_H_FROM);
    if (to)
        sip_build_header(o, SIP_H_TO, to->value);
    sip_build_copy(o, invite, SIP_H_CALL_ID);
    sip_build_cseq(o, invite->cseq.number, method);
}

static void send_cancel(struct client_transaction *c)
{
    struct endpoint *e = c->endpoint;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message invite;
    slice request = kept_request(c), reason = slice_of(c->kept + c->kept_len, c->reason_len);

    if (sip_message_parse(request, SIP_DATAGRAM, room, ARRAY_LEN(room), &invite) <= 0)
        return;                                           /* we wrote it: cannot be */
    e->replying = NULL;
    out_clear(&e->out);
    build_from_invite(c, &e->out, &invite, SLICE("CANCEL"), sip_header_find(&invite, SIP_H_TO));
    if (reason.len)
        sip_build_header(&e->out, SIP_H_REASON, reason);
    sip_build_body(&e->out, (slice){ 0 }, (slice){ 0 });
    c->cancelled = true;
    if (!e->out.error)
        (void)start(e, &c->hop, SIP_CANCEL, c->branch, out_taken(&e->out), c->uri_len, NULL);
    /* 9.1: without a final response in 64*T1 the INVITE is over all the same. */
    c->machine.end_at_ns = e->now_ns + 64 * e->settings.times.t1_ns;
    set_timer(c);
}

static bool keep_reason(struct client_transaction *c, slice reason)
{
    char *grown = reason.len ? realloc(c->kept, c->kept_len + reason.len) : NULL;

    if (!grown)
        return false;
    memcpy(grown + c->kept_len, reason.ptr, reason.len);
    c->kept = grown;
    c->reason_len = (uint16_t)reason.len;
    c->endpoint->memory_bytes += reason.len;
    return true;
}

void client_cancel(struct client_transaction *c, slice reason)
{
    if (c->method != SIP_INVITE || client_is_answered(c) || c->cancelling)
        return;
    if (reason.len && reason.len < 1024)
        (void)keep_reason(c, reason);
    c->cancelling = true;
    if (c->got_1xx)
        send_cancel(c);
}

/* ---- what comes back ---- */

/* 17.1.1.3. What was refused keeps only what its next ACK needs. */
static void send_ack(struct client_transaction *c, const struct sip_message *response)
{
    struct endpoint *e = c->endpoint;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message invite;
    const struct sip_header *to = sip_header_find(response, SIP_H_TO);

    if (sip_message_parse(kept_request(c), SIP_DATAGRAM, room, ARRAY_LEN(room), &invite) <= 0)
        return;
    e->replying = NULL;
    out_clear(&e->out);
    build_from_invite(c, &e->out, &invite, SLICE("ACK"), to);
    sip_build_body(&e->out, (slice){ 0 }, (slice){ 0 });
    if (!e->out.error)
        endpoint_transmit(e, &c->hop, out_taken(&e->out), NULL);
}

/* Once it is answered the request itself is of no use any more: the ACK of a refusal may be
 * needed again, so that stays, as a request that is all it takes; behind a 2xx nothing. */
static void keep_less(struct client_transaction *c)
{
    struct endpoint *e = c->endpoint;
    slice request = kept_request(c);
    ptrdiff_t end = slice_find(request, SLICE("\r\n\r\n"));
    bool refused = c->method == SIP_INVITE && c->machine.state == TRANSACTION_COMPLETED && !c->machine.reliable;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message invite;
    uint32_t all = c->kept_len + c->reason_len;
    char *less = NULL;
    size_t len = 0;

    if (refused && end > 0 && sip_message_parse(request, SIP_DATAGRAM, room, ARRAY_LEN(room), &invite) > 0) {
        out_clear(&e->out);
        sip_build_request(&e->out, SLICE("INVITE"), kept_uri(c));
        sip_build_copy(&e->out, &invite, SIP_H_VIA);
        sip_build_copy(&e->out, &invite, SIP_H_ROUTE);
        sip_build_copy(&e->out, &invite, SIP_H_FROM);
        sip_build_copy(&e->out, &invite, SIP_H_CALL_ID);
        sip_build_copy(&e->out, &invite, SIP_H_CSEQ);
        sip_build_body(&e->out, (slice){ 0 }, (slice){ 0 });
        len = e->out.used;
        less = e->out.error ? NULL : endpoint_keep(e, out_taken(&e->out));
    }
    endpoint_let_go(e, &c->kept, &all);
    c->kept = less;
    c->kept_len = less ? (uint32_t)len : 0;
    c->reason_len = 0;
}

static enum transaction_event response_event(unsigned status)
{
    return status < 200 ? TRANSACTION_GOT_1XX : status < 300 ? TRANSACTION_GOT_2XX : TRANSACTION_GOT_REFUSAL;
}

void client_receive(struct endpoint *e, const struct hop *from, const struct sip_message *m)
{
    struct client_transaction *c = find(e, m->via.branch, m->method);

    if (!c || m->via_count != 1 || !m->status) {          /* 18.1.2; more than one Via: not for us */
        e->counts.strays++;
        return;
    }
    bool was_answered = client_is_answered(c);
    unsigned todo = transaction_on(&c->machine, &e->settings.times, response_event(m->status), e->now_ns);

    leave_hops(c);
    c->lost = false;
    c->got_1xx = true;
    if (todo & TRANSACTION_SEND_ACK && c->kept)
        send_ack(c, m);
    e->counts.repeats += was_answered;
    if (c->cancelling && !c->cancelled && !client_is_answered(c))
        send_cancel(c);
    set_timer(c);
    if (todo & TRANSACTION_TELL && c->method != SIP_CANCEL)
        e->user.response(e->user.ctx, c, m, from);
    if (!was_answered && client_is_answered(c))
        keep_less(c);                                     /* not before: its user may want it once more */
}

/* ---- the same once more ---- */

bool client_request_of(const struct client_transaction *c, struct sip_header *room, size_t count, struct sip_message *ret)
{
    return c->kept && sip_message_parse(kept_request(c), SIP_DATAGRAM, room, count, ret) > 0;
}

static bool has_line(slice lines, enum sip_header_id id)
{
    slice name = sip_header_name(id), line;

    while (slice_take_line(&lines, &line))
        if (slice_starts(line, name) && line.len > name.len && line.ptr[name.len] == ':')
            return true;
    return false;
}

/* What is not written anew; Via is one of ours alone. */
static bool goes_again(const struct sip_header *h, slice instead)
{
    switch (h->id) {
    case SIP_H_VIA: case SIP_H_CSEQ: case SIP_H_CONTENT_TYPE: case SIP_H_CONTENT_LENGTH:
        return false;
    case SIP_H_AUTHORIZATION: case SIP_H_PROXY_AUTHORIZATION:
        return !has_line(instead, SIP_H_AUTHORIZATION) && !has_line(instead, SIP_H_PROXY_AUTHORIZATION);
    case SIP_H_SESSION_EXPIRES: case SIP_H_MIN_SE:
        return !has_line(instead, SIP_H_SESSION_EXPIRES);
    default:
        return true;
    }
}

struct client_transaction *client_request_again(struct client_transaction *c, uint32_t cseq, slice instead)
{
    struct endpoint *e = c->endpoint;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    const struct sip_header *type;
    struct client_transaction *again;
    struct out *o;

    if (!client_request_of(c, room, ARRAY_LEN(room), &m))
        return NULL;
    type = sip_header_find(&m, SIP_H_CONTENT_TYPE);
    o = client_request(e, &c->hop, (enum sip_method)c->method, m.method_text, m.uri);
    if (!o)
        return NULL;
    for (unsigned i = 0; i < m.header_count; i++)
        if (goes_again(&m.headers[i], instead))
            sip_build_named(o, m.headers[i].name, m.headers[i].value);
    sip_build_cseq(o, cseq, m.method_text);
    out_text(o, instead);
    again = client_request_send(e, type ? type->value : (slice){ 0 }, m.body, c->owner);
    if (again)
        c->owner = NULL;
    return again;
}

/* ---- what does not ---- */

static void fail(struct client_transaction *c, enum endpoint_failure why)
{
    struct endpoint *e = c->endpoint;

    if (why == ENDPOINT_TIMED_OUT)
        e->counts.timed_out++;
    else
        e->counts.lost++;
    if (e->user.failed && c->method != SIP_CANCEL)
        e->user.failed(e->user.ctx, c, why);
}

/* Its connection had gone, or went under it: to who got it all the same it is a repeat. Once only. */
static bool goes_elsewhere(struct client_transaction *c)
{
    struct hop to;

    if (!c->may_move || client_is_answered(c) || !reach_for_request(&c->hop, kept_request(c), &to))
        return false;
    leave_hops(c);
    c->may_move = false;
    c->hop = to;
    c->endpoint->counts.resent++;
    first_send(c);
    return true;
}

void client_due(struct client_transaction *c)
{
    struct endpoint *e = c->endpoint;
    unsigned todo;

    if (c->lost && goes_elsewhere(c))
        return;
    if (c->lost) {
        todo = transaction_on(&c->machine, &e->settings.times, TRANSACTION_TRANSPORT_FAILED, e->now_ns);
        c->lost = false;
    } else if (c->cancelled && !client_is_answered(c) && c->machine.end_at_ns <= e->now_ns) {
        todo = TRANSACTION_TIMED_OUT | TRANSACTION_ENDED;
    } else {
        todo = transaction_due(&c->machine, &e->settings.times, e->now_ns);
    }
    if (todo & TRANSACTION_SEND) {
        int error = 0;

        e->counts.resent++;
        endpoint_transmit(e, &c->hop, kept_request(c), &error);
        c->lost = error != 0;
    }
    if (todo & TRANSACTION_TIMED_OUT)
        fail(c, ENDPOINT_TIMED_OUT);
    if (todo & TRANSACTION_FAILED)
        fail(c, ENDPOINT_HOP_LOST);
    if (!(todo & TRANSACTION_ENDED)) {
        set_timer(c);
        return;
    }
    if (e->user.client_ended && c->method != SIP_CANCEL)
        e->user.client_ended(e->user.ctx, c);
    client_free(c);
}

/* Those that have no answer yet hear of it with the next timer; what is in progress waits: its
 * answer may come by another connection. */
void client_hop_lost(struct endpoint *e, const struct hop *hop)
{
    struct map_node *next;

    for (struct map_node *n = map_first(&e->hops, hop_hash(e, hop)); n; n = next) {
        struct client_transaction *c = map_item(n, struct client_transaction, by_hop);

        next = map_next(n);
        if (!hop_is(&c->hop, hop))
            continue;
        leave_hops(c);
        c->lost = true;
        set_timer(c);
    }
}

/* ---- questions ---- */

enum sip_method client_method(const struct client_transaction *c) { return (enum sip_method)c->method; }
const struct hop *client_hop(const struct client_transaction *c) { return &c->hop; }
bool client_got_1xx(const struct client_transaction *c) { return c->got_1xx; }
void *client_owner(const struct client_transaction *c) { return c->owner; }
void client_set_owner(struct client_transaction *c, void *owner) { c->owner = owner; }

bool client_is_answered(const struct client_transaction *c)
{
    return c->machine.state >= TRANSACTION_COMPLETED;
}
