/* wire/websocket.c - SIP over WebSocket: the upgrade, frames, messages, compression.
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/websocket.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#define KEEP_BYTES 4096u             /* a buffer up to this size is kept for the next message */
#define HEADER_MAX 14u               /* 2, length 8, mask 4 */
#define START_BYTES 28u              /* of a payload, enough to tell whether it begins as SIP */

enum opcode { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING, OP_PONG };

/* ---- the upgrade ---- */

/* Is `token` one of the words between commas? What follows it after ';' does not count. */
static bool list_has(slice list, slice token)
{
    while (list.len) {
        slice word = slice_take_until(&list, ',');

        if (slice_eq_nocase(slice_trim(slice_take_until(&word, ';')), token))
            return true;
        list = slice_skip(list, 1);
    }
    return false;
}

/* Length of the head with its empty line, or 0. */
static size_t head_len(slice bytes)
{
    ptrdiff_t crlf = slice_find(bytes, SLICE("\r\n\r\n"));

    return crlf < 0 ? 0 : (size_t)crlf + 4;
}

static bool begins_or_may(slice bytes, slice with)
{
    return slice_eq(slice_head(bytes, with.len), slice_head(with, bytes.len));
}

ptrdiff_t websocket_upgrade_parse(slice bytes, struct websocket_upgrade *ret)
{
    static const slice get = { "GET ", 4 }, switching = { "HTTP/1.1 101", 12 };
    struct websocket_upgrade u = { .response = begins_or_may(bytes, switching) };
    bool upgrade = false;
    slice head, line;

    if (!u.response && !begins_or_may(bytes, get))
        return -1;
    u.head_len = head_len(slice_head(bytes, WEBSOCKET_UPGRADE_MAX));
    if (!u.head_len)
        return bytes.len < WEBSOCKET_UPGRADE_MAX ? 0 : -1;

    head = slice_head(bytes, u.head_len);
    (void)slice_take_line(&head, &line);
    while (slice_take_line(&head, &line)) {
        slice name = slice_trim(slice_take_until(&line, ':')), value = slice_skip(line, 1);

        if (slice_eq_nocase(name, SLICE("Upgrade")))
            upgrade |= list_has(value, SLICE("websocket"));
        else if (slice_eq_nocase(name, SLICE("Sec-WebSocket-Protocol")))
            u.sip |= list_has(value, SLICE("sip"));
        else if (slice_eq_nocase(name, SLICE("Sec-WebSocket-Extensions")))
            u.deflate |= list_has(value, SLICE("permessage-deflate"));
    }
    if (!upgrade)
        return -1;
    *ret = u;
    return (ptrdiff_t)u.head_len;
}

/* ---- one frame header (RFC 6455, 5.2) ---- */

struct header {
    uint8_t  opcode, mask[4];
    bool     final, compressed, masked;
    uint8_t  len;                    /* of the header itself */
    uint64_t payload_len;
};

/* > 0: its length, 0 more is needed, < 0 this is no frame. */
static int header_parse(slice bytes, struct header *ret)
{
    static const uint8_t length_bytes[] = { [126 - 125] = 2, [127 - 125] = 8 };
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    struct header h = { .len = 2 };
    unsigned extra;

    if (bytes.len >= 1 && (at[0] & 0x30 || ((at[0] & 0x0f) > 2 && (at[0] & 0x0f) < 8) ||
                           (at[0] & 0x0f) > OP_PONG))
        return -1;                           /* reserved bits or operations */
    if (bytes.len < 2)
        return 0;
    h.final = at[0] & 0x80;
    h.compressed = at[0] & 0x40;
    h.opcode = at[0] & 0x0f;
    h.masked = at[1] & 0x80;
    h.payload_len = at[1] & 0x7f;
    if (h.opcode >= OP_CLOSE && (!h.final || h.compressed || h.payload_len > 125))
        return -1;                           /* 5.5: control frames are short and whole */
    if (h.compressed && h.opcode == OP_CONTINUE)
        return -1;                           /* RFC 7692, 6.1: only the first one says so */
    extra = h.payload_len < 126 ? 0 : length_bytes[h.payload_len - 125];
    if (bytes.len < h.len + extra + (h.masked ? 4u : 0u))
        return 0;
    if (extra) {
        h.payload_len = 0;
        for (unsigned i = 0; i < extra; i++)
            h.payload_len = h.payload_len << 8 | at[h.len + i];
        if (h.payload_len < (extra == 2 ? 126u : 65536u) || h.payload_len >> 63)
            return -1;                       /* must be said in the fewest bytes */
    }
    h.len = (uint8_t)(h.len + extra);
    if (h.masked) {
        memcpy(h.mask, at + h.len, 4);
        h.len += 4;
    }
    *ret = h;
    return h.len;
}

/* Copies n bytes without their mask and turns the mask for the byte that follows. */
static void unmask(uint8_t *into, const uint8_t *from, size_t n, uint8_t mask[4])
{
    uint8_t turned[4];
    uint32_t key;
    size_t i = 0;

    memcpy(&key, mask, 4);
    for (; i + 4 <= n; i += 4) {
        uint32_t word;

        memcpy(&word, from + i, 4);
        word ^= key;
        memcpy(into + i, &word, 4);
    }
    for (; i < n; i++)
        into[i] = from[i] ^ mask[i & 3];
    for (i = 0; i < 4; i++)
        turned[i] = mask[(n + i) & 3];
    memcpy(mask, turned, 4);
}

/* ---- compression (RFC 7692) ---- */

struct websocket_inflate {
    z_stream z;
    size_t   zlib_bytes;             /* that zlib asked for and holds */
    uint8_t *text;                   /* the last inflated message */
    size_t   text_size;
};

static void *inflate_alloc(void *opaque, unsigned items, unsigned size)
{
    struct websocket_inflate *inf = opaque;
    void *memory = calloc(items, size);

    if (memory)
        inf->zlib_bytes += (size_t)items * size;
    return memory;
}

static void inflate_release(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static struct websocket_inflate *inflate_new(void)
{
    struct websocket_inflate *inf = calloc(1, sizeof *inf);

    if (!inf)
        return NULL;
    inf->z.zalloc = inflate_alloc;
    inf->z.zfree = inflate_release;
    inf->z.opaque = inf;
    if (inflateInit2(&inf->z, -15) == Z_OK)  /* raw, the largest window */
        return inf;
    free(inf);
    return NULL;
}

static struct websocket_inflate *inflate_free(struct websocket_inflate *inf)
{
    if (inf) {
        (void)inflateEnd(&inf->z);
        free(inf->text);
        free(inf);
    }
    return NULL;
}

/* Room behind what is there, up to the limit. */
static bool text_grow(struct websocket_inflate *inf)
{
    size_t size = inf->text_size ? inf->text_size * 2 : KEEP_BYTES;
    uint8_t *larger;

    if (size > WEBSOCKET_MESSAGE_MAX)
        return false;
    larger = realloc(inf->text, size);
    if (!larger)
        return false;
    inf->text = larger;
    inf->text_size = size;
    return true;
}

/* One piece of the message's bytes behind the text made so far. */
static bool inflate_piece(struct websocket_inflate *inf, const void *bytes, size_t len,
                          size_t *text_len)
{
    inf->z.next_in = bytes;
    inf->z.avail_in = (uInt)len;
    for (;;) {
        int got;

        if (*text_len == inf->text_size && !text_grow(inf))
            return false;
        inf->z.next_out = inf->text + *text_len;
        inf->z.avail_out = (uInt)(inf->text_size - *text_len);
        got = inflate(&inf->z, Z_SYNC_FLUSH);
        *text_len = inf->text_size - inf->z.avail_out;
        if (got == Z_STREAM_END) {           /* 7.2.3.4: a final block; the next starts anew */
            if (inflateReset(&inf->z) != Z_OK)
                return false;
            if (inf->z.avail_in == 0)
                return true;
            continue;
        }
        if (got != Z_OK && got != Z_BUF_ERROR)
            return false;
        if (inf->z.avail_out)
            return inf->z.avail_in == 0;
    }
}

/* 7.2.2: the four bytes that the sender took off come back, then it is inflated. */
static bool message_inflate(struct websocket *w, slice compressed, slice *ret)
{
    size_t len = 0;

    if (!w->inflate)
        w->inflate = inflate_new();
    if (!w->inflate)
        return false;
    if (!inflate_piece(w->inflate, compressed.ptr, compressed.len, &len) ||
        !inflate_piece(w->inflate, "\0\0\xff\xff", 4, &len)) {
        (void)inflateReset(&w->inflate->z);
        return false;
    }
    *ret = slice_of(w->inflate->text, len);
    return true;
}

/* What was missed may be referred to: without a window zlib refuses, with a wrong one it
 * would make wrong text. */
static void window_is_gone(struct websocket *w)
{
    if (w->inflate)
        (void)inflateReset(&w->inflate->z);
}

/* ---- a direction ---- */

void websocket_init(struct websocket *w)
{
    *w = (struct websocket){ 0 };
}

void websocket_init_midstream(struct websocket *w)
{
    *w = (struct websocket){ .seeking = true };
}

void websocket_done(struct websocket *w)
{
    free(w->message);
    w->inflate = inflate_free(w->inflate);
    *w = (struct websocket){ .closed = true };
}

size_t websocket_memory_bytes(const struct websocket *w)
{
    const struct websocket_inflate *inf = w->inflate;

    return w->message_size + (inf ? sizeof *inf + inf->zlib_bytes + inf->text_size : 0);
}

/* Large buffers go back once their message was used. */
static void buffers_trim(struct websocket *w)
{
    if (!w->in_message && w->message_size > KEEP_BYTES) {
        free(w->message);
        w->message = NULL;
        w->message_size = 0;
    }
    if (w->inflate && w->inflate->text_size > KEEP_BYTES) {
        free(w->inflate->text);
        w->inflate->text = NULL;
        w->inflate->text_size = 0;
    }
}

static bool message_make_room(struct websocket *w, size_t more)
{
    size_t size = w->message_size ? w->message_size : 512;
    uint8_t *larger;

    if (more > WEBSOCKET_MESSAGE_MAX - w->message_len)
        return false;
    while (size < w->message_len + more)
        size *= 2;
    if (size <= w->message_size)
        return true;
    larger = realloc(w->message, size);
    if (!larger)
        return false;
    w->message = larger;
    w->message_size = size;
    return true;
}

static void message_add(struct websocket *w, slice payload)
{
    if (!w->spoilt && !message_make_room(w, payload.len))
        w->spoilt = true;
    if (w->spoilt)
        return;
    unmask(w->message + w->message_len, (const uint8_t *)payload.ptr, payload.len, w->mask);
    w->message_len += payload.len;
}

static void message_drop(struct websocket *w)
{
    if (w->in_message && w->compressed)
        window_is_gone(w);
    w->in_message = w->spoilt = false;
    w->message_len = 0;
}

static enum websocket_event message_finish(struct websocket *w, slice *ret)
{
    slice message = slice_of(w->message, w->message_len);
    bool whole = !w->spoilt;

    if (whole && w->compressed)
        whole = message_inflate(w, message, &message);
    if (!whole) {
        message_drop(w);
        return WEBSOCKET_LOST;
    }
    w->in_message = false;
    w->message_len = 0;
    *ret = message;
    return WEBSOCKET_MESSAGE;
}

/* The framing is lost: all bytes may be anything until a frame is recognised. */
static void start_seeking(struct websocket *w)
{
    message_drop(w);
    window_is_gone(w);
    w->in_frame = false;
    w->seeking = true;
}

/* A message begun and not ended when another begins is given up. */
static void frame_begin(struct websocket *w, const struct header *h)
{
    if (h->opcode == OP_TEXT || h->opcode == OP_BINARY) {
        w->owed |= w->in_message;
        message_drop(w);
        w->in_message = true;
        w->compressed = h->compressed;
    } else if (h->opcode == OP_CONTINUE && !w->in_message) {
        w->in_message = w->spoilt = true;    /* its beginning was not seen */
        w->compressed = true;                /* nor whether it is */
    }
    w->in_frame = true;
    w->opcode = h->opcode;
    w->final = h->final;
    w->frame_left = h->payload_len;
    memcpy(w->mask, h->mask, 4);             /* zeros without one */
}

/* The usual frame of a server, one whole message in the clear, is not copied. */
static bool frame_is_message(const struct websocket *w, const struct header *h, slice bytes)
{
    return (h->opcode == OP_TEXT || h->opcode == OP_BINARY) && h->final && !h->masked &&
           !h->compressed && !w->in_message && h->payload_len <= bytes.len - h->len &&
           h->payload_len <= WEBSOCKET_MESSAGE_MAX;
}

/* All payload of the frame has come. WEBSOCKET_MORE: nothing to tell. */
static enum websocket_event frame_end(struct websocket *w, slice *ret)
{
    w->in_frame = false;
    if (w->opcode == OP_CLOSE) {
        w->closed = true;
        message_drop(w);
        return WEBSOCKET_CLOSED;
    }
    if (w->opcode >= OP_CLOSE || !w->final)
        return WEBSOCKET_MORE;
    return message_finish(w, ret);
}

/* Payload of the frame that is open. WEBSOCKET_MORE with bytes left: go on. */
static enum websocket_event take_payload(struct websocket *w, slice *bytes, slice *ret)
{
    slice payload = slice_head(*bytes, w->frame_left < SIZE_MAX ? (size_t)w->frame_left : SIZE_MAX);

    if (w->opcode < OP_CLOSE)
        message_add(w, payload);
    *bytes = slice_skip(*bytes, payload.len);
    w->frame_left -= payload.len;
    return w->frame_left ? WEBSOCKET_MORE : frame_end(w, ret);
}

static enum websocket_event take_header(struct websocket *w, slice *bytes, slice *ret)
{
    struct header h;
    int len = header_parse(*bytes, &h);

    if (len < 0) {
        start_seeking(w);
        return WEBSOCKET_LOST;
    }
    if (len == 0)
        return WEBSOCKET_MORE;
    if (frame_is_message(w, &h, *bytes)) {
        *ret = slice_head(slice_skip(*bytes, h.len), (size_t)h.payload_len);
        *bytes = slice_skip(*bytes, h.len + (size_t)h.payload_len);
        return WEBSOCKET_MESSAGE;
    }
    *bytes = slice_skip(*bytes, h.len);
    frame_begin(w, &h);
    return w->frame_left ? WEBSOCKET_MORE : frame_end(w, ret);
}

/* False: nothing found in what is there. */
static bool seek(struct websocket *w, slice *bytes)
{
    size_t skip;
    enum websocket_event found = websocket_find(*bytes, &skip);

    *bytes = slice_skip(*bytes, skip);
    w->seeking = found != WEBSOCKET_MESSAGE;
    return !w->seeking;
}

enum websocket_event websocket_take(struct websocket *w, slice *bytes, slice *ret_message)
{
    buffers_trim(w);
    while (bytes->len || w->owed) {
        enum websocket_event got;
        size_t before = bytes->len;

        if (w->owed) {
            w->owed = false;
            return WEBSOCKET_LOST;
        }
        if (w->closed) {
            *bytes = slice_skip(*bytes, bytes->len);
            break;
        }
        if (w->seeking && !seek(w, bytes))
            break;
        got = w->in_frame ? take_payload(w, bytes, ret_message)
                          : take_header(w, bytes, ret_message);
        if (got != WEBSOCKET_MORE)
            return got;
        if (bytes->len == before && !w->owed)
            break;                           /* a header that is not whole */
    }
    return WEBSOCKET_MORE;
}

void websocket_gap(struct websocket *w, uint64_t missing)
{
    if (w->closed || w->seeking)
        return;
    if (missing == 0 || !w->in_frame || missing > w->frame_left) {
        w->owed |= w->in_message;
        start_seeking(w);
        return;
    }
    w->frame_left -= missing;
    if (w->opcode < OP_CLOSE)
        w->spoilt = true;
    if (w->frame_left)
        return;
    w->in_frame = false;
    if (w->opcode < OP_CLOSE && w->final) {
        message_drop(w);
        w->owed = true;
    }
}

/* ---- in mid-stream ---- */

/* "SIP/2.0 200 " or "INVITE sip:" in the first bytes of a payload. */
static bool payload_begins_as_sip(slice start)
{
    static const slice schemes[] = { { "sip:", 4 }, { "sips:", 5 }, { "tel:", 4 }, { "urn:", 4 } };
    size_t letters = 0;

    if (slice_starts(start, SLICE("SIP/2.0 ")))
        return start.len > 8 && is_digit(start.ptr[8]);
    while (letters < start.len && start.ptr[letters] >= 'A' && start.ptr[letters] <= 'Z')
        letters++;
    if (letters < 3 || !slice_starts(slice_skip(start, letters), SLICE(" ")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (slice_starts_nocase(slice_skip(start, letters + 1), schemes[i]))
            return true;
    return false;
}

/* A frame that begins a message, at the front: 1 yes, 0 cannot tell yet, -1 no. */
static int sip_frame_at(slice bytes)
{
    uint8_t start[START_BYTES];
    struct header h;
    int len = header_parse(bytes, &h);

    if (len <= 0)
        return len;
    if ((h.opcode != OP_TEXT && h.opcode != OP_BINARY) || h.compressed ||
        h.payload_len < START_BYTES || h.payload_len > WEBSOCKET_MESSAGE_MAX)
        return -1;
    if (bytes.len < (size_t)len + START_BYTES)
        return 0;
    unmask(start, (const uint8_t *)bytes.ptr + len, START_BYTES, h.mask);
    return payload_begins_as_sip(slice_of(start, START_BYTES)) ? 1 : -1;
}

enum websocket_event websocket_find(slice bytes, size_t *ret_skip)
{
    for (size_t at = 0; at < bytes.len; at++) {
        int found;

        if (((uint8_t)bytes.ptr[at] & 0x7c) || !((uint8_t)bytes.ptr[at] & 3))
            continue;                        /* no text or binary frame */
        found = sip_frame_at(slice_skip(bytes, at));
        if (found < 0)
            continue;
        *ret_skip = at;
        return found ? WEBSOCKET_MESSAGE : WEBSOCKET_MORE;
    }
    *ret_skip = bytes.len;
    return WEBSOCKET_LOST;
}
