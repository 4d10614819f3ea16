/* lab/load.h - calls or registrations at a given rate, whatever becomes of them: how a server is
 * measured.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Open loop: the next call begins when the clock says so, not when the last one is done, so a
 * server that is slow cannot slow the question. Delays are kept in a histogram whose buckets
 * are 3 % wide, from 1 us to 1,000 s, so a percentile is honest to that much.
 *
 * No socket and no clock: phones on both sides are made by the caller's senders.
 *
 *     struct load *l = load_new(&settings, now_ns);
 *     load_phone(l, LOAD_CALLER, &phone_settings, &sender);  ...      // each with its own address
 *     load_receive(l, index, &hop, &m, now_ns);  load_time(l, now_ns);                   */
#ifndef LAB_LOAD_H
#define LAB_LOAD_H

#include "lab/phone.h"

struct load;

enum load_side { LOAD_CALLER, LOAD_CALLEE };
enum load_phase { LOAD_REGISTERING, LOAD_CALLING, LOAD_ENDING, LOAD_DONE, LOAD_FAILED };

struct load_settings {
    double   calls_per_s;
    int64_t  duration_ns;            /* in which calls begin */
    int64_t  hold_ns;                /* from the answer to the BYE */
    int64_t  ring_ns;                /* from the 180 to the answer */
    slice    domain;                 /* of the users */
    bool     registers;              /* first; else the server knows them */
    bool     strangers;              /* the callers: they do not register */
    bool     registrations;          /* no calls: the phones register again, each with a challenge */
    unsigned how;                    /* PHONE_... of each call */
};

enum { LOAD_BUCKETS = 720 };
struct load_histogram {
    uint64_t buckets[LOAD_BUCKETS], count;
    int64_t  max_ns;
};
int64_t load_percentile_ns(const struct load_histogram *h, double percent);       /* 0: nothing came */

struct load_counts {
    uint64_t begun, answered, ended, failed, not_begun;
    uint64_t finals[700];            /* of those that failed, by code */
    uint64_t live, live_max;
    uint64_t registered, not_registered;
    struct load_histogram invite;    /* from when the caller's INVITE was due to its arrival at the callee; of a
                                      * registration from the first REGISTER to its 200 */
    struct load_histogram late;      /* how late a call began: the generator's own fault */
};

struct load *load_new(const struct load_settings *settings, int64_t now_ns);      /* NULL: no memory */
struct load *load_free(struct load *l);
/* Its place, or -1: no memory. Callers and callees in any order. */
int  load_phone(struct load *l, enum load_side side, const struct phone_settings *settings, const struct hop_sender *sender,
                int64_t now_ns);
void load_receive(struct load *l, int place, const struct hop *from, const struct sip_message *m, int64_t now_ns);
void load_lost(struct load *l, int place, const struct hop *hop, int64_t now_ns);   /* nobody is there */
void load_time(struct load *l, int64_t now_ns);
int64_t load_next_ns(const struct load *l);
enum load_phase load_phase(const struct load *l);
const struct load_counts *load_counts(const struct load *l);
uint64_t load_resent(const struct load *l);                /* messages sent again, all phones */

#endif
