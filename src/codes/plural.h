/* codes/plural.h - which form of a text a number takes (gettext's Plural-Forms).
 * SPDX-License-Identifier: Apache-2.0
 *
 * The expression is C with the one variable n: ?: || && == != < > <= >= + - * / % ! ( ).
 * It is worked out anew for each number; what it costs is nothing beside printing a line.
 * Rules may be hostile: nesting is limited, division by zero gives 0, a broken expression
 * gives form 0, and a form is always below plural.forms.
 *
 *     struct plural rule;
 *     if (plural_parse(SLICE("nplurals=2; plural=n > 1;"), &rule))
 *         form = plural_form(&rule, count);                                             */
#ifndef CODES_PLURAL_H
#define CODES_PLURAL_H

#include "base/slice.h"

#define PLURAL_FORMS_MAX 8
#define PLURAL_DEPTH_MAX 40

struct plural {
    unsigned forms;                  /* 1 .. PLURAL_FORMS_MAX */
    slice    expression;             /* borrowed */
};

/* The value of the header. False: not understood, and *ret is left as it was. */
bool plural_parse(slice header, struct plural *ret);

unsigned plural_form(const struct plural *rule, uint64_t n);

#endif
