/* lab/sim.c - messages in a heap by the time of their arrival
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/sim.h"

#include <stdlib.h>

#include "base/timers.h"

enum { NODES_MAX = 64, PACKETS_KEPT = 4096 };

struct packet {
    struct timer   arrives;
    struct packet *next_free;
    struct hop     hop;              /* as the receiver sees it */
    uint8_t        to;
    size_t         len, room;
    char          *bytes;
};

struct sim_end {
    struct sim *sim;
    int         place;
};

struct sim {
    struct sim_settings settings;
    struct sim_counts   counts;
    struct sim_node     nodes[NODES_MAX];
    struct sim_end      ends[NODES_MAX];
    int64_t             next_ns[NODES_MAX];               /* of each node, unless `touched` */
    bool                touched[NODES_MAX];
    int                 node_count;
    struct timers       under_way;
    struct packet      *free;
    size_t              kept;
    int64_t             now_ns, last_arrival_ns;
    uint64_t            random, lose_in;
    void (*tap)(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost);
    void               *tap_ctx;
};

struct sim *sim_new(const struct sim_settings *settings, int64_t start_ns)
{
    struct sim *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->settings = *settings;
    s->random = settings->seed * 2 + 1;
    s->now_ns = start_ns;
    return s;
}

static void packet_done(struct sim *s, struct packet *p)
{
    if (s->kept >= PACKETS_KEPT) {
        free(p->bytes);
        free(p);
        return;
    }
    p->next_free = s->free;
    s->free = p;
    s->kept++;
}

struct sim *sim_free(struct sim *s)
{
    struct timer *t;

    if (!s)
        return NULL;
    while ((t = timers_due(&s->under_way, INT64_MAX)))
        packet_done(s, timer_item(t, struct packet, arrives));
    while (s->free) {
        struct packet *p = s->free;

        s->free = p->next_free;
        free(p->bytes);
        free(p);
    }
    timers_done(&s->under_way);
    free(s);
    return NULL;
}

int sim_add(struct sim *s, const struct sim_node *node)
{
    if (s->node_count == NODES_MAX)
        return -1;
    s->nodes[s->node_count] = *node;
    s->ends[s->node_count] = (struct sim_end){ s, s->node_count };
    return s->node_count++;
}

uint64_t sim_random(struct sim *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random;
}

/* ---- sending ---- */

static int node_at(const struct sim *s, const struct address *address)
{
    for (int i = 0; i < s->node_count; i++)
        if (address_eq(&s->nodes[i].address, address))
            return i;
    return -1;
}

static struct packet *packet_new(struct sim *s, slice bytes)
{
    struct packet *p = s->free;

    if (p) {
        s->free = p->next_free;
        s->kept--;
    } else if (!(p = calloc(1, sizeof *p))) {
        return NULL;
    }
    if (p->room < bytes.len) {
        char *grown = realloc(p->bytes, bytes.len);

        if (!grown) {
            packet_done(s, p);
            return NULL;
        }
        p->bytes = grown;
        p->room = bytes.len;
    }
    memcpy(p->bytes, bytes.ptr, bytes.len);
    p->len = bytes.len;
    return p;
}

static void put_on_the_way(struct sim *s, const struct hop *to, const struct address *from, int place, slice bytes)
{
    struct packet *p = packet_new(s, bytes);
    int64_t range_ns = s->settings.delay_max_ns - s->settings.delay_min_ns;
    int64_t delay_ns = s->settings.delay_min_ns + (range_ns > 0 ? (int64_t)(sim_random(s) % (uint64_t)range_ns) : 0);

    if (!p)
        return;
    p->to = (uint8_t)place;
    p->hop = (struct hop){ .local = to->remote, .remote = *from, .transport = to->transport };
    int64_t arrives_ns = s->now_ns + delay_ns;

    if (range_ns <= 0 && arrives_ns <= s->last_arrival_ns)
        arrives_ns = s->last_arrival_ns + 1;              /* one delay for all: nothing overtakes */
    s->last_arrival_ns = arrives_ns;
    if (timers_set(&s->under_way, &p->arrives, arrives_ns) != 0)
        packet_done(s, p);
}

static bool happens(struct sim *s, uint32_t ppm) { return ppm && sim_random(s) % 1000000 < ppm; }

static int send_from(void *ctx, struct hop *to, slice bytes)
{
    struct sim_end *end = ctx;
    struct sim *s = end->sim;

    s->touched[end->place] = true;
    const struct address *from = &s->nodes[end->place].address;
    int place = node_at(s, &to->remote);
    bool lost = happens(s, s->settings.loss_ppm) || (s->lose_in && --s->lose_in == 0);

    s->counts.sent++;
    if (s->tap)
        s->tap(s->tap_ctx, to, bytes, s->now_ns, lost || place < 0);
    if (lost || place < 0) {
        s->counts.lost++;
        return 0;
    }
    put_on_the_way(s, to, from, place, bytes);
    if (happens(s, s->settings.twice_ppm)) {
        s->counts.doubled++;
        put_on_the_way(s, to, from, place, bytes);
    }
    return 0;
}

struct hop_sender sim_sender(struct sim *s, int place) { return (struct hop_sender){ .ctx = &s->ends[place], .send = send_from }; }

void sim_rebind(struct sim *s, int place, void *ctx) { s->nodes[place].ctx = ctx; }

void sim_touch(struct sim *s, int place) { s->touched[place] = true; }

void sim_silence(struct sim *s, int place)
{
    s->touched[place] = true;
    s->nodes[place].receive = NULL;
    s->nodes[place].next_ns = NULL;
}

void sim_tap(struct sim *s, void (*tap)(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost), void *ctx)
{
    s->tap = tap;
    s->tap_ctx = ctx;
}

void sim_set(struct sim *s, const struct sim_settings *settings) { s->settings = *settings; }
void sim_lose(struct sim *s, uint64_t nth) { s->lose_in = nth; }

/* ---- time ---- */

static void deliver(struct sim *s, struct packet *p)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct sim_node *node = &s->nodes[p->to];

    s->counts.delivered++;
    s->touched[p->to] = true;
    if (node->receive && sip_message_parse(slice_of(p->bytes, p->len), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0)
        node->receive(node->ctx, &p->hop, &m, s->now_ns);
    packet_done(s, p);
}

static int64_t next_of_nodes(struct sim *s, int *ret_place)
{
    int64_t next_ns = INT64_MAX;

    for (int i = 0; i < s->node_count; i++) {
        if (s->touched[i]) {
            s->next_ns[i] = s->nodes[i].next_ns ? s->nodes[i].next_ns(s->nodes[i].ctx) : INT64_MAX;
            s->touched[i] = false;
        }
        if (s->next_ns[i] < next_ns) {
            next_ns = s->next_ns[i];
            *ret_place = i;
        }
    }
    return next_ns;
}

int64_t sim_run(struct sim *s, int64_t until_ns)
{
    for (int i = 0; i < s->node_count; i++)
        s->touched[i] = true;                             /* between two runs anything may have been asked of them */
    for (;;) {
        int place = 0;
        int64_t packet_ns = timers_next_ns(&s->under_way), node_ns = next_of_nodes(s, &place);
        int64_t next_ns = packet_ns < node_ns ? packet_ns : node_ns;

        if (next_ns == INT64_MAX || next_ns > until_ns)
            break;
        s->now_ns = next_ns > s->now_ns ? next_ns : s->now_ns;
        if (packet_ns <= node_ns) {
            deliver(s, timer_item(timers_due(&s->under_way, packet_ns), struct packet, arrives));
        } else {
            s->touched[place] = true;
            s->nodes[place].time(s->nodes[place].ctx, s->now_ns);
        }
    }
    if (until_ns != INT64_MAX && until_ns > s->now_ns)
        s->now_ns = until_ns;
    for (int i = 0; i < s->node_count; i++)               /* what is asked of them next happens now */
        if (s->nodes[i].next_ns)
            s->nodes[i].time(s->nodes[i].ctx, s->now_ns);
    return s->now_ns;
}

int64_t sim_now_ns(const struct sim *s) { return s->now_ns; }
const struct sim_counts *sim_counts(const struct sim *s) { return &s->counts; }
