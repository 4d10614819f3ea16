/* codes/cause.c - see cause.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/cause.h"

struct cause_entry {
    const char *slug;
    uint8_t     severity, blame;
    bool        main;
    const char *const *codes, *const *params;
    uint32_t    parts[CAUSE_PARTS];  /* in text_pool; 0: no such text */
};

/* text_pool, cause_entries[CAUSES] */
#include "generated/codes/causes.inc"

static const struct cause_entry *entry_of(enum cause_id id)
{
    return &cause_entries[(unsigned)id < CAUSES ? id : CAUSE_NONE];
}

enum cause_id cause_find(slice slug)
{
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++)
        if (slice_eq(slug, slice_of_string(cause_entries[i].slug)))
            return (enum cause_id)i;
    return CAUSE_NONE;
}

const char *cause_slug(enum cause_id id) { return entry_of(id)->slug; }

enum cause_severity cause_severity(enum cause_id id)
{
    return (enum cause_severity)entry_of(id)->severity;
}

enum cause_blame cause_blame(enum cause_id id) { return (enum cause_blame)entry_of(id)->blame; }

bool cause_may_be_main(enum cause_id id) { return entry_of(id)->main; }

const char *const *cause_codes(enum cause_id id) { return entry_of(id)->codes; }

const char *const *cause_params(enum cause_id id) { return entry_of(id)->params; }

const char *cause_severity_name(enum cause_severity severity)
{
    static const char *const names[] = { "info", "notice", "warning", "error" };

    return (size_t)severity < ARRAY_LEN(names) ? names[severity] : "";
}

const char *cause_blame_name(enum cause_blame blame)
{
    static const char *const names[] = { "nobody",  "caller", "callee", "provider",
                                         "admin", "network", "unknown" };

    return (size_t)blame < ARRAY_LEN(names) ? names[blame] : "";
}

bool cause_has_code(enum cause_id id, const struct code *code)
{
    slice family = slice_of_string(code_family_name((enum code_family)code->family));
    slice ident = slice_of_string(code->id);

    for (const char *const *at = cause_codes(id); *at; at++) {
        slice number = slice_of_string(*at);

        if (slice_eq(slice_take_until(&number, ':'), family) &&
            slice_eq(slice_skip(number, 1), ident))
            return true;
    }
    return false;
}

/* ---- texts ---- */

slice cause_text(const struct words *w, enum cause_id id, enum cause_part part)
{
    uint32_t at = (unsigned)part < CAUSE_PARTS ? entry_of(id)->parts[part] : 0;

    return at ? words_entry(w, text_pool + at) : (slice){ "", 0 };
}

void cause_say(struct out *o, const struct words *w, enum cause_id id, enum cause_part part,
               const struct words_value *values, size_t count)
{
    slice text = cause_text(w, id, part);

    if (part == CAUSE_PART_TEXT && !words_has_all(text, values, count))
        text = cause_text(w, id, CAUSE_PART_TEXT_PLAIN);
    words_fill(o, text, values, count);
}
