/* report/html.h - text on its way into a page: whatever it is, it stays text.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything that a capture holds was chosen by somebody else. These functions write it so that a
 * browser can take none of it for markup, inside and outside of attributes: & < > " and ' become
 * references, what is not UTF-8, control characters and marks that turn the direction of writing
 * become U+FFFD. Sentences of ours have their values set apart (<bdi>), so that a number or an
 * English name stays whole within Arabic, and an Arabic name within English.
 *
 *     struct html h;
 *     html_init(&h, &out, words);
 *     html_say(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", 1), WORDS_TEXT("from", name), ...);
 *     html_done(&h);
 *
 * Errors stay in `out` (base/out.h). */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "base/address.h"
#include "call/verdict.h"
#include "codes/cause.h"
#include "codes/words.h"

/* Text from anywhere, on one line: tab, CR and LF become blanks. Fit for attributes in quotes. */
void html_text(struct out *o, slice text);
/* The same with its lines kept, for <pre>: CR LF and CR become LF. No more than `limit` bytes. */
void html_lines(struct out *o, slice text, size_t limit);
/* The same as html_text, cut to so many columns with an ellipsis. */
void html_cut(struct out *o, slice text, size_t columns);

#define HTML_VALUES_MAX 24u
#define HTML_VALUE_MAX  4096u        /* bytes of one value within a sentence; longer ones are cut */

struct html {
    struct out         *out;
    const struct words *words;
    bool                rtl;         /* the language is written from right to left */
    struct out          values, said;
};

void html_init(struct html *h, struct out *out, const struct words *w);
void html_done(struct html *h);

/* Markup of ours, as it stands. */
void html_raw(struct html *h, slice markup);
#define HTML(h, literal) html_raw((h), SLICE(literal))
void html_number(struct html *h, uint64_t number);
/* A text of ours, of the catalogue or a note. From right to left, what is English in it and begins
 * with a number ("100 Trying") is set apart, or it would be read as "Trying 100". */
void html_own(struct html *h, slice text);
/* A text of ours without values. */
void html_words(struct html *h, enum text_id id);
/* A name, number or token from the wire, set apart; `columns` 0: whole. */
void html_name(struct html *h, slice text, size_t columns);
/* An address, a header, a code: always from left to right. */
void html_token(struct html *h, slice text);
void html_address(struct html *h, const struct address *a);

/* A sentence of ours with its values. The number form is chosen by the first value. */
void html_format(struct html *h, enum text_id id, const struct words_value *values, size_t count);
/* For an attribute or an SVG text: no markup inside. */
void html_format_plain(struct html *h, enum text_id id, const struct words_value *values, size_t count);
#define html_say(h, id, ...)                                                                       \
    html_format((h), (id), (const struct words_value[]){ __VA_ARGS__ },                            \
                sizeof((const struct words_value[]){ __VA_ARGS__ }) / sizeof(struct words_value))
#define html_say_plain(h, id, ...)                                                                 \
    html_format_plain((h), (id), (const struct words_value[]){ __VA_ARGS__ },                      \
                      sizeof((const struct words_value[]){ __VA_ARGS__ }) /                        \
                          sizeof(struct words_value))
/* What happened: the sentence of the catalogue with the values of this call. */
void html_verdict(struct html *h, const struct verdict *v);

/* Is this language written from right to left? By the first part of its tag (ISO 639). */
bool html_is_rtl(slice tag);

#endif
