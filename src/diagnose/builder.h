/* diagnose/builder.h - what a rule that holds says: certainty, proof, values.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A rule fills the candidate at hand and returns true; false throws it away. Text is written only
 * for what is told in the end, so a candidate holds pointers into the case. Values that the rule
 * does not give (code, phrase, number, user, agent, codecs_caller, codecs_callee, address) are taken
 * from the case when the sentence of the cause wants them. */
#ifndef DIAGNOSE_BUILDER_H
#define DIAGNOSE_BUILDER_H

#include "codes/cause.h"
#include "diagnose/case.h"

#define CANDIDATES_MAX 40u
#define PARAMS_MAX 8u

struct proof {
    const struct trace_message *message;         /* or */
    const struct stream        *stream;          /* or */
    uint64_t                    frame;           /* with */
    slice                       what;
};

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_TENTHS, VALUE_ADDRESS };
struct value {
    const char *name;
    enum value_kind kind;
    slice   text;
    int64_t number;                  /* of VALUE_TENTHS: tenths */
    struct address address;
};

struct candidate {
    uint16_t cause;
    uint16_t code;                   /* 0: the call's final code when it failed */
    uint8_t  certainty;
    uint8_t  weight;                 /* specific causes weigh more; 0: a finding only */
    uint8_t  proof_count, value_count;
    struct proof proofs[VERDICT_EVIDENCE_MAX];
    struct value values[PARAMS_MAX];
};

void prove(struct candidate *c, const struct trace_message *m);      /* NULL: nothing */
void prove_stream(struct candidate *c, const struct stream *s);      /* NULL: nothing */
void prove_frame(struct candidate *c, uint64_t frame, slice what);   /* 0: nothing */
void say_text(struct candidate *c, const char *name, slice text);
void say_number(struct candidate *c, const char *name, int64_t number);
void say_seconds(struct candidate *c, const char *name, int64_t ns);
void say_tenths(struct candidate *c, const char *name, int64_t tenths);
void say_address(struct candidate *c, const char *name, const struct address *address);      /* with its port */
void say_host(struct candidate *c, const char *name, const struct address *address);         /* without */
static inline void sure_if(struct candidate *c, bool sure) { c->certainty = sure ? VERDICT_SURE : VERDICT_LIKELY; }

/* Writes the candidate into the arena. False: no memory. `k` may be NULL (registrations). */
bool candidate_write(const struct candidate *c, const struct casefile *k, struct arena *a, struct verdict *ret);

#endif
