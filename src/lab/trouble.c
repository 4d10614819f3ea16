/* lab/trouble.c - datagrams in a heap by the time of their leaving
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/trouble.h"

#include <errno.h>
#include <stdlib.h>

#include "base/timers.h"

enum { MESSAGES_MAX = 4096 };        /* under way; beyond they are lost, as in a queue that is full */

struct message {
    struct timer leaves;
    struct hop   to;
    size_t       len;
    char         bytes[];
};

struct trouble {
    struct trouble_settings settings;
    struct trouble_counts   counts;
    struct hop_sender     inner;
    struct timers         under_way;
    int64_t               now_ns;
    uint64_t              random;
};

struct trouble *trouble_new(const struct trouble_settings *settings, const struct hop_sender *inner)
{
    struct trouble *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->settings = *settings;
    r->inner = *inner;
    r->random = settings->seed * 6364136223846793005u + 1442695040888963407u;
    return r;
}

struct trouble *trouble_free(struct trouble *r)
{
    struct timer *t;

    if (!r)
        return NULL;
    while ((t = timers_due(&r->under_way, INT64_MAX)))
        free(timer_item(t, struct message, leaves));
    timers_done(&r->under_way);
    free(r);
    return NULL;
}

static uint64_t draw(struct trouble *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random;
}

/* Draws always, so that one setting does not move the lots of another. */
static bool happens(struct trouble *r, uint32_t ppm) { return draw(r) % 1000000 < ppm; }

static int put_on_the_way(struct trouble *r, const struct hop *to, slice bytes)
{
    int64_t jitter_ns = r->settings.jitter_ns;
    int64_t at_ns = r->now_ns + r->settings.delay_ns + (jitter_ns > 0 ? (int64_t)(draw(r) % (uint64_t)jitter_ns) : 0);
    struct message *m;

    if (r->under_way.count >= MESSAGES_MAX)
        return -ENOBUFS;
    m = malloc(sizeof *m + bytes.len);
    if (!m)
        return -ENOMEM;
    m->leaves = (struct timer){ 0 };
    m->to = *to;
    m->len = bytes.len;
    memcpy(m->bytes, bytes.ptr, bytes.len);
    if (timers_set(&r->under_way, &m->leaves, at_ns) == 0)
        return 0;
    free(m);
    return -ENOMEM;
}

static int send_later(void *ctx, struct hop *to, slice bytes)
{
    struct trouble *r = ctx;
    const struct trouble_settings *s = &r->settings;
    bool lost = happens(r, s->loss_ppm), twice = happens(r, s->twice_ppm);
    int error;

    if (hop_is_reliable(to))
        return r->inner.send(r->inner.ctx, to, bytes);
    r->counts.sent++;
    if (lost) {
        r->counts.lost++;
        return 0;
    }
    bool later = s->delay_ns > 0 || s->jitter_ns > 0;

    error = later ? put_on_the_way(r, to, bytes) : r->inner.send(r->inner.ctx, to, bytes);
    if (twice && !error) {
        r->counts.doubled++;
        (void)(later ? put_on_the_way(r, to, bytes) : r->inner.send(r->inner.ctx, to, bytes));
    }
    return error;
}

static int choose(void *ctx, struct hop *to)
{
    struct trouble *r = ctx;

    return r->inner.choose ? r->inner.choose(r->inner.ctx, to) : 0;
}

struct hop_sender trouble_sender(struct trouble *r) { return (struct hop_sender){ r, send_later, choose }; }

void trouble_time(struct trouble *r, int64_t now_ns)
{
    struct timer *t;

    r->now_ns = now_ns;
    while ((t = timers_due(&r->under_way, now_ns))) {
        struct message *m = timer_item(t, struct message, leaves);

        (void)r->inner.send(r->inner.ctx, &m->to, slice_of(m->bytes, m->len));
        free(m);
    }
}

int64_t trouble_next_ns(const struct trouble *r) { return timers_next_ns(&r->under_way); }
const struct trouble_counts *trouble_counts(const struct trouble *r) { return &r->counts; }
