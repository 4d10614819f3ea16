/* codes/code.h - the catalogue: what each code means, why it comes, what to do.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything stands in data/codes and is compiled in; nothing here allocates. Numbers
 * overlap between the families (999, 17), so a code is always a pair of family and number or
 * id. Sentences are asked for in a language:
 *
 *     const struct code *busy = code_find(CODE_SIP, 486);
 *     slice headline = code_text(w, busy->headline);
 *
 * A new code is a new table in data/codes; see docs/translating.md for its translations. */
#ifndef CODES_CODE_H
#define CODES_CODE_H

#include "codes/words.h"

enum code_family {
    CODE_SIP,                        /* responses: 100 to 699 (RFC 3261, 21) */
    CODE_MONITOR,                    /* states of calls and registrations: 999, 1000, 2002, ... */
    CODE_LOCAL,                      /* results inside our own system: SIP0, SIP18X, 900 to 915, kill */
    CODE_Q850,                       /* causes of the telephone network: 1 to 127 */
    CODE_CLASS,                      /* a whole class: 1xx to 6xx, 9xx */
    CODE_FAMILIES
};

enum code_role { CODE_CALLER, CODE_CALLEE, CODE_PROVIDER, CODE_ADMIN, CODE_ROLES };

/* Is it a fault? */
enum code_normal { CODE_NORMAL_UNSAID, CODE_NORMAL_YES, CODE_NORMAL_FIRST, CODE_NORMAL_NO };

/* What a SIP response tells about the call, for statistics. */
enum code_outcome {
    CODE_OUTCOME_NONE,
    CODE_PROGRESS, CODE_ANSWERED, CODE_REDIRECT, CODE_SYNTAX, CODE_CHALLENGE, CODE_ACCOUNT,
    CODE_NUMBER, CODE_USER, CODE_NETWORK, CODE_CAPABILITY, CODE_ROUTING, CODE_DIALOG,
    CODE_OUTCOMES
};

/* What a failure within a dialog ends (RFC 5057, 5.1). */
enum code_effect {
    CODE_EFFECT_NONE, CODE_EFFECT_TRANSACTION, CODE_EFFECT_USAGE, CODE_EFFECT_DIALOG
};

/* A text that is translated; at == 0: there is none. */
typedef struct sentence {
    uint32_t at;
} sentence;

struct code_cause {
    const char *id;                  /* "on-call"; the same in every language and version */
    sentence    text;                /* what is the case */
    sentence    evidence;            /* how it is seen in a capture */
    sentence    fix[CODE_ROLES];     /* who does what about it */
};

struct code {
    uint8_t     family, normal, outcome, effect;
    uint8_t     digit;               /* its class: 4 of 486; 0 where it has none */
    bool        registered;          /* with IANA; true outside CODE_SIP */
    uint8_t     related_count, cause_count;
    uint16_t    number;              /* 0 where the id is no number */
    const char *id;                  /* "486", "SIP18X", "kill", "4xx" */
    const char *slug;                /* "busy-here" */
    const char *phrase;              /* "Busy Here"; the name in English */
    const char *list;                /* where a monitor shows it: "active", ...; NULL: nowhere */
    sentence    name;                /* translated name; none for SIP and Q.850, whose are official */
    sentence    headline, means, when;
    sentence    sent_by, retry, carries;
    sentence    leaves;              /* what follows a state */
    sentence    maps;                /* Q.850: what becomes of it in SIP */
    sentence    title, unknown;      /* class: its heading; about a number that is not registered */
    sentence    note;
    const char *const *rfc;          /* NULL at the end; so are the next two */
    const char *const *must_headers, *const *may_headers;
    const char *sip_by_rfc3398, *sip_by_rfc4497, *sip_by_freeswitch;     /* Q.850; may be "" */
    const uint16_t *related;         /* for code_at */
    const struct code_cause *causes; /* in the order in which to check */
};

/* Codes that people confuse, compared by hand. */
#define CODE_COMPARED_MAX 4
struct code_comparison {
    uint8_t  count;
    uint16_t codes[CODE_COMPARED_MAX];                     /* for code_at */
    sentence gist, who, tell, what_to_do, choose;
};

size_t code_count(void);
const struct code *code_at(size_t index);                  /* by family, then by number */

/* NULL when there is none. Ids are compared without case. */
const struct code *code_find(enum code_family family, unsigned number);
const struct code *code_find_id(enum code_family family, slice id);
const struct code *code_class(unsigned digit);             /* 1 to 6 and 9 */

slice code_text(const struct words *w, sentence s);        /* empty when there is none */
slice code_name(const struct words *w, const struct code *code);      /* in the language, or phrase */
const char *code_family_name(enum code_family family);     /* "sip", "q850": as in JSON and queries */
const char *code_role_name(enum code_role role);           /* "caller" */
const char *code_normal_name(enum code_normal normal);     /* "first"; "" when unsaid */
const char *code_outcome_name(enum code_outcome outcome);  /* "user"; "" for none */
const char *code_effect_name(enum code_effect effect);     /* "transaction"; "" for none */

/* For every response, by direct index. An unregistered number has no phrase and the outcome
 * of its class's first code (RFC 3261, 8.1.3.2); outside 100 to 699 there is none. */
slice code_phrase(unsigned status);
enum code_outcome code_outcome(unsigned status);

/* What is written about exactly this set of codes, in whatever order; NULL: nothing. */
const struct code_comparison *code_compared(const struct code *const codes[], size_t count);
/* The difference of two classes of SIP responses with {a} and {b}; first <= second. */
sentence code_class_difference(unsigned first, unsigned second);

#endif
