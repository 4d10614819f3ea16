/* switch/bencode.h - bencode (BEP 3), in which media relays are spoken to.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading borrows from the bytes and allocates nothing; a value is looked through to its end
 * before it is given out, so what is inside it can be read without further care.
 *
 *     struct bencode all, v;
 *     if (bencode_take(&rest, &all) && bencode_find(&all, SLICE("sdp"), &v) && v.kind == BENCODE_STRING)
 *         ... v.text
 *
 * Writing appends to an `out`; keys of a dictionary are to be put in their order.
 *
 *     bencode_put_open(o, BENCODE_DICTIONARY);
 *     bencode_put_pair(o, SLICE("command"), SLICE("ping"));
 *     bencode_put_close(o);                                                               */
#ifndef SWITCH_BENCODE_H
#define SWITCH_BENCODE_H

#include "base/out.h"
#include "base/slice.h"

enum { BENCODE_DEPTH_MAX = 32 };     /* lists and dictionaries within each other */

enum bencode_kind { BENCODE_NUMBER, BENCODE_STRING, BENCODE_LIST, BENCODE_DICTIONARY };

struct bencode {
    enum bencode_kind kind;
    int64_t number;
    slice   text;                    /* of a string its bytes; of a list or dictionary what is in it */
};

/* One value off the front. False: none, cut off, too deep, or not as BEP 3 has it (a number with
 * leading zeros, a key that is no string); the order of keys is not looked at. */
bool bencode_take(slice *rest, struct bencode *ret);
/* Members of `rest`, which begins as the text of a list or dictionary. False at the end. */
static inline bool bencode_next(slice *rest, struct bencode *ret) { return bencode_take(rest, ret); }
bool bencode_next_pair(slice *rest, slice *ret_key, struct bencode *ret);
/* The first with that key. False: none, or not a dictionary. */
bool bencode_find(const struct bencode *dictionary, slice key, struct bencode *ret);
/* Of a string; ptr NULL: none such. */
slice bencode_find_text(const struct bencode *dictionary, slice key);

void bencode_put_text(struct out *o, slice text);
void bencode_put_number(struct out *o, int64_t number);
void bencode_put_open(struct out *o, enum bencode_kind kind);    /* list or dictionary */
void bencode_put_close(struct out *o);
void bencode_put_pair(struct out *o, slice key, slice text);

#endif
