/* switch/media_relay.c - see media_relay.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/media_relay.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/wheel.h"

enum { COOKIE_LEN = 16, EXPECTED = 64, TRIES = 3, REQUESTS_MAX = 10000, DATAGRAM_MAX = 65000 };
#define MS 1000000ll

struct media_request {
    struct map_node     by_cookie;
    struct list         in_open;
    struct wheel_timer  timer;
    struct media_relay *relay;
    media_answered     *answered;
    void               *ctx;
    uint8_t             command, tries;
    char                cookie[COOKIE_LEN];
    uint32_t            len;
    char                bytes[];     /* the datagram, cookie included */
};

struct media_relay {
    struct media_relay_settings settings;
    struct media_sender sender;
    struct media_relay_counts counts;
    struct map          by_cookie;
    struct list         open;
    struct wheel        wheel;
    struct out          text;        /* a question while it is made */
    struct media_request *ping;
    int64_t             now_ns, ping_at_ns;
    uint64_t            number;
    bool                down;
};

/* ---- life ---- */

struct media_relay *media_relay_new(const struct media_relay_settings *settings, const struct media_sender *sender,
                                    int64_t now_ns)
{
    struct media_relay *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->settings = *settings;
    m->settings.again_ns = settings->again_ns ? settings->again_ns : 500 * MS;
    m->settings.tries = settings->tries ? settings->tries : TRIES;
    m->settings.ping_ns = settings->ping_ns ? settings->ping_ns : 5000 * MS;
    m->settings.requests_max = settings->requests_max ? settings->requests_max : REQUESTS_MAX;
    m->sender = *sender;
    m->now_ns = now_ns;
    m->ping_at_ns = m->settings.ping_ns < 0 ? INT64_MAX : now_ns;
    list_init(&m->open);
    wheel_init(&m->wheel, now_ns);
    out_init_memory(&m->text, DATAGRAM_MAX);
    if (map_init(&m->by_cookie, EXPECTED) == 0)
        return m;
    return media_relay_free(m);
}

struct media_relay *media_relay_free(struct media_relay *m)
{
    if (!m)
        return NULL;
    while (!list_is_empty(&m->open))
        media_request_forget(list_item(m->open.next, struct media_request, in_open));
    map_done(&m->by_cookie);
    out_done(&m->text);
    free(m);
    return NULL;
}

void media_request_forget(struct media_request *r)
{
    if (!r)
        return;
    if (r->relay->ping == r)
        r->relay->ping = NULL;
    map_remove(&r->relay->by_cookie, &r->by_cookie);
    list_remove(&r->in_open);
    wheel_clear(&r->relay->wheel, &r->timer);
    free(r);
}

bool media_relay_is_down(const struct media_relay *m) { return m->down; }
size_t media_relay_open(const struct media_relay *m) { return m->by_cookie.count; }
const struct media_relay_counts *media_relay_counts(const struct media_relay *m) { return &m->counts; }

/* ---- the words of a question ---- */

static const struct { slice name; bool has_call, has_sdp; } commands[MEDIA_COMMANDS] = {
    [MEDIA_PING] = { SLICE_INIT("ping"), false, false },
    [MEDIA_OFFER] = { SLICE_INIT("offer"), true, true },
    [MEDIA_ANSWER] = { SLICE_INIT("answer"), true, true },
    [MEDIA_DELETE] = { SLICE_INIT("delete"), true, false },
    [MEDIA_QUERY] = { SLICE_INIT("query"), true, false },
};

static void put_some(struct out *o, slice key, slice text)
{
    if (text.len)
        bencode_put_pair(o, key, text);
}

/* Which transport the media have (RTP/AVP, SAVP ...) is left as it is: no word about it. */
static void put_wish(struct out *o, const struct media_wish *wish, enum media_ice ice)
{
    static const slice ices[] = { [MEDIA_ICE_REMOVE] = SLICE_INIT("remove"), [MEDIA_ICE_FORCE] = SLICE_INIT("force") };
    bool has_sdp = commands[wish->command].has_sdp;

    bencode_put_open(o, BENCODE_DICTIONARY);
    if (has_sdp && ice != MEDIA_ICE_KEEP)
        bencode_put_pair(o, SLICE("ICE"), ices[ice]);
    if (commands[wish->command].has_call)
        bencode_put_pair(o, SLICE("call-id"), wish->call_id);
    bencode_put_pair(o, SLICE("command"), commands[wish->command].name);
    put_some(o, SLICE("from-tag"), wish->from_tag);
    if (has_sdp) {
        bencode_put_text(o, SLICE("replace"));            /* o= must not tell where a phone is */
        bencode_put_open(o, BENCODE_LIST);
        bencode_put_text(o, SLICE("origin"));
        bencode_put_close(o);
        bencode_put_pair(o, SLICE("sdp"), wish->sdp);
    }
    put_some(o, SLICE("to-tag"), wish->to_tag);
    put_some(o, SLICE("via-branch"), wish->via_branch);
    bencode_put_close(o);
}

static void make_cookie(struct media_relay *m, char ret[COOKIE_LEN])
{
    uint64_t number = m->number++, bits = hash_bytes(&m->settings.seed, &number, sizeof number);

    for (int i = 0; i < COOKIE_LEN; i++, bits >>= 4)
        ret[i] = "0123456789abcdef"[bits & 15];
}

/* ---- asking ---- */

static uint64_t hash_of(const struct media_relay *m, slice cookie) { return hash_slice(&m->settings.seed, cookie); }

static void post(struct media_request *r)
{
    struct media_relay *m = r->relay;

    r->tries++;
    wheel_set(&m->wheel, &r->timer, m->now_ns + m->settings.again_ns);
    m->sender.send(m->sender.ctx, slice_of(r->bytes, r->len));
}

static struct media_request *ask(struct media_relay *m, const struct media_wish *wish, media_answered *answered, void *ctx)
{
    struct out *o = &m->text;
    struct media_request *r;
    char cookie[COOKIE_LEN];

    make_cookie(m, cookie);
    out_clear(o);
    out_text(o, slice_of(cookie, COOKIE_LEN));
    out_char(o, ' ');
    put_wish(o, wish, m->settings.ice);
    slice bytes = out_taken(o);

    r = o->error || m->by_cookie.count >= m->settings.requests_max ? NULL : malloc(sizeof *r + bytes.len);
    if (!r)
        return NULL;
    *r = (struct media_request){ .relay = m, .answered = answered, .ctx = ctx, .command = (uint8_t)wish->command,
                                 .len = (uint32_t)bytes.len };
    memcpy(r->cookie, cookie, COOKIE_LEN);
    memcpy(r->bytes, bytes.ptr, bytes.len);
    map_add(&m->by_cookie, &r->by_cookie, hash_of(m, slice_of(r->cookie, COOKIE_LEN)));
    list_append(&m->open, &r->in_open);
    m->counts.asked[wish->command]++;
    post(r);
    return r;
}

/* While it is down there is always one on its way. */
static void put_off_ping(struct media_relay *m)
{
    int64_t every_ns = m->down ? m->settings.again_ns : m->settings.ping_ns;

    if (m->settings.ping_ns >= 0)
        m->ping_at_ns = m->now_ns + every_ns;
}

static void take_time(struct media_relay *m, int64_t now_ns) { m->now_ns = now_ns > m->now_ns ? now_ns : m->now_ns; }

struct media_request *media_relay_ask(struct media_relay *m, const struct media_wish *wish, int64_t now_ns,
                                      media_answered *answered, void *ctx)
{
    struct media_request *r;

    take_time(m, now_ns);
    r = m->down ? NULL : ask(m, wish, answered, ctx);
    if (!r)
        m->counts.down++;
    return r;
}

/* ---- answers ---- */

static void go_down(struct media_relay *m)
{
    if (!m->down)
        m->counts.went_down++;
    m->down = true;
    put_off_ping(m);
}

static void finish(struct media_request *r, const struct media_reply *reply)
{
    struct media_relay_counts *counts = &r->relay->counts;
    media_answered *answered = r->answered;
    void *ctx = r->ctx;

    switch (reply->outcome) {
    case MEDIA_DONE: counts->done++; break;
    case MEDIA_UNREACHABLE: counts->unreachable++; break;
    case MEDIA_REFUSED: counts->refused++; break;
    case MEDIA_BAD_REPLY: counts->bad++; break;
    }
    media_request_forget(r);
    if (answered)
        answered(ctx, reply);
}

static struct media_reply understand(enum media_command command, slice text)
{
    struct media_reply reply = { .outcome = MEDIA_BAD_REPLY };
    slice rest = text, result;

    if (!bencode_take(&rest, &reply.all))
        return reply;
    result = bencode_find_text(&reply.all, SLICE("result"));
    if (slice_eq(result, SLICE("error"))) {
        reply.outcome = MEDIA_REFUSED;
        reply.reason = bencode_find_text(&reply.all, SLICE("error-reason"));
    } else if (slice_eq(result, command == MEDIA_PING ? SLICE("pong") : SLICE("ok"))) {
        reply.sdp = commands[command].has_sdp ? bencode_find_text(&reply.all, SLICE("sdp")) : (slice){ 0 };
        if (!commands[command].has_sdp || reply.sdp.len)
            reply.outcome = MEDIA_DONE;
    }
    return reply;
}

static struct media_request *request_of(const struct media_relay *m, slice cookie)
{
    if (cookie.len != COOKIE_LEN)
        return NULL;
    for (struct map_node *n = map_first(&m->by_cookie, hash_of(m, cookie)); n; n = map_next(n)) {
        struct media_request *r = map_item(n, struct media_request, by_cookie);

        if (slice_eq(slice_of(r->cookie, COOKIE_LEN), cookie))
            return r;
    }
    return NULL;
}

void media_relay_receive(struct media_relay *m, slice bytes, int64_t now_ns)
{
    slice rest = bytes, cookie = slice_take_until(&rest, ' ');
    struct media_request *r = request_of(m, cookie);

    take_time(m, now_ns);
    if (!r) {
        m->counts.late++;
        return;
    }
    m->down = false;
    put_off_ping(m);
    struct media_reply reply = understand((enum media_command)r->command, slice_skip(rest, 1));

    finish(r, &reply);
}

void media_relay_lost(struct media_relay *m, int64_t now_ns)
{
    take_time(m, now_ns);
    go_down(m);
}

/* ---- time ---- */

static void due(struct media_request *r)
{
    struct media_relay *m = r->relay;

    if (r->tries < m->settings.tries) {
        m->counts.resent++;
        post(r);
        return;
    }
    go_down(m);
    finish(r, &(struct media_reply){ .outcome = MEDIA_UNREACHABLE });
}

void media_relay_time(struct media_relay *m, int64_t now_ns)
{
    struct media_wish wish = { .command = MEDIA_PING };
    struct wheel_timer *t;

    take_time(m, now_ns);
    while ((t = wheel_due(&m->wheel, m->now_ns)))
        due(wheel_item(t, struct media_request, timer));
    if (m->now_ns < m->ping_at_ns)
        return;
    put_off_ping(m);
    if (!m->ping)                                         /* while one is open it is repeated anyway */
        m->ping = ask(m, &wish, NULL, NULL);
}

int64_t media_relay_next_ns(const struct media_relay *m)
{
    int64_t next_ns = wheel_next_ns(&m->wheel);

    return next_ns < m->ping_at_ns ? next_ns : m->ping_at_ns;
}
