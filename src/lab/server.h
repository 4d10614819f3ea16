/* lab/server.h - our own server for the time of one flow: a configuration and three users in memory.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What `signalbox serve` is made of (switch/worker.h), without a file: the configuration is a
 * text written on the spot, the users are alice, bob and carol of LAB_DOMAIN with the password
 * LAB_PASSWORD. What the flow wants of bob (a forward, one call at a time ...) is his.
 *
 *     struct lab_server *s = lab_server_new(&settings, &sender, now_ns);
 *     worker_receive(lab_server_worker(s), &hop, bytes, now_ns);                          */
#ifndef LAB_SERVER_H
#define LAB_SERVER_H

#include "switch/worker.h"

#define LAB_DOMAIN   "lab.example"
#define LAB_PASSWORD "between friends"
enum { LAB_USERS = 3 };

struct lab_wishes {                  /* of bob; zero: nothing special */
    unsigned    flags;               /* USER_... */
    const char *forward[USER_FORWARDS];
    uint16_t    no_answer_s, calls_max;
};
struct lab_server_settings {
    struct address   address;        /* where it listens */
    bool             is_tcp;
    struct lab_wishes wishes;
    struct hash_seed seed;
    struct digest_key key;
    struct worker_observer observer;
};

struct lab_server;
struct lab_server *lab_server_new(const struct lab_server_settings *settings, const struct hop_sender *sender, int64_t now_ns);
struct lab_server *lab_server_free(struct lab_server *s);
struct worker *lab_server_worker(struct lab_server *s);
slice lab_user_name(unsigned i);                          /* "alice", "bob", "carol" */

#endif
