/* lab/play.h - phones go through a script: each row in its turn, and the first that fails is kept.
 * SPDX-License-Identifier: Apache-2.0
 *
 * No socket and no clock: the same script is played in a network of memory (scripts_test.c), on
 * loopback, and against somebody else's server (signalbox lab). What a phone tells is put in a
 * queue; a row that waits takes the next of its own, and a 1xx, a PRACK or an offer that nobody
 * waits for makes no difference.
 *
 *     struct play *p = play_new(script, &settings, now_ns);
 *     struct phone_owner owner = play_owner(p);     // for phone_new
 *     play_set_phone(p, 0, phone, SLICE("sip:alice@lab.example"));  ...
 *     play_time(p, now_ns);                         // whenever something happened or is due   */
#ifndef LAB_PLAY_H
#define LAB_PLAY_H

#include "lab/scripts.h"

struct play;

struct play_settings {
    int64_t patience_ns;             /* how long a row waits (8 s) */
    int64_t settle_ns;               /* silence at the end, for what is repeated (250 ms) */
    bool    bad_network;             /* a 1xx may be lost, offers may miss each other */
    bool    leaves;                  /* phones deregister at the end */
};

struct play_result {
    bool     failed;
    unsigned step;                   /* of the script, from 1; 0: registering or leaving */
    char     who;
    bool     came_nothing;
    char     expected[SCRIPT_LABEL_MAX], came[SCRIPT_LABEL_MAX];
};

struct play *play_new(const struct script *script, const struct play_settings *settings, int64_t now_ns);
struct play *play_free(struct play *p);                   /* the phones are their owner's, and freed before */
struct phone_owner play_owner(struct play *p);
/* `uri` is how others dial it; borrowed. */
void play_set_phone(struct play *p, unsigned i, struct phone *phone, slice uri);

void    play_heard(struct play *p, int64_t now_ns);       /* a message went by: it is not silent yet */
void    play_time(struct play *p, int64_t now_ns);
int64_t play_next_ns(const struct play *p);
bool    play_is_over(const struct play *p);
bool    play_is_prepared(const struct play *p);           /* registering is behind it, or part of the script */
const struct play_result *play_result(const struct play *p);

#endif
