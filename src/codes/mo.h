/* codes/mo.h - a compiled gettext catalogue (.mo), read where it lies.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The format of the gettext manual, "The Format of GNU MO Files", in either byte order. The
 * bytes may be hostile: every offset is checked before use, and a catalogue that lies answers
 * "not found". Owns nothing; borrows the bytes. Allocates nothing.
 *
 *     struct mo mo;
 *     if (mo_open(bytes, &mo))
 *         french = mo_find(&mo, SLICE("sip.486.headline\4The called person ..."));        */
#ifndef CODES_MO_H
#define CODES_MO_H

#include "base/slice.h"

struct mo {
    slice    bytes;
    uint32_t count;                  /* strings */
    uint32_t originals, translations;    /* offsets of the two tables */
    bool     swapped;                /* written on a machine of the other byte order */
};

/* False: not a .mo file, a revision we do not know, or tables that reach beyond the end. */
bool mo_open(slice bytes, struct mo *ret);

/* The translation of `key` ("context" \4 "original", or the original alone; for a text with
 * number forms the singular). .ptr is NULL when there is none. Number forms are separated by
 * NULs: mo_form cuts one out. The empty key gives the header. */
slice mo_find(const struct mo *mo, slice key);

/* The number form `n`; .ptr is NULL when there are not so many. */
slice mo_form(slice translation, unsigned n);

/* The value of one line of the header, "Plural-Forms" for example; .ptr NULL: no such line. */
slice mo_header(const struct mo *mo, slice name);

#endif
