/* switch/targets.h - where a request goes: server location by RFC 3263, without asking anybody.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A search says what is to be asked of the DNS and takes the answers, in any order; its owner
 * does the asking (net/resolve.h), a simulator may make answers up. What comes out is a list
 * of targets, best first, for one request and its fail-over.
 *
 *     targets_search_begin(&s, &settings, uri, large, random);
 *     while (!targets_search_is_done(&s)) {
 *         while (targets_search_ask(&s, &question)) send(&question);
 *         ... targets_search_answer(&s, question.id, &answer);
 *     }
 *     while (targets_next(&s.found, deadlist, now_ns, &target)) ...       // until one answers
 *
 * The way (4.1, 4.2): a numeric host is asked nothing. A port asks for addresses alone, a
 * transport for its SRV. Otherwise NAPTR says by what transports; when there is none, SRV is
 * asked for each of ours; when there is none, too, addresses of the name itself. maddr stands
 * for the host. SRV come by priority and, within one, by weight at random (RFC 2782); the
 * addresses of a host by turns from both families (RFC 7984, 8305), as a time-out may cost
 * 32 s. Services that NAPTR likes less follow when all of a better one failed.
 *
 * What the DNS says is hostile until it is looked at: names that are no host names, port 0,
 * address 0.0.0.0 and what is too many count as not said. An SRV that cannot be asked (a
 * time-out, SERVFAIL) is not the same as none: the addresses of the name itself might be a web
 * server's. Only a NAPTR may fail, as many a server knows none. */
#ifndef SWITCH_TARGETS_H
#define SWITCH_TARGETS_H

#include "base/address.h"
#include "switch/deadlist.h"
#include "wire/wire.h"

#define TARGETS_MAX           16     /* in a list */
#define TARGETS_HOSTS_MAX     8      /* names whose addresses are asked, the best */
#define TARGETS_ADDRESSES_MAX 4      /* of one host and family */
#define TARGETS_SERVICES_MAX  6      /* of one domain */
#define TARGETS_QUESTIONS_MAX (2 * TARGETS_HOSTS_MAX)     /* under way together */
#define TARGETS_NAME_MAX      253

enum targets_outcome {
    TARGETS_FOUND,
    TARGETS_BAD_URI,                 /* not sip or sips; no host, or one that is no name: 416, 400 */
    TARGETS_UNSUPPORTED,             /* only by a transport or an address family that is not ours */
    TARGETS_NONE,                    /* the domain does not exist or has no server */
    TARGETS_FAILED,                  /* the DNS answers with errors, or nobody is there: 504 */
    TARGETS_TIMED_OUT,               /* the DNS does not answer: 504 */
    TARGETS_OUTCOMES
};

struct target {
    struct address address;
    uint8_t        transport;        /* enum wire_transport */
};
struct targets {
    struct target list[TARGETS_MAX];
    uint32_t      tried;             /* bits of list */
    uint8_t       count;
    uint8_t       outcome;           /* enum targets_outcome; FOUND: count > 0 */
    bool          all_dead;          /* targets_next hands out what is blocked */
    uint8_t       name_length;
    char          name[TARGETS_NAME_MAX + 1];    /* of whom the certificate must be: the host of the URI,
                                                  * never what the DNS said (RFC 5922, 4) */
};
/* The next to try, those left out that `d` (NULL: none) has blocked; when all are blocked from
 * the start, they are tried all the same. False: no more. */
bool targets_next(struct targets *t, const struct deadlist *d, int64_t now_ns, struct target *ret);
slice targets_outcome_name(enum targets_outcome outcome);        /* "timed-out" */

enum targets_family { TARGETS_V6_FIRST, TARGETS_V4_FIRST, TARGETS_V6_ONLY, TARGETS_V4_ONLY };

struct targets_settings {
    uint8_t transports[WIRE_TRANSPORTS];         /* that we can send by, the dearest first */
    uint8_t transport_count;
    uint8_t family;                  /* enum targets_family */
    bool    rotate;                  /* begin anywhere among the addresses of one name: a cache does not turn them */
};

/* ---- the search ---- */

enum targets_type { TARGETS_NAPTR, TARGETS_SRV, TARGETS_A, TARGETS_AAAA };

struct targets_question {
    slice   name;                    /* a NUL follows; valid until the next answer */
    uint8_t type;                    /* enum targets_type */
    uint8_t id;
};
struct targets_record {
    slice    name;                   /* SRV: target, NAPTR: replacement; "" or "." is the root */
    uint16_t priority, weight, port; /* NAPTR: order, preference, 0 */
    slice    flags, service;         /* NAPTR */
    struct address address;          /* A, AAAA */
};
enum targets_got { TARGETS_GOT_RECORDS, TARGETS_GOT_NONE, TARGETS_GOT_FAILURE, TARGETS_GOT_TIMEOUT };
struct targets_answer {
    enum targets_got got;
    const struct targets_record *records;        /* CNAMEs followed, of the type that was asked */
    size_t count;
};

struct targets_name { uint16_t at; uint8_t length; };     /* in the text of the search */
struct targets_service {
    struct targets_name srv;         /* what is asked; length 0: nothing */
    uint8_t  transport, count;
    struct { struct targets_name name; uint16_t port; } entries[TARGETS_HOSTS_MAX];
};
struct targets_host {
    struct targets_name name;
    uint8_t count[2];                /* v4, v6 */
    struct address addresses[2][TARGETS_ADDRESSES_MAX];
};
struct targets_search {              /* embed it; no pointers inside: may be copied */
    struct targets found;            /* once it is done */
    struct targets_settings settings;
    uint64_t random;
    uint8_t  stage, worst;           /* worst: enum targets_got so far in this stage */
    uint8_t  fallback;               /* enum wire_transport, when there is no SRV */
    bool     large, secure, refused;
    uint8_t  asked, answered, question_count;
    struct { uint8_t type, of; bool waits; } questions[TARGETS_QUESTIONS_MAX];
    struct targets_name target;      /* RFC 3263's TARGET */
    uint8_t  service_count, host_count;
    struct targets_service services[TARGETS_SERVICES_MAX];
    struct targets_host hosts[TARGETS_HOSTS_MAX];
    uint16_t text_used;
    char     text[4096];
};

/* `large`: the request has more than 1,300 bytes, so TCP is tried before UDP (RFC 3261,
 * 18.1.1). `random`: any number that others cannot know. It may be done at once. */
void targets_search_begin(struct targets_search *s, const struct targets_settings *settings, slice uri, bool large,
                          uint64_t random);
bool targets_search_is_done(const struct targets_search *s);
/* The next question that was not handed out yet. False: wait for answers. */
bool targets_search_ask(struct targets_search *s, struct targets_question *ret);
void targets_search_answer(struct targets_search *s, uint8_t id, const struct targets_answer *answer);

/* Letters, digits, '-' and '_' in labels of 1 to 63 bytes, 253 in all; the last not a number
 * (RFC 1123, 2.1). A dot at the end is fine. */
bool targets_name_is_good(slice name);

#endif
