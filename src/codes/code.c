/* codes/code.c - see code.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/code.h"

struct class_difference {
    uint8_t  first, second;
    sentence text;
};

/* text_pool, codes[], family_start[], comparisons[], class_differences[], sip_index[] */
#include "generated/codes/catalogue.inc"

size_t code_count(void) { return ARRAY_LEN(codes); }

const struct code *code_at(size_t index)
{
    return index < ARRAY_LEN(codes) ? &codes[index] : NULL;
}

const struct code *code_find(enum code_family family, unsigned number)
{
    if (family >= CODE_FAMILIES || !number)
        return NULL;
    if (family == CODE_SIP)
        return number < ARRAY_LEN(sip_index) && sip_index[number] ? &codes[sip_index[number] - 1]
                                                                   : NULL;
    for (size_t i = family_start[family]; i < family_start[family + 1]; i++)
        if (codes[i].number == number)
            return &codes[i];
    return NULL;
}

const struct code *code_find_id(enum code_family family, slice id)
{
    if (family >= CODE_FAMILIES)
        return NULL;
    for (size_t i = family_start[family]; i < family_start[family + 1]; i++)
        if (slice_eq_nocase(id, slice_of_string(codes[i].id)))
            return &codes[i];
    return NULL;
}

const struct code *code_class(unsigned digit)
{
    for (size_t i = family_start[CODE_CLASS]; i < family_start[CODE_CLASS + 1]; i++)
        if (codes[i].digit == digit)
            return &codes[i];
    return NULL;
}

slice code_text(const struct words *w, sentence s)
{
    return s.at ? words_entry(w, text_pool + s.at) : (slice){ "", 0 };
}

slice code_name(const struct words *w, const struct code *code)
{
    return code->name.at ? code_text(w, code->name) : slice_of_string(code->phrase);
}

#define NAME_IN(table, index) ((size_t)(index) < ARRAY_LEN(table) ? (table)[index] : "")

const char *code_family_name(enum code_family family)
{
    static const char *const names[] = { "sip", "monitor", "local", "q850", "class" };

    return NAME_IN(names, family);
}

const char *code_role_name(enum code_role role)
{
    static const char *const names[] = { "caller", "callee", "provider", "admin" };

    return NAME_IN(names, role);
}

const char *code_normal_name(enum code_normal normal)
{
    static const char *const names[] = { "", "yes", "first", "no" };

    return NAME_IN(names, normal);
}

const char *code_outcome_name(enum code_outcome outcome)
{
    static const char *const names[] = {
        "", "progress", "answered", "redirect", "syntax", "challenge", "account", "number", "user",
        "network", "capability", "routing", "dialog",
    };

    return NAME_IN(names, outcome);
}

const char *code_effect_name(enum code_effect effect)
{
    static const char *const names[] = { "", "transaction", "usage", "dialog" };

    return NAME_IN(names, effect);
}

slice code_phrase(unsigned status)
{
    const struct code *code = code_find(CODE_SIP, status);

    return code ? slice_of_string(code->phrase) : (slice){ "", 0 };
}

enum code_outcome code_outcome(unsigned status)
{
    const struct code *code = code_find(CODE_SIP, status);

    if (!code && status >= 100 && status < 700)
        code = code_find(CODE_SIP, status / 100 == 1 ? 183 : status / 100 * 100);
    return code ? (enum code_outcome)code->outcome : CODE_OUTCOME_NONE;
}

static bool compares(const struct code_comparison *c, const struct code *const set[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        while (k < c->count && &codes[c->codes[k]] != set[i])
            k++;
        if (k == c->count)
            return false;
    }
    return c->count == count;
}

const struct code_comparison *code_compared(const struct code *const set[], size_t count)
{
    for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
        if (compares(&comparisons[i], set, count))
            return &comparisons[i];
    return NULL;
}

sentence code_class_difference(unsigned first, unsigned second)
{
    for (size_t i = 0; i < ARRAY_LEN(class_differences); i++)
        if (class_differences[i].first == first && class_differences[i].second == second)
            return class_differences[i].text;
    return (sentence){0};
}
