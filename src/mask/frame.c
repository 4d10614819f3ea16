/* mask/frame.c - one frame after the other: heads masked, contents handed on, order kept.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mask/mask_int.h"
#include "wire/bytes.h"

#define HELD_BYTES_DEFAULT ((size_t)64 << 20)
#define WAIT_DEFAULT_NS    INT64_C(5000000000)

void mask_bad(struct mask_surface *s, enum mask_why why)
{
    if (!s->bad)
        s->why = why;
    s->bad = true;
}

/* ---- heads ------------------------------------------------------------------------------------- */

static void mask_macs(const struct mask *m, uint8_t *at, size_t len)
{
    for (; len >= 6; at += 6, len -= 6)
        mask_mac(&m->settings.key, at);
}

/* Linux "any": version 1 has the address at 6, version 2 at 12; eight bytes of room. */
static void mask_cooked(const struct mask *m, uint8_t *at, size_t len)
{
    size_t place = len >= 20 ? 12 : 6;
    size_t size = len >= 20 ? at[11] : len >= 16 ? at[5] : 0;

    if (len < place + 8)
        return;
    if (size == 6)
        mask_mac(&m->settings.key, at + place);
    else
        memset(at + place, 0, 8);
}

/* What the link added behind the packet may hold anything. */
static void blank_behind(struct mask *m, size_t end)
{
    struct mask_surface *s = m->surface;

    if (end < s->len)
        memset(s->bytes + end, 0, s->len - end);
}

static void mask_ip4_head(struct mask *m, const struct wire_place *p, uint8_t *at)
{
    size_t total = wire_get_u16(p->bytes, 2);

    mask_ip(&m->settings.key, at + 12, 4);
    mask_ip(&m->settings.key, at + 16, 4);
    if (p->bytes.len > 20)
        memset(at + 20, 1, p->bytes.len - 20);    /* options: routes and times; now "nothing" */
    mask_add_sum(m, MASK_SUM_PLAIN, p->bytes, 10, NULL);
    if (p->packet->tunnels == 0 && total >= p->bytes.len)
        blank_behind(m, mask_at(m, p->bytes) + total);
}

/* Extension headers that name further addresses are not understood. */
static void mask_ip6_head(struct mask *m, const struct wire_place *p, uint8_t *at)
{
    size_t total = 40u + wire_get_u16(p->bytes, 4), here = 40;
    uint8_t next = at[6];

    mask_ip(&m->settings.key, at + 8, 6);
    mask_ip(&m->settings.key, at + 24, 6);
    while (here + 8 <= p->bytes.len) {
        if (next == 43 || next == 60 || next == 135 || next == 139 || next == 140)
            mask_bad(m->surface, MASK_UNKNOWN);
        size_t len = next == 51 ? (at[here + 1] + 2u) * 4 : (at[here + 1] + 1u) * 8;

        next = at[here];
        here += len;
    }
    if (p->packet->tunnels == 0 && total > 40)
        blank_behind(m, mask_at(m, p->bytes) + total);
}

/* ---- contents ------------------------------------------------------------------------------------ */

static void leaf(struct mask *m, bool ok, enum mask_why why)
{
    m->surface->leaves++;
    if (!ok)
        mask_bad(m->surface, why);
}

static void on_icmp(struct mask *m, const struct wire_place *p, uint8_t *at)
{
    bool v6 = p->packet->src.family == 6, ok;
    enum mask_why why;

    mask_add_sum(m, MASK_SUM_PLAIN, p->bytes, 2, v6 ? p->packet : NULL);
    mask_icmp(m, at, p->bytes.len, v6, &why, &ok);
    leaf(m, ok, why);
}

static void on_udp(struct mask *m, const struct wire_place *p)
{
    mask_add_sum(m, MASK_SUM_UDP, p->bytes, 6, p->packet);
    if (p->packet->tunnels == 0)
        blank_behind(m, mask_at(m, p->bytes) + p->bytes.len);
}

void mask_place(void *ctx, const struct wire_place *p)
{
    struct mask *m = ctx;
    uint8_t *at = m->surface->bytes + mask_at(m, p->bytes);
    size_t len = p->bytes.len;
    enum mask_why why = MASK_UNKNOWN;

    m->picked = false;
    switch (p->kind) {
    case WIRE_AT_ETHERNET:
        mask_macs(m, at, 12);
        break;
    case WIRE_AT_MACS:
        mask_macs(m, at, len);
        break;
    case WIRE_AT_COOKED:
        mask_cooked(m, at, len);
        break;
    case WIRE_AT_ADDRESS:
        mask_ip(&m->settings.key, at, len == 4 ? 4 : 6);
        break;
    case WIRE_AT_IPV4:
        mask_ip4_head(m, p, at);
        break;
    case WIRE_AT_IPV6:
        mask_ip6_head(m, p, at);
        break;
    case WIRE_AT_UDP:
        on_udp(m, p);
        break;
    case WIRE_AT_DATAGRAM: {
        bool ok = mask_datagram(m, at, len, p->packet, &why);

        leaf(m, ok, why);
        break;
    }
    case WIRE_AT_MESSAGE:
        if (m->surface->leaves == 0)      /* SCTP did it by chunks */
            leaf(m, mask_sip(m, at, len, p->packet->cut), MASK_UNKNOWN);
        break;
    case WIRE_AT_SCTP:
        mask_add_sum(m, MASK_SUM_CRC32C, p->bytes, 8, NULL);
        leaf(m, mask_sctp(m, at, len), MASK_UNKNOWN);
        break;
    case WIRE_AT_ICMP:
        on_icmp(m, p, at);
        break;
    case WIRE_AT_TCP:
        mask_add_sum(m, MASK_SUM_PLAIN, p->bytes, 16, p->packet);
        leaf(m, true, why);
        mask_segment(m, p);
        break;
    case WIRE_AT_FRAGMENT:
        leaf(m, true, why);
        mask_fragment_place(m, p);
        break;
    case WIRE_AT_ESP:
        leaf(m, false, MASK_ENCRYPTED);
        break;
    case WIRE_AT_OTHER:
        leaf(m, false, MASK_UNKNOWN);
        break;
    }
    if (p->kind != WIRE_AT_TCP && p->kind != WIRE_AT_FRAGMENT)        /* these may tell of others */
        m->surface->selected |= m->picked;
}

/* ---- the queue ----------------------------------------------------------------------------------- */

static void held_write(struct mask *m, struct mask_held *h)
{
    struct mask_surface *s = &h->surface;
    struct wire_frame frame = h->frame;

    if (m->settings.plain) {
        m->counts.written++;
        m->selected = s->selected;
        m->out(m->ctx, &frame);
        return;
    }
    if (s->leaves == 0)
        mask_bad(s, MASK_NOT_IP);
    if (s->bad && (!m->settings.keep_unknown || s->why == MASK_INCOMPLETE)) {
        m->counts.dropped[s->why]++;
        return;
    }
    m->counts.kept_unknown += s->bad;
    mask_sums(m, s);
    frame.bytes = slice_of(s->bytes, s->len);
    m->selected = s->selected;
    m->counts.written++;
    m->out(m->ctx, &frame);
}

static void queue_write(struct mask *m)
{
    while (!list_is_empty(&m->queue)) {
        struct mask_held *h = list_item(m->queue.next, struct mask_held, in_queue);

        if (h->surface.waiting || h == m->current)
            return;
        list_remove(&h->in_queue);
        m->held_bytes -= h->size;
        held_write(m, h);
        free(h);
    }
}

/* A piece of the surface being read. */
struct mask_piece *mask_piece_new(struct mask *m, slice bytes, uint32_t seq)
{
    struct mask_piece *p = calloc(1, sizeof *p);

    if (!p) {
        m->no_memory = true;
        mask_bad(m->surface, MASK_INCOMPLETE);
        return NULL;
    }
    *p = (struct mask_piece){ .surface = m->surface, .at = (uint32_t)mask_at(m, bytes),
                              .len = (uint32_t)bytes.len, .seq = seq };
    list_init(&p->in);
    m->surface->waiting++;
    return p;
}

void mask_piece_done(struct mask *m, struct mask_piece *p, bool ok, enum mask_why why)
{
    struct mask_surface *s = p->surface;

    if (!ok)
        mask_bad(s, why);
    list_remove(&p->in);
    free(p);
    if (--s->waiting == 0 && s->datagram)
        mask_datagram_ready(m, s->datagram);
}

static struct mask_held *held_new(const struct wire_frame *frame)
{
    size_t len = frame->bytes.len;
    struct mask_held *h = calloc(1, sizeof *h + 2 * len);

    if (!h)
        return NULL;
    uint8_t *came = (uint8_t *)(h + 1);

    if (len) {
        memcpy(came, frame->bytes.ptr, len);
        memcpy(came + len, frame->bytes.ptr, len);
    }
    h->frame = *frame;
    h->frame.bytes = slice_of(came, len);
    h->surface = (struct mask_surface){ .came = came, .bytes = came + len, .len = len };
    h->size = sizeof *h + 2 * len;
    list_init(&h->in_queue);
    return h;
}

bool mask_frame(struct mask *m, const struct wire_frame *frame)
{
    struct mask_held *h = held_new(frame);

    m->counts.frames++;
    m->no_memory = false;
    if (!h)
        return false;
    if (frame->time_ns > m->now_ns)
        m->now_ns = frame->time_ns;
    while (mask_streams_due(m, false) || mask_fragments_due(m, false))
        ;
    list_append(&m->queue, &h->in_queue);
    m->held_bytes += h->size;
    m->current = h;
    m->surface = &h->surface;
    wire_frame(m->wire, &h->frame);
    m->current = NULL;
    m->surface = NULL;
    queue_write(m);
    while (m->held_bytes > m->settings.held_bytes_max &&
           (mask_streams_due(m, true) || mask_fragments_due(m, true)))
        queue_write(m);
    return !m->no_memory;
}

void mask_finish(struct mask *m)
{
    while (mask_streams_due(m, true) || mask_fragments_due(m, true))
        ;
    queue_write(m);
}

const struct mask_counts *mask_counts(const struct mask *m) { return &m->counts; }
bool mask_selected(const struct mask *m) { return m->selected; }

static void no_unit(void *ctx, const struct wire_unit *unit) { (void)ctx, (void)unit; }

struct mask *mask_new(const struct mask_settings *settings, mask_frame_fn *out, void *ctx)
{
    struct mask *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->settings = *settings;
    m->settings.key.cache = &m->addresses;
    if (!m->settings.held_bytes_max)
        m->settings.held_bytes_max = HELD_BYTES_DEFAULT;
    if (!m->settings.wait_ns)
        m->settings.wait_ns = WAIT_DEFAULT_NS;
    m->out = out;
    m->ctx = ctx;
    list_init(&m->queue);
    list_init(&m->sides_idle);
    list_init(&m->sides_waiting);
    list_init(&m->datagrams_age);
    m->text = mask_text_new(&m->settings.key);
    m->wire = wire_new(NULL, settings->key.seed, no_unit, NULL);
    if (!m->text || !m->wire || map_init(&m->sides, 64) < 0 || map_init(&m->datagrams, 64) < 0)
        return mask_free(m);
    if (settings->keep_call_ids)
        mask_text_keep_call_ids(m->text);
    wire_watch(m->wire, mask_place, m);
    return m;
}

struct mask *mask_free(struct mask *m)
{
    if (!m)
        return NULL;
    mask_streams_done(m);
    mask_fragments_done(m);
    while (!list_is_empty(&m->queue)) {
        struct mask_held *h = list_item(m->queue.next, struct mask_held, in_queue);

        list_remove(&h->in_queue);
        free(h);
    }
    map_done(&m->sides);
    map_done(&m->datagrams);
    wire_free(m->wire);
    mask_text_free(m->text);
    free(m);
    return NULL;
}
