/* base/utf8.h - text as a terminal shows it: characters, columns, lines.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function takes any bytes. What is not UTF-8 (RFC 3629: overlong forms, surrogates, cut
 * sequences) counts as U+FFFD, one for each longest piece that could have begun a character,
 * as Unicode recommends. Chinese, Japanese and Korean characters take two columns, accents
 * that join a letter none.
 *
 *     slice rest = paragraph, line;
 *     while (utf8_take_line(&rest, 78, &line))
 *         print(line);                                                                    */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

#define UTF8_REPLACEMENT 0xFFFDu
#define UTF8_MAX 4                                 /* bytes of one character */

/* One character from the front; false at the end. */
bool utf8_take(slice *rest, uint32_t *ret_point);

/* The bytes written. A surrogate or a number above U+10FFFF is written as U+FFFD. */
size_t utf8_put(char at[UTF8_MAX], uint32_t point);

bool utf8_is_valid(slice text);

/* False for what must never reach a terminal or a page raw: control characters (C0, DEL, C1),
 * line and paragraph separators, and the marks that turn the direction of writing. */
bool utf8_is_printable(uint32_t point);

/* Copies from the front of *rest as much as fits, with U+FFFD for what is not UTF-8 and for
 * what is not printable, and a blank for tab, CR and LF. Returns the bytes written; never
 * cuts a character. Call again until *rest is empty; `size` must be at least UTF8_MAX. */
size_t utf8_clean(slice *rest, char *to, size_t size);

unsigned utf8_width(uint32_t point);               /* columns: 0, 1 or 2 */
size_t   utf8_columns(slice text);

/* The longest beginning that takes no more than `columns`, accents included. */
slice utf8_head(slice text, size_t columns);

/* The next line of a paragraph that fits into `columns`, without the blanks around it. Breaks
 * at blanks and between ideographs (not before a closing or after an opening mark); a word
 * longer than the line is cut; a no-break space does not break; LF ends a line. A character
 * wider than the line stands alone. False when nothing is left. */
bool utf8_take_line(slice *rest, size_t columns, slice *ret_line);

#endif
