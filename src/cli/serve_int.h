/* cli/serve_int.h - what the files of `signalbox serve` share. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SERVE_INT_H
#define CLI_SERVE_INT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "cli/cli.h"
#include "cli/serve_names.h"
#include "cli/serve_relays.h"
#include "net/mailbox.h"
#include "net/net.h"
#include "report/printer.h"
#include "store/journal.h"
#include "store/users.h"
#include "switch/worker.h"

struct serve_wish {
    const char *config;              /* file; NULL: the defaults */
    const char *pcap;                /* NULL: none is written */
    uint64_t    pcap_bytes_max;      /* then it becomes FILE.1 and a new one begins; 0: it grows */
    bool        check, live, json;
};

/* ---- serve_live.c: what happens, through tracker, diagnosis and printer ----
 *
 * Whoever hears of messages tells them here in the order in which they came or went, one thread
 * at a time; nothing in it waits, however slow the reader is. */

struct serve_live;
/* NULL: no memory. Prints to the descriptor of cli->out, whose text must have been flushed. */
struct serve_live *serve_live_new(struct cli *cli, bool json);
/* Closes what is open and prints it; waits for whoever still reads, for some seconds at most. */
struct serve_live *serve_live_free(struct serve_live *l);
void serve_live_message(struct serve_live *l, const struct hop *hop, bool sent, slice bytes, int64_t now_ns);
/* Two dialogs are one call: after the INVITE of the further one was told. */
void serve_live_joined(struct serve_live *l, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further);
/* Nothing gets through to that end any more. */
void serve_live_lost(struct serve_live *l, const struct hop *hop, int error, int64_t now_ns);
/* Several times a second. */
void serve_live_time(struct serve_live *l, int64_t now_ns);

/* ---- serve_bans.c: the banned addresses as a file (report/bans.h), STATE/bans.tsv ---- */

enum { SERVE_BANS_MAX = 10000 };     /* those heard last */
struct serve_bans;
struct serve_bans *serve_bans_new(const char *folder);    /* NULL: no memory */
struct serve_bans *serve_bans_free(struct serve_bans *b);
/* When it is time. 0, or -errno, told once: a list that cannot be written keeps no call from being made. */
int         serve_bans_tick(struct serve_bans *b, const struct guard *guard, int64_t now_ns);
const char *serve_bans_path(const struct serve_bans *b);

/* ---- serve_pcap.c: each message into a capture file that can be read at any time ---- */

struct serve_pcap;
/* -1 and *ret (NULL: none is wanted), or the exit code after an error that was told. */
int  serve_pcap_open(struct cli *cli, const struct serve_wish *wish, const struct config *config, struct serve_pcap **ret);
void serve_pcap_message(struct serve_pcap *p, const struct hop *hop, bool sent, slice bytes, int64_t now_ns);
void serve_pcap_time(struct serve_pcap *p, int64_t now_ns);
/* `code`, or CLI_MACHINE when something was not written. `p` may be NULL. */
int  serve_pcap_close(struct serve_pcap *p, int code);

/* ---- what runs ---- */

/* All that one thread has for itself: the main thread is worker 0. */
struct serve_worker {
    struct serving     *serving;
    struct loop        *loop;
    struct net         *net;
    struct serve_relays *relays;     /* of its own, as its loop is */
    struct users_db    *users_db;
    struct users        users;
    struct serve_names *names;
    struct worker      *worker;
    struct mailbox     *mailbox;     /* NULL: there is one worker */
    struct hop_sender   own_sender;  /* by its own sockets */
    struct loop_turn    turn;
    struct out          told;        /* a record for the others */
    int64_t             tick_ns;
    pthread_t           thread;
    bool                has_thread;
    uint8_t             number;
    /* Of the message at hand: */
    int64_t             came_ns;     /* to the kernel */
    uint8_t             tried;       /* by how many workers it was passed on, after parsing */
    /* For the others to look at. */
    atomic_uint_fast64_t live;       /* calls, as of its last round */
    atomic_bool          refuses;    /* it takes no new ones, as of its last round */
};

enum serve_shared { SERVE_GUARD, SERVE_LINES, SERVE_TRUNKS, SERVE_SOURCES, SERVE_WATCH, SERVE_SHARED };

struct serving {
    struct cli              *cli;
    const struct serve_wish *wish;
    const struct config     *first;  /* that the program was started with: outlives it */
    struct config           *later;  /* that it was given by the last reload, or NULL */
    const struct config     *config; /* one of these two: it holds now */
    struct plan             *plan;
    struct steer             steer;  /* and how many workers there are */
    struct serve_worker      workers[STEER_WORKERS_MAX];
    struct digest_key        key;    /* of all workers: a nonce of one is known to the others */

    /* ---- what threads share, and its locks ---- */
    pthread_mutex_t          locks[SERVE_SHARED];
    struct tally            *lines, *trunks, *sources;
    int64_t                  watched_ns;                  /* the latest that was observed */
    pthread_mutex_t          pause;                       /* of these three */
    pthread_cond_t           paused, resumed;
    unsigned                 waiting, gone;               /* threads */
    atomic_bool              pausing, draining, hanging_up;

    /* ---- what only worker 0 looks at ---- */
    struct journal          *journal;
    struct bindings_walk     walk;
    bool                     walking, leaving;
    int                      drains_obeyed;               /* of the signals that asked for it */
    struct out               record;
    struct serve_pcap       *pcap;   /* or NULL */
    struct serve_live       *live;
    struct serve_bans       *bans;
};

/* ---- serve_worker.c: one worker: its sockets, its part of the switch, and its letters to the others ---- */

/* -1, or the exit code; it is said then. Others than 0 after 0, whose guard they share. */
int  serve_worker_open(struct serving *s, unsigned number);
void serve_worker_close(struct serve_worker *w);
/* What was asked of all of them: to take no new calls, to end those that there are. */
void serve_worker_obey(struct serve_worker *w);
int64_t serve_worker_turn(struct serve_worker *w, int64_t now_ns);       /* when it wants to be called next */
/* Its table changed: tells the others what is its own to tell. */
void serve_worker_tell(struct serve_worker *w, slice key, const struct bindings_aor *aor);
/* A lock of the shared things, or none when there is one worker. */
struct lock serve_lock(struct serving *s, enum serve_shared what);

/* ---- serve_crew.c: the threads ---- */

bool serve_crew_init(struct serving *s, unsigned count); /* 0: one for each core. False: no memory */
void serve_crew_done(struct serving *s);
int  serve_crew_start(struct serving *s);                 /* 0 or -errno */
void serve_crew_stop(struct serving *s);                  /* all of them, worker 0 included; returns at once */
void serve_crew_join(struct serving *s);                  /* those that were started, and sends what they left */
void serve_crew_wake(struct serving *s);
/* Between these two no other worker does anything: its thread waits at the end of a round. */
void serve_crew_pause(struct serving *s);
void serve_crew_resume(struct serving *s);
uint64_t serve_crew_calls(struct serving *s);
bool     serve_crew_is_empty(struct serving *s);          /* nobody takes calls, and nobody has one */

/* ---- serve_run.c, for the workers ---- */
void serve_observed(void *serving, const struct hop *hop, bool sent, slice bytes, int64_t now_ns);
void serve_joined(void *serving, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further);
void serve_lost(struct serving *s, const struct hop *hop, int error, int64_t now_ns);
void serve_bound(void *worker, slice key, const struct bindings_aor *aor, bool times_only);
void serve_house(struct serving *s, int64_t now_ns);      /* what worker 0 does for all; several times a second */
void serve_obey(struct serving *s);                       /* signals; worker 0, each round */

/* ---- serve_reload.c: what is done when the program starts, and again with another configuration ---- */

/* What net_open and net_prepare want; free the listeners. False: no memory. */
bool serve_net_settings(const struct serve_worker *w, const struct config *config, struct net_settings *ret);
int  serve_say_fault(const struct serving *s, const struct config *config, const struct net_fault *fault);
/* The first line of each gateway's password file. -1, or the exit code; it is said then. */
struct serve_passwords;
int  serve_passwords_read(const struct serving *s, const struct config *config, struct serve_passwords **ret);
int  serve_passwords_give(struct serving *s, struct serve_passwords *p);  /* to the gateways of all; frees them */
void serve_reload(struct serving *s);                     /* says what came of it */
void serve_drain(struct serving *s, bool on);             /* the same */
bool serve_is_drained(struct serving *s);                 /* the same */

/* ---- cmd_serve.c ---- */
/* -1, or the exit code of `--check` when it is said what is wrong. Path NULL: what holds without a file. */
int serve_read_config(const struct cli *cli, const char *path, struct config **ret);

/* ---- serve_run.c ---- */
int serve_run(struct cli *cli, const struct serve_wish *wish, const struct config *config);

#endif
