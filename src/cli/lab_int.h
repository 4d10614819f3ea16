/* cli/lab_int.h - what the files of `signalbox lab` share. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LAB_INT_H
#define CLI_LAB_INT_H

#include "capture/writer.h"
#include "cli/cli.h"
#include "codes/flow.h"
#include "call/flow.h"
#include "lab/play.h"
#include "lab/trouble.h"
#include "net/loop.h"

enum { LAB_FLOWS_MAX = 64, LAB_ACCOUNT_MAX = 128 };

struct lab_account { char user[LAB_ACCOUNT_MAX], password[LAB_ACCOUNT_MAX]; };

struct lab_wish {                    /* the command line, understood */
    const struct script *scripts[LAB_FLOWS_MAX];
    size_t      count;
    bool        list, is_tcp, no_ladder, has_seed;
    const char *against, *users, *domain, *pcap;          /* NULL: none */
    char        host[256];           /* of `against`, without its port */
    uint16_t    port;                /* of our own server; 0: a free one */
    unsigned    jobs;                /* 0: as it fits */
    struct trouble_settings network;
    struct address server;           /* of --against; family 0: our own */
    struct lab_account accounts[SCRIPT_PHONES];
};
static inline bool lab_is_bad_network(const struct lab_wish *w)
{
    return w->network.loss_ppm || w->network.twice_ppm || w->network.delay_ns || w->network.jitter_ns;
}

/* ---- lab_watch.c: what goes by, into tracker, diagnosis, ladder and capture file ---- */

struct lab_record {                  /* of all flows of one run */
    struct capture_writer *writer;   /* NULL: none */
    struct out             room;
    uint64_t               frames;
    int                    error;    /* of the writer */
};
struct lab_watch_settings {
    const struct words  *words;
    struct style         style;
    struct out          *out;        /* the ladder goes there; NULL: none is drawn */
    const struct script *script;
    struct lab_record   *record;
};
struct lab_watch;
struct lab_watch *lab_watch_new(const struct lab_watch_settings *settings);      /* NULL: no memory */
struct lab_watch *lab_watch_free(struct lab_watch *w);
void lab_watch_lane(struct lab_watch *w, const struct address *a, slice name);
void lab_watch_message(struct lab_watch *w, const struct hop *hop, bool sent, slice bytes, int64_t now_ns);
/* Nothing more comes: the record of the call or registration that is nearest to the script's flow. */
const struct call_flow *lab_watch_finish(struct lab_watch *w);
uint64_t lab_watch_messages(const struct lab_watch *w);

/* ---- lab_world.c: server and phones of one flow on their sockets ---- */

struct lab_world;
struct lab_world_settings {
    struct cli            *cli;
    const struct lab_wish *wish;
    const struct script   *script;
    struct loop           *loop;
    struct lab_record     *record;
    struct out            *out;      /* of the ladder, or NULL */
    uint64_t               seed;
};
/* CLI_DONE and the world, or an exit code with the reason said. */
int lab_world_open(const struct lab_world_settings *settings, struct lab_world **ret);
struct lab_world *lab_world_free(struct lab_world *w);
bool lab_world_is_over(const struct lab_world *w);

struct lab_outcome {
    const struct play_result *play;
    const struct call_flow   *flow;
    struct trouble_counts       network;
    uint64_t                  messages;
    int64_t                   took_ns;
};
struct lab_outcome lab_world_finish(struct lab_world *w);

/* ---- lab_run.c ---- */
int lab_run(struct cli *cli, const struct lab_wish *wish);

#endif
