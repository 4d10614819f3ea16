/* tests/harness/lab_relay.h - a media relay that exists in memory: answers ng after a while, or not.
 * SPDX-License-Identifier: Apache-2.0
 *
 * It writes 9.9.9.N where an SDP has 10.0.0.N, so whoever looks can tell what went by it. */
#ifndef TESTS_HARNESS_LAB_RELAY_H
#define TESTS_HARNESS_LAB_RELAY_H

#include "switch/media_relay.h"

enum fake_mood { FAKE_WORKS, FAKE_SILENT, FAKE_REFUSES, FAKE_REFUSES_ANSWERS, FAKE_BABBLES };

struct fake_letter {
    int64_t at_ns;
    size_t  len;
    char    bytes[4096];
};
struct fake_relay {
    enum fake_mood mood;
    int64_t  delay_ns;
    const int64_t *now_ns;           /* the clock */
    unsigned lose;                   /* the n-th datagram from now does not arrive */
    unsigned offers, answers, deletes, pings;
    int      calls;                  /* that it knows: one at most in these tests' worlds */
    char     call_id[256];
    char     log[4096];              /* "offer a:from to\n" */
    struct fake_letter letters[64];
    size_t   letter_count;
};

struct media_sender fake_relay_sender(struct fake_relay *f);
/* The next answer that is due, or false. */
bool    fake_relay_take(struct fake_relay *f, int64_t now_ns, struct fake_letter *ret);
int64_t fake_relay_next_ns(const struct fake_relay *f);

#endif
