/* cli/serve_int.h - what the files of `signalbox serve` share. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SERVE_INT_H
#define CLI_SERVE_INT_H

#include "cli/cli.h"
#include "report/printer.h"
#include "switch/worker.h"

struct serve_wish {
    const char *config;              /* file; NULL: the defaults */
    const char *pcap;                /* NULL: none is written */
    bool        check, live, json;
};

/* ---- serve_live.c: what happens, through tracker, diagnosis and printer ---- */

struct serve_live;
/* NULL: no memory. */
struct serve_live *serve_live_new(struct cli *cli, bool json);
/* Closes what is open and prints it. */
struct serve_live *serve_live_free(struct serve_live *l);
void serve_live_message(struct serve_live *l, const struct hop *hop, bool sent, slice bytes, int64_t now_ns);
/* Nothing gets through to that end any more. */
void serve_live_lost(struct serve_live *l, const struct hop *hop, int error, int64_t now_ns);
void serve_live_time(struct serve_live *l, int64_t now_ns);

/* ---- serve_bans.c: the banned addresses as a file (report/bans.h), STATE/bans.tsv ---- */

enum { SERVE_BANS_MAX = 10000 };     /* those heard last */
struct serve_bans;
struct serve_bans *serve_bans_new(const char *folder);    /* NULL: no memory */
struct serve_bans *serve_bans_free(struct serve_bans *b);
/* When it is time. 0, or -errno, told once: a list that cannot be written keeps no call from being made. */
int         serve_bans_tick(struct serve_bans *b, const struct guard *guard, int64_t now_ns);
const char *serve_bans_path(const struct serve_bans *b);

/* ---- serve_run.c ---- */
int serve_run(struct cli *cli, const struct serve_wish *wish, const struct config *config);

#endif
