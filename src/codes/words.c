/* codes/words.c - see words.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/words.h"

struct text_entry {
    const char *entry;               /* "key\4English" */
    const char *other;               /* English for more than one; NULL: no number forms */
};

#include "generated/codes/text.inc"        /* text_entries[TEXTS] */
#include "generated/codes/languages.inc"   /* languages[], from data/po */

/* ---- which languages there are ---- */

size_t words_count(void) { return ARRAY_LEN(languages); }

const struct words *words_at(size_t index)
{
    return index < ARRAY_LEN(languages) ? &languages[index] : NULL;
}

const struct words *words_english(void) { return &languages[0]; }

static char tag_char(char c) { return c == '_' ? '-' : ascii_lower(c); }

static bool tag_starts(slice tag, slice beginning)
{
    if (tag.len < beginning.len)
        return false;
    for (size_t i = 0; i < beginning.len; i++)
        if (tag_char(tag.ptr[i]) != tag_char(beginning.ptr[i]))
            return false;
    return tag.len == beginning.len || tag_char(tag.ptr[beginning.len]) == '-';
}

/* The whole tag, else a longer one of the same language, else one without its last part. */
const struct words *words_find(slice tag)
{
    if (slice_eq_nocase(tag, SLICE("C")) || slice_eq_nocase(tag, SLICE("POSIX")))
        return words_english();
    while (tag.len) {
        for (size_t i = 0; i < ARRAY_LEN(languages); i++)
            if (tag_starts(languages[i].tag, tag))
                return &languages[i];
        while (tag.len && tag_char(tag.ptr[tag.len - 1]) != '-')
            tag.len--;
        if (tag.len)
            tag.len--;
    }
    return NULL;
}

const struct words *words_for_locale(slice value)
{
    slice tag = slice_take_until(&value, '.');
    const struct words *found = words_find(slice_take_until(&tag, '@'));

    return found ? found : words_english();
}

bool words_init(struct words *ret, slice tag, slice mo)
{
    struct words w = { .tag = tag, .name = tag, .plural = { 1, SLICE("0") } };

    if (!mo_open(mo, &w.mo))
        return false;
    (void)plural_parse(mo_header(&w.mo, SLICE("Plural-Forms")), &w.plural);

    slice name = mo_header(&w.mo, SLICE("X-Language-Name"));

    if (name.len)
        w.name = name;
    *ret = w;
    return true;
}

/* ---- texts ---- */

static slice translated(const struct words *w, slice key)
{
    return w->mo.count ? mo_find(&w->mo, key) : (slice){0};
}

slice words_entry(const struct words *w, const char *entry)
{
    slice key = slice_of_string(entry), english = key;
    slice found = mo_form(translated(w, key), 0);

    if (found.len)
        return found;
    (void)slice_take_until(&english, '\4');
    return slice_skip(english, 1);
}

slice words_text(const struct words *w, enum text_id id)
{
    return id < TEXTS ? words_entry(w, text_entries[id].entry) : (slice){0};
}

slice words_plural(const struct words *w, enum text_id id, uint64_t n)
{
    if (id >= TEXTS || !text_entries[id].other)
        return words_text(w, id);

    slice forms = translated(w, slice_of_string(text_entries[id].entry));
    slice found = forms.len ? mo_form(forms, plural_form(&w->plural, n)) : (slice){0};

    if (found.len)
        return found;
    return n == 1 ? words_text(words_english(), id) : slice_of_string(text_entries[id].other);
}

/* ---- texts with something put in ---- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
}

static const struct words_value *value_of(slice name, const struct words_value *values,
                                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(name, slice_of_string(values[i].name)))
            return &values[i];
    return NULL;
}

void words_fill(struct out *o, slice pattern, const struct words_value *values, size_t count)
{
    while (pattern.len) {
        out_text(o, slice_take_until(&pattern, '{'));

        slice after = slice_skip(pattern, 1);
        slice name = slice_take_while(&after, is_name_char);
        const struct words_value *value = value_of(name, values, count);

        if (!value || !slice_take_char(&after, '}')) {
            if (slice_take_char(&pattern, '{'))
                out_char(o, '{');
            continue;
        }
        if (value->text.ptr)
            out_text(o, value->text);
        else
            out_u64(o, value->number);
        pattern = after;
    }
}

bool words_has_all(slice pattern, const struct words_value *values, size_t count)
{
    while (pattern.len) {
        (void)slice_take_until(&pattern, '{');
        pattern = slice_skip(pattern, 1);

        slice after = pattern, name = slice_take_while(&after, is_name_char);
        const struct words_value *value = value_of(name, values, count);

        if (name.len && slice_take_char(&after, '}') &&
            !(value && (!value->text.ptr || value->text.len)))
            return false;
    }
    return true;
}

void words_format(struct out *o, const struct words *w, enum text_id id,
                  const struct words_value *values, size_t count)
{
    words_fill(o, words_text(w, id), values, count);
}

void words_format_plural(struct out *o, const struct words *w, enum text_id id,
                         const struct words_value *values, size_t count)
{
    words_fill(o, words_plural(w, id, count ? values[0].number : 0), values, count);
}
