/* diagnose/case.h - the facts of one leg as rules ask for them, computed once per call.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything is borrowed from the record, its trace and its facts. `marks` is what a rule needs
 * before it is asked at all, so that most rules cost a comparison. */
#ifndef DIAGNOSE_CASE_H
#define DIAGNOSE_CASE_H

#include "diagnose/diagnose.h"
#include "diagnose/vendor.h"

#define SECOND_NS 1000000000LL
#define MS_NS     1000000LL

enum {                               /* marks, bits */
    K_WHOLE       = 1u << 0,         /* its beginning was captured */
    K_OVER        = 1u << 1,         /* the capture did not end within it */
    K_BOTH_WAYS   = 1u << 2,         /* messages of both sides were captured */
    K_ANSWERED    = 1u << 3,
    K_REFUSED     = 1u << 4,         /* a final code of 300 and more, never answered */
    K_CANCELLED   = 1u << 5,
    K_RANG        = 1u << 6,         /* some 101 to 199 */
    K_NO_REPLY    = 1u << 7,         /* not one response to its INVITE */
    K_HUNG_UP     = 1u << 8,         /* BYE */
    K_REPEATED    = 1u << 9,         /* something had to be sent again */
    K_IN_DIALOG   = 1u << 10,        /* requests within it, ACK and BYE aside */
    K_RELIABLE    = 1u << 11,        /* a 1xx that waits for a PRACK */
    K_QOS         = 1u << 12,        /* preconditions */
    K_STREAMS     = 1u << 13,        /* voice was captured */
    K_VISIBLE     = 1u << 14,        /* and silence means silence */
    K_OFFER       = 1u << 15,        /* an SDP of the caller's side */
    K_ANSWER_SDP  = 1u << 16,        /* an SDP of the callee's side */
    K_REASON      = 1u << 17,        /* a Reason header */
    K_CHALLENGED  = 1u << 18,        /* 401 or 407 */
    K_LEGS        = 1u << 19,        /* the session has other legs */
    K_HISTORY     = 1u << 20,
    K_HOPS        = 1u << 21,        /* seen at more than one place of its way */
    K_VOLTE       = 1u << 22,
    K_HELD        = 1u << 23,
    K_TRANSFER    = 1u << 24,
    K_DIVERTED    = 1u << 25,
    K_REDIRECTED  = 1u << 26,
    K_TALKED      = 1u << 27,        /* answered, and with time to talk: 2 s or more */
    K_UNDECIDED   = 1u << 28,        /* neither answered nor refused */
    K_CUT         = 1u << 29,        /* packets without their end */
    K_FLAWED      = 1u << 30,
    K_VENDOR      = 1u << 31,        /* a product whose habits are known */
};
#define K_INCIDENT (1ull << 32)      /* the network reported something */
#define K_CALM (K_WHOLE | K_BOTH_WAYS)   /* seen well enough to blame somebody */

struct case_pair {                   /* a request and its final response */
    const struct trace_message *request, *response;
};

struct case_way {                    /* voice one way */
    const struct stream *first, *worst;      /* by lowest score; NULL: none */
    const struct stream *last;
    uint64_t packets, after_answer;
    int64_t  last_ns;
    uint16_t streams;
};

struct casefile {
    const struct call       *call;
    const struct call_facts *facts;          /* never NULL */
    const struct incident   *incidents;      /* CALL_INCIDENT_ABOUTS of them; never NULL */
    struct call *const      *legs;
    size_t                   leg_count;
    const struct diagnose_context *context;
    const struct vendor     *vendor;         /* of who refused; never NULL */
    const struct history_host *asker;        /* the caller's machine in other calls; NULL: not known */
    uint64_t marks;
    int64_t  now_ns;                 /* the capture was watched until then, or the call was */
    int64_t  talk_ns, ring_ns;       /* 0: none */
    int64_t  t1_ns;

    /* Messages of note; NULL: none */
    const struct trace_message *invite;          /* the newest initial one */
    const struct trace_message *first_invite;
    const struct trace_message *trying, *progress, *ringing, *last_progress;
    const struct trace_message *answer, *ack, *final, *bye, *cancel;
    const struct trace_message *early_sdp;       /* a 18x with SDP */
    const struct trace_message *challenge;       /* newest 401 or 407 to the INVITE */
    const struct trace_message *unpracked;       /* a reliable 1xx, repeated or long ago, without PRACK */
    const struct trace_message *met;             /* the message that said QoS is there */
    const struct trace_message *last;
    const struct trace_message *down_cancel, *down_final;    /* further on than the caller's hop */
    const struct trace_message *other_answer;    /* 2xx of another branch */
    struct case_pair refused[SIP_METHODS];       /* newest refused request inside the dialog */
    struct case_pair unanswered[SIP_METHODS];    /* one that was repeated in vain */
    struct case_pair backwards;                  /* refused with 500, its CSeq not above the one before */
    const struct trace_message *glare;           /* newest 491 */
    int64_t refreshed_ns;                        /* newest 2xx to a re-INVITE or UPDATE after the answer */
    struct case_pair lost;                       /* a 481 or 408 inside the dialog, BYE aside */
    uint32_t repeats;                /* retransmissions, all */
    uint32_t glares;                 /* 491 */
    uint32_t from_caller, from_callee;           /* messages */
    uint32_t forks;                  /* answers of other branches */
    uint32_t bytes_max;
    uint16_t qos_wanted;             /* the INVITE asked for preconditions */
    int64_t  held_ns;                /* all holds together */
    const struct trace_message *hold, *t38, *redirect, *too_small;   /* 422 */
    struct case_way way[2];          /* [0] caller to callee */
};

void case_open(struct casefile *k, struct call *const *legs, size_t count, size_t index,
               const struct diagnose_context *context);

/* Times. 0 when one is unknown. */
int64_t  case_gap_ns(int64_t from_ns, int64_t to_ns);
uint32_t case_seconds(int64_t ns);                        /* rounded; never negative */
/* Who was asked: the first hop's far end, or for a message of the callee its near one. */
const struct address *case_server(const struct casefile *k);
const struct address *case_side(const struct casefile *k, bool callee);
/* What a side's SDP names: "PCMU/8000 G729/8000"; empty: none. */
slice case_codecs(const struct casefile *k, bool callee);
/* The addresses of a message's hop. */
const struct address *case_source(const struct casefile *k, const struct trace_message *m);
const struct address *case_target(const struct casefile *k, const struct trace_message *m);
/* Was the machine that sent `response` asked only after the one that sent `failed` had replied? Else
 * they were asked side by side. */
bool case_asked_after(const struct casefile *k, const struct trace_message *failed,
                      const struct trace_message *response);
/* Are the newest descriptions of both sides an offer and its answer, exchanged between the same two
 * machines? A server on the way may write each of them anew, so what stands on two sides of it says
 * nothing about the other. */
bool case_sdp_pair(const struct casefile *k);
/* Does the phrase, the Reason text or the Warning contain one of these words? NULL-ended. */
bool case_says(const struct casefile *k, const char *const *words);
bool text_has(slice text, const char *const *words);

#endif
