/* report/ladder_marks.c - which arrows of a ladder the verdicts on its call rest on.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/ladder_int.h"

#include <stdio.h>

#include "report/lanes.h"
#include "report/verdicts.h"

static bool is_named_alike(slice label, slice what)
{
    return slice_eq(slice_take_until(&label, ' '), slice_take_until(&what, ' '));
}

/* A frame of TCP may hold several messages: the one that the proof names, else the first. */
static struct ladder_event *event_of(struct ladder *l, const struct verdict_evidence *proof)
{
    struct ladder_event *first = NULL;

    for (size_t i = 0; i < l->count; i++) {
        struct ladder_event *e = &l->events[i];

        if (e->frame != proof->frame)
            continue;
        if (is_named_alike(e->label, proof->what))
            return e;
        first = first ? first : e;
    }
    return first;
}

static bool is_stream(struct call *const *legs, size_t count, const struct verdict_evidence *proof)
{
    for (size_t i = 0; i < count; i++)
        for (const struct list *s = legs[i]->streams.next; s && s != &legs[i]->streams; s = s->next)
            if (list_item(s, struct stream, in_list)->first_frame == proof->frame)
                return slice_starts(proof->what, SLICE("RTP"));
    return false;
}

static void mark_cause(struct ladder *l, const struct verdict *v)
{
    for (size_t i = 0; v->cause && i < v->evidence_count; i++) {
        struct ladder_event *e = event_of(l, &v->evidence[i]);

        if (!e)
            continue;
        e->marked = true;
        e->mark_tone = (uint8_t)verdict_tone(v);
    }
}

/* A page draws its streams by itself: then the proof may have no event here and yet be drawn. */
static void mark_finding(struct ladder *l, struct call *const *legs, size_t count, const struct verdict *v,
                         size_t number)
{
    for (size_t i = 0; i < v->evidence_count && l->finding_count < LADDER_FINDINGS_MAX; i++) {
        struct ladder_event *e = event_of(l, &v->evidence[i]);
        bool of_stream = e ? e->is_stream : is_stream(legs, count, &v->evidence[i]);

        if (!e && !of_stream)
            continue;
        if (e)
            e->findings |= UINT64_C(1) << l->finding_count;
        l->findings[l->finding_count++] = (struct ladder_finding){
            .cause = v->cause, .number = number, .stream_frame = of_stream ? v->evidence[i].frame : 0,
        };
        return;
    }
}

void ladder_verdicts(struct ladder *l, struct call *const *legs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct call_verdicts *v = legs[i]->verdicts;

        if (v)
            mark_cause(l, &v->cause);
        for (size_t k = 0; v && k < v->finding_count; k++)
            if (verdicts_finding_number(legs, i, k) == i * VERDICT_FINDINGS_MAX + k)
                mark_finding(l, legs, count, &v->findings[k], i * VERDICT_FINDINGS_MAX + k);
    }
}

slice ladder_finding_mark(const struct ladder *l, uint16_t cause, const struct style *style,
                          char room[LADDER_MARK_MAX])
{
    for (size_t i = 0; i < l->finding_count; i++)
        if (l->findings[i].cause == cause)
            return slice_of(room, (size_t)snprintf(room, LADDER_MARK_MAX, "%s%u",
                                                   lanes_marks(style)->finding, (unsigned)i + 1));
    return (slice){0};
}
