/* switch/prefixes.h - beginnings of telephone numbers: which are allowed to whom, which denied.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A tree with a step for each of 0-9, +, * and #. Of all beginnings of a number that an owner
 * has, the longest counts; of the same one allowed and denied, denied. A look-up allocates
 * nothing and takes one step a digit. Zero is ready to use.
 *
 *     struct prefixes p = { 0 };
 *     prefixes_add(&p, SLICE("+49"), 3, true);           // true: allowed
 *     uint8_t verdicts[OWNERS] = { 0 };
 *     prefixes_judge(&p, SLICE("+4930"), verdicts);      // verdicts[3] == PREFIX_ALLOWED
 *     prefixes_done(&p);                                                                   */
#ifndef SWITCH_PREFIXES_H
#define SWITCH_PREFIXES_H

#include "base/slice.h"

enum { PREFIX_STEPS = 13 };
enum prefix_verdict { PREFIX_NONE, PREFIX_ALLOWED, PREFIX_DENIED };

struct prefix_node {
    uint32_t next[PREFIX_STEPS];     /* 0: no step, for the root is no child */
    uint32_t first_mark;             /* from 1; 0: none */
};
struct prefix_mark { uint32_t next; uint16_t owner; bool allowed; };

struct prefixes {
    struct prefix_node *nodes;
    struct prefix_mark *marks;
    uint32_t node_count, node_room, mark_count, mark_room;
};

/* Empty: every number. 0, -ENOMEM, or -EINVAL: a character that is no step. */
int  prefixes_add(struct prefixes *p, slice prefix, uint16_t owner, bool allowed);
void prefixes_done(struct prefixes *p);

/* Overwrites verdicts[owner] for each owner who has a beginning of `number`. True: the number
 * may be incomplete, because a longer one has a beginning here. */
bool prefixes_judge(const struct prefixes *p, slice number, uint8_t *verdicts);

#endif
