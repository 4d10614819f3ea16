/* wire/tcp.c - see tcp.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * Three stories, from the bottom: a side's bytes and what is framed out of them; a side's
 * segments and the order they make; the table of connections. Bytes that come in order and
 * end with a message are never copied. */
#include "wire/tcp.h"

#include <errno.h>
#include <stdlib.h>

#include "sip/message.h"
#include "sip/stream.h"
#include "wire/bytes.h"
#include "wire/hep_unit.h"
#include "wire/websocket.h"

#define TCP_SYN_AGAIN_NS 300000000ll /* sooner it is a copy of the capture */
#define HOLD_FIRST 2048u             /* the first buffer of a side */
#define START_LINE_LOOK 8192u        /* a start line ends before, or sip_stream_next gives it up */

enum tcp_kind { TCP_UNKNOWN, TCP_SIP, TCP_WEBSOCKET, TCP_HEP, TCP_FOREIGN };

/* What a unit needs of the segment that completed it. */
struct tcp_when {
    int64_t  time_ns;
    uint64_t frame;
    uint32_t ip_id;
    uint8_t  ttl, tunnels;
};

/* Bytes behind a hole, in a list by sequence number; pieces never overlap. */
struct tcp_piece {
    struct list     in_side;
    struct tcp_when when;
    uint32_t        seq;
    uint32_t        len;
    uint32_t        lacking;         /* not captured behind it */
    char            bytes[];
};

struct tcp_conn;
struct tcp_side {
    struct list      pieces;         /* behind the hole */
    struct list      in_holes, in_acked;
    struct tcp_when  last;           /* of the bytes taken last */
    int64_t          hole_ns, acked_ns;
    char            *held;           /* in order, not used yet: the beginning of a message */
    uint32_t         held_len, held_size;
    uint32_t         want;           /* ask again when so many are held; 0: see look_from */
    uint32_t         look_from;      /* held bytes that were looked at for an empty line */
    uint32_t         piece_count, piece_bytes;
    uint32_t         next_seq, fin_seq, isn;
    uint8_t          index;          /* in its connection */
    bool             started, has_isn, has_fin, line_seen, head_taken;
};

struct tcp_conn {
    struct map_node   node;
    struct list       in_idle, in_closed, in_holding;
    struct address    ends[2];       /* the lesser first */
    int64_t           last_ns, closed_ns, syn_ns;
    struct tcp_side   sides[2];      /* side i sends from end i */
    struct websocket *websockets;    /* two, or NULL */
    size_t            websocket_bytes;       /* theirs, as far as counted in held */
    size_t            held;          /* bytes counted in tcp.bytes */
    uint32_t          passed;        /* bytes in which nothing was found */
    uint8_t           kind;          /* enum tcp_kind */
};

static struct tcp_conn *side_conn(struct tcp_side *s)
{
    return (struct tcp_conn *)(void *)((char *)(s - s->index) - offsetof(struct tcp_conn, sides));
}

/* ---- bytes held ---- */

static void conn_hold(struct tcp *t, struct tcp_conn *c, size_t more, size_t less)
{
    c->held += more - less;
    t->bytes += more - less;
    if (!list_is_empty(&c->in_holding))
        list_remove(&c->in_holding);
    if (c->held)
        list_append(&t->holding, &c->in_holding);
}

static void side_forget_held(struct tcp *t, struct tcp_side *s)
{
    if (s->held_size)
        conn_hold(t, side_conn(s), 0, s->held_size);
    free(s->held);
    s->held = NULL;
    s->held_len = s->held_size = s->want = s->look_from = 0;
    s->line_seen = false;
}

static bool side_hold(struct tcp *t, struct tcp_side *s, slice bytes)
{
    size_t need = s->held_len + bytes.len, size = s->held_size ? s->held_size : HOLD_FIRST;

    if (need > t->one_max) {
        t->counts->limited++;
        return false;
    }
    if (need > s->held_size) {
        while (size < need)
            size *= 2;
        char *held = realloc(s->held, size);

        if (!held) {
            t->counts->limited++;
            return false;
        }
        conn_hold(t, side_conn(s), size, s->held_size);
        s->held = held;
        s->held_size = (uint32_t)size;
    }
    memcpy(s->held + s->held_len, bytes.ptr, bytes.len);
    s->held_len += (uint32_t)bytes.len;
    return true;
}

/* ---- pieces behind a hole ---- */

static int32_t seq_ahead(uint32_t a, uint32_t b) { return (int32_t)(a - b); }

static struct tcp_piece *side_first_piece(const struct tcp_side *s)
{
    return list_is_empty(&s->pieces) ? NULL
                                     : list_item(s->pieces.next, struct tcp_piece, in_side);
}

static void side_remove_piece(struct tcp *t, struct tcp_side *s, struct tcp_piece *piece)
{
    list_remove(&piece->in_side);
    s->piece_count--;
    s->piece_bytes -= piece->len;
    conn_hold(t, side_conn(s), 0, sizeof *piece + piece->len);
}

static void side_close_hole(struct tcp_side *s)
{
    list_remove(&s->in_holes);
    list_remove(&s->in_acked);
}

static void side_forget_pieces(struct tcp *t, struct tcp_side *s)
{
    struct tcp_piece *piece;

    while ((piece = side_first_piece(s))) {
        side_remove_piece(t, s, piece);
        free(piece);
    }
    side_close_hole(s);
}

/* ---- the two directions of WebSocket ---- */

static void conn_count_websockets(struct tcp *t, struct tcp_conn *c)
{
    size_t bytes = c->websockets ? websocket_memory_bytes(&c->websockets[0]) +
                                       websocket_memory_bytes(&c->websockets[1])
                                 : 0;

    if (bytes != c->websocket_bytes)
        conn_hold(t, c, bytes, c->websocket_bytes);
    c->websocket_bytes = bytes;
}

static void conn_close_websockets(struct tcp *t, struct tcp_conn *c)
{
    for (int i = 0; c->websockets && i < 2; i++)
        websocket_done(&c->websockets[i]);
    free(c->websockets);
    c->websockets = NULL;
    conn_count_websockets(t, c);
}

static bool conn_open_websockets(struct tcp_conn *c, bool midstream)
{
    if (!c->websockets && !(c->websockets = calloc(2, sizeof *c->websockets)))
        return false;
    for (int i = 0; i < 2; i++) {
        (midstream ? websocket_init_midstream : websocket_init)(&c->websockets[i]);
        c->sides[i].head_taken = midstream;
    }
    return true;
}

/* ---- units ---- */

static struct wire_unit side_unit(const struct tcp_side *s, const struct tcp_conn *c,
                                  slice payload)
{
    return (struct wire_unit){
        .kind = WIRE_MESSAGE,
        .transport = c->kind == TCP_WEBSOCKET ? WIRE_WS : WIRE_TCP,
        .time_ns = s->last.time_ns, .frame = s->last.frame,
        .src = c->ends[s->index], .dst = c->ends[!s->index],
        .payload = payload,
        .ip_id = s->last.ip_id, .ttl = s->last.ttl, .tunnels = s->last.tunnels,
    };
}

/* So many bytes were no SIP, WebSocket or HEP. What a kind no longer needs is freed by
 * conn_settle, since the bytes at hand may stand in it. */
static void conn_pass(struct tcp_conn *c, size_t bytes)
{
    if (c->kind != TCP_UNKNOWN)
        return;
    c->passed += bytes > TCP_SNIFF_BYTES ? TCP_SNIFF_BYTES + 1 : (uint32_t)bytes;
    if (c->passed > TCP_SNIFF_BYTES)
        c->kind = TCP_FOREIGN;
}

/* ---- framing; each takes what it can from the front of *bytes ---- */

static void side_take_sip(struct tcp *t, struct tcp_side *s, slice *bytes)
{
    struct tcp_conn *c = side_conn(s);
    const char *before = bytes->ptr;

    s->want = 0;
    while (bytes->len && c->kind <= TCP_SIP) {
        size_t skip = 0, len = 0;
        enum sip_stream_find found = sip_stream_next(*bytes, &skip, &len);

        *bytes = slice_skip(*bytes, skip);
        if (found == SIP_STREAM_MORE) {
            s->want = (uint32_t)len;
            return;
        }
        if (found == SIP_STREAM_NOT_SIP) {
            conn_pass(c, skip);
            continue;
        }
        c->kind = TCP_SIP;
        struct wire_unit u = side_unit(s, c, slice_head(*bytes, len));

        u.stream_before = slice_of(before, (size_t)(bytes->ptr - before));
        *bytes = slice_skip(*bytes, len);
        before = bytes->ptr;
        t->unit(t->ctx, &u);
    }
}

static void side_take_hep(struct tcp *t, struct tcp_side *s, slice *bytes)
{
    struct tcp_conn *c = side_conn(s);

    s->want = 0;
    while (bytes->len) {
        size_t skip = 0, len = 0;
        enum hep_stream_find found = hep_stream_next(*bytes, &skip, &len);

        *bytes = slice_skip(*bytes, skip);
        if (found == HEP_STREAM_MORE)
            return;
        if (found == HEP_STREAM_NOT_HEP)
            continue;
        struct wire_unit outer = side_unit(s, c, slice_head(*bytes, len));

        *bytes = slice_skip(*bytes, len);
        hep_unit_out(&outer, t->counts, t->unit, t->ctx);
    }
}

/* A frame of text or bytes, final or not, with or without compression. */
static bool looks_like_websocket(slice s)
{
    uint8_t first = wire_get_u8(s, 0);
    size_t skip = 0;

    return s.len > 2 && (first & 0x30) == 0 && ((first & 15) == 1 || (first & 15) == 2) &&
           websocket_find(s, &skip) == WEBSOCKET_MESSAGE && skip == 0;
}

/* The head of the upgrade in this direction. False: not whole yet, or the upgrade was refused
 * and the connection is unknown again. */
static bool side_take_upgrade(struct tcp_side *s, slice *bytes)
{
    struct websocket_upgrade upgrade;
    ptrdiff_t len = websocket_upgrade_parse(*bytes, &upgrade);

    if (len == 0)
        return false;
    if (len > 0)
        *bytes = slice_skip(*bytes, (size_t)len);
    else if (!looks_like_websocket(*bytes)) {
        side_conn(s)->kind = TCP_UNKNOWN;
        return false;
    }
    s->head_taken = true;
    return true;
}

static void side_take_websocket(struct tcp *t, struct tcp_side *s, slice *bytes)
{
    struct tcp_conn *c = side_conn(s);
    enum websocket_event event;
    slice message;

    if (!s->head_taken && !side_take_upgrade(s, bytes))
        return;
    while ((event = websocket_take(&c->websockets[s->index], bytes, &message)) != WEBSOCKET_MORE) {
        if (event == WEBSOCKET_CLOSED)
            *bytes = slice_skip(*bytes, bytes->len);
        if (event != WEBSOCKET_MESSAGE || !sip_looks_like(message))
            continue;
        struct wire_unit u = side_unit(s, c, message);

        t->unit(t->ctx, &u);
    }
    conn_count_websockets(t, c);
}

/* ---- what is it? ---- */

static bool looks_like_tls(slice s)
{
    return s.len >= 5 && wire_get_u8(s, 0) >= 20 && wire_get_u8(s, 0) <= 23 &&
           wire_get_u8(s, 1) == 3 && wire_get_u8(s, 2) <= 4 &&
           wire_get_u16(s, 3) <= 16384 + 2048;
}

/* SIP is spoken after this upgrade. The answer alone: the request was not captured. */
static void side_sniff_upgrade(struct tcp_side *s, slice bytes)
{
    struct tcp_conn *c = side_conn(s);
    struct websocket_upgrade upgrade;

    if (websocket_upgrade_parse(bytes, &upgrade) <= 0 || !upgrade.sip ||
        !conn_open_websockets(c, false))
        return;
    c->kind = TCP_WEBSOCKET;
    if (upgrade.response)
        c->sides[!s->index].head_taken = true;
}

/* Looks at the beginning of what a side says in a connection that is still unknown. */
static void side_sniff(struct tcp *t, struct tcp_side *s, slice bytes)
{
    struct tcp_conn *c = side_conn(s);

    if (slice_starts(bytes, SLICE("HEP3"))) {
        c->kind = TCP_HEP;
    } else if (looks_like_tls(bytes)) {
        t->counts->tls_streams++;
        c->kind = TCP_FOREIGN;
    } else if (bytes.ptr[0] == 'G' || bytes.ptr[0] == 'H') {
        side_sniff_upgrade(s, bytes);
    } else if (looks_like_websocket(bytes) && conn_open_websockets(c, true)) {
        c->kind = TCP_WEBSOCKET;
    }
}

/* An HTTP head may become an upgrade when the rest of it comes. */
static bool side_awaits_upgrade(slice bytes)
{
    struct websocket_upgrade upgrade;

    return bytes.len && (bytes.ptr[0] == 'G' || bytes.ptr[0] == 'H') &&
           bytes.len < WEBSOCKET_UPGRADE_MAX && websocket_upgrade_parse(bytes, &upgrade) == 0;
}

static void side_take(struct tcp *t, struct tcp_side *s, slice *bytes)
{
    struct tcp_conn *c = side_conn(s);

    if (c->kind == TCP_UNKNOWN && bytes->len) {
        side_sniff(t, s, *bytes);
        if (c->kind == TCP_UNKNOWN && side_awaits_upgrade(*bytes))
            return;
    }
    switch ((enum tcp_kind)c->kind) {
    case TCP_UNKNOWN: case TCP_SIP:
        side_take_sip(t, s, bytes);
        break;
    case TCP_WEBSOCKET:
        side_take_websocket(t, s, bytes);
        break;
    case TCP_HEP:
        side_take_hep(t, s, bytes);
        break;
    case TCP_FOREIGN:
        break;
    }
    if (c->kind == TCP_FOREIGN)
        *bytes = slice_skip(*bytes, bytes->len);
}

/* ---- bytes in order ---- */

/* Frees what the kind of a connection has no use for. */
static void conn_settle(struct tcp *t, struct tcp_conn *c)
{
    if (c->websockets && c->kind != TCP_WEBSOCKET)
        conn_close_websockets(t, c);
    if (c->kind != TCP_FOREIGN)
        return;
    for (int i = 0; i < 2; i++) {
        side_forget_held(t, &c->sides[i]);
        side_forget_pieces(t, &c->sides[i]);
    }
}


/* Would asking again what is held say anything new? So that a message in many small segments
 * costs no more than in one. */
static bool side_worth_asking(struct tcp_side *s)
{
    uint32_t from = s->look_from > 3 ? s->look_from - 3 : 0;
    slice news = slice_of(s->held + from, s->held_len - from);

    if (side_conn(s)->kind > TCP_SIP || s->look_from < 16)
        return true;
    if (s->want)
        return s->held_len >= s->want;
    s->look_from = s->held_len;
    if (!s->line_seen)
        return slice_find_char(news, '\n') >= 0 || s->held_len >= START_LINE_LOOK;
    return slice_find(news, SLICE("\n\n")) >= 0 || slice_find(news, SLICE("\n\r\n")) >= 0 ||
           s->held_len >= SIP_STREAM_HEADER_MAX;
}

static void side_note_asked(struct tcp_side *s)
{
    s->look_from = s->held_len;
    s->line_seen = slice_find_char(slice_of(s->held, s->held_len), '\n') >= 0;
}

/* What is held is the beginning of a message whose end will not come. */
static void side_cut(struct tcp *t, struct tcp_side *s)
{
    struct tcp_conn *c = side_conn(s);
    slice held = slice_of(s->held, s->held_len);

    if (held.len && c->kind <= TCP_SIP && sip_looks_like(held)) {
        struct wire_unit u = side_unit(s, c, held);

        u.cut = true;
        c->kind = TCP_SIP;
        t->unit(t->ctx, &u);
    }
    side_forget_held(t, s);
}

static void side_feed_held(struct tcp *t, struct tcp_side *s, slice bytes)
{
    if (!side_hold(t, s, bytes)) {
        side_cut(t, s);
        return;
    }
    if (!side_worth_asking(s))
        return;
    slice rest = slice_of(s->held, s->held_len);

    side_take(t, s, &rest);
    if (rest.len == 0) {
        side_forget_held(t, s);
        return;
    }
    memmove(s->held, rest.ptr, rest.len);
    s->held_len = (uint32_t)rest.len;
    side_note_asked(s);
}

static void side_feed(struct tcp *t, struct tcp_side *s, slice bytes, const struct tcp_when *when)
{
    struct tcp_conn *c = side_conn(s);

    s->last = *when;
    if (bytes.len == 0 || c->kind == TCP_FOREIGN)
        return;
    if (s->held_len) {
        side_feed_held(t, s, bytes);
    } else {
        side_take(t, s, &bytes);
        if (bytes.len && side_hold(t, s, bytes))
            side_note_asked(s);
    }
    conn_settle(t, c);
}

/* ---- segments in any order ---- */

/* Bytes of the stream that will not come. */
static void side_gap(struct tcp *t, struct tcp_side *s, uint32_t missing)
{
    struct tcp_conn *c = side_conn(s);

    t->counts->tcp_gaps++;
    side_cut(t, s);
    if (c->websockets)
        websocket_gap(&c->websockets[s->index], missing);
    s->next_seq += missing;
}

/* The part of a segment that was not captured; pieces behind it may hold some of it. */
static void side_lacks(struct tcp *t, struct tcp_side *s, uint32_t lacking)
{
    const struct tcp_piece *next = side_first_piece(s);

    if (next && seq_ahead(next->seq, s->next_seq) < (int32_t)lacking)
        lacking = next->seq - s->next_seq;
    if (lacking)
        side_gap(t, s, lacking);
}

/* Takes the pieces that are in order now; `when` NULL: each completes what ends in it. */
static void side_drain(struct tcp *t, struct tcp_side *s, const struct tcp_when *when)
{
    struct tcp_piece *piece;

    while ((piece = side_first_piece(s)) && piece->seq == s->next_seq) {
        side_remove_piece(t, s, piece);
        s->next_seq += piece->len;
        side_feed(t, s, slice_of(piece->bytes, piece->len), when ? when : &piece->when);
        if (piece->lacking)
            side_lacks(t, s, piece->lacking);
        free(piece);
    }
}

static void side_skip_hole(struct tcp *t, struct tcp_side *s)
{
    const struct tcp_piece *piece = side_first_piece(s);

    if (!piece)
        return;
    side_gap(t, s, piece->seq - s->next_seq);
    side_drain(t, s, NULL);
}

/* Notes that there is a hole, and since when this one. */
static void side_note_hole(struct tcp *t, struct tcp_side *s, int64_t now_ns, bool moved)
{
    if (!side_first_piece(s)) {
        side_close_hole(s);
    } else if (moved || list_is_empty(&s->in_holes)) {
        side_close_hole(s);
        s->hole_ns = now_ns;
        list_append(&t->holes, &s->in_holes);
    }
}

static void side_flush(struct tcp *t, struct tcp_side *s)
{
    while (side_first_piece(s))
        side_skip_hole(t, s);
    side_close_hole(s);
    side_cut(t, s);
}

static bool side_add_piece(struct tcp *t, struct tcp_side *s, struct list *after, uint32_t seq,
                           slice bytes, const struct tcp_when *when)
{
    struct tcp_piece *piece = malloc(sizeof *piece + bytes.len);

    if (!piece) {
        t->counts->limited++;
        return false;
    }
    *piece = (struct tcp_piece){ .when = *when, .seq = seq, .len = (uint32_t)bytes.len };
    memcpy(piece->bytes, bytes.ptr, bytes.len);
    list_insert_after(after, &piece->in_side);
    s->piece_count++;
    s->piece_bytes += piece->len;
    conn_hold(t, side_conn(s), sizeof *piece + piece->len, 0);
    return true;
}

/* Adds the bytes that no piece holds yet. False: it brought nothing. */
static bool side_add_pieces(struct tcp *t, struct tcp_side *s, uint32_t seq, slice bytes,
                            uint32_t lacking, const struct tcp_when *when)
{
    struct list *l = s->pieces.prev;
    bool news = false;

    while (l != &s->pieces && seq_ahead(list_item(l, struct tcp_piece, in_side)->seq, seq) > 0)
        l = l->prev;
    while (bytes.len) {
        size_t room = bytes.len, covered = 0;

        if (l != &s->pieces) {
            const struct tcp_piece *here = list_item(l, struct tcp_piece, in_side);
            int32_t inside = seq_ahead(here->seq + here->len, seq);

            covered = inside > 0 ? (size_t)inside : 0;
        }
        seq += (uint32_t)(covered < bytes.len ? covered : bytes.len);
        bytes = slice_skip(bytes, covered);
        room = bytes.len;
        if (l->next != &s->pieces) {
            int32_t until = seq_ahead(list_item(l->next, struct tcp_piece, in_side)->seq, seq);

            if (until >= 0 && (size_t)until < room)
                room = (size_t)until;
        }
        if (room) {
            if (!side_add_piece(t, s, l, seq, slice_head(bytes, room), when))
                return true;
            news = true;
            seq += (uint32_t)room;
            bytes = slice_skip(bytes, room);
            if (bytes.len == 0)
                list_item(l->next, struct tcp_piece, in_side)->lacking = lacking;
            l = l->next;
        } else if (bytes.len) {
            l = l->next;
        }
    }
    return news;
}

/* A sequence number from another life of the connection: whatever was held ends here. */
static void side_restart(struct tcp *t, struct tcp_side *s, uint32_t seq)
{
    side_flush(t, s);
    t->counts->tcp_gaps++;
    s->next_seq = seq;
    s->has_fin = false;
}

static void side_payload(struct tcp *t, struct tcp_side *s, const struct tcp_segment_in *in,
                         const struct tcp_when *when)
{
    uint32_t lacking = in->lacking, seq = in->seq + (in->flags & TCP_SYN ? 1 : 0);
    size_t full = in->payload.len + lacking;
    slice bytes = in->payload;

    if (full == 0)
        return;
    if (seq_ahead(seq, s->next_seq) > TCP_FAR || seq_ahead(seq, s->next_seq) < -TCP_FAR)
        side_restart(t, s, seq);
    if (seq_ahead(seq, s->next_seq) < 0) {
        uint32_t old = s->next_seq - seq;

        if (old >= full) {
            t->counts->tcp_retransmissions += full > 1 || old > 1;   /* else a keep-alive */
            return;
        }
        if (old > bytes.len)
            lacking -= old - (uint32_t)bytes.len;
        bytes = slice_skip(bytes, old);
        seq = s->next_seq;
    }
    if (seq == s->next_seq && list_is_empty(&s->pieces)) {
        s->next_seq += (uint32_t)bytes.len;
        side_feed(t, s, bytes, when);
        if (lacking)
            side_lacks(t, s, lacking);
        return;
    }
    uint32_t was = s->next_seq;

    if (bytes.len && !side_add_pieces(t, s, seq, bytes, lacking, when))
        t->counts->tcp_retransmissions++;
    side_drain(t, s, when);
    while (s->piece_bytes > TCP_HOLE_BYTES || s->piece_count > TCP_HOLE_PIECES)
        side_skip_hole(t, s);
    side_note_hole(t, s, when->time_ns, s->next_seq != was);
}

/* ---- connections ---- */

static void side_init(struct tcp_side *s, int index)
{
    *s = (struct tcp_side){ .index = (uint8_t)index };
    list_init(&s->pieces);
    list_init(&s->in_holes);
    list_init(&s->in_acked);
}

static void conn_flush(struct tcp *t, struct tcp_conn *c)
{
    side_flush(t, &c->sides[0]);
    side_flush(t, &c->sides[1]);
}

static void conn_free(struct tcp *t, struct tcp_conn *c)
{
    conn_flush(t, c);
    conn_close_websockets(t, c);
    list_remove(&c->in_idle);
    list_remove(&c->in_closed);
    list_remove(&c->in_holding);
    map_remove(&t->map, &c->node);
    free(c);
}

static struct tcp_conn *conn_new(struct tcp *t, uint64_t hash, const struct address ends[2])
{
    while (t->map.count >= t->connections_max) {
        conn_free(t, list_item(t->idle.next, struct tcp_conn, in_idle));
        t->counts->limited++;
    }
    struct tcp_conn *c = calloc(1, sizeof *c);

    if (!c) {
        t->counts->limited++;
        return NULL;
    }
    memcpy(c->ends, ends, sizeof c->ends);
    list_init(&c->in_closed);
    list_init(&c->in_holding);
    list_append(&t->idle, &c->in_idle);
    side_init(&c->sides[0], 0);
    side_init(&c->sides[1], 1);
    map_add(&t->map, &c->node, hash);
    return c;
}

/* The connection of two ends, new when there is none; *ret_index: which end sent this. */
static struct tcp_conn *tcp_conn_of(struct tcp *t, const struct wire_packet *p, int *ret_index)
{
    int index = memcmp(&p->src, &p->dst, sizeof p->src) > 0;
    struct address ends[2];

    ends[index] = p->src;
    ends[!index] = p->dst;
    uint64_t hash = hash_bytes(&t->seed, ends, sizeof ends);

    *ret_index = index;
    for (struct map_node *n = map_first(&t->map, hash); n; n = map_next(n)) {
        struct tcp_conn *c = map_item(n, struct tcp_conn, node);

        if (memcmp(c->ends, ends, sizeof ends) == 0)
            return c;
    }
    return conn_new(t, hash, ends);
}

/* The same two ends begin anew. */
static void conn_restart(struct tcp *t, struct tcp_conn *c)
{
    conn_flush(t, c);
    conn_close_websockets(t, c);
    list_remove(&c->in_closed);
    side_init(&c->sides[0], 0);
    side_init(&c->sides[1], 1);
    c->kind = TCP_UNKNOWN;
    c->passed = 0;
}

/* False: this SYN was seen before, or came late; its payload too. */
static bool conn_syn(struct tcp *t, struct tcp_conn *c, struct tcp_side *s,
                     const struct tcp_segment_in *in)
{
    uint32_t first = in->seq + 1;
    bool answer = in->flags & TCP_ACK;

    if (s->started && s->has_isn && s->isn == in->seq) {
        if (!answer && !c->sides[!s->index].started && in->packet->time_ns - c->syn_ns >= TCP_SYN_AGAIN_NS)
            incident_tcp(&t->incidents, in->packet, WIRE_TCP_NO_ANSWER, false);
        return false;
    }
    if (s->started && !s->has_isn && !s->has_fin && seq_ahead(s->next_seq, first) >= 0 &&
        seq_ahead(s->next_seq, first) < 1 << 20) {
        s->has_isn = true;                /* captured behind what follows it */
        s->isn = in->seq;
        return false;
    }
    if (s->started && answer)
        side_restart(t, s, first);
    else if (s->started || !answer)
        conn_restart(t, c);
    s->started = s->has_isn = true;
    s->isn = in->seq;
    s->next_seq = first;
    if (!answer)
        c->syn_ns = in->packet->time_ns;
    return true;
}

/* A foreign connection in which a segment begins as SIP does, after all. */
static bool conn_revives(struct tcp *t, struct tcp_conn *c, const struct tcp_segment_in *in)
{
    if (in->payload.len < 16 || in->payload.ptr[0] < 'A' || in->payload.ptr[0] > 'Z' ||
        !sip_looks_like(in->payload))
        return false;
    conn_restart(t, c);
    c->kind = TCP_SIP;
    return true;
}

/* The receiver of `s` has these bytes: a hole before them is one of the capture. */
static void side_acked(struct tcp *t, struct tcp_side *s, uint32_t ack, int64_t now_ns)
{
    if (list_is_empty(&s->in_holes) || !list_is_empty(&s->in_acked) ||
        seq_ahead(ack, s->next_seq) <= 0)
        return;
    s->acked_ns = now_ns;
    list_append(&t->acked, &s->in_acked);
}

static void conn_note_end(struct tcp *t, struct tcp_conn *c, struct tcp_side *s,
                          const struct tcp_segment_in *in)
{
    if (in->flags & TCP_FIN) {
        s->has_fin = true;
        s->fin_seq = in->seq + (uint32_t)in->payload.len + in->lacking;
    }
    if (in->flags & TCP_RST)
        conn_flush(t, c);
    if (in->flags & (TCP_FIN | TCP_RST) && list_is_empty(&c->in_closed)) {
        c->closed_ns = in->packet->time_ns;
        list_append(&t->closed, &c->in_closed);
    }
    if (s->has_fin && s->next_seq == s->fin_seq)
        side_cut(t, s);
}

/* A RST instead of an answer to the SYN, or in the middle of a conversation in SIP. */
static void conn_note_reset(struct tcp *t, const struct tcp_conn *c, const struct tcp_side *s,
                            const struct tcp_segment_in *in)
{
    const struct tcp_side *other = &c->sides[!s->index];

    if (!s->started && other->has_isn)
        incident_tcp(&t->incidents, in->packet, WIRE_TCP_REFUSED, true);
    else if (c->kind == TCP_SIP && list_is_empty(&c->in_closed))
        incident_tcp(&t->incidents, in->packet, WIRE_TCP_BROKEN, false);
}

/* The one that holds bytes for longest goes first. */
static void tcp_make_room(struct tcp *t)
{
    while (t->bytes > t->bytes_max && !list_is_empty(&t->holding)) {
        struct tcp_conn *c = list_item(t->holding.next, struct tcp_conn, in_holding);

        conn_flush(t, c);
        conn_close_websockets(t, c);
        if (c->kind == TCP_WEBSOCKET)
            c->kind = TCP_UNKNOWN;
        t->counts->limited++;
    }
}

void tcp_segment(struct tcp *t, const struct tcp_segment_in *in)
{
    const struct wire_packet *p = in->packet;
    struct tcp_when when = { p->time_ns, p->frame, p->ip_id, p->ttl, p->tunnels };
    int index;
    struct tcp_conn *c = tcp_conn_of(t, p, &index);

    if (!c)
        return;
    struct tcp_side *s = &c->sides[index];

    c->last_ns = p->time_ns;
    list_remove(&c->in_idle);
    list_append(&t->idle, &c->in_idle);
    if (in->flags & TCP_SYN && !conn_syn(t, c, s, in))
        return;
    if (in->flags & TCP_RST)
        conn_note_reset(t, c, s, in);
    if (c->kind == TCP_FOREIGN && !conn_revives(t, c, in)) {
        incident_tls(&t->incidents, p, in->payload);
        conn_note_end(t, c, s, in);
        return;
    }
    if (!s->started) {                    /* from the middle */
        s->started = true;
        s->next_seq = in->seq;
    }
    side_payload(t, s, in, &when);
    if (in->flags & TCP_ACK)
        side_acked(t, &c->sides[!index], in->ack, p->time_ns);
    conn_note_end(t, c, s, in);
    tcp_make_room(t);
}

/* ---- time ---- */

static int64_t after_ns(int64_t since_ns, int64_t wait_ns)
{
    int64_t due;

    return __builtin_add_overflow(since_ns, wait_ns, &due) ? INT64_MAX : due;
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* Nothing in the list: never. At the end of time that is not enough to tell: see is_due. */
static int64_t idle_due_ns(const struct tcp *t)
{
    return list_is_empty(&t->idle) ? INT64_MAX
        : after_ns(list_item(t->idle.next, struct tcp_conn, in_idle)->last_ns, t->age_max_ns);
}

static int64_t closed_due_ns(const struct tcp *t)
{
    return list_is_empty(&t->closed) ? INT64_MAX
        : after_ns(list_item(t->closed.next, struct tcp_conn, in_closed)->closed_ns,
                   TCP_CLOSED_NS);
}

static int64_t holes_due_ns(const struct tcp *t)
{
    return list_is_empty(&t->holes) ? INT64_MAX
        : after_ns(list_item(t->holes.next, struct tcp_side, in_holes)->hole_ns, TCP_HOLE_NS);
}

static int64_t acked_due_ns(const struct tcp *t)
{
    return list_is_empty(&t->acked) ? INT64_MAX
        : after_ns(list_item(t->acked.next, struct tcp_side, in_acked)->acked_ns,
                   TCP_HOLE_ACKED_NS);
}

static bool is_due(const struct list *waiting, int64_t due_ns, int64_t now_ns)
{
    return !list_is_empty(waiting) && due_ns <= now_ns;
}

int64_t tcp_due_ns(const struct tcp *t)
{
    return earlier(earlier(idle_due_ns(t), closed_due_ns(t)),
                   earlier(holes_due_ns(t), acked_due_ns(t)));
}

static void side_give_up_hole(struct tcp *t, struct tcp_side *s, int64_t now_ns)
{
    side_skip_hole(t, s);
    side_note_hole(t, s, now_ns, true);
}

void tcp_give_up(struct tcp *t, int64_t now_ns)
{
    while (is_due(&t->acked, acked_due_ns(t), now_ns))
        side_give_up_hole(t, list_item(t->acked.next, struct tcp_side, in_acked), now_ns);
    while (is_due(&t->holes, holes_due_ns(t), now_ns))
        side_give_up_hole(t, list_item(t->holes.next, struct tcp_side, in_holes), now_ns);
    while (is_due(&t->closed, closed_due_ns(t), now_ns)) {
        struct tcp_conn *c = list_item(t->closed.next, struct tcp_conn, in_closed);

        if (after_ns(c->last_ns, TCP_CLOSED_NS) <= now_ns) {
            conn_free(t, c);
        } else {                          /* only half closed: look again later */
            c->closed_ns = c->last_ns;
            list_remove(&c->in_closed);
            list_append(&t->closed, &c->in_closed);
        }
    }
    while (is_due(&t->idle, idle_due_ns(t), now_ns))
        conn_free(t, list_item(t->idle.next, struct tcp_conn, in_idle));
}

/* ---- the table ---- */

int tcp_init(struct tcp *t, const struct wire_limits *limits, struct hash_seed seed,
             struct wire_counts *counts, wire_unit_fn *unit, void *ctx)
{
    *t = (struct tcp){
        .unit = unit, .ctx = ctx, .counts = counts, .seed = seed,
        .connections_max = (limits->streams_max + 1) / 2,
        .bytes_max = limits->stream_bytes_max, .one_max = limits->stream_one_max,
        .age_max_ns = limits->stream_age_ns,
    };
    list_init(&t->idle);
    list_init(&t->closed);
    list_init(&t->holes);
    list_init(&t->acked);
    list_init(&t->holding);
    return map_init(&t->map, 16);
}

static void drop_unit(void *ctx, const struct wire_unit *unit)
{
    (void)ctx, (void)unit;
}

void tcp_done(struct tcp *t)
{
    if (!t->map.buckets)
        return;
    t->unit = drop_unit;
    while (!list_is_empty(&t->idle))
        conn_free(t, list_item(t->idle.next, struct tcp_conn, in_idle));
    map_done(&t->map);
}

void tcp_finish(struct tcp *t)
{
    for (struct list *l = t->idle.next; l != &t->idle; l = l->next)
        conn_flush(t, list_item(l, struct tcp_conn, in_idle));
}

size_t tcp_memory_bytes(const struct tcp *t)
{
    return t->bytes + t->map.count * sizeof(struct tcp_conn) +
           t->map.bucket_count * sizeof *t->map.buckets;
}
