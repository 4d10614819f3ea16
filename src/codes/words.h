/* codes/words.h - everything that the program says, in the reader's language.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Texts stand in data/text (the program's own) and data/codes; translations in data/po, one
 * file a language, compiled and built in. A text that a language lacks is given in English. A
 * `struct words` is one language; it is immutable, so threads and requests may each use their
 * own at once, and there is no current language and no setlocale.
 *
 *     const struct words *w = words_find(SLICE("fr"));
 *     words_say(&out, w, TEXT_READ_CALLS_TOTAL, WORDS_NUMBER("count", n));
 *
 * Placeholders have names, {count}, so that a translator can move them. */
#ifndef CODES_WORDS_H
#define CODES_WORDS_H

#include "base/out.h"
#include "codes/mo.h"
#include "codes/plural.h"
#include "generated/codes/text.h"    /* enum text_id: TEXT_<TABLE>_<ID> of data/text, and TEXTS */

struct words {
    slice         tag;               /* "en", "fr", "zh-CN" */
    slice         name;              /* in that language: "Français" */
    struct mo     mo;                /* nothing in it: English */
    struct plural plural;
};

/* ---- which languages there are ---- */

size_t words_count(void);
const struct words *words_at(size_t index);            /* 0 is English */
const struct words *words_english(void);

/* By tag, whatever its case, with - or _: "fr-CA" finds fr, "zh" finds zh-CN. NULL when there
 * is no such language. "C" and "POSIX" are English. */
const struct words *words_find(slice tag);

/* The value of LC_ALL, LC_MESSAGES or LANG, "fr_FR.UTF-8@euro"; English when unknown. */
const struct words *words_for_locale(slice value);

/* A language from a .mo that is not built in; borrows both. False: not a .mo. */
bool words_init(struct words *ret, slice tag, slice mo);

/* ---- texts ---- */

slice words_text(const struct words *w, enum text_id id);

/* The form that `n` needs. For a text without number forms the same as words_text. */
slice words_plural(const struct words *w, enum text_id id, uint64_t n);

/* `entry` is "key\4English", NUL-ended: how tables of the catalogue hold a text. */
slice words_entry(const struct words *w, const char *entry);

/* ---- texts with something put in ---- */

struct words_value {
    const char *name;
    slice       text;
    uint64_t    number;              /* when text.ptr is NULL */
};
#define WORDS_TEXT(its_name, its_text) ((struct words_value){ .name = its_name, .text = its_text })
#define WORDS_NUMBER(its_name, its_number) \
    ((struct words_value){ .name = its_name, .number = its_number })

/* Writes `pattern` with {name} replaced. A name without a value is left as it stands, and so
 * is a brace that begins no name. */
void words_fill(struct out *o, slice pattern, const struct words_value *values, size_t count);

/* Is there a value, and no empty text, for each {name} in `pattern`? */
bool words_has_all(slice pattern, const struct words_value *values, size_t count);

void words_format(struct out *o, const struct words *w, enum text_id id,
                  const struct words_value *values, size_t count);

/* The number form is chosen by the first value. */
void words_format_plural(struct out *o, const struct words *w, enum text_id id,
                         const struct words_value *values, size_t count);

#define words_say(o, w, id, ...)                                                                   \
    words_format((o), (w), (id), (const struct words_value[]){ __VA_ARGS__ },                      \
                 sizeof((const struct words_value[]){ __VA_ARGS__ }) / sizeof(struct words_value))
#define words_say_plural(o, w, id, ...)                                                            \
    words_format_plural((o), (w), (id), (const struct words_value[]){ __VA_ARGS__ },               \
                        sizeof((const struct words_value[]){ __VA_ARGS__ }) /                      \
                            sizeof(struct words_value))

#endif
