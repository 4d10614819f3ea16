/* lab/sim.h - a network that exists in memory: virtual clock, seeded loss, doubling, delay and
 * overtaking.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nodes are whatever takes messages and has timers (a phone, a switch). Everything that happens
 * follows from the seed, so a failure is repeated by its number.
 *
 *     struct sim *s = sim_new(&settings, start_ns);
 *     sim_add(s, &node);                         // gives it its place; then its sender:
 *     struct hop_sender sender = sim_sender(s, place);
 *     sim_run(s, start_ns + 60 * SECOND_NS);                                              */
#ifndef LAB_SIM_H
#define LAB_SIM_H

#include "sip/message.h"
#include "wire/hop.h"

struct sim;

struct sim_settings {
    uint64_t seed;
    uint32_t loss_ppm, twice_ppm;    /* of a million messages */
    int64_t  delay_min_ns, delay_max_ns;                  /* more than the gap of two messages: they overtake */
};

struct sim_node {
    void          *ctx;
    struct address address;          /* by which it is found; ports count */
    void    (*receive)(void *ctx, const struct hop *from, const struct sip_message *m, int64_t now_ns);
    void    (*lost)(void *ctx, const struct hop *hop, int64_t now_ns);      /* nobody is there; may be NULL */
    void    (*time)(void *ctx, int64_t now_ns);
    int64_t (*next_ns)(void *ctx);
};

struct sim_counts {
    uint64_t sent, lost, doubled, delivered;
};

struct sim *sim_new(const struct sim_settings *settings, int64_t start_ns);
struct sim *sim_free(struct sim *s);
/* Its place, or -1: no room. The node is copied. */
int  sim_add(struct sim *s, const struct sim_node *node);
struct hop_sender sim_sender(struct sim *s, int place);
void sim_rebind(struct sim *s, int place, void *ctx);     /* what it is could be made only with its sender */
void sim_touch(struct sim *s, int place);                  /* its next time may be another: something was asked of it
                                                           * while another node had its turn, and it sent nothing */
void sim_silence(struct sim *s, int place);                /* switched off: takes nothing, has no timers */
/* Each message that is sent, before anything happens to it; `lost`: it will not arrive. */
void sim_tap(struct sim *s, void (*tap)(void *ctx, const struct hop *to, slice bytes, int64_t now_ns, bool lost), void *ctx);
void sim_set(struct sim *s, const struct sim_settings *settings);         /* from now on; the seed is not looked at */
/* Drops the n-th message from now (1: the next one), counted over all nodes; 0: none. */
void sim_lose(struct sim *s, uint64_t nth);

/* Until that time, or until nothing is under way and no timer is set; returns the time reached. */
int64_t sim_run(struct sim *s, int64_t until_ns);
int64_t sim_now_ns(const struct sim *s);
uint64_t sim_random(struct sim *s);                        /* for what the nodes' owner decides */
const struct sim_counts *sim_counts(const struct sim *s);

#endif
