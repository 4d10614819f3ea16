/* track/seen.c - see seen.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/seen.h"

#include <stdlib.h>

#define SAME_PACKET_NS   1000000000  /* one IP identification means one packet for so long */
#define SAME_INSTANT_NS  50000000    /* without one, only what comes at once is a copy */

static void seen_begin(struct seen *s)
{
    if (s->messages)
        return;
    s->messages = s->first_messages, s->room = SEEN_FIRST_MESSAGES;
    s->hops = s->first_hops, s->hop_room = SEEN_FIRST_HOPS;
    s->tags = s->first_tags, s->tag_room = SEEN_FIRST_TAGS;
}

/* Doubles an array of `*room` things of `size` up to `max`; `inside` is where it began. */
static bool make_room(void *array_of_pointer, const void *inside, size_t size, unsigned count,
                      unsigned *room, unsigned max)
{
    void **array = array_of_pointer;
    unsigned wanted = *room * 2;

    if (count < *room)
        return true;
    if (wanted > max)
        wanted = max;
    if (count >= wanted)
        return false;
    void *grown = realloc(*array == inside ? NULL : *array, wanted * size);

    if (!grown)
        return false;
    if (*array == inside)
        memcpy(grown, inside, count * size);
    *array = grown;
    *room = wanted;
    return true;
}

static uint8_t seen_hop(struct seen *s, const struct wire_unit *unit)
{
    unsigned room = s->hop_room;

    for (uint8_t i = 0; i < s->hop_count; i++)
        if (address_eq(&s->hops[i].src, &unit->src) && address_eq(&s->hops[i].dst, &unit->dst))
            return i;
    if (!make_room(&s->hops, s->first_hops, sizeof *s->hops, s->hop_count, &room, SEEN_HOPS_MAX)) {
        s->full = true;
        return UINT8_MAX;
    }
    s->hop_room = (uint8_t)room;
    s->hops[s->hop_count] = (struct seen_hop){ unit->src, unit->dst };
    return s->hop_count++;
}

/* 0: no tag; from 1 on: index + 1. */
static uint8_t seen_tag(struct seen *s, struct arena *text, slice tag)
{
    unsigned room = s->tag_room;

    if (tag.len == 0)
        return 0;
    for (uint8_t i = 0; i < s->tag_count; i++)
        if (slice_eq(s->tags[i], tag))
            return (uint8_t)(i + 1);
    slice kept = {0};

    if (tag.len <= SEEN_TAG_BYTES_MAX &&
        make_room(&s->tags, s->first_tags, sizeof *s->tags, s->tag_count, &room, SEEN_TAGS_MAX)) {
        s->tag_room = (uint8_t)room;
        kept = arena_slice(text, tag);
    }
    if (!kept.ptr) {
        s->full = true;
        return UINT8_MAX;
    }
    s->tags[s->tag_count++] = kept;
    return s->tag_count;
}

static bool seen_same(const struct seen_message *a, const struct seen_message *b)
{
    return a->cseq == b->cseq && a->status == b->status && a->method == b->method &&
           a->tag == b->tag && a->rseq == b->rseq && a->from_callee == b->from_callee;
}

static bool seen_is_copy(const struct seen_message *before, uint16_t ip_id, int64_t gap_ns)
{
    if (before->ip_id || ip_id)
        return before->ip_id == ip_id && gap_ns < SAME_PACKET_NS;
    return gap_ns < SAME_INSTANT_NS;
}

static void seen_forget_older_half(struct seen *s)
{
    uint16_t kept = s->count / 2;

    memmove(s->messages, s->messages + (s->count - kept), kept * sizeof *s->messages);
    s->count = kept;
}

static void seen_remember(struct seen *s, const struct seen_message *m)
{
    unsigned room = s->room;

    if (s->count == SEEN_MESSAGES_MAX)
        seen_forget_older_half(s);
    if (!make_room(&s->messages, s->first_messages, sizeof *s->messages, s->count, &room, SEEN_MESSAGES_MAX)) {
        s->full = true;
        return;
    }
    s->room = (uint16_t)room;
    s->messages[s->count++] = *m;
}

struct seen_verdict seen_note(struct seen *s, struct arena *text, const struct wire_unit *unit,
                              const struct sip_message *m, const struct seen_about *about)
{
    seen_begin(s);
    struct seen_message now = {
        .last_ns = unit->time_ns,
        .cseq = m->cseq.number,
        .rseq = about->rseq,
        .status = m->status,
        .ip_id = (uint16_t)unit->ip_id,
        .method = (uint8_t)m->method,
        .tag = seen_tag(s, text, about->callee_tag),
        .hop = seen_hop(s, unit),
        .from_callee = about->from_callee,
    };
    struct seen_verdict verdict = { SEEN_NEW, now.hop, 0 };

    if (m->method == SIP_UNKNOWN)                         /* told apart by name, kept as a tag is */
        now.rseq = seen_tag(s, text, m->method_text);
    for (size_t i = s->count; i-- > 0;) {
        struct seen_message *before = &s->messages[i];

        if (!seen_same(before, &now))
            continue;
        verdict.kind = SEEN_HOP_COPY;
        if (before->hop != now.hop)
            continue;
        verdict.gap_ns = now.last_ns - before->last_ns;
        verdict.kind = seen_is_copy(before, now.ip_id, llabs(verdict.gap_ns)) ? SEEN_COPY : SEEN_AGAIN;
        if (verdict.kind == SEEN_AGAIN) {
            before->last_ns = now.last_ns;
            before->ip_id = now.ip_id;
        }
        return verdict;
    }
    seen_remember(s, &now);
    return verdict;
}

void seen_done(struct seen *s)
{
    if (s->messages != s->first_messages)
        free(s->messages);
    if (s->hops != s->first_hops)
        free(s->hops);
    if (s->tags != s->first_tags)
        free(s->tags);
    memset(s, 0, offsetof(struct seen, first_messages));
}

size_t seen_memory_bytes(const struct seen *s)
{
    return (s->room > SEEN_FIRST_MESSAGES ? s->room * sizeof *s->messages : 0) +
           (s->hop_room > SEEN_FIRST_HOPS ? s->hop_room * sizeof *s->hops : 0) +
           (s->tag_room > SEEN_FIRST_TAGS ? s->tag_room * sizeof *s->tags : 0);
}
