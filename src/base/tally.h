/* base/tally.h - how many of each there are at once, with a most: calls of a user, connections
 * from an address.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Looking and counting are one step, so with a lock several threads share one tally and no most
 * is passed. A name costs memory only while its count is not zero.
 *
 *     struct tally_one *one = tally_take(t, name, max);      // NULL: there are so many, or no memory
 *     tally_give_back(t, &one);                                                                 */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include "base/hash.h"
#include "base/lock.h"

struct tally;
struct tally_one;

/* `lock` is copied; NULL: one thread. NULL: no memory. */
struct tally *tally_new(const struct hash_seed *seed, const struct lock *lock);
struct tally *tally_free(struct tally *t);                /* what was taken and not given back goes with it */

/* One more of that name, which may be empty; max 0: any number. What was taken n times under one
 * name is the same pointer n times, and is to be given back n times. */
struct tally_one *tally_take(struct tally *t, slice name, uint32_t max);
void     tally_give_back(struct tally *t, struct tally_one **one);       /* *one becomes NULL; it may be */
uint32_t tally_count(struct tally *t, slice name);
slice    tally_name(const struct tally_one *one);         /* while it is taken */

#endif
