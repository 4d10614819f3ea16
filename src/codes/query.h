/* codes/query.h - what somebody typed, as a code or as a cause of calls.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Understood, in any case and with full-width characters too:
 *
 *     486   SIP 486   sip:486   SIP486       a response
 *     monitor:8003   local:901   q850:17   Q.850 17   cause 17
 *     SIP0   SIP18X   18X   SIP9XX   kill    local results by their names
 *     4xx   SIP4XX                           a class
 *     busy here   "Server Time-out"   占线   a phrase or name, or a part of one, or a part of
 *                                            a headline in the reader's language
 *
 * A bare number that exists in several families is, in this order: 0 the local result SIP0;
 * 100 to 699 a SIP response, registered or not; 900 to 998 a local result; then a state of
 * the monitor; then a cause of Q.850. The others with that number are in `others`. So 999 is
 * the monitor's Active, 17 is Q.850, 102 and SIP100 are SIP. */
#ifndef CODES_QUERY_H
#define CODES_QUERY_H

#include "codes/cause.h"

#define QUERY_OTHERS_MAX  16
#define QUERY_NEAREST_MAX 3

enum query_result {
    QUERY_NOTHING,                   /* `others` are the nearest, if any */
    QUERY_CODE,                      /* `code`; `others` have the same number, or match too */
    QUERY_UNREGISTERED,              /* `number` of class `code` (a CODE_CLASS) */
    QUERY_SEVERAL,                   /* `others`, best first; `total` may be more */
};

struct code_query {
    enum query_result  result;
    const struct code *code;
    unsigned           number;
    bool               by_phrase;    /* found by words, not by number or id */
    const struct code *others[QUERY_OTHERS_MAX];
    size_t             other_count, total;
};

void code_query(slice text, const struct words *w, struct code_query *ret);

/* ---- causes of calls ---- */

#define QUERY_CAUSES_MAX 40

struct cause_query {
    enum cause_id exact;             /* the id, as it is written, or the whole headline */
    enum cause_id found[QUERY_CAUSES_MAX];         /* id or headline contains the words */
    size_t        found_count, total;
    enum cause_id nearest;           /* CAUSE_NONE: nothing looks like it */
};

/* codec-mismatch, cause:codec-mismatch, "no codec in common", a part of either, or several words
 * that stand there in any order: "lost ack". An id is exact only in its own spelling: gone is
 * the cause, Gone the phrase of SIP 410. */
void cause_query(slice text, const struct words *w, struct cause_query *ret);

/* Just "sip", "q850", "cause" ...: a word that waits for its number. */
bool code_query_is_family(slice text);

#endif
