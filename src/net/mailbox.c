/* net/mailbox.c - see mailbox.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct mailbox {
    struct loop    *loop;
    pthread_mutex_t lock;            /* of what follows */
    struct letter  *first, **last;
    struct mailbox_counts counts;
    size_t          bytes_max;
    atomic_size_t   used;            /* changed under the lock, looked at without */
    atomic_bool     has;
};

struct letter *letter_free(struct letter *l)
{
    struct letter *next = l->next;

    free(l);
    return next;
}

struct mailbox *mailbox_new(struct loop *loop, size_t bytes_max)
{
    struct mailbox *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->loop = loop;
    m->last = &m->first;
    m->bytes_max = bytes_max ? bytes_max : MAILBOX_BYTES;
    if (pthread_mutex_init(&m->lock, NULL) == 0)
        return m;
    free(m);
    return NULL;
}

struct mailbox *mailbox_free(struct mailbox *m)
{
    if (!m)
        return NULL;
    for (struct letter *l = m->first; l;)
        l = letter_free(l);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
    return NULL;
}

static size_t size_of(slice bytes) { return sizeof(struct letter) + bytes.len; }

static bool has_room(const struct mailbox *m, size_t size, bool must)
{
    size_t most = must ? m->bytes_max : m->bytes_max - m->bytes_max / 4;

    return size <= most && m->used <= most - size;
}

static struct letter *copy_of(const struct letter *head, slice bytes)
{
    struct letter *l = bytes.len <= UINT32_MAX ? malloc(size_of(bytes)) : NULL;

    if (!l)
        return NULL;
    *l = *head;
    l->next = NULL;
    l->len = (uint32_t)bytes.len;
    if (bytes.len)
        memcpy(l->bytes, bytes.ptr, bytes.len);
    return l;
}

bool mailbox_post(struct mailbox *m, const struct letter *head, slice bytes, bool must)
{
    struct letter *l = copy_of(head, bytes);
    bool was_empty, taken;

    (void)pthread_mutex_lock(&m->lock);
    taken = l && has_room(m, size_of(bytes), must);
    was_empty = !m->first;
    if (taken) {
        *m->last = l;
        m->last = &l->next;
        m->used += size_of(bytes);
        m->counts.posted++;
        atomic_store_explicit(&m->has, true, memory_order_release);
    } else {
        m->counts.refused++;
        m->counts.refused_musts += must;
    }
    (void)pthread_mutex_unlock(&m->lock);
    if (taken && was_empty)
        loop_wake(m->loop);
    if (!taken)
        free(l);
    return taken;
}

bool mailbox_is_half_full(struct mailbox *m)
{
    return atomic_load_explicit(&m->used, memory_order_relaxed) > m->bytes_max / 2;
}

struct mailbox_counts mailbox_counts(struct mailbox *m)
{
    struct mailbox_counts counts;

    (void)pthread_mutex_lock(&m->lock);
    counts = m->counts;
    (void)pthread_mutex_unlock(&m->lock);
    return counts;
}

bool mailbox_has(const struct mailbox *m) { return atomic_load_explicit(&m->has, memory_order_acquire); }

struct letter *mailbox_take(struct mailbox *m)
{
    struct letter *first;

    if (!mailbox_has(m))
        return NULL;
    (void)pthread_mutex_lock(&m->lock);
    first = m->first;
    m->first = NULL;
    m->last = &m->first;
    m->used = 0;
    atomic_store_explicit(&m->has, false, memory_order_relaxed);
    (void)pthread_mutex_unlock(&m->lock);
    return first;
}
