/* lab/trouble.h - a bad network in front of a good one: loss, delay, duplicates, overtaking.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Stands between whoever sends and the hop_sender that really does. No clock: what is delayed
 * leaves when trouble_time is called. Everything follows from the seed. Only datagrams suffer;
 * messages of a connection pass at once, since a stream loses and swaps nothing.
 *
 *     struct trouble *r = trouble_new(&settings, net_sender(net));
 *     struct hop_sender sender = trouble_sender(r);   // for a phone or a switch
 *     trouble_time(r, now_ns);                        // when trouble_next_ns says so, and before sending */
#ifndef LAB_TROUBLE_H
#define LAB_TROUBLE_H

#include "wire/hop.h"

struct trouble;

struct trouble_settings {
    uint64_t seed;
    uint32_t loss_ppm, twice_ppm;    /* of a million messages */
    int64_t  delay_ns, jitter_ns;    /* each so much later, and by up to so much more */
};
struct trouble_counts {
    uint64_t sent, lost, doubled;
};

struct trouble *trouble_new(const struct trouble_settings *settings, const struct hop_sender *inner);    /* NULL: no memory */
struct trouble *trouble_free(struct trouble *r);                /* what is under way is lost */
struct hop_sender trouble_sender(struct trouble *r);
void    trouble_time(struct trouble *r, int64_t now_ns);
int64_t trouble_next_ns(const struct trouble *r);
const struct trouble_counts *trouble_counts(const struct trouble *r);

#endif
