/* mask/letters.h - kinds of characters in ASCII. Private to src/mask.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MASK_LETTERS_H
#define MASK_LETTERS_H

#include "base/slice.h"

static inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool is_alnum(char c) { return is_letter(c) || is_digit(c); }
static inline bool is_hex(char c)
{
    char l = ascii_lower(c);

    return is_digit(c) || (l >= 'a' && l <= 'f');
}

/* "%2B": an escaped character is no part of a number or a word. */
static inline bool is_escape(const char *at, size_t left)
{
    return left >= 3 && at[0] == '%' && is_hex(at[1]) && is_hex(at[2]);
}

#endif
