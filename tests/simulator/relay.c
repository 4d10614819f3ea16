/* tests/simulator/relay.c - see relay.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "simulator/relay.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/wheel.h"

enum { LETTER_MAX = 4096 };
static const slice plain = SLICE_INIT("IP4 10."), marked = SLICE_INIT("IP4 99.");

struct letter {
    struct wheel_timer timer;
    size_t             len;
    char               bytes[];
};

/* A call that it carries, by its call-id there. */
struct carried {
    struct map_node by_id;
    size_t          len;
    char            id[];
};

struct voice_relay {
    struct voice_relay_settings settings;
    struct wheel wheel;
    struct map   calls;
    struct hash_seed seed;
    uint64_t     random;
    int64_t      now_ns;
};

struct voice_relay *voice_relay_new(const struct voice_relay_settings *settings, int64_t now_ns)
{
    struct voice_relay *r = calloc(1, sizeof *r);

    if (!r || map_init(&r->calls, 64) != 0)
        abort();
    r->settings = *settings;
    r->seed = (struct hash_seed){ settings->seed, 11 };
    r->random = settings->seed;
    r->now_ns = now_ns;
    wheel_init(&r->wheel, now_ns);
    return r;
}

static void forget(struct voice_relay *r, struct carried *c)
{
    map_remove(&r->calls, &c->by_id);
    free(c);
}

struct voice_relay *voice_relay_free(struct voice_relay *r)
{
    struct wheel_timer *t;

    if (!r)
        return NULL;
    while ((t = wheel_due(&r->wheel, INT64_MAX)))
        free(wheel_item(t, struct letter, timer));
    for (size_t i = 0; i < r->calls.bucket_count; i++)
        while (r->calls.buckets[i])
            forget(r, map_item(r->calls.buckets[i], struct carried, by_id));
    map_done(&r->calls);
    free(r);
    return NULL;
}

size_t voice_relay_calls(const struct voice_relay *r) { return r->calls.count; }

/* ---- SDP ---- */

/* Both have one length. */
static void replace(char *text, size_t len, slice from, slice to)
{
    slice rest = slice_of(text, len);
    ptrdiff_t at;

    while ((at = slice_find(rest, from)) >= 0) {
        memcpy(text + (rest.ptr - text) + at, to.ptr, to.len);
        rest = slice_skip(rest, (size_t)at + to.len);
    }
}

bool voice_relay_unmark(slice body, char *room, size_t room_len, slice *ret)
{
    bool all = slice_find(body, plain) < 0;

    *ret = body;
    if (slice_find(body, marked) < 0 || body.len > room_len)
        return all;
    memcpy(room, body.ptr, body.len);
    replace(room, body.len, marked, plain);
    *ret = slice_of(room, body.len);
    return all;
}

/* ---- questions ---- */

static uint64_t roll(struct voice_relay *r) { return r->random = hash_bytes(&r->seed, &r->random, sizeof r->random); }
static bool     loses(struct voice_relay *r) { return roll(r) % 1000000 < r->settings.loss_ppm; }

static struct carried *find(const struct voice_relay *r, slice id)
{
    for (struct map_node *n = map_first(&r->calls, hash_slice(&r->seed, id)); n; n = map_next(n)) {
        struct carried *c = map_item(n, struct carried, by_id);

        if (slice_eq(slice_of(c->id, c->len), id))
            return c;
    }
    return NULL;
}

static void carry(struct voice_relay *r, slice id)
{
    struct carried *c = find(r, id) ? NULL : malloc(sizeof *c + id.len);

    if (!c)
        return;
    memcpy(c->id, id.ptr, id.len);
    c->len = id.len;
    map_add(&r->calls, &c->by_id, hash_slice(&r->seed, id));
}

/* What rtpengine says: an answer, or a delete, of what it does not know is an error. */
static bool obey(struct voice_relay *r, slice command, const struct bencode *all)
{
    slice id = bencode_find_text(all, SLICE("call-id"));

    if (slice_eq(command, SLICE("offer")))
        carry(r, id);
    struct carried *c = find(r, id);

    if (slice_eq(command, SLICE("delete")) && c) {
        forget(r, c);
        return true;
    }
    return slice_eq(command, SLICE("ping")) || c;
}

static void put_answer(struct voice_relay *r, struct out *o, const struct bencode *all)
{
    slice command = bencode_find_text(all, SLICE("command")), sdp = bencode_find_text(all, SLICE("sdp"));
    char text[LETTER_MAX];

    if (!obey(r, command, all)) {
        out_text(o, SLICE(" d12:error-reason15:Unknown call-id6:result5:errore"));
        return;
    }
    out_text(o, SLICE(" d"));
    bencode_put_pair(o, SLICE("result"), slice_eq(command, SLICE("ping")) ? SLICE("pong") : SLICE("ok"));
    if (sdp.ptr && sdp.len < sizeof text) {
        memcpy(text, sdp.ptr, sdp.len);
        replace(text, sdp.len, plain, marked);
        bencode_put_pair(o, SLICE("sdp"), slice_of(text, sdp.len));
    }
    out_char(o, 'e');
}

static void on_question(void *ctx, slice bytes)
{
    struct voice_relay *r = ctx;
    slice rest = bytes, cookie = slice_take_until(&rest, ' ');
    struct bencode all;
    struct out o;

    rest = slice_skip(rest, 1);
    if (loses(r) || !bencode_take(&rest, &all))
        return;
    out_init_memory(&o, LETTER_MAX);
    out_text(&o, cookie);
    put_answer(r, &o, &all);
    if (!loses(r) && !o.error) {
        struct letter *letter = calloc(1, sizeof *letter + o.used);

        if (!letter)
            abort();
        letter->len = o.used;
        memcpy(letter->bytes, o.buffer, o.used);
        wheel_set(&r->wheel, &letter->timer, r->now_ns + (int64_t)(roll(r) % (uint64_t)(r->settings.delay_max_ns + 1)));
    }
    out_done(&o);
}

struct media_sender voice_relay_sender(struct voice_relay *r) { return (struct media_sender){ r, on_question }; }

void voice_relay_time(struct voice_relay *r, struct media_relay *to, int64_t now_ns)
{
    struct wheel_timer *t;

    r->now_ns = now_ns;
    while ((t = wheel_due(&r->wheel, now_ns))) {
        struct letter *letter = wheel_item(t, struct letter, timer);

        media_relay_receive(to, slice_of(letter->bytes, letter->len), now_ns);
        free(letter);
    }
}

int64_t voice_relay_next_ns(const struct voice_relay *r) { return wheel_next_ns(&r->wheel); }
