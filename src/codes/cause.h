/* codes/cause.h - the catalogue of causes: why a call went as it did.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A call has one main cause; everything else that is notable about it is a finding. Both come
 * from this catalogue, data/causes, which is compiled in: nothing here allocates. The slugs are
 * stable over versions and the same in every language; the numbers of enum cause_id are not, so
 * nothing stores them beyond one run. They fit into 16 bits.
 *
 *     enum cause_id id = cause_find(SLICE("codec-mismatch"));
 *     cause_say(&out, w, id, CAUSE_PART_TEXT, values, count);
 *
 * Texts hold {placeholders}; which ones, cause_params tells. */
#ifndef CODES_CAUSE_H
#define CODES_CAUSE_H

#include "codes/code.h"
#include "generated/codes/causes.h"  /* enum cause_id: CAUSE_NONE, CAUSE_BUSY, ... and CAUSES */

enum cause_severity {
    CAUSE_SEVERITY_INFO,             /* a plain fact */
    CAUSE_SEVERITY_NOTICE,           /* nobody's fault, or of no consequence for this call */
    CAUSE_SEVERITY_WARNING,          /* the call suffered, or the next one will */
    CAUSE_SEVERITY_ERROR             /* the call failed of it */
};

/* Where to look first; not a judgement on who is guilty. */
enum cause_blame {
    CAUSE_BLAME_NOBODY, CAUSE_BLAME_CALLER, CAUSE_BLAME_CALLEE, CAUSE_BLAME_PROVIDER,
    CAUSE_BLAME_ADMIN, CAUSE_BLAME_NETWORK, CAUSE_BLAME_UNKNOWN
};

enum cause_part {
    CAUSE_PART_HEADLINE,             /* "The called phone is busy"; no full stop */
    CAUSE_PART_TEXT,                 /* what happened in this call; has placeholders */
    CAUSE_PART_TEXT_PLAIN,           /* the same without values; none where TEXT has none */
    CAUSE_PART_PROOF,                /* what the listed frames prove */
    CAUSE_PART_REFUTE,               /* what would show that it was something else */
    CAUSE_PART_FIX,                  /* + enum code_role: what that one does about it */
    CAUSE_PARTS = CAUSE_PART_FIX + CODE_ROLES
};

enum cause_id cause_find(slice slug);                      /* CAUSE_NONE: there is none */

/* For CAUSE_NONE and numbers beyond CAUSES: "", INFO, NOBODY, false, an empty list. */
const char *cause_slug(enum cause_id id);
enum cause_severity cause_severity(enum cause_id id);
enum cause_blame cause_blame(enum cause_id id);
bool cause_may_be_main(enum cause_id id);                  /* else it is a finding only */
const char *const *cause_codes(enum cause_id id);          /* "sip:486", "q850:17"; NULL-ended */
const char *const *cause_params(enum cause_id id);         /* "code", "phrase"; NULL-ended */

const char *cause_severity_name(enum cause_severity severity);  /* "warning": as in JSON */
const char *cause_blame_name(enum cause_blame blame);           /* "provider" */

/* Is this code (of enum code_family) among its codes? */
bool cause_has_code(enum cause_id id, const struct code *code);

/* A text as it stands, with its placeholders; empty when there is none. `part` may be
 * CAUSE_PART_FIX + CODE_ADMIN. */
slice cause_text(const struct words *w, enum cause_id id, enum cause_part part);

/* Writes a text with the values put in. Of CAUSE_PART_TEXT, the plain form is written when a
 * value that it needs is missing: leave unknown ones out. An empty text counts as missing. */
void cause_say(struct out *o, const struct words *w, enum cause_id id, enum cause_part part,
               const struct words_value *values, size_t count);

#endif
