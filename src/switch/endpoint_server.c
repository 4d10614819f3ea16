/* switch/endpoint_server.c - requests that came, and the answers to them
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/code.h"
#include "sip/build.h"
#include "switch/endpoint_int.h"
#include "switch/reach.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const slice no_tail = SLICE_INIT("Content-Length: 0\r\n\r\n");
static const slice magic_cookie = SLICE_INIT("z9hG4bK");

/* ---- keys ---- */

enum { KEY_MAX = 1024, SIP_PORT = 5060 };

static size_t append(char *key, size_t at, slice text)
{
    size_t len = text.len < KEY_MAX - at ? text.len : KEY_MAX - at;

    if (len)
        memcpy(key + at, text.ptr, len);
    return at + len;
}

/* 17.2.3: branch, sent-by and method, an ACK as its INVITE; a branch of RFC 2543 means nothing,
 * so the rest of the request has to tell it apart. False: the key is too long to be honest. */
static bool key_of(const struct sip_message *m, enum sip_method method, char key[KEY_MAX], size_t *ret_len)
{
    char port[2] = { (char)(m->via.port >> 8), (char)m->via.port };
    char code = (char)method;
    size_t at = append(key, 0, slice_of(&code, 1));

    at = append(key, at, m->via.branch);
    at = append(key, at, SLICE("\n"));
    at = append(key, at, m->via.host);
    at = append(key, at, slice_of(port, 2));
    if (!slice_starts_nocase(m->via.branch, magic_cookie)) {
        uint32_t cseq = m->cseq.number;

        at = append(key, at, m->call_id);
        at = append(key, at, SLICE("\n"));
        at = append(key, at, m->from.tag);
        at = append(key, at, slice_of(&cseq, sizeof cseq));
    }
    *ret_len = at;
    return at < KEY_MAX;
}

static struct server_transaction *find(struct endpoint *e, slice key, uint64_t hash)
{
    for (struct map_node *n = map_first(&e->servers, hash); n; n = map_next(n)) {
        struct server_transaction *s = map_item(n, struct server_transaction, by_key);

        if (slice_eq(slice_of(s->key, s->key_len), key))
            return s;
    }
    return NULL;
}

/* ---- merged requests (8.2.2.2) ---- */

static uint64_t request_hash(const struct endpoint *e, slice call_id, slice from_tag, uint32_t cseq)
{
    uint64_t parts[3] = { hash_slice(&e->settings.seed, call_id), hash_slice(&e->settings.seed, from_tag), cseq };

    return hash_bytes(&e->settings.seed, parts, sizeof parts);
}

/* Does the message name the request of `s`: CSeq and, while they are known, Call-ID and From tag? */
static bool is_request(const struct server_transaction *s, const struct sip_message *m)
{
    const char *ids = s->mirror ? s->mirror + s->mirror_len - s->call_id_len - s->from_tag_len : NULL;

    return s->cseq == m->cseq.number &&
           (!ids || (slice_eq(slice_of(ids, s->call_id_len), m->call_id) &&
                     slice_eq(slice_of(ids + s->call_id_len, s->from_tag_len), m->from.tag)));
}

static bool is_merged(const struct endpoint *e, const struct sip_message *m)
{
    uint64_t hash = request_hash(e, m->call_id, m->from.tag, m->cseq.number);

    for (struct map_node *n = map_first(&e->requests, hash); n; n = map_next(n)) {
        const struct server_transaction *s = map_item(n, struct server_transaction, by_request);
        if (s->method == m->method && is_request(s, m))
            return true;
    }
    return false;
}

static void forget_request(struct server_transaction *s)
{
    if (s->in_requests)
        map_remove(&s->endpoint->requests, &s->by_request);
    s->in_requests = false;
    endpoint_let_go(s->endpoint, &s->mirror, &s->mirror_len);
}

/* What later answers are made of. Without memory for it they cannot be made: false. */
static bool keep_request(struct server_transaction *s, const struct sip_message *m)
{
    struct endpoint *e = s->endpoint;
    struct out *o = &e->out;

    out_clear(o);
    sip_build_response(o, m, 180, (slice){ 0 }, server_to_tag(s), &s->hop.remote);
    slice text = out_taken(o), line = slice_take_until(&text, '\n');

    (void)line;
    text = slice_skip(text, 1);
    size_t head = o->used - text.len;

    out_text(o, m->call_id);
    out_text(o, m->from.tag);
    if (o->error || m->call_id.len > UINT16_MAX || m->from.tag.len > UINT16_MAX)
        return false;
    text = slice_skip(out_taken(o), head);
    s->mirror = endpoint_keep(e, text);
    if (!s->mirror)
        return false;
    s->mirror_len = (uint32_t)text.len;
    s->call_id_len = (uint16_t)m->call_id.len;
    s->from_tag_len = (uint16_t)m->from.tag.len;
    if (m->to.tag.len)
        return true;
    map_add(&e->requests, &s->by_request, request_hash(e, m->call_id, m->from.tag, m->cseq.number));
    s->in_requests = true;
    return true;
}

/* ---- birth and death ---- */

/* 18.2.2: back where it came from; without rport to the port that the Via names. */
static struct hop answer_hop(const struct hop *from, const struct sip_message *m)
{
    struct hop to = *from;

    if (to.transport == WIRE_UDP && !m->via.rport.ptr)
        to.remote.port = m->via.port ? m->via.port : SIP_PORT;
    return to;
}

static struct server_transaction *server_new(struct endpoint *e, const struct hop *from, const struct sip_message *m,
                                             slice key, uint64_t hash)
{
    struct server_transaction *s = malloc(sizeof *s + key.len);
    char tag[ENDPOINT_TOKEN_LEN + 1];

    if (!s)
        return NULL;
    *s = (struct server_transaction){ .endpoint = e, .hop = answer_hop(from, m), .cseq = m->cseq.number,
                                      .key_len = (uint16_t)key.len, .method = (uint8_t)m->method };
    memcpy(s->key, key.ptr, key.len);
    endpoint_token(e, tag);
    memcpy(s->to_tag, tag, sizeof s->to_tag);
    transaction_start(&s->machine, &e->settings.times,
                      m->method == SIP_INVITE ? TRANSACTION_INVITE_SERVER : TRANSACTION_SERVER,
                      hop_is_reliable(from), e->now_ns);
    map_add(&e->servers, &s->by_key, hash);
    e->live++;
    e->memory_bytes += sizeof *s + key.len;
    return s;
}

void server_free(struct server_transaction *s)
{
    struct endpoint *e = s->endpoint;

    forget_request(s);
    endpoint_let_go(e, &s->kept, &s->kept_len);
    wheel_clear(&e->server_wheel, &s->timer);
    map_remove(&e->servers, &s->by_key);
    e->live--;
    e->memory_bytes -= sizeof *s + s->key_len;
    free(s);
}

static void set_timer(struct server_transaction *s)
{
    int64_t at_ns = transaction_next_ns(&s->machine);

    if (at_ns == INT64_MAX)
        wheel_clear(&s->endpoint->server_wheel, &s->timer);
    else
        wheel_set(&s->endpoint->server_wheel, &s->timer, at_ns);
}

/* ---- answers ---- */

/* The mirror has our tag; a 100 begins no dialog and has none (RFC 3261, 17.2.1). */
static void put_mirror(struct server_transaction *s, unsigned status)
{
    struct out *o = &s->endpoint->out;
    slice text = slice_of(s->mirror, s->mirror ? s->mirror_len - s->call_id_len - s->from_tag_len : 0);
    slice tag = server_to_tag(s), name = SLICE(";tag=");
    ptrdiff_t at = status == 100 && tag.len ? slice_find(text, tag) : -1;

    if (at > (ptrdiff_t)name.len) {
        out_text(o, slice_head(text, (size_t)at - name.len));
        text = slice_skip(text, (size_t)at + tag.len);
    }
    out_text(o, text);
}

static void begin_answer(struct server_transaction *s, unsigned status, slice phrase)
{
    struct endpoint *e = s->endpoint;
    slice tag = status == 100 ? (slice){ 0 } : server_to_tag(s);

    out_clear(&e->out);
    if (!phrase.len)
        phrase = code_phrase(status);
    if (e->received == s) {
        sip_build_response(&e->out, e->received_message, status, phrase, tag, &s->hop.remote);
    } else {
        sip_build_status(&e->out, status, phrase);
        put_mirror(s, status);
    }
    e->tail_at = e->out.used;
}

struct out *server_reply(struct server_transaction *s, unsigned status, slice phrase)
{
    struct endpoint *e = s->endpoint;

    e->has_own_phrase = phrase.len && !slice_eq(phrase, code_phrase(status));
    e->replying = s;
    e->status = status;
    begin_answer(s, status, phrase);
    return &e->out;
}

/* 18.2.2: where its connection is gone, by another one. */
static void transmit(struct server_transaction *s, slice bytes)
{
    struct hop to;
    int error = 0;

    endpoint_transmit(s->endpoint, &s->hop, bytes, &error);
    if (error != -ENOTCONN || s->has_moved || !reach_for_answer(&s->hop, bytes, &to))
        return;
    s->has_moved = true;
    s->hop = to;
    endpoint_transmit(s->endpoint, &s->hop, bytes, NULL);
}

static enum transaction_event answer_event(unsigned status)
{
    return status < 200 ? TRANSACTION_ANSWER_1XX : status < 300 ? TRANSACTION_ANSWER_2XX : TRANSACTION_ANSWER_REFUSAL;
}

/* Only what a repeat of this answer will need. Without memory for it there is no repeat. */
static void keep_answer(struct server_transaction *s, slice bytes, slice tail)
{
    struct endpoint *e = s->endpoint;
    bool is_invite = s->method == SIP_INVITE, is_final = s->status >= 200;
    slice wanted = bytes;

    if (s->is_pinned && !is_final)
        return;
    endpoint_let_go(e, &s->kept, &s->kept_len);
    s->kept_is_tail = is_final && !is_invite && !e->has_own_phrase;
    if (s->kept_is_tail)
        wanted = s->machine.reliable || slice_eq(tail, no_tail) ? (slice){ 0 } : tail;
    else if (is_final && s->status >= 300 && s->machine.reliable)
        wanted = (slice){ 0 };
    if (!wanted.len)
        return;
    s->kept = endpoint_keep(e, wanted);
    s->kept_len = s->kept ? (uint32_t)wanted.len : 0;
}

bool server_reply_send(struct server_transaction *s, slice type, slice body)
{
    struct endpoint *e = s->endpoint;

    sip_build_body(&e->out, type, body);
    if (e->replying != s || e->out.error)
        return false;
    e->replying = NULL;
    if (!(transaction_on(&s->machine, &e->settings.times, answer_event(e->status), e->now_ns) & TRANSACTION_SEND))
        return false;
    slice bytes = out_taken(&e->out);

    s->status = (uint16_t)e->status;
    keep_answer(s, bytes, slice_skip(bytes, e->tail_at));
    if (e->status >= 200)
        forget_request(s);
    transmit(s, bytes);
    set_timer(s);
    return true;
}

bool server_reply_plain(struct server_transaction *s, unsigned status)
{
    (void)server_reply(s, status, (slice){ 0 });
    return server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

void server_repeat(struct server_transaction *s)
{
    if (!s->kept || s->kept_is_tail)
        return;
    s->endpoint->counts.resent++;
    transmit(s, slice_of(s->kept, s->kept_len));
}

void server_pin(struct server_transaction *s, bool pinned) { s->is_pinned = pinned; }

/* The mirror was made before anybody could know a tag of ours: where it stands is where ours is. */
void server_set_to_tag(struct server_transaction *s, slice tag)
{
    slice text = slice_of(s->mirror, s->mirror ? s->mirror_len - s->call_id_len - s->from_tag_len : 0);
    ptrdiff_t at = s->has_to_tag ? -1 : slice_find(text, server_to_tag(s));

    assert(tag.len == sizeof s->to_tag);
    if (s->has_to_tag)
        return;
    memcpy(s->to_tag, tag.ptr, sizeof s->to_tag);
    if (at >= 0)
        memcpy(s->mirror + at, tag.ptr, tag.len);
}

slice server_sent(const struct server_transaction *s) { return out_taken(&s->endpoint->out); }

void server_repeat_this(struct server_transaction *s, slice bytes)
{
    s->endpoint->counts.resent++;
    transmit(s, bytes);
}

void server_acknowledged(struct server_transaction *s)
{
    if (s->status >= 200)
        endpoint_let_go(s->endpoint, &s->kept, &s->kept_len);
}

/* The tail is all that the repeated request does not say itself. */
static void repeat_final(struct server_transaction *s, const struct sip_message *m)
{
    struct endpoint *e = s->endpoint;

    e->received = s;
    e->received_message = m;
    begin_answer(s, s->status, (slice){ 0 });
    e->received = NULL;
    out_text(&e->out, s->kept ? slice_of(s->kept, s->kept_len) : no_tail);
    if (e->out.error)
        return;
    e->counts.resent++;
    transmit(s, out_taken(&e->out));
}

static void send_trying(struct server_transaction *s)
{
    struct endpoint *e = s->endpoint;

    if (!s->mirror && e->received != s)
        return;
    begin_answer(s, 100, (slice){ 0 });
    sip_build_body(&e->out, (slice){ 0 }, (slice){ 0 });
    if (e->out.error)
        return;
    if (!s->status)
        s->status = 100;
    transmit(s, out_taken(&e->out));
}

/* ---- what comes ---- */

static void repeated(struct server_transaction *s, const struct sip_message *m)
{
    struct endpoint *e = s->endpoint;
    unsigned todo = transaction_on(&s->machine, &e->settings.times, TRANSACTION_GOT_REQUEST, e->now_ns);

    e->counts.repeats++;
    if (todo & TRANSACTION_SEND_TRYING || (todo & TRANSACTION_SEND && s->status == 100 && !s->kept))
        send_trying(s);
    else if (todo & TRANSACTION_SEND && s->kept_is_tail)
        repeat_final(s, m);
    else if (todo & TRANSACTION_SEND)
        server_repeat(s);
    set_timer(s);
}

static void got_ack(struct endpoint *e, const struct hop *from, const struct sip_message *m, struct server_transaction *s)
{
    if (s && s->machine.state != TRANSACTION_ACCEPTED) {
        (void)transaction_on(&s->machine, &e->settings.times, TRANSACTION_GOT_ACK, e->now_ns);
        if (s->machine.state == TRANSACTION_CONFIRMED)
            endpoint_let_go(e, &s->kept, &s->kept_len);
        set_timer(s);
        return;
    }
    if (!s)
        e->counts.strays += !m->to.tag.len;
    if (e->user.acknowledged)
        e->user.acknowledged(e->user.ctx, m, from);
}

static void got_new(struct endpoint *e, const struct hop *from, const struct sip_message *m, slice key, uint64_t hash,
                    struct server_transaction *invite)
{
    static const slice later = SLICE_INIT("Retry-After: 5\r\n");

    if (m->method == SIP_CANCEL && !invite && e->user.astray && e->user.astray(e->user.ctx, m, from))
        return;
    if (m->method == SIP_CANCEL && !invite) {             /* of nothing: nothing is kept for it */
        endpoint_refuse(e, m, from, 481, (slice){ 0 }, (slice){ 0 }, e->now_ns);
        return;
    }
    if (endpoint_is_full(e, m->method, m->to.tag.len != 0)) {
        e->counts.refused++;
        endpoint_refuse(e, m, from, 503, (slice){ 0 }, later, e->now_ns);
        return;
    }
    struct server_transaction *s = server_new(e, from, m, key, hash);

    if (!s) {
        e->counts.refused++;
        return;                                           /* silence: it will be repeated */
    }
    s->has_to_tag = m->to.tag.len != 0;
    if (m->method == SIP_CANCEL)
        memcpy(s->to_tag, invite->to_tag, sizeof s->to_tag);      /* 9.2 */
    e->received = s;
    e->received_message = m;
    if (m->method == SIP_CANCEL)
        server_reply_plain(s, 200);
    else if (!m->to.tag.len && is_merged(e, m))
        server_reply_plain(s, 482);
    else
        e->user.request(e->user.ctx, s, m, from);
    e->received = NULL;
    if (s->dropped) {
        server_free(s);
        return;
    }
    if (s->status < 200 && !keep_request(s, m)) {
        e->received = s;                                  /* say so while it can still be said */
        server_reply_plain(s, 500);
        e->received = NULL;
    }
    set_timer(s);
    if (m->method == SIP_CANCEL && invite->status < 200 && e->user.cancelled)
        e->user.cancelled(e->user.ctx, invite, m);
}

void server_receive(struct endpoint *e, const struct hop *from, const struct sip_message *m)
{
    char key[KEY_MAX];
    size_t len;
    bool for_invite = m->method == SIP_ACK || m->method == SIP_CANCEL;
    struct server_transaction *invite = NULL;

    if (for_invite && key_of(m, SIP_INVITE, key, &len))
        invite = find(e, slice_of(key, len), hash_bytes(&e->settings.seed, key, len));
    if (m->method == SIP_CANCEL && invite && !is_request(invite, m))
        invite = NULL;                                    /* a branch that was guessed, or is used twice */
    if (m->method == SIP_ACK) {
        got_ack(e, from, m, invite);
        return;
    }
    if (!key_of(m, m->method, key, &len)) {
        endpoint_refuse(e, m, from, 400, SLICE("Via Too Long"), (slice){ 0 }, e->now_ns);
        return;
    }
    uint64_t hash = hash_bytes(&e->settings.seed, key, len);
    struct server_transaction *s = find(e, slice_of(key, len), hash);

    if (s)
        repeated(s, m);
    else
        got_new(e, from, m, slice_of(key, len), hash, invite);
}

void server_due(struct server_transaction *s)
{
    struct endpoint *e = s->endpoint;
    unsigned todo = transaction_due(&s->machine, &e->settings.times, e->now_ns);

    if (todo & TRANSACTION_SEND_TRYING)
        send_trying(s);
    if (todo & TRANSACTION_SEND)
        server_repeat(s);
    if (todo & TRANSACTION_TIMED_OUT)
        e->counts.unacknowledged++;
    if (!(todo & TRANSACTION_ENDED)) {
        set_timer(s);
        return;
    }
    if (e->user.server_ended)
        e->user.server_ended(e->user.ctx, s);
    server_free(s);
}

void server_drop(struct server_transaction *s)
{
    s->owner = NULL;
    s->dropped = true;
    if (s->endpoint->received != s)
        server_free(s);
}

/* ---- questions ---- */

slice server_to_tag(const struct server_transaction *s)
{
    return s->has_to_tag ? (slice){ 0 } : slice_of(s->to_tag, sizeof s->to_tag);
}

enum sip_method server_method(const struct server_transaction *s) { return (enum sip_method)s->method; }
const struct hop *server_hop(const struct server_transaction *s) { return &s->hop; }
unsigned server_status(const struct server_transaction *s) { return s->status; }
void *server_owner(const struct server_transaction *s) { return s->owner; }
void server_set_owner(struct server_transaction *s, void *owner) { s->owner = owner; }
