/* codes/mo.c - see mo.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/mo.h"

#define MO_MAGIC 0x950412DEu

static uint32_t swap(uint32_t v) { return __builtin_bswap32(v); }

/* The caller has checked that four bytes stand there. */
static uint32_t word_at(const struct mo *mo, size_t offset)
{
    uint32_t v;

    memcpy(&v, mo->bytes.ptr + offset, sizeof v);
    return mo->swapped ? swap(v) : v;
}

static bool table_fits(const struct mo *mo, uint32_t offset)
{
    return offset % 4 == 0 && offset + (uint64_t)mo->count * 8 <= mo->bytes.len;
}

bool mo_open(slice bytes, struct mo *ret)
{
    struct mo mo = { .bytes = bytes };

    if (bytes.len < 28)
        return false;
    mo.swapped = word_at(&mo, 0) == swap(MO_MAGIC);
    if (word_at(&mo, 0) != MO_MAGIC || word_at(&mo, 4) >> 16 > 1)
        return false;
    mo.count = word_at(&mo, 8);
    mo.originals = word_at(&mo, 12);
    mo.translations = word_at(&mo, 16);
    if (!table_fits(&mo, mo.originals) || !table_fits(&mo, mo.translations))
        return false;
    *ret = mo;
    return true;
}

/* Row `at` of a table: length, offset. .ptr NULL when the text is not inside the file. */
static slice text_at(const struct mo *mo, uint32_t table, uint32_t at)
{
    uint64_t row = table + (uint64_t)at * 8;
    uint32_t len = word_at(mo, row), offset = word_at(mo, row + 4);

    if ((uint64_t)offset + len > mo->bytes.len)
        return (slice){0};
    return slice_of(mo->bytes.ptr + offset, len);
}

slice mo_find(const struct mo *mo, slice key)
{
    uint32_t low = 0, high = mo->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        slice original = text_at(mo, mo->originals, middle);
        slice singular = slice_take_until(&original, '\0');
        int order = slice_compare(key, singular);

        if (order == 0)
            return text_at(mo, mo->translations, middle);
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (slice){0};
}

slice mo_form(slice translation, unsigned n)
{
    slice form = slice_take_until(&translation, '\0');

    for (; n; n--) {
        if (!slice_take_char(&translation, '\0'))
            return (slice){0};
        form = slice_take_until(&translation, '\0');
    }
    return form;
}

slice mo_header(const struct mo *mo, slice name)
{
    slice rest = mo_find(mo, (slice){0}), line;

    while (slice_take_line(&rest, &line)) {
        slice key = slice_take_until(&line, ':');

        if (slice_eq_nocase(slice_trim(key), name) && slice_take_char(&line, ':'))
            return slice_trim(line);
    }
    return (slice){0};
}
