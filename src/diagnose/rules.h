/* diagnose/rules.h - the tables of rules, and what decides between them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A rule is asked when all its marks are there. Of those that hold, the main cause is the one with
 * the highest weight + certainty that the catalogue allows as a main cause; the others are findings,
 * unless the main cause (or a finding that stays) explains them away: see rank.c. */
#ifndef DIAGNOSE_RULES_H
#define DIAGNOSE_RULES_H

#include "diagnose/builder.h"

typedef bool rule_fn(const struct casefile *k, struct candidate *c);

struct rule {
    uint16_t cause;
    uint8_t  weight;                 /* 0: a finding only */
    uint64_t needs;                  /* marks, all of them */
    rule_fn *holds;
};
struct rule_table {
    const struct rule *rules;
    size_t count;
    uint64_t any;                    /* not worth a look without one of these marks; 0: always */
};

extern const struct rule_table rules_outcome, rules_dialog, rules_auth, rules_routing, rules_capability,
                               rules_nat, rules_media, rules_volte, rules_capture, rules_vendor, rules_legs,
                               rules_abuse;

/* The row of the table of final codes that fits best. False: the code says nothing. */
bool refusal_find(const struct casefile *k, struct candidate *c);

struct candidates {
    struct candidate all[CANDIDATES_MAX];
    size_t count;
    uint32_t beyond;
};
/* All rules over one case. */
void rules_ask(const struct casefile *k, struct candidates *found);
/* Index of the main cause, or -1; what it explains is removed and the rest sorted, worst first. */
int  rank(struct candidates *found);

#endif
