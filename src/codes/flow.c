/* codes/flow.c - see flow.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/flow.h"

#include "generated/codes/flows.inc"

const struct flow *flow_at(unsigned id) { return &flows[id < FLOWS ? id : FLOW_NONE]; }

enum flow_id flow_find(slice name)
{
    for (unsigned i = FLOW_NONE + 1; i < FLOWS; i++)
        if (slice_eq_nocase(slice_of_string(flows[i].name), name))
            return (enum flow_id)i;
    return FLOW_NONE;
}

/* Pairs of neighbouring letters that both have, twice, of all their pairs: 0 to 100. */
static unsigned likeness(slice a, slice b)
{
    unsigned common = 0;

    if (a.len < 2 || b.len < 2)
        return a.len && b.len && ascii_lower(a.ptr[0]) == ascii_lower(b.ptr[0]);
    for (size_t i = 0; i + 1 < a.len; i++)
        common += slice_find_nocase(b, slice_of(a.ptr + i, 2)) >= 0;
    return common * 200 / (unsigned)(a.len + b.len - 2);
}

enum flow_id flow_nearest(slice name)
{
    enum flow_id best = flow_find(name);
    unsigned most = 0;

    if (best != FLOW_NONE)
        return best;
    best = FLOW_NONE + 1;
    name = slice_head(name, 64);
    for (unsigned i = FLOW_NONE + 1; i < FLOWS; i++) {
        unsigned like = likeness(name, slice_of_string(flows[i].name));

        if (like > most) {
            best = (enum flow_id)i;
            most = like;
        }
    }
    return best;
}

const struct flow_step *flow_step(unsigned id, unsigned step)
{
    const struct flow *flow = flow_at(id);

    return step >= 1 && step <= flow->step_count ? &flow->steps[step - 1] : NULL;
}

slice flow_text(const struct words *w, sentence s)
{
    return s.at ? words_entry(w, text_pool + s.at) : (slice){0};
}
