/* net/connection.c - one connection, from the first SYN to the last byte
 * SPDX-License-Identifier: Apache-2.0
 *
 * It ends in two steps, since it may end while it is being read: connection_end takes it out of
 * everything, and the end of the round tells of it and frees it. */
#include "net/stream_int.h"

#include <assert.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/message.h"
#include "sip/stream.h"

#define READS_A_ROUND 4u             /* then the others have their turn */
#define LOOK_ALWAYS   4096u          /* so many bytes are looked through whenever some come */
#define LINGER_NS     2000000000
#define FRAME_HEAD_MAX 14u

static const char slow_why[] = "the peer is too slow";

static int64_t now_ns(const struct connection *c) { return loop_now_ns(c->all->loop); }

/* ---- time ---- */

int64_t connection_due_ns(const struct connection *c)
{
    const struct stream_limits *l = &c->all->limits;
    int64_t due;

    switch ((enum connection_state)c->state) {
    case CONNECTION_CONNECTING: return c->since_ns + l->connect_ns;
    case CONNECTION_HANDSHAKE:
    case CONNECTION_UPGRADE: return c->since_ns + l->handshake_ns;
    case CONNECTION_CLOSING: return c->since_ns + LINGER_NS;
    default: break;
    }
    due = c->active_ns + l->idle_ns;
    if (c->midway_ns && c->midway_ns + l->message_ns < due)
        due = c->midway_ns + l->message_ns;
    if (c->stuck_ns && c->stuck_ns + l->write_ns < due)
        due = c->stuck_ns + l->write_ns;
    return due;
}

/* The heap has room for each connection since it began. */
static void set_timer(struct connection *c)
{
    if (c->state != CONNECTION_GONE && (!c->timer.place || connection_due_ns(c) < c->timer.at_ns))
        (void)timers_set(&c->all->timers, &c->timer, connection_due_ns(c));
}

void connection_expire(struct connection *c)
{
    static const char *const why[CONNECTION_STATES] = {
        [CONNECTION_CONNECTING] = "no connection in time", [CONNECTION_HANDSHAKE] = "no TLS handshake in time",
        [CONNECTION_UPGRADE] = "no upgrade to WebSocket in time",
    };

    if (c->state == CONNECTION_CLOSING)
        connection_end(c, c->error, c->why);
    else if (c->state != CONNECTION_OPEN)
        connection_end(c, ETIMEDOUT, why[c->state]);
    else
        connection_end(c, ETIMEDOUT, c->midway_ns || c->stuck_ns ? slow_why : "nothing was said for long");
}

/* ---- the end ---- */

void connection_end(struct connection *c, int error, const char *why)
{
    if (c->state == CONNECTION_GONE)
        return;
    if (c->state != CONNECTION_CLOSING) {
        c->error = error;
        c->why = why;
    }
    c->all->counts.failed += c->error != 0;
    if (c->ssl && !c->shut && c->error != EPROTO)
        tls_close_notify(c->ssl);
    loop_unwatch(c->all->loop, &c->watch);
    (void)close(c->watch.fd);
    c->watch.fd = -1;
    timers_clear(&c->all->timers, &c->timer);
    connection_unlist(c);
    c->state = CONNECTION_GONE;
    connection_work(c);
}

/* What is in `out` still goes, and then we wait until the peer has seen it: a socket closed with
 * unread bytes would take our answer back (RST). */
static void close_softly(struct connection *c, int error, const char *why)
{
    connection_unlist(c);
    c->error = error;
    c->why = why;
    c->state = CONNECTION_CLOSING;
    c->since_ns = now_ns(c);
    c->may_go = SIZE_MAX;
    set_timer(c);
    connection_work(c);
}

static void end_by_peer(struct connection *c)
{
    bool owed = buffer_bytes(&c->out).len > 0 || c->state != CONNECTION_OPEN;

    connection_end(c, owed ? ECONNRESET : 0, "closed by the peer");
}

/* ---- bytes out ---- */

static ssize_t carry_out(struct connection *c, slice bytes, const char **ret_why)
{
    ssize_t n;

    if (c->ssl)
        return tls_write(c->ssl, bytes.ptr, bytes.len, ret_why);
    n = send(c->watch.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    if (errno == EINTR)
        return -EAGAIN;
    *ret_why = strerrordesc_np(errno);
    return -errno;
}

static slice may_go(const struct connection *c)
{
    slice waiting = buffer_bytes(&c->out);

    if (c->state == CONNECTION_CONNECTING || c->state == CONNECTION_HANDSHAKE)
        return (slice){ 0 };
    return c->state == CONNECTION_UPGRADE ? slice_head(waiting, c->may_go) : waiting;
}

static void finish_closing(struct connection *c)
{
    if (c->shut || buffer_bytes(&c->out).len)
        return;
    if (c->ssl)
        tls_close_notify(c->ssl);
    (void)shutdown(c->watch.fd, SHUT_WR);
    c->shut = true;
}

void connection_write(struct connection *c)
{
    const char *why = NULL;
    slice bytes;

    while ((bytes = may_go(c)).len) {
        ssize_t n = carry_out(c, bytes, &why);

        if (n == -EAGAIN) {
            c->stuck_ns = c->stuck_ns ? c->stuck_ns : now_ns(c);
            set_timer(c);
            return;
        }
        if (n < 0) {
            connection_end(c, (int)-n, why);
            return;
        }
        buffer_drop(&c->out, &c->all->budget, (size_t)n);
        if (c->state == CONNECTION_UPGRADE)
            c->may_go -= (size_t)n;
        c->active_ns = now_ns(c);
        c->stuck_ns = 0;
    }
    if (c->state == CONNECTION_CLOSING)
        finish_closing(c);
}

static int add_out(struct connection *c, slice bytes)
{
    int error = buffer_add(&c->out, &c->all->budget, c->all->limits.waiting_max, bytes);

    if (!error)
        connection_work(c);
    return error == -EMSGSIZE ? -ENOBUFS : error;
}

/* A frame goes into `out` in pieces: one that does not fit must not begin. */
int connection_put(struct connection *c, slice message)
{
    size_t most = c->all->limits.waiting_max, there = buffer_bytes(&c->out).len + FRAME_HEAD_MAX;
    int error;

    if (!c->frames)
        return add_out(c, message);
    if (there > most || message.len > most - there)
        return -ENOBUFS;
    error = frames_write(c->frames, message);
    if (error)
        connection_end(c, -error, "no room for what is to be said");
    return error;
}

/* ---- messages in ---- */

static void deliver(struct connection *c, slice message)
{
    c->known = true;
    c->all->counts.received++;
    c->all->handlers.message(c->all->handlers.ctx, &c->hop, now_ns(c), message);
}

static void pong(struct connection *c)
{
    c->all->counts.keepalives++;
    if (connection_put(c, SLICE("\r\n")) < 0)
        connection_end(c, ENOBUFS, slow_why);
}

/* CR LF before a message; two of them want an answer (RFC 5626, 3.5.1). */
static slice take_keepalives(struct connection *c, slice rest)
{
    static const char ping[4] = { '\r', '\n', '\r', '\n' };

    while (rest.len && (rest.ptr[0] == '\r' || rest.ptr[0] == '\n') && c->state == CONNECTION_OPEN) {
        c->crlf = rest.ptr[0] == ping[c->crlf] ? (uint8_t)(c->crlf + 1) : rest.ptr[0] == '\r';
        rest = slice_skip(rest, 1);
        if (c->crlf == sizeof ping) {
            c->crlf = 0;
            pong(c);
        }
    }
    if (rest.len)
        c->crlf = 0;
    return rest;
}

static void refuse_bytes(struct connection *c, bool large)
{
    uint64_t *count = large ? &c->all->counts.oversized : &c->all->counts.not_sip;

    ++*count;
    connection_end(c, large ? EMSGSIZE : EPROTO, large ? "a message is too large" : "what came is not SIP");
}

/* Hands out what is whole; what is not remains. */
static slice cut_messages(struct connection *c, slice rest)
{
    size_t most = c->all->limits.message_max;

    while (c->state == CONNECTION_OPEN && (rest = take_keepalives(c, rest)).len) {
        size_t skip, len;
        enum sip_stream_find found = sip_stream_next(rest, &skip, &len);

        if (found == SIP_STREAM_NOT_SIP || len > most || (found == SIP_STREAM_MORE && rest.len - skip > most)) {
            refuse_bytes(c, found != SIP_STREAM_NOT_SIP);
            break;
        }
        rest = slice_skip(rest, skip);
        c->need = len;
        if (found == SIP_STREAM_MORE)
            break;
        c->midway_ns = 0;
        c->need = 0;
        deliver(c, slice_head(rest, len));
        rest = slice_skip(rest, len);
    }
    return rest;
}

/* A header that comes byte by byte is not looked through for each byte. */
static bool is_worth_a_look(const struct connection *c, size_t fresh)
{
    slice all = buffer_bytes(&c->in);
    slice recent = slice_skip(all, all.len > fresh + 3 ? all.len - fresh - 3 : 0);

    if (c->need)
        return all.len >= c->need;
    return all.len <= LOOK_ALWAYS || all.len / LOOK_ALWAYS != (all.len - fresh) / LOOK_ALWAYS ||
           slice_find(recent, SLICE("\n\r\n")) >= 0 || slice_find(recent, SLICE("\n\n")) >= 0;
}

static void take_stream(struct connection *c, slice bytes)
{
    struct buffer_budget *budget = &c->all->budget;
    size_t most = (size_t)c->all->limits.message_max + SIP_STREAM_HEADER_MAX + SCRATCH_BYTES, before;
    bool collected = buffer_bytes(&c->in).len > 0;
    slice rest = bytes;
    int error = 0;

    if (collected) {
        error = buffer_add(&c->in, budget, most, bytes);
        if (!error && !is_worth_a_look(c, bytes.len))
            return;
        rest = buffer_bytes(&c->in);
    }
    before = rest.len;
    if (!error)
        rest = cut_messages(c, rest);
    if (c->state != CONNECTION_OPEN)
        return;                      /* also within a callback */
    if (!error && collected)
        buffer_drop(&c->in, budget, before - rest.len);
    else if (!error)
        error = buffer_add(&c->in, budget, most, rest);
    if (error)
        connection_end(c, -error, "no room for what came");
    else if (!buffer_bytes(&c->in).len)
        c->midway_ns = 0;
    else if (!c->midway_ns)
        c->midway_ns = now_ns(c);
}

/* ---- WebSocket ---- */

static bool frame_message(void *ctx, slice message)
{
    struct connection *c = ctx;

    if (!sip_is_keepalive(message))
        deliver(c, message);
    else if (slice_eq(message, SLICE("\r\n\r\n")))
        pong(c);
    return c->state == CONNECTION_OPEN;
}

static bool frame_write(void *ctx, slice bytes) { return add_out(ctx, bytes) == 0; }

static void take_frames(struct connection *c, slice bytes)
{
    int error = frames_read(c->frames, bytes);

    if (c->state != CONNECTION_OPEN)
        return;
    if (!error) {
        c->midway_ns = !frames_midway(c->frames) ? 0 : c->midway_ns ? c->midway_ns : now_ns(c);
        return;
    }
    c->all->counts.oversized += error == -EMSGSIZE;
    if (error == -ESHUTDOWN)
        close_softly(c, 0, "closed by the peer");
    else if (error == -EPROTO || error == -EMSGSIZE)
        close_softly(c, -error, error == -EPROTO ? "the frames break RFC 6455" : "a message is too large");
    else
        connection_end(c, -error, slow_why);
}

static bool start_frames(struct connection *c)
{
    struct frames_handlers h = { c, frame_message, frame_write };

    c->frames = frames_new(c->source ? FRAMES_SERVER : FRAMES_CLIENT, &c->all->budget, c->all->limits.message_max, &h);
    return c->frames;
}

static int ask_for_upgrade(struct connection *c)
{
    char text[UPGRADE_TEXT_MAX], at[ADDRESS_TEXT_MAX];
    uint8_t random[16];
    slice host = slice_of(at, address_format(&c->hop.remote, at));

    if (RAND_bytes(random, sizeof random) != 1)
        return -EIO;
    upgrade_make_key(random, c->key);
    if (c->domain)
        host = slice_of_string(c->domain);
    c->may_go = upgrade_write_request(text, host, SLICE("/"), slice_of_string(c->key));
    return add_out(c, slice_of(text, c->may_go));
}

static void answer_upgrade(struct connection *c, enum upgrade verdict, slice key)
{
    char text[UPGRADE_TEXT_MAX];
    size_t len = upgrade_write_answer(text, verdict, key);

    if (add_out(c, slice_of(text, len)) < 0)
        connection_end(c, ENOBUFS, "no room for an answer");
    else if (verdict != UPGRADE_OK)
        close_softly(c, EPROTO, "no request to speak SIP over WebSocket");
}

static void open_now(struct connection *c);

static void take_upgrade(struct connection *c, slice bytes)
{
    struct upgrade_request r = { .head_len = 0 };
    const char *why = NULL;
    enum upgrade verdict;
    struct buffer rest;
    slice all;

    if (buffer_add(&c->in, &c->all->budget, UPGRADE_HEAD_MAX + SCRATCH_BYTES, bytes) < 0) {
        connection_end(c, ENOBUFS, "no room for what came");
        return;
    }
    all = buffer_bytes(&c->in);
    if (c->source)
        verdict = upgrade_read_request(all, &r);
    else
        verdict = upgrade_read_answer(all, slice_of_string(c->key), &r.head_len, &why);
    if (verdict == UPGRADE_MORE)
        return;
    if (c->source)
        answer_upgrade(c, verdict, r.key);
    else if (verdict != UPGRADE_OK)
        connection_end(c, EPROTO, why);
    if (verdict != UPGRADE_OK || c->state != CONNECTION_UPGRADE)
        return;
    if (c->source && !start_frames(c)) {
        connection_end(c, ENOMEM, "no memory");
        return;
    }
    rest = c->in;                    /* frames may follow the head at once */
    c->in = (struct buffer){ 0 };
    open_now(c);
    buffer_drop(&rest, &c->all->budget, r.head_len);
    if (buffer_bytes(&rest).len)
        take_frames(c, buffer_bytes(&rest));
    buffer_done(&rest, &c->all->budget);
}

/* ---- bytes in ---- */

static ssize_t carry_in(struct connection *c, const char **ret_why)
{
    ssize_t n;

    if (c->ssl)
        return tls_read(c->ssl, c->all->scratch, SCRATCH_BYTES, ret_why);
    n = recv(c->watch.fd, c->all->scratch, SCRATCH_BYTES, 0);
    if (n >= 0)
        return n;
    *ret_why = strerrordesc_np(errno);
    return errno == EINTR ? -EAGAIN : -errno;
}

static void take(struct connection *c, slice bytes)
{
    c->active_ns = now_ns(c);
    if (c->state == CONNECTION_UPGRADE)
        take_upgrade(c, bytes);
    else if (c->state == CONNECTION_OPEN && c->frames)
        take_frames(c, bytes);
    else if (c->state == CONNECTION_OPEN)
        take_stream(c, bytes);
}

/* Who does not read our answers is not read, either. */
static bool is_paused(const struct connection *c)
{
    return c->state == CONNECTION_OPEN && buffer_bytes(&c->out).len > c->all->limits.waiting_max / 2;
}

static void read_in(struct connection *c)
{
    const char *why = NULL;

    c->more = false;
    for (size_t i = 0; i < READS_A_ROUND; i++) {
        ssize_t n;

        if (c->state == CONNECTION_GONE || is_paused(c))
            break;
        n = carry_in(c, &why);
        if (n == -EAGAIN)
            return;
        if (n == 0)
            end_by_peer(c);
        else if (n < 0)
            connection_end(c, (int)-n, why);
        else
            take(c, slice_of(c->all->scratch, (size_t)n));
        if (n <= 0)
            return;
    }
    c->more = c->ssl && c->state != CONNECTION_GONE;
}

/* ---- states ---- */

static void enter(struct connection *c, enum connection_state state)
{
    c->state = (uint8_t)state;
    c->since_ns = c->active_ns = now_ns(c);
    set_timer(c);
    connection_work(c);
}

static void open_now(struct connection *c)
{
    enter(c, CONNECTION_OPEN);
    c->all->counts.connected += !c->source;
}

static void after_handshake(struct connection *c)
{
    c->more = c->ssl;                /* the first message may have come with the last of the handshake */
    if (is_websocket(c->hop.transport))
        enter(c, CONNECTION_UPGRADE);
    else
        open_now(c);
}

static void shake_hands(struct connection *c)
{
    const char *why = "TLS failed";
    int error = tls_handshake(c->ssl, &why);

    if (!error)
        after_handshake(c);
    else if (error != -EAGAIN)
        connection_end(c, -error, why);
}

static void look_if_connected(struct connection *c)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error)
        connection_end(c, error, strerrordesc_np(error));
    else if (c->ssl)
        enter(c, CONNECTION_HANDSHAKE);
    else
        after_handshake(c);
}

/* With messages still to come `out` holds the request for the upgrade first. */
int connection_begin(struct connection *c, enum connection_state state)
{
    int error = timers_set(&c->all->timers, &c->timer, INT64_MAX);

    if (!error && !c->source && is_websocket(c->hop.transport))
        error = start_frames(c) ? ask_for_upgrade(c) : -ENOMEM;
    if (!error)
        error = loop_watch(c->all->loop, &c->watch, state == CONNECTION_CONNECTING ? EPOLLOUT : EPOLLIN);
    if (error)
        return error;
    if (state != CONNECTION_OPEN)
        enter(c, state);
    else if (c->ssl)
        enter(c, CONNECTION_HANDSHAKE);
    else
        after_handshake(c);
    return 0;
}

static void watch_again(struct connection *c)
{
    uint32_t events = c->state == CONNECTION_CONNECTING || is_paused(c) ? 0 : EPOLLIN;

    if (c->state == CONNECTION_GONE)
        return;
    if (c->state == CONNECTION_CONNECTING || may_go(c).len || (c->ssl && tls_wants_to_write(c->ssl)))
        events |= EPOLLOUT;
    if (loop_watch(c->all->loop, &c->watch, events) < 0)
        connection_end(c, ENOMEM, "no memory");
}

void connection_ready(void *connection, uint32_t events)
{
    struct connection *c = connection;

    if (c->state == CONNECTION_CONNECTING)
        look_if_connected(c);
    else if (is_paused(c) && events & (EPOLLERR | EPOLLHUP))
        end_by_peer(c);              /* it cannot take anything any more */
    if (c->state == CONNECTION_HANDSHAKE)
        shake_hands(c);
    if (c->state > CONNECTION_HANDSHAKE && c->state < CONNECTION_GONE && events & ~(uint32_t)EPOLLOUT)
        read_in(c);
    set_timer(c);
    connection_work(c);
}

void connection_look(struct connection *c)
{
    if (c->state == CONNECTION_HANDSHAKE)
        shake_hands(c);
    if (c->more && c->state != CONNECTION_GONE)
        read_in(c);
    if (c->state != CONNECTION_GONE)
        connection_write(c);
    set_timer(c);
    watch_again(c);
    if (c->more && c->state != CONNECTION_GONE && !is_paused(c))
        connection_work(c);
}
