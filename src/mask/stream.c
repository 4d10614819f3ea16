/* mask/stream.c - segments of TCP wait for their message, which is masked whole and cut up again.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A direction keeps the text from a while before up to what has not been framed: the first
 * part is masked already (repeats of segments are cut out of it), the second waits. Segments
 * behind a hole wait in order until it is filled, or too old. */
#include <stdlib.h>

#include "mask/mask_int.h"
#include "mask/text_int.h"
#include "sip/stream.h"
#include "wire/bytes.h"
#include "wire/hep.h"
#include "wire/tcp.h"
#include "wire/websocket.h"

#define HISTORY_BYTES   65536u       /* masked text kept for repeats */
#define SIDES_MAX       16384u
#define TEXT_BYTES_MAX  ((size_t)64 << 20)   /* of all directions: then the one idle longest is given up */
#define WAITING_BYTES   (2u << 20)   /* not framed yet, in one direction: a message has 1 MiB */

enum side_mode { SIDE_UNKNOWN, SIDE_SIP, SIDE_HEP, SIDE_WEBSOCKET, SIDE_FOREIGN };
struct side_key {                    /* hashed and compared as bytes: no padding */
    struct address src, dst;
};
struct side {
    struct map_node node;
    struct list     in_idle, in_waiting;
    struct side_key key;
    struct list     pieces;          /* mask_piece: their bytes are in the text, not all masked */
    struct list     beyond;          /* behind a hole, by sequence number */
    uint8_t        *text;
    size_t          done, len, room; /* masked up to `done`; `len` in all */
    uint32_t        seq;             /* of text[0] */
    int64_t         since_ns;        /* waits since then without headway */
    bool            started, upgraded;
    enum side_mode  mode;
    enum mask_why   why;             /* of SIDE_FOREIGN */
    size_t          passed;          /* bytes that were no message while the mode is unknown */
};

static void side_flush(struct mask *m, struct side *s);

/* ---- lifetime ---- */

static void side_free(struct mask *m, struct side *s)
{
    while (!list_is_empty(&s->pieces))
        mask_piece_done(m, list_item(s->pieces.next, struct mask_piece, in), false, MASK_INCOMPLETE);
    while (!list_is_empty(&s->beyond))
        mask_piece_done(m, list_item(s->beyond.next, struct mask_piece, in), false, MASK_INCOMPLETE);
    map_remove(&m->sides, &s->node);
    list_remove(&s->in_idle);
    list_remove(&s->in_waiting);
    m->text_bytes -= s->room;
    free(s->text);
    free(s);
}

static struct side *side_oldest(const struct mask *m)
{
    return list_item(m->sides_idle.next, struct side, in_idle);
}

static void side_give_away(struct mask *m, struct side *s)
{
    side_flush(m, s);
    side_free(m, s);
}

static struct side *side_of(struct mask *m, const struct address *src, const struct address *dst,
                            bool make)
{
    struct side_key key = { *src, *dst };
    uint64_t hash = hash_bytes(&m->settings.key.seed, &key, sizeof key);

    for (struct map_node *n = map_first(&m->sides, hash); n; n = map_next(n)) {
        struct side *s = map_item(n, struct side, node);

        if (memcmp(&s->key, &key, sizeof key) == 0)
            return s;
    }
    if (!make)
        return NULL;
    if (m->sides.count >= SIDES_MAX)
        side_give_away(m, side_oldest(m));
    struct side *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->key = key;
    list_init(&s->pieces);
    list_init(&s->beyond);
    list_init(&s->in_waiting);
    list_append(&m->sides_idle, &s->in_idle);
    map_add(&m->sides, &s->node, hash);
    return s;
}

/* ---- what is masked goes back into its segments ---- */

static uint32_t side_end(const struct side *s) { return s->seq + (uint32_t)s->len; }
static uint32_t side_done(const struct side *s) { return s->seq + (uint32_t)s->done; }
static bool before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }

/* A piece all of whose bytes are masked. What is older than the text cannot be cut out of it. */
static void piece_write(struct mask *m, struct side *s, struct mask_piece *p)
{
    bool there = !before(p->seq, s->seq);

    if (there)
        memcpy(p->surface->bytes + p->at, s->text + (p->seq - s->seq), p->len);
    mask_piece_done(m, p, there, MASK_INCOMPLETE);
}

static void side_write(struct mask *m, struct side *s)
{
    for (struct list *l = s->pieces.next, *next; l != &s->pieces; l = next) {
        struct mask_piece *p = list_item(l, struct mask_piece, in);

        next = l->next;
        if (!before(side_done(s), p->seq + p->len))
            piece_write(m, s, p);
    }
    if (s->done > 2 * HISTORY_BYTES) {
        size_t drop = s->done - HISTORY_BYTES;

        memmove(s->text, s->text + drop, s->len - drop);
        s->seq += (uint32_t)drop;
        s->done -= drop;
        s->len -= drop;
    }
}

/* The next `len` bytes are masked, or must not be shown. */
static void side_took(struct mask *m, struct side *s, size_t len, bool ok, enum mask_why why)
{
    uint32_t from = side_done(s), to = from + (uint32_t)len;

    for (struct list *l = s->pieces.next; (!ok || m->picked) && l != &s->pieces; l = l->next) {
        struct mask_piece *p = list_item(l, struct mask_piece, in);

        if (!before(p->seq, to) || !before(from, p->seq + p->len))
            continue;
        p->surface->selected |= m->picked;
        if (!ok)
            mask_bad(p->surface, why);
    }
    m->picked = false;
    s->done += len;
}

/* ---- framing ---- */

static slice side_rest(const struct side *s)
{
    return s->text ? slice_of(s->text + s->done, s->len - s->done) : (slice){0};
}

static bool looks_like_tls(slice s)
{
    return s.len >= 3 && (uint8_t)s.ptr[0] >= 20 && (uint8_t)s.ptr[0] <= 23 && s.ptr[1] == 3 &&
           (uint8_t)s.ptr[2] <= 4;
}

/* Between messages: line ends stay, everything else is nobody's business. */
static void side_pass(struct mask *m, struct side *s, size_t len)
{
    slice skipped = slice_head(side_rest(s), len);

    if (s->mode == SIDE_UNKNOWN && !sip_is_keepalive(skipped)) {
        s->passed += len;
        side_took(m, s, len, false, MASK_UNKNOWN);
        return;
    }
    mask_blank(skipped);
    side_took(m, s, len, true, MASK_UNKNOWN);
}

/* True: something was taken, look again. */
static bool take_sip(struct mask *m, struct side *s)
{
    size_t skip = 0, len = 0;
    slice rest = side_rest(s);
    enum sip_stream_find found = sip_stream_next(rest, &skip, &len);

    if (skip)
        side_pass(m, s, skip);
    if (found == SIP_STREAM_MESSAGE) {
        uint8_t *at = s->text + s->done;

        s->mode = SIDE_SIP;
        if (!mask_sip(m, at, len, false))
            mask_blank(slice_of(at, len));
        side_took(m, s, len, true, MASK_UNKNOWN);
        return true;
    }
    if (s->mode == SIDE_UNKNOWN && s->passed > TCP_SNIFF_BYTES) {
        s->mode = SIDE_FOREIGN;
        s->why = MASK_UNKNOWN;
    }
    return found == SIP_STREAM_NOT_SIP;
}

static bool take_hep(struct mask *m, struct side *s)
{
    size_t skip = 0, len = 0;
    enum hep_stream_find found = hep_stream_next(side_rest(s), &skip, &len);

    if (skip)
        side_pass(m, s, skip);
    if (found == HEP_STREAM_PACKET) {
        bool ok = mask_hep(m, s->text + s->done, len);

        side_took(m, s, len, ok, MASK_UNKNOWN);
        return true;
    }
    return found == HEP_STREAM_NOT_HEP;
}

/* "Host: ...", cookies and the like; what makes it an upgrade stays. */
static void mask_upgrade(struct mask *m, slice head)
{
    static const slice staying[] = { SLICE_INIT("Upgrade"), SLICE_INIT("Connection") };
    slice line;

    for (bool first = true; slice_take_line(&head, &line); first = false) {
        slice name = slice_take_until(&line, first ? ' ' : ':');
        bool stays = slice_starts_nocase(name, SLICE("Sec-WebSocket-"));

        for (size_t i = 0; i < ARRAY_LEN(staying); i++)
            stays |= slice_eq_nocase(name, staying[i]);
        if (stays || (first && slice_starts(name, SLICE("HTTP/"))))
            continue;
        if (first) {
            line = slice_skip(line, 1);
            mask_all_words(m->text, slice_take_until(&line, ' '));
        } else if (slice_eq_nocase(name, SLICE("Cookie")) || slice_eq_nocase(name, SLICE("Set-Cookie")) ||
                   slice_eq_nocase(name, SLICE("Authorization"))) {
            mask_blob(&m->settings.key, mask_own(line), line.len);
        } else {
            mask_sweep(m->text, slice_skip(line, 1), MASK_SWEEP_FREE);
        }
    }
}

static void mix(uint8_t *at, size_t len, const uint8_t key[4])
{
    for (size_t i = 0; i < len; i++)
        at[i] ^= key[i % 4];
}

/* One frame (RFC 6455 5.2). Parts of messages and compressed ones are not understood. */
static bool take_websocket_frame(struct mask *m, struct side *s)
{
    slice rest = side_rest(s);
    uint8_t first = wire_get_u8(rest, 0), second = wire_get_u8(rest, 1), opcode = first & 15;
    size_t head = 2, len = second & 127;
    bool ok = false;

    if (rest.len < 2)
        return false;
    if (len == 126)
        head = 4, len = wire_get_u16(rest, 2);
    else if (len == 127)
        head = 10, len = wire_get_u32(rest, 2) ? SIZE_MAX : wire_get_u32(rest, 6);
    if (len > WEBSOCKET_MESSAGE_MAX) {
        s->mode = SIDE_FOREIGN;
        s->why = MASK_UNKNOWN;
        return true;
    }
    size_t key_at = head;

    head += second & 128 ? 4 : 0;
    if (rest.len < head + len)
        return false;
    uint8_t *at = s->text + s->done + head, key[4] = {0};

    if (second & 128) {
        memcpy(key, s->text + s->done + key_at, 4);
        mix(at, len, key);
    }
    if (opcode >= 8) {
        memset(at, 0, len);
        ok = true;
    } else if ((first & 0xf0) == 0x80 && (opcode == 1 || opcode == 2)) {
        ok = sip_is_keepalive(slice_of(at, len)) || mask_sip(m, at, len, false);
    }
    if (second & 128)
        mix(at, len, key);
    side_took(m, s, head + len, ok, MASK_UNKNOWN);
    return true;
}

static bool take_websocket(struct mask *m, struct side *s)
{
    struct websocket_upgrade upgrade;
    ptrdiff_t len;

    if (s->upgraded)
        return take_websocket_frame(m, s);
    len = websocket_upgrade_parse(side_rest(s), &upgrade);
    if (len == 0)
        return false;
    if (len < 0) {
        s->upgraded = true;               /* joined late: frames from here on */
        return true;
    }
    mask_upgrade(m, slice_head(side_rest(s), (size_t)len));
    side_took(m, s, (size_t)len, true, MASK_UNKNOWN);
    s->upgraded = true;
    return true;
}

/* A frame of text or bytes that holds SIP: the upgrade was before the capture. */
static bool looks_like_websocket(slice s)
{
    size_t skip = 0;
    uint8_t first = wire_get_u8(s, 0);

    return s.len > 2 && (first & 0x70) == 0 && ((first & 15) == 1 || (first & 15) == 2) &&
           websocket_find(s, &skip) == WEBSOCKET_MESSAGE && skip == 0;
}

static void side_sniff(struct mask *m, struct side *s)
{
    slice rest = side_rest(s);
    struct websocket_upgrade upgrade;
    struct side *other = side_of(m, &s->key.dst, &s->key.src, false);

    if (slice_starts(rest, SLICE("HEP3"))) {
        s->mode = SIDE_HEP;
    } else if (looks_like_tls(rest)) {
        s->mode = SIDE_FOREIGN;
        s->why = MASK_ENCRYPTED;
    } else if (looks_like_websocket(rest) || (other && other->mode == SIDE_WEBSOCKET) ||
               ((slice_starts(rest, SLICE("GET ")) || slice_starts(rest, SLICE("HTTP/1."))) &&
                websocket_upgrade_parse(rest, &upgrade) >= 0)) {
        s->mode = SIDE_WEBSOCKET;
    }
}

/* Takes what is whole. */
static void side_take(struct mask *m, struct side *s)
{
    bool again = true;

    while (again && s->done < s->len) {
        if (s->mode == SIDE_UNKNOWN)
            side_sniff(m, s);
        switch (s->mode) {
        case SIDE_UNKNOWN: case SIDE_SIP:
            again = take_sip(m, s);
            break;
        case SIDE_HEP:
            again = take_hep(m, s);
            break;
        case SIDE_WEBSOCKET:
            again = take_websocket(m, s);
            break;
        case SIDE_FOREIGN:
            side_took(m, s, s->len - s->done, false, s->why);
            break;
        }
    }
    side_write(m, s);
}

/* What waits is not going to be whole: SIP as far as it came, anything else is not shown. */
static void side_give_up(struct mask *m, struct side *s)
{
    slice rest = side_rest(s);

    if (rest.len == 0)
        return;
    if (s->mode == SIDE_UNKNOWN && !sip_looks_like(rest)) {
        side_took(m, s, rest.len, false, MASK_INCOMPLETE);
    } else if (s->mode <= SIDE_SIP) {
        s->mode = SIDE_SIP;
        if (!sip_looks_like(rest) || !mask_sip(m, s->text + s->done, rest.len, true))
            mask_blank(rest);
        side_took(m, s, rest.len, true, MASK_UNKNOWN);
    } else {
        side_took(m, s, rest.len, false, MASK_INCOMPLETE);
    }
    side_write(m, s);
}

/* ---- segments into the text ---- */

static bool side_room(struct mask *m, struct side *s, size_t need)
{
    if (s->len + need <= s->room)
        return true;
    size_t room = s->room ? s->room : 2048;

    while (room < s->len + need)
        room *= 2;
    uint8_t *grown = realloc(s->text, room);

    if (!grown)
        return false;
    m->text_bytes += room - s->room;
    s->text = grown;
    s->room = room;
    return true;
}

/* A piece that touches the end of the text, or lies before it. */
static void side_add(struct mask *m, struct side *s, struct mask_piece *p)
{
    uint32_t end = side_end(s);

    if (before(end, p->seq + p->len)) {
        uint32_t skip = end - p->seq;
        size_t fresh = p->len - skip;

        if (!side_room(m, s, fresh)) {
            m->no_memory = true;
            mask_piece_done(m, p, false, MASK_INCOMPLETE);
            return;
        }
        memcpy(s->text + s->len, p->surface->came + p->at + skip, fresh);
        s->len += fresh;
    }
    list_append(&s->pieces, &p->in);
}

static void side_add_beyond(struct mask *m, struct side *s)
{
    while (!list_is_empty(&s->beyond)) {
        struct mask_piece *p = list_item(s->beyond.next, struct mask_piece, in);

        if (before(side_end(s), p->seq))
            break;
        list_remove(&p->in);
        side_add(m, s, p);
    }
    side_take(m, s);
}

/* The text begins anew at a sequence number. */
static void side_restart(struct side *s, uint32_t seq)
{
    s->seq = seq;
    s->done = s->len = 0;
    s->started = true;
}

/* Over the hole to what waits behind it. */
static void side_flush(struct mask *m, struct side *s)
{
    side_give_up(m, s);
    while (!list_is_empty(&s->beyond)) {
        side_restart(s, list_item(s->beyond.next, struct mask_piece, in)->seq);
        side_add_beyond(m, s);
        side_give_up(m, s);
    }
    while (!list_is_empty(&s->pieces))
        mask_piece_done(m, list_item(s->pieces.next, struct mask_piece, in), false, MASK_INCOMPLETE);
}

static void beyond_insert(struct side *s, struct mask_piece *p)
{
    struct list *l = s->beyond.prev;

    while (l != &s->beyond && before(p->seq, list_item(l, struct mask_piece, in)->seq))
        l = l->prev;
    list_insert_after(l, &p->in);
}

static void side_segment(struct mask *m, struct side *s, const struct wire_place *place)
{
    slice tcp = place->bytes;
    slice payload = slice_skip(tcp, (size_t)(wire_get_u8(tcp, 12) >> 4) * 4);
    bool syn = wire_get_u8(tcp, 13) & TCP_SYN;
    uint32_t seq = wire_get_u32(tcp, 4) + syn;
    struct mask_piece *p = payload.len ? mask_piece_new(m, payload, seq) : NULL;

    if (payload.len && !p)
        return;
    list_remove(&s->in_idle);
    list_append(&m->sides_idle, &s->in_idle);
    if (syn && (!s->started || seq != s->seq)) {
        side_flush(m, s);
        s->mode = SIDE_UNKNOWN;
        s->upgraded = false;
        s->passed = 0;
        side_restart(s, seq);
    }
    if (!p)
        return;
    int32_t ahead = s->started ? (int32_t)(seq - side_end(s)) : 0;

    if (!s->started || ahead > TCP_FAR || ahead < -TCP_FAR || s->len - s->done > WAITING_BYTES) {
        side_flush(m, s);
        side_restart(s, seq);
        ahead = 0;
    }
    if (ahead > 0) {
        beyond_insert(s, p);
        return;
    }
    side_add(m, s, p);
    side_add_beyond(m, s);
    if (place->lacking && !before(seq + (uint32_t)payload.len, side_end(s))) {
        side_give_up(m, s);
        side_restart(s, seq + (uint32_t)(payload.len + place->lacking));
        side_add_beyond(m, s);
    }
}

/* ---- time ---- */

static void side_wait(struct mask *m, struct side *s, uint32_t done_before)
{
    bool waits = !list_is_empty(&s->pieces) || !list_is_empty(&s->beyond);
    bool waited = !list_is_empty(&s->in_waiting);

    if (waits && waited && done_before == side_done(s))
        return;
    list_remove(&s->in_waiting);
    if (!waits)
        return;
    s->since_ns = m->now_ns;
    list_append(&m->sides_waiting, &s->in_waiting);
}

void mask_segment(struct mask *m, const struct wire_place *place)
{
    const struct wire_packet *packet = place->packet;
    slice tcp = place->bytes;
    size_t payload_len = tcp.len - (size_t)(wire_get_u8(tcp, 12) >> 4) * 4;
    bool syn = wire_get_u8(tcp, 13) & TCP_SYN;

    if (!payload_len && !syn && !place->lacking)
        return;
    struct side *s = side_of(m, &packet->src, &packet->dst, true);

    if (!s) {
        m->no_memory = true;
        mask_bad(m->surface, MASK_INCOMPLETE);
        return;
    }
    uint32_t done = side_done(s);

    side_segment(m, s, place);
    side_wait(m, s, done);
    while (m->text_bytes > TEXT_BYTES_MAX && side_oldest(m) != s)
        side_give_away(m, side_oldest(m));
}

/* The direction that made no headway for longest. */
bool mask_streams_due(struct mask *m, bool all)
{
    if (list_is_empty(&m->sides_waiting))
        return false;
    struct side *s = list_item(m->sides_waiting.next, struct side, in_waiting);

    if (!all && s->since_ns + m->settings.wait_ns > m->now_ns)
        return false;
    side_flush(m, s);
    list_remove(&s->in_waiting);
    return true;
}

void mask_streams_done(struct mask *m)
{
    while (m->sides_idle.next && !list_is_empty(&m->sides_idle))
        side_free(m, side_oldest(m));
}
