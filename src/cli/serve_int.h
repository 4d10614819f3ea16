/* cli/serve_int.h - what the files of `signalbox serve` share. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SERVE_INT_H
#define CLI_SERVE_INT_H

#include <signal.h>

#include "cli/cli.h"
#include "cli/serve_names.h"
#include "cli/serve_relays.h"
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

struct serving {
    struct cli              *cli;
    const struct serve_wish *wish;
    const struct config     *first;  /* that the program was started with: outlives it */
    struct config           *later;  /* that it was given by the last reload, or NULL */
    const struct config     *config; /* one of these two: it holds now */
    struct plan             *plan;
    struct users_db         *users_db;
    struct users             users;
    struct loop             *loop;
    struct net              *net;
    struct serve_relays     *relays;
    struct worker           *worker;
    struct serve_names      *names;
    struct journal          *journal;
    struct bindings_walk     walk;
    bool                     walking, leaving, draining;
    int                      drains_obeyed;               /* of the signals that asked for it */
    struct out               record;
    struct serve_pcap       *pcap;   /* or NULL */
    struct serve_live       *live;
    struct serve_bans       *bans;
    struct loop_turn         turn;
    int64_t                  tick_ns;
};

/* ---- serve_reload.c: what is done when the program starts, and again with another configuration ---- */

/* What net_open and net_prepare want; free the listeners. False: no memory. */
bool serve_net_settings(const struct config *config, struct net_settings *ret);
int  serve_say_fault(const struct serving *s, const struct config *config, const struct net_fault *fault);
/* The first line of each gateway's password file. -1, or the exit code; it is said then. */
struct serve_passwords;
int  serve_passwords_read(const struct serving *s, const struct config *config, struct serve_passwords **ret);
int  serve_passwords_give(const struct serving *s, struct serve_passwords *p);      /* to the gateways; frees them */
void serve_reload(struct serving *s);                     /* says what came of it */
void serve_drain(struct serving *s, bool on);             /* the same */
bool serve_is_drained(struct serving *s);                 /* the same */

/* ---- cmd_serve.c ---- */
/* -1, or the exit code of `--check` when it is said what is wrong. Path NULL: what holds without a file. */
int serve_read_config(const struct cli *cli, const char *path, struct config **ret);

/* ---- serve_run.c ---- */
int serve_run(struct cli *cli, const struct serve_wish *wish, const struct config *config);

#endif
